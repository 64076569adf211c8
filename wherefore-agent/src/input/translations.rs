//! Connections whose addresses this host translates (NAT), as its connection tracking knows them. Owns the layout
//! of questions and answers (linux/netfilter/nfnetlink_conntrack.h) and how many are remembered; refuses to know
//! owners.
//!
//! A container's packet has the container's address on one interface and the host's on the next. Both are the
//! same connection, which has the addresses of its first packet as it arrived.

use std::fs;

use anyhow::Result;
use nix::sys::socket::SockProtocol;
use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;
use wherefore_common::flow::AddressWords;
use wherefore_common::protocol::{TCP, UDP};

use super::kernel::privileges::with_net_admin;
use super::netlink::{self, Question};
use crate::traffic::group::reversed;

/// The part of the kernel (`NFNL_SUBSYS_CTNETLINK`), and `IPCTNL_MSG_CT_GET`.
const GET: u16 = 1 << 8 | 1;
/// Bytes of `struct nfgenmsg`.
const HEADER: usize = 4;
const AF_INET: u8 = 2;
const AF_INET6: u8 = 10;
/// Marks an attribute that contains others.
const NESTED: u16 = 1 << 15;
/// The most questions at once. Each takes some microseconds.
const MOST_QUESTIONS: usize = 16_384;
/// The most connections of one generation. Two are kept; each connection takes some 300 bytes.
const MOST: usize = 32_768;
/// Whether packets are forwarded, by IP version.
const FORWARDING: [&str; 2] =
    ["/proc/sys/net/ipv4/ip_forward", "/proc/sys/net/ipv6/conf/all/forwarding"];

/// Whether this host forwards packets. Otherwise it translates nothing but its own packets.
pub fn forwards() -> bool {
    let forwards = |path| fs::read(path).is_ok_and(|value| value.first() != Some(&b'0'));
    FORWARDING.into_iter().any(forwards)
}

/// Translated connections of this network namespace: the newest, and older ones that are still in use.
#[derive(Debug, Default)]
pub struct Translations {
    newer: Generation,
    older: Generation,
    /// Whether the log says that connection tracking cannot be read.
    is_failure_logged: bool,
}

/// Connections by the addresses of their packets.
#[derive(Debug, Default)]
struct Generation {
    /// By the addresses of packets after translation.
    after: FxHashMap<FlowKey, Connection>,
    /// Those whose first packets go to a translated address, by the addresses of their answers after translation.
    answers: FxHashMap<FlowKey, Connection>,
}

/// A translated connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Connection {
    /// The packets of the one who began, as they arrive.
    original: FlowKey,
    /// The packets of the other one, as they arrive.
    reply: FlowKey,
}

impl Translations {
    /// Whether no connection is translated.
    pub fn is_empty(&self) -> bool {
        self.newer.after.is_empty() && self.older.after.is_empty()
    }

    /// The key of a connection's packets that is the same on all interfaces: the addresses and ports that the one
    /// who began uses; and whether they are translated. The key is without interface and direction.
    pub fn original(&mut self, tuple: FlowKey) -> (FlowKey, bool) {
        if let Some(connection) = self.find(|generation| generation.after.get(&tuple)) {
            let is_reply = tuple == connection.reply;
            let Connection { original, .. } = connection;
            return (if is_reply { reversed(&original) } else { original }, true);
        }
        let back = reversed(&tuple);
        let find = |generation: &Generation, key| generation.answers.contains_key(key);
        let is_answered = [&self.newer, &self.older]
            .into_iter()
            .any(|generation| find(generation, &tuple) || find(generation, &back));
        (tuple, is_answered)
    }

    /// The same packets as their sender's socket sends them, if they have this key.
    pub fn as_sent(&mut self, tuple: FlowKey) -> FlowKey {
        let answer = self.find(|generation| generation.answers.get(&tuple));
        answer.map_or(tuple, |connection| connection.reply)
    }

    /// Asks for connections whose packets arrive with these keys; those with the most bytes if there are too many.
    /// Returns whether one is translated.
    pub fn ask(&mut self, mut arriving: Vec<(u64, FlowKey)>) -> bool {
        if arriving.is_empty() {
            return false;
        }
        if arriving.len() > MOST_QUESTIONS {
            arriving.select_nth_unstable_by(MOST_QUESTIONS, |one, other| other.cmp(one));
            arriving.truncate(MOST_QUESTIONS);
        }
        match with_net_admin(|| connections(&arriving)) {
            Ok(found) => {
                let is_one = !found.is_empty();
                found.into_iter().for_each(|connection| self.add(connection));
                is_one
            }
            Err(error) => {
                if !std::mem::replace(&mut self.is_failure_logged, true) {
                    tracing::info!(
                        error = format!("{error:#}"),
                        "connections whose addresses this host translates (NAT) have no owner: cannot read connection tracking"
                    );
                }
                false
            }
        }
    }

