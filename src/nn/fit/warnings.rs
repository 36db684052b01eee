//! What a person who looked at a fit that has ended would notice, each with what to do.

use crate::nn::network::activation::Activation;
use crate::nn::network::architecture::Architecture;
use crate::nn::network::loss::{Kind, Loss};
use crate::nn::pass::online::{self, Workspace};
use crate::nn::settings::Named;
use crate::nn::vector::real::Real;
use crate::nn::vector::simd::{self, Isa, Task};

use crate::nn::data::Data;

/// So many rows are looked at, at most.
const SAMPLE: usize = 128;
/// And only after training has gone over so many times as many, so that the look costs little beside it.
const ENOUGH: usize = 16;
/// A root mean square above this is far from 1,
const LARGE: f64 = 20.0;
/// and so is a column whose largest number is below this.
const SMALL: f64 = 0.01;
/// A column that varies by less than this part of its largest number hardly varies.
const NARROW: f64 = 0.01;
/// Outputs that vary by less than this part of their targets' range are constant.
const CONSTANT: f64 = 1e-3;
/// Gradients vanish in a unit whose derivative is below this for every row.
const FLAT: f64 = 1e-6;
/// Below this part of the variance of the targets, nothing is explained.
const EXPLAINED: f64 = 0.01;
/// And above this there is little left to learn.
const LEARNT: f64 = 0.99;
/// A course of the loss is judged from so many epochs on.
const EPOCHS: usize = 10;
/// A loss that the last tenth of the epochs has lowered by more than this part of all is still falling.
const FALLING: f64 = 0.02;

/// Something that a person would notice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Warning {
    /// A stable name
    pub code: &'static str,
    /// What was found, and what to do
    pub message: String,
}

/// A fit that has ended.
pub struct Ended<'a, T> {
    /// The shape of the network
    pub architecture: &'a Architecture,
    /// Its final values
    pub values: &'a [T],
    /// The rows
    pub data: &'a Data<T>,
    /// Which of them are those of training
    pub rows: &'a [u32],
    /// The loss that was watched, epoch by epoch
    pub losses: &'a [f64],
    /// Whether the epochs or the time were too few
    pub is_cut_short: bool,
}

/// What is to be noticed, in the order of cause and effect. Nothing after too little training to tell, or where it is
/// stopped.
pub fn warnings<T: Real>(fit: &Ended<T>, is_stopped: &dyn Fn() -> bool) -> Vec<Warning> {
    let sample = sample(fit.data, fit.rows);
    if sample.is_empty() || fit.losses.len().saturating_mul(fit.rows.len()) < ENOUGH * sample.len() {
        return Vec::new();
    }
    let Some(view) = View::new(fit, &sample, is_stopped) else {
        return Vec::new();
    };
    let inputs = columns(&sample, |row| fit.data.inputs(row));
    let targets = columns(&sample, |row| fit.data.targets(row));
    let is_constant = are_constant(&inputs, &targets, &view.outputs);
    let explained = explained(fit, &view.outputs, &targets);
    let all = [
        missing_classes(fit),
        scales("inputScale", "input", "inputs", &inputs),
        target_range(fit.architecture, &targets),
        target_scale(fit.architecture, &targets),
        dead_units(fit.architecture, &view),
        is_constant.then(constant_outputs),
        no_progress(fit, &explained).filter(|_| !is_constant),
        still_improving(fit, &explained),
    ];
    all.into_iter().flatten().collect()
}

/// Rows that count, spread evenly: multiples of the golden section, which keep time with no period of the data.
fn sample<T: Real>(data: &Data<T>, rows: &[u32]) -> Vec<usize> {
    let count = rows.len().min(SAMPLE);
    let place = |i: usize| {
        if rows.len() <= SAMPLE {
            i
        } else {
            ((i as f64 * 0.618_033_988_749_894_9).fract() * rows.len() as f64) as usize
        }
    };
    let all = (0..count).map(|i| rows[place(i)] as usize);
    all.filter(|&row| data.weight(row) != T::ZERO).collect()
}

