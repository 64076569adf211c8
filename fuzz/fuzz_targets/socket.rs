//! Drives [`wherefore_fuzz::socket`]: what an agent, or somebody in its place, sends to the live view.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wherefore_fuzz::socket::run(data));
