//! Files of this process, in memory if possible. Owns their folder.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

static FOLDER: LazyLock<PathBuf> = LazyLock::new(|| {
    let memory = Path::new("/dev/shm");
    let parent = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() };
    let folder = parent.join(format!("wherefore-fuzz-{}", std::process::id()));
    fs::create_dir_all(&folder).expect("a folder for scratch files");
    folder
});

/// The path of a file or folder of this name.
pub(crate) fn path(name: &str) -> PathBuf {
    FOLDER.join(name)
}

/// A folder of this name, empty.
pub(crate) fn folder(name: &str) -> PathBuf {
    let path = path(name);
    // It may not be there yet.
    let _ = fs::remove_dir_all(&path);
    fs::create_dir_all(&path).expect("a scratch folder");
    path
}

/// Writes a file with this content, and returns its path.
pub(crate) fn file(name: &str, content: &[u8]) -> PathBuf {
    let path = path(name);
    fs::write(&path, content).expect("a scratch file");
    path
}

/// Removes all files that targets made in this process.
pub fn remove() {
    let _ = fs::remove_dir_all(&*FOLDER);
}
