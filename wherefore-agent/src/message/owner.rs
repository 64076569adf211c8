//! Owners in output: the fields that name a process, and its text. Owns the names of the fields, which follow
//! OpenTelemetry's semantic conventions where these define one.

use std::sync::Arc;

use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};
use wherefore_common::FlowKey;

use crate::attribute::Directory;
use crate::attribute::grouping::Grouping;
use crate::traffic::group::GroupBy;
use crate::traffic::interval::Interval;
use crate::traffic::who::{Container, Owner, Pod, Process, UNKNOWN_USER, Unattributed};

/// The fields of an owner. Fields without a value are absent.
#[derive(Debug, Default, Clone, PartialEq, Eq, Serialize, Deserialize, utoipa::ToSchema)]
#[serde(default)]
pub struct OwnerRecord {
    /// PID of the process, in the host's PID namespace.
    #[serde(rename = "process.pid", skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Name of the process, which is that of its main thread.
    #[serde(rename = "wherefore.process.name", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Name of its program file.
    #[serde(rename = "process.executable.name", skip_serializing_if = "Option::is_none")]
    pub executable_name: Option<String>,
    /// Path of its program file.
    #[serde(rename = "process.executable.path", skip_serializing_if = "Option::is_none")]
    pub executable_path: Option<String>,
    /// Command line, with `--show-arguments`.
    #[serde(rename = "process.command_line", skip_serializing_if = "Option::is_none")]
    pub command_line: Option<String>,
    /// Number of its user.
    #[serde(rename = "process.user.id", skip_serializing_if = "Option::is_none")]
    pub user_id: Option<u32>,
    /// Name of its user.
    #[serde(rename = "process.user.name", skip_serializing_if = "Option::is_none")]
    pub user_name: Option<String>,
    /// systemd unit.
    #[serde(rename = "wherefore.systemd.unit", skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// Id of its container.
    #[serde(rename = "container.id", skip_serializing_if = "Option::is_none")]
    pub container_id: Option<String>,
    /// Name of its container.
    #[serde(rename = "container.name", skip_serializing_if = "Option::is_none")]
    pub container_name: Option<String>,
    /// Runtime of the container.
    #[serde(rename = "container.runtime.name", skip_serializing_if = "Option::is_none")]
    pub container_runtime: Option<String>,
    /// UID of its pod.
    #[serde(rename = "k8s.pod.uid", skip_serializing_if = "Option::is_none")]
    pub pod_uid: Option<String>,
    /// Name of its pod.
    #[serde(rename = "k8s.pod.name", skip_serializing_if = "Option::is_none")]
    pub pod_name: Option<String>,
    /// Namespace of its pod.
    #[serde(rename = "k8s.namespace.name", skip_serializing_if = "Option::is_none")]
    pub pod_namespace: Option<String>,
    /// Name of the container in its pod.
    #[serde(rename = "k8s.container.name", skip_serializing_if = "Option::is_none")]
    pub pod_container: Option<String>,
    /// Whether several processes used the same socket; this one used it last.
    #[serde(rename = "wherefore.process.shared", skip_serializing_if = "Option::is_none")]
    pub is_shared: Option<bool>,
    /// The reason why no owner is known.
    #[serde(rename = "wherefore.unattributed", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub unattributed: Option<Unattributed>,
}

impl OwnerRecord {
    /// The fields of this owner.
    pub fn new(owner: &Owner) -> Self {
        match owner {
            Owner::Process(process) => Self::of_process(process),
            Owner::Unattributed(Unattributed::Off) => Self::default(),
            Owner::Unattributed(reason) => Self { unattributed: Some(*reason), ..Self::default() },
        }
    }

    /// The owner with these fields, or `None` if all are empty. Absent fields stay unknown.
    pub fn into_owner(self) -> Option<Owner> {
        if self == Self::default() {
            return None;
        }
        if let Some(reason) = self.unattributed {
            return Some(Owner::Unattributed(reason));
        }
        let text = |text: Option<String>| text.map(Arc::<str>::from);
        let container = self.container_id.map(|id| Container {
            id: id.into(),
            runtime: text(self.container_runtime),
            name: text(self.container_name),
        });
        let pod = self.pod_uid.map(|uid| Pod {
            uid: uid.into(),
            name: text(self.pod_name),
            namespace: text(self.pod_namespace),
            container: text(self.pod_container),
        });
        Some(Owner::Process(Arc::new(Process {
            pid: self.pid.unwrap_or_default(),
            started_ns: 0,
            name: self.name.unwrap_or_default().into(),
            executable: text(self.executable_path.or(self.executable_name)),
            arguments: text(self.command_line),
            uid: self.user_id.unwrap_or(UNKNOWN_USER),
            user: text(self.user_name),
            unit: text(self.unit),
            container: container.map(Arc::new),
            pod: pod.map(Arc::new),
            is_shared: self.is_shared.unwrap_or_default(),
        })))
    }

