//! `wherefore score`: the detectors as a filter, for people who tune them on their own history. Owns
//! the choice of the format, and one of them: numbers in, or CSV `timestamp,value`; one JSON object
//! a line out, judged by the seven methods. The others are in `score/`.

mod judge;
mod series;

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::anomaly::Anomalyzer;
use crate::cli::{Judge, ScoreArgs};
use crate::config::{self, UsageError, refuse};
use crate::detect::{AggregateDetector, FlowDetector};

/// One line of output.
#[derive(Serialize)]
struct ScoreRecord<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
    value: f64,
    probability: f64,
    methods: BTreeMap<&'static str, Option<f64>>,
}

/// Judges each number by those before it.
///
/// # Errors
/// Where options are wrong, a line is no number or a file can't be read.
pub fn score(args: &ScoreArgs) -> Result<()> {
    let detector = config::Detector::new(&args.detector);
    refuse(&detector.problems(&args.detector))?;
    let default = if args.series_per_line { Judge::Flow } else { Judge::Lytics };
    let anomalyzer = Anomalyzer::new(detector.options)?;
    match args.judge.unwrap_or(default) {
        Judge::Flow => series::score(args, &FlowDetector::default()),
        Judge::Aggregate => series::score(args, &AggregateDetector::default()),
        Judge::Lytics if args.series_per_line => {
            series::score(args, &judge::Lytics::new(anomalyzer, detector.window))
        }
        Judge::Lytics => score_numbers(args, anomalyzer, detector.window),
    }
}

fn score_numbers(args: &ScoreArgs, anomalyzer: Anomalyzer, capacity: usize) -> Result<()> {
    let mut scorer = Scorer { anomalyzer, capacity, window: VecDeque::new() };
    let mut output = BufWriter::new(io::stdout().lock());
    if args.files.is_empty() {
        scorer.score_lines(io::stdin().lock(), "standard input", &mut output)?;
    }
    for path in &args.files {
        scorer.window.clear();
        scorer.score_file(path, &mut output)?;
    }
    finish(output.flush())
}

struct Scorer {
    anomalyzer: Anomalyzer,
    capacity: usize,
    window: VecDeque<f64>,
}

impl Scorer {
    fn score_file(&mut self, path: &Path, output: &mut impl Write) -> Result<()> {
        let name = path.display().to_string();
        if name == "-" {
            return self.score_lines(io::stdin().lock(), "standard input", output);
        }
        let file = File::open(path).with_context(|| format!("cannot open {name}"))?;
        self.score_lines(BufReader::new(file), &name, output)
    }

    fn score_lines(
        &mut self,
        input: impl BufRead,
        name: &str,
        output: &mut impl Write,
    ) -> Result<()> {
        for (number, line) in input.lines().enumerate() {
            let line = line.with_context(|| format!("cannot read {name}"))?;
            let Some((timestamp, value)) = parse_line(&line, number, name)? else { continue };
            let record = self.score_value(timestamp, value);
            serde_json::to_writer(&mut *output, &record).map_err(io::Error::from)?;
            // Each line at once: whoever follows a live series waits for it.
            if !is_open(output.write_all(b"\n").and_then(|()| output.flush()))? {
                return Ok(());
            }
        }
        Ok(())
    }

    fn score_value<'a>(&mut self, timestamp: Option<&'a str>, value: f64) -> ScoreRecord<'a> {
        if self.window.len() == self.capacity {
            self.window.pop_front();
        }
        self.window.push_back(value);
        let score = self.anomalyzer.score(self.window.make_contiguous());
        let methods = score.methods().map(|(method, p)| (method.name(), p)).collect();
        ScoreRecord { timestamp, value, probability: score.probability, methods }
    }
}

/// `value` or `timestamp,value`; `None` for empty lines and for a header.
fn parse_line<'a>(
    line: &'a str,
    number: usize,
    name: &str,
) -> Result<Option<(Option<&'a str>, f64)>> {
    let line = line.trim();
    if line.is_empty() {
        return Ok(None);
    }
    let (timestamp, value) = match line.rsplit_once(',') {
        Some((timestamp, value)) => (Some(timestamp.trim()), value.trim()),
        None => (None, line),
    };
    match value.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Some((timestamp, value))),
        Err(_) if number == 0 => Ok(None),
        _ => Err(UsageError(format!(
            "{name}, line {}: {value:?} is not a finite number; each line is a number or \
             \"timestamp,value\"",
            number + 1
        ))
        .into()),
    }
}

/// Whether the reader is still there: `head` closes its input when it has enough.
fn is_open(written: io::Result<()>) -> Result<bool> {
    match written {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(false),
        Err(error) => Err(error).context("cannot write to standard output"),
    }
}

fn finish(written: io::Result<()>) -> Result<()> {
    is_open(written).map(|_| ())
}
