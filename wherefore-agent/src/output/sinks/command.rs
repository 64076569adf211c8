//! Runs a user's program with the alert as JSON on its standard input. Owns its limits: after its timeout it
//! is killed with all its children, and only the beginning of its output is kept. Refuses to use a shell, and
//! to pass on environment variables that may be secret.

use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, Command};

use super::masks::Masks;
use super::settings::{Routing, duration};
use super::sink::{Attempt, AttemptFuture, Sink};
use super::wording::cut;
use crate::descriptors;
use crate::message::alert::Alert;

/// The number of bytes that are kept of each output; the rest is read and dropped.
const KEPT: usize = 1000;
/// How long the sink reads after the program has ended: a child may keep the outputs open.
const LISTEN: Duration = Duration::from_millis(200);
/// "Try again later" in sysexits.h.
const EX_TEMPFAIL: i32 = 75;
/// Variables that programs may need and that contain no secrets.
const PASSED: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

/// Settings of a command.
#[derive(Debug, Clone, PartialEq, Args)]
pub struct Settings {
    /// The program. It gets the alert as JSON on standard input. Exit code 0 means delivered,
    /// 75 retry, anything else refused.
    #[arg(long, value_name = "PATH")]
    pub program: PathBuf,
    /// Argument; may be repeated.
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    pub arg: Vec<String>,
    /// How long it may run; then it is killed, with its children.
    #[arg(long, value_name = "TIME", default_value = "10s", value_parser = duration)]
    pub timeout: Duration,
    /// Which alerts.
    #[command(flatten)]
    pub routing: Routing,
}

/// A program.
pub(super) struct Program {
    settings: Settings,
    masks: Masks,
}

/// A process group that is killed when this value is dropped.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // It may have ended already.
            let _ = killpg(group, Signal::SIGKILL);
        }
    }
}

impl Program {
    pub(super) fn open(settings: &Settings) -> Self {
        let mut masks = Masks::default();
        settings.arg.iter().for_each(|argument| masks.hide_argument(argument));
        Self { settings: settings.clone(), masks }
    }

    fn start(&self) -> Result<(Child, Group)> {
        let shown = self.settings.program.display();
        let mut command = Command::new(&self.settings.program);
        command.args(&self.settings.arg).process_group(0).kill_on_drop(true).env_clear();
        command.envs(PASSED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = command.spawn().with_context(|| format!("cannot start {shown}"))?;
        child.id().into_iter().for_each(descriptors::lower_limit_of);
        let group = child.id().and_then(|id| i32::try_from(id).ok()).map(Pid::from_raw);
        Ok((child, Group(group)))
    }

    async fn run(&self, alert: &Alert) -> Result<Attempt> {
        let line = serde_json::to_vec(alert).context("cannot write the alert")?;
        let (mut child, mut group) = self.start()?;
        let feed = feed(child.stdin.take(), line);
        let (out, err) = (keep(child.stdout.take()), keep(child.stderr.take()));
        let outputs = async { tokio::join!(out, err) };
        tokio::pin!(outputs);
        let ended = async {
            let mut said = None;
            let ((), status) = tokio::join!(feed, async {
                tokio::select! {
                    status = child.wait() => status,
                    all = &mut outputs => { said = Some(all); child.wait().await }
                }
            });
            (status, said)
        };
        let (status, said) = match tokio::time::timeout(self.settings.timeout, ended).await {
            Ok((status, said)) => (status.context("cannot wait for the program")?, said),
            Err(_) => {
                drop(group);
                return Ok(Attempt::later(anyhow!("killed after {:?}", self.settings.timeout)));
            }
        };
        // Nothing is left to kill, except children that are meant to keep running.
        group.0 = None;
        let said = match said {
            Some(said) => said,
            None => tokio::time::timeout(LISTEN, outputs).await.unwrap_or_default(),
        };
        let [out, err] = [&said.0, &said.1].map(|text| self.masks.mask(text));
        Ok(judge(status, &out, &err))
    }
}

fn judge(status: ExitStatus, out: &str, err: &str) -> Attempt {
    let said = if err.is_empty() { out } else { err };
    match status.code() {
        Some(0) => Attempt::Delivered(format!("exit code 0: {}", out.trim_end())),
        Some(EX_TEMPFAIL) => Attempt::later(anyhow!("exit code 75: {}", said.trim_end())),
        _ => Attempt::Never(anyhow!("{status}: {}", said.trim_end())),
    }
}

async fn feed(stdin: Option<ChildStdin>, mut line: Vec<u8>) {
    line.push(b'\n');
    if let Some(mut stdin) = stdin {
        // Some programs do not read all of their input.
        let _ = stdin.write_all(&line).await;
    }
}

/// Reads an output to its end and returns its beginning.
async fn keep(output: Option<impl AsyncRead + Unpin>) -> String {
    let Some(mut output) = output else { return String::new() };
    let (mut kept, mut buffer) = (Vec::new(), [0; 4096]);
    while let Ok(read @ 1..) = output.read(&mut buffer).await {
        let room = KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(&buffer[..read.min(room)]);
    }
    let text = String::from_utf8_lossy(&kept);
    let text = text.chars().map(|c| if c.is_control() { ' ' } else { c });
    cut(&text.collect::<String>(), KEPT)
}

impl Sink for Program {
    fn attempt<'a>(&'a mut self, alert: &'a Alert) -> AttemptFuture<'a> {
        Box::pin(async {
            // A missing program may be installed later, so this is retried.
            self.run(alert).await.unwrap_or_else(Attempt::later)
        })
    }
}
