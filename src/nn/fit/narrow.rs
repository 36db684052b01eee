//! Gradients of narrow networks.
//!
//! Where layers have few units, a row of them is shorter than a vector, and to begin a product or a pass takes longer
//! than its arithmetic. Here vectors run along the rows of the batch instead, L rows side by side, and one function
//! does all there is to do. Shapes are those of [`crate::nn::batch`] with rows as columns: `x[inputs][L]`,
//! `z[units][L]` and so on.

use std::hint::black_box;

use crate::nn::activation::{Activation, softmax_side_by_side};
use crate::nn::architecture::{Architecture, Layer};
use crate::nn::batch::add_penalty_gradient;
use crate::nn::error::Result;
use crate::nn::kernels::all_finite;
use crate::nn::online::{recovered, zeros};
use crate::nn::real::Real;
use crate::nn::simd::{self, Isa, Task};

use super::data::Data;

/// The most rows side by side: a vector of 64 bytes in single precision, two in double.
const MOST: usize = 16;

/// From so many parameters on, vectors that run along the units are faster (see the costs of `benchmark/`).
const PARAMETERS: usize = 256;

/// Room for the gradients of a narrow network.
pub struct Narrow<T> {
    room: Vec<T>,
}

impl<T: Real> Narrow<T> {
    /// Room for batches of up to `capacity` rows and networks of this shape, if it is narrow.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn new(architecture: &Architecture, capacity: usize) -> Result<Option<Self>> {
        let is_plain = |layer: &Layer| layer.options.normalization.is_none() && layer.options.dropout == 0.0;
        if architecture.parameter_count() > PARAMETERS || !architecture.layers().iter().all(is_plain) {
            return Ok(None);
        }
        let room = zeros(size(architecture) * capacity.next_multiple_of(MOST), "a batch")?;
        Ok(Some(Narrow { room }))
    }

    /// The gradient of the objective over `rows` of `data`: it replaces what `gradients` holds, or is added to it. Row i
    /// counts its weight times `scale`. Returns the sum of the losses, each times its weight.
    ///
    /// # Panics
    /// Where there are more rows than room.
    pub fn gradient(
        &mut self,
        (architecture, data, rows): (&Architecture, &Data<T>, &[u32]),
        values: &[T],
        scale: T,
        gradients: &mut [T],
        is_first: bool,
    ) -> f64 {
        simd::run(Gradient {
            architecture,
            data,
            rows,
            values,
            scale,
            gradients,
            is_first,
            room: &mut self.room,
        })
    }
}

struct Gradient<'a, T> {
    architecture: &'a Architecture,
    data: &'a Data<T>,
    rows: &'a [u32],
    values: &'a [T],
    scale: T,
    gradients: &'a mut [T],
    is_first: bool,
    room: &'a mut [T],
}

impl<T: Real> Task for Gradient<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        match self.rows.len() {
            1 => self.side_by_side::<I, 1>(),
            2..=4 => self.side_by_side::<I, 4>(),
            _ if I::REGISTER == 16 => self.side_by_side::<I, 4>(),
            _ => self.side_by_side::<I, MOST>(),
        }
    }
}

/// The intermediate values of L rows.
struct Rows<'a, T, const L: usize> {
    /// What layers read: x of the first and a of every layer, one behind the other.
    read: &'a mut [[T; L]],
    /// Of every layer
    dz: &'a mut [[T; L]],
    /// Of every layer
    z: &'a mut [[T; L]],
    targets: &'a mut [[T; L]],
}

/// How many numbers a row takes.
fn size(architecture: &Architecture) -> usize {
    architecture.input_count() + 3 * architecture.unit_count() + architecture.output_count()
}

impl<'a, T, const L: usize> Rows<'a, T, L> {
    #[inline(always)]
    fn new(architecture: &Architecture, room: &'a mut [[T; L]]) -> Self {
        let units = architecture.unit_count();
        let (read, room) = room.split_at_mut(architecture.input_count() + units);
        let (dz, room) = room.split_at_mut(units);
        let (z, targets) = room.split_at_mut(units);
        Rows { read, dz, z, targets }
    }
}

