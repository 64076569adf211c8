//! Recognises files by their first bytes, and words the messages about files that are not captures. Owns the
//! list of formats; refuses to guess from names.

use std::fmt::Write;

/// A supported compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compression {
    Gzip,
    Zstd,
}

/// The number of bytes by which a compression is recognised.
pub(super) const MAGIC: usize = 4;

impl Compression {
    pub(super) fn of(bytes: &[u8]) -> Option<Self> {
        match bytes {
            [0x1f, 0x8b, 8, ..] => Some(Self::Gzip),
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Some(Self::Zstd),
            // Parallel compressors write a skippable frame first.
            [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// The number of bytes after which no more can be learned about an unknown file: the mark of a tar archive
/// comes late.
pub(super) const ENOUGH: usize = 512;

struct Signature {
    at: usize,
    magic: &'static [u8],
    name: &'static str,
    advice: &'static str,
}

const fn signature(
    at: usize,
    magic: &'static [u8],
    name: &'static str,
    advice: &'static str,
) -> Signature {
    Signature { at, magic, name, advice }
}

const CONVERT: &str = "convert it first: editcap -F pcapng OLD NEW";
const UNPACK: &str = "unpack it first, and give the captures in it";
const TWICE: &str = "it is compressed twice: decompress it once first";
const USUAL: &str =
    "supported are pcap and pcapng, also compressed by gzip or zstd; editcap converts most others";

const SIGNATURES: &[Signature] = &[
    signature(257, b"ustar", "a tar archive", UNPACK),
    signature(0, b"PK\x03\x04", "a zip archive", UNPACK),
    signature(0, b"7z\xbc\xaf\x27\x1c", "a 7z archive", UNPACK),
    signature(0, b"\xfd7zXZ\0", "compressed by xz", "pipe it in: xz -dc FILE, and read -"),
    signature(0, b"BZh", "compressed by bzip2", "pipe it in: bzip2 -dc FILE, and read -"),
    signature(0, b"\x04\x22\x4d\x18", "compressed by lz4", "pipe it in: lz4 -dc FILE, and read -"),
    signature(0, b"\x1f\x8b", "gzip inside a compressed file", TWICE),
    signature(0, b"\x28\xb5\x2f\xfd", "zstd inside a compressed file", TWICE),
    signature(0, b"snoop\0\0\0", "a Solaris snoop capture", CONVERT),
    signature(0, b"GMBU", "a Microsoft Network Monitor capture", CONVERT),
    signature(0, b"RTSS", "a Microsoft Network Monitor capture", CONVERT),
    signature(0, b"TRSNIFF data", "a Sniffer capture", CONVERT),
    signature(0, b"XCP\0", "a Windows Sniffer capture", CONVERT),
];

/// The kind of an unknown file by its first bytes, and advice for the user.
pub(super) fn unknown(bytes: &[u8]) -> (String, &'static str) {
    if bytes.is_empty() {
        return (
            "it is empty".into(),
            "the capture may not have been written, or not been flushed yet",
        );
    }
    if bytes.len() < MAGIC {
        return (
            format!("it ends after {} bytes, which are{}", bytes.len(), hex(bytes)),
            "the capture may not have been written, or not been flushed yet",
        );
    }
    let begin = format!("it begins with{}", hex(bytes));
    match SIGNATURES.iter().find(|known| known.fits(bytes)) {
        Some(known) => (format!("{begin} ({})", known.name), known.advice),
        None if is_text(bytes) => (
            format!("{begin} (text)"),
            "captures are binary: tcpdump writes them with -w FILE, tshark too",
        ),
        None => (begin, USUAL),
    }
}

/// Advice about a capture file whose header cannot be used.
pub(super) fn unusable() -> &'static str {
    "it may be damaged, or written by an unusual program: editcap may convert it"
}

impl Signature {
    fn fits(&self, bytes: &[u8]) -> bool {
        bytes.get(self.at..).is_some_and(|rest| rest.starts_with(self.magic))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().take(8).fold(String::new(), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, " {byte:02x}");
        text
    })
}

fn is_text(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace())
}
