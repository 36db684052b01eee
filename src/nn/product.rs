//! Matrix products, row-major: one safe front for the `gemm` crate.

use std::ops::Range;

use super::real::Real;

/// A matrix in a slice: `rows` x `columns`, one row after the other, or the transpose of that.
#[derive(Clone, Copy)]
pub struct Matrix<'a, T> {
    values: &'a [T],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a, T> Matrix<'a, T> {
    /// The first `rows * columns` of `values`.
    pub fn new(values: &'a [T], rows: usize, columns: usize) -> Self {
        Matrix {
            values: &values[..rows * columns],
            rows,
            columns,
            row_stride: columns,
            column_stride: 1,
        }
    }

    /// Some of the columns.
    pub fn columns(self, range: Range<usize>) -> Self {
        assert!(range.start <= range.end && range.end <= self.columns);
        Matrix {
            values: &self.values[(range.start * self.column_stride).min(self.values.len())..],
            columns: range.len(),
            ..self
        }
    }

    /// Some of the rows.
    pub fn rows(self, range: Range<usize>) -> Self {
        self.transposed().columns(range).transposed()
    }

    /// Rows as columns, in place.
    pub fn transposed(self) -> Self {
        Matrix {
            rows: self.columns,
            columns: self.rows,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
            ..self
        }
    }
}

/// The longest stretch of a sum that is left to `gemm`. Beyond it, `gemm` would choose where to cut sums by the
/// shape of the result, and a part of a matrix would get other last digits than the same part of the whole.
const STRETCH: usize = 512;

/// `out = alpha out + beta a b` on one thread; `alpha` 0 overwrites whatever `out` holds.
///
/// A row of at least 2 columns of `out` has the same bits whatever other rows are computed along with it, as long
/// as these are at least 16 and `out` has more than 256 elements.
pub fn product<T: Real>(out: &mut [T], alpha: T, a: Matrix<T>, b: Matrix<T>, beta: T) {
    assert_eq!(a.columns, b.rows);
    let inner = a.columns;
    for start in (0..inner).step_by(STRETCH) {
        let stretch = start..inner.min(start + STRETCH);
        let alpha = if start == 0 { alpha } else { T::ONE };
        stretch_product(out, alpha, a.columns(stretch.clone()), b.rows(stretch), beta);
    }
}

fn stretch_product<T: Real>(out: &mut [T], alpha: T, a: Matrix<T>, b: Matrix<T>, beta: T) {
    let out = &mut out[..a.rows * b.columns];
    // SAFETY: every index below rows and columns lies within the slices, as `Matrix` and the line above have
    // checked; `out` is borrowed mutably, so it overlaps neither `a` nor `b`.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            out.as_mut_ptr(),
            1,
            b.columns as isize,
            alpha != T::ZERO,
            a.values.as_ptr(),
            a.column_stride as isize,
            a.row_stride as isize,
            b.values.as_ptr(),
            b.column_stride as isize,
            b.row_stride as isize,
            alpha,
            beta,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(count: usize, seed: f64) -> Vec<f64> {
        (0..count).map(|i| ((i as f64 + seed) * 0.7).sin()).collect()
    }

    #[test]
    fn products_of_every_orientation_are_those_of_the_definition() {
        for (m, k, n) in [(1, 1, 1), (2, 3, 4), (5, 1, 7), (17, 33, 9), (64, 20, 31)] {
            let (a, b, start) = (numbers(m * k, 0.1), numbers(k * n, 0.2), numbers(m * n, 0.3));
            let transpose = |x: &[f64], rows: usize, columns: usize| -> Vec<f64> {
                (0..columns)
                    .flat_map(|c| (0..rows).map(move |r| x[r * columns + c]))
                    .collect()
            };
            let (at, bt) = (transpose(&a, m, k), transpose(&b, k, n));
            let (straight_a, straight_b) = (Matrix::new(&a, m, k), Matrix::new(&b, k, n));
            let turned_a = Matrix::new(&at, k, m).transposed();
            let turned_b = Matrix::new(&bt, n, k).transposed();
            for (a_matrix, b_matrix) in [
                (straight_a, straight_b),
                (turned_a, straight_b),
                (straight_a, turned_b),
                (turned_a, turned_b),
            ] {
                for (alpha, beta) in [(0.0, 1.0), (1.0, 1.0), (0.5, -2.0)] {
                    let mut out = if alpha == 0.0 {
                        vec![f64::NAN; m * n]
                    } else {
                        start.clone()
                    };
                    product(&mut out, alpha, a_matrix, b_matrix, beta);
                    for i in 0..m {
                        for j in 0..n {
                            let sum: f64 = (0..k).map(|l| a[i * k + l] * b[l * n + j]).sum();
                            let old = if alpha == 0.0 {
                                0.0
                            } else {
                                alpha * start[i * n + j]
                            };
                            assert!((out[i * n + j] - old - beta * sum).abs() < 1e-12);
                        }
                    }
                }
            }
        }
    }
}
