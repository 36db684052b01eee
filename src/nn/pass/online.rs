//! One example at a time: `predict`, and the original library's `train`.
//!
//! Shapes: `x[inputs]` is what a layer reads, `z = x w + b` its weighted sums, `y = gamma n + beta` what
//! becomes of them where the layer is normalized (else y = z), `a = f(y)` its outputs,
//! `delta[units] = -dE/dz`, `step[units] = learning_rate * delta`.

use std::ops::Range;

use crate::nn::error::{Code, Error, Result};
use crate::nn::network::activation::{Activation, singles, singles_mut, softmax};
use crate::nn::network::architecture::{Architecture, Layer};
use crate::nn::network::normalization;
use crate::nn::network::options::Normalization;
use crate::nn::pass::plan;
use crate::nn::pass::tiny::{self, Functions};
use crate::nn::vector::kernels::{
    LANES, add_outer_product, affine, affine_unit, all_finite, max_abs, updated_dot,
};
use crate::nn::vector::memory::zeros;
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Scalar, Task};

/// Scratch buffers: the intermediate values of one example, reused from call to call; each for all layers.
#[derive(Clone, Debug)]
pub struct Workspace<T> {
    /// y
    sums: Vec<T>,
    /// a
    outputs: Vec<T>,
    /// -dE/dz
    deltas: Vec<T>,
    /// learning_rate * delta
    steps: Vec<T>,
    /// What only normalized layers need; empty where there are none.
    normalized: Normalized<T>,
    /// Where the network is among the smallest.
    tiny: Option<Functions>,
}

#[derive(Clone, Debug)]
struct Normalized<T> {
    /// n
    values: Vec<T>,
    /// 1 / sqrt(variance + epsilon)
    inverse_deviations: Vec<T>,
    /// How far gamma moves.
    gamma_steps: Vec<T>,
    /// How far beta moves.
    beta_steps: Vec<T>,
}

impl<T: Real> Workspace<T> {
    /// Scratch buffers for `architecture`.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn new(architecture: &Architecture) -> Result<Self> {
        let units = architecture.unit_count();
        let normalized = architecture
            .layers()
            .iter()
            .any(|layer| layer.options.normalization.is_some());
        let extra = if normalized { units } else { 0 };
        let buffer = |count| zeros(count, "the network");
        Ok(Workspace {
            sums: buffer(units)?,
            outputs: buffer(units)?,
            deltas: buffer(units)?,
            steps: buffer(units)?,
            normalized: Normalized {
                values: buffer(extra)?,
                inverse_deviations: buffer(extra)?,
                gamma_steps: buffer(extra)?,
                beta_steps: buffer(extra)?,
            },
            tiny: plan::tiny(architecture),
        })
    }
}

impl<T> Workspace<T> {
    /// What the activations of all layers were given by [`predict_layer_by_layer`].
    pub fn sums(&self) -> &[T] {
        &self.sums
    }

    /// What they came to.
    pub fn outputs(&self) -> &[T] {
        &self.outputs
    }
}

/// The outputs of the network for `inputs`.
///
/// # Errors
/// `OutOfRange` where an input is not finite.
///
/// # Panics
/// Where a slice has another length than `architecture` says.
#[inline]
pub fn predict<'w, T: Real>(
    architecture: &Architecture,
    values: &[T],
    inputs: &[T],
    workspace: &'w mut Workspace<T>,
) -> Result<&'w [T]> {
    assert_eq!(inputs.len(), architecture.input_count());
    if let Some(functions) = workspace.tiny {
        let outputs = architecture.output_layer().outputs.clone();
        if tiny::predict(functions, values, inputs, &mut workspace.outputs[outputs.clone()]) {
            return Ok(&workspace.outputs[outputs]);
        }
    }
    predict_layer_by_layer(architecture, values, inputs, workspace)
}

/// [`predict`] that leaves what it finds in every layer in the workspace.
///
/// # Errors
/// `OutOfRange` where an input is not finite.
///
/// # Panics
/// Where a slice has another length than `architecture` says.
#[inline]
pub fn predict_layer_by_layer<'w, T: Real>(
    architecture: &Architecture,
    values: &[T],
    inputs: &[T],
    workspace: &'w mut Workspace<T>,
) -> Result<&'w [T]> {
    simd::run(Predict {
        architecture,
        values,
        inputs,
        workspace,
    })
}

