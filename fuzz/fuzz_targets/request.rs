//! Drives [`wherefore_fuzz::request`]: bytes that a client sends to the listener.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wherefore_fuzz::request::run(data));
