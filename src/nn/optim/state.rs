//! What an optimizer remembers from step to step.

use std::ops::Range;

use crate::nn::error::{Code, Error, Result};
use crate::nn::host::team::Shared;
use crate::nn::optim::Optimizer;
use crate::nn::optim::choice::with_method;
use crate::nn::optim::descent::Descend;
use crate::nn::optim::method::{Method, Now};
use crate::nn::optim::moments::{Corrections, Momenta};
use crate::nn::vector::memory::{Aligned, whole_lines};
use crate::nn::vector::real::Real;

use crate::nn::optim::sweep::{Gradients, Memory};

/// The memory of an optimizer: a few numbers for each parameter, and a few for all.
#[derive(Debug)]
pub struct OptimizerState<T> {
    optimizer: Optimizer,
    parameter_count: usize,
    /// Buffers of a number for each parameter, each from the beginning of a line of the cache.
    memory: Aligned<T>,
    /// How many steps were taken.
    steps: u64,
    /// NAdam's mu_1 ... mu_t
    mu_product: f64,
}

impl Optimizer {
    /// The state before the first step.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none; `Internal` for L-BFGS, which has
    /// [a state of its own](crate::nn::optim::lbfgs::LbfgsState).
    pub fn state<T: Real>(&self, parameter_count: usize) -> Result<OptimizerState<T>> {
        let count = whole_lines::<T>(parameter_count).checked_mul(self.buffers()?);
        let memory = count.and_then(|count| Aligned::zeros(count, "the optimizer").ok());
        let memory = memory.ok_or_else(|| out_of_memory(parameter_count))?;
        let first = self.first_memory();
        let mut state = OptimizerState {
            optimizer: *self,
            parameter_count,
            memory,
            steps: 0,
            mu_product: 1.0,
        };
        if first != 0.0 {
            state.memory.fill(T::from_f64(first));
        }
        Ok(state)
    }

    /// What each number of the memory is before the first step.
    fn first_memory(&self) -> f64 {
        with_method!(self, method => method.initial(), else 0.0)
    }

    /// Those of step t, where the optimizer has any.
    fn corrections(&self, t: u64) -> Corrections {
        with_method!(self, method => method.corrections(t), else Corrections::default())
    }

    /// What a step does to a parameter, where that is so little that it can be done at once.
    #[inline]
    pub fn descent<T: Real>(&self, learning_rate: f64) -> Option<Descend<T>> {
        match self {
            Optimizer::Sgd(sgd) => Some(sgd.rule(learning_rate)),
            _ => None,
        }
    }

    /// How many numbers are remembered for each parameter.
    pub fn buffers(&self) -> Result<usize> {
        let expected = "an optimizer that steps by given gradients";
        let refused = || Err(Error::new(Code::Internal, expected, "optimizer", "lbfgs"));
        with_method!(self, method => Ok(method.memory()), else refused())
    }
}

pub(crate) fn out_of_memory(parameter_count: usize) -> Error {
    let received = format!("{parameter_count} parameters");
    Error::new(Code::OutOfMemory, "enough free memory", "the optimizer", received)
}

impl<T: Real> OptimizerState<T> {
    /// The state of `optimizer` before the first step in the same memory, if it is as much.
    pub fn again(mut self, optimizer: &Optimizer) -> Option<Self> {
        let count = whole_lines::<T>(self.parameter_count).checked_mul(optimizer.buffers().ok()?);
        if count != Some(self.memory.len()) {
            return None;
        }
        self.memory.fill(T::from_f64(optimizer.first_memory()));
        Some(OptimizerState {
            optimizer: *optimizer,
            steps: 0,
            mu_product: 1.0,
            ..self
        })
    }

    /// Moves the parameters one step, in one pass and without allocating.
    ///
    /// # Panics
    /// Where a slice is not as long as the state was made for.
    pub fn step(&mut self, params: &mut [T], gradients: &[T], learning_rate: f64) {
        assert_eq!(params.len(), self.parameter_count);
        let step = self.begin(learning_rate);
        // SAFETY: nobody else has the step.
        unsafe { step.update(0..params.len(), params, Gradients::new(gradients)) };
    }

