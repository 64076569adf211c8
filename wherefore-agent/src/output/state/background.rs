//! A file that a separate thread replaces as a whole, so that nobody waits for the disk. Owns the order: the
//! newest content wins, and is written when `finish` returns. Refuses to know the content.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::Write;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

/// The file, and the thread that writes it; the thread exists only while there is something to write.
#[derive(Debug)]
pub(super) struct Background {
    path: PathBuf,
    /// What the user loses if the file cannot be written, for the log.
    loss: &'static str,
    slot: Arc<Mutex<Slot>>,
    writing: Option<JoinHandle<()>>,
}

/// The next content to write, and whether a thread is running that will write it.
#[derive(Debug, Default)]
struct Slot {
    next: Option<Vec<u8>>,
    is_watched: bool,
}

impl Background {
    pub(super) fn new(path: PathBuf, loss: &'static str) -> Self {
        Self { path, loss, slot: Arc::default(), writing: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Writes this content, unless newer content arrives before the disk is ready.
    pub(super) fn write(&mut self, bytes: Vec<u8>) {
        let mut slot = lock(&self.slot);
        slot.next = Some(bytes);
        if std::mem::replace(&mut slot.is_watched, true) {
            return;
        }
        drop(slot);
        let (path, loss, slot) = (self.path.clone(), self.loss, self.slot.clone());
        let work = move || {
            while let Some(bytes) = take(&slot) {
                if let Err(error) = replace(&path, &bytes) {
                    tracing::warn!(%error, path = %path.display(), "cannot write a state file: {loss}");
                }
            }
        };
        match std::thread::Builder::new().name("state".to_owned()).spawn(work) {
            Ok(thread) => self.writing = Some(thread),
            Err(error) => {
                lock(&self.slot).is_watched = false;
                tracing::warn!(%error, path = %self.path.display(), "cannot start a thread that writes a state file: {loss}");
            }
        }
    }

    /// Waits until the newest content is written.
    pub(super) fn finish(&mut self) {
        if let Some(writing) = self.writing.take() {
            // If the thread panicked, the panic was logged.
            let _ = writing.join();
        }
    }
}

fn lock(slot: &Mutex<Slot>) -> MutexGuard<'_, Slot> {
    slot.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The next content. If there is none, the thread ends; later content starts another thread.
fn take(slot: &Mutex<Slot>) -> Option<Vec<u8>> {
    let mut slot = lock(slot);
    let next = slot.next.take();
    slot.is_watched = next.is_some();
    next
}

/// Replaces a file atomically: it has either all of the new content, or the old one.
fn replace(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    let next = path.with_extension("next");
    let mut file = private(&next)?;
    file.set_len(0)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&next, path)
}

/// Opens a file for writing so that only its owner can read it.
pub(super) fn private(path: &Path) -> std::io::Result<File> {
    let file =
        OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(path)?;
    file.set_permissions(Permissions::from_mode(0o600))?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::*;

    #[test]
    fn nobody_waits_for_the_disk_and_the_newest_wins() {
        let directory = std::env::temp_dir().join(format!("wherefore-slow-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let path = |name: &str| directory.join(name);
        // A pipe that nobody reads: opening it for writing blocks.
        let made = Command::new("mkfifo").arg(path("file.next")).status().unwrap();
        assert!(made.success());
        let mut file = Background::new(path("file.json"), "all of it");
        for content in ["first", "second", "third"] {
            file.write(content.into());
        }
        fs::rename(path("file.next"), path("pipe")).unwrap();
        let reader = fs::OpenOptions::new()
            .read(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(path("pipe"))
            .unwrap();
        file.finish();
        drop(reader);
        assert_eq!(fs::read(path("file.json")).unwrap(), b"third");
        file.write(b"fourth".to_vec());
        file.finish();
        assert_eq!(fs::read(path("file.json")).unwrap(), b"fourth");
        fs::remove_dir_all(&directory).unwrap();
    }
}
