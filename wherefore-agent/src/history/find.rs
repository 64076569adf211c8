//! Finds what a word on the command line means: an address, a prefix, a process, a unit, a country, and so
//! on. Owns the order in which meanings are tried.

use anyhow::{Result, bail};
use ipnet::IpNet;
use rusqlite::Connection;
use rustc_hash::FxHashSet;
use serde::Serialize;

use super::query::{Dimension, RowFilter};
use crate::usage::UsageError;

/// The target that a word names.
#[derive(Debug, Clone)]
pub struct Target {
    /// The kind of target.
    pub kind: Kind,
    /// Its name.
    pub name: String,
    /// The conditions that select its rows.
    pub only: Vec<RowFilter>,
}

/// The kind of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Everything that this host moved.
    Host,
    /// An address.
    Address,
    /// All addresses of a prefix.
    Prefix,
    /// A value of one of the dimensions.
    #[serde(untagged)]
    By(Dimension),
}

/// The dimensions in which names are searched, in this order.
const OWNERS: [(Dimension, &str); 5] = [
    (Dimension::Process, "process"),
    (Dimension::Unit, "unit"),
    (Dimension::Container, "container"),
    (Dimension::Pod, "pod"),
    (Dimension::User, "user"),
];
const PLACES: [(Dimension, &str); 3] =
    [(Dimension::Name, "name"), (Dimension::Country, "country"), (Dimension::Asn, "'AS' || asn")];

/// Finds the target that a word names. Without a word, it is the host.
///
/// # Errors
/// If the history does not know this name, or cannot be read.
pub fn find(connection: &Connection, text: Option<&str>) -> Result<Target> {
    let Some(text) = text.map(str::trim).filter(|text| !text.is_empty() && *text != "now") else {
        return Ok(Target { kind: Kind::Host, name: "this host".to_owned(), only: Vec::new() });
    };
    if let Some(target) = by_address(connection, text)? {
        return Ok(target);
    }
    for (by, column) in OWNERS {
        let found = numbers(connection, "owner", column, text)?;
        if !found.is_empty() {
            return Ok(target(Kind::By(by), text, RowFilter::Owners(found)));
        }
    }
    for (by, column) in PLACES {
        let found = numbers(connection, "address", column, text)?;
        if !found.is_empty() {
            return Ok(target(Kind::By(by), text, RowFilter::Addresses(found)));
        }
    }
    if let Some(number) = numbers(connection, "interface", "name", text)?.into_iter().next() {
        return Ok(target(Kind::By(Dimension::Interface), text, RowFilter::Interface(number)));
    }
    if let Ok(port) = text.parse::<u16>() {
        let found = numbers(connection, "service", "port", &port.to_string())?;
        if !found.is_empty() {
            return Ok(target(Kind::By(Dimension::Port), text, RowFilter::Services(found)));
        }
    }
    bail!(UsageError(nothing(connection, text)?))
}

fn target(kind: Kind, name: &str, only: RowFilter) -> Target {
    Target { kind, name: name.to_owned(), only: vec![only] }
}

/// The target for an address or a prefix; it need not have any traffic.
fn by_address(connection: &Connection, text: &str) -> Result<Option<Target>> {
    let address = text.parse::<std::net::IpAddr>().ok();
    let prefix = text.parse::<IpNet>().ok().filter(|_| address.is_none());
    let (kind, prefix) = match (address, prefix) {
        (Some(address), _) => (Kind::Address, IpNet::from(address)),
        (None, Some(prefix)) => (Kind::Prefix, prefix.trunc()),
        (None, None) => return Ok(None),
    };
    let name = address.map_or_else(|| prefix.to_string(), |address| address.to_string());
    let found = match kind {
        Kind::Prefix => inside(connection, &prefix)?,
        _ => numbers(connection, "address", "address", &name)?,
    };
    Ok(Some(target(kind, &name, RowFilter::Addresses(found))))
}

fn inside(connection: &Connection, prefix: &IpNet) -> Result<FxHashSet<i64>> {
    let mut statement = connection.prepare("SELECT id, address FROM address")?;
    let mut rows = statement.query([])?;
    let mut found = FxHashSet::default();
    while let Some(row) = rows.next()? {
        let address = row.get::<_, String>(1)?.parse::<std::net::IpAddr>();
        if address.is_ok_and(|address| prefix.contains(&address)) {
            found.insert(row.get(0)?);
        }
    }
    Ok(found)
}

/// The numbers of all owners with this name, ignoring case. A unit also matches without its `.service`.
fn numbers(
    connection: &Connection,
    table: &str,
    column: &str,
    text: &str,
) -> Result<FxHashSet<i64>> {
    let select = format!(
        "SELECT id FROM {table} WHERE {column} = ?1 COLLATE NOCASE
         OR {column} = ?1 || '.service' COLLATE NOCASE"
    );
    let mut statement = connection.prepare(&select)?;
    let found = statement.query_map([text], |row| row.get(0))?;
    Ok(found.collect::<rusqlite::Result<_>>()?)
}

/// The error for an unknown name, with similar names.
fn nothing(connection: &Connection, text: &str) -> Result<String> {
    let mut near: Vec<String> = Vec::new();
    let columns = OWNERS.iter().map(|(_, column)| ("owner", *column));
    for (table, column) in columns.chain([("address", "name"), ("interface", "name")]) {
        let select = format!(
            "SELECT DISTINCT {column} FROM {table} WHERE instr(lower({column}), lower(?1)) LIMIT 3"
        );
        let mut statement = connection.prepare(&select)?;
        let found = statement.query_map([text], |row| row.get::<_, String>(0))?;
        near.extend(found.collect::<rusqlite::Result<Vec<_>>>()?);
    }
    near.dedup();
    let near = match near.len() {
        0 => String::new(),
        _ => format!("; similar names: {}", near.join(", ")),
    };
    Ok(format!(
        "the history knows no address, process, unit, container, pod, user, name, country, AS, \
         interface or port {text}{near}"
    ))
}