    fn of_process(process: &Process) -> Self {
        let text = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
        let is_shown = !process.name.is_empty();
        let container = process.container.as_deref();
        let pod = process.pod.as_deref();
        let executable = process.executable.as_deref();
        Self {
            pid: is_shown.then_some(process.pid),
            name: is_shown.then(|| process.name.to_string()),
            executable_name: executable
                .map(|path| path.rsplit('/').next().unwrap_or(path).to_owned()),
            executable_path: executable.filter(|path| path.starts_with('/')).map(str::to_owned),
            command_line: text(&process.arguments),
            user_id: (process.uid != UNKNOWN_USER).then_some(process.uid),
            user_name: text(&process.user),
            unit: text(&process.unit),
            container_id: container.map(|container| container.id.to_string()),
            container_name: container.and_then(|container| text(&container.name)),
            container_runtime: container.and_then(|container| text(&container.runtime)),
            pod_uid: pod.map(|pod| pod.uid.to_string()),
            pod_name: pod.and_then(|pod| text(&pod.name)),
            pod_namespace: pod.and_then(|pod| text(&pod.namespace)),
            pod_container: pod.and_then(|pod| text(&pod.container)),
            is_shared: process.is_shared.then_some(true),
            unattributed: None,
        }
    }
}

/// A process as text: `rsync (pid 811, backup.service, user backup)`.
pub fn label(process: &Process) -> String {
    let mut parts = Vec::new();
    if !process.name.is_empty() {
        parts.push(format!("pid {}", process.pid));
    }
    if let Some(pod) = process.pod.as_deref() {
        let name = pod.name.as_deref().unwrap_or(&pod.uid);
        let namespace = pod.namespace.as_deref().map(|namespace| format!("{namespace}/"));
        parts.push(format!("pod {}{name}", namespace.unwrap_or_default()));
    } else if let Some(container) = process.container.as_deref() {
        let id = container.id.get(..12).unwrap_or(&container.id);
        parts.push(format!("container {}", container.name.as_deref().unwrap_or(id)));
    } else if let Some(unit) = process.unit.as_deref() {
        parts.push(unit.to_owned());
    }
    let user = process.user.as_deref().map_or_else(|| process.uid.to_string(), str::to_owned);
    if process.uid != UNKNOWN_USER {
        parts.push(format!("user {user}"));
    }
    if process.is_shared {
        parts.push("shared socket".to_owned());
    }
    if process.name.is_empty() {
        return parts.join(", ");
    }
    format!("{} ({})", printable(&process.name), parts.join(", "))
}

/// Makes a name safe to print, because processes choose their names.
fn printable(name: &str) -> String {
    name.chars().map(|char| if char.is_control() { '?' } else { char }).collect()
}

/// The owner with most of the traffic of each of these groups; `None` if none is known.
pub fn of_groups(
    interval: &Interval,
    groups: &[(GroupBy, FlowKey)],
    directory: &Directory,
) -> Vec<Option<Owner>> {
    let mut wanted: FxHashMap<(GroupBy, FlowKey), usize> = FxHashMap::default();
    for (at, (group_by, key)) in groups.iter().enumerate() {
        wanted.entry((*group_by, anywhere(*group_by, key))).or_insert(at);
    }
    let mut ways: Vec<_> = groups.iter().map(|(group_by, _)| *group_by).collect();
    ways.sort_unstable();
    ways.dedup();
    let mut ways: Vec<_> =
        ways.into_iter().map(|group_by| (group_by, Grouping::new(group_by, directory))).collect();
    let mut sums: Vec<FxHashMap<&Owner, u64>> = vec![FxHashMap::default(); groups.len()];
    for at in 0..interval.owners.len() {
        for (group_by, grouping) in &mut ways {
            let group = anywhere(*group_by, &grouping.group(interval, at));
            for group in [Some(group), group_by.without_direction(&group)].into_iter().flatten() {
                if let Some(group) = wanted.get(&(*group_by, group)) {
                    *sums[*group].entry(interval.owners.owner(at)).or_default() +=
                        interval.flows.bytes(at);
                }
            }
        }
    }
    let most = groups.iter().map(|(group_by, key)| {
        let of_group = &sums[*wanted.get(&(*group_by, anywhere(*group_by, key)))?];
        let rank = |(owner, bytes): &(&&Owner, &u64)| (**bytes, owner.process().map(|one| one.pid));
        of_group.iter().max_by_key(rank).map(|(owner, _)| (*owner).clone())
    });
    most.collect()
}

