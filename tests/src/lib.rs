//! Code that tests share: a laboratory of network namespaces, and the kernel programs alone.
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

/// Prints to the real standard error, which the test runner does not capture, that a test could not run
/// because a privilege is missing. CI does not accept this.
pub fn skip(test: &str, reason: &str) {
    print_line(&format!("SKIPPED {test}: {reason}\n"));
}

/// Prints likewise that a test has nothing to compare with: the large collections of captures and recorded
/// scores are not part of the source, and a plain clone is tested with its own captures.
pub fn without_data(test: &str, data: &str) {
    print_line(&format!(
        "NO DATA {test}: no {data} (WHEREFORE_SHARED names the folder that has it)\n"
    ));
}

/// Prints likewise that a test left something out because the kernel lacks it.
pub fn not_tried(test: &str, what: &str, reason: &str) {
    print_line(&format!("NOT TRIED {test}: {what}: {reason}\n"));
}

fn print_line(line: &str) {
    use std::io::Write;
    // A message that cannot be written is no reason to fail.
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}
