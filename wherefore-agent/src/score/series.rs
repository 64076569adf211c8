//! Scores of whole series: one a line in and one a line out, or long CSV with a series in each
//! line; and of single numbers, with the reason. Owns these formats; refuses to choose a detector.

use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::{finish, is_open, parse_line};
use crate::cli::ScoreArgs;
use crate::config::UsageError;
use crate::detect::{Detector, Test};
use crate::message;

/// Octets read and written at once.
const BUFFER: usize = 1 << 16;
/// The header of long CSV.
const LONG: &str = "series,timestamp,value";
/// The time between two points, for words; the filter is not told.
const INTERVAL: Duration = Duration::from_secs(5);

/// One line of output about a single number.
#[derive(Serialize)]
struct NumberRecord<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
    value: f64,
    score: f32,
    #[serde(skip_serializing_if = "Option::is_none")]
    reason: Option<String>,
}

/// Where lines come from, how far we are, and where they go.
struct Lines<R: Read, W: Write> {
    input: BufReader<R>,
    name: String,
    number: usize,
    line: String,
    output: BufWriter<W>,
    is_open: bool,
}

/// Judges the series of all files by themselves.
pub(super) fn score<D: Detector>(args: &ScoreArgs, detector: &D) -> Result<()> {
    if args.files.is_empty() {
        return score_input(args, detector, io::stdin().lock(), "standard input".to_owned());
    }
    args.files.iter().try_for_each(|path| score_file(args, detector, path))
}

fn score_file<D: Detector>(args: &ScoreArgs, detector: &D, path: &Path) -> Result<()> {
    let name = path.display().to_string();
    if name == "-" {
        return score_input(args, detector, io::stdin().lock(), "standard input".to_owned());
    }
    let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
    score_input(args, detector, file, name)
}

fn score_input<D: Detector>(
    args: &ScoreArgs,
    detector: &D,
    input: impl Read,
    name: String,
) -> Result<()> {
    let mut lines = Lines::new(input, name, io::stdout().lock());
    if !lines.next()? {
        return Ok(());
    }
    if lines.line.trim().eq_ignore_ascii_case(LONG) {
        lines.score_long(detector)?;
    } else if args.series_per_line {
        lines.score_wide(detector)?;
    } else {
        lines.score_numbers(detector)?;
    }
    finish(lines.output.flush())
}

impl<R: Read, W: Write> Lines<R, W> {
    fn new(input: R, name: String, output: W) -> Self {
        Self {
            input: BufReader::with_capacity(BUFFER, input),
            name,
            number: 0,
            line: String::new(),
            output: BufWriter::with_capacity(BUFFER, output),
            is_open: true,
        }
    }

    /// Reads a line. Where that may take long, what is written is sent first: whoever follows a
    /// live series waits for it.
    fn next(&mut self) -> Result<bool> {
        if self.input.buffer().is_empty() {
            let sent = self.output.flush();
            self.note(sent)?;
        }
        self.line.clear();
        self.number += 1;
        let read = self.input.read_line(&mut self.line);
        let octets = read.with_context(|| format!("cannot read {}", self.name))?;
        while self.line.ends_with(['\n', '\r']) {
            self.line.pop();
        }
        Ok(octets > 0 && self.is_open)
    }

    fn note(&mut self, written: io::Result<()>) -> Result<()> {
        self.is_open &= is_open(written)?;
        Ok(())
    }

    fn score_wide<D: Detector>(&mut self, detector: &D) -> Result<()> {
        loop {
            let written = self.score_series(detector)?;
            self.note(written)?;
            if !self.next()? {
                return Ok(());
            }
        }
    }

    /// One line of values, one of scores.
    fn score_series<D: Detector>(&mut self, detector: &D) -> Result<io::Result<()>> {
        let mut state = D::State::default();
        let mut written = Ok(());
        let fields = (!self.line.trim().is_empty()).then(|| self.line.split(','));
        for (place, field) in fields.into_iter().flatten().enumerate() {
            let value = number(field).ok_or_else(|| self.no_number(field, Some(place + 1)))?;
            let score = detector.step(&mut state, value).score;
            let separated = if place > 0 { self.output.write_all(b",") } else { Ok(()) };
            written = written.and(separated).and_then(|()| write_score(&mut self.output, score));
        }
        Ok(written.and_then(|()| self.output.write_all(b"\n")))
    }

    /// A line of long CSV comes out as it is, and its score.
    fn score_long<D: Detector>(&mut self, detector: &D) -> Result<()> {
        let mut states = FxHashMap::<String, D::State>::default();
        let header = writeln!(self.output, "{LONG},score");
        self.note(header)?;
        while self.next()? {
            if self.line.trim().is_empty() {
                continue;
            }
            // A series' name may have commas of its own.
            let mut fields = self.line.rsplitn(3, ',');
            let (value, timestamp, series) = (fields.next(), fields.next(), fields.next());
            let (Some(value), Some(_), Some(series)) = (value, timestamp, series) else {
                return Err(self.usage(&format!("{:?} is not {LONG}", self.line)));
            };
            let value = number(value).ok_or_else(|| self.no_number(value, None))?;
            if !states.contains_key(series) {
                states.insert(series.to_owned(), D::State::default());
            }
            let state = states.get_mut(series).ok_or_else(|| anyhow!("{series} is missing"))?;
            let score = detector.step(state, value).score;
            let written = write!(self.output, "{},", self.line)
                .and_then(|()| write_score(&mut self.output, score))
                .and_then(|()| self.output.write_all(b"\n"));
            self.note(written)?;
        }
        Ok(())
    }

    /// One series, a number a line: one JSON object a line, with the reason.
    fn score_numbers<D: Detector>(&mut self, detector: &D) -> Result<()> {
        let mut state = D::State::default();
        loop {
            if let Some((timestamp, value)) = parse_line(&self.line, self.number - 1, &self.name)? {
                let verdict = detector.step(&mut state, value);
                let is_ordinary = verdict.test == Test::Ordinary;
                let reason = (!is_ordinary).then(|| message::of_verdict(&verdict, INTERVAL));
                let record = NumberRecord { timestamp, value, score: verdict.score, reason };
                let written = serde_json::to_writer(&mut self.output, &record)
                    .map_err(io::Error::from)
                    .and_then(|()| self.output.write_all(b"\n"));
                self.note(written)?;
            }
            if !self.next()? {
                return Ok(());
            }
        }
    }

    fn no_number(&self, field: &str, place: Option<usize>) -> anyhow::Error {
        let place = place.map(|place| format!("value {place}: ")).unwrap_or_default();
        self.usage(&format!("{place}{field:?} is not a number"))
    }

    fn usage(&self, problem: &str) -> anyhow::Error {
        UsageError(format!("{}, line {}: {problem}", self.name, self.number)).into()
    }
}

/// A number, also `NaN` or `inf`, which detectors bear. Whole numbers, of which series of bytes
/// consist, are read by hand: that is three times as fast.
fn number(field: &str) -> Option<f64> {
    let digits = field.as_bytes();
    let is_whole = (1..16).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    if is_whole {
        let value = digits.iter().fold(0u64, |sum, digit| sum * 10 + u64::from(digit - b'0'));
        // Below 10^15: exact.
        return Some(value as f64);
    }
    field.trim().parse().ok()
}

/// Four decimals; most are 0.
fn write_score(output: &mut impl Write, score: f32) -> io::Result<()> {
    if score > 0.0 { write!(output, "{score:.4}") } else { output.write_all(b"0") }
}
