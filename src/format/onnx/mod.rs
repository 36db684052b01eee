//! Networks as ONNX graphs.
//!
//! | module | holds |
//! |---|---|
//! | [`write`](mod@write) | a network as a small standard graph |
//! | [`read`] | the multilayer perceptrons that others write |
//! | [`pipeline`] | a model of tables: preparation, networks and answers |
//! | [`proto`] | the messages |
//!
//! A file of ours has the options among its metadata and its numbers under fixed names, so that it comes back to the bit.

pub mod pipeline;
pub mod proto;
pub mod read;
pub mod write;

use std::collections::HashMap;

use serde_json::Value;

use crate::format::stored::{Encoding, Numbers, Stored, StoredLayer};
use crate::format::{corrupt, own_options};
use crate::nn::Result;
use proto::{BFLOAT16, DOUBLE, FLOAT, FLOAT16, Tensor};

pub use write::write;

/// The key of the options among the metadata.
const KEY: &str = "mikir";

/// The names of a layer's numbers after its own: weights `[inputs][units]`, biases, and those of a normalization.
const NAMES: [&str; 6] = ["weight", "bias", "gamma", "beta", "mean", "variance"];

/// The name of numbers of a layer, which are counted from 1.
fn name_of(layer: usize, what: &str) -> String {
    format!("layer{layer}.{what}")
}

/// The network in the bytes of a file.
///
/// # Errors
/// `CorruptFile` for what is no such file, or a graph of another kind.
pub fn open(bytes: &[u8], name: &str) -> Result<Stored<'static>> {
    let model = proto::decode(bytes).map_err(|error| corrupt("a whole ONNX file", name, error))?;
    let Some(graph) = model.graph else {
        return Err(corrupt("a graph", name, "none"));
    };
    match model.metadata_props.into_iter().find(|entry| entry.key == KEY) {
        Some(entry) => own(graph.initializer, &entry.value, name),
        None => read::network(&graph, name),
    }
}

/// The network of one of our own files.
fn own(tensors: Vec<Tensor>, about: &str, name: &str) -> Result<Stored<'static>> {
    let options = own_options(about, name)?;
    let mut tensors: HashMap<String, Tensor> = tensors
        .into_iter()
        .map(|tensor| (tensor.name.clone(), tensor))
        .collect();
    let mut layers = Vec::new();
    for l in 1..=options.layers.len() {
        let mut take = |what: &str| {
            let tensor = tensors.remove(&name_of(l, what));
            tensor.map(|tensor| numbers(tensor, name)).transpose()
        };
        let [weights, biases, gamma, beta, mean, variance] = NAMES.map(&mut take);
        let weights =
            weights?.ok_or_else(|| corrupt(format!("a tensor '{}'", name_of(l, NAMES[0])), name, "none"))?;
        layers.push(StoredLayer {
            weights,
            is_input_major: true,
            biases: biases?,
            normalization: [gamma?, beta?, mean?, variance?],
        });
    }
    Ok(Stored { options, layers })
}

/// The numbers of a tensor.
fn numbers(tensor: Tensor, name: &str) -> Result<Numbers<'static>> {
    if tensor.data_location != 0 {
        return Err(corrupt(
            format!("the numbers of '{}' in the file", tensor.name),
            name,
            "a reference to another file",
        ));
    }
    let encoding = match tensor.data_type {
        FLOAT => Encoding::F32,
        DOUBLE => Encoding::F64,
        FLOAT16 => Encoding::F16,
        BFLOAT16 => Encoding::Bf16,
        other => {
            let expected = format!("floating-point numbers in '{}'", tensor.name);
            return Err(corrupt(expected, name, format!("data type {other}")));
        }
    };
    let bytes = if !tensor.raw_data.is_empty() {
        tensor.raw_data
    } else if encoding == Encoding::F64 {
        tensor.double_data.iter().flat_map(|x| x.to_le_bytes()).collect()
    } else {
        tensor.float_data.iter().flat_map(|x| x.to_le_bytes()).collect()
    };
    let expected: Option<usize> = tensor.dims.iter().try_fold(1usize, |product, &dim| {
        product.checked_mul(usize::try_from(dim).ok()?)
    });
    if expected.and_then(|count| count.checked_mul(encoding.bytes())) != Some(bytes.len()) {
        let shape = Value::from(tensor.dims.clone());
        return Err(corrupt(
            format!("the numbers of '{}', of shape {shape}", tensor.name),
            name,
            format!("{} bytes", bytes.len()),
        ));
    }
    Ok(Numbers::new(bytes, encoding))
}
