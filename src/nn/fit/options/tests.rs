use super::*;

const CROSS_ENTROPY: Loss = Loss::CrossEntropy { label_smoothing: 0.0 };
const BINARY: Loss = Loss::BinaryCrossEntropy { positive_weight: 1.0 };

fn read(json: Value) -> FitOptions {
    FitOptions::from_json(&json, CROSS_ENTROPY, 3).unwrap()
}

fn refused(json: Value) -> String {
    refused_with(json, CROSS_ENTROPY, 3)
}

fn refused_with(json: Value, loss: Loss, outputs: usize) -> String {
    said(FitOptions::from_json(&json, loss, outputs))
}

fn said(result: Result<FitOptions>) -> String {
    let error = result.unwrap_err();
    let code = error.code.as_str().strip_prefix("ERR_MIKIR_").unwrap();
    format!("{error} [{code}]")
}

/// All that a checkpoint may hold.
fn everything() -> Value {
    json!({
        "epochs": 7, "batchSize": 16, "optimizer": {"type": "adamw", "beta1": 0.8, "weightDecay": 0.1},
        "learningRate": 0.1, "schedule": {"type": "cosine", "warmup": 2}, "shuffle": false, "validation": 0.25,
        "earlyStopping": {"patience": 3, "minDelta": 1e-3, "restoreBest": false}, "targetLoss": -0.5,
        "classWeights": [1, 0, 0.1], "clipNorm": 2.5
    })
}

#[test]
fn the_defaults_are_those_of_the_contract() {
    let defaults = FitOptions {
        epochs: 100,
        batch_size: Some(32),
        optimizer: Optimizer::default(),
        learning_rate: 0.001,
        schedule: Schedule::default(),
        shuffle: true,
        validation: None,
        early_stopping: None,
        target_loss: None,
        timeout: None,
        class_weights: None,
        clip_norm: None,
        threads: None,
        progress: false,
        checkpoint: None,
        resume: None,
    };
    assert_eq!(read(json!({})), defaults);
    assert_eq!(
        read(json!({ "earlyStopping": {} })).early_stopping,
        Some(EarlyStopping {
            patience: 10,
            min_delta: 0.0,
            restore_best: true
        })
    );
    assert_eq!(
        read(json!({ "checkpoint": { "path": "run.ckpt" } })).checkpoint,
        Some(CheckpointOptions {
            path: "run.ckpt".into(),
            every_epochs: 1
        })
    );
    for name in Optimizer::NAMES {
        let options = read(json!({ "optimizer": name }));
        assert_eq!(options.learning_rate, options.optimizer.default_learning_rate());
        assert_eq!(options.batch_size, (*name != "lbfgs").then_some(32));
    }
}

#[test]
fn every_option_is_read() {
    let mut json = everything();
    json["timeout"] = json!(1500.5);
    json["threads"] = json!(256);
    json["progress"] = json!(true);
    json["checkpoint"] = json!({"path": "a", "everyEpochs": 5});
    json["resume"] = json!("b");
    let options = read(json);
    assert_eq!((options.epochs, options.batch_size), (7, Some(16)));
    assert_eq!(options.optimizer.name(), "adamw");
    assert_eq!((options.learning_rate, options.schedule.name()), (0.1, "cosine"));
    assert_eq!((options.shuffle, options.validation), (false, Some(0.25)));
    assert_eq!(
        options.early_stopping,
        Some(EarlyStopping {
            patience: 3,
            min_delta: 1e-3,
            restore_best: false
        })
    );
    assert_eq!((options.target_loss, options.timeout), (Some(-0.5), Some(1500.5)));
    assert_eq!(options.class_weights, Some(vec![1.0, 0.0, 0.1]));
    assert_eq!((options.clip_norm, options.threads), (Some(2.5), Some(256)));
    assert!(options.progress);
    assert_eq!(options.checkpoint.unwrap().every_epochs, 5);
    assert_eq!(options.resume.as_deref(), Some("b"));
    assert_eq!(read(json!({ "batchSize": "full" })).batch_size, None);
}

