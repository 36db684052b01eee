//! The functions of data sets.

use napi::bindgen_prelude::{ArrayBuffer, Float32Array, Float64Array};
use napi_derive::napi;

use crate::engine::data_set::DataSet;
use crate::nn::data::Part;
use crate::nn::{Error, Result};
use crate::node::call::{Call, Environment, no_such, place};

/// `createData(buffer, isOfGradients): number`: an empty data set for the network.
pub fn create_data(call: &Call, home: &Environment) -> Result<u32> {
    let (buffer, is_of_gradients) = (call.argument::<ArrayBuffer>(0)?, call.argument::<bool>(1)?);
    let data = home.models.borrow_mut().of(&buffer)?.data(is_of_gradients);
    Ok(home.fits.borrow_mut().data.insert(data) as u32)
}

/// `appendData(data, part, numbers, total): number`: -1, or the place of the first number that is not finite.
/// The parts are those of the border; `total` is how many numbers the part will have.
pub fn append_data(call: &Call, home: &Environment) -> Result<f64> {
    let (number, part, total) = (
        call.argument(0)?,
        call.argument::<u32>(1)?,
        call.argument::<f64>(3)?,
    );
    let part = *Part::ALL
        .get(part as usize)
        .ok_or_else(|| Error::internal("a part", "appendData", part))?;
    let doubles = call.argument::<Float64Array>(2);
    let singles = doubles
        .is_err()
        .then(|| call.argument::<Float32Array>(2))
        .transpose()?;
    let mut fits = home.fits.borrow_mut();
    let data = fits
        .data
        .get_mut(number as usize)
        .ok_or_else(|| no_such("data set", number))?;
    Ok(place(match (doubles, singles) {
        (Ok(numbers), _) => data.append_f64(part, &numbers, total as usize)?,
        (_, Some(numbers)) => data.append_f32(part, &numbers, total as usize)?,
        _ => None,
    }))
}

/// A datum that the loss or the weights refuse; a row or column of -1 stands for all of them.
#[napi(object)]
pub struct RefusalInfo {
    pub part: u32,
    pub row: f64,
    pub column: f64,
    pub expected: String,
    pub received: String,
}

/// `checkData(data, isStep): RefusalInfo | null`
pub fn check_data(call: &Call, home: &Environment) -> Result<Option<RefusalInfo>> {
    let (number, is_step) = (call.argument(0)?, call.argument::<bool>(1)?);
    let mut fits = home.fits.borrow_mut();
    let data = fits
        .data
        .get_mut(number as usize)
        .ok_or_else(|| no_such("data set", number))?;
    Ok(data.check(is_step).map(|refusal| RefusalInfo {
        part: refusal.part as u32,
        row: place(refusal.row),
        column: place(refusal.column),
        expected: refusal.expected.into(),
        received: refusal.received.to_string(),
    }))
}

/// `dropData(data)`: nothing took it.
pub fn drop_data(call: &Call, home: &Environment) -> Result<()> {
    take_data(home, call.argument(0)?).map(drop)
}

pub fn take_data(home: &Environment, number: u32) -> Result<Box<dyn DataSet>> {
    let data = home.fits.borrow_mut().data.try_remove(number as usize);
    data.ok_or_else(|| no_such("data set", number))
}
