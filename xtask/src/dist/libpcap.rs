//! libpcap for the static program. Owns its version, its source (Debian's archive, by apt), the parts that
//! are left out, and the checksum of the source; refuses a source with another checksum.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::tree::Tree;
use crate::shell;

pub(super) const VERSION: &str = "1.10.3";
/// The version of Debian's source package.
pub(super) const PACKAGE: &str = "1.10.3-1";
pub(super) const SHA256: &str = "2a8885c403516cf7b0933ed4b14d6caa30e02052489ebd414dc75ac52e7559e6";
pub(super) const COMPILER: &str = "musl-gcc";
/// A release of Debian that has this version.
const SOURCE: &str = "deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] \
                      http://deb.debian.org/debian bookworm main\n";
/// Only network interfaces: no other devices, no libraries.
const CONFIGURED: [&str; 12] = [
    "--host=x86_64-linux-musl",
    "--with-pcap=linux",
    "--disable-shared",
    "--disable-usb",
    "--disable-bluetooth",
    "--disable-dbus",
    "--disable-rdma",
    "--without-libnl",
    "--without-dag",
    "--without-septel",
    "--without-snf",
    "--without-dpdk",
];

/// The folder with the library, which is built if it is missing.
pub(super) fn built(tree: &Tree) -> Result<PathBuf> {
    let folder = tree.dist().join("libpcap");
    let library = folder.join("lib/libpcap.a");
    if !library.is_file() {
        let source = unpacked(&folder)?;
        build(tree, &folder, &source)?;
        let to = folder.join("lib");
        fs::create_dir_all(&to).with_context(|| format!("making {}", to.display()))?;
        fs::copy(source.join("libpcap.a"), &library).context("keeping libpcap")?;
    }
    Ok(folder.join("lib"))
}

/// The licence's text.
pub(super) fn license(tree: &Tree) -> PathBuf {
    tree.dist().join("libpcap").join(format!("libpcap-{VERSION}/LICENSE"))
}

fn unpacked(folder: &Path) -> Result<PathBuf> {
    fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    let tarball = folder.join(format!("libpcap_{VERSION}.orig.tar.gz"));
    if !tarball.is_file() {
        download(folder)?;
    }
    let sum = shell::output(shell::command("sha256sum").arg(&tarball))?;
    ensure!(
        sum.starts_with(SHA256),
        "{} is not the expected source: its SHA-256 is {sum}",
        tarball.display()
    );
    shell::run(shell::command("tar").arg("-xf").arg(&tarball).arg("-C").arg(folder))?;
    Ok(folder.join(format!("libpcap-{VERSION}")))
}

/// Downloads the source by apt, with a list of our own: the system's list may have no sources, or belong to
/// another system.
fn download(folder: &Path) -> Result<()> {
    let (list, state) = (folder.join("sources.list"), folder.join("apt"));
    fs::create_dir_all(state.join("partial")).context("making a folder for apt")?;
    fs::write(&list, SOURCE).context("writing a list for apt")?;
    let apt = |arguments: &[&str]| {
        let mut apt = shell::command("apt-get");
        apt.arg(format!("-oDir::Etc::sourcelist={}", list.display()));
        apt.arg(format!("-oDir::State::lists={}", state.display()));
        apt.args(["-oDir::Etc::sourceparts=-", "-oDir::Cache::pkgcache=", "-q"]);
        apt.args(["-oDir::Cache::srcpkgcache=", "-oDebug::NoLocking=true"]);
        apt.args(arguments).current_dir(folder);
        shell::run(&mut apt)
    };
    apt(&["update"])?;
    apt(&["source", "--download-only", &format!("libpcap={PACKAGE}")])
}

fn build(tree: &Tree, folder: &Path, source: &Path) -> Result<()> {
    let headers = headers(folder)?;
    let maps = tree.maps();
    let maps = maps.iter().map(|(from, to)| format!(" -ffile-prefix-map={}={to}", from.display()));
    let flags = format!("-O2 -idirafter {}{}", headers.display(), maps.collect::<String>());
    let mut configure = shell::command(source.join("configure"));
    configure.args(CONFIGURED).current_dir(source);
    shell::run(configure.env("CC", COMPILER).env("CFLAGS", flags))?;
    shell::run(shell::command("make").arg("libpcap.a").current_dir(source))
}

/// The kernel's headers, which musl's compiler does not find by itself.
fn headers(folder: &Path) -> Result<PathBuf> {
    let headers = folder.join("headers");
    fs::create_dir_all(&headers).with_context(|| format!("making {}", headers.display()))?;
    let own = format!("/usr/include/{}-linux-gnu/asm", std::env::consts::ARCH);
    let links = [
        ("linux", "/usr/include/linux"),
        ("asm", &own),
        ("asm-generic", "/usr/include/asm-generic"),
    ];
    for (name, to) in links {
        let link = headers.join(name);
        if !link.is_symlink() {
            symlink(to, &link).with_context(|| format!("linking {}", link.display()))?;
        }
    }
    Ok(headers)
}
