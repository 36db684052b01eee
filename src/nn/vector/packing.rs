//! What a large product reads, copied together in the order in which it is read: neighbours in memory need no address
//! of their own, share lines of the cache and pages, and do not push each other out as far strides do. The blocks are
//! those of Goto and van de Geijn, "Anatomy of High-Performance Matrix Multiplication" (2008).

use std::cell::RefCell;

use crate::nn::vector::memory::Aligned;
use crate::nn::vector::simd::prefetch;

/// So many steps ahead of the copy its source is asked for.
const AHEAD: usize = 16;

thread_local! {
    static SCRATCH: RefCell<Aligned<f64>> = RefCell::default();
}

/// A scratch buffer of `count` numbers, from the beginning of a line: the thread's only one, until it asks again.
pub fn scratch<T>(count: usize) -> *mut T {
    SCRATCH.with_borrow_mut(|scratch| {
        let count = (count * size_of::<T>()).div_ceil(size_of::<f64>());
        if scratch.len() < count {
            *scratch = Aligned::zeros(count, "a product")
                .expect("a product takes less memory than what it multiplies");
        }
        scratch.as_mut_ptr().cast()
    })
}

/// Copies `to[k][l][..W] = from[l][starts[k]..][..W]` for l below `inner`, where the rows of `from` are `stride` apart.
///
/// # Safety
/// All these places are within what `from` and `to` point to.
#[inline(always)]
pub unsafe fn copy_columns<T: Copy, const W: usize>(
    to: *mut T,
    from: *const T,
    stride: usize,
    starts: &[usize],
    inner: usize,
) {
    for l in 0..inner {
        let ahead = from.wrapping_add((l + AHEAD) * stride);
        starts
            .iter()
            .for_each(|&start| prefetch(ahead.wrapping_add(start)));
        for (k, &start) in starts.iter().enumerate() {
            // SAFETY: as the caller promises.
            unsafe { copy::<T, W>(from.add(l * stride + start), to.add((k * inner + l) * W)) };
        }
    }
}

/// Copies `to[l][..H] = from[..H][l]` for l below `inner`, where numbers of a row of `from` are `strides.1` apart, and
/// its rows `strides.0`. One of these must be 1.
///
/// # Safety
/// As for [`copy_columns`].
#[inline(always)]
pub unsafe fn copy_rows<T: Copy, const H: usize>(
    to: *mut T,
    from: *const T,
    strides: (usize, usize),
    inner: usize,
) {
    // SAFETY: as the caller promises.
    unsafe {
        match strides {
            (1, stride) => (0..inner).for_each(|l| copy::<T, H>(from.add(l * stride), to.add(l * H))),
            (stride, _) => {
                for l in 0..inner {
                    for r in 0..H {
                        *to.add(l * H + r) = *from.add(r * stride + l);
                    }
                }
            }
        }
    }
}

/// Copies N numbers.
///
/// # Safety
/// As for [`copy_columns`].
#[inline(always)]
unsafe fn copy<T: Copy, const N: usize>(from: *const T, to: *mut T) {
    // SAFETY: as the caller promises.
    unsafe { *to.cast::<[T; N]>() = *from.cast::<[T; N]>() };
}
