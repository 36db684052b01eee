//! Gradients and losses over many rows, with the threads and the scratch buffers that they take.

use std::ops::Range;

use crate::nn::error::Result;
use crate::nn::host::team::{Shared, Team, share};
use crate::nn::host::{self, Clock};
use crate::nn::network::architecture::{Architecture, Layer};
use crate::nn::network::options::Normalization;
use crate::nn::optim::{Descend, Gradients, OptimizerState, Step};
use crate::nn::pass::batch::{Batch, Masks, Next, Sink, most_gradients};
use crate::nn::pass::work::{LossSum, Work, scale};
use crate::nn::vector::memory::zeros;
use crate::nn::vector::memory::{Aligned, whole_lines};
use crate::nn::vector::product::{Matrix, Onto, product};
use crate::nn::vector::real::Real;

use crate::nn::fit::pace::Pace;
use crate::nn::pass::narrow::Narrow;

/// The most rows at a time. Larger batches are cut: the buffers stay small, and a stop need not wait long.
const MOST_ROWS: usize = 1024;

/// And of so many multiply-adds of a layer at a time: some hundredths of a second.
const MOST_WORK: usize = 1 << 31;

/// Where only the loss is wanted, so many rows at a time.
pub const ROWS_OF_LOSS: usize = 256;

/// A thread is worth its while from so many multiply-adds of a forward pass on (see the ladder of
/// `benchmark/`).
const WORK_OF_A_THREAD: usize = 200_000;

/// Scratch buffers and threads for the passes of a fit.
pub struct Trainer<T> {
    team: Team,
    pace: Pace,
    /// Whether threads may share the rows; they always share the parameters.
    shares_rows: bool,
    batch: Batch<T>,
    /// The row whose first sums the last step has precomputed.
    precomputed: Option<u32>,
    /// Where the network is narrow.
    narrow: Option<Narrow<T>>,
    /// The rows of the pass, gathered.
    inputs: Vec<T>,
    targets: Vec<T>,
    weights: Vec<T>,
    losses: Vec<f64>,
    /// A scratch buffer for gradients of each thread.
    scratch: Aligned<T>,
    scratch_size: usize,
}

