//! What the addon exports: `connect()`, which gives a JavaScript environment its functions and models.

use std::cell::{Cell, RefCell};
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::{Function, JsValue, Object};
use napi::{Env, sys};
use napi_derive::napi;
use rand::TryRng;
use rand::rngs::SysRng;

use crate::engine::border::border;
use crate::engine::trainer;
use crate::nn::host::Clock;
use crate::nn::network::architecture::MAX_PARAMETERS;
use crate::nn::switch::Switch;
use crate::nn::vector::simd::{self, Level, Portable, Scalar};
use crate::nn::{Activation, Error, Result, random};
use crate::node::call::{Call, Environment, Exports};
use crate::node::failure::{CreateError, Thrower};
use crate::node::fast_function::fast_function;
use crate::node::{data_calls, fit_calls, format_calls, network_calls, table_calls, trainer_calls};

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
    Switch::asked().map_err(|error| thrower.throw(env, error))?;
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
    add.object.set("border", border().to_string())?;
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
        let found = number.and_then(|number| fits.trainers.get_mut(number as usize));
        found
            .ok_or_else(|| Error::internal("a trainer's buffer", "step", "another"))?
            .step(buffer)
    };
    let step = fast_function(env, "step", home.thrower.clone(), step)?;
    add.object.set("step", step)?;

    add.function("within", within)?;
    add.function("isWithin", is_within)?;
    add.function("now", now)?;
    add.function("createModel", network_calls::create_model)?;
    add.function("createSigmoidModel", network_calls::create_sigmoid_model)?;
    add.function("dropModel", network_calls::drop_model)?;
    add.function("initialize", network_calls::initialize)?;
    add.function("exportWeights", network_calls::export_weights)?;
    add.function("importWeights", network_calls::import_weights)?;
    add.function("predictBatch", network_calls::predict_batch)?;
    add.function("evaluate", network_calls::evaluate)?;
    add.function("createData", data_calls::create_data)?;
    add.function("appendData", data_calls::append_data)?;
    add.function("checkData", data_calls::check_data)?;
    add.function("dropData", data_calls::drop_data)?;
    add.function("createFit", fit_calls::create_fit)?;
    add.function("prepareFit", fit_calls::prepare_fit)?;
    add.function("readFit", fit_calls::read_fit)?;
    add.function("adoptFit", fit_calls::adopt_fit)?;
    add.function("advanceFit", fit_calls::advance_fit)?;
    add.function("startFit", fit_calls::start_fit)?;
    add.function("stopFit", fit_calls::stop_fit)?;
    add.function("fitReports", fit_calls::fit_reports)?;
    add.function("fitIsDone", fit_calls::fit_is_done)?;
    add.function("fitEpochs", fit_calls::fit_epochs)?;
    add.function("fitEpochsDone", fit_calls::fit_epochs_done)?;
    add.function("fitFirstEpoch", fit_calls::fit_first_epoch)?;
    add.function("refreshFit", fit_calls::refresh_fit)?;
    add.function("fitHasValidation", fit_calls::fit_has_validation)?;
    add.function("finishFit", fit_calls::finish_fit)?;
    add.function("dropFit", fit_calls::drop_fit)?;
    add.function("readTable", table_calls::read_table)?;
    add.function("openTable", table_calls::open_table)?;
    add.function("takeTable", table_calls::take_table)?;
    add.function("permutation", table_calls::permutation)?;
    add.function("measure", table_calls::measure)?;
    add.function("createTrainer", trainer_calls::create_trainer)?;
    add.function("stepBy", trainer_calls::step_by)?;
    add.function("publishTrainer", trainer_calls::publish_trainer)?;
    add.function("loadTrainer", trainer_calls::load_trainer)?;
    add.function("restartTrainer", trainer_calls::restart_trainer)?;
    add.function("trainerSteps", trainer_calls::trainer_steps)?;
    add.function("trainerOptions", trainer_calls::trainer_options)?;
    add.function("saveTrainer", trainer_calls::save_trainer)?;
    add.function("readTrainer", trainer_calls::read_trainer)?;
    add.function("endTask", trainer_calls::end_task)?;
    add.function("adoptTrainer", trainer_calls::adopt_trainer)?;
    add.function("dropTrainer", trainer_calls::drop_trainer)?;
    add.function("saveNetwork", format_calls::save_network)?;
    add.function("writeModel", format_calls::write_model)?;
    add.function("writeNetwork", format_calls::write_network)?;
    add.function("inspectFile", format_calls::inspect_file)?;
    add.function("readNetwork", format_calls::read_network)?;
    add.function("saveFile", format_calls::save_file)?;
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

/// `drawSeed(): number`: a seed that nobody chose, from the operating system.
fn draw_seed(_: &Call, _: &Environment) -> Result<f64> {
    let bits = SysRng
        .try_next_u64()
        .map_err(|error| Error::internal("a random number", "the seed", error))?;
    Ok((bits % random::SEED_LIMIT) as f64)
}

/// `sigmoid(x): number`: 1 / (1 + e^-x).
fn sigmoid(call: &Call, _: &Environment) -> Result<f64> {
    Ok(Activation::Sigmoid.of::<Scalar<Portable>, f64>(call.argument(0)?))
}
