//! The apps: what each says of itself, its revisions, and copies of public ones.

pub(super) mod inputs;

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::providers::seven_bridges::sim::Account;
use crate::providers::seven_bridges::sim::apps::inputs::Input;
use crate::providers::seven_bridges::sim::call::{Call, Sent};
use crate::providers::seven_bridges::sim::errors::{Answer, Refusal};
use crate::providers::seven_bridges::sim::fields::Fields;
use crate::providers::seven_bridges::sim::paging::page;
use crate::providers::seven_bridges::sim::projects::{MAIN, READ_ONLY, UNBILLED};
use crate::sandbox::world::lock;

/// Where public apps are.
const PUBLIC: &str = "admin/sbg-public-data";

const SHORT: &[&str] = &["href", "id", "name", "project", "revision"];

/// What an app really does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tool {
    TableSummary,
    ExitWithCode,
    CountLines,
    WriteDown,
}

/// One version of an app.
#[derive(Debug)]
pub(super) struct Revision {
    pub(super) number: u64,
    pub(super) raw: Value,
    pub(super) inputs: Vec<Input>,
}

/// An app in a project.
#[derive(Debug, Clone)]
pub(super) struct App {
    pub(super) project: String,
    short: String,
    pub(super) name: String,
    pub(super) tool: Tool,
    /// Oldest first; never empty.
    revisions: Vec<Arc<Revision>>,
}

impl App {
    fn new(project: &str, short: &str, tool: Tool, texts: &[(u64, &str)]) -> Self {
        let revisions: Vec<Arc<Revision>> = texts
            .iter()
            .map(|(number, text)| {
                let raw: Value = serde_json::from_str(text).unwrap_or_else(|error| {
                    tracing::error!(%error, short, "an app of the sandbox cannot be read");
                    Value::Null
                });
                let inputs = inputs::of(&raw);
                let number = *number;
                Arc::new(Revision {
                    number,
                    raw,
                    inputs,
                })
            })
            .collect();
        let label = revisions.last().and_then(|last| last.raw.get("label"));
        let name = label.and_then(Value::as_str).unwrap_or(short).to_owned();
        Self {
            project: project.to_owned(),
            short: short.to_owned(),
            name,
            tool,
            revisions,
        }
    }

    /// Its id without a revision.
    fn id(&self) -> String {
        format!("{}/{}", self.project, self.short)
    }

    /// A version by its number, the latest without one.
    pub(super) fn revision(&self, number: Option<u64>) -> Option<&Arc<Revision>> {
        match number {
            None => self.revisions.last(),
            Some(number) => self
                .revisions
                .iter()
                .find(|revision| revision.number == number),
        }
    }

    /// The id of a version.
    pub(super) fn id_of(&self, revision: &Revision) -> String {
        format!("{}/{}", self.id(), revision.number)
    }

    fn describe(&self, call: &Call, revision: &Revision, fields: &Fields) -> Value {
        let id = self.id_of(revision);
        let mut entry = json!({
            "href": call.href(&format!("/apps/{id}")),
            "id": id,
            "project": self.project,
            "name": self.name,
            "revision": revision.number,
        });
        if fields.wants("raw")
            && let Some(entry) = entry.as_object_mut()
        {
            entry.insert("raw".to_owned(), self.raw(revision));
        }
        fields.shape(entry)
    }

    /// The description as the service gives it out: with its own notes added.
    fn raw(&self, revision: &Revision) -> Value {
        let mut raw = revision.raw.clone();
        if let Some(raw) = raw.as_object_mut() {
            let id = self.id_of(revision);
            raw.insert("id".to_owned(), json!(id));
            raw.insert("sbg:id".to_owned(), json!(id));
            raw.insert("sbg:revision".to_owned(), json!(revision.number));
            raw.insert("sbg:project".to_owned(), json!(self.project));
            raw.insert("sbg:validationErrors".to_owned(), json!([]));
        }
        raw
    }
}

/// The apps there are at the start.
pub(super) fn all() -> Vec<App> {
    const SUMMARY: &[(u64, &str)] = &[
        (1, include_str!("table-summary-1.json")),
        (2, include_str!("table-summary-2.json")),
    ];
    const EXIT: &[(u64, &str)] = &[(1, include_str!("exit-code.json"))];
    const COUNT: &[(u64, &str)] = &[(0, include_str!("count-lines.json"))];
    const EVERY: &[(u64, &str)] = &[(1, include_str!("every-input.json"))];
    vec![
        App::new(MAIN, "table-summary", Tool::TableSummary, SUMMARY),
        App::new(MAIN, "count-lines", Tool::CountLines, COUNT),
        App::new(MAIN, "exit-with-code", Tool::ExitWithCode, EXIT),
        App::new(MAIN, "every-input", Tool::WriteDown, EVERY),
        App::new(READ_ONLY, "table-summary", Tool::TableSummary, SUMMARY),
        App::new(UNBILLED, "table-summary", Tool::TableSummary, SUMMARY),
        App::new(PUBLIC, "count-lines-public", Tool::CountLines, COUNT),
        App::new(PUBLIC, "table-summary-public", Tool::TableSummary, SUMMARY),
    ]
}

fn not_there() -> Refusal {
    Refusal::missing(6002, "Requested app does not exist.")
}

