//! The baselines of this host, in a file, so that a restart does not learn them again. Owns the file's
//! format and when it is written; refuses to know its content.
//!
//! The file is a line of text (what it is, its version), the SHA-256 of the rest, and the rest. A
//! damaged file is put aside, and one of another version is ignored: the agent then starts without baselines,
//! as on a new host.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::{Context, Result};
use serde::Serialize;
use serde::de::DeserializeOwned;
use sha2::{Digest, Sha256};

use super::background::Background;

/// The beginning of the file; the number is the version of the format.
const MAGIC: &[u8] = b"wherefore past 3\n";
/// The beginning of any version of it.
const FAMILY: &[u8] = b"wherefore past ";
const DIGEST: usize = 32;
/// The largest file that is read: a hundred times the largest that is ever written.
const MOST_OCTETS: u64 = 1 << 32;

/// The file.
#[derive(Debug)]
pub struct PastFile(Background);

impl PastFile {
    pub(super) fn new(directory: &Path) -> Self {
        Self(Background::new(directory.join("past"), "a restart would not know what is usual"))
    }

    /// The baselines of an earlier run, if they can be used.
    pub fn read<T: DeserializeOwned>(&self) -> Option<T> {
        let path = self.0.path().display();
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
            let aside = self.0.path().with_extension("damaged");
            let _ = fs::rename(self.0.path(), &aside);
            tracing::warn!(
                error = format!("{error:#}"),
                aside = %aside.display(),
                "what was usual is not known any more: begins anew"
            );
        })
        .ok()
    }

    fn octets(&self) -> Result<Option<Vec<u8>>> {
        match fs::metadata(self.0.path()) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context("cannot look at it"),
            Ok(found) => {
                anyhow::ensure!(found.is_file() && found.len() <= MOST_OCTETS, "not such a file");
            }
        }
        fs::read(self.0.path()).map(Some).context("cannot read it")
    }

    /// Writes the baselines in the background.
    pub fn write<T: Serialize>(&mut self, past: &T) {
        match encode(past) {
            Ok(octets) => self.0.write(octets),
            Err(error) => tracing::warn!(%error, "what is usual cannot be written down"),
        }
    }

    /// Waits until it is written.
    pub fn finish(&mut self) {
        self.0.finish();
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
