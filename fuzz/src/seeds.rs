//! The seeds of fuzzing, made from the captures of `tests/corpus` by the code that writes such files. Also
//! owns the other files that targets need.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use wherefore_agent::attribute::Directory;
use wherefore_agent::history;
use wherefore_agent::input::Source;
use wherefore_agent::input::capture_file::CaptureFile;
use wherefore_agent::input::filter;
use wherefore_agent::input::replay::{ReplaySource, Settings};
use wherefore_agent::input::requests::requests;
use wherefore_agent::message::alert::Alert;
use wherefore_agent::message::{AlertContext, Alerting};
use wherefore_agent::options::cli::{Command, CommonArgs};
use wherefore_agent::options::reference::default_file;
use wherefore_agent::options::{EngineSettings, Request, load, message_settings};
use wherefore_agent::output::reading::{Reading, ViewMessage};
use wherefore_agent::output::sinks::{self, Sinks};
use wherefore_agent::output::state::State;
use wherefore_agent::traffic::interval::Interval;
use wherefore_agent::traffic::named;
use wherefore_common::{FlowKey, LinkType, Slice, dns, link};

use crate::{scratch, spool};

/// Traffic with one alert.
const BURST: &str = "made/quiet-then-burst.pcap.gz";
/// The most frames of a capture, because the rest is similar; and the most bytes of a capture.
const FRAMES: usize = 30;
const LONGEST: u64 = 64 << 10;

const EXPRESSIONS: [&str; 12] = [
    "tcp and (port 80 or port 443) and not src net 10.0.0.0/8",
    "src host 10.0.0.1 or dst net 2001:db8::/32",
    "udp portrange 1024-65535",
    "ip6 proto 58 or ip proto \\icmp",
    "not (udp or icmp) and not port domain",
    "net 192.168.0.0 mask 255.255.0.0",
    "port 53 or 80 or 0x1bb",
    "tcp[tcpflags] & (tcp-syn|tcp-fin) != 0",
    "ip[2:2] - 20 > 30 and len <= 100",
    "vlan 5 and ip6 protochain 6",
    "ether proto 0x86dd or ether multicast",
    "src and dst port 123 || sctp",
];
const REQUESTS: [&str; 10] = [
    "/metrics",
    "/healthz",
    "/readyz",
    "/api/v1/flows?offset=1&limit=2",
    "/api/v1/groups?by=pair&limit=1000",
    "/api/v1/top?by=country",
    "/api/v1/history?since=24h&to=now&by=peer&top=3&interface=eth0",
    "/api/v1/history?since=2026-01-01&to=monday",
    "/api/v1/why?target=10.0.0.13&since=2026-01-01T00%3A00%3A00Z",
    "/api/v1/openapi.json",
];
const TABLES: [&str; 3] = [
    "series,timestamp,value\na,2026-01-01T00:00:00Z,5\na,2026-01-01T00:00:05Z,7.5\nb,1767225605,3\n",
    "{\"interval\":0,\"start\":\"2026-01-01T00:00:00Z\",\"src\":\"a\",\"dst\":\"b\",\"packets\":2,\"bytes\":300,\
     \"frame_bytes\":316}\n{\"interval\":1,\"start\":\"2026-01-01T00:00:05Z\",\"src\":\"a\",\"dst\":\"b\",\
     \"packets\":2,\"bytes\":900,\"frame_bytes\":916}\n",
    "{\"proto\":6,\"src\":\"192.0.2.10\",\"sport\":34796,\"dst\":\"192.0.2.20\",\"dport\":443,\"packets\":2,\
     \"bytes\":3130,\"frame_bytes\":3165,\"first\":\"2026-01-01T00:00:01Z\",\"last\":\"2026-01-01T00:00:02Z\",\
     \"tcp_flags\":24,\"interface\":\"eth0\",\"direction\":\"egress\",\
     \"interval_start\":\"2026-01-01T00:00:00Z\",\"interval_end\":\"2026-01-01T00:00:05Z\"}\n",
];
const NUMBERS: [&str; 4] = [
    "1\n2\n3\n4\n5\n6\n7\n8\n9\n1e9\n",
    "timestamp,value\n2026-01-01T00:00:00Z,5\n2026-01-01T00:00:05Z,-0.5\n",
    "a,1,2,3,4,5,6,7,8,9,10,11\nb,1,1,1,1,1,1,1,1,1,1,99999\n",
    "\u{feff}series,timestamp,value\r\n\"a,b\",1767225600,5\r\n",
];

