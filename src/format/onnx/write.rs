//! A network as a small standard graph: Gemm, normalization, activation.
//!
//! In single precision each step is the operator of its name. The operators of opset 17 that ONNX Runtime has only in
//! single precision, and those whose parameters are, are composed of others in double precision.

use prost::Message;
use serde_json::json;

use super::proto::{
    Attribute, DOUBLE, Dimension, Entry, FLOAT, FLOAT_ATTRIBUTE, Graph, INT_ATTRIBUTE, INTS_ATTRIBUTE, Model,
    Node, OperatorSet, Shape, Tensor, TensorType, Type, ValueInfo,
};
use super::{KEY, NAMES, name_of};
use crate::format::VERSION;
use crate::format::stored::bytes_of;
use crate::nn::Result;
use crate::nn::network::normalization::EPSILON;
use crate::nn::network::options::Normalization;
use crate::nn::network::{Activation, Layer, Network};
use crate::nn::vector::Real;

/// The versions of the operators and of the file format: LayerNormalization is new in this opset.
pub(super) const OPSET: i64 = 17;
pub(super) const IR_VERSION: i64 = 8;

/// The bytes of a file with the network in it.
///
/// # Errors
/// None so far.
pub fn write<T: Real>(network: Network<T>) -> Result<Vec<u8>> {
    let Network {
        architecture, values, ..
    } = network;
    let mut graph = Builder::<T>::default();
    let mut x = "inputs".to_string();
    let layers = architecture.layers();
    for (l, layer) in (1..).zip(layers) {
        graph.layer_tensors(l, layer, values);
        x = graph.layer(l, layer, x);
    }
    graph.nodes.push(Node {
        input: vec![x],
        output: vec!["outputs".into()],
        op_type: "Identity".into(),
        ..Node::default()
    });
    let data_type = data_type::<T>();
    let value = |name: &str, width: usize| ValueInfo {
        name: name.into(),
        r#type: Some(Type {
            tensor_type: Some(TensorType {
                elem_type: data_type,
                shape: Some(Shape {
                    dim: vec![
                        Dimension {
                            dim_value: None,
                            dim_param: Some("N".into()),
                        },
                        Dimension {
                            dim_value: Some(width as i64),
                            dim_param: None,
                        },
                    ],
                }),
            }),
        }),
    };
    let about = json!({ "version": VERSION, "options": network.options().to_json() });
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "mikir".into(),
        opset_import: vec![OperatorSet {
            domain: String::new(),
            version: OPSET,
        }],
        metadata_props: vec![Entry {
            key: KEY.into(),
            value: about.to_string(),
        }],
        graph: Some(Graph {
            node: graph.nodes,
            name: "mikir".into(),
            initializer: graph.tensors,
            input: vec![value("inputs", architecture.input_count())],
            output: vec![value("outputs", architecture.output_count())],
        }),
    };
    Ok(model.encode_to_vec())
}

fn data_type<T: Real>() -> i32 {
    if size_of::<T>() == 8 { DOUBLE } else { FLOAT }
}

pub(super) fn float(name: &str, f: f64) -> Attribute {
    Attribute {
        name: name.into(),
        f: f as f32,
        r#type: FLOAT_ATTRIBUTE,
        ..Attribute::default()
    }
}

pub(super) fn int(name: &str, i: i64) -> Attribute {
    Attribute {
        name: name.into(),
        i,
        r#type: INT_ATTRIBUTE,
        ..Attribute::default()
    }
}

/// A graph that grows.
pub(super) struct Builder<T> {
    pub(super) nodes: Vec<Node>,
    pub(super) tensors: Vec<Tensor>,
    precision: std::marker::PhantomData<T>,
}

impl<T> Default for Builder<T> {
    fn default() -> Self {
        Builder {
            nodes: Vec::new(),
            tensors: Vec::new(),
            precision: std::marker::PhantomData,
        }
    }
}

impl<T: Real> Builder<T> {
    pub(super) fn tensor(&mut self, name: String, dims: &[usize], numbers: &[T]) -> String {
        self.tensors.push(Tensor {
            name: name.clone(),
            dims: dims.iter().map(|&dim| dim as i64).collect(),
            data_type: data_type::<T>(),
            raw_data: bytes_of(numbers),
            ..Tensor::default()
        });
        name
    }

