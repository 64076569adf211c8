//! Drives [`wherefore_fuzz::capture`]: a capture file, plain or compressed.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wherefore_fuzz::capture::run(data));
