//! The queue of one sink. Owns the order, the retries with their delays, and the counts: delivered, refused,
//! dropped. Refuses to interpret answers, which the sink itself does.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::routing::Open;
use super::sink::{Attempt, Sink};
use super::spec::SinkSpec;
use super::spool::{Entry, QueueHead, Store};
use crate::descriptors;
use crate::message::alert::{Alert, Status};

/// The delay after the first failure. It doubles with each further failure.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);
/// The longest delay that a receiver may ask for.
const LONGEST_ASKED: Duration = Duration::from_secs(3600);
/// The most alerts that are written to the spool together.
const BATCH: usize = 1024;
/// The most incidents whose dropped end is remembered.
const MOST_OVER: usize = 10_000;
/// When settings change: how long the old sink may continue its current attempt.
const SUCCESSION: Duration = Duration::from_secs(30);

/// What became of a sink's alerts since the start.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct SinkCounters {
    /// The sink.
    pub name: String,
    /// Accepted by the receiver.
    pub delivered: u64,
    /// Refused by the receiver for good.
    pub failed: u64,
    /// Dropped because they were too old or too many.
    pub dropped: u64,
    /// Still waiting.
    pub waiting: u64,
}

/// The phase of a sink's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    /// It accepts alerts.
    Open,
    /// It accepts no more alerts, and delivers the waiting ones.
    Closing,
    /// Another queue takes over the waiting alerts.
    Stop,
}

/// State that survives a change of settings.
struct Shared {
    name: String,
    store: Mutex<Store>,
    arrived: Notify,
    delivered: AtomicU64,
    failed: AtomicU64,
    dropped: AtomicU64,
    /// The number of waiting alerts, which can be read without waiting for a disk.
    waiting: AtomicU64,
    /// Incidents whose end was dropped; a sink that repeats firing alerts must forget them.
    over: Mutex<Vec<String>>,
}

/// A running sink.
pub(super) struct Queue {
    spec: SinkSpec,
    open: Open,
    sender: mpsc::Sender<Arc<Alert>>,
    shared: Arc<Shared>,
    phase: watch::Sender<Phase>,
    tasks: Tasks,
}

struct Tasks {
    intake: JoinHandle<()>,
    delivery: JoinHandle<()>,
}

/// The initial state of a queue.
pub(super) struct Start {
    spec: SinkSpec,
    sink: Box<dyn Sink>,
    open: Open,
    shared: Arc<Shared>,
    before: Option<Tasks>,
}

impl Start {
    pub(super) fn new(
        name: String,
        spec: SinkSpec,
        sink: Box<dyn Sink>,
        open: Open,
        store: Store,
    ) -> Self {
        let shared = Arc::new(Shared {
            name,
            waiting: AtomicU64::new(store.len() as u64),
            store: Mutex::new(store),
            arrived: Notify::new(),
            delivered: AtomicU64::new(0),
            failed: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            over: Mutex::default(),
        });
        Self { spec, sink, open, shared, before: None }
    }
}

impl Queue {
    pub(super) fn start(runtime: &Handle, start: Start) -> Self {
        let Start { spec, mut sink, open, shared, before } = start;
        open.alerts().iter().for_each(|alert| sink.is_open(alert));
        let (sender, receiver) = mpsc::channel(shared.lock().most());
        let (phase, phases) = watch::channel(Phase::Open);
        let (intake, delivery) = before
            .map_or((None, None), |Tasks { intake, delivery }| (Some(intake), Some(delivery)));
        let tasks = Tasks {
            intake: runtime.spawn(accept_alerts(receiver, shared.clone(), intake)),
            delivery: runtime.spawn(Delivery::new(sink, shared.clone(), phases).run(delivery)),
        };
        Self { spec, open, sender, shared, phase, tasks }
    }

    pub(super) fn name(&self) -> &str {
        &self.shared.name
    }

    pub(super) fn spec(&self) -> &SinkSpec {
        &self.spec
    }

    /// Queues an alert, without waiting for the network or a disk.
    pub(super) fn send(&self, alert: &Arc<Alert>) {
        let is_wanted = self.open.admits(self.spec.routing(), alert);
        if is_wanted && self.sender.try_send(alert.clone()).is_err() {
            self.shared.count_lost(1, "the queue is full: alerts are lost");
            if alert.status == Status::Resolved {
                self.shared.note_over([alert.key.clone()]);
            }
        }
    }

