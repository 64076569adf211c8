//! Coarsens history as it ages: minutes become hours, hours become days, and days are removed. Owns the ages,
//! the number of rows in each period, and the bound of the file.

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, Transaction};

use super::fold::{Rows, folded};
use super::rows::{DAY, LENGTHS, MOST, TABLES, add_rows, floor, insert_into};
use super::summaries::{self, SUMMARIES};

/// The ages at which minutes and hours are coarsened.
const AGES: [i64; 2] = [DAY, 7 * DAY];
/// The most incidents that are kept.
const MOST_ALERTS: i64 = 10_000;
/// The most steps that are done at once: after a long pause, the work is spread over time.
const MOST_STEPS: usize = 4;

/// How much data is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How long data is kept, in seconds.
    pub(super) keep: i64,
    pub(super) most_bytes: u64,
}

/// Coarsens and removes old data. Returns whether names were removed, so that their numbers are reused.
pub(super) fn age(connection: &mut Connection, now: i64, bounds: &Bounds) -> Result<bool> {
    let mut days_went = false;
    for _ in 0..MOST_STEPS {
        let transaction = connection.transaction()?;
        let step = match due(&transaction, now, bounds)? {
            Some(step) => step,
            None => break,
        };
        days_went |= matches!(step, Step::Forget(..));
        step.take(&transaction)?;
        if matches!(step, Step::Forget(..)) {
            forget_names(&transaction)?;
        }
        transaction.commit()?;
    }
    Ok(days_went)
}

/// The next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// Join the rows of this table, from the first time to before the second.
    Join(usize, i64, i64),
    /// Make the summary of the hour or day that begins at this time, from the table with this index.
    SumUp(usize, i64),
    /// Remove rows that begin before this time.
    Forget(i64),
}

fn due(transaction: &Transaction<'_>, now: i64, bounds: &Bounds) -> Result<Option<Step>> {
    let oldest = [oldest(transaction, 0)?, oldest(transaction, 1)?, oldest(transaction, 2)?];
    let last = floor(now - bounds.keep, DAY);
    if oldest.iter().flatten().any(|start| *start < last) {
        return Ok(Some(Step::Forget(last)));
    }
    let joined = |table: usize, start: i64| {
        let length = LENGTHS[table + 1];
        Step::Join(table, floor(start, length), floor(start, length) + length)
    };
    for (table, age) in AGES.into_iter().enumerate() {
        if let Some(start) =
            oldest[table].filter(|start| *start < floor(now - age, LENGTHS[table + 1]))
        {
            return Ok(Some(joined(table, start)));
        }
    }
    if used_bytes(transaction)? <= bounds.most_bytes / 10 * 9 {
        return Ok(
            summaries::due(transaction, now)?.map(|(table, start)| Step::SumUp(table, start))
        );
    }
    // Periods that can still grow are not joined.
    for (table, start) in oldest.iter().take(AGES.len()).enumerate() {
        if let Some(start) = start.filter(|start| *start < floor(now, LENGTHS[table + 1])) {
            return Ok(Some(joined(table, start)));
        }
    }
    let first = oldest[2].filter(|start| *start < floor(now, DAY));
    Ok(first.map(|start| Step::Forget(start + DAY)))
}

impl Step {
    fn take(self, transaction: &Transaction<'_>) -> Result<()> {
        match self {
            Self::Join(table, from, to) => join(transaction, table, from, to),
            Self::SumUp(table, start) => summaries::make(transaction, table, start),
            Self::Forget(before) => forget(transaction, before),
        }
    }
}

fn join(transaction: &Transaction<'_>, table: usize, from: i64, to: i64) -> Result<()> {
    let (fine, coarse) = (TABLES[table], TABLES[table + 1]);
    let mut sums = Rows::default();
    for name in [fine, coarse] {
        add_rows(transaction, name, from, to, &mut sums)?;
        let delete = format!("DELETE FROM {name} WHERE start >= ?1 AND start < ?2");
        transaction.execute(&delete, [from, to])?;
    }
    let mut insert = transaction.prepare(&insert_into(coarse))?;
    summaries::forget(transaction, table, from)?;
    let rows = folded(sums.into_iter().collect(), MOST[table + 1]);
    rows.iter().try_for_each(|(row, volume)| row.insert(&mut insert, from, volume))
}

fn forget(transaction: &Transaction<'_>, before: i64) -> Result<()> {
    for table in TABLES.into_iter().chain(SUMMARIES).chain(["uncounted"]) {
        transaction.execute(&format!("DELETE FROM {table} WHERE start < ?1"), [before])?;
    }
    transaction.execute("DELETE FROM alert WHERE time < ?1", [before])?;
    transaction.execute(
        "DELETE FROM alert WHERE key IN (SELECT key FROM alert ORDER BY time DESC LIMIT -1 OFFSET ?1)",
        [MOST_ALERTS],
    )?;
    Ok(())
}

