//! What is wrong with the values of a form, and what is doubtful about them. Each is one sentence for beside the field.

use regex::Regex;

use crate::model::form::{
    Field, FieldKind, FieldProblem, FileRule, Form, Settings, TextRule, Value, Variant,
};
use crate::model::remote::StagedFile;

impl Form {
    /// Everything wrong with these values, in the order of the form. Empty means they can be sent.
    pub fn problems(&self, settings: &Settings) -> Vec<FieldProblem> {
        let mut problems: Vec<FieldProblem> = self
            .shown()
            .filter_map(|field| {
                let words = field.problem(settings.get(&field.name))?;
                Some(said(field, words))
            })
            .collect();
        for name in settings.keys().filter(|_| !self.free_form) {
            if self.field(name).is_none() {
                problems.push(FieldProblem {
                    field: name.clone(),
                    words: format!("This pipeline has no setting called {name}"),
                });
            }
        }
        problems
    }

    /// What is known to make trouble with these values or cannot be checked here; they can be sent all the same.
    pub fn warnings(&self, settings: &Settings) -> Vec<FieldProblem> {
        self.shown()
            .flat_map(|field| {
                let mut words = Vec::new();
                if let Some(value) = settings.get(&field.name) {
                    kind_warnings(&field.kind, &field.label, value, &mut words);
                }
                words.into_iter().map(|words| said(field, words))
            })
            .collect()
    }

    /// A hidden field is not for the person to fill in, so there is nothing to say about it.
    fn shown(&self) -> impl Iterator<Item = &Field> {
        self.fields.iter().filter(|field| !field.hidden)
    }
}

fn said(field: &Field, words: String) -> FieldProblem {
    FieldProblem {
        field: field.name.clone(),
        words,
    }
}

impl Field {
    /// What is wrong with a value, if anything.
    pub fn problem(&self, value: Option<&Value>) -> Option<String> {
        let label = &self.label;
        match value {
            Some(value) if !is_blank(value) => kind_problem(&self.kind, label, value),
            Some(_) | None => self.required.then(|| format!("{label} needs a value")),
        }
    }
}

/// Whether nothing was entered.
fn is_blank(value: &Value) -> bool {
    match value {
        Value::Text(text) => text.is_empty(),
        Value::List(values) => values.is_empty(),
        Value::Picked(files) => files.is_empty(),
        Value::Variant(_, value) => is_blank(value),
        Value::Flag(_) | Value::Inputs => false,
    }
}

/// What is wrong with a value that is not blank.
pub(super) fn kind_problem(kind: &FieldKind, label: &str, value: &Value) -> Option<String> {
    match (kind, value) {
        (FieldKind::Flag, Value::Flag(_)) => None,
        (FieldKind::Flag, _) => Some(format!("{label} is on or off")),
        (_, Value::Flag(_)) => Some(format!("{label} needs a value, not on or off")),
        (FieldKind::Text(rule), Value::Text(text)) => rule.problem(label, text),
        (FieldKind::Text(_), _) => Some(format!("{label} needs a text")),
        (FieldKind::Number { min, max, whole }, Value::Text(text)) => {
            number_problem(label, text, (*min, *max), *whole)
        }
        (FieldKind::Number { .. }, _) => Some(format!("{label} needs a number")),
        (FieldKind::Choice(choices), Value::Text(text)) if choices.contains(text) => None,
        (FieldKind::Choice(choices), _) => {
            Some(format!("{label} must be one of {}", choices.join(", ")))
        }
        (FieldKind::List(kind), Value::List(values)) => list_problem(kind, label, values),
        (FieldKind::List(_), _) => Some(format!("{label} needs a list of values")),
        (FieldKind::File(rule), Value::Inputs) => folder_problem(rule, label),
        (FieldKind::File(rule), Value::Picked(files)) => picked_problem(rule, label, files),
        (FieldKind::File(rule), _) => Some(if rule.folder {
            format!("{label} needs a folder of the platform")
        } else {
            format!("{label} needs the files of the job or inputs at the platform")
        }),
        (FieldKind::Json, Value::Text(text)) => json_problem(label, text),
        (FieldKind::Json, _) => Some(format!("{label} needs JSON")),
        (FieldKind::Either(variants), Value::Variant(number, value)) => {
            match variants.get(*number) {
                Some(variant) => kind_problem(&variant.kind, label, value),
                None => Some(one_of_kinds(label, variants)),
            }
        }
        (FieldKind::Either(variants), _) => Some(one_of_kinds(label, variants)),
    }
}

/// Asks for one of the kinds a value may have.
pub(super) fn one_of_kinds(label: &str, variants: &[Variant]) -> String {
    let labels: Vec<&str> = variants
        .iter()
        .map(|variant| variant.label.as_str())
        .collect();
    format!("{label} must be one of these kinds: {}", labels.join(", "))
}

fn list_problem(kind: &FieldKind, label: &str, values: &[Value]) -> Option<String> {
    (1_usize..).zip(values).find_map(|(number, value)| {
        let label = format!("{label}, entry {number},");
        if is_blank(value) {
            Some(format!("{label} is empty"))
        } else {
            kind_problem(kind, &label, value)
        }
    })
}

fn folder_problem(rule: &FileRule, label: &str) -> Option<String> {
    rule.folder.then(|| {
        format!("{label} takes a folder at the platform, and files of this computer make none")
    })
}

