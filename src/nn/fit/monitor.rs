//! What a fit and those who watch it tell each other, whatever threads they are on.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU8, AtomicUsize, Ordering};

use crate::nn::vector::real::Real;

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

/// What all epochs came to, by columns.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// As in the reports
    pub losses: Vec<f64>,
    /// As in the reports; nothing where there are none
    pub validation_losses: Vec<f64>,
    /// As in the reports
    pub learning_rates: Vec<f64>,
    /// As in the reports
    pub elapsed: Vec<f64>,
}

impl History {
    /// How many epochs there are.
    pub fn epochs(&self) -> usize {
        self.losses.len()
    }

    /// What the epoch with this number came to, if it is over.
    pub fn report(&self, epoch: usize) -> Option<EpochReport> {
        let place = epoch.checked_sub(1)?;
        Some(EpochReport {
            epoch,
            loss: *self.losses.get(place)?,
            validation_loss: self.validation_losses.get(place).copied(),
            learning_rate: self.learning_rates[place],
            elapsed: self.elapsed[place],
        })
    }

    fn add(&mut self, report: EpochReport) {
        self.losses.push(report.loss);
        self.validation_losses.extend(report.validation_loss);
        self.learning_rates.push(report.learning_rate);
        self.elapsed.push(report.elapsed);
    }

    fn reserve(&mut self, epochs: usize) {
        for column in [&mut self.losses, &mut self.learning_rates, &mut self.elapsed] {
            // Without room they are pushed one by one, as those above.
            let _ = column.try_reserve_exact(epochs.saturating_sub(column.len()));
        }
    }
}

/// For how many epochs there is room from the start: less than a megabyte.
const MOST_AT_ONCE: usize = 1 << 14;

/// What the watchers of a fit see: whole epochs, and the weights after the last one.
#[derive(Debug)]
pub struct Monitor<T> {
    stop: AtomicU8,
    published: Mutex<Published<T>>,
    /// How many epochs are published.
    epochs: AtomicUsize,
}

/// The values after the last epoch, and what all came to.
#[derive(Debug, Default)]
pub struct Published<T> {
    /// What they are only where there are some: before the first epoch the network has its own.
    values: Vec<T>,
    has_values: bool,
    history: History,
}

impl<T: Real> Published<T> {
    /// Takes what an epoch came to.
    pub fn add(&mut self, report: EpochReport) {
        self.history.add(report);
    }

    /// Takes the values after the last epoch, whole.
    pub fn replace(&mut self, values: &[T]) {
        self.values.clear();
        self.values.extend_from_slice(values);
        self.has_values = true;
    }

    /// Puts the values into `values`, which hold those of the beginning.
    pub fn copy(&self, values: &mut [T]) {
        if self.has_values {
            values.copy_from_slice(&self.values);
        }
    }

    /// The memory of the values.
    pub fn into_values(self) -> Vec<T> {
        self.values
    }
}

impl<T: Real> Monitor<T> {
    /// Begins with the epochs that are done already; `most_epochs` are to be done in all. Values will be published in the
    /// memory of `values`.
    pub fn new(values: Vec<T>, mut history: History, most_epochs: usize) -> Self {
        // At once, as far as that is little: to move them again and again would show where epochs are short.
        history.reserve(most_epochs.min(MOST_AT_ONCE));
        Monitor {
            stop: AtomicU8::new(0),
            epochs: AtomicUsize::new(history.epochs()),
            published: Mutex::new(Published {
                values,
                has_values: false,
                history,
            }),
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

    /// Publishes the values at the end of an epoch, whole.
    pub fn publish(&self, values: &[T], report: EpochReport) {
        let mut published = self.lock();
        published.add(report);
        published.replace(values);
        self.epochs.store(published.history.epochs(), Ordering::Release);
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
        self.epochs.store(numbers.history.epochs(), Ordering::Release);
        *self.lock() = numbers;
    }

    /// How many epochs are done.
    pub fn epochs(&self) -> usize {
        self.epochs.load(Ordering::Acquire)
    }

    /// Puts the values that were published last into `values`, which hold those of the beginning.
    pub fn copy_values(&self, values: &mut [T]) {
        self.lock().copy(values);
    }

    /// The history so far, as `take` sees it.
    pub fn history<R>(&self, take: impl FnOnce(&History) -> R) -> R {
        take(&self.lock().history)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Published<T>> {
        // Nothing in here panics half-way through a change.
        self.published
            .lock()
            .unwrap_or_else(|poisoned| poisoned.into_inner())
    }
}
