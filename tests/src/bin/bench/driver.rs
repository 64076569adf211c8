//! Rounds in turn: one process a round and revision, A B A B …, so that whatever else the machine
//! does meets both alike. Owns the order, the processes and the files under target/bench.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};

use crate::Topic;
use crate::figure::{self, Figure};
use crate::summary::Rounds;

/// How to measure.
#[derive(Debug, Default)]
pub(crate) struct Plan {
    /// Rounds of each topic, if not the topic's own number.
    pub(crate) rounds: Option<usize>,
    /// Print JSON instead of tables.
    pub(crate) json: bool,
    /// The agent of another revision, and its bench if it has one that knows topics.
    pub(crate) other_agent: Option<PathBuf>,
    pub(crate) other_bench: Option<PathBuf>,
}

/// Measures the topics one after the other, each in all its rounds.
pub(crate) fn drive(topics: &[&'static Topic], plan: &Plan) -> Result<()> {
    let mut all = Vec::new();
    for topic in topics {
        let rounds = measure(topic, plan)?;
        let json = rounds.to_json();
        write(&format!("{}.json", topic.name), &json)?;
        if !plan.json {
            println!("{}", rounds.table());
            (topic.note)().iter().for_each(|note| println!("{note}\n"));
        }
        all.push(json);
    }
    if plan.json {
        println!("{:#}", serde_json::Value::Array(all));
    }
    Ok(())
}

fn measure(topic: &'static Topic, plan: &Plan) -> Result<Rounds> {
    let ours = std::env::current_exe().context("where is this program?")?;
    let mut rounds = Rounds { topic: topic.name, ours: Vec::new(), theirs: Vec::new() };
    let mut other = other_bench(topic, plan, &ours);
    let count = plan.rounds.unwrap_or(topic.rounds).max(1);
    for number in 1..=count {
        eprintln!("{}: round {number} of {count}", topic.name);
        rounds.ours.push(round(&ours, topic.name, None)?);
        let Some(bench) = other else { continue };
        match round(bench, topic.name, plan.other_agent.as_deref()) {
            Ok(figures) => rounds.theirs.push(figures),
            Err(error) => {
                eprintln!("{}: the other revision cannot be measured: {error:#}", topic.name);
                rounds.theirs.clear();
                other = None;
            }
        }
    }
    Ok(rounds)
}

/// The bench for the other revision: its own, else ours if it only needs the other agent.
fn other_bench<'a>(topic: &Topic, plan: &'a Plan, ours: &'a Path) -> Option<&'a Path> {
    plan.other_agent.as_ref()?;
    let own = plan.other_bench.as_deref();
    if own.is_none() && !topic.is_from_outside {
        eprintln!("{}: the bench of the other revision lacks this topic", topic.name);
    }
    own.or_else(|| topic.is_from_outside.then_some(ours))
}

fn round(bench: &Path, topic: &str, agent: Option<&Path>) -> Result<Vec<Figure>> {
    let mut command = Command::new(bench);
    command.args(["--round", topic]).stdin(Stdio::null()).stderr(Stdio::inherit());
    command.envs(agent.map(|agent| ("WHEREFORE_BINARY", agent)));
    let output = command.output().with_context(|| format!("starting {}", bench.display()))?;
    ensure!(output.status.success(), "the round failed: {}", output.status);
    figure::parse(&String::from_utf8(output.stdout)?)
}

/// The folder of the bench's files.
pub(crate) fn directory() -> Result<PathBuf> {
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let directory = Path::new(&target).join("bench");
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("making {}", directory.display()))?;
    Ok(directory)
}

fn write(name: &str, json: &serde_json::Value) -> Result<()> {
    let path = directory()?.join(name);
    std::fs::write(&path, format!("{json:#}\n"))
        .with_context(|| format!("cannot write {}", path.display()))
}
