//! The memory limit of the agent, by its control groups, and the memory that it needs. Owns the figures for
//! the latter; docs/performance.md describes how they were measured.

use std::path::{Path, PathBuf};

use crate::input::kernel::DEFAULT_CAPACITY;
use crate::text::{Bytes, grouped};

/// With a lower limit, processes are looked up in /proc: with the kernel's records, 8,192 flows did not fit
/// in 64 MiB.
const NARROW: u64 = 96 << 20;
/// The program itself, and maps of fixed size.
const FIXED: u64 = 12_000_000;
/// The kernel's memory while it verifies one program.
const VERIFIER: u64 = 27_000_000;
/// The number of programs that are loaded at the same time if there is room.
const PROGRAMS: u64 = 4;
/// Kernel memory for a flow: two entries in maps, and four slots of the table with their cold fields.
const FLOW: u64 = 864;
/// Memory for a group with its history.
const GROUP: u64 = 300;

/// The kernel's ring buffer for packets, if any are kept.
const RING: u64 = 17_000_000;
/// The largest `--max-flows`.
const MOST_FLOWS: u64 = 16_777_216;
/// The default for the most groups with a history in a live run, so that a flood of forged addresses cannot
/// use gigabytes.
pub const LIVE_MAX_GROUPS: u32 = 262_144;

/// The settings that need memory.
#[derive(Debug, Clone, Copy, Default)]
pub struct MemorySettings {
    /// The most flows in an interval and the most groups, if set.
    pub max_flows: Option<u32>,
    /// Whether packets are kept as evidence.
    pub keeps_packets: bool,
    /// Bytes of the ring of evidence.
    pub evidence_ring: u64,
}

/// The settings that fit within the limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Default for the most groups with a history.
    pub max_groups: u32,
    /// Default for the most flows in an interval, if the usual default does not fit.
    pub max_flows: Option<u32>,
    /// Whether programs are loaded one after the other.
    pub loads_in_turn: bool,
    /// Whether there is no space for the kernel's records of socket use.
    pub is_narrow: bool,
    /// Whether there is no space for the kernel to verify programs: it would kill the process.
    pub is_too_small: bool,
    need: u64,
    /// Memory of evidence.
    evidence: u64,
}

impl Plan {
    /// The plan for these settings, within this limit.
    pub fn new(wanted: MemorySettings, limit: Limit) -> Self {
        let evidence = evidence(wanted);
        let wanted = wanted.max_flows;
        let (flows, groups) =
            (wanted.unwrap_or(DEFAULT_CAPACITY), wanted.unwrap_or(LIVE_MAX_GROUPS));
        let need = |flows, groups, programs| need(flows, groups, programs) + evidence;
        let most = need(flows, groups, PROGRAMS);
        let plan = Self {
            max_groups: groups,
            max_flows: None,
            loads_in_turn: limit == Limit::Unknown,
            is_narrow: limit.bytes().is_some_and(|limit| limit < NARROW),
            is_too_small: limit
                .bytes()
                .is_some_and(|limit| fitting(limit.saturating_sub(evidence)).is_none()),
            need: most,
            evidence,
        };
        let Some(limit) = limit.bytes().filter(|limit| *limit < most) else { return plan };
        let plan = Self { loads_in_turn: true, need: need(flows, groups, 1), ..plan };
        match (wanted, fitting(limit.saturating_sub(evidence))) {
            (None, Some(fitting)) if plan.need > limit => {
                let flows = fitting.min(DEFAULT_CAPACITY);
                let need = need(flows, flows, 1);
                Self { max_groups: flows, max_flows: Some(flows), need, ..plan }
            }
            _ => plan,
        }
    }

    /// The most bytes that the agent needs.
    pub fn need(&self) -> u64 {
        self.need
    }

    /// Logs the needed and the available memory, so that it is known before the kernel kills the process.
    pub fn log(&self, limit: Limit) {
        let need = Bytes(self.need as f64).to_string();
        let Some(limit) = limit.bytes() else {
            tracing::debug!(need, ?limit, "the most memory that the agent will use");
            return;
        };
        let shown = Bytes(limit as f64).to_string();
        if self.need <= limit {
            match self.max_flows {
                None => {
                    tracing::info!(need, limit = shown, "the most memory that the agent will use")
                }
                Some(flows) => tracing::warn!(
                    need,
                    limit = shown,
                    "the memory limit allows {} flows an interval (--max-flows)",
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
            "the memory limit of the control group is too low, and the kernel may kill the agent: {advice}"
        );
    }
}

/// The maximum of the memory at the start, while programs are verified, and later with all groups.
fn need(flows: u32, groups: u32, programs_at_once: u64) -> u64 {
    let groups = u64::from(groups) * GROUP;
    FIXED + u64::from(flows) * FLOW + groups.max(programs_at_once * VERIFIER)
}

/// Memory for packets from the kernel, and for those that are kept.
fn evidence(wanted: MemorySettings) -> u64 {
    let ring = if wanted.keeps_packets { RING } else { 0 };
    ring + wanted.evidence_ring
}

/// The largest `--max-flows` that fits, rounded down to thousands; `None` if none does.
fn fitting(limit: u64) -> Option<u32> {
    let at_start = limit.checked_sub(FIXED + VERIFIER)? / FLOW;
    let later = (limit - FIXED) / (FLOW + GROUP);
    let flows = at_start.min(later).min(MOST_FLOWS) as u32;
    let rounded = if flows >= 1000 { flows / 1000 * 1000 } else { flows };
    (rounded > 0).then_some(rounded)
}

/// The memory limits of the control groups.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// The lowest, in bytes.
    Bytes(u64),
    /// There is none.
    None,
    /// The control groups cannot be read: `ip netns exec`, for example, hides them.
    Unknown,
}

impl Limit {
    /// The limits of this process's control groups, of either version.
    pub fn of_process() -> Self {
        // If they are not mounted here, try the namespace of the parent or of the first process.
        let of = |process: String| {
            (format!("/proc/{process}/mountinfo"), format!("/proc/{process}/root"))
        };
        let parent = std::os::unix::process::parent_id().to_string();
        let places = ["self".to_owned(), parent, "1".to_owned()].map(of);
        let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
        let groups = read("/proc/self/cgroup");
        let mut looked = places.iter().map(|(mounts, root)| {
            let found = directories(&groups, &read(mounts));
            let root = Path::new(root);
            let inside = |path: &PathBuf| root.join(path.strip_prefix("/").unwrap_or(path));
            Self::of_groups(&found.iter().map(inside).collect::<Vec<_>>())
        });
        looked.find(|limit| *limit != Self::Unknown).unwrap_or(Self::Unknown)
    }

