//! Standard error and the terminal, whose reader may stall. A separate thread writes, so that nothing else
//! waits for a full pipe or a stopped terminal. Owns how much may wait; drops whole lines that do not fit,
//! counts them, and logs their number when the reader continues.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use caps::CapSet;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// The most bytes that wait; one piece of any size may always wait.
const MOST: usize = 1 << 20;
/// How long the process waits for the reader when it ends.
const FAREWELL: Duration = Duration::from_secs(2);

/// The log, and the screen if both use one terminal: this keeps their order.
static LOG: Console = Console::new();
/// The screen, if the log goes elsewhere.
static SCREEN: Console = Console::new();

/// The destination of a piece.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum To {
    Stderr,
    Stdout,
}

/// Pieces that wait to be written.
struct Console {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug)]
struct State {
    pieces: VecDeque<(To, Vec<u8>)>,
    /// Bytes of these pieces, and of the one that is being written.
    bytes: usize,
    /// Lines that were dropped and are not reported yet.
    dropped: u64,
    /// The error because of which the screen cannot be written.
    error: Option<ErrorKind>,
    is_started: bool,
}

/// A writer for lines of the log. Each call passes on whole lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogWriter;

/// A writer for the screen. It passes everything on when it is flushed.
#[derive(Debug, Default)]
pub(crate) struct Screen(Vec<u8>);

/// Waits, for a limited time, until standard error and the screen are written.
pub(crate) fn finish() {
    for console in [&LOG, &SCREEN] {
        console.wait(FAREWELL);
    }
}

/// Lines of the log while a view uses the screen.
static HELD: Mutex<Held> = Mutex::new(Held { lines: VecDeque::new(), is_on: false, dropped: 0 });

/// Lines of the log, which a view shows. If the log uses the same terminal, they are written after the view
/// is closed.
#[derive(Debug)]
struct Held {
    lines: VecDeque<String>,
    is_on: bool,
    /// The number of lines that were dropped.
    dropped: u64,
}

/// The most lines that are held.
const MOST_HELD: usize = 1000;

/// Holds lines of the log from now on; if the log is on a terminal, they are not written before [`release`].
/// Waits until earlier lines are written, because they would appear across the view.
pub(crate) fn hold() {
    held_lines().is_on = true;
    LOG.wait(FAREWELL);
}

/// The lines that are held.
pub(crate) fn held() -> Vec<String> {
    held_lines().lines.iter().cloned().collect()
}

/// The number of lines that were held so far, by which a view notices new ones.
pub(crate) fn held_so_far() -> u64 {
    let held = held_lines();
    held.dropped + held.lines.len() as u64
}

/// Writes lines to the log again, first those that were held for a terminal.
pub(crate) fn release() {
    let mut held = held_lines();
    let (lines, dropped) = (std::mem::take(&mut held.lines), std::mem::take(&mut held.dropped));
    let was_on = std::mem::take(&mut held.is_on);
    drop(held);
    if !was_on || !io::stderr().is_terminal() {
        return;
    }
    if dropped > 0 {
        let lines = format!("{dropped} earlier lines of this log were dropped\n");
        let _ = LOG.push(To::Stderr, lines.into_bytes());
    }
    for line in lines {
        let _ = LOG.push(To::Stderr, line.into_bytes());
    }
}

fn held_lines() -> MutexGuard<'static, Held> {
    HELD.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether this line is held.
fn is_held(line: &[u8]) -> bool {
    let mut held = held_lines();
    if !held.is_on {
        return false;
    }
    if held.lines.len() == MOST_HELD {
        held.lines.pop_front();
        held.dropped += 1;
    }
    held.lines.push_back(String::from_utf8_lossy(line).into_owned());
    io::stderr().is_terminal()
}

impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if is_held(line) {
            return Ok(line.len());
        }
        // An error in writing the log is no reason to stop.
        let _ = LOG.push(To::Stderr, line.to_vec());
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Screen {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let piece = std::mem::take(&mut self.0);
        if piece.is_empty() {
            return Ok(());
        }
        let console = if io::stderr().is_terminal() { &LOG } else { &SCREEN };
        console.push(To::Stdout, piece)
    }
}

