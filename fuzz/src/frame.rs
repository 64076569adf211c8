//! A frame: two bytes of link type, one with the bytes that were not captured (in units of 8), then the
//! frame.
//!
//! Nothing panics; an IP packet begins within the frame, and its headers are not longer than it; the fast
//! path for plain packets gives the same result as the whole parser; a DNS answer lies within the frame.

use wherefore_common::{Extent, FlowKey, LinkType, Skip, Slice, dns, link};

/// See the module.
pub fn run(data: &[u8]) {
    let Some(([high, low, longer], bytes)) = data.split_first_chunk() else { return };
    let link = LinkType(u16::from_be_bytes([*high, *low]));
    let wire_len = bytes.len() + usize::from(*longer) * 8;
    let frame = Slice::new(bytes, wire_len);
    let mut key = FlowKey::default();
    let parsed = link::parse(&frame, link, &mut key);
    compare(link, &frame, &parsed, &key);
    let Ok(extent) = parsed else { return };
    assert!((extent.offset as usize) < bytes.len(), "{extent:?}");
    assert!(matches!(key.family, 4 | 6), "{key:?}");
    if let Some(answer) = dns::answer(&key, &extent, bytes) {
        assert!(answer.len() < bytes.len());
    }
}

/// The parsers after the fast path, which the kernel programs use next.
fn compare(link: LinkType, frame: &Slice<'_>, parsed: &Result<Extent, Skip>, key: &FlowKey) {
    let mut other = FlowKey::default();
    let again = match link {
        LinkType::ETHERNET => link::parse_ethernet(frame, &mut other),
        LinkType::RAW => link::parse_raw(frame, &mut other),
        _ => return,
    };
    assert_eq!(*parsed, again);
    if parsed.is_ok() {
        assert_eq!(*key, other);
    }
}
