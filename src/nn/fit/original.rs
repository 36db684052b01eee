//! Epochs of the original library's network over few rows: a hidden layer of two to four sigmoids, one output sigmoid,
//! squared error, and a step of plain gradient descent a row. XOR is what everybody trains first.
//!
//! Nearly all of such a step is the wait of one operation for another, from the weighted sums of a row to those of the
//! next. To keep that short, each row remembers the series (see [`table`]) of its sigmoids and its gradient from epoch to
//! epoch, in which its weighted sums hardly move. The places that the series are around follow from the sums alone, so that
//! nothing depends on what is remembered.
//!
//! Legend: x the inputs of a row, t its target, z1 and z2 the weighted sums, `h = sigmoid(z1)`, `e = sigmoid(z2) - t`, g =
//! dE/dz2. L lanes hold what there is of each hidden neuron, N numbers what there is of each input; those that are left over
//! hold zeros.

#![allow(
    clippy::needless_range_loop,
    reason = "one index for several arrays, as in the formulas"
)]

use std::hint::black_box;

use crate::nn::architecture::Architecture;
use crate::nn::elementary::table::{self, SERIES, is_nearest};
use crate::nn::kernels::all_finite;
use crate::nn::real::Real;
use crate::nn::simd::{self, Isa, Task};
use crate::nn::tiny::Functions;

use super::tiny::sum;
use super::trainer::Work;

/// Of more rows the series would not stay near the processor.
const MOST_ROWS: usize = 1024;

/// After so many steps somebody may want to look at the network, or to stop.
const STRETCH: usize = 1024;

/// What the rows of such a network remember.
pub enum Original<T> {
    /// With two inputs and two hidden neurons
    Small(Vec<Row<T, 2, 2>>),
    /// With more of them
    Large(Vec<Row<T, 4, 8>>),
}

impl<T: Real> Original<T> {
    /// Nothing yet, if a network of this shape is one.
    pub fn of(architecture: &Architecture) -> Option<Self> {
        let functions = Functions::of(architecture)?;
        let is_original = functions == Functions::original(functions.units);
        match (architecture.input_count(), functions.units) {
            (1..=2, (2, 1)) if is_original => Some(Original::Small(Vec::new())),
            (1..=8, (2..=4, 1)) if is_original => Some(Original::Large(Vec::new())),
            _ => None,
        }
    }

    /// Takes a step by each of the rows, with this factor of the gradient, and that again and again: as many epochs as
    /// there is room for their losses, or as fit into a moment. How many; `values` are those after the last whole one. It
    /// stops after an epoch whose loss is not above `target`, and before one in which something is out of the ordinary. Each
    /// call must be about the same data.
    pub fn epochs(
        &mut self,
        work: Work<T>,
        values: &mut [T],
        alpha: T,
        target: f64,
        losses: &mut [f64],
    ) -> usize {
        match self {
            Original::Small(rows) => epochs(rows, work, values, alpha, target, losses),
            Original::Large(rows) => epochs(rows, work, values, alpha, target, losses),
        }
    }
}

fn epochs<T: Real, const L: usize, const N: usize>(
    rows: &mut Vec<Row<T, L, N>>,
    work: Work<T>,
    values: &mut [T],
    alpha: T,
    target: f64,
    losses: &mut [f64],
) -> usize {
    let Work {
        architecture, data, ..
    } = work;
    let units = architecture.layers()[0].units;
    if rows.is_empty() {
        let count = data.rows();
        if count > MOST_ROWS || data.is_weighted() || rows.try_reserve_exact(count).is_err() {
            return 0;
        }
        rows.extend((0..count).map(|row| Row::new(data.inputs(row), data.targets(row)[0], units)));
    }
    let most = (STRETCH / work.rows.len()).max(1).min(losses.len());
    let mut weights = Weights::load(values, units);
    let done = simd::run(Epochs {
        rows,
        order: work.rows,
        units,
        weights: &mut weights,
        alpha,
        target,
        losses: &mut losses[..most],
    });
    weights.store(values, units);
    done
}

/// A row and what it remembers.
#[derive(Clone, Copy)]
#[repr(align(64))]
pub struct Row<T, const L: usize, const N: usize> {
    x: [T; N],
    t: T,
    /// The places that z1 is near
    hidden_places: [T; L],
    /// h around them
    hidden: [[T; L]; SERIES],
    /// The place that z2 is near
    output_place: T,
    /// g around it
    gradient: [[T; 1]; SERIES],
    /// e around it
    error: [[T; 1]; SERIES],
}

