//! mikir: a neural-network library for Node.js.
//!
//! | module | holds |
//! |---|---|
//! | [`nn`] | the arithmetic: pure Rust, knows nothing of Node.js |
//! | `binding` | the crossing: converts, calls, maps errors (feature `node`) |

pub mod nn;

#[cfg(feature = "node")]
mod binding;
