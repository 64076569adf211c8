//! Problems outside the agent: certificates, secrets, spools and readers that are
//! missing, broken or stalled. No sink and no log stops the others.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::process::Stdio;

use serde_json::Value;
use wherefore_tests::command::{METHODS, Run, Scratch, command, wait_until};
use wherefore_tests::corpus::directory;

use crate::server::{OK, Server};
use crate::storm::Storm;
use crate::{alert_test, hides_secrets, replay};

fn burst() -> String {
    directory().join("made/quiet-then-burst.pcap.gz").display().to_string()
}

/// Replays the capture that alerts once, without CA certificates.
fn without_certificates(sinks: &[&str]) -> Run {
    let mut command = command(["replay", &burst()]);
    command.args(sinks.iter().flat_map(|sink| ["--sink", sink]));
    command.env("SSL_CERT_FILE", "/nonexistent").env("SSL_CERT_DIR", "/nonexistent");
    hides_secrets(command.output().unwrap().into())
}

#[test]
fn without_ca_certificates_only_sinks_fail_that_need_them() {
    let scratch = Scratch::new();
    let plain = Server::start(&[OK]);
    let (trusted, certificate) = Server::with_tls(&scratch, &[OK]);
    let run = without_certificates(&[
        &format!("webhook,name=plain,url={}", plain.url),
        &format!("webhook,name=own,url={},ca_file={certificate}", trusted.url),
        "webhook,name=public,url=https://127.0.0.1:1/SECRET",
        "email,name=mail,server=127.0.0.1,port=1,from=a@b.c,to=d@e.f",
    ])
    .succeeded();
    assert!(!plain.requests().is_empty() && !trusted.requests().is_empty(), "{}", run.stderr);
    for name in ["public", "mail"] {
        let mut lines = run.stderr.lines().filter(|line| line.contains("cannot open the sink now"));
        let line = lines.find(|line| line.contains(name));
        assert!(line.is_some_and(|line| line.contains("CA certificates")), "{}", run.stderr);
    }
}

#[test]
fn a_secret_that_cannot_be_read_yet_is_read_later() {
    let (server, scratch) = (Server::start(&[OK]), Scratch::new());
    // Two links to each other: nobody can read that, but it may be fixed.
    symlink(scratch.path("b"), scratch.path("a")).unwrap();
    symlink(scratch.path("a"), scratch.path("b")).unwrap();
    let sink = format!("slack,url=file:{}", scratch.path("a").display());
    let mut agent = command(["replay", "-", "--reorder", "1", "--sink", &sink]);
    agent.stdin(Stdio::piped()).stdout(Stdio::null());
    let log = File::create(scratch.path("log")).unwrap();
    let mut agent = agent.args(METHODS).stderr(log).spawn().unwrap();
    let mut input = agent.stdin.take().unwrap();
    std::io::Write::write_all(&mut input, &Storm { to_drop: 1, tail_s: 10 }.capture()).unwrap();
    wait_until("it is tried", || scratch.read("log").contains("is tried again"));
    std::fs::remove_file(scratch.path("b")).unwrap();
    std::fs::write(scratch.path("b"), &server.url).unwrap();
    server.wait_for(1);
    drop(input);
    assert!(agent.wait().unwrap().success());
}

#[test]
fn a_spool_that_cannot_be_opened_stops_no_other_sink() {
    let (server, scratch) = (Server::start(&[OK]), Scratch::new());
    std::fs::create_dir(scratch.path("state")).unwrap();
    std::fs::write(scratch.path("state/alerts"), "a file in the place of a directory").unwrap();
    let state = scratch.path("state").display().to_string();
    let run = replay(&["--state-dir", &state, "--sink", &format!("webhook,url={}", server.url)]);
    assert!(run.succeeded().stderr.contains("cannot open the spool"));
    assert!(!server.requests().is_empty());
}

