//! The CIDR filter in the kernel: which packets are watched, by either address, in both IP
//! versions, with nested exclusions and a thousand prefixes.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use anyhow::{Context, Result};
use wherefore_tests::agent::{Agent, Direction, Key, Report, Volume};
use wherefore_tests::lab::Lab;
use wherefore_tests::lab::frames::{Network, Transport};
use wherefore_tests::lab::packets::send_frames;

use super::flows::assert_flows;
use super::watch;

/// Pairs of addresses; a packet each way makes two flows of each pair.
const PAIRS: [(&str, &str); 6] = [
    ("10.1.0.1", "192.0.2.1"),
    ("10.1.2.3", "10.200.0.1"),
    ("192.0.2.1", "198.51.100.7"),
    ("2001:db8:1::1", "2001:db8:2::2"),
    ("2001:db8:1:ffff::1", "fd00::1"),
    ("fd00::1", "fe80::1"),
];

/// Options, and the flows they watch: pair and whether it is the way there.
type Case = (&'static [&'static str], &'static [(usize, bool)]);

const THERE: bool = true;
const BACK: bool = false;

const CASES: [Case; 6] = [
    (
        &["--filter-ip-cidr", "10.1.0.0/16,2001:db8:1::/48"],
        &[
            (0, THERE),
            (0, BACK),
            (1, THERE),
            (1, BACK),
            (3, THERE),
            (3, BACK),
            (4, THERE),
            (4, BACK),
        ],
    ),
    (
        &["--filter-ip-cidr", "10.1.0.0/16,2001:db8:1::/48", "--filter-src"],
        &[(0, THERE), (1, THERE), (3, THERE), (4, THERE)],
    ),
    // An address is a prefix too.
    (
        &["--filter-ip-cidr", "10.1.0.0/16,2001:db8:1::/48,192.0.2.1", "--filter-dst=true"],
        &[(0, THERE), (0, BACK), (1, BACK), (2, BACK), (3, BACK), (4, BACK)],
    ),
    // Outside: neither address is inside.
    (
        &["--filter-ip-cidr", "10.0.0.0/8,2001:db8::/32", "--filter-bool=false"],
        &[(2, THERE), (2, BACK), (5, THERE), (5, BACK)],
    ),
    // Exclusions from the watched prefixes, and an inclusion in an exclusion.
    (
        &[
            "--filter-ip-cidr",
            "10.0.0.0/8,10.1.2.0/24,::/0",
            "--filter-exclude",
            "10.1.0.0/16,2001:db8:1:ffff::/64",
            "--filter-src",
        ],
        &[(1, THERE), (1, BACK), (3, THERE), (3, BACK), (4, BACK), (5, THERE), (5, BACK)],
    ),
    (&["--filter-exclude", "0.0.0.0/0,fd00::/8"], &[(3, THERE), (3, BACK)]),
];

/// A datagram between any two addresses, to an unused MAC address.
fn frame(lab: &Lab, src: IpAddr, dst: IpAddr) -> Vec<u8> {
    let network = Network::between(src, dst);
    lab.a.link_to(&lab.b).to_nobody().frame(&network, &Transport::udp(7, 9, vec![0; 22]))
}

fn key(src: IpAddr, dst: IpAddr) -> Key {
    Key { proto: 17, src, sport: 7, dst, dport: 9 }
}

/// The size of a datagram of [`frame`] on the wire.
fn volume(src: IpAddr) -> Volume {
    let bytes = if src.is_ipv4() { 50 } else { 70 };
    Volume { packets: 1, bytes, frame_bytes: bytes + 14 }
}

