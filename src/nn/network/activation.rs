//! Activation functions: f and its derivative, one row each.
//!
//! Formulas and values at kinks are PyTorch's; each row of `docs/math.md` names the paper.

use std::hint::black_box;

use crate::nn::settings::{MODERATE, Named, Parameter};
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Task};

/// The function that turns a neuron's weighted sum z into its output a = f(z).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// z
    Linear,
    /// 1 / (1 + e^-z)
    Sigmoid,
    /// tanh z
    Tanh,
    /// max(z, 0); f'(0) = 0
    Relu,
    /// z where z > 0, else alpha z; f'(0) = alpha
    LeakyRelu(f64),
    /// z where z > 0, else alpha (e^z - 1); f'(0) = alpha
    Elu(f64),
    /// lambda elu(z) with the constants that keep mean 0 and variance 1
    Selu,
    /// z Phi(z), the exact form with the normal distribution function
    Gelu,
    /// z sigmoid(z)
    Silu,
    /// z tanh(softplus(z))
    Mish,
    /// ln(1 + e^z), in full precision everywhere
    Softplus,
    /// z / (1 + |z|)
    Softsign,
    /// z / 6 + 1/2, held within [0, 1]; f' = 0 at the ends
    HardSigmoid,
    /// z held within [-1, 1]; f' = 0 at the ends
    HardTanh,
    /// z held within [0, 6]; f' = 0 at the ends
    Relu6,
    /// e^z / sum e^z over the output layer
    Softmax,
}

use Activation::*;

/// Alpha and lambda of SELU (Klambauer et al., 2017).
pub const SELU: [f64; 2] = [1.673_263_242_354_377_2, 1.050_700_987_355_480_5];

/// Runs `$body` with `$k` bound to a known variant, so that the choice is made once and not in a loop.
macro_rules! specialized {
    ($activation:expr, $k:ident => $body:expr) => {
        specialized!(@ $activation, $k => $body;
            Linear Sigmoid Tanh Relu Selu Gelu Silu Mish Softplus Softsign HardSigmoid HardTanh Relu6 Softmax;
            LeakyRelu Elu)
    };
    (@ $activation:expr, $k:ident => $body:expr; $($plain:ident)*; $($with_alpha:ident)*) => {
        match $activation {
            $($plain => { let $k = $plain; $body })*
            $($with_alpha(alpha) => { let $k = $with_alpha(alpha); $body })*
        }
    };
}

impl Named for Activation {
    const ALL: &'static [(&'static str, Self)] = &[
        ("linear", Linear),
        ("sigmoid", Sigmoid),
        ("tanh", Tanh),
        ("relu", Relu),
        ("leakyRelu", LeakyRelu(0.01)),
        ("elu", Elu(1.0)),
        ("selu", Selu),
        ("gelu", Gelu),
        ("silu", Silu),
        ("mish", Mish),
        ("softplus", Softplus),
        ("softsign", Softsign),
        ("hardSigmoid", HardSigmoid),
        ("hardTanh", HardTanh),
        ("relu6", Relu6),
        ("softmax", Softmax),
    ];

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        match self {
            LeakyRelu(alpha) | Elu(alpha) => vec![("alpha", MODERATE, alpha)],
            _ => Vec::new(),
        }
    }
}

impl Activation {
    /// Whether no output is below zero.
    pub fn is_non_negative(self) -> bool {
        matches!(self, Sigmoid | Relu | Softplus | HardSigmoid | Relu6 | Softmax)
    }

    /// The least and the largest output, both also where they are only approached.
    pub fn range(self) -> (f64, f64) {
        match self {
            Sigmoid | HardSigmoid | Softmax => (0.0, 1.0),
            Tanh | Softsign | HardTanh => (-1.0, 1.0),
            Relu | Softplus => (0.0, f64::INFINITY),
            Relu6 => (0.0, 6.0),
            Elu(alpha) if alpha >= 0.0 => (-alpha, f64::INFINITY),
            Selu => (-SELU[0] * SELU[1], f64::INFINITY),
            Gelu => (-0.170_0, f64::INFINITY),
            Silu => (-0.278_5, f64::INFINITY),
            Mish => (-0.308_9, f64::INFINITY),
            Linear | LeakyRelu(_) | Elu(_) => (f64::NEG_INFINITY, f64::INFINITY),
        }
    }

