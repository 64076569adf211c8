//! A replay for the live view: it pauses, continues, changes speed, and restarts in order to go back. Owns
//! the time of the replay; the same capture gives the same pictures.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

use crate::attribute::{Directory, grouping};
use crate::input::Source;
use crate::input::readings::parts_of;
use crate::input::replay::ReplaySource;
use crate::input::requests::{Requests, requests};
use crate::message::{AlertContext, Alerting};
use crate::options::cli::TopArgs;
use crate::options::{self, EngineSettings, REPLAY_MAX_GROUPS};
use crate::output::known_names::KnownNames;
use crate::output::reading::{Hello, Judged, Reading, ReplayStatus, ViewMessage};
use crate::output::terminal::keys::ReplayCommand;
use crate::output::terminal::model::{HISTORY, Model};
use crate::output::terminal::{Controls, Feed, View};
use crate::traffic::interval::Interval;
use crate::traffic::sum::Sum;

/// A gap without traffic takes at most this long.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// The user's commands to the replay.
#[derive(Debug, Default)]
struct ReplayControls {
    status: ReplayStatus,
    steps: u32,
    /// Show readings before this time without waiting, in nanoseconds since 1970.
    until_ns: Option<i64>,
    /// Whether to restart, in order to go back.
    must_restart: bool,
    must_stop: bool,
    /// The current time of the replay.
    now_ns: i64,
}

#[derive(Debug, Clone, Default)]
struct Pace(Arc<(Mutex<ReplayControls>, Condvar)>);

/// Replays until the user ends the view.
///
/// # Errors
/// If options are wrong, a file can't be read, or the terminal no longer exists.
pub(super) fn replay(mut args: TopArgs) -> Result<()> {
    args.run.common.refuse_owners("a capture file")?;
    let settings = EngineSettings::new(&args.run.common, REPLAY_MAX_GROUPS)?;
    let interval = args.run.common.transfer_interval;
    let parts = parts_of(interval);
    args.run.common.transfer_interval = interval / parts;
    // Open files before taking over the terminal, so that errors stay visible.
    let mut source = Some(open(&args)?);
    let (feed, pace) = (Feed::default(), Pace::default());
    pace.lock().status.speed = args.speed;
    feed.push(ViewMessage::Hello(Box::new(Hello {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        host: args.run.common.host(),
        source: source.as_ref().map(Source::describe).unwrap_or_default(),
        interval_seconds: interval.as_secs_f64(),
    })));
    feed.push(ViewMessage::Replay(pace.lock().status));
    let view = View::start(feed.clone(), Model::default(), Box::new(pace.clone()))?;
    let (_requester, requests) = requests(None);
    let mut directory = Directory::open(&args.run.common.places.replay())?;
    while !pace.lock().must_stop {
        let source = match source.take() {
            Some(source) => source,
            None => open(&args)?,
        };
        let alerting =
            Alerting::new(settings.clone(), options::message_settings(&args.run.common))?;
        let host = args.run.common.host();
        let (sum, interval_ns) = (Sum::default(), i64::try_from(interval.as_nanos())?);
        let (feed, pace, directory, names) = (&feed, &pace, &mut directory, KnownNames::default());
        let player = Player {
            source,
            alerting,
            host,
            parts,
            interval_ns,
            began_ns: 0,
            sum,
            directory,
            names,
            feed,
            pace,
        };
        player.play(&requests)?;
        pace.wait_at_the_end(feed);
    }
    view.wait().context("cannot draw on the terminal")
}

fn open(args: &TopArgs) -> Result<ReplaySource> {
    ReplaySource::open(&args.replay, &args.run.common.replay(args.reorder, false), None)
}

/// One pass through the capture files.
struct Player<'a> {
    source: ReplaySource,
    alerting: Alerting,
    host: String,
    /// The number of readings in an interval.
    parts: u32,
    interval_ns: i64,
    /// When the first interval began.
    began_ns: i64,
    sum: Sum,
    directory: &'a mut Directory,
    names: KnownNames,
    feed: &'a Feed,
    pace: &'a Pace,
}

