//! Ethernet frames built by hand, including those a kernel would never send.
//!
//! Owns the wire formats of the link layer and how layers nest; the network and
//! transport layers have modules of their own. Lengths and checksums are right unless a field
//! says otherwise. Refuses to make broken frames: cut or overwrite the returned
//! bytes for that.

mod ip;
mod transport;

pub use ip::{Extension, Ipv4, Ipv6, Network};
pub use transport::Transport;

/// An Ethernet address.
pub type Mac = [u8; 6];

/// An address that no host of the laboratory has.
///
/// Frames for it cross the link and are counted, but the receiving stack drops
/// them without a reply, so that the counters stay exact.
pub const NOBODY: Mac = [0x02, 0, 0, 0x77, 0xff, 0xff];

/// The shortest Ethernet frame, without its check sequence.
pub const SHORTEST: usize = 60;

/// EtherType of IPv4.
pub const IPV4: u16 = 0x0800;
/// EtherType of ARP.
pub const ARP: u16 = 0x0806;
/// EtherType of an 802.1Q tag.
pub const VLAN: u16 = 0x8100;
/// EtherType of IPv6.
pub const IPV6: u16 = 0x86dd;
/// EtherType of unicast MPLS.
pub const MPLS: u16 = 0x8847;
/// EtherType of a PPPoE session.
pub const PPPOE: u16 = 0x8864;
/// EtherType of an 802.1ad service tag.
pub const SERVICE_VLAN: u16 = 0x88a8;

/// All that precedes the network layer: addresses, then VLAN tags, PPPoE, MPLS.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The sender's address.
    pub source: Mac,
    /// The receiver's address.
    pub target: Mac,
    /// VLAN tags from the outermost in, as (tag protocol, tag control: VLAN id and priority).
    pub vlans: Vec<(u16, u16)>,
    /// The session, if the packet travels in PPPoE.
    pub pppoe: Option<u16>,
    /// MPLS labels from the outermost in.
    pub mpls: Vec<u32>,
}

impl Link {
    /// Plain Ethernet.
    pub fn new(source: Mac, target: Mac) -> Self {
        Self { source, target, vlans: Vec::new(), pppoe: None, mpls: Vec::new() }
    }

    /// The same frame, addressed to [`NOBODY`].
    pub fn to_nobody(self) -> Self {
        Self { target: NOBODY, ..self }
    }

    /// The same with one more VLAN tag, inside those already there.
    pub fn vlan(mut self, protocol: u16, control: u16) -> Self {
        self.vlans.push((protocol, control));
        self
    }

    /// The same in a PPPoE session.
    pub fn pppoe(self, session: u16) -> Self {
        Self { pppoe: Some(session), ..self }
    }

    /// The same with one more MPLS label, inside those already there.
    pub fn mpls(mut self, label: u32) -> Self {
        self.mpls.push(label);
        self
    }

    /// A frame that carries an IP packet.
    pub fn frame(&self, network: &Network, transport: &Transport) -> Vec<u8> {
        let ethertype = match network {
            Network::V4(_) => IPV4,
            Network::V6(_) => IPV6,
        };
        self.wrap(ethertype, &network.packet(transport))
    }

    /// A frame that carries any payload under any EtherType.
    pub fn wrap(&self, ethertype: u16, payload: &[u8]) -> Vec<u8> {
        let (ethertype, inner) = self.label(ethertype, payload.to_vec());
        let (ethertype, inner) = self.session(ethertype, inner);
        let mut frame = self.head();
        frame.extend(ethertype.to_be_bytes());
        frame.extend(inner);
        frame
    }

    /// An ARP request: who has `target`, tell `source`.
    pub fn arp(&self, source: std::net::Ipv4Addr, target: std::net::Ipv4Addr) -> Vec<u8> {
        let mut body = vec![0, 1, 8, 0, 6, 4, 0, 1];
        body.extend(self.source);
        body.extend(source.octets());
        body.extend([0; 6]);
        body.extend(target.octets());
        self.wrap(ARP, &body)
    }

    /// An 802.3 frame: a length instead of the EtherType, then LLC (spanning tree's).
    pub fn llc(&self, payload: &[u8]) -> Vec<u8> {
        let body = [&[0x42, 0x42, 0x03], payload].concat();
        let length = u16::try_from(body.len()).ok().filter(|length| *length <= 1500);
        self.wrap(length.expect("an LLC payload is at most 1497 bytes"), &body)
    }

