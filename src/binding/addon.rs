//! What the addon exports: `connect()`, which gives a JavaScript environment its functions and models.

use std::cell::RefCell;
use std::rc::Rc;

use napi::Env;
use napi::bindgen_prelude::{
    ArrayBuffer, Float32Array, Float64Array, FromNapiValue, FunctionCallContext, Object, ToNapiValue,
};
use napi_derive::napi;
use rand::TryRng;
use rand::rngs::SysRng;

use super::failure::{failure, internal};
use super::fast_function::fast_function;
use super::model::{Models, model};
use crate::nn::architecture::MAX_PARAMETERS;
use crate::nn::options::{LayerOptions, Normalization, Precision};
use crate::nn::simd::{Portable, Scalar};
use crate::nn::{Activation, Error, NetworkOptions, Result, random};

type Shared = Rc<RefCell<Models>>;

/// The functions of the addon, bound to models of their own. Called once for each JavaScript environment.
#[napi(catch_unwind)]
pub fn connect(env: &Env) -> napi::Result<Object<'_>> {
    let models = Shared::default();
    let mut exports = Object::new(env)?;
    exports.set("maxParameters", MAX_PARAMETERS as f64)?;

    let shared = models.clone();
    let predict = move |buffer: &mut [u8]| shared.borrow_mut().of(buffer)?.predict(buffer);
    exports.set("predict", fast_function(env, "predict", predict)?)?;

    let shared = models.clone();
    let train = move |buffer: &mut [u8]| shared.borrow_mut().of(buffer)?.train(buffer);
    exports.set("train", fast_function(env, "train", train)?)?;

    export(env, &mut exports, "createModel", &models, create_model)?;
    export(
        env,
        &mut exports,
        "createSigmoidModel",
        &models,
        create_sigmoid_model,
    )?;
    export(env, &mut exports, "dropModel", &models, drop_model)?;
    export(env, &mut exports, "initialize", &models, initialize)?;
    export(env, &mut exports, "exportWeights", &models, export_weights)?;
    export(env, &mut exports, "importWeights", &models, import_weights)?;
    export(env, &mut exports, "predictBatch", &models, predict_batch)?;
    export(env, &mut exports, "drawSeed", &models, draw_seed)?;
    export(env, &mut exports, "sigmoid", &models, sigmoid)?;
    Ok(exports)
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
fn create_model(call: &Call, models: &Shared) -> Result<ModelInfo> {
    let text: String = call.argument(0)?;
    let json = serde_json::from_str(&text).map_err(|error| internal("JSON", "createModel", error))?;
    insert_model(call, &NetworkOptions::from_json(&json)?, models)
}

/// `createSigmoidModel(counts: number[]): ModelInfo`: the original's model, sigmoid everywhere and all
/// values from U[0, 1), of so many inputs and neurons of each layer.
fn create_sigmoid_model(call: &Call, models: &Shared) -> Result<ModelInfo> {
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
        models,
    )
}

fn insert_model(call: &Call, options: &NetworkOptions, models: &Shared) -> Result<ModelInfo> {
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
        layers: layers.collect(),
        number: {
            call.adjust_memory(model.bytes() as i64);
            models.borrow_mut().insert(model)
        },
    })
}

/// `dropModel(number)`: its last network is gone.
fn drop_model(call: &Call, models: &Shared) -> Result<()> {
    let number = call.argument(0)?;
    if let Some(model) = models.borrow_mut().remove(number) {
        call.adjust_memory(-(model.bytes() as i64));
    }
    Ok(())
}

/// `initialize(buffer, seed)`: the starting weights that the seed determines.
fn initialize(call: &Call, models: &Shared) -> Result<()> {
    let (mut buffer, seed) = (call.argument::<ArrayBuffer>(0)?, call.argument::<f64>(1)?);
    models
        .borrow_mut()
        .of(&buffer)?
        .initialize(bytes_mut(&mut buffer), seed as u64)
}

