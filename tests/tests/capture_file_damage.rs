//! Checks that broken, hostile and foreign files end with a message, not with a crash.
//! Refuses to be exact about files whose damage leaves a choice.
#![allow(clippy::unwrap_used)]

mod common;

use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use common::*;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use wherefore_agent::input::capture_file::{CaptureFile, Flaw, ReadError};

#[path = "capture_file_damage/compressed.rs"]
mod compressed;

/// The refusal of a file that is no capture.
fn refusal(bytes: Vec<u8>) -> String {
    let error = open(bytes).err().expect("a refusal");
    let is_refusal = matches!(error, ReadError::Unrecognised { .. } | ReadError::TooShort { .. });
    assert!(is_refusal, "{error:?}");
    error.to_string()
}

#[test]
fn foreign_files_are_named_with_a_way_out() {
    let mut tar = vec![b'x'; 600];
    tar[257..262].copy_from_slice(b"ustar");
    let cases = [
        (vec![], "empty"),
        (vec![0xd4, 0xc3], "ends after 2 bytes, which are d4 c3"),
        (b"12:00 IP 1.2.3.4 > 5.6.7.8".to_vec(), "(text)"),
        (tar.clone(), "a tar archive"),
        (gzip(&tar), "a tar archive) when decompressed"),
        (zstd(b"PK\x03\x04 and so on"), "a zip archive"),
        (gzip(&gzip(&plain_pcap(1))), "compressed twice"),
        (b"\xfd7zXZ\0\0\0".to_vec(), "xz -dc"),
        (vec![0; 600], "editcap"),
        ([&section(Order::Big)[..8], &[1; 40]].concat(), "byte order"),
    ];
    for (bytes, expected) in cases {
        let message = refusal(bytes);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn unknown_versions_are_refused() {
    for version in [(1, 0), (2, 5), (3, 0)] {
        let header = Header { version, ..Header::default() };
        assert!(refusal(header.bytes(Order::Big)).contains("not defined"));
    }
    let mut ng = plain_pcapng(1);
    ng[12] = 2;
    assert!(refusal(ng).contains("pcapng version 2.0"));
}

#[test]
fn a_file_that_cannot_be_opened_is_an_error() {
    for path in ["/nonexistent/file", "/"] {
        let error = CaptureFile::open(Path::new(path)).err().unwrap();
        assert!(matches!(error, ReadError::Open { .. }), "{error:?}");
    }
}

#[test]
fn a_file_may_end_anywhere() {
    for (bytes, header) in [(plain_pcap(5), 24), (plain_pcapng(5), 28)] {
        for end in 4..bytes.len() {
            let cut = bytes[..end].to_vec();
            match open(cut) {
                Err(error) => {
                    assert!(matches!(error, ReadError::Damaged { .. }), "{error:?}");
                    assert!(end < header);
                }
                Ok(mut file) => {
                    let (found, _) = drain(&mut file);
                    let whole = records(bytes.clone());
                    assert_eq!(found, whole[..found.len()]);
                    assert!(found.len() < whole.len());
                }
            }
        }
    }
}

#[test]
fn damage_is_placed_and_counted() {
    let mut bytes = plain_pcap(3);
    bytes.truncate(24 + 2 * 76 + 20);
    let (_, error) = drain(&mut open(bytes).unwrap());
    let Some(ReadError::Damaged { offset, records, why, .. }) = error else {
        panic!("{error:?}");
    };
    assert_eq!((offset, records), (24 + 2 * 76, 2));
    assert!(matches!(why, Flaw::CutShort { needed: 76, present: 20 }), "{why:?}");
}

#[test]
fn truncated_compressed_files_give_their_complete_packets() {
    let plain = plain_pcap(20_000);
    for packed in [gzip(&plain), zstd(&plain)] {
        let (found, message) = damage(packed[..packed.len() * 9 / 10].to_vec());
        assert!(found > 10_000, "{found}: {message}");
        let (found, _) = damage([packed, b"trailing".to_vec()].concat());
        assert_eq!(found, 20_000);
    }
}

#[test]
fn a_zstd_checksum_is_checked() {
    let mut packed = zstd(&plain_pcap(100));
    *packed.last_mut().unwrap() ^= 1;
    let (found, message) = damage(packed);
    assert_eq!(found, 100);
    assert!(message.contains("checksum"), "{message}");
}

#[test]
fn zeros_at_the_end_are_no_packets() {
    let magics: [(u32, &[u32], &[u32]); 4] = [
        (0xa1b2_c3d4, &[], &[]),
        (0xa1b2_3c4d, &[], &[]),
        (0xa1b2_cd34, &[], &[7, 8]),
        (0x1c00_01ac, &[72], &[]),
    ];
    for (magic, rest, extra) in magics {
        for order in Order::BOTH {
            let header = Header { magic, rest: rest.to_vec(), ..Header::default() };
            let one = record(order, &[&[9, 5, 20, 20], extra].concat(), &[7; 20]);
            let file = [header.bytes(order), one].concat();
            for zeros in [1, 15, 16, 160, 1 << 20] {
                let (found, message) = damage([file.clone(), vec![0; zeros]].concat());
                assert_eq!(found, 1, "{magic:x} {zeros}: {message}");
                let expected = format!("only zeros ({zeros} bytes)");
                assert!(message.contains(&expected), "{magic:x} {order:?}: {message}");
                assert!(message.contains(&format!("at byte {}", file.len())), "{message}");
            }
            let (found, message) = damage([file, vec![0; 99], vec![1; 99]].concat());
            assert!(found == 1 && message.contains("99 bytes of zeros"), "{message}");
        }
    }
    for zeros in [1, 7, 8, 12, 4096] {
        let (found, message) = damage([plain_pcapng(1), vec![0; zeros]].concat());
        assert!(found == 1 && message.contains("only zeros"), "{zeros}: {message}");
    }
    let (found, message) = damage(gzip(&[plain_pcap(2), vec![0; 5000]].concat()));
    assert!(found == 2 && message.contains("only zeros (5000 bytes)"), "{message}");
}

/// The warnings about a file, besides its records.
fn warnings(bytes: Vec<u8>) -> String {
    let mut file = open(bytes).unwrap();
    let (found, _) = drain(&mut file);
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].link_type, ETHERNET);
    file.take_warnings().join("; ")
}

