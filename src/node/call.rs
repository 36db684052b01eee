//! What JavaScript passes and gets, as Node-API has it.

use std::ops::Range;
use std::ptr;
use std::slice;

use napi::bindgen_prelude::{
    Float64Array, FromNapiValue, Function, FunctionCallContext, JsValue, ToNapiValue, TypeName, Uint8Array,
    Uint32Array, Unknown, ValueType,
};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi::{Env, check_status, sys};

use crate::engine::calls::{Argument, Numbers, Reply};
use crate::nn::{Error, Result};

/// The arguments of a call. Those that are memory live as long as the call, and no two may share some.
pub fn arguments<'c>(context: &'c FunctionCallContext) -> Result<Vec<Argument<'c>>> {
    let convert = |index| argument(context.env, context.get::<Unknown>(index)?);
    let arguments: napi::Result<Vec<_>> = (0..context.length()).map(convert).collect();
    let arguments = arguments
        .map_err(|error| Error::internal("an argument of the right type", "the addon", error.reason))?;
    let ranges: Vec<_> = arguments.iter().filter_map(memory).collect();
    for (place, range) in ranges.iter().enumerate() {
        let is_shared = |other: &Range<usize>| other.start < range.end && range.start < other.end;
        if ranges[..place].iter().any(is_shared) {
            return Err(Error::internal(
                "arrays of their own",
                "the addon",
                "shared memory",
            ));
        }
    }
    Ok(arguments)
}

/// Where an argument's memory is.
fn memory(argument: &Argument) -> Option<Range<usize>> {
    fn of<T>(numbers: &[T]) -> Range<usize> {
        let range = numbers.as_ptr_range();
        range.start as usize..range.end as usize
    }
    match argument {
        Argument::Buffer(bytes) => Some(of(bytes)),
        Argument::Bytes(bytes) => Some(of(bytes)),
        Argument::Doubles(numbers) => Some(of(numbers)),
        Argument::Singles(numbers) => Some(of(numbers)),
        _ => None,
    }
}

fn argument<'c>(env: &Env, value: Unknown) -> napi::Result<Argument<'c>> {
    let raw = value.raw();
    /// The value as what its type says it is.
    fn of<T: FromNapiValue>(env: &Env, raw: sys::napi_value) -> napi::Result<T> {
        // SAFETY: `raw` is a value of `env`; another type is refused with a status.
        unsafe { T::from_napi_value(env.raw(), raw) }
    }
    Ok(match value.get_type()? {
        ValueType::Undefined | ValueType::Null => Argument::Nothing,
        ValueType::Boolean => Argument::Flag(of(env, raw)?),
        ValueType::Number => Argument::Number(of(env, raw)?),
        ValueType::String => Argument::Text(of(env, raw)?),
        ValueType::Function => Argument::Wake(waker(of(env, raw)?)?),
        _ => bytes(env, raw)?,
    })
}

/// What calls a function from any thread.
fn waker(function: Function<(), ()>) -> napi::Result<Box<dyn Fn() + Send>> {
    let function = function.build_threadsafe_function::<()>().build()?;
    // Where the environment is closing there is nobody left to wake.
    Ok(Box::new(move || {
        let _ = function.call((), ThreadsafeFunctionCallMode::NonBlocking);
    }))
}

/// An `ArrayBuffer` or a typed array.
fn bytes<'c>(env: &Env, value: sys::napi_value) -> napi::Result<Argument<'c>> {
    let (mut is_buffer, mut data, mut length) = (false, ptr::null_mut(), 0);
    // SAFETY: `value` is a value of `env`; there is room for what is asked for.
    check_status!(unsafe { sys::napi_is_arraybuffer(env.raw(), value, &mut is_buffer) })?;
    if is_buffer {
        // SAFETY: as above, and it is an ArrayBuffer.
        check_status!(unsafe { sys::napi_get_arraybuffer_info(env.raw(), value, &mut data, &mut length) })?;
        return Ok(Argument::Buffer(numbers(data, length)));
    }
    let (mut kind, mut buffer, mut start) = (0, ptr::null_mut(), 0);
    // SAFETY: as above; what is no typed array is refused with a status.
    check_status!(unsafe {
        sys::napi_get_typedarray_info(
            env.raw(),
            value,
            &mut kind,
            &mut length,
            &mut data,
            &mut buffer,
            &mut start,
        )
    })?;
    match kind {
        sys::TypedarrayType::uint8_array => Ok(Argument::Bytes(numbers(data, length))),
        sys::TypedarrayType::float64_array => Ok(Argument::Doubles(numbers(data, length))),
        sys::TypedarrayType::float32_array => Ok(Argument::Singles(numbers(data, length))),
        _ => Err(napi::Error::from_reason("a typed array of another kind")),
    }
}

