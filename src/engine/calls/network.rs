//! The functions of networks.

use serde_json::json;

use crate::engine::calls::{Argument, Call, Function, Numbers, Reply, wrong};
use crate::engine::model::model;
use crate::nn::network::options::LayerOptions;
use crate::nn::settings::Named;
use crate::nn::{Evaluation, NetworkOptions, Result};

/// By their names.
pub const FUNCTIONS: &[Function] = &[
    ("createModel", create_model, &[]),
    ("createSigmoidModel", create_sigmoid_model, &[]),
    ("dropModel", drop_model, &[]),
    ("initialize", initialize, &[]),
    ("exportWeights", export_weights, &[1]),
    ("importWeights", import_weights, &[]),
    ("predictBatch", predict_batch, &[2]),
    ("evaluate", evaluate, &[]),
];

/// `createModel(options: string): string`: the model of the networks that the JSON describes; see [`insert`].
fn create_model(call: &mut Call) -> Result<Reply> {
    let json = call.json()?;
    insert(call, &NetworkOptions::from_json(&json)?)
}

/// `createSigmoidModel(counts: Float64Array): string`: the original's model, sigmoid everywhere and all values from
/// U[0, 1), of so many inputs and neurons of each layer.
fn create_sigmoid_model(call: &mut Call) -> Result<Reply> {
    let [inputs, units @ ..] = &*call.doubles()? else {
        return Err(wrong("counts"));
    };
    let original = NetworkOptions::original(1, 1, 1);
    let layers = units
        .iter()
        .map(|&units| LayerOptions {
            units: units as usize,
            ..original.layers[0]
        })
        .collect();
    insert(
        call,
        &NetworkOptions {
            inputs: *inputs as usize,
            layers,
            ..original
        },
    )
}

/// Makes a model. What JavaScript needs to know of it, as JSON: its number, where the parts of its networks' buffers begin,
/// in elements, and the shape of the networks; `options` is all options but the seed, defaults among them, as a text.
fn insert(call: &Call, options: &NetworkOptions) -> Result<Reply> {
    let model = model(options)?;
    let (layout, architecture) = (model.layout(), model.architecture());
    let layers = architecture.layers().iter().map(|layer| {
        let mut known = json!({
            "inputs": layer.inputs,
            "units": layer.units,
            "parameterCount": layer.beta.end - layer.weights.start,
            "activation": layer.options.activation.name(),
            "dropout": layer.options.dropout,
        });
        if let Some(kind) = layer.options.normalization {
            known["normalization"] = kind.name().into();
        }
        known
    });
    let mut known = json!({
        "length": layout.values.end,
        "inputs": layout.inputs.start,
        "outputs": layout.outputs.start,
        "targets": layout.targets.start,
        "values": layout.values.start,
        "valueCount": architecture.value_count(),
        "inputCount": architecture.input_count(),
        "outputCount": architecture.output_count(),
        "parameterCount": architecture.parameter_count(),
        "precision": options.precision.name(),
        "loss": options.loss.name(),
        "options": options.to_json().to_string(),
        "layers": layers.collect::<Vec<_>>(),
    });
    call.host.adjust_memory(model.bytes() as i64);
    known["number"] = call.home.models.borrow_mut().insert(model).into();
    Ok(known.into())
}

/// `dropModel(number)`: its last network is gone.
fn drop_model(call: &mut Call) -> Result<Reply> {
    let number = call.count()?;
    if let Some(model) = call.home.models.borrow_mut().remove(number as u32) {
        call.host.adjust_memory(-(model.bytes() as i64));
    }
    Ok(Reply::Nothing)
}

/// `initialize(buffer, seed)`: the starting weights that the seed determines.
fn initialize(call: &mut Call) -> Result<Reply> {
    let (buffer, seed) = (call.buffer()?, call.number()?);
    let mut models = call.home.models.borrow_mut();
    models.of(buffer)?.initialize(buffer, seed as u64)?;
    Ok(Reply::Nothing)
}

/// `exportWeights(buffer, out: Float64Array)`: all weights and biases in the users' order. JavaScript makes
/// `out`: what Rust allocates is only freed when the event loop turns.
fn export_weights(call: &mut Call) -> Result<Reply> {
    let (buffer, out) = (call.buffer()?, call.doubles()?);
    call.home.models.borrow_mut().of(buffer)?.export(buffer, out)?;
    Ok(Reply::Nothing)
}

/// `importWeights(buffer, values: Float64Array): number`: -1, or the place of the first value that the
/// network's precision cannot hold, and nothing is changed.
fn import_weights(call: &mut Call) -> Result<Reply> {
    let (buffer, values) = (call.buffer()?, call.doubles()?);
    let place = call.home.models.borrow_mut().of(buffer)?.import(buffer, values)?;
    Ok(place.into())
}

/// `predictBatch(buffer, inputs, outputs): number`: -1, or the place of the first input that is not finite.
/// Both are Float64Array or both Float32Array, row after row.
fn predict_batch(call: &mut Call) -> Result<Reply> {
    let (buffer, inputs, outputs) = (call.buffer()?, call.argument(), call.argument());
    let (mut models, host) = (call.home.models.borrow_mut(), call.host);
    let (model, is_cut) = (models.of(buffer)?, || host.is_cut());
    let place = match (inputs, outputs) {
        (Argument::Doubles(inputs), Argument::Doubles(outputs)) => {
            model.predict_batch_f64(buffer, inputs, outputs, &is_cut)?
        }
        (Argument::Singles(inputs), Argument::Singles(outputs)) => {
            model.predict_batch_f32(buffer, inputs, outputs, &is_cut)?
        }
        _ => return Err(wrong("two arrays of floats")),
    };
    Ok(place.into())
}

/// `evaluate(buffer, data): [string, ...]`: see [`measures`]; nothing where the call is cut. The data set is gone
/// afterwards.
fn evaluate(call: &mut Call) -> Result<Reply> {
    let (buffer, data, host) = (call.buffer()?, call.data()?, call.host);
    let mut models = call.home.models.borrow_mut();
    let measured = models.of(buffer)?.evaluate(buffer, data, &|| host.is_cut())?;
    Ok(measured.map_or(Reply::Nothing, measures))
}

/// What was measured: the names as JSON, the numbers, which JSON could not hold where they are not finite, and the
/// confusion matrix, row after row, where there is one.
pub fn measures(measured: Evaluation) -> Reply {
    let numbers = [
        ("loss", Some(measured.loss)),
        ("accuracy", measured.accuracy),
        ("precision", measured.precision),
        ("recall", measured.recall),
        ("f1", measured.f1),
        ("rocAuc", measured.roc_auc),
        ("mse", measured.mse),
        ("mae", measured.mae),
        ("r2", measured.r2),
    ];
    let (names, numbers): (Vec<_>, Vec<_>) = numbers
        .into_iter()
        .filter_map(|(name, number)| Some((name, number?)))
        .unzip();
    let mut arrays = vec![Numbers::Doubles(numbers)];
    if let Some(matrix) = measured.confusion_matrix {
        let counts = matrix.concat().into_iter().map(|count| count as f64);
        arrays.push(Numbers::Doubles(counts.collect()));
    }
    Reply::Parts(json!(names).to_string(), arrays)
}
