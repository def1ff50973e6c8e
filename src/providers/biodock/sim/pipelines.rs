//! The two published pipelines of the simulated account.
//!
//! Owns their ids and what they look for. Ids are the same at every start, so that one can be typed
//! in by hand and a saved choice stays good.

use serde_json::{Value, json};

use crate::providers::biodock::sim::segment::{OddArea, Recipe};

/// A published pipeline.
#[derive(Debug)]
pub(super) struct Pipeline {
    pub(super) id: &'static str,
    /// The catalogue of the interface gives a description and no name.
    pub(super) description: &'static str,
    created_at: &'static str,
    pub(super) recipe: Recipe,
}

/// All there are, in the order listed.
pub(super) static ALL: [Pipeline; 2] = [
    Pipeline {
        id: "64f1a2b3c4d5e6f708192a3b",
        description: "Nuclei count",
        created_at: "2026-03-02T09:14:07.512Z",
        recipe: Recipe {
            level: 1.0,
            least_area: 20,
            usual: "Nucleus",
            odd: "Touching nuclei",
            odd_area: OddArea::Above(1.8),
        },
    },
    Pipeline {
        id: "65a0b1c2d3e4f5061728394a",
        description: "Cell area",
        created_at: "2026-05-18T16:40:31.004Z",
        recipe: Recipe {
            level: 0.6,
            least_area: 8,
            usual: "Cell",
            odd: "Debris",
            odd_area: OddArea::Below(0.4),
        },
    },
];

/// The pipeline of an id.
pub(super) fn find(id: &str) -> Option<&'static Pipeline> {
    ALL.iter().find(|pipeline| pipeline.id == id)
}

impl Pipeline {
    /// Its entry in the list.
    pub(super) fn describe(&self, with_name: bool) -> Value {
        let mut entry = json!({
            "id": self.id,
            "description": self.description,
            "createdAt": self.created_at,
        });
        if with_name && let Some(entry) = entry.as_object_mut() {
            entry.insert("name".to_owned(), json!(self.description));
        }
        entry
    }
}
