//! The functions that a host hands to its JavaScript, each written once for all hosts.
//!
//! A host makes a [`Call`] of what JavaScript passes, and what JavaScript gets of the [`Reply`]. Three functions are not
//! among these, because they have to be faster than any list of arguments: `predict`, `train` and `step` take one buffer
//! (see [`Home`]).
//!
//! | module | holds |
//! |---|---|
//! | [`network`] | the functions of networks |
//! | [`data`] | the functions of data sets |
//! | [`fit`] | the functions of fits |
//! | [`trainer`] | the functions of trainers |
//! | [`table`] | the functions of tables |
//! | [`mod@file`] | the functions of files |

pub mod data;
pub mod file;
pub mod fit;
pub mod network;
pub mod table;
pub mod trainer;

use std::cell::{RefCell, RefMut};
use std::sync::Arc;
use std::vec;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::engine::data_set::DataSet;
use crate::engine::fit::{BackgroundTask, Fit, Fits};
use crate::engine::model::Models;
use crate::engine::trainer::{self as step_buffer, Background, Trainer};
use crate::nn::host::Clock;
use crate::nn::vector::simd::{Portable, Scalar};
use crate::nn::{Activation, Error, Result};

/// A function of JavaScript: its name, what it does, and the places of the arguments that it fills.
pub type Function = (&'static str, fn(&mut Call) -> Result<Reply>, &'static [usize]);

/// All of them. A host may call them by their places.
pub fn functions() -> Vec<Function> {
    let own: &[Function] = &[("now", now, &[]), ("sigmoid", sigmoid, &[])];
    [
        own,
        network::FUNCTIONS,
        data::FUNCTIONS,
        fit::FUNCTIONS,
        trainer::FUNCTIONS,
        table::FUNCTIONS,
        file::FUNCTIONS,
    ]
    .concat()
}

/// What one JavaScript environment has.
#[derive(Default)]
pub struct Home {
    /// Its models.
    pub models: RefCell<Models>,
    /// Its fits, and what belongs to them.
    pub fits: RefCell<Fits>,
    clock: Clock,
}

impl Home {
    /// `predict(buffer)`: see [`Model::predict`](crate::engine::model::Model::predict).
    #[inline]
    pub fn predict(&self, buffer: &mut [u8]) -> Result<()> {
        self.models.borrow_mut().of(buffer)?.predict(buffer)
    }

    /// `train(buffer)`: see [`Model::train`](crate::engine::model::Model::train).
    #[inline]
    pub fn train(&self, buffer: &mut [u8]) -> Result<()> {
        self.models.borrow_mut().of(buffer)?.train(buffer)
    }

    /// `step(buffer)`: see [`Trainer::step`].
    #[inline]
    pub fn step(&self, buffer: &mut [u8]) -> Result<()> {
        let number = step_buffer::number(buffer);
        let mut fits = self.fits.borrow_mut();
        let found = number.and_then(|number| fits.trainers.get_mut(number as usize));
        found
            .ok_or_else(|| Error::internal("a trainer's buffer", "step", "another"))?
            .step(buffer)
    }
}

/// What a host can do for a call.
pub trait Host: Sync {
    /// Whether the call is to end; asked now and then by any thread that works for it.
    fn is_cut(&self) -> bool {
        false
    }
    /// Tells the garbage collector of memory that it does not see.
    fn adjust_memory(&self, _bytes: i64) {}
}

