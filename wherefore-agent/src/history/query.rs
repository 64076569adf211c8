//! Queries the history: who transferred how much in a period. Owns the sums and their order; the command owns
//! words and tables.

use std::cmp::Reverse;

use anyhow::{Context, Result};
use rusqlite::{Connection, OptionalExtension};
use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};

use super::fold::{FOLDED, Volume};
use super::minute::HIGH_PORTS;
use super::rows::TABLES;
use super::summaries::{self, Part};
use crate::text;

/// The dimension by which traffic is summed up.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Default,
    clap::ValueEnum,
    Serialize,
    Deserialize,
    utoipa::ToSchema,
)]
#[schema(as = LinesBy)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// The program that a process of this host runs.
    Process,
    /// The systemd unit of the process.
    Unit,
    /// Its container.
    Container,
    /// Its Kubernetes pod.
    Pod,
    /// Its user.
    User,
    /// The address of the other end.
    #[default]
    Peer,
    /// The name of the other end.
    Name,
    /// The country that the other end's address is registered in.
    Country,
    /// The autonomous system that announces the other end's address.
    Asn,
    /// This host's address, or the one that it forwards for, and the other end's.
    Pair,
    /// The protocol and the service's port.
    Port,
    /// The interface.
    Interface,
}

/// A query.
#[derive(Debug, Clone)]
pub struct Question {
    /// The start of the period, in seconds since 1970.
    pub from: i64,
    /// The end of the period (exclusive).
    pub to: i64,
    /// The most rows in the answer.
    pub top: usize,
    /// The number of columns over time for each row.
    pub columns: usize,
    /// Only rows that meet all these conditions count.
    pub only: Vec<RowFilter>,
}

/// A condition on rows.
#[derive(Debug, Clone)]
pub enum RowFilter {
    /// Traffic of this interface.
    Interface(i64),
    /// Traffic of one of these owners.
    Owners(FxHashSet<i64>),
    /// Traffic from or to one of these addresses.
    Addresses(FxHashSet<i64>),
    /// Traffic of one of these services.
    Services(FxHashSet<i64>),
}

impl RowFilter {
    fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Interface(number) => row.interface == *number,
            Self::Owners(numbers) => numbers.contains(&row.owner),
            Self::Addresses(numbers) => numbers.contains(&row.peer) || numbers.contains(&row.local),
            Self::Services(numbers) => numbers.contains(&row.service),
        }
    }
}

/// What a row of the answer is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Of {
    /// A thing with a name.
    Named,
    /// No value: no process, no unit, an unknown country.
    Unnamed,
    /// Traffic that is not kept in detail.
    Folded,
}

/// A line of the answer.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct Line {
    /// The subject.
    pub of: Of,
    /// Its name.
    pub name: String,
    /// Its traffic.
    #[serde(flatten)]
    pub volume: Volume,
    /// Bytes over time.
    #[serde(skip)]
    pub columns: Vec<f32>,
}

/// The answer. The rows, those left out and the folded ones add up to the total.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// The largest lines.
    pub lines: Vec<Line>,
    /// The number of lines that were left out.
    pub left_out: usize,
    /// The traffic of the lines that were left out.
    pub rest: Volume,
    /// Traffic that is not kept in detail.
    pub folded: Volume,
    /// All traffic.
    pub total: Volume,
    /// All traffic over time.
    pub columns: Vec<f32>,
    /// Frames in no flow, by reason.
    pub uncounted: Vec<Uncounted>,
    /// The start and the end of the data in the period, in seconds since 1970.
    pub covered: Option<(i64, i64)>,
    /// The length of the longest row in it, in seconds.
    pub coarsest: i64,
}

/// Frames in no flow.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
#[schema(as = UncountedFrames)]
pub struct Uncounted {
    /// The reason.
    pub reason: String,
    /// Its volume.
    #[serde(flatten)]
    pub volume: Volume,
}

/// A row of one of the tables.
struct Row {
    start: i64,
    length: i64,
    owner: i64,
    local: i64,
    peer: i64,
    service: i64,
    interface: i64,
    volume: Volume,
}

