//! `demo`: the first alert in under a minute, on one machine. Owns the script: quiet traffic between two
//! network namespaces, then a burst, and the expected alert. Refuses to touch the machine's own interfaces,
//! and to build more than `run` does.

mod agent;
pub(crate) mod api_fuzz;
mod browser;
pub(crate) mod lab;
pub(crate) mod page;
pub(crate) mod screenshot;
mod svg;

use std::fmt::Display;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::{privilege, run, shell, workspace};
use agent::Agent;
use lab::{Host, Lab};

/// Long enough for the detector to have a baseline: 10 intervals and a reserve.
const QUIET: Duration = Duration::from_secs(20);
/// The time between two requests.
const PACE: Duration = Duration::from_millis(100);
const BURST: u64 = 200_000_000;
/// How long after the burst an alert may take: a few intervals.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long the view stays open after the alert, unless the user closes it.
const LOOK_AT_IT: Duration = Duration::from_secs(20);
/// How long a packet may take from one namespace to the other.
const LOSS: Duration = Duration::from_secs(1);

#[derive(Args)]
pub(crate) struct Options {
    /// Play the script with this agent, as root; nothing is built.
    #[arg(long, hide = true, value_name = "AGENT")]
    pub(crate) play: Option<PathBuf>,
}

pub(crate) fn demo(options: &Options) -> Result<()> {
    as_root("demo", options, play)
}

/// Builds the agent and plays a script with it as root: the command runs itself again through sudo.
fn as_root(name: &str, options: &Options, play: fn(&Path) -> Result<()>) -> Result<()> {
    if let Some(agent) = &options.play {
        return play(agent);
    }
    run::build_agent()?;
    let agent = workspace::agent();
    if privilege::is_root() {
        return play(&agent);
    }
    let own = std::env::current_exe().context("finding this program")?;
    let mut command = privilege::sudo(&own, "root for network namespaces")?;
    bail!(shell::exec(command.args([name, "--play"]).arg(agent)))
}

fn play(program: &Path) -> Result<()> {
    shell::require("ip", "to make network namespaces")?;
    let lab = Lab::new().context("joining two network namespaces")?;
    print(format!("quiet traffic for {} s, then a burst, in two namespaces", QUIET.as_secs()));
    let mut agent = Agent::start(&lab.a, program)?;
    let shown = show(&lab, &mut agent);
    let stopped = agent.stop();
    shown.and(stopped)
}

/// Reports the progress, on standard error.
fn print(text: impl Display) {
    shell::say(format!("demo: {text}"));
}

/// Runs the script and checks the agent's alerts.
fn show(lab: &Lab, agent: &mut Agent) -> Result<()> {
    let begin = Instant::now();
    agent.print(format!(
        "{} s of quiet traffic between {} and {}",
        QUIET.as_secs(),
        lab.a.address,
        lab.b.address
    ));
    quiet_traffic(lab, agent, QUIET)?;
    if !agent.is_there()? {
        return Ok(());
    }
    let early = agent.alerts()?.len();
    ensure!(early == 0, "{early} alerts about quiet traffic, where none was expected");
    agent.print(format!("a burst: {} MB by TCP", BURST / 1_000_000));
    burst(lab).context("the burst")?;
    let Some(text) = agent.wait_for_alert(PATIENCE, BURST as f64 / 10.0)? else { return Ok(()) };
    let seconds = begin.elapsed().as_secs();
    if agent.is_drawn() {
        quiet_traffic(lab, agent, LOOK_AT_IT)?;
        agent.stop()?;
    }
    writeln!(std::io::stdout().lock(), "ALERT {text}").context("writing the alert")?;
    print(format!("the alert came {seconds} s after the start"));
    Ok(())
}

/// Sends small requests and answers in both directions for this long, or until the user has closed the view.
fn quiet_traffic(lab: &Lab, agent: &mut Agent, time: Duration) -> Result<()> {
    let bind = |host: &Host| -> Result<UdpSocket> {
        let socket = host.enter(|| UdpSocket::bind((host.address, 0)))?.context("binding")?;
        socket.set_read_timeout(Some(LOSS))?;
        Ok(socket)
    };
    let (a, b) = (bind(&lab.a)?, bind(&lab.b)?);
    a.connect(b.local_addr()?)?;
    b.connect(a.local_addr()?)?;
    let begin = Instant::now();
    while begin.elapsed() < time && agent.is_there()? {
        exchange(&a, &b).context("quiet traffic")?;
        thread::sleep(PACE);
    }
    Ok(())
}

/// A request and its answer, then one in the other direction.
fn exchange(a: &UdpSocket, b: &UdpSocket) -> Result<()> {
    let mut buffer = [0; 512];
    for (from, to, len) in [(a, b, 64), (b, a, 200), (b, a, 64), (a, b, 200)] {
        from.send(&buffer[..len])?;
        to.recv(&mut buffer)?;
    }
    Ok(())
}

/// A transfer from one namespace to the other.
fn burst(lab: &Lab) -> Result<()> {
    let listener = lab.b.enter(|| TcpListener::bind((lab.b.address, 0)))?.context("listening")?;
    let target = listener.local_addr()?;
    let receiver = thread::spawn(move || -> std::io::Result<u64> {
        let (stream, _) = listener.accept()?;
        std::io::copy(&mut stream.take(BURST), &mut std::io::sink())
    });
    let mut stream = lab.a.enter(|| TcpStream::connect(target))?.context("connecting")?;
    let piece = vec![0; 1 << 16];
    let mut left = BURST;
    while left > 0 {
        let len = left.min(piece.len() as u64) as usize;
        stream.write_all(&piece[..len])?;
        left -= len as u64;
    }
    drop(stream);
    let received = receiver.join().map_err(|_| anyhow::anyhow!("the receiver failed"))??;
    ensure!(received == BURST, "{received} bytes of {BURST} arrived");
    Ok(())
}
