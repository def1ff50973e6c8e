//! Whether a task can run: its inputs against what the app declares.
//!
//! What is wrong here is no refusal: the task is made and stays a draft that carries its errors.

use serde_json::{Map, Value};

use crate::providers::seven_bridges::sim::apps::inputs::{Input, Kind, Known, check};
use crate::providers::seven_bridges::sim::batch;
use crate::providers::seven_bridges::sim::projects::Project;
use crate::providers::seven_bridges::sim::store::Files;
use crate::providers::seven_bridges::sim::task::Task;

/// Fills in what is wrong with a task, and what is odd.
pub(super) fn validate(files: &Files, project: &Project, task: &mut Task) {
    let mut errors = Vec::new();
    if !project.billed {
        errors.push("The project has no billing group.".to_owned());
    }
    let look = |id: &str| match files.get(id) {
        None => Known::Nothing,
        Some(item) if item.project != task.project => Known::Elsewhere,
        Some(item) if item.is_folder() => Known::Folder,
        Some(_) => Known::File,
    };
    let batched = task.batch_input.as_ref().filter(|_| task.batch);
    for input in &task.revision.inputs {
        let value = task.inputs.get(&input.id).filter(|value| !value.is_null());
        let Some(value) = value else {
            if input.required() {
                errors.push(format!("Required input {} is missing.", input.id));
            }
            continue;
        };
        let fits = if batched == Some(&input.id) {
            check_each(input, value, &look)
        } else {
            check(&input.kind, value, &look)
        };
        if let Err(problem) = fits {
            errors.push(format!("Input {} {problem}.", input.id));
        }
    }
    if errors.is_empty()
        && let Some(input) = batched
    {
        let known = task.revision.inputs.iter().any(|known| known.id == *input);
        match batch::groups(files, task) {
            _ if !known => errors.push(format!("There is no input {input} to batch by.")),
            Ok(groups) if groups.is_empty() => {
                errors.push(format!("Input {input} has nothing to batch by."));
            }
            Ok(_) => {}
            Err(problem) => errors.push(problem),
        }
    }
    task.warnings = strangers(&task.revision.inputs, &task.inputs);
    task.errors = errors;
}

/// The input a batch is made by is a list, of whose elements each child gets some.
fn check_each(input: &Input, value: &Value, look: &dyn Fn(&str) -> Known) -> Result<(), String> {
    let Some(values) = value.as_array() else {
        return Err("must be a list to batch by".to_owned());
    };
    for value in values {
        if input.kind.is_list() {
            check(&input.kind, &Value::Array(vec![value.clone()]), look)?;
        } else {
            check(&input.kind, value, look)?;
        }
    }
    Ok(())
}

fn strangers(inputs: &[Input], given: &Map<String, Value>) -> Vec<String> {
    given
        .keys()
        .filter(|name| inputs.iter().all(|input| input.id != **name))
        .map(|name| format!("The app has no input {name}; it is ignored."))
        .collect()
}

/// Whether a child of a batch gets one thing or a list of them.
pub(super) fn takes_list(task: &Task, input: &str) -> bool {
    let mut inputs = task.revision.inputs.iter();
    let kind: Option<&Kind> = inputs
        .find(|known| known.id == input)
        .map(|known| &known.kind);
    kind.is_none_or(Kind::is_list)
}
