//! What alerts need besides their incidents: where the engine runs, labels, and the scope of keys.

use std::collections::BTreeMap;

use crate::attribute::Directory;
use crate::message::alert::KeyScope;

/// What alerts say besides their incidents.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Settings {
    /// Whose incidents are the same.
    pub key_scope: KeyScope,
    /// What every alert says besides.
    pub labels: BTreeMap<String, String>,
    /// Whether to say each day what was held back.
    pub is_daily: bool,
}

/// Where the engine runs.
pub struct AlertContext<'a> {
    /// Name of this host.
    pub host: &'a str,
    /// The name of an interface by its number.
    pub interface_name: &'a dyn Fn(u32) -> String,
    /// What is known of addresses.
    pub directory: &'a Directory,
}
