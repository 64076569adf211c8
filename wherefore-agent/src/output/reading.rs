//! A reading of an interval for live views: plain words and numbers that can be sent over a socket. Owns how
//! many flows one message may contain; the others are in its sums.

use std::collections::BTreeMap;
use std::net::IpAddr;

use rustc_hash::{FxHashMap, FxHashSet};
use serde::{Deserialize, Serialize};
use wherefore_common::{Direction, FlowKey};

use crate::attribute::geo::{Geo, GeoRecord};
use crate::message::Outcome;
use crate::message::alert::Alert;
use crate::message::held::HeldRecord;
use crate::text;
use crate::traffic::group::{KeptGroup, is_private};
use crate::traffic::interval::{InterfaceReading, Interval, Totals};
use crate::traffic::who::{Owner, Process};

/// The most flows in one reading: the largest ones.
pub const MOST_FLOWS: usize = 20_000;

/// A message to live views.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub enum ViewMessage {
    /// The first message: which agent counts, and how.
    Hello(Box<Hello>),
    /// The traffic.
    Reading(Box<Reading>),
    /// Alerts of an interval, and the state of detection.
    Judged(Box<Judged>),
    /// The state of a replay.
    Replay(ReplayStatus),
    /// A replay starts again.
    Restart,
    /// The agent is gone.
    Lost,
    /// Names of addresses that are new or have changed.
    Names(Vec<(IpAddr, String)>),
    /// This many readings were not sent because the reader was too slow.
    Missed(u64),
}

/// The state of a replay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct ReplayStatus {
    /// Speed as a multiple of the recorded speed.
    pub speed: f64,
    /// Whether it is paused.
    pub is_paused: bool,
    /// Whether it is at the end.
    pub is_over: bool,
}

/// The agent that counts.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Hello {
    /// Version of the agent.
    pub version: String,
    /// Name of the host.
    pub host: String,
    /// The source of packets, and how it is read.
    pub source: String,
    /// Length of the intervals of detection, in seconds.
    pub interval_seconds: f64,
}

/// The traffic between two moments.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Reading {
    /// Start, in nanoseconds since 1970.
    pub start_ns: i64,
    /// End, in nanoseconds since 1970.
    pub end_ns: i64,
    /// The flows with traffic; if there are too many, the largest, in order of volume.
    pub flows: Vec<FlowReading>,
    /// The number of flows that are left out.
    pub more_flows: u64,
    /// The traffic of the flows that are left out, in and out.
    pub more: [Volume; 2],
    /// The totals of all frames.
    pub totals: Totals,
    /// The names of interfaces, by index.
    pub names: Vec<(u32, String)>,
    /// Whether these counts agree with the interfaces' own; `None` if that is unknown.
    pub agreement: Option<Agreement>,
    /// The owners of flows. [`FlowReading::owner`] is an index into it, from 1.
    pub owners: Vec<Who>,
    /// The places of peers. [`FlowReading::place`] is an index into it, from 1.
    pub places: Vec<PeerPlace>,
}

/// The place of a peer, as far as it is known.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct PeerPlace {
    /// The country it is registered in.
    pub country: Option<String>,
    /// The AS that announces it.
    pub asn: Option<u32>,
    /// The operator of that AS.
    pub as_name: Option<String>,
}

/// Bytes and packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// IP-layer bytes.
    pub bytes: u64,
    /// Packets on the wire.
    pub packets: u64,
}

/// A flow with traffic.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct FlowReading {
    flow: KeptGroup,
    ifindex: u32,
    /// The traffic of the flow.
    pub volume: Volume,
    /// The index of its owner in [`Reading::owners`], from 1; 0 means no owner.
    pub owner: u32,
    /// The index of its peer in [`Reading::places`], from 1; 0 means unknown.
    pub place: u32,
}

/// The direction, seen from this host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// This host receives.
    In,
    /// This host sends.
    Out,
}

impl Side {
    /// The direction of a flow. If it is unknown, as in captures, a private address is taken for this host's.
    pub fn of(key: &FlowKey) -> Self {
        ends(key).0
    }
}

/// The direction of a flow, its end on this host, and its peer. If both addresses are of the same kind, the
/// lower one is taken for this host's, so that both directions give the same result.
pub fn ends(key: &FlowKey) -> (Side, IpAddr, IpAddr) {
    let (src, dst) = (key.src_ip(), key.dst_ip());
    let is_in = match (key.direction(), is_private(src), is_private(dst)) {
        (Direction::Ingress, ..) if !dst.is_loopback() => true,
        (Direction::Egress, ..) => false,
        (_, false, true) => true,
        (_, true, false) => false,
        _ => dst < src,
    };
    if is_in { (Side::In, dst, src) } else { (Side::Out, src, dst) }
}

