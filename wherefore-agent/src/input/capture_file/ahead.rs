//! Reads ahead: a separate thread reads and decompresses the next bytes while earlier ones are parsed. Owns
//! the buffers that go back and forth between both; refuses to look into them.
//!
//! The file is not mapped into memory, because truncating a mapped file while it is read would end the
//! process (SIGBUS) instead of the capture.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// The number of bytes that are read at once: calls are then cheap, and the buffers stay in the processor's
/// caches.
pub(super) const CHUNK: usize = 256 << 10;
/// Space in front of a chunk, for the end of the previous chunk that could not be parsed yet.
pub(super) const HEADROOM: usize = 64 << 10;
/// The most chunks that are read but not parsed yet.
const AHEAD: usize = 3;

/// A buffer with [`HEADROOM`] and up to [`CHUNK`] bytes after it that were read; no bytes at the end.
pub(super) struct Chunk {
    pub(super) buffer: Vec<u8>,
    pub(super) read: usize,
}

/// The bytes of a source, chunk by chunk, in order.
pub(super) struct ReadAhead {
    filled: Receiver<io::Result<Chunk>>,
    emptied: SyncSender<Vec<u8>>,
}

impl ReadAhead {
    /// Starts to read. The thread ends at the end of the source, at an error, or when nobody takes chunks any
    /// more; in this case as soon as the current read returns.
    pub(super) fn start(mut source: impl Read + Send + 'static) -> io::Result<Self> {
        let (send, filled) = sync_channel(AHEAD);
        let (emptied, buffers) = sync_channel::<Vec<u8>>(AHEAD + 2);
        let read = move || {
            loop {
                let buffer = buffers.try_recv().unwrap_or_else(|_| vec![0; HEADROOM + CHUNK]);
                let chunk = fill(&mut source, buffer);
                let is_last = chunk.as_ref().map_or(true, |chunk| chunk.read == 0);
                if send.send(chunk).is_err() || is_last {
                    return;
                }
            }
        };
        thread::Builder::new().name("read-ahead".to_owned()).spawn(read)?;
        Ok(Self { filled, emptied })
    }

    /// Waits for the next bytes.
    pub(super) fn next(&mut self) -> io::Result<Chunk> {
        let ended = || Err(io::Error::other("the thread that reads has ended"));
        self.filled.recv().unwrap_or_else(|_| ended())
    }

    /// Returns a buffer, to be filled again.
    pub(super) fn give_back(&mut self, buffer: Vec<u8>) {
        if buffer.len() == HEADROOM + CHUNK {
            // If nobody reads any more, the buffer is not needed.
            let _ = self.emptied.try_send(buffer);
        }
    }
}

/// Reads once: a pipe returns what it has, so that live captures are not delayed.
fn fill(source: &mut impl Read, mut buffer: Vec<u8>) -> io::Result<Chunk> {
    loop {
        match source.read(&mut buffer[HEADROOM..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(read) => return Ok(Chunk { buffer, read }),
        }
    }
}
