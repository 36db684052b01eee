//! Gradients and steps of narrow networks.
//!
//! Where layers have few units, a row of them is shorter than a vector, and to begin a product or a pass takes longer
//! than its arithmetic. Here vectors run along the rows of the batch instead, L interleaved rows, and one function
//! does all there is to do, from the first batch of an epoch to the last. Shapes are those of [`crate::nn::pass::batch`] with
//! rows as columns: `x[inputs][L]`, `z[units][L]` and so on.

use std::hint::black_box;

use crate::nn::error::Result;
use crate::nn::network::activation::{Activation, softmax_side_by_side};
use crate::nn::network::architecture::{Architecture, Layer};
use crate::nn::network::penalty::add_penalty_gradient;
use crate::nn::optim::{Gradients, OptimizerState};
use crate::nn::pass::online::recovered;
use crate::nn::pass::plan;
use crate::nn::pass::tiny::{self, Functions};
use crate::nn::vector::kernels::{affine_side_by_side, at, at_mut, few_at_a_time, set};
use crate::nn::vector::memory::Aligned;
use crate::nn::vector::memory::zeros;
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Task};

use crate::nn::data::Data;
use crate::nn::pass::losses::Losses;
use crate::nn::pass::work::{LossSum, Work, scale};

/// The most interleaved rows: a vector of 64 bytes in single precision, two in double.
const MOST: usize = 16;

/// Interleaved in short batches, and in all where registers are too short for more.
const FEW: usize = 4;

/// How many steps are taken before somebody asks whether to stop.
const STEPS: usize = 64;

/// A number of each of up to MOST rows; those of L rows of a layer, `[units][L]`, begin at a block and leave the end of
/// the last ones unused.
type Block<T> = [T; MOST];

/// Scratch buffers for the passes of a narrow network.
pub struct Narrow<T> {
    scratch: Aligned<T>,
    gradients: Vec<T>,
    losses: Losses<T>,
    tiny: Option<Functions>,
}

impl<T: Real> Narrow<T> {
    /// Scratch buffers for batches of up to `capacity` rows and networks of this shape, if it is narrow.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn new(architecture: &Architecture, capacity: usize) -> Result<Option<Self>> {
        if !plan::is_narrow(architecture) {
            return Ok(None);
        }
        Ok(Some(Narrow {
            scratch: Aligned::zeros(
                blocks(architecture) * simd::run(Groups(capacity)) * MOST,
                "a batch",
            )?,
            gradients: zeros(architecture.parameter_count(), "the gradients")?,
            losses: Losses::new(architecture)?,
            tiny: plan::tiny(architecture),
        }))
    }

    /// The gradient of the objective over the rows: it replaces what `gradients` holds, or is added to it. Row i counts
    /// its weight times `scale`. Returns the sum of the losses, each times its weight.
    ///
    /// # Panics
    /// Where there are more rows than the buffers hold.
    pub fn gradient(
        &mut self,
        work: Work<T>,
        values: &[T],
        scale: T,
        gradients: &mut [T],
        is_first: bool,
    ) -> f64 {
        let loss = simd::run(Passes {
            work,
            batch: work.rows.len(),
            scratch: self.scratch.as_chunks_mut().0,
            losses: &mut self.losses,
            aim: Aim::Gradient {
                values,
                scale,
                gradients,
                is_first,
            },
        });
        loss.map_or(0.0, |loss| loss.sum)
    }

    /// Takes a step by the gradient of each `batch` of the rows, one after the other. Their data loss, each at the values
    /// before its step; nothing if stopped. Ends early where a loss is not finite.
    ///
    /// # Panics
    /// Where there are more rows in a batch than the buffers hold.
    pub fn steps(
        &mut self,
        work: Work<T>,
        batch: usize,
        values: &mut [T],
        state: &mut OptimizerState<T>,
        rate: f64,
    ) -> Option<LossSum> {
        let (mut work, mut first) = (work, LossSum::default());
        if let (Some(functions), Some(rule)) = (self.tiny, state.optimizer().descent(rate)) {
            let done;
            (done, first) = tiny::steps::steps(functions, work, batch, values, rule, &mut self.losses);
            state.count(done as u64);
            work.rows = &work.rows[(done * batch).min(work.rows.len())..];
            if work.rows.is_empty() {
                return Some(first);
            }
        }
        simd::run(Passes {
            work,
            batch,
            scratch: self.scratch.as_chunks_mut().0,
            losses: &mut self.losses,
            aim: Aim::Steps {
                values,
                gradients: &mut self.gradients,
                state,
                rate,
            },
        })
        .map(|loss| loss.plus(first))
    }
}

