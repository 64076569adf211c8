//! An interval to be sent, with the sums up to it. Owns the type.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::attribute::geo::Geo;
use crate::output::export::queue::Load;
use crate::traffic::interval::{Interval, Totals};

/// An interval to be sent.
pub(super) struct Batch {
    pub(super) interval: Arc<Interval>,
    /// Its interfaces.
    pub(super) names: Arc<Vec<(u32, String)>>,
    pub(super) geo: Arc<Geo>,
    /// Sums since the start.
    pub(super) totals: Totals,
    /// Alerts since the start, by kind and status.
    pub(super) messages: BTreeMap<(&'static str, &'static str), u64>,
}

impl Load for Batch {
    fn interval(&self) -> &Interval {
        &self.interval
    }
}
