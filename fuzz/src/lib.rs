//! What the targets share.

use mikir::format::{Format, Hints};
use mikir::nn::network::{Activation, Architecture};

/// Opens a file, and puts its numbers into a network if it says that it has one.
pub fn open(format: Format, bytes: &[u8]) {
    for activations in [
        None,
        Some(vec![Activation::Relu]),
        Some(vec![Activation::Tanh, Activation::Linear]),
    ] {
        let Ok(stored) = format.open(bytes, "bytes", &Hints { activations }) else {
            continue;
        };
        // A network of a few bytes of options may be large, and is refused when its numbers are missing: not made here.
        let Ok(architecture) = Architecture::new(&stored.options) else {
            continue;
        };
        if architecture.value_count() <= bytes.len() {
            let mut values = vec![0.0f64; architecture.value_count()];
            let _ = stored.fill("bytes", &architecture, &mut values);
        }
    }
}
