//! A whole training run, with batch normalization and a scheduled optimizer, against PyTorch.

use serde_json::Value;

use super::batch::Batch;
use super::gradients::{flat, golden_architecture, golden_values};
use super::optimizer::Optimizer;
use super::random::Generator;
use super::schedule::Schedule;

#[test]
fn twenty_epochs_end_in_the_weights_of_pytorch() {
    let golden: Value = serde_json::from_str(include_str!("../goldens/network.json")).unwrap();
    let run = &golden["training"];
    let fit = &run["fit"];
    let architecture = golden_architecture(run);
    let (width, units) = (architecture.input_count(), architecture.output_count());
    let mut values = golden_values(&architecture, &run["initialParameters"], &Value::Null);
    // A fresh network's running variance.
    for layer in architecture.layers() {
        values[layer.variance.clone()].fill(1.0);
    }
    let (inputs, targets) = (flat(&run["inputs"]), flat(&run["targets"]));
    let rows = inputs.len() / width;
    let batch_size = fit["batchSize"].as_u64().unwrap() as usize;
    let epochs = fit["epochs"].as_u64().unwrap() as usize;

    let mut state = Optimizer::from_json(&fit["optimizer"])
        .unwrap()
        .state(architecture.parameter_count())
        .unwrap();
    let mut schedule = Schedule::from_json(&fit["schedule"]).unwrap().state();
    let mut batch = Batch::new(&architecture, batch_size).unwrap();
    let mut gradients = vec![0.0; architecture.parameter_count()];
    for epoch in 0..epochs {
        let rate = schedule.rate(epoch, epochs, fit["learningRate"].as_f64().unwrap());
        assert!((rate - run["learningRates"][epoch].as_f64().unwrap()).abs() < 1e-15);
        let mut loss = 0.0;
        for (x, t) in inputs
            .chunks(batch_size * width)
            .zip(targets.chunks(batch_size * units))
        {
            batch.forward_training(&architecture, &values, x, &mut Generator::new(0));
            loss += batch.loss(&architecture, t, None) * (x.len() / width) as f64;
            batch.backward(&architecture, &values, x, t, None, &mut gradients);
            batch.update_statistics(&architecture, &mut values);
            state.step(&mut values[..gradients.len()], &gradients, rate);
        }
        let exact = run["losses"][epoch].as_f64().unwrap();
        assert!(
            (loss / rows as f64 - exact).abs() < 1e-8,
            "epoch {}: {loss}, not {exact}",
            epoch + 1
        );
    }

    let exact = golden_values(
        &architecture,
        &run["finalParameters"],
        &run["finalRunningStatistics"],
    );
    for (mine, exact) in values.iter().zip(&exact) {
        assert!((mine - exact).abs() < 1e-8, "{mine}, not {exact}");
    }
    let mut batch = Batch::new(&architecture, rows).unwrap();
    batch.predict(&architecture, &values, &inputs);
    for (mine, exact) in batch.outputs().iter().zip(flat(&run["predictions"])) {
        assert!((mine - exact).abs() < 1e-8, "{mine}, not {exact}");
    }
    let evaluated = batch.loss(&architecture, &targets, None);
    assert!((evaluated - run["evaluatedLoss"].as_f64().unwrap()).abs() < 1e-8);
}
