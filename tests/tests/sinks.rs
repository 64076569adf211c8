//! The Slack sink through the program: what it posts, when it tries again, and that neither a
//! failing server nor a silent one harms the replay.
//!
//! Owns a server that answers as each test says. Refuses the network: everything is on 127.0.0.1.
#![allow(clippy::unwrap_used)]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use serde_json::Value;
use wherefore_tests::command::{Run, run};
use wherefore_tests::corpus::directory;

/// The part of the URL that would let others post.
const SECRET: &str = "T0SECRET/B0SECRET/xyzzy";

/// A server that gives these answers, one a request, and then none any more.
struct Server {
    url: String,
    requests: Receiver<(Instant, Value)>,
}

impl Server {
    fn start(answers: &'static [&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/services/{SECRET}", listener.local_addr().unwrap());
        let (sender, requests) = channel();
        std::thread::spawn(move || {
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let body = read_request(&stream);
                let _ = sender.send((Instant::now(), body));
                let answer = format!("HTTP/1.1 {answer}");
                // A client that has gone is what a test may be about.
                let _ = stream.write_all(answer.as_bytes());
            }
            // Whoever comes now is heard and never answered.
            let held: Vec<_> = listener.incoming().collect();
            drop(held);
        });
        Self { url, requests }
    }

    /// The bodies of all requests so far.
    fn bodies(&self) -> Vec<Value> {
        self.requests.try_iter().map(|(_, body)| body).collect()
    }
}

fn read_request(stream: &TcpStream) -> Value {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).unwrap();
        if line.trim().is_empty() {
            break;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().unwrap();
        }
        if line.starts_with("POST") {
            assert!(line.contains(SECRET), "{line}");
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    serde_json::from_slice(&body).unwrap()
}

const OK: &str = "200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok";

/// Replays the capture that alerts once.
fn replay(url: &str, more: &[&str]) -> Run {
    let capture = directory().join("made/quiet-then-burst.pcap.gz");
    let capture = capture.to_str().unwrap();
    let arguments = ["replay", capture, "--slack-url", url, "--loglevel", "debug"];
    let run = run(arguments.iter().chain(more)).succeeded();
    for output in [&run.stdout, &run.stderr] {
        assert!(
            !output.contains("SECRET") && !output.contains("xyzzy"),
            "the URL is told: {output}"
        );
    }
    assert!(run.stdout.lines().last().unwrap().contains("\"frames\":5040"), "{}", run.stdout);
    run
}

#[test]
fn an_alert_is_a_message_that_slack_takes() {
    let server = Server::start(&[OK]);
    let run = replay(&server.url, &["--slack-channel", "#net", "--slack-emoji", ":fire:"]);
    assert!(!run.stderr.contains("could not be delivered"), "{}", run.stderr);
    let bodies = server.bodies();
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
    let body = &server.bodies()[0];
    assert_eq!(body["icon_url"], "https://example.org/i.png");
    assert_eq!(body.get("icon_emoji"), None);
    assert_eq!(body["channel"], "#wherefore");
}

#[test]
fn what_slack_refuses_is_not_sent_again() {
    for answer in [
        &["400 Bad Request\r\ncontent-length: 15\r\nconnection: close\r\n\r\ninvalid_payload", OK],
        &["403 Forbidden\r\ncontent-length: 4\r\nconnection: close\r\n\r\nnope", OK],
        &["404 Not Found\r\ncontent-length: 10\r\nconnection: close\r\n\r\nno_service", OK],
        &["410 Gone\r\ncontent-length: 4\r\nconnection: close\r\n\r\ngone", OK],
    ] as [&'static [&'static str]; 4]
    {
        let server = Server::start(answer);
        let run = replay(&server.url, &[]);
        assert_eq!(server.bodies().len(), 1, "{}", answer[0]);
        assert!(run.stderr.contains("could not be delivered"), "{}", run.stderr);
        assert!(run.stderr.contains(&answer[0][..3]), "{}", run.stderr);
    }
}

#[test]
fn slack_may_ask_for_patience() {
    let server = Server::start(&[
        "429 Too Many Requests\r\nretry-after: 1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        OK,
    ]);
    let run = replay(&server.url, &[]);
    let times: Vec<_> = server.requests.try_iter().map(|(time, _)| time).collect();
    let [first, second] = times[..] else { panic!("{} requests", times.len()) };
    assert!(second - first >= Duration::from_millis(950), "{:?}", second - first);
    assert!(!run.stderr.contains("could not be delivered"), "{}", run.stderr);
}

#[test]
fn a_server_that_fails_is_tried_again() {
    let server = Server::start(&[
        "500 Internal Server Error\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
        OK,
    ]);
    let run = replay(&server.url, &[]);
    let bodies = server.bodies();
    assert_eq!(bodies.len(), 2);
    assert_eq!(bodies[0], bodies[1]);
    assert!(!run.stderr.contains("could not be delivered"), "{}", run.stderr);
}

#[test]
fn a_server_that_never_answers_holds_nothing_up() {
    let server = Server::start(&[]);
    let start = Instant::now();
    let run = replay(&server.url, &[]);
    // The sinks are given 10 s at the end.
    assert!(start.elapsed() < Duration::from_secs(14), "{:?}", start.elapsed());
    assert!(run.stderr.contains("WARN") && run.stderr.contains("lost"), "{}", run.stderr);
}

#[test]
fn no_server_at_all_holds_nothing_up() {
    // Bound and closed again: nobody listens there.
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
    // The Go tool's way to say "none".
    assert_eq!(replay_nil().code, Some(0));
}

fn replay_nil() -> Run {
    let capture = directory().join("made/quiet.pcap.gz");
    run(["replay", capture.to_str().unwrap(), "-slack_url=nil"])
}
