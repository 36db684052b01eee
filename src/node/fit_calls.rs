//! The functions of fits.

use napi::bindgen_prelude::{ArrayBuffer, Float64Array};
use napi_derive::napi;

use crate::engine::fit::{Fit, Fits};
use crate::engine::run::Job;
use crate::engine::trainer::Trainer;
use crate::nn::fit::{Start, StoppedBy, Warning};
use crate::nn::{Error, Result};
use crate::node::call::{Call, Environment, bytes_mut, no_such, waker};
use crate::node::data_calls::take_data;
use crate::node::trainer_calls::{start_task, take_task, with_trainer};

/// `createFit(buffer, options: string, seed): number`: a fit with its options checked.
pub fn create_fit(call: &Call, home: &Environment) -> Result<u32> {
    let buffer = call.argument::<ArrayBuffer>(0)?;
    let (text, seed) = (call.argument::<String>(1)?, call.argument::<f64>(2)?);
    let options = serde_json::from_str(&text).map_err(|error| Error::internal("JSON", "createFit", error))?;
    let mut models = home.models.borrow_mut();
    let architecture = models.of(&buffer)?.architecture();
    let start = Start::new(options, seed as u64, architecture)?;
    Ok(home.fits.borrow_mut().fits.insert(Fit::new(start)) as u32)
}

/// `prepareFit(fit, buffer, data, heldOut, trainer)`: takes the data sets, -1 for none, and the weights in the buffer, or
/// goes on where a trainer is, -1 for none.
pub fn prepare_fit(call: &Call, home: &Environment) -> Result<()> {
    let mut buffer = call.argument::<ArrayBuffer>(1)?;
    let (fit, held_out) = (call.argument(0)?, call.argument::<f64>(3)?);
    let data = take_data(home, call.argument(2)?);
    let held_out = (held_out >= 0.0)
        .then(|| take_data(home, held_out as u32))
        .transpose()?;
    let trainer = call.argument::<f64>(4)?;
    let (mut models, bytes) = (home.models.borrow_mut(), bytes_mut(&mut buffer));
    let mut fits = home.fits.borrow_mut();
    let Fits { fits, trainers, .. } = &mut *fits;
    let fit = fits.get_mut(fit as usize).ok_or_else(|| no_such("fit", fit))?;
    let trainer: Option<&mut dyn Trainer> = if trainer >= 0.0 {
        let found = trainers.get_mut(trainer as usize);
        Some(found.ok_or_else(|| no_such("trainer", trainer as u32))?.as_mut())
    } else {
        None
    };
    fit.prepare(models.of(bytes)?, trainer, bytes, data?, held_out)
}

/// `readFit(fit, buffer, wake, data, heldOut): number`: gets a fit ready on a thread, where its checkpoint has to be read first,
/// for [`adopt_fit`]; the number of the task. The data sets are gone afterwards.
pub fn read_fit(call: &Call, home: &Environment) -> Result<u32> {
    let mut buffer = call.argument::<ArrayBuffer>(1)?;
    let held_out = call.argument::<f64>(4)?;
    let data = take_data(home, call.argument(3)?)?;
    let held_out = (held_out >= 0.0)
        .then(|| take_data(home, held_out as u32))
        .transpose()?;
    let work = with_fit(home, call.argument(0)?, |fit| {
        let (mut models, bytes) = (home.models.borrow_mut(), bytes_mut(&mut buffer));
        fit.preparation(models.of(bytes)?, data, held_out)
    })?;
    start_task(call, home, work)
}

/// `adoptFit(task, fit)`: the fit takes the run that the task has made ready. The task is gone afterwards.
pub fn adopt_fit(call: &Call, home: &Environment) -> Result<()> {
    let job = take_task(home, call.argument(0)?)?
        .take()?
        .downcast::<Box<dyn Job>>();
    let job = job.map_err(|_| Error::internal("the task of a fit", "the call", "another"))?;
    with_fit(home, call.argument(1)?, |fit| {
        fit.adopt(*job);
        Ok(())
    })
}

/// `advanceFit(fit, epochs, isWatched): boolean`: trains here for up to so many epochs; whether the run has ended. Reports and
/// weights can be seen afterwards where it is watched, or has ended.
pub fn advance_fit(call: &Call, home: &Environment) -> Result<bool> {
    let (epochs, is_watched) = (call.argument::<f64>(1)?, call.argument(2)?);
    let interrupt = call.interrupt(home)?;
    with_fit(home, call.argument(0)?, |fit| {
        fit.advance(epochs as usize, is_watched, &|| interrupt.has_come())
    })
}

/// `startFit(fit, everyEpoch, wake)`: trains on a thread.
pub fn start_fit(call: &Call, home: &Environment) -> Result<()> {
    let every_epoch = call.argument::<bool>(1)?;
    let wake = waker(call, 2)?;
    let thread = with_fit(home, call.argument(0)?, |fit| fit.start(every_epoch, wake))?;
    home.fits.borrow_mut().watch_over(thread);
    Ok(())
}

/// `stopFit(fit, reason)`: as soon as possible.
pub fn stop_fit(call: &Call, home: &Environment) -> Result<()> {
    let reason = call.argument::<String>(1)?;
    let known = StoppedBy::ALL.iter().find(|known| known.0 == reason);
    let &(_, reason) = known.ok_or_else(|| Error::internal("a reason", "stopFit", reason))?;
    with_fit(home, call.argument(0)?, |fit| fit.stop(reason))
}

