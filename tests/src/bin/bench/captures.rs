//! Frames and capture files to measure with. Owns their generation, the same each time; refuses to
//! keep more than two files, under target/bench.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::driver::directory;

/// Packets of the mix: as a link sees them, 10,000 flows of very different activity.
const MIX_PACKETS: u32 = 1_000_000;
const MIX_FLOWS: f64 = 10_000.0;
/// The worst case: the shortest frames, each of another flow than the one before.
const WORST_PACKETS: u32 = 2_000_000;
const WORST_FLOWS: u32 = 1_000_000;

/// A capture file and its content.
#[derive(Debug)]
pub(crate) struct Capture {
    pub(crate) name: &'static str,
    pub(crate) path: PathBuf,
    pub(crate) packets: u32,
    /// Bytes of the file.
    pub(crate) size: u64,
}

/// An Ethernet frame of 64 bytes (with FCS) whose source identifies the flow.
pub(crate) fn udp_frame(flow: u32) -> Vec<u8> {
    let [a, b, c, d] = flow.to_be_bytes();
    let mut frame = vec![2; 12];
    frame.extend([0x08, 0, 0x45, 0, 0, 46, 0, 0, 0, 0, 64, 17, 0, 0]);
    frame.extend([10, b, c, d, 192, 0, 2, 1]);
    frame.extend([0x10, a, 0, 53, 0, 26, 0, 0]);
    frame.resize(60, 0);
    frame
}

/// Both files, made if they are missing.
pub(crate) fn both() -> Result<[Capture; 2]> {
    let mut random = fastrand::Rng::with_seed(11);
    let mix = capture("mix", MIX_PACKETS, |_| mixed_frame(&mut random))?;
    let worst = capture("worst", WORST_PACKETS, |packet| {
        // An odd multiplier below the number of flows visits each once a cycle, far apart.
        udp_frame((u64::from(packet) * 618_033 % u64::from(WORST_FLOWS)) as u32)
    })?;
    Ok([mix, worst])
}

fn capture(name: &'static str, packets: u32, frame: impl FnMut(u32) -> Vec<u8>) -> Result<Capture> {
    let path = directory()?.join(format!("{name}-{packets}.pcap"));
    if !path.exists() {
        // Under another name until it is whole.
        let unfinished = path.with_extension("unfinished");
        write(&unfinished, packets, frame)?;
        std::fs::rename(&unfinished, &path)?;
    }
    let size = std::fs::metadata(&path)?.len();
    Ok(Capture { name, path, packets, size })
}

/// Packets 10 us apart.
fn write(path: &Path, packets: u32, mut frame: impl FnMut(u32) -> Vec<u8>) -> Result<()> {
    let failed = || format!("cannot write {}", path.display());
    let mut file = BufWriter::new(std::fs::File::create(path).with_context(failed)?);
    let header = [0xa1b2_c3d4u32, 0x0004_0002, 0, 0, 65_535, 1];
    header.iter().try_for_each(|word| file.write_all(&word.to_le_bytes()))?;
    for packet in 0..packets {
        let frame = frame(packet);
        let length = u32::try_from(frame.len())?;
        let (second, part) = (packet / 100_000, packet % 100_000 * 10);
        let record = [1_700_000_000 + second, part, length, length];
        record.iter().try_for_each(|word| file.write_all(&word.to_le_bytes()))?;
        file.write_all(&frame)?;
    }
    file.flush().with_context(failed)
}

/// IPv4 and IPv6, TCP and UDP, short, middle and full frames as 7 : 4 : 1; the frequency of flow n is
/// about 1 / n.
fn mixed_frame(random: &mut fastrand::Rng) -> Vec<u8> {
    let flow = MIX_FLOWS.powf(random.f64()) as u32;
    let size = match random.u8(..12) {
        0..7 => 66,
        7..11 => 576,
        _ => 1_514,
    };
    let protocol = if flow.is_multiple_of(4) { 17 } else { 6 };
    let mut frame = vec![2; 12];
    if flow.is_multiple_of(10) {
        ipv6(&mut frame, flow, protocol, size.max(74))
    } else {
        ipv4(&mut frame, flow, protocol, size)
    }
    frame
}

fn ipv4(frame: &mut Vec<u8>, flow: u32, protocol: u8, size: usize) {
    let [_, a, b, c] = flow.to_be_bytes();
    let [high, low] = ((size - 14) as u16).to_be_bytes();
    frame.extend([0x08, 0, 0x45, 0, high, low, 0, 0, 0x40, 0, 64, protocol, 0, 0]);
    frame.extend([10, a, b, c, 192, 0, 2, b]);
    transport(frame, flow, protocol, size);
}

fn ipv6(frame: &mut Vec<u8>, flow: u32, protocol: u8, size: usize) {
    let [_, a, b, c] = flow.to_be_bytes();
    let [high, low] = ((size - 54) as u16).to_be_bytes();
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0, high, low, protocol, 64]);
    frame.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, a, b, c]);
    frame.extend([0x20, 1, 0x0d, 0xb8, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, b]);
    transport(frame, flow, protocol, size);
}

/// Ports and lengths; the rest is zeros.
fn transport(frame: &mut Vec<u8>, flow: u32, protocol: u8, size: usize) {
    let [high, low] = (1024 + (flow % 60_000) as u16).to_be_bytes();
    let start = frame.len();
    frame.extend([high, low, 1, 0xbb]);
    if protocol == 6 {
        // Sequence numbers, then a header of 20 bytes with ACK.
        frame.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x50, 0x10, 0xff, 0xff, 0, 0, 0, 0]);
    } else {
        let [high, low] = ((size - start) as u16).to_be_bytes();
        frame.extend([high, low, 0, 0]);
    }
    frame.resize(size, 0);
}