    fn find(&mut self, get: impl Fn(&Generation) -> Option<&Connection>) -> Option<Connection> {
        if let Some(connection) = get(&self.newer) {
            return Some(*connection);
        }
        // It is in use: so it is kept.
        let connection = *get(&self.older)?;
        self.add(connection);
        Some(connection)
    }

    fn add(&mut self, connection: Connection) {
        if self.newer.after.len() >= 2 * MOST {
            self.older = std::mem::take(&mut self.newer);
        }
        let Connection { original, reply } = connection;
        let Generation { after, answers } = &mut self.newer;
        after.insert(reversed(&reply), connection);
        after.insert(reply, connection);
        if reply.src != original.dst || reply.sport != original.dport {
            answers.insert(reversed(&original), connection);
        }
    }
}

/// The translated ones of connections with these keys.
fn connections(arriving: &[(u64, FlowKey)]) -> Result<Vec<Connection>> {
    let mut kernel = netlink::Connection::open(SockProtocol::NetlinkNetFilter)?;
    let mut found = Vec::new();
    for (_, key) in arriving {
        let body = question(key);
        found.extend(kernel.one(Question { kind: GET, body: &body }, report)?.flatten());
    }
    Ok(found)
}

/// The question for the connection with this key.
fn question(key: &FlowKey) -> Vec<u8> {
    let (family, bytes) = if key.family == 4 { (AF_INET, 4) } else { (AF_INET6, 16) };
    let first = if key.family == 4 { 1 } else { 3 };
    let address =
        |words: AddressWords| words.map(u64::to_ne_bytes).as_flattened()[..bytes].to_vec();
    let addresses = [attribute(first, &address(key.src)), attribute(first + 1, &address(key.dst))];
    let ports = [
        attribute(1, &[key.protocol]),
        attribute(2, &key.sport.to_be_bytes()),
        attribute(3, &key.dport.to_be_bytes()),
    ];
    let nested = |kind, parts: &[Vec<u8>]| attribute(kind | NESTED, &parts.concat());
    let tuple = nested(1, &[nested(1, &addresses), nested(2, &ports)]);
    [vec![family, 0, 0, 0], tuple].concat()
}

fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
    let mut bytes = (4 + value.len() as u16).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(value);
    bytes.resize(bytes.len().next_multiple_of(4), 0);
    bytes
}

/// Reads an answer; the connection only if it is translated, and has ports.
fn report(body: &[u8]) -> Option<Option<Connection>> {
    let (mut original, mut reply) = (None, None);
    for (kind, value) in netlink::attributes(body.get(HEADER..)?) {
        match kind {
            1 => original = tuple(value),
            2 => reply = tuple(value),
            _ => {}
        }
    }
    let connection = original.zip(reply).map(|(original, reply)| Connection { original, reply });
    Some(connection.filter(|connection| reversed(&connection.reply) != connection.original))
}

/// Reads addresses, protocol and ports.
fn tuple(bytes: &[u8]) -> Option<FlowKey> {
    let mut key = FlowKey::default();
    for (kind, value) in netlink::attributes(bytes) {
        match kind {
            1 => {
                for (kind, address) in netlink::attributes(value) {
                    match kind {
                        1 | 3 => (key.family, key.src) = words(address)?,
                        2 | 4 => (key.family, key.dst) = words(address)?,
                        _ => {}
                    }
                }
            }
            2 => {
                for (kind, value) in netlink::attributes(value) {
                    let port = || Some(u16::from_be_bytes(value.try_into().ok()?));
                    match kind {
                        1 => key.protocol = *value.first()?,
                        2 => key.sport = port()?,
                        3 => key.dport = port()?,
                        _ => {}
                    }
                }
            }
            _ => {}
        }
    }
    Some(key).filter(|key| key.family != 0 && matches!(key.protocol, TCP | UDP))
}