/// `fitReports(fit, from, out: Float64Array): number`: five numbers an epoch (its number, loss, validation loss or
/// NaN, learning rate, milliseconds), beginning with the epoch at the place `from`; how many epochs.
pub fn fit_reports(call: &Call, home: &Environment) -> Result<u32> {
    let (from, mut out) = (call.argument::<f64>(1)?, call.argument::<Float64Array>(2)?);
    // SAFETY: JavaScript made it for such calls alone, and does not run before this one returns.
    let out = unsafe { out.as_mut() };
    with_fit(home, call.argument(0)?, |fit| {
        Ok(fit.reports(from as usize, out)? as u32)
    })
}

/// `fitIsDone(fit): boolean`: whether the run on its thread has ended.
pub fn fit_is_done(call: &Call, home: &Environment) -> Result<bool> {
    with_fit(home, call.argument(0)?, |fit| Ok(fit.is_done()))
}

/// `fitEpochs(fit): number`: how many epochs there will be at most.
pub fn fit_epochs(call: &Call, home: &Environment) -> Result<f64> {
    with_fit(home, call.argument(0)?, |fit| Ok(fit.epochs()? as f64))
}

/// `fitFirstEpoch(fit): number`: how many epochs the checkpoint had.
pub fn fit_first_epoch(call: &Call, home: &Environment) -> Result<f64> {
    with_fit(home, call.argument(0)?, |fit| Ok(fit.first_epoch() as f64))
}

/// `refreshFit(fit, buffer)`: the weights of the last whole epoch, if they are not in the buffer yet.
pub fn refresh_fit(call: &Call, home: &Environment) -> Result<()> {
    let mut buffer = call.argument::<ArrayBuffer>(1)?;
    with_fit(home, call.argument(0)?, |fit| fit.refresh(bytes_mut(&mut buffer)))
}

/// What a fit came to.
#[napi(object)]
pub struct HistoryInfo {
    pub epochs: f64,
    pub best_epoch: f64,
    pub duration_ms: f64,
    pub stopped_by: String,
    pub warnings: Vec<WarningInfo>,
}

/// What a person would notice in a fit.
#[napi(object)]
pub struct WarningInfo {
    pub code: String,
    pub message: String,
}

/// `finishFit(fit, buffer, losses, validationLosses, trainer): HistoryInfo`: puts the final weights of a run that has ended into
/// the buffer, also where it then throws why the run failed, and the history into the arrays, which JavaScript makes, as
/// long as [`fit_epochs_done`] says, the second of length 0 where [`fit_has_validation`] says so: what Rust allocates is
/// only freed when the event loop turns. The fit is gone afterwards.
pub fn finish_fit(call: &Call, home: &Environment) -> Result<HistoryInfo> {
    let (number, mut buffer) = (call.argument(0)?, call.argument::<ArrayBuffer>(1)?);
    let (mut losses, mut validation_losses) = (
        call.argument::<Float64Array>(2)?,
        call.argument::<Float64Array>(3)?,
    );
    // SAFETY: JavaScript has just made them for this call, and does not run before it returns.
    let (losses, validation_losses) = unsafe { (losses.as_mut(), validation_losses.as_mut()) };
    let fit = home.fits.borrow_mut().fits.try_remove(number as usize);
    let fit = fit.ok_or_else(|| no_such("fit", number))?;
    let trainer = call.argument::<f64>(4)?;
    let bytes = bytes_mut(&mut buffer);
    let ((outcome, job), watch) = fit.finish(bytes)?;
    watch.history(&mut |history| {
        let columns = [&history.losses, &history.validation_losses];
        for (to, column) in [&mut *losses, &mut *validation_losses].into_iter().zip(columns) {
            let count = to.len().min(column.len());
            to[..count].copy_from_slice(&column[..count]);
        }
    });
    if trainer >= 0.0 {
        with_trainer(home, trainer as u32, |trainer| {
            trainer.take_back(job, bytes, outcome.is_err())
        })?;
    } else {
        let mut models = home.models.borrow_mut();
        let model = models.of(bytes)?;
        let before = model.bytes();
        model.keep(job);
        call.adjust_memory(model.bytes() as i64 - before as i64);
    }
    let outcome = outcome?;
    Ok(HistoryInfo {
        epochs: watch.epochs() as f64,
        best_epoch: outcome.best_epoch as f64,
        duration_ms: outcome.duration,
        stopped_by: outcome.stopped_by.name().into(),
        warnings: outcome
            .warnings
            .into_iter()
            .map(|Warning { code, message }| WarningInfo {
                code: code.into(),
                message,
            })
            .collect(),
    })
}

/// `fitEpochsDone(fit): number`: how many epochs are done, those of a checkpoint among them.
pub fn fit_epochs_done(call: &Call, home: &Environment) -> Result<f64> {
    with_fit(home, call.argument(0)?, |fit| Ok(fit.epochs_done()? as f64))
}

/// `fitHasValidation(fit): boolean`: whether some of their losses are of validation.
pub fn fit_has_validation(call: &Call, home: &Environment) -> Result<bool> {
    with_fit(home, call.argument(0)?, |fit| fit.has_validation())
}

/// `dropFit(fit)`: it was never started.
pub fn drop_fit(call: &Call, home: &Environment) -> Result<()> {
    drop(
        home.fits
            .borrow_mut()
            .fits
            .try_remove(call.argument::<u32>(0)? as usize),
    );
    Ok(())
}

pub fn with_fit<R>(home: &Environment, number: u32, work: impl FnOnce(&mut Fit) -> Result<R>) -> Result<R> {
    let mut fits = home.fits.borrow_mut();
    work(
        fits.fits
            .get_mut(number as usize)
            .ok_or_else(|| no_such("fit", number))?,
    )
}
