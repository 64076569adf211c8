//! The channel from the source of readings to a view. Owns its bound: if a view is slow, readings are merged,
//! so that none is lost and nobody waits.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::output::reading::{Reading, ViewMessage};

/// The most messages that wait.
const MOST: usize = 16;

/// Both ends of the channel.
#[derive(Debug, Clone, Default)]
pub struct Feed(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    news: VecDeque<ViewMessage>,
    is_closed: bool,
}

impl Feed {
    /// Adds a message, without waiting.
    pub fn push(&self, news: ViewMessage) {
        let mut state = self.lock();
        if let ViewMessage::Reading(reading) = news {
            push_reading(&mut state.news, reading);
        } else {
            state.news.push_back(news);
            forget_some(&mut state.news);
        }
    }

    /// Waits until the reader has taken most messages, for sources that can wait.
    pub fn wait_for_room(&self) {
        while self.lock().news.len() >= MOST / 2 && !self.is_closed() {
            std::thread::sleep(std::time::Duration::from_millis(2));
        }
    }

    /// The messages since the last call.
    pub fn take(&self) -> VecDeque<ViewMessage> {
        std::mem::take(&mut self.lock().news)
    }

    /// Closes the channel.
    pub fn close(&self) {
        self.lock().is_closed = true;
    }

    /// Whether the channel is closed.
    pub fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn push_reading(news: &mut VecDeque<ViewMessage>, next: Box<Reading>) {
    let is_late = news.len() >= MOST;
    let last = news.iter_mut().rev().find_map(|news| match news {
        ViewMessage::Reading(reading) => Some(reading),
        _ => None,
    });
    match last {
        Some(last) if is_late => last.absorb(*next),
        _ => news.push_back(ViewMessage::Reading(next)),
    }
}

/// Drops old alerts that nobody reads: files and sinks have them anyway.
fn forget_some(news: &mut VecDeque<ViewMessage>) {
    if news.len() > 2 * MOST
        && let Some(at) = news.iter().position(|news| matches!(news, ViewMessage::Judged(_)))
    {
        news.remove(at);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_reader_gets_everything_in_fewer_pieces() {
        let feed = Feed::default();
        for second in 0..100 {
            let mut reading =
                Reading { start_ns: second, end_ns: second + 1, ..Reading::default() };
            reading.totals.bytes = 10;
            feed.push(ViewMessage::Reading(Box::new(reading)));
            feed.push(ViewMessage::Judged(Box::default()));
        }
        let news = feed.take();
        assert!(news.len() <= 2 * MOST, "{}", news.len());
        let readings = news.iter().filter_map(|news| match news {
            ViewMessage::Reading(reading) => Some(reading),
            _ => None,
        });
        let (bytes, end) = readings
            .fold((0, 0), |(bytes, _), reading| (bytes + reading.totals.bytes, reading.end_ns));
        assert_eq!((bytes, end), (1000, 100));
        assert!(feed.take().is_empty() && !feed.is_closed());
    }
}
