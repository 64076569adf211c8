//! Compares totals of captures with those of independent readers. Prints SKIPPED if the captures are absent.
#![allow(clippy::unwrap_used, reason = "a test may panic")]

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use wherefore_agent::input::capture_file::{CaptureFile, ReadError};

type Row = HashMap<String, String>;

fn captures() -> Option<PathBuf> {
    let named = std::env::var_os("WHEREFORE_SHARED").map(PathBuf::from);
    let beside =
        Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().map(|above| above.join("shared"));
    let found = named
        .into_iter()
        .chain(beside)
        .map(|shared| shared.join("pcaps"))
        .find(|pcaps| pcaps.join("manifest.tsv").is_file());
    if found.is_none() {
        wherefore_tests::without_data("capture_file_oracle", "../shared/pcaps/manifest.tsv");
    }
    found
}

fn rows(manifest: &str) -> Vec<Row> {
    let mut lines = manifest.lines();
    let heads: Vec<_> = lines.next().unwrap().split('\t').collect();
    let row = |line: &str| {
        let cells = line.split('\t').map(str::to_owned);
        heads.iter().map(|head| (*head).to_owned()).zip(cells).collect()
    };
    lines.map(row).collect()
}

#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    packets: u64,
    frame_bytes: u64,
    first_ns: Option<i64>,
    damaged: bool,
}

fn totals(path: &Path) -> Result<Totals, ReadError> {
    let mut file = CaptureFile::open(path)?;
    let mut totals = Totals::default();
    loop {
        match file.next() {
            Ok(Some(record)) => {
                totals.packets += 1;
                totals.frame_bytes += u64::from(record.wire_len);
                totals.first_ns = totals.first_ns.or(record.time_ns);
            }
            Ok(None) => return Ok(totals),
            Err(_) => {
                totals.damaged = true;
                assert!(file.next().unwrap().is_none(), "a broken file stays ended");
                return Ok(totals);
            }
        }
    }
}

fn expected(row: &Row) -> Totals {
    Totals {
        packets: row["packets"].parse().unwrap(),
        frame_bytes: row["frame_bytes"].parse().unwrap(),
        first_ns: row["first_ns"].parse().ok(),
        // The other damaged ones are damaged only for a reader that does not know their link type.
        damaged: row["note"].contains("cut short"),
    }
}

/// The error in the reading of one capture, if there is one.
fn fault(row: &Row, path: &Path) -> Option<String> {
    let unreadable = row["class"] == "unreadable";
    match totals(path) {
        Err(ReadError::Unrecognised { .. }) if unreadable => None,
        Err(error) => Some(error.to_string()),
        Ok(_) if unreadable => Some("was read".to_owned()),
        Ok(mut found) => {
            let expected = expected(row);
            if row["class"] == "bad-timestamps" {
                found.first_ns = expected.first_ns;
            }
            (found != expected).then(|| format!("{found:?}, not {expected:?}"))
        }
    }
}

#[test]
fn every_capture_gives_the_known_totals() {
    let Some(pcaps) = captures() else { return };
    let manifest = fs::read_to_string(pcaps.join("manifest.tsv")).unwrap();
    let rows = rows(&manifest);
    let faults: Vec<_> = rows
        .iter()
        .filter_map(|row| {
            let file = &row["file"];
            fault(row, &pcaps.join("captures").join(file)).map(|fault| format!("{file}: {fault}"))
        })
        .collect();
    println!("{} captures, {} faults", rows.len(), faults.len());
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
