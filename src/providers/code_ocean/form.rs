//! From an app panel to a form. What a setting is called in the form says where its value belongs in a run, so that a
//! submission needs the settings and nothing else:
//!
//! | Setting | Is |
//! |---|---|
//! | `read_len` | the named parameter `read_len` |
//! | `[2]` | the second ordered parameter |
//! | `capsule_trim_1/min_quality`, `capsule_trim_1/[1]` | the same of one process of a pipeline |
//! | `@mount` | ours: the folder below `/data` where the files of the job appear |

use serde_json::Value as Json;

use crate::model::form::{Field, FieldKind, Form, TextRule, Value};
use crate::providers::code_ocean::address::Kind;
use crate::providers::code_ocean::panel::{Category, General, Panel, PanelAsset, PanelParameter};
use crate::providers::code_ocean::values::{MOUNT, SAFE_MOUNT, key_of};
use crate::providers::code_ocean::wire::filled;

/// Characters above which values are known to hurt a deployment.
const LONG_VALUE_CHARS: usize = 4096;
/// Known to break runs.
const DOUBTFUL: &str = "'";
const MOUNT_GROUP: &str = "Data";

/// The form of something that has no app panel, which is normal.
pub(super) fn free_form(kind: Kind) -> Form {
    let ordered = match kind {
        Kind::Capsule => "; [1], [2] and so on stand for unnamed values by their place",
        Kind::Pipeline => "; process/name stands for a value of one process",
    };
    Form {
        fields: vec![mount_field(kind, &[])],
        intro: format!(
            "This {} has no app panel, so Code Ocean does not say which settings it takes. Add the ones its code reads, by name{ordered}",
            kind.word()
        ),
        cautions: Vec::new(),
        free_form: true,
    }
}

/// The form an app panel describes.
pub(super) fn form_of(panel: &Panel, kind: Kind) -> Form {
    let mut form = Form {
        intro: panel.general.as_ref().map(intro).unwrap_or_default(),
        cautions: asset_cautions(&panel.data_assets, kind),
        ..Form::default()
    };
    form.fields.push(mount_field(kind, &panel.data_assets));
    let top = Block {
        process: "",
        ignores_order: kind == Kind::Pipeline,
    };
    top.put(&panel.parameters, &panel.categories, &mut form);
    for process in &panel.processes {
        let block = Block {
            process: process.name.as_deref().unwrap_or_default(),
            ignores_order: false,
        };
        block.put(&process.parameters, &process.categories, &mut form);
    }
    form
}

fn intro(general: &General) -> String {
    let mut parts: Vec<String> = Vec::new();
    for text in [&general.title, &general.instructions, &general.help_text] {
        let text = text.as_deref().unwrap_or_default().trim();
        if !text.is_empty() && !parts.iter().any(|part| part == text) {
            parts.push(text.to_owned());
        }
    }
    parts.join("\n")
}

fn asset_cautions(assets: &[PanelAsset], kind: Kind) -> Vec<String> {
    let mut cautions = Vec::new();
    for asset in assets {
        let name = filled(asset.name.clone())
            .or_else(|| filled(asset.mount.clone()))
            .unwrap_or_else(|| "A data asset".to_owned());
        if asset.accessible == Some(false) {
            cautions.push(format!(
                "This {} uses the data asset {name}, which your account may not read; ask its owner to share it",
                kind.word()
            ));
        }
        let is_external = asset
            .kind
            .as_deref()
            .is_some_and(|kind| kind.eq_ignore_ascii_case("external"));
        if kind == Kind::Pipeline && is_external {
            cautions.push(format!(
                "{name} is kept on external storage; Code Ocean replaces it only by another external data asset, not by files sent from here"
            ));
        }
    }
    cautions
}

/// Where the data appears. A pipeline takes data only where it has some already.
fn mount_field(kind: Kind, assets: &[PanelAsset]) -> Field {
    let mut mounts: Vec<String> = Vec::new();
    for mount in assets
        .iter()
        .filter_map(|asset| filled(asset.mount.clone()))
    {
        if !mounts.contains(&mount) {
            mounts.push(mount);
        }
    }
    // The data of an asset that may not be read is no place for other data.
    let first = assets
        .iter()
        .filter(|asset| asset.accessible != Some(false))
        .find_map(|asset| filled(asset.mount.clone()));
    let (kind, help) = match kind {
        Kind::Pipeline if !mounts.is_empty() => (
            FieldKind::Choice(mounts),
            "The data of the pipeline that the files take the place of",
        ),
        Kind::Pipeline | Kind::Capsule => (
            FieldKind::Text(TextRule {
                max_chars: Some(100),
                forbidden_chars: "/\\:*?\"'<>|#%&{}$!@+`=".to_owned(),
                forbids_blanks: true,
                forbidden_words: vec![".".to_owned(), "..".to_owned()],
                ..TextRule::default()
            }),
            "The files of the job appear below /data in a folder of this name; a data asset you choose keeps its own",
        ),
    };
    Field {
        name: MOUNT.to_owned(),
        label: "Folder of the data".to_owned(),
        help: help.to_owned(),
        kind,
        required: true,
        default: Some(Value::Text(first.unwrap_or_else(|| SAFE_MOUNT.to_owned()))),
        group: MOUNT_GROUP.to_owned(),
        hidden: false,
    }
}

/// The parameters of one process, or those of the whole.
struct Block<'a> {
    /// Empty for the whole.
    process: &'a str,
    /// Whether values by place are ignored by the service without a word.
    ignores_order: bool,
}

