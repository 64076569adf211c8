//! Every kind of network device: its flows are counted once, and the comparison with its own counters is equal,
//! or the kind is named as not comparable.
//!
//! A kind that this kernel lacks is named on standard error. With `WHEREFORE_ALL_KINDS`, as on Debian's kernels in
//! virtual machines, it is a failure.

mod table;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::if_nametoindex;
use nix::sys::socket::{setsockopt, sockopt};
use wherefore_tests::agent::{Agent, Direction, Report};
use wherefore_tests::command::{Scratch, binary};
use wherefore_tests::lab::frames::mac_text;
use wherefore_tests::lab::{Counters, Host, Lab, wait_until};
use wherefore_tests::not_tried;

use table::{Carries, KINDS, Kind, Said};

/// Kinds that need more than lines of `ip`.
const WIREGUARD: &str = "wireguard";
const VRF: &str = "vrf";
const NETKIT: &str = "netkit";

/// Datagrams to each address: from here, and from the other end.
const SENT: [usize; 2] = [20, 30];
/// Datagrams from another device of the same parent.
const FROM_SIBLING: usize = 15;
const FROM_SIBLING_PORT: u16 = 9010;
/// The target ports, one for each kind of address.
const UNICAST: u16 = 9001;
const BROADCAST: u16 = 9002;
const MULTICAST: u16 = 9003;
const UNICAST6: u16 = 9004;
const MULTICAST6: u16 = 9005;
const ALL_PORTS: [u16; 5] = [UNICAST, BROADCAST, MULTICAST, UNICAST6, MULTICAST6];
/// The first number of a kind. It is part of names, ports and addresses, so that all have two digits.
const FIRST: usize = 10;
const PATIENCE: Duration = Duration::from_secs(20);

/// A device of one kind at both ends.
#[derive(Debug, Clone, Copy)]
struct Made {
    kind: &'static Kind,
    number: usize,
}

impl Made {
    fn device(&self) -> String {
        format!("wk{}", self.number)
    }

    /// Its own address at this end (1 or 2). Packets of a VRF have those of its members.
    fn v4(&self, end: u8) -> Ipv4Addr {
        let second = if self.kind.name == VRF { 90 } else { 91 };
        Ipv4Addr::new(10, second, self.number as u8, end)
    }

    /// The digits of its number, as they are written, are those of the address.
    fn v6(&self, end: u8) -> Result<Ipv6Addr> {
        Ok(format!("fd91:{}::{end}", self.number).parse()?)
    }

    /// Replaces the names in lines for `ip`, with which a batch begins at this end.
    fn lines(&self, lines: &[&str], lab: &Lab, end: u8) -> String {
        let (number, other) = (self.number, 3 - end);
        let remote = mac_of(number, other);
        let names = [
            ("{d}", self.device()),
            ("{u}", format!("wu{number}")),
            ("{v}", format!("wv{number}")),
            ("{n}", number.to_string()),
            ("{i}", end.to_string()),
            ("{o}", other.to_string()),
            ("{l4}", format!("10.90.{number}.{end}")),
            ("{r4}", format!("10.90.{number}.{other}")),
            ("{l6}", format!("fd90:{number}::{end}")),
            ("{r6}", format!("fd90:{number}::{other}")),
            ("{rm}", remote),
            ("{b}", lab.b.namespace.name().to_owned()),
        ];
        let line = |line: &&str| {
            let replace = |text: String, (name, value): &(&str, String)| text.replace(name, value);
            names.iter().fold((*line).to_owned(), replace) + "\n"
        };
        lines.iter().map(line).collect()
    }

