//! The built-in data: unpacked once, when the first address is looked up. Owns the format, which
//! `cargo xtask geo` writes.
//!
//! The file is compressed by zstd. A number has seven bits in each byte, the lowest first; the highest bit
//! means that another byte follows. A column has an entry for each range.
//!
//! | what | as |
//! |---|---|
//! | `wherefore geo 1 2026-06-17` | a line |
//! | the number of AS | number |
//! | their AS numbers, ascending, each as the difference from the one before | numbers |
//! | their names | lines |
//! | the number of countries | number |
//! | countries | two letters each |
//! | for IPv4 (32 bits), then IPv6 (the first 64 bits): the number of ranges | number |
//! | the distance from the start of the range before: number of trailing zero bits | column of bytes |
//! | the same distance without these bits | column of numbers |
//! | the range's country, as an index into the list, from 1; 0 if unknown | column of bytes |
//! | the range's AS, likewise | three columns of bytes, the lowest first |

use std::io::Read;
use std::net::IpAddr;
use std::sync::LazyLock;

use anyhow::{Context, Result, ensure};
use ruzstd::decoding::StreamingDecoder;

use super::record::{Country, GeoRecord};
use super::table::{V4Table, V6Table};

static PACKED: &[u8] = include_bytes!("../../../data/geo.zst");

/// If the data in the program is damaged, this is logged once, and no address has a place.
pub(super) static BUILT_IN: LazyLock<Data> = LazyLock::new(|| {
    Data::unpack(PACKED).unwrap_or_else(|error| {
        tracing::error!(error = format!("{error:#}"), "the built-in data of countries and AS is damaged: addresses are shown without them; reinstall the program");
        Data::default()
    })
});

const SYSTEM_BITS: u32 = 24;

/// The unpacked data.
#[derive(Debug)]
pub struct Data {
    date: Box<str>,
    countries: Vec<Country>,
    /// Each AS with its name.
    systems: Vec<(u32, Box<str>)>,
    v4: V4Table,
    v6: V6Table,
}

impl Default for Data {
    fn default() -> Self {
        let (v4, v6) = (V4Table::new(&[], &[]), V6Table::new(Vec::new(), Vec::new()));
        let (date, countries, systems) = Default::default();
        Self { date, countries, systems, v4, v6 }
    }
}

impl Data {
    /// Unpacks the compressed file.
    ///
    /// # Errors
    /// If it is damaged.
    fn unpack(packed: &[u8]) -> Result<Self> {
        let mut plain = Vec::new();
        let mut decoder = StreamingDecoder::new(packed).context("no zstd")?;
        decoder.read_to_end(&mut plain).context("cannot decompress")?;
        let mut rest = Rest(&plain);
        let head = rest.line()?;
        let date = head.strip_prefix("wherefore geo 1 ").context("unknown format")?.into();
        let count = rest.count()?;
        let numbers = ascending(&rest.numbers(count)?);
        let mut systems = Vec::with_capacity(count);
        for number in numbers {
            systems.push((u32::try_from(number)?, rest.line()?.into()));
        }
        let count = rest.count()?;
        let letters = rest.take(count.saturating_mul(2))?.chunks_exact(2);
        let countries = letters.map(|two| Country([two[0], two[1]])).collect();
        let (starts, values) = rest.ranges()?;
        let start = |start: u64| u32::try_from(start).unwrap_or(u32::MAX);
        let v4 = V4Table::new(&starts.into_iter().map(start).collect::<Vec<_>>(), &values);
        let (starts, values) = rest.ranges()?;
        let v6 = V6Table::new(starts, values);
        Ok(Self { date, countries, systems, v4, v6 })
    }

    /// When the data were made, `2026-06-17`.
    pub fn date(&self) -> &str {
        &self.date
    }

    /// Looks up an address.
    pub fn find(&self, address: IpAddr) -> GeoRecord<'_> {
        let value = match address {
            IpAddr::V4(v4) => self.v4.find(v4.to_bits()),
            IpAddr::V6(v6) => self.v6.find((v6.to_bits() >> 64) as u64),
        };
        let value = value.unwrap_or_default();
        let country = (value >> SYSTEM_BITS).checked_sub(1);
        let country = country.and_then(|at| self.countries.get(at as usize)).copied();
        let at = (value & ((1 << SYSTEM_BITS) - 1)).checked_sub(1);
        let system = at.and_then(|at| self.systems.get(at as usize));
        let as_name = system.map(|(_, name)| &**name).filter(|name| !name.is_empty());
        GeoRecord { country, asn: system.map(|(asn, _)| *asn), as_name }
    }
}

/// The data that has not been read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, bytes: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(bytes).context("too short")?;
        self.0 = rest;
        Ok(taken)
    }

    fn line(&mut self) -> Result<&'a str> {
        let length =
            self.0.iter().position(|byte| *byte == b'\n').context("a line does not end")?;
        let line = self.take(length)?;
        self.take(1)?;
        Ok(std::str::from_utf8(line)?)
    }

    fn number(&mut self) -> Result<u64> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(number);
            }
        }
        anyhow::bail!("a number does not end")
    }

    /// Reads the number of entries that follow, each of which takes at least one byte.
    fn count(&mut self) -> Result<usize> {
        let count = usize::try_from(self.number()?)?;
        ensure!(count <= self.0.len(), "more entries than bytes");
        Ok(count)
    }

    fn numbers(&mut self, count: usize) -> Result<Vec<u64>> {
        (0..count).map(|_| self.number()).collect()
    }

    /// Where ranges begin, and their values.
    fn ranges(&mut self) -> Result<(Vec<u64>, Vec<u32>)> {
        let count = self.count()?;
        let zeros = self.take(count)?;
        let mut steps = self.numbers(count)?;
        for (step, zeros) in steps.iter_mut().zip(zeros) {
            *step = step.checked_shl(u32::from(*zeros)).context("a step is too large")?;
        }
        let countries = self.take(count)?;
        let [low, middle, high] = [self.take(count)?, self.take(count)?, self.take(count)?];
        let value = |at| u32::from_le_bytes([low[at], middle[at], high[at], countries[at]]);
        Ok((ascending(&steps), (0..count).map(value).collect()))
    }
}

/// The running sums of these differences.
fn ascending(steps: &[u64]) -> Vec<u64> {
    let sums = steps.iter().scan(0u64, |sum, step| {
        *sum = sum.wrapping_add(*step);
        Some(*sum)
    });
    sums.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn damaged_data_are_refused_without_a_panic() {
        let mut random = fastrand::Rng::with_seed(3);
        for length in (0..PACKED.len()).step_by(PACKED.len() / 10) {
            assert!(Data::unpack(&PACKED[..length]).is_err(), "{length}");
        }
        for _ in 0..200 {
            let noise: Vec<u8> = (0..random.usize(..200)).map(|_| random.u8(..)).collect();
            let mut rest = Rest(&noise);
            let _ = rest.ranges();
        }
    }

    #[test]
    fn every_range_has_a_place() {
        let data = Data::unpack(PACKED).unwrap();
        assert!(data.countries.len() > 200 && data.systems.len() > 50_000);
        let mut random = fastrand::Rng::with_seed(4);
        let known =
            (0..10_000).filter(|_| data.find(IpAddr::V4(random.u32(..).into())).country.is_some());
        assert!(known.count() > 8_000);
    }
}
