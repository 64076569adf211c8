//! The thread that waits for keys and readings, and draws. Owns when the screen is drawn: once for each
//! reading, and after each key.

use std::io;
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use crossterm::event::{self, Event, KeyEventKind};
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use signal_hook::consts::{SIGCONT, SIGTSTP};

use super::draw::draw;
use super::draw::layout::ScreenLayout;
use super::draw::theme::Theme;
use super::feed::Feed;
use super::keys::{self, Effect, ReplayCommand};
use super::model::Model;
use super::screen::Screen;
use crate::console;
use crate::output::reading::ReplayStatus;

/// How long the thread waits for a key before it checks for readings, in milliseconds.
const LOOK_MS: u16 = 100;
/// How long the view waits at the end for a terminal that accepts no output.
const PATIENCE: Duration = Duration::from_secs(2);

/// The user's commands to the source of the readings.
pub trait Controls: Send {
    /// Stops the source.
    fn stop(&self);

    /// Controls a replay; returns its state, if there is one.
    fn replay(&self, _command: ReplayCommand) -> Option<ReplayStatus> {
        None
    }
}

/// The view, in its own thread.
pub struct View {
    feed: Feed,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl View {
    /// Takes over the terminal and starts to draw the messages of the feed.
    ///
    /// # Errors
    /// If the terminal cannot be taken over.
    pub fn start(feed: Feed, model: Model, controls: Box<dyn Controls>) -> Result<Self> {
        let screen = Screen::take().context("cannot draw on the terminal")?;
        let thread = std::thread::Builder::new().name("view".to_owned());
        let news = feed.clone();
        let watch = move || Watching::new(screen, news, model, controls)?.run();
        let thread = thread.spawn(watch).context("cannot start the view")?;
        Ok(Self { feed, thread: Some(thread) })
    }

    /// The channel to the view.
    pub fn feed(&self) -> &Feed {
        &self.feed
    }

    /// Waits until the user ends the view.
    ///
    /// # Errors
    /// If the terminal no longer exists.
    pub fn wait(mut self) -> io::Result<()> {
        let ended = self.thread.take().map(JoinHandle::join);
        ended.and_then(Result::ok).unwrap_or(Ok(()))
    }

    /// Restores the terminal.
    pub fn finish(&mut self) {
        self.feed.close();
        let Some(thread) = self.thread.take() else { return };
        let end = Instant::now() + PATIENCE;
        while !thread.is_finished() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(5));
        }
        if thread.is_finished() {
            // It fails only if the terminal no longer exists.
            let _ = thread.join();
        }
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.finish();
    }
}

/// Stops the source when the view ends for any reason, because nobody sees the counts any more. This includes
/// a panic: ratatui panics if it restores the screen of a terminal that no longer exists.
struct StopsAtEnd(Box<dyn Controls>);

impl Drop for StopsAtEnd {
    fn drop(&mut self) {
        self.0.stop();
    }
}

/// The state of the thread. Its fields are dropped in order: the screen is restored first.
struct Watching {
    screen: Screen,
    feed: Feed,
    model: Model,
    controls: StopsAtEnd,
    theme: Theme,
    /// Set by signal handlers.
    is_continued: Arc<AtomicBool>,
    must_suspend: Arc<AtomicBool>,
    log_lines: u64,
    is_over: bool,
}

impl Watching {
    fn new(
        screen: Screen,
        feed: Feed,
        model: Model,
        controls: Box<dyn Controls>,
    ) -> io::Result<Self> {
        let (is_continued, must_suspend) = (Arc::default(), Arc::default());
        signal_hook::flag::register(SIGCONT, Arc::clone(&is_continued))?;
        signal_hook::flag::register(SIGTSTP, Arc::clone(&must_suspend))?;
        let (theme, controls) = (Theme::of_environment(), StopsAtEnd(controls));
        let (log_lines, is_over) = (0, false);
        Ok(Self {
            screen,
            feed,
            model,
            controls,
            theme,
            is_continued,
            must_suspend,
            log_lines,
            is_over,
        })
    }

