//! The inner loops. Shapes: `x[inputs]`, `w[inputs][units]` (row-major), `z[units]`.
//!
//! Plain loops over exact slices: inlined into a [`crate::nn::vector::simd::Task`], they become vector code.

use std::hint::black_box;

use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Task};

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

/// `z = b + x w` of L interleaved examples: `x[inputs][L]`, `z[units][L]`; whether all are finite. The sums of some units
/// at a time stay in registers.
#[inline(always)]
pub fn affine_side_by_side<I: Isa, T: Real, const L: usize>(
    x: &[[T; L]],
    w: &[T],
    b: &[T],
    z: &mut [[T; L]],
) -> bool {
    let (units, mut finite) = (z.len(), true);
    assert!(w.len() == x.len() * units && b.len() == units);
    few_at_a_time!(units, unit, COUNT => {
        let mut sums = [[T::ZERO; L]; COUNT];
        let b: &[T; COUNT] = at(b, unit);
        for (sums, &b) in sums.iter_mut().zip(b) {
            *sums = [b; L];
        }
        let mut w = w;
        for x in x {
            let row;
            (row, w) = w.split_at(units);
            let row: &[T; COUNT] = at(row, unit);
            for (sums, &w) in sums.iter_mut().zip(row) {
                for l in 0..L {
                    sums[l] = I::mul_add(x[l], w, sums[l]);
                }
            }
        }
        finite &= all_finite(sums.as_flattened());
        *at_mut(z, unit) = sums;
    });
    finite
}

/// Runs the body for the places from 0 to `$count`, four at a time, then one at a time: in it `$at` is the first place and
/// `$few` how many, a constant. What one such loop stores, another loads again in one piece: to collect it from narrower
/// stores would take longer.
macro_rules! few_at_a_time {
    ($count:expr, $at:ident, $few:ident => $body:expr) => {{
        let (count, mut $at) = ($count, 0);
        while $at < count {
            if count - $at >= 4 {
                const $few: usize = 4;
                $body;
                $at += $few;
            } else {
                const $few: usize = 1;
                $body;
                $at += $few;
            }
        }
    }};
}
pub(crate) use few_at_a_time;

/// W numbers from `start` on.
#[inline(always)]
pub fn at<T, const W: usize>(numbers: &[T], start: usize) -> &[T; W] {
    numbers[start..].first_chunk().expect("is long enough")
}

/// The same to be changed.
#[inline(always)]
pub fn at_mut<T, const W: usize>(numbers: &mut [T], start: usize) -> &mut [T; W] {
    numbers[start..].first_chunk_mut().expect("is long enough")
}

/// Puts a row into place l of interleaved rows.
#[inline(always)]
pub fn set<T: Copy, const L: usize>(side_by_side: &mut [[T; L]], l: usize, row: &[T]) {
    for (place, &x) in side_by_side.iter_mut().zip(row) {
        place[l] = x;
        // No vectors: to scatter one takes longer.
        black_box(());
    }
}

/// `z = b + x w`, each sum in the order of the inputs.
///
/// As many units at a time as eight registers hold: their sums stay there, while the weights stream by.
#[inline(always)]
pub fn affine<I: Isa, T: Real>(x: &[T], w: &[T], b: &[T], z: &mut [T]) {
    let (units, mut start) = (z.len(), 0);
    assert!(w.len() == x.len() * units && b.len() == units);
    let most = 8 * I::REGISTER / size_of::<T>();
    while start < units {
        let left = units - start;
        start += match left {
            128.. if most == 128 => affine_columns::<I, T, 128>(x, w, b, z, start),
            64.. if most >= 64 => affine_columns::<I, T, 64>(x, w, b, z, start),
            32.. if most >= 32 => affine_columns::<I, T, 32>(x, w, b, z, start),
            16.. => affine_columns::<I, T, 16>(x, w, b, z, start),
            8.. => affine_columns::<I, T, 8>(x, w, b, z, start),
            // The last ones along with some that are there already.
            2.. if units >= 8 => affine_columns::<I, T, 8>(x, w, b, z, units - 8).min(left),
            4.. => affine_columns::<I, T, 4>(x, w, b, z, start),
            _ => affine_columns::<I, T, 1>(x, w, b, z, start),
        };
    }
}

/// W units from `start` on.
#[inline(always)]
fn affine_columns<I: Isa, T: Real, const W: usize>(
    x: &[T],
    mut w: &[T],
    b: &[T],
    z: &mut [T],
    start: usize,
) -> usize {
    let units = z.len();
    let mut sums: [T; W] = *at(b, start);
    for &x in x {
        let row;
        (row, w) = w.split_at(units);
        let row: &[T; W] = at(row, start);
        for j in 0..W {
            sums[j] = I::mul_add(x, row[j], sums[j]);
        }
    }
    *at_mut(z, start) = sums;
    W
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
