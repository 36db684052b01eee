//! How far to go along a direction: Nocedal & Wright 2006, algorithms 3.5 (bracketing) and 3.6 (zoom), with the
//! safeguards of Schmidt's minFunc 2005, which PyTorch took over.
//!
//! A point is accepted where the strong Wolfe conditions hold, f' being the slope:
//!
//! ```text
//! f(t)    <= f(0) + c1 t f'(0)        the loss falls enough
//! |f'(t)| <= c2 |f'(0)|               and the slope has become flat enough
//! ```

use crate::nn::optim::lbfgs::vector::{along, dot, max_abs};
use crate::nn::vector::real::Real;

/// c1
const SUFFICIENT_DECREASE: f64 = 1e-4;
/// c2
const FLATNESS: f64 = 0.9;
/// A bracket in which no parameter changes by more is not searched further.
const SMALLEST_BRACKET: f64 = 1e-9;

/// The loss and its gradient, which is written to the second slice.
pub type Evaluate<'a, T> = dyn FnMut(&[T], &mut [T]) -> f64 + 'a;

/// A point of the line.
#[derive(Clone, Copy, Debug)]
pub struct Point {
    /// How far along the direction.
    pub t: f64,
    /// f(t)
    pub loss: f64,
    /// f'(t) = g . d
    pub slope: f64,
    /// Which of [`Line::gradients`] has g.
    pub gradient: usize,
}

impl Point {
    fn is_finite(&self) -> bool {
        self.loss.is_finite() && self.slope.is_finite()
    }
}

/// Where a search ended.
#[derive(Clone, Copy, Debug)]
pub struct Found {
    /// The point to go to: of all that count the one with the least loss.
    pub point: Point,
    /// How often the loss was evaluated.
    pub evaluations: usize,
    /// Whether the loss was finite everywhere. Where it is not, the search ends.
    pub finite: bool,
}

/// The line x + t d.
pub struct Line<'a, 'e, T> {
    /// Where it begins.
    pub x: &'a [T],
    /// Where it goes.
    pub d: &'a [T],
    /// A buffer for x + t d.
    pub trial: &'a mut [T],
    /// A buffer for three gradients; the first has that of the beginning when the search begins.
    pub gradients: &'a mut [Vec<T>; 3],
    /// The loss.
    pub evaluate: &'a mut Evaluate<'e, T>,
}

impl<T: Real> Line<'_, '_, T> {
    fn at(&mut self, t: f64, gradient: usize) -> Point {
        along(self.x, t, self.d, self.trial);
        let g = &mut self.gradients[gradient];
        let loss = (self.evaluate)(self.trial, g);
        Point {
            t,
            loss,
            slope: dot(g, self.d),
            gradient,
        }
    }

    /// Searches from `start` at t = 0, beginning with `t`. `budget` bounds the evaluations after the first.
    pub fn search(&mut self, start: Point, t: f64, budget: usize) -> Found {
        let mut search = Search {
            start,
            budget,
            evaluations: 0,
        };
        let (point, finite) = match search.bracket(self, t) {
            Bracketing::Accepted(point) => (point, true),
            Bracketing::NotFinite(best) => (best, false),
            Bracketing::Between(bracket) => search.zoom(self, bracket),
        };
        Found {
            point,
            evaluations: search.evaluations,
            finite,
        }
    }
}

enum Bracketing {
    Accepted(Point),
    /// The best point before the loss became infinite or NaN.
    NotFinite(Point),
    /// Two points with a minimum between them.
    Between([Point; 2]),
}

struct Search {
    start: Point,
    budget: usize,
    evaluations: usize,
}

impl Search {
    fn evaluate<T: Real>(&mut self, line: &mut Line<T>, t: f64, gradient: usize) -> Point {
        self.evaluations += 1;
        line.at(t, gradient)
    }

    /// The first evaluation is free.
    fn is_used_up(&self) -> bool {
        self.evaluations > self.budget
    }

    fn falls_enough(&self, point: &Point) -> bool {
        point.loss <= self.start.loss + SUFFICIENT_DECREASE * point.t * self.start.slope
    }

    fn is_flat_enough(&self, point: &Point) -> bool {
        point.slope.abs() <= -FLATNESS * self.start.slope
    }

    /// Algorithm 3.5: goes on and on until the minimum has been passed.
    fn bracket<T: Real>(&mut self, line: &mut Line<T>, t: f64) -> Bracketing {
        let mut before = self.start;
        let mut point = self.evaluate(line, t, 1);
        loop {
            if !point.is_finite() {
                return Bracketing::NotFinite(lower(self.start, before));
            }
            if self.is_used_up() {
                return Bracketing::Accepted(lower(self.start, point));
            }
            let rises_again = self.evaluations > 2 && point.loss >= before.loss;
            if !self.falls_enough(&point) || rises_again {
                return Bracketing::Between([before, point]);
            }
            if self.is_flat_enough(&point) {
                return Bracketing::Accepted(point);
            }
            if point.slope >= 0.0 {
                return Bracketing::Between([before, point]);
            }
            let bounds = [point.t + 0.01 * (point.t - before.t), 10.0 * point.t];
            let t = cubic_minimum(&before, &point, bounds);
            // The start's gradient, the first, is kept: it may turn out to be the best point.
            let free = 3 - point.gradient;
            before = point;
            point = self.evaluate(line, t, free);
        }
    }

