//! The multilayer perceptrons that PyTorch, Keras and scikit-learn write.
//!
//! The nodes are taken in their order. What a node gives is known as one of four things: a constant; the outputs of a
//! layer so far, as a function of its weighted sums z; what comes after the network (labels, maps of probabilities); or
//! the network's input. A function of z is known by its values at some points, so that an activation is recognized however
//! it is composed.

use std::collections::HashMap;

use super::numbers;
use super::proto::{Attribute, Graph, INT32, INT64, Node, Tensor};
use crate::format::corrupt;
use crate::format::stored::{Encoding, Numbers, Stored, StoredLayer};
use crate::nn::network::normalization::EPSILON;
use crate::nn::network::options::{LayerOptions, Normalization, Precision};
use crate::nn::network::{Activation, Initializer, Loss, NetworkOptions};
use crate::nn::settings::Named;
use crate::nn::vector::simd::Portable;
use crate::nn::{Error, Result};

/// Where functions of z are looked at.
const POINTS: [f64; 13] = [
    -7.3, -4.1, -3.2, -2.05, -1.3, -0.7, -0.2, 0.15, 0.6, 1.4, 2.3, 4.7, 7.1,
];

/// A function of z, by its values at the points.
type Samples = [f64; POINTS.len()];

/// Two functions whose values differ by no more are the same: constants of exporters have seven digits.
const TOLERANCE: f64 = 1e-5;

/// A constant.
struct Constant {
    dims: Vec<usize>,
    numbers: Vec<f64>,
    is_double: bool,
}

impl Constant {
    /// The number, if there is one alone.
    fn scalar(&self) -> Option<f64> {
        match self.numbers.as_slice() {
            &[x] => Some(x),
            _ => None,
        }
    }

    /// The numbers, if they are one for each of `units`.
    fn vector(&self, units: usize) -> Option<&[f64]> {
        let is_row = self.dims.iter().rev().skip(1).all(|&dim| dim == 1);
        (is_row && self.numbers.len() == units && self.dims.last() == Some(&units)).then_some(&self.numbers)
    }

    /// `[rows][columns]`
    fn matrix(&self) -> Option<(usize, usize)> {
        match self.dims.as_slice() {
            // Of integers there are no numbers.
            &[rows, columns] if rows > 0 && rows.checked_mul(columns) == Some(self.numbers.len()) => {
                (columns > 0).then_some((rows, columns))
            }
            _ => None,
        }
    }
}

/// What is known of a name.
enum Known {
    Input,
    Constant(Constant),
    /// Of the last layer.
    Function(Samples),
    /// The same after the softmax of the last layer.
    Probabilities,
    /// Made of the network's outputs.
    Tail,
}

/// A layer as it is read.
struct Layer {
    inputs: usize,
    units: usize,
    /// `[inputs][units]`
    weights: Vec<f64>,
    biases: Vec<f64>,
    normalization: Option<(Normalization, [Vec<f64>; 4])>,
    activation: Activation,
}

/// What is read of a graph.
struct Reader<'g> {
    file: &'g str,
    known: HashMap<&'g str, Known>,
    /// How many nodes read a name.
    readers: HashMap<&'g str, usize>,
    layers: Vec<Layer>,
    /// What batch normalizations before a layer do to its inputs: scales and shifts.
    before: Option<(Vec<f64>, Vec<f64>)>,
    is_double: bool,
    /// The function of the last layer that labels or maps are made of.
    answer: Option<Samples>,
}

