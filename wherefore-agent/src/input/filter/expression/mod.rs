//! Filter expressions in libpcap's language (pcap-filter(7)): the conditions under which a packet is watched.
//! Owns the choice of the compiler: our own, whose programs also run in the kernel, or otherwise libpcap's,
//! only on the host.

mod address_bits;
mod libpcap;
mod names;
mod parse;
mod program;
mod tokens;
mod unsupported;

use wherefore_common::select::{self, Program};
use wherefore_common::{FlowKey, LinkType};

use crate::input::frame::CapturedFrame;
use crate::usage::UsageError;
use libpcap::Compiled;
use program::Reversed;
pub use unsupported::Unsupported;

/// The longest expression, in bytes: longer ones take long to compile, and may nest deeply.
const LONGEST: usize = 65_536;

/// A compiled expression.
#[derive(Debug, Clone)]
pub struct Expression {
    text: String,
    meaning: Meaning,
}

#[derive(Debug, Clone)]
enum Meaning {
    /// A program on the flow. It runs in the kernel and on the host.
    Program(Box<Program>),
    /// Such a program that is too long for the kernel, with the reason.
    Long(Reversed, Unsupported),
    /// libpcap's programs by link type, with the reason why ours cannot evaluate the expression.
    Libpcap(Compiled, Unsupported),
}

impl Expression {
    /// Compiles an expression; `None` if the text is empty, which means every packet.
    ///
    /// # Errors
    /// If neither our compiler nor libpcap's understands it, with libpcap's message.
    pub fn new(text: &str) -> Result<Option<Self>, UsageError> {
        if text.trim().is_empty() {
            return Ok(None);
        }
        if text.len() > LONGEST {
            return Err(UsageError(format!(
                "the filter expression has {} bytes, but at most {LONGEST} are supported",
                text.len()
            )));
        }
        let meaning = match parse::parse(text) {
            Ok(condition) => Meaning::of(program::translate(&condition)),
            Err(unsupported) => Meaning::Libpcap(Compiled::new(text)?, unsupported),
        };
        Ok(Some(Self { text: text.to_owned(), meaning }))
    }

    /// The text as the user wrote it.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The program for the kernel.
    ///
    /// # Errors
    /// If there is none, with the reason.
    pub fn program(&self) -> Result<&Program, &Unsupported> {
        match &self.meaning {
            Meaning::Program(program) => Ok(program),
            Meaning::Long(_, unsupported) | Meaning::Libpcap(_, unsupported) => Err(unsupported),
        }
    }

    /// Whether libpcap's program decides by the frame, and not ours by the flow.
    pub fn is_about_frames(&self) -> bool {
        matches!(self.meaning, Meaning::Libpcap(..))
    }

    /// Whether a packet of this flow, in this frame, is watched.
    pub fn selects(&self, flow: &FlowKey, frame: &CapturedFrame<'_>) -> bool {
        match &self.meaning {
            Meaning::Program(program) => program.accepts(&select::fields(flow)),
            Meaning::Long(tests, _) => tests.accepts(&select::fields(flow)),
            Meaning::Libpcap(compiled, _) => compiled.selects(frame),
        }
    }

    /// Whether this frame is watched; `None` if its flow decides, and not its bytes.
    pub fn decides(&self, frame: &CapturedFrame<'_>) -> Option<bool> {
        match &self.meaning {
            Meaning::Program(_) | Meaning::Long(..) => None,
            Meaning::Libpcap(compiled, _) => Some(compiled.selects(frame)),
        }
    }

    /// Whether frames that are not IP are watched, if flows decide: all their fields are 0. If the expression
    /// names ARP, all of them are, because no field distinguishes ARP from other frames.
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

    /// Checks whether the expression has a meaning for frames of this link type in files with this byte
    /// order.
    ///
    /// # Errors
    /// If it has none, with libpcap's message.
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
            Err(unsupported) => Self::Long(tests, unsupported),
        }
    }
}
