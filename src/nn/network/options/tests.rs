use super::*;
use serde_json::json;

fn refused(options: Value) -> String {
    let error = NetworkOptions::from_json(&options).unwrap_err();
    format!("{error} [{}]", error.code.as_str())
}

#[test]
fn defaults_fit_the_loss_and_the_activation() {
    let read = |options: Value| NetworkOptions::from_json(&options).unwrap();
    let regression = read(json!({ "layers": [4, 8, 1] }));
    assert_eq!(regression.loss, Loss::SquaredError);
    assert_eq!(regression.precision, Precision::F64);
    assert_eq!(regression.seed, None);
    assert_eq!(
        regression.layers[0],
        LayerOptions {
            bias_initializer: Initializer::FanInUniform,
            ..LayerOptions::new(8, Activation::Relu, Initializer::FanInUniform)
        }
    );
    assert_eq!(
        regression.layers[1],
        LayerOptions::new(1, Activation::Linear, Initializer::FanInUniform)
    );
    // brain.js put ReLU on the output layer too.
    let output = |loss| read(json!({ "layers": [4, 2], "loss": loss })).layers[0].activation;
    assert_eq!(output("crossEntropy"), Activation::Softmax);
    assert_eq!(output("binaryCrossEntropy"), Activation::Sigmoid);
    assert_eq!(output("poisson"), Activation::Softplus);
    for loss in [
        "squaredError",
        "mse",
        "mae",
        "huber",
        "logCosh",
        "hinge",
        "quantile",
    ] {
        assert_eq!(output(loss), Activation::Linear);
    }
}

#[test]
fn every_option_is_read() {
    let options = NetworkOptions::from_json(&json!({
        "layers": [3, {
            "units": 5, "activation": { "type": "leakyRelu", "alpha": 0.2 }, "dropout": 0.25, "l1": 0.1, "l2": 0.2,
            "initializer": { "type": "normal", "mean": 1, "standardDeviation": 2 }, "normalization": "batch",
            "biasInitializer": "fanInUniform"
        }, 1],
        "loss": { "type": "huber", "delta": 0.5 }, "precision": "f32", "seed": 7
    }))
    .unwrap();
    assert_eq!(options.inputs, 3);
    assert_eq!(
        options.layers[0],
        LayerOptions {
            units: 5,
            activation: Activation::LeakyRelu(0.2),
            initializer: Initializer::Normal {
                mean: 1.0,
                standard_deviation: 2.0
            },
            bias_initializer: Initializer::FanInUniform,
            dropout: 0.25,
            l1: 0.1,
            l2: 0.2,
            normalization: Some(Normalization::Batch),
        }
    );
    assert_eq!(options.loss, Loss::Huber { delta: 0.5 });
    assert_eq!((options.precision, options.seed), (Precision::F32, Some(7)));
}

fn through_text(options: &NetworkOptions) -> NetworkOptions {
    let json = serde_json::from_str(&options.to_json().to_string()).unwrap();
    NetworkOptions::from_json(&json).unwrap()
}

#[test]
fn everything_there_is_survives_the_way_through_json() {
    for &(_, loss) in Loss::ALL {
        for &(_, precision) in Precision::ALL {
            for seed in [None, Some(0), Some(SEED_LIMIT - 1)] {
                let options = NetworkOptions {
                    inputs: 7,
                    layers: vec![LayerOptions::new(2, loss.output_activation(), Initializer::Zeros)],
                    loss,
                    precision,
                    seed,
                };
                assert_eq!(through_text(&options), options);
            }
        }
    }
    let plain = LayerOptions::new(3, Activation::Linear, Initializer::Zeros);
    let mut layers = vec![plain];
    for &(_, activation) in Activation::ALL {
        // Softmax is for the output.
        if activation != Activation::Softmax {
            layers.push(LayerOptions { activation, ..plain });
        }
    }
    for initializer in Initializer::ALL
        .iter()
        .map(|row| row.1)
        .chain([Initializer::UnitUniform])
    {
        layers.push(LayerOptions { initializer, ..plain });
    }
    for (_, bias_initializer) in Initializer::for_biases() {
        layers.push(LayerOptions {
            bias_initializer,
            ..plain
        });
    }
    for normalization in Normalization::ALL.iter().map(|row| Some(row.1)) {
        layers.push(LayerOptions {
            normalization,
            ..plain
        });
    }
    layers.push(plain);
    let options = NetworkOptions {
        layers,
        ..NetworkOptions::original(5, 1, 1)
    };
    assert_eq!(through_text(&options), options);
}

