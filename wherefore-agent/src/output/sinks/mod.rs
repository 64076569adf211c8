//! Delivers alerts to services. Owns the sinks as a whole: they start, get alerts, change with the
//! configuration, and end. A slow sink never delays an interval: each has its own bounded queue, and alerts
//! that do not fit are counted and logged. Refuses to know any service; the files beside this one do.

mod age;
pub mod alertmanager;
pub mod command;
mod deferred;
pub mod email;
pub mod file;
pub(super) mod http;
pub mod journald;
pub(super) mod masks;
mod matcher;
pub mod opsgenie;
pub mod pagerduty;
mod passing;
mod queue;
mod routing;
mod runtime;
mod sample;
pub mod settings;
mod sink;
pub mod slack;
mod spec;
mod spool;
pub mod syslog;
mod template;
mod trial;
pub mod webhook;
mod wording;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Error, Result, bail};
use tokio::runtime::Runtime;
use tokio::task::JoinHandle;

use self::deferred::DeferredSink;
pub use self::queue::SinkCounters;
use self::queue::{Queue, Start};
use self::routing::Open;
use self::runtime::runtime;
#[cfg(test)]
pub(crate) use self::sample::sample;
pub use self::sink::{Attempt, AttemptFuture, Sink};
pub use self::spec::{SinkSpec, alike, names};
use self::spool::Store;
pub use self::trial::test;
use crate::descriptors;
use crate::message::alert::Alert;
use crate::usage::refuse;

/// How long the sinks may deliver when the agent ends.
const FAREWELL: Duration = Duration::from_secs(10);
/// How long a sink may deliver after it was removed from the configuration.
const DRAIN: Duration = Duration::from_secs(60);
/// After that, the agent waits a little longer for a write to disk that has begun.
const LAST_WRITE: Duration = Duration::from_secs(1);

/// Sinks that are open but not started. They are opened while the process has its privileges.
pub struct Opened {
    sinks: Vec<(OpenSink, Store)>,
    spool: Option<PathBuf>,
}

/// The result of preparing a reload.
pub struct Prepared {
    /// The names of sinks that do not change.
    kept: Vec<String>,
    changed: Vec<OpenSink>,
    added: Vec<(OpenSink, Store)>,
}

struct OpenSink {
    name: String,
    spec: SinkSpec,
    sink: Box<dyn Sink>,
}

/// Reads secrets and opens local files. With `spool`, waiting alerts survive the agent. Sends nothing. If a
/// sink or a spool cannot be opened for an outside reason, this is tried again later.
///
/// # Errors
/// If the options of sinks are wrong (all errors at once), or if another agent uses the spool.
pub fn open(specs: &[SinkSpec], spool: Option<&Path>) -> Result<Opened> {
    let Tried { mut sinks, problems, later } = try_all(named(specs)?);
    refuse(&problems)?;
    for (name, spec, error) in later {
        tracing::error!(
            sink = name,
            error = descriptors::explained(&error),
            "cannot open the sink now: the agent tries again with each alert"
        );
        let sink = Box::new(DeferredSink::new(spec.clone()));
        sinks.push(OpenSink { name, spec, sink });
    }
    let sinks = sinks.into_iter().map(|sink| with_store(sink, spool));
    let sinks: Vec<_> = sinks.collect::<Result<_>>()?;
    if let Some(spool) = spool {
        let is_ours = |name: &str| sinks.iter().any(|(sink, _)| sink.name == name);
        spool::look_for_strays(spool, is_ours);
    }
    Ok(Opened { sinks, spool: spool.map(Path::to_owned) })
}

/// Checks sinks without opening files, which would create them. Returns the reasons why sinks cannot be
/// opened: unreadable secrets, invalid templates and certificates.
pub fn check(specs: &[SinkSpec]) -> Vec<String> {
    let (names, mut problems) = names(specs);
    for (name, spec) in names.into_iter().zip(specs) {
        if !matches!(spec, SinkSpec::File(_)) {
            problems.extend(spec.open().err().map(|error| format!("sink {name}: {error:#}")));
        }
    }
    problems
}

fn with_store(sink: OpenSink, spool: Option<&Path>) -> Result<(OpenSink, Store)> {
    let path = spool.map(|spool| spool.join(format!("{}.redb", sink.name)));
    let store = Store::open_or_retry(path.as_deref(), &sink.name);
    let store = store.with_context(|| format!("cannot keep alerts for sink {}", sink.name))?;
    Ok((sink, store))
}

fn named(specs: &[SinkSpec]) -> Result<Vec<(String, SinkSpec)>> {
    let (names, problems) = names(specs);
    refuse(&problems)?;
    for name in alike(specs) {
        tracing::warn!(
            name,
            "sinks without names differ in secrets at most: their order tells them apart, and what \
             waits for one may go to another; name them"
        );
    }
    Ok(names.into_iter().zip(specs.iter().cloned()).collect())
}

/// The result of trying to open sinks.
#[derive(Default)]
struct Tried {
    sinks: Vec<OpenSink>,
    /// The errors in the options.
    problems: Vec<String>,
    /// Sinks that may be opened later.
    later: Vec<(String, SinkSpec, Error)>,
}

