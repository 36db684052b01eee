//! Along the mean of past gradients, scaled by their size: Adam and its kin.
//!
//! ```text
//! m = beta1 m + (1 - beta1) g        the first moment
//! v = beta2 v + (1 - beta2) g^2      the second moment
//! ```
//! Both start at 0 and are too small at first, by the factors 1 - beta1^t and 1 - beta2^t: the bias corrections,
//! which they are *divided* by.

use crate::nn::optim::method::{Method, Now};
use crate::nn::optim::sweep::arithmetic::{decayed, max, moved, settled};
use crate::nn::optim::sweep::{Gradients, Memory, Rule, sweep};
use crate::nn::settings::{BELOW_ONE, BOOLEAN, EPSILON, NOT_NEGATIVE, settings};
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::Isa;

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

    /// The same as a step from the old means, which takes fewer operations.
    #[inline(always)]
    fn stepped<I: Isa>(self, m: T, v: T, g: T) -> (T, T) {
        (
            settled(I::mul_add(self.rest1, g - m, m)),
            settled(I::mul_add(self.rest2, I::mul_add(g, g, -v), v)),
        )
    }
}

/// The bias corrections of a step t: what its m and v are divided by.
#[derive(Clone, Copy, Default)]
pub struct Corrections {
    /// 1 - beta1^t
    first: f64,
    /// 1 - beta2^t
    second: f64,
}

impl Corrections {
    pub(crate) fn new(beta1: f64, beta2: f64, t: u64) -> Self {
        let of = |beta| 1.0 - libm::pow(beta, t as f64);
        Corrections {
            first: of(beta1),
            second: of(beta2),
        }
    }
}

impl Method for Adam {
    const LEARNING_RATE: f64 = 0.001;

    fn memory(&self) -> usize {
        2 + usize::from(self.amsgrad)
    }

    fn corrections(&self, t: u64) -> Corrections {
        Corrections::new(self.beta1, self.beta2, t)
    }

    fn step<T: Real>(&self, params: &mut [T], gradients: Gradients<T>, memory: Memory<T>, now: Now) {
        let Now { eta, corrections, .. } = now;
        self.step_kept(1.0, params, gradients, memory, eta, corrections);
    }
}

impl Adam {
    /// A step from `kept` times the parameters.
    fn step_kept<T: Real>(
        &self,
        kept: f64,
        params: &mut [T],
        gradients: Gradients<T>,
        memory: Memory<T>,
        eta: f64,
        corrections: Corrections,
    ) {
        // What is asked for most is worth code of its own.
        if self.amsgrad {
            let rule = self.rule::<T, false, true>(kept, eta, corrections);
            sweep::<T, 3>(rule, params, gradients, memory);
        } else if !self.has_long_averages() {
            let rule = self.rule::<T, false, true>(kept, eta, corrections);
            sweep::<T, 2>(rule, params, gradients, memory);
        } else if self.weight_decay != 0.0 || kept != 1.0 {
            let rule = self.rule::<T, true, true>(kept, eta, corrections);
            sweep::<T, 2>(rule, params, gradients, memory);
        } else {
            let rule = self.rule::<T, true, false>(kept, eta, corrections);
            sweep::<T, 2>(rule, params, gradients, memory);
        }
    }

    /// Whether [`Averages::stepped`] loses nothing: with little weight on the old mean, its rounding would show.
    fn has_long_averages(&self) -> bool {
        self.beta1 >= 0.5 && self.beta2 >= 0.5
    }

    fn rule<T: Real, const LONG: bool, const DECAYS: bool>(
        &self,
        kept: f64,
        eta: f64,
        corrections: Corrections,
    ) -> ByMoments<T, LONG, DECAYS> {
        ByMoments {
            averages: Averages::new(self.beta1, self.beta2),
            lambda: T::from_f64(self.weight_decay),
            kept: T::from_f64(kept),
            eta: T::from_f64(eta / corrections.first),
            root_scale: T::from_f64(1.0 / corrections.second.sqrt()),
            epsilon: T::from_f64(self.epsilon),
        }
    }
}

impl Method for Adamw {
    const LEARNING_RATE: f64 = 0.001;

    fn memory(&self) -> usize {
        self.adam().memory()
    }

    fn corrections(&self, t: u64) -> Corrections {
        Corrections::new(self.beta1, self.beta2, t)
    }