impl Console {
    const fn new() -> Self {
        let state =
            State { pieces: VecDeque::new(), bytes: 0, dropped: 0, error: None, is_started: false };
        Self { state: Mutex::new(state), changed: Condvar::new() }
    }

    /// Adds a piece without waiting; drops it if too much is waiting.
    fn push(&'static self, to: To, piece: Vec<u8>) -> io::Result<()> {
        let mut state = self.lock();
        if to == To::Stdout
            && let Some(error) = state.error
        {
            return Err(error.into());
        }
        if !state.is_started {
            let thread = std::thread::Builder::new().name("console".to_owned());
            if thread.spawn(|| self.write_all()).is_err() {
                drop(state);
                return write(to, &piece);
            }
            state.is_started = true;
        }
        if state.bytes > 0 && state.bytes + piece.len() > MOST {
            // A lost picture of the screen does not count, because the next one replaces it.
            state.dropped += if to == To::Stderr { lines(&piece) } else { 0 };
            return Ok(());
        }
        state.bytes += piece.len();
        state.pieces.push_back((to, piece));
        drop(state);
        self.changed.notify_all();
        Ok(())
    }

    /// Writes pieces until the process ends.
    fn write_all(&self) {
        give_up_privileges();
        loop {
            let mut state = self.lock();
            let (to, piece) = loop {
                if let Some(piece) = state.pieces.pop_front() {
                    break piece;
                }
                state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            };
            drop(state);
            let written = write(to, &piece);
            self.note(to, piece.len(), written);
        }
    }

    /// Records that a piece is written or lost. Reports dropped lines as soon as there is space.
    fn note(&self, to: To, bytes: usize, written: io::Result<()>) {
        let mut state = self.lock();
        state.bytes -= bytes;
        if to == To::Stdout {
            state.error = written.err().map(|error| error.kind());
        }
        let has_room = state.bytes <= MOST / 2;
        let dropped = if has_room { std::mem::take(&mut state.dropped) } else { 0 };
        drop(state);
        self.changed.notify_all();
        if dropped > 0 {
            tracing::warn!(
                lines = dropped,
                "lines of this log were dropped because nobody read it"
            );
        }
    }

    /// Waits until nothing is left to write.
    fn wait(&self, longest: Duration) {
        let state = self.lock();
        let waited = self.changed.wait_timeout_while(state, longest, |state| state.bytes > 0);
        drop(waited.unwrap_or_else(PoisonError::into_inner));
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each change leaves the content consistent, also after a panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Writes everything, even if another process has made the output non-blocking.
fn write(to: To, mut piece: &[u8]) -> io::Result<()> {
    while !piece.is_empty() {
        let written = match to {
            To::Stderr => io::stderr().write(piece),
            To::Stdout => write_and_flush(piece),
        };
        match written {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => piece = &piece[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait_for_room(to)?,
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Bypasses the standard library's buffer, which may keep a part of the data after an error.
fn write_and_flush(piece: &[u8]) -> io::Result<usize> {
    Ok(nix::unistd::write(io::stdout(), piece)?)
}

fn wait_for_room(to: To) -> io::Result<()> {
    let (stdout, stderr) = (io::stdout(), io::stderr());
    let descriptor = if to == To::Stderr { stderr.as_fd() } else { stdout.as_fd() };
    let mut wanted = [PollFd::new(descriptor, PollFlags::POLLOUT)];
    match poll(&mut wanted, PollTimeout::NONE) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Drops the privileges of this thread, which starts before the process drops its own and needs none.
fn give_up_privileges() {
    for set in [CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        // Fails only if there are no privileges to drop.
        let _ = caps::clear(None, set);
    }
}

fn lines(piece: &[u8]) -> u64 {
    piece.iter().filter(|byte| **byte == b'\n').count() as u64
}
