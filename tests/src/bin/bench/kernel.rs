//! Topic `kernel`: nanoseconds a packet by BPF_PROG_TEST_RUN, of the very programs that a running
//! agent has attached, whatever maps and settings they have, beside floors and other projects'
//! programs. Owns the workloads; refuses to believe a figure before the agent has said that it
//! counted every packet, and the maps of the others say the same.
//!
//! Many flows are made by a program in front (see [`floors::next_flow`]) that calls the one that is
//! measured. Its own cost, with an empty program behind it, is taken off all figures.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use anyhow::{Context, Result, ensure};
use wherefore_tests::command::Scratch;
use wherefore_tests::lab::Lab;

use crate::agent::{Agent, counted, receiving_program};
use crate::bpf::{self, Hook};
use crate::captures::udp_frame;
use crate::figure::Figure;
use crate::floors::{self, Width};
use crate::objects::{self, Loaded};
use crate::usage;

/// Runs of each program within a round, in turn with the others; their median counts. Those of few flows
/// take milliseconds, so that whatever else the machine does meets some of them as a whole.
const TURNS: usize = 3;
const SHORT_TURNS: usize = 25;
/// Flows up to which runs are short.
const FEW_FLOWS: u32 = 1 << 10;
/// Packets of one run at least.
const PACKETS: u32 = 1 << 18;
/// Packets of one run with evidence: what the ring holds while the agent's thread sleeps.
const EVIDENCE_PACKETS: u32 = 8_000;
const EVIDENCE_TURNS: usize = 9;
const FILTER_TURNS: usize = 9;
/// What else may pass the device meanwhile, such as multicast reports.
const BACKGROUND: u64 = 200;

pub(crate) fn measure() -> Result<Vec<Figure>> {
    if let Err(reason) = Lab::privilege() {
        eprintln!("kernel: not measured: {reason}");
        return Ok(Vec::new());
    }
    let lab = Lab::new()?;
    usage::stay_on_one_processor()?;
    let mut figures = Vec::new();
    for hook in [Hook::Tc, Hook::Xdp] {
        for flows in [1, 1 << 10, 1 << 17, 1 << 20] {
            figures.extend(residents(&lab, hook, flows)?);
        }
        figures.extend(filters(&lab, hook)?);
        figures.extend(evidence(&lab, hook)?);
    }
    Ok(figures)
}

/// One program to run, and what is run instead of it.
struct Subject {
    name: String,
    program: OwnedFd,
    /// The program that makes flows and calls it.
    entry: Option<Entry>,
    /// Kept as long as the program.
    _map: Option<OwnedFd>,
}

/// A program in front.
struct Entry {
    program: OwnedFd,
    /// The kernel empties an array of programs once nobody holds it.
    _calls: OwnedFd,
}

impl Subject {
    fn new(
        name: &str,
        program: OwnedFd,
        map: Option<OwnedFd>,
        hook: Hook,
        flows: u32,
    ) -> Result<Self> {
        let entry = (flows > 1).then(|| {
            let calls = bpf::program_array(program.as_fd())?;
            let program = bpf::load(hook, &floors::next_flow(hook, flows, calls.as_fd()))?;
            anyhow::Ok(Entry { program, _calls: calls })
        });
        Ok(Self { name: name.to_owned(), program, entry: entry.transpose()?, _map: map })
    }

    fn run(&self, packets: u32) -> Result<f64> {
        let program = self.entry.as_ref().map_or(&self.program, |entry| &entry.program);
        bpf::run(program.as_fd(), &udp_frame(0), packets)
    }

    /// What its own program takes, without that in front.
    fn run_alone(&self, packets: u32) -> Result<f64> {
        bpf::run(self.program.as_fd(), &udp_frame(0), packets)
    }
}

