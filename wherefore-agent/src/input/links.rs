//! The kernel's notifications about interfaces. Owns the thread that receives them; refuses to read their
//! content, except which route they are about: the list of interfaces is authoritative, and is read again.

use std::os::fd::{AsRawFd, OwnedFd};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
};

use super::requests::Requester;

/// The groups of notifications (RTMGRP_ numbers of linux/rtnetlink.h).
const LINK_NEWS: u32 = 1;
const ROUTE_NEWS: u32 = 0x40 | 0x400;

/// Wakes a source at each change of an interface and, with `follows_routes`, of a default route; and once at
/// the start, because of earlier changes.
///
/// # Errors
/// If the kernel provides no such socket. Sources then check at the end of each interval.
pub fn listen(requester: Requester, follows_routes: bool) -> Result<()> {
    let groups = if follows_routes { LINK_NEWS | ROUTE_NEWS } else { LINK_NEWS };
    let socket = open(groups).context("cannot receive notifications about interfaces")?;
    let listen = move || {
        requester.links_changed();
        while wait(&socket) {
            requester.links_changed();
        }
    };
    let thread = std::thread::Builder::new().name("links".to_owned());
    thread.spawn(listen).context("cannot start the thread that follows interfaces")?;
    Ok(())
}

fn open(groups: u32) -> nix::Result<OwnedFd> {
    let (family, flags) = (AddressFamily::Netlink, SockFlag::SOCK_CLOEXEC);
    let socket = socket(family, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, groups))?;
    Ok(socket)
}

/// Waits for a notification; returns false if there will be none any more.
fn wait(socket: &OwnedFd) -> bool {
    // A message may be longer; the rest of it is dropped.
    let mut message = [0; 64];
    loop {
        match recv(socket.as_raw_fd(), &mut message, MsgFlags::empty()) {
            // Routers have many routes that change, of which only one or two matter.
            Ok(len @ 1..) if is_other_route(&message[..len]) => {}
            // An overflow of the socket also means that something changed.
            Ok(1..) | Err(Errno::ENOBUFS | Errno::EINTR) => return true,
            Ok(0) => return false,
            Err(error) => {
                tracing::warn!(%error, "cannot receive notifications about interfaces: they are checked once an interval");
                return false;
            }
        }
    }
}

/// Whether the message is about a route for so few addresses that it is no part of a default route. VPNs divide
/// that in two routes for IPv4, or name all public addresses of IPv6 (`2000::/3`).
fn is_other_route(message: &[u8]) -> bool {
    const RTM_NEWROUTE: u16 = 24;
    const RTM_DELROUTE: u16 = 25;
    const KIND: usize = 4;
    const PREFIX_LENGTH: usize = 17;
    let kind = message.get(KIND..KIND + 2).map(|kind| u16::from_ne_bytes([kind[0], kind[1]]));
    matches!(kind, Some(RTM_NEWROUTE | RTM_DELROUTE))
        && message.get(PREFIX_LENGTH).is_some_and(|length| *length > 3)
}
