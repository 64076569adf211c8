//! `doctor`: checks what works on this machine and what does not, with the consequence and the fix. Owns the
//! order of the checks and their report; changes nothing and sends nothing.

mod check;
mod host;
mod kernel;
mod outside;

use std::fmt::Write as _;
use std::io::{self, IsTerminal, Write};

use anyhow::{Context, Result, bail};
use serde::Serialize;

use crate::options::cli::DoctorArgs;
use check::{Check, State};

/// Runs all checks and prints their results.
///
/// # Errors
/// If a check fails.
pub fn doctor(args: &DoctorArgs) -> Result<()> {
    let checks = look(args);
    let failed = checks.iter().filter(|check| check.state == State::Fails).count();
    let text = if args.json { json(&checks)? } else { words(&checks, io::stdout().is_terminal()) };
    io::stdout().lock().write_all(text.as_bytes()).context("cannot write to standard output")?;
    if failed > 0 {
        bail!("{failed} of {} checks failed", checks.len());
    }
    Ok(())
}

fn look(args: &DoctorArgs) -> Vec<Check> {
    let run = &args.run;
    let mut checks = vec![kernel::release(), kernel::types(), kernel::privileges(run.daq)];
    checks.push(kernel::owners(run.daq, run.attribution.attribution));
    checks.extend(kernel::hooks(&run.interfaces));
    checks.push(host::clock());
    checks.push(host::memory(run));
    checks.push(host::state_directory(run.common.state_dir.as_deref()));
    checks.extend(outside::sinks(&run.common));
    checks.push(outside::places(&run.common));
    checks.push(outside::agent(run.socket.as_deref()));
    checks
}

fn json(checks: &[Check]) -> Result<String> {
    #[derive(Serialize)]
    struct Report<'a> {
        ok: bool,
        checks: &'a [Check],
    }
    let ok = checks.iter().all(|check| check.state != State::Fails);
    Ok(serde_json::to_string(&Report { ok, checks })? + "\n")
}

fn words(checks: &[Check], is_coloured: bool) -> String {
    let mut text = String::new();
    let paint = |state: State| match state {
        State::Ok => ("ok   ", "32"),
        State::Costs => ("costs", "33"),
        State::Fails => ("FAILS", "31"),
    };
    let is_coloured = is_coloured && std::env::var_os("NO_COLOR").is_none_or(|no| no.is_empty());
    for Check { name, state, found, cost, mend } in checks {
        let (sign, colour) = paint(*state);
        let sign =
            if is_coloured { format!("\u{1b}[{colour}m{sign}\u{1b}[0m") } else { sign.to_owned() };
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{sign}  {name:<16} {found}");
        for (what, line) in [("effect", cost), ("fix", mend)] {
            if let Some(line) = line {
                let _ = writeln!(text, "       {what:>16} {line}");
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_says_how_to_fix_it() {
        let checks = [
            Check::ok("kernel", "6.18"),
            Check::costs("clock", "not set", "times are wrong", "start chrony"),
            Check::fails("privileges", "none", "nothing is counted", "use sudo"),
        ];
        let text = words(&checks, false);
        assert!(text.contains("FAILS  privileges       none\n"), "{text}");
        assert!(text.contains("fix use sudo\n"), "{text}");
        let json: serde_json::Value = serde_json::from_str(&json(&checks).unwrap()).unwrap();
        assert_eq!(json["ok"], false);
        assert_eq!(json["checks"][1]["state"], "costs");
        assert_eq!(json["checks"][0].get("mend"), None);
    }
}
