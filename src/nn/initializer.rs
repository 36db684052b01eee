//! The distributions that starting weights are drawn from.

use super::architecture::Architecture;
use super::random::Generator;
use super::real::Real;

/// How a fresh network gets its weights and biases.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Initializer {
    /// Every weight and every bias from U[0, 1), as in the original library.
    UnitUniform,
}

/// Fills `params` with the starting weights and biases that `seed` determines.
///
/// The draws run layer by layer, neuron by neuron: a neuron's weights, then its bias.
pub fn initialize<T: Real>(architecture: &Architecture, params: &mut [T], seed: u64) {
    let mut generator = Generator::new(seed);
    for layer in architecture.layers() {
        for unit in 0..layer.units {
            for input in 0..layer.inputs {
                params[layer.weight(input, unit)] = draw(layer.initializer, &mut generator);
            }
            params[layer.bias(unit)] = draw(layer.initializer, &mut generator);
        }
    }
}

fn draw<T: Real>(initializer: Initializer, generator: &mut Generator) -> T {
    match initializer {
        // Rounding to f32 must not reach 1.
        Initializer::UnitUniform => loop {
            let x = T::from_f64(generator.uniform());
            if x < T::ONE {
                return x;
            }
        },
    }
}
