#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| _ = agent_run::fuzzing::config(data));
