//! One example at a time: `predict`, and the original library's `train`.
//!
//! Shapes: `x[inputs]` is what a layer reads, `z = x w + b` its weighted sums, `a = f(z)` its outputs,
//! `delta[units] = -dE/dz`, `step[units] = learning_rate * delta`.

use super::activation::Activation;
use super::architecture::{Architecture, Layer};
use super::error::{Code, Error, Result};
use super::kernels::{LANES, add_outer_product, affine, affine_unit, all_finite, max_abs, updated_dot};
use super::real::Real;
use super::simd::{self, Isa, Scalar, Task};

/// Room for the intermediate values of one example, reused from call to call.
#[derive(Clone, Debug)]
pub struct Workspace<T> {
    /// a, of all layers
    outputs: Vec<T>,
    /// -dE/dz, of all layers
    deltas: Vec<T>,
    /// learning_rate * delta, of all layers
    steps: Vec<T>,
}

impl<T: Real> Workspace<T> {
    /// Room for `architecture`.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn new(architecture: &Architecture) -> Result<Self> {
        let room = || {
            let mut values = Vec::new();
            values.try_reserve_exact(architecture.unit_count()).map_err(|_| {
                Error::new(
                    Code::OutOfMemory,
                    "enough free memory",
                    "the network",
                    architecture.unit_count(),
                )
            })?;
            values.resize(architecture.unit_count(), T::ZERO);
            Ok(values)
        };
        Ok(Workspace {
            outputs: room()?,
            deltas: room()?,
            steps: room()?,
        })
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
    params: &[T],
    inputs: &[T],
    workspace: &'w mut Workspace<T>,
) -> Result<&'w [T]> {
    simd::run(Predict {
        architecture,
        params,
        inputs,
        workspace,
    })
}

/// One step of the original's online gradient descent on E = 1/2 sum_k (target_k - output_k)^2.
///
/// From the last layer to the first, a layer is updated and the deltas of the layer before are taken
/// through its *updated* weights; that order is the original's, not the textbook's. All deltas are found
/// before anything is written, so that a step that would overflow changes nothing.
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
    params: &mut [T],
    inputs: &[T],
    targets: &[T],
    learning_rate: T,
    workspace: &mut Workspace<T>,
) -> Result<()> {
    simd::run(Train {
        architecture,
        params,
        inputs,
        targets,
        learning_rate,
        workspace,
    })
}

struct Predict<'a, 'w, T> {
    architecture: &'a Architecture,
    params: &'a [T],
    inputs: &'a [T],
    workspace: &'w mut Workspace<T>,
}

impl<'w, T: Real> Task for Predict<'_, 'w, T> {
    type Output = Result<&'w [T]>;

    #[inline(always)]
    fn run<I: Isa>(self) -> Self::Output {
        check_finite("inputs", self.inputs)?;
        let outputs = &mut self.workspace.outputs;
        forward::<I, T>(self.architecture, self.params, self.inputs, outputs);
        Ok(&outputs[self.architecture.output_layer().outputs.clone()])
    }
}

struct Train<'a, T> {
    architecture: &'a Architecture,
    params: &'a mut [T],
    inputs: &'a [T],
    targets: &'a [T],
    learning_rate: T,
    workspace: &'a mut Workspace<T>,
}

