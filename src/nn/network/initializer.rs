//! The distributions that starting weights are drawn from.

use crate::nn::error::{Code, Error, Result};
use crate::nn::settings::{MODERATE, MODERATE_NOT_NEGATIVE, Named, Parameter};

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

impl Named for Initializer {
    const ALL: &'static [(&'static str, Self)] = &[
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

    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        match self {
            Uniform { minimum, maximum } => {
                vec![("minimum", MODERATE, minimum), ("maximum", MODERATE, maximum)]
            }
            Normal {
                mean,
                standard_deviation,
            } => vec![
                ("mean", MODERATE, mean),
                ("standardDeviation", MODERATE_NOT_NEGATIVE, standard_deviation),
            ],
            Orthogonal { gain } => vec![("gain", MODERATE, gain)],
            _ => Vec::new(),
        }
    }

    fn check_together(&self, path: &str) -> Result<()> {
        match *self {
            Uniform { minimum, maximum } if minimum > maximum => {
                let received = format!("{minimum} and {maximum}");
                Err(Error::new(
                    Code::OutOfRange,
                    "a minimum not above the maximum",
                    path,
                    received,
                ))
            }
            _ => Ok(()),
        }
    }

    fn name(self) -> &'static str {
        let same = |other: &Self| std::mem::discriminant(other) == std::mem::discriminant(&self);
        let row = Self::ALL.iter().find(|(_, other)| same(other));
        row.map_or(Self::UNIT_UNIFORM, |row| row.0)
    }
}

impl Initializer {
    /// The name of `UnitUniform`, which users reach by the original's constructor alone: only what is saved says it.
    pub const UNIT_UNIFORM: &str = "unitUniform";

    /// Those that biases can start from: all but the one that makes a layer's weights as a whole.
    pub fn for_biases() -> Vec<(&'static str, Initializer)> {
        let drawn_singly = |row: &(_, Initializer)| !matches!(row.1, Orthogonal { .. });
        Self::ALL.iter().copied().filter(drawn_singly).collect()
    }
}
