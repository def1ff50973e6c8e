//! Batches: one task a file, or one for each value of something the files are described with.

use serde_json::{Map, Value, json};

use crate::providers::seven_bridges::sim::checks::takes_list;
use crate::providers::seven_bridges::sim::errors::Refusal;
use crate::providers::seven_bridges::sim::new_uuid;
use crate::providers::seven_bridges::sim::store::Files;
use crate::providers::seven_bridges::sim::task::Task;

/// What one child gets.
#[derive(Debug)]
pub(super) struct Group {
    /// What it is called after, such as `file: a.csv`.
    label: String,
    value: String,
    fields: Map<String, Value>,
    values: Vec<Value>,
}

/// Reads `batch_input` and `batch_by`, which go together.
pub(super) fn wish(
    input: Option<&Value>,
    by: Option<&Value>,
) -> Result<Option<(String, Value)>, Refusal> {
    let (input, by) = match (input.and_then(Value::as_str), by) {
        (None, None) => return Ok(None),
        (Some(input), Some(by)) => (input, by),
        _ => {
            return Err(Refusal::bad(
                7023,
                "batch_input and batch_by must be given together.",
            ));
        }
    };
    let kind = by.get("type").and_then(Value::as_str).unwrap_or_default();
    let criteria = by.get("criteria").and_then(Value::as_array);
    let named = criteria
        .is_some_and(|criteria| !criteria.is_empty() && criteria.iter().all(Value::is_string));
    match kind.to_lowercase().as_str() {
        "item" => {}
        "criteria" if named => {}
        "criteria" => return Err(Refusal::bad(7020, "Batch criteria are missing.")),
        _ => return Err(Refusal::bad(7020, "Batch type must be ITEM or CRITERIA.")),
    }
    Ok(Some((input.to_owned(), by.clone())))
}

/// What each child gets, in the order of the input; else what is wrong.
pub(super) fn groups(files: &Files, task: &Task) -> Result<Vec<Group>, String> {
    let (Some(input), Some(by)) = (&task.batch_input, &task.batch_by) else {
        return Ok(Vec::new());
    };
    let values = task.inputs.get(input).and_then(Value::as_array);
    let values = values.map(Vec::as_slice).unwrap_or_default();
    let kind = by.get("type").and_then(Value::as_str).unwrap_or_default();
    if kind.eq_ignore_ascii_case("item") {
        return Ok(values.iter().map(|value| of_item(files, value)).collect());
    }
    let criteria = by.get("criteria").and_then(Value::as_array);
    let criteria: Vec<&str> = criteria
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut groups: Vec<Group> = Vec::new();
    for value in values {
        let fields = fields(files, value, &criteria)?;
        match groups.iter_mut().find(|group| group.fields == fields) {
            Some(group) => group.values.push(value.clone()),
            None => groups.push(Group::of_fields(fields, value.clone())),
        }
    }
    if !takes_list(task, input)
        && let Some(group) = groups.iter().find(|group| group.values.len() > 1)
    {
        let label = &group.label;
        return Err(format!(
            "Input {input} takes one file, but several have {label}."
        ));
    }
    Ok(groups)
}

fn name_of(files: &Files, value: &Value) -> String {
    let item = value.get("path").and_then(Value::as_str);
    match item.and_then(|id| files.get(id)) {
        Some(item) => item.name.clone(),
        None => value
            .as_str()
            .map_or_else(|| value.to_string(), str::to_owned),
    }
}

fn of_item(files: &Files, value: &Value) -> Group {
    let name = name_of(files, value);
    let mut fields = Map::new();
    if let Some(id) = value.get("path") {
        fields.insert("id".to_owned(), id.clone());
        fields.insert("name".to_owned(), json!(name));
    }
    Group {
        label: format!("file: {name}"),
        value: name,
        fields,
        values: vec![value.clone()],
    }
}

fn fields(files: &Files, value: &Value, criteria: &[&str]) -> Result<Map<String, Value>, String> {
    let id = value
        .get("path")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let item = files.get(id);
    let mut fields = Map::new();
    for criterion in criteria {
        let key = criterion.strip_prefix("metadata.").unwrap_or(criterion);
        let known = item.and_then(|item| item.metadata.get(key));
        let Some(known) = known.filter(|known| !known.is_null()) else {
            let name = name_of(files, value);
            return Err(format!("File {name} has no metadata {key} to batch by."));
        };
        fields.insert((*criterion).to_owned(), known.clone());
    }
    Ok(fields)
}

impl Group {
    fn of_fields(fields: Map<String, Value>, value: Value) -> Self {
        let text = |value: &Value| {
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned)
        };
        let short = |name: &str| name.rsplit('.').next().unwrap_or(name).to_owned();
        let label = fields
            .iter()
            .map(|(name, value)| format!("{}: {}", short(name), text(value)));
        let label = label.collect::<Vec<_>>().join(", ");
        let all = fields.values().map(text).collect::<Vec<_>>().join(", ");
        Self {
            label,
            value: all,
            fields,
            values: vec![value],
        }
    }
}

/// The children of a batch, ready to run with it.
pub(super) fn children(task: &Task, groups: Vec<Group>) -> Vec<Task> {
    let input = task.batch_input.clone().unwrap_or_default();
    let list = takes_list(task, &input);
    let child = |(place, group): (u64, Group)| {
        let mut inputs = task.inputs.clone();
        let value = match group.values.as_slice() {
            [one] if !list => one.clone(),
            _ => json!(group.values),
        };
        inputs.insert(input.clone(), value);
        Task {
            id: new_uuid(),
            name: format!("{} - {}", task.name, group.label),
            inputs,
            batch: false,
            batch_input: None,
            batch_by: None,
            batch_group: Some(json!({ "value": group.value, "fields": group.fields })),
            parent: Some(task.id.clone()),
            place,
            work: std::sync::Arc::default(),
            ..task.clone()
        }
    };
    (1..).zip(groups).map(child).collect()
}
