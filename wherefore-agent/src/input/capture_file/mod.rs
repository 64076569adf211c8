//! Reads the records of capture files: classic pcap and pcapng, plain or compressed. Owns this reading;
//! refuses to look into packets, to write captures, and to read on after damage.
//!
//! Every file is treated as hostile: no length in it is believed before that many bytes have arrived.

mod ahead;
mod clock;
mod error;
mod gzip;
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
use recognise::MAGIC;
pub(crate) use unpacked::Unpacked;

/// A captured packet. Its bytes are borrowed until the next one is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Nanoseconds since 1970-01-01 UTC, saturated; `None` for pcapng's simple packets, which
    /// have no time.
    pub time_ns: Option<i64>,
    /// The LINKTYPE_ number of tcpdump.org, which defines the first header.
    pub link_type: u16,
    /// Whether the file's byte order differs from this host's.
    pub is_swapped: bool,
    /// The length on the wire according to the file, which is what is counted even if fewer bytes were
    /// captured. In damaged and fuzzed files it may be smaller than the captured length.
    pub wire_len: u32,
    /// The captured bytes.
    pub bytes: &'a [u8],
    /// The number of the interface in the file, counted through all sections of a pcapng file; 0 in classic
    /// pcap, which has only one.
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
    /// The offset of the damage, if it is not at the beginning of the next record.
    broken_at: Option<u64>,
}

#[derive(Debug)]
enum Format {
    Pcap(pcap::Layout),
    Pcapng(pcapng::Sections),
}

impl CaptureFile {
    /// Opens a file, or standard input for `-`, and reads its header. On a pipe, this waits for the header.
    ///
    /// # Errors
    /// [`ReadError::Open`] if there is nothing to read from, [`ReadError::Unrecognised`] if it is
    /// no capture, [`ReadError::Damaged`] if it breaks before the end of its header.
    pub fn open(path: &Path) -> Result<Self, ReadError> {
        Self::start(Input::open(path), name_of(path))
    }

    /// Reads from any source, with a name for messages. The source should be unbuffered.
    ///
    /// # Errors
    /// The same as for [`CaptureFile::open`].
    pub fn from_reader(
        reader: impl Read + Send + 'static,
        name: impl Into<String>,
    ) -> Result<Self, ReadError> {
        Self::start(Input::new(reader, None), name.into())
    }

    /// Reads a file that is already open and of which nothing was consumed.
    ///
    /// # Errors
    /// The same as for [`CaptureFile::open`].
    pub(crate) fn from_open(input: Unpacked, name: String) -> Result<Self, ReadError> {
        Self::start(Ok(input.into_input()), name)
    }

    /// The next record, or `None` at the end.
    ///
    /// # Errors
    /// [`ReadError::Damaged`], once, where the file is damaged. After that, the file is at its end.
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

    /// New warnings about the file since the last call, for example about ignored fields.
    pub fn take_warnings(&mut self) -> Vec<String> {
        let remarks = match &mut self.format {
            Format::Pcap(layout) => layout.take_remark().into_iter().collect(),
            Format::Pcapng(sections) => sections.take_remarks(),
        };
        remarks.into_iter().map(|remark| format!("{}: {remark}", self.name)).collect()
    }

    /// The name of the file in messages.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The number of records that were read.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The number of bytes of the file that were consumed; in a compressed file approximately.
    #[must_use]
    pub fn position(&self) -> u64 {
        self.input.position()
    }

    /// The size of the file when it was opened; `None` for pipes and devices.
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
            Ok(Some(format)) => {
                Ok(Self { name, input, format, records: 0, ended: false, broken_at: None })
            }
            Ok(None) => Err(unrecognised(name, &mut input)),
            Err(why) => Err(unusable(name, why, input.is_compressed())),
        }
    }

    #[inline]
    fn advance(&mut self) -> Result<Option<Packet>, Flaw> {
        while !self.ended {
            match self.format.step(self.input.bytes())? {
                Step::Packet(packet) => return Ok(Some(packet)),
                Step::Skip(count) => self.input.skip(count)?,
                Step::Zeros => return Err(self.zeros()?),
                Step::Need(count) if self.input.want(count)? => {}
                Step::Need(count) => return self.at_end(count),
            }
        }
        Ok(None)
    }

    /// Handles the end of the file with fewer than `needed` bytes left, which is damage unless none is left.
    fn at_end(&self, needed: usize) -> Result<Option<Packet>, Flaw> {
        let left = self.input.bytes().len();
        if left == 0 && !self.format.inside() {
            return Ok(None);
        }
        if left > 0 && self.input.bytes().iter().all(|byte| *byte == 0) {
            return Err(Flaw::OnlyZeros { count: left as u64 });
        }
        Err(cut_short(needed, left))
    }

    /// What zeros mean where a record should begin: files end with them if space was reserved in advance, or
    /// if the writer's disk lost power.
    #[cold]
    fn zeros(&mut self) -> Result<Flaw, Flaw> {
        let start = self.input.consumed();
        self.broken_at = Some(start);
        while self.input.want(1)? {
            let bytes = self.input.bytes();
            let zeros = bytes.iter().take_while(|byte| **byte == 0).count();
            let is_over = zeros < bytes.len();
            self.input.take(zeros);
            if is_over {
                return Ok(Flaw::Zeros { count: self.input.consumed() - start });
            }
        }
        Ok(Flaw::OnlyZeros { count: self.input.consumed() - start })
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
            offset: self.broken_at.unwrap_or(self.input.consumed()),
            is_compressed: self.input.is_compressed(),
            records: self.records,
            why,
        }
    }
}

impl Format {
    /// Reads the file header; `None` if it is not that of a capture file.
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

    /// Reads the head of the first section, so that an error in it is found when the file is opened.
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

/// The name of a file in messages.
pub(crate) fn name_of(path: &Path) -> String {
    if path.as_os_str() == "-" { "standard input".to_owned() } else { path.display().to_string() }
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
    // If reading more fails, the message is about the bytes that are there.
    let _ = input.want(recognise::ENOUGH);
    let (mut found, advice) = recognise::unknown(input.bytes());
    if input.is_compressed() {
        found.push_str(" when decompressed");
    }
    let (size, advice) = (input.bytes().len(), advice.to_owned());
    match size {
        ..MAGIC => ReadError::TooShort { name, found, advice, size },
        _ => ReadError::Unrecognised { name, found, advice },
    }
}

/// The error about a valid header that cannot be used: an unknown version is not damage.
#[cold]
fn unusable(name: String, why: Flaw, is_compressed: bool) -> ReadError {
    match why {
        Flaw::Version { .. } | Flaw::ByteOrder(_) => ReadError::Unrecognised {
            name,
            found: why.to_string(),
            advice: recognise::unusable().to_owned(),
        },
        _ => ReadError::Damaged { name, offset: 0, is_compressed, records: 0, why },
    }
}
