//! Damage in compressed files: data decoded before it counts.

use super::*;

/// gzip of `plain` up to its last byte, which no end of a member follows.
fn unfinished_gzip(plain: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(plain).unwrap();
    encoder.flush().unwrap();
    encoder.get_ref().clone()
}

#[test]
fn packets_before_damaged_gzip_data_count() {
    let whole = plain_pcap(5);
    let cut = unfinished_gzip(&whole);
    for damage_bytes in [&[0xff; 16][..], &[0x06; 40], &[]] {
        let (found, message) = damage([&cut[..], damage_bytes].concat());
        assert_eq!(found, 5, "{message}");
        assert!(message.contains("damaged at byte 404 of the decompressed data"), "{message}");
        assert!(message.contains("of the compressed file"), "{message}");
    }
    // More than the decoder's buffers hold, and several members before the damage.
    let many = plain_pcap(50_000);
    let (first, rest) = many.split_at(1_000_001);
    let members = [gzip(first), unfinished_gzip(rest), vec![0xff; 9]].concat();
    assert_eq!(damage(members).0, 50_000);
}

#[test]
fn a_wrong_gzip_trailer_is_damage_after_all_records() {
    let packed = gzip(&plain_pcap(100));
    let end = packed.len();
    for (at, expected) in [(end - 8, "checksum"), (end - 1, "length")] {
        let mut broken = packed.clone();
        broken[at] ^= 1;
        // In the only member, and in the first of two.
        for behind in [vec![], gzip(&plain_pcap(1)[24..])] {
            let (found, message) = damage([broken.clone(), behind].concat());
            assert_eq!(found, 100, "{message}");
            assert!(message.contains(expected), "{message}");
        }
    }
    let (found, message) = damage([packed.clone(), vec![0; 700]].concat());
    assert!(found == 100 && message.contains("zeros follow"), "{message}");
    let (found, message) = damage([packed, b"more".to_vec()].concat());
    assert!(found == 100 && message.contains("other data follows"), "{message}");
}

#[test]
fn gzip_headers_may_hold_a_name_a_comment_and_more() {
    let plain = plain_pcap(3);
    let packed = gzip(&plain);
    let mut file = packed[..3].to_vec();
    // All optional fields; the checksum of the header is passed over.
    file.push(0x1e);
    file.extend(&packed[4..10]);
    file.extend(b"\x03\0abcname\0comment\0\x12\x34");
    file.extend(&packed[10..]);
    assert_eq!(records(file), records(plain));
}

/// A zstd frame of blocks that are stored uncompressed, with a checksum if one is given.
fn stored_zstd(blocks: &[&[u8]], end: &[u8]) -> Vec<u8> {
    let descriptor = if end.len() == 4 { 0x04 } else { 0 };
    let mut frame = vec![0x28, 0xb5, 0x2f, 0xfd, descriptor, 0x50];
    for (number, block) in blocks.iter().enumerate() {
        let is_last = u32::from(end.len() <= 4 && number + 1 == blocks.len());
        frame.extend(&((block.len() as u32) << 3 | is_last).to_le_bytes()[..3]);
        frame.extend(*block);
    }
    [&frame, end].concat()
}

#[test]
fn packets_before_damaged_zstd_data_count() {
    let whole = plain_pcap(5);
    let (head, tail) = whole.split_at(200);
    // An impossible block, a compressed one that makes no sense, and the end of the file.
    for end in [&[0xff; 16][..], &[0x45, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], &[0, 0]] {
        for before in [vec![], zstd(&[0x50, 0x2a, 0x4d, 0x18, 0, 0, 0, 0])] {
            let skippable = if before.is_empty() {
                &[][..]
            } else {
                &[0x51, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 7, 7]
            };
            let mut file = [skippable, &stored_zstd(&[head, tail], &[9; 5])].concat();
            file.truncate(file.len() - 5);
            file.extend(end);
            let (found, message) = damage(file);
            assert_eq!(found, 5, "{message}");
            assert!(message.contains("damaged at byte 404 of the decompressed data"), "{message}");
            assert!(message.contains("of the compressed file"), "{message}");
        }
    }
    // A block that is stored as it is counts as far as it was written.
    let mut cut = stored_zstd(&[&whole], &[]);
    cut.truncate(cut.len() - 30);
    assert_eq!(damage(cut).0, 4);
    // A second frame that is invalid, and one with a wrong checksum.
    let (found, message) = damage([stored_zstd(&[&whole], &[]), b"no frame".to_vec()].concat());
    assert!(found == 5 && message.contains("invalid zstd frame"), "{message}");
    let (found, message) = damage(stored_zstd(&[&whole], &[1, 2, 3, 4]));
    assert!(found == 5 && message.contains("checksum"), "{message}");
}

#[test]
fn damage_in_compressed_data_keeps_the_packets_before_it() {
    let plain = plain_pcap(20_000);
    let whole = records(plain.clone());
    for packed in [gzip(&plain), zstd(&plain)] {
        let mut random = fastrand::Rng::with_seed(7);
        for _ in 0..25 {
            let mut broken = packed.clone();
            let at = random.usize(packed.len() / 2..packed.len());
            let end = broken.len().min(at + 8);
            broken[at..end].fill(0xff);
            let (found, _) = drain(&mut open(broken).unwrap());
            // A block of 128 KiB or a window of 32 KiB before the place may be lost.
            let expected = (at * 20_000 / packed.len()).saturating_sub(4_000);
            let same = found.iter().zip(&whole).take_while(|(one, other)| one == other).count();
            assert!(same >= expected, "{at}: {same} of {expected}");
        }
    }
}
