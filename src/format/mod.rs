//! Networks and runs as files.
//!
//! | module | holds |
//! |---|---|
//! | [`stored`] | a network in a file: its options, and its numbers where the file has them |
//! | [`safetensors`] | networks as the `state_dict` of an `nn.Sequential` of PyTorch |
//! | [`csv`] | tables as comma-separated values |
//! | [`onnx`] | networks as ONNX graphs |

pub mod csv;
pub mod onnx;
pub mod safetensors;
pub mod stored;

pub use stored::Stored;

use serde_json::Value;

use crate::nn::network::{Activation, Network, NetworkOptions};
use crate::nn::settings::Named;
use crate::nn::vector::Real;
use crate::nn::{Code, Error, Result, wording};

/// A format that holds networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// See [`safetensors`].
    Safetensors,
    /// See [`onnx`].
    Onnx,
}

/// What a reader knows of a network that its file does not say.
#[derive(Clone, Debug, Default)]
pub struct Hints {
    /// The activation of each layer, or of all but the last.
    pub activations: Option<Vec<Activation>>,
}

impl Hints {
    /// Reads options such as `{ "activations": ["relu", "relu", "linear"] }`.
    ///
    /// # Errors
    /// Those of options, for the first value that is wrong.
    pub fn from_json(value: &Value) -> Result<Self> {
        let Some(object) = value.as_object() else {
            return Err(Error::internal("an object", "the hints", "another value"));
        };
        wording::check_keys("options", &["activations"], object)?;
        let (name, rule) = ("options.activations", "an array of activations");
        let activations = match object.get("activations") {
            None => None,
            Some(Value::Array(names)) => {
                let read = |(l, name_of): (usize, &Value)| Activation::read(&format!("{name}[{l}]"), name_of);
                Some(names.iter().enumerate().map(read).collect::<Result<_>>()?)
            }
            Some(other) => {
                let received = wording::Shown(other).to_string();
                return Err(Error::new(Code::InvalidType, rule, name, received));
            }
        };
        Ok(Hints { activations })
    }
}

impl Format {
    /// Every format by name: the one list there is.
    pub const ALL: [(&str, Format); 2] = [("safetensors", Format::Safetensors), ("onnx", Format::Onnx)];

    /// The bytes of a file with the network in it.
    ///
    /// # Errors
    /// `InvalidCombination` for a network that the format cannot hold.
    pub fn write<T: Real>(self, network: Network<T>) -> Result<Vec<u8>> {
        match self {
            Format::Safetensors => safetensors::write(network),
            Format::Onnx => onnx::write(network),
        }
    }

    /// The network in the bytes of a file. `name` is the file's, for errors.
    ///
    /// # Errors
    /// `CorruptFile` for what is no such file; those of options where the hints do not fit.
    pub fn open<'a>(self, bytes: &'a [u8], name: &str, hints: &Hints) -> Result<Stored<'a>> {
        match self {
            Format::Safetensors => safetensors::open(bytes, name, hints),
            Format::Onnx => onnx::open(bytes, name),
        }
    }
}

/// The error of a file whose content is not what it should be.
pub fn corrupt(expected: impl std::fmt::Display, name: &str, received: impl std::fmt::Display) -> Error {
    Error::new(Code::CorruptFile, expected.to_string(), name, received)
}

/// The version of what our files have among their metadata: `{ "version": 1, "options": ... }`.
const VERSION: u64 = 1;

/// The options among the metadata of one of our own files.
fn own_options(text: &str, name: &str) -> Result<NetworkOptions> {
    let about: Value =
        serde_json::from_str(text).map_err(|error| corrupt("JSON in the metadata", name, error))?;
    if about["version"] != VERSION {
        let received = wording::Shown(&about["version"]).to_string();
        return Err(corrupt(
            format!("version {VERSION} of mikir's metadata"),
            name,
            received,
        ));
    }
    NetworkOptions::from_json(&about["options"])
        .map_err(|error| corrupt("the options of a network in the metadata", name, error))
}
