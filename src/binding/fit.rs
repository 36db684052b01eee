//! Fits: native threads that train, and what JavaScript sees of them.

use std::any::Any;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};

use super::failure::internal;
use super::model::{Model, numbers};
use super::progress::Bar;
use super::slots::Slots;
use super::trainer::{Background, Trainer};
use crate::nn::fit::data::Refusal;
use crate::nn::fit::{Data, History, IsCut, Monitor, Part, Run, Session, Start, StoppedBy, Warning};
use crate::nn::{Real, Result};

/// How many numbers tell of an epoch.
pub const REPORT: usize = 5;

/// A data set, whatever its precision.
pub trait DataSet: Any {
    /// See [`Data::append`].
    fn append_f64(&mut self, part: Part, numbers: &[f64], total: usize) -> Result<Option<usize>>;
    /// The same for single precision.
    fn append_f32(&mut self, part: Part, numbers: &[f32], total: usize) -> Result<Option<usize>>;
    /// See [`Data::check`].
    fn check(&self, is_step: bool) -> Option<Refusal>;
}

impl<T: Real> DataSet for Data<T> {
    fn append_f64(&mut self, part: Part, numbers: &[f64], total: usize) -> Result<Option<usize>> {
        self.append(part, numbers, total)
    }

    fn append_f32(&mut self, part: Part, numbers: &[f32], total: usize) -> Result<Option<usize>> {
        self.append(part, numbers, total)
    }

    fn check(&self, is_step: bool) -> Option<Refusal> {
        Data::check(self, is_step)
    }
}

/// A training run, whatever its precision.
pub trait Job: Send {
    /// Trains for up to so many epochs, and says whether the run has ended, also because it is cut. Meanwhile nobody may
    /// look at it unless it `is_watched`.
    fn advance(&mut self, epochs: usize, is_watched: bool, is_cut: IsCut) -> bool;
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
    bar: Option<Bar>,
    ended: Option<Result<StoppedBy>>,
    duration: f64,
    warnings: Vec<Warning>,
}

impl<T: Real> Training<T> {
    /// `values` is their place in the network's buffer.
    pub fn new(run: Run<T>, values: Range<usize>) -> Self {
        let bar = run
            .options()
            .progress
            .then(|| Bar::new(run.options().epochs, run.epochs()));
        Training {
            run,
            values,
            bar,
            ended: None,
            duration: 0.0,
            warnings: Vec::new(),
        }
    }

    /// The session of a run that has ended.
    pub fn into_session(self) -> Session<T> {
        self.run.into_session()
    }

    fn epoch(&mut self, is_timed: bool, is_cut: IsCut) -> Result<Option<StoppedBy>> {
        let run = AssertUnwindSafe(|| self.run.advance(is_timed, is_cut));
        let ended = catch_unwind(run).unwrap_or_else(|_| Err(internal("no panic", "the training", "one")))?;
        if let Some(bar) = &mut self.bar {
            let last = self.run.epochs();
            let report = self.run.monitor().history(|history| history.report(last));
            report.iter().for_each(|report| bar.show(report));
        }
        Ok(ended)
    }
}