impl Block<'_> {
    /// Appends the fields, those of a category together, in the order of the categories.
    fn put(&self, parameters: &[PanelParameter], categories: &[Category], form: &mut Form) {
        let mut fields: Vec<(usize, Field)> = Vec::new();
        let mut place = 0_usize;
        for parameter in parameters {
            let name = filled(parameter.param_name.clone());
            if name.is_none() {
                place += 1;
                if self.ignores_order {
                    form.cautions.push(format!(
                        "{} cannot be set from here: Code Ocean ignores values without a name that are given to a whole pipeline",
                        label_of(parameter, place)
                    ));
                    continue;
                }
            }
            let key = key_of(self.process, name.as_deref(), place);
            let category = filled(parameter.category.clone()).and_then(|id| {
                categories
                    .iter()
                    .position(|category| category.id.as_deref() == Some(id.as_str()))
            });
            let title = category
                .and_then(|at| categories.get(at))
                .and_then(|category| filled(category.name.clone()).or(category.id.clone()));
            let mut field = field_of(parameter, name.is_none(), place, &mut form.cautions);
            field.name = key;
            field.group = self.group(title);
            // What has no category stands first.
            fields.push((category.map_or(0, |at| at + 1), field));
        }
        fields.sort_by_key(|(category, _field)| *category);
        form.fields
            .extend(fields.into_iter().map(|(_category, field)| field));
    }

    fn group(&self, category: Option<String>) -> String {
        match (self.process, category) {
            ("", category) => category.unwrap_or_default(),
            (process, None) => process.to_owned(),
            (process, Some(category)) => format!("{process}: {category}"),
        }
    }
}

fn label_of(parameter: &PanelParameter, place: usize) -> String {
    filled(parameter.name.clone())
        .or_else(|| filled(parameter.param_name.clone()))
        .unwrap_or_else(|| format!("Value {place}"))
}

fn field_of(
    parameter: &PanelParameter,
    is_ordered: bool,
    place: usize,
    cautions: &mut Vec<String>,
) -> Field {
    let label = label_of(parameter, place);
    let default = parameter.default_value.as_ref().map(text_of);
    let mut help: Vec<String> = [&parameter.description, &parameter.help_text]
        .into_iter()
        .filter_map(|text| filled(text.clone()))
        .collect();
    help.dedup();
    let kind = kind_of(parameter, &label, default.as_deref(), &mut help, cautions);
    let default = match default.filter(|text| !text.is_empty()) {
        Some(text) => Some(Value::Text(text)),
        // Its place is kept although nothing stands there.
        None if is_ordered => Some(Value::Text(String::new())),
        None => None,
    };
    Field {
        label,
        help: help.join(". "),
        kind,
        required: parameter.required.unwrap_or_default(),
        default,
        hidden: parameter.hidden.unwrap_or_default(),
        ..Field::default()
    }
}

fn kind_of(
    parameter: &PanelParameter,
    label: &str,
    default: Option<&str>,
    help: &mut Vec<String>,
    cautions: &mut Vec<String>,
) -> FieldKind {
    let word = |text: &Option<String>| text.as_deref().unwrap_or_default().to_ascii_lowercase();
    let mut choices: Vec<String> = parameter.value_options.iter().map(text_of).collect();
    let value_type = word(&parameter.value_type);
    if choices.is_empty() && value_type == "boolean" {
        choices = truths(default);
    }
    if !choices.is_empty() && (word(&parameter.kind) == "list" || value_type == "boolean") {
        if let Some(default) = default.filter(|text| !text.is_empty())
            && !choices.iter().any(|choice| choice == default)
        {
            choices.push(default.to_owned());
        }
        return FieldKind::Choice(choices);
    }
    let pattern = filled(parameter.pattern.clone());
    if word(&parameter.kind) != "file" && matches!(value_type.as_str(), "number" | "integer") {
        if let Some(pattern) = pattern {
            help.push(format!("It must fit the pattern {pattern}"));
        }
        return FieldKind::Number {
            min: parameter.minimum,
            max: parameter.maximum,
            whole: value_type == "integer",
        };
    }
    if word(&parameter.kind) == "file" {
        help.push(
            "A path inside the run, such as /data/{mount}/{file}; {mount} stands for the folder of the data, {file} for the name of the job's file".to_owned(),
        );
    }
    let pattern = pattern.filter(|pattern| {
        let is_understood = regex::Regex::new(pattern).is_ok();
        if !is_understood {
            cautions.push(format!(
                "What {label} may be cannot be checked here, as its pattern is not understood: {pattern}"
            ));
        }
        is_understood
    });
    FieldKind::Text(TextRule {
        pattern,
        doubtful_chars: DOUBTFUL.to_owned(),
        doubtful_over_chars: Some(LONG_VALUE_CHARS),
        ..TextRule::default()
    })
}

/// Yes and no as the default spells them: the code of a capsule compares texts.
fn truths(default: Option<&str>) -> Vec<String> {
    let (yes, no) = match default {
        Some("true" | "false") => ("true", "false"),
        Some("TRUE" | "FALSE") => ("TRUE", "FALSE"),
        Some("1" | "0") => ("1", "0"),
        Some("yes" | "no") => ("yes", "no"),
        Some(_) | None => ("True", "False"),
    };
    vec![yes.to_owned(), no.to_owned()]
}

/// Documented as texts; what comes otherwise is read as one.
fn text_of(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => other.to_string(),
    }
}
