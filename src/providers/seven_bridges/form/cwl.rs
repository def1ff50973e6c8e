//! The inputs of a tool or workflow in CWL, in all the ways they are written: as a list or as a map, of CWL v1 or of the
//! draft before it.

use serde_json::{Map, Value as Json};

/// One input.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::providers::seven_bridges) struct Input {
    /// Without the draft's `#` and without the names of workflows in front.
    pub(in crate::providers::seven_bridges) id: String,
    pub(super) label: String,
    pub(super) doc: String,
    pub(super) default: Option<Json>,
    /// Whether nothing may be given.
    pub(super) optional: bool,
    pub(in crate::providers::seven_bridges) shape: Shape,
    pub(super) category: String,
    /// What the tool takes when it is given nothing; never sent.
    pub(super) tool_default: String,
    pub(super) endings: Vec<String>,
    /// Files that the app's maker suggests.
    pub(super) suggested: Option<Json>,
    /// Endings of files that have to lie beside the given one.
    pub(super) secondary: Vec<String>,
}

/// What may be given.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::providers::seven_bridges) enum Shape {
    File,
    Directory,
    Int,
    Long,
    Float,
    Text,
    Flag,
    Choice(Vec<String>),
    List(Box<Self>),
    Record(Vec<Part>),
    OneOf(Vec<Self>),
    Any,
}

/// One field of a record.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::providers::seven_bridges) struct Part {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) doc: String,
    pub(super) optional: bool,
    pub(super) shape: Shape,
}

/// The inputs of an app's description, in its order.
pub(in crate::providers::seven_bridges) fn inputs(raw: &Json) -> Vec<Input> {
    match raw.get("inputs") {
        Some(Json::Array(inputs)) => inputs
            .iter()
            .filter_map(|input| {
                let id = input.get("id")?.as_str()?;
                Some(read(id, input))
            })
            .collect(),
        // `id: type`, `id: [types]` or `id: object`.
        Some(Json::Object(inputs)) => inputs
            .iter()
            .map(|(id, input)| {
                if input.get("type").is_some() && !is_type(input) {
                    read(id, input)
                } else {
                    read(id, &serde_json::json!({ "type": input }))
                }
            })
            .filter(|input| !input.id.is_empty())
            .collect(),
        Some(_) | None => Vec::new(),
    }
}

/// Whether an object is itself a type and not an input with one.
fn is_type(object: &Json) -> bool {
    matches!(
        object.get("type").and_then(Json::as_str),
        Some("array") if object.get("items").is_some()
    ) || (object.get("type").and_then(Json::as_str) == Some("enum")
        && object.get("symbols").is_some())
        || (object.get("type").and_then(Json::as_str) == Some("record")
            && object.get("fields").is_some())
}

fn read(id: &str, input: &Json) -> Input {
    let (shape, optional) = shape(input.get("type").unwrap_or(&Json::Null));
    let default = input
        .get("default")
        .filter(|default| !default.is_null())
        .cloned();
    Input {
        id: bare(id),
        label: text(input, &["label"]),
        doc: text(input, &["doc", "description"]),
        optional: optional || default.is_some(),
        default,
        shape,
        category: text(input, &["sbg:category"]),
        tool_default: text(input, &["sbg:toolDefaultValue"]),
        endings: endings(input.get("sbg:fileTypes")),
        suggested: input
            .get("sbg:suggestedValue")
            .filter(|files| !files.is_null())
            .cloned(),
        secondary: secondary(input),
    }
}

/// The last part of an identifier: `#main/reads`, `#reads` and `reads` are the same.
fn bare(id: &str) -> String {
    let id = id.rsplit('#').next().unwrap_or(id);
    id.rsplit('/').next().unwrap_or(id).trim().to_owned()
}

/// The shape, and whether nothing may be given.
fn shape(kind: &Json) -> (Shape, bool) {
    match kind {
        Json::String(name) => named(name),
        Json::Array(kinds) => union(kinds),
        Json::Object(kind) => (constructed(kind), false),
        Json::Null | Json::Bool(_) | Json::Number(_) => (Shape::Any, true),
    }
}

fn named(name: &str) -> (Shape, bool) {
    let name = name.trim();
    if let Some(required) = name.strip_suffix('?') {
        return (named(required).0, true);
    }
    if let Some(items) = name.strip_suffix("[]") {
        return (Shape::List(Box::new(named(items).0)), false);
    }
    let shape = match name {
        "File" | "stdin" => Shape::File,
        "Directory" => Shape::Directory,
        "int" => Shape::Int,
        "long" => Shape::Long,
        "float" | "double" => Shape::Float,
        "string" => Shape::Text,
        "boolean" => Shape::Flag,
        "null" => return (Shape::Any, true),
        _ => Shape::Any,
    };
    (shape, false)
}

