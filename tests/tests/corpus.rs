//! Tests the corpus in the source tree: each capture gives the flows in the file beside it, and the detector
//! alerts about the one with something unusual.
//!
//! Owns the comparison of `wherefore replay --flows -` with `tests/corpus`; refuses to need
//! anything that a plain clone lacks.
#![allow(clippy::unwrap_used)]

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use wherefore_tests::command::run;
use wherefore_tests::corpus::directory;
use wherefore_tests::corpus::file::{DROP_ZONE, UPLOADER, expectation_of, made};

fn captures(folder: &str) -> Vec<PathBuf> {
    let is_capture = |path: &PathBuf| !path.to_string_lossy().ends_with(".flows.jsonl");
    let entries = fs::read_dir(directory().join(folder)).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).filter(is_capture).collect();
    paths.sort();
    paths
}

fn lines(text: &str) -> Vec<Value> {
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// The object with only the fields that `like` has, also inside `totals`.
fn restricted(object: &Value, like: &Value) -> Value {
    let Value::Object(fields) = like else { return object.clone() };
    let field = |(name, like): (&String, &Value)| (name.clone(), restricted(&object[name], like));
    Value::Object(fields.iter().map(field).collect())
}

/// The lines in an order of their own, so that two sets can be compared.
fn sorted(lines: impl IntoIterator<Item = Value>) -> Vec<String> {
    let mut lines: Vec<_> = lines.into_iter().map(|line| line.to_string()).collect();
    lines.sort();
    lines
}

/// Totals are last and like totals, all others like the first flow.
fn compare(capture: &Path) {
    let expected = lines(&fs::read_to_string(expectation_of(capture)).unwrap());
    let run = run(["replay".as_ref(), capture.as_os_str(), "--flows".as_ref(), "-".as_ref()]);
    let found = lines(&run.succeeded().stdout);
    let (totals, flow) = (expected.last().unwrap(), &expected[0]);
    let found = found.iter().map(|line| {
        let like = if line.get("totals").is_some() { totals } else { flow };
        restricted(line, like)
    });
    assert_eq!(sorted(found), sorted(expected.clone()), "{}", capture.display());
}

#[test]
fn made_captures_give_the_flows_they_were_made_of() {
    let captures = captures("made");
    assert!(captures.len() > 30, "{}", captures.len());
    captures.iter().for_each(|capture| compare(capture));
}

#[test]
fn real_captures_give_the_flows_that_other_programs_see() {
    let captures = captures("real");
    assert_eq!(captures.len(), 10);
    captures.iter().for_each(|capture| compare(capture));
}

#[test]
fn the_files_are_what_the_generator_makes() {
    let made = made();
    let files = captures("made");
    assert_eq!(made.len(), files.len(), "run `cargo run -p wherefore-tests --bin make-corpus`");
    for file in made {
        let path = directory().join("made").join(&file.name);
        let plain = file.encoding.decode(&fs::read(&path).unwrap()).unwrap();
        assert!(plain == file.plain, "{} is stale: run make-corpus", file.name);
        let expected = fs::read_to_string(expectation_of(&path)).unwrap();
        assert_eq!(expected, file.expected, "{} is stale: run make-corpus", file.name);
    }
}

#[test]
fn the_corpus_stays_small() {
    let size = |folder: &str| {
        let entries = fs::read_dir(directory().join(folder)).unwrap();
        entries.map(|entry| entry.unwrap().metadata().unwrap().len()).sum::<u64>()
    };
    assert!(size("made") + size("real") < 1_000_000);
}

fn alerts(name: &str) -> Vec<Value> {
    let capture = directory().join("made").join(name);
    let arguments = ["replay".as_ref(), capture.as_os_str(), "--alerts".as_ref(), "-".as_ref()];
    lines(&run(arguments).succeeded().stdout)
}

#[test]
fn an_upload_is_alerted_about_once_and_nothing_else() {
    let alerts = alerts("quiet-then-burst.pcap.gz");
    let [alert] = &alerts[..] else { panic!("{alerts:#?}") };
    assert_eq!(alert["src"], UPLOADER.to_string());
    assert_eq!(alert["dst"], DROP_ZONE.to_string());
    // The upload starts with the interval from second 100 to 105.
    assert_eq!(alert["time"], "2026-01-01T00:01:45.000000000Z");
    // Packets of 1,500 bytes.
    assert_eq!(alert["bytes"], alert["packets"].as_u64().unwrap() * 1500);
    assert!(alert["bytes"].as_u64().unwrap() > 2_500_000);
    assert!(alert["probability"].as_f64().unwrap() > 0.6);
    assert_eq!(alert["ratio"], Value::Null, "before, it moved nothing");
    let text = alert["text"].as_str().unwrap();
    for part in
        ["10.0.0.13 -> 198.51.100.99:443/tcp", "outbound", "2.6 MB", "first traffic between them"]
    {
        assert!(text.contains(part), "{part} is missing: {text}");
    }
}

#[test]
fn quiet_hours_are_not_alerted_about() {
    assert_eq!(alerts("quiet.pcap.gz"), Vec::<Value>::new());
}
