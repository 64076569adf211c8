//! The test laboratory: two network namespaces joined by a veth pair, with
//! addresses, fixed neighbours and as little background traffic as the kernel allows.
//!
//! Owns the topology and its lifetime. Refuses to touch the host's own devices,
//! routes and sysctls: everything happens inside namespaces it made, and all of
//! it is gone when the [`Lab`] is dropped.

pub mod counters;
pub mod frames;
pub mod netns;
pub mod packets;
pub mod tap;
pub mod traffic;

use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use nix::ifaddrs::getifaddrs;
use nix::net::if_::InterfaceFlags;

pub use counters::Counters;
pub use frames::{Link, Mac};
pub use netns::Namespace;

/// How long counters must not change to count as quiet.
const STILL: Duration = Duration::from_millis(300);
/// How long anything in the laboratory may take to settle.
const SETTLE: Duration = Duration::from_secs(10);
/// Distinguishes the laboratories of one process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// An IP version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// One end of the veth pair: a namespace, its device and its addresses.
#[derive(Debug)]
pub struct Host {
    /// The namespace that holds the device.
    pub namespace: Namespace,
    /// The device's name.
    pub device: String,
    /// The device's fixed Ethernet address.
    pub mac: Mac,
    /// The device's IPv4 address, in a /24.
    pub v4: Ipv4Addr,
    /// The device's IPv6 address, in a /64.
    pub v6: Ipv6Addr,
}

impl Host {
    /// Makes the namespace, named `stem` plus `-a` (1) or `-b` (2), and silences it.
    fn create(stem: &str, number: u8, device: &str) -> Result<Self> {
        let letter = if number == 1 { 'a' } else { 'b' };
        let namespace = Namespace::create(&format!("{stem}-{letter}"))?;
        silence(&namespace)?;
        Ok(Self {
            namespace,
            device: device.to_owned(),
            mac: [0x02, 0, 0, 0x77, 0, number],
            v4: Ipv4Addr::new(10, 77, 0, number),
            v6: Ipv6Addr::new(0xfd77, 0, 0, 0, 0, 0, 0, number.into()),
        })
    }

    /// The address of the given family.
    pub fn address(&self, family: Family) -> IpAddr {
        match family {
            Family::V4 => self.v4.into(),
            Family::V6 => self.v6.into(),
        }
    }

    /// The kernel's counters of the device.
    pub fn counters(&self) -> Result<Counters> {
        self.namespace.counters(&self.device)
    }

    /// Runs `work` on a new thread inside the namespace; see [`Namespace::enter`].
    pub fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        self.namespace.enter(work)
    }

    /// The Ethernet header of frames from here to `peer`.
    pub fn link_to(&self, peer: &Self) -> Link {
        Link::new(self.mac, peer.mac)
    }

    /// Switches segmentation, GRO and transmit checksum offloads together.
    pub fn offloads(&self, on: bool) -> Result<()> {
        let state = if on { "on" } else { "off" };
        let mut ethtool = self.namespace.command("ethtool");
        ethtool.args(["-K", &self.device]);
        ethtool.args(["tx", "tso", "gso", "gro"].iter().flat_map(|feature| [*feature, state]));
        netns::run(&mut ethtool).map(drop)
    }

    /// Gives the device its addresses and its one permanent neighbour.
    ///
    /// Permanent neighbours, because ARP and neighbour discovery would otherwise
    /// add frames at moments a test cannot foresee.
    fn configure(&self, peer: &Self) -> Result<()> {
        let (device, mac) = (&self.device, frames::mac_text(peer.mac));
        self.namespace.ip_batch(&format!(
            "link set lo up\n\
             addr add {}/24 dev {device}\n\
             addr add {}/64 dev {device} nodad\n\
             link set {device} up\n\
             neigh replace {} lladdr {mac} nud permanent dev {device}\n\
             neigh replace {} lladdr {mac} nud permanent dev {device}\n",
            self.v4, self.v6, peer.v4, peer.v6
        ))
    }

    /// Whether the carrier is up and both families have a route to `peer`.
    fn is_ready(&self, peer: &Self) -> bool {
        self.enter(|| is_running(&self.device) && routes(self, peer)).unwrap_or(false)
    }
}

/// Two hosts joined by a veth pair; dropping it removes both.
#[derive(Debug)]
pub struct Lab {
    /// The host with 10.77.0.1 and fd77::1.
    pub a: Host,
    /// The host with 10.77.0.2 and fd77::2.
    pub b: Host,
}

impl Lab {
    /// A laboratory whose devices are `veth-a` and `veth-b`.
    pub fn new() -> Result<Self> {
        Self::with_devices("veth-a", "veth-b")
    }

    /// A laboratory with the given device names, ready for traffic and quiet.
    pub fn with_devices(device_a: &str, device_b: &str) -> Result<Self> {
        netns::remove_stale();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let stem = format!("{}{}-{number}", netns::PREFIX, std::process::id());
        let a = Host::create(&stem, 1, device_a)?;
        let b = Host::create(&stem, 2, device_b)?;
        let lab = Self { a, b };
        lab.connect().context("joining the two namespaces")?;
        Ok(lab)
    }

