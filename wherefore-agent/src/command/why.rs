//! `wherefore why`: explains the current and earlier traffic of a target in sentences. Owns the order of the
//! output. Combines the running agent and the history, which own facts and words.

use std::cell::RefCell;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use serde::Serialize;

use crate::command::history::{LABELS, bars, width};
use crate::history::query::Question;
use crate::history::time::Clock;
use crate::history::{explain, find, schema, why};
use crate::options::cli::WhyArgs;
use crate::output::reading::ViewMessage;
use crate::output::socket;
use crate::output::standing::{Judgement, Standing};
use crate::output::terminal::model::Model;

/// The longest line of text, in columns.
const LINE: usize = 100;
/// The most columns of the plot.
const COLUMNS: usize = 100;
/// How long to wait for the agent's answer.
const PATIENCE: Duration = Duration::from_secs(3);

/// All facts about the target.
#[derive(Serialize)]
struct Answer {
    /// The facts from the history.
    #[serde(flatten)]
    facts: Option<why::Why>,
    /// The current state, from the running agent.
    live: Option<Standing>,
}

/// Asks the running agent and the history, and prints their facts.
///
/// # Errors
/// If neither knows the target, or the output cannot be written.
pub fn why(args: &WhyArgs) -> Result<()> {
    let clock = Clock::now();
    let (from, to) = clock.span(["--since", "--to"], &args.since, &args.to)?;
    let minutes = usize::try_from((to - from) / 60).unwrap_or(usize::MAX);
    let columns = width().saturating_sub(LABELS + 1).clamp(20, COLUMNS).min(minutes.max(1));
    let question = Question { from, to, top: 0, columns, only: Vec::new() };
    let live = live(args)?;
    let facts = facts(args, &question);
    let is_moving = live.as_ref().is_some_and(|live| live.in_bytes + live.out_bytes > 0);
    let (facts, missing) = match facts {
        Ok(facts) => (Some(facts), None),
        Err(error) if is_moving || (live.is_some() && args.target.is_none()) => {
            (None, Some(format!("{error:#}")))
        }
        Err(error) => return Err(error),
    };
    let answer = Answer { facts, live };
    let output = io::stdout();
    let mut output = io::BufWriter::new(output.lock());
    let written = if args.json {
        serde_json::to_writer(&mut output, &answer)
            .map_err(io::Error::from)
            .and_then(|()| writeln!(output))
    } else {
        show(&mut output, &answer, missing.as_deref(), &question, &clock)
    };
    written.and_then(|()| output.flush()).context("cannot write to standard output")
}

/// The facts from the history.
fn facts(args: &WhyArgs, question: &Question) -> Result<why::Why> {
    let mut connection = schema::open_to_read(&args.file.file())?;
    let target = find::find(&connection, args.target.as_deref())?;
    why::why(&mut connection, &target, question.from, question.to, question.columns)
}

/// The answer of the running agent, if one runs.
///
/// # Errors
/// If the user named a socket and no agent answers there.
fn live(args: &WhyArgs) -> Result<Option<Standing>> {
    let path = args.socket.clone().unwrap_or_else(|| PathBuf::from(socket::USUAL));
    match ask(&path) {
        Ok(model) => Ok(standing(&model, args.target.as_deref())),
        Err(error) if args.socket.is_some() => Err(error),
        Err(_) => Ok(None),
    }
}

/// Reads the messages that an agent sends to a new view: the last reading, open incidents, and findings that
/// were held back.
fn ask(path: &Path) -> Result<Model> {
    let (hello, stream) = socket::connect(path)?;
    stream.get_ref().set_read_timeout(Some(PATIENCE)).context("cannot wait for the agent")?;
    let model = RefCell::new(Model::default());
    model.borrow_mut().apply(hello);
    socket::attach(stream, |news| {
        let is_last = matches!(news, ViewMessage::Judged(_));
        model.borrow_mut().apply(news);
        !is_last
    });
    Ok(model.into_inner())
}

fn standing(model: &Model, target: Option<&str>) -> Option<Standing> {
    let counts = &model.counts;
    let alerts: Vec<_> = counts.incidents.iter().collect();
    let held: Vec<_> = counts.held.iter().collect();
    let judged = Judgement { alerts: &alerts, held: &held, held_back: &counts.held_back };
    Standing::of(counts, judged, target)
}

fn show(
    output: &mut impl Write,
    answer: &Answer,
    missing: Option<&str>,
    question: &Question,
    clock: &Clock,
) -> io::Result<()> {
    let moved = answer.facts.as_ref().filter(|facts| facts.total.packets() > 0);
    if let Some(facts) = moved {
        let shown = Question { from: facts.from, to: facts.to, ..question.clone() };
        bars(output, &facts.columns, &shown, clock)?;
    }
    let options = textwrap::Options::new(width().min(LINE)).subsequent_indent("  ");
    let live = answer.live.iter().flat_map(Standing::sentences);
    let past = answer.facts.iter().flat_map(|facts| explain::sentences(facts, clock));
    let missing = missing.map(|why| format!("Earlier traffic is not known: {why}."));
    for sentence in live.chain(past).chain(missing) {
        let lines = textwrap::wrap(&sentence, &options);
        lines.iter().try_for_each(|line| writeln!(output, "{line}"))?;
    }
    Ok(())
}
