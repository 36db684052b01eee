//! How good predictions are, in the figures of scikit-learn.
//!
//! The loss decides what the outputs are: classes (crossEntropy), labels, each a question of its own
//! (binaryCrossEntropy, hinge), or numbers (all other losses). A measure that is undefined is `None`.
//!
//! Shapes, with n rows: outputs a `[n][units]`, targets t `[n][units]`. Sums are taken in double precision.

use crate::nn::error::{Code, Error, Result};
use crate::nn::network::loss::{Kind, Loss};
use crate::nn::vector::real::Real;

/// With more classes there is no confusion matrix: this one already takes 128 MB.
const MOST_CLASSES_OF_A_MATRIX: usize = 4096;

/// What `evaluate` tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Evaluation {
    /// The data loss.
    pub loss: f64,
    /// The share of rows whose class, or all of whose labels, are right.
    pub accuracy: Option<f64>,
    /// The share of what was predicted that is so, of one label or the mean over classes or labels.
    pub precision: Option<f64>,
    /// The share of what is so that was predicted, of one label or the mean over classes or labels.
    pub recall: Option<f64>,
    /// The harmonic mean of precision and recall, of one label or the mean over classes or labels.
    pub f1: Option<f64>,
    /// The area under the ROC curve, of one label or the mean over classes (one against the rest) or labels.
    pub roc_auc: Option<f64>,
    /// How many rows of one class were taken for another: `[actual][predicted]`.
    pub confusion_matrix: Option<Vec<Vec<u64>>>,
    /// The mean over rows and outputs of (a - t)^2.
    pub mse: Option<f64>,
    /// The mean over rows and outputs of |a - t|.
    pub mae: Option<f64>,
    /// The mean over the outputs of the coefficient of determination.
    pub r2: Option<f64>,
}

/// Measures the `outputs` of a network that `loss` trained; `value` is that loss, which is passed through.
/// Without rows there is nothing but the loss. Nothing if stopped, which is asked once an output.
///
/// # Errors
/// `OutOfMemory` where the system has none.
///
/// # Panics
/// Where `outputs` and `targets` are not equally many rows of `units` numbers.
pub fn measure<T: Real>(
    loss: Loss,
    value: f64,
    outputs: &[T],
    targets: &[T],
    units: usize,
    is_stopped: &dyn Fn() -> bool,
) -> Result<Option<Evaluation>> {
    assert_eq!(outputs.len(), targets.len());
    assert!(outputs.len().is_multiple_of(units));
    let predictions = Predictions {
        outputs,
        targets,
        units,
        is_stopped,
    };
    let measures = match loss.kind() {
        _ if outputs.is_empty() => Evaluation::default(),
        Kind::Classes => predictions.classes()?,
        Kind::Labels { no, yes } => predictions.labels(T::from_f64((no + yes) / 2.0))?,
        Kind::Numbers => predictions.numbers(),
    };
    let measured = Evaluation {
        loss: value,
        ..measures
    };
    Ok((!is_stopped()).then_some(measured))
}

/// At least one row.
#[derive(Clone, Copy)]
struct Predictions<'a, T> {
    outputs: &'a [T],
    targets: &'a [T],
    units: usize,
    is_stopped: &'a dyn Fn() -> bool,
}

impl<'a, T: Real> Predictions<'a, T> {
    fn row_count(self) -> usize {
        self.outputs.len() / self.units
    }

    /// The numbers of the outputs, up to where it is stopped.
    fn columns(self) -> impl Iterator<Item = usize> {
        (0..self.units).take_while(move |_| !(self.is_stopped)())
    }

    /// (a, t) of each row.
    fn rows(self) -> impl Iterator<Item = (&'a [T], &'a [T])> {
        let rows = |values: &'a [T]| values.chunks_exact(self.units);
        rows(self.outputs).zip(rows(self.targets))
    }

    /// (a, t) of one output, row by row.
    fn column(self, k: usize) -> impl Iterator<Item = (f64, f64)> {
        let column = move |values: &'a [T]| values[k..].iter().step_by(self.units).map(|x| x.to_f64());
        column(self.outputs).zip(column(self.targets))
    }

