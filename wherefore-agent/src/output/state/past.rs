//! A file with this host's baselines, so that a restart need not learn them again. Owns the file's format and
//! when it is written; refuses to know its content.
//!
//! The file consists of a line of text (its kind and version), the SHA-256 of the rest, and the rest. A
//! damaged file is renamed, and a file of another version is ignored; the agent then starts without
//! baselines, as on a new host.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::background::Background;

/// The beginning of the file. The number is the version of the format.
const MAGIC: &[u8] = b"wherefore past 5\n";
/// The beginning of the file in any version.
const FAMILY: &[u8] = b"wherefore past ";
const DIGEST: usize = 32;
/// The largest file that is read: a hundred times as large as any that the agent writes.
const MOST_BYTES: u64 = 1 << 32;

/// The file.
#[derive(Debug)]
pub struct PastFile(Background);

impl PastFile {
    pub(super) fn new(directory: &Path) -> Self {
        Self(Background::new(directory.join("past"), "a restart would lose the baselines"))
    }

    /// Reads the baselines of an earlier run, if they can be used.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let path = self.0.path().display();
        let read = match self.read_bytes() {
            Ok(None) => return None,
            Ok(Some(bytes)) if bytes.starts_with(FAMILY) && !bytes.starts_with(MAGIC) => {
                tracing::warn!(%path, "another version wrote the baselines: the agent learns them again");
                return None;
            }
            Ok(Some(bytes)) => decode(&bytes),
            Err(error) => Err(error),
        };
        read.inspect_err(|error| {
            let aside = self.0.path().with_extension("damaged");
            let _ = fs::rename(self.0.path(), &aside);
            tracing::warn!(
                error = format!("{error:#}"),
                aside = %aside.display(),
                "the file of baselines is damaged and was renamed: the agent learns them again"
            );
        })
        .ok()
    }

    fn read_bytes(&self) -> Result<Option<Vec<u8>>> {
        match fs::metadata(self.0.path()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context("cannot read its size"),
            Ok(found) => {
                anyhow::ensure!(
                    found.is_file() && found.len() <= MOST_BYTES,
                    "not a regular file, or too large"
                );
            }
        }
        fs::read(self.0.path()).map(Some).context("cannot read it")
    }

    /// Writes the baselines in the background.
    pub fn write<T: Serialize>(&mut self, past: &T) {
        match encode(past) {
            Ok(bytes) => self.0.write(bytes),
            Err(error) => {
                tracing::warn!(%error, "cannot store the baselines: a restart would lose them")
            }
        }
    }

    /// Waits until everything is written.
    pub fn finish(&mut self) {
        self.0.finish();
    }
}

fn encode<T: Serialize>(past: &T) -> postcard::Result<Vec<u8>> {
    let body = postcard::to_stdvec(past)?;
    Ok([MAGIC, &Sha256::digest(&body)[..], &body].concat())
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T> {
    let rest = bytes.strip_prefix(MAGIC).context("it does not begin as a file of baselines")?;
    let (digest, body) = rest.split_at_checked(DIGEST).context("it is cut short")?;
    anyhow::ensure!(Sha256::digest(body)[..] == *digest, "its digest does not match its content");
    postcard::from_bytes(body).context("its content has another format")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn written_state_reads_back_and_damage_is_moved_aside() {
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
