//! The history file.
//!
//! Nothing panics or hangs: damage is an error.

use anyhow::Result;
use wherefore_agent::history::find::find;
use wherefore_agent::history::query::{Dimension, Question, ask};
use wherefore_agent::history::schema::open_to_read;
use wherefore_agent::history::why::why;

use crate::scratch;

const BY: [Dimension; 4] =
    [Dimension::Process, Dimension::Pair, Dimension::Country, Dimension::Interface];

/// See the module.
pub fn run(data: &[u8]) {
    let path = scratch::file("history.db", data);
    // Most inputs are invalid and give errors.
    let _ = read(&path);
}

fn read(path: &std::path::Path) -> Result<()> {
    let mut connection = open_to_read(path)?;
    let (from, to) = (0, i64::MAX / 4);
    let question = Question { from, to, top: 10, columns: 4, only: Vec::new() };
    ask(&mut connection, &question, &BY)?;
    let target = find(&connection, Some("10.0.0.1"))?;
    why(&mut connection, &target, from, to, 4)?;
    Ok(())
}
