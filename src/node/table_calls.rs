//! The functions of tables: reading them, putting rows in another order, measuring predictions.

use std::path::PathBuf;

use napi::bindgen_prelude::{Float64Array, Uint8Array, Uint32Array};
use napi_derive::napi;

use crate::format::csv::{self, Column, Options, Values};
use crate::nn::host;
use crate::nn::network::Loss;
use crate::nn::settings::Named;
use crate::nn::{Code, Error, Generator, Result, evaluation};
use crate::node::call::{Call, Environment};
use crate::node::network_calls::Measures;
use crate::node::trainer_calls::{start_task, take_task};

/// A column: numbers, NaN where one is missing; or the place of each cell's word among the words.
#[napi(object)]
pub struct ColumnInfo {
    pub name: String,
    pub numbers: Option<Float64Array>,
    pub codes: Option<Uint32Array>,
    pub words: Option<Vec<String>>,
}

impl From<Column> for ColumnInfo {
    fn from(Column { name, values }: Column) -> Self {
        let (numbers, codes, words) = match values {
            Values::Numbers(numbers) => (Some(numbers.into()), None, None),
            Values::Words { codes, words } => (None, Some(codes.into()), Some(words)),
        };
        ColumnInfo {
            name,
            numbers,
            codes,
            words,
        }
    }
}

/// `readTable(bytes, options): ColumnInfo[]`
pub fn read_table(call: &Call, _: &Environment) -> Result<Vec<ColumnInfo>> {
    let bytes = call.argument::<Uint8Array>(0)?;
    let columns = csv::read(|| Ok(&bytes[..]), "the text", &options(call)?)?;
    Ok(columns.into_iter().map(ColumnInfo::from).collect())
}

/// `openTable(path, options, wake): number`: reads a file on a thread; the number of the task.
pub fn open_table(call: &Call, home: &Environment) -> Result<u32> {
    let (path, options) = (PathBuf::from(call.argument::<String>(0)?), options(call)?);
    let work = move || {
        let name = format!("'{}'", path.display());
        let open = || {
            host::files::open(&path)
                .map(|(file, _)| file)
                .map_err(|error| Error::new(Code::File, "a file that can be read", name.as_str(), error))
        };
        Ok(Box::new(csv::read(open, &name, &options)?) as _)
    };
    start_task(call, home, Box::new(work))
}

/// `takeTable(task): ColumnInfo[]`: throws what it failed by. The task is gone afterwards.
pub fn take_table(call: &Call, home: &Environment) -> Result<Vec<ColumnInfo>> {
    let read = take_task(home, call.argument(0)?)?.take()?;
    let columns = read.downcast::<Vec<Column>>();
    let columns = columns.map_err(|_| Error::internal("the task of a table", "takeTable", "another"))?;
    Ok(columns.into_iter().map(ColumnInfo::from).collect())
}

/// `permutation(count, seed, use): Uint32Array`: the places below `count` in a random order. Each use of a seed has one of
/// its own.
pub fn permutation(call: &Call, _: &Environment) -> Result<Uint32Array> {
    let (count, seed, purpose) = (
        call.argument::<u32>(0)?,
        call.argument::<f64>(1)?,
        call.argument::<u32>(2)?,
    );
    let mut places: Vec<u32> = (0..count).collect();
    let mut generator = Generator::stream(seed as u64, [u64::from(purpose), u64::from(count), 0]);
    generator.shuffle(&mut places, &|| false);
    Ok(places.into())
}

/// `measure(loss, outputs, targets, units): Measures`: the measures of rows of `units` outputs that a network of
/// this loss gave. The loss itself is left to the caller.
pub fn measure(call: &Call, _: &Environment) -> Result<Measures> {
    let loss = serde_json::Value::from(call.argument::<String>(0)?);
    let (outputs, targets) = (
        call.argument::<Float64Array>(1)?,
        call.argument::<Float64Array>(2)?,
    );
    let units = call.argument::<u32>(3)? as usize;
    if units == 0 || outputs.len() != targets.len() || !outputs.len().is_multiple_of(units) {
        return Err(Error::internal(
            "as many outputs as targets",
            "measure",
            outputs.len(),
        ));
    }
    let loss = Loss::read("loss", &loss)?;
    let measured = evaluation::measures::measure(loss, 0.0, &outputs, &targets, units, &|| false)?;
    Ok(measured.unwrap_or_default().into())
}

fn options(call: &Call) -> Result<Options> {
    let json = serde_json::from_str(&call.argument::<String>(1)?);
    Options::from_json(&json.map_err(|error| Error::internal("JSON", "the options", error))?)
}
