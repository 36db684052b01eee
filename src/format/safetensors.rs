//! Networks as the `state_dict` of the equal `nn.Sequential` of PyTorch, in the safetensors format.
//!
//! A layer of a network is up to four modules of the `nn.Sequential`, one after the other: `Linear`; `BatchNorm1d` or
//! `LayerNorm`, where it is normalized; its activation, unless that is linear; `Dropout`, where it drops. The tensors are
//! named by the places of their modules: `0.weight` is `[units][inputs]`. `__metadata__.mikir` has the options as JSON.

use std::collections::BTreeMap;

use safetensors::tensor::TensorView;
use safetensors::{Dtype, SafeTensors};
use serde_json::json;

use crate::format::stored::{Encoding, Numbers, Stored, StoredLayer, bytes_of, unit_major};
use crate::format::{Hints, VERSION, corrupt, own_options};
use crate::nn::network::options::{LayerOptions, Normalization, Precision};
use crate::nn::network::{Activation, Initializer, Loss, Network, NetworkOptions};
use crate::nn::vector::Real;
use crate::nn::{Code, Error, Result};

/// The key of the options among the metadata.
const KEY: &str = "mikir";

/// The names of a module's tensors: of a normalization, gamma, beta, mean and variance.
const TENSORS: [&str; 4] = ["weight", "bias", "running_mean", "running_var"];
/// What PyTorch counts beside them.
const COUNT: &str = "num_batches_tracked";

/// The places of the modules of each layer that have tensors: `Linear`, and the normalization.
fn modules(layers: &[LayerOptions]) -> Vec<[usize; 2]> {
    let mut next = 0;
    layers
        .iter()
        .map(|layer| {
            let linear = next;
            let has_normalization = usize::from(layer.normalization.is_some());
            let is_activated = usize::from(layer.activation != Activation::Linear);
            next += 1 + has_normalization + is_activated + usize::from(layer.dropout > 0.0);
            [linear, linear + 1]
        })
        .collect()
}

/// The bytes of a file with the network in it.
///
/// # Errors
/// `Internal` where the format refuses what is written.
pub fn write<T: Real>(network: Network<T>) -> Result<Vec<u8>> {
    let Network {
        architecture, values, ..
    } = network;
    let options = network.options();
    let mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
    let dtype = if size_of::<T>() == 8 {
        Dtype::F64
    } else {
        Dtype::F32
    };
    for (layer, [linear, normalization]) in architecture.layers().iter().zip(modules(&options.layers)) {
        let mut add = |module: usize, name: &str, shape: Vec<usize>, bytes: Vec<u8>| {
            tensors.push((format!("{module}.{name}"), dtype, shape, bytes));
        };
        let weights = unit_major(layer, values);
        add(linear, "weight", vec![layer.units, layer.inputs], weights);
        let ranges = [&layer.gamma, &layer.beta, &layer.mean, &layer.variance];
        let vectors = ranges
            .into_iter()
            .zip(TENSORS)
            .map(|(range, name)| (normalization, name, range));
        for (module, name, range) in std::iter::once((linear, "bias", &layer.biases)).chain(vectors) {
            if !range.is_empty() {
                let bytes = bytes_of(&values[range.clone()]);
                add(module, name, vec![layer.units], bytes);
            }
        }
        if layer.options.normalization == Some(Normalization::Batch) {
            let zero = 0i64.to_le_bytes().to_vec();
            tensors.push((format!("{normalization}.{COUNT}"), Dtype::I64, Vec::new(), zero));
        }
    }
    let refused = |error| Error::internal("tensors", "safetensors", error);
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, bytes)| Ok((name, TensorView::new(*dtype, shape.clone(), bytes)?)))
        .collect::<std::result::Result<Vec<_>, safetensors::SafeTensorError>>()
        .map_err(refused)?;
    let about = json!({ "version": VERSION, "options": options.to_json() });
    let metadata = [(KEY.to_string(), about.to_string())].into_iter().collect();
    safetensors::serialize(views, Some(metadata)).map_err(refused)
}

