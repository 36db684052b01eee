//! What can be wrong with a call: one sentence form, one stable code each.

use std::fmt;

/// The result of a core function.
pub type Result<T> = std::result::Result<T, Error>;

/// The stable name of a kind of mistake: the `code` of the error a user catches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Code {
    /// A value of the wrong kind.
    InvalidType,
    /// An option that does not exist.
    UnknownOption,
    /// Options that have no meaning together.
    InvalidCombination,
    /// A value of the right kind outside its range.
    OutOfRange,
    /// A collection with the wrong number of elements.
    InvalidLength,
    /// A network with more parameters than mikir takes.
    TooLarge,
    /// The system had no memory for a network within the limits.
    OutOfMemory,
    /// A training step that would have left the range of the precision.
    Overflow,
    /// A training whose loss is no longer a number.
    Diverged,
    /// A file that cannot be read or written.
    File,
    /// A file whose content is not what it should be.
    CorruptFile,
    /// A broken promise between mikir's own parts: a bug in mikir.
    Internal,
}

impl Code {
    /// The code as users see it.
    pub fn as_str(self) -> &'static str {
        match self {
            Code::InvalidType => "ERR_MIKIR_INVALID_TYPE",
            Code::UnknownOption => "ERR_MIKIR_UNKNOWN_OPTION",
            Code::InvalidCombination => "ERR_MIKIR_INVALID_COMBINATION",
            Code::OutOfRange => "ERR_MIKIR_OUT_OF_RANGE",
            Code::InvalidLength => "ERR_MIKIR_INVALID_LENGTH",
            Code::TooLarge => "ERR_MIKIR_TOO_LARGE",
            Code::OutOfMemory => "ERR_MIKIR_OUT_OF_MEMORY",
            Code::Overflow => "ERR_MIKIR_OVERFLOW",
            Code::Diverged => "ERR_MIKIR_DIVERGED",
            Code::File => "ERR_MIKIR_FILE",
            Code::CorruptFile => "ERR_MIKIR_CORRUPT_FILE",
            Code::Internal => "ERR_MIKIR_INTERNAL",
        }
    }
}

/// A refused call: what was expected, for which argument, and what came instead.
///
/// `Display` is the final wording: `Expected <rule> for <name> but received <value>`, and `: <cure>` where one is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The kind of mistake.
    pub code: Code,
    expected: String,
    name: String,
    received: String,
}

impl Error {
    /// An error of `code`: `expected` is the rule, `name` the argument, `received` what came.
    pub fn new(
        code: Code,
        expected: impl Into<String>,
        name: impl Into<String>,
        received: impl fmt::Display,
    ) -> Self {
        Error {
            code,
            expected: expected.into(),
            name: name.into(),
            received: received.to_string(),
        }
    }

    /// The error of a number that is NaN or infinite.
    pub fn not_finite(name: impl Into<String>, received: f64) -> Self {
        Error::new(Code::OutOfRange, "a finite number", name, JsNumber(received))
    }

    /// The error of a call that a host's own checks should never have let through.
    pub fn internal(expected: &str, name: &str, received: impl fmt::Display) -> Self {
        Error::new(Code::Internal, expected, name, received)
    }

    /// The same error, and after it what to do.
    pub fn cure(mut self, cure: &str) -> Self {
        self.received = format!("{}: {cure}", self.received);
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Expected {} for {} but received {}",
            self.expected, self.name, self.received
        )
    }
}

impl std::error::Error for Error {}

/// A number about as JavaScript writes it.
pub struct JsNumber(pub f64);

impl fmt::Display for JsNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            x if x == f64::INFINITY => f.write_str("Infinity"),
            x if x == f64::NEG_INFINITY => f.write_str("-Infinity"),
            x if x.abs() >= 1e21 || (x != 0.0 && x.abs() < 1e-6) => write!(f, "{x:e}"),
            x => write!(f, "{x}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sentence_names_rule_argument_and_value() {
        let said = |x| Error::not_finite("inputs[3]", x).to_string();
        assert_eq!(
            said(f64::NAN),
            "Expected a finite number for inputs[3] but received NaN"
        );
        assert_eq!(
            said(f64::INFINITY),
            "Expected a finite number for inputs[3] but received Infinity"
        );
        assert_eq!(
            said(f64::NEG_INFINITY),
            "Expected a finite number for inputs[3] but received -Infinity"
        );
    }

    #[test]
    fn a_cure_follows_the_sentence() {
        let error = Error::new(Code::Diverged, "a finite loss", "epoch 3", "NaN").cure("try a smaller one");
        assert_eq!(
            error.to_string(),
            "Expected a finite loss for epoch 3 but received NaN: try a smaller one"
        );
    }
}
