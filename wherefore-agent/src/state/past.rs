//! What is usual on this host, in a file: so that a restart does not begin anew. Owns the file's
//! format and when it is written; refuses to know what is in it.
//!
//! The file is a line of text (what it is, its version), the SHA-256 of the rest, and the rest. One
//! that is damaged is put aside, one of another version left out: the agent begins anew then, as
//! it does on a new host.

use std::fs;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::thread::JoinHandle;

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::private;

/// What the file begins with; the number is that of the format of what follows.
const MAGIC: &[u8] = b"wherefore past 1\n";
/// What any version of it begins with.
const FAMILY: &[u8] = b"wherefore past ";
const DIGEST: usize = 32;
/// The largest file that is read: a hundred times what is ever written.
const MOST_OCTETS: u64 = 1 << 32;

/// The file, and the thread that writes it.
#[derive(Debug)]
pub struct PastFile {
    path: PathBuf,
    writing: Option<JoinHandle<()>>,
}

impl PastFile {
    pub(super) fn new(directory: &Path) -> Self {
        Self { path: directory.join("past"), writing: None }
    }

    /// What an earlier run left, if it can be used.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let path = self.path.display();
        let read = match self.octets() {
            Ok(None) => return None,
            Ok(Some(octets)) if octets.starts_with(FAMILY) && !octets.starts_with(MAGIC) => {
                tracing::warn!(%path, "what was usual was written by another version: begins anew");
                return None;
            }
            Ok(Some(octets)) => decode(&octets),
            Err(error) => Err(error),
        };
        read.inspect_err(|error| {
            let aside = self.path.with_extension("damaged");
            let _ = fs::rename(&self.path, &aside);
            tracing::warn!(
                error = format!("{error:#}"),
                aside = %aside.display(),
                "what was usual is not known any more: begins anew"
            );
        })
        .ok()
    }

    fn octets(&self) -> Result<Option<Vec<u8>>> {
        match fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context("cannot look at it"),
            Ok(found) => {
                anyhow::ensure!(found.is_file() && found.len() <= MOST_OCTETS, "not such a file");
            }
        }
        fs::read(&self.path).map(Some).context("cannot read it")
    }

    /// Writes it while the agent goes on; not, where the last time is not over yet.
    pub fn write<T: Serialize>(&mut self, past: &T) {
        if self.writing.as_ref().is_some_and(|writing| !writing.is_finished()) {
            return;
        }
        let octets = match encode(past) {
            Ok(octets) => octets,
            Err(error) => return tracing::warn!(%error, "what is usual cannot be written down"),
        };
        let path = self.path.clone();
        let write = move || {
            if let Err(error) = replace(&path, &octets) {
                tracing::warn!(
                    %error,
                    path = %path.display(),
                    "cannot remember what is usual: a restart would begin anew"
                );
            }
        };
        let thread = std::thread::Builder::new().name("past".to_owned()).spawn(write);
        self.writing = thread
            .inspect_err(|error| tracing::warn!(%error, "what is usual is not written down"))
            .ok();
    }

    /// Waits until it is written.
    pub fn finish(&mut self) {
        if let Some(writing) = self.writing.take() {
            // A thread that panicked has said so.
            let _ = writing.join();
        }
    }
}

fn encode<T: Serialize>(past: &T) -> postcard::Result<Vec<u8>> {
    let body = postcard::to_stdvec(past)?;
    Ok([MAGIC, &Sha256::digest(&body)[..], &body].concat())
}

fn decode<T: DeserializeOwned>(octets: &[u8]) -> Result<T> {
    let rest = octets.strip_prefix(MAGIC).context("it does not begin as it should")?;
    let (digest, body) = rest.split_at_checked(DIGEST).context("it is cut short")?;
    anyhow::ensure!(Sha256::digest(body)[..] == *digest, "its digest is not that of its content");
    postcard::from_bytes(body).context("it holds something else")
}

/// A file is there as a whole, or the one before.
fn replace(path: &Path, octets: &[u8]) -> std::io::Result<()> {
    let next = path.with_extension("next");
    let mut file = private(&next)?;
    file.set_len(0)?;
    file.write_all(octets)?;
    file.sync_all()?;
    fs::rename(&next, path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_and_damage_is_put_aside() {
        let directory = std::env::temp_dir().join(format!("wherefore-past-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let mut file = PastFile::new(&directory);
        assert_eq!(file.read::<Vec<u32>>(), None);
        file.write(&vec![1_u32, 2, 3]);
        file.finish();
        assert_eq!(file.read(), Some(vec![1_u32, 2, 3]));
        let whole = fs::read(directory.join("past")).unwrap();
        for cut in 0..whole.len() {
            assert!(decode::<Vec<u32>>(&whole[..cut]).is_err(), "{cut}");
        }
        for place in 0..whole.len() {
            let mut damaged = whole.clone();
            damaged[place] ^= 1;
            assert!(decode::<Vec<u32>>(&damaged).is_err(), "{place}");
        }
        fs::write(directory.join("past"), &whole[..20]).unwrap();
        assert_eq!(file.read::<Vec<u32>>(), None);
        assert!(directory.join("past.damaged").exists() && !directory.join("past").exists());
        fs::write(directory.join("past"), b"wherefore past 99\nwhatever").unwrap();
        assert_eq!(file.read::<Vec<u32>>(), None);
        assert!(directory.join("past").exists(), "a later version may want it");
        fs::remove_dir_all(&directory).unwrap();
    }
}
