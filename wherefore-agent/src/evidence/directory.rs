//! The directory of evidence, and the names of files in it. Owns private files that follow no link and
//! replace no file, and the recognition of our own names; refuses to touch files with other names.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use sha2::{Digest, Sha256};
use wherefore_common::FlowKey;

use crate::traffic::group::GroupBy;

/// The number of bytes of a group's digest in the names of its files, as hexadecimal digits.
const DIGEST_DIGITS: usize = 8;

/// A directory for evidence.
#[derive(Debug)]
pub(super) struct Directory {
    path: PathBuf,
    /// A lock that is held while it is open.
    claim: Option<File>,
}

/// The kind of a file, which its name shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Packets of a group without an alert.
    Incoming,
    /// Packets of an alert.
    Archived,
}

impl Directory {
    /// Opens the directory. Creates it for this user only, if it is missing.
    ///
    /// # Errors
    /// If this fails, or it is not a directory.
    pub(super) fn open(path: &Path) -> Result<Self> {
        let failed = || format!("cannot keep packets in {}", path.display());
        if !path.exists() {
            let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
            made.with_context(failed)?;
        }
        let path = path.canonicalize().with_context(failed)?;
        if !path.is_dir() {
            bail!("cannot keep packets in {}: it is not a directory", path.display());
        }
        Ok(Self { path, claim: None })
    }

    /// Locks the directory, so that no other agent takes our files for those of a killed agent.
    ///
    /// # Errors
    /// If another agent has locked it.
    pub(super) fn claim(&mut self) -> Result<()> {
        let path = self.path.display();
        let claim = File::open(&self.path).with_context(|| format!("cannot open {path}"))?;
        if claim.try_lock().is_err() {
            bail!("another wherefore logs packets to {path}: choose another directory with -l");
        }
        self.claim = Some(claim);
        Ok(())
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        self.path == other.path
    }

    pub(super) fn path_of(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Creates a private file. Its name is `name` with the first number, from `from` on, for which there is
    /// no file.
    pub(super) fn create(
        &self,
        from: u32,
        name: impl Fn(u32) -> String,
    ) -> io::Result<(u32, PathBuf, File)> {
        /// If more names than this are taken, this is an attack.
        const TRIES: u32 = 100;
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for number in from..from.saturating_add(TRIES) {
            let path = self.path_of(&name(number));
            match private(&path) {
                Ok(file) => return Ok((number, path, file)),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => last = error,
                Err(error) => return Err(error),
            }
        }
        Err(last)
    }

    /// Moves a file into this directory, under a name that is found like that of [`Self::create`], without
    /// replacing a file.
    pub(super) fn take(
        &self,
        file: &Path,
        from: u32,
        name: impl Fn(u32) -> String,
    ) -> io::Result<(u32, PathBuf)> {
        let mut source = open_ours(OpenOptions::new().read(true), file)?;
        let (number, path, mut target) = self.create(from, name)?;
        // The name is reserved: within a file system the file replaces the empty one.
        if fs::rename(file, &path).is_ok() {
            return Ok((number, path));
        }
        if let Err(error) = io::copy(&mut source, &mut target) {
            let _ = fs::remove_file(&path);
            return Err(error);
        }
        fs::remove_file(file).map(|()| (number, path))
    }

    /// Our files, with their kinds and sizes.
    pub(super) fn survey(&self) -> io::Result<Vec<(PathBuf, Kind, u64)>> {
        let uid = nix::unistd::geteuid().as_raw();
        let mut ours = Vec::new();
        for entry in fs::read_dir(&self.path)? {
            let entry = entry?;
            let Some(kind) = entry.file_name().to_str().and_then(kind) else { continue };
            // If it is a link, the metadata of the link itself.
            let Ok(facts) = entry.metadata() else { continue };
            if facts.is_file() && facts.uid() == uid {
                ours.push((entry.path(), kind, facts.len()));
            }
        }
        Ok(ours)
    }
}

fn private(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create_new(true).mode(0o600).custom_flags(libc::O_NOFOLLOW);
    options.open(path)
}

/// Reopens one of our files for appending; refuses a file that somebody has put in its place.
pub(super) fn reopen(path: &Path) -> io::Result<File> {
    open_ours(OpenOptions::new().append(true), path)
}

/// Opens a file without following a link, and without blocking if it is a pipe.
fn open_ours(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let file = options.custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK).open(path)?;
    let facts = file.metadata()?;
    let is_ours =
        facts.is_file() && facts.nlink() == 1 && facts.uid() == nix::unistd::geteuid().as_raw();
    if is_ours { Ok(file) } else { Err(io::Error::other("another file is in its place")) }
}

/// The beginning of the names of a group's files: safe for any address, and unique to the group.
pub(super) fn stem(group_by: GroupBy, group: &FlowKey) -> String {
    let (from, to) = (group_by.source(group), group_by.destination(group));
    let mut digest = Sha256::new_with_prefix(group_by.name());
    for part in [&from, &to] {
        digest.update([0]);
        digest.update(part);
    }
    digest.update([0, group.protocol, group.direction]);
    let digest = digest.finalize();
    let digits: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{}_to_{}-{}", safe(&from), safe(&to), &digits[..DIGEST_DIGITS])
}

