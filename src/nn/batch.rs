//! Many examples at a time: forward and backward over the rows of a batch.
//!
//! Shapes, with m rows: `x[m][inputs]` is what a layer reads, `z = x w + b` `[m][units]`, `y` what the
//! activation is taken of (z, or gamma n + beta where the layer is normalized), `a = f(y)`; `dz` stands for
//! dE/dz and so on.

use super::activation::{Activation, softmax};
use super::architecture::{Architecture, Layer};
use super::error::Result;
use super::kernels::all_finite;
use super::normalization::{self, MOMENTUM};
use super::online::{recovered, zeros};
use super::options::Normalization;
use super::product::{Matrix, product};
use super::random::Generator;
use super::real::Real;
use super::simd::{self, Isa, Scalar, Task};

/// Room for the intermediate values of a batch, reused from batch to batch.
#[derive(Clone, Debug)]
pub struct Batch<T> {
    capacity: usize,
    rows: usize,
    layers: Vec<LayerBatch<T>>,
    /// dE/dz of a layer, and of the layer before it.
    deltas: [Vec<T>; 2],
}

/// What one layer makes of a batch; the parts that the layer does not need are empty.
#[derive(Clone, Debug)]
struct LayerBatch<T> {
    /// y, `[m][units]`
    y: Vec<T>,
    /// a, `[m][units]`
    a: Vec<T>,
    /// n, `[m][units]`
    n: Vec<T>,
    /// The mean that was subtracted, `[units]`
    mean: Vec<T>,
    /// The biased variance that was divided by, `[units]`
    variance: Vec<T>,
    /// 1 / sqrt(variance + epsilon): `[units]` of a batch normalization, `[m]` of a layer normalization
    inverse_deviations: Vec<T>,
    /// a with some outputs dropped and the others scaled up, `[m][units]`
    dropped: Vec<T>,
    /// 0 or 1 / (1 - dropout), `[m][units]`
    mask: Vec<T>,
    /// Whether `dropped` is what the next layer read.
    is_dropping: bool,
    /// Whether the batch's own statistics normalized it.
    has_own_statistics: bool,
}

impl<T: Real> LayerBatch<T> {
    fn new(layer: &Layer, capacity: usize) -> Result<Self> {
        let room = |needed: bool, count: usize| zeros(if needed { count } else { 0 }, "a batch");
        let all = capacity * layer.units;
        let normalization = layer.options.normalization;
        let is_batch = normalization == Some(Normalization::Batch);
        Ok(LayerBatch {
            y: room(true, all)?,
            a: room(true, all)?,
            n: room(normalization.is_some(), all)?,
            mean: room(is_batch, layer.units)?,
            variance: room(is_batch, layer.units)?,
            inverse_deviations: room(normalization.is_some(), layer.units.max(capacity))?,
            dropped: room(layer.options.dropout > 0.0, all)?,
            mask: room(layer.options.dropout > 0.0, all)?,
            is_dropping: false,
            has_own_statistics: false,
        })
    }

    /// What the next layer reads.
    fn output(&self) -> &[T] {
        if self.is_dropping { &self.dropped } else { &self.a }
    }
}