/// One step of the original's online gradient descent on the loss E of one example.
///
/// From the last layer to the first, a layer is updated and the deltas of the layer before are taken
/// through its *updated* weights; that order is the original's, not the textbook's. All deltas are found
/// before anything is written, so that a step that would overflow changes nothing. Penalties and dropout
/// play no part; batch normalizations use their running statistics, as `predict` does.
///
/// # Errors
/// `OutOfRange` where an input, a target or the learning rate is not finite; `Overflow` where the step
/// could leave a weight infinite.
///
/// # Panics
/// Where a slice has another length than `architecture` says.
#[inline]
pub fn train<T: Real>(
    architecture: &Architecture,
    values: &mut [T],
    inputs: &[T],
    targets: &[T],
    learning_rate: T,
    workspace: &mut Workspace<T>,
) -> Result<()> {
    assert_eq!(inputs.len(), architecture.input_count());
    if let Some(functions) = workspace.tiny
        && tiny::train(functions, values, inputs, targets, learning_rate)
    {
        return Ok(());
    }
    simd::run(Train {
        architecture,
        values,
        inputs,
        targets,
        learning_rate,
        workspace,
    })
}

struct Predict<'a, 'w, T> {
    architecture: &'a Architecture,
    values: &'a [T],
    inputs: &'a [T],
    workspace: &'w mut Workspace<T>,
}

impl<'w, T: Real> Task for Predict<'_, 'w, T> {
    const WIDENS: bool = false;
    type Output = Result<&'w [T]>;

    #[inline(always)]
    fn run<I: Isa>(self) -> Self::Output {
        check_finite("inputs", self.inputs)?;
        forward::<I, T>(self.architecture, self.values, self.inputs, self.workspace);
        Ok(&self.workspace.outputs[self.architecture.output_layer().outputs.clone()])
    }
}

struct Train<'a, T> {
    architecture: &'a Architecture,
    values: &'a mut [T],
    inputs: &'a [T],
    targets: &'a [T],
    learning_rate: T,
    workspace: &'a mut Workspace<T>,
}

impl<T: Real> Task for Train<'_, T> {
    const WIDENS: bool = false;
    type Output = Result<()>;

    #[inline(always)]
    fn run<I: Isa>(self) -> Self::Output {
        let Train {
            architecture,
            values,
            inputs,
            targets,
            learning_rate,
            workspace,
        } = self;
        check_finite("inputs", inputs)?;
        check_finite("targets", targets)?;
        check_finite("learningRate", &[learning_rate])?;
        forward::<I, T>(architecture, values, inputs, workspace);
        let Workspace {
            sums,
            outputs,
            deltas,
            steps,
            normalized,
            ..
        } = workspace;

        let output = architecture.output_layer();
        assert_eq!(targets.len(), output.units);
        let at = output.outputs.clone();
        let (y, a, delta) = (&sums[at.clone()], &outputs[at.clone()], &mut deltas[at.clone()]);
        let (loss, activation) = (architecture.loss(), output.options.activation);
        let t = singles(targets);
        loss.gradient::<Scalar<I>, T, 1>(singles(y), singles(a), t, singles_mut(delta));
        if !loss.is_fused() {
            activation.backward::<Scalar<I>, T>(y, a, delta);
        }
        delta.iter_mut().for_each(|delta| *delta = -*delta);

        for (l, layer) in architecture.layers().iter().enumerate().rev() {
            let here = layer.outputs.clone();
            if layer.options.normalization.is_some() {
                normalized.backward(layer, values, learning_rate, &mut deltas[here.clone()]);
            }
            for (step, &delta) in steps[here.clone()].iter_mut().zip(&deltas[here.clone()]) {
                *step = learning_rate * delta;
            }
            let Some(before) = l.checked_sub(1).map(|l| &architecture.layers()[l]) else {
                break;
            };
            let (earlier, later) = deltas.split_at_mut(here.start);
            for (i, j) in before.outputs.clone().enumerate() {
                let row = &values[layer.weight(i, 0)..][..layer.units];
                let sum = updated_dot::<I, T>(&later[..layer.units], row, outputs[j], &steps[here.clone()]);
                earlier[j] = sum
                    * before
                        .options
                        .activation
                        .derivative::<Scalar<I>, T>(sums[j], outputs[j]);
            }
        }

        for layer in architecture.layers() {
            let x = read_by(layer, inputs, outputs);
            check_update(max_abs(x), &steps[layer.outputs.clone()])?;
            if layer.options.normalization.is_some() {
                check_update(T::ONE, &normalized.gamma_steps[layer.outputs.clone()])?;
                check_update(T::ONE, &normalized.beta_steps[layer.outputs.clone()])?;
            }
        }
        for layer in architecture.layers() {
            let (x, step) = (read_by(layer, inputs, outputs), &steps[layer.outputs.clone()]);
            add_outer_product::<I, T>(x, step, &mut values[layer.weights.clone()]);
            add(&mut values[layer.biases.clone()], step);
            if layer.options.normalization.is_some() {
                add(
                    &mut values[layer.gamma.clone()],
                    &normalized.gamma_steps[layer.outputs.clone()],
                );
                add(
                    &mut values[layer.beta.clone()],
                    &normalized.beta_steps[layer.outputs.clone()],
                );
            }
        }
        Ok(())
    }
}

