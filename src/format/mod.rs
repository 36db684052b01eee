//! Networks and runs as files.
//!
//! | module | holds |
//! |---|---|
//! | [`archive`] | JSON and tensors in one file, with a checksum |

pub mod archive;
