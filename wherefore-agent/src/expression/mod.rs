//! Filter expressions in libpcap's language (pcap-filter(7)): what a packet must be like to be
//! watched. Owns the choice of who understands one: ourselves, so that the kernel can be told, else
//! libpcap's own compiler, on the host alone.

mod libpcap;
mod names;
mod parse;
mod program;
mod tokens;

use wherefore_common::select::{self, Program};
use wherefore_common::{FlowKey, LinkType};

use crate::config::UsageError;
use libpcap::Compiled;

/// Octets of an expression at the most: what is longer takes long to compile, and nests deep.
const LONGEST: usize = 65_536;

/// An expression, understood.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    meaning: Meaning,
}

#[derive(Debug, Clone)]
enum Meaning {
    /// A program on the flow, the same in the kernel and on the host.
    Program(Box<Program>),
    /// What libpcap makes of it, by link type; and why we do not.
    Libpcap(Compiled, Untold),
}

/// What the kernel cannot be told of an expression, in words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Untold(String);

impl Expression {
    /// What the text means; `None` where it is empty, which is every packet.
    ///
    /// # Errors
    /// Where neither we nor libpcap understand it, with libpcap's words.
    pub fn new(text: &str) -> Result<Option<Self>, UsageError> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        if text.len() > LONGEST {
            return Err(UsageError(format!(
                "a filter expression of {} octets cannot be used: {LONGEST} at the most",
                text.len()
            )));
        }
        let translated = parse::parse(text).and_then(|condition| program::translate(&condition));
        let meaning = match translated {
            Ok(program) => Meaning::Program(Box::new(program)),
            Err(untold) => Meaning::Libpcap(Compiled::new(text)?, untold),
        };
        Ok(Some(Self { text: text.to_owned(), meaning }))
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The program for the kernel.
    ///
    /// # Errors
    /// Where there is none, with the reason.
    pub fn program(&self) -> Result<&Program, &Untold> {
        match &self.meaning {
            Meaning::Program(program) => Ok(program),
            Meaning::Libpcap(_, untold) => Err(untold),
        }
    }

    /// Whether a packet is watched: one of this flow, in a frame of these octets.
    pub fn selects(&self, flow: &FlowKey, link: LinkType, octets: &[u8], wire_len: u32) -> bool {
        match &self.meaning {
            Meaning::Program(program) => program.accepts(&select::fields(flow)),
            Meaning::Libpcap(compiled, _) => compiled.selects(link, octets, wire_len),
        }
    }
}
