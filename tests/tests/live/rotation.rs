//! Output files while others rotate them: nothing is overwritten, nothing is lost but by those who
//! rotate, and no file has holes.

use std::fs::{self, OpenOptions};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use wherefore_tests::agent::Agent;
use wherefore_tests::command::Scratch;
use wherefore_tests::lab::traffic::{Datagrams, udp_send};
use wherefore_tests::lab::{Family, Lab, wait_until};

use crate::watch;

const PATIENCE: Duration = Duration::from_secs(10);
/// Alerts about each interval with traffic.
const EAGER: [&str; 10] = [
    "--anom-methods",
    "fence",
    "--anom-upper-bound",
    "1000",
    "--alert-resolve",
    "1",
    "--alert-cooldown",
    "200ms",
    "--alert-limit",
    "none",
];
const KEPT: &str = "the old file stays in use";

/// An agent with every kind of file that it writes.
struct Writer<'a> {
    lab: &'a Lab,
    agent: Agent,
    files: Vec<PathBuf>,
    directory: Scratch,
}

impl<'a> Writer<'a> {
    fn start(lab: &'a Lab) -> Result<Self> {
        let directory = Scratch::new();
        let path = |name: &str| directory.path(name).display().to_string();
        fs::create_dir(directory.path("series"))?;
        let (series, logs) = (path("series/series"), path("logs"));
        let sink = format!("file,path={}", path("sink"));
        let own = ["--series", &series, "-l", &logs, "--sink", &sink];
        let agent = watch(&lab.b, &[&own, &EAGER[..]].concat())?;
        let names = ["sink", "logs/wherefore_anomalies.log", "series/series"];
        let files = agent.outputs().into_iter().chain(names.map(|name| directory.path(name)));
        Ok(Self { lab, files: files.collect(), agent, directory })
    }

    /// Sends until each of these files has something in it.
    fn fill(&self, files: &[PathBuf]) -> Result<()> {
        let (packets, payload) = (20, 1000);
        let interval = Duration::from_micros(500);
        let load = Datagrams {
            family: Family::V4,
            packets,
            payload,
            source_port: 4001,
            target_port: 4002,
            interval,
        };
        for _ in 0..20 {
            udp_send(&self.lab.a, &self.lab.b, load)?;
            self.agent.pass_intervals(3)?;
            if files.iter().all(|file| len(file) > 0) {
                return Ok(());
            }
        }
        let lens: Vec<_> = files.iter().map(|file| (file, len(file))).collect();
        Err(anyhow::anyhow!("nothing is written: {lens:?}\n{}", self.agent.log()))
    }
}

fn len(file: &Path) -> u64 {
    file.metadata().map_or(0, |metadata| metadata.len())
}

/// Checks that a file has only whole lines of JSON.
fn assert_whole(file: &Path) -> Result<()> {
    let text = fs::read_to_string(file)?;
    for line in text.split_inclusive('\n') {
        let is_object = serde_json::from_str::<serde_json::Value>(line).is_ok();
        assert!(is_object && line.ends_with('\n'), "{}: {line:?}", file.display());
    }
    Ok(())
}

#[test]
fn emptied_files_have_no_holes() -> Result<()> {
    let Some(lab) = Lab::or_skip("emptied_files_have_no_holes")? else { return Ok(()) };
    let writer = Writer::start(&lab)?;
    writer.fill(&writer.files)?;
    for file in &writer.files {
        OpenOptions::new().write(true).open(file)?.set_len(0)?;
    }
    writer.fill(&writer.files)?;
    let Writer { agent, files, directory: _directory, .. } = writer;
    // Its own directory is gone when it has stopped.
    files.iter().try_for_each(|file| assert_whole(file))?;
    agent.stop().map(drop)
}

#[test]
fn renamed_files_are_followed_after_a_signal() -> Result<()> {
    let Some(lab) = Lab::or_skip("renamed_files_are_followed_after_a_signal")? else {
        return Ok(());
    };
    let writer = Writer::start(&lab)?;
    writer.fill(&writer.files)?;
    let old: Vec<_> = writer.files.iter().map(|file| file.with_extension("1")).collect();
    for (file, old) in writer.files.iter().zip(&old) {
        fs::rename(file, old)?;
    }
    writer.agent.signal(Signal::SIGHUP)?;
    writer.fill(&writer.files)?;
    let before: Vec<_> = old.iter().map(|file| len(file)).collect();
    writer.agent.pass_intervals(2)?;
    assert_eq!(old.iter().map(|file| len(file)).collect::<Vec<_>>(), before);
    old.iter().chain(&writer.files).try_for_each(|file| assert_whole(file))?;
    assert!(!writer.agent.log().contains(KEPT), "{}", writer.agent.log());
    writer.agent.stop().map(drop)
}

#[test]
fn a_file_that_cannot_be_reopened_stays_in_use() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_file_that_cannot_be_reopened_stays_in_use")? else {
        return Ok(());
    };
    let writer = Writer::start(&lab)?;
    writer.fill(&writer.files)?;
    // The directory of one is gone, and another has become a pipe.
    let series = writer.directory.path("series");
    fs::rename(&series, writer.directory.path("away"))?;
    let flows = &writer.files[0];
    fs::rename(flows, flows.with_extension("1"))?;
    mkfifo(flows, Mode::S_IRWXU)?;
    let [away, renamed] = [writer.directory.path("away/series"), flows.with_extension("1")];
    let before = [len(&away), len(&renamed)];
    writer.agent.signal(Signal::SIGHUP)?;
    let is_said = || writer.agent.log().matches(KEPT).count() == 2;
    ensure!(wait_until(PATIENCE, is_said), "{}", writer.agent.log());
    for part in ["does not exist", "is not a regular file any more"] {
        assert!(writer.agent.log().contains(part), "{part}: {}", writer.agent.log());
    }
    writer.fill(&[])?;
    assert!(len(&away) > before[0] && len(&renamed) > before[1], "{}", writer.agent.log());
    fs::remove_file(flows)?;
    writer.agent.stop().map(drop)
}

#[test]
fn a_restart_appends_and_a_pipe_needs_no_reader() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_restart_appends_and_a_pipe_needs_no_reader")? else {
        return Ok(());
    };
    let scratch = Scratch::new();
    let series = scratch.path("series");
    // The previous writer was killed within a line.
    fs::write(&series, "{\"old\":1}\n{\"cut\":")?;
    let path = series.display().to_string();
    watch(&lab.b, &["--series", &path])?.stop()?;
    assert!(fs::read_to_string(&series)?.starts_with("{\"old\":1}\n{\"cut\":\n"));
    let pipe = scratch.path("pipe");
    mkfifo(&pipe, Mode::S_IRWXU)?;
    let path = pipe.display().to_string();
    let agent = watch(&lab.b, &["--series", &path]).context("with a pipe that nobody reads")?;
    agent.signal(Signal::SIGHUP)?;
    agent.pass_intervals(2)?;
    agent.stop().map(drop)
}
