//! Capture files as a source: intervals by the times in the files, at full speed. Owns capture time,
//! including packets out of order; refuses clocks, so that the same files give the same intervals every time.

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, Result};
use indicatif::{ProgressBar, ProgressStyle};
use wherefore_common::LinkType;

use super::capture_file::{CaptureFile, ReadError, Record, Unpacked, name_of};
use super::frame::CapturedFrame;
use super::frames::FrameCounter;
use super::link_names;
use super::recorder::SharedRecorder;
use super::requests::Requests;
use super::source::Source;
use crate::input::filter::{self, Filter};
use crate::traffic::interval::{Interval, Table};

/// The number of records between two checks of the stop signal and the progress bar.
const RECORDS_BETWEEN_LOOKS: u32 = 1024;

/// The name for the interfaces of a capture.
pub(super) const INTERFACE: &str = "capture";

/// A file to read: by its name, or already open, because a pipe can be opened only once.
pub(crate) struct InputFile {
    /// Its name.
    pub(crate) path: PathBuf,
    pub(crate) open: Option<Unpacked>,
}

/// How captures are read.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which packets are watched.
    pub filter: filter::Settings,
    /// Length of an interval.
    pub interval: Duration,
    /// The most flows in an interval, if set.
    pub max_flows: Option<u32>,
    /// The number of intervals with packets that stay open for late packets.
    pub reorder: u32,
    /// Whether progress is shown.
    pub shows_progress: bool,
}

/// Reads capture files one after the other.
pub struct ReplaySource {
    files: VecDeque<InputFile>,
    file: Option<CaptureFile>,
    /// The error of the first file that was skipped, until another file can be read.
    passed_over: Option<ReadError>,
    has_read: bool,
    /// The link type of the last packet, and the unsupported ones in this file.
    link_type: u16,
    unread_links: Vec<u16>,
    counter: FrameCounter,
    /// Whether the filter was checked with the first record's link type. If it has no meaning for later link
    /// types, this is only logged.
    is_checked: bool,
    clock: CaptureClock,
    open: BTreeMap<i64, OpenInterval>,
    records_since_look: u32,
    /// The reason why the files ended early; returned after all intervals before it.
    failure: Option<anyhow::Error>,
    progress: ProgressBar,
    warnings: Vec<String>,
    description: String,
}

/// Capture time, divided into intervals from the first packet on.
struct CaptureClock {
    interval_ns: i64,
    /// Intervals with packets that stay open.
    reorder: usize,
    first_ns: Option<i64>,
    /// The last interval that was returned. Packets from before its end are late.
    closed: Option<i64>,
    /// The interval of the last packet, with its range of times: the next packet is likely in it too.
    last: (i64, Range<i64>),
}

struct OpenInterval {
    table: Table,
    late_packets: u64,
}

impl ReplaySource {
    /// Opens the first file, so that an unreadable one is refused at once.
    ///
    /// # Errors
    /// If that file can't be opened or is no capture.
    pub fn open(
        files: &[PathBuf],
        settings: &Settings,
        recorder: Option<SharedRecorder>,
    ) -> Result<Self> {
        let files = files.iter().cloned().map(InputFile::named).collect();
        Self::open_given(files, settings, recorder)
    }

    /// Likewise, for files of which some are already open.
    ///
    /// # Errors
    /// As [`ReplaySource::open`].
    pub(crate) fn open_given(
        files: Vec<InputFile>,
        settings: &Settings,
        recorder: Option<SharedRecorder>,
    ) -> Result<Self> {
        let Settings { filter, interval, max_flows, reorder, shows_progress } = settings;
        let interval_ns = nanoseconds(*interval);
        let mut source = Self {
            description: describe(&files),
            files: files.into(),
            file: None,
            passed_over: None,
            has_read: false,
            link_type: LinkType::ETHERNET.0,
            unread_links: Vec::new(),
            counter: FrameCounter::new(Filter::new(filter)?, *max_flows).recording(recorder),
            is_checked: false,
            clock: CaptureClock {
                interval_ns,
                reorder: *reorder as usize,
                first_ns: None,
                closed: None,
                last: (0, 0..0),
            },
            open: BTreeMap::new(),
            records_since_look: 0,
            failure: None,
            progress: if *shows_progress { progress_bar() } else { ProgressBar::hidden() },
            warnings: Vec::new(),
        };
        // It is better to find an error in the last name now than after hours.
        source.files.iter().try_for_each(InputFile::check)?;
        while source.file.is_none() && source.next_file()? {}
        Ok(source)
    }

