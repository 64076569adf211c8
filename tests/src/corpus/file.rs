//! The files of the corpus: the list of captures, how each is written and compressed, and
//! its path.

use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use ruzstd::decoding::StreamingDecoder;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

pub use super::traffic::{DROP_ZONE, UPLOADER};

use super::write::{Style, pcap, pcapng};
use super::{Packet, expected, links, network, spaced, traffic};

/// How a file is compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encoding {
    /// Not at all.
    Plain,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

/// A capture made by this project.
#[derive(Debug, Clone)]
pub struct File {
    /// Its name, with the extension of its format and compression.
    pub name: String,
    /// Its bytes before compression.
    pub plain: Vec<u8>,
    /// Its compression.
    pub encoding: Encoding,
    /// The expected output of `wherefore replay --flows`, in any order of flows.
    pub expected: String,
}

/// The folder of the corpus in the source tree.
pub fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus")
}

/// The path of the expected flows of a capture.
pub fn expectation_of(capture: &Path) -> PathBuf {
    let mut name = capture.as_os_str().to_owned();
    name.push(".flows.jsonl");
    name.into()
}

impl Encoding {
    fn extension(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gzip => ".gz",
            Self::Zstd => ".zst",
        }
    }

    /// Compresses.
    ///
    /// # Errors
    /// Never in practice: memory is all that is written to.
    pub fn encode(self, bytes: &[u8]) -> io::Result<Vec<u8>> {
        match self {
            Self::Plain => Ok(bytes.to_vec()),
            Self::Zstd => Ok(compress_to_vec(bytes, CompressionLevel::Fastest)),
            Self::Gzip => {
                let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
                encoder.write_all(bytes)?;
                encoder.finish()
            }
        }
    }

    /// Decompresses.
    ///
    /// # Errors
    /// If the bytes are not of this encoding.
    pub fn decode(self, bytes: &[u8]) -> Result<Vec<u8>> {
        let mut plain = Vec::new();
        match self {
            Self::Plain => plain.extend(bytes),
            Self::Gzip => drop(GzDecoder::new(bytes).read_to_end(&mut plain)?),
            Self::Zstd => drop(StreamingDecoder::new(bytes)?.read_to_end(&mut plain)?),
        }
        Ok(plain)
    }
}

impl File {
    fn new(name: &str, plain: Vec<u8>, encoding: Encoding, packets: &[Packet]) -> Self {
        let name = format!("{name}{}", encoding.extension());
        Self { name, plain, encoding, expected: expected(packets) }
    }

    /// Writes the capture and its expected flows to a directory.
    ///
    /// # Errors
    /// If that can't be written to.
    pub fn write(&self, directory: &Path) -> Result<()> {
        let path = directory.join(&self.name);
        let failed = || format!("cannot write {}", path.display());
        std::fs::write(&path, self.encoding.encode(&self.plain)?).with_context(failed)?;
        std::fs::write(expectation_of(&path), &self.expected).with_context(failed)
    }
}

/// Every capture that this project makes.
pub fn made() -> Vec<File> {
    let mut files = by_link();
    files.extend(by_format());
    for (name, packets) in
        [("quiet", traffic::quiet()), ("quiet-then-burst", traffic::quiet_then_burst())]
    {
        let plain = pcap(Style::default(), &packets);
        files.push(File::new(&format!("{name}.pcap"), plain, Encoding::Gzip, &packets));
    }
    files
}

fn by_link() -> Vec<File> {
    let mut everything = Vec::new();
    let mut files = Vec::new();
    for (name, packets) in links::all() {
        let packets = spaced(packets);
        let plain = pcap(Style::default(), &packets);
        files.push(File::new(&format!("link-{name}.pcap"), plain, Encoding::Plain, &packets));
        everything.extend(packets);
    }
    let mixed = spaced(everything);
    files.push(File::new("links.pcapng", pcapng(&mixed), Encoding::Plain, &mixed));
    files
}

fn by_format() -> Vec<File> {
    let network = spaced(network::valid());
    let exact: Vec<_> = network
        .iter()
        .zip(1..)
        .map(|(packet, odd)| packet.clone().at(packet.after_ns + odd))
        .collect();
    let (cut, malformed) = (spaced(network::cut()), spaced(network::malformed()));
    let little = Style::default();
    let big = Style { is_big_endian: true, ..little };
    let fine = Style { is_nanosecond: true, ..little };
    let finest = Style { is_big_endian: true, is_nanosecond: true };
    let plain = |name: &str, style, packets: &[Packet]| {
        File::new(name, pcap(style, packets), Encoding::Plain, packets)
    };
    let packed = |encoding| File::new("network.pcap", pcap(little, &network), encoding, &network);
    // The last record lacks its last byte: everything before it counts.
    let mut damaged = pcap(little, &network);
    damaged.pop();
    let whole = &network[..network.len() - 1];
    vec![
        plain("network.pcap", little, &network),
        plain("network-big-endian.pcap", big, &network),
        plain("network-nanoseconds.pcap", fine, &exact),
        plain("network-nanoseconds-big-endian.pcap", finest, &exact),
        packed(Encoding::Gzip),
        packed(Encoding::Zstd),
        File::new("network.pcapng", pcapng(&exact), Encoding::Plain, &exact),
        plain("snap-length.pcap", little, &cut),
        plain("malformed.pcap", little, &malformed),
        File::new("damaged.pcap", damaged, Encoding::Plain, whole),
        plain("empty.pcap", little, &[]),
    ]
}
