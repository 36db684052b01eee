//! The gradient of every kind of network, against finite differences and against PyTorch.

use std::collections::BTreeMap;
use std::ops::Range;

use serde_json::{Value, json};

use crate::nn::data::{Data, Part};
use crate::nn::host::team::Shared;
use crate::nn::network::activation::Activation;
use crate::nn::network::architecture::Architecture;
use crate::nn::network::initialize::initialize;
use crate::nn::network::loss::Loss;
use crate::nn::network::options::NetworkOptions;
use crate::nn::network::penalty::penalty;
use crate::nn::network::weights;
use crate::nn::pass::batch::{Batch, Masks, Sink};
use crate::nn::pass::narrow::Narrow;
use crate::nn::pass::reference::{self, Found};
use crate::nn::pass::work::Work;
use crate::nn::random::Generator;
use crate::nn::settings::Named;
use crate::nn::vector::real::Real;

const ROWS: usize = 5;
/// The seed of what is dropped.
const MASKS: u64 = 2;

/// A network with its data: the same numbers in either precision.
struct Case {
    architecture: Architecture,
    values: Vec<f64>,
    inputs: Vec<f64>,
    targets: Vec<f64>,
    row_weights: Vec<f64>,
}

/// Keeps the gradients at these values.
struct Keep<'a, T>(&'a [T], Shared<'a, T>);

impl<T: Real> Sink<T> for Keep<'_, T> {
    unsafe fn take(&self, range: Range<usize>, compute: impl FnOnce(&[T], &mut [T], bool)) {
        // SAFETY: as the caller promises.
        compute(&self.0[range.clone()], unsafe { self.1.write(range) }, true);
    }
}

/// A training pass on one thread: the loss, and the gradients where they are wanted.
pub fn training_pass<T: Real>(
    batch: &mut Batch<T>,
    architecture: &Architecture,
    values: &[T],
    (inputs, targets, weights): (&[T], &[T], Option<&[T]>),
    seed: u64,
    gradients: Option<&mut [T]>,
) -> f64 {
    let rows = inputs.len() / architecture.input_count();
    let masks = Masks {
        seed,
        step: 0,
        first_row: 0,
    };
    let weight = |row| weights.map_or(1.0, |weights| T::to_f64(weights[row]));
    let total: f64 = (0..rows).map(weight).sum();
    let mut losses = vec![0.0; rows];
    let pass = batch.pass(architecture, rows, Some(masks), &|| false);
    // SAFETY: this thread is the only one.
    unsafe {
        pass.forward(values, 0..rows, inputs);
        let training = gradients.is_some().then_some((weights, T::from_f64(1.0 / total)));
        pass.losses(0..rows, targets, &mut losses, training);
        if let Some(gradients) = gradients {
            pass.backward(values, 0..rows);
            pass.gradients((0, 1), inputs, None, &Keep(values, Shared::new(gradients)));
        }
    }
    losses
        .iter()
        .enumerate()
        .map(|(row, loss)| weight(row) * loss)
        .sum::<f64>()
        / total
}

impl Case {
    fn new(options: Value, seed: u64) -> Self {
        let architecture = Architecture::new(&NetworkOptions::from_json(&options).unwrap()).unwrap();
        let mut generator = Generator::new(seed);
        let mut values = vec![0.0; architecture.value_count()];
        initialize(&architecture, &mut values, seed);
        // Nothing at its neutral value: biases, gammas, betas and statistics move too.
        values
            .iter_mut()
            .for_each(|value| *value += 0.3 * generator.uniform());
        let inputs = (0..ROWS * architecture.input_count())
            .map(|_| generator.normal())
            .collect();
        let (count, loss) = (architecture.output_count(), architecture.loss());
        let mut target = |k: usize, row: usize| match loss {
            Loss::CrossEntropy { .. } => f64::from(u8::from(row % count == k)),
            Loss::BinaryCrossEntropy { .. } => generator.uniform(),
            Loss::Poisson => (generator.uniform() * 4.0).floor(),
            Loss::Hinge => {
                if generator.uniform() < 0.5 {
                    -1.0
                } else {
                    1.0
                }
            }
            _ => generator.normal(),
        };
        let targets = (0..ROWS * count).map(|i| target(i % count, i / count)).collect();
        let row_weights = (0..ROWS).map(|i| 0.5 + i as f64).collect();
        Case {
            architecture,
            values,
            inputs,
            targets,
            row_weights,
        }
    }

