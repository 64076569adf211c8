//! `cargo xtask bench`: what the hot paths cost. Owns the workloads and their wording; refuses to
//! assert times, which differ between machines: compare figures of one run with each other.

use std::hint::black_box;
use std::io::Write;
use std::path::Path;
use std::time::Instant;

use anyhow::{Context, Result};
use wherefore_agent::anomaly::{Anomalyzer, Method, Options};
use wherefore_agent::detect::{AggregateDetector, Detector, FlowDetector};
use wherefore_agent::filter::Filter;
use wherefore_agent::interval::Table;
use wherefore_agent::source::capture_file::CaptureFile;
use wherefore_agent::source::frames::{CapturedFrame, FrameCounter};
use wherefore_common::abi::program;
use wherefore_common::{Direction, LinkType};
use wherefore_tests::kernel::Kernel;
use wherefore_tests::lab::Lab;

/// Runs of each workload; the median counts.
const RUNS: usize = 7;

/// One figure.
struct Figure {
    what: String,
    value: f64,
    unit: &'static str,
}

fn main() -> Result<()> {
    let mut figures = Vec::new();
    kernel(&mut figures)?;
    replay(&mut figures)?;
    anomalyzer(&mut figures)?;
    detectors(&mut figures)?;
    for Figure { what, value, unit } in &figures {
        println!("{what:<58} {value:>14.1} {unit}");
    }
    write_json(&figures)
}

/// Nanoseconds a packet by BPF_PROG_TEST_RUN: the kernel's own measure, without the device.
fn kernel(figures: &mut Vec<Figure>) -> Result<()> {
    if let Err(reason) = Lab::privilege() {
        println!("kernel programs: not measured, {reason}");
        return Ok(());
    }
    const REPEAT: u32 = 1_000_000;
    let mut kernel = Kernel::load(Direction::Ingress, 1 << 17)?;
    let plain = udp_frame(0);
    let tagged = [&plain[..12], &[0x81, 0, 0, 5], &plain[12..]].concat();
    let arp = [&plain[..12], &[0x08, 0x06], &[0; 46]].concat();
    let workloads = [
        (program::TC_INGRESS, "one IPv4/UDP flow", &plain),
        (program::TC_INGRESS, "one IPv4/UDP flow, VLAN tag", &tagged),
        (program::TC_INGRESS, "ARP", &arp),
        (program::XDP_FRAGS, "one IPv4/UDP flow", &plain),
    ];
    for (name, what, frame) in workloads {
        let value = median(|| Ok(kernel.run(name, frame, None, REPEAT)? as f64))?;
        figures.push(Figure { what: format!("{name}: {what}"), value, unit: "ns/packet" });
    }
    kernel_evidence(figures)
}

/// What it adds to keep packets as evidence. Nobody empties the ring, so that only as many packets
/// are run as it holds.
fn kernel_evidence(figures: &mut Vec<Figure>) -> Result<()> {
    const REPEAT: u32 = 7_000;
    let short = udp_frame(0);
    let long = [&short[..], &[0; 1400]].concat();
    for (frame, octets) in [(&short, 0), (&short, 256), (&long, 0), (&long, 256), (&long, 65_536)] {
        let value = median(|| {
            let mut kernel = Kernel::load_with_evidence(Direction::Ingress, 1 << 17, octets)?;
            Ok(kernel.run(program::TC_INGRESS, frame, None, REPEAT)? as f64)
        })?;
        let kept = frame.len().min(octets as usize);
        let what = format!("flow_tc_ingress: {} octets, {kept} kept as evidence", frame.len());
        figures.push(Figure { what, value, unit: "ns/packet" });
    }
    Ok(())
}

/// Packets a second from a capture in memory's file system cache, parsed and added to flows.
fn replay(figures: &mut Vec<Figure>) -> Result<()> {
    const PACKETS: u32 = 1_000_000;
    for flows in [1_000, 1_000_000] {
        let path =
            std::env::temp_dir().join(format!("wherefore-bench-{}.pcap", std::process::id()));
        write_capture(&path, PACKETS, flows)?;
        let read = median(|| seconds(|| read_only(&path)))?;
        let counted = median(|| seconds(|| read_and_count(&path)))?;
        std::fs::remove_file(&path)?;
        let rate = |seconds: f64| f64::from(PACKETS) / seconds / 1e6;
        figures.push(Figure {
            what: format!("capture file, {flows} flows: reading alone"),
            value: rate(read),
            unit: "million packets/s",
        });
        figures.push(Figure {
            what: format!("capture file, {flows} flows: reading, parsing, counting"),
            value: rate(counted),
            unit: "million packets/s",
        });
    }
    Ok(())
}

fn read_only(path: &Path) -> Result<()> {
    let mut file = CaptureFile::open(path)?;
    while let Some(record) = file.next()? {
        black_box(record.bytes);
    }
    Ok(())
}

fn read_and_count(path: &Path) -> Result<()> {
    let mut file = CaptureFile::open(path)?;
    let counter = FrameCounter::new(Filter::default(), None);
    let mut table = Table::default();
    while let Some(record) = file.next()? {
        let frame = CapturedFrame {
            time_ns: record.time_ns.unwrap_or(0),
            link: LinkType(record.link_type),
            wire_len: record.wire_len,
            octets: record.bytes,
            ifindex: 0,
        };
        counter.count(&mut table, &frame);
    }
    black_box(table.into_sorted());
    Ok(())
}

