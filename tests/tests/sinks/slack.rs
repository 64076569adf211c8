//! Slack: its messages, its retries, and that neither a failing server nor a silent one
//! harms the replay. Uses the Go tool's options. Refuses to judge other sinks.

use std::net::TcpListener;
use std::time::{Duration, Instant};

use serde_json::Value;
use wherefore_tests::command::{Run, run};
use wherefore_tests::corpus::directory;

use crate::server::{Answer, OK, Server};
use crate::{SECRET, alert_test, text};

/// Replays the capture that alerts once.
fn replay(url: &str, more: &[&str]) -> Run {
    let options = ["--slack-url", url];
    let options: Vec<&str> = options.into_iter().chain(more.iter().copied()).collect();
    let run = crate::replay(&options).succeeded();
    assert!(run.stdout.lines().last().unwrap().contains("\"frames\":5040"), "{}", run.stdout);
    run
}

/// The messages that were posted about a beginning.
fn bodies(server: &Server) -> Vec<Value> {
    let requests = server.requests();
    assert!(requests.iter().all(|request| request.line.contains(SECRET)), "{requests:?}");
    let bodies = requests.iter().map(crate::server::Request::json);
    let is_first = |body: &Value| {
        let header = body["blocks"][0]["text"]["text"].as_str().unwrap();
        !header.starts_with("Still: ") && !header.starts_with("Resolved: ")
    };
    bodies.filter(is_first).collect()
}

#[test]
fn an_alert_is_a_message_that_slack_takes() {
    let server = Server::start(&[OK]);
    let run = replay(&server.url, &["--slack-channel", "#net", "--slack-emoji", ":fire:"]);
    assert!(!run.stderr.contains("could not be delivered"), "{}", run.stderr);
    let bodies = bodies(&server);
    let [body] = &bodies[..] else { panic!("{bodies:?}") };
    let text = body["text"].as_str().unwrap();
    assert!(text.starts_with(":fire: ") && text.contains("10.0.0.13 -> 198.51.100.99"), "{text}");
    let blocks = body["blocks"].as_array().unwrap();
    assert!((1..=50).contains(&blocks.len()));
    let header = blocks.iter().find(|block| block["type"] == "header").unwrap();
    assert_eq!(header["text"]["type"], "plain_text");
    let headline = header["text"]["text"].as_str().unwrap();
    assert!(headline.chars().count() <= 150 && headline.contains("198.51.100.99"), "{headline}");
    for section in blocks.iter().filter(|block| block["type"] == "section") {
        assert!(section["text"]["text"].as_str().unwrap().chars().count() <= 3000);
    }
    assert_eq!((&body["channel"], &body["icon_emoji"]), (&"#net".into(), &":fire:".into()));
    assert_eq!(body.get("icon_url"), None);
}

#[test]
fn a_picture_takes_the_place_of_an_empty_emoji() {
    let server = Server::start(&[OK]);
    replay(&server.url, &["-slack_emoji=", "-slack_icon=https://example.org/i.png"]);
    let body = &bodies(&server)[0];
    assert_eq!(body["icon_url"], "https://example.org/i.png");
    assert_eq!(body.get("icon_emoji"), None);
    assert_eq!(body["channel"], "#wherefore");
}

#[test]
fn a_message_that_slack_refuses_is_not_sent_again() {
    for (status, why) in
        [(400, "invalid_payload"), (403, "nope"), (404, "no_service"), (410, "gone")]
    {
        let server = Server::start(&[Answer::Say(status, &[], why), OK]);
        let run = replay(&server.url, &[]);
        assert_eq!(bodies(&server).len(), 1, "{status}");
        assert!(run.stderr.contains("could not be delivered"), "{}", run.stderr);
        assert!(run.stderr.contains(&status.to_string()), "{}", run.stderr);
        assert!(run.stderr.contains(why), "{}", run.stderr);
    }
}

#[test]
fn slack_may_ask_for_patience() {
    let asks = Answer::Say(429, &[("retry-after", "1")], "");
    let server = Server::start(&[asks, OK]);
    let run = replay(&server.url, &[]);
    let times: Vec<_> = server.requests().iter().map(|request| request.at).collect();
    let [first, second, ..] = times[..] else { panic!("{} requests", times.len()) };
    assert!(second - first >= Duration::from_millis(950), "{:?}", second - first);
    assert!(!run.stderr.contains("could not be delivered"), "{}", run.stderr);
}

#[test]
fn a_server_that_fails_is_tried_again() {
    let server = Server::start(&[Answer::Say(500, &[], ""), OK]);
    let run = replay(&server.url, &[]);
    let bodies = bodies(&server);
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], bodies[1]);
    assert!(!run.stderr.contains("could not be delivered"), "{}", run.stderr);
}

#[test]
fn a_server_that_never_answers_holds_nothing_up() {
    let server = Server::start(&[Answer::Hang]);
    let start = Instant::now();
    let run = replay(&server.url, &[]);
    // The sinks have 10 s at the end.
    assert!(start.elapsed() < Duration::from_secs(14), "{:?}", start.elapsed());
    assert!(run.stderr.contains("WARN") && run.stderr.contains("lost"), "{}", run.stderr);
}

#[test]
fn a_missing_server_delays_nothing() {
    // Bound and closed again: nothing listens there.
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let start = Instant::now();
    let run = replay(&format!("http://127.0.0.1:{port}/{SECRET}"), &[]);
    assert!(start.elapsed() < Duration::from_secs(14), "{:?}", start.elapsed());
    assert!(run.stderr.contains("lost"), "{}", run.stderr);
}

#[test]
fn a_url_that_is_none_is_refused_without_repeating_it() {
    let capture = directory().join("made/network.pcap");
    for url in ["T0SECRET", "ftp://T0SECRET/"] {
        let run = run(["replay", capture.to_str().unwrap(), "--slack-url", url]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
        assert!(run.stderr.contains("--slack-url: not an http or https URL"), "{}", run.stderr);
        assert!(!run.stderr.contains("SECRET"), "{}", run.stderr);
    }
    // The Go tool's spelling of "none".
    assert_eq!(replay_nil().code, Some(0));
}

fn replay_nil() -> Run {
    let capture = directory().join("made/quiet.pcap.gz");
    run(["replay", capture.to_str().unwrap(), "-slack_url=nil"])
}

#[test]
fn every_message_is_within_slacks_limits() {
    let server = Server::start(&[OK]);
    alert_test(&[format!("slack,url={}", server.url)]).succeeded();
    let requests = server.requests();
    assert_eq!(requests.len(), 2);
    for body in requests.iter().map(crate::server::Request::json) {
        text(&body["text"], 40_000);
        for block in body["blocks"].as_array().unwrap() {
            match block["type"].as_str().unwrap() {
                "header" => assert!(!text(&block["text"]["text"], 150).is_empty()),
                "section" => assert!(!text(&block["text"]["text"], 3000).is_empty()),
                "context" => {
                    let elements = block["elements"].as_array().unwrap();
                    assert!((1..=10).contains(&elements.len()));
                    for element in elements {
                        text(&element["text"], 3000);
                    }
                }
                other => panic!("no block of this kind is expected: {other}"),
            }
        }
    }
    let last = requests[1].json();
    assert!(text(&last["text"], 4000).contains("Resolved: "), "{last}");
}
