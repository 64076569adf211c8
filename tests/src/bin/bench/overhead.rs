//! Topic `overhead`: the cost of watching for traffic between two namespaces, with the agent and with
//! other programs. Owns the traffic, bounded in size; refuses to separate the processor time of the watcher from
//! that of sender and receiver, in whose contexts the kernel's share of the watching runs.
//!
//! That time is given twice: for the processes that take part and the kernel's softirq threads, which
//! other work on the machine does not disturb; and for the machine, which hides nothing.

use std::time::Instant;

use anyhow::{Result, ensure};
use wherefore_tests::command::Scratch;
use wherefore_tests::lab::packets::{Flows, many_flows};
use wherefore_tests::lab::traffic::{Datagrams, tcp_transfer, udp_send};
use wherefore_tests::lab::{Family, Lab};

use crate::agent::{Agent, counted};
use crate::figure::Figure;
use crate::peers::{Running, WATCHERS, Watcher};
use crate::usage;

/// Bytes of one transfer: a second or two.
const TCP_BYTES: u64 = 4 << 30;
/// Datagrams of one load, likewise.
const UDP_PACKETS: u32 = 400_000;
/// Bytes of payload in each: with all headers the shortest frame.
const UDP_PAYLOAD: usize = 18;

/// Flows of the third load, and packets of each: all are met again and again, and no cache holds them.
const FLOWS: u32 = 200_000;
const PACKETS_EACH: u32 = 8;

