//! Tables in CSV: whatever the bytes are, there is an error or columns of equal length, the same ones each time.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikir::format::csv::{self, Options, Values};

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, text)) = bytes.split_first() else {
        return;
    };
    let options = Options {
        separator: [None, Some(b';'), Some(b'\t')].get(usize::from(choice)).copied().flatten(),
        missing: vec!["NA".into()],
        ..Options::default()
    };
    let Ok(columns) = csv::read(|| Ok(text), "the text", &options) else {
        return;
    };
    let lengths: Vec<usize> = columns
        .iter()
        .map(|column| match &column.values {
            Values::Numbers(numbers) => numbers.len(),
            Values::Words { codes, words } => {
                assert!(codes.iter().all(|&code| code == csv::MISSING || (code as usize) < words.len()));
                codes.len()
            }
        })
        .collect();
    assert!(lengths.iter().all(|&length| length == lengths[0] && length <= text.len()));
});
