//! From the weighted sums of the output layer to its outputs, the losses and their gradient.

use std::hint::black_box;

use crate::nn::network::activation::{
    Activation, BLOCK, exp_to, singles, singles_mut, softmax_side_by_side, softmax_to,
};
use crate::nn::network::loss::Loss;
use crate::nn::vector::kernels::set;
use crate::nn::vector::product::transpose;
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Scalar, Task};

/// From so many rows on, they are interleaved where they are short.
const MANY: usize = 8;

/// What there is to find for some rows of a batch. Shapes: `y[m][units]`, `a`, `targets` and `d` too, `losses[m]`.
pub struct Outputs<'a, T> {
    /// Of the output layer
    pub activation: Activation,
    /// Of the network
    pub loss: Loss,
    /// The number of outputs
    pub units: usize,
    /// What the activation is taken of
    pub y: &'a [T],
    /// The outputs: found where there is no gradient to find; else a buffer for them.
    pub a: &'a mut [T],
    /// What the outputs should be
    pub targets: &'a [T],
    /// The loss of each row
    pub losses: &'a mut [f64],
    /// In training
    pub gradient: Option<OutputGradient<'a, T>>,
}

/// The gradient dE/dy of the losses, of which row i counts `weights[i] * scale`, or `scale`.
pub struct OutputGradient<'a, T> {
    /// Of the rows, if they have any
    pub weights: Option<&'a [T]>,
    /// How much a row of weight 1 counts
    pub scale: T,
    /// The gradient
    pub d: &'a mut [T],
}

/// a = f(y) of rows of so many `units`.
pub fn activate<T: Real>(activation: Activation, y: &[T], a: &mut [T], units: usize) {
    activation.apply_to(y, a);
    if activation == Activation::Softmax {
        softmax_to(a, units);
    }
}

impl<T: Real> Outputs<'_, T> {
    /// Finds it, for rows of a batch of so many: vectors run along the outputs, or along the rows where those are few. Equal
    /// rows have the same bits wherever they are in the batch.
    pub fn find(self, batch: usize) {
        if self.units < BLOCK && batch >= MANY {
            simd::run(SideBySide(self));
        } else {
            self.row_by_row();
        }
    }

    fn row_by_row(mut self) {
        activate(self.activation, self.y, self.a, self.units);
        simd::run(RowByRow(&mut self));
        if let Some(gradient) = self.gradient.filter(|_| !self.loss.is_fused()) {
            self.activation.backward_to(self.y, self.a, gradient.d);
        }
    }
}

/// A row after the other: the losses, and their gradients as far as the activation.
struct RowByRow<'a, 'b, T>(&'a mut Outputs<'b, T>);

impl<T: Real> Task for RowByRow<'_, '_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Outputs { loss, units, .. } = *self.0;
        let numbers = self.0.y.chunks_exact(units).zip(self.0.a.chunks_exact(units));
        let numbers = numbers.zip(self.0.targets.chunks_exact(units));
        for (i, (((y, a), t), value)) in numbers.zip(&mut *self.0.losses).enumerate() {
            let (y, a, t) = (singles(y), singles(a), singles(t));
            *value = loss.value::<Scalar<I>, T, 1>(y, a, t)[0].to_f64();
            if let Some(OutputGradient { weights, scale, d }) = &mut self.0.gradient {
                let d = &mut d[i * units..][..units];
                loss.gradient::<I, T, 1>(y, a, t, singles_mut(d));
                let weight = weights.map_or(*scale, |weights| weights[i] * *scale);
                d.iter_mut().for_each(|d| *d *= weight);
            }
        }
    }
}

/// Blocks of rows, as columns, that begin a line of the cache.
#[repr(align(64))]
struct Blocks<T>([[[T; BLOCK]; BLOCK]; 4]);

/// A block of rows at a time, as columns.
struct SideBySide<'a, T>(Outputs<'a, T>);

