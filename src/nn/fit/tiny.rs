//! Steps of plain gradient descent of the smallest networks (see [`crate::nn::tiny`]), by one to four rows each.

#![allow(
    clippy::needless_range_loop,
    reason = "one index for several arrays, as in the formulas"
)]

use std::hint::black_box;

use crate::nn::optimizer::{Descend, Rule};
use crate::nn::real::Real;
use crate::nn::simd::{self, Isa, Task};
use crate::nn::tiny::{Functions, MOST_ROWS, Tiny, backward};

use super::losses::Losses;
use super::trainer::{LossSum, Work, scale};

/// How many steps are taken before somebody asks whether to stop.
const STRETCH: usize = 1024;

/// Takes a step by each `batch` of the rows, and gives their losses; of as many of the first batches as it can, which may
/// be none, and says how many.
pub fn steps<T: Real>(
    functions: Functions,
    work: Work<T>,
    batch: usize,
    values: &mut [T],
    rule: Descend<T>,
    losses: &mut Losses<T>,
) -> (usize, LossSum) {
    if !functions.has_steps(batch) {
        return (0, LossSum::default());
    }
    simd::run(Steps {
        functions,
        work,
        batch,
        values,
        rule,
        losses,
    })
}

struct Steps<'a, T> {
    functions: Functions,
    work: Work<'a, T>,
    batch: usize,
    values: &'a mut [T],
    rule: Descend<T>,
    losses: &'a mut Losses<T>,
}

impl<T: Real> Task for Steps<'_, T> {
    const WIDENS: bool = false;
    type Output = (usize, LossSum);

    #[inline(always)]
    fn run<I: Isa>(self) -> Self::Output {
        // Each is some 15 KB of code in each precision.
        match self.functions.units {
            // So old a processor is not worth it.
            _ if I::REGISTER == 16 => (0, LossSum::default()),
            (2, 1) => self.rows::<I, 2, 1>(),
            (3, 1) => self.rows::<I, 3, 1>(),
            (4, 1) => self.rows::<I, 4, 1>(),
            (2, 2) => self.rows::<I, 2, 2>(),
            _ => (0, LossSum::default()),
        }
    }
}

impl<T: Real> Steps<'_, T> {
    #[inline(always)]
    fn rows<I: Isa, const H: usize, const O: usize>(self) -> (usize, LossSum) {
        if self.batch == 1 {
            self.all::<I, H, O, 1>()
        } else {
            self.all::<I, H, O, MOST_ROWS>()
        }
    }

    #[inline(always)]
    fn all<I: Isa, const H: usize, const O: usize, const L: usize>(self) -> (usize, LossSum) {
        let Work { data, rows, .. } = self.work;
        let rule = self.rule;
        let (mut done, mut weight) = (0, 0.0);
        let losses = self.losses;
        let (w1, mut tiny) = Tiny::<T, H, O>::load(self.values, data.width);
        let mut begun = None;
        for numbers in rows.chunks(self.batch) {
            if done % STRETCH == STRETCH - 1 && (self.work.is_stopped)() {
                break;
            }
            // Or there would be a loop for each combination of functions.
            let functions = black_box(self.functions);
            let total = data.weight_of(numbers);
            // Places that are left over repeat the last row and count nothing.
            let mut starts = [0; L];
            let mut weights = [T::ZERO; L];
            for l in 0..L {
                let row = numbers[l.min(numbers.len() - 1)] as usize;
                starts[l] = row;
                if l < numbers.len() {
                    weights[l] = data.weight(row);
                }
            }
            let mut inputs: [&[T]; L] = [&[]; L];
            let mut t = [[T::ZERO; L]; O];
            for l in 0..L {
                inputs[l] = &data.inputs(starts[l])[..w1.len()];
                let targets: &[T; O] = data.targets(starts[l]).first_chunk().expect("has a target each");
                for k in 0..O {
                    t[k][l] = targets[k];
                }
            }
            let x = |i: usize| {
                let mut x = [T::ZERO; L];
                for l in 0..L {
                    x[l] = inputs[l][i];
                }
                x
            };
            let z1 = begun.unwrap_or_else(|| tiny.hidden_sums::<I, L>(w1, x));
            let pass = tiny.forward::<I, L>(functions, z1);
            if !pass.is_finite {
                break;
            }
            let scale = scale::<T>(total);
            let mut shares = weights;
            for share in &mut shares {
                *share *= scale;
            }
            let dz2 = pass.output_gradient::<I>(functions, &t, shares);
            let slopes = pass.slopes::<I>(functions, &tiny.w2);
            let dz1 = backward::<I, T, H, O, L>(&slopes, &dz2);
            let moved = |p: T, g: T| rule.apply::<I>(p, g, []).0;
            if let (1, Some(&row)) = (L, rows.get(done + 1)) {
                // The sums of the row that comes next move as the weights do, which need not be waited for.
                let next = &data.inputs(row as usize)[..w1.len()];
                let mut z1 = tiny.hidden_sums::<I, L>(w1, |i| [next[i]; L]);
                let mut product = T::ONE;
                for i in 0..next.len() {
                    product = I::mul_add(x(i)[0], next[i], product);
                }
                let mut slopes = slopes;
                for slope in slopes.as_flattened_mut().as_flattened_mut() {
                    *slope *= product;
                }
                let dz1 = backward::<I, T, H, O, L>(&slopes, &dz2);
                for j in 0..H {
                    z1[j][0] = moved(z1[j][0], dz1[j][0]);
                }
                begun = Some(z1);
            }
            for j in 0..H {
                for k in 0..O {
                    tiny.w2[j][k] = moved(tiny.w2[j][k], dot::<T, L>(pass.h[j], dz2[k]));
                }
                tiny.b1[j] = moved(tiny.b1[j], dot::<T, L>([T::ONE; L], dz1[j]));
            }
            for k in 0..O {
                tiny.b2[k] = moved(tiny.b2[k], dot::<T, L>([T::ONE; L], dz2[k]));
            }
            for (i, w) in w1.iter_mut().enumerate() {
                let x = x(i);
                let mut row = *w;
                for j in 0..H {
                    row[j] = moved(row[j], dot::<T, L>(x, dz1[j]));
                }
                *w = row;
            }
            losses.add::<I, L>(&pass.z2, &pass.o, &t, weights);
            weight += total;
            done += 1;
        }
        tiny.store(self.values, data.width);
        let sum = losses.take();
        (done, LossSum { sum, weight })
    }
}

/// The sum of products: halves are added to halves.
#[inline(always)]
fn dot<T: Real, const L: usize>(a: [T; L], b: [T; L]) -> T {
    let mut products = [T::ZERO; L];
    for l in 0..L {
        products[l] = a[l] * b[l];
    }
    let mut half = L / 2;
    while half > 0 {
        for l in 0..half {
            let other = products[l + half];
            products[l] += other;
        }
        half /= 2;
    }
    products[0]
}
