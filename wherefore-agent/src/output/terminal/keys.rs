//! What keys and the mouse do with the model. Owns the keys; refuses to touch the terminal.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};

use super::draw::layout::ScreenLayout;
use super::model::{Model, Page, Sort};

/// What the caller must do after a key, because the model cannot.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Effect {
    /// Nothing.
    None,
    /// End the view.
    Quit,
    /// Go to the background, as Ctrl-Z does.
    Suspend,
    /// Draw the whole screen again.
    Redraw,
    /// Pass a command to the replay.
    Replay(ReplayCommand),
}

/// A command to a replay.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ReplayCommand {
    /// Pause or continue.
    Pause,
    /// Play one more reading.
    Step,
    /// Play twice as fast if true, otherwise half as fast.
    Faster(bool),
    /// Move by this many seconds of the replay's time; negative numbers move back.
    Seek(i64),
}

/// The number of rows that Page Up and Page Down move.
const LEAP: usize = 10;

/// Handles a key.
pub fn press(model: &mut Model, key: KeyEvent) -> Effect {
    if key.modifiers.contains(KeyModifiers::CONTROL) {
        return match key.code {
            KeyCode::Char('c') => Effect::Quit,
            KeyCode::Char('z') => Effect::Suspend,
            KeyCode::Char('l') => Effect::Redraw,
            _ => Effect::None,
        };
    }
    if model.choice.is_typing {
        type_filter(model, key.code);
        return Effect::None;
    }
    match key.code {
        KeyCode::Char('q') => return Effect::Quit,
        KeyCode::Char(' ') if model.replay.is_some() => {
            return Effect::Replay(ReplayCommand::Pause);
        }
        KeyCode::Char('.') => return replay(model, ReplayCommand::Step),
        KeyCode::Char('+' | '=') => return replay(model, ReplayCommand::Faster(true)),
        KeyCode::Char('-') => return replay(model, ReplayCommand::Faster(false)),
        KeyCode::Left => return replay(model, ReplayCommand::Seek(-60)),
        KeyCode::Right => return replay(model, ReplayCommand::Seek(60)),
        KeyCode::Esc => leave(model),
        KeyCode::Enter => enter(model),
        KeyCode::Char(letter) => choose(model, letter),
        KeyCode::Tab => model.turn(true),
        KeyCode::BackTab => model.turn(false),
        code => move_mark(model, code),
    }
    model.arrange();
    Effect::None
}

fn replay(model: &Model, command: ReplayCommand) -> Effect {
    if model.replay.is_some() { Effect::Replay(command) } else { Effect::None }
}

fn type_filter(model: &mut Model, code: KeyCode) {
    let choice = &mut model.choice;
    match code {
        KeyCode::Char(letter) => choice.filter.push(letter),
        KeyCode::Backspace => drop(choice.filter.pop()),
        KeyCode::Enter => choice.is_typing = false,
        KeyCode::Esc => {
            choice.is_typing = false;
            choice.filter.clear();
        }
        KeyCode::Up | KeyCode::Down => {
            choice.is_typing = false;
            move_mark(model, code);
        }
        _ => {}
    }
    model.arrange();
}

fn leave(model: &mut Model) {
    match model.choice.page {
        Page::Table => model.choice.filter.clear(),
        _ => model.choice.page = Page::Table,
    }
}

fn enter(model: &mut Model) {
    match model.choice.page {
        Page::Table => {
            if let Some(subject) = model.selected().cloned() {
                open(model, Page::Detail(subject));
            }
        }
        Page::Interfaces => {
            let interfaces = &model.counts.interfaces;
            let chosen = model.choice.at.checked_sub(1).and_then(|at| interfaces.get(at));
            let chosen = chosen.map(|(number, _)| *number);
            model.choose_interface(chosen);
            model.choice.page = Page::Table;
        }
        _ => model.choice.page = Page::Table,
    }
}

fn choose(model: &mut Model, letter: char) {
    match letter {
        'g' => model.turn(true),
        'G' => model.turn(false),
        '/' => {
            model.choice.page = Page::Table;
            model.choice.is_typing = true;
        }
        's' => {
            let at = Sort::ALL.iter().position(|sort| *sort == model.choice.sort).unwrap_or(0);
            model.choice.sort = Sort::ALL[(at + 1) % Sort::ALL.len()];
        }
        'r' => model.choice.is_reversed = !model.choice.is_reversed,
        '1'..='7' => sort_by(model, Sort::ALL[letter as usize - '1' as usize]),
        'a' => toggle(model, Page::Alerts),
        'i' => toggle(model, Page::Interfaces),
        'l' => toggle(model, Page::Log),
        '?' | 'h' => toggle(model, Page::Help),
        ' ' => model.pause(),
        'j' => move_mark(model, KeyCode::Down),
        'k' => move_mark(model, KeyCode::Up),
        _ => {}
    }
}

/// Sorts by a column; if it is already the sort key, reverses the order.
fn sort_by(model: &mut Model, sort: Sort) {
    let choice = &mut model.choice;
    choice.is_reversed = choice.sort == sort && !choice.is_reversed;
    choice.sort = sort;
}

fn toggle(model: &mut Model, page: Page) {
    let is_open = model.choice.page == page;
    open(model, if is_open { Page::Table } else { page });
}

fn open(model: &mut Model, page: Page) {
    model.choice.page = page;
    model.choice.at = 0;
}

fn move_mark(model: &mut Model, code: KeyCode) {
    let is_table = model.choice.page == Page::Table;
    let (at, last) = if is_table {
        (model.choice.selected, model.order().len().saturating_sub(1))
    } else {
        (model.choice.at, last_of(model))
    };
    let to = match code {
        KeyCode::Up => at.saturating_sub(1),
        KeyCode::Down => at + 1,
        KeyCode::PageUp => at.saturating_sub(LEAP),
        KeyCode::PageDown => at + LEAP,
        KeyCode::Home => 0,
        KeyCode::End => last,
        _ => return,
    };
    if is_table {
        model.select(to);
    } else {
        model.choice.at = to.min(last);
    }
}

/// The last position in the open list.
fn last_of(model: &Model) -> usize {
    match model.choice.page {
        Page::Alerts => model.shown().incidents.len().saturating_sub(1),
        Page::Interfaces => model.counts.interfaces.len(),
        Page::Log => model.log.len().saturating_sub(1),
        Page::Detail(_) => 1000,
        Page::Table | Page::Help => 0,
    }
}

/// Handles the mouse; `layout` has the positions on the screen.
pub fn mouse(model: &mut Model, event: MouseEvent, layout: &ScreenLayout) -> Effect {
    match event.kind {
        MouseEventKind::ScrollUp => move_mark(model, KeyCode::Up),
        MouseEventKind::ScrollDown => move_mark(model, KeyCode::Down),
        MouseEventKind::Down(MouseButton::Left) => click(model, event, layout),
        _ => return Effect::None,
    }
    model.arrange();
    Effect::None
}

fn click(model: &mut Model, event: MouseEvent, layout: &ScreenLayout) {
    let (x, y) = (event.column, event.row);
    if model.choice.page != Page::Table {
        model.choice.page = Page::Table;
    } else if let Some(by) = layout.tab_at(x, y) {
        model.look_by(by);
    } else if let Some(sort) = layout.column_at(x, y) {
        sort_by(model, sort);
    } else if let Some(row) = layout.row_at(x, y) {
        if row == model.choice.selected {
            enter(model);
        } else if row < model.order().len() {
            model.select(row);
        }
    }
}
