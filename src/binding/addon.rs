//! What the addon exports: `connect()`, which gives a JavaScript environment its functions and models.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use napi::bindgen_prelude::{
    ArrayBuffer, Float32Array, Float64Array, FromNapiValue, Function, FunctionCallContext, JsValue, Object,
    ToNapiValue,
};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi::{Env, sys};
use napi_derive::napi;
use rand::TryRng;
use rand::rngs::SysRng;

use super::failure::{CreateError, Thrower, internal, panicked};
use super::fast_function::fast_function;
use super::fit::{BackgroundTask, DataSet, Fit, Fits};
use super::interrupt::{Interrupt, Nothing};
use super::model::{Models, model};
use super::trainer::{self, Background, Trainer};
use crate::nn::architecture::MAX_PARAMETERS;
use crate::nn::fit::{Part, Start, StoppedBy, Warning};
use crate::nn::host::Clock;
use crate::nn::options::{LayerOptions, Normalization, Precision};
use crate::nn::simd::{self, Level, Portable, Scalar};
use crate::nn::{Activation, Error, NetworkOptions, Result, random};

/// What one JavaScript environment has.
struct Environment {
    models: RefCell<Models>,
    fits: RefCell<Fits>,
    thrower: Rc<Thrower>,
    nothing: Nothing,
    clock: Clock,
    /// The numbers of the scopes that are open, and how many there have been.
    scopes: RefCell<Vec<u32>>,
    scope_count: Cell<u32>,
}

type Shared = Rc<Environment>;

/// The functions of the addon, bound to models of their own. Called once for each JavaScript environment, with what
/// makes errors and a function that does nothing.
#[napi(catch_unwind)]
pub fn connect<'env>(
    env: &'env Env,
    create_error: CreateError<'env>,
    nothing: Function<'env, (), ()>,
) -> napi::Result<Object<'env>> {
    let thrower = Thrower::new(create_error)?;
    Level::asked().map_err(|error| thrower.throw(env, error))?;
    let home = Rc::new(Environment {
        models: RefCell::default(),
        fits: RefCell::default(),
        thrower: Rc::new(thrower),
        nothing: nothing.create_ref()?,
        clock: Clock::start(),
        scopes: RefCell::default(),
        scope_count: Cell::new(0),
    });
    // Threads must not outlive the environment: its end may unload this code.
    env.add_env_cleanup_hook(home.clone(), |home| home.fits.borrow_mut().close())?;
    let mut add = Exports {
        env,
        home: home.clone(),
        object: Object::new(env)?,
    };
    add.object.set("maxParameters", MAX_PARAMETERS as f64)?;
    let names = Level::ALL.iter().filter(|&&level| level <= Level::of_processor());
    add.object
        .set("simdLevels", names.map(|level| level.name()).collect::<Vec<_>>())?;
    add.object.set("simdLevel", simd::level().name())?;
    let shared = home.clone();
    let predict = move |buffer: &mut [u8]| shared.models.borrow_mut().of(buffer)?.predict(buffer);
    let predict = fast_function(env, "predict", home.thrower.clone(), predict)?;
    add.object.set("predict", predict)?;
    let shared = home.clone();
    let train = move |buffer: &mut [u8]| shared.models.borrow_mut().of(buffer)?.train(buffer);
    let train = fast_function(env, "train", home.thrower.clone(), train)?;
    add.object.set("train", train)?;
    let shared = home.clone();
    let step = move |buffer: &mut [u8]| {
        let number = trainer::number(buffer);
        let mut fits = shared.fits.borrow_mut();
        let found = number.and_then(|number| fits.trainers.get_mut(number));
        found
            .ok_or_else(|| internal("a trainer's buffer", "step", "another"))?
            .step(buffer)
    };
    let step = fast_function(env, "step", home.thrower.clone(), step)?;
    add.object.set("step", step)?;

    add.function("within", within)?;
    add.function("isWithin", is_within)?;
    add.function("now", now)?;
    add.function("createModel", create_model)?;
    add.function("createSigmoidModel", create_sigmoid_model)?;
    add.function("dropModel", drop_model)?;
    add.function("initialize", initialize)?;
    add.function("exportWeights", export_weights)?;
    add.function("importWeights", import_weights)?;
    add.function("predictBatch", predict_batch)?;
    add.function("evaluate", evaluate)?;
    add.function("createData", create_data)?;
    add.function("appendData", append_data)?;
    add.function("checkData", check_data)?;
    add.function("dropData", drop_data)?;
    add.function("createFit", create_fit)?;
    add.function("prepareFit", prepare_fit)?;
    add.function("advanceFit", advance_fit)?;
    add.function("startFit", start_fit)?;
    add.function("stopFit", stop_fit)?;
    add.function("fitReports", fit_reports)?;
    add.function("fitIsDone", fit_is_done)?;
    add.function("fitEpochs", fit_epochs)?;
    add.function("fitEpochsDone", fit_epochs_done)?;
    add.function("fitFirstEpoch", fit_first_epoch)?;
    add.function("refreshFit", refresh_fit)?;
    add.function("fitHasValidation", fit_has_validation)?;
    add.function("finishFit", finish_fit)?;
    add.function("dropFit", drop_fit)?;
    add.function("createTrainer", create_trainer)?;
    add.function("stepBy", step_by)?;
    add.function("publishTrainer", publish_trainer)?;
    add.function("loadTrainer", load_trainer)?;
    add.function("restartTrainer", restart_trainer)?;
    add.function("trainerSteps", trainer_steps)?;
    add.function("trainerOptions", trainer_options)?;
    add.function("saveTrainer", save_trainer)?;
    add.function("readTrainer", read_trainer)?;
    add.function("endTask", end_task)?;
    add.function("adoptTrainer", adopt_trainer)?;
    add.function("dropTrainer", drop_trainer)?;
    add.function("drawSeed", draw_seed)?;
    add.function("sigmoid", sigmoid)?;
    Ok(add.object)
}

