//! Whole training runs: against PyTorch, and against themselves on other numbers of threads.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::nn::data::{Data, Part};
use crate::nn::fit::{self, History, Run, Start, StoppedBy};
use crate::nn::network::architecture::Architecture;
use crate::nn::network::initialize::initialize;
use crate::nn::network::options::NetworkOptions;
use crate::nn::optim::Optimizer;
use crate::nn::pass::losses::Losses;
use crate::nn::pass::narrow::Narrow;
use crate::nn::pass::tiny::Functions;
use crate::nn::pass::tiny::steps as tiny;
use crate::nn::pass::work::{LossSum, Work};
use crate::nn::random::Generator;
use crate::nn::tests::gradients::{flat, golden_architecture, golden_values};
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Level};

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
        if let Some(reason) = run.advance(false, &|| false, &|| false).unwrap() {
            run.monitor().copy_values(values);
            return reason;
        }
    }
}

/// An epoch of several pieces, with rows of validation, that pauses after each of them or never.
fn paused_or_not(pauses: bool) -> (Vec<f64>, Vec<f64>, usize) {
    let options = json!({ "layers": [64, 256, 64], "loss": "mse", "seed": 1 });
    let architecture = Arc::new(Architecture::new(&NetworkOptions::from_json(&options).unwrap()).unwrap());
    let mut values = vec![0.0; architecture.value_count()];
    initialize(&architecture, &mut values, 1);
    let mut generator = Generator::new(2);
    let mut draw = |count: usize| (0..count).map(|_| generator.uniform()).collect::<Vec<f64>>();
    let rows = data::<f64>(&architecture, &draw(64 * 1700), &draw(64 * 1700));
    let given = json!({ "epochs": 3, "batchSize": 8, "learningRate": 0.01, "validation": 0.5, "threads": 1 });
    let start = Start::new(given, 1, &architecture).unwrap();
    let mut run = fit::begin(architecture, &start, rows, None, &values, None).unwrap();
    let mut calls = 0;
    loop {
        calls += 1;
        let ended = run.advance(false, &|| false, &|| pauses).unwrap();
        if ended.is_some() {
            break;
        }
    }
    let losses = run
        .monitor()
        .history(|history| [&history.losses[..], &history.validation_losses].concat());
    run.monitor().copy_values(&mut values);
    (values, losses, calls)
}

#[test]
fn an_epoch_that_pauses_is_the_same() {
    let (values, losses, calls) = paused_or_not(false);
    assert_eq!((losses.len(), calls), (6, 3));
    let (paused_values, paused_losses, paused_calls) = paused_or_not(true);
    assert!(paused_calls > 10, "{paused_calls} pieces");
    assert_eq!(paused_values, values);
    assert_eq!(paused_losses, losses);
}

