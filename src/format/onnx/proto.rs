//! The messages of `onnx.proto3` that a multilayer perceptron takes, with the numbers of their fields.
#![allow(missing_docs, reason = "the fields are those of the ONNX specification")]

use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};
use prost::{DecodeError, Message};

#[derive(Clone, PartialEq, Message)]
pub struct Model {
    #[prost(int64, tag = "1")]
    pub ir_version: i64,
    #[prost(string, tag = "2")]
    pub producer_name: String,
    #[prost(message, optional, tag = "7")]
    pub graph: Option<Graph>,
    #[prost(message, repeated, tag = "8")]
    pub opset_import: Vec<OperatorSet>,
    #[prost(message, repeated, tag = "14")]
    pub metadata_props: Vec<Entry>,
}

#[derive(Clone, PartialEq, Message)]
pub struct OperatorSet {
    #[prost(string, tag = "1")]
    pub domain: String,
    #[prost(int64, tag = "2")]
    pub version: i64,
}

#[derive(Clone, PartialEq, Message)]
pub struct Entry {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Graph {
    #[prost(message, repeated, tag = "1")]
    pub node: Vec<Node>,
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(message, repeated, tag = "5")]
    pub initializer: Vec<Tensor>,
    #[prost(message, repeated, tag = "11")]
    pub input: Vec<ValueInfo>,
    #[prost(message, repeated, tag = "12")]
    pub output: Vec<ValueInfo>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Node {
    #[prost(string, repeated, tag = "1")]
    pub input: Vec<String>,
    #[prost(string, repeated, tag = "2")]
    pub output: Vec<String>,
    #[prost(string, tag = "3")]
    pub name: String,
    #[prost(string, tag = "4")]
    pub op_type: String,
    #[prost(message, repeated, tag = "5")]
    pub attribute: Vec<Attribute>,
    #[prost(string, tag = "7")]
    pub domain: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct Attribute {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(float, tag = "2")]
    pub f: f32,
    #[prost(int64, tag = "3")]
    pub i: i64,
    #[prost(bytes = "vec", tag = "4")]
    pub s: Vec<u8>,
    #[prost(message, optional, tag = "5")]
    pub t: Option<Tensor>,
    #[prost(float, repeated, tag = "7")]
    pub floats: Vec<f32>,
    #[prost(int64, repeated, tag = "8")]
    pub ints: Vec<i64>,
    #[prost(bytes = "vec", repeated, tag = "9")]
    pub strings: Vec<Vec<u8>>,
    #[prost(int32, tag = "20")]
    pub r#type: i32,
}

/// The values of [`Attribute::type`].
pub const FLOAT_ATTRIBUTE: i32 = 1;
pub const INT_ATTRIBUTE: i32 = 2;
pub const FLOATS_ATTRIBUTE: i32 = 6;
pub const INTS_ATTRIBUTE: i32 = 7;
pub const STRINGS_ATTRIBUTE: i32 = 8;

#[derive(Clone, PartialEq, Message)]
pub struct Tensor {
    #[prost(int64, repeated, tag = "1")]
    pub dims: Vec<i64>,
    #[prost(int32, tag = "2")]
    pub data_type: i32,
    #[prost(float, repeated, tag = "4")]
    pub float_data: Vec<f32>,
    #[prost(bytes = "vec", repeated, tag = "6")]
    pub string_data: Vec<Vec<u8>>,
    #[prost(int64, repeated, tag = "7")]
    pub int64_data: Vec<i64>,
    #[prost(string, tag = "8")]
    pub name: String,
    #[prost(bytes = "vec", tag = "9")]
    pub raw_data: Vec<u8>,
    #[prost(double, repeated, tag = "10")]
    pub double_data: Vec<f64>,
    #[prost(int32, tag = "14")]
    pub data_location: i32,
}

/// The values of [`Tensor::data_type`].
pub const FLOAT: i32 = 1;
pub const INT32: i32 = 6;
pub const INT64: i32 = 7;
pub const STRING: i32 = 8;
pub const FLOAT16: i32 = 10;
pub const DOUBLE: i32 = 11;
pub const BFLOAT16: i32 = 16;

#[derive(Clone, PartialEq, Message)]
pub struct ValueInfo {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(message, optional, tag = "2")]
    pub r#type: Option<Type>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Type {
    #[prost(message, optional, tag = "1")]
    pub tensor_type: Option<TensorType>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TensorType {
    #[prost(int32, tag = "1")]
    pub elem_type: i32,
    #[prost(message, optional, tag = "2")]
    pub shape: Option<Shape>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Shape {
    #[prost(message, repeated, tag = "1")]
    pub dim: Vec<Dimension>,
}

#[derive(Clone, PartialEq, Message)]
pub struct Dimension {
    #[prost(int64, optional, tag = "1")]
    pub dim_value: Option<i64>,
    #[prost(string, optional, tag = "2")]
    pub dim_param: Option<String>,
}

/// The most fields that the messages of a file may have: each takes memory, however few bytes it has in the file.
const MOST_FIELDS: usize = 200_000;

/// How many levels of messages are counted: those of model, graph, node, attribute and tensor.
const LEVELS: u32 = 4;

/// Reads a model.
///
/// # Errors
/// With the reason where it is none, or has too many fields.
pub fn decode(bytes: &[u8]) -> Result<Model, String> {
    let mut left = MOST_FIELDS;
    count(bytes, 0, 0, &mut left).map_err(|error| error.to_string())?;
    if left == 0 {
        return Err(format!("more than {MOST_FIELDS} fields"));
    }
    Model::decode(bytes).map_err(|error| error.to_string())
}

/// Whether a field of a message of this kind is a message that is counted too; its kind.
fn inner(kind: u32, tag: u32) -> Option<u32> {
    // Kinds: 0 model, 1 graph, 2 node, 3 attribute, 4 tensor, 5 others.
    match (kind, tag) {
        (0, 7) => Some(1),
        (0, 8 | 14) | (1, 11 | 12) => Some(5),
        (1, 1) => Some(2),
        (1, 5) | (3, 5) => Some(4),
        (2, 5) => Some(3),
        _ => None,
    }
}

fn count(mut bytes: &[u8], kind: u32, level: u32, left: &mut usize) -> Result<(), DecodeError> {
    while !bytes.is_empty() && *left > 0 {
        *left -= 1;
        let (tag, wire) = decode_key(&mut bytes)?;
        match inner(kind, tag) {
            Some(kind) if wire == WireType::LengthDelimited && level < LEVELS => {
                // What is too long is refused by the decoder.
                let length = decode_varint(&mut bytes)?.min(bytes.len() as u64);
                let (message, rest) = bytes.split_at(length as usize);
                count(message, kind, level + 1, left)?;
                bytes = rest;
            }
            _ => skip_field(wire, tag, &mut bytes, DecodeContext::default())?,
        }
    }
    Ok(())
}
