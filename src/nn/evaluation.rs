//! The measures of `evaluate`: how good predictions are, in the figures of scikit-learn.
//!
//! The loss decides what the outputs are: classes (crossEntropy), labels, each a question of its own
//! (binaryCrossEntropy, hinge), or numbers (all other losses). A measure that is undefined is `None`.
//!
//! Shapes, with n rows: outputs a `[n][units]`, targets t `[n][units]`. Sums are taken in double precision.

use super::error::{Code, Error, Result};
use super::loss::Loss;
use super::real::Real;

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
pub fn evaluate<T: Real>(
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
    let measures = match loss {
        _ if outputs.is_empty() => Evaluation::default(),
        Loss::CrossEntropy { .. } => predictions.classes()?,
        Loss::BinaryCrossEntropy { .. } => predictions.labels(T::from_f64(0.5))?,
        Loss::Hinge => predictions.labels(T::ZERO)?,
        _ => predictions.numbers(),
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
mod tests {
    use super::super::random::Generator;
    use super::*;
    use serde_json::Value;

    const CLASSES: Loss = Loss::CrossEntropy { label_smoothing: 0.0 };
    const LABELS: Loss = Loss::BinaryCrossEntropy { positive_weight: 1.0 };

    fn measure<T: Real>(loss: Loss, outputs: &[T], targets: &[T], units: usize) -> Evaluation {
        let evaluation = evaluate(loss, 0.25, outputs, targets, units, &|| false)
            .unwrap()
            .unwrap();
        assert_eq!(evaluation.loss, 0.25);
        evaluation
    }

    /// All numbers in a value, and how many there are in each of its rows.
    fn flat(value: &Value) -> (Vec<f64>, usize) {
        let rows = value.as_array().unwrap();
        let row = |row: &Value| row.as_array().cloned().unwrap_or_else(|| vec![row.clone()]);
        let numbers = rows.iter().flat_map(row).map(|x| x.as_f64().unwrap());
        (numbers.collect(), row(&rows[0]).len())
    }

    fn close(received: Option<f64>, exact: Option<f64>) -> bool {
        match (received, exact) {
            (Some(received), Some(exact)) => (received - exact).abs() <= 1e-12 * exact.abs(),
            _ => received == exact,
        }
    }

    #[test]
    fn every_figure_is_scikit_learns() {
        let golden: Value =
            serde_json::from_str(include_str!("../../__test__/goldens/evaluation.json")).unwrap();
        let cases = [
            ("binary", LABELS, "positive"),
            ("hinge", Loss::Hinge, "positive"),
            ("multiclass", CLASSES, "macro"),
            ("absentClasses", CLASSES, "macro"),
            ("multilabel", LABELS, "macro"),
            ("hingeMultilabel", Loss::Hinge, "macro"),
            ("regression", Loss::Mse, "none"),
            ("regressionTwoOutputs", Loss::Mae, "none"),
            ("constantTargets", Loss::SquaredError, "none"),
        ];
        let in_file = golden
            .as_object()
            .unwrap()
            .values()
            .filter(|case| case.is_object());
        assert_eq!(in_file.count(), cases.len() + 1, "the cases and made_with");
        for (name, loss, average) in cases {
            let case = &golden[name];
            let (outputs, units) = flat(&case["outputs"]);
            let (mut targets, width) = flat(&case["targets"]);
            if width != units {
                let one_hot = |class: &f64| {
                    (0..units)
                        .map(|k| f64::from(k == *class as usize))
                        .collect::<Vec<_>>()
                };
                targets = targets.iter().flat_map(one_hot).collect();
            }
            let received = measure(loss, &outputs, &targets, units);
            let figures = [
                (received.accuracy, &case["accuracy"]),
                (received.precision, &case[average]["precision"]),
                (received.recall, &case[average]["recall"]),
                (received.f1, &case[average]["f1"]),
                (received.roc_auc, &case["rocAuc"]),
                (received.mse, &case["mse"]),
                (received.mae, &case["mae"]),
                (received.r2, &case["r2"]),
            ];
            for (received, exact) in figures {
                assert!(
                    close(received, exact.as_f64()),
                    "{name}: {received:?}, not {exact}"
                );
            }
            let matrix: Option<Vec<Vec<u64>>> =
                serde_json::from_value(case["confusionMatrix"].clone()).unwrap();
            assert_eq!(received.confusion_matrix, matrix, "{name}");
        }
    }

    /// All pairs, one by one.
    fn slow_roc_auc(scores: &[f64], positive: &[bool]) -> Option<f64> {
        let of = |wanted: bool| {
            (0..scores.len())
                .filter(move |&i| positive[i] == wanted)
                .map(|i| scores[i])
        };
        let (mut sum, mut pairs) = (0.0, 0.0);
        for high in of(true) {
            for low in of(false) {
                pairs += 1.0;
                sum += if high > low {
                    1.0
                } else if high == low {
                    0.5
                } else {
                    0.0
                };
            }
        }
        (pairs > 0.0).then_some(sum / pairs)
    }

    fn slow_mean(values: impl Iterator<Item = Option<f64>>) -> Option<f64> {
        let values: Vec<f64> = values.collect::<Option<_>>()?;
        Some(values.iter().sum::<f64>() / values.len() as f64)
    }

    /// Precision, recall and F1 from the four numbers of textbooks.
    fn slow_scores(actual: &[bool], predicted: &[bool]) -> [f64; 3] {
        let of = |t: bool, p: bool| {
            let pairs = actual.iter().zip(predicted);
            pairs.filter(|&pair| pair == (&t, &p)).count() as f64
        };
        let (hits, false_alarms, missed) = (of(true, true), of(false, true), of(true, false));
        let ratio = |part: f64, whole: f64| if whole == 0.0 { 0.0 } else { part / whole };
        let (precision, recall) = (ratio(hits, hits + false_alarms), ratio(hits, hits + missed));
        let f1 = ratio(2.0 * precision * recall, precision + recall);
        [precision, recall, f1]
    }

    #[test]
    fn random_predictions_have_the_figures_of_slow_definitions() {
        let mut generator = Generator::new(7);
        let mut defined = 0;
        for _ in 0..600 {
            let rows = 1 + generator.below(24) as usize;
            let units = 1 + generator.below(4) as usize;
            // Eighths, so that there are many ties, and the thresholds themselves.
            let mut numbers = || {
                (0..rows * units)
                    .map(|_| generator.below(9) as f32 / 8.0)
                    .collect::<Vec<_>>()
            };
            let (outputs, targets) = (numbers(), numbers());
            let argmax = |row: &[f32]| {
                let most = row.iter().cloned().fold(f32::MIN, f32::max);
                row.iter().position(|&x| x == most).unwrap()
            };
            let classes = |values: &[f32]| values.chunks(units).map(argmax).collect::<Vec<_>>();
            let (actual, predicted) = (classes(&targets), classes(&outputs));
            let column =
                |values: &[f32], k: usize| values.iter().skip(k).step_by(units).cloned().collect::<Vec<_>>();
            let scores = |k| column(&outputs, k).into_iter().map(f64::from).collect::<Vec<_>>();
            let is = |classes: &[usize], k| classes.iter().map(|&class| class == k).collect::<Vec<_>>();
            let has = |values: &[f32], k| column(values, k).iter().map(|&x| x > 0.5).collect::<Vec<_>>();
            let mean = |scores: &[[f64; 3]], which: usize| slow_mean(scores.iter().map(|s| Some(s[which])));

            let received = measure(CLASSES, &outputs, &targets, units);
            let roc_auc = slow_mean((0..units).map(|k| slow_roc_auc(&scores(k), &is(&actual, k))));
            assert!(close(received.roc_auc, roc_auc), "{received:?}, not {roc_auc:?}");
            defined += usize::from(roc_auc.is_some());
            let listed = (0..units).filter(|k| actual.contains(k) || predicted.contains(k));
            let by_class: Vec<_> = listed
                .map(|k| slow_scores(&is(&actual, k), &is(&predicted, k)))
                .collect();
            assert!(close(received.precision, mean(&by_class, 0)));
            assert!(close(received.recall, mean(&by_class, 1)));
            assert!(close(received.f1, mean(&by_class, 2)));
            let matrix = received.confusion_matrix.unwrap();
            let pairs: Vec<_> = actual.iter().zip(&predicted).collect();
            for (k, row) in matrix.iter().enumerate() {
                for (j, &cell) in row.iter().enumerate() {
                    assert_eq!(
                        cell,
                        pairs.iter().filter(|&&pair| pair == (&k, &j)).count() as u64
                    );
                }
            }
            let right = pairs.iter().filter(|(t, p)| t == p).count();
            assert_eq!(received.accuracy, Some(right as f64 / rows as f64));

            let received = measure(LABELS, &outputs, &targets, units);
            let roc_auc = slow_mean((0..units).map(|k| slow_roc_auc(&scores(k), &has(&targets, k))));
            assert!(close(received.roc_auc, roc_auc), "{received:?}, not {roc_auc:?}");
            let by_label: Vec<_> = (0..units)
                .map(|k| slow_scores(&has(&targets, k), &has(&outputs, k)))
                .collect();
            assert!(close(received.precision, mean(&by_label, 0)));
            assert!(close(received.recall, mean(&by_label, 1)));
            assert!(close(received.f1, mean(&by_label, 2)));
            assert_eq!(received.confusion_matrix.is_some(), units == 1);
            // Moved from around 1/2 to around 0, the same decisions and ranks are a hinge's.
            let signed = |values: &[f32]| values.iter().map(|x| 2.0 * x - 1.0).collect::<Vec<f32>>();
            assert_eq!(
                measure(Loss::Hinge, &signed(&outputs), &signed(&targets), units),
                received
            );
        }
        assert!(defined > 100, "{defined}");
    }

    #[test]
    fn the_first_of_equal_outputs_is_the_class() {
        let received = measure(
            CLASSES,
            &[0.5, 0.5, 0.2, 0.4, 0.4, 0.2],
            &[1.0, 0.0, 0.0, 0.0, 1.0, 0.0],
            3,
        );
        let matrix = vec![vec![1, 0, 0], vec![1, 0, 0], vec![0, 0, 0]];
        assert_eq!(received.confusion_matrix, Some(matrix));
        assert_eq!(received.accuracy, Some(0.5));
    }

    #[test]
    fn an_output_at_the_threshold_is_negative_and_both_zeros_are_one_score() {
        let received = measure(LABELS, &[0.5, 0.75], &[1.0, 0.0], 1);
        assert_eq!(received.confusion_matrix, Some(vec![vec![0, 1], vec![1, 0]]));
        assert_eq!((received.accuracy, received.roc_auc), (Some(0.0), Some(0.0)));
        for outputs in [[-0.0, 0.0], [0.0, -0.0]] {
            let received = measure(Loss::Hinge, &outputs, &[1.0, -1.0], 1);
            assert_eq!((received.accuracy, received.roc_auc), (Some(0.5), Some(0.5)));
        }
    }

    #[test]
    fn one_class_alone_has_no_roc_curve() {
        let received = measure(LABELS, &[0.2, 0.7], &[0.0, 0.0], 1);
        assert_eq!(received.roc_auc, None);
        assert_eq!(received.accuracy, Some(0.5));
        let nothing = (Some(0.0), Some(0.0), Some(0.0));
        assert_eq!((received.precision, received.recall, received.f1), nothing);
        assert_eq!(measure(LABELS, &[0.2, 0.7], &[1.0, 1.0], 1).roc_auc, None);
        // A single label that is undefined makes the mean so.
        assert_eq!(
            measure(LABELS, &[0.2, 0.7, 0.1, 0.3], &[1.0, 1.0, 0.0, 1.0], 2).roc_auc,
            None
        );
    }

    #[test]
    fn a_single_class_is_always_right() {
        let received = measure(CLASSES, &[1.0, 1.0], &[1.0, 1.0], 1);
        assert_eq!(
            (received.accuracy, received.f1, received.roc_auc),
            (Some(1.0), Some(1.0), None)
        );
        assert_eq!(received.confusion_matrix, Some(vec![vec![2]]));
    }

    #[test]
    fn too_many_classes_have_no_confusion_matrix() {
        let most = MOST_CLASSES_OF_A_MATRIX;
        for (units, has_matrix) in [(most, true), (most + 1, false)] {
            let mut row = vec![0.0f32; units];
            row[units - 1] = 1.0;
            let received = measure(CLASSES, &row, &row, units);
            assert_eq!(received.confusion_matrix.is_some(), has_matrix);
            assert_eq!((received.accuracy, received.f1), (Some(1.0), Some(1.0)));
        }
    }

    #[test]
    fn constant_targets_have_an_r2_of_one_or_zero() {
        // The plain mean of ten times 0.1 is not 0.1.
        let targets = [0.1; 10];
        assert_eq!(measure(Loss::Mse, &targets, &targets, 1).r2, Some(1.0));
        let mut outputs = targets;
        outputs[3] = 0.2;
        assert_eq!(measure(Loss::Mse, &outputs, &targets, 1).r2, Some(0.0));
    }

    #[test]
    fn one_row_has_no_r2() {
        let received = measure(Loss::Mse, &[1.0f32, 5.0], &[2.0, 2.0], 2);
        assert_eq!(
            (received.mse, received.mae, received.r2),
            (Some(5.0), Some(2.0), None)
        );
        assert_eq!(received.accuracy, None);
    }

    #[test]
    fn no_rows_have_only_a_loss() {
        for (_, loss) in Loss::ALL {
            for units in 0..3 {
                let expected = Evaluation {
                    loss: 0.25,
                    ..Evaluation::default()
                };
                assert_eq!(measure::<f64>(loss, &[], &[], units), expected);
            }
        }
    }

    #[test]
    fn the_largest_numbers_have_finite_figures() {
        let max = f64::MAX;
        let received = measure(Loss::Mse, &[max, max, max, -max], &[-max, max, max, -max], 1);
        assert_eq!((received.mse, received.mae), (Some(max), Some(max / 2.0)));
        assert!(close(received.r2, Some(0.0)), "{received:?}");
        let received = measure(Loss::Mae, &[max, max], &[-max, -max], 1);
        assert_eq!(
            (received.mse, received.mae, received.r2),
            (Some(max), Some(max), Some(0.0))
        );
        let received = measure(Loss::Mse, &[1e139, 0.0], &[1e-150, 0.0], 1);
        assert_eq!(received.r2, Some(f64::MIN));
        let max = f32::MAX;
        let received = measure(Loss::Mse, &[max, max], &[max, -max], 1);
        assert!(close(received.r2, Some(-1.0)), "{received:?}");
    }

    #[test]
    #[should_panic]
    fn rows_of_no_numbers_are_refused() {
        measure(Loss::Mse, &[1.0], &[1.0], 0);
    }
}
