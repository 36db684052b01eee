//! Vectors at right angles, by Gram-Schmidt.
//!
//! Every sum has one order and rounds each product, whatever the processor: the bits are the same everywhere. Vectors come
//! SIDE at a time and are freed of all before them by products of matrices, whose loops run along the vectors.

#![allow(
    clippy::needless_range_loop,
    reason = "one index for several arrays, as in the formulas"
)]

use crate::nn::vector::simd::{self, Isa, Task};

/// How many vectors stand side by side in a panel, `[length][SIDE]`.
const SIDE: usize = 32;

type Row = [f64; SIDE];

/// So many rows of two panels stay in the first cache.
const ROWS: usize = 64;

/// A tile of products in registers.
const TILE: (usize, usize) = (4, 8);

/// A vector that keeps less than this part of its square is freed of the others once more: the rounding of what is gone
/// would show in what is left.
const KEPT: f64 = 1.0 / 16.0;

/// Replaces `vectors`, `[count][length]`, by vectors of length 1 at right angles that span the same spaces: the first, the
/// first two and so on.
pub fn orthonormalize(vectors: &mut [f64], length: usize) {
    let size = SIDE * length;
    let mut panel = vec![[0.0; SIDE]; length];
    let ends = vectors.len();
    for start in (0..ends).step_by(size) {
        // Those before are panels.
        let (before, rest) = vectors.split_at_mut(start);
        let (before, count) = (before.as_chunks().0, rest.len().min(size));
        let block = &mut rest[..count];
        if start > 0 {
            let all = squares(block, length);
            to_panel(block, &mut panel);
            free(&mut panel, before);
            from_panel(&panel, block);
            let kept = squares(block, length);
            if all.iter().zip(kept).any(|(all, kept)| kept < KEPT * all) {
                free(&mut panel, before);
                from_panel(&panel, block);
            }
        }
        gram_schmidt(block, length);
        if start + size < ends {
            to_panel(block, &mut panel);
            block.copy_from_slice(panel.as_flattened());
        }
    }
    for start in (size..ends).step_by(size) {
        let block = &mut vectors[start - size..start];
        panel.as_flattened_mut().copy_from_slice(block);
        from_panel(&panel, block);
    }
}

/// Modified Gram-Schmidt, each vector twice.
fn gram_schmidt(vectors: &mut [f64], length: usize) {
    for start in (0..vectors.len()).step_by(length) {
        let (before, rest) = vectors.split_at_mut(start);
        let vector = &mut rest[..length];
        for _ in 0..2 {
            for other in before.chunks_exact(length) {
                let dot: f64 = vector.iter().zip(other).map(|(x, y)| x * y).sum();
                vector.iter_mut().zip(other).for_each(|(x, y)| *x -= dot * y);
            }
        }
        let norm = libm::sqrt(vector.iter().map(|x| x * x).sum());
        vector.iter_mut().for_each(|x| *x /= norm);
    }
}

fn squares(vectors: &[f64], length: usize) -> Vec<f64> {
    let square = |vector: &[f64]| vector.iter().map(|x| x * x).sum();
    vectors.chunks_exact(length).map(square).collect()
}

/// The vectors side by side; places that are left over are 0.
fn to_panel(vectors: &[f64], panel: &mut [Row]) {
    panel.fill([0.0; SIDE]);
    for (v, vector) in vectors.chunks_exact(panel.len()).enumerate() {
        for (row, &x) in panel.iter_mut().zip(vector) {
            row[v] = x;
        }
    }
}

fn from_panel(panel: &[Row], vectors: &mut [f64]) {
    for (v, vector) in vectors.chunks_exact_mut(panel.len()).enumerate() {
        for (row, x) in panel.iter().zip(vector) {
            *x = row[v];
        }
    }
}

/// Takes from the vectors of `panel` what they have of those before, one panel after the other.
fn free(panel: &mut [Row], before: &[Row]) {
    simd::run(Free { panel, before });
}

struct Free<'a> {
    panel: &'a mut [Row],
    before: &'a [Row],
}

