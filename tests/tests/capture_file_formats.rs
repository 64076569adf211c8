//! Tests each format, variant and compression of capture files, with files made for the purpose. Refuses
//! files from elsewhere.

mod common;

use std::io::{self, Read};

use common::*;
use wherefore_agent::input::capture_file::CaptureFile;

const PACKET: &[u8] = &[0xab; 20];
const SECOND: i64 = 1_000_000_000;

#[test]
fn every_pcap_variant_reads_in_both_byte_orders() {
    let variants: [(u32, &[u32], &[u32], i64); 5] = [
        (0xa1b2_c3d4, &[], &[], 1000),
        (0xa1b2_3c4d, &[], &[], 1),
        (0xa1b2_cd34, &[], &[7, 8], 1000),
        (0x1c00_01ac, &[72], &[], 1),
        (0x1c00_01ab, &[72], &[], 1000),
    ];
    for (magic, rest, extra, unit) in variants {
        for order in Order::BOTH {
            let header = Header { magic, rest: rest.to_vec(), ..Header::default() };
            let one = record(order, &[&[9, 5, 20, 1500], extra].concat(), PACKET);
            let found = records([header.bytes(order), one.clone(), one].concat());
            let expected = Owned {
                time_ns: Some(9 * SECOND + 5 * unit),
                link_type: ETHERNET,
                wire_len: 1500,
                bytes: PACKET.to_vec(),
                interface: 0,
            };
            assert_eq!(found, [expected.clone(), expected], "{magic:x} {order:?}");
        }
    }
}

#[test]
fn the_upper_half_of_the_link_type_is_not_the_link_type() {
    let header = Header { link: 0x2400_0065, ..Header::default() };
    let bytes = [header.bytes(Order::Little), record(Order::Little, &[0, 0, 20, 20], PACKET)];
    assert_eq!(records(bytes.concat())[0].link_type, RAW);
}

#[test]
fn old_versions_have_the_lengths_the_other_way_round() {
    let cases = [
        ((2, 4), [20, 1500]),
        ((2, 3), [20, 1500]),
        ((2, 3), [1500, 20]),
        ((2, 2), [1500, 20]),
        ((543, 0), [1500, 20]),
    ];
    for (version, [first, second]) in cases {
        let header = Header { version, ..Header::default() };
        let one = record(Order::Big, &[0, 0, first, second], PACKET);
        let found = records([header.bytes(Order::Big), one].concat());
        assert_eq!((found[0].wire_len, found[0].bytes.len()), (1500, 20));
    }
}

#[test]
fn fractions_beyond_a_second_are_added() {
    let order = Order::Little;
    let one = record(order, &[u32::MAX, u32::MAX, 0, 0], &[]);
    let found = records([Header::default().bytes(order), one].concat());
    let most = i64::from(u32::MAX);
    assert_eq!(found[0].time_ns, Some(most * SECOND + most * 1000));
}

#[test]
fn captured_may_exceed_original_and_snapshot_length() {
    let order = Order::Little;
    let header = Header { snapshot: 10, ..Header::default() };
    let found = records([header.bytes(order), record(order, &[0, 0, 20, 4], PACKET)].concat());
    assert_eq!((found[0].wire_len, found[0].bytes.len()), (4, 20));
}

#[test]
fn sections_interfaces_and_packet_types_are_distinguished() {
    let (big, little) = (Order::Big, Order::Little);
    let obsolete = [&[0, 1, 0xff, 0xff], &big.words(&[0, 3, 20, 99])[..], PACKET].concat();
    let bytes = [
        section(big),
        interface(big, ETHERNET, 8, &[(2, b"eth0")]),
        interface(big, RAW, 0, &[(9, &[0x80 | 1]), (14, &7_i64.to_be_bytes())]),
        enhanced(big, 0, 1_000_001, 1500, PACKET),
        block(big, 0xbad, b"custom"),
        block(big, 2, &obsolete),
        simple(big, 1500, &PACKET[..8]),
        section(little),
        block(little, 9, b"journal"),
        interface(little, RAW, 0, &[(9, &[9]), (0, &[])]),
        enhanced(little, 0, 3, 20, PACKET),
        simple(little, 20, PACKET),
    ];
    let found: Vec<_> = records(bytes.concat())
        .into_iter()
        .map(|it| (it.time_ns, it.link_type, it.wire_len, it.bytes.len(), it.interface))
        .collect();
    let expected = [
        (Some(SECOND + 1000), ETHERNET, 1500, 20, 0),
        (Some(7 * SECOND + 3 * SECOND / 2), RAW, 99, 20, 1),
        (None, ETHERNET, 1500, 8, 0),
        (Some(3), RAW, 20, 20, 2),
        (None, RAW, 20, 20, 2),
    ];
    assert_eq!(found, expected);
}

