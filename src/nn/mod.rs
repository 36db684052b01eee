//! The core: a multilayer perceptron on flat buffers that its caller owns.
//!
//! | module | holds |
//! |---|---|
//! | [`options`] | what a user chooses, read from JSON |
//! | [`architecture`] | the shape of a network and where each layer lives in the flat buffers |
//! | [`activation`] | activation functions and their derivatives |
//! | [`loss`] | losses and their gradients |
//! | [`normalization`] | batch and layer normalization |
//! | [`initializer`] | the distributions that starting weights are drawn from |
//! | [`orthogonal`] | vectors at right angles |
//! | [`random`] | the one seeded generator behind every random choice |
//! | [`batch`] | many examples at a time: forward and backward |
//! | [`product`] | matrix products |
//! | [`packing`] | what large products read, copied together |
//! | [`prediction`] | predictions for many rows |
//! | [`online`] | one example at a time: `predict` and the original's `train` |
//! | [`tiny`] | the smallest networks, in registers |
//! | [`optimizer`] | how parameters follow the gradient: SGD to RProp, and clipping |
//! | [`lbfgs`] | the optimizer that evaluates the loss itself: L-BFGS with a line search |
//! | [`schedule`] | the learning rate of each epoch |
//! | [`archive`] | JSON and tensors in one file |
//! | [`host`] | what a platform provides: files, threads, a clock |
//! | [`lines`] | numbers in whole lines of the cache |
//! | [`team`] | threads that share the steps of a fit |
//! | [`evaluation`] | the measures of `evaluate` |
//! | [`fit`] | training: many epochs over many rows |
//! | [`settings`] | tables of settings: key, default and range on one line |
//! | [`weights`] | weights as users see them, to and from the flat buffer |
//! | [`kernels`] | the inner loops |
//! | [`simd`] | the choice of instruction set at run time |
//! | [`elementary`] | exponentials and logarithms as vector code |
//! | [`real`] | the two precisions |
//! | [`wording`] | how names and values read in an error |
//! | [`error`] | what can be wrong with a call |

pub mod activation;
pub mod architecture;
pub mod archive;
pub mod batch;
pub mod elementary;
pub mod error;
pub mod evaluation;
pub mod fit;
pub mod host;
pub mod initializer;
pub mod kernels;
pub mod lbfgs;
pub mod lines;
pub mod loss;
pub mod normalization;
pub mod online;
pub mod optimizer;
pub mod options;
pub mod orthogonal;
pub mod outputs;
pub mod packing;
pub mod prediction;
pub mod product;
pub mod random;
pub mod real;
pub mod schedule;
pub mod settings;
pub mod simd;
pub mod team;
pub mod tiny;
pub mod weights;
pub mod wording;

pub use activation::Activation;
pub use architecture::{Architecture, Layer};
pub use batch::{Batch, Masks};
pub use error::{Code, Error, Result};
pub use evaluation::Evaluation;
pub use initializer::Initializer;
pub use loss::Loss;
pub use online::Workspace;
pub use options::NetworkOptions;
pub use random::Generator;
pub use real::Real;

#[cfg(test)]
#[path = "../../__test__/core/gradients.rs"]
mod gradients;

#[cfg(test)]
#[path = "../../__test__/core/online.rs"]
mod online_contract;

#[cfg(test)]
#[path = "../../__test__/core/training.rs"]
mod training;
