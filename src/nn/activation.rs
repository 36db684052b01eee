//! Activation functions: one row each, f and its derivative side by side.

use super::real::Real;
use super::simd::Isa;

/// The function that turns a neuron's weighted sum into its output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Activation {
    /// 1 / (1 + e^-z)
    Sigmoid,
}

impl Activation {
    /// a = f(z)
    #[inline(always)]
    pub fn of<I: Isa, T: Real>(self, z: T) -> T {
        match self {
            Activation::Sigmoid => z.sigmoid::<I>(),
        }
    }

    /// f'(z) from the output `a` = f(z).
    #[inline(always)]
    pub fn derivative<T: Real>(self, a: T) -> T {
        match self {
            Activation::Sigmoid => a * (T::ONE - a),
        }
    }
}
