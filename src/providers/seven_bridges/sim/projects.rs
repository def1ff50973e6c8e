//! The projects, and what the person may do in each.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::IntoResponse as _;
use serde_json::{Value, json};

use crate::providers::seven_bridges::sim::call::Call;
use crate::providers::seven_bridges::sim::errors::{Answer, Refusal};
use crate::providers::seven_bridges::sim::fields::Fields;
use crate::providers::seven_bridges::sim::paging::page;
use crate::providers::seven_bridges::sim::{Account, USER};
use crate::sandbox::world::lock;

/// A project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Project {
    pub(super) id: String,
    pub(super) name: String,
    /// Whether one may only look.
    pub(super) read_only: bool,
    /// Whether somebody pays for its tasks.
    pub(super) billed: bool,
}

/// The project everything is in.
pub(super) const MAIN: &str = "john_doe/plate-7";
/// One in which nothing may be changed or run.
pub(super) const READ_ONLY: &str = "john_doe/look-but-do-not-touch";
/// One nobody pays for.
pub(super) const UNBILLED: &str = "jane_roe/no-billing-group";

const SHORT: &[&str] = &["href", "id", "name"];

/// All projects; a setting adds more, for lists of several pages.
pub(super) fn all(more: u64) -> Vec<Project> {
    let project = |id: &str, name: &str| Project {
        id: id.to_owned(),
        name: name.to_owned(),
        read_only: id == READ_ONLY,
        billed: id != UNBILLED,
    };
    let mut projects = vec![
        project(MAIN, "Plate 7"),
        project(READ_ONLY, "Look, but do not touch"),
        project(UNBILLED, "No billing group"),
    ];
    projects.extend((1..=more).map(|number| {
        project(
            &format!("john_doe/project-{number}"),
            &format!("Project {number}"),
        )
    }));
    projects
}

impl Project {
    fn describe(&self, account: &Account, call: &Call) -> Value {
        let now = account.world.timestamp();
        let root = lock(&account.shared.files).root(&self.id, now);
        let may = !self.read_only;
        let owner = self.id.split('/').next().unwrap_or(USER);
        let mut entry = json!({
            "href": call.href(&format!("/projects/{}", self.id)),
            "id": self.id,
            "name": self.name,
            "type": "v2",
            "description": "A project of the sandbox.",
            "category": "PRIVATE",
            "created_by": owner,
            "tags": ["sandbox"],
            "root_folder": root,
            "settings": {
                "locked": false,
                "use_interruptible_instances": true,
                "use_memoization": false,
                "use_elastic_disk": false,
                "intermediate_files": { "retention": "LIMITED", "duration": 24 },
            },
            "permissions": {
                "read": true,
                "write": may,
                "copy": true,
                "execute": may,
                "admin": may && owner == USER,
            },
            "created_on": "2024-02-29T08:00:00Z",
            "modified_on": "2024-06-10T12:30:15Z",
        });
        // Left away where there is none: the official SDK cannot read a null here.
        if let Some(members) = entry.as_object_mut().filter(|_| self.billed) {
            let group = json!("6f1ad6c5-2f3f-4b1e-9d5b-0d4f3c2b1a09");
            members.insert("billing_group".to_owned(), group);
        }
        entry
    }
}

/// `GET /user`
pub(super) async fn user(call: Call) -> Answer {
    let entry = json!({
        "href": call.href(&format!("/users/{USER}")),
        "username": USER,
        "email": "someone@example.org",
        "first_name": "John",
        "last_name": "Doe",
        "affiliation": "Sandbox Institute",
        "phone": null,
        "address": null,
        "city": null,
        "state": null,
        "zip_code": null,
        "country": null,
    });
    Ok(Json(entry).into_response())
}

/// `GET /projects`
pub(super) async fn list(State(account): State<Arc<Account>>, call: Call) -> Answer {
    shown(&account, &call, |_| true)
}

/// `GET /projects/{owner}`
pub(super) async fn of_owner(
    State(account): State<Arc<Account>>,
    Path(owner): Path<String>,
    call: Call,
) -> Answer {
    shown(&account, &call, |project| {
        project.id.split('/').next() == Some(owner.as_str())
    })
}

fn shown(account: &Account, call: &Call, wanted: impl Fn(&Project) -> bool) -> Answer {
    let name = call.one("name").unwrap_or_default().to_lowercase();
    let mut projects = account.projects();
    projects.retain(|project| wanted(project) && project.name.to_lowercase().contains(&name));
    let fields = Fields::new(call.one("fields"), SHORT);
    page(&account.world, call, &projects, |project| {
        fields.shape(project.describe(account, call))
    })
}

/// `GET /projects/{owner}/{project}`
pub(super) async fn get(
    State(account): State<Arc<Account>>,
    Path((owner, name)): Path<(String, String)>,
    call: Call,
) -> Answer {
    let project = account.project(&format!("{owner}/{name}"))?;
    let fields = Fields::new(call.one("fields"), &[]);
    Ok(Json(fields.shape(project.describe(&account, &call))).into_response())
}

/// The refusal of a project that is not there.
pub(super) fn not_there() -> Refusal {
    Refusal::missing(3002, "Requested project does not exist.")
}
