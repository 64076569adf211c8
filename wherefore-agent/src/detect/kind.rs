//! The kinds of incidents, their severities and states. Owns the names that options and output use; refuses
//! to decide which kind applies.

use serde::{Deserialize, Serialize};

/// The state of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It begins.
    Firing,
    /// It continues.
    Update,
    /// It is over.
    Resolved,
}

/// The subject of an incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A group, or an interface as a whole, moved an unusual amount.
    Volume,
    /// Unusually many sources, flows or packets to one address.
    Flood,
    /// An unusual volume from services that answer anybody, such as DNS and NTP, whose requests were forged
    /// with this address.
    Reflection,
    /// One address contacted unusually many ports.
    Scan,
    /// One address contacted unusually many addresses.
    Sweep,
    /// An address sends unusually much compared with what it receives.
    Upload,
    /// A group sends repeatedly after exactly the same time.
    Beacon,
    /// A group that used to send stopped.
    Stop,
    /// A network that this host never contacted before.
    NewNetwork,
    /// A country that this host never contacted before.
    NewCountry,
    /// An AS that this host never contacted before.
    NewAsn,
    /// A country that the user named.
    Country,
    /// An AS that the user named.
    Asn,
    /// More incidents than may be reported one by one.
    Digest,
    /// A test of whether alerts arrive.
    Test,
}

impl Kind {
    /// The kinds that are found in traffic, in the order of the table below.
    pub const FOUND: [Self; 9] = [
        Self::Volume,
        Self::Flood,
        Self::Reflection,
        Self::Scan,
        Self::Sweep,
        Self::Upload,
        Self::Beacon,
        Self::Stop,
        Self::NewNetwork,
    ];

    /// Its index in [`Self::FOUND`]; for kinds that are not in it, the last index.
    pub fn place(self) -> usize {
        let place = Self::FOUND.iter().position(|found| *found == self);
        place.unwrap_or(Self::FOUND.len() - 1)
    }

    /// The default weight of a kind in the budget of alerts.
    pub fn default_share(self) -> f64 {
        match self {
            // These do not depend on rarity.
            Self::NewCountry | Self::NewAsn | Self::Country | Self::Asn => 0.0,
            Self::Digest | Self::Test => 0.0,
            _ => 1.0,
        }
    }

    /// The name used in options and output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Volume => "volume",
            Self::Flood => "flood",
            Self::Reflection => "reflection",
            Self::Scan => "scan",
            Self::Sweep => "sweep",
            Self::Upload => "upload",
            Self::Beacon => "beacon",
            Self::Stop => "stop",
            Self::NewNetwork => "new-network",
            Self::NewCountry => "new-country",
            Self::NewAsn => "new-asn",
            Self::Country => "country",
            Self::Asn => "asn",
            Self::Digest => "digest",
            Self::Test => "test",
        }
    }
}

/// The judgement that found something. Each has its own record of how often its surprises occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A group's volume, by its own history.
    Own,
    /// A group's volume among those of all groups.
    Among,
    /// A group's bytes since it appeared, compared with other new groups.
    Newcomer,
    /// The traffic of an interface.
    Interface,
    /// The traffic of a host in minutes, compared with the hour before and the time of day.
    Host,
    /// The traffic of one service of a host, compared in the same way.
    Service,
    /// [`Kind::Flood`].
    Flood,
    /// [`Kind::Reflection`].
    Reflection,
    /// [`Kind::Scan`].
    Scan,
    /// [`Kind::Sweep`].
    Sweep,
    /// [`Kind::Upload`].
    Upload,
    /// [`Kind::Beacon`].
    Beacon,
    /// A new outside peer that is contacted repeatedly.
    Calls,
    /// [`Kind::Stop`].
    Stop,
    /// [`Kind::NewNetwork`].
    NewNetwork,
    /// A job that did not come at its time of day.
    Missing,
}

impl Class {
    /// All classes, in order.
    pub const ALL: [Self; 16] = [
        Self::Own,
        Self::Among,
        Self::Newcomer,
        Self::Interface,
        Self::Host,
        Self::Service,
        Self::Flood,
        Self::Reflection,
        Self::Scan,
        Self::Sweep,
        Self::Upload,
        Self::Beacon,
        Self::Calls,
        Self::Stop,
        Self::NewNetwork,
        Self::Missing,
    ];

    /// The kind of its findings.
    pub fn kind(self) -> Kind {
        match self {
            Self::Own
            | Self::Among
            | Self::Newcomer
            | Self::Interface
            | Self::Host
            | Self::Service => Kind::Volume,
            Self::Flood => Kind::Flood,
            Self::Reflection => Kind::Reflection,
            Self::Scan => Kind::Scan,
            Self::Sweep => Kind::Sweep,
            Self::Upload => Kind::Upload,
            Self::Beacon | Self::Calls => Kind::Beacon,
            Self::Stop | Self::Missing => Kind::Stop,
            Self::NewNetwork => Kind::NewNetwork,
        }
    }

    /// The class of a kind that has only one class.
    pub fn of(kind: Kind) -> Self {
        let mut alone = Self::ALL.into_iter().filter(|class| class.kind() == kind);
        alone.next().unwrap_or(Self::Own)
    }
}

/// The severity of an alert, in the words of PagerDuty's Events API v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Above the threshold.
    Warning,
    /// Almost certain.
    Critical,
}

impl Severity {
    /// The name used in output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}
