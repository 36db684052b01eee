use crate::nn::vector::simd::{Fused, Portable, Scalar};

#[test]
fn ln_2_is_split_so_that_products_are_exact() {
    // The first part ends in 11 (f64) and 9 (f32) zero bits or more: room for any n.
    let high = f64::from_bits(0x3FE6_2E42_FEE0_0000);
    assert_eq!(
        high + f64::from_bits(0x3DEA_39EF_3579_3C76),
        std::f64::consts::LN_2
    );
    assert!(high.to_bits().trailing_zeros() >= 11);
    let high = f32::from_bits(0x3F31_7200);
    let low = f32::from_bits(0x35BF_BE8E);
    assert!((high as f64 + low as f64 - std::f64::consts::LN_2).abs() < 1e-13);
    assert!(high.to_bits().trailing_zeros() >= 8);
}

#[test]
fn exp_is_within_one_and_a_half_ulps_from_end_to_end() {
    for i in (-74_600_000..71_000_000).step_by(97) {
        let x = f64::from(i) * 1e-5 + 3.7e-7;
        let exact = x.exp();
        let ulp = f64::from_bits(exact.to_bits() + 1) - exact;
        for mine in [super::f64::exp::<Fused>(x), super::f64::exp::<Portable>(x)] {
            assert!(
                mine == exact || (mine - exact).abs() <= 1.5 * ulp,
                "e^{x:e}: {mine:e} for {exact:e}"
            );
        }
    }
}

#[test]
fn exp_in_single_precision_is_within_one_and_a_half_ulps_from_end_to_end() {
    for i in -1_039_000..887_000 {
        let x = i as f32 * 1e-4 + 3.3e-6;
        let exact = f64::from(x).exp();
        let ulp = f32::from_bits((exact as f32).to_bits() + 1) - exact as f32;
        for mine in [super::f32::exp::<Fused>(x), super::f32::exp::<Portable>(x)] {
            assert!(
                (f64::from(mine) - exact).abs() <= 1.5 * f64::from(ulp),
                "e^{x:e}: {mine:e} for {exact:e}"
            );
        }
    }
}

#[test]
fn exp_ends_in_zero_and_infinity_and_passes_through_one() {
    for x in [-746.0, -1e3, -1e300, f64::NEG_INFINITY] {
        assert_eq!(super::f64::exp::<Fused>(x), 0.0);
        assert_eq!(super::f32::exp::<Fused>(x as f32), 0.0);
    }
    for x in [710.0, 1e3, 1e300, f64::INFINITY] {
        assert_eq!(super::f64::exp::<Portable>(x), f64::INFINITY);
        assert_eq!(super::f32::exp::<Portable>(x as f32), f32::INFINITY);
    }
    for zero in [0.0, -0.0] {
        assert_eq!(super::f64::exp::<Fused>(zero), 1.0);
        assert_eq!(super::f32::exp::<Fused>(zero as f32), 1.0);
    }
}

#[test]
fn sigmoid_is_within_four_ulps_from_end_to_end() {
    for i in (-75_000_000..5_000_000).step_by(97) {
        let x = f64::from(i) * 1e-5 + 3.7e-7;
        let exact = 1.0 / (1.0 + (-x).exp());
        let ulp = f64::from_bits(exact.to_bits() + 1) - exact;
        for mine in [
            super::f64::sigmoid::<Fused>(x),
            super::f64::sigmoid::<Portable>(x),
            super::f64::sigmoid::<Scalar<Fused>>(x),
            super::f64::sigmoid::<Scalar<Portable>>(x),
        ] {
            assert!(
                (mine - exact).abs() <= 4.0 * ulp,
                "at {x:e}: {mine:e} for {exact:e}"
            );
        }
    }
    for i in -1_039_000..300_000 {
        let x = i as f32 * 1e-4 + 3.3e-6;
        assert_eq!(
            super::f32::sigmoid::<Scalar<Fused>>(x),
            super::f64::sigmoid::<Scalar<Fused>>(x.into()) as f32
        );
        // Below -88.7 e^-x is infinite in single precision, and sigmoid 0.
        let exact = if x < -88.72283 {
            0.0
        } else {
            1.0 / (1.0 + (-f64::from(x)).exp())
        };
        let ulp = f32::from_bits((exact as f32).to_bits() + 1) - exact as f32;
        for mine in [
            super::f32::sigmoid::<Fused>(x),
            super::f32::sigmoid::<Portable>(x),
        ] {
            let error = (f64::from(mine) - exact).abs();
            assert!(error <= 4.0 * f64::from(ulp), "at {x:e}: {mine:e} for {exact:e}");
        }
    }
}