    /// Each row is of one class, that of the largest output.
    fn classes(self) -> Result<Evaluation> {
        let mut counts = filled(Counts::default(), self.units)?;
        let mut classes = filled(0, self.row_count())?;
        let mut matrix = square(self.units)?;
        for ((a, t), class) in self.rows().zip(&mut classes) {
            let (actual, predicted) = (largest(t), largest(a));
            counts[actual].actual += 1;
            counts[predicted].predicted += 1;
            counts[actual].hits += usize::from(actual == predicted);
            if let Some(matrix) = &mut matrix {
                matrix[actual][predicted] += 1;
            }
            *class = actual;
        }
        let hits = counts.iter().map(|count| count.hits).sum();
        let roc_auc = self.roc_auc(&counts, |row, k| classes[row] == k)?;
        // A class that neither occurs nor is predicted does not count.
        counts.retain(|count| count.actual + count.predicted > 0);
        Ok(Evaluation {
            accuracy: Some(ratio(hits, self.row_count())),
            roc_auc,
            confusion_matrix: matrix,
            ..means(&counts)
        })
    }

    /// Each output answers a question of its own: yes above `threshold`, in the targets as well.
    fn labels(self, threshold: T) -> Result<Evaluation> {
        let mut counts = filled(Counts::default(), self.units)?;
        let mut right_rows = 0;
        for (a, t) in self.rows() {
            let mut all_right = true;
            for ((count, &a), &t) in counts.iter_mut().zip(a).zip(t) {
                let (actual, predicted) = (t > threshold, a > threshold);
                count.actual += usize::from(actual);
                count.predicted += usize::from(predicted);
                count.hits += usize::from(actual && predicted);
                all_right &= actual == predicted;
            }
            right_rows += usize::from(all_right);
        }
        let is_positive = |row, k| self.targets[row * self.units + k] > threshold;
        Ok(Evaluation {
            accuracy: Some(ratio(right_rows, self.row_count())),
            roc_auc: self.roc_auc(&counts, is_positive)?,
            confusion_matrix: (self.units == 1).then(|| counts[0].matrix(self.row_count())),
            ..means(&counts)
        })
    }

    /// The mean area under the ROC curves of the outputs, `None` where all rows, or none, are positive.
    fn roc_auc(self, counts: &[Counts], is_positive: impl Fn(usize, usize) -> bool) -> Result<Option<f64>> {
        let count = self.row_count();
        if counts
            .iter()
            .any(|class| class.actual == 0 || class.actual == count)
        {
            return Ok(None);
        }
        let mut scores = filled(0.0, count)?;
        let mut sum = 0.0;
        for k in self.columns() {
            // The positives from the front, the negatives from the back.
            let (mut front, mut back) = (0, count);
            for (row, (score, _)) in self.column(k).enumerate() {
                if is_positive(row, k) {
                    scores[front] = score;
                    front += 1;
                } else {
                    back -= 1;
                    scores[back] = score;
                }
            }
            let (positives, negatives) = scores.split_at_mut(front);
            sum += ordered_pairs(positives, negatives);
        }
        Ok(Some(sum / self.units as f64))
    }

    /// The outputs are the quantities themselves.
    fn numbers(self) -> Evaluation {
        let count = self.row_count() as f64;
        let (mut mse, mut mae, mut r2) = (0.0, 0.0, 0.0);
        for k in self.columns() {
            // Numbers whose squares would overflow are scaled down, by a power of two so as not to round.
            let most = self
                .column(k)
                .fold(0.0, |most: f64, (a, t)| most.max(a.abs()).max(t.abs()));
            let scale = if most > f64::HUGE { 0.5f64.powi(600) } else { 1.0 };
            let column = || self.column(k).map(|(a, t)| (a * scale, t * scale));
            let squares = column().map(|(a, t)| (a - t) * (a - t)).sum::<f64>();
            mse += squares / count / scale / scale;
            mae += column().map(|(a, t)| (a - t).abs()).sum::<f64>() / count / scale;

            // Taken from the first target on, the mean of constant targets is exact.
            let first = self.targets[k].to_f64() * scale;
            let mean = first + column().map(|(_, t)| t - first).sum::<f64>() / count;
            let spread = column().map(|(_, t)| (t - mean) * (t - mean)).sum::<f64>();
            r2 += match (squares, spread) {
                (0.0, _) => 1.0,
                (_, 0.0) => 0.0,
                _ => 1.0 - squares / spread,
            };
        }
        let mean = |sum: f64| Some((sum / self.units as f64).held_finite());
        Evaluation {
            mse: mean(mse),
            mae: mean(mae),
            r2: if count < 2.0 { None } else { mean(r2) },
            ..Evaluation::default()
        }
    }
}

