//! Topic `geo`: nanoseconds a look-up of country and AS together, of addresses all over the Internet in
//! random order; beside maxminddb over the files that `WHEREFORE_MMDB` names, separated by commas.
//! Owns the addresses; refuses to judge whether the answers are right.

use std::env;
use std::hint::black_box;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Instant;

use anyhow::{Context, Result};
use maxminddb::Reader;
use serde_json::Value;
use wherefore_agent::attribute::geo;

use crate::figure::Figure;

const ADDRESSES: usize = 100_000;
const ROUNDS: usize = 10;

pub(crate) fn measure() -> Result<Vec<Figure>> {
    let files = env::var("WHEREFORE_MMDB").unwrap_or_default();
    let readers = files
        .split(',')
        .filter(|path| !path.is_empty())
        .map(|path| Reader::open_readfile(path).with_context(|| format!("reading {path}")));
    let readers = readers.collect::<Result<Vec<_>>>()?;
    let start = Instant::now();
    let data = geo::built_in();
    black_box(data.find(IpAddr::V4(Ipv4Addr::LOCALHOST)));
    let opened = start.elapsed().as_secs_f64() * 1000.0;
    let mut figures = vec![Figure::new("first use, decompressing".to_owned(), opened, "ms")];
    for (family, addresses) in [("IPv4", v4()), ("IPv6", v6())] {
        let ours = each(&addresses, |address| data.find(address).asn);
        figures.push(Figure::new(format!("{family}, country and AS"), ours, "ns/look-up"));
        if !readers.is_empty() {
            let theirs = each(&addresses, |address| {
                let found = readers.iter().map(|reader| {
                    reader.lookup(address).and_then(|found| found.decode::<Value>()).is_ok()
                });
                found.filter(|found| *found).count()
            });
            let name = format!("{family}, maxminddb, {} files, decoded", readers.len());
            figures.push(Figure::new(name, theirs, "ns/look-up"));
        }
    }
    Ok(figures)
}

fn each<T>(addresses: &[IpAddr], find: impl Fn(IpAddr) -> T) -> f64 {
    let start = Instant::now();
    for address in addresses.iter().cycle().take(ROUNDS * ADDRESSES) {
        black_box(find(black_box(*address)));
    }
    start.elapsed().as_nanos() as f64 / (ROUNDS * ADDRESSES) as f64
}

fn v4() -> Vec<IpAddr> {
    let mut random = fastrand::Rng::with_seed(6);
    let address = |bits: u32| IpAddr::V4(Ipv4Addr::from_bits(bits));
    (0..ADDRESSES).map(|_| address(random.u32(0x0100_0000..0xe000_0000))).collect()
}

/// Addresses in the networks of 32 bits that registries assign.
fn v6() -> Vec<IpAddr> {
    let mut random = fastrand::Rng::with_seed(6);
    let mut address = || {
        let first = random.u32(0x2400_0000..0x2c10_0000);
        IpAddr::V6(Ipv6Addr::from_bits(u128::from(first) << 96 | random.u128(..) >> 32))
    };
    (0..ADDRESSES).map(|_| address()).collect()
}