/// The group on all interfaces, unless the group is an interface.
fn anywhere(group_by: GroupBy, group: &FlowKey) -> FlowKey {
    let ifindex = if group_by == GroupBy::Interface { group.ifindex } else { 0 };
    FlowKey { ifindex, ..*group }
}

#[cfg(test)]
mod tests {
    use wherefore_common::Counters;

    use super::*;
    use crate::traffic::who::Owners;

    fn process(pid: u32) -> Process {
        Process {
            pid,
            started_ns: 1,
            name: "rsync".into(),
            executable: Some("/usr/bin/rsync".into()),
            arguments: None,
            uid: 34,
            user: Some("backup".into()),
            unit: Some("backup.service".into()),
            container: None,
            pod: None,
            is_shared: false,
        }
    }

    #[test]
    fn people_read_who_it_is() {
        assert_eq!(label(&process(811)), "rsync (pid 811, backup.service, user backup)");
        let container = Container { id: "0123456789abcdef".into(), runtime: None, name: None };
        let container = Some(Arc::new(container));
        let other =
            Process { user: None, is_shared: true, container, name: "a\x1b".into(), ..process(7) };
        assert_eq!(label(&other), "a? (pid 7, container 0123456789ab, user 34, shared socket)");
        let hidden = Process { name: "".into(), pid: 0, ..process(7) };
        assert_eq!(label(&hidden), "backup.service, user backup");
    }

    #[test]
    fn fields_survive_a_file() {
        let record = OwnerRecord::new(&Owner::Process(Arc::new(process(811))));
        let text = serde_json::to_string(&record).expect("it is plain");
        assert!(text.contains(r#""process.executable.name":"rsync""#), "{text}");
        assert_eq!(serde_json::from_str::<OwnerRecord>(&text).expect("it is JSON"), record);
        let read = Owner::Process(Arc::new(Process { started_ns: 0, ..process(811) }));
        assert_eq!(record.into_owner(), Some(read));
        assert_eq!(OwnerRecord::default().into_owner(), None);
        let none = OwnerRecord::new(&Owner::Unattributed(Unattributed::Forwarded));
        let text = serde_json::to_string(&none).expect("it is plain");
        assert_eq!(text, r#"{"wherefore.unattributed":"forwarded"}"#);
    }

    #[test]
    fn a_groups_owner_is_the_one_with_most_bytes() {
        let flow = |sport, bytes| {
            let key = FlowKey {
                src: [1, 0],
                dst: [2, 0],
                sport,
                ifindex: 3,
                family: 4,
                ..FlowKey::default()
            };
            (key, Counters { bytes, packets: 1, device_packets: 1, ..Counters::default() })
        };
        let flows = [flow(1, 10), flow(2, 30), flow(3, 25)];
        let mut owners = Owners::default();
        let [one, two] = [1, 2].map(|pid| owners.add_owner(Owner::Process(Arc::new(process(pid)))));
        [one, two, one].into_iter().for_each(|owner| owners.push(owner, owner, owner));
        let interval =
            Interval { flows: flows.into_iter().collect(), owners, ..Interval::default() };
        let pair = GroupBy::Pair.key(&flows[0].0);
        let found = of_groups(
            &interval,
            &[(GroupBy::Pair, pair), (GroupBy::Src, pair), (GroupBy::Pair, pair)],
            &Directory::default(),
        );
        let pids: Vec<_> =
            found.iter().map(|owner| owner.as_ref()?.process().map(|one| one.pid)).collect();
        assert_eq!(pids, [Some(1), None, Some(1)]);
    }
}
