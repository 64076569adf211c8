//! Owns reading the records of capture files: classic pcap and pcapng, plain or compressed.
//! Refuses to look into packets, to write captures, and to read more of a file after it broke.
//!
//! Every file is taken for hostile: no length in it is believed before that many bytes arrived.

mod ahead;
mod clock;
mod error;
mod input;
mod parse;
mod pcap;
mod pcapng;
mod recognise;
mod unpacked;
mod zstd;

use std::io::{self, Read};
use std::path::Path;

pub use error::{Flaw, ReadError};
use input::Input;
use parse::{Packet, Step};
pub(crate) use unpacked::Unpacked;

/// One captured packet; the bytes are lent until the next is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Nanoseconds since 1970-01-01 UTC, saturated; `None` for pcapng's simple packets, which
    /// have no time.
    pub time_ns: Option<i64>,
    /// LINKTYPE_ number of tcpdump.org: what the bytes begin with.
    pub link_type: u16,
    /// Whether the file's byte order is not this host's.
    pub is_swapped: bool,
    /// Bytes the packet had on the wire, as the file says: the length to count, also when
    /// fewer were captured. Damaged and fuzzed files may hold less here than was captured.
    pub wire_len: u32,
    /// The captured bytes.
    pub bytes: &'a [u8],
    /// Number of the interface in the file, counted through all sections of a pcapng file;
    /// 0 in classic pcap, which has one.
    pub interface: u32,
}

/// A capture file that is read once, from front to back, in constant memory (see
/// draft-ietf-opsawg-pcap and draft-ietf-opsawg-pcapng for the formats).
pub struct CaptureFile {
    name: String,
    input: Input,
    format: Format,
    records: u64,
    ended: bool,
}

#[derive(Debug)]
enum Format {
    Pcap(pcap::Layout),
    Pcapng(pcapng::Sections),
}

impl CaptureFile {
    /// Opens a file, or standard input for `-`, and reads its header; on a pipe this waits for
    /// the header.
    ///
    /// # Errors
    /// [`ReadError::Open`] if there is nothing to read from, [`ReadError::Unrecognised`] if it is
    /// no capture, [`ReadError::Damaged`] if it breaks before the end of its header.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        let name = match path.as_os_str() == "-" {
            true => "standard input".to_owned(),
            false => path.display().to_string(),
        };
        Self::start(Input::open(path), name)
    }

    /// Reads from anything, under a name for messages. The reader should be unbuffered.
    ///
    /// # Errors
    /// As [`CaptureFile::open`].
    pub fn from_reader(
        reader: impl Read + Send + 'static,
        name: impl Into<String>,
    ) -> Result<Self, ReadError> {
        Self::start(Input::new(reader, None), name.into())
    }

    /// The next record, or `None` at the end.
    ///
    /// # Errors
    /// [`ReadError::Damaged`], once, where the file breaks. After it the file is at its end.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator cannot lend: each record borrows the buffer until the next"
    )]
    #[inline]
    pub fn next(&mut self) -> Result<Option<Record<'_>>, ReadError> {
        match self.advance() {
            Ok(Some(packet)) => Ok(Some(self.lend(packet))),
            Ok(None) => {
                self.ended = true;
                Ok(None)
            }
            Err(flaw) => Err(self.end_damaged(flaw)),
        }
    }

    /// Records read so far.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// Bytes of the file done with; of a compressed file, compressed bytes, and roughly.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.input.position()
    }

    /// Bytes of the file, as it was when opened; `None` for pipes and devices.
    #[must_use]
    pub fn size(&self) -> Option<u64> {
        self.input.size()
    }

    fn start(input: io::Result<Input>, name: String) -> Result<Self, ReadError> {
        let mut input = match input {
            Ok(input) => input,
            Err(why) => return Err(ReadError::Open { name, why }),
        };
        match Format::read(&mut input) {
            Ok(Some(format)) => Ok(Self { name, input, format, records: 0, ended: false }),
            Ok(None) => Err(unrecognised(name, &mut input)),
            Err(why) => Err(unusable(name, why)),
        }
    }

    #[inline]
    fn advance(&mut self) -> Result<Option<Packet>, Flaw> {
        while !self.ended {
            match self.format.step(self.input.bytes())? {
                Step::Packet(packet) => return Ok(Some(packet)),
                Step::Skip(count) => self.input.skip(count)?,
                Step::Need(count) if self.input.want(count)? => {}
                Step::Need(count) => return self.at_end(count),
            }
        }
        Ok(None)
    }

    /// The file ends with fewer than `needed` bytes in view: well, if with none.
    fn at_end(&self, needed: usize) -> Result<Option<Packet>, Flaw> {
        let left = self.input.bytes().len();
        if left == 0 && !self.format.inside() {
            return Ok(None);
        }
        Err(cut_short(needed, left))
    }

    #[inline]
    fn lend(&mut self, packet: Packet) -> Record<'_> {
        self.records += 1;
        let taken = self.input.take(packet.used);
        Record {
            time_ns: packet.time_ns,
            link_type: packet.link_type,
            is_swapped: packet.is_swapped,
            wire_len: packet.wire_len,
            bytes: &taken[packet.start..packet.end],
            interface: packet.interface,
        }
    }

    #[cold]
    fn end_damaged(&mut self, why: Flaw) -> ReadError {
        self.ended = true;
        ReadError::Damaged {
            name: self.name.clone(),
            offset: self.input.consumed(),
            records: self.records,
            why,
        }
    }
}

