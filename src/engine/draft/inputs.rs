//! What there is to say about the inputs of a target: files of this computer, inputs at the platform, and how they are
//! shared out over jobs.

use std::collections::BTreeMap;

use bytesize::ByteSize;

use crate::engine::draft::findings::OneTarget;
use crate::model::batch::Finding;
use crate::model::file::LocalFile;
use crate::model::form::{Field, FieldKind, FileRule, Form, Settings, Value};
use crate::model::provider::{FanOut, Intake};

/// Whether there are inputs, whether they can get there, and whether the sample column shares them out.
pub(super) fn of_inputs(one: &OneTarget<'_>) -> Vec<Finding> {
    let (files, existing) = (&one.request.files, &one.target.existing);
    let platform = one.facts.name;
    let mut found = Vec::new();
    if !existing.is_empty() {
        if !one.facts.capabilities.browses_inputs {
            found.push(one.blocks(format!("{platform} takes files of this computer only.")));
        }
        if one.target.fan_out.needs_samples() {
            found.push(one.blocks(
                "Sample columns describe files of this computer: choose another way of making jobs for inputs that are there.",
            ));
        }
        if !files.is_empty() {
            found.push(one.warns(format!(
                "{} not sent to {platform}: this pipeline uses the {} picked there.",
                counted(files.len(), "file is", "files are"),
                counted(existing.len(), "input", "inputs"),
            )));
        }
        return found;
    }
    if files.is_empty() {
        found.push(one.blocks(if one.facts.capabilities.browses_inputs {
            format!(
                "Add at least one file that can be sent, or pick inputs that are at {platform}."
            )
        } else {
            "Add at least one file that can be sent.".to_owned()
        }));
        return found;
    }
    found.extend(way_there(one));
    found.extend(too_large(one));
    found.extend(of_samples(one));
    found
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

/// Files that only get there through something the connection does not have.
fn way_there(one: &OneTarget<'_>) -> Option<Finding> {
    let needed = one.facts.capabilities.intake_needs?;
    if one.connection.options.contains_key(needed) {
        return None;
    }
    let field = one
        .facts
        .connect_fields
        .iter()
        .find(|field| field.name == needed);
    let what = field.map_or(needed, |field| {
        if field.part.is_empty() {
            field.label
        } else {
            field.part
        }
    });
    let otherwise = if one.facts.capabilities.browses_inputs {
        format!(", or pick inputs that are at {} already", one.facts.name)
    } else {
        String::new()
    };
    Some(one.blocks(format!(
        "Files of this computer cannot get to {} yet. Fill in “{what}” of {} in Connections{otherwise}.",
        one.facts.name, one.connection.label
    )))
}

fn too_large(one: &OneTarget<'_>) -> Vec<Finding> {
    let Some(max) = one.facts.capabilities.max_file_bytes else {
        return Vec::new();
    };
    let files = one.request.files.iter();
    files
        .filter(|file| file.size_bytes > max)
        .map(|file| {
            let (has, takes) = (ByteSize(file.size_bytes), ByteSize(max));
            one.blocks(format!(
                "{} has {has}, more than the {takes} that {} takes.",
                file.name, one.facts.name
            ))
        })
        .collect()
}

/// Whether the sample column is there and every file has a value in it.
fn of_samples(one: &OneTarget<'_>) -> Option<Finding> {
    if !one.target.fan_out.needs_samples() {
        return None;
    }
    let samples = &one.request.samples;
    let Some(column) = one
        .target
        .sample_column
        .as_deref()
        .filter(|name| !name.is_empty())
    else {
        return Some(one.blocks("Choose the sample column that makes the jobs."));
    };
    if !samples.columns.iter().any(|name| name == column) {
        return Some(one.blocks(format!(
            "The sample table has no column “{column}” any more: choose another."
        )));
    }
    let mut without = one
        .request
        .files
        .iter()
        .filter(|file| samples.value(&file.path, column).is_none());
    let first = without.next()?;
    let words = match without.count() {
        0 => format!(
            "{} has no value in the sample column “{column}”.",
            first.name
        ),
        more => format!(
            "{} and {more} more have no value in the sample column “{column}”.",
            first.name
        ),
    };
    Some(one.blocks(format!("{words} Fill it in, or take the file out.")))
}

/// How many inputs each job gets, in no order that means something.
pub(super) fn groups(one: &OneTarget<'_>) -> Vec<usize> {
    let files = &one.request.files;
    let all = if one.target.existing.is_empty() {
        files.len()
    } else {
        one.target.existing.len()
    };
    match one.target.fan_out {
        FanOut::AllInOne | FanOut::BatchPerFile | FanOut::BatchPerSample => vec![all],
        FanOut::OnePerFile => vec![1; all],
        FanOut::OnePerSample => by_value(one).into_values().collect(),
    }
}

fn by_value<'a>(one: &OneTarget<'a>) -> BTreeMap<&'a str, usize> {
    let mut counts = BTreeMap::new();
    let Some(column) = &one.target.sample_column else {
        return counts;
    };
    for file in &one.request.files {
        if let Some(value) = one.request.samples.value(&file.path, column) {
            let count: &mut usize = counts.entry(value).or_default();
            *count = count.saturating_add(1);
        }
    }
    counts
}

