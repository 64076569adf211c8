//! The agent of the demo. Owns its start, its output, its alerts and its end by SIGINT. On a terminal the
//! agent shows its live view, which the user may close; otherwise its JSON is shown as a table.

use std::fmt::Display;
use std::fs;
use std::io::{BufRead, BufReader, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;

use super::lab::Host;
use super::print;

/// How long the agent may take to detach its programs and print its totals.
const SHUTDOWN: Duration = Duration::from_secs(15);
/// The time between two checks.
const LOOK: Duration = Duration::from_millis(50);
/// The number of intervals between two tables, if the table is not redrawn in place.
const TABLES_EVERY: u64 = 5;
/// An interval with at least this many bytes is always shown.
const LARGE: u64 = 1_000_000;

/// A running agent; dropping it kills it.
pub(super) struct Agent {
    child: Child,
    alerts: PathBuf,
    is_drawn: bool,
}

impl Agent {
    /// Starts to watch the host's device, judging every second.
    pub(super) fn start(host: &Host, program: &Path) -> Result<Self> {
        let alerts = std::env::temp_dir().join(format!("wherefore-demo-{}", std::process::id()));
        let is_drawn = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
        let mut command = host.command(program);
        command.args(["run", "--config", "none", "-i", host.device, "--transfer-interval", "1s"]);
        command.arg("--alerts").arg(&alerts);
        if !is_drawn {
            command.stdin(Stdio::null()).stdout(Stdio::piped());
        }
        print(format!("starting {} on {}", program.display(), host.device));
        let mut child =
            command.spawn().with_context(|| format!("starting {}", program.display()))?;
        if let Some(stdout) = child.stdout.take() {
            thread::spawn(move || show_tables(stdout));
        }
        Ok(Self { child, alerts, is_drawn })
    }

    /// The alerts so far.
    pub(super) fn alerts(&self) -> Result<Vec<Value>> {
        let text = match fs::read_to_string(&self.alerts) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(error).context("reading the alerts"),
        };
        // The last line may be incomplete.
        Ok(text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect())
    }

    /// Whether a person watches the live view.
    pub(super) fn is_drawn(&self) -> bool {
        self.is_drawn
    }

    /// Prints the progress of the demo, unless this would disturb the live view.
    pub(super) fn print(&self, text: impl Display) {
        if !self.is_drawn {
            print(text);
        }
    }

    /// Waits for an alert about more bytes than this, and returns the text of the first one; `None` if the
    /// user has closed the view.
    pub(super) fn wait_for_alert(
        &mut self,
        patience: Duration,
        bytes: f64,
    ) -> Result<Option<String>> {
        let is_meant = |alert: &Value| alert["bytes"].as_f64().is_some_and(|moved| moved > bytes);
        let end = Instant::now() + patience;
        while Instant::now() < end {
            if let Some(alert) = self.alerts()?.iter().find(|alert| is_meant(alert)) {
                return Ok(alert["text"].as_str().map(str::to_owned));
            }
            if !self.is_there()? {
                return Ok(None);
            }
            thread::sleep(LOOK);
        }
        bail!("no alert about the burst within {} s: see the agent's log above", patience.as_secs())
    }

    /// Whether the agent runs; the user may have closed its view.
    ///
    /// # Errors
    /// If it ended by itself.
    pub(super) fn is_there(&mut self) -> Result<bool> {
        let ended = self.child.try_wait().context("checking whether the agent runs")?;
        let has_left = self.is_drawn && ended.is_some_and(|status| status.success());
        ensure!(
            ended.is_none() || has_left,
            "the agent ended early ({ended:?}): see its log above"
        );
        Ok(ended.is_none())
    }

    /// Asks the agent to stop, as Ctrl-C does, and waits for its totals.
    pub(super) fn stop(&mut self) -> Result<()> {
        if self.child.try_wait()?.is_none() {
            let pid = Pid::from_raw(self.child.id().cast_signed());
            kill(pid, Signal::SIGINT).context("stopping the agent")?;
        }
        let end = Instant::now() + SHUTDOWN;
        while Instant::now() < end {
            if let Some(status) = self.child.try_wait()? {
                ensure!(status.success(), "the agent ended with {status}");
                return Ok(());
            }
            thread::sleep(LOOK);
        }
        bail!("the agent still runs {SHUTDOWN:?} after SIGINT")
    }
}

impl Drop for Agent {
    /// After [`Agent::stop`] there is nothing left to kill.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.alerts);
    }
}

/// Shows some of the intervals as tables, until the agent ends.
fn show_tables(stdout: ChildStdout) {
    let lines = BufReader::new(stdout).lines().map_while(Result::ok);
    let events = lines.filter_map(|line| serde_json::from_str::<Value>(&line).ok());
    let intervals = events.filter(|event| event["type"] == "interval");
    for (number, interval) in (1..).zip(intervals) {
        let is_large = interval["bytes"].as_u64().is_some_and(|bytes| bytes > LARGE);
        if is_large || number % TABLES_EVERY == 0 {
            // The reader may have closed the pipe.
            let _ = writeln!(std::io::stdout().lock(), "{}", table(&interval));
        }
    }
}

fn table(interval: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let mut table = format!("{:<40} {:>12} {:>9}", "WHO -> WHOM", "BYTES/S", "PACKETS");
    for row in interval["top"].as_array().into_iter().flatten() {
        let who = format!("{} -> {}", text(&row["src"]), text(&row["dst"]));
        // Intervals of the demo last a second.
        table.push_str(&format!(
            "\n{who:<40} {:>12} {:>9}",
            row["bytes"].to_string(),
            row["packets"].to_string()
        ));
    }
    table
}
