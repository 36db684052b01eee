//! An architecture with its workspace, and the layout of a network's one buffer.
//!
//! JavaScript owns the numbers of a network: one ArrayBuffer, so that the engine's own garbage collection
//! counts and frees them, and one argument carries everything a call needs. Rust owns the models, which
//! networks of the same architecture share.
//!
//! The buffer, in elements of the network's precision:
//!
//! | element | holds |
//! |---|---|
//! | 0 | the model's number, an `u32` in the first four bytes |
//! | 1 | the learning rate of `train` |
//! | 2.. | inputs, then outputs, then targets, then parameters |

use std::ops::Range;

use super::failure::internal;
use crate::nn::{Architecture, Result, Workspace, online};

const LEARNING_RATE: usize = 1;
const INPUTS: usize = 2;

/// What all networks of one architecture share.
pub struct Model {
    pub architecture: Architecture,
    workspace: Workspace<f64>,
    /// Where in a network's buffer they stand.
    pub layout: Layout,
}

/// Where the parts of a network's buffer begin and end, in elements.
pub struct Layout {
    pub inputs: Range<usize>,
    pub outputs: Range<usize>,
    pub targets: Range<usize>,
    pub params: Range<usize>,
}

impl Layout {
    fn new(architecture: &Architecture) -> Self {
        let follow = |start, length| start..start + length;
        let inputs = follow(INPUTS, architecture.input_count());
        let outputs = follow(inputs.end, architecture.output_count());
        let targets = follow(outputs.end, architecture.output_count());
        let params = follow(targets.end, architecture.parameter_count());
        Layout {
            inputs,
            outputs,
            targets,
            params,
        }
    }
}

impl Model {
    pub fn new(architecture: Architecture) -> Result<Self> {
        let workspace = Workspace::new(&architecture)?;
        let layout = Layout::new(&architecture);
        Ok(Model {
            architecture,
            workspace,
            layout,
        })
    }

    /// Predicts from the inputs in `buffer` into its outputs.
    #[inline]
    pub fn predict(&mut self, buffer: &mut [f64]) -> Result<()> {
        let Layout {
            inputs,
            outputs,
            params,
            ..
        } = &self.layout;
        let (io, params) = split(buffer, params)?;
        let prediction = online::predict(
            &self.architecture,
            params,
            &io[inputs.clone()],
            &mut self.workspace,
        )?;
        io[outputs.clone()].copy_from_slice(prediction);
        Ok(())
    }

    /// Trains on the inputs and targets in `buffer`.
    #[inline]
    pub fn train(&mut self, buffer: &mut [f64]) -> Result<()> {
        let Layout {
            inputs,
            targets,
            params,
            ..
        } = &self.layout;
        let (io, params) = split(buffer, params)?;
        online::train(
            &self.architecture,
            params,
            &io[inputs.clone()],
            &io[targets.clone()],
            io[LEARNING_RATE],
            &mut self.workspace,
        )
    }

    /// The parameters in `buffer`.
    pub fn params<'b>(&self, buffer: &'b mut [f64]) -> Result<&'b mut [f64]> {
        Ok(split(buffer, &self.layout.params)?.1)
    }
}

/// A network's buffer as what is exchanged with JavaScript and the parameters.
#[inline]
fn split<'b>(buffer: &'b mut [f64], params: &Range<usize>) -> Result<(&'b mut [f64], &'b mut [f64])> {
    if buffer.len() != params.end {
        return Err(internal("the network's own buffer", "the call", "another"));
    }
    Ok(buffer.split_at_mut(params.start))
}

/// The models of one JavaScript environment, by number.
#[derive(Default)]
pub struct Models {
    slots: Vec<Option<Model>>,
    free: Vec<u32>,
}

impl Models {
    /// Keeps `model` and returns its number.
    pub fn insert(&mut self, model: Model) -> u32 {
        match self.free.pop() {
            Some(number) => {
                self.slots[number as usize] = Some(model);
                number
            }
            None => {
                self.slots.push(Some(model));
                (self.slots.len() - 1) as u32
            }
        }
    }

    /// Drops the model of `number`.
    pub fn remove(&mut self, number: u32) {
        if self
            .slots
            .get_mut(number as usize)
            .and_then(Option::take)
            .is_some()
        {
            self.free.push(number);
        }
    }

    /// The model that a network's buffer names, and the buffer as numbers.
    #[inline]
    pub fn of<'b>(&mut self, bytes: &'b mut [u8]) -> Result<(&mut Model, &'b mut [f64])> {
        let unknown = || internal("a network's buffer", "the call", "something else");
        let number = bytes
            .first_chunk()
            .map(|&bytes| u32::from_ne_bytes(bytes))
            .ok_or_else(unknown)?;
        let model = self
            .slots
            .get_mut(number as usize)
            .and_then(Option::as_mut)
            .ok_or_else(unknown)?;
        // SAFETY: any bytes are valid as f64.
        let (before, buffer, after) = unsafe { bytes.align_to_mut::<f64>() };
        if before.is_empty() && after.is_empty() {
            Ok((model, buffer))
        } else {
            Err(unknown())
        }
    }
}
