//! Threads that share the steps of a fit.
//!
//! Between two rounds a thread spins for a moment, since the next round usually follows at once, and then
//! sleeps. The threads end with their team.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::{self, JoinHandle, Thread};

/// How often a thread looks for work before it sleeps: some tens of microseconds.
const SPINS: usize = 2000;

/// Threads that do rounds of work together with the one that asks for them.
pub struct Team {
    shared: Arc<Round>,
    workers: Vec<JoinHandle<()>>,
}

/// What the threads of a team tell each other.
struct Round {
    /// The work of the round, and who waits for its end. Written by the leader alone, while no worker works.
    task: UnsafeCell<Option<(Work, Thread)>>,
    /// Counts the rounds.
    number: AtomicUsize,
    /// How many workers have not finished the round.
    working: AtomicUsize,
    has_panicked: AtomicBool,
    is_over: AtomicBool,
}

// SAFETY: `task` is written before `number` is raised (release) and read after that was seen (acquire); it is
// not written again before `working` has come down to 0.
unsafe impl Sync for Round {}
// SAFETY: a `Work` is only called within the round that it was lent for.
unsafe impl Send for Round {}

type Work = *const (dyn Fn(usize) + Sync);

impl Team {
    /// A team of `size` threads, of which the caller's is one. There are fewer where the system gives no more.
    pub fn new(size: usize) -> Self {
        let shared = Arc::new(Round {
            task: UnsafeCell::new(None),
            number: AtomicUsize::new(0),
            working: AtomicUsize::new(0),
            has_panicked: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
        });
        let worker = |index| {
            let shared = shared.clone();
            let name = format!("mikir-fit-{index}");
            thread::Builder::new()
                .name(name)
                .spawn(move || shared.work(index))
                .ok()
        };
        let workers = (1..size).map_while(worker).collect();
        Team { shared, workers }
    }

    /// How many threads there are.
    pub fn size(&self) -> usize {
        1 + self.workers.len()
    }

    /// Calls `work` with each number below `size`, which is 1 or [all](Self::size), each on a thread of its own,
    /// and returns when all are done.
    ///
    /// # Panics
    /// Where a call panics.
    pub fn run(&mut self, size: usize, work: &(dyn Fn(usize) + Sync)) {
        if size == 1 {
            return work(0);
        }
        assert_eq!(size, self.size());
        let round = &*self.shared;
        // SAFETY: only the lifetime changes: no worker calls it after `wait`, and `work` outlives that.
        let lent = unsafe { std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), Work>(work) };
        // SAFETY: no worker is at work, so none reads it.
        unsafe { *round.task.get() = Some((lent, thread::current())) };
        round.working.store(self.workers.len(), Ordering::Relaxed);
        round.number.fetch_add(1, Ordering::Release);
        for worker in &self.workers {
            worker.thread().unpark();
        }
        let mine = catch_unwind(AssertUnwindSafe(|| work(0)));
        round.wait();
        if let Err(panic) = mine {
            resume_unwind(panic);
        }
        assert!(
            !round.has_panicked.swap(false, Ordering::Relaxed),
            "a thread of the team panicked"
        );
    }
}

impl Round {
    /// What a worker does as long as the team exists.
    fn work(&self, index: usize) {
        let mut done = 0;
        loop {
            until(|| self.number.load(Ordering::Acquire) != done || self.is_over.load(Ordering::Acquire));
            if self.is_over.load(Ordering::Acquire) {
                return;
            }
            done += 1;
            // SAFETY: the leader has written it for this round and waits for `working`.
            let (work, leader) = unsafe { (*self.task.get()).clone().expect("a round has work") };
            // SAFETY: `Team::run` keeps it alive until all workers are done.
            if catch_unwind(AssertUnwindSafe(|| unsafe { (*work)(index) })).is_err() {
                self.has_panicked.store(true, Ordering::Relaxed);
            }
            if self.working.fetch_sub(1, Ordering::AcqRel) == 1 {
                leader.unpark();
            }
        }
    }

    fn wait(&self) {
        until(|| self.working.load(Ordering::Acquire) == 0);
    }
}

/// Waits until `is_true`: whoever makes it so unparks this thread.
fn until(is_true: impl Fn() -> bool) {
    for _ in 0..SPINS {
        if is_true() {
            return;
        }
        std::hint::spin_loop();
    }
    while !is_true() {
        thread::park();
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::Release);
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // It cannot have panicked: `work` catches everything.
            let _ = worker.join();
        }
    }
}

