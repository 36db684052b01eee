//! How names and values read in an error.

use std::fmt;

use serde_json::{Map, Value};

use super::error::{Code, Error, Result};

/// Refuses a key of `json` that is not `known`, and suggests the nearest that is.
///
/// # Errors
/// `UnknownOption`
pub fn check_keys(owner: &str, known: &[&str], json: &Map<String, Value>) -> Result<()> {
    match json.keys().find(|key| !known.contains(&key.as_str())) {
        None => Ok(()),
        Some(key) => {
            let rule = format!("only {}", quoted(known));
            Err(Error::new(
                Code::UnknownOption,
                rule,
                owner,
                with_suggestion(key, known),
            ))
        }
    }
}

/// The names as a list.
pub fn quoted(names: &[&str]) -> String {
    let quoted: Vec<_> = names.iter().map(|name| format!("'{name}'")).collect();
    quoted.join(", ")
}

/// The name, and the known one it resembles most, if any does.
pub fn with_suggestion(name: &str, known: &[&str]) -> String {
    let shown = Shown(&Value::String(name.into())).to_string();
    let similar = |other: &&&str| strsim::jaro_winkler(&name.to_lowercase(), &other.to_lowercase());
    let best = known.iter().max_by(|a, b| similar(a).total_cmp(&similar(b)));
    match best {
        Some(best) if similar(&best) > 0.75 => format!("{shown}: did you mean '{best}'?"),
        _ => shown,
    }
}

/// A JSON value in an error: short whatever it is.
pub struct Shown<'v>(pub &'v Value);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Value::String(text) if text.chars().count() > 40 => {
                write!(f, "'{}…'", text.chars().take(40).collect::<String>())
            }
            Value::String(text) => write!(f, "'{text}'"),
            Value::Array(elements) => {
                write!(
                    f,
                    "an array of {} element{}",
                    elements.len(),
                    if elements.len() == 1 { "" } else { "s" }
                )
            }
            Value::Object(_) => f.write_str("an object"),
            // As JavaScript writes it: 1, not 1.0
            Value::Number(number) => match number.as_f64() {
                Some(x) if x.fract() == 0.0 && x.abs() < 1e15 => write!(f, "{}", x as i64),
                _ => write!(f, "{number}"),
            },
            plain => write!(f, "{plain}"),
        }
    }
}
