//! News of interfaces from the kernel. Owns the thread that listens; refuses to read what the news
//! says: the list of interfaces is the truth, and is looked at again.

use std::os::fd::{AsRawFd, OwnedFd};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, socket,
};

use super::requests::Requester;

/// The group of news about links (RTMGRP_LINK of linux/rtnetlink.h).
const LINK_NEWS: u32 = 1;

/// Wakes a source at each change, and once at the start for what changed before.
///
/// # Errors
/// Where the kernel gives no such socket; sources look at the end of each interval all the same.
pub fn listen(requester: Requester) -> Result<()> {
    let socket = open().context("cannot listen to news of interfaces")?;
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

fn open() -> nix::Result<OwnedFd> {
    let (family, flags) = (AddressFamily::Netlink, SockFlag::SOCK_CLOEXEC);
    let socket = socket(family, SockType::Raw, flags, SockProtocol::NetlinkRoute)?;
    bind(socket.as_raw_fd(), &NetlinkAddr::new(0, LINK_NEWS))?;
    Ok(socket)
}

/// Waits for news; false where there will be none any more.
fn wait(socket: &OwnedFd) -> bool {
    // A message may be longer: the rest of it is dropped, unread.
    let mut message = [0; 64];
    match recv(socket.as_raw_fd(), &mut message, MsgFlags::empty()) {
        // More news than the socket holds are news.
        Ok(1..) | Err(Errno::ENOBUFS | Errno::EINTR) => true,
        Ok(0) => false,
        Err(error) => {
            tracing::warn!(%error, "interfaces are looked at once each interval only");
            false
        }
    }
}
