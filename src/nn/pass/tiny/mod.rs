//! Networks so small that calls, branches and the way to memory and back would take most of the time: one hidden layer
//! of two to four neurons and one output, or two and two. Here the numbers of neurons are known to the compiler: loops are
//! unrolled, and all but the weights of the inputs stays in registers from step to step.
//!
//! | module | holds |
//! |---|---|
//! | [`steps`] | steps of plain gradient descent |
//!
//! Shapes, with L rows interleaved: `x[inputs][L]`, `z1[H][L]`, `h = f(z1)`, `z2[O][L]`, `o = g(z2)`.

#![allow(
    clippy::needless_range_loop,
    reason = "one index for several arrays, as in the formulas"
)]

pub mod steps;

use std::hint::black_box;

use crate::nn::network::activation::{Activation, BLOCK};
use crate::nn::network::architecture::{Architecture, Layer};
use crate::nn::network::loss::Loss;
use crate::nn::vector::kernels::{all_finite, max_abs};
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Scalar, Task};

/// The most interleaved rows.
pub const MOST_ROWS: usize = 4;

/// What a network does, beside its weights and sizes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Functions {
    hidden: Activation,
    output: Activation,
    loss: Loss,
    /// H and O
    pub units: (usize, usize),
}

impl Functions {
    /// Those of a network with one hidden layer, if there is code for it.
    #[inline]
    pub fn of(architecture: &Architecture) -> Option<Self> {
        use Activation::{Linear, Relu, Sigmoid, Softmax, Tanh};
        let [first, second] = architecture.layers() else {
            return None;
        };
        let is_plain = |layer: &Layer| {
            let options = &layer.options;
            options.normalization.is_none() && options.dropout == 0.0 && !layer.is_penalized()
        };
        let functions = Functions {
            hidden: first.options.activation,
            output: second.options.activation,
            loss: architecture.loss(),
            units: (first.units, second.units),
        };
        let fits = matches!(functions.hidden, Linear | Sigmoid | Tanh | Relu)
            && match functions.loss {
                Loss::CrossEntropy { .. } => functions.output == Softmax,
                Loss::BinaryCrossEntropy { .. } => functions.output == Sigmoid,
                Loss::SquaredError | Loss::Mse => matches!(functions.output, Linear | Sigmoid | Tanh),
                _ => false,
            };
        let fits = fits && matches!(functions.units, (2..=4, 1) | (2, 2));
        (fits && is_plain(first) && is_plain(second)).then_some(functions)
    }

    /// Whether there is code for steps by so many rows.
    #[inline]
    pub fn has_steps(self, rows: usize) -> bool {
        // Of the others code for several rows would be long, and they are seldom asked for.
        let is_rare = matches!(self.loss, Loss::BinaryCrossEntropy { .. })
            || [self.hidden, self.output].contains(&Activation::Tanh);
        rows == 1 || rows <= MOST_ROWS && !is_rare
    }
}

/// The weights but for those of the inputs: `b1[H]`, `w2[H][O]`, `b2[O]`.
#[derive(Clone, Copy)]
pub struct Tiny<T, const H: usize, const O: usize> {
    /// Of the hidden layer
    pub b1: [T; H],
    /// From hidden to output layer
    pub w2: [[T; O]; H],
    /// Of the output layer
    pub b2: [T; O],
}

/// What a pass over L rows finds.
pub struct Forward<T, const H: usize, const O: usize, const L: usize> {
    /// Weighted sums of the hidden layer
    pub z1: [[T; L]; H],
    /// Its outputs
    pub h: [[T; L]; H],
    /// Weighted sums of the output layer
    pub z2: [[T; L]; O],
    /// The outputs
    pub o: [[T; L]; O],
    /// Whether all weighted sums are finite; if not, the rest means nothing.
    pub is_finite: bool,
}

