//! Requests that wake a source before its interval ends: a signal, or a change of interfaces. Owns the
//! channel from the requesters to the source.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

/// A request to a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Request {
    Stop,
    Reload,
    Links,
}

/// Why a source's wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The interval is over.
    IntervalEnd,
    /// The run is over.
    Stop,
    /// Interfaces appeared, disappeared or changed.
    Links,
    /// Settings must be read again. The run does this between two intervals; see [`Requests::take_reload`].
    Reload,
}

/// The end of the channel that sends requests, for other threads.
#[derive(Debug, Clone)]
pub struct Requester {
    sender: Sender<Request>,
    /// Whether a change of links is already in the channel, so that many changes make one request.
    links_asked: Arc<AtomicBool>,
}

/// The end of the channel that receives requests, for sources and the run.
#[derive(Debug)]
pub struct Requests {
    receiver: Receiver<Request>,
    links_asked: Arc<AtomicBool>,
    deadline: Option<Instant>,
    must_reload: Cell<bool>,
    pulse: Option<Pulse>,
}

/// A watchdog that must be notified regularly by the loop that waits here.
#[derive(Debug, Clone, Copy)]
pub struct Pulse {
    /// The longest time between two notifications.
    pub every: Duration,
    /// Notifies the watchdog. Must not block.
    pub beat: fn(),
}

/// Both ends of the channel. The run is over at the deadline, at a request to stop, or when no requester is
/// left.
pub fn requests(deadline: Option<Instant>) -> (Requester, Requests) {
    let (sender, receiver) = channel();
    let links_asked = Arc::new(AtomicBool::new(false));
    let requester = Requester { sender, links_asked: links_asked.clone() };
    let must_reload = Cell::new(false);
    (requester, Requests { receiver, links_asked, deadline, must_reload, pulse: None })
}

impl Requester {
    /// Requests a stop.
    pub fn stop(&self) {
        self.ask(Request::Stop);
    }

    /// Requests that the settings are read again.
    pub fn reload(&self) {
        self.ask(Request::Reload);
    }

    /// Requests a check of the interfaces.
    pub fn links_changed(&self) {
        if !self.links_asked.swap(true, Ordering::AcqRel) {
            self.ask(Request::Links);
        }
    }

    fn ask(&self, request: Request) {
        // If nobody listens any more, the request is not needed.
        let _ = self.sender.send(request);
    }
}

impl Requests {
    /// From now on, every wait notifies this watchdog: a loop that does not return here is considered hung.
    pub fn beat(&mut self, pulse: Option<Pulse>) {
        self.pulse = pulse;
    }

    /// Waits until `time`, or until a request arrives.
    pub fn wait_until(&self, time: Instant) -> Wake {
        loop {
            if let Some(pulse) = &self.pulse {
                (pulse.beat)();
            }
            let now = Instant::now();
            if now >= time && !self.is_over(now) {
                // However many requests arrive, the interval must end.
                return Wake::IntervalEnd;
            }
            let until = self.deadline.map_or(time, |deadline| deadline.min(time));
            let pause = until.saturating_duration_since(now);
            let longest = self.pulse.map_or(pause, |pulse| pause.min(pulse.every));
            match self.receiver.recv_timeout(longest) {
                Err(RecvTimeoutError::Timeout) if Instant::now() < until => {}
                Err(RecvTimeoutError::Timeout) if self.is_over(Instant::now()) => {
                    return Wake::Stop;
                }
                Err(RecvTimeoutError::Timeout) => return Wake::IntervalEnd,
                Err(RecvTimeoutError::Disconnected) => return Wake::Stop,
                Ok(request) => return self.woken_by(request),
            }
        }
    }

    fn woken_by(&self, request: Request) -> Wake {
        match request {
            Request::Stop => Wake::Stop,
            Request::Links => {
                // Cleared before the check, so that a change during the check is requested again.
                self.links_asked.store(false, Ordering::Release);
                Wake::Links
            }
            Request::Reload => {
                self.must_reload.set(true);
                Wake::Reload
            }
        }
    }

    /// Whether it is time to stop, without waiting.
    pub fn is_stop_requested(&self) -> bool {
        loop {
            match self.receiver.try_recv() {
                Ok(Request::Stop) | Err(TryRecvError::Disconnected) => return true,
                Ok(Request::Reload) => self.must_reload.set(true),
                Ok(Request::Links) => self.links_asked.store(false, Ordering::Release),
                Err(TryRecvError::Empty) => return self.is_over(Instant::now()),
            }
        }
    }

    /// Whether settings must be read again; true once for each request.
    pub fn take_reload(&self) -> bool {
        self.must_reload.take()
    }

    fn is_over(&self, now: Instant) -> bool {
        self.deadline.is_some_and(|deadline| now >= deadline)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_returns_the_reason_why_it_ended() {
        let (requester, requests) = requests(None);
        let later = || Instant::now() + Duration::from_secs(60);
        requester.links_changed();
        requester.links_changed();
        requester.reload();
        assert_eq!(requests.wait_until(Instant::now()), Wake::IntervalEnd);
        assert_eq!(requests.wait_until(later()), Wake::Links);
        assert_eq!(requests.wait_until(later()), Wake::Reload);
        assert_eq!((requests.take_reload(), requests.take_reload()), (true, false));
        requester.links_changed();
        assert!(!requests.is_stop_requested());
        requester.stop();
        assert_eq!(requests.wait_until(later()), Wake::Stop);
        drop(requester);
        assert_eq!(requests.wait_until(later()), Wake::Stop);
    }

    #[test]
    fn the_deadline_is_a_stop() {
        let (_requester, requests) = requests(Some(Instant::now()));
        assert_eq!(requests.wait_until(Instant::now() + Duration::from_secs(60)), Wake::Stop);
        assert!(requests.is_stop_requested());
    }

    #[test]
    fn a_wait_feeds_the_watchdog_and_keeps_its_length() {
        thread_local! {
            static BEATS: Cell<u32> = const { Cell::new(0) };
        }
        let (_requester, mut requests) = requests(None);
        let (start, long) = (Instant::now(), Duration::from_millis(200));
        let beat = || BEATS.set(BEATS.get() + 1);
        requests.beat(Some(Pulse { every: Duration::from_millis(10), beat }));
        assert_eq!(requests.wait_until(start + long), Wake::IntervalEnd);
        assert!(start.elapsed() >= long);
        // On a busy machine the watchdog is notified less often, but it is.
        assert!((2..=22).contains(&BEATS.get()), "{}", BEATS.get());
    }
}
