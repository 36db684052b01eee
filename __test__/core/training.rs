//! Whole training runs: against PyTorch, and against themselves on other numbers of threads.

use std::sync::Arc;

use serde_json::{Value, json};

use super::architecture::Architecture;
use super::fit::{self, Data, Part, Run, Start, StoppedBy};
use super::gradients::{flat, golden_architecture, golden_values};
use super::initializer::initialize;
use super::options::NetworkOptions;
use super::random::Generator;
use super::real::Real;

fn data<T: Real>(architecture: &Architecture, inputs: &[f64], targets: &[f64]) -> Data<T> {
    let mut data = Data::new(architecture);
    for (part, numbers) in [(Part::Inputs, inputs), (Part::Targets, targets)] {
        assert_eq!(data.append(part, numbers, numbers.len()), Ok(None));
    }
    data
}

/// Runs to the end: why it ended, and the values.
fn to_the_end<T: Real>(mut run: Run<T>, values: &mut [T]) -> StoppedBy {
    loop {
        if let Some(reason) = run.advance().unwrap() {
            run.monitor().copy_values(values);
            return reason;
        }
    }
}

#[test]
fn twenty_epochs_end_in_the_weights_of_pytorch() {
    let golden: Value = serde_json::from_str(include_str!("../goldens/network.json")).unwrap();
    let golden = &golden["training"];
    let architecture = Arc::new(golden_architecture(golden));
    let mut values = golden_values(&architecture, &golden["initialParameters"], &Value::Null);
    // A fresh network's running variance.
    for layer in architecture.layers() {
        values[layer.variance.clone()].fill(1.0);
    }
    let (inputs, targets) = (flat(&golden["inputs"]), flat(&golden["targets"]));
    let mut options = golden["fit"].clone();
    options["shuffle"] = json!(false);
    let start = Start::new(options, 0, &architecture).unwrap();
    let rows = data(&architecture, &inputs, &targets);
    let run = fit::begin(architecture.clone(), &start, rows.clone(), None, &values).unwrap();
    let monitor = run.monitor().clone();
    assert_eq!(to_the_end(run, &mut values), StoppedBy::Epochs);

    let close = |mine: f64, exact: f64| assert!((mine - exact).abs() < 1e-8, "{mine}, not {exact}");
    let reports = monitor.reports(0, |reports| reports.to_vec());
    let (rates, losses) = (flat(&golden["learningRates"]), flat(&golden["losses"]));
    assert_eq!(reports.len(), rates.len());
    for (report, (rate, loss)) in reports.iter().zip(rates.into_iter().zip(losses)) {
        close(report.learning_rate, rate);
        close(report.loss, loss);
    }
    let (parameters, statistics) = (&golden["finalParameters"], &golden["finalRunningStatistics"]);
    let exact = golden_values(&architecture, parameters, statistics);
    values
        .iter()
        .zip(exact)
        .for_each(|(&mine, exact)| close(mine, exact));
    let evaluated = fit::evaluate(&architecture, &values, &rows).unwrap();
    close(evaluated.loss, golden["evaluatedLoss"].as_f64().unwrap());
}

/// The bits after three epochs on so many threads.
fn trained<T: Real>(network: &Value, options: &Value, rows: usize, threads: usize) -> Vec<u64> {
    let architecture = Arc::new(Architecture::new(&NetworkOptions::from_json(network).unwrap()).unwrap());
    let mut generator = Generator::new(5);
    let mut draw = |count: usize| (0..count).map(|_| generator.uniform()).collect::<Vec<_>>();
    let inputs = draw(rows * architecture.input_count());
    let targets = draw(rows * architecture.output_count());
    let mut values = vec![T::ZERO; architecture.value_count()];
    initialize(&architecture, &mut values, 7);
    let mut options = options.clone();
    options["epochs"] = json!(3);
    options["threads"] = json!(threads);
    let start = Start::new(options, 11, &architecture).unwrap();
    let run = fit::begin(
        architecture.clone(),
        &start,
        data(&architecture, &inputs, &targets),
        None,
        &values,
    );
    assert_eq!(to_the_end(run.unwrap(), &mut values), StoppedBy::Epochs);
    values.iter().map(|value| value.to_f64().to_bits()).collect()
}

