//! The capsules and pipelines of the simulated account: which there are, and searching and reading them.
//!
//! Owns their ids, which are the same at every start, so that a saved choice stays good. Forms are in `panels`.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use serde_json::{Map, Value, json};

use crate::providers::code_ocean::sim::answer::{
    Refusal, answer, bad, check_id, entry, missing, object,
};
use crate::providers::code_ocean::sim::panels;
use crate::providers::code_ocean::sim::query::Fields;
use crate::providers::code_ocean::sim::search::{Findable, search};
use crate::providers::code_ocean::sim::{Account, EMAIL, OWNER, SOMEBODY};
use crate::sandbox::faults::Faults;

/// Whether it is one piece of code or a graph of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Capsule,
    Pipeline,
}

/// What a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Work {
    /// Looks at sequencing reads.
    ReadQuality,
    /// Looks at images.
    ImageStatistics,
    /// Writes down what it was given.
    Echo,
    /// Looks at its inputs and gives up.
    Fail,
}

/// Something that can be run.
#[derive(Debug)]
pub(super) struct Capsule {
    pub(super) id: &'static str,
    pub(super) kind: Kind,
    pub(super) name: &'static str,
    slug: &'static str,
    description: &'static str,
    tags: &'static [&'static str],
    created: i64,
    /// Numbers of the released versions; none when it is not released.
    pub(super) versions: &'static [u64],
    is_archived: bool,
    is_favorite: bool,
    is_mine: bool,
    /// Its form; none where there is no app panel.
    pub(super) panel: Option<fn(&Faults) -> Value>,
    pub(super) work: Work,
}

/// The capsule most of the others resemble.
const PLAIN: Capsule = Capsule {
    id: "",
    kind: Kind::Capsule,
    name: "",
    slug: "",
    description: "",
    tags: &[],
    created: 0,
    versions: &[],
    is_archived: false,
    is_favorite: false,
    is_mine: true,
    panel: None,
    work: Work::Echo,
};

/// Id of the capsule that looks at reads.
pub(super) const READ_QUALITY: &str = "3c1d5a70-8e42-4b61-9f0a-6d2b7c9e1f01";
/// Id of the pipeline that looks at images.
pub(super) const IMAGE_STATISTICS: &str = "7a90e1c4-25bd-4f3e-8a67-0b1c2d3e4f02";
/// Id of the capsule with a field of every kind.
pub(super) const EVERY_FIELD: &str = "5e2f7b16-93ca-4d08-b1e5-48a7c6d9e003";

/// All there are.
static ALL: [Capsule; 9] = [
    Capsule {
        id: READ_QUALITY,
        name: "Read quality",
        slug: "4417203",
        description: "Reads, GC content and quality by position of FASTQ files, plain or gzip",
        tags: &["genomics", "fastq"],
        created: 1_772_000_000,
        is_favorite: true,
        panel: Some(panels::read_quality),
        work: Work::ReadQuality,
        ..PLAIN
    },
    Capsule {
        id: IMAGE_STATISTICS,
        kind: Kind::Pipeline,
        name: "Image statistics",
        slug: "5520164",
        description: "Width, height and brightness of every image",
        tags: &["microscopy"],
        created: 1_772_100_000,
        panel: Some(panels::image_statistics),
        work: Work::ImageStatistics,
        ..PLAIN
    },
    Capsule {
        id: EVERY_FIELD,
        name: "Every kind of field",
        slug: "6034418",
        description: "Writes down which values and files it was given",
        tags: &["example"],
        created: 1_771_000_000,
        panel: Some(panels::every_field),
        ..PLAIN
    },
    Capsule {
        id: "b8d04e3f-61a7-4c92-a5f3-7e9d1c2b3a04",
        name: "Without a form",
        slug: "7120985",
        description: "Has no app panel and takes parameters of any name",
        created: 1_770_900_000,
        ..PLAIN
    },
    Capsule {
        id: "d2a6c8e1-074b-4f5d-93b8-1f3e5a7c9b05",
        name: "Always fails",
        slug: "8846120",
        description: "Ends with exit code 1, so that this can be seen, too",
        created: 1_770_800_000,
        work: Work::Fail,
        ..PLAIN
    },
    Capsule {
        id: "e94b1d37-c5f2-46a0-8d7c-2a4b6c8e0f06",
        name: "Read quality, released",
        slug: "9051377",
        description: "A released capsule with two versions",
        tags: &["genomics", "released"],
        created: 1_769_000_000,
        versions: &[1, 2],
        is_mine: false,
        panel: Some(panels::read_quality),
        work: Work::ReadQuality,
        ..PLAIN
    },
    Capsule {
        id: "f05c2e48-d6a3-4b71-9e8d-3b5c7d9f1a07",
        name: "Old read counts",
        slug: "1093345",
        description: "Put aside",
        created: 1_760_000_000,
        is_archived: true,
        ..PLAIN
    },
    Capsule {
        id: "0a6d3f59-e7b4-4c82-8f9e-4c6d8e0a2b08",
        kind: Kind::Pipeline,
        name: "Copy and count",
        slug: "2208816",
        description: "A pipeline without an app panel",
        created: 1_771_900_000,
        ..PLAIN
    },
    Capsule {
        id: "1b7e4a6a-f8c5-4d93-9a0f-5d7e9f1b3c09",
        kind: Kind::Pipeline,
        name: "Image statistics, released",
        slug: "3315509",
        description: "A released pipeline",
        tags: &["microscopy", "released"],
        created: 1_768_000_000,
        versions: &[1],
        is_mine: false,
        panel: Some(panels::image_statistics),
        work: Work::ImageStatistics,
        ..PLAIN
    },
];

