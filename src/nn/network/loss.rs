//! Losses: the value for one example and its gradient, side by side.
//!
//! A row is one example: z the weighted sums of the output layer, a its outputs, t the targets, K their
//! number. The loss of a batch is the mean over its rows. crossEntropy and binaryCrossEntropy are computed
//! from z (softmax and sigmoid are fused with them), so that no logarithm of a rounded 0 is taken.

use std::hint::black_box;

use crate::nn::network::activation::{Activation, BLOCK, softplus};
use crate::nn::settings::{BELOW_ONE, MODERATE_POSITIVE, Named, Parameter, SHRINKING};
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Task};

/// What training makes small.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// 1/2 sum_k (a_k - t_k)^2, as in the original library
    SquaredError,
    /// mean_k (a_k - t_k)^2
    Mse,
    /// mean_k |a_k - t_k|; its derivative at 0 is 0
    Mae,
    /// mean_k of 1/2 d^2 where |d| <= delta, else delta (|d| - delta / 2), with d = a_k - t_k (Huber, 1964)
    Huber {
        /// Where the square turns into a line.
        delta: f64,
    },
    /// mean_k ln cosh(a_k - t_k)
    LogCosh,
    /// -sum_k t'_k ln softmax(z)_k with t' = (1 - s) t + s / K
    CrossEntropy {
        /// s: how much of the targets is spread over all classes (Szegedy et al., 2016).
        label_smoothing: f64,
    },
    /// mean_k of -p t_k ln sigmoid(z_k) - (1 - t_k) ln(1 - sigmoid(z_k))
    BinaryCrossEntropy {
        /// p: how much a positive target counts.
        positive_weight: f64,
    },
    /// mean_k of a_k - t_k ln(a_k + 1e-8)
    Poisson,
    /// mean_k max(0, 1 - t_k a_k), for targets -1 and 1; its derivative where 1 = t_k a_k is 0
    Hinge,
    /// mean_k of q d where d > 0, else (q - 1) d, with d = t_k - a_k (Koenker and Bassett, 1978)
    Quantile {
        /// q: the quantile that is learnt.
        level: f64,
    },
    /// sum_k g_k a_k, where the targets g are the gradient of a loss of the user's own with respect to the outputs. No
    /// network has it: a step takes it in place of its network's loss.
    Given {
        /// Whether the outputs are those of softmax, whose derivative mixes them.
        through_softmax: bool,
    },
}

/// What the outputs of a network are, which its loss decides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Probabilities of classes, one of which is right.
    Classes,
    /// Answers, each output one of its own: the nearer of no and yes.
    Labels {
        /// The target that says no.
        no: f64,
        /// The target that says yes.
        yes: f64,
    },
    /// Numbers.
    Numbers,
}

/// What a target has to be, in words and as a test.
pub type TargetRule = (&'static str, fn(f64) -> bool);

use Loss::*;

/// Keeps the logarithm of `Poisson` finite at 0.
const POISSON_EPSILON: f64 = 1e-8;

impl Named for Loss {
    const ALL: &'static [(&'static str, Self)] = &[
        ("squaredError", SquaredError),
        ("mse", Mse),
        ("mae", Mae),
        ("huber", Huber { delta: 1.0 }),
        ("logCosh", LogCosh),
        ("crossEntropy", CrossEntropy { label_smoothing: 0.0 }),
        ("binaryCrossEntropy", BinaryCrossEntropy { positive_weight: 1.0 }),
        ("poisson", Poisson),
        ("hinge", Hinge),
        ("quantile", Quantile { level: 0.5 }),
    ];

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        match self {
            Huber { delta } => vec![("delta", MODERATE_POSITIVE, delta)],
            CrossEntropy { label_smoothing } => vec![("labelSmoothing", BELOW_ONE, label_smoothing)],
            BinaryCrossEntropy { positive_weight } => {
                vec![("positiveWeight", MODERATE_POSITIVE, positive_weight)]
            }
            Quantile { level } => vec![("level", SHRINKING, level)],
            _ => Vec::new(),
        }
    }
}

impl Loss {
    /// What the outputs are.
    pub fn kind(self) -> Kind {
        match self {
            CrossEntropy { .. } => Kind::Classes,
            BinaryCrossEntropy { .. } => Kind::Labels { no: 0.0, yes: 1.0 },
            Hinge => Kind::Labels { no: -1.0, yes: 1.0 },
            SquaredError | Mse | Mae | Huber { .. } | LogCosh | Poisson | Quantile { .. } | Given { .. } => {
                Kind::Numbers
            }
        }
    }

