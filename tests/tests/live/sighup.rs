//! SIGHUP and restarts: new settings without losing a byte, invalid ones refused, incidents
//! reported only once.

use std::fs;
use std::time::Duration;

use anyhow::{Result, ensure};
use nix::sys::signal::Signal;
use wherefore_tests::agent::{Agent, Direction};
use wherefore_tests::command::{METHODS, Scratch};
use wherefore_tests::lab::traffic::{Datagrams, udp_send};
use wherefore_tests::lab::{Family, Lab, wait_until};

use super::{assert_exact, watch};

/// How long a reload may take.
const PATIENCE: Duration = Duration::from_secs(20);

fn send(lab: &Lab, family: Family, packets: u32, payload: usize) -> Result<()> {
    let interval = Duration::from_micros(500);
    let load =
        Datagrams { family, packets, payload, source_port: 4001, target_port: 4002, interval };
    let report = udp_send(&lab.a, &lab.b, load)?;
    ensure!(report.sent_packets == u64::from(packets));
    Ok(())
}

/// Sends SIGHUP and waits until the log has this message once more.
fn reload(agent: &Agent, answer: &str) -> Result<()> {
    let count = || agent.log().matches(answer).count();
    let before = count();
    agent.signal(Signal::SIGHUP)?;
    let answered = wait_until(PATIENCE, || count() > before);
    ensure!(answered, "no {answer:?} in {}", agent.log());
    Ok(())
}

const IN_FORCE: &str = "reloaded the configuration";
const REFUSED: &str = "the old one stays in force";

#[test]
fn a_reload_under_traffic_loses_nothing() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_reload_under_traffic_loses_nothing")? else { return Ok(()) };
    let scratch = Scratch::new();
    let path = scratch.path("wherefore.toml");
    fs::write(&path, "top = 3\n")?;
    let config = path.display().to_string();
    let agent = watch(&lab.b, &["--config", &config])?;
    let (counters, ()) = lab.measure(|| {
        std::thread::scope(|scope| {
            let traffic = scope.spawn(|| send(&lab, Family::V4, 6000, 100));
            fs::write(&path, "top = 3\nfilter_ip_cidr = \"192.0.2.0/24\"\n")?;
            reload(&agent, IN_FORCE)?;
            fs::write(&path, "top = 5000\nfilter_ip_cidr = \"10.0.0.0/8\"\nfiltre_src = true\n")?;
            reload(&agent, REFUSED)?;
            fs::write(&path, "pcap_filter = \"udp port 4002\"\n")?;
            reload(&agent, IN_FORCE)?;
            traffic.join().map_err(|_| anyhow::anyhow!("the sender panicked"))?
        })?;
        send(&lab, Family::V6, 100, 100)
    })?;
    let log = agent.log();
    assert!(log.contains("did you mean filter_src?") && log.contains("5000 is not in"), "{log}");
    let report = agent.stop()?;
    let flows: u64 = report.sums(Direction::Ingress).values().map(|volume| volume.packets).sum();
    let filtered = report.total("filtered")? - report.total("filtered_non_ip")?;
    let ip = report.total("ip")?;
    assert_eq!(ip, counters[1].rx_packets, "packets that are nowhere");
    assert_eq!(flows + filtered, ip);
    // Each rule was in force for a while: before, between and after.
    assert!(filtered > 0 && flows > filtered / 100 && flows >= 100, "{flows} and {filtered}");
    assert_exact(&report, counters[1])
}