/// How many rows of a batch of `rows` are interleaved: FEW or MOST.
#[inline(always)]
fn abreast<I: Isa>(rows: usize) -> usize {
    if rows <= FEW || I::REGISTER == 16 {
        FEW
    } else {
        MOST
    }
}

/// How many groups of interleaved rows the largest batch has; it has the most.
struct Groups(usize);

impl Task for Groups {
    type Output = usize;
    const WIDENS: bool = false;

    #[inline(always)]
    fn run<I: Isa>(self) -> usize {
        self.0.div_ceil(abreast::<I>(self.0))
    }
}

/// Passes over all rows, a batch at a time.
struct Passes<'a, T> {
    work: Work<'a, T>,
    batch: usize,
    scratch: &'a mut [Block<T>],
    losses: &'a mut Losses<T>,
    aim: Aim<'a, T>,
}

/// What becomes of the gradients.
enum Aim<'a, T> {
    Gradient {
        values: &'a [T],
        scale: T,
        gradients: &'a mut [T],
        is_first: bool,
    },
    Steps {
        values: &'a mut [T],
        gradients: &'a mut [T],
        state: &'a mut OptimizerState<T>,
        rate: f64,
    },
}

impl<T: Real> Task for Passes<'_, T> {
    type Output = Option<LossSum>;

    #[inline(always)]
    fn run<I: Isa>(mut self) -> Self::Output {
        let mut all = LossSum::default();
        for (k, rows) in self.work.rows.chunks(self.batch).enumerate() {
            if k % STEPS == 0 && (self.work.is_stopped)() {
                return None;
            }
            let loss = match abreast::<I>(rows.len()) {
                FEW => self.batch::<I, FEW>(rows),
                _ => self.batch::<I, MOST>(rows),
            };
            all.add(loss);
            if !loss.sum.is_finite() {
                break;
            }
        }
        Some(all)
    }
}

impl<T: Real> Passes<'_, T> {
    /// One batch, L rows at a time.
    #[inline(always)]
    fn batch<I: Isa, const L: usize>(&mut self, rows: &[u32]) -> LossSum {
        let Work {
            architecture, data, ..
        } = self.work;
        let total = data.weight_of(rows);
        let (values, scale) = match &self.aim {
            Aim::Gradient { values, scale, .. } => (*values, *scale),
            Aim::Steps { values, .. } => (&**values, scale(total)),
        };
        let size = blocks(architecture);
        let scratch = &mut self.scratch[..size * rows.len().div_ceil(L)];
        let pass = Pass {
            architecture,
            data,
            values,
            scale,
        };
        let mut left = &mut *scratch;
        for numbers in rows.chunks(L) {
            let blocks;
            (blocks, left) = left.split_at_mut(size);
            pass.run::<I, L>(numbers, &mut Rows::new(architecture, blocks), self.losses);
        }
        let sum = self.losses.take();
        let scratch = &*scratch;
        match &mut self.aim {
            Aim::Gradient {
                values,
                gradients,
                is_first,
                ..
            } => {
                sums::<I, T, L>(architecture, scratch, gradients, *is_first);
                if *is_first {
                    add_penalties(architecture, values, gradients);
                }
            }
            Aim::Steps {
                values,
                gradients,
                state,
                rate,
            } => {
                sums::<I, T, L>(architecture, scratch, gradients, true);
                add_penalties(architecture, values, gradients);
                let all = 0..gradients.len();
                // SAFETY: nobody else has the step.
                unsafe {
                    state
                        .begin(*rate)
                        .update(all.clone(), &mut values[all], Gradients::new(gradients))
                };
            }
        }
        LossSum { sum, weight: total }
    }
}

/// The intermediate values of some rows.
struct Rows<'a, T> {
    /// What layers read: x of the first and a of every layer, one behind the other.
    read: &'a mut [Block<T>],
    /// Of every layer
    dz: &'a mut [Block<T>],
    /// Of every layer
    z: &'a mut [Block<T>],
    targets: &'a mut [Block<T>],
}

/// How many blocks rows take.
fn blocks(architecture: &Architecture) -> usize {
    architecture.input_count() + 3 * architecture.unit_count() + architecture.output_count()
}

impl<'a, T> Rows<'a, T> {
    #[inline(always)]
    fn new(architecture: &Architecture, scratch: &'a mut [Block<T>]) -> Self {
        let units = architecture.unit_count();
        let (read, scratch) = scratch.split_at_mut(architecture.input_count() + units);
        let (dz, scratch) = scratch.split_at_mut(units);
        let (z, targets) = scratch.split_at_mut(units);
        Rows { read, dz, z, targets }
    }
}