#[test]
fn further_bits_of_a_link_type_field_are_checked() {
    let cases = [
        (0x0000_0001, ""),
        (0x02c5_0001, "reserved bits"),
        (0x0001_0001, "reserved bits"),
        (0x0800_0001, "reserved bits"),
        (0x4000_0001, "reserved bits"),
        (0x2400_0001, "check sequence"),
        (0x2500_0001, "reserved bits"),
    ];
    for (link, expected) in cases {
        for order in Order::BOTH {
            let header = Header { link, ..Header::default() }.bytes(order);
            let message = warnings([header, record(order, &[9, 5, 20, 20], &[7; 20])].concat());
            assert!(message.contains(expected), "{link:x}: {message}");
            assert_eq!(message.is_empty(), expected.is_empty(), "{link:x}: {message}");
        }
    }
    let order = Order::Little;
    let packet = enhanced(order, 0, 0, 4, &[1; 4]);
    let mut reserved = interface(order, ETHERNET, 0, &[]);
    reserved[10] = 1;
    let with_check = interface(order, ETHERNET, 0, &[(13, &[4])]);
    for (interface, expected) in [(reserved, "reserved bits"), (with_check, "check sequence")] {
        let message = warnings([section(order), interface, packet.clone()].concat());
        assert!(message.contains(expected), "{message}");
    }
}

/// A pcapng file of one good packet, then `block`.
fn then(block: &[u8]) -> Vec<u8> {
    [&plain_pcapng(1)[..], block].concat()
}