#[test]
fn options_that_need_a_restart_are_named() -> Result<()> {
    let Some(lab) = Lab::or_skip("options_that_need_a_restart_are_named")? else { return Ok(()) };
    let scratch = Scratch::new();
    let path = scratch.path("wherefore.toml");
    fs::write(&path, "")?;
    let agent = watch(&lab.b, &["--config", &path.display().to_string()])?;
    fs::write(&path, "max_flows = 1000\nalert_threshold = 0.9\n")?;
    reload(&agent, IN_FORCE)?;
    let log = agent.log();
    assert!(log.contains(r#"take effect after a restart options=["max-flows"]"#), "{log}");
    agent.stop().map(drop)
}

#[test]
fn the_log_changes_its_level() -> Result<()> {
    let Some(lab) = Lab::or_skip("the_log_changes_its_level")? else { return Ok(()) };
    let scratch = Scratch::new();
    let path = scratch.path("wherefore.toml");
    fs::write(&path, "")?;
    let agent = watch(&lab.b, &["--config", &path.display().to_string()])?;
    agent.pass_intervals(2)?;
    assert!(!agent.log().contains("DEBUG"), "{}", agent.log());
    fs::write(&path, "loglevel = \"debug\"\n")?;
    reload(&agent, IN_FORCE)?;
    let is_logged = wait_until(PATIENCE, || agent.log().contains("DEBUG"));
    ensure!(is_logged, "nothing more is logged: {}", agent.log());
    assert!(!agent.log().contains("take effect after a restart"), "{}", agent.log());
    fs::write(&path, "loglevel = \"error\"\n")?;
    agent.signal(Signal::SIGHUP)?;
    agent.pass_intervals(3)?;
    let before = agent.log();
    agent.pass_intervals(3)?;
    assert_eq!(agent.log(), before, "more than errors is logged");
    agent.stop().map(drop)
}

#[test]
fn thresholds_change_and_windows_stay() -> Result<()> {
    let Some(lab) = Lab::or_skip("thresholds_change_and_windows_stay")? else { return Ok(()) };
    let scratch = Scratch::new();
    let path = scratch.path("wherefore.toml");
    fs::write(&path, "alert_min_bytes = 100000000\n")?;
    let config = path.display().to_string();
    let agent = watch(&lab.b, &[&["--config", &config], &METHODS[..]].concat())?;
    agent.pass_intervals(11)?;
    send(&lab, Family::V4, 500, 1400)?;
    agent.pass_intervals(2)?;
    assert_eq!(agent.alerts()?.len(), 0, "too small for an alert");
    fs::write(&path, "alert_min_bytes = 1000\n")?;
    reload(&agent, IN_FORCE)?;
    // The window is full already: no other ten intervals of quiet start.
    send(&lab, Family::V6, 500, 1400)?;
    let is_reported =
        wait_until(PATIENCE, || agent.alerts().is_ok_and(|alerts| !alerts.is_empty()));
    ensure!(is_reported, "nothing was reported: {}", agent.log());
    agent.stop().map(drop)
}

#[test]
fn an_incident_is_reported_once_across_a_restart() -> Result<()> {
    let Some(lab) = Lab::or_skip("an_incident_is_reported_once_across_a_restart")? else {
        return Ok(());
    };
    let scratch = Scratch::new();
    let state = scratch.path("state").display().to_string();
    let options = ["--state-dir", &state, "--alert-min-bytes", "1000", "--alert-resolve", "15"];
    let options = [&options, &METHODS[..]].concat();
    let agent = watch(&lab.b, &options)?;
    agent.pass_intervals(11)?;
    send(&lab, Family::V4, 300, 1400)?;
    let is_reported =
        wait_until(PATIENCE, || agent.alerts().is_ok_and(|alerts| !alerts.is_empty()));
    ensure!(is_reported, "nothing was reported: {}", agent.log());
    let first = agent.alerts()?[0].clone();
    let (file, key) = (scratch.path("state/incidents.json"), first["key"].to_string());
    let kept = || fs::read_to_string(&file).is_ok_and(|text| text.contains(&key));
    ensure!(wait_until(PATIENCE, kept), "it is not kept: {}", agent.log());
    agent.kill()?;
    let next = watch(&lab.b, &options)?;
    let over = wait_until(PATIENCE, || next.alerts().is_ok_and(|alerts| !alerts.is_empty()));
    ensure!(over, "it never ends: {}", next.log());
    let report = next.stop()?;
    let [last] = &report.alerts[..] else { panic!("{:?}", report.alerts) };
    assert_eq!((&last["key"], &last["started"]), (&first["key"], &first["started"]));
    assert_eq!((&first["status"], &last["status"]), (&"firing".into(), &"resolved".into()));
    Ok(())
}

#[test]
fn the_baseline_survives_a_restart_and_damage() -> Result<()> {
    let Some(lab) = Lab::or_skip("the_baseline_survives_a_restart_and_damage")? else {
        return Ok(());
    };
    let scratch = Scratch::new();
    let state = scratch.path("state").display().to_string();
    let past = scratch.path("state/past");
    let begin = || -> Result<String> {
        let agent = watch(&lab.b, &["--state-dir", &state])?;
        send(&lab, Family::V4, 10, 100)?;
        agent.pass_intervals(3)?;
        let log = agent.log();
        agent.stop()?;
        Ok(log)
    };
    const KNOWN: &str = "read the baselines of the last run";
    assert!(!begin()?.contains(KNOWN), "a new host");
    ensure!(past.exists(), "nothing was written");
    assert!(begin()?.contains(KNOWN));
    let whole = fs::read(&past)?;
    fs::write(&past, &whole[..whole.len() - 1])?;
    let log = begin()?;
    assert!(!log.contains(KNOWN) && log.contains("learns them again"), "{log}");
    ensure!(past.with_extension("damaged").exists(), "damage is not put aside");
    Ok(())
}