    /// What each target has to be, where the loss is not defined for every number.
    pub fn target_rule(self) -> Option<TargetRule> {
        match self {
            CrossEntropy { .. } => Some(("a probability from 0 to 1", |t| (0.0..=1.0).contains(&t))),
            BinaryCrossEntropy { .. } => Some(("a number from 0 to 1", |t| (0.0..=1.0).contains(&t))),
            Poisson => Some(("a number of at least 0", |t| t >= 0.0)),
            Hinge => Some(("-1 or 1", |t| t == -1.0 || t == 1.0)),
            SquaredError | Mse | Mae | Huber { .. } | LogCosh | Quantile { .. } | Given { .. } => None,
        }
    }

    /// The loss that a network with this activation of its outputs was most likely trained with.
    pub fn usual_for(outputs: Activation) -> Self {
        match outputs {
            Activation::Softmax => CrossEntropy { label_smoothing: 0.0 },
            Activation::Sigmoid => BinaryCrossEntropy { positive_weight: 1.0 },
            _ => Mse,
        }
    }

    /// The activation of the output layer that fits.
    pub fn output_activation(self) -> Activation {
        match self {
            CrossEntropy { .. } => Activation::Softmax,
            BinaryCrossEntropy { .. } => Activation::Sigmoid,
            Poisson => Activation::Softplus,
            _ => Activation::Linear,
        }
    }

    /// The loss of each of L interleaved rows: z, a and t are `[outputs][L]`.
    #[inline(always)]
    pub fn value<I: Isa, T: Real, const L: usize>(self, z: &[[T; L]], a: &[[T; L]], t: &[[T; L]]) -> [T; L] {
        let c = T::from_f64;
        let half = c(0.5);
        let count = c(z.len() as f64);
        let mean = |sums: [T; L]| each(sums, |sum| sum / count);
        match self {
            SquaredError => each(sum(a, t, |a, t| (a - t) * (a - t)), |sum| half * sum),
            Given { .. } => sum(a, t, |a, g| g * a),
            CrossEntropy { label_smoothing } => {
                // ln sum_k e^(z_k - largest) is -ln a of the largest: softmax has taken the sum already.
                let (z_top, a_top) = (largest(z), largest(a));
                let log_sum = each(a_top, |a| -a.ln::<I>());
                let smoothed = smoothing(label_smoothing, z.len());
                let mut sum = [T::ZERO; L];
                for (z, t) in z.iter().zip(t) {
                    for l in 0..L {
                        // Finite, however far apart they are: no part of it is 0 times infinity.
                        sum[l] += smoothed(t[l]) * (log_sum[l] - (z[l] - z_top[l]).held_finite());
                    }
                    apart::<L>();
                }
                sum
            }
            BinaryCrossEntropy { positive_weight } => mean(sum(z, t, |z, t| {
                let softplus = softplus::<I, T>(-z);
                (T::ONE - t) * z + (T::ONE + (c(positive_weight) - T::ONE) * t) * softplus
            })),
            Mse => mean(sum(a, t, |a, t| (a - t) * (a - t))),
            Mae => mean(sum(a, t, |a, t| (a - t).abs())),
            Huber { delta } => mean(sum(a, t, |a, t| {
                let (d, delta) = ((a - t).abs(), c(delta));
                if d <= delta {
                    half * d * d
                } else {
                    delta * (d - half * delta)
                }
            })),
            // ln cosh d = |d| + ln(1 + e^-2|d|) - ln 2
            LogCosh => mean(sum(a, t, |a, t| {
                let d = (a - t).abs();
                d + (c(-2.0) * d).exp::<I>().ln_1p::<I>() - c(std::f64::consts::LN_2)
            })),
            Poisson => mean(sum(a, t, |a, t| {
                (a - t * (a + c(POISSON_EPSILON)).ln::<I>()).held_finite()
            })),
            Hinge => mean(sum(a, t, |a, t| {
                if T::ONE - t * a > T::ZERO {
                    T::ONE - t * a
                } else {
                    T::ZERO
                }
            })),
            Quantile { level } => mean(sum(a, t, |a, t| {
                let d = t - a;
                if d > T::ZERO {
                    c(level) * d
                } else {
                    (c(level) - T::ONE) * d
                }
            })),
        }
    }

    /// [`Self::value`] of a block of rows, with the instructions of this processor, outside a task.
    pub fn values_of_block<T: Real>(
        self,
        z: &[[T; BLOCK]],
        a: &[[T; BLOCK]],
        t: &[[T; BLOCK]],
    ) -> [T; BLOCK] {
        simd::run(Values { loss: self, z, a, t })
    }

    /// Whether it is computed from z, with the activation of the output layer.
    pub fn is_fused(self) -> bool {
        matches!(
            self,
            CrossEntropy { .. }
                | BinaryCrossEntropy { .. }
                | Given {
                    through_softmax: true
                }
        )
    }