/// Nanoseconds an evaluation, by method and for the default methods together.
fn anomalyzer(figures: &mut Vec<Figure>) -> Result<()> {
    const EVALUATIONS: u32 = 2_000;
    let default = [Method::Magnitude, Method::Diff, Method::HighRank, Method::LowRank];
    let each = Method::ALL.iter().map(|method| (method.to_string(), vec![*method]));
    let sets = each.chain([("default methods".to_owned(), default.to_vec())]);
    for (name, methods) in sets {
        for points in [5usize, 10, 30] {
            let mut anomalyzer = Anomalyzer::new(options(methods.clone()))?;
            let window = window(points);
            let value = median(|| {
                let start = Instant::now();
                for _ in 0..EVALUATIONS {
                    black_box(anomalyzer.score(black_box(&window)));
                }
                Ok(start.elapsed().as_nanos() as f64 / f64::from(EVALUATIONS))
            })?;
            let what = format!("anomalyzer: {name}, {points} points");
            figures.push(Figure { what, value, unit: "ns/evaluation" });
        }
    }
    Ok(())
}

/// Nanoseconds a point of both detectors, for one series and for many that take turns.
fn detectors(figures: &mut Vec<Figure>) -> Result<()> {
    const POINTS: usize = 1_000_000;
    let points = traffic(4_096);
    for series in [1, 100_000] {
        let flow = per_point(&FlowDetector::default(), &points, series, POINTS)?;
        let aggregate = per_point(&AggregateDetector::default(), &points, series, POINTS)?;
        for (name, value) in [("flow", flow), ("aggregate", aggregate)] {
            let what = format!("detector {name}: {series} series in turn");
            figures.push(Figure { what, value, unit: "ns/point" });
        }
    }
    Ok(())
}

/// What a point costs, where `series` take turns and each has a past of ten points or more.
fn per_point<D: Detector>(
    detector: &D,
    points: &[f64],
    series: usize,
    steps: usize,
) -> Result<f64> {
    let mut states = vec![D::State::default(); series];
    let mut place = 0;
    let mut step = |states: &mut [D::State]| {
        // Each series meets all points, and none the same as its neighbour at the same time.
        let point = points[(place + place / series) % points.len()];
        place += 1;
        black_box(detector.step(&mut states[(place - 1) % series], black_box(point)));
    };
    (0..10 * series).for_each(|_| step(&mut states));
    median(|| {
        let start = Instant::now();
        (0..steps).for_each(|_| step(&mut states));
        Ok(start.elapsed().as_nanos() as f64 / steps as f64)
    })
}

/// Bytes an interval: silent half of the time, else from 100 B to 1 MB, evenly by the logarithm.
fn traffic(points: usize) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(5);
    let mut point = || if random.bool() { 0.0 } else { 10f64.powf(2.0 + 4.0 * random.f64()) };
    (0..points).map(|_| point()).collect()
}

fn options(methods: Vec<Method>) -> Options {
    Options {
        active_size: 1,
        n_seasons: 4,
        sensitivity: 0.1,
        lower_bound: None,
        upper_bound: 1e6,
        methods,
        delay: false,
        permutations: 500,
        seed: 0,
    }
}

/// Untied points around 10,000, the last one ten times as large.
fn window(points: usize) -> Vec<f64> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut window: Vec<f64> = (0..points).map(|_| 1e4 + random.f64() * 1e3).collect();
    if let Some(last) = window.last_mut() {
        *last *= 10.0;
    }
    window
}

fn median(mut measure: impl FnMut() -> Result<f64>) -> Result<f64> {
    let mut values = (0..RUNS).map(|_| measure()).collect::<Result<Vec<_>>>()?;
    values.sort_by(f64::total_cmp);
    Ok(values[RUNS / 2])
}

fn seconds(work: impl FnOnce() -> Result<()>) -> Result<f64> {
    let start = Instant::now();
    work()?;
    Ok(start.elapsed().as_secs_f64())
}

/// An Ethernet frame of 64 octets (with FCS) whose source tells the flow.
fn udp_frame(flow: u32) -> Vec<u8> {
    let [a, b, c, d] = flow.to_be_bytes();
    let mut frame = vec![2; 12];
    frame.extend([0x08, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0]);
    frame.extend([10, b, c, d, 192, 0, 2, 1]);
    frame.extend([0x10, a, 0, 53, 0, 26, 0, 0]);
    frame.resize(60, 0);
    frame
}

/// Packets of all flows in turn, 1 us apart.
fn write_capture(path: &Path, packets: u32, flows: u32) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).with_context(failed)?);
    let header = [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, 1];
    header.iter().try_for_each(|word| file.write_all(&word.to_le_bytes()))?;
    for packet in 0..packets {
        let frame = udp_frame(packet % flows);
        let length = u32::try_from(frame.len())?;
        let record = [1_700_000_000 + packet / 1_000_000, packet % 1_000_000, length, length];
        record.iter().try_for_each(|word| file.write_all(&word.to_le_bytes()))?;
        file.write_all(&frame)?;
    }
    file.flush().with_context(failed)
}

/// The figures for programs, in target/bench.json.
fn write_json(figures: &[Figure]) -> Result<()> {
    let object = |figure: &Figure| serde_json::json!({ "what": figure.what, "value": figure.value, "unit": figure.unit });
    let figures: Vec<_> = figures.iter().map(object).collect();
    let target = std::env::var("CARGO_TARGET_DIR").unwrap_or_else(|_| "target".to_owned());
    let path = Path::new(&target).join("bench.json");
    std::fs::write(&path, serde_json::to_vec_pretty(&figures)?)
        .with_context(|| format!("cannot write {}", path.display()))
}
