//! Alerts that outlive a dead endpoint, the agent's end and its sudden death.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::net::TcpListener;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::Value;
use wherefore_tests::command::{METHODS, Scratch, command, run, wait_until};
use wherefore_tests::corpus::directory;

use crate::server::{Answer, OK, Server};
use crate::storm::Storm;
use crate::{objects, replay};

fn quiet() -> String {
    directory().join("made/quiet.pcap.gz").display().to_string()
}

/// A webhook whose requests identify the message, as in Standard Webhooks.
fn webhook(url: &str) -> String {
    format!("webhook,name=webhook,url={url},secret=whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")
}

fn names(server: &Server) -> Vec<String> {
    let requests = server.requests();
    requests.iter().map(|request| request.header("webhook-id").unwrap().to_owned()).collect()
}

fn name(alert: &Value) -> String {
    let part = |name: &str| alert[name].as_str().unwrap().to_owned();
    format!("{}.{}.{}", part("key"), part("status"), part("time"))
}

#[test]
fn alerts_for_a_dead_endpoint_are_sent_after_the_next_start() {
    let scratch = Scratch::new();
    let state = scratch.path("state").display().to_string();
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let dead = webhook(&format!("http://127.0.0.1:{port}/"));
    let start = Instant::now();
    let run = replay(&["--state-dir", &state, "--sink", &dead]).succeeded();
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    assert!(run.stderr.contains("wait in the spool for the next start"), "{}", run.stderr);
    assert!(!run.stderr.contains("lost"), "{}", run.stderr);
    let server = Server::start(&[OK]);
    for _ in 0..2 {
        // The second time nothing is left.
        let options = ["replay", &quiet(), "--state-dir", &state, "--sink", &webhook(&server.url)];
        wherefore_tests::command::run(options).succeeded();
        assert!(names(&server).iter().any(|name| name.contains(".firing.")));
        let all = names(&server);
        assert_eq!(all.iter().collect::<BTreeSet<_>>().len(), all.len(), "{all:?}");
    }
}

#[test]
fn nothing_is_lost_when_the_agent_is_killed_in_a_storm() {
    /// Delivered before the endpoint hangs.
    const BEFORE: usize = 20;
    let scratch = Scratch::new();
    let path = |name: &str| scratch.path(name).display().to_string();
    std::fs::write(scratch.path("storm.pcap"), Storm { to_drop: 200, tail_s: 10 }.capture())
        .unwrap();
    let server = Server::start(&[vec![OK; BEFORE], vec![Answer::Hang]].concat());
    let sink = webhook(&server.url);
    let (capture, state, alerts) = (path("storm.pcap"), path("state"), path("alerts"));
    let mut agent = command(["replay", &capture, "--state-dir", &state, "--sink", &sink]);
    let mut agent = agent
        .args(["--alerts", &alerts, "--loglevel", "debug", "--alert-limit", "none"])
        .args(METHODS)
        .stdout(File::create(scratch.path("out")).unwrap())
        .stderr(File::create(scratch.path("log")).unwrap())
        .spawn()
        .unwrap();
    server.wait_for(BEFORE + 1);
    wait_until("all alerts are in the spool", || {
        let is_done = scratch.read("out").contains("{\"totals\":");
        let log = scratch.read("log");
        let queued = log.lines().filter(|line| line.contains(" queued "));
        let number =
            |line: &str| line.split("alerts=").nth(1)?.split(' ').next()?.parse::<usize>().ok();
        let queued: usize = queued.filter_map(number).sum();
        is_done && queued >= objects(&scratch.read("alerts")).len()
    });
    agent.kill().unwrap();
    agent.wait().unwrap();

    let written: BTreeSet<String> = objects(&scratch.read("alerts")).iter().map(name).collect();
    assert!(written.len() >= 50, "a storm: {}", written.len());
    let before = names(&server).len();
    server.then(&[OK]);
    run(["replay", &quiet(), "--state-dir", &state, "--sink", &sink]).succeeded();
    let names = names(&server);
    let delivered: BTreeSet<String> = names.iter().cloned().collect();
    assert!(written.is_subset(&delivered), "{:?}", written.difference(&delivered));
    // Messages that were on their way are sent twice, with the same identifier, and no others.
    let again = names.len() - names.iter().collect::<BTreeSet<_>>().len();
    assert!((1..=2).contains(&again), "{again} of {} came again", names.len());
    assert_eq!(before, BEFORE + 1);
}

#[test]
fn two_agents_dont_share_a_state_directory() {
    let (scratch, server) = (Scratch::new(), Server::start(&[OK]));
    let state = scratch.path("state").display().to_string();
    let sink = webhook(&server.url);
    let mut first = command(["replay", "-", "--state-dir", &state, "--sink", &sink]);
    let mut first = first.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
    let mut input = first.stdin.take().unwrap();
    input.write_all(&Storm { to_drop: 1, tail_s: 5 }.capture()).unwrap();
    wait_until("the first agent has its spool", || {
        scratch.path("state/alerts/webhook.redb").exists()
    });
    let second = run(["replay", &quiet(), "--state-dir", &state, "--sink", &sink]);
    assert_eq!(second.code, Some(2), "{}", second.stderr);
    assert!(second.stderr.contains("in use by another agent"), "{}", second.stderr);
    drop(input);
    assert!(first.wait().unwrap().success());
}

#[test]
fn a_damaged_spool_stops_nobody() {
    let (scratch, server) = (Scratch::new(), Server::start(&[OK]));
    std::fs::create_dir_all(scratch.path("state/alerts")).unwrap();
    std::fs::write(scratch.path("state/alerts/webhook.redb"), [b'x'; 10_000]).unwrap();
    let state = scratch.path("state").display().to_string();
    let run = replay(&["--state-dir", &state, "--sink", &webhook(&server.url)]).succeeded();
    assert!(run.stderr.contains("a spool is damaged"), "{}", run.stderr);
    assert!(names(&server)[0].contains(".firing."));
}