/// The network of a graph.
///
/// # Errors
/// `CorruptFile` with the node that no multilayer perceptron has.
pub fn network(graph: &Graph, file: &str) -> Result<Stored<'static>> {
    let mut reader = Reader {
        file,
        known: HashMap::new(),
        readers: HashMap::new(),
        layers: Vec::new(),
        before: None,
        is_double: false,
        answer: None,
    };
    for name in graph.node.iter().flat_map(|node| &node.input) {
        *reader.readers.entry(name).or_default() += 1;
    }
    for tensor in &graph.initializer {
        reader.constant(&tensor.name, tensor)?;
    }
    let mut inputs = graph
        .input
        .iter()
        .filter(|input| !reader.known.contains_key(input.name.as_str()));
    let (Some(input), None) = (inputs.next(), inputs.next()) else {
        return Err(corrupt("a graph of one input", file, "another count"));
    };
    reader.known.insert(&input.name, Known::Input);
    for node in &graph.node {
        reader.node(node)?;
    }
    let is_found = graph.output.iter().any(|output| {
        matches!(
            reader.known.get(output.name.as_str()),
            Some(Known::Function(_) | Known::Probabilities | Known::Tail)
        )
    });
    if !is_found || reader.layers.is_empty() {
        return Err(corrupt("a graph whose output comes from layers", file, "another"));
    }
    // Of several outputs one may be made of labels.
    let functions = graph
        .output
        .iter()
        .filter_map(|output| match reader.known.get(output.name.as_str()) {
            Some(Known::Function(samples)) => Some(*samples),
            _ => None,
        });
    let mut functions: Vec<Samples> = functions.chain(reader.answer).collect();
    functions.sort_by_key(|samples| recognized(samples).is_none());
    reader.finish(functions.first().copied())
}

impl<'g> Reader<'g> {
    fn refused(&self, node: &Node, expected: &str) -> Error {
        let short = |text: &str| text.chars().take(60).collect::<String>();
        let received = format!("{} (node '{}')", short(&node.op_type), short(&node.name));
        corrupt(expected, self.file, received)
    }

    fn other(&self, node: &Node) -> Error {
        self.refused(node, "the operators of a multilayer perceptron")
    }

    fn name(&mut self, name: &'g str, known: Known) -> Result<()> {
        if self.known.insert(name, known).is_some() {
            let shown: String = name.chars().take(60).collect();
            return Err(corrupt("each name once", self.file, format!("'{shown}' twice")));
        }
        Ok(())
    }

    fn constant(&mut self, name: &'g str, tensor: &Tensor) -> Result<()> {
        if tensor.dims.iter().any(|&dim| dim < 0) {
            return Err(corrupt("dimensions of at least 0", self.file, "a negative one"));
        }
        let dims: Option<Vec<usize>> = tensor.dims.iter().map(|&dim| dim.try_into().ok()).collect();
        let dims = dims.ok_or_else(|| corrupt("dimensions that fit into memory", self.file, "others"))?;
        // Shapes and the like: what they say is not needed.
        let known = if [INT32, INT64].contains(&tensor.data_type) || tensor.data_type == 8 {
            Constant {
                dims,
                numbers: Vec::new(),
                is_double: false,
            }
        } else {
            let numbers = numbers(tensor.clone(), self.file)?;
            Constant {
                dims,
                is_double: numbers.encoding() == Encoding::F64,
                numbers: (0..numbers.count()).map(|i| numbers.get(i)).collect(),
            }
        };
        self.name(name, Known::Constant(known))
    }

    fn const_of(&self, name: Option<&String>) -> Option<&Constant> {
        match self.known.get(name?.as_str()) {
            Some(Known::Constant(constant)) => Some(constant),
            _ => None,
        }
    }

    /// The function that a name is of the last layer, or a constant.
    fn samples(&self, name: &str) -> Option<Samples> {
        match self.known.get(name) {
            Some(Known::Function(samples)) => Some(*samples),
            Some(Known::Constant(constant)) => constant.scalar().map(|x| [x; POINTS.len()]),
            _ => None,
        }
    }

