//! The examples of a fit, as flat rows.

use std::ops::Range;

use crate::nn::error::{Code, Error, Result};
use crate::nn::network::architecture::Architecture;
use crate::nn::network::loss::{Kind, Loss};
use crate::nn::vector::kernels::are_finite;
use crate::nn::vector::real::Real;

/// How far the probabilities of a row may be from a sum of 1: they may have been written with few digits.
const TOLERANCE: f64 = 1e-3;

/// Rows of inputs, rows of targets, and how much each row counts.
#[derive(Clone, Debug)]
pub struct Data<T> {
    /// The width of a row of inputs.
    pub width: usize,
    /// The width of a row of targets.
    pub units: usize,
    loss: Loss,
    parts: [Vec<T>; 3],
}

/// A part of a [`Data`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// `[rows][width]`
    Inputs,
    /// `[rows][units]`
    Targets,
    /// `[rows]`, or nothing where all count the same
    Weights,
}

impl Part {
    /// Every part, in the order of the addon.
    pub const ALL: [Part; 3] = [Part::Inputs, Part::Targets, Part::Weights];
}

/// A number that a loss or a weight cannot be.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// Where it is.
    pub part: Part,
    /// Its row; none where the part as a whole is wrong.
    pub row: Option<usize>,
    /// Its column; none where the row as a whole is wrong.
    pub column: Option<usize>,
    /// What it should be.
    pub expected: &'static str,
    /// What it is.
    pub received: f64,
}

impl<T: Real> Data<T> {
    /// No rows yet, for networks of this shape and loss.
    pub fn new(architecture: &Architecture) -> Self {
        Data {
            width: architecture.input_count(),
            units: architecture.output_count(),
            loss: architecture.loss(),
            parts: Default::default(),
        }
    }

    /// Appends `numbers` to a part that will have `total` of them; or the place of the first that is not
    /// finite in the precision of the network.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none for `total`; `Internal` where more come than announced.
    pub fn append<U: Real>(&mut self, part: Part, numbers: &[U], total: usize) -> Result<Option<usize>> {
        let values = &mut self.parts[part as usize];
        let start = values.len();
        if start + numbers.len() > total {
            let received = start + numbers.len();
            return Err(Error::new(
                Code::Internal,
                format!("{total} numbers"),
                "the data",
                received,
            ));
        }
        if start == 0 && values.try_reserve_exact(total).is_err() {
            let received = format!("a need of {} bytes", total as u128 * size_of::<T>() as u128);
            return Err(Error::new(
                Code::OutOfMemory,
                "enough free memory",
                "the data",
                received,
            ));
        }
        values.extend(numbers.iter().map(|x| T::from_f64(x.to_f64())));
        if are_finite(&values[start..]) {
            return Ok(None);
        }
        Ok(values[start..]
            .iter()
            .position(|x| !x.is_finite())
            .map(|place| start + place))
    }

    /// Takes other rows: inputs, targets and, unless they weigh the same, weights, which may be negative. Whether they
    /// are finite, and what the loss takes.
    pub fn refill(&mut self, parts: [&[T]; 3]) -> bool {
        for (own, part) in self.parts.iter_mut().zip(parts) {
            own.clear();
            own.extend_from_slice(part);
        }
        parts.into_iter().all(are_finite) && self.is_complete() && self.check_targets().is_none()
    }

    /// Whether the targets are gradients of the outputs.
    pub fn are_gradients(&self) -> bool {
        matches!(self.loss, Loss::Given { .. })
    }

    /// Makes weights that are all tiny or some of them huge moderate, by a power of two, which changes no mean: sums of them
    /// and their reciprocals stay finite.
    ///
    /// # Errors
    /// `OutOfRange` where a weight is infinite, as products of weights may be.
    pub fn moderate_weights(&mut self) -> Result<()> {
        let weights = &mut self.parts[Part::Weights as usize];
        let largest = weights
            .iter()
            .fold(0.0, |most: f64, w| most.max(w.to_f64().abs()));
        if !are_finite(weights) {
            let expected = "finite weights of rows, times those of their classes,";
            return Err(Error::new(
                Code::OutOfRange,
                expected,
                "options.classWeights",
                "more",
            ));
        }
        let limit = T::HUGE.to_f64().sqrt();
        if largest > 0.0 && !(1.0 / limit..=limit).contains(&largest) {
            // In two steps: the factor may be beyond the largest number.
            let half = (-largest.log2() / 2.0).round() as i32;
            let factor = 2f64.powi(half);
            for weight in weights {
                *weight = T::from_f64(weight.to_f64() * factor * factor);
            }
        }
        Ok(())
    }

    /// How many rows there are.
    pub fn rows(&self) -> usize {
        self.part(Part::Inputs).len() / self.width
    }

    /// Refuses what is not for networks of this shape, or not complete: as many numbers of each part as there are
    /// rows, and at least one row.
    ///
    /// # Errors
    /// `Internal`
    pub fn fits(&self, architecture: &Architecture) -> Result<()> {
        let is_for_it = self.width == architecture.input_count()
            && self.units == architecture.output_count()
            && self.loss == architecture.loss();
        if is_for_it && self.is_complete() {
            return Ok(());
        }
        let expected = "complete data for the network";
        Err(Error::new(Code::Internal, expected, "the call", "other data"))
    }

