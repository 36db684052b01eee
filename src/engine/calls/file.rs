//! The functions of files.

use std::path::PathBuf;

use crate::engine::calls::{Argument, Call, Function, Reply};
use crate::format::onnx::pipeline;
use crate::format::{Format, Hints};
use crate::nn::host::archive;
use crate::nn::{Error, Result};

/// By their names.
pub const FUNCTIONS: &[Function] = &[
    ("writeNetwork", write_network, &[]),
    ("writeModel", write_model, &[]),
    ("inspectFile", inspect_file, &[]),
    ("readNetwork", read_network, &[]),
    ("saveFile", save_file, &[]),
    ("saveNetwork", save_network, &[]),
    ("endTask", end_task, &[]),
];

/// `writeNetwork(buffer, format, seed): Uint8Array`: a file with the network in it.
fn write_network(call: &mut Call) -> Result<Reply> {
    let (buffer, format, seed) = (call.buffer()?, format(call)?, call.number()?);
    let mut models = call.home.models.borrow_mut();
    Ok(models.of(buffer)?.write(buffer, format, seed as u64)?.into())
}

/// `writeModel(description, ...networks): Uint8Array`: an ONNX file of a model of tables, of its JSON and its networks in
/// ONNX.
fn write_model(call: &mut Call) -> Result<Reply> {
    let (description, mut networks) = (call.json()?, Vec::new());
    while let Argument::Bytes(network) = call.argument() {
        networks.push(network);
    }
    Ok(pipeline::write(&description, &networks)?.into())
}

/// `inspectFile(bytes, format, name, hints): string`: the options of the network in a file, as JSON.
fn inspect_file(call: &mut Call) -> Result<Reply> {
    let (bytes, format, name, hints) = (call.bytes()?, format(call)?, call.text()?, hints(call)?);
    Ok(format.open(bytes, &name, &hints)?.options.to_json().into())
}

/// `readNetwork(buffer, bytes, format, name, hints)`: the numbers of that network. If it throws, those in the buffer are of
/// no use.
fn read_network(call: &mut Call) -> Result<Reply> {
    let (buffer, bytes) = (call.buffer()?, call.bytes()?);
    let (format, name, hints) = (format(call)?, call.text()?, hints(call)?);
    let stored = format.open(bytes, &name, &hints)?;
    let mut models = call.home.models.borrow_mut();
    Ok(models.of(buffer)?.fill(buffer, &stored, &name)?.into())
}

/// `saveFile(path, bytes, wake): number`: writes a file on a thread; the number of the task.
fn save_file(call: &mut Call) -> Result<Reply> {
    let (path, bytes, wake) = (PathBuf::from(call.text()?), call.bytes()?.to_vec(), call.wake()?);
    let work = move || {
        archive::save(&path, &bytes)?;
        Ok(Box::new(()) as _)
    };
    call.start(Box::new(work), wake)
}

/// `saveNetwork(path, buffer, wake, format, seed): number`: writes a file with the network in it on a thread; the number of
/// the task.
fn save_network(call: &mut Call) -> Result<Reply> {
    let (path, buffer, wake) = (PathBuf::from(call.text()?), call.buffer()?, call.wake()?);
    let (format, seed) = (format(call)?, call.number()?);
    let work = {
        let mut models = call.home.models.borrow_mut();
        models.of(buffer)?.saver(buffer, format, seed as u64, path)?
    };
    call.start(work, wake)
}

/// `endTask(task)`: throws what it failed by. The task is gone afterwards.
fn end_task(call: &mut Call) -> Result<Reply> {
    call.task()?.take()?;
    Ok(Reply::Nothing)
}

fn format(call: &mut Call) -> Result<Format> {
    let name = call.text()?;
    let found = Format::ALL.iter().find(|(known, _)| *known == name);
    let &(_, format) = found.ok_or_else(|| Error::internal("a format", "the call", name))?;
    Ok(format)
}

fn hints(call: &mut Call) -> Result<Hints> {
    Hints::from_json(&call.json()?)
}
