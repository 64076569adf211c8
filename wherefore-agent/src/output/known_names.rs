//! The names of addresses that were already sent to views. Owns the limit on their number.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::attribute::Directory;
use crate::text;
use crate::traffic::interval::Interval;

/// The most addresses that are remembered. Beyond that, all names are sent again.
const MOST: usize = 100_000;

/// The names that were sent.
#[derive(Debug, Default)]
pub(crate) struct KnownNames(FxHashMap<IpAddr, Arc<str>>);

impl KnownNames {
    /// Names of the addresses of an interval that are new or have changed.
    pub(crate) fn new_ones(
        &mut self,
        interval: &Interval,
        directory: &Directory,
    ) -> Vec<(IpAddr, String)> {
        let mut new = Vec::new();
        for (key, _) in interval.flows.iter() {
            for address in [key.src_ip(), key.dst_ip()] {
                let Some(name) = directory.name(address) else { continue };
                if self.0.get(&address) != Some(&name) {
                    new.push((address, text::printable(&name)));
                    self.0.insert(address, name);
                }
            }
        }
        if self.0.len() > MOST {
            self.0.clear();
        }
        new
    }
}
