//! Tests that the kernel and the host parse every frame alike: crafted frames, frames of real captures, and
//! mutations of both, through the programs by BPF_PROG_TEST_RUN and through the host's parser.

use std::collections::BTreeMap;
use std::path::PathBuf;

use anyhow::Result;
use wherefore_agent::input::capture_file::CaptureFile;
use wherefore_common::abi::program;
use wherefore_common::{Direction, FlowKey, LinkType, Reason, Skip, Slice, link};
use wherefore_tests::kernel::{Counted, Kernel, Sums, TEST_IFINDEX, key_bytes};
use wherefore_tests::lab::Lab;

/// The length of frames that a test run accepts: more than an Ethernet header, and at most one page.
const FRAME_SIZES: std::ops::RangeInclusive<usize> = 15..=3000;
/// Frames taken from one capture.
const FROM_ONE_CAPTURE: usize = 200;
/// Mutants of each frame.
const MUTANTS: usize = 4;
/// Frames between two comparisons.
const BATCH: usize = 1000;
/// How often each frame is run: the first time its flow is new, the second time a plain packet is
/// counted at once.
const TIMES: u32 = 2;
/// Fewer would prove little.
const ENOUGH: usize = 40_000;

#[test]
fn kernel_and_host_agree_on_tens_of_thousands_of_frames() -> Result<()> {
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("parser_differential", &reason);
        return Ok(());
    }
    let mut frames = seeds()?;
    mutate(&mut frames);
    if frames.len() < ENOUGH {
        // Without the large collection of captures, more mutants of fewer seeds make up for it.
        while frames.len() < ENOUGH {
            mutate(&mut frames);
        }
    }
    let ways = [
        (program::TC_INGRESS, LinkType::ETHERNET, Direction::Ingress),
        (program::TC_EGRESS_L3, LinkType::RAW, Direction::Egress),
        (program::XDP_FRAGS, LinkType::ETHERNET, Direction::Ingress),
        (program::XDP, LinkType::ETHERNET, Direction::Ingress),
    ];
    for (name, link, direction) in ways {
        let mut kernel = Kernel::load(direction, BATCH as u32)?;
        let mut compared = 0;
        for batch in frames.chunks(BATCH) {
            compared += compare(&mut kernel, name, link, direction, batch)?;
        }
        println!("{name}: {compared} of {} frames compared, no difference", frames.len());
        assert!(compared > frames.len() * 9 / 10, "{name}: too many frames were refused");
    }
    Ok(())
}

#[test]
fn the_verifier_has_room_left() -> Result<()> {
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("the_verifier_has_room_left", &reason);
        return Ok(());
    }
    // Kernels differ in how well they prune: Linux 5.10 followed seven times as much of a program as 6.18
    // did, and the limit is 1,000,000.
    const BUDGET: u32 = 125_000;
    let names = [
        program::TC_INGRESS,
        program::TC_EGRESS,
        program::TC_INGRESS_L3,
        program::TC_EGRESS_L3,
        program::XDP,
        program::XDP_FRAGS,
    ];
    for evidence in [0, 256, 65_536] {
        let mut kernel = Kernel::load_with_evidence(Direction::Ingress, 1, evidence)?;
        for name in names {
            let verified = kernel.verified_instructions(name)?;
            println!("{name}, {evidence} bytes of evidence: {verified} instructions");
            assert!(verified < BUDGET, "{name}: {verified} instructions to verify");
        }
    }
    Ok(())
}

/// Runs a batch through the kernel and the host; where they differ, finds the frame. Returns how
/// many frames were compared: TC test runs refuse those whose IP header, by their EtherType, is
/// cut (XDP runs take them).
fn compare(
    kernel: &mut Kernel,
    name: &str,
    link: LinkType,
    direction: Direction,
    batch: &[Vec<u8>],
) -> Result<usize> {
    let mut is_taken = |frame: &&Vec<u8>| run(kernel, name, frame).is_ok();
    let taken: Vec<Vec<u8>> = batch.iter().filter(&mut is_taken).cloned().collect();
    if kernel.take()? == on_the_host(&taken, link, direction) {
        return Ok(taken.len());
    }
    for frame in &taken {
        run(kernel, name, frame)?;
        let of_kernel = kernel.take()?;
        let of_host = on_the_host(std::slice::from_ref(frame), link, direction);
        assert_eq!(of_kernel, of_host, "{name} and the host differ on {frame:02x?}");
    }
    panic!("{name} and the host differ on a batch, but on no frame by itself");
}

