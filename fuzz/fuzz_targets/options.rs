//! Drives [`wherefore_fuzz::options`]: a configuration file.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wherefore_fuzz::options::run(data));
