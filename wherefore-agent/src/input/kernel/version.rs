//! What the running kernel has by its version, where it can't be asked otherwise.

use aya::util::KernelVersion;

/// Whether the running kernel has what came with this version.
pub(super) fn kernel_is_at_least(major: u8, minor: u8) -> bool {
    KernelVersion::current().is_ok_and(|current| current >= KernelVersion::new(major, minor, 0))
}

/// Whether programs at tracepoints and functions may use storage of sockets and make cookies.
pub(super) fn has_storage() -> bool {
    kernel_is_at_least(5, 12)
}
