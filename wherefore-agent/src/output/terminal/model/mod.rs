//! The model of the view: rows of every kind, alerts, and the user's selection. Owns all state; refuses to
//! draw, to read keys, and to use a clock.

mod counts;
mod incidents;
mod rows;
mod subject;
mod target;

use std::sync::Arc;

pub use counts::{Counts, Flow};
pub use incidents::Incidents;
pub use rows::{HISTORY, Rates, Row, Table};
pub(crate) use subject::service_port;
pub use subject::{Dimension, Subject};
pub(crate) use target::{NAMED, TargetTraffic};

use crate::output::reading::{Hello, Reading, ReplayStatus, ViewMessage};

/// The sort key. The largest rows come first; names are in ascending order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// The rate of both directions.
    Rate,
    /// Bytes received.
    In,
    /// Bytes sent.
    Out,
    /// All bytes so far.
    Total,
    /// The highest rate.
    Peak,
    /// How unusual the current rate is.
    Unusual,
    /// The name.
    Name,
}

impl Sort {
    /// All keys, in the order in which the key for sorting selects them.
    pub const ALL: [Self; 7] =
        [Self::Rate, Self::In, Self::Out, Self::Total, Self::Peak, Self::Unusual, Self::Name];

    /// The word for the title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Rate => "rate",
            Self::In => "in",
            Self::Out => "out",
            Self::Total => "total",
            Self::Peak => "peak",
            Self::Unusual => "unusual",
            Self::Name => "name",
        }
    }
}

/// A page above the table, or instead of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// The table itself.
    Table,
    /// The details of one row.
    Detail(Subject),
    /// Alerts with their full text.
    Alerts,
    /// The list of keys.
    Help,
    /// The choice of interfaces.
    Interfaces,
    /// The log.
    Log,
}

/// The user's selection.
#[derive(Debug, Clone)]
pub struct Choice {
    /// The kind of rows.
    pub by: Dimension,
    /// Whether the user chose this kind.
    is_by_hand: bool,
    /// The sort key.
    pub sort: Sort,
    /// Whether the order is reversed.
    pub is_reversed: bool,
    /// Text that names must contain.
    pub filter: String,
    /// Whether keys are typed into the filter.
    pub is_typing: bool,
    /// The position of the selected row.
    pub selected: usize,
    /// The selected subject, which stays selected when rows move; `None` if the position stays.
    followed: Option<Subject>,
    /// The open page.
    pub page: Page,
    /// The position in the open list.
    pub at: usize,
    /// The interface to which the view is limited.
    pub interface: Option<u32>,
    /// Whether the screen is frozen.
    pub is_paused: bool,
}

/// Everything that the view shows.
#[derive(Debug, Clone, Default)]
pub struct Model {
    /// The agent that the readings come from.
    pub hello: Hello,
    /// The user's selection.
    pub choice: Choice,
    /// The counts.
    pub counts: Counts,
    /// The counts shown while paused.
    frozen: Option<Box<Counts>>,
    /// The rows in order that match the filter.
    order: Vec<Subject>,
    /// Lines of the log.
    pub log: Vec<String>,
    /// The state of a replay.
    pub replay: Option<ReplayStatus>,
    /// Whether the agent to which this view is attached has ended.
    pub is_lost: bool,
}

impl Default for Choice {
    fn default() -> Self {
        Self {
            by: Dimension::Pair,
            is_by_hand: false,
            sort: Sort::Rate,
            is_reversed: false,
            filter: String::new(),
            is_typing: false,
            selected: 0,
            followed: None,
            page: Page::Table,
            at: 0,
            interface: None,
            is_paused: false,
        }
    }
}

