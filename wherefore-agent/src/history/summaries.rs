//! Precomputed sums of hours and days whose finer rows are still kept. Owns which periods are summarised, and
//! which tables a query over a long time reads instead of millions of minutes. Summaries are only copies: the
//! summarised rows are still in the finer tables.
//!
//! Hours are summarised in order, and so are days: everything before the end of the newest summary is
//! summarised. If a minute changes later, the summaries from its time on are rebuilt.

use std::ops::Range;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension};

use super::fold::{Rows, folded};
use super::rows::{self, DAY, HOUR, LENGTHS, MOST, TABLES, floor};

/// The tables of summaries, by the index of the finer table.
pub(super) const SUMMARIES: [&str; 2] = ["hour_summaries", "day_summaries"];
/// A query over at least this many seconds reads hours or days, respectively.
const LONG: [i64; 2] = [3 * DAY, 14 * DAY];

/// A part of a table that a query reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) table: &'static str,
    /// The length of its rows, in seconds.
    pub(super) length: i64,
    /// The range of times at which its rows begin.
    pub(super) starts: Range<i64>,
}

/// The next summary to make, if one is due: the index of the finer table and the start.
pub(super) fn due(connection: &Connection, now: i64) -> Result<Option<(usize, i64)>> {
    for table in 0..SUMMARIES.len() {
        let length = LENGTHS[table + 1];
        let (from, to) = (end(connection, table)?.unwrap_or(i64::MIN), floor(now, length));
        let mut oldest = None;
        for source in sources(table) {
            let first = first(connection, source, from..to)?;
            oldest = oldest.into_iter().chain(first).min();
        }
        if let Some(start) = oldest {
            return Ok(Some((table, floor(start, length))));
        }
    }
    Ok(None)
}

/// Makes the summary of the hour or day that begins at this time.
pub(super) fn make(connection: &Connection, table: usize, start: i64) -> Result<()> {
    let mut sums = Rows::default();
    for source in sources(table) {
        rows::add_rows(connection, source, start, start + LENGTHS[table + 1], &mut sums)?;
    }
    let mut insert = connection.prepare(&rows::insert_into(SUMMARIES[table]))?;
    let kept = folded(sums.into_iter().collect(), MOST[table + 1]);
    kept.iter().try_for_each(|(row, volume)| row.insert(&mut insert, start, volume))
}

/// Removes the summaries that contain this minute, because it changes.
pub(super) fn outdate(connection: &Connection, minute: i64) -> Result<()> {
    for (table, summaries) in SUMMARIES.into_iter().enumerate() {
        let delete = format!("DELETE FROM {summaries} WHERE start >= ?1");
        connection.execute(&delete, [floor(minute, LENGTHS[table + 1])])?;
    }
    Ok(())
}

/// Removes a summary whose rows have moved to the coarser table.
pub(super) fn forget(connection: &Connection, table: usize, start: i64) -> Result<()> {
    let delete = format!("DELETE FROM {} WHERE start = ?1", SUMMARIES[table]);
    connection.execute(&delete, [start])?;
    Ok(())
}

/// The parts to read for a period. A row counts in the period that contains the middle of its time.
/// `in_detail` reads only the finest tables.
pub(super) fn parts(
    connection: &Connection,
    from: i64,
    to: i64,
    in_detail: bool,
) -> Result<Vec<Part>> {
    let summed_up = |table| match in_detail {
        true => Ok(from..from),
        false => summed_up(connection, table, from, to),
    };
    let (hours, days) = (summed_up(0)?, summed_up(1)?);
    let [minute_rows, hour_rows, day_rows] = LENGTHS.map(|length| {
        let starts = from - length / 2..to - length / 2;
        vec![starts]
    });
    let tables = [
        (TABLES[0], LENGTHS[0], without(without(minute_rows, &hours), &days)),
        (SUMMARIES[0], HOUR, without(vec![hours], &days)),
        (TABLES[1], HOUR, without(hour_rows, &days)),
        (SUMMARIES[1], DAY, vec![days]),
        (TABLES[2], DAY, day_rows),
    ];
    let of = |(table, length, starts): (_, _, Vec<Range<i64>>)| {
        starts.into_iter().map(move |starts| Part { table, length, starts })
    };
    Ok(tables.into_iter().flat_map(of).filter(|part| !part.starts.is_empty()).collect())
}

/// The whole hours or days of a long period that are summarised; an empty range if there are none.
fn summed_up(connection: &Connection, table: usize, from: i64, to: i64) -> Result<Range<i64>> {
    let length = LENGTHS[table + 1];
    let first = floor(from + length - 1, length);
    let end = match to - from >= LONG[table] {
        true => end(connection, table)?.unwrap_or(first),
        false => first,
    };
    Ok(first..end.min(floor(to, length)).max(first))
}

fn without(ranges: Vec<Range<i64>>, hole: &Range<i64>) -> Vec<Range<i64>> {
    if hole.is_empty() {
        return ranges;
    }
    let cut = |range: Range<i64>| {
        [range.start..range.end.min(hole.start), range.start.max(hole.end)..range.end]
    };
    ranges.into_iter().flat_map(cut).filter(|range| !range.is_empty()).collect()
}

