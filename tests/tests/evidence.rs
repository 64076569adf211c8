//! Tests packet evidence of replays: the packets that are kept are those that were sent, as tcpdump and
//! tshark read them; bounds hold; and packets that cannot be kept only cost evidence.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::io::Write;
use std::net::IpAddr;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use wherefore_tests::command::{Run, Scratch, binary, command, run, run_with_input, wait_until};
use wherefore_tests::evidence::{ReadBack, files_with, packet_files, tcpdump, tshark};
use wherefore_tests::lab::Lab;
use wherefore_tests::lab::frames::{Link, Network, Transport};

const SECOND: i64 = 1_000_000_000;
/// The start time of the captures in these tests.
const START: i64 = 1_700_000_000 * SECOND + 7;
/// The second of the burst.
const BURST: i64 = 20;
const A: &str = "10.0.0.1";
const B: &str = "192.0.2.7";

/// Sent at a time; both as tcpdump will say.
fn packet(time_ns: i64, from: &str, to: &str, len: usize) -> ReadBack {
    let [source, target]: [IpAddr; 2] = [from.parse().unwrap(), to.parse().unwrap()];
    let byte = |place: usize| (time_ns as usize / 1000 + place) as u8;
    let datagram = Transport::udp(1000, 2000, (0..len).map(byte).collect());
    let link = Link::new([2, 0, 0, 0, 0, 1], [2, 0, 0, 0, 0, 2]);
    let bytes = link.frame(&Network::between(source, target), &datagram);
    ReadBack { time_ns, wire_len: bytes.len(), bytes }
}

/// A little traffic each second both ways, then a burst, then a little again.
fn conversation(from: &str, to: &str, burst: usize) -> Vec<ReadBack> {
    let mut packets = Vec::new();
    for second in 0..BURST + 5 {
        let time = START + second * SECOND;
        packets.push(packet(time, from, to, 100));
        packets.push(packet(time + 1_000_003, to, from, 60));
        if second == BURST {
            let each = |number| packet(time + 2_000_001 + number * 1001, from, to, 1400);
            packets.extend((0..burst as i64).map(each));
        }
    }
    packets
}

/// A capture file, with times to the nanosecond.
fn capture(packets: &[ReadBack]) -> Vec<u8> {
    let mut file = Vec::new();
    let numbers = [0xa1b2_3c4d, 4 << 16 | 2, 0, 0, 262_144, 1];
    numbers.iter().for_each(|number: &u32| file.extend(number.to_le_bytes()));
    packets.iter().for_each(|packet| file.extend(record(packet)));
    file
}

fn record(packet: &ReadBack) -> Vec<u8> {
    let (seconds, rest) = (packet.time_ns / SECOND, packet.time_ns % SECOND);
    let numbers = [seconds as u32, rest as u32, packet.bytes.len() as u32, packet.wire_len as u32];
    let mut record: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
    record.extend(&packet.bytes);
    record
}

/// The directories, and the output of a replay of these packets.
struct Replay {
    scratch: Scratch,
    run: Run,
}

impl Replay {
    fn of(packets: &[ReadBack], more: &[&str]) -> Self {
        let scratch = Scratch::new();
        let path = |name: &str| scratch.path(name).display().to_string();
        let start = ["replay", "-", "--transfer-interval", "1s", "--reorder", "1", "--alerts", "-"];
        let places = ["-l", &path("incoming"), "--archive-dir", &path("archive")];
        fs::create_dir(scratch.path("incoming")).unwrap();
        let arguments = start.iter().chain(&places).chain(more).copied();
        let run = run_with_input(arguments, &capture(packets)).succeeded();
        Self { scratch, run }
    }

    fn archive(&self) -> PathBuf {
        self.scratch.path("archive")
    }

    /// The alert about the beginning of the first incident.
    fn alert(&self) -> Value {
        let alerts = self.run.stdout.lines().map(|line| serde_json::from_str(line).unwrap());
        let mut firing = alerts.filter(|alert: &Value| alert["status"] == "firing");
        firing.next().unwrap_or_else(|| panic!("no alert: {}", self.run.stderr))
    }

    /// The files that the alert names.
    fn named(&self, extension: &str) -> Vec<PathBuf> {
        let alert = self.alert();
        let paths = alert["evidence"].as_array().unwrap().iter();
        let paths = paths.map(|path| PathBuf::from(path.as_str().unwrap()));
        paths.filter(|path| path.extension().unwrap() == extension).collect()
    }
}

fn read_all(files: &[PathBuf]) -> Vec<ReadBack> {
    let mut all: Vec<_> = files.iter().flat_map(|file| tcpdump(file).unwrap()).collect();
    all.sort();
    all
}

/// The number of bytes in the directories.
fn bytes_in(directory: &Path) -> u64 {
    packet_files(directory).iter().map(|file| file.metadata().unwrap().len()).sum()
}

