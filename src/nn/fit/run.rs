//! A training run, epoch by epoch.
//!
//! Everything random in it follows from the seed and the numbers of epoch, step and row, so a run is the same
//! whatever its threads, and after a pause too.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::nn::architecture::Architecture;
use crate::nn::archive;
use crate::nn::batch::penalty;
use crate::nn::error::{Code, Error, JsNumber, Result};
use crate::nn::host::{self, Clock};
use crate::nn::kernels::are_finite;
use crate::nn::lines::Lines;
use crate::nn::online::zeros;
use crate::nn::optimizer::clip_norm;
use crate::nn::random::Generator;
use crate::nn::real::Real;
use crate::nn::schedule::ScheduleState;

use super::data::Data;
use super::monitor::{EpochReport, History, Monitor, Published, StoppedBy};
use super::options::FitOptions;
use super::solver::Solver;
use super::trainer::{LossSum, Trainer, Work};

/// What the streams of random numbers of a run are for, beside the masks of its steps.
const SHUFFLE: u64 = u64::MAX;
const SPLIT: u64 = u64::MAX - 1;

/// What a run trains, on what and how.
pub struct Problem<T> {
    /// The shape of the network.
    pub architecture: Arc<Architecture>,
    /// Where every random choice comes from.
    pub seed: u64,
    /// How.
    pub options: FitOptions,
    /// The rows of training, and of validation if a fraction of them is taken.
    pub data: Data<T>,
    /// Rows of validation of their own.
    pub held_out: Option<Data<T>>,
    /// Whether the rows came with weights of their own.
    pub has_sample_weights: bool,
}

/// A training run.
pub struct Run<T> {
    pub(super) problem: Problem<T>,
    /// Places of rows in the data.
    training: Vec<u32>,
    pub(super) validation: Vec<u32>,
    /// The rows of training in the order of the epoch.
    order: Vec<u32>,
    trainer: Trainer<T>,
    pub(super) values: Lines<T>,
    /// Of all parameters, where a step needs them at once; else empty.
    gradients: Vec<T>,
    pub(super) solver: Solver<T>,
    pub(super) schedule: ScheduleState,
    pub(super) watch: Watch,
    /// The values after the best epoch, if they are to be restored.
    pub(super) best: Option<Vec<T>>,
    /// How many epochs are done.
    pub(super) epoch: usize,
    monitor: Arc<Monitor<T>>,
    clock: Clock,
    /// What the monitor publishes, while nobody watches it.
    unwatched: Option<Published<T>>,
    ended: Option<StoppedBy>,
}

/// What early stopping and its like remember: the course of the watched loss, that of validation where there is
/// one, else that of training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Watch {
    /// The lowest loss, and its epoch; 0 before the first.
    pub best: f64,
    pub best_epoch: usize,
    /// The loss of the last epoch.
    pub last: f64,
    pub has_converged: bool,
}

impl<T: Real> Run<T> {
    /// Gets ready to train a network from `values`.
    ///
    /// # Errors
    /// `OutOfRange` where a fraction leaves no rows, `File` where the checkpoint cannot be written, `OutOfMemory`.
    pub fn new(mut problem: Problem<T>, values: &[T]) -> Result<Self> {
        let Problem {
            architecture,
            options,
            data,
            held_out,
            ..
        } = &mut problem;
        if let Some(checkpoint) = &options.checkpoint {
            archive::probe(Path::new(&checkpoint.path))?;
        }
        data.fits(architecture)?;
        held_out.as_ref().map_or(Ok(()), |data| data.fits(architecture))?;
        if data.rows() > u32::MAX as usize {
            return Err(Error::new(
                Code::TooLarge,
                "fewer than 2^32 rows",
                "inputs",
                data.rows(),
            ));
        }
        for data in std::iter::once(&mut *data).chain(held_out.as_mut()) {
            if let Some(weights) = &options.class_weights {
                data.weigh_classes(weights)?;
            }
        }
        let count = architecture.parameter_count();
        let copy = || {
            let mut copy = zeros(values.len(), "the weights")?;
            copy.copy_from_slice(values);
            Ok(copy)
        };
        let (schedule, threads) = (
            options.schedule.state(),
            options.threads.unwrap_or_else(host::threads),
        );
        let keeps_best = options
            .early_stopping
            .is_some_and(|stopping| stopping.restore_best);
        let solver = Solver::new(&options.optimizer, architecture)?;
        let (training, validation) = split(&problem)?;
        let Problem {
            architecture,
            options,
            ..
        } = &problem;
        let batch = options.batch_size.unwrap_or(usize::MAX).min(training.len());
        let trainer = Trainer::new(architecture, batch, validation.len(), threads)?;
        let needs_all = options.clip_norm.is_some() || !trainer.has_room(batch);
        Ok(Run {
            trainer,
            gradients: zeros(if needs_all { count } else { 0 }, "the gradients")?,
            order: training.clone(),
            training,
            validation,
            solver,
            schedule,
            watch: Watch {
                best: f64::MAX,
                best_epoch: 0,
                last: f64::MAX,
                has_converged: false,
            },
            best: keeps_best.then(copy).transpose()?,
            epoch: 0,
            monitor: Arc::new(Monitor::new(copy()?, History::default(), options.epochs)),
            values: Lines::copy(values, "the weights")?,
            clock: Clock::start(),
            unwatched: None,
            ended: None,
            problem,
        })
    }

