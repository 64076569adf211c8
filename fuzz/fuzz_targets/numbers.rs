//! Drives [`wherefore_fuzz::numbers`]: numbers or CSV for score.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wherefore_fuzz::numbers::run(data));