#[test]
fn every_value_of_the_wrong_kind_or_size_is_answered_with_the_rule() {
    let count = "an integer of at least 1";
    let positive = "a number above 0";
    let batch_size = "an integer of at least 1 or 'full'";
    // option, rule, a value of the wrong kind, values out of range
    let cases = [
        (
            "epochs",
            count,
            json!("1"),
            vec![json!(0), json!(1.5), json!(-1), json!(1e300)],
        ),
        (
            "batchSize",
            batch_size,
            json!([]),
            vec![json!(0), json!(2.5), json!("all")],
        ),
        ("learningRate", positive, json!("1"), vec![json!(0), json!(-1)]),
        ("shuffle", "true or false", json!(1), vec![]),
        (
            "validation",
            "a number in (0, 1)",
            json!({}),
            vec![json!(0), json!(1)],
        ),
        ("earlyStopping", "an object", json!(true), vec![]),
        ("targetLoss", "a number", json!("0"), vec![]),
        ("timeout", positive, json!("1"), vec![json!(0)]),
        ("classWeights", "an array of numbers", json!(1), vec![]),
        ("clipNorm", positive, json!(true), vec![json!(0)]),
        (
            "threads",
            "an integer from 1 to 256",
            json!("2"),
            vec![json!(0), json!(257), json!(1.5)],
        ),
        ("progress", "true or false", json!("yes"), vec![]),
        ("checkpoint", "an object", json!("run.ckpt"), vec![]),
        ("resume", "the path of a file", json!(7), vec![json!("")]),
    ];
    for (key, rule, wrong, outside) in cases {
        for (values, code) in [
            (vec![wrong, json!(null)], "INVALID_TYPE"),
            (outside, "OUT_OF_RANGE"),
        ] {
            for value in values {
                let shown = Shown(&value);
                assert_eq!(
                    refused(json!({ key: value.clone() })),
                    format!("Expected {rule} for options.{key} but received {shown} [{code}]")
                );
            }
        }
    }
}

#[test]
fn mistakes_inside_an_option_are_answered_with_their_place() {
    let cases = [
        (json!(3), "an object for options but received 3 [INVALID_TYPE]"),
        (
            json!({ "batchSize": "ful" }),
            "an integer of at least 1 or 'full' for options.batchSize but received 'ful': did you mean 'full'? \
             [OUT_OF_RANGE]",
        ),
        (
            json!({ "optimizer": { "type": "adam", "beta1": 1 } }),
            "a number in [0, 1) for options.optimizer.beta1 but received 1 [OUT_OF_RANGE]",
        ),
        (
            json!({ "optimizer": { "type": "rprop", "stepMin": 60 } }),
            "a number of at most options.optimizer.stepMax, which is 50, for options.optimizer.stepMin but \
             received 60 [OUT_OF_RANGE]",
        ),
        (
            json!({ "optimizer": { "type": "adam", "learningRate": 0.1 } }),
            "no learningRate for options.optimizer but received 0.1: write it beside the optimizer, as \
             options.learningRate [UNKNOWN_OPTION]",
        ),
        (
            json!({ "schedule": { "type": "step", "every": 0, "factor": 1 } }),
            "an integer of at least 1 for options.schedule.every but received 0 [OUT_OF_RANGE]",
        ),
        (
            json!({ "schedule": null }),
            "one of 'constant', 'step', 'exponential', 'cosine', 'oneCycle', 'plateau' for options.schedule but \
             received null [INVALID_TYPE]",
        ),
        (
            json!({ "earlyStopping": { "patience": -1 } }),
            "an integer of at least 0 for options.earlyStopping.patience but received -1 [OUT_OF_RANGE]",
        ),
        (
            json!({ "earlyStopping": { "patience": null } }),
            "an integer of at least 0 for options.earlyStopping.patience but received null [INVALID_TYPE]",
        ),
        (
            json!({ "earlyStopping": { "patince": 3 } }),
            "only 'patience', 'minDelta', 'restoreBest' for options.earlyStopping but received 'patince': did \
             you mean 'patience'? [UNKNOWN_OPTION]",
        ),
        (
            json!({ "checkpoint": {} }),
            "the path of a file for options.checkpoint.path but received undefined [INVALID_TYPE]",
        ),
        (
            json!({ "checkpoint": { "path": "a", "everyEpochs": 0 } }),
            "an integer of at least 1 for options.checkpoint.everyEpochs but received 0 [OUT_OF_RANGE]",
        ),
        (
            json!({ "checkpoint": { "path": "a", "every": 1 } }),
            "only 'path', 'everyEpochs' for options.checkpoint but received 'every': did you mean \
             'everyEpochs'? [UNKNOWN_OPTION]",
        ),
        (
            json!({ "classWeights": [1, "2", 3] }),
            "a number from 0 to 1e30 for options.classWeights[1] but received '2' [INVALID_TYPE]",
        ),
        (
            json!({ "classWeights": [1, 2, -3] }),
            "a number from 0 to 1e30 for options.classWeights[2] but received -3 [OUT_OF_RANGE]",
        ),
        (
            json!({ "classWeights": [0, 0, 0] }),
            "a weight above 0 for at least one class for options.classWeights but received only 0 \
             [OUT_OF_RANGE]",
        ),
        (
            json!({ "signal": {} }),
            "a value that stays in JavaScript for options.signal but received an object [INTERNAL]",
        ),
    ];
    for (json, sentence) in cases {
        assert_eq!(refused(json), format!("Expected {sentence}"));
    }
    let misspelled = refused(json!({ "onEpoc": 1 }));
    assert!(
        misspelled.contains("'onEpoc': did you mean 'onEpoch'?"),
        "{misspelled}"
    );
}

