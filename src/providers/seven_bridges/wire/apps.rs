//! Apps, which are tools and workflows in CWL.

use serde::Deserialize;
use serde_json::Value as Json;

use crate::model::ids::PipelineId;
use crate::model::pipeline::Pipeline;
use crate::providers::seven_bridges::wire::count;

/// Fields of a listed app; the description itself may be megabytes.
pub(in crate::providers::seven_bridges) const APP_FIELDS: &str = "id,name,project,revision";

/// An app, listed or asked for by itself.
#[derive(Debug, Deserialize)]
pub(in crate::providers::seven_bridges) struct App {
    pub(in crate::providers::seven_bridges) id: String,
    pub(in crate::providers::seven_bridges) name: Option<String>,
    #[serde(default, deserialize_with = "count")]
    revision: Option<u64>,
    #[serde(default)]
    pub(in crate::providers::seven_bridges) raw: Json,
}

impl App {
    /// The identifier with its revision, so that a later edit of the app does not change what runs.
    pub(in crate::providers::seven_bridges) fn pinned(&self) -> String {
        match self.revision {
            Some(revision) if !is_pinned(&self.id) => format!("{}/{revision}", self.id),
            Some(_) | None => self.id.clone(),
        }
    }

    pub(in crate::providers::seven_bridges) fn into_pipeline(self) -> Pipeline {
        let id = self.pinned();
        Pipeline {
            name: self
                .name
                .filter(|name| !name.trim().is_empty())
                .unwrap_or_else(|| short_name(&id)),
            id: PipelineId(id),
            description: String::new(),
            typical_secs: None,
        }
    }
}

/// Whether an app's identifier ends in a revision: `owner/project/app/3`.
pub(in crate::providers::seven_bridges) fn is_pinned(id: &str) -> bool {
    let mut segments = id.split('/').skip(3);
    let revision = segments.next().unwrap_or_default();
    !revision.is_empty()
        && revision.chars().all(|digit| digit.is_ascii_digit())
        && segments.next().is_none()
}

/// The app's own part of its identifier.
pub(in crate::providers::seven_bridges) fn short_name(id: &str) -> String {
    id.split('/').nth(2).unwrap_or(id).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_revision_is_pinned() {
        for (id, revision, pinned) in [
            ("a/b/c", 3, "a/b/c/3"),
            ("a/b/c/2", 3, "a/b/c/2"),
            ("a/b/7", 3, "a/b/7/3"),
        ] {
            let app: App =
                serde_json::from_value(serde_json::json!({"id": id, "revision": revision}))
                    .unwrap();
            assert_eq!(app.pinned(), pinned);
        }
        assert_eq!(short_name("a/b/fastqc/3"), "fastqc");
    }
}
