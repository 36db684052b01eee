//! The functions of trainers.

use std::path::PathBuf;
use std::sync::Arc;

use napi::bindgen_prelude::ArrayBuffer;

use crate::engine::fit::BackgroundTask;
use crate::engine::trainer::{Background, Trainer};
use crate::nn::fit::Start;
use crate::nn::{Error, Result};
use crate::node::call::{Call, Environment, bytes_mut, no_such, waker};
use crate::node::data_calls::take_data;

/// `createTrainer(buffer, options: string, seed): number`: a trainer of the network, before its first step.
pub fn create_trainer(call: &Call, home: &Environment) -> Result<u32> {
    let mut buffer = call.argument::<ArrayBuffer>(0)?;
    let (text, seed) = (call.argument::<String>(1)?, call.argument::<f64>(2)?);
    let given: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| Error::internal("JSON", "createTrainer", error))?;
    let (mut models, bytes) = (home.models.borrow_mut(), bytes_mut(&mut buffer));
    let model = models.of(bytes)?;
    let start = Start::new(given.clone(), seed as u64, model.architecture())?;
    let trainer = model.trainer(bytes, &start, given)?;
    Ok(home.fits.borrow_mut().trainers.insert(trainer) as u32)
}

/// `stepBy(trainer, data): number`: a step by a data set, which is gone afterwards; the loss before it.
pub fn step_by(call: &Call, home: &Environment) -> Result<f64> {
    let data = take_data(home, call.argument(1)?)?;
    with_trainer(home, call.argument(0)?, |trainer| trainer.step_by(data))
}

/// `publishTrainer(trainer, buffer)`: puts its weights into the network's buffer.
pub fn publish_trainer(call: &Call, home: &Environment) -> Result<()> {
    let mut buffer = call.argument::<ArrayBuffer>(1)?;
    with_trainer(home, call.argument(0)?, |trainer| {
        trainer.publish(bytes_mut(&mut buffer))
    })
}

/// `loadTrainer(trainer, buffer)`: takes the weights in the network's buffer.
pub fn load_trainer(call: &Call, home: &Environment) -> Result<()> {
    let mut buffer = call.argument::<ArrayBuffer>(1)?;
    with_trainer(home, call.argument(0)?, |trainer| {
        trainer.load(bytes_mut(&mut buffer))
    })
}

/// `restartTrainer(trainer, buffer)`: the same, and its optimizer begins anew.
pub fn restart_trainer(call: &Call, home: &Environment) -> Result<()> {
    let mut buffer = call.argument::<ArrayBuffer>(1)?;
    with_trainer(home, call.argument(0)?, |trainer| {
        trainer.begin_anew(bytes_mut(&mut buffer))
    })
}

/// `trainerSteps(trainer): number`: how many steps were taken.
pub fn trainer_steps(call: &Call, home: &Environment) -> Result<f64> {
    with_trainer(home, call.argument(0)?, |trainer| Ok(trainer.steps()? as f64))
}

/// `trainerOptions(trainer): string`: the options that decide the course of training, as JSON.
pub fn trainer_options(call: &Call, home: &Environment) -> Result<String> {
    with_trainer(home, call.argument(0)?, |trainer| {
        Ok(trainer.options().to_string())
    })
}

/// `saveTrainer(trainer, path, wake): number`: writes it to a file as it is now, on a thread; the number of the task.
pub fn save_trainer(call: &Call, home: &Environment) -> Result<u32> {
    let path = PathBuf::from(call.argument::<String>(1)?);
    let work = with_trainer(home, call.argument(0)?, |trainer| trainer.saver(path))?;
    start_task(call, home, work)
}

/// `readTrainer(trainer, path, wake): number`: reads a file on a thread, for [`adopt_trainer`]; the number of the task.
pub fn read_trainer(call: &Call, home: &Environment) -> Result<u32> {
    let path = PathBuf::from(call.argument::<String>(1)?);
    let work = with_trainer(home, call.argument(0)?, |trainer| Ok(trainer.loader(path)))?;
    start_task(call, home, work)
}

/// Begins work on a thread, and calls the third argument when it is done.
pub fn start_task(call: &Call, home: &Environment, work: Background) -> Result<u32> {
    let wake = waker(call, 2)?;
    let task = Arc::new(BackgroundTask::default());
    let thread = task.start(work, wake)?;
    let mut fits = home.fits.borrow_mut();
    fits.watch_over(thread);
    Ok(fits.tasks.insert(task) as u32)
}

/// `endTask(task)`: throws what it failed by. The task is gone afterwards.
pub fn end_task(call: &Call, home: &Environment) -> Result<()> {
    take_task(home, call.argument(0)?)?.take().map(drop)
}

/// `adoptTrainer(task, trainer, buffer)`: the trainer becomes what the task has read, and puts its weights into the
/// network's buffer. The task is gone afterwards.
pub fn adopt_trainer(call: &Call, home: &Environment) -> Result<()> {
    let read = take_task(home, call.argument(0)?)?.take()?;
    let mut buffer = call.argument::<ArrayBuffer>(2)?;
    with_trainer(home, call.argument(1)?, |trainer| {
        trainer.adopt(read, bytes_mut(&mut buffer))
    })
}

pub fn take_task(home: &Environment, number: u32) -> Result<Arc<BackgroundTask>> {
    let task = home.fits.borrow_mut().tasks.try_remove(number as usize);
    task.ok_or_else(|| no_such("task", number))
}

/// `dropTrainer(trainer)`: nobody holds it any more.
pub fn drop_trainer(call: &Call, home: &Environment) -> Result<()> {
    drop(
        home.fits
            .borrow_mut()
            .trainers
            .try_remove(call.argument::<u32>(0)? as usize),
    );
    Ok(())
}

pub fn with_trainer<R>(
    home: &Environment,
    number: u32,
    work: impl FnOnce(&mut dyn Trainer) -> Result<R>,
) -> Result<R> {
    let mut fits = home.fits.borrow_mut();
    let trainer = fits.trainers.get_mut(number as usize);
    work(trainer.ok_or_else(|| no_such("trainer", number))?.as_mut())
}
