//! What a backtest reads, told apart by content: captures, flows of each interval, long CSV. Owns
//! the choice; refuses to guess from names, and to mix kinds.

use std::io::{self, BufRead, Cursor, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, bail};

use super::lines::Lines;
use super::records::RecordSource;
use super::series::SeriesSource;
use crate::cli::BacktestArgs;
use crate::config::{DEFAULT_INTERVAL, UsageError};
use crate::source::Source;
use crate::source::capture_file::Unpacked;
use crate::source::replay::ReplaySource;

/// First octets that tell the kind.
const ENOUGH: usize = 512;
/// The header of long CSV.
const LONG: &str = "series,timestamp,value";

/// What is in a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Capture,
    Flows,
    Series,
}

/// A source, and what must be known before it is judged.
pub(super) struct Opened {
    pub(super) source: Box<dyn Source>,
    /// Length of its intervals where nothing is said.
    pub(super) interval: Duration,
    /// Whether groups are series, whose addresses are made up.
    pub(super) is_series: bool,
}

/// Opens all files as one source.
pub(super) fn open(args: &BacktestArgs, shows_progress: bool) -> Result<Opened> {
    let lines = |header| Lines::open(&args.files, header, shows_progress);
    match kind_of_all(&args.files)? {
        Kind::Capture => {
            let interval = args.transfer_interval.unwrap_or(DEFAULT_INTERVAL);
            let (common, reorder) = (args.common(interval), args.reorder);
            let source = ReplaySource::open(&args.files, &common, reorder, shows_progress, None)?;
            Ok(Opened { source: Box::new(source), interval, is_series: false })
        }
        Kind::Flows => {
            let source = RecordSource::open(lines(None)?, args)?;
            let interval = source.interval();
            Ok(Opened { source: Box::new(source), interval, is_series: false })
        }
        Kind::Series => {
            let source = SeriesSource::open(lines(Some(LONG))?, args)?;
            let interval = source.interval();
            Ok(Opened { source: Box::new(source), interval, is_series: true })
        }
    }
}

fn kind_of_all(files: &[PathBuf]) -> Result<Kind> {
    let mut kinds = Vec::new();
    for file in files {
        kinds.push((kind_of(file)?, file));
    }
    let Some((kind, first)) = kinds.first() else { bail!(UsageError("no file".to_owned())) };
    if let Some((_, other)) = kinds.iter().find(|(other, _)| other != kind) {
        bail!(UsageError(format!(
            "{} and {} are of different kinds: give captures, flows or series, each by themselves",
            first.display(),
            other.display()
        )));
    }
    Ok(*kind)
}

fn kind_of(file: &Path) -> Result<Kind> {
    let failed = || format!("cannot backtest: cannot open {}", file.display());
    let start = if file.as_os_str() == "-" {
        start_of_input().with_context(failed)?
    } else {
        let metadata = std::fs::metadata(file).with_context(failed)?;
        if metadata.is_dir() {
            bail!("cannot backtest: {} is a directory; give the files in it", file.display());
        }
        if !metadata.is_file() {
            // What is read from a pipe is gone.
            return Ok(Kind::Capture);
        }
        start_of(Unpacked::open(file).with_context(failed)?)
    };
    recognise(&start).ok_or_else(|| unknown(file))
}

/// Standard input is looked at without taking anything from it.
fn start_of_input() -> io::Result<Vec<u8>> {
    let seen = io::stdin().lock().fill_buf()?.to_vec();
    Ok(start_of(Unpacked::new(Cursor::new(seen))?))
}

/// What there is, even where the file breaks soon: its reader says so better.
fn start_of(input: Unpacked) -> Vec<u8> {
    let mut start = Vec::new();
    let _ = input.take(ENOUGH as u64).read_to_end(&mut start);
    start
}

/// `None` for text of no known kind.
fn recognise(start: &[u8]) -> Option<Kind> {
    let text = start.strip_prefix(b"\xef\xbb\xbf").unwrap_or(start).trim_ascii_start();
    let has_header = |text: &[u8]| {
        text.get(..LONG.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(LONG.as_bytes()))
    };
    let is_text = |octet: &u8| *octet >= 0x20 || octet.is_ascii_whitespace();
    match text {
        [b'{', ..] => Some(Kind::Flows),
        _ if has_header(text) => Some(Kind::Series),
        [] => Some(Kind::Capture),
        _ if std::str::from_utf8(&text[..text.len().min(64)]).is_ok()
            && text.iter().all(is_text) =>
        {
            None
        }
        _ => Some(Kind::Capture),
    }
}

fn unknown(file: &Path) -> anyhow::Error {
    UsageError(format!(
        "{} is text, but neither flows as JSON Lines (--flows of a live agent) nor CSV with the \
         header {LONG}; captures are binary",
        file.display()
    ))
    .into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_content() {
        let cases: [(&[u8], Option<Kind>); 7] = [
            (b"{\"proto\":6", Some(Kind::Flows)),
            (b"\xef\xbb\xbfSeries,Timestamp,Value\r\na,1,2", Some(Kind::Series)),
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
