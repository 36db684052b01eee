//! Matrix products, row-major.
//!
//! One kernel for all of them: a tile of the result stays in registers while the inner dimension runs along. It
//! broadcasts numbers of `a`, which may lie in any order, and loads stretches of rows of `b`. Every element of the
//! result is its own sum, in the order of the inner dimension, so a part of a product has the same bits as the same
//! part of the whole: threads may cut it anywhere.

#[cfg(target_arch = "wasm32")]
use std::array::from_fn;
use std::ops::Range;

use crate::nn::switch::Switch;
use crate::nn::vector::kernels::dot;
use crate::nn::vector::packing::{copy_columns, copy_rows, scratch};
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Task};

/// The most of the inner dimension that is summed before partial sums go back to memory: what is read of `b` meanwhile
/// stays in the cache, with large registers in the second one.
const DEPTH: usize = 256;
const WIDE_DEPTH: usize = 512;

/// The most columns of a tile.
const WIDEST: usize = 64;

/// How many rows of `a` at a time, so that they stay in the cache.
const ROWS: usize = 192;

/// Columns of `b` are copied together where a row of it has more columns and there are more rows of `a` than this:
/// reading far strides again and again would cost more.
const FAR: usize = 256;
const MANY: usize = 48;

/// With registers of 32 bytes all that is read is copied together, in a product of more rows than MANY and no fewer
/// columns and terms than these.
const WORTHWHILE: (usize, usize) = (128, 64);
/// So many rows of `a` at a time, which stay in the second cache, and so many panels of columns of `b`, one of which stays
/// in the first.
const BLOCK: usize = 256;
const PANELS: usize = 4;
/// How many rows a tile has then.
const HEIGHT: usize = 6;

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

    /// A row of ones: its product with a matrix is the sums of the columns.
    pub fn ones(columns: usize) -> Self
    where
        T: Real,
    {
        Matrix {
            values: T::ONE_ALONE,
            rows: 1,
            columns,
            row_stride: 0,
            column_stride: 0,
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

/// What a product is added to.
#[derive(Clone, Copy)]
pub enum Onto<'a, T> {
    /// 0: the result is overwritten.
    Nothing,
    /// The same row everywhere: the result is overwritten.
    Row(&'a [T]),
    /// What the result holds.
    Result,
    /// `beta` times what the result holds; of the product, `alpha` times is added. So a step of gradient descent takes the
    /// gradient at once, which then need not go through memory.
    Scaled {
        /// Of the product
        alpha: T,
        /// Of the result
        beta: T,
    },
}

impl<T: Real> Onto<'_, T> {
    /// What the sums that begin with this term are added to.
    #[inline(always)]
    fn at(self, term: usize) -> Self {
        match self {
            onto if term == 0 => onto,
            Onto::Scaled { alpha, .. } => Onto::Scaled { alpha, beta: T::ONE },
            _ => Onto::Result,
        }
    }
}

/// `out = onto + a b`, on one thread. `b` must not be a transpose.
///
/// # Panics
/// Where shapes do not fit.
pub fn product<T: Real>(out: &mut [T], onto: Onto<T>, a: Matrix<T>, b: Matrix<T>) {
    assert!(a.columns == b.rows && b.column_stride == 1);
    assert_eq!(out.len(), a.rows * b.columns);
    if let Onto::Row(row) = onto {
        assert_eq!(row.len(), b.columns);
    }
    simd::run(Product { out, onto, a, b });
}

struct Product<'a, T> {
    out: &'a mut [T],
    onto: Onto<'a, T>,
    a: Matrix<'a, T>,
    b: Matrix<'a, T>,
}

impl<T: Real> Task for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self) {
        let (rows, inner, columns) = (self.a.rows, self.a.columns, self.b.columns);
        let pays = rows > MANY && columns >= WORTHWHILE.0 && inner >= WORTHWHILE.1;
        if I::REGISTER == 32 && pays && Switch::Blocks.is_on() {
            if size_of::<T>() == 4 {
                self.in_blocks::<I, 16>();
            } else {
                self.in_blocks::<I, 8>();
            }
            return;
        }
        let scratch = if columns > FAR && rows > MANY {
            scratch(WIDE_DEPTH * WIDEST)
        } else {
            std::ptr::null_mut()
        };
        let depth = depth::<I>(inner);
        // Loops by hand: the set-up of iterators would show in products of a few numbers.
        let mut first = 0;
        while first < inner {
            let mut top = 0;
            while top < rows {
                let mut start = 0;
                while start < columns {
                    let part = Part {
                        scratch,
                        rows: top..rows.min(top + ROWS),
                        inner: first..inner.min(first + depth),
                        start,
                        end: columns,
                    };
                    start = self.widest::<I>(part);
                }
                top += ROWS;
            }
            first += depth;
        }
    }
}

