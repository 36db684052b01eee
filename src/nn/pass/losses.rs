//! The losses of rows as they come, a few interleaved.

use crate::nn::error::Result;
use crate::nn::network::activation::BLOCK;
use crate::nn::network::architecture::Architecture;
use crate::nn::network::loss::Loss;
use crate::nn::vector::kernels::at_mut;
use crate::nn::vector::memory::Aligned;
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::Isa;

/// How many rows' losses are found at a time. Nothing waits for them, and of more rows they hardly take longer.
const ROWS: usize = BLOCK;

/// The sum of the losses of rows, each times its weight.
pub struct Losses<T> {
    loss: Loss,
    units: usize,
    /// How many rows' losses are still to be found.
    rows: usize,
    /// z, a and targets of these, `[3][units][ROWS]`
    numbers: Aligned<T>,
    weights: [T; ROWS],
    /// Of those that were put off, place by place, so that none waits for another.
    sums: [f64; ROWS],
    /// Of the others
    sum: f64,
}

impl<T: Real> Losses<T> {
    /// Of none yet.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn new(architecture: &Architecture) -> Result<Self> {
        let units = architecture.output_count();
        Ok(Losses {
            loss: architecture.loss(),
            units,
            rows: 0,
            numbers: Aligned::zeros(3 * units * ROWS, "a batch")?,
            weights: [T::ZERO; ROWS],
            sums: [0.0; ROWS],
            sum: 0.0,
        })
    }

    /// Takes L rows: z, a and targets, `[units][L]`, and weights. L must always be the same until the sum is
    /// [taken](Self::take).
    #[inline(always)]
    pub fn add<I: Isa, const L: usize>(&mut self, z: &[[T; L]], a: &[[T; L]], t: &[[T; L]], weights: [T; L]) {
        if !self.puts_off() {
            let losses = match self.loss {
                Loss::Mse => Loss::Mse.value::<I, T, L>(z, a, t),
                _ => Loss::SquaredError.value::<I, T, L>(z, a, t),
            };
            for l in 0..L {
                self.sum += weighted(losses[l], weights[l]);
            }
            return;
        }
        let (z_room, others) = self.numbers.as_chunks_mut::<ROWS>().0.split_at_mut(self.units);
        let (a_room, t_room) = others.split_at_mut(self.units);
        for (block, rows) in [(z_room, z), (a_room, a), (t_room, t)] {
            for (block, rows) in block.iter_mut().zip(rows) {
                *at_mut(block, self.rows) = *rows;
            }
        }
        *at_mut(&mut self.weights, self.rows) = weights;
        self.rows += L;
        if self.rows == ROWS {
            self.find();
        }
    }

    /// Whether losses are found later: squares are sooner done than put off.
    #[inline(always)]
    fn puts_off(&self) -> bool {
        !matches!(self.loss, Loss::SquaredError | Loss::Mse)
    }

    #[inline(never)]
    fn find(&mut self) {
        let [z, a, t] = [0, 1, 2].map(|k| &self.numbers.as_chunks().0[k * self.units..][..self.units]);
        let losses = self.loss.values_of_block(z, a, t);
        self.weights[self.rows..].fill(T::ZERO);
        for ((sum, &loss), &weight) in self.sums.iter_mut().zip(&losses).zip(&self.weights) {
            *sum += weighted(loss, weight);
        }
        self.rows = 0;
    }

    /// The sum of all rows, which then begins anew.
    #[inline]
    pub fn take(&mut self) -> f64 {
        if self.rows > 0 {
            self.find();
        }
        if !self.puts_off() {
            return std::mem::take(&mut self.sum);
        }
        let sums = std::mem::replace(&mut self.sums, [0.0; ROWS]);
        sums.iter().sum()
    }
}

/// Places that are left over weigh nothing, even where their loss is infinite.
#[inline(always)]
fn weighted<T: Real>(loss: T, weight: T) -> f64 {
    if weight == T::ZERO {
        0.0
    } else {
        weight.to_f64() * loss.to_f64()
    }
}
