//! The measures of `evaluate`.
//!
//! | module | holds |
//! |---|---|
//! | [`measures`] | how good predictions are, in the figures of scikit-learn |

pub mod measures;

pub use measures::{Evaluation, measure};

use crate::nn::data::{Data, Part};
use crate::nn::error::Result;
use crate::nn::fit::trainer::Trainer;
use crate::nn::host;
use crate::nn::network::Architecture;
use crate::nn::pass::Work;
use crate::nn::vector::Real;
use crate::nn::vector::memory::zeros;

/// The mean loss where sums of it overflow: row by row, each held finite and divided before it is added.
fn careful_mean<T: Real>(trainer: &mut Trainer<T>, work: Work<T>, values: &[T]) -> Option<f64> {
    let total = work.data.weight_of(work.rows);
    let mut mean = 0.0;
    for row in work.rows.chunks(1) {
        let loss = trainer.loss(Work { rows: row, ..work }, values, &mut |_| {})?;
        let share = if total > 0.0 { loss.weight / total } else { 0.0 };
        mean += share * loss.mean().held_finite();
    }
    Some(mean.held_finite())
}

/// The measures of a network over `data`; nothing if stopped.
///
/// # Errors
/// `OutOfMemory` where the system has none.
pub fn evaluate<T: Real>(
    architecture: &Architecture,
    values: &[T],
    data: &Data<T>,
    is_stopped: &(dyn Fn() -> bool + Sync),
) -> Result<Option<Evaluation>> {
    data.fits(architecture)?;
    let rows: Vec<u32> = (0..data.rows() as u32).collect();
    let mut outputs = zeros(data.rows() * data.units, "the outputs")?;
    let mut trainer = Trainer::new(architecture, 1, rows.len(), host::threads())?;
    let work = Work {
        architecture,
        data,
        rows: &rows,
        next: None,
        is_stopped,
    };
    let mut end = 0;
    let mut see = |stretch: &[T]| {
        outputs[end..end + stretch.len()].copy_from_slice(stretch);
        end += stretch.len();
    };
    let Some(loss) = trainer.loss(work, values, &mut see) else {
        return Ok(None);
    };
    let targets = data.part(Part::Targets);
    let mut mean = loss.mean();
    if !mean.is_finite() {
        let Some(found) = careful_mean(&mut trainer, work, values) else {
            return Ok(None);
        };
        mean = found;
    }
    let (kind, loss) = (architecture.loss(), mean);
    measure(kind, loss, &outputs, targets, data.units, is_stopped)
}
