//! Scaled by the size of past gradients: RMSprop, Adagrad, Adadelta.

use crate::nn::optim::method::{Method, Now};
use crate::nn::optim::sweep::arithmetic::{decayed, max, moved, settled};
use crate::nn::optim::sweep::{Gradients, Memory, Rule, sweep};
use crate::nn::settings::{BELOW_ONE, BOOLEAN, EPSILON, FRACTION, NOT_NEGATIVE, settings};
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::Isa;

settings! {
    /// RMSprop (Hinton 2012, lecture 6e of "Neural Networks for Machine Learning"; centered: Graves 2013,
    /// "Generating Sequences With Recurrent Neural Networks"; `torch.optim.RMSprop`).
    ///
    /// ```text
    /// g += lambda p
    /// v  = alpha v + (1 - alpha) g^2
    /// a  = alpha a + (1 - alpha) g             centered only
    /// d  = sqrt(v) + epsilon, or sqrt(v - a^2) + epsilon where centered
    /// b  = momentum b + g / d                  with momentum only
    /// p -= eta b, or eta g / d without momentum
    /// ```
    /// Learning rate: 0.01.
    pub struct Rmsprop: Default {
        /// alpha, how much of the average of squares stays; 0.99
        alpha: f64 = 0.99, "alpha", BELOW_ONE;
        /// 1e-8
        epsilon: f64 = 1e-8, "epsilon", EPSILON;
        /// lambda, added to the gradient; 0
        weight_decay: f64 = 0.0, "weightDecay", NOT_NEGATIVE;
        /// 0
        momentum: f64 = 0.0, "momentum", BELOW_ONE;
        /// Whether to scale by the gradient's standard deviation instead of its size; false
        centered: bool = false, "centered", BOOLEAN;
    }
}

settings! {
    /// Adagrad (Duchi, Hazan & Singer 2011, "Adaptive Subgradient Methods for Online Learning and Stochastic
    /// Optimization"; `torch.optim.Adagrad`).
    ///
    /// ```text
    /// g += lambda p
    /// v += g^2
    /// p -= eta / (1 + (t - 1) lrDecay) g / (sqrt(v) + epsilon)
    /// ```
    /// Learning rate: 0.01.
    pub struct Adagrad: Default {
        /// 0
        lr_decay: f64 = 0.0, "lrDecay", NOT_NEGATIVE;
        /// lambda, added to the gradient; 0
        weight_decay: f64 = 0.0, "weightDecay", NOT_NEGATIVE;
        /// v before the first step; 0
        initial_accumulator: f64 = 0.0, "initialAccumulator", NOT_NEGATIVE;
        /// 1e-10
        epsilon: f64 = 1e-10, "epsilon", EPSILON;
    }
}

settings! {
    /// Adadelta (Zeiler 2012, "ADADELTA: An Adaptive Learning Rate Method"; `torch.optim.Adadelta`).
    ///
    /// ```text
    /// g += lambda p
    /// v  = rho v + (1 - rho) g^2
    /// d  = sqrt(u + epsilon) / sqrt(v + epsilon) g
    /// u  = rho u + (1 - rho) d^2
    /// p -= eta d
    /// ```
    /// Learning rate: 1.
    pub struct Adadelta: Default {
        /// rho, how much of the averages of squares stays; 0.9
        rho: f64 = 0.9, "rho", FRACTION;
        /// 1e-6
        epsilon: f64 = 1e-6, "epsilon", EPSILON;
        /// lambda, added to the gradient; 0
        weight_decay: f64 = 0.0, "weightDecay", NOT_NEGATIVE;
    }
}

impl Method for Rmsprop {
    const LEARNING_RATE: f64 = 0.01;

    fn memory(&self) -> usize {
        1 + usize::from(self.centered) + usize::from(self.momentum > 0.0)
    }

    fn step<T: Real>(&self, params: &mut [T], gradients: Gradients<T>, memory: Memory<T>, now: Now) {
        let Now { eta, .. } = now;
        match (self.centered, self.momentum > 0.0) {
            (false, false) => sweep::<T, 1>(self.rule::<T, false>(eta), params, gradients, memory),
            (false, true) => sweep::<T, 2>(self.rule::<T, false>(eta), params, gradients, memory),
            (true, false) => sweep::<T, 2>(self.rule::<T, true>(eta), params, gradients, memory),
            (true, true) => sweep::<T, 3>(self.rule::<T, true>(eta), params, gradients, memory),
        }
    }
}