    fn node(&mut self, node: &'g Node) -> Result<()> {
        let Some(output) = node.output.first() else {
            return Err(self.other(node));
        };
        let first = node.input.first().map(String::as_str);
        match node.op_type.as_str() {
            "Constant" => {
                let value = node
                    .attribute
                    .iter()
                    .find(|attribute| attribute.name.starts_with("value"));
                let tensor = match value {
                    Some(Attribute { t: Some(tensor), .. }) => tensor.clone(),
                    Some(Attribute { name, f, .. }) if name == "value_float" => Tensor {
                        data_type: super::FLOAT,
                        float_data: vec![*f],
                        ..Tensor::default()
                    },
                    Some(_) => Tensor {
                        data_type: INT64,
                        ..Tensor::default()
                    },
                    None => return Err(self.other(node)),
                };
                return self.constant(output, &tensor);
            }
            "Identity" | "Flatten" | "Dropout" | "Cast" | "Reshape" | "Squeeze" | "Unsqueeze" => {
                let known = match first.and_then(|name| self.known.get(name)) {
                    Some(Known::Input) => Known::Input,
                    Some(Known::Function(samples)) => Known::Function(*samples),
                    Some(Known::Probabilities) => Known::Probabilities,
                    Some(Known::Tail) => Known::Tail,
                    Some(Known::Constant(constant)) if node.op_type != "Reshape" => {
                        Known::Constant(Constant {
                            dims: constant.dims.clone(),
                            numbers: constant.numbers.clone(),
                            is_double: constant.is_double,
                        })
                    }
                    _ => return Err(self.other(node)),
                };
                return self.name(output, known);
            }
            "Transpose" => {
                let Some((constant, (rows, columns))) = self
                    .const_of(node.input.first())
                    .and_then(|c| Some((c, c.matrix()?)))
                else {
                    return Err(self.other(node));
                };
                let numbers = transposed(&constant.numbers, rows, columns);
                let is_double = constant.is_double;
                return self.name(
                    output,
                    Known::Constant(Constant {
                        dims: vec![columns, rows],
                        numbers,
                        is_double,
                    }),
                );
            }
            "Gemm" | "MatMul" => return self.linear(node, output),
            "BatchNormalization" | "LayerNormalization" => return self.normalize(node, output),
            "Softmax" => {
                let axis = int(node, "axis", -1);
                let samples = first.and_then(|name| self.samples(name));
                if samples == Some(POINTS) && (axis == -1 || axis == 1) && !self.layers.is_empty() {
                    self.last(node)?.activation = Activation::Softmax;
                    return self.name(output, Known::Probabilities);
                }
                return Err(self.refused(node, "a softmax of the weighted sums of the last layer"));
            }
            _ => {}
        }
        if self.takes_biases(node)? {
            return self.name(output, Known::Function(POINTS));
        }
        if let Some(known) = self.takes_affine(node) {
            return self.name(output, known);
        }
        let inputs: Option<Vec<Samples>> = node
            .input
            .iter()
            .filter(|name| !name.is_empty())
            .map(|name| self.samples(name))
            .collect();
        let samples = inputs.and_then(|inputs| elementwise(node, &inputs));
        if let Some(samples) = samples {
            return self.name(output, Known::Function(samples));
        }
        if !self.is_tail(node) {
            return Err(self.other(node));
        }
        let mut functions = node
            .input
            .iter()
            .filter_map(|name| match self.known.get(name.as_str()) {
                Some(Known::Function(samples)) => Some(*samples),
                _ => None,
            });
        // Of the two probabilities of one output the second.
        self.answer = functions.next_back().or(self.answer);
        for output in node.output.iter().filter(|output| !output.is_empty()) {
            self.name(output, Known::Tail)?;
        }
        Ok(())
    }

    /// Whether the node is of those that come after a network: labels, and maps of probabilities.
    fn is_tail(&self, node: &Node) -> bool {
        let known = |name: &String| self.known.get(name.as_str());
        let is_after = |name: &String| matches!(known(name), Some(Known::Tail | Known::Probabilities));
        let is_output = |name: &String| is_after(name) || matches!(known(name), Some(Known::Function(_)));
        match node.op_type.as_str() {
            "ArgMax" | "ZipMap" | "ArrayFeatureExtractor" | "TopK" | "LabelEncoder" | "Concat" => {
                node.input.iter().any(is_output)
            }
            "Sub" | "Add" | "Mul" | "Gather" | "Where" | "Equal" | "Greater" | "Not" => {
                node.input.iter().any(is_after)
            }
            _ => false,
        }
    }

    fn last(&mut self, node: &Node) -> Result<&mut Layer> {
        let error = self.other(node);
        self.layers.last_mut().ok_or(error)
    }

