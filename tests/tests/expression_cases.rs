//! Filter expressions from outside: a replay finds as many flows as tcpdump finds packets, where each
//! packet is a flow of its own. Owns the frames, by hand; refuses to know how filters are evaluated.

use wherefore_tests::command::{Run, Scratch, command};

const TCP: u8 = 6;
const UDP: u8 = 17;
const LITTLE: bool = false;
const BIG: bool = true;

/// A capture of one link type.
struct Capture {
    link: u32,
    is_big: bool,
    frames: Vec<Vec<u8>>,
}

impl Capture {
    fn new(link: u32, frames: impl IntoIterator<Item = Vec<u8>>) -> Self {
        Self { link, is_big: LITTLE, frames: frames.into_iter().collect() }
    }

    fn ethernet(ethertype: u16, packets: impl IntoIterator<Item = Vec<u8>>) -> Self {
        let frame = |packet: Vec<u8>| [&[2; 12][..], &ethertype.to_be_bytes(), &packet].concat();
        Self::new(1, packets.into_iter().map(frame))
    }

    /// With an address family in the byte order of the file.
    fn loopback(is_big: bool, family: u32, packet: &[u8]) -> Self {
        let family = if is_big { family.to_be_bytes() } else { family.to_le_bytes() };
        Self { is_big, ..Self::new(0, [[&family[..], packet].concat()]) }
    }

    fn bytes(&self) -> Vec<u8> {
        let word = |word: u32| if self.is_big { word.to_be_bytes() } else { word.to_le_bytes() };
        let half = |half: u16| if self.is_big { half.to_be_bytes() } else { half.to_le_bytes() };
        let mut file = [&word(0xa1b2_c3d4)[..], &half(2), &half(4)].concat();
        file.extend([0, 0, 262_144, self.link].map(word).concat());
        for (second, frame) in (0..).zip(&self.frames) {
            let length = frame.len() as u32;
            file.extend([second, 0, length, length].map(word).concat());
            file.extend(frame);
        }
        file
    }

    fn replay(&self, expression: &str) -> Run {
        let directory = Scratch::new();
        let path = directory.path("frames.pcap");
        std::fs::write(&path, self.bytes()).expect("a file");
        let mut command = command(["replay", "--flows", "-", "-f", expression]);
        command.arg(path).output().expect("it runs").into()
    }

    fn flows(&self, expression: &str) -> usize {
        let run = self.replay(expression);
        assert_eq!(run.code, Some(0), "{expression}: {}", run.stderr);
        run.stdout.lines().filter(|line| line.contains("\"src\"")).count()
    }

    fn check(&self, cases: &[(&str, usize)]) {
        for (expression, expected) in cases {
            assert_eq!(self.flows(expression), *expected, "{expression}");
        }
    }
}

/// A packet from 10.0.0.`host` to 10.9.9.9.
fn v4(host: u8, protocol: u8, payload: &[u8]) -> Vec<u8> {
    let length = (20 + payload.len() as u16).to_be_bytes();
    let header = [0x45, 0, length[0], length[1], 0, 1, 0, 0, 64, protocol, 0, 0];
    [&header[..], &[10, 0, 0, host], &[10, 9, 9, 9], payload].concat()
}

/// A packet between two addresses of the documentation's net, with its extension headers: each of 8
/// bytes.
fn v6(host: u8, extensions: &[u8], protocol: u8, payload: &[u8]) -> Vec<u8> {
    let mut body = Vec::new();
    for (place, _) in extensions.iter().enumerate() {
        let next = extensions.get(place + 1).copied().unwrap_or(protocol);
        body.extend([next, 0, 0, 0, 0, 0, 0, 0]);
    }
    body.extend(payload);
    let mut address = [0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, host];
    let next = extensions.first().copied().unwrap_or(protocol);
    let header = [0x60, 0, 0, 0, 0, body.len() as u8, next, 64];
    let source = address;
    address[15] = 200;
    [&header[..], &source, &address, &body].concat()
}

fn ports(source: u16, destination: u16) -> Vec<u8> {
    let mut payload = [source.to_be_bytes(), destination.to_be_bytes()].concat();
    // As a TCP header of 20 bytes it has SYN set.
    payload.extend([0, 0, 0, 1, 0, 0, 0, 0, 0x50, 2, 3, 232, 0, 0, 0, 0]);
    payload
}

