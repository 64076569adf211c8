//! `test`: runs all tests, and reports those that did not run. Owns the counting of `SKIPPED` lines, which
//! tests print to standard error if something is missing. Fails if there are any and `WHEREFORE_NO_SKIP=1` is
//! set, as in CI.

use std::env;
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, IsTerminal, Read, Write};
use std::path::PathBuf;
use std::process::Stdio;
use std::thread;

use anyhow::{Context, Result, bail, ensure};

use crate::setup::{Need, setup};
use crate::{
    clickhouse, helm, image_test, kafka_test, package_test, privilege, shell, vm, workspace,
};

const SKIPPED: &str = "SKIPPED ";

pub(crate) fn test(arguments: &[OsString]) -> Result<()> {
    let no_build = arguments.iter().any(|word| word == "--no-build");
    match arguments.first().and_then(|first| first.to_str()) {
        Some("package") => return package_test::test(no_build),
        Some("image") => return image_test::test(no_build),
        Some("helm") => return helm::test(),
        Some("clickhouse") => return clickhouse::test(),
        Some("kafka") => return kafka_test::test(),
        Some("vm") => return vm::test(arguments.get(1..).unwrap_or_default()),
        _ => {}
    }
    setup(Need::Test)?;
    let mut cargo = shell::cargo(&["test"]);
    if io::stderr().is_terminal() {
        // Cargo writes to a pipe and would not use colours.
        cargo.env("CARGO_TERM_COLOR", "always");
    }
    if arguments.is_empty() {
        cargo.env("WHEREFORE_BINARY", built()?);
    }
    cargo.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = cargo.spawn().context("starting cargo test")?;
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let words =
        thread::spawn(move || stderr.map_or(Ok(Vec::new()), |from| copy(from, io::stderr())));
    let results = stdout.map_or(Ok(Vec::new()), |from| copy(from, io::stdout()))?;
    let Ok(words) = words.join() else { bail!("the reader of cargo's messages panicked") };
    let words = words?;
    let status = child.wait().context("waiting for cargo test")?;
    let skipped = skipped(results.iter().chain(&words));
    report(passed(&results), &skipped);
    ensure!(status.success(), "tests failed: see above");
    refuse_skips(&skipped)
}

/// Builds the program together with the tests. Built alone, it would use other features of the same
/// dependencies, and these would be built twice.
fn built() -> Result<PathBuf> {
    shell::run(shell::cargo(&["build"]).args(["--tests", "--bin", "wherefore"]))?;
    Ok(workspace::target().join("debug/wherefore"))
}

/// Copies lines, and returns them.
fn copy(from: impl Read, mut to: impl Write) -> Result<Vec<String>> {
    let (mut from, mut lines, mut line) = (BufReader::new(from), Vec::new(), Vec::new());
    while from.read_until(b'\n', &mut line).context("reading what cargo test says")? > 0 {
        // The reader of our output may have closed it; the tests continue.
        let _ = to.write_all(&line).and_then(|()| to.flush());
        lines.push(String::from_utf8_lossy(&line).trim_end().to_owned());
        line.clear();
    }
    Ok(lines)
}

fn skipped<'l>(lines: impl Iterator<Item = &'l String>) -> Vec<&'l str> {
    lines.filter_map(|line| line.strip_prefix(SKIPPED)).collect()
}

/// The sum over all lines of the form `test result: ok. 12 passed; ...`.
fn passed(lines: &[String]) -> u64 {
    let results = lines.iter().filter_map(|line| line.strip_prefix("test result: "));
    let counts = results.filter_map(|line| line.split(" passed").next()?.rsplit(' ').next());
    counts.filter_map(|count| count.parse::<u64>().ok()).sum()
}

fn report(passed: u64, skipped: &[&str]) {
    let reasons: String = skipped.iter().map(|reason| format!("; {reason}")).collect();
    shell::say(format!("{passed} tests passed, {} SKIPPED{reasons}", skipped.len()));
    if !skipped.is_empty() && !privilege::is_root() {
        shell::say("run as root to run these");
    }
}

fn refuse_skips(skipped: &[&str]) -> Result<()> {
    let is_strict = env::var_os("WHEREFORE_NO_SKIP").is_some_and(|value| value == "1");
    ensure!(
        skipped.is_empty() || !is_strict,
        "{} tests were skipped, which WHEREFORE_NO_SKIP=1 forbids: install what they need",
        skipped.len()
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_passed_and_skipped_tests() {
        let lines = [
            "test result: ok. 12 passed; 0 failed; 0 ignored",
            "SKIPPED veth_counts: not root",
            "test result: FAILED. 3 passed; 1 failed",
        ]
        .map(str::to_owned);
        assert_eq!(passed(&lines), 15);
        assert_eq!(skipped(lines.iter()), ["veth_counts: not root"]);
    }
}
