//! Fits: options, data, a run on a native thread, and what a host sees of it.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use slab::Slab;

use crate::engine::data_set::DataSet;
use crate::engine::model::Model;
use crate::engine::run::{Job, Outcome, Watch};
use crate::engine::trainer::{Background, Trainer};
use crate::nn::fit::{IsCut, Start, StoppedBy};
use crate::nn::host;
use crate::nn::{Error, Result};

/// How many numbers tell of an epoch.
pub const REPORT: usize = 5;

/// A fit from its options to its end.
pub struct Fit {
    start: Start,
    state: State,
    watch: Option<Arc<dyn Watch>>,
    /// How many epochs were done before.
    first_epoch: usize,
    /// The values of which epoch the buffer has.
    copied: usize,
    signals: Arc<Signals>,
}

enum State {
    /// Waits for its data.
    New,
    /// Another thread makes it ready.
    Reading,
    Ready(Box<dyn Job>),
    Running,
}

/// What a training thread and the thread of JavaScript tell each other.
#[derive(Default)]
struct Signals {
    /// The run has ended.
    is_done: AtomicBool,
    /// JavaScript has been woken and has not looked at the reports since.
    is_awake: AtomicBool,
    /// What the run came to, once it has ended.
    outcome: Mutex<Option<Ended>>,
}

/// What a run came to, and the run.
pub type Ended = (Result<Outcome>, Box<dyn Job>);

impl Fit {
    /// A fit that waits for its data.
    pub fn new(start: Start) -> Self {
        Fit {
            start,
            state: State::New,
            watch: None,
            first_epoch: 0,
            copied: 0,
            signals: Arc::default(),
        }
    }

    /// Gets ready to train the network of `buffer`.
    pub fn prepare(
        &mut self,
        model: &mut dyn Model,
        trainer: Option<&mut dyn Trainer>,
        buffer: &mut [u8],
        data: Box<dyn DataSet>,
        held_out: Option<Box<dyn DataSet>>,
    ) -> Result<()> {
        let job = match trainer {
            Some(trainer) => trainer.fit(&self.start, data, held_out)?,
            None => model.fit(buffer, &self.start, data, held_out)?,
        };
        self.adopt(job);
        Ok(())
    }

    /// What gets it ready on another thread, for [`adopt`](Self::adopt), where its checkpoint has to be read first.
    pub fn preparation(
        &mut self,
        model: &dyn Model,
        data: Box<dyn DataSet>,
        held_out: Option<Box<dyn DataSet>>,
    ) -> Result<Background> {
        let work = model.resume(&self.start, data, held_out)?;
        self.state = State::Reading;
        Ok(work)
    }

    /// Takes the run that it is to do.
    pub fn adopt(&mut self, job: Box<dyn Job>) {
        let watch = job.watch();
        self.first_epoch = watch.epochs();
        // Those of a resumed run are not in the buffer yet, even if no epoch follows.
        self.copied = if self.first_epoch > 0 { usize::MAX } else { 0 };
        self.watch = Some(watch);
        self.state = State::Ready(job);
    }

    /// Trains for up to so many epochs on this thread, unless it is cut, and says whether the run has ended. Only where it
    /// `is_watched` may somebody look at it then.
    pub fn advance(&mut self, epochs: usize, is_watched: bool, is_cut: IsCut) -> Result<bool> {
        match &mut self.state {
            State::Ready(job) => Ok(job.advance(epochs, is_watched, is_cut)),
            _ => Err(Error::internal("a fit that is ready", "advanceFit", "another")),
        }
    }

    /// Trains here until `is_due`, and says whether the run has ended. Between two calls it can be looked at.
    pub fn advance_until(&mut self, is_due: &dyn Fn() -> bool) -> Result<bool> {
        let State::Ready(job) = &mut self.state else {
            return Err(Error::internal("a fit that is ready", "sliceFit", "another"));
        };
        let has_ended = job.advance_until(is_due);
        if has_ended {
            job.forget_data();
        }
        self.signals.is_done.store(has_ended, Ordering::Release);
        Ok(has_ended)
    }