/// `within(body)`: calls `body` with the number of a scope, which is open as long as `body` runs. JavaScript's own
/// `finally` is no help where the end of a `vm`'s time cuts `body`.
fn within(call: &Call, home: &Environment) -> Result<()> {
    let body: Function<u32, ()> = call.argument(0)?;
    let env = &call.0.env;
    let number = home.scope_count.get();
    home.scope_count.set(number.wrapping_add(1));
    home.scopes.borrow_mut().push(number);
    let (mut argument, mut receiver) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` is live and the values are of this call. What `body` throws stays pending: it is for the caller.
    unsafe {
        sys::napi_create_uint32(env.raw(), number, &mut argument);
        sys::napi_get_undefined(env.raw(), &mut receiver);
        sys::napi_call_function(env.raw(), receiver, body.raw(), 1, &argument, ptr::null_mut());
    }
    home.scopes.borrow_mut().pop();
    if home.scopes.borrow().is_empty() {
        home.fits.borrow_mut().drop_leftovers();
    }
    Ok(())
}

/// `isWithin(number): boolean`: whether the scope is open.
fn is_within(call: &Call, home: &Environment) -> Result<bool> {
    let number = call.argument(0)?;
    Ok(home.scopes.borrow().contains(&number))
}

/// `now(): number`: milliseconds of a clock that no test can set.
fn now(_: &Call, home: &Environment) -> Result<f64> {
    Ok(home.clock.milliseconds())
}

/// What JavaScript needs to know of a model: its number, where the parts of its networks' buffers begin, in
/// elements, and the shape of the networks.
#[napi(object)]
pub struct ModelInfo {
    pub number: u32,
    pub length: u32,
    pub inputs: u32,
    pub outputs: u32,
    pub targets: u32,
    pub values: u32,
    pub value_count: u32,
    pub input_count: u32,
    pub output_count: u32,
    pub parameter_count: u32,
    pub precision: String,
    pub loss: String,
    /// All options of the networks but the seed, defaults among them, as JSON.
    pub options: String,
    pub layers: Vec<LayerInfo>,
}

/// What JavaScript needs to know of a layer.
#[napi(object)]
pub struct LayerInfo {
    pub inputs: u32,
    pub units: u32,
    pub parameter_count: u32,
    pub activation: String,
    pub normalization: Option<String>,
    pub dropout: f64,
}

/// `createModel(options: string): ModelInfo`: the model of the networks that the JSON describes.
fn create_model(call: &Call, home: &Environment) -> Result<ModelInfo> {
    let text: String = call.argument(0)?;
    let json = serde_json::from_str(&text).map_err(|error| internal("JSON", "createModel", error))?;
    insert_model(call, &NetworkOptions::from_json(&json)?, home)
}

/// `createSigmoidModel(counts: number[]): ModelInfo`: the original's model, sigmoid everywhere and all
/// values from U[0, 1), of so many inputs and neurons of each layer.
fn create_sigmoid_model(call: &Call, home: &Environment) -> Result<ModelInfo> {
    let counts: Vec<u32> = call.argument(0)?;
    let [inputs, units @ ..] = counts.as_slice() else {
        return Err(internal("counts", "the model", "none"));
    };
    let original = NetworkOptions::original(1, 1, 1);
    let layers = units
        .iter()
        .map(|&units| LayerOptions {
            units: units as usize,
            ..original.layers[0]
        })
        .collect();
    insert_model(
        call,
        &NetworkOptions {
            inputs: *inputs as usize,
            layers,
            ..original
        },
        home,
    )
}

fn insert_model(call: &Call, options: &NetworkOptions, home: &Environment) -> Result<ModelInfo> {
    let model = model(options)?;
    let (layout, architecture) = (model.layout(), model.architecture());
    let name = |all: &[(&str, Normalization)], kind| {
        all.iter().find(|row| row.1 == kind).map(|row| row.0.to_string())
    };
    // All counts fit: each part is no longer than the parameters, which MAX_PARAMETERS bounds.
    let layers = architecture.layers().iter().map(|layer| LayerInfo {
        inputs: layer.inputs as u32,
        units: layer.units as u32,
        parameter_count: (layer.beta.end - layer.weights.start) as u32,
        activation: layer.options.activation.name().into(),
        normalization: layer
            .options
            .normalization
            .and_then(|kind| name(&Normalization::ALL, kind)),
        dropout: layer.options.dropout,
    });
    Ok(ModelInfo {
        length: layout.values.end as u32,
        inputs: layout.inputs.start as u32,
        outputs: layout.outputs.start as u32,
        targets: layout.targets.start as u32,
        values: layout.values.start as u32,
        value_count: architecture.value_count() as u32,
        input_count: architecture.input_count() as u32,
        output_count: architecture.output_count() as u32,
        parameter_count: architecture.parameter_count() as u32,
        precision: Precision::ALL[options.precision as usize].0.into(),
        loss: options.loss.name().into(),
        options: options.to_json().to_string(),
        layers: layers.collect(),
        number: {
            call.adjust_memory(model.bytes() as i64);
            home.models.borrow_mut().insert(model)
        },
    })
}

/// `dropModel(number)`: its last network is gone.
fn drop_model(call: &Call, home: &Environment) -> Result<()> {
    let number = call.argument(0)?;
    if let Some(model) = home.models.borrow_mut().remove(number) {
        call.adjust_memory(-(model.bytes() as i64));
    }
    Ok(())
}

/// `initialize(buffer, seed)`: the starting weights that the seed determines.
fn initialize(call: &Call, home: &Environment) -> Result<()> {
    let (mut buffer, seed) = (call.argument::<ArrayBuffer>(0)?, call.argument::<f64>(1)?);
    home.models
        .borrow_mut()
        .of(&buffer)?
        .initialize(bytes_mut(&mut buffer), seed as u64)
}

/// `exportWeights(buffer, out: Float64Array)`: all weights and biases in the users' order. JavaScript makes
/// `out`: what Rust allocates is only freed when the event loop turns.
fn export_weights(call: &Call, home: &Environment) -> Result<()> {
    let (mut buffer, mut out) = (
        call.argument::<ArrayBuffer>(0)?,
        call.argument::<Float64Array>(1)?,
    );
    // SAFETY: JavaScript has just made `out` for this call, and does not run before it returns.
    let out = unsafe { out.as_mut() };
    if out.as_ptr_range().contains(&buffer.as_ptr().cast()) {
        return Err(internal("another array", "exportWeights", "the network's own"));
    }
    home.models
        .borrow_mut()
        .of(&buffer)?
        .export(bytes_mut(&mut buffer), out)
}

/// `importWeights(buffer, values: Float64Array): number`: -1, or the place of the first value that the
/// network's precision cannot hold, and nothing is changed.
fn import_weights(call: &Call, home: &Environment) -> Result<f64> {
    let (mut buffer, values) = (
        call.argument::<ArrayBuffer>(0)?,
        call.argument::<Float64Array>(1)?.to_vec(),
    );
    Ok(place(
        home.models
            .borrow_mut()
            .of(&buffer)?
            .import(bytes_mut(&mut buffer), &values)?,
    ))
}

/// `predictBatch(buffer, inputs, outputs): number`: -1, or the place of the first input that is not finite.
/// Both are Float64Array or both Float32Array, row after row.
fn predict_batch(call: &Call, home: &Environment) -> Result<f64> {
    let mut buffer = call.argument::<ArrayBuffer>(0)?;
    let interrupt = call.interrupt(home)?;
    let is_stopped = || interrupt.has_come();
    if let Ok(inputs) = call.argument::<Float64Array>(1) {
        let mut outputs = call.argument::<Float64Array>(2)?;
        // SAFETY: JavaScript has just made `outputs` for this call, and does not run before it returns.
        let outputs = unsafe { outputs.as_mut() };
        let (mut models, bytes) = (home.models.borrow_mut(), bytes_mut(&mut buffer));
        return Ok(place(models.of(bytes)?.predict_batch_f64(
            bytes,
            &inputs,
            outputs,
            &is_stopped,
        )?));
    }
    let (inputs, mut outputs) = (
        call.argument::<Float32Array>(1)?,
        call.argument::<Float32Array>(2)?,
    );
    // SAFETY: as above.
    let outputs = unsafe { outputs.as_mut() };
    let (mut models, bytes) = (home.models.borrow_mut(), bytes_mut(&mut buffer));
    Ok(place(models.of(bytes)?.predict_batch_f32(
        bytes,
        &inputs,
        outputs,
        &is_stopped,
    )?))
}

/// What `evaluate` gives; what is not measured is left out.
#[napi(object)]
pub struct Measures {
    pub loss: f64,
    pub accuracy: Option<f64>,
    pub precision: Option<f64>,
    pub recall: Option<f64>,
    pub f1: Option<f64>,
    pub roc_auc: Option<f64>,
    pub confusion_matrix: Option<Vec<Vec<f64>>>,
    pub mse: Option<f64>,
    pub mae: Option<f64>,
    pub r2: Option<f64>,
}

/// `evaluate(buffer, data): Measures`; nothing where the call is cut. The data set is gone afterwards.
fn evaluate(call: &Call, home: &Environment) -> Result<Option<Measures>> {
    let mut buffer = call.argument::<ArrayBuffer>(0)?;
    let data = take_data(home, call.argument(1)?)?;
    let (mut models, bytes) = (home.models.borrow_mut(), bytes_mut(&mut buffer));
    let interrupt = call.interrupt(home)?;
    let measured = models
        .of(bytes)?
        .evaluate(bytes, data, &|| interrupt.has_come())?;
    let counts = |row: Vec<u64>| row.into_iter().map(|count| count as f64).collect();
    Ok(measured.map(|measured| Measures {
        loss: measured.loss,
        accuracy: measured.accuracy,
        precision: measured.precision,
        recall: measured.recall,
        f1: measured.f1,
        roc_auc: measured.roc_auc,
        confusion_matrix: measured
            .confusion_matrix
            .map(|matrix| matrix.into_iter().map(counts).collect()),
        mse: measured.mse,
        mae: measured.mae,
        r2: measured.r2,
    }))
}

/// `createData(buffer, isOfGradients): number`: an empty data set for the network.
fn create_data(call: &Call, home: &Environment) -> Result<u32> {
    let (buffer, is_of_gradients) = (call.argument::<ArrayBuffer>(0)?, call.argument::<bool>(1)?);
    let data = home.models.borrow_mut().of(&buffer)?.data(is_of_gradients);
    Ok(home.fits.borrow_mut().data.insert(data))
}

/// `appendData(data, part, numbers, total): number`: -1, or the place of the first number that is not finite.
/// Parts: 0 inputs, 1 targets, 2 weights of the rows; `total` is how many numbers the part will have.
fn append_data(call: &Call, home: &Environment) -> Result<f64> {
    let (number, part, total) = (
        call.argument(0)?,
        call.argument::<u32>(1)?,
        call.argument::<f64>(3)?,
    );
    let part = *Part::ALL
        .get(part as usize)
        .ok_or_else(|| internal("a part", "appendData", part))?;
    let doubles = call.argument::<Float64Array>(2);
    let singles = doubles
        .is_err()
        .then(|| call.argument::<Float32Array>(2))
        .transpose()?;
    let mut fits = home.fits.borrow_mut();
    let data = fits
        .data
        .get_mut(number)
        .ok_or_else(|| no_such("data set", number))?;
    Ok(place(match (doubles, singles) {
        (Ok(numbers), _) => data.append_f64(part, &numbers, total as usize)?,
        (_, Some(numbers)) => data.append_f32(part, &numbers, total as usize)?,
        _ => None,
    }))
}

/// A datum that the loss or the weights refuse; a row or column of -1 stands for all of them.
#[napi(object)]
pub struct RefusalInfo {
    pub part: u32,
    pub row: f64,
    pub column: f64,
    pub expected: String,
    pub received: String,
}

/// `checkData(data, isStep): RefusalInfo | null`
fn check_data(call: &Call, home: &Environment) -> Result<Option<RefusalInfo>> {
    let (number, is_step) = (call.argument(0)?, call.argument::<bool>(1)?);
    let mut fits = home.fits.borrow_mut();
    let data = fits
        .data
        .get_mut(number)
        .ok_or_else(|| no_such("data set", number))?;
    Ok(data.check(is_step).map(|refusal| RefusalInfo {
        part: refusal.part as u32,
        row: place(refusal.row),
        column: place(refusal.column),
        expected: refusal.expected.into(),
        received: refusal.received.to_string(),
    }))
}

/// `dropData(data)`: nothing took it.
fn drop_data(call: &Call, home: &Environment) -> Result<()> {
    take_data(home, call.argument(0)?).map(drop)
}

/// `createFit(buffer, options: string, seed): number`: a fit with its options checked.
fn create_fit(call: &Call, home: &Environment) -> Result<u32> {
    let buffer = call.argument::<ArrayBuffer>(0)?;
    let (text, seed) = (call.argument::<String>(1)?, call.argument::<f64>(2)?);
    let options = serde_json::from_str(&text).map_err(|error| internal("JSON", "createFit", error))?;
    let mut models = home.models.borrow_mut();
    let architecture = models.of(&buffer)?.architecture();
    let start = Start::new(options, seed as u64, architecture)?;
    Ok(home.fits.borrow_mut().fits.insert(Fit::new(start)))
}

/// `prepareFit(fit, buffer, data, heldOut, trainer)`: takes the data sets, -1 for none, and the weights in the buffer, or
/// goes on where a trainer is, -1 for none.
fn prepare_fit(call: &Call, home: &Environment) -> Result<()> {
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
    let fit = fits.get_mut(fit).ok_or_else(|| no_such("fit", fit))?;
    let trainer: Option<&mut dyn Trainer> = if trainer >= 0.0 {
        let found = trainers.get_mut(trainer as u32);
        Some(found.ok_or_else(|| no_such("trainer", trainer as u32))?.as_mut())
    } else {
        None
    };
    fit.prepare(models.of(bytes)?, trainer, bytes, data?, held_out)
}

/// `advanceFit(fit, epochs): boolean`: trains here for up to so many epochs; whether the run has ended.
fn advance_fit(call: &Call, home: &Environment) -> Result<bool> {
    let epochs = call.argument::<f64>(1)?;
    let interrupt = call.interrupt(home)?;
    with_fit(home, call.argument(0)?, |fit| {
        fit.advance(epochs as usize, &|| interrupt.has_come())
    })
}

/// `startFit(fit, everyEpoch, wake)`: trains on a thread.
fn start_fit(call: &Call, home: &Environment) -> Result<()> {
    let every_epoch = call.argument::<bool>(1)?;
    let wake = waker(call, 2)?;
    let thread = with_fit(home, call.argument(0)?, |fit| fit.start(every_epoch, wake))?;
    home.fits.borrow_mut().watch_over(thread);
    Ok(())
}

/// What calls the function that is an argument from any thread.
fn waker(call: &Call, index: usize) -> Result<impl Fn() + Send + 'static> {
    let wake = call.argument::<Function<(), ()>>(index)?;
    let wake = wake
        .build_threadsafe_function::<()>()
        .build()
        .map_err(|error| internal("a function", "the call", error.reason))?;
    // Where the environment is closing there is nobody left to wake.
    Ok(move || {
        let _ = wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
    })
}

/// `stopFit(fit, reason)`: as soon as possible.
fn stop_fit(call: &Call, home: &Environment) -> Result<()> {
    let reason = call.argument::<String>(1)?;
    let known = StoppedBy::ALL.iter().find(|known| known.0 == reason);
    let &(_, reason) = known.ok_or_else(|| internal("a reason", "stopFit", reason))?;
    with_fit(home, call.argument(0)?, |fit| fit.stop(reason))
}

/// `fitReports(fit, from, out: Float64Array): number`: five numbers an epoch (its number, loss, validation loss or
/// NaN, learning rate, milliseconds), beginning with the epoch at the place `from`; how many epochs.
fn fit_reports(call: &Call, home: &Environment) -> Result<u32> {
    let (from, mut out) = (call.argument::<f64>(1)?, call.argument::<Float64Array>(2)?);
    // SAFETY: JavaScript made it for such calls alone, and does not run before this one returns.
    let out = unsafe { out.as_mut() };
    with_fit(home, call.argument(0)?, |fit| {
        Ok(fit.reports(from as usize, out)? as u32)
    })
}

/// `fitIsDone(fit): boolean`: whether the run on its thread has ended.
fn fit_is_done(call: &Call, home: &Environment) -> Result<bool> {
    with_fit(home, call.argument(0)?, |fit| Ok(fit.is_done()))
}

/// `fitEpochs(fit): number`: how many epochs there will be at most.
fn fit_epochs(call: &Call, home: &Environment) -> Result<f64> {
    with_fit(home, call.argument(0)?, |fit| Ok(fit.epochs()? as f64))
}

/// `fitFirstEpoch(fit): number`: how many epochs the checkpoint had.
fn fit_first_epoch(call: &Call, home: &Environment) -> Result<f64> {
    with_fit(home, call.argument(0)?, |fit| Ok(fit.first_epoch() as f64))
}

/// `refreshFit(fit, buffer)`: the weights of the last whole epoch, if they are not in the buffer yet.
fn refresh_fit(call: &Call, home: &Environment) -> Result<()> {
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
fn finish_fit(call: &Call, home: &Environment) -> Result<HistoryInfo> {
    let (number, mut buffer) = (call.argument(0)?, call.argument::<ArrayBuffer>(1)?);
    let (mut losses, mut validation_losses) = (
        call.argument::<Float64Array>(2)?,
        call.argument::<Float64Array>(3)?,
    );
    // SAFETY: JavaScript has just made them for this call, and does not run before it returns.
    let (losses, validation_losses) = unsafe { (losses.as_mut(), validation_losses.as_mut()) };
    let fit = home.fits.borrow_mut().fits.remove(number);
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
fn fit_epochs_done(call: &Call, home: &Environment) -> Result<f64> {
    with_fit(home, call.argument(0)?, |fit| Ok(fit.epochs_done()? as f64))
}

/// `fitHasValidation(fit): boolean`: whether some of their losses are of validation.
fn fit_has_validation(call: &Call, home: &Environment) -> Result<bool> {
    with_fit(home, call.argument(0)?, |fit| fit.has_validation())
}

/// `createTrainer(buffer, options: string, seed): number`: a trainer of the network, before its first step.
fn create_trainer(call: &Call, home: &Environment) -> Result<u32> {
    let mut buffer = call.argument::<ArrayBuffer>(0)?;
    let (text, seed) = (call.argument::<String>(1)?, call.argument::<f64>(2)?);
    let given: serde_json::Value =
        serde_json::from_str(&text).map_err(|error| internal("JSON", "createTrainer", error))?;
    let (mut models, bytes) = (home.models.borrow_mut(), bytes_mut(&mut buffer));
    let model = models.of(bytes)?;
    let start = Start::new(given.clone(), seed as u64, model.architecture())?;
    let trainer = model.trainer(bytes, &start, given)?;
    Ok(home.fits.borrow_mut().trainers.insert(trainer))
}

/// `stepBy(trainer, data): number`: a step by a data set, which is gone afterwards; the loss before it.
fn step_by(call: &Call, home: &Environment) -> Result<f64> {
    let data = take_data(home, call.argument(1)?)?;
    with_trainer(home, call.argument(0)?, |trainer| trainer.step_by(data))
}

/// `publishTrainer(trainer, buffer)`: puts its weights into the network's buffer.
fn publish_trainer(call: &Call, home: &Environment) -> Result<()> {
    let mut buffer = call.argument::<ArrayBuffer>(1)?;
    with_trainer(home, call.argument(0)?, |trainer| {
        trainer.publish(bytes_mut(&mut buffer))
    })
}

/// `loadTrainer(trainer, buffer)`: takes the weights in the network's buffer.
fn load_trainer(call: &Call, home: &Environment) -> Result<()> {
    let mut buffer = call.argument::<ArrayBuffer>(1)?;
    with_trainer(home, call.argument(0)?, |trainer| {
        trainer.load(bytes_mut(&mut buffer))
    })
}

/// `restartTrainer(trainer, buffer)`: the same, and its optimizer begins anew.
fn restart_trainer(call: &Call, home: &Environment) -> Result<()> {
    let mut buffer = call.argument::<ArrayBuffer>(1)?;
    with_trainer(home, call.argument(0)?, |trainer| {
        trainer.begin_anew(bytes_mut(&mut buffer))
    })
}

/// `trainerSteps(trainer): number`: how many steps were taken.
fn trainer_steps(call: &Call, home: &Environment) -> Result<f64> {
    with_trainer(home, call.argument(0)?, |trainer| Ok(trainer.steps()? as f64))
}

/// `trainerOptions(trainer): string`: the options that decide the course of training, as JSON.
fn trainer_options(call: &Call, home: &Environment) -> Result<String> {
    with_trainer(home, call.argument(0)?, |trainer| {
        Ok(trainer.options().to_string())
    })
}

/// `saveTrainer(trainer, path, wake): number`: writes it to a file as it is now, on a thread; the number of the task.
fn save_trainer(call: &Call, home: &Environment) -> Result<u32> {
    let path = PathBuf::from(call.argument::<String>(1)?);
    let work = with_trainer(home, call.argument(0)?, |trainer| trainer.saver(path))?;
    start_task(call, home, work)
}

/// `readTrainer(trainer, path, wake): number`: reads a file on a thread, for [`adopt_trainer`]; the number of the task.
fn read_trainer(call: &Call, home: &Environment) -> Result<u32> {
    let path = PathBuf::from(call.argument::<String>(1)?);
    let work = with_trainer(home, call.argument(0)?, |trainer| Ok(trainer.loader(path)))?;
    start_task(call, home, work)
}

/// Begins work on a thread, and calls the third argument when it is done.
fn start_task(call: &Call, home: &Environment, work: Background) -> Result<u32> {
    let wake = waker(call, 2)?;
    let task = Arc::new(BackgroundTask::default());
    let thread = task.start(work, wake)?;
    let mut fits = home.fits.borrow_mut();
    fits.watch_over(thread);
    Ok(fits.tasks.insert(task))
}

/// `endTask(task)`: throws what it failed by. The task is gone afterwards.
fn end_task(call: &Call, home: &Environment) -> Result<()> {
    take_task(home, call.argument(0)?)?.take().map(drop)
}

/// `adoptTrainer(task, trainer, buffer)`: the trainer becomes what the task has read, and puts its weights into the
/// network's buffer. The task is gone afterwards.
fn adopt_trainer(call: &Call, home: &Environment) -> Result<()> {
    let read = take_task(home, call.argument(0)?)?.take()?;
    let mut buffer = call.argument::<ArrayBuffer>(2)?;
    with_trainer(home, call.argument(1)?, |trainer| {
        trainer.adopt(read, bytes_mut(&mut buffer))
    })
}

fn take_task(home: &Environment, number: u32) -> Result<Arc<BackgroundTask>> {
    let task = home.fits.borrow_mut().tasks.remove(number);
    task.ok_or_else(|| no_such("task", number))
}

/// `dropTrainer(trainer)`: nobody holds it any more.
fn drop_trainer(call: &Call, home: &Environment) -> Result<()> {
    drop(home.fits.borrow_mut().trainers.remove(call.argument(0)?));
    Ok(())
}

fn with_trainer<R>(
    home: &Environment,
    number: u32,
    work: impl FnOnce(&mut dyn Trainer) -> Result<R>,
) -> Result<R> {
    let mut fits = home.fits.borrow_mut();
    let trainer = fits.trainers.get_mut(number);
    work(trainer.ok_or_else(|| no_such("trainer", number))?.as_mut())
}

/// `dropFit(fit)`: it was never started.
fn drop_fit(call: &Call, home: &Environment) -> Result<()> {
    drop(home.fits.borrow_mut().fits.remove(call.argument(0)?));
    Ok(())
}

fn with_fit<R>(home: &Environment, number: u32, work: impl FnOnce(&mut Fit) -> Result<R>) -> Result<R> {
    let mut fits = home.fits.borrow_mut();
    work(fits.fits.get_mut(number).ok_or_else(|| no_such("fit", number))?)
}

fn take_data(home: &Environment, number: u32) -> Result<Box<dyn DataSet>> {
    let data = home.fits.borrow_mut().data.remove(number);
    data.ok_or_else(|| no_such("data set", number))
}

fn no_such(thing: &str, number: u32) -> Error {
    internal(&format!("the number of a {thing}"), "the call", number)
}

/// A place for JavaScript: -1 where there is none.
fn place(place: Option<usize>) -> f64 {
    place.map_or(-1.0, |place| place as f64)
}

/// `drawSeed(): number`: a seed that nobody chose, from the operating system.
fn draw_seed(_: &Call, _: &Environment) -> Result<f64> {
    let bits = SysRng
        .try_next_u64()
        .map_err(|error| internal("a random number", "the seed", error))?;
    Ok((bits % random::SEED_LIMIT) as f64)
}

/// `sigmoid(x): number`: 1 / (1 + e^-x).
fn sigmoid(call: &Call, _: &Environment) -> Result<f64> {
    Ok(Activation::Sigmoid.of::<Scalar<Portable>, f64>(call.argument(0)?))
}

/// The arguments of a call.
struct Call<'c>(&'c FunctionCallContext<'c>);

impl Call<'_> {
    fn argument<T: FromNapiValue>(&self, index: usize) -> Result<T> {
        self.0
            .get(index)
            .map_err(|error| internal("an argument of the right type", "the addon", error.reason))
    }
}

impl Call<'_> {
    fn interrupt(&self, home: &Environment) -> Result<Interrupt> {
        Interrupt::new(self.0.env, &home.nothing)
            .map_err(|error| internal("a way back to JavaScript", "the call", error.reason))
    }

    /// Tells the engine of memory that lives in Rust, so that it knows when to look for garbage.
    fn adjust_memory(&self, bytes: i64) {
        // It only fails where the environment is being torn down.
        let _ = self.0.env.adjust_external_memory(bytes);
    }
}

/// Where the functions of the addon are collected.
struct Exports<'e> {
    env: &'e Env,
    home: Shared,
    object: Object<'e>,
}

impl Exports<'_> {
    fn function<R: ToNapiValue + 'static>(
        &mut self,
        name: &str,
        body: fn(&Call, &Environment) -> Result<R>,
    ) -> napi::Result<()> {
        let home = self.home.clone();
        let function = self
            .env
            .create_function_from_closure::<(), R, _>(name, move |context| {
                let call = || body(&Call(&context), &home);
                let result = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(panicked()));
                result.map_err(|error: Error| home.thrower.throw(context.env, error))
            })?;
        self.object.set(name, function)
    }
}

/// The bytes of an ArrayBuffer, to be written.
fn bytes_mut<'a>(buffer: &'a mut ArrayBuffer) -> &'a mut [u8] {
    // SAFETY: the bytes belong to the buffer, an argument that lives as long as the call, and no JavaScript
    // runs before the call returns; napi-rs only lacks a mutable view of them.
    unsafe { std::slice::from_raw_parts_mut(buffer.as_ptr().cast_mut(), buffer.len()) }
}