/// Checks that exactly these flows were watched and everything else was counted as filtered.
fn assert_watched(
    report: &Report,
    watched: &[(IpAddr, IpAddr)],
    all: &[(IpAddr, IpAddr)],
    times: u64,
) -> Result<()> {
    let expected: BTreeMap<_, _> =
        watched.iter().map(|(src, dst)| (key(*src, *dst), volume(*src))).collect();
    assert_flows(report, Direction::Ingress, &expected, times);
    let sum =
        |flows: &[(IpAddr, IpAddr)]| flows.iter().map(|(src, _)| volume(*src).bytes).sum::<u64>();
    let filtered = (all.len() - watched.len()) as u64;
    assert_eq!(report.total("filtered")?, filtered * times);
    assert_eq!(report.total("filtered_bytes")?, (sum(all) - sum(watched)) * times);
    assert_eq!(report.total("bytes")?, sum(all) * times);
    assert_eq!(report.total("ip")?, all.len() as u64 * times);
    let compared = report.comparison(Direction::Ingress)?;
    assert_eq!(compared.counted, compared.device);
    Ok(())
}

/// An agent for each case, all at once on one interface: one series of packets serves all.
#[test]
fn the_filter_selects_the_configured_traffic() -> Result<()> {
    let Some(lab) = Lab::or_skip("the_filter_selects_the_configured_traffic")? else {
        return Ok(());
    };
    let address = |text: &str| text.parse::<IpAddr>().context("not an address");
    let mut flows = Vec::new();
    for (src, dst) in PAIRS {
        flows.extend([(address(src)?, address(dst)?), (address(dst)?, address(src)?)]);
    }
    let frames: Vec<_> = flows.iter().map(|(src, dst)| frame(&lab, *src, *dst)).collect();
    let agents: Vec<_> = CASES
        .into_iter()
        .map(|(options, watched)| {
            let options = [options, &["--max-flows", "1000"]].concat();
            (watch(&lab.b, &options), options, watched)
        })
        .collect();
    lab.measure(|| send_frames(&lab.a.namespace, &lab.a.device, &frames, 10))?;
    for (agent, options, watched) in agents {
        let place = |(pair, there): &(usize, bool)| flows[2 * pair + usize::from(!there)];
        let watched: Vec<_> = watched.iter().map(place).collect();
        let report = agent.and_then(Agent::stop)?;
        assert_watched(&report, &watched, &flows, 10).with_context(|| format!("{options:?}"))?;
    }
    Ok(())
}

/// A thousand networks are watched, every third has a hole; the target is in no network.
#[test]
fn the_filter_holds_a_thousand_prefixes() -> Result<()> {
    let Some(lab) = Lab::or_skip("the_filter_holds_a_thousand_prefixes")? else { return Ok(()) };
    let (mut include, mut exclude) = (Vec::new(), Vec::new());
    let (mut flows, mut watched) = (Vec::new(), Vec::new());
    for number in 0..500u16 {
        let [high, low] = number.to_be_bytes();
        include.push(format!("172.{}.{low}.0/24,2001:db8:{number:x}::/48", 16 + high));
        let has_hole = number % 3 == 0;
        if has_hole {
            exclude.push(format!("172.{}.{low}.128/25,2001:db8:{number:x}:8000::/49", 16 + high));
        }
        let v4 = |host| IpAddr::from(Ipv4Addr::new(172, 16 + high, low, host));
        let v6 = |net| IpAddr::from(Ipv6Addr::new(0x2001, 0xdb8, number, net, 0, 0, 0, 1));
        let away = [lab.b.v4.into(), lab.b.v6.into()];
        for (inside, hole, target) in
            [(v4(127), v4(128), away[0]), (v6(0x7fff), v6(0x8000), away[1])]
        {
            flows.extend([(inside, target), (hole, target)]);
            watched.push((inside, target));
            watched.extend((!has_hole).then_some((hole, target)));
        }
    }
    let frames: Vec<_> = flows.iter().map(|(src, dst)| frame(&lab, *src, *dst)).collect();
    let options = ["--filter-ip-cidr", &include.join(","), "--filter-exclude", &exclude.join(",")];
    let agent = watch(&lab.b, &options)?;
    lab.measure(|| send_frames(&lab.a.namespace, &lab.a.device, &frames, 3))?;
    assert_watched(&agent.stop()?, &watched, &flows, 3)
}
