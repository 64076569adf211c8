//! Looks up country, AS and name of an address. Owns the sources of each; asks outside services only if the
//! user enables it.

use std::fmt;
use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Result;
use rustc_hash::FxHashMap;

use super::geo::{Country, Geo, GeoChoice, GeoRecord};
use super::names::{self, Names};
use super::reverse::Reverse;
use crate::traffic::interval::Interval;

/// Settings of a directory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Settings {
    /// The sources of country and AS.
    pub geo: GeoChoice,
    /// The sources of names.
    pub names: names::Settings,
    /// Whether the system's resolver is asked for unknown names.
    pub resolves: bool,
}

/// Looks up country, AS and name of addresses.
#[derive(Debug, Default)]
pub struct Directory {
    geo: Arc<Geo>,
    names: Names,
    reverse: Option<Reverse>,
}

/// The country, AS and name of one address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place<'a> {
    /// The country that it is registered in.
    pub country: Option<Country>,
    /// The AS that announces it.
    pub asn: Option<u32>,
    /// The operator of that AS.
    pub as_name: Option<&'a str>,
    /// Its host name.
    pub name: Option<Arc<str>>,
}

impl Directory {
    /// Opens the sources that the settings name.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn open(settings: &Settings) -> Result<Self> {
        let geo = Arc::new(Geo::open(&settings.geo)?);
        for (file, date) in geo.file_dates() {
            tracing::info!(file, date, "countries and AS of addresses come from a file");
        }
        let names = Names::open(&settings.names)?;
        let reverse = settings.resolves.then(Reverse::start).transpose()?;
        Ok(Self { geo, names, reverse })
    }

    /// A directory with this data of countries and AS, and these names.
    pub fn of_known(geo: Arc<Geo>, names: FxHashMap<IpAddr, Arc<str>>) -> Self {
        Self { geo, names: Names::of_known(names), reverse: None }
    }

    /// The same directory, with the names that another one has learned.
    pub fn succeeding(self, other: &mut Self) -> Self {
        Self { names: self.names.with_learned_of(&mut other.names), ..self }
    }

    /// The data of countries and AS only.
    pub fn geo(&self) -> &Arc<Geo> {
        &self.geo
    }

    /// Learns names from the DNS answers of an interval, or from its records.
    pub fn learn(&mut self, interval: &Interval) {
        self.names.learn(&interval.answers, interval.end_ns);
        self.names.learn_recorded(&interval.names, interval.end_ns);
    }

    /// Looks up an address.
    pub fn place(&self, address: IpAddr) -> Place<'_> {
        let GeoRecord { country, asn, as_name } = self.geo.find(address);
        Place { country, asn, as_name, name: self.name(address) }
    }

    /// Looks up the name of an address only.
    pub fn name(&self, address: IpAddr) -> Option<Arc<str>> {
        let ask = || self.reverse.as_ref().and_then(|reverse| reverse.name(address));
        self.names.of(address).or_else(ask)
    }

    /// Each source of country and AS, with the date of its data.
    pub fn sources(&self) -> Vec<(String, String)> {
        self.geo.sources()
    }
}

/// As text: `updates.example.org, CN, AS4134 CHINANET`.
impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let system = self.asn.map(|asn| match self.as_name {
            Some(name) => format!("AS{asn} {name}"),
            None => format!("AS{asn}"),
        });
        let country = self.country.map(|country| country.to_string());
        let name = self.name.as_ref().map(ToString::to_string);
        let parts: Vec<_> = [name, country, system].into_iter().flatten().collect();
        f.write_str(&parts.join(", "))
    }
}