/// A column of numbers, and what is to be known of it.
struct Column {
    numbers: Vec<f64>,
    least: f64,
    most: f64,
    root_mean_square: f64,
}

impl Column {
    fn new(numbers: Vec<f64>) -> Self {
        let least = numbers.iter().copied().fold(f64::INFINITY, f64::min);
        let most = numbers.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let largest = least.abs().max(most.abs());
        // Relative to the largest, no square overflows.
        let squares: f64 = numbers.iter().map(|x| (x / largest).powi(2)).sum();
        let root_mean_square = if largest > 0.0 {
            largest * (squares / numbers.len() as f64).sqrt()
        } else {
            0.0
        };
        Column {
            numbers,
            least,
            most,
            root_mean_square,
        }
    }

    fn range(&self) -> f64 {
        self.most - self.least
    }

    fn varies(&self) -> bool {
        self.most > self.least
    }

    /// How many times the scale is away from where training does well; nothing where it is well.
    fn distance(&self) -> Option<f64> {
        let largest = self.least.abs().max(self.most.abs());
        if !self.varies() {
            // What is constant can only be too large.
            return (self.root_mean_square > LARGE).then_some(self.root_mean_square);
        }
        if self.root_mean_square > LARGE {
            Some(self.root_mean_square)
        } else if largest < SMALL {
            Some(1.0 / largest)
        } else if self.range() < NARROW * largest {
            Some(largest / self.range())
        } else {
            None
        }
    }
}

fn columns<'d, T: Real>(sample: &[usize], row: impl Fn(usize) -> &'d [T]) -> Vec<Column> {
    let width = row(sample[0]).len();
    let column = |k: usize| sample.iter().map(|&i| row(i)[k].to_f64()).collect();
    (0..width).map(|k| Column::new(column(k))).collect()
}

/// What the network makes of the sample.
struct View {
    outputs: Vec<Column>,
    /// How many units of each hidden layer are flat for every row
    dead: Vec<usize>,
}

impl View {
    fn new<T: Real>(fit: &Ended<T>, sample: &[usize], is_stopped: &dyn Fn() -> bool) -> Option<Self> {
        let architecture = fit.architecture;
        let units = architecture.output_count();
        let mut workspace = Workspace::new(architecture).ok()?;
        let mut outputs = vec![Vec::with_capacity(sample.len()); units];
        let mut is_flat = vec![true; architecture.unit_count()];
        for &row in sample {
            if is_stopped() {
                return None;
            }
            let prediction = online::predict_layer_by_layer(
                architecture,
                fit.values,
                fit.data.inputs(row),
                &mut workspace,
            );
            for (column, a) in outputs.iter_mut().zip(prediction.ok()?) {
                column.push(a.to_f64());
            }
            simd::run(Flat {
                architecture,
                workspace: &workspace,
                is_flat: &mut is_flat,
            });
        }
        let hidden = &architecture.layers()[..architecture.layers().len() - 1];
        let count = |flat: &[bool]| flat.iter().filter(|&&is_flat| is_flat).count();
        Some(View {
            outputs: outputs.into_iter().map(Column::new).collect(),
            dead: hidden
                .iter()
                .map(|layer| count(&is_flat[layer.outputs.clone()]))
                .collect(),
        })
    }
}

/// Finds the hidden units that are not flat for the row that is in the workspace.
struct Flat<'a, T> {
    architecture: &'a Architecture,
    workspace: &'a Workspace<T>,
    is_flat: &'a mut [bool],
}

impl<T: Real> Task for Flat<'_, T> {
    const WIDENS: bool = false;
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let (y, a) = (self.workspace.sums(), self.workspace.outputs());
        for layer in self.architecture.layers() {
            let activation = layer.options.activation;
            for j in layer.outputs.clone() {
                self.is_flat[j] &= activation.derivative::<I, T>(y[j], a[j]).abs().to_f64() < FLAT;
            }
        }
    }
}

