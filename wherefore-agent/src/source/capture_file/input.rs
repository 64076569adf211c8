//! Owns the bytes of a capture file: opening, standard input, decompression, the buffer.
//! Refuses to know what the bytes mean, and to allocate for bytes that have not arrived.

use std::fs::File;
use std::io::{self, BufReader, Cursor, Read};
use std::mem;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use flate2::bufread::MultiGzDecoder;

use super::error::Flaw;
use super::recognise::Compression;
use super::zstd::ZstdReader;

/// Bytes asked of the source at once: large enough that calls cost nothing, small enough to
/// stay in the processor's cache between the copy in and the parsing.
const CHUNK: usize = 256 << 10;

type Source = Box<dyn Read + Send>;

/// The decompressed bytes of one file, seen through a window that moves forward.
pub(super) struct Input {
    source: Source,
    buffer: Vec<u8>,
    /// The window: bytes read from the source and not yet consumed.
    start: usize,
    end: usize,
    consumed: u64,
    compressed: bool,
    /// Bytes the file itself gave, before decompression.
    raw: Arc<AtomicU64>,
    size: Option<u64>,
}

impl Input {
    /// Opens a file; `-` is standard input.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        if path.as_os_str() == "-" {
            return Self::new(io::stdin(), None);
        }
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        Self::new(file, metadata.is_file().then_some(metadata.len()))
    }

    /// Reads the first bytes, and puts a decompressor in between if they ask for one.
    pub(super) fn new(source: impl Read + Send + 'static, size: Option<u64>) -> io::Result<Self> {
        let raw = Arc::default();
        let mut input = Self {
            source: Box::new(Counted { source, count: Arc::clone(&raw) }),
            buffer: vec![0; CHUNK],
            start: 0,
            end: 0,
            consumed: 0,
            compressed: false,
            raw,
            size,
        };
        input.want(4)?;
        input.decompress();
        Ok(input)
    }

    fn decompress(&mut self) {
        let Some(compression) = Compression::of(self.bytes()) else {
            return;
        };
        let begun = Cursor::new(self.bytes().to_vec());
        let rest = mem::replace(&mut self.source, Box::new(io::empty()));
        let packed = BufReader::with_capacity(CHUNK, begun.chain(rest));
        self.source = match compression {
            Compression::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Compression::Zstd => Box::new(ZstdReader::new(packed)),
        };
        self.compressed = true;
        self.start = 0;
        self.end = 0;
    }

    /// The window.
    #[inline]
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Decompressed bytes before the window.
    pub(super) fn consumed(&self) -> u64 {
        self.consumed
    }

    /// Bytes of the file itself that are done with, nearly: a decompressor reads ahead.
    pub(super) fn position(&self) -> u64 {
        if self.compressed { self.raw.load(Ordering::Relaxed) } else { self.consumed }
    }

    pub(super) fn size(&self) -> Option<u64> {
        self.size
    }

    pub(super) fn is_compressed(&self) -> bool {
        self.compressed
    }

    /// Moves the window over its first `count` bytes, at most all, and gives them.
    #[inline]
    pub(super) fn take(&mut self, count: usize) -> &[u8] {
        let from = self.start;
        self.start = from.saturating_add(count).min(self.end);
        self.consumed += (self.start - from) as u64;
        &self.buffer[from..self.start]
    }

    /// Moves the window over `count` bytes, reading and forgetting what it does not hold.
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

    /// Widens the window to `needed` bytes; false if the file ends before.
    pub(super) fn want(&mut self, needed: usize) -> io::Result<bool> {
        while self.bytes().len() < needed {
            self.make_room();
            if self.pull()? == 0 {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Moves the window to the front of the buffer, and doubles a buffer that is still full:
    /// its size follows what arrived, never what a header claims.
    fn make_room(&mut self) {
        self.buffer.copy_within(self.start..self.end, 0);
        self.end -= self.start;
        self.start = 0;
        if self.end == self.buffer.len() {
            self.buffer.resize(self.end * 2, 0);
        }
    }

    /// One read: a pipe gives what it has, so live captures are not held back.
    fn pull(&mut self) -> io::Result<usize> {
        loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
                Ok(count) => {
                    self.end += count;
                    return Ok(count);
                }
            }
        }
    }
}

/// Counts the bytes a source gives, for a position in the compressed file.
struct Counted<R> {
    source: R,
    count: Arc<AtomicU64>,
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(into)?;
        self.count.fetch_add(count as u64, Ordering::Relaxed);
        Ok(count)
    }
}
