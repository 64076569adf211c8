//! The positions of everything on the screen. Owns the layout for every size; drawing and the mouse use it.

use ratatui::layout::Rect;

use super::line::{self, inner};
use super::parts::alert_lines;
use crate::message::alert::Alert;
use crate::output::terminal::model::{Dimension, HISTORY, Model, Sort};

/// The number of rows that decide the widths of columns.
const LOOK: usize = 60;
const WIDEST_OWNER: u16 = 16;
/// The longest name for which other columns become narrower.
const LONGEST_NAME: u16 = 48;
/// The narrowest useful column of rates.
const LEAST_HISTORY: u16 = 5;

/// The positions on the screen.
#[derive(Debug, Clone, Default)]
pub struct ScreenLayout {
    /// The first line of the screen.
    pub header: Rect,
    /// The plots of all traffic; empty if there is no space.
    pub plots: Rect,
    /// The tabs: one for each kind of rows.
    pub tabs: Rect,
    /// The heads of the columns.
    pub heads: Rect,
    /// The rows of the table.
    pub rows: Rect,
    /// The last alerts; empty if there are none.
    pub alerts: Rect,
    /// The status line.
    pub status: Rect,
    /// The line of keys.
    pub keys: Rect,
    /// The columns of the table.
    pub columns: Vec<Column>,
    /// The position and width of each tab.
    pub tab_places: Vec<(Dimension, u16, u16)>,
    /// The index of the row at the top.
    pub first_row: usize,
}

/// The content of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// The name of the row's subject.
    Name,
    /// Bytes received a second.
    In,
    /// Bytes sent a second.
    Out,
    /// All bytes so far.
    Total,
    /// The highest rate.
    Peak,
    /// The rates of the last readings.
    History,
    /// How unusual the current rate is.
    Unusual,
    /// The owner.
    Owner,
    /// Name, country and AS of the peer.
    Place,
}

/// A column of the table.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The content.
    pub content: Content,
    /// Its left edge.
    pub x: u16,
    /// Its width.
    pub width: u16,
}

impl ScreenLayout {
    /// The layout for a screen of this size.
    pub fn of(area: Rect, model: &Model) -> Self {
        let mut rest = area;
        let mut top = |height: u16| take(&mut rest, height, true);
        let header = top(1);
        let plots = top(plot_height(area));
        let (tabs, heads) = (top(1), top(1));
        let (keys, status) = (take(&mut rest, 1, false), take(&mut rest, 1, false));
        let height = alert_height(area, model);
        let unused = usize::from(rest.height).saturating_sub(model.order().len());
        let spare = u16::try_from(unused).unwrap_or(u16::MAX).saturating_sub(height);
        let alerts = take(&mut rest, height + spare.min(more_lines(inner(area), model)), false);
        let mut layout = Self {
            header,
            plots,
            tabs,
            heads,
            rows: rest,
            alerts,
            status,
            keys,
            ..Self::default()
        };
        layout.columns = columns(rest, model);
        layout.tab_places = tabs_in(tabs, model);
        layout.first_row = first_row(rest.height, model);
        layout
    }

    /// The tab at this position.
    pub fn tab_at(&self, x: u16, y: u16) -> Option<Dimension> {
        let is_it =
            |(_, from, to): &&(Dimension, u16, u16)| y == self.tabs.y && (*from..*to).contains(&x);
        self.tab_places.iter().find(is_it).map(|(by, ..)| *by)
    }

    /// The sort key of the column whose head is at this position.
    pub fn column_at(&self, x: u16, y: u16) -> Option<Sort> {
        let is_it = |column: &&Column| (column.x..column.x + column.width).contains(&x);
        let column = self.columns.iter().find(is_it).filter(|_| y == self.heads.y)?;
        column.content.sort()
    }

    /// The row at this position.
    pub fn row_at(&self, _: u16, y: u16) -> Option<usize> {
        let is_here = (self.rows.y..self.rows.bottom()).contains(&y);
        is_here.then(|| self.first_row + usize::from(y - self.rows.y))
    }
}

impl Content {
    /// The sort key that a click on the head of this column selects.
    pub fn sort(self) -> Option<Sort> {
        Some(match self {
            Self::Name => Sort::Name,
            Self::In => Sort::In,
            Self::Out => Sort::Out,
            Self::Total => Sort::Total,
            Self::Peak => Sort::Peak,
            Self::Unusual => Sort::Unusual,
            Self::History => Sort::Rate,
            Self::Owner | Self::Place => return None,
        })
    }
}

fn take(rest: &mut Rect, height: u16, is_top: bool) -> Rect {
    let height = height.min(rest.height);
    let y = if is_top { rest.y } else { rest.bottom() - height };
    rest.y += if is_top { height } else { 0 };
    rest.height -= height;
    Rect { y, height, ..*rest }
}

fn plot_height(area: Rect) -> u16 {
    match area.height {
        ..22 => 0,
        22..28 => 5,
        28..40 => 7,
        40.. => 11,
    }
}

fn alert_height(area: Rect, model: &Model) -> u16 {
    let most = match area.height {
        ..22 => 2,
        22..28 => 3,
        28..40 => 5,
        40.. => 9,
    };
    let messages = u16::try_from(model.shown().incidents.len()).unwrap_or(u16::MAX);
    if messages == 0 { 0 } else { messages.saturating_add(1).min(most) }
}

