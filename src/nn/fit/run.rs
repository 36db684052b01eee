//! A training run, epoch by epoch.
//!
//! Everything random in it follows from the seed and the numbers of epoch, step and row, so a run is the same
//! whatever its threads, and after a pause too.

use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::nn::error::{Code, Error, JsNumber, Result};
use crate::nn::host::Clock;
use crate::nn::host::archive;
use crate::nn::network::architecture::Architecture;
use crate::nn::random::Generator;
use crate::nn::vector::memory::zeros;
use crate::nn::vector::real::Real;

use crate::nn::data::Data;
use crate::nn::fit::monitor::{EpochReport, History, Monitor, Published, StoppedBy};
use crate::nn::fit::options::FitOptions;
use crate::nn::fit::session::{Session, diverged};
use crate::nn::fit::trainer::ROWS_OF_LOSS;
use crate::nn::fit::warnings::{self, Warning};
use crate::nn::pass::work::{LossSum, Work};

/// What the streams of random numbers of a run are for, beside the masks of its steps.
const SHUFFLE: u64 = u64::MAX;
const SPLIT: u64 = u64::MAX - 1;

/// What a run trains, on what and how.
pub struct Problem<T> {
    /// The shape of the network.
    pub architecture: Arc<Architecture>,
    /// How.
    pub options: FitOptions,
    /// How many epochs the schedule spans; those of a trainer go on from fit to fit.
    pub horizon: usize,
    /// The rows of training, and of validation if a fraction of them is taken.
    pub data: Data<T>,
    /// Rows of validation of their own.
    pub held_out: Option<Data<T>>,
    /// Whether the rows came with weights of their own.
    pub has_sample_weights: bool,
}

/// Whether the caller of a run needs its thread back.
pub type IsCut<'a> = &'a (dyn Fn() -> bool + Sync);

/// An epoch goes on in pieces of whole steps, and may pause between two: so many multiply-adds take a millisecond or a
/// few. Its length is part of what is computed: sums of losses are rounded piece by piece.
const PIECE: usize = 1 << 24;

/// A training run.
pub struct Run<T> {
    pub(crate) problem: Problem<T>,
    /// Places of rows in the data.
    training: Vec<u32>,
    pub(crate) validation: Vec<u32>,
    /// The rows of training in the order of the epoch.
    order: Vec<u32>,
    pub(crate) session: Session<T>,
    pub(crate) watch: Watch,
    /// The values after the best epoch, if they are to be restored.
    pub(crate) best: Option<Vec<T>>,
    /// How many epochs are done.
    pub(crate) epoch: usize,
    monitor: Arc<Monitor<T>>,
    clock: Clock,
    /// What the monitor publishes, while nobody watches it.
    unwatched: Option<Published<T>>,
    /// Whether the session's values are those of a whole epoch that is not published.
    is_ahead: bool,
    /// The epoch that has begun, where it has paused.
    begun: Option<Begun>,
    ended: Option<StoppedBy>,
}

/// How far an epoch is.
#[derive(Clone, Copy)]
struct Begun {
    rate: f64,
    /// How many rows were trained on, and their loss.
    trained: usize,
    loss: LossSum,
    /// The same of validation.
    validated: usize,
    validation_loss: LossSum,
}

/// How a piece of an epoch ended.
#[derive(PartialEq)]
enum Piece {
    /// With the epoch.
    Whole,
    /// The rest is for later.
    Paused,
    /// There will be no rest.
    Stopped,
}

/// What early stopping and its like remember: the course of the watched loss, that of validation where there is
/// one, else that of training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Watch {
    /// The lowest loss, and its epoch; 0 before the first.
    pub best: f64,
    pub best_epoch: usize,
    /// The loss of the last epoch.
    pub last: f64,
    pub has_converged: bool,
}

