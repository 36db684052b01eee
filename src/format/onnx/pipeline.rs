//! A model of tables as one ONNX graph: columns in, through their preparation and the networks, answers out.
//!
//! Each column is an input of `[N][1]`: a text, or a number in double precision, NaN where it is missing; a date in
//! milliseconds since 1970. The outputs are `label` `[N]` and `probabilities` `[N][labels]`; of several targets `labels` and
//! `probabilities`, `[N][targets]`; of numbers `predictions` `[N][targets]`. Preparation is in double precision.

use prost::Message;
use serde::Deserialize;

use super::proto::{
    self, Attribute, DOUBLE, Dimension, FLOAT, FLOATS_ATTRIBUTE, Graph, INT64, INTS_ATTRIBUTE, Model, Node,
    OperatorSet, STRING, STRINGS_ATTRIBUTE, Shape, Tensor, TensorType, Type, ValueInfo,
};
use super::write::{Builder, IR_VERSION, OPSET, float, int};
use crate::nn::{Error, Result};

/// The operators of classical machine learning, of which a table of words needs one.
const CLASSICAL: &str = "ai.onnx.ml";
const CLASSICAL_OPSET: i64 = 2;
/// The codes of a word that is missing, and of one that is new.
const MISSING: i64 = -2;
const NEW: i64 = -1;

/// What a model says of itself, as its JSON does.
#[derive(Debug, Deserialize)]
pub struct Description {
    features: Vec<Feature>,
    target: Target,
    /// What is written where a word is missing.
    missing: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Feature {
    #[serde(rename_all = "camelCase")]
    Number {
        column: String,
        part: Option<Part>,
        median: f64,
        mean: f64,
        scale: f64,
        has_gaps: bool,
        bins: Vec<f64>,
    },
    #[serde(rename_all = "camelCase")]
    Word {
        column: String,
        words: Vec<String>,
        has_other: bool,
    },
}

/// A part of a date.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
enum Part {
    Time,
    Month,
    Weekday,
    Hour,
}

#[derive(Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "camelCase")]
enum Target {
    Classes { labels: Vec<String> },
    Labels { pairs: Vec<[String; 2]> },
    Numbers { means: Vec<f64>, deviations: Vec<f64> },
}

/// The bytes of a file with the model in it; `networks` are files of ONNX.
///
/// # Errors
/// `Internal` for a description or a network that is none.
pub fn write(description: &Description, networks: &[impl AsRef<[u8]>]) -> Result<Vec<u8>> {
    let mut graph = Builder::<f64>::default();
    let mut inputs: Vec<ValueInfo> = Vec::new();
    let parts: Vec<String> = description
        .features
        .iter()
        .map(|feature| {
            let (column, elem_type) = match feature {
                Feature::Number { column, .. } => (column, DOUBLE),
                Feature::Word { column, .. } => (column, STRING),
            };
            if !inputs.iter().any(|input| input.name == *column) {
                inputs.push(value(column, elem_type, Some(1)));
            }
            graph.feature(feature, &description.missing)
        })
        .collect();
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let encoded = graph.node("Concat", &parts, vec![int("axis", -1)]);
    let outputs = networks
        .iter()
        .enumerate()
        .map(|(k, network)| graph.network(k, network.as_ref(), &encoded))
        .collect::<Result<Vec<_>>>()?;
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    let sum = graph.node("Sum", &outputs, Vec::new());
    let mean = graph.with_constant("Mul", &sum, 1.0 / networks.len() as f64);
    let outputs = graph.answer(&description.target, mean);
    let model = Model {
        ir_version: IR_VERSION,
        producer_name: "mikir".into(),
        opset_import: [("", OPSET), (CLASSICAL, CLASSICAL_OPSET)]
            .map(|(domain, version)| OperatorSet {
                domain: domain.into(),
                version,
            })
            .to_vec(),
        metadata_props: Vec::new(),
        graph: Some(Graph {
            node: graph.nodes,
            name: "mikir".into(),
            initializer: graph.tensors,
            input: inputs,
            output: outputs,
        }),
    };
    Ok(model.encode_to_vec())
}

/// `[N]`, or `[N][width]`.
fn value(name: &str, elem_type: i32, width: Option<usize>) -> ValueInfo {
    let rows = Dimension {
        dim_value: None,
        dim_param: Some("N".into()),
    };
    let width = width.map(|width| Dimension {
        dim_value: Some(width as i64),
        dim_param: None,
    });
    ValueInfo {
        name: name.into(),
        r#type: Some(Type {
            tensor_type: Some(TensorType {
                elem_type,
                shape: Some(Shape {
                    dim: [rows].into_iter().chain(width).collect(),
                }),
            }),
        }),
    }
}

