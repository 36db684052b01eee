//! What a pass goes over, and the losses that it finds.

use crate::nn::data::Data;
use crate::nn::network::Architecture;
use crate::nn::vector::Real;

/// Losses of rows, each times its weight, and the sum of the weights.
#[derive(Clone, Copy, Debug, Default)]
pub struct LossSum {
    /// Of the losses.
    pub sum: f64,
    /// Of the weights.
    pub weight: f64,
}

impl LossSum {
    /// The mean; 0 of nothing.
    pub fn mean(self) -> f64 {
        if self.weight > 0.0 {
            self.sum / self.weight
        } else {
            0.0
        }
    }

    /// Takes `other` in.
    #[inline]
    pub fn add(&mut self, other: LossSum) {
        self.sum += other.sum;
        self.weight += other.weight;
    }

    /// Both together.
    pub fn plus(mut self, other: LossSum) -> Self {
        self.add(other);
        self
    }
}

/// What a pass goes over, and when it stops.
#[derive(Clone, Copy)]
pub struct Work<'a, T> {
    /// The shape of the network.
    pub architecture: &'a Architecture,
    /// Where the rows are.
    pub data: &'a Data<T>,
    /// Which rows.
    pub rows: &'a [u32],
    /// The first row of the step that comes next, if there is one.
    pub next: Option<u32>,
    /// Whether the rest may be left out.
    pub is_stopped: &'a (dyn Fn() -> bool + Sync),
}

/// How much a row of weight 1 counts in the mean over rows that weigh `total`.
#[inline]
pub fn scale<T: Real>(total: f64) -> T {
    // A batch whose rows all weigh nothing, or next to nothing beside the others, teaches nothing.
    let is_something = total >= T::LEAST_NORMAL.to_f64();
    T::from_f64(if is_something { 1.0 / total } else { 0.0 })
}