/// An app and its version by an id with or without a revision.
pub(super) fn find(account: &Account, id: &str) -> Result<(App, Arc<Revision>), Refusal> {
    let apps = lock(&account.apps);
    let app = apps.iter().find_map(|app| {
        let rest = id.strip_prefix(&app.id())?;
        let number = match rest.strip_prefix('/') {
            None if rest.is_empty() => None,
            None => return None,
            Some(number) => Some(number.parse::<u64>().ok()?),
        };
        Some((app.clone(), Arc::clone(app.revision(number)?)))
    });
    app.ok_or_else(not_there)
}

/// `GET /apps`
pub(super) async fn list(State(account): State<Arc<Account>>, call: Call) -> Answer {
    let public = call.says("visibility", "public");
    let project = call.one("project");
    if let Some(project) = project {
        account.project(project)?;
    }
    let words = call.one("q").unwrap_or_default().to_lowercase();
    let more = account.world.faults().number("sb.extra-apps").unwrap_or(0);
    let mut apps: Vec<App> = lock(&account.apps).clone();
    for number in 1..=more {
        let short = format!("table-summary-copy-{number}");
        let name = format!("Table summary, copy {number}");
        let copy = apps.first().map(|first| App {
            short,
            name,
            ..first.clone()
        });
        apps.extend(copy);
    }
    let wanted = |app: &App| {
        (app.project == PUBLIC) == public
            && project.is_none_or(|project| app.project == project)
            && call.one("id").is_none_or(|id| app.id() == id)
            && app.name.to_lowercase().contains(&words)
    };
    apps.retain(wanted);
    let fields = Fields::new(call.one("fields"), SHORT);
    page(&account.world, &call, &apps, |app| {
        let latest = app.revision(None);
        latest.map_or(Value::Null, |latest| app.describe(&call, latest, &fields))
    })
}

/// `GET /apps/{owner}/{project}/{app}`
pub(super) async fn get(
    State(account): State<Arc<Account>>,
    Path((owner, project, app)): Path<(String, String, String)>,
    call: Call,
) -> Answer {
    shown(&account, &call, &format!("{owner}/{project}/{app}"))
}

/// `GET /apps/{owner}/{project}/{app}/{revision}`
pub(super) async fn get_revision(
    State(account): State<Arc<Account>>,
    Path((owner, project, app, revision)): Path<(String, String, String, String)>,
    call: Call,
) -> Answer {
    let id = format!("{owner}/{project}/{app}/{revision}");
    shown(&account, &call, &id)
}

fn shown(account: &Account, call: &Call, id: &str) -> Answer {
    let (app, revision) = find(account, id)?;
    let fields = Fields::new(call.one("fields"), &[]);
    Ok(Json(app.describe(call, &revision, &fields)).into_response())
}

/// `GET /apps/{owner}/{project}/{app}/raw`
pub(super) async fn raw(
    State(account): State<Arc<Account>>,
    Path((owner, project, app)): Path<(String, String, String)>,
) -> Answer {
    let (app, revision) = find(&account, &format!("{owner}/{project}/{app}"))?;
    Ok(Json(app.raw(&revision)).into_response())
}

/// `GET /apps/{owner}/{project}/{app}/{revision}/raw`
pub(super) async fn raw_revision(
    State(account): State<Arc<Account>>,
    Path((owner, project, app, revision)): Path<(String, String, String, String)>,
) -> Answer {
    let id = format!("{owner}/{project}/{app}/{revision}");
    let (app, revision) = find(&account, &id)?;
    Ok(Json(app.raw(&revision)).into_response())
}

/// `POST /apps/{owner}/{project}/{app}/actions/copy`
pub(super) async fn copy(
    State(account): State<Arc<Account>>,
    Path((owner, project, app)): Path<(String, String, String)>,
    call: Call,
    sent: Sent,
) -> Answer {
    let (app, _) = find(&account, &format!("{owner}/{project}/{app}"))?;
    let project = sent.text("project").unwrap_or_default();
    account.may_write(project, 6001)?;
    let strategy = sent.text("strategy").unwrap_or("clone");
    if !["clone", "direct", "clone_direct", "transient"].contains(&strategy) {
        return Err(Refusal::bad(90000, format!("Unknown strategy {strategy}.")));
    }
    let name = sent.text("name").unwrap_or(&app.name).to_owned();
    let mut apps = lock(&account.apps);
    let mut short = short_name(&name);
    while apps
        .iter()
        .any(|other| other.project == project && other.short == short)
    {
        short.push_str("_1");
    }
    let copy = App {
        project: project.to_owned(),
        short,
        name,
        ..app
    };
    let entry = copy.revision(None).map_or(Value::Null, |latest| {
        copy.describe(&call, latest, &Fields::all())
    });
    apps.push(copy);
    Ok((StatusCode::CREATED, Json(entry)).into_response())
}

/// Lower case; blanks and underscores become hyphens, other characters are dropped.
fn short_name(name: &str) -> String {
    let letters = name.to_lowercase();
    let letters = letters.chars().filter_map(|letter| match letter {
        ' ' | '_' | '-' => Some('-'),
        letter if letter.is_ascii_alphanumeric() => Some(letter),
        _ => None,
    });
    letters.collect()
}
