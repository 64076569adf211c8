//! The use of sockets, as recorded by programs at the kernel's tracepoints and functions. Owns these programs
//! and their maps; `attribute` decides what this means for a flow.

use std::io::{self, Read};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use aya::Btf;
use aya::maps::{HashMap, MapData};
use aya::programs::{BtfTracePoint, FExit, Iter};
use aya_obj::btf::BtfKind;
use rustc_hash::FxHashMap;
use wherefore_common::FlowKey;
use wherefore_common::abi::{map, program};
use wherefore_common::owner::{CgroupPath, ProcessId, ProcessName, SocketAddresses, SocketOwner};

use super::loader::Loaded;
use super::maps::pod;
use super::query;
use super::version::has_storage;
use crate::input::owners::{KernelRecords, RecordingHooks};

/// The kernel's records.
pub(super) struct KernelOwners {
    hooks: RecordingHooks,
    sockets: HashMap<MapData, u32, PodSocketOwner>,
    by_address: HashMap<MapData, PodSocketAddresses, u32>,
    processes: HashMap<MapData, PodProcessId, PodProcessName>,
    cgroups: HashMap<MapData, u64, PodCgroupPath>,
    /// The programs of processes that existed before the agent, by process number. Not everybody may read
    /// these paths, and privileges are dropped later.
    programs: std::collections::HashMap<u32, PathBuf>,
    /// The iterator over all open files, if this kernel has it.
    open_files: Option<OwnedFd>,
}

impl KernelOwners {
    /// Attaches the programs, and then reads the sockets that are already open.
    ///
    /// # Errors
    /// If the kernel lacks the places to attach to, or refuses a program. Programs at functions need BPF
    /// trampolines, which some kernels lack.
    pub(super) fn attach(loaded: &mut Loaded) -> Result<Self> {
        let btf = types()?;
        let hooks = hooks(&btf)?;
        let places = places(hooks, &btf);
        places.iter().try_for_each(|place| place.load(loaded, &btf))?;
        places.iter().try_for_each(|place| place.attach(loaded))?;
        let open_files = if has_storage() {
            let reading = "cannot read the sockets that are already open";
            let iterator = attach_iterator(loaded, &btf).context(reading)?;
            find_open(iterator.as_fd()).context(reading)?;
            Some(iterator)
        } else {
            tracing::info!(
                "sockets that were open before the agent started have no owner until a process uses them: \
                 the kernel is older than 5.12"
            );
            None
        };
        Ok(Self {
            hooks,
            sockets: loaded.map(map::SOCKET_OWNERS)?,
            by_address: loaded.map(map::SOCKETS_BY_ADDRESS)?,
            processes: loaded.map(map::PROCESSES)?,
            cgroups: loaded.map(map::CGROUPS)?,
            programs: programs(),
            open_files,
        })
    }
}

/// Where this kernel can record the use of sockets, according to its own types.
///
/// # Errors
/// If it cannot, or does not publish its types.
pub fn recording_hooks() -> Result<RecordingHooks> {
    hooks(&types()?)
}

fn types() -> Result<Btf> {
    Btf::from_sys_fs().context("cannot read the kernel's types")
}

fn hooks(btf: &Btf) -> Result<RecordingHooks> {
    let has = |name: &str, kind| btf.id_by_type_name_kind(name, kind).is_ok();
    let [(_, tracepoint), _] = program::OWNER;
    if has(&format!("btf_trace_{tracepoint}"), BtfKind::Typedef) {
        return Ok(RecordingHooks::Tracepoints);
    }
    let [_, (_, function), ..] = program::OWNER_CALLS;
    if !has(function, BtfKind::Func) {
        bail!("the kernel has neither tracepoint {tracepoint} nor function {function}");
    }
    if !has(TRAMPOLINE, BtfKind::Struct) {
        bail!(
            "the kernel may free a BPF trampoline that is in use (fixed in Linux 5.12 and later versions of 5.10)"
        );
    }
    Ok(RecordingHooks::Functions)
}

/// The structure that keeps a trampoline alive while a process sleeps in its function. In kernels without it,
/// the end of the agent could crash the host.
const TRAMPOLINE: &str = "bpf_tramp_image";

/// Where a program is attached.
enum Place {
    Tracepoint { program: &'static str, at: &'static str },
    Function { program: &'static str, at: &'static str },
}