    /// Moves to the next file; false after the last.
    fn next_file(&mut self) -> Result<bool> {
        self.file = None;
        let Some(given) = self.files.pop_front() else {
            let nothing = self.passed_over.take().filter(|_| !self.has_read);
            return nothing.map_or(Ok(false), |error| Err(error).context("cannot replay"));
        };
        self.unread_links.clear();
        match given.open() {
            Ok(mut file) => {
                self.warnings.extend(file.take_warnings());
                (self.file, self.has_read) = (Some(file), true);
            }
            // A file that is cut within its header has nothing to count; this is damage, not a wrong file.
            Err(error @ ReadError::Damaged { .. }) => {
                self.warnings.push(error.to_string());
                self.has_read = true;
            }
            Err(error @ ReadError::TooShort { .. }) => self.pass_over(error),
            Err(error) => {
                return Err(error).context("cannot replay");
            }
        }
        let size = self.file.as_ref().and_then(CaptureFile::size);
        self.progress.set_length(size.unwrap_or(0));
        Ok(true)
    }

    /// Skips an empty file, which a rotation may leave behind.
    fn pass_over(&mut self, error: ReadError) {
        if self.has_read || !self.files.is_empty() || self.passed_over.is_some() {
            self.warnings.push(error.to_string());
        }
        self.passed_over.get_or_insert(error);
    }

    /// Logs once for each file and link type that its packets are not supported.
    #[cold]
    fn note_link(&mut self, link_type: u16) {
        self.link_type = link_type;
        if LinkType(link_type).is_supported() || self.unread_links.contains(&link_type) {
            return;
        }
        self.unread_links.push(link_type);
        let name = self.file.as_ref().map_or_else(String::new, |file| file.name().to_owned());
        self.warnings.push(format!(
            "{name}: packets of link type {} count as non-IP, as it is not read; read are {}: \
             capture on another interface, or convert the file",
            link_names::describe(link_type),
            link_names::READ
        ));
    }

    /// Reads until an interval is over, the files end, or it is time to stop; returns false at the end.
    fn read(&mut self, requests: &Requests) -> Result<bool> {
        loop {
            let Some(file) = &mut self.file else {
                match self.next_file() {
                    Ok(true) => continue,
                    Ok(false) => return Ok(false),
                    // Continue with the files after it.
                    Err(error) => {
                        self.failure.get_or_insert(error);
                        continue;
                    }
                }
            };
            let mut link_type = self.link_type;
            match file.next() {
                Ok(Some(record)) => {
                    if !self.is_checked {
                        self.counter.check(LinkType(record.link_type), record.is_swapped)?;
                        self.is_checked = true;
                    }
                    link_type = record.link_type;
                    count(&mut self.clock, &mut self.open, &self.counter, &record);
                }
                Ok(None) => {
                    self.warnings.extend(file.take_warnings());
                    self.file = None;
                }
                Err(error) => {
                    self.warnings.extend(file.take_warnings());
                    self.warnings.push(format!("{error}; what came before is counted"));
                    self.file = None;
                }
            }
            if link_type != self.link_type {
                self.note_link(link_type);
            }
            if self.clock.is_over(&self.open) {
                return Ok(true);
            }
            self.records_since_look += 1;
            if self.records_since_look >= RECORDS_BETWEEN_LOOKS && self.look(requests) {
                return Ok(false);
            }
        }
    }

    /// Shows the progress; returns whether it is time to stop.
    fn look(&mut self, requests: &Requests) -> bool {
        self.records_since_look = 0;
        if let Some(file) = &self.file {
            self.progress.set_position(file.position());
        }
        let is_over = requests.is_stop_requested();
        if is_over {
            self.warnings.push("stopped before the end of the capture".to_owned());
            self.files.clear();
            self.file = None;
        }
        is_over
    }

    fn close_oldest(&mut self) -> Option<Interval> {
        let (index, OpenInterval { mut table, late_packets }) = self.open.pop_first()?;
        self.clock.closed = Some(index);
        let answers = table.take_answers();
        let (flows, remainders) = table.into_counts();
        let start_ns = self.clock.start_of(index);
        let end_ns = start_ns.saturating_add(self.clock.interval_ns);
        Some(Interval {
            index,
            start_ns,
            end_ns,
            flows,
            remainders,
            answers,
            late_packets,
            ..Interval::default()
        })
    }
}