impl<T: Real, const H: usize, const O: usize> Tiny<T, H, O> {
    /// Takes the weights out of `values`, and those of the inputs as `w1[inputs][H]`.
    ///
    /// # Panics
    /// Where there are not as many as for `inputs`.
    #[inline(always)]
    pub fn load(values: &mut [T], inputs: usize) -> (&mut [[T; H]], Self) {
        let (w1, rest) = values.split_at_mut(inputs * H);
        (w1.as_chunks_mut().0, Self::of(rest))
    }

    /// The weights that follow those of the inputs.
    #[inline(always)]
    fn of(rest: &[T]) -> Self {
        assert_eq!(rest.len(), H + H * O + O);
        let mut tiny = Tiny {
            b1: [T::ZERO; H],
            w2: [[T::ZERO; O]; H],
            b2: [T::ZERO; O],
        };
        tiny.b1.copy_from_slice(&rest[..H]);
        tiny.w2.as_flattened_mut().copy_from_slice(&rest[H..H + H * O]);
        tiny.b2.copy_from_slice(&rest[H + H * O..]);
        tiny
    }

    /// Puts them back.
    #[inline(always)]
    pub fn store(&self, values: &mut [T], inputs: usize) {
        let rest = &mut values[inputs * H..];
        rest[..H].copy_from_slice(&self.b1);
        rest[H..H + H * O].copy_from_slice(self.w2.as_flattened());
        rest[H + H * O..].copy_from_slice(&self.b2);
    }

    /// z1 of L rows.
    #[inline(always)]
    pub fn hidden_sums<I: Isa, const L: usize>(
        &self,
        w1: &[[T; H]],
        x: impl Fn(usize) -> [T; L],
    ) -> [[T; L]; H] {
        let mut z1 = [[T::ZERO; L]; H];
        for j in 0..H {
            z1[j] = [self.b1[j]; L];
        }
        for (i, w) in w1.iter().enumerate() {
            let x = x(i);
            for j in 0..H {
                for l in 0..L {
                    z1[j][l] = I::mul_add(x[l], w[j], z1[j][l]);
                }
            }
            // Inputs are few: no code for several at a time.
            black_box(());
        }
        z1
    }

    /// From z1 to the outputs.
    #[inline(always)]
    pub fn forward<I: Isa, const L: usize>(
        &self,
        functions: Functions,
        z1: [[T; L]; H],
    ) -> Forward<T, H, O, L> {
        let h = activate::<I, T, L, H>(functions.hidden, z1);
        let z2 = self.output_sums::<I, L>(h);
        let o = activate::<I, T, L, O>(functions.output, z2);
        Forward {
            z1,
            h,
            z2,
            o,
            is_finite: all_finite(z1.as_flattened()) & all_finite(z2.as_flattened()),
        }
    }

    /// z2
    #[inline(always)]
    fn output_sums<I: Isa, const L: usize>(&self, h: [[T; L]; H]) -> [[T; L]; O] {
        let mut z2 = [[T::ZERO; L]; O];
        for k in 0..O {
            z2[k] = [self.b2[k]; L];
            for j in 0..H {
                for l in 0..L {
                    z2[k][l] = I::mul_add(h[j][l], self.w2[j][k], z2[k][l]);
                }
            }
        }
        z2
    }
}

impl<T: Real, const H: usize, const O: usize, const L: usize> Forward<T, H, O, L> {
    /// dE/dz2
    #[inline(always)]
    pub fn output_gradient<I: Isa>(&self, functions: Functions, t: &[[T; L]; O]) -> [[T; L]; O] {
        let mut dz2 = [[T::ZERO; L]; O];
        macro_rules! of {
            ($loss:expr) => {{ $loss.gradient::<I, T, L>(&self.z2, &self.o, t, &mut dz2) }};
        }
        match functions.loss {
            Loss::CrossEntropy { label_smoothing } => of!(Loss::CrossEntropy { label_smoothing }),
            Loss::BinaryCrossEntropy { positive_weight } if L == 1 => {
                of!(Loss::BinaryCrossEntropy { positive_weight })
            }
            Loss::Mse => of!(Loss::Mse),
            _ => of!(Loss::SquaredError),
        }
        if !functions.loss.is_fused() {
            derive(functions.output, &self.o, &mut dz2);
        }
        dz2
    }

