//! Names of link types. Owns the names; refuses to know which of them are supported.

use pcap::Linktype;

/// The supported link types, for messages.
pub(super) const READ: &str = "Ethernet, raw IP, Linux cooked (SLL, SLL2), BSD loopback, PPP, PPPoE, \
                        Cisco HDLC, 802.11 (also behind radiotap, Prism and PPI)";

/// The number of a link type and its name, as tcpdump.org lists them.
pub(super) fn describe(link_type: u16) -> String {
    match name(link_type) {
        Some(name) => format!("{link_type} (LINKTYPE_{name})"),
        None => format!("{link_type} (a number that libpcap does not know)"),
    }
}

/// libpcap's name. It names its DLT_ values, whose numbers are the same as in files, except a few old ones.
fn name(link_type: u16) -> Option<String> {
    let of_old = match link_type {
        6 => "IEEE802_5",
        7 => "ARCNET_BSD",
        100 => "ATM_RFC1483",
        101 => "RAW",
        102 => "SLIP_BSDOS",
        103 => "PPP_BSDOS",
        106 => "ATM_CLIP",
        147..=162 => return Some(format!("USER{}", link_type - 147)),
        _ => return Linktype(i32::from(link_type)).get_name().ok(),
    };
    Some(of_old.to_owned())
}
