use super::*;
use crate::nn::error::Code;
use serde_json::{Value, json};

fn refused(json: Value) -> (Code, String) {
    let error = Optimizer::from_json(&json).unwrap_err();
    (error.code, error.to_string())
}

#[test]
fn a_setting_out_of_range_is_answered_with_the_range() {
    let (at_least_0, fraction) = ("a number of at least 0", "a number in [0, 1]");
    let (below_1, epsilon) = ("a number in [0, 1)", "a number of at least 1e-30");
    let count = "an integer of at least 1";
    // optimizer, setting, the rule, values that break it
    let cases: [(&str, &str, &str, &[f64]); 48] = [
        ("sgd", "weightDecay", at_least_0, &[-0.1]),
        ("momentum", "momentum", below_1, &[-0.1, 1.0]),
        ("momentum", "dampening", fraction, &[-0.1, 1.5]),
        ("momentum", "weightDecay", at_least_0, &[-0.1]),
        ("nesterov", "momentum", below_1, &[-0.1, 1.0]),
        ("nesterov", "weightDecay", at_least_0, &[-0.1]),
        ("rmsprop", "alpha", below_1, &[-0.1, 1.0]),
        ("rmsprop", "epsilon", epsilon, &[-0.1, 0.0]),
        ("rmsprop", "weightDecay", at_least_0, &[-0.1]),
        ("rmsprop", "momentum", below_1, &[-0.1, 1.0]),
        ("adagrad", "lrDecay", at_least_0, &[-0.1]),
        ("adagrad", "weightDecay", at_least_0, &[-0.1]),
        ("adagrad", "initialAccumulator", at_least_0, &[-0.1]),
        ("adagrad", "epsilon", epsilon, &[-0.1, 0.0]),
        ("adadelta", "rho", fraction, &[-0.1, 1.5]),
        ("adadelta", "epsilon", epsilon, &[-0.1, 0.0]),
        ("adadelta", "weightDecay", at_least_0, &[-0.1]),
        ("adam", "beta1", below_1, &[-0.1, 1.0, 1.5]),
        ("adam", "beta2", below_1, &[-0.1, 1.0]),
        ("adam", "epsilon", epsilon, &[-0.1, 0.0]),
        ("adam", "weightDecay", at_least_0, &[-0.1]),
        ("adamw", "beta1", below_1, &[-0.1, 1.0]),
        ("adamw", "beta2", below_1, &[-0.1, 1.0]),
        ("adamw", "epsilon", epsilon, &[-0.1, 0.0]),
        ("adamw", "weightDecay", at_least_0, &[-0.1]),
        ("nadam", "beta1", below_1, &[-0.1, 1.0]),
        ("nadam", "beta2", below_1, &[-0.1, 1.0]),
        ("nadam", "epsilon", epsilon, &[-0.1, 0.0]),
        ("nadam", "weightDecay", at_least_0, &[-0.1]),
        ("nadam", "momentumDecay", at_least_0, &[-0.1]),
        ("radam", "beta1", below_1, &[-0.1, 1.0]),
        ("radam", "beta2", below_1, &[-0.1, 1.0]),
        ("radam", "epsilon", epsilon, &[-0.1, 0.0]),
        ("radam", "weightDecay", at_least_0, &[-0.1]),
        ("lion", "beta1", below_1, &[-0.1, 1.0]),
        ("lion", "beta2", below_1, &[-0.1, 1.0]),
        ("lion", "weightDecay", at_least_0, &[-0.1]),
        ("rprop", "etaMinus", "a number in (0, 1)", &[0.0, 1.0]),
        ("rprop", "etaPlus", "a number above 1", &[0.5, 1.0]),
        ("rprop", "stepMin", at_least_0, &[-0.1]),
        ("rprop", "stepMax", "a number above 0", &[-0.1, 0.0]),
        ("lbfgs", "maxIterations", count, &[-1.0, 0.0, 1.5]),
        ("lbfgs", "maxEvaluations", count, &[-1.0, 0.0, 1.5]),
        ("lbfgs", "toleranceGradient", at_least_0, &[-0.1]),
        ("lbfgs", "toleranceChange", at_least_0, &[-0.1]),
        ("lbfgs", "historySize", count, &[-1.0, 0.0, 1.5]),
        // Not numbers: with the wrong type alone.
        ("adam", "amsgrad", "true or false", &[]),
        ("rmsprop", "centered", "true or false", &[]),
    ];
    for (name, key, rule, values) in cases {
        for &value in values {
            // As JSON.stringify writes it.
            let value = if value.fract() == 0.0 {
                json!(value as i64)
            } else {
                json!(value)
            };
            let sentence = format!("Expected {rule} for optimizer.{key} but received {value}");
            assert_eq!(
                refused(json!({"type": name, key: value})),
                (Code::OutOfRange, sentence),
                "{name}"
            );
        }
        let sentence = format!("Expected {rule} for optimizer.{key} but received 'much'");
        assert_eq!(
            refused(json!({"type": name, key: "much"})),
            (Code::InvalidType, sentence)
        );
    }
    let every = |name: &&str| Optimizer::from_json(&json!(name)).unwrap().keys().len();
    let settings: usize = Optimizer::NAMES.iter().map(every).sum();
    assert_eq!(
        settings,
        cases.len() + 1,
        "adamw.amsgrad is adam's; all others are above"
    );
}