    /// dE/dz of each of L interleaved rows, or dE/da where the loss is not [fused](Self::is_fused): z, a, t and d are
    /// `[outputs][L]`.
    #[inline(always)]
    pub fn gradient<I: Isa, T: Real, const L: usize>(
        self,
        z: &[[T; L]],
        a: &[[T; L]],
        t: &[[T; L]],
        d: &mut [[T; L]],
    ) {
        let c = T::from_f64;
        let count = c(z.len() as f64);
        match self {
            CrossEntropy { label_smoothing } => {
                let smoothed = smoothing(label_smoothing, z.len());
                let mut total = [T::ZERO; L];
                for t in t {
                    for l in 0..L {
                        total[l] += smoothed(t[l]);
                    }
                    apart::<L>();
                }
                for ((d, a), t) in d.iter_mut().zip(a).zip(t) {
                    for l in 0..L {
                        d[l] = a[l] * total[l] - smoothed(t[l]);
                    }
                    apart::<L>();
                }
            }
            BinaryCrossEntropy { positive_weight } => {
                for ((d, z), t) in d.iter_mut().zip(z).zip(t) {
                    for l in 0..L {
                        let weight = T::ONE + (c(positive_weight) - T::ONE) * t[l];
                        d[l] = ((T::ONE - t[l]) - weight * (-z[l]).sigmoid::<I>()) / count;
                    }
                }
            }
            // dE/dz_k = a_k (g_k - sum_i g_i a_i)
            Given {
                through_softmax: true,
            } => {
                let mean = sum(a, t, |a, g| g * a);
                for ((d, a), g) in d.iter_mut().zip(a).zip(t) {
                    for l in 0..L {
                        d[l] = a[l] * (g[l] - mean[l]);
                    }
                    apart::<L>();
                }
            }
            _ => {
                for ((d, a), t) in d.iter_mut().zip(a).zip(t) {
                    for l in 0..L {
                        d[l] = self.derivative::<I, T>(a[l], t[l], count);
                    }
                    apart::<L>();
                }
            }
        }
    }

    /// dE/da of one output, for the losses that are sums over outputs.
    #[inline(always)]
    fn derivative<I: Isa, T: Real>(self, a: T, t: T, count: T) -> T {
        let c = T::from_f64;
        let d = a - t;
        match self {
            SquaredError => d,
            Given { .. } => t,
            Mse => c(2.0) * d / count,
            Mae => sign(d) / count,
            Huber { delta } => {
                if d.abs() <= c(delta) {
                    d / count
                } else {
                    c(delta) * sign(d) / count
                }
            }
            LogCosh => d.tanh::<I>() / count,
            Poisson => (T::ONE - t / (a + c(POISSON_EPSILON))) / count,
            Hinge => {
                if T::ONE - t * a > T::ZERO {
                    -t / count
                } else {
                    T::ZERO
                }
            }
            // Where both sides meet, PyTorch's maximum() takes half of each slope.
            Quantile { level } => (c(0.5) - c(level) + c(0.5) * sign(d)) / count,
            CrossEntropy { .. } | BinaryCrossEntropy { .. } => unreachable!("fused with the output layer"),
        }
    }
}

/// Losses of interleaved rows.
struct Values<'a, T> {
    loss: Loss,
    z: &'a [[T; BLOCK]],
    a: &'a [[T; BLOCK]],
    t: &'a [[T; BLOCK]],
}

impl<T: Real> Task for Values<'_, T> {
    type Output = [T; BLOCK];

    #[inline(always)]
    fn run<I: Isa>(self) -> [T; BLOCK] {
        self.loss.value::<I, T, BLOCK>(self.z, self.a, self.t)
    }
}

/// The sum of `term` over the outputs of each row.
#[inline(always)]
fn sum<T: Real, const L: usize>(a: &[[T; L]], t: &[[T; L]], term: impl Fn(T, T) -> T) -> [T; L] {
    let mut sums = [T::ZERO; L];
    for (a, t) in a.iter().zip(t) {
        for l in 0..L {
            sums[l] += term(a[l], t[l]);
        }
    }
    sums
}

/// `f` of each number. Not `map`, which is not compiled for the caller's instruction set.
#[inline(always)]
fn each<T: Real, const L: usize>(mut x: [T; L], f: impl Fn(T) -> T) -> [T; L] {
    for x in &mut x {
        *x = f(*x);
    }
    x
}

/// t' = (1 - s) t + s / K
#[inline(always)]
fn smoothing<T: Real>(s: f64, count: usize) -> impl Fn(T) -> T {
    let (keep, spread) = (T::from_f64(1.0 - s), T::from_f64(s / count as f64));
    move |t| keep * t + spread
}

/// Keeps the compiler from gathering vectors across interleaved rows; a row by itself may become one.
#[inline(always)]
fn apart<const L: usize>() {
    if L > 1 {
        black_box(());
    }
}

