//! Packet files as others read them: through tcpdump and tshark. Owns nothing; refuses to judge.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use wherefore_agent::input::capture_file::CaptureFile;

/// A packet as tcpdump reads it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ReadBack {
    /// Nanoseconds since 1970.
    pub time_ns: i64,
    /// Bytes on the wire.
    pub wire_len: usize,
    /// The bytes that were kept.
    pub bytes: Vec<u8>,
}

/// The packets of a file, read by tcpdump.
///
/// # Errors
/// If tcpdump finds fault with it.
pub fn tcpdump(path: &Path) -> Result<Vec<ReadBack>> {
    let mut tcpdump = Command::new("tcpdump");
    // As root it would drop the right to read private files.
    tcpdump.args(["-Z", "root", "--nano", "-w", "-", "-r"]).arg(path);
    let mut file = CaptureFile::from_reader(std::io::Cursor::new(output(tcpdump)?), "tcpdump")?;
    let mut packets = Vec::new();
    while let Some(record) = file.next()? {
        packets.push(ReadBack {
            time_ns: record.time_ns.context("a packet without time")?,
            wire_len: record.wire_len as usize,
            bytes: record.bytes.to_vec(),
        });
    }
    Ok(packets)
}

/// One field of every packet of a file, read by tshark.
///
/// # Errors
/// If tshark finds fault with it.
pub fn tshark(path: &Path, field: &str) -> Result<Vec<String>> {
    let mut tshark = Command::new("tshark");
    tshark.args(["-n", "-T", "fields", "-e", field, "-r"]).arg(path);
    let text = String::from_utf8(output(tshark)?)?;
    Ok(text.lines().map(str::to_owned).collect())
}

fn output(mut command: Command) -> Result<Vec<u8>> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() || said.contains("truncated") || said.contains("cut short") {
        bail!("{command:?}: {}: {said}", output.status);
    }
    Ok(output.stdout)
}

/// The packet files of a directory, by name; none if it is missing.
pub fn packet_files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).into_iter().flatten().flatten();
    let is_packets = |path: &PathBuf| {
        path.extension().is_some_and(|extension| extension == "pcap" || extension == "pcapng")
    };
    let mut files: Vec<_> = entries.map(|entry| entry.path()).filter(is_packets).collect();
    files.sort();
    files
}

/// Those of [`packet_files`] with this extension.
pub fn files_with(directory: &Path, extension: &str) -> Vec<PathBuf> {
    let mut files = packet_files(directory);
    files.retain(|path| path.extension().is_some_and(|its| its == extension));
    files
}