/// Run by run: with repeats the kernel sets up each XDP run anew, which takes milliseconds.
fn run(kernel: &mut Kernel, name: &str, frame: &[u8]) -> Result<()> {
    kernel.run(name, frame, None, TIMES)
}

fn on_the_host(frames: &[Vec<u8>], link: LinkType, direction: Direction) -> Counted {
    let mut counted = Counted::default();
    for frame in frames {
        let mut key =
            FlowKey { ifindex: TEST_IFINDEX, direction: direction as u8, ..FlowKey::default() };
        let bytes = frame.len() as u64;
        match link::parse(&Slice::new(frame, frame.len()), link, &mut key) {
            Ok(extent) => {
                let sums = counted.flows.entry(key_bytes(&key)).or_default();
                add(sums, (1, u64::from(extent.bytes), bytes, u64::from(extent.tcp_flags)));
            }
            Err(skip) => {
                let reason = match skip {
                    Skip::NonIp => Reason::NonIp,
                    Skip::Malformed => Reason::MalformedIp,
                };
                add(counted.remainders.entry(reason as u8).or_default(), (1, 0, bytes, 0));
            }
        }
    }
    counted
}

fn add(sums: &mut Sums, more: Sums) {
    let times = u64::from(TIMES);
    let (packets, bytes, frame_bytes, flags) = more;
    *sums = (
        sums.0 + times * packets,
        sums.1 + times * bytes,
        sums.2 + times * frame_bytes,
        sums.3 | flags,
    );
}

/// Frames of the project's own corpus and, where it is, of the large collection.
fn seeds() -> Result<Vec<Vec<u8>>> {
    let mut frames = crafted();
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("..");
    let shared = std::env::var_os("WHEREFORE_SHARED").map_or(root.join("../shared"), PathBuf::from);
    for directory in [root.join("tests/corpus"), shared.join("pcaps/captures")] {
        let Ok(entries) = std::fs::read_dir(&directory) else { continue };
        let mut paths: Vec<_> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
        paths.sort();
        for path in paths {
            frames.extend(frames_of(&path).unwrap_or_default());
        }
    }
    Ok(frames)
}

fn frames_of(path: &std::path::Path) -> Option<Vec<Vec<u8>>> {
    let mut file = CaptureFile::open(path).ok()?;
    // Captures repeat themselves: one frame of each beginning is enough.
    let mut distinct: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    while let Ok(Some(record)) = file.next() {
        if FRAME_SIZES.contains(&record.bytes.len()) {
            let beginning = record.bytes.iter().copied().take(60).collect();
            distinct.entry(beginning).or_insert_with(|| record.bytes.to_vec());
        }
        if distinct.len() >= FROM_ONE_CAPTURE {
            break;
        }
    }
    Some(distinct.into_values().collect())
}

/// Adds mutants of every frame: bytes changed (mostly in the headers), cut, or headers pushed in.
fn mutate(frames: &mut Vec<Vec<u8>>) {
    let mut random = fastrand::Rng::with_seed(0x5eed);
    let seeds = frames.len();
    for seed in 0..seeds {
        for _ in 0..MUTANTS {
            let mut mutant = frames[seed].clone();
            for _ in 0..random.usize(1..=4) {
                mutate_once(&mut mutant, &mut random);
            }
            if FRAME_SIZES.contains(&mutant.len()) {
                frames.push(mutant);
            }
        }
    }
}

fn mutate_once(frame: &mut Vec<u8>, random: &mut fastrand::Rng) {
    /// Values that mean something in a header.
    const TELLING: [u8; 22] = [
        0, 1, 4, 6, 8, 17, 41, 43, 44, 50, 51, 58, 59, 60, 64, 0x45, 0x46, 0x60, 0x81, 0x88, 132,
        255,
    ];
    const TAGS: [[u8; 4]; 4] =
        [[0x81, 0, 0, 5], [0x88, 0xa8, 0, 7], [0x91, 0, 0, 9], [0x88, 0x47, 0, 0]];
    let headers = frame.len().min(100);
    if headers < 15 {
        return;
    }
    match random.u8(0..6) {
        0 => frame[random.usize(0..headers)] = random.u8(..),
        1 | 2 => frame[random.usize(12..headers)] = TELLING[random.usize(..TELLING.len())],
        3 => frame[random.usize(0..headers)] ^= 1 << random.u8(0..8),
        4 => frame.truncate(random.usize(15..=frame.len())),
        _ => drop(frame.splice(12..12, TAGS[random.usize(..TAGS.len())])),
    }
}

