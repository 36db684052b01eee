//! Steps of plain gradient descent of the smallest networks (see [`crate::nn::pass::tiny`]), by one to four rows each.

#![allow(
    clippy::needless_range_loop,
    reason = "one index for several arrays, as in the formulas"
)]

use std::hint::black_box;

use crate::nn::optim::{Descend, Rule};
use crate::nn::pass::tiny::{Functions, MOST_ROWS, Tiny, backward};
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Task};

use crate::nn::data::Part;
use crate::nn::pass::losses::Losses;
use crate::nn::pass::work::{LossSum, Work, scale};

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
    macro_rules! run {
        ($h:literal, $o:literal, $l:expr) => {
            simd::run(Steps::<T, $h, $o, $l> {
                functions,
                work,
                batch,
                values,
                rule,
                losses,
            })
        };
    }
    macro_rules! run_for {
        ($h:literal, $o:literal) => {
            if batch > 1 {
                run!($h, $o, MOST_ROWS)
            } else {
                run!($h, $o, 1)
            }
        };
    }
    match functions.units {
        (2, 1) => run_for!(2, 1),
        (3, 1) => run_for!(3, 1),
        (4, 1) => run_for!(4, 1),
        (2, 2) => run_for!(2, 2),
        _ => (0, LossSum::default()),
    }
}

/// Steps by up to L rows.
struct Steps<'a, T, const H: usize, const O: usize, const L: usize> {
    functions: Functions,
    work: Work<'a, T>,
    batch: usize,
    values: &'a mut [T],
    rule: Descend<T>,
    losses: &'a mut Losses<T>,
}

impl<T: Real, const H: usize, const O: usize, const L: usize> Task for Steps<'_, T, H, O, L> {
    const WIDENS: bool = false;
    type Output = (usize, LossSum);

    #[inline(always)]
    fn run<I: Isa>(self) -> Self::Output {
        if I::REGISTER == 16 {
            // So old a processor is not worth it.
            return (0, LossSum::default());
        }
        // Looked at again and again: else there would be code for each combination, some 10 KB each.
        let functions = || black_box(self.functions);
        let Work { data, rows, .. } = self.work;
        let rule = self.rule;
        let (mut done, mut weight) = (0, 0.0);
        let losses = self.losses;
        let (w1, mut tiny) = Tiny::<T, H, O>::load(self.values, data.width);
        let all_targets = data.part(Part::Targets).as_chunks::<O>().0;
        let mut precomputed = rows.first().filter(|_| L == 1).map(|&row| {
            let first = data.inputs(row as usize);
            tiny.hidden_sums::<I, L>(w1, |i| [first[i]; L])
        });
        for numbers in rows.chunks(self.batch) {
            if done % STRETCH == STRETCH - 1 && (self.work.is_stopped)() {
                break;
            }
            let functions = functions();
            let total = data.weight_of(numbers);
            // Places that are left over repeat the last row and count nothing.
            let mut weights = [T::ZERO; L];
            let mut inputs: [&[T]; L] = [&[]; L];
            let mut t = [[T::ZERO; L]; O];
            for l in 0..L {
                let row = numbers[l.min(numbers.len() - 1)] as usize;
                if l < numbers.len() {
                    weights[l] = data.weight(row);
                }
                inputs[l] = &data.inputs(row)[..w1.len()];
                for k in 0..O {
                    t[k][l] = all_targets[row][k];
                }
            }
            let x = |i: usize| {
                let mut x = [T::ZERO; L];
                for l in 0..L {
                    x[l] = inputs[l][i];
                }
                x
            };
            let z1 = precomputed.unwrap_or_else(|| tiny.hidden_sums::<I, L>(w1, x));
            let pass = tiny.forward::<I, L>(functions, z1);
            if !pass.is_finite {
                break;
            }
            let scale = scale::<T>(total);
            let mut shares = weights;
            for share in &mut shares {
                *share *= scale;
            }
            let gradient = pass.output_gradient::<I>(functions, &t);
            let mut dz2 = gradient;
            for dz2 in &mut dz2 {
                for l in 0..L {
                    dz2[l] *= shares[l];
                }
            }
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
                    black_box(());
                }
                for j in 0..H {
                    z1[j][0] *= rule.beta;
                    for k in 0..O {
                        let slope = slopes[j][k][0] * (rule.alpha * product * shares[0]);
                        z1[j][0] = I::mul_add(slope, gradient[k][0], z1[j][0]);
                    }
                }
                precomputed = Some(z1);
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
                black_box(());
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

/// The sum of products.
#[inline(always)]
fn dot<T: Real, const L: usize>(a: [T; L], b: [T; L]) -> T {
    let mut products = [T::ZERO; L];
    for l in 0..L {
        products[l] = a[l] * b[l];
    }
    sum(products)
}

/// The sum: halves are added to halves.
#[inline(always)]
pub(crate) fn sum<T: Real, const L: usize>(mut terms: [T; L]) -> T {
    let mut half = L / 2;
    while half > 0 {
        for l in 0..half {
            let other = terms[l + half];
            terms[l] += other;
        }
        half /= 2;
    }
    terms[0]
}