#[test]
fn numbers_survive_the_way_through_json_to_the_last_bit() {
    // Half a unit in the last place would show.
    for x in [
        0.1 + 0.2,
        1.0 / 3.0,
        2.0 / 3.0,
        1e-5,
        f64::EPSILON,
        f64::MIN_POSITIVE,
        5e-324,
    ] {
        let plain = LayerOptions::new(1, Activation::Linear, Initializer::Zeros);
        let initializer = |initializer| LayerOptions { initializer, ..plain };
        let layers = [
            LayerOptions {
                dropout: x,
                l1: x,
                l2: 3.0 * x,
                ..plain
            },
            LayerOptions {
                activation: Activation::LeakyRelu(-x),
                ..plain
            },
            LayerOptions {
                activation: Activation::Elu(x),
                ..plain
            },
            initializer(Initializer::Uniform {
                minimum: -x,
                maximum: 3.0 * x,
            }),
            initializer(Initializer::Normal {
                mean: -x,
                standard_deviation: 3.0 * x,
            }),
            initializer(Initializer::Orthogonal { gain: -x }),
            LayerOptions {
                bias_initializer: Initializer::Uniform {
                    minimum: -x,
                    maximum: 3.0 * x,
                },
                ..plain
            },
        ];
        let losses = [
            Loss::Huber { delta: x },
            Loss::CrossEntropy { label_smoothing: x },
            Loss::BinaryCrossEntropy { positive_weight: x },
            Loss::Quantile { level: x },
        ];
        for loss in losses {
            let output = LayerOptions::new(2, loss.output_activation(), Initializer::Zeros);
            let options = NetworkOptions {
                layers: layers.iter().copied().chain([output]).collect(),
                loss,
                ..NetworkOptions::original(1, 1, 1)
            };
            assert_eq!(through_text(&options), options);
        }
    }
}

#[test]
fn defaults_are_written_out() {
    let options = NetworkOptions::from_json(&json!({ "layers": [2, 3, 1], "loss": "huber" })).unwrap();
    let layer = |units, activation, biases| {
        json!({
            "units": units, "activation": activation, "initializer": "fanInUniform",
            "biasInitializer": biases, "dropout": 0.0, "l1": 0.0, "l2": 0.0
        })
    };
    assert_eq!(
        options.to_json(),
        json!({
            "layers": [2, layer(3, "relu", "fanInUniform"), layer(1, "linear", "zeros")],
            "loss": { "type": "huber", "delta": 1.0 }, "precision": "f64"
        })
    );
}

#[test]
fn the_originals_network_is_saved_with_a_name_that_no_list_has() {
    let original = NetworkOptions::original(2, 3, 1);
    for key in ["initializer", "biasInitializer"] {
        assert_eq!(original.to_json()["layers"][1][key], "unitUniform");
    }
    assert_eq!(through_text(&original), original);
    // Its biases follow the weights where a file says nothing of them.
    let mut json = original.to_json();
    for layer in &mut json["layers"].as_array_mut().unwrap()[1..] {
        layer.as_object_mut().unwrap().remove("biasInitializer");
    }
    assert_eq!(NetworkOptions::from_json(&json).unwrap(), original);
    for wrong in [json!("unitUnifor"), json!({ "type": "unitUniform" })] {
        let sentence = refused(json!({ "layers": [2, { "units": 3, "initializer": wrong }] }));
        assert!(
            sentence.starts_with("Expected one of 'uniform', 'normal', "),
            "{sentence}"
        );
        assert_eq!(
            sentence.matches("'unit").count(),
            1,
            "in what was received alone: {sentence}"
        );
    }
}