    /// Adds constants to the last layer's weighted sums, if the node does that.
    fn takes_biases(&mut self, node: &Node) -> Result<bool> {
        if node.op_type != "Add" || node.input.len() != 2 || self.layers.is_empty() {
            return Ok(false);
        }
        for (sums, constant) in [(0, 1), (1, 0)] {
            let name = node.input[sums].as_str();
            let is_raw = matches!(self.known.get(name), Some(Known::Function(samples)) if *samples == POINTS);
            let layer = &self.layers[self.layers.len() - 1];
            let biases = self
                .const_of(node.input.get(constant))
                .and_then(|c| c.vector(layer.units));
            // A number beside one unit could belong to an activation, which reads the sums elsewhere too.
            let is_bias = layer.units > 1 || self.readers.get(name) == Some(&1);
            if let (true, true, None, Some(biases)) = (is_raw, is_bias, &layer.normalization, biases) {
                let biases = biases.to_vec();
                let layer = self.last(node)?;
                layer.biases.iter_mut().zip(biases).for_each(|(b, x)| *b += x);
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// A number for each column that multiplies or is added, as Keras has batch normalizations: it goes into the layer whose
    /// weighted sums they are, or else into the one that follows. What the output is, if the node does that.
    fn takes_affine(&mut self, node: &Node) -> Option<Known> {
        let is_product = node.op_type == "Mul";
        if node.input.len() != 2 || !(is_product || node.op_type == "Add") {
            return None;
        }
        let column = |name: &String| self.const_of(Some(name)).filter(|c| c.numbers.len() > 1);
        let (name, factors) = match (column(&node.input[0]), column(&node.input[1])) {
            (Some(factors), None) => (&node.input[1], factors),
            (None, Some(factors)) => (&node.input[0], factors),
            _ => return None,
        };
        let factors = factors.vector(factors.numbers.len())?.to_vec();
        if self.readers.get(name.as_str()) != Some(&1) {
            return None;
        }
        let (known, is_raw) = match self.known.get(name.as_str())? {
            Known::Input => (Known::Input, false),
            Known::Function(samples) => (Known::Function(*samples), *samples == POINTS),
            _ => return None,
        };
        let last = self.layers.last_mut().filter(|layer| {
            is_raw && layer.normalization.is_none() && layer.units == factors.len() && self.before.is_none()
        });
        if let Some(layer) = last {
            // Biases that are added are taken already.
            for numbers in layer
                .weights
                .chunks_exact_mut(layer.units)
                .chain([&mut layer.biases[..]])
            {
                numbers
                    .iter_mut()
                    .zip(&factors)
                    .for_each(|(x, factor)| *x *= factor);
            }
            return Some(known);
        }
        let count = factors.len();
        let (scales, shifts) = self
            .before
            .get_or_insert_with(|| (vec![1.0; count], vec![0.0; count]));
        if scales.len() != count {
            return None;
        }
        if is_product {
            scales
                .iter_mut()
                .zip(&factors)
                .for_each(|(x, factor)| *x *= factor);
            shifts
                .iter_mut()
                .zip(&factors)
                .for_each(|(x, factor)| *x *= factor);
        } else {
            shifts.iter_mut().zip(&factors).for_each(|(x, term)| *x += term);
        }
        Some(known)
    }

    /// A new layer: the function that it reads becomes the activation of the one before.
    fn linear(&mut self, node: &'g Node, output: &'g str) -> Result<()> {
        let is_gemm = node.op_type == "Gemm";
        let (alpha, beta) = if is_gemm {
            (attribute(node, "alpha", 1.0), attribute(node, "beta", 1.0))
        } else {
            (1.0, 1.0)
        };
        let is_turned = is_gemm && int(node, "transB", 0) != 0;
        let Some((weights, (rows, columns))) = self
            .const_of(node.input.get(1))
            .and_then(|c| Some((c, c.matrix()?)))
        else {
            return Err(self.refused(node, "a matrix of weights as a constant"));
        };
        let is_double = weights.is_double;
        let (inputs, units) = if is_turned {
            (columns, rows)
        } else {
            (rows, columns)
        };
        let mut numbers = if is_turned {
            transposed(&weights.numbers, rows, columns)
        } else {
            weights.numbers.clone()
        };
        if is_gemm && int(node, "transA", 0) != 0 {
            return Err(self.other(node));
        }
        self.is_double |= is_double;
        numbers.iter_mut().for_each(|w| *w *= alpha);
        let mut biases = vec![0.0; units];
        if let Some(name) = node.input.get(2).filter(|name| !name.is_empty()) {
            let given = self.const_of(Some(name));
            let given = given.and_then(|c| {
                c.vector(units)
                    .map(<[f64]>::to_vec)
                    .or_else(|| c.scalar().map(|x| vec![x; units]))
            });
            let Some(given) = given else {
                return Err(self.refused(node, "biases as a constant"));
            };
            biases = given.into_iter().map(|b| beta * b).collect();
        }
        let first = node.input.first().map(String::as_str);
        match first.and_then(|name| self.known.get(name)) {
            Some(Known::Input) if self.layers.is_empty() => {}
            Some(Known::Function(samples)) => {
                let samples = *samples;
                self.activate(samples, node)?;
                if self.layers[self.layers.len() - 1].units != inputs {
                    return Err(self.refused(node, "weights for the outputs of the layer before"));
                }
            }
            _ => return Err(self.other(node)),
        }
        if let Some((scales, shifts)) = self.before.take() {
            if scales.len() != inputs {
                return Err(self.refused(node, "weights for the outputs of the layer before"));
            }
            for (i, row) in numbers.chunks_exact_mut(units).enumerate() {
                for (w, b) in row.iter_mut().zip(&mut biases) {
                    *b += shifts[i] * *w;
                    *w *= scales[i];
                }
            }
        }
        self.layers.push(Layer {
            inputs,
            units,
            weights: numbers,
            biases,
            normalization: None,
            activation: Activation::Linear,
        });
        self.name(output, Known::Function(POINTS))
    }

    /// Says what function the last layer's activation is.
    fn activate(&mut self, samples: Samples, node: &Node) -> Result<()> {
        let found = recognized(&samples);
        let error = self.refused(node, "an activation that mikir has before it");
        self.last(node)?.activation = found.ok_or(error)?;
        Ok(())
    }

    fn normalize(&mut self, node: &'g Node, output: &'g str) -> Result<()> {
        let is_batch = node.op_type == "BatchNormalization";
        let epsilon = attribute(node, "epsilon", 1e-5);
        let count = if is_batch { 5 } else { 3 };
        let vectors: Vec<Option<Vec<f64>>> = (1..count)
            .map(|i| self.const_of(node.input.get(i)).map(|c| c.numbers.clone()))
            .collect();
        let raw = node.input.first().and_then(|name| self.known.get(name.as_str()));
        let is_raw = matches!(raw, Some(Known::Function(samples)) if *samples == POINTS);
        let is_input = matches!(raw, Some(Known::Input));
        let of_others = match raw {
            Some(Known::Function(samples)) if *samples != POINTS => Some(*samples),
            _ => None,
        };
        let vector = |i: usize| vectors.get(i).cloned().flatten();
        let Some(gamma) = vector(0) else {
            return Err(self.refused(node, "scales as a constant"));
        };
        let units = gamma.len();
        let beta = vector(1).unwrap_or_else(|| vec![0.0; units]);
        let (mean, variance) = if is_batch {
            match (vector(2), vector(3)) {
                // With the epsilon that mikir adds, the sum is the file's.
                (Some(mean), Some(variance)) => (
                    mean,
                    variance.iter().map(|v| v + epsilon - EPSILON).collect::<Vec<_>>(),
                ),
                _ => return Err(self.refused(node, "statistics as constants")),
            }
        } else {
            if (epsilon - EPSILON).abs() > 1e-8 || ![-1, 1].contains(&int(node, "axis", -1)) {
                return Err(self.refused(node, "a layer normalization of the last axis with epsilon 1e-5"));
            }
            (Vec::new(), Vec::new())
        };
        let is_whole = beta.len() == units && (!is_batch || (mean.len() == units && variance.len() == units));
        if !is_whole || variance.iter().any(|&v| v + EPSILON <= 0.0) {
            return Err(self.other(node));
        }
        let is_free = self
            .layers
            .last()
            .is_some_and(|layer| layer.normalization.is_none() && layer.units == units);
        if is_raw && is_free && self.before.is_none() && variance.iter().all(|&v| v >= 0.0) {
            let kind = if is_batch {
                Normalization::Batch
            } else {
                Normalization::Layer
            };
            self.last(node)?.normalization = Some((kind, [gamma, beta, mean, variance]));
            return self.name(output, Known::Function(POINTS));
        }
        if !is_batch || self.before.is_some() || !(is_input || of_others.is_some() || is_raw) {
            return Err(self.other(node));
        }
        // One that stands elsewhere goes into the weights of the layer that follows.
        let scales: Vec<f64> = gamma
            .iter()
            .zip(&variance)
            .map(|(g, v)| g / (v + EPSILON).sqrt())
            .collect();
        let shifts = beta
            .iter()
            .zip(&mean)
            .zip(&scales)
            .map(|((b, m), s)| b - m * s)
            .collect();
        self.before = Some((scales, shifts));
        let known = match raw {
            Some(Known::Input) => Known::Input,
            _ => Known::Function(of_others.unwrap_or(POINTS)),
        };
        self.name(output, known)
    }

    /// The network, of which `output` is the function of its last layer.
    fn finish(mut self, output: Option<Samples>) -> Result<Stored<'static>> {
        if self.before.is_some() {
            return Err(corrupt("a layer after the last normalization", self.file, "none"));
        }
        let last = self.layers.len() - 1;
        if let (Some(samples), Activation::Linear) = (output, self.layers[last].activation) {
            let Some(activation) = recognized(&samples) else {
                return Err(corrupt(
                    "an activation that mikir has on the output",
                    self.file,
                    "another",
                ));
            };
            self.layers[last].activation = activation;
        }
        let layer_options = self.layers.iter().map(|layer| LayerOptions {
            normalization: layer.normalization.as_ref().map(|(kind, _)| *kind),
            ..LayerOptions::new(layer.units, layer.activation, Initializer::FanInUniform)
        });
        let options = NetworkOptions {
            inputs: self.layers[0].inputs,
            layers: layer_options.collect(),
            loss: Loss::usual_for(self.layers[last].activation),
            precision: if self.is_double {
                Precision::F64
            } else {
                Precision::F32
            },
            seed: None,
        };
        // With all the checks of options that a user writes.
        let options = NetworkOptions::from_json(&options.to_json())
            .map_err(|error| corrupt("a network that mikir has", self.file, format!("another: {error}")))?;
        let doubles = |numbers: Vec<f64>| {
            let bytes: Vec<u8> = numbers.iter().flat_map(|x| x.to_le_bytes()).collect();
            Numbers::new(bytes, Encoding::F64)
        };
        let layers = self.layers.into_iter().map(|layer| StoredLayer {
            weights: doubles(layer.weights),
            is_input_major: true,
            biases: Some(doubles(layer.biases)),
            normalization: match layer.normalization {
                None => [None, None, None, None],
                Some((_, vectors)) => vectors.map(|vector| (!vector.is_empty()).then(|| doubles(vector))),
            },
        });
        Ok(Stored {
            options,
            layers: layers.collect(),
        })
    }
}

fn transposed(numbers: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    let column = |c: usize| (0..rows).map(move |r| numbers[r * columns + c]);
    (0..columns).flat_map(column).collect()
}

fn attribute(node: &Node, name: &str, default: f64) -> f64 {
    let found = node.attribute.iter().find(|attribute| attribute.name == name);
    found.map_or(default, |attribute| {
        // 1e-5 as it was meant, not as single precision has it.
        attribute.f.to_string().parse().unwrap_or(default)
    })
}

fn int(node: &Node, name: &str, default: i64) -> i64 {
    let found = node.attribute.iter().find(|attribute| attribute.name == name);
    found.map_or(default, |attribute| attribute.i)
}

/// The activation that is this function, if mikir has it.
fn recognized(samples: &Samples) -> Option<Activation> {
    let value_at = |point: f64| {
        samples[POINTS
            .iter()
            .position(|&x| x == point)
            .expect("one of the points")]
    };
    // The parameter shows on the left.
    let slope = value_at(-2.05) / -2.05;
    let alpha = value_at(-2.05) / (-2.05f64).exp_m1();
    let with_parameter = [Activation::LeakyRelu(slope), Activation::Elu(alpha)];
    let plain = Activation::ALL
        .iter()
        .map(|(_, activation)| *activation)
        .filter(|activation| !matches!(activation, Activation::Softmax));
    plain.chain(with_parameter).find(|activation| {
        POINTS.iter().zip(samples).all(|(&z, &a)| {
            let own = activation.of::<Portable, f64>(z);
            (own - a).abs() <= TOLERANCE * (1.0 + own.abs())
        })
    })
}

/// What an operator makes of functions, number by number.
fn elementwise(node: &Node, inputs: &[Samples]) -> Option<Samples> {
    use Activation::*;
    let one = |f: &dyn Fn(f64) -> f64| match inputs {
        [x] => Some(x.map(f)),
        _ => None,
    };
    let two = |f: fn(f64, f64) -> f64| match inputs {
        [x, y] => Some(std::array::from_fn(|i| f(x[i], y[i]))),
        _ => None,
    };
    let activation = |activation: Activation| one(&|z| activation.of::<Portable, f64>(z));
    match node.op_type.as_str() {
        "Relu" => activation(Relu),
        "Sigmoid" => activation(Sigmoid),
        "Tanh" => activation(Tanh),
        "LeakyRelu" => activation(LeakyRelu(attribute(node, "alpha", 0.01))),
        "Elu" => activation(Elu(attribute(node, "alpha", 1.0))),
        "Selu" => {
            let (alpha, gamma) = (
                attribute(node, "alpha", 1.673_263_2),
                attribute(node, "gamma", 1.050_701),
            );
            one(&|z| gamma * Elu(alpha).of::<Portable, f64>(z))
        }
        "Softplus" => activation(Softplus),
        "Softsign" => activation(Softsign),
        "Mish" => activation(Mish),
        "Gelu" if node.attribute.iter().all(|attribute| attribute.s != b"tanh") => activation(Gelu),
        "HardSigmoid" => {
            let (alpha, beta) = (attribute(node, "alpha", 0.2), attribute(node, "beta", 0.5));
            one(&|z| (alpha * z + beta).clamp(0.0, 1.0))
        }
        "Clip" => {
            let (low, high) = match inputs {
                [_] => (attribute(node, "min", f64::MIN), attribute(node, "max", f64::MAX)),
                [_, low] => (low[0], f64::MAX),
                [_, low, high] => (low[0], high[0]),
                _ => return None,
            };
            Some(inputs.first()?.map(|z| z.max(low).min(high)))
        }
        "Erf" => one(&|z| libm::erf(z)),
        "Exp" => one(&f64::exp),
        "Log" => one(&f64::ln),
        "Abs" => one(&f64::abs),
        "Neg" => one(&|z| -z),
        "Sqrt" => one(&f64::sqrt),
        "Reciprocal" => one(&|z| 1.0 / z),
        "Add" => two(|x, y| x + y),
        "Sub" => two(|x, y| x - y),
        "Mul" => two(|x, y| x * y),
        "Div" => two(|x, y| x / y),
        "Max" => two(f64::max),
        "Min" => two(f64::min),
        "Pow" => two(f64::powf),
        "Greater" => two(|x, y| f64::from(u8::from(x > y))),
        "Less" => two(|x, y| f64::from(u8::from(x < y))),
        "Where" => match inputs {
            [condition, x, y] => Some(std::array::from_fn(
                |i| if condition[i] == 0.0 { y[i] } else { x[i] },
            )),
            _ => None,
        },
        _ => None,
    }
}
