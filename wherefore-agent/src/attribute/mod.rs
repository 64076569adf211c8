//! Who and where: adds owners to an interval, and knows country, AS and name of addresses. Owns the
//! ways to find out; refuses to count anything.

pub mod directory;
pub mod ends;
pub mod geo;
pub mod grouping;
pub mod names;
mod reverse;

pub use directory::{Directory, Place};
pub use ends::Ends;
pub use reverse::ask;
