//! What a user chooses of a `fit`: read from JSON, written to checkpoints, and read again from there.

use serde_json::{Value, json};

use crate::nn::error::{Code, Error, Result};
use crate::nn::network::loss::{Kind, Loss};
use crate::nn::network::options::{Fields, wrong_kind};
use crate::nn::optim::Optimizer;
use crate::nn::optim::schedule::Schedule;
use crate::nn::settings::{
    BOOLEAN, COUNT, COUNT_FROM_ONE, MODERATE_NOT_NEGATIVE, NOT_NEGATIVE, Named, POSITIVE, Range, SHRINKING,
    read_value, settings,
};
use crate::nn::wording::{Shown, with_suggestion};

/// Any number
const NUMBER: Range = Range {
    expected: "a number",
    holds: |_| true,
};
/// A number of threads
const THREADS: Range = Range {
    expected: "an integer from 1 to 256",
    holds: |x| (1.0..=256.0).contains(&x),
};

settings! {
    /// Stops where the watched loss improves no more.
    pub struct EarlyStopping: Default {
        /// How many epochs running may be without an improvement; 10
        patience: usize = 10, "patience", COUNT;
        /// An improvement is a loss below the best one minus this; 0
        min_delta: f64 = 0.0, "minDelta", NOT_NEGATIVE;
        /// Whether the weights of the best epoch come back at the end; true
        restore_best: bool = true, "restoreBest", BOOLEAN;
    }
}

/// A file to go on from.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckpointOptions {
    /// Where it is.
    pub path: String,
    /// After how many epochs it is written; 1
    pub every_epochs: usize,
}

/// What a user chooses of a `fit`.
#[derive(Clone, Debug, PartialEq)]
pub struct FitOptions {
    /// How many epochs it has at most; 100
    pub epochs: usize,
    /// How many rows make a step, all where there is no number; 32, with L-BFGS all
    pub batch_size: Option<usize>,
    /// What turns gradients into steps; Adam
    pub optimizer: Optimizer,
    /// eta; the optimizer's own
    pub learning_rate: f64,
    /// How eta changes from epoch to epoch; not at all
    pub schedule: Schedule,
    /// Whether every epoch takes the rows in another order; true
    pub shuffle: bool,
    /// The share of the rows that is held out for validation.
    pub validation: Option<f64>,
    /// When to stop for want of progress.
    pub early_stopping: Option<EarlyStopping>,
    /// The watched loss that is good enough.
    pub target_loss: Option<f64>,
    /// How many milliseconds it may take.
    pub timeout: Option<f64>,
    /// How much an example of each class counts.
    pub class_weights: Option<Vec<f64>>,
    /// The largest norm a gradient may have.
    pub clip_norm: Option<f64>,
    /// How many threads share the work; as many as there are cores
    pub threads: Option<usize>,
    /// Whether a bar shows how far it is; false
    pub progress: bool,
    /// Where the state is saved.
    pub checkpoint: Option<CheckpointOptions>,
    /// The checkpoint to go on from.
    pub resume: Option<String>,
}

impl FitOptions {
    /// Every option of `fit`.
    pub const KEYS: [&str; 19] = [
        "epochs",
        "batchSize",
        "optimizer",
        "learningRate",
        "schedule",
        "shuffle",
        "validation",
        "earlyStopping",
        "targetLoss",
        "timeout",
        "sampleWeights",
        "classWeights",
        "clipNorm",
        "threads",
        "onEpoch",
        "signal",
        "progress",
        "checkpoint",
        "resume",
    ];

    /// Those that are no JSON.
    const OUTSIDE: [&str; 3] = ["sampleWeights", "onEpoch", "signal"];

    /// Those that every epoch of a run has in common, also after an interruption.
    const COURSE: [&str; 9] = [
        "batchSize",
        "optimizer",
        "learningRate",
        "schedule",
        "shuffle",
        "validation",
        "earlyStopping",
        "classWeights",
        "clipNorm",
    ];

    /// Reads the options for a network with this loss and so many outputs, with the defaults for what they leave out.
    ///
    /// # Errors
    /// `InvalidType`, `InvalidLength`, `InvalidCombination`, `OutOfRange` or `UnknownOption`, for the first value that
    /// is wrong; `Internal` for one that cannot have come as JSON.
    pub fn from_json(json: &Value, loss: Loss, outputs: usize) -> Result<Self> {
        Self::read("options", json, loss, outputs)
    }

