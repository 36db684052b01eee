//! The distributions that starting weights are drawn from.
//!
//! The draws run layer by layer, neuron by neuron: a neuron's weights in the order of its inputs. They are
//! made in double precision with our own distributions, so that a seed gives the same weights everywhere. Biases
//! are drawn when all weights are, so that whatever they start from, the weights of a seed are the same.

use super::architecture::{Architecture, Layer};
use super::orthogonal::orthonormalize;
use super::random::Generator;
use super::real::Real;

/// How the weights of a layer start, or its biases.
///
/// With i inputs and u units:
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Initializer {
    /// U[0, 1), a neuron's bias after its weights, as in the original library.
    UnitUniform,
    /// U[minimum, maximum)
    Uniform {
        /// The least weight.
        minimum: f64,
        /// The bound that no weight reaches.
        maximum: f64,
    },
    /// N(mean, standard_deviation^2)
    Normal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        standard_deviation: f64,
    },
    /// U(-r, r), r = sqrt(6 / (i + u)) (Glorot and Bengio, 2010)
    GlorotUniform,
    /// N(0, 2 / (i + u)) (Glorot and Bengio, 2010)
    GlorotNormal,
    /// U(-r, r), r = sqrt(6 / i) (He et al., 2015)
    HeUniform,
    /// N(0, 2 / i) (He et al., 2015)
    HeNormal,
    /// U(-r, r), r = sqrt(3 / i) (LeCun et al., 1998)
    LecunUniform,
    /// N(0, 1 / i) (LeCun et al., 1998)
    LecunNormal,
    /// U(-r, r), r = 1 / sqrt(i) (PyTorch's `nn.Linear`)
    FanInUniform,
    /// Rows, or columns where there are fewer inputs, of length `gain` at right angles (Saxe et al., 2014)
    Orthogonal {
        /// The length.
        gain: f64,
    },
    /// 0: for a single layer only; neurons that start alike stay alike.
    Zeros,
}

use Initializer::*;

impl Initializer {
    /// Every initializer a user can name, with its default parameters: the one list there is.
    pub const ALL: [(&str, Initializer); 11] = [
        (
            "uniform",
            Uniform {
                minimum: 0.0,
                maximum: 1.0,
            },
        ),
        (
            "normal",
            Normal {
                mean: 0.0,
                standard_deviation: 1.0,
            },
        ),
        ("glorotUniform", GlorotUniform),
        ("glorotNormal", GlorotNormal),
        ("heUniform", HeUniform),
        ("heNormal", HeNormal),
        ("lecunUniform", LecunUniform),
        ("lecunNormal", LecunNormal),
        ("fanInUniform", FanInUniform),
        ("orthogonal", Orthogonal { gain: 1.0 }),
        ("zeros", Zeros),
    ];

    /// The name of `UnitUniform`, which users reach by the original's constructor alone: only what is saved says it.
    pub const UNIT_UNIFORM: &str = "unitUniform";

    /// The name in options.
    pub fn name(self) -> &'static str {
        let same = |other: &Initializer| std::mem::discriminant(other) == std::mem::discriminant(&self);
        Self::ALL
            .iter()
            .find(|(_, other)| same(other))
            .map_or(Self::UNIT_UNIFORM, |(name, _)| name)
    }

    /// Those that biases can start from: all but the one that makes a layer's weights as a whole.
    pub fn for_biases() -> Vec<(&'static str, Initializer)> {
        let drawn_singly = |row: &(_, Initializer)| !matches!(row.1, Orthogonal { .. });
        Self::ALL.into_iter().filter(drawn_singly).collect()
    }
}

/// Fills `values` with the starting parameters and statistics that `seed` determines.
pub fn initialize<T: Real>(architecture: &Architecture, values: &mut [T], seed: u64) {
    let mut generator = Generator::new(seed);
    for layer in architecture.layers() {
        match layer.options.initializer {
            Orthogonal { gain } => orthogonal(layer, values, gain, &mut generator),
            initializer => {
                for unit in 0..layer.units {
                    for input in 0..layer.inputs {
                        values[layer.weight(input, unit)] = draw(initializer, layer, &mut generator);
                    }
                    if is_original(layer) {
                        values[layer.bias(unit)] = draw(UnitUniform, layer, &mut generator);
                    }
                }
            }
        }
        values[layer.gamma.clone()].fill(T::ONE);
        values[layer.beta.clone()].fill(T::ZERO);
        values[layer.mean.clone()].fill(T::ZERO);
        values[layer.variance.clone()].fill(T::ONE);
    }
    for layer in architecture.layers() {
        if !is_original(layer) {
            for unit in 0..layer.units {
                values[layer.bias(unit)] = draw(layer.options.bias_initializer, layer, &mut generator);
            }
        }
    }
}

/// Whether its biases are drawn along with its weights.
fn is_original(layer: &Layer) -> bool {
    (layer.options.initializer, layer.options.bias_initializer) == (UnitUniform, UnitUniform)
}

fn draw<T: Real>(initializer: Initializer, layer: &Layer, generator: &mut Generator) -> T {
    let (inputs, units) = (layer.inputs as f64, layer.units as f64);
    let within = |radius: f64, generator: &mut Generator| radius * (2.0 * generator.uniform() - 1.0);
    let normal = |variance: f64, generator: &mut Generator| libm::sqrt(variance) * generator.normal();
    T::from_f64(match initializer {
        UnitUniform => return below(0.0, 1.0, generator),
        Uniform { minimum, maximum } => return below(minimum, maximum, generator),
        Normal {
            mean,
            standard_deviation,
        } => mean + standard_deviation * generator.normal(),
        GlorotUniform => within(libm::sqrt(6.0 / (inputs + units)), generator),
        GlorotNormal => normal(2.0 / (inputs + units), generator),
        HeUniform => within(libm::sqrt(6.0 / inputs), generator),
        HeNormal => normal(2.0 / inputs, generator),
        LecunUniform => within(libm::sqrt(3.0 / inputs), generator),
        LecunNormal => normal(1.0 / inputs, generator),
        FanInUniform => within(libm::sqrt(1.0 / inputs), generator),
        Orthogonal { .. } => unreachable!("drawn as a whole, and refused for biases"),
        Zeros => 0.0,
    })
}

/// A number from U[minimum, maximum) in the precision of `T`: rounding must not reach the maximum.
fn below<T: Real>(minimum: f64, maximum: f64, generator: &mut Generator) -> T {
    let draw = T::from_f64(minimum + (maximum - minimum) * generator.uniform());
    if minimum < maximum && draw >= T::from_f64(maximum) {
        below(minimum, maximum, generator)
    } else {
        draw
    }
}

/// Normal draws put at right angles: a matrix uniform among the orthogonal ones.
fn orthogonal<T: Real>(layer: &Layer, values: &mut [T], gain: f64, generator: &mut Generator) {
    // As many vectors as fit at right angles: one for each neuron, or one for each input.
    let (count, length) = (layer.units.min(layer.inputs), layer.units.max(layer.inputs));
    let mut vectors: Vec<f64> = (0..count * length).map(|_| generator.normal()).collect();
    orthonormalize(&mut vectors, length);
    for (v, vector) in vectors.chunks_exact(length).enumerate() {
        for (i, &x) in vector.iter().enumerate() {
            let place = if layer.units <= layer.inputs {
                layer.weight(i, v)
            } else {
                layer.weight(v, i)
            };
            values[place] = T::from_f64(gain * x);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::activation::Activation;
    use super::super::loss::Loss;
    use super::super::options::{LayerOptions, NetworkOptions, Precision};
    use super::*;

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
}