#[test]
fn impossible_lengths_end_the_reading() {
    let order = Order::Little;
    let too_long = record(order, &[0, 0, u32::MAX, 9], &[0; 64]);
    let (found, message) = damage([plain_pcap(2), too_long].concat());
    assert_eq!(found, 2);
    assert!(message.contains("4294967295"), "{message}");
    for kind in [1, 2, 3, 6, 0xbad, 0x0a0d_0d0a] {
        for length in [0, 4, 8, 11, u32::MAX] {
            let mut block = order.words(&[kind, length]);
            block.extend(order.words(&[0x1a2b_3c4d, 1, 0, 0, length]));
            assert_eq!(damage(then(&block)).0, 1, "{kind} {length}");
        }
    }
}

#[test]
fn contradictions_in_blocks_end_the_reading() {
    let order = Order::Little;
    let mut unequal = enhanced(order, 0, 0, 4, &[1; 4]);
    *unequal.last_mut().unwrap() = 1;
    let mut overflow = enhanced(order, 0, 0, 4, &[1; 4]);
    overflow[20] = 5;
    let mut unordered = section(order);
    unordered[8] = 0;
    let mut newer = section(order);
    newer[12] = 9;
    let short = [1, 2, 6].map(|kind| block(order, kind, &[0; 4]));
    let cases = [
        (unequal, "ends with a length"),
        (unordered, "byte order mark"),
        (newer, "version 9.0"),
        (overflow, "a packet of 5 bytes"),
        (enhanced(order, 1, 0, 4, &[1; 4]), "interface 1"),
        (enhanced(order, u32::MAX, 0, 4, &[1; 4]), "interface 4294967295"),
        (simple(order, 500, &[1; 4]), "a packet of 500 bytes"),
        (block(order, 3, &[]), "cannot be 12 bytes"),
        (short.concat(), "cannot be 16 bytes"),
        ([section(order), simple(order, 4, &[1; 4])].concat(), "only 0"),
        (interface(order, 1, 0, &[(9, &[1, 2])]), "option 9"),
        (interface(order, 1, 0, &[(14, &[1])]), "option 14"),
        (block(order, 1, &[0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 9, 0]), "option 2"),
    ];
    for (bytes, expected) in cases {
        let (found, message) = damage(then(&bytes));
        assert_eq!(found, 1);
        assert!(message.contains(expected), "{message}");
    }
}

#[test]
fn interfaces_are_bounded() {
    let one = interface(Order::Little, 1, 0, &[]);
    let (found, message) = damage(then(&one.repeat(70_000)));
    assert_eq!(found, 1);
    assert!(message.contains("interfaces"), "{message}");
}

/// Remembers the most it was asked for at once, which is the most the reader made room for.
struct Watched {
    bytes: io::Cursor<Vec<u8>>,
    most: Arc<AtomicUsize>,
}

impl Read for Watched {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.most.fetch_max(into.len(), Ordering::Relaxed);
        self.bytes.read(into)
    }
}

#[test]
fn claimed_lengths_allocate_nothing() {
    let order = Order::Little;
    let huge = Header { snapshot: 256 << 20, ..Header::default() };
    let classic = [huge.bytes(order), order.words(&[0, 0, 256 << 20, 1])].concat();
    let block = [section(order), order.words(&[6, 256 << 20])].concat();
    for bytes in [classic, block] {
        let most = Arc::new(AtomicUsize::new(0));
        let watched = Watched { bytes: io::Cursor::new(bytes), most: Arc::clone(&most) };
        let mut file = CaptureFile::from_reader(watched, "claims").unwrap();
        assert!(drain(&mut file).1.is_some());
        assert!(most.load(Ordering::Relaxed) <= 1 << 20);
    }
}

/// One change to a file.
#[derive(Clone, Debug)]
enum Change {
    Set(prop::sample::Index, u8),
    Word(prop::sample::Index, u32),
    Cut(prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index),
    Remove(prop::sample::Index, u8),
}

fn change() -> impl Strategy<Value = Change> {
    let at = any::<prop::sample::Index>;
    let word = prop_oneof![any::<u32>(), 0..64_u32, Just(u32::MAX), Just(0x0a0d_0d0a)];
    prop_oneof![
        4 => (at(), any::<u8>()).prop_map(|(at, byte)| Change::Set(at, byte)),
        4 => (at(), word).prop_map(|(at, word)| Change::Word(at, word)),
        1 => at().prop_map(Change::Cut),
        1 => (at(), at()).prop_map(|(from, to)| Change::Repeat(from, to)),
        1 => (at(), any::<u8>()).prop_map(|(at, count)| Change::Remove(at, count)),
    ]
}

