//! `cargo xtask bench`: the cost of Wherefore, topic by topic, beside floors and peers measured in
//! the same run. Owns the list of topics and the command line; refuses to assert times, which
//! differ between machines: compare figures of one run with each other.

mod agent;
mod anomalyzer;
mod bpf;
mod captures;
mod detection;
mod detectors;
mod drain;
mod driver;
mod figure;
mod floors;
mod geo;
mod history;
mod idle;
mod judge;
mod kernel;
mod memory;
mod objects;
mod overhead;
mod peers;
mod rarity;
mod replay;
mod start;
mod summary;
mod usage;
mod view;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use figure::Figure;

/// Something to measure.
pub(crate) struct Topic {
    name: &'static str,
    about: &'static str,
    /// The default number of rounds.
    rounds: usize,
    /// Whether it measures only the agent's program, and no code that is linked here.
    is_from_outside: bool,
    /// One round.
    measure: fn() -> Result<Vec<Figure>>,
    /// A note below the table.
    note: fn() -> Option<String>,
}

const TOPICS: [Topic; 13] = [
    Topic {
        name: "kernel",
        about: "nanoseconds a packet in the kernel, beside an empty program and a bare look-up",
        rounds: 3,
        is_from_outside: true,
        measure: kernel::measure,
        note: objects::note,
    },
    Topic {
        name: "drain",
        about: "from the kernel's map to an interval, by number of flows",
        rounds: 3,
        is_from_outside: false,
        measure: drain::measure,
        note: || None,
    },
    Topic {
        name: "judge",
        about: "from an interval to verdicts by the methods, by number of flows",
        rounds: 3,
        is_from_outside: false,
        measure: judge::measure,
        note: || None,
    },
    Topic {
        name: "rarity",
        about: "from an interval to verdicts by the default engine, by number of flows",
        rounds: 3,
        is_from_outside: false,
        measure: rarity::measure,
        note: || None,
    },
    Topic {
        name: "anomalyzer",
        about: "nanoseconds an evaluation, by method and window",
        rounds: 5,
        is_from_outside: false,
        measure: anomalyzer::measure,
        note: || None,
    },
    Topic {
        name: "detectors",
        about: "nanoseconds a point of the other detectors",
        rounds: 5,
        is_from_outside: false,
        measure: detectors::measure,
        note: || None,
    },
    Topic {
        name: "geo",
        about: "nanoseconds a look-up of country and AS, beside maxminddb (WHEREFORE_MMDB=FILE,FILE)",
        rounds: 5,
        is_from_outside: false,
        measure: geo::measure,
        note: || None,
    },
    Topic {
        name: "replay",
        about: "capture files, beside libpcap and other tools",
        rounds: 3,
        is_from_outside: true,
        measure: replay::measure,
        note: || None,
    },
    Topic {
        name: "overhead",
        about: "traffic between two namespaces with and without the agent, and beside other tools",
        rounds: 3,
        is_from_outside: true,
        measure: overhead::measure,
        note: || None,
    },
    Topic {
        name: "start",
        about: "from the command to counting; the size of the program",
        rounds: 5,
        is_from_outside: true,
        measure: start::measure,
        note: || None,
    },
    Topic {
        name: "idle",
        about: "what the agent takes while nothing moves",
        rounds: 1,
        is_from_outside: true,
        measure: idle::measure,
        note: || None,
    },
    Topic {
        name: "view",
        about: "what the live view takes of a processor, by number of pairs",
        rounds: 3,
        is_from_outside: false,
        measure: view::measure,
        note: || None,
    },
    Topic {
        name: "history",
        about: "milliseconds of a question about a month of 1,000 processes and 10,000 peers",
        rounds: 1,
        is_from_outside: false,
        measure: history::measure,
        note: || None,
    },
];

const USAGE: &str =
    "bench [TOPIC…] [--rounds NUMBER] [--json] [--against-bench PROGRAM --against-agent PROGRAM]";

/// The command line.
#[derive(Default)]
struct Request {
    topics: Vec<&'static Topic>,
    /// This topic, once, for another process.
    round: Option<&'static Topic>,
    plan: driver::Plan,
}

fn main() -> Result<()> {
    let mut words = std::env::args().skip(1).peekable();
    if words.next_if(|word| word == "detection").is_some() {
        return detection::run(words);
    }
    let request = Request::parse(words)?;
    match request.round {
        Some(topic) => figure::print(&(topic.measure)()?),
        None => driver::drive(&request.topics, &request.plan),
    }
}

impl Request {
    fn parse(mut words: impl Iterator<Item = String>) -> Result<Self> {
        let mut request = Self::default();
        while let Some(word) = words.next() {
            let mut value = || words.next().with_context(|| format!("{word}: what? {USAGE}"));
            match word.as_str() {
                "--round" => request.round = Some(topic(&value()?)?),
                "--rounds" => request.plan.rounds = Some(value()?.parse().context(USAGE)?),
                "--json" => request.plan.json = true,
                "--against-bench" => request.plan.other_bench = Some(PathBuf::from(value()?)),
                "--against-agent" => request.plan.other_agent = Some(PathBuf::from(value()?)),
                name => request.topics.push(topic(name)?),
            }
        }
        if request.topics.is_empty() {
            request.topics = TOPICS.iter().collect();
        }
        Ok(request)
    }
}

fn topic(name: &str) -> Result<&'static Topic> {
    if let Some(topic) = TOPICS.iter().find(|topic| topic.name == name) {
        return Ok(topic);
    }
    let lines = TOPICS.iter().map(|topic| format!("\n  {:<12} {}", topic.name, topic.about));
    bail!("no topic {name}; there are{}\n{USAGE}", lines.collect::<String>())
}