    fn is_complete(&self) -> bool {
        let rows = self.rows();
        let [inputs, targets, weights] = self.parts.each_ref().map(Vec::len);
        rows > 0
            && inputs == rows * self.width
            && targets == rows * self.units
            && (weights == 0 || weights == rows)
    }

    /// The numbers of a part.
    pub fn part(&self, part: Part) -> &[T] {
        &self.parts[part as usize]
    }

    /// The inputs of a row.
    pub fn inputs(&self, row: usize) -> &[T] {
        &self.part(Part::Inputs)[row * self.width..(row + 1) * self.width]
    }

    /// The targets of a row.
    pub fn targets(&self, row: usize) -> &[T] {
        &self.part(Part::Targets)[row * self.units..(row + 1) * self.units]
    }

    /// The inputs and the targets of rows that follow each other.
    pub fn stretch(&self, rows: Range<usize>) -> (&[T], &[T]) {
        let part = |part, width| &self.part(part)[rows.start * width..rows.end * width];
        (part(Part::Inputs, self.width), part(Part::Targets, self.units))
    }

    /// How much a row counts.
    pub fn weight(&self, row: usize) -> T {
        self.part(Part::Weights).get(row).copied().unwrap_or(T::ONE)
    }

    /// How much some rows count in all: the sum of the absolute values, since weights of a step may be negative.
    #[inline]
    pub fn weight_of(&self, rows: &[u32]) -> f64 {
        if self.is_weighted() {
            rows.iter()
                .map(|&row| self.weight(row as usize).to_f64().abs())
                .sum()
        } else {
            rows.len() as f64
        }
    }

    /// Whether rows count differently.
    pub fn is_weighted(&self) -> bool {
        !self.part(Part::Weights).is_empty()
    }

    /// The first target that the loss is not defined for, or the first weight that is none: weights of a step may be
    /// negative, and all 0.
    pub fn check(&self, is_step: bool) -> Option<Refusal> {
        let weights = if is_step { None } else { self.check_weights() };
        weights.or_else(|| self.check_targets())
    }

    fn check_weights(&self) -> Option<Refusal> {
        let weights = self.part(Part::Weights);
        let refused = |row, expected, received| Refusal {
            part: Part::Weights,
            row,
            column: None,
            expected,
            received,
        };
        if let Some(row) = weights.iter().position(|&w| w < T::ZERO) {
            let expected = "a number of at least 0";
            return Some(refused(Some(row), expected, weights[row].to_f64()));
        }
        let is_nothing = !weights.is_empty() && weights.iter().all(|&w| w == T::ZERO);
        is_nothing.then(|| refused(None, "at least one weight above 0", 0.0))
    }

    fn check_targets(&self) -> Option<Refusal> {
        let (expected, holds) = self.loss.target_rule()?;
        let targets = self.part(Part::Targets);
        let refused = |row, column, expected, received| Refusal {
            part: Part::Targets,
            row: Some(row),
            column,
            expected,
            received,
        };
        if let Some(place) = targets.iter().position(|t| !holds(t.to_f64())) {
            let (row, column) = (place / self.units, place % self.units);
            return Some(refused(row, Some(column), expected, targets[place].to_f64()));
        }
        if self.loss.kind() != Kind::Classes {
            return None;
        }
        let sum = |row: &[T]| row.iter().map(|t| t.to_f64()).sum::<f64>();
        let is_off = |row: &[T]| (sum(row) - 1.0).abs() > TOLERANCE;
        let row = targets.chunks_exact(self.units).position(is_off)?;
        let expected = "probabilities that sum to 1 (one-hot: 1 for the class, else 0)";
        Some(refused(row, None, expected, sum(self.targets(row))))
    }

    /// Multiplies how much each row counts by the weight of its class.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn weigh_classes(&mut self, weights: &[f64]) -> Result<()> {
        let rows = self.rows();
        if !self.is_weighted() {
            self.parts[Part::Weights as usize] =
                crate::nn::vector::memory::zeros(rows, "the weights of the rows")?;
            self.parts[Part::Weights as usize].fill(T::ONE);
        }
        for row in 0..rows {
            let weight = class_weight(self.loss, weights, self.targets(row));
            let of_row = &mut self.parts[Part::Weights as usize][row];
            *of_row = T::from_f64(of_row.to_f64() * weight);
        }
        Ok(())
    }
}

/// The weight of the class of a row of targets: the mean of the weights where the targets are soft.
fn class_weight<T: Real>(loss: Loss, weights: &[f64], targets: &[T]) -> f64 {
    match (loss.kind(), weights) {
        (Kind::Labels { no, yes }, &[below, above]) if targets.len() == 1 => {
            let positive = (targets[0].to_f64() - no) / (yes - no);
            (1.0 - positive) * below + positive * above
        }
        _ => weights.iter().zip(targets).map(|(w, t)| w * t.to_f64()).sum(),
    }
}