impl Format {
    /// Reads the file header; `None` if it is that of no capture file.
    fn read(input: &mut Input) -> Result<Option<Self>, Flaw> {
        input.want(4)?;
        let Some(magic) = input.bytes().first_chunk() else {
            return Ok(None);
        };
        if *magic == pcapng::SECTION {
            return Self::read_pcapng(input).map(Some);
        }
        match pcap::Variant::from_magic(*magic) {
            Some(variant) => Self::read_pcap(variant, input).map(Some),
            None => Ok(None),
        }
    }

    fn read_pcap(variant: pcap::Variant, input: &mut Input) -> Result<Self, Flaw> {
        want_all(input, variant.file_header)?;
        let layout = pcap::Layout::read(variant, input.bytes())?;
        input.take(variant.file_header);
        Ok(Self::Pcap(layout))
    }

    /// Takes the first section's head at once, so that its flaws show when opening.
    fn read_pcapng(input: &mut Input) -> Result<Self, Flaw> {
        want_all(input, pcapng::SECTION_HEAD)?;
        let mut sections = pcapng::Sections::new();
        if let Step::Skip(count) = sections.step(input.bytes())? {
            input.skip(count)?;
        }
        Ok(Self::Pcapng(sections))
    }

    #[inline]
    fn step(&mut self, bytes: &[u8]) -> Result<Step, Flaw> {
        match self {
            Self::Pcap(layout) => layout.step(bytes),
            Self::Pcapng(sections) => sections.step(bytes),
        }
    }

    fn inside(&self) -> bool {
        match self {
            Self::Pcap(_) => false,
            Self::Pcapng(sections) => sections.inside_block(),
        }
    }
}

fn want_all(input: &mut Input, count: usize) -> Result<(), Flaw> {
    match input.want(count)? {
        true => Ok(()),
        false => Err(cut_short(count, input.bytes().len())),
    }
}

#[cold]
fn cut_short(needed: usize, present: usize) -> Flaw {
    Flaw::CutShort { needed: needed as u64, present: present as u64 }
}

#[cold]
fn unrecognised(name: String, input: &mut Input) -> ReadError {
    // A failure to read more is no reason to say less about what is there.
    let _ = input.want(recognise::ENOUGH);
    let (mut found, advice) = recognise::unknown(input.bytes());
    if input.is_compressed() {
        found.push_str(" when decompressed");
    }
    ReadError::Unrecognised { name, found, advice: advice.to_owned() }
}

/// A header of the right kind that cannot be used: another version is no damage.
#[cold]
fn unusable(name: String, why: Flaw) -> ReadError {
    match why {
        Flaw::Version { .. } | Flaw::ByteOrder(_) => ReadError::Unrecognised {
            name,
            found: why.to_string(),
            advice: recognise::unusable().to_owned(),
        },
        _ => ReadError::Damaged { name, offset: 0, records: 0, why },
    }
}
