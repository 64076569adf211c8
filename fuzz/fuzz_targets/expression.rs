//! Drives [`wherefore_fuzz::expression`]: a filter expression and a frame.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wherefore_fuzz::expression::run(data));
