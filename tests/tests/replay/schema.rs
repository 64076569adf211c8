//! Tests that every record is valid by docs/schema.json, with another program: Python's jsonschema.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use wherefore_tests::command::{Scratch, run};

use super::{BURST, made, objects, replay};

/// Validates a JSON array of pairs of a type and a record from its input; prints all errors.
const VALIDATE: &str = r##"
import json, sys
from jsonschema import Draft202012Validator as Validator
schema = json.load(open(sys.argv[1]))
Validator.check_schema(schema)

def fields(part):
    if "$ref" in part:
        part = schema["$defs"][part["$ref"].split("/")[-1]]
    found = set(part.get("properties", {}))
    for way in ("allOf", "oneOf", "anyOf"):
        for one in part.get(way, []):
            found |= fields(one)
    return found

for name, record in json.load(sys.stdin):
    part = {"$ref": "#/$defs/" + name}
    for error in Validator({**part, "$defs": schema["$defs"]}).iter_errors(record):
        print(name, list(error.path), error.message[:200])
    for field in set(record) - fields(part):
        if not field.startswith(("source.", "destination.")):
            print(name, "undocumented field", field)
"##;

const PYTHON: &str = "/usr/bin/python3";

/// The errors that the validator finds in these records, one a line; empty if there are none.
fn faults(records: &[(&str, Value)]) -> Result<String> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/schema.json");
    let scratch = Scratch::new();
    let input = scratch.path("records.json");
    std::fs::write(&input, serde_json::to_vec(records)?)?;
    let mut python = std::process::Command::new(PYTHON);
    let file = std::fs::File::open(&input)?;
    let done = python.args(["-c", VALIDATE, path]).stdin(file).output().context(PYTHON)?;
    ensure!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8(done.stdout)?)
}

#[test]
fn every_record_matches_the_schema() -> Result<()> {
    let test = "every_record_matches_the_schema";
    if !Path::new("/usr/lib/python3/dist-packages/jsonschema").exists() {
        wherefore_tests::skip(test, "python3-jsonschema is not installed");
        return Ok(());
    }
    let mut records: Vec<(&str, Value)> = Vec::new();
    let flows = objects(&replay(BURST, &["--flows", "-"]).stdout);
    let (last, flows) = flows.split_last().context("no flows")?;
    records.push(("Last", last.clone()));
    records.extend(flows.iter().map(|flow| ("Flow", flow.clone())));
    let series = objects(&replay(BURST, &["--series", "-"]).stdout);
    records.extend(series.into_iter().map(|line| ("Series", line)));
    let alerts = objects(&replay(BURST, &["--alerts", "-"]).stdout);
    ensure!(!alerts.is_empty(), "no alert");
    records.extend(alerts.into_iter().map(|alert| ("Alert", alert)));
    let events = objects(&replay(BURST, &[]).stdout);
    let (_, events) = events.split_last().context("no events")?;
    records.extend(events.iter().map(|event| ("Event", event.clone())));
    for name in ["Last", "Alert", "Event"] {
        let (_, record) = records.iter().find(|(of, _)| *of == name).context(name)?;
        assert_eq!(record["schema"], 1, "{record}");
    }
    assert_eq!(faults(&records)?, "");
    Ok(())
}

#[test]
fn a_wrong_record_violates_the_schema() -> Result<()> {
    let test = "a_wrong_record_violates_the_schema";
    if !Path::new("/usr/lib/python3/dist-packages/jsonschema").exists() {
        wherefore_tests::skip(test, "python3-jsonschema is not installed");
        return Ok(());
    }
    let capture = made(BURST);
    let flows = run(["replay".as_ref(), capture.as_os_str(), "--flows".as_ref(), "-".as_ref()]);
    let mut flow = objects(&flows.stdout).swap_remove(0);
    flow["bytes"] = json!("many");
    flow["unheard_of"] = json!(1);
    let said = faults(&[("Flow", flow)])?;
    assert!(said.contains("'many' is not of type 'integer'"), "{said}");
    assert!(said.contains("undocumented field unheard_of"), "{said}");
    Ok(())
}
