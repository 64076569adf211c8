//! The paths of cgroups by their numbers. Owns this cache, which keeps a path after its cgroup is removed.

use std::fs;
use std::os::unix::fs::{DirEntryExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustc_hash::FxHashMap;

use crate::input::owners::KernelRecords;

/// The most cgroups that are remembered. Beyond that, the cache is cleared and filled again.
const MOST: usize = 65_536;
/// The greatest depth of folders that is read.
const DEEPEST: usize = 32;

/// Paths relative to the root of the unified hierarchy.
#[derive(Debug)]
pub(super) struct Cgroups {
    mounted: Option<PathBuf>,
    paths: FxHashMap<u64, String>,
    /// Whether the hierarchy was read since the interval began.
    is_read: bool,
}

impl Cgroups {
    /// Reads all current cgroups.
    pub(super) fn read() -> Self {
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let mounted = mount_point(&mounts).map(PathBuf::from);
        let mut cgroups = Self { mounted, paths: FxHashMap::default(), is_read: false };
        cgroups.look();
        cgroups
    }

    /// Begins an interval.
    pub(super) fn begin(&mut self) {
        self.is_read = false;
        if self.paths.len() > MOST {
            self.paths.clear();
            self.look();
        }
    }

    /// The path of the cgroup with this number. The root, `/`, says nothing if no process is in this
    /// hierarchy.
    pub(super) fn path(&mut self, id: u64, kernel: &dyn KernelRecords) -> Option<String> {
        if let Some(path) = self.paths.get(&id) {
            return Some(path.clone());
        }
        if let Some(path) = kernel.cgroup(id) {
            self.paths.insert(id, path);
        } else if !std::mem::replace(&mut self.is_read, true) {
            self.look();
        }
        self.paths.get(&id).cloned()
    }

    fn look(&mut self) {
        let Some(root) = self.mounted.clone() else { return };
        if let Ok(metadata) = fs::metadata(&root) {
            self.paths.insert(metadata.ino(), "/".to_owned());
        }
        self.look_below(&root, "", DEEPEST);
    }

    fn look_below(&mut self, folder: &Path, path: &str, depth: usize) {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        for entry in entries {
            if depth == 0 || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                continue;
            }
            let path = format!("{path}/{}", entry.file_name().to_string_lossy());
            self.paths.insert(entry.ino(), path.clone());
            self.look_below(&entry.path(), &path, depth - 1);
        }
    }
}

/// The mount point of the unified hierarchy.
fn mount_point(mounts: &str) -> Option<&str> {
    mounts.lines().find_map(|line| {
        let mut fields = line.split(' ').skip(1);
        let (place, kind) = (fields.next()?, fields.next()?);
        (kind == "cgroup2").then_some(place)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_unified_hierarchy_is_found_wherever_it_is_mounted() {
        let mounts = "cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n";
        assert_eq!(mount_point(mounts), Some("/sys/fs/cgroup/unified"));
        assert_eq!(mount_point("a b"), None);
    }
}