/// L rows of each number that begins at a block.
#[inline(always)]
fn side_by_side<T, const L: usize>(blocks: &[Block<T>]) -> &[[T; L]] {
    &blocks.as_flattened().as_chunks().0[..blocks.len()]
}

/// The same to be changed.
#[inline(always)]
fn side_by_side_mut<T, const L: usize>(blocks: &mut [Block<T>]) -> &mut [[T; L]] {
    let count = blocks.len();
    &mut blocks.as_flattened_mut().as_chunks_mut().0[..count]
}

/// The blocks that L rows of each number are in, as one slice.
#[inline(always)]
fn used<T, const L: usize>(blocks: &[Block<T>]) -> &[T] {
    blocks[..(blocks.len() * L).div_ceil(MOST)].as_flattened()
}

/// The same to be changed.
#[inline(always)]
fn used_mut<T, const L: usize>(blocks: &mut [Block<T>]) -> &mut [T] {
    let count = (blocks.len() * L).div_ceil(MOST);
    blocks[..count].as_flattened_mut()
}

/// A pass over L rows.
struct Pass<'a, T> {
    architecture: &'a Architecture,
    data: &'a Data<T>,
    values: &'a [T],
    scale: T,
}

impl<T: Real> Pass<'_, T> {
    /// From the rows of these numbers to every dz and the losses.
    #[inline(always)]
    fn run<I: Isa, const L: usize>(&self, numbers: &[u32], rows: &mut Rows<T>, losses: &mut Losses<T>) {
        let weights = self.gather::<L>(numbers, rows);
        self.forward::<I, L>(rows);
        self.losses::<I, L>(weights, rows, losses);
        self.backward::<I, L>(rows);
    }

    /// Takes rows of the data, and how much each counts. Places that are left over repeat the last row and count
    /// nothing.
    #[inline(always)]
    fn gather<const L: usize>(&self, numbers: &[u32], rows: &mut Rows<T>) -> [T; L] {
        let mut weights = [T::ZERO; L];
        let x = side_by_side_mut::<T, L>(&mut rows.read[..self.data.width]);
        let t = side_by_side_mut::<T, L>(rows.targets);
        for l in 0..L {
            let row = numbers[l.min(numbers.len() - 1)] as usize;
            set(x, l, self.data.inputs(row));
            set(t, l, self.data.targets(row));
            if l < numbers.len() {
                weights[l] = self.data.weight(row);
            }
        }
        weights
    }

    #[inline(always)]
    fn forward<I: Isa, const L: usize>(&self, rows: &mut Rows<T>) {
        for layer in self.architecture.layers() {
            let here = layer.outputs.clone();
            let (before, a) = rows
                .read
                .split_at_mut(self.architecture.input_count() + here.start);
            let x = side_by_side::<T, L>(&before[before.len() - layer.inputs..]);
            let (z, a) = (&mut rows.z[here], &mut a[..layer.units]);
            let (w, b) = (
                &self.values[layer.weights.clone()],
                &self.values[layer.biases.clone()],
            );
            if !affine_side_by_side::<I, T, L>(x, w, b, side_by_side_mut(z)) {
                recover::<T, L>(x, w, b, side_by_side_mut(z));
            }
            let activation = layer.options.activation;
            // A function of its own, not compiled for every L.
            activation.apply_to(used::<T, L>(z), used_mut::<T, L>(a));
            if activation == Activation::Softmax {
                softmax_side_by_side::<T, L>(side_by_side_mut(a), |x| {
                    for x in x {
                        *x = x.exp::<I>();
                    }
                });
            }
        }
    }

    /// The loss of each row, and dz of the last layer.
    #[inline(always)]
    fn losses<I: Isa, const L: usize>(&self, weights: [T; L], rows: &mut Rows<T>, losses: &mut Losses<T>) {
        let (layer, loss) = (self.architecture.output_layer(), self.architecture.loss());
        let z = &rows.z[layer.outputs.clone()];
        let a = &rows.read[rows.read.len() - layer.units..];
        let dz = &mut rows.dz[layer.outputs.clone()];
        let t = side_by_side::<T, L>(rows.targets);
        loss.gradient::<I, T, L>(side_by_side(z), side_by_side(a), t, side_by_side_mut(dz));
        if !loss.is_fused() {
            derive::<T, L>(layer, z, a, dz);
        }
        for dz in side_by_side_mut::<T, L>(dz) {
            for l in 0..L {
                dz[l] *= weights[l] * self.scale;
            }
            // No vectors across these blocks: to gather them takes longer.
            black_box(());
        }
        losses.add::<I, L>(side_by_side(z), side_by_side(a), t, weights);
    }

    /// dz of the layers before the last.
    #[inline(always)]
    fn backward<I: Isa, const L: usize>(&self, rows: &mut Rows<T>) {
        let layers = self.architecture.layers();
        for (before, layer) in layers.iter().zip(&layers[1..]).rev() {
            let here = before.outputs.clone();
            let (dx, dz) = rows.dz[here.start..].split_at_mut(before.units);
            let dz = side_by_side::<T, L>(&dz[..layer.units]);
            let w = &self.values[layer.weights.clone()];
            few_at_a_time!(before.units, i, COUNT => {
                let mut sums = [[T::ZERO; L]; COUNT];
                let w = &w[i * layer.units..][..COUNT * layer.units];
                for (j, dz) in dz.iter().enumerate() {
                    for (u, sums) in sums.iter_mut().enumerate() {
                        for l in 0..L {
                            sums[l] = I::mul_add(dz[l], w[u * layer.units + j], sums[l]);
                        }
                    }
                }
                *at_mut(side_by_side_mut(dx), i) = sums;
            });
            let a = &rows.read[self.architecture.input_count() + here.start..][..before.units];
            derive::<T, L>(before, &rows.z[here], a, dx);
        }
    }
}