#[test]
fn the_log_holds_exactly_the_packets_of_the_alert_both_ways() {
    let reported = conversation(A, B, 200);
    let mut all = [reported.clone(), conversation("10.0.0.3", "192.0.2.8", 0)].concat();
    all.sort();
    let replay = Replay::of(&all, &["-log_packets=true"]);
    let files = files_with(&replay.archive(), "pcap");
    assert_eq!(read_all(&files), reported);
    let named = replay.named("pcap");
    assert!(!named.is_empty() && named.iter().all(|file| files.contains(file)), "{named:?}");
    let name = files[0].file_name().unwrap().to_str().unwrap().to_owned();
    assert!(name.starts_with("10.0.0.1_to_192.0.2.7-"), "{name}");
    // Packets without an alert are removed.
    assert!(packet_files(&replay.scratch.path("incoming")).is_empty());
    for file in &files {
        assert_eq!(file.metadata().unwrap().permissions().mode() & 0o7777, 0o600);
    }
    let mode = replay.archive().metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o7777, 0o700);
}

#[test]
fn the_flight_recorder_has_packets_from_before_the_alert() {
    let reported = conversation(A, B, 200);
    let mut all = [reported.clone(), conversation("10.0.0.3", "192.0.2.8", 0)].concat();
    all.sort();
    let replay = Replay::of(&all, &["--evidence-ring", "4MB", "--evidence-snaplen", "128"]);
    let [file] = &replay.named("pcapng")[..] else { panic!("{}", replay.alert()) };
    // Up to the end of the interval that the alert is about.
    let end = START + (BURST + 1) * SECOND;
    let heads = reported.iter().filter(|packet| packet.time_ns < end).map(|packet| {
        let bytes = packet.bytes[..packet.bytes.len().min(128)].to_vec();
        ReadBack { bytes, ..packet.clone() }
    });
    assert_eq!(tcpdump(file).unwrap(), heads.collect::<Vec<_>>());
    let comments = tshark(file, "frame.comment").unwrap();
    let alert = replay.alert();
    assert_eq!(comments[0], alert["text"].as_str().unwrap());
    assert_eq!(tshark(file, "frame.interface_name").unwrap()[0], "capture");
    let bytes = fs::read(file).unwrap();
    let json = serde_json::to_string(&alert["key"]).unwrap();
    assert!(String::from_utf8_lossy(&bytes).contains(&json), "the alert is not in the section");
    assert_eq!(packet_files(&replay.archive()), std::slice::from_ref(file));
}

#[test]
fn the_same_capture_gives_the_same_evidence() {
    let packets = conversation(A, B, 300);
    let contents = || {
        let replay = Replay::of(&packets, &["--log-packets", "--evidence-ring", "1MB"]);
        let files = packet_files(&replay.archive()).into_iter();
        let path = replay.archive().display().to_string();
        let content = |file: PathBuf| {
            let text = String::from_utf8_lossy(&fs::read(&file).unwrap()).replace(&path, "");
            (file.file_name().unwrap().to_owned(), text)
        };
        files.map(content).collect::<Vec<_>>()
    };
    let once = contents();
    assert!(once.len() >= 2);
    assert!(once == contents(), "the files differ");
}

#[test]
fn packets_are_removed_when_their_group_is_forgotten() {
    let scratch = Scratch::new();
    let incoming = scratch.path("incoming");
    let mut replay = command(["replay", "-", "--transfer-interval", "1s", "--reorder", "1"]);
    replay.args(["--expire-after", "5", "--log-packets", "-l"]).arg(&incoming);
    replay.stdin(Stdio::piped()).stdout(Stdio::null());
    let mut child = replay.spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    let brief = packet(START, "10.0.0.3", "192.0.2.8", 10);
    input.write_all(&capture(&[brief])).unwrap();
    wait_until("the packet is logged", || packet_files(&incoming).len() == 1);
    for second in 0..10 {
        let other = packet(START + second * SECOND, A, B, 10);
        input.write_all(&record(&other)).unwrap();
    }
    let is_other = |path: &PathBuf| path.display().to_string().contains("10.0.0.1_to_192.0.2.7-");
    wait_until("only the other group is left", || {
        let files = packet_files(&incoming);
        files.len() == 1 && files.iter().all(is_other)
    });
    drop(input);
    assert!(child.wait().unwrap().success());
    assert!(packet_files(&incoming).is_empty());
}

#[test]
fn files_rotate_and_an_alert_has_a_bounded_number() {
    let packets = conversation(A, B, 6000);
    let bounds = ["--log-packets", "--max-pcap-log-size", "1", "--max-pcap-rotations", "3"];
    let replay = Replay::of(&packets, &bounds);
    let files = files_with(&replay.archive(), "pcap");
    assert!((4..=6).contains(&files.len()), "{files:?}");
    assert!(files.iter().all(|file| file.metadata().unwrap().len() <= 1_000_000));
    // The burst was read completely before its interval was judged, so its last packets are kept.
    let kept = read_all(&files);
    let burst: Vec<_> = packets.iter().filter(|packet| packet.wire_len > 1000).collect();
    let newest = &burst[burst.len() - 1000..];
    assert!(newest.iter().all(|packet| kept.binary_search(packet).is_ok()));
    assert!(kept.iter().all(|packet| packets.contains(packet)));
}

