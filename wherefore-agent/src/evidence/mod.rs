//! Packets as evidence: logged for each group, remembered in memory for all traffic, and written beside
//! alerts. Owns the [`Recorder`], which gets packets from sources and alerts from the run loop.
//!
//! Counting never waits for the disk: in a live run, packets pass through a bounded queue to a thread that
//! writes. Packets that do not fit are counted as lost evidence and logged. A replay writes while it reads,
//! so that the same capture gives the same files every time.

mod directory;
mod disk;
mod losses;
mod members;
mod packet;
mod packet_log;
mod pending;
mod queue;
mod ring;
mod settings;
mod store;

use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::mpsc::sync_channel;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use anyhow::{Context, Result};
use wherefore_common::FlowKey;

use crate::input::frame::CapturedFrame;
use crate::input::recorder::PacketRecorder;
use crate::message::alert::Alert;
use crate::text;
use directory::Directory;
use disk::Disk;
pub use losses::Losses;
pub use members::{Members, members_of};
use packet::{Facts, Packet};
use packet_log::{LogOptions, PacketLog};
use queue::{Command, Queue};
use ring::Ring;
pub use settings::{LogSettings, Settings};
use store::Store;

/// How long an alert may be delayed to get the paths of its evidence.
const PATIENCE: Duration = Duration::from_millis(250);
/// The number of bytes of each packet that a replay keeps: all.
pub const REPLAY_SNAPLEN: u32 = 262_144;

/// Keeps packets. Clones share one state.
#[derive(Clone)]
pub struct Recorder {
    shared: Arc<Shared>,
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Recorder").field("snaplen", &self.shared.snaplen).finish_non_exhaustive()
    }
}

struct Shared {
    /// The number of bytes that are kept of each packet.
    snaplen: u32,
    losses: Arc<Losses>,
    writer: Writer,
}

enum Writer {
    /// The caller writes.
    Here(Box<Mutex<Store>>),
    /// A thread writes.
    Thread { queue: Arc<Queue>, state: Mutex<ThreadState> },
}

enum ThreadState {
    Waiting(Box<Store>),
    Running(JoinHandle<()>),
    Over,
}

impl Recorder {
    /// Opens a recorder for live sources; `None` if no packet is to be kept. Nothing is written before
    /// [`Self::start`].
    ///
    /// # Errors
    /// If a directory can't be used.
    pub fn open_live(settings: &Settings) -> Result<Option<Self>> {
        let with = |store| Writer::Thread {
            queue: Arc::default(),
            state: Mutex::new(ThreadState::Waiting(Box::new(store))),
        };
        Self::open(settings, with)
    }

    /// Opens a recorder for replays; `None` if no packet is to be kept.
    ///
    /// # Errors
    /// If a directory can't be used.
    pub fn open_replay(settings: &Settings) -> Result<Option<Self>> {
        Self::open(settings, |store| Writer::Here(Box::new(Mutex::new(store))))
    }

    fn open(settings: &Settings, writer: impl FnOnce(Store) -> Writer) -> Result<Option<Self>> {
        if !settings.is_on() {
            return Ok(None);
        }
        let losses = Arc::new(Losses::default());
        let log = settings.log.map(|log| open_log(settings, log)).transpose()?;
        let archive = settings.archive_dir.as_ref().or(settings.log_dir.as_ref());
        let archive = archive.context("no directory for packets")?;
        let disk = Disk::new(Directory::open(archive)?, settings.max_size, losses.clone());
        let ring_snaplen = settings.ring_snaplen;
        let ring = settings.ring.map(|size| Ring::new(size, ring_snaplen));
        let ring = ring.transpose().context("no memory for --evidence-ring")?;
        let logged = settings.log.map_or(0, |log| log.snaplen);
        let snaplen = if ring.is_some() { logged.max(ring_snaplen) } else { logged };
        let store = Store::new(settings.group_by, disk, log, ring, ring_snaplen);
        Ok(Some(Self { shared: Arc::new(Shared { snaplen, losses, writer: writer(store) }) }))
    }

    /// The losses so far.
    pub fn losses(&self) -> &Losses {
        &self.shared.losses
    }

    /// Removes files that a killed agent left, and starts to write. The thread has the privileges that the
    /// caller has at this time.
    ///
    /// # Errors
    /// If the thread cannot be started.
    pub fn start(&self) -> Result<()> {
        match &self.shared.writer {
            // A replay must not remove files: they may be its input.
            Writer::Here(store) => lock(store).begin(false),
            Writer::Thread { queue, state } => {
                let mut state = lock(state);
                if let ThreadState::Waiting(mut store) =
                    std::mem::replace(&mut *state, ThreadState::Over)
                {
                    let queue = queue.clone();
                    let work = move || {
                        store.begin(true);
                        queue.work(&mut store);
                    };
                    let thread = std::thread::Builder::new().name("evidence".to_owned());
                    let started = thread.spawn(work).context("cannot start the evidence thread")?;
                    *state = ThreadState::Running(started);
                }
            }
        }
        Ok(())
    }

