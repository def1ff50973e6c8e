//! The settings a pipeline takes: fields with bounds, and the values a person gave.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::remote::StagedFile;

/// Values by field name. What is missing takes the field's default.
pub type Settings = BTreeMap<String, Value>;

/// One value of a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Value {
    /// On or off.
    Flag(bool),
    /// Text, also for numbers and JSON: what was typed is what is sent.
    Text(String),
    /// Several values, in order.
    List(Vec<Self>),
    /// The job's own files.
    Inputs,
    /// Inputs that are at the platform already.
    Picked(Vec<StagedFile>),
    /// A value of the chosen one of [`FieldKind::Either`], counted from 0.
    Variant(usize, Box<Self>),
}

impl Value {
    /// Whether a flag is on; text is never on.
    pub const fn is_on(&self) -> bool {
        matches!(self, Self::Flag(true))
    }

    /// The text of it, where it is one.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Flag(_) | Self::List(_) | Self::Inputs | Self::Picked(_) | Self::Variant(..) => {
                None
            }
        }
    }

    /// As typed on a command line and shown in a list.
    pub fn shown(&self) -> String {
        match self {
            Self::Flag(true) => "on".to_owned(),
            Self::Flag(false) => "off".to_owned(),
            Self::Text(text) => text.clone(),
            Self::List(values) => {
                let shown: Vec<String> = values.iter().map(Self::shown).collect();
                shown.join(", ")
            }
            Self::Inputs => "the files of the job".to_owned(),
            Self::Picked(files) => {
                let names: Vec<&str> = files.iter().map(|file| file.name.as_str()).collect();
                names.join(", ")
            }
            Self::Variant(_, value) => value.shown(),
        }
    }
}

/// What a pipeline wants to know.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Form {
    /// In the order to show.
    pub fields: Vec<Field>,
    /// What the pipeline's own form says above its fields; may be empty.
    pub intro: String,
    /// What to know before sending, one sentence each, such as data the account may not read.
    pub cautions: Vec<String>,
    /// Whether values of other names are taken too: the platform does not say which ones there are.
    pub free_form: bool,
}

/// One line of a form.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// The platform's own name; the key in [`Settings`].
    pub name: String,
    /// What the person reads.
    pub label: String,
    /// A sentence of explanation; may be empty.
    pub help: String,
    /// What may be entered.
    pub kind: FieldKind,
    /// Whether the platform refuses a submission without it.
    pub required: bool,
    /// Filled in at first.
    pub default: Option<Value>,
    /// Title of the group it stands in: a category, a process; empty for none. Fields of a group stand together.
    pub group: String,
    /// Whether it is not shown; its default is sent.
    pub hidden: bool,
}

impl Default for Field {
    /// An optional text without a name.
    fn default() -> Self {
        Self {
            name: String::new(),
            label: String::new(),
            help: String::new(),
            kind: FieldKind::Text(TextRule::default()),
            required: false,
            default: None,
            group: String::new(),
            hidden: false,
        }
    }
}

/// What may be entered in a field.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum FieldKind {
    /// A check box.
    Flag,
    /// Free text within the rule.
    Text(TextRule),
    /// A number between the bounds, both included.
    Number {
        /// Smallest allowed.
        min: Option<f64>,
        /// Largest allowed.
        max: Option<f64>,
        /// Whether only whole numbers are allowed.
        whole: bool,
    },
    /// One of these texts.
    Choice(Vec<String>),
    /// Several values of a kind.
    List(Box<Self>),
    /// Files: the job's own, or inputs at the platform.
    File(FileRule),
    /// JSON, where nothing better describes what is wanted.
    Json,
    /// One of several kinds; the person says which.
    Either(Vec<Variant>),
}

/// One kind a value may have.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Variant {
    /// What the person reads, such as `Number`.
    pub label: String,
    /// The kind.
    pub kind: FieldKind,
}

/// Which files a field takes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileRule {
    /// Whether it takes more than one.
    pub many: bool,
    /// Whether it takes folders instead of files.
    pub folder: bool,
    /// Endings it is meant for, without dot and in lower case; empty for any. Others are warned about, not refused.
    pub endings: Vec<String>,
}

/// What a platform refuses in a text, as data, so that it can be explained beside the field before anything is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextRule {
    /// Longest allowed, in characters.
    pub max_chars: Option<usize>,
    /// Characters that must not occur.
    pub forbidden_chars: String,
    /// Whether blanks, tabs and line breaks are refused.
    pub forbids_blanks: bool,
    /// Whole values that are refused; compared exactly.
    pub forbidden_words: Vec<String>,
    /// A regular expression the whole platform-side check is made with; one that does not compile is not checked.
    pub pattern: Option<String>,
    /// Characters known to break runs: warned about.
    pub doubtful_chars: String,
    /// Length in characters above which trouble is known: warned about.
    pub doubtful_over_chars: Option<usize>,
}

/// What is wrong with one value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldProblem {
    /// The field's name.
    pub field: String,
    /// One sentence for beside the field.
    pub words: String,
}

