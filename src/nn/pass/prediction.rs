//! Predictions for many rows: some at a time, so that what lies between the layers stays in the cache.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::nn::error::Result;
use crate::nn::host;
use crate::nn::host::team::{Shared, Team, share};
use crate::nn::network::architecture::Architecture;
use crate::nn::pass::batch::Batch;
use crate::nn::vector::kernels::are_finite;
use crate::nn::vector::memory::zeros;
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Task};

/// About so many numbers of all layers at a time.
const NUMBERS: usize = 1 << 17;

/// And no more rows: enough to make the products worth it.
const MOST_ROWS: usize = 256;

/// A thread is worth its start, some tens of microseconds, from so many multiply-adds on.
const WORK_OF_A_THREAD: usize = 20_000_000;

/// Scratch buffers for predictions.
pub struct Predictor<T> {
    rows: usize,
    /// One for each thread that there ever was.
    buffers: Vec<Scratch<T>>,
}

struct Scratch<T> {
    batch: Batch<T>,
    inputs: Vec<T>,
}

impl<T: Real> Predictor<T> {
    /// Scratch buffers for networks of this shape.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn new(architecture: &Architecture) -> Result<Self> {
        let rows = (NUMBERS / architecture.unit_count()).clamp(1, MOST_ROWS);
        let buffers = vec![Scratch::new(architecture, rows)?];
        Ok(Predictor { rows, buffers })
    }

    /// Predicts for every row of `inputs`, `[rows][inputs]`, into `outputs`, `[rows][outputs]`; or the place of the first
    /// input that is not finite in the precision of the network. Each row's outputs are the same on any number of threads.
    /// Where it is stopped, some are missing.
    ///
    /// # Panics
    /// Where the lengths do not fit.
    pub fn predict<U: Real>(
        &mut self,
        architecture: &Architecture,
        values: &[T],
        inputs: &[U],
        outputs: &mut [U],
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Option<usize> {
        let (width, units) = (architecture.input_count(), architecture.output_count());
        let rows = inputs.len() / width;
        assert!(inputs.len() == rows * width && outputs.len() == rows * units);
        let work = rows.saturating_mul(architecture.parameter_count());
        // To ask how many there are takes a while too.
        let threads = match work / WORK_OF_A_THREAD {
            0 | 1 => 1,
            most => most.min(host::threads()),
        };
        while self.buffers.len() < threads {
            // Without more memory there are fewer threads.
            let Ok(scratch) = Scratch::new(architecture, self.rows) else {
                break;
            };
            self.buffers.push(scratch);
        }
        let mut team = Team::new(threads.min(self.buffers.len()));
        let (size, at_a_time) = (team.size(), self.rows);
        let (buffers, outputs) = (Shared::new(&mut self.buffers), Shared::new(outputs));
        let first_wrong = AtomicUsize::new(usize::MAX);
        team.run(size, &|index| {
            let mine = share(rows, index, size);
            // SAFETY: shares do not overlap, and each thread has a buffer.
            let (scratch, outputs) = unsafe {
                let outputs = outputs.write(mine.start * units..mine.end * units);
                (&mut buffers.write(index..index + 1)[0], outputs)
            };
            let inputs = &inputs[mine.start * width..mine.end * width];
            let wrong = scratch.predict(at_a_time, architecture, values, inputs, outputs, is_stopped);
            if let Some(place) = wrong {
                first_wrong.fetch_min(mine.start * width + place, Ordering::Relaxed);
            }
        });
        Some(first_wrong.into_inner()).filter(|&place| place != usize::MAX)
    }
}

impl<T: Real> Scratch<T> {
    fn new(architecture: &Architecture, rows: usize) -> Result<Self> {
        Ok(Scratch {
            batch: Batch::new(architecture, rows)?,
            inputs: zeros(rows * architecture.input_count(), "a batch")?,
        })
    }

    /// So many rows at a time.
    fn predict<U: Real>(
        &mut self,
        rows: usize,
        architecture: &Architecture,
        values: &[T],
        inputs: &[U],
        outputs: &mut [U],
        is_stopped: &(dyn Fn() -> bool + Sync),
    ) -> Option<usize> {
        let (width, units) = (architecture.input_count(), architecture.output_count());
        let chunks = inputs.chunks(rows * width).zip(outputs.chunks_mut(rows * units));
        for (c, (inputs, outputs)) in chunks.enumerate() {
            let x = &mut self.inputs[..inputs.len()];
            simd::run(Convert { from: inputs, to: x });
            if is_stopped() {
                break;
            }
            if !are_finite(x) {
                let place = x.iter().position(|x| !x.is_finite());
                return place.map(|place| c * rows * width + place);
            }
            self.batch.predict(architecture, values, x);
            for (output, &a) in outputs.iter_mut().zip(self.batch.outputs(architecture)) {
                *output = U::from_f64(a.to_f64()).held_finite();
            }
        }
        None
    }
}

/// The same numbers in another precision.
struct Convert<'a, U, T> {
    from: &'a [U],
    to: &'a mut [T],
}

impl<U: Real, T: Real> Task for Convert<'_, U, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (to, from) in self.to.iter_mut().zip(self.from) {
            *to = T::from_f64(from.to_f64());
        }
    }
}