    /// f(z). Softmax is a function of the whole layer: see [`softmax`]; here it is the identity.
    #[inline(always)]
    pub fn of<I: Isa, T: Real>(self, z: T) -> T {
        let c = T::from_f64;
        match self {
            Linear | Softmax => z,
            Sigmoid => z.sigmoid::<I>(),
            Tanh => z.tanh::<I>(),
            Relu => max(z, T::ZERO),
            LeakyRelu(alpha) if alpha.abs() > 1.0 => {
                (if z > T::ZERO { z } else { c(alpha) * z }).held_finite()
            }
            LeakyRelu(alpha) => {
                if z > T::ZERO {
                    z
                } else {
                    c(alpha) * z
                }
            }
            Elu(alpha) => elu::<I, T>(c(alpha), z),
            Selu => (c(SELU[1]) * elu::<I, T>(c(SELU[0]), z)).held_finite(),
            Gelu => z * normal_distribution(z),
            Silu => z * z.sigmoid::<I>(),
            Mish => z * softplus::<I, T>(z).tanh::<I>(),
            Softplus => softplus::<I, T>(z),
            Softsign => z / (T::ONE + z.abs()),
            HardSigmoid => clamp(z + c(3.0), T::ZERO, c(6.0)) / c(6.0),
            HardTanh => clamp(z, -T::ONE, T::ONE),
            Relu6 => clamp(z, T::ZERO, c(6.0)),
        }
    }

    /// f'(z), given `a` = f(z) too.
    #[inline(always)]
    pub fn derivative<I: Isa, T: Real>(self, z: T, a: T) -> T {
        let c = T::from_f64;
        let inside = |low: T, high: T, slope: T| if z > low && z < high { slope } else { T::ZERO };
        match self {
            Linear | Softmax => T::ONE,
            Sigmoid => a * (T::ONE - a),
            Tanh => (T::ONE - a) * (T::ONE + a),
            Relu => {
                if z > T::ZERO {
                    T::ONE
                } else {
                    T::ZERO
                }
            }
            LeakyRelu(alpha) => {
                if z > T::ZERO {
                    T::ONE
                } else {
                    c(alpha)
                }
            }
            Elu(alpha) => elu_derivative::<I, T>(c(alpha), z),
            Selu => c(SELU[1]) * elu_derivative::<I, T>(c(SELU[0]), z),
            Gelu => normal_distribution(z) + z * normal_density::<I, T>(z),
            Silu => {
                let s = z.sigmoid::<I>();
                s * (T::ONE + z * (T::ONE - s))
            }
            Mish => {
                let t = softplus::<I, T>(z).tanh::<I>();
                t + z * z.sigmoid::<I>() * ((T::ONE - t) * (T::ONE + t))
            }
            Softplus => z.sigmoid::<I>(),
            Softsign => {
                let r = T::ONE / (T::ONE + z.abs());
                r * r
            }
            HardSigmoid => inside(c(-3.0), c(3.0), T::ONE / c(6.0)),
            HardTanh => inside(-T::ONE, T::ONE, T::ONE),
            Relu6 => inside(T::ZERO, c(6.0), T::ONE),
        }
    }

    /// a = f(z) for a whole slice.
    #[inline(always)]
    pub fn apply<I: Isa, T: Real>(self, z: &[T], a: &mut [T]) {
        assert_eq!(z.len(), a.len());
        specialized!(self, k => {
            let (z_blocks, z) = z.split_at(blocks::<I>(z.len()));
            let (a_blocks, a) = a.split_at_mut(z_blocks.len());
            let (z_blocks, a_blocks) = (z_blocks.as_chunks::<BLOCK>().0, a_blocks.as_chunks_mut::<BLOCK>().0);
            for (z, a) in z_blocks.iter().zip(a_blocks) {
                let mut block = *z;
                for x in &mut block {
                    *x = k.of::<I, T>(*x);
                }
                *a = block;
                black_box(());
            }
            for (&z, a) in z.iter().zip(a) {
                *a = k.of::<I, T>(z);
            }
        })
    }