#[test]
fn names_and_keys_that_do_not_exist_are_refused() {
    assert_eq!(
        refused(json!("adamm")),
        (
            Code::OutOfRange,
            "Expected one of 'sgd', 'momentum', 'nesterov', 'rmsprop', 'adagrad', 'adadelta', 'adam', 'adamw', \
             'nadam', 'radam', 'lion', 'rprop', 'lbfgs' for optimizer but received 'adamm': did you mean 'adam'?"
                .into()
        )
    );
    assert_eq!(
        refused(json!({"type": "adam", "beta3": 0.9})),
        (
            Code::UnknownOption,
            "Expected only 'type', 'beta1', 'beta2', 'epsilon', 'weightDecay', 'amsgrad' for optimizer but \
             received 'beta3': did you mean 'beta2'?"
                .into()
        )
    );
    assert_eq!(
        refused(json!({"type": "rprop", "stepMin": 2, "stepMax": 1})),
        (
            Code::OutOfRange,
            "Expected a number of at most optimizer.stepMax, which is 1, for optimizer.stepMin but received 2"
                .into()
        )
    );
}

#[test]
fn a_configuration_made_in_rust_is_checked_too() {
    let adam = Optimizer::Adam(Adam {
        beta1: 1.5,
        ..Adam::default()
    });
    let error = adam.check().unwrap_err();
    assert_eq!(error.code, Code::OutOfRange);
    assert_eq!(
        error.to_string(),
        "Expected a number in [0, 1) for optimizer.beta1 but received 1.5"
    );
    let adam = Optimizer::Adam(Adam {
        epsilon: f64::INFINITY,
        ..Adam::default()
    });
    assert_eq!(
        adam.check().unwrap_err().to_string(),
        "Expected a finite number for optimizer.epsilon but received Infinity"
    );
}

#[test]
fn every_optimizer_survives_the_way_through_json() {
    for name in Optimizer::NAMES {
        let optimizer: Optimizer = serde_json::from_value(json!(name)).unwrap();
        assert_eq!(optimizer.name(), *name);
        assert_eq!(Optimizer::from_json(&json!({"type": name})).unwrap(), optimizer);
        optimizer.check().unwrap();
        let text = serde_json::to_string(&optimizer).unwrap();
        assert_eq!(serde_json::from_str::<Optimizer>(&text).unwrap(), optimizer);
    }
    let refused = serde_json::from_str::<Optimizer>(r#"{"type":"sgd","weightDecay":-1}"#).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "Expected a number of at least 0 for optimizer.weightDecay but received -1"
    );
}