impl<T: Real> Trainer<T> {
    /// Scratch buffers for batches of `batch` rows, for passes over `others`, and up to `threads` threads, fewer where more
    /// would not pay.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn new(architecture: &Architecture, batch: usize, others: usize, threads: usize) -> Result<Self> {
        let (capacity, threads) = size(architecture, batch, others, threads);
        let team = Team::new(threads);
        let narrow = Narrow::new(architecture, capacity)?;
        let scratch_size = whole_lines::<T>(most_gradients(architecture));
        Ok(Trainer {
            scratch: Aligned::zeros(scratch_size * team.size(), "the gradients")?,
            scratch_size,
            team,
            pace: Pace::begin(),
            shares_rows: !needs_all_rows(architecture),
            precomputed: None,
            narrow,
            batch: Batch::new(architecture, capacity)?,
            inputs: zeros(capacity * architecture.input_count(), "a batch")?,
            targets: zeros(capacity * architecture.output_count(), "a batch")?,
            weights: zeros(capacity, "a batch")?,
            losses: vec![0.0; capacity],
        })
    }

    /// Whether [`new`](Self::new) would make the same again.
    pub fn is_for(&self, architecture: &Architecture, batch: usize, others: usize, threads: usize) -> bool {
        (self.batch.capacity(), self.team.size()) == size(architecture, batch, others, threads)
    }

    /// Whether a larger one would be of no use for batches of so many rows.
    pub fn serves(&self, architecture: &Architecture, rows: usize) -> bool {
        self.has_scratch(rows) || self.batch.capacity() >= size(architecture, rows, 0, 1).0
    }

    /// About how many bytes it holds.
    pub fn bytes(&self) -> usize {
        let numbers = self.inputs.len() + self.targets.len() + self.weights.len() + self.scratch.len();
        numbers * size_of::<T>() + self.batch.bytes()
    }

    /// Ends the threads until they are needed again.
    pub fn rest(&mut self) {
        self.team = Team::new(self.team.size());
    }

    /// The gradient of the objective over the rows, at `values`, into `gradients` `[parameters]`, and their data
    /// loss; nothing if stopped. All rows together are one batch.
    pub fn gradient(
        &mut self,
        work: Work<T>,
        values: &[T],
        seed: u64,
        step: u64,
        gradients: &mut [T],
    ) -> Option<LossSum> {
        let (total, scale) = weight(work);
        let mut loss = LossSum {
            sum: 0.0,
            weight: total,
        };
        let mut first_row = 0;
        for rows in work.rows.chunks(self.batch.capacity()) {
            let masks = Masks {
                seed,
                step,
                first_row,
            };
            let is_first = first_row == 0;
            let work = Work {
                rows,
                next: None,
                ..work
            };
            loss.sum += match &mut self.narrow {
                Some(narrow) => narrow.gradient(work, values, scale, gradients, is_first),
                None => {
                    let (values, gradients) = (Shared::of(values), Shared::new(gradients));
                    let sink = |_| Keep {
                        values,
                        gradients,
                        is_first,
                    };
                    self.pass(work, values, Some((masks, scale)), sink)
                }
            };
            first_row += rows.len();
            if (work.is_stopped)() {
                return None;
            }
        }
        Some(loss)
    }

    /// Whether a batch of so many rows can be [taken at once](Self::steps).
    pub fn has_scratch(&self, rows: usize) -> bool {
        rows <= self.batch.capacity()
    }

    /// Takes a step by the gradient of the objective over each `batch` of the rows, one after the other, which there must
    /// be [scratch buffers](Self::has_scratch) for: each parameter is moved as soon as its gradient is known. Their data
    /// loss, each at the values before its step; nothing if stopped, and then some values are moved and others are not.
    /// Ends early where a loss is not finite.
    pub fn steps(
        &mut self,
        work: Work<T>,
        batch: usize,
        values: &mut [T],
        (state, rate): (&mut OptimizerState<T>, f64),
        (seed, first_step): (u64, u64),
    ) -> Option<LossSum> {
        if let Some(narrow) = &mut self.narrow {
            return narrow.steps(work, batch, values, state, rate);
        }
        let mut all = LossSum::default();
        self.precomputed = None;
        let mut masks = Masks {
            seed,
            step: first_step,
            first_row: 0,
        };
        for (k, rows) in work.rows.chunks(batch).enumerate() {
            let next = work.rows.get((k + 1) * batch).copied();
            let loss = self.step(Work { rows, next, ..work }, values, masks, state.begin(rate))?;
            self.batch.update_statistics(work.architecture, values);
            all.add(loss);
            if !loss.sum.is_finite() {
                break;
            }
            masks.step += 1;
        }
        Some(all)
    }

    /// One of these.
    fn step(&mut self, work: Work<T>, values: &mut [T], masks: Masks, step: Step<T>) -> Option<LossSum> {
        let (weight, scale) = weight(work);
        let values = Shared::new(values);
        let mut scratch = std::mem::take(&mut self.scratch);
        let shared_scratch = Shared::new(&mut scratch);
        let size = self.scratch_size;
        let sink = |index: usize| Move {
            values,
            step,
            scratch: shared_scratch,
            place: index * size,
        };
        let sum = self.pass(work, values, Some((masks, scale)), sink);
        self.scratch = scratch;
        if (work.is_stopped)() {
            self.precomputed = None;
            return None;
        }
        Some(LossSum { sum, weight })
    }

    /// The data loss over the rows, with dropout off and running statistics; nothing if stopped. `see` gets the
    /// outputs of each stretch of rows.
    pub fn loss(&mut self, work: Work<T>, values: &[T], see: &mut dyn FnMut(&[T])) -> Option<LossSum> {
        let mut loss = LossSum::default();
        let values = Shared::of(values);
        for rows in work.rows.chunks(self.batch.capacity()) {
            let work = Work {
                rows,
                next: None,
                ..work
            };
            loss.weight += weight(work).0;
            loss.sum += self.pass(work, values, None, |_| Nothing);
            if (work.is_stopped)() {
                return None;
            }
            see(self.batch.outputs(work.architecture));
        }
        Some(loss)
    }

    /// Takes the statistics of the last batch into the running ones.
    pub fn update_statistics(&self, architecture: &Architecture, values: &mut [T]) {
        self.batch.update_statistics(architecture, values);
    }

    /// One pass over no more rows than there is room for: their weighted losses, summed, and, in training, their
    /// gradients.
    fn pass<S: Sink<T>>(
        &mut self,
        work: Work<T>,
        values: Shared<T>,
        training: Option<(Masks, T)>,
        sink: impl Fn(usize) -> S + Sync,
    ) -> f64 {
        let Work {
            architecture,
            data,
            rows,
            next,
            is_stopped,
        } = work;
        let precomputed = self.precomputed.take();
        let masks = training.map(|training| training.0);
        let mut pass = self.batch.pass(architecture, rows.len(), masks, is_stopped);
        if precomputed.is_some_and(|row| rows == [row]) {
            pass = pass.with_first_sums();
        }
        let (inputs, targets) = (Shared::new(&mut self.inputs), Shared::new(&mut self.targets));
        let (weights, losses) = (Shared::new(&mut self.weights), Shared::new(&mut self.losses));
        // Rows that lie together need not be gathered: a single one, and all where nothing is shuffled.
        let first = rows.first().map_or(0, |&row| row as usize);
        let is_in_order = rows.iter().enumerate().all(|(i, &row)| row as usize == first + i);
        let together = is_in_order.then_some(first);
        let pays = work_of(architecture, rows.len()) >= 2 * WORK_OF_A_THREAD;
        let has_choice = pays && self.team.size() > 1;
        let clock = (has_choice && training.is_some()).then(Clock::start);
        let size = if has_choice && self.pace.is_together() {
            self.team.size()
        } else {
            1
        };
        let row_threads = if self.shares_rows { size } else { 1 };
        let gather = |mine: &Range<usize>| {
            // SAFETY: each thread asks for rows that are its own.
            let x = unsafe { inputs.write(mine.start * data.width..mine.end * data.width) };
            // SAFETY: as above.
            let t = unsafe { targets.write(mine.start * data.units..mine.end * data.units) };
            let places = x.chunks_exact_mut(data.width).zip(t.chunks_exact_mut(data.units));
            for (&row, (x, t)) in rows[mine.clone()].iter().zip(places) {
                x.copy_from_slice(data.inputs(row as usize));
                t.copy_from_slice(data.targets(row as usize));
            }
        };
        let examples = |mine: &Range<usize>| match together {
            Some(first) => data.stretch(first + mine.start..first + mine.end),
            // SAFETY: nobody writes rows that have been gathered.
            None => unsafe {
                let x = inputs.read(mine.start * data.width..mine.end * data.width);
                (x, targets.read(mine.start * data.units..mine.end * data.units))
            },
        };
        self.team.run(size, &|index| {
            let mine = if index < row_threads {
                share(rows.len(), index, row_threads)
            } else {
                0..0
            };
            if mine.is_empty() {
                return;
            }
            // SAFETY: shares do not overlap, and everything that is touched here belongs to the rows of one.
            unsafe {
                let w = weights.write(mine.clone());
                for (&row, w) in rows[mine.clone()].iter().zip(&mut *w) {
                    *w = data.weight(row as usize);
                }
                if together.is_none() {
                    gather(&mine);
                }
                let (x, t) = examples(&mine);
                let values = values.read(0..architecture.value_count());
                pass.forward(values, mine.clone(), x);
                let weights = data.is_weighted().then_some(&*w);
                let training = training.map(|(_, scale)| (weights, scale));
                pass.losses(mine.clone(), t, losses.write(mine.clone()), training);
                if training.is_some() {
                    pass.backward(values, mine);
                }
            }
        });
        if training.is_some() {
            let next = next.filter(|_| size == 1 && pass.precomputes_next());
            let next_x = next.map(|row| data.inputs(row as usize));
            self.team.run(size, &|index| {
                // SAFETY: no row is written any more, and shares do not overlap.
                unsafe {
                    let x = examples(&(0..rows.len())).0;
                    pass.gradients((index, size), x, next_x, &sink(index));
                }
            });
            self.precomputed = next;
        }
        if let Some(clock) = clock {
            self.pace.took(rows.len(), clock.milliseconds());
        }
        // In the order of the rows, so that the sum does not depend on the number of threads.
        let terms = self.weights.iter().zip(&self.losses).take(rows.len());
        terms.map(|(w, loss)| w.to_f64() * loss).sum()
    }
}

