//! The learning rate of each epoch.
//!
//! Legend of the formulas: e the epoch from 0, E the number of epochs, eta the fit's learning rate, and
//! `anneal(a, b, u) = b + (a - b) / 2 (1 + cos(pi u))`, half a wave of the cosine from a at u = 0 to b at u = 1.

use std::f64::consts::PI;

use super::error::{Code, Error, Result};
use super::settings::{COUNT, COUNT_FROM_ONE, FRACTION, NOT_NEGATIVE, POSITIVE, SHRINKING, choice, settings};

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
mod tests {
    use super::*;
    use crate::nn::gradients::flat as numbers;
    use serde_json::{Value, json};

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../__test__/goldens/schedules.json")).unwrap()
    }

    fn schedule(json: Value) -> Schedule {
        Schedule::from_json(&json).unwrap()
    }

    fn rates(schedule: Schedule, epochs: usize, base: f64) -> Vec<f64> {
        let mut state = schedule.state();
        (0..epochs).map(|epoch| state.rate(epoch, epochs, base)).collect()
    }

    #[test]
    fn every_rate_is_pytorchs() {
        let golden = golden();
        let cases = golden["cases"].as_array().unwrap();
        let losses = numbers(&golden["plateauLosses"]);
        assert_eq!((cases.len(), losses.len()), (13, 20));
        for case in cases {
            let mut state = schedule(case["schedule"].clone()).state();
            let base = case["learningRate"].as_f64().unwrap();
            for (epoch, exact) in numbers(&case["rates"]).into_iter().enumerate() {
                let rate = state.rate(epoch, 20, base);
                let close = (rate - exact).abs() <= 1e-12 * exact;
                assert!(close, "{} epoch {epoch}: {rate}, not {exact}", case["schedule"]);
                state.observe(losses[epoch]);
            }
        }
    }

    #[test]
    fn a_short_cosine_holds_its_minimum() {
        let cosine = schedule(json!({"type": "cosine", "epochs": 4, "minimum": 0.1}));
        let short = rates(cosine, 7, 1.0);
        assert_eq!(
            short[..4],
            rates(schedule(json!({"type": "cosine", "minimum": 0.1})), 4, 1.0)
        );
        assert_eq!(short[4..], [0.1; 3]);
        let warming = schedule(json!({"type": "cosine", "warmup": 4, "minimum": 0.5}));
        assert_eq!(rates(warming, 2, 1.0), [0.25, 0.5]);
        let ended = schedule(json!({"type": "cosine", "epochs": 2, "warmup": 4, "minimum": 0.5}));
        assert_eq!(rates(ended, 6, 1.0), [0.25, 0.5, 0.75, 1.0, 0.5, 0.5]);
    }

    #[test]
    fn one_cycle_of_any_length_stays_within_its_limits() {
        for warmup in [0.0, 0.1, 0.3, 0.5, 1.0] {
            let cycle = schedule(json!({"type": "oneCycle", "maximum": 2, "warmup": warmup}));
            for epochs in 1..30 {
                for rate in rates(cycle, epochs, f64::NAN) {
                    assert!(
                        (7.9e-6..=2.0).contains(&rate),
                        "warmup {warmup}, {epochs} epochs: {rate}"
                    );
                }
            }
        }
        // Its peak is its first epoch: 0 / 0.
        let cycle = schedule(json!({"type": "oneCycle", "maximum": 2, "warmup": 0.5}));
        assert_eq!(rates(cycle, 2, f64::NAN)[0], 2.0);
    }

    #[test]
    fn a_plateau_survives_the_way_through_a_checkpoint() {
        let golden = golden();
        let plateau = schedule(json!({"type": "plateau", "factor": 0.5, "patience": 1}));
        let losses = numbers(&golden["plateauLosses"]);
        for split in 0..losses.len() {
            let mut state = plateau.state();
            for (epoch, &loss) in losses[..split].iter().enumerate() {
                state.rate(epoch, 20, 0.1);
                state.observe(loss);
            }
            let mut restored = plateau.state();
            restored.restore_scalars(&state.scalars()).unwrap();
            assert_eq!(restored, state);
            for (epoch, &loss) in losses.iter().enumerate().skip(split) {
                assert_eq!(state.rate(epoch, 20, 0.1), restored.rate(epoch, 20, 0.1));
                state.observe(loss);
                restored.observe(loss);
            }
        }
    }

    #[test]
    fn a_loss_that_is_none_is_a_bad_epoch() {
        let mut state = schedule(json!({"type": "plateau", "factor": 0.5, "patience": 1})).state();
        for (epoch, exact) in [1.0, 1.0, 0.5, 0.5].into_iter().enumerate() {
            assert_eq!(state.rate(epoch, 4, 1.0), exact);
            state.observe(f64::NAN);
        }
    }

    #[test]
    fn scalars_that_cannot_be_are_refused() {
        let mut state = Schedule::default().state();
        let mut said = |scalars: &[f64]| state.restore_scalars(scalars).unwrap_err().to_string();
        assert_eq!(
            said(&[1.0]),
            "Expected 3 numbers for the schedule's scalars but received 1"
        );
        assert_eq!(
            said(&[0.1, f64::INFINITY, 0.0]),
            "Expected a finite number for the schedule's scalars but received Infinity"
        );
        assert_eq!(
            said(&[-0.1, 1.0, 0.0]),
            "Expected a learning rate for the schedule's scalars but received -0.1"
        );
        assert_eq!(
            said(&[0.1, 1.0, 0.5]),
            "Expected a number of epochs for the schedule's scalars but received 0.5"
        );
    }

    #[test]
    fn a_setting_out_of_range_is_answered_with_the_range() {
        let (at_least_0, above_0) = ("a number of at least 0", "a number above 0");
        let count = "an integer of at least 0";
        let count_from_1 = "an integer of at least 1";
        let cases = [
            (
                json!({"type": "step", "factor": 1, "every": 0}),
                count_from_1,
                "every",
                "0",
            ),
            (
                json!({"type": "step", "factor": 1, "every": 1.5}),
                count_from_1,
                "every",
                "1.5",
            ),
            (
                json!({"type": "step", "every": 1, "factor": 0}),
                above_0,
                "factor",
                "0",
            ),
            (
                json!({"type": "exponential", "factor": -1}),
                above_0,
                "factor",
                "-1",
            ),
            (
                json!({"type": "cosine", "epochs": 0}),
                count_from_1,
                "epochs",
                "0",
            ),
            (
                json!({"type": "cosine", "minimum": -1}),
                at_least_0,
                "minimum",
                "-1",
            ),
            (json!({"type": "cosine", "warmup": -1}), count, "warmup", "-1"),
            (json!({"type": "oneCycle", "maximum": 0}), above_0, "maximum", "0"),
            (
                json!({"type": "oneCycle", "maximum": 1, "warmup": 1.5}),
                "a number in [0, 1]",
                "warmup",
                "1.5",
            ),
            (
                json!({"type": "plateau", "patience": 1, "factor": 1}),
                "a number in (0, 1)",
                "factor",
                "1",
            ),
            (
                json!({"type": "plateau", "factor": 0.5, "patience": 1.5}),
                count,
                "patience",
                "1.5",
            ),
            (
                json!({"type": "plateau", "factor": 0.5, "patience": 1, "minimum": -1}),
                at_least_0,
                "minimum",
                "-1",
            ),
        ];
        for (json, rule, key, received) in cases {
            let error = Schedule::from_json(&json).unwrap_err();
            assert_eq!(error.code, Code::OutOfRange);
            let sentence = format!("Expected {rule} for schedule.{key} but received {received}");
            assert_eq!(error.to_string(), sentence);
        }
    }

    #[test]
    fn what_is_missing_or_unknown_is_refused() {
        let said = |json| Schedule::from_json(&json).unwrap_err().to_string();
        assert_eq!(
            said(json!({"type": "step", "every": 2})),
            "Expected a number above 0 for schedule.factor but received undefined"
        );
        assert_eq!(
            said(json!({"type": "cosin"})),
            "Expected one of 'constant', 'step', 'exponential', 'cosine', 'oneCycle', 'plateau' for schedule.type but \
             received 'cosin': did you mean 'cosine'?"
        );
        assert_eq!(
            said(json!({"type": "cosine", "maximum": 1})),
            "Expected only 'type', 'epochs', 'minimum', 'warmup' for schedule but received 'maximum': did you mean 'minimum'?"
        );
        assert_eq!(
            said(json!({"type": "constant", "factor": 1})),
            "Expected only 'type' for schedule but received 'factor'"
        );
    }

    #[test]
    fn every_schedule_survives_the_way_through_json() {
        for case in golden()["cases"].as_array().unwrap() {
            let schedule = schedule(case["schedule"].clone());
            let text = serde_json::to_string(&schedule).unwrap();
            assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
        }
    }
}
