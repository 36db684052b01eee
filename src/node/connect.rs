//! What the addon exports: `connect()`, which gives a JavaScript environment its functions and models.

use std::cell::{Cell, RefCell};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::rc::Rc;

use napi::bindgen_prelude::{Function, FunctionCallContext, JsValue, Object, ToNapiValue};
use napi::{Env, sys};
use napi_derive::napi;
use rand::TryRng;
use rand::rngs::SysRng;

use crate::engine::border::border;
use crate::engine::calls::{self, Call, Home, Reply};
use crate::nn::network::architecture::MAX_PARAMETERS;
use crate::nn::switch::Switch;
use crate::nn::vector::simd::{self, Level};
use crate::nn::{Error, Result, random};
use crate::node::call::arguments;
use crate::node::failure::{CreateError, Thrower, panicked};
use crate::node::fast_function::fast_function;
use crate::node::interrupt::{Interrupt, Nothing};

/// What one JavaScript environment has.
struct Environment {
    home: Home,
    thrower: Rc<Thrower>,
    nothing: Nothing,
    /// The numbers of the scopes that are open, and how many there have been.
    scopes: RefCell<Vec<u32>>,
    scope_count: Cell<u32>,
}

/// Where the functions of the addon are collected.
struct Exports<'e> {
    env: &'e Env,
    environment: Rc<Environment>,
    object: Object<'e>,
}

impl Exports<'_> {
    fn function<R: ToNapiValue + 'static>(
        &mut self,
        name: &str,
        body: impl Fn(&FunctionCallContext, &Environment) -> Result<R> + 'static,
    ) -> napi::Result<()> {
        let environment = self.environment.clone();
        let function = self
            .env
            .create_function_from_closure::<(), R, _>(name, move |context| {
                let call = || body(&context, &environment);
                let result = catch_unwind(AssertUnwindSafe(call)).unwrap_or_else(|_| Err(panicked()));
                result.map_err(|error: Error| environment.thrower.throw(context.env, error))
            })?;
        self.object.set(name, function)
    }

    fn fast_function(&mut self, name: &str, body: fn(&Home, &mut [u8]) -> Result<()>) -> napi::Result<()> {
        let environment = self.environment.clone();
        let thrower = environment.thrower.clone();
        let body = move |buffer: &mut [u8]| body(&environment.home, buffer);
        let function = fast_function(self.env, name, thrower, body)?;
        self.object.set(name, function)
    }
}

/// The functions of the addon, bound to models of their own. Called once for each JavaScript environment, with what
/// makes errors and a function that does nothing.
#[napi(catch_unwind)]
pub fn connect<'env>(
    env: &'env Env,
    create_error: CreateError<'env>,
    nothing: Function<'env, (), ()>,
) -> napi::Result<Object<'env>> {
    let thrower = Thrower::new(create_error)?;
    Level::asked().map_err(|error| thrower.throw(env, error))?;
    Switch::asked().map_err(|error| thrower.throw(env, error))?;
    let environment = Rc::new(Environment {
        home: Home::default(),
        thrower: Rc::new(thrower),
        nothing: nothing.create_ref()?,
        scopes: RefCell::default(),
        scope_count: Cell::new(0),
    });
    // Threads must not outlive the environment: its end may unload this code.
    env.add_env_cleanup_hook(environment.clone(), |environment| {
        environment.home.fits.borrow_mut().close();
    })?;
    let mut add = Exports {
        env,
        environment,
        object: Object::new(env)?,
    };
    add.object.set("border", border().to_string())?;
    add.object.set("maxParameters", MAX_PARAMETERS as f64)?;
    let names = Level::ALL.iter().filter(|&&level| level <= Level::of_processor());
    add.object
        .set("simdLevels", names.map(|level| level.name()).collect::<Vec<_>>())?;
    add.object.set("simdLevel", simd::level().name())?;
    add.fast_function("predict", Home::predict)?;
    add.fast_function("train", Home::train)?;
    add.fast_function("step", Home::step)?;
    add.function("within", within)?;
    add.function("isWithin", is_within)?;
    add.function("drawSeed", draw_seed)?;
    for (name, body, _) in calls::functions() {
        add.function(name, move |context, environment| {
            let host = Interrupt::new(context.env, &environment.nothing);
            body(&mut Call::new(arguments(context)?, &environment.home, &host))
        })?;
    }
    Ok(add.object)
}

/// `within(body)`: calls `body` with the number of a scope, which is open as long as `body` runs. JavaScript's own
/// `finally` is no help where the end of a `vm`'s time cuts `body`.
fn within(context: &FunctionCallContext, environment: &Environment) -> Result<Reply> {
    let body: Function<u32, ()> = argument(context)?;
    let env = &*context.env;
    let number = environment.scope_count.get();
    environment.scope_count.set(number.wrapping_add(1));
    environment.scopes.borrow_mut().push(number);
    let (mut argument, mut receiver) = (ptr::null_mut(), ptr::null_mut());
    // SAFETY: `env` is live and the values are of this call. What `body` throws stays pending: it is for the caller.
    unsafe {
        sys::napi_create_uint32(env.raw(), number, &mut argument);
        sys::napi_get_undefined(env.raw(), &mut receiver);
        sys::napi_call_function(env.raw(), receiver, body.raw(), 1, &argument, ptr::null_mut());
    }
    environment.scopes.borrow_mut().pop();
    if environment.scopes.borrow().is_empty() {
        environment.home.fits.borrow_mut().drop_leftovers();
    }
    Ok(Reply::Nothing)
}

/// `isWithin(number): boolean`: whether the scope is open.
fn is_within(context: &FunctionCallContext, environment: &Environment) -> Result<Reply> {
    let number = argument(context)?;
    Ok(environment.scopes.borrow().contains(&number).into())
}

/// `drawSeed(): number`: a seed that nobody chose, from the operating system.
fn draw_seed(_: &FunctionCallContext, _: &Environment) -> Result<Reply> {
    let bits = SysRng
        .try_next_u64()
        .map_err(|error| Error::internal("a random number", "the seed", error))?;
    Ok(((bits % random::SEED_LIMIT) as f64).into())
}

fn argument<T: napi::bindgen_prelude::FromNapiValue>(context: &FunctionCallContext) -> Result<T> {
    context
        .get(0)
        .map_err(|error| Error::internal("an argument of the right type", "the addon", error.reason))
}
