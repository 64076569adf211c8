//! Restricts files and ports, by Landlock. Owns what every agent reads from the system; refuses to restrict
//! if the kernel would deny too much: before Linux 5.19, no file can be moved between folders.

use std::fmt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort,
    PathBeneath, PathFd, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, Scope,
};

use super::settings::Settings;

/// The newest version of Landlock that is used here. A kernel with an older one enforces what it knows.
const KNOWN: ABI = ABI::V6;

/// The files that every agent reads: libraries, certificates, names of users, hosts and time zones; the state
/// of the kernel and of container runtimes. Files in `/etc` and below `/run` are replaced by new ones, so the
/// rule must cover the whole folder.
const SYSTEM: [&str; 28] = [
    "/etc",
    "/gnu/store",
    "/lib",
    "/lib32",
    "/lib64",
    "/nix/store",
    "/proc",
    "/run/NetworkManager",
    "/run/connman",
    "/run/containerd",
    "/run/containers",
    "/run/netconfig",
    "/run/nscd",
    "/run/resolvconf",
    "/run/systemd",
    "/sys",
    "/usr",
    "/var/lib/GeoIP",
    "/var/lib/ca-certificates",
    "/var/lib/containers",
    "/var/lib/docker/containers",
    "/var/lib/kubelet/pods",
    "/var/lib/nscd",
    "/var/lib/sss",
    "/var/log/pods",
    "/var/run/nscd",
    "/dev/random",
    "/dev/urandom",
];
/// Devices that are also written to.
const DEVICES: [&str; 4] = ["/dev/full", "/dev/null", "/dev/tty", "/dev/zero"];
/// Variables that name further files with certificates and time zones.
const VARIABLES: [&str; 3] = ["SSL_CERT_FILE", "SSL_CERT_DIR", "TZDIR"];
/// Folders whose files are allowed one by one, because they contain too much else.
const BROAD: [&str; 4] = ["/", "/dev", "/home", "/var"];

/// The restrictions in force.
pub(super) struct Restricted {
    landlock: LandlockStatus,
    /// Whether ports are restricted.
    pub(super) has_ports: bool,
}

impl fmt::Display for Restricted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.has_ports { "files and TCP ports" } else { "files" })?;
        match self.landlock {
            LandlockStatus::Available { effective_abi, .. } => {
                write!(f, " (version {})", effective_abi as i32)
            }
            _ => Ok(()),
        }
    }
}

/// Restricts this thread and the threads that it starts.
///
/// # Errors
/// If the kernel has no Landlock or too old a version, or if it would break the agent.
pub(super) fn restrict(settings: &Settings) -> Result<Restricted> {
    if settings.looks_into_processes {
        bail!(
            "Landlock would hide the open files of other processes, by which owners are found here \
             (--attribution proc)"
        );
    }
    if strict().handle_access(AccessFs::WriteFile).is_err() {
        bail!("the kernel has no Landlock, or it is not in its list of security modules (lsm=)");
    }
    if strict().handle_access(AccessFs::Refer).is_err() {
        bail!(
            "the kernel's Landlock is too old: before Linux 5.19 no file may move between folders"
        );
    }
    let has_ports = strict().handle_access(AccessNet::ConnectTcp).is_ok();
    let mut rules = handled(settings)?;
    let written = AccessFs::from_all(KNOWN)
        & !(AccessFs::Execute | AccessFs::MakeChar | AccessFs::MakeBlock | AccessFs::IoctlDev);
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let device = AccessFs::ReadFile | AccessFs::WriteFile | AccessFs::Truncate | AccessFs::IoctlDev;
    let named = VARIABLES.iter().filter_map(std::env::var_os).map(PathBuf::from);
    let named = named.chain([PathBuf::from("/etc/resolv.conf"), PathBuf::from("/etc/localtime")]);
    let named: Vec<_> = named.chain(settings.read.iter().cloned()).collect();
    allow(&mut rules, SYSTEM.iter().map(PathBuf::from), read);
    allow(&mut rules, named.iter().flat_map(|path| places(path)), read);
    allow(&mut rules, std::env::current_exe().ok(), read);
    allow(&mut rules, DEVICES.iter().map(PathBuf::from), device);
    allow(&mut rules, settings.written.iter().flat_map(|path| places(path)), written);
    allow(&mut rules, settings.folders.iter().cloned(), written);
    for port in settings.ports.iter().flatten() {
        rules = rules.add_rule(NetPort::new(*port, AccessNet::ConnectTcp)).context("a port")?;
    }
    let landlock = rules.restrict_self().context("Landlock refuses")?.landlock;
    Ok(Restricted { landlock, has_ports })
}

/// Rules that fail if the kernel does not know a right.
fn strict() -> Ruleset {
    Ruleset::default().set_compatibility(CompatLevel::HardRequirement)
}

/// Rules that deny everything that is not allowed later.
fn handled(settings: &Settings) -> Result<RulesetCreated> {
    let mut net: BitFlags<AccessNet> = AccessNet::BindTcp.into();
    if settings.ports.is_some() {
        net |= AccessNet::ConnectTcp;
    }
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(KNOWN))
        .and_then(|rules| rules.handle_access(net))
        .and_then(|rules| rules.scope(Scope::Signal))
        .and_then(Ruleset::create);
    rules.context("Landlock refuses the rules")
}

/// Allows existing files. Missing files cannot be allowed; neither can special files such as pipes, which
/// need no rule.
fn allow(
    rules: &mut RulesetCreated,
    paths: impl IntoIterator<Item = PathBuf>,
    access: impl Into<BitFlags<AccessFs>>,
) {
    let access = access.into();
    for path in paths {
        let Ok(place) = PathFd::new(&path) else { continue };
        let is_folder = std::fs::metadata(&path).is_ok_and(|metadata| metadata.is_dir());
        let access = if is_folder { access } else { access & AccessFs::from_file(KNOWN) };
        if let Err(error) = rules.add_rule(PathBeneath::new(place, access)) {
            tracing::debug!(path = %path.display(), %error, "Landlock refuses a rule for a path");
        }
    }
}

/// The folders that a rule must cover so that a file can be reopened after it was replaced: its own, and that
/// of a link's target.
fn places(file: &Path) -> Vec<PathBuf> {
    let mut places: Vec<_> = place(file).into_iter().collect();
    places.extend(std::fs::canonicalize(file).ok().as_deref().and_then(place));
    places
}

fn place(file: &Path) -> Option<PathBuf> {
    let is_special = std::fs::metadata(file).is_ok_and(|metadata| {
        let kind = metadata.file_type();
        kind.is_dir() || kind.is_char_device() || kind.is_block_device() || kind.is_fifo()
    });
    let folder = match file.parent()? {
        folder if folder.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    let is_broad = BROAD.iter().any(|broad| folder == Path::new(broad));
    Some(if is_special || is_broad { file.to_owned() } else { folder.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_is_about_the_folder_of_a_file_and_about_a_device_itself() {
        for (file, about) in [
            ("/var/log/wherefore/flows.jsonl", "/var/log/wherefore"),
            ("flows.jsonl", "."),
            ("/dev/null", "/dev/null"),
            ("/flows.jsonl", "/flows.jsonl"),
            ("/proc", "/proc"),
        ] {
            assert_eq!(place(Path::new(file)).as_deref(), Some(Path::new(about)), "{file}");
        }
    }
}