/// The largest of L interleaved rows.
#[inline(always)]
fn largest<T: Real, const L: usize>(x: &[[T; L]]) -> [T; L] {
    let mut largest = x[0];
    for x in &x[1..] {
        for l in 0..L {
            largest[l] = if x[l] > largest[l] { x[l] } else { largest[l] };
        }
    }
    largest
}

/// -1, 0 or 1
#[inline(always)]
fn sign<T: Real>(x: T) -> T {
    if x > T::ZERO {
        T::ONE
    } else if x < T::ZERO {
        -T::ONE
    } else {
        T::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::network::activation::{singles, singles_mut, softmax};
    use crate::nn::vector::simd::Portable;
    use serde_json::Value;

    fn of_case(case: &Value) -> Loss {
        let name = case["loss"].as_str().unwrap();
        let (_, loss) = *Loss::ALL.iter().find(|row| row.0 == name).unwrap();
        let option = |key: &str, default: f64| case["options"][key].as_f64().unwrap_or(default);
        match loss {
            Huber { delta } => Huber {
                delta: option("delta", delta),
            },
            Quantile { level } => Quantile {
                level: option("level", level),
            },
            CrossEntropy { .. } => CrossEntropy {
                label_smoothing: option("labelSmoothing", 0.0),
            },
            BinaryCrossEntropy { .. } => BinaryCrossEntropy {
                positive_weight: option("positiveWeight", 1.0),
            },
            _ => loss,
        }
    }

    fn rows(value: &Value) -> Vec<Vec<f64>> {
        serde_json::from_value(value.clone()).unwrap()
    }

    #[test]
    fn values_and_gradients_are_pytorchs() {
        let golden: Value =
            serde_json::from_str(include_str!("../../../__test__/goldens/losses.json")).unwrap();
        let cases = golden["cases"].as_array().unwrap();
        let mut seen = std::collections::BTreeSet::new();
        for case in cases {
            let loss = of_case(case);
            seen.insert(loss.name());
            // The goldens' outputs are those of a linear layer, or the logits of a fused one.
            let activation = match loss.output_activation() {
                fused @ (Activation::Softmax | Activation::Sigmoid) => fused,
                _ => Activation::Linear,
            };
            let (outputs, targets, gradient) = (
                rows(&case["outputs"]),
                rows(&case["targets"]),
                rows(&case["gradient"]),
            );
            let weights: Vec<f64> = case["sampleWeights"]
                .as_array()
                .map(|w| w.iter().map(|w| w.as_f64().unwrap()).collect())
                .unwrap_or_else(|| vec![1.0; outputs.len()]);
            let total: f64 = weights.iter().sum();
            let mut value = 0.0;
            for (i, z) in outputs.iter().enumerate() {
                let mut a = z.clone();
                match activation {
                    Activation::Softmax => softmax::<Portable, f64>(&mut a, z.len()),
                    _ => activation.apply::<Portable, f64>(z, &mut a),
                }
                let t = singles(&targets[i]);
                let [own] = loss.value::<Portable, f64, 1>(singles(z), singles(&a), t);
                value += weights[i] / total * own;
                let mut dz = vec![0.0; z.len()];
                loss.gradient::<Portable, f64, 1>(singles(z), singles(&a), t, singles_mut(&mut dz));
                if !loss.is_fused() {
                    activation.backward::<Portable, f64>(z, &a, &mut dz);
                }
                for (dz, &exact) in dz.iter().zip(&gradient[i]) {
                    let dz = dz * weights[i] / total;
                    assert!(
                        (dz - exact).abs() <= 1e-13 * exact.abs() + 1e-15,
                        "{loss:?}: {dz}, not {exact}"
                    );
                }
            }
            let exact = case["value"].as_f64().unwrap();
            assert!(
                (value - exact).abs() <= 1e-13 * exact.abs(),
                "{loss:?}: {value}, not {exact}"
            );
        }
        assert_eq!(seen.len(), Loss::ALL.len());
    }

    #[test]
    fn single_precision_stays_finite_at_huge_logits() {
        let loss = CrossEntropy { label_smoothing: 0.0 };
        let z = [1e4f32, -1e4, 0.0];
        let mut a = z;
        softmax::<Portable, f32>(&mut a, z.len());
        let value = |loss: Loss, z, a, t| loss.value::<Portable, f32, 1>(singles(z), singles(a), singles(t));
        assert_eq!(value(loss, &z, &a, &[0.0, 1.0, 0.0]), [2e4]);
        let loss = BinaryCrossEntropy { positive_weight: 1.0 };
        assert_eq!(value(loss, &[-1e4], &[0.0], &[1.0]), [1e4]);
        assert_eq!(value(loss, &[1e4], &[1.0], &[1.0]), [0.0]);
    }
}