    /// dz1 = sum_k dz2_k s_k of each row, for s = w2 f'(z1): these s, which are at hand sooner than dz2.
    #[inline(always)]
    pub fn slopes<I: Isa>(&self, functions: Functions, w2: &[[T; O]; H]) -> [[[T; L]; O]; H] {
        let mut derivatives = [[T::ONE; L]; H];
        match functions.hidden {
            Activation::Relu => {
                for j in 0..H {
                    for l in 0..L {
                        derivatives[j][l] = Activation::Relu.derivative::<I, T>(self.z1[j][l], self.h[j][l]);
                    }
                }
            }
            other => derive(other, &self.h, &mut derivatives),
        }
        let mut slopes = [[[T::ZERO; L]; O]; H];
        for j in 0..H {
            for k in 0..O {
                for l in 0..L {
                    slopes[j][k][l] = w2[j][k] * derivatives[j][l];
                }
            }
        }
        slopes
    }
}

/// dz1
#[inline(always)]
pub fn backward<I: Isa, T: Real, const H: usize, const O: usize, const L: usize>(
    slopes: &[[[T; L]; O]; H],
    dz2: &[[T; L]; O],
) -> [[T; L]; H] {
    let mut dz1 = [[T::ZERO; L]; H];
    for j in 0..H {
        for l in 0..L {
            dz1[j][l] = slopes[j][0][l] * dz2[0][l];
        }
        for k in 1..O {
            for l in 0..L {
                dz1[j][l] = I::mul_add(dz2[k][l], slopes[j][k][l], dz1[j][l]);
            }
        }
    }
    dz1
}

/// f(z)
#[inline(always)]
fn activate<I: Isa, T: Real, const L: usize, const N: usize>(f: Activation, z: [[T; L]; N]) -> [[T; L]; N] {
    let mut a = z;
    let numbers = a.as_flattened_mut();
    macro_rules! each {
        ($f:expr) => {{
            for x in numbers {
                *x = $f.of::<Scalar<I>, T>(*x);
            }
        }};
    }
    match f {
        Activation::Relu => each!(Activation::Relu),
        // Of one row by itself, a number is sooner had from a table.
        Activation::Sigmoid if L == 1 => each!(Activation::Sigmoid),
        // A function of its own, for whole blocks.
        Activation::Sigmoid => {
            let (mut z, mut block) = ([T::ZERO; BLOCK], [T::ZERO; BLOCK]);
            z[..numbers.len()].copy_from_slice(numbers);
            Activation::Sigmoid.apply_to(&z, &mut block);
            numbers.copy_from_slice(&block[..numbers.len()]);
        }
        Activation::Tanh if L == 1 => each!(Activation::Tanh),
        // Of two, one is the sigmoid of their difference and the other what is left.
        Activation::Softmax if N == 2 => {
            for l in 0..L {
                let d = a[1][l] - a[0][l];
                let lower = (-d.abs()).sigmoid::<Scalar<I>>();
                let upper = T::ONE - lower;
                (a[0][l], a[1][l]) = if d > T::ZERO {
                    (lower, upper)
                } else {
                    (upper, lower)
                };
            }
        }
        // And of one, which is all there is.
        Activation::Softmax => a = [[T::ONE; L]; N],
        _ => {}
    }
    a
}

/// d *= f'(z), where that follows from a = f(z).
#[inline(always)]
fn derive<T: Real, const L: usize, const N: usize>(f: Activation, a: &[[T; L]; N], d: &mut [[T; L]; N]) {
    let (a, d) = (a.as_flattened(), d.as_flattened_mut());
    match f {
        Activation::Sigmoid => {
            for i in 0..d.len() {
                d[i] *= a[i] * (T::ONE - a[i]);
            }
        }
        Activation::Tanh if L == 1 => {
            for i in 0..d.len() {
                d[i] *= (T::ONE - a[i]) * (T::ONE + a[i]);
            }
        }
        _ => {}
    }
}

