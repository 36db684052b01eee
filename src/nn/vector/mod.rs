//! The arithmetic that all rests on: numbers of two precisions, many at a time.
//!
//! | module | holds |
//! |---|---|
//! | [`real`] | the two precisions |
//! | [`simd`] | the choice of instruction set at run time |
//! | [`kernels`] | the inner loops |
//! | [`elementary`] | exponentials and logarithms as vector code |
//! | [`product`] | matrix products |
//! | [`packing`] | what large products read, copied together |
//! | `wasm` | vectors of WebAssembly, for it alone |
//! | [`memory`] | buffers, and what happens where there is no memory for one |

pub mod elementary;
pub mod kernels;
pub mod memory;
pub mod packing;
pub mod product;
pub mod real;
pub mod simd;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

pub use real::Real;