    /// The objective: loss and penalties, with the same outputs dropped each time.
    fn objective(&self, values: &[f64], batch: &mut Batch<f64>) -> f64 {
        let data = (&self.inputs[..], &self.targets[..], Some(&self.row_weights[..]));
        training_pass(batch, &self.architecture, values, data, MASKS, None)
            + penalty(&self.architecture, values)
    }

    fn gradient<T: Real>(&self) -> Vec<f64> {
        let convert = |x: &[f64]| -> Vec<T> { x.iter().map(|&x| T::from_f64(x)).collect() };
        let (values, inputs, targets) = (
            convert(&self.values),
            convert(&self.inputs),
            convert(&self.targets),
        );
        let mut batch = Batch::new(&self.architecture, ROWS).unwrap();
        let mut gradients = vec![T::ZERO; self.architecture.parameter_count()];
        let row_weights = convert(&self.row_weights);
        let data = (&inputs[..], &targets[..], Some(&row_weights[..]));
        training_pass(
            &mut batch,
            &self.architecture,
            &values,
            data,
            MASKS,
            Some(&mut gradients),
        );
        gradients.iter().map(|g| g.to_f64()).collect()
    }

    /// What the plain loops of the reference find for these rows.
    fn reference(&self, rows: &[u32]) -> Found {
        let gather = |numbers: &[f64], width: usize| -> Vec<Vec<f64>> {
            let row = |&row: &u32| numbers[row as usize * width..][..width].to_vec();
            rows.iter().map(row).collect()
        };
        let step = reference::Step {
            inputs: gather(&self.inputs, self.architecture.input_count()),
            targets: gather(&self.targets, self.architecture.output_count()),
            weights: gather(&self.row_weights, 1).concat(),
            masks: Masks {
                seed: MASKS,
                step: 0,
                first_row: 0,
            },
        };
        reference::step(&self.architecture, &self.values, &step)
    }

    fn finite_differences(&self) -> Vec<f64> {
        let mut batch = Batch::new(&self.architecture, ROWS).unwrap();
        let mut values = self.values.clone();
        let h = 1e-5;
        (0..self.architecture.parameter_count())
            .map(|i| {
                let value = values[i];
                values[i] = value + h;
                let above = self.objective(&values, &mut batch);
                values[i] = value - h;
                let below = self.objective(&values, &mut batch);
                values[i] = value;
                (above - below) / (2.0 * h)
            })
            .collect()
    }
}

/// |a - b| / (|a| + |b|), of whole vectors.
fn relative_error(a: &[f64], b: &[f64]) -> f64 {
    let norm = |x: &mut dyn Iterator<Item = f64>| x.map(|x| x * x).sum::<f64>().sqrt();
    let difference = norm(&mut a.iter().zip(b).map(|(a, b)| a - b));
    let size = norm(&mut a.iter().copied()) + norm(&mut b.iter().copied());
    if size < 1e-7 {
        difference
    } else {
        difference / size
    }
}

/// Options of a network of `depth` layers whose hidden layers, and output where the loss lets it, have
/// `activation`, with `extra` options on the hidden layers (on the only one where there is one).
fn options(depth: usize, activation: Activation, loss: Loss, extra: &Value) -> Option<Value> {
    let mut layers = vec![json!(3)];
    for l in 1..=depth {
        let is_output = l == depth;
        // Large enough for outputs that are not near 0, where the loss of a Poisson output has no finite slope.
        let mut layer = json!({ "units": if is_output { 2 } else { 5 - l }, "initializer": "heUniform" });
        let fields = layer.as_object_mut().unwrap();
        if !is_output && activation == Activation::Softmax {
            return None;
        }
        if !is_output || depth == 1 {
            fields.extend(extra.as_object().unwrap().clone());
        }
        fields.insert("activation".into(), activation.name().into());
        if is_output {
            let with = json!({ "layers": [3, layer.clone()], "loss": loss.name() });
            if NetworkOptions::from_json(&with).is_err() {
                if depth == 1 {
                    return None;
                }
                layer.as_object_mut().unwrap().remove("activation");
            }
        }
        layers.push(layer);
    }
    Some(json!({ "layers": layers, "loss": loss.name() }))
}

