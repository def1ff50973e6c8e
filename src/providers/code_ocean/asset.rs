//! Data assets: those there are, and those made of a job's files in the bucket.

use serde::Serialize;
use serde_json::Value;

use crate::model::error::{Doing, Error, ErrorKind, Result, Sent};
use crate::model::remote::{Gathered, Gathering, Page, Query, StagedFile};
use crate::net::retry::Idempotent;
use crate::providers::code_ocean::bucket::Bucket;
use crate::providers::code_ocean::client::{Client, Scope};
use crate::providers::code_ocean::values::mount_of;
use crate::providers::code_ocean::wire::{Asset, AssetState, Found, Memo, Search};

/// Data assets shown at once.
const PAGE_ENTRIES: u32 = 50;
/// Data assets looked through for one of ours; a search for its tag brings few.
const LOOKED_THROUGH: u32 = 100;
/// Pages of such a search, in case the service ignores what is searched for.
const MOST_PAGES: usize = 50;
/// Longest name of a data asset; the tag at its end must survive.
const MOST_NAME_CHARS: usize = 150;
const DOING: Doing = Doing::Upload;

/// A data asset to be made of what is in a bucket.
#[derive(Debug, Serialize)]
struct New<'a> {
    name: String,
    tags: [&'a str; 2],
    mount: &'a str,
    description: &'static str,
    source: Source<'a>,
}

#[derive(Debug, Serialize)]
struct Source<'a> {
    aws: Aws<'a>,
}

/// A copy, as a link could be neither listed nor read without further rights when a run starts.
#[derive(Debug, Serialize)]
struct Aws<'a> {
    bucket: &'a str,
    prefix: String,
    keep_on_external_storage: bool,
    public: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    endpoint_name: Option<&'a str>,
}

impl Client {
    /// Data assets that a run can use now, newest first.
    pub(super) async fn assets(&self, query: &Query) -> Result<Page<StagedFile>> {
        if query.folder.is_some() {
            // What is inside one is the business of the run that uses it.
            return Ok(Page {
                items: Vec::new(),
                next: None,
            });
        }
        // A token that is a number stays one on its way through the text.
        let next_token = query
            .cursor
            .as_deref()
            .map(|cursor| serde_json::from_str(cursor).unwrap_or_else(|_text| cursor.into()));
        let search = Search {
            query: query
                .words
                .as_deref()
                .map(str::trim)
                .filter(|words| !words.is_empty()),
            next_token,
            limit: PAGE_ENTRIES,
            sort_field: Some("created"),
            sort_order: Some("desc"),
            ..Search::default()
        };
        let found: Found<Asset> = self
            .page("data_assets", &search, Scope::Assets, Doing::Browse)
            .await?;
        Ok(Page {
            next: found
                .next()
                .map(|token| token.to_string())
                .filter(|next| Some(next) != query.cursor.as_ref()),
            items: found
                .results
                .into_iter()
                .filter(|asset| asset.state() == AssetState::Ready && !asset.id.is_empty())
                .map(|asset| asset.into_model(Memo::default()))
                .collect(),
        })
    }

    /// Makes the files one data asset, or asks how far that is.
    pub(super) async fn make_asset(&self, gathering: &Gathering) -> Result<Gathered> {
        let memo = Memo {
            mount: mount_of(&gathering.settings).to_owned(),
            file: match gathering.files.as_slice() {
                [only] => only.name.clone(),
                _ => String::new(),
            },
        };
        if let Some(known) = &gathering.known {
            let known = self.asset(&known.input.id).await?;
            return gathered(known, memo);
        }
        if let Some(found) = self.find_asset(gathering).await? {
            return gathered(found, memo);
        }
        let bucket = self.bucket()?;
        let prefix = bucket.prefix_of(gathering).await?;
        let name: String = gathering
            .name
            .trim()
            .chars()
            .take(MOST_NAME_CHARS)
            .collect();
        let new = New {
            name: format!("{name} {}", gathering.tag).trim_start().to_owned(),
            tags: ["labferry", gathering.tag.as_str()],
            mount: &memo.mount,
            description: "Files sent with Labferry",
            source: Source {
                aws: Aws {
                    bucket: bucket.name(),
                    prefix,
                    keep_on_external_storage: false,
                    public: false,
                    endpoint_name: self.endpoint_name(),
                },
            },
        };
        let made: Asset = self
            .api()
            .post_json(&["data_assets"], &new, Idempotent::No, DOING)
            .await
            .map_err(|error| Scope::MakeAsset.explain(error))?
            .json()?;
        if made.id.is_empty() {
            return Err(Error::new(ErrorKind::Garbled, DOING)
                .sent(Sent::Answered)
                .hint("Code Ocean took the data asset but did not say its id"));
        }
        gathered(made, memo)
    }

