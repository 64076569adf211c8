//! Builds IPFIX messages (RFC 7011, section 3). Owns headers, sets and lengths; refuses to know the content
//! of records.

use super::elements::{About, Field, Record, Shape};
use super::sums::Sums;

const VERSION: u16 = 10;
const HEADER: usize = 16;
const SET_HEADER: usize = 4;
/// Numbers of the sets of templates.
const TEMPLATES: u16 = 2;
const OPTIONS_TEMPLATES: u16 = 3;
/// The observation domain. An agent has only one.
const DOMAIN: u32 = 1;

/// A message under construction.
#[derive(Debug)]
pub(super) struct Message {
    bytes: Vec<u8>,
    /// The most bytes that it may have.
    most: usize,
    /// The open set: its number and its position.
    set: Option<(u16, usize)>,
    /// The number of data records in it.
    records: u32,
    /// The sums of its flows.
    sums: Sums,
}

/// A message that can be sent.
#[derive(Debug)]
pub(super) struct Sealed {
    pub(super) bytes: Vec<u8>,
    /// The number of data records in it.
    pub(super) records: u32,
    /// The sums of its flows.
    pub(super) sums: Sums,
}

impl Message {
    /// An empty message of at most `most` bytes.
    pub(super) fn new(most: usize) -> Self {
        let mut bytes = Vec::with_capacity(most);
        bytes.resize(HEADER, 0);
        Self { bytes, most, set: None, records: 0, sums: Sums::default() }
    }

    /// A message with all templates.
    pub(super) fn of_templates(most: usize) -> Self {
        let mut message = Self::new(most);
        for shape in Shape::all() {
            let fields = shape.fields();
            message.open(TEMPLATES);
            message.words(&[shape.id(), fields.len() as u16]);
            message.fields(&fields);
        }
        for (id, fields, scope) in About::TEMPLATES {
            message.open(OPTIONS_TEMPLATES);
            message.words(&[id, fields.len() as u16, scope]);
            message.fields(fields);
        }
        message
    }

    /// Whether it contains nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.bytes.len() == HEADER
    }

    /// Whether a record of this many bytes fits.
    pub(super) fn has_room(&self, set: u16, length: usize) -> bool {
        let head = if self.set.is_some_and(|(open, _)| open == set) { 0 } else { SET_HEADER };
        self.is_empty() || self.bytes.len() + head + length <= self.most
    }

    /// Adds a flow, written with these fields.
    pub(super) fn add(&mut self, record: &Record<'_>, set: u16, fields: &[Field]) {
        self.open(set);
        record.write(fields, &mut self.bytes);
        self.records += 1;
        self.sums.add(record.flows.into(), record.counters);
    }

    /// Adds a record about the exporter.
    pub(super) fn add_about(&mut self, about: &About) {
        self.open(about.id());
        about.write(&mut self.bytes);
        self.records += 1;
    }

    /// Completes it. `sequence` is the number of data records that were sent before it.
    pub(super) fn seal(mut self, export_time: u32, sequence: u32) -> Sealed {
        self.close();
        let length = self.bytes.len() as u16;
        let words = [VERSION, length];
        let head = words.iter().flat_map(|word| word.to_be_bytes());
        let head =
            head.chain([export_time, sequence, DOMAIN].into_iter().flat_map(u32::to_be_bytes));
        self.bytes.iter_mut().zip(head).for_each(|(place, byte)| *place = byte);
        Sealed { bytes: self.bytes, records: self.records, sums: self.sums }
    }

    fn open(&mut self, set: u16) {
        if self.set.is_some_and(|(open, _)| open == set) {
            return;
        }
        self.close();
        self.set = Some((set, self.bytes.len()));
        self.words(&[set, 0]);
    }

    fn close(&mut self) {
        if let Some((_, start)) = self.set.take() {
            let length = (self.bytes.len() - start) as u16;
            self.bytes[start + 2..start + 4].copy_from_slice(&length.to_be_bytes());
        }
    }

    fn words(&mut self, words: &[u16]) {
        words.iter().for_each(|word| self.bytes.extend(word.to_be_bytes()));
    }

    fn fields(&mut self, fields: &[Field]) {
        fields.iter().for_each(|(element, length)| self.words(&[*element, *length]));
    }
}

