//! What can be run: searched page by page, and found by whatever a person typed for it.

use std::collections::BTreeSet;

use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::ids::PipelineId;
use crate::model::pipeline::Pipeline;
use crate::net::retry::Idempotent;
use crate::providers::code_ocean::address::{Kind, Named, Runnable, named};
use crate::providers::code_ocean::client::{Client, Scope};
use crate::providers::code_ocean::wire::{Capsule, Found, Search};

/// Entries asked for at once; the service allows up to 1000.
const PAGE_ENTRIES: u32 = 200;
/// Pages of a list looked at, in case the list never ends.
const MOST_PAGES: usize = 200;

impl Client {
    /// One page of a search.
    pub(super) async fn page<T: DeserializeOwned>(
        &self,
        what: &str,
        search: &Search<'_>,
        scope: Scope,
        doing: Doing,
    ) -> Result<Found<T>> {
        self.api()
            .post_json(&[what, "search"], search, Idempotent::Yes, doing)
            .await
            .map_err(|error| scope.explain(error))?
            .json()
    }

    /// Everything of one kind that is not archived, most recently used first.
    async fn all(&self, kind: Kind, doing: Doing) -> Result<Vec<Capsule>> {
        let mut all = Vec::new();
        let mut seen = BTreeSet::new();
        let mut next_token: Option<Value> = None;
        for _ in 0..MOST_PAGES {
            let search = Search {
                next_token: next_token.clone(),
                limit: PAGE_ENTRIES,
                sort_field: Some("last_accessed"),
                sort_order: Some("desc"),
                ..Search::default()
            };
            let page: Found<Capsule> = self
                .page(kind.path(), &search, Scope::Capsule, doing)
                .await?;
            let next = page.next();
            let before = all.len();
            all.extend(
                page.results
                    .into_iter()
                    .filter(|entry| !entry.id.is_empty() && seen.insert(entry.id.clone())),
            );
            // A token that brings the same page again leads nowhere.
            if next.is_none() || all.len() == before {
                break;
            }
            next_token = next;
        }
        let mut memory = self.memory();
        for entry in &all {
            if let (Kind::Capsule, Some(slug)) = (kind, entry.slug()) {
                memory.slugs.insert(entry.id.clone(), slug);
            }
        }
        Ok(all)
    }

    /// Capsules, then pipelines.
    pub(super) async fn runnables(&self, doing: Doing) -> Result<Vec<(Kind, Capsule)>> {
        let capsules = self.all(Kind::Capsule, doing).await?;
        let pipelines = match self.all(Kind::Pipeline, doing).await {
            // A deployment from before there were pipelines.
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            pipelines => pipelines?,
        };
        let capsules = capsules.into_iter().map(|entry| (Kind::Capsule, entry));
        let pipelines = pipelines.into_iter().map(|entry| (Kind::Pipeline, entry));
        let mut all: Vec<(Kind, Capsule)> = pipelines.collect();
        let is_pipeline: BTreeSet<String> = all.iter().map(|(_, entry)| entry.id.clone()).collect();
        // Some servers list their pipelines among the capsules, too.
        let mut runnables: Vec<(Kind, Capsule)> = capsules
            .filter(|(_kind, entry)| !is_pipeline.contains(&entry.id))
            .collect();
        runnables.append(&mut all);
        Ok(runnables)
    }

    pub(super) async fn list(&self) -> Result<Vec<Pipeline>> {
        let runnables = self.runnables(Doing::ListPipelines).await?;
        Ok(runnables
            .into_iter()
            .map(|(kind, entry)| entry.into_model(kind))
            .collect())
    }

    /// What an identifier stands for, asked of the service where it does not say so itself.
    pub(super) async fn resolve(&self, id: &PipelineId, doing: Doing) -> Result<Runnable> {
        let name = named(id.as_str());
        if let Named::Full(runnable) = name {
            return Ok(runnable);
        }
        if let Some(known) = self.memory().resolved.get(id.as_str()) {
            return Ok(known.clone());
        }
        let runnable = match name {
            Named::Full(runnable) => runnable,
            Named::Bare(id, version) => self.of_uuid(id, version, doing).await?,
            Named::Slug(kind, slug) => self.of_slug(kind, &slug, doing).await?,
            Named::Unknown => return Err(unknown(doing)),
        };
        self.memory()
            .resolved
            .insert(id.as_str().to_owned(), runnable.clone());
        Ok(runnable)
    }

    /// Pipelines are asked first, as some servers show them as capsules as well.
    async fn of_uuid(&self, id: String, version: Option<u64>, doing: Doing) -> Result<Runnable> {
        for kind in [Kind::Pipeline, Kind::Capsule] {
            let found: Result<Capsule> = self.api().get_json(&[kind.path(), &id], &[], doing).await;
            match found {
                Ok(found) => {
                    let newest = found.runnable(kind).version;
                    return Ok(Runnable {
                        kind,
                        id,
                        version: version.or(newest),
                    });
                }
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(Scope::Capsule.explain(error)),
            }
        }
        Err(unknown(doing))
    }

    /// The interface does not take the number of a page, but its lists say it.
    async fn of_slug(&self, kind: Option<Kind>, slug: &str, doing: Doing) -> Result<Runnable> {
        let runnables = self.runnables(doing).await?;
        runnables
            .iter()
            .find(|(of, entry)| {
                kind.is_none_or(|kind| kind == *of) && entry.slug().as_deref() == Some(slug)
            })
            .map(|(kind, entry)| entry.runnable(*kind))
            .ok_or_else(|| unknown(doing))
    }
}

fn unknown(doing: Doing) -> Error {
    Error::new(ErrorKind::NotFound, doing).hint(
        "Nothing of yours at Code Ocean goes by this; the id of a capsule or pipeline, such as 0b6f2c1e-52d4-4f0a-9a55-7f3a1d0c9e11, is on its page under Metadata",
    )
}
