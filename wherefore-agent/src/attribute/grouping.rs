//! Groups flows by what is not part of a flow: its owner, or the country, AS or name of its peer. Owns the
//! names of these groups; [`GroupBy`] does all other groupings.

use std::net::IpAddr;
use std::sync::Arc;

use rustc_hash::FxHashMap;
use wherefore_common::flow::AddressWords;
use wherefore_common::{Direction, FlowKey};

use super::Directory;
use crate::text;
use crate::traffic::group::{GroupBy, peer};
use crate::traffic::interval::{Groups, Interval};
use crate::traffic::named;
use crate::traffic::who::{Owner, Owners, Process, UNKNOWN_USER};

/// The number of digits of a container's id that are shown if it has no name. Runtimes show as many.
const ID_DIGITS: usize = 12;

/// Sets the group of each flow of an interval, if the grouping needs more than the flow itself.
pub fn assign(group_by: GroupBy, interval: &mut Interval, directory: &Directory) {
    if !group_by.is_of_flows() {
        let mut grouping = Grouping::new(group_by, directory);
        let keys = (0..interval.flows.len()).map(|at| grouping.group(interval, at)).collect();
        interval.groups = Groups { group_by, keys };
    }
}

/// Finds the groups of an interval's flows.
pub struct Grouping<'a> {
    group_by: GroupBy,
    directory: &'a Directory,
    /// By the owner's index.
    owners: FxHashMap<u32, AddressWords>,
    peers: FxHashMap<IpAddr, AddressWords>,
}

impl<'a> Grouping<'a> {
    /// Starts grouping with the current data about addresses.
    pub fn new(group_by: GroupBy, directory: &'a Directory) -> Self {
        let (owners, peers) = Default::default();
        Self { group_by, directory, owners, peers }
    }

    /// The group of the flow with this index in the interval.
    pub fn group(&mut self, interval: &Interval, at: usize) -> FlowKey {
        let flow = interval.flows.key(at);
        if let Some(key) = interval.groups.of(self.group_by, at) {
            key
        } else if self.group_by.is_of_flows() {
            self.group_by.key(&flow)
        } else if self.group_by.is_of_owners() {
            let is_sender = is_sender(&interval.owners, at, &flow);
            GroupBy::of_owner(&flow, is_sender, self.owner(&interval.owners, at))
        } else {
            GroupBy::of_peer(&flow, self.peer(peer(&flow).0))
        }
    }

    fn owner(&mut self, owners: &Owners, at: usize) -> AddressWords {
        let number = owners.ends(at).map_or(u32::MAX, |[_, _, local]| local);
        let group_by = self.group_by;
        let find = || named::key_of(&owner_name(group_by, owners.owner(at)));
        *self.owners.entry(number).or_insert_with(find)
    }

    fn peer(&mut self, address: IpAddr) -> AddressWords {
        let Self { group_by, directory, .. } = *self;
        let find = || match group_by {
            GroupBy::Country => {
                let country = directory.geo().find(address).country;
                [country.map_or(0, |country| country.number().into()), 0]
            }
            GroupBy::Asn => [directory.geo().find(address).asn.unwrap_or(0).into(), 0],
            _ => named::key_of(&peer_name(directory.name(address), address)),
        };
        *self.peers.entry(address).or_insert_with(find)
    }
}

/// Whether the owner of a flow is its sender. If it owns both ends, the direction decides.
fn is_sender(owners: &Owners, at: usize, flow: &FlowKey) -> bool {
    match owners.ends(at) {
        Some([source, destination, local]) if source != destination => local == source,
        _ => match flow.direction() {
            Direction::Ingress => false,
            Direction::Egress => true,
            Direction::Unknown => !peer(flow).1,
        },
    }
}

/// The name of an owner. A name in brackets is the reason why there is no owner: no other name begins with a
/// bracket.
fn owner_name(group_by: GroupBy, owner: &Owner) -> String {
    match owner {
        Owner::Process(process) => {
            let name = process_name(group_by, process).filter(|name| !name.is_empty());
            name.map_or_else(|| format!("[no {}]", group_by.name()), |name| sound(&name))
        }
        Owner::Unattributed(reason) => format!("[{}]", reason.name()),
    }
}

fn process_name(group_by: GroupBy, process: &Process) -> Option<String> {
    let shown = |text: &Option<Arc<str>>| text.as_deref().map(str::to_owned);
    match group_by {
        GroupBy::Unit => shown(&process.unit),
        GroupBy::User => {
            let number = (process.uid != UNKNOWN_USER).then(|| process.uid.to_string());
            shown(&process.user).or(number)
        }
        GroupBy::Container => process.container.as_deref().map(|container| {
            shown(&container.name).unwrap_or_else(|| container.id.chars().take(ID_DIGITS).collect())
        }),
        GroupBy::Pod => process.pod.as_deref().map(|pod| match (&pod.namespace, &pod.name) {
            (Some(namespace), Some(name)) => format!("{namespace}/{name}"),
            (_, Some(name)) => name.to_string(),
            _ => pod.uid.to_string(),
        }),
        _ => {
            let file = |path: &Arc<str>| path.rsplit('/').next().unwrap_or(path).to_owned();
            Some(process.executable.as_ref().map_or_else(|| process.name.to_string(), file))
        }
    }
}

