//! Tests the parser with any bytes, and the rules that decide what is counted, each with an example.

extern crate std;

use std::net::IpAddr;
use std::vec;
use std::vec::Vec;

use proptest::prelude::*;

use crate::link::{self, MAX_MPLS_LABELS, MAX_VLAN_TAGS};
use crate::parse::MAX_EXTENSION_HEADERS;
use crate::plain::{self, Plain};
use crate::protocol::{TCP, UDP};
use crate::{Extent, FlowKey, LinkType, Skip, Slice};

/// Every supported link type, and some that are not supported.
const LINKS: [u16; 21] = [
    0, 1, 9, 12, 14, 50, 51, 101, 104, 105, 108, 113, 119, 127, 192, 228, 229, 276, 2, 147, 65_535,
];

fn parse(link: u16, bytes: &[u8], wire_len: usize) -> Result<(FlowKey, Extent), Skip> {
    let mut key = FlowKey::default();
    let extent = link::parse(&Slice::new(bytes, wire_len), LinkType(link), &mut key)?;
    Ok((key, extent))
}

fn parse_ip(packet: &[u8]) -> Result<(FlowKey, Extent), Skip> {
    parse(101, packet, packet.len())
}

/// An IPv4 header with a payload after it; the total length is correct.
fn v4(protocol: u8, fragment: u16, payload: &[u8]) -> Vec<u8> {
    let [high, low] = ((20 + payload.len()) as u16).to_be_bytes();
    let [offset_high, offset_low] = fragment.to_be_bytes();
    let mut packet = vec![0x45, 0, high, low, 0, 1, offset_high, offset_low, 64, protocol, 0, 0];
    packet.extend([192, 0, 2, 1, 198, 51, 100, 2]);
    packet.extend(payload);
    packet
}

/// An IPv6 header with extension headers and everything after it; the payload length is correct.
fn v6(next: u8, payload: &[u8]) -> Vec<u8> {
    let [high, low] = (payload.len() as u16).to_be_bytes();
    let mut packet = vec![0x60, 0, 0, 0, high, low, next, 64];
    for last in [1, 2] {
        packet.extend([0x20, 1, 0x0d, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, last]);
    }
    packet.extend(payload);
    packet
}

/// Ports 258 and 772, and some more bytes.
const PORTS: [u8; 20] = [1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0x50, 0x12, 0, 0, 0, 0, 0, 0];

/// The result of the parser's first stage for an IP packet, after an Ethernet header or without one.
fn parse_plain(packet: &[u8], is_behind_ethernet: bool) -> Option<(FlowKey, Extent)> {
    let mut key = FlowKey::default();
    let fill = |packet: &Plain| packet.fill(&mut key);
    let frame = Slice::new(packet, packet.len());
    let extent =
        if is_behind_ethernet { plain::ethernet(&frame, fill) } else { plain::raw(&frame, fill) };
    Some((key, extent?))
}

/// The result of the other stages.
fn parse_any(packet: &[u8], is_behind_ethernet: bool) -> Result<(FlowKey, Extent), Skip> {
    let mut key = FlowKey::default();
    let frame = Slice::new(packet, packet.len());
    let extent = if is_behind_ethernet {
        link::parse_ethernet(&frame, &mut key)?
    } else {
        link::parse_raw(&frame, &mut key)?
    };
    Ok((key, extent))
}

/// A frame with this tag, if any, in front of the EtherType.
fn behind_ethernet(tag: Option<u16>, ethertype: u16, packet: &[u8]) -> Vec<u8> {
    let tag = tag.map_or(vec![], |tag| [tag.to_be_bytes(), [0, 5]].concat());
    [&[0; 12][..], &tag, &ethertype.to_be_bytes(), packet].concat()
}

#[test]
fn packets_whose_headers_have_a_fixed_place_are_taken_by_the_first_stage() {
    for protocol in [TCP, UDP, 132, 1, 50] {
        for (ethertype, packet) in
            [(0x0800, v4(protocol, 0, &PORTS)), (0x86dd, v6(protocol, &PORTS))]
        {
            let frame = behind_ethernet(None, ethertype, &packet);
            let tagged = behind_ethernet(Some(0x8100), ethertype, &packet);
            for (bytes, is_behind_ethernet) in [(&frame, true), (&tagged, true), (&packet, false)] {
                let plain = parse_plain(bytes, is_behind_ethernet);
                assert_eq!(plain, parse_any(bytes, is_behind_ethernet).ok());
                assert!(plain.is_some());
            }
        }
    }
    for other in [v4(TCP, 0, &[0; 7]), v6(TCP, &[0; 7]), v6(44, &PORTS), v6(0, &PORTS), vec![0x45]]
    {
        assert_eq!(parse_plain(&other, false), None);
    }
}