    /// Makes the device at both ends, on a link of its own.
    fn make(&self, lab: &Lab) -> Result<()> {
        let ends = [(&lab.a, 1), (&lab.b, 2)];
        if self.kind.name == NETKIT {
            self.make_netkit(lab)?;
        } else {
            let [a, b] = [1, 2].map(|end| mac_of(self.number, end));
            let pair = format!(
                "link add {{u}} address {a} type veth peer name {{u}} address {b} netns {{b}}"
            );
            let second = "link add {v} type veth peer name {v} netns {b}";
            lab.a.namespace.ip_batch(&self.lines(&[&pair, second], lab, 1))?;
        }
        for (host, end) in ends {
            let run = |lines: &[&str]| host.namespace.ip_batch(&self.lines(lines, lab, end));
            if self.kind.name != NETKIT {
                run(&[
                    "addr add {l4}/24 dev {u}",
                    "addr add {l6}/64 dev {u} nodad",
                    "link set {u} up",
                    "link set {v} up",
                ])?;
            }
            run(self.kind.lines)?;
            if self.kind.name == WIREGUARD {
                self.set_keys(host, end)?;
            }
            if self.kind.carries != Carries::Nothing && self.kind.name != VRF {
                let v6 = format!("addr add {}/64 dev {{d}} nodad", self.v6(end)?);
                run(&[&format!("addr add {}/24 dev {{d}}", self.v4(end)), &v6])?;
            }
            run(&["link set {d} up"])?;
            run(self.kind.after)?;
        }
        Ok(())
    }

    /// Makes a pair with the names that the kernel chooses: older versions of `ip` cannot name the other end.
    fn make_netkit(&self, lab: &Lab) -> Result<()> {
        let names = || -> Result<Vec<String>> {
            let all = || Ok(getifaddrs()?.map(|one| one.interface_name).collect());
            lab.a.enter(all)?
        };
        let before = names()?;
        lab.a.namespace.ip_batch(&self.lines(&["link add {d} type netkit"], lab, 1))?;
        let is_peer = |name: &String| !before.contains(name) && *name != self.device();
        let peer = names()?.into_iter().find(is_peer).context("it has no other end")?;
        let moved = format!("link set {peer} netns {{b}} name {{d}}");
        lab.a.namespace.ip_batch(&self.lines(&[&moved], lab, 1))
    }

    fn set_keys(&self, host: &Host, end: u8) -> Result<()> {
        /// Private and public, of each end.
        const KEYS: [[&str; 2]; 2] = [
            [
                "CKRzFL1+IH3i0pnl4NmPtw+DnrMS8653mX0B3IpYm18=",
                "thIiISN9PH9gdl7p6lSsVeTjgcrkmTHqbx1+FeNOwFI=",
            ],
            [
                "UAuQn9OcfiLiYihRBQ+ZFURAJVUNMOSCnlSG3Ww4lG0=",
                "mUvvCX3Ai+IsEDCSa6Zgr/y6TADik1YQ16r4uUwPyCk=",
            ],
        ];
        let [own, other] = if end == 1 { KEYS } else { [KEYS[1], KEYS[0]] };
        let scratch = Scratch::new();
        fs::write(scratch.path("key"), own[0])?;
        let endpoint = format!("10.90.{}.{}:51820", self.number, 3 - end);
        let mut wg = host.namespace.command("wg");
        wg.args(["set", &self.device(), "listen-port", "51820", "private-key"]);
        wg.arg(scratch.path("key")).args(["peer", other[1], "endpoint", &endpoint]);
        let status = wg.args(["allowed-ips", "0.0.0.0/0,::/0"]).status().context("no `wg`")?;
        ensure!(status.success(), "wg: {status}");
        Ok(())
    }

