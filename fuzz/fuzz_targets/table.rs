//! Drives [`wherefore_fuzz::table`]: flows, series or CSV for backtest.
#![no_main]
libfuzzer_sys::fuzz_target!(|data: &[u8]| wherefore_fuzz::table::run(data));