/// How many rows are of a class or have a label, were said to, and both.
#[derive(Clone, Default)]
struct Counts {
    actual: usize,
    predicted: usize,
    hits: usize,
}

impl Counts {
    /// `[actual][predicted]` of one label among `rows` rows.
    fn matrix(&self, rows: usize) -> Vec<Vec<u64>> {
        let (missed, false_alarms) = (self.actual - self.hits, self.predicted - self.hits);
        let negatives = rows - self.actual - false_alarms;
        let row = |no: usize, yes: usize| vec![no as u64, yes as u64];
        vec![row(negatives, false_alarms), row(missed, self.hits)]
    }
}

/// Precision, recall and F1: the plain means over classes or labels.
fn means(counts: &[Counts]) -> Evaluation {
    let mean = |of: &dyn Fn(&Counts) -> f64| Some(counts.iter().map(of).sum::<f64>() / counts.len() as f64);
    Evaluation {
        precision: mean(&|class| ratio(class.hits, class.predicted)),
        recall: mean(&|class| ratio(class.hits, class.actual)),
        f1: mean(&|class| ratio(2 * class.hits, class.predicted + class.actual)),
        ..Evaluation::default()
    }
}

/// The share of the pairs of a positive and a negative in which the positive has the higher score, equal
/// scores counting one half: the area under the ROC curve (Mann and Whitney, 1947).
fn ordered_pairs(positives: &mut [f64], negatives: &mut [f64]) -> f64 {
    positives.sort_unstable_by(f64::total_cmp);
    negatives.sort_unstable_by(f64::total_cmp);
    // How many negatives are below the positive, and how many are not above it.
    let (mut below, mut up_to) = (0, 0);
    let mut halves = 0u64;
    for score in positives.iter() {
        while below < negatives.len() && negatives[below] < *score {
            below += 1;
        }
        while up_to < negatives.len() && negatives[up_to] <= *score {
            up_to += 1;
        }
        halves += (below + up_to) as u64;
    }
    halves as f64 / 2.0 / positives.len() as f64 / negatives.len() as f64
}

/// Where the largest number is, the first of equal ones.
fn largest<T: Real>(values: &[T]) -> usize {
    let better = |best: usize, i: usize| if values[i] > values[best] { i } else { best };
    (0..values.len()).fold(0, better)
}

/// 0 where there is nothing to divide by.
fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        0.0
    } else {
        part as f64 / whole as f64
    }
}

/// An empty confusion matrix, for as many classes as have one.
fn square(classes: usize) -> Result<Option<Vec<Vec<u64>>>> {
    if classes > MOST_CLASSES_OF_A_MATRIX {
        return Ok(None);
    }
    (0..classes)
        .map(|_| filled(0, classes))
        .collect::<Result<_>>()
        .map(Some)
}

/// `count` times `value`, or the error that the system has no memory for them.
fn filled<V: Clone>(value: V, count: usize) -> Result<Vec<V>> {
    let mut values = Vec::new();
    values.try_reserve_exact(count).map_err(|_| {
        let bytes = count as u128 * size_of::<V>() as u128;
        let received = format!("a need of {bytes} bytes");
        Error::new(
            Code::OutOfMemory,
            "enough free memory",
            "the evaluation",
            received,
        )
    })?;
    values.resize(count, value);
    Ok(values)
}

#[cfg(test)]
mod tests;
