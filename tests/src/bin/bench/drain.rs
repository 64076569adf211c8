//! Topic `drain`: from the kernel through the window to the verdict, by the methods and by rarity,
//! which is the default. Owns the traffic, real frames between two namespaces; refuses figures of an
//! interval that lacks a flow.
//!
//! The source is opened in this process, so that memory and allocations can be distinguished. Time runs
//! from the moment that the programs write to the other map; processor time includes the swap.

use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result, ensure};
use wherefore_agent::detect::engine::Engine;
use wherefore_agent::input::Attach;
use wherefore_agent::input::Source;
use wherefore_agent::input::filter::Filter;
use wherefore_agent::input::kernel::{KernelOptions, KernelSource};
use wherefore_agent::input::requests::{Requests, requests};
use wherefore_agent::input::selection::Selection;
use wherefore_agent::options::EngineSettings;
use wherefore_agent::traffic::interval::Interval;
use wherefore_tests::engine::rarity;
use wherefore_tests::lab::packets::{Flows, many_flows};
use wherefore_tests::lab::{Family, Lab};

use crate::figure::Figure;
use crate::judge::{count, settings};
use crate::{memory, usage};

/// Intervals, of which the last is measured: by then buffers have the size that they need.
const INTERVALS: u32 = 3;
/// Shorter than it takes to send, so that no interval is waited for.
const LENGTH: Duration = Duration::from_millis(1);
/// Times that the last interval is judged, as one after the other: one in four closes a longer block
/// of each flow, one in sixteen also a longer one.
const TIMES: u32 = 16;
/// Other possible flows: multicast reports.
const BACKGROUND: usize = 50;

pub(crate) fn measure() -> Result<Vec<Figure>> {
    if let Err(reason) = Lab::privilege() {
        eprintln!("drain: not measured: {reason}");
        return Ok(Vec::new());
    }
    let mut figures = Vec::new();
    for by in [By::Methods, By::Rarity] {
        for flows in [1_000, 100_000, 1_000_000] {
            figures.extend(flows_of(flows, by)?);
        }
    }
    Ok(figures)
}

/// How flows are judged, each a group of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum By {
    /// The Go tool's methods.
    Methods,
    /// By rarity: the default.
    Rarity,
}

impl By {
    fn settings(self, flows: u32) -> EngineSettings {
        let rarity = (self == Self::Rarity).then(|| rarity("10/day"));
        EngineSettings { rarity, ..settings(flows, 1e5) }
    }

    fn label(self, flows: u32) -> String {
        match self {
            Self::Methods => count(flows),
            Self::Rarity => format!("{}, by rarity", count(flows)),
        }
    }
}

fn flows_of(flows: u32, by: By) -> Result<Vec<Figure>> {
    let lab = Lab::new()?;
    let (sent, is_sent) = channel();
    let (ready, is_ready) = channel();
    std::thread::scope(|scope| {
        // A thread of its own: in the namespace, and it drops its privileges.
        let hosts = &lab;
        let measure = move || measuring_side(flows, by, &is_sent, &ready);
        let side = scope.spawn(move || hosts.b.enter(measure));
        let outcome = send(&lab, flows, &sent, &is_ready);
        // If sending failed, the other side must not wait forever.
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

fn measuring_side(
    flows: u32,
    by: By,
    is_sent: &Receiver<()>,
    ready: &Sender<()>,
) -> Result<Vec<Figure>> {
    let label = by.label(flows);
    let (_requester, requests) = requests(None);
    let empty = memory::resident_before()?;
    let mut source = open(flows)?;
    let mut engine = Engine::new(by.settings(flows))?;
    let mut figures = Vec::new();
    for number in 0..INTERVALS {
        ready.send(()).context("the sending side has ended")?;
        is_sent.recv().context("the sending side has failed")?;
        let (mut interval, of_drain) = drain(&mut source, &requests, flows, &label)?;
        if number == 0 {
            // Windows are full when it counts, and nothing but the last point is new.
            (1..20).for_each(|earlier| history(&mut engine, &interval, earlier - 20));
        }
        let times = if number + 1 == INTERVALS { TIMES } else { 1 };
        let of_judging = judge(&mut engine, &mut interval, times, &label)?;
        let resident = (usage::resident("self")? - empty) / f64::from(flows);
        figures = [of_drain, of_judging].concat();
        figures.push(Figure::new(format!("{label}: resident"), resident, "bytes/flow"));
    }
    let whole = |end: &str| -> f64 {
        figures.iter().filter(|figure| figure.what.ends_with(end)).map(|figure| figure.value).sum()
    };
    let both = whole(", processor time");
    figures.push(Figure::new(format!("{label}: both, processor time"), both, "ms"));
    Ok(figures)
}

fn open(flows: u32) -> Result<KernelSource> {
    let options = KernelOptions {
        attach: Attach::Tcx,
        order: wherefore_agent::input::AttachOrder::default(),
        interval: LENGTH,
        max_flows: Some((flows + 1_000).next_multiple_of(65_536)),
        debug: false,
        object: None,
        learns_names: false,
        recorder: None,
        loads_in_turn: false,
        owners: wherefore_agent::input::owners::Mode::Off,
    };
    let selection = Selection::new(&["veth-b".to_owned()]);
    KernelSource::open(selection, &Filter::default(), &options)
}

fn drain(
    source: &mut KernelSource,
    requests: &Requests,
    flows: u32,
    label: &str,
) -> Result<(Interval, Vec<Figure>)> {
    let (allocations, seconds) = (memory::allocations(), usage::thread_seconds()?);
    let interval = source.next(requests)?.context("no interval")?;
    let (used, asked) = (usage::thread_seconds()? - seconds, memory::allocations() - allocations);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?.as_nanos() as i64;
    let found = interval.flows.len();
    let expected = flows as usize..flows as usize + BACKGROUND;
    ensure!(expected.contains(&found), "{flows} flows were sent, {found} drained");
    let elapsed = (now - interval.end_ns) as f64 / 1e6;
    Ok((
        interval,
        vec![
            Figure::new(format!("{label}: drain, time"), elapsed, "ms"),
            Figure::new(format!("{label}: drain, processor time"), used * 1e3, "ms"),
            Figure::new(format!("{label}: drain, allocations"), asked as f64, "/interval"),
        ],
    ))
}

/// Judges an interval, as this many one after the other; figures for one.
fn judge(
    engine: &mut Engine,
    interval: &mut Interval,
    times: u32,
    label: &str,
) -> Result<Vec<Figure>> {
    let (allocations, seconds) = (memory::allocations(), usage::thread_seconds()?);
    for time in 0..times {
        engine.step(interval);
        interval.index += i64::from(time + 1 < times);
    }
    let (used, asked) = (usage::thread_seconds()? - seconds, memory::allocations() - allocations);
    let each = |sum: f64| sum / f64::from(times);
    Ok(vec![
        Figure::new(format!("{label}: judge, processor time"), each(used * 1e3), "ms"),
        Figure::new(format!("{label}: judge, allocations"), each(asked as f64), "/interval"),
    ])
}

/// The same flows, in an interval before.
fn history(engine: &mut Engine, interval: &Interval, index: i64) {
    engine.step(&Interval { index, ..interval.clone() });
}