/// Predicts into `outputs`, to the bit as [`crate::nn::pass::online::predict`] does; whether it did. What is out of the ordinary
/// (numbers that are not finite, sums that overflow) is left to that.
#[inline]
pub fn predict<T: Real>(functions: Functions, values: &[T], inputs: &[T], outputs: &mut [T]) -> bool {
    simd::run(Predict {
        functions,
        values,
        inputs,
        outputs,
    })
}

struct Predict<'a, T> {
    functions: Functions,
    values: &'a [T],
    inputs: &'a [T],
    outputs: &'a mut [T],
}

impl<T: Real> Task for Predict<'_, T> {
    const WIDENS: bool = false;
    type Output = bool;

    #[inline(always)]
    fn run<I: Isa>(self) -> bool {
        match self.functions.units {
            _ if !I::HAS_TINY => false,
            // In other bits.
            _ if self.functions.output == Activation::Softmax => false,
            (2, 1) => self.outputs::<I, 2, 1>(),
            (3, 1) => self.outputs::<I, 3, 1>(),
            (4, 1) => self.outputs::<I, 4, 1>(),
            (2, 2) => self.outputs::<I, 2, 2>(),
            _ => false,
        }
    }
}

impl<T: Real> Predict<'_, T> {
    #[inline(always)]
    fn outputs<I: Isa, const H: usize, const O: usize>(self) -> bool {
        let (w1, rest) = self.values.split_at(self.inputs.len() * H);
        let (w1, tiny) = (w1.as_chunks().0, Tiny::<T, H, O>::of(rest));
        let z1 = tiny.hidden_sums::<I, 1>(w1, |i| [self.inputs[i]]);
        let pass = tiny.forward::<I, 1>(self.functions, z1);
        self.outputs.copy_from_slice(pass.o.as_flattened());
        // An input that is not finite shows in the sums: no weight is infinite, and 0 times infinity is NaN.
        pass.is_finite
    }
}

/// One step of the original's online gradient descent, as [`crate::nn::pass::online::train`] takes it; whether it was taken. It is
/// left to that, and nothing changed, where something is out of the ordinary.
#[inline]
pub fn train<T: Real>(
    functions: Functions,
    values: &mut [T],
    inputs: &[T],
    targets: &[T],
    learning_rate: T,
) -> bool {
    simd::run(Train {
        functions,
        values,
        inputs,
        targets,
        learning_rate,
    })
}

struct Train<'a, T> {
    functions: Functions,
    values: &'a mut [T],
    inputs: &'a [T],
    targets: &'a [T],
    learning_rate: T,
}

impl<T: Real> Task for Train<'_, T> {
    const WIDENS: bool = false;
    type Output = bool;

    #[inline(always)]
    fn run<I: Isa>(self) -> bool {
        match self.functions.units {
            _ if !I::HAS_TINY => false,
            (2, 1) => self.step::<I, 2, 1>(),
            (3, 1) => self.step::<I, 3, 1>(),
            (4, 1) => self.step::<I, 4, 1>(),
            (2, 2) => self.step::<I, 2, 2>(),
            _ => false,
        }
    }
}

