use super::*;
use crate::nn::optim::{Adam, Rmsprop, clip_norm};
use crate::nn::tests::gradients::flat as numbers;
use serde_json::{Value, json};

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../__test__/goldens/optimizers.json")).unwrap()
}

fn named(name: &str) -> Optimizer {
    Optimizer::from_json(&json!(name)).unwrap()
}

/// The optimizer of a case and its learning rate, which the goldens keep among the other options.
fn of_case(case: &Value) -> (Optimizer, f64) {
    let mut options = case["options"].as_object().unwrap().clone();
    options.insert("type".into(), case["optimizer"].clone());
    let learning_rate = options.remove("learningRate");
    let optimizer = Optimizer::from_json(&options.into()).unwrap();
    let default = optimizer.default_learning_rate();
    (optimizer, learning_rate.map_or(default, |x| x.as_f64().unwrap()))
}

/// The parameters after each step.
fn trajectory<T: Real>(case: &Value, gradients: &Value) -> Vec<Vec<T>> {
    let (optimizer, learning_rate) = of_case(case);
    let convert = |json| numbers(json).into_iter().map(T::from_f64).collect::<Vec<_>>();
    let mut params = convert(&case["params"][0]);
    let mut state = optimizer.state(params.len()).unwrap();
    let step = |gradients| {
        let mut gradients = convert(gradients);
        if let Some(max_norm) = case["clipNorm"].as_f64() {
            clip_norm(&mut gradients, max_norm);
        }
        state.step(&mut params, &gradients, learning_rate);
        params.clone()
    };
    gradients.as_array().unwrap().iter().map(step).collect()
}

#[test]
fn every_trajectory_is_pytorchs() {
    let golden = golden();
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 46);
    for case in cases {
        let mine = trajectory::<f64>(case, &golden["gradients"]);
        assert_eq!(mine.len(), 10);
        for (step, mine) in mine.iter().enumerate() {
            let exact = numbers(&case["params"][step + 1]);
            for (k, (&mine, &exact)) in mine.iter().zip(&exact).enumerate() {
                assert!(
                    (mine - exact).abs() <= 1e-10 * exact.abs() + 1e-18,
                    "{} {} step {step} parameter {k}: {mine}, not {exact}",
                    case["optimizer"],
                    case["options"],
                );
            }
        }
    }
}

#[test]
fn single_precision_stays_near() {
    let golden = golden();
    for case in golden["cases"].as_array().unwrap() {
        let mine = trajectory::<f32>(case, &golden["gradients"]);
        let exact = numbers(&case["params"][10]);
        for (&mine, exact) in mine[9].iter().zip(exact) {
            let error = (f64::from(mine) - exact).abs();
            assert!(
                error <= 2e-5,
                "{} {}: {mine}, not {exact}",
                case["optimizer"],
                case["options"]
            );
        }
    }
}

#[test]
fn defaults_are_pytorchs() {
    let golden = golden();
    let defaults = golden["defaults"].as_object().unwrap();
    let others = Optimizer::NAMES.iter().filter(|name| **name != "lbfgs");
    assert_eq!(others.clone().count(), defaults.len());
    for name in others {
        let mut exact = defaults[*name].as_object().unwrap().clone();
        let learning_rate = exact.remove("learningRate").unwrap();
        assert_eq!(
            named(name).default_learning_rate(),
            learning_rate.as_f64().unwrap()
        );
        assert_eq!(exact.len(), named(name).keys().len(), "{name}");
        let mine = serde_json::to_value(named(name)).unwrap();
        for (key, exact) in exact {
            // 0 and 0.0 differ as JSON.
            let same = mine[&key] == exact || mine[&key].as_f64() == exact.as_f64();
            assert!(same, "{name}.{key}: {}, not {exact}", mine[&key]);
        }
    }
    assert_eq!(Optimizer::default(), named("adam"));
}