#[test]
fn series_of_the_table_are_those_of_the_sigmoid() {
    use super::table::place;
    let sum = |series: [f64; 7], d: f64| series.iter().rev().fold(0.0, |sum, c| sum * d + c);
    for i in -3_700..3_700 {
        let x = f64::from(i) * 1e-2 + 3.7e-7;
        let place = place(x).unwrap();
        let d = x - place.x;
        assert!(d.abs() <= 1.0 / 64.0);
        let exact = 1.0 / (1.0 + (-x).exp());
        let mine = sum(place.series, d);
        assert!(ulps(mine, exact) <= 4.0, "at {x:e}: {mine:e} for {exact:e}");
    }
    for x in [39.0, -39.0, 1e16, -1e300, f64::INFINITY, f64::NAN] {
        assert!(place(x).is_none(), "{x}");
    }
}

#[test]
fn sigmoid_ends_in_zero_and_one_and_passes_through_a_half() {
    for x in [-1e3, -1e300, f64::NEG_INFINITY] {
        assert_eq!(super::f64::sigmoid::<Fused>(x), 0.0);
        assert_eq!(super::f64::sigmoid::<Scalar<Fused>>(x), 0.0);
        assert_eq!(super::f32::sigmoid::<Fused>(x as f32), 0.0);
    }
    for x in [38.0, 1e3, 1e300, f64::INFINITY] {
        assert_eq!(super::f64::sigmoid::<Scalar<Fused>>(x), 1.0);
    }
    assert!(super::f64::sigmoid::<Scalar<Fused>>(f64::NAN).is_nan());
    assert_eq!(super::f64::sigmoid::<Scalar<Fused>>(0.0), 0.5);
    for x in [1e3, 1e300, f64::INFINITY] {
        assert_eq!(super::f64::sigmoid::<Portable>(x), 1.0);
        assert_eq!(super::f32::sigmoid::<Portable>(x as f32), 1.0);
    }
    assert_eq!(super::f64::sigmoid::<Fused>(0.0), 0.5);
    assert_eq!(super::f32::sigmoid::<Fused>(-0.0), 0.5);
}

/// How far `mine` is from `exact`, in units of the last place of the latter.
fn ulps(mine: f64, exact: f64) -> f64 {
    let ulp = f64::from_bits(exact.abs().to_bits() + 1) - exact.abs();
    if mine == exact {
        0.0
    } else {
        (mine - exact).abs() / ulp
    }
}

/// The same in single precision.
fn single_ulps(mine: f32, exact: f64) -> f64 {
    let near = (exact as f32).abs();
    let ulp = f32::from_bits(near.to_bits() + 1) - near;
    (f64::from(mine) - exact).abs() / f64::from(ulp)
}

/// The largest error of a function and its arguments, near 0 and far from it.
fn worst(arguments: impl Iterator<Item = f64>, error: impl Fn(f64) -> f64) -> f64 {
    arguments
        .map(error)
        .fold(0.0, |worst, error| if error <= worst { worst } else { error })
}

/// From `low` to `high` times 2^k, for all k: no stretch of numbers is left out.
fn scaled(exponents: std::ops::Range<i32>) -> impl Iterator<Item = f64> {
    exponents.flat_map(|k| (0..997).map(move |i| (1.0 + f64::from(i) / 997.0) * 2f64.powi(k)))
}

