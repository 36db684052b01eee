//! What an optimizer says of itself.

use crate::nn::optim::moments::{Corrections, Momenta};
use crate::nn::optim::sweep::{Gradients, Memory};
use crate::nn::vector::real::Real;

/// An optimizer that moves each parameter by its own gradient. A new one has its settings and this, and its line in
/// [`choice`](crate::nn::optim::choice).
pub trait Method {
    /// The learning rate where the user names none: PyTorch's, Lion's from its paper.
    const LEARNING_RATE: f64;

    /// How many numbers are remembered for each parameter.
    fn memory(&self) -> usize;

    /// What each of them is before the first step.
    fn initial(&self) -> f64 {
        0.0
    }

    /// The bias corrections of step t. They are taken once a step: powers would show in each tile.
    fn corrections(&self, _t: u64) -> Corrections {
        Corrections::default()
    }

    /// Moves parameters, of which there is a gradient and memory each.
    fn step<T: Real>(&self, params: &mut [T], gradients: Gradients<T>, memory: Memory<T>, now: Now);
}

/// What all parameters of a step have in common.
#[derive(Clone, Copy)]
pub struct Now {
    /// The learning rate.
    pub eta: f64,
    /// The number of the step, from 1.
    pub t: u64,
    /// NAdam's momenta.
    pub momenta: Momenta,
    /// The bias corrections.
    pub corrections: Corrections,
}