/// How many rows there is room for at a time, and how many threads pay.
fn size(architecture: &Architecture, batch: usize, others: usize, threads: usize) -> (usize, usize) {
    let layers = architecture.layers();
    let largest = layers.iter().map(|layer| layer.weights.len()).max().unwrap_or(1);
    let most = MOST_ROWS.min((MOST_WORK / largest).max(1));
    let batch = if needs_all_rows(architecture) {
        batch
    } else {
        batch.min(most)
    };
    let capacity = batch.max(others.min(ROWS_OF_LOSS).min(most));
    let worth = work_of(architecture, capacity) / WORK_OF_A_THREAD;
    // More threads than cores are left to the pace, but on a single core there is nothing to find out.
    let most = if host::threads() == 1 { 1 } else { threads };
    (capacity, most.min(worth).max(1))
}

fn needs_all_rows(architecture: &Architecture) -> bool {
    let is_batch = |layer: &Layer| layer.options.normalization == Some(Normalization::Batch);
    architecture.layers().iter().any(is_batch)
}

/// The multiply-adds of a forward pass.
fn work_of(architecture: &Architecture, rows: usize) -> usize {
    rows.saturating_mul(architecture.parameter_count())
}

/// The weights of the rows of a batch in all, and how much a row of weight 1 counts in the mean.
fn weight<T: Real>(work: Work<T>) -> (f64, T) {
    let total = work.data.weight_of(work.rows);
    (total, scale(total))
}

