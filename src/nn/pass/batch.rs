//! Many examples at a time: forward and backward over the rows of a batch.
//!
//! Shapes, with m rows: `x[m][inputs]` is what a layer reads, `z = x w + b` `[m][units]`, `y` what the
//! activation is taken of (z, or gamma n + beta where the layer is normalized), `a = f(y)`; `dz` stands for
//! dE/dz and so on.
//!
//! Threads share a batch in two ways: forward and back to every dz, each takes rows; for the gradients, each
//! takes inputs and neurons of every layer. No sum is cut, so the results do not depend on the number of threads.

use std::ops::Range;

use crate::nn::error::Result;
use crate::nn::host::team::{Shared, share};
use crate::nn::network::architecture::{Architecture, Layer};
use crate::nn::network::normalization::{self, MOMENTUM};
use crate::nn::network::options::Normalization;
use crate::nn::network::penalty::add_penalty_gradient;
use crate::nn::pass::online::{recovered, weighted_sums};
use crate::nn::pass::outputs::{OutputGradient, Outputs, activate};
use crate::nn::pass::plan;
use crate::nn::random::Generator;
use crate::nn::vector::kernels::are_finite;
use crate::nn::vector::memory::Aligned;
use crate::nn::vector::product::{Matrix, Onto, product, product_of_few, transpose};
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Task};

/// Below so many rows, turning them into columns costs more than it brings.
const FEW: usize = 8;

/// So many gradients at a time, and so many where dz is no larger.
const TILE: usize = 1 << 17;
const SMALL_TILE: usize = 1 << 13;
/// And so many where they are not kept in between: the more, the less often dz is copied for a product.
const LARGE_TILE: usize = 1 << 19;
/// But those of so many inputs at least.
const LEAST_INPUTS: usize = 16;

/// Scratch buffers: the intermediate values of a batch, reused from batch to batch.
#[derive(Debug)]
pub struct Batch<T> {
    capacity: usize,
    /// Of the last pass.
    rows: usize,
    offsets: Vec<Offsets>,
    /// Where dz and dx of a layer stand with rows as columns, and how wide the widest is.
    transposed: [(usize, usize); 2],
    memory: Aligned<T>,
}

/// Where a layer's intermediate values begin in the memory of a batch. Those that the layer does not need
/// take no memory.
#[derive(Clone, Debug)]
struct Offsets {
    /// `[m][units]`
    y: usize,
    /// `[m][units]`
    a: usize,
    /// `[m][units]`
    dz: usize,
    /// `[m][units]`, of a normalized layer
    n: usize,
    /// `[m][units]`, of a normalized layer
    dy: usize,
    /// The mean that a batch normalization subtracted, `[units]`
    mean: usize,
    /// The biased variance that it divided by, `[units]`
    variance: usize,
    /// 1 / sqrt(variance + epsilon): `[units]` of a batch normalization, `[m]` of a layer normalization
    inverse_deviations: usize,
    /// a with some outputs dropped and the others scaled up, `[m][units]`
    dropped: usize,
    /// 0 or 1 / (1 - dropout), `[m][units]`
    mask: usize,
}

/// Which outputs are dropped: it follows from the seed, the step and the row alone.
#[derive(Clone, Copy, Debug)]
pub struct Masks {
    /// The network's seed.
    pub seed: u64,
    /// The number of the training step.
    pub step: u64,
    /// What the first row of the batch counts as.
    pub first_row: usize,
}

