//! What a network is.
//!
//! | module | holds |
//! |---|---|
//! | [`options`] | what a user chooses, read from JSON |
//! | [`architecture`] | the shape of a network and where each layer lives in the flat buffers |
//! | [`activation`] | activation functions and their derivatives |
//! | [`loss`] | losses and their gradients |
//! | [`normalization`] | batch and layer normalization |
//! | [`initializer`] | the distributions that starting weights are drawn from |
//! | [`initialize`] | the starting weights |
//! | [`penalty`] | what weights cost |
//! | [`orthogonal`] | vectors at right angles |
//! | [`weights`] | weights as users see them, to and from the flat buffer |

pub mod activation;
pub mod architecture;
pub mod initialize;
pub mod initializer;
pub mod loss;
pub mod normalization;
pub mod options;
pub mod orthogonal;
pub mod penalty;
pub mod weights;

pub use activation::Activation;
pub use architecture::{Architecture, Layer};
pub use initializer::Initializer;
pub use loss::Loss;
pub use options::NetworkOptions;
