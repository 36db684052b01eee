use super::*;
use crate::nn::optim::Optimizer;
use crate::nn::tests::gradients::flat as numbers;
use serde_json::{Value, json};

fn golden() -> Value {
    serde_json::from_str(include_str!("../../../../../__test__/goldens/optimizers.json")).unwrap()
}

/// (1 - x0)^2 + 100 (x1 - x0^2)^2
fn rosenbrock(x: &[f64], g: &mut [f64]) -> f64 {
    let (a, b) = (1.0 - x[0], x[1] - x[0] * x[0]);
    g[0] = -2.0 * a - 400.0 * x[0] * b;
    g[1] = 200.0 * b;
    a * a + 100.0 * b * b
}

/// 1/2 x'Ax - b'x + sum_i c_i x_i^4
fn quartic(coefficients: &Value) -> impl Fn(&[f64], &mut [f64]) -> f64 {
    let rows = coefficients["hessian"].as_array().unwrap();
    let a: Vec<_> = rows.iter().map(numbers).collect();
    let (b, c) = (
        numbers(&coefficients["linear"]),
        numbers(&coefficients["quartic"]),
    );
    move |x, g| {
        let mut loss = 0.0;
        for i in 0..x.len() {
            let ax: f64 = a[i].iter().zip(x).map(|(a, x)| a * x).sum();
            g[i] = ax - b[i] + 4.0 * c[i] * x[i].powi(3);
            loss += x[i] * (ax / 2.0 - b[i]) + c[i] * x[i].powi(4);
        }
        loss
    }
}