fn try_all(named: Vec<(String, SinkSpec)>) -> Tried {
    let mut tried = Tried::default();
    for (name, spec) in named {
        match spec.open() {
            Ok(sink) => tried.sinks.push(OpenSink { name, spec, sink }),
            Err(error) if passing::may_pass(&error) => tried.later.push((name, spec, error)),
            Err(error) => tried.problems.push(format!("sink {name}: {error:#}")),
        }
    }
    tried
}

/// Opens all of them, or none.
fn open_all(named: Vec<(String, SinkSpec)>) -> Result<Vec<OpenSink>> {
    let Tried { sinks, problems, later } = try_all(named);
    refuse(&problems)?;
    let later = later
        .iter()
        .map(|(name, _, error)| format!("sink {name}: {}", descriptors::explained(error)));
    let later: Vec<_> = later.collect();
    if later.is_empty() { Ok(sinks) } else { bail!(later.join("\n")) }
}

/// All sinks, each with its queue and tasks.
pub struct Sinks {
    runtime: Runtime,
    queues: Vec<Queue>,
    spool: Option<PathBuf>,
    /// Sinks that are no longer configured and still have alerts to deliver.
    leaving: Vec<JoinHandle<()>>,
}

fn begin(runtime: &Runtime, new: OpenSink, store: Store, still_open: &[Arc<Alert>]) -> Queue {
    let OpenSink { name, spec, sink } = new;
    let open = Open::new(spec.routing(), still_open);
    Queue::start(runtime.handle(), Start::new(name, spec, sink, open, store))
}

impl Sinks {
    /// Starts the tasks of each sink. Alerts in the spool are sent first. `still_open` are the newest
    /// messages about incidents that were reported by an earlier run and are not over.
    ///
    /// # Errors
    /// If no thread can be started.
    pub fn start(opened: Opened, still_open: &[Arc<Alert>]) -> Result<Self> {
        let Opened { sinks, spool } = opened;
        let runtime = runtime()?;
        let begin = |(sink, store)| begin(&runtime, sink, store, still_open);
        let queues = sinks.into_iter().map(begin).collect();
        Ok(Self { runtime, queues, spool, leaving: Vec::new() })
    }

    /// Queues an alert for every sink whose routing admits it, without waiting.
    pub fn send(&self, alert: &Arc<Alert>) {
        self.queues.iter().for_each(|queue| queue.send(alert));
    }

    /// What became of the alerts of each sink.
    pub fn counters(&self) -> Vec<SinkCounters> {
        self.queues.iter().map(Queue::counters).collect()
    }

    /// Changes the sinks. Those with unchanged settings are not affected. Alerts that wait for a changed sink
    /// are delivered with its new settings. A removed sink delivers its waiting alerts for a limited time.
    ///
    /// # Errors
    /// If a sink cannot be opened: then nothing changes.
    pub fn reload(&mut self, specs: &[SinkSpec]) -> Result<()> {
        let prepared = self.prepare(specs)?;
        self.commit(prepared);
        Ok(())
    }

    /// The part of a reload that can fail. It changes nothing that cannot be undone.
    ///
    /// # Errors
    /// If a sink can't be opened.
    pub fn prepare(&self, specs: &[SinkSpec]) -> Result<Prepared> {
        let same = |name: &str, spec: &SinkSpec| {
            self.queues.iter().any(|queue| queue.name() == name && queue.spec() == spec)
        };
        let (kept, new): (Vec<_>, Vec<_>) =
            named(specs)?.into_iter().partition(|(name, spec)| same(name, spec));
        let (changed, added): (Vec<_>, Vec<_>) = open_all(new)?
            .into_iter()
            .partition(|new| self.queues.iter().any(|queue| queue.name() == new.name));
        let added = added.into_iter().map(|new| with_store(new, self.spool.as_deref()));
        let added = added.collect::<Result<Vec<_>>>()?;
        let kept = kept.into_iter().map(|(name, _)| name).collect();
        Ok(Prepared { kept, changed, added })
    }

    /// The rest of a reload, which cannot fail.
    pub fn commit(&mut self, prepared: Prepared) {
        let Prepared { kept, changed, added } = prepared;
        let added = added.into_iter();
        let mut queues: Vec<Queue> =
            added.map(|(new, store)| begin(&self.runtime, new, store, &[])).collect();
        let mut old = std::mem::take(&mut self.queues);
        let mut take = |name: &str| {
            let at = old.iter().position(|queue| queue.name() == name)?;
            Some(old.swap_remove(at))
        };
        for new in changed {
            if let Some(before) = take(&new.name) {
                queues.push(before.succeed(self.runtime.handle(), new.spec, new.sink));
            }
        }
        queues.extend(kept.iter().filter_map(|name| take(name)));
        self.queues = queues;
        for gone in old {
            self.leaving.push(self.runtime.spawn(gone.leave(DRAIN)));
        }
        self.leaving.retain(|leaving| !leaving.is_finished());
    }

    /// Delivers queued alerts for a limited time. Those that are left stay in the spool, or are lost without
    /// one.
    pub fn finish(self) {
        let Self { runtime, queues, leaving, .. } = self;
        runtime.block_on(async {
            let mut tasks = tokio::task::JoinSet::new();
            queues.into_iter().for_each(|queue| drop(tasks.spawn(queue.leave(FAREWELL))));
            tasks.join_all().await;
        });
        leaving.iter().for_each(JoinHandle::abort);
        runtime.shutdown_timeout(LAST_WRITE);
    }
}