#[test]
fn what_one_parameter_does_depends_on_its_own_gradient_alone() {
    // brain.js applied one-step-old Adam moments to biases, which had a path of their own.
    for name in Optimizer::NAMES.iter().filter(|name| **name != "lbfgs") {
        for count in [1, 2, 7, 8, 9, 33] {
            let mut state = named(name).state::<f64>(count).unwrap();
            let mut params = vec![0.5; count];
            for g in [0.3, -0.1, 0.25, 0.0, 1e-9] {
                state.step(&mut params, &vec![g; count], 0.01);
            }
            assert!(
                params.iter().all(|&p| p == params[0] && p != 0.5),
                "{name}: {params:?}"
            );
        }
    }
}

#[test]
fn the_first_step_of_adam_has_the_length_of_the_learning_rate() {
    // m / (1 - beta1) = g and v / (1 - beta2) = g^2. convnetjs multiplied by the corrections: 3e-5 of that.
    let mut state = named("adam").state(2).unwrap();
    let mut params = [1.0, 1.0];
    state.step(&mut params, &[0.01, -100.0], 0.1);
    assert!(
        (params[0] - 0.9f64).abs() < 1e-6 && (params[1] - 1.1).abs() < 1e-6,
        "{params:?}"
    );
}

#[test]
fn a_step_survives_the_way_through_a_checkpoint_to_the_bit() {
    let golden = golden();
    let gradients = golden["gradients"].as_array().unwrap();
    for case in golden["cases"].as_array().unwrap() {
        let (optimizer, learning_rate) = of_case(case);
        let mut params = numbers(&case["params"][0]);
        let mut state = optimizer.state::<f64>(params.len()).unwrap();
        for gradients in &gradients[..5] {
            state.step(&mut params, &numbers(gradients), learning_rate);
        }

        let mut restored_params = params.clone();
        let mut restored = optimizer.state::<f64>(params.len()).unwrap();
        restored.restore_scalars(&state.scalars()).unwrap();
        assert_eq!(state.buffers().count(), restored.buffers().count());
        for (to, from) in restored.buffers_mut().zip(state.buffers()) {
            to.copy_from_slice(from);
        }
        for gradients in &gradients[5..] {
            state.step(&mut params, &numbers(gradients), learning_rate);
            restored.step(&mut restored_params, &numbers(gradients), learning_rate);
        }
        assert_eq!(params, restored_params, "{}", case["optimizer"]);
        assert_eq!(state.scalars(), restored.scalars());
        assert!(state.buffers().eq(restored.buffers()));
    }
}

#[test]
fn scalars_that_cannot_be_are_refused() {
    let mut state = named("adam").state::<f64>(1).unwrap();
    let mut said = |scalars: &[f64]| state.restore_scalars(scalars).unwrap_err().to_string();
    assert_eq!(
        said(&[1.0]),
        "Expected 2 numbers for the optimizer's scalars but received 1"
    );
    assert_eq!(
        said(&[1.5, 1.0]),
        "Expected a number of steps for the optimizer's scalars but received 1.5"
    );
    assert_eq!(
        said(&[1.0, 2.0]),
        "Expected a product in [0, 1] for the optimizer's scalars but received 2"
    );
}

#[test]
fn no_parameter_and_no_gradient_are_no_trouble() {
    for name in Optimizer::NAMES.iter().filter(|name| **name != "lbfgs") {
        let mut state = named(name).state::<f32>(0).unwrap();
        state.step(&mut [], &[], 0.1);
        assert_eq!(state.buffers().count(), 0);

        // 0 / 0 lurks where a neuron is dead.
        let mut state = named(name).state::<f32>(1).unwrap();
        let mut params = [0.0];
        for _ in 0..3 {
            state.step(&mut params, &[0.0], 0.1);
        }
        assert_eq!(params, [0.0], "{name}");
    }
}

#[test]
fn averages_of_every_length_are_those_of_the_formula() {
    // Gradients that shrink by far: what is left of the last ones must not drown in rounding.
    let gradients = [1.0, -1e-3, 1e-6, -1e-9];
    for (beta1, beta2) in [(0.0, 0.0), (0.1, 0.2), (0.5, 0.5), (0.9, 0.999), (0.0, 0.999)] {
        let adam = Adam {
            beta1,
            beta2,
            ..Adam::default()
        };
        let mut state = Optimizer::Adam(adam).state::<f64>(1).unwrap();
        let (mut m, mut v) = (0.0, 0.0);
        for g in gradients {
            state.step(&mut [0.0], &[g], 0.1);
            m = beta1 * m + (1.0 - beta1) * g;
            v = beta2 * v + (1.0 - beta2) * g * g;
            let memory: Vec<f64> = state.buffers().flatten().copied().collect();
            for (received, expected) in memory.iter().zip([m, v]) {
                let error = (received - expected).abs();
                assert!(
                    error <= 1e-12 * expected.abs(),
                    "{beta1} {beta2}: {received} {expected}"
                );
            }
        }
    }
}

