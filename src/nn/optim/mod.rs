//! Optimizers, in order of increasing complexity. Each sees one flat buffer of parameters and one of gradients:
//! to an optimizer a bias is a parameter like any other.
//!
//! | module | holds |
//! |---|---|
//! | [`choice`] | [`Optimizer`]: the list of all, by name |
//! | [`descent`] | [`Sgd`], [`Momentum`], [`Nesterov`]: along the gradient |
//! | [`adaptive`] | [`Rmsprop`], [`Adagrad`], [`Adadelta`]: scaled by the size of past gradients |
//! | [`method`] | what an optimizer says of itself |
//! | [`moments`] | [`Adam`], [`Adamw`], [`Nadam`], [`Radam`]: both at once |
//! | [`sign`] | [`Lion`], [`Rprop`]: by the sign alone |
//! | [`state`] | [`OptimizerState`]: what an optimizer remembers from step to step |
//! | [`sweep`] | the one pass over the parameters |
//! | [`lbfgs`] | the optimizer that evaluates the loss itself: L-BFGS with a line search |
//! | [`schedule`] | the learning rate of each epoch |
//! | [`clip`] | [`clip_norm`]: a limit to the length of the gradient |
//!
//! Legend of the formulas: p a parameter, g its gradient (weight decay included where a formula says so), eta the
//! learning rate, lambda `weightDecay`, epsilon `epsilon`, t the number of the step from 1. Everything else starts at 0.

pub mod adaptive;
pub mod choice;
pub mod clip;
pub mod descent;
pub mod lbfgs;
pub mod method;
pub mod moments;
pub mod schedule;
pub mod sign;
pub mod state;
pub mod sweep;

pub use adaptive::{Adadelta, Adagrad, Rmsprop};
pub use choice::Optimizer;
pub use clip::clip_norm;
pub use descent::{Descend, Momentum, Nesterov, Sgd};
pub use lbfgs::Lbfgs;
pub use moments::{Adam, Adamw, Nadam, Radam};
pub use sign::{Lion, Rprop};
pub use state::{OptimizerState, Step};
pub use sweep::{Gradients, Rule};
