//! The functions of data sets.

use serde_json::json;

use crate::engine::calls::{Argument, Call, Function, Reply, signed, taken, wrong};
use crate::nn::data::Part;
use crate::nn::{Error, Result};

/// By their names.
pub const FUNCTIONS: &[Function] = &[
    ("createData", create_data, &[]),
    ("appendData", append_data, &[]),
    ("checkData", check_data, &[]),
    ("dropData", drop_data, &[]),
];

/// `createData(buffer, isOfGradients): number`: an empty data set for the network.
fn create_data(call: &mut Call) -> Result<Reply> {
    let (buffer, is_of_gradients) = (call.buffer()?, call.flag()?);
    let data = call.home.models.borrow_mut().of(buffer)?.data(is_of_gradients);
    Ok(call.fits().data.insert(data).into())
}

/// `appendData(data, part, numbers, total): number`: -1, or the place of the first number that is not finite.
/// The parts are those of the border; `total` is how many numbers the part will have.
fn append_data(call: &mut Call) -> Result<Reply> {
    let (number, part, numbers, total) = (call.count()?, call.count()?, call.argument(), call.count()?);
    let part = *Part::ALL
        .get(part)
        .ok_or_else(|| Error::internal("a part", "appendData", part))?;
    let mut fits = call.fits();
    let data = taken(fits.data.get_mut(number), "data set", number)?;
    let place = match numbers {
        Argument::Doubles(numbers) => data.append_f64(part, numbers, total)?,
        Argument::Singles(numbers) => data.append_f32(part, numbers, total)?,
        _ => return Err(wrong("an array of floats")),
    };
    Ok(place.into())
}

/// `checkData(data, isStep): string | undefined`: as JSON the datum that the loss or the weights refuse; a row or column of
/// -1 stands for all of them.
fn check_data(call: &mut Call) -> Result<Reply> {
    let (number, is_step) = (call.count()?, call.flag()?);
    let mut fits = call.fits();
    let refusal = taken(fits.data.get_mut(number), "data set", number)?.check(is_step);
    Ok(refusal.map_or(Reply::Nothing, |refusal| {
        json!({
            "part": refusal.part as u32,
            "row": signed(refusal.row),
            "column": signed(refusal.column),
            "expected": refusal.expected,
            "received": refusal.received.to_string(),
        })
        .into()
    }))
}

/// `dropData(data)`: nothing took it.
fn drop_data(call: &mut Call) -> Result<Reply> {
    call.data().map(drop)?;
    Ok(Reply::Nothing)
}
