//! Output for other programs: flows, series and totals as JSON Lines. Owns the formats, which are stable.
//! Refuses to fail silently: a write error ends a replay; an agent counts the lines that it cannot write.

use std::fs::{File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use rustc_hash::FxHashMap;
use serde::Serialize;
use wherefore_common::{Counters, FlowKey};

use crate::attribute::grouping::Grouping;
use crate::attribute::{Directory, Ends};
use crate::files;
use crate::message::alert::{Alert, SCHEMA};
use crate::message::owner::OwnerRecord;
use crate::output::export::Exports;
use crate::output::flow_record::{FlowRecord, LiveFields};
use crate::output::lines::Output;
use crate::output::owners::OwnerFields;
use crate::output::pipe::Pipe;
use crate::output::steady::Steady;
use crate::text::rfc3339;
use crate::traffic::interval::{InterfaceReading, Interval, Totals};
use crate::traffic::who::Attributed;

/// A file, or standard output for `-`, to which one JSON object a line is written.
pub struct JsonLines {
    writer: BufWriter<Box<dyn Output>>,
    /// The file; `None` for standard output.
    file: Option<File>,
    path: PathBuf,
    name: String,
}

impl JsonLines {
    /// Opens a file for writing, without removing its content; see [`Self::empty`].
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn create(path: &Path) -> Result<Self> {
        Self::open(path, |path| {
            OpenOptions::new().write(true).create(true).truncate(false).open(path)
        })
    }

    /// Opens a file for appending: its content stays, and each write goes to its current end.
    ///
    /// # Errors
    /// If it cannot be created.
    pub fn append(path: &Path) -> Result<Self> {
        let mut lines = Self::open(path, |path| files::append(path, MODE))?;
        if lines.file.is_some() && files::ends_within_a_line(path) {
            // If the previous writer was killed, its last line may be incomplete: do not continue it.
            lines
                .writer
                .write_all(b"\n")
                .with_context(|| format!("cannot write to {}", lines.name))?;
        }
        Ok(lines)
    }

    fn open(path: &Path, open: impl FnOnce(&Path) -> io::Result<File>) -> Result<Self> {
        let path = path.to_owned();
        if path.as_os_str() == "-" {
            let writer = buffered(Box::new(io::stdout()));
            return Ok(Self { writer, file: None, path, name: "standard output".to_owned() });
        }
        let name = path.display().to_string();
        let failed = || format!("cannot create {name}");
        let file = open(&path).with_context(failed)?;
        let same = file.try_clone().with_context(failed)?;
        Ok(Self { writer: buffered(Box::new(same)), file: Some(file), path, name })
    }

    /// Opens the file that now has this path, if it is another one; returns whether it did. Pipes and devices
    /// are not reopened.
    ///
    /// # Errors
    /// If it cannot be opened: the old file then stays in use.
    pub fn reopen(&mut self) -> Result<bool> {
        let is_regular = |file: &File| file.metadata().is_ok_and(|metadata| metadata.is_file());
        if !self.file.as_ref().is_some_and(is_regular) {
            return Ok(false);
        }
        match self.path.metadata() {
            Ok(found) if !found.is_file() => bail!("{} is not a regular file any more", self.name),
            Ok(found) if Some(identity(&found)) == self.identity() => return Ok(false),
            Ok(_) | Err(_) => {}
        }
        let failed = || format!("cannot reopen {}", self.name);
        let file = files::append(&self.path, MODE).with_context(failed)?;
        let same = file.try_clone().with_context(failed)?;
        self.finish()?;
        let same = Box::new(Steady::new(self.name.clone(), same));
        (self.writer, self.file) = (buffered(same), Some(file));
        Ok(true)
    }

    /// The same output, but the agent does not wait for its reader, and a full disk does not end the run.
    pub fn without_waiting(self) -> Self {
        let Self { writer, file, path, name } = self;
        let (output, waiting) = writer.into_parts();
        let is_regular = |file: &&File| file.metadata().is_ok_and(|metadata| metadata.is_file());
        let regular = file.as_ref().filter(is_regular).and_then(|file| file.try_clone().ok());
        let output: Box<dyn Output> = match regular {
            Some(file) => Box::new(Steady::new(name.clone(), file)),
            None => Box::new(Pipe::new(name.clone(), output)),
        };
        let mut writer = buffered(output);
        // A write to this queue cannot fail.
        let _ = writer.write_all(&waiting.unwrap_or_default());
        Self { writer, file, path, name }
    }

    /// Truncates the file; does nothing to pipes and devices.
    ///
    /// # Errors
    /// If the file cannot be emptied.
    pub fn empty(&self) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        let failed = || format!("cannot empty {}", self.name);
        if file.metadata().with_context(failed)?.is_file() {
            file.set_len(0).with_context(failed)?;
        }
        Ok(())
    }

    /// Whether this output and `path` are the same file, under any name.
    pub fn is_file(&self, path: &Path) -> bool {
        // Compares the open file, whatever its name.
        let path = if path.as_os_str() == "-" { Path::new("/dev/stdin") } else { path };
        let ours = self.identity();
        ours.is_some() && ours == std::fs::metadata(path).ok().as_ref().map(identity)
    }

    /// Whether both are the same regular file. Two outputs may share a device or a pipe, because writes
    /// overwrite nothing there.
    pub fn is_same_file(&self, other: &Self) -> bool {
        let is_regular = |file: &File| file.metadata().is_ok_and(|metadata| metadata.is_file());
        self.file.as_ref().is_some_and(is_regular) && self.identity() == other.identity()
    }

    /// The name for messages.
    pub fn name(&self) -> &str {
        &self.name
    }

    fn identity(&self) -> Option<(u64, u64)> {
        self.file.as_ref().and_then(|file| file.metadata().ok()).as_ref().map(identity)
    }

    /// Writes one object.
    ///
    /// # Errors
    /// If the file can't be written.
    pub fn write(&mut self, object: &impl Serialize) -> Result<()> {
        serde_json::to_writer(&mut self.writer, object)
            .map_err(io::Error::from)
            .and_then(|()| self.writer.write_all(b"\n"))
            .with_context(|| format!("cannot write to {}", self.name))
    }

    /// Hands all lines to the system, or to the thread that waits for a reader.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn flush(&mut self) -> Result<()> {
        self.writer.flush().with_context(|| format!("cannot write to {}", self.name))
    }

    /// Hands all lines to the system. Lines that nobody reads in time are dropped and logged.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn finish(&mut self) -> Result<()> {
        let finished = self.writer.flush().and_then(|()| self.writer.get_mut().finish());
        finished.with_context(|| format!("cannot write to {}", self.name))
    }
}

