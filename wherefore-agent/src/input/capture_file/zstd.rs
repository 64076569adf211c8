//! Reads a zstd stream (RFC 8878) with any number of frames, and skippable ones between them. Owns the format
//! of frames. Refuses dictionaries, windows above 128 MiB, and to lose bytes that were decoded before the
//! damaged place: all blocks before it are returned before the error.

use std::io::{self, BufRead, Read};

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Closes a frame for the decoder: an empty last block, and a checksum in case it expects one. The decoder
/// then knows how much the frame contains, and returns what is requested; further blocks may still follow.
const EMPTY_LAST_BLOCK: &[u8] = &[1, 0, 0, 0, 0, 0, 0];

/// The longest block (Block_Maximum_Size).
const LONGEST_BLOCK: usize = 128 << 10;
const BLOCK_HEADER: usize = 3;
/// A frame's magic number, its descriptor and the byte after it, which every frame has.
const FRAME_START: usize = 6;

const RAW: u8 = 0;
const RLE: u8 = 1;
const RESERVED: u8 = 3;

pub(super) struct ZstdReader<R> {
    source: R,
    /// The number of bytes of the file that were read.
    position: u64,
    decoder: FrameDecoder,
    frame: Option<Frame>,
    block: Vec<u8>,
    /// The error that ended the stream early; it is returned after the bytes before it.
    failure: Option<io::Error>,
}

/// The frame that is being decoded.
struct Frame {
    /// The number of bytes to which later blocks may refer back, so that the decoder must keep them.
    window: usize,
    has_checksum: bool,
    checksum: Option<u32>,
    /// The number of bytes of complete blocks that were decoded but not returned yet.
    held: usize,
    is_over: bool,
}

impl<R: BufRead> ZstdReader<R> {
    pub(super) fn new(source: R) -> Self {
        Self {
            source,
            position: 0,
            decoder: FrameDecoder::new(),
            frame: None,
            block: Vec::new(),
            failure: None,
        }
    }

    /// Begins the next frame; returns false at the end of the stream.
    fn begin(&mut self) -> io::Result<bool> {
        while !self.source.fill_buf()?.is_empty() {
            let start = self.bytes::<FRAME_START>()?;
            if start[1..4] == [0x2a, 0x4d, 0x18] && start[0] & 0xf0 == 0x50 {
                let [low, high] = self.bytes()?;
                self.skip(u32::from_le_bytes([start[4], start[5], low, high]))?;
                continue;
            }
            let mut counted = Counted { source: &mut self.source, count: 0 };
            let begun = self.decoder.reset(start.chain(&mut counted));
            self.position += counted.count;
            if let Err(error) = begun {
                return Err(self.damaged(&format!("invalid zstd frame: {error}")));
            }
            self.frame = Some(Frame::new(start, self.decoder.content_size()));
            return Ok(true);
        }
        Ok(false)
    }

    fn skip(&mut self, length: u32) -> io::Result<()> {
        let skipped = io::copy(&mut (&mut self.source).take(length.into()), &mut io::sink())?;
        self.position += skipped;
        if skipped < length.into() { Err(self.cut_short()) } else { Ok(()) }
    }

    /// Decodes one block, which may contain no bytes to return.
    fn decode(&mut self) -> io::Result<()> {
        let mut header = self.bytes::<BLOCK_HEADER>()?;
        let [first, second, third] = header;
        let (is_last, kind) = (first & 1 != 0, first >> 1 & 3);
        let claimed = usize::from(first >> 3) | usize::from(second) << 5 | usize::from(third) << 13;
        if kind == RESERVED || claimed > LONGEST_BLOCK {
            return Err(self.damaged("invalid zstd block"));
        }
        let length = if kind == RLE { 1 } else { claimed };
        let present = self.read_block(length)?;
        if present < length && kind != RAW {
            return Err(self.cut_short());
        }
        if present < length {
            // The part of an uncompressed block that is there can be read.
            header = (((present as u32) << 3).to_le_bytes()[..3]).try_into().unwrap_or(header);
        }
        // The checksum is read here, and not by the decoder.
        header[0] &= !1;
        self.decode_block(header)?;
        if present < length {
            return Err(self.cut_short());
        }
        if is_last { self.end_frame() } else { Ok(()) }
    }