impl<T: Real> Train<'_, T> {
    #[inline(always)]
    fn step<I: Isa, const H: usize, const O: usize>(self) -> bool {
        let Train {
            functions,
            values,
            inputs,
            targets,
            learning_rate,
        } = self;
        let (w1, mut tiny) = Tiny::<T, H, O>::load(values, inputs.len());
        let pass = tiny.forward::<I, 1>(functions, tiny.hidden_sums::<I, 1>(w1, |i| [inputs[i]]));
        let t: &[T; O] = targets.try_into().expect("has a target for each output");
        let mut delta2 = pass.output_gradient::<I>(functions, &t.map(|t| [t]));
        let mut step2 = [T::ZERO; O];
        for k in 0..O {
            delta2[k][0] = -delta2[k][0];
            step2[k] = learning_rate * delta2[k][0];
            for j in 0..H {
                tiny.w2[j][k] = I::mul_add(pass.h[j][0], step2[k], tiny.w2[j][k]);
            }
            tiny.b2[k] += step2[k];
        }
        let delta1 = backward::<I, T, H, O, 1>(&pass.slopes::<I>(functions, &tiny.w2), &delta2);
        let mut step1 = [T::ZERO; H];
        for j in 0..H {
            step1[j] = learning_rate * delta1[j][0];
            tiny.b1[j] += step1[j];
        }
        // Sums, targets and the like that are not finite show in the steps.
        let is_safe = |x: &[T], step: &[T]| {
            let (x, step) = (max_abs(x), max_abs(step));
            step < T::SAFE_UPDATE && x < T::SAFE_UPDATE && x * step < T::SAFE_UPDATE
        };
        let finite = all_finite(inputs) & all_finite(&step1) & all_finite(&step2) & pass.is_finite;
        if !(finite && is_safe(inputs, &step1) && is_safe(pass.h.as_flattened(), &step2)) {
            return false;
        }
        for (w, &x) in w1.iter_mut().zip(inputs) {
            for j in 0..H {
                w[j] = I::mul_add(x, step1[j], w[j]);
            }
        }
        tiny.store(values, inputs.len());
        true
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::nn::NetworkOptions;
    use crate::nn::pass::online::{self, Workspace};
    use crate::nn::random::Generator;

    fn agrees_with_the_general_code<T: Real>() {
        let mut count = 0;
        let mut generator = Generator::new(5);
        let hidden = ["linear", "sigmoid", "tanh", "relu"];
        let outputs = [
            ("crossEntropy", "softmax"),
            ("binaryCrossEntropy", "sigmoid"),
            ("squaredError", "linear"),
            ("mse", "tanh"),
        ];
        for (h, o) in [(2, 1), (3, 1), (4, 1), (2, 2)] {
            for (f, (loss, g)) in hidden.iter().flat_map(|f| outputs.map(|output| (f, output))) {
                if loss == "crossEntropy" && o == 1 {
                    continue;
                }
                let layers = json!([3, { "units": h, "activation": f }, { "units": o, "activation": g }]);
                let options = json!({ "layers": layers, "loss": loss });
                let architecture = Architecture::new(&NetworkOptions::from_json(&options).unwrap()).unwrap();
                let functions = Functions::of(&architecture).expect("a network of the smallest");
                let mut workspace = Workspace::<T>::new(&architecture).unwrap();
                for scale in [0.5, 3.0, 1e3, 1e30, 1e200] {
                    let mut draw = |count: usize| -> Vec<T> {
                        (0..count)
                            .map(|_| T::from_f64(scale * generator.normal()).held_finite())
                            .collect()
                    };
                    let (values, mut inputs) = (draw(architecture.value_count()), draw(3));
                    for odd in [None, Some(f64::NAN), Some(f64::INFINITY)] {
                        if let Some(odd) = odd {
                            inputs[1] = T::from_f64(odd);
                        }
                        let mut a = vec![T::ZERO; o];
                        let did = predict(functions, &values, &inputs, &mut a);
                        let slow =
                            online::predict_layer_by_layer(&architecture, &values, &inputs, &mut workspace);
                        assert!(!did || g != "softmax");
                        count += usize::from(did);
                        match (did, slow) {
                            (true, Ok(slow)) => assert_eq!(a, slow, "{options}, {scale}"),
                            (false, Ok(_)) => {}
                            (did, Err(_)) => assert!(!did && odd.is_some()),
                        }
                    }
                }
            }
        }
        assert!(
            count > 100 || simd::level() == simd::Level::Portable,
            "only {count}"
        );
    }

    #[test]
    fn predictions_have_the_bits_of_the_general_code() {
        agrees_with_the_general_code::<f64>();
        agrees_with_the_general_code::<f32>();
    }
}