    /// Keeps the evidence of an alert and adds the paths of its files to it. Must be called for every alert
    /// about an incident, before it is sent. `members` are the flows of its group, if packets do not show
    /// their group; `end_ns` is the end of its interval.
    pub fn report(&self, alert: &mut Alert, members: Members, end_ns: i64) {
        let files = std::mem::take(&mut alert.evidence);
        alert.evidence = match &self.shared.writer {
            Writer::Here(store) => lock(store).report(alert, &members, Some(end_ns)),
            Writer::Thread { queue, .. } => ask(queue, alert, members),
        };
        // Files of an earlier run.
        let is_missing = |path: &PathBuf| !alert.evidence.contains(path) && path.exists();
        let earlier: Vec<_> = files.into_iter().filter(is_missing).collect();
        alert.evidence.splice(0..0, earlier);
    }

    /// Records that an incident about this group is over. Needed only if no alert reports this.
    pub fn resolved(&self, group: &FlowKey) {
        match &self.shared.writer {
            Writer::Here(store) => lock(store).resolved(group),
            Writer::Thread { queue, .. } => queue.command(Command::Resolved(*group)),
        }
    }

    /// Records that the detector has forgotten these groups by the end of an interval. Packets of groups
    /// without an alert are then removed.
    pub fn expired(&self, groups: Vec<FlowKey>, end_ns: i64) {
        if groups.is_empty() {
            return;
        }
        match &self.shared.writer {
            Writer::Here(store) => lock(store).expired(&groups, end_ns),
            Writer::Thread { queue, .. } => queue.command(Command::Expired(groups, end_ns)),
        }
    }

    /// Ends: writes the packets of alerts, removes the others, and logs losses.
    pub fn finish(&self) {
        match &self.shared.writer {
            Writer::Here(store) => lock(store).finish(),
            Writer::Thread { queue, state } => {
                queue.command(Command::Finish);
                let state = std::mem::replace(&mut *lock(state), ThreadState::Over);
                if let ThreadState::Running(thread) = state
                    && thread.join().is_err()
                {
                    tracing::error!("the evidence thread has failed: packets are missing");
                }
            }
        }
        let losses = self.losses();
        if losses.total() > 0 {
            let remarks = text::remarks([
                (losses.kernel(), "lost in the kernel (ring buffer full)"),
                (losses.queue(), "arrived faster than they could be written"),
                (losses.room(), "beyond the allowed size"),
                (losses.disk(), "could not be written"),
                (losses.cut(), "cut before their ports (--evidence-snaplen, -s)"),
            ]);
            tracing::warn!("evidence lost: {} packets{remarks}", text::grouped(losses.total()));
        }
    }
}

impl PacketRecorder for Recorder {
    fn snaplen(&self) -> u32 {
        self.shared.snaplen
    }

    fn record(&self, flow: &FlowKey, frame: &CapturedFrame<'_>) {
        let CapturedFrame { time_ns, link, wire_len, bytes, .. } = *frame;
        let bytes = &bytes[..bytes.len().min(self.shared.snaplen as usize)];
        let packet = Packet { facts: Facts { flow: *flow, time_ns, wire_len, link }, bytes };
        match &self.shared.writer {
            Writer::Here(store) => lock(store).add(&packet),
            Writer::Thread { queue, .. } => {
                if !queue.add(&packet) {
                    self.shared.losses.add_queue();
                }
            }
        }
    }

    fn note_lost_in_kernel(&self, packets: u64) {
        self.shared.losses.set_kernel(packets);
    }

    fn note_cut(&self) {
        self.shared.losses.add_cut();
    }
}

fn open_log(settings: &Settings, log: LogSettings) -> Result<PacketLog> {
    let path = settings.log_dir.as_ref().context("no directory for packets")?;
    let mut directory = Directory::open(path)?;
    directory.claim()?;
    let options = LogOptions {
        group_by: settings.group_by,
        snaplen: log.snaplen,
        file_size: log.file_size,
        rotations: log.rotations,
    };
    Ok(PacketLog::new(options, directory))
}

/// Lets the thread report, and waits a short time for the paths. If the thread is late, later alerts do not
/// wait until it has caught up: alerts are sent in time, if necessary without paths.
fn ask(queue: &Queue, alert: &Alert, members: Members) -> Vec<PathBuf> {
    let (reply, paths) = sync_channel(1);
    let is_behind = queue.is_behind.load(Ordering::Relaxed);
    queue.command(Command::Report(Box::new(alert.clone()), members, reply));
    let patience = if is_behind { Duration::ZERO } else { PATIENCE };
    paths.recv_timeout(patience).unwrap_or_else(|_| {
        queue.is_behind.store(true, Ordering::Relaxed);
        tracing::warn!(
            alert.text,
            "the disk is slow: the alert is sent without the paths of its evidence"
        );
        Vec::new()
    })
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