    /// Where others watch the run, and stop it.
    pub fn monitor(&self) -> &Arc<Monitor<T>> {
        &self.monitor
    }

    /// Takes up a run where it was, after these epochs.
    pub(super) fn restore(&mut self, history: History) {
        self.epoch = history.epochs();
        self.monitor = Arc::new(Monitor::new(self.values.to_vec(), history, self.options().epochs));
    }

    /// How many epochs are done.
    pub fn epochs(&self) -> usize {
        self.epoch
    }

    /// The epoch with the lowest watched loss, from 1; 0 before the first.
    pub fn best_epoch(&self) -> usize {
        self.watch.best_epoch
    }

    /// Milliseconds since the run was made ready.
    pub fn elapsed(&self) -> f64 {
        self.clock.milliseconds()
    }

    /// Whether anybody may look at the [monitor](Self::monitor) between epochs, as at first. To publish what nobody sees
    /// would take as long as a small step.
    pub fn set_watched(&mut self, is_watched: bool) {
        // A checkpoint holds the history.
        if is_watched || self.options().checkpoint.is_some() {
            if let Some(published) = self.unwatched.take() {
                self.monitor.put(published);
            }
        } else if self.unwatched.is_none() {
            self.unwatched = Some(self.monitor.take());
        }
    }

    /// How the run is to be done.
    pub fn options(&self) -> &FitOptions {
        &self.problem.options
    }

    /// Trains for an epoch, and says why the run has ended, if it has. Where it is not timed, its report does not say
    /// when it ended: to look at the clock takes as long as a few small steps. At the end the values that the monitor
    /// publishes are final: the best ones where they are kept, else those of the last whole epoch.
    ///
    /// # Errors
    /// `Diverged` where numbers are no longer finite, and errors of the checkpoint's file: the run has ended too.
    pub fn advance(&mut self, is_timed: bool) -> Result<Option<StoppedBy>> {
        if self.ended.is_some() {
            return Ok(self.ended);
        }
        let outcome = self.step(is_timed);
        if !matches!(outcome, Ok(None)) {
            self.finish();
            self.ended = outcome.as_ref().copied().unwrap_or(Some(StoppedBy::Abort));
        }
        outcome
    }

    fn step(&mut self, is_timed: bool) -> Result<Option<StoppedBy>> {
        if let Some(reason) = self.verdict() {
            return Ok(Some(reason));
        }
        let is_whole = self.epoch(is_timed)?;
        let verdict = self.verdict();
        if is_whole {
            self.save(verdict.is_some())?;
        }
        Ok(verdict)
    }

    /// Puts the best values in place of the last ones.
    fn finish(&mut self) {
        if let Some(best) = self.best.as_ref().filter(|_| self.watch.best_epoch > 0) {
            match &mut self.unwatched {
                Some(published) => published.replace(best),
                None => self.monitor.replace(best),
            }
        }
    }

    /// Why the run is over, if it is.
    fn verdict(&self) -> Option<StoppedBy> {
        let options = self.options();
        let waited = self.epoch - self.watch.best_epoch;
        let is_stale = |patience: usize| waited >= patience.max(1);
        if self.watch.has_converged {
            Some(StoppedBy::Converged)
        } else if self.epoch > 0
            && options
                .target_loss
                .is_some_and(|target| self.watch.last <= target)
        {
            Some(StoppedBy::TargetLoss)
        } else if options
            .early_stopping
            .is_some_and(|stopping| is_stale(stopping.patience))
        {
            Some(StoppedBy::EarlyStopping)
        } else if self.epoch >= options.epochs {
            Some(StoppedBy::Epochs)
        } else if self.is_late() {
            Some(StoppedBy::Timeout)
        } else {
            self.monitor.stopped()
        }
    }

