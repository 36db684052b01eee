//! The one pass over the parameters that a step is.

use std::ops::Range;

use crate::nn::real::Real;
use crate::nn::simd::{self, Isa, Task};
use crate::nn::team::Shared;

/// What is remembered of some parameters: their part of each buffer.
pub struct Memory<'a, T> {
    /// Buffers of a number for each parameter, one behind the other.
    all: Shared<'a, T>,
    parameter_count: usize,
    range: Range<usize>,
}

impl<'a, T> Memory<'a, T> {
    /// That of the parameters in `range`.
    ///
    /// # Safety
    /// As long as it lives, nobody else may have that of any of them.
    pub unsafe fn new(all: Shared<'a, T>, parameter_count: usize, range: Range<usize>) -> Self {
        assert!(range.end <= parameter_count);
        Memory {
            all,
            parameter_count,
            range,
        }
    }

    /// S buffers.
    pub(super) fn buffers<const S: usize>(&mut self) -> [&mut [T]; S] {
        std::array::from_fn(|k| {
            let start = k * self.parameter_count;
            // SAFETY: nobody else has this range, as `new` was promised, and buffers do not overlap.
            unsafe { self.all.write(start + self.range.start..start + self.range.end) }
        })
    }
}

/// What one step does to one parameter, with every constant of the step computed beforehand.
/// `S` numbers are remembered for each parameter.
pub trait Rule<T: Real, const S: usize>: Copy {
    /// The parameter and its memory after the step, from the parameter `p`, its gradient `g` and memory `s`.
    fn apply<I: Isa>(self, p: T, g: T, s: [T; S]) -> (T, [T; S]);
}

/// Applies `rule` to every parameter.
///
/// # Panics
/// Where the lengths do not fit.
pub fn sweep<T: Real, const S: usize>(
    rule: impl Rule<T, S>,
    params: &mut [T],
    gradients: &[T],
    mut memory: Memory<T>,
) {
    assert!(gradients.len() == params.len() && memory.range.len() == params.len());
    simd::run(Sweep::<_, _, S> {
        rule,
        params,
        gradients,
        buffers: memory.buffers(),
    });
}

struct Sweep<'a, R, T, const S: usize> {
    rule: R,
    params: &'a mut [T],
    gradients: &'a [T],
    buffers: [&'a mut [T]; S],
}

impl<R: Rule<T, S>, T: Real, const S: usize> Task for Sweep<'_, R, T, S> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let (count, mut buffers) = (self.params.len(), self.buffers);
        // Lengths that the compiler sees to be equal: the loop has no bounds left to check.
        let (params, gradients) = (&mut self.params[..count], &self.gradients[..count]);
        for buffer in &mut buffers {
            *buffer = &mut std::mem::take(buffer)[..count];
        }
        for i in 0..count {
            let s = std::array::from_fn(|k| buffers[k][i]);
            let (p, s) = self.rule.apply::<I>(params[i], gradients[i], s);
            params[i] = p;
            for (buffer, s) in buffers.iter_mut().zip(s) {
                buffer[i] = s;
            }
        }
    }
}

/// What several rules use.
pub mod arithmetic {
    use crate::nn::real::Real;
    use crate::nn::simd::Isa;

    /// `g + lambda p`: weight decay as the gradient of `lambda / 2 p^2`.
    #[inline(always)]
    pub fn decayed<I: Isa, T: Real>(g: T, lambda: T, p: T) -> T {
        I::mul_add(lambda, p, g)
    }

    /// `beta mean + (1 - beta) x`: the moving average one step on; `rest` is 1 - beta.
    #[inline(always)]
    pub fn moved<I: Isa, T: Real>(mean: T, beta: T, x: T, rest: T) -> T {
        I::mul_add(beta, mean, rest * x)
    }

    /// -1, 0 or 1
    #[inline(always)]
    pub fn sign<T: Real>(x: T) -> T {
        let positive = if x > T::ZERO { T::ONE } else { T::ZERO };
        let negative = if x < T::ZERO { T::ONE } else { T::ZERO };
        positive - negative
    }

    /// The larger one.
    #[inline(always)]
    pub fn max<T: Real>(a: T, b: T) -> T {
        if a > b { a } else { b }
    }
}