#[test]
fn mistakes_are_answered_with_their_place_and_the_cure() {
    assert_eq!(
        refused(json!(3)),
        "Expected an object for options but received 3 [ERR_MIKIR_INVALID_TYPE]"
    );
    assert_eq!(
        refused(json!({ "layer": [2, 1] })),
        "Expected only 'layers', 'loss', 'precision', 'seed' for options but received 'layer': \
         did you mean 'layers'? [ERR_MIKIR_UNKNOWN_OPTION]"
    );
    assert_eq!(
        refused(json!({ "layers": [2, { "units": 3, "activation": "relo" }, 1] })),
        "Expected one of 'linear', 'sigmoid', 'tanh', 'relu', 'leakyRelu', 'elu', 'selu', 'gelu', 'silu', \
         'mish', 'softplus', 'softsign', 'hardSigmoid', 'hardTanh', 'relu6', 'softmax' for \
         options.layers[1].activation but received 'relo': did you mean 'relu'? [ERR_MIKIR_OUT_OF_RANGE]"
    );
    assert_eq!(
        refused(json!({ "layers": [2, { "units": 3, "dropout": 1 }, 1] })),
        "Expected a number in [0, 1) for options.layers[1].dropout but received 1 [ERR_MIKIR_OUT_OF_RANGE]"
    );
    assert_eq!(
        refused(json!({ "layers": [2, 2.5, 1] })),
        "Expected an integer from 1 to 268435456 for options.layers[1] but received 2.5 [ERR_MIKIR_OUT_OF_RANGE]"
    );
    assert_eq!(
        refused(json!({ "layers": [2, "3"] })),
        "Expected a count of neurons or an object with `units` for options.layers[1] but received '3' \
         [ERR_MIKIR_INVALID_TYPE]"
    );
    assert_eq!(
        refused(json!({ "layers": [2, { "units": 3, "activation": { "type": "relu", "alpha": 1 } }, 1] })),
        "Expected only 'type' for options.layers[1].activation but received 'alpha' [ERR_MIKIR_UNKNOWN_OPTION]"
    );
    assert_eq!(
        refused(json!({ "layers": [2, 1], "precision": null })),
        "Expected one of 'f64', 'f32' for options.precision but received null [ERR_MIKIR_INVALID_TYPE]"
    );
}

#[test]
fn combinations_without_meaning_are_refused_with_the_cure() {
    let output = |loss, activation| {
        refused(json!({ "layers": [2, { "units": 2, "activation": activation }], "loss": loss }))
    };
    assert_eq!(
        output("crossEntropy", "sigmoid"),
        "Expected 'softmax', which loss 'crossEntropy' is computed with, for options.layers[1].activation \
         but received 'sigmoid' [ERR_MIKIR_INVALID_COMBINATION]"
    );
    assert!(output("binaryCrossEntropy", "tanh").starts_with("Expected 'sigmoid'"));
    assert!(output("poisson", "linear").contains("such as 'softplus'"));
    assert!(
        output("mse", "softmax")
            .starts_with("Expected 'crossEntropy', which fits a softmax output, for options.loss")
    );
    assert!(
        refused(json!({ "layers": [2, { "units": 2, "activation": "softmax" }, 1] }))
            .contains("output layer only")
    );
    assert!(refused(json!({ "layers": [2, 1], "loss": "crossEntropy" })).contains("binaryCrossEntropy"));
}

#[test]
fn the_ranges_say_the_limits() {
    assert!(UNITS.expected.ends_with(&format!(" {MAX_PARAMETERS}")));
    assert!(SEED.expected.ends_with(&format!(" {}", SEED_LIMIT - 1)));
}
