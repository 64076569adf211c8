//! Drives [`wherefore_fuzz::dns`]: a DNS message.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wherefore_fuzz::dns::run(data));