proptest! {
    #[test]
    fn the_first_stage_agrees_with_the_others(
        protocol in prop::sample::select(vec![TCP, UDP, 1, 44, 60, 132]),
        fragment in prop::sample::select(vec![0, 0x2000, 0x2001, 1]),
        is_v6: bool,
        is_behind_ethernet: bool,
        tag in prop::option::of(prop::sample::select(vec![0x8100, 0x88a8, 0x9100])),
        payload in prop::collection::vec(any::<u8>(), 0..40),
        changes in prop::collection::vec((0_usize..80, any::<u8>()), 0..3),
        len in 0_usize..120,
    ) {
        let packet = if is_v6 { v6(protocol, &payload) } else { v4(protocol, fragment, &payload) };
        let mut bytes = match is_behind_ethernet {
            true => behind_ethernet(tag, if is_v6 { 0x86dd } else { 0x0800 }, &packet),
            false => packet,
        };
        bytes.truncate(len);
        for (at, byte) in changes {
            if let Some(place) = bytes.get_mut(at) {
                *place = byte;
            }
        }
        if let Some(plain) = parse_plain(&bytes, is_behind_ethernet) {
            prop_assert_eq!(Ok(plain), parse_any(&bytes, is_behind_ethernet));
        }
    }
}

fn ports(packet: &[u8]) -> (u16, u16) {
    let (key, _) = parse_ip(packet).expect("an IP packet");
    (key.sport, key.dport)
}

fn bytes(packet: &[u8]) -> u32 {
    parse_ip(packet).expect("an IP packet").1.bytes
}

/// Checks that hold for any result.
fn assert_consistent(key: &FlowKey, extent: &Extent, captured: usize) {
    let shortest = if key.family == 4 { 20 } else { 40 };
    assert!(key.family == 4 || key.family == 6);
    assert!(extent.bytes >= shortest, "{extent:?}");
    assert!(extent.header_len >= shortest, "{extent:?}");
    assert!(extent.offset as usize + shortest as usize <= captured, "{extent:?} of {captured}");
    assert!(matches!(key.protocol, 6 | 17 | 132) || (key.sport, key.dport) == (0, 0), "{key:?}");
    assert!(key.protocol == TCP || extent.tcp_flags == 0);
    assert_eq!((key.direction, key.ifindex, key.reserved, key.reserved_word), (0, 0, 0, 0));
}

fn check(link: u16, bytes: &[u8], wire_len: usize) {
    if let Ok((key, extent)) = parse(link, bytes, wire_len) {
        assert_consistent(&key, &extent, bytes.len());
    }
}

/// Bytes that look like the start of something, followed by any bytes.
fn likely_frame() -> impl Strategy<Value = Vec<u8>> {
    let starts = prop::sample::select(vec![
        vec![0x08, 0x00, 0x45],
        vec![0x86, 0xdd, 0x60],
        vec![0x81, 0x00, 0x00, 0x05],
        vec![0x88, 0x47, 0, 1, 1, 64],
        vec![0x88, 0x64, 0x11, 0, 0, 9, 0, 40, 0, 0x21],
        vec![0xaa, 0xaa, 3, 0, 0, 0],
        vec![0x08, 0x01],
        vec![0x88, 0x83],
        vec![0, 0, 8, 0, 0, 0, 0, 0],
        vec![0xff, 3, 0, 0x57],
        vec![0x45, 0, 0, 40],
        vec![0x60, 0, 0, 0, 0, 40, 0, 64],
        vec![44, 0],
        vec![43, 1],
        vec![60, 255],
    ]);
    let part = prop_oneof![starts, prop::collection::vec(any::<u8>(), 0..24)];
    prop::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4096))]

    #[test]
    fn no_bytes_cause_a_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..200),
        link in prop_oneof![prop::sample::select(LINKS.to_vec()), any::<u16>()],
        wire_len in prop_oneof![0_usize..300, any::<u32>().prop_map(|len| len as usize)],
    ) {
        check(link, &bytes, wire_len);
    }

    #[test]
    fn no_plausible_bytes_cause_a_panic(bytes in likely_frame(), wire_len in 0_usize..70_000) {
        LINKS.iter().for_each(|link| check(*link, &bytes, wire_len));
        let addressed = [&[2; 12][..], &bytes].concat();
        LINKS.iter().for_each(|link| check(*link, &addressed, wire_len));
    }

    /// Bytes that were not captured may hide ports, but never change who sends how much.
    #[test]
    fn cutting_a_frame_hides_and_never_invents(bytes in likely_frame(), link in prop::sample::select(LINKS.to_vec())) {
        let Ok((whole, extent)) = parse(link, &bytes, bytes.len()) else { return Ok(()) };
        for captured in 0..bytes.len() {
            let Ok((key, cut)) = parse(link, &bytes[..captured], bytes.len()) else { continue };
            // Radiotap's padding flag comes before everything else, so the offset is the same.
            prop_assert_eq!((key.src, key.dst, key.family), (whole.src, whole.dst, whole.family));
            prop_assert_eq!((cut.bytes, cut.offset), (extent.bytes, extent.offset));
        }
    }
}

