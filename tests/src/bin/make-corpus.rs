//! Writes the captures that this project makes, and their expected flows, to `tests/corpus/made`:
//! `cargo run -p wherefore-tests --bin make-corpus`.

use anyhow::{Context, Result};
use wherefore_tests::corpus::{self, file};

fn main() -> Result<()> {
    let directory = corpus::directory().join("made");
    std::fs::create_dir_all(&directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let files = file::made();
    files.iter().try_for_each(|file| file.write(&directory))?;
    println!("{} captures in {}", files.len(), directory.display());
    Ok(())
}
