//! Processes behind a host that forwards their packets, as those of containers: with translated addresses (NAT) and
//! without. The agent runs on that host.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::process::Stdio;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use wherefore_tests::agent::{Agent, Report};
use wherefore_tests::lab::netns::Namespace;
use wherefore_tests::lab::{Family, Host, Lab, slowdown_factor};

use super::owners::{Server, Truth, ask, run_all, stop};
use super::watch_every;

const BYTES: usize = 20_000;
const V4_ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
const V6_ANY: IpAddr = IpAddr::V6(Ipv6Addr::UNSPECIFIED);
/// The port of the host that leads to the container's.
const PUBLISHED: u16 = 8080;
const SERVED: u16 = 80;

/// A host behind the laboratory's second one, which forwards its packets.
struct Inside {
    host: Host,
}

impl Inside {
    /// Joins it to the second host, and applies rules of nftables there, if there are any.
    fn behind(lab: &Lab, rules: &str) -> Result<Self> {
        let middle = &lab.b.namespace;
        let namespace = Namespace::create(&format!("{}c", middle.name().trim_end_matches('b')))?;
        let host = Host {
            namespace,
            device: "eth0".to_owned(),
            mac: [2, 0, 0, 0x78, 0, 2],
            v4: Ipv4Addr::new(10, 78, 0, 2),
            v6: Ipv6Addr::new(0xfd78, 0, 0, 0, 0, 0, 0, 2),
        };
        middle.sysctl("net/ipv4/ip_forward", "1")?;
        middle.sysctl("net/ipv6/conf/all/forwarding", "1")?;
        // A router asks for neighbours by its link-local address.
        middle.ip_batch(&format!(
            "link add inside type veth peer name eth0 netns {}\n\
             addr add 10.78.0.1/24 dev inside\n\
             addr add fd78::1/64 dev inside nodad\n\
             link set inside addrgenmode eui64 up\n",
            host.namespace.name()
        ))?;
        host.namespace.ip_batch(&format!(
            "link set lo up\n\
             addr add {}/24 dev eth0\n\
             addr add {}/64 dev eth0 nodad\n\
             link set eth0 up\n\
             route add default via 10.78.0.1\n\
             route add default via fd78::1\n",
            host.v4, host.v6
        ))?;
        if rules.is_empty() {
            return Ok(Self { host });
        }
        let mut nft = middle.command("nft").args(["-f", "-"]).stdin(Stdio::piped()).spawn()?;
        nft.stdin.take().context("no input")?.write_all(rules.as_bytes())?;
        ensure!(nft.wait()?.success(), "nft refuses the rules");
        Ok(Self { host })
    }

    /// Lets the first host of the laboratory send to it.
    fn route_from(&self, lab: &Lab) -> Result<()> {
        lab.a.namespace.ip_batch(&format!(
            "route add 10.78.0.0/24 via {}\nroute add fd78::/64 via {}\n",
            lab.b.v4, lab.b.v6
        ))
    }
}

impl Drop for Inside {
    fn drop(&mut self) {
        let _ = self.host.namespace.ip_batch("link del eth0\n");
    }
}

/// What leaves the second host has its address; its port leads inside.
fn translating(lab: &Lab) -> String {
    format!(
        "table inet nat {{
           chain out {{ type nat hook postrouting priority srcnat; oifname \"{}\" masquerade; }}
           chain in {{ type nat hook prerouting priority dstnat;
             meta nfproto ipv4 tcp dport {PUBLISHED} dnat ip to 10.78.0.2:{SERVED}
             meta nfproto ipv6 tcp dport {PUBLISHED} dnat ip6 to [fd78::2]:{SERVED}
           }}
         }}\n",
        lab.b.device
    )
}

/// The bytes of these flows by whether one of these processes is named as their end on this side of the
/// laboratory's first host.
fn by_owner(lab: &Lab, flows: &[Value], processes: &BTreeSet<u64>) -> Result<[u64; 2]> {
    let outside = [lab.a.v4.to_string(), lab.a.v6.to_string()];
    let mut sums = [0; 2];
    for flow in flows.iter().filter(|flow| matches!(flow["proto"].as_u64(), Some(6 | 17))) {
        let is_answer = outside.iter().any(|address| flow["src"] == **address);
        let end = if is_answer { "destination" } else { "source" };
        let named = flow[format!("{end}.process.pid")].as_u64();
        let is_right = named.is_some_and(|pid| processes.contains(&pid));
        sums[usize::from(!is_right)] += flow["bytes"].as_u64().context("no bytes")?;
    }
    Ok(sums)
}

/// Checks that all bytes belong to these processes or to this one, but for those of ends, which may come without a socket.
fn assert_owned(lab: &Lab, flows: &[Value], report: &Report, inside: Truth) -> Result<()> {
    let own = u64::from(std::process::id());
    let processes = inside.read()?.into_values().flatten().chain([own]).collect();
    let [owned, others] = by_owner(lab, flows, &processes)?;
    assert!(owned > BYTES as u64, "{flows:#?}\n{}", report.stderr);
    let most = owned * u64::from(slowdown_factor()) / 200;
    assert!(others <= most, "{others} of {owned}: {flows:#?}\n{}", report.stderr);
    Ok(())
}