#[test]
fn combinations_without_meaning_are_refused_with_the_cure() {
    assert_eq!(
        refused(json!({ "optimizer": "lbfgs", "batchSize": 32 })),
        "Expected 'full', which optimizer 'lbfgs' works with, for options.batchSize but received 32 \
         [INVALID_COMBINATION]"
    );
    assert_eq!(
        refused(json!({ "optimizer": "lbfgs", "clipNorm": 1 })),
        "Expected no limit beside optimizer 'lbfgs', whose line search needs the whole gradient, for \
         options.clipNorm but received 1: leave it out, or choose another optimizer [INVALID_COMBINATION]"
    );
    assert_eq!(
        read(json!({ "optimizer": "lbfgs", "batchSize": "full" })).batch_size,
        None
    );

    let weights = json!({ "classWeights": [1, 2] });
    assert_eq!(
        refused_with(weights.clone(), Loss::Mse, 2),
        "Expected loss 'crossEntropy', 'binaryCrossEntropy' or 'hinge', which have classes, for \
         options.classWeights but received loss 'mse': weigh the examples with sampleWeights \
         [INVALID_COMBINATION]"
    );
    for (loss, name) in [(BINARY, "binaryCrossEntropy"), (Loss::Hinge, "hinge")] {
        assert!(FitOptions::from_json(&weights, loss, 1).is_ok());
        assert_eq!(
            refused_with(weights.clone(), loss, 2),
            format!(
                "Expected one output, which makes two classes with loss '{name}', for options.classWeights but \
                 received 2 outputs: weigh the examples with sampleWeights [INVALID_COMBINATION]"
            )
        );
        assert_eq!(
            refused_with(json!({ "classWeights": [1] }), loss, 1),
            "Expected 2 weights, one for each class, for options.classWeights but received 1 [INVALID_LENGTH]"
        );
    }
    assert_eq!(
        refused(weights),
        "Expected 3 weights, one for each class, for options.classWeights but received 2 [INVALID_LENGTH]"
    );
}

#[test]
fn options_survive_the_way_through_a_checkpoint() {
    let through_text = |options: &FitOptions| {
        let text = options.to_json().to_string();
        let json = serde_json::from_str(&text).unwrap();
        assert_eq!(json, options.to_json());
        FitOptions::from_json(&json, CROSS_ENTROPY, 3).unwrap()
    };
    let exact = json!({ "learningRate": 0.1 + 0.2, "clipNorm": 5e-324, "targetLoss": -1.0 / 3.0 });
    let mut all = vec![json!({}), everything(), exact];
    all.extend(Optimizer::NAMES.iter().map(|name| json!({ "optimizer": name })));
    for json in all {
        let options = read(json);
        assert_eq!(through_text(&options), options);
    }
    let json = read(everything()).to_json();
    assert_eq!(json["optimizer"]["beta2"], 0.999, "defaults are written out");
    assert!(
        everything()
            .as_object()
            .unwrap()
            .keys()
            .all(|key| json.get(key).is_some())
    );
    let ways = json!({
        "timeout": 1, "threads": 1, "progress": true, "checkpoint": { "path": "a" }, "resume": "a"
    });
    assert_eq!(read(ways).to_json(), read(json!({})).to_json());
}

