//! Processes as output shows them: with user, unit, container and pod. Owns their memory between intervals.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use super::containers::{self, Containers};
use super::settings::Settings;
use super::users::Users;
use super::{cgroup, process};
use crate::traffic::who::Process;

/// The most processes that are remembered. Beyond that, those without traffic in the last interval are
/// forgotten.
const MOST: usize = 16_384;

/// Facts about a process.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct Facts {
    pub(super) pid: u32,
    pub(super) started_ns: u64,
    pub(super) name: String,
    pub(super) executable: Option<String>,
    pub(super) uid: u32,
    pub(super) cgroup: Option<String>,
    pub(super) is_shared: bool,
}

/// The remembered processes.
#[derive(Debug)]
pub(super) struct ProcessCache {
    settings: Settings,
    users: Users,
    containers: Containers,
    processes: FxHashMap<Facts, CachedProcess>,
    interval: i64,
}

#[derive(Debug)]
struct CachedProcess {
    process: Arc<Process>,
    /// The last interval in which it had traffic.
    last: i64,
}

impl ProcessCache {
    pub(super) fn new(settings: Settings) -> Self {
        let (users, containers, processes) = Default::default();
        Self { settings, users, containers, processes, interval: 0 }
    }

    /// Begins the interval with this number.
    pub(super) fn begin(&mut self, interval: i64) {
        self.users.refresh();
        if self.processes.len() > MOST {
            let before = self.interval;
            self.processes.retain(|_, cached| cached.last >= before);
        }
        self.interval = interval;
    }

    /// The process with these facts. It is the same object in each interval while the facts stay the same.
    pub(super) fn process(&mut self, facts: Facts) -> Arc<Process> {
        if let Some(cached) = self.processes.get_mut(&facts) {
            cached.last = self.interval;
            return Arc::clone(&cached.process);
        }
        let process = Arc::new(self.describe(&facts));
        let cached = CachedProcess { process: Arc::clone(&process), last: self.interval };
        self.processes.insert(facts, cached);
        process
    }

    fn describe(&mut self, facts: &Facts) -> Process {
        let place = facts.cgroup.as_deref().map(cgroup::read).unwrap_or_default();
        let found = place
            .container
            .as_deref()
            .map(|id| self.containers.find(id, place.runtime, place.pod.as_deref()));
        let of_container = found.as_ref().and_then(|found| found.pod.clone());
        let pod = of_container.or_else(|| place.pod.as_deref().map(containers::pod).map(Arc::new));
        let process = Process {
            pid: facts.pid,
            started_ns: facts.started_ns,
            name: facts.name.as_str().into(),
            executable: facts.executable.as_deref().map(Arc::from),
            arguments: self.arguments(facts).map(Arc::from),
            uid: facts.uid,
            user: self.users.name(facts.uid),
            unit: place.unit.map(Arc::from),
            container: found.map(|found| found.container),
            pod,
            is_shared: facts.is_shared,
        };
        if self.settings.hides_processes { hidden(process) } else { process }
    }

    fn arguments(&self, facts: &Facts) -> Option<String> {
        if !self.settings.shows_arguments {
            return None;
        }
        let is_it = |seen: process::ProcessFacts| seen.started == process::ticks(facts.started_ns);
        process::arguments(facts.pid).filter(|_| process::read(facts.pid).is_some_and(is_it))
    }
}

/// Removes the process's own names; user, unit, container and pod stay.
fn hidden(process: Process) -> Process {
    let (name, executable, arguments) = ("".into(), None, None);
    Process { pid: 0, started_ns: 0, name, executable, arguments, ..process }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts() -> Facts {
        let cgroup = Some("/system.slice/backup.service".to_owned());
        let executable = Some("/usr/bin/rsync".to_owned());
        Facts {
            pid: 811,
            started_ns: 7,
            name: "rsync".to_owned(),
            executable,
            uid: 0,
            cgroup,
            is_shared: false,
        }
    }

    #[test]
    fn a_process_is_the_same_as_long_as_its_facts_are() {
        let mut processes = ProcessCache::new(Settings::default());
        processes.begin(1);
        let one = processes.process(facts());
        assert_eq!(
            (one.unit.as_deref(), one.user.as_deref()),
            (Some("backup.service"), Some("root"))
        );
        assert!(Arc::ptr_eq(&one, &processes.process(facts())));
        let moved = processes.process(Facts { cgroup: None, ..facts() });
        assert_eq!((moved.unit.as_deref(), moved.pid), (None, 811));
    }

    #[test]
    fn names_can_be_hidden() {
        let mut processes =
            ProcessCache::new(Settings { hides_processes: true, ..Settings::default() });
        processes.begin(1);
        let process = processes.process(facts());
        assert_eq!((&*process.name, process.pid, process.executable.as_deref()), ("", 0, None));
        assert_eq!(process.unit.as_deref(), Some("backup.service"));
    }
}