/// Whether all outputs stay where they are, though inputs and targets change.
fn are_constant(inputs: &[Column], targets: &[Column], outputs: &[Column]) -> bool {
    let mut asked = outputs
        .iter()
        .zip(targets)
        .filter(|(_, target)| target.varies())
        .peekable();
    inputs.iter().any(Column::varies)
        && asked.peek().is_some()
        && asked.all(|(output, target)| output.range() < CONSTANT * target.range())
}

fn constant_outputs() -> Warning {
    warning(
        "constantOutputs",
        "the outputs are the same for every row",
        "scale inputs and targets to about -1 to 1, lower the learningRate, or choose another activation",
    )
}

/// The part of the variance of each target that varies which the outputs explain: R2, or the square of the correlation
/// where a loss moves the outputs as a whole.
fn explained<T: Real>(fit: &Ended<T>, outputs: &[Column], targets: &[Column]) -> Vec<f64> {
    let loss = fit.architecture.loss();
    let has_middle =
        loss.kind() == Kind::Numbers && !matches!(loss, Loss::Quantile { .. }) && !fit.data.is_weighted();
    let part = |(output, target): (&Column, &Column)| {
        let mean = |column: &Column| column.numbers.iter().sum::<f64>() / column.numbers.len() as f64;
        let (a_mean, t_mean) = (mean(output), mean(target));
        let pairs = || output.numbers.iter().zip(&target.numbers);
        let variance: f64 = target.numbers.iter().map(|t| (t - t_mean).powi(2)).sum();
        if has_middle {
            return 1.0 - pairs().map(|(a, t)| (a - t).powi(2)).sum::<f64>() / variance;
        }
        let deviation = output
            .numbers
            .iter()
            .map(|a| (a - a_mean).powi(2))
            .sum::<f64>()
            .sqrt();
        let product: f64 = pairs().map(|(a, t)| (a - a_mean) * (t - t_mean)).sum();
        if deviation > 0.0 {
            (product / deviation).powi(2) / variance
        } else {
            0.0
        }
    };
    let columns = outputs.iter().zip(targets);
    columns.filter(|(_, target)| target.varies()).map(part).collect()
}

/// The loss has fallen by nothing, or the outputs are no better than a constant.
fn no_progress<T>(fit: &Ended<T>, explained: &[f64]) -> Option<Warning> {
    let explained = explained.iter().copied().reduce(f64::max)?;
    let epochs = counted(fit.losses.len(), "epoch");
    let least = fit.losses.iter().copied().fold(f64::INFINITY, f64::min);
    let has_fallen = fit.losses.len() < EPOCHS || least < 0.99 * fit.losses[0];
    let found = if explained < EXPLAINED {
        format!("after {epochs} the outputs are no better than a constant (R2 {explained:.2})")
    } else if !has_fallen && explained < 0.5 {
        format!("the loss has fallen by less than 1 % in {epochs}")
    } else {
        return None;
    };
    let cure = "scale inputs and targets to about -1 to 1, try another learningRate or more epochs, or look whether the \
                inputs tell of the targets";
    Some(warning("noProgress", &found, cure))
}

/// Columns whose scale is far from 1.
fn scales(code: &'static str, one: &str, many: &str, columns: &[Column]) -> Option<Warning> {
    let far = |(k, column): (usize, &Column)| column.distance().map(|distance| (k, distance));
    let all: Vec<(usize, f64)> = columns.iter().enumerate().filter_map(far).collect();
    let (worst, _) = *all.iter().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let Column {
        least,
        most,
        root_mean_square,
        ..
    } = columns[worst];
    let found = if all.len() == 1 && columns.len() == 1 {
        format!("the {many} have a scale far from 1: they")
    } else if all.len() == 1 {
        format!("{one} {worst} has a scale far from 1: it")
    } else {
        let (far, count) = (all.len(), columns.len());
        format!("{far} of {count} {many} have a scale far from 1, most of all {one} {worst}: it")
    };
    let verb = if columns.len() == 1 { "go" } else { "goes" };
    let found = format!(
        "{found} {verb} from {} to {} (root mean square {})",
        short(least),
        short(most),
        short(root_mean_square)
    );
    let cure = format!("scale {many}, such as (x - mean) / standard deviation of each column");
    Some(warning(code, &found, &cure))
}