    fn of_groups(groups: &[PathBuf]) -> Self {
        let names = ["memory.max", "memory.limit_in_bytes"];
        let files = groups.iter().flat_map(|group| names.map(|name| group.join(name)));
        let texts: Vec<_> = files.filter_map(|file| std::fs::read_to_string(file).ok()).collect();
        // Version 2 writes `max` if there is no limit, version 1 a number larger than any memory.
        let limits = texts.iter().filter_map(|text| text.trim().parse().ok());
        match limits.filter(|limit| *limit < 1 << 60).min() {
            Some(limit) => Self::Bytes(limit),
            None if texts.is_empty() => Self::Unknown,
            None => Self::None,
        }
    }

    fn bytes(self) -> Option<u64> {
        match self {
            Self::Bytes(bytes) => Some(bytes),
            Self::None | Self::Unknown => None,
        }
    }
}

/// The directories of these control groups and of all their parents, as far as they are mounted.
fn directories(groups: &str, mounts: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for mount in mounts.lines().filter_map(Mount::read) {
        let Some(path) = groups.lines().find_map(|line| mount.path_of(line)) else { continue };
        // A namespace may have another root than the one with which the group's path begins.
        let inner = Path::new(path).strip_prefix(mount.root).unwrap_or(Path::new(""));
        let point = Path::new(mount.point);
        let all = point.join(inner);
        let above = all.ancestors().take_while(|above| above.starts_with(point));
        found.extend(above.map(Path::to_owned));
    }
    found
}

/// The mount point of control groups.
struct Mount<'a> {
    root: &'a str,
    point: &'a str,
    is_unified: bool,
}

impl<'a> Mount<'a> {
    /// A line of /proc/PID/mountinfo, if it is about memory.
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

    /// The path of a group in this mount, from a line of /proc/PID/cgroup.
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

    fn plan(wanted: MemorySettings, limit: Option<u64>) -> Plan {
        Plan::new(wanted, limit.map_or(Limit::None, Limit::Bytes))
    }

    #[test]
    fn the_default_shrinks_with_the_limit_but_a_given_size_does_not() {
        let nothing = MemorySettings::default();
        let flows = |flows| MemorySettings { max_flows: Some(flows), ..nothing };
        let (free, ample) = (plan(nothing, None), plan(nothing, Some(1 << 30)));
        assert_eq!((free, free.max_flows, free.loads_in_turn), (ample, None, false));
        let small = plan(nothing, Some(64 << 20));
        assert!(small.loads_in_turn && small.need <= 64 << 20, "{small:?}");
        assert!(small.max_flows.is_some_and(|flows| flows > 20_000), "{small:?}");
        assert_eq!(small.max_flows, Some(small.max_groups));
        let wanted = plan(flows(8192), Some(64 << 20));
        assert!((wanted.max_flows, wanted.max_groups) == (None, 8192) && wanted.need < 64 << 20);
        assert!(plan(flows(131_072), Some(64 << 20)).need > 64 << 20);
        let is_too_small = |mib: u64| plan(flows(8192), Some(mib << 20)).is_too_small;
        assert!(is_too_small(16) && is_too_small(36) && !is_too_small(40) && !free.is_too_small);
        assert_eq!((fitting(20 << 20), fitting(1 << 40)), (None, Some(16_777_000)));
        assert!(Plan::new(nothing, Limit::Unknown).loads_in_turn);
        let ring = MemorySettings { keeps_packets: true, evidence_ring: 30_000_000, ..nothing };
        let ring = plan(ring, Some(128 << 20));
        assert!(ring.max_flows.is_some_and(|flows| flows > 1000) && ring.need <= 128 << 20);
        assert!(ring.max_flows < plan(nothing, Some(128 << 20)).max_flows, "{ring:?}");
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
        assert!(directories("0::/\n", "broken").is_empty());
    }
}
