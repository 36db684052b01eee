//! The starting weights.
//!
//! The draws run layer by layer, neuron by neuron: a neuron's weights in the order of its inputs. They are made in double
//! precision with our own distributions, so that a seed gives the same weights everywhere. Biases are drawn when all
//! weights are, so that whatever they start from, the weights of a seed are the same.

use crate::nn::network::architecture::{Architecture, Layer};
use crate::nn::network::initializer::Initializer::{self, *};
use crate::nn::network::orthogonal::orthonormalize;
use crate::nn::random::Generator;
use crate::nn::vector::real::Real;

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
mod tests;
