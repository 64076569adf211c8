//! Topic `history`: the time of queries over a month of a busy host, with 1,000 processes and 10,000 peers. Owns
//! the simulated month, which the agent's own writer keeps within its usual bounds.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Context, Result};
use wherefore_agent::attribute::geo::Geo;
use wherefore_agent::history::query::{self, Dimension, Question};
use wherefore_agent::history::{Opened, Places, Settings, Writer, schema};
use wherefore_agent::traffic::interval::Interval;
use wherefore_agent::traffic::who::{Owner, Process, Unattributed};
use wherefore_common::{Counters, FlowKey};

use crate::figure::Figure;

const PROCESSES: u32 = 1000;
const PEERS: u32 = 10_000;
/// Flows of an interval: as many as a minute keeps.
const FLOWS: u32 = 1250;
const MINUTE: i64 = 60;
const DAY: i64 = 24 * 3600;
const DAYS: i64 = 30;
/// Minutes between two intervals before the last day, whose minutes are not kept.
const APART: i64 = 10;
/// Times that each question is asked; the median counts.
const TIMES: usize = 3;

pub(crate) fn measure() -> Result<Vec<Figure>> {
    let file = std::env::temp_dir().join(format!("wherefore-bench-{}.db", std::process::id()));
    let done = fill(&file).and_then(|now| ask(&file, now));
    for end in ["", "-wal", "-shm", ".lock"] {
        let _ = std::fs::remove_file(format!("{}{end}", file.display()));
    }
    done
}

/// Writes the month; its end in seconds since 1970.
fn fill(file: &std::path::Path) -> Result<i64> {
    let now = i64::try_from(SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs())?;
    let end = now / MINUTE * MINUTE;
    let keep = Duration::from_secs((DAYS * DAY) as u64);
    let settings = Settings { path: file.to_owned(), keep, most_bytes: 200_000_000 };
    let places = Places::open(Arc::new(Geo::default()), &Default::default())?;
    let mut writer = Writer::start(Opened::open(&settings)?, places, false)?;
    let processes: Vec<_> = (0..PROCESSES).map(process).collect();
    let mut at = end - DAYS * DAY + 2 * MINUTE;
    while at < end {
        let interval = Arc::new(interval(at, &processes));
        writer.take(&interval, &[], &|_| "eth0".to_owned());
        at += if at < end - DAY { APART * MINUTE } else { MINUTE };
    }
    writer.finish();
    Ok(end)
}

/// Milliseconds of a question about all of it, and the size of the file.
fn ask(file: &std::path::Path, end: i64) -> Result<Vec<Figure>> {
    let mut connection = schema::open_to_read(file)?;
    let mut figures = Vec::new();
    for (name, by) in [
        ("by process", Dimension::Process),
        ("by peer", Dimension::Peer),
        ("by pair", Dimension::Pair),
        ("by port", Dimension::Port),
    ] {
        let from = end - DAYS * DAY;
        let question = Question { from, to: end, top: 20, columns: 100, only: Vec::new() };
        let mut times = Vec::new();
        for _ in 0..TIMES {
            let begin = Instant::now();
            let answer = query::ask(&mut connection, &question, &[by])?.remove(0);
            times.push(begin.elapsed().as_secs_f64() * 1e3);
            anyhow::ensure!(answer.lines.len() == 20 || by == Dimension::Port, "{by:?}: no lines");
        }
        times.sort_by(f64::total_cmp);
        figures.push(Figure::new(name.to_owned(), times[TIMES / 2], "ms"));
    }
    let size = std::fs::metadata(file).context("the file is gone")?.len();
    figures.push(Figure::new("size of the file".to_owned(), size as f64 / 1e6, "MB"));
    Ok(figures)
}

fn process(number: u32) -> Arc<Process> {
    Arc::new(Process {
        pid: number + 1,
        started_ns: 1,
        name: format!("worker{number}").into(),
        executable: Some(format!("/usr/bin/worker{number}").into()),
        arguments: None,
        uid: 1000,
        user: Some("app".into()),
        unit: Some(format!("worker@{number}.service").into()),
        container: None,
        pod: None,
        is_shared: false,
    })
}

/// A minute in which every flow is another process's and peer's than in those about it.
fn interval(at: i64, processes: &[Arc<Process>]) -> Interval {
    let (start_ns, end_ns) = ((at - MINUTE) * 1_000_000_000, at * 1_000_000_000);
    let mut interval = Interval { index: at / MINUTE, start_ns, end_ns, ..Interval::default() };
    let remote = interval.owners.add_owner(Owner::Unattributed(Unattributed::Remote));
    let mut random = at as u32;
    for _ in 0..FLOWS {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let (peer, owner) = ((random >> 8) % PEERS, (random >> 4) % PROCESSES);
        let key = FlowKey {
            src: [u64::from(0x0a00_0001_u32), 0],
            dst: [u64::from(0x0b00_0000 + peer), 0],
            ifindex: 2,
            sport: 40_000 + (random >> 20) as u16,
            dport: if random & 16 == 0 { 443 } else { 5432 },
            protocol: 6,
            family: 4,
            direction: 2,
            ..FlowKey::default()
        };
        let bytes = u64::from(random >> 12) + 100;
        let packets = bytes.div_ceil(1400);
        let counters = Counters { packets, bytes, device_packets: packets, ..Counters::default() };
        let local = Owner::Process(processes[owner as usize].clone());
        let local = interval.owners.add_owner(local);
        interval.owners.push(local, remote, local);
        interval.flows.push(&key, &counters);
    }
    interval
}