impl<T: Real, const L: usize, const N: usize> Row<T, L, N> {
    /// One that is not near any place yet.
    fn new(inputs: &[T], t: T, units: usize) -> Self {
        let nowhere = T::from_f64(f64::NAN);
        let mut row = Row {
            x: [T::ZERO; N],
            t,
            hidden_places: [T::ZERO; L],
            hidden: [[T::ZERO; L]; SERIES],
            output_place: nowhere,
            gradient: [[T::ZERO]; SERIES],
            error: [[T::ZERO]; SERIES],
        };
        row.x[..inputs.len()].copy_from_slice(inputs);
        row.hidden_places[..units].fill(nowhere);
        row
    }

    /// The places nearest to z1, which the series are around then; nothing if there are none.
    #[inline(always)]
    fn hidden_places_near(&mut self, z1: &[T; L], units: usize) -> Option<[T; L]> {
        (are_near(z1, &self.hidden_places) || self.move_hidden(z1, units)).then_some(self.hidden_places)
    }

    /// The same for z2.
    #[inline(always)]
    fn output_place_near(&mut self, z2: T) -> Option<T> {
        (are_near(&[z2], &[self.output_place]) || self.move_output(z2)).then_some(self.output_place)
    }

    #[cold]
    #[inline(never)]
    fn move_hidden(&mut self, z1: &[T; L], units: usize) -> bool {
        for j in 0..units {
            let Some(place) = table::place(z1[j].to_f64()) else {
                return false;
            };
            self.hidden_places[j] = T::from_f64(place.x);
            for (to, s) in self.hidden.iter_mut().zip(place.series) {
                to[j] = T::from_f64(s);
            }
        }
        true
    }

    #[cold]
    #[inline(never)]
    fn move_output(&mut self, z2: T) -> bool {
        let Some(place) = table::place(z2.to_f64()) else {
            return false;
        };
        let (mut error, slope) = (place.series, place.slope());
        error[0] -= self.t.to_f64();
        self.output_place = T::from_f64(place.x);
        for k in 0..SERIES {
            let g = (0..=k).map(|i| error[i] * slope[k - i]).sum();
            self.gradient[k] = [T::from_f64(g)];
            self.error[k] = [T::from_f64(error[k])];
        }
        true
    }
}

/// All weights.
#[derive(Clone, Copy)]
struct Weights<T, const L: usize, const N: usize> {
    w1: [[T; L]; N],
    b1: [T; L],
    w2: [T; L],
    b2: T,
}

impl<T: Real, const L: usize, const N: usize> Weights<T, L, N> {
    fn load(values: &[T], units: usize) -> Self {
        let mut weights = Weights {
            w1: [[T::ZERO; L]; N],
            b1: [T::ZERO; L],
            w2: [T::ZERO; L],
            b2: T::ZERO,
        };
        weights.visit(values.len(), units, |place, weight| *weight = values[place]);
        weights
    }

    fn store(&mut self, values: &mut [T], units: usize) {
        self.visit(values.len(), units, |place, weight| values[place] = *weight);
    }

    /// Shows each weight and its place among the values, of which there are so many.
    fn visit(&mut self, count: usize, units: usize, mut see: impl FnMut(usize, &mut T)) {
        let inputs = (count - 1) / units - 2;
        let rows = self.w1[..inputs].iter_mut();
        for (i, row) in rows.chain([&mut self.b1, &mut self.w2]).enumerate() {
            for j in 0..units {
                see(i * units + j, &mut row[j]);
            }
        }
        see(count - 1, &mut self.b2);
    }

    /// `w1 x + b`
    #[inline(always)]
    fn hidden_sums<I: Isa>(&self, x: &[T; N], b: [T; L]) -> [T; L] {
        let mut z1 = b;
        for i in 0..N {
            for j in 0..L {
                z1[j] = I::mul_add(x[i], self.w1[i][j], z1[j]);
            }
        }
        z1
    }

    /// z2, for a bias b
    #[inline(always)]
    fn output_sum<I: Isa>(&self, h: &[T; L], b: T) -> T {
        let mut terms = [T::ZERO; L];
        for j in 0..L {
            terms[j] = self.w2[j] * h[j];
        }
        terms[0] = I::mul_add(self.w2[0], h[0], b);
        sum(terms)
    }

    /// Whether they are; maybe not if they are huge.
    #[inline(always)]
    fn are_finite(&self) -> bool {
        let mut sums = self.b1;
        for w in self.w1.iter().chain([&self.w2]) {
            for j in 0..L {
                sums[j] += w[j];
            }
        }
        all_finite(&sums) & self.b2.is_finite()
    }
}

struct Epochs<'a, T, const L: usize, const N: usize> {
    rows: &'a mut [Row<T, L, N>],
    order: &'a [u32],
    units: usize,
    weights: &'a mut Weights<T, L, N>,
    alpha: T,
    target: f64,
    losses: &'a mut [f64],
}

