//! Drives [`wherefore_fuzz::frame`]: a frame of any link type.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wherefore_fuzz::frame::run(data));