impl<T: Real> Batch<T> {
    /// Scratch buffers for batches of up to `capacity` rows.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn new(architecture: &Architecture, capacity: usize) -> Result<Self> {
        let mut length = 0;
        let mut reserve = |count: usize| {
            length += count;
            length - count
        };
        let offsets = architecture
            .layers()
            .iter()
            .map(|layer| {
                let all = capacity * layer.units;
                let if_needed = |needed: bool, count: usize| if needed { count } else { 0 };
                let normalized = layer.options.normalization.is_some();
                let is_batch = is_batch_normalized(layer);
                let drops = layer.options.dropout > 0.0;
                Offsets {
                    y: reserve(all),
                    a: reserve(all),
                    dz: reserve(all),
                    n: reserve(if_needed(normalized, all)),
                    dy: reserve(if_needed(normalized, all)),
                    mean: reserve(if_needed(is_batch, layer.units)),
                    variance: reserve(if_needed(is_batch, layer.units)),
                    inverse_deviations: reserve(if_needed(normalized, layer.units.max(capacity))),
                    dropped: reserve(if_needed(drops, all)),
                    mask: reserve(if_needed(drops, all)),
                }
            })
            .collect();
        let widest = architecture.layers().iter().map(|layer| layer.units).max();
        let widest = widest.unwrap_or(0);
        let transposed = [(); 2].map(|()| (reserve(capacity * widest), widest));
        Ok(Batch {
            capacity,
            rows: 0,
            offsets,
            transposed,
            memory: Aligned::zeros(length, "a batch")?,
        })
    }

    /// The most rows there is room for.
    pub fn capacity(&self) -> usize {
        self.capacity
    }

    /// How many bytes it holds.
    pub fn bytes(&self) -> usize {
        self.memory.len() * size_of::<T>()
    }

    /// Begins a pass over `rows` rows that threads may share. `is_stopped` is asked between layers: where it
    /// once says yes, the rest is left out and the results mean nothing.
    ///
    /// # Panics
    /// Where there are more rows than room.
    pub fn pass<'a>(
        &'a mut self,
        architecture: &'a Architecture,
        rows: usize,
        masks: Option<Masks>,
        is_stopped: &'a (dyn Fn() -> bool + Sync),
    ) -> Pass<'a, T> {
        assert!(rows <= self.capacity);
        self.rows = rows;
        Pass {
            architecture,
            rows,
            masks,
            is_stopped,
            is_begun: false,
            offsets: &self.offsets,
            transposed: self.transposed,
            memory: Shared::new(&mut self.memory),
        }
    }

    /// The outputs of the last forward pass, `[m][outputs]`.
    pub fn outputs(&self, architecture: &Architecture) -> &[T] {
        let start = self.offsets.last().expect("an architecture has a layer").a;
        &self.memory[start..start + self.rows * architecture.output_count()]
    }

    /// Predicts for `inputs`, `[m][inputs]`: nothing dropped, running statistics.
    ///
    /// # Panics
    /// Where a slice has another length than `architecture` says, or there are more rows than room.
    pub fn predict(&mut self, architecture: &Architecture, values: &[T], inputs: &[T]) {
        let rows = inputs.len() / architecture.input_count();
        let pass = self.pass(architecture, rows, None, &|| false);
        // SAFETY: no other thread knows of the pass.
        unsafe { pass.forward(values, 0..rows, inputs) };
        let (layer, offsets) = pass.output();
        let part = |start| span(start, layer.units, &(0..rows));
        // SAFETY: as above.
        let (y, a) = unsafe {
            (
                pass.memory.read(part(offsets.y)),
                pass.memory.write(part(offsets.a)),
            )
        };
        activate(layer.options.activation, y, a, layer.units);
    }

    /// Takes the statistics of the last training pass into the running ones among `values`.
    pub fn update_statistics(&self, architecture: &Architecture, values: &mut [T]) {
        if self.rows < 2 {
            return;
        }
        let momentum = T::from_f64(MOMENTUM);
        let unbiased = T::from_f64(self.rows as f64 / (self.rows as f64 - 1.0));
        let layers = architecture.layers().iter().zip(&self.offsets);
        for (layer, offsets) in layers.filter(|(layer, _)| is_batch_normalized(layer)) {
            for j in 0..layer.units {
                let mean = self.memory[offsets.mean + j];
                let variance = self.memory[offsets.variance + j] * unbiased;
                let running = &mut values[layer.mean.start + j];
                *running = (T::ONE - momentum) * *running + momentum * mean;
                let running = &mut values[layer.variance.start + j];
                *running = (T::ONE - momentum) * *running + momentum * variance;
            }
        }
    }
}

fn is_batch_normalized(layer: &Layer) -> bool {
    layer.options.normalization == Some(Normalization::Batch)
}

/// Where gradients go.
pub trait Sink<T>: Sync {
    /// Has the gradients of the parameters in `range` computed: `compute` gets the parameters, the place for their
    /// gradients, and whether these replace what is there or are added to it.
    ///
    /// # Safety
    /// No other thread may be at work on these parameters.
    unsafe fn take(&self, range: Range<usize>, compute: impl FnOnce(&[T], &mut [T], bool));

    /// Whether gradients that are products need a [scratch buffer](most_gradients).
    fn needs_room(&self) -> bool {
        true
    }

