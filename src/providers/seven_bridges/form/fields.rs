//! The form of an app.

use serde_json::Value as Json;

use crate::model::form::{Field, FieldKind, FileRule, Form, TextRule, Value, Variant};
use crate::model::remote::StagedFile;
use crate::providers::seven_bridges::form::cwl::{Input, Part, Shape};

/// Makes the form: ungrouped fields first, then each group, in the app's order. Records of simple fields are groups of
/// their own with the record's name in front of each field's.
pub(in crate::providers::seven_bridges) fn form(inputs: &[Input]) -> Form {
    let mut fields: Vec<Field> = inputs.iter().flat_map(fields_of).collect();
    give_the_files(&mut fields, inputs);
    let takes_files = fields.iter().any(|field| takes_files(&field.kind));
    let mut groups: Vec<String> = vec![String::new()];
    for field in &fields {
        if !groups.contains(&field.group) {
            groups.push(field.group.clone());
        }
    }
    fields.sort_by_key(|field| groups.iter().position(|group| group == &field.group));
    let mut cautions = Vec::new();
    if !takes_files {
        cautions.push("This app takes no files, so the files of the batch are not used".to_owned());
    }
    Form {
        fields,
        cautions,
        ..Form::default()
    }
}

fn fields_of(input: &Input) -> Vec<Field> {
    let Some(parts) = flat_record(&input.shape) else {
        return vec![field_of(input)];
    };
    let group = shown(&input.label, &input.id).to_owned();
    parts
        .iter()
        .map(|part| {
            let default = input
                .default
                .as_ref()
                .and_then(|default| default.get(&part.name))
                .and_then(|default| value(&part.shape, default));
            Field {
                name: part_name(input, part),
                label: shown(&part.label, &part.name).to_owned(),
                help: part.doc.clone(),
                kind: kind(&part.shape, &[]),
                required: !part.optional && !input.optional,
                default,
                group: group.clone(),
                hidden: false,
            }
        })
        .collect()
}

/// The name of a field of a record.
pub(super) fn part_name(input: &Input, part: &Part) -> String {
    format!("{}.{}", input.id, part.name)
}

/// The fields of a record that can stand in a form one by one: nothing nested in them.
pub(super) fn flat_record(shape: &Shape) -> Option<&[Part]> {
    let Shape::Record(parts) = shape else {
        return None;
    };
    let is_simple = |part: &Part| !matches!(kind(&part.shape, &[]), FieldKind::Json);
    (!parts.is_empty() && parts.iter().all(is_simple)).then_some(parts.as_slice())
}

fn field_of(input: &Input) -> Field {
    let kind = kind(&input.shape, &input.endings);
    let default = match &input.default {
        Some(default) => value(&input.shape, default),
        None => input.suggested.as_ref().and_then(picked),
    };
    Field {
        name: input.id.clone(),
        label: shown(&input.label, &input.id).to_owned(),
        help: help(input),
        kind,
        required: !input.optional,
        default,
        group: input.category.clone(),
        hidden: false,
    }
}

fn shown<'a>(label: &'a str, id: &'a str) -> &'a str {
    if label.is_empty() { id } else { label }
}

fn help(input: &Input) -> String {
    let mut help = vec![input.doc.clone()];
    if !input.tool_default.is_empty() {
        help.push(format!("Left empty, the tool uses {}", input.tool_default));
    }
    if !input.secondary.is_empty() {
        help.push(format!(
            "Needs files beside it in the project: {}",
            input.secondary.join(", ")
        ));
    }
    help.retain(|sentence| !sentence.is_empty());
    help.join("\n")
}

/// What may be entered. Lists of lists, lists of records, and what nobody can know are JSON.
fn kind(shape: &Shape, endings: &[String]) -> FieldKind {
    let files = |many, folder| {
        FieldKind::File(FileRule {
            many,
            folder,
            endings: endings.to_vec(),
        })
    };
    match shape {
        Shape::File => files(false, false),
        Shape::Directory => files(false, true),
        Shape::Int => FieldKind::Number {
            min: Some(f64::from(i32::MIN)),
            max: Some(f64::from(i32::MAX)),
            whole: true,
        },
        Shape::Long => FieldKind::Number {
            min: None,
            max: None,
            whole: true,
        },
        Shape::Float => FieldKind::Number {
            min: None,
            max: None,
            whole: false,
        },
        Shape::Text => FieldKind::Text(TextRule::default()),
        Shape::Flag => FieldKind::Flag,
        Shape::Choice(symbols) if !symbols.is_empty() => FieldKind::Choice(symbols.clone()),
        Shape::List(items) => match items.as_ref() {
            Shape::File => files(true, false),
            Shape::Directory => files(true, true),
            items => match kind(items, &[]) {
                FieldKind::List(_)
                | FieldKind::Json
                | FieldKind::Either(_)
                | FieldKind::File(_) => FieldKind::Json,
                item => FieldKind::List(Box::new(item)),
            },
        },
        Shape::OneOf(shapes) => FieldKind::Either(
            shapes
                .iter()
                .map(|shape| Variant {
                    label: name_of(shape),
                    kind: kind(shape, endings),
                })
                .collect(),
        ),
        Shape::Choice(_) | Shape::Record(_) | Shape::Any => FieldKind::Json,
    }
}

