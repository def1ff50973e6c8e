//! From what was typed on a command line to a value of a field.

use crate::model::form::check::{kind_problem, one_of_kinds};
use crate::model::form::{Field, FieldKind, Value};
use crate::model::remote::StagedFile;

impl Field {
    /// Reads `text` as the kind of this field wants it: flags as on or off; entries of a list apart by line breaks, else by
    /// commas; files as `inputs` for the job's own, or identifiers at the platform; one of several kinds as the first that
    /// takes it. Bounds and rules are [`crate::model::form::Form::problems`]' business.
    ///
    /// # Errors
    /// One sentence on what is wanted instead.
    pub fn parse(&self, text: &str) -> Result<Value, String> {
        parse(&self.kind, &self.label, text)
    }
}

fn parse(kind: &FieldKind, label: &str, text: &str) -> Result<Value, String> {
    match kind {
        FieldKind::Flag => flag(text)
            .map(Value::Flag)
            .ok_or_else(|| format!("{label} is on or off, not {text}")),
        FieldKind::Text(_) | FieldKind::Number { .. } | FieldKind::Choice(_) | FieldKind::Json => {
            Ok(Value::Text(text.to_owned()))
        }
        FieldKind::List(kind) => {
            let values: Result<Vec<Value>, String> = entries(text)
                .map(|entry| parse(kind, label, entry))
                .collect();
            values.map(Value::List)
        }
        FieldKind::File(_) if text.trim().eq_ignore_ascii_case("inputs") => Ok(Value::Inputs),
        FieldKind::File(_) => Ok(Value::Picked(
            entries(text)
                .map(|id| StagedFile {
                    id: id.to_owned(),
                    name: id.to_owned(),
                    ..StagedFile::default()
                })
                .collect(),
        )),
        FieldKind::Either(variants) => variants
            .iter()
            .enumerate()
            .find_map(|(number, variant)| {
                let value = parse(&variant.kind, label, text).ok()?;
                kind_problem(&variant.kind, label, &value)
                    .is_none()
                    .then(|| Value::Variant(number, Box::new(value)))
            })
            .ok_or_else(|| one_of_kinds(label, variants)),
    }
}

/// Entries apart by line breaks where there are any, else by commas; blank ones are left out.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    let by_lines = text.contains('\n');
    text.split(if by_lines { '\n' } else { ',' })
        .map(str::trim)
        .filter(|entry| !entry.is_empty())
}

fn flag(text: &str) -> Option<bool> {
    match text.trim().to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Some(true),
        "off" | "false" | "no" | "0" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::form::{FileRule, TextRule, Variant};

    fn field(kind: FieldKind) -> Field {
        Field {
            label: "X".to_owned(),
            kind,
            ..Field::default()
        }
    }

    fn text(text: &str) -> Value {
        Value::Text(text.to_owned())
    }

    const NUMBER: FieldKind = FieldKind::Number {
        min: None,
        max: None,
        whole: false,
    };

    #[test]
    fn what_is_typed_takes_the_kind_of_the_field() {
        let words = FieldKind::Text(TextRule::default());
        let picked = |ids: &[&str]| {
            Value::Picked(
                ids.iter()
                    .map(|id| StagedFile {
                        id: (*id).to_owned(),
                        name: (*id).to_owned(),
                        ..StagedFile::default()
                    })
                    .collect(),
            )
        };
        let either = FieldKind::Either(vec![
            Variant {
                label: "Number".to_owned(),
                kind: NUMBER,
            },
            Variant {
                label: "Text".to_owned(),
                kind: words.clone(),
            },
        ]);
        let list = FieldKind::List(Box::new(words.clone()));
        let file = FieldKind::File(FileRule::default());
        for (kind, typed, value) in [
            (FieldKind::Flag, " On", Value::Flag(true)),
            (FieldKind::Flag, "0", Value::Flag(false)),
            (words, "a, b", text("a, b")),
            (NUMBER, "5", text("5")),
            (
                list.clone(),
                "a, b,,c",
                Value::List(vec![text("a"), text("b"), text("c")]),
            ),
            (
                list.clone(),
                "a, b\nc\n",
                Value::List(vec![text("a, b"), text("c")]),
            ),
            (list, "", Value::List(Vec::new())),
            (file.clone(), "Inputs", Value::Inputs),
            (file, "id-1,id-2", picked(&["id-1", "id-2"])),
            (FieldKind::Json, "{}", text("{}")),
            (either.clone(), "5", Value::Variant(0, Box::new(text("5")))),
            (either, "five", Value::Variant(1, Box::new(text("five")))),
        ] {
            assert_eq!(field(kind.clone()).parse(typed), Ok(value), "{kind:?}");
        }
    }

    #[test]
    fn what_no_kind_takes_is_refused() {
        assert_eq!(
            field(FieldKind::Flag).parse("perhaps"),
            Err("X is on or off, not perhaps".to_owned())
        );
        let either = FieldKind::Either(vec![Variant {
            label: "Number".to_owned(),
            kind: NUMBER,
        }]);
        assert_eq!(
            field(either).parse("five"),
            Err("X must be one of these kinds: Number".to_owned())
        );
        assert_eq!(
            field(FieldKind::List(Box::new(FieldKind::Flag))).parse("on,maybe"),
            Err("X is on or off, not maybe".to_owned())
        );
    }
}
