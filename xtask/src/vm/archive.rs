//! Debian's archive, independent of the host's release: lists and packages below target/vm, with a
//! configuration of apt of its own. Owns the releases that kernels come from; changes nothing on the host.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result};

use crate::shell;

/// Releases, and whether they are in the archive of security updates.
const RELEASES: [(&str, bool); 5] = [
    ("bullseye", false),
    ("bullseye-security", true),
    ("bookworm", false),
    ("trixie", false),
    ("trixie-backports", false),
];
const KEYS: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";

pub(super) struct Archive {
    folder: PathBuf,
}

impl Archive {
    /// Downloads the lists.
    pub(super) fn open(folder: &Path) -> Result<Self> {
        let archive = Self { folder: folder.join("apt") };
        for part in ["lists/partial", "cache/archives/partial"] {
            let path = archive.folder.join(part);
            fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        }
        let mirrors = mirrors();
        let line = |(release, is_security): (&str, bool)| {
            let mirror = &mirrors[usize::from(is_security)];
            format!("deb [signed-by={KEYS} arch=amd64] {mirror} {release} main\n")
        };
        archive.write("sources.list", &RELEASES.map(line).concat())?;
        archive.write("apt.conf", &archive.configuration())?;
        shell::say("reading the lists of Debian's archive");
        shell::run(archive.apt("apt-get").args(["update", "-q", "-q"]))?;
        Ok(archive)
    }

    fn configuration(&self) -> String {
        let folder = self.folder.display();
        format!(
            "Dir::Etc::sourcelist \"{folder}/sources.list\";\nDir::Etc::sourceparts \"-\";\n\
             Dir::State::lists \"{folder}/lists\";\nDir::Cache \"{folder}/cache\";\n\
             Acquire::Languages \"none\";\nAcquire::IndexTargets::deb::DEP-11::DefaultEnabled \"false\";\n\
             APT::Sandbox::User \"root\";\n"
        )
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text).with_context(|| format!("writing {}", path.display()))
    }

    fn apt(&self, program: &str) -> Command {
        let mut command = shell::command(program);
        command.env("APT_CONFIG", self.folder.join("apt.conf"));
        command
    }

    /// The names of all packages with this prefix.
    pub(super) fn names(&self, prefix: &str) -> Result<Vec<String>> {
        let names = shell::output(self.apt("apt-cache").args(["pkgnames", prefix]))?;
        Ok(names.lines().map(str::to_owned).collect())
    }

    /// Unpacks packages to a folder.
    pub(super) fn unpack(&self, packages: &[String], to: &Path) -> Result<()> {
        let files = self.folder.join("packages");
        // Files that an earlier attempt left would be unpacked too.
        let _ = fs::remove_dir_all(&files);
        fs::create_dir_all(&files).with_context(|| format!("making {}", files.display()))?;
        let mut download = self.apt("apt-get");
        download.args(["download", "-q", "-q"]).args(packages).current_dir(&files);
        shell::run(&mut download)?;
        for entry in fs::read_dir(&files).with_context(|| format!("reading {}", files.display()))? {
            let file = entry?.path();
            shell::run(shell::command("dpkg-deb").arg("--extract").arg(&file).arg(to))?;
        }
        fs::remove_dir_all(&files).with_context(|| format!("removing {}", files.display()))
    }
}

/// The host's mirrors of Debian and of its security updates.
fn mirrors() -> [String; 2] {
    let mut targets = shell::command("apt-get");
    targets.args(["indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"]);
    let known = shell::output(&mut targets).unwrap_or_default();
    ["debian", "debian-security"].map(|name| {
        let is_it = |uri: &&str| uri.trim_end_matches('/').ends_with(&format!("/{name}"));
        let found = known.lines().find(is_it);
        found.map_or_else(|| format!("http://deb.debian.org/{name}"), str::to_owned)
    })
}
