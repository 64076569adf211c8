//! The subjects of the view's rows. Owns the kinds of rows, and how each names its subjects.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;

use crate::output::reading::{FlowReading, PeerPlace, Reading, Side, Who, ends};
use crate::text;
use crate::traffic::service::EPHEMERAL;

/// A kind of rows.
#[derive(
    Debug,
    Default,
    Clone,
    Copy,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    utoipa::ToSchema,
)]
#[schema(as = RowsBy)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    /// Processes of this host.
    #[default]
    Process,
    /// systemd units.
    Unit,
    /// Containers.
    Container,
    /// Kubernetes pods.
    Pod,
    /// Users of this host.
    User,
    /// This host's address and the peer's.
    Pair,
    /// The peer's address.
    Peer,
    /// The peer's name.
    Name,
    /// The country that the peer's address is registered in.
    Country,
    /// The AS that announces it.
    #[serde(rename = "asn")]
    As,
    /// Protocol and the service's port.
    Service,
    /// IP protocols.
    Protocol,
    /// Interfaces.
    Interface,
}

/// The subject of a row.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Subject {
    /// A process: its number and name.
    Process(u32, Arc<str>),
    /// A unit, container, pod, user, name, country or AS.
    Named(Arc<str>),
    /// The address of this host and the peer's.
    Pair(IpAddr, IpAddr),
    /// A peer.
    Peer(IpAddr),
    /// Protocol and port.
    Service(u8, u16),
    /// A protocol.
    Protocol(u8),
    /// An interface.
    Interface(u32),
    /// Bytes without an owner, by reason.
    Nobody(Arc<str>),
    /// Flows that readings leave out, and removed rows.
    Other,
}

impl Dimension {
    /// All kinds, in the order in which the Tab key selects them.
    pub const ALL: [Self; 13] = [
        Self::Process,
        Self::Unit,
        Self::Container,
        Self::Pod,
        Self::User,
        Self::Pair,
        Self::Peer,
        Self::Name,
        Self::Country,
        Self::As,
        Self::Service,
        Self::Protocol,
        Self::Interface,
    ];

    /// The plural, for the title.
    pub fn title(self) -> &'static str {
        match self {
            Self::Process => "processes",
            Self::Unit => "units",
            Self::Container => "containers",
            Self::Pod => "pods",
            Self::User => "users",
            Self::Pair => "pairs",
            Self::Peer => "peers",
            Self::Name => "names",
            Self::Country => "countries",
            Self::As => "AS",
            Self::Service => "services",
            Self::Protocol => "protocols",
            Self::Interface => "interfaces",
        }
    }

    /// The head of the column of names.
    pub fn column(self) -> &'static str {
        match self {
            Self::Process => "PROCESS",
            Self::Unit => "UNIT",
            Self::Container => "CONTAINER",
            Self::Pod => "POD",
            Self::User => "USER",
            Self::Pair => "HERE ⇄ PEER",
            Self::Peer => "PEER",
            Self::Name => "NAME",
            Self::Country => "COUNTRY",
            Self::As => "AS",
            Self::Service => "SERVICE",
            Self::Protocol => "PROTOCOL",
            Self::Interface => "INTERFACE",
        }
    }

    /// Whether its rows are owners.
    pub fn is_owner(self) -> bool {
        matches!(self, Self::Process | Self::Unit | Self::Container | Self::Pod | Self::User)
    }

    /// Its index in [`Self::ALL`].
    pub(super) fn place(self) -> usize {
        self as usize
    }
}

/// The subjects of one owner, made once for all its flows.
#[derive(Debug, Clone)]
pub(super) struct Owned {
    subjects: [Subject; 5],
    /// Its name, for other tables.
    pub(super) label: Option<Arc<str>>,
}

