//! Sinks on this host: syslog, the journal, programs and files. Owns made-up receivers; refuses the
//! real ones.

use std::collections::BTreeMap;
use std::io::Read;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::time::{Duration, Instant};

use wherefore_tests::command::{Scratch, wait_until};

use crate::{alert_test, objects, replay};

/// Checks a message of RFC 5424.
#[track_caller]
fn assert_is_syslog(message: &str, priority: u8) {
    let message = message.strip_prefix(&format!("<{priority}>1 ")).unwrap_or_else(|| {
        panic!("not of version 1 and priority {priority}: {message}");
    });
    let parts: Vec<&str> = message.splitn(6, ' ').collect();
    let [time, host, application, process, kind, rest] = parts[..] else { panic!("{message}") };
    time.parse::<jiff::Timestamp>().unwrap();
    let decimals = time.split_once('.').map_or(0, |(_, rest)| rest.trim_end_matches('Z').len());
    assert!(decimals <= 6, "{time}");
    assert!(!host.is_empty() && application == "wherefore" && kind == "test", "{message}");
    process.parse::<u32>().unwrap();
    let (facts, text) = rest.split_once("] \u{feff}").unwrap();
    assert!(facts.starts_with("[wherefore@32473 key=\"") && facts.contains(" src=\"192.0.2.1\""));
    assert!(text.contains("a test of Wherefore's alerts"), "{text}");
}

fn receive(receive: impl Fn(&mut [u8]) -> std::io::Result<usize>) -> Vec<Vec<u8>> {
    let mut buffer = vec![0; 65_536];
    let mut messages = Vec::new();
    while let Ok(bytes) = receive(&mut buffer) {
        messages.push(buffer[..bytes].to_vec());
    }
    messages
}

fn texts(messages: Vec<Vec<u8>>) -> Vec<String> {
    messages.into_iter().map(|message| String::from_utf8(message).unwrap()).collect()
}

#[test]
fn syslog_is_rfc_5424_on_a_socket_and_by_udp() {
    let scratch = Scratch::new();
    let path = scratch.path("log");
    let local = UnixDatagram::bind(&path).unwrap();
    let udp = UdpSocket::bind("127.0.0.1:0").unwrap();
    local.set_nonblocking(true).unwrap();
    udp.set_nonblocking(true).unwrap();
    alert_test(&[
        format!("syslog,address={}", path.display()),
        format!("syslog,address=udp:{},facility=local7", udp.local_addr().unwrap()),
    ])
    .succeeded();
    let messages = texts(receive(|buffer| local.recv(buffer)));
    assert_is_syslog(&messages[0], 3 * 8 + 6);
    assert_is_syslog(&messages[1], 3 * 8 + 5);
    let messages = texts(receive(|buffer| udp.recv(buffer)));
    assert_is_syslog(&messages[0], 23 * 8 + 6);
    assert_eq!(messages.len(), 2);
}

#[test]
fn syslog_over_tcp_uses_octet_counting() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let reader = std::thread::spawn(move || {
        let streams = listener.incoming().take(2);
        let read = |stream: std::io::Result<std::net::TcpStream>| {
            let mut text = String::new();
            stream.unwrap().read_to_string(&mut text).unwrap();
            text
        };
        streams.map(read).collect::<Vec<_>>()
    });
    alert_test(&[format!("syslog,address=tcp:{address}")]).succeeded();
    for (framed, priority) in reader.join().unwrap().iter().zip([30, 29]) {
        let (length, message) = framed.split_once(' ').unwrap();
        assert_eq!(length.parse::<usize>().unwrap(), message.len());
        assert_is_syslog(message, priority);
    }
}

#[test]
fn syslog_that_is_not_there_is_tried_again() {
    let run = alert_test(&["syslog,address=/nonexistent/log".to_owned()]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("failed, but may work later"), "{}", run.stdout);
}

/// The fields of an entry of the journal's native protocol.
fn fields(entry: &[u8]) -> BTreeMap<String, String> {
    let mut fields = BTreeMap::new();
    let mut rest = entry;
    while let Some(end) = rest.iter().position(|byte| matches!(byte, b'=' | b'\n')) {
        let name = String::from_utf8(rest[..end].to_vec()).unwrap();
        let is_simple = rest[end] == b'=';
        rest = &rest[end + 1..];
        let length = if is_simple {
            rest.iter().position(|byte| *byte == b'\n').unwrap()
        } else {
            let length = u64::from_le_bytes(rest[..8].try_into().unwrap());
            rest = &rest[8..];
            usize::try_from(length).unwrap()
        };
        fields.insert(name, String::from_utf8(rest[..length].to_vec()).unwrap());
        assert_eq!(rest[length], b'\n');
        rest = &rest[length + 1..];
    }
    fields
}

