//! A limit to the length of the gradient.

use crate::nn::vector::kernels::{LANES, all_finite, max_abs};
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Task};

/// Keeps the division sane where the norm is 0, as in PyTorch.
const EPSILON: f64 = 1e-6;

/// Scales the gradients down where their norm is above `max_norm`; returns the norm that they had
/// (Pascanu, Mikolov & Bengio 2013, "On the difficulty of training recurrent neural networks";
/// `torch.nn.utils.clip_grad_norm_`).
///
/// ```text
/// g *= min(1, max_norm / (|g| + 1e-6))
/// ```
/// Where a gradient is NaN or infinite, so is the norm, and all are left alone.
pub fn clip_norm<T: Real>(gradients: &mut [T], max_norm: f64) -> f64 {
    simd::run(Clip { gradients, max_norm })
}

struct Clip<'a, T> {
    gradients: &'a mut [T],
    max_norm: f64,
}

impl<T: Real> Task for Clip<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn run<I: Isa>(self) -> f64 {
        let Clip { gradients, max_norm } = self;
        let norm = match sum_of_squares::<I, T>(gradients, 1.0).sqrt() {
            // The squares of finite numbers may overflow: once more, of the gradients over the largest.
            f64::INFINITY if all_finite(gradients) => {
                let largest = max_abs(gradients).to_f64();
                sum_of_squares::<I, T>(gradients, 1.0 / largest).sqrt() * largest
            }
            norm => norm,
        };
        let factor = max_norm / (norm + EPSILON);
        if norm.is_finite() && factor < 1.0 {
            for g in gradients {
                *g = T::from_f64(g.to_f64() * factor);
            }
        }
        norm
    }
}

/// sum (scale g)^2 in double precision
#[inline(always)]
fn sum_of_squares<I: Isa, T: Real>(gradients: &[T], scale: f64) -> f64 {
    let mut sums = [0.0; LANES];
    let square = |sum: f64, g: T| {
        let g = g.to_f64() * scale;
        I::mul_add(g, g, sum)
    };
    let chunks = gradients.chunks_exact(LANES);
    let rest = chunks.remainder().iter().fold(0.0, |sum, &g| square(sum, g));
    for chunk in chunks {
        for (sum, &g) in sums.iter_mut().zip(chunk) {
            *sum = square(*sum, g);
        }
    }
    sums.into_iter().fold(rest, |sum, lane| sum + lane)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_gradient_is_shortened() {
        // sqrt(3^2 + 4^2) = 5; the 1e-6 is PyTorch's.
        let mut gradients = [3.0, 0.0, -4.0];
        assert_eq!(clip_norm(&mut gradients, 0.5), 5.0);
        let factor = 0.5 / (5.0 + 1e-6);
        assert_eq!(gradients, [3.0 * factor, 0.0, -4.0 * factor]);

        let mut many: Vec<f32> = (0..1003).map(|k| (k % 7) as f32 - 3.0).collect();
        let exact = many.iter().map(|&g| f64::from(g).powi(2)).sum::<f64>().sqrt();
        assert!((clip_norm(&mut many, 1.0) - exact).abs() < 1e-12 * exact);
        assert!((clip_norm(&mut many, 1.0) - 1.0).abs() < 1e-6);
    }

    #[test]
    fn a_short_gradient_is_left_alone() {
        for gradients in [[0.3, -0.4], [0.0, 0.0], [1e-300, 0.0]] {
            let mut clipped: [f64; 2] = gradients;
            clip_norm(&mut clipped, 0.6);
            assert_eq!(clipped, gradients);
        }
    }

    #[test]
    fn a_gradient_whose_square_overflows_is_clipped_all_the_same() {
        let mut gradients = [3e200, -4e200];
        let norm = clip_norm(&mut gradients, 1.0);
        assert!((norm / 5e200 - 1.0).abs() < 1e-15, "{norm}");
        assert!((gradients[0] - 0.6f64).abs() < 1e-15 && (gradients[1] + 0.8).abs() < 1e-15);
        let mut gradients = [3e38f32, -3e38];
        assert!(clip_norm(&mut gradients, 1.0).is_finite());
        assert!((gradients[0] - 0.5f32.sqrt()).abs() < 1e-6);
    }

    #[test]
    fn what_is_not_finite_is_left_alone() {
        let mut gradients = [1.0, f64::NAN];
        assert!(clip_norm(&mut gradients, 0.1).is_nan());
        assert_eq!(gradients[0], 1.0);
        let mut gradients = [1.0f32, f32::INFINITY];
        assert_eq!(clip_norm(&mut gradients, 0.1), f64::INFINITY);
        assert_eq!(gradients, [1.0, f32::INFINITY]);
    }
}