/// A part of a product: some columns from `start` on, no further than `end`.
#[derive(Clone)]
struct Part<T> {
    /// A scratch buffer for WIDE_DEPTH rows of WIDEST columns, or null where columns are not copied together.
    scratch: *mut T,
    rows: Range<usize>,
    inner: Range<usize>,
    start: usize,
    end: usize,
}

impl<T: Real> Product<'_, T> {
    /// Computes the widest stretch of columns there is a tile for, and returns where it ends. The heights are
    /// those that fill the registers.
    #[inline(always)]
    fn widest<I: Isa>(&mut self, part: Part<T>) -> usize {
        // In vectors of 64 bytes; others are made of several.
        let is_single = size_of::<T>() == 4;
        match part.end - part.start {
            64.. if I::WIDE && is_single => self.columns::<I, 6, 64>(part),
            32.. if I::WIDE && is_single => self.columns::<I, 8, 32>(part),
            32.. if I::WIDE => self.columns::<I, 6, 32>(part),
            16.. if I::WIDE && is_single => self.columns::<I, 12, 16>(part),
            16.. if I::WIDE => self.columns::<I, 8, 16>(part),
            16.. if is_single && I::REGISTER > 16 => self.columns::<I, 6, 16>(part),
            8.. if I::WIDE && !is_single => self.columns::<I, 12, 8>(part),
            _ => self.narrow::<I>(part),
        }
    }

    /// The same for fewer columns than a vector of 64 bytes holds: beside others, they are computed along with some
    /// of these once more.
    #[inline(always)]
    fn narrow<I: Isa>(&mut self, part: Part<T>) -> usize {
        match part.end {
            16.. if size_of::<T>() == 4 && I::REGISTER > 16 => self.columns::<I, 6, 16>(part),
            8.. if I::WIDE || I::REGISTER == 32 && size_of::<T>() == 4 => self.columns::<I, 8, 8>(part),
            // Sixteen registers of 16 bytes hold no more sums.
            8.. if size_of::<T>() == 4 || I::REGISTER > 16 => self.columns::<I, 6, 8>(part),
            4.. => self.columns::<I, 6, 4>(part),
            2.. => self.columns::<I, 6, 2>(part),
            _ => self.columns::<I, 6, 1>(part),
        }
    }

    /// Computes W columns, H rows at a time. Where fewer than W are left, the stretch begins earlier, and only what is
    /// left is written.
    #[inline(always)]
    fn columns<I: Isa, const H: usize, const W: usize>(&mut self, part: Part<T>) -> usize {
        let Part {
            scratch,
            rows,
            inner,
            start,
            end,
        } = part;
        let first = start.min(end - W);
        let (a, b) = (self.a, self.b);
        // SAFETY: `product` has checked that `inner` and these columns are within `b`, and the scratch buffer is for
        // WIDE_DEPTH rows of WIDEST.
        let (panel, stride) = unsafe {
            let from = b.values.as_ptr().add(inner.start * b.row_stride + first);
            if scratch.is_null() {
                (from, b.row_stride)
            } else {
                for l in 0..inner.len() {
                    scratch
                        .add(l * W)
                        .copy_from_nonoverlapping(from.add(l * b.row_stride), W);
                }
                (scratch.cast_const(), W)
            }
        };
        let tile = Tile {
            onto: self.onto.at(inner.start),
            panel,
            stride,
            inner: inner.len(),
            first,
            skip: start - first,
            out_stride: b.columns,
        };
        let strides = (a.row_stride, a.column_stride);
        let mut row = rows.start;
        while row < rows.end {
            // SAFETY: as above; the rows are within `a` and the result.
            unsafe {
                let from = a.values.as_ptr().add(row * strides.0 + inner.start * strides.1);
                let out = self.out.as_mut_ptr().add(row * b.columns);
                row += match rows.end - row {
                    // Two rows alone would wait for each other's sums.
                    left if left >= H && (I::WIDE || H != HEIGHT || left != 8) => {
                        tile.fill::<I, H, W>(from, strides, out)
                    }
                    4.. => tile.fill::<I, 4, W>(from, strides, out),
                    2.. => tile.fill::<I, 2, W>(from, strides, out),
                    _ => tile.fill::<I, 1, W>(from, strides, out),
                };
            }
        }
        first + W
    }

    /// The whole product, W columns at a time, block by block.
    #[inline(always)]
    fn in_blocks<I: Isa, const W: usize>(&mut self) {
        let (a, b) = (self.a, self.b);
        let height = even(a.rows, BLOCK).next_multiple_of(HEIGHT);
        let columns: *mut T = scratch(DEPTH * (W * PANELS + BLOCK + HEIGHT));
        let rows = columns.wrapping_add(DEPTH * W * PANELS);
        for inner in ranges(a.columns, depth::<I>(a.columns)) {
            for block in ranges(a.rows, height) {
                // SAFETY: the block is within `a`, and the scratch buffer holds it.
                unsafe { self.copy_block(rows, block.clone(), inner.clone()) };
                for group in ranges(b.columns, W * PANELS) {
                    // The last panel may begin earlier, with columns that are there already.
                    let first = |k: usize| (group.start + k * W).min(b.columns - W);
                    let starts: [usize; PANELS] = std::array::from_fn(first);
                    let starts = &starts[..group.len().div_ceil(W)];
                    // SAFETY: these columns are within `b`, and the scratch buffer holds them.
                    unsafe {
                        let from = b.values.as_ptr().add(inner.start * b.row_stride);
                        copy_columns::<T, W>(columns, from, b.row_stride, starts, inner.len());
                    }
                    for (k, &first) in starts.iter().enumerate() {
                        let tile = Tile {
                            onto: self.onto.at(inner.start),
                            panel: columns.wrapping_add(k * inner.len() * W),
                            stride: W,
                            inner: inner.len(),
                            first,
                            skip: group.start + k * W - first,
                            out_stride: b.columns,
                        };
                        let out = self.out[block.start * b.columns..].as_mut_ptr();
                        // SAFETY: these rows are in the block and in the result.
                        unsafe { tile.fill_block::<I, W>(rows, block.len(), out) };
                    }
                }
            }
        }
    }

    /// Copies a block of `a`, tile by tile.
    ///
    /// # Safety
    /// The block is within `a`, and the scratch buffer holds it.
    #[inline(always)]
    unsafe fn copy_block(&self, to: *mut T, rows: Range<usize>, inner: Range<usize>) {
        let strides = (self.a.row_stride, self.a.column_stride);
        let (mut to, mut row) = (to, rows.start);
        while row < rows.end {
            // SAFETY: as the caller promises.
            unsafe {
                let from = self
                    .a
                    .values
                    .as_ptr()
                    .add(row * strides.0 + inner.start * strides.1);
                let height = height(rows.end - row);
                match height {
                    HEIGHT => copy_rows::<T, HEIGHT>(to, from, strides, inner.len()),
                    4 => copy_rows::<T, 4>(to, from, strides, inner.len()),
                    2 => copy_rows::<T, 2>(to, from, strides, inner.len()),
                    _ => copy_rows::<T, 1>(to, from, strides, inner.len()),
                }
                to = to.add(height * inner.len());
                row += height;
            }
        }
    }
}

