//! Reads ahead: a thread of its own reads, and decompresses, the next bytes while those before them
//! are parsed. Owns the buffers that go round between the two; refuses to look into them.
//!
//! Not a mapping of the file into memory: a file that is cut while it is read would then end the
//! process (SIGBUS) instead of the capture.

use std::io::{self, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

/// Bytes read at once: calls cost nothing then, and the buffers stay in the processor's caches.
pub(super) const CHUNK: usize = 256 << 10;
/// Room in front of a chunk for the part of the chunk before it that could not be parsed yet.
pub(super) const HEADROOM: usize = 64 << 10;
/// Chunks read and not yet parsed.
const AHEAD: usize = 3;

/// A buffer of [`HEADROOM`] and up to [`CHUNK`] bytes that were read; of none at the end.
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
    /// Begins to read. The thread ends with the source, at an error or, as soon as a read of the
    /// source returns, when nobody takes chunks any more.
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

    /// The next bytes; waits for them.
    pub(super) fn next(&mut self) -> io::Result<Chunk> {
        let ended = || Err(io::Error::other("the thread that reads has ended"));
        self.filled.recv().unwrap_or_else(|_| ended())
    }

    /// Returns a buffer, to be filled again.
    pub(super) fn give_back(&mut self, buffer: Vec<u8>) {
        if buffer.len() == HEADROOM + CHUNK {
            // If nobody reads any more, nobody needs it.
            let _ = self.emptied.try_send(buffer);
        }
    }
}

/// One read: a pipe returns what it has, so that live captures are not delayed.
fn fill(source: &mut impl Read, mut buffer: Vec<u8>) -> io::Result<Chunk> {
    loop {
        match source.read(&mut buffer[HEADROOM..]) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
            Ok(read) => return Ok(Chunk { buffer, read }),
        }
    }
}