fn union(kinds: &[Json]) -> (Shape, bool) {
    let mut optional = false;
    let mut shapes: Vec<Shape> = Vec::new();
    for kind in kinds {
        if kind.as_str() == Some("null") {
            optional = true;
            continue;
        }
        let (one, is_optional) = shape(kind);
        optional |= is_optional;
        if !shapes.contains(&one) {
            shapes.push(one);
        }
    }
    let numbers = |shape: &Shape| matches!(shape, Shape::Int | Shape::Long | Shape::Float);
    if shapes.len() > 1 && shapes.iter().all(numbers) {
        let widest = if shapes.contains(&Shape::Float) {
            Shape::Float
        } else {
            Shape::Long
        };
        return (widest, optional);
    }
    match shapes.len() {
        0 => (Shape::Any, optional),
        1 => (shapes.pop().unwrap_or(Shape::Any), optional),
        _ => (Shape::OneOf(shapes), optional),
    }
}

fn constructed(kind: &Map<String, Json>) -> Shape {
    match kind.get("type") {
        Some(Json::String(name)) => match name.as_str() {
            "array" => {
                let items = kind.get("items").unwrap_or(&Json::Null);
                Shape::List(Box::new(shape(items).0))
            }
            "enum" => Shape::Choice(
                kind.get("symbols")
                    .and_then(Json::as_array)
                    .into_iter()
                    .flatten()
                    .filter_map(Json::as_str)
                    .map(symbol)
                    .collect(),
            ),
            "record" => Shape::Record(parts(kind.get("fields"))),
            name => named(name).0,
        },
        Some(kind) => shape(kind).0,
        None => Shape::Any,
    }
}

/// A symbol of an enumeration without the names in front: `#main/mode/fast` is `fast`.
fn symbol(text: &str) -> String {
    if text.starts_with('#') || text.starts_with("file:") {
        return bare(text);
    }
    text.rsplit('/').next().unwrap_or(text).to_owned()
}

/// The fields of a record, as a list or as a map.
fn parts(fields: Option<&Json>) -> Vec<Part> {
    let part = |name: &str, field: &Json| {
        let (shape, optional) = shape(field.get("type").unwrap_or(field));
        Part {
            name: bare(name),
            label: text(field, &["label"]),
            doc: text(field, &["doc", "description"]),
            optional,
            shape,
        }
    };
    match fields {
        Some(Json::Array(fields)) => fields
            .iter()
            .filter_map(|field| Some(part(field.get("name")?.as_str()?, field)))
            .collect(),
        Some(Json::Object(fields)) => fields
            .iter()
            .map(|(name, field)| part(name, field))
            .collect(),
        Some(_) | None => Vec::new(),
    }
}

/// A text, or lines of it.
fn text(object: &Json, names: &[&str]) -> String {
    names
        .iter()
        .filter_map(|name| object.get(name))
        .find_map(|value| match value {
            Json::String(text) => Some(text.trim().to_owned()),
            Json::Number(number) => Some(number.to_string()),
            Json::Bool(flag) => Some(flag.to_string()),
            Json::Array(lines) => {
                let lines: Vec<&str> = lines.iter().filter_map(Json::as_str).collect();
                Some(lines.join("\n"))
            }
            Json::Null | Json::Object(_) => None,
        })
        .unwrap_or_default()
}

/// `FASTQ, .FQ.GZ` or a list of such.
fn endings(kinds: Option<&Json>) -> Vec<String> {
    let texts: Vec<&str> = match kinds {
        Some(Json::String(text)) => text.split([',', ';']).collect(),
        Some(Json::Array(texts)) => texts.iter().filter_map(Json::as_str).collect(),
        Some(_) | None => Vec::new(),
    };
    texts
        .into_iter()
        .map(|ending| ending.trim().trim_start_matches('.').to_ascii_lowercase())
        .filter(|ending| !ending.is_empty())
        .collect()
}

/// Patterns of files beside the given one; expressions are shown as what they are, not computed.
fn secondary(input: &Json) -> Vec<String> {
    let listed = input.get("secondaryFiles").or_else(|| {
        // The draft has them in the binding.
        input.get("inputBinding")?.get("secondaryFiles")
    });
    let pattern = |item: &Json| -> Option<String> {
        let text = item.as_str().or_else(|| item.get("pattern")?.as_str())?;
        let text = text.trim();
        let is_expression = text.starts_with('$') || text.contains('{');
        (!text.is_empty() && !is_expression).then(|| text.to_owned())
    };
    match listed {
        Some(Json::Array(items)) => items.iter().filter_map(pattern).collect(),
        Some(item) => pattern(item).into_iter().collect(),
        None => Vec::new(),
    }
}