impl<T: Real> Task for Train<'_, T> {
    type Output = Result<()>;

    #[inline(always)]
    fn run<I: Isa>(self) -> Self::Output {
        let Train {
            architecture,
            params,
            inputs,
            targets,
            learning_rate,
            workspace,
        } = self;
        check_finite("inputs", inputs)?;
        check_finite("targets", targets)?;
        check_finite("learningRate", &[learning_rate])?;
        let Workspace {
            outputs,
            deltas,
            steps,
        } = workspace;
        forward::<I, T>(architecture, params, inputs, outputs);

        let output = architecture.output_layer();
        assert_eq!(targets.len(), output.units);
        for (k, &target) in output.outputs.clone().zip(targets) {
            deltas[k] = (target - outputs[k]) * output.activation.derivative(outputs[k]);
            steps[k] = learning_rate * deltas[k];
        }
        for pair in architecture.layers().windows(2).rev() {
            let [before, layer] = pair else {
                unreachable!("windows of two")
            };
            let (delta, step) = (layer.outputs.clone(), layer.outputs.clone());
            for (i, j) in before.outputs.clone().enumerate() {
                let row = &params[layer.weight(i, 0)..][..layer.units];
                let sum = updated_dot::<I, T>(&deltas[delta.clone()], row, outputs[j], &steps[step.clone()]);
                deltas[j] = sum * before.activation.derivative(outputs[j]);
                steps[j] = learning_rate * deltas[j];
            }
        }

        for layer in architecture.layers() {
            check_update(
                max_abs(read_by(layer, inputs, outputs)),
                &steps[layer.outputs.clone()],
            )?;
        }
        for layer in architecture.layers() {
            let step = &steps[layer.outputs.clone()];
            add_outer_product::<I, T>(
                read_by(layer, inputs, outputs),
                step,
                &mut params[layer.weights.clone()],
            );
            for (bias, &step) in params[layer.biases.clone()].iter_mut().zip(step) {
                *bias += step;
            }
        }
        Ok(())
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

/// Fills `outputs` with what every layer gives for `inputs`.
#[inline(always)]
fn forward<I: Isa, T: Real>(architecture: &Architecture, params: &[T], inputs: &[T], outputs: &mut [T]) {
    assert_eq!(inputs.len(), architecture.input_count());
    for layer in architecture.layers() {
        let (before, after) = outputs.split_at_mut(layer.outputs.start);
        let x = read_by(layer, inputs, before);
        let (w, b) = (&params[layer.weights.clone()], &params[layer.biases.clone()]);
        let a = &mut after[..layer.units];
        if layer.units < LANES {
            for (unit, a) in a.iter_mut().enumerate() {
                let z = recovered(affine_unit::<I, T>(x, w, b, unit), x, w, b, unit);
                *a = layer.activation.of::<Scalar<I>, T>(z);
            }
        } else {
            simd::run(WideLayer {
                activation: layer.activation,
                x,
                w,
                b,
                a,
            });
        }
    }
}

/// A layer of at least a vector's width: `a = f(b + x w)`.
struct WideLayer<'a, T> {
    activation: Activation,
    x: &'a [T],
    w: &'a [T],
    b: &'a [T],
    a: &'a mut [T],
}

impl<T: Real> Task for WideLayer<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let WideLayer {
            activation,
            x,
            w,
            b,
            a,
        } = self;
        affine::<I, T>(x, w, b, a);
        if !all_finite(a) {
            for (unit, z) in a.iter_mut().enumerate() {
                *z = recovered(*z, x, w, b, unit);
            }
        }
        a.iter_mut().for_each(|a| *a = activation.of::<I, T>(*a));
    }
}

/// The weighted sum `z` of a neuron, taken again, scaled down, where finite terms overflowed on the way and
/// may have met as infinity minus infinity.
#[inline(always)]
fn recovered<T: Real>(z: T, x: &[T], w: &[T], b: &[T], unit: usize) -> T {
    if z.is_finite() {
        z
    } else {
        scaled_sum(x, w, b, unit)
    }
}

#[cold]
#[inline(never)]
fn scaled_sum<T: Real>(x: &[T], w: &[T], b: &[T], unit: usize) -> T {
    // A product of two f64 scaled so is below 2^968: not even 2^28 of them overflow.
    let scale = f64::from_bits((1023 - 540) << 52);
    let weights = w[unit..].iter().step_by(b.len());
    let products = x
        .iter()
        .zip(weights)
        .map(|(x, w)| (x.to_f64() * scale) * (w.to_f64() * scale));
    T::from_f64((products.sum::<f64>() + b[unit].to_f64() * scale * scale) / scale / scale)
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
    let name = if values.len() == 1 && name == "learningRate" {
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
