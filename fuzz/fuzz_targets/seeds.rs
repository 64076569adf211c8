//! Writes the seeds into the given folder.

// The driver needs a target to link; it is not run.
libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let _ = data;
});

fn main() -> anyhow::Result<()> {
    let folder = std::env::args_os().nth(1);
    wherefore_fuzz::seeds::write(&std::path::PathBuf::from(folder.unwrap_or_default()))
}
