//! Files and directories that options name. Owns the errors about unusable ones, which name what is missing,
//! and opening files for appending. Creates only the last directory of a path: a missing parent may be a
//! typing error, or not mounted yet.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, OpenOptionsExt};
use std::path::Path;

use nix::unistd::{AccessFlags, eaccess};

/// The reason why a file cannot be opened for appending.
pub(crate) fn why_not_append(path: &Path) -> Option<String> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Some("it is a directory".to_owned()),
        Ok(_) => denied(path, AccessFlags::W_OK),
        Err(error) if error.kind() == ErrorKind::NotFound => why_not_into(parent(path)),
        Err(error) => Some(error.to_string()),
    }
}

/// The reason why a path is not a directory and cannot become one. Missing rights are not reported, because
/// they are not an error in an option and may change.
pub(crate) fn why_not_directory(path: &Path) -> Option<String> {
    match path.metadata() {
        Ok(metadata) if !metadata.is_dir() => Some("it is not a directory".to_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => why_not_there(parent(path)),
        Ok(_) | Err(_) => None,
    }
}

/// The same for a log file, whose directory is created if it is missing.
pub(crate) fn why_not_log(path: &Path) -> Option<String> {
    if path.is_dir() {
        Some("it is a directory".to_owned())
    } else {
        why_not_directory(parent(path))
    }
}

/// The reason why a file cannot be read.
pub(crate) fn why_not_read(path: &Path) -> Option<String> {
    match path.metadata() {
        Ok(metadata) if metadata.is_dir() => Some("it is a directory".to_owned()),
        Ok(_) => denied(path, AccessFlags::R_OK),
        Err(error) => Some(error.to_string()),
    }
}

/// Creates a directory if it is missing; its parent must exist.
pub(crate) fn make_directory(path: &Path, mode: u32) -> io::Result<()> {
    if path.is_dir() {
        return Ok(());
    }
    DirBuilder::new().mode(mode).create(path).map_err(|error| {
        let why = why_not_directory(path).unwrap_or_else(|| error.to_string());
        io::Error::new(error.kind(), why)
    })
}

/// Opens a file for appending; creates it if it is missing. Opening a named pipe does not wait for a reader.
pub(crate) fn append(path: &Path, mode: u32) -> io::Result<File> {
    let is_fifo = path.metadata().is_ok_and(|metadata| metadata.file_type().is_fifo());
    let opened = OpenOptions::new().append(true).create(true).read(is_fifo).mode(mode).open(path);
    opened.map_err(|error| {
        let why = why_not_append(path).unwrap_or_else(|| error.to_string());
        io::Error::new(error.kind(), why)
    })
}

/// Whether a regular file ends in the middle of a line.
pub(crate) fn ends_within_a_line(path: &Path) -> bool {
    let last = || -> io::Result<u8> {
        let mut file = File::open(path)?;
        let mut last = [b'\n'];
        if file.metadata()?.len() > 0 {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        Ok(last[0])
    };
    // Only regular files: opening anything else may wait for a writer. An unreadable file counts as complete.
    path.is_file() && last().is_ok_and(|last| last != b'\n')
}

fn parent(path: &Path) -> &Path {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    above.unwrap_or(Path::new("."))
}

/// The reason why nothing can be created in this directory.
fn why_not_into(directory: &Path) -> Option<String> {
    let no_right = || denied(directory, AccessFlags::W_OK | AccessFlags::X_OK);
    why_not_there(directory)
        .or_else(|| no_right().map(|why| format!("{}: {why}", directory.display())))
}

fn why_not_there(directory: &Path) -> Option<String> {
    let shown = directory.display();
    match directory.metadata() {
        Ok(metadata) if !metadata.is_dir() => Some(format!("{shown} is not a directory")),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            Some(format!("the directory {shown} does not exist"))
        }
        Ok(_) | Err(_) => None,
    }
}

fn denied(path: &Path, access: AccessFlags) -> Option<String> {
    let error = eaccess(path, access).err()?;
    Some(io::Error::from(error).to_string())
}
