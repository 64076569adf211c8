//! Topic `replay`: capture files, a mix and a worst case, beside a bare loop over libpcap and other
//! programs. Owns the order, in turn within each round; refuses a figure of a program that failed.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use wherefore_tests::command::Scratch;

use crate::agent::program;
use crate::captures::{self, Capture};
use crate::figure::Figure;
use crate::peers::READERS;

const FLOOR: &str = "libpcap, reading alone";

pub(crate) fn measure() -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for capture in captures::both()? {
        // Once, so that the file is in memory for all.
        read_by_libpcap(&capture)?;
        figures.extend(rates(&capture, FLOOR, seconds(|| read_by_libpcap(&capture))?, None));
        let replay = seconds(|| replay(&capture))?;
        figures.extend(rates(&capture, "wherefore replay", replay, None));
        let replay = seconds(|| replay_with_flows(&capture))?;
        figures.extend(rates(&capture, "wherefore replay, writing flows", replay, None));
        figures.extend(peers(&capture)?);
    }
    Ok(figures)
}

fn peers(capture: &Capture) -> Result<Vec<Figure>> {
    let mut figures = Vec::new();
    for peer in READERS.iter().filter(|peer| peer.is_there()) {
        let place = Scratch::new();
        let mut command = peer.command(&std::path::absolute(&capture.path)?, &place.path(""));
        match seconds(|| run(&mut command)) {
            Ok(seconds) => figures.extend(rates(capture, peer.name, seconds, peer.at_most)),
            Err(error) => eprintln!("{}: left out: {error:#}", peer.name),
        }
    }
    Ok(figures)
}

/// Time as a multiple of the floor's, then the rates per second.
fn rates(capture: &Capture, who: &str, seconds: f64, at_most: Option<u32>) -> Vec<Figure> {
    let packets = at_most.map_or(capture.packets, |most| most.min(capture.packets));
    let part = f64::from(packets) / f64::from(capture.packets);
    let each = seconds * 1e9 / f64::from(packets);
    let label = |end: &str| format!("{}: {who}, {end}", capture.name);
    let floor = format!("{}: {FLOOR}, each", capture.name);
    let time = Figure::new(label("each"), each, "ns/packet");
    vec![
        if who == FLOOR { time } else { time.over(floor) },
        Figure::new(label("packets"), f64::from(packets) / seconds / 1e6, "M/s"),
        Figure::new(label("file"), capture.size as f64 * part / seconds / 1e6, "MB/s"),
    ]
}

/// The least work of any program that uses libpcap.
fn read_by_libpcap(capture: &Capture) -> Result<()> {
    let mut file = pcap::Capture::from_file(&capture.path)?;
    let (mut packets, mut bytes) = (0u32, 0u64);
    loop {
        match file.next_packet() {
            Ok(packet) => (packets, bytes) = (packets + 1, bytes + packet.data.len() as u64),
            Err(pcap::Error::NoMorePackets) => break,
            Err(error) => return Err(error).context("libpcap"),
        }
    }
    std::hint::black_box(bytes);
    ensure!(packets == capture.packets, "{packets} packets instead of {}", capture.packets);
    Ok(())
}

fn replay(capture: &Capture) -> Result<()> {
    check(capture, replaying(&capture.path)?)
}

fn replay_with_flows(capture: &Capture) -> Result<()> {
    let mut command = replaying(&capture.path)?;
    command.args(["--flows", "/dev/null"]);
    check(capture, command)
}

fn replaying(path: &Path) -> Result<Command> {
    let mut command = Command::new(program()?);
    command.args(["replay", "--no-progress"]).arg(path);
    Ok(command)
}

/// Runs it; an error unless it has seen all packets.
fn check(capture: &Capture, mut command: Command) -> Result<()> {
    let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}:\n{log}", output.status);
    let counted = crate::agent::counted(&log)?;
    ensure!(counted == u64::from(capture.packets), "{counted} packets were counted:\n{log}");
    Ok(())
}

fn run(command: &mut Command) -> Result<()> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{command:?}: {}: {}", output.status, said.trim());
    Ok(())
}

fn seconds(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}
