//! The functions of fits.

use serde_json::{Value, json};

use crate::engine::calls::{Call, Function, Reply, no_such, taken};
use crate::engine::fit::{Fit, Fits};
use crate::engine::run::Job;
use crate::engine::trainer::Trainer;
use crate::nn::fit::{Start, StoppedBy};
use crate::nn::host::Clock;
use crate::nn::{Error, Result};

/// By their names.
pub const FUNCTIONS: &[Function] = &[
    ("createFit", create_fit, &[]),
    ("prepareFit", prepare_fit, &[]),
    ("readFit", read_fit, &[]),
    ("adoptFit", adopt_fit, &[]),
    ("advanceFit", advance_fit, &[]),
    ("sliceFit", slice_fit, &[]),
    ("startFit", start_fit, &[]),
    ("stopFit", stop_fit, &[]),
    ("fitReports", fit_reports, &[2]),
    ("fitIsDone", fit_is_done, &[]),
    ("fitEpochs", fit_epochs, &[]),
    ("fitEpochsDone", fit_epochs_done, &[]),
    ("fitFirstEpoch", fit_first_epoch, &[]),
    ("fitHasValidation", fit_has_validation, &[]),
    ("refreshFit", refresh_fit, &[]),
    ("finishFit", finish_fit, &[2, 3]),
    ("dropFit", drop_fit, &[]),
];

/// `createFit(buffer, options: string, seed): number`: a fit with its options checked.
fn create_fit(call: &mut Call) -> Result<Reply> {
    let (buffer, options, seed) = (call.buffer()?, call.json()?, call.number()?);
    let mut models = call.home.models.borrow_mut();
    let start = Start::new(options, seed as u64, models.of(buffer)?.architecture())?;
    Ok(call.fits().fits.insert(Fit::new(start)).into())
}

/// `prepareFit(fit, buffer, data, heldOut, trainer)`: takes the data sets, -1 for none, and the weights in the buffer, or
/// goes on where a trainer is, -1 for none.
fn prepare_fit(call: &mut Call) -> Result<Reply> {
    let (number, buffer) = (call.count()?, call.buffer()?);
    let (data, held_out) = (call.data(), call.maybe_data()?);
    let (trainer, mut models) = (call.maybe()?, call.home.models.borrow_mut());
    let mut fits = call.fits();
    let Fits { fits, trainers, .. } = &mut *fits;
    let fit = taken(fits.get_mut(number), "fit", number)?;
    let trainer: Option<&mut dyn Trainer> = match trainer {
        Some(number) => Some(taken(trainers.get_mut(number), "trainer", number)?.as_mut()),
        None => None,
    };
    fit.prepare(models.of(buffer)?, trainer, buffer, data?, held_out)?;
    Ok(Reply::Nothing)
}

/// `readFit(fit, buffer, wake, data, heldOut): number`: gets a fit ready on a thread, where its checkpoint has to be read first,
/// for [`adopt_fit`]; the number of the task. The data sets are gone afterwards.
fn read_fit(call: &mut Call) -> Result<Reply> {
    let (number, buffer, wake) = (call.count()?, call.buffer()?, call.wake()?);
    let (data, held_out) = (call.data()?, call.maybe_data()?);
    let work = {
        let mut fits = call.fits();
        let fit = taken(fits.fits.get_mut(number), "fit", number)?;
        fit.preparation(call.home.models.borrow_mut().of(buffer)?, data, held_out)?
    };
    call.start(work, wake)
}

/// `adoptFit(task, fit)`: the fit takes the run that the task has made ready. The task is gone afterwards.
fn adopt_fit(call: &mut Call) -> Result<Reply> {
    let job = call.task()?.take()?.downcast::<Box<dyn Job>>();
    let job = job.map_err(|_| Error::internal("the task of a fit", "the call", "another"))?;
    call.fit()?.adopt(*job);
    Ok(Reply::Nothing)
}

/// `advanceFit(fit, epochs, isWatched): boolean`: trains here for up to so many epochs; whether the run has ended. Reports and
/// weights can be seen afterwards where it is watched, or has ended.
fn advance_fit(call: &mut Call) -> Result<Reply> {
    let (mut fit, host) = (call.fit()?, call.host);
    let (epochs, is_watched) = (call.count()?, call.flag()?);
    Ok(fit.advance(epochs, is_watched, &|| host.is_cut())?.into())
}

/// `sliceFit(fit, milliseconds): boolean`: trains here for about so long; whether the run has ended.
fn slice_fit(call: &mut Call) -> Result<Reply> {
    let (mut fit, milliseconds) = (call.fit()?, call.number()?);
    let clock = Clock::start();
    Ok(fit
        .advance_until(&|| clock.milliseconds() >= milliseconds)?
        .into())
}

