//! Parses the part of libpcap's language that is about flows: protocols, hosts, nets, ports, and their
//! combinations. Owns the grammar and the meaning of this part; everything else is left to libpcap.
//!
//! As in pcap-filter(7), `and` and `or` have equal precedence and associate to the left, `not` binds more
//! tightly, and an address or port without a kind is of the same kind as the one before it.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use wherefore_common::flow::address_words;
use wherefore_common::protocol::{SCTP, TCP, UDP};
use wherefore_common::select::Field;

use super::address_bits::{leading, partial, promoted};
use super::names::{self, Port};
use super::program::Condition;
use super::tokens::{Token, tokens};
use super::unsupported::Unsupported;

/// The deepest nesting of parentheses and negations.
const MAX_DEPTH: usize = 64;

/// The kind and direction of an address or a port.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Qualifiers {
    protocol: Protocol,
    side: Side,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Protocol {
    Any,
    V4,
    V6,
    /// ARP and RARP, which are in no flow.
    NoFlow,
    Transport(u8),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Source,
    Destination,
    Either,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Host,
    Net,
    Port,
    PortRange,
    Protocol,
}

/// The condition that the text describes.
pub(super) fn parse(text: &str) -> Result<Condition, Unsupported> {
    let mut parser = Parser { text, tokens: tokens(text), at: 0, depth: 0, last: None };
    let condition = parser.expression()?;
    if parser.at < parser.tokens.len() { Err(parser.unsupported()) } else { Ok(condition) }
}

struct Parser<'a> {
    text: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
    /// The qualifiers of the previous address or port.
    last: Option<Qualifiers>,
}