    fn step<T: Real>(&self, params: &mut [T], gradients: Gradients<T>, memory: Memory<T>, now: Now) {
        let Now { eta, corrections, .. } = now;
        let kept = 1.0 - eta * self.weight_decay;
        self.adam()
            .step_kept(kept, params, gradients, memory, eta, corrections);
    }
}

impl Adamw {
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
struct ByMoments<T, const LONG: bool, const DECAYS: bool> {
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
impl<T: Real, const S: usize, const LONG: bool, const DECAYS: bool> Rule<T, S>
    for ByMoments<T, LONG, DECAYS>
{
    #[inline(always)]
    fn apply<I: Isa>(self, p: T, g: T, mut s: [T; S]) -> (T, [T; S]) {
        let (mut kept, mut g) = (p, g);
        if DECAYS {
            g = decayed::<I, T>(g, self.lambda, p);
            kept = self.kept * p;
        }
        (s[0], s[1]) = if LONG {
            self.averages.stepped::<I>(s[0], s[1], g)
        } else {
            self.averages.moved::<I>(s[0], s[1], g)
        };
        if S > 2 {
            s[2] = max(s[2], s[1]);
        }
        let size = I::mul_add(s[S - 1].sqrt(), self.root_scale, self.epsilon);
        (I::mul_add(-self.eta, s[0] / size, kept), s)
    }
}

/// The momenta of a step t of [`Nadam`].
#[derive(Clone, Copy, Default)]
pub struct Momenta {
    /// mu_t
    this: f64,
    /// mu_(t+1)
    next: f64,
    /// mu_1 ... mu_t
    pub(crate) product: f64,
}

impl Method for Nadam {
    const LEARNING_RATE: f64 = 0.002;

    fn memory(&self) -> usize {
        2
    }

    fn corrections(&self, t: u64) -> Corrections {
        Corrections::new(self.beta1, self.beta2, t)
    }

    fn step<T: Real>(&self, params: &mut [T], gradients: Gradients<T>, memory: Memory<T>, now: Now) {
        let Now {
            eta,
            momenta,
            corrections,
            ..
        } = now;
        let Momenta { this, next, product } = momenta;
        let rule = ByLookAhead {
            averages: Averages::new(self.beta1, self.beta2),
            lambda: T::from_f64(self.weight_decay),
            eta_gradient: T::from_f64(eta * (1.0 - this) / (1.0 - product)),
            eta_moment: T::from_f64(eta * next / (1.0 - product * next)),
            root_scale: T::from_f64(1.0 / corrections.second.sqrt()),
            epsilon: T::from_f64(self.epsilon),
        };
        sweep(rule, params, gradients, memory);
    }
}

impl Nadam {
    /// Those of step t, from mu_1 ... mu_(t-1).
    pub(crate) fn momenta(&self, t: u64, product: f64) -> Momenta {
        let mu = |t: u64| self.beta1 * (1.0 - 0.5 * libm::pow(0.96, t as f64 * self.momentum_decay));
        let this = mu(t);
        Momenta {
            this,
            next: mu(t + 1),
            product: product * this,
        }
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

impl Method for Radam {
    const LEARNING_RATE: f64 = 0.001;

    fn memory(&self) -> usize {
        2
    }

    fn corrections(&self, t: u64) -> Corrections {
        Corrections::new(self.beta1, self.beta2, t)
    }

    fn step<T: Real>(&self, params: &mut [T], gradients: Gradients<T>, memory: Memory<T>, now: Now) {
        let Now {
            eta, t, corrections, ..
        } = now;
        let eta = eta / corrections.first;
        match self.rectification(t, corrections) {
            Some(r) => {
                let eta = eta * r * corrections.second.sqrt();
                sweep(self.rule::<T, true>(eta), params, gradients, memory);
            }
            None => sweep(self.rule::<T, false>(eta), params, gradients, memory),
        }
    }
}

impl Radam {
    fn rule<T: Real, const ADAPTIVE: bool>(&self, eta: f64) -> ByTrust<T, ADAPTIVE> {
        ByTrust {
            averages: Averages::new(self.beta1, self.beta2),
            lambda: T::from_f64(self.weight_decay),
            eta: T::from_f64(eta),
            epsilon: T::from_f64(self.epsilon),
        }
    }

    /// r, once rho_t is above 5.
    fn rectification(&self, t: u64, corrections: Corrections) -> Option<f64> {
        let rho_inf = 2.0 / (1.0 - self.beta2) - 1.0;
        let rho = rho_inf - 2.0 * t as f64 * (1.0 - corrections.second) / corrections.second;
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
