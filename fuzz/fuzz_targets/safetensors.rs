//! Files of this format: whatever the bytes are, there is an error or a network.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikir::format::Format;
use mikir_fuzz::open;

fuzz_target!(|bytes: &[u8]| open(Format::Safetensors, bytes));
