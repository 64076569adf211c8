//! Finds owners by the state at the end of the interval: the kernel's list of sockets, and the open files of
//! all processes. Owns this method. It needs no eBPF, but misses sockets that were closed earlier, and sees
//! only those of this network namespace.

use std::io::ErrorKind;

use rustc_hash::FxHashMap;

use super::conversations::Conversation;
use super::end_owner::EndOwner;
use super::listed::Listed;
use super::process;
use super::process_cache::{Facts, ProcessCache};
use crate::descriptors;
use crate::input::sockets::Socket;
use crate::traffic::who::Unattributed;

/// The sockets at one moment, and the processes that have them open.
#[derive(Debug, Default)]
pub(super) struct ByProc {
    listed: Listed,
    holders: FxHashMap<u32, Vec<u32>>,
    /// Whether there are processes whose open files this agent may not read.
    is_partial: bool,
    is_warned: bool,
}

impl ByProc {
    /// Reads the sockets and the open files of all processes.
    pub(super) fn begin(&mut self) {
        self.holders.clear();
        self.is_partial = false;
        self.listed = Listed::read().unwrap_or_else(|error| {
            if !std::mem::replace(&mut self.is_warned, true) {
                tracing::warn!(
                    error = descriptors::explained(&error),
                    "cannot list this host's sockets: the bytes of this interval have no owners"
                );
            }
            Listed::default()
        });
        for pid in process::all() {
            match process::socket_inodes(pid) {
                Ok(inodes) => inodes.into_iter().for_each(|inode| self.hold(inode, pid)),
                Err(error) => self.is_partial |= error.kind() == ErrorKind::PermissionDenied,
            }
        }
    }

    fn hold(&mut self, inode: u32, pid: u32) {
        let holders = self.holders.entry(inode).or_default();
        if holders.last() != Some(&pid) {
            holders.push(pid);
        }
    }

    /// Finds the sender of this conversation.
    pub(super) fn sender(
        &self,
        conversation: &Conversation,
        processes: &mut ProcessCache,
    ) -> EndOwner {
        self.found(self.listed.sender(&conversation.tuple), processes)
    }

    /// Finds the receiver of a conversation without replies.
    pub(super) fn receiver(
        &self,
        conversation: &Conversation,
        processes: &mut ProcessCache,
    ) -> EndOwner {
        self.found(self.listed.receiver(&conversation.tuple), processes)
    }

    fn found(
        &self,
        socket: Result<Option<Socket>, Unattributed>,
        processes: &mut ProcessCache,
    ) -> EndOwner {
        match socket {
            Ok(Some(socket)) => self.owner(&socket, processes),
            Ok(None) => EndOwner::Nothing,
            Err(reason) => EndOwner::Unattributed(reason),
        }
    }

    /// The process that has this socket open. If several have, nothing shows which of them used it.
    fn owner(&self, socket: &Socket, processes: &mut ProcessCache) -> EndOwner {
        match self.holders.get(&socket.inode).map(Vec::as_slice) {
            Some([pid]) => {
                let facts = facts(*pid);
                facts.map_or(EndOwner::Nothing, |facts| EndOwner::Process(processes.process(facts)))
            }
            Some([_, _, ..]) => EndOwner::Unattributed(Unattributed::Ambiguous),
            Some([]) | None if self.is_partial && socket.inode != 0 => {
                EndOwner::Unattributed(Unattributed::NoPermission)
            }
            Some([]) | None => EndOwner::Unattributed(Unattributed::NoSocket),
        }
    }
}

/// Facts about the process that has this number now.
fn facts(pid: u32) -> Option<Facts> {
    let process::ProcessFacts { started, name, executable, uid, cgroup } = process::read(pid)?;
    let started_ns = process::nanoseconds(started);
    Some(Facts { pid, started_ns, name, executable, uid, cgroup, is_shared: false })
}
