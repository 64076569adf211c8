//! Requests to the kernel about its network (rtnetlink). Owns the socket and the framing of answers; refuses
//! to know the meaning of their attributes.
//!
//! Unlike files in `/sys` and `/proc`, a socket always belongs to the network namespace that the thread was
//! in when it made the socket.

use std::cell::RefCell;
use std::os::fd::{AsRawFd, OwnedFd};

use anyhow::{Context, Result, bail};
use netlink_packet_core::{
    NLM_F_ACK, NLM_F_DUMP, NLM_F_DUMP_INTR, NLM_F_ECHO, NLM_F_REQUEST, NLMSG_DONE, NLMSG_ERROR,
    NetlinkBuffer, NlasIterator,
};
use nix::errno::Errno;
use nix::sys::socket::{
    AddressFamily, MsgFlags, NetlinkAddr, SockFlag, SockProtocol, SockType, bind, recv, send,
    setsockopt, socket, sockopt,
};
use nix::sys::time::TimeVal;

use crate::descriptors;

/// The kernel fills at most 32 KiB at once.
const ROOM: usize = 64 << 10;
/// How often a list is requested again because it changed while the kernel wrote it.
const ATTEMPTS: u32 = 5;
const HEADER: usize = 16;

thread_local! {
    /// Kept open, so that requests need no file descriptor when all others are in use.
    static SOCKET: RefCell<Option<Socket>> = const { RefCell::new(None) };
}

/// A request: the message type and the part after the header.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    /// An `RTM_GET` number (linux/rtnetlink.h).
    pub kind: u16,
    /// The family's header and attributes.
    pub body: &'a [u8],
}

/// The answers to a request for a list, each parsed by `read`.
///
/// # Errors
/// If the kernel provides no socket, or refuses the request.
pub(super) fn list<T>(
    question: Question<'_>,
    mut read: impl FnMut(&[u8]) -> Option<T>,
) -> Result<Vec<T>> {
    for attempt in 1.. {
        let mut found = Vec::new();
        let is_whole = ask(question, NLM_F_DUMP, |body| found.extend(read(body)))?;
        // If the list keeps changing, use the last answer.
        if is_whole || attempt == ATTEMPTS {
            return Ok(found);
        }
    }
    Ok(Vec::new())
}

/// The same as [`list`], from another part of the kernel than the one that knows interfaces.
///
/// # Errors
/// The same as [`list`].
pub(super) fn list_of<T>(
    protocol: SockProtocol,
    question: Question<'_>,
    mut read: impl FnMut(&[u8]) -> Option<T>,
) -> Result<Vec<T>> {
    let mut socket = descriptors::with_reserve(|| Socket::open(protocol))?;
    let mut found = Vec::new();
    socket.ask(question, NLM_F_DUMP, |body| found.extend(read(body)))?;
    Ok(found)
}

/// The answer to a request for one object; `None` if it does not exist.
///
/// # Errors
/// As [`list`].
pub(super) fn one<T>(
    question: Question<'_>,
    mut read: impl FnMut(&[u8]) -> Option<T>,
) -> Result<Option<T>> {
    let mut found = None;
    // For a qdisc, the kernel answers only with the second flag. Without the first one, it does not answer if
    // there is no qdisc.
    match ask(question, NLM_F_ACK | NLM_F_ECHO, |body| found = read(body)) {
        Ok(_) => Ok(found),
        Err(error) if error.downcast_ref() == Some(&Errno::ENODEV) => Ok(None),
        Err(error) => Err(error),
    }
}

/// A connection to another part of the kernel than the one that knows interfaces, for many questions.
pub(super) struct Connection(Socket);

impl Connection {
    /// Opens it.
    ///
    /// # Errors
    /// If the kernel provides no socket.
    pub(super) fn open(protocol: SockProtocol) -> Result<Self> {
        Ok(Self(descriptors::with_reserve(|| Socket::open(protocol))?))
    }

