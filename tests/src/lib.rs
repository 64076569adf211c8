//! Shared code of the tests: a laboratory of network namespaces, the kernel programs alone.
#![forbid(unsafe_code)]

pub mod agent;
pub mod command;
pub mod corpus;
pub mod engine;
pub mod evidence;
#[cfg(target_arch = "x86_64")]
pub mod inside;
pub mod kernel;
pub mod lab;

/// Reports on the real standard error, which the test runner does not capture, that a test could not
/// run because a privilege is missing. CI refuses that.
pub fn skip(test: &str, reason: &str) {
    tell(&format!("SKIPPED {test}: {reason}\n"));
}

/// Reports likewise that a test has nothing to compare with: the large collections of captures and
/// recorded scores do not come with the source, and a plain clone tests itself with its own.
pub fn without_data(test: &str, data: &str) {
    tell(&format!("NO DATA {test}: no {data} (WHEREFORE_SHARED names the folder that has it)\n"));
}

fn tell(line: &str) {
    use std::io::Write;
    // A message that cannot be written is no reason to fail.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