    /// The addresses and VLAN tags, up to the next EtherType.
    fn head(&self) -> Vec<u8> {
        let mut head = [self.target, self.source].concat();
        for (protocol, control) in &self.vlans {
            head.extend(protocol.to_be_bytes());
            head.extend(control.to_be_bytes());
        }
        head
    }

    /// Puts the MPLS labels before the payload; the last one has the bottom bit.
    fn label(&self, ethertype: u16, payload: Vec<u8>) -> (u16, Vec<u8>) {
        let Some(last) = self.mpls.len().checked_sub(1) else {
            return (ethertype, payload);
        };
        let entry = |(at, label): (usize, &u32)| label << 12 | u32::from(at == last) << 8 | 64;
        let labels = self.mpls.iter().enumerate().map(entry).flat_map(u32::to_be_bytes);
        (MPLS, labels.chain(payload).collect())
    }

    /// Puts the PPPoE session header before the payload.
    fn session(&self, ethertype: u16, payload: Vec<u8>) -> (u16, Vec<u8>) {
        let Some(session) = self.pppoe else {
            return (ethertype, payload);
        };
        let mut packet = vec![0x11, 0];
        packet.extend(session.to_be_bytes());
        packet.extend(length(payload.len() + 2));
        packet.extend(ppp_protocol(ethertype).to_be_bytes());
        packet.extend(payload);
        (PPPOE, packet)
    }
}

/// The frame filled with zeros up to the Ethernet minimum, as a network card would.
pub fn padded(mut frame: Vec<u8>) -> Vec<u8> {
    frame.resize(frame.len().max(SHORTEST), 0);
    frame
}

/// An Ethernet address as `02:00:00:77:00:01`.
pub fn mac_text(mac: Mac) -> String {
    mac.map(|byte| format!("{byte:02x}")).join(":")
}

/// PPP's number for an Ethernet `ethertype`.
fn ppp_protocol(ethertype: u16) -> u16 {
    match ethertype {
        IPV4 => 0x0021,
        IPV6 => 0x0057,
        MPLS => 0x0281,
        other => panic!("PPP has no number for EtherType {other:#06x}"),
    }
}

/// A length in the form of a header.
fn length(bytes: usize) -> [u8; 2] {
    u16::try_from(bytes).expect("a packet is at most 65,535 bytes").to_be_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAYLOAD: [u8; 2] = [0xaa, 0xbb];

    /// A link with addresses that are easy to distinguish.
    fn link() -> Link {
        Link::new([1; 6], [2; 6])
    }

    /// The bytes that `link()` puts before everything else.
    const HEAD: [u8; 12] = [2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1];

    #[test]
    fn vlan_tags_nest_from_the_outside_in() {
        let frame = link().vlan(SERVICE_VLAN, 7).vlan(VLAN, 0x2005).wrap(IPV4, &PAYLOAD);
        let expected = [0x88, 0xa8, 0, 7, 0x81, 0, 0x20, 5, 8, 0, 0xaa, 0xbb];
        assert_eq!(frame, [&HEAD[..], &expected].concat());
    }

    #[test]
    fn only_the_last_mpls_label_is_marked() {
        let frame = link().mpls(16).mpls(0xfffff).wrap(IPV6, &PAYLOAD);
        let expected = [0x88, 0x47, 0, 1, 0, 64, 0xff, 0xff, 0xf1, 64, 0xaa, 0xbb];
        assert_eq!(frame, [&HEAD[..], &expected].concat());
    }

    #[test]
    fn pppoe_counts_its_protocol_field() {
        let frame = link().pppoe(0x1234).wrap(IPV6, &PAYLOAD);
        let expected = [0x88, 0x64, 0x11, 0, 0x12, 0x34, 0, 4, 0, 0x57, 0xaa, 0xbb];
        assert_eq!(frame, [&HEAD[..], &expected].concat());
    }

    #[test]
    fn llc_frames_have_a_length_instead_of_a_type() {
        let frame = link().llc(&PAYLOAD);
        assert_eq!(frame, [&HEAD[..], &[0, 5, 0x42, 0x42, 3, 0xaa, 0xbb]].concat());
        assert_eq!(padded(frame).len(), SHORTEST);
    }

    #[test]
    fn arp_asks_for_the_target() {
        let frame = link().arp([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let fixed = [8, 6, 0, 1, 8, 0, 6, 4, 0, 1];
        let hosts = [1, 1, 1, 1, 1, 1, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2];
        assert_eq!(frame, [&HEAD[..], &fixed, &hosts].concat());
    }
}
