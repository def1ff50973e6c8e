//! The settings a pipeline takes: fields with bounds, and the values a person gave. What is wrong with values is found in
//! `check`, what was typed on a command line is read in `parse`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::remote::StagedFile;

mod check;
mod parse;

/// Values by field name. What is missing takes the field's default.
pub type Settings = BTreeMap<String, Value>;

/// What a person reads in place of the field's own name, by that name.
pub type Labels = BTreeMap<String, String>;

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

    /// What a person reads for each field: its label, with its group where another field has the same label. A field
    /// that cannot be told from another even so has none.
    pub fn labels(&self) -> Labels {
        let shown = |field: &Field| match field.label.trim() {
            "" => field.name.clone(),
            label => label.to_owned(),
        };
        let whole = |field: &Field| match field.group.as_str() {
            "" => shown(field),
            group => format!("{} ({group})", shown(field)),
        };
        let count = |words: &str, of: &dyn Fn(&Field) -> String| {
            let fields = self.fields.iter();
            fields.filter(|field| of(field) == words).count()
        };
        let label = |field: &Field| {
            let (short, long) = (shown(field), whole(field));
            if count(&short, &shown) == 1 {
                Some(short)
            } else {
                (count(&long, &whole) == 1).then_some(long)
            }
        };
        self.fields
            .iter()
            .filter_map(|field| Some((field.name.clone(), label(field)?)))
            .collect()
    }

    /// The field of this name.
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The given values over the defaults; values for fields the form does not have are kept, so that [`Form::problems`]
    /// can name them. A hidden field has its default and nothing else.
    pub fn filled(&self, given: &Settings) -> Settings {
        let mut settings = self.defaults();
        let shown = |name: &String| !self.field(name).is_some_and(|field| field.hidden);
        settings.extend(
            given
                .iter()
                .filter(|(name, _)| shown(name))
                .map(|(name, value)| (name.clone(), value.clone())),
        );
        settings
    }
}

#[cfg(test)]
mod tests {
    use super::{Field, Form};

    #[test]
    fn a_label_says_as_much_as_it_takes_to_tell_the_field() {
        let field = |name: &str, label: &str, group: &str| Field {
            name: name.to_owned(),
            label: label.to_owned(),
            group: group.to_owned(),
            ..Field::default()
        };
        let form = Form {
            fields: vec![
                field("@mount", "Folder of the data", "Data"),
                field("bwa/t", "Threads", "Align"),
                field("sort/t", "Threads", "Sort"),
                field("q", " ", ""),
                field("a", "Twice", "Same"),
                field("b", "Twice", "Same"),
            ],
            ..Form::default()
        };
        let labels = form.labels();
        let label = |name: &str| labels.get(name).map(String::as_str);
        assert_eq!(label("@mount"), Some("Folder of the data"));
        assert_eq!(label("bwa/t"), Some("Threads (Align)"));
        assert_eq!(label("sort/t"), Some("Threads (Sort)"));
        assert_eq!(label("q"), Some("q"));
        assert_eq!((label("a"), label("b")), (None, None));
    }
}
