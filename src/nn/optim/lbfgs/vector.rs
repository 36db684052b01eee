//! Sums over whole vectors, in double precision whatever the vectors have.

use crate::nn::vector::kernels::LANES;
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Task};

/// a . b
pub fn dot<T: Real>(a: &[T], b: &[T]) -> f64 {
    simd::run(Dot { a, b })
}

/// `z = x + t d`
pub fn along<T: Real>(x: &[T], t: f64, d: &[T], z: &mut [T]) {
    z.copy_from_slice(x);
    add(t, d, z);
}

/// `z += t d`
pub fn add<T: Real>(t: f64, d: &[T], z: &mut [T]) {
    simd::run(Add { t, d, z });
}

/// max |x|
pub fn max_abs<T: Real>(x: &[T]) -> f64 {
    x.iter().fold(0.0, |max, x| x.to_f64().abs().max(max))
}

/// sum |x|
pub fn sum_abs<T: Real>(x: &[T]) -> f64 {
    x.iter().map(|x| x.to_f64().abs()).sum()
}

struct Dot<'a, T> {
    a: &'a [T],
    b: &'a [T],
}

impl<T: Real> Task for Dot<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        let term = |sum: f64, a: T, b: T| I::mul_add(a.to_f64(), b.to_f64(), sum);
        let (a, b) = (self.a.chunks_exact(LANES), self.b.chunks_exact(LANES));
        let rest = a.remainder().iter().zip(b.remainder());
        let rest = rest.fold(0.0, |sum, (&a, &b)| term(sum, a, b));
        let mut sums = [0.0; LANES];
        for (a, b) in a.zip(b) {
            for (k, sum) in sums.iter_mut().enumerate() {
                *sum = term(*sum, a[k], b[k]);
            }
        }
        sums.into_iter().fold(rest, |sum, lane| sum + lane)
    }
}

struct Add<'a, T> {
    t: f64,
    d: &'a [T],
    z: &'a mut [T],
}

impl<T: Real> Task for Add<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (z, d) in self.z.iter_mut().zip(self.d) {
            *z = T::from_f64(I::mul_add(self.t, d.to_f64(), z.to_f64()));
        }
    }
}
