//! The values of a form as the JSON a task wants, each of the type its input has.

use serde_json::{Map, Value as Json, json};

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::form::{Settings, Value};
use crate::model::remote::StagedFile;
use crate::providers::seven_bridges::form::cwl::{Input, Shape};
use crate::providers::seven_bridges::form::fields::{flat_record, part_name};

/// What a task is given.
#[derive(Debug, Default, PartialEq)]
pub(in crate::providers::seven_bridges) struct Given {
    /// The value of each input that has one.
    pub(in crate::providers::seven_bridges) inputs: Map<String, Json>,
    /// The inputs that hold the job's own files.
    pub(in crate::providers::seven_bridges) holders: Vec<String>,
}

/// How the job's files are spread.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::providers::seven_bridges) enum Spread {
    /// The task takes them all.
    One,
    /// The platform gives each of its tasks some of them, so an input for one file may hold several.
    Batch,
}

/// Types the settings. What was left empty is not sent.
pub(in crate::providers::seven_bridges) fn given(
    inputs: &[Input],
    settings: &Settings,
    files: &[StagedFile],
    spread: Spread,
) -> Result<Given> {
    let mut given = Given::default();
    for input in inputs {
        let value = match flat_record(&input.shape) {
            Some(parts) => {
                let mut record = Map::new();
                for part in parts {
                    let name = part_name(input, part);
                    if let Some(value) = settings.get(&name)
                        && let Some(json) = typed(&part.shape, value, files, &name, Spread::One)?
                    {
                        record.insert(part.name.clone(), json);
                    }
                }
                (!record.is_empty()).then_some(Json::Object(record))
            }
            None => match settings.get(&input.id) {
                Some(value) => {
                    if holds_the_files(value) {
                        given.holders.push(input.id.clone());
                    }
                    typed(&input.shape, value, files, &input.id, spread)?
                }
                None => None,
            },
        };
        if let Some(value) = value {
            given.inputs.insert(input.id.clone(), value);
        }
    }
    Ok(given)
}

fn holds_the_files(value: &Value) -> bool {
    match value {
        Value::Inputs => true,
        Value::Variant(_, value) => holds_the_files(value),
        Value::Flag(_) | Value::Text(_) | Value::List(_) | Value::Picked(_) => false,
    }
}

/// One value; none where it was left empty.
fn typed(
    shape: &Shape,
    value: &Value,
    files: &[StagedFile],
    name: &str,
    spread: Spread,
) -> Result<Option<Json>> {
    let refused = |wanted: &str| {
        Err(Error::new(ErrorKind::Invalid, Doing::Submit).hint(format!("{name} needs {wanted}")))
    };
    if let Value::Text(text) = value
        && text.trim().is_empty()
        && (text.is_empty() || !matches!(shape, Shape::Text))
    {
        return Ok(None);
    }
    let json = match (shape, value) {
        (Shape::OneOf(shapes), Value::Variant(number, value)) => {
            let Some(shape) = shapes.get(*number) else {
                return refused("one of its kinds of value");
            };
            return typed(shape, value, files, name, spread);
        }
        (Shape::File, Value::Inputs) => match (files, spread) {
            (files, Spread::Batch) => list_of("File", files),
            ([file], Spread::One) => reference("File", file),
            ([], Spread::One) => return refused("a file, and this job has none"),
            (_, Spread::One) => {
                return refused("one file, and this job has several: make one task a file");
            }
        },
        (Shape::File, Value::Picked(picked)) => match picked.as_slice() {
            [file] => reference("File", file),
            [] => return Ok(None),
            _ => return refused("one file"),
        },
        (Shape::Directory, Value::Picked(picked)) => match picked.as_slice() {
            [folder] => reference("Directory", folder),
            [] => return Ok(None),
            _ => return refused("one folder"),
        },
        (Shape::List(items), Value::Inputs | Value::Picked(_)) => {
            let class = match items.as_ref() {
                Shape::File => "File",
                Shape::Directory => "Directory",
                _ => return refused("values and no files"),
            };
            match value {
                Value::Picked(picked) if picked.is_empty() => return Ok(None),
                Value::Picked(picked) => list_of(class, picked),
                _ => list_of(class, files),
            }
        }
        (Shape::Int, Value::Text(text)) => match text.trim().parse::<i32>() {
            Ok(number) => json!(number),
            Err(_no_number) => return refused("a whole number of at most nine digits"),
        },
        (Shape::Long, Value::Text(text)) => match text.trim().parse::<i64>() {
            Ok(number) => json!(number),
            Err(_no_number) => return refused("a whole number"),
        },
        (Shape::Float, Value::Text(text)) => match text.trim().parse::<f64>() {
            Ok(number) if number.is_finite() => json!(number),
            Ok(_) | Err(_) => return refused("a number"),
        },
        (Shape::Choice(symbols), Value::Text(text)) if !symbols.is_empty() => json!(text),
        (Shape::Text, Value::Text(text)) => json!(text),
        (Shape::Flag, Value::Flag(flag)) => json!(flag),
        (Shape::List(_), Value::List(values)) if values.is_empty() => return Ok(None),
        (Shape::List(items), Value::List(values)) => {
            let mut list = Vec::with_capacity(values.len());
            for value in values {
                list.extend(typed(items, value, files, name, Spread::One)?);
            }
            Json::Array(list)
        }
        // What has no better field was typed as JSON.
        (Shape::Any | Shape::Record(_) | Shape::List(_) | Shape::Choice(_), Value::Text(text)) => {
            match serde_json::from_str(text) {
                Ok(json) => json,
                Err(_no_json) => return refused("JSON"),
            }
        }
        _ => return refused("another kind of value"),
    };
    Ok(Some(json))
}

fn list_of(class: &str, files: &[StagedFile]) -> Json {
    files.iter().map(|file| reference(class, file)).collect()
}

/// The identifier counts; the name is for people.
fn reference(class: &str, file: &StagedFile) -> Json {
    json!({ "class": class, "path": file.id, "name": file.name })
}
