//! Options as users write them: a network from its JSON, with an error that names the place and the cure.

use serde_json::{Map, Value, json};

use crate::nn::error::{Code, Error, Result};
use crate::nn::network::activation::Activation;
use crate::nn::network::architecture::MAX_PARAMETERS;
use crate::nn::network::initializer::Initializer;
use crate::nn::network::loss::Loss;
use crate::nn::random::SEED_LIMIT;
use crate::nn::settings::{self, BELOW_ONE, MODERATE_NOT_NEGATIVE, Named, Range, Setting, Settings};
use crate::nn::wording::{Shown, check_keys};

/// A number of inputs or neurons
const UNITS: Range = Range {
    expected: "an integer from 1 to 268435456",
    holds: |x| (1.0..=MAX_PARAMETERS as f64).contains(&x),
};
/// A seed
const SEED: Range = Range {
    expected: "an integer from 0 to 9007199254740991",
    holds: |x| (0.0..SEED_LIMIT as f64).contains(&x),
};

/// What a user chooses of a layer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LayerOptions {
    /// The number of neurons.
    pub units: usize,
    /// The activation function of every neuron of the layer.
    pub activation: Activation,
    /// Where the starting weights come from.
    pub initializer: Initializer,
    /// Where the starting biases come from: none that makes weights as a whole.
    pub bias_initializer: Initializer,
    /// The probability of dropping an output of this layer while training, in [0, 1).
    pub dropout: f64,
    /// l1: adds `l1 * sum |w|` over this layer's weights, not its biases, to the training objective.
    pub l1: f64,
    /// l2: adds `l2 / 2 * sum w^2` over this layer's weights, not its biases, to the training objective.
    pub l2: f64,
    /// What is made of the weighted sums before the activation.
    pub normalization: Option<Normalization>,
}

impl LayerOptions {
    /// A layer without any of the extras, its biases 0 or, in the original's network, like its weights.
    pub fn new(units: usize, activation: Activation, initializer: Initializer) -> Self {
        LayerOptions {
            units,
            activation,
            initializer,
            bias_initializer: match initializer {
                Initializer::UnitUniform => initializer,
                _ => Initializer::Zeros,
            },
            dropout: 0.0,
            l1: 0.0,
            l2: 0.0,
            normalization: None,
        }
    }

    /// A hidden layer as it starts by default: the best over many tables, which docs/math.md shows. Biases that differ
    /// put the kinks of ReLU in different places from the first epoch on.
    pub fn hidden(units: usize, activation: Activation) -> Self {
        LayerOptions {
            bias_initializer: Initializer::FanInUniform,
            ..LayerOptions::output(units, activation)
        }
    }

    /// An output layer as it starts by default.
    pub fn output(units: usize, activation: Activation) -> Self {
        LayerOptions::new(units, activation, Initializer::FanInUniform)
    }
}

/// What is made of the weighted sums before the activation: mean 0 and variance 1, then `gamma n + beta`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Normalization {
    /// Over the rows of a batch; running statistics afterwards (Ioffe and Szegedy, 2015).
    Batch,
    /// Over the neurons of a row (Ba et al., 2016).
    Layer,
}

impl Named for Normalization {
    const ALL: &'static [(&'static str, Self)] =
        &[("batch", Normalization::Batch), ("layer", Normalization::Layer)];
}

/// The numbers a network is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Double precision.
    F64,
    /// Single precision: half the memory, twice the speed, seven digits.
    F32,
}

impl Named for Precision {
    const ALL: &'static [(&'static str, Self)] = &[("f64", Precision::F64), ("f32", Precision::F32)];
}

/// What a user chooses of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct NetworkOptions {
    /// The width of an example.
    pub inputs: usize,
    /// The layers from the first hidden one to the output.
    pub layers: Vec<LayerOptions>,
    /// What training makes small.
    pub loss: Loss,
    /// The numbers of the network.
    pub precision: Precision,
    /// What every random choice follows from, where the user chose it.
    pub seed: Option<u64>,
}

impl NetworkOptions {
    /// The original library's network: one hidden layer, sigmoid everywhere, everything from U[0, 1).
    pub fn original(inputs: usize, hidden: usize, outputs: usize) -> Self {
        let sigmoid = |units| LayerOptions::new(units, Activation::Sigmoid, Initializer::UnitUniform);
        NetworkOptions {
            inputs,
            layers: vec![sigmoid(hidden), sigmoid(outputs)],
            loss: Loss::SquaredError,
            precision: Precision::F64,
            seed: None,
        }
    }