impl<T: Real> Gradient<'_, T> {
    /// L rows at a time.
    #[inline(always)]
    fn side_by_side<I: Isa, const L: usize>(mut self) -> f64 {
        let size = size(self.architecture);
        let room: &mut [[T; L]] = std::mem::take(&mut self.room).as_chunks_mut().0;
        let room = &mut room[..size * self.rows.len().div_ceil(L)];
        let mut sum = 0.0;
        for (numbers, room) in self.rows.chunks(L).zip(room.chunks_exact_mut(size)) {
            let mut rows = Rows::new(self.architecture, room);
            let weights = self.gather(numbers, &mut rows);
            self.forward::<I, L>(&mut rows);
            let losses = self.losses::<I, L>(weights, &mut rows);
            for l in 0..numbers.len() {
                sum += weights[l].to_f64() * losses[l].to_f64();
            }
            self.backward::<I, L>(&mut rows);
        }
        self.sum::<I, L>(room);
        sum
    }

    /// Takes rows of the data, and how much each counts. Places that are left over repeat the last row and count
    /// nothing.
    #[inline(always)]
    fn gather<const L: usize>(&self, numbers: &[u32], rows: &mut Rows<T, L>) -> [T; L] {
        let mut weights = [T::ZERO; L];
        for l in 0..L {
            let row = numbers[l.min(numbers.len() - 1)] as usize;
            set(rows.read, l, self.data.inputs(row));
            set(rows.targets, l, self.data.targets(row));
            if l < numbers.len() {
                weights[l] = self.data.weight(row);
            }
        }
        weights
    }

    #[inline(always)]
    fn forward<I: Isa, const L: usize>(&self, rows: &mut Rows<T, L>) {
        for layer in self.architecture.layers() {
            let here = layer.outputs.clone();
            let (before, a) = rows
                .read
                .split_at_mut(self.architecture.input_count() + here.start);
            let x = &before[before.len() - layer.inputs..];
            let (z, a) = (&mut rows.z[here], &mut a[..layer.units]);
            let (w, b) = (
                &self.values[layer.weights.clone()],
                &self.values[layer.biases.clone()],
            );
            for (j, (z, &b)) in z.iter_mut().zip(b).enumerate() {
                *z = weighted_sum::<I, T, L>([b; L], x, w[j..].iter().step_by(layer.units));
            }
            if !all_finite(z.as_flattened()) {
                recover(x, w, b, z);
            }
            // A function of its own, not compiled for every L.
            layer
                .options
                .activation
                .apply_to(z.as_flattened(), a.as_flattened_mut());
            if layer.options.activation == Activation::Softmax {
                softmax_side_by_side::<I, T, L>(a);
            }
        }
    }

    /// The loss of each row, and dz of the last layer.
    #[inline(always)]
    fn losses<I: Isa, const L: usize>(&self, weights: [T; L], rows: &mut Rows<T, L>) -> [T; L] {
        let (layer, loss) = (self.architecture.output_layer(), self.architecture.loss());
        let z = &rows.z[layer.outputs.clone()];
        let a = &rows.read[rows.read.len() - layer.units..];
        let dz = &mut rows.dz[layer.outputs.clone()];
        loss.gradient::<I, T, L>(z, a, rows.targets, dz);
        if !loss.is_fused() {
            let activation = layer.options.activation;
            activation.backward_to(z.as_flattened(), a.as_flattened(), dz.as_flattened_mut());
        }
        for dz in dz {
            for l in 0..L {
                dz[l] *= weights[l] * self.scale;
            }
        }
        loss.value::<I, T, L>(z, a, rows.targets)
    }

    /// dz of the layers before the last.
    #[inline(always)]
    fn backward<I: Isa, const L: usize>(&self, rows: &mut Rows<T, L>) {
        let layers = self.architecture.layers();
        for (before, layer) in layers.iter().zip(&layers[1..]).rev() {
            let here = before.outputs.clone();
            let (dx, dz) = rows.dz[here.start..].split_at_mut(before.units);
            let w = self.values[layer.weights.clone()].chunks_exact(layer.units);
            for (dx, w) in dx.iter_mut().zip(w) {
                *dx = weighted_sum::<I, T, L>([T::ZERO; L], &dz[..layer.units], w.iter());
            }
            let a = &rows.read[self.architecture.input_count() + here.start..][..before.units];
            let activation = before.options.activation;
            activation.backward_to(
                rows.z[here].as_flattened(),
                a.as_flattened(),
                dx.as_flattened_mut(),
            );
        }
    }

    /// The gradients, from all rows.
    #[inline(always)]
    fn sum<I: Isa, const L: usize>(&mut self, room: &[[T; L]]) {
        let (inputs, units) = (self.architecture.input_count(), self.architecture.unit_count());
        let size = size(self.architecture);
        for layer in self.architecture.layers() {
            let dz = inputs + units + layer.outputs.start;
            let x = inputs + layer.outputs.start - layer.inputs;
            let w = &mut self.gradients[layer.weights.clone()];
            for (i, w) in w.chunks_exact_mut(layer.units).enumerate() {
                for (j, w) in w.iter_mut().enumerate() {
                    let mut sums = [T::ZERO; L];
                    for rows in room.chunks_exact(size) {
                        let (x, dz) = (&rows[x + i], &rows[dz + j]);
                        for l in 0..L {
                            sums[l] = I::mul_add(x[l], dz[l], sums[l]);
                        }
                    }
                    put(w, sum_of_all(sums), self.is_first);
                }
            }
            if self.is_first {
                add_penalty_gradient(layer, &self.values[layer.weights.clone()], w);
            }
            let b = &mut self.gradients[layer.biases.clone()];
            for (j, b) in b.iter_mut().enumerate() {
                let mut sums = [T::ZERO; L];
                for rows in room.chunks_exact(size) {
                    for l in 0..L {
                        sums[l] += rows[dz + j][l];
                    }
                }
                put(b, sum_of_all(sums), self.is_first);
            }
        }
    }
}

