//! Elementary functions without a branch or a call, so that loops over them become vector code.
//!
//! e^x within 1.5 ulp, e^x - 1 within 2, sigmoid and tanh within 4: x = n ln 2 + r with |r| <= ln 2 / 2 (Cody and Waite,
//! 1980), e^x = 2^n e^r, and e^r = 1 + s, s = r + r^2 q(r) with q by its Taylor series, whose remainder is below a quarter
//! of an ulp.
//!
//! ln x within 1.5 ulp and ln(1 + x) within 2: x = 2^n m with sqrt(1/2) <= m < sqrt(2), and ln m = 2 atanh s with
//! s = f / (2 + f), f = m - 1, by the Taylor series of atanh: ln m = f - s (f - 2 s^2 / 3 - 2 s^4 / 5 - ...).
//!
//! Series are summed in pairs and pairs of pairs (Estrin's scheme), so that few operations wait for others.

use crate::nn::vector::simd::Isa;

// A number at a time, these are the system library's, which is the fastest, but for ln (1 + x): on ARM it has other last bits
// than on x64, and libm's are the same everywhere.

/// The sigmoid of one number, from a table.
///
/// In a small network nearly all of a step is the wait for one sigmoid after the other. A sum of e^-x and a division take
/// 55 cycles or more; the nearest of the places 1/32 apart, and the Taylor series around it, half of that.
pub mod table {
    use std::sync::LazyLock;

    use super::Isa;

    /// How many places there are from one number to the next.
    const DENSITY: f64 = 32.0;
    /// The places reach so far on both sides: beyond, 1 is the nearest number.
    const END: usize = 38;
    const PLACES: usize = 2 * END * DENSITY as usize + 1;

    /// Adding it rounds to a multiple of 1 / DENSITY, and leaves that in the low bits: 1.5 * 2^52 / DENSITY.
    const SHIFT: f64 = 211106232532992.0;

    /// How many coefficients a series has. The first that is left out is below 2^-52 of the function.
    const SERIES: usize = 7;

    type Series = [f64; SERIES];

    /// A place: a line of the cache.
    #[derive(Clone, Copy)]
    #[repr(align(64))]
    pub struct Place {
        /// Where it is
        pub x: f64,
        /// s_0, s_1 ... with s_0 + s_1 d + s_2 d^2 ... = sigmoid(x + d)
        pub series: Series,
    }

    static TABLE: LazyLock<Box<[Place]>> = LazyLock::new(|| {
        let around = |place| Place::around((place as f64 / DENSITY) - END as f64);
        (0..PLACES).map(around).collect()
    });

    /// The place that is nearest to x; none where x is not a number or beyond the ends.
    #[inline(always)]
    pub fn place(x: f64) -> Option<&'static Place> {
        let number = (x + SHIFT).to_bits().wrapping_sub(SHIFT.to_bits());
        let number = number.wrapping_add(END as u64 * DENSITY as u64);
        TABLE.get(usize::try_from(number).ok()?)
    }

    /// 1 / (1 + e^-x)
    #[inline(always)]
    pub fn sigmoid<I: Isa>(x: f64) -> f64 {
        match place(x) {
            Some(place) => sum::<I>(&place.series, x - place.x),
            None => 1.0 / (1.0 + (-x).exp()),
        }
    }

    /// The sum of a series.
    #[inline(always)]
    fn sum<I: Isa>(c: &Series, d: f64) -> f64 {
        let (d2, d4) = (d * d, (d * d) * (d * d));
        let pair = |k: usize| I::mul_add(c[k + 1], d, c[k]);
        let low = I::mul_add(pair(2), d2, pair(0));
        I::mul_add(I::mul_add(c[6], d2, pair(4)), d4, low)
    }

    impl Place {
        fn around(x: f64) -> Self {
            // On the left, where no digits cancel, as sigmoid(x + d) = 1 - sigmoid(-x - d).
            let e = (-x.abs()).exp();
            let mut series = [e / (1.0 + e); SERIES];
            for n in 1..SERIES {
                series[n] = last_slope(&series[..n]) / n as f64;
            }
            if x > 0.0 {
                series.iter_mut().step_by(2).for_each(|s| *s = -*s);
                series[0] = 1.0 / (1.0 + e);
            }
            Place { x, series }
        }
    }

    /// The last coefficient of as many of s' = s (1 - s).
    fn last_slope(s: &[f64]) -> f64 {
        let last = s.len() - 1;
        let square: f64 = (0..=last).map(|k| s[k] * s[last - k]).sum();
        s[last] - square
    }
}

