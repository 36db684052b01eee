//! The numbers that both sides of the border have to know: a host hands them to its JavaScript.

use serde_json::{Value, json};

use crate::engine::{fit, layout, trainer};
use crate::nn::data::Part;

/// All of them, as JSON.
pub fn border() -> Value {
    json!({
        "learningRate": layout::LEARNING_RATE,
        "parts": {
            "inputs": Part::Inputs as u32,
            "targets": Part::Targets as u32,
            "sampleWeights": Part::Weights as u32,
        },
        "reportLength": fit::REPORT,
        "step": {
            "rows": trainer::ROWS,
            "flags": trainer::FLAGS,
            "isRefused": trainer::IS_REFUSED,
            "loss": trainer::LOSS,
            "begin": trainer::HEADER,
            "weighted": trainer::WEIGHTED,
            "gradients": trainer::GRADIENTS,
        },
    })
}