/// The mode of new files, to which the umask applies.
const MODE: u32 = 0o666;

/// Whether both names are those of one file.
pub(crate) fn is_same_file(one: &Path, other: &Path) -> bool {
    let [one, other] = [one, other].map(|path| std::fs::metadata(path).ok().as_ref().map(identity));
    one.is_some() && one == other
}

fn identity(metadata: &Metadata) -> (u64, u64) {
    (metadata.dev(), metadata.ino())
}

fn buffered(output: Box<dyn Output>) -> BufWriter<Box<dyn Output>> {
    const BUFFER: usize = 1 << 16;
    BufWriter::with_capacity(BUFFER, output)
}

/// The last record of a run.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Last)]
pub struct TotalsRecord<'a> {
    /// Sums over the run.
    pub totals: &'a Totals,
    /// Version of the schema.
    pub schema: u32,
    /// Owners of the bytes; absent if attribution is off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attribution: Option<&'a Attributed>,
    /// The interfaces' own counters beside ours; empty in a replay.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub interfaces: &'a [InterfaceReading],
    /// The fate of flow records.
    #[serde(flatten)]
    pub exports: &'a Exports,
}

/// Writes flows: in a live run those of each interval, in a replay the sums at the end.
pub struct FlowExport {
    lines: JsonLines,
    /// `None` in a live run.
    sums: Option<FxHashMap<FlowKey, Counters>>,
    max_flows: usize,
    /// Flows that did not fit in `sums`.
    overflow: Counters,
}

impl FlowExport {
    /// Writes to `lines`: each interval, or at the end the sums of at most `max_flows` flows.
    pub fn new(lines: JsonLines, is_live: bool, max_flows: usize) -> Self {
        let sums = (!is_live).then(FxHashMap::default);
        Self { lines, sums, max_flows, overflow: Counters::default() }
    }

    /// The output.
    pub fn lines(&self) -> &JsonLines {
        &self.lines
    }

    /// See [`JsonLines::reopen`].
    pub(crate) fn lines_mut(&mut self) -> &mut JsonLines {
        &mut self.lines
    }