#[test]
fn exp_m1_is_within_two_ulps() {
    let error = |x: f64| ulps(super::f64::exp_m1::<Fused>(-x), (-x).exp_m1());
    assert!(worst(scaled(-1060..9), error) <= 2.0);
    let error = |x: f64| ulps(super::f64::exp_m1::<Portable>(-x), (-x).exp_m1());
    assert!(worst(scaled(-1060..9), error) <= 2.0);
    let error = |x: f64| {
        single_ulps(
            super::f32::exp_m1::<Fused>(-x as f32),
            f64::from(-x as f32).exp_m1(),
        )
    };
    assert!(worst(scaled(-120..9), error) <= 2.0);
    assert_eq!(super::f64::exp_m1::<Fused>(5.0), 0.0);
    assert!(super::f64::exp_m1::<Fused>(f64::NAN).is_nan());
}

#[test]
fn tanh_is_within_four_ulps_and_odd() {
    let error = |x: f64| ulps(super::f64::tanh::<Fused>(x), x.tanh());
    assert!(worst(scaled(-1060..9), error) <= 4.0);
    let error = |x: f64| ulps(super::f64::tanh::<Portable>(-x), -x.tanh());
    assert!(worst(scaled(-1060..9), error) <= 4.0);
    let error = |x: f64| single_ulps(super::f32::tanh::<Fused>(x as f32), f64::from(x as f32).tanh());
    assert!(worst(scaled(-120..9), error) <= 4.0);
    for (x, exact) in [(0.0, 0.0), (1e300, 1.0), (f64::INFINITY, 1.0)] {
        assert_eq!(super::f64::tanh::<Fused>(x), exact);
        assert_eq!(super::f64::tanh::<Fused>(-x), -exact);
        assert_eq!(super::f32::tanh::<Fused>(-x as f32), -exact as f32);
    }
    assert!(super::f64::tanh::<Fused>(f64::NAN).is_nan());
}

#[test]
fn ln_is_within_one_and_a_half_ulps() {
    let error = |x: f64| ulps(super::f64::ln::<Fused>(x), x.ln());
    assert!(worst(scaled(-1073..1024), error) <= 1.5);
    let error = |x: f64| ulps(super::f64::ln::<Portable>(x), x.ln());
    assert!(worst(scaled(-1073..1024), error) <= 1.5);
    let error = |x: f64| single_ulps(super::f32::ln::<Fused>(x as f32), f64::from(x as f32).ln());
    assert!(worst(scaled(-148..127), error) <= 1.5);
    assert_eq!(super::f64::ln::<Fused>(0.0), f64::NEG_INFINITY);
    assert_eq!(super::f64::ln::<Fused>(f64::INFINITY), f64::INFINITY);
    assert_eq!(super::f32::ln::<Fused>(-0.0), f32::NEG_INFINITY);
    assert!(super::f64::ln::<Fused>(-1.0).is_nan() && super::f64::ln::<Fused>(f64::NAN).is_nan());
    assert!(super::f32::ln::<Fused>(-f32::INFINITY).is_nan());
}

#[test]
fn ln_1p_is_within_two_ulps() {
    let error = |x: f64| ulps(super::f64::ln_1p::<Fused>(x), x.ln_1p());
    assert!(worst(scaled(-1073..0), error) <= 2.0);
    let error = |x: f64| ulps(super::f64::ln_1p::<Portable>(x), x.ln_1p());
    assert!(worst(scaled(-1073..0), error) <= 2.0);
    let error = |x: f64| single_ulps(super::f32::ln_1p::<Fused>(x as f32), f64::from(x as f32).ln_1p());
    assert!(worst(scaled(-148..0), error) <= 2.0);
    assert_eq!(super::f64::ln_1p::<Fused>(0.0), 0.0);
    assert!(super::f64::ln_1p::<Fused>(f64::NAN).is_nan());
}
