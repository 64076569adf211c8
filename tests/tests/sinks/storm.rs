//! A capture in which many hosts are attacked one after the other, for as many alerts. Owns its bytes;
//! nothing here is a test.

use std::net::Ipv4Addr;

/// Raw IPv4.
const LINK_TYPE: u32 = 228;
/// Intervals of 5 s before anything happens.
const CALM: u32 = 12;
/// Hosts that are attacked in the same interval.
const TOGETHER: u32 = 10;
/// Packets of an attack, and the size that each claims.
const PACKETS: u32 = 20;
const ATTACK: u16 = 60_000;

/// Hosts that are attacked, and quiet seconds afterwards.
pub(crate) struct Storm {
    pub(crate) to_drop: u32,
    pub(crate) tail_s: u32,
}

impl Storm {
    pub(crate) fn capture(&self) -> Vec<u8> {
        let mut capture = Vec::new();
        for word in [0xa1b2_c3d4, 0x0004_0002, 0, 0, 64, LINK_TYPE] {
            capture.extend_from_slice(&u32::to_le_bytes(word));
        }
        let attacks = CALM * 5 + self.to_drop.div_ceil(TOGETHER) * 5;
        for second in 0..attacks + self.tail_s {
            // Everybody is known, and moves a little.
            for victim in 0..self.to_drop {
                if second % 5 == 0 {
                    record(&mut capture, second, 0, victim, 100);
                }
                let attacked_at = (CALM + victim / TOGETHER) * 5 + 1;
                if second == attacked_at {
                    (1..=PACKETS).for_each(|n| record(&mut capture, second, n, victim, ATTACK));
                }
            }
        }
        capture
    }
}

/// One packet, of which only the header was captured.
fn record(capture: &mut Vec<u8>, second: u32, micros: u32, victim: u32, length: u16) {
    let start = 1_700_000_000 + second;
    for word in [start, micros, 20, u32::from(length)] {
        capture.extend_from_slice(&word.to_le_bytes());
    }
    let [high, low] = length.to_be_bytes();
    capture.extend_from_slice(&[0x45, 0, high, low, 0, 0, 0x40, 0, 64, 17, 0, 0]);
    capture.extend_from_slice(&Ipv4Addr::new(192, 0, 2, 1).octets());
    capture.extend_from_slice(&Ipv4Addr::from(0x0a00_0000 + victim).octets());
}
