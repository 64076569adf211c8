//! Colours. Owns the meaning of each; uses none if the user wants none (`NO_COLOR`).

use std::env;

use ratatui::style::{Color, Modifier, Style};

/// The colours that the terminal has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// No colours.
    None,
    /// The sixteen of every terminal, in the tones that its user chose.
    Sixteen,
    /// All colours.
    Full,
}

/// The styles of the view.
#[derive(Debug, Clone, Copy)]
pub struct Theme {
    /// The colours that the terminal has.
    pub colours: Colours,
    /// The program's name, and the selection.
    pub accent: Style,
    /// Bytes received.
    pub received: Style,
    /// Bytes sent.
    pub sent: Style,
    /// Something that needs attention.
    pub alert: Style,
    /// Something that may need attention.
    pub notice: Style,
    /// Something that is correct.
    pub good: Style,
    /// Less important text.
    pub dim: Style,
    /// Heads of columns.
    pub head: Style,
    /// The selected row.
    pub marked: Style,
    /// The range of the baseline.
    pub band: Style,
}

impl Theme {
    /// The theme for this terminal and the user's settings.
    pub fn of_environment() -> Self {
        let says = |name: &str| env::var(name).unwrap_or_default();
        let is_full = ["truecolor", "24bit"].contains(&says("COLORTERM").as_str());
        // See https://no-color.org.
        let colours = match () {
            () if !says("NO_COLOR").is_empty() => Colours::None,
            () if is_full => Colours::Full,
            () => Colours::Sixteen,
        };
        Self::new(colours)
    }

    /// A theme with these colours.
    pub fn new(colours: Colours) -> Self {
        let colour = |full: u32, sixteen: Color| match colours {
            Colours::None => Style::new(),
            Colours::Sixteen => Style::new().fg(sixteen),
            Colours::Full => Style::new().fg(Color::from_u32(full)),
        };
        let dim = match colours {
            Colours::None => Style::new().add_modifier(Modifier::DIM),
            _ => colour(0x007f_8798, Color::DarkGray),
        };
        let marked = match colours {
            Colours::Full => Style::new().bg(Color::from_u32(0x002d_3346)),
            _ => Style::new().add_modifier(Modifier::REVERSED),
        };
        let band = match colours {
            Colours::Full => Style::new().bg(Color::from_u32(0x0023_2838)),
            _ => Style::new(),
        };
        let bold = |style: Style| style.add_modifier(Modifier::BOLD);
        Self {
            colours,
            accent: bold(colour(0x007a_a2f7, Color::Cyan)),
            received: colour(0x0073_daca, Color::Green),
            sent: colour(0x00bb_9af7, Color::Magenta),
            alert: bold(colour(0x00f7_768e, Color::Red)),
            notice: colour(0x00e0_af68, Color::Yellow),
            good: colour(0x009e_ce6a, Color::Green),
            dim,
            head: bold(dim.remove_modifier(Modifier::DIM)),
            marked,
            band,
        }
    }
}