impl Owned {
    fn of(who: &Who) -> Self {
        let Who { process, user, unit, container, pod, nobody } = who;
        let none = |what: &str| match nobody {
            Some(why) => Subject::Nobody(why.as_str().into()),
            None => Subject::Nobody(format!("no {what}").into()),
        };
        let named = |name: &Option<String>, what| {
            name.as_ref().map_or_else(|| none(what), |name| Subject::Named(name.as_str().into()))
        };
        let of_process = |(pid, name): &(u32, String)| Subject::Process(*pid, name.as_str().into());
        let process_subject = process.as_ref().map_or_else(|| none("process"), of_process);
        let subjects = [
            process_subject,
            named(unit, "unit"),
            named(container, "container"),
            named(pod, "pod"),
            named(user, "user"),
        ];
        Self { subjects, label: process.as_ref().map(|(_, name)| name.as_str().into()) }
    }

    /// The owner if attribution is off.
    fn unknown() -> Self {
        Self::of(&Who { nobody: Some("not attributed".to_owned()), ..Who::default() })
    }
}

/// The subjects of one place, made once for all its flows.
#[derive(Debug, Clone)]
pub(super) struct Placed {
    country: Subject,
    system: Subject,
    /// The place on one line, for other tables.
    pub(super) label: Option<Arc<str>>,
}

impl Placed {
    fn of(place: &PeerPlace) -> Self {
        let PeerPlace { country, asn, as_name } = place;
        let name = as_name.as_deref().unwrap_or_default();
        let system = asn.map(|asn| format!("AS{asn} {name}").trim_end().to_owned());
        let known = [country.as_deref(), system.as_deref()];
        let label = known.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let subject = |known: Option<&str>, without: &str| {
            let named = known.map(|known| Subject::Named(known.into()));
            named.unwrap_or_else(|| Subject::Nobody(without.into()))
        };
        Self {
            country: subject(country.as_deref(), "no country"),
            system: subject(system.as_deref(), "no AS"),
            label: (!label.is_empty()).then(|| label.into()),
        }
    }
}

/// Names of addresses.
pub(super) type Names = FxHashMap<IpAddr, Arc<str>>;

/// The owners and places of a reading, as subjects.
pub(super) struct SubjectIndex {
    owned: Vec<Owned>,
    placed: Vec<Placed>,
    nobody: Owned,
    nowhere: Placed,
}

impl SubjectIndex {
    pub(super) fn of(reading: &Reading) -> Self {
        Self {
            owned: reading.owners.iter().map(Owned::of).collect(),
            placed: reading.places.iter().map(Placed::of).collect(),
            nobody: Owned::unknown(),
            nowhere: Placed::of(&PeerPlace::default()),
        }
    }

    fn owned(&self, moved: &FlowReading) -> &Owned {
        let known = (moved.owner as usize).checked_sub(1).and_then(|at| self.owned.get(at));
        known.unwrap_or(&self.nobody)
    }

    fn placed(&self, moved: &FlowReading) -> &Placed {
        let known = (moved.place as usize).checked_sub(1).and_then(|at| self.placed.get(at));
        known.unwrap_or(&self.nowhere)
    }
}

/// A flow, with what tables need to know about it.
pub(super) struct FlowSubjects<'a> {
    pub(super) side: Side,
    here: IpAddr,
    peer: IpAddr,
    key: FlowKey,
    pub(super) owned: &'a Owned,
    pub(super) placed: &'a Placed,
    name: Option<&'a Arc<str>>,
}

impl<'a> FlowSubjects<'a> {
    pub(super) fn new(
        key: FlowKey,
        subjects: &'a SubjectIndex,
        moved: &FlowReading,
        names: &'a Names,
    ) -> Self {
        let (side, here, peer) = ends(&key);
        let (owned, placed) = (subjects.owned(moved), subjects.placed(moved));
        Self { side, here, peer, key, owned, placed, name: names.get(&peer) }
    }