impl Model {
    /// Handles a message.
    pub fn apply(&mut self, news: ViewMessage) {
        match news {
            ViewMessage::Hello(hello) => self.hello = *hello,
            ViewMessage::Reading(reading) => self.add(Arc::new(*reading)),
            ViewMessage::Judged(judged) => self.counts.judge(*judged),
            ViewMessage::Replay(status) => self.replay = Some(status),
            ViewMessage::Restart => self.restart(),
            ViewMessage::Lost => self.is_lost = true,
            ViewMessage::Names(names) => self.counts.learn(names),
            ViewMessage::Missed(readings) => self.counts.missed += readings,
        }
    }

    fn add(&mut self, reading: Arc<Reading>) {
        self.counts.add(reading, self.choice.interface);
        if !self.choice.is_by_hand && self.counts.has(Dimension::Process) {
            self.choice.by = Dimension::Process;
        }
    }

    /// The counts to show: the newest, or the frozen ones.
    pub fn shown(&self) -> &Counts {
        self.frozen.as_deref().unwrap_or(&self.counts)
    }

    /// Freezes the screen, or continues.
    pub fn pause(&mut self) {
        self.choice.is_paused = !self.choice.is_paused;
        self.frozen = self.choice.is_paused.then(|| Box::new(self.counts.clone()));
    }

    /// Forgets all counts, because the replay starts again.
    fn restart(&mut self) {
        self.counts = Counts::default();
        self.frozen = None;
        self.choice.is_paused = false;
    }

