//! File descriptors, of which the system allows a process a limited number. Owns the limit, a
//! reserve with which counting continues when everything else has used the descriptors up, and errors
//! that name the limit.

use std::fs::File;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Mutex, OnceLock, PoisonError};

use anyhow::{Error, Result};
use nix::sys::resource::{Resource, getrlimit, setrlimit};
use rustix::process::{Pid, Rlimit, prlimit};

/// Descriptors that are kept back for counting.
const RESERVE: usize = 8;
/// Descriptors that must be free before an interface takes some: for sinks, evidence and state.
const SPARE: usize = 24;

/// The reserve, to be closed when counting needs a descriptor.
static KEPT: Mutex<Vec<OwnedFd>> = Mutex::new(Vec::new());

/// The limits as they were, for programs that the agent starts: some close every descriptor that
/// they may have.
static BEFORE: OnceLock<(u64, u64)> = OnceLock::new();

/// Raises the soft limit to the hard one: 2,048 interfaces need more than the usual 1,024.
pub(crate) fn raise_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE).and_then(|(soft, hard)| {
        let _ = BEFORE.set((soft, hard));
        if soft < hard { setrlimit(Resource::RLIMIT_NOFILE, hard, hard) } else { Ok(()) }
    });
    if let Err(error) = raised {
        tracing::debug!(%error, "the limit of open files stays as it is");
    }
}

/// Gives a program that was just started the limit that this process had.
pub(crate) fn lower_limit_of(process: u32) {
    let pid = i32::try_from(process).ok().and_then(Pid::from_raw);
    if let (Some((soft, hard)), Some(pid)) = (BEFORE.get(), pid) {
        let before = Rlimit { current: Some(*soft), maximum: Some(*hard) };
        // It may have ended already.
        let _ = prlimit(Some(pid), rustix::process::Resource::Nofile, before);
    }
}

/// Keeps some descriptors back for [`with_reserve`].
pub(crate) fn keep_reserve() {
    let mut kept = KEPT.lock().unwrap_or_else(PoisonError::into_inner);
    let missing = RESERVE.saturating_sub(kept.len());
    kept.extend(placeholders(missing));
}

/// Does work that counting needs; if descriptors have run out, again with the
/// reserve.
///
/// # Errors
/// Those of the work.
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

/// Checks that an interface may take descriptors and leaves enough for everything else.
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

/// Whether it failed because there is no descriptor left.
pub(crate) fn is_exhausted(error: &Error) -> bool {
    limit_of(&format!("{error:#}")).is_some()
}

/// The error in words, with the limit if that is the cause.
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

/// Whose limit is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Limit {
    OfProcess,
    OfSystem,
}

/// By the text, which is all that some libraries keep of an error.
fn limit_of(text: &str) -> Option<Limit> {
    let is = |code: i32, name: &str| {
        text.contains(&format!("(os error {code})")) || text.contains(&format!("{name}: "))
    };
    let of_system = is(libc::ENFILE, "ENFILE").then_some(Limit::OfSystem);
    of_system.or_else(|| is(libc::EMFILE, "EMFILE").then_some(Limit::OfProcess))
}

/// As many descriptors as there are, up to a number.
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
        let other = Error::from(io::Error::from_raw_os_error(libc::ENOENT));
        assert!(!is_exhausted(&other) && explained(&other) == format!("{other:#}"));
    }

    #[test]
    fn work_that_counting_needs_is_done_with_the_reserve() {
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