    fn read(path: &str, json: &Value, loss: Loss, outputs: usize) -> Result<Self> {
        let options = Fields::of(path, json, &Self::KEYS)?;
        for key in Self::OUTSIDE {
            if let Some(value) = options.get(key) {
                let rule = "a value that stays in JavaScript";
                return Err(Error::new(Code::Internal, rule, options.path(key), Shown(value)));
            }
        }
        let epochs = options.setting("epochs", COUNT_FROM_ONE, 100)?;
        let optimizer = match options.get("optimizer") {
            None => Optimizer::default(),
            Some(value) => read_optimizer(&options, value)?,
        };
        let learning_rate = optimizer.default_learning_rate();
        Ok(FitOptions {
            epochs,
            batch_size: read_batch_size(&options, optimizer)?,
            optimizer,
            learning_rate: options.setting("learningRate", POSITIVE, learning_rate)?,
            schedule: match options.get("schedule") {
                None => Schedule::default(),
                Some(value) => Schedule::read(&options.path("schedule"), value)?,
            },
            shuffle: options.setting("shuffle", BOOLEAN, true)?,
            validation: options.setting("validation", SHRINKING, None)?,
            early_stopping: options.settings("earlyStopping")?,
            target_loss: options.setting("targetLoss", NUMBER, None)?,
            timeout: options.setting("timeout", POSITIVE, None)?,
            class_weights: read_class_weights(&options, loss, outputs)?,
            clip_norm: read_clip_norm(&options, optimizer)?,
            threads: options.setting("threads", THREADS, None)?,
            progress: options.setting("progress", BOOLEAN, false)?,
            checkpoint: read_checkpoint(&options)?,
            resume: options
                .get("resume")
                .map(|value| read_path(options.path("resume"), value))
                .transpose()?,
        })
    }

    /// Refuses what a fit of a trainer with the options `own` cannot do.
    ///
    /// # Errors
    /// `InvalidCombination`
    pub fn check_goes_on(&self, own: &FitOptions) -> Result<()> {
        let refused = |rule: &str, key: &str, received: String, cure: &str| {
            let error = Error::new(Code::InvalidCombination, rule, format!("options.{key}"), received);
            Err(error.cure(cure))
        };
        let another = "make another trainer";
        if self.optimizer != own.optimizer {
            let received = Shown(&json!(self.optimizer)["type"]).to_string();
            return refused(
                "the trainer's own optimizer, with the same parameters,",
                "optimizer",
                received,
                another,
            );
        }
        if self.schedule != own.schedule {
            let received = Shown(&json!(self.schedule)["type"]).to_string();
            return refused(
                "the trainer's own schedule, with the same parameters,",
                "schedule",
                received,
                another,
            );
        }
        match &self.resume {
            None => Ok(()),
            Some(path) => refused(
                "no checkpoint",
                "resume",
                format!("'{path}'"),
                "use trainer.resume()",
            ),
        }
    }

    /// What decides the numbers of the run, every default written out.
    pub fn to_json(&self) -> Value {
        let mut json = json!({
            "epochs": self.epochs,
            "batchSize": self.batch_size.map_or("full".into(), Value::from),
            "optimizer": self.optimizer,
            "learningRate": self.learning_rate,
            "schedule": self.schedule,
            "shuffle": self.shuffle,
        });
        let optional = [
            ("validation", self.validation.map(Value::from)),
            ("earlyStopping", self.early_stopping.map(|stop| json!(stop))),
            ("targetLoss", self.target_loss.map(Value::from)),
            ("classWeights", self.class_weights.clone().map(Value::from)),
            ("clipNorm", self.clip_norm.map(Value::from)),
        ];
        for (key, value) in optional {
            if let Some(value) = value {
                json[key] = value;
            }
        }
        json
    }

    /// The options of a run that goes on: its course is that of `saved`, which [`to_json`](Self::to_json) wrote, its
    /// end and its company that of `given`.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json) for `given`; `InvalidCombination` where it wants another course;
    /// `CorruptFile` for `saved`.
    pub fn resumed(given: &Value, saved: &Value, loss: Loss, outputs: usize) -> Result<Self> {
        let wanted = Self::from_json(given, loss, outputs)?;
        let saved = Self::read("the checkpoint's options", saved, loss, outputs).map_err(|mut error| {
            error.code = Code::CorruptFile;
            error
        })?;
        let is_given = |key: &str| given.get(key).is_some();
        let (course, other) = (saved.to_json(), wanted.to_json());
        for key in Self::COURSE.into_iter().filter(|key| is_given(key)) {
            same(&format!("options.{key}"), course.get(key), other.get(key))?;
        }
        Ok(FitOptions {
            epochs: if is_given("epochs") {
                wanted.epochs
            } else {
                saved.epochs
            },
            target_loss: wanted.target_loss.or(saved.target_loss),
            timeout: wanted.timeout,
            threads: wanted.threads,
            progress: wanted.progress,
            checkpoint: wanted.checkpoint,
            resume: wanted.resume,
            ..saved
        })
    }
}

fn read_optimizer(options: &Fields, value: &Value) -> Result<Optimizer> {
    let path = options.path("optimizer");
    if let Some(rate) = value.get("learningRate") {
        let cure = format!(
            "write it beside the optimizer, as {}",
            options.path("learningRate")
        );
        return Err(Error::new(Code::UnknownOption, "no learningRate", path, Shown(rate)).cure(&cure));
    }
    Optimizer::read(&path, value)
}