    fn is_late(&self) -> bool {
        is_late(&self.clock, self.options().timeout)
    }

    /// Trains for an epoch; whether it is whole: it was not stopped in the middle.
    fn epoch(&mut self, is_timed: bool) -> Result<bool> {
        let options = &self.problem.options;
        let rate = self
            .schedule
            .rate(self.epoch, options.epochs, options.learning_rate);
        if !self.shuffle() {
            return Ok(false);
        }
        let Some(loss) = self.train(rate)? else {
            return Ok(false);
        };
        let loss = self.finite("loss", loss.mean())?;
        if !are_finite(&self.values) {
            return Err(self.diverged("weights", "NaN or Infinity"));
        }
        let validation_loss = if self.validation.is_empty() {
            None
        } else {
            let Some(loss) = self.validate() else {
                return Ok(false);
            };
            Some(self.finite("validation loss", loss.mean())?)
        };
        self.end(EpochReport {
            epoch: self.epoch + 1,
            loss,
            validation_loss,
            learning_rate: rate,
            elapsed: if is_timed { self.elapsed() } else { 0.0 },
        });
        Ok(true)
    }

    /// Ends an epoch.
    fn end(&mut self, report: EpochReport) {
        self.epoch += 1;
        self.judge(report.validation_loss.unwrap_or(report.loss));
        match &mut self.unwatched {
            Some(published) => published.add(&self.values, report),
            None => self.monitor.publish(&self.values, report),
        }
    }

    /// Takes the watched loss of the epoch that has ended.
    fn judge(&mut self, loss: f64) {
        self.schedule.observe(loss);
        let least = self
            .options()
            .early_stopping
            .map_or(0.0, |stopping| stopping.min_delta);
        self.watch.last = loss;
        if loss < self.watch.best - least {
            self.watch.best = loss;
            self.watch.best_epoch = self.epoch;
            if let Some(best) = &mut self.best {
                best.copy_from_slice(&self.values);
            }
        }
    }

    /// The order of the epoch; false if stopped.
    fn shuffle(&mut self) -> bool {
        if !self.options().shuffle {
            return true;
        }
        let is_stopped = stops(&self.monitor, self.clock, self.options().timeout);
        self.order.copy_from_slice(&self.training);
        let numbers = [SHUFFLE, self.epoch as u64, 0];
        let mut generator = Generator::stream(self.problem.seed, numbers);
        shuffle(&mut self.order, &mut generator, &is_stopped)
    }

    /// Goes once over the rows of training; their loss, or nothing if stopped.
    fn train(&mut self, rate: f64) -> Result<Option<LossSum>> {
        let Problem {
            architecture,
            seed,
            options,
            ..
        } = &self.problem;
        let (count, seed) = (architecture.parameter_count(), *seed);
        let is_stopped = stops(&self.monitor, self.clock, options.timeout);
        let (all_rows, batch) = all_rows(&self.problem, &self.order, &is_stopped);
        let first_step = (self.epoch * self.order.len().div_ceil(batch)) as u64;
        let trainer = &mut self.trainer;
        if let (Solver::Steps(state), true) = (&mut self.solver, self.gradients.is_empty()) {
            let (values, numbers) = (&mut self.values, (seed, first_step));
            return Ok(trainer.steps(all_rows, batch, values, (state, rate), numbers));
        }
        let mut all = LossSum::default();
        for (k, rows) in self.order.chunks(batch).enumerate() {
            let step = first_step + k as u64;
            let work = Work { rows, ..all_rows };
            let trainer = &mut self.trainer;
            let loss = match &mut self.solver {
                Solver::Steps(state) => {
                    let (values, gradients) = (&mut self.values, &mut self.gradients);
                    let loss = trainer.gradient(work, values, seed, step, gradients);
                    if let Some(norm) = options.clip_norm {
                        clip_norm(gradients, norm);
                    }
                    state.step(&mut values[..count], gradients, rate);
                    let Some(loss) = loss else { return Ok(None) };
                    trainer.update_statistics(architecture, &mut self.values);
                    loss
                }
                Solver::Lbfgs(state, tried) => {
                    tried.copy_from_slice(&self.values);
                    let mut first = None;
                    let mut evaluate = |params: &[T], gradients: &mut [T]| {
                        tried[..count].copy_from_slice(params);
                        let loss = trainer.gradient(work, tried, seed, step, gradients);
                        first.get_or_insert(loss);
                        // Not a number ends the search for a step.
                        loss.map_or(f64::NAN, |loss| loss.mean() + penalty(architecture, tried))
                    };
                    let report = state.step(&mut self.values[..count], &mut evaluate, rate);
                    self.watch.has_converged = report.converged;
                    let Some(Some(loss)) = first.filter(|_| !is_stopped()) else {
                        return Ok(None);
                    };
                    trainer.update_statistics(architecture, &mut self.values);
                    loss
                }
            };
            self.finite_loss(loss)?;
            all.add(loss);
        }
        Ok(Some(all))
    }

