//! Switches that turn fast ways off, for tests and benchmarks.

use std::sync::LazyLock;

use crate::nn::error::{Code, Error, Result};
use crate::nn::wording::quoted;

/// The environment variable that names what is turned off, such as `tiny,narrow`.
pub const VARIABLE: &str = "MIKIR_WITHOUT";

/// A way that is there for speed alone: without it another one comes to the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Switch {
    /// See [`crate::nn::pass::tiny`].
    Tiny,
    /// See [`crate::nn::pass::narrow`].
    Narrow,
    /// Steps by one row: see [`crate::nn::pass::batch::Pass::precomputes_next`].
    OneRow,
    /// Blocks of large products: see [`crate::nn::vector::packing`].
    Blocks,
}

impl Switch {
    /// Every switch, by name.
    pub const ALL: [(&str, Switch); 4] = [
        ("tiny", Switch::Tiny),
        ("narrow", Switch::Narrow),
        ("oneRow", Switch::OneRow),
        ("blocks", Switch::Blocks),
    ];

    /// Those that the [`VARIABLE`] turns off, a bit each.
    ///
    /// # Errors
    /// `OutOfRange` where it names none.
    pub fn asked() -> Result<u8> {
        let names = std::env::var_os(VARIABLE).unwrap_or_default();
        Self::named(&names.to_string_lossy())
    }

    fn named(names: &str) -> Result<u8> {
        let mut off = 0;
        for name in names.split(',').filter(|name| !name.is_empty()) {
            let found = Self::ALL.iter().find(|(known, _)| *known == name);
            let (_, switch) = found.ok_or_else(|| {
                let rule = format!("some of {}", quoted(&Self::ALL.map(|(name, _)| name)));
                Error::new(Code::OutOfRange, rule, VARIABLE, format!("'{name}'"))
            })?;
            off |= 1 << *switch as u8;
        }
        Ok(off)
    }

    /// Whether the way may be taken.
    #[inline(always)]
    pub fn is_on(self) -> bool {
        // What names none has been refused by whoever loaded the library.
        static OFF: LazyLock<u8> = LazyLock::new(|| Switch::asked().unwrap_or(0));
        *OFF & 1 << self as u8 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_turn_off_what_they_name() {
        assert_eq!(Switch::named(""), Ok(0));
        assert_eq!(Switch::named("narrow,tiny"), Ok(0b11));
        for (place, (name, switch)) in Switch::ALL.into_iter().enumerate() {
            assert_eq!(switch as usize, place);
            assert_eq!(Switch::named(name), Ok(1 << place));
        }
        assert_eq!(
            Switch::named("tiny,fast").unwrap_err().to_string(),
            "Expected some of 'tiny', 'narrow', 'oneRow', 'blocks' for MIKIR_WITHOUT but received 'fast'"
        );
    }
}
