//! The app panel as Code Ocean sends it: the form of a capsule or pipeline. Everything in it may be missing.

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::providers::code_ocean::wire::list;

/// `GET capsules/{id}/app_panel`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Panel {
    pub(super) general: Option<General>,
    #[serde(deserialize_with = "list")]
    pub(super) data_assets: Vec<PanelAsset>,
    #[serde(deserialize_with = "one_or_many")]
    pub(super) categories: Vec<Category>,
    #[serde(deserialize_with = "one_or_many")]
    pub(super) parameters: Vec<PanelParameter>,
    #[serde(deserialize_with = "one_or_many")]
    pub(super) processes: Vec<PanelProcess>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct General {
    pub(super) title: Option<String>,
    pub(super) instructions: Option<String>,
    pub(super) help_text: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PanelAsset {
    pub(super) mount: Option<String>,
    pub(super) name: Option<String>,
    pub(super) kind: Option<String>,
    pub(super) accessible: Option<bool>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Category {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
}

/// Documented with lists; the vendor's own library reads single objects, so both are read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PanelProcess {
    pub(super) name: Option<String>,
    #[serde(deserialize_with = "one_or_many")]
    pub(super) categories: Vec<Category>,
    #[serde(deserialize_with = "one_or_many")]
    pub(super) parameters: Vec<PanelParameter>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct PanelParameter {
    /// The label.
    pub(super) name: Option<String>,
    /// The name it is sent under; without one, its place counts.
    pub(super) param_name: Option<String>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
    pub(super) category: Option<String>,
    pub(super) description: Option<String>,
    pub(super) help_text: Option<String>,
    pub(super) value_type: Option<String>,
    /// Documented as a text even for numbers.
    pub(super) default_value: Option<Value>,
    pub(super) required: Option<bool>,
    pub(super) hidden: Option<bool>,
    pub(super) minimum: Option<f64>,
    pub(super) maximum: Option<f64>,
    pub(super) pattern: Option<String>,
    #[serde(deserialize_with = "list")]
    pub(super) value_options: Vec<Value>,
}

/// A list, a single object, or null.
fn one_or_many<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: serde::de::DeserializeOwned,
{
    use serde::de::Error as _;
    let many = match Value::deserialize(deserializer)? {
        Value::Null => Vec::new(),
        Value::Array(items) => items,
        one => vec![one],
    };
    many.into_iter()
        .map(|value| serde_json::from_value(value).map_err(D::Error::custom))
        .collect()
}