// neataptic's chosen cost never reached the gradient, and ml-fnn took derivatives at a instead of z.
#[test]
fn gradients_of_every_activation_and_loss_agree_with_finite_differences() {
    let extras = [
        json!({}),
        json!({ "l1": 0.1 }),
        json!({ "l2": 0.2 }),
        json!({ "dropout": 0.4 }),
        json!({ "normalization": "batch" }),
        json!({ "normalization": "layer" }),
        json!({ "normalization": "batch", "dropout": 0.3, "l1": 0.05, "l2": 0.05 }),
    ];
    let mut checked = 0;
    // How many networks of an activation and its extras agree in single precision, and how many there are.
    let mut single = BTreeMap::new();
    for &(_, loss) in Loss::ALL {
        for &(_, activation) in Activation::ALL {
            for depth in 1..=4 {
                for (e, extra) in extras.iter().enumerate() {
                    let Some(options) = options(depth, activation, loss, extra) else {
                        continue;
                    };
                    let shown = options.to_string();
                    let case = Case::new(options, (depth * 10 + e) as u64);
                    let (gradient, differences) = (case.gradient::<f64>(), case.finite_differences());
                    let error = relative_error(&gradient, &differences);
                    assert!(
                        error < 1e-6,
                        "{error:e} in {shown}\n{gradient:?}\n{differences:?}"
                    );
                    let exact = case.reference(&[0, 1, 2, 3, 4]);
                    let error = relative_error(&gradient, &exact.gradient);
                    assert!(error < 1e-12, "{error:e} to the reference in {shown}");
                    let mut batch = Batch::new(&case.architecture, ROWS).unwrap();
                    let objective = case.objective(&case.values, &mut batch);
                    let other = exact.loss + exact.penalty;
                    assert!((objective - other).abs() < 1e-12 * (1.0 + other.abs()), "{shown}");
                    // Where a number lies at a kink in single precision only, the two may part.
                    let agrees = relative_error(&case.gradient::<f32>(), &gradient) < 1e-3;
                    let (agreed, all) = single.entry((activation.name(), e)).or_insert((0, 0));
                    *agreed += usize::from(agrees);
                    *all += 1;
                    checked += 1;
                }
            }
        }
    }
    assert!(checked > 3000, "only {checked} networks");
    for (group, (agreed, all)) in single {
        assert!(
            agreed * 10 > all * 9,
            "{group:?}: single precision agrees in {agreed} of {all}"
        );
    }
}

impl Case {
    /// The gradient and the loss of some rows, some more than once, computed as for narrow networks and as for others.
    fn both_ways<T: Real>(&self, rows: &[u32]) -> [(Vec<f64>, f64); 2] {
        let convert = |x: &[f64]| -> Vec<T> { x.iter().map(|&x| T::from_f64(x)).collect() };
        let architecture = &self.architecture;
        let (values, mut data) = (convert(&self.values), Data::<T>::new(architecture));
        let parts = [&self.inputs, &self.targets, &self.row_weights];
        for (part, numbers) in Part::ALL.into_iter().zip(parts) {
            assert_eq!(data.append(part, numbers, numbers.len()), Ok(None));
        }
        let mut narrow = Narrow::new(architecture, rows.len()).unwrap().unwrap();
        let mut gradients = vec![T::from_f64(f64::NAN); architecture.parameter_count()];
        let total: f64 = rows.iter().map(|&row| data.weight(row as usize).to_f64()).sum();
        let scale = T::from_f64(1.0 / total);
        // In two parts, of which the second is added to the first.
        let (first, second) = rows.split_at(rows.len() / 3);
        let mut sum = 0.0;
        for (rows, is_first) in [(first, true), (second, false)] {
            if !rows.is_empty() {
                let is_first = is_first || first.is_empty();
                let work = Work {
                    architecture,
                    data: &data,
                    rows,
                    next: None,
                    is_stopped: &|| false,
                };
                sum += narrow.gradient(work, &values, scale, &mut gradients, is_first);
            }
        }

        let gather = |of: fn(&Data<T>, usize) -> &[T]| -> Vec<T> {
            rows.iter()
                .flat_map(|&row| of(&data, row as usize))
                .copied()
                .collect()
        };
        let (inputs, targets) = (gather(Data::inputs), gather(Data::targets));
        let weights: Vec<T> = rows.iter().map(|&row| data.weight(row as usize)).collect();
        let mut batch = Batch::new(architecture, rows.len()).unwrap();
        let mut others = vec![T::ZERO; architecture.parameter_count()];
        let data = (&inputs[..], &targets[..], Some(&weights[..]));
        let loss = training_pass(&mut batch, architecture, &values, data, MASKS, Some(&mut others));
        [(gradients, sum / total), (others, loss)]
            .map(|(gradients, loss)| (gradients.iter().map(|g| g.to_f64()).collect(), loss))
    }
}

