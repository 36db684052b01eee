//! The mathematics of training in plain loops, a number at a time: what every fast pass must come to. Start here.
//!
//! The notation is that of `docs/math.md`. A batch has m rows. A layer reads x and finds, for each row,
//!
//! | | |
//! |---|---|
//! | z_j = b_j + sum_i x_i w_ij | its weighted sums |
//! | n_j = (z_j - mean) / sqrt(variance + epsilon), y_j = gamma_j n_j + beta_j | where it is normalized; else y = z |
//! | a_j = f(y_j) | its outputs |
//! | x_j = mask_j a_j | what the next layer reads; a mask is 0 or 1 / (1 - dropout) |
//!
//! The objective E is the mean of the rows' losses, each counted by the row's weight, plus the penalties. `dz` stands for
//! dE/dz, and so on.

use crate::nn::network::activation::softmax;
use crate::nn::network::architecture::{Architecture, Layer};
use crate::nn::network::normalization::EPSILON;
use crate::nn::network::options::Normalization;
use crate::nn::network::{Activation, Loss};
use crate::nn::pass::batch::Masks;
use crate::nn::vector::simd::Portable;

/// `[m][width]`
pub type Rows = Vec<Vec<f64>>;

/// The rows of a training step.
pub struct Step {
    /// `[m][inputs]`
    pub inputs: Rows,
    /// `[m][outputs]`
    pub targets: Rows,
    /// How much each row counts, `[m]`.
    pub weights: Vec<f64>,
    /// Which outputs are dropped.
    pub masks: Masks,
}

/// What a step finds before it moves the parameters.
pub struct Found {
    /// `[m][outputs]`
    pub outputs: Rows,
    /// The mean loss of the rows.
    pub loss: f64,
    /// What the penalties add to it.
    pub penalty: f64,
    /// dE/dp of every parameter p, in the order of the values.
    pub gradient: Vec<f64>,
}

/// The intermediate values of a layer.
struct Seen {
    x: Rows,
    n: Rows,
    y: Rows,
    a: Rows,
    mask: Rows,
    /// 1 / sqrt(variance + epsilon) of each number's group, `[m][units]`.
    inverse: Rows,
}

/// Forward and backward over the rows of a step.
pub fn step(architecture: &Architecture, values: &[f64], step: &Step) -> Found {
    let mut seen: Vec<Seen> = Vec::new();
    let mut x = step.inputs.clone();
    for layer in architecture.layers() {
        let here = forward(layer, values, x, step.masks);
        x = product_of_elements(&here.a, &here.mask);
        seen.push(here);
    }

    let output = &seen[seen.len() - 1];
    let total: f64 = step.weights.iter().sum();
    let (mut loss, mut dy) = (0.0, Rows::new());
    for (r, t) in step.targets.iter().enumerate() {
        let (value, gradient) = loss_of_row(architecture, &output.y[r], &output.a[r], t);
        let share = step.weights[r] / total;
        loss += share * value;
        dy.push(gradient.iter().map(|d| share * d).collect());
    }

    let (mut gradient, mut penalty) = (vec![0.0; architecture.parameter_count()], 0.0);
    for (l, (layer, here)) in architecture.layers().iter().zip(&seen).enumerate().rev() {
        let dx = backward(layer, values, here, &dy, &mut gradient);
        penalty += penalize(layer, values, &mut gradient);
        if l > 0 {
            let da = product_of_elements(&dx, &seen[l - 1].mask);
            dy = derive(&architecture.layers()[l - 1], &seen[l - 1], da);
        }
    }
    Found {
        outputs: seen.pop().expect("a network has a layer").a,
        loss,
        penalty,
        gradient,
    }
}

/// From x to a.
fn forward(layer: &Layer, values: &[f64], x: Rows, masks: Masks) -> Seen {
    let m = x.len();
    let zeros = || vec![vec![0.0; layer.units]; m];
    let mut seen = Seen {
        x,
        n: zeros(),
        y: zeros(),
        a: zeros(),
        mask: vec![vec![1.0; layer.units]; m],
        inverse: zeros(),
    };
    for r in 0..m {
        for j in 0..layer.units {
            seen.y[r][j] = values[layer.bias(j)];
            for i in 0..layer.inputs {
                seen.y[r][j] += seen.x[r][i] * values[layer.weight(i, j)];
            }
        }
    }
    if layer.options.normalization.is_some() {
        normalize(layer, values, &mut seen);
    }
    for r in 0..m {
        seen.a[r] = activate(layer.options.activation, &seen.y[r]);
        if layer.options.dropout > 0.0 {
            masks.draw(layer, &(r..r + 1), &mut seen.mask[r]);
        }
    }
    seen
}

/// a = f(y) of a row.
fn activate(f: Activation, y: &[f64]) -> Vec<f64> {
    let mut a: Vec<f64> = y.iter().map(|&y| f.of::<Portable, f64>(y)).collect();
    if f == Activation::Softmax {
        softmax::<Portable, f64>(&mut a, y.len());
    }
    a
}

/// dy = da f'(y).
fn derive(layer: &Layer, seen: &Seen, mut da: Rows) -> Rows {
    for (r, da) in da.iter_mut().enumerate() {
        for (j, da) in da.iter_mut().enumerate() {
            let f = layer.options.activation;
            *da *= f.derivative::<Portable, f64>(seen.y[r][j], seen.a[r][j]);
        }
    }
    da
}

