//! The list of all optimizers.

use crate::nn::optim::{
    Adadelta, Adagrad, Adam, Adamw, Lbfgs, Lion, Momentum, Nadam, Nesterov, Radam, Rmsprop, Rprop, Sgd,
};
use crate::nn::settings::choice;

choice! {
    /// An optimizer and its settings.
    pub enum Optimizer for "optimizer" {
        "sgd" => Sgd,
        "momentum" => Momentum,
        "nesterov" => Nesterov,
        "rmsprop" => Rmsprop,
        "adagrad" => Adagrad,
        "adadelta" => Adadelta,
        "adam" => Adam,
        "adamw" => Adamw,
        "nadam" => Nadam,
        "radam" => Radam,
        "lion" => Lion,
        "rprop" => Rprop,
        "lbfgs" => Lbfgs,
    }
}

impl Optimizer {
    /// The learning rate where the user names none: PyTorch's, Lion's from its paper.
    pub fn default_learning_rate(&self) -> f64 {
        match self {
            Optimizer::Sgd(_) | Optimizer::Momentum(_) | Optimizer::Nesterov(_) => 0.001,
            Optimizer::Rmsprop(_) | Optimizer::Adagrad(_) | Optimizer::Rprop(_) => 0.01,
            Optimizer::Adam(_) | Optimizer::Adamw(_) | Optimizer::Radam(_) => 0.001,
            Optimizer::Nadam(_) => 0.002,
            Optimizer::Lion(_) => 0.0001,
            Optimizer::Adadelta(_) | Optimizer::Lbfgs(_) => 1.0,
        }
    }
}

/// Adam.
impl Default for Optimizer {
    fn default() -> Self {
        Optimizer::Adam(Adam::default())
    }
}

#[cfg(test)]
mod tests;
