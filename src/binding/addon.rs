//! What the addon exports: `connect()`, which gives a JavaScript environment its functions and models.

use std::cell::RefCell;
use std::rc::Rc;

use napi::Env;
use napi::bindgen_prelude::{ArrayBuffer, Float64Array, FunctionCallContext, Object, ToNapiValue};
use napi_derive::napi;
use rand::TryRng;
use rand::rngs::SysRng;

use super::failure::{failure, internal};
use super::fast_function::fast_function;
use super::model::{Model, Models};
use crate::nn::architecture::{LayerOptions, MAX_PARAMETERS};
use crate::nn::simd::{Portable, Scalar};
use crate::nn::{Activation, Architecture, Error, Initializer, Result, initializer, random, weights};

type Shared = Rc<RefCell<Models>>;

/// The functions of the addon, bound to models of their own. Called once for each JavaScript environment.
#[napi(catch_unwind)]
pub fn connect(env: &Env) -> napi::Result<Object<'_>> {
    let models = Shared::default();
    let mut exports = Object::new(env)?;
    exports.set("maxParameters", MAX_PARAMETERS as f64)?;

    let shared = models.clone();
    let predict = move |bytes: &mut [u8]| {
        let mut models = shared.borrow_mut();
        let (model, buffer) = models.of(bytes)?;
        model.predict(buffer)
    };
    exports.set("predict", fast_function(env, "predict", predict)?)?;

    let shared = models.clone();
    let train = move |bytes: &mut [u8]| {
        let mut models = shared.borrow_mut();
        let (model, buffer) = models.of(bytes)?;
        model.train(buffer)
    };
    exports.set("train", fast_function(env, "train", train)?)?;

    export(env, &mut exports, "createModel", &models, create_model)?;
    export(env, &mut exports, "dropModel", &models, drop_model)?;
    export(env, &mut exports, "initialize", &models, initialize)?;
    export(env, &mut exports, "exportWeights", &models, export_weights)?;
    export(env, &mut exports, "importWeights", &models, import_weights)?;
    export(env, &mut exports, "drawSeed", &models, draw_seed)?;
    export(env, &mut exports, "sigmoid", &models, sigmoid)?;
    Ok(exports)
}

/// A model's number and where the parts of its networks' buffers begin, in elements.
#[napi(object)]
pub struct ModelInfo {
    pub number: u32,
    pub length: u32,
    pub inputs: u32,
    pub outputs: u32,
    pub targets: u32,
    pub params: u32,
    pub parameter_count: u32,
}

/// `createModel(counts: [inputs, hidden, outputs])`: the original's network, sigmoid everywhere, from U[0, 1).
fn create_model(call: &Call, models: &mut Models) -> Result<ModelInfo> {
    let counts: Vec<u32> = call.argument(0)?;
    let (&inputs, units) = counts
        .split_first()
        .ok_or_else(|| internal("counts", "createModel", "none"))?;
    let layers: Vec<_> = units
        .iter()
        .map(|&units| LayerOptions {
            units: units as usize,
            activation: Activation::Sigmoid,
            initializer: Initializer::UnitUniform,
        })
        .collect();
    let model = Model::new(Architecture::new(inputs as usize, &layers)?)?;
    let (layout, parameter_count) = (&model.layout, model.architecture.parameter_count() as u32);
    // All fit: each part is no longer than the parameters, which MAX_PARAMETERS bounds.
    Ok(ModelInfo {
        length: layout.params.end as u32,
        inputs: layout.inputs.start as u32,
        outputs: layout.outputs.start as u32,
        targets: layout.targets.start as u32,
        params: layout.params.start as u32,
        parameter_count,
        number: models.insert(model),
    })
}

/// `dropModel(number)`: its last network is gone.
fn drop_model(call: &Call, models: &mut Models) -> Result<()> {
    models.remove(call.argument(0)?);
    Ok(())
}

/// `initialize(buffer, seed)`: the starting weights that the seed determines.
fn initialize(call: &Call, models: &mut Models) -> Result<()> {
    let mut buffer = call.argument::<ArrayBuffer>(0)?;
    let (model, buffer) = models.of(bytes_mut(&mut buffer))?;
    initializer::initialize(
        &model.architecture,
        model.params(buffer)?,
        call.argument::<f64>(1)? as u64,
    );
    Ok(())
}

/// `exportWeights(buffer): Float64Array`: all weights and biases in the users' order.
fn export_weights(call: &Call, models: &mut Models) -> Result<Float64Array> {
    let mut buffer = call.argument::<ArrayBuffer>(0)?;
    let (model, buffer) = models.of(bytes_mut(&mut buffer))?;
    let mut out = vec![0.0; model.architecture.parameter_count()];
    weights::export(&model.architecture, model.params(buffer)?, &mut out);
    Ok(Float64Array::new(out))
}

/// `importWeights(buffer, values: Float64Array): number`: -1, or the place of the first value that the
/// network's precision cannot hold, and nothing is changed.
fn import_weights(call: &Call, models: &mut Models) -> Result<i32> {
    let mut buffer = call.argument::<ArrayBuffer>(0)?;
    let values = call.argument::<Float64Array>(1)?.to_vec();
    let (model, buffer) = models.of(bytes_mut(&mut buffer))?;
    if values.len() != model.architecture.parameter_count() {
        return Err(internal(
            "one value for each parameter",
            "importWeights",
            values.len(),
        ));
    }
    let refused = weights::import(&model.architecture, model.params(buffer)?, &values).err();
    Ok(refused.map_or(-1, |place| place as i32))
}

/// `drawSeed(): number`: a seed that nobody chose, from the operating system.
fn draw_seed(_: &Call, _: &mut Models) -> Result<f64> {
    let bits = SysRng
        .try_next_u64()
        .map_err(|error| internal("a random number", "the seed", error))?;
    Ok((bits % random::SEED_LIMIT) as f64)
}

/// `sigmoid(x): number`: 1 / (1 + e^-x).
fn sigmoid(call: &Call, _: &mut Models) -> Result<f64> {
    Ok(Activation::Sigmoid.of::<Scalar<Portable>, f64>(call.argument(0)?))
}

/// The arguments of a call.
struct Call<'c>(&'c FunctionCallContext<'c>);

impl Call<'_> {
    fn argument<T: napi::bindgen_prelude::FromNapiValue>(&self, index: usize) -> Result<T> {
        self.0
            .get(index)
            .map_err(|error| internal("an argument of the right type", "the addon", error.reason))
    }
}

/// Adds the function `name` to `exports`.
fn export<R: ToNapiValue + 'static>(
    env: &Env,
    exports: &mut Object,
    name: &str,
    models: &Shared,
    body: fn(&Call, &mut Models) -> Result<R>,
) -> napi::Result<()> {
    let models = models.clone();
    let function = env.create_function_from_closure::<(), R, _>(name, move |context| {
        let result = body(&Call(&context), &mut models.borrow_mut());
        result.map_err(|error: Error| failure(context.env, error))
    })?;
    exports.set(name, function)
}

/// The bytes of an ArrayBuffer, to be written.
fn bytes_mut<'a>(buffer: &'a mut ArrayBuffer) -> &'a mut [u8] {
    // SAFETY: the bytes belong to the buffer, an argument that lives as long as the call, and no JavaScript
    // runs before the call returns; napi-rs only lacks a mutable view of them.
    unsafe { std::slice::from_raw_parts_mut(buffer.as_ptr().cast_mut(), buffer.len()) }
}
