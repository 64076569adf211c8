//! A listener that keeps the frames a device received: a witness independent of
//! the kernel's counters.
//!
//! Owns receiving AF_PACKET sockets. Refuses frames the device itself sent. It
//! shows what the receiving stack gets, so after GRO if that is on; the
//! kernel takes the outer VLAN tag off beforehand.

use std::os::fd::{AsRawFd, OwnedFd};

use anyhow::{Context, Result};
use nix::errno::Errno;
use nix::sys::socket::sockopt::RcvBufForce;
use nix::sys::socket::{LinkAddr, SockFlag, SockProtocol, recvfrom, setsockopt};

use super::Host;
use super::packets::packet_socket;

/// Room for frames until they are taken; the kernel doubles it for its overhead.
const ROOM: usize = 64 << 20;
/// The longest frame: a GSO/GRO packet and its Ethernet header.
const LONGEST: usize = 65_536 + 64;
/// The packet type of frames that leave through the device.
const OUTGOING: u8 = 4;

/// Collects what a host's device receives, from its opening on.
///
/// It has room for 100,000 short frames between one taking and the next. What
/// exceeds its room is lost without notice, so compare the number of frames with
/// the number sent.
#[derive(Debug)]
pub struct Tap {
    socket: OwnedFd,
}

impl Tap {
    /// Starts to listen.
    pub fn open(host: &Host) -> Result<Self> {
        let open =
            || packet_socket(&host.device, SockFlag::SOCK_NONBLOCK, Some(SockProtocol::EthAll));
        let socket = host.enter(open)??;
        setsockopt(&socket, RcvBufForce, &ROOM).context("making room for frames")?;
        Ok(Self { socket })
    }

    /// Takes the frames received since the last call, in their order, without waiting.
    pub fn take(&self) -> Result<Vec<Vec<u8>>> {
        let (mut frames, mut buffer) = (Vec::new(), vec![0; LONGEST]);
        while let Some((length, origin)) = self.receive(&mut buffer)? {
            if origin.is_none_or(|origin| origin.pkttype() != OUTGOING) {
                frames.push(buffer[..length].to_vec());
            }
        }
        Ok(frames)
    }

    /// Receives one frame and its source, if there is one.
    fn receive(&self, buffer: &mut [u8]) -> Result<Option<(usize, Option<LinkAddr>)>> {
        match recvfrom(self.socket.as_raw_fd(), buffer) {
            Ok(received) => Ok(Some(received)),
            Err(Errno::EAGAIN) => Ok(None),
            Err(error) => Err(error).context("receiving frames"),
        }
    }
}
