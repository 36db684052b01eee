use super::*;
use crate::nn::tests::gradients::flat as numbers;
use serde_json::{Value, json};

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../__test__/goldens/schedules.json")).unwrap()
}

fn schedule(json: Value) -> Schedule {
    Schedule::from_json(&json).unwrap()
}

fn rates(schedule: Schedule, epochs: usize, base: f64) -> Vec<f64> {
    let mut state = schedule.state();
    (0..epochs).map(|epoch| state.rate(epoch, epochs, base)).collect()
}

#[test]
fn every_rate_is_pytorchs() {
    let golden = golden();
    let cases = golden["cases"].as_array().unwrap();
    let losses = numbers(&golden["plateauLosses"]);
    assert_eq!((cases.len(), losses.len()), (13, 20));
    for case in cases {
        let mut state = schedule(case["schedule"].clone()).state();
        let base = case["learningRate"].as_f64().unwrap();
        for (epoch, exact) in numbers(&case["rates"]).into_iter().enumerate() {
            let rate = state.rate(epoch, 20, base);
            let close = (rate - exact).abs() <= 1e-12 * exact;
            assert!(close, "{} epoch {epoch}: {rate}, not {exact}", case["schedule"]);
            state.observe(losses[epoch]);
        }
    }
}

#[test]
fn a_short_cosine_holds_its_minimum() {
    let cosine = schedule(json!({"type": "cosine", "epochs": 4, "minimum": 0.1}));
    let short = rates(cosine, 7, 1.0);
    assert_eq!(
        short[..4],
        rates(schedule(json!({"type": "cosine", "minimum": 0.1})), 4, 1.0)
    );
    assert_eq!(short[4..], [0.1; 3]);
    let warming = schedule(json!({"type": "cosine", "warmup": 4, "minimum": 0.5}));
    assert_eq!(rates(warming, 2, 1.0), [0.25, 0.5]);
    let ended = schedule(json!({"type": "cosine", "epochs": 2, "warmup": 4, "minimum": 0.5}));
    assert_eq!(rates(ended, 6, 1.0), [0.25, 0.5, 0.75, 1.0, 0.5, 0.5]);
}

#[test]
fn one_cycle_of_any_length_stays_within_its_limits() {
    for warmup in [0.0, 0.1, 0.3, 0.5, 1.0] {
        let cycle = schedule(json!({"type": "oneCycle", "maximum": 2, "warmup": warmup}));
        for epochs in 1..30 {
            for rate in rates(cycle, epochs, f64::NAN) {
                assert!(
                    (7.9e-6..=2.0).contains(&rate),
                    "warmup {warmup}, {epochs} epochs: {rate}"
                );
            }
        }
    }
    // Its peak is its first epoch: 0 / 0.
    let cycle = schedule(json!({"type": "oneCycle", "maximum": 2, "warmup": 0.5}));
    assert_eq!(rates(cycle, 2, f64::NAN)[0], 2.0);
}

#[test]
fn a_plateau_survives_the_way_through_a_checkpoint() {
    let golden = golden();
    let plateau = schedule(json!({"type": "plateau", "factor": 0.5, "patience": 1}));
    let losses = numbers(&golden["plateauLosses"]);
    for split in 0..losses.len() {
        let mut state = plateau.state();
        for (epoch, &loss) in losses[..split].iter().enumerate() {
            state.rate(epoch, 20, 0.1);
            state.observe(loss);
        }
        let mut restored = plateau.state();
        restored.restore_scalars(&state.scalars()).unwrap();
        assert_eq!(restored, state);
        for (epoch, &loss) in losses.iter().enumerate().skip(split) {
            assert_eq!(state.rate(epoch, 20, 0.1), restored.rate(epoch, 20, 0.1));
            state.observe(loss);
            restored.observe(loss);
        }
    }
}

#[test]
fn a_loss_that_is_none_is_a_bad_epoch() {
    let mut state = schedule(json!({"type": "plateau", "factor": 0.5, "patience": 1})).state();
    for (epoch, exact) in [1.0, 1.0, 0.5, 0.5].into_iter().enumerate() {
        assert_eq!(state.rate(epoch, 4, 1.0), exact);
        state.observe(f64::NAN);
    }
}

