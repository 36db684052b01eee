use super::*;
use crate::nn::random::Generator;
use crate::nn::settings::Named;
use serde_json::Value;

const CLASSES: Loss = Loss::CrossEntropy { label_smoothing: 0.0 };
const LABELS: Loss = Loss::BinaryCrossEntropy { positive_weight: 1.0 };

fn measured<T: Real>(loss: Loss, outputs: &[T], targets: &[T], units: usize) -> Evaluation {
    let evaluation = super::measure(loss, 0.25, outputs, targets, units, &|| false)
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
        serde_json::from_str(include_str!("../../../../__test__/goldens/evaluation.json")).unwrap();
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
        let received = measured(loss, &outputs, &targets, units);
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
        let matrix: Option<Vec<Vec<u64>>> = serde_json::from_value(case["confusionMatrix"].clone()).unwrap();
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

        let received = measured(CLASSES, &outputs, &targets, units);
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

        let received = measured(LABELS, &outputs, &targets, units);
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
            measured(Loss::Hinge, &signed(&outputs), &signed(&targets), units),
            received
        );
    }
    assert!(defined > 100, "{defined}");
}

#[test]
fn the_first_of_equal_outputs_is_the_class() {
    let received = measured(
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
    let received = measured(LABELS, &[0.5, 0.75], &[1.0, 0.0], 1);
    assert_eq!(received.confusion_matrix, Some(vec![vec![0, 1], vec![1, 0]]));
    assert_eq!((received.accuracy, received.roc_auc), (Some(0.0), Some(0.0)));
    for outputs in [[-0.0, 0.0], [0.0, -0.0]] {
        let received = measured(Loss::Hinge, &outputs, &[1.0, -1.0], 1);
        assert_eq!((received.accuracy, received.roc_auc), (Some(0.5), Some(0.5)));
    }
}

#[test]
fn one_class_alone_has_no_roc_curve() {
    let received = measured(LABELS, &[0.2, 0.7], &[0.0, 0.0], 1);
    assert_eq!(received.roc_auc, None);
    assert_eq!(received.accuracy, Some(0.5));
    let nothing = (Some(0.0), Some(0.0), Some(0.0));
    assert_eq!((received.precision, received.recall, received.f1), nothing);
    assert_eq!(measured(LABELS, &[0.2, 0.7], &[1.0, 1.0], 1).roc_auc, None);
    // A single label that is undefined makes the mean so.
    assert_eq!(
        measured(LABELS, &[0.2, 0.7, 0.1, 0.3], &[1.0, 1.0, 0.0, 1.0], 2).roc_auc,
        None
    );
}

#[test]
fn a_single_class_is_always_right() {
    let received = measured(CLASSES, &[1.0, 1.0], &[1.0, 1.0], 1);
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
        let received = measured(CLASSES, &row, &row, units);
        assert_eq!(received.confusion_matrix.is_some(), has_matrix);
        assert_eq!((received.accuracy, received.f1), (Some(1.0), Some(1.0)));
    }
}

#[test]
fn constant_targets_have_an_r2_of_one_or_zero() {
    // The plain mean of ten times 0.1 is not 0.1.
    let targets = [0.1; 10];
    assert_eq!(measured(Loss::Mse, &targets, &targets, 1).r2, Some(1.0));
    let mut outputs = targets;
    outputs[3] = 0.2;
    assert_eq!(measured(Loss::Mse, &outputs, &targets, 1).r2, Some(0.0));
}

#[test]
fn one_row_has_no_r2() {
    let received = measured(Loss::Mse, &[1.0f32, 5.0], &[2.0, 2.0], 2);
    assert_eq!(
        (received.mse, received.mae, received.r2),
        (Some(5.0), Some(2.0), None)
    );
    assert_eq!(received.accuracy, None);
}

#[test]
fn no_rows_have_only_a_loss() {
    for &(_, loss) in Loss::ALL {
        for units in 0..3 {
            let expected = Evaluation {
                loss: 0.25,
                ..Evaluation::default()
            };
            assert_eq!(measured::<f64>(loss, &[], &[], units), expected);
        }
    }
}

#[test]
fn the_largest_numbers_have_finite_figures() {
    let max = f64::MAX;
    let received = measured(Loss::Mse, &[max, max, max, -max], &[-max, max, max, -max], 1);
    assert_eq!((received.mse, received.mae), (Some(max), Some(max / 2.0)));
    assert!(close(received.r2, Some(0.0)), "{received:?}");
    let received = measured(Loss::Mae, &[max, max], &[-max, -max], 1);
    assert_eq!(
        (received.mse, received.mae, received.r2),
        (Some(max), Some(max), Some(0.0))
    );
    let received = measured(Loss::Mse, &[1e139, 0.0], &[1e-150, 0.0], 1);
    assert_eq!(received.r2, Some(f64::MIN));
    let max = f32::MAX;
    let received = measured(Loss::Mse, &[max, max], &[max, -max], 1);
    assert!(close(received.r2, Some(-1.0)), "{received:?}");
}

#[test]
#[should_panic]
fn rows_of_no_numbers_are_refused() {
    measured(Loss::Mse, &[1.0], &[1.0], 0);
}