/// The network in the bytes of a file: one of ours, or of an `nn.Sequential` whose activations are `hints`.
///
/// # Errors
/// `CorruptFile` for what is no such file; `InvalidType` or `InvalidLength` where the hints do not fit.
pub fn open<'a>(bytes: &'a [u8], name: &str, hints: &Hints) -> Result<Stored<'a>> {
    let expected = "a whole safetensors file";
    let tensors = SafeTensors::deserialize(bytes).map_err(|error| corrupt(expected, name, error))?;
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(|error| corrupt(expected, name, error))?;
    let about = metadata
        .metadata()
        .as_ref()
        .and_then(|metadata| metadata.get(KEY));
    let mut modules = Modules::of(&tensors, name)?;
    let options = match about {
        Some(text) => own_options(text, name)?,
        None => modules.options(hints, name)?,
    };
    let layers = modules.take(&options, name)?;
    Ok(Stored { options, layers })
}

/// The tensors of modules, by the places of the modules.
struct Modules<'a>(BTreeMap<usize, BTreeMap<&'static str, TensorView<'a>>>);

impl<'a> Modules<'a> {
    fn of(tensors: &SafeTensors<'a>, file: &str) -> Result<Self> {
        let mut modules = Modules(BTreeMap::new());
        let mut prefix = None;
        for (name, tensor) in tensors.tensors() {
            let found = place_of(&name);
            let known =
                found.filter(|(before, ..)| *prefix.get_or_insert_with(|| before.to_string()) == *before);
            let Some((_, module, kind)) = known else {
                let expected = "tensors of an nn.Sequential, such as '0.weight',";
                return Err(corrupt(
                    expected,
                    file,
                    format!("'{}'", name.chars().take(60).collect::<String>()),
                ));
            };
            if kind != COUNT {
                modules.0.entry(module).or_default().insert(kind, tensor);
            }
        }
        Ok(modules)
    }

    /// The shape of the weights of a `Linear`, `[units, inputs]`.
    fn linear(&self, module: usize) -> Option<[usize; 2]> {
        let shape = self.0.get(&module)?.get("weight")?.shape();
        shape.try_into().ok()
    }

    /// The options of an `nn.Sequential` that PyTorch saved.
    fn options(&self, hints: &Hints, name: &str) -> Result<NetworkOptions> {
        let linears: Vec<(usize, [usize; 2])> = self
            .0
            .keys()
            .filter_map(|&module| Some((module, self.linear(module)?)))
            .collect();
        let Some(&(_, [_, inputs])) = linears.first() else {
            return Err(corrupt("a matrix of weights", name, "none"));
        };
        let count = linears.len();
        let rule = format!("an activation for each of the {count} layers, or for all but the last,");
        let argument = "options.activations";
        let Some(given) = &hints.activations else {
            let error = Error::new(Code::InvalidType, rule, argument, "undefined");
            return Err(error.cure("the file does not say them"));
        };
        if given.len() != count && given.len() + 1 != count {
            return Err(Error::new(Code::InvalidLength, rule, argument, given.len()));
        }
        let mut is_double = false;
        let layers = linears.iter().enumerate().map(|(l, &(module, [units, _]))| {
            let end = linears.get(l + 1).map_or(usize::MAX, |&(next, _)| next);
            let mut others = self.0.range(module + 1..end).map(|(_, tensors)| tensors);
            let normalization = others.next().map(|tensors| {
                if tensors.contains_key("running_mean") {
                    Normalization::Batch
                } else {
                    Normalization::Layer
                }
            });
            if others.next().is_some() {
                let expected = format!("at most one normalization after module {module}");
                return Err(corrupt(expected, name, "more"));
            }
            is_double |= self.0[&module]["weight"].dtype() == Dtype::F64;
            let activation = given.get(l).copied().unwrap_or(Activation::Linear);
            let layer = LayerOptions::new(units, activation, Initializer::FanInUniform);
            Ok(LayerOptions {
                normalization,
                ..layer
            })
        });
        let layers = layers.collect::<Result<Vec<_>>>()?;
        let loss = Loss::usual_for(layers[count - 1].activation);
        let precision = if is_double { Precision::F64 } else { Precision::F32 };
        let options = NetworkOptions {
            inputs,
            layers,
            loss,
            precision,
            seed: None,
        };
        // With all the checks of options that a user writes.
        NetworkOptions::from_json(&options.to_json())
    }

