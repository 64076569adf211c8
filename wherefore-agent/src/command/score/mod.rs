//! `wherefore score`: runs a detector on numbers, to tune it on one's own data. Owns the choice of the
//! detector, and the output of the Go tool's methods: reads numbers or CSV `timestamp,value`, writes one JSON
//! object a line. The files in `score/` have the other outputs.

mod judge;
mod series;
mod text;

use std::collections::{BTreeMap, VecDeque};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::detect::detectors::{AggregateDetector, FlowDetector};
use crate::detect::methods::Anomalyzer;
use crate::options::cli::{Judge, ScoreArgs};
use crate::options::{self, refuse};
use text::{Text, finish, is_open};

/// One line of output.
#[derive(Serialize)]
struct ScoreRecord<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    timestamp: Option<&'a str>,
    value: f64,
    probability: f64,
    methods: BTreeMap<&'static str, Option<f64>>,
}

/// Judges each number by the ones before it.
///
/// # Errors
/// If options are wrong, a line is not a number, or a file can't be read.
pub fn score(args: &ScoreArgs) -> Result<()> {
    let detector = options::Detector::new(&args.detector);
    refuse(&detector.problems(&args.detector))?;
    let default = if args.detector.names_methods() { Judge::Lytics } else { Judge::Flow };
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
        let mut lines = Text::new(input, name.to_owned());
        while lines.advance()? {
            let Some((timestamp, value)) = lines.point()? else { continue };
            let record = self.score_value(timestamp.as_deref(), value);
            serde_json::to_writer(&mut *output, &record).map_err(io::Error::from)?;
            // Write each line at once: the reader of a live series waits for it.
            if !is_open(output.write_all(b"\n").and_then(|()| output.flush()))? {
                return Ok(());
            }
        }
        lines.warn_if_empty();
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
