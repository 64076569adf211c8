//! `fuzz`: runs the targets of `fuzz/` with libFuzzer. Owns their instrumentation, on the stable compiler,
//! and the report of each run; refuses to change the committed corpus.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::setup::{Need, setup};
use crate::{shell, workspace};

/// The instrumentation that cargo-fuzz selects in LLVM, without a sanitizer: all of it is stable.
const INSTRUMENTED: &str = "-Cpasses=sancov-module \
    -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters \
    -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares";
/// The target is named, so that build scripts are not instrumented.
const HOST: &str = if cfg!(target_arch = "aarch64") {
    "aarch64-unknown-linux-gnu"
} else {
    "x86_64-unknown-linux-gnu"
};
/// The most seconds for one input, and the most megabytes for a target.
const LIMITS: [&str; 2] = ["-timeout=20", "-rss_limit_mb=4096"];

#[derive(Args)]
pub(crate) struct Options {
    /// The targets; by default all, one after another.
    targets: Vec<String>,
    /// How long each target runs: `30s`, `10m`.
    #[arg(long, default_value = "30s", value_parser = seconds)]
    time: u64,
    /// The most bytes of an input.
    #[arg(long, default_value_t = 65_536)]
    most_bytes: u32,
}

/// The result of a run.
struct Run {
    executions: String,
    coverage: String,
    rate: String,
    inputs: String,
}

pub(crate) fn fuzz(options: &Options) -> Result<()> {
    setup(Need::Fuzz)?;
    let known = targets()?;
    let unknown = options.targets.iter().find(|target| !known.contains(target));
    if let Some(unknown) = unknown {
        bail!("no target is named {unknown}; there are {}", known.join(", "));
    }
    let chosen = if options.targets.is_empty() { &known } else { &options.targets };
    build()?;
    shell::run(Command::new(program("seeds")).arg(folder("seeds")))?;
    println!("target executions coverage executions/s inputs");
    let mut failed = Vec::new();
    for target in chosen {
        match run(target, options) {
            Ok(Run { executions, coverage, rate, inputs }) => {
                println!("{target} {executions} {coverage} {rate} {inputs}");
            }
            Err(error) => {
                shell::say(format!("{error:#}"));
                failed.push(target.as_str());
            }
        }
    }
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

/// The targets, by the names of their files.
fn targets() -> Result<Vec<String>> {
    let folder = workspace::root().join("fuzz/fuzz_targets");
    let files = fs::read_dir(&folder).with_context(|| format!("reading {}", folder.display()))?;
    let names = files.flatten().filter_map(|file| {
        Some(file.path().file_stem()?.to_string_lossy().into_owned()).filter(|name| name != "seeds")
    });
    let mut names: Vec<String> = names.collect();
    names.sort();
    Ok(names)
}

fn build() -> Result<()> {
    shell::say("building the fuzz targets (the first time takes some minutes)");
    let mut cargo = shell::cargo(&["build", "--package", "wherefore-fuzz", "--bins"]);
    cargo.args(["--features", "libfuzzer", "--profile", "fuzz", "--target", HOST]);
    cargo.arg("--target-dir").arg(folder("")).env("RUSTFLAGS", INSTRUMENTED);
    shell::run(&mut cargo)
}

/// The folder for everything about fuzzing, in the build folder.
fn folder(name: &str) -> PathBuf {
    workspace::target().join("fuzz").join(name)
}

fn program(name: &str) -> PathBuf {
    folder(HOST).join("fuzz").join(name)
}

fn run(target: &str, options: &Options) -> Result<Run> {
    let (found, seeds) = (folder("corpus").join(target), folder("seeds").join(target));
    let committed = workspace::root().join("fuzz/corpus").join(target);
    let artifacts = folder("artifacts").join(target);
    for folder in [&found, &artifacts] {
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    }
    let mut command = Command::new(program(target));
    command.args(LIMITS).arg("-print_final_stats=1");
    command.arg(format!("-max_total_time={}", options.time));
    command.arg(format!("-max_len={}", options.most_bytes));
    command.arg(format!("-artifact_prefix={}/", artifacts.display()));
    command.arg(&found).arg(&seeds).args(Some(&committed).filter(|folder| folder.is_dir()));
    let log = artifacts.join("log");
    let words = logged(&mut command, &log).with_context(|| format!("fuzzing {target}"))?;
    let last = words.iter().rev().find(|line| line.contains(" cov: ")).map_or("", String::as_str);
    Ok(Run {
        executions: after(&words.join("\n"), "stat::number_of_executed_units:"),
        coverage: after(last, " cov:"),
        rate: after(&words.join("\n"), "stat::average_exec_per_sec:"),
        inputs: fs::read_dir(&found).map_or(0, Iterator::count).to_string(),
    })
}

/// Runs a target to its end; returns its output, which is also kept in a file.
fn logged(command: &mut Command, log: &Path) -> Result<Vec<String>> {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped());
    let mut child = command.spawn().context("starting it")?;
    let lines = child.stderr.take().map(|words| BufReader::new(words).split(b'\n'));
    let lines = lines.into_iter().flatten().map_while(Result::ok);
    let words: Vec<String> =
        lines.map(|line| String::from_utf8_lossy(&line).into_owned()).collect();
    fs::write(log, words.join("\n")).with_context(|| format!("writing {}", log.display()))?;
    let status = child.wait().context("waiting for the fuzz target")?;
    // Remove its temporary files, which it cannot remove itself.
    let _ = fs::remove_dir_all(format!("/dev/shm/wherefore-fuzz-{}", child.id()));
    ensure!(status.success(), "the fuzz target failed ({status}): see {}", log.display());
    Ok(words)
}

/// The word after a mark.
fn after(text: &str, mark: &str) -> String {
    let rest = text.split_once(mark).map_or("", |(_, rest)| rest);
    rest.split_whitespace().next().unwrap_or("?").to_owned()
}

fn seconds(text: &str) -> Result<u64, String> {
    let (number, unit) = text.split_at(text.trim_end_matches(char::is_alphabetic).len());
    let factor = match unit {
        "" | "s" => 1,
        "m" => 60,
        "h" => 3600,
        _ => return Err("must be a number with s, m or h".to_owned()),
    };
    let number: u64 = number.parse().map_err(|_| "must be a number with s, m or h".to_owned())?;
    number.checked_mul(factor).ok_or_else(|| "too long".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(["5", "30s", "2m", "1h"].map(|text| seconds(text).unwrap()), [5, 30, 120, 3600]);
        assert!(
            ["", "s", "3d", "-1s", "9999999999999999999h"]
                .iter()
                .all(|text| seconds(text).is_err())
        );
    }

    #[test]
    fn figures_are_found_in_the_output() {
        let line = "#1024\tpulse  cov: 77 ft: 12 corp: 3/12b exec/s: 512";
        assert_eq!(
            (after(line, " cov:"), after(line, "nothing")),
            ("77".to_owned(), "?".to_owned())
        );
    }
}
