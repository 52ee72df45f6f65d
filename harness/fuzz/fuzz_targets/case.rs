//! Fuzzes [`targets::case`].
#![no_main]

#[expect(dead_code, reason = "each fuzzer has one target")]
#[path = "../targets.rs"]
mod targets;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| targets::case(bytes));