    fn finite_loss(&self, loss: LossSum) -> Result<()> {
        self.finite("loss", loss.mean()).map(|_| ())
    }

    /// The loss over the rows of validation; nothing if stopped.
    fn validate(&mut self) -> Option<LossSum> {
        let problem = &self.problem;
        let is_stopped = stops(&self.monitor, self.clock, problem.options.timeout);
        let work = Work {
            architecture: &problem.architecture,
            data: problem.held_out.as_ref().unwrap_or(&problem.data),
            rows: &self.validation,
            next: None,
            is_stopped: &is_stopped,
        };
        self.trainer.loss(work, &self.values, &mut |_| {})
    }

    fn finite(&self, what: &str, number: f64) -> Result<f64> {
        if number.is_finite() {
            return Ok(number);
        }
        Err(self.diverged(what, JsNumber(number)))
    }

    fn diverged(&self, what: &str, received: impl std::fmt::Display) -> Error {
        let name = format!("epoch {}", self.epoch + 1);
        let expected = if what == "weights" {
            "finite weights".to_string()
        } else {
            format!("a finite {what}")
        };
        let rate = JsNumber(self.options().learning_rate);
        Error::new(Code::Diverged, expected, name, received).cure(&format!(
            "try a learningRate below {rate}, clipNorm: 1, or inputs and targets scaled to about -1 to 1"
        ))
    }
}

/// What an epoch goes over, and how many rows at a time.
fn all_rows<'a, T>(
    problem: &'a Problem<T>,
    order: &'a [u32],
    is_stopped: &'a (dyn Fn() -> bool + Sync),
) -> (Work<'a, T>, usize) {
    let work = Work {
        architecture: &problem.architecture,
        data: &problem.data,
        rows: order,
        next: None,
        is_stopped,
    };
    let batch = problem.options.batch_size.unwrap_or(usize::MAX);
    (work, batch.min(order.len()))
}

/// The places of the rows of training and of validation.
fn split<T: Real>(problem: &Problem<T>) -> Result<(Vec<u32>, Vec<u32>)> {
    let rows = problem.data.rows();
    let mut all: Vec<u32> = (0..rows as u32).collect();
    if let Some(held_out) = &problem.held_out {
        return Ok((all, (0..held_out.rows() as u32).collect()));
    }
    let Some(fraction) = problem.options.validation else {
        return Ok((all, Vec::new()));
    };
    let held = (fraction * rows as f64).round() as usize;
    if held == 0 || held >= rows {
        let expected = format!("a fraction that leaves rows on both sides of {rows}");
        let name = "options.validation";
        return Err(Error::new(Code::OutOfRange, expected, name, fraction));
    }
    if problem.options.shuffle {
        shuffle(
            &mut all,
            &mut Generator::stream(problem.seed, [SPLIT, 0, 0]),
            &|| false,
        );
    }
    let mut validation = all.split_off(rows - held);
    all.sort_unstable();
    validation.sort_unstable();
    Ok((all, validation))
}

/// By the method of Fisher and Yates; false if stopped on the way.
fn shuffle(rows: &mut [u32], generator: &mut Generator, is_stopped: &dyn Fn() -> bool) -> bool {
    for i in (1..rows.len()).rev() {
        // Millions of rows take their time.
        if i % (1 << 16) == 0 && is_stopped() {
            return false;
        }
        rows.swap(i, generator.below(i as u64 + 1) as usize);
    }
    true
}

/// Asks whether the run is to stop; where it is late, it is.
fn stops<T: Real>(monitor: &Monitor<T>, clock: Clock, timeout: Option<f64>) -> impl Fn() -> bool + Sync {
    move || {
        if is_late(&clock, timeout) {
            monitor.stop(StoppedBy::Timeout);
        }
        monitor.stopped().is_some()
    }
}

fn is_late(clock: &Clock, timeout: Option<f64>) -> bool {
    timeout.is_some_and(|timeout| clock.milliseconds() >= timeout)
}
