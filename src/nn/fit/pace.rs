//! Whether the steps of a fit are shared by threads: as long as they are done sooner that way.
//!
//! How many cores there are says little, as other programs may use them: then a thread waits for others that do not run.
//! Only the clock tells, so both ways are tried, and again from time to time.

/// How long is measured before anything is decided: some milliseconds at most, and at least one pass.
const WINDOW: f64 = 1.0;

/// After so many windows of one way the other one is tried.
const LOOK: u32 = 100;

/// Threads that have stayed ahead for so many windows are soon tried again when they fall behind.
const STEADY: u32 = 8;

/// How much a window counts in the average of its way.
const WEIGHT: f64 = 0.25;

/// Chooses between one thread and all.
pub struct Pace {
    is_together: bool,
    /// The milliseconds and rows of the window.
    time: f64,
    rows: f64,
    /// How many windows there have been since the last change.
    windows: u32,
    /// Milliseconds a row: of now, and of the other way when it was last taken.
    rate: f64,
    other: Option<f64>,
    /// How many windows one thread has before all are tried again.
    alone: u32,
    /// The same for when they fall behind next.
    next_alone: u32,
}

impl Pace {
    /// Begins with all threads.
    pub fn begin() -> Self {
        Pace {
            is_together: true,
            time: 0.0,
            rows: 0.0,
            windows: 0,
            rate: 0.0,
            other: None,
            alone: 1,
            next_alone: 1,
        }
    }

    /// Whether threads are to share the next pass.
    pub fn is_together(&self) -> bool {
        self.is_together
    }

    /// Takes in how long a pass took.
    pub fn took(&mut self, rows: usize, milliseconds: f64) {
        self.time += milliseconds;
        self.rows += rows as f64;
        if self.time < WINDOW {
            return;
        }
        let rate = self.time / self.rows;
        (self.time, self.rows) = (0.0, 0.0);
        self.windows += 1;
        self.rate = match self.windows {
            1 => rate,
            _ => self.rate + WEIGHT * (rate - self.rate),
        };
        if !self.is_together {
            if self.windows >= self.alone {
                self.change();
            }
            return;
        }
        match self.other {
            Some(alone) if self.rate > alone => {
                if self.windows >= STEADY {
                    self.next_alone = 1;
                }
                self.alone = self.next_alone;
                self.next_alone = (2 * self.next_alone).min(LOOK);
                self.change();
            }
            Some(_) if self.windows < LOOK => {}
            _ => {
                self.alone = 1;
                self.change();
            }
        }
    }

    fn change(&mut self) {
        self.is_together = !self.is_together;
        self.other = Some(self.rate);
        self.windows = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How much longer `passes` passes take than those of one thread, which take a quarter of a millisecond each: together
    /// they take the time that `together` gives, pass by pass.
    fn cost(pace: &mut Pace, passes: usize, together: impl Fn(usize) -> f64) -> f64 {
        let mut time = 0.0;
        for pass in 0..passes {
            let milliseconds = if pace.is_together() { together(pass) } else { 0.25 };
            time += milliseconds;
            pace.took(32, milliseconds);
        }
        time / (0.25 * passes as f64)
    }

    #[test]
    fn threads_that_are_faster_go_on() {
        let cost = cost(&mut Pace::begin(), 40_000, |_| 0.13);
        assert!((0.52..0.53).contains(&cost), "{cost}");
    }

    #[test]
    fn threads_that_are_slower_are_hardly_tried() {
        for milliseconds in [0.26, 0.5, 1.0, 3.0] {
            let cost = cost(&mut Pace::begin(), 40_000, |_| milliseconds);
            assert!((1.0..1.15).contains(&cost), "{milliseconds}: {cost}");
        }
    }

    #[test]
    fn a_pass_that_now_and_then_waits_for_long_is_noticed() {
        // Half as long, but that another program is in the way of one in ten.
        let together = |pass| if pass % 10 == 9 { 5.0 } else { 0.13 };
        let cost = cost(&mut Pace::begin(), 40_000, together);
        assert!(cost < 1.15, "{cost}");
    }

    #[test]
    fn what_changes_is_noticed() {
        let mut pace = Pace::begin();
        for _ in 0..3 {
            let fast = cost(&mut pace, 4000, |_| 0.13);
            assert!(fast < 0.65, "{fast}");
            let slow = cost(&mut pace, 4000, |_| 3.0);
            assert!(slow < 1.2, "{slow}");
        }
    }

    #[test]
    fn a_pass_of_many_rows_is_compared_by_the_row() {
        let mut pace = Pace::begin();
        for _ in 0..3 {
            // Together a row takes half as long.
            let together = pace.is_together();
            pace.took(
                if together { 1000 } else { 10 },
                if together { 50.0 } else { 1.0 },
            );
        }
        assert!(pace.is_together());
        pace.took(1000, 50.0);
        assert!(pace.is_together());
    }
}
