//! Penalties: l1 |w| + l2 w^2 / 2, summed over the weights of a layer, biases not among them.

use crate::nn::network::architecture::{Architecture, Layer};
use crate::nn::vector::real::Real;

/// What the penalties of all layers add to the objective.
pub fn penalty<T: Real>(architecture: &Architecture, values: &[T]) -> f64 {
    let layer_penalty = |layer: &Layer| {
        let w = values[layer.weights.clone()].iter().map(|w| w.to_f64());
        let (l1, l2) = (layer.options.l1, layer.options.l2);
        w.map(|w| l1 * w.abs() + 0.5 * l2 * w * w).sum::<f64>()
    };
    architecture
        .layers()
        .iter()
        .filter(|layer| layer.is_penalized())
        .map(layer_penalty)
        .sum()
}

/// dw += l1 sign(w) + l2 w, with sign(0) = 0.
pub fn add_penalty_gradient<T: Real>(layer: &Layer, w: &[T], dw: &mut [T]) {
    if !layer.is_penalized() {
        return;
    }
    let (l1, l2) = (T::from_f64(layer.options.l1), T::from_f64(layer.options.l2));
    for (dw, &w) in dw.iter_mut().zip(w) {
        let sign = if w > T::ZERO {
            l1
        } else if w < T::ZERO {
            -l1
        } else {
            T::ZERO
        };
        *dw += sign + l2 * w;
    }
}
