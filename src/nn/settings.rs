//! Tables of settings: a key, its default and its range on one line. The struct, its parser and its checks
//! all come from the table.
//!
//! `settings!` makes a struct of such lines, `choice!` an enum of such structs that JSON names by `type`. An enum of a few
//! numbers, such as an activation, lists its names and parameters as [`Named`].

use serde_json::{Map, Value};

use crate::nn::error::{Code, Error, Result};
use crate::nn::wording::{self, Shown, quoted, with_suggestion};

/// The values that a setting may have.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    /// As the error says it: "Expected ... for optimizer.beta1".
    pub expected: &'static str,
    /// Whether a number belongs to it.
    pub holds: fn(f64) -> bool,
}

/// A number in [0, 1)
pub const BELOW_ONE: Range = Range {
    expected: "a number in [0, 1)",
    holds: |x| (0.0..1.0).contains(&x),
};
/// A number in [0, 1]
pub const FRACTION: Range = Range {
    expected: "a number in [0, 1]",
    holds: |x| (0.0..=1.0).contains(&x),
};
/// A number in (0, 1)
pub const SHRINKING: Range = Range {
    expected: "a number in (0, 1)",
    holds: |x| x > 0.0 && x < 1.0,
};
/// A number above 1
pub const GROWING: Range = Range {
    expected: "a number above 1",
    holds: |x| x > 1.0,
};
/// A number of at least 0
pub const NOT_NEGATIVE: Range = Range {
    expected: "a number of at least 0",
    holds: |x| x >= 0.0,
};
/// A number above 0
pub const POSITIVE: Range = Range {
    expected: "a number above 0",
    holds: |x| x > 0.0,
};
/// A number that single precision can hold, far beyond any use
pub const MODERATE: Range = Range {
    expected: "a number from -1e30 to 1e30",
    holds: |x| x.abs() <= LARGEST,
};
/// The same, above 0
pub const MODERATE_POSITIVE: Range = Range {
    expected: "a number above 0 and up to 1e30",
    holds: |x| x > 0.0 && x <= LARGEST,
};
/// The same, not below 0
pub const MODERATE_NOT_NEGATIVE: Range = Range {
    expected: "a number from 0 to 1e30",
    holds: |x| (0.0..=LARGEST).contains(&x),
};
const LARGEST: f64 = 1e30;
/// A number of at least 1e-30: above 0 in single precision too, so that 0 / (0 + epsilon) is 0
pub const EPSILON: Range = Range {
    expected: "a number of at least 1e-30",
    holds: |x| x >= 1e-30,
};
/// An integer of at least 0
pub const COUNT: Range = Range {
    expected: "an integer of at least 0",
    holds: |x| x >= 0.0,
};
/// An integer of at least 1
pub const COUNT_FROM_ONE: Range = Range {
    expected: "an integer of at least 1",
    holds: |x| x >= 1.0,
};
/// A boolean
pub const BOOLEAN: Range = Range {
    expected: "true or false",
    holds: |_| true,
};

/// The type of a setting.
pub trait Setting: Copy {
    /// Whether it is a number, so that another number is out of range rather than of the wrong type.
    const NUMERIC: bool = true;

    /// The value, if `json` has this type.
    fn from_json(json: &Value) -> Option<Self>;
    /// What has to lie in the range.
    fn number(self) -> Option<f64>;
    /// Whether there is nothing to write: JSON has no key for it then.
    fn is_absent(&self) -> bool {
        false
    }
}

impl Setting for f64 {
    fn from_json(json: &Value) -> Option<Self> {
        json.as_f64()
    }
    fn number(self) -> Option<f64> {
        Some(self)
    }
}

impl Setting for bool {
    const NUMERIC: bool = false;

    fn from_json(json: &Value) -> Option<Self> {
        json.as_bool()
    }
    fn number(self) -> Option<f64> {
        None
    }
}

impl Setting for usize {
    fn from_json(json: &Value) -> Option<Self> {
        // Above 2^53 JavaScript has no whole numbers to speak of.
        let whole = |x: &f64| *x >= 0.0 && *x <= (1u64 << 53) as f64 && x.fract() == 0.0;
        json.as_f64().filter(whole).map(|x| x as usize)
    }
    fn number(self) -> Option<f64> {
        Some(self as f64)
    }
}

impl<S: Setting> Setting for Option<S> {
    const NUMERIC: bool = S::NUMERIC;

    fn from_json(json: &Value) -> Option<Self> {
        S::from_json(json).map(Some)
    }
    fn number(self) -> Option<f64> {
        self.and_then(S::number)
    }
    fn is_absent(&self) -> bool {
        self.is_none()
    }
}

/// A struct made by `settings!`.
pub trait Settings: Sized {
    /// The names of its fields in JSON.
    const KEYS: &'static [&'static str];

    /// The settings that `json` gives, checked; `owner` is the option in errors. Whether there are others is not
    /// looked at.
    ///
    /// # Errors
    /// `InvalidType` or `OutOfRange`, for the first setting that is wrong.
    fn from_json(owner: &str, json: &Map<String, Value>) -> Result<Self>;

    /// # Errors
    /// `OutOfRange` for the first setting outside its range.
    fn check(&self, owner: &str) -> Result<()>;
}

