//! Trainers: sessions that JavaScript steps and lends to fits.
//!
//! A step crosses in one ArrayBuffer, so that it can be a fast function:
//!
//! | byte | holds |
//! |---|---|
//! | 0 | the trainer's number, an `u32` |
//! | 4 | how many rows there are, an `u32` |
//! | 8 | [`WEIGHTED`] and [`GRADIENTS`] where they are so, an `u32` |
//! | 12 | set to 1 where the rows are refused, an `u32` |
//! | 16 | set to the loss, an `f64` |
//! | 64.. | inputs, targets and, where weighted, weights of the rows |

use std::any::Any;
use std::ops::Range;
use std::path::PathBuf;
use std::sync::Arc;

use serde_json::Value;

use crate::engine::data_set::{DataSet, own};
use crate::engine::layout::numbers;
use crate::engine::run::{Job, Training};
use crate::nn::data::Data;
use crate::nn::fit::{self, FitOptions, Session, Start, Targets, checkpoint};
use crate::nn::{Architecture, Error, Real, Result};

/// The byte of the number of rows,
pub const ROWS: usize = 4;
/// of the flags,
pub const FLAGS: usize = 8;
/// of whether the rows are refused,
pub const IS_REFUSED: usize = 12;
/// and of the loss.
pub const LOSS: usize = 16;
/// The rows have weights.
pub const WEIGHTED: u32 = 1;
/// The targets are gradients of the outputs.
pub const GRADIENTS: u32 = 2;
/// Where the rows begin, in bytes.
pub const HEADER: usize = 64;

/// A trainer, whatever its precision. Every `values` is a network's buffer from [`split`](crate::engine::layout::split).
pub trait Trainer {
    /// Takes a step by the rows in `buffer` (see the module).
    fn step(&mut self, buffer: &mut [u8]) -> Result<()>;
    /// Takes a step by a data set: the loss before it.
    fn step_by(&mut self, data: Box<dyn DataSet>) -> Result<f64>;
    /// Puts the weights into a network's buffer, if they are finite; else the trainer goes back to those in there, and
    /// its optimizer begins anew.
    fn publish(&mut self, buffer: &mut [u8]) -> Result<()>;
    /// Takes the weights of a network's buffer. Where a run that was cut off has taken the session with it, the trainer
    /// begins anew.
    fn load(&mut self, buffer: &mut [u8]) -> Result<()>;
    /// As [`load`](Self::load), and the optimizer begins anew.
    fn begin_anew(&mut self, buffer: &mut [u8]) -> Result<()>;
    /// The options that decide the course of training, as JSON.
    fn options(&self) -> Value;
    /// How many steps were taken.
    fn steps(&self) -> Result<u64>;
    /// A run that goes on where the trainer is. Until it [comes back](Self::take_back) the trainer can do nothing.
    fn fit(
        &mut self,
        start: &Start,
        data: Box<dyn DataSet>,
        held_out: Option<Box<dyn DataSet>>,
    ) -> Result<Box<dyn Job>>;
    /// Takes the session of a run that has ended, whose final weights are in `buffer`.
    fn take_back(&mut self, job: Box<dyn Job>, buffer: &mut [u8], has_failed: bool) -> Result<()>;
    /// What writes the trainer to a file, on any thread.
    fn saver(&self, path: PathBuf) -> Result<Background>;
    /// What reads a trainer from a file, on any thread, for [`adopt`](Self::adopt).
    fn loader(&self, path: PathBuf) -> Background;
    /// Becomes what was read, and puts its weights into a network's buffer.
    fn adopt(&mut self, read: Box<dyn Any + Send>, buffer: &mut [u8]) -> Result<()>;
}

/// Work for another thread, and what comes of it.
pub type Background = Box<dyn FnOnce() -> Result<Box<dyn Any + Send>> + Send>;

/// A trainer of one precision.
pub struct Keeper<T> {
    architecture: Arc<Architecture>,
    /// The options as the user gave them.
    given: Value,
    options: FitOptions,
    seed: u64,
    /// Where the values are in a network's buffer.
    values: Range<usize>,
    /// Not while a run has it.
    session: Option<Session<T>>,
    /// The rows of steps, by what their targets are.
    outputs: Data<T>,
    gradients: Data<T>,
}

impl<T: Real> Keeper<T> {
    /// A trainer before its first step.
    pub fn new(
        architecture: Arc<Architecture>,
        start: &Start,
        given: Value,
        buffer: &[T],
        values: Range<usize>,
    ) -> Result<Self> {
        let options = start.options().clone();
        let session = Session::new(
            architecture.clone(),
            start.seed(),
            &options,
            &buffer[values.clone()],
        )?;
        Ok(Keeper {
            outputs: Data::new(&architecture),
            gradients: Data::new(&architecture.with_given_gradients()),
            session: Some(session),
            architecture,
            given,
            options,
            seed: start.seed(),
            values,
        })
    }

    fn session(&mut self) -> Result<&mut Session<T>> {
        self.session.as_mut().ok_or_else(away)
    }

    fn values<'b>(&self, buffer: &'b mut [u8]) -> Result<&'b mut [T]> {
        let values = numbers::<T>(buffer)?.get_mut(self.values.clone());
        values.ok_or_else(|| Error::internal("the network's own buffer", "the call", "another"))
    }
}

fn away() -> crate::nn::Error {
    Error::internal("a trainer that is not in a fit", "the call", "another")
}

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// The number of the trainer of a step.
pub fn number(buffer: &[u8]) -> Option<u32> {
    (buffer.len() >= HEADER).then(|| word(buffer, 0))
}