/// The family and the words of an address.
fn words(bytes: &[u8]) -> Option<(u8, AddressWords)> {
    let family = match bytes.len() {
        4 => 4,
        16 => 6,
        _ => return None,
    };
    let mut all = [0; 16];
    all[..bytes.len()].copy_from_slice(bytes);
    let [first, second] =
        [0, 8].map(|at| u64::from_ne_bytes(std::array::from_fn(|byte| all[at + byte])));
    Some((family, [first, second]))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A tuple of IPv4 and TCP as the kernel writes it.
    fn written(kind: u16, src: ([u8; 4], u16), dst: ([u8; 4], u16)) -> Vec<u8> {
        // A question has the same layout.
        let mut tuple = question(&key(src, dst)).split_off(HEADER);
        tuple[2..4].copy_from_slice(&(kind | NESTED).to_ne_bytes());
        tuple
    }

    fn key(src: ([u8; 4], u16), dst: ([u8; 4], u16)) -> FlowKey {
        let [(family, from), (_, to)] = [src.0, dst.0].map(|bytes| words(&bytes).unwrap());
        FlowKey {
            src: from,
            dst: to,
            sport: src.1,
            dport: dst.1,
            protocol: TCP,
            family,
            ..FlowKey::default()
        }
    }

    const INSIDE: ([u8; 4], u16) = ([172, 17, 0, 2], 80);
    const HOST: ([u8; 4], u16) = ([192, 0, 2, 1], 8080);
    const PEER: ([u8; 4], u16) = ([198, 51, 100, 7], 443);

    fn heard(original: Vec<u8>, reply: Vec<u8>) -> Option<Option<Connection>> {
        report(&[vec![2, 0, 0, 0], original, reply].concat())
    }

    #[test]
    fn a_connection_is_the_same_on_both_sides() {
        let mut known = Translations::default();
        // A container connects under the host's address.
        let masqueraded = heard(written(1, INSIDE, PEER), written(2, PEER, HOST));
        known.add(masqueraded.flatten().expect("translated"));
        let (there, back) = (key(INSIDE, PEER), key(PEER, INSIDE));
        assert_eq!(known.original(key(HOST, PEER)), (there, true));
        assert_eq!(known.original(key(PEER, HOST)), (back, true));
        assert_eq!([there, back].map(|key| known.original(key).0), [there, back]);
        assert_eq!(known.as_sent(there), there);
        // A port of the host leads to a container.
        let mut known = Translations::default();
        let published = heard(written(1, PEER, HOST), written(2, INSIDE, PEER));
        known.add(published.flatten().expect("translated"));
        let (there, back) = (key(PEER, HOST), key(HOST, PEER));
        assert_eq!([there, key(PEER, INSIDE)].map(|key| known.original(key)), [(there, true); 2]);
        assert_eq!([back, key(INSIDE, PEER)].map(|key| known.original(key)), [(back, true); 2]);
        assert_eq!(known.as_sent(back), key(INSIDE, PEER));
    }

    #[test]
    fn only_translated_connections_are_kept() {
        assert_eq!(heard(written(1, INSIDE, PEER), written(2, PEER, INSIDE)), Some(None));
        assert_eq!(heard(written(1, INSIDE, PEER), Vec::new()), Some(None));
        assert_eq!(report(&[2, 0]), None);
    }

    #[test]
    fn no_report_makes_it_panic() {
        let whole = [vec![2, 0, 0, 0], written(1, INSIDE, PEER), written(2, PEER, HOST)].concat();
        for len in 0..whole.len() {
            let _ = report(&whole[..len]);
            for byte in [0, 1, 3, 5, 255] {
                let mut damaged = whole.clone();
                damaged[len] = byte;
                let _ = report(&damaged);
            }
        }
    }

    #[test]
    fn connections_in_use_outlive_others() {
        let connection = |port| {
            let (inside, host) = ((INSIDE.0, port), (HOST.0, port));
            Connection { original: key(inside, PEER), reply: key(PEER, host) }
        };
        let mut known = Translations::default();
        for port in 0..4 {
            known.add(connection(port));
        }
        for number in 0..5 * MOST as u32 {
            let peer = (number.to_be_bytes(), 443);
            known.add(Connection { original: key(INSIDE, peer), reply: key(peer, HOST) });
            assert_eq!(known.original(key((HOST.0, 0), PEER)).0, key((INSIDE.0, 0), PEER));
        }
        let forgotten = key((HOST.0, 1), PEER);
        assert_eq!(known.original(forgotten), (forgotten, false));
        assert!(known.newer.after.len() + known.older.after.len() <= 4 * MOST + 4);
    }
}
