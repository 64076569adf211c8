//! A bounded queue from the threads that see packets to the one that writes. Owns the order of packets and
//! alerts; refuses to wait for the disk.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::SyncSender;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use wherefore_common::FlowKey;

use super::members::Members;
use super::packet::{Facts, Packet};
use super::store::Store;
use crate::message::alert::Alert;

/// The most bytes of waiting packets; as many again may be being written.
const MOST_BYTES: usize = 16 << 20;
/// From this number of bytes on, packets wake the writer; below it, the writer checks from time to time.
const WAKE_BYTES: usize = 4 << 20;
/// The longest time that packets wait.
const LONGEST_WAIT: Duration = Duration::from_millis(50);
/// How long files on disk may be out of date.
const BETWEEN_FLUSHES: Duration = Duration::from_millis(500);

/// The waiting packets and commands, in order.
#[derive(Debug, Default)]
pub(super) struct Queue {
    batch: Mutex<Batch>,
    wake: Condvar,
    /// Whether a caller has waited for the writer without success.
    pub(super) is_behind: AtomicBool,
}

#[derive(Debug, Default)]
struct Batch {
    entries: Vec<Entry>,
    /// The bytes of all packets, one after another.
    bytes: Vec<u8>,
    has_command: bool,
}

#[derive(Debug)]
enum Entry {
    Packet(Facts, u32),
    Command(Command),
}

/// Commands to the writer, besides keeping packets.
#[derive(Debug)]
pub(super) enum Command {
    Report(Box<Alert>, Members, SyncSender<Vec<PathBuf>>),
    Resolved(FlowKey),
    Expired(Vec<FlowKey>, i64),
    Finish,
}

impl Queue {
    /// Adds a packet; returns false if there is no space.
    pub(super) fn add(&self, packet: &Packet<'_>) -> bool {
        let mut batch = self.lock();
        let before = batch.size();
        let after = before + packet.bytes.len() + size_of::<Entry>();
        if after > MOST_BYTES {
            return false;
        }
        batch.entries.push(Entry::Packet(packet.facts, packet.bytes.len() as u32));
        batch.bytes.extend_from_slice(packet.bytes);
        drop(batch);
        if before < WAKE_BYTES && after >= WAKE_BYTES {
            self.wake.notify_one();
        }
        true
    }

    /// Adds a command, for which there is always space.
    pub(super) fn command(&self, command: Command) {
        let mut batch = self.lock();
        batch.entries.push(Entry::Command(command));
        batch.has_command = true;
        drop(batch);
        self.wake.notify_one();
    }

    /// The loop of the writer: processes the queue until the end is requested.
    pub(super) fn work(&self, store: &mut Store) {
        let mut work = Batch::default();
        let mut flushed = Instant::now();
        loop {
            self.swap(&mut work);
            if !work.run(store) {
                return;
            }
            self.is_behind.store(false, Ordering::Relaxed);
            if flushed.elapsed() >= BETWEEN_FLUSHES {
                store.flush();
                flushed = Instant::now();
            }
        }
    }

    /// Takes the waiting entries; waits a short time if there are none.
    fn swap(&self, work: &mut Batch) {
        let mut batch = self.lock();
        if !batch.has_command && batch.size() < WAKE_BYTES {
            let waited = self.wake.wait_timeout(batch, LONGEST_WAIT);
            batch = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        std::mem::swap(&mut *batch, work);
    }

    fn lock(&self) -> MutexGuard<'_, Batch> {
        // Each entry is added completely or not at all.
        self.batch.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Batch {
    fn size(&self) -> usize {
        self.bytes.len() + self.entries.len() * size_of::<Entry>()
    }

    /// Processes and removes all entries; returns false at the end.
    fn run(&mut self, store: &mut Store) -> bool {
        let mut at = 0;
        for entry in self.entries.drain(..) {
            match entry {
                Entry::Packet(facts, len) => {
                    let bytes = &self.bytes[at..at + len as usize];
                    at += len as usize;
                    store.add(&Packet { facts, bytes });
                }
                Entry::Command(Command::Report(alert, members, reply)) => {
                    // The caller may have stopped waiting.
                    let _ = reply.try_send(store.report(&alert, &members, None));
                }
                Entry::Command(Command::Resolved(group)) => store.resolved(&group),
                Entry::Command(Command::Expired(groups, now_ns)) => store.expired(&groups, now_ns),
                Entry::Command(Command::Finish) => {
                    store.finish();
                    return false;
                }
            }
        }
        self.bytes.clear();
        self.has_command = false;
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packets_are_refused_when_memory_is_full_but_commands_are_not() {
        let queue = Queue::default();
        let bytes = vec![0; 65_536];
        let packet = Packet { facts: Facts::default(), bytes: &bytes };
        let taken = (0..1000).take_while(|_| queue.add(&packet)).count();
        assert_eq!(taken, MOST_BYTES / (65_536 + size_of::<Entry>()));
        queue.command(Command::Finish);
        assert_eq!(queue.lock().entries.len(), taken + 1);
    }
}