    pub(super) fn counters(&self) -> SinkCounters {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        let arriving = self.sender.max_capacity() - self.sender.capacity();
        SinkCounters {
            name: self.shared.name.clone(),
            delivered: read(&self.shared.delivered),
            failed: read(&self.shared.failed),
            dropped: read(&self.shared.dropped),
            waiting: read(&self.shared.waiting) + arriving as u64,
        }
    }

    /// Replaces the sink; the new one takes over the waiting alerts.
    pub(super) fn succeed(self, runtime: &Handle, spec: SinkSpec, sink: Box<dyn Sink>) -> Self {
        let Self { open, shared, phase, tasks, sender, .. } = self;
        drop(sender);
        phase.send_replace(Phase::Stop);
        Self::start(runtime, Start { spec, sink, open, shared, before: Some(tasks) })
    }

    /// Delivers waiting alerts for a limited time, and logs how many are left.
    pub(super) async fn leave(self, patience: Duration) {
        let Self { shared, phase, sender, tasks: Tasks { intake, mut delivery }, .. } = self;
        drop(sender);
        let end = Instant::now() + patience;
        let is_in = tokio::time::timeout_at(end, intake).await.is_ok();
        phase.send_replace(Phase::Closing);
        match tokio::time::timeout_at(end, &mut delivery).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::error!(sink = shared.name, %error, "the sink has failed"),
            Err(_) => delivery.abort(),
        }
        shared.log_undelivered(is_in).await;
    }
}

/// Moves alerts from the channel to the store, many at a time.
async fn accept_alerts(
    mut receiver: mpsc::Receiver<Arc<Alert>>,
    shared: Arc<Shared>,
    before: Option<JoinHandle<()>>,
) {
    if let Some(before) = before {
        // This is an error only after a panic; then there is nothing to wait for.
        let _ = before.await;
    }
    let mut batch = Vec::new();
    while receiver.recv_many(&mut batch, BATCH).await > 0 {
        let alerts = std::mem::take(&mut batch);
        let number = alerts.len();
        let dropped = shared.with_store(move |store| store.push(&alerts)).await.unwrap_or_default();
        shared.note_over(dropped.over);
        shared.count_lost(dropped.number, "too many alerts wait: the oldest are lost");
        tracing::debug!(sink = shared.name, alerts = number, "queued");
        shared.arrived.notify_one();
    }
}

