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
pub use loss::{Kind, Loss};
pub use options::NetworkOptions;

use options::Precision;

use crate::nn::vector::Real;

/// A network, as whoever owns its numbers lends it.
#[derive(Clone, Copy, Debug)]
pub struct Network<'a, T> {
    /// Its shape.
    pub architecture: &'a Architecture,
    /// Its numbers, in the order of the architecture.
    pub values: &'a [T],
    /// What every random choice of it follows from.
    pub seed: u64,
}

impl<T: Real> Network<'_, T> {
    /// What makes such a network again, before it is trained.
    pub fn options(&self) -> NetworkOptions {
        let precision = if size_of::<T>() == 8 {
            Precision::F64
        } else {
            Precision::F32
        };
        NetworkOptions {
            seed: Some(self.seed),
            ..self.architecture.options(precision)
        }
    }
}