/// Writes them, a folder for each target.
///
/// # Errors
/// If a capture of the corpus can't be read, or a seed can't be written.
pub fn write(folder: &Path) -> Result<()> {
    for (target, _) in crate::TARGETS {
        let folder = folder.join(target);
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        for (number, seed) in of(target)?.into_iter().enumerate() {
            fs::write(folder.join(format!("seed-{number}")), seed).context("writing a seed")?;
        }
    }
    scratch::remove();
    Ok(())
}

/// Those of a target.
///
/// # Errors
/// As [`write`].
pub fn of(target: &str) -> Result<Vec<Vec<u8>>> {
    Ok(match target {
        "capture" => captures()?.iter().map(fs::read).collect::<Result<_, _>>()?,
        "frame" => {
            frames()?.into_iter().map(|frame| [&frame.head()[..], &frame.bytes].concat()).collect()
        }
        "dns" => frames()?.iter().filter_map(Frame::answer).collect(),
        "expression" => expressions()?,
        "options" => options(),
        "state" => state()?,
        "spool" => vec![spooled()?],
        "history" => vec![history()],
        "request" => REQUESTS.map(request).into(),
        "socket" => vec![reading()?],
        "table" => TABLES.map(|table| table.as_bytes().to_vec()).into(),
        "numbers" => numbers(),
        other => anyhow::bail!("no target is named {other}"),
    })
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/corpus")
}