/// Keeps letters, digits, dots and dashes, and makes the name begin with a letter or digit. Hosts and
/// programs choose their names, and may choose long ones.
fn safe(name: &str) -> String {
    const LONGEST: usize = 80;
    let name = if name == "*" { "any" } else { name };
    let name = if name.starts_with('.') { &format!("_{name}") } else { name };
    let brackets = |c: &char| !matches!(c, '[' | ']');
    let safe = |c: char| match c {
        '/' => '-',
        '.' | '0'..='9' | 'a'..='z' | 'A'..='Z' => c,
        _ => '_',
    };
    name.chars().filter(brackets).map(safe).take(LONGEST).collect()
}

/// The time of an alert as a part of a name.
pub(super) fn stamp(time: &str) -> String {
    time.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// The name of a file of a group without an alert.
pub(super) fn incoming(stem: &str, number: u32) -> String {
    format!("{stem}.{number}.pcap")
}

/// The name of a file of an alert.
pub(super) fn archived(stem: &str, stamp: &str, number: u32, extension: &str) -> String {
    format!("{stem}.{stamp}.{number}.{extension}")
}

/// The kind of the file with this name.
fn kind(name: &str) -> Option<Kind> {
    let (rest, is_log) = match name.strip_suffix(".pcap") {
        Some(rest) => (rest, true),
        None => (name.strip_suffix(".pcapng")?, false),
    };
    let (rest, number) = rest.rsplit_once('.')?;
    if number.is_empty() || !number.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    if is_log && is_stem(rest) {
        return Some(Kind::Incoming);
    }
    let (rest, stamp) = rest.rsplit_once('.')?;
    (is_stem(rest) && is_stamp(stamp)).then_some(Kind::Archived)
}

fn is_stem(text: &str) -> bool {
    let Some((names, digest)) = text.rsplit_once('-') else { return false };
    let is_digit = |digit: u8| matches!(digit, b'0'..=b'9' | b'a'..=b'f');
    names.contains("_to_") && digest.len() == DIGEST_DIGITS && digest.bytes().all(is_digit)
}

fn is_stamp(text: &str) -> bool {
    let is_part = |c: char| c.is_ascii_digit() || matches!(c, 'T' | 'Z');
    text.len() > DIGEST_DIGITS && text.ends_with('Z') && text.chars().all(is_part)
}

#[cfg(test)]
mod tests {
    use super::*;
    use wherefore_common::flow::address_words;

    fn pair(src: &str, dst: &str) -> FlowKey {
        let words = |text: &str| address_words(text.parse().expect("an address"));
        let ((family, src), (_, dst)) = (words(src), words(dst));
        FlowKey { src, dst, family, ..FlowKey::default() }
    }

    #[test]
    fn names_are_safe_for_any_address_and_known_again() {
        let groups = [pair("10.0.0.1", "192.0.2.7"), pair("::1", "fd77::ffff:1.2.3.4")];
        let ways = [GroupBy::Pair, GroupBy::Flow, GroupBy::Src, GroupBy::Dst, GroupBy::PeerPrefix];
        for (group, by) in groups.iter().flat_map(|group| ways.map(|by| (group, by))) {
            let ported = FlowKey { sport: 1, dport: 443, protocol: 6, direction: 1, ..*group };
            let stem = stem(by, &by.key(&ported));
            assert!(!stem.starts_with(['-', '.']), "{stem}");
            let is_safe = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
            assert!(stem.chars().all(is_safe) && stem.len() < 200, "{stem}");
            assert_eq!(kind(&incoming(&stem, 12)), Some(Kind::Incoming), "{stem}");
            let stamp = stamp("2026-11-24T21:58:15.123456789Z");
            for extension in ["pcap", "pcapng"] {
                let name = archived(&stem, &stamp, 3, extension);
                assert_eq!(kind(&name), Some(Kind::Archived), "{name}");
            }
        }
        assert!(stem(GroupBy::Pair, &groups[0]).starts_with("10.0.0.1_to_192.0.2.7-"));
        assert!(stem(GroupBy::Pair, &groups[1]).starts_with("__1_to_fd77__ffff_102_304-"));
    }

    #[test]
    fn other_names_are_not_ours() {
        for name in [
            "capture.pcap",
            "a.0.pcap",
            "a_to_b.0.pcap",
            "a_to_b-0123456.0.pcap",
            "a_to_b-0123456g.0.pcap",
            "a_to_b-01234567.pcap",
            "a_to_b-01234567.x.pcap",
            "a_to_b-01234567.0.pcapng",
            "a_to_b-01234567.0.pcap.gz",
            "a_to_b-01234567.note.0.pcap",
        ] {
            assert_eq!(kind(name), None, "{name}");
        }
    }
}