    /// Reads the content of a block; returns its length.
    fn read_block(&mut self, length: usize) -> io::Result<usize> {
        self.block.clear();
        let present = (&mut self.source).take(length as u64).read_to_end(&mut self.block)?;
        self.position += present as u64;
        Ok(present)
    }

    /// Passes a block to the decoder. If it fails, the decoder may have written anything after the previous
    /// blocks; this is never returned.
    fn decode_block(&mut self, header: [u8; BLOCK_HEADER]) -> io::Result<()> {
        let one = || BlockDecodingStrategy::UptoBlocks(1);
        let decoded = self.decoder.decode_blocks(header.chain(&self.block[..]), one());
        let closed = self.decoder.decode_blocks(EMPTY_LAST_BLOCK, one());
        decoded.and(closed).map_err(|error| self.damaged(&format!("zstd data: {error};")))?;
        if let Some(frame) = &mut self.frame {
            frame.held = self.decoder.can_collect();
        }
        Ok(())
    }

    fn end_frame(&mut self) -> io::Result<()> {
        let has_checksum = self.frame.as_ref().is_some_and(|frame| frame.has_checksum);
        let checksum = if has_checksum { Some(u32::from_le_bytes(self.bytes()?)) } else { None };
        if let Some(frame) = &mut self.frame {
            (frame.checksum, frame.is_over) = (checksum, true);
        }
        Ok(())
    }

    /// Called after a whole frame was returned: returns the error that cut it short, or checks its checksum.
    fn finish(&mut self, frame: &Frame) -> io::Result<()> {
        if let Some(failure) = self.failure.take() {
            return Err(failure);
        }
        let stored = frame.checksum;
        if stored.is_some() && stored != self.decoder.get_calculated_checksum() {
            return Err(self.damaged("a zstd frame does not match its checksum, which ends"));
        }
        Ok(())
    }

    /// The next bytes of the file.
    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        for byte in &mut bytes {
            let Some(&next) = self.source.fill_buf()?.first() else {
                return Err(self.cut_short());
            };
            *byte = next;
            self.source.consume(1);
            self.position += 1;
        }
        Ok(bytes)
    }

    fn cut_short(&self) -> io::Error {
        io::Error::new(io::ErrorKind::UnexpectedEof, self.damaged("the zstd stream is cut short"))
    }

    fn damaged(&self, what: &str) -> io::Error {
        io::Error::other(format!("{what} at byte {} of the compressed file", self.position))
    }
}

impl Frame {
    /// By the first bytes of its header (RFC 8878, 3.1.1.1), and the size of its content.
    fn new(start: [u8; FRAME_START], content_size: u64) -> Self {
        const SINGLE_SEGMENT: u8 = 1 << 5;
        const CHECKSUM: u8 = 1 << 2;
        let [.., descriptor, window] = start;
        let base = 1_u64 << (10 + (window >> 3));
        let window = match descriptor & SINGLE_SEGMENT {
            0 => base + base / 8 * u64::from(window & 7),
            _ => content_size,
        };
        Self {
            window: usize::try_from(window).unwrap_or(usize::MAX),
            has_checksum: descriptor & CHECKSUM != 0,
            checksum: None,
            held: 0,
            is_over: false,
        }
    }

    /// The number of bytes that can be returned now.
    fn free(&self) -> usize {
        if self.is_over { self.held } else { self.held.saturating_sub(self.window) }
    }
}

impl<R: BufRead> Read for ZstdReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let Some(frame) = &mut self.frame else {
                if self.begin()? {
                    continue;
                }
                return Ok(0);
            };
            let count = frame.free().min(into.len());
            if count > 0 || into.is_empty() {
                let count = self.decoder.read(&mut into[..count])?;
                frame.held -= count;
                return Ok(count);
            }
            if frame.is_over {
                let frame = self.frame.take();
                frame.map_or(Ok(()), |frame| self.finish(&frame))?;
            } else if let Err(failure) = self.decode() {
                self.failure = Some(failure);
                self.frame.iter_mut().for_each(|frame| frame.is_over = true);
            }
        }
    }
}

/// Counts the bytes that are read.
struct Counted<R> {
    source: R,
    count: u64,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(into)?;
        self.count += read as u64;
        Ok(read)
    }
}
