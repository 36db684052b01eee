//! The iterations of L-BFGS.

use crate::nn::error::{Code, Error, Result};
use crate::nn::optim::lbfgs::config::Lbfgs;
use crate::nn::optim::lbfgs::history::History;
use crate::nn::optim::lbfgs::line_search::{Evaluate, Line, Point};
use crate::nn::optim::lbfgs::vector::{add, dot, max_abs, sum_abs};
use crate::nn::vector::kernels::are_finite;
use crate::nn::vector::real::Real;

/// What one step of L-BFGS did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LbfgsReport {
    /// The loss at the new parameters.
    pub loss: f64,
    /// How many directions were followed.
    pub iterations: usize,
    /// How often the loss was evaluated.
    pub evaluations: usize,
    /// Whether a tolerance was reached: further steps would change next to nothing.
    pub converged: bool,
}

/// The memory of L-BFGS, and all the buffers that it needs: a step allocates nothing.
#[derive(Debug)]
pub struct LbfgsState<T> {
    config: Lbfgs,
    history: History<T>,
    /// d of the last iteration
    direction: Vec<T>,
    /// t of the last iteration
    t: f64,
    /// g where the last iteration began
    previous_gradient: Vec<T>,
    /// Whether there is no last iteration.
    is_fresh: bool,
    /// Buffers of the line search: parameters and gradients.
    trial: Vec<T>,
    gradients: [Vec<T>; 3],
}

impl Lbfgs {
    /// The state before the first step.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn state<T: Real>(&self, parameter_count: usize) -> Result<LbfgsState<T>> {
        let state = || {
            let [direction, previous_gradient, trial] = buffers(parameter_count)?;
            Some(LbfgsState {
                config: *self,
                history: History::new(parameter_count, self.history_size)?,
                direction,
                t: 0.0,
                previous_gradient,
                is_fresh: true,
                trial,
                gradients: buffers(parameter_count)?,
            })
        };
        state().ok_or_else(|| {
            let expected = "enough free memory, or a smaller historySize,";
            let received = format!(
                "{parameter_count} parameters and a historySize of {}",
                self.history_size
            );
            Error::new(Code::OutOfMemory, expected, "the optimizer", received)
        })
    }
}

/// Three buffers of `count` numbers, if there is memory for them.
fn buffers<T: Real>(count: usize) -> Option<[Vec<T>; 3]> {
    let mut buffers = [Vec::new(), Vec::new(), Vec::new()];
    for buffer in &mut buffers {
        buffer.try_reserve_exact(count).ok()?;
        buffer.resize(count, T::ZERO);
    }
    Some(buffers)
}

impl<T: Real> LbfgsState<T> {
    /// Moves the parameters to where `evaluate`, which gives the loss and writes its gradient, is smaller.
    ///
    /// The parameters stay finite: a search that meets an infinite or undefined loss ends at the best point before it,
    /// and where that is none but the start, the next step begins afresh along the gradient.
    ///
    /// # Panics
    /// Where `params` is not as long as the state was made for.
    pub fn step(
        &mut self,
        params: &mut [T],
        evaluate: &mut Evaluate<'_, T>,
        learning_rate: f64,
    ) -> LbfgsReport {
        assert_eq!(params.len(), self.trial.len());
        let mut report = LbfgsReport {
            loss: evaluate(params, &mut self.gradients[0]),
            iterations: 0,
            evaluations: 1,
            converged: false,
        };
        if report.loss.is_finite() && are_finite(&self.gradients[0]) {
            report.converged = self.is_flat();
            while !report.converged && self.iterate(params, evaluate, learning_rate, &mut report) {}
        }
        report
    }

