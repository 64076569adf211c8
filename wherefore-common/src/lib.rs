//! The code that Wherefore's kernel programs and its agent share, compiled for both from the same source.
//!
//! Owns every protocol offset and number ([`parse`], [`link`], [`protocol`]), the flow key and its counters ([`flow`]), the
//! filters ([`filter`], [`select`]) and the names and sizes both sides must agree on ([`abi`]).
//! Refuses: allocation, `unsafe`, I/O, clocks, dependencies.
//!
//! Panic contract: no function here panics on any input bytes; unreadable input is a [`Skip`].
//!
//! # Example
//! ```
//! use wherefore_common::{FlowKey, LinkType, Skip, Slice, link};
//!
//! // An Ethernet frame with an IPv4 packet: UDP from 192.0.2.1 port 5000 to 192.0.2.53 port 53.
//! let mut frame = vec![0; 12];
//! frame.extend([0x08, 0x00]);
//! frame.extend([0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 1, 192, 0, 2, 53]);
//! frame.extend([0x13, 0x88, 0, 53, 0, 12, 0, 0, 1, 2, 3, 4]);
//!
//! let mut key = FlowKey::default();
//! let extent = link::parse(&Slice::new(&frame, frame.len()), LinkType::ETHERNET, &mut key)?;
//!
//! assert_eq!(key.src_ip().to_string(), "192.0.2.1");
//! assert_eq!((key.protocol, key.sport, key.dport), (17, 5000, 53));
//! // The bytes of a flow are those of its IP packets: 32 here, without the Ethernet header.
//! assert_eq!((extent.offset, extent.bytes), (14, 32));
//! # Ok::<(), Skip>(())
//! ```
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
pub mod protocol;
pub mod select;
pub mod table;
#[cfg(test)]
mod tests;

pub use flow::{Counters, Direction, FlowKey, Reason};
pub use frame::{Frame, Slice};
pub use link::LinkType;
pub use parse::{Extent, Skip};
