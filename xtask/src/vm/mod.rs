//! `test vm`: the agent on Debian's kernels, each booted in a virtual machine. Owns the list of checks; the
//! tests are some of `tests/tests/live`, the same that run on the host.
//!
//! No kernel is installed: all of them are unpacked below target/vm.

mod archive;
mod image;
mod kernel;
mod machine;
mod modules;
mod table;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::setup::{Need, setup};
use crate::{shell, workspace};
use archive::Archive;
use image::Image;
use kernel::Kernel;
use machine::{Accelerator, Machine, Run};

/// The series of kernels; `newest` is the newest that Debian has.
const SERIES: [&str; 5] = [NEWEST, "6.18", "6.12", "6.1", "5.10"];
/// The series with the highest number.
const NEWEST: &str = "newest";

/// A check on each kernel.
struct Check {
    /// What it proves, for readers.
    what: &'static str,
    /// The test of `tests/tests/live` that proves it.
    test: &'static str,
    /// The first kernel that supports it.
    since: [u32; 2],
}

/// Every kernel that the agent supports.
const ALL: [u32; 2] = [0, 0];

const CHECKS: [Check; 13] = [
    Check {
        what: "TCX counts every kind of frame",
        test: "attach::tcx_counts_all_flows",
        since: [6, 6],
    },
    Check {
        what: "clsact counts every kind of frame",
        test: "attach::clsact_counts_all_flows",
        since: ALL,
    },
    Check {
        what: "XDP counts every kind of frame",
        test: "attach::xdp_counts_all_flows",
        since: ALL,
    },
    Check {
        what: "generic XDP counts every kind of frame",
        test: "attach::xdp_generic_counts_all_flows",
        since: ALL,
    },
    Check {
        what: "TCP, UDP and ICMP with offloads equal the interface's counters",
        test: "counters::counters_agree_with_offloads",
        since: ALL,
    },
    Check {
        what: "two processors count the same flows",
        test: "churn::two_processors_count_the_same_flows",
        since: ALL,
    },
    Check {
        what: "filters change between two packets; draining under load loses nothing",
        test: "reload::the_kernels_filter_changes_between_two_packets",
        since: ALL,
    },
    Check {
        what: "every byte has its process",
        test: "owners::every_byte_has_its_process",
        since: ALL,
    },
    Check {
        what: "forwarded connections have their process",
        test: "translated::forwarded_connections_have_their_process",
        since: [5, 12],
    },
    Check {
        what: "nothing is left of an agent that was killed",
        test: "stop::the_filters_of_a_killed_agent_are_replaced",
        since: ALL,
    },
    Check {
        what: "every kind of device is compared as it counts",
        test: "kinds::datagrams_are_counted_once_on_every_kind_of_device",
        since: ALL,
    },
    Check {
        what: "streams on every kind of device",
        test: "kinds::streams_and_refused_packets_make_no_kind_of_device_differ",
        since: ALL,
    },
    Check {
        what: "the sandbox holds",
        test: "sandbox::every_thread_has_dropped_its_privileges",
        since: ALL,
    },
];

impl Check {
    fn is_for(&self, kernel: &Kernel) -> bool {
        kernel.version() >= self.since
    }
}

/// Boots the kernels of the given series, or of all, and runs the tests whose names contain one of the other
/// words, or all.
pub(crate) fn test(arguments: &[OsString]) -> Result<()> {
    ensure!(cfg!(target_arch = "x86_64"), "the kernels are those for x86-64");
    let words = arguments.iter().filter_map(|word| word.to_str());
    let (chosen, tests): (Vec<&str>, Vec<&str>) = words.partition(|word| SERIES.contains(word));
    let is_meant =
        |check: &Check| tests.is_empty() || tests.iter().any(|test| check.test.contains(test));
    let checks: Vec<&Check> = CHECKS.iter().filter(|check| is_meant(check)).collect();
    ensure!(
        !checks.is_empty(),
        "{tests:?} are neither of {} nor names of tests",
        SERIES.join(", ")
    );
    setup(Need::Vm)?;
    let archive = Archive::open(&folder())?;
    let programs = Programs::build()?;
    let is_whole = chosen.is_empty() && tests.is_empty();
    let series = if chosen.is_empty() { SERIES.to_vec() } else { chosen };
    let mut accelerator = Accelerator::of_host();
    let mut runs = Vec::new();
    for series in series {
        let kernel = Kernel::fetch(&archive, series)?;
        let of_kernel: Vec<_> =
            checks.iter().filter(|check| check.is_for(&kernel)).copied().collect();
        let image = Image::make(&folder(), &kernel, &programs, &of_kernel)?;
        let run = Machine { kernel: &kernel, image: &image }.run(&mut accelerator)?;
        runs.push((kernel, run));
    }
    shell::say(format!("\n{}", table::text(&checks, &runs)));
    if is_whole {
        table::record(&runs)?;
    }
    judge(&runs)
}

fn judge(runs: &[(Kernel, Run)]) -> Result<()> {
    let failed: Vec<String> = runs
        .iter()
        .flat_map(|(kernel, run)| run.failed().map(|test| format!("{test} on {}", kernel.release)))
        .collect();
    ensure!(failed.is_empty(), "failed: {}", failed.join(", "));
    Ok(())
}

fn folder() -> PathBuf {
    workspace::target().join("vm")
}

/// The programs that run in the machine.
struct Programs {
    agent: PathBuf,
    tests: PathBuf,
    /// The tests start it by the path at which it was built.
    mover: PathBuf,
}

impl Programs {
    fn build() -> Result<Self> {
        let agent = match std::env::var_os("WHEREFORE_BINARY") {
            Some(path) => Path::new(&path).to_owned(),
            None => {
                shell::run(&mut shell::cargo(&["build", "--bin", "wherefore"]))?;
                workspace::target().join("debug/wherefore")
            }
        };
        let build = ["test", "--package", "wherefore-tests", "--test", "live", "--no-run"];
        let said = shell::output(shell::cargo(&build).arg("--message-format=json"))?;
        let tests = said.lines().find_map(test_program).context("cargo built no test program")?;
        Ok(Self { agent, tests, mover: workspace::target().join("debug/mover") })
    }
}

/// The program of the tests, if a message of cargo is about it.
fn test_program(message: &str) -> Option<PathBuf> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let is_ours = message["target"]["name"] == "live" && message["profile"]["test"] == true;
    is_ours.then(|| message["executable"].as_str().map(PathBuf::from)).flatten()
}
