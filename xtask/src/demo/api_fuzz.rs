//! `api-fuzz`: sends requests to the JSON interface that Schemathesis generates from its own description, valid
//! and invalid ones, with traffic running. Owns where Schemathesis is installed, under target/tools, and the
//! number of requests.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Context, Result};

use super::Options;
use super::lab::Lab;
use super::page::{ADDRESS, Listening};
use super::screenshot::{lend, talk};
use crate::{shell, workspace};

/// The version to install, from PyPI.
const VERSION: &str = "4.32.5";
/// Random questions about each path; those about the bounds of each parameter come first.
const QUESTIONS: &str = "60";
/// Until intervals with flows are over: lists that are empty prove little.
const ORDINARY: Duration = Duration::from_secs(6);

/// Fuzzes the interface.
///
/// # Errors
/// If Python or a privilege is missing, or an answer is not as the description promises.
pub(crate) fn api_fuzz(options: &Options) -> Result<()> {
    super::as_root("api-fuzz", options, play)
}

fn play(program: &Path) -> Result<()> {
    shell::require("ip", "to make network namespaces")?;
    let schemathesis = install()?;
    let lab = Lab::new().context("joining two network namespaces")?;
    lab.a.start_loopback()?;
    lend(&lab)?;
    let folder = workspace::target().join("api-fuzz");
    std::fs::create_dir_all(&folder)?;
    let agent = Listening::start(&lab, program, &folder)?;
    let is_over = AtomicBool::new(false);
    let done = thread::scope(|scope| {
        let talk = scope.spawn(|| talk(&lab, &is_over));
        thread::sleep(ORDINARY);
        let done = ask(&lab, &schemathesis, &folder);
        is_over.store(true, Ordering::Relaxed);
        let talked = talk.join().map_err(|_| anyhow::anyhow!("the traffic failed"))?;
        done.and(talked)
    });
    drop(agent);
    done
}

/// A virtual environment of its own.
fn install() -> Result<PathBuf> {
    let folder = workspace::target().join(format!("tools/schemathesis-{VERSION}"));
    let program = folder.join("bin/schemathesis");
    if shell::succeeds(shell::command(&program).arg("--version")) {
        return Ok(program);
    }
    let python = shell::require("python3", "to run Schemathesis")?;
    shell::run(shell::command(python).args(["-m", "venv"]).arg(&folder))?;
    let mut pip = shell::command(folder.join("bin/pip"));
    shell::run(pip.args(["install", "--quiet", &format!("schemathesis=={VERSION}")]))?;
    Ok(program)
}

fn ask(lab: &Lab, program: &Path, folder: &Path) -> Result<()> {
    let configuration = concat!(env!("CARGO_MANIFEST_DIR"), "/src/demo/api_fuzz.toml");
    let mut command = lab.a.command(program);
    command.current_dir(folder);
    command.args(["--config-file", configuration, "run", "--checks", "all"]);
    command.args(["--phases", "examples,coverage,fuzzing", "--continue-on-failure"]);
    command.args(["--max-examples", QUESTIONS, "--request-timeout", "10"]);
    command.arg(format!("http://{ADDRESS}/api/v1/openapi.json"));
    shell::run(&mut command).context("answers that are not as described")
}