/// The setting `key` of `json`, or its default.
pub fn read<S: Setting>(
    owner: &str,
    key: &str,
    range: Range,
    default: Option<S>,
    json: &Map<String, Value>,
) -> Result<S> {
    let path = || format!("{owner}.{key}");
    match json.get(key) {
        None => default.ok_or_else(|| Error::new(Code::InvalidType, range.expected, path(), "undefined")),
        Some(value) => read_value(path, range, value),
    }
}

/// What `json` holds, within `range`.
pub fn read_value<S: Setting, P: Into<String>>(
    path: impl Fn() -> P,
    range: Range,
    json: &Value,
) -> Result<S> {
    let holds = |value: &S| value.number().is_none_or(range.holds);
    S::from_json(json).filter(holds).ok_or_else(|| {
        let code = if S::NUMERIC && json.is_number() {
            Code::OutOfRange
        } else {
            Code::InvalidType
        };
        Error::new(code, range.expected, path(), Shown(json))
    })
}

/// Refuses a value outside `range`.
pub fn check<S: Setting>(owner: &str, key: &str, range: Range, value: S) -> Result<()> {
    let name = || format!("{owner}.{key}");
    match value.number() {
        Some(x) if !x.is_finite() => Err(Error::not_finite(name(), x)),
        Some(x) if !(range.holds)(x) => Err(Error::new(Code::OutOfRange, range.expected, name(), x)),
        _ => Ok(()),
    }
}

/// Refuses a key that is not a setting.
pub fn check_keys(owner: &str, keys: &[&str], json: &Map<String, Value>) -> Result<()> {
    let known: Vec<&str> = ["type"].iter().chain(keys).copied().collect();
    wording::check_keys(owner, &known, json)
}

/// The name and the settings of a choice, which is written as its name alone or as an object with a `type`.
pub fn named<'j>(owner: &str, names: &[&str], json: &'j Value) -> Result<(&'j str, Map<String, Value>)> {
    let refused = |code, path: String, received: String| {
        Error::new(code, format!("one of {}", quoted(names)), path, received)
    };
    let (name, path, settings) = match json {
        Value::Object(settings) => {
            let path = format!("{owner}.type");
            match settings.get("type") {
                Some(name) => (name, path, settings.clone()),
                None => return Err(refused(Code::InvalidType, path, "undefined".into())),
            }
        }
        name => (name, owner.into(), Map::new()),
    };
    match name.as_str() {
        None => Err(refused(Code::InvalidType, path, Shown(name).to_string())),
        Some(name) if !names.contains(&name) => {
            Err(refused(Code::OutOfRange, path, with_suggestion(name, names)))
        }
        Some(name) => Ok((name, settings)),
    }
}

/// A parameter of a [`Named`]: its key, what it may be, and where it is.
pub type Parameter<'a> = (&'static str, Range, &'a mut f64);

