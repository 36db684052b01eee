//! The shape of a network and where each layer lives in the flat buffers.
//!
//! All numbers of a network stand in one buffer, its values: first what training changes, layer after layer
//! (the weights, input-major, `weights[input][unit]`, so that a forward step streams whole rows; the biases;
//! gamma and beta of a normalization), then the running statistics of batch normalizations. Outputs and
//! deltas of all layers stand in buffers of their own, in the same order.

use std::ops::Range;

use crate::nn::error::{Code, Error, Result};
use crate::nn::network::activation::Activation;
use crate::nn::network::loss::Loss;
use crate::nn::network::options::{LayerOptions, NetworkOptions, Normalization, Precision};

/// The most parameters a network may have: 2 GiB in double precision.
pub const MAX_PARAMETERS: usize = 1 << 28;

/// A fully connected layer and its places in the flat buffers.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// The width of what it reads.
    pub inputs: usize,
    /// The number of neurons.
    pub units: usize,
    /// What the user chose.
    pub options: LayerOptions,
    /// The place of the weights among the values, `[inputs][units]`.
    pub weights: Range<usize>,
    /// The place of the biases among the values, `[units]`.
    pub biases: Range<usize>,
    /// The place of the normalization's scale among the values, `[units]` or empty.
    pub gamma: Range<usize>,
    /// The place of the normalization's shift among the values, `[units]` or empty.
    pub beta: Range<usize>,
    /// The place of the running mean among the values, `[units]` or empty.
    pub mean: Range<usize>,
    /// The place of the running variance among the values, `[units]` or empty.
    pub variance: Range<usize>,
    /// The place of the layer's outputs among those of all layers, `[units]`.
    pub outputs: Range<usize>,
}

impl Layer {
    /// The place of the weight of `input` in neuron `unit`.
    #[inline]
    pub fn weight(&self, input: usize, unit: usize) -> usize {
        self.weights.start + input * self.units + unit
    }

    /// Whether its weights are penalized.
    #[inline]
    pub fn is_penalized(&self) -> bool {
        self.options.l1 > 0.0 || self.options.l2 > 0.0
    }

    /// The place of the bias of neuron `unit`.
    #[inline]
    pub fn bias(&self, unit: usize) -> usize {
        self.biases.start + unit
    }
}

/// The most inputs or neurons of a layer: JavaScript's arrays end at 8 times as many, and growing to that ends the process.
pub const MAX_WIDTH: usize = 1 << 24;

/// The shape of a network: everything but its values.
#[derive(Clone, Debug, PartialEq)]
pub struct Architecture {
    layers: Vec<Layer>,
    loss: Loss,
    parameter_count: usize,
    value_count: usize,
}

impl Architecture {
    /// Lays out the network of `options`.
    ///
    /// # Errors
    /// `InvalidLength` without layers, `OutOfRange` for an empty one, `TooLarge` beyond [`MAX_PARAMETERS`].
    pub fn new(options: &NetworkOptions) -> Result<Self> {
        if options.layers.is_empty() {
            return Err(Error::new(
                Code::InvalidLength,
                "at least one layer",
                "layers",
                "none",
            ));
        }
        let mut layers: Vec<Layer> = Vec::with_capacity(options.layers.len());
        let (mut inputs, mut parameters, mut outputs) = (options.inputs, 0, 0);
        for &layer in &options.layers {
            let units = layer.units;
            if inputs == 0 || units == 0 {
                return Err(Error::new(Code::OutOfRange, "a positive integer", "units", 0));
            }
            let normalized = if layer.normalization.is_some() { units } else { 0 };
            // Gamma and beta, and as many running statistics.
            let wanted = parameters as u128 + (inputs as u128 + 1) * units as u128 + 4 * normalized as u128;
            if wanted > MAX_PARAMETERS as u128 {
                let rule = format!("at most {MAX_PARAMETERS} parameters");
                return Err(Error::new(
                    Code::TooLarge,
                    rule,
                    "the network",
                    format!("{wanted} or more"),
                ));
            }
            if inputs.max(units) > MAX_WIDTH {
                let rule = format!("at most {MAX_WIDTH} inputs and neurons in a layer");
                return Err(Error::new(Code::TooLarge, rule, "the network", inputs.max(units)));
            }
            let mut place = |count: usize| {
                parameters += count;
                parameters - count..parameters
            };
            layers.push(Layer {
                inputs,
                units,
                options: layer,
                weights: place(inputs * units),
                biases: place(units),
                gamma: place(normalized),
                beta: place(normalized),
                mean: 0..0,
                variance: 0..0,
                outputs: outputs..outputs + units,
            });
            (inputs, outputs) = (units, outputs + units);
        }
        let mut values = parameters;
        for layer in layers
            .iter_mut()
            .filter(|layer| layer.options.normalization == Some(Normalization::Batch))
        {
            layer.mean = values..values + layer.units;
            layer.variance = layer.mean.end..layer.mean.end + layer.units;
            values = layer.variance.end;
        }
        Ok(Architecture {
            layers,
            loss: options.loss,
            parameter_count: parameters,
            value_count: values,
        })
    }

