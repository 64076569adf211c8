//! The kernel's list of current sockets, searchable by the packets that they send or receive. Owns the rules
//! by which a packet matches a socket that is bound, but not connected.

use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;

use crate::input::sockets::{self, Socket};
use crate::traffic::group::reversed;
use crate::traffic::who::Unattributed;

/// Sockets of this network namespace.
#[derive(Debug, Default)]
pub(super) struct Listed {
    connected: FxHashMap<FlowKey, Socket>,
    /// Sockets by source: without the destination, and without the address if the socket is bound to none.
    bound: FxHashMap<FlowKey, Vec<Socket>>,
}

impl Listed {
    /// Lists all current sockets.
    ///
    /// # Errors
    /// If the kernel does not list them.
    pub(super) fn read() -> anyhow::Result<Self> {
        Ok(Self::of(sockets::list()?))
    }

    fn of(sockets: Vec<Socket>) -> Self {
        let mut listed = Self::default();
        for socket in sockets {
            let flow = socket.flow;
            if flow.dport != 0 {
                listed.connected.insert(flow, socket);
            } else {
                listed.bound.entry(flow).or_default().push(socket);
            }
        }
        listed
    }

    /// Finds the socket that sends packets with this key, if there is one.
    ///
    /// # Errors
    /// If there are several.
    pub(super) fn sender(&self, tuple: &FlowKey) -> Result<Option<Socket>, Unattributed> {
        if let Some(socket) = self.connected.get(tuple) {
            return Ok(Some(*socket));
        }
        let bound = FlowKey { dst: [0; 2], dport: 0, ..*tuple };
        let anywhere = FlowKey { src: [0; 2], ..bound };
        // An IPv6 socket that is bound to no address also receives IPv4.
        let dual = FlowKey { family: 6, ..anywhere };
        for key in [bound, anywhere, dual] {
            match self.bound.get(&key).map(Vec::as_slice) {
                None | Some([]) => {}
                Some([socket]) => return Ok(Some(*socket)),
                Some(_) => return Err(Unattributed::Ambiguous),
            }
        }
        Ok(None)
    }

    /// Finds the socket that receives packets with this key; see [`Self::sender`].
    ///
    /// # Errors
    /// If there are several.
    pub(super) fn receiver(&self, tuple: &FlowKey) -> Result<Option<Socket>, Unattributed> {
        self.sender(&reversed(tuple))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn socket(src: u64, sport: u16, dport: u16, cookie: u64) -> Socket {
        let dst = if dport == 0 { [0; 2] } else { [9, 0] };
        let flow = FlowKey {
            src: [src, 0],
            dst,
            sport,
            dport,
            protocol: 17,
            family: 4,
            ..FlowKey::default()
        };
        Socket { flow, cookie, inode: 1, uid: 0 }
    }

    #[test]
    fn the_socket_that_fits_best_is_taken_and_none_of_several() {
        let mut any6 = socket(0, 53, 0, 4);
        any6.flow.family = 6;
        let sockets = vec![
            socket(1, 7, 99, 1),
            socket(1, 7, 0, 2),
            socket(0, 7, 0, 3),
            any6,
            socket(0, 80, 0, 5),
            socket(0, 80, 0, 6),
        ];
        let listed = Listed::of(sockets);
        let cookie = |src, sport, dport| {
            let tuple = FlowKey { dst: [9, 0], dport, ..socket(src, sport, 1, 0).flow };
            listed.sender(&tuple).map(|socket| socket.map(|socket| socket.cookie))
        };
        assert_eq!(cookie(1, 7, 99), Ok(Some(1)));
        assert_eq!(cookie(1, 7, 98), Ok(Some(2)));
        assert_eq!(cookie(2, 7, 98), Ok(Some(3)));
        assert_eq!(cookie(2, 53, 98), Ok(Some(4)));
        assert_eq!(cookie(2, 80, 98), Err(Unattributed::Ambiguous));
        assert_eq!(cookie(2, 81, 98), Ok(None));
    }
}
