//! Rows of any precision.

use std::any::Any;

use crate::nn::data::{Data, Part, Refusal};
use crate::nn::{Error, Real, Result};

/// A data set, whatever its precision.
pub trait DataSet: Any {
    /// See [`Data::append`].
    fn append_f64(&mut self, part: Part, numbers: &[f64], total: usize) -> Result<Option<usize>>;
    /// The same for single precision.
    fn append_f32(&mut self, part: Part, numbers: &[f32], total: usize) -> Result<Option<usize>>;
    /// See [`Data::check`].
    fn check(&self, is_step: bool) -> Option<Refusal>;
}

impl<T: Real> DataSet for Data<T> {
    fn append_f64(&mut self, part: Part, numbers: &[f64], total: usize) -> Result<Option<usize>> {
        self.append(part, numbers, total)
    }

    fn append_f32(&mut self, part: Part, numbers: &[f32], total: usize) -> Result<Option<usize>> {
        self.append(part, numbers, total)
    }

    fn check(&self, is_step: bool) -> Option<Refusal> {
        Data::check(self, is_step)
    }
}

/// The data set, which was made for this precision.
pub fn own<T: Real>(data: Box<dyn DataSet>) -> Result<Data<T>> {
    let data: Box<dyn Any> = data;
    match data.downcast::<Data<T>>() {
        Ok(data) => Ok(*data),
        Err(_) => Err(Error::internal(
            "data of the network's precision",
            "the call",
            "other data",
        )),
    }
}