#[test]
fn the_number_of_threads_changes_no_bit() {
    // Shapes on both sides of what the products do differently: narrow and wide layers, single outputs and
    // inputs, long sums, and batches that blocks do not fit into. All are large enough for threads to share.
    let cases = [
        (json!([784, 128, 10]), 150, 32),
        (json!([600, 300, 1]), 90, 40),
        (json!([700, 50, 40, 3]), 200, 100),
        (json!([1100, 64, 64, 2]), 150, 130),
        (json!([1, 700, 700, 1]), 70, 33),
        (json!([300, 8, 300]), 260, 128),
        (json!([530, 17, 530]), 260, 77),
        (json!([20, 800, 33, 800, 5]), 100, 50),
        (json!([90, 90, 90]), 1500, 1400),
    ];
    for (layers, rows, batch) in cases {
        // With exponentials at the end, where there is more than one output.
        let loss = if layers[layers.as_array().unwrap().len() - 1] == 1 {
            "mse"
        } else {
            "crossEntropy"
        };
        let network = json!({ "layers": layers, "loss": loss });
        let options = json!({ "batchSize": batch, "validation": 0.3 });
        let f32s = trained::<f32>(&network, &options, rows, 1);
        let f64s = trained::<f64>(&network, &options, rows, 1);
        for threads in [2, 3, 4] {
            assert_eq!(
                trained::<f32>(&network, &options, rows, threads),
                f32s,
                "{layers} f32 {threads}"
            );
            assert_eq!(
                trained::<f64>(&network, &options, rows, threads),
                f64s,
                "{layers} f64 {threads}"
            );
        }
    }
}

#[test]
fn nor_with_dropout_normalizations_penalties_and_other_optimizers() {
    let layer = json!({ "units": 60, "dropout": 0.4, "normalization": "layer", "l1": 1e-4, "l2": 1e-3 });
    let networks = [
        json!({ "layers": [100, layer, 40, 20] }),
        json!({ "layers": [100, { "units": 60, "dropout": 0.2, "normalization": "batch" }, 40, 20] }),
    ];
    let fits = [
        json!({ "batchSize": 52, "clipNorm": 0.5 }),
        json!({ "optimizer": { "type": "lbfgs", "maxIterations": 3 } }),
        json!({ "optimizer": "nadam", "batchSize": "full" }),
    ];
    for network in &networks {
        for options in &fits {
            let alone = trained::<f64>(network, options, 120, 1);
            for threads in [2, 3] {
                assert_eq!(
                    trained::<f64>(network, options, 120, threads),
                    alone,
                    "{network} {options}"
                );
            }
        }
    }
}

#[test]
fn nor_does_it_to_move_parameters_as_soon_as_their_gradients_are_known() {
    // Batches of one row begin the next one with the moved weights. With a clip norm that clips nothing, all gradients
    // are known before anything moves.
    let penalized = json!({ "units": 37, "l2": 1e-3, "normalization": "layer" });
    let networks = [
        json!({ "layers": [20, 70, 3] }),
        json!({ "layers": [9, { "units": 130, "dropout": 0.3, "normalization": "layer" }, penalized, 5] }),
    ];
    let optimizers = ["sgd", "momentum", "adam", "rprop", "adadelta"];
    for network in &networks {
        for optimizer in optimizers {
            for batch in [1, 5] {
                let options = json!({ "optimizer": optimizer, "batchSize": batch, "validation": 0.2 });
                let mut clipped = options.clone();
                clipped["clipNorm"] = json!(1e300);
                let shown = format!("{network} {options}");
                assert_eq!(
                    trained::<f64>(network, &options, 31, 1),
                    trained::<f64>(network, &clipped, 31, 1),
                    "{shown}"
                );
                assert_eq!(
                    trained::<f32>(network, &options, 31, 1),
                    trained::<f32>(network, &clipped, 31, 1),
                    "{shown}"
                );
            }
        }
    }
}