#[test]
fn header_chains_are_followed_with_backward_jumps() {
    let segment = ports(5000, 80);
    let chains = [&[][..], &[60], &[0, 43, 60], &[44]];
    let packets = chains.iter().zip(1..).map(|(chain, host)| v6(host, chain, TCP, &segment));
    let other = v6(9, &[60], UDP, &segment);
    let six = Capture::ethernet(0x86dd, packets.chain([other]));
    six.check(&[("ip6 protochain 6", 4), ("ip6 protochain 17", 1), ("ip6 protochain 60", 3)]);
    // An authentication header of 12 bytes; its length field counts words of 4 bytes, less 2.
    let hidden = [&[TCP, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0][..], &segment].concat();
    let four =
        Capture::ethernet(0x0800, [v4(1, 51, &hidden), v4(2, TCP, &segment), v4(3, UDP, &segment)]);
    four.check(&[("ip protochain 6", 2), ("ip protochain 51", 1), ("not ip protochain \\tcp", 1)]);
}

#[test]
fn extension_headers_by_number_are_those_of_the_frame() {
    let segment = ports(5000, 80);
    let chains = [&[][..], &[0], &[60], &[44], &[0, 60]];
    let packets = chains.iter().zip(1..).map(|(chain, host)| v6(host, chain, TCP, &segment));
    let capture = Capture::ethernet(0x86dd, packets);
    capture.check(&[
        ("ip6 proto 0", 2),
        ("ip6 proto 60", 1),
        ("proto 44", 1),
        ("not ip6 proto 0", 3),
        ("ip6 proto 6", 5),
    ]);
}

#[test]
fn address_families_are_those_of_the_file() {
    let packet = v6(1, &[], TCP, &ports(5000, 80));
    for is_big in [LITTLE, BIG] {
        for (family, expected) in [(30, 1), (24, 1), (28, 1), (10, 0)] {
            let capture = Capture::loopback(is_big, family, &packet);
            assert_eq!(capture.flows("ip6[6] = 6"), expected, "{is_big} {family}");
            assert_eq!(capture.flows("ip6"), 1, "{is_big} {family}");
        }
        let four = Capture::loopback(is_big, 2, &v4(1, UDP, &ports(5000, 53)));
        four.check(&[("ip[9] = 17", 1), ("ip6[6] = 17", 0), ("udp[2:2] = 53", 1)]);
    }
}

/// A data frame of 802.11 with these flags and this first address.
fn wifi(flags: u8, receiver: u8, packet: &[u8]) -> Vec<u8> {
    let addresses = [[2, 0, 0, 0, 0, receiver], [2, 0, 0, 0, 0, 8], [2, 0, 0, 0, 0, 9]].concat();
    [&[8, flags, 0, 0][..], &addresses, &[0, 0, 0xaa, 0xaa, 3, 0, 0, 0, 8, 0], packet].concat()
}

#[test]
fn keywords_of_a_link_type_select_frames_of_that_type() {
    let packet = |host| v4(host, UDP, &ports(5000, 53));
    let frames = [(1, 5), (1, 6), (2, 5)].iter().zip(1..);
    let frames = frames.map(|((flags, receiver), host)| wifi(*flags, *receiver, &packet(host)));
    let frames: Vec<_> = frames.collect();
    let cases = [
        ("type data", 3),
        ("type mgt", 0),
        ("dir tods", 2),
        ("wlan addr1 02:00:00:00:00:05", 2),
        ("subtype data and dir fromds", 1),
        ("subtype probe-req", 0),
    ];
    Capture::new(105, frames.clone()).check(&cases);
    let radiotap = |frame: &Vec<u8>| [&[0, 0, 8, 0, 0, 0, 0, 0][..], frame].concat();
    Capture::new(127, frames.iter().map(radiotap)).check(&cases);
    let of_radio = [("radio[0] = 0", 3), ("radio[2] = 8 and dir tods", 2), ("radio[2] = 9", 0)];
    Capture::new(127, frames.iter().map(radiotap)).check(&of_radio);
    // Linux cooked headers contain whether a packet was sent (4).
    let cooked =
        |kind| [&[0, kind, 0, 1, 0, 6, 2, 0, 0, 0, 0, 1, 0, 0, 8, 0][..], &packet(kind)].concat();
    Capture::new(113, [0, 1, 4].map(cooked)).check(&[("outbound", 1), ("inbound", 2)]);
    let plain = Capture::ethernet(0x0800, [packet(1)]);
    for expression in ["type data", "dir tods", "radio[0] = 0", "outbound"] {
        let run = plain.replay(expression);
        assert_eq!(run.code, Some(2), "{expression}: {}", run.stderr);
        assert!(run.stderr.contains(expression), "{}", run.stderr);
        assert!(!run.stdout.contains("\"src\""), "{expression}: {}", run.stdout);
    }
}