    /// One direction, and a search along it. The gradient at `params` is the first of `gradients`, before and after.
    /// Returns whether to go on.
    fn iterate(
        &mut self,
        params: &mut [T],
        evaluate: &mut Evaluate<'_, T>,
        learning_rate: f64,
        report: &mut LbfgsReport,
    ) -> bool {
        report.iterations += 1;
        let gradient = &self.gradients[0];
        let mut t = learning_rate;
        if self.is_fresh {
            self.history.clear();
            // No curvature is known yet: the parameters move by no more than the learning rate in all.
            t *= (1.0 / sum_abs(gradient)).min(1.0);
        } else {
            let (d, before) = (&self.direction, &self.previous_gradient);
            self.history.push(self.t, d, before, gradient);
        }
        self.is_fresh = false;
        self.history.direction(gradient, &mut self.direction);
        self.previous_gradient.copy_from_slice(gradient);
        self.t = t;

        let slope = dot(gradient, &self.direction);
        if !slope.is_finite() {
            self.is_fresh = true;
            return false;
        }
        if slope > -self.config.tolerance_change {
            report.converged = true;
            return false;
        }
        let start = Point {
            t: 0.0,
            loss: report.loss,
            slope,
            gradient: 0,
        };
        let left = self.config.evaluations().saturating_sub(report.evaluations);
        let mut line = Line {
            x: params,
            d: &self.direction,
            trial: &mut self.trial,
            gradients: &mut self.gradients,
            evaluate,
        };
        let found = line.search(start, t, left);
        self.gradients.swap(0, found.point.gradient);
        self.t = found.point.t;
        add(self.t, &self.direction, params);
        report.loss = found.point.loss;
        report.evaluations += found.evaluations;
        if !found.finite {
            self.is_fresh = self.t == 0.0;
            return false;
        }

        let is_used_up = report.evaluations >= self.config.evaluations();
        let tolerance = self.config.tolerance_change;
        let stands =
            max_abs(&self.direction) * self.t <= tolerance || (report.loss - start.loss).abs() < tolerance;
        // Standing still for want of evaluations is no convergence.
        report.converged = self.is_flat() || (stands && !is_used_up);
        !(report.converged || is_used_up || report.iterations == self.config.max_iterations)
    }

    /// Whether no gradient is larger than the tolerance.
    fn is_flat(&self) -> bool {
        max_abs(&self.gradients[0]) <= self.config.tolerance_gradient
    }

    /// The settings that this is the state of.
    pub fn config(&self) -> &Lbfgs {
        &self.config
    }

    /// What is remembered as vectors, for checkpoints: d, the gradient before, all s, all y.
    pub fn buffers(&self) -> impl Iterator<Item = &[T]> {
        [
            &self.direction[..],
            &self.previous_gradient,
            &self.history.s,
            &self.history.y,
        ]
        .into_iter()
    }

    /// The same buffers, to be restored after [`restore_scalars`](Self::restore_scalars), which sets their lengths.
    pub fn buffers_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        [
            &mut self.direction[..],
            &mut self.previous_gradient,
            &mut self.history.s,
            &mut self.history.y,
        ]
        .into_iter()
    }

    /// How many numbers [`scalars`](Self::scalars) has beside the rho of every pair.
    pub const SCALARS: usize = 4;

    /// What is remembered as numbers: whether there is no last iteration, its t, gamma, which pair is the oldest, and
    /// rho of every pair.
    pub fn scalars(&self) -> Vec<f64> {
        let History {
            gamma, oldest, rho, ..
        } = &self.history;
        let fresh = f64::from(u8::from(self.is_fresh));
        [fresh, self.t, *gamma, *oldest as f64]
            .into_iter()
            .chain(rho.iter().copied())
            .collect()
    }

    /// Restores what [`scalars`](Self::scalars) gave.
    ///
    /// # Errors
    /// `InvalidLength` or `OutOfRange` where it cannot have given that.
    pub fn restore_scalars(&mut self, scalars: &[f64]) -> Result<()> {
        let name = "the optimizer's scalars";
        let capacity = self.history.capacity();
        let &[fresh, t, gamma, oldest, ref rho @ ..] = scalars else {
            return Err(Error::new(
                Code::InvalidLength,
                "at least 4 numbers",
                name,
                scalars.len(),
            ));
        };
        if rho.len() > capacity {
            let expected = format!("at most {} numbers", capacity + 4);
            return Err(Error::new(Code::InvalidLength, expected, name, scalars.len()));
        }
        if let Some(&x) = scalars.iter().find(|x| !x.is_finite()) {
            return Err(Error::not_finite(name, x));
        }
        let is_place = oldest >= 0.0 && oldest.fract() == 0.0 && oldest < rho.len().max(1) as f64;
        if !is_place {
            return Err(Error::new(Code::OutOfRange, "the place of a pair", name, oldest));
        }
        self.is_fresh = fresh != 0.0;
        self.t = t;
        self.history.resize(rho.len());
        self.history.rho.copy_from_slice(rho);
        self.history.gamma = gamma;
        self.history.oldest = oldest as usize;
        Ok(())
    }
}

#[cfg(test)]
mod tests;
