//! The initial file system of a machine: programs of the host with their libraries, modules of the kernel, and
//! `init.sh`, which runs the tests.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::kernel::Kernel;
use super::{Check, Programs, modules};
use crate::shell;

const INIT: &str = include_str!("init.sh");
/// Programs that tests start.
const TOOLS: [&str; 5] = ["ip", "tc", "nsenter", "ethtool", "wg"];
/// Mount points.
const MOUNTS: [&str; 5] = ["proc", "sys", "dev", "tmp", "run"];

pub(super) struct Image {
    pub(super) file: PathBuf,
}

impl Image {
    /// Makes the file anew.
    pub(super) fn make(
        folder: &Path,
        kernel: &Kernel,
        programs: &Programs,
        checks: &[&Check],
    ) -> Result<Self> {
        let root = Root::new(folder.join("root"))?;
        root.program(&shell::require("busybox", "in the machine")?, "/bin/busybox")?;
        fs::hard_link(root.place("/bin/busybox"), root.place("/bin/sh"))
            .context("linking the shell")?;
        for tool in TOOLS {
            let path = shell::require(tool, "in the machine")?;
            root.program(&path, &format!("/usr/bin/{tool}"))?;
        }
        root.program(&programs.agent, "/usr/bin/wherefore")?;
        root.program(&programs.tests, "/usr/bin/live")?;
        root.program(&programs.mover, &programs.mover.display().to_string())?;
        modules::copy(&kernel.modules, &root.place("/modules"))?;
        let tests: Vec<&str> = checks.iter().map(|check| check.test).collect();
        root.write("/checks", &tests.join("\n"))?;
        root.write("/init", INIT)?;
        root.pack(&folder.join("image"))
    }
}

struct Root(PathBuf);

impl Root {
    fn new(path: PathBuf) -> Result<Self> {
        if path.exists() {
            fs::remove_dir_all(&path).with_context(|| format!("removing {}", path.display()))?;
        }
        for mount in MOUNTS {
            let path = path.join(mount);
            fs::create_dir_all(&path).with_context(|| format!("making {}", path.display()))?;
        }
        Ok(Self(path))
    }

    /// The path on the host of a path in the machine.
    fn place(&self, path: &str) -> PathBuf {
        self.0.join(path.trim_start_matches('/'))
    }

    fn folder_of(&self, path: &str) -> Result<PathBuf> {
        let place = self.place(path);
        let folder = place.parent().context("a file is in a folder")?;
        fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
        Ok(place)
    }

    fn write(&self, path: &str, text: &str) -> Result<()> {
        let place = self.folder_of(path)?;
        fs::write(&place, text).with_context(|| format!("writing {}", place.display()))?;
        let is_executable = fs::Permissions::from_mode(0o755);
        fs::set_permissions(&place, is_executable).context("making it executable")
    }

    /// Copies a program without its debugging information, and the libraries that it loads.
    fn program(&self, from: &Path, to: &str) -> Result<()> {
        let place = self.folder_of(to)?;
        shell::run(shell::command("strip").arg("-o").arg(&place).arg(from))?;
        // ldd fails for a program that is linked statically.
        let mut ldd = shell::command("ldd");
        let said = ldd.arg(from).output().context("starting ldd")?;
        let said = String::from_utf8_lossy(&said.stdout).into_owned();
        ensure!(!said.contains("not found"), "{} lacks a library: {said}", from.display());
        for library in said.split_whitespace().filter(|word| word.starts_with('/')) {
            let place = self.folder_of(library)?;
            fs::copy(library, &place).with_context(|| format!("copying {library}"))?;
        }
        Ok(())
    }

    /// Writes an archive without compression: an emulated processor would take longer to unpack it.
    fn pack(&self, file: &Path) -> Result<Image> {
        let pack = "find . | cpio --quiet -o -H newc > \"$0\"";
        let mut sh = shell::command("sh");
        shell::run(sh.args(["-c", pack]).arg(file).current_dir(&self.0))?;
        Ok(Image { file: file.to_owned() })
    }
}
