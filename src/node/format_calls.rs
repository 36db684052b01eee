//! The functions of files.

use std::path::PathBuf;

use napi::bindgen_prelude::{ArrayBuffer, Buffer, Uint8Array};

use crate::format::onnx::pipeline;
use crate::format::{Format, Hints};
use crate::nn::host::archive;
use crate::nn::{Error, Result};
use crate::node::call::{Call, Environment, bytes_mut};
use crate::node::trainer_calls::start_task;

/// `writeNetwork(buffer, format, seed): Buffer`: a file with the network in it.
pub fn write_network(call: &Call, home: &Environment) -> Result<Buffer> {
    let (mut buffer, seed) = (call.argument::<ArrayBuffer>(0)?, call.argument::<f64>(2)?);
    let (format, bytes) = (format(call, 1)?, bytes_mut(&mut buffer));
    let written = home
        .models
        .borrow_mut()
        .of(bytes)?
        .write(bytes, format, seed as u64)?;
    Ok(written.into())
}

/// `writeModel(description, networks): Buffer`: an ONNX file of a model of tables, of its JSON and its networks in ONNX.
pub fn write_model(call: &Call, _: &Environment) -> Result<Buffer> {
    let description = serde_json::from_str(&call.argument::<String>(0)?);
    let description = description.map_err(|error| Error::internal("a model", "writeModel", error))?;
    let networks = call.argument::<Vec<Uint8Array>>(1)?;
    Ok(pipeline::write(&description, &networks)?.into())
}

/// `inspectFile(bytes, format, name, hints): string`: the options of the network in a file, as JSON.
pub fn inspect_file(call: &Call, _: &Environment) -> Result<String> {
    let (bytes, hints) = (call.argument::<Uint8Array>(0)?, hints(call, 3)?);
    let stored = format(call, 1)?.open(&bytes, &call.argument::<String>(2)?, &hints)?;
    Ok(stored.options.to_json().to_string())
}

/// `readNetwork(buffer, bytes, format, name, hints)`: the numbers of that network. If it throws, those in the buffer are of
/// no use.
pub fn read_network(call: &Call, home: &Environment) -> Result<()> {
    let (mut buffer, bytes) = (call.argument::<ArrayBuffer>(0)?, call.argument::<Uint8Array>(1)?);
    let (name, hints) = (call.argument::<String>(3)?, hints(call, 4)?);
    let stored = format(call, 2)?.open(&bytes, &name, &hints)?;
    let to = bytes_mut(&mut buffer);
    home.models.borrow_mut().of(to)?.fill(to, &stored, &name)
}

/// `saveFile(path, bytes, wake): number`: writes a file on a thread; the number of the task.
pub fn save_file(call: &Call, home: &Environment) -> Result<u32> {
    let path = PathBuf::from(call.argument::<String>(0)?);
    let bytes = call.argument::<Uint8Array>(1)?.to_vec();
    let work = move || {
        archive::save(&path, &bytes)?;
        Ok(Box::new(()) as _)
    };
    start_task(call, home, Box::new(work))
}

/// `saveNetwork(path, buffer, wake, format, seed): number`: writes a file with the network in it on a thread; the number of
/// the task.
pub fn save_network(call: &Call, home: &Environment) -> Result<u32> {
    let path = PathBuf::from(call.argument::<String>(0)?);
    let (mut buffer, seed) = (call.argument::<ArrayBuffer>(1)?, call.argument::<f64>(4)?);
    let (format, bytes) = (format(call, 3)?, bytes_mut(&mut buffer));
    let work = home
        .models
        .borrow_mut()
        .of(bytes)?
        .saver(bytes, format, seed as u64, path)?;
    start_task(call, home, work)
}

fn format(call: &Call, index: usize) -> Result<Format> {
    let name = call.argument::<String>(index)?;
    let found = Format::ALL.iter().find(|(known, _)| *known == name);
    found.map_or_else(
        || Err(Error::internal("a format", "the call", &name)),
        |(_, format)| Ok(*format),
    )
}

fn hints(call: &Call, index: usize) -> Result<Hints> {
    let json = serde_json::from_str(&call.argument::<String>(index)?);
    Hints::from_json(&json.map_err(|error| Error::internal("JSON", "the hints", error))?)
}