    /// Algorithm 3.6: narrows the bracket. Returns its lower end, and whether every loss was finite.
    fn zoom<T: Real>(&mut self, line: &mut Line<T>, mut bracket: [Point; 2]) -> (Point, bool) {
        let reach = max_abs(line.d);
        let mut low = lower_end(&bracket);
        let mut was_close = false;
        while !self.is_used_up() && (bracket[1].t - bracket[0].t).abs() * reach >= SMALLEST_BRACKET {
            let t = inner_point(&bracket, &mut was_close);
            let free = 3 - bracket[0].gradient - bracket[1].gradient;
            let point = self.evaluate(line, t, free);
            if !point.is_finite() {
                return (bracket[low], false);
            }
            let high = 1 - low;
            if !self.falls_enough(&point) || point.loss >= bracket[low].loss {
                bracket[high] = point;
                low = lower_end(&bracket);
            } else if self.is_flat_enough(&point) {
                return (point, true);
            } else {
                if point.slope * (bracket[high].t - bracket[low].t) >= 0.0 {
                    bracket[high] = bracket[low];
                }
                bracket[low] = point;
            }
        }
        (bracket[low], true)
    }
}

fn lower(a: Point, b: Point) -> Point {
    if a.loss <= b.loss { a } else { b }
}

fn lower_end(bracket: &[Point; 2]) -> usize {
    usize::from(bracket[0].loss > bracket[1].loss)
}

/// Where to look inside the bracket: the minimum of the cubic, but a tenth away from an end that it comes near to
/// twice running or falls upon.
fn inner_point(bracket: &[Point; 2], was_close: &mut bool) -> f64 {
    let [left, right] = [bracket[0].t.min(bracket[1].t), bracket[0].t.max(bracket[1].t)];
    let t = cubic_minimum(&bracket[0], &bracket[1], [left, right]);
    let margin = 0.1 * (right - left);
    let is_close = (right - t).min(t - left) < margin;
    let is_moved = is_close && (*was_close || t >= right || t <= left);
    *was_close = is_close && !is_moved;
    match is_moved {
        false => t,
        true if (t - right).abs() < (t - left).abs() => right - margin,
        true => left + margin,
    }
}

/// The minimum of the cubic through two points with the slopes there (equation 3.59), within `bounds`; their middle
/// where it has none.
fn cubic_minimum(a: &Point, b: &Point, bounds: [f64; 2]) -> f64 {
    let [lowest, highest] = bounds;
    let d1 = a.slope + b.slope - 3.0 * (a.loss - b.loss) / (a.t - b.t);
    let square = d1 * d1 - a.slope * b.slope;
    let (left, right) = if a.t <= b.t { (a, b) } else { (b, a) };
    let d2 = square.sqrt();
    let share = (right.slope + d2 - d1) / (right.slope - left.slope + 2.0 * d2);
    let t = right.t - (right.t - left.t) * share;
    // A negative square or 0 / 0
    if t.is_nan() {
        return (lowest + highest) / 2.0;
    }
    t.max(lowest).min(highest)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The search along a line with the given losses and slopes, whatever t is; and every t.
    fn search(answers: &[(f64, f64)], budget: usize) -> (Found, Vec<f64>) {
        let (mut places, mut gradients) = (Vec::new(), [vec![-1.0], vec![0.0], vec![0.0]]);
        let mut evaluate = |x: &[f64], g: &mut [f64]| {
            let (loss, slope) = answers[places.len()];
            places.push(x[0]);
            g[0] = slope;
            loss
        };
        let mut line = Line {
            x: &[0.0],
            d: &[1.0],
            trial: &mut [0.0],
            gradients: &mut gradients,
            evaluate: &mut evaluate,
        };
        let start = Point {
            t: 0.0,
            loss: 0.0,
            slope: -1.0,
            gradient: 0,
        };
        let found = line.search(start, 1.0, budget);
        assert_eq!(gradients[found.point.gradient], [found.point.slope]);
        (found, places)
    }

    #[test]
    fn a_loss_that_rises_again_is_behind_the_minimum_however_steep_the_slope() {
        // Enough of a fall from the start, all of them, and none flat.
        let (found, t) = search(&[(-0.95, -1.0), (-0.9, -1.0), (-0.8, -1.0), (-1.0, 0.0)], 25);
        assert!(
            t[1] > t[0] && t[2] > t[1],
            "the second may be higher than the first, as in PyTorch: {t:?}"
        );
        assert!(t[3] > t[1] && t[3] < t[2], "but not the third: {t:?}");
        assert_eq!(
            (found.evaluations, found.point.loss, found.finite),
            (4, -1.0, true)
        );
    }

    #[test]
    fn a_search_without_budget_takes_the_better_of_two_points() {
        let (found, _) = search(&[(-0.5, -1.0)], 0);
        assert_eq!((found.evaluations, found.point.t), (1, 1.0));
        let (found, _) = search(&[(0.5, -1.0)], 0);
        assert_eq!((found.evaluations, found.point.t), (1, 0.0));
    }

    #[test]
    fn the_minimum_of_a_cubic_is_found() {
        // (t - 1)^2 (t + 2) = t^3 - 3 t + 2, least at 1
        let cubic = |t: f64| Point {
            t,
            loss: t.powi(3) - 3.0 * t + 2.0,
            slope: 3.0 * t * t - 3.0,
            gradient: 0,
        };
        for (a, b) in [(0.0, 3.0), (3.0, 0.0), (0.5, 0.9)] {
            let t = cubic_minimum(&cubic(a), &cubic(b), [0.0, 3.0]);
            assert!((t - 1.0).abs() < 1e-12, "{t}");
        }
        assert_eq!(cubic_minimum(&cubic(0.0), &cubic(3.0), [2.0, 3.0]), 2.0);
        // Falls all the way, and least steeply between the points: no minimum.
        let fall = |t: f64| Point {
            t,
            loss: -t * 2.0 / 3.0,
            slope: -1.0,
            gradient: 0,
        };
        assert_eq!(cubic_minimum(&fall(0.0), &fall(1.0), [2.0, 4.0]), 3.0);
    }
}
