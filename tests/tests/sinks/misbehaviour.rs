//! Endpoints that refuse, fail, hang and lie: what is retried, what is not, and that the
//! answer is logged without secrets. One HTTP sink stands for all: they share the client.

use std::time::{Duration, Instant, SystemTime};

use wherefore_tests::command::Scratch;

use crate::server::{Answer, OK, Server};
use crate::{alert_test, replay};

/// A webhook that waits for an answer no longer than a test should.
fn webhook(server: &Server) -> String {
    format!("webhook,url={},timeout=700ms", server.url)
}

#[test]
fn temporary_errors_are_retried_until_delivery() {
    for first in [
        Answer::Say(500, &[], "oh"),
        Answer::Say(503, &[("retry-after", "1")], ""),
        Answer::Say(408, &[], ""),
        Answer::Reset,
        Answer::Hang,
    ] {
        let server = Server::start(&[first.clone(), OK]);
        let run = replay(&["--sink", &webhook(&server)]).succeeded();
        let bodies: Vec<_> = server.requests().iter().map(|request| request.json()).collect();
        assert!(bodies.len() >= 2 && bodies[0] == bodies[1], "{first:?}: {bodies:?}");
        assert!(run.stderr.contains("tried again"), "{}", run.stderr);
        assert!(run.stderr.contains("delivers again"), "{}", run.stderr);
        assert!(!run.stderr.contains("lost"), "{}", run.stderr);
    }
}

#[test]
fn shutdown_waits_only_briefly_for_a_sink_that_hangs() {
    let server = Server::start(&[Answer::Hang]);
    let start = Instant::now();
    let run = replay(&["--sink", &format!("webhook,url={},timeout=5m", server.url)]).succeeded();
    // It has 10 s.
    assert!((9..60).contains(&start.elapsed().as_secs()), "{:?}", start.elapsed());
    let said = run.stderr.lines().find(|line| line.contains("lost"));
    assert!(said.is_some_and(|line| line.contains("webhook")), "{}", run.stderr);
}

#[test]
fn retry_after_may_be_a_date() {
    let date = httpdate::fmt_http_date(SystemTime::now() + Duration::from_secs(3));
    let server = Server::start(&[Answer::Header(429, "retry-after", date), OK]);
    let start = Instant::now();
    replay(&["--sink", &webhook(&server)]).succeeded();
    // Dates have no fractions: up to a second is lost.
    let pause = server.requests()[1].at - start;
    assert!(pause >= Duration::from_millis(1500), "{pause:?}");
}

#[test]
fn a_refused_alert_is_logged_with_its_key_and_not_sent_again() {
    for status in [301, 400, 401, 404, 413] {
        let refusal = Answer::Say(status, &[("location", "http://127.0.0.1:1/")], "because");
        let server = Server::start(&[refusal, OK]);
        let run = replay(&["--sink", &webhook(&server)]).succeeded();
        let firing = server.requests();
        let firing = firing.iter().filter(|request| request.json()["status"] == "firing");
        let first = firing.clone().next().unwrap().json();
        let same = firing.filter(|request| request.json() == first).count();
        assert_eq!(same, 1, "{status}");
        let key = first["commonAnnotations"]["key"].as_str().unwrap();
        let error = run.stderr.lines().find(|line| line.contains("could not be delivered"));
        let error = error.unwrap_or_else(|| panic!("{status}: {}", run.stderr));
        let said = ["ERROR", key, &status.to_string(), "because"];
        assert!(said.iter().all(|text| error.contains(text)), "{error}");
    }
}

#[test]
fn responses_that_repeat_secrets_are_masked() {
    // `alert_test` checks that no secret is printed.
    let server = Server::start(&[Answer::Echo(404)]);
    let run = alert_test(&[webhook(&server)]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stdout.contains("refused: the server answered 404"), "{}", run.stdout);
    assert!(run.stdout.contains("POST ***"), "{}", run.stdout);
}

#[test]
fn an_endless_success_response_is_a_success() {
    let server = Server::start(&[Answer::Trickle]);
    let start = Instant::now();
    alert_test(&[format!("webhook,url={}", server.url)]).succeeded();
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn alert_test_prints_the_result_of_each_sink() {
    let (good, hung) = (Server::start(&[OK]), Server::start(&[Answer::Hang]));
    let routed = format!("{},match=dst=10.0.0.0/8,min_probability=0.99", webhook(&good));
    let run = alert_test(&[webhook(&hung) + ",name=hung", routed + ",name=good"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.contains("1 of 2 sinks failed"), "{}", run.stderr);
    let lines: Vec<&str> = run.stdout.lines().collect();
    // The rest of the URL is a secret.
    let place = |url: &str| url.split('/').take(3).collect::<Vec<_>>().join("/");
    const WHAT: &str = "incidents with probability at least 0.99 and dst=10.0.0.0/8";
    let starts = [
        &format!("hung: to {}; gets all incidents", place(&hung.url)),
        "hung: firing failed, but may work later: ",
        &format!("good: to {}; gets {WHAT}", place(&good.url)),
        "good: firing delivered: 200 ok (",
        "good: resolved delivered: 200 ok (",
    ];
    assert_eq!(lines.len(), starts.len(), "{}", run.stdout);
    for (line, start) in lines.iter().zip(starts) {
        assert!(line.starts_with(start), "{}", run.stdout);
    }
}

#[test]
fn a_certificate_is_trusted_only_where_its_file_is_named() {
    let scratch = Scratch::new();
    let (server, certificate) = Server::with_tls(&scratch, &[OK]);
    let run = alert_test(&[webhook(&server)]);
    assert_eq!(run.code, Some(1), "{}", run.stdout);
    assert!(run.stdout.contains("certificate"), "{}", run.stdout);
    assert_eq!(server.requests().len(), 0);
    alert_test(&[format!("{},ca_file={certificate}", webhook(&server))]).succeeded();
    assert_eq!(server.requests().len(), 2);
}
