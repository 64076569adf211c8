//! The answer as CSV: its rows, then the sum of rows that were left out, then the folded ones. Owns the
//! columns.

use std::io::{self, Write};

use crate::history::Volume;
use crate::history::query::{Answer, Of};

pub(super) fn write(output: &mut impl Write, answer: &Answer) -> io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(output);
    writer.write_record(["of", "name", "in_bytes", "out_bytes", "in_packets", "out_packets"])?;
    let mut row = |of: &str, name: &str, volume: &Volume| {
        let Volume { in_bytes, out_bytes, in_packets, out_packets } = *volume;
        let figures =
            [in_bytes, out_bytes, in_packets, out_packets].map(|figure| figure.to_string());
        let [in_bytes, out_bytes, in_packets, out_packets] = &figures;
        writer.write_record([of, name, in_bytes, out_bytes, in_packets, out_packets])
    };
    for line in &answer.lines {
        let of = if line.of == Of::Named { "named" } else { "unnamed" };
        row(of, &line.name, &line.volume)?;
    }
    row("others", &answer.left_out.to_string(), &answer.rest)?;
    row("folded", "", &answer.folded)?;
    writer.flush()
}
