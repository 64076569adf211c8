//! The addresses of connected sockets in other network namespaces, such as those of containers. Their packets
//! have no socket any more when they pass an interface of this namespace. Owns what is recorded of them; refuses
//! sockets of this namespace, which the packets themselves name.

// By value they would be copied to the stack, which is scarce.
#![allow(clippy::needless_borrows_for_generic_args)]

use core::ffi::c_void;

use aya_ebpf::Global;
use aya_ebpf::bindings::BPF_ANY;
use aya_ebpf::btf_maps::LruHashMap;
use aya_ebpf::macros::btf_map;
use wherefore_common::owner::SocketAddresses;
use wherefore_common::protocol::TCP;

use crate::owner::{IPPROTO_MPTCP, far_word};

/// The low half of each socket's cookie. If it is full, the entry written longest ago is replaced; sockets in use
/// are written again in each interval.
#[btf_map]
static SOCKETS_BY_ADDRESS: LruHashMap<SocketAddresses, u32, 1> = LruHashMap::new();

/// Constants that the agent sets.
macro_rules! constants {
    ($($name:ident)*) => {
        $(#[unsafe(no_mangle)] static $name: Global<u32> = Global::new(0);)*
    };
}

// The agent's network namespace; 0: the verifier removes the code.
constants!(NETWORK);
// The offsets of the running kernel's fields.
constants!(SOCK_ADDRESSES SOCK_PORTS SOCK_FAR_V6 SOCK_NEAR_V6 SOCK_NET SOCK_TRANSPORT);
constants!(NET_NAMESPACE NAMESPACE_NUMBER);

const AF_INET6: u16 = 10;
/// The second half of an IPv4 address in IPv6, but for the address (RFC 4291, 2.5.5.2).
const MAPPED: u32 = 0xffff_u32.to_be();

/// The number of this network namespace.
#[inline(always)]
fn network(net: u64) -> u32 {
    let number = u64::from(NET_NAMESPACE.load() + NAMESPACE_NUMBER.load());
    far_word(net.wrapping_add(number)) as u32
}

/// Records the addresses of this socket, if it is connected. Its fields begin with a `struct sock_common` at
/// `common`.
#[inline(always)]
pub(crate) fn note(sk: *mut c_void, common: u32, cookie: u64) {
    if NETWORK.load() == 0 {
        return;
    }
    let field = |offset: &Global<u32>, within: u64| {
        let offset = u64::from(common + offset.load()) + within;
        far_word((sk as u64).wrapping_add(offset))
    };
    // The far port in network order, the near one in this host's, the family.
    let ports = field(&SOCK_PORTS, 0);
    let (far_port, near_port) = ((ports as u16).to_be(), (ports >> 16) as u16);
    if far_port == 0 || near_port == 0 || network(field(&SOCK_NET, 0)) == NETWORK.load() {
        return;
    }
    let transport = far_word((sk as u64).wrapping_add(u64::from(SOCK_TRANSPORT.load()))) as u16;
    let mut addresses = SocketAddresses {
        near: [0; 2],
        far: [0; 2],
        near_port,
        far_port,
        protocol: if transport == IPPROTO_MPTCP { TCP.into() } else { transport },
        family: 4,
    };
    let far = [field(&SOCK_FAR_V6, 0), field(&SOCK_FAR_V6, 8)];
    if (ports >> 32) as u16 == AF_INET6 && !(far[0] == 0 && far[1] as u32 == MAPPED) {
        addresses.family = 6;
        addresses.far = far;
        addresses.near = [field(&SOCK_NEAR_V6, 0), field(&SOCK_NEAR_V6, 8)];
    } else {
        let both = field(&SOCK_ADDRESSES, 0);
        addresses.far[0] = both & u64::from(u32::MAX);
        addresses.near[0] = both >> 32;
    }
    let _ = SOCKETS_BY_ADDRESS.insert(&addresses, &(cookie as u32), u64::from(BPF_ANY));
}
