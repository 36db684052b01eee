//! Along the mean of past gradients, scaled by their size: Adam and its kin.
//!
//! ```text
//! m = beta1 m + (1 - beta1) g        the first moment
//! v = beta2 v + (1 - beta2) g^2      the second moment
//! ```
//! Both start at 0 and are too small at first, by the factors 1 - beta1^t and 1 - beta2^t: the bias corrections,
//! which they are *divided* by.

use super::sweep::arithmetic::{decayed, max, moved};
use super::sweep::{Gradients, Memory, Rule, sweep};
use crate::nn::real::Real;
use crate::nn::settings::{BELOW_ONE, BOOLEAN, EPSILON, NOT_NEGATIVE, settings};
use crate::nn::simd::Isa;

settings! {
    /// Adam (Kingma & Ba 2015, "Adam: A Method for Stochastic Optimization"; amsgrad: Reddi, Kale & Kumar 2018,
    /// "On the Convergence of Adam and Beyond"; `torch.optim.Adam`).
    ///
    /// ```text
    /// g += lambda p
    /// m  = beta1 m + (1 - beta1) g
    /// v  = beta2 v + (1 - beta2) g^2
    /// w  = v, or the largest v so far with amsgrad
    /// p -= eta (m / (1 - beta1^t)) / (sqrt(w / (1 - beta2^t)) + epsilon)
    /// ```
    /// Learning rate: 0.001.
    pub struct Adam: Default {
        /// 0.9
        beta1: f64 = 0.9, "beta1", BELOW_ONE;
        /// 0.999
        beta2: f64 = 0.999, "beta2", BELOW_ONE;
        /// 1e-8
        epsilon: f64 = 1e-8, "epsilon", EPSILON;
        /// lambda, added to the gradient; 0
        weight_decay: f64 = 0.0, "weightDecay", NOT_NEGATIVE;
        /// false
        amsgrad: bool = false, "amsgrad", BOOLEAN;
    }
}

settings! {
    /// AdamW: Adam with weight decay apart from the gradient (Loshchilov & Hutter 2019, "Decoupled Weight Decay
    /// Regularization"; `torch.optim.AdamW`).
    ///
    /// ```text
    /// p *= 1 - eta lambda
    /// and then as Adam without weight decay
    /// ```
    /// Learning rate: 0.001.
    pub struct Adamw: Default {
        /// 0.9
        beta1: f64 = 0.9, "beta1", BELOW_ONE;
        /// 0.999
        beta2: f64 = 0.999, "beta2", BELOW_ONE;
        /// 1e-8
        epsilon: f64 = 1e-8, "epsilon", EPSILON;
        /// lambda, which shrinks the parameters directly; 0.01
        weight_decay: f64 = 0.01, "weightDecay", NOT_NEGATIVE;
        /// false
        amsgrad: bool = false, "amsgrad", BOOLEAN;
    }
}

settings! {
    /// NAdam: Adam with Nesterov's momentum (Dozat 2016, "Incorporating Nesterov Momentum into Adam";
    /// `torch.optim.NAdam`).
    ///
    /// ```text
    /// mu_t = beta1 (1 - 0.96^(t momentumDecay) / 2)
    /// g   += lambda p
    /// m, v as in Adam
    /// p   -= eta (  (1 - mu_t) / (1 - mu_1 ... mu_t)    g
    ///             + mu_(t+1) / (1 - mu_1 ... mu_(t+1))  m) / (sqrt(v / (1 - beta2^t)) + epsilon)
    /// ```
    /// Learning rate: 0.002.
    pub struct Nadam: Default {
        /// 0.9
        beta1: f64 = 0.9, "beta1", BELOW_ONE;
        /// 0.999
        beta2: f64 = 0.999, "beta2", BELOW_ONE;
        /// 1e-8
        epsilon: f64 = 1e-8, "epsilon", EPSILON;
        /// lambda, added to the gradient; 0
        weight_decay: f64 = 0.0, "weightDecay", NOT_NEGATIVE;
        /// 0.004
        momentum_decay: f64 = 0.004, "momentumDecay", NOT_NEGATIVE;
    }
}

