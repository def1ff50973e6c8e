//! Which call is answered by what, and under which name faults know it.

use std::sync::Arc;

use axum::Router;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{MethodRouter, any, delete, get, patch, post, put};

use crate::providers::seven_bridges::sim::errors::{Answer, Refusal};
use crate::providers::seven_bridges::sim::parts::{self, Storage};
use crate::providers::seven_bridges::sim::{
    Account, Guard, PLATFORM, Shared, apps, bulk, files, guard, links, projects, rate_limit,
    task_list, tasks, upload,
};
use crate::sandbox::storage::{self, no_such_key, serve_signed};
use crate::sandbox::world::World;

type Handler = MethodRouter<Arc<Account>>;

fn looks() -> Vec<(&'static str, &'static str, Handler)> {
    vec![
        ("sb.user", "/user", get(projects::user)),
        ("sb.rate-limit", "/rate_limit", get(rate_limit)),
        ("sb.projects", "/projects", get(projects::list)),
        ("sb.projects", "/projects/{owner}", get(projects::of_owner)),
        (
            "sb.project",
            "/projects/{owner}/{project}",
            get(projects::get),
        ),
        ("sb.apps", "/apps", get(apps::list)),
        ("sb.app", "/apps/{owner}/{project}/{app}", get(apps::get)),
        (
            "sb.app",
            "/apps/{owner}/{project}/{app}/{revision}",
            get(apps::get_revision),
        ),
        (
            "sb.app",
            "/apps/{owner}/{project}/{app}/raw",
            get(apps::raw),
        ),
        (
            "sb.app",
            "/apps/{owner}/{project}/{app}/{revision}/raw",
            get(apps::raw_revision),
        ),
        (
            "sb.copy-app",
            "/apps/{owner}/{project}/{app}/actions/copy",
            post(apps::copy),
        ),
    ]
}

fn of_files() -> Vec<(&'static str, &'static str, Handler)> {
    vec![
        ("sb.files", "/files", get(files::list)),
        ("sb.create-folder", "/files", post(files::create_folder)),
        ("sb.file", "/files/{id}", get(files::get)),
        ("sb.change-file", "/files/{id}", patch(files::change)),
        ("sb.delete-file", "/files/{id}", delete(files::delete)),
        ("sb.files", "/files/{id}/list", get(files::list_folder)),
        ("sb.metadata", "/files/{id}/metadata", get(files::metadata)),
        (
            "sb.change-metadata",
            "/files/{id}/metadata",
            put(files::replace_metadata).patch(files::merge_metadata),
        ),
        ("sb.tags", "/files/{id}/tags", put(files::tags)),
        (
            "sb.copy-file",
            "/files/{id}/actions/copy",
            post(files::copy),
        ),
        (
            "sb.move-file",
            "/files/{id}/actions/move",
            post(files::relocate),
        ),
        (
            "sb.download-info",
            "/files/{id}/download_info",
            get(files::download_info),
        ),
        ("sb.bulk-files", "/bulk/files/get", post(bulk::get)),
        ("sb.bulk-delete", "/bulk/files/delete", post(bulk::delete)),
        ("sb.bulk-change", "/bulk/files/update", post(bulk::update)),
        ("sb.bulk-change", "/bulk/files/edit", post(bulk::modify)),
        ("sb.start-upload", "/upload/multipart", post(upload::start)),
        ("sb.uploads", "/upload/multipart", get(upload::list)),
        ("sb.upload", "/upload/multipart/{id}", get(upload::get)),
        (
            "sb.report-parts",
            "/upload/multipart/{id}",
            post(upload::report_parts),
        ),
        (
            "sb.abort-upload",
            "/upload/multipart/{id}",
            delete(upload::abort),
        ),
        (
            "sb.part",
            "/upload/multipart/{id}/part/{number}",
            get(upload::part),
        ),
        (
            "sb.report-part",
            "/upload/multipart/{id}/part",
            post(upload::report_part),
        ),
        (
            "sb.complete-upload",
            "/upload/multipart/{id}/complete",
            post(upload::complete),
        ),
    ]
}

