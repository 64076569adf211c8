//! Name, country and AS of both ends of a flow or a group, as fields of a record. Owns the fields' names.

use std::borrow::Cow;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::directory::{Directory, Place};
use super::geo::Country;

/// Fields of a record; unknown ones are left out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct Ends<'a> {
    /// Name of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_name: Option<Cow<'a, str>>,
    /// Country of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub src_country: Option<Country>,
    /// AS of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_asn: Option<u32>,
    /// Operator of the AS of the source.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub src_as_name: Option<Cow<'a, str>>,
    /// Name of the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_name: Option<Cow<'a, str>>,
    /// Country of the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub dst_country: Option<Country>,
    /// AS of the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_asn: Option<u32>,
    /// Operator of the AS of the destination.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dst_as_name: Option<Cow<'a, str>>,
}

impl<'a> Ends<'a> {
    /// The fields of these addresses, as far as there are any.
    pub fn of(directory: &'a Directory, [source, destination]: [Option<IpAddr>; 2]) -> Self {
        let place = |address: Option<IpAddr>| address.map(|address| directory.place(address));
        let (source, destination) = (place(source).unwrap_or_default(), place(destination));
        let destination = destination.unwrap_or_default();
        Self {
            src_name: source.name.map(|name| Cow::Owned(name.to_string())),
            src_country: source.country,
            src_asn: source.asn,
            src_as_name: source.as_name.map(Cow::Borrowed),
            dst_name: destination.name.map(|name| Cow::Owned(name.to_string())),
            dst_country: destination.country,
            dst_asn: destination.asn,
            dst_as_name: destination.as_name.map(Cow::Borrowed),
        }
    }

    /// The same, without borrowed data.
    pub fn into_owned(self) -> Ends<'static> {
        let owned = |text: Option<Cow<'_, str>>| text.map(|text| Cow::Owned(text.into_owned()));
        Ends {
            src_name: owned(self.src_name),
            src_as_name: owned(self.src_as_name),
            dst_name: owned(self.dst_name),
            dst_as_name: owned(self.dst_as_name),
            src_country: self.src_country,
            src_asn: self.src_asn,
            dst_country: self.dst_country,
            dst_asn: self.dst_asn,
        }
    }

    /// One end as text: `203.0.113.9 (updates.example.org, CN, AS4134 CHINANET)`.
    pub fn source(&self, address: &str) -> String {
        let (country, asn) = (self.src_country, self.src_asn);
        described(address, &self.src_name, country, asn, &self.src_as_name)
    }

    /// The destination as text; see [`Self::source`].
    pub fn destination(&self, address: &str) -> String {
        let (country, asn) = (self.dst_country, self.dst_asn);
        described(address, &self.dst_name, country, asn, &self.dst_as_name)
    }
}

fn described(
    address: &str,
    name: &Option<Cow<'_, str>>,
    country: Option<Country>,
    asn: Option<u32>,
    as_name: &Option<Cow<'_, str>>,
) -> String {
    let place =
        Place { country, asn, as_name: as_name.as_deref(), name: name.as_deref().map(Into::into) };
    if place == Place::default() { address.to_owned() } else { format!("{address} ({place})") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_has_its_known_names() {
        let mut ends = Ends::default();
        assert_eq!(ends.source("10.0.0.1"), "10.0.0.1");
        ends.dst_country = Country::new("CN");
        ends.dst_asn = Some(4134);
        assert_eq!(ends.destination("192.0.2.1"), "192.0.2.1 (CN, AS4134)");
        ends.dst_as_name = Some("CHINANET".into());
        ends.dst_name = Some("updates.example.org".into());
        let expected = "192.0.2.1 (updates.example.org, CN, AS4134 CHINANET)";
        assert_eq!(ends.destination("192.0.2.1"), expected);
    }

    #[test]
    fn unknown_facts_have_no_field() {
        let ends = Ends { dst_asn: Some(7), ..Ends::default() };
        let text = serde_json::to_string(&ends).unwrap();
        assert_eq!(text, r#"{"dst_asn":7}"#);
        assert_eq!(serde_json::from_str::<Ends<'_>>(&text).unwrap(), ends);
    }
}