/// W columns of a product, of which H rows are computed at a time.
struct Tile<'a, T> {
    onto: Onto<'a, T>,
    /// The first of the columns of `b`, and how far it is from row to row.
    panel: *const T,
    stride: usize,
    inner: usize,
    /// The first of the columns of the result, and how many of them are there already.
    first: usize,
    skip: usize,
    out_stride: usize,
}

/// How many rows the next tile of a block has, of `left` that are left: two alone would wait for each other's sums, so
/// eight are two times four.
#[inline(always)]
fn height(left: usize) -> usize {
    match left {
        8 => 4,
        HEIGHT.. => HEIGHT,
        4.. => 4,
        2.. => 2,
        _ => 1,
    }
}

/// How many terms of a sum are added up at a time. Where they are scaled, bits depend on it: it follows from the number of
/// terms alone, however much of a product is computed.
#[inline(always)]
fn depth<I: Isa>(inner: usize) -> usize {
    if I::WIDE { WIDE_DEPTH } else { even(inner, DEPTH) }
}

/// The size of the parts of `count` that are as even as may be and no larger than `most`; 1 of nothing.
fn even(count: usize, most: usize) -> usize {
    count.div_ceil(count.div_ceil(most).max(1)).max(1)
}

impl<T: Real> Tile<'_, T> {
    /// Computes `count` rows from a block of `a`.
    ///
    /// # Safety
    /// `block` holds these rows tile by tile, `panel` `inner` rows of W, and `out` begins `count` rows of the result.
    #[inline(always)]
    unsafe fn fill_block<I: Isa, const W: usize>(&self, block: *const T, count: usize, out: *mut T) {
        let (mut from, mut row) = (block, 0);
        while row < count {
            // SAFETY: as the caller promises.
            unsafe {
                let out = out.add(row * self.out_stride);
                let height = match height(count - row) {
                    HEIGHT => self.fill::<I, HEIGHT, W>(from, (1, HEIGHT), out),
                    4 => self.fill::<I, 4, W>(from, (1, 4), out),
                    2 => self.fill::<I, 2, W>(from, (1, 2), out),
                    _ => self.fill::<I, 1, W>(from, (1, 1), out),
                };
                from = from.add(height * self.inner);
                row += height;
            }
        }
    }

    /// Computes H rows and returns H.
    ///
    /// # Safety
    /// `a` begins H rows of `inner` numbers with these strides, `panel` `inner` rows of W, `out` H rows of the result.
    #[inline(always)]
    unsafe fn fill<I: Isa, const H: usize, const W: usize>(
        &self,
        a: *const T,
        (row_stride, column_stride): (usize, usize),
        out: *mut T,
    ) -> usize {
        let mut sums = [[T::ZERO; W]; H];
        // SAFETY: all places are those that the caller promises.
        unsafe {
            match self.onto {
                Onto::Nothing | Onto::Scaled { .. } => {}
                Onto::Row(row) => {
                    let row = &row[self.first..self.first + W];
                    sums.iter_mut().for_each(|sums| sums.copy_from_slice(row));
                }
                Onto::Result => {
                    for (r, sums) in sums.iter_mut().enumerate() {
                        *sums = *out.add(r * self.out_stride + self.first).cast();
                    }
                }
            }
            #[cfg(target_arch = "wasm32")]
            self.add_in_vectors(a, (row_stride, column_stride), &mut sums);
            #[cfg(not(target_arch = "wasm32"))]
            for l in 0..self.inner {
                let b = *self.panel.add(l * self.stride).cast::<[T; W]>();
                for (r, sums) in sums.iter_mut().enumerate() {
                    let x = *a.add(r * row_stride + l * column_stride);
                    for (sum, &b) in sums.iter_mut().zip(&b) {
                        *sum = I::mul_add(x, b, *sum);
                    }
                }
            }
            for (r, sums) in sums.iter().enumerate() {
                let out = out.add(r * self.out_stride + self.first);
                let out = out.cast::<[T; W]>();
                let mut sums = *sums;
                if let Onto::Scaled { alpha, beta } = self.onto {
                    let old = *out;
                    for t in 0..W {
                        sums[t] = I::mul_add(alpha, sums[t], beta * old[t]);
                    }
                }
                // Columns that are there already stay, unless they come out the same again.
                if self.skip > 0 && matches!(self.onto, Onto::Scaled { .. } | Onto::Result) {
                    let old = *out;
                    for t in 0..W {
                        sums[t] = if t < self.skip { old[t] } else { sums[t] };
                    }
                }
                *out = sums;
            }
        }
        H
    }
}

