//! Errors while reading a capture file. Owns the ways in which reading can fail, and their messages; refuses
//! to decide how a caller reacts.

use std::io;

use thiserror::Error;

/// Why a capture file could not be opened, or not be read to its end.
#[derive(Debug, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named in the messages")]
pub enum ReadError {
    /// The file does not exist, may not be read, or its first bytes cannot be read.
    #[error("cannot open {name}: {why}")]
    Open { name: String, why: io::Error },
    /// The file has another format or an unknown version. No record was read.
    #[error("{name} is not a capture file this can read: {found}; {advice}")]
    Unrecognised { name: String, found: String, advice: String },
    /// The file ends before its header is complete, after `size` bytes (of the decompressed file).
    #[error("{name} is not a capture file this can read: {found}; {advice}")]
    TooShort { name: String, found: String, advice: String, size: usize },
    /// The file is damaged: `records` records were read before byte `offset` (of the decompressed file),
    /// where the damaged part begins. These records are valid.
    #[error("{name} is damaged at byte {offset}{}, after {records} records: {why}", unpacked(*.is_compressed))]
    Damaged { name: String, offset: u64, is_compressed: bool, records: u64, why: Flaw },
}

/// The unit in which offsets are counted.
fn unpacked(is_compressed: bool) -> &'static str {
    if is_compressed { " of the decompressed data" } else { "" }
}

/// How a capture file is damaged. All lengths are in bytes.
#[derive(Debug, Error)]
#[non_exhaustive]
#[allow(missing_docs, reason = "the fields are named in the messages")]
pub enum Flaw {
    /// The file ends inside a header, a record or a block.
    #[error("it ends in the middle of something: {needed} bytes were due, {present} are there")]
    CutShort { needed: u64, present: u64 },
    /// There are only zeros from where a record or a block should begin to the end.
    #[error("from there on it holds only zeros ({count} bytes), which were never written")]
    OnlyZeros { count: u64 },
    /// There are zeros where a record or a block should begin, and other data after them.
    #[error("{count} bytes of zeros stand where a packet should begin")]
    Zeros { count: u64 },
    /// The disk, the pipe or the decompressor failed.
    #[error("reading stopped: {0}")]
    Unreadable(#[from] io::Error),
    /// The length of a record or block is larger than any writer makes.
    #[error("a length of {claimed} bytes is claimed, at most {most} are believed")]
    TooLong { claimed: u32, most: u32 },
    /// A pcapng block is too short for its type.
    #[error("a pcapng block of type {kind:#010x} cannot be {length} bytes long")]
    BlockLength { kind: u32, length: u32 },
    /// The two lengths of a pcapng block differ.
    #[error("a pcapng block of {head} bytes ends with a length of {tail}")]
    BlockEnd { head: u32, tail: u32 },
    /// A pcapng packet does not fit in its block.
    #[error("a packet of {captured} bytes lies in a pcapng block with room for {room}")]
    PacketOverflow { captured: u32, room: usize },
    /// A pcapng packet belongs to an interface that its section did not describe.
    #[error("a packet from interface {interface} comes where only {described} are described")]
    NoInterface { interface: u32, described: usize },
    /// There are more interfaces than any host has: only an attacker would profit from a larger table.
    #[error("more than {0} interfaces are described in one pcapng section")]
    TooManyInterfaces(usize),
    /// A pcapng option is longer than its block, or has a length that its code does not allow.
    #[error("the pcapng option {code} has an impossible length of {length}")]
    BadOption { code: u16, length: u16 },
    /// A pcapng section begins with neither byte order of its magic number.
    #[error("a pcapng section has the unknown byte order mark {0:02x?}")]
    ByteOrder([u8; 4]),
    /// This version of the format does not exist, or is not supported yet.
    #[error("{format} version {major}.{minor} is not defined")]
    Version { format: &'static str, major: u16, minor: u16 },
}