    /// The numbers of the layers of a network of these options, and nothing else.
    fn take(&mut self, options: &NetworkOptions, name: &str) -> Result<Vec<StoredLayer<'a>>> {
        let own = modules(&options.layers);
        let is_own = own.iter().all(|[linear, _]| self.linear(*linear).is_some());
        // Others' modules stand where they stand, in the same order.
        let linears: Vec<usize> = self
            .0
            .keys()
            .copied()
            .filter(|&m| self.linear(m).is_some())
            .collect();
        let mut inputs = options.inputs;
        let mut layers = Vec::new();
        for (l, layer) in options.layers.iter().enumerate() {
            let module = if is_own {
                Some(own[l][0])
            } else {
                linears.get(l).copied()
            };
            let Some(module) = module else {
                return Err(corrupt(
                    format!("{} layers", options.layers.len()),
                    name,
                    linears.len(),
                ));
            };
            let units = layer.units;
            let mut tensors = self.0.remove(&module).unwrap_or_default();
            let take =
                |tensors: &mut BTreeMap<&str, TensorView<'a>>, module: usize, kind: &str, shape: &[usize]| {
                    let Some(tensor) = tensors.remove(kind) else {
                        return Ok(None);
                    };
                    numbers(&tensor, &format!("{module}.{kind}"), shape, name).map(Some)
                };
            let weights = take(&mut tensors, module, "weight", &[units, inputs])?;
            let biases = take(&mut tensors, module, "bias", &[units])?;
            let weights =
                weights.ok_or_else(|| corrupt(format!("a tensor '{module}.weight'"), name, "none"))?;
            let mut normalization = [None, None, None, None];
            if layer.normalization.is_some() {
                let next = self.0.range(module + 1..).next().map(|(&module, _)| module);
                let place = next.unwrap_or(module + 1);
                let mut of = self.0.remove(&place).unwrap_or_default();
                for (slot, kind) in normalization.iter_mut().zip(TENSORS) {
                    *slot = take(&mut of, place, kind, &[units])?;
                }
                tensors.extend(of);
            }
            if let Some(kind) = tensors.keys().next() {
                return Err(corrupt(
                    "no other tensors",
                    name,
                    format!("a '{kind}' in layer {}", l + 1),
                ));
            }
            layers.push(StoredLayer {
                weights,
                is_input_major: false,
                biases,
                normalization,
            });
            inputs = units;
        }
        match self.0.keys().next() {
            Some(module) => Err(corrupt(
                "no other tensors",
                name,
                format!("those of module {module}"),
            )),
            None => Ok(layers),
        }
    }
}

/// What stands before the place of the module, that place, and the tensor's kind.
fn place_of(name: &str) -> Option<(&str, usize, &'static str)> {
    let (module, kind) = name.rsplit_once('.')?;
    let kind = TENSORS.into_iter().chain([COUNT]).find(|known| *known == kind)?;
    let digits = module.rsplit_once('.').map_or(module, |(_, digits)| digits);
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let place = digits
        .parse()
        .ok()
        .filter(|&place: &usize| is_number && place < usize::MAX)?;
    Some((&module[..module.len() - digits.len()], place, kind))
}

fn numbers<'a>(
    tensor: &TensorView<'a>,
    tensor_name: &str,
    shape: &[usize],
    name: &str,
) -> Result<Numbers<'a>> {
    if tensor.shape() != shape {
        let expected = format!("the shape {shape:?} of '{tensor_name}'");
        return Err(corrupt(expected, name, format!("{:?}", tensor.shape())));
    }
    let encoding = match tensor.dtype() {
        Dtype::F16 => Encoding::F16,
        Dtype::BF16 => Encoding::Bf16,
        Dtype::F32 => Encoding::F32,
        Dtype::F64 => Encoding::F64,
        other => {
            return Err(corrupt(
                format!("floating-point numbers in '{tensor_name}'"),
                name,
                format!("{other:?}"),
            ));
        }
    };
    Ok(Numbers::new(tensor.data(), encoding))
}