#[test]
fn valid_frames_cut_at_every_length_are_skipped_or_the_same() {
    let ethernet =
        |ethertype: [u8; 2], packet: Vec<u8>| [&[2; 12][..], &ethertype, &packet].concat();
    let frames = [
        ethernet([8, 0], v4(TCP, 0, &PORTS)),
        ethernet([0x86, 0xdd], v6(UDP, &PORTS)),
        ethernet([0x86, 0xdd], v6(0, &[&[TCP, 0, 1, 4, 0, 0, 0, 0][..], &PORTS].concat())),
    ];
    for frame in frames {
        let (whole, extent) = parse(1, &frame, frame.len()).expect("a whole frame");
        for captured in 0..frame.len() {
            match parse(1, &frame[..captured], frame.len()) {
                Err(Skip::NonIp) => assert!(captured < 14, "{captured}"),
                Err(Skip::Malformed) => {
                    let header = if whole.family == 4 { 20 } else { 40 };
                    assert!((14..14 + header).contains(&captured), "{captured}");
                }
                Ok((key, cut)) => {
                    assert_eq!((key.src, key.dst, cut.bytes), (whole.src, whole.dst, extent.bytes));
                    let has_ports = (key.sport, key.dport) != (0, 0);
                    assert!(!has_ports || (key.sport, key.dport) == (0x0102, 0x0304));
                    assert!(!has_ports || captured >= 14 + 20 + 4);
                }
            }
        }
    }
}

/// Addresses, some layers of four bytes each, then IPv4.
fn layered(first: [u8; 2], layer: impl Fn(usize) -> [u8; 4], count: usize) -> Vec<u8> {
    let layers: Vec<u8> = (0..count).flat_map(layer).collect();
    [&[2; 12][..], &first, &layers, &v4(UDP, 0, &PORTS)].concat()
}

#[test]
fn vlan_tags_are_parsed_up_to_the_documented_depth() {
    let tags = |count: usize| {
        let last = move |n| if n + 1 == count { [0, 5, 8, 0] } else { [0, 5, 0x81, 0] };
        layered([0x88, 0xa8], last, count)
    };
    for count in 1..=MAX_VLAN_TAGS {
        assert!(parse(1, &tags(count), 200).is_ok(), "{count}");
    }
    assert_eq!(parse(1, &tags(MAX_VLAN_TAGS + 1), 200), Err(Skip::NonIp));
}

#[test]
fn mpls_labels_are_parsed_up_to_the_documented_depth() {
    let labels =
        |count: usize| layered([0x88, 0x47], move |n| [0, 1, u8::from(n + 1 == count), 64], count);
    for count in 1..=MAX_MPLS_LABELS {
        assert!(parse(1, &labels(count), 200).is_ok(), "{count}");
    }
    assert_eq!(parse(1, &labels(MAX_MPLS_LABELS + 1), 200), Err(Skip::NonIp));
}

