//! Weights as users see them: layer by layer `weights[unit][input]`, then `biases[unit]`, and where the layer
//! is normalized `gamma`, `beta`, `mean` and `variance`; in double precision; to and from the flat buffer,
//! which stores the weights input-major and the statistics at the end.

use crate::nn::network::architecture::Architecture;
use crate::nn::vector::real::Real;

/// Copies `params` out in the users' order.
///
/// # Panics
/// Where a slice has another length than `architecture` says.
pub fn export<T: Real>(architecture: &Architecture, params: &[T], out: &mut [f64]) {
    assert_eq!(out.len(), architecture.value_count());
    for (out, place) in out.iter_mut().zip(places(architecture)) {
        *out = params[place].to_f64();
    }
}

/// Copies weights in the users' order into `params`, rounding to its precision.
///
/// # Errors
/// The place in `values` of the first number that is not finite in that precision, or of the first negative variance;
/// `params` is as before.
///
/// # Panics
/// Where a slice has another length than `architecture` says.
pub fn import<T: Real>(
    architecture: &Architecture,
    params: &mut [T],
    values: &[f64],
) -> std::result::Result<(), usize> {
    assert_eq!(values.len(), architecture.value_count());
    if let Some(bad) = values.iter().position(|&x| !T::from_f64(x).is_finite()) {
        return Err(bad);
    }
    let is_variance = |place: usize| {
        architecture
            .layers()
            .iter()
            .any(|layer| layer.variance.contains(&place))
    };
    let mut numbers = values.iter().zip(places(architecture));
    if let Some(bad) = numbers.position(|(&x, place)| x < 0.0 && is_variance(place)) {
        return Err(bad);
    }
    for (&value, place) in values.iter().zip(places(architecture)) {
        params[place] = T::from_f64(value);
    }
    Ok(())
}

/// Whether no variance among `params` is negative: its root is taken.
pub fn has_variances<T: Real>(architecture: &Architecture, params: &[T]) -> bool {
    let mut variances = architecture
        .layers()
        .iter()
        .flat_map(|layer| &params[layer.variance.clone()]);
    variances.all(|&variance| variance >= T::ZERO)
}

/// The places of all parameters in the users' order.
fn places(architecture: &Architecture) -> impl Iterator<Item = usize> {
    architecture.layers().iter().flat_map(|layer| {
        let weights = (0..layer.units)
            .flat_map(move |unit| (0..layer.inputs).map(move |input| layer.weight(input, unit)));
        let normalization = [&layer.gamma, &layer.beta, &layer.mean, &layer.variance];
        weights
            .chain(layer.biases.clone())
            .chain(normalization.into_iter().cloned().flatten())
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::NetworkOptions;

    fn two_layers() -> Architecture {
        Architecture::new(&NetworkOptions::original(2, 3, 1)).unwrap()
    }

    #[test]
    fn export_transposes_and_import_undoes_it() {
        let architecture = two_layers();
        let params: Vec<f64> = (0..13).map(f64::from).collect();
        let mut out = vec![0.0; 13];
        export(&architecture, &params, &mut out);
        assert_eq!(out, [0., 3., 1., 4., 2., 5., 6., 7., 8., 9., 10., 11., 12.]);
        let mut back = vec![0.0; 13];
        import(&architecture, &mut back, &out).unwrap();
        assert_eq!(back, params);
    }

    #[test]
    fn import_refuses_what_the_precision_cannot_hold_and_changes_nothing() {
        let architecture = two_layers();
        let mut values = vec![0.5; 13];
        values[4] = 1e300;
        let mut single = vec![0f32; 13];
        assert_eq!(import(&architecture, &mut single, &values), Err(4));
        assert_eq!(single, [0f32; 13]);
        assert!(import(&architecture, &mut [0f64; 13], &values).is_ok());
    }
}
