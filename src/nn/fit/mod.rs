//! Training: many epochs over many rows.
//!
//! | module | holds |
//! |---|---|
//! | [`options`] | what a user chooses of a fit, read from JSON |
//! | [`data`] | the rows |
//! | [`run`] | the run: epochs, and when they end |
//! | [`session`] | what one step, or fit, hands to the next |
//! | [`solver`] | its optimizer at work |
//! | [`pace`] | whether threads share its steps: as long as that is faster |
//! | [`trainer`] | gradients and losses of batches, on several threads |
//! | [`narrow`] | gradients and steps of narrow networks |
//! | [`tiny`] | steps of the smallest networks |
//! | [`losses`] | the losses of their rows |
//! | [`monitor`] | what a fit and those who watch it tell each other |
//! | [`checkpoint`] | a run as a file |
//! | [`warnings`] | what a person would notice in a run that has ended |

pub mod checkpoint;
pub mod data;
pub mod losses;
pub mod monitor;
pub mod narrow;
pub mod options;
pub mod pace;
pub mod run;
pub mod session;
pub mod solver;
pub mod tiny;
pub mod trainer;
pub mod warnings;

pub use data::{Data, Part};
pub use monitor::{EpochReport, History, Monitor, StoppedBy};
pub use options::FitOptions;
pub use run::{IsCut, Problem, Run};
pub use session::{Done, Session, Targets};
pub use warnings::Warning;

use std::sync::Arc;

use serde_json::Value;

use super::architecture::Architecture;
use super::error::Result;
use super::evaluation::{self, Evaluation};
use super::host;
use super::real::Real;
use trainer::{Trainer, Work};

/// How a run begins.
pub struct Start {
    /// The options as the user gave them: a checkpoint fills in other defaults.
    given: Value,
    options: FitOptions,
    seed: u64,
}

impl Start {
    /// With the options in JSON, and the seed of the network, where every random choice comes from unless the run is
    /// resumed.
    ///
    /// # Errors
    /// Those of [`FitOptions::from_json`].
    pub fn new(given: Value, seed: u64, architecture: &Architecture) -> Result<Self> {
        let options = FitOptions::from_json(&given, architecture.loss(), architecture.output_count())?;
        Ok(Start { given, options, seed })
    }

    /// The options.
    pub fn options(&self) -> &FitOptions {
        &self.options
    }

    /// The seed of the network.
    pub fn seed(&self) -> u64 {
        self.seed
    }
}

/// A run from `values`, or from the checkpoint that the options name, with the buffers of a session that is over, if there
/// is `one`.
///
/// # Errors
/// Those of [`Run::new`] and [`checkpoint::resume`].
pub fn begin<T: Real>(
    architecture: Arc<Architecture>,
    start: &Start,
    data: Data<T>,
    held_out: Option<Data<T>>,
    values: &[T],
    one: Option<Session<T>>,
) -> Result<Run<T>> {
    let problem = problem(architecture.clone(), start.options.clone(), data, held_out);
    if let Some(path) = &start.options.resume {
        return checkpoint::resume(problem, &start.given, path);
    }
    let options = &start.options;
    let session = match one {
        Some(session) => session.again(start.seed, options, values)?,
        None => Session::new(architecture, start.seed, options, values)?,
    };
    Run::new(problem, &mut Some(session))
}

/// A run that goes on where `session` is, which the run takes. The options of the trainer it belongs to are `own`.
///
/// # Errors
/// Those of [`Run::new`]; `InvalidCombination` where the options want what the trainer cannot do. The session is still there.
pub fn go_on<T: Real>(
    architecture: Arc<Architecture>,
    (start, own): (&Start, &FitOptions),
    data: Data<T>,
    held_out: Option<Data<T>>,
    session: &mut Option<Session<T>>,
) -> Result<Run<T>> {
    start.options.check_goes_on(own)?;
    let mut problem = problem(architecture, start.options.clone(), data, held_out);
    problem.horizon = own.epochs;
    Run::new(problem, session)
}

fn problem<T: Real>(
    architecture: Arc<Architecture>,
    options: FitOptions,
    data: Data<T>,
    held_out: Option<Data<T>>,
) -> Problem<T> {
    Problem {
        architecture,
        horizon: options.epochs,
        options,
        has_sample_weights: data.is_weighted(),
        data,
        held_out,
    }
}

/// The mean loss where sums of it overflow: row by row, each held finite and divided before it is added.
fn careful_mean<T: Real>(trainer: &mut Trainer<T>, work: Work<T>, values: &[T]) -> Option<f64> {
    let total = work.data.weight_of(work.rows);
    let mut mean = 0.0;
    for row in work.rows.chunks(1) {
        let loss = trainer.loss(Work { rows: row, ..work }, values, &mut |_| {})?;
        let share = if total > 0.0 { loss.weight / total } else { 0.0 };
        mean += share * loss.mean().held_finite();
    }
    Some(mean.held_finite())
}

/// The measures of a network over `data`; nothing if stopped.
///
/// # Errors
/// `OutOfMemory` where the system has none.
pub fn evaluate<T: Real>(
    architecture: &Architecture,
    values: &[T],
    data: &Data<T>,
    is_stopped: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Evaluation>> {
    data.fits(architecture)?;
    let rows: Vec<u32> = (0..data.rows() as u32).collect();
    let mut outputs = super::online::zeros(data.rows() * data.units, "the outputs")?;
    let mut trainer = Trainer::new(architecture, 1, rows.len(), host::threads())?;
    let work = Work {
        architecture,
        data,
        rows: &rows,
        next: None,
        is_stopped,
    };
    let mut end = 0;
    let mut see = |stretch: &[T]| {
        outputs[end..end + stretch.len()].copy_from_slice(stretch);
        end += stretch.len();
    };
    let Some(loss) = trainer.loss(work, values, &mut see) else {
        return Ok(None);
    };
    let targets = data.part(Part::Targets);
    let mut mean = loss.mean();
    if !mean.is_finite() {
        let Some(found) = careful_mean(&mut trainer, work, values) else {
            return Ok(None);
        };
        mean = found;
    }
    let (kind, loss) = (architecture.loss(), mean);
    evaluation::evaluate(kind, loss, &outputs, targets, data.units, is_stopped)
}
