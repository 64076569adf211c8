//! Writes the file: minutes, names, uncounted frames, alerts. Owns the numbers of names in the file, and that
//! each commit is consistent. Refuses to decide when to write.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Result;
use rusqlite::{Connection, OptionalExtension, Transaction, params};
use rustc_hash::FxHashMap;

use super::fold::{FOLDED, Volume, folded};
use super::minute::{Minute, RowKey, Service};
use super::names::OwnerName;
use super::places::{Kept, Places};
use super::rows::{self, MOST};
use super::{summaries, tiers};
use crate::message::alert::Alert;
use crate::text;

/// The most names whose numbers are cached. Beyond that, the cache is cleared and they are looked up again.
const MOST_NUMBERS: usize = 1 << 17;

/// Frames in no flow, by interface and reason.
pub(super) type Uncounted = FxHashMap<(String, &'static str), Volume>;

/// The data of one commit.
#[derive(Debug, Default)]
pub(super) struct Batch<'a> {
    pub(super) minutes: Vec<&'a Minute>,
    /// The hour to which uncounted frames are added, in seconds since 1970.
    pub(super) hour: i64,
    pub(super) uncounted: Option<&'a Uncounted>,
    pub(super) alerts: &'a [Alert],
}

/// The open file.
#[derive(Debug)]
pub(super) struct Store {
    connection: Connection,
    numbers: Numbers,
}

/// The numbers of names in the file.
#[derive(Debug, Default)]
struct Numbers {
    owners: FxHashMap<OwnerName, i64>,
    addresses: FxHashMap<IpAddr, Address>,
    services: FxHashMap<Service, i64>,
    interfaces: FxHashMap<String, i64>,
}

/// The number of an address, and its name in the file.
#[derive(Debug, Clone)]
struct Address {
    number: i64,
    name: Option<Arc<str>>,
}

impl Store {
    pub(super) fn new(connection: Connection) -> Self {
        Self { connection, numbers: Numbers::default() }
    }

    /// Writes the whole batch, or nothing of it.
    pub(super) fn commit(&mut self, batch: &Batch<'_>, places: &Places) -> Result<()> {
        let written = self.write(batch, places);
        let is_large = self.numbers.addresses.len() > MOST_NUMBERS;
        if written.is_err() || is_large || self.numbers.owners.len() > MOST_NUMBERS {
            // Numbers that a failed commit assigned are not in the file.
            self.numbers = Numbers::default();
        }
        written
    }

    fn write(&mut self, batch: &Batch<'_>, places: &Places) -> Result<()> {
        let transaction = self.connection.transaction()?;
        for minute in &batch.minutes {
            write_minute(&transaction, &mut self.numbers, minute, places)?;
        }
        for ((interface, reason), volume) in batch.uncounted.into_iter().flatten() {
            let interface = self.numbers.interface(&transaction, interface)?;
            write_uncounted(&transaction, batch.hour, interface, reason, volume)?;
        }
        batch.alerts.iter().try_for_each(|alert| write_alert(&transaction, alert))?;
        Ok(transaction.commit()?)
    }

    /// The minute that begins at this time, with the data that the file already has.
    pub(super) fn minute(&self, start: i64) -> Result<Minute> {
        let mut minute = Minute::new(start);
        let mut statement = self.connection.prepare(MINUTE)?;
        let mut rows = statement.query([start])?;
        while let Some(row) = rows.next()? {
            let number = |at| row.get::<_, i64>(at).map(i64::unsigned_abs);
            let volume = Volume {
                in_bytes: number(0)?,
                out_bytes: number(1)?,
                in_packets: number(2)?,
                out_packets: number(3)?,
            };
            let address = |at| -> rusqlite::Result<Option<IpAddr>> {
                Ok(row.get::<_, Option<String>>(at)?.and_then(|text| text.parse().ok()))
            };
            let service = row.get::<_, Option<u8>>(7)?;
            let service = service
                .map(|protocol| Ok::<_, rusqlite::Error>(Service { protocol, port: row.get(8)? }));
            let owner = owner_name(row, 10)?;
            let owner = owner.map_or(0, |owner| minute.owners.number(&owner));
            let interface = minute.interfaces.number(&row.get(6)?);
            let (local, peer, service) = (address(4)?, address(5)?, service.transpose()?);
            minute.add_row(RowKey { owner, local, peer, service, interface }, &volume);
        }
        Ok(minute)
    }

