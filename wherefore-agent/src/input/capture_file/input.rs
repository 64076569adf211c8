//! The bytes of a capture file. Owns opening, standard input, decompression and the buffer; refuses to
//! interpret the bytes, and to allocate memory for bytes that have not arrived.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::ahead::{CHUNK, Chunk, HEADROOM, ReadAhead};
use super::error::Flaw;
use super::gzip::GzipReader;
use super::recognise::{Compression, MAGIC};
use super::zstd::ZstdReader;

type Source = Box<dyn Read + Send>;

/// The decompressed bytes of one file, seen through a window that moves forward.
pub(super) struct Input {
    source: ReadAhead,
    buffer: Vec<u8>,
    /// The window: bytes that were read but not consumed yet.
    start: usize,
    end: usize,
    /// Whether the end of the source was reached.
    has_ended: bool,
    consumed: u64,
    compressed: bool,
    /// The number of bytes that were read from the file itself, before decompression.
    raw: Arc<AtomicU64>,
    size: Option<u64>,
}

impl Input {
    /// Opens a file. `-` is standard input, and so is its device, which cannot always be opened again.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let path_text = path.as_os_str();
        if ["-", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"].iter().any(|name| path_text == *name)
        {
            return Self::new(io::stdin(), None);
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        Self::new(file, metadata.is_file().then_some(metadata.len()))
    }

    /// Reads the first bytes, and adds a decompressor if they are compressed.
    pub(super) fn new(source: impl Read + Send + 'static, size: Option<u64>) -> io::Result<Self> {
        let raw = Arc::default();
        let mut source = Counted { source, count: Arc::clone(&raw) };
        let magic = first(&mut source)?;
        let compression = Compression::of(&magic);
        Ok(Self {
            source: ReadAhead::start(unpacked(Cursor::new(magic).chain(source), compression))?,
            buffer: vec![0; HEADROOM + CHUNK],
            start: 0,
            end: 0,
            has_ended: false,
            consumed: 0,
            compressed: compression.is_some(),
            raw,
            size,
        })
    }

    /// The window.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// The number of decompressed bytes before the window.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// The number of bytes of the file itself that were consumed; approximate, because a decompressor reads
    /// ahead.
    pub(super) fn position(&self) -> u64 {
        if self.compressed { self.raw.load(Ordering::Relaxed) } else { self.consumed }
    }

    pub(super) fn size(&self) -> Option<u64> {
        self.size
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Removes the first `count` bytes from the window, or all of them, and returns them.
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.start = from.saturating_add(count).min(self.end);
        self.consumed += (self.start - from) as u64;
        &self.buffer[from..self.start]
    }

    /// Moves the window forward by `count` bytes; reads and drops those that are not in it.
    pub(super) fn skip(&mut self, count: u64) -> Result<(), Flaw> {
        let mut left = count;
        loop {
            let most = usize::try_from(left).unwrap_or(usize::MAX);
            left -= self.take(most).len() as u64;
            if left == 0 {
                return Ok(());
            }
            if !self.want(1)? {
                return Err(Flaw::CutShort { needed: count, present: count - left });
            }
        }
    }

    /// Extends the window to `needed` bytes; returns false if the file ends before.
    pub(super) fn want(&mut self, needed: usize) -> io::Result<bool> {
        while self.bytes().len() < needed {
            if self.has_ended {
                return Ok(false);
            }
            let chunk = self.source.next();
            self.has_ended = chunk.as_ref().map_or(true, |chunk| chunk.read == 0);
            self.append(chunk?);
        }
        Ok(true)
    }

    /// Adds a chunk after the window, by moving the rest of the window in front of it. If the rest does not
    /// fit, the buffer grows: its size depends on the bytes that arrived, never on a length in a header.
    fn append(&mut self, Chunk { mut buffer, read }: Chunk) {
        let left = self.start..self.end;
        if let Some(start) = HEADROOM.checked_sub(left.len()) {
            buffer[start..HEADROOM].copy_from_slice(&self.buffer[left]);
            (self.start, self.end) = (start, HEADROOM + read);
            mem::swap(&mut self.buffer, &mut buffer);
        } else {
            let len = left.len();
            if left.start > 0 {
                self.buffer.copy_within(left, 0);
            }
            let needed = len + read;
            if self.buffer.len() < needed {
                self.buffer.resize(needed.next_power_of_two(), 0);
            }
            self.buffer[len..needed].copy_from_slice(&buffer[HEADROOM..HEADROOM + read]);
            (self.start, self.end) = (0, needed);
        }
        self.source.give_back(buffer);
    }
}

/// The first bytes of a source: as many as are needed, or all.
fn first(source: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut magic = Vec::with_capacity(MAGIC);
    source.take(MAGIC as u64).read_to_end(&mut magic)?;
    Ok(magic)
}

fn unpacked(packed: impl Read + Send + 'static, compression: Option<Compression>) -> Source {
    let buffered = |packed| BufReader::with_capacity(CHUNK, packed);
    match compression {
        None => Box::new(packed),
        Some(Compression::Gzip) => Box::new(GzipReader::new(buffered(packed))),
        Some(Compression::Zstd) => Box::new(ZstdReader::new(buffered(packed))),
    }
}

/// Counts the bytes that are read from a source, for the position in a compressed file.
struct Counted<R> {
    source: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        // Decompressors treat any other error as the end.
        let read = loop {
            match self.source.read(into) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read,
            }
        };
        let count = read?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns its bytes in pieces of many sizes, as a pipe does.
    struct Pieces(Cursor<Vec<u8>>, usize);

    impl Read for Pieces {
        fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
            self.1 = self.1 * 7 % 300_007 + 1;
            let most = self.1.min(into.len());
            self.0.read(&mut into[..most])
        }
    }

    #[test]
    fn every_byte_comes_once_and_in_order() {
        let bytes: Vec<u8> = (0..4_000_000_u32).map(|at| (at ^ at >> 9) as u8).collect();
        let mut input = Input::new(Pieces(Cursor::new(bytes.clone()), 1), None).unwrap();
        let mut at = 0;
        // Also more than the room in front of a chunk, and more than a chunk.
        let spans = [1, 16, HEADROOM - 1, HEADROOM + 1, CHUNK, 3 * CHUNK, 1500];
        for span in spans.into_iter().cycle() {
            if !input.want(span).unwrap() {
                break;
            }
            assert_eq!(input.take(span), &bytes[at..at + span]);
            at += span;
            assert_eq!(input.consumed(), at as u64);
        }
        assert_eq!(input.bytes(), &bytes[at..]);
        assert!(!input.want(CHUNK).unwrap() && at > 2_000_000);
    }

    #[test]
    fn an_error_comes_after_the_earlier_data() {
        struct Broken;
        impl Read for Broken {
            fn read(&mut self, _: &mut [u8]) -> io::Result<usize> {
                Err(io::Error::other("broken"))
            }
        }
        let mut input = Input::new(Cursor::new(vec![7; 1000]).chain(Broken), None).unwrap();
        assert!(input.want(1000).unwrap());
        assert_eq!(input.want(1001).unwrap_err().to_string(), "broken");
        assert_eq!(input.take(2000), [7; 1000]);
        assert!(!input.want(1).unwrap());
    }
}