/// The inner loop in vectors that are said outright: for WebAssembly the compiler makes none of arrays, or leaves them in
/// memory, which takes three times as long.
#[cfg(target_arch = "wasm32")]
impl<T: Real> Tile<'_, T> {
    /// Adds the products to sums.
    ///
    /// # Safety
    /// As of [`fill`](Self::fill).
    #[inline(always)]
    unsafe fn add_in_vectors<const H: usize, const W: usize>(
        &self,
        a: *const T,
        strides: (usize, usize),
        sums: &mut [[T; W]; H],
    ) {
        let sums = sums.as_flattened_mut();
        // SAFETY: the caller's promise.
        unsafe {
            match W / T::LANES {
                2 => self.add_vectors::<H, 2>(a, strides, sums),
                1 => self.add_vectors::<H, 1>(a, strides, sums),
                _ => {
                    for l in 0..self.inner {
                        for (place, sum) in sums.iter_mut().enumerate() {
                            let x = *a.add(place / W * strides.0 + l * strides.1);
                            *sum = *sum + x * *self.panel.add(l * self.stride + place % W);
                        }
                    }
                }
            }
        }
    }

    /// The same for rows of N vectors.
    ///
    /// # Safety
    /// As of [`fill`](Self::fill).
    #[inline(always)]
    unsafe fn add_vectors<const H: usize, const N: usize>(
        &self,
        a: *const T,
        strides: (usize, usize),
        sums: &mut [T],
    ) {
        let place = |r: usize, k: usize| (r * N + k) * T::LANES;
        // SAFETY: the caller's promise.
        unsafe {
            let load = |r, k| T::load(sums.as_ptr().add(place(r, k)));
            let mut vectors: [[_; N]; H] = from_fn(|r| from_fn(|k| load(r, k)));
            for l in 0..self.inner {
                let row = self.panel.add(l * self.stride);
                let b: [_; N] = from_fn(|k| T::load(row.add(k * T::LANES)));
                for (r, vectors) in vectors.iter_mut().enumerate() {
                    let x = (*a.add(r * strides.0 + l * strides.1)).splat();
                    for k in 0..N {
                        vectors[k] = T::plus(vectors[k], T::times(x, b[k]));
                    }
                }
            }
            for (r, vectors) in vectors.iter().enumerate() {
                for (k, &vector) in vectors.iter().enumerate() {
                    T::store(sums.as_mut_ptr().add(place(r, k)), vector);
                }
            }
        }
    }
}

