//! The code that Wherefore's kernel programs and its agent share, compiled for both from the same source.
//!
//! Owns every protocol offset ([`parse`], [`link`]), the flow key and its counters ([`flow`]), the
//! filters ([`filter`], [`select`]) and the names and sizes both sides must agree on ([`abi`]).
//! Refuses: allocation, `unsafe`, I/O, clocks, dependencies.
//!
//! Panic contract: no function here panics on any input bytes; unreadable input is a [`Skip`].
#![no_std]
#![forbid(unsafe_code)]

pub mod abi;
pub mod dns;
pub mod evidence;
pub mod filter;
pub mod flow;
pub mod frame;
pub mod link;
pub mod owner;
pub mod parse;
pub mod plain;

pub mod select;
pub mod table;
#[cfg(test)]
mod tests;

pub use flow::{Counters, Direction, FlowKey, Reason};
pub use frame::{Frame, Slice};
pub use link::LinkType;
pub use parse::{Extent, Skip};
