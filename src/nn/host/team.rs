//! Threads that share the steps of a fit.
//!
//! A round of work has a share for each thread, and whoever is there first takes it: the shares of threads that the
//! system does not run are done by the others, so that nobody waits for a thread that has not begun. Between two rounds a
//! thread spins for a moment, since the next round usually follows at once, then lets others run, and then sleeps.
//! The threads start with the first round that has work for them and end with their team.

use std::cell::UnsafeCell;
use std::marker::PhantomData;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU8, Ordering};
use std::thread::{self, JoinHandle, Thread};

/// How often a thread looks for what it waits for before it lets others run: some microseconds.
const SPINS: usize = 500;

/// And how often it lets others run before it sleeps: some tens of microseconds. Whom it waits for may have its core.
const YIELDS: usize = 60;

/// Threads that do rounds of work together with the one that asks for them.
pub struct Team {
    shared: Arc<Round>,
    workers: Vec<JoinHandle<()>>,
    is_started: bool,
}

/// What the threads of a team tell each other.
struct Round {
    /// The work of the round, and who waits for its end. Written by the leader alone, while no share is open or taken.
    task: UnsafeCell<Option<(Work, Thread)>>,
    /// The shares but that of the leader.
    places: Box<[Place]>,
    has_panicked: AtomicBool,
}

/// Where a share of the work stands: on lines of the cache that no other place is on, nor its neighbour, which some
/// processors fetch too.
#[repr(align(128))]
struct Place(AtomicU8);

/// There is nothing to do.
const DONE: u8 = 0;
/// Nobody has begun it.
const OPEN: u8 = 1;
/// Somebody does it.
const TAKEN: u8 = 2;
/// There will be no more.
const OVER: u8 = 3;

// SAFETY: `task` is written before a share is opened (release) and read by who has taken one (acquire); it is not written
// again before all shares are done.
unsafe impl Sync for Round {}
// SAFETY: a `Work` is only called within the round that it was lent for.
unsafe impl Send for Round {}

type Work = *const (dyn Fn(usize) + Sync);

impl Team {
    /// A team of `size` threads, of which the caller's is one.
    pub fn new(size: usize) -> Self {
        Team {
            shared: Arc::new(Round {
                task: UnsafeCell::new(None),
                places: (1..size).map(|_| Place(AtomicU8::new(DONE))).collect(),
                has_panicked: AtomicBool::new(false),
            }),
            workers: Vec::new(),
            is_started: false,
        }
    }

    /// How many threads there are, if the system gives as many.
    pub fn size(&self) -> usize {
        1 + self.shared.places.len()
    }

    /// Starts the other threads. The others do the shares of those that the system does not give.
    fn start(&mut self) {
        let worker = |index| {
            let shared = self.shared.clone();
            let name = format!("mikir-fit-{index}");
            thread::Builder::new()
                .name(name)
                .spawn(move || shared.work(index))
                .ok()
        };
        self.workers = (1..self.size()).map_while(worker).collect();
        self.is_started = true;
    }