/// The settings of a golden run, which also names what mikir has no choice of.
fn config(options: &Value) -> Lbfgs {
    let mut options = options.as_object().unwrap().clone();
    assert_eq!(options.remove("lineSearch"), Some(json!("strongWolfe")));
    assert_eq!(options.remove("learningRate"), Some(json!(1)));
    options.insert("type".into(), json!("lbfgs"));
    match Optimizer::from_json(&options.into()).unwrap() {
        Optimizer::Lbfgs(config) => config,
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_call_is_pytorchs() {
    let golden = golden();
    let problems = golden["lbfgs"].as_array().unwrap();
    assert_eq!(problems.len(), 2);
    for problem in problems {
        let mut evaluate: Box<Evaluate<f64>> = match problem["problem"].as_str().unwrap() {
            "rosenbrock" => Box::new(rosenbrock),
            _ => Box::new(quartic(&problem["coefficients"])),
        };
        for run in problem["runs"].as_array().unwrap() {
            let mut params = numbers(&problem["start"]);
            let mut state = config(&run["options"]).state(params.len()).unwrap();
            let (mut iterations, mut evaluations) = (0, 0);
            for call in run["calls"].as_array().unwrap() {
                let report = state.step(&mut params, &mut evaluate, 1.0);
                iterations += report.iterations;
                evaluations += report.evaluations;
                assert_eq!(iterations, call["iterations"].as_u64().unwrap() as usize);
                assert_eq!(evaluations, call["evaluations"].as_u64().unwrap() as usize);
                for (mine, exact) in params.iter().zip(numbers(&call["params"])) {
                    assert!((mine - exact).abs() <= 1e-8 * exact.abs(), "{mine}, not {exact}");
                }
                let (loss, exact) = (report.loss, call["value"].as_f64().unwrap());
                assert!(
                    (loss - exact).abs() <= 1e-8 * exact.abs() + 1e-15,
                    "{loss}, not {exact}"
                );
            }
        }
    }
}

/// 0.05 (x0^2 + x1^2) - cos 3 x0 - cos 3 x1 + 0.1 x0 x1
fn wavy(x: &[f64], g: &mut [f64]) -> f64 {
    for i in 0..2 {
        g[i] = 0.1 * (x[0] + x[1]) + 3.0 * (3.0 * x[i]).sin();
    }
    0.05 * (x[0] + x[1]).powi(2) - (3.0 * x[0]).cos() - (3.0 * x[1]).cos()
}

#[test]
fn searches_cut_short_and_searches_that_overshoot_are_pytorchs() {
    // torch 2.15: optim.LBFGS([x], lr=lr, max_eval=max_eval, line_search_fn='strong_wolfe').step(closure)
    // function, start, lr, max_eval, x after that, n_iter, func_evals
    type Case = (
        fn(&[f64], &mut [f64]) -> f64,
        [f64; 2],
        f64,
        usize,
        [f64; 2],
        usize,
        usize,
    );
    let cases: [Case; 6] = [
        (rosenbrock, [-1.2, 1.0], 1.0, 1, [-1.2, 1.0], 1, 2),
        (
            rosenbrock,
            [-1.2, 1.0],
            1.0,
            2,
            [-1.0245319303460325, 1.0716196202669255],
            1,
            3,
        ),
        (
            rosenbrock,
            [-1.2, 1.0],
            1.0,
            4,
            [-1.0284565745562346, 1.068187455748677],
            2,
            4,
        ),
        (
            wavy,
            [-4.98, -1.3],
            1.0,
            1000,
            [4.234463137876094, -8.331914996467557],
            7,
            12,
        ),
        (
            wavy,
            [-0.83, -4.1],
            10.0,
            1000,
            [10.471975463460238, -10.47197549622421],
            10,
            27,
        ),
        (
            wavy,
            [2.49, 5.0],
            10.0,
            1000,
            [-4.120021354676877, -2.0256201333968455],
            7,
            17,
        ),
    ];
    for (mut function, start, learning_rate, max_evaluations, exact, iterations, evaluations) in cases {
        let config = Lbfgs {
            max_evaluations: Some(max_evaluations),
            ..Lbfgs::default()
        };
        let mut params = start;
        let report = config
            .state(2)
            .unwrap()
            .step(&mut params, &mut function, learning_rate);
        assert_eq!(
            (report.iterations, report.evaluations),
            (iterations, evaluations),
            "{start:?}"
        );
        for (mine, exact) in params.iter().zip(exact) {
            assert!(
                (mine - exact).abs() <= 1e-6 * exact.abs(),
                "{params:?}, not {exact}"
            );
        }
    }
}

#[test]
fn defaults_are_pytorchs() {
    let config = Lbfgs::default();
    let tolerances = [config.tolerance_gradient, config.tolerance_change];
    assert_eq!(
        (config.max_iterations, config.history_size, tolerances),
        (20, 100, [1e-7, 1e-9])
    );
    assert_eq!(config.evaluations(), 25);
    assert_eq!(Optimizer::Lbfgs(config).default_learning_rate(), 1.0);
}

#[test]
fn a_minimum_is_found_and_known_as_one() {
    let config = Lbfgs {
        max_evaluations: Some(1000),
        ..Lbfgs::default()
    };
    let mut state = config.state(2).unwrap();
    let mut params = [-1.2, 1.0];
    let reports: Vec<_> = (0..4)
        .map(|_| state.step(&mut params, &mut rosenbrock, 1.0))
        .collect();
    assert!(!reports[0].converged && reports[3].converged, "{reports:?}");
    assert!(reports[3].loss < 1e-9, "{reports:?}");
    assert!(params.iter().all(|x| (x - 1.0).abs() < 1e-4), "{params:?}");

    // At a minimum from the start: one look is enough.
    let mut params = [1.0, 1.0];
    let report = config.state(2).unwrap().step(&mut params, &mut rosenbrock, 1.0);
    let exact = LbfgsReport {
        loss: 0.0,
        iterations: 0,
        evaluations: 1,
        converged: true,
    };
    assert_eq!((report, params), (exact, [1.0, 1.0]));
}

#[test]
fn single_precision_finds_the_same_minimum() {
    let mut single = |x: &[f32], g: &mut [f32]| {
        let mut double = [0.0; 2];
        let loss = rosenbrock(&[x[0].into(), x[1].into()], &mut double);
        g.copy_from_slice(&double.map(|g| g as f32));
        loss
    };
    let mut state = Lbfgs::default().state(2).unwrap();
    let mut params = [-1.2, 1.0];
    for _ in 0..6 {
        state.step(&mut params, &mut single, 1.0);
    }
    assert!(params.iter().all(|x| (x - 1.0f32).abs() < 1e-3), "{params:?}");
}

#[test]
fn a_full_history_forgets_its_oldest_pair() {
    let golden = golden();
    let mut evaluate = quartic(&golden["lbfgs"][1]["coefficients"]);
    let config = Lbfgs {
        history_size: 3,
        max_evaluations: Some(1000),
        ..Lbfgs::default()
    };
    let mut params = numbers(&golden["lbfgs"][1]["start"]);
    let mut state = config.state(params.len()).unwrap();
    let report = state.step(&mut params, &mut evaluate, 1.0);
    assert!(report.converged && report.iterations > 5, "{report:?}");
    assert_eq!(state.scalars().len(), 4 + 3);
    let exact = &golden["lbfgs"][1]["runs"][2]["calls"][2]["params"];
    for (mine, exact) in params.iter().zip(numbers(exact)) {
        assert!((mine - exact).abs() < 1e-4, "{mine}, not {exact}");
    }
}

#[test]
fn a_step_survives_the_way_through_a_checkpoint_to_the_bit() {
    // Fewer pairs than steps, so that the oldest is not the first.
    let config = Lbfgs {
        max_iterations: 1,
        max_evaluations: Some(26),
        history_size: 3,
        ..Lbfgs::default()
    };
    for steps in [0, 1, 2, 8] {
        let mut state = config.state(2).unwrap();
        let mut params = [-1.2, 1.0];
        for _ in 0..steps {
            state.step(&mut params, &mut rosenbrock, 1.0);
        }
        let mut restored = config.state(2).unwrap();
        restored.restore_scalars(&state.scalars()).unwrap();
        for (to, from) in restored.buffers_mut().zip(state.buffers()) {
            to.copy_from_slice(from);
        }
        let mut restored_params = params;
        for _ in 0..10 {
            let report = state.step(&mut params, &mut rosenbrock, 1.0);
            assert_eq!(restored.step(&mut restored_params, &mut rosenbrock, 1.0), report);
            assert_eq!(restored_params, params);
        }
        assert_eq!(restored.scalars(), state.scalars());
        assert!(restored.buffers().eq(state.buffers()));
    }
}

#[test]
fn scalars_that_cannot_be_are_refused() {
    let config = Lbfgs {
        history_size: 1,
        ..Lbfgs::default()
    };
    let mut state = config.state::<f64>(2).unwrap();
    let mut said = |scalars: &[f64]| state.restore_scalars(scalars).unwrap_err().to_string();
    assert_eq!(
        said(&[1.0]),
        "Expected at least 4 numbers for the optimizer's scalars but received 1"
    );
    assert_eq!(
        said(&[0.0; 6]),
        "Expected at most 5 numbers for the optimizer's scalars but received 6"
    );
    assert_eq!(
        said(&[0.0, f64::NAN, 1.0, 0.0]),
        "Expected a finite number for the optimizer's scalars but received NaN"
    );
    assert_eq!(
        said(&[0.0, 1.0, 1.0, 1.0, 1.0]),
        "Expected the place of a pair for the optimizer's scalars but received 1"
    );
}

#[test]
fn a_loss_without_a_value_ends_the_search_and_nothing_becomes_nan() {
    // Undefined from x = 1 on, in one way or another; the way there is downhill.
    let cliffs: [fn(f64) -> f64; 3] = [|_| f64::NAN, |_| f64::INFINITY, |_| f64::NEG_INFINITY];
    for (k, beyond) in cliffs.into_iter().enumerate() {
        for slope in [0.1, 1.0, 30.0, 1e200] {
            let mut calls = 0;
            let mut evaluate = |x: &[f64], g: &mut [f64]| {
                calls += 1;
                g[0] = if x[0] < 1.0 { -slope } else { f64::NAN };
                if x[0] < 1.0 { -slope * x[0] } else { beyond(x[0]) }
            };
            let mut state = Lbfgs::default().state(1).unwrap();
            let mut params = [0.0];
            for _ in 0..20 {
                let report = state.step(&mut params, &mut evaluate, 1.0);
                assert!(report.loss.is_finite(), "cliff {k}, slope {slope}: {report:?}");
                assert!(
                    (0.0..1.0).contains(&params[0]),
                    "cliff {k}, slope {slope}: {params:?}"
                );
            }
            assert!(calls < 20 * 30);
        }
    }
}

#[test]
fn a_bracket_around_a_hole_is_left_at_once_and_the_next_step_begins_afresh() {
    // From 0 the first step goes to 1, as high as 0; the minimum between them is where the loss is undefined.
    let mut places = Vec::new();
    let mut evaluate = |x: &[f64], g: &mut [f64]| {
        places.push(x[0]);
        g[0] = 8.0 * (x[0] - 0.5);
        if (0.4..0.6).contains(&x[0]) {
            f64::NAN
        } else {
            4.0 * (x[0] - 0.5).powi(2)
        }
    };
    let mut state = Lbfgs::default().state(1).unwrap();
    let mut params = [0.0];
    let report = state.step(&mut params, &mut evaluate, 1.0);
    let exact = LbfgsReport {
        loss: 1.0,
        iterations: 1,
        evaluations: 3,
        converged: false,
    };
    assert_eq!((report, params), (exact, [0.0]));
    assert_eq!(places, [0.0, 1.0, 0.5]);
    assert_eq!(state.scalars()[0], 1.0);
}

#[test]
fn a_loss_undefined_from_the_start_changes_nothing() {
    for (loss, gradient) in [(f64::NAN, 1.0), (f64::INFINITY, 1.0), (1.0, f64::NAN)] {
        let mut params = [0.25];
        let mut evaluate = |_: &[f64], g: &mut [f64]| {
            g[0] = gradient;
            loss
        };
        let mut state = Lbfgs::default().state(1).unwrap();
        let report = state.step(&mut params, &mut evaluate, 1.0);
        assert!(
            !report.converged && report.iterations == 0 && params == [0.25],
            "{report:?}"
        );
    }
}

#[test]
fn a_memory_that_cannot_be_had_is_an_error() {
    let count = 1 << 59;
    let error = Lbfgs::default().state::<f64>(count).unwrap_err();
    assert_eq!(error.code, Code::OutOfMemory);
    assert_eq!(
        error.to_string(),
        format!(
            "Expected enough free memory, or a smaller historySize, for the optimizer but received {count} \
             parameters and a historySize of 100"
        )
    );
}
