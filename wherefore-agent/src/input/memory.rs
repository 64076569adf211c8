//! How much memory the agent may have, by its control groups, and how much it needs. Owns the figures
//! of the latter; docs/performance.md says how they were measured.

use std::path::{Path, PathBuf};

use crate::evidence::EvidenceArgs;
use crate::input::kernel::DEFAULT_CAPACITY;
use crate::options::LIVE_MAX_GROUPS;
use crate::options::cli::RunArgs;
use crate::text::{Bytes, grouped};

/// The program itself, and maps whose size is fixed.
const FIXED: u64 = 12_000_000;
/// What the kernel takes to verify one program, until it is loaded.
const VERIFIER: u64 = 18_000_000;
/// Programs that are loaded side by side where there is room.
const PROGRAMS: u64 = 4;
/// Kernel memory of a flow: twice in a map, four slots of the table with their cold fields.
const FLOW: u64 = 864;
/// A group with its history.
const GROUP: u64 = 300;

/// The kernel's ring buffer for packets, where any are kept.
const RING: u64 = 17_000_000;
/// The largest `--max-flows`.
const MOST_FLOWS: u64 = 16_777_216;

/// What fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Groups with a history at the most, where nothing else is said.
    pub max_groups: u32,
    /// Flows of an interval at the most, where nothing else is said and the default does not fit.
    pub max_flows: Option<u32>,
    /// Whether programs are loaded one after the other.
    pub loads_in_turn: bool,
    need: u64,
    /// What evidence takes of it.
    evidence: u64,
}

impl Plan {
    /// For these options within this limit.
    pub fn new(args: &RunArgs, limit: Option<u64>) -> Self {
        let asked = args.common.max_flows;
        let (flows, groups) = (asked.unwrap_or(DEFAULT_CAPACITY), asked.unwrap_or(LIVE_MAX_GROUPS));
        let evidence = evidence(&args.common.evidence);
        let need = |flows, groups, programs| need(flows, groups, programs) + evidence;
        let most = need(flows, groups, PROGRAMS);
        let plan = Self {
            max_groups: groups,
            max_flows: None,
            loads_in_turn: false,
            need: most,
            evidence,
        };
        let Some(limit) = limit.filter(|limit| *limit < most) else { return plan };
        let plan = Self { loads_in_turn: true, need: need(flows, groups, 1), ..plan };
        match (asked, fitting(limit.saturating_sub(evidence))) {
            (None, Some(fitting)) if plan.need > limit => {
                let flows = fitting.min(DEFAULT_CAPACITY);
                let need = need(flows, flows, 1);
                Self { max_groups: flows, max_flows: Some(flows), need, ..plan }
            }
            _ => plan,
        }
    }

    /// Logs what is needed of what there is, before the kernel ends the process for it.
    pub fn log(&self, limit: Option<u64>) {
        let need = Bytes(self.need as f64).to_string();
        let Some(limit) = limit else {
            tracing::debug!(need, "memory at the most; no control group limits it");
            return;
        };
        let shown = Bytes(limit as f64).to_string();
        if self.need <= limit {
            match self.max_flows {
                None => tracing::info!(need, limit = shown, "memory at the most"),
                Some(flows) => tracing::warn!(
                    need,
                    limit = shown,
                    "the memory limit leaves room for {} flows an interval (--max-flows)",
                    grouped(u64::from(flows))
                ),
            }
            return;
        }
        let advice = match fitting(limit.saturating_sub(self.evidence)) {
            Some(flows) => format!("--max-flows {flows} fits, or raise the limit"),
            None => format!(
                "raise the limit to {} or more",
                Bytes((FIXED + VERIFIER + FLOW + self.evidence) as f64)
            ),
        };
        tracing::warn!(
            need,
            limit = shown,
            "the memory limit of the control group is too low, and the kernel may end the agent: {advice}"
        );
    }
}

/// At the start while programs are verified, or later with all groups that there may be.
fn need(flows: u32, groups: u32, programs_at_once: u64) -> u64 {
    let groups = u64::from(groups) * GROUP;
    FIXED + u64::from(flows) * FLOW + groups.max(programs_at_once * VERIFIER)
}

/// Packets on their way from the kernel, and those that are kept.
fn evidence(args: &EvidenceArgs) -> u64 {
    let ring = if args.is_on() { RING } else { 0 };
    ring + args.evidence_ring.unwrap_or_default()
}

/// The largest `--max-flows` that fits, rounded down to thousands; `None` where none does.
fn fitting(limit: u64) -> Option<u32> {
    let at_start = limit.checked_sub(FIXED + VERIFIER)? / FLOW;
    let later = (limit - FIXED) / (FLOW + GROUP);
    let flows = at_start.min(later).min(MOST_FLOWS) as u32;
    let rounded = if flows >= 1000 { flows / 1000 * 1000 } else { flows };
    (rounded > 0).then_some(rounded)
}

