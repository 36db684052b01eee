//! `train` against the contract written out: a layer is updated, then the deltas of the layer before are
//! taken through its updated weights.

use serde_json::json;

use crate::nn::network::activation::{Activation, singles, singles_mut, softmax};
use crate::nn::network::architecture::Architecture;
use crate::nn::network::initialize::initialize;
use crate::nn::network::loss::Loss;
use crate::nn::network::options::NetworkOptions;
use crate::nn::pass::batch::Batch;
use crate::nn::pass::online::{self, Workspace};
use crate::nn::random::Generator;
use crate::nn::settings::Named;
use crate::nn::tests::gradients::training_pass;
use crate::nn::vector::simd::{Portable, Scalar};

type Plain = Scalar<Portable>;

/// A network without normalization as nested vectors: `weights[unit][input]` and biases of each layer.
struct Naive<'a> {
    architecture: &'a Architecture,
    weights: Vec<Vec<Vec<f64>>>,
    biases: Vec<Vec<f64>>,
}

impl<'a> Naive<'a> {
    fn new(architecture: &'a Architecture, values: &[f64]) -> Self {
        let weights = |layer: &crate::nn::Layer| {
            (0..layer.units)
                .map(|u| (0..layer.inputs).map(|i| values[layer.weight(i, u)]).collect())
                .collect()
        };
        let biases = |layer: &crate::nn::Layer| values[layer.biases.clone()].to_vec();
        Naive {
            architecture,
            weights: architecture.layers().iter().map(weights).collect(),
            biases: architecture.layers().iter().map(biases).collect(),
        }
    }

    fn train(&mut self, inputs: &[f64], targets: &[f64], learning_rate: f64) {
        let layers = self.architecture.layers();
        let (mut sums, mut outputs) = (Vec::new(), vec![inputs.to_vec()]);
        for (l, layer) in layers.iter().enumerate() {
            let x = outputs.last().unwrap();
            let neuron = |u: usize| -> f64 {
                self.biases[l][u] + self.weights[l][u].iter().zip(x).map(|(w, x)| w * x).sum::<f64>()
            };
            let z: Vec<f64> = (0..layer.units).map(neuron).collect();
            let mut a: Vec<f64> = z
                .iter()
                .map(|&z| layer.options.activation.of::<Plain, f64>(z))
                .collect();
            if layer.options.activation == Activation::Softmax {
                softmax::<Plain, f64>(&mut a, layer.units);
            }
            sums.push(z);
            outputs.push(a);
        }
        let last = layers.len() - 1;
        let mut delta = vec![0.0; targets.len()];
        let activation = layers[last].options.activation;
        let (z, a) = (&sums[last], &outputs[last + 1]);
        let loss = self.architecture.loss();
        let t = singles(targets);
        loss.gradient::<Plain, f64, 1>(singles(z), singles(a), t, singles_mut(&mut delta));
        if !loss.is_fused() {
            activation.backward::<Plain, f64>(z, a, &mut delta);
        }
        delta.iter_mut().for_each(|d| *d = -*d);
        for l in (0..layers.len()).rev() {
            for (u, &delta) in delta.iter().enumerate() {
                for (w, x) in self.weights[l][u].iter_mut().zip(&outputs[l]) {
                    *w += learning_rate * delta * x;
                }
                self.biases[l][u] += learning_rate * delta;
            }
            if l > 0 {
                let before = layers[l - 1].options.activation;
                delta = (0..layers[l].inputs)
                    .map(|i| {
                        let sum: f64 = delta
                            .iter()
                            .zip(&self.weights[l])
                            .map(|(delta, w)| delta * w[i])
                            .sum();
                        sum * before.derivative::<Plain, f64>(sums[l - 1][i], outputs[l][i])
                    })
                    .collect();
            }
        }
    }
}

fn architecture(options: serde_json::Value) -> Architecture {
    Architecture::new(&NetworkOptions::from_json(&options).unwrap()).unwrap()
}

