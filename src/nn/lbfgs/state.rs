//! The iterations of L-BFGS.

use super::config::Lbfgs;
use super::history::History;
use super::line_search::{Evaluate, Line, Point};
use super::vector::{add, dot, max_abs, sum_abs};
use crate::nn::error::{Code, Error, Result};
use crate::nn::kernels::are_finite;
use crate::nn::real::Real;

/// What one step of L-BFGS did.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LbfgsReport {
    /// The loss at the new parameters.
    pub loss: f64,
    /// How many directions were followed.
    pub iterations: usize,
    /// How often the loss was evaluated.
    pub evaluations: usize,
    /// Whether a tolerance was reached: further steps would change next to nothing.
    pub converged: bool,
}

/// The memory of L-BFGS, and all the room that it needs: a step allocates nothing.
#[derive(Debug)]
pub struct LbfgsState<T> {
    config: Lbfgs,
    history: History<T>,
    /// d of the last iteration
    direction: Vec<T>,
    /// t of the last iteration
    t: f64,
    /// g where the last iteration began
    previous_gradient: Vec<T>,
    /// Whether there is no last iteration.
    is_fresh: bool,
    /// Room for the line search: parameters and gradients.
    trial: Vec<T>,
    gradients: [Vec<T>; 3],
}

impl Lbfgs {
    /// The state before the first step.
    ///
    /// # Errors
    /// `OutOfMemory` where the system has none.
    pub fn state<T: Real>(&self, parameter_count: usize) -> Result<LbfgsState<T>> {
        let state = || {
            let [direction, previous_gradient, trial] = buffers(parameter_count)?;
            Some(LbfgsState {
                config: *self,
                history: History::new(parameter_count, self.history_size)?,
                direction,
                t: 0.0,
                previous_gradient,
                is_fresh: true,
                trial,
                gradients: buffers(parameter_count)?,
            })
        };
        state().ok_or_else(|| {
            let expected = "enough free memory, or a smaller historySize,";
            let received = format!(
                "{parameter_count} parameters and a historySize of {}",
                self.history_size
            );
            Error::new(Code::OutOfMemory, expected, "the optimizer", received)
        })
    }
}

/// Three buffers of `count` numbers, if there is memory for them.
fn buffers<T: Real>(count: usize) -> Option<[Vec<T>; 3]> {
    let mut buffers = [Vec::new(), Vec::new(), Vec::new()];
    for buffer in &mut buffers {
        buffer.try_reserve_exact(count).ok()?;
        buffer.resize(count, T::ZERO);
    }
    Some(buffers)
}

impl<T: Real> LbfgsState<T> {
    /// Moves the parameters to where `evaluate`, which gives the loss and writes its gradient, is smaller.
    ///
    /// The parameters stay finite: a search that meets an infinite or undefined loss ends at the best point before it,
    /// and where that is none but the start, the next step begins afresh along the gradient.
    ///
    /// # Panics
    /// Where `params` is not as long as the state was made for.
    pub fn step(
        &mut self,
        params: &mut [T],
        evaluate: &mut Evaluate<'_, T>,
        learning_rate: f64,
    ) -> LbfgsReport {
        assert_eq!(params.len(), self.trial.len());
        let mut report = LbfgsReport {
            loss: evaluate(params, &mut self.gradients[0]),
            iterations: 0,
            evaluations: 1,
            converged: false,
        };
        if report.loss.is_finite() && are_finite(&self.gradients[0]) {
            report.converged = self.is_flat();
            while !report.converged && self.iterate(params, evaluate, learning_rate, &mut report) {}
        }
        report
    }

