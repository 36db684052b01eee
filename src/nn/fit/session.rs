//! What training hands from one step, or one fit, to the next: weights, optimizer, schedule and counts, and the scratch
//! buffers and threads that a step takes. A fit has a session for itself; a trainer keeps one as long as it lives.

use std::sync::Arc;

use crate::nn::error::{Code, Error, JsNumber, Result};
use crate::nn::host;
use crate::nn::network::architecture::Architecture;
use crate::nn::network::penalty::penalty;
use crate::nn::optim::clip_norm;
use crate::nn::optim::schedule::ScheduleState;
use crate::nn::vector::kernels::are_finite;
use crate::nn::vector::memory::Aligned;
use crate::nn::vector::memory::zeros;
use crate::nn::vector::real::Real;

use crate::nn::data::Data;
use crate::nn::fit::options::FitOptions;
use crate::nn::fit::solver::Solver;
use crate::nn::fit::trainer::Trainer;
use crate::nn::pass::work::{LossSum, Work};

/// Training that goes on.
pub struct Session<T> {
    architecture: Arc<Architecture>,
    /// Where every random choice comes from.
    pub(crate) seed: u64,
    pub(crate) values: Aligned<T>,
    pub(crate) solver: Solver<T>,
    pub(crate) schedule: ScheduleState,
    /// How much was done before the run that is under way.
    pub(crate) done: Done,
    /// Whether L-BFGS has found a minimum.
    pub(crate) has_converged: bool,
    passes: Option<Passes<T>>,
    /// Of all parameters, where a step needs them at once; else empty.
    gradients: Vec<T>,
    /// The rows of a step: 0, 1, 2, ...
    rows: Vec<u32>,
    /// The values that a run publishes, while there is none.
    pub(crate) spare: Vec<T>,
}

/// How much a session has trained: what random choices and the schedule follow from.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Done {
    /// Epochs; a step by itself counts as one.
    pub epochs: usize,
    /// Steps of the optimizer.
    pub steps: u64,
}

/// The scratch buffers and threads of passes, and what they are for.
struct Passes<T> {
    trainer: Trainer<T>,
    /// Whether the targets are gradients of the outputs (see [`Architecture::with_given_gradients`]).
    architecture: Arc<Architecture>,
}

