#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| lockgate::fuzzing::fuzz_packages(data));