    /// The same as [`one`].
    ///
    /// # Errors
    /// The same as [`list`]. No further question can be asked then.
    pub(super) fn one<T>(
        &mut self,
        question: Question<'_>,
        mut read: impl FnMut(&[u8]) -> Option<T>,
    ) -> Result<Option<T>> {
        let mut found = None;
        match self.0.ask(question, NLM_F_ACK, |body| found = read(body)) {
            Ok(_) => Ok(found),
            Err(error) if error.downcast_ref() == Some(&Errno::ENOENT) => Ok(None),
            Err(error) => Err(error),
        }
    }
}

/// The attributes in this part of a message, as far as they are well formed.
pub(super) fn attributes(bytes: &[u8]) -> impl Iterator<Item = (u16, &[u8])> {
    NlasIterator::new(bytes).map_while(|attribute| {
        let attribute = attribute.ok()?;
        let value = attribute.into_inner().get(4..usize::from(attribute.length()))?;
        Some((attribute.kind(), value))
    })
}

/// A number at this offset, if the message is that long.
pub(super) fn u32_at(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// A number at this offset, if the message is that long.
pub(super) fn u64_at(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

/// Sends a request, and returns whether the answer is consistent.
fn ask(question: Question<'_>, flags: u16, answer: impl FnMut(&[u8])) -> Result<bool> {
    SOCKET.with_borrow_mut(|kept| {
        // After an error the rest of an answer may still be on its way: the next question gets a
        // new socket.
        let open = || descriptors::with_reserve(|| Socket::open(SockProtocol::NetlinkRoute));
        let mut socket = kept.take().map_or_else(open, Ok)?;
        let is_whole = socket.ask(question, flags, answer)?;
        *kept = Some(socket);
        Ok(is_whole)
    })
}

struct Socket {
    descriptor: OwnedFd,
    /// The number of the last question.
    sequence: u32,
    room: Vec<u8>,
}

/// What a message implies for those that follow.
enum Continuation {
    Follows,
    /// There is none.
    End,
}

impl Socket {
    fn open(protocol: SockProtocol) -> Result<Self> {
        // The kernel answers at once; whatever happens, nothing waits for it forever.
        const PATIENCE: i64 = 5;
        let (family, flags) = (AddressFamily::Netlink, SockFlag::SOCK_CLOEXEC);
        let open = || -> nix::Result<OwnedFd> {
            let descriptor = socket(family, SockType::Raw, flags, protocol)?;
            bind(descriptor.as_raw_fd(), &NetlinkAddr::new(0, 0))?;
            setsockopt(&descriptor, sockopt::ReceiveTimeout, &TimeVal::new(PATIENCE, 0))?;
            Ok(descriptor)
        };
        let descriptor = open().context("cannot open a netlink socket to ask for interfaces")?;
        Ok(Self { descriptor, sequence: 0, room: vec![0; ROOM] })
    }

    fn ask(
        &mut self,
        question: Question<'_>,
        flags: u16,
        mut answer: impl FnMut(&[u8]),
    ) -> Result<bool> {
        self.send(question, flags).context("cannot ask the kernel for interfaces (netlink)")?;
        let mut is_whole = true;
        loop {
            let len = self.receive().context("the kernel does not answer (netlink)")?;
            if len > self.room.len() {
                bail!("the kernel's answer of {len} bytes is longer than expected (netlink)");
            }
            let (received, sequence) = (&self.room[..len], self.sequence);
            let end = read_messages(received, sequence, &mut is_whole, &mut answer);
            if matches!(
                end.context("the kernel refuses the question (netlink)")?,
                Continuation::End
            ) {
                return Ok(is_whole);
            }
        }
    }

    fn send(&mut self, question: Question<'_>, flags: u16) -> nix::Result<()> {
        self.sequence = self.sequence.wrapping_add(1);
        let mut message = vec![0; HEADER + question.body.len()];
        let mut header = NetlinkBuffer::new(&mut message);
        header.set_length((HEADER + question.body.len()) as u32);
        header.set_message_type(question.kind);
        header.set_flags(NLM_F_REQUEST | flags);
        header.set_sequence_number(self.sequence);
        message[HEADER..].copy_from_slice(question.body);
        send(self.descriptor.as_raw_fd(), &message, MsgFlags::empty()).map(drop)
    }

    /// The bytes that arrived, even if there are more than there was room for.
    fn receive(&mut self) -> nix::Result<usize> {
        loop {
            let got = recv(self.descriptor.as_raw_fd(), &mut self.room, MsgFlags::MSG_TRUNC);
            if got != Err(Errno::EINTR) {
                return got;
            }
        }
    }
}

/// Reads all messages that came together.
fn read_messages(
    mut bytes: &[u8],
    sequence: u32,
    is_whole: &mut bool,
    answer: &mut impl FnMut(&[u8]),
) -> nix::Result<Continuation> {
    while let Ok(message) = NetlinkBuffer::new_checked(bytes) {
        let len = message.length() as usize;
        let (body, is_answer) = (&bytes[HEADER..len], message.sequence_number() == sequence);
        bytes = bytes.get(len.next_multiple_of(4)..).unwrap_or_default();
        if !is_answer {
            continue;
        }
        *is_whole &= message.flags() & NLM_F_DUMP_INTR == 0;
        match message.message_type() {
            NLMSG_DONE | NLMSG_ERROR => return result(body).map(|()| Continuation::End),
            _ => answer(body),
        }
    }
    Ok(Continuation::Follows)
}

/// The result in a last message: 0, or a negative error number.
fn result(body: &[u8]) -> nix::Result<()> {
    match u32_at(body, 0).map_or(0, u32::cast_signed) {
        error @ ..0 => Err(Errno::from_raw(error.saturating_neg())),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(kind: u16, flags: u16, sequence: u32, body: &[u8]) -> Vec<u8> {
        let mut bytes = ((HEADER + body.len()) as u32).to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.extend(flags.to_ne_bytes());
        bytes.extend(sequence.to_ne_bytes());
        bytes.extend([0; 4]);
        bytes.extend(body);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn read(bytes: &[u8]) -> (nix::Result<bool>, bool, Vec<Vec<u8>>) {
        let (mut is_whole, mut bodies) = (true, Vec::new());
        let rest =
            read_messages(bytes, 7, &mut is_whole, &mut |body: &[u8]| bodies.push(body.to_vec()));
        (rest.map(|rest| matches!(rest, Continuation::End)), is_whole, bodies)
    }

    #[test]
    fn answers_are_those_to_this_question_up_to_the_last() {
        let multi = netlink_packet_core::NLM_F_MULTIPART;
        let parts = [
            message(16, multi, 6, b"old"),
            message(16, multi, 7, b"first"),
            message(16, multi | NLM_F_DUMP_INTR, 7, b"second"),
        ];
        let bodies = vec![b"first".to_vec(), b"second".to_vec()];
        assert_eq!(read(&parts.concat()), (Ok(false), false, bodies.clone()));
        let done = message(3, multi, 7, &0_u32.to_ne_bytes());
        assert_eq!(read(&[parts.concat(), done].concat()), (Ok(true), false, bodies));
        let acknowledged = [message(92, 0, 7, b"one"), message(2, 0, 7, &[0; 4])].concat();
        assert_eq!(read(&acknowledged), (Ok(true), true, vec![b"one".to_vec()]));
        let refused = message(2, 0, 7, &(-19_i32).to_ne_bytes());
        assert_eq!(read(&refused).0, Err(Errno::ENODEV));
    }

    #[test]
    fn no_message_makes_it_panic() {
        let whole = [message(16, 2, 7, &[7; 40]), message(3, 2, 7, &[0; 4])].concat();
        for len in 0..whole.len() {
            drop(read(&whole[..len]));
            for byte in [0, 1, 15, 17, 255] {
                let mut damaged = whole.clone();
                damaged[len] = byte;
                drop(read(&damaged));
                attributes(&damaged).for_each(drop);
            }
        }
    }

    #[test]
    fn the_kernel_answers() {
        // RTM_GETLINK: the loopback is in every network namespace.
        let question = Question { kind: 18, body: &[0; 16] };
        let indexes = list(question, |body| u32_at(body, 4)).expect("netlink");
        assert!(indexes.contains(&1), "{indexes:?}");
        let mut none = [0; 16];
        none[4..8].copy_from_slice(&i32::MAX.to_ne_bytes());
        let question = Question { kind: 18, body: &none };
        assert_eq!(one(question, |body| u32_at(body, 4)).expect("netlink"), None);
    }
}
