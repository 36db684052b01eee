//! Long calls ask now and then whether they are to end.
//!
//! A worker that is terminated, and a `vm` whose time is up, end where JavaScript code runs: native code notices
//! nothing, and a `process.exit()` waits for it. So long calls run a little JavaScript, which fails then.

use std::cell::Cell;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use napi::bindgen_prelude::{Function, FunctionRef, JsValue};
use napi::{Env, check_status, sys};

use crate::engine::calls::Host;
use crate::nn::host::Clock;

/// So many milliseconds pass between two questions.
const PERIOD: f64 = 10.0;

/// And at most so many between two looks at the clock, which take as long as a small step.
const LOOK: f64 = 0.1;

/// A function of JavaScript that does nothing.
pub type Nothing = FunctionRef<(), ()>;

/// Whether a call is to end; any thread that works for it may ask.
pub struct Interrupt<'c> {
    env: &'c Env,
    nothing: &'c Nothing,
    /// The thread of JavaScript.
    home: usize,
    clock: Clock,
    /// When somebody last looked at the clock, and when JavaScript was last asked.
    looked: Cell<f64>,
    asked: Cell<f64>,
    /// How often this is asked between two looks, and how often until the next.
    stride: Cell<u32>,
    left: Cell<u32>,
    has_come: AtomicBool,
}

// SAFETY: all but `has_come` is used on the thread of JavaScript alone.
unsafe impl Sync for Interrupt<'_> {}

/// A number that no other thread has.
fn here() -> usize {
    thread_local!(static HERE: u8 = const { 0 });
    HERE.with(|here| ptr::from_ref(here) as usize)
}

impl<'c> Interrupt<'c> {
    /// For the call that Node makes now. Every call has one, so it costs next to nothing until it is asked.
    pub fn new(env: &'c Env, nothing: &'c Nothing) -> Self {
        Interrupt {
            env,
            nothing,
            home: here(),
            clock: Clock::start(),
            looked: Cell::new(0.0),
            asked: Cell::new(0.0),
            stride: Cell::new(0),
            left: Cell::new(0),
            has_come: AtomicBool::new(false),
        }
    }

    /// Whether the call is to end. Then an exception is pending, or none can be: nothing may be thrown.
    fn has_come(&self) -> bool {
        if self.has_come.load(Ordering::Relaxed) {
            return true;
        }
        if here() != self.home {
            return false;
        }
        match self.left.get() {
            0 => self.look(),
            left => {
                self.left.set(left - 1);
                false
            }
        }
    }

    fn look(&self) -> bool {
        let now = self.clock.milliseconds();
        let stride = self.stride.get();
        // What takes longer from one question to the next is looked at more often.
        let is_frequent = now - self.looked.get() < LOOK;
        self.stride.set(if is_frequent {
            (2 * stride + 1).min(1 << 10)
        } else {
            stride / 4
        });
        self.left.set(self.stride.get());
        self.looked.set(now);
        if now - self.asked.get() < PERIOD {
            return false;
        }
        self.asked.set(now);
        let has_come = self.ask().is_err();
        self.has_come.store(has_come, Ordering::Relaxed);
        has_come
    }

    /// Runs a little JavaScript: it fails where the call is to end.
    fn ask(&self) -> napi::Result<()> {
        let nothing: Function<(), ()> = self.nothing.borrow_back(self.env)?;
        let mut receiver = ptr::null_mut();
        // SAFETY: on the thread of JavaScript, within the call whose environment this is; the values are of it.
        unsafe {
            check_status!(sys::napi_get_undefined(self.env.raw(), &mut receiver))?;
            check_status!(sys::napi_call_function(
                self.env.raw(),
                receiver,
                nothing.raw(),
                0,
                ptr::null(),
                ptr::null_mut(),
            ))
        }
    }
}

/// What Node.js can do for a call.
impl Host for Interrupt<'_> {
    fn is_cut(&self) -> bool {
        self.has_come()
    }

    fn adjust_memory(&self, bytes: i64) {
        // It only fails where the environment is being torn down.
        let _ = self.env.adjust_external_memory(bytes);
    }
}