/// Sums up traffic by each of these dimensions. A row counts in the period that contains the middle of its
/// time.
///
/// # Errors
/// If the file cannot be read.
pub fn ask(
    connection: &mut Connection,
    question: &Question,
    by: &[Dimension],
) -> Result<Vec<Answer>> {
    // A transaction reads one consistent state of the file while the agent writes to it.
    let transaction = connection.transaction()?;
    let mut sums: Vec<_> = by.iter().map(|by| Lines::new(Names::new(&transaction, *by))).collect();
    let mut all = Answer { columns: vec![0.0; question.columns], ..Answer::default() };
    for part in parts(&transaction, question)? {
        scan(&transaction, &part, |row| {
            if !question.only.iter().all(|only| only.holds(row)) {
                return Ok(());
            }
            all.cover(row);
            all.total.add(&row.volume);
            spread(row, question, &mut all.columns);
            sums.iter_mut().try_for_each(|lines| lines.add(row, question))
        })?;
    }
    all.uncounted = uncounted(&transaction, question)?;
    let answer = |lines: Lines<'_>| {
        let mut answer = all.clone();
        answer.sort(lines.lines, question.top);
        answer
    };
    Ok(sums.into_iter().map(answer).collect())
}

/// The start of the first row, in seconds since 1970.
///
/// # Errors
/// If the history can't be read.
pub fn begin(connection: &Connection) -> Result<Option<i64>> {
    let first = TABLES.map(|table| format!("SELECT min(start) AS start FROM {table}"));
    let select = format!("SELECT min(start) FROM ({})", first.join(" UNION ALL "));
    Ok(connection.query_row(&select, [], |row| row.get(0))?)
}

/// The number of an interface.
///
/// # Errors
/// If the history has no interface of this name, or can't be read.
pub fn interface(connection: &Connection, name: &str) -> Result<i64> {
    let select = "SELECT id FROM interface WHERE name = ?1";
    let known = connection.query_row(select, [name], |row| row.get(0)).optional()?;
    known.with_context(|| format!("the history has no interface {name}"))
}

impl Question {
    /// Whether the question is about the whole host or one of its interfaces.
    fn is_about_all(&self) -> bool {
        self.only.iter().all(|only| matches!(only, RowFilter::Interface(_)))
    }
}

impl Answer {
    fn cover(&mut self, row: &Row) {
        let (start, end) = (row.start, row.start + row.length);
        let (from, to) = self.covered.unwrap_or((start, end));
        self.covered = Some((from.min(start), to.max(end)));
        self.coarsest = self.coarsest.max(row.length);
    }

    fn sort(&mut self, mut lines: Vec<Line>, top: usize) {
        lines.sort_by(|one, other| {
            let rank = |line: &Line| (Reverse(line.volume.bytes()), line.of);
            rank(one).cmp(&rank(other)).then_with(|| one.name.cmp(&other.name))
        });
        for line in lines {
            if line.of == Of::Folded {
                self.folded.add(&line.volume);
            } else if self.lines.len() < top {
                self.lines.push(line);
            } else {
                self.left_out += 1;
                self.rest.add(&line.volume);
            }
        }
    }
}

/// Adds a row to the columns that it spans, in proportion.
fn spread(row: &Row, question: &Question, columns: &mut [f32]) {
    let span = (question.to - question.from).max(1) as f64;
    let place = |time: i64| (time - question.from) as f64 / span * columns.len() as f64;
    let (first, last) = (place(row.start).max(0.0), place(row.start + row.length));
    let last = last.min(columns.len() as f64);
    if last <= first {
        return;
    }
    let per_column = row.volume.bytes() as f64 / (last - first);
    let touched = columns.iter_mut().enumerate().take(last.ceil() as usize).skip(first as usize);
    for (at, column) in touched {
        let part = last.min(at as f64 + 1.0) - first.max(at as f64);
        *column += (per_column * part) as f32;
    }
}