    /// The ports of the datagrams that it carries.
    fn ports(&self) -> &'static [u16] {
        match self.kind.carries {
            Carries::All => &ALL_PORTS,
            Carries::V4 => &ALL_PORTS[..3],
            Carries::V6 => &ALL_PORTS[3..],
            Carries::Unicast => &[UNICAST, UNICAST6],
            Carries::Unicast4 => &[UNICAST],
            Carries::Nothing => &[],
        }
    }

    /// Sends datagrams to these ports from one end, each to its kind of address at the other end.
    fn send(&self, host: &Host, end: u8, ports: &[u16]) -> Result<()> {
        let device = self.device();
        let other = self.v4(3 - end);
        let [first, second, third, _] = other.octets();
        for port in ports {
            let target: IpAddr = match *port {
                UNICAST => other.into(),
                BROADCAST => Ipv4Addr::new(first, second, third, 255).into(),
                MULTICAST => Ipv4Addr::new(224, 0, 0, 1).into(),
                UNICAST6 => self.v6(3 - end)?.into(),
                _ => "ff02::1".parse()?,
            };
            send_datagrams(host, &device, target, *port, SENT[usize::from(end) - 1])
                .with_context(|| format!("{}: sending to {target}", self.kind.name))?;
        }
        Ok(())
    }

    /// Sends a stream from one end to the other.
    fn stream(&self, from: &Host, to: &Host, end: u8) -> Result<()> {
        const BYTES: usize = 200_000;
        let address = SocketAddr::new(self.v4(3 - end).into(), 9006);
        let listener = to.enter(|| TcpListener::bind(address))??;
        let received = from.enter(|| -> Result<usize> {
            let mut sender = TcpStream::connect_timeout(&address, PATIENCE)?;
            let (mut receiver, _) = listener.accept()?;
            for stream in [&sender, &receiver] {
                stream.set_read_timeout(Some(PATIENCE))?;
                stream.set_write_timeout(Some(PATIENCE))?;
            }
            let sending = std::thread::spawn(move || sender.write_all(&vec![7; BYTES]));
            let mut all = Vec::new();
            receiver.read_to_end(&mut all)?;
            sending.join().ok().context("the sender panicked")??;
            Ok(all.len())
        })?;
        let received = received.with_context(|| format!("{}: a stream", self.kind.name))?;
        ensure!(received == BYTES, "{}: {received} of {BYTES} bytes", self.kind.name);
        Ok(())
    }
}

/// The MAC address of an end of the link below a device.
fn mac_of(number: usize, end: u8) -> String {
    mac_text([2, 0, 0, 0x90, number as u8, end])
}

/// Sends from a device, whatever the routes are.
fn send_datagrams(
    host: &Host,
    device: &str,
    target: IpAddr,
    port: u16,
    packets: usize,
) -> Result<()> {
    host.enter(|| -> Result<()> {
        let any = if target.is_ipv4() { "0.0.0.0:0" } else { "[::]:0" };
        let socket = UdpSocket::bind(any)?;
        setsockopt(&socket, sockopt::BindToDevice, &OsString::from(device))?;
        let mut address = SocketAddr::new(target, port);
        if let SocketAddr::V6(v6) = &mut address {
            v6.set_scope_id(if_nametoindex(device)?);
            socket.set_multicast_loop_v6(false)?;
        } else {
            socket.set_broadcast(true)?;
            socket.set_multicast_loop_v4(false)?;
        }
        (0..packets).try_for_each(|_| socket.send_to(&[7; 100], address).map(drop))?;
        Ok(())
    })?
}

/// Makes a device of each kind; names those that this kernel or `ip` lacks.
fn make_all(test: &str, lab: &Lab) -> Result<Vec<Made>> {
    let must_all = std::env::var_os("WHEREFORE_ALL_KINDS").is_some();
    let mut made = Vec::new();
    let mut missing = Vec::new();
    for host in [&lab.a, &lab.b] {
        // Otherwise a host also answers for addresses of the device above this one.
        for (key, value) in [("all/arp_ignore", "1"), ("all/rp_filter", "0")] {
            host.namespace.sysctl(&format!("net/ipv4/conf/{key}"), value)?;
        }
    }
    for (number, kind) in (FIRST..).zip(KINDS) {
        let one = Made { kind, number };
        match one.make(lab) {
            Ok(()) => made.push(one),
            Err(error) if is_lacking(&format!("{error:#}")) => {
                not_tried(test, kind.name, &format!("{error:#}").replace('\n', " "));
                if must_all && kind.is_common && kernel()? >= kind.since {
                    missing.push(kind.name);
                }
            }
            Err(error) => bail!("making {}: {error:#}", kind.name),
        }
    }
    ensure!(missing.is_empty(), "this kernel should have {missing:?}");
    Ok(made)
}