/// In double precision.
pub mod f64 {
    use super::Isa;

    /// ln 2 in two parts; the first has so few significant bits that its product with any n is exact.
    const LN_2: [f64; 2] = [
        f64::from_bits(0x3FE6_2E42_FEE0_0000),
        f64::from_bits(0x3DEA_39EF_3579_3C76),
    ];
    /// Adding it leaves the nearest integer in the low bits of a small number: 1.5 * 2^52.
    const SHIFT: f64 = 6755399441055744.0;

    /// e^r - 1 and n with e^x = 2^n e^r, for |x| <= 746.
    #[inline(always)]
    fn reduced<I: Isa>(x: f64) -> (f64, i64) {
        let shifted = I::mul_add(x, std::f64::consts::LOG2_E, SHIFT);
        let n = shifted - SHIFT;
        let r = I::mul_add(n, -LN_2[1], I::mul_add(n, -LN_2[0], x));

        let (r2, r4) = (r * r, (r * r) * (r * r));
        let pair = |c0: f64, c1: f64| I::mul_add(1.0 / c1, r, 1.0 / c0);
        let four = |low, high| I::mul_add(high, r2, low);
        let q0 = four(pair(2.0, 6.0), pair(24.0, 120.0));
        let q4 = four(pair(720.0, 5040.0), pair(40320.0, 362880.0));
        let q8 = four(pair(3628800.0, 39916800.0), pair(479001600.0, 6227020800.0));
        let q = I::mul_add(I::mul_add(q8, r4, q4), r4, q0);
        let n = (shifted.to_bits() as i64).wrapping_sub(SHIFT.to_bits() as i64);
        (I::mul_add(r2, q, r), n)
    }

    /// 2^n, for n in [-1022, 1023].
    #[inline(always)]
    fn power_of_2(n: i64) -> f64 {
        f64::from_bits((n.wrapping_add(1023) << 52) as u64)
    }

    /// e^x
    #[inline(always)]
    pub fn exp<I: Isa>(x: f64) -> f64 {
        if !I::VECTOR {
            return x.exp();
        }
        // Beyond these e^x is 0 or infinite.
        let (s, n) = reduced::<I>(x.clamp(-746.0, 710.0));
        // 2^n in two factors: neither leaves the normal range where the product does.
        (1.0 + s) * power_of_2(n >> 1) * power_of_2(n - (n >> 1))
    }

    /// 1 / (1 + e^-x)
    #[inline(always)]
    pub fn sigmoid<I: Isa>(x: f64) -> f64 {
        if !I::VECTOR {
            return super::table::sigmoid::<I>(x);
        }
        let (s, n) = reduced::<I>(-x);
        // 1 + e^-x = 1 + (1 + s) 2^n, halved: 2^1024 is no number.
        let p = power_of_2(n - 1);
        let y = 0.5 / I::mul_add(s, p, p + 0.5);
        // Beyond these e^-x is infinite, or too small to be added to 1; `y` is meaningless there.
        let y = if x < -709.782712893384 { 0.0 } else { y };
        if x > 40.0 { 1.0 } else { y }
    }

    /// e^x - 1, exact near 0, for x <= 0; others count as 0.
    #[inline(always)]
    pub fn exp_m1<I: Isa>(x: f64) -> f64 {
        if !I::VECTOR {
            return x.min(0.0).exp_m1();
        }
        // Below it e^x is too small to be seen beside 1.
        let (s, n) = reduced::<I>(x.clamp(-50.0, 0.0));
        let p = power_of_2(n);
        I::mul_add(p, s, p - 1.0)
    }

    /// tanh x = (1 - e^-2x) / (1 + e^-2x), for x >= 0; and odd.
    #[inline(always)]
    pub fn tanh<I: Isa>(x: f64) -> f64 {
        if !I::VECTOR {
            return x.tanh();
        }
        let e = exp_m1::<I>(-2.0 * x.abs());
        (-e / (e + 2.0)).copysign(x)
    }

