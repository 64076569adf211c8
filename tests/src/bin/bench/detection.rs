//! Runs the whole engine over a detection lab: a background of many days, and events that each
//! begin somewhere in it. Owns the paths of the lab's files; refuses to score, which the lab's own
//! programs do.
//!
//! A lab is a folder with, for each VIEW (a host, or the whole site), `VIEW.jsonl` or `VIEW.jsonl.gz`,
//! flows as `--flows` writes them; and `ev-VIEW/list.tsv`, a line for each event: the interval in
//! which it begins, the flows from then on, and the path of the answer. The answer to the background
//! alone goes to `clean-VIEW.json`. `--suffix` is added to the names of answers, so that several
//! engines can be compared; the words after `--` are options of `backtest`.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use wherefore_agent::command::backtest::{Branch, backtest_branches};

const USAGE: &str = "bench detection LAB [--view VIEW]... [--suffix TEXT] [-- OPTION...]";

/// The command line, parsed.
#[derive(Default)]
struct Request {
    lab: PathBuf,
    views: Vec<String>,
    suffix: String,
    /// Options of `backtest`.
    options: Vec<String>,
}

/// Judges every view of a lab, or those that are named.
pub(crate) fn run(words: impl Iterator<Item = String>) -> Result<()> {
    let mut request = parse(words)?;
    if request.views.is_empty() {
        request.views = views(&request.lab)?;
    }
    ensure!(!request.views.is_empty(), "no ev-VIEW/list.tsv in {}", request.lab.display());
    for view in &request.views {
        let start = Instant::now();
        let events = run_view(&request, view).with_context(|| format!("view {view}"))?;
        println!("{view}: {events} events, {:.0} s", start.elapsed().as_secs_f64());
    }
    Ok(())
}

fn parse(mut words: impl Iterator<Item = String>) -> Result<Request> {
    let mut request = Request::default();
    while let Some(word) = words.next() {
        let mut value = || words.next().with_context(|| format!("{word}: what? {USAGE}"));
        match word.as_str() {
            "--view" => request.views.push(value()?),
            "--suffix" => request.suffix = value()?,
            "--" => request.options = words.by_ref().collect(),
            _ => request.lab = PathBuf::from(word),
        }
    }
    ensure!(request.lab.is_dir(), "no folder {}: {USAGE}", request.lab.display());
    Ok(request)
}

/// The views that have events, by name.
fn views(lab: &Path) -> Result<Vec<String>> {
    let mut views = Vec::new();
    for entry in std::fs::read_dir(lab)? {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let has_events = entry.path().join("list.tsv").is_file();
        views.extend(name.strip_prefix("ev-").filter(|_| has_events).map(str::to_owned));
    }
    views.sort();
    Ok(views)
}

/// Judges a view; how many events it has.
fn run_view(request: &Request, view: &str) -> Result<usize> {
    let Request { lab, suffix, options, .. } = request;
    let list = lab.join(format!("ev-{view}/list.tsv"));
    let text = std::fs::read_to_string(&list).with_context(|| list.display().to_string())?;
    let branches = text.lines().map(|line| branch(line, suffix)).collect::<Result<Vec<_>>>()?;
    let background = ["jsonl", "jsonl.gz"].map(|ending| lab.join(format!("{view}.{ending}")));
    let background = background.into_iter().find(|path| path.exists());
    let background = background.with_context(|| format!("no {view}.jsonl"))?;
    let answer = lab.join(format!("clean-{view}{suffix}.json"));
    backtest_branches(&background, options, &branches, &answer)?;
    Ok(branches.len())
}

fn branch(line: &str, suffix: &str) -> Result<Branch> {
    let mut fields = line.split('\t');
    let mut field = || fields.next().with_context(|| format!("a field is missing: {line}"));
    let start = field()?.parse().with_context(|| format!("no interval: {line}"))?;
    let stream = PathBuf::from(field()?);
    let answer = PathBuf::from(format!("{}{suffix}", field()?));
    Ok(Branch { start, stream, answer })
}
