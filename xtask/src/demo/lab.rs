//! Two network namespaces with a pair of virtual Ethernet devices between them. Owns their names, and
//! removes them at the end.

use std::fs::File;
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread;

use anyhow::{Context, Result, anyhow};
use nix::sched::{CloneFlags, setns};

use crate::shell;

/// Both, joined.
pub(crate) struct Lab {
    pub(crate) a: Host,
    pub(crate) b: Host,
}

/// A namespace with one device.
pub(crate) struct Host {
    pub(crate) device: &'static str,
    pub(crate) address: Ipv4Addr,
    name: String,
}

impl Lab {
    pub(crate) fn new() -> Result<Self> {
        let a = Host::new("veth-a", Ipv4Addr::new(10, 77, 0, 1))?;
        let b = Host::new("veth-b", Ipv4Addr::new(10, 77, 0, 2))?;
        let pair = ["link", "add", a.device, "type", "veth", "peer", "name", b.device, "netns"];
        ip(&[&["-n", &a.name], &pair[..], &[&b.name]].concat())?;
        for host in [&a, &b] {
            let address = format!("{}/24", host.address);
            ip(&["-n", &host.name, "address", "add", &address, "dev", host.device])?;
            // Without addresses of IPv6 nothing but the script's traffic is on the devices.
            ip(&["-n", &host.name, "link", "set", host.device, "addrgenmode", "none"])?;
            ip(&["-n", &host.name, "link", "set", host.device, "up"])?;
        }
        Ok(Self { a, b })
    }

    /// Gives the second host another address, which the first reaches through the device.
    pub(crate) fn lend(&self, address: Ipv4Addr) -> Result<()> {
        if address == self.b.address {
            return Ok(());
        }
        let address = format!("{address}/32");
        ip(&["-n", &self.b.name, "address", "add", &address, "dev", self.b.device])?;
        ip(&["-n", &self.a.name, "route", "add", &address, "dev", self.a.device])
    }
}

impl Host {
    fn new(device: &'static str, address: Ipv4Addr) -> Result<Self> {
        let name = format!("wf-demo-{}-{device}", std::process::id());
        ip(&["netns", "add", &name])?;
        Ok(Self { device, address, name })
    }

    /// For those who listen on 127.0.0.1.
    pub(crate) fn start_loopback(&self) -> Result<()> {
        ip(&["-n", &self.name, "link", "set", "lo", "up"])
    }

    fn path(&self) -> PathBuf {
        Path::new("/run/netns").join(&self.name)
    }

    /// Runs `work` on a thread in the namespace. Sockets that it opens stay there.
    pub(crate) fn enter<T: Send>(&self, work: impl FnOnce() -> T + Send) -> Result<T> {
        let path = self.path();
        let namespace = File::open(&path).with_context(|| format!("opening {}", path.display()))?;
        let inside = || setns(&namespace, CloneFlags::CLONE_NEWNET).map(|()| work());
        let done = thread::scope(|scope| scope.spawn(inside).join());
        let done = done.map_err(|_| anyhow!("the thread in {} failed", self.name))?;
        done.with_context(|| format!("entering {}", self.name))
    }

    /// A command in the namespace; its process is the program's own.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new("nsenter");
        command.arg(format!("--net={}", self.path().display())).arg("--").arg(program);
        command
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        if let Err(error) = ip(&["netns", "delete", &self.name]) {
            shell::say(format!("{error:#}"));
        }
    }
}

fn ip(arguments: &[&str]) -> Result<()> {
    shell::run(Command::new("ip").args(arguments))
}