/// Targets of a network without bounds, which need not be near 1 but are learnt in many more steps elsewhere.
fn target_scale(architecture: &Architecture, targets: &[Column]) -> Option<Warning> {
    let is_free = architecture.output_layer().options.activation == Activation::Linear;
    let is_of_numbers = architecture.loss().kind() == Kind::Numbers;
    if is_free && is_of_numbers {
        scales("targetScale", "target", "targets", targets)
    } else {
        None
    }
}

/// Targets that no output can reach.
fn target_range(architecture: &Architecture, targets: &[Column]) -> Option<Warning> {
    let activation = architecture.output_layer().options.activation;
    let (low, high) = activation.range();
    let is_beyond = |column: &&Column| column.least < low || column.most > high;
    let Column { least, most, .. } = targets.iter().find(is_beyond)?;
    let (least, most, name) = (short(*least), short(*most), activation.name());
    let bounds = if high.is_finite() {
        format!("from {low} to {high}")
    } else {
        format!("of at least {}", short(low))
    };
    let found = format!("targets go from {least} to {most}, but outputs of {name} are {bounds}");
    let cure = "scale the targets, or give the output layer the activation linear";
    Some(warning("targetRange", &found, cure))
}

/// Layers at least half of whose units learn nothing any more.
fn dead_units(architecture: &Architecture, view: &View) -> Option<Warning> {
    let layers = architecture.layers().iter().zip(&view.dead).enumerate();
    let (l, (layer, dead)) = layers
        .filter(|(_, (layer, dead))| **dead > 0 && 2 * **dead >= layer.units)
        .max_by_key(|(_, (_, dead))| **dead)?;
    let name = layer.options.activation.name();
    let found = format!(
        "{dead} of {} in hidden layer {} ({name}) have derivative 0 for every row: they learn no more",
        counted(layer.units, "unit"),
        l + 1,
    );
    let cure = "scale the inputs, lower the learningRate, or choose an activation such as leakyRelu or silu";
    Some(warning("deadUnits", &found, cure))
}

/// Classes without rows of training.
fn missing_classes<T: Real>(fit: &Ended<T>) -> Option<Warning> {
    let units = fit.architecture.output_count();
    let (has_no, boundary) = match fit.architecture.loss().kind() {
        Kind::Classes => (false, 0.0),
        Kind::Labels { no, yes } => (true, (no + yes) / 2.0),
        Kind::Numbers => return None,
    };
    // Whether yes and, where it is a class too, no were seen.
    let mut seen = vec![[false, !has_no]; units];
    let mut left = units * if has_no { 2 } else { 1 };
    let middle = T::from_f64(boundary);
    for &row in fit.rows {
        if left == 0 {
            return None;
        }
        let row = row as usize;
        if fit.data.weight(row) == T::ZERO {
            continue;
        }
        for (seen, &t) in seen.iter_mut().zip(fit.data.targets(row)) {
            // A soft target is a row of every class that it gives a part to.
            let is = if has_no {
                [t >= middle, t < middle]
            } else {
                [t > T::ZERO, false]
            };
            for (seen, is) in seen.iter_mut().zip(is) {
                if is && !std::mem::replace(seen, true) {
                    left -= 1;
                }
            }
        }
    }
    if left == 0 {
        return None;
    }
    let missing: Vec<usize> = (0..units).filter(|&k| seen[k].contains(&false)).collect();
    let names: Vec<String> = missing.iter().take(5).map(usize::to_string).collect();
    let more = if missing.len() > 5 { " and more" } else { "" };
    let names = names.join(", ");
    let found = if !has_no {
        format!("no row of training is of class {names}{more}")
    } else if units == 1 {
        format!(
            "all rows of training are of one class, {}",
            if seen[0][0] { "yes" } else { "no" }
        )
    } else {
        format!("all rows of training have the same answer in target {names}{more}")
    };
    let cure = "add rows, hold out others, or leave the class out";
    Some(warning("missingClasses", &found, cure))
}