/// Frames that are in no flow, but that the expression selects: `non_ip`, and all that it excludes.
fn without_ip(capture: &Capture, expression: &str) -> [u64; 2] {
    let run = capture.replay(expression);
    let last = run.stdout.lines().last().unwrap_or_default();
    let totals: serde_json::Value = serde_json::from_str(last).expect("totals");
    let number = |name: &str| totals["totals"][name].as_u64().expect("a number");
    let sum = number("ip") + number("non_ip") + number("filtered_non_ip");
    assert_eq!(sum, number("frames"), "{expression}: {last}");
    [number("non_ip"), number("filtered")]
}

#[test]
fn an_expression_holds_for_frames_that_are_not_ip() {
    let management = |kind: u8| [&[kind], &wifi(0, 5, &[])[1..24], &[0; 12]].concat();
    let data = wifi(1, 5, &v4(1, UDP, &ports(5000, 53)));
    let air = Capture::new(105, [data, management(0x80), management(0x40), management(0xb0)]);
    for (expression, expected) in [
        ("subtype probe-req", [1, 3]),
        ("type mgt", [3, 1]),
        ("not subtype beacon", [2, 1]),
        ("type data", [0, 3]),
        ("wlan addr1 02:00:00:00:00:05", [3, 0]),
        ("wlan host 02:00:00:00:00:07", [0, 4]),
        ("udp", [0, 3]),
        ("not udp", [3, 1]),
    ] {
        assert_eq!(without_ip(&air, expression), expected, "{expression}");
    }
    let ether = |kind: u16, packet: &[u8]| [&[2; 12][..], &kind.to_be_bytes(), packet].concat();
    let packet = v4(1, UDP, &ports(5000, 53));
    let wire = Capture::new(1, [ether(0x0800, &packet), ether(0x88cc, &[0; 50])]);
    for (expression, expected) in [
        ("ether proto 0x88cc", [1, 1]),
        ("host 10.0.0.1", [0, 1]),
        ("not port 53", [1, 1]),
        ("not arp", [1, 0]),
        ("net 0.0.0.0/0", [0, 1]),
        ("ip proto 0", [0, 2]),
    ] {
        assert_eq!(without_ip(&wire, expression), expected, "{expression}");
    }
}

#[test]
fn large_numbers_are_numbers() {
    let packets = (1..=3).map(|host| v4(host, UDP, &ports(5000, 53)));
    Capture::ethernet(0x0800, packets).check(&[
        ("0xffffff00 & ip[12:4] = 0x0a000000", 3),
        ("ip[12:4] & 0xffffff01 = 0x0a000001", 2),
        ("ip[12:4] + 0xfffff600 != 0", 3),
        ("ip[12:4] = 0xfffff001", 0),
    ]);
}

#[test]
fn numbers_are_octal_behind_a_zero() {
    let packets = [8, 10, 16].map(|port: u8| v4(port, UDP, &ports(u16::from(port), 9)));
    let capture = Capture::ethernet(0x0800, packets);
    capture.check(&[
        ("port 010", 1),
        ("src port 0x10 or 012", 2),
        ("port 010 or 020", 2),
        // libpcap reads the ends of a range as decimal.
        ("portrange 010-016", 2),
        ("ip proto 021", 3),
        ("net 10.0.0.0/010", 3),
        ("net 012", 3),
        ("src host 0x0a000008", 1),
    ]);
    for expression in ["port 080", "ip proto 09", "net 10.0.0.0/08", "port 0x10000"] {
        assert_eq!(capture.replay(expression).code, Some(2), "{expression}");
    }
}

#[test]
fn an_expression_means_the_same_however_long_it_is() {
    // Behind a VLAN tag.
    let tagged = |host| [&[0, 5, 8, 0][..], &v4(host, UDP, &ports(u16::from(host), 9))].concat();
    let capture = Capture::ethernet(0x8100, (1..=9).map(tagged));
    for (count, expected) in [(3, 3), (64, 9), (65, 9), (250, 9)] {
        let hosts: Vec<_> = (1..=count).map(|host| format!("src host 10.0.0.{host}")).collect();
        assert_eq!(capture.flows(&hosts.join(" or ")), expected, "{count} hosts");
        let ports: Vec<_> = (1..=count).map(|port| port.to_string()).collect();
        assert_eq!(
            capture.flows(&format!("src port {}", ports.join(" or "))),
            expected,
            "{count} ports"
        );
        let not = format!("udp and not ({})", hosts.join(" or "));
        assert_eq!(capture.flows(&not), 9 - expected, "not {count} hosts");
    }
}
