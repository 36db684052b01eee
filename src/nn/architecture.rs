//! The shape of a network and where each layer lives in the flat buffers.
//!
//! All parameters stand in one buffer, layer after layer: the weights of a layer, input-major
//! (`weights[input][unit]`, so that a forward step streams whole rows), then its biases. Outputs and deltas
//! of all layers stand in buffers of their own, in the same order.

use std::ops::Range;

use super::activation::Activation;
use super::error::{Code, Error, Result};
use super::initializer::Initializer;

/// The most parameters a network may have: 2 GiB in double precision.
pub const MAX_PARAMETERS: usize = 1 << 28;

/// What a user chooses of a layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LayerOptions {
    /// The number of neurons.
    pub units: usize,
    /// The activation function of every neuron of the layer.
    pub activation: Activation,
    /// Where the starting weights come from.
    pub initializer: Initializer,
}

/// A fully connected layer and its places in the flat buffers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// The width of what it reads.
    pub inputs: usize,
    /// The number of neurons.
    pub units: usize,
    /// The activation function of every neuron.
    pub activation: Activation,
    /// Where the starting weights come from.
    pub initializer: Initializer,
    /// The place of the weights among the parameters, `[inputs][units]`.
    pub weights: Range<usize>,
    /// The place of the biases among the parameters, `[units]`.
    pub biases: Range<usize>,
    /// The place of the layer's outputs among those of all layers, `[units]`.
    pub outputs: Range<usize>,
}

impl Layer {
    /// The place of the weight of `input` in neuron `unit`.
    #[inline]
    pub fn weight(&self, input: usize, unit: usize) -> usize {
        self.weights.start + input * self.units + unit
    }

    /// The place of the bias of neuron `unit`.
    #[inline]
    pub fn bias(&self, unit: usize) -> usize {
        self.biases.start + unit
    }
}

/// The shape of a network: everything but its parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Architecture {
    layers: Vec<Layer>,
}

impl Architecture {
    /// Lays out a network of `input_count` inputs and the given layers, the last of which is the output.
    ///
    /// # Errors
    /// `InvalidLength` without layers, `OutOfRange` for an empty one, `TooLarge` beyond [`MAX_PARAMETERS`].
    pub fn new(input_count: usize, options: &[LayerOptions]) -> Result<Self> {
        if options.is_empty() {
            return Err(Error::new(
                Code::InvalidLength,
                "at least one layer",
                "layers",
                "none",
            ));
        }
        let mut layers = Vec::with_capacity(options.len());
        let (mut inputs, mut parameters, mut outputs) = (input_count, 0usize, 0usize);
        for &LayerOptions {
            units,
            activation,
            initializer,
        } in options
        {
            if inputs == 0 || units == 0 {
                return Err(Error::new(Code::OutOfRange, "a positive integer", "units", 0));
            }
            let wanted = parameters as u128 + (inputs as u128 + 1) * units as u128;
            if wanted > MAX_PARAMETERS as u128 {
                let rule = format!("at most {MAX_PARAMETERS} parameters");
                return Err(Error::new(
                    Code::TooLarge,
                    rule,
                    "the network",
                    format!("{wanted} or more"),
                ));
            }
            let biases = parameters + inputs * units;
            layers.push(Layer {
                inputs,
                units,
                activation,
                initializer,
                weights: parameters..biases,
                biases: biases..biases + units,
                outputs: outputs..outputs + units,
            });
            (inputs, parameters, outputs) = (units, biases + units, outputs + units);
        }
        Ok(Architecture { layers })
    }

    /// The layers from the first hidden one to the output.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The width of an example.
    pub fn input_count(&self) -> usize {
        self.layers[0].inputs
    }

    /// The width of a prediction.
    pub fn output_count(&self) -> usize {
        self.output_layer().units
    }

    /// The number of weights and biases.
    pub fn parameter_count(&self) -> usize {
        self.output_layer().biases.end
    }

    /// The number of neurons in all layers.
    pub fn unit_count(&self) -> usize {
        self.output_layer().outputs.end
    }

    /// The last layer.
    pub fn output_layer(&self) -> &Layer {
        self.layers.last().expect("new() takes at least one layer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sigmoid(units: usize) -> LayerOptions {
        LayerOptions {
            units,
            activation: Activation::Sigmoid,
            initializer: Initializer::UnitUniform,
        }
    }

    #[test]
    fn ranges_tile_the_buffers_without_gaps() {
        let architecture = Architecture::new(3, &[sigmoid(4), sigmoid(2)]).unwrap();
        let [hidden, output] = architecture.layers() else {
            panic!("two layers")
        };
        assert_eq!((hidden.weights.clone(), hidden.biases.clone()), (0..12, 12..16));
        assert_eq!((output.weights.clone(), output.biases.clone()), (16..24, 24..26));
        assert_eq!((hidden.outputs.clone(), output.outputs.clone()), (0..4, 4..6));
        assert_eq!(
            (architecture.parameter_count(), architecture.unit_count()),
            (26, 6)
        );
        assert_eq!((architecture.input_count(), architecture.output_count()), (3, 2));
    }

    #[test]
    fn empty_and_oversized_shapes_are_refused() {
        let refused = |inputs, layers: &[usize]| {
            let options: Vec<_> = layers.iter().map(|&units| sigmoid(units)).collect();
            Architecture::new(inputs, &options).unwrap_err().code
        };
        assert_eq!(refused(2, &[]), Code::InvalidLength);
        assert_eq!(refused(0, &[1]), Code::OutOfRange);
        assert_eq!(refused(2, &[0]), Code::OutOfRange);
        assert_eq!(refused(usize::MAX, &[2]), Code::TooLarge);
        assert_eq!(refused(1, &[usize::MAX]), Code::TooLarge);
        assert_eq!(refused(1 << 14, &[1 << 14]), Code::TooLarge);
        assert!(Architecture::new((1 << 14) - 1, &[sigmoid(1 << 14)]).is_ok());
    }
}