impl Task for Free<'_> {
    type Output = ();
    const WIDENS: bool = false;

    // No fused multiply-adds here: they would round differently.
    #[inline(always)]
    fn run<I: Isa>(self) {
        for before in self.before.chunks_exact(self.panel.len()) {
            let dots = dots(before, self.panel);
            subtract(self.panel, before, &dots);
        }
    }
}

/// `q' v`: each vector of `q` times each of `v`.
#[inline(always)]
fn dots(q: &[Row], v: &[Row]) -> [Row; SIDE] {
    let mut dots = [[0.0; SIDE]; SIDE];
    for (q, v) in q.chunks(ROWS).zip(v.chunks(ROWS)) {
        for k in (0..SIDE).step_by(TILE.0) {
            for j in (0..SIDE).step_by(TILE.1) {
                let mut sums = [[0.0; TILE.1]; TILE.0];
                for a in 0..TILE.0 {
                    sums[a].copy_from_slice(&dots[k + a][j..j + TILE.1]);
                }
                for (q, v) in q.iter().zip(v) {
                    for a in 0..TILE.0 {
                        for b in 0..TILE.1 {
                            sums[a][b] += q[k + a] * v[j + b];
                        }
                    }
                }
                for a in 0..TILE.0 {
                    dots[k + a][j..j + TILE.1].copy_from_slice(&sums[a]);
                }
            }
        }
    }
    dots
}

/// `v -= q dots`
#[inline(always)]
fn subtract(v: &mut [Row], q: &[Row], dots: &[Row; SIDE]) {
    let half = SIDE / 2;
    for (v, q) in v.iter_mut().zip(q) {
        for j in [0, half] {
            let mut rest = [0.0; SIDE / 2];
            rest.copy_from_slice(&v[j..j + half]);
            for k in 0..SIDE {
                for b in 0..half {
                    rest[b] -= q[k] * dots[k][j + b];
                }
            }
            v[j..j + half].copy_from_slice(&rest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::random::Generator;

    fn drawn(count: usize, length: usize) -> Vec<f64> {
        let mut generator = Generator::new(3);
        (0..count * length).map(|_| generator.normal()).collect()
    }

    /// The largest difference from right angles and length 1.
    fn error(vectors: &[f64], length: usize) -> f64 {
        let mut worst: f64 = 0.0;
        for (i, a) in vectors.chunks_exact(length).enumerate() {
            for (j, b) in vectors.chunks_exact(length).take(i + 1).enumerate() {
                let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
                worst = worst.max((dot - f64::from(i == j)).abs());
            }
        }
        worst
    }

    #[test]
    fn vectors_of_several_panels_are_at_right_angles_and_span_the_same() {
        for (count, length) in [(32, 32), (33, 33), (64, 100), (100, 100), (130, 131), (257, 257)] {
            let (before, mut after) = (drawn(count, length), drawn(count, length));
            orthonormalize(&mut after, length);
            assert!(error(&after, length) < 1e-13, "{count} x {length}");
            // Each is what is left of the one that was there: the one of Gram-Schmidt by itself.
            let mut expected = before;
            gram_schmidt(&mut expected, length);
            for (a, b) in after.iter().zip(&expected) {
                assert!((a - b).abs() < 1e-10, "{count} x {length}: {a}, not {b}");
            }
        }
    }

    #[test]
    fn vectors_that_nearly_lie_among_others_are_freed_twice() {
        let (count, length) = (70, 90);
        let mut vectors = drawn(count, length);
        for v in SIDE..count {
            for i in 0..length {
                vectors[v * length + i] = vectors[i] + 1e-9 * vectors[v * length + i];
            }
        }
        orthonormalize(&mut vectors, length);
        assert!(error(&vectors, length) < 1e-13);
    }

    #[test]
    fn the_bits_are_the_same_with_all_instructions() {
        // Written down once, as in the tests of the initializers.
        let mut vectors = drawn(70, 90);
        orthonormalize(&mut vectors, 90);
        let digest = vectors.iter().fold(0u64, |h, x| h.rotate_left(7) ^ x.to_bits());
        assert_eq!(digest, 14_781_729_888_542_317_410);
    }
}