#[test]
fn an_unread_log_blocks_nothing_and_dropped_lines_are_reported() {
    let scratch = Scratch::new();
    let path = |name: &str| scratch.path(name).display().to_string();
    std::fs::write(scratch.path("storm"), Storm { to_drop: 400, tail_s: 10 }.capture()).unwrap();
    let fifo = scratch.path("fifo");
    nix::unistd::mkfifo(&fifo, nix::sys::stat::Mode::S_IRWXU).unwrap();
    let mut options = File::options();
    let mut reader = options.read(true).custom_flags(nix::libc::O_NONBLOCK).open(&fifo).unwrap();
    // Each logs each alert as delivered: more than the log keeps.
    let names: Vec<_> = (0..16).map(|number| format!("sink{number}")).collect();
    let sinks: Vec<_> = names.iter().map(|name| format!("file,path={}", path(name))).collect();
    let mut agent = command(["replay", &path("storm"), "--loglevel", "debug"]);
    agent.args(sinks.iter().flat_map(|sink| ["--sink", sink]));
    agent.args(["--alert-limit", "none", "--alerts", &path("alerts")]).args(METHODS);
    let out = File::create(scratch.path("out")).unwrap();
    let log = File::options().write(true).open(&fifo).unwrap();
    let mut agent = agent.stdout(out).stderr(log).spawn().unwrap();
    wait_until("all is counted", || scratch.read("out").contains("{\"totals\":"));
    let lines = |name: &str| scratch.read(name).lines().count();
    let alerts = lines("alerts");
    wait_until("all is delivered", || names.iter().all(|name| lines(name) == alerts));
    let mut log = Vec::new();
    let mut read = || drop(reader.read_to_end(&mut log));
    wait_until("it ends", || {
        read();
        agent.try_wait().unwrap().is_some()
    });
    read();
    assert!(agent.wait().unwrap().success());
    let log = String::from_utf8(log).unwrap();
    let dropped = log.lines().find(|line| line.contains("lines of this log were dropped"));
    let dropped = dropped.and_then(|line| line.split("lines=").nth(1)?.trim().parse::<u64>().ok());
    assert!(dropped.is_some_and(|lines| lines > 0), "{} bytes of log", log.len());
}

#[test]
fn errors_are_seen_although_a_thread_writes_them() {
    let run = wherefore_tests::command::run(["replay", "/nonexistent/capture.pcap"]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    assert!(run.stderr.starts_with("wherefore: "), "{}", run.stderr);
    assert_eq!(run.stderr.lines().count(), 1, "{}", run.stderr);
}

#[test]
fn a_test_alert_has_the_host_and_the_labels_of_real_ones() {
    let server = Server::start(&[OK]);
    let sink = format!("webhook,url={}", server.url);
    let options = ["alert", "test", "--host-name", "gate-7", "--alert-label", "team=net"];
    let run = wherefore_tests::command::run(options.iter().chain(&["--sink", &sink]));
    run.succeeded();
    let capture = burst();
    let real = ["replay", &capture, "--host-name", "gate-7", "--alert-label", "team=net"];
    let run = wherefore_tests::command::run(real.iter().chain(&["--sink", sink.as_str()]));
    run.succeeded();
    let labels = |request: &crate::server::Request| {
        let labels = request.json()["commonLabels"].clone();
        (labels["host"].clone(), labels["team"].clone())
    };
    let requests = server.requests();
    assert!(requests.len() > 2);
    for request in &requests {
        assert_eq!(labels(request), ("gate-7".into(), "net".into()), "{}", request.body);
    }
    let without_host = alert_test(&[sink]);
    without_host.succeeded();
    let own = server.requests().pop().unwrap().json()["commonLabels"]["host"].clone();
    assert_eq!(own, nix::unistd::gethostname().unwrap().to_str().unwrap());
}

/// The texts in a message to Slack.
fn texts(value: &Value, found: &mut Vec<(Value, String)>) {
    match value {
        Value::Object(fields) => {
            if let Some(Value::String(text)) = fields.get("text") {
                found.push((fields.get("type").cloned().unwrap_or_default(), text.clone()));
                let is_plain = fields.get("type").is_some_and(|kind| kind == "plain_text");
                assert!(!is_plain || fields["emoji"] == false, "{value}");
            }
            fields.values().for_each(|value| texts(value, found));
        }
        Value::Array(values) => values.iter().for_each(|value| texts(value, found)),
        _ => {}
    }
}

#[test]
fn nothing_in_a_message_to_slack_calls_people_or_becomes_a_picture() {
    let server = Server::start(&[OK]);
    let sink = format!("slack,url={}", server.url);
    for host in ["<!channel> :fire: *b* `c` _d_ ~e~", "@here <@U123>", "<http://h|click> @everyone"]
    {
        let label = format!("team={host}");
        let options = ["alert", "test", "--host-name", host, "--alert-label", &label];
        let run = wherefore_tests::command::run(options.iter().chain(&["--sink", sink.as_str()]));
        run.succeeded();
    }
    for request in server.requests() {
        let message = request.json();
        assert_eq!((&message["mrkdwn"], &message["parse"]), (&false.into(), &"none".into()));
        let mut all = Vec::new();
        texts(&message, &mut all);
        assert!(all.len() >= 4, "{message}");
        for (kind, text) in all {
            for call in ["<!", "<@", "@here", "@everyone"] {
                assert!(!text.contains(call), "{call} in {text}");
            }
            if kind.is_null() {
                // The emoji of the settings comes first.
                let rest = text.strip_prefix(":warning: ").unwrap();
                for special in [":fire:", "*b*", "`c`", "_d_", "~e~", "<http", "://"] {
                    assert!(!rest.contains(special), "{special} in {text}");
                }
            }
        }
    }
}
