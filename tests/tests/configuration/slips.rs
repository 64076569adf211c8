//! Errors in files: each is reported with its line and the probable correction.

use super::*;

/// The messages of `config check` and of the agent's start about a file; they must be the same.
fn refused(text: &str) -> String {
    let scratch = Scratch::new();
    let file = file(&scratch, text);
    let check = run_with(&[], &["config", "check", "--config", &file]);
    assert_eq!(check.code, Some(2), "{text}: {check:?}");
    // The time is short, should it start.
    let start = run_with(&[], &["run", "--duration", "1ms", "--config", &file]);
    assert_eq!((start.code, &start.stderr), (Some(2), &check.stderr), "{text}");
    check.stderr.replace(&file, "FILE")
}

/// Checks that each of these files is refused with all of these words.
fn assert_refused(files: &[(&str, &[&str])]) {
    for (text, parts) in files {
        let said = refused(text);
        for part in *parts {
            assert!(said.contains(part), "{text}: {part:?} is not in {said}");
        }
    }
}

#[test]
fn unknown_tables_are_named_with_the_intended_option() {
    assert_refused(&[
        (
            "[alerts]\nbudget = \"10/day\"\n",
            &["budget in [alerts] (in FILE, line 2): ", "did you mean alert_budget outside"],
        ),
        ("[slack]\nurl = \"https://h/x\"\n", &["line 2", "did you mean slack_url outside"]),
        ("[filter]\nip.cidr = \"::/0\"\n", &["line 2", "did you mean filter_ip_cidr outside"]),
        ("top = 5\n[detection]\nanom_methods = \"ks\"\n", &["line 3", "anom_methods outside"]),
        ("top = { rows = 5 }\n", &["rows in [top] (in FILE, line 1)"]),
        (
            "[[top]]\nx = 1\n[other]\n",
            &["x in [top] (in FILE, line 2)", "[other] (in FILE, line 3)"],
        ),
        ("[[sinks]]\ntype = \"journald\"\n", &["line 1", "did you mean [[sink]]?"]),
    ]);
}

#[test]
fn every_slip_in_a_file_is_named_with_its_line() {
    assert_refused(&[
        (
            "top = 5\ntop = 6\nloglevel = \"x\"\nhost_name\n",
            &["line 2: duplicate key top", "line 4: ", "(in FILE, line 3): must be one of"],
        ),
        (
            "anom_methods = \"fence\"\nanom-methods = \"ks\"\n",
            &["anom-methods (in FILE, line 2): line 1 sets it as anom_methods"],
        ),
        ("i = \"lo\"\ninterface = \"lo\"\n", &["interface (in FILE, line 2): line 1 sets it as i"]),
        (
            "interface = [\n\"lo\",\n5,\n\"\",\n[\"x\"]]\n",
            &[
                "line 3): must be text",
                "line 4): needs a value",
                "line 5): must not be a list in a list",
            ],
        ),
        ("filter_ip_cidr = [\"x\", \"::/0\", \"y\"]\n", &["\"x\" (in FILE, line 1)", "\"y\""]),
        (
            "host_name = 5\nhelp = true\nconfig = \"x\"\n",
            &["line 1): must be", "line 2)", "line 3)"],
        ),
        (
            "top = 99999999999999999999\nflows = \"\"\n",
            &["line 1): is too large", "line 2): needs"],
        ),
        // Options of other commands, because one file serves all.
        ("reorder = \"x\"\nno_progress = 7\n", &["line 1): must be", "line 2): must be true or"]),
        ("top = 1979-05-27\ncompat = [true]\nsink = 5\n", &["line 1)", "line 2)", "line 3)"]),
    ]);
}

#[test]
fn every_slip_in_a_sink_is_named_with_its_line() {
    let file = "[[sink]]\ntype = \"file\"\n";
    let with = |rest: &str| format!("{file}{rest}\n");
    for (text, part) in [
        (
            with("path = \"x\"\n\ncolour = 1"),
            "file (in FILE, line 5): colour: there is no such key",
        ),
        (with("path = \"x\"\ntop = 5"), "line 4): top: sinks have no such key; if it is an option"),
        (with("path = 5"), "line 3): path: must be text"),
        (with("path = [\"a\", \"b\"]"), "line 3): path: takes one value"),
        (with("path = \"\""), "line 3): path: needs a value"),
        (with("[sink.path]\na = 1"), "line 3): path: takes a value, not a table"),
        (with("path = \"x\"\nmatch = [[\"kind=scan\"]]"), "line 4): match: takes a value"),
        (with("path = \"x\"\nsend_updates = \"maybe\""), "line 4): send_updates: "),
        (with("path = \"x\"\nsend_updates = true\nsend-updates = true"), "is set twice"),
        ("[[sink]]\npath = \"x\"\n".to_owned(), "line 1): type: must be one of slack"),
        ("[[sink]]\ntype = [\"file\"]\npath = \"x\"\n".to_owned(), "line 2): type: must be one of"),
    ] {
        let said = refused(&text);
        assert!(said.contains(part), "{text}: {part:?} is not in {said}");
    }
}
