//! Core errors as JavaScript exceptions.

use napi::{Env, JsError, JsRangeError, JsTypeError};

use crate::nn::{Code, Error};

/// The exception for `error`, to be returned from a function that Node called.
pub fn failure(env: &Env, error: Error) -> napi::Error {
    let reason = napi::Error::new(error.code.as_str(), error.to_string());
    let exception = match error.code {
        Code::InvalidType | Code::UnknownOption | Code::InvalidCombination => {
            JsTypeError::from(reason).into_unknown(*env)
        }
        Code::Internal | Code::Diverged | Code::File | Code::CorruptFile => {
            JsError::from(reason).into_unknown(*env)
        }
        _ => JsRangeError::from(reason).into_unknown(*env),
    };
    napi::Error::from(exception)
}

/// The error of a call that JavaScript's own checks should never have let through.
pub fn internal(expected: &str, name: &str, received: impl std::fmt::Display) -> Error {
    Error::new(Code::Internal, expected, name, received)
}