impl<T: Real> Batch<T> {
    /// Room for batches of up to `capacity` rows.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn new(architecture: &Architecture, capacity: usize) -> Result<Self> {
        let widest = architecture
            .layers()
            .iter()
            .map(|layer| layer.units)
            .max()
            .unwrap_or(0);
        let layers = architecture
            .layers()
            .iter()
            .map(|layer| LayerBatch::new(layer, capacity));
        let delta = || zeros(capacity * widest, "a batch");
        Ok(Batch {
            capacity,
            rows: 0,
            layers: layers.collect::<Result<_>>()?,
            deltas: [delta()?, delta()?],
        })
    }

    /// The outputs of the last forward pass, `[m][outputs]`.
    pub fn outputs(&self) -> &[T] {
        let last = self.layers.last().expect("an architecture has a layer");
        let units = last.a.len() / self.capacity;
        &last.a[..self.rows * units]
    }

    /// Predicts for `inputs`, `[m][inputs]`: nothing dropped, running statistics.
    ///
    /// # Panics
    /// Where a slice has another length than `architecture` says, or there are more rows than room.
    pub fn predict(&mut self, architecture: &Architecture, values: &[T], inputs: &[T]) {
        self.forward(architecture, values, inputs, None);
    }

    /// The forward pass of training: outputs dropped as `generator` says, the batch's own statistics. A
    /// batch of one row has no variance: it takes the running statistics.
    ///
    /// # Panics
    /// Where a slice has another length than `architecture` says, or there are more rows than room.
    pub fn forward_training(
        &mut self,
        architecture: &Architecture,
        values: &[T],
        inputs: &[T],
        generator: &mut Generator,
    ) {
        self.forward(architecture, values, inputs, Some(generator));
    }

    fn forward(
        &mut self,
        architecture: &Architecture,
        values: &[T],
        inputs: &[T],
        mut training: Option<&mut Generator>,
    ) {
        assert_eq!(inputs.len() % architecture.input_count(), 0);
        let rows = inputs.len() / architecture.input_count();
        assert!(rows <= self.capacity);
        self.rows = rows;
        for (l, layer) in architecture.layers().iter().enumerate() {
            let (before, after) = self.layers.split_at_mut(l);
            let x = before.last().map_or(inputs, |before| before.output());
            let this = &mut after[0];
            let y = &mut this.y[..rows * layer.units];
            for y in y.chunks_exact_mut(layer.units) {
                y.copy_from_slice(&values[layer.biases.clone()]);
            }
            let w = Matrix::new(&values[layer.weights.clone()], layer.inputs, layer.units);
            product(y, T::ONE, Matrix::new(x, rows, layer.inputs), w, T::ONE);
            if !all_finite(y) {
                recover(layer, values, x, y);
            }
            if layer.options.normalization.is_some() {
                this.normalize(layer, values, rows, training.is_some());
            }
            let (y, a) = (&this.y[..rows * layer.units], &mut this.a[..rows * layer.units]);
            simd::run(Activate {
                activation: layer.options.activation,
                units: layer.units,
                y,
                a,
            });
            this.is_dropping = false;
            if let Some(generator) = training.as_deref_mut().filter(|_| layer.options.dropout > 0.0) {
                this.drop_outputs(layer.options.dropout, rows * layer.units, generator);
            }
        }
    }

    /// The loss of the last forward pass: the mean over its rows, or over their `weights`.
    pub fn loss(&self, architecture: &Architecture, targets: &[T], weights: Option<&[T]>) -> f64 {
        let units = architecture.output_count();
        let output = self.layers.last().expect("an architecture has a layer");
        let weights = RowWeights::new(weights, self.rows);
        let loss = architecture.loss();
        simd::run(LossValue {
            loss,
            units,
            y: &output.y,
            a: &output.a,
            targets,
            weights,
        })
    }

    /// The gradient of the objective (the loss, and the penalties of the layers) after
    /// [`Self::forward_training`], into `gradients` `[parameters]`.
    ///
    /// # Panics
    /// Where a slice has another length than `architecture` says.
    pub fn backward(
        &mut self,
        architecture: &Architecture,
        values: &[T],
        inputs: &[T],
        targets: &[T],
        weights: Option<&[T]>,
        gradients: &mut [T],
    ) {
        let rows = self.rows;
        assert_eq!(gradients.len(), architecture.parameter_count());
        assert_eq!(targets.len(), rows * architecture.output_count());
        let [delta, earlier] = &mut self.deltas;
        let output = self.layers.last().expect("an architecture has a layer");
        simd::run(LossGradient {
            architecture,
            y: &output.y,
            a: &output.a,
            targets,
            weights: RowWeights::new(weights, rows),
            dz: &mut delta[..targets.len()],
        });
        for (l, layer) in architecture.layers().iter().enumerate().rev() {
            let (before, after) = self.layers.split_at(l);
            let dz = &mut delta[..rows * layer.units];
            if layer.options.normalization.is_some() {
                after[0].normalize_backward(layer, values, dz, gradients);
            }
            column_sums(dz, &mut gradients[layer.biases.clone()]);
            let x = before.last().map_or(inputs, |before| before.output());
            let x = Matrix::new(x, rows, layer.inputs);
            let w = &values[layer.weights.clone()];
            let dw = &mut gradients[layer.weights.clone()];
            product(
                dw,
                T::ZERO,
                x.transposed(),
                Matrix::new(dz, rows, layer.units),
                T::ONE,
            );
            add_penalty_gradient(layer, w, dw);
            let Some((before, options)) = before
                .last()
                .zip(l.checked_sub(1).map(|l| &architecture.layers()[l].options))
            else {
                break;
            };
            let dx = &mut earlier[..rows * layer.inputs];
            let w = Matrix::new(w, layer.inputs, layer.units);
            product(
                dx,
                T::ZERO,
                Matrix::new(dz, rows, layer.units),
                w.transposed(),
                T::ONE,
            );
            if before.is_dropping {
                dx.iter_mut()
                    .zip(&before.mask)
                    .for_each(|(dx, &mask)| *dx *= mask);
            }
            simd::run(ActivateBackward {
                activation: options.activation,
                y: &before.y,
                a: &before.a,
                d: dx,
            });
            std::mem::swap(delta, earlier);
        }
    }

    /// Takes the statistics of the last [`Self::forward_training`] into the running ones among `values`.
    pub fn update_statistics(&self, architecture: &Architecture, values: &mut [T]) {
        let momentum = T::from_f64(MOMENTUM);
        let unbiased = T::from_f64(self.rows as f64 / (self.rows as f64 - 1.0));
        for (layer, this) in architecture
            .layers()
            .iter()
            .zip(&self.layers)
            .filter(|(_, this)| this.has_own_statistics)
        {
            for j in 0..layer.units {
                let (mean, variance) = (&this.mean[j], this.variance[j] * unbiased);
                let running = &mut values[layer.mean.start + j];
                *running = (T::ONE - momentum) * *running + momentum * *mean;
                let running = &mut values[layer.variance.start + j];
                *running = (T::ONE - momentum) * *running + momentum * variance;
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

/// What the penalties of all layers add to the objective.
pub fn penalty<T: Real>(architecture: &Architecture, values: &[T]) -> f64 {
    let layer_penalty = |layer: &Layer| {
        let w = values[layer.weights.clone()].iter().map(|w| w.to_f64());
        let (l1, l2) = (layer.options.l1, layer.options.l2);
        w.map(|w| l1 * w.abs() + 0.5 * l2 * w * w).sum::<f64>()
    };
    let penalized = |layer: &&Layer| layer.options.l1 > 0.0 || layer.options.l2 > 0.0;
    architecture
        .layers()
        .iter()
        .filter(penalized)
        .map(layer_penalty)
        .sum()
}

/// dw += l1 sign(w) + l2 w, with sign(0) = 0.
fn add_penalty_gradient<T: Real>(layer: &Layer, w: &[T], dw: &mut [T]) {
    let (l1, l2) = (T::from_f64(layer.options.l1), T::from_f64(layer.options.l2));
    if l1 == T::ZERO && l2 == T::ZERO {
        return;
    }
    for (dw, &w) in dw.iter_mut().zip(w) {
        let sign = if w > T::ZERO {
            l1
        } else if w < T::ZERO {
            -l1
        } else {
            T::ZERO
        };
        *dw += sign + l2 * w;
    }
}

fn column_sums<T: Real>(rows: &[T], sums: &mut [T]) {
    sums.fill(T::ZERO);
    for row in rows.chunks_exact(sums.len()) {
        sums.iter_mut().zip(row).for_each(|(sum, &x)| *sum += x);
    }
}

impl<T: Real> LayerBatch<T> {
    /// y = gamma n + beta, in place of z.
    fn normalize(&mut self, layer: &Layer, values: &[T], rows: usize, training: bool) {
        let units = layer.units;
        let (gamma, beta) = (&values[layer.gamma.clone()], &values[layer.beta.clone()]);
        let (y, n) = (&mut self.y[..rows * units], &mut self.n[..rows * units]);
        match layer.options.normalization {
            Some(Normalization::Batch) => {
                self.has_own_statistics = training && rows > 1;
                if self.has_own_statistics {
                    batch_moments(y, &mut self.mean, &mut self.variance);
                } else {
                    self.mean.copy_from_slice(&values[layer.mean.clone()]);
                    self.variance.copy_from_slice(&values[layer.variance.clone()]);
                }
                for (inverse, &variance) in self.inverse_deviations.iter_mut().zip(&self.variance) {
                    *inverse = normalization::inverse_deviation(variance);
                }
                for (y, n) in y.chunks_exact_mut(units).zip(n.chunks_exact_mut(units)) {
                    for j in 0..units {
                        n[j] = (y[j] - self.mean[j]) * self.inverse_deviations[j];
                        y[j] = (gamma[j] * n[j] + beta[j]).held_finite();
                    }
                }
            }
            _ => {
                let rows = y.chunks_exact_mut(units).zip(n.chunks_exact_mut(units));
                for ((y, n), inverse) in rows.zip(&mut self.inverse_deviations) {
                    *inverse = normalization::standardize(y, n);
                    for j in 0..units {
                        y[j] = (gamma[j] * n[j] + beta[j]).held_finite();
                    }
                }
            }
        }
    }

    /// The gradients of gamma and beta, and dz in place of dy.
    fn normalize_backward(&self, layer: &Layer, values: &[T], d: &mut [T], gradients: &mut [T]) {
        let units = layer.units;
        let n = &self.n[..d.len()];
        column_sums(d, &mut gradients[layer.beta.clone()]);
        let d_gamma = &mut gradients[layer.gamma.clone()];
        d_gamma.fill(T::ZERO);
        for (d, n) in d.chunks_exact_mut(units).zip(n.chunks_exact(units)) {
            for j in 0..units {
                d_gamma[j] += d[j] * n[j];
                d[j] *= values[layer.gamma.start + j];
            }
        }
        match layer.options.normalization {
            Some(Normalization::Batch) if self.has_own_statistics => {
                for (j, &inverse) in self.inverse_deviations[..units].iter().enumerate() {
                    normalization::backward(&mut d[j..], &n[j..], units, inverse);
                }
            }
            Some(Normalization::Batch) => {
                for d in d.chunks_exact_mut(units) {
                    d.iter_mut()
                        .zip(&self.inverse_deviations)
                        .for_each(|(d, &inverse)| *d *= inverse);
                }
            }
            _ => {
                let rows = d.chunks_exact_mut(units).zip(n.chunks_exact(units));
                for ((d, n), &inverse) in rows.zip(&self.inverse_deviations) {
                    normalization::backward(d, n, 1, inverse);
                }
            }
        }
    }

    /// Drops each output with probability `p` and scales the others by 1 / (1 - p), so that the expectation
    /// stays (inverted dropout; Srivastava et al., 2014).
    fn drop_outputs(&mut self, p: f64, count: usize, generator: &mut Generator) {
        self.is_dropping = true;
        let kept = T::from_f64(1.0 / (1.0 - p));
        for i in 0..count {
            self.mask[i] = if generator.uniform() < p { T::ZERO } else { kept };
            self.dropped[i] = self.a[i] * self.mask[i];
        }
    }
}

/// The mean and the biased variance of each column, in two passes.
fn batch_moments<T: Real>(z: &[T], mean: &mut [T], variance: &mut [T]) {
    let units = mean.len();
    let count = T::from_f64((z.len() / units) as f64);
    column_sums(z, mean);
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

/// How much each row counts: 1 / m, or its share of the weights.
#[derive(Clone, Copy)]
struct RowWeights<'a, T> {
    weights: Option<&'a [T]>,
    scale: T,
}

impl<'a, T: Real> RowWeights<'a, T> {
    fn new(weights: Option<&'a [T]>, rows: usize) -> Self {
        let total = weights.map_or(rows as f64, |weights| {
            weights[..rows].iter().map(|w| w.to_f64()).sum()
        });
        // A batch whose rows all weigh nothing teaches nothing.
        RowWeights {
            weights,
            scale: T::from_f64(if total > 0.0 { 1.0 / total } else { 0.0 }),
        }
    }

    #[inline(always)]
    fn of(self, row: usize) -> T {
        self.weights
            .map_or(self.scale, |weights| weights[row] * self.scale)
    }
}

/// a = f(y), row by row where the activation is a function of the whole row.
struct Activate<'a, T> {
    activation: Activation,
    units: usize,
    y: &'a [T],
    a: &'a mut [T],
}

impl<T: Real> Task for Activate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        self.activation.apply::<I, T>(self.y, self.a);
        if self.activation == Activation::Softmax {
            self.a.chunks_exact_mut(self.units).for_each(softmax::<I, T>);
        }
    }
}

