//! What a platform provides. All that the core asks of an operating system is asked here.
//!
//! | module | holds |
//! |---|---|
//! | [`files`] | files that are written whole or not at all |
//! | [`archive`] | JSON and tensors in one file, with a checksum, for checkpoints |
//! | [`clock`] | the time |
//! | [`team`] | threads that share the steps of a fit |

pub mod archive;
pub mod clock;
pub mod files;
pub mod team;

pub use clock::Clock;

use std::sync::OnceLock;
use std::thread;

/// How many threads can run at a time; 1 where nobody knows.
pub fn threads() -> usize {
    // Asked once: Linux answers from files, which takes as long as the training of a small network.
    static THREADS: OnceLock<usize> = OnceLock::new();
    *THREADS.get_or_init(|| thread::available_parallelism().map_or(1, usize::from))
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
