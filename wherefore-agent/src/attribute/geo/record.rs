//! The country and AS of an address. Owns the spelling of countries.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Two letters, as in ISO 3166-1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Country(pub [u8; 2]);

impl Country {
    /// Makes a country from two letters.
    pub fn new(text: &str) -> Option<Self> {
        let letters: [u8; 2] = text.as_bytes().try_into().ok()?;
        letters
            .iter()
            .all(u8::is_ascii_alphabetic)
            .then(|| Self(letters.map(|c| c.to_ascii_uppercase())))
    }

    /// The letters as a number.
    pub fn number(self) -> u32 {
        u32::from(u16::from_be_bytes(self.0))
    }

    /// The two letters.
    pub fn as_str(&self) -> &str {
        // Only letters are stored.
        std::str::from_utf8(&self.0).unwrap_or("??")
    }
}

impl fmt::Display for Country {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl TryFrom<String> for Country {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        Self::new(&text)
            .ok_or_else(|| format!("{text:?} is not a country code: expected two letters"))
    }
}

impl From<Country> for String {
    fn from(country: Country) -> Self {
        country.as_str().to_owned()
    }
}

impl std::str::FromStr for Country {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::try_from(text.to_owned())
    }
}

/// The country and AS of an address.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GeoRecord<'a> {
    /// The country of registration or, in some files, of use.
    pub country: Option<Country>,
    /// The AS that announces it.
    pub asn: Option<u32>,
    /// The operator of that AS.
    pub as_name: Option<&'a str>,
}
