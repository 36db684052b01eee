//! A network in a file: its options, and its numbers where the file has them.

use std::borrow::Cow;

use crate::format::corrupt;
use crate::nn::Result;
use crate::nn::error::JsNumber;
use crate::nn::network::{Architecture, Layer, NetworkOptions, weights};
use crate::nn::vector::Real;
use crate::nn::vector::kernels::are_finite;

/// A network as a file has it.
pub struct Stored<'a> {
    /// What would make such a network; the seed only where the file has one.
    pub options: NetworkOptions,
    /// From the first hidden layer to the output.
    pub layers: Vec<StoredLayer<'a>>,
}

/// The numbers of a layer.
pub struct StoredLayer<'a> {
    /// `[units][inputs]` or `[inputs][units]`
    pub weights: Numbers<'a>,
    /// Whether the weights are `[inputs][units]`.
    pub is_input_major: bool,
    /// `[units]`; 0 where there are none
    pub biases: Option<Numbers<'a>>,
    /// Gamma and beta, and the running mean and variance of a batch normalization, `[units]` each; 1, 0, 0 and 1 where there
    /// are none.
    pub normalization: [Option<Numbers<'a>>; 4],
}

/// How a file writes numbers, little-endian.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Encoding {
    /// IEEE 754 half precision
    F16,
    /// The upper half of single precision
    Bf16,
    /// Single precision
    F32,
    /// Double precision
    F64,
}

impl Encoding {
    /// How many bytes a number takes.
    pub fn bytes(self) -> usize {
        match self {
            Encoding::F16 | Encoding::Bf16 => 2,
            Encoding::F32 => 4,
            Encoding::F64 => 8,
        }
    }

    #[inline(always)]
    fn get(self, bytes: &[u8]) -> f64 {
        let two = || u16::from_le_bytes([bytes[0], bytes[1]]);
        match self {
            Encoding::F16 => half(two()),
            Encoding::Bf16 => f32::from_bits(u32::from(two()) << 16).into(),
            Encoding::F32 => f32::from_le_bytes(bytes.try_into().expect("4 bytes")).into(),
            Encoding::F64 => f64::from_le_bytes(bytes.try_into().expect("8 bytes")),
        }
    }
}

/// A number in half precision.
fn half(bits: u16) -> f64 {
    let (sign, exponent, fraction) = (bits >> 15, i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f64.powi(exponent - 15),
    };
    if sign == 1 { -size } else { size }
}

/// Numbers as a file has them.
#[derive(Clone, Debug)]
pub struct Numbers<'a> {
    bytes: Cow<'a, [u8]>,
    encoding: Encoding,
}

impl<'a> Numbers<'a> {
    /// The numbers in these bytes; those of a number that is cut off do not count.
    pub fn new(bytes: impl Into<Cow<'a, [u8]>>, encoding: Encoding) -> Self {
        let bytes = bytes.into();
        Numbers { bytes, encoding }
    }

    /// How they are written.
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.bytes.len() / self.encoding.bytes()
    }

    /// One of them.
    pub fn get(&self, place: usize) -> f64 {
        let size = self.encoding.bytes();
        self.encoding.get(&self.bytes[place * size..(place + 1) * size])
    }

    fn iter(&self) -> impl Iterator<Item = f64> {
        self.bytes
            .chunks_exact(self.encoding.bytes())
            .map(|bytes| self.encoding.get(bytes))
    }
}

/// So many inputs and units at a time are put into another order: both sides stay in the cache.
const TILE: usize = 32;

impl Stored<'_> {
    /// Puts the numbers into the values of a network of this architecture.
    ///
    /// # Errors
    /// `CorruptFile` where a number is missing, not finite in the network's precision, or a negative variance; `name` is the
    /// file's. The values are then of no use.
    pub fn fill<T: Real>(&self, name: &str, architecture: &Architecture, values: &mut [T]) -> Result<()> {
        for (l, (stored, layer)) in self.layers.iter().zip(architecture.layers()).enumerate() {
            let expect = |what: &str, numbers: &Numbers, count: usize| {
                if numbers.count() == count {
                    return Ok(());
                }
                let expected = format!("{count} {what} of layer {}", l + 1);
                Err(corrupt(expected, name, numbers.count()))
            };
            expect("weights", &stored.weights, layer.inputs * layer.units)?;
            fill_weights(stored, layer, values);
            let [gamma, beta, mean, variance] = &stored.normalization;
            for (what, numbers, range, neutral) in [
                ("biases", &stored.biases, &layer.biases, 0.0),
                ("gammas", gamma, &layer.gamma, 1.0),
                ("betas", beta, &layer.beta, 0.0),
                ("means", mean, &layer.mean, 0.0),
                ("variances", variance, &layer.variance, 1.0),
            ] {
                let out = &mut values[range.clone()];
                match numbers {
                    Some(numbers) => {
                        expect(what, numbers, range.len())?;
                        out.iter_mut()
                            .zip(numbers.iter())
                            .for_each(|(to, x)| *to = T::from_f64(x));
                    }
                    None => out.fill(T::from_f64(neutral)),
                }
            }
        }
        if !are_finite(values)
            && let Some(x) = values.iter().find(|x| !x.is_finite())
        {
            return Err(corrupt("finite numbers", name, JsNumber(x.to_f64())));
        }
        if !weights::has_variances(architecture, values) {
            return Err(corrupt("variances of at least 0", name, "a negative one"));
        }
        Ok(())
    }
}

