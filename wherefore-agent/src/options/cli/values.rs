//! The words for values of the layers below, which do not know the command line. Owns their spelling and
//! their help texts.

use clap::ValueEnum;
use clap::builder::PossibleValue;

use crate::input::{Attach, AttachOrder, Daq};

impl ValueEnum for Daq {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Ebpf, Self::Libpcap]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        Some(match self {
            Self::Auto => PossibleValue::new("auto")
                .help("eBPF if it works, otherwise libpcap; the log says which, and why"),
            Self::Ebpf => PossibleValue::new("ebpf").help("In the kernel"),
            Self::Libpcap => PossibleValue::new("libpcap")
                .help("In this process. Also spelled `AF_PACKET` and `BSD_BPF`, as in the Go tool")
                .aliases(["af_packet", "bsd_bpf", "pcap"]),
        })
    }
}

impl ValueEnum for Attach {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::Auto, Self::Tcx, Self::Clsact, Self::Xdp, Self::XdpGeneric]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::Auto => ("auto", "tcx if the kernel has it, otherwise clsact"),
            Self::Tcx => ("tcx", "TCX links (Linux 6.6)"),
            Self::Clsact => ("clsact", "Filters of the clsact qdisc"),
            Self::Xdp => ("xdp", "XDP in the driver"),
            Self::XdpGeneric => ("xdp-generic", "XDP in the network stack"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}

impl ValueEnum for AttachOrder {
    fn value_variants<'a>() -> &'a [Self] {
        &[Self::First, Self::Last]
    }

    fn to_possible_value(&self) -> Option<PossibleValue> {
        let (name, help) = match self {
            Self::First => ("first", "Before all other programs"),
            Self::Last => ("last", "After all other programs"),
        };
        Some(PossibleValue::new(name).help(help))
    }
}
