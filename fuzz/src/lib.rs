//! Everything that reads what others wrote, as functions of bytes.
//!
//! Owns one module for each kind of input, whose `run` panics where something is wrong; what that is, its
//! first lines say. Refuses to know who calls: libFuzzer (`fuzz_targets/`), or a test with the inputs
//! that once failed and those that fuzzing begins with (`tests/`).
#![forbid(unsafe_code)]

mod scratch;

pub mod capture;
pub mod dns;
pub mod expression;
pub mod frame;
pub mod history;
pub mod numbers;
pub mod options;
pub mod request;
pub mod seeds;
pub mod socket;
pub mod spool;
pub mod state;
pub mod table;

pub use scratch::remove as remove_scratch;

/// A target: what is done with an input.
pub type Target = fn(&[u8]);

/// All of them, by name.
pub const TARGETS: [(&str, Target); 12] = [
    ("capture", capture::run),
    ("dns", dns::run),
    ("expression", expression::run),
    ("frame", frame::run),
    ("history", history::run),
    ("numbers", numbers::run),
    ("options", options::run),
    ("request", request::run),
    ("socket", socket::run),
    ("spool", spool::run),
    ("state", state::run),
    ("table", table::run),
];