/// So many numbers of an argument.
fn numbers<'c, T>(data: *mut std::ffi::c_void, length: usize) -> &'c mut [T] {
    if length == 0 {
        return &mut [];
    }
    // SAFETY: they belong to an argument, which lives as long as the call; no JavaScript that could reach them runs before
    // the call returns, and `arguments` has seen that no other argument shares them.
    unsafe { slice::from_raw_parts_mut(data.cast(), length) }
}

impl TypeName for Reply {
    fn type_name() -> &'static str {
        "Reply"
    }

    fn value_type() -> ValueType {
        ValueType::Unknown
    }
}

impl ToNapiValue for Reply {
    unsafe fn to_napi_value(env: sys::napi_env, reply: Self) -> napi::Result<sys::napi_value> {
        // SAFETY: the caller's promise: `env` is live.
        unsafe {
            match reply {
                Reply::Nothing => <()>::to_napi_value(env, ()),
                Reply::Flag(flag) => bool::to_napi_value(env, flag),
                Reply::Number(number) => f64::to_napi_value(env, number),
                Reply::Text(text) => String::to_napi_value(env, text),
                Reply::Array(numbers) => array(env, numbers),
                Reply::Parts(text, arrays) => {
                    let mut parts = vec![String::to_napi_value(env, text)?];
                    for numbers in arrays {
                        parts.push(array(env, numbers)?);
                    }
                    let mut list = ptr::null_mut();
                    check_status!(sys::napi_create_array_with_length(env, parts.len(), &mut list))?;
                    for (place, part) in (0..).zip(parts) {
                        check_status!(sys::napi_set_element(env, list, place, part))?;
                    }
                    Ok(list)
                }
            }
        }
    }
}

/// So many bytes the engine gets as a copy: memory of Rust's costs it a microsecond, and is only freed when the event loop
/// turns.
const FEW: usize = 1 << 16;

/// A typed array: a copy, or one that takes the numbers over.
///
/// # Safety
/// `env` is live.
unsafe fn array(env: sys::napi_env, numbers: Numbers) -> napi::Result<sys::napi_value> {
    use sys::TypedarrayType as Kind;
    // SAFETY: the caller's promise.
    unsafe {
        match numbers {
            Numbers::Bytes(bytes) if bytes.len() <= FEW => copy(env, &bytes, Kind::uint8_array),
            Numbers::Bytes(bytes) => Uint8Array::to_napi_value(env, bytes.into()),
            Numbers::Places(places) if size_of_val(&places[..]) <= FEW => {
                copy(env, &places, Kind::uint32_array)
            }
            Numbers::Places(places) => Uint32Array::to_napi_value(env, places.into()),
            Numbers::Doubles(doubles) if size_of_val(&doubles[..]) <= FEW => {
                copy(env, &doubles, Kind::float64_array)
            }
            Numbers::Doubles(doubles) => Float64Array::to_napi_value(env, doubles.into()),
        }
    }
}

/// A typed array of this kind, in memory of the engine's.
///
/// # Safety
/// `env` is live, and `kind` is that of T.
unsafe fn copy<T: Copy>(env: sys::napi_env, numbers: &[T], kind: i32) -> napi::Result<sys::napi_value> {
    let (mut data, mut buffer, mut array) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: the caller's promise; the new buffer has room for the numbers.
    unsafe {
        check_status!(sys::napi_create_arraybuffer(
            env,
            size_of_val(numbers),
            &mut data,
            &mut buffer
        ))?;
        if !numbers.is_empty() {
            ptr::copy_nonoverlapping(numbers.as_ptr(), data.cast(), numbers.len());
        }
        check_status!(sys::napi_create_typedarray(
            env,
            kind,
            numbers.len(),
            buffer,
            0,
            &mut array
        ))?;
    }
    Ok(array)
}
