//! Options as users write them: a network from its JSON, with an error that names the place and the cure.

use serde_json::{Map, Value, json};

use crate::nn::error::{Code, Error, Result};
use crate::nn::network::activation::Activation;
use crate::nn::network::initializer::Initializer;
use crate::nn::network::loss::Loss;
use crate::nn::random::SEED_LIMIT;
use crate::nn::settings::{self, Range, Setting, Settings};
use crate::nn::wording::{Shown, check_keys, quoted, with_suggestion};

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

impl Normalization {
    /// Every normalization by name: the one list there is.
    pub const ALL: [(&str, Normalization); 2] =
        [("batch", Normalization::Batch), ("layer", Normalization::Layer)];
}

/// The numbers a network is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// Double precision.
    F64,
    /// Single precision: half the memory, twice the speed, seven digits.
    F32,
}

impl Precision {
    /// Every precision by name: the one list there is.
    pub const ALL: [(&str, Precision); 2] = [("f64", Precision::F64), ("f32", Precision::F32)];
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
            Some(value) => (options.path("loss"), read_loss(&options.path("loss"), value)?),
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
            Some(value) => read_name(&options.path("precision"), value, &Precision::ALL)?,
        };
        let seed = match options.get("seed") {
            None => None,
            Some(value) => {
                let rule = format!("an integer from 0 to {}", SEED_LIMIT - 1);
                let seed = read_number(&options.path("seed"), value, &rule, |x| {
                    x.fract() == 0.0 && (0.0..SEED_LIMIT as f64).contains(&x)
                })?;
                Some(seed as u64)
            }
        };
        Ok(NetworkOptions {
            inputs,
            layers,
            loss,
            precision,
            seed,
        })
    }

    /// The options as [`from_json`](Self::from_json) reads them, every default written out.
    pub fn to_json(&self) -> Value {
        let mut layers: Vec<Value> = vec![self.inputs.into()];
        layers.extend(self.layers.iter().map(write_layer));
        let mut json = json!({
            "layers": layers,
            "loss": write_loss(self.loss),
            "precision": name_of(self.precision, &Precision::ALL),
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
        Some(value) => read_activation(&layer.path("activation"), value)?,
    };
    let initializer = match layer.get("initializer") {
        None => default.initializer,
        Some(value) => read_initializer(&layer.path("initializer"), value, &Initializer::ALL)?,
    };
    let bias_initializer = match layer.get("biasInitializer") {
        None if initializer == Initializer::UnitUniform => initializer,
        None => default.bias_initializer,
        Some(value) => read_initializer(&layer.path("biasInitializer"), value, &Initializer::for_biases())?,
    };
    let number = |key: &str, rule: &str, check: fn(f64) -> bool| match layer.get(key) {
        None => Ok(0.0),
        Some(value) => read_number(&layer.path(key), value, rule, check),
    };
    Ok(LayerOptions {
        units,
        activation,
        initializer,
        bias_initializer,
        dropout: number("dropout", "a number in [0, 1)", |x| (0.0..1.0).contains(&x))?,
        l1: number("l1", NOT_NEGATIVE.0, NOT_NEGATIVE.1)?,
        l2: number("l2", NOT_NEGATIVE.0, NOT_NEGATIVE.1)?,
        normalization: match layer.get("normalization") {
            None => None,
            Some(value) => Some(read_name(
                &layer.path("normalization"),
                value,
                &Normalization::ALL,
            )?),
        },
    })
}

fn write_layer(layer: &LayerOptions) -> Value {
    let mut json = json!({
        "units": layer.units,
        "activation": write_activation(layer.activation),
        "initializer": write_initializer(layer.initializer),
        "biasInitializer": write_initializer(layer.bias_initializer),
        "dropout": layer.dropout,
        "l1": layer.l1,
        "l2": layer.l2,
    });
    if let Some(normalization) = layer.normalization {
        json["normalization"] = name_of(normalization, &Normalization::ALL).into();
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

/// The activation that a user writes at `path`.
///
/// # Errors
/// Those of [`NetworkOptions::from_json`].
pub fn read_activation(path: &str, value: &Value) -> Result<Activation> {
    let choice = Choice::of(path, value, &Activation::ALL)?;
    Ok(match choice.kind {
        Activation::LeakyRelu(default) => Activation::LeakyRelu(choice.number("alpha", default, MODERATE)?),
        Activation::Elu(default) => Activation::Elu(choice.number("alpha", default, MODERATE)?),
        plain => plain,
    })
    .and_then(|activation| {
        choice
            .only(match activation {
                Activation::LeakyRelu(_) | Activation::Elu(_) => &["alpha"],
                _ => &[],
            })
            .map(|()| activation)
    })
}

fn write_activation(activation: Activation) -> Value {
    let name = activation.name();
    match activation {
        Activation::LeakyRelu(alpha) | Activation::Elu(alpha) => json!({ "type": name, "alpha": alpha }),
        _ => name.into(),
    }
}

fn read_loss(path: &str, value: &Value) -> Result<Loss> {
    let choice = Choice::of(path, value, &Loss::ALL)?;
    let (loss, known): (_, &[&str]) = match choice.kind {
        Loss::Huber { delta } => (
            Loss::Huber {
                delta: choice.number("delta", delta, POSITIVE)?,
            },
            &["delta"],
        ),
        Loss::CrossEntropy {
            label_smoothing: default,
        } => {
            let label_smoothing = choice.number(
                "labelSmoothing",
                default,
                ("a number in [0, 1)", |x| (0.0..1.0).contains(&x)),
            )?;
            (Loss::CrossEntropy { label_smoothing }, &["labelSmoothing"])
        }
        Loss::BinaryCrossEntropy {
            positive_weight: default,
        } => {
            let positive_weight = choice.number("positiveWeight", default, POSITIVE)?;
            (Loss::BinaryCrossEntropy { positive_weight }, &["positiveWeight"])
        }
        Loss::Quantile { level: default } => {
            let level = choice.number("level", default, ("a number in (0, 1)", |x| x > 0.0 && x < 1.0))?;
            (Loss::Quantile { level }, &["level"])
        }
        plain => (plain, &[]),
    };
    choice.only(known).map(|()| loss)
}

fn write_loss(loss: Loss) -> Value {
    let name = loss.name();
    match loss {
        Loss::Huber { delta } => json!({ "type": name, "delta": delta }),
        Loss::CrossEntropy { label_smoothing } => json!({ "type": name, "labelSmoothing": label_smoothing }),
        Loss::BinaryCrossEntropy { positive_weight } => {
            json!({ "type": name, "positiveWeight": positive_weight })
        }
        Loss::Quantile { level } => json!({ "type": name, "level": level }),
        _ => name.into(),
    }
}

fn read_initializer(path: &str, value: &Value, all: &[(&str, Initializer)]) -> Result<Initializer> {
    if value == Initializer::UNIT_UNIFORM {
        return Ok(Initializer::UnitUniform);
    }
    let choice = Choice::of(path, value, all)?;
    let (initializer, known): (_, &[&str]) = match choice.kind {
        Initializer::Uniform { minimum, maximum } => {
            let minimum = choice.number("minimum", minimum, MODERATE)?;
            let maximum = choice.number("maximum", maximum, MODERATE)?;
            if minimum > maximum {
                let rule = "a minimum not above the maximum";
                return Err(Error::new(
                    Code::OutOfRange,
                    rule,
                    path,
                    format!("{minimum} and {maximum}"),
                ));
            }
            (Initializer::Uniform { minimum, maximum }, &["minimum", "maximum"])
        }
        Initializer::Normal {
            mean,
            standard_deviation,
        } => {
            let mean = choice.number("mean", mean, MODERATE)?;
            let standard_deviation = choice.number("standardDeviation", standard_deviation, NOT_NEGATIVE)?;
            (
                Initializer::Normal {
                    mean,
                    standard_deviation,
                },
                &["mean", "standardDeviation"],
            )
        }
        Initializer::Orthogonal { gain } => (
            Initializer::Orthogonal {
                gain: choice.number("gain", gain, MODERATE)?,
            },
            &["gain"],
        ),
        plain => (plain, &[]),
    };
    choice.only(known).map(|()| initializer)
}

fn write_initializer(initializer: Initializer) -> Value {
    let name = initializer.name();
    match initializer {
        Initializer::Uniform { minimum, maximum } => {
            json!({ "type": name, "minimum": minimum, "maximum": maximum })
        }
        Initializer::Normal {
            mean,
            standard_deviation,
        } => json!({ "type": name, "mean": mean, "standardDeviation": standard_deviation }),
        Initializer::Orthogonal { gain } => json!({ "type": name, "gain": gain }),
        _ => name.into(),
    }
}

/// A rule and its check.
pub(crate) type Rule = (&'static str, fn(f64) -> bool);
/// Far beyond any use, and within what single precision can hold.
const LARGEST: f64 = 1e30;
const MODERATE: Rule = ("a number from -1e30 to 1e30", |x| x.abs() <= LARGEST);
const POSITIVE: Rule = ("a number above 0 and up to 1e30", |x| x > 0.0 && x <= LARGEST);
pub(crate) const NOT_NEGATIVE: Rule = ("a number from 0 to 1e30", |x| (0.0..=LARGEST).contains(&x));

/// One of a list of names, alone or as the `type` of an object with parameters.
struct Choice<'v, K> {
    path: String,
    kind: K,
    parameters: Option<&'v Map<String, Value>>,
}

impl<'v, K: Copy> Choice<'v, K> {
    fn of(path: &str, value: &'v Value, all: &[(&str, K)]) -> Result<Self> {
        let (name, parameters, name_path) = match value {
            Value::Object(fields) => match fields.get("type") {
                Some(name) => (name, Some(fields), format!("{path}.type")),
                None => {
                    return Err(Error::new(
                        Code::InvalidType,
                        one_of(all),
                        format!("{path}.type"),
                        "undefined",
                    ));
                }
            },
            name => (name, None, path.to_string()),
        };
        Ok(Choice {
            path: path.into(),
            kind: read_name(&name_path, name, all)?,
            parameters,
        })
    }

    fn number(&self, key: &str, default: f64, (rule, check): Rule) -> Result<f64> {
        match self.parameters.and_then(|parameters| parameters.get(key)) {
            None => Ok(default),
            Some(value) => read_number(&format!("{}.{key}", self.path), value, rule, check),
        }
    }

    /// Refuses parameters that the choice does not have.
    fn only(&self, known: &[&str]) -> Result<()> {
        let known: Vec<&str> = ["type"].iter().chain(known).copied().collect();
        self.parameters
            .map_or(Ok(()), |parameters| check_keys(&self.path, &known, parameters))
    }
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
        let value = settings::read(&self.path, key, range, Some(default), self.fields)?;
        settings::check(&self.path, key, range, value).map(|()| value)
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

fn read_name<K: Copy>(path: &str, value: &Value, all: &[(&str, K)]) -> Result<K> {
    let Value::String(name) = value else {
        return Err(wrong_kind(&one_of(all), path, value));
    };
    let known: Vec<&str> = all.iter().map(|row| row.0).collect();
    all.iter()
        .find(|row| row.0 == name)
        .map(|row| row.1)
        .ok_or_else(|| Error::new(Code::OutOfRange, one_of(all), path, with_suggestion(name, &known)))
}

fn name_of<K: PartialEq>(kind: K, all: &[(&'static str, K)]) -> &'static str {
    all.iter()
        .find(|row| row.1 == kind)
        .expect("the list has every kind")
        .0
}

pub(crate) fn read_number(path: &str, value: &Value, rule: &str, check: impl Fn(f64) -> bool) -> Result<f64> {
    match value.as_f64() {
        Some(x) if check(x) => Ok(x),
        Some(_) => Err(Error::new(Code::OutOfRange, rule, path, Shown(value))),
        None => Err(wrong_kind(rule, path, value)),
    }
}

fn read_count(path: &str, value: &Value) -> Result<usize> {
    let most = crate::nn::network::architecture::MAX_PARAMETERS;
    let rule = format!("an integer from 1 to {most}");
    let count = read_number(path, value, &rule, |x| {
        x.fract() == 0.0 && x >= 1.0 && x <= most as f64
    })?;
    Ok(count as usize)
}

pub(crate) fn wrong_kind(rule: &str, path: impl Into<String>, value: &Value) -> Error {
    Error::new(Code::InvalidType, rule, path, Shown(value))
}

fn one_of<K>(all: &[(&str, K)]) -> String {
    let names: Vec<&str> = all.iter().map(|row| row.0).collect();
    format!("one of {}", quoted(&names))
}

#[cfg(test)]
mod tests;
