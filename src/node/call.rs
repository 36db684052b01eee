//! What every call has: its environment, its arguments, and ways back.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::rc::Rc;

use napi::Env;
use napi::bindgen_prelude::{ArrayBuffer, FromNapiValue, Function, FunctionCallContext, Object, ToNapiValue};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;

use crate::engine::fit::Fits;
use crate::engine::model::Models;
use crate::nn::host::Clock;
use crate::nn::{Error, Result};
use crate::node::failure::{Thrower, panicked};
use crate::node::interrupt::{Interrupt, Nothing};

/// What one JavaScript environment has.
pub struct Environment {
    pub models: RefCell<Models>,
    pub fits: RefCell<Fits>,
    pub thrower: Rc<Thrower>,
    pub nothing: Nothing,
    pub clock: Clock,
    /// The numbers of the scopes that are open, and how many there have been.
    pub scopes: RefCell<Vec<u32>>,
    pub scope_count: Cell<u32>,
}

pub type Shared = Rc<Environment>;

/// What calls the function that is an argument from any thread.
pub fn waker(call: &Call, index: usize) -> Result<impl Fn() + Send + 'static> {
    let wake = call.argument::<Function<(), ()>>(index)?;
    let wake = wake
        .build_threadsafe_function::<()>()
        .build()
        .map_err(|error| Error::internal("a function", "the call", error.reason))?;
    // Where the environment is closing there is nobody left to wake.
    Ok(move || {
        let _ = wake.call((), ThreadsafeFunctionCallMode::NonBlocking);
    })
}

pub fn no_such(thing: &str, number: u32) -> Error {
    Error::internal(&format!("the number of a {thing}"), "the call", number)
}

/// A place for JavaScript: -1 where there is none.
pub fn place(place: Option<usize>) -> f64 {
    place.map_or(-1.0, |place| place as f64)
}

/// The arguments of a call.
pub struct Call<'c>(pub &'c FunctionCallContext<'c>);

impl Call<'_> {
    pub fn argument<T: FromNapiValue>(&self, index: usize) -> Result<T> {
        self.0
            .get(index)
            .map_err(|error| Error::internal("an argument of the right type", "the addon", error.reason))
    }
}

impl Call<'_> {
    pub fn interrupt(&self, home: &Environment) -> Result<Interrupt> {
        Interrupt::new(self.0.env, &home.nothing)
            .map_err(|error| Error::internal("a way back to JavaScript", "the call", error.reason))
    }

    /// Tells the engine of memory that lives in Rust, so that it knows when to look for garbage.
    pub fn adjust_memory(&self, bytes: i64) {
        // It only fails where the environment is being torn down.
        let _ = self.0.env.adjust_external_memory(bytes);
    }
}

/// Where the functions of the addon are collected.
pub struct Exports<'e> {
    pub env: &'e Env,
    pub home: Shared,
    pub object: Object<'e>,
}

impl Exports<'_> {
    pub fn function<R: ToNapiValue + 'static>(
        &mut self,
        name: &str,
        body: fn(&Call, &Environment) -> Result<R>,
    ) -> napi::Result<()> {
        let home = self.home.clone();
        let function = self
            .env
            .create_function_from_closure::<(), R, _>(name, move |context| {
                let call = || body(&Call(&context), &home);
                let result = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(panicked()));
                result.map_err(|error: Error| home.thrower.throw(context.env, error))
            })?;
        self.object.set(name, function)
    }
}

/// The bytes of an ArrayBuffer, to be written.
pub fn bytes_mut<'a>(buffer: &'a mut ArrayBuffer) -> &'a mut [u8] {
    // SAFETY: the bytes belong to the buffer, an argument that lives as long as the call, and no JavaScript
    // runs before the call returns; napi-rs only lacks a mutable view of them.
    unsafe { std::slice::from_raw_parts_mut(buffer.as_ptr().cast_mut(), buffer.len()) }
}
