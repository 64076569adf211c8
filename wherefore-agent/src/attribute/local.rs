//! This host's addresses. Owns the list, which is read again in each interval.

use std::net::IpAddr;

use rustc_hash::FxHashSet;
use wherefore_common::FlowKey;

/// The addresses of this host in this network namespace.
pub(super) struct Local(FxHashSet<IpAddr>);

impl Local {
    /// Reads the current addresses.
    pub(super) fn read() -> Self {
        let addresses = nix::ifaddrs::getifaddrs().into_iter().flatten().filter_map(|interface| {
            let address = interface.address?;
            let v4 = address.as_sockaddr_in().map(|v4| IpAddr::from(v4.ip()));
            v4.or_else(|| address.as_sockaddr_in6().map(|v6| v6.ip().into()))
        });
        Self(addresses.collect())
    }

    /// Whether the source and the destination are on this host. Multicast and broadcast destinations are.
    pub(super) fn has_ends(&self, flow: &FlowKey) -> [bool; 2] {
        let dst = flow.dst_ip();
        [self.has(flow.src_ip()), self.has(dst) || is_for_many(dst)]
    }

    fn has(&self, address: IpAddr) -> bool {
        address.is_loopback() || address.is_unspecified() || self.0.contains(&address)
    }
}

fn is_for_many(address: IpAddr) -> bool {
    address.is_multicast() || matches!(address, IpAddr::V4(v4) if v4.is_broadcast())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_the_loopback_are_here_and_others_are_not() {
        let local = Local::read();
        for (address, is_here) in [("127.9.9.9", true), ("::1", true), ("192.0.2.77", false)] {
            assert_eq!(local.has(address.parse().expect("an address")), is_here, "{address}");
        }
        assert!(is_for_many("ff02::fb".parse().expect("an address")));
    }
}
