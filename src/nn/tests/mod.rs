//! Tests of the core as a whole.

pub mod gradients;
mod online;
mod training;