    /// Adds an interval.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn add(
        &mut self,
        interval: &Interval,
        name: &dyn Fn(u32) -> String,
        directory: &Directory,
    ) -> Result<()> {
        let Some(sums) = &mut self.sums else {
            return self.write_interval(interval, name, directory);
        };
        for (key, counters) in interval.flows.iter() {
            if sums.len() < self.max_flows || sums.contains_key(&key) {
                sums.entry(key).or_default().merge(&counters);
            } else {
                self.overflow.merge(&counters);
            }
        }
        Ok(())
    }

    fn write_interval(
        &mut self,
        interval: &Interval,
        name: &dyn Fn(u32) -> String,
        directory: &Directory,
    ) -> Result<()> {
        let (start, end) = (rfc3339(interval.start_ns), rfc3339(interval.end_ns));
        let mut owners = OwnerFields::default();
        for (at, (key, counters)) in interval.flows.iter().enumerate() {
            let live = LiveFields {
                interface: &name(key.ifindex),
                direction: key.direction().as_str(),
                interval_start: &start,
                interval_end: &end,
            };
            let owners = owners.of_flow(interval, at);
            let record = FlowRecord::new(&key, &counters, directory, Some(live), owners);
            self.lines.write(&record)?;
        }
        self.lines.flush()
    }

    /// Writes the sums at the end, and the totals. Flows that did not fit are in the totals' overflow.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn finish(
        &mut self,
        totals: &Totals,
        interfaces: &[InterfaceReading],
        exports: &Exports,
        directory: &Directory,
    ) -> Result<()> {
        let mut totals = totals.clone();
        totals.overflow += self.overflow.packets;
        totals.overflow_bytes += self.overflow.bytes;
        let mut sums: Vec<_> = self.sums.take().into_iter().flatten().collect();
        sums.sort_unstable_by_key(|(key, _)| *key);
        for (key, counters) in &sums {
            self.lines.write(&FlowRecord::new(key, counters, directory, None, None))?;
        }
        let attribution = totals.attribution.as_ref();
        let (totals, schema) = (&totals, SCHEMA);
        self.lines.write(&TotalsRecord { totals, schema, attribution, interfaces, exports })?;
        self.lines.finish()
    }
}

/// The traffic of a group in one interval.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Series)]
pub(super) struct SeriesRecord<'a> {
    /// Number of the interval, from the start.
    interval: i64,
    /// Start of the interval, RFC 3339.
    #[schema(format = DateTime)]
    start: &'a str,
    /// Sender, in the form of `--group-by`.
    src: String,
    /// Receiver, in the form of `--group-by`.
    dst: String,
    /// Packets on the wire.
    packets: u64,
    /// IP-layer bytes.
    bytes: u64,
    /// Link-layer bytes on the wire, without FCS.
    frame_bytes: u64,
}

/// Writes each group's sums of an interval, in the order of their keys.
///
/// # Errors
/// If the output can't be written.
pub fn write_series(
    lines: &mut JsonLines,
    interval: &Interval,
    group_by: crate::traffic::group::GroupBy,
    directory: &Directory,
) -> Result<()> {
    let mut groups: FxHashMap<FlowKey, Counters> = FxHashMap::default();
    let mut grouping = Grouping::new(group_by, directory);
    for at in 0..interval.flows.len() {
        let sums = groups.entry(grouping.group(interval, at)).or_default();
        sums.merge(&interval.flows.counters(at));
    }
    let mut groups: Vec<_> = groups.into_iter().collect();
    groups.sort_unstable_by_key(|(key, _)| *key);
    let start = rfc3339(interval.start_ns);
    for (key, counters) in &groups {
        lines.write(&SeriesRecord {
            interval: interval.index,
            start: &start,
            src: group_by.source(key),
            dst: group_by.destination(key),
            packets: counters.packets,
            bytes: counters.bytes,
            frame_bytes: counters.frame_bytes,
        })?;
    }
    lines.flush()
}

/// A record on standard output, if this is a pipe and no other output is chosen.
#[derive(Serialize, utoipa::ToSchema)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Event<'a> {
    /// An interval is over.
    Interval {
        /// Version of the schema.
        schema: u32,
        /// Start, RFC 3339.
        start: String,
        /// End, RFC 3339.
        end: String,
        /// Number of flows with traffic.
        flows: usize,
        /// Sums over the interval.
        #[serde(flatten)]
        totals: Box<Totals>,
        /// Owners of the bytes; absent if attribution is off.
        #[serde(skip_serializing_if = "Option::is_none")]
        attribution: Option<Attributed>,
        /// The interfaces' own counters beside ours, since attaching.
        #[serde(skip_serializing_if = "<[_]>::is_empty")]
        interfaces: &'a [InterfaceReading],
        /// The largest groups.
        top: Vec<TopRecord<'a>>,
    },
    /// Something is unusual.
    Alert(&'a Alert),
}

/// One of the largest groups.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Top)]
pub struct TopRecord<'a> {
    /// The sender.
    pub src: String,
    /// The receiver.
    pub dst: String,
    /// IP-layer bytes.
    pub bytes: u64,
    /// Packets.
    pub packets: u64,
    /// Names and places of both ends.
    #[serde(flatten)]
    pub ends: Ends<'a>,
    /// The owner on this host with the largest share.
    #[serde(flatten)]
    pub owner: OwnerRecord,
}