    /// Coarsens and removes old data, and keeps the file within its bound.
    pub(super) fn age(&mut self, now: i64, bounds: &tiers::Bounds) -> Result<()> {
        if tiers::age(&mut self.connection, now, bounds)? {
            self.numbers = Numbers::default();
        }
        Ok(())
    }
}

const MINUTE: &str = "SELECT in_bytes, out_bytes, in_packets, out_packets, l.address, p.address,
    ifnull(i.name, ''), s.protocol, s.port, o.id, o.process, o.executable, o.user, o.unit,
    o.container, o.pod, o.namespace, o.unattributed
    FROM minutes LEFT JOIN address l ON l.id = local LEFT JOIN address p ON p.id = peer
    LEFT JOIN service s ON s.id = service LEFT JOIN interface i ON i.id = interface
    LEFT JOIN owner o ON o.id = owner WHERE start = ?1";

/// Reads the owner from the columns from `at` on; `None` for folded rows.
fn owner_name(row: &rusqlite::Row<'_>, at: usize) -> rusqlite::Result<Option<OwnerName>> {
    if row.get::<_, Option<i64>>(at - 1)?.is_none() {
        return Ok(None);
    }
    let text = |column| {
        Ok::<_, rusqlite::Error>(row.get::<_, Option<String>>(at + column)?.map(Arc::from))
    };
    Ok(Some(OwnerName {
        process: text(0)?,
        executable: text(1)?,
        user: text(2)?,
        unit: text(3)?,
        container: text(4)?,
        pod: text(5)?,
        namespace: text(6)?,
        unattributed: text(7)?,
    }))
}

fn write_minute(
    transaction: &Transaction<'_>,
    numbers: &mut Numbers,
    minute: &Minute,
    places: &Places,
) -> Result<()> {
    transaction.execute("DELETE FROM minutes WHERE start = ?1", [minute.start])?;
    summaries::outdate(transaction, minute.start)?;
    let sums = minute.rows.iter().map(|(key, volume)| (*key, *volume)).collect();
    let mut insert = transaction.prepare(&rows::insert_into("minutes"))?;
    for (key, volume) in folded(sums, MOST[0]) {
        let owner = match minute.owners.name(key.owner) {
            Some(owner) => numbers.owner(transaction, owner)?,
            None => FOLDED,
        };
        let interface = minute.interfaces.name(key.interface).map_or("", String::as_str);
        let row = rows::Row {
            owner,
            local: numbers.address(transaction, key.local, places)?,
            peer: numbers.address(transaction, key.peer, places)?,
            service: numbers.service(transaction, key.service)?,
            interface: numbers.interface(transaction, interface)?,
        };
        row.insert(&mut insert, minute.start, &volume)?;
    }
    Ok(())
}

impl Numbers {
    fn owner(&mut self, transaction: &Transaction<'_>, owner: &OwnerName) -> Result<i64> {
        if let Some(number) = self.owners.get(owner) {
            return Ok(*number);
        }
        let OwnerName { process, executable, user, unit, container, pod, namespace, unattributed } =
            owner;
        let values =
            params![process, executable, user, unit, container, pod, namespace, unattributed];
        let known = transaction.query_row(OWNER, values, |row| row.get(0)).optional()?;
        let number = match known {
            Some(number) => number,
            None => {
                transaction.execute(NEW_OWNER, values)?;
                transaction.last_insert_rowid()
            }
        };
        self.owners.insert(owner.clone(), number);
        Ok(number)
    }

    fn address(
        &mut self,
        transaction: &Transaction<'_>,
        address: Option<IpAddr>,
        places: &Places,
    ) -> Result<i64> {
        let Some(address) = address else { return Ok(FOLDED) };
        let name = places.name(address);
        if let Some(known) = self.addresses.get_mut(&address) {
            if name.is_some() && known.name != name {
                let update = "UPDATE address SET name = ?2 WHERE id = ?1";
                transaction.execute(update, params![known.number, name])?;
                known.name = name;
            }
            return Ok(known.number);
        }
        let Kept { country, asn, as_name } = places.of(address);
        let number = transaction.query_row(
            "INSERT INTO address (address, name, country, asn, as_name) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT DO UPDATE SET name = ifnull(excluded.name, name),
             country = ifnull(excluded.country, country), asn = ifnull(excluded.asn, asn),
             as_name = ifnull(excluded.as_name, as_name) RETURNING id",
            params![address.to_string(), name, country, asn, as_name],
            |row| row.get(0),
        )?;
        self.addresses.insert(address, Address { number, name });
        Ok(number)
    }