impl Builder<f64> {
    /// The inputs that a column becomes: as `encodeNumber` and `encodeWord` of the face.
    fn feature(&mut self, feature: &Feature, missing: &[String]) -> String {
        match feature {
            Feature::Number {
                column,
                part,
                median,
                mean,
                scale,
                has_gaps,
                bins,
            } => {
                let x = self.part(column, *part);
                let is_missing = self.node("IsNaN", &[&x], Vec::new());
                let x = self.clip(&x, -1e150, 1e150);
                let median = self.constant(*median);
                let x = self.node("Where", &[&is_missing, &median, &x], Vec::new());
                let mut parts = vec![self.scaled(&x, *mean, *scale)];
                if *has_gaps {
                    parts.push(self.node("Cast", &[&is_missing], vec![int("to", DOUBLE.into())]));
                }
                if bins.len() > 1 {
                    parts.push(self.intervals(&x, bins));
                }
                let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
                self.node("Concat", &parts, vec![int("axis", -1)])
            }
            Feature::Word {
                column,
                words,
                has_other,
            } => {
                let count = words.len() + usize::from(*has_other);
                let new = if *has_other { words.len() as i64 } else { NEW };
                let gaps = missing.iter().filter(|gap| !words.contains(gap));
                let keys: Vec<&String> = words.iter().chain(gaps).collect();
                let is_pair = words.len() == 2 && !has_other;
                let codes = (0..keys.len()).map(|k| if k < words.len() { k as i64 } else { MISSING });
                let key_attribute = Attribute {
                    name: "keys_strings".into(),
                    strings: keys.iter().map(|key| key.as_bytes().to_vec()).collect(),
                    r#type: STRINGS_ATTRIBUTE,
                    ..Attribute::default()
                };
                if is_pair {
                    // -1, 1, or 0 for anything else.
                    let values = Attribute {
                        name: "values_floats".into(),
                        floats: codes
                            .map(|code| [-1.0, 1.0].get(code as usize).copied().unwrap_or(0.0))
                            .collect(),
                        r#type: FLOATS_ATTRIBUTE,
                        ..Attribute::default()
                    };
                    let encoded = self.node(
                        "LabelEncoder",
                        &[column],
                        vec![key_attribute, values, float("default_float", 0.0)],
                    );
                    self.of_classical();
                    return self.node("Cast", &[&encoded], vec![int("to", DOUBLE.into())]);
                }
                let values = Attribute {
                    name: "values_int64s".into(),
                    ints: codes.collect(),
                    r#type: INTS_ATTRIBUTE,
                    ..Attribute::default()
                };
                let default = int("default_int64", new);
                let code = self.node("LabelEncoder", &[column], vec![key_attribute, values, default]);
                self.of_classical();
                let places = self.integers((0..count as i64).collect());
                let is_place = self.node("Equal", &[&code, &places], Vec::new());
                self.node("Cast", &[&is_place], vec![int("to", DOUBLE.into())])
            }
        }
    }

    /// The last node is not one of the usual operators.
    fn of_classical(&mut self) {
        if let Some(node) = self.nodes.last_mut() {
            node.domain = CLASSICAL.into();
        }
    }

    fn integers(&mut self, numbers: Vec<i64>) -> String {
        let name = format!("integers{}", self.tensors.len());
        self.tensors.push(Tensor {
            name: name.clone(),
            dims: vec![1, numbers.len() as i64],
            data_type: INT64,
            int64_data: numbers,
            ..Tensor::default()
        });
        name
    }

