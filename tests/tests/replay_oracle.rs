//! Tests replays of real captures whose flows, pairs and series are known from independent readers.
//!
//! Owns the comparison of `wherefore replay` with `../shared/pcaps`, by the classes that its README
//! defines, and of its alerts with the labels there. Refuses to skip a capture: those that cannot be
//! compared, or alerted about by volume, are listed here with the reason.
#![allow(clippy::unwrap_used)]

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wherefore_tests::command::{METHODS, Run, Scratch, run, shared_captures};

type Row = HashMap<String, String>;
/// proto, src, sport, dst, dport -> packets, bytes, frame bytes, first, last.
type Flows = BTreeMap<(u64, String, u64, String, u64), [i128; 5]>;
/// src, dst -> packets, bytes, frame bytes.
type Pairs = BTreeMap<(String, String), [i128; 3]>;
/// bin, src, dst -> packets, bytes, frame bytes.
type Series = BTreeMap<(i128, String, String), [i128; 3]>;

/// Files whose times are undefined, besides the class `bad-timestamps`: counts are compared.
const UNDEFINED_TIMES: [&str; 2] = [
    // Times of the 26th century, beyond 64-bit nanoseconds.
    "pcapplusplus__pcapng-example__3cedb8.pcapng",
    // Microseconds of 1,000,000 and more.
    "pf_ring__babel_update_oobr__3de713.pcap",
];

fn rows(path: &Path) -> Vec<Row> {
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let heads: Vec<_> = lines.next().unwrap().split('\t').map(str::to_owned).collect();
    let row = |line: &str| heads.iter().cloned().zip(line.split('\t').map(str::to_owned)).collect();
    lines.map(row).collect()
}

