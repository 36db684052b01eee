//! The two precisions a network can have.

use std::fmt::Debug;
use std::ops::{Add, AddAssign, Div, Mul, MulAssign, Neg, Sub, SubAssign};

use crate::nn::host::archive::Element;
use crate::nn::network::options::Precision;
use crate::nn::vector::elementary;
use crate::nn::vector::simd::Isa;

#[cfg(target_arch = "wasm32")]
use crate::nn::vector::wasm::Vector as Platform;

/// What numbers are for one platform alone: here nothing.
#[cfg(not(target_arch = "wasm32"))]
pub trait Platform {}

#[cfg(not(target_arch = "wasm32"))]
impl<T> Platform for T {}

/// A floating-point number: `f64` or `f32`.
pub trait Real:
    Copy
    + Element
    + Debug
    + Default
    + PartialEq
    + PartialOrd
    + Send
    + Sync
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + Platform
    + 'static
{
    /// Its name in options.
    const PRECISION: Precision;
    /// Zero.
    const ZERO: Self;
    /// One.
    const ONE: Self;
    /// One, alone.
    const ONE_ALONE: &'static [Self];
    /// Half the distance between the largest finite number and its neighbour. A smaller change can be added
    /// to any finite number without reaching infinity.
    const SAFE_UPDATE: Self;

    /// The least number with all bits of precision.
    const LEAST_NORMAL: Self;

    /// Above it a number has no finite square that could be summed.
    const HUGE: Self;

    /// The nearest number of this precision.
    fn from_f64(x: f64) -> Self;
    /// The same number in double precision.
    fn to_f64(self) -> f64;
    /// Neither NaN nor infinite.
    fn is_finite(self) -> bool;
    /// x, or the largest number of its sign where x is infinite.
    fn held_finite(self) -> Self;
    /// |x|
    fn abs(self) -> Self;
    /// e^x (see [`crate::nn::vector::elementary`]).
    fn exp<I: Isa>(self) -> Self;
    /// e^x - 1, exact near 0, for x <= 0 (see [`crate::nn::vector::elementary`]).
    fn exp_m1<I: Isa>(self) -> Self;
    /// ln x (see [`crate::nn::vector::elementary`]).
    fn ln<I: Isa>(self) -> Self;
    /// ln (1 + x), exact near 0, for x in [0, 1] (see [`crate::nn::vector::elementary`]).
    fn ln_1p<I: Isa>(self) -> Self;
    /// tanh x (see [`crate::nn::vector::elementary`]).
    fn tanh<I: Isa>(self) -> Self;
    /// 1 - erf x, exact in the tail.
    fn erfc(self) -> Self;
    /// The square root.
    fn sqrt(self) -> Self;
    /// 1 / (1 + e^-x) (see [`crate::nn::vector::elementary`]).
    fn sigmoid<I: Isa>(self) -> Self;
    /// `self * a + b` rounded once; slow where the processor has no such instruction (see [`crate::nn::vector::simd`]).
    fn mul_add(self, a: Self, b: Self) -> Self;
}

macro_rules! real {
    ($t:ident, $precision:ident, $half_ulp_of_max:expr, $huge:expr) => {
        impl Real for $t {
            const PRECISION: Precision = Precision::$precision;
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const ONE_ALONE: &'static [Self] = &[1.0];
            const SAFE_UPDATE: Self = $half_ulp_of_max;
            const LEAST_NORMAL: Self = <$t>::MIN_POSITIVE;
            const HUGE: Self = $huge;

            #[inline(always)]
            fn from_f64(x: f64) -> Self {
                x as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                self as f64
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                <$t>::is_finite(self)
            }
            #[inline(always)]
            fn held_finite(self) -> Self {
                self.clamp(<$t>::MIN, <$t>::MAX)
            }
            #[inline(always)]
            fn abs(self) -> Self {
                <$t>::abs(self)
            }
            #[inline(always)]
            fn exp<I: Isa>(self) -> Self {
                elementary::$t::exp::<I>(self)
            }
            #[inline(always)]
            fn exp_m1<I: Isa>(self) -> Self {
                elementary::$t::exp_m1::<I>(self)
            }
            #[inline(always)]
            fn ln<I: Isa>(self) -> Self {
                elementary::$t::ln::<I>(self)
            }
            #[inline(always)]
            fn ln_1p<I: Isa>(self) -> Self {
                elementary::$t::ln_1p::<I>(self)
            }
            #[inline(always)]
            fn tanh<I: Isa>(self) -> Self {
                elementary::$t::tanh::<I>(self)
            }
            #[inline(always)]
            fn erfc(self) -> Self {
                libm::erfc(self as f64) as $t
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                <$t>::sqrt(self)
            }
            #[inline(always)]
            fn sigmoid<I: Isa>(self) -> Self {
                elementary::$t::sigmoid::<I>(self)
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                <$t>::mul_add(self, a, b)
            }
        }
    };
}

// 2^970 and 2^103: the exponent of MAX (1023, 127) less the bits of the significand (52, 23), halved.
real!(f64, F64, f64::from_bits((970 + 1023) << 52), 1e140);
real!(f32, F32, f32::from_bits((103 + 127) << 23), 1e15);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_safe_update_never_reaches_infinity() {
        let just_below = f64::from_bits(f64::SAFE_UPDATE.to_bits() - 1);
        assert_eq!(f64::MAX + just_below, f64::MAX);
        assert_eq!(f64::MAX + f64::SAFE_UPDATE, f64::INFINITY);
        let just_below = f32::from_bits(f32::SAFE_UPDATE.to_bits() - 1);
        assert_eq!(f32::MAX + just_below, f32::MAX);
        assert_eq!(f32::MAX + f32::SAFE_UPDATE, f32::INFINITY);
    }
}
