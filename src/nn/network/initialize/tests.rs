use super::*;
use crate::nn::network::activation::Activation;
use crate::nn::network::loss::Loss;
use crate::nn::network::options::{LayerOptions, NetworkOptions, Precision};

fn weights(initializer: Initializer, inputs: usize, units: usize) -> Vec<f64> {
    let layer = LayerOptions::new(units, Activation::Tanh, initializer);
    let options = NetworkOptions {
        inputs,
        layers: vec![layer],
        loss: Loss::Mse,
        precision: Precision::F64,
        seed: None,
    };
    let architecture = Architecture::new(&options).unwrap();
    let mut values = vec![f64::NAN; architecture.value_count()];
    initialize(&architecture, &mut values, 11);
    let layer = &architecture.layers()[0];
    if initializer != UnitUniform {
        assert!(values[layer.biases.clone()].iter().all(|&b| b == 0.0));
    }
    values[layer.weights.clone()].to_vec()
}

fn moments(x: &[f64]) -> (f64, f64) {
    let mean = x.iter().sum::<f64>() / x.len() as f64;
    (
        mean,
        x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / x.len() as f64,
    )
}

#[test]
fn draws_have_the_mean_variance_and_range_of_their_distribution() {
    let (i, u) = (300usize, 200usize);
    let (fan, both) = (i as f64, (i + u) as f64);
    for (initializer, mean, variance, range) in [
        (
            Uniform {
                minimum: -2.0,
                maximum: 4.0,
            },
            1.0,
            3.0,
            -2.0..4.0,
        ),
        (
            Uniform {
                minimum: 0.0,
                maximum: 1.0,
            },
            0.5,
            1.0 / 12.0,
            0.0..1.0,
        ),
        (UnitUniform, 0.5, 1.0 / 12.0, 0.0..1.0),
        (
            Normal {
                mean: 3.0,
                standard_deviation: 0.5,
            },
            3.0,
            0.25,
            0.0..6.0,
        ),
        (
            GlorotUniform,
            0.0,
            2.0 / both,
            -(6.0 / both).sqrt()..(6.0 / both).sqrt(),
        ),
        (GlorotNormal, 0.0, 2.0 / both, -1.0..1.0),
        (HeUniform, 0.0, 2.0 / fan, -(6.0 / fan).sqrt()..(6.0 / fan).sqrt()),
        (HeNormal, 0.0, 2.0 / fan, -1.0..1.0),
        (
            LecunUniform,
            0.0,
            1.0 / fan,
            -(3.0 / fan).sqrt()..(3.0 / fan).sqrt(),
        ),
        (LecunNormal, 0.0, 1.0 / fan, -1.0..1.0),
        (
            FanInUniform,
            0.0,
            1.0 / (3.0 * fan),
            -(1.0 / fan).sqrt()..(1.0 / fan).sqrt(),
        ),
    ] {
        let drawn = weights(initializer, i, u);
        let (found_mean, found_variance) = moments(&drawn);
        // Four standard errors of 60,000 draws.
        assert!(
            (found_mean - mean).abs() < 4.0 * (variance / 6e4).sqrt(),
            "{initializer:?}: {found_mean}"
        );
        assert!(
            (found_variance / variance - 1.0).abs() < 0.03,
            "{initializer:?}: {found_variance}"
        );
        assert!(drawn.iter().all(|x| range.contains(x)), "{initializer:?}");
    }
    assert!(weights(Zeros, 3, 2).iter().all(|&w| w == 0.0));
}

#[test]
fn biases_come_from_their_own_distribution_and_leave_the_weights_alone() {
    let (inputs, units) = (40, 5000);
    let started = |bias_initializer| {
        let first = LayerOptions {
            bias_initializer,
            ..LayerOptions::new(units, Activation::Relu, HeUniform)
        };
        let options = NetworkOptions {
            inputs,
            layers: vec![first, LayerOptions::new(3, Activation::Linear, GlorotUniform)],
            ..NetworkOptions::original(1, 1, 1)
        };
        let architecture = Architecture::new(&options).unwrap();
        let mut values = vec![f64::NAN; architecture.value_count()];
        initialize(&architecture, &mut values, 11);
        let layers = architecture.layers();
        let weights: Vec<f64> = layers
            .iter()
            .flat_map(|layer| &values[layer.weights.clone()])
            .copied()
            .collect();
        assert!(values[layers[1].biases.clone()].iter().all(|&b| b == 0.0));
        (weights, values[layers[0].biases.clone()].to_vec())
    };
    let (weights, biases) = started(Zeros);
    assert!(biases.iter().all(|&b| b == 0.0));
    let (fan, both) = (inputs as f64, (inputs + units) as f64);
    for (initializer, mean, variance) in [
        (
            Uniform {
                minimum: 1.0,
                maximum: 4.0,
            },
            2.5,
            0.75,
        ),
        (
            Normal {
                mean: 1.0,
                standard_deviation: 0.5,
            },
            1.0,
            0.25,
        ),
        (GlorotUniform, 0.0, 2.0 / both),
        (HeNormal, 0.0, 2.0 / fan),
        (LecunUniform, 0.0, 1.0 / fan),
        (FanInUniform, 0.0, 1.0 / (3.0 * fan)),
    ] {
        let (same, biases) = started(initializer);
        assert_eq!(same, weights, "{initializer:?}");
        let (found_mean, found_variance) = moments(&biases);
        assert!(
            (found_mean - mean).abs() < 4.0 * (variance / 5e3).sqrt(),
            "{initializer:?}: {found_mean}"
        );
        assert!(
            (found_variance / variance - 1.0).abs() < 0.1,
            "{initializer:?}: {found_variance}"
        );
    }
}

#[test]
fn orthogonal_is_orthogonal_both_ways() {
    for (inputs, units) in [(6, 4), (4, 6), (5, 5), (1, 3), (3, 1)] {
        let w = weights(Orthogonal { gain: 2.0 }, inputs, units);
        let at = |input: usize, unit: usize| w[input * units + unit];
        let count = inputs.min(units);
        for a in 0..count {
            for b in 0..count {
                let dot: f64 = if units <= inputs {
                    (0..inputs).map(|i| at(i, a) * at(i, b)).sum()
                } else {
                    (0..units).map(|u| at(a, u) * at(b, u)).sum()
                };
                let expected = if a == b { 4.0 } else { 0.0 };
                assert!((dot - expected).abs() < 1e-12, "{inputs}x{units}: {dot}");
            }
        }
    }
}

#[test]
fn the_weights_of_a_seed_never_change() {
    // Written down once: a change breaks everybody's reproducible runs.
    let digest = |initializer| {
        weights(initializer, 7, 5)
            .iter()
            .fold(0u64, |h, w| h.rotate_left(7) ^ w.to_bits())
    };
    let orthogonal = Orthogonal { gain: 1.0 };
    assert_eq!(
        [digest(HeUniform), digest(GlorotNormal), digest(orthogonal)],
        [2002525794532706888, 308047748051321617, 4695853389393769828]
    );
}