    /// dz = da f'(z) for a whole slice, in place.
    #[inline(always)]
    pub fn backward<I: Isa, T: Real>(self, z: &[T], a: &[T], d: &mut [T]) {
        assert!(z.len() == d.len() && a.len() == d.len());
        specialized!(self, k => {
            let (z_blocks, z) = z.split_at(blocks::<I>(z.len()));
            let (a_blocks, a) = a.split_at(z_blocks.len());
            let (d_blocks, d) = d.split_at_mut(z_blocks.len());
            let (z_blocks, a_blocks) = (z_blocks.as_chunks::<BLOCK>().0, a_blocks.as_chunks::<BLOCK>().0);
            for ((z, a), d) in z_blocks.iter().zip(a_blocks).zip(d_blocks.as_chunks_mut::<BLOCK>().0) {
                let (z, a, mut block) = (*z, *a, *d);
                for l in 0..BLOCK {
                    block[l] *= k.derivative::<I, T>(z[l], a[l]);
                }
                *d = block;
                black_box(());
            }
            for ((&z, &a), d) in z.iter().zip(a).zip(d) {
                *d *= k.derivative::<I, T>(z, a);
            }
        })
    }

    /// [`Self::apply`] with the instructions of this processor, outside a task.
    pub fn apply_to<T: Real>(self, z: &[T], a: &mut [T]) {
        simd::run(Apply {
            activation: self,
            z,
            a,
        });
    }

    /// [`Self::backward`] with the instructions of this processor, outside a task.
    pub fn backward_to<T: Real>(self, z: &[T], a: &[T], d: &mut [T]) {
        simd::run(Backward {
            activation: self,
            z,
            a,
            d,
        });
    }
}

/// How many numbers are computed at a time: a vector of 64 bytes in single precision. In plain loops the compiler takes
/// several of these at a time, and what is left, which may be all there is, number by number. A block is loaded before any
/// of it is stored, as else the compiler must fear that the slices overlap, and a `black_box` keeps it from gathering
/// vectors across blocks.
pub const BLOCK: usize = 16;

/// How many of so many numbers are in whole blocks, if there are to be any.
#[inline(always)]
fn blocks<I: Isa>(count: usize) -> usize {
    if I::VECTOR { count / BLOCK * BLOCK } else { 0 }
}

struct Apply<'a, T> {
    activation: Activation,
    z: &'a [T],
    a: &'a mut [T],
}

impl<T: Real> Task for Apply<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        self.activation.apply::<I, T>(self.z, self.a);
    }
}

struct Backward<'a, T> {
    activation: Activation,
    z: &'a [T],
    a: &'a [T],
    d: &'a mut [T],
}

impl<T: Real> Task for Backward<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        self.activation.backward::<I, T>(self.z, self.a, self.d);
    }
}

/// p_k = e^z_k / sum_j e^z_j of each row of so many `units`, in place, from differences to the largest z so that
/// nothing overflows.
#[inline(always)]
pub fn softmax<I: Isa, T: Real>(z: &mut [T], units: usize) {
    for row in z.chunks_exact_mut(units) {
        let largest = row.iter().fold(row[0], |m, &z| max(m, z));
        row.iter_mut().for_each(|z| *z -= largest);
    }
    // All rows at once: one alone may be shorter than a vector.
    z.iter_mut().for_each(|z| *z = z.exp::<I>());
    for row in z.chunks_exact_mut(units) {
        let sum = row.iter().fold(T::ZERO, |sum, &z| sum + z);
        row.iter_mut().for_each(|z| *z = *z / sum);
    }
}

/// [`softmax`] with the instructions of this processor, outside a task.
pub fn softmax_to<T: Real>(z: &mut [T], units: usize) {
    struct Softmax<'a, T>(&'a mut [T], usize);
    impl<T: Real> Task for Softmax<'_, T> {
        type Output = ();

        #[inline(always)]
        fn run<I: Isa>(self) {
            softmax::<I, T>(self.0, self.1);
        }
    }
    simd::run(Softmax(z, units));
}