#[test]
fn narrow_networks_have_the_same_gradients() {
    let mut checked = 0;
    for &(_, loss) in Loss::ALL {
        for &(_, activation) in Activation::ALL {
            for depth in 1..=4 {
                for extra in [json!({}), json!({ "l1": 0.1, "l2": 0.2 })] {
                    let Some(options) = options(depth, activation, loss, &extra) else {
                        continue;
                    };
                    let shown = options.to_string();
                    let case = Case::new(options, depth as u64);
                    for rows in [1, 2, 3, 4, 5, 8, 16, 17, 50] {
                        let numbers: Vec<u32> = (0..rows).map(|row| row * 2 % ROWS as u32).collect();
                        let [(mine, loss), (others, other)] = case.both_ways::<f64>(&numbers);
                        let exact = case.reference(&numbers);
                        let error = relative_error(&mine, &exact.gradient).max((loss - exact.loss).abs());
                        assert!(
                            error < 1e-12,
                            "{error:e} to the reference in {shown}, {rows} rows"
                        );
                        let error = relative_error(&mine, &others).max((loss - other).abs());
                        assert!(
                            error < 1e-13,
                            "{error:e} in {shown}, {rows} rows\n{mine:?}\n{others:?}"
                        );
                        let [(mine, loss), (others, other)] = case.both_ways::<f32>(&numbers);
                        let error = relative_error(&mine, &others).max((loss - other).abs());
                        assert!(
                            error < 1e-5,
                            "{error:e} in {shown}, {rows} rows in single precision"
                        );
                        checked += 1;
                    }
                }
            }
        }
    }
    assert!(checked > 8000, "only {checked} batches");
}

#[test]
fn sums_of_narrow_networks_that_overflow_on_the_way_are_taken_again() {
    let mut case = Case::new(json!({ "layers": [3, 2], "loss": "mse" }), 1);
    case.inputs = [1e200, 1e200, 1.0].repeat(ROWS);
    // Infinity minus infinity, but for care; of the second sum the bias is lost beside 1e200.
    case.values = vec![1e200, 1.0, -1e200, -1.0, 3.0, 5.0, 0.5, 0.25];
    case.targets = vec![0.0; 2 * ROWS];
    for rows in [1, 4, 5] {
        let numbers: Vec<u32> = (0..rows).collect();
        let [(_, loss), (_, other)] = case.both_ways::<f64>(&numbers);
        assert_eq!([loss, other], [(3.5f64 * 3.5 + 5.0 * 5.0) / 2.0; 2]);
    }
}

#[test]
fn a_batch_of_one_row_trains_through_batch_normalization() {
    let options = json!({ "layers": [3, { "units": 4, "normalization": "batch" }, 2], "loss": "mse" });
    let mut case = Case::new(options, 5);
    case.inputs.truncate(3);
    case.targets.truncate(2);
    assert!(relative_error(&case.gradient::<f64>(), &case.finite_differences()) < 1e-6);
}

#[test]
fn dropout_keeps_the_expectation_and_is_off_in_predict() {
    // convnetjs scaled it the wrong way at test time.
    let options = json!({ "layers": [4, { "units": 400, "activation": "sigmoid", "dropout": 0.3 }, 1] });
    let case = Case::new(options, 2);
    let mut batch = Batch::new(&case.architecture, ROWS).unwrap();
    batch.predict(&case.architecture, &case.values, &case.inputs);
    let predicted = batch.outputs(&case.architecture).to_vec();
    let mut mean = [0.0; ROWS];
    let mut differ = false;
    for seed in 0..2000 {
        let data = (&case.inputs[..], &case.targets[..], None);
        training_pass(&mut batch, &case.architecture, &case.values, data, seed, None);
        differ |= batch.outputs(&case.architecture) != predicted;
        mean.iter_mut()
            .zip(batch.outputs(&case.architecture))
            .for_each(|(mean, a)| *mean += a / 2000.0);
    }
    assert!(differ);
    for (mean, predicted) in mean.iter().zip(&predicted) {
        // About four times the deviation of such a mean.
        assert!((mean - predicted).abs() < 0.12, "{mean} for {predicted}");
    }
    batch.predict(&case.architecture, &case.values, &case.inputs);
    assert_eq!(batch.outputs(&case.architecture), predicted);
}

