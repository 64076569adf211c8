//! Tests that a live agent keeps counting if collectors are dead, slow or hostile.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wherefore_tests::agent::{Agent, Report};
use wherefore_tests::lab::packets::{Flows, many_flows};
use wherefore_tests::lab::{Family, Host, Lab, wait_until};

/// Intervals of an agent here.
const INTERVAL: &str = "200ms";

fn url(listener: &TcpListener) -> Result<String> {
    Ok(format!("tcp://{}", listener.local_addr()?))
}

fn listener(host: &Host) -> Result<TcpListener> {
    Ok(host.enter(|| TcpListener::bind("127.0.0.1:0"))??)
}

/// The counters of flows for each collector, from the last line of standard output.
fn accounts(report: &Report) -> Result<Vec<Value>> {
    let last: Value = serde_json::from_str(report.stdout.lines().last().context("no line")?)?;
    last["ipfix"].as_array().cloned().context("no account")
}

fn sum(account: &Value, names: [&str; 2]) -> u64 {
    names.iter().filter_map(|name| account[*name].as_u64()).sum()
}

#[test]
fn no_collector_harms_the_agent_and_losses_are_counted() -> Result<()> {
    let test = "no_collector_harms_the_agent_and_losses_are_counted";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    lab.b.namespace.ip_batch("link set lo up\n")?;
    let [stalls, hostile] = [listener(&lab.b)?, listener(&lab.b)?];
    // Nothing listens there any more.
    let gone = url(&listener(&lab.b)?)?;
    let urls = [url(&stalls)?, url(&hostile)?, gone.clone(), gone.replace("tcp", "udp")];
    let talks = std::thread::spawn(move || {
        while let Ok((stream, _)) = hostile.accept() {
            let _ = talk_nonsense(stream);
        }
    });
    let mut options = vec!["-i", &lab.b.device, "--transfer-interval", INTERVAL];
    options.extend(urls.iter().flat_map(|url| ["--ipfix", url]));
    // The loopback is not watched: only packets from the other host are counted.
    let agent = Agent::start(&lab.b.namespace, &options)?;
    let mut flood = Vec::new();
    for _ in 0..3 {
        flood.push(many_flows(
            &lab.a,
            &lab.b,
            Flows { family: Family::V4, flows: 5_000, packets_each: 1 },
        )?);
        agent.pass_intervals(2)?;
    }
    let report = agent.stop()?;
    // A thread that waits for a connection ends with its process.
    drop(talks);
    ensure!(report.took.as_secs() < 5, "{:?}", report.took);
    let (ip, bytes) = (report.total("ip")?, report.total("bytes")?);
    let lost_with_the_table = report.total("overflow")?;
    let accounts = accounts(&report)?;
    ensure!(accounts.len() == urls.len(), "{accounts:?}");
    for account in &accounts {
        ensure!(
            sum(account, ["sent_packets", "lost_packets"]) + lost_with_the_table == ip,
            "{account} {ip}"
        );
        ensure!(
            sum(account, ["sent_bytes", "lost_bytes"]) + report.total("overflow_bytes")? == bytes,
            "{account} {bytes}"
        );
    }
    let lost: Vec<_> = accounts.iter().map(|account| account["lost_flows"].as_u64()).collect();
    ensure!(lost[2] > Some(0) && lost[3] > Some(0), "{lost:?}");
    ensure!(
        report.stderr.contains("cannot send flow records: they are lost until"),
        "{}",
        report.stderr
    );
    Ok(())
}

/// Answers with something that no collector sends, and disconnects.
fn talk_nonsense(mut stream: TcpStream) -> std::io::Result<()> {
    stream.write_all(&[0xff; 4096])?;
    stream.read_exact(&mut [0; 16])
}

#[test]
fn a_collector_that_comes_back_gets_templates_first() -> Result<()> {
    let test = "a_collector_that_comes_back_gets_templates_first";
    let Some(lab) = Lab::or_skip(test)? else { return Ok(()) };
    lab.b.namespace.ip_batch("link set lo up\n")?;
    let listener = listener(&lab.b)?;
    let options =
        ["-i", &lab.b.device, "--transfer-interval", INTERVAL, "--ipfix", &url(&listener)?];
    let agent = Agent::start(&lab.b.namespace, &options)?;
    for _ in 0..2 {
        let mut first = [0; 20];
        let (mut stream, _) = listener.accept()?;
        stream.read_exact(&mut first)?;
        // Version 10, sequence number 0, a set of templates.
        let sequence = u32::from_be_bytes([first[8], first[9], first[10], first[11]]);
        ensure!((first[1], sequence, &first[16..18]) == (10, 0, &[0, 2][..]), "{first:?}");
        let mut more = false;
        stream.set_read_timeout(Some(std::time::Duration::from_millis(50)))?;
        wait_until(std::time::Duration::from_secs(10), || {
            let load = Flows { family: Family::V6, flows: 5, packets_each: 1 };
            let _ = many_flows(&lab.a, &lab.b, load);
            more = stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0);
            more
        });
        ensure!(more, "nothing comes after the templates");
    }
    agent.stop().map(drop)
}