impl Shared {
    fn lock(&self) -> std::sync::MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the store in another thread, where waiting for a disk delays nobody.
    async fn with_store<T: Send + 'static>(
        self: &Arc<Self>,
        work: impl FnOnce(&mut Store) -> T + Send + 'static,
    ) -> Option<T> {
        let shared = self.clone();
        let work = move || {
            let mut store = shared.lock();
            let done = work(&mut store);
            shared.waiting.store(store.len() as u64, Ordering::Relaxed);
            done
        };
        tokio::task::spawn_blocking(work).await.ok()
    }

    async fn front(self: &Arc<Self>) -> QueueHead {
        let mut front = self.with_store(Store::front).await.unwrap_or_default();
        self.note_over(std::mem::take(&mut front.over));
        self.count_lost(front.expired, "dropped alerts that waited for more than a day");
        front
    }

    /// Records incidents whose end the sink will never receive.
    fn note_over(&self, keys: impl IntoIterator<Item = String>) {
        let mut over = self.over.lock().unwrap_or_else(PoisonError::into_inner);
        over.extend(keys.into_iter().take(MOST_OVER));
        let excess = over.len().saturating_sub(MOST_OVER);
        over.drain(..excess);
    }

    fn take_over(&self) -> Vec<String> {
        std::mem::take(&mut *self.over.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn remove(self: &Arc<Self>, id: u64) {
        let _ = self.with_store(move |store| store.remove(id)).await;
    }

    /// Counts lost alerts, and logs them at growing distances.
    fn count_lost(&self, number: u64, why: &'static str) {
        if number == 0 {
            return;
        }
        let before = self.dropped.fetch_add(number, Ordering::Relaxed);
        let dropped = before + number;
        if before.checked_ilog2() != dropped.checked_ilog2() {
            tracing::warn!(sink = self.name, dropped, "{why}");
        }
    }

    async fn log_undelivered(self: &Arc<Self>, is_all_in: bool) {
        let look = |store: &mut Store| {
            store.reopen(store.len() > 0);
            (store.len(), store.is_spooled())
        };
        let left = self.with_store(look).await;
        let (waiting, is_spooled) = left.unwrap_or_default();
        let sink = &self.name;
        match (waiting, is_spooled) {
            (0, _) => {}
            (_, true) => {
                tracing::warn!(sink, waiting, "alerts wait in the spool for the next start")
            }
            (_, false) => {
                tracing::warn!(
                    sink,
                    lost = waiting,
                    "the sink did not finish in time: alerts are lost"
                );
            }
        }
        if !is_all_in {
            tracing::warn!(sink, "the disk was too slow: the newest alerts are lost");
        }
    }
}

/// The task that delivers alerts.
struct Delivery {
    sink: Box<dyn Sink>,
    shared: Arc<Shared>,
    phases: watch::Receiver<Phase>,
    /// The number of failures in a row.
    failures: u32,
    remind_at: Instant,
    /// The number of failures in a row to repeat firing alerts.
    remind_failures: u32,
    /// The time before which the receiver wants no more messages.
    not_before: Instant,
}

impl Delivery {
    fn new(sink: Box<dyn Sink>, shared: Arc<Shared>, phases: watch::Receiver<Phase>) -> Self {
        let now = Instant::now();
        Self {
            sink,
            shared,
            phases,
            failures: 0,
            remind_at: now,
            remind_failures: 0,
            not_before: now,
        }
    }

    async fn run(mut self, before: Option<JoinHandle<()>>) {
        if let Some(mut before) = before
            && tokio::time::timeout(SUCCESSION, &mut before).await.is_err()
        {
            before.abort();
        }
        while self.phase() != Phase::Stop {
            self.remind().await;
            // Checked before the store: a closed sink gets no more alerts.
            let phase = self.phase();
            let QueueHead { entry, ended, .. } = self.shared.front().await;
            match entry {
                Some(entry) => {
                    if let Some(ended) = ended {
                        self.sink.is_ending(&entry.alert.key, &ended);
                    }
                    if !self.deliver(&entry).await {
                        return;
                    }
                }
                None if phase == Phase::Open => self.wait().await,
                None => return,
            }
        }
    }

    fn phase(&self) -> Phase {
        *self.phases.borrow()
    }

    /// Repeats firing alerts, if this is due. Incidents that have ended are left out: their end is waiting,
    /// or was dropped.
    async fn remind(&mut self) {
        let Some(every) = self.sink.reminds_every() else { return };
        let now = Instant::now();
        if now < self.remind_at.max(self.not_before) || self.phase() != Phase::Open {
            return;
        }
        let ends = self.shared.with_store(|store| store.ends()).await.unwrap_or_default();
        ends.iter().for_each(|(key, time)| self.sink.is_ending(key, time));
        self.shared.take_over().iter().for_each(|key| self.sink.forget(key));
        let attempt = self.sink.remind().await;
        tracing::debug!(sink = self.shared.name, error = attempt.problem(), "sent again");
        let pause = match attempt {
            Attempt::Later { after, .. } => {
                self.remind_failures = self.remind_failures.saturating_add(1);
                self.note_asked(after);
                every.max(pause(self.remind_failures, after))
            }
            Attempt::Delivered(_) | Attempt::Never(_) => {
                self.remind_failures = 0;
                every
            }
        };
        self.remind_at = Instant::now() + pause;
    }

    /// Remembers a delay that the receiver asked for. It applies to everything that is sent there.
    fn note_asked(&mut self, asked: Option<Duration>) {
        let asked = asked.unwrap_or_default().min(LONGEST_ASKED);
        self.not_before = self.not_before.max(Instant::now() + asked);
    }

    /// Waits until there is something to do.
    async fn wait(&mut self) {
        let reminds = self.sink.reminds_every().is_some();
        tokio::select! {
            () = self.shared.arrived.notified() => {}
            _ = self.phases.changed() => {}
            () = tokio::time::sleep_until(self.remind_at.max(self.not_before)), if reminds => {}
        }
    }

    /// Delivers an alert; returns whether to continue.
    async fn deliver(&mut self, entry: &Entry) -> bool {
        let Entry { id, alert, .. } = entry;
        if !self.sleep_until(self.not_before).await {
            return false;
        }
        let (sink, key) = (self.shared.name.clone(), alert.key.as_str());
        match self.sink.attempt(alert).await {
            Attempt::Delivered(answer) => {
                tracing::debug!(sink, key, answer, "delivered");
                if self.failures > 0 {
                    tracing::info!(sink, failures = self.failures, "the sink delivers again");
                }
                self.settle(*id, |shared| &shared.delivered).await;
            }
            Attempt::Never(error) => {
                let (error, status) = (format!("{error:#}"), alert.status.as_str());
                tracing::error!(sink, key, status, error, "an alert could not be delivered");
                self.settle(*id, |shared| &shared.failed).await;
            }
            Attempt::Later { after, error } => {
                let error = descriptors::explained(&error);
                if self.failures == 0 {
                    tracing::warn!(
                        sink,
                        key,
                        error,
                        "the sink failed to deliver an alert, which is tried again"
                    );
                } else {
                    tracing::debug!(sink, key, error, failures = self.failures, "failed again");
                }
                self.failures = self.failures.saturating_add(1);
                return self.pause(after).await;
            }
        }
        true
    }

    async fn settle(&mut self, id: u64, counter: impl FnOnce(&Shared) -> &AtomicU64) {
        self.failures = 0;
        counter(&self.shared).fetch_add(1, Ordering::Relaxed);
        self.shared.remove(id).await;
    }

    /// Waits before the next attempt; returns whether there will be one.
    async fn pause(&mut self, asked: Option<Duration>) -> bool {
        self.note_asked(asked);
        let until = self.not_before.max(Instant::now() + pause(self.failures, asked));
        self.sleep_until(until).await
    }

    /// Waits until then; returns false if the queue ends first.
    async fn sleep_until(&mut self, until: Instant) -> bool {
        while Instant::now() < until {
            if self.is_over() {
                return false;
            }
            tokio::select! {
                () = tokio::time::sleep_until(until) => {}
                changed = self.phases.changed() => {
                    if changed.is_err() {
                        return false;
                    }
                }
            }
        }
        true
    }

    /// Whether delivery may stop. With a spool, waiting alerts can stay in it.
    fn is_over(&self) -> bool {
        match self.phase() {
            Phase::Open => false,
            Phase::Closing => self.shared.lock().is_spooled(),
            Phase::Stop => true,
        }
    }
}

/// The delay after this number of failures. It doubles with each failure and has a random part, so that
/// agents do not all retry at once. It is never shorter than the receiver asked for.
fn pause(failures: u32, asked: Option<Duration>) -> Duration {
    let chance = fastrand::f64();
    let doubled = FIRST_PAUSE.saturating_mul(1 << failures.saturating_sub(1).min(10));
    let own = doubled.min(LONGEST_PAUSE).mul_f64(0.75 + chance / 2.0);
    let asked = asked.map(|asked| asked.min(LONGEST_ASKED) + FIRST_PAUSE.mul_f64(chance / 10.0));
    own.max(asked.unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_up_to_a_bound_and_are_never_shorter_than_asked() {
        for (failures, least, most) in [(1, 750, 1250), (3, 3000, 5000), (99, 45_000, 75_000)] {
            let pause = pause(failures, None).as_millis();
            assert!((least..=most).contains(&pause), "{failures}: {pause}");
        }
        for short in [Duration::ZERO, Duration::from_millis(500)] {
            assert!(pause(3, Some(short)) >= Duration::from_secs(3), "{short:?}");
        }
        let asked = pause(1, Some(Duration::from_secs(7)));
        assert!(asked >= Duration::from_secs(7) && asked < Duration::from_secs(8));
        assert!(pause(1, Some(Duration::MAX)) <= LONGEST_ASKED + FIRST_PAUSE);
    }
}
