//! Reads a gzip file (RFC 1952) with any number of members. Owns the format of members. Refuses to lose bytes
//! that were decoded before the damaged place: they are returned before the error.

use std::io::{self, BufRead, Read};
use std::ops::Range;

use flate2::Crc;
use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_HAS_MORE_INPUT;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

/// Decoded bytes are kept here, because later data may refer back to them. At least 32 KiB, and a power of
/// two.
const RING: usize = 128 << 10;

const METHOD_DEFLATE: u8 = 8;
const FLAG_HEADER_CRC: u8 = 1 << 1;
const FLAG_EXTRA: u8 = 1 << 2;
const FLAG_NAME: u8 = 1 << 3;
const FLAG_COMMENT: u8 = 1 << 4;
const RESERVED_FLAGS: u8 = 0xe0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Header,
    Body,
    Trailer,
    End,
}

/// The decompressed bytes of a gzip file.
pub(super) struct GzipReader<R> {
    source: R,
    /// The number of bytes of the file that were read and decoded.
    position: u64,
    members: u64,
    stage: Stage,
    inflate: Box<DecompressorOxide>,
    ring: Vec<u8>,
    /// The position of the next decoded byte, and the number of bytes that are decoded but not returned yet.
    next: usize,
    ready: Range<usize>,
    crc: Crc,
    /// The error that ended the file early; it is returned after the bytes before it.
    failure: Option<io::Error>,
}

impl<R: BufRead> GzipReader<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            position: 0,
            members: 0,
            stage: Stage::Header,
            inflate: Box::default(),
            ring: vec![0; RING],
            next: 0,
            ready: 0..0,
            crc: Crc::new(),
            failure: None,
        }
    }

    /// Reads the header of the next member, unless the file ends here.
    fn header(&mut self) -> io::Result<Stage> {
        let Some(&first) = self.source.fill_buf()?.first() else { return Ok(Stage::End) };
        let [one, two, method, flags, ..] = self.bytes::<10>()?;
        if [one, two] != [0x1f, 0x8b] {
            let what = if first == 0 {
                "zeros follow the gzip data"
            } else {
                "other data follows the gzip data"
            };
            return Err(self.damaged(what));
        }
        if method != METHOD_DEFLATE || flags & RESERVED_FLAGS != 0 {
            return Err(self.damaged("the gzip header has an unknown format"));
        }
        if flags & FLAG_EXTRA != 0 {
            let length = u16::from_le_bytes(self.bytes()?);
            for _ in 0..length {
                self.bytes::<1>()?;
            }
        }
        for text in [FLAG_NAME, FLAG_COMMENT] {
            while flags & text != 0 && self.bytes()? != [0] {}
        }
        if flags & FLAG_HEADER_CRC != 0 {
            self.bytes::<2>()?;
        }
        self.members += 1;
        self.inflate.init();
        self.crc.reset();
        Ok(Stage::Body)
    }

    /// Decodes until there are bytes to return, or the member ends.
    fn body(&mut self) -> io::Result<Stage> {
        let input = self.source.fill_buf()?;
        let flags = if input.is_empty() { 0 } else { TINFL_FLAG_HAS_MORE_INPUT };
        let (status, used, made) =
            decompress(&mut self.inflate, input, &mut self.ring, self.next, flags);
        self.source.consume(used);
        self.position += used as u64;
        self.ready = self.next..self.next + made;
        self.next = self.ready.end % RING;
        self.crc.update(&self.ring[self.ready.clone()]);
        match status {
            TINFLStatus::Done => Ok(Stage::Trailer),
            TINFLStatus::NeedsMoreInput | TINFLStatus::HasMoreOutput => Ok(Stage::Body),
            TINFLStatus::FailedCannotMakeProgress => Err(self.cut_short()),
            _ => Err(self.damaged("the gzip data is damaged")),
        }
    }

    fn trailer(&mut self) -> io::Result<Stage> {
        let [sum, length] = [self.bytes()?, self.bytes()?].map(u32::from_le_bytes);
        if sum != self.crc.sum() {
            return Err(self.damaged("the gzip data does not match its checksum, which ends"));
        }
        if length != self.crc.amount() {
            return Err(
                self.damaged("the gzip data does not have the length it claims, which ends")
            );
        }
        Ok(Stage::Header)
    }

    /// The next bytes of the file.
    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            let Some(&next) = self.source.fill_buf()?.first() else {
                // A few bytes after the last member are not another member.
                return Err(self.cut_short());
            };
            *byte = next;
            self.source.consume(1);
            self.position += 1;
        }
        Ok(bytes)
    }

    fn cut_short(&self) -> io::Error {
        let what = if self.stage == Stage::Header && self.members > 0 {
            "other data follows the last gzip member"
        } else {
            "the gzip data is cut short"
        };
        io::Error::new(io::ErrorKind::UnexpectedEof, self.damaged(what))
    }

    fn damaged(&self, what: &str) -> io::Error {
        io::Error::other(format!("{what} at byte {} of the compressed file", self.position))
    }
}

impl<R: BufRead> Read for GzipReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            if !self.ready.is_empty() || into.is_empty() {
                let count = self.ready.len().min(into.len());
                into[..count].copy_from_slice(&self.ring[self.ready.start..][..count]);
                self.ready.start += count;
                return Ok(count);
            }
            if let Some(failure) = self.failure.take() {
                return Err(failure);
            }
            let next = match self.stage {
                Stage::Header => self.header(),
                Stage::Body => self.body(),
                Stage::Trailer => self.trailer(),
                Stage::End => return Ok(0),
            };
            self.stage = next.unwrap_or_else(|failure| {
                self.failure = Some(failure);
                Stage::End
            });
        }
    }
}