    /// The same for the gradients of weights, `x dz` with `x[inputs][rows]` and `dz[rows][units]`.
    ///
    /// # Safety
    /// As for [`Self::take`].
    unsafe fn take_product(&self, range: Range<usize>, x: Matrix<T>, dz: Matrix<T>)
    where
        T: Real,
    {
        // SAFETY: as the caller promises.
        unsafe {
            self.take(range, |_, gradients, is_first| {
                product(gradients, onto(is_first), x, dz)
            })
        };
    }

    /// The same from one example: `x[i] dz[j]`. Only sinks that move the weights are asked to begin the next example on
    /// the way.
    ///
    /// # Safety
    /// As for [`Self::take`].
    unsafe fn take_products(&self, range: Range<usize>, x: &[T], dz: &[T], _: Option<Next<T>>)
    where
        T: Real,
    {
        let (x, dz) = (Matrix::new(x, x.len(), 1), Matrix::new(dz, 1, dz.len()));
        // SAFETY: as the caller promises.
        unsafe { self.take_product(range, x, dz) };
    }
}

/// The example that follows, as its first layer sees it.
pub struct Next<'a, T> {
    /// What the layer will read.
    pub x: &'a [T],
    /// The place of its biases.
    pub biases: Range<usize>,
    /// A buffer for its weighted sums.
    pub z: &'a mut [T],
}

/// What gradients are added to.
fn onto<'a, T>(is_first: bool) -> Onto<'a, T> {
    if is_first { Onto::Nothing } else { Onto::Result }
}

/// `range` in tiles of as many inputs as make the best use of the caches: of a small dz, which stays in the first
/// one, few gradients at a time do too.
fn tiles(
    range: Range<usize>,
    units: usize,
    rows: usize,
    needs_room: bool,
) -> impl Iterator<Item = Range<usize>> {
    let numbers = match needs_room {
        _ if rows * units <= SMALL_TILE => SMALL_TILE,
        true => TILE,
        false => LARGE_TILE,
    };
    let inputs = (numbers / units).max(LEAST_INPUTS);
    let end = range.end;
    range
        .step_by(inputs)
        .map(move |start| start..end.min(start + inputs))
}

/// The most gradients that a [`Sink`] which needs a scratch buffer for them is given at a time.
pub fn most_gradients(architecture: &Architecture) -> usize {
    let most = |layer: &Layer| {
        let tile = (TILE / layer.units).max(LEAST_INPUTS) * layer.units;
        tile.min(layer.inputs * layer.units).max(layer.units)
    };
    architecture.layers().iter().map(most).max().unwrap_or(0)
}

/// A pass over the rows of a batch, as the threads that share it see it.
#[derive(Clone, Copy)]
pub struct Pass<'a, T> {
    architecture: &'a Architecture,
    rows: usize,
    /// Those of training; none where the network only predicts.
    masks: Option<Masks>,
    is_stopped: &'a (dyn Fn() -> bool + Sync),
    /// Whether the weighted sums of the first layer are there already.
    is_begun: bool,
    offsets: &'a [Offsets],
    transposed: [(usize, usize); 2],
    memory: Shared<'a, T>,
}

