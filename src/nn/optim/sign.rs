//! By the sign alone: Lion, RProp.

use crate::nn::error::{Code, Error, Result};
use crate::nn::optim::method::{Method, Now};
use crate::nn::optim::sweep::arithmetic::{max, sign};
use crate::nn::optim::sweep::{Gradients, Memory, Rule, sweep};
use crate::nn::settings::{BELOW_ONE, GROWING, NOT_NEGATIVE, POSITIVE, SHRINKING, settings};
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::Isa;

settings! {
    /// Lion (Chen et al. 2023, "Symbolic Discovery of Optimization Algorithms", algorithm 2; PyTorch has none).
    ///
    /// ```text
    /// c  = beta1 m + (1 - beta1) g
    /// p -= eta (sign(c) + lambda p)
    /// m  = beta2 m + (1 - beta2) g
    /// ```
    /// Learning rate: 0.0001.
    pub struct Lion: Default {
        /// 0.9
        beta1: f64 = 0.9, "beta1", BELOW_ONE;
        /// 0.99
        beta2: f64 = 0.99, "beta2", BELOW_ONE;
        /// lambda, which shrinks the parameters directly; 0
        weight_decay: f64 = 0.0, "weightDecay", NOT_NEGATIVE;
    }
}

settings! {
    /// Resilient backpropagation, for full batches (Riedmiller & Braun 1993, "A Direct Adaptive Method for Faster
    /// Backpropagation Learning: The RPROP Algorithm"; `torch.optim.Rprop`).
    ///
    /// Every parameter has a step of its own, which grows while its gradient keeps its sign.
    ///
    /// ```text
    /// step = eta before the first step; h is the gradient of the step before
    /// step = min(step etaPlus, stepMax)             where g h > 0
    /// step = max(step etaMinus, stepMin), g = 0     where g h < 0
    /// p   -= sign(g) step
    /// h    = g
    /// ```
    /// Learning rate: 0.01. It matters in the first step alone, and a schedule therefore not at all.
    pub struct Rprop: Default, together = Rprop::check_order {
        /// 0.5
        eta_minus: f64 = 0.5, "etaMinus", SHRINKING;
        /// 1.2
        eta_plus: f64 = 1.2, "etaPlus", GROWING;
        /// 1e-6
        step_min: f64 = 1e-6, "stepMin", NOT_NEGATIVE;
        /// 50
        step_max: f64 = 50.0, "stepMax", POSITIVE;
    }
}

impl Method for Lion {
    const LEARNING_RATE: f64 = 0.0001;

    fn memory(&self) -> usize {
        1
    }

    fn step<T: Real>(&self, params: &mut [T], gradients: Gradients<T>, memory: Memory<T>, now: Now) {
        let Now { eta, .. } = now;
        let rule = ByVote {
            beta1: T::from_f64(self.beta1),
            rest1: T::from_f64(1.0 - self.beta1),
            beta2: T::from_f64(self.beta2),
            rest2: T::from_f64(1.0 - self.beta2),
            eta: T::from_f64(eta),
            lambda: T::from_f64(self.weight_decay),
        };
        sweep(rule, params, gradients, memory);
    }
}

#[derive(Clone, Copy)]
struct ByVote<T> {
    beta1: T,
    rest1: T,
    beta2: T,
    rest2: T,
    eta: T,
    lambda: T,
}

impl<T: Real> Rule<T, 1> for ByVote<T> {
    #[inline(always)]
    fn apply<I: Isa>(self, p: T, g: T, [m]: [T; 1]) -> (T, [T; 1]) {
        // Not fused: where the two terms cancel, the rounding of the product would have the vote.
        let c = self.beta1 * m + self.rest1 * g;
        let p = I::mul_add(-self.eta, I::mul_add(self.lambda, p, sign(c)), p);
        // Even the smallest m has a vote.
        (p, [I::mul_add(self.beta2, m, self.rest2 * g)])
    }
}

impl Method for Rprop {
    const LEARNING_RATE: f64 = 0.01;

    fn memory(&self) -> usize {
        2
    }

    fn step<T: Real>(&self, params: &mut [T], gradients: Gradients<T>, mut memory: Memory<T>, now: Now) {
        let Now { eta, t, .. } = now;
        if t == 1 {
            let [_, steps] = memory.buffers();
            steps.fill(T::from_f64(eta));
        }
        let rule = ByStep {
            eta_minus: T::from_f64(self.eta_minus),
            eta_plus: T::from_f64(self.eta_plus),
            step_min: T::from_f64(self.step_min),
            step_max: T::from_f64(self.step_max),
        };
        sweep(rule, params, gradients, memory);
    }
}

impl Rprop {
    fn check_order(&self, owner: &str) -> Result<()> {
        if self.step_min <= self.step_max {
            return Ok(());
        }
        let expected = format!("a number of at most {owner}.stepMax, which is {},", self.step_max);
        let name = format!("{owner}.stepMin");
        Err(Error::new(Code::OutOfRange, expected, name, self.step_min))
    }
}

#[derive(Clone, Copy)]
struct ByStep<T> {
    eta_minus: T,
    eta_plus: T,
    step_min: T,
    step_max: T,
}

impl<T: Real> Rule<T, 2> for ByStep<T> {
    #[inline(always)]
    fn apply<I: Isa>(self, p: T, g: T, [h, step]: [T; 2]) -> (T, [T; 2]) {
        // Signs instead of g h, which underflows.
        let agreement = sign(g) * sign(h);
        let has_turned = agreement < T::ZERO;
        let factor = if has_turned { self.eta_minus } else { T::ONE };
        let factor = if agreement > T::ZERO {
            self.eta_plus
        } else {
            factor
        };
        let step = max(step * factor, self.step_min);
        let step = if step < self.step_max { step } else { self.step_max };
        let g = if has_turned { T::ZERO } else { g };
        (p - sign(g) * step, [g, step])
    }
}
