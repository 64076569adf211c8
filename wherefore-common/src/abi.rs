//! The names and sizes on which the kernel object and the agent must agree. Owns these; refuses any code.

/// TC programs for Ethernet devices and for layer-3 devices (`_l3`), by direction, and XDP programs with and
/// without multi-buffer support. A program must not have the name of its section: that does not link.
pub mod program {
    /// TC ingress, Ethernet.
    pub const TC_INGRESS: &str = "flow_tc_ingress";
    /// TC egress, Ethernet.
    pub const TC_EGRESS: &str = "flow_tc_egress";
    /// TC ingress, layer 3.
    pub const TC_INGRESS_L3: &str = "flow_tc_ingress_l3";
    /// TC egress, layer 3.
    pub const TC_EGRESS_L3: &str = "flow_tc_egress_l3";
    /// XDP ingress, multi-buffer (Linux 5.18).
    pub const XDP_FRAGS: &str = "flow_xdp_frags";
    /// XDP ingress, linear frames only.
    pub const XDP: &str = "flow_xdp";
    /// Tracepoint programs with the names of their tracepoints: for processes that send and receive (Linux 6.3).
    pub const OWNER: [(&str, &str); 2] =
        [("owner_sends", "sock_send_length"), ("owner_receives", "sock_recv_length")];
    /// Programs at the end of functions, with the names of the functions: the same before Linux 6.3. If IPv6
    /// is a module, its functions are missing; `inet_sendpage` is missing since Linux 6.5.
    pub const OWNER_CALLS: [(&str, &str); 6] = [
        ("owner_has_connected", "inet_stream_connect"),
        ("owner_has_sent", "inet_sendmsg"),
        ("owner_has_received", "inet_recvmsg"),
        ("owner_has_sent_v6", "inet6_sendmsg"),
        ("owner_has_received_v6", "inet6_recvmsg"),
        ("owner_has_sent_page", "inet_sendpage"),
    ];
    /// Tracepoint programs for all kernels: for processes that connect, and for the names of processes and
    /// cgroups.
    pub const NAMES: [(&str, &str); 3] = [
        ("owner_connects", "inet_sock_set_state"),
        ("process_is_named", "sched_process_exec"),
        ("cgroup_is_named", "cgroup_mkdir"),
    ];
    /// The iterator over open files, for sockets that existed before the agent.
    pub const OWNER_FOUND: &str = "owner_is_found";
}

/// The names of maps.
pub mod map {
    /// The two flow maps, which are used in turn.
    pub const FLOWS: [&str; 2] = ["FLOWS_A", "FLOWS_B"];
    /// The programs' one global variable, a [`super::Control`].
    pub const CONTROL: &str = ".bss";
    /// Array of both flow maps.
    pub const ACTIVE_FLOWS: &str = "ACTIVE_FLOWS";
    /// The tables in front of the flow maps, in which each CPU counts.
    pub const TABLE: &str = "TABLE";
    /// The rows of that table that are in use.
    pub const TAKEN_ROWS: &str = "TAKEN_ROWS";
    /// Cumulative counters of uncounted frames, by interface, direction and reason.
    pub const REMAINDERS: &str = "REMAINDERS";
    /// Frames of an interface that has no such counters yet.
    pub const UNATTRIBUTED: &str = "UNATTRIBUTED";
    /// The rule of each set.
    pub const FILTER_RULES: &str = "FILTER_RULES";
    /// The program of each set.
    pub const FILTER_PROGRAMS: &str = "FILTER_PROGRAMS";
    /// IPv4 prefixes after the number of their set.
    pub const FILTER_V4: &str = "FILTER_V4";
    /// IPv6 prefixes after the number of their set.
    pub const FILTER_V6: &str = "FILTER_V6";
    /// DNS answers.
    pub const DNS_RING: &str = "DNS_RING";
    /// The number of answers that did not fit.
    pub const DNS_LOST: &str = "DNS_LOST";
    /// The last user of each socket.
    pub const SOCKET_OWNERS: &str = "SOCKET_OWNERS";
    /// Sockets of other network namespaces, by their addresses.
    pub const SOCKETS_BY_ADDRESS: &str = "SOCKETS_BY_ADDRESS";
    /// The names of processes.
    pub const PROCESSES: &str = "PROCESSES";
    /// The names of cgroups.
    pub const CGROUPS: &str = "CGROUPS";
    /// The first bytes of watched packets.
    pub const EVIDENCE_RING: &str = "EVIDENCE_RING";
    /// The number of packets that did not fit.
    pub const EVIDENCE_LOST: &str = "EVIDENCE_LOST";
}