/// [`softmax`] of L interleaved rows, `z[unit][row]`; `exp` takes e^x of all numbers. No vectors are gathered across the
/// rows (see [`BLOCK`]).
#[inline(always)]
pub fn softmax_side_by_side<T: Real, const L: usize>(z: &mut [[T; L]], exp: impl FnOnce(&mut [T])) {
    let mut largest = z[0];
    for z in &z[1..] {
        for l in 0..L {
            largest[l] = max(largest[l], z[l]);
        }
        black_box(());
    }
    for z in &mut *z {
        for l in 0..L {
            z[l] -= largest[l];
        }
        black_box(());
    }
    exp(z.as_flattened_mut());
    let mut sum = [T::ZERO; L];
    for z in &*z {
        for l in 0..L {
            sum[l] += z[l];
        }
        black_box(());
    }
    for z in z {
        for l in 0..L {
            z[l] = z[l] / sum[l];
        }
        black_box(());
    }
}

/// e^x of whole blocks, with the instructions of this processor, outside a task.
pub fn exp_to<T: Real>(x: &mut [[T; BLOCK]]) {
    struct Exp<'a, T>(&'a mut [[T; BLOCK]]);
    impl<T: Real> Task for Exp<'_, T> {
        type Output = ();

        #[inline(always)]
        fn run<I: Isa>(self) {
            for block in self.0 {
                let mut x = *block;
                for x in &mut x {
                    *x = x.exp::<I>();
                }
                *block = x;
                black_box(());
            }
        }
    }
    simd::run(Exp(x));
}

/// A row by itself, as interleaved rows.
#[inline(always)]
pub fn singles<T>(row: &[T]) -> &[[T; 1]] {
    row.as_chunks().0
}

/// A row by itself, as interleaved rows.
#[inline(always)]
pub fn singles_mut<T>(row: &mut [T]) -> &mut [[T; 1]] {
    row.as_chunks_mut().0
}

// Functions of their own, not calls of `of` by `of`: what calls itself is not inlined.

#[inline(always)]
fn elu<I: Isa, T: Real>(alpha: T, z: T) -> T {
    if z > T::ZERO { z } else { alpha * z.exp_m1::<I>() }
}

#[inline(always)]
fn elu_derivative<I: Isa, T: Real>(alpha: T, z: T) -> T {
    if z > T::ZERO { T::ONE } else { alpha * z.exp::<I>() }
}

#[inline(always)]
pub(crate) fn softplus<I: Isa, T: Real>(z: T) -> T {
    max(z, T::ZERO) + (-z.abs()).exp::<I>().ln_1p::<I>()
}

#[inline(always)]
fn max<T: Real>(a: T, b: T) -> T {
    // Written so that NaN in `a` is passed on, not hidden.
    if a < b { b } else { a }
}

#[inline(always)]
fn clamp<T: Real>(z: T, low: T, high: T) -> T {
    if z < low {
        low
    } else if z > high {
        high
    } else {
        z
    }
}

/// Phi(z), from erfc so that the lower tail keeps its digits.
#[inline(always)]
fn normal_distribution<T: Real>(z: T) -> T {
    T::from_f64(0.5) * (-z * T::from_f64(std::f64::consts::FRAC_1_SQRT_2)).erfc()
}