/// Has processes inside, and this one, ask the first host of the laboratory in several ways.
fn ask_from(inside: &Inside, lab: &Lab, truth: &mut Truth) -> Result<()> {
    let mut outside = Truth::default();
    let mut servers = Vec::new();
    for family in [Family::V4, Family::V6] {
        let any = SocketAddr::new(lab.a.address(family), 0);
        let server = Server::start(&lab.a, "one", any, &mut outside)?;
        let ask = |kind| ask(&inside.host, kind, server.address, BYTES);
        run_all(["plain", "exec", "exit"].map(ask).into(), truth)?;
        servers.push(server);
        exchange(inside, lab, any)?;
    }
    lab.wait_quiet()?;
    servers.into_iter().try_for_each(Server::stop)
}

/// Sends a datagram from inside by a connected socket of this process, and answers it.
fn exchange(inside: &Inside, lab: &Lab, at: SocketAddr) -> Result<()> {
    let outer = lab.a.enter(|| UdpSocket::bind(at))??;
    let from = SocketAddr::new(if at.is_ipv4() { V4_ANY } else { V6_ANY }, 0);
    let inner = inside.host.enter(|| UdpSocket::bind(from))??;
    inner.connect(outer.local_addr()?)?;
    inner.send(&[7; 1000])?;
    let mut room = [0; 2000];
    let (_, from) = outer.recv_from(&mut room)?;
    outer.send_to(&[8; 500], from)?;
    inner.recv(&mut room)?;
    Ok(())
}

fn watch_outside(lab: &Lab) -> Result<Agent> {
    watch_every("2s", &lab.b, &["--attribution", "kernel"])
}

#[test]
fn connections_under_the_hosts_address_have_their_process() -> Result<()> {
    const NAME: &str = "connections_under_the_hosts_address_have_their_process";
    let Some(lab) = Lab::or_skip(NAME)? else { return Ok(()) };
    let inside = Inside::behind(&lab, &translating(&lab))?;
    let agent = watch_outside(&lab)?;
    let mut truth = Truth::default();
    ask_from(&inside, &lab, &mut truth)?;
    let (flows, report) = stop(agent)?;
    assert_owned(&lab, &flows, &report, truth)
}

#[test]
fn forwarded_connections_have_their_process() -> Result<()> {
    let Some(lab) = Lab::or_skip("forwarded_connections_have_their_process")? else {
        return Ok(());
    };
    let inside = Inside::behind(&lab, "")?;
    inside.route_from(&lab)?;
    let agent = watch_outside(&lab)?;
    let mut truth = Truth::default();
    ask_from(&inside, &lab, &mut truth)?;
    let (flows, report) = stop(agent)?;
    assert_owned(&lab, &flows, &report, truth)
}

#[test]
fn a_port_that_leads_to_a_container_has_its_process() -> Result<()> {
    let Some(lab) = Lab::or_skip("a_port_that_leads_to_a_container_has_its_process")? else {
        return Ok(());
    };
    let inside = Inside::behind(&lab, &translating(&lab))?;
    let agent = watch_outside(&lab)?;
    let (mut truth, mut outside) = (Truth::default(), Truth::default());
    for family in [Family::V4, Family::V6] {
        let (address, at) = (inside.host.address(family), lab.b.address(family));
        let server =
            Server::start(&inside.host, "one", SocketAddr::new(address, SERVED), &mut truth)?;
        let at = SocketAddr::new(at, PUBLISHED);
        run_all(
            vec![ask(&lab.a, "plain", at, BYTES), ask(&lab.a, "exec", at, BYTES)],
            &mut outside,
        )?;
        lab.wait_quiet()?;
        server.stop()?;
    }
    let (flows, report) = stop(agent)?;
    assert_owned(&lab, &flows, &report, truth)
}

/// Each packet passes two interfaces, with other addresses; and a socket that is not connected is only known from
/// its own packets.
#[test]
fn translated_packets_count_once_for_the_host() -> Result<()> {
    let Some(lab) = Lab::or_skip("translated_packets_count_once_for_the_host")? else {
        return Ok(());
    };
    let inside = Inside::behind(&lab, &translating(&lab))?;
    let agent = watch_every("2s", &lab.b, &["-i", "inside", "--attribution", "kernel"])?;
    let receiver = lab.a.enter(|| UdpSocket::bind((lab.a.v4, 0)))??;
    let to = SocketAddr::new(IpAddr::V4(lab.a.v4), receiver.local_addr()?.port());
    let sender = inside.host.enter(|| UdpSocket::bind("0.0.0.0:0"))??;
    for _ in 0..20 {
        sender.send_to(&[7; 1000], to)?;
    }
    let mut room = [0; 2000];
    let (_, from) = receiver.recv_from(&mut room)?;
    ensure!(from.ip() == IpAddr::V4(lab.b.v4), "{from} is not the host's address");
    receiver.send_to(&[8; 500], from)?;
    sender.recv_from(&mut room)?;
    lab.wait_quiet()?;
    let (flows, report) = stop(agent)?;
    let own = BTreeSet::from([u64::from(std::process::id())]);
    let [owned, others] = by_owner(&lab, &flows, &own)?;
    let once = 20 * 1028 + 528;
    assert_eq!([owned, others], [2 * once, 0], "{flows:#?}\n{}", report.stderr);
    let host = &report.attribution()["host"];
    assert_eq!(host["owned_bytes"], once, "{host}\n{flows:#?}");
    Ok(())
}
