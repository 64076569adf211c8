//! Single frames. Owns the proof that they arrive unchanged and that the receiving
//! stack understands those it should.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use wherefore_tests::lab::frames::{self, Extension, Ipv4, Ipv6, Network, Transport, padded};
use wherefore_tests::lab::packets::send_frames;
use wherefore_tests::lab::tap::Tap;
use wherefore_tests::lab::{Family, Lab};

use super::{assert_one_way, datagram, network};

#[test]
fn frames_are_received_unchanged_and_counted() -> Result<()> {
    let Some(lab) = Lab::or_skip("frames_are_received_unchanged_and_counted")? else {
        return Ok(());
    };
    let link = lab.a.link_to(&lab.b).to_nobody();
    let frames = vec![
        link.frame(&network(&lab, Family::V4), &datagram()),
        padded(link.frame(&network(&lab, Family::V6), &datagram())),
        link.clone().mpls(100).mpls(200).frame(&network(&lab, Family::V4), &datagram()),
        link.clone().pppoe(7).frame(&network(&lab, Family::V6), &datagram()),
        link.frame(
            &network(&lab, Family::V4),
            &Transport::Sctp { source: 1, target: 2, chunks: vec![0; 16] },
        ),
        link.arp(lab.a.v4, lab.b.v4),
        link.llc(&[0; 40]),
    ];
    let tap = Tap::open(&lab.b)?;
    let (counted, sent) = lab.measure(|| send_frames(&lab.a.namespace, "veth-a", &frames, 3))?;
    let bytes = 3 * frames.iter().map(Vec::len).sum::<usize>() as u64;
    assert_eq!((sent.frames, sent.bytes), (21, bytes));
    assert_one_way(counted, 21, bytes);
    assert_eq!(tap.take()?, [&frames[..]; 3].concat());
    Ok(())
}

#[test]
fn vlan_frames_arrive() -> Result<()> {
    let Some(lab) = Lab::or_skip("vlan_frames_arrive")? else {
        return Ok(());
    };
    let plain = lab.a.link_to(&lab.b).to_nobody();
    let single = plain.clone().vlan(frames::VLAN, 100);
    let double = plain.clone().vlan(frames::SERVICE_VLAN, 200).vlan(frames::VLAN, 100);
    let header = network(&lab, Family::V4);
    let [bare, one, two] = [&plain, &single, &double].map(|link| link.frame(&header, &datagram()));
    assert_eq!([one.len(), two.len()], [bare.len() + 4, bare.len() + 8]);
    let tap = Tap::open(&lab.b)?;
    let tagged = [one.clone(), two.clone()];
    let (counted, _) = lab.measure(|| send_frames(&lab.a.namespace, "veth-a", &tagged, 1))?;
    assert_one_way(counted, 2, (one.len() + two.len()) as u64);
    // The kernel has taken the outer tag off both.
    assert_eq!(tap.take()?, [bare, one]);
    Ok(())
}

/// Sends the network headers with one datagram each and reads them from a socket of `b`.
fn check_understood(lab: &Lab, family: Family, headers: &[Network]) -> Result<()> {
    let address = SocketAddr::new(lab.b.address(family), 4009);
    let socket = lab.b.enter(|| UdpSocket::bind(address))??;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    let datagram = Transport::udp(4000, 4009, b"odd length!".to_vec());
    for header in headers {
        let frame = lab.a.link_to(&lab.b).frame(header, &datagram);
        send_frames(&lab.a.namespace, "veth-a", &[frame], 1)?;
        check_datagram(&socket, lab.a.address(family)).with_context(|| format!("{header:?}"))?;
    }
    Ok(())
}

/// Expects one datagram as [`check_understood`] sends it.
fn check_datagram(socket: &UdpSocket, source: IpAddr) -> Result<()> {
    let mut buffer = [0; 64];
    let (length, from) = socket.recv_from(&mut buffer)?;
    ensure!(&buffer[..length] == b"odd length!", "another payload arrived");
    ensure!((from.ip(), from.port()) == (source, 4000), "it came from {from}");
    Ok(())
}

#[test]
fn the_stack_understands_ipv4_with_options() -> Result<()> {
    let Some(lab) = Lab::or_skip("the_stack_understands_ipv4_with_options")? else {
        return Ok(());
    };
    let plain = Ipv4::new(lab.a.v4, lab.b.v4);
    let options = Ipv4 { options: vec![1; 7], ttl: 3, traffic_class: 0xb8, ..plain.clone() };
    check_understood(&lab, Family::V4, &[Network::V4(plain), Network::V4(options)])
}

#[test]
fn the_stack_understands_ipv6_with_extensions() -> Result<()> {
    let Some(lab) = Lab::or_skip("the_stack_understands_ipv6_with_extensions")? else {
        return Ok(());
    };
    let plain = Ipv6::new(lab.a.v6, lab.b.v6);
    let with = |extensions| Network::V6(Ipv6 { extensions, flow_label: 0x54321, ..plain.clone() });
    let headers = [
        with(vec![]),
        with(vec![Extension::hop_by_hop(), Extension::destination()]),
        with(vec![Extension::routing(), Extension::destination()]),
        with(vec![Extension::hop_by_hop(), Extension::fragment(0, false, 1)]),
    ];
    check_understood(&lab, Family::V6, &headers)
}

#[test]
fn the_stack_joins_fragments() -> Result<()> {
    let Some(lab) = Lab::or_skip("the_stack_joins_fragments")? else {
        return Ok(());
    };
    let whole = Ipv4 { identification: 77, ..Ipv4::new(lab.a.v4, lab.b.v4) };
    let datagram = Transport::udp(4000, 4009, b"odd length!".to_vec());
    let bytes = datagram.encode(&Network::V4(whole.clone()));
    let part = |offset: u16, more_fragments, range: &[u8]| {
        let header = Ipv4 { fragment_offset: offset, more_fragments, ..whole.clone() };
        let share = Transport::Other { protocol: 17, bytes: range.to_vec() };
        lab.a.link_to(&lab.b).frame(&Network::V4(header), &share)
    };
    let frames = [part(1, false, &bytes[8..]), part(0, true, &bytes[..8])];
    let socket = lab.b.enter(|| UdpSocket::bind((lab.b.v4, 4009)))??;
    socket.set_read_timeout(Some(Duration::from_secs(5)))?;
    send_frames(&lab.a.namespace, "veth-a", &frames, 1)?;
    check_datagram(&socket, lab.a.v4.into())
}
