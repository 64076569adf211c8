//! Names and places of addresses: country and AS of known ones, names from the DNS answers of captures
//! compared with tshark's, and alerts about places.
#![forbid(unsafe_code)]
#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use wherefore_tests::command::{Scratch, run, shared_captures};

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn known_addresses_have_their_country_and_as() {
    let asked = ["8.8.8.8", "114.114.114.114", "1.2.4.8", "2001:4860:4860::8888", "10.0.0.1"];
    let answers = run(["geo", "--geo", "built-in"].into_iter().chain(asked)).succeeded();
    let known: Vec<_> = lines(&answers.stdout)
        .iter()
        .map(|line| (line["country"].as_str().map(str::to_owned), line["asn"].as_u64()))
        .collect();
    let of = |country: &str, asn| (Some(country.to_owned()), Some(asn));
    let us = of("US", 15169);
    assert_eq!(known, [us.clone(), of("CN", 21859), of("CN", 24406), us, (None, None)]);
    let off = run(["geo", "--geo", "off", "8.8.8.8"]).succeeded();
    assert_eq!(lines(&off.stdout)[0]["country"], Value::Null);
}

/// The address of each name that tshark sees in the answers of a capture; the last one counts.
fn by_tshark(capture: &Path) -> BTreeMap<String, String> {
    let answers = "dns.flags.response == 1 && dns.flags.rcode == 0 && udp.srcport == 53";
    let fields = ["-e", "dns.qry.name", "-e", "dns.a", "-e", "dns.aaaa"];
    let mut tshark = Command::new("tshark");
    tshark.args(["-r"]).arg(capture).args(["-Y", answers, "-T", "fields"]).args(fields);
    let output = tshark.output().expect("tshark runs");
    let mut names = BTreeMap::new();
    for line in String::from_utf8_lossy(&output.stdout).lines() {
        let mut columns = line.split('\t');
        let name = columns.next().unwrap_or_default().to_ascii_lowercase();
        let addresses = columns.flat_map(|column| column.split(','));
        for address in addresses.filter(|address| !address.is_empty()) {
            names.insert(address.to_owned(), name.clone());
        }
    }
    names
}

/// The names that a replay assigns to the ends of its flows, by address.
fn by_replay(capture: &Path) -> BTreeMap<String, String> {
    let scratch = Scratch::new();
    let flows = scratch.path("flows");
    let arguments = ["replay", "--geo", "off", "--flows", flows.to_str().unwrap()];
    run(arguments.into_iter().chain([capture.to_str().unwrap()])).succeeded();
    let mut names = BTreeMap::new();
    for flow in lines(&fs::read_to_string(&flows).unwrap()) {
        for end in ["src", "dst"] {
            if let Some(name) = flow[format!("{end}_name")].as_str() {
                names.insert(flow[end].as_str().unwrap().to_owned(), name.to_owned());
            }
        }
    }
    names
}

#[test]
fn names_are_those_that_tshark_reads_in_the_answers() {
    let Some(shared) = shared_captures("names_are_those_that_tshark_reads") else { return };
    let manifest = fs::read_to_string(shared.join("manifest.tsv")).unwrap();
    let mut checked = 0;
    for name in CAPTURES {
        assert!(manifest.contains(name), "{name}");
        let capture = shared.join("captures").join(name);
        let (expected, found) = (by_tshark(&capture), by_replay(&capture));
        for (address, name) in &found {
            assert_eq!(Some(name), expected.get(address), "{address} in {}", capture.display());
        }
        checked += found.len();
    }
    assert!(checked >= 5, "{checked} names");
}

/// Captures in which hosts ask for names and then talk to the addresses.
const CAPTURES: [&str; 5] = [
    "benchmark-data__10.2.0.12__42c77b.pcap",
    "benchmark-data__10.3.0.13__5167f7.pcap",
    "benchmark-data__10.4.0.14__61c64c.pcap",
    "dpkt__dns_icmp__8879f4.pcap",
    "stratospherelinuxi__test7-malicious__cd8647.pcap",
];

