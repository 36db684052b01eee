//! What a fit and those who watch it tell each other, whatever threads they are on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use crate::nn::real::Real;

/// Why a fit ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum StoppedBy {
    /// All epochs are done.
    Epochs = 1,
    /// The loss had not become lower for too long.
    EarlyStopping,
    /// The loss was low enough.
    TargetLoss,
    /// Time was up.
    Timeout,
    /// `onEpoch` returned false.
    Callback,
    /// A signal aborted it.
    Abort,
    /// L-BFGS found a minimum.
    Converged,
}

impl StoppedBy {
    /// Every reason by name: the one list there is.
    pub const ALL: [(&str, StoppedBy); 7] = [
        ("epochs", StoppedBy::Epochs),
        ("earlyStopping", StoppedBy::EarlyStopping),
        ("targetLoss", StoppedBy::TargetLoss),
        ("timeout", StoppedBy::Timeout),
        ("callback", StoppedBy::Callback),
        ("abort", StoppedBy::Abort),
        ("converged", StoppedBy::Converged),
    ];

    /// The name in a history.
    pub fn name(self) -> &'static str {
        Self::ALL[self as usize - 1].0
    }
}

/// What an epoch came to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct EpochReport {
    /// The number of the epoch, from 1.
    pub epoch: usize,
    /// The data loss over the rows of training, each as its batch found it.
    pub loss: f64,
    /// The data loss over the rows of validation, if there are any, at the epoch's end.
    pub validation_loss: Option<f64>,
    /// The learning rate of the epoch.
    pub learning_rate: f64,
    /// Milliseconds since the fit began; 0 for epochs before it was resumed.
    pub elapsed: f64,
}

/// For how many reports there is room from the start: less than a megabyte.
const MOST_AT_ONCE: usize = 1 << 14;

/// What the watchers of a fit see: whole epochs, and the weights after the last one.
#[derive(Debug)]
pub struct Monitor<T> {
    stop: AtomicU8,
    published: Mutex<Published<T>>,
    /// How many epochs are published.
    epochs: AtomicUsize,
}

/// The values after the last epoch, and the reports of all.
#[derive(Debug, Default)]
pub struct Published<T> {
    values: Vec<T>,
    reports: Vec<EpochReport>,
}

impl<T: Real> Published<T> {
    /// Takes the values at the end of an epoch, whole, and the reports of all up to it that it does not have.
    pub fn add(&mut self, values: &[T], reports: impl IntoIterator<Item = EpochReport>) {
        self.values.copy_from_slice(values);
        self.reports.extend(reports);
    }

    /// Takes other values: the best ones, at the end.
    pub fn replace(&mut self, values: &[T]) {
        self.values.copy_from_slice(values);
    }
}

impl<T: Real> Monitor<T> {
    /// Begins with the epochs that are done already and the values after them; `most_epochs` are to be done in all.
    pub fn new(values: Vec<T>, mut reports: Vec<EpochReport>, most_epochs: usize) -> Self {
        // At once, as far as that is little: to move them again and again would show where epochs are short.
        let most = most_epochs.min(MOST_AT_ONCE);
        // Without room they are pushed one by one, as those above.
        let _ = reports.try_reserve_exact(most.saturating_sub(reports.len()));
        Monitor {
            stop: AtomicU8::new(0),
            epochs: AtomicUsize::new(reports.len()),
            published: Mutex::new(Published { values, reports }),
        }
    }

    /// Asks the fit to stop. The first reason counts.
    pub fn stop(&self, reason: StoppedBy) {
        let _ = self
            .stop
            .compare_exchange(0, reason as u8, Ordering::AcqRel, Ordering::Acquire);
    }

    /// Why the fit is to stop, if it is.
    pub fn stopped(&self) -> Option<StoppedBy> {
        let reason = usize::from(self.stop.load(Ordering::Acquire));
        reason.checked_sub(1).map(|place| StoppedBy::ALL[place].1)
    }

    /// Publishes the values at the end of an epoch, whole, and the reports of all up to it that are not published.
    pub fn publish(&self, values: &[T], reports: impl IntoIterator<Item = EpochReport>) {
        let mut published = self.lock();
        published.add(values, reports);
        self.epochs.store(published.reports.len(), Ordering::Release);
    }

    /// Publishes other values: the best ones, at the end.
    pub fn replace(&self, values: &[T]) {
        self.lock().replace(values);
    }

    /// Takes all that is published away: until it is [put back](Self::put) nobody may look.
    pub fn take(&self) -> Published<T> {
        std::mem::take(&mut self.lock())
    }

    /// Publishes that.
    pub fn put(&self, numbers: Published<T>) {
        self.epochs.store(numbers.reports.len(), Ordering::Release);
        *self.lock() = numbers;
    }

    /// How many epochs are done.
    pub fn epochs(&self) -> usize {
        self.epochs.load(Ordering::Acquire)
    }

    /// The values that were published last.
    pub fn copy_values(&self, values: &mut [T]) {
        values.copy_from_slice(&self.lock().values);
    }

    /// The reports from the place `from` on, as `take` sees them.
    pub fn reports<R>(&self, from: usize, take: impl FnOnce(&[EpochReport]) -> R) -> R {
        let published = self.lock();
        take(published.reports.get(from..).unwrap_or(&[]))
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Published<T>> {
        // Nothing in here panics half-way through a change.
        self.published
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
