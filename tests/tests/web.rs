//! The listener: metrics, health, JSON and a page, with real traffic in network namespaces; refused
//! requests, and that slow or many readers do no harm.
#![forbid(unsafe_code)]

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wherefore_tests::agent::{Agent, Direction};
use wherefore_tests::command::{Scratch, run};
use wherefore_tests::lab::traffic::{Datagrams, tcp_transfer, udp_send};
use wherefore_tests::lab::{Family, Host, Lab, wait_until};

#[path = "web/prometheus.rs"]
mod prometheus;

const PATIENCE: Duration = Duration::from_secs(20);

/// A free loopback port in a namespace.
fn free_port(host: &Host) -> Result<SocketAddr> {
    host.namespace.ip_batch("link set lo up\n")?;
    let free = host.enter(|| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))??;
    Ok(free.local_addr()?)
}

/// Asks for a path; the status and the answer with its head.
fn get(host: &Host, address: SocketAddr, path: &str, more: &str) -> Result<(u16, String)> {
    let answer = host.enter(|| -> Result<String> {
        let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        write!(stream, "GET {path} HTTP/1.1\r\nConnection: close\r\n{more}\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    })??;
    let status = answer.split(' ').nth(1).and_then(|status| status.parse().ok());
    Ok((status.with_context(|| format!("no answer: {answer}"))?, answer))
}

fn asked(host: &Host, address: SocketAddr, path: &str) -> Result<String> {
    let (status, answer) = get(host, address, path, &format!("Host: {address}\r\n"))?;
    ensure!(status == 200, "{path}: {answer}");
    let (head, body) = answer.split_once("\r\n\r\n").context("no end of the head")?;
    let is_chunked = head.to_ascii_lowercase().contains("transfer-encoding: chunked");
    Ok(if is_chunked { unchunked(body)? } else { body.to_owned() })
}

/// A body without the sizes of its chunks (RFC 9112, 7.1).
fn unchunked(mut body: &str) -> Result<String> {
    let mut whole = String::new();
    while let Some((size, rest)) = body.split_once("\r\n") {
        let size = usize::from_str_radix(size, 16).context("the size of a chunk")?;
        whole.push_str(rest.get(..size).context("half a chunk")?);
        body = rest[size..].trim_start_matches("\r\n");
    }
    Ok(whole)
}

fn json(host: &Host, address: SocketAddr, path: &str) -> Result<Value> {
    Ok(serde_json::from_str(&asked(host, address, path)?)?)
}

/// The value of a series.
fn value(metrics: &str, series: &str) -> Option<u64> {
    let line = metrics.lines().find(|line| line.starts_with(series))?;
    line.rsplit(' ').next()?.parse().ok()
}

fn watch(lab: &Lab, address: SocketAddr, more: &[&str]) -> Result<Agent> {
    let listen = address.to_string();
    let common = ["-i", &lab.b.device, "--transfer-interval", "200ms", "--listen", &listen];
    Agent::start(&lab.b.namespace, &[&common, more].concat())
}

#[test]
fn metrics_equal_the_interface_and_the_json_equals_the_flows() -> Result<()> {
    let name = "metrics_equal_the_interface_and_the_json_equals_the_flows";
    let Some(lab) = Lab::or_skip(name)? else { return Ok(()) };
    let scratch = Scratch::new();
    let state = scratch.path("state").display().to_string();
    let address = free_port(&lab.b)?;
    let before = lab.b.counters()?;
    let agent = watch(&lab, address, &["--state-dir", &state])?;
    tcp_transfer(&lab.a, &lab.b, Family::V4, 400_000, 1_000_000)?;
    let [_, after] = lab.wait_quiet()?;
    let moved = after - before;
    let series = |direction: &str| {
        let device = &lab.b.device;
        format!(
            "wherefore_interface_bytes_total{{direction=\"{direction}\",interface=\"{device}\"}}"
        )
    };
    let mut metrics = String::new();
    let agrees = wait_until(PATIENCE, || {
        metrics = asked(&lab.b, address, "/metrics").unwrap_or_default();
        value(&metrics, &series("received")) == Some(moved.rx_bytes)
            && value(&metrics, &series("sent")) == Some(moved.tx_bytes)
    });
    ensure!(agrees, "{moved:?}\n{metrics}");
    check_by_promtool(&metrics)?;
    assert!(metrics.lines().filter(|line| !line.starts_with('#')).count() <= 300);
    assert!(!metrics.contains("10.77."), "no address is a label");
    assert_eq!(asked(&lab.b, address, "/healthz")?, "ok\n");
    assert_eq!(asked(&lab.b, address, "/readyz")?, "ready\n");
    let flows = json(&lab.b, address, "/api/v1/flows?limit=1")?;
    assert!(flows["interval"]["end"].is_string(), "{flows}");
    for (path, status) in
        [("/api/v1/groups?by=nonsense", 400), ("/api/v1/flows?limit=x", 400), ("/nothing", 404)]
    {
        let found = get(&lab.b, address, path, &format!("Host: {address}\r\n"))?;
        assert_eq!(found.0, status, "{path}: {}", found.1);
    }
    check_description(&lab.b, address)?;
    // The history is written behind the intervals.
    let mut history = Value::Null;
    let is_written = wait_until(PATIENCE, || {
        let sent = agent.sent_bytes().unwrap_or_default();
        history = json(&lab.b, address, "/api/v1/history?since=1h&by=peer").unwrap_or_default();
        sent > 0 && history["total"]["out_bytes"].as_u64() == Some(sent)
    });
    ensure!(is_written, "{:?} bytes sent, but {history}", agent.sent_bytes());
    let why = json(&lab.b, address, &format!("/api/v1/why?since=&target={}", lab.a.v4))?;
    let names = json(&lab.b, address, "/api/v1/groups?by=name")?;
    assert!(names["items"].is_array(), "{names}");
    let report = agent.stop()?;
    let sent: u64 = report.sums(Direction::Egress).values().map(|volume| volume.bytes).sum();
    assert_eq!(history["total"]["out_bytes"].as_u64(), Some(sent));
    assert_eq!(why["facts"]["total"]["out_bytes"].as_u64(), Some(sent));
    // The sentences of the running agent come first, then those of its history.
    let sentences = why["sentences"].as_array().context("no sentences")?;
    let moved = format!("The address {} moved", lab.a.v4);
    assert!(
        sentences.iter().any(|text| text.as_str().is_some_and(|text| text.contains(&moved))),
        "{why}"
    );
    Ok(())
}

/// Every path that the description names answers with the fields that it promises.
fn check_description(host: &Host, address: SocketAddr) -> Result<()> {
    let description = json(host, address, "/api/v1/openapi.json")?;
    let paths = description["paths"].as_object().context("no paths")?;
    ensure!(paths.len() == 7, "{paths:?}");
    for (path, item) in paths {
        let answer = json(host, address, path)?;
        let schema = &item["get"]["responses"]["200"]["content"]["application/json"]["schema"];
        let name = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next());
        let schema = &description["components"]["schemas"][name.context("no schema")?];
        let parts = schema["allOf"].as_array().map_or(vec![schema], |all| all.iter().collect());
        let required = parts.into_iter().filter_map(|part| part["required"].as_array()).flatten();
        let missing: Vec<_> = required
            .filter_map(Value::as_str)
            .filter(|field| answer.get(*field).is_none())
            .collect();
        ensure!(missing.is_empty(), "{path}: {missing:?} are missing in {answer}");
    }
    Ok(())
}

/// Answers of the running agent alone, without a history.
#[test]
fn why_asks_the_agent_and_rows_are_those_of_the_flows() -> Result<()> {
    let name = "why_asks_the_agent_and_rows_are_those_of_the_flows";
    let Some(lab) = Lab::or_skip(name)? else { return Ok(()) };
    let scratch = Scratch::new();
    let socket = scratch.path("view.sock").display().to_string();
    let address = free_port(&lab.b)?;
    let agent = watch(&lab, address, &["--socket", &socket])?;
    let talk = || udp_send(&lab.a, &lab.b, Datagrams { packets: 20_000, ..datagrams() });
    let peer = lab.a.v4.to_string();
    let rows = std::thread::scope(|scope| -> Result<Value> {
        let talk = scope.spawn(talk);
        let mut rows = Value::Null;
        let is_there = wait_until(PATIENCE, || {
            rows = json(&lab.b, address, "/api/v1/top?by=peer").unwrap_or_default();
            rows["items"].as_array().is_some_and(|rows| !rows.is_empty())
        });
        ensure!(is_there, "no rows: {rows}");
        let said = run(["why", &peer, "--socket", &socket, "--history", "/nonexistent"]);
        ensure!(said.code == Some(0), "{}", said.stderr);
        for words in ["it received", &peer, "held", "Earlier traffic is not known"] {
            ensure!(said.stdout.contains(words), "{words}: {}", said.stdout);
        }
        let why = json(&lab.b, address, &format!("/api/v1/why?target={peer}"))?;
        ensure!(why["facts"].is_null() && why["live"]["in_bytes"].as_u64() > Some(0), "{why}");
        let is_followed = wait_until(PATIENCE, || {
            rows = json(&lab.b, address, "/api/v1/top?by=peer&recent=3").unwrap_or_default();
            rows["items"][0]["recent"].as_array().is_some_and(|rates| rates.len() > 1)
        });
        ensure!(is_followed, "no rates of earlier intervals: {rows}");
        let recent =
            json(&lab.b, address, &format!("/api/v1/why?target={peer}"))?["recent"].clone();
        let received = recent["in"].as_array().context("no recent rates")?;
        ensure!(
            received.len() > 1 && received.iter().any(|rate| rate.as_f64() > Some(0.0)),
            "{recent}"
        );
        talk.join().map_err(|_| anyhow::anyhow!("the traffic failed"))??;
        Ok(rows)
    })?;
    let row = &rows["items"][0];
    assert_eq!(row["name"], peer);
    let (moved, seconds) = (row["in_bytes"].as_f64(), rows["interval"]["seconds"].as_f64());
    let moved = moved.unwrap_or_default() + row["out_bytes"].as_f64().unwrap_or_default();
    let newest = row["recent"].as_array().and_then(|rates| rates.last()?.as_f64());
    let (now, newest) = (moved / seconds.unwrap_or_default(), newest.unwrap_or_default());
    assert!((newest - now).abs() <= now * 1e-6, "{newest} is not {now}");
    assert!(rows["past"].as_array().is_some_and(|past| !past.is_empty()), "{rows}");
    let (status, answer) =
        get(&lab.b, address, "/api/v1/why?target=nobody", &format!("Host: {address}\r\n"))?;
    assert_eq!(status, 404, "{answer}");
    let held = json(&lab.b, address, "/api/v1/held-back")?;
    assert!(held["items"].is_array() && held["held_back"].is_object(), "{held}");
    let nobody = run(["why", "nobody", "--socket", &socket, "--history", "/nonexistent"]);
    assert_eq!(nobody.code, Some(1), "{}", nobody.stdout);
    check_metrics(&asked(&lab.b, address, "/metrics")?);
    agent.stop().map(drop)
}

fn check_metrics(metrics: &str) {
    for series in [
        "wherefore_held_back_total{reason=\"budget\"}",
        "wherefore_table_fill_ratio ",
        "wherefore_drain_seconds ",
        "wherefore_alert_budget_per_day 10",
    ] {
        assert!(metrics.contains(series), "{series}: {metrics}");
    }
    // Private addresses have no country.
    assert!(!metrics.contains("wherefore_country_bytes_total"), "{metrics}");
}

/// The real checker, if it is installed.
fn check_by_promtool(metrics: &str) -> Result<()> {
    let mut command = Command::new("promtool");
    command.args(["check", "metrics"]).stdin(Stdio::piped());
    let Ok(mut child) = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn() else {
        wherefore_tests::skip("check_by_promtool", "promtool is not installed");
        return Ok(());
    };
    child.stdin.take().context("no input")?.write_all(metrics.as_bytes())?;
    let output = child.wait_with_output()?;
    let log = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{log}\n{metrics}");
    Ok(())
}

#[test]
fn unauthorised_clients_are_refused_and_slow_readers_harm_nobody() -> Result<()> {
    let name = "unauthorised_clients_are_refused_and_slow_readers_harm_nobody";
    let Some(lab) = Lab::or_skip(name)? else { return Ok(()) };
    let scratch = Scratch::new();
    let token = scratch.path("token");
    std::fs::write(&token, "a token of twenty-four\n")?;
    let open = run(["config", "check", "--listen", "0.0.0.0:9475"]);
    assert_eq!(open.code, Some(2));
    assert!(open.stderr.contains("--listen-token-file"), "{}", open.stderr);
    let address = free_port(&lab.b)?;
    let agent = watch(&lab, address, &["--listen-token-file", &token.display().to_string()])?;
    let own = format!("Host: {address}\r\n");
    for (path, more, status) in [
        ("/metrics", "", 401),
        ("/metrics", "Authorization: Bearer another token, wrong\r\n", 401),
        ("/metrics", "Authorization: Bearer a token of twenty-four\r\n", 200),
        ("/api/v1/flows", "", 401),
        ("/", "", 200),
        ("/healthz", "", 200),
    ] {
        let (found, answer) = get(&lab.b, address, path, &format!("{own}{more}"))?;
        assert_eq!(found, status, "{path} {more}: {answer}");
        assert!(answer.contains("content-security-policy: default-src 'none'"), "{answer}");
    }
    let long = format!("{own}X: {}\r\n", "x".repeat(100_000));
    // It answers 431, or just closes.
    assert!(get(&lab.b, address, "/", &long).map_or(true, |(status, _)| status == 431));
    // More connections than the limit, which send nothing.
    let idle = lab.b.enter(|| (0..100).map(|_| TcpStream::connect(address)).collect::<Vec<_>>())?;
    let before = agent.intervals();
    udp_send(&lab.a, &lab.b, datagrams())?;
    agent.pass_intervals(5)?;
    assert!(agent.intervals() > before);
    // Their time runs out.
    let again = wait_until(PATIENCE, || get(&lab.b, address, "/healthz", &own).is_ok());
    assert!(again, "idle connections are not closed");
    drop(idle);
    let report = agent.stop()?;
    assert!(!report.stderr.contains("the agent was delayed"), "{}", report.stderr);
    Ok(())
}

/// The requests of the readers of a load, in turn.
const ASKED: [&str; 6] = [
    "/metrics",
    "/api/v1/groups?by=flow&limit=1000",
    "/api/v1/flows?limit=1000",
    "/",
    "/api/v1/top?by=peer",
    "/api/v1/groups?by=name",
];
const READERS: usize = 8;
const SLOW_READERS: usize = 2;
/// The pause of slow readers after each byte.
const PAUSE: Duration = Duration::from_millis(50);
/// Flows and payload of the traffic meanwhile, at full speed, and its duration.
const LOAD: (u16, usize, Duration) = (1000, 700, Duration::from_secs(6));
/// The memory that readers may cost, in kB: an interval, and the answers in progress.
const MOST_KILOBYTES: u64 = 100_000;

/// With `--nocapture`, it prints its measurements.
#[test]
fn readers_delay_no_interval_and_every_byte_is_counted_beside_them() -> Result<()> {
    let name = "readers_delay_no_interval_and_every_byte_is_counted_beside_them";
    let Some(lab) = Lab::or_skip(name)? else { return Ok(()) };
    let address = free_port(&lab.b)?;
    let before = lab.b.counters()?;
    let listen = address.to_string();
    let options = ["-i", &lab.b.device, "--transfer-interval", "2s", "--listen", &listen];
    let agent = Agent::start(&lab.b.namespace, &options)?;
    agent.pass_intervals(1)?;
    let alone = memory(&agent, "VmHWM:")?;
    let is_over = AtomicBool::new(false);
    let begin = Instant::now();
    let answers = std::thread::scope(|scope| -> Result<Vec<usize>> {
        let read = |reader| read_all(&lab.b, address, reader, &is_over);
        let readers: Vec<_> =
            (0..READERS).map(|reader| scope.spawn(move || read(reader))).collect();
        let slow = || read_slowly(&lab.b, address, &is_over);
        let slow: Vec<_> = (0..SLOW_READERS).map(|_| scope.spawn(slow)).collect();
        let moved = send_many(&lab);
        is_over.store(true, Ordering::Relaxed);
        let panicked = |_| anyhow::anyhow!("a reader panicked");
        slow.into_iter().try_for_each(|slow| slow.join().map_err(panicked)?)?;
        let answers = readers.into_iter().map(|reader| reader.join().map_err(panicked)?);
        let answers = answers.collect();
        moved.and(answers)
    })?;
    let seconds = begin.elapsed().as_secs_f64();
    let [_, after] = lab.wait_quiet()?;
    let moved = after - before;
    let series = format!(
        "wherefore_interface_bytes_total{{direction=\"received\",interface=\"{}\"}}",
        lab.b.device
    );
    let mut counted = None;
    let agrees = wait_until(PATIENCE, || {
        counted = value(&asked(&lab.b, address, "/metrics").unwrap_or_default(), &series);
        counted == Some(moved.rx_bytes)
    });
    ensure!(agrees, "{counted:?} of {} bytes", moved.rx_bytes);
    let past = json(&lab.b, address, "/api/v1/top")?;
    let past = past["past"].as_array().context("no past")?;
    let longest = past.iter().filter_map(|point| point["seconds"].as_f64()).fold(0.0, f64::max);
    let (most, all) = (memory(&agent, "VmHWM:")?, answers.iter().sum::<usize>());
    println!(
        "{all} answers in {seconds:.1} s to {READERS} readers, beside {SLOW_READERS} slow ones and {} packets of \
         {} flows; the longest interval took {longest:.3} s; {alone} kB of memory before, {most} kB at the most",
        moved.rx_packets, LOAD.0
    );
    let report = agent.stop()?;
    ensure!(
        longest < 3.0 && !report.stderr.contains("the agent was delayed"),
        "{longest}: {}",
        report.stderr
    );
    ensure!(answers.iter().all(|answers| *answers >= ASKED.len()), "{answers:?}");
    ensure!(most - alone < MOST_KILOBYTES, "{alone} kB became {most}");
    Ok(())
}

/// A line of the process's status, in kB.
fn memory(agent: &Agent, line: &str) -> Result<u64> {
    let status = std::fs::read_to_string(format!("/proc/{}/status", agent.process()))?;
    let line = status.lines().find_map(|text| text.strip_prefix(line)).context("no such line")?;
    Ok(line.trim().trim_end_matches(" kB").parse()?)
}

/// One question after the other; how many were answered.
fn read_all(host: &Host, address: SocketAddr, first: usize, over: &AtomicBool) -> Result<usize> {
    let mut answers = 0;
    while !over.load(Ordering::Relaxed) {
        let path = ASKED[(first + answers) % ASKED.len()];
        let (status, answer) = get(host, address, path, &format!("Host: {address}\r\n"))?;
        // If too many run at once, some are asked to retry.
        ensure!([200, 503].contains(&status), "{path}: {answer}");
        answers += 1;
    }
    Ok(answers)
}

/// Requests a long answer, and reads it byte by byte.
fn read_slowly(host: &Host, address: SocketAddr, over: &AtomicBool) -> Result<()> {
    let mut stream = host.enter(|| TcpStream::connect_timeout(&address, PATIENCE))??;
    write!(stream, "GET /api/v1/flows?limit=1000 HTTP/1.1\r\nHost: {address}\r\n\r\n")?;
    while !over.load(Ordering::Relaxed) {
        stream.read_exact(&mut [0])?;
        wait_until(PAUSE, || over.load(Ordering::Relaxed));
    }
    Ok(())
}

/// Datagrams to many ports in turn: nothing listens there.
fn send_many(lab: &Lab) -> Result<()> {
    let (flows, payload, time) = LOAD;
    let sender = lab.a.enter(|| UdpSocket::bind((lab.a.v4, 0)))??;
    let (payload, begin) = (vec![0; payload], Instant::now());
    while begin.elapsed() < time {
        for port in 20_000..20_000 + flows {
            sender.send_to(&payload, (lab.b.v4, port))?;
        }
    }
    Ok(())
}

fn datagrams() -> Datagrams {
    Datagrams {
        family: Family::V4,
        packets: 1000,
        payload: 100,
        source_port: 0,
        target_port: 0,
        interval: Duration::from_micros(100),
    }
}

#[test]
fn another_name_is_refused_and_the_page_has_no_inline_script() -> Result<()> {
    let name = "another_name_is_refused_and_the_page_has_no_inline_script";
    let Some(lab) = Lab::or_skip(name)? else { return Ok(()) };
    let address = free_port(&lab.b)?;
    let _agent = watch(&lab, address, &[])?;
    let (status, _) = get(&lab.b, address, "/", "Host: evil.example\r\n")?;
    assert_eq!(status, 403);
    let page = asked(&lab.b, address, "/")?;
    assert!(page.contains("<script src=\"/app.js\" defer></script>"));
    assert_eq!(page.matches("<script").count(), 1);
    assert!(!page.contains("style=") && !page.contains("onclick="));
    for file in ["/app.js", "/style.css"] {
        assert!(!asked(&lab.b, address, file)?.is_empty());
    }
    let (status, answer) =
        get(&lab.b, address, "/api/v1/history", &format!("Host: {address}\r\n"))?;
    assert_eq!(status, 404, "{answer}");
    Ok(())
}
