//! mikir: a neural-network library for Node.js.
//!
//! | module | holds |
//! |---|---|
//! | [`nn`] | the core: networks and how they learn, in pure Rust |
//! | [`mod@format`] | networks and runs as files |
//! | [`engine`] | what every host calls: any precision behind one type |
//! | `node` | the host Node.js: converts, calls, maps errors (feature `node`) |
//! | `wasm` | the host WebAssembly: plain exports (targets of the family `wasm`) |

pub mod engine;
pub mod format;
pub mod nn;

#[cfg(feature = "node")]
mod node;

#[cfg(target_family = "wasm")]
mod wasm;
