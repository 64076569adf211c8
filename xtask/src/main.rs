//! `cargo xtask`: all tasks of this repository, with one file for each command. Owns the list of commands and
//! the exit code; refuses to do anything itself. Its own messages go to standard error, so that standard
//! output has only the data of the program that it runs.
#![forbid(unsafe_code)]

mod bench;
mod build_ebpf;
mod clickhouse;
mod demo;
mod dist;
mod docs;
mod ebpf;
mod fuzz;
mod geo;
mod helm;
mod house;
mod image_test;
mod kafka_test;
mod lint;
mod package_test;
mod privilege;
mod run;
mod setup;
mod shell;
mod test;
mod tidy;
mod vm;
mod workspace;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};

#[derive(Parser)]
#[command(name = "cargo xtask", about = "Builds, runs and checks Wherefore")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install missing dependencies; the other commands also do this.
    Setup(setup::Options),
    /// Build the agent and run it: `run -i eth0`, or `run capture.pcap` to replay a file.
    Run(Passed),
    /// Show the live view and an alert in under a minute: quiet traffic, then a burst, between two
    /// namespaces.
    Demo(demo::Options),
    /// Redraw the picture of the live view in the README, from a real run.
    Screenshot(demo::Options),
    /// Test the page of the listener in Chromium with real traffic, and make its pictures.
    Page(demo::Options),
    /// Send requests that are generated from the description of the JSON interface to that interface.
    ApiFuzz(demo::Options),
    /// Run all tests and count those that had to be skipped; `test package` tries the Debian package on a
    /// real system, `test image` the container's image (`--no-build`: with the program as it was last built),
    /// `test helm` renders the Helm chart and checks the objects against the schemas of Kubernetes,
    /// `test vm [5.10|6.1|6.12|6.18|newest]...` the agent on Debian's kernels in virtual machines, `test clickhouse`
    /// every statement of docs/clickhouse.md on lines of the agent, `test kafka` the agent with `--features kafka`.
    Test(Passed),
    /// Check formatting, clippy, licences and the rules of this repository.
    Lint(lint::Options),
    /// Build the kernel programs into the committed object.
    BuildEbpf(build_ebpf::Options),
    /// Write the documents that are generated from the definition of the options.
    Docs(docs::Options),
    /// Make the data file with the country and the AS of every address, from pinned packages.
    Geo,
    /// Build packages: Debian package, RPM, an archive with a static program, checksums, bill of materials.
    Dist(dist::Options),
    /// Run the fuzz targets, all or the named ones: no input may cause a panic.
    Fuzz(fuzz::Options),
    /// Measure the cost of Wherefore, topic by topic.
    Bench(bench::Options),
}

/// Arguments that are passed on unchanged.
#[derive(Args)]
struct Passed {
    #[arg(trailing_var_arg = true, allow_hyphen_values = true, value_name = "ARGS")]
    args: Vec<OsString>,
}

fn main() -> ExitCode {
    match execute(Cli::parse().command) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            shell::say(format!("{error:#}"));
            ExitCode::FAILURE
        }
    }
}

fn execute(command: Command) -> Result<()> {
    match command {
        Command::Setup(options) => setup::setup(options.need),
        Command::Run(passed) => run::run(&passed.args),
        Command::Demo(options) => demo::demo(&options),
        Command::Screenshot(options) => demo::screenshot::screenshot(&options),
        Command::Page(options) => demo::page::page(&options),
        Command::ApiFuzz(options) => demo::api_fuzz::api_fuzz(&options),
        Command::Test(passed) => test::test(&passed.args),
        Command::Lint(options) => lint::lint(&options),
        Command::BuildEbpf(options) => build_ebpf::build_ebpf(&options),
        Command::Docs(options) => docs::docs(&options),
        Command::Geo => geo::geo(),
        Command::Dist(options) => dist::dist(&options),
        Command::Fuzz(options) => fuzz::fuzz(&options),
        Command::Bench(options) => bench::bench(&options),
    }
}
