//! A run as a file: everything that the rest of it follows from.
//!
//! The tensors are the values, the best values, the optimizer's buffers and the history; the rest is JSON.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::nn::error::{Code, Error, Result};
use crate::nn::host::archive::{self, Element, Sizes, Tensor};
use crate::nn::network::architecture::Architecture;
use crate::nn::network::initializer::Initializer;
use crate::nn::network::weights;
use crate::nn::vector::kernels::are_finite;
use crate::nn::vector::memory::zeros;
use crate::nn::vector::real::Real;
use crate::nn::wording::Shown;

use crate::nn::data::Data;
use crate::nn::fit::monitor::History;
use crate::nn::fit::options::FitOptions;
use crate::nn::fit::run::{Problem, Run, Watch};
use crate::nn::fit::session::{Done, Session};
use crate::nn::fit::solver::Solver;

/// Tells a checkpoint from other files, and from those of later versions.
const FORMAT: &str = "mikir checkpoint 1";

/// The most epochs that a file may tell of: their history is read before anything else could bound it.
const MOST_EPOCHS: usize = 1 << 24;

/// The same for a trainer's file.
const TRAINER_FORMAT: &str = "mikir trainer 1";

const VALUES: &str = "values";
const BEST: &str = "best";
const LOSS: &str = "history.loss";
const VALIDATION_LOSS: &str = "history.validationLoss";
const LEARNING_RATE: &str = "history.learningRate";

/// What a checkpoint knows beside its tensors.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct State {
    format: String,
    /// The network without its weights.
    network: Value,
    seed: u64,
    options: Value,
    data: Shape,
    watch: Watch,
    /// What a trainer had done before the run.
    #[serde(default)]
    done: Done,
    /// What the schedule remembers.
    schedule: Vec<f64>,
    /// What the optimizer remembers beside its buffers.
    optimizer: Vec<f64>,
}

/// What a resumed run must find again.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Shape {
    rows: usize,
    held_out_rows: Option<usize>,
    has_sample_weights: bool,
}

impl Shape {
    fn of<T: Real>(problem: &Problem<T>) -> Self {
        Shape {
            rows: problem.data.rows(),
            held_out_rows: problem.held_out.as_ref().map(Data::rows),
            has_sample_weights: problem.has_sample_weights,
        }
    }
}

impl<T: Real> Run<T> {
    /// Writes the checkpoint, if there is one to write after this epoch or at the end.
    pub(crate) fn save(&self, is_over: bool) -> Result<()> {
        let Some(checkpoint) = &self.options().checkpoint else {
            return Ok(());
        };
        if !is_over && !self.epoch.is_multiple_of(checkpoint.every_epochs) {
            return Ok(());
        }
        if self.epoch > MOST_EPOCHS {
            let rule = format!("at most {MOST_EPOCHS} epochs");
            return Err(Error::new(Code::File, rule, "a checkpoint", self.epoch));
        }
        let (problem, session) = (&self.problem, &self.session);
        let state = State {
            format: FORMAT.into(),
            network: network::<T>(&problem.architecture),
            seed: session.seed,
            done: session.done,
            options: problem.options.to_json(),
            data: Shape::of(problem),
            watch: self.watch,
            schedule: session.schedule.scalars(),
            optimizer: session.solver.scalars(),
        };
        let history = self.monitor().history(History::clone);
        let mut tensors = vec![
            (VALUES.to_string(), T::lend(&session.values)),
            (LOSS.to_string(), f64::lend(&history.losses)),
            (VALIDATION_LOSS.to_string(), f64::lend(&history.validation_losses)),
            (LEARNING_RATE.to_string(), f64::lend(&history.learning_rates)),
        ];
        tensors.extend(self.best.iter().map(|best| (BEST.to_string(), T::lend(best))));
        let buffers = session.solver.buffers();
        tensors.extend(
            buffers
                .iter()
                .enumerate()
                .map(|(k, buffer)| (buffer_name(k), T::lend(buffer))),
        );
        let json = serde_json::to_value(state)
            .map_err(|error| Error::new(Code::Internal, "JSON", "the checkpoint", error))?;
        archive::write(Path::new(&checkpoint.path), &json, &tensors)
    }
}