    /// ln x
    #[inline(always)]
    pub fn ln<I: Isa>(x: f64) -> f64 {
        if !I::VECTOR {
            return x.ln();
        }
        const ROOT_HALF: u64 = std::f64::consts::FRAC_1_SQRT_2.to_bits();
        // Numbers with leading zeros are scaled up by 2^54 first.
        let is_small = x < f64::MIN_POSITIVE;
        let scale = if is_small { 18014398509481984.0 } else { 1.0 };
        let bias = if is_small { 1023.0 + 54.0 } else { 1023.0 };
        let bits = (x * scale)
            .to_bits()
            .wrapping_sub(ROOT_HALF)
            .wrapping_add(1023 << 52);
        let n = f64::from_bits(SHIFT.to_bits() + (bits >> 52)) - SHIFT - bias;
        let f = f64::from_bits((bits & ((1 << 52) - 1)) + ROOT_HALF) - 1.0;

        let s = f / (2.0 + f);
        let z = s * s;
        let (z2, z4) = (z * z, (z * z) * (z * z));
        let pair = |c0: f64, c1: f64| I::mul_add(2.0 / c1, z, 2.0 / c0);
        let four = |low, high| I::mul_add(high, z2, low);
        let r0 = four(pair(3.0, 5.0), pair(7.0, 9.0));
        let r4 = four(pair(11.0, 13.0), pair(15.0, 17.0));
        let r = z * I::mul_add(I::mul_add(pair(19.0, 21.0), z4, r4), z4, r0);
        let y = I::mul_add(n, LN_2[0], I::mul_add(n, LN_2[1], I::mul_add(s, r - f, f)));
        ends(x, y)
    }

    /// `y`, but where x is 0 or infinite, or not a number that has a logarithm.
    #[inline(always)]
    fn ends(x: f64, y: f64) -> f64 {
        let y = if x < f64::INFINITY { y } else { x };
        let y = if x > 0.0 { y } else { f64::NAN };
        if x == 0.0 { f64::NEG_INFINITY } else { y }
    }

    /// ln(1 + x), exact near 0, for x in [0, 1].
    #[inline(always)]
    pub fn ln_1p<I: Isa>(x: f64) -> f64 {
        if !I::VECTOR {
            return libm::log1p(x);
        }
        let sum = 1.0 + x;
        // What the sum was rounded by, times the derivative there.
        ln::<I>(sum) + (x - (sum - 1.0)) / sum
    }
}

/// In single precision.
pub mod f32 {
    use super::Isa;

    /// ln 2 in two parts; the first has so few significant bits that its product with any n is exact.
    const LN_2: [f32; 2] = [f32::from_bits(0x3F31_7200), f32::from_bits(0x35BF_BE8E)];
    /// Adding it leaves the nearest integer in the low bits of a small number: 1.5 * 2^23.
    const SHIFT: f32 = 12582912.0;

    /// e^r - 1 and n with e^x = 2^n e^r, for |x| <= 104.
    #[inline(always)]
    fn reduced<I: Isa>(x: f32) -> (f32, i32) {
        let shifted = I::mul_add(x, std::f32::consts::LOG2_E, SHIFT);
        let n = shifted - SHIFT;
        let r = I::mul_add(n, -LN_2[1], I::mul_add(n, -LN_2[0], x));

        let r2 = r * r;
        let pair = |c0: f32, c1: f32| I::mul_add(1.0 / c1, r, 1.0 / c0);
        let q0 = I::mul_add(pair(24.0, 120.0), r2, pair(2.0, 6.0));
        let q = I::mul_add(pair(720.0, 5040.0), r2 * r2, q0);
        let n = (shifted.to_bits() as i32).wrapping_sub(SHIFT.to_bits() as i32);
        (I::mul_add(r2, q, r), n)
    }

    /// 2^n, for n in [-126, 127].
    #[inline(always)]
    fn power_of_2(n: i32) -> f32 {
        f32::from_bits((n.wrapping_add(127) << 23) as u32)
    }

