//! What every host calls: networks, data, fits and trainers of any precision, each behind one type. It knows no host.
//!
//! | module | holds |
//! |---|---|
//! | [`border`] | the numbers that both sides of the border know |
//! | [`calls`] | the functions that a host hands to its JavaScript |
//! | [`layout`] | the one buffer that a host keeps for a network |
//! | [`model`] | what networks of the same architecture share |
//! | [`data_set`] | rows |
//! | [`run`] | training runs, and what is seen of them from outside |
//! | [`fit`] | options, data, a run on a native thread, and what a host sees of it |
//! | [`trainer`] | sessions that a host steps and lends to fits |

pub mod border;
pub mod calls;
pub mod data_set;
pub mod fit;
pub mod layout;
pub mod model;
pub mod run;
pub mod trainer;