/// Keeps gradients.
struct Keep<'a, T> {
    values: Shared<'a, T>,
    gradients: Shared<'a, T>,
    is_first: bool,
}

impl<T: Real> Sink<T> for Keep<'_, T> {
    unsafe fn take(&self, range: Range<usize>, compute: impl FnOnce(&[T], &mut [T], bool)) {
        // SAFETY: as the caller promises.
        let (values, gradients) = unsafe { (self.values.read(range.clone()), self.gradients.write(range)) };
        compute(values, gradients, self.is_first);
    }
}

/// Moves parameters as soon as their gradients are known.
struct Move<'a, T> {
    values: Shared<'a, T>,
    step: Step<'a, T>,
    /// The scratch buffers of all threads.
    scratch: Shared<'a, T>,
    place: usize,
}

impl<T: Real> Sink<T> for Move<'_, T> {
    unsafe fn take(&self, range: Range<usize>, compute: impl FnOnce(&[T], &mut [T], bool)) {
        // SAFETY: as the caller promises, and the buffer is this thread's.
        unsafe {
            let gradients = self.scratch.write(self.place..self.place + range.len());
            let values = self.values.write(range.clone());
            compute(values, gradients, true);
            self.step.update(range, values, Gradients::new(gradients));
        }
    }

    fn needs_room(&self) -> bool {
        self.step.descent().is_none()
    }

    unsafe fn take_product(&self, range: Range<usize>, x: Matrix<T>, dz: Matrix<T>) {
        // SAFETY: as the caller promises.
        unsafe {
            match self.step.descent() {
                Some(Descend { alpha, beta }) => {
                    product(self.values.write(range), Onto::Scaled { alpha, beta }, x, dz)
                }
                None => self.take(range, |_, gradients, _| product(gradients, Onto::Nothing, x, dz)),
            }
        }
    }

    unsafe fn take_products(&self, range: Range<usize>, x: &[T], dz: &[T], next: Option<Next<T>>) {
        // SAFETY: as the caller promises.
        unsafe {
            let next = next.map(|Next { x, biases, z }| {
                z.copy_from_slice(self.values.read(biases));
                (x, z)
            });
            let values = self.values.write(range.clone());
            self.step.update(range, values, Gradients { x, dz, next });
        }
    }
}

/// Where there are no gradients.
struct Nothing;

impl<T: Real> Sink<T> for Nothing {
    unsafe fn take(&self, _: Range<usize>, _: impl FnOnce(&[T], &mut [T], bool)) {}
}
