//! What programs at tracepoints are told when they are loaded: where the kernel has its fields, and how
//! much there is room for.

use std::path::Path;

use anyhow::Result;
use aya::EbpfLoader;
use wherefore_common::abi::{global, map};

use super::btf::{self, Types};

/// Sockets whose owners are kept: each takes some 100 bytes of kernel memory.
const SOCKETS: u32 = 65_536;
/// Processes whose names are kept.
const PROCESSES: u32 = 16_384;
/// Cgroups whose paths are kept.
const CGROUPS: u32 = 4096;

/// Where the kernel has the fields that the programs read.
#[derive(Debug, Clone, Default)]
pub(super) struct Offsets(Vec<(&'static str, u32)>);

impl Offsets {
    /// Of the running kernel.
    ///
    /// # Errors
    /// If it does not say, or has other fields.
    pub(super) fn read() -> Result<Self> {
        let types = Types::read(Path::new(btf::KERNEL))?;
        let offset = |(name, structure, field)| Ok((name, types.offset(structure, field)?));
        global::OFFSETS.into_iter().map(offset).collect::<Result<_>>().map(Self)
    }

    /// Sets the constants, and the sizes of the maps; without offsets nothing has any.
    pub(super) fn set<'a>(&'a self, loader: &mut EbpfLoader<'a>) {
        for (name, offset) in &self.0 {
            loader.override_global(name, offset, true);
        }
        if !self.0.is_empty() {
            loader.override_global(global::SOCKETS, &1_u32, true);
            loader.map_max_entries(map::SOCKET_OWNERS, SOCKETS);
            loader.map_max_entries(map::PROCESSES, PROCESSES);
            loader.map_max_entries(map::CGROUPS, CGROUPS);
        }
    }
}
