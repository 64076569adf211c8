//! Reads a DNS answer: the addresses of the name that was asked for. Owns which records count; simple-dns
//! parses the message itself.
//!
//! Panic contract: no input makes this panic, and the time for one message is bounded.

use std::net::IpAddr;

use simple_dns::rdata::RData;
use simple_dns::{Name, OPCODE, Packet, PacketFlag, RCODE, ResourceRecord};

use super::sound::sound;
use crate::traffic::answers::LONGEST;

/// The longest chain of CNAME records that is followed.
const LONGEST_CHAIN: usize = 16;
/// The most records that are read.
const MOST_RECORDS: usize = 256;

/// Calls `found` for each address, with the name that was asked for (through any CNAME records) and the
/// shortest time to live of the records that lead to it, in seconds. Records that do not answer the question
/// are ignored.
pub fn read(message: &[u8], mut found: impl FnMut(&str, IpAddr, u32)) {
    let parsed = Some(message).filter(|message| message.len() <= LONGEST).map(Packet::parse);
    let Some(Ok(packet)) = parsed else { return };
    let is_answer = packet.has_flags(PacketFlag::RESPONSE)
        && packet.opcode() == OPCODE::StandardQuery
        && packet.rcode() == RCODE::NoError;
    let [question] = packet.questions.as_slice() else { return };
    let Some(asked) = sound(&question.qname.to_string()).filter(|_| is_answer) else { return };
    let records = &packet.answers[..packet.answers.len().min(MOST_RECORDS)];
    let (aliases, ttl) = chain(&question.qname, records);
    for record in records.iter().filter(|record| aliases.contains(&&record.name)) {
        let address = match &record.rdata {
            RData::A(a) => IpAddr::V4(a.address.into()),
            RData::AAAA(aaaa) => IpAddr::V6(aaaa.address.into()),
            _ => continue,
        };
        found(&asked, address, ttl.min(record.ttl));
    }
}

/// The aliases of a name, including itself, and the seconds for which all of them are valid.
fn chain<'a>(asked: &'a Name<'a>, records: &'a [ResourceRecord<'a>]) -> (Vec<&'a Name<'a>>, u32) {
    let (mut names, mut ttl) = (vec![asked], u32::MAX);
    while names.len() <= LONGEST_CHAIN {
        let last = names[names.len() - 1];
        let next = records.iter().find_map(|record| match &record.rdata {
            RData::CNAME(alias) if record.name == *last => Some((&alias.0, record.ttl)),
            _ => None,
        });
        let Some((next, lives)) = next.filter(|(next, _)| !names.contains(next)) else { break };
        names.push(next);
        ttl = ttl.min(lives);
    }
    (names, ttl)
}

#[cfg(test)]
mod tests {
    use simple_dns::rdata::{A, AAAA, CNAME, TXT};
    use simple_dns::{CLASS, QCLASS, QTYPE, Question, TYPE};

    use super::*;

    fn name(text: &str) -> Name<'_> {
        Name::new(text).unwrap()
    }

    fn record<'a>(of: &'a str, ttl: u32, rdata: RData<'a>) -> ResourceRecord<'a> {
        ResourceRecord::new(name(of), CLASS::IN, ttl, rdata)
    }

    fn alias<'a>(of: &'a str, to: &'a str, ttl: u32) -> ResourceRecord<'a> {
        record(of, ttl, RData::CNAME(CNAME(name(to))))
    }

    fn v4(of: &str, address: u32, ttl: u32) -> ResourceRecord<'_> {
        record(of, ttl, RData::A(A { address }))
    }

    fn answer(asked: &str, records: Vec<ResourceRecord<'_>>) -> Vec<u8> {
        let mut packet = Packet::new_reply(7);
        let question =
            Question::new(name(asked), QTYPE::TYPE(TYPE::A), QCLASS::CLASS(CLASS::IN), false);
        packet.questions.push(question);
        packet.answers = records;
        packet.build_bytes_vec_compressed().unwrap()
    }

    fn found(message: &[u8]) -> Vec<(String, String, u32)> {
        let mut all = Vec::new();
        read(message, |name, address, ttl| all.push((name.to_owned(), address.to_string(), ttl)));
        all
    }

    fn entry(name: &str, address: &str, ttl: u32) -> (String, String, u32) {
        (name.to_owned(), address.to_owned(), ttl)
    }

    #[test]
    fn an_address_has_the_name_that_was_asked_for() {
        let records = vec![
            alias("WWW.example.org", "cdn.example.net", 300),
            alias("cdn.example.net", "edge7.example.net", 20),
            v4("edge7.example.net", 0xc000_0201, 60),
            v4("edge7.example.net", 0xc000_0202, 10),
            record("edge7.example.net", 60, RData::AAAA(AAAA { address: 1 << 100 })),
        ];
        let expected = [
            entry("www.example.org", "192.0.2.1", 20),
            entry("www.example.org", "192.0.2.2", 10),
            entry("www.example.org", "0:10::", 20),
        ];
        assert_eq!(found(&answer("www.example.org", records)), expected);
    }

    #[test]
    fn unrequested_answers_do_not_count() {
        let records = vec![
            v4("www.example.org", 0xc000_0201, 60),
            v4("bank.example", 0xc000_0202, 60),
            alias("bank.example", "www.example.org", 60),
            record("www.example.org", 60, RData::TXT(TXT::new())),
        ];
        let message = answer("www.example.org", records);
        assert_eq!(found(&message), [entry("www.example.org", "192.0.2.1", 60)]);
    }

    #[test]
    fn queries_errors_and_invalid_names_are_ignored() {
        let message = answer("www.example.org", vec![v4("www.example.org", 1, 60)]);
        for (at, bits) in [(2, 0x80), (2, 0x08), (3, 0x03), (5, 0x03)] {
            let mut changed = message.clone();
            changed[at] ^= bits;
            assert_eq!(found(&changed), [], "{at}");
        }
        let strange = answer("a\u{1b}[2J.example", vec![v4("a\u{1b}[2J.example", 1, 60)]);
        assert_eq!(found(&strange), []);
        assert_eq!(found(&[]), []);
    }

    #[test]
    fn chains_in_a_circle_end() {
        let mut records =
            vec![alias("a.example", "b.example", 1), alias("b.example", "a.example", 1)];
        records.push(v4("b.example", 1, 60));
        assert_eq!(found(&answer("a.example", records)), [entry("a.example", "0.0.0.1", 1)]);
    }

    #[test]
    fn damaged_answers_panic_nowhere() {
        let records = vec![
            alias("www.example.org", "cdn.example.net", 300),
            v4("cdn.example.net", 0xc000_0201, 60),
        ];
        let message = answer("www.example.org", records);
        let mut random = fastrand::Rng::with_seed(1);
        for length in 0..message.len() {
            found(&message[..length]);
        }
        for _ in 0..20_000 {
            let mut damaged = message.clone();
            for _ in 0..random.usize(1..6) {
                let at = random.usize(..damaged.len());
                damaged[at] = if random.bool() { random.u8(..) } else { 0xc0 };
            }
            found(&damaged);
        }
        // Names that point at themselves, and at each other.
        let mut pointers = vec![0, 7, 0x81, 0x80, 0, 1, 0xff, 0xff, 0, 0, 0, 0];
        while pointers.len() < LONGEST {
            let at = pointers.len() as u16;
            pointers.extend((0xc000 | (at - 2)).to_be_bytes());
        }
        found(&pointers);
    }
}
