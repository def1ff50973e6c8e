//! The inputs an app declares, and whether a value fits one.
//!
//! Owns the type forms of CWL that the fixtures use. An unknown type takes anything.

use serde_json::{Map, Value};

/// What an input takes.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::providers::seven_bridges::sim) enum Kind {
    Null,
    Boolean,
    Int,
    Long,
    /// `float` and `double`.
    Number,
    Text,
    File,
    Directory,
    Enum(Vec<String>),
    Array(Box<Self>),
    Record(Vec<Input>),
    Union(Vec<Self>),
    Any,
}

/// An input of an app, or a field of a record.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::providers::seven_bridges::sim) struct Input {
    /// Without `#` and what stands before the last slash.
    pub(in crate::providers::seven_bridges::sim) id: String,
    pub(in crate::providers::seven_bridges::sim) kind: Kind,
    pub(in crate::providers::seven_bridges::sim) default: Option<Value>,
}

/// What is known of a file or folder that a value names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::providers::seven_bridges::sim) enum Known {
    File,
    Folder,
    Elsewhere,
    Nothing,
}

impl Input {
    /// Whether a task must give it.
    pub(in crate::providers::seven_bridges::sim) fn required(&self) -> bool {
        self.default.is_none() && !self.kind.allows_null()
    }
}

impl Kind {
    fn allows_null(&self) -> bool {
        match self {
            Self::Null | Self::Any => true,
            Self::Union(kinds) => kinds.iter().any(Self::allows_null),
            Self::Boolean
            | Self::Int
            | Self::Long
            | Self::Number
            | Self::Text
            | Self::File
            | Self::Directory
            | Self::Enum(_)
            | Self::Array(_)
            | Self::Record(_) => false,
        }
    }

    /// Whether it takes a list, and not one thing.
    pub(in crate::providers::seven_bridges::sim) fn is_list(&self) -> bool {
        match self {
            Self::Array(_) => true,
            Self::Union(kinds) => kinds.iter().any(Self::is_list),
            _ => false,
        }
    }
}