impl Player<'_> {
    fn play(mut self, requests: &Requests) -> Result<()> {
        let mut last: Option<(i64, i64)> = None;
        while let Some(reading) = self.source.next(requests)? {
            let parts = i64::from(self.parts);
            let (index, whole) = (reading.index, reading.index.div_euclid(parts));
            self.began_ns = reading.start_ns - index * (reading.end_ns - reading.start_ns);
            if last.is_some_and(|(_, before)| before != whole) {
                self.judge(last.map_or(0, |(_, before)| before));
            }
            if let Some((before, _)) = last {
                self.show_silence(index - before - 1, &reading);
            }
            last = Some((index, whole));
            if !self.pace.wait_for(&reading) {
                return Ok(());
            }
            self.show(&reading);
        }
        self.judge(last.map_or(0, |(_, whole)| whole));
        Ok(())
    }

    fn show(&mut self, reading: &Interval) {
        self.sum.add(reading);
        self.feed.wait_for_room();
        let source = &self.source;
        let name = |ifindex| source.interface_name(ifindex);
        let reading = Reading::of(reading, &name, self.directory.geo());
        self.feed.push(ViewMessage::Reading(Box::new(reading)));
    }

    /// Sends readings without traffic for gaps, so that plots keep their time scale.
    fn show_silence(&self, readings: i64, next: &Interval) {
        let length = next.end_ns - next.start_ns;
        for back in (1..=readings.min(HISTORY as i64)).rev() {
            let (start_ns, end_ns) =
                (next.start_ns - back * length, next.start_ns - (back - 1) * length);
            self.feed.wait_for_room();
            let silence = Reading { start_ns, end_ns, ..Reading::default() };
            self.feed.push(ViewMessage::Reading(Box::new(silence)));
        }
    }

    fn judge(&mut self, index: i64) {
        let Some(interval) = self.sum.take() else { return };
        // Readings without traffic are missing at both ends of an interval.
        let start_ns = self.began_ns + index * self.interval_ns;
        let end_ns = start_ns + self.interval_ns;
        let mut interval = Interval { index, start_ns, end_ns, ..interval };
        let source = &self.source;
        let name = |ifindex| source.interface_name(ifindex);
        self.directory.learn(&interval);
        let directory = &*self.directory;
        grouping::assign(self.alerting.engine.group_by(), &mut interval, directory);
        let names = self.names.new_ones(&interval, directory);
        self.feed.push(ViewMessage::Names(names));
        let context = AlertContext { host: &self.host, interface_name: &name, directory };
        let outcome = self.alerting.step(&interval, &context);
        self.feed.push(ViewMessage::Judged(Box::new(Judged::of(&outcome, &interval))));
    }
}

impl Pace {
    fn lock(&self) -> MutexGuard<'_, ReplayControls> {
        self.0.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until this reading is due; returns whether it should be shown.
    fn wait_for(&self, reading: &Interval) -> bool {
        let mut controls = self.lock();
        let began = Instant::now();
        let passed_ns = reading.end_ns.saturating_sub(controls.now_ns).max(0) as u64;
        let is_first = controls.now_ns == 0;
        loop {
            if controls.must_stop || controls.must_restart {
                return false;
            }
            if controls.steps > 0 {
                controls.steps -= 1;
                break;
            }
            let is_sought = controls.until_ns.is_some_and(|until| reading.end_ns <= until);
            if is_sought || is_first {
                break;
            }
            controls.until_ns = None;
            let wait = Duration::from_nanos(passed_ns).div_f64(controls.status.speed.max(0.01));
            let left = wait.min(LONGEST_WAIT).saturating_sub(began.elapsed());
            if left.is_zero() && !controls.status.is_paused {
                break;
            }
            let left = if controls.status.is_paused { LONGEST_WAIT } else { left };
            let waited = self.0.1.wait_timeout(controls, left);
            controls = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        controls.now_ns = reading.end_ns;
        true
    }

    /// Waits until the user goes back or ends the view.
    fn wait_at_the_end(&self, feed: &Feed) {
        let mut controls = self.lock();
        controls.status.is_over = !controls.must_restart;
        feed.push(ViewMessage::Replay(controls.status));
        while !controls.must_stop && !controls.must_restart {
            controls = self.0.1.wait(controls).unwrap_or_else(PoisonError::into_inner);
        }
        (controls.must_restart, controls.status.is_over, controls.now_ns) = (false, false, 0);
        feed.push(ViewMessage::Restart);
        feed.push(ViewMessage::Replay(controls.status));
    }
}

impl Controls for Pace {
    fn stop(&self) {
        self.lock().must_stop = true;
        self.0.1.notify_all();
    }

    fn replay(&self, command: ReplayCommand) -> Option<ReplayStatus> {
        let mut controls = self.lock();
        match command {
            ReplayCommand::Pause => controls.status.is_paused = !controls.status.is_paused,
            ReplayCommand::Step => {
                controls.status.is_paused = true;
                controls.steps += 1;
            }
            ReplayCommand::Faster(is_faster) => {
                let factor = if is_faster { 2.0 } else { 0.5 };
                controls.status.speed = (controls.status.speed * factor).clamp(0.01, 10_000.0);
            }
            ReplayCommand::Seek(seconds) => {
                let to = controls.now_ns.saturating_add(seconds * 1_000_000_000);
                controls.must_restart |= seconds < 0;
                controls.until_ns = Some(to);
            }
        }
        let status = controls.status;
        drop(controls);
        self.0.1.notify_all();
        Some(status)
    }
}
