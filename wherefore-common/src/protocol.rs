//! Numbers of the protocols above IP that something here treats in its own way (IANA, "Assigned Internet
//! Protocol Numbers").

/// ICMP for IPv4 (RFC 792).
pub const ICMP: u8 = 1;
/// IGMP (RFC 3376).
pub const IGMP: u8 = 2;
/// TCP (RFC 9293).
pub const TCP: u8 = 6;
/// UDP (RFC 768).
pub const UDP: u8 = 17;
/// ICMP for IPv6 (RFC 4443).
pub const ICMP_V6: u8 = 58;
/// SCTP (RFC 9260).
pub const SCTP: u8 = 132;