fn objects(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

fn nanoseconds(time: &Value) -> i128 {
    time.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_nanosecond()
}

fn number(object: &Value, field: &str) -> i128 {
    object[field].as_i64().unwrap().into()
}

fn string(object: &Value, field: &str) -> String {
    object[field].as_str().unwrap().to_owned()
}

fn integers<const N: usize>(row: &Row, columns: [&str; N]) -> [i128; N] {
    columns.map(|column| row[column].parse().unwrap())
}

/// The result of a replay of a capture, or that of the oracle.
#[derive(Debug, Default)]
struct Account {
    flows: Flows,
    series: Series,
    totals: BTreeMap<&'static str, i128>,
}

const TOTALS: [(&str, &str); 4] =
    [("all", "frames"), ("ip", "ip"), ("non_ip", "non_ip"), ("malformed_ip", "malformed_ip")];

impl Account {
    fn oracle(pcaps: &Path, file: &str) -> Self {
        let table = |kind: &str| rows(&pcaps.join("oracle").join(format!("{file}.{kind}.tsv")));
        let flow = |row: Row| {
            let [proto, sport, dport] =
                ["proto", "sport", "dport"].map(|c| row[c].parse().unwrap());
            let columns = ["packets", "ip_bytes", "frame_bytes", "first_ns", "last_ns"];
            ((proto, row["src"].clone(), sport, row["dst"].clone(), dport), integers(&row, columns))
        };
        let bin = |row: Row| {
            let key = (row["bin"].parse().unwrap(), row["src"].clone(), row["dst"].clone());
            (key, integers(&row, ["packets", "ip_bytes", "frame_bytes"]))
        };
        let counted = table("totals");
        let total = |(theirs, ours): (&str, &'static str)| {
            let row = counted.iter().find(|row| row["what"] == theirs);
            (ours, row.map_or(0, |row| row["packets"].parse().unwrap()))
        };
        Self {
            flows: table("flows").into_iter().map(flow).collect(),
            series: table("series").into_iter().map(bin).collect(),
            totals: TOTALS.map(total).into_iter().collect(),
        }
    }

    fn replayed(flows: &str, series: &str) -> Self {
        let mut account = Self::default();
        for line in objects(flows) {
            if let Some(totals) = line.get("totals") {
                account.totals =
                    TOTALS.map(|(_, field)| (field, number(totals, field))).into_iter().collect();
                continue;
            }
            let port = |field| line[field].as_u64().unwrap();
            let key = (
                port("proto"),
                string(&line, "src"),
                port("sport"),
                string(&line, "dst"),
                port("dport"),
            );
            let [packets, bytes, frames] = counts(&line);
            let (first, last) = (nanoseconds(&line["first"]), nanoseconds(&line["last"]));
            let before = account.flows.insert(key, [packets, bytes, frames, first, last]);
            assert!(before.is_none(), "a flow is written once: {line}");
        }
        for line in objects(series) {
            let key = (number(&line, "interval"), string(&line, "src"), string(&line, "dst"));
            assert!(account.series.insert(key, counts(&line)).is_none(), "{line}");
        }
        account
    }

    fn without_times(&mut self) {
        self.series.clear();
        self.flows.values_mut().for_each(|flow| flow[3..].fill(0));
    }

    fn pairs(&self) -> Pairs {
        let keyed = self.flows.iter().map(|((_, src, _, dst, _), sums)| ((src, dst), &sums[..3]));
        sum(keyed)
    }
}

fn counts(line: &Value) -> [i128; 3] {
    ["packets", "bytes", "frame_bytes"].map(|field| number(line, field))
}

fn sum<'a>(parts: impl Iterator<Item = ((&'a String, &'a String), &'a [i128])>) -> Pairs {
    let mut pairs = Pairs::new();
    for ((src, dst), counts) in parts {
        let sums = pairs.entry((src.clone(), dst.clone())).or_default();
        sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    pairs
}

fn oracle_pairs(pcaps: &Path, file: &str) -> Pairs {
    let table = rows(&pcaps.join("oracle").join(format!("{file}.pairs.tsv")));
    let columns = ["packets", "ip_bytes", "frame_bytes"];
    let pair = |row: &Row| ((row["src"].clone(), row["dst"].clone()), integers(row, columns));
    table.iter().map(pair).collect()
}

fn difference<K: Ord + std::fmt::Debug, V: PartialEq + std::fmt::Debug>(
    what: &str,
    found: &BTreeMap<K, V>,
    due: &BTreeMap<K, V>,
) -> Option<String> {
    let keys: BTreeSet<_> = found.keys().chain(due.keys()).collect();
    let mut differing = keys.into_iter().filter(|key| found.get(key) != due.get(key));
    let first = differing.next()?;
    let (found, due) = (found.get(first), due.get(first));
    let others = differing.count();
    Some(format!("{what} {first:?}: {found:?}, not {due:?}; and {others} more"))
}

/// Whether standard error reports the damage exactly if there is any, and no other problem.
fn wrong_warning(row: &Row, stderr: &str) -> Option<String> {
    // Other captures of the class are damaged only to a reader that does not know their link type.
    let is_damaged = row["note"].contains("cut short");
    let tells =
        stderr.contains("is damaged at byte") && stderr.contains("what came before is counted");
    (tells != is_damaged).then(|| format!("damage {is_damaged}, but said: {stderr}"))
}

fn compare(pcaps: &Path, scratch: &Scratch, row: &Row) -> Vec<String> {
    let file = &row["file"];
    let (flows, series) = (scratch.path("flows"), scratch.path("series"));
    let capture = pcaps.join("captures").join(file);
    let run = run([
        "replay".as_ref(),
        capture.as_os_str(),
        "--flows".as_ref(),
        flows.as_os_str(),
        "--series".as_ref(),
        series.as_os_str(),
    ]);
    if row["class"] == "unreadable" {
        return refused(&run).into_iter().collect();
    }
    if run.code != Some(0) {
        return vec![format!("exit code {:?}: {}", run.code, run.stderr)];
    }
    let mut found = Account::replayed(&scratch.read("flows"), &scratch.read("series"));
    let mut due = Account::oracle(pcaps, file);
    if row["class"] == "optional-linktype" && found.totals["ip"] == 0 {
        let all_non_ip = found.totals["non_ip"] == due.totals["frames"] && found.flows.is_empty();
        return (!all_non_ip).then(|| format!("{:?}", found.totals)).into_iter().collect();
    }
    let pairs = difference("pair", &found.pairs(), &oracle_pairs(pcaps, file));
    if row["class"] == "bad-timestamps" || UNDEFINED_TIMES.contains(&file.as_str()) {
        found.without_times();
        due.without_times();
    }
    let differences = [
        difference("total", &found.totals, &due.totals),
        difference("flow", &found.flows, &due.flows),
        difference("bin", &found.series, &due.series),
        pairs,
        wrong_warning(row, &run.stderr),
    ];
    differences.into_iter().flatten().collect()
}

fn refused(run: &Run) -> Option<String> {
    let is_clean = run.code == Some(1)
        && run.stderr.contains("wherefore: cannot replay")
        && run.stderr.contains("is not a capture file")
        && !run.stderr.contains("panicked");
    (!is_clean).then(|| format!("{run:?}"))
}

#[test]
fn every_capture_gives_the_flows_pairs_and_series_of_its_oracle() {
    let Some(pcaps) = shared_captures("replay_oracle: captures") else { return };
    let scratch = Scratch::new();
    let rows = rows(&pcaps.join("manifest.tsv"));
    let differences: Vec<_> = rows
        .iter()
        .flat_map(|row| {
            let of = format!("{} ({})", row["file"], row["class"]);
            compare(&pcaps, &scratch, row).into_iter().map(move |text| format!("{of}: {text}"))
        })
        .collect();
    println!("{} captures, {} differences", rows.len(), differences.len());
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

/// The present detector's expected result for a labelled capture.
enum Verdict {
    /// Nothing should alert, and nothing does.
    Quiet,
    /// An alert of this kind from this source to this destination, in this bin, and no other.
    Alert(&'static str, &'static str, &'static str, i128),
    /// Something should alert that this detector does not see, for this reason.
    OutOfReach(&'static str),
}

const NO_HISTORY: &str = "the attack is the whole capture: there is nothing usual to compare with";
const SHORT_PAST: &str = "a past too short to know that this is rare";
const UNKNOWN: &str = "what the attack is, and when, is not documented";
const FEW: &str = "below the minimum for an alert: 64 ports, addresses or sources, 100,000 bytes";

/// Every label, so that a new one is not passed over.
fn verdict(file: &str) -> Option<Verdict> {
    use Verdict::{Alert, OutOfReach, Quiet};
    let stem =
        file.rsplit_once("__").filter(|_| !file.starts_with("composite")).map_or(file, |s| s.0);
    Some(match stem {
        "malware_traffic_de__no_flood"
        | "stratospherelinuxi__test-cc-capture-1"
        | "packet_level_intru__normal"
        | "infosecurityprojec__normal_traffic"
        | "pcaps__beacon"
        | "mqttset-reduced__bruteforce"
        | "ot-modbus-detectio__normal-clean" => Quiet,
        "composite__modbus_normal+blacknurse_at60.pcap" => {
            Alert("volume", "172.16.2.1", "172.16.1.2", 12)
        }
        "composite__web_no_flood+syn_flood_at70.pcap" => {
            Alert("volume", "192.168.1.52", "192.168.1.34", 14)
        }
        "composite__cip_x6_at120_20s.pcap" => Alert("volume", "10.200.1.18", "10.50.1.54", 24),
        "composite__cc_periodic+spoofed_syn_flood_at400.pcap" => {
            Alert("flood", "*", "10.10.10.10", 86)
        }
        "composite__cip_silent_at120_20s.pcap" => OutOfReach(SHORT_PAST),
        "packet-captures__pkt.TCP.DOMINATE.syn.ecn.cwr" => OutOfReach(NO_HISTORY),
        "packet-captures__amp.TCP.reflection.SYNACK"
        | "packet-captures__amp.UDP.isakmp"
        | "netlyzer__ddos"
        | "infosecurityprojec__ddos"
        | "malware_traffic_de__syn_flood"
        | "network-intrusion-__demo_icmp_flood"
        | "attacker__icmp_blacknurse"
        | "intrusion-detectio__portscan"
        | "tcpdosdetector__sample"
        | "suricata-verify__dhcp-request-flood_test"
        | "suricata-verify__denial6-6"
        | "pcap-analyzer__ftp_bru"
        | "datasets-malicious__iodine"
        | "datasets-malicious__dnsextrator"
        | "ml-ids__dos"
        | "ndpi__WebattackRCE" => OutOfReach(NO_HISTORY),
        "network-intrusion-__demo_port_scan" | "packets__synscan" => OutOfReach(NO_HISTORY),
        "stratospherelinuxi__test7-malicious" | "packet_level_intru__attack" => OutOfReach(UNKNOWN),
        "stratospherelinuxi__test12-icmp-portscan"
        | "intelligent-ids__botnet"
        | "pcaps__exfiltration"
        | "ndpi__WebattackSQLinj" => OutOfReach(FEW),
        _ => return None,
    })
}

/// Kind, source and destination of the incidents that begin in a replay, with the bin of 5 s.
fn alerts(capture: &Path, more: &[&str], first_ns: i128) -> Vec<(String, String, String, i128)> {
    let arguments: [&std::ffi::OsStr; 4] =
        ["replay".as_ref(), capture.as_os_str(), "--alerts".as_ref(), "-".as_ref()];
    let run = run(arguments.into_iter().chain(more.iter().map(AsRef::as_ref)));
    let alert = |alert: Value| {
        let bin = (nanoseconds(&alert["time"]) - first_ns) / 5_000_000_000 - 1;
        (string(&alert, "kind"), string(&alert, "src"), string(&alert, "dst"), bin)
    };
    let objects = objects(&run.succeeded().stdout).into_iter();
    let mut alerts: Vec<_> = objects.filter(|o| o["status"] == "firing").map(alert).collect();
    alerts.sort();
    alerts
}

fn first_times(pcaps: &Path) -> HashMap<String, i128> {
    let rows = rows(&pcaps.join("manifest.tsv"));
    let timed =
        rows.iter().filter_map(|row| Some((row["file"].clone(), row["first_ns"].parse().ok()?)));
    timed.collect()
}

#[test]
fn labelled_captures_cause_the_expected_alerts() {
    let Some(pcaps) = shared_captures("replay_oracle: labels") else { return };
    let first = first_times(&pcaps);
    let labels = rows(&pcaps.join("labels.tsv"));
    let files: BTreeSet<_> = labels.iter().map(|row| &row["file"]).collect();
    for file in files {
        let verdict = verdict(file).unwrap_or_else(|| panic!("{file} is labelled, but not here"));
        let found = alerts(&pcaps.join("captures").join(file), &[], first[file]);
        let due = match verdict {
            Verdict::Alert(kind, src, dst, bin) => {
                vec![(kind.to_owned(), src.to_owned(), dst.to_owned(), bin)]
            }
            Verdict::Quiet => Vec::new(),
            Verdict::OutOfReach(reason) => {
                println!("{file}: {} alerts; out of reach: {reason}", found.len());
                continue;
            }
        };
        assert_eq!(found, due, "{file}");
    }
}

#[test]
fn a_steady_pair_that_falls_silent_is_alerted_about_by_the_methods() {
    let Some(pcaps) = shared_captures("replay_oracle: silence") else { return };
    let file = "composite__cip_silent_at120_20s.pcap";
    let capture: PathBuf = pcaps.join("captures").join(file);
    let options = [&["--alert-min-bytes", "20000"], &METHODS[..]].concat();
    let found = alerts(&capture, &options, first_times(&pcaps)[file]);
    let [kind, src, dst] = ["volume", "10.200.1.18", "10.50.1.54"].map(str::to_owned);
    let silent = (kind, src, dst, 24);
    assert!(found.contains(&silent), "{found:?}");
}
