//! Core errors as JavaScript exceptions.

use napi::bindgen_prelude::{FnArgs, Function, FunctionRef, Unknown};
use napi::{Env, Status};

use crate::nn::Error;

/// `createError(code: string, message: string): Error` of lib/errors.js.
pub type CreateError<'env> = Function<'env, FnArgs<(String, String)>, Unknown<'static>>;

/// Throws the errors of one JavaScript environment. They are made in JavaScript, so that their classes are those that
/// the library's users see: Node-API knows only the classes of the main context, and test runners have others.
pub struct Thrower(FunctionRef<FnArgs<(String, String)>, Unknown<'static>>);

impl Thrower {
    /// With the function that makes errors.
    pub fn new(create: CreateError) -> napi::Result<Self> {
        Ok(Thrower(create.create_ref()?))
    }

    /// Throws the exception for `error`; what it gives is to be returned from the function that Node called.
    pub fn throw(&self, env: &Env, error: Error) -> napi::Error {
        let create = self.0.borrow_back(env);
        let exception =
            create.and_then(|create| create.call((error.code.as_str().into(), error.to_string()).into()));
        match exception.and_then(|exception| env.throw(exception)) {
            Ok(()) => napi::Error::from_status(Status::PendingException),
            // An exception of the user's own code was there first.
            Err(other) => other,
        }
    }
}

/// The error of a panic.
pub fn panicked() -> Error {
    Error::internal("no panic", "the addon", "one: please report it")
}