/// The end of the newest summary.
fn end(connection: &Connection, table: usize) -> Result<Option<i64>> {
    let select = format!("SELECT max(start) FROM {}", SUMMARIES[table]);
    let newest: Option<i64> = connection.query_row(&select, [], |row| row.get(0))?;
    Ok(newest.map(|start| start + LENGTHS[table + 1]))
}

/// The tables from which a summary is made: minutes for hours; for days the hours, and the summaries of hours
/// that are not joined yet.
fn sources(table: usize) -> impl Iterator<Item = &'static str> {
    let finer = table.checked_sub(1).map(|finer| SUMMARIES[finer]);
    std::iter::once(TABLES[table]).chain(finer)
}

fn first(connection: &Connection, table: &str, starts: Range<i64>) -> Result<Option<i64>> {
    let select = format!("SELECT start FROM {table} WHERE start >= ?1 AND start < ?2 LIMIT 1");
    let found = connection.query_row(&select, [starts.start, starts.end], |row| row.get(0));
    Ok(found.optional()?)
}

#[cfg(test)]
mod tests {
    use super::super::fold::Volume;
    use super::super::schema;
    use super::*;

    const START: i64 = 20_000 * DAY;

    fn opened() -> Connection {
        let name = format!("wherefore-summaries-{:?}.db", std::thread::current().id());
        let path = std::env::temp_dir().join(format!("{}-{name}", std::process::id()));
        let connection = schema::open(&path, 1 << 24).unwrap();
        // An open file lives on after it is removed.
        std::fs::remove_file(path).unwrap();
        connection
    }

    fn put(connection: &Connection, table: &str, start: i64, bytes: u64) {
        outdate(connection, start).unwrap();
        let mut insert = connection.prepare(&rows::insert_into(table)).unwrap();
        let row = rows::Row { owner: 1, local: 1, peer: 1, service: 1, interface: 1 };
        let volume = Volume { in_bytes: bytes, ..Volume::default() };
        row.insert(&mut insert, start, &volume).unwrap();
    }

    fn sum_up(connection: &Connection, now: i64) {
        while let Some((table, start)) = due(connection, now).unwrap() {
            make(connection, table, start).unwrap();
        }
    }

    /// The bytes of this period, the tables that they come from, and the number of rows that were read.
    fn read(connection: &Connection, from: i64, to: i64, in_detail: bool) -> (i64, Vec<&str>, i64) {
        let mut found = (0, Vec::new(), 0);
        for part in parts(connection, from, to, in_detail).unwrap() {
            let select = format!(
                "SELECT ifnull(sum(in_bytes), 0), count(*) FROM {} WHERE start >= ?1 AND start < ?2",
                part.table
            );
            let range = [part.starts.start, part.starts.end];
            let (bytes, rows): (i64, i64) =
                connection.query_row(&select, range, |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
            found.0 += bytes;
            found.2 += rows;
            if rows > 0 && !found.1.contains(&part.table) {
                found.1.push(part.table);
            }
        }
        found
    }

    #[test]
    fn summaries_give_the_same_sums_for_any_period() {
        let connection = opened();
        let now = START + 20 * DAY + 5 * HOUR + 120;
        put(&connection, "days", START, 7);
        for hour in 14 * 24..19 * 24 {
            put(&connection, "hours", START + hour * HOUR, 1000 + hour.unsigned_abs());
        }
        for minute in 19 * 1440..20 * 1440 + 5 * 60 + 2 {
            put(&connection, "minutes", START + minute * 60, minute.unsigned_abs());
        }
        let fine = read(&connection, START, now, false);
        sum_up(&connection, now);
        let coarse = read(&connection, START, now, false);
        assert_eq!(coarse.0, fine.0);
        assert_eq!(coarse.1, ["minutes", "hour_summaries", "day_summaries", "days"]);
        assert_eq!((fine.2, coarse.2), (1 + 5 * 24 + 1440 + 302, 2 + 5 + 6 + 1));
        for (from, to) in [(90, 45), (HOUR - 30, 0), (15 * DAY + 1, HOUR), (17 * DAY, 3 * HOUR)] {
            let (from, to) = (START + from, now - to);
            let (detailed, coarse) =
                (read(&connection, from, to, true), read(&connection, from, to, false));
            assert_eq!(coarse.0, detailed.0, "from {from} to {to}");
            assert!(coarse.2 < detailed.2, "from {from} to {to}");
        }
        let day = read(&connection, now - DAY, now, false);
        assert_eq!(day.1, ["minutes"], "a day is read in detail");
    }

    #[test]
    fn changed_periods_are_summarised_again() {
        let connection = opened();
        let now = START + 4 * DAY;
        (0..4 * 24).for_each(|hour| put(&connection, "minutes", START + hour * HOUR, 10));
        sum_up(&connection, now);
        assert_eq!(due(&connection, now).unwrap(), None);
        // As if the clock had been set back.
        put(&connection, "minutes", START + DAY + 60, 5);
        let late = read(&connection, START, now, false);
        assert_eq!(late.0, 4 * 24 * 10 + 5);
        assert_eq!(due(&connection, now).unwrap(), Some((0, START + DAY)));
        sum_up(&connection, now);
        let again = read(&connection, START, now, false);
        assert_eq!((again.0, again.1), (late.0, vec!["hour_summaries"]));
        assert!(again.2 < late.2);
    }
}
