//! Ranges of addresses with a fact about each, and the same without overlaps. Owns the CSV format of the
//! packages.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use anyhow::{Context, Result};

/// The part of an address that is used.
#[derive(Clone, Copy)]
pub(super) enum Width {
    /// All 32 bits.
    V4,
    /// The first 64 bits: no site has a smaller network.
    V6,
}

/// The fact about a range: a number or a word, with its name.
pub(super) type Known<'a> = (&'a str, String);

/// The starts of ranges, each with its fact, or none.
pub(super) type Flat<'a> = Vec<(u64, Option<Known<'a>>)>;

pub(super) struct Ranges<'a>(Vec<Range<'a>>);

struct Range<'a> {
    first: u128,
    last: u128,
    known: Known<'a>,
}

impl<'a> Ranges<'a> {
    /// Lines of `first,last,fact` or `first,last,fact,name`; addresses are numbers.
    pub(super) fn read(csv: &'a str) -> Result<Self> {
        let lines = csv.lines().map(|line| Range::read(line).with_context(|| line.to_owned()));
        let mut ranges = lines.collect::<Result<Vec<_>>>()?;
        ranges.sort_by_key(|range| (range.first, Reverse(range.last)));
        Ok(Self(ranges))
    }

    /// Removes overlaps: of all ranges that contain an address, the narrowest one is used.
    pub(super) fn flat(&self, width: Width) -> Flat<'a> {
        let bounds = self.0.iter().flat_map(|range| [range.first, range.last.saturating_add(1)]);
        let mut bounds: Vec<u128> = bounds.collect();
        bounds.sort_unstable();
        bounds.dedup();
        let (mut open, mut coming) = (BinaryHeap::new(), self.0.iter().enumerate().peekable());
        let mut flat = Flat::new();
        for bound in bounds {
            while let Some((at, range)) = coming.next_if(|(_, range)| range.first <= bound) {
                open.push((Reverse(range.last - range.first), at));
            }
            while open.peek().is_some_and(|(_, at)| self.0[*at].last < bound) {
                open.pop();
            }
            let known = open.peek().map(|(_, at)| self.0[*at].known.clone());
            let Some(start) = width.start(bound) else { continue };
            flat.pop_if(|(before, _)| *before == start);
            flat.push((start, known));
        }
        flat
    }
}

impl<'a> Range<'a> {
    fn read(line: &'a str) -> Result<Self> {
        let mut parts = line.splitn(4, ',');
        let mut next = || parts.next().context("a field is missing");
        let (first, last, what) = (next()?.parse()?, next()?.parse()?, next()?);
        let name = parts.next().unwrap_or_default();
        let quoted = name.strip_prefix('"').and_then(|name| name.strip_suffix('"'));
        let name = quoted.map_or_else(|| name.to_owned(), |name| name.replace("\"\"", "\""));
        Ok(Self { first, last, known: (what, name) })
    }
}

impl Width {
    /// The used part of the first address at or after a bound; `None` after the last address.
    fn start(self, bound: u128) -> Option<u64> {
        let start = match self {
            Self::V4 => bound,
            Self::V6 => bound.div_ceil(1 << 64),
        };
        let most = if matches!(self, Self::V4) { u64::from(u32::MAX) } else { u64::MAX };
        u64::try_from(start).ok().filter(|start| *start <= most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flat(csv: &str, width: Width) -> Vec<(u64, Option<String>)> {
        let ranges = Ranges::read(csv).unwrap();
        let flat = ranges.flat(width).into_iter();
        flat.map(|(start, known)| (start, known.map(|(what, name)| format!("{what}{name}"))))
            .collect()
    }

    #[test]
    fn the_narrowest_counts() {
        let is = |text: &str| Some(text.to_owned());
        let csv = "10,99,DE\n20,29,FR\n25,40,IT";
        let expected = [
            (10, is("DE")),
            (20, is("FR")),
            (25, is("FR")),
            (30, is("IT")),
            (41, is("DE")),
            (100, None),
        ];
        assert_eq!(flat(csv, Width::V4), expected);
    }

    #[test]
    fn a_name_may_have_commas_and_quotes() {
        let csv = "0,4294967295,64500,\"The \"\"A\"\", Inc.\"";
        assert_eq!(flat(csv, Width::V4), [(0, Some("64500The \"A\", Inc.".to_owned()))]);
    }
}
