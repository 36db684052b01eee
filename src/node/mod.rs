//! The host Node.js: converts, calls, maps errors.
//!
//! | module | holds |
//! |---|---|
//! | [`connect`] | what the addon exports |
//! | [`call`] | what every call has: its environment, its arguments, and ways back |
//! | [`network_calls`] | the functions of networks |
//! | [`data_calls`] | the functions of data sets |
//! | [`fit_calls`] | the functions of fits |
//! | [`table_calls`] | the functions of tables |
//! | [`trainer_calls`] | the functions of trainers |
//! | [`format_calls`] | the functions of files |
//! | [`interrupt`] | whether a long call is to end |
//! | [`fast_function`] | the cheapest call that Node-API allows |
//! | [`failure`] | core errors as JavaScript exceptions |

mod call;
mod connect;
mod data_calls;
mod failure;
mod fast_function;
mod fit_calls;
mod format_calls;
mod interrupt;
mod network_calls;
mod table_calls;
mod trainer_calls;
