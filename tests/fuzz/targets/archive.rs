//! Any bytes for `targets::archive`.
#![no_main]

#[path = "../targets.rs"]
#[allow(dead_code, reason = "each program is about one of them")]
mod targets;

libfuzzer_sys::fuzz_target!(|data: &[u8]| targets::archive(data));