/// So many flows are there already, and packets of all come in turn.
fn residents(lab: &Lab, hook: Hook, flows: u32) -> Result<Vec<Figure>> {
    let agent = Agent::start(&lab.b.namespace, &arguments(hook, flows, &[]))?;
    let mut subjects = floor_subjects(hook, flows)?;
    let attached = receiving_program(&lab.b, hook)?.as_fd().try_clone_to_owned()?;
    subjects.push(Subject::new("Wherefore", attached, None, hook, flows)?);
    let peers = peers(hook, flows)?;
    for peer in &peers {
        let program = peer.program()?.try_clone_to_owned()?;
        subjects.push(Subject::new(&peer.name, program, None, hook, flows)?);
    }
    let packets = PACKETS.max(flows);
    // The first cycle makes the flows.
    for subject in &subjects {
        subject.run(packets)?;
    }
    let turns = if flows <= FEW_FLOWS { SHORT_TURNS } else { TURNS };
    let nanoseconds = in_turn(turns, &subjects, |subject| subject.run(packets))?;
    let empty = subjects.first().context("no subject")?;
    let alone = median((0..turns).map(|_| empty.run_alone(packets)).collect::<Result<_>>()?);
    let in_front = nanoseconds.first().map_or(0.0, |with| with - alone);
    let run = u64::from(packets) * (1 + turns as u64);
    check(agent, run)?;
    let label = format!("{}, {}", word(hook), count(flows));
    let idle = idlers(&label, &peers, run);
    let names = subjects.iter().map(|subject| subject.name.as_str());
    let values = nanoseconds.into_iter().map(|with| with - in_front);
    let all = names.zip(values).filter(|(name, _)| !idle.contains(name));
    Ok(figures(&label, alone, all))
}

/// Each program's figure; of those that look something up also without what an empty program takes,
/// which is the test run's own part.
fn figures<'a>(
    label: &str,
    empty: f64,
    values: impl Iterator<Item = (&'a str, f64)>,
) -> Vec<Figure> {
    let mut figures = Vec::new();
    for (name, value) in values {
        let whole = Figure::new(format!("{label}: {name}"), value, "ns/packet");
        let less = Figure::new(format!("{label}: {name}, less empty"), value - empty, "ns/packet");
        let over = |figure: Figure, floors: &[&str]| {
            floors.iter().fold(figure, |figure, floor| figure.over(format!("{label}: {floor}")))
        };
        match name {
            "empty" | "parse" => figures.push(whole),
            "Wherefore" => {
                figures.push(over(whole, &["parse", "look-up"]));
                figures.push(over(less, &["look-up, less empty", "short look-up, less empty"]));
            }
            "look-up" | "short look-up" => figures.extend([whole, less]),
            _peer => {
                figures.push(over(whole, &["Wherefore"]));
                figures.push(over(less, &["Wherefore, less empty"]));
            }
        }
    }
    figures
}

/// Those that the user names; there are none by XDP.
fn peers(hook: Hook, flows: u32) -> Result<Vec<Loaded>> {
    let named = if hook == Hook::Tc { objects::named()? } else { Vec::new() };
    named.iter().map(|peer| peer.load(flows)).collect()
}

/// The names of those that did not count so many packets; says so.
fn idlers<'a>(label: &str, peers: &'a [Loaded], packets: u64) -> Vec<&'a str> {
    let idler = |peer: &'a Loaded| {
        let error = peer.check(packets).err()?;
        eprintln!("{label}: {error:#}: left out");
        Some(peer.name.as_str())
    };
    peers.iter().filter_map(idler).collect()
}

fn floor_subjects(hook: Hook, flows: u32) -> Result<Vec<Subject>> {
    let load = |code: &[u64]| bpf::load(hook, code);
    let look_up = |name, width| {
        let map = bpf::per_cpu_hash(width as u32, floors::VALUE, flows.max(1024))?;
        let program = load(&floors::look_up(hook, width, map.as_fd()))?;
        Subject::new(name, program, Some(map), hook, flows)
    };
    Ok(vec![
        Subject::new("empty", load(&floors::empty(hook))?, None, hook, flows)?,
        Subject::new("parse", load(&floors::parse(hook))?, None, hook, flows)?,
        look_up("look-up", Width::Both)?,
        look_up("short look-up", Width::V4)?,
    ])
}

/// One flow that matches the last of so many prefixes, and packets that match none.
fn filters(lab: &Lab, hook: Hook) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for prefixes in [1, 8, 100, 10_000] {
        let what = format!("{}, 1 flow: Wherefore, {prefixes} prefixes", word(hook));
        let mut filter: Vec<String> = Vec::new();
        // A command line's word may have 128 KiB at most.
        for some in prefix_list(prefixes).chunks(1000) {
            filter.extend(["--filter-ip-cidr".to_owned(), some.join(",")]);
        }
        let plain = format!("{}, 1 flow: Wherefore", word(hook));
        let left_out = format!("{}, left out: Wherefore, {prefixes} prefixes", word(hook));
        for (what, flow) in [(what, 0), (left_out, BESIDE)] {
            let value = one_flow(lab, hook, &filter, &udp_frame(flow), (FILTER_TURNS, PACKETS))?;
            figures.push(Figure::new(what, value, "ns/packet").over(plain.clone()));
        }
    }
    Ok(figures)
}

