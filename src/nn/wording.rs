//! How names and values read in an error.

use std::fmt;

use serde_json::{Map, Value};

use crate::nn::error::{Code, Error, Result};

/// Refuses a key of `json` that is not `known`, and suggests the nearest that is.
///
/// # Errors
/// `UnknownOption`
pub fn check_keys(owner: &str, known: &[&str], json: &Map<String, Value>) -> Result<()> {
    match json.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let rule = format!("only {}", quoted(known));
            Err(Error::new(
                Code::UnknownOption,
                rule,
                owner,
                with_suggestion(key, known),
            ))
        }
    }
}

/// The names as a list.
pub fn quoted(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
    quoted.join(", ")
}

/// The name, and the known one that is meant by it elsewhere, or that it resembles most, if any does.
pub fn with_suggestion(name: &str, known: &[&str]) -> String {
    let shown = Shown(&Value::String(name.into())).to_string();
    match suggestion(name, known) {
        Some(best) => format!("{shown}: did you mean '{best}'?"),
        None => shown,
    }
}

fn suggestion<'k>(name: &str, known: &[&'k str]) -> Option<&'k str> {
    let plain = plain(name);
    if let Some(same) = known.iter().find(|known| self::plain(known) == plain) {
        return Some(same);
    }
    if let Some((_, ours)) = HABITS
        .iter()
        .find(|(theirs, _)| theirs.split(' ').any(|name| name == plain))
    {
        return known.iter().find(|known| known == &ours).copied();
    }
    let similar = |other: &&&str| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let best = known.iter().max_by(|a, b| similar(a).total_cmp(&similar(b)))?;
    (similar(&best) > 0.75).then_some(*best)
}

/// Without what libraries write differently: capitals, `_`, `-` and the like.
fn plain(name: &str) -> String {
    let letters = name.chars().filter(|c| c.is_alphanumeric());
    letters.flat_map(char::to_lowercase).collect()
}

/// What Keras, PyTorch, scikit-learn, brain.js, TensorFlow.js, synaptic and FANN call what has another name here; nothing
/// where there is no such thing, so that no name that only looks alike is suggested.
const HABITS: [(&str, &str); 49] = [
    // Options of a fit
    (
        "iterations nbepoch nbepochs nepochs numepochs maxiter maxepochs maxiterations niter steps",
        "epochs",
    ),
    ("lr eta eta0 rate learningrateinit", "learningRate"),
    ("minibatch minibatchsize bs batch", "batchSize"),
    ("solver optim updater", "optimizer"),
    ("scheduler lrscheduler lrschedule decay", "schedule"),
    (
        "validationsplit validationdata validationfraction valsplit valdata holdout crossvalidate",
        "validation",
    ),
    ("patience niternochange", "earlyStopping"),
    (
        "errorthresh errorthreshold error goal desirederror tol",
        "targetLoss",
    ),
    ("timelimit maxtime", "timeout"),
    ("classweight", "classWeights"),
    (
        "gradientclip clipgrad clipgradnorm gradclip maxnorm maxgradnorm clipgradient clipvalue",
        "clipNorm",
    ),
    ("njobs workers numthreads numworkers parallel", "threads"),
    ("callback callbacks onepochend onbatchend log", "onEpoch"),
    ("verbose logperiod", "progress"),
    ("abortsignal abort", "signal"),
    ("resumefrom loadfrom frompretrained", "resume"),
    // Options of a network and of a layer
    (
        "hiddenlayers hiddenlayersizes sizes structure architecture topology hiddensizes",
        "layers",
    ),
    ("lossfunction criterion cost costfunction objective", "loss"),
    ("dtype type numerictype", "precision"),
    ("randomstate randomseed", "seed"),
    ("neurons size nodes count width outfeatures", "units"),
    ("activationfunction nonlinearity transfer squash", "activation"),
    (
        "kernelinitializer weightinitializer weightinit init initialization",
        "initializer",
    ),
    ("biasinit", "biasInitializer"),
    ("batchnorm batchnormalization batchnorm1d", "batch"),
    ("layernorm layernormalization", "layer"),
    ("dropoutrate droprate p", "dropout"),
    // Losses
    ("meansquarederror mseloss squaredloss quadratic l2loss", "mse"),
    ("meanabsoluteerror maeloss l1loss absoluteerror", "mae"),
    (
        "categoricalcrossentropy sparsecategoricalcrossentropy crossentropyloss softmaxcrossentropy logloss nllloss",
        "crossEntropy",
    ),
    (
        "binarycrossentropyloss bceloss bce bcewithlogitsloss bcewithlogits sigmoidcrossentropy",
        "binaryCrossEntropy",
    ),
    ("smoothl1 smoothl1loss huberloss", "huber"),
    ("hingeloss", "hinge"),
    ("pinball pinballloss quantileloss", "quantile"),
    ("poissonnllloss", "poisson"),
    // Activations
    ("swish", "silu"),
    ("identity none purelin", "linear"),
    ("logistic logsig sigm", "sigmoid"),
    ("hyperbolictangent tansig", "tanh"),
    ("rectifier rectified", "relu"),
    // Optimizers
    ("gd gradientdescent vanilla", "sgd"),
    ("nag nesterovmomentum", "nesterov"),
    // Initializers
    ("xavier xavieruniform", "glorotUniform"),
    ("xaviernormal", "glorotNormal"),
    ("kaiming kaiminguniform he", "heUniform"),
    ("kaimingnormal", "heNormal"),
    ("randomuniform", "uniform"),
    ("randomnormal gaussian", "normal"),
    // What there is not here, though a name looks alike
    (
        "msle meansquaredlogarithmicerror mape meanabsolutepercentageerror squaredhinge categoricalhinge alpha",
        NOTHING,
    ),
];

