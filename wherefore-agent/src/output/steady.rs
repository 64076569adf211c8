//! A file that the agent writes as long as it runs, on a disk that may be full for a while. Lines that cannot
//! be written are counted and logged, and counting of traffic continues. Owns that no line is cut: a partly
//! written line is removed.

use std::fs::File;
use std::io::{self, ErrorKind, Write};

use crate::output::lines::{Losses, Output};

/// The fewest bytes that are written at once.
const PIECE: usize = 1 << 20;

/// Lines for a file.
pub(crate) struct Steady {
    name: String,
    file: File,
    /// Lines that are not written yet.
    pending: Vec<u8>,
    losses: Losses,
}

impl Steady {
    /// Writes to this file; `name` is used in messages.
    pub(crate) fn new(name: String, file: File) -> Self {
        Self { name, file, pending: Vec::new(), losses: Losses::default() }
    }

    fn hand_over(&mut self, lines: &[u8]) {
        if lines.is_empty() {
            return;
        }
        let written = append(&mut self.file, lines);
        self.losses.note(&self.name, lines, &written);
    }
}

/// Appends all lines, or none.
fn append(file: &mut File, lines: &[u8]) -> io::Result<()> {
    let mut rest = lines;
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(written) => rest = &rest[written..],
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => {
                take_back(file, (lines.len() - rest.len()) as u64);
                return Err(error);
            }
        }
    }
    Ok(())
}

fn take_back(file: &File, bytes: u64) {
    let length = file.metadata().map_or(0, |metadata| metadata.len());
    if bytes > 0 && length >= bytes {
        // If this fails too, the file keeps one cut line.
        let _ = file.set_len(length - bytes);
    }
}

impl Write for Steady {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.pending.extend_from_slice(bytes);
        if self.pending.len() >= PIECE
            && let Some(end) = self.pending.iter().rposition(|byte| *byte == b'\n')
        {
            let rest = self.pending.split_off(end + 1);
            let lines = std::mem::replace(&mut self.pending, rest);
            self.hand_over(&lines);
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        let lines = std::mem::take(&mut self.pending);
        self.hand_over(&lines);
        Ok(())
    }
}

impl Output for Steady {
    fn finish(&mut self) -> io::Result<()> {
        self.flush()?;
        self.losses.report(&self.name);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_loses_lines_but_ends_no_run() {
        let full = File::options().append(true).open("/dev/full").unwrap();
        let mut steady = Steady::new("full".to_owned(), full);
        steady.write_all(b"one\ntwo\n").unwrap();
        steady.flush().unwrap();
        steady.write_all(b"three\n").unwrap();
        steady.flush().unwrap();
        assert_eq!(steady.losses.0, 3);
        steady.finish().unwrap();
    }

    #[test]
    fn lines_come_whole_and_in_order() {
        let path = std::env::temp_dir().join(format!("wherefore-steady-{}", std::process::id()));
        let file = File::options().append(true).create(true).open(&path).unwrap();
        let mut steady = Steady::new("file".to_owned(), file);
        let lines: String = (0..300_000).map(|number| format!("line {number}\n")).collect();
        for bytes in lines.as_bytes().chunks(7777) {
            steady.write_all(bytes).unwrap();
        }
        let written = std::fs::read(&path).unwrap();
        assert!(written.len() >= PIECE && written.ends_with(b"\n"));
        steady.finish().unwrap();
        take_back(&steady.file, 3);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), lines[..lines.len() - 3]);
        std::fs::remove_file(&path).unwrap();
    }
}
