//! `demo`: the first alert in under a minute, on one machine. Owns the script: quiet traffic
//! between two network namespaces, then a burst, and what must come of it. Refuses to touch the
//! machine's own interfaces.

mod agent;

use std::io::Write;
use std::net::UdpSocket;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use wherefore_tests::lab::traffic::tcp_transfer;
use wherefore_tests::lab::{Family, Lab};

use agent::{Agent, Alert};

/// Long enough for the detector to know what is usual: 10 intervals, and some to spare.
const QUIET: Duration = Duration::from_secs(20);
/// Time from one request to the next.
const PACE: Duration = Duration::from_millis(100);
const BURST: u64 = 200_000_000;
/// How long after the burst an alert may come: a few intervals.
const PATIENCE: Duration = Duration::from_secs(15);

fn main() -> Result<()> {
    let program = std::env::args_os().nth(1).map(PathBuf::from);
    let program = program.context("usage: demo PROGRAM (the agent); `cargo xtask demo` does it")?;
    Lab::privilege().map_err(|reason| anyhow::anyhow!("no network namespaces here: {reason}"))?;
    let lab = Lab::new().context("joining two network namespaces")?;
    let mut agent = Agent::start(&lab.a, &program)?;
    let shown = show(&lab, &mut agent);
    let stopped = agent.stop();
    shown.and(stopped)
}

/// Says how far it is, on standard error.
fn say(text: impl std::fmt::Display) {
    eprintln!("demo: {text}");
}

/// Plays the script and judges what the agent said.
fn show(lab: &Lab, agent: &mut Agent) -> Result<()> {
    let begin = Instant::now();
    quiet_traffic(lab, agent)?;
    let early = agent.alerts();
    print(&early)?;
    ensure!(early.is_empty(), "{} alerts about quiet traffic, where none was due", early.len());
    say(format!("burst: {} MB by TCP from {} to {}", BURST / 1_000_000, lab.a.v4, lab.b.v4));
    tcp_transfer(&lab.a, &lab.b, Family::V4, BURST, 0).context("the burst")?;
    let alert = agent.wait_for_alert(PATIENCE, |alert| alert.bytes() > BURST as f64 / 10.0)?;
    print(&[alert])?;
    say(format!("the alert came {} s after the start", begin.elapsed().as_secs()));
    Ok(())
}

/// Small requests and answers in both directions.
fn quiet_traffic(lab: &Lab, agent: &mut Agent) -> Result<()> {
    let bind = |host: &wherefore_tests::lab::Host| {
        let socket = host.enter(|| UdpSocket::bind((host.v4, 0)))?.context("binding")?;
        socket.set_read_timeout(Some(Duration::from_secs(1)))?;
        anyhow::Ok(socket)
    };
    let (a, b) = (bind(&lab.a)?, bind(&lab.b)?);
    a.connect(b.local_addr()?)?;
    b.connect(a.local_addr()?)?;
    let begin = Instant::now();
    let mut told = 0;
    while begin.elapsed() < QUIET {
        agent.ensure_alive()?;
        exchange(&a, &b).context("quiet traffic")?;
        let seconds = begin.elapsed().as_secs();
        if seconds / 4 > told / 4 {
            told = seconds;
            say(format!("quiet traffic: {seconds} of {} s", QUIET.as_secs()));
        }
        thread::sleep(PACE);
    }
    Ok(())
}

/// A request and its answer, then one the other way round.
fn exchange(a: &UdpSocket, b: &UdpSocket) -> Result<()> {
    let mut buffer = [0; 512];
    for (from, to, len) in [(a, b, 64), (b, a, 200), (b, a, 64), (a, b, 200)] {
        from.send(&buffer[..len])?;
        to.recv(&mut buffer)?;
    }
    Ok(())
}

/// Alerts are data: the text a person reads goes to standard output.
fn print(alerts: &[Alert]) -> Result<()> {
    let mut stdout = std::io::stdout().lock();
    for alert in alerts {
        writeln!(stdout, "{}", alert.text()).context("writing the alert")?;
    }
    Ok(())
}
