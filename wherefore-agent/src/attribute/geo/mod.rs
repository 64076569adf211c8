//! Country and AS of an address, without network access. Owns the built-in data and a user's own file;
//! refuses to use other sources. Neither is a physical location: many addresses are served from several.

mod file;
mod packed;
mod record;
mod table;

use std::net::IpAddr;
use std::path::PathBuf;

use anyhow::Result;

use file::GeoFile;
use packed::{BUILT_IN, Data};
pub use record::{Country, GeoRecord};

/// The sources of country and AS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum GeoChoice {
    /// A file in the usual folders, else the built-in data.
    #[default]
    Auto,
    /// The built-in data, whatever files this host has: the output of a replay is the same everywhere.
    BuiltIn,
    /// These files, in the MaxMind format, and no others.
    Files(Vec<PathBuf>),
    /// No source.
    Off,
}

/// Looks up country and AS.
#[derive(Debug, Default)]
pub struct Geo {
    is_on: bool,
    /// Files; they take precedence over the built-in data.
    files: Vec<GeoFile>,
    has_built_in: bool,
}

impl Geo {
    /// Opens the chosen sources.
    ///
    /// # Errors
    /// If a named file cannot be read.
    pub fn open(choice: &GeoChoice) -> Result<Self> {
        let files = match choice {
            GeoChoice::Off => return Ok(Self::default()),
            GeoChoice::BuiltIn => Vec::new(),
            GeoChoice::Auto => {
                file::usual().iter().filter_map(|path| file::try_open(path)).collect()
            }
            GeoChoice::Files(paths) => {
                paths.iter().map(|path| GeoFile::open(path)).collect::<Result<_>>()?
            }
        };
        // The built-in data supplements the files, unless the user named the files.
        let has_built_in = !matches!(choice, GeoChoice::Files(_));
        Ok(Self { is_on: true, files, has_built_in })
    }

    /// Whether there is any source.
    pub fn is_on(&self) -> bool {
        self.is_on
    }

    /// Looks up an address; returns an empty result for addresses that are not on the Internet.
    pub fn find(&self, address: IpAddr) -> GeoRecord<'_> {
        let address = address.to_canonical();
        if !self.is_on || !is_public(address) {
            return GeoRecord::default();
        }
        let mut found = GeoRecord::default();
        for file in &self.files {
            found = found.or(file.find(address));
        }
        let is_complete = found.country.is_some() && found.asn.is_some();
        if self.has_built_in && !is_complete { found.or(BUILT_IN.find(address)) } else { found }
    }

    /// The files, each with the date of its data.
    pub fn file_dates(&self) -> impl Iterator<Item = (String, String)> {
        self.files.iter().map(|file| (file.path().display().to_string(), file.date()))
    }

    /// Each source with the date of its data.
    pub fn sources(&self) -> Vec<(String, String)> {
        let built_in = (self.is_on && self.has_built_in)
            .then(|| ("built-in".to_owned(), BUILT_IN.date().to_owned()));
        self.file_dates().chain(built_in).collect()
    }
}

impl<'a> GeoRecord<'a> {
    /// Fills missing facts from the other result. An AS and its name stay together.
    fn or(self, other: GeoRecord<'a>) -> Self {
        let country = self.country.or(other.country);
        if self.asn.is_some() { Self { country, ..self } } else { GeoRecord { country, ..other } }
    }
}

/// Whether an address can be on the Internet.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let is_shared = first == 100 && second & 0xc0 == 64;
            let is_local = v4.is_private() || v4.is_loopback() || v4.is_link_local();
            !is_local && !is_shared && first != 0 && first < 224
        }
        // Only 2000::/3 is allocated.
        IpAddr::V6(v6) => v6.octets()[0] >> 5 == 1,
    }
}

/// The built-in data, for benches.
pub fn built_in() -> &'static Data {
    &BUILT_IN
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(address: &str) -> (String, u32) {
        let geo = Geo { is_on: true, files: Vec::new(), has_built_in: true };
        let found = geo.find(address.parse().unwrap());
        (found.country.map(String::from).unwrap_or_default(), found.asn.unwrap_or_default())
    }

    #[test]
    fn known_addresses() {
        let expected = [
            ("8.8.8.8", "US", 15169),
            ("114.114.114.114", "CN", 21859),
            ("1.2.4.8", "CN", 24406),
            ("2001:4860:4860::8888", "US", 15169),
            ("2a00:1450:4001:80b::200e", "IE", 15169),
            ("::ffff:8.8.8.8", "US", 15169),
        ];
        for (address, country, asn) in expected {
            assert_eq!(find(address), (country.to_owned(), asn), "{address}");
        }
    }

    #[test]
    fn private_addresses_are_nowhere() {
        for address in [
            "10.0.0.1",
            "127.0.0.1",
            "100.64.0.1",
            "0.0.0.0",
            "224.0.0.1",
            "fe80::1",
            "fd00::1",
            "::",
        ] {
            assert_eq!(find(address), (String::new(), 0), "{address}");
        }
        for address in ["255.255.255.255", "3fff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2000::"] {
            find(address);
        }
    }

    #[test]
    fn the_operator_name_belongs_to_the_same_as() {
        let file = GeoRecord { country: None, asn: Some(64500), as_name: None };
        let other = GeoRecord { country: Country::new("de"), asn: Some(1), as_name: Some("one") };
        assert_eq!(file.or(other), GeoRecord { country: Country::new("DE"), ..file });
    }
}
