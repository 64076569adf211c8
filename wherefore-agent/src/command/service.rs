//! The agent as a service: notifications to the service manager that started it (sd_notify(3)), and settings
//! of the process that a service needs. Owns the text of the status. Without a service manager, nothing
//! happens.

use std::time::Duration;

use nix::sys::resource::{Resource, setrlimit};
use sd_notify::NotifyState;

use crate::input::requests::Pulse;
use crate::text::{Bytes, grouped};
use crate::traffic::interval::{Interval, Totals};

/// The watchdog is notified this many times within the time after which the manager considers the agent hung.
const BEATS: u32 = 3;

/// Reports that the agent counts, also after a reload.
pub(super) fn ready(how: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(how)]);
}

/// Reports that the agent reads its configuration again; [`ready`] ends this state.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

/// Reports that the agent is ending.
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// Reports the last interval in one line, for `systemctl status`.
pub(super) fn status(interval: &Interval, open_incidents: usize) {
    if std::env::var_os("NOTIFY_SOCKET").is_none() {
        return;
    }
    let mut totals = Box::new(Totals::default());
    totals.add(interval);
    let seconds = (interval.end_ns - interval.start_ns).max(1) as f64 / 1e9;
    let text = format!(
        "{} flows, {}/s; {open_incidents} open incidents",
        grouped(interval.flows.len() as u64),
        Bytes(totals.bytes as f64 / seconds),
    );
    notify(&[NotifyState::Status(&text)]);
}

/// If the manager watches the agent (`WatchdogSec=`), the loop that reads the counters must call the result,
/// so that the manager ends an agent that hangs.
pub(super) fn watchdog() -> Option<Pulse> {
    let patience = sd_notify::watchdog_enabled()?;
    tracing::debug!(?patience, "the service manager watches this process");
    let every = (patience / BEATS).max(Duration::from_millis(1));
    Some(Pulse { every, beat: || notify(&[NotifyState::Watchdog]) })
}

/// Disables core files, because the memory of this process contains secrets and foreign data.
pub(super) fn keep_no_core() {
    if let Err(error) = setrlimit(Resource::RLIMIT_CORE, 0, 0) {
        tracing::warn!(%error, "cannot disable core files: a crash may write one");
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "cannot notify the service manager");
    }
}
