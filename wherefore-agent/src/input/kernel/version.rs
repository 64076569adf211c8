//! The kernel's version, for features that cannot be queried otherwise. Owns which version has which feature.

use aya::util::KernelVersion;

/// Whether the running kernel has at least this version.
pub(super) fn kernel_is_at_least(major: u8, minor: u8) -> bool {
    KernelVersion::current().is_ok_and(|current| current >= KernelVersion::new(major, minor, 0))
}

/// Whether tracepoint and fexit programs may use socket storage and socket cookies.
pub(super) fn has_storage() -> bool {
    kernel_is_at_least(5, 12)
}