/// The result of comparing counts with the interfaces' own counters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Agreement {
    /// They are equal, to the byte.
    Equal,
    /// They differ by no more than packets in flight explain.
    Agrees,
    /// They differ: name of the interface, received and sent bytes.
    Differs(String, i64, i64),
}

/// The owner of a flow, in words.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Who {
    /// Number and name of the process.
    pub process: Option<(u32, String)>,
    /// Its user.
    pub user: Option<String>,
    /// Its systemd unit.
    pub unit: Option<String>,
    /// Its container.
    pub container: Option<String>,
    /// Its pod.
    pub pod: Option<String>,
    /// The reason why it has none.
    pub nobody: Option<String>,
}

/// The state of detection after an interval.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Judged {
    /// The alerts.
    #[serde(with = "as_json")]
    pub alerts: Vec<Alert>,
    /// Groups with a history.
    pub groups: u64,
    /// Groups that were evicted since the start.
    pub evicted: u64,
    /// Findings that were not reported, by reason.
    pub held_back: BTreeMap<String, u64>,
    /// The first of them.
    pub held: Vec<HeldRecord>,
}

impl Volume {
    /// Adds another volume. Readings arrive over a socket, so numbers that no agent sends must not overflow:
    /// they saturate.
    pub fn add(&mut self, other: Self) {
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.packets = self.packets.saturating_add(other.packets);
    }
}

impl FlowReading {
    /// A flow and its traffic.
    pub fn new(key: &FlowKey, volume: Volume, owner: u32) -> Self {
        Self { flow: KeptGroup::of(key), ifindex: key.ifindex, volume, owner, place: 0 }
    }

    /// The key of the flow.
    pub fn key(&self) -> FlowKey {
        self.flow.at(self.ifindex)
    }
}

impl Reading {
    /// Makes the reading of an interval; `name` returns the name of an interface.
    pub fn of(interval: &Interval, name: &dyn Fn(u32) -> String, geo: &Geo) -> Self {
        let mut totals = Totals::default();
        totals.add(interval);
        let mut reading = Self {
            start_ns: interval.start_ns,
            end_ns: interval.end_ns,
            totals,
            agreement: Agreement::of(&interval.interfaces),
            ..Self::default()
        };
        reading.add_flows(interval);
        reading.add_places(geo);
        reading.names = named(&reading.flows, name);
        reading.keep_largest();
        reading
    }

    /// Length in seconds.
    pub fn seconds(&self) -> f64 {
        (self.end_ns.saturating_sub(self.start_ns) as f64 / 1e9).max(1e-3)
    }

    /// Merges the next reading into this one, for a slow reader.
    pub fn absorb(&mut self, next: Self) {
        self.end_ns = next.end_ns;
        let before = [self.owners.len() as u32, self.places.len() as u32];
        let renumber =
            |number: u32, before: u32| if number == 0 { 0 } else { number.saturating_add(before) };
        self.flows.extend(next.flows.into_iter().map(|moved| FlowReading {
            owner: renumber(moved.owner, before[0]),
            place: renumber(moved.place, before[1]),
            ..moved
        }));
        self.owners.extend(next.owners);
        self.places.extend(next.places);
        self.more_flows = self.more_flows.saturating_add(next.more_flows);
        self.more.iter_mut().zip(next.more).for_each(|(sum, more)| sum.add(more));
        self.totals.merge(&next.totals);
        self.agreement = next.agreement.or(self.agreement.take());
        self.names.retain(|(number, _)| !next.names.iter().any(|(known, _)| known == number));
        self.names.extend(next.names);
        self.keep_largest();
    }

    /// The owner of a flow.
    pub fn owner(&self, moved: &FlowReading) -> Option<&Who> {
        self.owners.get((moved.owner as usize).checked_sub(1)?)
    }

    fn add_flows(&mut self, interval: &Interval) {
        let mut numbers = FxHashMap::default();
        self.flows.reserve(interval.flows.len());
        for (at, (key, counters)) in interval.flows.iter().enumerate() {
            let volume = Volume { bytes: counters.bytes, packets: counters.packets };
            let owner = if interval.owners.is_empty() {
                0
            } else {
                let owner = interval.owners.owner(at);
                *numbers.entry(std::ptr::from_ref(owner)).or_insert_with(|| {
                    self.owners.push(Who::of(owner));
                    self.owners.len() as u32
                })
            };
            self.flows.push(FlowReading::new(&key, volume, owner));
        }
    }

