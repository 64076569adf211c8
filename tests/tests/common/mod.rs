//! Makes small capture files, and reads whole ones. Refuses to check anything.
#![allow(dead_code, reason = "each test crate uses a part")]
#![allow(clippy::unwrap_used, unreachable_pub, reason = "helpers of tests")]

use std::io::{Cursor, Write};

use flate2::write::GzEncoder;
use wherefore_agent::input::capture_file::{CaptureFile, ReadError};

pub const ETHERNET: u16 = 1;
pub const RAW: u16 = 101;

/// Writes integers in one byte order.
#[derive(Clone, Copy, Debug)]
pub enum Order {
    Little,
    Big,
}

impl Order {
    pub const BOTH: [Self; 2] = [Self::Little, Self::Big];

    pub fn u16(self, value: u16) -> [u8; 2] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    pub fn u32(self, value: u32) -> [u8; 4] {
        match self {
            Self::Little => value.to_le_bytes(),
            Self::Big => value.to_be_bytes(),
        }
    }

    pub fn words(self, values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|value| self.u32(*value)).collect()
    }
}

pub struct Header {
    pub magic: u32,
    pub version: (u16, u16),
    pub snapshot: u32,
    pub link: u32,
    pub rest: Vec<u32>,
}

impl Default for Header {
    fn default() -> Self {
        Self { magic: 0xa1b2_c3d4, version: (2, 4), snapshot: 65535, link: 1, rest: vec![] }
    }
}

impl Header {
    pub fn bytes(&self, order: Order) -> Vec<u8> {
        let mut bytes = order.words(&[self.magic]);
        bytes.extend(order.u16(self.version.0));
        bytes.extend(order.u16(self.version.1));
        bytes.extend(order.words(&[0, 0, self.snapshot, self.link]));
        bytes.extend(order.words(&self.rest));
        bytes
    }
}

/// A classic record: the words of its header, then the packet.
pub fn record(order: Order, header: &[u32], packet: &[u8]) -> Vec<u8> {
    [order.words(header), packet.to_vec()].concat()
}

/// A classic capture of `count` packets of 60 bytes, one each second.
pub fn plain_pcap(count: u32) -> Vec<u8> {
    let order = Order::Little;
    let packet = |n: u32| record(order, &[n, 5, 60, 60], &[n as u8; 60]);
    let records = (0..count).flat_map(packet);
    Header::default().bytes(order).into_iter().chain(records).collect()
}

pub fn block(order: Order, kind: u32, body: &[u8]) -> Vec<u8> {
    let padded = body.len().next_multiple_of(4);
    let length = padded as u32 + 12;
    let mut bytes = order.words(&[kind, length]);
    bytes.extend(body);
    bytes.resize(8 + padded, 0);
    bytes.extend(order.u32(length));
    bytes
}

pub fn section(order: Order) -> Vec<u8> {
    let mut body = order.words(&[0x1a2b_3c4d]);
    body.extend([order.u16(1), order.u16(0)].concat());
    body.extend([0xff; 8]);
    block(order, 0x0a0d_0d0a, &body)
}

/// An interface; each option is a code and its value.
pub fn interface(order: Order, link: u16, snapshot: u32, options: &[(u16, &[u8])]) -> Vec<u8> {
    let mut body = [order.u16(link), [0; 2]].concat();
    body.extend(order.u32(snapshot));
    for (code, value) in options {
        body.extend(order.u16(*code));
        body.extend(order.u16(value.len() as u16));
        body.extend(*value);
        body.resize(body.len().next_multiple_of(4), 0);
    }
    block(order, 1, &body)
}

pub fn enhanced(order: Order, interface: u32, ticks: u64, wire: u32, packet: &[u8]) -> Vec<u8> {
    let (high, low) = ((ticks >> 32) as u32, ticks as u32);
    let mut body = order.words(&[interface, high, low, packet.len() as u32, wire]);
    body.extend(packet);
    block(order, 6, &body)
}

pub fn simple(order: Order, wire: u32, packet: &[u8]) -> Vec<u8> {
    block(order, 3, &[order.u32(wire).to_vec(), packet.to_vec()].concat())
}

/// A pcapng capture of `count` packets.
pub fn plain_pcapng(count: u64) -> Vec<u8> {
    let order = Order::Little;
    let head = [section(order), interface(order, ETHERNET, 0, &[])].concat();
    let packets = (0..count).flat_map(|n| enhanced(order, 0, n, 60, &[n as u8; 60]));
    head.into_iter().chain(packets).collect()
}

pub fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

pub fn zstd(bytes: &[u8]) -> Vec<u8> {
    use ruzstd::encoding::{CompressionLevel, compress_to_vec};
    compress_to_vec(bytes, CompressionLevel::Fastest)
}

/// A record that owns its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owned {
    pub time_ns: Option<i64>,
    pub link_type: u16,
    pub wire_len: u32,
    pub bytes: Vec<u8>,
    pub interface: u32,
}

pub fn open(bytes: Vec<u8>) -> Result<CaptureFile, ReadError> {
    CaptureFile::from_reader(Cursor::new(bytes), "test")
}

/// All records up to the end, and the damage if that was the end.
pub fn drain(file: &mut CaptureFile) -> (Vec<Owned>, Option<ReadError>) {
    let mut records = Vec::new();
    loop {
        match file.next() {
            Ok(Some(record)) => records.push(Owned {
                time_ns: record.time_ns,
                link_type: record.link_type,
                wire_len: record.wire_len,
                bytes: record.bytes.to_vec(),
                interface: record.interface,
            }),
            Ok(None) => return (records, None),
            Err(error) => return (records, Some(error)),
        }
    }
}

/// The records of a file that must be whole.
pub fn records(bytes: Vec<u8>) -> Vec<Owned> {
    let (records, error) = drain(&mut open(bytes).unwrap());
    assert!(error.is_none(), "{error:?}");
    records
}

/// Records before the damage, and its text.
pub fn damage(bytes: Vec<u8>) -> (usize, String) {
    let mut file = open(bytes).unwrap();
    let (records, error) = drain(&mut file);
    let error = error.expect("damage");
    assert!(matches!(error, ReadError::Damaged { .. }), "{error:?}");
    assert!(file.next().unwrap().is_none(), "a broken file stays ended");
    (records.len(), error.to_string())
}