    /// The kinds of rows that this traffic has.
    pub fn dimensions(&self) -> impl Iterator<Item = Dimension> + '_ {
        let counts = self.shown();
        Dimension::ALL.into_iter().filter(|by| counts.has(*by))
    }

    /// Selects the next kind of rows, or the previous one.
    pub fn turn(&mut self, forward: bool) {
        let ways: Vec<_> = self.dimensions().collect();
        let at = ways.iter().position(|by| *by == self.choice.by).unwrap_or(0);
        let step = if forward { 1 } else { ways.len() - 1 };
        self.look_by(ways[(at + step) % ways.len()]);
    }

    /// Selects this kind of rows.
    pub fn look_by(&mut self, by: Dimension) {
        self.choice.by = by;
        self.choice.is_by_hand = true;
        (self.choice.selected, self.choice.followed) = (0, None);
    }

    /// Limits the view to one interface, or shows all, starting with the readings that are kept.
    pub fn choose_interface(&mut self, interface: Option<u32>) {
        if self.choice.interface == interface {
            return;
        }
        self.choice.interface = interface;
        self.counts.count_anew(interface);
        if self.choice.is_paused {
            self.pause();
        }
    }

    /// The name of an interface.
    pub fn interface_name(&self, index: u32) -> String {
        let known = self.counts.interfaces.iter().find(|(known, _)| *known == index);
        known.map_or_else(|| index.to_string(), |(_, name)| name.clone())
    }

    /// The name of a row.
    pub fn label(&self, subject: &Subject) -> String {
        subject.label(&|index| self.interface_name(index))
    }

    /// The rows that match the filter, in the selected order.
    pub fn order(&self) -> &[Subject] {
        &self.order
    }

    /// Sorts the rows. Must be called before drawing if something has changed.
    pub fn arrange(&mut self) {
        let counts = self.shown();
        let table = counts.table(self.choice.by);
        let needle = self.choice.filter.to_lowercase();
        let passes = |subject: &Subject, row: &Row| {
            needle.is_empty()
                || self.label(subject).to_lowercase().contains(&needle)
                || row.owner.as_ref().is_some_and(|owner| owner.to_lowercase().contains(&needle))
                || self.place_of(subject, row).to_lowercase().contains(&needle)
        };
        let rows = table.iter().filter(|(subject, row)| passes(subject, row));
        let mut keyed: Vec<_> =
            rows.map(|(subject, row)| (self.weight(subject, row), row.bytes(), subject)).collect();
        keyed.sort_unstable_by(|one, other| {
            other.0.total_cmp(&one.0).then(other.1.cmp(&one.1)).then_with(|| one.2.cmp(other.2))
        });
        if self.choice.sort == Sort::Name {
            keyed.sort_by_cached_key(|(_, _, subject)| name_order(subject, self));
        }
        if self.choice.is_reversed {
            keyed.reverse();
        }
        self.order = keyed.into_iter().map(|(_, _, subject)| subject.clone()).collect();
        self.follow();
    }

    fn weight(&self, subject: &Subject, row: &Row) -> f32 {
        let tick = self.shown().tick;
        let [received, sent] = row.rates.now(tick);
        match self.choice.sort {
            Sort::Rate => received + sent,
            Sort::In => received,
            Sort::Out => sent,
            Sort::Total => row.bytes() as f32,
            Sort::Peak => row.peak(),
            Sort::Unusual => self.unusual(subject, row).weight(),
            Sort::Name => 0.0,
        }
    }

    /// Keeps the selection on the subject that it follows.
    fn follow(&mut self) {
        let last = self.order.len().saturating_sub(1);
        let place = |subject: &Subject| self.order.iter().position(|row| row == subject);
        let followed = self.choice.followed.as_ref().and_then(place);
        self.choice.selected = followed.unwrap_or(self.choice.selected).min(last);
    }

    /// Selects the row at this position, and follows its subject.
    pub fn select(&mut self, at: usize) {
        self.choice.selected = at.min(self.order.len().saturating_sub(1));
        // If the first position is selected, it stays selected, whichever row is there.
        self.choice.followed = self.order.get(self.choice.selected).filter(|_| at > 0).cloned();
    }

    /// The selected row.
    pub fn selected(&self) -> Option<&Subject> {
        self.order.get(self.choice.selected)
    }

    /// The kind of rows that a subject belongs to.
    pub fn table_of(&self, subject: &Subject) -> Dimension {
        match subject {
            Subject::Process(..) => Dimension::Process,
            Subject::Pair(..) => Dimension::Pair,
            Subject::Peer(_) => Dimension::Peer,
            Subject::Service(..) => Dimension::Service,
            Subject::Protocol(_) => Dimension::Protocol,
            Subject::Interface(_) => Dimension::Interface,
            Subject::Named(_) | Subject::Nobody(_) | Subject::Other => self.choice.by,
        }
    }

    /// Name, country and AS of a row's peer.
    pub fn place_of(&self, subject: &Subject, row: &Row) -> String {
        let (Subject::Pair(_, peer) | Subject::Peer(peer)) = subject else { return String::new() };
        let name = self.counts.names.get(peer);
        let known = [name, row.place.as_ref()].into_iter().flatten();
        known.map(AsRef::as_ref).collect::<Vec<_>>().join("  ")
    }

    /// How unusual a row's current rate is.
    pub fn unusual(&self, subject: &Subject, row: &Row) -> Unusual {
        let counts = self.shown();
        let is_named = matches!(subject, Subject::Interface(_));
        let name = if is_named { self.label(subject) } else { String::new() };
        let mut open = counts.incidents.about(subject, &name).filter(|alert| is_open(alert));
        Unusual { is_alerted: open.next().is_some(), times: row.times_usual(counts.tick) }
    }
}

fn is_open(alert: &crate::message::alert::Alert) -> bool {
    alert.status != crate::detect::finding::Status::Resolved
}

/// Sorts addresses by number, and everything else by name.
fn name_order(subject: &Subject, model: &Model) -> (String, Subject) {
    match subject {
        Subject::Pair(..) | Subject::Peer(_) => (String::new(), subject.clone()),
        _ => (model.label(subject).to_lowercase(), subject.clone()),
    }
}

/// How unusual a row's current rate is.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Unusual {
    /// Whether an incident about it is open.
    pub is_alerted: bool,
    /// The current rate as a multiple of the row's median of the last two minutes.
    pub times: Option<f32>,
}

impl Unusual {
    fn weight(self) -> f32 {
        self.times.unwrap_or(0.0) + if self.is_alerted { 1e12 } else { 0.0 }
    }
}