#[test]
fn train_is_the_contract_carried_on_to_any_depth() {
    let mut generator = Generator::new(4);
    for &(_, loss) in Loss::ALL {
        for &(_, hidden) in Activation::ALL.iter().filter(|row| row.1 != Activation::Softmax) {
            for widths in [vec![], vec![2], vec![9, 3], vec![3, 17, 8]] {
                let mut layers = vec![json!(5)];
                layers.extend(
                    widths
                        .iter()
                        .map(|&w| json!({ "units": w, "activation": hidden.name() })),
                );
                layers.push(json!(2));
                let architecture = architecture(json!({ "layers": layers, "loss": loss.name() }));
                let mut values = vec![0.0; architecture.value_count()];
                initialize(&architecture, &mut values, 8);
                let mut naive = Naive::new(&architecture, &values);
                let mut workspace = Workspace::new(&architecture).unwrap();
                for _ in 0..3 {
                    let inputs: Vec<f64> = (0..5).map(|_| generator.normal()).collect();
                    let target = generator.uniform();
                    let targets = if matches!(loss, Loss::Hinge) {
                        [-1.0, 1.0]
                    } else {
                        [target, 1.0 - target]
                    };
                    naive.train(&inputs, &targets, 0.02);
                    online::train(
                        &architecture,
                        &mut values,
                        &inputs,
                        &targets,
                        0.02,
                        &mut workspace,
                    )
                    .unwrap();
                }
                let after = Naive::new(&architecture, &values);
                let all = |n: &Naive| -> Vec<f64> {
                    let weights = n.weights.iter().flatten().flatten();
                    weights.chain(n.biases.iter().flatten()).copied().collect()
                };
                for (mine, exact) in all(&after).into_iter().zip(all(&naive)) {
                    let close = (mine - exact).abs() <= 1e-11 * exact.abs() + 1e-13;
                    assert!(close, "{mine}, not {exact}: {loss:?}, {hidden:?}, {widths:?}");
                }
            }
        }
    }
}

#[test]
fn small_steps_follow_the_gradient_through_normalizations() {
    // With a small learning rate the order of updates no longer matters.
    let learning_rate = 1e-7;
    for kind in ["batch", "layer"] {
        let hidden = |units: usize| json!({ "units": units, "normalization": kind, "activation": "tanh" });
        let architecture = architecture(json!({ "layers": [4, hidden(6), hidden(9), hidden(3), 2] }));
        let mut generator = Generator::new(6);
        let mut values = vec![0.0; architecture.value_count()];
        initialize(&architecture, &mut values, 3);
        values
            .iter_mut()
            .for_each(|value| *value += 0.2 * generator.uniform());
        let inputs: Vec<f64> = (0..4).map(|_| generator.normal()).collect();
        let targets = [0.3, -0.8];

        let mut batch = Batch::new(&architecture, 1).unwrap();
        let mut gradient = vec![0.0; architecture.parameter_count()];
        let data = (&inputs[..], &targets[..], None);
        training_pass(&mut batch, &architecture, &values, data, 0, Some(&mut gradient));

        let before = values.clone();
        let mut workspace = Workspace::new(&architecture).unwrap();
        online::train(
            &architecture,
            &mut values,
            &inputs,
            &targets,
            learning_rate,
            &mut workspace,
        )
        .unwrap();
        for (i, &gradient) in gradient.iter().enumerate() {
            let step = (before[i] - values[i]) / learning_rate;
            assert!(
                (step - gradient).abs() < 1e-5 * gradient.abs() + 1e-7,
                "{kind}: {step}, not {gradient}"
            );
        }
        assert_eq!(
            before[gradient.len()..],
            values[gradient.len()..],
            "statistics are left alone"
        );
    }
}

#[test]
fn predict_and_batch_predict_agree() {
    let options = json!({
        "layers": [7, { "units": 20, "normalization": "batch" }, { "units": 9, "normalization": "layer" },
                   { "units": 5, "activation": "mish", "dropout": 0.5 }, 3],
        "loss": "crossEntropy"
    });
    let architecture = architecture(options);
    let mut generator = Generator::new(2);
    let mut values = vec![0.0; architecture.value_count()];
    initialize(&architecture, &mut values, 5);
    values
        .iter_mut()
        .for_each(|value| *value += 0.2 * generator.uniform());
    let inputs: Vec<f64> = (0..7 * 33).map(|_| generator.normal()).collect();
    let mut batch = Batch::new(&architecture, 40).unwrap();
    batch.predict(&architecture, &values, &inputs);
    let mut workspace = Workspace::new(&architecture).unwrap();
    for (x, expected) in inputs
        .chunks_exact(7)
        .zip(batch.outputs(&architecture).chunks_exact(3))
    {
        let outputs = online::predict(&architecture, &values, x, &mut workspace).unwrap();
        for (a, b) in outputs.iter().zip(expected) {
            assert!((a - b).abs() < 1e-14, "{a} {b}");
        }
    }
}

#[test]
fn overflow_on_the_way_gives_no_nan() {
    let architecture = architecture(json!({ "layers": [2, { "units": 1, "activation": "sigmoid" }] }));
    let mut workspace = Workspace::<f64>::new(&architecture).unwrap();
    let mut predict =
        |values: &[f64], x: &[f64]| online::predict(&architecture, values, x, &mut workspace).unwrap()[0];
    assert_eq!(predict(&[10.0, 10.0, 0.0], &[1e308, -1e308]), 0.5);
    assert_eq!(predict(&[10.0, 10.0, 0.0], &[1e308, -1e307]), 1.0);
    assert_eq!(predict(&[10.0, 10.0, 0.0], &[1e307, -1e308]), 0.0);
}