/// Puts a row into place l of rows side by side.
#[inline(always)]
fn set<T: Copy, const L: usize>(side_by_side: &mut [[T; L]], l: usize, row: &[T]) {
    for (place, &x) in side_by_side.iter_mut().zip(row) {
        place[l] = x;
        // No vectors: to scatter one takes longer.
        black_box(());
    }
}

/// `start + sum_k w[k] x[k]`
#[inline(always)]
fn weighted_sum<'a, I: Isa, T: Real, const L: usize>(
    start: [T; L],
    x: &[[T; L]],
    w: impl Iterator<Item = &'a T>,
) -> [T; L] {
    let mut sum = start;
    for (x, &w) in x.iter().zip(w) {
        for l in 0..L {
            sum[l] = I::mul_add(x[l], w, sum[l]);
        }
    }
    sum
}

/// Takes the sums again that are not finite; see [`recovered`].
#[cold]
fn recover<T: Real, const L: usize>(x: &[[T; L]], w: &[T], b: &[T], z: &mut [[T; L]]) {
    for l in 0..L {
        let x: Vec<T> = x.iter().map(|x| x[l]).collect();
        for (unit, z) in z.iter_mut().enumerate() {
            z[l] = recovered(z[l], &x, w, b, unit);
        }
    }
}

/// Puts a sum in place of a gradient, or adds it.
#[inline(always)]
fn put<T: Real>(gradient: &mut T, sum: T, is_first: bool) {
    *gradient = if is_first { sum } else { *gradient + sum };
}

/// The sum of L numbers, a power of 2: halves are added to halves.
#[inline(always)]
fn sum_of_all<T: Real, const L: usize>(mut x: [T; L]) -> T {
    let mut half = L / 2;
    while half > 0 {
        for l in 0..half {
            let other = x[l + half];
            x[l] += other;
        }
        half /= 2;
    }
    x[0]
}