    /// Calls `work` with each number below `size`, which is 1 or [all](Self::size), once, on one or several threads, and
    /// returns when all are done.
    ///
    /// # Panics
    /// Where a call panics.
    pub fn run(&mut self, size: usize, work: &(dyn Fn(usize) + Sync)) {
        if size == 1 {
            return work(0);
        }
        assert_eq!(size, self.size());
        if !self.is_started {
            self.start();
        }
        let round = &*self.shared;
        // SAFETY: only the lifetime changes: nobody calls it once all shares are done, and `work` outlives that.
        let lent = unsafe { std::mem::transmute::<*const (dyn Fn(usize) + Sync + '_), Work>(work) };
        // SAFETY: all shares are done, so nobody reads it.
        unsafe { *round.task.get() = Some((lent, thread::current())) };
        for place in &round.places {
            place.0.store(OPEN, Ordering::Release);
        }
        for worker in &self.workers {
            worker.thread().unpark();
        }
        let mine = catch_unwind(AssertUnwindSafe(|| work(0)));
        round.help(1);
        let is_done = |place: &Place| place.0.load(Ordering::Acquire) == DONE;
        until(|| round.places.iter().all(is_done));
        let others = round.has_panicked.swap(false, Ordering::Relaxed);
        if let Err(panic) = mine {
            resume_unwind(panic);
        }
        assert!(!others, "a thread of the team panicked");
    }
}

impl Round {
    /// What a worker does as long as the team exists.
    fn work(&self, index: usize) {
        let state = || self.places[index - 1].0.load(Ordering::Acquire);
        loop {
            until(|| matches!(state(), OPEN | OVER));
            if state() == OVER {
                return;
            }
            self.help(index);
        }
    }

    /// Does all shares that nobody has begun, that of `index` first: thus a thread mostly has the same, whose numbers are in
    /// the cache of its core.
    fn help(&self, index: usize) {
        let count = self.places.len();
        for share in (index..=count).chain(1..index) {
            let place = &self.places[share - 1].0;
            let is_open = place.load(Ordering::Relaxed) == OPEN;
            // Whoever takes it sees the task of the round that has opened it, which cannot end before.
            if !is_open
                || place
                    .compare_exchange(OPEN, TAKEN, Ordering::Acquire, Ordering::Relaxed)
                    .is_err()
            {
                continue;
            }
            // SAFETY: the leader has written it for this round and waits for this share.
            let (work, leader) = unsafe { (*self.task.get()).clone().expect("a round has work") };
            // SAFETY: `Team::run` keeps it alive until all shares are done.
            if catch_unwind(AssertUnwindSafe(|| unsafe { (*work)(share) })).is_err() {
                self.has_panicked.store(true, Ordering::Relaxed);
            }
            place.store(DONE, Ordering::Release);
            leader.unpark();
        }
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
    for _ in 0..YIELDS {
        if is_true() {
            return;
        }
        thread::yield_now();
    }
    while !is_true() {
        thread::park();
    }
}

impl Drop for Team {
    fn drop(&mut self) {
        for place in &self.shared.places {
            place.0.store(OVER, Ordering::Release);
        }
        for worker in self.workers.drain(..) {
            worker.thread().unpark();
            // It cannot have panicked: `help` catches everything.
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
    use std::sync::atomic::AtomicUsize;

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
    fn threads_start_with_the_first_round_that_they_share() {
        let mut team = Team::new(4);
        team.run(1, &|index| assert_eq!(index, 0));
        assert!(team.workers.is_empty());
        team.run(4, &|_| {});
        assert_eq!(team.workers.len(), 3);
    }

    #[test]
    fn nobody_waits_for_a_thread_that_has_not_begun() {
        let mut team = Team::new(3);
        // As if the system gave no threads.
        team.is_started = true;
        let leader = thread::current().id();
        for _ in 0..3 {
            let done = [0, 1, 2].map(AtomicUsize::new);
            team.run(3, &|index| {
                assert_eq!(thread::current().id(), leader);
                done[index].fetch_add(10, Ordering::Relaxed);
            });
            assert_eq!(done.map(AtomicUsize::into_inner), [10, 11, 12]);
        }
    }

    #[test]
    fn a_thread_that_is_done_takes_what_another_has_not_begun() {
        // Whoever is first waits in its share until the others have done all the rest.
        let mut team = Team::new(4);
        let (held, done) = (AtomicBool::new(false), AtomicUsize::new(0));
        team.run(4, &|_| {
            if !held.swap(true, Ordering::Relaxed) {
                while done.load(Ordering::Relaxed) < 3 {
                    thread::yield_now();
                }
            }
            done.fetch_add(1, Ordering::Relaxed);
        });
        assert_eq!(done.into_inner(), 4);
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
