//! Normalization of weighted sums: n = (z - mean) / sqrt(variance + epsilon), y = gamma n + beta.
//!
//! PyTorch's definitions: the variance that divides is the biased one, the running variance is made of the
//! unbiased one, with a momentum of 0.1.

use crate::nn::vector::kernels::max_abs;
use crate::nn::vector::real::Real;

/// Keeps the divisor above 0.
pub const EPSILON: f64 = 1e-5;
/// How much a batch counts in the running statistics.
pub const MOMENTUM: f64 = 0.1;

/// 1 / sqrt(variance + epsilon)
#[inline(always)]
pub fn inverse_deviation<T: Real>(variance: T) -> T {
    T::ONE / (variance + T::from_f64(EPSILON)).sqrt()
}

/// n of a row, from its own mean and biased variance; returns the inverse deviation.
///
/// A row of huge numbers is scaled down first: its squares would overflow.
#[inline(always)]
pub fn standardize<T: Real>(z: &[T], n: &mut [T]) -> T {
    let largest = max_abs(z);
    let scale = if largest > T::HUGE {
        T::ONE / largest
    } else {
        T::ONE
    };
    let count = T::from_f64(z.len() as f64);
    let mean = z.iter().fold(T::ZERO, |sum, &z| sum + z * scale) / count;
    let square = |z: T| (z * scale - mean) * (z * scale - mean);
    let variance = z.iter().fold(T::ZERO, |sum, &z| sum + square(z)) / count;
    let inverse = T::ONE / (variance + T::from_f64(EPSILON) * scale * scale).sqrt();
    // Equal numbers have no deviation, and scaled down their epsilon may vanish.
    let inverse = if inverse.is_finite() { inverse } else { T::ZERO };
    for (n, &z) in n.iter_mut().zip(z) {
        *n = (z * scale - mean) * inverse;
    }
    inverse * scale
}

/// dz of a group of numbers that were normalized together, in place of `dn`:
/// dz = (dn - mean(dn) - n mean(dn n)) * inverse deviation.
///
/// The group is every `stride`-th number of `dn` and `n`.
#[inline(always)]
pub fn backward<T: Real>(dn: &mut [T], n: &[T], stride: usize, inverse_deviation: T) {
    let count = T::from_f64(n.len().div_ceil(stride) as f64);
    let (mut mean, mut mean_n) = (T::ZERO, T::ZERO);
    for (&dn, &n) in dn.iter().zip(n).step_by(stride) {
        mean += dn;
        mean_n += dn * n;
    }
    (mean, mean_n) = (mean / count, mean_n / count);
    for (dn, &n) in dn.iter_mut().zip(n).step_by(stride) {
        *dn = (*dn - mean - n * mean_n) * inverse_deviation;
    }
}