/// Whether `ip` or `wg` says that the kernel has no such device, or no such program is there.
fn is_lacking(error: &str) -> bool {
    let words = ["Unknown device type", "Error talking to the kernel", "no `wg`"];
    words.iter().any(|words| error.contains(words))
}

/// Major and minor version.
fn kernel() -> Result<[u32; 2]> {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    let mut numbers = release.split(['.', '-']).map(str::parse);
    let mut next = || numbers.next().context("no version").and_then(|number| Ok(number?));
    Ok([next()?, next()?])
}

/// Waits until no device of `a` that is compared has received or sent anything for some time. Others never rest: an
/// nlmon gets the agent's own questions to the kernel.
fn wait_quiet(lab: &Lab, made: &[Made]) -> Result<()> {
    const STILL: Duration = Duration::from_millis(700);
    let is_compared = |one: &&Made| matches!(one.kind.said, Said::Equal | Said::Agrees);
    let compared: Vec<_> = made.iter().filter(is_compared).collect();
    let read = || -> Result<Vec<Counters>> {
        lab.a.enter(|| compared.iter().map(|one| Counters::of(&one.device())).collect())?
    };
    let (mut before, mut now, mut since) = (Vec::new(), read()?, Instant::now());
    let became_quiet = wait_until(PATIENCE, || {
        let read = read().unwrap_or_default();
        if read != now {
            before = std::mem::replace(&mut now, read);
            since = Instant::now();
        }
        since.elapsed() >= STILL
    });
    let all = compared.iter().zip(before.iter().zip(&now));
    let moving = all.filter(|(_, (before, now))| before != now).map(|(one, _)| one.kind.name);
    ensure!(became_quiet, "these do not become quiet: {:?}", moving.collect::<Vec<_>>());
    Ok(())
}

/// The report of an agent on all devices at `a` while `work` ran.
fn watch(lab: &Lab, made: &[Made], work: impl FnOnce() -> Result<()>) -> Result<Report> {
    wait_quiet(lab, made)?;
    // The kinds of some devices are in the namespace's own /sys only, which this mounts.
    let mut command = Command::new("ip");
    command.args(["netns", "exec", lab.a.namespace.name()]).arg(binary());
    let own = ["-i", "wk*", "--transfer-interval", "500ms", "--daq", "ebpf"];
    let agent = Agent::started(command, &own)?;
    work()?;
    wait_quiet(lab, made)?;
    // So many, that a difference would be reported.
    agent.pass_intervals(4)?;
    agent.stop()
}

/// The lines of the log about the comparison of a device.
fn comparisons<'a>(report: &'a Report, device: &str) -> Vec<&'a str> {
    let name = format!("interface=\"{device}\"");
    report.stderr.lines().filter(|line| line.contains(&name)).collect()
}

#[test]
fn datagrams_are_counted_once_on_every_kind_of_device() -> Result<()> {
    const TEST: &str = "datagrams_are_counted_once_on_every_kind_of_device";
    let Some(lab) = Lab::or_skip(TEST)? else { return Ok(()) };
    let made = make_all(TEST, &lab)?;
    let mut wrong = Vec::new();
    let report = watch(&lab, &made, || {
        for one in &made {
            let there = one.send(&lab.a, 1, one.ports());
            let back = match one.kind.name {
                "dummy" => Ok(()),
                _ => one.send(&lab.b, 2, one.ports()),
            };
            wrong.extend(
                [there, back].into_iter().filter_map(|sent| Some(format!("{:#}", sent.err()?))),
            );
            if one.kind.has_sibling {
                let sibling = format!("ws{}", one.number);
                let all = Ipv4Addr::new(224, 0, 0, 1).into();
                send_datagrams(&lab.a, &sibling, all, FROM_SIBLING_PORT, FROM_SIBLING)?;
            }
        }
        Ok(())
    })?;
    let counted = counted(&report);
    for one in &made {
        wrong.extend(wrong_flows(one, &counted));
        wrong.extend(wrong_words(one, &report));
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), report.stderr);
    println!("{} kinds", made.len());
    Ok(())
}