    /// The subject of its row in the table of this kind.
    pub(super) fn subject(&self, by: Dimension) -> Subject {
        match by {
            Dimension::Process
            | Dimension::Unit
            | Dimension::Container
            | Dimension::Pod
            | Dimension::User => self.owned.subjects[by.place()].clone(),
            Dimension::Pair => Subject::Pair(self.here, self.peer),
            Dimension::Peer => Subject::Peer(self.peer),
            Dimension::Name => {
                self.name.map_or(Subject::Peer(self.peer), |name| Subject::Named(name.clone()))
            }
            Dimension::Country => self.placed.country.clone(),
            Dimension::As => self.placed.system.clone(),
            Dimension::Service => Subject::Service(self.key.protocol, service_port(&self.key)),
            Dimension::Protocol => Subject::Protocol(self.key.protocol),
            Dimension::Interface => Subject::Interface(self.key.ifindex),
        }
    }
}

/// The port that identifies the service: the one that is not ephemeral, or otherwise the lower one.
pub(crate) fn service_port(key: &FlowKey) -> u16 {
    let (low, high) = (key.sport.min(key.dport), key.sport.max(key.dport));
    if low == 0 && high < EPHEMERAL { high } else { low }
}

impl Subject {
    /// The subject as text; `interface` returns the name of an interface.
    pub fn label(&self, interface: &dyn Fn(u32) -> String) -> String {
        match self {
            Self::Process(pid, name) => format!("{name} ({pid})"),
            Self::Named(name) => name.to_string(),
            Self::Pair(here, peer) => format!("{here} ⇄ {peer}"),
            Self::Peer(peer) => peer.to_string(),
            Self::Service(protocol, 0) | Self::Protocol(protocol) => text::protocol(*protocol),
            Self::Service(protocol, port) => service(*protocol, *port),
            Self::Interface(index) => interface(*index),
            Self::Nobody(why) => format!("[{why}]"),
            Self::Other => "[all others]".to_owned(),
        }
    }

    /// Whether a user's word names this subject: its label, a process without its number, a unit without its
    /// `.service`, or an AS by its number only.
    pub(crate) fn is_called(
        &self,
        by: Dimension,
        text: &str,
        interface: &dyn Fn(u32) -> String,
    ) -> bool {
        let name = match self {
            Self::Process(_, name) | Self::Named(name) => name.to_string(),
            Self::Interface(number) => interface(*number),
            _ => return false,
        };
        let name = match by {
            Dimension::As => name.split(' ').next().unwrap_or(&name),
            _ => &name,
        };
        let short = name.strip_suffix(".service").filter(|_| by == Dimension::Unit);
        [Some(name), short].into_iter().flatten().any(|name| name.eq_ignore_ascii_case(text))
    }
}

fn service(protocol: u8, port: u16) -> String {
    let transport = text::protocol(protocol);
    match service_name(port) {
        Some(name) => format!("{name} {transport}/{port}"),
        None => format!("{transport}/{port}"),
    }
}

/// The names of well-known services.
fn service_name(port: u16) -> Option<&'static str> {
    const KNOWN: [(u16, &str); 28] = [
        (22, "ssh"),
        (25, "smtp"),
        (53, "dns"),
        (67, "dhcp"),
        (80, "http"),
        (123, "ntp"),
        (143, "imap"),
        (179, "bgp"),
        (389, "ldap"),
        (443, "https"),
        (445, "smb"),
        (514, "syslog"),
        (587, "submission"),
        (636, "ldaps"),
        (853, "dns-tls"),
        (873, "rsync"),
        (993, "imaps"),
        (1883, "mqtt"),
        (2049, "nfs"),
        (2379, "etcd"),
        (3306, "mysql"),
        (3389, "rdp"),
        (5353, "mdns"),
        (5432, "postgres"),
        (6379, "redis"),
        (6443, "kubernetes"),
        (9092, "kafka"),
        (51820, "wireguard"),
    ];
    KNOWN.iter().find(|(known, _)| *known == port).map(|(_, name)| *name)
}
