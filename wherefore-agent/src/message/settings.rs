//! Facts that alerts need besides their incidents: the host and its interfaces, labels, the scope of keys.
//! Owns only the values.

use std::collections::BTreeMap;

use crate::attribute::Directory;
use crate::message::alert::KeyScope;

/// Settings of alerts, besides those of incidents.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Which agents use the same key for the same incident.
    pub key_scope: KeyScope,
    /// Labels of every alert.
    pub labels: BTreeMap<String, String>,
    /// Whether a daily message reports the findings that were held back.
    pub is_daily: bool,
}

/// The host that the engine runs on.
pub struct AlertContext<'a> {
    /// Name of this host.
    pub host: &'a str,
    /// The name of an interface by its number.
    pub interface_name: &'a dyn Fn(u32) -> String,
    /// Names and places of addresses.
    pub directory: &'a Directory,
}