impl<T: Real> Pass<'_, T> {
    /// The same pass, of one row whose first sums the one before has [precomputed](Self::precomputes_next).
    pub fn with_first_sums(self) -> Self {
        assert_eq!(self.rows, 1);
        Pass {
            is_begun: true,
            ..self
        }
    }

    /// Whether a pass can take the weighted sums of the first layer for the row that comes next, as one thread moves
    /// weights by one row.
    pub fn precomputes_next(&self) -> bool {
        plan::takes_products(&self.architecture.layers()[0], self.rows)
    }

    /// From `x`, the inputs of `rows`, to what the activation of the outputs is taken of. In training, outputs are
    /// dropped as the masks say and a batch normalization takes the statistics of the batch, which must then not be
    /// shared between threads; a batch of one row has no variance and takes the running statistics.
    ///
    /// # Safety
    /// No other thread may be at work on these rows.
    ///
    /// # Panics
    /// Where `x` has another length.
    pub unsafe fn forward(&self, values: &[T], rows: Range<usize>, x: &[T]) {
        assert_eq!(x.len(), rows.len() * self.architecture.input_count());
        let mut x = x;
        for (l, (layer, offsets)) in self.architecture.layers().iter().zip(self.offsets).enumerate() {
            if (self.is_stopped)() {
                return;
            }
            // SAFETY: these rows are this thread's, as the caller promises, and the parts do not overlap.
            let part = |start| unsafe { self.memory.write(span(start, layer.units, &rows)) };
            let (y, a) = (part(offsets.y), part(offsets.a));
            let (w, b) = (&values[layer.weights.clone()], &values[layer.biases.clone()]);
            if self.is_begun && l == 0 {
                // They are there.
            } else if rows.len() == 1 {
                // The sums are those of a product, but the weights are read in their order.
                weighted_sums(x, w, b, y);
            } else {
                let w = Matrix::new(w, layer.inputs, layer.units);
                product(y, Onto::Row(b), Matrix::new(x, rows.len(), layer.inputs), w);
            }
            if !are_finite(y) {
                recover(layer, values, x, y);
            }
            match layer.options.normalization {
                None => {}
                Some(Normalization::Batch) => {
                    self.normalize_batch(layer, offsets, values, &rows, y, part(offsets.n))
                }
                Some(Normalization::Layer) => {
                    self.normalize_rows(layer, offsets, values, &rows, y, part(offsets.n))
                }
            }
            if l + 1 == self.offsets.len() {
                return;
            }
            activate(layer.options.activation, y, a, layer.units);
            x = match self.masks {
                Some(masks) if layer.options.dropout > 0.0 => {
                    let (mask, dropped) = (part(offsets.mask), part(offsets.dropped));
                    masks.draw(layer, &rows, mask);
                    for ((dropped, &a), &mask) in dropped.iter_mut().zip(a.iter()).zip(mask.iter()) {
                        *dropped = a * mask;
                    }
                    dropped
                }
                _ => a,
            };
        }
    }

    /// The loss of each of `rows`, after [`Self::forward`]. In training, the gradient of what the outputs' activation is
    /// taken of too: row i counts `weights[i] * scale`, or `scale`, for these `(weights, scale)`; else the outputs.
    ///
    /// # Safety
    /// No other thread may be at work on these rows.
    pub unsafe fn losses(
        &self,
        rows: Range<usize>,
        targets: &[T],
        losses: &mut [f64],
        training: Option<(Option<&[T]>, T)>,
    ) {
        let (layer, offsets) = self.output();
        let part = |start| span(start, layer.units, &rows);
        // SAFETY: these rows are this thread's, as the caller promises, and no part is taken twice at a time.
        unsafe {
            Outputs {
                activation: layer.options.activation,
                loss: self.architecture.loss(),
                units: layer.units,
                y: self.memory.read(part(offsets.y)),
                a: self.memory.write(part(offsets.a)),
                targets,
                losses,
                gradient: training.map(|(weights, scale)| OutputGradient {
                    weights,
                    scale,
                    d: self.memory.write(part(offsets.dz)),
                }),
            }
            .find(self.rows);
        }
    }

    /// The gradient of each dz of `rows`, after [`Self::losses`] in training.
    ///
    /// # Safety
    /// No other thread may be at work on these rows.
    pub unsafe fn backward(&self, values: &[T], rows: Range<usize>) {
        // SAFETY: these rows are this thread's, as the caller promises, and no part is taken twice at a time.
        let write = |start, units| unsafe { self.memory.write(span(start, units, &rows)) };
        // SAFETY: as above.
        let read = |start, units| unsafe { self.memory.read(span(start, units, &rows)) };
        let layers = self.architecture.layers();
        for (l, (layer, offsets)) in layers.iter().zip(self.offsets).enumerate().rev() {
            if (self.is_stopped)() {
                return;
            }
            let dz = write(offsets.dz, layer.units);
            if let Some(normalization) = layer.options.normalization {
                let n = read(offsets.n, layer.units);
                write(offsets.dy, layer.units).copy_from_slice(dz);
                match normalization {
                    Normalization::Batch => self.normalize_batch_backward(layer, offsets, values, dz, n),
                    Normalization::Layer => {
                        self.normalize_rows_backward(layer, offsets, values, &rows, dz, n)
                    }
                }
            }
            let Some(before) = l.checked_sub(1) else { return };
            let (options, offsets) = (&layers[before].options, &self.offsets[before]);
            let dx = write(offsets.dz, layer.inputs);
            let w = &values[layer.weights.clone()];
            if self.rows < FEW {
                product_of_few(dx, dz, w, layer.units);
            } else {
                // Each thread has a scratch buffer for the widest layer: threads may be at different ones.
                let scratch = |(start, width), count| {
                    let start = start + rows.start * width;
                    // SAFETY: as above.
                    unsafe { self.memory.write(start..start + count) }
                };
                let [first, second] = self.transposed;
                let (m, inputs, units) = (rows.len(), layer.inputs, layer.units);
                // Where ' turns rows into columns, dx = dz w' or dx' = w dz', whichever turns less. Every sum is the same.
                if 2 * inputs * units < m * (inputs + units) {
                    let w_transposed = scratch(first, inputs * units);
                    transpose(w_transposed, w, inputs, units);
                    let w = Matrix::new(w_transposed, units, inputs);
                    product(dx, Onto::Nothing, Matrix::new(dz, m, units), w);
                } else {
                    let (dz_transposed, dx_transposed) =
                        (scratch(first, m * units), scratch(second, m * inputs));
                    transpose(dz_transposed, dz, m, units);
                    let w = Matrix::new(w, inputs, units);
                    product(
                        dx_transposed,
                        Onto::Nothing,
                        w,
                        Matrix::new(dz_transposed, units, m),
                    );
                    transpose(dx, dx_transposed, inputs, m);
                }
            }
            if self.masks.is_some() && options.dropout > 0.0 {
                let mask = read(offsets.mask, layer.inputs);
                dx.iter_mut().zip(mask).for_each(|(dx, &mask)| *dx *= mask);
            }
            let (y, a) = (read(offsets.y, layer.inputs), read(offsets.a, layer.inputs));
            options.activation.backward_to(y, a, dx);
        }
    }

    /// The share of thread `index` of `size` in the gradients of the objective (the loss, and the penalties of
    /// the layers), after [`Self::backward`] of all rows, whose inputs are `x`: given to `sink`. If the pass
    /// [can](Self::precomputes_next), it may begin the row that comes `next`.
    ///
    /// # Safety
    /// No other thread may be at work on the same share or on any row; with `next`, none at all.
    pub unsafe fn gradients(
        &self,
        (index, size): (usize, usize),
        x: &[T],
        next: Option<&[T]>,
        sink: &impl Sink<T>,
    ) {
        let rows = 0..self.rows;
        let mut x = x;
        for (l, (layer, offsets)) in self.architecture.layers().iter().zip(self.offsets).enumerate() {
            // SAFETY: nobody writes any row now, as the caller promises.
            let read = |start| unsafe { self.memory.read(span(start, layer.units, &rows)) };
            let dz = read(offsets.dz);
            if (self.is_stopped)() {
                return;
            }

            let units = share(layer.units, index, size);
            let mine = |range: &Range<usize>| range.start + units.start..range.start + units.end;
            // As the weights of an input that is always 1.
            let take_sums = |range: &Range<usize>, rows: &[T]| {
                let rows = Matrix::new(rows, self.rows, layer.units).columns(units.clone());
                // SAFETY: as above.
                unsafe { sink.take_product(mine(range), Matrix::ones(self.rows), rows) };
            };
            if !units.is_empty() {
                take_sums(&layer.biases, dz);
                if layer.options.normalization.is_some() {
                    let (dy, n) = (read(offsets.dy), read(offsets.n));
                    take_sums(&layer.beta, dy);
                    // SAFETY: as above.
                    unsafe {
                        sink.take(mine(&layer.gamma), |_, gradients, is_first| {
                            if is_first {
                                gradients.fill(T::ZERO);
                            }
                            simd::run(AddProducts {
                                rows: dy,
                                factors: n,
                                width: layer.units,
                                columns: units.clone(),
                                sums: gradients,
                            });
                        });
                    }
                }
            }
            let inputs = share(layer.inputs, index, size);
            if plan::takes_products(layer, self.rows) {
                let weights = layer.weight(inputs.start, 0)..layer.weight(inputs.end, 0);
                let next = next.filter(|_| l == 0).map(|x| Next {
                    x,
                    biases: layer.biases.clone(),
                    // SAFETY: one thread moves weights alone, as the caller promises, and has no more use for these.
                    z: unsafe { self.memory.write(span(offsets.y, layer.units, &rows)) },
                });
                // SAFETY: shares do not overlap, and this one is this thread's.
                unsafe { sink.take_products(weights, &x[inputs], dz, next) };
            } else {
                // SAFETY: as above.
                unsafe { self.weight_gradients(layer, inputs, x, dz, sink) };
            }
            x = match self.masks {
                Some(_) if layer.options.dropout > 0.0 => read(offsets.dropped),
                _ => read(offsets.a),
            };
        }
    }

    /// The gradients of the weights of `inputs`, tile by tile.
    ///
    /// # Safety
    /// No other thread may be at work on these weights.
    unsafe fn weight_gradients(
        &self,
        layer: &Layer,
        inputs: Range<usize>,
        x: &[T],
        dz: &[T],
        sink: &impl Sink<T>,
    ) {
        let needs_room = layer.is_penalized() || sink.needs_room();
        for inputs in tiles(inputs, layer.units, self.rows, needs_room) {
            if (self.is_stopped)() {
                return;
            }
            let weights = layer.weight(inputs.start, 0)..layer.weight(inputs.end, 0);
            let x = Matrix::new(x, self.rows, layer.inputs)
                .columns(inputs)
                .transposed();
            let dz = Matrix::new(dz, self.rows, layer.units);
            // SAFETY: shares do not overlap, and this one is this thread's.
            unsafe {
                if layer.is_penalized() {
                    sink.take(weights, |values, gradients, is_first| {
                        product(gradients, onto(is_first), x, dz);
                        if is_first {
                            add_penalty_gradient(layer, values, gradients);
                        }
                    });
                } else {
                    sink.take_product(weights, x, dz);
                }
            }
        }
    }

    fn output(&self) -> (&Layer, &Offsets) {
        let offsets = self.offsets.last().expect("an architecture has a layer");
        (self.architecture.output_layer(), offsets)
    }

    /// Whether batch normalizations take the batch's own statistics.
    fn has_own_statistics(&self) -> bool {
        self.masks.is_some() && self.rows > 1
    }

    /// `count` numbers of a batch normalization.
    #[allow(clippy::mut_from_ref, reason = "the memory is shared, see `Shared`")]
    fn statistics(&self, start: usize, count: usize) -> &mut [T] {
        // SAFETY: only the one thread that has all rows comes here, and asks for each part once at a time.
        unsafe { self.memory.write(start..start + count) }
    }

    /// y = gamma n + beta, in place of z, normalized over the rows, which are all there are.
    fn normalize_batch(
        &self,
        layer: &Layer,
        offsets: &Offsets,
        values: &[T],
        rows: &Range<usize>,
        y: &mut [T],
        n: &mut [T],
    ) {
        assert_eq!(
            *rows,
            0..self.rows,
            "a batch normalization is not shared between threads"
        );
        let units = layer.units;
        let (gamma, beta) = (&values[layer.gamma.clone()], &values[layer.beta.clone()]);
        let statistics = |start| self.statistics(start, units);
        let (mean, variance) = (statistics(offsets.mean), statistics(offsets.variance));
        let inverses = statistics(offsets.inverse_deviations);
        if self.has_own_statistics() {
            batch_moments(y, mean, variance);
        } else {
            mean.copy_from_slice(&values[layer.mean.clone()]);
            variance.copy_from_slice(&values[layer.variance.clone()]);
        }
        for (inverse, &variance) in inverses.iter_mut().zip(variance.iter()) {
            *inverse = normalization::inverse_deviation(variance);
        }
        for (y, n) in y.chunks_exact_mut(units).zip(n.chunks_exact_mut(units)) {
            for j in 0..units {
                n[j] = ((y[j] - mean[j]) * inverses[j]).held_finite();
                y[j] = (gamma[j] * n[j] + beta[j]).held_finite();
            }
        }
    }

    /// The same over the neurons of each row.
    fn normalize_rows(
        &self,
        layer: &Layer,
        offsets: &Offsets,
        values: &[T],
        rows: &Range<usize>,
        y: &mut [T],
        n: &mut [T],
    ) {
        let units = layer.units;
        let (gamma, beta) = (&values[layer.gamma.clone()], &values[layer.beta.clone()]);
        // SAFETY: the rows are this thread's.
        let inverses = unsafe { self.memory.write(span(offsets.inverse_deviations, 1, rows)) };
        for ((y, n), inverse) in y
            .chunks_exact_mut(units)
            .zip(n.chunks_exact_mut(units))
            .zip(inverses)
        {
            *inverse = normalization::standardize(y, n);
            for j in 0..units {
                y[j] = (gamma[j] * n[j] + beta[j]).held_finite();
            }
        }
    }

    /// dz in place of dy.
    fn normalize_batch_backward(&self, layer: &Layer, offsets: &Offsets, values: &[T], d: &mut [T], n: &[T]) {
        let units = layer.units;
        scale_columns(d, &values[layer.gamma.clone()]);
        let inverses = self.statistics(offsets.inverse_deviations, units);
        if self.has_own_statistics() {
            for (j, &inverse) in inverses.iter().enumerate() {
                normalization::backward(&mut d[j..], &n[j..], units, inverse);
            }
        } else {
            scale_columns(d, inverses);
        }
    }

    /// The same over the neurons of each row.
    fn normalize_rows_backward(
        &self,
        layer: &Layer,
        offsets: &Offsets,
        values: &[T],
        rows: &Range<usize>,
        d: &mut [T],
        n: &[T],
    ) {
        scale_columns(d, &values[layer.gamma.clone()]);
        // SAFETY: the rows are this thread's.
        let inverses = unsafe { self.memory.read(span(offsets.inverse_deviations, 1, rows)) };
        let rows = d.chunks_exact_mut(layer.units).zip(n.chunks_exact(layer.units));
        for ((d, n), &inverse) in rows.zip(inverses) {
            normalization::backward(d, n, 1, inverse);
        }
    }
}

