//! Settings of live sources. Owns the values; `options` owns their spelling.

use std::path::PathBuf;
use std::time::Duration;

use super::filter;
use super::owners::Mode;

/// How traffic is counted live.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names and patterns of interfaces; if empty, the interface of the default route or the busiest one.
    pub interfaces: Vec<String>,
    /// The place where packets are counted.
    pub daq: Daq,
    /// How eBPF programs are attached.
    pub attach: Attach,
    /// The position among other programs.
    pub attach_order: AttachOrder,
    /// Whether the kernel programs log frames that are in no flow.
    pub bpf_debug: bool,
    /// An eBPF object other than the built-in one.
    pub bpf_object: Option<PathBuf>,
    /// Bytes of each packet that libpcap captures.
    pub snaplen: u32,
    /// How long libpcap may buffer packets.
    pub read_timeout: Duration,
    /// Length of an interval.
    pub interval: Duration,
    /// The most flows in an interval, if set.
    pub max_flows: Option<u32>,
    /// Whether DNS answers are passed on, so that names can be learned from them.
    pub learns_names: bool,
    /// How owners of flows are found.
    pub owners: Mode,
    /// Which packets are watched.
    pub filter: filter::Settings,
}

impl Settings {
    /// Whether only the kernel can do what is asked for: a hook, or its records of sockets.
    pub(super) fn is_only_of_kernel(&self) -> bool {
        self.attach != Attach::Auto || self.owners == Mode::Kernel
    }
}

/// The place where packets are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Daq {
    /// eBPF if it works, otherwise libpcap; the log has the choice and the reason.
    #[default]
    Auto,
    /// In the kernel.
    Ebpf,
    /// In this process.
    Libpcap,
}

/// How eBPF programs are attached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Attach {
    /// tcx if the kernel has it, otherwise clsact.
    #[default]
    Auto,
    /// TCX links (Linux 6.6).
    Tcx,
    /// Filters of the clsact qdisc.
    Clsact,
    /// XDP in the driver.
    Xdp,
    /// XDP in the network stack.
    XdpGeneric,
}

/// The position of our programs among others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AttachOrder {
    /// Before all other programs.
    #[default]
    First,
    /// After all other programs.
    Last,
}
