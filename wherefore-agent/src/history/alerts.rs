//! Incidents in the history file. Owns reading them; the store writes them.

use anyhow::Result;
use rusqlite::Connection;
use serde::Serialize;

use crate::message::alert::Alert;

/// An incident as the history file keeps it: the last message about it.
#[derive(Debug, Clone, Serialize, utoipa::ToSchema)]
pub struct KeptAlert {
    /// When it began, in seconds since 1970.
    pub started: i64,
    /// When its last message was, in seconds since 1970.
    pub time: i64,
    /// The first message, in one line.
    pub first_text: String,
    /// The last message.
    pub alert: Alert,
}

/// Reads the newest incidents, at most `most`, that began before `to` and did not end before `from`.
///
/// # Errors
/// If the file can't be read.
pub fn between(connection: &Connection, from: i64, to: i64, most: usize) -> Result<Vec<KeptAlert>> {
    let mut statement = connection.prepare(
        "SELECT started, time, first_text, json FROM alert WHERE time >= ?1 AND started < ?2
         ORDER BY time DESC, key LIMIT ?3",
    )?;
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let mut rows = statement.query([from, to, most])?;
    let mut alerts = Vec::new();
    while let Some(row) = rows.next()? {
        // An alert that another version wrote may lack a field; it is skipped.
        let Ok(alert) = serde_json::from_str(&row.get::<_, String>(3)?) else { continue };
        let (started, time, first_text) = (row.get(0)?, row.get(1)?, row.get(2)?);
        alerts.push(KeptAlert { started, time, first_text, alert });
    }
    Ok(alerts)
}
