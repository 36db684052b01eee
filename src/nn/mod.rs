//! The core: multilayer perceptrons on flat buffers that their caller owns. It knows no host.
//!
//! | module | holds |
//! |---|---|
//! | [`network`] | what a network is: options, architecture, functions, starting weights |
//! | [`pass`] | forward and backward, in a plain way and in fast ones |
//! | [`optim`] | how parameters follow the gradient: optimizers and schedules |
//! | [`data`] | rows of inputs and targets |
//! | [`fit`] | training: many epochs over many rows |
//! | [`evaluation`] | the measures of predictions |
//! | [`vector`] | the arithmetic that all of it rests on |
//! | [`host`] | what a platform provides: files, threads, a clock |
//! | [`random`] | the one seeded generator behind every random choice |
//! | [`switch`] | switches that turn fast ways off, for tests and benchmarks |
//! | [`settings`] | tables of settings: key, default and range on one line |
//! | [`wording`] | how names and values read in an error |
//! | [`error`] | what can be wrong with a call |

pub mod data;
pub mod error;
pub mod evaluation;
pub mod fit;
pub mod host;
pub mod network;
pub mod optim;
pub mod pass;
pub mod random;
pub mod settings;
pub mod switch;
pub mod vector;
pub mod wording;

#[cfg(test)]
mod tests;

pub use error::{Code, Error, Result};
pub use evaluation::Evaluation;
pub use network::{Activation, Architecture, Initializer, Layer, Loss, NetworkOptions};
pub use pass::{Batch, Masks, Workspace};
pub use random::Generator;
pub use vector::Real;