#[test]
fn a_resumed_run_keeps_its_course() {
    let saved = read(everything());
    let resumed = |given| FitOptions::resumed(&given, &saved.to_json(), CROSS_ENTROPY, 3).unwrap();
    assert_eq!(resumed(json!({})), saved);
    assert_eq!(resumed(everything()), saved);
    let given = json!({
        "epochs": 9, "targetLoss": 0.1, "timeout": 5, "threads": 2, "progress": true,
        "checkpoint": { "path": "a" }, "resume": "b"
    });
    let wanted = read(given.clone());
    assert_eq!(
        resumed(given),
        FitOptions {
            epochs: 9,
            target_loss: Some(0.1),
            timeout: wanted.timeout,
            threads: wanted.threads,
            progress: true,
            checkpoint: wanted.checkpoint,
            resume: wanted.resume,
            ..saved.clone()
        }
    );
}

#[test]
fn another_course_is_refused_with_the_place_where_it_differs() {
    let all = read(everything()).to_json();
    let plain = read(json!({})).to_json();
    let cases = [
        (&all, json!({ "batchSize": 64 }), "16", "batchSize", "64"),
        (&all, json!({ "batchSize": "full" }), "16", "batchSize", "'full'"),
        (
            &all,
            json!({ "optimizer": "adam" }),
            "'adamw'",
            "optimizer.type",
            "'adam'",
        ),
        (
            &all,
            json!({ "optimizer": "adamw" }),
            "0.8",
            "optimizer.beta1",
            "0.9",
        ),
        (&all, json!({ "learningRate": 1 }), "0.1", "learningRate", "1"),
        (
            &all,
            json!({ "schedule": { "type": "cosine" } }),
            "2",
            "schedule.warmup",
            "0",
        ),
        (
            &plain,
            json!({ "schedule": { "type": "cosine" } }),
            "'constant'",
            "schedule.type",
            "'cosine'",
        ),
        (&all, json!({ "shuffle": true }), "false", "shuffle", "true"),
        (&all, json!({ "validation": 0.5 }), "0.25", "validation", "0.5"),
        (&plain, json!({ "validation": 0.5 }), "none", "validation", "0.5"),
        (
            &plain,
            json!({ "earlyStopping": {} }),
            "none",
            "earlyStopping",
            "an object",
        ),
        (
            &all,
            json!({ "earlyStopping": { "patience": 3 } }),
            "0.001",
            "earlyStopping.minDelta",
            "0",
        ),
        (
            &all,
            json!({ "classWeights": [1, 1, 0.1] }),
            "0",
            "classWeights[1]",
            "1",
        ),
        (&plain, json!({ "clipNorm": 1 }), "none", "clipNorm", "1"),
    ];
    for (saved, given, expected, path, received) in cases {
        assert_eq!(
            said(FitOptions::resumed(&given, saved, CROSS_ENTROPY, 3)),
            format!(
                "Expected {expected}, as in the checkpoint, for options.{path} but received {received}: leave it \
                 out, or start without resume [INVALID_COMBINATION]"
            )
        );
    }
    let wrong = FitOptions::resumed(&json!({ "epochs": 0 }), &all, CROSS_ENTROPY, 3);
    assert!(said(wrong).contains("for options.epochs but received 0 [OUT_OF_RANGE]"));
}

#[test]
fn a_checkpoint_that_lies_is_refused() {
    let resumed = |saved: &Value| FitOptions::resumed(&json!({}), saved, CROSS_ENTROPY, 3);
    let saved = read(everything()).to_json();
    let odd = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1e308),
        json!(0.5),
        json!(""),
        json!("adam"),
        json!([]),
        json!([1, 2, 3]),
        json!({}),
        json!({"type": "lbfgs", "historySize": 9e15}),
    ];
    for value in &odd {
        let _ = resumed(value);
        for key in saved.as_object().unwrap().keys() {
            let mut changed = saved.clone();
            changed[key] = value.clone();
            if let Err(error) = resumed(&changed) {
                assert_eq!(error.code, Code::CorruptFile, "{key}: {value}");
            }
        }
    }
    let mut changed = saved.clone();
    changed["optimizer"]["beta1"] = json!(2);
    assert_eq!(
        said(resumed(&changed)),
        "Expected a number in [0, 1) for the checkpoint's options.optimizer.beta1 but received 2 [CORRUPT_FILE]"
    );
    assert_eq!(
        said(resumed(&json!(null))),
        "Expected an object for the checkpoint's options but received null [CORRUPT_FILE]"
    );
}