/// The lowest limit of the control groups that this process is in, of either version.
pub fn limit() -> Option<u64> {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let groups = directories(&read("/proc/self/cgroup"), &read("/proc/self/mountinfo"));
    let limits = groups.iter().flat_map(|group| {
        let number = |name: &str| {
            let text = std::fs::read_to_string(group.join(name)).ok()?;
            // Version 2 writes `max` where there is no limit, version 1 a number beyond all memory.
            text.trim().parse().ok().filter(|limit| *limit < 1 << 60)
        };
        ["memory.max", "memory.limit_in_bytes"].into_iter().filter_map(number)
    });
    limits.min()
}

/// The directories of these control groups and of all above them, as far as they are mounted.
fn directories(groups: &str, mounts: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for mount in mounts.lines().filter_map(Mount::read) {
        let Some(path) = groups.lines().find_map(|line| mount.path_of(line)) else { continue };
        // A namespace may show another root than the group's own path begins with.
        let inner = Path::new(path).strip_prefix(mount.root).unwrap_or(Path::new(""));
        let point = Path::new(mount.point);
        let all = point.join(inner);
        found.extend(
            all.ancestors().take_while(|above| above.starts_with(point)).map(Path::to_owned),
        );
    }
    found
}

/// Where control groups are mounted.
struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    is_unified: bool,
}

impl<'a> Mount<'a> {
    /// A line of /proc/PID/mountinfo, where it is about memory.
    fn read(line: &'a str) -> Option<Self> {
        let (place, kind) = line.split_once(" - ")?;
        let mut place = place.split(' ').skip(3);
        let (root, point) = (place.next()?, place.next()?);
        let mut kind = kind.split(' ');
        let is_unified = match kind.next()? {
            "cgroup2" => true,
            "cgroup" if kind.nth(1)?.split(',').any(|option| option == "memory") => false,
            _ => return None,
        };
        Some(Self { root, point, is_unified })
    }

    /// The path of a group in this mount, by a line of /proc/PID/cgroup.
    fn path_of<'b>(&self, line: &'b str) -> Option<&'b str> {
        let (_, rest) = line.split_once(':')?;
        let (controllers, path) = rest.split_once(':')?;
        let is_memory = controllers.split(',').any(|controller| controller == "memory");
        let is_it = if self.is_unified { controllers.is_empty() } else { is_memory };
        is_it.then_some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan(arguments: &[&str], limit: Option<u64>) -> Plan {
        let cli = <crate::options::cli::Cli as clap::Parser>::try_parse_from(
            [&["wherefore"], arguments].concat(),
        );
        Plan::new(&cli.expect("these are options").run, limit)
    }

    #[test]
    fn the_default_shrinks_with_the_limit_and_what_is_asked_for_does_not() {
        let (free, ample) = (plan(&[], None), plan(&[], Some(1 << 30)));
        assert_eq!((free, free.max_flows, free.loads_in_turn), (ample, None, false));
        let small = plan(&[], Some(64 << 20));
        assert!(small.loads_in_turn && small.need <= 64 << 20, "{small:?}");
        assert!(small.max_flows.is_some_and(|flows| flows > 20_000), "{small:?}");
        assert_eq!(small.max_flows, Some(small.max_groups));
        let asked = plan(&["--max-flows", "8192"], Some(64 << 20));
        assert!((asked.max_flows, asked.max_groups) == (None, 8192) && asked.need < 64 << 20);
        assert!(plan(&["--max-flows", "131072"], Some(64 << 20)).need > 64 << 20);
        assert_eq!((fitting(20 << 20), fitting(1 << 40)), (None, Some(16_777_000)));
        let ring = plan(&["--evidence-ring", "30MB"], Some(64 << 20));
        assert!(ring.max_flows < small.max_flows && ring.need <= 64 << 20, "{ring:?}");
    }

    #[test]
    fn control_groups_of_both_versions_are_found() {
        let v1 = "36 35 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n\
                  37 35 0:31 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n";
        let found = directories("5:cpu:/x\n4:memory:/a/b\n", v1);
        assert_eq!(
            found,
            ["memory/a/b", "memory/a", "memory"].map(|path| Path::new("/sys/fs/cgroup").join(path))
        );
        let v2 = "30 23 0:26 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw\n";
        let found = directories("0::/system.slice/wherefore.service\n", v2);
        assert_eq!(found.len(), 3);
        // In a container the mount begins at the group itself.
        let inner = "30 23 0:26 /docker/abc /sys/fs/cgroup ro - cgroup cgroup rw,memory\n";
        assert_eq!(directories("4:memory:/docker/abc\n", inner), [Path::new("/sys/fs/cgroup")]);
        assert_eq!(directories("0::/\n", "broken"), [Path::new(""); 0]);
    }
}