    fn run(mut self) -> io::Result<()> {
        self.watch()
    }

    fn watch(&mut self) -> io::Result<()> {
        self.draw()?;
        while !self.is_over && !self.feed.is_closed() {
            let mut is_new = self.take_messages() | self.take_log();
            is_new |= self.take_signals()?;
            if is_new {
                self.model.arrange();
                self.draw()?;
            }
            if is_pressed()? {
                self.take_events()?;
                self.draw()?;
            }
        }
        Ok(())
    }

    fn draw(&mut self) -> io::Result<()> {
        let Self { screen, model, theme, .. } = self;
        screen.terminal.draw(|frame| draw(frame, model, theme)).map(drop)
    }

    fn take_messages(&mut self) -> bool {
        let news = self.feed.take();
        let is_new = !news.is_empty();
        news.into_iter().for_each(|news| self.model.apply(news));
        is_new
    }

    fn take_log(&mut self) -> bool {
        let lines = console::held_so_far();
        let is_new = lines != self.log_lines;
        if is_new {
            self.log_lines = lines;
            self.model.log = console::held().iter().map(|line| without_colours(line)).collect();
        }
        is_new
    }

    fn take_signals(&mut self) -> io::Result<bool> {
        if self.must_suspend.swap(false, Ordering::SeqCst) {
            self.screen.suspend()?;
        }
        let is_continued = self.is_continued.swap(false, Ordering::SeqCst);
        if is_continued {
            self.screen.retake()?;
        }
        Ok(is_continued)
    }

    /// Handles all keys that were pressed.
    fn take_events(&mut self) -> io::Result<()> {
        loop {
            let event = event::read()?;
            self.take_event(event)?;
            if self.is_over || !event::poll(Duration::ZERO)? {
                return Ok(());
            }
        }
    }

    fn take_event(&mut self, event: Event) -> io::Result<()> {
        let effect = match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                keys::press(&mut self.model, key)
            }
            Event::Mouse(mouse) => {
                let size = self.screen.terminal.size()?;
                let area = ratatui::layout::Rect::new(0, 0, size.width, size.height);
                let layout = ScreenLayout::of(area, &self.model);
                keys::mouse(&mut self.model, mouse, &layout)
            }
            _ => Effect::None,
        };
        match effect {
            Effect::None => {}
            Effect::Quit => self.is_over = true,
            Effect::Suspend => self.screen.suspend()?,
            Effect::Redraw => self.screen.terminal.clear()?,
            Effect::Replay(command) => self.model.replay = self.controls.0.replay(command),
        }
        Ok(())
    }
}

/// Waits a moment for keys. Returns an error if the terminal no longer exists: crossterm would read its end
/// forever.
fn is_pressed() -> io::Result<bool> {
    let stdin = io::stdin();
    let mut watched = [PollFd::new(stdin.as_fd(), PollFlags::POLLIN)];
    match poll(&mut watched, PollTimeout::from(LOOK_MS)) {
        // The caller checks for signals.
        Ok(_) | Err(Errno::EINTR) => {}
        Err(error) => return Err(error.into()),
    }
    let gone = PollFlags::POLLHUP | PollFlags::POLLERR | PollFlags::POLLNVAL;
    if watched[0].revents().is_some_and(|seen| seen.intersects(gone)) {
        return Err(io::ErrorKind::BrokenPipe.into());
    }
    // A change of the window's size is an event as well.
    event::poll(Duration::ZERO)
}

/// A line of the log without escape sequences.
fn without_colours(line: &str) -> String {
    let mut plain = String::with_capacity(line.len());
    let mut letters = line.trim_end().chars();
    while let Some(letter) = letters.next() {
        if letter == '\u{1b}' {
            letters.by_ref().find(char::is_ascii_alphabetic);
        } else {
            plain.push(letter);
        }
    }
    crate::text::printable(&plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_log_lose_their_colours() {
        assert_eq!(
            without_colours("\u{1b}[2mnow\u{1b}[0m \u{1b}[33m WARN\u{1b}[0m x\n"),
            "now  WARN x"
        );
    }
}
