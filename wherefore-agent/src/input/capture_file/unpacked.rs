//! The bytes of any file, decompressed if necessary, for readers of text. Owns only this interface:
//! [`super::input`] opens and decompresses.

use std::io::{self, BufRead, Read};
use std::path::Path;

use super::input::Input;

/// The decompressed bytes of a file.
pub(crate) struct Unpacked(Input);

impl Unpacked {
    /// Opens a file; `-` is standard input.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        Input::open(path).map(Self)
    }

    /// The same file for the reader of captures.
    pub(super) fn into_input(self) -> Input {
        self.0
    }

    /// The first bytes, without consuming them: as many as are wanted, or all. If the file is damaged soon,
    /// returns the readable part: its reader will report the damage better.
    pub(crate) fn peek(&mut self, wanted: usize) -> &[u8] {
        let _ = self.0.want(wanted);
        self.0.bytes()
    }

    /// The number of bytes of the file itself that were consumed, approximately.
    pub(crate) fn position(&self) -> u64 {
        self.0.position()
    }

    /// The size of the file; `None` for pipes and devices.
    pub(crate) fn size(&self) -> Option<u64> {
        self.0.size()
    }
}

impl BufRead for Unpacked {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.0.want(1)?;
        Ok(self.0.bytes())
    }

    fn consume(&mut self, count: usize) {
        self.0.take(count);
    }
}

impl Read for Unpacked {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let count = self.fill_buf()?.len().min(into.len());
        into[..count].copy_from_slice(self.0.take(count));
        Ok(count)
    }
}
