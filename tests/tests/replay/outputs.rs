//! Tests that the outputs of a replay overwrite neither an input nor each other.

use super::*;

#[test]
fn an_input_file_is_never_overwritten() {
    let scratch = Scratch::new();
    let capture = scratch.path("capture.gz");
    fs::copy(made(BURST), &capture).unwrap();
    let start: [&OsStr; 4] =
        ["replay".as_ref(), capture.as_os_str(), "--flows".as_ref(), capture.as_os_str()];
    let refused = run(start);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    let mut from_stdin = command(["replay", "-", "--flows", capture.to_str().unwrap()]);
    from_stdin.stdin(fs::File::open(&capture).unwrap());
    let refused = Run::from(from_stdin.output().unwrap());
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert!(refused.stderr.contains("standard input is an input"), "{}", refused.stderr);
    let sink = format!("file,path={}", capture.display());
    let refused = run(["replay", capture.to_str().unwrap(), "--sink", &sink]);
    assert_eq!(refused.code, Some(2), "{}", refused.stderr);
    assert_eq!(fs::read(&capture).unwrap(), fs::read(made(BURST)).unwrap());
}

#[test]
fn two_outputs_are_not_one_file() {
    let scratch = Scratch::new();
    let [one, other] = ["one", "other"].map(|name| scratch.path(name));
    fs::write(&one, "yesterday").unwrap();
    fs::hard_link(&one, &other).unwrap();
    let [one, other] = [one.to_str().unwrap(), other.to_str().unwrap()];
    let sink = format!("file,path={other}");
    let log = scratch.path("wherefore_anomalies.log");
    let (log, own) = (log.to_str().unwrap(), scratch.path(""));
    let directory = own.to_str().unwrap();
    for arguments in [
        ["--flows", one, "--series", other],
        ["--series", one, "--sink", &sink],
        ["--alerts", log, "--log-dir", directory],
    ] {
        let refused = replay(BURST, &arguments);
        assert_eq!(refused.code, Some(2), "{arguments:?}: {}", refused.stderr);
        assert!(refused.stderr.contains("the file of two outputs"), "{}", refused.stderr);
    }
    assert_eq!(fs::read_to_string(one).unwrap(), "yesterday");
    replay(BURST, &["--alerts", "/dev/null", "--sink", "file,path=/dev/null"]).succeeded();
    replay(BURST, &["--flows", "-", "--series", "-"]).succeeded();
    replay(BURST, &["--flows", "/dev/null", "--series", "/dev/null"]).succeeded();
}

#[test]
fn a_run_that_cannot_start_leaves_its_outputs_alone() {
    let scratch = Scratch::new();
    let kept = scratch.path("kept");
    fs::write(&kept, "yesterday").unwrap();
    let missing = scratch.path("missing");
    let start: [&OsStr; 4] =
        ["replay".as_ref(), missing.as_os_str(), "--flows".as_ref(), kept.as_os_str()];
    assert_eq!(run(start).code, Some(1));
    assert_eq!(fs::read_to_string(&kept).unwrap(), "yesterday");
}
