//! Checkpoints: whatever the bytes are, there is an error or what they hold. The checksum over all is set right, since no
//! fuzzer finds one.
#![no_main]

use std::fs;

use libfuzzer_sys::fuzz_target;
use mikir::nn::NetworkOptions;
use mikir::nn::host::archive;

fuzz_target!(|bytes: &[u8]| {
    let mut bytes = bytes.to_vec();
    if let Some(at) = bytes.len().checked_sub(4) {
        let checksum = crc32fast::hash(&bytes[..at]);
        bytes[at..].copy_from_slice(&checksum.to_le_bytes());
    }
    let path = std::env::temp_dir().join(format!("mikir-fuzz-{}", std::process::id()));
    fs::write(&path, &bytes).expect("a file in the temporary folder");
    let read = archive::read(&path, |json, _| NetworkOptions::from_json(json).map(drop));
    if let Ok((_, tensors)) = read {
        assert!(tensors.len() <= bytes.len());
    }
});
