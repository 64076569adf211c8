//! Joins flows into conversations: flows with the same addresses, protocol and ports, on any interface and in
//! any direction, are the same packets; the reverse flow is their reply. Owns this join.
//!
//! A packet passes a container's interface, a bridge and an uplink, and only one of these may know its
//! socket. So the owner of one flow applies to its whole conversation. If this host translates addresses on the way,
//! the addresses of the one who began identify it.

use wherefore_common::FlowKey;
use wherefore_common::protocol::{TCP, UDP};

use super::local::Local;
pub(super) use crate::input::kernel::NO_ROOM;
use crate::input::translations::Translations;
use crate::traffic::flows::Flows;
use crate::traffic::group::reversed;
use crate::traffic::hash_index::{HashIndex, Hashed};

/// The conversations of an interval.
pub(super) struct Conversations {
    all: Vec<Conversation>,
    /// The index of each flow's conversation.
    of_flows: Vec<u32>,
    places: HashIndex,
}

/// One direction of a conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Conversation {
    /// Addresses, protocol and ports.
    pub(super) tuple: FlowKey,
    /// Whether this host translates its addresses (NAT).
    pub(super) is_translated: bool,
    /// The socket that sends it; 0 if no flow has one.
    pub(super) socket: u32,
    /// Whether its flows have different sockets: hosts behind different interfaces may have the same address.
    pub(super) is_ambiguous: bool,
    /// Whether the kernel had no space to record the socket of a flow.
    pub(super) is_without_room: bool,
    /// Bytes at the interface that saw most of them.
    pub(super) bytes: u64,
}

impl Conversations {
    /// Joins flows with their sockets; 0 stands for a missing socket.
    pub(super) fn of(flows: &Flows, sockets: &[u32], translations: &mut Translations) -> Self {
        let has_translations = !translations.is_empty();
        let mut found = Self {
            all: Vec::new(),
            of_flows: Vec::with_capacity(flows.len()),
            places: HashIndex::default(),
        };
        for at in 0..flows.len() {
            let tuple = tuple(&flows.key(at));
            let (tuple, is_translated) =
                if has_translations { translations.original(tuple) } else { (tuple, false) };
            let number = found.number(tuple);
            let socket = sockets.get(at).copied().unwrap_or(0);
            found.all[number].add(socket, flows.bytes(at));
            found.all[number].is_translated |= is_translated;
            found.of_flows.push(number as u32);
        }
        found
    }

    fn number(&mut self, tuple: FlowKey) -> usize {
        let hashed = Hashed::of(&tuple);
        let Self { all, places, .. } = self;
        if let Some(number) = places.find(hashed, |at| all[at].tuple == tuple) {
            return number;
        }
        let number = all.len();
        places.insert(hashed, number, |at| Hashed::of(&all[at].tuple));
        all.push(Conversation::new(tuple));
        number
    }

    /// The conversations with this host whose socket here is not known and which it may translate, by the packets
    /// that arrive, with their bytes.
    pub(super) fn arriving_unknown(&self, local: &Local) -> Vec<(u64, FlowKey)> {
        let mut unknown = Vec::new();
        for (number, conversation) in self.all.iter().enumerate() {
            let Conversation { tuple, is_translated, socket, bytes, .. } = *conversation;
            if is_translated || !matches!(tuple.protocol, TCP | UDP) {
                continue;
            }
            match local.has_ends(&tuple) {
                [true, false] if socket == 0 => unknown.push((bytes, reversed(&tuple))),
                // Otherwise its reply is among the others.
                [false, true] if self.answer(number).is_none() => unknown.push((bytes, tuple)),
                _ => {}
            }
        }
        unknown
    }

    /// Gives conversations without a socket the ones that `find` knows.
    pub(super) fn complete(&mut self, mut find: impl FnMut(&Conversation) -> u32) {
        for conversation in self.all.iter_mut().filter(|one| one.socket == 0) {
            conversation.socket = find(conversation);
        }
    }

    /// All conversations.
    pub(super) fn all(&self) -> &[Conversation] {
        &self.all
    }

    /// The index of a flow's conversation.
    pub(super) fn of_flow(&self, at: usize) -> usize {
        self.of_flows[at] as usize
    }

    /// The index of the reply conversation.
    pub(super) fn answer(&self, number: usize) -> Option<usize> {
        let tuple = reversed(&self.all[number].tuple);
        self.places.find(Hashed::of(&tuple), |at| self.all[at].tuple == tuple)
    }
}

impl Conversation {
    fn new(tuple: FlowKey) -> Self {
        let (is_translated, is_ambiguous, is_without_room) = Default::default();
        Self { tuple, is_translated, socket: 0, is_ambiguous, is_without_room, bytes: 0 }
    }

    fn add(&mut self, socket: u32, bytes: u64) {
        self.bytes = self.bytes.max(bytes);
        match socket {
            0 => {}
            NO_ROOM => self.is_without_room = true,
            _ if self.socket == 0 => self.socket = socket,
            _ => self.is_ambiguous |= self.socket != socket,
        }
    }
}

/// The key of a flow without its interface.
fn tuple(flow: &FlowKey) -> FlowKey {
    FlowKey { ifindex: 0, direction: 0, ..*flow }
}

#[cfg(test)]
mod tests {
    use wherefore_common::Counters;

    use super::*;

    #[test]
    fn an_owner_holds_for_all_flows_of_a_conversation() {
        let flow = |ifindex, direction, bytes| {
            let key = FlowKey {
                src: [1, 0],
                dst: [2, 0],
                ifindex,
                direction,
                sport: 9,
                family: 4,
                ..FlowKey::default()
            };
            (key, Counters { bytes, packets: 1, device_packets: 1, ..Counters::default() })
        };
        let there = [flow(3, 1, 90), flow(4, 2, 100), flow(5, 2, 80)];
        let back = there.map(|(key, counters)| (reversed(&key), counters));
        let mut none = Translations::default();
        let flows: Flows = there.into_iter().chain(back).collect();
        let found = Conversations::of(&flows, &[7, 0, NO_ROOM, 0, 8, 9], &mut none);
        let [there, back] = found.all() else { panic!("two conversations") };
        assert_eq!((there.socket, there.bytes, there.is_ambiguous), (7, 100, false));
        assert!(there.is_without_room);
        assert!(back.is_ambiguous);
        assert_eq!((found.answer(0), found.answer(1)), (Some(1), Some(0)));
        assert_eq!((found.of_flow(2), found.of_flow(3)), (0, 1));
    }
}