settings! {
    /// RAdam: Adam that waits until v can be trusted (Liu et al. 2020, "On the Variance of the Adaptive Learning
    /// Rate and Beyond"; `torch.optim.RAdam`).
    ///
    /// ```text
    /// g      += lambda p
    /// m, v as in Adam
    /// rho_inf = 2 / (1 - beta2) - 1
    /// rho_t   = rho_inf - 2 t beta2^t / (1 - beta2^t)
    /// r       = sqrt((rho_t - 4) (rho_t - 2) rho_inf / ((rho_inf - 4) (rho_inf - 2) rho_t))
    /// p      -= eta m / (1 - beta1^t)                                                  while rho_t <= 5, then
    /// p      -= eta m / (1 - beta1^t) r sqrt(1 - beta2^t) / (sqrt(v) + epsilon)
    /// ```
    /// Learning rate: 0.001.
    pub struct Radam: Default {
        /// 0.9
        beta1: f64 = 0.9, "beta1", BELOW_ONE;
        /// 0.999
        beta2: f64 = 0.999, "beta2", BELOW_ONE;
        /// 1e-8
        epsilon: f64 = 1e-8, "epsilon", EPSILON;
        /// lambda, added to the gradient; 0
        weight_decay: f64 = 0.0, "weightDecay", NOT_NEGATIVE;
    }
}

/// beta1, 1 - beta1, beta2 and 1 - beta2 in the parameters' precision.
#[derive(Clone, Copy)]
struct Averages<T> {
    beta1: T,
    rest1: T,
    beta2: T,
    rest2: T,
}

impl<T: Real> Averages<T> {
    fn new(beta1: f64, beta2: f64) -> Self {
        Averages {
            beta1: T::from_f64(beta1),
            rest1: T::from_f64(1.0 - beta1),
            beta2: T::from_f64(beta2),
            rest2: T::from_f64(1.0 - beta2),
        }
    }

    /// m and v one step on.
    #[inline(always)]
    fn moved<I: Isa>(self, m: T, v: T, g: T) -> (T, T) {
        (
            moved::<I, T>(m, self.beta1, g, self.rest1),
            moved::<I, T>(v, self.beta2, g * g, self.rest2),
        )
    }
}

/// 1 - beta^t
fn bias_correction(beta: f64, t: u64) -> f64 {
    1.0 - libm::pow(beta, t as f64)
}

impl Adam {
    pub(super) fn memory(&self) -> usize {
        2 + usize::from(self.amsgrad)
    }

    pub(super) fn step<T: Real>(
        &self,
        params: &mut [T],
        gradients: Gradients<T>,
        memory: Memory<T>,
        eta: f64,
        t: u64,
    ) {
        self.step_kept(1.0, params, gradients, memory, eta, t);
    }

    /// A step from `kept` times the parameters.
    fn step_kept<T: Real>(
        &self,
        kept: f64,
        params: &mut [T],
        gradients: Gradients<T>,
        memory: Memory<T>,
        eta: f64,
        t: u64,
    ) {
        let rule = ByMoments {
            averages: Averages::new(self.beta1, self.beta2),
            lambda: T::from_f64(self.weight_decay),
            kept: T::from_f64(kept),
            eta: T::from_f64(eta / bias_correction(self.beta1, t)),
            root_scale: T::from_f64(1.0 / bias_correction(self.beta2, t).sqrt()),
            epsilon: T::from_f64(self.epsilon),
        };
        if self.amsgrad {
            sweep::<T, 3>(rule, params, gradients, memory);
        } else {
            sweep::<T, 2>(rule, params, gradients, memory);
        }
    }
}

impl Adamw {
    pub(super) fn memory(&self) -> usize {
        self.adam().memory()
    }

    pub(super) fn step<T: Real>(
        &self,
        params: &mut [T],
        gradients: Gradients<T>,
        memory: Memory<T>,
        eta: f64,
        t: u64,
    ) {
        let kept = 1.0 - eta * self.weight_decay;
        self.adam().step_kept(kept, params, gradients, memory, eta, t);
    }

    fn adam(&self) -> Adam {
        Adam {
            beta1: self.beta1,
            beta2: self.beta2,
            epsilon: self.epsilon,
            weight_decay: 0.0,
            amsgrad: self.amsgrad,
        }
    }
}

#[derive(Clone, Copy)]
struct ByMoments<T> {
    averages: Averages<T>,
    lambda: T,
    /// What decoupled weight decay leaves of a parameter.
    kept: T,
    /// eta / (1 - beta1^t)
    eta: T,
    /// 1 / sqrt(1 - beta2^t)
    root_scale: T,
    epsilon: T,
}

/// The memory is m, v, and with amsgrad the largest v.
impl<T: Real, const S: usize> Rule<T, S> for ByMoments<T> {
    #[inline(always)]
    fn apply<I: Isa>(self, p: T, g: T, mut s: [T; S]) -> (T, [T; S]) {
        let g = decayed::<I, T>(g, self.lambda, p);
        (s[0], s[1]) = self.averages.moved::<I>(s[0], s[1], g);
        if S > 2 {
            s[2] = max(s[2], s[1]);
        }
        let size = I::mul_add(s[S - 1].sqrt(), self.root_scale, self.epsilon);
        (I::mul_add(-self.eta, s[0] / size, self.kept * p), s)
    }
}