/// A loss that was falling when the epochs were over, unless there is little left to learn.
fn still_improving<T>(fit: &Ended<T>, explained: &[f64]) -> Option<Warning> {
    let losses = fit.losses;
    if !fit.is_cut_short || losses.len() < EPOCHS || explained.iter().all(|&part| part > LEARNT) {
        return None;
    }
    let tenth = losses.len() / 10;
    let mean = |losses: &[f64]| losses.iter().map(|loss| loss / losses.len() as f64).sum::<f64>();
    let end = losses.len() - tenth;
    let (before, last) = (mean(&losses[end - tenth..end]), mean(&losses[end..]));
    let fall = before - last;
    if fall < FALLING * (losses[0] - last) || fall < 0.01 * before.abs() || fall <= 0.0 {
        return None;
    }
    let found = format!(
        "the loss was still falling at the end, by {:.0} % in the last {}",
        100.0 * fall / before.abs(),
        counted(tenth, "epoch")
    );
    Some(warning(
        "stillImproving",
        &found,
        "train for more epochs, or with a larger learningRate",
    ))
}

fn warning(code: &'static str, found: &str, cure: &str) -> Warning {
    let mut letters = found.chars();
    let first: String = letters.next().into_iter().flat_map(char::to_uppercase).collect();
    Warning {
        code,
        message: format!("{first}{}: {cure}", letters.as_str()),
    }
}

fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// A number with as many digits as tell its scale.
fn short(x: f64) -> String {
    let x: f64 = format!("{x:.2e}")
        .parse()
        .expect("a number that was just written");
    crate::nn::error::JsNumber(x).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sample_is_of_all_rows_or_spread_over_them() {
        let architecture =
            Architecture::new(&crate::nn::NetworkOptions::original(1, 1, 1)).expect("a small network");
        let data = Data::<f64>::new(&architecture);
        let few: Vec<u32> = (10..20).collect();
        assert_eq!(sample(&data, &few), (10..20).collect::<Vec<_>>());
        let many: Vec<u32> = (0..100_000).collect();
        let rows = sample(&data, &many);
        assert_eq!(rows.len(), SAMPLE);
        for period in [2, 3, 7, 10, 16] {
            let of_each: Vec<usize> = (0..period)
                .map(|k| rows.iter().filter(|&&row| row % period == k).count())
                .collect();
            assert!(of_each.iter().all(|&count| count > 0), "{period}: {of_each:?}");
        }
    }

    #[test]
    fn scales_of_columns() {
        let distance = |numbers: &[f64]| Column::new(numbers.to_vec()).distance();
        assert_eq!(distance(&[-1.0, 1.0]), None);
        assert_eq!(distance(&[0.0, 16.0, 8.0]), None);
        assert_eq!(distance(&[0.0, 0.0]), None);
        assert_eq!(distance(&[1.0, 1.0]), None);
        assert_eq!(distance(&[30.0, 40.0]), Some(1250f64.sqrt()));
        assert_eq!(distance(&[0.0, 0.001]), Some(1000.0));
        assert!(distance(&[5.0, 5.001]).is_some_and(|distance| distance > 4000.0));
        assert_eq!(distance(&[-1e200, 1e200]), Some(1e200));
    }

    #[test]
    fn short_numbers() {
        assert_eq!(short(17_253.4), "17300");
        assert_eq!(short(-0.000_123_4), "-0.000123");
        assert_eq!(short(0.0), "0");
    }
}
