//! Training: many epochs over many rows.
//!
//! | module | holds |
//! |---|---|
//! | [`options`] | what a user chooses of a fit, read from JSON |
//! | [`run`] | the run: epochs, and when they end |
//! | [`session`] | what one step, or fit, hands to the next |
//! | [`solver`] | its optimizer at work |
//! | [`pace`] | whether threads share its steps: as long as that is faster |
//! | [`trainer`] | gradients and losses of batches, on several threads |
//! | [`monitor`] | what a fit and those who watch it tell each other |
//! | [`checkpoint`] | a run as a file |
//! | [`warnings`] | what a person would notice in a run that has ended |

pub mod checkpoint;
pub mod monitor;
pub mod options;
pub mod pace;
pub mod run;
pub mod session;
pub mod solver;
pub mod trainer;
pub mod warnings;

pub use monitor::{EpochReport, History, Monitor, StoppedBy};
pub use options::FitOptions;
pub use run::{IsCut, Problem, Run};
pub use session::{Done, Session, Targets};
pub use warnings::Warning;

use std::sync::Arc;

use serde_json::Value;

use crate::nn::data::Data;
use crate::nn::error::Result;
use crate::nn::network::architecture::Architecture;
use crate::nn::vector::real::Real;

/// How a run begins.
#[derive(Clone)]
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
