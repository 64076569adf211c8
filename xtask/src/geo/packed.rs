//! Writes the bytes of the data file. Their format is documented where they are read.

use std::collections::{BTreeMap, BTreeSet};
use std::iter::successors;

use super::ranges::{Flat, Known};

/// A country, or an AS with its name.
type Place = (Option<String>, Option<(u32, String)>);

/// The tables, one for each IP version: starts of ranges, and the facts from there on.
pub(super) struct Tables {
    date: &'static str,
    families: Vec<Vec<(u64, Place)>>,
}

impl Tables {
    pub(super) fn new(date: &'static str) -> Self {
        Self { date, families: Vec::new() }
    }

    /// Adds an IP version: its two tables become one.
    pub(super) fn add(&mut self, systems: &Flat<'_>, countries: &Flat<'_>) {
        let mut starts: BTreeMap<u64, [Option<&Option<Known<'_>>>; 2]> = BTreeMap::new();
        for (which, table) in [countries, systems].into_iter().enumerate() {
            for (start, known) in table {
                starts.entry(*start).or_default()[which] = Some(known);
            }
        }
        let (mut place, mut table): (Place, Vec<(u64, Place)>) = Default::default();
        for (start, [country, system]) in starts {
            if let Some(country) = country {
                place.0 = country.as_ref().map(|(country, _)| (*country).to_owned());
            }
            if let Some(system) = system {
                place.1 = system.as_ref().and_then(|(number, name)| {
                    Some((number.parse().ok()?, name.replace('\n', " ")))
                });
            }
            if table.last().is_none_or(|(_, before)| *before != place) {
                table.push((start, place.clone()));
            }
        }
        self.families.push(table);
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let places = || self.families.iter().flatten().map(|(_, place)| place);
        let systems: BTreeMap<u32, &str> = places()
            .filter_map(|(_, system)| system.as_ref())
            .map(|(n, name)| (*n, &**name))
            .collect();
        let countries: BTreeSet<&str> =
            places().filter_map(|(country, _)| country.as_deref()).collect();
        let mut bytes = format!("wherefore geo 1 {}\n", self.date).into_bytes();
        number(&mut bytes, systems.len() as u64);
        differences(&mut bytes, systems.keys().map(|number| u64::from(*number)));
        for name in systems.values() {
            bytes.extend(name.as_bytes());
            bytes.push(b'\n');
        }
        number(&mut bytes, countries.len() as u64);
        countries.iter().for_each(|country| bytes.extend(country.as_bytes()));
        let systems: BTreeMap<u32, usize> = systems.into_keys().zip(1..).collect();
        let countries: BTreeMap<&str, u8> = countries.into_iter().zip(1..).collect();
        for table in &self.families {
            starts(&mut bytes, table.iter().map(|(start, _)| *start).collect());
            let country =
                |place: &Place| place.0.as_deref().map_or(0, |country| countries[country]);
            bytes.extend(table.iter().map(|(_, place)| country(place)));
            let system = |place: &Place| place.1.as_ref().map_or(0, |(number, _)| systems[number]);
            for shift in [0, 8, 16] {
                bytes.extend(table.iter().map(|(_, place)| (system(place) >> shift) as u8));
            }
        }
        bytes
    }

    pub(super) fn summary(&self) -> String {
        let sizes = self.families.iter().map(|table| table.len().to_string());
        format!("{} ranges", sizes.collect::<Vec<_>>().join(" and "))
    }
}

/// The distance of each start from the one before, in two columns: the number of trailing zero bits, and the
/// rest.
fn starts(bytes: &mut Vec<u8>, starts: Vec<u64>) {
    number(bytes, starts.len() as u64);
    let before = std::iter::once(0).chain(starts.iter().copied());
    let steps: Vec<u64> = starts.iter().zip(before).map(|(start, before)| start - before).collect();
    bytes.extend(steps.iter().map(|step| zeros(*step)));
    steps.iter().for_each(|step| number(bytes, step >> zeros(*step)));
}

fn zeros(step: u64) -> u8 {
    if step == 0 { 0 } else { step.trailing_zeros() as u8 }
}

fn differences(bytes: &mut Vec<u8>, numbers: impl Iterator<Item = u64>) {
    let mut before = 0;
    for this in numbers {
        number(bytes, this - before);
        before = this;
    }
}

/// Writes seven bits in each byte, the lowest first; the highest bit means that another byte follows.
fn number(bytes: &mut Vec<u8>, number: u64) {
    let parts = successors(Some(number), |rest| (rest >> 7 > 0).then_some(rest >> 7));
    bytes.extend(parts.map(|rest| (rest & 127) as u8 | if rest >> 7 > 0 { 128 } else { 0 }));
}
