//! Long calls ask now and then whether they are to end.
//!
//! A worker that is terminated, and a `vm` whose time is up, end where JavaScript code runs: native code notices
//! nothing, and a `process.exit()` waits for it. So long calls run a little JavaScript, which fails then.

use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, ThreadId};

use napi::bindgen_prelude::{Function, FunctionRef, JsValue};
use napi::{Env, check_status, sys};

use crate::nn::host::Clock;

/// So many milliseconds pass between two questions.
const PERIOD: u64 = 10;

/// A function of JavaScript that does nothing.
pub type Nothing = FunctionRef<(), ()>;

/// Whether a call is to end; any thread that works for it may ask.
pub struct Interrupt {
    env: sys::napi_env,
    receiver: sys::napi_value,
    nothing: sys::napi_value,
    /// The thread of JavaScript.
    home: ThreadId,
    clock: Clock,
    /// When the next question is due.
    due: AtomicU64,
    has_come: AtomicBool,
}

// SAFETY: what belongs to Node-API is used on its own thread alone.
unsafe impl Sync for Interrupt {}

impl Interrupt {
    /// For the call that Node makes now: it must not outlive it.
    pub fn new(env: &Env, nothing: &Nothing) -> napi::Result<Self> {
        let mut receiver = ptr::null_mut();
        // SAFETY: `env` is live.
        check_status!(unsafe { sys::napi_get_undefined(env.raw(), &mut receiver) })?;
        let nothing: Function<(), ()> = nothing.borrow_back(env)?;
        Ok(Interrupt {
            env: env.raw(),
            receiver,
            nothing: nothing.raw(),
            home: thread::current().id(),
            clock: Clock::start(),
            due: AtomicU64::new(PERIOD),
            has_come: AtomicBool::new(false),
        })
    }

    /// Whether the call is to end. Then an exception is pending, or none can be: nothing may be thrown.
    pub fn has_come(&self) -> bool {
        if self.has_come.load(Ordering::Relaxed) {
            return true;
        }
        let now = self.clock.milliseconds() as u64;
        if now < self.due.load(Ordering::Relaxed) || thread::current().id() != self.home {
            return false;
        }
        // SAFETY: on the thread of JavaScript, within the call that the values belong to.
        let status = unsafe {
            sys::napi_call_function(
                self.env,
                self.receiver,
                self.nothing,
                0,
                ptr::null(),
                ptr::null_mut(),
            )
        };
        self.due.store(now + PERIOD, Ordering::Relaxed);
        self.has_come
            .store(status != sys::Status::napi_ok, Ordering::Relaxed);
        status != sys::Status::napi_ok
    }
}