#[test]
fn twenty_epochs_end_in_the_weights_of_pytorch() {
    let golden: Value = serde_json::from_str(include_str!("../../../__test__/goldens/network.json")).unwrap();
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
    let run = fit::begin(architecture.clone(), &start, rows.clone(), None, &values, None).unwrap();
    let monitor = run.monitor().clone();
    assert_eq!(to_the_end(run, &mut values), StoppedBy::Epochs);

    let close = |mine: f64, exact: f64| assert!((mine - exact).abs() < 1e-8, "{mine}, not {exact}");
    let history = monitor.history(History::clone);
    let (rates, losses) = (flat(&golden["learningRates"]), flat(&golden["losses"]));
    assert_eq!(history.epochs(), rates.len());
    for (epoch, (rate, loss)) in (1..).zip(rates.into_iter().zip(losses)) {
        let report = history.report(epoch).unwrap();
        close(report.learning_rate, rate);
        close(report.loss, loss);
    }
    let (parameters, statistics) = (&golden["finalParameters"], &golden["finalRunningStatistics"]);
    let exact = golden_values(&architecture, parameters, statistics);
    values
        .iter()
        .zip(exact)
        .for_each(|(&mine, exact)| close(mine, exact));
    let evaluated = crate::nn::evaluation::evaluate(&architecture, &values, &rows, &|| false)
        .unwrap()
        .unwrap();
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
        None,
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
        // Gradient descent moves weights before gradients are in memory, others do not.
        let [sgd, adam] = [json!({ "type": "sgd", "weightDecay": 0.1 }), json!("adam")]
            .map(|optimizer| json!({ "batchSize": batch, "validation": 0.3, "optimizer": optimizer }));
        let f32s = trained::<f32>(&network, &sgd, rows, 1);
        let f64s = trained::<f64>(&network, &adam, rows, 1);
        for threads in [2, 3, 4] {
            assert_eq!(
                trained::<f32>(&network, &sgd, rows, threads),
                f32s,
                "{layers} f32 {threads}"
            );
            assert_eq!(
                trained::<f64>(&network, &adam, rows, threads),
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

/// Work that goes over these rows and is not stopped.
fn all<'a, T>(architecture: &'a Architecture, data: &'a Data<T>, rows: &'a [u32]) -> Work<'a, T> {
    Work {
        architecture,
        data,
        rows,
        next: None,
        is_stopped: &|| false,
    }
}

/// Takes the steps of an epoch of gradient descent as for the smallest networks and as for narrow ones: how many of the
/// former there were, and of both the values and the loss.
fn smallest<T: Real>(
    network: &Value,
    inputs: &[f64],
    batch: usize,
    scale: f64,
) -> (usize, [(Vec<f64>, f64); 2]) {
    let architecture = Architecture::new(&NetworkOptions::from_json(network).unwrap()).unwrap();
    let rows = inputs.len() / architecture.input_count();
    let mut generator = Generator::new(3);
    let units = architecture.output_count();
    let mut targets = vec![0.0; rows * units];
    for row in targets.chunks_exact_mut(units) {
        row[generator.below(units as u64) as usize] = generator.below(2) as f64;
    }
    let mut data = data::<T>(&architecture, inputs, &targets);
    let weights: Vec<f64> = (0..rows).map(|row| [1.0, 0.5, 2.0][row % 3]).collect();
    assert_eq!(data.append(Part::Weights, &weights, rows), Ok(None));
    let mut values = vec![T::ZERO; architecture.value_count()];
    initialize(&architecture, &mut values, 7);
    values.iter_mut().for_each(|value| *value *= T::from_f64(scale));
    let order: Vec<u32> = (0..rows as u32).map(|row| row * 5 % rows as u32).collect();
    let work = all(&architecture, &data, &order);
    let sgd = Optimizer::from_json(&json!({ "type": "sgd", "weightDecay": 0.01 })).unwrap();
    let (mut moved, rate) = (values.clone(), 0.05);
    let mut losses = Losses::new(&architecture).unwrap();
    let functions = Functions::of(&architecture).unwrap();
    let rule = sgd.descent(rate).unwrap();
    let (done, loss) = tiny::steps(functions, work, batch, &mut moved, rule, &mut losses);

    let mut narrow = Narrow::new(&architecture, batch).unwrap().unwrap();
    let mut others = LossSum::default();
    for rows in order.chunks(batch).take(done) {
        let mut gradients = vec![T::ZERO; values.len()];
        let weight = data.weight_of(rows);
        let work = Work { rows, ..work };
        let sum = narrow.gradient(work, &values, T::from_f64(1.0 / weight), &mut gradients, true);
        others.add(LossSum { sum, weight });
        for (value, gradient) in values.iter_mut().zip(gradients) {
            *value = *value - T::from_f64(rate) * (gradient + T::from_f64(0.01) * *value);
        }
    }
    let results = [(moved, loss), (values, others)];
    (
        done,
        results.map(|(values, loss)| (values.iter().map(|x| x.to_f64()).collect(), loss.mean())),
    )
}

/// Whether the smallest networks have steps of their own: they all go the general way where registers are short.
fn has_smallest() -> bool {
    simd::level() != Level::Portable
}

#[test]
fn the_smallest_networks_take_the_same_steps() {
    let mut generator = Generator::new(4);
    let mut checked = 0;
    for (hidden, outputs) in [(2, 1), (3, 1), (4, 1), (2, 2)] {
        for inputs in [1, 2, 5] {
            for activation in ["linear", "sigmoid", "tanh", "relu"] {
                for (loss, output) in [
                    ("squaredError", "sigmoid"),
                    ("squaredError", "tanh"),
                    ("mse", "linear"),
                    ("binaryCrossEntropy", "sigmoid"),
                    ("crossEntropy", "softmax"),
                ] {
                    if loss == "crossEntropy" && outputs == 1 {
                        continue;
                    }
                    for batch in [1, 2, 3, 4] {
                        let units = json!({ "units": hidden, "activation": activation });
                        let outputs = json!({ "units": outputs, "activation": output });
                        let network = json!({ "layers": [inputs, units, outputs], "loss": loss });
                        let shown = format!("{network}, {batch} rows");
                        let rows = 17usize;
                        let numbers: Vec<f64> = (0..rows * inputs)
                            .map(|_| generator.uniform() * 2.0 - 1.0)
                            .collect();
                        let (done, results) = smallest::<f64>(&network, &numbers, batch, 1.0);
                        let is_rare =
                            loss == "binaryCrossEntropy" || activation == "tanh" || output == "tanh";
                        let steps = if batch > 1 && is_rare || !has_smallest() {
                            0
                        } else {
                            rows.div_ceil(batch)
                        };
                        assert_eq!(done, steps, "{shown}");
                        agree(&results, 1e-12, &shown);
                        let (done, results) = smallest::<f32>(&network, &numbers, batch, 1.0);
                        assert_eq!(done, steps, "{shown}");
                        agree(&results, 1e-4, &shown);
                        checked += done;
                    }
                }
            }
        }
    }
    assert!(checked > 5000 || !has_smallest(), "only {checked} steps");
}

fn agree([(values, loss), (others, other)]: &[(Vec<f64>, f64); 2], tolerance: f64, shown: &str) {
    for (&mine, &other) in values.iter().zip(others).chain([(loss, other)]) {
        assert!(
            (mine - other).abs() <= tolerance,
            "{mine}, not {other} in {shown}"
        );
    }
}

#[test]
fn steps_whose_sums_overflow_are_left_to_others() {
    let network = json!({ "layers": [2, 2, 1], "loss": "mse" });
    let mut inputs = [0.5; 2 * 9];
    inputs[2 * 5] = 1e300;
    // The row at place 5 comes second.
    let (done, results) = smallest::<f64>(&network, &inputs, 1, 1e100);
    assert_eq!(done, usize::from(has_smallest()));
    let [(values, _), (others, _)] = &results;
    assert!(
        values
            .iter()
            .zip(others)
            .all(|(mine, other)| (mine / other - 1.0).abs() < 1e-12 || mine == other)
    );
}

#[test]
fn sums_that_are_cut_in_training_come_to_what_evaluation_finds() {
    // Few inputs are not cut, however many weights there are.
    for (inputs, units) in [(700, 40), (33, 600), (20, 900), (1, 17_000)] {
        compare_losses(inputs, units);
    }
}

fn compare_losses(width: usize, units: usize) {
    let network = json!({ "layers": [width, units, 3], "loss": "crossEntropy" });
    let architecture = Arc::new(Architecture::new(&NetworkOptions::from_json(&network).unwrap()).unwrap());
    let mut generator = Generator::new(6);
    let rows = 50;
    let inputs: Vec<f64> = (0..rows * width).map(|_| generator.uniform()).collect();
    let targets: Vec<f64> = (0..rows)
        .flat_map(|row| [0, 1, 2].map(|k| f64::from(row % 3 == k)))
        .collect();
    let data = data::<f64>(&architecture, &inputs, &targets);
    let mut values = vec![0.0; architecture.value_count()];
    initialize(&architecture, &mut values, 7);
    // Biases are not 0.
    values.iter_mut().for_each(|value| *value += 0.01);
    let evaluated = crate::nn::evaluation::evaluate(&architecture, &values, &data, &|| false)
        .unwrap()
        .unwrap()
        .loss;
    for threads in [1, 2] {
        let options = json!({ "epochs": 1, "batchSize": "full", "optimizer": "sgd", "threads": threads });
        let start = Start::new(options, 0, &architecture).unwrap();
        let run = fit::begin(architecture.clone(), &start, data.clone(), None, &values, None).unwrap();
        let monitor = run.monitor().clone();
        to_the_end(run, &mut values.clone());
        let loss = monitor.history(|history| history.losses[0]);
        assert!((loss / evaluated - 1.0).abs() < 1e-13, "{loss}, not {evaluated}");
    }
}
