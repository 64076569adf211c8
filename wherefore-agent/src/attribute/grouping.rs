//! Groups by what is known of the peer: its country, or its AS. Owns what they are named by; the others
//! are [`GroupBy`]'s own.

use wherefore_common::FlowKey;

use super::geo::Geo;
use crate::traffic::group::{GroupBy, peer};

/// The group that a flow belongs to.
pub fn group(group_by: GroupBy, flow: &FlowKey, geo: &Geo) -> FlowKey {
    let number = match group_by {
        GroupBy::Country => geo.find(peer(flow).0).country.map(|country| country.number()),
        GroupBy::Asn => geo.find(peer(flow).0).asn,
        _ => return group_by.key(flow),
    };
    GroupBy::of_peer(flow, number.unwrap_or(0))
}
