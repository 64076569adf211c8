//! The Go tool's own examples, word for word apart from the program's place and the Slack host,
//! which is a local server.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use wherefore_tests::command::binary;
use wherefore_tests::lab::traffic::tcp_transfer;
use wherefore_tests::lab::{Family, Lab, wait_until};

const FIRST: &str = r##"./wherefore -i eth0 -l=/var/log/wherefore -archive_dir=/var/log/wherefore/packets/ \
    -loglevel=info \
    -slack_url="https://hooks.slack.com/services/your/integration/keys/here" -slack_channel="#wherefore" -slack_emoji=":warning:" \
    -anom_methods=fence -anom_upper_bound=1000 -anom_gv_cap=25 -anom_sensitivity=0.8
"##;

const SECOND: &str = r##"./wherefore -i eth0 -l=/tmp -archive_dir=/tmp  -loglevel=info -anom_methods=diff,fence -anom_upper_bound=200 -slack_url="https://hooks.slack.com/services/hook/url/goes/here" -slack_channel="#wherefore" -slack_emoji=":warning:" -anom_gv_cap=30 -anom_sensitivity=0.8 
"##;

/// The requests, as path and body.
type Posts = Arc<Mutex<Vec<(String, Value)>>>;

/// Answers as Slack does.
fn slack(listener: TcpListener) -> Posts {
    let posts = Posts::default();
    let kept = posts.clone();
    std::thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            if let Some(post) = answer(stream) {
                kept.lock().unwrap_or_else(PoisonError::into_inner).push(post);
            }
        }
    });
    posts
}

fn answer(mut stream: TcpStream) -> Option<(String, Value)> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut request = String::new();
    reader.read_line(&mut request).ok()?;
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some(text) = line.to_ascii_lowercase().strip_prefix("content-length:") {
            length = text.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    stream
        .write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok")
        .ok()?;
    let path = request.split(' ').nth(1)?.to_owned();
    Some((path, serde_json::from_slice(&body).ok()?))
}

/// Runs the line by a shell in the namespace, with empty /tmp and /var/log of its own.
fn start(lab: &Lab, line: &str) -> Result<Child> {
    let program = binary().display().to_string();
    // Opened before its folder may be hidden.
    let script = format!(
        "exec 9<'{program}'; mount -t tmpfs none /var/log; mount -t tmpfs none /tmp; exec {}",
        line.trim().replace("./wherefore", "/proc/self/fd/9")
    );
    let mut command: Command = lab.a.namespace.command("unshare");
    command.args(["--mount", "--propagation", "private", "sh", "-c", &script]);
    command.env("WHEREFORE_CONFIG", "none");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    command.spawn().context("starting the shell")
}

/// Both talk over TCP until the alert is posted; returns the requests.
fn alerted(line: &str, path: &str) -> Result<Vec<(String, Value)>> {
    let lab = Lab::with_devices("eth0", "veth-b")?;
    let listener = lab.a.enter(|| TcpListener::bind("127.0.0.1:0"))??;
    let url = format!("http://{}", listener.local_addr()?);
    let posts = slack(listener);
    let mut child = start(&lab, &line.replace("https://hooks.slack.com", &url))?;
    let read = || posts.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let is_posted = wait_until(Duration::from_secs(40), || {
        let _ = tcp_transfer(&lab.a, &lab.b, Family::V4, 10_000, 10_000);
        !read().is_empty()
    });
    kill(Pid::from_raw(i32::try_from(child.id())?), Signal::SIGINT)?;
    let status = child.wait()?;
    ensure!(status.success(), "{status}");
    ensure!(is_posted, "nothing was posted");
    ensure!(read().iter().all(|(at, _)| at == path), "posted elsewhere: {:?}", read());
    Ok(read())
}

fn assert_alert(posts: &[(String, Value)]) {
    let texts: Vec<_> = posts.iter().filter_map(|(_, body)| body["text"].as_str()).collect();
    assert!(texts.iter().any(|text| text.contains("-> 10.77.0.2")), "{texts:?}");
    let (_, body) = &posts[0];
    assert!(texts[0].starts_with(":warning:") && body["channel"] == "#wherefore", "{body}");
}

#[test]
fn the_go_tools_first_example_alerts() -> Result<()> {
    if Lab::or_skip("the_go_tools_first_example_alerts")?.is_none() {
        return Ok(());
    }
    assert_alert(&alerted(FIRST, "/services/your/integration/keys/here")?);
    Ok(())
}

#[test]
fn the_go_tools_second_example_alerts() -> Result<()> {
    if Lab::or_skip("the_go_tools_second_example_alerts")?.is_none() {
        return Ok(());
    }
    assert_alert(&alerted(SECOND, "/services/hook/url/goes/here")?);
    Ok(())
}
