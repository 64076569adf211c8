//! The use of sockets, as the kernel's tracepoints recorded it. Owns their programs and maps;
//! `attribute` decides what it means for a flow.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use aya::Btf;
use aya::maps::{HashMap, MapData};
use aya::programs::{BtfTracePoint, Iter};
use wherefore_common::abi::{map, program};
use wherefore_common::owner::{CgroupPath, ProcessId, ProcessName, SocketOwner};

use super::loader::Loaded;
use super::maps::pod;
use crate::input::owners::Notes;

/// The kernel's records.
pub(super) struct KernelOwners {
    sockets: HashMap<MapData, u32, PodSocketOwner>,
    processes: HashMap<MapData, PodProcessId, PodProcessName>,
    cgroups: HashMap<MapData, u64, PodCgroupPath>,
    /// The programs of the processes that existed before, by number. Their paths are not readable for
    /// everybody, and privileges are dropped later.
    programs: std::collections::HashMap<u32, PathBuf>,
}

impl KernelOwners {
    /// Attaches the tracepoints, and then reads what is open already.
    ///
    /// # Errors
    /// If the kernel lacks one of them (before Linux 6.3), or refuses it.
    pub(super) fn attach(loaded: &mut Loaded) -> Result<Self> {
        let btf = Btf::from_sys_fs().context("cannot read the kernel's types")?;
        for (name, tracepoint) in program::NAMES.into_iter().chain(program::OWNER) {
            let program: &mut BtfTracePoint = loaded.program(name)?.try_into()?;
            let loading = || format!("cannot load the program at tracepoint {tracepoint}");
            program.load(tracepoint, &btf).with_context(loading)?;
        }
        for (name, tracepoint) in program::NAMES.into_iter().chain(program::OWNER) {
            let program: &mut BtfTracePoint = loaded.program(name)?.try_into()?;
            let attaching = || format!("cannot attach to tracepoint {tracepoint}");
            program.attach().with_context(attaching)?;
        }
        find_open(loaded, &btf).context("cannot look at the sockets that are open")?;
        Ok(Self {
            sockets: loaded.map(map::SOCKET_OWNERS)?,
            processes: loaded.map(map::PROCESSES)?,
            cgroups: loaded.map(map::CGROUPS)?,
            programs: programs(),
        })
    }
}

impl Notes for KernelOwners {
    fn socket(&self, cookie: u32) -> Option<SocketOwner> {
        self.sockets.get(&cookie, 0).ok().map(|owner| owner.0)
    }

    fn process(&self, tgid: u32, started_ns: u64) -> Option<(String, Option<String>)> {
        let id = PodProcessId(ProcessId { started_ns, tgid, reserved: 0 });
        let ProcessName { name, program } = self.processes.get(&id, 0).ok()?.0;
        let program = text(&program);
        Some((text(&name), (!program.is_empty()).then_some(program)))
    }

    fn program_before(&self, tgid: u32) -> Option<&Path> {
        self.programs.get(&tgid).map(PathBuf::as_path)
    }

    fn cgroup(&self, id: u64) -> Option<String> {
        let path = self.cgroups.get(&id, 0).ok()?.0.path;
        Some(text(&path)).filter(|path| !path.is_empty())
    }
}

/// Runs the iterator over all open files to its end.
fn find_open(loaded: &mut Loaded, btf: &Btf) -> Result<()> {
    let program: &mut Iter = loaded.program(program::OWNER_FOUND)?.try_into()?;
    program.load("task_file", btf)?;
    let link = program.attach()?;
    let mut file = program.take_link(link)?.into_file()?;
    let mut nothing = Vec::new();
    file.read_to_end(&mut nothing)?;
    Ok(())
}

/// The programs of all processes, as far as they can be read.
fn programs() -> std::collections::HashMap<u32, PathBuf> {
    let entries = std::fs::read_dir("/proc").into_iter().flatten().flatten();
    let program = |entry: std::fs::DirEntry| {
        let pid = entry.file_name().to_str()?.parse().ok()?;
        Some((pid, std::fs::read_link(entry.path().join("exe")).ok()?))
    };
    entries.filter_map(program).collect()
}

/// Up to a zero.
fn text(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

pod!(PodSocketOwner, SocketOwner);
pod!(PodProcessId, ProcessId);
pod!(PodProcessName, ProcessName);
pod!(PodCgroupPath, CgroupPath);