    fn texts(&mut self, dims: &[usize], texts: impl Iterator<Item = String>) -> String {
        let name = format!("texts{}", self.tensors.len());
        self.tensors.push(Tensor {
            name: name.clone(),
            dims: dims.iter().map(|&dim| dim as i64).collect(),
            data_type: STRING,
            string_data: texts.map(String::into_bytes).collect(),
            ..Tensor::default()
        });
        name
    }

    /// `[1][count]`
    fn row(&mut self, numbers: &[f64]) -> String {
        let name = format!("row{}", self.tensors.len());
        self.tensor(name, &[1, numbers.len()], numbers)
    }

    /// A number of a column, or a part of its dates.
    fn part(&mut self, column: &str, part: Option<Part>) -> String {
        const DAY: f64 = 86_400_000.0;
        match part {
            None => column.into(),
            Some(Part::Time) => self.with_constant("Div", column, DAY),
            Some(Part::Hour) => {
                let hours = self.floored(column, 3_600_000.0);
                self.modulo(&hours, 24.0)
            }
            // 1970 began on a Thursday.
            Some(Part::Weekday) => {
                let days = self.floored(column, DAY);
                let days = self.with_constant("Add", &days, 4.0);
                self.modulo(&days, 7.0)
            }
            // The civil calendar (Hinnant 2013, "chrono-Compatible Low-Level Date Algorithms"): eras of 400 years that
            // begin in March.
            Some(Part::Month) => {
                let days = self.floored(column, DAY);
                let days = self.with_constant("Add", &days, 719_468.0);
                let day_of_era = self.modulo(&days, 146_097.0);
                let mut leapless = day_of_era.clone();
                for (days, op) in [(1460.0, "Sub"), (36_524.0, "Add"), (146_096.0, "Sub")] {
                    let leaps = self.floored(&day_of_era, days);
                    leapless = self.node(op, &[&leapless, &leaps], Vec::new());
                }
                let year = self.floored(&leapless, 365.0);
                let mut begin = self.with_constant("Mul", &year, 365.0);
                for (years, op) in [(4.0, "Add"), (100.0, "Sub")] {
                    let leaps = self.floored(&year, years);
                    begin = self.node(op, &[&begin, &leaps], Vec::new());
                }
                let day_of_year = self.node("Sub", &[&day_of_era, &begin], Vec::new());
                let five = self.with_constant("Mul", &day_of_year, 5.0);
                let five = self.with_constant("Add", &five, 2.0);
                let from_march = self.floored(&five, 153.0);
                let wrap = self.floored(&from_march, 10.0);
                let wrap = self.with_constant("Mul", &wrap, 12.0);
                let month = self.with_constant("Add", &from_march, 3.0);
                self.node("Sub", &[&month, &wrap], Vec::new())
            }
        }
    }

    /// floor(x / by)
    fn floored(&mut self, x: &str, by: f64) -> String {
        let quotient = self.with_constant("Div", x, by);
        self.node("Floor", &[&quotient], Vec::new())
    }

    /// x - by floor(x / by)
    fn modulo(&mut self, x: &str, by: f64) -> String {
        let whole = self.floored(x, by);
        let whole = self.with_constant("Mul", &whole, by);
        self.node("Sub", &[x, &whole], Vec::new())
    }

    /// z / sqrt(1 + (z / 5)^2) of z = scale (x - mean), within +-1e6
    fn scaled(&mut self, x: &str, mean: f64, scale: f64) -> String {
        let centered = self.with_constant("Sub", x, mean);
        let z = self.with_constant("Mul", &centered, scale);
        let z = self.clip(&z, -1e6, 1e6);
        let fifth = self.with_constant("Div", &z, 5.0);
        let square = self.node("Mul", &[&fifth, &fifth], Vec::new());
        let sum = self.with_constant("Add", &square, 1.0);
        let root = self.node("Sqrt", &[&sum], Vec::new());
        self.node("Div", &[&z, &root], Vec::new())
    }

