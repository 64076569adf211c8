//! Traffic of units, pods, countries and AS since the start. Owns which of them, and how many, have sums of
//! their own; the rest is summed up together.

use std::net::IpAddr;

use rustc_hash::FxHashMap;

use crate::attribute::geo::Geo;
use crate::output::reading::{Who, ends};
use crate::traffic::interval::Interval;

/// The most names of each kind with sums of their own.
pub(crate) const MOST: usize = 10;
/// The label for traffic without a name.
const NONE: &str = "none";
/// The factor by which older traffic loses weight in each interval.
const FADING: f64 = 0.9;

/// IP-layer bytes that were received and sent.
pub(crate) type InOut = [u64; 2];

/// The kinds of sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The container of this host's end, or otherwise its systemd unit.
    Unit,
    /// The pod of this host's end.
    Pod,
    /// The country of the peer.
    Country,
    /// The AS of the peer.
    Asn,
}

impl Kind {
    pub(crate) const ALL: [Self; 4] = [Self::Unit, Self::Pod, Self::Country, Self::Asn];
}

/// Sums since the start.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shares([Ranked; Kind::ALL.len()]);

/// The largest of one kind.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ranked {
    rows: FxHashMap<String, Row>,
    /// The sum of all others.
    pub(crate) other: InOut,
    /// Whether any of them has a name.
    pub(crate) is_known: bool,
}

#[derive(Debug, Clone, Copy, Default)]
struct Row {
    bytes: InOut,
    recent: f64,
}

impl Shares {
    /// Adds the traffic of an interval.
    pub(crate) fn add(&mut self, interval: &Interval, geo: &Geo) {
        let mut of_owners: FxHashMap<u32, (usize, InOut)> = FxHashMap::default();
        let mut of_peers: FxHashMap<IpAddr, InOut> = FxHashMap::default();
        for (at, (key, counters)) in interval.flows.iter().enumerate() {
            let (side, _, peer) = ends(&key);
            of_peers.entry(peer).or_default()[side as usize] += counters.bytes;
            if let Some([_, _, local]) = interval.owners.ends(at) {
                of_owners.entry(local).or_insert((at, [0; 2])).1[side as usize] += counters.bytes;
            }
        }
        let mut moved: [FxHashMap<String, InOut>; Kind::ALL.len()] = Default::default();
        let mut note = |kind: Kind, name: Option<String>, bytes: InOut| {
            let name = name.unwrap_or_else(|| NONE.to_owned());
            add(moved[kind as usize].entry(name).or_default(), bytes);
        };
        for (at, bytes) in of_owners.into_values() {
            let Who { unit, container, pod, .. } = Who::of(interval.owners.owner(at));
            note(Kind::Unit, container.or(unit), bytes);
            note(Kind::Pod, pod, bytes);
        }
        for (peer, bytes) in of_peers {
            let found = geo.find(peer);
            note(Kind::Country, found.country.map(|country| country.to_string()), bytes);
            note(Kind::Asn, found.asn.map(|asn| format!("AS{asn}")), bytes);
        }
        self.0.iter_mut().zip(moved).for_each(|(ranked, moved)| ranked.add(moved));
    }

    /// Shares with the maximum number of names of each kind.
    #[cfg(test)]
    pub(crate) fn full() -> Self {
        let names = || (0..2 * MOST).map(|number| (format!("name{number}"), [1, 1]));
        let mut shares = Self::default();
        shares.0.iter_mut().for_each(|ranked| ranked.add(names().collect()));
        shares
    }

    /// The sums of one kind.
    pub(crate) fn of(&self, kind: Kind) -> &Ranked {
        &self.0[kind as usize]
    }
}

fn add(sum: &mut InOut, more: InOut) {
    sum.iter_mut().zip(more).for_each(|(sum, more)| *sum += more);
}

impl Ranked {
    /// The names with sums of their own.
    pub(crate) fn rows(&self) -> impl Iterator<Item = (&str, InOut)> {
        self.rows.iter().map(|(name, row)| (name.as_str(), row.bytes))
    }

    fn add(&mut self, moved: FxHashMap<String, InOut>) {
        self.is_known |= moved.keys().any(|name| name != NONE);
        self.rows.values_mut().for_each(|row| row.recent *= FADING);
        let mut new = Vec::new();
        for (name, bytes) in moved {
            match self.rows.get_mut(&name) {
                Some(row) => row.add(bytes),
                None => new.push((name, bytes)),
            }
        }
        // The largest first; equal ones by name, so that every run gives the same result.
        new.sort_unstable_by(|(one, less), (other, more)| {
            sum(*more).cmp(&sum(*less)).then_with(|| one.cmp(other))
        });
        for (name, bytes) in new {
            if self.make_room(bytes) {
                self.rows.entry(name).or_default().add(bytes);
            } else {
                add(&mut self.other, bytes);
            }
        }
    }

    /// Whether a new name gets a sum of its own: if one is free, or if it moved more in this interval than
    /// another name recently. A counter can only grow, so the sum of the replaced name is not added to the
    /// others.
    fn make_room(&mut self, bytes: InOut) -> bool {
        if self.rows.len() < MOST {
            return true;
        }
        let smallest =
            self.rows.iter().min_by(|(_, one), (_, other)| one.recent.total_cmp(&other.recent));
        let Some((name, row)) = smallest else { return false };
        if row.recent >= sum(bytes) as f64 {
            return false;
        }
        let name = name.clone();
        self.rows.remove(&name);
        true
    }
}

impl Row {
    fn add(&mut self, bytes: InOut) {
        add(&mut self.bytes, bytes);
        self.recent += sum(bytes) as f64;
    }
}

fn sum(bytes: InOut) -> u64 {
    bytes.iter().sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moved(of: impl IntoIterator<Item = (usize, u64)>) -> FxHashMap<String, InOut> {
        of.into_iter().map(|(number, bytes)| (format!("unit{number:03}"), [bytes, 0])).collect()
    }

    #[test]
    fn the_largest_have_sums_of_their_own_and_nothing_is_lost() {
        let mut ranked = Ranked::default();
        ranked.add(moved((0..100).map(|number| (number, number as u64 + 1))));
        assert_eq!(ranked.rows.len(), MOST);
        assert!(ranked.rows.contains_key("unit099") && !ranked.rows.contains_key("unit000"));
        let own: u64 = ranked.rows().map(|(_, bytes)| sum(bytes)).sum();
        assert_eq!(own + sum(ranked.other), (1..=100).sum::<u64>());
    }

    #[test]
    fn a_large_newcomer_takes_the_series_of_one_that_went_silent() {
        let mut ranked = Ranked::default();
        ranked.add(moved((0..MOST).map(|number| (number, 1000 + number as u64))));
        ranked.add(moved([(500, 500)]));
        assert!(!ranked.rows.contains_key("unit500"), "smaller than any was lately");
        for _ in 0..20 {
            ranked.add(moved((1..MOST).map(|number| (number, 1000))));
        }
        ranked.add(moved([(500, 500)]));
        assert!(ranked.rows.contains_key("unit500") && !ranked.rows.contains_key("unit000"));
        assert_eq!(ranked.rows["unit500"].bytes, [500, 0]);
        assert_eq!(ranked.other, [500, 0], "what was counted there stays there");
    }
}