/// The run of the checkpoint at `path`, whose options are `given` where they may differ.
///
/// # Errors
/// `File` and `CorruptFile`; `InvalidCombination` where the checkpoint is of another network, of other data or of
/// another course; those of [`Run::new`].
pub fn resume<T: Real>(mut problem: Problem<T>, given: &Value, path: &str) -> Result<Run<T>> {
    let file = Opened { path };
    let mut read = None;
    let check = |json: &Value, sizes: &Sizes| {
        let state: State = State::deserialize(json).map_err(|error| file.corrupt(error))?;
        if state.format != FORMAT {
            return Err(file.corrupt(format!("'{}'", state.format)));
        }
        let network = network::<T>(&problem.architecture);
        if state.network != network {
            return Err(file.other("a network as in the checkpoint", &state.network, &network));
        }
        let shape = Shape::of(&problem);
        if state.data != shape {
            return Err(file.other_data(&state.data, &shape));
        }
        let (loss, outputs) = (problem.architecture.loss(), problem.architecture.output_count());
        let options = FitOptions::resumed(given, &state.options, loss, outputs)?;
        let epochs = sizes.of::<f64>(LOSS).filter(|&epochs| epochs <= MOST_EPOCHS);
        let epochs = epochs.ok_or_else(|| file.wrong_tensor(LOSS))?;
        file.check::<f64>(sizes, LEARNING_RATE, epochs)?;
        // Whether rows were validated is found later: it takes the rows.
        if sizes.of::<f64>(VALIDATION_LOSS) != Some(0) {
            file.check::<f64>(sizes, VALIDATION_LOSS, epochs)?;
        }
        if sizes.of::<T>(BEST).is_some() {
            file.check::<T>(sizes, BEST, problem.architecture.value_count())?;
        }
        let others = [BEST, LOSS, VALIDATION_LOSS, LEARNING_RATE];
        let session = (&*problem.architecture, &options);
        file.check_session::<T>(sizes, session, &state.optimizer, &others)?;
        read = Some((state, options));
        Ok(())
    };
    let (_, tensors) = archive::read(Path::new(path), check)?;
    let mut tensors = Tensors { file, tensors };
    let (state, options) = read.expect("the file was checked");
    problem.horizon = options.epochs;
    problem.options = options;

    let values: Vec<T> = tensors.take_values(VALUES, &problem.architecture)?;
    let mut session = Session::new(
        problem.architecture.clone(),
        state.seed,
        &problem.options,
        &values,
    )?;
    session.done = state.done;
    let mut run = Run::new(problem, &mut Some(session))?;
    let losses: Vec<f64> = tensors.take(LOSS, None)?;
    let learning_rates: Vec<f64> = tensors.take(LEARNING_RATE, Some(losses.len()))?;
    let validated = if run.validation.is_empty() {
        0
    } else {
        losses.len()
    };
    let validation_losses: Vec<f64> = tensors.take(VALIDATION_LOSS, Some(validated))?;
    if let Some(best) = &mut run.best {
        best.copy_from_slice(&tensors.take_values::<T>(BEST, run.session.architecture())?);
    }
    let buffers = run
        .session
        .solver
        .restore(&state.optimizer)
        .map_err(|error| file.corrupt(error))?;
    for (k, buffer) in buffers.into_iter().enumerate() {
        buffer.copy_from_slice(&tensors.take::<T>(&buffer_name(k), Some(buffer.len()))?);
    }
    run.session
        .schedule
        .restore_scalars(&state.schedule)
        .map_err(|error| file.corrupt(error))?;
    if state.watch.best_epoch > losses.len() {
        return Err(file.corrupt(format!(
            "best epoch {} of {}",
            state.watch.best_epoch,
            losses.len()
        )));
    }
    run.watch = state.watch;
    run.restore(History {
        elapsed: vec![0.0; losses.len()],
        losses,
        validation_losses,
        learning_rates,
    });
    Ok(run)
}

/// What a trainer's file knows beside its tensors, which are the values and the optimizer's buffers.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct TrainerState {
    format: String,
    /// The network without its weights.
    network: Value,
    seed: u64,
    options: Value,
    done: Done,
    /// What the schedule remembers.
    schedule: Vec<f64>,
    /// What the optimizer remembers beside its buffers.
    optimizer: Vec<f64>,
}

/// A session as it was, to be written at leisure.
pub struct Snapshot<T> {
    json: Value,
    tensors: Vec<(String, Vec<T>)>,
}