/// Packets by the number of their device, their direction and port.
fn counted(report: &Report) -> BTreeMap<(usize, Direction, u16), u64> {
    let mut counted = BTreeMap::new();
    for flow in report.flows.iter().filter(|flow| ALL_PORTS.contains(&flow.key.dport)) {
        let number = match flow.key.src {
            IpAddr::V4(v4) => v4.octets()[2].into(),
            IpAddr::V6(v6) => format!("{:x}", v6.segments()[1]).parse().unwrap_or_default(),
        };
        *counted.entry((number, flow.direction, flow.key.dport)).or_default() +=
            flow.volume.packets;
    }
    counted
}

/// What is wrong about the flows of a device.
fn wrong_flows(one: &Made, counted: &BTreeMap<(usize, Direction, u16), u64>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (direction, sent, is_seen) in [
        (Direction::Egress, SENT[0], one.kind.seen[0]),
        (Direction::Ingress, SENT[1], one.kind.seen[1]),
    ] {
        for port in ALL_PORTS {
            let is_sent = is_seen && one.ports().contains(&port);
            let right = if is_sent { sent as u64 } else { 0 };
            let found = counted.get(&(one.number, direction, port)).copied().unwrap_or_default();
            if found != right {
                let name = one.kind.name;
                wrong.push(format!("{name}: {direction:?}, port {port}: {found} of {right}"));
            }
        }
    }
    wrong
}

/// What is wrong about the words on the comparison of a device.
fn wrong_words(one: &Made, report: &Report) -> Option<String> {
    let lines = comparisons(report, &one.device());
    let number_with = |words: &str| lines.iter().filter(|line| line.contains(words)).count();
    let is_right = match one.kind.said {
        Said::Equal => number_with("counts equal the interface's") == 1 && lines.len() == 1,
        Said::Agrees => number_with("counts agree with the interface's") == 1 && lines.len() == 1,
        // Once for each direction, and at the end.
        Said::Apart(reason) => number_with(reason) == lines.len() && (2..=3).contains(&lines.len()),
        Said::Refused(reason) => number_with(reason) == 1 && lines.len() == 1,
    };
    (!is_right).then(|| format!("{}: not {:?}: {lines:#?}", one.kind.name, one.kind.said))
}

/// Streams, whose packets are joined and cut, and datagrams that a kind cannot carry, make no difference that is
/// not explained.
#[test]
fn streams_and_refused_packets_make_no_kind_of_device_differ() -> Result<()> {
    const TEST: &str = "streams_and_refused_packets_make_no_kind_of_device_differ";
    let Some(lab) = Lab::or_skip(TEST)? else { return Ok(()) };
    let made = make_all(TEST, &lab)?;
    let no_streams = |kind: &Kind| {
        let is_routed_below = !kind.after.is_empty() && kind.carries == Carries::Unicast;
        is_routed_below || !kind.seen[1] || matches!(kind.carries, Carries::V6 | Carries::Nothing)
    };
    let report = watch(&lab, &made, || {
        for one in made.iter().filter(|one| one.kind.carries != Carries::Nothing) {
            for (from, to, end) in [(&lab.a, &lab.b, 1), (&lab.b, &lab.a, 2)] {
                // Some have no route for all of them.
                for port in ALL_PORTS {
                    let _ = one.send(from, end, &[port]);
                }
                if !no_streams(one.kind) {
                    one.stream(from, to, end)?;
                }
            }
        }
        Ok(())
    })?;
    let mut wrong = Vec::new();
    for one in &made {
        let lines = comparisons(&report, &one.device());
        let is_wrong = lines.is_empty() || lines.iter().any(|line| line.contains("differ"));
        wrong.extend(is_wrong.then(|| format!("{}: {lines:#?}", one.kind.name)));
    }
    assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), report.stderr);
    Ok(())
}
