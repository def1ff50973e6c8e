//! Biodock's lists, page by page, with guards against a cursor or a limit that works otherwise than documented.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};

use crate::model::error::{Doing, Result};
use crate::model::pipeline::Pipeline;
use crate::model::remote::{ListedJob, Page, Query};
use crate::providers::biodock::client::{Client, WITHOUT_MASKS, remote_job};
use crate::providers::biodock::wire::{JobAnswer, Listed, State};

/// Entries asked for at once; the default and the maximum are not documented.
pub(super) const PAGE_ENTRIES: &str = "100";
/// Pages of a list looked at, in case the list never ends.
const MOST_PAGES: usize = 500;
/// Pages of the list of jobs looked at to learn how ours stand; what is not on them is asked for by itself.
const MOST_STATUS_PAGES: usize = 3;

impl Client {
    /// Goes through a list page by page, new entries only, until `visit` has seen enough and says false. True when the
    /// list was seen to its end. A page shorter than asked for is no end, as the service may have a smaller maximum;
    /// an empty one is, and so is one that brings nothing new, which is what an ignored cursor does.
    pub(super) async fn each_page<T: DeserializeOwned + Send>(
        &self,
        path: &[&str],
        fields: &[(&str, &str)],
        doing: Doing,
        id_of: impl Fn(&T) -> &str + Send + Sync,
        mut visit: impl FnMut(Vec<T>) -> bool + Send,
    ) -> Result<bool> {
        let mut seen = BTreeSet::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let mut query = vec![("limit", PAGE_ENTRIES)];
            query.extend_from_slice(fields);
            query.extend(cursor.as_deref().map(|id| ("startingAfter", id)));
            let page: Listed<T> = self.api().get_json(path, &query, doing).await?;
            let last = page.results.last().map(|entry| id_of(entry).to_owned());
            let mut fresh = page.results;
            fresh.retain(|entry| seen.insert(id_of(entry).to_owned()));
            if fresh.is_empty() {
                return Ok(true);
            }
            if !visit(fresh) {
                return Ok(false);
            }
            cursor = last;
        }
        Ok(false)
    }

    /// How many jobs of ours the list can tell about, by id.
    pub(super) async fn listed(&self, wanted: &BTreeSet<&str>) -> Result<BTreeMap<String, State>> {
        let mut states = BTreeMap::new();
        let mut pages = 0;
        self.each_page(
            &["analysis-jobs"],
            &[],
            Doing::Poll,
            |entry: &Entry| &entry.id,
            |entries| {
                pages += 1;
                states.extend(
                    entries
                        .into_iter()
                        .filter(|entry| wanted.contains(entry.id.as_str()))
                        .map(|entry| (entry.id, entry.state)),
                );
                states.len() < wanted.len() && pages < MOST_STATUS_PAGES
            },
        )
        .await?;
        Ok(states)
    }

    /// One page of the list of jobs.
    pub(super) async fn page_of_jobs(&self, query: &Query) -> Result<Page<ListedJob>> {
        let mut fields = vec![("limit", PAGE_ENTRIES)];
        fields.extend(query.cursor.as_deref().map(|id| ("startingAfter", id)));
        let page: Listed<Entry> = self
            .api()
            .get_json(&["analysis-jobs"], &fields, Doing::ListJobs)
            .await?;
        let is_repeated = query
            .cursor
            .as_ref()
            .is_some_and(|cursor| page.results.iter().any(|entry| &entry.id == cursor));
        if is_repeated {
            // The cursor was ignored and this is the first page again.
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        }
        let words = query.words.as_deref().map(str::to_lowercase);
        let fits = |job: &ListedJob| {
            let words = words.as_deref().unwrap_or_default();
            job.name.to_lowercase().contains(words)
        };
        Ok(Page {
            next: page.results.last().map(|entry| entry.id.clone()),
            items: page
                .results
                .into_iter()
                .filter(|entry| !entry.id.is_empty())
                .map(|entry| listed_job(entry.id, &entry.state))
                .filter(fits)
                .collect(),
        })
    }
}

/// A job that may be another's. Its masks are offered unless its name says that nobody wants them.
pub(super) fn listed_job(id: String, state: &State) -> ListedJob {
    let name = state.name.as_deref().map(str::trim).unwrap_or_default();
    let wants_masks = !name.ends_with(WITHOUT_MASKS);
    let shown = if name.is_empty() { &id } else { name };
    ListedJob {
        name: shown.to_owned(),
        pipeline: Pipeline::typed(""),
        created: None,
        word: state.report().word,
        remote: remote_job(id, wants_masks),
    }
}

/// An entry of the list of jobs that has an id; others are of no use.
pub(super) struct Entry {
    pub(super) id: String,
    pub(super) state: State,
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let state = JobAnswer::deserialize(deserializer)?.into_state();
        let id = state.id.clone().unwrap_or_default();
        Ok(Self { id, state })
    }
}