impl<T: Real> Snapshot<T> {
    /// A session now.
    ///
    /// # Errors
    /// `OutOfMemory`, `Diverged` where its numbers are not finite.
    pub fn of(session: &Session<T>, options: &FitOptions) -> Result<Self> {
        let buffers = session.solver.buffers();
        let parts = [session.values()].into_iter().chain(buffers);
        let mut tensors = Vec::new();
        for (k, numbers) in parts.enumerate() {
            if !are_finite(numbers) {
                return Err(session.diverged("finite weights", "NaN or Infinity", options));
            }
            let mut copy = zeros(numbers.len(), "the trainer")?;
            copy.copy_from_slice(numbers);
            let name = k.checked_sub(1).map_or(VALUES.into(), buffer_name);
            tensors.push((name, copy));
        }
        let state = TrainerState {
            format: TRAINER_FORMAT.into(),
            network: network::<T>(session.architecture()),
            seed: session.seed,
            options: options.to_json(),
            done: session.done,
            schedule: session.schedule.scalars(),
            optimizer: session.solver.scalars(),
        };
        let json = serde_json::to_value(state)
            .map_err(|error| Error::new(Code::Internal, "JSON", "the trainer", error))?;
        Ok(Snapshot { json, tensors })
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// `File`
    pub fn write(&self, path: &Path) -> Result<()> {
        let lent: Vec<_> = self
            .tensors
            .iter()
            .map(|(name, numbers)| (name.clone(), T::lend(numbers)))
            .collect();
        archive::write(path, &self.json, &lent)
    }
}

/// The session of the file at `path`, and its options: those of the file, which `given` may only repeat where they
/// decide the course.
///
/// # Errors
/// `File` and `CorruptFile`; `InvalidCombination` where the file is of another network or of another course.
pub fn read_session<T: Real>(
    architecture: Arc<Architecture>,
    given: &Value,
    path: &Path,
) -> Result<(FitOptions, Session<T>)> {
    let shown = path.to_string_lossy();
    let file = Opened { path: &shown };
    let mut read = None;
    let check = |json: &Value, sizes: &Sizes| {
        let state = TrainerState::deserialize(json).map_err(|error| file.corrupt(error))?;
        if state.format != TRAINER_FORMAT {
            return Err(file.corrupt(format!("'{}'", state.format)));
        }
        let network = network::<T>(&architecture);
        if state.network != network {
            return Err(file.other("a network as in the file", &state.network, &network));
        }
        let (loss, outputs) = (architecture.loss(), architecture.output_count());
        let options = FitOptions::resumed(given, &state.options, loss, outputs)?;
        file.check_session::<T>(sizes, (&*architecture, &options), &state.optimizer, &[])?;
        read = Some((state, options));
        Ok(())
    };
    let (_, tensors) = archive::read(path, check)?;
    let mut tensors = Tensors { file, tensors };
    let (state, options) = read.expect("the file was checked");
    let values: Vec<T> = tensors.take_values(VALUES, &architecture)?;
    let mut session = Session::new(architecture, state.seed, &options, &values)?;
    let buffers = session
        .solver
        .restore(&state.optimizer)
        .map_err(|error| file.corrupt(error))?;
    for (k, buffer) in buffers.into_iter().enumerate() {
        buffer.copy_from_slice(&tensors.take::<T>(&buffer_name(k), Some(buffer.len()))?);
    }
    session
        .schedule
        .restore_scalars(&state.schedule)
        .map_err(|error| file.corrupt(error))?;
    session.done = state.done;
    Ok((options, session))
}

fn buffer_name(k: usize) -> String {
    format!("optimizer.{k}")
}

/// The network without its weights, wherever these came from.
fn network<T: Real>(architecture: &Architecture) -> Value {
    let mut options = architecture.options(T::PRECISION);
    for layer in &mut options.layers {
        layer.initializer = Initializer::Zeros;
        layer.bias_initializer = Initializer::Zeros;
    }
    options.to_json()
}

/// The tensors of a checkpoint.
struct Tensors<'p> {
    file: Opened<'p>,
    tensors: BTreeMap<String, Tensor>,
}

impl Tensors<'_> {
    /// The values of a network.
    fn take_values<T: Real>(&mut self, name: &str, architecture: &Architecture) -> Result<Vec<T>> {
        let values: Vec<T> = self.take(name, Some(architecture.value_count()))?;
        if weights::has_variances(architecture, &values) {
            Ok(values)
        } else {
            Err(self
                .file
                .corrupt(format!("a negative variance in tensor '{name}'")))
        }
    }

    /// The numbers of the tensor `name`, which are to be finite and so many.
    fn take<E: Element + Real>(&mut self, name: &str, count: Option<usize>) -> Result<Vec<E>> {
        let numbers = self.tensors.remove(name).and_then(E::take).filter(|numbers| {
            count.is_none_or(|count| count == numbers.len()) && numbers.iter().all(|x| x.is_finite())
        });
        numbers.ok_or_else(|| self.file.wrong_tensor(name))
    }
}

