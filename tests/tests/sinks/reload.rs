//! Sinks as the agent holds them: they change while it runs, and files are rotated under them.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use wherefore_agent::message::alert::Alert;
use wherefore_agent::options::sinks::parse_spec;
use wherefore_agent::output::sinks::{self, SinkSpec, Sinks};
use wherefore_tests::command::{Scratch, wait_until};

use crate::objects;
use crate::server::{Answer, OK, Server};

pub(crate) fn spec(words: &[&str]) -> SinkSpec {
    let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    parse_spec(&words).unwrap()
}

pub(crate) fn alert(key: &str, status: &str) -> Arc<Alert> {
    let alert = json!({
        "status": status, "key": key, "kind": "volume", "severity": "warning",
        "started": "2026-11-24T00:00:00.000000000Z", "time": "2026-11-24T00:00:05.000000000Z",
        "host": "h", "interface": "eth0", "group_by": "pair", "src": "10.0.0.1", "dst": "10.0.0.2",
        "bytes": 1, "packets": 1, "interval_seconds": 5.0, "bytes_per_second": 0.2,
        "usual_bytes": 0.0, "ratio": null, "probability": 0.9, "threshold": 0.6, "methods": {},
        "protocol": 6, "sport": 1, "dport": 2, "window": [], "text": "t",
    });
    Arc::new(serde_json::from_value(alert).unwrap())
}

fn start(specs: &[SinkSpec], scratch: Option<&Scratch>) -> Sinks {
    let spool = scratch.map(|scratch| scratch.path("spool"));
    Sinks::start(sinks::open(specs, spool.as_deref()).unwrap(), &[]).unwrap()
}

fn keys(server: &Server) -> Vec<String> {
    let key =
        |body: serde_json::Value| body["commonAnnotations"]["key"].as_str().unwrap().to_owned();
    server.requests().iter().map(|request| key(request.json())).collect()
}

fn delivered(sinks: &Sinks, name: &str) -> u64 {
    sinks.counters().iter().find(|sink| sink.name == name).map_or(0, |sink| sink.delivered)
}

#[test]
fn queued_alerts_are_delivered_with_the_new_settings() {
    let scratch = Scratch::new();
    for spool in [None, Some(&scratch)] {
        let (bad, good) = (Server::start(&[Answer::Say(500, &[], "")]), Server::start(&[OK]));
        let sink = |url: &str| spec(&["webhook", "--url", url, "--name", "webhook"]);
        let mut sinks = start(&[sink(&bad.url)], spool);
        ["a", "b", "c"].iter().for_each(|key| sinks.send(&alert(key, "firing")));
        bad.wait_for(1);
        sinks.reload(&[sink(&good.url)]).unwrap();
        sinks.send(&alert("d", "firing"));
        good.wait_for(4);
        assert_eq!(keys(&good), ["a", "b", "c", "d"]);
        // Delivered alerts leave the queue a moment later.
        wait_until("all are counted", || {
            let counters = sinks.counters();
            (counters[0].delivered, counters[0].waiting) == (4, 0)
        });
        let counters = sinks.counters();
        assert_eq!((counters[0].failed, counters[0].dropped), (0, 0));
        sinks.finish();
    }
}

#[test]
fn sinks_come_and_go_and_those_that_stay_dont_notice() {
    let servers = [(); 3].map(|()| Server::start(&[OK]));
    let sink =
        |at: usize, name: &str| spec(&["webhook", "--url", &servers[at].url, "--name", name]);
    let mut sinks = start(&[sink(0, "stays"), sink(1, "goes")], None);
    sinks.send(&alert("a", "firing"));
    sinks.reload(&[sink(2, "comes"), sink(0, "stays")]).unwrap();
    sinks.send(&alert("b", "firing"));
    wait_until("all is delivered", || {
        servers.each_ref().map(|server| server.requests().len()) == [2, 1, 1]
    });
    wait_until("it is counted from the beginning", || delivered(&sinks, "stays") == 2);
    assert_eq!((keys(&servers[1]), keys(&servers[2])), (vec!["a".into()], vec!["b".into()]));
    // A sink that cannot be opened changes nothing.
    assert!(sinks.reload(&[spec(&["webhook", "--url", "nonsense"])]).is_err());
    sinks.send(&alert("c", "firing"));
    servers[0].wait_for(3);
    sinks.finish();
}

