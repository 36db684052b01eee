//! Gradients and losses over many rows, with the threads and the room that they take.

use crate::nn::architecture::Architecture;
use crate::nn::batch::{Batch, Masks};
use crate::nn::error::Result;
use crate::nn::online::zeros;
use crate::nn::options::Normalization;
use crate::nn::real::Real;
use crate::nn::team::{Shared, Team, share};

use super::data::Data;

/// The most rows at a time. Larger batches are cut: the room stays small, and a stop need not wait long.
const MOST_ROWS: usize = 1024;

/// Where only the loss is wanted, so many rows at a time.
const ROWS_OF_LOSS: usize = 256;

/// A thread is worth its while from so many multiply-adds of a forward pass on (see the ladder of
/// `benchmark/`).
const WORK_OF_A_THREAD: usize = 200_000;

/// Room and threads for the passes of a fit.
pub struct Trainer<T> {
    team: Team,
    /// Whether threads may share the rows; they always share the parameters.
    shares_rows: bool,
    batch: Batch<T>,
    /// The rows of the pass, gathered.
    inputs: Vec<T>,
    targets: Vec<T>,
    weights: Vec<T>,
    losses: Vec<f64>,
}

/// Losses of rows, each times its weight, and the sum of the weights.
#[derive(Clone, Copy, Debug, Default)]
pub struct LossSum {
    sum: f64,
    weight: f64,
}

impl LossSum {
    /// The mean; 0 of nothing.
    pub fn mean(self) -> f64 {
        if self.weight > 0.0 {
            self.sum / self.weight
        } else {
            0.0
        }
    }

    /// Takes `other` in.
    pub fn add(&mut self, other: LossSum) {
        self.sum += other.sum;
        self.weight += other.weight;
    }
}

/// What a pass goes over, and when it stops.
#[derive(Clone, Copy)]
pub struct Work<'a, T> {
    /// The shape of the network.
    pub architecture: &'a Architecture,
    /// Where the rows are.
    pub data: &'a Data<T>,
    /// Which rows.
    pub rows: &'a [u32],
    /// Whether the rest may be left out.
    pub is_stopped: &'a (dyn Fn() -> bool + Sync),
}

impl<T: Real> Trainer<T> {
    /// Room for batches of `batch` rows, for passes over `others`, and up to `threads` threads, fewer where more
    /// would not pay.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn new(architecture: &Architecture, batch: usize, others: usize, threads: usize) -> Result<Self> {
        let layers = architecture.layers();
        let needs_all_rows = layers
            .iter()
            .any(|layer| layer.options.normalization == Some(Normalization::Batch));
        let batch = if needs_all_rows {
            batch
        } else {
            batch.min(MOST_ROWS)
        };
        let capacity = batch.max(others.min(ROWS_OF_LOSS));
        let threads = threads
            .min(work_of(architecture, capacity) / WORK_OF_A_THREAD)
            .max(1);
        // With layers so narrow, the product of a few rows has other last digits than that of all (see `product`).
        let is_narrow = layers.iter().skip(1).any(|layer| layer.inputs <= 16);
        Ok(Trainer {
            team: Team::new(threads),
            shares_rows: !needs_all_rows && !is_narrow,
            batch: Batch::new(architecture, capacity)?,
            inputs: zeros(capacity * architecture.input_count(), "a batch")?,
            targets: zeros(capacity * architecture.output_count(), "a batch")?,
            weights: zeros(capacity, "a batch")?,
            losses: vec![0.0; capacity],
        })
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
        let total = work
            .rows
            .iter()
            .map(|&row| work.data.weight(row as usize).to_f64())
            .sum();
        // A batch whose rows all weigh nothing teaches nothing.
        let scale = T::from_f64(if total > 0.0 { 1.0 / total } else { 0.0 });
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
            let gradients = Gradients {
                all: Shared::new(gradients),
                scale,
                is_first: first_row == 0,
            };
            loss.sum += self.pass(Work { rows, ..work }, values, Some((masks, gradients)));
            first_row += rows.len();
            if (work.is_stopped)() {
                return None;
            }
        }
        Some(loss)
    }

    /// The data loss over the rows, with dropout off and running statistics; nothing if stopped. `see` gets the
    /// outputs of each stretch of rows.
    pub fn loss(&mut self, work: Work<T>, values: &[T], see: &mut dyn FnMut(&[T])) -> Option<LossSum> {
        let mut loss = LossSum::default();
        for rows in work.rows.chunks(self.batch.capacity()) {
            let weight = |&row: &u32| work.data.weight(row as usize).to_f64();
            loss.weight += rows.iter().map(weight).sum::<f64>();
            loss.sum += self.pass(Work { rows, ..work }, values, None);
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
    fn pass(&mut self, work: Work<T>, values: &[T], training: Option<(Masks, Gradients<T>)>) -> f64 {
        let Work {
            architecture,
            data,
            rows,
            is_stopped,
        } = work;
        let masks = training.as_ref().map(|training| training.0);
        let pass = self
            .batch
            .pass(architecture, values, rows.len(), masks, is_stopped);
        let (inputs, targets) = (Shared::new(&mut self.inputs), Shared::new(&mut self.targets));
        let (weights, losses) = (Shared::new(&mut self.weights), Shared::new(&mut self.losses));
        let pays = work_of(architecture, rows.len()) >= 2 * WORK_OF_A_THREAD;
        let size = if pays { self.team.size() } else { 1 };
        let row_threads = if self.shares_rows { size } else { 1 };
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
                let x = inputs.write(mine.start * data.width..mine.end * data.width);
                let t = targets.write(mine.start * data.units..mine.end * data.units);
                let w = weights.write(mine.clone());
                let places = x
                    .chunks_exact_mut(data.width)
                    .zip(t.chunks_exact_mut(data.units))
                    .zip(&mut *w);
                for (&row, ((x, t), w)) in rows[mine.clone()].iter().zip(places) {
                    x.copy_from_slice(data.inputs(row as usize));
                    t.copy_from_slice(data.targets(row as usize));
                    *w = data.weight(row as usize);
                }
                pass.forward(mine.clone(), x);
                pass.losses(mine.clone(), t, losses.write(mine.clone()));
                if let Some((_, gradients)) = &training {
                    pass.backward(mine, t, data.is_weighted().then_some(&*w), gradients.scale);
                }
            }
        });
        if let Some((_, gradients)) = &training {
            self.team.run(size, &|index| {
                // SAFETY: no row is written any more, and shares do not overlap.
                unsafe {
                    let x = inputs.read(0..rows.len() * data.width);
                    pass.gradients((index, size), x, gradients.all, gradients.is_first);
                }
            });
        }
        // In the order of the rows, so that the sum does not depend on the number of threads.
        let terms = self.weights.iter().zip(&self.losses).take(rows.len());
        terms.map(|(w, loss)| w.to_f64() * loss).sum()
    }
}

/// The multiply-adds of a forward pass.
fn work_of(architecture: &Architecture, rows: usize) -> usize {
    rows.saturating_mul(architecture.parameter_count())
}

/// Where gradients go, and how much a row of weight 1 counts in them.
struct Gradients<'a, T> {
    all: Shared<'a, T>,
    scale: T,
    is_first: bool,
}
