//! The owners in records of flows. Owns reading them back as the owners of an interval; refuses to
//! write records, which [`crate::output::jsonl`] does.

use rustc_hash::FxHashMap;
use serde_json::{Map, Value};
use wherefore_common::{Direction, FlowKey};

use crate::message::owner::OwnerRecord;
use crate::traffic::flows::Flows;
use crate::traffic::who::{Owner, Owners, Unattributed};

/// Reads the owners of the source, the destination and the end on this host; `None` if the record has none.
///
/// # Errors
/// If their fields are not those of an owner.
pub(super) fn ends(line: &str, direction: Direction) -> Result<Option<[Owner; 3]>, String> {
    let failed =
        |error: serde_json::Error| format!("the owner of the flow cannot be read: {error}");
    let fields: Map<String, Value> = serde_json::from_str(line).map_err(failed)?;
    let owner = |prefix: &str| -> Result<Option<Owner>, String> {
        let name = |(name, value): (&String, &Value)| {
            Some((name.strip_prefix(prefix)?.to_owned(), value.clone()))
        };
        let of_end = Value::Object(fields.iter().filter_map(name).collect());
        let record: OwnerRecord = serde_json::from_value(of_end).map_err(failed)?;
        Ok(record.into_owner())
    };
    let (source, destination) = (owner("source.")?, owner("destination.")?);
    let reason = fields.get("wherefore.unattributed").cloned().map(serde_json::from_value);
    let reason = reason.transpose().map_err(failed)?.map(Owner::Unattributed);
    let (near, far) = match direction {
        Direction::Ingress => (&destination, &source),
        Direction::Egress | Direction::Unknown => (&source, &destination),
    };
    let local = reason.as_ref().or(near.as_ref()).or(far.as_ref()).cloned();
    let is_near_nobody = reason.is_some() && near.is_none();
    let nobody = |is_near: bool| match &reason {
        Some(reason) if is_near && is_near_nobody => reason.clone(),
        _ => Owner::Unattributed(Unattributed::Remote),
    };
    let is_source_near = direction != Direction::Ingress;
    Ok(local.map(|local| {
        let source = source.unwrap_or_else(|| nobody(is_source_near));
        [source, destination.unwrap_or_else(|| nobody(!is_source_near)), local]
    }))
}

/// The owners of an interval's flows, while it is read.
#[derive(Default)]
pub(super) struct RecordedOwners {
    owners: Owners,
    numbers: FxHashMap<Owner, u32>,
    of_flows: FxHashMap<FlowKey, [u32; 3]>,
}

impl RecordedOwners {
    /// Adds a flow with the owners of its ends.
    pub(super) fn add(&mut self, flow: FlowKey, ends: [Owner; 3]) {
        let Self { owners, numbers, of_flows } = self;
        let number = |owner: Owner| match numbers.get(&owner) {
            Some(number) => *number,
            None => *numbers.entry(owner.clone()).or_insert_with(|| owners.add_owner(owner)),
        };
        of_flows.insert(flow, ends.map(number));
    }

    /// The owners of these flows, in their order.
    pub(super) fn of(mut self, flows: &Flows) -> Owners {
        let off = self.owners.add_owner(Owner::Unattributed(Unattributed::Off));
        for at in 0..flows.len() {
            let ends = self.of_flows.get(&flows.key(at)).copied();
            let [source, destination, local] = ends.unwrap_or([off; 3]);
            self.owners.push(source, destination, local);
        }
        self.owners
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pids(line: &str, direction: Direction) -> Option<[Result<u32, Unattributed>; 3]> {
        let pid = |owner| match owner {
            Owner::Process(process) => Ok(process.pid),
            Owner::Unattributed(reason) => Err(reason),
        };
        ends(line, direction).expect("it is a record").map(|ends| ends.map(pid))
    }

    #[test]
    fn the_owner_of_this_host_is_found_again() {
        let (remote, kernel) = (Err(Unattributed::Remote), Err(Unattributed::Kernel));
        let both = r#"{"source.process.pid":7,"destination.process.pid":8}"#;
        assert_eq!(pids(both, Direction::Egress), Some([Ok(7), Ok(8), Ok(7)]));
        assert_eq!(pids(both, Direction::Ingress), Some([Ok(7), Ok(8), Ok(8)]));
        let one = r#"{"bytes":1,"destination.process.pid":8}"#;
        assert_eq!(pids(one, Direction::Egress), Some([remote, Ok(8), Ok(8)]));
        let none = r#"{"wherefore.unattributed":"kernel"}"#;
        assert_eq!(pids(none, Direction::Ingress), Some([remote, kernel, kernel]));
        assert_eq!(pids(r#"{"bytes":1}"#, Direction::Ingress), None);
        assert!(ends(r#"{"source.process.pid":"x"}"#, Direction::Egress).is_err());
    }
}