impl<T: Real> Job for Training<T> {
    fn advance(&mut self, epochs: usize, is_watched: bool, is_cut: IsCut) -> bool {
        self.run.set_watched(is_watched || self.bar.is_some());
        let end = self.run.epochs().saturating_add(epochs);
        while self.ended.is_none() && self.run.epochs() < end {
            // The shortest epochs do not ask.
            if is_cut() {
                self.run.monitor().stop(StoppedBy::Abort);
            }
            self.ended = self.epoch(epochs == 1, is_cut).transpose();
        }
        if let Some(ended) = &self.ended {
            self.duration = self.run.elapsed();
            if ended.is_ok() {
                let look = AssertUnwindSafe(|| self.run.warnings(is_cut));
                self.warnings = catch_unwind(look).unwrap_or_default();
            }
            if let Some(bar) = self.bar.take() {
                bar.end(&self.warnings);
            }
        }
        self.ended.is_some()
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
                .unwrap_or_else(|| Err(internal("a run that has ended", "the outcome", "another")))?,
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
        self.run
            .copy_final(values.ok_or_else(|| internal("the network's own buffer", "the call", "another"))?);
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
        self.monitor
            .copy_values(values.ok_or_else(|| internal("the network's own buffer", "the call", "another"))?);
        Ok(())
    }
}

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
        let watch = job.watch();
        self.first_epoch = watch.epochs();
        // Those of a resumed run are not in the buffer yet, even if no epoch follows.
        self.copied = if self.first_epoch > 0 { usize::MAX } else { 0 };
        self.watch = Some(watch);
        self.state = State::Ready(job);
        Ok(())
    }

    /// Trains for up to so many epochs on this thread, unless it is cut, and says whether the run has ended.
    pub fn advance(&mut self, epochs: usize, is_cut: IsCut) -> Result<bool> {
        match &mut self.state {
            // JavaScript waits for it, and asks for one epoch where callbacks may look at what it came to.
            State::Ready(job) => Ok(job.advance(epochs, epochs == 1, is_cut)),
            _ => Err(internal("a fit that is ready", "advanceFit", "another")),
        }
    }

    /// Trains on a thread. `wake` is called when the run has ended and, if wanted, when there is news. The thread also
    /// frees the rows.
    pub fn start(&mut self, every_epoch: bool, wake: impl Fn() + Send + 'static) -> Result<JoinHandle<()>> {
        let mut job = match std::mem::replace(&mut self.state, State::Running) {
            State::Ready(job) => job,
            other => {
                self.state = other;
                return Err(internal("a fit that is ready", "startFit", "another"));
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
        let thread = thread::Builder::new().name("mikir-fit".into()).spawn(train);
        thread.map_err(|error| internal("a thread", "fit", error))
    }

    /// Asks the run to stop.
    pub fn stop(&self, reason: StoppedBy) -> Result<()> {
        self.watch()?.stop(reason);
        Ok(())
    }

    /// Whether it has been started on a thread.
    pub fn is_started(&self) -> bool {
        matches!(self.state, State::Running)
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
            State::New => return Err(unprepared()),
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
        ended.ok_or_else(|| internal("a run that has ended", "finishFit", "another"))
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
    ) -> Result<JoinHandle<()>> {
        let task = self.clone();
        let run = move || {
            let done = catch_unwind(AssertUnwindSafe(work));
            let done = done.unwrap_or_else(|_| Err(internal("no panic", "the work", "one")));
            *task.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(done);
            wake();
        };
        let thread = thread::Builder::new().name("mikir-file".into()).spawn(run);
        thread.map_err(|error| internal("a thread", "the work", error))
    }

    /// What came of it.
    pub fn take(&self) -> Result<Box<dyn Any + Send>> {
        let done = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        done.unwrap_or_else(|| Err(internal("work that is done", "the call", "other work")))
    }
}

fn unprepared() -> crate::nn::Error {
    internal("a fit that has its data", "the call", "another")
}

/// The fits and the data sets of one JavaScript environment, by number.
#[derive(Default)]
pub struct Fits {
    /// The fits.
    pub fits: Slots<Fit>,
    /// The data sets that no fit has taken yet.
    pub data: Slots<Box<dyn DataSet>>,
    /// The trainers.
    pub trainers: Slots<Box<dyn Trainer>>,
    /// What other threads are doing, or have done.
    pub tasks: Slots<Arc<BackgroundTask>>,
    threads: Vec<JoinHandle<()>>,
}

impl Fits {
    /// Drops what cannot be used any more when no call is being made: data sets, and fits on no thread of their own. There
    /// are some where a call was cut.
    pub fn drop_leftovers(&mut self) {
        self.data.retain(|_| false);
        self.fits.retain(Fit::is_started);
    }

    /// Remembers a thread that trains.
    pub fn watch_over(&mut self, thread: JoinHandle<()>) {
        self.threads.retain(|thread| !thread.is_finished());
        self.threads.push(thread);
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