/// The place of `rows` in a part of a batch that begins at `start` and has `width` numbers a row.
fn span(start: usize, width: usize, rows: &Range<usize>) -> Range<usize> {
    start + rows.start * width..start + rows.end * width
}

impl Masks {
    /// Drops each output of `layer` with its probability p and scales the others by 1 / (1 - p), so that the
    /// expectation stays (inverted dropout; Srivastava et al., 2014).
    pub fn draw<T: Real>(self, layer: &Layer, rows: &Range<usize>, mask: &mut [T]) {
        let p = layer.options.dropout;
        let kept = T::from_f64(1.0 / (1.0 - p));
        for (row, mask) in rows.clone().zip(mask.chunks_exact_mut(layer.units)) {
            let row = (self.first_row + row) as u64;
            // The place of its outputs tells one layer from another.
            let mut generator = Generator::stream(self.seed, [self.step, row, layer.outputs.start as u64]);
            for mask in mask {
                *mask = if generator.uniform() < p { T::ZERO } else { kept };
            }
        }
    }
}

/// Takes the sums again that are not finite; see [`recovered`].
#[cold]
fn recover<T: Real>(layer: &Layer, values: &[T], x: &[T], z: &mut [T]) {
    let (w, b) = (&values[layer.weights.clone()], &values[layer.biases.clone()]);
    for (x, z) in x.chunks_exact(layer.inputs).zip(z.chunks_exact_mut(layer.units)) {
        for (unit, z) in z.iter_mut().enumerate() {
            *z = recovered(*z, x, w, b, unit);
        }
    }
}

