//! The terminal itself: its alternate screen and its raw keys. Owns these modes, and restores them however
//! the process ends.

use std::io::{self, IsTerminal, Stdout, stdout};
use std::sync::Once;
use std::sync::atomic::{AtomicBool, Ordering};

use crossterm::event::{DisableMouseCapture, EnableMouseCapture};
use crossterm::terminal::{
    EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode,
};
use crossterm::{cursor, execute};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use signal_hook::consts::SIGTSTP;

use crate::console;

/// Whether these modes are set.
static IS_TAKEN: AtomicBool = AtomicBool::new(false);

/// The screen. Dropping it restores the terminal.
pub(super) struct Screen {
    pub(super) terminal: Terminal<CrosstermBackend<Stdout>>,
}

/// Whether the terminal can draw a screen and has a keyboard.
pub fn is_able() -> bool {
    let is_dumb = std::env::var_os("TERM").is_none_or(|term| term == "dumb" || term.is_empty());
    io::stdout().is_terminal() && io::stdin().is_terminal() && !is_dumb
}

/// Restores the terminal if it was taken over: the previous screen, keys and cursor.
pub fn restore() {
    if IS_TAKEN.swap(false, Ordering::SeqCst) {
        // If the terminal no longer exists, there is nothing to restore.
        let _ = execute!(stdout(), DisableMouseCapture, LeaveAlternateScreen, cursor::Show);
        let _ = disable_raw_mode();
        console::release();
    }
}

impl Screen {
    /// Takes over the terminal.
    ///
    /// # Errors
    /// If the terminal refuses its modes.
    pub(super) fn take() -> io::Result<Self> {
        restore_on_panic();
        take_modes()?;
        Ok(Self { terminal: Terminal::new(CrosstermBackend::new(stdout()))? })
    }

    /// Takes over the terminal again, after another program used it.
    pub(super) fn retake(&mut self) -> io::Result<()> {
        take_modes()?;
        self.terminal.clear()
    }

    /// Restores the terminal and stops this process, until the shell continues it.
    pub(super) fn suspend(&mut self) -> io::Result<()> {
        restore();
        signal_hook::low_level::emulate_default_handler(SIGTSTP)?;
        self.retake()
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        restore();
    }
}

fn take_modes() -> io::Result<()> {
    IS_TAKEN.store(true, Ordering::SeqCst);
    console::hold();
    enable_raw_mode()?;
    execute!(stdout(), EnterAlternateScreen, EnableMouseCapture, cursor::Hide)
}

/// After a panic, restores the terminal first, so that its message stays readable.
fn restore_on_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            restore();
            before(panic);
        }));
    });
}