/// dy = da f'(y), in place.
struct ActivateBackward<'a, T> {
    activation: Activation,
    y: &'a [T],
    a: &'a [T],
    d: &'a mut [T],
}

impl<T: Real> Task for ActivateBackward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        self.activation.backward::<I, T>(self.y, self.a, self.d);
    }
}

struct LossValue<'a, T> {
    loss: super::loss::Loss,
    units: usize,
    y: &'a [T],
    a: &'a [T],
    targets: &'a [T],
    weights: RowWeights<'a, T>,
}

impl<T: Real> Task for LossValue<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        let LossValue {
            loss,
            units,
            y,
            a,
            targets,
            weights,
        } = self;
        let mut sum = 0.0;
        for (i, t) in targets.chunks_exact(units).enumerate() {
            let row = i * units..(i + 1) * units;
            sum += (weights.of(i) * loss.value::<Scalar<I>, T>(&y[row.clone()], &a[row], t)).to_f64();
        }
        sum
    }
}

struct LossGradient<'a, T> {
    architecture: &'a Architecture,
    y: &'a [T],
    a: &'a [T],
    targets: &'a [T],
    weights: RowWeights<'a, T>,
    dz: &'a mut [T],
}

impl<T: Real> Task for LossGradient<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let LossGradient {
            architecture,
            y,
            a,
            targets,
            weights,
            dz,
        } = self;
        let layer = architecture.output_layer();
        let (units, activation) = (layer.units, layer.options.activation);
        for (i, t) in targets.chunks_exact(units).enumerate() {
            let row = i * units..(i + 1) * units;
            let dz = &mut dz[row.clone()];
            architecture
                .loss()
                .gradient::<I, T>(activation, &y[row.clone()], &a[row], t, dz);
            let weight = weights.of(i);
            dz.iter_mut().for_each(|dz| *dz *= weight);
        }
    }
}