fn peer_name(name: Option<Arc<str>>, address: IpAddr) -> String {
    name.map_or_else(|| address.to_canonical().to_string(), |name| sound(&name))
}

/// Makes a name safe: programs and hosts choose their names, and must not be able to imitate a reason or hide
/// in another group.
fn sound(name: &str) -> String {
    let name = text::printable(name);
    if name.starts_with('[') { format!("\\{name}") } else { name }
}

#[cfg(test)]
mod tests {
    use wherefore_common::Counters;

    use super::*;
    use crate::traffic::who::{Container, Pod, Unattributed};

    fn process(name: &str, executable: Option<&str>) -> Process {
        Process {
            pid: 811,
            started_ns: 1,
            name: name.into(),
            executable: executable.map(Into::into),
            arguments: None,
            uid: 34,
            user: None,
            unit: Some("backup.service".into()),
            container: None,
            pod: None,
            is_shared: false,
        }
    }

    fn named(group_by: GroupBy, process: Process) -> String {
        owner_name(group_by, &Owner::Process(Arc::new(process)))
    }

    #[test]
    fn owners_have_a_name_that_outlives_them() {
        let rsync = || process("rsync: 7", Some("/usr/bin/rsync"));
        assert_eq!(named(GroupBy::Process, rsync()), "rsync");
        assert_eq!(named(GroupBy::Process, process("curl", None)), "curl");
        assert_eq!(named(GroupBy::Process, process("", None)), "[no process]");
        assert_eq!(named(GroupBy::Process, process("[kernel]", None)), "\\[kernel]");
        assert_eq!(named(GroupBy::Unit, rsync()), "backup.service");
        assert_eq!(named(GroupBy::User, rsync()), "34");
        assert_eq!(named(GroupBy::Container, rsync()), "[no container]");
        let container = Container { id: "0123456789abcdef".into(), runtime: None, name: None };
        let container = Process { container: Some(Arc::new(container)), ..rsync() };
        assert_eq!(named(GroupBy::Container, container), "0123456789ab");
        let (namespace, name) = (Some("shop".into()), Some("cart-7f".into()));
        let pod = Pod { uid: "u".into(), name, namespace, container: None };
        let pod = Process { pod: Some(Arc::new(pod)), ..rsync() };
        assert_eq!(named(GroupBy::Pod, pod), "shop/cart-7f");
        let none = Owner::Unattributed(Unattributed::Forwarded);
        assert_eq!(owner_name(GroupBy::Unit, &none), "[forwarded]");
    }

    #[test]
    fn groups_of_owners_are_all_bytes() {
        let flow = |direction, sport| FlowKey {
            src: [1, 0],
            dst: [2, 0],
            ifindex: 3,
            direction,
            sport,
            family: 4,
            ..FlowKey::default()
        };
        let counters =
            |bytes| Counters { bytes, packets: 1, device_packets: 1, ..Counters::default() };
        let flows = [(flow(2, 1), 10), (flow(1, 2), 20), (flow(2, 3), 40), (flow(1, 4), 80)];
        let mut owners = Owners::default();
        let rsync = owners.add_owner(Owner::Process(Arc::new(process("rsync", None))));
        let [remote, kernel] = [Unattributed::Remote, Unattributed::Kernel]
            .map(|reason| owners.add_owner(Owner::Unattributed(reason)));
        owners.push(rsync, remote, rsync);
        owners.push(remote, rsync, rsync);
        owners.push(kernel, remote, kernel);
        // The flow was seen coming in, but a process of this host sent it.
        owners.push(rsync, remote, rsync);
        let flows = flows.map(|(key, bytes)| (key, counters(bytes)));
        let mut interval =
            Interval { flows: flows.into_iter().collect(), owners, ..Interval::default() };
        assign(GroupBy::Process, &mut interval, &Directory::default());
        let by = GroupBy::Process;
        let groups: Vec<_> = (0..4)
            .map(|at| interval.groups.of(by, at).unwrap())
            .map(|key| (by.source(&key), by.destination(&key)))
            .collect();
        let of = |src: &str, dst: &str| (src.to_owned(), dst.to_owned());
        let sent = of("rsync", "*");
        assert_eq!(groups, [sent.clone(), of("*", "rsync"), of("[kernel]", "*"), sent]);
    }

    #[test]
    fn peers_without_a_name_have_their_address() {
        let address: IpAddr = "::ffff:192.0.2.7".parse().unwrap();
        assert_eq!(peer_name(None, address), "192.0.2.7");
        assert_eq!(peer_name(Some("[a\x1b".into()), address), "\\[a\\u{1b}");
    }
}