    fn service(&mut self, transaction: &Transaction<'_>, service: Option<Service>) -> Result<i64> {
        let Some(service) = service else { return Ok(FOLDED) };
        if let Some(number) = self.services.get(&service) {
            return Ok(*number);
        }
        let values = params![service.protocol, service.port];
        let number = number(transaction, "service", &["protocol", "port"], values)?;
        self.services.insert(service, number);
        Ok(number)
    }

    fn interface(&mut self, transaction: &Transaction<'_>, name: &str) -> Result<i64> {
        if let Some(number) = self.interfaces.get(name) {
            return Ok(*number);
        }
        let number = number(transaction, "interface", &["name"], params![name])?;
        self.interfaces.insert(name.to_owned(), number);
        Ok(number)
    }
}

const OWNER: &str = "SELECT id FROM owner WHERE ifnull(process, '') = ifnull(?1, '')
    AND ifnull(executable, '') = ifnull(?2, '') AND ifnull(user, '') = ifnull(?3, '')
    AND ifnull(unit, '') = ifnull(?4, '') AND ifnull(container, '') = ifnull(?5, '')
    AND ifnull(pod, '') = ifnull(?6, '') AND ifnull(namespace, '') = ifnull(?7, '')
    AND ifnull(unattributed, '') = ifnull(?8, '')";
const NEW_OWNER: &str = "INSERT INTO owner
    (process, executable, user, unit, container, pod, namespace, unattributed)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)";

/// The number of a name in one of the dictionaries. A new name gets a new number.
fn number(
    transaction: &Transaction<'_>,
    table: &str,
    columns: &[&str],
    values: &[&dyn rusqlite::ToSql],
) -> Result<i64> {
    let wanted: Vec<_> =
        columns.iter().enumerate().map(|(at, name)| format!("{name} = ?{}", at + 1)).collect();
    let select = format!("SELECT id FROM {table} WHERE {}", wanted.join(" AND "));
    let known = transaction.query_row(&select, values, |row| row.get(0)).optional()?;
    if let Some(number) = known {
        return Ok(number);
    }
    let marks: Vec<_> = (1..=columns.len()).map(|at| format!("?{at}")).collect();
    let (columns, marks) = (columns.join(", "), marks.join(", "));
    transaction.execute(&format!("INSERT INTO {table} ({columns}) VALUES ({marks})"), values)?;
    Ok(transaction.last_insert_rowid())
}

fn write_uncounted(
    transaction: &Transaction<'_>,
    hour: i64,
    interface: i64,
    reason: &str,
    volume: &Volume,
) -> Result<()> {
    let Volume { in_bytes, out_bytes, in_packets, out_packets } = *volume;
    let numbers = [in_bytes, out_bytes, in_packets, out_packets].map(rows::signed);
    let [in_bytes, out_bytes, in_packets, out_packets] = numbers;
    transaction.execute(
        "INSERT INTO uncounted VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT DO UPDATE SET
         in_bytes = in_bytes + excluded.in_bytes, out_bytes = out_bytes + excluded.out_bytes,
         in_packets = in_packets + excluded.in_packets,
         out_packets = out_packets + excluded.out_packets",
        params![hour, interface, reason, in_bytes, out_bytes, in_packets, out_packets],
    )?;
    Ok(())
}

/// Stores the first and the last message of an incident.
fn write_alert(transaction: &Transaction<'_>, alert: &Alert) -> Result<()> {
    let seconds = |time: &str| text::nanoseconds(time).unwrap_or(0) / 1_000_000_000;
    let json = serde_json::to_string(alert)?;
    transaction.execute(
        "INSERT INTO alert VALUES (?1, ?2, ?3, ?4, ?5)
         ON CONFLICT DO UPDATE SET time = excluded.time, json = excluded.json",
        params![alert.key, seconds(&alert.started), seconds(&alert.time), alert.text, json],
    )?;
    Ok(())
}
