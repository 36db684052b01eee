//! The functions of networks.

use napi::bindgen_prelude::{ArrayBuffer, Float32Array, Float64Array};
use napi_derive::napi;

use crate::engine::model::model;
use crate::nn::network::options::LayerOptions;
use crate::nn::settings::Named;
use crate::nn::{Error, Evaluation, NetworkOptions, Result};
use crate::node::call::{Call, Environment, bytes_mut, place};
use crate::node::data_calls::take_data;

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
pub fn create_model(call: &Call, home: &Environment) -> Result<ModelInfo> {
    let text: String = call.argument(0)?;
    let json = serde_json::from_str(&text).map_err(|error| Error::internal("JSON", "createModel", error))?;
    insert_model(call, &NetworkOptions::from_json(&json)?, home)
}

/// `createSigmoidModel(counts: number[]): ModelInfo`: the original's model, sigmoid everywhere and all
/// values from U[0, 1), of so many inputs and neurons of each layer.
pub fn create_sigmoid_model(call: &Call, home: &Environment) -> Result<ModelInfo> {
    let counts: Vec<u32> = call.argument(0)?;
    let [inputs, units @ ..] = counts.as_slice() else {
        return Err(Error::internal("counts", "the model", "none"));
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

pub fn insert_model(call: &Call, options: &NetworkOptions, home: &Environment) -> Result<ModelInfo> {
    let model = model(options)?;
    let (layout, architecture) = (model.layout(), model.architecture());
    // All counts fit: each part is no longer than the parameters, which MAX_PARAMETERS bounds.
    let layers = architecture.layers().iter().map(|layer| LayerInfo {
        inputs: layer.inputs as u32,
        units: layer.units as u32,
        parameter_count: (layer.beta.end - layer.weights.start) as u32,
        activation: layer.options.activation.name().into(),
        normalization: layer.options.normalization.map(|kind| kind.name().into()),
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
        precision: options.precision.name().into(),
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
pub fn drop_model(call: &Call, home: &Environment) -> Result<()> {
    let number = call.argument(0)?;
    if let Some(model) = home.models.borrow_mut().remove(number) {
        call.adjust_memory(-(model.bytes() as i64));
    }
    Ok(())
}

/// `initialize(buffer, seed)`: the starting weights that the seed determines.
pub fn initialize(call: &Call, home: &Environment) -> Result<()> {
    let (mut buffer, seed) = (call.argument::<ArrayBuffer>(0)?, call.argument::<f64>(1)?);
    home.models
        .borrow_mut()
        .of(&buffer)?
        .initialize(bytes_mut(&mut buffer), seed as u64)
}

/// `exportWeights(buffer, out: Float64Array)`: all weights and biases in the users' order. JavaScript makes
/// `out`: what Rust allocates is only freed when the event loop turns.
pub fn export_weights(call: &Call, home: &Environment) -> Result<()> {
    let (mut buffer, mut out) = (
        call.argument::<ArrayBuffer>(0)?,
        call.argument::<Float64Array>(1)?,
    );
    // SAFETY: JavaScript has just made `out` for this call, and does not run before it returns.
    let out = unsafe { out.as_mut() };
    if out.as_ptr_range().contains(&buffer.as_ptr().cast()) {
        return Err(Error::internal(
            "another array",
            "exportWeights",
            "the network's own",
        ));
    }
    home.models
        .borrow_mut()
        .of(&buffer)?
        .export(bytes_mut(&mut buffer), out)
}

/// `importWeights(buffer, values: Float64Array): number`: -1, or the place of the first value that the
/// network's precision cannot hold, and nothing is changed.
pub fn import_weights(call: &Call, home: &Environment) -> Result<f64> {
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
pub fn predict_batch(call: &Call, home: &Environment) -> Result<f64> {
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
pub fn evaluate(call: &Call, home: &Environment) -> Result<Option<Measures>> {
    let mut buffer = call.argument::<ArrayBuffer>(0)?;
    let data = take_data(home, call.argument(1)?)?;
    let (mut models, bytes) = (home.models.borrow_mut(), bytes_mut(&mut buffer));
    let interrupt = call.interrupt(home)?;
    let measured = models
        .of(bytes)?
        .evaluate(bytes, data, &|| interrupt.has_come())?;
    Ok(measured.map(Measures::from))
}

impl From<Evaluation> for Measures {
    fn from(measured: Evaluation) -> Self {
        let counts = |row: Vec<u64>| row.into_iter().map(|count| count as f64).collect();
        Measures {
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
        }
    }
}
