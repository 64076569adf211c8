//! Filter expressions in libpcap's language (pcap-filter(7)): the conditions for a packet to be
//! watched. Owns the choice of the compiler: our own, for the kernel too, else
//! libpcap's, on the host alone.

mod address_bits;
mod libpcap;
mod names;
mod parse;
mod program;
mod tokens;
mod untold;

use wherefore_common::select::{self, Program};
use wherefore_common::{FlowKey, LinkType};

use crate::input::frame::CapturedFrame;
use crate::usage::UsageError;
use libpcap::Compiled;
use program::Reversed;
pub use untold::Untold;

/// The most bytes of an expression: longer ones take long to compile, and nest deep.
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
    /// The same, too long for the kernel; and by how much.
    Long(Reversed, Untold),
    /// libpcap's programs, by link type; and the reason why ours cannot do it.
    Libpcap(Compiled, Untold),
}

impl Expression {
    /// The expression of the text; `None` if it is empty, which means every packet.
    ///
    /// # Errors
    /// If neither we nor libpcap understand it, with libpcap's message.
    pub fn new(text: &str) -> Result<Option<Self>, UsageError> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        if text.len() > LONGEST {
            return Err(UsageError(format!(
                "a filter expression of {} bytes cannot be used: {LONGEST} at the most",
                text.len()
            )));
        }
        let meaning = match parse::parse(text) {
            Ok(condition) => Meaning::of(program::translate(&condition)),
            Err(untold) => Meaning::Libpcap(Compiled::new(text)?, untold),
        };
        Ok(Some(Self { text: text.to_owned(), meaning }))
    }

    /// The text as it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The program for the kernel.
    ///
    /// # Errors
    /// If there is none, with the reason.
    pub fn program(&self) -> Result<&Program, &Untold> {
        match &self.meaning {
            Meaning::Program(program) => Ok(program),
            Meaning::Long(_, untold) | Meaning::Libpcap(_, untold) => Err(untold),
        }
    }

    /// Whether libpcap's program decides, frame by frame, and not the flow alone.
    pub fn is_about_frames(&self) -> bool {
        matches!(self.meaning, Meaning::Libpcap(..))
    }

    /// Whether a packet is watched: one of this flow, in this frame.
    pub fn selects(&self, flow: &FlowKey, frame: &CapturedFrame<'_>) -> bool {
        match &self.meaning {
            Meaning::Program(program) => program.accepts(&select::fields(flow)),
            Meaning::Long(tests, _) => tests.accepts(&select::fields(flow)),
            Meaning::Libpcap(compiled, _) => compiled.selects(frame),
        }
    }

    /// Whether this frame is watched, if the frame's bytes decide and not its flow.
    pub fn decides(&self, frame: &CapturedFrame<'_>) -> Option<bool> {
        match &self.meaning {
            Meaning::Program(_) | Meaning::Long(..) => None,
            Meaning::Libpcap(compiled, _) => Some(compiled.selects(frame)),
        }
    }

    /// Whether frames that are not IP are watched, if flows decide: all fields of theirs are 0. All of them
    /// are if the expression names ARP, which no field tells from others.
    pub fn selects_non_ip(&self) -> bool {
        let mut words = self.text.split(|letter: char| !letter.is_ascii_alphanumeric());
        if words.any(|word| matches!(word, "arp" | "rarp")) {
            return true;
        }
        let none = select::fields(&FlowKey::default());
        match &self.meaning {
            Meaning::Program(program) => program.accepts(&none),
            Meaning::Long(tests, _) => tests.accepts(&none),
            Meaning::Libpcap(..) => true,
        }
    }

    /// Checks that the expression has a meaning for frames of this link type, in files of this
    /// byte order.
    ///
    /// # Errors
    /// If libpcap has none, with its words.
    pub fn check(&self, link: LinkType, is_swapped: bool) -> Result<(), UsageError> {
        match &self.meaning {
            Meaning::Program(_) | Meaning::Long(..) => Ok(()),
            Meaning::Libpcap(compiled, _) => compiled.check(link, is_swapped),
        }
    }
}

impl Meaning {
    fn of(tests: Reversed) -> Self {
        match tests.program() {
            Ok(program) => Self::Program(Box::new(program)),
            Err(untold) => Self::Long(tests, untold),
        }
    }
}