/// phi(z)
#[inline(always)]
fn normal_density<I: Isa, T: Real>(z: T) -> T {
    // 1 / sqrt(2 pi)
    T::from_f64(0.398_942_280_401_432_7) * (-(z * z) * T::from_f64(0.5)).exp::<I>()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::vector::simd::{Portable, Scalar};
    use serde_json::Value;

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../../__test__/goldens/activations.json")).unwrap()
    }

    fn numbers(value: &Value) -> Vec<f64> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_f64().unwrap())
            .collect()
    }

    fn of_case(case: &Value) -> Activation {
        let name = case["activation"].as_str().unwrap();
        let (_, activation) = *Activation::ALL.iter().find(|row| row.0 == name).unwrap();
        match (activation, case["alpha"].as_f64()) {
            (LeakyRelu(_), Some(alpha)) => LeakyRelu(alpha),
            (Elu(_), Some(alpha)) => Elu(alpha),
            _ => activation,
        }
    }

    fn close(mine: f64, exact: f64, relative: f64, absolute: f64) -> bool {
        (mine - exact).abs() <= relative * exact.abs() + absolute
    }

    fn check<I: Isa>(_: I) {
        let golden = golden();
        let x = numbers(&golden["x"]);
        let cases = golden["cases"].as_array().unwrap();
        assert_eq!(cases.len(), 17);
        for case in cases {
            let activation = of_case(case);
            for ((&x, f), df) in x.iter().zip(numbers(&case["f"])).zip(numbers(&case["df"])) {
                let a = activation.of::<I, f64>(x);
                let da = activation.derivative::<I, f64>(x, a);
                assert!(close(a, f, 2e-13, 1e-300), "{activation:?}({x}) = {a}, not {f}");
                assert!(
                    close(da, df, 2e-13, 2e-15),
                    "{activation:?}'({x}) = {da}, not {df}"
                );
                let (single, x) = (x as f32, f64::from(x as f32));
                if f64::from(single) == x && x.abs() < 1e30 {
                    let (a, exact) = (activation.of::<I, f32>(single), activation.of::<I, f64>(x));
                    let da = activation.derivative::<I, f32>(single, a);
                    let exact_da = activation.derivative::<I, f64>(x, exact);
                    assert!(
                        close(a.into(), exact, 2e-5, 1e-37),
                        "{activation:?}({x}) = {a}, not {exact}"
                    );
                    assert!(
                        close(da.into(), exact_da, 1e-5, 1e-6),
                        "{activation:?}'({x}): {da}, {exact_da}"
                    );
                }
            }
        }
    }

    #[test]
    fn values_and_derivatives_are_pytorchs() {
        check(Portable);
        check(Scalar(Portable));
    }

    #[test]
    fn every_name_means_its_own_function() {
        // ml-fnn turned every name into tanh without a word.
        for (i, (name, activation)) in Activation::ALL.iter().enumerate() {
            assert_eq!(activation.name(), *name);
            for (other_name, other) in &Activation::ALL[..i] {
                assert_ne!(name, other_name);
                let differ = [-7.0, -2.5, -0.3, 0.4, 2.0, 7.0]
                    .iter()
                    .any(|&z: &f64| activation.of::<Portable, f64>(z) != other.of::<Portable, f64>(z));
                // Softmax is the identity here: it is a function of the whole layer.
                assert!(
                    differ || (*name, *other_name) == ("softmax", "linear"),
                    "{name} = {other_name}"
                );
            }
        }
    }

    #[test]
    fn forward_and_backward_of_leaky_relu_agree() {
        // brain.js 1.x used one slope forward and another backward.
        for alpha in [0.01, 0.2, 0.3] {
            let leaky = LeakyRelu(alpha);
            let f = |z: f64| leaky.of::<Portable, f64>(z);
            assert!(close(
                leaky.derivative::<Portable, f64>(-2.0, f(-2.0)),
                (f(-2.0) - f(-3.0)) / 1.0,
                1e-12,
                0.0
            ));
        }
    }

    #[test]
    fn names_that_libraries_define_differently_are_pytorchs() {
        // Keras 2 and tfjs: hard sigmoid 0.2 z + 0.5; leaky slopes of 0.2 and 0.3.
        assert!(close(
            HardSigmoid.of::<Portable, f64>(1.0),
            1.0 / 6.0 + 0.5,
            1e-15,
            0.0
        ));
        assert_eq!(Activation::ALL[4], ("leakyRelu", LeakyRelu(0.01)));
    }

    #[test]
    fn softsign_falls_nowhere() {
        // neataptic's derivative had the wrong sign.
        for z in [-5.0, -0.1, 0.0, 0.1, 5.0] {
            assert!(Softsign.derivative::<Portable, f64>(z, 0.0) > 0.0);
        }
    }

    #[test]
    fn softmax_sums_to_one_even_where_logits_are_huge() {
        let mut p = [1e4, -1e4, 9999.0];
        softmax::<Portable, f64>(&mut p, 3);
        let e = (-1f64).exp();
        assert!(
            close(p[0], 1.0 / (1.0 + e), 1e-15, 0.0) && p[1] == 0.0 && close(p[2], e / (1.0 + e), 1e-15, 0.0)
        );
        let mut p = [1e4f32, 1e4, -1e4];
        softmax::<Portable, f32>(&mut p, 3);
        assert_eq!(p, [0.5, 0.5, 0.0]);
    }
}
