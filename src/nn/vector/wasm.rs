//! Vectors of WebAssembly: 16 bytes, which every engine has since 2022.

use std::arch::wasm32::{
    f32x4_add, f32x4_mul, f32x4_splat, f64x2_add, f64x2_mul, f64x2_splat, v128, v128_load, v128_store,
};

/// Numbers that come in vectors.
pub trait Vector: Copy {
    /// How many a vector holds.
    const LANES: usize;
    /// A vector of the same number.
    fn splat(self) -> v128;
    /// a + b
    fn plus(a: v128, b: v128) -> v128;
    /// a b
    fn times(a: v128, b: v128) -> v128;
    /// The numbers at a place.
    ///
    /// # Safety
    /// They are there.
    #[inline(always)]
    unsafe fn load(from: *const Self) -> v128 {
        // SAFETY: the caller's promise; any place is aligned enough.
        unsafe { v128_load(from.cast()) }
    }
    /// Writes numbers to a place.
    ///
    /// # Safety
    /// There is room for them.
    #[inline(always)]
    unsafe fn store(to: *mut Self, vector: v128) {
        // SAFETY: as above.
        unsafe { v128_store(to.cast(), vector) }
    }
}

macro_rules! vector {
    ($t:ident, $lanes:expr, $splat:ident, $add:ident, $times:ident) => {
        impl Vector for $t {
            const LANES: usize = $lanes;
            #[inline(always)]
            fn splat(self) -> v128 {
                $splat(self)
            }
            #[inline(always)]
            fn plus(a: v128, b: v128) -> v128 {
                $add(a, b)
            }
            #[inline(always)]
            fn times(a: v128, b: v128) -> v128 {
                $times(a, b)
            }
        }
    };
}

vector!(f32, 4, f32x4_splat, f32x4_add, f32x4_mul);
vector!(f64, 2, f64x2_splat, f64x2_add, f64x2_mul);