    fn add_places(&mut self, geo: &Geo) {
        if geo.sources().is_empty() {
            return;
        }
        let mut of_address: FxHashMap<IpAddr, u32> = FxHashMap::default();
        let mut of_place: FxHashMap<PeerPlace, u32> = FxHashMap::default();
        let places = &mut self.places;
        for moved in &mut self.flows {
            let (_, _, peer) = ends(&moved.flow.at(moved.ifindex));
            moved.place = *of_address.entry(peer).or_insert_with(|| {
                let place = PeerPlace::of(geo, peer);
                if place == PeerPlace::default() {
                    return 0;
                }
                *of_place.entry(place).or_insert_with_key(|place| {
                    places.push(place.clone());
                    places.len() as u32
                })
            });
        }
    }

    fn keep_largest(&mut self) {
        if self.flows.len() <= MOST_FLOWS {
            return;
        }
        let by_volume = |moved: &FlowReading| std::cmp::Reverse(moved.volume.bytes);
        self.flows.select_nth_unstable_by_key(MOST_FLOWS, by_volume);
        for moved in self.flows.drain(MOST_FLOWS..) {
            self.more_flows = self.more_flows.saturating_add(1);
            self.more[Side::of(&moved.key()) as usize].add(moved.volume);
        }
    }
}

fn named(flows: &[FlowReading], name: &dyn Fn(u32) -> String) -> Vec<(u32, String)> {
    let numbers: FxHashSet<u32> = flows.iter().map(|moved| moved.ifindex).collect();
    let mut names: Vec<_> = numbers.into_iter().map(|number| (number, name(number))).collect();
    names.sort_unstable();
    names
}

impl Agreement {
    fn of(interfaces: &[InterfaceReading]) -> Option<Self> {
        let differing = interfaces.iter().find(|reading| !reading.agrees());
        if let Some(InterfaceReading { interface, ingress, egress, .. }) = differing {
            let (received, sent) = (ingress.difference_bytes(), egress.difference_bytes());
            return Some(Self::Differs(interface.clone(), received, sent));
        }
        let is_equal = interfaces.iter().all(InterfaceReading::is_equal);
        (!interfaces.is_empty()).then_some(if is_equal { Self::Equal } else { Self::Agrees })
    }
}

impl PeerPlace {
    fn of(geo: &Geo, address: IpAddr) -> Self {
        let GeoRecord { country, asn, as_name } = geo.find(address);
        let country = country.map(|country| country.to_string());
        Self { country, asn, as_name: as_name.map(text::printable) }
    }
}

impl Who {
    /// The names of an owner.
    pub(crate) fn of(owner: &Owner) -> Self {
        match owner {
            Owner::Process(process) => Self::of_process(process),
            Owner::Unattributed(why) => {
                Self { nobody: Some(why.name().replace('_', " ")), ..Self::default() }
            }
        }
    }

    fn of_process(process: &Process) -> Self {
        let text = |words: &std::sync::Arc<str>| text::printable(words);
        let container = process.container.as_ref();
        let pod = process.pod.as_ref();
        Self {
            process: Some((process.pid, text(&process.name))),
            user: process.user.as_ref().map(text),
            unit: process.unit.as_ref().map(text),
            container: container.map(|it| {
                it.name.as_ref().map_or_else(|| text(&it.id).chars().take(12).collect(), text)
            }),
            pod: pod.map(|it| match (&it.namespace, &it.name) {
                (Some(namespace), Some(name)) => format!("{}/{}", text(namespace), text(name)),
                (_, Some(name)) => text(name),
                _ => text(&it.uid),
            }),
            nobody: None,
        }
    }
}

impl Judged {
    /// The results of an interval.
    pub fn of(outcome: &Outcome, interval: &Interval) -> Self {
        Self {
            alerts: outcome.alerts.clone(),
            groups: outcome.groups as u64,
            evicted: outcome.evicted,
            held_back: outcome.held_back.by_name(),
            held: HeldRecord::all_of(&outcome.held_back, interval),
        }
    }
}

/// Alerts are sent as JSON inside the message: their fields vary, and the socket's format has no field names.
mod as_json {
    use serde::de::Error as _;
    use serde::ser::Error as _;
    use serde::{Deserialize, Deserializer, Serializer};

    use crate::message::alert::Alert;

    pub(super) fn serialize<S: Serializer>(alerts: &[Alert], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(&serde_json::to_string(alerts).map_err(S::Error::custom)?)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Alert>, D::Error> {
        serde_json::from_str(&String::deserialize(from)?).map_err(D::Error::custom)
    }
}
