//! Drives [`wherefore_fuzz::state`]: a file of the state directory.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wherefore_fuzz::state::run(data));
