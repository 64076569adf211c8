//! The privileges of the process: checked before anything is loaded, dropped when everything is attached.
//! Owns which capabilities are needed when.

use anyhow::{Result, bail};
use caps::{CapSet, Capability};

/// Needed to load programs, to attach them, and to use pointer arithmetic on packets.
const NEEDED: [Capability; 3] =
    [Capability::CAP_BPF, Capability::CAP_NET_ADMIN, Capability::CAP_PERFMON];

/// Checks for missing capabilities.
///
/// # Errors
/// If one is missing, unless there is CAP_SYS_ADMIN, which includes it.
pub(super) fn check() -> Result<()> {
    let has = |capability| caps::has_cap(None, CapSet::Effective, capability).unwrap_or(false);
    let stands_in = |capability: &Capability| {
        *capability != Capability::CAP_NET_ADMIN && has(Capability::CAP_SYS_ADMIN)
    };
    let missing: Vec<_> = NEEDED
        .into_iter()
        .filter(|capability| !has(*capability) && !stands_in(capability))
        .map(|capability| capability.to_string())
        .collect();
    if missing.is_empty() {
        return Ok(());
    }
    bail!(
        "this process lacks {}; run it as root (sudo), or give the program what it needs: \
         setcap cap_bpf,cap_net_admin,cap_perfmon+ep wherefore",
        missing.join(", ")
    )
}

/// Drops all capabilities except those for draining (CAP_BPF) and, with filters that do not disappear by
/// themselves, for detaching (CAP_NET_ADMIN); for this thread and all that it starts. Without such filters,
/// CAP_NET_ADMIN stays permitted but not effective, for [`with_net_admin`].
pub(super) fn drop_unneeded(needs_net_admin: bool, also_kept: &[Capability]) {
    let mut kept = [&[Capability::CAP_BPF], also_kept].concat();
    // Before Linux 5.8 there is no CAP_BPF, and on some kernels it does not cover all of bpf(2).
    if !caps::has_cap(None, CapSet::Effective, Capability::CAP_BPF).unwrap_or(false) {
        kept.push(Capability::CAP_SYS_ADMIN);
    }
    if needs_net_admin {
        kept.push(Capability::CAP_NET_ADMIN);
    }
    if let Err(error) = keep_only(&kept, &[Capability::CAP_NET_ADMIN]) {
        tracing::warn!(%error, "cannot give up capabilities: continuing with all of them");
    }
}

/// Does work that needs CAP_NET_ADMIN, such as listing TCX programs; makes it effective meanwhile, if this
/// process has it.
pub(crate) fn with_net_admin<T>(work: impl FnOnce() -> T) -> T {
    let has = caps::has_cap(None, CapSet::Effective, Capability::CAP_NET_ADMIN).unwrap_or(false);
    if has || caps::raise(None, CapSet::Effective, Capability::CAP_NET_ADMIN).is_err() {
        return work();
    }
    let done = work();
    if let Err(error) = caps::drop(None, CapSet::Effective, Capability::CAP_NET_ADMIN) {
        tracing::warn!(%error, "CAP_NET_ADMIN stays in effect");
    }
    done
}

/// Drops everything except what capturing on further interfaces needs.
pub(crate) fn keep_for_capture(also_kept: &[Capability]) {
    let kept = [&[Capability::CAP_NET_RAW, Capability::CAP_NET_ADMIN], also_kept].concat();
    if let Err(error) = keep_only(&kept, &[]) {
        tracing::warn!(%error, "cannot give up capabilities: continuing with all of them");
    }
}

/// Drops everything, for this thread.
pub(crate) fn give_up_all() {
    for set in [CapSet::Inheritable, CapSet::Effective, CapSet::Permitted] {
        // Fails only if there are no privileges to drop.
        let _ = caps::clear(None, set);
    }
}

/// Keeps some capabilities effective and others only permitted. Programs that this process starts can have
/// only the effective ones.
fn keep_only(
    kept: &[Capability],
    in_reserve: &[Capability],
) -> Result<(), caps::errors::CapsError> {
    for capability in caps::all() {
        let is_bounded = caps::has_cap(None, CapSet::Bounding, capability).unwrap_or(false);
        if !kept.contains(&capability) && is_bounded {
            // Needs CAP_SETPCAP. A process that is not root lacks it and does not need it.
            let _ = caps::drop(None, CapSet::Bounding, capability);
        }
    }
    let permitted = caps::read(None, CapSet::Permitted)?;
    let of_permitted = |wanted: &[Capability]| -> caps::CapsHashSet {
        wanted.iter().copied().filter(|capability| permitted.contains(capability)).collect()
    };
    caps::clear(None, CapSet::Inheritable)?;
    caps::set(None, CapSet::Effective, &of_permitted(kept))?;
    caps::set(None, CapSet::Permitted, &of_permitted(&[kept, in_reserve].concat()))
}