#[test]
fn the_directories_have_a_bound() {
    let mut all = conversation(A, B, 500);
    for host in 0..50 {
        all.extend(conversation(&format!("10.0.1.{host}"), "192.0.2.8", 0));
    }
    all.sort();
    let bounds = ["--log-packets", "--evidence-ring", "4MB", "--evidence-max-size", "300kB"];
    let replay = Replay::of(&all, &bounds);
    let total = bytes_in(&replay.archive()) + bytes_in(&replay.scratch.path("incoming"));
    assert!(total <= 300_000, "{total}");
    assert!(total > 200_000, "{total} bytes: room is left that was not used");
    assert!(replay.run.stderr.contains("beyond the allowed size"), "{}", replay.run.stderr);
    read_all(&packet_files(&replay.archive()));
}

#[test]
fn names_are_safe_for_addresses_of_either_family_and_every_grouping() {
    let packets = conversation("2001:db8::1", "fd00::7", 200);
    for group in ["pair", "flow", "src", "dst", "peer-prefix"] {
        let log = ["--log-packets", "--evidence-ring", "1MB", "--group-by", group];
        let replay = Replay::of(&packets, &log);
        let files = packet_files(&replay.archive());
        assert!(!files.is_empty(), "{group}");
        for file in files {
            let name = file.file_name().unwrap().to_str().unwrap();
            let is_safe = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            assert!(name.chars().all(is_safe) && !name.starts_with(['-', '.']), "{name}");
            tcpdump(&file).unwrap();
        }
        assert!(!replay.named("pcapng").is_empty(), "{group}");
    }
}

#[test]
fn no_link_is_followed_and_no_file_replaced() {
    let packets = conversation(A, B, 200);
    let first = Replay::of(&packets, &["--log-packets"]);
    let archived = &packet_files(&first.archive())[0];
    let name = archived.file_name().unwrap().to_str().unwrap().to_owned();
    let (stem, _) = name.split_once("-").unwrap();
    let digest = &name[stem.len() + 1..stem.len() + 9];
    // The same again, with somebody's links where the files would be written.
    let scratch = Scratch::new();
    let (incoming, target) = (scratch.path("incoming"), scratch.path("precious"));
    fs::create_dir(&incoming).unwrap();
    fs::write(&target, "precious").unwrap();
    for taken in [format!("{stem}-{digest}.0.pcap"), name] {
        std::os::unix::fs::symlink(&target, incoming.join(taken)).unwrap();
    }
    let directory = incoming.display().to_string();
    let arguments = ["replay", "-", "--transfer-interval", "1s", "--log-packets", "-l", &directory];
    run_with_input(arguments, &capture(&packets)).succeeded();
    assert_eq!(scratch.read("precious"), "precious");
    let mut files = packet_files(&incoming);
    files.retain(|file| !file.is_symlink());
    assert_eq!(read_all(&files), packets);
}

#[test]
fn a_full_disk_loses_evidence_but_no_counts() {
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("a_full_disk_loses_evidence_but_no_counts", &reason);
        return;
    }
    let scratch = Scratch::new();
    let packets = conversation(A, B, 2000);
    fs::write(scratch.path("capture"), capture(&packets)).unwrap();
    fs::create_dir(scratch.path("disk")).unwrap();
    let replay = |more: &[&str]| {
        // The mount is the child's alone.
        let script = "mount -t tmpfs -o size=256k tmpfs disk && \"$@\"; code=$?; \
                      cp -r disk/packets kept; exit $code";
        let mut unshare = Command::new("unshare");
        unshare.args(["-m", "sh", "-c", script, "sh"]).arg(binary());
        unshare.args(["replay", "capture", "--transfer-interval", "1s"]).args(more);
        unshare.current_dir(scratch.path("")).stdin(Stdio::null());
        Run::from(unshare.output().unwrap())
    };
    let log = ["--log-packets", "--evidence-ring", "4MB", "-l", "disk", "--archive-dir"];
    let full_disk = replay(&[&log[..], &["disk/packets"]].concat()).succeeded();
    assert!(full_disk.stderr.contains("could not be written"), "{}", full_disk.stderr);
    let capture = scratch.path("capture").display().to_string();
    let plain = run(["replay", &capture, "--transfer-interval", "1s"]).succeeded();
    let totals = |run: &Run| run.stdout.lines().last().unwrap().to_owned();
    assert_eq!(totals(&full_disk), totals(&plain));
    // The files that exist are complete.
    let files = packet_files(&scratch.path("kept"));
    assert!(!files.is_empty());
    let sent: std::collections::BTreeSet<_> = packets.iter().map(|packet| packet.time_ns).collect();
    let kept = read_all(&files);
    assert!(!kept.is_empty() && kept.iter().all(|packet| sent.contains(&packet.time_ns)));
}

#[test]
fn wrong_options_are_reported_together() {
    let run = run(["replay", "x", "--log-packets", "--evidence-ring", "1kB"]);
    assert_eq!(run.code, Some(2), "{}", run.stderr);
    for part in ["--log-packets: name the directory", "--evidence-ring: name", "from 64KiB"] {
        assert!(run.stderr.contains(part), "{part}: {}", run.stderr);
    }
}
