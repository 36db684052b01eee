//! The settings of L-BFGS.

use crate::nn::settings::{COUNT_FROM_ONE, NOT_NEGATIVE, settings};

settings! {
    /// L-BFGS (Liu & Nocedal 1989, "On the limited memory BFGS method for large scale optimization";
    /// `torch.optim.LBFGS` with `line_search_fn='strong_wolfe'`): a step goes to where the loss would be least if it
    /// were the parabola that the last gradients suggest.
    ///
    /// ```text
    /// d  = -H g, with H the inverse Hessian made of the last pairs s, y
    /// p += t d,  with t from a line search that begins at eta
    /// ```
    /// One step is up to `maxIterations` of those. Learning rate: 1.
    pub struct Lbfgs: Default {
        /// How many iterations a step has at most; 20
        max_iterations: usize = 20, "maxIterations", COUNT_FROM_ONE;
        /// How many evaluations of the loss a step has, about: a search stops when they are used up;
        /// 1.25 maxIterations
        max_evaluations: Option<usize> = None, "maxEvaluations", COUNT_FROM_ONE;
        /// Converged where no gradient is larger; 1e-7
        tolerance_gradient: f64 = 1e-7, "toleranceGradient", NOT_NEGATIVE;
        /// Converged where neither the loss nor any parameter changes by more; 1e-9
        tolerance_change: f64 = 1e-9, "toleranceChange", NOT_NEGATIVE;
        /// How many pairs s, y are remembered; 100
        history_size: usize = 100, "historySize", COUNT_FROM_ONE;
    }
}

impl Lbfgs {
    /// The learning rate where the user names none.
    pub const LEARNING_RATE: f64 = 1.0;

    /// How many evaluations of the loss a step has.
    pub(crate) fn evaluations(&self) -> usize {
        let default = self.max_iterations.saturating_mul(5) / 4;
        self.max_evaluations.unwrap_or(default)
    }
}