#[test]
fn extension_headers_are_parsed_up_to_the_documented_number() {
    let chain = |count: usize| {
        let header = |n| [if n + 1 == count { UDP } else { 60 }, 0, 1, 4, 0, 0, 0, 0];
        v6(60, &[(0..count).flat_map(header).collect(), PORTS.to_vec()].concat())
    };
    let protocol = |count| parse_ip(&chain(count)).expect("an IP packet").0.protocol;
    for count in 1..=MAX_EXTENSION_HEADERS {
        assert_eq!((protocol(count), ports(&chain(count))), (UDP, (258, 772)), "{count}");
    }
    let more = chain(MAX_EXTENSION_HEADERS + 1);
    assert_eq!((protocol(MAX_EXTENSION_HEADERS + 1), ports(&more)), (60, (0, 0)));
}

#[test]
fn addresses_are_those_of_the_header() {
    let (key, _) = parse_ip(&v4(UDP, 0, &PORTS)).expect("an IP packet");
    assert_eq!(key.src_ip(), IpAddr::from([192, 0, 2, 1]));
    assert_eq!(key.dst_ip(), IpAddr::from([198, 51, 100, 2]));
    let (key, _) = parse_ip(&v6(UDP, &PORTS)).expect("an IP packet");
    assert_eq!(key.dst_ip(), "2001:db8::2".parse::<IpAddr>().expect("an address"));
}

#[test]
fn only_tcp_udp_and_sctp_have_ports() {
    for protocol in 0..=255 {
        let due = if matches!(protocol, 6 | 17 | 132) { (258, 772) } else { (0, 0) };
        assert_eq!(ports(&v4(protocol, 0, &PORTS)), due, "{protocol}");
        // In IPv6 some numbers are extension headers; these bytes are not valid ones.
        if !matches!(protocol, 0 | 43 | 44 | 60) {
            assert_eq!(ports(&v6(protocol, &PORTS)), due, "{protocol}");
        }
    }
}

#[test]
fn later_fragments_have_no_ports() {
    assert_eq!(ports(&v4(UDP, 0x2000, &PORTS)), (258, 772));
    assert_eq!(ports(&v4(UDP, 0x2001, &PORTS)), (0, 0));
    let fragment = |place: u8| [&[UDP, 0, 0, place, 0, 0, 0, 9][..], &PORTS].concat();
    assert_eq!(ports(&v6(44, &fragment(1))), (258, 772));
    assert_eq!(ports(&v6(44, &fragment(8))), (0, 0));
    let (key, _) = parse_ip(&v6(44, &fragment(8))).expect("an IP packet");
    assert_eq!(key.protocol, UDP);
}

#[test]
fn ports_are_inside_of_the_packet() {
    let mut short = v4(UDP, 0, &PORTS);
    short[3] = 23;
    assert_eq!((ports(&short), bytes(&short)), ((0, 0), 23));
    short[3] = 24;
    assert_eq!(ports(&short), (258, 772));
}

#[test]
fn headers_that_end_the_walk_are_the_protocol() {
    for protocol in [50, 51, 59, 135, 139] {
        let (key, _) = parse_ip(&v6(protocol, &PORTS)).expect("an IP packet");
        assert_eq!((key.protocol, key.sport), (protocol, 0));
    }
}

#[test]
fn a_long_ppi_header_is_skipped_completely() {
    let packet = v4(UDP, 0, &PORTS);
    let frame = |len: u16| {
        // Version and flags, length, and the link type of the inner frame, little-endian.
        let mut header = [&[0, 0][..], &len.to_le_bytes(), &1_u32.to_le_bytes()].concat();
        // There is a packet wherever the header is looked for.
        header.extend(packet.iter().cycle().take(usize::from(len) - 8));
        [header, vec![0; 12], vec![8, 0], packet.clone()].concat()
    };
    for len in 8..2000 {
        let frame = frame(len);
        let parsed = parse(192, &frame, frame.len());
        if len <= 512 {
            assert_eq!(
                parsed,
                parse_ip(&packet).map(|(key, extent)| {
                    (key, Extent { offset: u32::from(len) + 14, ..extent })
                })
            );
        } else {
            assert_eq!(parsed, Err(Skip::NonIp), "{len}");
        }
    }
}

#[test]
fn bytes_are_the_length_in_the_header() {
    let mut packet = v4(UDP, 0, &PORTS);
    packet.extend([0; 6]);
    assert_eq!(bytes(&packet), 40, "padding does not count");
    packet[2..4].copy_from_slice(&60_000_u16.to_be_bytes());
    assert_eq!(bytes(&packet), 60_000);
    let mut packet = v6(UDP, &PORTS);
    assert_eq!(bytes(&packet), 60);
    packet[4..6].copy_from_slice(&60_000_u16.to_be_bytes());
    assert_eq!(bytes(&packet), 60_040);
}

