//! The results of a run: a tree of files, walked folder by folder, and the links to them.

use std::collections::BTreeSet;

use serde::Serialize;

use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::remote::{Link, Output};
use crate::model::safe_url::SafeUrl;
use crate::net::retry::Idempotent;
use crate::providers::code_ocean::client::{Client, Scope};
use crate::providers::code_ocean::listed::{output, path_of};
use crate::providers::code_ocean::wire::{Address, Folder, filled};

/// Folders within folders that are looked into.
const DEEPEST: usize = 32;
/// Folders looked into.
const MOST_FOLDERS: usize = 5_000;
/// Files listed.
const MOST_FILES: usize = 100_000;

#[derive(Serialize)]
struct Wanted<'a> {
    path: &'a str,
}

impl Client {
    /// All files of all folders, in the order of the service, a folder's own files before those below it.
    pub(super) async fn walk(&self, id: &str) -> Result<Vec<Output>> {
        let mut outputs = Vec::new();
        let mut seen = BTreeSet::new();
        let mut folders = vec![(String::new(), 0_usize)];
        let mut looked = 0_usize;
        while let Some((path, depth)) = folders.pop() {
            looked += 1;
            if looked > MOST_FOLDERS || outputs.len() > MOST_FILES {
                return Err(Error::new(ErrorKind::TooLarge, Doing::ListOutputs).hint(
                    "The run has more result files than Labferry lists; fetch them at Code Ocean",
                ));
            }
            let folder = match self.folder(id, &path).await {
                // A run without results has no tree; a run that is gone has nothing.
                Err(error) if error.kind() == ErrorKind::NotFound && path.is_empty() => {
                    let run = self.run_by_id(id, Doing::ListOutputs).await?;
                    if run.has_results == Some(true) {
                        return Err(Error::new(ErrorKind::ServerFault, Doing::ListOutputs)
                            .status(404)
                            .hint(
                                "Code Ocean says that the run has results, and does not list them",
                            ));
                    }
                    return Ok(outputs);
                }
                folder => folder?,
            };
            let mut below = Vec::new();
            for item in folder.items {
                let Some(item_path) = path_of(&item, &path) else {
                    tracing::warn!(name = ?item.name, "a result was left out, as its path leads out of the results");
                    continue;
                };
                if !seen.insert(item_path.clone()) {
                    continue;
                }
                if !item.is_folder() {
                    outputs.push(output(&item, item_path));
                } else if depth < DEEPEST {
                    below.push((item_path, depth + 1));
                }
            }
            folders.extend(below.into_iter().rev());
        }
        Ok(outputs)
    }

    /// One level.
    async fn folder(&self, id: &str, path: &str) -> Result<Folder> {
        self.api()
            .post_json(
                &["computations", id, "results"],
                &Wanted { path },
                Idempotent::Yes,
                Doing::ListOutputs,
            )
            .await
            .map_err(|error| Scope::Capsule.explain(error))?
            .json()
    }

    /// Links are short-lived and at another host, which must not see the token. Servers before 4.0 have the older call only.
    pub(super) async fn address_of(&self, id: &str, path: &str) -> Result<Link> {
        let doing = Doing::PrepareResult;
        let query = [("path", path)];
        let asked = |call: &'static [&'static str]| {
            let mut segments = vec!["computations", id, "results"];
            segments.extend_from_slice(call);
            segments
        };
        let now = asked(&["urls"]);
        let found = match self.api().get_json::<Address>(&now, &query, doing).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let older = asked(&["download_url"]);
                match self.api().get_json::<Address>(&older, &query, doing).await {
                    Err(again) if again.kind() == ErrorKind::NotFound => Err(error),
                    found => found,
                }
            }
            found => found,
        };
        let address = found.map_err(|error| Scope::Capsule.explain(error))?;
        let url = filled(address.download_url).ok_or_else(|| {
            Error::new(ErrorKind::Garbled, doing)
                .sent(Sent::Answered)
                .hint("Code Ocean named no address for this file")
        })?;
        Ok(Link::Ready {
            url: SafeUrl::new(url),
            header: None,
        })
    }
}
