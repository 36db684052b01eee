//! Along the gradient: SGD, momentum, Nesterov's momentum.

use crate::nn::optim::method::{Method, Now};
use crate::nn::optim::sweep::arithmetic::{decayed, moved};
use crate::nn::optim::sweep::{Gradients, Memory, Rule, sweep};
use crate::nn::settings::{BELOW_ONE, FRACTION, NOT_NEGATIVE, settings};
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::Isa;

settings! {
    /// Gradient descent (Robbins & Monro 1951, "A Stochastic Approximation Method"; `torch.optim.SGD`).
    ///
    /// ```text
    /// p -= eta (g + lambda p)
    /// ```
    /// Learning rate: 0.001.
    pub struct Sgd: Default {
        /// lambda, added to the gradient; 0
        weight_decay: f64 = 0.0, "weightDecay", NOT_NEGATIVE;
    }
}

settings! {
    /// The heavy ball (Polyak 1964, "Some methods of speeding up the convergence of iteration methods";
    /// `torch.optim.SGD` with momentum).
    ///
    /// ```text
    /// g += lambda p
    /// v  = g at the first step, then mu v + (1 - dampening) g
    /// p -= eta v
    /// ```
    /// Learning rate: 0.001.
    pub struct Momentum: Default {
        /// mu; 0.9
        momentum: f64 = 0.9, "momentum", BELOW_ONE;
        /// How much of each gradient but the first is left out; 0
        dampening: f64 = 0.0, "dampening", FRACTION;
        /// lambda, added to the gradient; 0
        weight_decay: f64 = 0.0, "weightDecay", NOT_NEGATIVE;
    }
}

settings! {
    /// Nesterov's momentum, which looks ahead (Sutskever et al. 2013, "On the importance of initialization and
    /// momentum in deep learning"; `torch.optim.SGD` with nesterov).
    ///
    /// ```text
    /// g += lambda p
    /// v  = mu v + g
    /// p -= eta (g + mu v)
    /// ```
    /// Learning rate: 0.001.
    pub struct Nesterov: Default {
        /// mu; 0.9
        momentum: f64 = 0.9, "momentum", BELOW_ONE;
        /// lambda, added to the gradient; 0
        weight_decay: f64 = 0.0, "weightDecay", NOT_NEGATIVE;
    }
}

impl Method for Sgd {
    const LEARNING_RATE: f64 = 0.001;

    fn memory(&self) -> usize {
        0
    }

    fn step<T: Real>(&self, params: &mut [T], gradients: Gradients<T>, memory: Memory<T>, now: Now) {
        let Now { eta, .. } = now;
        sweep(self.rule(eta), params, gradients, memory);
    }
}

impl Sgd {
    /// What a step does to a parameter.
    #[inline]
    pub(crate) fn rule<T: Real>(&self, eta: f64) -> Descend<T> {
        Descend {
            alpha: T::from_f64(-eta),
            beta: T::from_f64(1.0 - eta * self.weight_decay),
        }
    }
}

/// What a step of [`Sgd`] does to a parameter, which has no memory: `p = beta p + alpha g` with `beta = 1 - eta lambda` and
/// `alpha = -eta`, so that nothing but one operation waits for g.
#[derive(Clone, Copy)]
pub struct Descend<T> {
    /// Of the gradient
    pub alpha: T,
    /// Of the parameter
    pub beta: T,
}

impl<T: Real> Rule<T, 0> for Descend<T> {
    #[inline(always)]
    fn apply<I: Isa>(self, p: T, g: T, _: [T; 0]) -> (T, [T; 0]) {
        (I::mul_add(self.alpha, g, self.beta * p), [])
    }
}

impl Method for Momentum {
    const LEARNING_RATE: f64 = 0.001;

    fn memory(&self) -> usize {
        1
    }

    fn step<T: Real>(&self, params: &mut [T], gradients: Gradients<T>, memory: Memory<T>, now: Now) {
        let Now { eta, t, .. } = now;
        // PyTorch dampens neither the first gradient nor where there is no momentum.
        let damped = t > 1 && self.momentum != 0.0;
        let rule = Roll::<T, false> {
            eta: T::from_f64(eta),
            lambda: T::from_f64(self.weight_decay),
            mu: T::from_f64(self.momentum),
            share: T::from_f64(if damped { 1.0 - self.dampening } else { 1.0 }),
        };
        sweep(rule, params, gradients, memory);
    }
}

impl Method for Nesterov {
    const LEARNING_RATE: f64 = 0.001;

    fn memory(&self) -> usize {
        1
    }

    fn step<T: Real>(&self, params: &mut [T], gradients: Gradients<T>, memory: Memory<T>, now: Now) {
        let Now { eta, .. } = now;
        let rule = Roll::<T, true> {
            eta: T::from_f64(eta),
            lambda: T::from_f64(self.weight_decay),
            mu: T::from_f64(self.momentum),
            share: T::ONE,
        };
        sweep(rule, params, gradients, memory);
    }
}

#[derive(Clone, Copy)]
struct Roll<T, const LOOK_AHEAD: bool> {
    eta: T,
    lambda: T,
    mu: T,
    share: T,
}

impl<T: Real, const LOOK_AHEAD: bool> Rule<T, 1> for Roll<T, LOOK_AHEAD> {
    #[inline(always)]
    fn apply<I: Isa>(self, p: T, g: T, [v]: [T; 1]) -> (T, [T; 1]) {
        let g = decayed::<I, T>(g, self.lambda, p);
        let v = moved::<I, T>(v, self.mu, g, self.share);
        let along = if LOOK_AHEAD { I::mul_add(self.mu, v, g) } else { v };
        (I::mul_add(-self.eta, along, p), [v])
    }
}
