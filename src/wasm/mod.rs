//! The host WebAssembly: plain exports, which lib/hosts/wasm.js calls.
//!
//! JavaScript writes into the module's memory, and reads from it, only where an export has told it to: all that crosses
//! belongs to Rust. A call goes so: `begin`, an export for each argument, `call`, then what the reply consists of. There is
//! one thread, one call at a time.

use std::cell::RefCell;

use slab::Slab;

use crate::engine::border::border;
use crate::engine::calls::{self, Argument, Call, Function, Home, Host, Numbers, Reply};
use crate::nn::host::web;
use crate::nn::network::architecture::MAX_PARAMETERS;
use crate::nn::{Error, Result};

thread_local! {
    static STATE: RefCell<State> = RefCell::new(State::new());
}

struct State {
    home: Home,
    functions: Vec<Function>,
    /// The buffers of networks and trainers, by number.
    buffers: Slab<Box<[u8]>>,
    arguments: Vec<Incoming>,
    /// What the reply consists of.
    number: f64,
    parts: Vec<Numbers>,
}

/// An argument, whose numbers JavaScript writes, and reads again where they may have changed.
enum Incoming {
    Nothing,
    Flag(bool),
    Number(f64),
    Text(Vec<u8>),
    Buffer(usize),
    Bytes(Vec<u8>),
    Doubles(Vec<f64>),
    Singles(Vec<f32>),
    Wake,
}

/// How a call ended: what JavaScript makes of the reply.
#[repr(u32)]
enum Outcome {
    Nothing,
    False,
    True,
    Number,
    Text,
    Array,
    Parts,
    /// The parts are the code and the message.
    Error,
}

/// What WebAssembly can do for a call: nothing beside what it is compiled for.
struct Module;

impl Host for Module {}

impl State {
    fn new() -> Self {
        State {
            home: Home::default(),
            functions: calls::functions(),
            buffers: Slab::new(),
            arguments: Vec::new(),
            number: 0.0,
            parts: Vec::new(),
        }
    }

    fn call(&mut self, place: usize) -> Result<Reply> {
        let Self {
            home,
            functions,
            buffers,
            arguments,
            ..
        } = self;
        // At most one argument is a buffer.
        let number = arguments.iter().find_map(|argument| match argument {
            Incoming::Buffer(number) => Some(*number),
            _ => None,
        });
        let mut buffer = number.and_then(|number| buffers.get_mut(number));
        let arguments = arguments.iter_mut().map(|argument| match argument {
            Incoming::Nothing => Argument::Nothing,
            Incoming::Flag(flag) => Argument::Flag(*flag),
            Incoming::Number(number) => Argument::Number(*number),
            Incoming::Text(text) => Argument::Text(String::from_utf8_lossy(text).into_owned()),
            Incoming::Buffer(_) => buffer
                .take()
                .map_or(Argument::Nothing, |buffer| Argument::Buffer(buffer)),
            Incoming::Bytes(bytes) => Argument::Bytes(bytes),
            Incoming::Doubles(numbers) => Argument::Doubles(numbers),
            Incoming::Singles(numbers) => Argument::Singles(numbers),
            // JavaScript sees to it.
            Incoming::Wake => Argument::Wake(Box::new(|| ())),
        });
        let (_, body, _) = functions
            .get(place)
            .ok_or_else(|| Error::internal("a function", "the call", place))?;
        body(&mut Call::new(arguments.collect(), home, &Module))
    }

    fn answer(&mut self, reply: Result<Reply>) -> Outcome {
        self.parts.clear();
        match reply {
            Ok(Reply::Nothing) => Outcome::Nothing,
            Ok(Reply::Flag(false)) => Outcome::False,
            Ok(Reply::Flag(true)) => Outcome::True,
            Ok(Reply::Number(number)) => {
                self.number = number;
                Outcome::Number
            }
            Ok(Reply::Text(text)) => {
                self.parts.push(Numbers::Bytes(text.into_bytes()));
                Outcome::Text
            }
            Ok(Reply::Array(numbers)) => {
                self.parts.push(numbers);
                Outcome::Array
            }
            Ok(Reply::Parts(text, arrays)) => {
                self.parts.push(Numbers::Bytes(text.into_bytes()));
                self.parts.extend(arrays);
                Outcome::Parts
            }
            Err(error) => {
                let texts = [error.code.as_str().to_string(), error.to_string()];
                self.parts
                    .extend(texts.map(|text| Numbers::Bytes(text.into_bytes())));
                Outcome::Error
            }
        }
    }

    /// A call that is only of a buffer; whether it failed.
    fn fast(&mut self, buffer: usize, body: fn(&Home, &mut [u8]) -> Result<()>) -> bool {
        let Some(bytes) = self.buffers.get_mut(buffer) else {
            self.answer(Err(Error::internal("a buffer", "the call", buffer)));
            return true;
        };
        match body(&self.home, bytes) {
            Ok(()) => false,
            Err(error) => {
                self.answer(Err(error));
                true
            }
        }
    }
}

fn with<R>(work: impl FnOnce(&mut State) -> R) -> R {
    STATE.with_borrow_mut(work)
}

fn push(argument: Incoming) -> u32 {
    with(|state| {
        state.arguments.push(argument);
        state.arguments.last().map_or(0, address)
    })
}

