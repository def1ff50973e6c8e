//! Which path is answered by what.

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, delete, get, patch, post, put};

use crate::providers::code_ocean::sim::{
    Account, assets, attach, capsules, computations, create, guard, results,
};
use crate::sandbox::world::World;

/// All of the interface, below its base path.
pub(super) fn all(world: Arc<World>, account: Arc<Account>) -> Router {
    let routes = Routes {
        world,
        account,
        router: Router::new(),
    };
    capsule_routes(asset_routes(run_routes(routes))).router
}

/// Adds routes, each with and without a slash at its end.
struct Routes {
    world: Arc<World>,
    account: Arc<Account>,
    router: Router,
}

impl Routes {
    fn add(mut self, name: &'static str, path: &str, handler: MethodRouter<Arc<Account>>) -> Self {
        let guard = from_fn_with_state(Arc::clone(&self.world), guard::require_token);
        let guarded = handler.layer(guard).with_state(Arc::clone(&self.account));
        let handler = self.world.endpoint(name, guarded);
        self.router = self
            .router
            .route(path, handler.clone())
            .route(&format!("{path}/"), handler);
        self
    }
}

fn capsule_routes(routes: Routes) -> Routes {
    let search_pipelines = post(capsules::search_pipelines);
    routes
        .add(
            "code_ocean.capsules",
            "/capsules/search",
            post(capsules::search_capsules),
        )
        .add(
            "code_ocean.pipelines",
            "/pipelines/search",
            search_pipelines,
        )
        .add(
            "code_ocean.capsule",
            "/capsules/{id}",
            get(capsules::get_capsule),
        )
        .add(
            "code_ocean.pipeline",
            "/pipelines/{id}",
            get(capsules::get_pipeline),
        )
        .add(
            "code_ocean.form",
            "/capsules/{id}/app_panel",
            get(capsules::capsule_panel),
        )
        .add(
            "code_ocean.form",
            "/pipelines/{id}/app_panel",
            get(capsules::pipeline_panel),
        )
        .add(
            "code_ocean.jobs",
            "/capsules/{id}/computations",
            get(computations::capsule_runs),
        )
        .add(
            "code_ocean.jobs",
            "/pipelines/{id}/computations",
            get(computations::pipeline_runs),
        )
        .add(
            "code_ocean.attach",
            "/capsules/{id}/data_assets",
            post(attach::attach),
        )
        .add(
            "code_ocean.detach",
            "/capsules/{id}/data_assets",
            delete(attach::detach),
        )
}

fn asset_routes(routes: Routes) -> Routes {
    routes
        .add(
            "code_ocean.assets",
            "/data_assets/search",
            post(assets::search_assets),
        )
        .add(
            "code_ocean.assets",
            "/data_assets",
            get(assets::list_assets),
        )
        .add(
            "code_ocean.create-asset",
            "/data_assets",
            post(create::create_asset),
        )
        .add(
            "code_ocean.asset",
            "/data_assets/{id}",
            get(assets::get_asset),
        )
        .add(
            "code_ocean.update-asset",
            "/data_assets/{id}",
            put(assets::update_asset),
        )
        .add(
            "code_ocean.delete-asset",
            "/data_assets/{id}",
            delete(assets::delete_asset),
        )
        .add(
            "code_ocean.archive-asset",
            "/data_assets/{id}/archive",
            patch(assets::archive_asset),
        )
        .add(
            "code_ocean.asset-files",
            "/data_assets/{id}/files",
            post(assets::asset_files),
        )
        .add(
            "code_ocean.asset-link",
            "/data_assets/{id}/files/urls",
            get(assets::asset_urls),
        )
        .add(
            "code_ocean.asset-link",
            "/data_assets/{id}/files/download_url",
            get(assets::asset_url),
        )
        .add(
            "code_ocean.metadata",
            "/custom_metadata",
            get(assets::custom_metadata),
        )
}

fn run_routes(routes: Routes) -> Routes {
    routes
        .add(
            "code_ocean.submit",
            "/computations",
            post(computations::submit),
        )
        .add(
            "code_ocean.status",
            "/computations/{id}",
            get(computations::get_run),
        )
        .add(
            "code_ocean.rename",
            "/computations/{id}",
            patch(computations::rename),
        )
        .add(
            "code_ocean.delete",
            "/computations/{id}",
            delete(computations::delete),
        )
        .add(
            "code_ocean.attach",
            "/computations/{id}/data_assets",
            post(attach::refuse_for_run),
        )
        .add(
            "code_ocean.detach",
            "/computations/{id}/data_assets",
            delete(attach::refuse_for_run),
        )
        .add(
            "code_ocean.results",
            "/computations/{id}/results",
            post(results::list),
        )
        .add(
            "code_ocean.link",
            "/computations/{id}/results/urls",
            get(results::urls),
        )
        .add(
            "code_ocean.old-link",
            "/computations/{id}/results/download_url",
            get(results::download_url),
        )
}
