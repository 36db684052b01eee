//! Which pass serves a network: the one place that decides.
//!
//! | pass | serves | without it |
//! |---|---|---|
//! | [`reference`](super) | nothing: it is what the others are held against | |
//! | [`batch`](super::batch) | every network, in `fit`, `predictBatch` and `evaluate` | |
//! | [`online`](super::online) | every network, in `predict` and `train`, in the original's order | |
//! | [`narrow`](super::narrow) | `fit` up to [`PARAMETERS`], no normalization or dropout | `batch` |
//! | [`tiny`](super::tiny) | `predict`, `train` and plain SGD of four shapes | `narrow`, `online` |
//! | one row | steps by one row: gradients that are never written down | products |
//!
//! What each brings is in `docs/performance.md`; `npm run bench -- passes` measures it with the [`Switch`]es. A pass of its
//! own has to be 1.5 times as fast on something that people do.

use crate::nn::network::{Architecture, Layer};
use crate::nn::pass::tiny::Functions;
use crate::nn::switch::Switch;

/// The most parameters of a narrow network: from there on vectors along the units are faster (`npm run bench -- cost`).
pub const PARAMETERS: usize = 256;

/// Whether a fit takes the pass for narrow networks.
pub fn is_narrow(architecture: &Architecture) -> bool {
    let is_plain = |layer: &Layer| layer.options.normalization.is_none() && layer.options.dropout == 0.0;
    Switch::Narrow.is_on()
        && architecture.parameter_count() <= PARAMETERS
        && architecture.layers().iter().all(is_plain)
}

/// What the pass for the smallest networks has to know, where it serves this one.
#[inline]
pub fn tiny(architecture: &Architecture) -> Option<Functions> {
    Functions::of(architecture).filter(|_| Switch::Tiny.is_on())
}

/// How many units a layer has at least whose gradients by one row are not written down: of fewer, its rows are too short.
const UNITS: usize = 64;

/// Whether a step by so many rows takes the gradients of a layer's weights as products of two numbers, which are not
/// written down.
pub fn takes_products(layer: &Layer, rows: usize) -> bool {
    rows == 1 && layer.units >= UNITS && !layer.is_penalized() && Switch::OneRow.is_on()
}
