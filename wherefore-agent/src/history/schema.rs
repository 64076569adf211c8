//! The tables of the file, and opening it. Owns the version of the format; refuses files of other versions.
//! docs/history.md explains each column.

use std::fs::OpenOptions;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::rows::TABLES;
use super::summaries::SUMMARIES;

/// The version of the tables, as in `PRAGMA user_version`.
pub const VERSION: i64 = 2;
/// The version before it, which had no summaries: they are added to such a file.
const WITHOUT_SUMMARIES: i64 = 1;
/// The file's mark, as in `PRAGMA application_id` and file(1): "Wher".
const APPLICATION: i64 = 0x5768_6572;
const PAGE_BYTES: u64 = 4096;
const FEWEST_PAGES: i64 = 256;
/// The size to which the write-ahead log on disk is truncated.
const LOG_BYTES: i64 = 4 << 20;
/// How long the agent waits while another process locks the file.
const PATIENCE: Duration = Duration::from_secs(2);
/// Readable for users who may read the state directory.
const MODE: u32 = 0o640;

/// The columns of each table of sums. Minutes, hours and days differ only in the length of a row.
const SUMS: &str = "start INTEGER NOT NULL, owner INTEGER NOT NULL, local INTEGER NOT NULL, \
    peer INTEGER NOT NULL, service INTEGER NOT NULL, interface INTEGER NOT NULL, \
    in_bytes INTEGER NOT NULL, out_bytes INTEGER NOT NULL, \
    in_packets INTEGER NOT NULL, out_packets INTEGER NOT NULL, \
    PRIMARY KEY (start, owner, local, peer, service, interface)";

const DICTIONARIES: &str = "
CREATE TABLE owner (id INTEGER PRIMARY KEY, process TEXT, executable TEXT, user TEXT, unit TEXT,
    container TEXT, pod TEXT, namespace TEXT, unattributed TEXT);
CREATE UNIQUE INDEX owner_is_unique ON owner (ifnull(process, ''), ifnull(executable, ''),
    ifnull(user, ''), ifnull(unit, ''), ifnull(container, ''), ifnull(pod, ''),
    ifnull(namespace, ''), ifnull(unattributed, ''));
CREATE TABLE address (id INTEGER PRIMARY KEY, address TEXT NOT NULL UNIQUE, name TEXT, country TEXT,
    asn INTEGER, as_name TEXT);
CREATE TABLE service (id INTEGER PRIMARY KEY, protocol INTEGER NOT NULL, port INTEGER NOT NULL,
    UNIQUE (protocol, port));
CREATE TABLE interface (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE uncounted (start INTEGER NOT NULL, interface INTEGER NOT NULL, reason TEXT NOT NULL,
    in_bytes INTEGER NOT NULL, out_bytes INTEGER NOT NULL, in_packets INTEGER NOT NULL,
    out_packets INTEGER NOT NULL, PRIMARY KEY (start, interface, reason)) WITHOUT ROWID;
CREATE TABLE alert (key TEXT PRIMARY KEY, started INTEGER NOT NULL, time INTEGER NOT NULL,
    first_text TEXT NOT NULL, json TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX alert_by_time ON alert (time);
";

/// Opens the file for writing. A damaged one is renamed, and a new one begun.
///
/// # Errors
/// If it can't be created or has another version.
pub(super) fn open(path: &Path, most_bytes: u64) -> Result<Connection> {
    match prepared(path, most_bytes) {
        Err(error) if is_damaged(&error) => {
            let aside = path.with_extension("damaged");
            std::fs::rename(path, &aside).context("cannot put the damaged history aside")?;
            remove_logs(path);
            tracing::warn!(aside = %aside.display(), "the history is damaged: it was renamed, and a new one begins");
            prepared(path, most_bytes)
        }
        opened => opened,
    }
}

fn prepared(path: &Path, most_bytes: u64) -> Result<Connection> {
    let mut file = OpenOptions::new();
    file.create(true).truncate(false).write(true).mode(MODE).open(path)?;
    let mut connection =
        Connection::open_with_flags(path, flags(OpenFlags::SQLITE_OPEN_READ_WRITE))?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "journal_mode", "wal")?;
    // A killed process loses nothing; a power failure may lose the last commits.
    connection.pragma_update(None, "synchronous", "normal")?;
    connection.pragma_update(None, "journal_size_limit", LOG_BYTES)?;
    let pages = i64::try_from(most_bytes / PAGE_BYTES).unwrap_or(i64::MAX).max(FEWEST_PAGES);
    connection.pragma_update(None, "max_page_count", pages)?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        VERSION => {}
        0 => create(&mut connection, true)?,
        WITHOUT_SUMMARIES => create(&mut connection, false)?,
        other => bail!(
            "it has version {other} of the format, but this program supports version {VERSION}: use the other program, or move the file away"
        ),
    }
    Ok(connection)
}