    /// The numbers of a layer, under their fixed names.
    fn layer_tensors(&mut self, l: usize, layer: &Layer, values: &[T]) {
        self.tensor(
            name_of(l, NAMES[0]),
            &[layer.inputs, layer.units],
            &values[layer.weights.clone()],
        );
        let vectors = [
            &layer.biases,
            &layer.gamma,
            &layer.beta,
            &layer.mean,
            &layer.variance,
        ];
        for (range, name) in vectors.into_iter().zip(&NAMES[1..]) {
            if !range.is_empty() {
                self.tensor(name_of(l, name), &[layer.units], &values[range.clone()]);
            }
        }
    }

    /// A node, whose output has its name.
    pub(super) fn node(&mut self, op: &str, inputs: &[&str], attributes: Vec<Attribute>) -> String {
        let name = format!("{}_{}", op.to_lowercase(), self.nodes.len());
        self.nodes.push(Node {
            input: inputs.iter().map(|&input| input.into()).collect(),
            output: vec![name.clone()],
            name: name.clone(),
            op_type: op.into(),
            attribute: attributes,
            ..Node::default()
        });
        name
    }

    /// A number that is the same for all.
    pub(super) fn constant(&mut self, x: f64) -> String {
        let name = format!("constant{x:?}");
        if !self.tensors.iter().any(|tensor| tensor.name == name) {
            self.tensor(name.clone(), &[], &[T::from_f64(x)]);
        }
        name
    }

    pub(super) fn with_constant(&mut self, op: &str, x: &str, constant: f64) -> String {
        let constant = self.constant(constant);
        self.node(op, &[x, &constant], Vec::new())
    }

    /// From what a layer reads to its outputs.
    fn layer(&mut self, l: usize, layer: &Layer, x: String) -> String {
        let [weight, bias, gamma, beta, mean, variance] = NAMES.map(|name| name_of(l, name));
        let z = self.node("Gemm", &[&x, &weight, &bias], Vec::new());
        let is_double = size_of::<T>() == 8;
        let y = match layer.options.normalization {
            None => z,
            Some(Normalization::Batch) if !is_double => self.node(
                "BatchNormalization",
                &[&z, &gamma, &beta, &mean, &variance],
                vec![float("epsilon", EPSILON)],
            ),
            Some(Normalization::Layer) if !is_double => self.node(
                "LayerNormalization",
                &[&z, &gamma, &beta],
                vec![int("axis", -1), float("epsilon", EPSILON)],
            ),
            Some(normalization) => {
                let (centered, variance) = if normalization == Normalization::Batch {
                    (self.node("Sub", &[&z, &mean], Vec::new()), variance)
                } else {
                    let axes = || {
                        vec![Attribute {
                            name: "axes".into(),
                            ints: vec![-1],
                            r#type: INTS_ATTRIBUTE,
                            ..Attribute::default()
                        }]
                    };
                    let mean = self.node("ReduceMean", &[&z], axes());
                    let centered = self.node("Sub", &[&z, &mean], Vec::new());
                    let square = self.node("Mul", &[&centered, &centered], Vec::new());
                    let variance = self.node("ReduceMean", &[&square], axes());
                    (centered, variance)
                };
                let variance = self.with_constant("Add", &variance, EPSILON);
                let deviation = self.node("Sqrt", &[&variance], Vec::new());
                let n = self.node("Div", &[&centered, &deviation], Vec::new());
                let scaled = self.node("Mul", &[&n, &gamma], Vec::new());
                self.node("Add", &[&scaled, &beta], Vec::new())
            }
        };
        self.activation(layer.options.activation, y)
    }

