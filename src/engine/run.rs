//! Training runs of any precision, and what is seen of them from outside.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use crate::engine::layout::numbers;
use crate::nn::fit::{History, IsCut, Monitor, Run, Session, StoppedBy, Warning};
use crate::nn::{Error, Real, Result};

/// A training run, whatever its precision.
pub trait Job: Send {
    /// Trains for up to so many epochs, and says whether the run has ended, also because it is cut. Meanwhile nobody may
    /// look at it unless it `is_watched`.
    fn advance(&mut self, epochs: usize, is_watched: bool, is_cut: IsCut) -> bool;
    /// Trains, watched, until `is_due`, and says whether the run has ended.
    fn advance_until(&mut self, is_due: &dyn Fn() -> bool) -> bool;
    /// Where others see how far it is.
    fn watch(&self) -> Arc<dyn Watch>;
    /// What the run came to, once it has ended.
    fn outcome(&mut self) -> Result<Outcome>;
    /// Frees the rows of a run that has ended.
    fn forget_data(&mut self);
    /// Puts the final values of a run that has ended into a network's buffer, which has those that it began with.
    fn copy_final(&self, buffer: &mut [u8]) -> Result<()>;
    /// The run itself.
    fn into_any(self: Box<Self>) -> Box<dyn Any>;
}

/// What is seen of a run from outside, from any thread.
pub trait Watch: Send + Sync {
    /// Asks the run to stop.
    fn stop(&self, reason: StoppedBy);
    /// How many epochs are done.
    fn epochs(&self) -> usize;
    /// How many there will be at most.
    fn most_epochs(&self) -> usize;
    /// Shows the history so far.
    fn history(&self, see: &mut dyn FnMut(&History));
    /// Puts the published values into a network's buffer.
    fn copy_values(&self, buffer: &mut [u8]) -> Result<()>;
}

/// How a run ended.
pub struct Outcome {
    /// Why.
    pub stopped_by: StoppedBy,
    /// The epoch with the lowest watched loss.
    pub best_epoch: usize,
    /// Milliseconds.
    pub duration: f64,
    /// What a person would notice.
    pub warnings: Vec<Warning>,
}

/// A run of one precision.
pub struct Training<T> {
    run: Run<T>,
    values: Range<usize>,
    ended: Option<Result<StoppedBy>>,
    duration: f64,
    warnings: Vec<Warning>,
}

impl<T: Real> Training<T> {
    /// `values` is their place in the network's buffer.
    pub fn new(run: Run<T>, values: Range<usize>) -> Self {
        Training {
            run,
            values,
            ended: None,
            duration: 0.0,
            warnings: Vec::new(),
        }
    }

    /// The session of a run that has ended.
    pub fn into_session(self) -> Session<T> {
        self.run.into_session()
    }

    fn epoch(
        &mut self,
        is_timed: bool,
        is_cut: IsCut,
        is_due: &dyn Fn() -> bool,
    ) -> Result<Option<StoppedBy>> {
        let run = AssertUnwindSafe(|| self.run.advance(is_timed, is_cut, is_due));
        let ended =
            catch_unwind(run).unwrap_or_else(|_| Err(Error::internal("no panic", "the training", "one")))?;
        Ok(ended)
    }

    /// Whether the run has ended; then what there is to be said of it is found.
    fn look(&mut self, is_cut: IsCut) -> bool {
        if let Some(ended) = &self.ended {
            self.duration = self.run.elapsed();
            if ended.is_ok() {
                let look = AssertUnwindSafe(|| self.run.warnings(is_cut));
                self.warnings = catch_unwind(look).unwrap_or_default();
            }
        }
        self.ended.is_some()
    }
}

impl<T: Real> Job for Training<T> {
    fn advance(&mut self, epochs: usize, is_watched: bool, is_cut: IsCut) -> bool {
        self.run.set_watched(is_watched);
        let end = self.run.epochs().saturating_add(epochs);
        while self.ended.is_none() && self.run.epochs() < end {
            // The shortest epochs do not ask.
            if is_cut() {
                self.run.monitor().stop(StoppedBy::Abort);
            }
            self.ended = self.epoch(epochs == 1, is_cut, &|| false).transpose();
        }
        self.look(is_cut)
    }

    fn advance_until(&mut self, is_due: &dyn Fn() -> bool) -> bool {
        self.run.set_watched(true);
        while self.ended.is_none() {
            self.ended = self.epoch(true, &|| false, is_due).transpose();
            if is_due() {
                break;
            }
        }
        self.look(&|| false)
    }

    fn watch(&self) -> Arc<dyn Watch> {
        Arc::new(View {
            monitor: self.run.monitor().clone(),
            most_epochs: self.run.options().epochs,
            values: self.values.clone(),
        })
    }

    fn outcome(&mut self) -> Result<Outcome> {
        let ended = self.ended.take();
        Ok(Outcome {
            stopped_by: ended
                .unwrap_or_else(|| Err(Error::internal("a run that has ended", "the outcome", "another")))?,
            best_epoch: self.run.best_epoch(),
            duration: self.duration,
            warnings: std::mem::take(&mut self.warnings),
        })
    }

    fn forget_data(&mut self) {
        self.run.forget_data();
    }

    fn copy_final(&self, buffer: &mut [u8]) -> Result<()> {
        let values = numbers::<T>(buffer)?.get_mut(self.values.clone());
        self.run.copy_final(
            values.ok_or_else(|| Error::internal("the network's own buffer", "the call", "another"))?,
        );
        Ok(())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

struct View<T> {
    monitor: Arc<Monitor<T>>,
    most_epochs: usize,
    values: Range<usize>,
}

impl<T: Real> Watch for View<T> {
    fn stop(&self, reason: StoppedBy) {
        self.monitor.stop(reason);
    }

    fn epochs(&self) -> usize {
        self.monitor.epochs()
    }

    fn most_epochs(&self) -> usize {
        self.most_epochs
    }

    fn history(&self, see: &mut dyn FnMut(&History)) {
        self.monitor.history(see);
    }

    fn copy_values(&self, buffer: &mut [u8]) -> Result<()> {
        let values = numbers::<T>(buffer)?.get_mut(self.values.clone());
        self.monitor.copy_values(
            values.ok_or_else(|| Error::internal("the network's own buffer", "the call", "another"))?,
        );
        Ok(())
    }
}