/// What JavaScript passes.
pub enum Argument<'c> {
    /// `undefined` or `null`.
    Nothing,
    /// A boolean.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// A network's buffer.
    Buffer(&'c mut [u8]),
    /// A `Uint8Array`.
    Bytes(&'c [u8]),
    /// A `Float64Array`.
    Doubles(&'c mut [f64]),
    /// A `Float32Array`.
    Singles(&'c mut [f32]),
    /// A function without arguments, to be called from any thread.
    Wake(Box<dyn Fn() + Send>),
}

/// What JavaScript gets.
pub enum Reply {
    /// `undefined`.
    Nothing,
    /// A boolean.
    Flag(bool),
    /// A number.
    Number(f64),
    /// A string.
    Text(String),
    /// A typed array.
    Array(Numbers),
    /// An array of a string and typed arrays.
    Parts(String, Vec<Numbers>),
}

/// The numbers of a typed array.
pub enum Numbers {
    /// Of a `Uint8Array`.
    Bytes(Vec<u8>),
    /// Of a `Uint32Array`.
    Places(Vec<u32>),
    /// Of a `Float64Array`.
    Doubles(Vec<f64>),
}

impl From<()> for Reply {
    fn from((): ()) -> Self {
        Reply::Nothing
    }
}

impl From<bool> for Reply {
    fn from(flag: bool) -> Self {
        Reply::Flag(flag)
    }
}

impl From<f64> for Reply {
    fn from(number: f64) -> Self {
        Reply::Number(number)
    }
}

impl From<usize> for Reply {
    fn from(count: usize) -> Self {
        Reply::Number(count as f64)
    }
}

/// A place: -1 where there is none.
impl From<Option<usize>> for Reply {
    fn from(place: Option<usize>) -> Self {
        Reply::Number(signed(place))
    }
}

impl From<Value> for Reply {
    fn from(json: Value) -> Self {
        Reply::Text(json.to_string())
    }
}

impl From<Vec<u8>> for Reply {
    fn from(bytes: Vec<u8>) -> Self {
        Reply::Array(Numbers::Bytes(bytes))
    }
}

/// A place for JavaScript: -1 where there is none.
fn signed(place: Option<usize>) -> f64 {
    place.map_or(-1.0, |place| place as f64)
}

/// A call: what it was passed, one argument after the other, and what it works with.
pub struct Call<'c> {
    arguments: vec::IntoIter<Argument<'c>>,
    /// What its environment has.
    pub home: &'c Home,
    /// What its host can do.
    pub host: &'c dyn Host,
}

impl<'c> Call<'c> {
    /// A call with these arguments.
    pub fn new(arguments: Vec<Argument<'c>>, home: &'c Home, host: &'c dyn Host) -> Self {
        Call {
            arguments: arguments.into_iter(),
            home,
            host,
        }
    }

    /// The next argument, whatever it is.
    pub fn argument(&mut self) -> Argument<'c> {
        self.arguments.next().unwrap_or(Argument::Nothing)
    }

    fn number(&mut self) -> Result<f64> {
        match self.argument() {
            Argument::Number(number) => Ok(number),
            _ => Err(wrong("a number")),
        }
    }

    /// A count, a place, or the number of something.
    fn count(&mut self) -> Result<usize> {
        let number = self.number()?;
        if number >= 0.0 && number.fract() == 0.0 {
            Ok(number as usize)
        } else {
            Err(wrong("an integer of at least 0"))
        }
    }

    /// The number of something, or -1.
    fn maybe(&mut self) -> Result<Option<usize>> {
        match self.argument() {
            Argument::Number(-1.0) => Ok(None),
            Argument::Number(number) if number >= 0.0 && number.fract() == 0.0 => Ok(Some(number as usize)),
            _ => Err(wrong("an integer of at least -1")),
        }
    }

    fn flag(&mut self) -> Result<bool> {
        match self.argument() {
            Argument::Flag(flag) => Ok(flag),
            _ => Err(wrong("a boolean")),
        }
    }

    fn text(&mut self) -> Result<String> {
        match self.argument() {
            Argument::Text(text) => Ok(text),
            _ => Err(wrong("a string")),
        }
    }

    fn json<T: DeserializeOwned>(&mut self) -> Result<T> {
        serde_json::from_str(&self.text()?).map_err(|error| Error::internal("JSON", "the call", error))
    }

    fn buffer(&mut self) -> Result<&'c mut [u8]> {
        match self.argument() {
            Argument::Buffer(buffer) => Ok(buffer),
            _ => Err(wrong("a network's buffer")),
        }
    }

    fn bytes(&mut self) -> Result<&'c [u8]> {
        match self.argument() {
            Argument::Bytes(bytes) => Ok(bytes),
            _ => Err(wrong("a Uint8Array")),
        }
    }

    fn doubles(&mut self) -> Result<&'c mut [f64]> {
        match self.argument() {
            Argument::Doubles(numbers) => Ok(numbers),
            _ => Err(wrong("a Float64Array")),
        }
    }

    fn wake(&mut self) -> Result<Box<dyn Fn() + Send>> {
        match self.argument() {
            Argument::Wake(wake) => Ok(wake),
            _ => Err(wrong("a function")),
        }
    }

    /// The data set of the next argument, which is gone then.
    fn data(&mut self) -> Result<Box<dyn DataSet>> {
        let number = self.count()?;
        taken(self.fits().data.try_remove(number), "data set", number)
    }

    /// The same where there may be none.
    fn maybe_data(&mut self) -> Result<Option<Box<dyn DataSet>>> {
        let Some(number) = self.maybe()? else {
            return Ok(None);
        };
        taken(self.fits().data.try_remove(number), "data set", number).map(Some)
    }

    fn fits(&self) -> RefMut<'c, Fits> {
        self.home.fits.borrow_mut()
    }

    /// The fit of the next argument.
    fn fit(&mut self) -> Result<RefMut<'c, Fit>> {
        let number = self.count()?;
        RefMut::filter_map(self.fits(), |fits| fits.fits.get_mut(number)).map_err(|_| no_such("fit", number))
    }

    /// The trainer of the next argument.
    fn trainer(&mut self) -> Result<RefMut<'c, Box<dyn Trainer>>> {
        let number = self.count()?;
        self.trainer_of(number)
    }

    fn trainer_of(&self, number: usize) -> Result<RefMut<'c, Box<dyn Trainer>>> {
        RefMut::filter_map(self.fits(), |fits| fits.trainers.get_mut(number))
            .map_err(|_| no_such("trainer", number))
    }

    /// The task of the next argument, which is gone then.
    fn task(&mut self) -> Result<Arc<BackgroundTask>> {
        let number = self.count()?;
        taken(self.fits().tasks.try_remove(number), "task", number)
    }

    /// Begins work on a thread that calls `wake` when it is done; the number of the task.
    fn start(&self, work: Background, wake: Box<dyn Fn() + Send>) -> Result<Reply> {
        let task = Arc::new(BackgroundTask::default());
        let thread = task.start(work, wake)?;
        let mut fits = self.fits();
        fits.watch_over(thread);
        Ok(fits.tasks.insert(task).into())
    }
}

fn wrong(rule: &str) -> Error {
    Error::internal(rule, "the call", "another argument")
}

fn no_such(thing: &str, number: usize) -> Error {
    Error::internal(&format!("the number of a {thing}"), "the call", number)
}

fn taken<T>(found: Option<T>, thing: &str, number: usize) -> Result<T> {
    found.ok_or_else(|| no_such(thing, number))
}

/// `now(): number`: milliseconds of a clock that no test can set.
fn now(call: &mut Call) -> Result<Reply> {
    Ok(call.home.clock.milliseconds().into())
}

/// `sigmoid(x): number`: 1 / (1 + e^-x).
fn sigmoid(call: &mut Call) -> Result<Reply> {
    Ok(Activation::Sigmoid
        .of::<Scalar<Portable>, f64>(call.number()?)
        .into())
}
