//! Scores of whole series: one series in each line, or long CSV with the name of a series in each line; and
//! of single numbers, with the reason. Owns these formats; refuses to choose a detector.

use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Write};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::text::{Text, finish, is_open};
use crate::command::csv_text;
use crate::detect::detectors::{Detector, Test};
use crate::message;
use crate::options::cli::ScoreArgs;

/// The number of bytes that are read or written at once.
const BUFFER: usize = 1 << 16;
/// The time between two points as reasons state it; the detector does not use it.
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

/// The input lines, the progress, and the output.
struct Lines<R: Read, W: Write> {
    input: Text<BufReader<R>>,
    output: BufWriter<W>,
    is_open: bool,
}

/// Judges each series in the files on its own.
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
        lines.input.warn_if_empty();
        return Ok(());
    }
    let is_long = csv_text::is_long_header(lines.input.text()?);
    if is_long.map_err(|problem| lines.input.usage(&problem))? {
        lines.score_long(detector)?;
    } else if args.series_per_line {
        lines.score_wide(detector)?;
    } else {
        lines.score_numbers(detector)?;
    }
    if lines.is_open {
        lines.input.warn_if_empty();
    }
    finish(lines.output.flush())
}

impl<R: Read, W: Write> Lines<R, W> {
    fn new(input: R, name: String, output: W) -> Self {
        Self {
            input: Text::new(BufReader::with_capacity(BUFFER, input), name),
            output: BufWriter::with_capacity(BUFFER, output),
            is_open: true,
        }
    }

    /// Reads a line. If that may take long, writes pending output first, because the reader of a live series
    /// waits for it.
    fn next(&mut self) -> Result<bool> {
        if self.input.input.buffer().is_empty() {
            let sent = self.output.flush();
            self.note(sent)?;
        }
        Ok(self.input.advance()? && self.is_open)
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

    /// Reads a line of values, and writes a line of scores.
    fn score_series<D: Detector>(&mut self, detector: &D) -> Result<io::Result<()>> {
        let mut state = D::State::default();
        let mut written = Ok(());
        let line = self.input.text()?;
        let fields = (!line.is_empty()).then(|| line.split(','));
        for (place, field) in fields.into_iter().flatten().enumerate() {
            // A whole line may be quoted, or each field of it.
            let value = csv_text::number(field.trim().trim_matches('"'));
            let value = value
                .map_err(|problem| self.input.usage(&format!("value {}: {problem}", place + 1)))?;
            self.input.note_numbers();
            let score = detector.step(&mut state, value).score;
            let separated = if place > 0 { self.output.write_all(b",") } else { Ok(()) };
            written = written.and(separated).and_then(|()| write_score(&mut self.output, score));
        }
        Ok(written.and_then(|()| self.output.write_all(b"\n")))
    }

    /// Copies lines of long CSV, with their scores added.
    fn score_long<D: Detector>(&mut self, detector: &D) -> Result<()> {
        let mut states = FxHashMap::<String, D::State>::default();
        let header = writeln!(self.output, "{},score", csv_text::LONG);
        self.note(header)?;
        while self.next()? {
            let text = self.input.text()?;
            if text.is_empty() {
                continue;
            }
            let line = csv_text::long(text).map_err(|problem| self.input.usage(&problem))?;
            self.input.note_numbers();
            if !states.contains_key(&*line.series) {
                states.insert(line.series.clone().into_owned(), D::State::default());
            }
            let state = states.get_mut(&*line.series);
            let state = state.ok_or_else(|| anyhow!("{} is missing", line.series))?;
            let score = detector.step(state, line.value).score;
            let written = write!(self.output, "{text},")
                .and_then(|()| write_score(&mut self.output, score))
                .and_then(|()| self.output.write_all(b"\n"));
            self.note(written)?;
        }
        Ok(())
    }

    /// Reads one series with a number in each line; writes one JSON object a line, with the reason.
    fn score_numbers<D: Detector>(&mut self, detector: &D) -> Result<()> {
        let mut state = D::State::default();
        loop {
            if let Some((timestamp, value)) = self.input.point()? {
                let verdict = detector.step(&mut state, value);
                let is_ordinary = verdict.test == Test::Ordinary;
                let reason = (!is_ordinary).then(|| message::of_verdict(&verdict, INTERVAL));
                let timestamp = timestamp.as_deref();
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
}

/// Writes four decimals, or a short 0, because most scores are 0.
fn write_score(output: &mut impl Write, score: f32) -> io::Result<()> {
    if score > 0.0 { write!(output, "{score:.4}") } else { output.write_all(b"0") }
}
