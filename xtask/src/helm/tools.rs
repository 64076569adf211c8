//! The programs that render the chart and check the result. Owns their building, and the virtual environment of the
//! schemas, both under target/tools; refuses to judge what they print.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use crate::{shell, workspace};

/// From PyPI: the schemas of Kubernetes 1.25 to 1.37.
const VALIDATOR: &str = "kubernetes-validate==1.37.0";
/// The oldest version that the chart accepts, and the newest with a schema.
const VERSIONS: [&str; 2] = ["1.25", "1.37"];
/// The folder of Debian's Go libraries.
const LIBRARIES: &str = "/usr/share/gocode";

pub(super) struct Tools {
    render: PathBuf,
    python: PathBuf,
    folder: PathBuf,
}

impl Tools {
    pub(super) fn make() -> Result<Self> {
        let folder = workspace::target().join("helm");
        fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(Self { render: render()?, python: python()?, folder })
    }

    /// The chart with these values: what the program of Go prints.
    pub(super) fn chart(&self, name: &str, values: &Value) -> Result<Value> {
        let (chart, file) = (chart(), self.values(name, values)?);
        let mut command = shell::command(&self.render);
        command.arg("chart").arg(chart).arg(format!("{}.0", VERSIONS[0])).arg(file);
        Ok(serde_json::from_str(&shell::output(&mut command)?)?)
    }

    /// A file of values.
    pub(super) fn values(&self, name: &str, values: &Value) -> Result<PathBuf> {
        let file = self.folder.join(format!("{name}.yaml"));
        fs::write(&file, values.to_string()).context("writing values")?;
        Ok(file)
    }

    /// The documents of a file.
    pub(super) fn yaml(&self, file: &Path) -> Result<Vec<Value>> {
        let text = shell::output(shell::command(&self.render).arg("yaml").arg(file))?;
        Ok(serde_json::from_str(&text)?)
    }

    /// Everything wrong with the values and the objects of a rendered chart.
    pub(super) fn wrong(&self, rendered: &Value) -> Result<Vec<String>> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/src/helm/check.py");
        let mut command = shell::command(&self.python);
        command.arg(script).args(VERSIONS).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = command.spawn().context("starting Python")?;
        let mut input = child.stdin.take().context("Python has no input")?;
        input.write_all(rendered.to_string().as_bytes()).context("handing over the chart")?;
        drop(input);
        let output = child.wait_with_output()?;
        ensure!(output.status.success(), "check.py failed: {}", output.status);
        Ok(serde_json::from_slice(&output.stdout)?)
    }

    /// The same for objects alone.
    pub(super) fn wrong_objects(&self, objects: &[Value]) -> Result<Vec<String>> {
        self.wrong(&json!({ "objects": objects }))
    }

    /// A file for what Helm itself prints.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }
}

/// The chart's folder.
pub(super) fn chart() -> PathBuf {
    workspace::root().join("deploy/helm/wherefore")
}

/// Built from Debian's libraries, without modules and without a network.
fn render() -> Result<PathBuf> {
    let (program, cache) =
        (workspace::tools().join("helm-render"), workspace::tools().join("go-cache"));
    let mut go = shell::command(shell::require("go", "to render the chart")?);
    go.args(["build", "-o"]).arg(&program);
    go.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/src/helm/render.go"));
    go.env("GO111MODULE", "off").env("GOPATH", LIBRARIES).env("GOFLAGS", "").env("GOCACHE", cache);
    shell::run(&mut go)?;
    Ok(program)
}

fn python() -> Result<PathBuf> {
    let folder = workspace::tools().join(VALIDATOR.replace("==", "-"));
    let python = folder.join("bin/python");
    if shell::succeeds(shell::command(&python).args(["-c", "import kubernetes_validate"])) {
        return Ok(python);
    }
    let system = shell::require("python3", "to check the chart against schemas")?;
    shell::run(shell::command(system).args(["-m", "venv"]).arg(&folder))?;
    shell::run(shell::command(&python).args(["-m", "pip", "install", "--quiet", VALIDATOR]))?;
    Ok(python)
}
