//! Drives [`wherefore_fuzz::spool`]: the file of alerts that wait for a sink.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wherefore_fuzz::spool::run(data));
