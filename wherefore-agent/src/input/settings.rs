//! Settings of live sources. Owns the values; their spelling belongs to `options`.

use std::path::PathBuf;
use std::time::Duration;

use super::filter;
use super::owners::Mode;

/// How traffic is counted live.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Names and patterns of interfaces; none: that of the default route, else the busiest.
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
    /// How long libpcap may hold packets back.
    pub read_timeout: Duration,
    /// Length of an interval.
    pub interval: Duration,
    /// The most flows of an interval, if it is set.
    pub max_flows: Option<u32>,
    /// Whether DNS answers are handed on, for names to be learned from them.
    pub learns_names: bool,
    /// How owners of flows are found.
    pub owners: Mode,
    /// Which packets are watched.
    pub filter: filter::Settings,
}

/// The place where packets are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Daq {
    /// eBPF if it works, else libpcap; the log says which, and why.
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
    /// tcx, else clsact.
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
