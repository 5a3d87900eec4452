//! [`Node`]: a value of a YAML file with its position, and its conversion to JSON.

use crate::domain::json::put_text;
use crate::domain::text;
use std::collections::BTreeSet;

/// A position in a file; both counted from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: usize,
    /// The column.
    pub column: usize,
}

/// A value and where it begins.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) at: Position,
    pub(super) form: Form,
}

#[derive(Debug)]
pub(super) enum Form {
    Scalar(String, Style),
    List(Vec<Node>),
    /// Members in file order, with the positions of their names. Names may be there twice.
    Map(Vec<(Name, Node)>),
    /// What no setting can be: an alias, a tag, something nested too deeply.
    Refused(&'static str),
}

#[derive(Debug)]
pub(super) struct Name {
    pub(super) at: Position,
    pub(super) text: String,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes: its type follows from the text.
    Plain,
    /// In quotes.
    Quoted,
    /// A block after `|`: the lines of the text are lines of the file.
    Literal,
    /// A block after `>`.
    Folded,
}

/// Why a value cannot be JSON, and where.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsuitable {
    pub(super) at: Position,
    pub(super) why: String,
}

impl Node {
    /// The value as JSON text. Unquoted scalars have the types of YAML 1.2's core schema; numbers stay as precise as
    /// they were written.
    pub(super) fn to_json(&self) -> Result<String, Unsuitable> {
        let mut json = String::new();
        self.write(&mut json)?;
        Ok(json)
    }

    fn write(&self, json: &mut String) -> Result<(), Unsuitable> {
        match &self.form {
            Form::Scalar(text, Style::Plain) => match plain_json(text::trim(text)) {
                Plain::Json(scalar) => json.push_str(&scalar),
                Plain::Text => put_text(json, text),
                Plain::Refused(why) => return Err(self.unsuitable(why)),
            },
            Form::Scalar(text, _) => put_text(json, text),
            Form::Refused(why) => return Err(self.unsuitable(*why)),
            Form::List(items) => {
                json.push('[');
                for (place, item) in items.iter().enumerate() {
                    if place > 0 {
                        json.push(',');
                    }
                    item.write(json)?;
                }
                json.push(']');
            }
            Form::Map(members) => {
                json.push('{');
                let mut seen = BTreeSet::new();
                for (name, value) in members {
                    if !seen.is_empty() {
                        json.push(',');
                    }
                    if !seen.insert(name.text.as_str()) {
                        let why = format!("the member '{}' is there already", text::escape(&name.text));
                        return Err(Unsuitable { at: name.at, why });
                    }
                    put_text(json, &name.text);
                    json.push(':');
                    value.write(json)?;
                }
                json.push('}');
            }
        }
        Ok(())
    }

    fn unsuitable(&self, why: impl Into<String>) -> Unsuitable {
        Unsuitable { at: self.at, why: why.into() }
    }
}

enum Plain {
    /// A value that is not text, as JSON.
    Json(String),
    Text,
    Refused(&'static str),
}

/// The type of an unquoted scalar by YAML 1.2's core schema (10.3.2).
fn plain_json(text: &str) -> Plain {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Json("null".to_owned()),
        "true" | "True" | "TRUE" => return Plain::Json("true".to_owned()),
        "false" | "False" | "FALSE" => return Plain::Json("false".to_owned()),
        ".nan" | ".NaN" | ".NAN" => return Plain::Refused("it is not a number"),
        _ => {}
    }
    let (sign, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (if text.starts_with('-') { "-" } else { "" }, rest),
        None => ("", text),
    };
    if matches!(digits, ".inf" | ".Inf" | ".INF") {
        return Plain::Refused("it is no finite number");
    }
    let radix = match text.get(..2) {
        Some("0x") => Some(16),
        Some("0o") => Some(8),
        _ => None,
    };
    if let (Some(radix), Some(digits)) = (radix, text.get(2..))
        && !digits.is_empty()
        && digits.chars().all(|digit| digit.is_digit(radix))
    {
        let number = u64::from_str_radix(digits, radix);
        return number.map_or(Plain::Refused("the number is too large"), |number| Plain::Json(number.to_string()));
    }
    decimal(digits).map_or(Plain::Text, |number| Plain::Json(format!("{sign}{number}")))
}

/// A decimal number without its sign, as JSON writes it: digits before and after a point, no leading zeros.
fn decimal(text: &str) -> Option<String> {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (text.get(..at)?, text.get(at + 1..)),
        None => (text, None),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let are_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !are_digits(whole) || !are_digits(fraction) || whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let mut number = match whole.trim_start_matches('0') {
        "" => "0".to_owned(),
        whole => whole.to_owned(),
    };
    if !fraction.is_empty() {
        number.extend([".", fraction]);
    }
    if let Some(exponent) = exponent {
        let digits = exponent.strip_prefix(['-', '+']).unwrap_or(exponent);
        if digits.is_empty() || !are_digits(digits) {
            return None;
        }
        number.extend(["e", exponent]);
    }
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::yaml;

    fn json(text: &str) -> String {
        yaml::value(text).unwrap().to_json().unwrap()
    }

    fn refused(text: &str) -> (usize, usize, String) {
        let Unsuitable { at, why } = yaml::value(text).unwrap().to_json().unwrap_err();
        (at.line, at.column, why)
    }

    #[test]
    fn scalars_keep_their_types() {
        for (yaml, expected) in [
            ("[1, -2, 1.50, 1e3, 007, +5, .5, 2., 0x1F, 0o17]", "[1,-2,1.50,1e3,7,5,0.5,2,31,15]"),
            ("[true, FALSE, null, ~, ]", "[true,false,null,null]"),
            ("['1', \"true\", 'null', yes, 1.2.3, 1e, 1_000]", r#"["1","true","null","yes","1.2.3","1e","1_000"]"#),
            ("{a: {b: [c]}, d: }", r#"{"a":{"b":["c"]},"d":null}"#),
            ("- a: |\n    x\n    y\n- b: >\n    x\n    y", r#"[{"a":"x\ny\n"},{"b":"x y\n"}]"#),
            ("[123456789012345678901234567890]", "[123456789012345678901234567890]"),
        ] {
            assert_eq!(json(yaml), expected, "{yaml}");
            assert!(serde_json::from_str::<serde_json::Value>(&json(yaml)).is_ok(), "{yaml}");
        }
    }

    #[test]
    fn what_json_cannot_hold_is_refused_with_its_position() {
        assert_eq!(refused("- a: 1\n  b: 2\n  a: 3"), (3, 3, "the member 'a' is there already".to_owned()));
        assert_eq!(refused("[1, .inf]"), (1, 5, "it is no finite number".to_owned()));
        assert_eq!(refused("[.nan]"), (1, 2, "it is not a number".to_owned()));
        assert_eq!(refused("[0xFFFFFFFFFFFFFFFFFF]"), (1, 2, "the number is too large".to_owned()));
        assert_eq!(refused("- &x a\n- *x"), (2, 3, "anchors and aliases are not supported here".to_owned()));
        assert_eq!(refused("- a\n- !!binary aGk="), (2, 3, "tags are not supported here".to_owned()));
        assert_eq!(refused("? [a]\n: b"), (1, 3, "the name of a member must be text".to_owned()));
        let deep = format!("{}{}", "[".repeat(100), "]".repeat(100));
        assert_eq!(refused(&deep).2, "it is nested too deeply");
    }
}
