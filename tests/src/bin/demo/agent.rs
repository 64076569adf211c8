//! The agent as a child process inside a namespace. Owns its start, its alerts as they come and its
//! end by SIGINT; refuses to understand its log, which goes to the terminal as it is.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use wherefore_tests::lab::{Host, wait_until};

use crate::say;

/// How long the agent may take to detach its programs and print its totals.
const FAREWELL: Duration = Duration::from_secs(15);

/// One line of what the agent wrote about something unusual.
pub(crate) struct Alert(Value);

impl Alert {
    /// What a person reads; the whole line where the agent gave no text.
    pub(crate) fn text(&self) -> String {
        self.0.get("text").and_then(Value::as_str).map_or_else(|| self.0.to_string(), str::to_owned)
    }

    pub(crate) fn bytes(&self) -> f64 {
        self.0.get("bytes").and_then(Value::as_f64).unwrap_or_default()
    }
}

/// A running agent; dropping it kills it.
pub(crate) struct Agent {
    child: Child,
    alerts: Receiver<Alert>,
}

impl Agent {
    /// Starts to watch the host's device, judging every second.
    pub(crate) fn start(host: &Host, program: &Path) -> Result<Self> {
        let mut command = host.namespace.command(program);
        command.args(["run", "-i", &host.device, "--transfer-interval", "1s", "--alerts", "-"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        say(format!("starting {} on {}", program.display(), host.device));
        let mut child =
            command.spawn().with_context(|| format!("starting {}", program.display()))?;
        let stdout = child.stdout.take().context("the agent has no standard output")?;
        Ok(Self { child, alerts: follow(stdout) })
    }

    /// The alerts since the last call.
    pub(crate) fn alerts(&self) -> Vec<Alert> {
        self.alerts.try_iter().collect()
    }

    /// The first alert that is meant, within the time.
    pub(crate) fn wait_for_alert(
        &self,
        patience: Duration,
        is_meant: impl Fn(&Alert) -> bool,
    ) -> Result<Alert> {
        let end = Instant::now() + patience;
        let mut others = 0;
        loop {
            match self.alerts.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(alert) if is_meant(&alert) => return Ok(alert),
                Ok(alert) => {
                    say(format!("also: {}", alert.text()));
                    others += 1;
                }
                Err(RecvTimeoutError::Timeout) => bail!(
                    "no alert about the burst within {} s ({others} others): see the agent's log above",
                    patience.as_secs()
                ),
                Err(RecvTimeoutError::Disconnected) => bail!("the agent ended before it alerted"),
            }
        }
    }

    pub(crate) fn ensure_alive(&mut self) -> Result<()> {
        let ended = self.child.try_wait().context("looking after the agent")?;
        ensure!(ended.is_none(), "the agent ended early ({ended:?}): see its log above");
        Ok(())
    }

    /// Asks the agent to stop, as Ctrl-C does, and waits for its totals.
    pub(crate) fn stop(&mut self) -> Result<()> {
        let child = &mut self.child;
        if child.try_wait()?.is_none() {
            kill(Pid::from_raw(child.id().cast_signed()), Signal::SIGINT)
                .context("stopping the agent")?;
        }
        let mut status = None;
        wait_until(FAREWELL, || {
            status = child.try_wait().ok().flatten();
            status.is_some()
        });
        let status =
            status.with_context(|| format!("the agent still runs {FAREWELL:?} after SIGINT"))?;
        ensure!(status.success(), "the agent ended with {status}");
        Ok(())
    }
}

impl Drop for Agent {
    /// After [`Agent::stop`] there is nothing left to kill.
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Reads alerts, a JSON object a line, until the agent ends; whatever else it prints is shown.
fn follow(stdout: ChildStdout) -> Receiver<Alert> {
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            match serde_json::from_str(&line) {
                Ok(value) => drop(sender.send(Alert(value))),
                Err(_) => say(format!("the agent: {line}")),
            }
        }
    });
    receiver
}
