//! The TCP and UDP sockets of this network namespace (`sock_diag`). Owns the layout of requests and answers
//! (linux/inet_diag.h); refuses to know the owners of sockets.

use anyhow::{Context, Result};
use nix::sys::socket::SockProtocol;
use wherefore_common::FlowKey;
use wherefore_common::flow::AddressWords;

use super::netlink::{self, Question, u32_at, u64_at};

const SOCK_DIAG_BY_FAMILY: u16 = 20;
/// Bytes of `struct inet_diag_req_v2`.
const REQUEST: usize = 56;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// IP protocol numbers of the listed sockets.
const PROTOCOLS: [u8; 2] = [6, 17];
/// The first 96 bits of an IPv4 address in IPv6.
const MAPPED: [u8; 12] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff];

/// A socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Socket {
    /// The flow of the packets that it sends; zeros for what is not bound or not connected.
    pub flow: FlowKey,
    /// Its number, unique while the host runs.
    pub cookie: u64,
    /// The number of its inode; 0 if no process has it open.
    pub inode: u32,
    /// The number of its user.
    pub uid: u32,
}

/// Lists all sockets.
///
/// # Errors
/// If the kernel does not answer.
pub fn list() -> Result<Vec<Socket>> {
    let mut sockets = Vec::new();
    for family in [AF_INET, AF_INET6] {
        for protocol in PROTOCOLS {
            let mut body = [0; REQUEST];
            // Sockets in all states.
            body[..8].copy_from_slice(&[family, protocol, 0, 0, 255, 255, 255, 255]);
            let question = Question { kind: SOCK_DIAG_BY_FAMILY, body: &body };
            let read = |answer: &[u8]| read(answer, protocol);
            let found = netlink::list_of(SockProtocol::NetlinkSockDiag, question, read);
            sockets.extend(found.context("cannot list sockets (sock_diag)")?);
        }
    }
    Ok(sockets)
}

/// Reads a `struct inet_diag_msg`.
fn read(answer: &[u8], protocol: u8) -> Option<Socket> {
    let port = |at: usize| Some(u16::from_be_bytes(answer.get(at..at + 2)?.try_into().ok()?));
    let is_v6 = *answer.first()? == AF_INET6;
    let (src, dst) = (answer.get(8..24)?, answer.get(24..40)?);
    // An IPv6 socket that uses IPv4 sends IPv4 packets.
    let is_mapped = is_v6 && src.starts_with(&MAPPED) | dst.starts_with(&MAPPED);
    let words = |bytes: &[u8]| match (is_v6, is_mapped) {
        (false, _) => address(&bytes[..4]),
        (true, true) => address(&bytes[12..]),
        (true, false) => address(bytes),
    };
    let flow = FlowKey {
        src: words(src),
        dst: words(dst),
        sport: port(4)?,
        dport: port(6)?,
        protocol,
        family: if is_v6 && !is_mapped { 6 } else { 4 },
        ..FlowKey::default()
    };
    let (cookie, uid, inode) = (u64_at(answer, 44)?, u32_at(answer, 64)?, u32_at(answer, 68)?);
    Some(Socket { flow, cookie, inode, uid })
}

fn address(bytes: &[u8]) -> AddressWords {
    let mut words = [0; 2];
    for (word, chunk) in words.iter_mut().zip(bytes.chunks(8)) {
        let mut whole = [0; 8];
        whole[..chunk.len()].copy_from_slice(chunk);
        *word = u64::from_ne_bytes(whole);
    }
    words
}

#[cfg(test)]
mod tests {
    use std::net::{TcpListener, TcpStream, UdpSocket};

    use super::*;

    #[test]
    fn sockets_are_found_by_what_they_send() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a listener");
        let at = listener.local_addr().expect("an address");
        let stream = TcpStream::connect(at).expect("a connection");
        let udp = UdpSocket::bind("[::1]:0").expect("a socket");
        let (mine, udp) = (stream.local_addr().expect("bound"), udp.local_addr().expect("bound"));
        let sockets = list().expect("sock_diag");
        let is_mine = |socket: &&Socket| {
            let FlowKey { sport, dport, protocol, .. } = socket.flow;
            (sport, dport, protocol) == (mine.port(), at.port(), 6)
        };
        let found = sockets.iter().find(is_mine).expect("it is listed");
        assert_eq!((found.flow.src_ip(), found.flow.dst_ip()), (mine.ip(), at.ip()));
        assert!(found.inode != 0 && found.cookie != 0);
        let is_udp =
            |socket: &&Socket| (socket.flow.sport, socket.flow.protocol) == (udp.port(), 17);
        let found = sockets.iter().find(is_udp).expect("it is listed");
        assert_eq!(found.flow.src_ip(), udp.ip());
    }

    #[test]
    fn no_answer_makes_it_panic() {
        for len in 0..80 {
            for first in [2, 10] {
                let mut answer = vec![0xff; len];
                answer.iter_mut().take(1).for_each(|byte| *byte = first);
                let _ = read(&answer, 6);
            }
        }
    }
}