impl<T: Real> Run<T> {
    /// Gets ready to train from where the session is.
    ///
    /// # Errors
    /// `OutOfRange` where a fraction leaves no rows, `File` where the checkpoint cannot be written, `OutOfMemory`; then
    /// the session is still there.
    ///
    /// # Panics
    /// Where there is no session.
    pub fn new(mut problem: Problem<T>, session: &mut Option<Session<T>>) -> Result<Self> {
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
            data.moderate_weights()?;
        }
        let keeps_best = options
            .early_stopping
            .is_some_and(|stopping| stopping.restore_best);
        let there = session.as_mut().expect("a run has a session");
        let (training, validation) = split(&problem, there.seed)?;
        check_weights(&problem, &training, &validation)?;
        let options = &problem.options;
        let batch = options.batch_size.unwrap_or(usize::MAX).min(training.len());
        there.prepare(options, batch, validation.len())?;
        there.has_converged = false;
        let best = keeps_best
            .then(|| zeros(there.values.len(), "the weights"))
            .transpose()?;
        let published = std::mem::take(&mut there.spare);
        Ok(Run {
            order: training.clone(),
            training,
            validation,
            watch: Watch {
                best: f64::MAX,
                best_epoch: 0,
                last: f64::MAX,
                has_converged: false,
            },
            best,
            epoch: 0,
            monitor: Arc::new(Monitor::new(published, History::default(), options.epochs)),
            clock: Clock::start(),
            unwatched: None,
            is_ahead: false,
            begun: None,
            ended: None,
            session: session.take().expect("it is there"),
            problem,
        })
    }

    /// Where others watch the run, and stop it.
    pub fn monitor(&self) -> &Arc<Monitor<T>> {
        &self.monitor
    }

    /// Takes up a run where it was, after these epochs.
    pub(crate) fn restore(&mut self, history: History) {
        self.epoch = history.epochs();
        let monitor = Monitor::new(Vec::new(), history, self.options().epochs);
        monitor.replace(&self.session.values);
        self.monitor = Arc::new(monitor);
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
            if self.ended.is_none() {
                self.publish();
            }
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
    /// publishes are final: the best ones where they are kept, else those of the last whole epoch. `is_cut` is asked now and
    /// then by all threads; where it says yes, the run is aborted. Where `is_due` says so, the epoch pauses, and the next
    /// call goes on with it.
    ///
    /// # Errors
    /// `Diverged` where numbers are no longer finite, and errors of the checkpoint's file: the run has ended too.
    pub fn advance(
        &mut self,
        is_timed: bool,
        is_cut: IsCut,
        is_due: &dyn Fn() -> bool,
    ) -> Result<Option<StoppedBy>> {
        if self.ended.is_some() {
            return Ok(self.ended);
        }
        let outcome = self.step(is_timed, is_cut, is_due);
        if !matches!(outcome, Ok(None)) {
            self.finish();
            self.ended = outcome.as_ref().copied().unwrap_or(Some(StoppedBy::Abort));
        }
        outcome
    }

    fn step(
        &mut self,
        is_timed: bool,
        is_cut: IsCut,
        is_due: &dyn Fn() -> bool,
    ) -> Result<Option<StoppedBy>> {
        if let Some(reason) = self.verdict() {
            return Ok(Some(reason));
        }
        let piece = self.epoch(is_timed, is_cut, is_due)?;
        if piece == Piece::Paused {
            return Ok(None);
        }
        let verdict = self.verdict();
        if piece == Piece::Whole {
            self.save(verdict.is_some())?;
        }
        Ok(verdict)
    }

    /// Shows those who watch the best values in place of the last ones.
    fn finish(&mut self) {
        match self.unwatched.take() {
            Some(published) => self.monitor.put(published),
            None => {
                if let Some(best) = self.best_values() {
                    self.monitor.replace(best);
                }
            }
        }
    }

    /// Those of the best epoch, where they are kept.
    fn best_values(&self) -> Option<&[T]> {
        self.best.as_deref().filter(|_| self.watch.best_epoch > 0)
    }

    /// Puts the final values of a run that has ended into `values`, which hold those that it began with.
    pub fn copy_final(&self, values: &mut [T]) {
        match self.best_values() {
            Some(best) => values.copy_from_slice(best),
            None if self.is_ahead => values.copy_from_slice(&self.session.values),
            None => self.monitor.copy_values(values),
        }
    }

    /// What a person would notice in a run that has ended. It looks at a few rows, unless it is cut.
    pub fn warnings(&self, is_cut: IsCut) -> Vec<Warning> {
        let Problem {
            architecture, data, ..
        } = &self.problem;
        self.monitor.history(|history| {
            let has_validation = !history.validation_losses.is_empty();
            let ended = warnings::Ended {
                architecture,
                values: self.best_values().unwrap_or(&self.session.values),
                data,
                rows: &self.training,
                losses: if has_validation {
                    &history.validation_losses
                } else {
                    &history.losses
                },
                is_cut_short: matches!(self.ended, Some(StoppedBy::Epochs | StoppedBy::Timeout)),
            };
            warnings::warnings(&ended, &|| is_cut())
        })
    }

    /// Frees the rows: a run that has ended needs them no more.
    pub fn forget_data(&mut self) {
        self.problem.data = Data::new(&self.problem.architecture);
        self.problem.held_out = None;
    }

    /// The session after a run that has ended. What its values are is not said: see [`copy_final`](Self::copy_final).
    pub fn into_session(self) -> Session<T> {
        let steps = self.order.len().div_ceil(self.problem.batch(&self.order));
        let mut session = self.session;
        session.spare = self.monitor.take().into_values();
        session.done.epochs += self.epoch;
        session.done.steps += (self.epoch * steps) as u64;
        session
    }

    /// Puts values that are ahead where whoever looks finds them, and where a new epoch does not change them.
    fn publish(&mut self) {
        if std::mem::take(&mut self.is_ahead) {
            match &mut self.unwatched {
                Some(published) => published.replace(&self.session.values),
                None => self.monitor.replace(&self.session.values),
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

    /// Trains for an epoch, or for some of one.
    fn epoch(&mut self, is_timed: bool, is_cut: IsCut, is_due: &dyn Fn() -> bool) -> Result<Piece> {
        let begun = match self.begun.take() {
            Some(begun) => begun,
            None => {
                self.publish();
                let Problem { options, horizon, .. } = &self.problem;
                let epoch = self.session.done.epochs + self.epoch;
                let rate = self.session.schedule.rate(epoch, *horizon, options.learning_rate);
                if !self.shuffle(is_cut) {
                    return Ok(Piece::Stopped);
                }
                Begun {
                    rate,
                    trained: 0,
                    loss: LossSum::default(),
                    validated: 0,
                    validation_loss: LossSum::default(),
                }
            }
        };
        self.go_on(begun, is_timed, is_cut, is_due)
    }

    /// Goes on with an epoch that has begun.
    fn go_on(
        &mut self,
        mut begun: Begun,
        is_timed: bool,
        is_cut: IsCut,
        is_due: &dyn Fn() -> bool,
    ) -> Result<Piece> {
        while begun.trained < self.order.len() {
            let Some((rows, loss)) = self.train(begun.trained, begun.rate, is_cut) else {
                return Ok(Piece::Stopped);
            };
            begun.trained += rows;
            begun.loss.add(loss);
            if !loss.mean().is_finite() {
                break;
            }
            if is_due() {
                self.begun = Some(begun);
                return Ok(Piece::Paused);
            }
        }
        let loss = self.finite("loss", begun.loss.mean())?;
        if let Some(rule) = self.session.broken_rule() {
            return Err(self.diverged(rule, "NaN or Infinity"));
        }
        while begun.validated < self.validation.len() {
            let Some((rows, loss)) = self.validate(begun.validated, is_cut) else {
                return Ok(Piece::Stopped);
            };
            begun.validated += rows;
            begun.validation_loss.add(loss);
            if is_due() {
                self.begun = Some(begun);
                return Ok(Piece::Paused);
            }
        }
        let validation_loss = if self.validation.is_empty() {
            None
        } else {
            Some(self.finite("validation loss", begun.validation_loss.mean())?)
        };
        self.end(EpochReport {
            epoch: self.epoch + 1,
            loss,
            validation_loss,
            learning_rate: begun.rate,
            elapsed: if is_timed { self.elapsed() } else { 0.0 },
        });
        Ok(Piece::Whole)
    }

    /// How many rows of an epoch make a piece: whole times so many.
    fn piece(&self, whole: usize) -> usize {
        let work = whole.saturating_mul(self.problem.architecture.parameter_count());
        whole.saturating_mul((PIECE / work).max(1))
    }

    /// Ends an epoch.
    fn end(&mut self, report: EpochReport) {
        self.epoch += 1;
        self.judge(report.validation_loss.unwrap_or(report.loss));
        match &mut self.unwatched {
            Some(published) => {
                published.add(report);
                self.is_ahead = true;
            }
            None => self.monitor.publish(&self.session.values, report),
        }
    }

    /// Takes the watched loss of the epoch that has ended.
    fn judge(&mut self, loss: f64) {
        self.session.schedule.observe(loss);
        let least = self
            .options()
            .early_stopping
            .map_or(0.0, |stopping| stopping.min_delta);
        self.watch.last = loss;
        if loss < self.watch.best - least {
            self.watch.best = loss;
            self.watch.best_epoch = self.epoch;
            if let Some(best) = &mut self.best {
                best.copy_from_slice(&self.session.values);
            }
        }
    }

    /// The order of the epoch; false if stopped.
    fn shuffle(&mut self, is_cut: IsCut) -> bool {
        if !self.options().shuffle {
            return true;
        }
        let is_stopped = stops(&self.monitor, self.clock, self.options().timeout, is_cut);
        self.order.copy_from_slice(&self.training);
        let numbers = [SHUFFLE, (self.session.done.epochs + self.epoch) as u64, 0];
        let mut generator = Generator::stream(self.session.seed, numbers);
        generator.shuffle(&mut self.order, &is_stopped)
    }

    /// Trains on a piece of the epoch from the row at this place on: how many rows, and their loss; nothing if stopped.
    fn train(&mut self, from: usize, rate: f64, is_cut: IsCut) -> Option<(usize, LossSum)> {
        let problem = &self.problem;
        let is_stopped = stops(&self.monitor, self.clock, problem.options.timeout, is_cut);
        let batch = problem.batch(&self.order);
        let rows = &self.order[from..];
        let rows = &rows[..self.piece(batch).min(rows.len())];
        let steps = self.epoch * self.order.len().div_ceil(batch) + from / batch;
        let first_step = self.session.done.steps + steps as u64;
        let work = Work {
            architecture: &problem.architecture,
            data: &problem.data,
            rows,
            next: None,
            is_stopped: &is_stopped,
        };
        let loss = self
            .session
            .train(work, batch, &problem.options, rate, first_step);
        self.watch.has_converged = self.session.has_converged;
        Some((rows.len(), loss?))
    }

    /// The same for a piece of the rows of validation.
    fn validate(&mut self, from: usize, is_cut: IsCut) -> Option<(usize, LossSum)> {
        let problem = &self.problem;
        let rows = &self.validation[from..];
        let rows = &rows[..self.piece(ROWS_OF_LOSS).min(rows.len())];
        let is_stopped = stops(&self.monitor, self.clock, problem.options.timeout, is_cut);
        let work = Work {
            architecture: &problem.architecture,
            data: problem.held_out.as_ref().unwrap_or(&problem.data),
            rows,
            next: None,
            is_stopped: &is_stopped,
        };
        Some((rows.len(), self.session.validate(work)?))
    }

    fn finite(&self, what: &str, number: f64) -> Result<f64> {
        if number.is_finite() {
            return Ok(number);
        }
        Err(self.diverged(&format!("a finite {what}"), JsNumber(number)))
    }

    fn diverged(&self, expected: &str, received: impl std::fmt::Display) -> Error {
        let name = format!("epoch {}", self.epoch + 1);
        diverged(expected, name, received, self.options().learning_rate)
    }
}

impl<T> Problem<T> {
    /// How many of the rows make a step.
    fn batch(&self, rows: &[u32]) -> usize {
        self.options.batch_size.unwrap_or(usize::MAX).min(rows.len())
    }
}

/// The places of the rows of training and of validation.
fn split<T: Real>(problem: &Problem<T>, seed: u64) -> Result<(Vec<u32>, Vec<u32>)> {
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
        let error = Error::new(Code::OutOfRange, expected, name, fraction);
        return Err(error.cure("choose another fraction, or give rows of their own"));
    }
    if problem.options.shuffle {
        Generator::stream(seed, [SPLIT, 0, 0]).shuffle(&mut all, &|| false);
    }
    let mut validation = all.split_off(rows - held);
    all.sort_unstable();
    validation.sort_unstable();
    Ok((all, validation))
}

/// Refuses rows of training, or of validation, that all weigh nothing.
fn check_weights<T: Real>(problem: &Problem<T>, training: &[u32], validation: &[u32]) -> Result<()> {
    let held_out = problem.held_out.as_ref().unwrap_or(&problem.data);
    for (rows, data, what) in [
        (training, &problem.data, "training"),
        (validation, held_out, "validation"),
    ] {
        if data.is_weighted() && !rows.is_empty() && data.weight_of(rows) == 0.0 {
            let name = format!("the rows of {what}");
            let error = Error::new(Code::OutOfRange, "a weight above 0 for one", name, "only 0");
            return Err(error.cure("give some of them a weight, or hold out other rows"));
        }
    }
    Ok(())
}

/// Asks whether the run is to stop; where it is late, it is.
fn stops<T: Real>(
    monitor: &Monitor<T>,
    clock: Clock,
    timeout: Option<f64>,
    is_cut: IsCut,
) -> impl Fn() -> bool + Sync {
    move || {
        if is_cut() {
            monitor.stop(StoppedBy::Abort);
        }
        if is_late(&clock, timeout) {
            monitor.stop(StoppedBy::Timeout);
        }
        monitor.stopped().is_some()
    }
}

fn is_late(clock: &Clock, timeout: Option<f64>) -> bool {
    timeout.is_some_and(|timeout| clock.milliseconds() >= timeout)
}
