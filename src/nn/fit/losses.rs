//! The losses of rows as they come, a few side by side.

use crate::nn::architecture::Architecture;
use crate::nn::error::Result;
use crate::nn::kernels::at_mut;
use crate::nn::lines::Lines;
use crate::nn::loss::Loss;
use crate::nn::real::Real;
use crate::nn::simd::{self, Isa, Task};

/// How many rows' losses are found at a time. Nothing waits for them, and of more rows they hardly take longer.
const ROWS: usize = 16;

/// The sum of the losses of rows, each times its weight.
pub struct Losses<T> {
    loss: Loss,
    units: usize,
    /// How many rows' losses are still to be found.
    rows: usize,
    /// z, a and targets of these, `[3][units][ROWS]`
    numbers: Lines<T>,
    weights: [T; ROWS],
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
            numbers: Lines::zeros(3 * units * ROWS, "a batch")?,
            weights: [T::ZERO; ROWS],
            sum: 0.0,
        })
    }

    /// Takes L rows: z, a and targets, `[units][L]`, and weights. L must always be the same until the sum is
    /// [taken](Self::take).
    #[inline(always)]
    pub fn add<I: Isa, const L: usize>(&mut self, z: &[[T; L]], a: &[[T; L]], t: &[[T; L]], weights: [T; L]) {
        // These are sooner done than put off.
        let losses = match self.loss {
            Loss::SquaredError => Some(Loss::SquaredError.value::<I, T, L>(z, a, t)),
            Loss::Mse => Some(Loss::Mse.value::<I, T, L>(z, a, t)),
            _ => None,
        };
        if let Some(losses) = losses {
            for l in 0..L {
                self.sum += weighted(losses[l], weights[l]);
            }
            return;
        }
        let (z_room, others) = self.numbers.as_chunks_mut::<ROWS>().0.split_at_mut(self.units);
        let (a_room, t_room) = others.split_at_mut(self.units);
        for (room, rows) in [(z_room, z), (a_room, a), (t_room, t)] {
            for (room, rows) in room.iter_mut().zip(rows) {
                *at_mut(room, self.rows) = *rows;
            }
        }
        *at_mut(&mut self.weights, self.rows) = weights;
        self.rows += L;
        if self.rows == ROWS {
            self.find();
        }
    }

    #[inline(never)]
    fn find(&mut self) {
        let [z, a, t] = [0, 1, 2].map(|k| &self.numbers.as_chunks().0[k * self.units..][..self.units]);
        let losses = simd::run(Values {
            loss: self.loss,
            z,
            a,
            t,
        });
        for (loss, weight) in losses.iter().zip(&self.weights).take(self.rows) {
            self.sum += weighted(*loss, *weight);
        }
        self.rows = 0;
    }

    /// The sum of all rows, which then begins anew.
    #[inline]
    pub fn take(&mut self) -> f64 {
        if self.rows > 0 {
            self.find();
        }
        std::mem::take(&mut self.sum)
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

/// Losses of rows side by side.
struct Values<'a, T> {
    loss: Loss,
    z: &'a [[T; ROWS]],
    a: &'a [[T; ROWS]],
    t: &'a [[T; ROWS]],
}

impl<T: Real> Task for Values<'_, T> {
    type Output = [T; ROWS];

    #[inline(always)]
    fn run<I: Isa>(self) -> [T; ROWS] {
        self.loss.value::<I, T, ROWS>(self.z, self.a, self.t)
    }
}
