//! One of Debian's kernels, unpacked. Owns the choice of the package for a series.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::archive::Archive;
use super::{NEWEST, folder};
use crate::shell;

/// How the names of packages with kernels begin and end. Those for clouds are small, and have the features that
/// servers have.
const IMAGE: &str = "linux-image-";
const FLAVOUR: &str = "-cloud-amd64";
/// Newer kernels are split: the program and the modules are in separate packages.
const PARTS: [&str; 3] = [IMAGE, "linux-binary-", "linux-modules-"];

pub(super) struct Kernel {
    /// The output of `uname -r`.
    pub(super) release: String,
    /// The program.
    pub(super) program: PathBuf,
    /// The folder of its modules.
    pub(super) modules: PathBuf,
}

impl Kernel {
    /// The last kernel of a series, unpacked once.
    pub(super) fn fetch(archive: &Archive, series: &str) -> Result<Self> {
        let names = archive.names(IMAGE)?;
        let releases = names.iter().filter_map(|name| release(name));
        let newest = releases
            .filter(|release| series == NEWEST || is_of(release, series))
            .max_by_key(|release| numbers(release));
        let release = newest.with_context(|| format!("Debian has no kernel {series} any more"))?;
        let root = folder().join("kernels").join(release);
        if !root.is_dir() {
            shell::say(format!("fetching kernel {release}"));
            // So that it is complete or absent.
            let partial = folder().join("kernels/partial");
            let _ = fs::remove_dir_all(&partial);
            fs::create_dir_all(&partial)
                .with_context(|| format!("making {}", partial.display()))?;
            archive.unpack(&packages(archive, release)?, &partial)?;
            fs::rename(&partial, &root).with_context(|| format!("making {}", root.display()))?;
        }
        Self::at(&root, release)
    }

    fn at(root: &Path, release: &str) -> Result<Self> {
        let first = |paths: [String; 2]| {
            let paths = paths.map(|path| root.join(path));
            let found = paths.iter().find(|path| path.exists()).cloned();
            found.with_context(|| format!("{} is not there", paths[0].display()))
        };
        let modules =
            first(["usr/lib/modules", "lib/modules"].map(|path| format!("{path}/{release}")))?;
        let inside = modules.join("vmlinuz");
        let program = root.join(format!("boot/vmlinuz-{release}"));
        let program = if program.exists() { program } else { inside };
        ensure!(program.exists(), "{release} has no program");
        Ok(Self { release: release.to_owned(), program, modules })
    }

    /// Major and minor version.
    pub(super) fn version(&self) -> [u32; 2] {
        let numbers = numbers(&self.release);
        [0, 1].map(|at| numbers.get(at).copied().unwrap_or_default())
    }
}

/// The kernel's release from the name of its package; packages that only depend on others, and those with
/// debugging information, have other names.
fn release(package: &str) -> Option<&str> {
    let release = package.strip_prefix(IMAGE)?;
    let is_exact = release.starts_with(|letter: char| letter.is_ascii_digit())
        && release.ends_with(FLAVOUR)
        && numbers(release).len() > 3;
    is_exact.then_some(release)
}

fn is_of(release: &str, series: &str) -> bool {
    release.strip_prefix(series).is_some_and(|rest| rest.starts_with('.'))
}

/// All numbers in a release, in order.
fn numbers(release: &str) -> Vec<u32> {
    let parts = release.split(|letter: char| !letter.is_ascii_digit());
    parts.filter_map(|part| part.parse().ok()).collect()
}

fn packages(archive: &Archive, release: &str) -> Result<Vec<String>> {
    let mut packages = Vec::new();
    for part in PARTS {
        let name = format!("{part}{release}");
        packages.extend(archive.names(&name)?.into_iter().filter(|found| *found == name));
    }
    Ok(packages)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_one_of_a_series_is_taken() {
        let packages = [
            "linux-image-6.1.0-0.deb11.52-cloud-amd64",
            "linux-image-6.1.0-47-cloud-amd64",
            "linux-image-6.1.0-50-cloud-amd64",
            "linux-image-6.1.0-51-cloud-amd64-dbg",
            "linux-image-6.12.117+deb13-cloud-amd64",
            "linux-image-6.12.95+deb12-cloud-amd64",
            "linux-image-6.1-cloud-amd64",
            "linux-image-cloud-amd64",
        ];
        let releases: Vec<&str> = packages.into_iter().filter_map(release).collect();
        assert_eq!(releases.len(), 5, "{releases:?}");
        let last = |series| {
            let of = releases.iter().filter(|release| is_of(release, series));
            of.max_by_key(|release| numbers(release)).copied()
        };
        assert_eq!(last("6.1"), Some("6.1.0-50-cloud-amd64"));
        assert_eq!(last("6.12"), Some("6.12.117+deb13-cloud-amd64"));
    }
}