/// `exportWeights(buffer, out: Float64Array)`: all weights and biases in the users' order. JavaScript makes
/// `out`: what Rust allocates is only freed when the event loop turns.
fn export_weights(call: &Call, models: &Shared) -> Result<()> {
    let (mut buffer, mut out) = (
        call.argument::<ArrayBuffer>(0)?,
        call.argument::<Float64Array>(1)?,
    );
    // SAFETY: JavaScript has just made `out` for this call, and does not run before it returns.
    let out = unsafe { out.as_mut() };
    if out.as_ptr_range().contains(&buffer.as_ptr().cast()) {
        return Err(internal("another array", "exportWeights", "the network's own"));
    }
    models
        .borrow_mut()
        .of(&buffer)?
        .export(bytes_mut(&mut buffer), out)
}

/// `importWeights(buffer, values: Float64Array): number`: -1, or the place of the first value that the
/// network's precision cannot hold, and nothing is changed.
fn import_weights(call: &Call, models: &Shared) -> Result<f64> {
    let (mut buffer, values) = (
        call.argument::<ArrayBuffer>(0)?,
        call.argument::<Float64Array>(1)?.to_vec(),
    );
    Ok(place(
        models
            .borrow_mut()
            .of(&buffer)?
            .import(bytes_mut(&mut buffer), &values)?,
    ))
}

/// `predictBatch(buffer, inputs, outputs): number`: -1, or the place of the first input that is not finite.
/// Both are Float64Array or both Float32Array, row after row.
fn predict_batch(call: &Call, models: &Shared) -> Result<f64> {
    let mut buffer = call.argument::<ArrayBuffer>(0)?;
    if let Ok(inputs) = call.argument::<Float64Array>(1) {
        let mut outputs = call.argument::<Float64Array>(2)?;
        // SAFETY: JavaScript has just made `outputs` for this call, and does not run before it returns.
        let outputs = unsafe { outputs.as_mut() };
        let (mut models, bytes) = (models.borrow_mut(), bytes_mut(&mut buffer));
        return Ok(place(
            models.of(bytes)?.predict_batch_f64(bytes, &inputs, outputs)?,
        ));
    }
    let (inputs, mut outputs) = (
        call.argument::<Float32Array>(1)?,
        call.argument::<Float32Array>(2)?,
    );
    // SAFETY: as above.
    let outputs = unsafe { outputs.as_mut() };
    let (mut models, bytes) = (models.borrow_mut(), bytes_mut(&mut buffer));
    Ok(place(
        models.of(bytes)?.predict_batch_f32(bytes, &inputs, outputs)?,
    ))
}

/// A place for JavaScript: -1 where there is none.
fn place(place: Option<usize>) -> f64 {
    place.map_or(-1.0, |place| place as f64)
}

/// `drawSeed(): number`: a seed that nobody chose, from the operating system.
fn draw_seed(_: &Call, _: &Shared) -> Result<f64> {
    let bits = SysRng
        .try_next_u64()
        .map_err(|error| internal("a random number", "the seed", error))?;
    Ok((bits % random::SEED_LIMIT) as f64)
}

/// `sigmoid(x): number`: 1 / (1 + e^-x).
fn sigmoid(call: &Call, _: &Shared) -> Result<f64> {
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
    /// Tells the engine of memory that lives in Rust, so that it knows when to look for garbage.
    fn adjust_memory(&self, bytes: i64) {
        // It only fails where the environment is being torn down.
        let _ = self.0.env.adjust_external_memory(bytes);
    }
}

/// Adds the function `name` to `exports`.
fn export<R: ToNapiValue + 'static>(
    env: &Env,
    exports: &mut Object,
    name: &str,
    models: &Shared,
    body: fn(&Call, &Shared) -> Result<R>,
) -> napi::Result<()> {
    let models = models.clone();
    let function = env.create_function_from_closure::<(), R, _>(name, move |context| {
        let result = body(&Call(&context), &models);
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
