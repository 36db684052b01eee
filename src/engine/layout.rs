//! The one buffer that a host keeps for a network: all its numbers, and room for what goes in and out.
//!
//! One argument carries everything that a call needs. Where the host can, its own garbage collection counts and frees it.
//!
//! The buffer, in elements of the network's precision:
//!
//! | element | holds |
//! |---|---|
//! | 0 | the model's number, an `u32` in the first four bytes |
//! | 1 | the learning rate of `train` |
//! | 2.. | inputs, then outputs, then targets, then values |

use std::ops::Range;

use crate::nn::{Architecture, Error, Real, Result};

/// The place of the learning rate.
pub const LEARNING_RATE: usize = 1;
const INPUTS: usize = 2;

/// Where the parts of a network's buffer begin and end, in elements.
pub struct Layout {
    /// `[inputs]`
    pub inputs: Range<usize>,
    /// `[outputs]`
    pub outputs: Range<usize>,
    /// `[outputs]`
    pub targets: Range<usize>,
    /// The parameters and running statistics.
    pub values: Range<usize>,
}

impl Layout {
    /// That of networks of this shape.
    pub fn new(architecture: &Architecture) -> Self {
        let follow = |start, length| start..start + length;
        let inputs = follow(INPUTS, architecture.input_count());
        let outputs = follow(inputs.end, architecture.output_count());
        let targets = follow(outputs.end, architecture.output_count());
        let values = follow(targets.end, architecture.value_count());
        Layout {
            inputs,
            outputs,
            targets,
            values,
        }
    }
}

/// A network's buffer as what is exchanged with JavaScript, and the values.
#[inline]
pub fn split<'b, T: Real>(bytes: &'b mut [u8], layout: &Layout) -> Result<(&'b mut [T], &'b mut [T])> {
    let numbers = numbers::<T>(bytes)?;
    if numbers.len() == layout.values.end {
        Ok(numbers.split_at_mut(layout.values.start))
    } else {
        Err(other_buffer())
    }
}

/// A network's buffer as numbers.
#[inline]
pub fn numbers<T: Real>(bytes: &mut [u8]) -> Result<&mut [T]> {
    // SAFETY: any bytes are valid as f64 and f32, the only types that are `Real`.
    match unsafe { bytes.align_to_mut::<T>() } {
        ([], numbers, []) => Ok(numbers),
        _ => Err(other_buffer()),
    }
}

#[cold]
fn other_buffer() -> Error {
    Error::internal("the network's own buffer", "the call", "another")
}