    /// Begins a step that may be done part by part, also by several threads.
    pub fn begin(&mut self, learning_rate: f64) -> Step<'_, T> {
        self.steps += 1;
        let mut momenta = Momenta::default();
        if let Optimizer::Nadam(nadam) = &self.optimizer {
            momenta = nadam.momenta(self.steps, self.mu_product);
            self.mu_product = momenta.product;
        }
        Step {
            optimizer: &self.optimizer,
            parameter_count: self.parameter_count,
            memory: Shared::new(&mut self.memory),
            number: self.steps,
            momenta,
            corrections: self.optimizer.corrections(self.steps),
            learning_rate,
        }
    }

    /// Counts steps of a [`descent`](Optimizer::descent) that were taken.
    pub fn count(&mut self, steps: u64) {
        self.steps += steps;
    }

    /// The optimizer that this is the state of.
    pub fn optimizer(&self) -> &Optimizer {
        &self.optimizer
    }

    /// What is remembered for each parameter, a buffer after the other, for checkpoints.
    pub fn buffers(&self) -> impl Iterator<Item = &[T]> {
        let count = self.parameter_count;
        let buffers = self.memory.chunks_exact(whole_lines::<T>(count).max(1));
        buffers.map(move |buffer| &buffer[..count])
    }

    /// The same buffers, to be restored.
    pub fn buffers_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        let count = self.parameter_count;
        let buffers = self.memory.chunks_exact_mut(whole_lines::<T>(count).max(1));
        buffers.map(move |buffer| &mut buffer[..count])
    }

    /// What is remembered for all parameters: the number of steps, and NAdam's product of momenta.
    pub fn scalars(&self) -> Vec<f64> {
        vec![self.steps as f64, self.mu_product]
    }

    /// Restores what [`scalars`](Self::scalars) gave.
    ///
    /// # Errors
    /// `InvalidLength` or `OutOfRange` where it cannot have given that.
    pub fn restore_scalars(&mut self, scalars: &[f64]) -> Result<()> {
        let name = "the optimizer's scalars";
        let &[steps, mu_product] = scalars else {
            return Err(Error::new(Code::InvalidLength, "2 numbers", name, scalars.len()));
        };
        if !(steps >= 0.0 && steps.fract() == 0.0 && steps <= (1u64 << 53) as f64) {
            return Err(Error::new(Code::OutOfRange, "a number of steps", name, steps));
        }
        if !(0.0..=1.0).contains(&mu_product) {
            return Err(Error::new(
                Code::OutOfRange,
                "a product in [0, 1]",
                name,
                mu_product,
            ));
        }
        (self.steps, self.mu_product) = (steps as u64, mu_product);
        Ok(())
    }
}

/// A step of all parameters, as the threads that share it see it.
#[derive(Clone, Copy)]
pub struct Step<'a, T> {
    optimizer: &'a Optimizer,
    parameter_count: usize,
    memory: Shared<'a, T>,
    number: u64,
    /// These two are taken once a step: powers would show in each tile.
    momenta: Momenta,
    corrections: Corrections,
    learning_rate: f64,
}

impl<T: Real> Step<'_, T> {
    /// As [`Optimizer::descent`].
    pub fn descent(&self) -> Option<Descend<T>> {
        self.optimizer.descent(self.learning_rate)
    }

    /// Moves the parameters in `range`, each of which is to be moved once.
    ///
    /// # Safety
    /// No other thread may be moving any of them.
    ///
    /// # Panics
    /// Where a slice is not as long as the range.
    pub unsafe fn update(&self, range: Range<usize>, params: &mut [T], gradients: Gradients<T>) {
        assert_eq!(params.len(), range.len());
        // SAFETY: as the caller promises.
        let memory = unsafe { Memory::new(self.memory, self.parameter_count, range) };
        let now = Now {
            eta: self.learning_rate,
            t: self.number,
            momenta: self.momenta,
            corrections: self.corrections,
        };
        with_method!(
            self.optimizer,
            method => method.step(params, gradients, memory, now),
            else unreachable!("has a state of its own")
        );
    }
}

#[cfg(test)]
mod tests;