impl<T: Real> Session<T> {
    /// Before the first step, from `values`.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn new(
        architecture: Arc<Architecture>,
        seed: u64,
        options: &FitOptions,
        values: &[T],
    ) -> Result<Self> {
        Ok(Session {
            seed,
            values: Aligned::copy(values, "the weights")?,
            solver: Solver::new(&options.optimizer, &architecture)?,
            schedule: options.schedule.state(),
            done: Done::default(),
            has_converged: false,
            passes: None,
            gradients: Vec::new(),
            rows: Vec::new(),
            spare: Vec::new(),
            architecture,
        })
    }

    /// As [`new`](Self::new), with the buffers of a session that is over.
    ///
    /// # Errors
    /// As there.
    pub fn again(mut self, seed: u64, options: &FitOptions, values: &[T]) -> Result<Self> {
        self.values.copy_from_slice(values);
        self.seed = seed;
        self.schedule = options.schedule.state();
        self.done = Done::default();
        self.has_converged = false;
        self.solver = self.solver.again(&options.optimizer, &self.architecture)?;
        Ok(self)
    }

    /// Goes on from other values with the optimizer as before its first step.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn begin_anew(&mut self, options: &FitOptions, values: &[T]) -> Result<()> {
        self.values.copy_from_slice(values);
        self.solver = Solver::new(&options.optimizer, &self.architecture)?;
        Ok(())
    }

    /// About how many bytes it holds.
    pub fn bytes(&self) -> usize {
        let solver: usize = self.solver.buffers().iter().map(|buffer| buffer.len()).sum();
        let numbers = self.values.len() + solver + self.gradients.len() + self.spare.len();
        let passes = self.passes.as_ref().map_or(0, |passes| passes.trainer.bytes());
        numbers * size_of::<T>() + passes
    }

    /// The values now.
    pub fn values(&self) -> &[T] {
        &self.values
    }

    /// What of the weights and the optimizer's memory is not finite, if anything is: a rule for an error. An infinite average
    /// stops its weight for ever, and no file could hold it.
    pub fn broken_rule(&self) -> Option<&'static str> {
        if !are_finite(&self.values) {
            Some("finite weights")
        } else if !self.solver.is_finite() {
            Some("a finite memory of the optimizer")
        } else {
            None
        }
    }

    /// The values, to be set.
    pub fn values_mut(&mut self) -> &mut [T] {
        &mut self.values
    }

    /// The shape of the network.
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// How much is done.
    pub fn done(&self) -> Done {
        self.done
    }

    /// Sends the threads home: what stays costs memory alone.
    pub fn rest(&mut self) {
        if let Some(passes) = &mut self.passes {
            passes.trainer.rest();
        }
    }

    /// Gets ready for batches of `batch` rows and passes over `others`.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub(crate) fn prepare(&mut self, options: &FitOptions, batch: usize, others: usize) -> Result<()> {
        let architecture = self.architecture.clone();
        let threads = options.threads.unwrap_or_else(host::threads);
        let is_ready = |passes: &Passes<T>| {
            Arc::ptr_eq(&passes.architecture, &architecture)
                && passes.trainer.is_for(&architecture, batch, others, threads)
        };
        if !self.passes.as_ref().is_some_and(is_ready) {
            self.set_passes(architecture, (batch, others), threads)?;
        }
        self.make_room(options, batch)
    }

    fn set_passes(
        &mut self,
        architecture: Arc<Architecture>,
        (batch, others): (usize, usize),
        threads: usize,
    ) -> Result<()> {
        self.passes = None;
        let trainer = Trainer::new(&architecture, batch, others, threads)?;
        self.passes = Some(Passes {
            trainer,
            architecture,
        });
        Ok(())
    }

    /// A buffer for all gradients at once, where steps by so many rows need it.
    fn make_room(&mut self, options: &FitOptions, batch: usize) -> Result<()> {
        let needs_all = options.clip_norm.is_some() || !self.trainer().has_scratch(batch);
        let count = if needs_all {
            self.architecture.parameter_count()
        } else {
            0
        };
        if self.gradients.len() != count {
            self.gradients = zeros(count, "the gradients")?;
        }
        Ok(())
    }

    pub(crate) fn trainer(&mut self) -> &mut Trainer<T> {
        let passes = self
            .passes
            .as_mut()
            .expect("a session is prepared before it trains");
        &mut passes.trainer
    }

    /// The loss over the rows with dropout off; nothing if stopped.
    pub(crate) fn validate(&mut self, work: Work<T>) -> Option<LossSum> {
        let passes = self
            .passes
            .as_mut()
            .expect("a session is prepared before it trains");
        passes.trainer.loss(work, &self.values, &mut |_| {})
    }

    /// Takes a step by each `batch` of the rows, the first of which has this number; their loss, or nothing if stopped.
    /// Ends early where a loss is not finite.
    pub(crate) fn train(
        &mut self,
        work: Work<T>,
        batch: usize,
        options: &FitOptions,
        rate: f64,
        first_step: u64,
    ) -> Option<LossSum> {
        let seed = self.seed;
        let passes = self
            .passes
            .as_mut()
            .expect("a session is prepared before it trains");
        if let (Solver::Steps(state), true) = (&mut self.solver, self.gradients.is_empty()) {
            let numbers = (seed, first_step);
            return passes
                .trainer
                .steps(work, batch, &mut self.values, (state, rate), numbers);
        }
        let mut all = LossSum::default();
        for (step, rows) in (first_step..).zip(work.rows.chunks(batch)) {
            let loss = self.step_by_all(Work { rows, ..work }, step, options, rate)?;
            all.add(loss);
            if !loss.mean().is_finite() {
                break;
            }
        }
        Some(all)
    }

    /// A step that needs the gradient of all parameters at once.
    fn step_by_all(&mut self, work: Work<T>, step: u64, options: &FitOptions, rate: f64) -> Option<LossSum> {
        let Session { values, seed, .. } = self;
        let trainer = &mut self.passes.as_mut().expect("prepared").trainer;
        let count = work.architecture.parameter_count();
        let loss = match &mut self.solver {
            Solver::Steps(state) => {
                let gradients = &mut self.gradients;
                let loss = trainer.gradient(work, values, *seed, step, gradients);
                if let Some(norm) = options.clip_norm {
                    clip_norm(gradients, norm);
                }
                state.step(&mut values[..count], gradients, rate);
                loss?
            }
            Solver::Lbfgs(state, tried) => {
                tried.copy_from_slice(values);
                let mut first = None;
                let mut evaluate = |params: &[T], gradients: &mut [T]| {
                    tried[..count].copy_from_slice(params);
                    let loss = trainer.gradient(work, tried, *seed, step, gradients);
                    first.get_or_insert(loss);
                    // Not a number ends the search for a step.
                    loss.map_or(f64::NAN, |loss| loss.mean() + penalty(work.architecture, tried))
                };
                let report = state.step(&mut values[..count], &mut evaluate, rate);
                self.has_converged = report.converged;
                first.filter(|_| !(work.is_stopped)()).flatten()?
            }
        };
        trainer.update_statistics(work.architecture, values);
        Some(loss)
    }

    /// Takes one step by all rows of `data`: their loss before it. It counts as an epoch of one batch.
    ///
    /// # Errors
    /// `Diverged` where the loss is not finite: the values are no longer of use. `OutOfMemory`; `Internal` for data of
    /// another shape.
    pub fn step(&mut self, options: &FitOptions, data: &Data<T>, targets: Targets) -> Result<f64> {
        let rows = data.rows();
        self.get_ready(options, rows.max(1), targets)?;
        self.rows.extend(self.rows.len() as u32..rows as u32);
        let passes = self.passes.as_ref().expect("ready");
        let architecture = passes.architecture.clone();
        data.fits(&architecture)?;
        let epoch = self.done.epochs;
        let rate = self.schedule.rate(epoch, options.epochs, options.learning_rate);
        let order = std::mem::take(&mut self.rows);
        let work = Work {
            architecture: &architecture,
            data,
            rows: &order[..rows],
            next: None,
            is_stopped: &|| false,
        };
        let loss = self.train(work, rows, options, rate, self.done.steps);
        self.rows = order;
        let loss = loss.map_or(f64::NAN, LossSum::mean);
        if !loss.is_finite() {
            return Err(self.diverged("a finite loss", JsNumber(loss), options));
        }
        self.done.epochs += 1;
        self.done.steps += 1;
        self.schedule.observe(loss);
        Ok(loss)
    }

    /// Gets ready for a step by so many rows: larger batches than before need larger buffers.
    fn get_ready(&mut self, options: &FitOptions, rows: usize, targets: Targets) -> Result<()> {
        let is_ready = self.passes.as_ref().is_some_and(|passes| {
            let is_own = Arc::ptr_eq(&passes.architecture, &self.architecture);
            is_own == (targets == Targets::Outputs) && passes.trainer.serves(&passes.architecture, rows)
        });
        if !is_ready {
            let architecture = match targets {
                Targets::Outputs => self.architecture.clone(),
                Targets::Gradients => Arc::new(self.architecture.with_given_gradients()),
            };
            let threads = options.threads.unwrap_or_else(host::threads);
            self.set_passes(architecture, (rows, 0), threads)?;
        }
        self.make_room(options, rows)
    }

    /// That the next step has diverged.
    pub fn diverged(&self, expected: &str, received: impl std::fmt::Display, options: &FitOptions) -> Error {
        let name = format!("step {}", self.done.steps + 1);
        diverged(expected, name, received, options.learning_rate)
    }
}

/// What the targets of a step are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Targets {
    /// What the outputs should be
    Outputs,
    /// The gradient of the user's own loss with respect to the outputs
    Gradients,
}

/// That numbers of `name`, an epoch or a step, are no longer finite.
pub(crate) fn diverged(
    expected: &str,
    name: String,
    received: impl std::fmt::Display,
    learning_rate: f64,
) -> Error {
    let rate = JsNumber(learning_rate);
    Error::new(Code::Diverged, expected, name, received).cure(&format!(
        "try a learningRate below {rate}, clipNorm: 1, or inputs and targets scaled to about -1 to 1"
    ))
}
