//! The functions of trainers.

use std::path::PathBuf;

use serde_json::Value;

use crate::engine::calls::{Call, Function, Reply};
use crate::nn::Result;
use crate::nn::fit::Start;

/// By their names.
pub const FUNCTIONS: &[Function] = &[
    ("createTrainer", create_trainer, &[]),
    ("stepBy", step_by, &[]),
    ("publishTrainer", publish_trainer, &[]),
    ("loadTrainer", load_trainer, &[]),
    ("restartTrainer", restart_trainer, &[]),
    ("trainerSteps", trainer_steps, &[]),
    ("trainerOptions", trainer_options, &[]),
    ("saveTrainer", save_trainer, &[]),
    ("readTrainer", read_trainer, &[]),
    ("adoptTrainer", adopt_trainer, &[]),
    ("dropTrainer", drop_trainer, &[]),
];

/// `createTrainer(buffer, options: string, seed): number`: a trainer of the network, before its first step.
fn create_trainer(call: &mut Call) -> Result<Reply> {
    let (buffer, given, seed) = (call.buffer()?, call.json::<Value>()?, call.number()?);
    let mut models = call.home.models.borrow_mut();
    let model = models.of(buffer)?;
    let start = Start::new(given.clone(), seed as u64, model.architecture())?;
    let trainer = model.trainer(buffer, &start, given)?;
    Ok(call.fits().trainers.insert(trainer).into())
}

/// `stepBy(trainer, data): number`: a step by a data set, which is gone afterwards; the loss before it.
fn step_by(call: &mut Call) -> Result<Reply> {
    let (number, data) = (call.count()?, call.data()?);
    Ok(call.trainer_of(number)?.step_by(data)?.into())
}

/// `publishTrainer(trainer, buffer)`: puts its weights into the network's buffer.
fn publish_trainer(call: &mut Call) -> Result<Reply> {
    Ok(call.trainer()?.publish(call.buffer()?)?.into())
}

/// `loadTrainer(trainer, buffer)`: takes the weights in the network's buffer.
fn load_trainer(call: &mut Call) -> Result<Reply> {
    Ok(call.trainer()?.load(call.buffer()?)?.into())
}

/// `restartTrainer(trainer, buffer)`: the same, and its optimizer begins anew.
fn restart_trainer(call: &mut Call) -> Result<Reply> {
    Ok(call.trainer()?.begin_anew(call.buffer()?)?.into())
}

/// `trainerSteps(trainer): number`: how many steps were taken.
fn trainer_steps(call: &mut Call) -> Result<Reply> {
    Ok((call.trainer()?.steps()? as f64).into())
}

/// `trainerOptions(trainer): string`: the options that decide the course of training, as JSON.
fn trainer_options(call: &mut Call) -> Result<Reply> {
    Ok(call.trainer()?.options().into())
}

/// `saveTrainer(trainer, path, wake): number`: writes it to a file as it is now, on a thread; the number of the task.
fn save_trainer(call: &mut Call) -> Result<Reply> {
    let work = call.trainer()?.saver(PathBuf::from(call.text()?))?;
    let wake = call.wake()?;
    call.start(work, wake)
}

/// `readTrainer(trainer, path, wake): number`: reads a file on a thread, for [`adopt_trainer`]; the number of the task.
fn read_trainer(call: &mut Call) -> Result<Reply> {
    let work = call.trainer()?.loader(PathBuf::from(call.text()?));
    let wake = call.wake()?;
    call.start(work, wake)
}

/// `adoptTrainer(task, trainer, buffer)`: the trainer becomes what the task has read, and puts its weights into the
/// network's buffer. The task is gone afterwards.
fn adopt_trainer(call: &mut Call) -> Result<Reply> {
    let read = call.task()?.take()?;
    Ok(call.trainer()?.adopt(read, call.buffer()?)?.into())
}

/// `dropTrainer(trainer)`: nobody holds it any more.
fn drop_trainer(call: &mut Call) -> Result<Reply> {
    let number = call.count()?;
    drop(call.fits().trainers.try_remove(number));
    Ok(Reply::Nothing)
}
