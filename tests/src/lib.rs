//! What the tests share: a laboratory of network namespaces, the kernel programs by themselves.
#![forbid(unsafe_code)]

pub mod agent;
pub mod command;
pub mod corpus;
pub mod kernel;
pub mod lab;

/// Says on the real standard error, which the test runner does not capture, that a test could not
/// run and why.
pub fn skip(test: &str, reason: &str) {
    use std::io::Write;
    let line = format!("SKIPPED {test}: {reason}\n");
    // A skip that can't be said is no reason to fail.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