/// dz of a layer in place of da.
#[inline(always)]
fn derive<T: Real, const L: usize>(layer: &Layer, z: &[Block<T>], a: &[Block<T>], d: &mut [Block<T>]) {
    let activation = layer.options.activation;
    activation.backward_to(used::<T, L>(z), used::<T, L>(a), used_mut::<T, L>(d));
}

/// The gradients of the data loss, from all rows.
#[inline(always)]
fn sums<I: Isa, T: Real, const L: usize>(
    architecture: &Architecture,
    scratch: &[Block<T>],
    gradients: &mut [T],
    is_first: bool,
) {
    let (inputs, units) = (architecture.input_count(), architecture.unit_count());
    let size = blocks(architecture);
    for layer in architecture.layers() {
        let dz = inputs + units + layer.outputs.start;
        let x = inputs + layer.outputs.start - layer.inputs;
        // The biases are the weights of an input that is always 1, and follow the others.
        for i in 0..=layer.inputs {
            few_at_a_time!(layer.units, j, COUNT => {
                let mut sums = [[T::ZERO; L]; COUNT];
                let mut left = scratch;
                while !left.is_empty() {
                    let rows;
                    (rows, left) = left.split_at(size);
                    let dz: &[[T; L]; COUNT] = at(side_by_side(&rows[dz..][..layer.units]), j);
                    let x = if i < layer.inputs {
                        side_by_side::<T, L>(&rows[x..][..layer.inputs])[i]
                    } else {
                        [T::ONE; L]
                    };
                    for (sums, dz) in sums.iter_mut().zip(dz) {
                        for l in 0..L {
                            sums[l] = I::mul_add(x[l], dz[l], sums[l]);
                        }
                    }
                }
                let to: &mut [T; COUNT] = at_mut(gradients, layer.weights.start + i * layer.units + j);
                for (to, sum) in to.iter_mut().zip(sums_of_all(sums)) {
                    *to = if is_first { sum } else { *to + sum };
                }
            });
        }
    }
}

fn add_penalties<T: Real>(architecture: &Architecture, values: &[T], gradients: &mut [T]) {
    for layer in architecture.layers() {
        let here = layer.weights.clone();
        add_penalty_gradient(layer, &values[here.clone()], &mut gradients[here]);
    }
}

/// Takes the sums again that are not finite; see [`recovered`].
#[cold]
#[inline(never)]
fn recover<T: Real, const L: usize>(x: &[[T; L]], w: &[T], b: &[T], z: &mut [[T; L]]) {
    for l in 0..L {
        let x: Vec<T> = x.iter().map(|x| x[l]).collect();
        for (unit, z) in z.iter_mut().enumerate() {
            z[l] = recovered(z[l], &x, w, b, unit);
        }
    }
}

/// The sums of L numbers each, a power of 2: halves are added to halves.
#[inline(always)]
fn sums_of_all<T: Real, const L: usize, const U: usize>(mut x: [[T; L]; U]) -> [T; U] {
    let mut half = L / 2;
    while half > 0 {
        for x in &mut x {
            for l in 0..half {
                let other = x[l + half];
                x[l] += other;
            }
        }
        half /= 2;
    }
    let mut sums = [T::ZERO; U];
    for u in 0..U {
        sums[u] = x[u][0];
    }
    sums
}