/// One of a kind by its id.
pub(super) fn find(kind: Kind, id: &str) -> Result<&'static Capsule, Refusal> {
    check_id(id)?;
    let found = ALL
        .iter()
        .find(|capsule| capsule.id == id && capsule.kind == kind);
    found.ok_or_else(|| {
        missing(match kind {
            Kind::Capsule => "capsule not found",
            Kind::Pipeline => "pipeline not found",
        })
    })
}

impl Capsule {
    /// The version a run or a form is asked of: the newest when none is named.
    pub(super) fn version(&self, asked: Option<u64>) -> Result<Option<u64>, Refusal> {
        match asked {
            None => Ok(self.versions.last().copied()),
            Some(version) if self.versions.contains(&version) => Ok(Some(version)),
            Some(version) => Err(bad(format!("version {version} does not exist"))),
        }
    }

    fn describe(&self) -> Value {
        let (owner, email) = if self.is_mine {
            (OWNER, EMAIL)
        } else {
            (SOMEBODY, "colleague@example.org")
        };
        let mut entry = json!({
            "id": self.id,
            "created": self.created,
            "name": self.name,
            "status": if self.versions.is_empty() { "non_release" } else { "release" },
            "owner": owner,
            "owner_email": email,
            "slug": self.slug,
            "description": self.description,
            "last_accessed": self.created + 3_600,
            "tags": self.tags,
            "field": "Bioinformatics",
        });
        if let Some(entry) = entry.as_object_mut()
            && !self.versions.is_empty()
        {
            let versions = self.versions.iter().zip(0_i64..).map(|(version, order)| {
                json!({
                    "major_version": version,
                    "minor_version": 0,
                    "release_time": self.created + order * 86_400,
                    "doi": format!("10.24433/CO.{}.v{version}", self.slug),
                })
            });
            entry.insert("versions".to_owned(), versions.collect());
        }
        entry
    }
}

/// `POST /capsules/search`
pub(super) async fn search_capsules(State(account): State<Arc<Account>>, body: Bytes) -> Response {
    answer(search_all(&account, Kind::Capsule, &body))
}

/// `POST /pipelines/search`
pub(super) async fn search_pipelines(State(account): State<Arc<Account>>, body: Bytes) -> Response {
    answer(search_all(&account, Kind::Pipeline, &body))
}

fn search_all(account: &Account, kind: Kind, body: &[u8]) -> Result<Value, Refusal> {
    let request: Map<String, Value> = object(body)?;
    let all = ALL
        .iter()
        .filter(|capsule| capsule.kind == kind)
        .map(|capsule| Findable {
            value: capsule.describe(),
            is_archived: capsule.is_archived,
            is_favorite: capsule.is_favorite,
            is_mine: capsule.is_mine,
        });
    search(account.world.faults(), &request, all.collect())
}

/// `GET /capsules/{id}`; pipelines are found there, too, as on some servers.
pub(super) async fn get_capsule(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
) -> Response {
    let found = find(Kind::Capsule, &id).or_else(|refusal| {
        let (status, _) = refusal;
        if status == StatusCode::NOT_FOUND {
            find(Kind::Pipeline, &id)
        } else {
            Err(refusal)
        }
    });
    answer(found.map(|capsule| entry(account.world.faults(), capsule.describe())))
}

/// `GET /pipelines/{id}`
pub(super) async fn get_pipeline(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
) -> Response {
    let found = find(Kind::Pipeline, &id);
    answer(found.map(|capsule| entry(account.world.faults(), capsule.describe())))
}

/// `GET /capsules/{id}/app_panel`
pub(super) async fn capsule_panel(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Response {
    answer(panel(&account, Kind::Capsule, &id, &fields))
}

/// `GET /pipelines/{id}/app_panel`
pub(super) async fn pipeline_panel(
    State(account): State<Arc<Account>>,
    Path(id): Path<String>,
    fields: Fields,
) -> Response {
    answer(panel(&account, Kind::Pipeline, &id, &fields))
}

fn panel(account: &Account, kind: Kind, id: &str, fields: &Fields) -> Result<Value, Refusal> {
    let capsule = find(kind, id)?;
    capsule.version(fields.number("version")?)?;
    if account.world.faults().is("code_ocean.panel", "corrupted") {
        return Err((StatusCode::FORBIDDEN, "corrupted object files".to_owned()));
    }
    match capsule.panel {
        Some(panel) => Ok(entry(account.world.faults(), panel(account.world.faults()))),
        None => Err(missing("app panel not found")),
    }
}