fn picked_problem(rule: &FileRule, label: &str, files: &[StagedFile]) -> Option<String> {
    if files.len() > 1 && !rule.many {
        let thing = if rule.folder { "folder" } else { "file" };
        return Some(format!("{label} takes one {thing}, not {}", files.len()));
    }
    None
}

fn json_problem(label: &str, text: &str) -> Option<String> {
    let error = serde_json::from_str::<serde_json::Value>(text).err()?;
    Some(format!(
        "{label} is no JSON: look at line {}, character {}",
        error.line(),
        error.column()
    ))
}

impl TextRule {
    fn problem(&self, label: &str, text: &str) -> Option<String> {
        if let Some(max_chars) = self.max_chars
            && text.chars().count() > max_chars
        {
            return Some(format!("{label} may have at most {max_chars} characters"));
        }
        if self.forbids_blanks && text.chars().any(char::is_whitespace) {
            return Some(format!("{label} may not contain blanks"));
        }
        if let Some(character) = text
            .chars()
            .find(|&character| self.forbidden_chars.contains(character))
        {
            return Some(format!("{label} may not contain {character}"));
        }
        if self.forbidden_words.iter().any(|word| word == text) {
            return Some(format!("{label} may not be the word {text}"));
        }
        match self.expression() {
            Some(Ok(expression)) if !expression.is_match(text) => Some(format!(
                "{label} must be of the form {}",
                self.pattern.as_deref().unwrap_or_default()
            )),
            Some(Ok(_) | Err(_)) | None => None,
        }
    }

    /// The pattern over the whole value, where there is one. Platforms do not say in which dialect they write it, so one
    /// that does not compile here is no fault of the value.
    fn expression(&self) -> Option<Result<Regex, regex::Error>> {
        let pattern = self
            .pattern
            .as_deref()
            .filter(|pattern| !pattern.is_empty())?;
        Some(Regex::new(&format!("^(?:{pattern})$")))
    }

    /// The pattern, where it cannot be checked here and the platform has the last word.
    pub fn unchecked_pattern(&self) -> Option<&str> {
        self.expression()?.is_err().then_some(())?;
        self.pattern.as_deref()
    }

    fn warnings(&self, label: &str, text: &str, words: &mut Vec<String>) {
        if let Some(pattern) = self.unchecked_pattern() {
            words.push(format!(
                "{label} must be of the form {pattern}, which only the platform can check"
            ));
        }
        if let Some(character) = text
            .chars()
            .find(|&character| self.doubtful_chars.contains(character))
        {
            words.push(format!(
                "{label} contains {character}, which is known to make jobs fail"
            ));
        }
        if let Some(chars) = self.doubtful_over_chars
            && text.chars().count() > chars
        {
            words.push(format!(
                "{label} has more than {chars} characters, which is known to make jobs fail"
            ));
        }
    }
}

/// What is doubtful about a value.
fn kind_warnings(kind: &FieldKind, label: &str, value: &Value, words: &mut Vec<String>) {
    match (kind, value) {
        (FieldKind::Text(rule), Value::Text(text)) if !text.is_empty() => {
            rule.warnings(label, text, words);
        }
        (FieldKind::List(kind), Value::List(values)) => {
            for (number, value) in (1_usize..).zip(values) {
                kind_warnings(kind, &format!("{label}, entry {number},"), value, words);
            }
        }
        (FieldKind::File(rule), Value::Picked(files)) => {
            let names = files.iter().filter(|file| !file.is_folder);
            words.extend(rule.ending_warning(label, names.map(|file| file.name.as_str())));
        }
        (FieldKind::Either(variants), Value::Variant(number, value)) => {
            if let Some(variant) = variants.get(*number) {
                kind_warnings(&variant.kind, label, value, words);
            }
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
        ) => {}
    }
}

impl FileRule {
    /// Names the first file whose ending the field is not meant for. Files that become part of one input together keep
    /// their own endings.
    pub fn ending_warning<'a>(
        &self,
        label: &str,
        names: impl Iterator<Item = &'a str>,
    ) -> Option<String> {
        if self.endings.is_empty() || self.folder {
            return None;
        }
        let fits = |name: &str| {
            let name = name.to_lowercase();
            self.endings
                .iter()
                .any(|ending| name.ends_with(&format!(".{}", ending.to_lowercase())))
        };
        let mut others = names.filter(|name| !fits(name));
        let first = others.next()?;
        let more = match others.count() {
            0 => String::new(),
            count => format!(" and {count} more"),
        };
        Some(format!(
            "{label} is meant for {}; {first}{more} may not fit",
            self.endings.join(", ")
        ))
    }
}

fn number_problem(
    label: &str,
    text: &str,
    (min, max): (Option<f64>, Option<f64>),
    whole: bool,
) -> Option<String> {
    let number: f64 = match text.trim().parse() {
        Ok(number) if f64::is_finite(number) => number,
        Ok(_) | Err(_) => return Some(format!("{label} needs a number")),
    };
    if whole && number.fract() != 0.0 {
        return Some(format!("{label} needs a whole number"));
    }
    if let Some(min) = min
        && number < min
    {
        return Some(format!("{label} must be at least {min}"));
    }
    if let Some(max) = max
        && number > max
    {
        return Some(format!("{label} must be at most {max}"));
    }
    None
}

#[cfg(test)]
mod tests;
