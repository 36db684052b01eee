//! The list of all optimizers.

use crate::nn::optim::method::Method;
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

/// Runs `$body` with `$method` bound to the settings of an optimizer that is a [`Method`]; `$other` for L-BFGS.
macro_rules! with_method {
    ($optimizer:expr, $method:ident => $body:expr, else $other:expr) => {
        with_method!(@ $optimizer, $method => $body, $other;
            Sgd Momentum Nesterov Rmsprop Adagrad Adadelta Adam Adamw Nadam Radam Lion Rprop)
    };
    (@ $optimizer:expr, $method:ident => $body:expr, $other:expr; $($variant:ident)*) => {
        match $optimizer {
            $(Optimizer::$variant($method) => $body,)*
            Optimizer::Lbfgs(_) => $other,
        }
    };
}

pub(super) use with_method;

impl Optimizer {
    /// The learning rate where the user names none.
    pub fn default_learning_rate(&self) -> f64 {
        fn of<M: Method>(_: &M) -> f64 {
            M::LEARNING_RATE
        }
        with_method!(self, method => of(method), else Lbfgs::LEARNING_RATE)
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
