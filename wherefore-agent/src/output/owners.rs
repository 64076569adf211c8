//! The owners of a flow's ends as fields of a record. The names are OpenTelemetry's, after `source.` and
//! `destination.`; an end on this host without an owner has the reason instead.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};

use crate::message::owner::OwnerRecord;
use crate::traffic::interval::Interval;
use crate::traffic::who::Owner;

/// Fields of a record.
pub(super) type Fields = Map<String, Value>;

/// The fields of all combinations of owners in an interval, of which there are far fewer than flows.
#[derive(Default)]
pub(super) struct OwnerFields(FxHashMap<[u32; 3], Fields>);

impl OwnerFields {
    /// The fields of a flow; `None` if attribution is off.
    pub(super) fn of_flow(&mut self, interval: &Interval, at: usize) -> Option<&Fields> {
        let owners = &interval.owners;
        let ends = owners.ends(at)?;
        Some(self.0.entry(ends).or_insert_with(|| {
            let [source, destination] = [owners.source(at), owners.destination(at)];
            fields(source, destination, owners.owner(at))
        }))
    }
}

fn fields(source: &Owner, destination: &Owner, local: &Owner) -> Fields {
    let mut fields = Fields::new();
    for (prefix, owner) in [("source", source), ("destination", destination)] {
        if owner.process().is_some() {
            let named = of(owner).into_iter();
            fields.extend(named.map(|(name, value)| (format!("{prefix}.{name}"), value)));
        }
    }
    if local.process().is_none() {
        fields.extend(of(local));
    }
    fields
}

/// The fields of one owner.
pub(super) fn of(owner: &Owner) -> Fields {
    match serde_json::to_value(OwnerRecord::new(owner)) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) | Err(_) => Fields::new(),
    }
}