#[test]
fn a_block_length_without_padding_is_rounded_up() {
    let order = Order::Little;
    let mut odd = enhanced(order, 0, 5, 18, &PACKET[..18]);
    let end = odd.len();
    let length = order.u32(end as u32 - 2);
    odd[4..8].copy_from_slice(&length);
    odd[end - 4..].copy_from_slice(&length);
    let bytes = [section(order), interface(order, RAW, 0, &[]), odd];
    assert_eq!(records(bytes.concat())[0].bytes, &PACKET[..18]);
}

#[test]
fn blocks_without_packets_may_be_larger_than_the_buffer() {
    let order = Order::Little;
    let bytes = [
        section(order),
        block(order, 0x4000_0bad, &vec![1; 3 << 20]),
        interface(order, RAW, 0, &[]),
        enhanced(order, 0, 0, 1 << 20, &vec![2; 1 << 20]),
        enhanced(order, 0, 0, 4, &[3; 4]),
    ];
    let found = records(bytes.concat());
    assert_eq!(found[0].bytes, vec![2; 1 << 20]);
    assert_eq!(found[1].bytes, [3; 4]);
}

#[test]
fn a_capture_without_packets_is_empty_and_whole() {
    assert!(records(plain_pcap(0)).is_empty());
    assert!(records(plain_pcapng(0)).is_empty());
    assert!(records(section(Order::Big)).is_empty());
}

#[test]
fn compressed_files_read_as_plain_ones_do() {
    let plain = plain_pcap(20_000);
    let expected = records(plain.clone());
    let (front, back) = plain.split_at(plain.len() / 2);
    let skippable = [&[0x5a, 0x2a, 0x4d, 0x18, 3, 0, 0, 0], b"abc".as_slice()].concat();
    assert_eq!(records(gzip(&plain)), expected);
    assert_eq!(records([gzip(front), gzip(back)].concat()), expected);
    assert_eq!(records(zstd(&plain)), expected);
    let frames = [&skippable[..], &zstd(front), &skippable, &zstd(back), &skippable];
    assert_eq!(records(frames.concat()), expected);
}

/// Gives one byte at a time, with interruptions.
struct Dribble {
    bytes: io::Cursor<Vec<u8>>,
    interrupted: bool,
}

impl Read for Dribble {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.interrupted = !self.interrupted;
        if self.interrupted {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let most = into.len().min(1);
        self.bytes.read(&mut into[..most])
    }
}

#[test]
fn a_slow_pipe_gives_the_same_records() {
    for bytes in [plain_pcap(50), plain_pcapng(50), gzip(&plain_pcap(50)), zstd(&plain_pcapng(50))]
    {
        let slow = Dribble { bytes: io::Cursor::new(bytes.clone()), interrupted: false };
        let mut file = CaptureFile::from_reader(slow, "pipe").unwrap();
        let (found, error) = drain(&mut file);
        assert!(error.is_none(), "{error:?}");
        assert_eq!(found, records(bytes));
        assert_eq!(file.size(), None);
    }
}

#[test]
fn the_position_moves_from_the_header_to_the_size() {
    let path = std::env::temp_dir().join(format!("capture-{}.pcap", std::process::id()));
    for bytes in [plain_pcap(1000), gzip(&plain_pcap(1000)), zstd(&plain_pcapng(9))] {
        std::fs::write(&path, &bytes).unwrap();
        let mut file = CaptureFile::open(&path).unwrap();
        assert!(file.position() <= bytes.len() as u64);
        drain(&mut file);
        assert_eq!(file.position(), bytes.len() as u64);
        assert_eq!(file.size(), Some(bytes.len() as u64));
    }
    std::fs::remove_file(path).unwrap();
}