fn of_tasks() -> Vec<(&'static str, &'static str, Handler)> {
    vec![
        ("sb.tasks", "/tasks", get(task_list::list)),
        ("sb.create-task", "/tasks", post(tasks::create)),
        ("sb.task", "/tasks/{id}", get(task_list::get)),
        ("sb.change-task", "/tasks/{id}", patch(tasks::change)),
        ("sb.delete-task", "/tasks/{id}", delete(tasks::delete)),
        ("sb.run-task", "/tasks/{id}/actions/run", post(tasks::run)),
        (
            "sb.abort-task",
            "/tasks/{id}/actions/abort",
            post(tasks::abort),
        ),
        (
            "sb.clone-task",
            "/tasks/{id}/actions/clone",
            post(tasks::clone),
        ),
        (
            "sb.task-inputs",
            "/tasks/{id}/inputs",
            get(task_list::inputs),
        ),
        (
            "sb.execution-details",
            "/tasks/{id}/execution_details",
            get(task_list::details),
        ),
        ("sb.bulk-tasks", "/bulk/tasks/get", post(task_list::bulk)),
    ]
}

/// The interface.
#[expect(clippy::needless_pass_by_value, reason = "the shape the sandbox wants")]
pub(super) fn api(world: Arc<World>) -> Router {
    // Made now, so that the request log knows the token from the first request on.
    world.key(PLATFORM);
    let account = Arc::new(Account::new(&world));
    let route = |name: &'static str, open: bool, handler: Handler| {
        let guarded = Guard {
            account: Arc::clone(&account),
            open,
            free: name == "sb.rate-limit",
        };
        let handler = handler
            .layer(DefaultBodyLimit::disable())
            .layer(from_fn_with_state(guarded, guard))
            .with_state(Arc::clone(&account));
        world.endpoint(name, handler)
    };
    let mut router = Router::new();
    for (name, path, handler) in [looks(), of_files(), of_tasks()].into_iter().flatten() {
        // A slash at the end is as good as none.
        for path in [format!("/v2{path}"), format!("/v2{path}/")] {
            router = router.route(&path, route(name, false, handler.clone()));
        }
    }
    for path in ["/v2", "/v2/"] {
        router = router.route(path, route("sb.root", true, get(links)));
    }
    router.route("/v2/{*rest}", route("sb.other", false, any(nothing_there)))
}

async fn nothing_there() -> Answer {
    Err(Refusal::missing(90003, "Not found."))
}

/// The storage: files and parts behind signed links, under names that tell nothing.
#[expect(clippy::needless_pass_by_value, reason = "the shape the sandbox wants")]
pub(super) fn storage(world: Arc<World>) -> Router {
    let state = Storage {
        shared: Shared::of(&world),
        world: Arc::clone(&world),
    };
    let file = get(file).with_state(state.clone());
    let part = put(parts::put)
        .layer(DefaultBodyLimit::disable())
        .with_state(state);
    Router::new()
        .route("/sb-files/{name}", world.endpoint(storage::ENDPOINT, file))
        .route(
            "/sb-parts/{key}/{number}",
            world.endpoint("storage.sb-part", part),
        )
}

/// `GET /sb-files/{name}`, to be saved and not shown.
async fn file(
    State(storage): State<Storage>,
    Path(name): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    if !name.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return no_such_key();
    }
    let path = storage.shared.blobs.join(name);
    let mut response = serve_signed(&storage.world, &uri, &headers, &path).await;
    if response.status() == StatusCode::OK || response.status() == StatusCode::PARTIAL_CONTENT {
        let value = HeaderValue::from_static("attachment");
        let name = header::CONTENT_DISPOSITION;
        response.headers_mut().insert(name, value);
    }
    response
}