/// `out[i][j] = sum_k a[i][k] b[j][k]`: the product with a transpose, for so few rows that turning is not worth it.
///
/// # Panics
/// Where the lengths are not `rows * others`, `rows * inner` and `others * inner`.
pub fn product_of_few<T: Real>(out: &mut [T], a: &[T], b: &[T], inner: usize) {
    assert!(a.len().is_multiple_of(inner) && b.len().is_multiple_of(inner));
    assert_eq!(out.len(), (a.len() / inner) * (b.len() / inner));
    simd::run(Dots { out, a, b, inner });
}

struct Dots<'a, T> {
    out: &'a mut [T],
    a: &'a [T],
    b: &'a [T],
    inner: usize,
}

impl<T: Real> Task for Dots<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let rows = self.out.chunks_exact_mut(self.b.len() / self.inner);
        for (a, out) in self.a.chunks_exact(self.inner).zip(rows) {
            for (b, out) in self.b.chunks_exact(self.inner).zip(out) {
                *out = dot::<I, T>(a, b);
            }
        }
    }
}

/// `0..count` in stretches.
fn ranges(count: usize, stretch: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count)
        .step_by(stretch)
        .map(move |start| start..count.min(start + stretch))
}

/// `out[columns][rows] = values[rows][columns]`, transposed.
///
/// # Panics
/// Where the lengths are not those.
pub fn transpose<T: Real>(out: &mut [T], values: &[T], rows: usize, columns: usize) {
    assert!(out.len() == values.len() && values.len() == rows * columns);
    // Some rows at a time, so that what is written together lies together.
    const ROWS: usize = 16;
    for block in ranges(rows, ROWS) {
        for column in 0..columns {
            let from = &values[block.start * columns + column..][..(block.len() - 1) * columns + 1];
            let to = &mut out[column * rows..][block.clone()];
            if let Ok(to) = <&mut [T; ROWS]>::try_from(&mut *to) {
                for i in 0..ROWS {
                    to[i] = from[i * columns];
                }
            } else {
                let from = from.iter().step_by(columns);
                to.iter_mut().zip(from).for_each(|(to, &from)| *to = from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers<T: Real>(count: usize, seed: f64) -> Vec<T> {
        (0..count)
            .map(|i| T::from_f64(((i as f64 + seed) * 0.7).sin()))
            .collect()
    }

    /// The sums of the definition, in the order of the inner dimension, rounded as this processor does.
    fn check<T: Real>(rows: usize, inner: usize, columns: usize, tolerance: f64) {
        let (a, b) = (
            numbers::<T>(rows * inner, 0.1),
            numbers::<T>(inner * columns, 0.2),
        );
        let (start, row) = (numbers::<T>(rows * columns, 0.3), numbers::<T>(columns, 0.4));
        let (alpha, beta) = (T::from_f64(-0.3), T::from_f64(0.9));
        let mut transposed = vec![T::ZERO; a.len()];
        transpose(&mut transposed, &a, rows, inner);
        for matrix in [
            Matrix::new(&a, rows, inner),
            Matrix::new(&transposed, inner, rows).transposed(),
        ] {
            for (onto, first) in [
                (Onto::Nothing, None),
                (Onto::Row(&row), Some(&row)),
                (Onto::Result, Some(&start)),
                (Onto::Scaled { alpha, beta }, Some(&start)),
            ] {
                let mut out = match onto {
                    Onto::Result | Onto::Scaled { .. } => start.clone(),
                    _ => vec![T::from_f64(f64::NAN); start.len()],
                };
                product(&mut out, onto, matrix, Matrix::new(&b, inner, columns));
                for i in 0..rows {
                    for j in 0..columns {
                        let terms =
                            (0..inner).map(|l| a[i * inner + l].to_f64() * b[l * columns + j].to_f64());
                        let first =
                            first.map_or(0.0, |first| first[(i * columns + j) % first.len()].to_f64());
                        let exact = match onto {
                            Onto::Scaled { .. } => {
                                beta.to_f64() * first + alpha.to_f64() * terms.sum::<f64>()
                            }
                            _ => first + terms.sum::<f64>(),
                        };
                        let error = (out[i * columns + j].to_f64() - exact).abs();
                        assert!(
                            error < tolerance,
                            "{rows} {inner} {columns} [{i}][{j}]: off by {error}"
                        );
                    }
                }
            }
        }
    }

    #[test]
    fn products_of_every_shape_are_those_of_the_definition() {
        let columns = [1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 33, 63, 64, 65, 100, 130, 300];
        for rows in [1, 2, 4, 5, 6, 11, 13] {
            for columns in columns {
                check::<f64>(rows, 9, columns, 1e-13);
                check::<f32>(rows, 9, columns, 1e-5);
            }
        }
        // Several blocks of rows, of terms, of columns.
        check::<f64>(530, 70, 130, 1e-12);
        check::<f32>(530, 70, 130, 1e-4);
        check::<f64>(200, 1030, 270, 1e-11);
        check::<f32>(200, 1030, 270, 1e-2);
    }

    #[test]
    fn a_part_has_the_bits_of_the_whole() {
        let (rows, inner, columns) = (61, 1100, 300);
        let (a, b) = (
            numbers::<f32>(rows * inner, 0.1),
            numbers::<f32>(inner * columns, 0.2),
        );
        let whole = |out: &mut [f32], a: &[f32], rows, b: &[f32], columns| {
            product(
                out,
                Onto::Nothing,
                Matrix::new(a, rows, inner),
                Matrix::new(b, inner, columns),
            );
        };
        let mut all = vec![0.0; rows * columns];
        whole(&mut all, &a, rows, &b, columns);
        for (start, end) in [(0, 1), (1, 3), (3, 11), (11, 61)] {
            let mut some = vec![0.0; (end - start) * columns];
            whole(
                &mut some,
                &a[start * inner..end * inner],
                end - start,
                &b,
                columns,
            );
            assert_eq!(some, all[start * columns..end * columns]);
        }
        for (start, end) in [(0, 1), (1, 3), (3, 11), (11, 100), (100, 300)] {
            let width = end - start;
            let part: Vec<f32> = b
                .chunks_exact(columns)
                .flat_map(|row| row[start..end].to_vec())
                .collect();
            let mut some = vec![0.0; rows * width];
            whole(&mut some, &a, rows, &part, width);
            for (some, all) in some.chunks_exact(width).zip(all.chunks_exact(columns)) {
                assert_eq!(some, &all[start..end]);
            }
        }
    }
}