/// The file in errors.
#[derive(Clone, Copy)]
struct Opened<'p> {
    path: &'p str,
}

impl Opened<'_> {
    fn corrupt(self, received: impl std::fmt::Display) -> Error {
        let name = format!("'{}'", self.path);
        Error::new(Code::CorruptFile, "a mikir checkpoint", name, received)
    }

    fn wrong_tensor(self, name: &str) -> Error {
        self.corrupt(format!("a wrong tensor '{name}'"))
    }

    /// Refuses a tensor that has another type or another number of numbers.
    fn check<E: Element>(self, sizes: &Sizes, name: &str, count: usize) -> Result<()> {
        if sizes.of::<E>(name) == Some(count) {
            Ok(())
        } else {
            Err(self.wrong_tensor(name))
        }
    }

    /// The same for what a session has, the values and the memory of the optimizer, and refuses tensors that are neither
    /// of it nor `others`.
    fn check_session<T: Real>(
        self,
        sizes: &Sizes,
        (architecture, options): (&Architecture, &FitOptions),
        scalars: &[f64],
        others: &[&str],
    ) -> Result<()> {
        let buffers = Solver::<T>::buffer_lengths(&options.optimizer, architecture, scalars);
        let mut expected = vec![(VALUES.to_string(), architecture.value_count())];
        expected.extend((0..).map(buffer_name).zip(buffers));
        for (name, count) in &expected {
            self.check::<T>(sizes, name, *count)?;
        }
        let is_known = |name: &str| others.contains(&name) || expected.iter().any(|(known, _)| known == name);
        let unknown = sizes.names().find(|name| !is_known(name));
        unknown.map_or(Ok(()), |name| {
            Err(self.corrupt(format!("a tensor {}", Shown(&Value::from(name)))))
        })
    }

    fn other(self, expected: &str, saved: &Value, mine: &Value) -> Error {
        let (expected, received) = difference(saved, mine).unwrap_or((expected.into(), "another".into()));
        let name = format!("the network that resumes '{}'", self.path);
        Error::new(Code::InvalidCombination, expected, name, received)
    }

    fn other_data(self, saved: &Shape, mine: &Shape) -> Error {
        let shown = |shape: &Shape| {
            let held_out = shape
                .held_out_rows
                .map_or(String::new(), |rows| format!(", {rows} rows of validation"));
            let weights = if shape.has_sample_weights {
                ", sampleWeights"
            } else {
                ""
            };
            format!("{} rows{held_out}{weights}", shape.rows)
        };
        let name = format!("the data that resume '{}'", self.path);
        Error::new(Code::InvalidCombination, shown(saved), name, shown(mine))
    }
}

/// The first thing that two networks differ in, as each has it.
fn difference(saved: &Value, mine: &Value) -> Option<(String, String)> {
    let layers = |network: &Value| network["layers"].as_array().map_or(0, Vec::len);
    if layers(saved) != layers(mine) {
        let count = |network| format!("{} layers", layers(network).saturating_sub(1));
        return Some((count(saved), count(mine)));
    }
    let pairs = |path: String, a: &Value, b: &Value| (path, a.clone(), b.clone());
    let mut parts = vec![
        pairs("loss".into(), &saved["loss"], &mine["loss"]),
        pairs("precision".into(), &saved["precision"], &mine["precision"]),
    ];
    for l in 0..layers(saved) {
        let (a, b) = (&saved["layers"][l], &mine["layers"][l]);
        match (a.as_object(), b.as_object()) {
            (Some(of_a), Some(of_b)) => {
                let keys: std::collections::BTreeSet<_> = of_a.keys().chain(of_b.keys()).collect();
                parts.extend(
                    keys.into_iter()
                        .map(|key| pairs(format!("layers[{l}].{key}"), &a[key], &b[key])),
                );
            }
            _ => parts.push(pairs(format!("layers[{l}]"), a, b)),
        }
    }
    let (path, a, b) = parts.into_iter().find(|(_, a, b)| a != b)?;
    Some((format!("{path} {}", Shown(&a)), format!("{path} {}", Shown(&b))))
}