impl<T: Real> Normalized<T> {
    /// y = gamma n + beta, in place of z.
    fn forward(&mut self, layer: &Layer, values: &[T], z: &mut [T]) {
        let n = &mut self.values[layer.outputs.clone()];
        let inverse_deviations = &mut self.inverse_deviations[layer.outputs.clone()];
        if layer.options.normalization == Some(Normalization::Batch) {
            let (mean, variance) = (&values[layer.mean.clone()], &values[layer.variance.clone()]);
            for j in 0..layer.units {
                inverse_deviations[j] = normalization::inverse_deviation(variance[j]);
                n[j] = ((z[j] - mean[j]) * inverse_deviations[j]).held_finite();
            }
        } else {
            let inverse = normalization::standardize(z, n);
            inverse_deviations.fill(inverse);
        }
        for j in 0..layer.units {
            let y = values[layer.gamma.start + j] * n[j] + values[layer.beta.start + j];
            z[j] = y.held_finite();
        }
    }

    /// The steps of gamma and beta, and -dE/dz in place of -dE/dy, through the updated gamma.
    fn backward(&mut self, layer: &Layer, values: &[T], learning_rate: T, delta: &mut [T]) {
        let here: Range<usize> = layer.outputs.clone();
        let (n, inverse_deviations) = (&self.values[here.clone()], &self.inverse_deviations[here.clone()]);
        for j in 0..layer.units {
            self.beta_steps[here.start + j] = learning_rate * delta[j];
            self.gamma_steps[here.start + j] = learning_rate * delta[j] * n[j];
            delta[j] *= values[layer.gamma.start + j] + self.gamma_steps[here.start + j];
        }
        match layer.options.normalization {
            // The running statistics are constants here.
            Some(Normalization::Batch) => {
                delta
                    .iter_mut()
                    .zip(inverse_deviations)
                    .for_each(|(delta, &inverse)| *delta *= inverse);
            }
            _ => normalization::backward(delta, n, 1, inverse_deviations[0]),
        }
    }
}

/// What `layer` reads: the example, or the outputs of the layer before it.
#[inline(always)]
fn read_by<'a, T>(layer: &Layer, inputs: &'a [T], outputs: &'a [T]) -> &'a [T] {
    match layer.outputs.start {
        0 => inputs,
        end => &outputs[end - layer.inputs..end],
    }
}

#[inline(always)]
fn add<T: Real>(values: &mut [T], steps: &[T]) {
    for (value, &step) in values.iter_mut().zip(steps) {
        *value += step;
    }
}