impl<'a> Parser<'a> {
    fn peek(&self, ahead: usize) -> &'a str {
        self.tokens.get(self.at + ahead).map_or("", |token| token.text)
    }

    fn next(&mut self) -> &'a str {
        let text = self.peek(0);
        self.at += 1;
        text
    }

    fn take(&mut self, words: &[&str]) -> bool {
        let is_it = words.contains(&self.peek(0));
        self.at += usize::from(is_it);
        is_it
    }

    /// The primitive around the current token, as the part that is not supported.
    fn unsupported(&self) -> Unsupported {
        let last = self.tokens.len().saturating_sub(1);
        let is_border = |token: &Token<'_>| {
            matches!(token.text, "and" | "or" | "&&" | "||" | "(" | ")" | "not" | "!")
        };
        let here = self.at.min(last);
        let before = &self.tokens[..here];
        let first = before.iter().rposition(is_border).map_or(0, |border| border + 1);
        let after = self.tokens.iter().skip(here + 1).find(|token| is_border(token));
        let end = after.map_or(self.text.len(), |token| token.at);
        let start = self.tokens.get(first).map_or(0, |token| token.at);
        Unsupported(format!("{:?}", self.text[start..end].trim()))
    }

    fn expression(&mut self) -> Result<Condition, Unsupported> {
        self.joined(Self::term)
    }

    /// Parts that are joined by `and` and `or`, from the left.
    fn joined(
        &mut self,
        part: impl Fn(&mut Self) -> Result<Condition, Unsupported>,
    ) -> Result<Condition, Unsupported> {
        let mut left = part(self)?;
        loop {
            left = if self.take(&["and", "&&"]) {
                left.and(part(self)?)
            } else if self.take(&["or", "||"]) {
                left.or(part(self)?)
            } else {
                return Ok(left);
            }
        }
    }

    fn term(&mut self) -> Result<Condition, Unsupported> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Unsupported(format!("more than {MAX_DEPTH} levels of parentheses")));
        }
        let condition = if self.is_value() {
            let last = self.last.ok_or_else(|| self.unsupported())?;
            self.listed(last)?
        } else if self.take(&["not", "!"]) {
            Condition::Not(Box::new(self.term()?))
        } else if self.take(&["("]) {
            self.in_parentheses()?
        } else {
            self.primitive()?
        };
        self.depth -= 1;
        Ok(condition)
    }

    /// An expression in parentheses. Values after it are of the kind of those before it.
    fn in_parentheses(&mut self) -> Result<Condition, Unsupported> {
        let before = self.last;
        let inner = self.expression()?;
        self.last = before;
        if self.take(&[")"]) { Ok(inner) } else { Err(self.unsupported()) }
    }

    /// Whether a value comes next, alone, negated or in a list, without a word for its kind.
    fn is_value(&self) -> bool {
        let words = self.tokens.iter().skip(self.at).map(|token| token.text);
        let mut words = words.skip_while(|word| matches!(*word, "(" | "not" | "!"));
        let is_kind = |word: &str| {
            let others = ["ip", "ip6", "arp", "rarp", "src", "dst"];
            let kinds = ["host", "net", "port", "portrange", "proto"];
            others.contains(&word) || kinds.contains(&word) || names::keyword(word).is_some()
        };
        words.next().is_some_and(|word| !is_kind(word))
    }

    /// A value, its negation, or a list of them in parentheses.
    fn listed(&mut self, qualifiers: Qualifiers) -> Result<Condition, Unsupported> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            return Err(Unsupported(format!("more than {MAX_DEPTH} levels of parentheses")));
        }
        let condition = if self.take(&["not", "!"]) {
            Condition::Not(Box::new(self.listed(qualifiers)?))
        } else if self.take(&["("]) {
            // In libpcap's grammar, a list cannot begin with a list.
            if self.peek(0) == "(" {
                return Err(self.unsupported());
            }
            let list = self.joined(|parser| parser.listed(qualifiers))?;
            if !self.take(&[")"]) {
                return Err(self.unsupported());
            }
            list
        } else {
            self.value(qualifiers)?
        };
        self.depth -= 1;
        Ok(condition)
    }

    /// A word that is a complete primitive, or qualifiers and their value.
    fn primitive(&mut self) -> Result<Condition, Unsupported> {
        let start = self.at;
        let protocol = self.protocol();
        let side = self.side();
        let kind = self.kind();
        // A protocol has no direction.
        if self.at == start || side.is_some() && kind == Some(Kind::Protocol) {
            return Err(self.unsupported());
        }
        if side.is_none() && kind.is_none() {
            self.last = None;
            let is_alone = matches!(self.peek(0), "" | "and" | "or" | "&&" | "||" | ")");
            let word = self.tokens[start].text;
            return if is_alone { self.protocol_alone(word) } else { Err(self.unsupported()) };
        }
        let qualifiers = Qualifiers {
            protocol: protocol.unwrap_or(Protocol::Any),
            side: side.unwrap_or(Side::Either),
            kind: kind.unwrap_or(Kind::Host),
        };
        self.last = Some(qualifiers);
        self.listed(qualifiers)
    }

    /// A protocol by a word, before qualifiers or alone.
    fn protocol(&mut self) -> Option<Protocol> {
        let protocol = match self.peek(0) {
            "ip" => Protocol::V4,
            "ip6" => Protocol::V6,
            "arp" | "rarp" => Protocol::NoFlow,
            name => Protocol::Transport(names::keyword(name)?),
        };
        self.at += 1;
        Some(protocol)
    }

    fn side(&mut self) -> Option<Side> {
        let (side, words) = match (self.peek(0), self.peek(1), self.peek(2)) {
            ("src", "or" | "||", "dst") | ("dst", "or" | "||", "src") => (Side::Either, 3),
            ("src", "and" | "&&", "dst") | ("dst", "and" | "&&", "src") => (Side::Both, 3),
            ("src", ..) => (Side::Source, 1),
            ("dst", ..) => (Side::Destination, 1),
            _ => return None,
        };
        self.at += words;
        Some(side)
    }

    fn kind(&mut self) -> Option<Kind> {
        let kind = match self.peek(0) {
            "host" => Kind::Host,
            "net" => Kind::Net,
            "port" => Kind::Port,
            "portrange" => Kind::PortRange,
            "proto" => Kind::Protocol,
            _ => return None,
        };
        self.at += 1;
        Some(kind)
    }

    /// The condition of a protocol's name alone.
    fn protocol_alone(&self, word: &str) -> Result<Condition, Unsupported> {
        let number = names::keyword(word);
        Ok(match (word, number) {
            ("ip", _) => family(4),
            ("ip6", _) => family(6),
            ("arp" | "rarp", _) => Condition::Constant(false),
            // For both IP versions; the others belong to one.
            ("tcp" | "udp" | "sctp" | "ah" | "esp" | "pim", Some(number)) => is(number),
            ("icmp6", Some(number)) => Condition::All(vec![family(6), is(number)]),
            ("icmp" | "igmp" | "igrp" | "vrrp" | "carp", Some(number)) => {
                Condition::All(vec![family(4), is(number)])
            }
            _ => return Err(self.unsupported()),
        })
    }

    /// An address, a port or a protocol number, according to the qualifiers.
    fn value(&mut self, qualifiers: Qualifiers) -> Result<Condition, Unsupported> {
        match qualifiers.kind {
            Kind::Host => self.host(qualifiers),
            Kind::Net => self.net(qualifiers),
            Kind::Port => self.port(qualifiers),
            Kind::PortRange => self.port_range(qualifiers),
            Kind::Protocol => self.protocol_number(qualifiers),
        }
    }

    fn host(&mut self, qualifiers: Qualifiers) -> Result<Condition, Unsupported> {
        let word = self.peek(0);
        // With a length it is a net, which needs the word `net`; a name would have to be looked up.
        if matches!(self.peek(1), "/" | "mask") {
            return Err(self.unsupported());
        }
        let (address, mask) = if let Ok(v6) = word.parse::<Ipv6Addr>() {
            (v6.into(), u128::MAX)
        } else if let Some(number) = names::number(word) {
            (Ipv4Addr::from_bits(number).into(), u128::MAX)
        } else {
            // Fewer than four bytes are also a net.
            let (bits, given) = partial(word).ok_or_else(|| self.unsupported())?;
            (Ipv4Addr::from_bits(bits).into(), leading(8 * given))
        };
        let condition = self.addresses(qualifiers, address, mask)?;
        self.at += 1;
        Ok(condition)
    }

    fn net(&mut self, qualifiers: Qualifiers) -> Result<Condition, Unsupported> {
        let word = self.peek(0);
        let (words, condition) = if let Ok(v6) = word.parse::<Ipv6Addr>() {
            let (words, length) = self.length(128)?;
            let mask = u128::MAX.checked_shl(128 - length).unwrap_or(0);
            self.refuse_host_bits(v6.to_bits(), mask)?;
            (words, self.addresses(qualifiers, v6.into(), mask)?)
        } else if let Some(number) = names::number(word) {
            if matches!(self.peek(1), "/" | "mask") {
                return Err(self.unsupported());
            }
            let (bits, length) = promoted(number);
            (1, self.addresses(qualifiers, Ipv4Addr::from_bits(bits).into(), leading(length))?)
        } else {
            let (bits, given) = partial(word).ok_or_else(|| self.unsupported())?;
            let (words, mask) = self.mask(given)?;
            self.refuse_host_bits(u128::from(bits), u128::from(mask))?;
            let address = Ipv4Addr::from_bits(bits).into();
            (words, self.addresses(qualifiers, address, u128::from(mask) << 96)?)
        };
        self.at += words;
        Ok(condition)
    }

    /// The mask after a net with this many bytes, and the number of words of the net.
    fn mask(&self, given: u32) -> Result<(usize, u32), Unsupported> {
        if self.peek(1) != "mask" {
            let (words, length) = self.length(8 * given)?;
            return Ok((words, u32::MAX.checked_shl(32_u32.wrapping_sub(length)).unwrap_or(0)));
        }
        let mask = partial(self.peek(2)).ok_or_else(|| self.unsupported())?;
        Ok((3, mask.0))
    }

    /// The length after a net, or all of its bytes, and the number of words of the net.
    fn length(&self, given: u32) -> Result<(usize, u32), Unsupported> {
        if self.peek(1) != "/" {
            return Ok((1, given));
        }
        let longest = if self.peek(0).contains(':') { 128 } else { 32 };
        let length = names::number(self.peek(2)).filter(|length| *length <= longest);
        length.map(|length| (3, length)).ok_or_else(|| self.unsupported())
    }

    /// Such bits are an error, which libpcap reports.
    fn refuse_host_bits(&self, bits: u128, mask: u128) -> Result<(), Unsupported> {
        if bits & !mask == 0 { Ok(()) } else { Err(self.unsupported()) }
    }

    /// The condition for addresses under a mask, from the left.
    fn addresses(
        &self,
        qualifiers: Qualifiers,
        address: IpAddr,
        mask: u128,
    ) -> Result<Condition, Unsupported> {
        let version = if address.is_ipv4() { Protocol::V4 } else { Protocol::V6 };
        match qualifiers.protocol {
            Protocol::Any => {}
            Protocol::NoFlow if address.is_ipv4() => return Ok(Condition::Constant(false)),
            protocol if protocol == version => {}
            _ => return Err(self.unsupported()),
        }
        let (number, words) = address_words(address);
        let (_, masks) = address_words(Ipv6Addr::from_bits(mask).into());
        // An IPv4 address has only the first four bytes.
        let used = if address.is_ipv4() { 0xffff_ffff_u128 << 96 } else { u128::MAX };
        let (_, used) = address_words(Ipv6Addr::from_bits(used).into());
        let matches = |fields: [Field; 2]| {
            let parts = fields.into_iter().zip(words).zip(masks.into_iter().zip(used));
            let tests = parts.filter_map(|((field, word), (mask, used))| {
                let (mask, low) = (mask & used, word & mask & used);
                (mask != 0).then_some(Condition::Range { field, mask, low, high: low })
            });
            Condition::All(tests.collect())
        };
        let source = matches([Field::Source0, Field::Source1]);
        let destination = matches([Field::Destination0, Field::Destination1]);
        Ok(Condition::All(vec![
            family(u64::from(number)),
            by_side(qualifiers.side, source, destination),
        ]))
    }

    fn port(&mut self, qualifiers: Qualifiers) -> Result<Condition, Unsupported> {
        let word = self.peek(0);
        let port = match names::number(word) {
            Some(number) => {
                let number = u16::try_from(number).map_err(|_| self.unsupported())?;
                Port { number, protocol: None }
            }
            None => names::service(word)?,
        };
        let condition = self.ports(qualifiers, port.protocol, port.number, port.number)?;
        self.at += 1;
        Ok(condition)
    }

    fn port_range(&mut self, qualifiers: Qualifiers) -> Result<Condition, Unsupported> {
        let word = self.peek(0);
        // libpcap reads the ends of a range as decimal numbers, but a single port as any number.
        let numbers = match word.split_once('-') {
            Some((low, high)) => low.parse().ok().zip(high.parse().ok()),
            None => {
                names::number(word).and_then(|one| u16::try_from(one).ok()).map(|one| (one, one))
            }
        };
        let (one, other): (u16, u16) = numbers.ok_or_else(|| self.unsupported())?;
        let condition = self.ports(qualifiers, None, one.min(other), one.max(other))?;
        self.at += 1;
        Ok(condition)
    }

    /// Ports in a range; `of` is the only protocol for which the name stands.
    fn ports(
        &self,
        qualifiers: Qualifiers,
        of: Option<u8>,
        low: u16,
        high: u16,
    ) -> Result<Condition, Unsupported> {
        let protocol = match (qualifiers.protocol, of) {
            (Protocol::Any, of) => of,
            (Protocol::Transport(asked @ (TCP | UDP | SCTP)), None) => Some(asked),
            (Protocol::Transport(asked), Some(of)) if asked == of => Some(asked),
            _ => return Err(self.unsupported()),
        };
        let ports = by_side(
            qualifiers.side,
            port_in(Field::SourcePort, Field::DestinationPort, low, high),
            port_in(Field::DestinationPort, Field::SourcePort, low, high),
        );
        Ok(match protocol {
            Some(protocol) => Condition::All(vec![is(protocol), ports]),
            None => ports,
        })
    }

    fn protocol_number(&mut self, qualifiers: Qualifiers) -> Result<Condition, Unsupported> {
        let word = self.peek(0);
        let number = names::number(word).and_then(|number| u8::try_from(number).ok());
        // Keywords as names need the backslash; libpcap reports it if it is missing.
        let is_keyword = self.protocol_alone(word).is_ok();
        let named = word.strip_prefix('\\').or((!is_keyword).then_some(word));
        let number = number.or_else(|| names::protocol(named?));
        let number = number.ok_or_else(|| self.unsupported())?;
        // A flow has the protocol after the extension headers. Only libpcap can find frames that begin with
        // one.
        if is_extension(number) && qualifiers.protocol != Protocol::V4 {
            return Err(self.unsupported());
        }
        let condition = match qualifiers.protocol {
            Protocol::Any => is(number),
            Protocol::V4 => Condition::All(vec![family(4), is(number)]),
            Protocol::V6 => Condition::All(vec![family(6), is(number)]),
            Protocol::NoFlow | Protocol::Transport(_) => return Err(self.unsupported()),
        };
        self.next();
        Ok(condition)
    }
}

