//! The rows of the tables of sums: how they are read and written. Owns the names of these tables and the
//! length of their rows.

use anyhow::Result;
use rusqlite::{Connection, Statement, params};

use super::fold::{FOLDED, Key, Rows, Volume};

/// The tables of sums, from the finest.
pub(super) const TABLES: [&str; 3] = ["minutes", "hours", "days"];
/// The length of a row of each table, in seconds.
pub(super) const LENGTHS: [i64; 3] = [60, HOUR, DAY];
pub(super) const HOUR: i64 = 3600;
pub(super) const DAY: i64 = 86_400;
/// The most rows with addresses for each minute, hour and day. A quarter as many more rows have none.
pub(super) const MOST: [usize; 3] = [1000, 5000, 20_000];

/// The key of a row, by the numbers of the names in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Row {
    pub(super) owner: i64,
    pub(super) local: i64,
    pub(super) peer: i64,
    pub(super) service: i64,
    pub(super) interface: i64,
}

impl Key for Row {
    fn without_addresses(self) -> Self {
        Self { local: FOLDED, peer: FOLDED, ..self }
    }

    fn without_owner(self) -> Self {
        Self { owner: FOLDED, service: FOLDED, ..self.without_addresses() }
    }
}

impl Row {
    pub(super) fn insert(
        &self,
        insert: &mut Statement<'_>,
        start: i64,
        volume: &Volume,
    ) -> Result<()> {
        let Self { owner, local, peer, service, interface } = *self;
        let Volume { in_bytes, out_bytes, in_packets, out_packets } = *volume;
        let numbers = [in_bytes, out_bytes, in_packets, out_packets].map(signed);
        let [in_bytes, out_bytes, in_packets, out_packets] = numbers;
        insert.execute(params![
            start,
            owner,
            local,
            peer,
            service,
            interface,
            in_bytes,
            out_bytes,
            in_packets,
            out_packets
        ])?;
        Ok(())
    }
}

pub(super) fn insert_into(table: &str) -> String {
    format!("INSERT INTO {table} VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)")
}

/// The number as SQLite stores it: signed.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Adds the rows of this period.
pub(super) fn add_rows(
    connection: &Connection,
    table: &str,
    from: i64,
    to: i64,
    sums: &mut Rows<Row>,
) -> Result<()> {
    let select = format!(
        "SELECT owner, local, peer, service, interface, in_bytes, out_bytes, in_packets, out_packets
         FROM {table} WHERE start >= ?1 AND start < ?2"
    );
    let mut statement = connection.prepare(&select)?;
    let mut rows = statement.query([from, to])?;
    while let Some(row) = rows.next()? {
        let number = |at| row.get::<_, i64>(at);
        let count = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
        let key = Row {
            owner: number(0)?,
            local: number(1)?,
            peer: number(2)?,
            service: number(3)?,
            interface: number(4)?,
        };
        let volume = Volume {
            in_bytes: count(5)?,
            out_bytes: count(6)?,
            in_packets: count(7)?,
            out_packets: count(8)?,
        };
        sums.entry(key).or_default().add(&volume);
    }
    Ok(())
}

/// The start of the period of this length (such as an hour) that contains this time.
pub(super) fn floor(seconds: i64, length: i64) -> i64 {
    seconds.div_euclid(length) * length
}