/// Where there is no such thing.
const NOTHING: &str = "";

/// A JSON value in an error: short whatever it is.
pub struct Shown<'v>(pub &'v Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text) if text.chars().count() > 40 => {
                write!(f, "'{}…'", text.chars().take(40).collect::<String>())
            }
            Value::String(text) => write!(f, "'{text}'"),
            Value::Array(elements) => {
                write!(
                    f,
                    "an array of {} element{}",
                    elements.len(),
                    if elements.len() == 1 { "" } else { "s" }
                )
            }
            Value::Object(_) => f.write_str("an object"),
            // As JavaScript writes it: 1, not 1.0
            Value::Number(number) => match number.as_f64() {
                Some(x) if x.fract() == 0.0 && x.abs() < 1e15 => write!(f, "{}", x as i64),
                _ => write!(f, "{number}"),
            },
            plain => write!(f, "{plain}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::nn::fit::FitOptions;
    use crate::nn::network::options::Normalization;
    use crate::nn::optim::Optimizer;
    use crate::nn::settings::Named;
    use crate::nn::{Activation, Initializer, Loss};

    fn names<T: Copy>(all: &[(&'static str, T)]) -> Vec<&'static str> {
        all.iter().map(|row| row.0).collect()
    }

    #[test]
    fn habits_of_other_libraries_lead_to_names_that_exist() {
        let lists = [
            FitOptions::KEYS.to_vec(),
            vec!["layers", "loss", "precision", "seed"],
            vec![
                "units",
                "activation",
                "initializer",
                "biasInitializer",
                "dropout",
                "l1",
                "l2",
                "normalization",
            ],
            names(Loss::ALL),
            names(Activation::ALL),
            names(Initializer::ALL),
            names(Normalization::ALL),
            Optimizer::NAMES.to_vec(),
        ];
        let mut seen = std::collections::BTreeSet::new();
        for (theirs, ours) in HABITS {
            for name in theirs.split(' ') {
                assert_eq!(plain(name), name, "written as it is compared");
                assert!(seen.insert(name), "{name} stands twice");
                if ours == NOTHING {
                    assert!(
                        lists.iter().all(|list| suggestion(name, list).is_none()),
                        "{name}"
                    );
                    continue;
                }
                let list = lists.iter().find(|list| list.contains(&ours));
                let list = list.unwrap_or_else(|| panic!("{ours} is no name"));
                assert!(!list.contains(&name), "{name} is a name of our own");
                assert_eq!(suggestion(name, list), Some(ours), "{name}");
            }
        }
        for (name, list, ours) in [
            ("nb_epoch", 0, "epochs"),
            ("learning_rate", 0, "learningRate"),
            ("hidden_layer_sizes", 1, "layers"),
            ("meanSquaredError", 3, "mse"),
            ("binary_crossentropy", 3, "binaryCrossEntropy"),
            ("CrossEntropyLoss", 3, "crossEntropy"),
            ("leaky-relu", 4, "leakyRelu"),
            ("Swish", 4, "silu"),
            ("kaiming_uniform", 5, "heUniform"),
            ("random_normal", 5, "normal"),
            ("kaiming_normal", 5, "heNormal"),
            ("RMSProp", 7, "rmsprop"),
        ] {
            assert_eq!(suggestion(name, &lists[list]), Some(ours), "{name}");
        }
        // What exists elsewhere in the options is no suggestion here.
        assert_eq!(suggestion("swish", &lists[0]), None);
        assert_eq!(suggestion("verbose", &lists[1]), None);
    }
}