#[test]
fn a_length_of_zero_is_the_rest_of_the_wire() {
    let mut packet = v4(TCP, 0, &PORTS);
    packet[2..4].fill(0);
    let frame = [&[2; 12][..], &[8, 0], &packet].concat();
    assert_eq!(parse(1, &frame, 9014).expect("an IP packet").1.bytes, 9000);
    let mut packet = v6(TCP, &PORTS);
    packet[4..6].fill(0);
    let frame = [&[2; 12][..], &[0x86, 0xdd], &packet].concat();
    assert_eq!(parse(1, &frame, 90_014).expect("an IP packet").1.bytes, 90_000);
    // "No next header": there is nothing else.
    assert_eq!(bytes(&v6(59, &[])), 40);
}

#[test]
fn headers_that_contradict_themselves_are_malformed() {
    let changed = |at: usize, byte: u8| {
        let mut packet = v4(UDP, 0, &PORTS);
        packet[at] = byte;
        packet
    };
    for packet in
        [changed(0, 0x44), changed(0, 0x40), changed(3, 19), v4(UDP, 0, &[])[..19].to_vec()]
    {
        assert_eq!(parse_ip(&packet), Err(Skip::Malformed), "{packet:?}");
    }
    assert_eq!(parse(228, &changed(0, 0x65), 40), Err(Skip::Malformed));
    assert_eq!(parse(229, &v4(UDP, 0, &[0; 40]), 60), Err(Skip::Malformed));
    assert_eq!(parse_ip(&v6(UDP, &[])[..39]), Err(Skip::Malformed));
    let mut options = v4(UDP, 0, &[]);
    options[0] = 0x46;
    assert_eq!(parse_ip(&options), Err(Skip::Malformed), "the header is longer than the packet");
}

/// IPsec passes such packets to its devices: an IP packet after the Ethernet header of the encrypted one.
#[test]
fn an_ethernet_header_in_front_of_an_ip_packet_is_seen() {
    let is_behind = |frame: &[u8], ethertype| {
        link::is_behind_ethernet(&Slice::new(frame, frame.len()), ethertype)
    };
    let packets = [(0x0800, v4(UDP, 0, &PORTS)), (0x86dd, v6(UDP, &PORTS))];
    for (ethertype, packet) in packets {
        assert!(!is_behind(&packet, ethertype));
        // Addresses may begin like IP headers.
        for first in [0x02, 0x45, 0x46, 0x62, 0x66] {
            let mut header = vec![first; 12];
            header.extend(u16::to_be_bytes(ethertype));
            assert!(is_behind(&[header.clone(), packet.clone()].concat(), ethertype));
            assert!(!is_behind(&header, ethertype), "nothing is behind it");
        }
        assert!(!is_behind(&[vec![2; 14], packet].concat(), ethertype), "no such header");
        assert!(!is_behind(&[], ethertype));
    }
    // An IPv4 packet whose source address looks like the end of an Ethernet header.
    let mut packet = v4(UDP, 0, &PORTS);
    packet[12..16].copy_from_slice(&[8, 0, 0x45, 1]);
    assert!(!is_behind(&packet, 0x0800));
}

#[test]
fn the_header_of_a_big_gso_packet_is_parsed() {
    let jumbo = [TCP, 0, 0xc2, 4, 0, 1, 0, 0];
    let jumbo_len = |packet: &[u8]| crate::parse::jumbo_len(&Slice::new(packet, packet.len()), 0);
    let mut packet = v6(0, &[&jumbo[..], &PORTS[..]].concat());
    packet[4..6].copy_from_slice(&[0, 0]);
    let (key, extent) = parse_ip(&packet).unwrap();
    assert_eq!((key.protocol, extent.header_len, jumbo_len(&packet)), (TCP, 40 + 8 + 20, 8));
    // Another option, and a packet whose header has the real length.
    packet[42] = 5;
    assert_eq!(jumbo_len(&packet), 0);
    let short = v6(0, &[&jumbo[..], &PORTS[..]].concat());
    assert_eq!(jumbo_len(&short), 0);
}