impl<T: Real> Task for SideBySide<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Outputs {
            activation,
            loss,
            units,
            y,
            a,
            targets,
            losses,
            mut gradient,
        } = self.0;
        let mut blocks = Blocks([[[T::ZERO; BLOCK]; BLOCK]; 4]);
        let [z_block, a_block, t_block, d_block] = blocks.0.each_mut().map(|block| &mut block[..units]);
        for (k, losses) in losses.chunks_mut(BLOCK).enumerate() {
            let rows = k * BLOCK..k * BLOCK + losses.len();
            let here = rows.start * units..rows.end * units;
            turn(&y[here.clone()], z_block);
            turn(&targets[here.clone()], t_block);
            activation.apply_to(z_block.as_flattened(), a_block.as_flattened_mut());
            if activation == Activation::Softmax {
                softmax_side_by_side(a_block, |x| exp_to(x.as_chunks_mut().0));
            }
            let values = loss.values_of_block(z_block, a_block, t_block);
            for (loss, value) in losses.iter_mut().zip(values) {
                *loss = value.to_f64();
            }
            let Some(gradient) = &mut gradient else {
                turn_back(a_block, &mut a[here]);
                continue;
            };
            loss.gradient::<I, T, BLOCK>(z_block, a_block, t_block, d_block);
            if !loss.is_fused() {
                let (z, a) = (z_block.as_flattened(), a_block.as_flattened());
                activation.backward_to(z, a, d_block.as_flattened_mut());
            }
            let mut factors = [gradient.scale; BLOCK];
            if let Some(weights) = gradient.weights {
                for (factor, &weight) in factors.iter_mut().zip(&weights[rows]) {
                    *factor *= weight;
                }
            }
            for d in &mut *d_block {
                for l in 0..BLOCK {
                    d[l] *= factors[l];
                }
                black_box(());
            }
            turn_back(d_block, &mut gradient.d[here]);
        }
    }
}

/// Rows as columns. Places that are left over repeat the last row.
#[inline(always)]
fn turn<T: Real>(rows: &[T], columns: &mut [[T; BLOCK]]) {
    let units = columns.len();
    let last = rows.len() - units;
    if rows.len() == BLOCK * units {
        return transpose(columns.as_flattened_mut(), rows, BLOCK, units);
    }
    for l in 0..BLOCK {
        set(columns, l, &rows[(l * units).min(last)..][..units]);
    }
}

/// Columns as rows, as many as there is room for.
#[inline(always)]
fn turn_back<T: Real>(columns: &[[T; BLOCK]], rows: &mut [T]) {
    for (l, row) in rows.chunks_exact_mut(columns.len()).enumerate() {
        for (x, column) in row.iter_mut().zip(columns) {
            *x = column[l];
            black_box(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::settings::Named;

    /// The losses and the gradient of so many rows, or the outputs in place of that.
    fn found(
        (activation, loss): (Activation, Loss),
        (rows, units): (usize, usize),
        weights: Option<&[f64]>,
        is_training: bool,
        batch: usize,
    ) -> (Vec<f64>, Vec<f64>) {
        let numbers = |seed: f64| (0..rows * units).map(move |i| ((i as f64 + seed) * 0.7).sin());
        let y: Vec<f64> = numbers(0.1).map(|x| 3.0 * x).collect();
        let targets: Vec<f64> = numbers(0.2).map(|x| 0.5 + 0.5 * x).collect();
        let (mut a, mut d, mut losses) = (vec![9.0; y.len()], vec![9.0; y.len()], vec![9.0; rows]);
        let scale = 0.25;
        let gradient = OutputGradient {
            weights,
            scale,
            d: &mut d,
        };
        Outputs {
            activation,
            loss,
            units,
            y: &y,
            a: &mut a,
            targets: &targets,
            losses: &mut losses,
            gradient: is_training.then_some(gradient),
        }
        .find(batch);
        (losses, if is_training { d } else { a })
    }

    #[test]
    fn rows_side_by_side_come_to_what_each_comes_to() {
        for &(_, loss) in Loss::ALL {
            let activation = loss.output_activation();
            for shape in [(1, 1), (3, 2), (16, 10), (17, 10), (40, 15), (8, 16)] {
                let weights: Vec<f64> = (0..shape.0).map(|i| i as f64 / 4.0).collect();
                for (weights, is_training) in [(None, false), (None, true), (Some(&weights[..]), true)] {
                    let found = |batch| found((activation, loss), shape, weights, is_training, batch);
                    let ((losses, numbers), (others, other_numbers)) = (found(1), found(MANY));
                    let all = losses.iter().chain(&numbers);
                    for (one, other) in all.zip(others.iter().chain(&other_numbers)) {
                        assert!(
                            (one - other).abs() < 1e-13,
                            "{loss:?} {shape:?}: {one}, not {other}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn a_row_has_the_same_bits_wherever_it_is() {
        let shape = (37, 10);
        for &(_, loss) in Loss::ALL {
            let functions = (loss.output_activation(), loss);
            let (losses, d) = found(functions, shape, None, true, 37);
            for rows in [1, 16, 21] {
                let (first, first_d) = found(functions, (rows, 10), None, true, 37);
                assert!(first == losses[..rows] && first_d == d[..rows * 10], "{loss:?}");
            }
        }
    }
}
