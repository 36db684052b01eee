//! Options as JSON: whatever the text is, there is an error or options that are written and read back the same.
#![no_main]

use libfuzzer_sys::fuzz_target;
use mikir::nn::NetworkOptions;
use mikir::nn::fit::FitOptions;
use mikir::nn::network::Loss;
use serde_json::Value;

fuzz_target!(|bytes: &[u8]| {
    let Ok(json) = serde_json::from_slice::<Value>(bytes) else {
        return;
    };
    if let Ok(options) = NetworkOptions::from_json(&json) {
        assert_eq!(NetworkOptions::from_json(&options.to_json()), Ok(options));
    }
    if let Ok(options) = FitOptions::from_json(&json, Loss::CrossEntropy { label_smoothing: 0.0 }, 3) {
        let again = FitOptions::from_json(&options.to_json(), Loss::CrossEntropy { label_smoothing: 0.0 }, 3);
        assert_eq!(again.map(|again| again.to_json()), Ok(options.to_json()));
    }
});
