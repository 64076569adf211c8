//! Drives [`wherefore_fuzz::history`]: the file of the history.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wherefore_fuzz::history::run(data));
