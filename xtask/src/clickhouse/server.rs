//! ClickHouse's engine in Python's module chdb. Owns its virtual environment under target/tools, its database, and a
//! `clickhouse-client` for the shell; refuses to reach a server.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result};
use serde_json::Value;

use crate::{shell, workspace};

/// From PyPI.
const CHDB: &str = "chdb==4.4.0";

/// The program that does what `clickhouse-client` does.
const CLIENT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/src/clickhouse/client.py");

pub(super) struct Server {
    folder: PathBuf,
}

impl Server {
    /// With an empty database.
    pub(super) fn new() -> Result<Self> {
        let python = python()?;
        let folder = workspace::target().join("clickhouse");
        if folder.exists() {
            fs::remove_dir_all(&folder)
                .with_context(|| format!("emptying {}", folder.display()))?;
        }
        let server = Self { folder };
        fs::create_dir_all(server.programs()).context("making a folder for the client")?;
        let client = server.client();
        let script = format!("#!/bin/sh\nexec '{}' '{CLIENT}' \"$@\"\n", python.display());
        fs::write(&client, script).context("writing the client")?;
        fs::set_permissions(&client, fs::Permissions::from_mode(0o755))?;
        Ok(server)
    }

    /// The folder in which the document's commands run.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    fn programs(&self) -> PathBuf {
        self.folder.join("bin")
    }

    fn client(&self) -> PathBuf {
        self.programs().join("clickhouse-client")
    }

    /// The rows of a statement.
    pub(super) fn query(&self, statement: &str) -> Result<Vec<Value>> {
        let rows = shell::output(&mut self.asking(statement))?;
        rows.lines().map(|row| serde_json::from_str(row).with_context(|| row.to_owned())).collect()
    }

    /// Whether a statement is an error.
    pub(super) fn is_refused(&self, statement: &str) -> Result<bool> {
        let output = self.asking(statement).output().context("starting the client")?;
        Ok(!output.status.success() && String::from_utf8_lossy(&output.stderr).contains("Code:"))
    }

    /// Runs commands as they stand in the document. Each must succeed.
    pub(super) fn shell(&self, commands: &str) -> Result<()> {
        shell::run(self.set_up(Command::new("bash")).args(["-euo", "pipefail", "-c", commands]))
    }

    fn asking(&self, statement: &str) -> Command {
        let mut client = self.set_up(Command::new(self.client()));
        client.args(["--format", "JSONEachRow", "--query", statement]);
        client
    }

    fn set_up(&self, mut command: Command) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let path = [self.programs()].into_iter().chain(std::env::split_paths(&path));
        if let Ok(path) = std::env::join_paths(path) {
            command.env("PATH", path);
        }
        command.env("CLICKHOUSE_FOLDER", self.folder.join("database"));
        command.current_dir(&self.folder).stdin(Stdio::null());
        command
    }
}

fn python() -> Result<PathBuf> {
    let folder = workspace::tools().join(CHDB.replace("==", "-"));
    let python = folder.join("bin/python");
    if shell::succeeds(shell::command(&python).args(["-c", "import chdb"])) {
        return Ok(python);
    }
    shell::say(format!("installing {CHDB} into {} (900 MB)", folder.display()));
    let system = shell::require("python3", "to run ClickHouse's engine")?;
    shell::run(shell::command(system).args(["-m", "venv"]).arg(&folder))?;
    shell::run(shell::command(&python).args(["-m", "pip", "install", "--quiet", CHDB]))?;
    Ok(python)
}
