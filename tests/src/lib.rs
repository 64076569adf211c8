//! What the tests share: a laboratory of network namespaces, the kernel programs by themselves.
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

/// Says on the real standard error, which the test runner does not capture, that a test could not
/// run for want of a privilege. CI refuses that.
pub fn skip(test: &str, reason: &str) {
    tell(&format!("SKIPPED {test}: {reason}\n"));
}

/// Says likewise that a test has nothing to compare with: the large collections of captures and
/// recorded scores do not come with the source, and a plain clone tests itself with its own.
pub fn without_data(test: &str, data: &str) {
    tell(&format!("NO DATA {test}: no {data} (WHEREFORE_SHARED names the folder that has it)\n"));
}

fn tell(line: &str) {
    use std::io::Write;
    // What can't be said is no reason to fail.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
