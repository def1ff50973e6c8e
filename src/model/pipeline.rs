//! The thing that can be run, whatever its platform calls it.

use serde::{Deserialize, Serialize};

use crate::model::ids::PipelineId;

/// A pipeline as listed by its platform, or as typed by the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pipeline {
    /// The platform's identifier.
    pub id: PipelineId,
    /// The name to show; the identifier where the platform has no name.
    pub name: String,
    /// The platform's own description; may be empty.
    pub description: String,
    /// How long a job usually takes, in seconds, where the platform says.
    pub typical_secs: Option<u64>,
}

impl Pipeline {
    /// A pipeline known only by an identifier that the person typed.
    pub fn typed(id: &str) -> Self {
        Self {
            id: PipelineId::from(id.trim()),
            name: id.trim().to_owned(),
            description: String::new(),
            typical_secs: None,
        }
    }
}
