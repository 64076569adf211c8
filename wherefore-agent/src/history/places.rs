//! Name, country and AS of addresses for the history. It uses the same data as the rest of the agent, but
//! learns names itself, because it runs in another thread. It asks no outside service.

use std::net::IpAddr;
use std::sync::Arc;

use anyhow::Result;

use crate::attribute::geo::{Country, Geo};
use crate::attribute::names::{self, Names};
use crate::traffic::interval::Interval;

/// Country, AS and name of addresses.
#[derive(Debug)]
pub struct Places {
    geo: Arc<Geo>,
    names: Names,
}

/// The facts that the file stores about an address.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) country: Option<String>,
    pub(super) asn: Option<u32>,
    pub(super) as_name: Option<String>,
}

impl Places {
    /// Uses these data, and names from the sources in the settings.
    ///
    /// # Errors
    /// If a file that the user named cannot be read.
    pub fn open(geo: Arc<Geo>, settings: &names::Settings) -> Result<Self> {
        Ok(Self { geo, names: Names::open(settings)? })
    }

    /// Learns names from the DNS answers of an interval.
    pub(super) fn learn(&mut self, interval: &Interval) {
        self.names.learn(&interval.answers, interval.end_ns);
    }

    pub(super) fn name(&self, address: IpAddr) -> Option<Arc<str>> {
        self.names.of(address)
    }

    pub(super) fn of(&self, address: IpAddr) -> Kept {
        let found = self.geo.find(address);
        let country = found.country.as_ref().map(Country::as_str).map(str::to_owned);
        Kept { country, asn: found.asn, as_name: found.as_name.map(str::to_owned) }
    }
}