#[test]
fn the_journal_gets_a_field_for_each_fact() {
    let scratch = Scratch::new();
    let path = scratch.path("socket");
    let journal = UnixDatagram::bind(&path).unwrap();
    journal.set_nonblocking(true).unwrap();
    alert_test(&[format!("journald,socket={}", path.display())]).succeeded();
    let entries = receive(|buffer| journal.recv(buffer));
    assert_eq!(entries.len(), 2);
    for (entry, (status, priority)) in entries.iter().zip([("firing", "6"), ("resolved", "5")]) {
        let fields = fields(entry);
        for name in fields.keys() {
            let is_good = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
            assert!(name.len() <= 64 && name.chars().all(is_good) && !name.starts_with('_'));
        }
        assert!(fields["MESSAGE"].contains("a test of Wherefore's alerts"));
        assert_eq!(fields["PRIORITY"], priority);
        assert_eq!(fields["SYSLOG_IDENTIFIER"], "wherefore");
        assert_eq!(fields["WHEREFORE_STATUS"], status);
        assert_eq!(fields["WHEREFORE_SRC"], "192.0.2.1");
        assert_eq!(fields["WHEREFORE_BYTES"], "1000000");
    }
}

/// A script as a sink.
fn script(scratch: &Scratch, lines: &str) -> String {
    let path = scratch.path("notify");
    std::fs::write(&path, format!("#!/bin/sh\n{lines}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o700)).unwrap();
    format!("command,program={}", path.display())
}

#[test]
fn a_program_gets_the_alert_as_json_and_no_shell_reads_its_arguments() {
    let scratch = Scratch::new();
    let kept = scratch.path("kept");
    let sink = script(&scratch, "cat >> \"$1\"; echo \"$1\" \"$2\" \"$WHEREFORE_SLACK_URL\" end");
    let sink = format!("{sink},arg={},arg=$(date) ;", kept.display());
    let mut command = wherefore_tests::command::command(["alert", "test", "--sink", &sink]);
    let output = command.env("WHEREFORE_SLACK_URL", "nil").output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{stdout}");
    assert!(stdout.contains("$(date) ;  end"), "the environment is not handed on: {stdout}");
    let alerts = objects(&scratch.read("kept"));
    assert_eq!((&alerts[0]["status"], &alerts[0]["kind"]), (&"firing".into(), &"test".into()));
    assert_eq!((alerts.len(), &alerts[1]["status"]), (2, &"resolved".into()));
}

#[test]
fn a_programs_exit_code_decides_the_fate_of_the_alert() {
    let scratch = Scratch::new();
    let sink = script(&scratch, "cat > /dev/null; echo why >&2; exit 75");
    let later = alert_test(&[sink]);
    assert!(
        later.stdout.contains("failed, but may work later: exit code 75: why"),
        "{}",
        later.stdout
    );
    let never = alert_test(&[script(&scratch, "echo no; exit 3")]);
    assert!(never.stdout.contains("refused: exit status: 3: no"), "{}", never.stdout);
    let missing = alert_test(&["command,program=/nonexistent".to_owned()]);
    assert!(missing.stdout.contains("cannot start /nonexistent"), "{}", missing.stdout);
    assert_eq!([later.code, never.code, missing.code], [Some(1); 3]);
}

#[test]
fn a_program_that_fails_for_now_is_started_again() {
    let scratch = Scratch::new();
    let once = scratch.path("once");
    let sink =
        script(&scratch, &format!("mkdir {} 2>/dev/null && exit 75; exit 0", once.display()));
    let run = replay(&["--sink", &sink]).succeeded();
    assert!(run.stderr.contains("delivers again"), "{}", run.stderr);
}

#[test]
fn a_program_that_takes_too_long_is_killed_with_its_children() {
    let scratch = Scratch::new();
    let children = scratch.path("children");
    let lines = format!("tail -f /dev/null & echo $! > {}; wait", children.display());
    let sink = format!("{},timeout=500ms", script(&scratch, &lines));
    let start = Instant::now();
    let run = alert_test(&[sink]);
    assert!(run.stdout.contains("killed after 500ms"), "{}", run.stdout);
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    let child = scratch.read("children").trim().to_owned();
    // It may take a while until its parent has waited for it.
    let stat = format!("/proc/{child}/stat");
    wait_until("the child is gone", || {
        std::fs::read_to_string(&stat).map_or(true, |stat| stat.contains(" Z "))
    });
}

#[test]
fn long_output_is_truncated_and_a_remaining_child_is_not_waited_for() {
    let scratch = Scratch::new();
    let sink = script(&scratch, "head -c 10000000 /dev/zero | tr '\\0' x; sleep 15 & exit 0");
    let start = Instant::now();
    let run = alert_test(&[format!("{sink},timeout=9s")]).succeeded();
    assert!(run.stdout.len() < 4000, "{} bytes", run.stdout.len());
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
}

#[test]
fn alerts_are_routed_by_label_and_probability() {
    let scratch = Scratch::new();
    let file =
        |name: &str, options: &str| format!("file,path={},{options}", scratch.path(name).display());
    let sinks = [
        file("prefix", "match=src=10.0.0.0/24,match=dst=198.51.100.0/24"),
        file("other", "match=src!=10.0.0.0/8"),
        file("sure", "min_probability=1"),
        file("all", "send_updates=false"),
    ];
    replay(&sinks.each_ref().map(String::as_str).map(|sink| ["--sink", sink]).concat()).succeeded();
    let firing = |name: &str| {
        let alerts = objects(&scratch.read(name));
        alerts.iter().filter(|alert| alert["status"] == "firing").count()
    };
    assert_eq!(["prefix", "other", "sure", "all"].map(firing), [1, 0, 0, 1]);
}