#[test]
fn scalars_that_cannot_be_are_refused() {
    let mut state = Schedule::default().state();
    let mut said = |scalars: &[f64]| state.restore_scalars(scalars).unwrap_err().to_string();
    assert_eq!(
        said(&[1.0]),
        "Expected 3 numbers for the schedule's scalars but received 1"
    );
    assert_eq!(
        said(&[0.1, f64::INFINITY, 0.0]),
        "Expected a finite number for the schedule's scalars but received Infinity"
    );
    assert_eq!(
        said(&[-0.1, 1.0, 0.0]),
        "Expected a learning rate for the schedule's scalars but received -0.1"
    );
    assert_eq!(
        said(&[0.1, 1.0, 0.5]),
        "Expected a number of epochs for the schedule's scalars but received 0.5"
    );
}

#[test]
fn a_setting_out_of_range_is_answered_with_the_range() {
    let (at_least_0, above_0) = ("a number of at least 0", "a number above 0");
    let count = "an integer of at least 0";
    let count_from_1 = "an integer of at least 1";
    let cases = [
        (
            json!({"type": "step", "factor": 1, "every": 0}),
            count_from_1,
            "every",
            "0",
        ),
        (
            json!({"type": "step", "factor": 1, "every": 1.5}),
            count_from_1,
            "every",
            "1.5",
        ),
        (
            json!({"type": "step", "every": 1, "factor": 0}),
            above_0,
            "factor",
            "0",
        ),
        (
            json!({"type": "exponential", "factor": -1}),
            above_0,
            "factor",
            "-1",
        ),
        (
            json!({"type": "cosine", "epochs": 0}),
            count_from_1,
            "epochs",
            "0",
        ),
        (
            json!({"type": "cosine", "minimum": -1}),
            at_least_0,
            "minimum",
            "-1",
        ),
        (json!({"type": "cosine", "warmup": -1}), count, "warmup", "-1"),
        (json!({"type": "oneCycle", "maximum": 0}), above_0, "maximum", "0"),
        (
            json!({"type": "oneCycle", "maximum": 1, "warmup": 1.5}),
            "a number in [0, 1]",
            "warmup",
            "1.5",
        ),
        (
            json!({"type": "plateau", "patience": 1, "factor": 1}),
            "a number in (0, 1)",
            "factor",
            "1",
        ),
        (
            json!({"type": "plateau", "factor": 0.5, "patience": 1.5}),
            count,
            "patience",
            "1.5",
        ),
        (
            json!({"type": "plateau", "factor": 0.5, "patience": 1, "minimum": -1}),
            at_least_0,
            "minimum",
            "-1",
        ),
    ];
    for (json, rule, key, received) in cases {
        let error = Schedule::from_json(&json).unwrap_err();
        assert_eq!(error.code, Code::OutOfRange);
        let sentence = format!("Expected {rule} for schedule.{key} but received {received}");
        assert_eq!(error.to_string(), sentence);
    }
}

#[test]
fn what_is_missing_or_unknown_is_refused() {
    let said = |json| Schedule::from_json(&json).unwrap_err().to_string();
    assert_eq!(
        said(json!({"type": "step", "every": 2})),
        "Expected a number above 0 for schedule.factor but received undefined"
    );
    assert_eq!(
        said(json!({"type": "cosin"})),
        "Expected one of 'constant', 'step', 'exponential', 'cosine', 'oneCycle', 'plateau' for schedule.type but \
         received 'cosin': did you mean 'cosine'?"
    );
    assert_eq!(
        said(json!({"type": "cosine", "maximum": 1})),
        "Expected only 'type', 'epochs', 'minimum', 'warmup' for schedule but received 'maximum': did you mean 'minimum'?"
    );
    assert_eq!(
        said(json!({"type": "constant", "factor": 1})),
        "Expected only 'type' for schedule but received 'factor'"
    );
}

#[test]
fn every_schedule_survives_the_way_through_json() {
    for case in golden()["cases"].as_array().unwrap() {
        let schedule = schedule(case["schedule"].clone());
        let text = serde_json::to_string(&schedule).unwrap();
        assert_eq!(serde_json::from_str::<Schedule>(&text).unwrap(), schedule);
    }
}
