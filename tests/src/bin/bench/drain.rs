//! Topic `drain`: from the kernel's map through the window to the verdict. Owns the traffic, real
//! frames between two namespaces; refuses figures of an interval that lacks a flow.
//!
//! The source is opened in this process, so that memory and allocations can be told apart. Time runs
//! from the moment that the programs write to the other map; processor time includes the swap.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use wherefore_agent::cli::Attach;
use wherefore_agent::engine::Engine;
use wherefore_agent::filter::Filter;
use wherefore_agent::interval::Interval;
use wherefore_agent::source::Source;
use wherefore_agent::source::kernel::{KernelOptions, KernelSource};
use wherefore_agent::source::requests::{Requests, requests};
use wherefore_agent::source::selection::Selection;
use wherefore_tests::engine::step;
use wherefore_tests::lab::packets::{Flows, many_flows};
use wherefore_tests::lab::{Family, Lab};

use crate::figure::Figure;
use crate::judge::{count, settings};
use crate::{memory, usage};

/// Intervals, of which the last is measured: by then buffers have the size that they need.
const INTERVALS: u32 = 3;
/// Shorter than it takes to send, so that no interval is waited for.
const LENGTH: Duration = Duration::from_millis(1);
/// What else may be a flow: multicast reports.
const BACKGROUND: usize = 50;

pub(crate) fn measure() -> Result<Vec<Figure>> {
    if let Err(reason) = Lab::privilege() {
        eprintln!("drain: not measured: {reason}");
        return Ok(Vec::new());
    }
    let mut figures = Vec::new();
    for flows in [1_000, 100_000, 1_000_000] {
        figures.extend(flows_of(flows)?);
    }
    Ok(figures)
}

fn flows_of(flows: u32) -> Result<Vec<Figure>> {
    let lab = Lab::new()?;
    let (sent, is_sent) = channel();
    let (ready, is_ready) = channel();
    std::thread::scope(|scope| {
        // A thread of its own: in the namespace, and it gives up its privileges.
        let hosts = &lab;
        let measure = move || measuring_side(flows, &is_sent, &ready);
        let side = scope.spawn(move || hosts.b.enter(measure));
        let outcome = send(&lab, flows, &sent, &is_ready);
        // Where sending failed, the other side must not wait for ever.
        drop(sent);
        let figures = side.join().map_err(|_| anyhow::anyhow!("the measuring side panicked"))?;
        outcome.and(figures?)
    })
}

/// One packet of each flow as often as there are intervals, each time once the last was drained.
fn send(lab: &Lab, flows: u32, sent: &Sender<()>, is_ready: &Receiver<()>) -> Result<()> {
    let load = Flows { family: Family::V4, flows, packets_each: 1 };
    for _ in 0..INTERVALS {
        is_ready.recv().context("the measuring side has ended")?;
        many_flows(&lab.a, &lab.b, load)?;
        lab.wait_quiet()?;
        sent.send(()).context("the measuring side has ended")?;
    }
    Ok(())
}

fn measuring_side(flows: u32, is_sent: &Receiver<()>, ready: &Sender<()>) -> Result<Vec<Figure>> {
    let (_requester, requests) = requests(None);
    let empty = usage::resident("self")?;
    let mut source = open(flows)?;
    let mut engine = Engine::new(settings(flows, 1e5))?;
    let mut figures = Vec::new();
    for number in 0..INTERVALS {
        ready.send(()).context("the sending side has ended")?;
        is_sent.recv().context("the sending side has failed")?;
        let (interval, of_drain) = drain(&mut source, &requests, flows)?;
        if number == 0 {
            // Windows are full when it counts, and nothing but the last point is new.
            (1..20).for_each(|earlier| history(&mut engine, &interval, earlier - 20));
        }
        let of_judging = judge(&mut engine, &interval)?;
        let resident = (usage::resident("self")? - empty) / f64::from(flows);
        figures = [of_drain, of_judging].concat();
        figures.push(Figure::new(format!("{}: resident", count(flows)), resident, "bytes/flow"));
    }
    let whole = |end: &str| -> f64 {
        figures.iter().filter(|figure| figure.what.ends_with(end)).map(|figure| figure.value).sum()
    };
    let both = whole(", processor time");
    figures.push(Figure::new(format!("{}: both, processor time", count(flows)), both, "ms"));
    Ok(figures)
}

fn open(flows: u32) -> Result<KernelSource> {
    let options = KernelOptions {
        attach: Attach::Tcx,
        interval: LENGTH,
        max_flows: Some((flows + 1_000).next_multiple_of(65_536)),
        debug: false,
        object: None,
        recorder: None,
    };
    let selection = Selection::new(&["veth-b".to_owned()]);
    KernelSource::open(selection, &Filter::default(), &options)
}

fn drain(
    source: &mut KernelSource,
    requests: &Requests,
    flows: u32,
) -> Result<(Interval, Vec<Figure>)> {
    let (allocations, seconds) = (memory::allocations(), usage::thread_seconds()?);
    let interval = source.next(requests)?.context("no interval")?;
    let (used, asked) = (usage::thread_seconds()? - seconds, memory::allocations() - allocations);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos() as i64;
    let found = interval.flows.len();
    let expected = flows as usize..flows as usize + BACKGROUND;
    ensure!(expected.contains(&found), "{flows} flows were sent, {found} drained");
    let elapsed = (now - interval.end_ns) as f64 / 1e6;
    let label = count(flows);
    Ok((
        interval,
        vec![
            Figure::new(format!("{label}: drain, time"), elapsed, "ms"),
            Figure::new(format!("{label}: drain, processor time"), used * 1e3, "ms"),
            Figure::new(format!("{label}: drain, allocations"), asked as f64, "/interval"),
        ],
    ))
}

fn judge(engine: &mut Engine, interval: &Interval) -> Result<Vec<Figure>> {
    let (allocations, seconds) = (memory::allocations(), usage::thread_seconds()?);
    step(engine, interval);
    let (used, asked) = (usage::thread_seconds()? - seconds, memory::allocations() - allocations);
    let label = count(u32::try_from(interval.flows.len())?);
    Ok(vec![
        Figure::new(format!("{label}: judge, processor time"), used * 1e3, "ms"),
        Figure::new(format!("{label}: judge, allocations"), asked as f64, "/interval"),
    ])
}

/// The same flows, in an interval before.
fn history(engine: &mut Engine, interval: &Interval, index: i64) {
    step(engine, &Interval { index, ..interval.clone() });
}