/// Removes names that no row refers to.
fn forget_names(transaction: &Transaction<'_>) -> Result<()> {
    let of =
        |column: &str| TABLES.map(|table| format!("SELECT {column} FROM {table}")).join(" UNION ");
    let addresses = format!("{} UNION {}", of("local"), of("peer"));
    for (names, used) in
        [("address", addresses), ("owner", of("owner")), ("service", of("service"))]
    {
        transaction.execute(&format!("DELETE FROM {names} WHERE id NOT IN ({used})"), [])?;
    }
    Ok(())
}

fn oldest(transaction: &Transaction<'_>, table: usize) -> Result<Option<i64>> {
    let select = format!("SELECT start FROM {} ORDER BY start LIMIT 1", TABLES[table]);
    Ok(transaction.query_row(&select, [], |row| row.get(0)).optional()?)
}

fn used_bytes(transaction: &Transaction<'_>) -> Result<u64> {
    let value = |name| transaction.pragma_query_value(None, name, |row| row.get::<_, i64>(0));
    let pages = value("page_count")? - value("freelist_count")?;
    Ok((pages * value("page_size")?).unsigned_abs())
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

    use super::super::fold::Volume;
    use super::super::rows::{HOUR, Row};
    use super::super::schema;
    use super::*;

    const KEEP: i64 = 30 * DAY;
    const START: i64 = 20_000 * DAY;

    struct File(PathBuf);

    impl Drop for File {
        fn drop(&mut self) {
            for suffix in ["", "-wal", "-shm"] {
                let _ = std::fs::remove_file(format!("{}{suffix}", self.0.display()));
            }
        }
    }

    fn opened(name: &str, most_bytes: u64) -> (File, Connection) {
        let name = format!("wherefore-tiers-{name}-{}.db", std::process::id());
        let file = File(std::env::temp_dir().join(name));
        let connection = schema::open(&file.0, most_bytes).unwrap();
        (file, connection)
    }

    fn put(connection: &Connection, start: i64, peers: i64) {
        let mut insert = connection.prepare(&insert_into("minutes")).unwrap();
        for peer in 1..=peers {
            let row = Row { owner: 1, local: 1, peer, service: 1, interface: 1 };
            let volume = Volume { in_bytes: peer.unsigned_abs(), ..Volume::default() };
            row.insert(&mut insert, start, &volume).unwrap();
        }
    }

    /// The number of rows and the bytes of each table.
    fn state(connection: &Connection) -> [(i64, i64); 3] {
        TABLES.map(|table| {
            let select = format!("SELECT count(*), ifnull(sum(in_bytes), 0) FROM {table}");
            connection.query_row(&select, [], |row| Ok((row.get(0)?, row.get(1)?))).unwrap()
        })
    }

    fn settle(connection: &mut Connection, now: i64, bounds: &Bounds) {
        let count = |connection: &Connection| connection.total_changes();
        loop {
            let before = count(connection);
            age(connection, now, bounds).unwrap();
            if count(connection) == before {
                return;
            }
        }
    }

    #[test]
    fn minutes_become_hours_and_days_and_go_and_sums_stay() {
        let (_file, mut connection) = opened("age", 200_000_000);
        let bounds = Bounds { keep: KEEP, most_bytes: 200_000_000 };
        (0..4).for_each(|hour| put(&connection, START + hour * HOUR + 120, 10));
        (0..4).for_each(|hour| put(&connection, START + hour * HOUR + 180, 10));
        settle(&mut connection, START + DAY + 2 * HOUR, &bounds);
        assert_eq!(state(&connection), [(40, 220), (20, 220), (0, 0)]);
        settle(&mut connection, START + 5 * DAY, &bounds);
        assert_eq!(state(&connection), [(0, 0), (40, 440), (0, 0)]);
        settle(&mut connection, START + 9 * DAY, &bounds);
        assert_eq!(state(&connection), [(0, 0), (0, 0), (10, 440)]);
        settle(&mut connection, START + KEEP + DAY, &bounds);
        assert_eq!(state(&connection), [(0, 0); 3]);
    }

    #[test]
    fn the_file_keeps_within_its_bound_and_the_newest_stays() {
        const MOST: u64 = 2_000_000;
        let (file, mut connection) = opened("bound", MOST);
        let bounds = Bounds { keep: KEEP, most_bytes: MOST };
        let mut now = START;
        for minute in 0..400 {
            now = START + minute * 600;
            put(&connection, now, 500);
            age(&mut connection, now, &bounds).unwrap();
        }
        let log = std::fs::metadata(format!("{}-wal", file.0.display())).unwrap().len();
        let size = std::fs::metadata(&file.0).unwrap().len();
        assert!(size <= MOST, "{size} bytes, and {log} in the log");
        let [minutes, hours, days] = state(&connection);
        let newest = "SELECT count(*) FROM minutes WHERE start = ?1";
        let newest: i64 = connection.query_row(newest, [now], |row| row.get(0)).unwrap();
        assert_eq!(newest, 500);
        // Only days were removed.
        let whole = 400 * (1..=500).sum::<i64>();
        let kept = minutes.1 + hours.1 + days.1;
        assert!(kept > 0 && kept <= whole && days.0 + hours.0 > 0, "{kept} of {whole}");
    }
}
