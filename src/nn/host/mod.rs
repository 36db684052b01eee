//! What a platform provides. All that the core asks of an operating system is asked here.
//!
//! | module | holds |
//! |---|---|
//! | [`files`] | files that are written whole or not at all |
//! | [`archive`] | JSON and tensors in one file, with a checksum, for checkpoints |
//! | [`clock`] | the time |
//! | [`team`] | threads that share the steps of a fit |
//! | `web` | what JavaScript provides where there is no operating system: WebAssembly |

pub mod archive;
pub mod clock;
#[cfg(not(target_family = "wasm"))]
pub mod files;
#[cfg(target_family = "wasm")]
pub use web as files;
pub mod team;
#[cfg(target_family = "wasm")]
pub mod web;

pub use clock::Clock;

use std::io;
use std::sync::OnceLock;
use std::thread::{self, JoinHandle};

/// How many threads can run at a time; 1 where nobody knows.
pub fn threads() -> usize {
    // Asked once: Linux answers from files, which takes as long as the training of a small network.
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
}

/// Begins work on a thread of this name. Where there are no threads it is done when this returns.
///
/// # Errors
/// The system's, where it gives no thread.
pub fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> io::Result<Option<JoinHandle<()>>> {
    if cfg!(target_family = "wasm") {
        work();
        return Ok(None);
    }
    thread::Builder::new().name(name.into()).spawn(work).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_runs_and_a_thread_is_there() {
        let clock = Clock::start();
        thread::sleep(std::time::Duration::from_millis(2));
        let first = clock.milliseconds();
        assert!(first >= 2.0 && clock.milliseconds() >= first);
        assert!(threads() >= 1);
    }
}