/// Values that captures rarely have: every bound, and one beyond it.
fn crafted() -> Vec<Vec<u8>> {
    let mut frames = Vec::new();
    let udp = [
        &[0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2][..],
        &[0, 53, 0, 54, 0, 8, 0, 0],
    ]
    .concat();
    for tags in 0..=link::MAX_VLAN_TAGS + 1 {
        for labels in 0..=link::MAX_MPLS_LABELS + 1 {
            frames.push(encapsulated(tags, labels, &udp));
        }
    }
    for headers in 0..=wherefore_common::parse::MAX_EXTENSION_HEADERS + 1 {
        for kind in [0, 43, 60, 44] {
            frames.push(with_extensions(headers, kind));
        }
    }
    frames
}

fn encapsulated(tags: usize, labels: usize, packet: &[u8]) -> Vec<u8> {
    let mut frame = vec![2; 12];
    for _ in 0..tags {
        frame.extend([0x81, 0, 0, 1]);
    }
    frame.extend(if labels == 0 { [0x08, 0] } else { [0x88, 0x47] });
    for label in 1..=labels {
        frame.extend([0, 0, u8::from(label == labels), 64]);
    }
    frame.extend(packet);
    frame
}

fn with_extensions(headers: usize, kind: u8) -> Vec<u8> {
    const TCP: u8 = 6;
    let mut frame = vec![2; 12];
    frame.extend([0x86, 0xdd, 0x60, 0, 0, 0]);
    frame.extend(u16::try_from(headers * 8 + 20).unwrap_or(0).to_be_bytes());
    frame.extend([if headers == 0 { TCP } else { kind }, 64]);
    frame.extend([0x20; 32]);
    for header in 1..=headers {
        frame.extend([if header == headers { TCP } else { kind }, 0, 0, 0, 0, 0, 0, 0]);
    }
    frame.extend([0, 80, 0, 81, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x12, 0, 0, 0, 0, 0, 0]);
    frame
}

/// Fields of `struct __sk_buff` that a test run may set, by their offset (linux/bpf.h).
struct SkbContext([u8; 192]);

impl SkbContext {
    const GSO_SEGS: usize = 164;
    const GSO_SIZE: usize = 176;

    fn with(fields: &[(usize, u32)]) -> Self {
        let mut context = [0; 192];
        for (offset, value) in fields {
            context[*offset..*offset + 4].copy_from_slice(&value.to_ne_bytes());
        }
        Self(context)
    }
}

/// One flow's sums after a frame ran with this context.
fn sums_of(kernel: &mut Kernel, frame: &[u8], context: &SkbContext) -> Result<Sums> {
    kernel.run(program::TC_INGRESS, frame, Some(&context.0), 1)?;
    let flows = kernel.take()?.flows;
    assert_eq!(flows.len(), 1, "one frame is one flow");
    Ok(flows.into_values().next().unwrap_or_default())
}

/// An Ethernet frame of TCP with 12 bytes of options and this much payload.
fn tcp_frame(payload: u16) -> Vec<u8> {
    let mut frame = vec![2; 12];
    frame.extend([0x08, 0, 0x45, 0]);
    frame.extend((20 + 32 + payload).to_be_bytes());
    frame.extend([0, 0, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 80, 0, 81]);
    frame.extend([0, 0, 0, 1, 0, 0, 0, 1, 0x80, 0x18, 0, 0, 0, 0, 0, 0]);
    frame.extend([1; 12]);
    frame.extend(vec![7; usize::from(payload)]);
    frame
}

#[test]
fn a_gso_packet_counts_as_its_segments_with_their_headers() -> Result<()> {
    if let Err(reason) = Lab::privilege() {
        wherefore_tests::skip("a_gso_packet_counts_as_its_segments_with_their_headers", &reason);
        return Ok(());
    }
    const SEGMENT: u32 = 1000;
    let mut kernel = Kernel::load(Direction::Ingress, 8)?;
    let frame = tcp_frame(2500);
    // Segments of 1000, 1000 and 500 bytes: IP and TCP headers are 52 bytes, Ethernet 14 more.
    let whole = (3, 2500 + 3 * 52, 2500 + 3 * 66, 0x18);
    // A sender that leaves the count to the kernel (a guest, a tun device) sets only the size.
    for segments in [3, 0] {
        let context =
            SkbContext::with(&[(SkbContext::GSO_SEGS, segments), (SkbContext::GSO_SIZE, SEGMENT)]);
        assert_eq!(sums_of(&mut kernel, &frame, &context)?, whole, "{segments} segments said");
    }
    let plain = sums_of(&mut kernel, &frame, &SkbContext::with(&[]))?;
    assert_eq!(plain, (1, 2500 + 52, 2500 + 66, 0x18));
    Ok(())
}
