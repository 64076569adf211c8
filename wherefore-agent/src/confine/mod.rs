//! The sandbox. Once attached, the agent gives up files and ports by Landlock, system calls by seccomp, and
//! new privileges by `no_new_privs`. Owns the order, and the behaviour if the kernel lacks one of these;
//! refuses to know options, sinks and interfaces: the layers above pass what they need.
//!
//! If something cannot be given up, this is logged and the agent continues, because counting comes first.

mod calls;
mod files;
mod settings;

use std::collections::BTreeSet;
use std::io::ErrorKind;

use anyhow::Error;

pub use settings::Settings;

/// The restrictions in force; they help to explain later errors.
#[derive(Debug, Default)]
pub struct Confined {
    has_files: bool,
    ports: Option<BTreeSet<u16>>,
    is_on: bool,
}

/// Gives up everything that the settings do not name: files and ports for this thread and threads that it
/// starts later, system calls for all threads.
pub fn enter(settings: &Settings) -> Confined {
    if !settings.is_on {
        return Confined::default();
    }
    if settings.starts_programs {
        tracing::warn!(
            "no sandbox, because a command sink starts programs, which would be restricted too"
        );
        return Confined::default();
    }
    let mut confined = Confined { is_on: true, ..Confined::default() };
    let by_landlock = match files::restrict(settings) {
        Ok(done) => {
            confined.has_files = true;
            confined.ports = done.has_ports.then(|| settings.ports.clone()).flatten();
            done.to_string()
        }
        Err(reason) => {
            tracing::warn!(reason = format!("{reason:#}"), "cannot restrict files and ports");
            "nothing".to_owned()
        }
    };
    let by_seccomp = match calls::restrict() {
        Ok(allowed) => format!("all but {allowed} system calls"),
        Err(reason) => {
            tracing::warn!(reason = format!("{reason:#}"), "cannot restrict system calls");
            "nothing".to_owned()
        }
    };
    tracing::info!(by_landlock, by_seccomp, "entered the sandbox");
    confined
}

impl Confined {
    /// Refuses a reload whose settings need what the sandbox no longer allows.
    ///
    /// # Errors
    /// If a port or a program is new. The error has advice.
    pub fn check(&self, settings: &Settings) -> Result<(), Error> {
        if self.is_on && settings.starts_programs {
            anyhow::bail!("the sandbox does not allow a new command sink: restart the agent");
        }
        let Some(allowed) = &self.ports else { return Ok(()) };
        let Some(asked) = &settings.ports else {
            anyhow::bail!(
                "the ports that sinks connect to are not known now, and the sandbox allows only \
                 {allowed:?}: restart the agent"
            );
        };
        let new: Vec<_> = asked.difference(allowed).collect();
        anyhow::ensure!(
            new.is_empty(),
            "the sandbox does not allow connections to the new port {new:?} of a sink: restart the agent"
        );
        Ok(())
    }

    /// The error as text, with a hint if the sandbox may be the cause.
    pub fn explained(&self, error: &Error) -> String {
        let is_denied = |cause: &(dyn std::error::Error + 'static)| {
            let io = cause.downcast_ref::<std::io::Error>();
            io.is_some_and(|io| io.kind() == ErrorKind::PermissionDenied)
        };
        if self.has_files && error.chain().any(is_denied) {
            return format!(
                "{error:#}: the sandbox allows only files in folders that were named at the start; \
                 restart the agent"
            );
        }
        format!("{error:#}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(ports: &[u16]) -> Settings {
        Settings { ports: Some(ports.iter().copied().collect()), ..Settings::default() }
    }

    #[test]
    fn a_reload_cannot_widen_the_sandbox() {
        let ports = asking(&[53, 443]).ports;
        let confined = Confined { is_on: true, has_files: true, ports };
        assert!(confined.check(&asking(&[443])).is_ok());
        let error = confined.check(&asking(&[443, 9093])).unwrap_err().to_string();
        assert!(error.contains("9093") && error.contains("restart"), "{error}");
        assert!(confined.check(&Settings { ports: None, ..Settings::default() }).is_err());
        let program = Settings { starts_programs: true, ..asking(&[]) };
        assert!(confined.check(&program).is_err());
        assert!(Confined::default().check(&program).is_ok());
    }

    #[test]
    fn only_refusals_are_blamed_on_the_sandbox() {
        let confined = Confined { is_on: true, has_files: true, ports: None };
        let denied = Error::from(std::io::Error::from(ErrorKind::PermissionDenied)).context("x");
        assert!(confined.explained(&denied).contains("restart the agent"));
        let missing = Error::from(std::io::Error::from(ErrorKind::NotFound));
        assert!(!confined.explained(&missing).contains("sandbox"));
        assert!(!Confined::default().explained(&denied).contains("sandbox"));
    }
}