/// The inputs of `raw`, a list or a map.
pub(in crate::providers::seven_bridges::sim) fn of(raw: &Value) -> Vec<Input> {
    match raw.get("inputs") {
        Some(Value::Array(inputs)) => inputs.iter().filter_map(|input| one(input, "id")).collect(),
        Some(Value::Object(inputs)) => inputs
            .iter()
            .map(|(id, input)| Input {
                id: bare(id),
                kind: kind(input.get("type").unwrap_or(input)),
                default: input.get("default").cloned(),
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn one(input: &Value, name: &str) -> Option<Input> {
    Some(Input {
        id: bare(input.get(name)?.as_str()?),
        kind: kind(input.get("type")?),
        default: input.get("default").cloned(),
    })
}

/// Without `#` and what stands before the last slash.
fn bare(id: &str) -> String {
    let last = id.rsplit('/').next().unwrap_or(id);
    last.trim_start_matches('#').to_owned()
}

fn kind(declared: &Value) -> Kind {
    match declared {
        Value::String(word) => simple(word),
        Value::Array(kinds) => Kind::Union(kinds.iter().map(kind).collect()),
        Value::Object(object) => {
            let named = |name: &str| object.get(name).and_then(Value::as_array);
            match object.get("type").and_then(Value::as_str) {
                Some("array") => {
                    let items = object.get("items").map_or(Kind::Any, kind);
                    Kind::Array(Box::new(items))
                }
                Some("enum") => {
                    let symbols = named("symbols").into_iter().flatten();
                    Kind::Enum(symbols.filter_map(Value::as_str).map(bare).collect())
                }
                Some("record") => {
                    let fields = named("fields").into_iter().flatten();
                    Kind::Record(fields.filter_map(|field| one(field, "name")).collect())
                }
                Some(word) => simple(word),
                None => Kind::Any,
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Kind::Any,
    }
}

fn simple(word: &str) -> Kind {
    if let Some(word) = word.strip_suffix('?') {
        return Kind::Union(vec![Kind::Null, simple(word)]);
    }
    if let Some(word) = word.strip_suffix("[]") {
        return Kind::Array(Box::new(simple(word)));
    }
    match word {
        "null" => Kind::Null,
        "boolean" => Kind::Boolean,
        "int" => Kind::Int,
        "long" => Kind::Long,
        "float" | "double" => Kind::Number,
        "string" => Kind::Text,
        "File" => Kind::File,
        "Directory" => Kind::Directory,
        _ => Kind::Any,
    }
}

/// Whether a value fits, `look` telling what an id stands for; else why not.
pub(in crate::providers::seven_bridges::sim) fn check(
    kind: &Kind,
    value: &Value,
    look: &dyn Fn(&str) -> Known,
) -> Result<(), String> {
    let fits = |fits: bool, wanted: &str| {
        if fits {
            Ok(())
        } else {
            Err(format!("must be {wanted}"))
        }
    };
    match kind {
        Kind::Any => Ok(()),
        Kind::Null => fits(value.is_null(), "empty"),
        Kind::Boolean => fits(value.is_boolean(), "true or false"),
        Kind::Int => {
            let small = value.as_i64().is_some_and(|n| i32::try_from(n).is_ok());
            fits(small, "a whole number of 32 bits")
        }
        Kind::Long => fits(value.as_i64().is_some(), "a whole number"),
        Kind::Number => fits(value.is_number(), "a number"),
        Kind::Text => fits(value.is_string(), "a text"),
        Kind::Enum(symbols) => {
            let word = value.as_str();
            let known = word.is_some_and(|word| symbols.iter().any(|symbol| symbol == word));
            fits(known, &format!("one of {}", symbols.join(", ")))
        }
        Kind::File => check_entry(value, "File", Known::File, look),
        Kind::Directory => check_entry(value, "Directory", Known::Folder, look),
        Kind::Array(items) => {
            let Some(values) = value.as_array() else {
                return Err("must be a list".to_owned());
            };
            let mut checks = values.iter().map(|value| check(items, value, look));
            checks.find(Result::is_err).unwrap_or(Ok(()))
        }
        Kind::Record(fields) => match value.as_object() {
            None => Err("must be a record".to_owned()),
            Some(values) => check_record(fields, values, look),
        },
        Kind::Union(kinds) => {
            let mut last = Ok(());
            for kind in kinds {
                match check(kind, value, look) {
                    Ok(()) => return Ok(()),
                    Err(problem) if last.is_err() && *kind == Kind::Null => drop(problem),
                    Err(problem) => last = Err(problem),
                }
            }
            last
        }
    }
}

fn check_record(
    fields: &[Input],
    values: &Map<String, Value>,
    look: &dyn Fn(&str) -> Known,
) -> Result<(), String> {
    for field in fields {
        match values.get(&field.id) {
            None | Some(Value::Null) if field.required() => {
                return Err(format!("needs {}", field.id));
            }
            None | Some(Value::Null) => {}
            Some(value) => check(&field.kind, value, look)
                .map_err(|problem| format!("{} {problem}", field.id))?,
        }
    }
    Ok(())
}

fn check_entry(
    value: &Value,
    class: &str,
    wanted: Known,
    look: &dyn Fn(&str) -> Known,
) -> Result<(), String> {
    if value.get("class").and_then(Value::as_str) != Some(class) {
        return Err(format!("must be an object of class {class}"));
    }
    let Some(id) = value.get("path").and_then(Value::as_str) else {
        return Err("must have a path".to_owned());
    };
    match look(id) {
        known if known == wanted => Ok(()),
        Known::Nothing => Err(format!("names the file {id}, which does not exist")),
        Known::Elsewhere => Err(format!("names the file {id} of another project")),
        Known::File | Known::Folder => Err(format!("names {id}, which is no {class}")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn types_are_read_in_every_form() {
        let maybe = |kind| Kind::Union(vec![Kind::Null, kind]);
        let list = |kind| Kind::Array(Box::new(kind));
        for (declared, expected) in [
            (json!("File[]?"), maybe(list(Kind::File))),
            (json!(["null", "File"]), maybe(Kind::File)),
            (
                json!({"type": "array", "items": {"type": "array", "items": "File"}}),
                list(list(Kind::File)),
            ),
            (
                json!({"type": "enum", "symbols": ["#a/low", "high"]}),
                Kind::Enum(vec!["low".to_owned(), "high".to_owned()]),
            ),
            (json!("sbg:Hologram"), Kind::Any),
        ] {
            assert_eq!(kind(&declared), expected, "{declared}");
        }
    }

    #[test]
    fn values_are_held_against_types() {
        let look = |id: &str| match id {
            "file" => Known::File,
            "folder" => Known::Folder,
            _ => Known::Nothing,
        };
        let says = |declared: Value, value: Value| check(&kind(&declared), &value, &look);
        assert_eq!(says(json!("int"), json!(3)), Ok(()));
        assert!(says(json!("int"), json!(3_000_000_000_i64)).is_err());
        assert_eq!(says(json!("long"), json!(3_000_000_000_i64)), Ok(()));
        assert!(says(json!("int"), json!("3")).is_err());
        assert_eq!(says(json!(["null", "int", "string"]), json!("x")), Ok(()));
        assert_eq!(says(json!("float?"), Value::Null), Ok(()));
        let file = |path: &str| json!({"class": "File", "path": path, "name": "x"});
        assert_eq!(says(json!("File[]"), json!([file("file")])), Ok(()));
        assert!(says(json!("File"), file("folder")).is_err());
        assert!(
            says(json!("File"), file("gone"))
                .unwrap_err()
                .contains("gone")
        );
        assert!(says(json!("File[]"), file("file")).is_err());
        let record = json!({"type": "record", "fields": [{"name": "n", "type": "int"}]});
        assert_eq!(says(record.clone(), json!({"n": 1})), Ok(()));
        assert!(says(record, json!({})).is_err());
    }
}