    /// The reason why no laboratory can be made here, if there is one.
    pub fn privilege() -> Result<(), String> {
        if !nix::unistd::geteuid().is_root() {
            return Err("not root".to_owned());
        }
        for (tool, probe) in [("ip", "-V"), ("nsenter", "-V"), ("ethtool", "--version")] {
            netns::run(std::process::Command::new(tool).arg(probe))
                .map_err(|error| format!("{error:#}"))?;
        }
        netns::can_unshare()
    }

    /// A laboratory, or `None` after a loud `SKIPPED` line naming `test` and the reason.
    pub fn or_skip(test: &str) -> Result<Option<Self>> {
        match Self::privilege() {
            Ok(()) => Self::new().map(Some),
            Err(reason) => {
                // Written directly to stderr, at once: the test harness captures `eprintln!`
                // of passing tests, and a skip that nobody sees is a false pass.
                let line = format!("SKIPPED {test}: {reason}\n");
                std::io::stderr().write_all(line.as_bytes())?;
                Ok(None)
            }
        }
    }

    /// Waits until neither end's counters have moved for 300 ms and returns them, a's first.
    pub fn wait_quiet(&self) -> Result<[Counters; 2]> {
        let start = Instant::now();
        let (mut last, mut since) = (self.both()?, Instant::now());
        while since.elapsed() < STILL {
            ensure!(
                start.elapsed() < SETTLE * slowdown_factor(),
                "counters still move after {SETTLE:?}: {last:?}"
            );
            std::thread::sleep(Duration::from_millis(20));
            let now = self.both()?;
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        Ok(last)
    }

    /// The counts of both ends while `work` ran, a's first, and the work's value.
    ///
    /// It waits for quiet before and after, so that late acknowledgements are included.
    pub fn measure<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<([Counters; 2], T)> {
        let [a, b] = self.wait_quiet()?;
        let value = work()?;
        let [after_a, after_b] = self.wait_quiet()?;
        Ok(([after_a - a, after_b - b], value))
    }

    /// Both ends' counters, a's first.
    fn both(&self) -> Result<[Counters; 2]> {
        Ok([self.a.counters()?, self.b.counters()?])
    }

    /// Makes the veth pair, configures both ends and waits until it carries traffic.
    fn connect(&self) -> Result<()> {
        let (a, b) = (end(&self.a), end(&self.b));
        netns::ip_batch(&format!("link add {a} type veth peer {b}\n"))?;
        self.a.configure(&self.b)?;
        self.b.configure(&self.a)?;
        if !wait_until(SETTLE, || self.a.is_ready(&self.b) && self.b.is_ready(&self.a)) {
            bail!("the link is not ready after {SETTLE:?}");
        }
        self.wait_quiet().map(drop)
    }
}

impl Drop for Lab {
    /// Deletes the pair first: a process left in a namespace keeps that namespace
    /// alive behind its deleted name, but must not keep the devices alive.
    fn drop(&mut self) {
        if let Err(error) = self.a.namespace.ip_batch(&format!("link del {}\n", self.a.device)) {
            eprintln!("laboratory: deleting {}: {error:#}", self.a.device);
        }
    }
}

/// Polls `condition` until it holds or `timeout` has passed; returns whether it held.
pub fn wait_until(timeout: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let (start, timeout) = (Instant::now(), timeout * slowdown_factor());
    loop {
        if condition() {
            return true;
        }
        if start.elapsed() >= timeout {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// The factor for all timeouts, from `WHEREFORE_SLOWNESS`: emulated processors need more time.
pub fn slowdown_factor() -> u32 {
    let wanted = std::env::var("WHEREFORE_SLOWNESS").ok();
    wanted.and_then(|text| text.parse().ok()).unwrap_or(1)
}

/// One end's part of the `ip link add` line.
fn end(host: &Host) -> String {
    let (device, mac) = (&host.device, frames::mac_text(host.mac));
    format!("name {device} address {mac} netns {}", host.namespace.name())
}

/// Turns off the kernel's own packets, as far as sysctls can.
///
/// The defaults are set before the device exists, so it is born with them.
/// The remaining traffic is multicast listener reports right after the link comes up.
fn silence(namespace: &Namespace) -> Result<()> {
    let device_defaults = [
        ("accept_dad", "0"),
        ("dad_transmits", "0"),
        ("router_solicitations", "0"),
        ("accept_ra", "0"),
        ("addr_gen_mode", "1"),
        ("mldv1_unsolicited_report_interval", "0"),
        ("mldv2_unsolicited_report_interval", "0"),
    ];
    for (key, value) in device_defaults {
        namespace.sysctl(&format!("net/ipv6/conf/default/{key}"), value)?;
    }
    namespace.sysctl("net/ipv6/mld_qrv", "1")
}

/// Whether the device has carrier, as seen by the calling thread's namespace.
fn is_running(device: &str) -> bool {
    getifaddrs().is_ok_and(|mut all| {
        all.any(|one| {
            one.interface_name == device && one.flags.contains(InterfaceFlags::IFF_RUNNING)
        })
    })
}

/// Whether connecting a datagram socket finds a route; it sends nothing.
fn routes(from: &Host, to: &Host) -> bool {
    [Family::V4, Family::V6].into_iter().all(|family| {
        UdpSocket::bind((from.address(family), 0))
            .is_ok_and(|socket| socket.connect((to.address(family), 9)).is_ok())
    })
}
