//! The functions of tables: reading them, putting rows in another order, measuring predictions.

use std::path::PathBuf;

use serde_json::json;

use crate::engine::calls::network::measures;
use crate::engine::calls::{Call, Function, Numbers, Reply};
use crate::format::csv::{self, Column, Options, Values};
use crate::nn::host;
use crate::nn::network::Loss;
use crate::nn::settings::Named;
use crate::nn::{Code, Error, Generator, Result, evaluation};

/// By their names.
pub const FUNCTIONS: &[Function] = &[
    ("readTable", read_table, &[]),
    ("openTable", open_table, &[]),
    ("takeTable", take_table, &[]),
    ("permutation", permutation, &[]),
    ("measure", measure, &[]),
];

/// `readTable(bytes, options): [string, ...]`: see [`parts`].
fn read_table(call: &mut Call) -> Result<Reply> {
    let (bytes, options) = (call.bytes()?, Options::from_json(&call.json()?)?);
    Ok(parts(csv::read(|| Ok(bytes), "the text", &options)?))
}

/// `openTable(path, options, wake): number`: reads a file on a thread; the number of the task.
fn open_table(call: &mut Call) -> Result<Reply> {
    let (path, options) = (PathBuf::from(call.text()?), Options::from_json(&call.json()?)?);
    let work = move || {
        let name = format!("'{}'", path.display());
        let open = || {
            host::files::open(&path)
                .map(|(file, _)| file)
                .map_err(|error| Error::new(Code::File, "a file that can be read", name.as_str(), error))
        };
        Ok(Box::new(csv::read(open, &name, &options)?) as _)
    };
    let wake = call.wake()?;
    call.start(Box::new(work), wake)
}

/// `takeTable(task): [string, ...]`: see [`parts`]; throws what it failed by. The task is gone afterwards.
fn take_table(call: &mut Call) -> Result<Reply> {
    let columns = call.task()?.take()?.downcast::<Vec<Column>>();
    let columns = columns.map_err(|_| Error::internal("the task of a table", "takeTable", "another"))?;
    Ok(parts(*columns))
}

/// Columns: as JSON the name of each and, where it is of words, these; and an array of each, of numbers, NaN where one is
/// missing, or of the places of the cells' words among the words.
fn parts(columns: Vec<Column>) -> Reply {
    let (known, arrays): (Vec<_>, Vec<_>) = columns
        .into_iter()
        .map(|Column { name, values }| match values {
            Values::Numbers(numbers) => (json!({ "name": name }), Numbers::Doubles(numbers)),
            Values::Words { codes, words } => {
                (json!({ "name": name, "words": words }), Numbers::Places(codes))
            }
        })
        .unzip();
    Reply::Parts(json!(known).to_string(), arrays)
}

/// `permutation(count, seed, use): Uint32Array`: the places below `count` in a random order. Each use of a seed has one of
/// its own.
fn permutation(call: &mut Call) -> Result<Reply> {
    let (count, seed, purpose) = (call.count()? as u32, call.number()?, call.count()?);
    let mut places: Vec<u32> = (0..count).collect();
    let mut generator = Generator::stream(seed as u64, [purpose as u64, u64::from(count), 0]);
    generator.shuffle(&mut places, &|| false);
    Ok(Reply::Array(Numbers::Places(places)))
}

/// `measure(loss, outputs, targets, units): [string, ...]`: see [`measures`]; of rows of `units` outputs that a network of
/// this loss gave. The loss itself is left to the caller.
fn measure(call: &mut Call) -> Result<Reply> {
    let loss = Loss::read("loss", &call.text()?.into())?;
    let (outputs, targets, units) = (call.doubles()?, call.doubles()?, call.count()?);
    if units == 0 || outputs.len() != targets.len() || !outputs.len().is_multiple_of(units) {
        return Err(Error::internal(
            "as many outputs as targets",
            "measure",
            outputs.len(),
        ));
    }
    let measured = evaluation::measures::measure(loss, 0.0, outputs, targets, units, &|| false)?;
    Ok(measures(measured.unwrap_or_default()))
}