/// The watcher of the receiving device.
#[derive(Debug, Clone, Copy)]
enum Who {
    Nobody,
    /// The agent with these options; DIRECTORY stands for a folder to write to.
    Agent(&'static str, &'static [&'static str]),
    Peer(Watcher),
}

/// One that runs.
enum Watching {
    Nobody,
    Agent(Agent),
    Peer(Running),
}

const AGENTS: [Who; 3] = [
    Who::Agent("agent", &[]),
    Who::Agent("agent, evidence", &["--evidence-ring", "64MB", "--archive-dir", "DIRECTORY"]),
    Who::Agent("agent, libpcap", &["--daq", "libpcap"]),
];

pub(crate) fn measure() -> Result<Vec<Figure>> {
    if let Err(reason) = Lab::privilege() {
        eprintln!("overhead: not measured: {reason}");
        return Ok(Vec::new());
    }
    let lab = Lab::new()?;
    let peers = WATCHERS.iter().filter(|peer| peer.is_there()).map(|peer| Who::Peer(*peer));
    let mut figures = Vec::new();
    for who in [Who::Nobody].into_iter().chain(AGENTS).chain(peers) {
        match one(&lab, who) {
            Ok(some) => figures.extend(some),
            Err(error) => eprintln!("{}: left out: {error:#}", who.name()),
        }
    }
    Ok(figures)
}

fn one(lab: &Lab, who: Who) -> Result<Vec<Figure>> {
    let place = Scratch::new();
    let watching = who.start(lab, &place)?;
    let before = lab.wait_quiet()?;
    let (mut figures, gigabytes) = (Vec::new(), TCP_BYTES as f64 / 1e9);
    let (seconds, used) =
        watching.measured(|| tcp_transfer(&lab.a, &lab.b, Family::V4, TCP_BYTES, 0).map(drop))?;
    figures.push(who.figure("TCP: throughput", gigabytes * 8.0 / seconds, "Gbit/s"));
    figures.extend(who.processor("TCP", used, gigabytes, "s/GB"));
    let load = Datagrams {
        family: Family::V4,
        packets: UDP_PACKETS,
        payload: UDP_PAYLOAD,
        source_port: 0,
        target_port: 0,
        interval: std::time::Duration::ZERO,
    };
    let mut received = 0.0;
    let (seconds, used) = watching.measured(|| {
        received = udp_send(&lab.a, &lab.b, load)?.received_packets as f64;
        Ok(())
    })?;
    let millions = f64::from(UDP_PACKETS) / 1e6;
    figures.push(who.figure("UDP: sent", millions / seconds, "M/s"));
    figures.push(who.figure("UDP: received", received / 1e4 / millions, "% of sent"));
    figures.extend(who.processor("UDP", used, millions, "s/M"));
    let load = Flows { family: Family::V4, flows: FLOWS, packets_each: PACKETS_EACH };
    let (_, used) = watching.measured(|| many_flows(&lab.a, &lab.b, load).map(drop))?;
    let millions = f64::from(FLOWS * PACKETS_EACH) / 1e6;
    figures.extend(who.processor("many flows", used, millions, "s/M"));
    let after = lab.wait_quiet()?;
    let passed = after[1] - before[1];
    watching.check(passed.rx_packets + passed.tx_packets)?;
    Ok(figures)
}

/// Processor time, in seconds.
#[derive(Debug, Clone, Copy)]
struct Used {
    /// That of the processes that take part.
    ours: f64,
    machine: f64,
}

impl Who {
    fn name(self) -> &'static str {
        match self {
            Self::Nobody => "nobody",
            Self::Agent(name, _) => name,
            Self::Peer(peer) => peer.name,
        }
    }

    fn start(self, lab: &Lab, place: &Scratch) -> Result<Watching> {
        let (namespace, device) = (&lab.b.namespace, lab.b.device.as_str());
        Ok(match self {
            Self::Nobody => Watching::Nobody,
            Self::Agent(_, options) => {
                let directory = place.path("evidence").display().to_string();
                let options = options.iter().map(|word| word.replace("DIRECTORY", &directory));
                let arguments = ["-i", device].map(str::to_owned).into_iter().chain(options);
                Watching::Agent(Agent::start(namespace, &arguments.collect::<Vec<_>>())?)
            }
            Self::Peer(peer) => Watching::Peer(peer.start(namespace, device, &place.path(""))?),
        })
    }

    fn processor(self, what: &str, used: Used, per: f64, unit: &str) -> [Figure; 2] {
        [
            self.figure(&format!("{what}: processor"), used.ours / per, unit),
            self.figure(&format!("{what}: processor of the machine"), used.machine / per, unit),
        ]
    }

    /// A figure, as a multiple of its value with nobody watching.
    fn figure(self, what: &str, value: f64, unit: &str) -> Figure {
        let figure = Figure::new(format!("{what}, {}", self.name()), value, unit);
        if matches!(self, Self::Nobody) { figure } else { figure.over(format!("{what}, nobody")) }
    }
}

impl Watching {
    fn used(&self) -> Result<Used> {
        let watcher = match self {
            Self::Nobody => 0.0,
            Self::Agent(agent) => usage::family_seconds(agent.pid())?,
            Self::Peer(running) => usage::family_seconds(running.pid())?,
        };
        let ours = usage::own_seconds()? + watcher + usage::softirq_threads_seconds()?;
        Ok(Used { ours, machine: usage::machine_seconds()? })
    }

    /// Time, and processor time.
    fn measured(&self, work: impl FnOnce() -> Result<()>) -> Result<(f64, Used)> {
        let (start, before) = (Instant::now(), self.used()?);
        work()?;
        let (seconds, after) = (start.elapsed().as_secs_f64(), self.used()?);
        let ours = after.ours - before.ours;
        Ok((seconds, Used { ours, machine: after.machine - before.machine }))
    }

    /// Stops it. The agent counts packets on the wire, at least as many as the device's.
    fn check(self, device_packets: u64) -> Result<()> {
        let Self::Agent(agent) = self else { return Ok(()) };
        let log = agent.stop()?;
        let counted = counted(&log)?;
        let is_lossy = log.contains("lost by the capture");
        ensure!(
            is_lossy || counted >= device_packets,
            "{counted} packets were counted of {device_packets}:\n{log}"
        );
        if is_lossy {
            eprintln!("overhead: libpcap lost packets: {counted} counted of {device_packets}");
        }
        Ok(())
    }
}