impl<T: Real, const L: usize, const N: usize> Task for Epochs<'_, T, L, N> {
    const WIDENS: bool = false;
    type Output = usize;

    #[inline(always)]
    fn run<I: Isa>(mut self) -> usize {
        if I::REGISTER == 16 {
            // So old a processor is not worth it.
            return 0;
        }
        let count = self.order.len() as f64;
        let mut weights = *self.weights;
        let mut done = 0;
        while done < self.losses.len() {
            let loss = match self.epoch::<I>(&mut weights) {
                Some(sum) if sum.is_finite() && weights.are_finite() => sum / count,
                _ => break,
            };
            *self.weights = weights;
            self.losses[done] = loss;
            done += 1;
            if loss <= self.target {
                break;
            }
        }
        done
    }
}

impl<T: Real, const L: usize, const N: usize> Epochs<'_, T, L, N> {
    /// The sum of the losses; nothing where some number has no place near it.
    #[inline(always)]
    fn epoch<I: Isa>(&mut self, weights: &mut Weights<T, L, N>) -> Option<f64> {
        let mut squares = 0.0;
        let mut this = self.order[0] as usize;
        let mut z1 = weights.hidden_sums::<I>(&self.rows[this].x, weights.b1);
        let places = self.rows[this].hidden_places_near(&z1, self.units)?;
        let mut d1 = weights.hidden_sums::<I>(&self.rows[this].x, difference(weights.b1, places));
        for i in 1..=self.order.len() {
            let row = &mut self.rows[this];
            let h = series_at::<I, T, L>(&row.hidden, d1);
            let z2 = weights.output_sum::<I>(&h, weights.b2);
            let place = row.output_place_near(z2)?;
            let d2 = weights.output_sum::<I>(&h, weights.b2 - place);
            let [g] = series_at::<I, T, 1>(&row.gradient, [d2]);

            let next = self.order[if i < self.order.len() { i } else { 0 }] as usize;
            let (x, next_x) = (row.x, &self.rows[next].x);
            // Nearly all is known before g: alpha dz1 = slope g, and what comes next is where it would start, and slope g.
            let start = weights.hidden_sums::<I>(next_x, weights.b1);
            let mut slope = [T::ZERO; L];
            for j in 0..L {
                slope[j] = self.alpha * weights.w2[j] * I::mul_add(-h[j], h[j], h[j]);
            }
            let mut product = T::ONE;
            for i in 0..N {
                product = I::mul_add(x[i], next_x[i], product);
            }
            for j in 0..L {
                z1[j] = I::mul_add(slope[j] * product, g, start[j]);
            }
            for i in 0..N {
                for j in 0..L {
                    weights.w1[i][j] = I::mul_add(x[i] * slope[j], g, weights.w1[i][j]);
                }
            }
            for j in 0..L {
                weights.b1[j] = I::mul_add(slope[j], g, weights.b1[j]);
                weights.w2[j] = I::mul_add(self.alpha * h[j], g, weights.w2[j]);
            }
            weights.b2 = I::mul_add(self.alpha, g, weights.b2);
            let d1_from = |places: &[T; L]| {
                let mut d1 = start;
                for j in 0..L {
                    d1[j] = I::mul_add(slope[j] * product, g, start[j] - places[j]);
                }
                d1
            };
            // Before the rare call below, so that hardly any number has to be kept over it.
            d1 = d1_from(&self.rows[next].hidden_places);
            if !are_near(&z1, &self.rows[next].hidden_places) {
                if !self.rows[next].move_hidden(&z1, self.units) {
                    return None;
                }
                d1 = d1_from(&self.rows[next].hidden_places);
            }
            // Last: nothing waits for the loss, and the next step must not wait behind it.
            black_box(());
            let [e] = series_at::<I, T, 1>(&self.rows[this].error, [d2]).map(T::to_f64);
            squares = I::mul_add(e, e, squares);
            this = next;
        }
        Some(0.5 * squares)
    }
}

/// Whether these are the places nearest to z.
#[inline(always)]
fn are_near<T: Real, const L: usize>(z: &[T; L], places: &[T; L]) -> bool {
    let mut are_near = true;
    for j in 0..L {
        are_near &= is_nearest(places[j], z[j]);
    }
    are_near
}

/// a - b
#[inline(always)]
fn difference<T: Real, const L: usize>(mut a: [T; L], b: [T; L]) -> [T; L] {
    for j in 0..L {
        a[j] -= b[j];
    }
    a
}

/// `sum_k c_k d^k`
#[inline(always)]
fn series_at<I: Isa, T: Real, const L: usize>(c: &[[T; L]; SERIES], d: [T; L]) -> [T; L] {
    let mut sum = d;
    for j in 0..L {
        let d = d[j];
        let (d2, d4) = (d * d, (d * d) * (d * d));
        let pair = |k: usize| I::mul_add(c[k + 1][j], d, c[k][j]);
        let low = I::mul_add(pair(2), d2, pair(0));
        sum[j] = I::mul_add(I::mul_add(c[6][j], d2, pair(4)), d4, low);
    }
    sum
}
