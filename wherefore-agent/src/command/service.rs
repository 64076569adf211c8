//! The agent as a service: notifications to the service manager that started it (sd_notify(3)), and its requests
//! to the system as a service. Owns the words of the status; without a manager that listens, nothing
//! happens.

use std::time::Duration;

use nix::sys::resource::{Resource, setrlimit};
use sd_notify::NotifyState;

use crate::input::requests::Pulse;
use crate::text::{Bytes, grouped};
use crate::traffic::interval::{Interval, Totals};

/// The watchdog is fed this many times within the time after which the manager takes the agent for hung.
const BEATS: u32 = 3;

/// Counting, or again after a reload.
pub(super) fn ready(how: &str) {
    notify(&[NotifyState::Ready, NotifyState::Status(how)]);
}

/// Reading the configuration again; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(now) => notify(&[NotifyState::Reloading, now]),
        Err(_) => notify(&[NotifyState::Reloading]),
    }
}

/// On its way to the end.
pub(super) fn stopping() {
    notify(&[NotifyState::Stopping]);
}

/// The last interval in a line, for `systemctl status`.
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

/// If the manager watches the agent (`WatchdogSec=`), the loop that reads the counters must call
/// this, so that the manager ends the agent when it hangs.
pub(super) fn watchdog() -> Option<Pulse> {
    let patience = sd_notify::watchdog_enabled()?;
    tracing::debug!(?patience, "the service manager watches this process");
    let every = (patience / BEATS).max(Duration::from_millis(1));
    Some(Pulse { every, beat: || notify(&[NotifyState::Watchdog]) })
}

/// Disables core files: the memory of this process contains secrets and foreign data.
pub(super) fn keep_no_core() {
    if let Err(error) = setrlimit(Resource::RLIMIT_CORE, 0, 0) {
        tracing::warn!(%error, "a crash may leave a core file");
    }
}

fn notify(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::debug!(%error, "the service manager did not get a message");
    }
}