/// The lines of the answer by their subjects.
struct Lines<'a> {
    names: Names<'a>,
    lines: Vec<Line>,
    /// By the numbers of the names in the file; several owners may have the same name.
    by_number: FxHashMap<(i64, i64), usize>,
    by_name: FxHashMap<(Of, String), usize>,
}

impl<'a> Lines<'a> {
    fn new(names: Names<'a>) -> Self {
        let (by_number, by_name) = (FxHashMap::default(), FxHashMap::default());
        Self { names, lines: Vec::new(), by_number, by_name }
    }

    fn add(&mut self, row: &Row, question: &Question) -> Result<()> {
        let number = self.names.number(row);
        let at = match self.by_number.get(&number) {
            Some(at) => *at,
            None => self.line(number, question.columns)?,
        };
        let line = &mut self.lines[at];
        line.volume.add(&row.volume);
        spread(row, question, &mut line.columns);
        Ok(())
    }

    fn line(&mut self, number: (i64, i64), columns: usize) -> Result<usize> {
        let (of, name) = self.names.name(number)?;
        let at = *self.by_name.entry((of, name.clone())).or_insert(self.lines.len());
        if at == self.lines.len() {
            let columns = vec![0.0; columns];
            self.lines.push(Line { of, name, volume: Volume::default(), columns });
        }
        self.by_number.insert(number, at);
        Ok(at)
    }
}

/// Looks names up.
struct Names<'a> {
    connection: &'a Connection,
    by: Dimension,
    known: FxHashMap<i64, String>,
}

impl<'a> Names<'a> {
    fn new(connection: &'a Connection, by: Dimension) -> Self {
        Self { connection, by, known: FxHashMap::default() }
    }

    /// The number or the numbers that identify a row's subject.
    fn number(&self, row: &Row) -> (i64, i64) {
        match self.by {
            Dimension::Process
            | Dimension::Unit
            | Dimension::Container
            | Dimension::Pod
            | Dimension::User => (row.owner, 0),
            Dimension::Peer | Dimension::Name | Dimension::Country | Dimension::Asn => {
                (row.peer, 0)
            }
            Dimension::Pair => (row.peer, row.local),
            Dimension::Port => (row.service, 0),
            Dimension::Interface => (row.interface, 0),
        }
    }

    fn name(&mut self, number: (i64, i64)) -> Result<(Of, String)> {
        if number.0 == FOLDED {
            return Ok((Of::Folded, "not kept in detail".to_owned()));
        }
        let (number, other) = number;
        match self.by {
            Dimension::Process => self.owner(number, "process", "process"),
            Dimension::Unit => self.owner(number, "unit", "unit"),
            Dimension::Container => self.owner(number, "container", "container"),
            Dimension::Pod => self.owner(
                number,
                "CASE WHEN namespace IS NULL THEN pod ELSE namespace || '/' || pod END",
                "pod",
            ),
            Dimension::User => self.owner(number, "user", "user"),
            Dimension::Peer => Ok((Of::Named, self.address(number)?)),
            Dimension::Name => self.place(number, "name", "no name"),
            Dimension::Country => self.place(number, "country", "no known country"),
            Dimension::Asn => {
                self.place(number, "'AS' || asn || ifnull(' ' || as_name, '')", "no known AS")
            }
            Dimension::Pair => {
                let pair = format!("{} <-> {}", self.address(other)?, self.address(number)?);
                Ok((Of::Named, pair))
            }
            Dimension::Port => self.service(number),
            Dimension::Interface => {
                let name = self.one("SELECT name FROM interface WHERE id = ?1", number)?;
                Ok((Of::Named, name.unwrap_or_default()))
            }
        }
    }

    fn one(&self, select: &str, number: i64) -> Result<Option<String>> {
        let found = self.connection.query_row(select, [number], |row| row.get(0)).optional()?;
        Ok(found.flatten())
    }

