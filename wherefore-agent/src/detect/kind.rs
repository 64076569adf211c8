//! What kinds of incidents there are, how urgent they can be and where in their lives. Owns the
//! names that options and output use.

use serde::{Deserialize, Serialize};

/// Where an incident is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It begins.
    Firing,
    /// It lasts.
    Update,
    /// It is over.
    Resolved,
}

/// What an incident is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A group, or an interface as a whole, moved an unusual amount.
    Volume,
    /// Unusually many sources, flows or packets hit one address.
    Flood,
    /// Unusually much came to one address from services that answer strangers: DNS, NTP and others,
    /// which somebody asked in its name.
    Reflection,
    /// One address touched unusually many ports.
    Scan,
    /// One address touched unusually many addresses.
    Sweep,
    /// An address sends unusually much for what it receives.
    Upload,
    /// A group moves something again and again after exactly the same time.
    Beacon,
    /// A group that kept moving something stopped.
    Stop,
    /// A network that this host never had to do with before.
    NewNetwork,
    /// A country that this host never had to do with before.
    NewCountry,
    /// An AS that this host never had to do with before.
    NewAsn,
    /// A country of which the user wants to know.
    Country,
    /// An AS of which the user wants to know.
    Asn,
    /// More incidents than may be told one by one.
    Digest,
    /// Somebody tries whether alerts arrive.
    Test,
}

impl Kind {
    /// What can be found in traffic, in the order of the table below.
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

    /// Its place among [`Self::FOUND`]; the last for those that are not found.
    pub fn place(self) -> usize {
        let place = Self::FOUND.iter().position(|found| *found == self);
        place.unwrap_or(Self::FOUND.len() - 1)
    }

    /// The part of the budget of alerts that a kind has where nothing else is said, as a weight.
    pub fn default_share(self) -> f64 {
        match self {
            Self::Volume => 4.0,
            Self::Flood | Self::Reflection | Self::Scan | Self::Sweep => 1.0,
            Self::Upload | Self::Beacon | Self::Stop | Self::NewNetwork => 0.5,
            // These are no matter of rarity.
            Self::NewCountry | Self::NewAsn | Self::Country | Self::Asn => 0.0,
            Self::Digest | Self::Test => 0.0,
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

/// How urgent an alert is; the words of PagerDuty's Events API v2.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Worth knowing.
    Info,
    /// Above the threshold.
    Warning,
    /// As good as certain.
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