    /// How much of each interval is below x, minus 1/2.
    fn intervals(&mut self, x: &str, bins: &[f64]) -> String {
        let starts = self.row(&bins[..bins.len() - 1]);
        let lengths: Vec<f64> = bins.windows(2).map(|pair| pair[1] - pair[0]).collect();
        let lengths = self.row(&lengths);
        let above = self.node("Sub", &[x, &starts], Vec::new());
        let share = self.node("Div", &[&above, &lengths], Vec::new());
        let share = self.clip(&share, 0.0, 1.0);
        self.with_constant("Sub", &share, 0.5)
    }

    /// The nodes and numbers of a network of its own file, and its outputs in double precision.
    fn network(&mut self, k: usize, bytes: &[u8], encoded: &str) -> Result<String> {
        let refused = |error: String| Error::internal("a network in ONNX", "the model", error);
        let graph = proto::decode(bytes).map_err(refused)?.graph;
        let graph = graph.ok_or_else(|| refused("no graph".into()))?;
        let input = graph.input.first().ok_or_else(|| refused("no input".into()))?;
        let is_single = input
            .r#type
            .as_ref()
            .and_then(|known| known.tensor_type.as_ref())
            .is_some_and(|known| known.elem_type == FLOAT);
        let own = |name: &str| format!("network{k}.{name}");
        let to = if is_single { FLOAT } else { DOUBLE };
        self.nodes.push(Node {
            input: vec![encoded.into()],
            output: vec![own(&input.name)],
            name: own("cast"),
            op_type: "Cast".into(),
            attribute: vec![int("to", to.into())],
            ..Node::default()
        });
        self.tensors
            .extend(graph.initializer.into_iter().map(|tensor| Tensor {
                name: own(&tensor.name),
                ..tensor
            }));
        let renamed = |names: Vec<String>| names.iter().map(|name| own(name)).collect();
        self.nodes.extend(graph.node.into_iter().map(|node| Node {
            input: renamed(node.input),
            output: renamed(node.output),
            name: own(&node.name),
            ..node
        }));
        let output = graph.output.first().ok_or_else(|| refused("no output".into()))?;
        Ok(self.node("Cast", &[&own(&output.name)], vec![int("to", DOUBLE.into())]))
    }

    /// The answers that are made of the mean outputs.
    fn answer(&mut self, target: &Target, mean: String) -> Vec<ValueInfo> {
        match target {
            Target::Classes { labels } => {
                let count = labels.len();
                let labels = self.texts(&[count], labels.iter().cloned());
                let best = self.node("ArgMax", &[&mean], vec![int("axis", -1), int("keepdims", 0)]);
                self.named("Gather", &[&labels, &best], "label");
                self.named("Identity", &[&mean], "probabilities");
                vec![
                    value("label", STRING, None),
                    value("probabilities", DOUBLE, Some(count)),
                ]
            }
            Target::Labels { pairs } => {
                let count = pairs.len();
                let [no, yes] =
                    [0, 1].map(|k| self.texts(&[1, count], pairs.iter().map(|pair| pair[k].clone())));
                let half = self.constant(0.5);
                let is_no = self.node("Less", &[&mean, &half], Vec::new());
                self.named("Where", &[&is_no, &no, &yes], "labels");
                self.named("Identity", &[&mean], "probabilities");
                vec![
                    value("labels", STRING, Some(count)),
                    value("probabilities", DOUBLE, Some(count)),
                ]
            }
            Target::Numbers { means, deviations } => {
                let (means, deviations, count) = (self.row(means), self.row(deviations), means.len());
                let scaled = self.node("Mul", &[&mean, &deviations], Vec::new());
                self.named("Add", &[&scaled, &means], "predictions");
                vec![value("predictions", DOUBLE, Some(count))]
            }
        }
    }

    /// A node whose output has this name.
    fn named(&mut self, op: &str, inputs: &[&str], name: &str) {
        self.node(op, inputs, Vec::new());
        if let Some(node) = self.nodes.last_mut() {
            node.output = vec![name.into()];
        }
    }
}