/// Constants that the agent sets when it loads the programs.
pub mod global {
    /// 1: log skipped and uncounted frames by aya-log; 0: the verifier removes the code.
    pub const DEBUG: &str = "DEBUG";
    /// 1: DNS answers are kept; 0: the verifier removes the code.
    pub const DNS: &str = "DNS";
    /// The number of bytes of each watched packet that are kept; 0: the verifier removes the code.
    pub const EVIDENCE: &str = "EVIDENCE";
    /// The number of bytes in the ring of evidence above which the agent is woken.
    pub const EVIDENCE_WAKE: &str = "EVIDENCE_WAKE";
    /// 1: flows record the sockets of their packets.
    pub const SOCKETS: &str = "SOCKETS";
    /// 1: programs at tracepoints and functions may use socket storage (Linux 5.12).
    pub const HAS_STORAGE: &str = "HAS_STORAGE";
    /// The offsets of kernel fields that tracepoint programs read: the name of the constant, the structure
    /// and its field.
    pub const OFFSETS: [(&str, &str, &str); 13] = [
        ("SOCK_COMMON", "sock", "__sk_common"),
        ("SOCK_FAMILY", "sock_common", "skc_family"),
        ("SOCK_COOKIE", "sock_common", "skc_cookie"),
        ("SOCKET_SK", "socket", "sk"),
        ("TASK_LEADER", "task_struct", "group_leader"),
        ("TASK_STARTED", "task_struct", "start_boottime"),
        ("TASK_TGID", "task_struct", "tgid"),
        ("TASK_NAME", "task_struct", "comm"),
        ("BINPRM_FILENAME", "linux_binprm", "filename"),
        ("CGROUP_ROOT", "cgroup", "root"),
        ("CGROUP_NODE", "cgroup", "kn"),
        ("ROOT_NUMBER", "cgroup_root", "hierarchy_id"),
        ("NODE_ID", "kernfs_node", "id"),
    ];
    /// The number of the network namespace that the agent is in; 0: addresses of sockets are not recorded, and the
    /// verifier removes the code.
    pub const NETWORK: &str = "NETWORK";
    /// The same as [`OFFSETS`], for the addresses of sockets.
    pub const ADDRESS_OFFSETS: [(&str, &str, &str); 8] = [
        ("SOCK_ADDRESSES", "sock_common", "skc_addrpair"),
        ("SOCK_PORTS", "sock_common", "skc_portpair"),
        ("SOCK_FAR_V6", "sock_common", "skc_v6_daddr"),
        ("SOCK_NEAR_V6", "sock_common", "skc_v6_rcv_saddr"),
        ("SOCK_NET", "sock_common", "skc_net"),
        ("SOCK_TRANSPORT", "sock", "sk_protocol"),
        ("NET_NAMESPACE", "net", "ns"),
        ("NAMESPACE_NUMBER", "ns_common", "inum"),
    ];
    /// The same for Multipath TCP, which not every kernel has.
    pub const MPTCP_OFFSETS: [(&str, &str, &str); 4] = [
        ("SOCK_PROTOCOL", "sock", "sk_protocol"),
        ("MPTCP_SUBFLOWS", "mptcp_sock", "conn_list"),
        ("SUBFLOW_NODE", "mptcp_subflow_context", "node"),
        ("SUBFLOW_SK", "mptcp_subflow_context", "tcp_sock"),
    ];
}

/// The number of counters: interface x direction x reason.
pub const REMAINDER_CAPACITY: u32 = 16_384;
/// The number of sets of filters, which are numbered from 1: the active one and the next one.
pub const FILTER_SETS: u32 = 2;
/// The number of places for epochs: two halves, each with no filter or one of the sets; a power of two.
pub const EPOCHS: usize = (2 * (FILTER_SETS as usize + 1)).next_power_of_two();
/// The most prefixes of one set in each of the two tries.
pub const FILTER_CAPACITY: u32 = 1 << 20;
/// An IPv4 prefix in the trie: the number of its set, then the address.
pub type TrieV4 = [u32; 2];
/// An IPv6 prefix in the trie: the number of its set, then the address.
pub type TrieV6 = [u64; 3];

/// The agent's control of the running programs. The kernel may copy it byte by byte while they read it. So
/// only one byte, `now`, changes while programs run; the epoch that it selects was written earlier, when no
/// program used it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Control {
    /// The current epoch, by its [`Control::place`].
    pub now: u64,
    /// The epochs of both halves, for each filter that may be active.
    pub epochs: [Epoch; EPOCHS],
}

/// An interval, or a part of one, with one active filter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[repr(C, align(8))]
pub struct Epoch {
    /// Its number, from 1 on. It is larger than those of all earlier epochs, and so identifies an interval
    /// and a filter.
    pub number: u32,
    /// The number of the first epoch of the interval.
    pub first: u32,
    /// The number of slots of the table that each CPU uses.
    pub slots: u32,
    /// The number of the first row of the table for this half.
    pub first_row: u32,
}

impl Control {
    /// The place of the epoch for this half, 0 or 1, and this set of filters, 0 for none.
    #[inline(always)]
    pub fn place(half: u32, filter_set: u32) -> usize {
        (half % 2 + 2 * filter_set) as usize % EPOCHS
    }

    /// The number of the flow map and of the half of the table that programs write to.
    #[inline(always)]
    pub fn half(&self) -> u32 {
        self.now as u32 % 2
    }

    /// The set of the active filter; 0 for none.
    #[inline(always)]
    pub fn filter_set(&self) -> u32 {
        self.now as u32 / 2
    }

    /// The current epoch, which has the active half and the active filter.
    pub fn epoch(&self) -> Epoch {
        self.epochs[self.now as usize % EPOCHS]
    }

    /// Writes the epochs of a half, numbered from this number on, for a new interval.
    pub fn write_half(&mut self, half: u32, number: u32, slots: u32, first_row: u32) {
        for set in 0..=FILTER_SETS {
            self.epochs[Self::place(half, set)] = Epoch { number, first: number, slots, first_row };
        }
    }

    /// Writes the number of an epoch with another filter.
    pub fn write_filter(&mut self, half: u32, filter_set: u32, number: u32) {
        self.epochs[Self::place(half, filter_set)].number = number;
    }
}

const _: () = assert!(size_of::<Control>() == 8 + 16 * EPOCHS);