/// IPv6 extension headers that our parser skips.
fn is_extension(protocol: u8) -> bool {
    matches!(protocol, 0 | 43 | 44 | 60)
}

/// A port of one side is in a range. Packets without ports have 0 in both fields; if only one of them is 0,
/// the packet does have ports.
fn port_in(field: Field, other: Field, low: u16, high: u16) -> Condition {
    let ports = Condition::between(field, u64::from(low), u64::from(high));
    if low > 0 {
        return ports;
    }
    let is_there = |field| Condition::between(field, 1, u64::from(u16::MAX));
    Condition::All(vec![ports, Condition::Any(vec![is_there(field), is_there(other)])])
}

fn by_side(side: Side, source: Condition, destination: Condition) -> Condition {
    match side {
        Side::Source => source,
        Side::Destination => destination,
        Side::Either => Condition::Any(vec![source, destination]),
        Side::Both => Condition::All(vec![source, destination]),
    }
}

fn family(version: u64) -> Condition {
    Condition::is(Field::Family, version)
}

fn is(protocol: u8) -> Condition {
    Condition::is(Field::Protocol, u64::from(protocol))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::filter::expression::program::translate;
    use wherefore_common::FlowKey;
    use wherefore_common::select::fields;

    /// A flow as `protocol source port destination port`.
    fn flow(protocol: u8, src: &str, sport: u16, dst: &str, dport: u16) -> FlowKey {
        let (family, src) = address_words(src.parse().expect("an address"));
        let (_, dst) = address_words(dst.parse().expect("an address"));
        FlowKey { src, dst, sport, dport, protocol, family, ..FlowKey::default() }
    }

    fn selects(text: &str, flow: &FlowKey) -> bool {
        let condition = parse(text).unwrap_or_else(|unsupported| panic!("{text}: {unsupported}"));
        translate(&condition).accepts(&fields(flow))
    }

    #[test]
    fn expressions_select_what_the_manual_says() {
        let web = flow(6, "10.0.0.1", 40_000, "192.0.2.7", 443);
        let dns = flow(17, "2001:db8::1", 5353, "2001:db8:1::53", 53);
        let ping = flow(1, "10.0.0.1", 0, "10.0.0.2", 0);
        for (text, [of_web, of_dns, of_ping]) in [
            ("tcp", [true, false, false]),
            ("ip6", [false, true, false]),
            ("icmp or udp", [false, true, true]),
            ("not icmp", [true, true, false]),
            ("! ip6 && ! tcp", [false, false, true]),
            ("host 10.0.0.1", [true, false, true]),
            ("src host 10.0.0.1 and dst 10.0.0.2", [false, false, true]),
            ("host 10.0.0.9 or 192.0.2.7", [true, false, false]),
            ("host (10.0.0.9 or 192.0.2.7)", [true, false, false]),
            ("src and dst net 10.0.0.0/8", [false, false, true]),
            ("net 192.0.2", [true, false, false]),
            ("net 10", [true, false, true]),
            ("net 192.0.2.0 mask 255.255.255.0", [true, false, false]),
            ("dst net 2001:db8:1::/48", [false, true, false]),
            ("net 2001:db8::/32", [false, true, false]),
            ("net 0.0.0.0/0", [true, false, true]),
            ("port 443 or 53", [true, true, false]),
            ("tcp port 443 or 53", [true, false, false]),
            ("dst port 40000", [false, false, false]),
            ("src portrange 5000-6000", [false, true, false]),
            ("portrange 0-65535", [true, true, false]),
            ("port 0", [false, false, false]),
            ("proto 17", [false, true, false]),
            ("ip proto \\icmp", [false, false, true]),
            ("ip6 proto 17", [false, true, false]),
            ("ip proto gre or gre", [false, false, false]),
            ("arp", [false, false, false]),
            ("not arp host 10.0.0.1", [true, true, true]),
            // Equal precedence, from the left: (tcp or udp) and port 53.
            ("tcp or udp and port 53", [false, true, false]),
            ("tcp or (udp and port 9)", [true, false, false]),
            ("not tcp and not (udp or ip6)", [false, false, true]),
        ] {
            let selected = [&web, &dns, &ping].map(|flow| selects(text, flow));
            assert_eq!(selected, [of_web, of_dns, of_ping], "{text}");
        }
    }

    #[test]
    fn records_that_are_no_flows_are_named() {
        for (text, part) in [
            ("tcp and tcp[13] & 2 != 0", "tcp[13] & 2 != 0"),
            ("udp or greater 100", "greater 100"),
            ("vlan", "vlan"),
            ("host example.org", "host example.org"),
            ("(ether host 2:0:0:0:0:1) and tcp", "ether host 2:0:0:0:0:1"),
            ("net 10.0.0.1/8", "net 10.0.0.1/8"),
            ("tcp host 10.0.0.1", "tcp host 10.0.0.1"),
            ("tcp and 10.0.0.1", "10.0.0.1"),
            ("udp port", "port"),
            ("", ""),
        ] {
            let unsupported = parse(text).expect_err(text);
            assert!(unsupported.to_string().contains(part), "{text}: {unsupported}");
        }
        assert!(parse(&"(".repeat(100_000)).is_err());
    }
}
