//! The alerts that the view keeps: the last messages, and which incidents are open. Owns their number;
//! refuses to word them.

use std::collections::VecDeque;
use std::net::IpAddr;

use super::subject::Subject;
use crate::detect::finding::{Kind, Status};
use crate::message::alert::Alert;

/// The most messages that are kept.
const MOST: usize = 200;

/// The last messages.
#[derive(Debug, Clone, Default)]
pub struct Incidents {
    /// The newest first; only the last message of each incident.
    messages: VecDeque<Alert>,
}

impl Incidents {
    pub(super) fn add(&mut self, alert: Alert) {
        self.messages.retain(|known| known.key != alert.key || known.status == Status::Resolved);
        self.messages.push_front(alert);
        self.messages.truncate(MOST);
    }

    /// All messages, the newest first.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Alert> {
        self.messages.iter()
    }

    /// The number of messages.
    pub fn len(&self) -> usize {
        self.messages.len()
    }

    /// Whether there is no message.
    pub fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    /// The message at this position.
    pub fn get(&self, at: usize) -> Option<&Alert> {
        self.messages.get(at)
    }

    /// Incidents that are not over.
    pub fn open(&self) -> impl Iterator<Item = &Alert> {
        self.iter().filter(|alert| alert.status != Status::Resolved)
    }

    /// The messages about a subject.
    pub fn about<'a>(
        &'a self,
        subject: &'a Subject,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Alert> {
        self.iter().filter(move |alert| is_about(alert, subject, name))
    }
}

/// Whether an alert is about the subject of a row; `name` is the row's.
fn is_about(alert: &Alert, subject: &Subject, name: &str) -> bool {
    let ends = [&alert.src, &alert.dst].map(|end| address(end));
    match subject {
        _ if alert.kind == Kind::Digest => false,
        Subject::Pair(here, peer) => {
            let has = |address: &IpAddr| ends.contains(&Some(*address));
            // An alert that names one address is about all pairs of this address.
            let named = ends.iter().flatten().count();
            named > 0 && (has(here) as usize + has(peer) as usize) == named
        }
        Subject::Peer(peer) => ends.contains(&Some(*peer)),
        Subject::Interface(_) => alert.interface == name,
        _ => false,
    }
}

/// The address in `192.0.2.1`, `192.0.2.1:443` or `[2001:db8::1]:443`.
fn address(end: &str) -> Option<IpAddr> {
    let of_socket = || end.parse().ok().map(|socket: std::net::SocketAddr| socket.ip());
    end.parse().ok().or_else(of_socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_of_alerts_are_addresses() {
        assert_eq!(address("192.0.2.1"), "192.0.2.1".parse().ok());
        assert_eq!(address("[2001:db8::1]:443"), "2001:db8::1".parse().ok());
        assert_eq!(address("192.0.2.1:443"), "192.0.2.1".parse().ok());
        assert_eq!([address("*"), address("192.0.2.0/24")], [None, None]);
    }
}
