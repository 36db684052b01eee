//! Forward and backward.
//!
//! | module | holds |
//! |---|---|
//! | [`plan`] | which of them serves a network |
//! | `reference` | the mathematics in plain loops: start here (compiled for tests) |
//! | [`batch`] | many examples at a time: forward and backward |
//! | [`outputs`] | from the weighted sums of the output layer to losses and their gradient |
//! | [`online`] | one example at a time: `predict` and the original's `train` |
//! | [`prediction`] | predictions for many rows |
//! | [`narrow`] | gradients and steps of narrow networks |
//! | [`losses`] | the losses of their rows |
//! | [`work`] | what a pass goes over, and the losses that it finds |
//! | [`tiny`] | the smallest networks, in registers |

pub mod batch;
pub mod losses;
pub mod narrow;
pub mod online;
pub mod outputs;
pub mod plan;
pub mod prediction;
#[cfg(test)]
pub mod reference;
pub mod tiny;
pub mod work;

pub use batch::{Batch, Masks};
pub use online::Workspace;
pub use work::{LossSum, Work};
