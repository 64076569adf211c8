//! DNS answers in packets (RFC 1035). Owns how the position of the message is found; refuses to parse it.

use crate::flow::FlowKey;
use crate::parse::Extent;
use crate::protocol::{TCP, UDP};

/// The port of DNS servers.
pub const PORT: u16 = 53;
/// The length of a message's header.
const HEADER: usize = 12;
/// The bit that distinguishes an answer from a query.
const IS_ANSWER: u8 = 0x80;

/// Whether a packet of this flow is from a DNS server.
#[inline(always)]
pub fn is_from_server(key: &FlowKey) -> bool {
    key.sport == PORT && matches!(key.protocol, UDP | TCP)
}

/// The answer in a captured packet, as far as it was captured. Over TCP only the first answer of a segment,
/// if it begins there and is complete.
pub fn answer<'a>(key: &FlowKey, extent: &Extent, captured: &'a [u8]) -> Option<&'a [u8]> {
    if !is_from_server(key) {
        return None;
    }
    let end = extent.offset.checked_add(extent.bytes)? as usize;
    let start = extent.offset.checked_add(extent.header_len)? as usize;
    let payload = captured.get(start..end.min(captured.len()))?;
    let message = if key.protocol == TCP {
        let (length, rest) = payload.split_first_chunk()?;
        rest.get(..usize::from(u16::from_be_bytes(*length)))?
    } else {
        payload
    };
    (message.len() > HEADER && message[2] & IS_ANSWER != 0).then_some(message)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANSWER: [u8; 14] = [1, 2, 0x81, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 7, 8];

    fn key(protocol: u8) -> FlowKey {
        FlowKey { sport: PORT, protocol, ..FlowKey::default() }
    }

    #[test]
    fn a_datagram_is_a_message() {
        let mut frame = [0u8; 60];
        frame[28..42].copy_from_slice(&ANSWER);
        let extent = Extent { bytes: 42, header_len: 28, ..Extent::default() };
        assert_eq!(answer(&key(UDP), &extent, &frame), Some(&ANSWER[..]));
        // Cut short by the capture.
        assert_eq!(answer(&key(UDP), &extent, &frame[..41]), Some(&ANSWER[..13]));
        assert_eq!(answer(&key(UDP), &extent, &frame[..30]), None);
        let other = FlowKey { sport: 54, ..key(UDP) };
        assert_eq!(answer(&other, &extent, &frame), None);
        frame[30] = 1;
        assert_eq!(answer(&key(UDP), &extent, &frame), None);
    }

    #[test]
    fn over_tcp_the_length_comes_first() {
        let mut frame = [0u8; 60];
        frame[41] = ANSWER.len() as u8;
        frame[42..56].copy_from_slice(&ANSWER);
        let extent = Extent { bytes: 56, header_len: 40, ..Extent::default() };
        assert_eq!(answer(&key(TCP), &extent, &frame), Some(&ANSWER[..]));
        frame[41] += 1;
        assert_eq!(answer(&key(TCP), &extent, &frame[..56]), None);
    }

    #[test]
    fn lengths_that_lie_harm_nothing() {
        for (offset, bytes, header_len) in
            [(u32::MAX, 1, 1), (50, u32::MAX, 20), (20, 10, 30), (0, 0, 0)]
        {
            let extent = Extent { offset, bytes, header_len, ..Extent::default() };
            assert_eq!(
                answer(&key(UDP), &extent, &[0x80; 60]).map(<[u8]>::len).filter(|len| *len > 60),
                None
            );
        }
    }
}