/// The most inputs that one run gets at once.
fn most_at_once(one: &OneTarget<'_>) -> usize {
    match one.target.fan_out {
        FanOut::BatchPerFile => 1,
        FanOut::BatchPerSample => by_value(one).into_values().max().unwrap_or_default(),
        FanOut::AllInOne | FanOut::OnePerFile | FanOut::OnePerSample => {
            groups(one).into_iter().max().unwrap_or_default()
        }
    }
}

/// Whether the fields of the form take as many inputs as they will get, and inputs of these endings. Where files are
/// gathered, a job has one input whatever the number of files.
pub(super) fn of_file_fields(
    one: &OneTarget<'_>,
    form: &Form,
    settings: &Settings,
) -> Vec<Finding> {
    if one.facts.capabilities.intake != Intake::UploadFirst {
        return Vec::new();
    }
    let has_file_fields = form
        .fields
        .iter()
        .any(|field| !field.hidden && !file_rules(&field.kind).is_empty());
    if !has_file_fields {
        return Vec::new();
    }
    let taking: Vec<(&Field, &FileRule)> = form
        .fields
        .iter()
        .filter_map(|field| Some((field, taking_rule(&field.kind, settings.get(&field.name)?)?)))
        .collect();
    if taking.is_empty() {
        let inputs = if one.target.existing.is_empty() {
            "the files of the batch"
        } else {
            "the picked inputs"
        };
        return vec![one.warns(format!(
            "No setting takes {inputs}, so the {} runs without them.",
            one.facts.nouns.job
        ))];
    }
    let most = most_at_once(one);
    let names: Vec<&str> = if one.target.existing.is_empty() {
        one.request.files.iter().map(name_of).collect()
    } else {
        let existing = one.target.existing.iter();
        existing.map(|input| input.name.as_str()).collect()
    };
    let mut found = Vec::new();
    for (field, rule) in taking {
        let finding = |finding: Finding| Finding {
            field: Some(field.name.clone()),
            ..finding
        };
        if !rule.many && most > 1 {
            found.push(finding(one.blocks(format!(
                "{} takes one file and would get {most}: choose one job per file.",
                field.label
            ))));
        }
        if let Some(words) = rule.ending_warning(&field.label, names.iter().copied()) {
            found.push(finding(one.warns(format!("{words}."))));
        }
    }
    found
}

fn name_of(file: &LocalFile) -> &str {
    &file.name
}

/// The rules of the files a kind may hold.
fn file_rules(kind: &FieldKind) -> Vec<&FileRule> {
    match kind {
        FieldKind::File(rule) => vec![rule],
        FieldKind::Either(variants) => variants
            .iter()
            .flat_map(|variant| file_rules(&variant.kind))
            .collect(),
        FieldKind::List(kind) => file_rules(kind),
        FieldKind::Flag
        | FieldKind::Text(_)
        | FieldKind::Number { .. }
        | FieldKind::Choice(_)
        | FieldKind::Json => Vec::new(),
    }
}

/// The rule of the field that is given the job's own files, where this value gives them.
fn taking_rule<'a>(kind: &'a FieldKind, value: &Value) -> Option<&'a FileRule> {
    match (kind, value) {
        (FieldKind::File(rule), Value::Inputs) => Some(rule),
        (FieldKind::List(kind), Value::List(values)) => {
            values.iter().find_map(|value| taking_rule(kind, value))
        }
        (FieldKind::Either(variants), Value::Variant(number, value)) => {
            taking_rule(&variants.get(*number)?.kind, value)
        }
        (
            FieldKind::Flag
            | FieldKind::Text(_)
            | FieldKind::Number { .. }
            | FieldKind::Choice(_)
            | FieldKind::List(_)
            | FieldKind::File(_)
            | FieldKind::Json
            | FieldKind::Either(_),
            _,
        ) => None,
    }
}