/// Where an argument's numbers are.
fn address(argument: &Incoming) -> u32 {
    match argument {
        Incoming::Text(bytes) | Incoming::Bytes(bytes) => bytes.as_ptr() as u32,
        Incoming::Doubles(numbers) => numbers.as_ptr() as u32,
        Incoming::Singles(numbers) => numbers.as_ptr() as u32,
        _ => 0,
    }
}

/// Defines exports, whose names are those of their functions.
macro_rules! exports {
    ($($(#[$doc:meta])* $name:ident($($argument:ident: $kind:ty),*) $(-> $result:ty)? $body:block)*) => {$(
        $(#[$doc])*
        // SAFETY: no other library is linked along that could have such a name.
        #[unsafe(no_mangle)]
        pub extern "C" fn $name($($argument: $kind),*) $(-> $result)? $body
    )*};
}

exports! {
    /// A buffer of so many bytes: its number, or -1 where there is no memory for it.
    create_buffer(bytes: usize) -> i32 {
        if Vec::<u8>::new().try_reserve_exact(bytes).is_err() {
            return -1;
        }
        with(|state| state.buffers.insert(vec![0; bytes].into()) as i32)
    }

    /// Where a buffer is. Memory that grows moves nothing.
    buffer_address(number: usize) -> u32 {
        with(|state| state.buffers.get(number).map_or(0, |buffer| buffer.as_ptr() as u32))
    }

    /// Nobody holds it any more.
    drop_buffer(number: usize) {
        with(|state| drop(state.buffers.try_remove(number)));
    }

    /// See `Home::predict`; whether it failed.
    predict(buffer: usize) -> bool {
        with(|state| state.fast(buffer, Home::predict))
    }

    /// See `Home::train`; whether it failed.
    train(buffer: usize) -> bool {
        with(|state| state.fast(buffer, Home::train))
    }

    /// See `Home::step`; whether it failed.
    step(buffer: usize) -> bool {
        with(|state| state.fast(buffer, Home::step))
    }

    /// Begins a call.
    begin() {
        with(|state| state.arguments.clear());
    }

    /// Nothing as the next argument,
    push_nothing() {
        push(Incoming::Nothing);
    }

    /// a boolean,
    push_flag(flag: bool) {
        push(Incoming::Flag(flag));
    }

    /// a number,
    push_number(number: f64) {
        push(Incoming::Number(number));
    }

    /// a buffer,
    push_buffer(number: usize) {
        push(Incoming::Buffer(number));
    }

    /// a function,
    push_wake() {
        push(Incoming::Wake);
    }

    /// a text of so many bytes: where JavaScript is to write it,
    push_text(length: usize) -> u32 {
        push(Incoming::Text(vec![0; length]))
    }

    /// bytes,
    push_bytes(length: usize) -> u32 {
        push(Incoming::Bytes(vec![0; length]))
    }

    /// numbers of double precision,
    push_doubles(length: usize) -> u32 {
        push(Incoming::Doubles(vec![0.0; length]))
    }

    /// or of single precision.
    push_singles(length: usize) -> u32 {
        push(Incoming::Singles(vec![0.0; length]))
    }

    /// Calls the function at this place with the arguments: the `Outcome`.
    call(place: usize) -> u32 {
        with(|state| {
            let reply = state.call(place);
            state.answer(reply) as u32
        })
    }

    /// Where the numbers of an argument are after a call.
    argument_address(place: usize) -> u32 {
        with(|state| state.arguments.get(place).map_or(0, address))
    }

    /// The number that was replied.
    reply_number() -> f64 {
        with(|state| state.number)
    }

    /// How many parts the reply has.
    reply_parts() -> usize {
        with(|state| state.parts.len())
    }

    /// What a part is of: bytes (0), places (1), doubles (2).
    part_kind(part: usize) -> u32 {
        with(|state| match state.parts.get(part) {
            Some(Numbers::Places(_)) => 1,
            Some(Numbers::Doubles(_)) => 2,
            _ => 0,
        })
    }

    /// How many there are.
    part_length(part: usize) -> usize {
        with(|state| match state.parts.get(part) {
            Some(Numbers::Bytes(bytes)) => bytes.len(),
            Some(Numbers::Places(places)) => places.len(),
            Some(Numbers::Doubles(numbers)) => numbers.len(),
            None => 0,
        })
    }

    /// Where they are.
    part_address(part: usize) -> u32 {
        with(|state| match state.parts.get(part) {
            Some(Numbers::Bytes(bytes)) => bytes.as_ptr() as u32,
            Some(Numbers::Places(places)) => places.as_ptr() as u32,
            Some(Numbers::Doubles(numbers)) => numbers.as_ptr() as u32,
            None => 0,
        })
    }

    /// Frees arguments and reply.
    end() {
        with(|state| {
            state.arguments.clear();
            state.parts.clear();
        });
    }

    /// What JavaScript is to know before the first call, as a reply of one text: JSON.
    describe() {
        with(|state| {
            let functions = state.functions.iter();
            let functions: Vec<_> = functions.map(|(name, _, fills)| (name, fills)).collect();
            let text = serde_json::json!({
                "border": border(),
                "maxParameters": MAX_PARAMETERS,
                "functions": functions,
            });
            state.answer(Ok(text.into()));
        });
    }

    /// Room for so many bytes that JavaScript writes while Rust waits for them.
    inbox(length: usize) -> u32 {
        web::inbox(length) as u32
    }
}
