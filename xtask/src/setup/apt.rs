//! System packages. Owns which ones are needed, and how their presence is detected: by a file or program that
//! they install, so that one from elsewhere is enough. Does not run apt if nothing is missing; on systems
//! without apt, it lists what to install.

use std::env;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};

use super::{Need, linker};
use crate::{privilege, shell};

struct Package {
    name: &'static str,
    need: Need,
    /// A description, for systems on which the package has another name.
    what: &'static str,
    is_here: fn() -> bool,
}

#[expect(clippy::too_many_lines, reason = "a table")]
fn packages() -> [Package; 52] {
    let package = |name, need, what, is_here| Package { name, need, what, is_here };
    [
        package("gcc", Need::Run, "a C compiler and linker", || shell::find("cc").is_some()),
        package("libc6-dev", Need::Run, "the C library's headers", || exists("stdio.h")),
        package("libpcap-dev", Need::Run, "libpcap and its headers", || {
            exists("pcap.h") || env::var_os("LIBPCAP_LIBDIR").is_some()
        }),
        package("iproute2", Need::Test, "the `ip` command", || shell::find("ip").is_some()),
        package("ethtool", Need::Test, "ethtool", || shell::find("ethtool").is_some()),
        package("faketime", Need::Test, "faketime", || shell::find("faketime").is_some()),
        package("wireguard-tools", Need::Test, "the `wg` command", || shell::find("wg").is_some()),
        package("tmux", Need::Test, "tmux", || shell::find("tmux").is_some()),
        package("bpftool", Need::Test, "bpftool", || shell::find("bpftool").is_some()),
        package("dnsmasq-base", Need::Test, "dnsmasq", || shell::find("dnsmasq").is_some()),
        package("nftables", Need::Test, "the `nft` command", || shell::find("nft").is_some()),
        package("tcpdump", Need::Test, "tcpdump", || shell::find("tcpdump").is_some()),
        package("prometheus", Need::Test, "Prometheus and promtool", || {
            shell::find("prometheus").is_some() && shell::find("promtool").is_some()
        }),
        package("prometheus-node-exporter", Need::Test, "Prometheus' node exporter", || {
            shell::find("prometheus-node-exporter").is_some()
        }),
        package("prometheus-alertmanager", Need::Test, "Prometheus' Alertmanager", || {
            shell::find("prometheus-alertmanager").is_some()
        }),
        package("python3-aiosmtpd", Need::Test, "aiosmtpd for /usr/bin/python3", || {
            Path::new("/usr/lib/python3/dist-packages/aiosmtpd").exists()
        }),
        package("python3-jsonschema", Need::Test, "jsonschema for /usr/bin/python3", || {
            Path::new("/usr/lib/python3/dist-packages/jsonschema").exists()
        }),
        package("nfdump", Need::Test, "nfcapd and nfdump", || shell::find("nfcapd").is_some()),
        package("runc", Need::Test, "runc", || shell::find("runc").is_some()),
        package("tshark", Need::Test, "tshark", || shell::find("tshark").is_some()),
        package("libllvm22", Need::Ebpf, "the shared library of LLVM 22", || {
            linker::is_installed() || linker::llvm().is_some()
        }),
        package("lintian", Need::Dist, "lintian", || shell::find("lintian").is_some()),
        package("rpm", Need::Dist, "rpm", || shell::find("rpm").is_some()),
        package("musl-tools", Need::Dist, "musl-gcc", || shell::find("musl-gcc").is_some()),
        package("flex", Need::Dist, "flex", || shell::find("flex").is_some()),
        package("bison", Need::Dist, "bison", || shell::find("bison").is_some()),
        package("make", Need::Dist, "make", || shell::find("make").is_some()),
        package("file", Need::Dist, "file", || shell::find("file").is_some()),
        package("debian-archive-keyring", Need::Dist, "the keys of Debian's archive", || {
            Path::new("/usr/share/keyrings/debian-archive-keyring.gpg").exists()
        }),
        package("ca-certificates", Need::Dist, "certificates", || {
            Path::new("/etc/ssl/certs/ca-certificates.crt").exists()
        }),
        package("buildah", Need::Image, "buildah", || shell::find("buildah").is_some()),
        package("runc", Need::Image, "runc", || shell::find("runc").is_some()),
        package("iputils-ping", Need::Image, "ping", || shell::find("ping").is_some()),
        package("debootstrap", Need::Machine, "debootstrap", || {
            shell::find("debootstrap").is_some()
        }),
        package("systemd-container", Need::Machine, "systemd-nspawn", || {
            shell::find("systemd-nspawn").is_some()
        }),
        package("qemu-system-x86", Need::Vm, "qemu for x86-64", || {
            shell::find("qemu-system-x86_64").is_some()
        }),
        package("busybox-static", Need::Vm, "a static busybox", || {
            shell::find("busybox").is_some()
        }),
        package("cpio", Need::Vm, "cpio", || shell::find("cpio").is_some()),
        package("xz-utils", Need::Vm, "xz", || shell::find("xz").is_some()),
        package("binutils", Need::Vm, "strip", || shell::find("strip").is_some()),
        package("iproute2", Need::Vm, "the `ip` command", || shell::find("ip").is_some()),
        package("ethtool", Need::Vm, "ethtool", || shell::find("ethtool").is_some()),
        package("wireguard-tools", Need::Vm, "the `wg` command", || shell::find("wg").is_some()),
        package("debian-archive-keyring", Need::Vm, "the keys of Debian's archive", || {
            Path::new("/usr/share/keyrings/debian-archive-keyring.gpg").exists()
        }),
        package("g++", Need::Fuzz, "a C++ compiler", || shell::find("c++").is_some()),
        package("make", Need::Kafka, "make", || shell::find("make").is_some()),
        package("pkg-config", Need::Kafka, "pkg-config", || shell::find("pkg-config").is_some()),
        package("libssl-dev", Need::Kafka, "OpenSSL's headers", || exists("openssl/ssl.h")),
        package("iproute2", Need::Kafka, "the `ip` command", || shell::find("ip").is_some()),
        package("golang-go", Need::Helm, "Go", || shell::find("go").is_some()),
        package("golang-github-masterminds-sprig-dev", Need::Helm, "sprig for Go", || {
            Path::new("/usr/share/gocode/src/github.com/Masterminds/sprig").exists()
        }),
        package("golang-k8s-sigs-yaml-dev", Need::Helm, "sigs.k8s.io/yaml for Go", || {
            Path::new("/usr/share/gocode/src/sigs.k8s.io/yaml").exists()
        }),
    ]
}

