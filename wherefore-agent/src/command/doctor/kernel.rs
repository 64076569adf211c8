//! Checks of the kernel, the privileges of this process, and other programs on the interfaces. Owns the
//! versions and features that matter; refuses to attach anything.

use std::fs;

use caps::{CapSet, Capability};

use super::check::Check;
use crate::attribute::Mode;
use crate::input::owners::RecordingHooks;
use crate::input::{Daq, chosen, interfaces, kernel};

/// From this version on, programs are attached by TCX.
const TCX: [u32; 2] = [6, 6];
/// The oldest kernel that is tested.
const OLDEST: [u32; 2] = [5, 10];

pub(super) fn release() -> Check {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    of_release(release.trim())
}

fn of_release(release: &str) -> Check {
    let Some(version) = version(release) else {
        return Check::costs(
            "kernel",
            format!("cannot read the kernel's version: {release:?}"),
            "it is not known which features it has",
            "mount /proc",
        );
    };
    if version < OLDEST {
        return Check::fails(
            "kernel",
            format!("{release} is older than 5.10"),
            "eBPF programs may not load; libpcap counts GSO/GRO packets as one",
            "use a newer kernel, or --daq libpcap",
        );
    }
    if version < TCX {
        return Check::costs(
            "kernel",
            format!("{release}: programs are attached by clsact"),
            "one agent for each interface, and an empty clsact qdisc stays behind",
            "Linux 6.6 or later has TCX",
        );
    }
    Check::ok("kernel", format!("{release}: programs are attached by TCX"))
}

fn version(release: &str) -> Option<[u32; 2]> {
    let mut numbers = release.split(|letter: char| !letter.is_ascii_digit()).map(str::parse);
    Some([numbers.next()?.ok()?, numbers.next()?.ok()?])
}

pub(super) fn types() -> Check {
    const PATH: &str = "/sys/kernel/btf/vmlinux";
    if fs::metadata(PATH).is_ok() {
        return Check::ok("kernel types", format!("BTF is at {PATH}"));
    }
    Check::costs(
        "kernel types",
        format!("there is no BTF at {PATH}"),
        "programs that read kernel structures cannot be loaded",
        "use a kernel with CONFIG_DEBUG_INFO_BTF=y",
    )
}

pub(super) fn privileges(daq: Daq) -> Check {
    let has = |capability| caps::has_cap(None, CapSet::Effective, capability).unwrap_or(false);
    let for_kernel = [Capability::CAP_BPF, Capability::CAP_NET_ADMIN, Capability::CAP_PERFMON];
    let is_admin = has(Capability::CAP_SYS_ADMIN);
    let stands_in = |capability| is_admin && capability != Capability::CAP_NET_ADMIN;
    let missing: Vec<String> = for_kernel
        .into_iter()
        .filter(|capability| !has(*capability) && !stands_in(*capability))
        .map(|capability| capability.to_string())
        .collect();
    let can_capture = has(Capability::CAP_NET_RAW);
    let mend = "run as root, or: setcap cap_bpf,cap_net_admin,cap_perfmon+ep wherefore";
    match (missing.is_empty(), can_capture, daq) {
        (true, _, Daq::Auto | Daq::Ebpf) => Check::ok(
            "privileges",
            "CAP_BPF, CAP_NET_ADMIN, CAP_PERFMON: enough to count in the kernel",
        ),
        (_, true, Daq::Libpcap) => Check::ok("privileges", "CAP_NET_RAW: enough to capture"),
        (false, true, Daq::Auto) => Check::costs(
            "privileges",
            format!("without {}: libpcap counts", missing.join(", ")),
            "GSO/GRO packets count as one, and fast links lose packets",
            mend,
        ),
        (_, false, Daq::Libpcap) => Check::fails(
            "privileges",
            "without CAP_NET_RAW",
            "nothing can be captured",
            "run as root, or: setcap cap_net_raw+ep wherefore",
        ),
        (false, ..) => Check::fails(
            "privileges",
            format!("without {}", missing.join(", ")),
            "nothing can be counted; replay, backtest, history and an attached top work",
            mend,
        ),
    }
}

/// The method by which the agent would find the processes behind flows.
pub(super) fn owners(daq: Daq, asked: Mode) -> Check {
    const NAME: &str = "attribution";
    const COST: &str = "sockets that are closed before the end of an interval have no owner";
    if asked == Mode::Off {
        return Check::ok(NAME, "off, as configured");
    }
    if asked == Mode::Proc || daq == Daq::Libpcap {
        let why =
            if asked == Mode::Proc { "as configured" } else { "because libpcap sees no sockets" };
        let mend = "--attribution auto, with --daq auto";
        return Check::costs(NAME, format!("by /proc, {why}"), COST, mend);
    }
    match kernel::recording_hooks() {
        Ok(RecordingHooks::Tracepoints) => Check::ok(NAME, "by the kernel, at tracepoints"),
        Ok(RecordingHooks::Functions) => Check::ok(NAME, "by the kernel, at functions (fexit)"),
        Err(error) => Check::costs(
            NAME,
            format!("by /proc: {error:#}"),
            COST,
            "use Linux 5.10 or later with CONFIG_DEBUG_INFO_BTF=y",
        ),
    }
}

/// Each interface that would be watched, and other programs on it.
pub(super) fn hooks(names: &[String]) -> Vec<Check> {
    let selected = chosen::select(names).and_then(|selection| {
        let there = interfaces::list()?;
        Ok(there.into_iter().filter(|one| selection.matches(one)).collect::<Vec<_>>())
    });
    match selected {
        Err(error) => vec![Check::fails(
            "interfaces",
            format!("{error:#}"),
            "nothing can be watched",
            "name an existing interface with -i",
        )],
        Ok(none) if none.is_empty() => vec![Check::costs(
            "interfaces",
            "none of the configured interfaces exists",
            "nothing is counted until one appears",
            "name an existing interface with -i",
        )],
        Ok(interfaces) => interfaces.iter().take(16).map(hook).collect(),
    }
}

fn hook(interface: &interfaces::Interface) -> Check {
    let name = &interface.name;
    if !interface.is_up {
        return Check::costs(
            "interface",
            format!("{name} is down"),
            "nothing is counted until it is up",
            &format!("ip link set {name} up"),
        );
    }
    match kernel::others_on(interface.index) {
        Err(error) => Check::ok(
            "interface",
            format!("{name} is up; cannot list other programs on it ({error})"),
        ),
        Ok(others) if others.is_empty() => {
            Check::ok("interface", format!("{name} is up; no other TCX program is attached"))
        }
        Ok(others) => Check::ok(
            "interface",
            format!(
                "{name} is up; other TCX programs: {}; --attach-order sets which runs first",
                others.join(", ")
            ),
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::super::check::State;
    use super::*;

    #[test]
    fn releases_have_their_state() {
        let state = |release: &str| of_release(release).state;
        assert_eq!(state("6.18.0-rc1-amd64"), State::Ok);
        assert_eq!(state("6.6.1"), State::Ok);
        assert_eq!([state("6.1.0-9"), state("5.10.0"), state("")], [State::Costs; 3]);
        assert_eq!([state("5.9.16"), state("4.19.0")], [State::Fails; 2]);
    }
}
