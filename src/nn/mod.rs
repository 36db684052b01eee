//! The core: a multilayer perceptron on flat buffers that its caller owns.
//!
//! | module | holds |
//! |---|---|
//! | [`architecture`] | the shape of a network and where each layer lives in the flat buffers |
//! | [`activation`] | activation functions and their derivatives |
//! | [`initializer`] | the distributions that starting weights are drawn from |
//! | [`random`] | the one seeded generator behind every random choice |
//! | [`online`] | one example at a time: `predict` and the original's `train` |
//! | [`weights`] | weights as users see them, to and from the flat buffer |
//! | [`kernels`] | the inner loops |
//! | [`simd`] | the choice of instruction set at run time |
//! | [`elementary`] | e^x as vector code |
//! | [`real`] | the two precisions |
//! | [`error`] | what can be wrong with a call |

pub mod activation;
pub mod architecture;
pub mod elementary;
pub mod error;
pub mod initializer;
pub mod kernels;
pub mod online;
pub mod random;
pub mod real;
pub mod simd;
pub mod weights;

pub use activation::Activation;
pub use architecture::{Architecture, Layer};
pub use error::{Code, Error, Result};
pub use initializer::Initializer;
pub use online::Workspace;
pub use random::Generator;
pub use real::Real;
