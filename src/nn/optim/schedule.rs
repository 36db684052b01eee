//! The learning rate of each epoch.
//!
//! Legend of the formulas: e the epoch from 0, E the number of epochs, eta the fit's learning rate, and
//! `anneal(a, b, u) = b + (a - b) / 2 (1 + cos(pi u))`, half a wave of the cosine from a at u = 0 to b at u = 1.

use std::f64::consts::PI;

use crate::nn::error::{Code, Error, Result};
use crate::nn::settings::{
    COUNT, COUNT_FROM_ONE, FRACTION, NOT_NEGATIVE, POSITIVE, SHRINKING, choice, settings,
};

settings! {
    /// eta in every epoch.
    pub struct Constant: Default {}
}

settings! {
    /// Down by a factor every few epochs (`torch.optim.lr_scheduler.StepLR`): `eta factor^floor(e / every)`.
    pub struct Step {
        /// How many epochs a rate lasts.
        every: usize, "every", COUNT_FROM_ONE;
        /// What it is multiplied by then.
        factor: f64, "factor", POSITIVE;
    }
}

settings! {
    /// Down by a factor every epoch (`torch.optim.lr_scheduler.ExponentialLR`): `eta factor^e`.
    pub struct Exponential {
        /// What the rate is multiplied by after every epoch.
        factor: f64, "factor", POSITIVE;
    }
}

settings! {
    /// Half a wave of the cosine from eta down to a minimum, after a linear warm-up (Loshchilov & Hutter 2017, "SGDR:
    /// Stochastic Gradient Descent with Warm Restarts", without restarts; `torch.optim.lr_scheduler.CosineAnnealingLR`).
    ///
    /// ```text
    /// eta (e + 1) / warmup                                            where e < warmup
    /// anneal(eta, minimum, (e - warmup) / (epochs - warmup))          after that
    /// minimum                                                         from e = epochs on
    /// ```
    pub struct Cosine: Default {
        /// The length of the whole, warm-up included; the fit's
        epochs: Option<usize> = None, "epochs", COUNT_FROM_ONE;
        /// The rate at the end; 0
        minimum: f64 = 0.0, "minimum", NOT_NEGATIVE;
        /// How many epochs the rate rises; 0
        warmup: usize = 0, "warmup", COUNT;
    }
}

settings! {
    /// Up to a maximum and down to next to nothing (Smith & Topin 2018, "Super-Convergence: Very Fast Training of
    /// Neural Networks Using Large Learning Rates"; `torch.optim.lr_scheduler.OneCycleLR`). eta is not used.
    ///
    /// ```text
    /// first = maximum / 25, last = first / 10000, peak = warmup E - 1
    /// anneal(first, maximum, e / peak)                                where e <= peak
    /// anneal(maximum, last, (e - peak) / (E - 1 - peak))              after that
    /// ```
    pub struct OneCycle {
        /// The highest rate.
        maximum: f64, "maximum", POSITIVE;
        /// For which share of the epochs the rate rises; 0.3
        warmup: f64 = 0.3, "warmup", FRACTION;
    }
}

settings! {
    /// Down by a factor whenever the watched loss stands still (`torch.optim.lr_scheduler.ReduceLROnPlateau`).
    ///
    /// ```text
    /// after each epoch: an epoch is good where loss < best (1 - 0.0001), and then best = loss
    /// after more than patience bad ones running: rate = max(factor rate, minimum), unless that is within 1e-8 of it
    /// ```
    pub struct Plateau {
        /// What the rate is multiplied by.
        factor: f64, "factor", SHRINKING;
        /// How many epochs running may be bad.
        patience: usize, "patience", COUNT;
        /// The lowest rate; 0
        minimum: f64 = 0.0, "minimum", NOT_NEGATIVE;
    }
}

choice! {
    /// How the learning rate changes from epoch to epoch.
    pub enum Schedule for "schedule" {
        "constant" => Constant,
        "step" => Step,
        "exponential" => Exponential,
        "cosine" => Cosine,
        "oneCycle" => OneCycle,
        "plateau" => Plateau,
    }
}

/// Constant.
impl Default for Schedule {
    fn default() -> Self {
        Schedule::Constant(Constant {})
    }
}

impl Schedule {
    /// The state before the first epoch.
    pub fn state(&self) -> ScheduleState {
        ScheduleState {
            schedule: *self,
            rate: 0.0,
            best: f64::MAX,
            bad_epochs: 0,
        }
    }
}

