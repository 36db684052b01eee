//! The cheapest call that Node-API allows: a function of one ArrayBuffer that returns nothing.
//!
//! On Node 20 such a call takes 24 ns, the same through napi-rs closures 42 ns and through a napi-rs class
//! 500 ns (FunctionCallContext allocates its arguments, `#[napi]` takes a process-wide lock). A whole
//! `predict` of a small network takes 50 ns, so here, and only here, Node-API is called directly.

use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::{FromNapiValue, Function};
use napi::{Env, JsError, check_status, sys};

use crate::nn::Result;
use crate::node::failure::{Thrower, panicked};

struct FastFunction<F> {
    body: F,
    thrower: Rc<Thrower>,
}

/// A JavaScript function `name(buffer: ArrayBuffer): void` that runs `body` on the buffer's bytes.
///
/// An error of `body` is thrown; a panic in it too.
pub fn fast_function<'env, F>(
    env: &'env Env,
    name: &str,
    thrower: Rc<Thrower>,
    body: F,
) -> napi::Result<Function<'env, (), ()>>
where
    F: Fn(&mut [u8]) -> Result<()> + 'static,
{
    let body: *mut c_void = Box::into_raw(Box::new(FastFunction { body, thrower })).cast();
    let mut function = ptr::null_mut();
    // SAFETY: `env` is live; `name` is passed with its length; `call::<F>` reads the data pointer as the
    // `FastFunction` that `body` points to, which lives until `finalize::<F>`.
    check_status!(unsafe {
        sys::napi_create_function(
            env.raw(),
            name.as_ptr().cast(),
            name.len() as isize,
            Some(call::<F>),
            body,
            &mut function,
        )
    })?;
    // SAFETY: `function` was just made; the finalizer runs once, when nothing can call the function any more.
    check_status!(unsafe {
        sys::napi_add_finalizer(
            env.raw(),
            function,
            body,
            Some(finalize::<F>),
            ptr::null_mut(),
            ptr::null_mut(),
        )
    })?;
    // SAFETY: `function` is a function of `env`.
    unsafe { Function::from_napi_value(env.raw(), function) }
}

unsafe extern "C" fn finalize<F>(_: sys::napi_env, body: *mut c_void, _: *mut c_void) {
    // SAFETY: `body` came from `Box::into_raw` of such a `Box` and is not used after this.
    let body = unsafe { Box::from_raw(body.cast::<FastFunction<F>>()) };
    // A panic must not unwind into Node.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(body)));
}

unsafe extern "C" fn call<F>(env: sys::napi_env, info: sys::napi_callback_info) -> sys::napi_value
where
    F: Fn(&mut [u8]) -> Result<()>,
{
    let (mut argc, mut buffer, mut body) = (1, ptr::null_mut(), ptr::null_mut());
    let (mut data, mut length) = (ptr::null_mut(), 0);
    // SAFETY: Node passes a live `env` and `info`; room for the one argument that is asked for.
    let status =
        unsafe { sys::napi_get_cb_info(env, info, &mut argc, &mut buffer, ptr::null_mut(), &mut body) };
    debug_assert_eq!(status, sys::Status::napi_ok);
    // SAFETY: `buffer` is a value of `env` (undefined where the argument is missing); anything but an
    // ArrayBuffer is refused with a status.
    let status = unsafe { sys::napi_get_arraybuffer_info(env, buffer, &mut data, &mut length) };
    let bytes = if status == sys::Status::napi_ok && !data.is_null() {
        // SAFETY: `length` bytes at `data` belong to the buffer, which the caller keeps alive; no
        // JavaScript runs before `call` returns, so nothing else touches them.
        unsafe { std::slice::from_raw_parts_mut(data.cast(), length) }
    } else {
        &mut []
    };
    // SAFETY: `body` is the data pointer given to `napi_create_function`.
    let FastFunction { body, thrower } = unsafe { &*body.cast::<FastFunction<F>>() };
    let error = match catch_unwind(AssertUnwindSafe(|| body(bytes))) {
        Ok(Ok(())) => return ptr::null_mut(),
        Ok(Err(error)) => error,
        Err(_) => panicked(),
    };
    let exception = JsError::from(thrower.throw(&Env::from_raw(env), error));
    // SAFETY: `env` is live.
    unsafe { exception.throw_into(env) };
    ptr::null_mut()
}