/// Adds the products of rows and `factors` to the sums of some of their columns.
struct AddProducts<'a, T> {
    rows: &'a [T],
    factors: &'a [T],
    width: usize,
    columns: Range<usize>,
    sums: &'a mut [T],
}

impl<T: Real> Task for AddProducts<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let rows = self.rows.chunks_exact(self.width);
        for (row, factors) in rows.zip(self.factors.chunks_exact(self.width)) {
            let numbers = row[self.columns.clone()]
                .iter()
                .zip(&factors[self.columns.clone()]);
            for (sum, (&x, &factor)) in self.sums.iter_mut().zip(numbers) {
                *sum += x * factor;
            }
        }
    }
}

fn scale_columns<T: Real>(rows: &mut [T], scales: &[T]) {
    for row in rows.chunks_exact_mut(scales.len()) {
        row.iter_mut().zip(scales).for_each(|(x, &scale)| *x *= scale);
    }
}

/// The mean and the biased variance of each column, in two passes.
fn batch_moments<T: Real>(z: &[T], mean: &mut [T], variance: &mut [T]) {
    let units = mean.len();
    let rows = z.len() / units;
    product(
        mean,
        Onto::Nothing,
        Matrix::ones(rows),
        Matrix::new(z, rows, units),
    );
    let count = T::from_f64(rows as f64);
    mean.iter_mut().for_each(|mean| *mean = *mean / count);
    variance.fill(T::ZERO);
    for row in z.chunks_exact(units) {
        for j in 0..units {
            variance[j] += (row[j] - mean[j]) * (row[j] - mean[j]);
        }
    }
    variance
        .iter_mut()
        .for_each(|variance| *variance = *variance / count);
}