impl Nadam {
    pub(super) const MEMORY: usize = 2;

    /// mu_t, the momentum of step t.
    pub(super) fn mu(&self, t: u64) -> f64 {
        self.beta1 * (1.0 - 0.5 * libm::pow(0.96, t as f64 * self.momentum_decay))
    }

    /// `mu_product` is mu_1 ... mu_t.
    pub(super) fn step<T: Real>(
        &self,
        params: &mut [T],
        gradients: Gradients<T>,
        memory: Memory<T>,
        eta: f64,
        t: u64,
        mu_product: f64,
    ) {
        let next = self.mu(t + 1);
        let rule = ByLookAhead {
            averages: Averages::new(self.beta1, self.beta2),
            lambda: T::from_f64(self.weight_decay),
            eta_gradient: T::from_f64(eta * (1.0 - self.mu(t)) / (1.0 - mu_product)),
            eta_moment: T::from_f64(eta * next / (1.0 - mu_product * next)),
            root_scale: T::from_f64(1.0 / bias_correction(self.beta2, t).sqrt()),
            epsilon: T::from_f64(self.epsilon),
        };
        sweep(rule, params, gradients, memory);
    }
}

#[derive(Clone, Copy)]
struct ByLookAhead<T> {
    averages: Averages<T>,
    lambda: T,
    /// eta (1 - mu_t) / (1 - mu_1 ... mu_t)
    eta_gradient: T,
    /// eta mu_(t+1) / (1 - mu_1 ... mu_(t+1))
    eta_moment: T,
    /// 1 / sqrt(1 - beta2^t)
    root_scale: T,
    epsilon: T,
}

impl<T: Real> Rule<T, 2> for ByLookAhead<T> {
    #[inline(always)]
    fn apply<I: Isa>(self, p: T, g: T, [m, v]: [T; 2]) -> (T, [T; 2]) {
        let g = decayed::<I, T>(g, self.lambda, p);
        let (m, v) = self.averages.moved::<I>(m, v, g);
        let size = I::mul_add(v.sqrt(), self.root_scale, self.epsilon);
        let along = I::mul_add(self.eta_gradient, g, self.eta_moment * m);
        (p - along / size, [m, v])
    }
}

impl Radam {
    pub(super) const MEMORY: usize = 2;

    pub(super) fn step<T: Real>(
        &self,
        params: &mut [T],
        gradients: Gradients<T>,
        memory: Memory<T>,
        eta: f64,
        t: u64,
    ) {
        let eta = eta / bias_correction(self.beta1, t);
        match self.rectification(t) {
            Some(r) => {
                let eta = eta * r * bias_correction(self.beta2, t).sqrt();
                sweep(self.rule::<T, true>(eta), params, gradients, memory);
            }
            None => sweep(self.rule::<T, false>(eta), params, gradients, memory),
        }
    }

    fn rule<T: Real, const ADAPTIVE: bool>(&self, eta: f64) -> ByTrust<T, ADAPTIVE> {
        ByTrust {
            averages: Averages::new(self.beta1, self.beta2),
            lambda: T::from_f64(self.weight_decay),
            eta: T::from_f64(eta),
            epsilon: T::from_f64(self.epsilon),
        }
    }

    /// r, once rho_t is above 5.
    fn rectification(&self, t: u64) -> Option<f64> {
        let rho_inf = 2.0 / (1.0 - self.beta2) - 1.0;
        let rho = rho_inf - 2.0 * t as f64 * libm::pow(self.beta2, t as f64) / bias_correction(self.beta2, t);
        let r2 = (rho - 4.0) * (rho - 2.0) * rho_inf / ((rho_inf - 4.0) * (rho_inf - 2.0) * rho);
        (rho > 5.0).then(|| r2.sqrt())
    }
}

#[derive(Clone, Copy)]
struct ByTrust<T, const ADAPTIVE: bool> {
    averages: Averages<T>,
    lambda: T,
    /// eta and every factor that is the same for all parameters
    eta: T,
    epsilon: T,
}

impl<T: Real, const ADAPTIVE: bool> Rule<T, 2> for ByTrust<T, ADAPTIVE> {
    #[inline(always)]
    fn apply<I: Isa>(self, p: T, g: T, [m, v]: [T; 2]) -> (T, [T; 2]) {
        let g = decayed::<I, T>(g, self.lambda, p);
        let (m, v) = self.averages.moved::<I>(m, v, g);
        let along = if ADAPTIVE {
            m / (v.sqrt() + self.epsilon)
        } else {
            m
        };
        (I::mul_add(-self.eta, along, p), [m, v])
    }
}