/// The number of lines, beyond one each, that the last alerts need.
fn more_lines(area: Rect, model: &Model) -> u16 {
    /// The number of alerts that are shown.
    const ALERTS: usize = 3;
    let incidents = &model.shown().incidents;
    let more = |alert: &Alert| alert_lines(alert, area.width).saturating_sub(1);
    incidents.iter().take(ALERTS).map(more).sum()
}

fn columns(rows: Rect, model: &Model) -> Vec<Column> {
    let width = rows.width;
    let is_owned = !model.choice.by.is_owner() && model.shown().has(Dimension::Process);
    let is_roomy = width >= 72;
    let by = model.choice.by;
    let is_placed = matches!(by, Dimension::Pair | Dimension::Peer)
        && (model.shown().has(Dimension::Country) || model.shown().has(Dimension::Name));
    let owner = widest_owner(model);
    let place = if width >= 150 { 36 } else { 20 + WIDEST_OWNER - owner };
    let all = [
        (Content::Name, 0, true),
        (Content::In, 10, true),
        (Content::Out, 10, true),
        (Content::Total, 9, true),
        (Content::Peak, 10, width >= 100),
        (Content::Owner, owner, width >= 100 && is_owned),
        (Content::Place, place, width >= 120 && is_placed),
        (Content::Unusual, if is_roomy { 7 } else { 4 }, true),
        (Content::History, 0, is_roomy),
    ];
    let gap = if is_roomy { 2 } else { 1 };
    let mut shown: Vec<_> = all.into_iter().filter(|(.., is_shown)| *is_shown).collect();
    let left = |shown: &[(Content, u16, bool)]| {
        width.saturating_sub(shown.iter().map(|(_, width, _)| width + gap).sum())
    };
    let (widest, least) = (widest_name(model), if is_roomy { LEAST_HISTORY } else { 0 });
    for spare in spares(is_roomy) {
        if left(&shown) < widest.min(LONGEST_NAME) + least {
            shown.retain(|(content, ..)| content != spare);
        }
    }
    let (name, history) = share(left(&shown), is_roomy, widest);
    let mut x = rows.x + 1;
    let mut place = |(content, width, _)| {
        let width = match content {
            Content::Name => name,
            Content::History => history,
            _ => width,
        };
        let column = Column { content, x, width };
        x += width + gap;
        column
    };
    shown.into_iter().map(&mut place).collect()
}

/// Columns that are dropped, in this order, if names do not fit.
fn spares(is_roomy: bool) -> &'static [Content] {
    if is_roomy { &[Content::Peak, Content::Owner] } else { &[Content::Total] }
}

/// The width of the widest name among the first rows.
fn widest_name(model: &Model) -> u16 {
    let names = model.order().iter().take(LOOK).map(|subject| line::width(&model.label(subject)));
    u16::try_from(names.max().unwrap_or(0)).unwrap_or(u16::MAX)
}

/// The width of the widest owner among the first rows; the peer's place gets the rest.
fn widest_owner(model: &Model) -> u16 {
    const TITLE: usize = 5;
    let table = model.shown().table(model.choice.by);
    let rows = model.order().iter().take(LOOK).filter_map(|subject| table.get(subject));
    let widths = rows.map(|row| row.owner.as_deref().map_or(0, line::width));
    u16::try_from(widths.max().unwrap_or(0).max(TITLE))
        .map_or(WIDEST_OWNER, |w| w.min(WIDEST_OWNER))
}

/// Divides the remaining width between names and rates; names come first.
fn share(left: u16, is_roomy: bool, widest_name: u16) -> (u16, u16) {
    if !is_roomy {
        return (left.max(8), 0);
    }
    let usual = (left.saturating_sub(10)).min(LONGEST_NAME).max(left * 3 / 5).min(LONGEST_NAME);
    let name = usual.max(widest_name.min(left));
    (name, left.saturating_sub(name).min(HISTORY as u16))
}

/// As many tabs as fit, the selected one among them.
fn tabs_in(place: Rect, model: &Model) -> Vec<(Dimension, u16, u16)> {
    let ways: Vec<_> = model.dimensions().collect();
    let width = |by: &Dimension| by.title().len() as u16 + 2;
    let chosen = ways.iter().position(|by| *by == model.choice.by).unwrap_or(0);
    let needed = |from: usize| ways[from..=chosen].iter().map(width).sum::<u16>();
    let from = (0..=chosen).find(|from| needed(*from) <= place.width).unwrap_or(chosen);
    let mut x = place.x;
    let mut tabs = Vec::new();
    for by in &ways[from.min(ways.len())..] {
        let end = x + width(by);
        if end > place.right() {
            break;
        }
        tabs.push((*by, x, end));
        x = end;
    }
    tabs
}

fn first_row(height: u16, model: &Model) -> usize {
    let height = usize::from(height);
    let last = model.order().len().saturating_sub(height);
    // The selected row is in the middle, except near both ends of the list.
    model.choice.selected.saturating_sub(height / 2).min(last)
}