/// One flow whose packets are kept.
fn evidence(lab: &Lab, hook: Hook) -> Result<Vec<Figure>> {
    let short = udp_frame(0);
    let long = [&short[..], &[0; 1400]].concat();
    let directory = Scratch::new();
    let place = directory.path("evidence").display().to_string();
    let on = ["--evidence-ring", "64MB", "--archive-dir", &place].map(str::to_owned);
    let mut figures = Vec::new();
    for frame in [&short, &long] {
        let size = frame.len();
        let what = format!("{}, 1 flow: Wherefore, evidence of {size} octets", word(hook));
        let value = one_flow(lab, hook, &on, frame, (EVIDENCE_TURNS, EVIDENCE_PACKETS))?;
        let plain = format!("{}, 1 flow: Wherefore", word(hook));
        figures.push(Figure::new(what, value, "ns/packet").over(plain));
    }
    Ok(figures)
}

/// One flow through an agent with further options.
fn one_flow(
    lab: &Lab,
    hook: Hook,
    options: &[String],
    frame: &[u8],
    (turns, packets): (usize, u32),
) -> Result<f64> {
    let agent = Agent::start(&lab.b.namespace, &arguments(hook, 1, options))?;
    let program = receiving_program(&lab.b, hook)?;
    let run = |program: BorrowedFd<'_>| {
        // The agent's thread for evidence looks every 50 ms at the latest.
        wherefore_tests::lab::wait_until(std::time::Duration::from_millis(60), || false);
        bpf::run(program, frame, packets)
    };
    let values = (0..turns).map(|_| run(program.as_fd())).collect::<Result<_>>()?;
    check(agent, turns as u64 * u64::from(packets))?;
    Ok(median(values))
}

/// The agent's command line: an interval longer than the bench, so that flows stay resident.
fn arguments(hook: Hook, flows: u32, more: &[String]) -> Vec<String> {
    let attach = if hook == Hook::Tc { "tcx" } else { "xdp" };
    let flows = flows.max(1 << 16).to_string();
    let arguments =
        ["-i", "veth-b", "--attach", attach, "--transfer-interval", "200s", "--max-flows", &flows];
    arguments.iter().map(|word| (*word).to_owned()).chain(more.iter().cloned()).collect()
}

/// Stops the agent; an error unless it counted all packets.
fn check(agent: Agent, packets: u64) -> Result<()> {
    let log = agent.stop()?;
    let counted = counted(&log)?;
    let range = packets..packets + BACKGROUND;
    ensure!(range.contains(&counted), "{packets} packets were run, {counted} counted:\n{log}");
    Ok(())
}

/// The median of each subject, which take turns.
fn in_turn(
    turns: usize,
    subjects: &[Subject],
    run: impl Fn(&Subject) -> Result<f64>,
) -> Result<Vec<f64>> {
    let mut values = vec![Vec::new(); subjects.len()];
    for _ in 0..turns {
        for (values, subject) in values.iter_mut().zip(subjects) {
            values.push(run(subject)?);
        }
    }
    Ok(values.into_iter().map(median).collect())
}

/// The middle one; there is one at least.
pub(crate) fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A flow from none of the networks of [`prefix_list`].
const BESIDE: u32 = 0x00ff_ff00;

/// Networks beside the one that the frame is from, which is the last.
fn prefix_list(count: u32) -> Vec<String> {
    let prefix = |number: u32| {
        let [_, _, b, c] = number.to_be_bytes();
        format!("10.{b}.{c}.0/24")
    };
    (0..count).rev().map(prefix).collect()
}

fn word(hook: Hook) -> &'static str {
    match hook {
        Hook::Tc => "TC",
        Hook::Xdp => "XDP",
    }
}

fn count(flows: u32) -> String {
    match flows {
        1 => "1 flow".to_owned(),
        1_048_576.. => format!("{} M flows", flows >> 20),
        _ => format!("{} k flows", flows >> 10),
    }
}