/// Of two sinks without names one is dead: alerts that wait for it never go to the other, whatever their
/// order after a reload or a restart.
#[test]
fn sinks_without_names_keep_their_queues() {
    let scratch = Scratch::new();
    let (first, second) = (Server::start(&[Answer::Say(500, &[], "")]), Server::start(&[OK]));
    let sink = |server: &Server, kind: &str| {
        spec(&["webhook", "--url", &server.url, "--match", &format!("kind={kind}")])
    };
    let specs = [sink(&first, "volume"), sink(&second, "none")];
    let exchanged = [specs[1].clone(), specs[0].clone()];
    let mut sinks = start(&specs, Some(&scratch));
    sinks.send(&alert("a", "firing"));
    first.wait_for(1);
    sinks.reload(&exchanged).unwrap();
    sinks.send(&alert("b", "firing"));
    sinks.finish();
    for specs in [&specs, &exchanged] {
        let before = first.requests().len();
        let sinks = start(specs, Some(&scratch));
        first.wait_for(before + 1);
        sinks.finish();
    }
    assert_eq!(keys(&second), [""; 0], "got an alert that is not its own");
    assert!(keys(&first).iter().all(|key| key == "a"), "{:?}", keys(&first));
}

#[test]
fn a_hanging_sink_delays_neither_the_sender_nor_the_others() {
    let (hung, good) = (Server::start(&[Answer::Hang]), Server::start(&[OK]));
    let sink = |server: &Server, name| spec(&["webhook", "--url", &server.url, "--name", name]);
    let specs = [sink(&hung, "hung"), sink(&good, "good")];
    let sinks = start(&specs, None);
    let begin = std::time::Instant::now();
    for number in 0..5000 {
        sinks.send(&alert(&number.to_string(), "firing"));
    }
    assert!(begin.elapsed() < Duration::from_secs(2), "{:?}", begin.elapsed());
    wait_until("the other delivers", || delivered(&sinks, "good") > 100);
    wait_until("what doesn't fit is counted", || {
        let counters = sinks.counters();
        counters[0].dropped > 0 && counters[0].waiting + counters[0].dropped == 5000
    });
    drop(sinks);
}

#[test]
fn a_file_that_is_rotated_away_is_made_anew() {
    let scratch = Scratch::new();
    let path = scratch.path("new/alerts.jsonl");
    let words = ["file", "--path", path.to_str().unwrap(), "--name", "file"];
    let sinks = start(&[spec(&words)], None);
    for (nth, key) in (1..).zip(["a", "b"]) {
        sinks.send(&alert(key, "firing"));
        wait_until("it is written", || delivered(&sinks, "file") == nth);
        std::fs::rename(&path, scratch.path(key)).unwrap();
    }
    sinks.finish();
    for key in ["a", "b"] {
        assert_eq!(objects(&scratch.read(key))[0]["key"], key);
    }
}

#[test]
fn alertmanager_gets_open_alerts_after_a_restart() {
    let server = Server::start(&[OK]);
    let specs = [spec(&["alertmanager", "--url", &server.url])];
    let opened = sinks::open(&specs, None).unwrap();
    let sinks = Sinks::start(opened, &[alert("a", "update")]).unwrap();
    let sent = server.wait_for(1)[0].json();
    assert_eq!(sent[0]["annotations"]["key"], "a");
    sinks.send(&alert("a", "resolved"));
    let over = server.wait_for(2)[1].json();
    assert_eq!(
        (&over[0]["labels"], &over[0]["endsAt"]),
        (&sent[0]["labels"], &"2026-11-24T00:00:05.000000000Z".into())
    );
    sinks.finish();
}
