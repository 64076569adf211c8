//! Reads files of names in the format of hosts(5): each line has an address and its names, `#` begins a
//! comment.

use std::net::IpAddr;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context, Result, ensure};
use rustc_hash::FxHashMap;

use super::sound::sound;

/// The largest file that is read.
const MOST_BYTES: u64 = 64 << 20;

/// Adds the names in a file. An address that already has a name keeps it.
pub(super) fn read(path: &Path, names: &mut FxHashMap<IpAddr, Arc<str>>) -> Result<()> {
    let failed = || format!("cannot read names of addresses from {}", path.display());
    let length = path.metadata().with_context(failed)?.len();
    ensure!(length <= MOST_BYTES, "{} is larger than 64 MiB", path.display());
    let bytes = std::fs::read(path).with_context(failed)?;
    for (address, name) in String::from_utf8_lossy(&bytes).lines().filter_map(entry) {
        names.entry(address).or_insert_with(|| name.into());
    }
    Ok(())
}

/// The address of a line with its first name. Addresses that every host has, such as 127.0.0.1, identify
/// nothing and are skipped.
fn entry(line: &str) -> Option<(IpAddr, String)> {
    let line = line.split('#').next()?;
    let mut words = line.split_whitespace();
    let address: IpAddr = words.next()?.parse().ok()?;
    let address = address.to_canonical();
    let is_everywhere = address.is_loopback() || address.is_multicast() || address.is_unspecified();
    (!is_everywhere).then_some((address, sound(words.next()?)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_no_entries_are_passed_over() {
        let lines = [
            "127.0.0.1 localhost",
            "# 192.0.2.1 not.this",
            "",
            "192.0.2.1\tdb1.example  db1 # the first",
            "2001:db8::1 v6.example",
            "nonsense here",
            "192.0.2.3",
            "fe80::1%lo0 localhost",
        ];
        let entries: Vec<_> = lines.into_iter().filter_map(entry).collect();
        let expected = [("192.0.2.1", "db1.example"), ("2001:db8::1", "v6.example")];
        assert_eq!(
            entries,
            expected.map(|(address, name)| (address.parse().unwrap(), name.to_owned()))
        );
    }
}
