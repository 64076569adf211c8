//! Output to a reader that may stall. A separate thread writes, so that neither counting nor alerts wait for
//! the reader. Owns the waiting lines and their bound; refuses to cut lines: only whole lines are dropped,
//! counted and logged.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::output::lines::{Losses, Output};

/// Bytes that are handed to the thread together.
const PIECE: usize = 1 << 20;
/// The most bytes that wait; one piece of any size may always wait.
const MOST: usize = 64 << 20;
/// How long the agent waits for a reader when the queue is full.
const PATIENCE: Duration = Duration::from_secs(1);
/// How long the agent waits for the reader when it ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// Lines for a reader.
pub(crate) struct Pipe {
    name: String,
    /// Lines that are not handed to the thread yet.
    piece: Vec<u8>,
    /// `None` once the thread runs. It starts with the first line: by then the agent has given up its
    /// privileges, so the thread has none.
    output: Option<Box<dyn Output>>,
    shared: Arc<Shared>,
    /// Lines that were dropped since the agent last waited for the reader.
    lost: u64,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    pieces: VecDeque<Vec<u8>>,
    /// Bytes of these pieces and of the one that is being written.
    bytes: usize,
    error: Option<ErrorKind>,
    /// Lines that could not be written.
    losses: Losses,
    is_over: bool,
}

impl Pipe {
    /// A pipe to this output; `name` is used in messages.
    pub(crate) fn new(name: String, output: Box<dyn Output>) -> Self {
        Self { name, piece: Vec::new(), output: Some(output), shared: Arc::default(), lost: 0 }
    }

    /// Hands whole lines to the thread, if there is space.
    fn hand_over(&mut self, piece: Vec<u8>) -> io::Result<()> {
        if let Some(output) = self.output.take() {
            let shared = self.shared.clone();
            let thread = std::thread::Builder::new().name("output".to_owned());
            let name = self.name.clone();
            thread.spawn(move || shared.write(&name, output))?;
        }
        let shared = self.shared.clone();
        let mut state = shared.lock();
        let has_room = |state: &State| state.bytes == 0 || state.bytes + piece.len() <= MOST;
        // Wait for a stalled reader only once.
        if self.lost == 0 {
            state = shared.wait(state, PATIENCE, |state| has_room(state) || state.error.is_some());
        }
        if let Some(error) = state.error {
            return Err(error.into());
        }
        if has_room(&state) {
            state.bytes += piece.len();
            state.pieces.push_back(piece);
            drop(state);
            shared.changed.notify_all();
            self.report_lost();
            return Ok(());
        }
        if self.lost == 0 {
            tracing::warn!(
                output = self.name,
                "nobody reads this output: its lines are dropped until somebody does"
            );
        }
        self.lost += piece.iter().filter(|byte| **byte == b'\n').count() as u64;
        Ok(())
    }

    fn report_lost(&mut self) {
        let lines = std::mem::take(&mut self.lost);
        if lines > 0 {
            tracing::warn!(
                output = self.name,
                lines,
                "dropped lines because nobody read this output"
            );
        }
    }
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.piece.extend(bytes);
        if self.piece.len() >= PIECE
            && let Some(end) = self.piece.iter().rposition(|byte| *byte == b'\n')
        {
            let rest = self.piece.split_off(end + 1);
            let lines = std::mem::replace(&mut self.piece, rest);
            self.hand_over(lines)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::take(&mut self.piece);
        if piece.is_empty() { Ok(()) } else { self.hand_over(piece) }
    }
}

impl Output for Pipe {
    fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        self.report_lost();
        let is_done = |state: &State| state.bytes == 0 || state.error.is_some();
        let mut state = self.shared.wait(self.shared.lock(), FAREWELL, is_done);
        state.losses.report(&self.name);
        match state.error {
            Some(error) => Err(error.into()),
            None if is_done(&state) => Ok(()),
            None => {
                let bytes = state.bytes;
                tracing::warn!(
                    output = self.name,
                    bytes,
                    "the reader is too slow: the last bytes of this output are lost"
                );
                Ok(())
            }
        }
    }
}