impl<T: Real> Trainer for Keeper<T> {
    fn step(&mut self, buffer: &mut [u8]) -> Result<()> {
        let (rows, flags) = (word(buffer, ROWS) as usize, word(buffer, FLAGS));
        let (header, bytes) = buffer.split_at_mut(HEADER);
        let (targets, data) = if flags & GRADIENTS != 0 {
            (Targets::Gradients, &mut self.gradients)
        } else {
            (Targets::Outputs, &mut self.outputs)
        };
        let weights = if flags & WEIGHTED != 0 { rows } else { 0 };
        let counts = [
            rows.checked_mul(data.width),
            rows.checked_mul(data.units),
            Some(weights),
        ];
        let mut left = &*numbers::<T>(bytes)?;
        let mut parts = [&left[..0]; 3];
        for (part, count) in parts.iter_mut().zip(counts) {
            let count = count.filter(|&count| count <= left.len());
            let count = count.ok_or_else(|| Error::internal("room for the rows", "a step", rows))?;
            (*part, left) = left.split_at(count);
        }
        if !data.refill(parts) {
            header[IS_REFUSED..][..4].copy_from_slice(&1u32.to_ne_bytes());
            return Ok(());
        }
        if let (Some(weights), Targets::Outputs) = (&self.options.class_weights, targets) {
            data.weigh_classes(weights)?;
        }
        data.moderate_weights()?;
        let session = self.session.as_mut().ok_or_else(away)?;
        let loss = session.step(&self.options, data, targets)?;
        header[IS_REFUSED..][..4].copy_from_slice(&0u32.to_ne_bytes());
        header[LOSS..][..8].copy_from_slice(&loss.to_ne_bytes());
        Ok(())
    }

    fn step_by(&mut self, data: Box<dyn DataSet>) -> Result<f64> {
        let mut data = own::<T>(data)?;
        let targets = if data.are_gradients() {
            Targets::Gradients
        } else {
            Targets::Outputs
        };
        if let (Some(weights), Targets::Outputs) = (&self.options.class_weights, targets) {
            data.weigh_classes(weights)?;
        }
        data.moderate_weights()?;
        let session = self.session.as_mut().ok_or_else(away)?;
        session.step(&self.options, &data, targets)
    }

    fn publish(&mut self, buffer: &mut [u8]) -> Result<()> {
        let values = self.values(buffer)?;
        let session = self.session.as_mut().ok_or_else(away)?;
        let Some(rule) = session.broken_rule() else {
            values.copy_from_slice(session.values());
            return Ok(());
        };
        let error = session.diverged(rule, "NaN or Infinity", &self.options);
        session.begin_anew(&self.options, values)?;
        Err(error)
    }

    fn load(&mut self, buffer: &mut [u8]) -> Result<()> {
        let values = self.values(buffer)?;
        match &mut self.session {
            Some(session) => session.values_mut().copy_from_slice(values),
            None => {
                let architecture = self.architecture.clone();
                self.session = Some(Session::new(architecture, self.seed, &self.options, values)?);
            }
        }
        Ok(())
    }

    fn begin_anew(&mut self, buffer: &mut [u8]) -> Result<()> {
        let values = self.values(buffer)?;
        let session = self.session.as_mut().ok_or_else(away)?;
        session.begin_anew(&self.options, values)
    }

    fn options(&self) -> Value {
        self.options.to_json()
    }

    fn steps(&self) -> Result<u64> {
        Ok(self.session.as_ref().ok_or_else(away)?.done().steps)
    }

    fn fit(
        &mut self,
        start: &Start,
        data: Box<dyn DataSet>,
        held_out: Option<Box<dyn DataSet>>,
    ) -> Result<Box<dyn Job>> {
        let (data, held_out) = (own::<T>(data)?, held_out.map(own::<T>).transpose()?);
        self.session()?;
        let options = (start, &self.options);
        let run = fit::go_on(
            self.architecture.clone(),
            options,
            data,
            held_out,
            &mut self.session,
        )?;
        Ok(Box::new(Training::new(run, self.values.clone())))
    }

    fn take_back(&mut self, job: Box<dyn Job>, buffer: &mut [u8], has_failed: bool) -> Result<()> {
        let training = job.into_any().downcast::<Training<T>>();
        let training =
            training.map_err(|_| Error::internal("the trainer's own run", "the call", "another"))?;
        self.session = Some(training.into_session());
        if has_failed {
            self.begin_anew(buffer)
        } else {
            self.load(buffer)
        }
    }

    fn saver(&self, path: PathBuf) -> Result<Background> {
        let session = self.session.as_ref().ok_or_else(away)?;
        let saved = checkpoint::Snapshot::of(session, &self.options)?;
        Ok(Box::new(move || {
            saved.write(&path)?;
            Ok(Box::new(()))
        }))
    }

    fn loader(&self, path: PathBuf) -> Background {
        let (architecture, given) = (self.architecture.clone(), self.given.clone());
        Box::new(move || {
            let read: (FitOptions, Session<T>) = checkpoint::read_session(architecture, &given, &path)?;
            Ok(Box::new(read))
        })
    }

    fn adopt(&mut self, read: Box<dyn Any + Send>, buffer: &mut [u8]) -> Result<()> {
        let read = read.downcast::<(FitOptions, Session<T>)>();
        let read = read.map_err(|_| Error::internal("what was read", "the call", "something else"))?;
        let values = self.values(buffer)?;
        values.copy_from_slice(read.1.values());
        self.options = read.0;
        self.session = Some(read.1);
        Ok(())
    }
}
