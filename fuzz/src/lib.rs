//! Fuzz targets for all code that reads foreign data, as functions of bytes.
//!
//! Owns one module for each kind of input. Its `run` panics if one of the properties in the module's
//! description is violated. Refuses to know the caller: libFuzzer (`fuzz_targets/`), or a test with the seeds
//! and with inputs of earlier crashes (`tests/`).
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

/// A target: a function of an input.
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