    /// e^x
    #[inline(always)]
    pub fn exp<I: Isa>(x: f32) -> f32 {
        if !I::VECTOR {
            return x.exp();
        }
        // Beyond these e^x is 0 or infinite.
        let (s, n) = reduced::<I>(x.clamp(-104.0, 89.0));
        // 2^n in two factors: neither leaves the normal range where the product does.
        (1.0 + s) * power_of_2(n >> 1) * power_of_2(n - (n >> 1))
    }

    /// 1 / (1 + e^-x)
    #[inline(always)]
    pub fn sigmoid<I: Isa>(x: f32) -> f32 {
        if !I::VECTOR {
            return super::table::sigmoid::<I>(x.into()) as f32;
        }
        let (s, n) = reduced::<I>(-x);
        // 1 + e^-x = 1 + (1 + s) 2^n, halved: 2^1024 is no number.
        let p = power_of_2(n - 1);
        let y = 0.5 / I::mul_add(s, p, p + 0.5);
        // Beyond these e^-x is infinite, or too small to be added to 1; `y` is meaningless there.
        let y = if x < -88.72283 { 0.0 } else { y };
        if x > 20.0 { 1.0 } else { y }
    }

    /// e^x - 1, exact near 0, for x <= 0; others count as 0.
    #[inline(always)]
    pub fn exp_m1<I: Isa>(x: f32) -> f32 {
        if !I::VECTOR {
            return x.min(0.0).exp_m1();
        }
        // Below it e^x is too small to be seen beside 1.
        let (s, n) = reduced::<I>(x.clamp(-25.0, 0.0));
        let p = power_of_2(n);
        I::mul_add(p, s, p - 1.0)
    }

    /// tanh x = (1 - e^-2x) / (1 + e^-2x), for x >= 0; and odd.
    #[inline(always)]
    pub fn tanh<I: Isa>(x: f32) -> f32 {
        if !I::VECTOR {
            return x.tanh();
        }
        let e = exp_m1::<I>(-2.0 * x.abs());
        (-e / (e + 2.0)).copysign(x)
    }

    /// ln x
    #[inline(always)]
    pub fn ln<I: Isa>(x: f32) -> f32 {
        if !I::VECTOR {
            return x.ln();
        }
        const ROOT_HALF: u32 = std::f32::consts::FRAC_1_SQRT_2.to_bits();
        // Numbers with leading zeros are scaled up by 2^25 first.
        let is_small = x < f32::MIN_POSITIVE;
        let scale = if is_small { 33554432.0 } else { 1.0 };
        let bias = if is_small { 127.0 + 25.0 } else { 127.0 };
        let bits = (x * scale)
            .to_bits()
            .wrapping_sub(ROOT_HALF)
            .wrapping_add(127 << 23);
        let n = f32::from_bits(SHIFT.to_bits() + (bits >> 23)) - SHIFT - bias;
        let f = f32::from_bits((bits & ((1 << 23) - 1)) + ROOT_HALF) - 1.0;

        let s = f / (2.0 + f);
        let z = s * s;
        let pair = |c0: f32, c1: f32| I::mul_add(2.0 / c1, z, 2.0 / c0);
        let r = z * I::mul_add(pair(7.0, 9.0), z * z, pair(3.0, 5.0));
        let y = I::mul_add(n, LN_2[0], I::mul_add(n, LN_2[1], I::mul_add(s, r - f, f)));
        ends(x, y)
    }

    /// `y`, but where x is 0 or infinite, or not a number that has a logarithm.
    #[inline(always)]
    fn ends(x: f32, y: f32) -> f32 {
        let y = if x < f32::INFINITY { y } else { x };
        let y = if x > 0.0 { y } else { f32::NAN };
        if x == 0.0 { f32::NEG_INFINITY } else { y }
    }

    /// ln(1 + x), exact near 0, for x in [0, 1].
    #[inline(always)]
    pub fn ln_1p<I: Isa>(x: f32) -> f32 {
        if !I::VECTOR {
            return libm::log1pf(x);
        }
        let sum = 1.0 + x;
        // What the sum was rounded by, times the derivative there.
        ln::<I>(sum) + (x - (sum - 1.0)) / sum
    }
}

#[cfg(test)]
mod tests;
