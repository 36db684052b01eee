//! The optimizer of a run at work.

use crate::nn::error::Result;
use crate::nn::network::architecture::Architecture;
use crate::nn::optim::lbfgs::LbfgsState;
use crate::nn::optim::{Optimizer, OptimizerState};
use crate::nn::vector::kernels::are_finite;
use crate::nn::vector::memory::zeros;
use crate::nn::vector::real::Real;

/// The optimizer of a run at work.
pub enum Solver<T> {
    /// Steps by the gradient of a batch.
    Steps(OptimizerState<T>),
    /// Evaluates the loss of all rows as it needs; with a buffer for the values that it tries.
    Lbfgs(Box<LbfgsState<T>>, Vec<T>),
}

impl<T: Real> Solver<T> {
    /// The optimizer before its first step.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn new(optimizer: &Optimizer, architecture: &Architecture) -> Result<Self> {
        let count = architecture.parameter_count();
        Ok(match optimizer {
            Optimizer::Lbfgs(lbfgs) => {
                let trial = zeros(architecture.value_count(), "the optimizer")?;
                Solver::Lbfgs(Box::new(lbfgs.state(count)?), trial)
            }
            optimizer => Solver::Steps(optimizer.state(count)?),
        })
    }

    /// As [`new`](Self::new), in the same memory where it is as much.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn again(self, optimizer: &Optimizer, architecture: &Architecture) -> Result<Self> {
        match self {
            Solver::Steps(state) => state.again(optimizer).map(Solver::Steps),
            Solver::Lbfgs(..) => None,
        }
        .map_or_else(|| Self::new(optimizer, architecture), Ok)
    }

    /// How long the [buffers](Self::buffers) are of the optimizer with these [scalars](Self::scalars).
    pub fn buffer_lengths(optimizer: &Optimizer, architecture: &Architecture, scalars: &[f64]) -> Vec<usize> {
        let count = architecture.parameter_count();
        match optimizer {
            Optimizer::Lbfgs(_) => {
                let pairs = scalars.len().saturating_sub(LbfgsState::<T>::SCALARS);
                let all = count.saturating_mul(pairs);
                vec![count, count, all, all]
            }
            optimizer => vec![count; optimizer.buffers().unwrap_or(0)],
        }
    }

    /// What is remembered for each parameter.
    pub fn buffers(&self) -> Vec<&[T]> {
        match self {
            Solver::Steps(state) => state.buffers().collect(),
            Solver::Lbfgs(state, _) => state.buffers().collect(),
        }
    }

    /// Whether all that is remembered for each parameter is finite.
    pub fn is_finite(&self) -> bool {
        match self {
            Solver::Steps(state) => state.buffers().all(are_finite),
            Solver::Lbfgs(state, _) => state.buffers().all(are_finite),
        }
    }

    /// What is remembered beside.
    pub fn scalars(&self) -> Vec<f64> {
        match self {
            Solver::Steps(state) => state.scalars(),
            Solver::Lbfgs(state, _) => state.scalars(),
        }
    }

    /// Restores what [`scalars`](Self::scalars) gave, and gives the [`buffers`](Self::buffers) to be restored.
    ///
    /// # Errors
    /// `InvalidLength` or `OutOfRange` where it cannot have given that.
    pub fn restore(&mut self, scalars: &[f64]) -> Result<Vec<&mut [T]>> {
        Ok(match self {
            Solver::Steps(state) => {
                state.restore_scalars(scalars)?;
                state.buffers_mut().collect()
            }
            Solver::Lbfgs(state, _) => {
                state.restore_scalars(scalars)?;
                state.buffers_mut().collect()
            }
        })
    }
}
