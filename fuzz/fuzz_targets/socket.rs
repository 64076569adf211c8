//! Drives [`wherefore_fuzz::socket`]: messages of an agent, or of a hostile process, to the live view.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wherefore_fuzz::socket::run(data));
