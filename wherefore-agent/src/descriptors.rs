//! File descriptors, whose number the system limits. Owns the limit, a reserve with which counting continues
//! when all other descriptors are used, and errors that name the limit.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Error, Result};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustix::process::{Pid, Rlimit, prlimit};

/// The number of descriptors that are reserved for counting.
const RESERVE: usize = 8;
/// The number of descriptors that must stay free, for sinks, evidence and state, when an interface is added.
const SPARE: usize = 24;

/// The reserve. It is closed when counting needs a descriptor.
static KEPT: Mutex<Vec<OwnedFd>> = Mutex::new(Vec::new());

/// The limits before they were raised, for programs that the agent starts: some close every descriptor up to
/// the limit.
static BEFORE: OnceLock<(u64, u64)> = OnceLock::new();

/// Raises the soft limit to the hard one: 2,048 interfaces need more than the usual 1,024 descriptors.
pub(crate) fn raise_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        let _ = BEFORE.set((soft, hard));
        if soft < hard { setrlimit(Resource::RLIMIT_NOFILE, hard, hard) } else { Ok(()) }
    });
    if let Err(error) = raised {
        tracing::debug!(%error, "cannot raise the limit of open files");
    }
}

/// Gives a program that was just started the limits that this process had.
pub(crate) fn lower_limit_of(process: u32) {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    if let (Some((soft, hard)), Some(pid)) = (BEFORE.get(), pid) {
        let before = Rlimit { current: Some(*soft), maximum: Some(*hard) };
        // The program may have ended already.
        let _ = prlimit(Some(pid), rustix::process::Resource::Nofile, before);
    }
}

/// Reserves descriptors for [`with_reserve`].
pub(crate) fn keep_reserve() {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let missing = RESERVE.saturating_sub(kept.len());
    kept.extend(placeholders(missing));
}

/// Does work that counting needs. If no descriptor is free, does it again with the reserve.
///
/// # Errors
/// The errors of the work.
pub(crate) fn with_reserve<T>(mut work: impl FnMut() -> Result<T>) -> Result<T> {
    match work() {
        Err(error) if is_exhausted(&error) => {
            KEPT.lock().unwrap_or_else(PoisonError::into_inner).clear();
            let done = work();
            keep_reserve();
            done
        }
        done => done,
    }
}

/// Checks that adding an interface leaves enough descriptors for everything else.
///
/// # Errors
/// If too few are left.
pub(crate) fn check_spare() -> Result<()> {
    let placeholders = placeholders(SPARE);
    if placeholders.len() == SPARE {
        return Ok(());
    }
    Err(Error::from(io::Error::from_raw_os_error(libc::EMFILE)))
}

/// Whether the cause of an error is that no descriptor is free.
pub(crate) fn is_exhausted(error: &Error) -> bool {
    limit_of(&format!("{error:#}")).is_some()
}

/// The error as text, with the limit if that is the cause.
pub(crate) fn explained(error: &Error) -> String {
    let text = format!("{error:#}");
    match limit_of(&text) {
        None => text,
        Some(Limit::OfSystem) => {
            format!("{text}: the system's limit of open files is reached; raise fs.file-max")
        }
        Some(Limit::OfProcess) => {
            let limit = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft);
            format!(
                "{text}: the limit of {limit} open files (ulimit -n) is reached; raise it \
                 (LimitNOFILE in a systemd unit)"
            )
        }
    }
}

/// The limit that was reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    OfProcess,
    OfSystem,
}

/// Recognises the limit by the text of the error, because some libraries keep nothing else.
fn limit_of(text: &str) -> Option<Limit> {
    let is = |code: i32, name: &str, words: &str| {
        text.contains(&format!("(os error {code})"))
            || text.contains(&format!("{name}: "))
            || text.contains(words)
    };
    // libpcap's errors contain only the words.
    let of_system = is(libc::ENFILE, "ENFILE", "open files in system").then_some(Limit::OfSystem);
    of_system
        .or_else(|| is(libc::EMFILE, "EMFILE", "Too many open files").then_some(Limit::OfProcess))
}

/// Opens descriptors, up to this number.
fn placeholders(number: usize) -> Vec<OwnedFd> {
    let Ok(null) = File::open("/dev/null") else { return Vec::new() };
    let more = std::iter::from_fn(|| null.try_clone().ok()).take(number.saturating_sub(1));
    let more: Vec<OwnedFd> = more.map(OwnedFd::from).collect();
    let first = (number > 0).then(|| null.into());
    more.into_iter().chain(first).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_name_the_limit() {
        let error =
            Error::from(io::Error::from_raw_os_error(libc::EMFILE)).context("cannot open x");
        assert!(is_exhausted(&error));
        let text = explained(&error);
        assert!(text.contains("open files (ulimit -n) is reached"), "{text}");
        let of_libpcap = Error::msg("libpcap error: socket: Too many open files");
        assert!(explained(&of_libpcap).contains("LimitNOFILE"));
        let of_system = Error::msg("libpcap error: socket: Too many open files in system");
        assert!(explained(&of_system).contains("fs.file-max"));
        let other = Error::from(io::Error::from_raw_os_error(libc::ENOENT));
        assert!(!is_exhausted(&other) && explained(&other) == format!("{other:#}"));
    }

    #[test]
    fn counting_uses_the_memory_reserve() {
        keep_reserve();
        let mut left = 1;
        let done = with_reserve(|| {
            left -= 1;
            let error = io::Error::from_raw_os_error(libc::EMFILE);
            if left < 0 { Ok(()) } else { Err(Error::from(error)) }
        });
        assert!(done.is_ok());
        assert_eq!(KEPT.lock().unwrap().len(), RESERVE);
    }
}