impl Drop for Pipe {
    fn drop(&mut self) {
        self.shared.lock().is_over = true;
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// Writes piece by piece, until the end or until the reader closes. Data that cannot be written for
    /// another reason, such as a full disk, is lost and counted.
    fn write(&self, name: &str, mut output: Box<dyn Output>) {
        loop {
            let mut state = self.lock();
            let piece = loop {
                if let Some(piece) = state.pieces.pop_front() {
                    break piece;
                }
                if state.is_over {
                    return;
                }
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            };
            drop(state);
            let written = output.write_all(&piece).and_then(|()| output.flush());
            let error = written.as_ref().err().map(io::Error::kind);
            let is_gone = error == Some(ErrorKind::BrokenPipe);
            let mut state = self.lock();
            if !is_gone {
                state.losses.note(name, &piece, &written);
            }
            state.bytes -= piece.len();
            state.error = error.filter(|_| is_gone);
            drop(state);
            self.changed.notify_all();
            if is_gone {
                return;
            }
        }
    }

    /// Waits until a condition holds, but no longer than this.
    fn wait<'a>(
        &self,
        state: MutexGuard<'a, State>,
        longest: Duration,
        is_so: impl Fn(&State) -> bool,
    ) -> MutexGuard<'a, State> {
        let waited = self.changed.wait_timeout_while(state, longest, |state| !is_so(state));
        waited.unwrap_or_else(PoisonError::into_inner).0
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change leaves the content consistent, also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    /// A reader that reads one piece each time the test tells it to.
    struct Reader {
        turns: Receiver<()>,
        read: Sender<Vec<u8>>,
    }

    impl Write for Reader {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.turns.recv().map_err(|_| ErrorKind::BrokenPipe)?;
            self.read.send(bytes.to_vec()).map_err(|_| ErrorKind::BrokenPipe)?;
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl Output for Reader {}

    fn pipe() -> (Pipe, Sender<()>, Receiver<Vec<u8>>) {
        let ((turn, turns), (read, pieces)) = (channel(), channel());
        (Pipe::new("test".to_owned(), Box::new(Reader { turns, read })), turn, pieces)
    }

    #[test]
    fn lines_come_whole_and_in_order() {
        let (mut pipe, turn, pieces) = pipe();
        let line = |number: usize| format!("{number}{}\n", "x".repeat(number % 1000));
        let lines: String = (0..10_000).map(line).collect();
        (0..100).for_each(|_| turn.send(()).unwrap());
        for bytes in lines.as_bytes().chunks(777) {
            pipe.write_all(bytes).unwrap();
        }
        pipe.finish().unwrap();
        drop(pipe);
        let pieces: Vec<_> = pieces.iter().collect();
        assert!(pieces.len() > 4 && pieces.iter().all(|piece| piece.ends_with(b"\n")));
        assert_eq!(pieces.concat(), lines.into_bytes());
    }

    #[test]
    fn a_slow_reader_loses_whole_lines_and_delays_nobody_twice() {
        let (mut pipe, turn, pieces) = pipe();
        let piece = [vec![b'x'; MOST / 4], b"\n".to_vec()].concat();
        for _ in 0..5 {
            pipe.write_all(&piece).unwrap();
        }
        // Three pieces fit. The agent waited for the fourth, but not for the fifth.
        assert_eq!(pipe.lost, 2);
        (0..4).for_each(|_| turn.send(()).unwrap());
        let read: Vec<_> = (0..3).map(|_| pieces.recv().unwrap()).collect();
        assert!(read.iter().all(|read| *read == piece));
        pipe.write_all(b"next\n").unwrap();
        pipe.finish().unwrap();
        assert_eq!((pipe.lost, pieces.recv().unwrap()), (0, b"next\n".to_vec()));
    }

    #[test]
    fn a_failed_write_is_an_error_but_a_stalled_reader_at_the_end_is_not() {
        let (mut broken, turn, _pieces) = pipe();
        drop(turn);
        broken.write_all(b"line\n").unwrap();
        assert_eq!(broken.finish().unwrap_err().kind(), ErrorKind::BrokenPipe);
        assert!(broken.write_all(b"line\n").and_then(|()| broken.flush()).is_err());
        let (mut stalled, _turn, _pieces) = pipe();
        stalled.write_all(b"line\n").unwrap();
        stalled.finish().unwrap();
    }
}