#[cfg(test)]
mod tests {
    use wherefore_common::{Counters, FlowKey};

    use super::*;

    fn word(bytes: &[u8], at: usize) -> usize {
        usize::from(u16::from_be_bytes([bytes[at], bytes[at + 1]]))
    }

    /// The sets of a message: their numbers and contents; every length must fit.
    fn sets(bytes: &[u8]) -> Vec<(usize, Vec<u8>)> {
        assert_eq!((word(bytes, 0), word(bytes, 2)), (10, bytes.len()));
        let (mut at, mut sets) = (HEADER, Vec::new());
        while at < bytes.len() {
            let length = word(bytes, at + 2);
            sets.push((word(bytes, at), bytes[at + 4..at + length].to_vec()));
            at += length;
        }
        assert_eq!(at, bytes.len());
        sets
    }

    #[test]
    fn the_header_is_that_of_the_rfc() {
        let sealed = Message::new(500).seal(0x0102_0304, 0x0506_0708);
        let due = [0, 10, 0, 16, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0, 0, 1];
        assert_eq!((sealed.bytes, sealed.records), (due.to_vec(), 0));
    }

    #[test]
    fn templates_fit_one_datagram_and_name_their_fields() {
        let sealed = Message::of_templates(1232).seal(0, 0);
        assert!(sealed.bytes.len() <= 1232 && sealed.records == 0, "{}", sealed.bytes.len());
        let sets = sets(&sealed.bytes);
        assert_eq!(sets.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [2, 3]);
        let (_, templates) = &sets[0];
        let fields = Shape::all().next().unwrap().fields();
        assert_eq!((word(templates, 0), word(templates, 2)), (256, fields.len()));
        // sourceIPv4Address of four bytes comes first.
        assert_eq!((word(templates, 4), word(templates, 6)), (8, 4));
        let mut at = 0;
        for shape in Shape::all() {
            assert_eq!(word(templates, at), usize::from(shape.id()));
            at += 4 + 4 * word(templates, at + 2);
        }
        assert_eq!(at, templates.len());
        let (_, options) = &sets[1];
        assert_eq!((word(options, 0), word(options, 2), word(options, 4)), (264, 4, 1));
    }

    #[test]
    fn records_with_one_template_share_a_set() {
        let counters = Counters { packets: 2, bytes: 80, ..Counters::default() };
        let mut message = Message::new(1232);
        let v4 = FlowKey { family: 4, direction: 1, ..FlowKey::default() };
        let v6 = FlowKey { family: 6, ..v4 };
        for key in [v4, v4, v6] {
            let record =
                Record { key: &key, counters: &counters, flows: 1, is_sum: false, is_last: false };
            let shape = Shape::of(&record);
            message.add(&record, shape.id(), &shape.fields());
        }
        message.add_about(&About::Interface { ifindex: 2, name: "eth0".to_owned() });
        let sealed = message.seal(0, 0);
        let sums = Sums { flows: 3, packets: 6, bytes: 240 };
        assert_eq!((sealed.records, sealed.sums), (4, sums));
        let sets = sets(&sealed.bytes);
        assert_eq!(sets.iter().map(|(id, _)| *id).collect::<Vec<_>>(), [256, 257, 266]);
        assert_eq!(sets[0].1.len() % 2, 0);
        assert_eq!(sets[2].1, [0, 0, 0, 2, 4, b'e', b't', b'h', b'0']);
    }

    #[test]
    fn a_message_holds_its_maximum_length() {
        let mut message = Message::new(60);
        assert!(message.has_room(256, 1000), "one record fits, whatever it takes");
        message.open(256);
        message.bytes.resize(50, 0);
        assert!(message.has_room(256, 10) && !message.has_room(256, 11));
        assert!(message.has_room(257, 6) && !message.has_room(257, 7));
    }
}
