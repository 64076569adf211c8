//! Tests `wherefore replay` as its users see it: the same output every time, from any kind of file, with
//! every packet accounted for, and errors with advice.
#![allow(clippy::unwrap_used)]

use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use wherefore_tests::command::{METHODS, Run, Scratch, command, run, run_with_input, wait_until};
use wherefore_tests::corpus::directory;

mod common;

#[path = "replay/inputs.rs"]
mod inputs;
#[path = "replay/outputs.rs"]
mod outputs;
#[path = "replay/schema.rs"]
mod schema;

use inputs::{datagrams, number_of_frames};

const BURST: &str = "quiet-then-burst.pcap.gz";

fn made(name: &str) -> PathBuf {
    directory().join("made").join(name)
}

fn replay(name: &str, more: &[&str]) -> Run {
    let capture = made(name);
    let start: [&OsStr; 2] = ["replay".as_ref(), capture.as_os_str()];
    run(start.into_iter().chain(more.iter().map(AsRef::as_ref)))
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The totals at the end of standard output.
fn totals(run: &Run) -> Value {
    let last = run.stdout.lines().last().unwrap();
    serde_json::from_str::<Value>(last).unwrap()["totals"].clone()
}

fn number(totals: &Value, field: &str) -> u64 {
    totals[field].as_u64().unwrap()
}

#[test]
fn the_same_capture_gives_the_same_bytes() {
    for output in ["--flows", "--series", "--alerts"] {
        for group in ["pair", "flow", "src", "dst", "peer-prefix"] {
            let arguments = [output, "-", "--group-by", group];
            let once = replay(BURST, &arguments).succeeded().stdout;
            assert!(!once.is_empty(), "{arguments:?}");
            let again = replay(BURST, &arguments).succeeded().stdout;
            assert_eq!(once, again, "{arguments:?}");
        }
    }
    assert_eq!(replay(BURST, &[]).succeeded().stdout, replay(BURST, &[]).succeeded().stdout);
}

#[test]
fn every_grouping_sees_the_burst() {
    for (group, src, dst) in [
        ("pair", "10.0.0.13", "198.51.100.99"),
        ("flow", "10.0.0.13:51000", "198.51.100.99:443"),
        ("src", "10.0.0.13", "*"),
        ("dst", "*", "198.51.100.99"),
        ("peer-prefix", "*", "198.51.100.0/24"),
        ("name", "*", "198.51.100.99"),
    ] {
        let run = replay(BURST, &["--alerts", "-", "--group-by", group]).succeeded();
        let alerts = objects(&run.stdout);
        let [alert] = &alerts[..] else { panic!("{group}: {alerts:#?}") };
        assert_eq!((&alert["src"], &alert["dst"]), (&src.into(), &dst.into()), "{group}");
        assert_eq!(alert["group_by"], group);
    }
}

#[test]
fn all_groupings_have_the_same_bytes() {
    let sum = |group: &str| {
        let run = replay(BURST, &["--series", "-", "--group-by", group]).succeeded();
        objects(&run.stdout).iter().map(|line| line["bytes"].as_u64().unwrap()).sum::<u64>()
    };
    let totals = totals(&replay(BURST, &["--flows", "-"]).succeeded());
    for group in ["pair", "flow", "src", "dst", "peer-prefix", "country", "asn", "name"] {
        assert_eq!(sum(group), number(&totals, "bytes"), "{group}");
    }
}

#[test]
fn captures_have_no_owners() {
    for group in ["process", "unit", "container", "pod", "user"] {
        for command in ["replay", "backtest"] {
            let capture = made(BURST);
            let arguments = [OsStr::new(command), capture.as_os_str(), "--group-by".as_ref()];
            let failed = run(arguments.into_iter().chain([OsStr::new(group)]));
            assert_eq!(failed.code, Some(2), "{command} {group}");
            assert!(failed.stderr.contains("does not know the owners of bytes"), "{group}");
        }
    }
}

#[test]
fn compression_and_standard_input_make_no_difference() {
    let plain = replay("network.pcap", &["--flows", "-"]).succeeded().stdout;
    for packed in ["network.pcap.gz", "network.pcap.zst"] {
        assert_eq!(replay(packed, &["--flows", "-"]).succeeded().stdout, plain, "{packed}");
        let bytes = fs::read(made(packed)).unwrap();
        let piped = run_with_input(["replay", "-", "--flows", "-"], &bytes).succeeded();
        assert_eq!(piped.stdout, plain, "{packed} by standard input");
    }
}

#[test]
fn several_files_are_one_run() {
    let (quiet, network) = (made("quiet.pcap.gz"), made("network.pcap"));
    let both = run([
        OsStr::new("replay"),
        quiet.as_os_str(),
        network.as_os_str(),
        "--flows".as_ref(),
        "-".as_ref(),
    ]);
    let (first, second) = (totals_of("quiet.pcap.gz"), totals_of("network.pcap"));
    let sum = totals(&both.succeeded());
    for field in ["frames", "ip", "bytes", "frame_bytes"] {
        assert_eq!(number(&sum, field), number(&first, field) + number(&second, field), "{field}");
    }
}

fn totals_of(name: &str) -> Value {
    totals(&replay(name, &["--flows", "-"]).succeeded())
}

#[test]
fn late_packets_are_counted_and_reported() {
    // The second file is two minutes older than the end of the first.
    let (quiet, network) = (made("quiet.pcap.gz"), made("network.pcap"));
    let paths = [quiet.as_os_str(), network.as_os_str()];
    let run = run([OsStr::new("replay")].into_iter().chain(paths)).succeeded();
    let totals = totals(&run);
    let second = totals_of("network.pcap");
    assert_eq!(number(&totals, "late_packets"), number(&second, "frames"));
    assert!(run.stderr.contains("counted late"), "{}", run.stderr);
}

#[test]
fn the_documented_number_of_intervals_stays_open() {
    // One packet each second from 0 on, then one of the first second.
    let late = |seconds: u32, options: &[&str]| {
        let order = common::Order::Little;
        let times = (0..seconds).chain([0]);
        let records = times.map(|second| common::record(order, &[second, 0, 60, 60], &[0; 60]));
        let file = common::Header::default().bytes(order).into_iter().chain(records.flatten());
        let arguments = [&["replay", "-", "--transfer-interval", "1s"], options].concat();
        number(&totals(&run_with_input(arguments, &file.collect::<Vec<_>>())), "late_packets")
    };
    for (options, open) in [(&[][..], 12), (&["--reorder", "3"], 3)] {
        assert_eq!([late(open, options), late(open + 1, options)], [0, 1], "{open}");
    }
}

#[test]
fn flows_beyond_the_table_are_counted_as_overflow() {
    let whole = totals(&replay(BURST, &["--flows", "-"]).succeeded());
    for max in ["1", "3", "13"] {
        let run = replay(BURST, &["--flows", "-", "--max-flows", max]).succeeded();
        let totals = totals(&run);
        let overflow = number(&totals, "overflow");
        assert!(overflow > 0, "{max}");
        let flows = objects(&run.stdout);
        let packets: u64 = flows.iter().filter_map(|flow| flow["packets"].as_u64()).sum();
        assert_eq!(packets + overflow, number(&totals, "ip"), "{max}");
        let flow_bytes: u64 = flows.iter().filter_map(|flow| flow["bytes"].as_u64()).sum();
        assert_eq!(
            flow_bytes + number(&totals, "overflow_bytes"),
            number(&totals, "bytes"),
            "{max}"
        );
        for field in ["frames", "ip", "bytes", "frame_bytes"] {
            assert_eq!(totals[field], whole[field], "{max}: {field}");
        }
        assert!(run.stderr.contains("in no flow because the table was full"), "{}", run.stderr);
    }
}

#[test]
fn filtered_packets_are_declared() {
    let run = replay(BURST, &["--flows", "-", "--filter-ip-cidr", "198.51.100.0/24"]).succeeded();
    let (totals, lines) = (totals(&run), objects(&run.stdout));
    let flows = &lines[..lines.len() - 1];
    assert_eq!(flows.len(), 2, "{flows:?}");
    let packets: u64 = flows.iter().map(|flow| flow["packets"].as_u64().unwrap()).sum();
    assert_eq!((packets, number(&totals, "filtered")), (3600, 1440));
    assert_eq!(number(&totals, "ip"), 5040);
    assert!(run.stderr.contains("1,440 filtered"), "{}", run.stderr);
}

/// Packets watched and packets left out.
fn watched(options: &[&str]) -> (u64, u64) {
    let run = replay(BURST, options).succeeded();
    let totals = totals(&run);
    let filtered = number(&totals, "filtered");
    (number(&totals, "ip") - filtered, filtered)
}

#[test]
fn filters_select_the_documented_traffic() {
    const NET: &str = "--filter-ip-cidr=198.51.100.0/24";
    assert_eq!(watched(&[NET, "--filter-src"]), (1200, 3840));
    assert_eq!(watched(&[NET, "--filter-dst"]), (2400, 2640));
    assert_eq!(watched(&[NET, "--filter-bool=false"]), (1440, 3600));
    assert_eq!(watched(&["--filter-exclude=198.51.100.99"]), (1440, 3600));
    assert_eq!(watched(&["--filter-ip-cidr=2001:db8::/32"]), (0, 5040));
}

#[test]
fn the_go_tools_spelling_works() {
    let gnu = watched(&["--filter-ip-cidr=198.51.100.0/24", "--filter-src=true"]);
    assert_eq!(watched(&["-filter_ip_CIDR=198.51.100.0/24", "-filter_src=true"]), gnu);
    let file = format!("-pcapfile={}", made(BURST).display());
    let seed = run([&file, "-transfer_interval=5s", "-loglevel=ERROR"]).succeeded();
    assert_eq!(seed.stdout, replay(BURST, &[]).succeeded().stdout);
    assert_eq!(seed.stderr, "", "nothing is an error");
}

#[test]
fn a_missing_file_is_named() {
    let run = run(["replay", "no-such-file.pcap"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(1), ""));
    assert!(run.stderr.contains("cannot open no-such-file.pcap: No such file"), "{}", run.stderr);
}

#[test]
fn a_file_that_is_no_capture_is_refused_with_advice() {
    let scratch = Scratch::new();
    fs::write(scratch.path("text"), "Dear Sir or Madam,\nno packets here.\n").unwrap();
    for path in [scratch.path("text"), scratch.path(""), "/dev/null".into()] {
        let run = run([OsStr::new("replay"), path.as_os_str()]);
        assert_eq!(run.code, Some(1), "{path:?}: {}", run.stderr);
        assert!(run.stderr.contains("wherefore: cannot replay"), "{path:?}: {}", run.stderr);
        assert!(run.stderr.contains(path.to_str().unwrap()), "{path:?}: {}", run.stderr);
        assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    }
}

#[test]
fn wrong_options_are_all_named_at_once() {
    let run =
        replay(BURST, &["--alert-threshold", "2", "--anom-gv-cap", "2", "--anom-sensitivity", "3"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    for option in ["--alert-threshold 2: ", "--anom-gv-cap 2: ", "--anom-sensitivity 3: "] {
        assert!(run.stderr.contains(option), "{option} is missing: {}", run.stderr);
    }
    let too_many = replay(BURST, &["--anom-methods", "fence", "--anom-gv-cap", "10001"]);
    assert_eq!(too_many.code, Some(2), "{}", too_many.stderr);
    assert!(too_many.stderr.contains("--anom-gv-cap 10001: "), "{}", too_many.stderr);
    assert_eq!(replay(BURST, &["--no-such-option"]).code, Some(2));
    assert_eq!(replay(BURST, &["--transfer-interval", "5"]).code, Some(2));
    assert_eq!(run_without_file().code, Some(2));
}

fn run_without_file() -> Run {
    run(["replay"])
}

#[test]
fn time_without_traffic_costs_nothing() {
    let order = common::Order::Little;
    let seldom = datagrams(1, 1);
    let (header, frame) = (&seldom[..24], &seldom[40..]);
    for (packets, apart, options) in [
        (2000, 86_400, &[][..]),
        (2000, 3700, &[]),
        (2000, 86_400, &METHODS),
        (300, 86_400, &["--transfer-interval", "100ms"]),
    ] {
        let times = (1..=packets).map(|number| number * apart);
        let records = times.flat_map(|time| common::record(order, &[time, 0, 52, 52], frame));
        let file: Vec<_> = header.iter().copied().chain(records).collect();
        let began = Instant::now();
        let arguments = [&["replay", "-", "--flows", "-"], options].concat();
        let run = run_with_input(arguments, &file).succeeded();
        let took = began.elapsed();
        assert_eq!(number_of_frames(&run), u64::from(packets));
        // It took a minute in this build, and takes a fraction of a second.
        assert!(took < Duration::from_secs(10), "{packets} {apart} {options:?}: {took:?}");
    }
}

#[test]
fn an_output_that_cannot_be_written_ends_the_run() {
    let run = replay("network.pcap", &["--flows", "/no/such/directory/flows"]);
    assert_eq!(run.code, Some(1));
    assert!(run.stderr.contains("cannot create /no/such/directory/flows"), "{}", run.stderr);
    let full = replay("network.pcap", &["--flows", "/dev/full"]);
    assert_eq!(full.code, Some(1), "{}", full.stderr);
    assert!(full.stderr.contains("cannot write to /dev/full"), "{}", full.stderr);
}

#[test]
fn damage_is_reported_and_packets_before_it_count() {
    let run = replay("damaged.pcap", &[]).succeeded();
    assert!(run.stderr.contains("damaged.pcap is damaged at byte"), "{}", run.stderr);
    assert!(run.stderr.contains("what came before is counted"), "{}", run.stderr);
    assert!(number(&totals(&run), "frames") > 30);
}

#[test]
fn a_reader_that_closes_early_is_no_error() {
    let capture = made(BURST);
    let arguments = ["replay".as_ref(), capture.as_os_str(), "--series".as_ref(), "-".as_ref()];
    let mut command = command(arguments);
    command.args(["--transfer-interval", "100ms"]).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let mut line = String::new();
    output.read_line(&mut line).unwrap();
    drop(output);
    let run = Run::from(child.wait_with_output().unwrap());
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    for word in ["panicked", "ERROR", "Broken pipe"] {
        assert!(!run.stderr.contains(word), "{}", run.stderr);
    }
}

/// Ten thousand packets as a program gets them that reads a pipe which never ends.
fn feed_until_closed(mut pipe: ChildStdin) -> ChildStdin {
    let capture = replay_input();
    let (header, records) = capture.split_at(24);
    let mut written = pipe.write_all(header);
    while written.is_ok() {
        written = pipe.write_all(records);
    }
    pipe
}

fn replay_input() -> Vec<u8> {
    let mut plain = Vec::new();
    let packed = fs::File::open(made(BURST)).unwrap();
    flate2::read::GzDecoder::new(packed).read_to_end(&mut plain).unwrap();
    plain
}

fn ends_soon(child: &mut Child) -> bool {
    wherefore_tests::lab::wait_until(Duration::from_secs(10), || {
        child.try_wait().unwrap().is_some()
    })
}

/// One packet in six seconds, so that each is in another interval.
fn feed_seldom(mut pipe: ChildStdin) -> ChildStdin {
    let order = common::Order::Little;
    let capture = replay_input();
    let len = u32::from_le_bytes(capture[32..36].try_into().unwrap());
    let frame = &capture[40..][..len as usize];
    let mut written = pipe.write_all(&common::Header::default().bytes(order));
    let mut seconds = 0;
    while written.is_ok() {
        seconds += 6;
        written = pipe.write_all(&common::record(order, &[seconds, 0, len, len], frame));
    }
    pipe
}

/// A capture, and nothing after it though the pipe stays open.
fn feed_and_wait(mut pipe: ChildStdin) -> ChildStdin {
    let _ = pipe.write_all(&replay_input());
    pipe
}

#[test]
fn an_interrupted_replay_ends_with_its_totals() {
    for feed in [feed_until_closed, feed_seldom] {
        let said = interrupted(feed);
        assert!(said.contains("stopped before the end of the capture"), "{said}");
    }
    // It may still be reading to the end of the available data.
    let said = interrupted(feed_and_wait);
    assert!(said.contains(" WARN stopped "), "{said}");
}

/// The output of a replay that is interrupted after it has written something.
fn interrupted(feed: fn(ChildStdin) -> ChildStdin) -> String {
    let scratch = Scratch::new();
    let [series, flows] = ["series", "flows"].map(|name| scratch.path(name));
    // Standard output is read at the end, and has to have room for all until then.
    let mut command = command(["replay", "-", "--alerts", "-"]);
    command.arg("--series").arg(&series).arg("--flows").arg(&flows);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let (pipe, pid) = (child.stdin.take().unwrap(), Pid::from_raw(child.id().try_into().unwrap()));
    let feeder = std::thread::spawn(move || feed(pipe));
    wait_until("the replay has written something", || {
        fs::metadata(&series).is_ok_and(|file| file.len() > 0)
    });
    kill(pid, Signal::SIGINT).unwrap();
    let is_over = ends_soon(&mut child);
    // The pipe never ends: if the replay continued, it and this test would not end either.
    child.kill().unwrap();
    let run = Run::from(child.wait_with_output().unwrap());
    assert!(is_over, "it goes on after SIGINT: {}", run.stderr);
    let run = run.succeeded();
    drop(feeder.join());
    let lines = objects(&fs::read_to_string(&flows).unwrap());
    assert!(number(&lines.last().unwrap()["totals"], "frames") > 0, "{lines:?}");
    run.stderr
}

#[test]
fn the_log_level_selects_the_messages() {
    for (level, is_said) in [("debug", true), ("info", true), ("warn", false), ("error", false)] {
        let run = replay("quiet.pcap.gz", &["--loglevel", level]).succeeded();
        assert_eq!(run.stderr.contains("1,440 packets"), is_said, "{level}: {}", run.stderr);
    }
    for level in ["fatal", "panic", "Info"] {
        replay("quiet.pcap.gz", &["--loglevel", level]).succeeded();
    }
    assert_eq!(replay("quiet.pcap.gz", &["--loglevel", "loud"]).code, Some(2));
}

#[test]
fn the_alert_log_has_the_complete_alerts() {
    let scratch = Scratch::new();
    let (directory, alerts) = (scratch.path("new"), scratch.path("alerts"));
    let (directory, alerts) = (directory.to_str().unwrap(), alerts.to_str().unwrap());
    let log = PathBuf::from(directory).join("wherefore_anomalies.log");
    replay(BURST, &["-l", directory, "--alerts", alerts]).succeeded();
    let (once, alerts) = (fs::read_to_string(&log).unwrap(), fs::read_to_string(alerts).unwrap());
    assert_eq!(objects(&once).len(), 1);
    assert_eq!(once, alerts);
    assert_eq!(fs::metadata(&log).unwrap().permissions().mode() & 0o777, 0o600);
    replay(BURST, &["--log-dir", directory]).succeeded();
    assert_eq!(fs::read_to_string(&log).unwrap(), once.repeat(2), "a log is appended to");
}

#[test]
fn standard_output_to_a_pipe_has_every_interval() {
    let run = replay(BURST, &["--top", "2"]).succeeded();
    let events = objects(&run.stdout);
    let of = |kind: &str| events.iter().filter(|event| event["type"] == kind).collect::<Vec<_>>();
    let (intervals, alerts) = (of("interval"), of("alert"));
    assert_eq!((intervals.len(), alerts.len()), (24, 1));
    assert!(intervals.iter().all(|event| event["top"].as_array().unwrap().len() == 2));
    assert_eq!(intervals[20]["top"][0]["dst"], "198.51.100.99");
    let sum: u64 = intervals.iter().map(|event| event["ip"].as_u64().unwrap()).sum();
    assert_eq!(sum, number(&totals(&run), "ip"));
}
