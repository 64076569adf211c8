//! Alertmanager: the real one, two members of a cluster; and made-up members, to see each request.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream, UdpSocket};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use serde_json::Value;
use wherefore_agent::output::sinks::{self, Sinks};
use wherefore_tests::command::{Scratch, command, wait_until};

use crate::reload::{alert, spec};
use crate::server::{Answer, OK, Server};
use crate::storm::Storm;
use crate::{alert_test, time};

const PROGRAM: &str = "/usr/bin/prometheus-alertmanager";

struct Member {
    child: Child,
    port: u16,
    cluster: u16,
}

impl Drop for Member {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill().and_then(|()| self.child.wait());
    }
}

/// A port that is free for TCP and UDP, at least for a moment.
fn free_port() -> u16 {
    let free = || {
        let tcp = TcpListener::bind("127.0.0.1:0").ok()?;
        let address = tcp.local_addr().ok()?;
        UdpSocket::bind(address).ok().map(|_| address.port())
    };
    std::iter::repeat_with(free).flatten().next().unwrap()
}

impl Member {
    fn start(scratch: &Scratch, name: &str, peer: Option<&Self>) -> Self {
        let (port, cluster) = (free_port(), free_port());
        let mut command = Command::new(PROGRAM);
        command
            .arg(format!("--config.file={}", scratch.path("config.yml").display()))
            .arg(format!("--storage.path={}", scratch.path(name).display()))
            .arg(format!("--web.listen-address=127.0.0.1:{port}"))
            .arg(format!("--cluster.listen-address=127.0.0.1:{cluster}"))
            .arg(format!("--cluster.advertise-address=127.0.0.1:{cluster}"))
            .args(["--cluster.gossip-interval=20ms", "--cluster.peer-timeout=3s"])
            .args(peer.map(|peer| format!("--cluster.peer=127.0.0.1:{}", peer.cluster)))
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        Self { child: command.spawn().unwrap(), port, cluster }
    }

    fn get(&self, path: &str) -> Option<Value> {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).ok()?;
        write!(stream, "GET {path} HTTP/1.0\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    fn is_ready(&self) -> bool {
        self.get("/api/v2/status").is_some_and(|status| {
            let cluster = &status["cluster"];
            cluster["status"] == "ready" && cluster["peers"].as_array().map(Vec::len) == Some(2)
        })
    }
}

#[test]
fn a_cluster_notifies_once_at_the_start_and_once_at_the_end() {
    if !Path::new(PROGRAM).exists() {
        let test = "a_cluster_notifies_once_at_the_start_and_once_at_the_end";
        return wherefore_tests::skip(test, "prometheus-alertmanager is not installed");
    }
    let (scratch, hook) = (Scratch::new(), Server::start(&[OK]));
    let config = format!(
        "route: {{receiver: hook, group_by: [alertname, src, dst], group_wait: 100ms, \
         group_interval: 300ms, repeat_interval: 1h}}\n\
         receivers:\n- name: hook\n  webhook_configs:\n  - url: {}\n",
        hook.url
    );
    std::fs::write(scratch.path("config.yml"), config).unwrap();
    let first = Member::start(&scratch, "first", None);
    wait_until("the first member is there", || first.get("/api/v2/status").is_some());
    let second = Member::start(&scratch, "second", Some(&first));
    wait_until("the cluster is settled", || first.is_ready() && second.is_ready());

    let urls = [&first, &second].map(|member| format!("http://127.0.0.1:{}", member.port));
    let words = ["alertmanager", "--url", &urls[0], "--url", &urls[1], "--label", "team=net"];
    let sinks = Sinks::start(sinks::open(&[spec(&words)], None).unwrap(), &[]).unwrap();
    let statuses = || -> Vec<Value> {
        hook.requests().iter().map(|request| request.json()["status"].clone()).collect()
    };
    sinks.send(&alert("a", "firing"));
    wait_until("the start was sent", || statuses().contains(&"firing".into()));
    sinks.send(&alert("a", "resolved"));
    wait_until("the end was sent", || statuses().contains(&"resolved".into()));
    let alerts = hook.requests()[0].json();
    let alert = &alerts["alerts"][0];
    assert_eq!(alert["labels"]["src"], "10.0.0.1");
    assert_eq!(
        (&alert["labels"]["team"], &alert["labels"]["kind"]),
        (&"net".into(), &"volume".into())
    );
    assert!(alert["annotations"]["summary"].is_string());
    for member in [&first, &second] {
        wait_until("every member knows that it is over", || {
            member.get("/api/v2/alerts").is_some_and(|alerts| alerts == Value::Array(Vec::new()))
        });
    }
    let count = |status: &str| statuses().iter().filter(|got| *got == status).count();
    assert_eq!((count("firing"), count("resolved")), (1, 1), "{:?}", statuses());
    sinks.finish();
}

#[test]
fn alerts_go_to_every_member_and_one_success_is_enough() {
    let (good, bad) = (Server::start(&[OK]), Server::start(&[Answer::Say(500, &[], "")]));
    let sink = |other: &Server| format!("alertmanager,url={},url={}", bad.url, other.url);
    let run = alert_test(&[sink(&good)]).succeeded();
    assert!(run.stderr.contains("Alertmanager did not accept the alerts"), "{}", run.stderr);
    assert_eq!((good.requests().len(), bad.requests().len()), (2, 2));
    let [firing, resolved] = &good.requests()[..] else { panic!() };
    assert!(firing.line.ends_with("/api/v2/alerts HTTP/1.1"), "{}", firing.line);
    let (firing, resolved) = (firing.json(), resolved.json());
    assert_eq!(firing[0]["labels"], resolved[0]["labels"]);
    let now = jiff::Timestamp::now();
    assert!(time(&firing[0]["endsAt"]) > now && time(&resolved[0]["endsAt"]) <= now);
    for alert in [&firing[0], &resolved[0]] {
        assert!(time(&alert["startsAt"]) <= time(&alert["endsAt"]));
        let maps = [&alert["labels"], &alert["annotations"]].map(|map| map.as_object().unwrap());
        assert!(maps.iter().all(|map| map.values().all(Value::is_string)), "{alert}");
        let is_figure = |name: &String| name.contains("bytes") || name == "probability";
        assert!(!maps[0].keys().any(is_figure), "figures are no labels: {alert}");
    }
    let run = alert_test(&[sink(&bad)]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
}

#[test]
fn firing_alerts_are_sent_again() {
    let (server, scratch) = (Server::start(&[OK]), Scratch::new());
    let sink = format!("alertmanager,url={},resend_every=300ms", server.url);
    let mut agent = command(["replay", "-", "--reorder", "1", "--sink", &sink]);
    let storm = Storm { to_drop: 1, tail_s: 10 };
    let mut agent = agent
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(scratch.path("log")).unwrap())
        .spawn()
        .unwrap();
    // The replay continues while its input is open.
    let mut input = agent.stdin.take().unwrap();
    input.write_all(&storm.capture()).unwrap();
    input.flush().unwrap();
    wait_until("it was sent again", || {
        let firing = |alert: &&Value| time(&alert["endsAt"]) > jiff::Timestamp::now();
        let requests = server.requests();
        let posted: Vec<Value> = requests.iter().map(|request| request.json()[0].clone()).collect();
        posted.iter().filter(firing).count() >= 3 || posted.len() >= 4
    });
    drop(input);
    assert!(agent.wait().unwrap().success());
    let requests = server.requests();
    let labels = |at: usize| requests[at].json()[0]["labels"].clone();
    assert_eq!(labels(0), labels(1));
}