fn apply(bytes: &mut Vec<u8>, change: &Change) {
    if bytes.is_empty() {
        return;
    }
    let length = bytes.len();
    match change {
        Change::Set(at, byte) => bytes[at.index(length)] = *byte,
        Change::Word(at, word) => {
            // Words are at multiples of 4 in both formats: change whole ones.
            let at = at.index(length) & !3;
            let end = length.min(at + 4);
            bytes[at..end].copy_from_slice(&word.to_le_bytes()[..end - at]);
        }
        Change::Cut(at) => bytes.truncate(at.index(length)),
        Change::Repeat(from, to) => {
            let (from, to) = (from.index(length), to.index(length));
            let piece = bytes[from.min(to)..from.max(to)].to_vec();
            bytes.splice(from..from, piece);
        }
        Change::Remove(at, count) => {
            let at = at.index(length);
            bytes.drain(at..length.min(at + usize::from(*count)));
        }
    }
}

/// Small real captures, if there are any.
fn real_captures() -> Vec<Vec<u8>> {
    let Some(shared) = std::env::var_os("WHEREFORE_SHARED") else {
        return vec![];
    };
    let Ok(entries) = std::fs::read_dir(Path::new(&shared).join("pcaps/captures")) else {
        return vec![];
    };
    entries
        .filter_map(|entry| std::fs::read(entry.ok()?.path()).ok())
        .filter(|bytes| bytes.len() < 20_000)
        .collect()
}

/// Reads to the end, and checks that it comes: every record takes at least a byte of the file.
fn exhaust(bytes: Vec<u8>) -> Result<(), TestCaseError> {
    let compressed = bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(&[0x28, 0xb5]);
    let most = bytes.len() as u64;
    let Ok(mut file) = open(bytes) else {
        return Ok(());
    };
    while let Ok(Some(_)) = file.next() {
        prop_assert!(compressed || file.records() <= most / 12);
    }
    prop_assert!(matches!(file.next(), Ok(None)));
    prop_assert!(file.position() <= most);
    Ok(())
}

/// At least this many cases; PROPTEST_CASES can set more.
fn config(least: u32) -> ProptestConfig {
    let usual = ProptestConfig::default();
    ProptestConfig { cases: usual.cases.max(least), failure_persistence: None, ..usual }
}

#[test]
fn changed_files_never_panic_and_always_end() {
    let made = [plain_pcap(5), plain_pcapng(5)];
    let real = real_captures();
    try_changes(&made.into_iter().chain(real).collect::<Vec<_>>());
}

#[test]
fn changed_compressed_files_never_panic_and_always_end() {
    let packets = [plain_pcap(500), plain_pcapng(2)];
    let gzipped = packets.iter().map(|bytes| gzip(bytes));
    let all = gzipped.chain(packets.iter().map(|bytes| zstd(bytes)));
    try_changes(&all.collect::<Vec<_>>());
}

fn try_changes(seeds: &[Vec<u8>]) {
    let input = (any::<prop::sample::Index>(), prop::collection::vec(change(), 1..6));
    let config = config(4000);
    proptest!(config, |((seed, changes) in input)| {
        let mut bytes = seed.get(seeds).clone();
        for change in &changes {
            apply(&mut bytes, change);
        }
        exhaust(bytes)?;
    });
}

proptest! {
    #![proptest_config(config(500))]

    #[test]
    fn any_bytes_behind_a_magic_number_end(
        magic in prop::sample::select(vec![
            vec![0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4, 0],
            section(Order::Little),
            section(Order::Big),
            vec![0x1f, 0x8b, 8, 0],
            vec![0x28, 0xb5, 0x2f, 0xfd],
            vec![],
        ]),
        rest in prop::collection::vec(any::<u8>(), 0..600),
    ) {
        exhaust([magic, rest].concat())?;
    }
}