/// The numbers that are normalized together: those of a unit in all rows, or those of a row in all units.
fn groups(layer: &Layer, m: usize) -> Vec<Vec<(usize, usize)>> {
    if layer.options.normalization == Some(Normalization::Batch) {
        (0..layer.units)
            .map(|j| (0..m).map(|r| (r, j)).collect())
            .collect()
    } else {
        (0..m)
            .map(|r| (0..layer.units).map(|j| (r, j)).collect())
            .collect()
    }
}

/// Whether a batch normalization takes its running statistics: one row has no variance.
fn uses_running_statistics(layer: &Layer, m: usize) -> bool {
    layer.options.normalization == Some(Normalization::Batch) && m == 1
}

/// y = gamma n + beta, in place of z.
fn normalize(layer: &Layer, values: &[f64], seen: &mut Seen) {
    let m = seen.y.len();
    for group in groups(layer, m) {
        let count = group.len() as f64;
        let mut mean = group.iter().map(|&(r, j)| seen.y[r][j]).sum::<f64>() / count;
        let square = |&(r, j): &(usize, usize)| (seen.y[r][j] - mean).powi(2);
        let mut variance = group.iter().map(square).sum::<f64>() / count;
        if uses_running_statistics(layer, m) {
            let j = group[0].1;
            (mean, variance) = (values[layer.mean.start + j], values[layer.variance.start + j]);
        }
        for (r, j) in group {
            seen.inverse[r][j] = 1.0 / (variance + EPSILON).sqrt();
            seen.n[r][j] = (seen.y[r][j] - mean) * seen.inverse[r][j];
            seen.y[r][j] = values[layer.gamma.start + j] * seen.n[r][j] + values[layer.beta.start + j];
        }
    }
}

/// Adds a layer's dw, db, dgamma and dbeta to the gradient; its dx.
fn backward(layer: &Layer, values: &[f64], seen: &Seen, dy: &Rows, gradient: &mut [f64]) -> Rows {
    let m = dy.len();
    let mut dz = dy.clone();
    if layer.options.normalization.is_some() {
        for group in groups(layer, m) {
            for &(r, j) in &group {
                gradient[layer.gamma.start + j] += dy[r][j] * seen.n[r][j];
                gradient[layer.beta.start + j] += dy[r][j];
            }
            let dn = |&(r, j): &(usize, usize)| dy[r][j] * values[layer.gamma.start + j];
            let count = group.len() as f64;
            let (mut mean, mut mean_n) = (0.0, 0.0);
            if !uses_running_statistics(layer, m) {
                mean = group.iter().map(dn).sum::<f64>() / count;
                mean_n = group.iter().map(|g| dn(g) * seen.n[g.0][g.1]).sum::<f64>() / count;
            }
            for &(r, j) in &group {
                dz[r][j] = (dn(&(r, j)) - mean - seen.n[r][j] * mean_n) * seen.inverse[r][j];
            }
        }
    }
    let mut dx = vec![vec![0.0; layer.inputs]; m];
    for r in 0..m {
        for j in 0..layer.units {
            gradient[layer.bias(j)] += dz[r][j];
            for i in 0..layer.inputs {
                gradient[layer.weight(i, j)] += seen.x[r][i] * dz[r][j];
                dx[r][i] += values[layer.weight(i, j)] * dz[r][j];
            }
        }
    }
    dx
}

/// The penalty l1 |w| + l2 w^2 / 2 of a layer's weights; adds its gradient.
fn penalize(layer: &Layer, values: &[f64], gradient: &mut [f64]) -> f64 {
    let (l1, l2) = (layer.options.l1, layer.options.l2);
    let mut penalty = 0.0;
    for place in layer.weights.clone() {
        let w = values[place];
        let sign = if w == 0.0 { 0.0 } else { w.signum() };
        gradient[place] += l1 * sign + l2 * w;
        penalty += l1 * w.abs() + 0.5 * l2 * w * w;
    }
    penalty
}

/// The loss of a row, and its dy.
fn loss_of_row(architecture: &Architecture, y: &[f64], a: &[f64], t: &[f64]) -> (f64, Vec<f64>) {
    let column = |row: &[f64]| -> Vec<[f64; 1]> { row.iter().map(|&x| [x]).collect() };
    let (loss, [z, a, t]): (Loss, _) = (architecture.loss(), [y, a, t].map(column));
    let mut d = vec![[0.0]; y.len()];
    loss.gradient::<Portable, f64, 1>(&z, &a, &t, &mut d);
    if !loss.is_fused() {
        let f = architecture.output_layer().options.activation;
        for k in 0..d.len() {
            d[k][0] *= f.derivative::<Portable, f64>(z[k][0], a[k][0]);
        }
    }
    let value = loss.value::<Portable, f64, 1>(&z, &a, &t)[0];
    (value, d.into_iter().map(|[d]| d).collect())
}

fn product_of_elements(a: &Rows, b: &Rows) -> Rows {
    let row = |(a, b): (&Vec<f64>, &Vec<f64>)| a.iter().zip(b).map(|(a, b)| a * b).collect();
    a.iter().zip(b).map(row).collect()
}
