//! Names from DNS answers as they pass: a real server in one namespace, a host that asks it and then
//! talks to the address in the other, over UDP and TCP, IPv4 and IPv6, by eBPF and by libpcap.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream, UdpSocket};
use std::process::{Child, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wherefore_tests::agent::Agent;
use wherefore_tests::lab::packets::{Flows, many_flows};
use wherefore_tests::lab::{Family, Host, Lab, wait_until};

use super::watch;

const PATIENCE: Duration = Duration::from_secs(20);
const A: u16 = 1;
const AAAA: u16 = 28;

/// dnsmasq on a host, which knows the host itself by names that are aliases; it ends with this.
struct Resolver(Child);

impl Resolver {
    fn start(host: &Host) -> Result<Self> {
        let mut dnsmasq = host.namespace.command("dnsmasq");
        let (v4, v6) = (host.v4, host.v6);
        dnsmasq.args([
            "--keep-in-foreground",
            "--conf-file=/dev/null",
            "--no-resolv",
            "--no-hosts",
        ]);
        dnsmasq.args(["--user=root", "--pid-file=", "--bind-interfaces", "--cache-size=0"]);
        dnsmasq.arg(format!("--listen-address={v4},{v6}"));
        dnsmasq.arg(format!("--host-record=edge.wherefore.test,{v4},{v6}"));
        dnsmasq.args(["--cname=udp.wherefore.test,edge.wherefore.test"]);
        dnsmasq.args(["--cname=tcp.wherefore.test,edge.wherefore.test"]);
        dnsmasq.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        Ok(Self(dnsmasq.spawn().context("starting dnsmasq")?))
    }
}

impl Drop for Resolver {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn question(name: &str, kind: u16) -> Vec<u8> {
    let mut question = vec![0x77, 0x65, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0];
    for label in name.split('.') {
        question.push(label.len() as u8);
        question.extend(label.as_bytes());
    }
    question.push(0);
    question.extend([kind.to_be_bytes(), 1u16.to_be_bytes()].concat());
    question
}

fn ask_by_udp(server: IpAddr, question: &[u8]) -> std::io::Result<()> {
    let any = if server.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
    let socket = UdpSocket::bind(any)?;
    socket.set_read_timeout(Some(Duration::from_millis(500)))?;
    socket.connect(SocketAddr::new(server, 53))?;
    socket.send(question)?;
    socket.recv(&mut [0; 1500]).map(drop)
}

fn ask_by_tcp(server: IpAddr, question: &[u8]) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(SocketAddr::new(server, 53))?;
    stream.set_read_timeout(Some(Duration::from_millis(500)))?;
    stream.write_all(&[&(question.len() as u16).to_be_bytes(), question].concat())?;
    stream.read_exact(&mut [0; 14])
}

/// Talks to the host until a flow to its address has this name.
fn has_name(agent: &Agent, lab: &Lab, family: Family, name: &str) -> Result<()> {
    let address = lab.b.address(family).to_string();
    let [flows, _] = agent.outputs();
    let is_it = |line: &str| {
        let flow: Value = serde_json::from_str(line).unwrap_or_default();
        flow["dst"] == address.as_str() && flow["dst_name"] == name
    };
    let found = wait_until(PATIENCE, || {
        let load = Flows { family, flows: 3, packets_each: 2 };
        let is_sent = many_flows(&lab.a, &lab.b, load).is_ok() && agent.pass_intervals(1).is_ok();
        is_sent && fs::read_to_string(&flows).is_ok_and(|text| text.lines().any(is_it))
    });
    ensure!(found, "{address} is not called {name}:\n{}", agent.log());
    Ok(())
}

/// Asks a server.
type Ask = fn(IpAddr, &[u8]) -> std::io::Result<()>;

fn names_are_learned(lab: &Lab, daq: &str) -> Result<()> {
    let agent = watch(&lab.a, &["--daq", daq])?;
    let steps: [(_, _, _, Ask); 4] = [
        ("udp.wherefore.test", A, Family::V4, ask_by_udp),
        ("tcp.wherefore.test", AAAA, Family::V6, ask_by_tcp),
        ("tcp.wherefore.test", A, Family::V4, ask_by_tcp),
        ("edge.wherefore.test", AAAA, Family::V6, ask_by_udp),
    ];
    for (name, kind, family, ask) in steps {
        let (server, question) = (lab.b.address(family), question(name, kind));
        let is_answered =
            lab.a.enter(|| wait_until(PATIENCE, || ask(server, &question).is_ok()))?;
        ensure!(is_answered, "no answer about {name}");
        has_name(&agent, lab, family, name).with_context(|| daq.to_owned())?;
    }
    agent.stop().map(drop)
}

#[test]
fn addresses_have_the_names_that_were_asked_for() -> Result<()> {
    let Some(lab) = Lab::or_skip("addresses_have_the_names")? else { return Ok(()) };
    let _resolver = Resolver::start(&lab.b)?;
    ["ebpf", "libpcap"].into_iter().try_for_each(|daq| names_are_learned(&lab, daq))
}