/// Creates the tables: all of them in a new file, otherwise those that the previous version lacks.
fn create(connection: &mut Connection, is_new: bool) -> Result<()> {
    let transaction = connection.transaction()?;
    let mut tables = SUMMARIES.to_vec();
    if is_new {
        transaction.execute_batch(DICTIONARIES)?;
        tables.extend(TABLES);
    }
    for table in tables {
        transaction.execute_batch(&format!("CREATE TABLE {table} ({SUMS}) WITHOUT ROWID"))?;
    }
    transaction.pragma_update(None, "application_id", APPLICATION)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    Ok(transaction.commit()?)
}

/// Opens the file for reading, while another process may write to it.
///
/// # Errors
/// If there is no file, or it cannot be read.
pub fn open_to_read(path: &Path) -> Result<Connection> {
    let shown = path.display();
    std::fs::File::open(path).with_context(|| format!("cannot read the history {shown}"))?;
    let connection = read_only(path).with_context(|| format!("cannot read the history {shown}"))?;
    let version: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    match version {
        VERSION => Ok(connection),
        0 => bail!("{shown} is not a history, or is still empty"),
        WITHOUT_SUMMARIES => bail!(
            "{shown} has version 1 of the format: start the agent of this program once, it converts the file"
        ),
        other => bail!(
            "{shown} has version {other} of the format, but this program supports version {VERSION}"
        ),
    }
}

fn read_only(path: &Path) -> rusqlite::Result<Connection> {
    let flags = flags(OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI);
    let connection = Connection::open_with_flags(uri(path, ""), flags)?;
    connection.busy_timeout(PATIENCE)?;
    match connection.query_row("SELECT count(*) FROM sqlite_master", [], |_| Ok(())) {
        // A reader without write permission cannot create the log that the last writer removed. In this case
        // nobody writes, so the file can be opened as immutable.
        Err(error) if needs_log(&error) && !log_of(path).exists() => {
            Connection::open_with_flags(uri(path, "?immutable=1"), flags)
        }
        Err(error) => Err(error),
        Ok(()) => Ok(connection),
    }
}

fn flags(access: OpenFlags) -> OpenFlags {
    access | OpenFlags::SQLITE_OPEN_NO_MUTEX
}

fn uri(path: &Path, query: &str) -> String {
    use std::os::unix::ffi::OsStrExt;
    let path = percent_encoding::percent_encode(path.as_os_str().as_bytes(), URI);
    format!("file:{path}{query}")
}

/// Characters that are not escaped in the path of a URI, besides letters and digits.
const URI: &percent_encoding::AsciiSet =
    &percent_encoding::NON_ALPHANUMERIC.remove(b'/').remove(b'.').remove(b'-').remove(b'_');

fn needs_log(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly))
}

fn is_damaged(error: &anyhow::Error) -> bool {
    let code = error.downcast_ref::<rusqlite::Error>().and_then(rusqlite::Error::sqlite_error_code);
    matches!(code, Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
}

fn log_of(path: &Path) -> std::path::PathBuf {
    beside(path, "-wal")
}

fn beside(path: &Path, suffix: &str) -> std::path::PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

fn remove_logs(path: &Path) {
    for suffix in ["-wal", "-shm"] {
        // The file may not exist.
        let _ = std::fs::remove_file(beside(path, suffix));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_the_previous_version_gets_summaries_and_keeps_its_rows() {
        let name = format!("wherefore-schema-{}.db", std::process::id());
        let path = std::env::temp_dir().join(name);
        let connection = open(&path, 1 << 24).unwrap();
        for table in SUMMARIES {
            connection.execute_batch(&format!("DROP TABLE {table}")).unwrap();
        }
        connection.execute("INSERT INTO interface VALUES (1, 'eth0')", []).unwrap();
        connection.pragma_update(None, "user_version", WITHOUT_SUMMARIES).unwrap();
        drop(connection);
        let old = open_to_read(&path).unwrap_err().to_string();
        assert!(old.contains("version 1"), "{old}");
        open(&path, 1 << 24).unwrap();
        let connection = open_to_read(&path).unwrap();
        let names = "SELECT count(*) FROM interface, day_summaries";
        let select = |text| connection.query_row(text, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!((select(names), select("SELECT count(*) FROM interface")), (0, 1));
        std::fs::remove_file(path).unwrap();
    }
}