    /// The layers from the first hidden one to the output.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// The options of such a network.
    pub fn options(&self, precision: Precision) -> NetworkOptions {
        NetworkOptions {
            inputs: self.input_count(),
            layers: self.layers.iter().map(|layer| layer.options).collect(),
            loss: self.loss,
            precision,
            seed: None,
        }
    }

    /// The same shape, whose targets are gradients of the outputs (see [`Loss::Given`]).
    pub fn with_given_gradients(&self) -> Self {
        Architecture {
            loss: Loss::Given {
                through_softmax: self.output_layer().options.activation == Activation::Softmax,
            },
            ..self.clone()
        }
    }

    /// What training makes small.
    pub fn loss(&self) -> Loss {
        self.loss
    }

    /// The width of an example.
    pub fn input_count(&self) -> usize {
        self.layers[0].inputs
    }

    /// The width of a prediction.
    pub fn output_count(&self) -> usize {
        self.output_layer().units
    }

    /// The numbers that training changes: weights, biases, gammas and betas.
    pub fn parameter_count(&self) -> usize {
        self.parameter_count
    }

    /// All numbers of the network: the parameters, then the running statistics.
    pub fn value_count(&self) -> usize {
        self.value_count
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
    use crate::nn::{Activation, Initializer};

    fn sigmoid(units: usize) -> LayerOptions {
        LayerOptions::new(units, Activation::Sigmoid, Initializer::UnitUniform)
    }

    fn architecture(inputs: usize, layers: &[LayerOptions]) -> Result<Architecture> {
        Architecture::new(&NetworkOptions {
            inputs,
            layers: layers.to_vec(),
            ..NetworkOptions::original(1, 1, 1)
        })
    }

    #[test]
    fn ranges_tile_the_buffers_without_gaps() {
        let batch = LayerOptions {
            normalization: Some(Normalization::Batch),
            ..sigmoid(4)
        };
        let layer = LayerOptions {
            normalization: Some(Normalization::Layer),
            ..sigmoid(2)
        };
        let architecture = architecture(3, &[batch, layer, sigmoid(1)]).unwrap();
        let [first, second, output] = architecture.layers() else {
            panic!("three layers")
        };
        assert_eq!((first.weights.clone(), first.biases.clone()), (0..12, 12..16));
        assert_eq!((first.gamma.clone(), first.beta.clone()), (16..20, 20..24));
        assert_eq!((second.weights.clone(), second.biases.clone()), (24..32, 32..34));
        assert_eq!((second.gamma.clone(), second.beta.clone()), (34..36, 36..38));
        assert_eq!((output.weights.clone(), output.biases.clone()), (38..40, 40..41));
        assert!(output.gamma.is_empty() && second.mean.is_empty());
        assert_eq!((first.mean.clone(), first.variance.clone()), (41..45, 45..49));
        assert_eq!(
            (
                first.outputs.clone(),
                second.outputs.clone(),
                output.outputs.clone()
            ),
            (0..4, 4..6, 6..7)
        );
        assert_eq!(
            (architecture.parameter_count(), architecture.value_count()),
            (41, 49)
        );
        assert_eq!((architecture.input_count(), architecture.output_count()), (3, 1));
    }

    #[test]
    fn empty_and_oversized_shapes_are_refused() {
        let refused = |inputs, layers: &[usize]| {
            let layers: Vec<_> = layers.iter().map(|&units| sigmoid(units)).collect();
            architecture(inputs, &layers).unwrap_err().code
        };
        assert_eq!(refused(2, &[]), Code::InvalidLength);
        assert_eq!(refused(0, &[1]), Code::OutOfRange);
        assert_eq!(refused(2, &[0]), Code::OutOfRange);
        assert_eq!(refused(usize::MAX, &[2]), Code::TooLarge);
        assert_eq!(refused(1, &[usize::MAX]), Code::TooLarge);
        assert_eq!(refused(1 << 14, &[1 << 14]), Code::TooLarge);
        assert!(architecture((1 << 14) - 1, &[sigmoid(1 << 14)]).is_ok());
    }
}
