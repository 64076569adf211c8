//! The input of a backtest, recognised by its content: captures, flows of each interval, long CSV. Owns this
//! choice; refuses to guess from names of files, and to mix kinds.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::lines::Lines;
use super::records::RecordSource;
use super::series::SeriesSource;
use crate::command::csv_text;
use crate::input::Source;
use crate::input::capture_file::Unpacked;
use crate::input::replay::{InputFile, ReplaySource};
use crate::options::cli::BacktestArgs;
use crate::options::{DEFAULT_INTERVAL, UsageError};

/// The number of first bytes that is enough to recognise the kind.
const ENOUGH: usize = 512;

/// The content of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Capture,
    Flows,
    /// Long CSV, or output of `--series`.
    Series,
}

/// A source, and the facts needed before it is judged.
pub(super) struct Opened {
    pub(super) source: Box<dyn Source>,
    /// Default length of its intervals.
    pub(super) interval: Duration,
    /// Whether its groups are series with invented addresses.
    pub(super) is_series: bool,
}

/// Opens all files as one source.
pub(super) fn open(args: &BacktestArgs, shows_progress: bool) -> Result<Opened> {
    let (kind, files) = look_at_all(args)?;
    if kind != Kind::Flows {
        args.common(DEFAULT_INTERVAL).refuse_owners("a capture or a series")?;
    }
    let lines = |files| Lines::open(files, kind == Kind::Series, shows_progress);
    match kind {
        Kind::Capture => {
            let interval = args.transfer_interval.unwrap_or(DEFAULT_INTERVAL);
            let how = args.common(interval).replay(args.reorder, shows_progress);
            let source = ReplaySource::open_given(files, &how, None)?;
            Ok(Opened { source: Box::new(source), interval, is_series: false })
        }
        Kind::Flows => {
            let source = RecordSource::open(lines(files), args)?;
            let interval = source.interval();
            Ok(Opened { source: Box::new(source), interval, is_series: false })
        }
        Kind::Series => {
            let source = SeriesSource::open(lines(files), args)?;
            let interval = source.interval();
            Ok(Opened { source: Box::new(source), interval, is_series: true })
        }
    }
}

/// The kind of all files. Files that cannot be opened twice stay open.
fn look_at_all(args: &BacktestArgs) -> Result<(Kind, Vec<InputFile>)> {
    let (mut kinds, mut files) = (Vec::new(), Vec::new());
    for path in &args.files {
        let (kind, given) = look_at(path)?;
        // An empty file has any kind; its reader reports it.
        kinds.extend(kind.map(|kind| (kind, path)));
        files.push(given);
    }
    let Some((kind, first)) = kinds.first() else { return Ok((Kind::Capture, files)) };
    if let Some((_, other)) = kinds.iter().find(|(other, _)| other != kind) {
        bail!(UsageError(format!(
            "{} and {} are of different kinds: give only captures, only flows or only series",
            first.display(),
            other.display()
        )));
    }
    Ok((*kind, files))
}

/// Opens a file once, reads until its kind is clear, and keeps it open if it is a pipe.
fn look_at(path: &Path) -> Result<(Option<Kind>, InputFile)> {
    let failed = || format!("cannot backtest: cannot open {}", path.display());
    let is_input = path.as_os_str() == "-";
    let metadata = (!is_input).then(|| std::fs::metadata(path)).transpose().with_context(failed)?;
    if metadata.as_ref().is_some_and(std::fs::Metadata::is_dir) {
        bail!("cannot backtest: {} is a directory; give the files in it", path.display());
    }
    let mut input = Unpacked::open(path).with_context(failed)?;
    let start = input.peek(ENOUGH);
    let kind = if start.is_empty() {
        None
    } else {
        Some(recognise(start).ok_or_else(|| unknown(path, start))?)
    };
    let is_file = metadata.is_some_and(|metadata| metadata.is_file());
    let path = path.to_owned();
    Ok((kind, InputFile { path, open: (!is_file).then_some(input) }))
}

/// `None` for text of no known kind.
fn recognise(start: &[u8]) -> Option<Kind> {
    let text = csv_text::without_mark(start).trim_ascii_start();
    let is_text = |byte: &u8| *byte >= 0x20 || byte.is_ascii_whitespace();
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let has = |part: &str| first.windows(part.len()).any(|window| window == part.as_bytes());
    match text {
        [b'{', ..] if has("\"interval\":") && !has("\"proto\":") => Some(Kind::Series),
        [b'{', ..] => Some(Kind::Flows),
        _ if is_header(first) => Some(Kind::Series),
        [] => Some(Kind::Capture),
        _ if csv_text::is_utf16(start) => None,
        _ if std::str::from_utf8(&text[..text.len().min(64)]).is_ok()
            && text.iter().all(is_text) =>
        {
            None
        }
        _ => Some(Kind::Capture),
    }
}

fn is_header(line: &[u8]) -> bool {
    std::str::from_utf8(line).is_ok_and(|line| csv_text::is_long_header(line.trim()) == Ok(true))
}

fn unknown(file: &Path, start: &[u8]) -> anyhow::Error {
    let first = start.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let header = csv_text::text(first, true);
    if let Err(problem) = header.and_then(csv_text::is_long_header) {
        return UsageError(format!("{}, line 1: {problem}", file.display())).into();
    }
    UsageError(format!(
        "{} is text, but neither flows as JSON Lines (--flows of a live agent), nor series (--series), \
         nor CSV with the header {}; captures are binary",
        file.display(),
        csv_text::LONG
    ))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_kinds_are_recognised_by_content() {
        let cases: [(&[u8], Option<Kind>); 10] = [
            (b"{\"proto\":6", Some(Kind::Flows)),
            (b"\xef\xbb\xbfSeries,Timestamp,Value\r\na,1,2", Some(Kind::Series)),
            (b"\"series\", \"timestamp\", \"value\"\na,1,2", Some(Kind::Series)),
            (b"{\"interval\":0,\"start\":", Some(Kind::Series)),
            (b"\xff\xfes\0e\0", None),
            (b"\xd4\xc3\xb2\xa1\x02\0\x04\0", Some(Kind::Capture)),
            (b"\n\r\r\n\x1c\0\0\0", Some(Kind::Capture)),
            (b"", Some(Kind::Capture)),
            (b"timestamp,value\n1,2\n", None),
            (b"hello\n", None),
        ];
        for (start, kind) in cases {
            assert_eq!(recognise(start), kind, "{start:?}");
        }
    }
}