    /// Reads options, with the defaults for what they leave out.
    ///
    /// # Errors
    /// `InvalidType`, `InvalidLength`, `OutOfRange` or `UnknownOption`, for the first value that is wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        let options = Fields::of("options", value, &["layers", "loss", "precision", "seed"])?;
        let (loss_name, loss) = match options.get("loss") {
            None => (String::new(), Loss::SquaredError),
            Some(value) => (options.path("loss"), Loss::read(&options.path("loss"), value)?),
        };
        let layers = options.required("layers", "an array of the input count and at least one layer")?;
        let path = options.path("layers");
        let Value::Array(layers) = layers else {
            return Err(wrong_kind(
                "an array of the input count and at least one layer",
                path,
                layers,
            ));
        };
        if layers.len() < 2 {
            return Err(Error::new(
                Code::InvalidLength,
                "the input count and at least one layer",
                path,
                Shown(&Value::Array(layers.clone())),
            ));
        }
        let inputs = read_count(&format!("{path}[0]"), &layers[0])?;
        let last = layers.len() - 1;
        let layers = layers
            .iter()
            .enumerate()
            .skip(1)
            .map(|(l, value)| {
                let default = if l == last {
                    LayerOptions::output(1, loss.output_activation())
                } else {
                    LayerOptions::hidden(1, Activation::Relu)
                };
                read_layer(&format!("{path}[{l}]"), value, default)
            })
            .collect::<Result<Vec<_>>>()?;
        check_combinations(&path, &layers, loss, &loss_name)?;
        let precision = match options.get("precision") {
            None => Precision::F64,
            Some(value) => Precision::read(&options.path("precision"), value)?,
        };
        let seed: Option<usize> = options.setting("seed", SEED, None)?;
        Ok(NetworkOptions {
            inputs,
            layers,
            loss,
            precision,
            seed: seed.map(|seed| seed as u64),
        })
    }

    /// The options as [`from_json`](Self::from_json) reads them, every default written out.
    pub fn to_json(&self) -> Value {
        let mut layers: Vec<Value> = vec![self.inputs.into()];
        layers.extend(self.layers.iter().map(write_layer));
        let mut json = json!({
            "layers": layers,
            "loss": self.loss.to_json(),
            "precision": self.precision.to_json(),
        });
        if let Some(seed) = self.seed {
            json["seed"] = seed.into();
        }
        json
    }
}

fn read_layer(path: &str, value: &Value, default: LayerOptions) -> Result<LayerOptions> {
    let kind = "a count of neurons or an object with `units`";
    if value.is_number() {
        let units = read_count(path, value)?;
        return Ok(LayerOptions { units, ..default });
    }
    if !value.is_object() {
        return Err(wrong_kind(kind, path, value));
    }
    let known = [
        "units",
        "activation",
        "initializer",
        "biasInitializer",
        "dropout",
        "l1",
        "l2",
        "normalization",
    ];
    let layer = Fields::of(path, value, &known)?;
    let units = read_count(
        &layer.path("units"),
        layer.required("units", "an integer of at least 1")?,
    )?;
    let activation = match layer.get("activation") {
        None => default.activation,
        Some(value) => Activation::read(&layer.path("activation"), value)?,
    };
    let initializer = match layer.get("initializer") {
        None => default.initializer,
        Some(value) => read_initializer(&layer.path("initializer"), value, Initializer::ALL)?,
    };
    let bias_initializer = match layer.get("biasInitializer") {
        None if initializer == Initializer::UnitUniform => initializer,
        None => default.bias_initializer,
        Some(value) => read_initializer(&layer.path("biasInitializer"), value, &Initializer::for_biases())?,
    };
    Ok(LayerOptions {
        units,
        activation,
        initializer,
        bias_initializer,
        dropout: layer.setting("dropout", BELOW_ONE, 0.0)?,
        l1: layer.setting("l1", MODERATE_NOT_NEGATIVE, 0.0)?,
        l2: layer.setting("l2", MODERATE_NOT_NEGATIVE, 0.0)?,
        normalization: match layer.get("normalization") {
            None => None,
            Some(value) => Some(Normalization::read(&layer.path("normalization"), value)?),
        },
    })
}

