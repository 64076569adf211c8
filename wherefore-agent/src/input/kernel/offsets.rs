//! Constants for tracepoint programs, set when these are loaded: the offsets of the kernel's fields, and
//! capacities. Owns which ones are set.

use std::os::unix::fs::MetadataExt;
use std::path::Path;

use anyhow::{Context, Result};
use aya::EbpfLoader;
use wherefore_common::abi::{global, map};

use super::btf::{self, Types};
use super::version::has_storage;

/// The most sockets whose owners are kept. Each takes some 100 bytes of kernel memory.
const SOCKETS: u32 = 65_536;
/// The most sockets of other network namespaces that are known by their addresses. Each takes some 100 bytes.
const SOCKETS_BY_ADDRESS: u32 = 16_384;
/// The most processes whose names are kept.
const PROCESSES: u32 = 16_384;
/// The most cgroups whose paths are kept.
const CGROUPS: u32 = 4096;

/// The offsets of the kernel's fields that the programs read.
#[derive(Debug, Clone, Default)]
pub(super) struct Offsets(Vec<(&'static str, u32)>);

impl Offsets {
    /// The offsets in the running kernel.
    ///
    /// # Errors
    /// If the kernel does not publish them, or has other fields.
    pub(super) fn read() -> Result<Self> {
        let types = Types::read(Path::new(btf::KERNEL))?;
        let offset = |(name, structure, field)| Ok((name, types.offset(structure, field)?));
        let mut offsets = global::OFFSETS.into_iter().map(offset).collect::<Result<Vec<_>>>()?;
        // Where one is missing, the kernel has no such sockets, and none is set.
        let of_mptcp = global::MPTCP_OFFSETS.into_iter().map(offset).collect::<Result<Vec<_>>>();
        offsets.extend(of_mptcp.unwrap_or_default());
        let of_addresses =
            global::ADDRESS_OFFSETS.into_iter().map(offset).collect::<Result<Vec<_>>>();
        match of_addresses.and_then(|offsets| Ok((offsets, network()?))) {
            Ok((of_addresses, network)) => {
                offsets.extend(of_addresses);
                offsets.push((global::NETWORK, network));
            }
            Err(error) => tracing::info!(
                error = format!("{error:#}"),
                "sockets of other network namespaces are only known where their packets are watched"
            ),
        }
        Ok(Self(offsets))
    }

    /// Sets the constants and the sizes of the maps. Without offsets, the maps have the smallest sizes.
    pub(super) fn set<'a>(&'a self, loader: &mut EbpfLoader<'a>) {
        for (name, offset) in &self.0 {
            loader.override_global(name, offset, true);
        }
        if !self.0.is_empty() {
            loader.override_global(global::SOCKETS, &1_u32, true);
            let has_storage = if has_storage() { &1_u32 } else { &0_u32 };
            loader.override_global(global::HAS_STORAGE, has_storage, true);
            loader.map_max_entries(map::SOCKET_OWNERS, SOCKETS);
            loader.map_max_entries(map::SOCKETS_BY_ADDRESS, SOCKETS_BY_ADDRESS);
            loader.map_max_entries(map::PROCESSES, PROCESSES);
            loader.map_max_entries(map::CGROUPS, CGROUPS);
        }
    }
}

/// The number of the network namespace of this thread.
fn network() -> Result<u32> {
    const FILE: &str = "/proc/thread-self/ns/net";
    let file = std::fs::metadata(FILE).with_context(|| format!("cannot read {FILE}"))?;
    Ok(u32::try_from(file.ino())?)
}