#[test]
fn networks_agree_with_pytorch() {
    let golden: Value = serde_json::from_str(include_str!("../../../__test__/goldens/network.json")).unwrap();
    let networks = golden["networks"].as_array().unwrap();
    assert_eq!(networks.len(), 10);
    for network in networks {
        let name = network["name"].as_str().unwrap();
        let architecture = golden_architecture(network);
        let values = golden_values(
            &architecture,
            &network["parameters"],
            &network["runningStatistics"]["before"],
        );
        let (inputs, targets) = (flat(&network["inputs"]), flat(&network["targets"]));
        let rows = inputs.len() / architecture.input_count();
        let mut batch = Batch::new(&architecture, rows).unwrap();
        let mut gradients = vec![0.0; architecture.parameter_count()];
        let data = (&inputs[..], &targets[..], None);
        let loss = training_pass(&mut batch, &architecture, &values, data, 0, Some(&mut gradients));
        let close = |what: &str, mine: &[f64], exact: &[f64]| {
            assert_eq!(mine.len(), exact.len(), "{name}: {what}");
            for (mine, exact) in mine.iter().zip(exact) {
                assert!(
                    (mine - exact).abs() <= 1e-12 * exact.abs() + 1e-13,
                    "{name}: {what}: {mine}, not {exact}"
                );
            }
        };
        close(
            "outputs",
            batch.outputs(&architecture),
            &flat(&network["outputs"]),
        );
        close("loss", &[loss], &[network["dataLoss"].as_f64().unwrap()]);
        close(
            "penalty",
            &[penalty(&architecture, &values)],
            &[network["penalty"].as_f64().unwrap()],
        );
        gradients.resize(architecture.value_count(), 0.0);
        let exact = golden_values(&architecture, &network["gradients"], &Value::Null);
        close("gradients", &gradients, &exact);
        if network["runningStatistics"].is_object() {
            let mut values = values.clone();
            batch.update_statistics(&architecture, &mut values);
            let after = &network["runningStatistics"]["after"];
            close(
                "statistics",
                &values,
                &golden_values(&architecture, &network["parameters"], after),
            );
            batch.predict(&architecture, &values, &inputs);
            close(
                "predictions",
                batch.outputs(&architecture),
                &flat(&network["predictions"]),
            );
        }
    }
}

/// The architecture of a golden network.
pub fn golden_architecture(network: &Value) -> Architecture {
    let mut layers = vec![network["inputCount"].clone()];
    layers.extend(network["layers"].as_array().unwrap().iter().cloned());
    let options = json!({ "layers": layers, "loss": network["loss"] });
    Architecture::new(&NetworkOptions::from_json(&options).unwrap()).unwrap()
}

/// The values of a golden network; statistics that it does not give are 0.
pub fn golden_values(architecture: &Architecture, parameters: &Value, statistics: &Value) -> Vec<f64> {
    let mut users = Vec::new();
    for (l, layer) in architecture.layers().iter().enumerate() {
        let golden = &parameters[l];
        users.extend(flat(&golden["weights"]));
        users.extend(flat(&golden["biases"]));
        if layer.options.normalization.is_some() {
            users.extend(flat(&golden["gamma"]));
            users.extend(flat(&golden["beta"]));
        }
        if !layer.mean.is_empty() {
            let of = |key: &str| match &statistics[l][key] {
                Value::Null => vec![0.0; layer.units],
                numbers => flat(numbers),
            };
            users.extend(of("mean"));
            users.extend(of("variance"));
        }
    }
    let mut values = vec![0.0; architecture.value_count()];
    weights::import(architecture, &mut values, &users).unwrap();
    values
}

/// All numbers of nested arrays, in order.
pub fn flat(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(elements) => elements.iter().flat_map(flat).collect(),
        number => vec![number.as_f64().unwrap()],
    }
}