/// The part of `0..count` that is thread `index`'s of `size`: whole blocks of 16, and never fewer than that
/// where it is any.
pub fn share(count: usize, index: usize, size: usize) -> Range<usize> {
    const BLOCK: usize = 16;
    if size == 1 {
        return 0..count;
    }
    // The last block takes what is left over.
    let blocks = (count / BLOCK).max(1);
    let start = |index: usize| match blocks * index / size {
        block if block == blocks => count,
        block => block * BLOCK,
    };
    start(index)..start(index + 1)
}

/// A slice of which several threads use different parts at once.
pub struct Shared<'a, T> {
    start: *mut T,
    length: usize,
    lifetime: PhantomData<&'a mut [T]>,
}

impl<T> Clone for Shared<'_, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Shared<'_, T> {}

// SAFETY: it gives access to the elements only through functions whose callers answer for that.
unsafe impl<T: Send + Sync> Send for Shared<'_, T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Shared<'_, T> {}

impl<'a, T> Shared<'a, T> {
    /// Shares `slice`.
    pub fn new(slice: &'a mut [T]) -> Self {
        Shared {
            start: slice.as_mut_ptr(),
            length: slice.len(),
            lifetime: PhantomData,
        }
    }

    /// Shares `slice` to be read only.
    pub fn of(slice: &'a [T]) -> Self {
        Shared {
            start: slice.as_ptr().cast_mut(),
            length: slice.len(),
            lifetime: PhantomData,
        }
    }

    /// The elements in `range`, to be read.
    ///
    /// # Safety
    /// Nobody may write them as long as the result is used.
    ///
    /// # Panics
    /// Where they are not all there.
    pub unsafe fn read(self, range: Range<usize>) -> &'a [T] {
        assert!(range.start <= range.end && range.end <= self.length);
        // SAFETY: within the slice, as just checked; the caller answers for the rest.
        unsafe { std::slice::from_raw_parts(self.start.add(range.start), range.len()) }
    }

    /// The elements in `range`, to be written.
    ///
    /// # Safety
    /// Nobody else may read or write them as long as the result is used, and they must come from [`new`](Self::new).
    ///
    /// # Panics
    /// Where they are not all there.
    pub unsafe fn write(self, range: Range<usize>) -> &'a mut [T] {
        assert!(range.start <= range.end && range.end <= self.length);
        // SAFETY: as above.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(range.start), range.len()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_thread_does_its_part_of_every_round() {
        for size in [1, 2, 3, 5] {
            let mut team = Team::new(size);
            assert_eq!(team.size(), size);
            let counts: Vec<AtomicUsize> = (0..size).map(|_| AtomicUsize::new(0)).collect();
            for round in 1..=3000 {
                team.run(size, &|index| {
                    counts[index].fetch_add(1, Ordering::Relaxed);
                });
                assert!(counts.iter().all(|count| count.load(Ordering::Relaxed) == round));
            }
        }
    }

    #[test]
    fn sleeping_threads_wake_up() {
        let mut team = Team::new(3);
        let sum = AtomicUsize::new(0);
        for _ in 0..5 {
            thread::sleep(std::time::Duration::from_millis(3));
            team.run(3, &|index| {
                thread::sleep(std::time::Duration::from_millis(2 * index as u64));
                sum.fetch_add(index, Ordering::Relaxed);
            });
        }
        assert_eq!(sum.into_inner(), 15);
    }

    #[test]
    fn a_panic_reaches_the_caller_and_the_team_lives_on() {
        let mut team = Team::new(2);
        for culprit in [0, 1] {
            let panicking = |index| assert_ne!(index, culprit);
            assert!(catch_unwind(AssertUnwindSafe(|| team.run(2, &panicking))).is_err());
            let done = AtomicUsize::new(0);
            team.run(2, &|_| {
                done.fetch_add(1, Ordering::Relaxed);
            });
            assert_eq!(done.into_inner(), 2);
        }
    }

    #[test]
    fn shares_cover_everything_once_in_blocks() {
        for count in (0..100).chain([784, 1000]) {
            for size in 1..6 {
                let mut end = 0;
                for index in 0..size {
                    let range = share(count, index, size);
                    assert_eq!(range.start, end);
                    assert!(range.is_empty() || range.len() >= 16 || range.len() == count);
                    end = range.end;
                }
                assert_eq!(end, count);
            }
        }
    }
}
