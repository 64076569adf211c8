//! How history becomes coarse with age: minutes become hours, hours days, and days go. Owns the ages,
//! the rows that each length has, and the bound of the file.

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, Statement, Transaction, params};

use super::fold::{FOLDED, Key, Rows, Volume, folded};

/// The tables of sums, from the finest.
pub(super) const TABLES: [&str; 3] = ["minutes", "hours", "days"];
/// How long a row of each is, in seconds.
pub(super) const LENGTHS: [i64; 3] = [60, HOUR, DAY];
const HOUR: i64 = 3600;
const DAY: i64 = 86_400;
/// How old what is in the first and the second becomes.
const AGES: [i64; 2] = [DAY, 7 * DAY];
/// Rows with addresses of one minute, hour and day; a quarter as many more have none.
pub(super) const PER_MINUTE: usize = 1000;
const PER_HOUR: usize = 5000;
const PER_DAY: usize = 20_000;
/// Incidents that are kept.
const MOST_ALERTS: i64 = 10_000;
/// Steps that are done at once: a long absence is caught up with little by little.
const MOST_STEPS: usize = 4;

/// How much is kept.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// How far back, in seconds.
    pub(super) keep: i64,
    pub(super) most_bytes: u64,
}

/// What a row is of, by the numbers of the names in the file.
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

/// As SQLite's numbers have a sign.
pub(super) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Lets what is old become coarse, and go. Whether names went, so that their numbers are others'.
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

/// What is to be done next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    /// What begins from the first on and before the second time is joined: from which table.
    Join(usize, i64, i64),
    /// What begins before goes.
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
        return Ok(None);
    }
    // What is still growing stays as it is.
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
            Self::Forget(before) => forget(transaction, before),
        }
    }
}

fn join(transaction: &Transaction<'_>, table: usize, from: i64, to: i64) -> Result<()> {
    let (fine, coarse) = (TABLES[table], TABLES[table + 1]);
    let most = if table == 0 { PER_HOUR } else { PER_DAY };
    let mut sums = Rows::default();
    for name in [fine, coarse] {
        add_rows(transaction, name, from, to, &mut sums)?;
        let delete = format!("DELETE FROM {name} WHERE start >= ?1 AND start < ?2");
        transaction.execute(&delete, [from, to])?;
    }
    let mut insert = transaction.prepare(&insert_into(coarse))?;
    let rows = folded(sums.into_iter().collect(), most);
    rows.iter().try_for_each(|(row, volume)| row.insert(&mut insert, from, volume))
}

fn add_rows(
    transaction: &Transaction<'_>,
    table: &str,
    from: i64,
    to: i64,
    sums: &mut Rows<Row>,
) -> Result<()> {
    let select = format!(
        "SELECT owner, local, peer, service, interface, in_bytes, out_bytes, in_packets, out_packets
         FROM {table} WHERE start >= ?1 AND start < ?2"
    );
    let mut statement = transaction.prepare(&select)?;
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

fn forget(transaction: &Transaction<'_>, before: i64) -> Result<()> {
    for table in TABLES.into_iter().chain(["uncounted"]) {
        transaction.execute(&format!("DELETE FROM {table} WHERE start < ?1"), [before])?;
    }
    transaction.execute("DELETE FROM alert WHERE time < ?1", [before])?;
    transaction.execute(
        "DELETE FROM alert WHERE key IN (SELECT key FROM alert ORDER BY time DESC LIMIT -1 OFFSET ?1)",
        [MOST_ALERTS],
    )?;
    Ok(())
}

/// Names that no row has any more.
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

pub(super) fn floor(seconds: i64, length: i64) -> i64 {
    seconds.div_euclid(length) * length
}

#[cfg(test)]
mod tests {
    use std::path::PathBuf;

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

    /// Rows and bytes of each table.
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
        // Nothing but days went.
        let whole = 400 * (1..=500).sum::<i64>();
        let kept = minutes.1 + hours.1 + days.1;
        assert!(kept > 0 && kept <= whole && days.0 + hours.0 > 0, "{kept} of {whole}");
    }
}