    /// Trains on a thread. `wake` is called when the run has ended and, if wanted, when there is news. The thread also
    /// frees the rows.
    pub fn start(
        &mut self,
        every_epoch: bool,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Option<JoinHandle<()>>> {
        let mut job = match std::mem::replace(&mut self.state, State::Running) {
            State::Ready(job) => job,
            other => {
                self.state = other;
                return Err(Error::internal("a fit that is ready", "startFit", "another"));
            }
        };
        let signals = self.signals.clone();
        let train = move || {
            while !job.advance(if every_epoch { 1 } else { usize::MAX }, true, &|| false) {
                if every_epoch && !signals.is_awake.swap(true, Ordering::AcqRel) {
                    wake();
                }
            }
            let outcome = job.outcome();
            job.forget_data();
            signals.end((outcome, job));
            wake();
        };
        host::spawn("mikir-fit", train).map_err(|error| Error::internal("a thread", "fit", error))
    }

    /// Asks the run to stop.
    pub fn stop(&self, reason: StoppedBy) -> Result<()> {
        self.watch()?.stop(reason);
        Ok(())
    }

    /// Whether a thread is at work for it.
    pub fn is_started(&self) -> bool {
        matches!(self.state, State::Running | State::Reading)
    }

    /// Whether the run on its thread has ended.
    pub fn is_done(&self) -> bool {
        self.signals.is_done.load(Ordering::Acquire)
    }

    /// How many epochs there will be at most.
    pub fn epochs(&self) -> Result<usize> {
        Ok(self.watch()?.most_epochs())
    }

    /// How many epochs are done.
    pub fn epochs_done(&self) -> Result<usize> {
        Ok(self.watch()?.epochs())
    }

    /// Whether some of their losses are of validation.
    pub fn has_validation(&self) -> Result<bool> {
        let mut has_validation = false;
        self.watch()?
            .history(&mut |history| has_validation = !history.validation_losses.is_empty());
        Ok(has_validation)
    }

    /// How many epochs were done before this fit.
    pub fn first_epoch(&self) -> usize {
        self.first_epoch
    }

    /// Fills `out` with reports from the place `from` on and returns how many they are.
    pub fn reports(&self, from: usize, out: &mut [f64]) -> Result<usize> {
        self.signals.is_awake.store(false, Ordering::Release);
        let mut count = 0;
        self.watch()?.history(&mut |history| {
            let reports = (from.saturating_add(1)..).map_while(|epoch| history.report(epoch));
            for (report, out) in reports.zip(out.chunks_exact_mut(REPORT)) {
                let validation_loss = report.validation_loss.unwrap_or(f64::NAN);
                out.copy_from_slice(&[
                    report.epoch as f64,
                    report.loss,
                    validation_loss,
                    report.learning_rate,
                    report.elapsed,
                ]);
                count += 1;
            }
        });
        Ok(count)
    }

    /// Puts the values of the last whole epoch into the buffer, if they are not there yet.
    pub fn refresh(&mut self, buffer: &mut [u8]) -> Result<()> {
        let watch = self.watch.as_ref().ok_or_else(unprepared)?;
        // Read first: what is copied then is no older.
        let epochs = watch.epochs();
        if epochs != self.copied {
            watch.copy_values(buffer)?;
            self.copied = epochs;
        }
        Ok(())
    }

    /// Puts the final values of a run that has ended into the buffer: what it came to, where its history is, and the run
    /// itself.
    pub fn finish(self, buffer: &mut [u8]) -> Result<(Ended, Arc<dyn Watch>)> {
        let watch = self.watch()?.clone();
        let (outcome, job) = match self.state {
            State::Running => self.signals.take()?,
            State::Ready(mut job) => (job.outcome(), job),
            State::New | State::Reading => return Err(unprepared()),
        };
        job.copy_final(buffer)?;
        Ok(((outcome, job), watch))
    }

    fn watch(&self) -> Result<&Arc<dyn Watch>> {
        self.watch.as_ref().ok_or_else(unprepared)
    }
}

impl Signals {
    fn end(&self, ended: Ended) {
        *self.outcome.lock().unwrap_or_else(PoisonError::into_inner) = Some(ended);
        self.is_done.store(true, Ordering::Release);
    }

    fn take(&self) -> Result<Ended> {
        let ended = self.outcome.lock().unwrap_or_else(PoisonError::into_inner).take();
        ended.ok_or_else(|| Error::internal("a run that has ended", "finishFit", "another"))
    }
}

/// Work on another thread, and what came of it.
#[derive(Default)]
pub struct BackgroundTask(Mutex<Option<Result<Box<dyn Any + Send>>>>);

impl BackgroundTask {
    /// Begins `work` on a thread and calls `wake` when it is done.
    pub fn start(
        self: &Arc<Self>,
        work: Background,
        wake: impl Fn() + Send + 'static,
    ) -> Result<Option<JoinHandle<()>>> {
        let task = self.clone();
        let run = move || {
            let done = catch_unwind(AssertUnwindSafe(work));
            let done = done.unwrap_or_else(|_| Err(Error::internal("no panic", "the work", "one")));
            *task.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
            wake();
        };
        host::spawn("mikir-file", run).map_err(|error| Error::internal("a thread", "the work", error))
    }

    /// What came of it.
    pub fn take(&self) -> Result<Box<dyn Any + Send>> {
        let done = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        done.unwrap_or_else(|| Err(Error::internal("work that is done", "the call", "other work")))
    }
}

fn unprepared() -> crate::nn::Error {
    Error::internal("a fit that has its data", "the call", "another")
}

/// The fits and the data sets of one JavaScript environment, by number.
#[derive(Default)]
pub struct Fits {
    /// The fits.
    pub fits: Slab<Fit>,
    /// The data sets that no fit has taken yet.
    pub data: Slab<Box<dyn DataSet>>,
    /// The trainers.
    pub trainers: Slab<Box<dyn Trainer>>,
    /// What other threads are doing, or have done.
    pub tasks: Slab<Arc<BackgroundTask>>,
    threads: Vec<JoinHandle<()>>,
}

impl Fits {
    /// Drops what cannot be used any more when no call is being made: data sets, and fits on no thread of their own. There
    /// are some where a call was cut.
    pub fn drop_leftovers(&mut self) {
        self.data.clear();
        self.fits.retain(|_, fit| fit.is_started());
    }

    /// Remembers a thread that trains.
    pub fn watch_over(&mut self, thread: Option<JoinHandle<()>>) {
        self.threads.retain(|thread| !thread.is_finished());
        self.threads.extend(thread);
    }

    /// Ends everything: the environment goes, and perhaps the code of the addon with it.
    pub fn close(&mut self) {
        for watch in self.fits.drain().filter_map(|fit| fit.watch) {
            watch.stop(StoppedBy::Abort);
        }
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}
