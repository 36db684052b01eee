//! The host Node.js: converts, calls, maps errors.
//!
//! | module | holds |
//! |---|---|
//! | [`connect`] | what the addon exports |
//! | [`call`] | what JavaScript passes and gets, as Node-API has it |
//! | [`interrupt`] | whether a long call is to end |
//! | [`fast_function`] | the cheapest call that Node-API allows |
//! | [`failure`] | core errors as JavaScript exceptions |

mod call;
mod connect;
mod failure;
mod fast_function;
mod interrupt;
