//! The DNS answers that passed in an interval. Owns their bounds; refuses to parse them.

/// The most messages that are kept of an interval.
const MOST_MESSAGES: usize = 4096;
/// The most bytes of these messages.
const MOST_BYTES: usize = 4 << 20;
/// The longest message that is kept: longer ones contain no names that processes look up.
pub const LONGEST: usize = 4096;

/// Messages in the order in which they passed.
#[derive(Debug, Default, Clone)]
pub struct Answers {
    messages: Vec<Answer>,
    bytes: usize,
    lost: u64,
}

/// A DNS message that a server sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// When it passed, nanoseconds since 1970.
    pub time_ns: i64,
    /// The message.
    pub message: Box<[u8]>,
}

impl Answers {
    /// Stores a message; if there is no space, counts it as lost.
    pub fn add(&mut self, time_ns: i64, message: &[u8]) {
        let bytes = self.bytes.saturating_add(message.len());
        let has_room = self.messages.len() < MOST_MESSAGES && bytes <= MOST_BYTES;
        if has_room && message.len() <= LONGEST {
            self.bytes = bytes;
            self.messages.push(Answer { time_ns, message: message.into() });
        } else {
            self.lost += 1;
        }
    }

    /// Counts messages that were lost earlier.
    pub fn add_lost(&mut self, lost: u64) {
        self.lost += lost;
    }

    /// Adds the messages of the next part.
    pub fn append(&mut self, next: &Self) {
        next.iter().for_each(|answer| self.add(answer.time_ns, &answer.message));
        self.lost += next.lost;
    }

    /// The messages.
    pub fn iter(&self) -> impl Iterator<Item = &Answer> {
        self.messages.iter()
    }

    /// The number of messages for which there was no space.
    pub fn lost(&self) -> u64 {
        self.lost
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stored_state_is_bounded() {
        let mut answers = Answers::default();
        (0..10_000).for_each(|time| answers.add(time, &[0; 1000]));
        assert_eq!((answers.iter().count(), answers.lost()), (MOST_MESSAGES, 10_000 - 4096));
        answers.add(0, &[0; LONGEST + 1]);
        assert_eq!(answers.lost(), 10_001 - 4096);
    }
}
