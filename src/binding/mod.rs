//! The crossing between JavaScript and the core: converts, calls, maps errors.
//!
//! | module | holds |
//! |---|---|
//! | [`addon`] | what the addon exports |
//! | [`model`] | an architecture with its workspace, and the layout of a network's one buffer |
//! | [`fit`] | native threads that train, and what JavaScript sees of them |
//! | [`trainer`] | sessions that JavaScript steps and lends to fits |
//! | [`progress`] | a bar on stderr |
//! | [`interrupt`] | whether a long call is to end |
//! | [`slots`] | things that JavaScript knows by number |
//! | [`fast_function`] | the cheapest call that Node-API allows |
//! | [`failure`] | core errors as JavaScript exceptions |

mod addon;
mod failure;
mod fast_function;
mod fit;
mod interrupt;
mod model;
mod progress;
mod slots;
mod trainer;
