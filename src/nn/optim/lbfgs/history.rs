//! The direction from past steps: Nocedal & Wright 2006, algorithm 7.4, the two-loop recursion.

use crate::nn::optim::lbfgs::vector::{add, dot};
use crate::nn::vector::real::Real;

/// A pair with a smaller s . y says nothing reliable about the curvature, and would make H indefinite below 0.
const SMALLEST_CURVATURE: f64 = 1e-10;

/// The last pairs (s, y). A full history replaces its oldest pair.
#[derive(Debug)]
pub struct History<T> {
    count: usize,
    capacity: usize,
    /// s of every pair, one behind the other. Filled as pairs come, within memory reserved beforehand.
    pub(crate) s: Vec<T>,
    /// y of every pair
    pub(crate) y: Vec<T>,
    /// 1 / (s . y) of every pair
    pub(crate) rho: Vec<f64>,
    /// Where the oldest pair is.
    pub(crate) oldest: usize,
    /// gamma = s . y / y . y of the newest pair: the first guess of H is gamma times the identity
    pub(crate) gamma: f64,
    /// One number a pair, for the recursion.
    alpha: Vec<f64>,
}

impl<T: Real> History<T> {
    /// Room for `capacity` pairs of `count` numbers, if there is.
    pub fn new(count: usize, capacity: usize) -> Option<Self> {
        let (mut s, mut y, mut rho, mut alpha) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let numbers = count.checked_mul(capacity)?;
        s.try_reserve_exact(numbers).ok()?;
        y.try_reserve_exact(numbers).ok()?;
        rho.try_reserve_exact(capacity).ok()?;
        alpha.try_reserve_exact(capacity).ok()?;
        Some(History {
            count,
            capacity,
            s,
            y,
            rho,
            oldest: 0,
            gamma: 1.0,
            alpha,
        })
    }

    /// Forgets every pair.
    pub fn clear(&mut self) {
        self.resize(0);
        self.oldest = 0;
        self.gamma = 1.0;
    }

    /// Makes room for exactly `pairs` pairs, which must be no more than the history holds.
    pub(crate) fn resize(&mut self, pairs: usize) {
        assert!(pairs <= self.capacity);
        self.s.resize(pairs * self.count, T::ZERO);
        self.y.resize(pairs * self.count, T::ZERO);
        self.rho.resize(pairs, 0.0);
    }

    pub(crate) fn capacity(&self) -> usize {
        self.capacity
    }

    /// Remembers the step s = t d, over which the gradient went from `before` to `after`.
    pub fn push(&mut self, t: f64, d: &[T], before: &[T], after: &[T]) {
        let step = |d: T| T::from_f64(t * d.to_f64());
        let (mut sy, mut yy) = (0.0, 0.0);
        for ((&d, &before), &after) in d.iter().zip(before).zip(after) {
            let (s, y) = (step(d).to_f64(), (after - before).to_f64());
            sy += s * y;
            yy += y * y;
        }
        // Also false of NaN.
        if !(sy > SMALLEST_CURVATURE && sy.is_finite() && yy.is_finite()) {
            return;
        }
        let pair = if self.rho.len() < self.capacity {
            self.resize(self.rho.len() + 1);
            self.rho.len() - 1
        } else {
            let pair = self.oldest;
            self.oldest = (pair + 1) % self.capacity;
            pair
        };
        let numbers = pair * self.count..(pair + 1) * self.count;
        let (s, y) = (&mut self.s[numbers.clone()], &mut self.y[numbers]);
        for i in 0..self.count {
            s[i] = step(d[i]);
            y[i] = after[i] - before[i];
        }
        self.rho[pair] = 1.0 / sy;
        self.gamma = sy / yy;
    }

    /// d = -H g
    pub fn direction(&mut self, g: &[T], d: &mut [T]) {
        for (d, &g) in d.iter_mut().zip(g) {
            *d = -g;
        }
        let pairs = self.rho.len();
        self.alpha.clear();
        self.alpha.resize(pairs, 0.0);
        for age in (0..pairs).rev() {
            let (s, y, rho) = self.pair(age);
            let alpha = dot(s, d) * rho;
            add(-alpha, y, d);
            self.alpha[age] = alpha;
        }
        for d in d.iter_mut() {
            *d = T::from_f64(self.gamma * d.to_f64());
        }
        for age in 0..pairs {
            let (s, y, rho) = self.pair(age);
            let beta = dot(y, d) * rho;
            add(self.alpha[age] - beta, s, d);
        }
    }

    /// s, y and rho of a pair, counted from the oldest.
    fn pair(&self, age: usize) -> (&[T], &[T], f64) {
        let pair = (self.oldest + age) % self.rho.len();
        let numbers = pair * self.count..(pair + 1) * self.count;
        (&self.s[numbers.clone()], &self.y[numbers], self.rho[pair])
    }
}