/// `startFit(fit, everyEpoch, wake)`: trains on a thread.
fn start_fit(call: &mut Call) -> Result<Reply> {
    let thread = {
        let mut fit = call.fit()?;
        fit.start(call.flag()?, call.wake()?)?
    };
    call.fits().watch_over(thread);
    Ok(Reply::Nothing)
}

/// `stopFit(fit, reason)`: as soon as possible.
fn stop_fit(call: &mut Call) -> Result<Reply> {
    let (fit, reason) = (call.fit()?, call.text()?);
    let known = StoppedBy::ALL.iter().find(|known| known.0 == reason);
    let &(_, reason) = known.ok_or_else(|| Error::internal("a reason", "stopFit", reason))?;
    fit.stop(reason)?;
    Ok(Reply::Nothing)
}

/// `fitReports(fit, from, out: Float64Array): number`: five numbers an epoch (its number, loss, validation loss or
/// NaN, learning rate, milliseconds), beginning with the epoch at the place `from`; how many epochs.
fn fit_reports(call: &mut Call) -> Result<Reply> {
    let (fit, from, out) = (call.fit()?, call.count()?, call.doubles()?);
    Ok(fit.reports(from, out)?.into())
}

/// `fitIsDone(fit): boolean`: whether the run on its thread, or in slices, has ended.
fn fit_is_done(call: &mut Call) -> Result<Reply> {
    Ok(call.fit()?.is_done().into())
}

/// `fitEpochs(fit): number`: how many epochs there will be at most.
fn fit_epochs(call: &mut Call) -> Result<Reply> {
    Ok(call.fit()?.epochs()?.into())
}

/// `fitEpochsDone(fit): number`: how many epochs are done, those of a checkpoint among them.
fn fit_epochs_done(call: &mut Call) -> Result<Reply> {
    Ok(call.fit()?.epochs_done()?.into())
}

/// `fitFirstEpoch(fit): number`: how many epochs the checkpoint had.
fn fit_first_epoch(call: &mut Call) -> Result<Reply> {
    Ok(call.fit()?.first_epoch().into())
}

/// `fitHasValidation(fit): boolean`: whether some of their losses are of validation.
fn fit_has_validation(call: &mut Call) -> Result<Reply> {
    Ok(call.fit()?.has_validation()?.into())
}

/// `refreshFit(fit, buffer)`: the weights of the last whole epoch, if they are not in the buffer yet.
fn refresh_fit(call: &mut Call) -> Result<Reply> {
    let (mut fit, buffer) = (call.fit()?, call.buffer()?);
    fit.refresh(buffer)?;
    Ok(Reply::Nothing)
}

/// `finishFit(fit, buffer, losses, validationLosses, trainer): string`: puts the final weights of a run that has ended into
/// the buffer, also where it then throws why the run failed, and the history into the arrays, which JavaScript makes, as
/// long as [`fit_epochs_done`] says, the second of length 0 where [`fit_has_validation`] says so: what Rust allocates is
/// only freed when the event loop turns. The rest of the history comes as JSON. The fit is gone afterwards.
fn finish_fit(call: &mut Call) -> Result<Reply> {
    let (number, buffer) = (call.count()?, call.buffer()?);
    let (losses, validation_losses, trainer) = (call.doubles()?, call.doubles()?, call.maybe()?);
    let fit = call.fits().fits.try_remove(number);
    let ((outcome, job), watch) = taken(fit, "fit", number)?.finish(buffer)?;
    watch.history(&mut |history| {
        let columns = [&history.losses, &history.validation_losses];
        for (to, column) in [&mut *losses, &mut *validation_losses].into_iter().zip(columns) {
            let count = to.len().min(column.len());
            to[..count].copy_from_slice(&column[..count]);
        }
    });
    if let Some(number) = trainer {
        let mut fits = call.fits();
        let trainer = fits.trainers.get_mut(number);
        trainer
            .ok_or_else(|| no_such("trainer", number))?
            .take_back(job, buffer, outcome.is_err())?;
    } else {
        let mut models = call.home.models.borrow_mut();
        let model = models.of(buffer)?;
        let before = model.bytes();
        model.keep(job);
        call.host.adjust_memory(model.bytes() as i64 - before as i64);
    }
    let outcome = outcome?;
    let warnings = outcome.warnings.into_iter();
    let warnings: Vec<Value> = warnings
        .map(|warning| json!({ "code": warning.code, "message": warning.message }))
        .collect();
    Ok(json!({
        "epochs": watch.epochs(),
        "bestEpoch": outcome.best_epoch,
        "durationMs": outcome.duration,
        "stoppedBy": outcome.stopped_by.name(),
        "warnings": warnings,
    })
    .into())
}

/// `dropFit(fit)`: it was never started.
fn drop_fit(call: &mut Call) -> Result<Reply> {
    let number = call.count()?;
    drop(call.fits().fits.try_remove(number));
    Ok(Reply::Nothing)
}