    /// One direction, and a search along it. The gradient at `params` is the first of `gradients`, before and after.
    /// Returns whether to go on.
    fn iterate(
        &mut self,
        params: &mut [T],
        evaluate: &mut Evaluate<'_, T>,
        learning_rate: f64,
        report: &mut LbfgsReport,
    ) -> bool {
        report.iterations += 1;
        let gradient = &self.gradients[0];
        let mut t = learning_rate;
        if self.is_fresh {
            self.history.clear();
            // No curvature is known yet: the parameters move by no more than the learning rate in all.
            t *= (1.0 / sum_abs(gradient)).min(1.0);
        } else {
            let (d, before) = (&self.direction, &self.previous_gradient);
            self.history.push(self.t, d, before, gradient);
        }
        self.is_fresh = false;
        self.history.direction(gradient, &mut self.direction);
        self.previous_gradient.copy_from_slice(gradient);
        self.t = t;

        let slope = dot(gradient, &self.direction);
        if !slope.is_finite() {
            self.is_fresh = true;
            return false;
        }
        if slope > -self.config.tolerance_change {
            report.converged = true;
            return false;
        }
        let start = Point {
            t: 0.0,
            loss: report.loss,
            slope,
            gradient: 0,
        };
        let left = self.config.evaluations().saturating_sub(report.evaluations);
        let mut line = Line {
            x: params,
            d: &self.direction,
            trial: &mut self.trial,
            gradients: &mut self.gradients,
            evaluate,
        };
        let found = line.search(start, t, left);
        self.gradients.swap(0, found.point.gradient);
        self.t = found.point.t;
        add(self.t, &self.direction, params);
        report.loss = found.point.loss;
        report.evaluations += found.evaluations;
        if !found.finite {
            self.is_fresh = self.t == 0.0;
            return false;
        }

        let is_used_up = report.evaluations >= self.config.evaluations();
        let tolerance = self.config.tolerance_change;
        let stands =
            max_abs(&self.direction) * self.t <= tolerance || (report.loss - start.loss).abs() < tolerance;
        // Standing still for want of evaluations is no convergence.
        report.converged = self.is_flat() || (stands && !is_used_up);
        !(report.converged || is_used_up || report.iterations == self.config.max_iterations)
    }

    /// Whether no gradient is larger than the tolerance.
    fn is_flat(&self) -> bool {
        max_abs(&self.gradients[0]) <= self.config.tolerance_gradient
    }

    /// The settings that this is the state of.
    pub fn config(&self) -> &Lbfgs {
        &self.config
    }

    /// What is remembered as vectors, for checkpoints: d, the gradient before, all s, all y.
    pub fn buffers(&self) -> impl Iterator<Item = &[T]> {
        [
            &self.direction[..],
            &self.previous_gradient,
            &self.history.s,
            &self.history.y,
        ]
        .into_iter()
    }

    /// The same buffers, to be restored after [`restore_scalars`](Self::restore_scalars), which sets their lengths.
    pub fn buffers_mut(&mut self) -> impl Iterator<Item = &mut [T]> {
        [
            &mut self.direction[..],
            &mut self.previous_gradient,
            &mut self.history.s,
            &mut self.history.y,
        ]
        .into_iter()
    }

    /// How many numbers [`scalars`](Self::scalars) has beside the rho of every pair.
    pub const SCALARS: usize = 4;

    /// What is remembered as numbers: whether there is no last iteration, its t, gamma, which pair is the oldest, and
    /// rho of every pair.
    pub fn scalars(&self) -> Vec<f64> {
        let History {
            gamma, oldest, rho, ..
        } = &self.history;
        let fresh = f64::from(u8::from(self.is_fresh));
        [fresh, self.t, *gamma, *oldest as f64]
            .into_iter()
            .chain(rho.iter().copied())
            .collect()
    }

    /// Restores what [`scalars`](Self::scalars) gave.
    ///
    /// # Errors
    /// `InvalidLength` or `OutOfRange` where it cannot have given that.
    pub fn restore_scalars(&mut self, scalars: &[f64]) -> Result<()> {
        let name = "the optimizer's scalars";
        let capacity = self.history.capacity();
        let &[fresh, t, gamma, oldest, ref rho @ ..] = scalars else {
            return Err(Error::new(
                Code::InvalidLength,
                "at least 4 numbers",
                name,
                scalars.len(),
            ));
        };
        if rho.len() > capacity {
            let expected = format!("at most {} numbers", capacity + 4);
            return Err(Error::new(Code::InvalidLength, expected, name, scalars.len()));
        }
        if let Some(&x) = scalars.iter().find(|x| !x.is_finite()) {
            return Err(Error::not_finite(name, x));
        }
        let is_place = oldest >= 0.0 && oldest.fract() == 0.0 && oldest < rho.len().max(1) as f64;
        if !is_place {
            return Err(Error::new(Code::OutOfRange, "the place of a pair", name, oldest));
        }
        self.is_fresh = fresh != 0.0;
        self.t = t;
        self.history.resize(rho.len());
        self.history.rho.copy_from_slice(rho);
        self.history.gamma = gamma;
        self.history.oldest = oldest as usize;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::gradients::flat as numbers;
    use crate::nn::optimizer::Optimizer;
    use serde_json::{Value, json};

    fn golden() -> Value {
        serde_json::from_str(include_str!("../../../__test__/goldens/optimizers.json")).unwrap()
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
}