impl Form {
    /// The defaults of all fields that have one.
    pub fn defaults(&self) -> Settings {
        self.fields
            .iter()
            .filter_map(|field| Some((field.name.clone(), field.default.clone()?)))
            .collect()
    }

    /// The given values over the defaults; values for fields the form does not have are kept, so that [`Form::problems`] can name them.
    pub fn filled(&self, given: &Settings) -> Settings {
        let mut settings = self.defaults();
        settings.extend(
            given
                .iter()
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        settings
    }

    /// Everything wrong with these values, in the order of the form. Empty means they can be sent.
    pub fn problems(&self, settings: &Settings) -> Vec<FieldProblem> {
        let mut problems: Vec<FieldProblem> = self
            .fields
            .iter()
            .filter_map(|field| {
                let words = field.problem(settings.get(&field.name))?;
                Some(FieldProblem {
                    field: field.name.clone(),
                    words,
                })
            })
            .collect();
        for name in settings.keys().filter(|_| !self.free_form) {
            if !self.fields.iter().any(|field| &field.name == name) {
                problems.push(FieldProblem {
                    field: name.clone(),
                    words: format!("This pipeline has no setting called {name}"),
                });
            }
        }
        problems
    }
}

impl Field {
    fn problem(&self, value: Option<&Value>) -> Option<String> {
        let label = &self.label;
        let text = match (value, &self.kind) {
            (None, _) => {
                return self.required.then(|| format!("{label} needs a value"));
            }
            (Some(Value::Flag(_)), FieldKind::Flag) => return None,
            (Some(Value::Flag(_)), _) => {
                return Some(format!("{label} needs a value, not on or off"));
            }
            (Some(Value::Text(_)), FieldKind::Flag) => {
                return Some(format!("{label} is on or off"));
            }
            (Some(Value::Text(text)), _) => text,
            // TODO: lists, files and variants (settled with the forms of the two platforms that have them).
            (Some(Value::List(_) | Value::Inputs | Value::Picked(_) | Value::Variant(..)), _) => {
                return None;
            }
        };
        if text.is_empty() {
            return self.required.then(|| format!("{label} needs a value"));
        }
        match &self.kind {
            FieldKind::Flag => None,
            FieldKind::Text(rule) => rule.problem(label, text),
            FieldKind::Number { min, max, whole } => {
                number_problem(label, text, (*min, *max), *whole)
            }
            FieldKind::Choice(choices) => (!choices.contains(text))
                .then(|| format!("{label} must be one of {}", choices.join(", "))),
            FieldKind::List(_) | FieldKind::File(_) | FieldKind::Json | FieldKind::Either(_) => {
                None
            }
        }
    }
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
        self.forbidden_words
            .iter()
            .any(|word| word == text)
            .then(|| format!("{label} may not be the word {text}"))
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
mod tests {
    use super::*;

    fn field(kind: FieldKind, required: bool) -> Form {
        Form {
            fields: vec![Field {
                name: "x".to_owned(),
                label: "X".to_owned(),
                help: String::new(),
                kind,
                required,
                default: None,
                ..Field::default()
            }],
            ..Form::default()
        }
    }

    fn problem(form: &Form, text: &str) -> Option<String> {
        let settings = Settings::from([("x".to_owned(), Value::Text(text.to_owned()))]);
        form.problems(&settings).pop().map(|problem| problem.words)
    }

    #[test]
    fn each_kind_explains_what_is_wrong() {
        let number = field(
            FieldKind::Number {
                min: Some(1.0),
                max: Some(9.0),
                whole: true,
            },
            true,
        );
        assert_eq!(problem(&number, "5"), None);
        for (text, words) in [
            ("", "X needs a value"),
            ("five", "X needs a number"),
            ("NaN", "X needs a number"),
            ("1.5", "X needs a whole number"),
            ("0", "X must be at least 1"),
            ("10", "X must be at most 9"),
        ] {
            assert_eq!(problem(&number, text).as_deref(), Some(words));
        }
        let text = field(
            FieldKind::Text(TextRule {
                max_chars: Some(3),
                forbidden_chars: "-_".to_owned(),
                forbids_blanks: true,
                forbidden_words: vec!["max".to_owned()],
                ..TextRule::default()
            }),
            false,
        );
        assert_eq!(problem(&text, ""), None);
        assert_eq!(problem(&text, "Max"), None);
        assert_eq!(
            problem(&text, "four").as_deref(),
            Some("X may have at most 3 characters")
        );
        assert_eq!(problem(&text, "-1").as_deref(), Some("X may not contain -"));
        assert_eq!(
            problem(&text, "a b").as_deref(),
            Some("X may not contain blanks")
        );
        assert_eq!(
            problem(&text, "max").as_deref(),
            Some("X may not be the word max")
        );
    }

    #[test]
    fn missing_and_unknown_values_are_named() {
        let form = field(FieldKind::Flag, true);
        let unknown = Settings::from([("y".to_owned(), Value::Flag(true))]);
        let words: Vec<String> = form
            .problems(&unknown)
            .into_iter()
            .map(|problem| problem.words)
            .collect();
        assert_eq!(
            words,
            ["X needs a value", "This pipeline has no setting called y"]
        );
    }
}