/// A capture of datagrams of 1,000 bytes from a private address to this one.
fn sent_to(address: &[u8; 4], datagrams: u32) -> Vec<u8> {
    let mut packet = vec![0x45, 0, 3, 232, 0, 0, 0, 0, 64, 17, 0, 0, 192, 168, 1, 2];
    packet.extend(address);
    packet.extend([0x9c, 0x40, 1, 187, 3, 212, 0, 0]);
    packet.resize(1000, 0);
    let numbers =
        |numbers: &[u32]| numbers.iter().flat_map(|n| n.to_le_bytes()).collect::<Vec<_>>();
    let mut capture = numbers(&[0xa1b2_c3d4, 0x0004_0002, 0, 0, 65_535, 101]);
    for datagram in 0..datagrams {
        capture.extend(numbers(&[1_700_000_000, datagram, 1000, 1000]));
        capture.extend(&packet);
    }
    capture
}

/// Two replays give the same bytes, including alerts about places.
#[test]
fn alerts_about_places_are_the_same_each_time() {
    let scratch = Scratch::new();
    let capture = scratch.path("china.pcap");
    fs::write(&capture, sent_to(&[114, 114, 114, 114], 200)).unwrap();
    let replay = || {
        let arguments = ["replay", "--alert-country", "CN", "--alert-asn", "AS64500"];
        run(arguments.into_iter().chain([capture.to_str().unwrap()])).succeeded().stdout
    };
    let first = replay();
    assert_eq!(first, replay());
    let alerts = lines(&first).into_iter().filter(|line| line["type"] == "alert");
    let alerts: Vec<_> = alerts.filter(|alert| alert["kind"] == "country").collect();
    assert_eq!(alerts.len(), 1, "{first}");
    assert_eq!(
        (alerts[0]["dst"].as_str(), alerts[0]["dst_asn"].as_u64()),
        (Some("CN"), Some(21859))
    );
    let text = alerts[0]["text"].as_str().unwrap();
    assert!(text.contains("114.114.114.114 (CN, AS21859"), "{text}");
}

/// The packets of a place are kept beside its alert, and others are not.
#[test]
fn alerts_about_places_have_evidence() {
    let scratch = Scratch::new();
    let (capture, packets) = (scratch.path("both.pcap"), scratch.path("packets"));
    let others = sent_to(&[8, 8, 8, 8], 70);
    fs::write(&capture, [sent_to(&[114, 114, 114, 114], 150), others[24..].to_vec()].concat())
        .unwrap();
    let run = run(["replay", "--alert-country", "CN", "--evidence-ring", "1MB", "--archive-dir"]
        .map(AsRef::as_ref)
        .into_iter()
        .chain([packets.as_os_str(), capture.as_os_str()]));
    let alerts = lines(&run.succeeded().stdout);
    let alert = alerts.iter().find(|line| line["kind"] == "country").unwrap();
    let [file] = &alert["evidence"].as_array().unwrap()[..] else { panic!("{alert:#}") };
    let again = replay_flows(Path::new(file.as_str().unwrap()));
    let [flow] = &again[..] else { panic!("{again:#?}") };
    assert_eq!(
        (flow["dst"].as_str(), flow["packets"].as_u64()),
        (Some("114.114.114.114"), Some(150))
    );
}

fn replay_flows(capture: &Path) -> Vec<Value> {
    let run = run(["replay", capture.to_str().unwrap(), "--flows", "-"]).succeeded();
    lines(&run.stdout).into_iter().filter(|line| line.get("proto").is_some()).collect()
}

/// A group by name has the known name, or an address if there is none.
#[test]
fn groups_by_name_have_names() {
    let scratch = Scratch::new();
    let (capture, names) = (scratch.path("both.pcap"), scratch.path("names"));
    let others = sent_to(&[8, 8, 8, 8], 3);
    fs::write(&capture, [sent_to(&[192, 0, 2, 7], 2), others[24..].to_vec()].concat()).unwrap();
    fs::write(&names, "192.0.2.7 updates.example.org\n").unwrap();
    let run = run(["replay", "--group-by", "name", "--series", "-", "--names"]
        .map(AsRef::as_ref)
        .into_iter()
        .chain([names.as_os_str(), capture.as_os_str()]));
    let series = lines(&run.succeeded().stdout);
    let found: BTreeMap<_, _> = series
        .iter()
        .map(|line| (line["dst"].as_str().unwrap(), line["packets"].as_u64().unwrap()))
        .collect();
    assert_eq!(found, BTreeMap::from([("8.8.8.8", 3), ("updates.example.org", 2)]));
}