    async fn asset(&self, id: &str) -> Result<Asset> {
        self.api()
            .get_json(&["data_assets", id], &[], DOING)
            .await
            .map_err(|error| Scope::Assets.explain(error))
    }

    /// One that an earlier attempt made without hearing of it. One that failed is none.
    async fn find_asset(&self, gathering: &Gathering) -> Result<Option<Asset>> {
        let tag = gathering.tag.as_str();
        let query = format!("tag:{tag}");
        let mut next_token: Option<Value> = None;
        for _ in 0..MOST_PAGES {
            let search = Search {
                query: Some(&query),
                next_token: next_token.clone(),
                limit: LOOKED_THROUGH,
                ..Search::default()
            };
            let page: Found<Asset> = self
                .page("data_assets", &search, Scope::Assets, DOING)
                .await?;
            let next = page.next();
            let found = page.results.into_iter().find(|asset| {
                let is_ours = asset.tags.iter().any(|other| other == tag)
                    || asset
                        .name
                        .as_deref()
                        .is_some_and(|name| name.ends_with(tag));
                is_ours && asset.state() != AssetState::Failed
            });
            if found.is_some() || next.is_none() || next == next_token {
                return Ok(found);
            }
            next_token = next;
        }
        Ok(None)
    }
}

/// In our words; one that failed says why, and what usually is the matter.
fn gathered(asset: Asset, memo: Memo) -> Result<Gathered> {
    let state = asset.state();
    if state == AssetState::Failed {
        let error = Error::new(ErrorKind::Invalid, DOING)
            .sent(Sent::Answered)
            .hint("Code Ocean could not take the files in from the bucket. The usual cause is that Code Ocean itself has no credentials for it: ask its administrator to let it read the bucket");
        return Err(match asset.failure() {
            Some(reason) => error.server_said(reason),
            None => error,
        });
    }
    Ok(Gathered {
        input: asset.into_model(memo),
        ready: state == AssetState::Ready,
    })
}

impl Bucket {
    /// What the job's files, and nothing else, have in common: their folder where they are all of it, the one file, or a
    /// folder of the job's own that they are copied into.
    async fn prefix_of(&self, gathering: &Gathering) -> Result<String> {
        let Some(first) = gathering.files.first() else {
            return Err(Error::new(ErrorKind::Invalid, DOING)
                .hint("The job has no file that could be made a data asset"));
        };
        let (folder, _name) = first.id.rsplit_once('/').unwrap_or_default();
        let folder = format!("{folder}/");
        if gathering.is_whole_folder
            && gathering
                .files
                .iter()
                .all(|file| is_right_below(&folder, &file.id))
        {
            return Ok(folder);
        }
        if gathering.files.len() == 1 {
            // A prefix is no name: another object whose key goes on where this one ends would come along.
            let same: Vec<String> = self
                .list(&first.id)
                .await?
                .into_iter()
                .map(|(key, _size)| key)
                .collect();
            if same.iter().all(|key| key == &first.id) {
                return Ok(first.id.clone());
            }
        }
        let own = format!("{folder}{}/", gathering.tag);
        let there = self.list(&own).await?;
        for file in &gathering.files {
            let name = file.id.rsplit('/').next().unwrap_or_default();
            let to = format!("{own}{name}");
            let size_bytes = match file.size_bytes {
                Some(size) => size,
                None => self.size_of(&file.id).await?.unwrap_or_default(),
            };
            if !there.contains(&(to.clone(), size_bytes)) {
                self.copy_any(&file.id, &to, size_bytes).await?;
            }
        }
        Ok(own)
    }
}

fn is_right_below(folder: &str, key: &str) -> bool {
    key.strip_prefix(folder)
        .is_some_and(|name| !name.contains('/'))
}