    fn owner(&self, number: i64, column: &str, what: &str) -> Result<(Of, String)> {
        let name = self.one(&format!("SELECT {column} FROM owner WHERE id = ?1"), number)?;
        if let Some(name) = name {
            return Ok((Of::Named, name));
        }
        let why = self.one("SELECT unattributed FROM owner WHERE id = ?1", number)?;
        let why = why.map_or(String::new(), |why| format!(": {why}"));
        Ok((Of::Unnamed, format!("no {what}{why}")))
    }

    fn place(&self, number: i64, column: &str, none: &str) -> Result<(Of, String)> {
        let name = self.one(&format!("SELECT {column} FROM address WHERE id = ?1"), number)?;
        Ok(match name {
            Some(name) => (Of::Named, name),
            None => (Of::Unnamed, none.to_owned()),
        })
    }

    fn address(&mut self, number: i64) -> Result<String> {
        if let Some(address) = self.known.get(&number) {
            return Ok(address.clone());
        }
        let address = self.one("SELECT address FROM address WHERE id = ?1", number)?;
        let address = address.unwrap_or_else(|| "*".to_owned());
        self.known.insert(number, address.clone());
        Ok(address)
    }

    fn service(&self, number: i64) -> Result<(Of, String)> {
        let select = "SELECT protocol, port FROM service WHERE id = ?1";
        let row = |row: &rusqlite::Row<'_>| Ok((row.get::<_, u8>(0)?, row.get::<_, i32>(1)?));
        let (protocol, port) = self.connection.query_row(select, [number], row)?;
        let protocol = text::protocol(protocol);
        Ok(match port {
            0 => (Of::Named, protocol),
            HIGH_PORTS => (Of::Named, format!("{protocol} high ports")),
            port => (Of::Named, format!("{protocol} {port}")),
        })
    }
}

/// The parts of the tables to read. Summaries of hours and days lack the details of small traffic, so a query
/// about some of the traffic reads the tables in detail.
fn parts(connection: &Connection, question: &Question) -> Result<Vec<Part>> {
    summaries::parts(connection, question.from, question.to, !question.is_about_all())
}

fn scan(
    connection: &Connection,
    part: &Part,
    mut each: impl FnMut(&Row) -> Result<()>,
) -> Result<()> {
    let Part { table, length, starts } = part;
    let select = format!(
        "SELECT start, owner, local, peer, service, interface, in_bytes, out_bytes, in_packets,
         out_packets FROM {table} WHERE start >= ?1 AND start < ?2"
    );
    let mut statement = connection.prepare(&select)?;
    let mut rows = statement.query([starts.start, starts.end])?;
    while let Some(row) = rows.next()? {
        let number = |at| row.get::<_, i64>(at);
        let count = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
        let volume = Volume {
            in_bytes: count(6)?,
            out_bytes: count(7)?,
            in_packets: count(8)?,
            out_packets: count(9)?,
        };
        each(&Row {
            start: number(0)?,
            length: *length,
            owner: number(1)?,
            local: number(2)?,
            peer: number(3)?,
            service: number(4)?,
            interface: number(5)?,
            volume,
        })?;
    }
    Ok(())
}

/// Frames in no flow, by hour.
fn uncounted(connection: &Connection, question: &Question) -> Result<Vec<Uncounted>> {
    const HOUR: i64 = 3600;
    let interface = question.only.iter().find_map(|only| match only {
        RowFilter::Interface(number) => Some(*number),
        _ => None,
    });
    let mut statement = connection.prepare(
        "SELECT reason, sum(in_bytes), sum(out_bytes), sum(in_packets), sum(out_packets)
         FROM uncounted WHERE start >= ?1 AND start < ?2 AND ifnull(?3, interface) = interface
         GROUP BY reason ORDER BY reason",
    )?;
    let from = question.from.div_euclid(HOUR) * HOUR;
    let rows = statement.query_map((from, question.to, interface), |row| {
        let count = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
        let volume = Volume {
            in_bytes: count(1)?,
            out_bytes: count(2)?,
            in_packets: count(3)?,
            out_packets: count(4)?,
        };
        Ok(Uncounted { reason: row.get(0)?, volume })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}
