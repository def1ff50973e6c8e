//! From the settings of a job to the values of a run, and the comparison of what was sent with what a run says it has.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::form::{Settings, Value};
use crate::providers::code_ocean::wire::{Computation, Parameter};

/// Our own setting: the folder below `/data` where the files of the job appear.
pub(super) const MOUNT: &str = "@mount";
/// Where nothing says which.
pub(super) const SAFE_MOUNT: &str = "data";
/// Ordered values are places in a list, and a place far behind all others is a typing error.
const MOST_ORDERED: usize = 500;

/// What a parameter is called in the settings: by name, or by its place counted from 1.
pub(super) fn key_of(process: &str, name: Option<&str>, place: usize) -> String {
    let key = name.map_or_else(|| format!("[{place}]"), str::to_owned);
    // A slash in a name is no process.
    if process.is_empty() && !key.contains('/') {
        key
    } else {
        format!("{process}/{key}")
    }
}

/// A parameter by name as it is sent; values are always texts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct NamedValue {
    pub(super) param_name: String,
    pub(super) value: String,
}

/// The values of a run, or of one process of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Values {
    /// By place.
    pub(super) ordered: Vec<String>,
    pub(super) named: Vec<NamedValue>,
}

/// All values of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct AllValues {
    /// Of the capsule or the whole pipeline.
    pub(super) whole: Values,
    /// Of single processes, by name.
    pub(super) processes: BTreeMap<String, Values>,
}

/// What paths in values may stand for.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Data<'a> {
    pub(super) mount: &'a str,
    /// The name of the job's one file; none where there are more, or none of ours.
    pub(super) file: Option<&'a str>,
}

impl Data<'_> {
    /// Values are always texts; a flag is one as Python spells it, which most capsules are written in.
    fn text_of(self, value: &Value) -> Result<String> {
        match value {
            Value::Flag(true) => Ok("True".to_owned()),
            Value::Flag(false) => Ok("False".to_owned()),
            Value::Text(text) => self.filled(text),
            Value::Inputs => Ok(match self.file {
                Some(file) => format!("/data/{}/{file}", self.mount),
                None => format!("/data/{}", self.mount),
            }),
            Value::List(_) | Value::Picked(_) | Value::Variant(..) => Ok(value.shown()),
        }
    }

    /// Fills in a path below `/data`; other values are sent as they were typed.
    fn filled(self, text: &str) -> Result<String> {
        if !text.starts_with("/data/") {
            return Ok(text.to_owned());
        }
        let text = text.replace("{mount}", self.mount);
        if !text.contains("{file}") {
            return Ok(text);
        }
        let file = self.file.ok_or_else(|| {
            Error::new(ErrorKind::Invalid, Doing::Submit).hint(format!(
                "{text} asks for the name of the job's file, but the job has not exactly one file of this computer; send one job for each file, or name the file"
            ))
        })?;
        Ok(text.replace("{file}", file))
    }
}

impl AllValues {
    /// Out of the settings of a job.
    pub(super) fn of(settings: &Settings, data: Data<'_>) -> Result<Self> {
        let mut whole = Places::default();
        let mut processes: BTreeMap<&str, Places> = BTreeMap::new();
        for (setting, value) in settings {
            if setting.starts_with('@') {
                continue;
            }
            let (process, key) = setting.split_once('/').unwrap_or(("", setting));
            let places = if process.is_empty() {
                &mut whole
            } else {
                processes.entry(process).or_default()
            };
            places.put(key, data.text_of(value)?)?;
        }
        Ok(Self {
            whole: whole.into_values(),
            processes: processes
                .into_iter()
                .map(|(name, places)| (name.to_owned(), places.into_values()))
                .collect(),
        })
    }

    /// What a run says otherwise than it was told, in words for the log; empty where it says the same or nothing.
    pub(super) fn differences(&self, run: &Computation) -> Vec<String> {
        let mut differences = Vec::new();
        if let Some(echo) = &run.parameters {
            compare("", &self.whole, echo, &mut differences);
        }
        for (name, values) in &self.processes {
            let echo = run
                .processes
                .iter()
                .flatten()
                .find(|echo| echo.name.as_deref() == Some(name.as_str()))
                .and_then(|echo| echo.parameters.as_ref());
            if let Some(echo) = echo {
                compare(name, values, echo, &mut differences);
            }
        }
        differences
    }

    pub(super) fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

fn compare(process: &str, sent: &Values, echo: &[Parameter], differences: &mut Vec<String>) {
    for named in &sent.named {
        let there = echo
            .iter()
            .find(|echo| echo.param_name.as_deref() == Some(named.param_name.as_str()))
            .map(Parameter::text);
        if there.as_ref() != Some(&named.value) {
            differences.push(key_of(process, Some(&named.param_name), 0));
        }
    }
    let ordered: Vec<String> = echo
        .iter()
        .filter(|echo| echo.param_name.as_deref().unwrap_or_default().is_empty())
        .map(Parameter::text)
        .collect();
    for (at, value) in sent.ordered.iter().enumerate() {
        // An empty value at the end may be left out.
        if ordered.get(at).map_or("", String::as_str) != value {
            differences.push(key_of(process, None, at + 1));
        }
    }
}

#[derive(Default)]
struct Places {
    ordered: BTreeMap<usize, String>,
    named: Vec<NamedValue>,
}

impl Places {
    fn put(&mut self, key: &str, value: String) -> Result<()> {
        let place = key
            .strip_prefix('[')
            .and_then(|rest| rest.strip_suffix(']'))
            .and_then(|place| place.parse::<usize>().ok());
        match place {
            Some(place) if (1..=MOST_ORDERED).contains(&place) => {
                self.ordered.insert(place, value);
                Ok(())
            }
            Some(_) => Err(Error::new(ErrorKind::Invalid, Doing::Submit)
                .hint(format!("{key} is no place a value can have"))),
            None => {
                self.named.push(NamedValue {
                    param_name: key.to_owned(),
                    value,
                });
                Ok(())
            }
        }
    }

    /// A place nothing was given for is kept empty.
    fn into_values(self) -> Values {
        let last = self.ordered.keys().next_back().copied().unwrap_or_default();
        let mut ordered = self.ordered;
        Values {
            ordered: (1..=last)
                .map(|place| ordered.remove(&place).unwrap_or_default())
                .collect(),
            named: self.named,
        }
    }
}

/// The folder of the data as set.
pub(super) fn mount_of(settings: &Settings) -> &str {
    settings
        .get(MOUNT)
        .and_then(Value::text)
        .map(str::trim)
        .filter(|mount| !mount.is_empty())
        .unwrap_or(SAFE_MOUNT)
}
