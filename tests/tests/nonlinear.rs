//! Tests frames whose IP header is not in the linear part of the skb. A packet socket with a virtio header
//! can make them: the header sets how many bytes are linear, at least 14.
#![allow(unsafe_code, reason = "PACKET_VNET_HDR has no safe wrapper")]

use std::io::IoSlice;
use std::os::fd::{AsRawFd, OwnedFd};

use anyhow::{Context, Result, ensure};
use aya::programs::TcAttachType;
use nix::sys::socket::{
    AddressFamily, LinkAddr, MsgFlags, SockFlag, SockProtocol, SockType, bind, sendmsg, socket,
};
use wherefore_common::abi::program;
use wherefore_common::{Direction, FlowKey, flow::address_words};
use wherefore_tests::kernel::{Kernel, key_bytes};
use wherefore_tests::lab::frames::{Extension, Ipv6, Network, Transport};
use wherefore_tests::lab::{Family, Host, Lab};

/// The kernel makes smaller frames linear in any case.
const PAYLOAD: usize = 5000;

#[test]
fn headers_beyond_the_linear_part_are_read_all_the_same() -> Result<()> {
    let Some(lab) = Lab::or_skip("headers_beyond_the_linear_part")? else { return Ok(()) };
    for host in [&lab.a, &lab.b] {
        let line = format!("link set {} mtu 9000", host.device);
        host.namespace.ip_batch(&line)?;
    }
    let transport = Transport::Udp { source: 7000, target: 7001, payload: vec![0; PAYLOAD] };
    let v4 = Network::between(lab.a.address(Family::V4), lab.b.address(Family::V4));
    check(&lab, &v4, &transport, Family::V4, 28)?;
    let v6 = Ipv6 {
        extensions: vec![Extension::hop_by_hop(), Extension::destination()],
        ..Ipv6::new(lab.a.v6, lab.b.v6)
    };
    check(&lab, &Network::V6(v6), &transport, Family::V6, 40 + 16 + 8)
}

/// Sends such a frame from a to b and compares the counts of b's ingress and a's egress.
fn check(
    lab: &Lab,
    network: &Network,
    transport: &Transport,
    family: Family,
    headers: usize,
) -> Result<()> {
    let frame = lab.a.link_to(&lab.b).to_nobody().frame(network, transport);
    let mut egress = attach(&lab.a, Direction::Egress)?;
    let mut ingress = attach(&lab.b, Direction::Ingress)?;
    lab.a.enter(|| send_paged(&lab.a.device, &frame))??;
    lab.wait_quiet()?;
    for (kernel, host, direction) in
        [(&mut egress, &lab.a, Direction::Egress), (&mut ingress, &lab.b, Direction::Ingress)]
    {
        let flows = kernel.take()?.flows;
        let bytes = (headers + PAYLOAD) as u64;
        let expected = (1, bytes, bytes + 14, 0);
        let key = key_bytes(&key(lab, host, family, direction)?);
        assert_eq!(flows.get(&key), Some(&expected), "{family:?} {direction:?}: {flows:?}");
    }
    Ok(())
}

fn attach(host: &Host, direction: Direction) -> Result<Kernel> {
    let (name, at) = match direction {
        Direction::Egress => (program::TC_EGRESS, TcAttachType::Egress),
        _ => (program::TC_INGRESS, TcAttachType::Ingress),
    };
    let mut kernel = Kernel::load(direction, 64)?;
    host.enter(|| kernel.classifier(name)?.attach(&host.device, at).context("attaching"))??;
    Ok(kernel)
}

fn key(lab: &Lab, host: &Host, family: Family, direction: Direction) -> Result<FlowKey> {
    let (number, src) = address_words(lab.a.address(family));
    let (_, dst) = address_words(lab.b.address(family));
    let ifindex = host.enter(|| nix::net::if_::if_nametoindex(host.device.as_str()))??;
    Ok(FlowKey {
        src,
        dst,
        ifindex,
        sport: 7000,
        dport: 7001,
        protocol: 17,
        family: number,
        direction: direction as u8,
        reserved: 0,
        reserved_word: 0,
    })
}

/// `struct virtio_net_hdr` without offloads; `hdr_len` (at 2) sets how many bytes are linear.
const VIRTIO_HEADER: [u8; 10] = [0, 0, 14, 0, 0, 0, 0, 0, 0, 0];

fn send_paged(device: &str, frame: &[u8]) -> Result<()> {
    let socket =
        socket(AddressFamily::Packet, SockType::Raw, SockFlag::SOCK_CLOEXEC, SockProtocol::EthAll)?;
    with_virtio_header(&socket)?;
    bind(socket.as_raw_fd(), &link_address(device)?)?;
    let parts = [IoSlice::new(&VIRTIO_HEADER), IoSlice::new(frame)];
    let sent = sendmsg::<()>(socket.as_raw_fd(), &parts, &[], MsgFlags::empty(), None)?;
    ensure!(sent == VIRTIO_HEADER.len() + frame.len(), "only {sent} bytes were sent");
    Ok(())
}

fn with_virtio_header(socket: &OwnedFd) -> Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: the option takes an int, and its address and size are given.
    let failed = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            libc::PACKET_VNET_HDR,
            std::ptr::from_ref(&on).cast(),
            size_of_val(&on) as libc::socklen_t,
        )
    };
    ensure!(failed == 0, "PACKET_VNET_HDR: {}", std::io::Error::last_os_error());
    Ok(())
}

fn link_address(device: &str) -> Result<LinkAddr> {
    let found = nix::ifaddrs::getifaddrs()?
        .filter(|entry| entry.interface_name == device)
        .find_map(|entry| entry.address?.as_link_addr().copied());
    found.with_context(|| format!("no device {device}"))
}