/// One of a list of names, some of which have numbers as parameters: `'relu'`, `{ type: 'elu', alpha: 1 }`.
pub trait Named: Copy + 'static {
    /// Every one there is by name, with its default parameters: the one list.
    const ALL: &'static [(&'static str, Self)];

    /// The parameters of this one.
    fn parameters(&mut self) -> Vec<Parameter<'_>> {
        Vec::new()
    }

    /// What the parameters have to be together.
    ///
    /// # Errors
    /// `OutOfRange`
    fn check_together(&self, _path: &str) -> Result<()> {
        Ok(())
    }

    /// The name in options.
    fn name(self) -> &'static str {
        let same = |other: &Self| std::mem::discriminant(other) == std::mem::discriminant(&self);
        let row = Self::ALL.iter().find(|(_, other)| same(other));
        row.expect("ALL lists every one").0
    }

    /// What a user writes at `path`.
    ///
    /// # Errors
    /// `InvalidType`, `OutOfRange` or `UnknownOption`, for the first thing that is wrong.
    fn read(path: &str, json: &Value) -> Result<Self> {
        Self::read_of(Self::ALL, path, json)
    }

    /// The same, of a part of the list.
    ///
    /// # Errors
    /// As [`read`](Self::read).
    fn read_of(all: &[(&'static str, Self)], path: &str, json: &Value) -> Result<Self> {
        let names: Vec<&str> = all.iter().map(|row| row.0).collect();
        let (name, given) = named(path, &names, json)?;
        let mut value = all.iter().find(|row| row.0 == name).expect("one of the names").1;
        let mut keys = Vec::new();
        for (key, range, parameter) in value.parameters() {
            *parameter = read(path, key, range, Some(*parameter), &given)?;
            keys.push(key);
        }
        check_keys(path, &keys, &given)?;
        value.check_together(path)?;
        Ok(value)
    }

    /// As [`read`](Self::read) reads it: the name, or an object where there are parameters.
    fn to_json(mut self) -> Value {
        let name = self.name();
        let mut json = Map::from_iter([("type".to_string(), Value::from(name))]);
        json.extend(
            self.parameters()
                .into_iter()
                .map(|(key, _, value)| (key.to_string(), (*value).into())),
        );
        if json.len() == 1 { name.into() } else { json.into() }
    }
}

/// A struct of settings from a table: `field: type = default, "key", RANGE;` (without a default it is required).
/// `: Default` where every field has a default; `, together = f` names a check of fields against each other.
macro_rules! settings {
    (
        $(#[$meta:meta])*
        pub struct $name:ident: Default $(, together = $together:path)? {
            $($(#[$doc:meta])* $field:ident: $type:ty = $default:expr, $key:literal, $range:expr;)*
        }
    ) => {
        $crate::nn::settings::settings! {
            $(#[$meta])*
            pub struct $name $(, together = $together)? {
                $($(#[$doc])* $field: $type = $default, $key, $range;)*
            }
        }

        impl Default for $name {
            fn default() -> Self {
                $name { $($field: $default),* }
            }
        }
    };
    (
        $(#[$meta:meta])*
        pub struct $name:ident $(, together = $together:path)? {
            $($(#[$doc:meta])* $field:ident: $type:ty $(= $default:expr)?, $key:literal, $range:expr;)*
        }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
        pub struct $name {
            $(
                $(#[$doc])*
                #[serde(rename = $key, skip_serializing_if = "crate::nn::settings::Setting::is_absent")]
                pub $field: $type,
            )*
        }

        impl $crate::nn::settings::Settings for $name {
            const KEYS: &'static [&'static str] = &[$($key),*];

            #[allow(unused_variables, reason = "some have no settings")]
            fn from_json(
                owner: &str,
                json: &serde_json::Map<String, serde_json::Value>,
            ) -> $crate::nn::error::Result<Self> {
                let settings = $name {
                    $($field: $crate::nn::settings::read(
                        owner, $key, $range, None::<$type>$(.or(Some($default)))?, json,
                    )?,)*
                };
                $crate::nn::settings::Settings::check(&settings, owner)?;
                Ok(settings)
            }

            #[allow(unused_variables, reason = "some have no settings")]
            fn check(&self, owner: &str) -> $crate::nn::error::Result<()> {
                $($crate::nn::settings::check(owner, $key, $range, self.$field)?;)*
                $($together(self, owner)?;)?
                Ok(())
            }
        }
    };
}

/// An enum of structs of settings, from a table of names.
macro_rules! choice {
    (
        $(#[$meta:meta])*
        pub enum $choice:ident for $owner:literal { $($name:literal => $variant:ident),* $(,)? }
    ) => {
        $(#[$meta])*
        #[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
        #[serde(tag = "type")]
        pub enum $choice {
            $(
                #[doc = concat!("See [`", stringify!($variant), "`].")]
                #[serde(rename = $name)]
                $variant($variant),
            )*
        }

        impl $choice {
            /// Every name there is, in order of increasing complexity.
            pub const NAMES: &'static [&'static str] = &[$($name),*];

            /// The name in options.
            pub fn name(&self) -> &'static str {
                match self {
                    $($choice::$variant(_) => $name,)*
                }
            }

            /// The names of the settings, as JSON has them.
            pub fn keys(&self) -> &'static [&'static str] {
                match self {
                    $($choice::$variant(_) => <$variant as $crate::nn::settings::Settings>::KEYS,)*
                }
            }

            /// The choice that `json` makes, a name or `{ type: name, ...settings }`, checked.
            ///
            /// # Errors
            /// `UnknownOption`, `InvalidType` or `OutOfRange`, for the first thing that is wrong.
            pub fn from_json(json: &serde_json::Value) -> $crate::nn::error::Result<Self> {
                Self::read($owner, json)
            }

            /// The same, with `owner` as the option in errors.
            ///
            /// # Errors
            /// As [`from_json`](Self::from_json).
            pub fn read(owner: &str, json: &serde_json::Value) -> $crate::nn::error::Result<Self> {
                let (name, settings) = $crate::nn::settings::named(owner, Self::NAMES, json)?;
                match name {
                    $($name => {
                        let keys = <$variant as $crate::nn::settings::Settings>::KEYS;
                        $crate::nn::settings::check_keys(owner, keys, &settings)?;
                        $crate::nn::settings::Settings::from_json(owner, &settings).map($choice::$variant)
                    })*
                    _ => unreachable!("a name in NAMES"),
                }
            }

            /// # Errors
            /// `OutOfRange` for the first setting outside its range.
            pub fn check(&self) -> $crate::nn::error::Result<()> {
                match self {
                    $($choice::$variant(settings) => $crate::nn::settings::Settings::check(settings, $owner),)*
                }
            }
        }

        impl<'de> serde::Deserialize<'de> for $choice {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
                let json = serde_json::Value::deserialize(deserializer)?;
                Self::from_json(&json).map_err(serde::de::Error::custom)
            }
        }
    };
}

pub(crate) use {choice, settings};

#[cfg(test)]
mod tests;