/// All places of this kind in the kernel.
fn places(hooks: RecordingHooks, btf: &Btf) -> Vec<Place> {
    let tracepoint = |(program, at)| Place::Tracepoint { program, at };
    let function = |(program, at)| Place::Function { program, at };
    let is_there = |(_, name): &(&str, &str)| btf.id_by_type_name_kind(name, BtfKind::Func).is_ok();
    let names = program::NAMES.into_iter().map(tracepoint);
    match hooks {
        RecordingHooks::Tracepoints => names.chain(program::OWNER.map(tracepoint)).collect(),
        RecordingHooks::Functions => {
            let calls = program::OWNER_CALLS.into_iter().filter(is_there);
            names.chain(calls.map(function)).collect()
        }
    }
}

impl Place {
    fn load(&self, loaded: &mut Loaded, btf: &Btf) -> Result<()> {
        match *self {
            Self::Tracepoint { program, at } => {
                let program: &mut BtfTracePoint = loaded.program(program)?.try_into()?;
                let loading = || format!("cannot load the program at tracepoint {at}");
                program.load(at, btf).with_context(loading)
            }
            Self::Function { program, at } => {
                let program: &mut FExit = loaded.program(program)?.try_into()?;
                let loading = || format!("cannot load the program at function {at}");
                program.load(at, btf).with_context(loading)
            }
        }
    }

    fn attach(&self, loaded: &mut Loaded) -> Result<()> {
        match *self {
            Self::Tracepoint { program, at } => {
                let program: &mut BtfTracePoint = loaded.program(program)?.try_into()?;
                let attaching = || format!("cannot attach to tracepoint {at}");
                program.attach().map(drop).with_context(attaching)
            }
            Self::Function { program, at } => {
                let program: &mut FExit = loaded.program(program)?.try_into()?;
                let attaching = || format!("cannot attach to function {at}");
                program.attach().map(drop).with_context(attaching)
            }
        }
    }
}

impl KernelRecords for KernelOwners {
    fn hooks(&self) -> RecordingHooks {
        self.hooks
    }

    fn socket(&self, cookie: u32) -> Option<SocketOwner> {
        self.sockets.get(&cookie, 0).ok().map(|owner| owner.0)
    }

    fn connected_elsewhere(&self) -> FxHashMap<FlowKey, u32> {
        let flow = |(PodSocketAddresses(addresses), cookie)| {
            let SocketAddresses { near, far, near_port, far_port, protocol, family } = addresses;
            let (protocol, family) = (protocol as u8, family as u8);
            let (sport, dport) = (near_port, far_port);
            let ends = FlowKey { src: near, dst: far, sport, dport, ..FlowKey::default() };
            (FlowKey { protocol, family, ..ends }, cookie)
        };
        self.by_address.iter().flatten().map(flow).collect()
    }

    fn process(&self, tgid: u32, started_ns: u64) -> Option<(String, Option<String>)> {
        let id = PodProcessId(ProcessId { started_ns, tgid, reserved: 0 });
        let ProcessName { name, program } = self.processes.get(&id, 0).ok()?.0;
        let program = text(&program);
        Some((text(&name), (!program.is_empty()).then_some(program)))
    }

    fn find_open(&self) {
        if let Some(Err(error)) = self.open_files.as_ref().map(|files| find_open(files.as_fd())) {
            tracing::debug!(error = error.to_string(), "cannot read the open sockets again");
        }
    }

    fn program_before(&self, tgid: u32) -> Option<&Path> {
        self.programs.get(&tgid).map(PathBuf::as_path)
    }

    fn cgroup(&self, id: u64) -> Option<String> {
        let path = self.cgroups.get(&id, 0).ok()?.0.path;
        Some(text(&path)).filter(|path| !path.is_empty())
    }
}

/// Attaches the iterator over all open files.
fn attach_iterator(loaded: &mut Loaded, btf: &Btf) -> Result<OwnedFd> {
    let program: &mut Iter = loaded.program(program::OWNER_FOUND)?.try_into()?;
    program.load("task_file", btf)?;
    let attached = query::attach_iterator(program.fd()?.as_fd());
    attached.context("cannot attach to the iterator over open files")
}

/// Runs it.
fn find_open(iterator: BorrowedFd<'_>) -> io::Result<()> {
    query::run_iterator(iterator)?.read_to_end(&mut Vec::new()).map(drop)
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

/// The text up to the first zero byte.
fn text(bytes: &[u8]) -> String {
    let text = bytes.split(|byte| *byte == 0).next().unwrap_or_default();
    String::from_utf8_lossy(text).into_owned()
}

pod!(PodSocketOwner, SocketOwner);
pod!(PodSocketAddresses, SocketAddresses);
pod!(PodProcessId, ProcessId);
pod!(PodProcessName, ProcessName);
pod!(PodCgroupPath, CgroupPath);