pub(super) fn install(need: Need) -> Result<()> {
    let is_missing = |package: &Package| need.includes(package.need) && !(package.is_here)();
    let missing: Vec<Package> = packages().into_iter().filter(is_missing).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let names: Vec<&str> = missing.iter().map(|package| package.name).collect();
    if shell::find("apt-get").is_none() {
        bail!("install these, then try again (no apt-get on this system): {}", described(&missing));
    }
    shell::say(format!("installing Debian packages: {}", names.join(" ")));
    shell::run(&mut apt_get(&["update", "-q"])?)?;
    let mut apt = apt_get(&["install", "-q", "-y", "--no-install-recommends"])?;
    shell::run(apt.args(&names)).with_context(|| advice(&missing))
}

fn described(missing: &[Package]) -> String {
    let each = missing.iter().map(|package| format!("{} (Debian: {})", package.what, package.name));
    each.collect::<Vec<_>>().join(", ")
}

fn advice(missing: &[Package]) -> String {
    let is_llvm = missing.iter().any(|package| package.need == Need::Ebpf);
    let hint = if is_llvm { "; apt.llvm.org has LLVM for releases that lack it" } else { "" };
    format!("install these by hand, then try again: {}{hint}", described(missing))
}

/// apt-get, through sudo if necessary, without questions.
fn apt_get(arguments: &[&str]) -> Result<Command> {
    let env = Path::new("/usr/bin/env");
    let mut command = if privilege::is_root() {
        Command::new(env)
    } else {
        privilege::sudo(env, "root to install packages")?
    };
    command.args(["DEBIAN_FRONTEND=noninteractive", "apt-get"]).args(arguments);
    Ok(command)
}

/// Whether the C compiler will find a header.
fn exists(header: &str) -> bool {
    ["/usr/include", "/usr/local/include"].iter().any(|path| Path::new(path).join(header).exists())
}
