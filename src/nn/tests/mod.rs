//! Tests of the core as a whole.
//!
//! | module | holds |
//! |---|---|
//! | [`gradients`] | the gradient of every kind of network, against the reference, finite differences and PyTorch |
//! | [`online`] | `predict` and `train`, against the original's contract |
//! | [`training`] | whole fits |

pub mod gradients;
mod online;
mod training;
