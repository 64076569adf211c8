//! A capture file: pcap or pcapng, plain, gzip or zstd.
//!
//! Nothing panics or hangs. The records are the same whatever the sizes of the pieces in which the file is
//! read.

use std::io::{self, Read};

use wherefore_agent::input::capture_file::CaptureFile;

/// The bytes read of a file, because a small one may unpack to gigabytes.
const MOST_BYTES: usize = 1 << 20;
const MOST_RECORDS: usize = 10_000;

/// See the module.
pub fn run(data: &[u8]) {
    assert_eq!(read(data, usize::MAX), read(data, 7));
}

/// A description of each record, and of the end; read in pieces of this size.
fn read(data: &[u8], piece: usize) -> Vec<String> {
    let pieces = Pieces { rest: data.to_vec().into(), piece };
    let mut file = match CaptureFile::from_reader(pieces, "input") {
        Ok(file) => file,
        Err(error) => return vec![error.to_string()],
    };
    let (mut seen, mut bytes) = (Vec::new(), 0);
    while seen.len() < MOST_RECORDS && bytes < MOST_BYTES {
        let said = match file.next() {
            Ok(Some(record)) => {
                bytes += record.bytes.len();
                format!("{:?} {} {}", record.time_ns, record.link_type, record.bytes.len())
            }
            Ok(None) => break,
            Err(error) => error.to_string(),
        };
        seen.push(said);
    }
    seen.extend(file.take_warnings());
    seen
}

struct Pieces {
    rest: std::collections::VecDeque<u8>,
    piece: usize,
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(self.piece);
        self.rest.read(&mut buffer[..length])
    }
}