/// Fills the sums and outputs of every layer for `inputs`.
#[inline(always)]
fn forward<I: Isa, T: Real>(
    architecture: &Architecture,
    values: &[T],
    inputs: &[T],
    workspace: &mut Workspace<T>,
) {
    assert_eq!(inputs.len(), architecture.input_count());
    let Workspace {
        sums,
        outputs,
        normalized,
        ..
    } = workspace;
    for layer in architecture.layers() {
        let (before, after) = outputs.split_at_mut(layer.outputs.start);
        let x = read_by(layer, inputs, before);
        let (w, b) = (&values[layer.weights.clone()], &values[layer.biases.clone()]);
        let (z, a) = (&mut sums[layer.outputs.clone()], &mut after[..layer.units]);
        let activation = layer.options.activation;
        if layer.options.normalization.is_some() {
            weighted_sums(x, w, b, z);
            normalized.forward(layer, values, z);
            activation.apply_to(z, a);
        } else if layer.units < LANES {
            for (unit, (z, a)) in z.iter_mut().zip(a.iter_mut()).enumerate() {
                *z = recovered(affine_unit::<I, T>(x, w, b, unit), x, w, b, unit);
                *a = activation.of::<Scalar<I>, T>(*z);
            }
        } else {
            weighted_sums(x, w, b, z);
            activation.apply_to(z, a);
        }
        if activation == Activation::Softmax {
            softmax::<Scalar<I>, T>(a, a.len());
        }
    }
}

/// z = b + x w
pub(crate) fn weighted_sums<T: Real>(x: &[T], w: &[T], b: &[T], z: &mut [T]) {
    simd::run(Affine { x, w, b, z });
}

struct Affine<'a, T> {
    x: &'a [T],
    w: &'a [T],
    b: &'a [T],
    z: &'a mut [T],
}

impl<T: Real> Task for Affine<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Affine { x, w, b, z } = self;
        affine::<I, T>(x, w, b, z);
        if !all_finite(z) {
            for (unit, z) in z.iter_mut().enumerate() {
                *z = recovered(*z, x, w, b, unit);
            }
        }
    }
}

/// The weighted sum `z` of a neuron, taken again where finite terms overflowed on the way and may have met as
/// infinity minus infinity.
#[inline(always)]
pub(crate) fn recovered<T: Real>(z: T, x: &[T], w: &[T], b: &[T], unit: usize) -> T {
    if z.is_finite() {
        z
    } else {
        careful_sum(x, w, b, unit)
    }
}

/// Huge terms are summed apart from the others, scaled down, so that those that cancel leave no trace.
#[cold]
#[inline(never)]
fn careful_sum<T: Real>(x: &[T], w: &[T], b: &[T], unit: usize) -> T {
    // Scaled so, a product of two f64 is below 2^968, and not even 2^28 terms overflow either sum.
    let scale = f64::from_bits((1023 - 540) << 52);
    let huge = f64::from_bits((1023 + 960) << 52);
    let (mut sum, mut scaled_sum) = (0.0, 0.0);
    let one = T::ONE;
    let bias = std::iter::once((&one, &b[unit]));
    for (x, w) in x.iter().zip(w[unit..].iter().step_by(b.len())).chain(bias) {
        let (x, w) = (x.to_f64(), w.to_f64());
        if (x * w).abs() < huge {
            sum += x * w;
        } else {
            scaled_sum += (x * scale) * (w * scale);
        }
    }
    // The largest number stands for what lies beyond it: the next layer takes differences of it.
    T::from_f64(sum + scaled_sum / scale / scale).held_finite()
}

#[inline(always)]
fn check_finite<T: Real>(name: &str, values: &[T]) -> Result<()> {
    if all_finite(values) {
        Ok(())
    } else {
        Err(first_not_finite(name, values))
    }
}

#[cold]
fn first_not_finite<T: Real>(name: &str, values: &[T]) -> Error {
    let (i, x) = values
        .iter()
        .enumerate()
        .find(|(_, x)| !x.is_finite())
        .expect("the caller found one");
    let name = if name == "learningRate" {
        name.into()
    } else {
        format!("{name}[{i}]")
    };
    Error::not_finite(name, x.to_f64())
}

/// Refuses a step that could carry a finite weight or bias past the largest number: one as large as half
/// the distance between that number and its neighbour.
#[inline(always)]
fn check_update<T: Real>(largest_input: T, step: &[T]) -> Result<()> {
    let largest = max_abs(step);
    if all_finite(step) && largest < T::SAFE_UPDATE && largest * largest_input < T::SAFE_UPDATE {
        Ok(())
    } else {
        Err(overflow())
    }
}

#[cold]
fn overflow() -> Error {
    Error::new(
        Code::Overflow,
        "a learning rate, inputs and targets small enough to keep every weight finite",
        "train",
        "a step that overflows",
    )
}
