//! The inner loops. Shapes: `x[inputs]`, `w[inputs][units]` (row-major), `z[units]`.
//!
//! Plain loops over exact slices: inlined into a [`super::simd::Task`], they become vector code.

use super::real::Real;
use super::simd::{self, Isa, Task};

/// How many partial sums a reduction keeps: one 512-bit register of `f64`.
pub const LANES: usize = 8;

/// The weighted sum of one neuron: `b + sum_i x[i] w[i][unit]`.
#[inline(always)]
pub fn affine_unit<I: Isa, T: Real>(x: &[T], w: &[T], b: &[T], unit: usize) -> T {
    let weights = w[unit..].iter().step_by(b.len());
    x.iter()
        .zip(weights)
        .fold(b[unit], |sum, (&x, &w)| I::mul_add(x, w, sum))
}

/// `z = b + x w`, each sum in the order of the inputs.
///
/// Four rows at a time, so that `z` is loaded and stored once for four multiply-adds.
#[inline(always)]
pub fn affine<I: Isa, T: Real>(x: &[T], mut w: &[T], b: &[T], z: &mut [T]) {
    let units = z.len();
    assert!(w.len() == x.len() * units && b.len() == units);
    z.copy_from_slice(b);
    let x4 = x.chunks_exact(4);
    let rest = x4.remainder();
    for x in x4 {
        let (w0, w1, w2, w3);
        (w0, w) = w.split_at(units);
        (w1, w) = w.split_at(units);
        (w2, w) = w.split_at(units);
        (w3, w) = w.split_at(units);
        // Copied first: a store to `z` might change them otherwise, for all that the compiler knows.
        let (x0, x1, x2, x3) = (x[0], x[1], x[2], x[3]);
        for j in 0..units {
            let sum = I::mul_add(x1, w1[j], I::mul_add(x0, w0[j], z[j]));
            z[j] = I::mul_add(x3, w3[j], I::mul_add(x2, w2[j], sum));
        }
    }
    for &x in rest {
        let row;
        (row, w) = w.split_at(units);
        for j in 0..units {
            z[j] = I::mul_add(x, row[j], z[j]);
        }
    }
}

/// `w += x^T step`: the outer product of what a layer read and how far each neuron moves.
#[inline(always)]
pub fn add_outer_product<I: Isa, T: Real>(x: &[T], step: &[T], mut w: &mut [T]) {
    for &x in x {
        let row;
        (row, w) = w.split_at_mut(step.len());
        for j in 0..step.len() {
            row[j] = I::mul_add(x, step[j], row[j]);
        }
    }
}

/// `sum_k delta[k] (w[k] + x step[k])`: the product with a row of weights as [`add_outer_product`] will
/// leave it, to the bit, without writing it.
#[inline(always)]
pub fn updated_dot<I: Isa, T: Real>(delta: &[T], w: &[T], x: T, step: &[T]) -> T {
    assert!(w.len() == delta.len() && step.len() == delta.len());
    let term = |sum, k: usize, delta: &[T], w: &[T], step: &[T]| {
        I::mul_add(delta[k], I::mul_add(x, step[k], w[k]), sum)
    };
    let mut sums = [T::ZERO; LANES];
    let whole = delta.len() / LANES * LANES;
    for at in (0..whole).step_by(LANES) {
        let (delta, w, step) = (&delta[at..][..LANES], &w[at..][..LANES], &step[at..][..LANES]);
        for (k, sum) in sums.iter_mut().enumerate() {
            *sum = term(*sum, k, delta, w, step);
        }
    }
    // Without a whole register's worth there is nothing to add up.
    let start = if whole > 0 {
        sums.into_iter().fold(T::ZERO, |sum, lane| sum + lane)
    } else {
        T::ZERO
    };
    (whole..delta.len()).fold(start, |sum, k| term(sum, k, delta, w, step))
}

/// `sum_k a[k] b[k]`, in 16 partial sums.
#[inline(always)]
pub fn dot<I: Isa, T: Real>(a: &[T], b: &[T]) -> T {
    const WIDTH: usize = 2 * LANES;
    assert_eq!(a.len(), b.len());
    let mut sums = [T::ZERO; WIDTH];
    let (a_blocks, b_blocks) = (a.chunks_exact(WIDTH), b.chunks_exact(WIDTH));
    let (a_rest, b_rest) = (a_blocks.remainder(), b_blocks.remainder());
    for (a, b) in a_blocks.zip(b_blocks) {
        for (k, sum) in sums.iter_mut().enumerate() {
            *sum = I::mul_add(a[k], b[k], *sum);
        }
    }
    let start = sums.into_iter().fold(T::ZERO, |sum, lane| sum + lane);
    a_rest
        .iter()
        .zip(b_rest)
        .fold(start, |sum, (&a, &b)| I::mul_add(a, b, sum))
}

/// Whether every number is neither NaN nor infinite.
#[inline(always)]
pub fn all_finite<T: Real>(x: &[T]) -> bool {
    x.iter().fold(true, |finite, x| finite & x.is_finite())
}

/// [`all_finite`] of many numbers, outside a task.
pub fn are_finite<T: Real>(x: &[T]) -> bool {
    struct AllFinite<'a, T>(&'a [T]);
    impl<T: Real> Task for AllFinite<'_, T> {
        type Output = bool;

        #[inline(always)]
        fn run<I: Isa>(self) -> bool {
            all_finite(self.0)
        }
    }
    simd::run(AllFinite(x))
}

/// max |x|, of finite numbers.
#[inline(always)]
pub fn max_abs<T: Real>(x: &[T]) -> T {
    x.iter()
        .fold(T::ZERO, |max, x| if x.abs() > max { x.abs() } else { max })
}