impl Rmsprop {
    fn rule<T: Real, const CENTERED: bool>(&self, eta: f64) -> BySize<T, CENTERED> {
        BySize {
            eta: T::from_f64(eta),
            lambda: T::from_f64(self.weight_decay),
            alpha: T::from_f64(self.alpha),
            rest: T::from_f64(1.0 - self.alpha),
            epsilon: T::from_f64(self.epsilon),
            momentum: T::from_f64(self.momentum),
        }
    }
}

#[derive(Clone, Copy)]
struct BySize<T, const CENTERED: bool> {
    eta: T,
    lambda: T,
    alpha: T,
    rest: T,
    epsilon: T,
    momentum: T,
}

/// The memory is v, then a where centered, then b with momentum.
impl<T: Real, const CENTERED: bool, const S: usize> Rule<T, S> for BySize<T, CENTERED> {
    #[inline(always)]
    fn apply<I: Isa>(self, p: T, g: T, mut s: [T; S]) -> (T, [T; S]) {
        let g = decayed::<I, T>(g, self.lambda, p);
        s[0] = moved::<I, T>(s[0], self.alpha, g * g, self.rest);
        let mut variance = s[0];
        if CENTERED {
            s[1] = moved::<I, T>(s[1], self.alpha, g, self.rest);
            // Rounding can carry the difference below 0, where PyTorch's root is NaN.
            variance = max(s[0] - s[1] * s[1], T::ZERO);
        }
        let mut along = g / (variance.sqrt() + self.epsilon);
        if S > 1 + usize::from(CENTERED) {
            along = settled(I::mul_add(self.momentum, s[S - 1], along));
            s[S - 1] = along;
        }
        (I::mul_add(-self.eta, along, p), s)
    }
}

impl Method for Adagrad {
    const LEARNING_RATE: f64 = 0.01;

    fn memory(&self) -> usize {
        1
    }

    fn initial(&self) -> f64 {
        self.initial_accumulator
    }

    fn step<T: Real>(&self, params: &mut [T], gradients: Gradients<T>, memory: Memory<T>, now: Now) {
        let Now { eta, t, .. } = now;
        let rule = BySum {
            eta: T::from_f64(eta / (1.0 + (t - 1) as f64 * self.lr_decay)),
            lambda: T::from_f64(self.weight_decay),
            epsilon: T::from_f64(self.epsilon),
        };
        sweep(rule, params, gradients, memory);
    }
}

#[derive(Clone, Copy)]
struct BySum<T> {
    eta: T,
    lambda: T,
    epsilon: T,
}

impl<T: Real> Rule<T, 1> for BySum<T> {
    #[inline(always)]
    fn apply<I: Isa>(self, p: T, g: T, [v]: [T; 1]) -> (T, [T; 1]) {
        let g = decayed::<I, T>(g, self.lambda, p);
        let v = I::mul_add(g, g, v);
        (I::mul_add(-self.eta, g / (v.sqrt() + self.epsilon), p), [v])
    }
}

impl Method for Adadelta {
    const LEARNING_RATE: f64 = 1.0;

    fn memory(&self) -> usize {
        2
    }

    fn step<T: Real>(&self, params: &mut [T], gradients: Gradients<T>, memory: Memory<T>, now: Now) {
        let Now { eta, .. } = now;
        let rule = ByDelta {
            eta: T::from_f64(eta),
            lambda: T::from_f64(self.weight_decay),
            rho: T::from_f64(self.rho),
            rest: T::from_f64(1.0 - self.rho),
            epsilon: T::from_f64(self.epsilon),
        };
        sweep(rule, params, gradients, memory);
    }
}

#[derive(Clone, Copy)]
struct ByDelta<T> {
    eta: T,
    lambda: T,
    rho: T,
    rest: T,
    epsilon: T,
}

impl<T: Real> Rule<T, 2> for ByDelta<T> {
    #[inline(always)]
    fn apply<I: Isa>(self, p: T, g: T, [v, u]: [T; 2]) -> (T, [T; 2]) {
        let g = decayed::<I, T>(g, self.lambda, p);
        let v = moved::<I, T>(v, self.rho, g * g, self.rest);
        let d = (u + self.epsilon).sqrt() / (v + self.epsilon).sqrt() * g;
        let u = moved::<I, T>(u, self.rho, d * d, self.rest);
        (I::mul_add(-self.eta, d, p), [v, u])
    }
}