fn captures() -> Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in ["made", "real"] {
        for entry in fs::read_dir(corpus().join(folder))? {
            let entry = entry?;
            let is_capture = !entry.file_name().to_string_lossy().ends_with(".jsonl");
            if is_capture && entry.metadata()?.len() <= LONGEST {
                found.push(entry.path());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// A frame of the corpus.
struct Frame {
    link: u16,
    wire_len: usize,
    bytes: Vec<u8>,
}

impl Frame {
    /// The bytes that the target `frame` reads in front of the frame.
    fn head(&self) -> [u8; 3] {
        let [high, low] = self.link.to_be_bytes();
        let longer = self.wire_len.saturating_sub(self.bytes.len()) / 8;
        [high, low, longer.min(255) as u8]
    }

    fn answer(&self) -> Option<Vec<u8>> {
        let mut key = FlowKey::default();
        let frame = Slice::new(&self.bytes, self.wire_len);
        let extent = link::parse(&frame, LinkType(self.link), &mut key).ok()?;
        dns::answer(&key, &extent, &self.bytes).map(<[u8]>::to_vec)
    }
}

fn frames() -> Result<Vec<Frame>> {
    let mut frames = Vec::new();
    for path in captures()? {
        let Ok(mut file) = CaptureFile::open(&path) else { continue };
        let mut left = FRAMES;
        while let (1.., Ok(Some(record))) = (left, file.next()) {
            let (link, wire_len) = (record.link_type, record.wire_len as usize);
            frames.push(Frame { link, wire_len, bytes: record.bytes.to_vec() });
            left -= 1;
        }
    }
    Ok(frames)
}

fn expressions() -> Result<Vec<Vec<u8>>> {
    let frames = frames()?;
    let ethernet = frames.iter().filter(|frame| frame.link == LinkType::ETHERNET.0);
    let each = EXPRESSIONS.into_iter().cycle().zip(ethernet).take(6 * EXPRESSIONS.len());
    Ok(each.map(|(text, frame)| [text.as_bytes(), &[0], &frame.bytes].concat()).collect())
}

/// The default file as it is, and with each of its options.
fn options() -> Vec<Vec<u8>> {
    let file = default_file();
    let set = |line: &str| line.strip_prefix("# ").or(line.strip_prefix('#')).map(str::to_owned);
    let options = file.lines().filter(|line| line.contains(" = ")).filter_map(set);
    let sink = "[[sink]]\ntype = \"slack\"\nurl = \"file:/dev/null\"\n".to_owned();
    let all = options.chain([sink, file.clone()]);
    all.map(String::into_bytes).collect()
}

fn request(path: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").into_bytes()
}

fn numbers() -> Vec<Vec<u8>> {
    let each = |kind: u8| NUMBERS.map(|text| [&[kind], text.as_bytes()].concat());
    (0..6).flat_map(each).collect()
}

/// The command of the words after `wherefore`.
pub(crate) fn command(words: &[&OsStr]) -> Option<Command> {
    let program = std::iter::once(OsStr::new("wherefore"));
    let arguments = program.chain(words.iter().copied()).map(OsStr::to_owned).collect();
    let no_file = ("config".to_owned(), "none".to_owned());
    let request = Request { arguments, environment: BTreeMap::from([no_file]) };
    load(&request).ok().and_then(|loaded| loaded.cli.command)
}

/// The options of a run without arguments.
pub(crate) fn common() -> CommonArgs {
    match command(&["replay".as_ref(), "-".as_ref()]) {
        Some(Command::Replay(args)) => args.common,
        _ => panic!("no replay"),
    }
}

/// Intervals of a capture with a burst.
fn intervals() -> Result<Vec<Arc<Interval>>> {
    let how = Settings {
        filter: filter::Settings::default(),
        interval: Duration::from_secs(5),
        max_flows: None,
        reorder: 12,
        shows_progress: false,
    };
    let mut source = ReplaySource::open(&[corpus().join(BURST)], &how, None)?;
    let (_requester, requests) = requests(None);
    let mut intervals = Vec::new();
    while let Some(interval) = source.next(&requests)? {
        intervals.push(Arc::new(interval));
    }
    Ok(intervals)
}

/// One interval.
pub(crate) fn interval() -> Arc<Interval> {
    intervals().expect("the corpus").swap_remove(3)
}

/// An agent that has processed everything, and its alerts.
fn judged() -> Result<(Alerting, Vec<Alert>)> {
    let common = common();
    let settings = EngineSettings::new(&common, 1000)?;
    let mut alerting = Alerting::new(settings, message_settings(&common))?;
    let directory = Directory::of_known(Arc::default(), Default::default());
    let name = |_| "eth0".to_owned();
    let context = AlertContext { host: "host", interface_name: &name, directory: &directory };
    let mut alerts = Vec::new();
    for interval in intervals()? {
        alerts.extend(alerting.step(&interval, &context).alerts);
    }
    Ok((alerting, alerts))
}

fn state() -> Result<Vec<Vec<u8>>> {
    let folder = scratch::folder("state-seed");
    let (alerting, alerts) = judged()?;
    let mut state = State::open(&folder)?;
    state.keep(&alerts.iter().collect::<Vec<_>>());
    state.keep_places(&state.seen_places());
    let mut past = state.past();
    let snapshot = alerting.engine.snapshot(&|_| "eth0".to_owned());
    past.write(&(named::all(), snapshot.context("nothing is usual")?));
    past.finish();
    state.finish();
    let file = |name: &str| fs::read(folder.join(name)).with_context(|| format!("no {name}"));
    let past = file("past")?;
    // The target makes the beginning and the digest itself.
    let body = past.iter().position(|byte| *byte == b'\n').unwrap_or_default() + 1 + 32;
    Ok(vec![
        [&[0], &file("incidents.json")?[..]].concat(),
        [&[1], &file("places.json")?[..]].concat(),
        [&[2], &past[body..]].concat(),
    ])
}

fn spooled() -> Result<Vec<u8>> {
    let folder = scratch::folder("spool-seed");
    // Nothing can be written there: alerts wait.
    let opened = sinks::open(&[spool::sink("/dev/full".into())], Some(&folder))?;
    let sinks = Sinks::start(opened, &[])?;
    judged()?.1.into_iter().for_each(|alert| sinks.send(&Arc::new(alert)));
    sinks.finish();
    fs::read(folder.join("file.redb")).context("no spool")
}

/// A file of the history.
pub(crate) fn history() -> Vec<u8> {
    let path = scratch::folder("history-seed").join("history.db");
    remember(&path).expect("a history");
    fs::read(path).expect("the history")
}

fn remember(path: &Path) -> Result<()> {
    let keep = Duration::from_secs(30 * 86_400);
    let settings = history::Settings { path: path.to_owned(), keep, most_bytes: 64 << 20 };
    let names = common().places.replay().names;
    let places = history::Places::open(Arc::default(), &names)?;
    let mut writer = history::Writer::start(history::Opened::open(&settings)?, places, false)?;
    for interval in intervals()? {
        writer.take(&interval, &[], &|_| "eth0".to_owned());
    }
    writer.finish();
    Ok(())
}

fn reading() -> Result<Vec<u8>> {
    let reading = Reading::of(&interval(), &|_| "eth0".to_owned(), &Arc::default());
    Ok(postcard::to_stdvec(&ViewMessage::Reading(Box::new(reading)))?)
}