fn read_batch_size(options: &Fields, optimizer: Optimizer) -> Result<Option<usize>> {
    let all_rows = matches!(optimizer, Optimizer::Lbfgs(_));
    let rule = "an integer of at least 1 or 'full'";
    let path = options.path("batchSize");
    match options.get("batchSize") {
        None if all_rows => Ok(None),
        None => Ok(Some(32)),
        Some(Value::String(name)) if name == "full" => Ok(None),
        Some(Value::String(name)) => {
            let received = with_suggestion(name, &["full"]);
            Err(Error::new(Code::OutOfRange, rule, path, received))
        }
        Some(_) => {
            let range = Range {
                expected: rule,
                ..COUNT_FROM_ONE
            };
            let size = options.setting("batchSize", range, 0)?;
            if all_rows {
                let rule = "'full', which optimizer 'lbfgs' works with,";
                return Err(Error::new(Code::InvalidCombination, rule, path, size));
            }
            Ok(Some(size))
        }
    }
}

fn read_clip_norm(options: &Fields, optimizer: Optimizer) -> Result<Option<f64>> {
    let norm = options.setting("clipNorm", POSITIVE, None)?;
    match (norm, optimizer) {
        (Some(norm), Optimizer::Lbfgs(_)) => {
            let rule = "no limit beside optimizer 'lbfgs', whose line search needs the whole gradient,";
            let error = Error::new(Code::InvalidCombination, rule, options.path("clipNorm"), norm);
            Err(error.cure("leave it out, or choose another optimizer"))
        }
        _ => Ok(norm),
    }
}

fn read_class_weights(options: &Fields, loss: Loss, outputs: usize) -> Result<Option<Vec<f64>>> {
    let path = options.path("classWeights");
    let weights = match options.get("classWeights") {
        None => return Ok(None),
        Some(Value::Array(weights)) => weights,
        Some(value) => return Err(wrong_kind("an array of numbers", path, value)),
    };
    let refuse = |rule: String, received: String| {
        let error = Error::new(Code::InvalidCombination, rule, &path, received);
        Err(error.cure("weigh the examples with sampleWeights"))
    };
    let name = loss.name();
    let classes = match loss.kind() {
        Kind::Classes => outputs,
        Kind::Labels { .. } if outputs == 1 => 2,
        Kind::Labels { .. } => {
            let rule = format!("one output, which makes two classes with loss '{name}',");
            return refuse(rule, format!("{outputs} outputs"));
        }
        Kind::Numbers => {
            let rule = "loss 'crossEntropy', 'binaryCrossEntropy' or 'hinge', which have classes,";
            return refuse(rule.into(), format!("loss '{name}'"));
        }
    };
    if weights.len() != classes {
        let rule = format!("{classes} weights, one for each class,");
        return Err(Error::new(Code::InvalidLength, rule, path, weights.len()));
    }
    let weights = (0..)
        .zip(weights)
        .map(|(k, value)| read_value(|| format!("{path}[{k}]"), MODERATE_NOT_NEGATIVE, value))
        .collect::<Result<Vec<f64>>>()?;
    if weights.iter().all(|&weight| weight == 0.0) {
        let rule = "a weight above 0 for at least one class";
        return Err(Error::new(Code::OutOfRange, rule, path, "only 0"));
    }
    Ok(Some(weights))
}

fn read_checkpoint(options: &Fields) -> Result<Option<CheckpointOptions>> {
    let Some(value) = options.get("checkpoint") else {
        return Ok(None);
    };
    let checkpoint = Fields::of(&options.path("checkpoint"), value, &["path", "everyEpochs"])?;
    Ok(Some(CheckpointOptions {
        path: read_path(checkpoint.path("path"), checkpoint.required("path", PATH)?)?,
        every_epochs: checkpoint.setting("everyEpochs", COUNT_FROM_ONE, 1)?,
    }))
}

const PATH: &str = "the path of a file";

fn read_path(name: String, value: &Value) -> Result<String> {
    match value {
        Value::String(path) if !path.is_empty() => Ok(path.clone()),
        Value::String(_) => Err(Error::new(Code::OutOfRange, PATH, name, "''")),
        value => Err(wrong_kind(PATH, name, value)),
    }
}

/// Refuses an option that differs from the checkpoint's, and names the first place where it does.
fn same(path: &str, saved: Option<&Value>, given: Option<&Value>) -> Result<()> {
    match (saved, given) {
        (saved, given) if saved == given => Ok(()),
        // What has another type has other settings too: the type is what differs.
        (Some(Value::Object(saved)), Some(Value::Object(given))) => ["type"]
            .into_iter()
            .chain(saved.keys().chain(given.keys()).map(String::as_str))
            .try_for_each(|key| same(&format!("{path}.{key}"), saved.get(key), given.get(key))),
        (Some(Value::Array(saved)), Some(Value::Array(given))) => (0..saved.len().max(given.len()))
            .try_for_each(|i| same(&format!("{path}[{i}]"), saved.get(i), given.get(i))),
        (saved, given) => {
            let shown = |value: Option<&Value>| value.map_or("none".into(), |value| Shown(value).to_string());
            let rule = format!("{}, as in the checkpoint,", shown(saved));
            let error = Error::new(Code::InvalidCombination, rule, path, shown(given));
            Err(error.cure("leave it out, or start without resume"))
        }
    }
}

#[cfg(test)]
mod tests;