impl Cosine {
    fn rate(&self, epoch: usize, epochs: usize, base: f64) -> f64 {
        let epochs = self.epochs.unwrap_or(epochs);
        if epoch < self.warmup {
            base * (epoch + 1) as f64 / self.warmup as f64
        } else if epoch >= epochs {
            self.minimum
        } else {
            let part = (epoch - self.warmup) as f64 / (epochs - self.warmup) as f64;
            anneal(base, self.minimum, part)
        }
    }
}

impl OneCycle {
    fn rate(&self, epoch: usize, epochs: usize) -> f64 {
        let first = self.maximum / 25.0;
        let last = first / 1e4;
        let (epoch, end) = (epoch as f64, epochs as f64 - 1.0);
        let peak = self.warmup * epochs as f64 - 1.0;
        if epoch <= peak {
            anneal(first, self.maximum, part(epoch, peak))
        } else {
            anneal(self.maximum, last, part(epoch - peak, end - peak))
        }
    }
}

/// `done / whole`, and no more than 1: also where there is nothing to do.
fn part(done: f64, whole: f64) -> f64 {
    if done < whole { done / whole } else { 1.0 }
}

fn anneal(from: f64, to: f64, part: f64) -> f64 {
    to + (from - to) / 2.0 * (1.0 + libm::cos(PI * part))
}

/// A schedule, and what it remembers from epoch to epoch: nothing, but for [`Plateau`].
#[derive(Clone, Debug, PartialEq)]
pub struct ScheduleState {
    schedule: Schedule,
    /// The rate of a plateau; 0 before the first epoch
    rate: f64,
    /// The least loss so far; before the first epoch the largest number, for infinity has no JSON
    best: f64,
    bad_epochs: usize,
}

impl ScheduleState {
    /// Changes that make up less of the best loss are none.
    const THRESHOLD: f64 = 1e-4;
    /// A rate is not changed by less.
    const SMALLEST_CHANGE: f64 = 1e-8;

    /// The learning rate in epoch `epoch`, counted from 0, of a fit of `epochs` with the learning rate `base`.
    pub fn rate(&mut self, epoch: usize, epochs: usize, base: f64) -> f64 {
        match &self.schedule {
            Schedule::Constant(_) => base,
            Schedule::Step(step) => base * libm::pow(step.factor, (epoch / step.every) as f64),
            Schedule::Exponential(exponential) => base * libm::pow(exponential.factor, epoch as f64),
            Schedule::Cosine(cosine) => cosine.rate(epoch, epochs, base),
            Schedule::OneCycle(cycle) => cycle.rate(epoch, epochs),
            Schedule::Plateau(_) => {
                if self.rate == 0.0 {
                    self.rate = base;
                }
                self.rate
            }
        }
    }

    /// Tells a plateau the watched loss of the epoch that has ended.
    pub fn observe(&mut self, loss: f64) {
        let Schedule::Plateau(plateau) = &self.schedule else {
            return;
        };
        if loss < self.best * (1.0 - Self::THRESHOLD) {
            self.best = loss;
            self.bad_epochs = 0;
        } else {
            self.bad_epochs += 1;
        }
        if self.bad_epochs > plateau.patience {
            let rate = (self.rate * plateau.factor).max(plateau.minimum);
            if self.rate - rate > Self::SMALLEST_CHANGE {
                self.rate = rate;
            }
            self.bad_epochs = 0;
        }
    }

    /// The schedule that this is the state of.
    pub fn schedule(&self) -> &Schedule {
        &self.schedule
    }

    /// What is remembered, for checkpoints: the rate of a plateau, the least loss, the bad epochs running.
    pub fn scalars(&self) -> Vec<f64> {
        vec![self.rate, self.best, self.bad_epochs as f64]
    }

    /// Restores what [`scalars`](Self::scalars) gave.
    ///
    /// # Errors
    /// `InvalidLength` or `OutOfRange` where it cannot have given that.
    pub fn restore_scalars(&mut self, scalars: &[f64]) -> Result<()> {
        let name = "the schedule's scalars";
        let &[rate, best, bad_epochs] = scalars else {
            return Err(Error::new(Code::InvalidLength, "3 numbers", name, scalars.len()));
        };
        if let Some(&x) = scalars.iter().find(|x| !x.is_finite()) {
            return Err(Error::not_finite(name, x));
        }
        if rate < 0.0 {
            return Err(Error::new(Code::OutOfRange, "a learning rate", name, rate));
        }
        if bad_epochs < 0.0 || bad_epochs.fract() != 0.0 {
            return Err(Error::new(
                Code::OutOfRange,
                "a number of epochs",
                name,
                bad_epochs,
            ));
        }
        (self.rate, self.best, self.bad_epochs) = (rate, best, bad_epochs as usize);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
