//! L-BFGS with a strong Wolfe line search: for full batches, where it beats every other optimizer on small tables.
//!
//! The algorithm is Nocedal & Wright 2006, "Numerical Optimization", and the numbers are those of
//! `torch.optim.LBFGS` with `line_search_fn='strong_wolfe'`.
//!
//! | module | holds |
//! |---|---|
//! | [`config`] | [`Lbfgs`]: the settings |
//! | [`state`] | [`LbfgsState`]: the iterations, and what they remember |
//! | [`history`] | the direction from past steps (algorithm 7.4) |
//! | [`line_search`] | how far to go along it (algorithms 3.5 and 3.6) |
//! | [`vector`] | sums over whole vectors, in double precision |
//!
//! Legend: x the parameters, g their gradient, d the direction, t how far along it, s = t d the step, y the change
//! of the gradient over it; the slope at a point of the line is g . d.

pub mod config;
pub mod history;
pub mod line_search;
pub mod state;
pub mod vector;

pub use config::Lbfgs;
pub use state::{LbfgsReport, LbfgsState};