/// Adds a record to its interval, or to the oldest open one if its own is over.
fn count(
    clock: &mut CaptureClock,
    open: &mut BTreeMap<i64, OpenInterval>,
    counter: &FrameCounter,
    record: &Record<'_>,
) {
    let time_ns = record.time_ns.or(clock.first_ns).unwrap_or(0);
    let index = clock.index_of(time_ns);
    let is_late = clock.closed.is_some_and(|closed| index <= closed);
    let oldest_open = open.first_key_value().map(|(oldest, _)| *oldest);
    let index = if is_late { oldest_open.unwrap_or(index) } else { index };
    let interval = open
        .entry(index)
        .or_insert_with(|| OpenInterval { table: counter.table(), late_packets: 0 });
    interval.late_packets += u64::from(is_late);
    let frame = CapturedFrame {
        time_ns,
        link: LinkType(record.link_type),
        is_swapped: record.is_swapped,
        wire_len: record.wire_len,
        bytes: record.bytes,
        ifindex: 0,
    };
    counter.count(&mut interval.table, &frame);
}

impl CaptureClock {
    /// The index of the interval of a time; the first packet's is 0.
    fn index_of(&mut self, time_ns: i64) -> i64 {
        if self.last.1.contains(&time_ns) {
            return self.last.0;
        }
        let first = *self.first_ns.get_or_insert(time_ns);
        // Times may differ by up to 584 years, so that the difference needs more than 64 bits.
        let since = i128::from(time_ns) - i128::from(first);
        let index = since.div_euclid(i128::from(self.interval_ns)) as i64;
        let start = i128::from(first) + i128::from(index) * i128::from(self.interval_ns);
        if let Ok(start) = i64::try_from(start) {
            self.last = (index, start..start.saturating_add(self.interval_ns));
        }
        index
    }

    fn start_of(&self, index: i64) -> i64 {
        // As in `index_of`, both factors may be larger than their product.
        let since = i128::from(index) * i128::from(self.interval_ns);
        saturated(i128::from(self.first_ns.unwrap_or(0)) + since)
    }

    /// Whether more intervals are open than allowed.
    fn is_over(&self, open: &BTreeMap<i64, OpenInterval>) -> bool {
        open.len() > self.reorder
    }
}

impl Source for ReplaySource {
    fn next(&mut self, requests: &Requests) -> Result<Option<Interval>> {
        // Check here too: if packets are rare, each may end an interval.
        let is_over = self.file.is_some() && self.look(requests);
        let has_one = !is_over && self.clock.is_over(&self.open);
        if is_over || !has_one && !self.read(requests)? {
            self.progress.finish_and_clear();
        }
        match (self.close_oldest(), self.failure.take()) {
            (None, Some(error)) => Err(error),
            (interval, failure) => {
                self.failure = failure;
                Ok(interval)
            }
        }
    }

    fn describe(&self) -> String {
        self.description.clone()
    }

    fn interface_name(&self, _: u32) -> String {
        INTERFACE.to_owned()
    }

    fn warnings(&self) -> Vec<String> {
        self.warnings.clone()
    }
}

impl InputFile {
    /// A file that is still to be opened.
    pub(crate) fn named(path: PathBuf) -> Self {
        Self { path, open: None }
    }

    fn open(self) -> Result<CaptureFile, ReadError> {
        match self.open {
            Some(open) => CaptureFile::from_open(open, name_of(&self.path)),
            None => CaptureFile::open(&self.path),
        }
    }

    /// Checks whether it can be opened, as far as this is possible: opening and closing a pipe would look
    /// like the end to its writer.
    fn check(&self) -> Result<()> {
        if self.open.is_some() || self.path.as_os_str() == "-" {
            return Ok(());
        }
        let failed = || format!("cannot replay: cannot open {}", self.path.display());
        let is_file = std::fs::metadata(&self.path).with_context(failed)?.is_file();
        if is_file {
            std::fs::File::open(&self.path).with_context(failed)?;
        }
        Ok(())
    }
}

fn describe(files: &[InputFile]) -> String {
    let names: Vec<_> = files.iter().map(|file| file.path.display().to_string()).collect();
    format!("replay of {}", names.join(", "))
}

fn saturated(ns: i128) -> i64 {
    ns.clamp(i64::MIN.into(), i64::MAX.into()) as i64
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}

pub(crate) fn progress_bar() -> ProgressBar {
    let style =
        "{bar:30} {decimal_bytes} of {decimal_total_bytes}, {decimal_bytes_per_sec}, {eta} left";
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template(style) {
        bar.set_style(style);
    }
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_time_is_within_its_interval_however_far_from_the_first() {
        const LENGTH: i64 = 5_000_000_000;
        let mut clock = CaptureClock {
            interval_ns: LENGTH,
            reorder: 1,
            first_ns: None,
            closed: None,
            last: (0, 0..0),
        };
        for time in [i64::MIN, 0, 1_700_000_000_000_000_000, i64::MAX] {
            let index = clock.index_of(time);
            let since = i128::from(time) - i128::from(clock.start_of(index));
            assert!((0..i128::from(LENGTH)).contains(&since), "{time}: {since}");
        }
    }
}