#[test]
fn each_buffer_begins_a_line_of_the_cache() {
    let state = named("adam").state::<f32>(101).unwrap();
    assert_eq!(state.buffers().count(), 2);
    for buffer in state.buffers() {
        assert_eq!((buffer.len(), buffer.as_ptr() as usize % 64), (101, 0));
    }
}

#[test]
fn averages_without_gradients_sink_to_nothing() {
    // Subnormal numbers, which they would stay at, are slow.
    for options in [
        json!("momentum"),
        json!("nesterov"),
        json!({ "type": "rmsprop", "centered": true, "momentum": 0.9 }),
        json!("adadelta"),
        json!("adam"),
        json!({ "type": "adam", "beta1": 0.4 }),
        json!("adamw"),
        json!("nadam"),
        json!("radam"),
    ] {
        let name = &options;
        let mut state = Optimizer::from_json(&options).unwrap().state::<f32>(100).unwrap();
        let mut params = [0.1; 100];
        let mut gradients = [1e-3; 100];
        state.step(&mut params, &gradients, 1e-3);
        gradients[..70].fill(0.0);
        for _ in 0..120_000 {
            state.step(&mut params, &gradients, 1e-9);
        }
        for buffer in state.buffers() {
            assert!(
                buffer[..70].iter().all(|&x| x == 0.0),
                "{name}: {:?}",
                &buffer[..3]
            );
            assert!(
                buffer[70..].iter().all(|&x| x > 0.0),
                "{name}: {:?}",
                &buffer[70..]
            );
        }
    }
}

#[test]
fn a_variance_that_rounding_makes_negative_is_none() {
    let centered = Rmsprop {
        centered: true,
        ..Rmsprop::default()
    };
    let mut state = Optimizer::Rmsprop(centered).state::<f32>(64).unwrap();
    let mut params = [0.0; 64];
    // Averages that sink to a constant stop a few roundings above it, and a^2 ends above v.
    for scale in [0.74, 0.37] {
        let gradients: Vec<f32> = (1..=64).map(|k| scale * k as f32).collect();
        for _ in 0..3000 {
            state.step(&mut params, &gradients, 1e-9);
        }
    }
    assert!(params.iter().all(|p| p.is_finite()));
}

#[test]
fn rprop_sees_the_sign_of_the_smallest_gradients() {
    // Their product underflows.
    let mut state = named("rprop").state(1).unwrap();
    let mut params = [0.0];
    state.step(&mut params, &[1e-200], 0.01);
    state.step(&mut params, &[1e-200], 0.01);
    assert!((params[0] + 0.01f64 + 0.012).abs() < 1e-15, "{params:?}");
}

#[test]
fn a_memory_that_cannot_be_had_is_an_error() {
    for (name, count) in [
        ("adam", usize::MAX / 16),
        ("adam", usize::MAX),
        ("momentum", usize::MAX),
    ] {
        let error = named(name).state::<f64>(count).unwrap_err();
        assert_eq!(error.code, Code::OutOfMemory);
        assert_eq!(
            error.to_string(),
            format!("Expected enough free memory for the optimizer but received {count} parameters")
        );
    }
}

#[test]
fn lbfgs_has_a_state_of_its_own() {
    let error = named("lbfgs").state::<f64>(1).unwrap_err();
    assert_eq!(error.code, Code::Internal);
    assert_eq!(
        error.to_string(),
        "Expected an optimizer that steps by given gradients for optimizer but received lbfgs"
    );
}

#[test]
#[should_panic]
fn a_wrong_count_of_parameters_panics() {
    let adam = Optimizer::Adam(Adam::default());
    adam.state(2).unwrap().step(&mut [0.0], &[0.0], 0.1);
}