    /// f(z)
    fn activation(&mut self, f: Activation, z: String) -> String {
        use Activation::*;
        let z = z.as_str();
        let is_double = size_of::<T>() == 8;
        match f {
            Linear => z.into(),
            Sigmoid => self.node("Sigmoid", &[z], Vec::new()),
            Tanh => self.node("Tanh", &[z], Vec::new()),
            Relu => self.node("Relu", &[z], Vec::new()),
            Softmax => self.node("Softmax", &[z], vec![int("axis", -1)]),
            HardTanh => self.clip(z, -1.0, 1.0),
            Relu6 => self.clip(z, 0.0, 6.0),
            Silu => {
                let sigmoid = self.node("Sigmoid", &[z], Vec::new());
                self.node("Mul", &[z, &sigmoid], Vec::new())
            }
            Gelu => {
                let scaled = self.with_constant("Mul", z, std::f64::consts::FRAC_1_SQRT_2);
                let erf = self.erf(scaled);
                let sum = self.with_constant("Add", &erf, 1.0);
                let half = self.with_constant("Mul", z, 0.5);
                self.node("Mul", &[&half, &sum], Vec::new())
            }
            Mish => {
                let softplus = self.activation(Softplus, z.into());
                let tanh = self.node("Tanh", &[&softplus], Vec::new());
                self.node("Mul", &[z, &tanh], Vec::new())
            }
            LeakyRelu(alpha) if !is_double && (0.0..1e3).contains(&alpha) => {
                self.node("LeakyRelu", &[z], vec![float("alpha", alpha)])
            }
            Elu(alpha) if !is_double && alpha >= 0.0 => self.node("Elu", &[z], vec![float("alpha", alpha)]),
            Softplus if !is_double => self.node("Softplus", &[z], Vec::new()),
            Softsign if !is_double => self.node("Softsign", &[z], Vec::new()),
            LeakyRelu(alpha) => {
                let below = self.with_constant("Min", z, 0.0);
                self.sum_of_sides(z, below, alpha, 1.0)
            }
            Elu(alpha) => self.elu(z, alpha, 1.0),
            Selu => self.elu(
                z,
                crate::nn::network::activation::SELU[0],
                crate::nn::network::activation::SELU[1],
            ),
            Softplus => {
                let size = self.node("Abs", &[z], Vec::new());
                let negative = self.node("Neg", &[&size], Vec::new());
                let power = self.node("Exp", &[&negative], Vec::new());
                let sum = self.with_constant("Add", &power, 1.0);
                let log = self.node("Log", &[&sum], Vec::new());
                let above = self.with_constant("Max", z, 0.0);
                self.node("Add", &[&above, &log], Vec::new())
            }
            Softsign => {
                let size = self.node("Abs", &[z], Vec::new());
                let sum = self.with_constant("Add", &size, 1.0);
                self.node("Div", &[z, &sum], Vec::new())
            }
            HardSigmoid => {
                let moved = self.with_constant("Add", z, 3.0);
                let held = self.clip(&moved, 0.0, 6.0);
                self.with_constant("Div", &held, 6.0)
            }
        }
    }

    /// ONNX Runtime has it in single precision only.
    fn erf(&mut self, x: String) -> String {
        if size_of::<T>() == 4 {
            return self.node("Erf", &[&x], Vec::new());
        }
        let single = self.node("Cast", &[&x], vec![int("to", FLOAT.into())]);
        let erf = self.node("Erf", &[&single], Vec::new());
        self.node("Cast", &[&erf], vec![int("to", DOUBLE.into())])
    }

    pub(super) fn clip(&mut self, z: &str, low: f64, high: f64) -> String {
        let (low, high) = (self.constant(low), self.constant(high));
        self.node("Clip", &[z, &low, &high], Vec::new())
    }

    /// scale (max(z, 0) + alpha (e^min(z, 0) - 1))
    fn elu(&mut self, z: &str, alpha: f64, scale: f64) -> String {
        let below = self.with_constant("Min", z, 0.0);
        let power = self.node("Exp", &[&below], Vec::new());
        let below = self.with_constant("Sub", &power, 1.0);
        self.sum_of_sides(z, below, alpha, scale)
    }

    /// scale (max(z, 0) + alpha below)
    fn sum_of_sides(&mut self, z: &str, below: String, alpha: f64, scale: f64) -> String {
        let above = self.with_constant("Max", z, 0.0);
        let below = self.with_constant("Mul", &below, alpha);
        let sum = self.node("Add", &[&above, &below], Vec::new());
        if scale == 1.0 {
            sum
        } else {
            self.with_constant("Mul", &sum, scale)
        }
    }
}
