//! The one pass over the parameters that a step is.

use std::ops::Range;

use crate::nn::host::team::Shared;
use crate::nn::vector::memory::whole_lines;
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Task};

/// What is remembered of some parameters: their part of each buffer.
pub struct Memory<'a, T> {
    /// Buffers of a number for each parameter, each from the beginning of a line of the cache.
    all: Shared<'a, T>,
    parameter_count: usize,
    range: Range<usize>,
}

impl<'a, T: Real> Memory<'a, T> {
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
    pub(crate) fn buffers<const S: usize>(&mut self) -> [&mut [T]; S] {
        std::array::from_fn(|k| {
            let start = k * whole_lines::<T>(self.parameter_count);
            // SAFETY: nobody else has this range, as `new` was promised, and buffers do not overlap.
            unsafe { self.all.write(start + self.range.start..start + self.range.end) }
        })
    }
}

/// The gradients of some parameters: `x[i] dz[j]`, one after the other.
pub struct Gradients<'a, T> {
    /// What a layer read, where these are the gradients of its weights from one example; the one number 1 where they are
    /// at hand.
    pub x: &'a [T],
    /// The gradients of the layer's weighted sums.
    pub dz: &'a [T],
    /// The example that comes next, whose first sums are computed while the weights are at hand: what the layer will
    /// read, and its weighted sums, to which the products with the moved weights are added.
    pub next: Option<(&'a [T], &'a mut [T])>,
}

impl<'a, T: Real> Gradients<'a, T> {
    /// Gradients that are at hand.
    pub fn new(gradients: &'a [T]) -> Self {
        Gradients {
            x: T::ONE_ALONE,
            dz: gradients,
            next: None,
        }
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
    gradients: Gradients<T>,
    mut memory: Memory<T>,
) {
    let count = gradients.x.len() * gradients.dz.len();
    assert!(params.len() == count && memory.range.len() == count);
    let buffers = memory.buffers();
    simd::run(Sweep::<_, _, S> {
        rule,
        params,
        gradients,
        buffers,
    });
}

struct Sweep<'a, R, T, const S: usize> {
    rule: R,
    params: &'a mut [T],
    gradients: Gradients<'a, T>,
    buffers: [&'a mut [T]; S],
}

impl<R: Rule<T, S>, T: Real, const S: usize> Task for Sweep<'_, R, T, S> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self) {
        let (mut start, units) = (0, self.gradients.dz.len());
        while start < units {
            start += match units - start {
                64.. if I::WIDE => self.columns::<I, 64>(start),
                // With nothing remembered there are registers for more.
                32.. if I::REGISTER == 32 && size_of::<T>() == 4 && S == 0 => self.columns::<I, 32>(start),
                16.. if I::REGISTER == 32 => self.columns::<I, 16>(start),
                8.. => self.columns::<I, 8>(start),
                _ => self.columns::<I, 1>(start),
            };
        }
    }
}

impl<R: Rule<T, S>, T: Real, const S: usize> Sweep<'_, R, T, S> {
    /// Moves the weights of W units from `start` on, input by input, while what belongs to the units stays in registers.
    #[inline(always)]
    fn columns<I: Isa, const W: usize>(&mut self, start: usize) -> usize {
        let (x, units) = (self.gradients.x, self.gradients.dz.len());
        let dz: [T; W] = *part(self.gradients.dz, start);
        let next = self.gradients.next.as_ref();
        let (next, mut z) = next.map_or((None, [T::ZERO; W]), |(next, z)| (Some(*next), *part(z, start)));
        for (i, &x) in x.iter().enumerate() {
            let moved = self.row::<I, W>(i * units + start, x, &dz);
            if let Some(next) = next {
                for j in 0..W {
                    z[j] = I::mul_add(next[i], moved[j], z[j]);
                }
            }
        }
        if let Some((_, sums)) = &mut self.gradients.next {
            *part_mut(sums, start) = z;
        }
        W
    }

    /// Moves W weights of one input, and returns them.
    #[inline(always)]
    fn row<I: Isa, const W: usize>(&mut self, start: usize, x: T, dz: &[T; W]) -> [T; W] {
        let mut params: [T; W] = *part(self.params, start);
        let mut memory: [[T; W]; S] = std::array::from_fn(|k| *part(self.buffers[k], start));
        for j in 0..W {
            let s = std::array::from_fn(|k| memory[k][j]);
            let (p, s) = self.rule.apply::<I>(params[j], x * dz[j], s);
            params[j] = p;
            for (memory, s) in memory.iter_mut().zip(s) {
                memory[j] = s;
            }
        }
        *part_mut(self.params, start) = params;
        for (buffer, memory) in self.buffers.iter_mut().zip(memory) {
            *part_mut(buffer, start) = memory;
        }
        params
    }
}

/// W numbers from `start` on.
#[inline(always)]
fn part<T, const W: usize>(numbers: &[T], start: usize) -> &[T; W] {
    numbers[start..].first_chunk().expect("is long enough")
}

/// The same to be changed.
#[inline(always)]
fn part_mut<T, const W: usize>(numbers: &mut [T], start: usize) -> &mut [T; W] {
    numbers[start..].first_chunk_mut().expect("is long enough")
}

/// What several rules use.
pub mod arithmetic {
    use crate::nn::vector::real::Real;
    use crate::nn::vector::simd::Isa;

    /// `g + lambda p`: weight decay as the gradient of `lambda / 2 p^2`.
    #[inline(always)]
    pub fn decayed<I: Isa, T: Real>(g: T, lambda: T, p: T) -> T {
        I::mul_add(lambda, p, g)
    }

    /// `beta mean + (1 - beta) x`: the moving average one step on; `rest` is 1 - beta.
    #[inline(always)]
    pub fn moved<I: Isa, T: Real>(mean: T, beta: T, x: T, rest: T) -> T {
        settled(I::mul_add(beta, mean, rest * x))
    }

    /// 0 instead of a subnormal number. Where no gradient comes any more, as of a dead neuron, an average sinks to the
    /// smallest of them and stays, and to divide those is slow on some processors.
    #[inline(always)]
    pub fn settled<T: Real>(x: T) -> T {
        if x.abs() < T::LEAST_NORMAL { T::ZERO } else { x }
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