/// What a person reads when choosing among kinds.
fn name_of(shape: &Shape) -> String {
    let name = match shape {
        Shape::File => "File",
        Shape::Directory => "Folder",
        Shape::Int | Shape::Long => "Whole number",
        Shape::Float => "Number",
        Shape::Text => "Text",
        Shape::Flag => "Yes or no",
        Shape::Choice(_) => "One of a list",
        Shape::List(items) => match items.as_ref() {
            Shape::File => "Several files",
            Shape::Directory => "Several folders",
            Shape::Int | Shape::Long | Shape::Float => "Several numbers",
            Shape::Text => "Several texts",
            Shape::Flag
            | Shape::Choice(_)
            | Shape::List(_)
            | Shape::Record(_)
            | Shape::OneOf(_)
            | Shape::Any => "Several values",
        },
        Shape::Record(_) | Shape::OneOf(_) | Shape::Any => "JSON",
    };
    name.to_owned()
}

/// A value out of an app's description; none where it does not fit, as the platform then fills it in itself.
fn value(shape: &Shape, json: &Json) -> Option<Value> {
    match (shape, json) {
        (_, Json::Null) => None,
        (Shape::File | Shape::Directory, json) => picked(json),
        (Shape::Int | Shape::Long | Shape::Float, Json::Number(number)) => {
            Some(Value::Text(number.to_string()))
        }
        (Shape::Int | Shape::Long | Shape::Float, Json::String(text)) => text
            .trim()
            .parse::<f64>()
            .is_ok()
            .then(|| Value::Text(text.trim().to_owned())),
        (Shape::Text, Json::String(text)) => Some(Value::Text(text.clone())),
        (Shape::Text, Json::Number(number)) => Some(Value::Text(number.to_string())),
        (Shape::Flag, Json::Bool(flag)) => Some(Value::Flag(*flag)),
        (Shape::Choice(symbols), Json::String(text)) => {
            symbols.contains(text).then(|| Value::Text(text.clone()))
        }
        (Shape::List(items), Json::Array(values)) => {
            if matches!(items.as_ref(), Shape::File | Shape::Directory) {
                return picked(json);
            }
            if kind(shape, &[]) == FieldKind::Json {
                return Some(Value::Text(json.to_string()));
            }
            let values: Option<Vec<Value>> = values.iter().map(|json| value(items, json)).collect();
            values.map(Value::List)
        }
        (Shape::OneOf(shapes), json) => shapes.iter().enumerate().find_map(|(number, shape)| {
            Some(Value::Variant(number, Box::new(value(shape, json)?)))
        }),
        (Shape::Any | Shape::Record(_), json) => Some(Value::Text(json.to_string())),
        _ => None,
    }
}

/// Files named in an app's description; nothing where one of them is not at the platform.
fn picked(json: &Json) -> Option<Value> {
    let listed;
    let items = match json {
        Json::Array(items) => items.as_slice(),
        item => {
            listed = [item.clone()];
            &listed
        }
    };
    let files: Option<Vec<StagedFile>> = items
        .iter()
        .map(|item| {
            let id = item.get("path")?.as_str()?;
            let is_id = id.len() == 24 && id.chars().all(|digit| digit.is_ascii_hexdigit());
            is_id.then(|| StagedFile {
                id: id.to_owned(),
                name: item
                    .get("name")
                    .and_then(Json::as_str)
                    .unwrap_or(id)
                    .to_owned(),
                is_folder: item.get("class").and_then(Json::as_str) == Some("Directory"),
                ..StagedFile::default()
            })
        })
        .collect();
    files.filter(|files| !files.is_empty()).map(Value::Picked)
}

fn takes_files(kind: &FieldKind) -> bool {
    files_value(kind).is_some()
}

/// The value that stands for the job's own files, where the kind takes them.
fn files_value(kind: &FieldKind) -> Option<Value> {
    match kind {
        FieldKind::File(rule) => (!rule.folder).then_some(Value::Inputs),
        FieldKind::Either(variants) => {
            let takes = |many: bool| {
                variants.iter().position(|variant| {
                    matches!(&variant.kind, FieldKind::File(rule) if !rule.folder && rule.many == many)
                })
            };
            let number = takes(true).or_else(|| takes(false))?;
            Some(Value::Variant(number, Box::new(Value::Inputs)))
        }
        FieldKind::Flag
        | FieldKind::Text(_)
        | FieldKind::Number { .. }
        | FieldKind::Choice(_)
        | FieldKind::List(_)
        | FieldKind::Json => None,
    }
}

/// The job's files go to the first required input that takes files, else to the first that does; one that has files of
/// its own already keeps them.
fn give_the_files(fields: &mut [Field], inputs: &[Input]) {
    let is_open = |field: &Field| {
        field.default.is_none()
            && takes_files(&field.kind)
            && inputs.iter().any(|input| input.id == field.name)
    };
    let index = fields
        .iter()
        .position(|field| field.required && is_open(field))
        .or_else(|| fields.iter().position(is_open));
    if let Some(field) = index.and_then(|index| fields.get_mut(index)) {
        field.default = files_value(&field.kind);
    }
}