fn fill_weights<T: Real>(stored: &StoredLayer, layer: &Layer, values: &mut [T]) {
    let out = &mut values[layer.weights.clone()];
    let Numbers { bytes, encoding } = &stored.weights;
    let shape = (layer.inputs, layer.units);
    macro_rules! decode {
        ($size:literal) => {
            decode(
                bytes.as_chunks::<$size>().0,
                *encoding,
                out,
                shape,
                stored.is_input_major,
            )
        };
    }
    match encoding {
        Encoding::F16 | Encoding::Bf16 => decode!(2),
        Encoding::F32 => decode!(4),
        Encoding::F64 => decode!(8),
    }
}

/// Puts encoded numbers into `out`, `[inputs][units]`.
fn decode<T: Real, const N: usize>(
    numbers: &[[u8; N]],
    encoding: Encoding,
    out: &mut [T],
    (inputs, units): (usize, usize),
    is_input_major: bool,
) {
    let take = |bytes: &[u8; N]| T::from_f64(encoding.get(bytes));
    if is_input_major {
        out.iter_mut().zip(numbers).for_each(|(to, x)| *to = take(x));
        return;
    }
    in_tiles(inputs, units, |input, unit| {
        out[input * units + unit] = take(&numbers[unit * inputs + input]);
    });
}

/// Calls `body(input, unit)` for all of them, a tile after the other.
#[inline(always)]
fn in_tiles(inputs: usize, units: usize, mut body: impl FnMut(usize, usize)) {
    for first_unit in (0..units).step_by(TILE) {
        for first in (0..inputs).step_by(TILE) {
            for input in first..inputs.min(first + TILE) {
                for unit in first_unit..units.min(first_unit + TILE) {
                    body(input, unit);
                }
            }
        }
    }
}

/// The bytes of numbers in the precision of T.
pub fn bytes_of<T: Real>(numbers: &[T]) -> Vec<u8> {
    let mut bytes = vec![0; size_of_val(numbers)];
    for (to, x) in bytes.chunks_exact_mut(size_of::<T>()).zip(numbers) {
        put(*x, to);
    }
    bytes
}

/// The weights of a layer as `[units][inputs]`, in the precision of T.
pub fn unit_major<T: Real>(layer: &Layer, values: &[T]) -> Vec<u8> {
    let (inputs, units, size) = (layer.inputs, layer.units, size_of::<T>());
    let weights = &values[layer.weights.clone()];
    let mut bytes = vec![0; weights.len() * size];
    in_tiles(inputs, units, |input, unit| {
        let place = (unit * inputs + input) * size;
        put(weights[input * units + unit], &mut bytes[place..place + size]);
    });
    bytes
}

#[inline(always)]
fn put<T: Real>(x: T, bytes: &mut [u8]) {
    if size_of::<T>() == 8 {
        bytes.copy_from_slice(&x.to_f64().to_le_bytes());
    } else {
        bytes.copy_from_slice(&(x.to_f64() as f32).to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn halves_are_read_as_ieee_754_says() {
        for (bits, number) in [
            (0x0000, 0.0),
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x7bff, 65504.0),
            (0x0400, 6.103_515_625e-5),
            (0x0001, 5.960_464_477_539_063e-8),
            (0x3555, 0.333_251_953_125),
            (0xfc00, f64::NEG_INFINITY),
        ] {
            assert_eq!(half(bits), number, "{bits:x}");
        }
        assert!(half(0x7e00).is_nan());
        let numbers = Numbers::new(vec![0x80, 0x3f, 0x20, 0xc1], Encoding::Bf16);
        assert_eq!(
            [numbers.get(0), numbers.get(1), numbers.count() as f64],
            [1.0, -10.0, 2.0]
        );
    }
}