/// The original's is for networks that are read back alone.
fn read_initializer(path: &str, value: &Value, all: &[(&'static str, Initializer)]) -> Result<Initializer> {
    if value == Initializer::UNIT_UNIFORM {
        return Ok(Initializer::UnitUniform);
    }
    Initializer::read_of(all, path, value)
}

fn write_layer(layer: &LayerOptions) -> Value {
    let mut json = json!({
        "units": layer.units,
        "activation": layer.activation.to_json(),
        "initializer": layer.initializer.to_json(),
        "biasInitializer": layer.bias_initializer.to_json(),
        "dropout": layer.dropout,
        "l1": layer.l1,
        "l2": layer.l2,
    });
    if let Some(normalization) = layer.normalization {
        json["normalization"] = normalization.to_json();
    }
    json
}

/// Refuses what has no meaning together, and says what has.
fn check_combinations(path: &str, layers: &[LayerOptions], loss: Loss, loss_path: &str) -> Result<()> {
    let refuse = |cure: String, name: String, received: &str| {
        Err(Error::new(
            Code::InvalidCombination,
            cure,
            name,
            format!("'{received}'"),
        ))
    };
    let last = layers.len();
    for (l, layer) in (1..).zip(layers) {
        let name = format!("{path}[{l}].activation");
        let activation = layer.activation.name();
        if layer.activation == Activation::Softmax && l < last {
            return refuse(
                "softmax on the output layer only, where it makes probabilities,".into(),
                name,
                activation,
            );
        }
        if l < last {
            continue;
        }
        if layer.dropout > 0.0 {
            let cure = "0 on the output layer, whose outputs are the prediction,";
            return Err(Error::new(
                Code::InvalidCombination,
                cure,
                format!("{path}[{l}].dropout"),
                layer.dropout,
            ));
        }
        match loss {
            Loss::CrossEntropy { .. } if layer.activation != Activation::Softmax => {
                return refuse(
                    "'softmax', which loss 'crossEntropy' is computed with,".into(),
                    name,
                    activation,
                );
            }
            Loss::CrossEntropy { .. } if layer.units < 2 => {
                let cure = "at least 2 classes, or loss 'binaryCrossEntropy' with one output,";
                return Err(Error::new(
                    Code::InvalidCombination,
                    cure,
                    format!("{path}[{l}].units"),
                    layer.units,
                ));
            }
            Loss::BinaryCrossEntropy { .. } if layer.activation != Activation::Sigmoid => {
                return refuse(
                    "'sigmoid', which loss 'binaryCrossEntropy' is computed with,".into(),
                    name,
                    activation,
                );
            }
            Loss::Poisson if !layer.activation.is_non_negative() => {
                let cure = "an activation without negative outputs, such as 'softplus', with loss 'poisson',";
                return refuse(cure.into(), name, activation);
            }
            Loss::CrossEntropy { .. } | Loss::BinaryCrossEntropy { .. } => {}
            _ if layer.activation == Activation::Softmax => {
                let name = if loss_path.is_empty() {
                    "options.loss"
                } else {
                    loss_path
                };
                return refuse(
                    "'crossEntropy', which fits a softmax output,".into(),
                    name.into(),
                    loss.name(),
                );
            }
            _ => {}
        }
    }
    Ok(())
}

/// The fields of an object, none of them unknown.
pub(crate) struct Fields<'v> {
    path: String,
    fields: &'v Map<String, Value>,
}

impl<'v> Fields<'v> {
    pub(crate) fn of(path: &str, value: &'v Value, known: &[&str]) -> Result<Self> {
        let Value::Object(fields) = value else {
            return Err(wrong_kind("an object", path, value));
        };
        check_keys(path, known, fields)?;
        Ok(Fields {
            path: path.into(),
            fields,
        })
    }

    pub(crate) fn path(&self, key: &str) -> String {
        format!("{}.{key}", self.path)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'v Value> {
        self.fields.get(key)
    }

    pub(crate) fn required(&self, key: &str, rule: &str) -> Result<&'v Value> {
        self.get(key)
            .ok_or_else(|| Error::new(Code::InvalidType, rule, self.path(key), "undefined"))
    }

    /// The value of `key` within `range`, or its default.
    pub(crate) fn setting<S: Setting>(&self, key: &str, range: Range, default: S) -> Result<S> {
        settings::read(&self.path, key, range, Some(default), self.fields)
    }

    /// The settings that `key` holds as an object, if it is there.
    pub(crate) fn settings<S: Settings>(&self, key: &str) -> Result<Option<S>> {
        self.get(key)
            .map(|value| {
                let settings = Fields::of(&self.path(key), value, S::KEYS)?;
                S::from_json(&settings.path, settings.fields)
            })
            .transpose()
    }
}

fn read_count(path: &str, value: &Value) -> Result<usize> {
    settings::read_value(|| path, UNITS, value)
}

pub(crate) fn wrong_kind(rule: &str, path: impl Into<String>, value: &Value) -> Error {
    Error::new(Code::InvalidType, rule, path, Shown(value))
}

#[cfg(test)]
mod tests;
