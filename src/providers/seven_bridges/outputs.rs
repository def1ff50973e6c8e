//! What tasks made: files in every shape outputs come in, folders opened, and the logs of tasks that failed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::json;

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::remote::{Link, Output, RemoteJob};
use crate::model::safe_url::SafeUrl;
use crate::net::retry::Idempotent;
use crate::providers::seven_bridges::client::Client;
use crate::providers::seven_bridges::errors::{IS_FOLDER, VOLUME_INACTIVE, code_of};
use crate::providers::seven_bridges::made::{
    Made, collect, one_segment, outputs, own_part, unused,
};
use crate::providers::seven_bridges::wire::Bulk;
use crate::providers::seven_bridges::wire::files::{DownloadInfo, FILE_FIELDS, File};
use crate::providers::seven_bridges::wire::tasks::{CHILD_OUTPUT_FIELDS, Details, Task, Word};

/// Files asked about at once: the greatest number allowed.
const MOST_AT_ONCE: usize = 100;
/// Folders in folders that are opened.
const DEEPEST: usize = 20;
/// Failed tasks of a batch whose logs are fetched.
const MOST_LOGS: usize = 20;

impl Client {
    pub(super) async fn results(&self, job: &RemoteJob) -> Result<Vec<Output>> {
        let doing = Doing::ListOutputs;
        let task = self.task(&job.id, doing).await?;
        let mut made = Vec::new();
        if task.is_batch() {
            let children = self.children(&task.id, CHILD_OUTPUT_FIELDS, doing).await?;
            let mut logs_left = MOST_LOGS;
            let mut places = BTreeSet::new();
            for child in &children {
                let short = own_part(child.shown_name(), task.shown_name());
                let place = unused(&mut places, &one_segment(&short));
                let place = format!("{place}/");
                collect(child, &place, &mut made);
                if child.word() == Word::Failed && logs_left > 0 {
                    logs_left -= 1;
                    made.extend(self.logs(child, &place).await?);
                }
            }
        } else {
            collect(&task, "", &mut made);
            if task.word() == Word::Failed {
                made.extend(self.logs(&task, "").await?);
            }
        }
        let mut seen = BTreeSet::new();
        made.retain(|made| seen.insert(made.id.clone()));
        self.look_up(&mut made).await?;
        let mut files = Vec::new();
        for made in made {
            if made.is_folder {
                self.open(&made, &mut files).await?;
            } else {
                files.push(made);
            }
        }
        Ok(outputs(files))
    }

    /// Names and sizes, which a task may not say. What is not there any more keeps the name the task gave it.
    async fn look_up(&self, made: &mut [Made]) -> Result<()> {
        let path = ["bulk", "files", "get"];
        for chunk in made.chunks_mut(MOST_AT_ONCE) {
            let ids: Vec<&str> = chunk.iter().map(|made| made.id.as_str()).collect();
            let body = json!({ "file_ids": ids });
            let reply = self
                .api()
                .post_json(&path, &body, Idempotent::Yes, Doing::ListOutputs)
                .await?;
            let bulk: Bulk<File> = reply.json()?;
            let known: BTreeMap<String, File> = bulk
                .items
                .into_iter()
                .filter_map(|item| item.resource)
                .map(|file| (file.id.clone(), file))
                .collect();
            for made in chunk {
                let Some(file) = known.get(&made.id) else {
                    continue;
                };
                made.is_folder |= file.is_folder();
                made.size_bytes = file.size.or(made.size_bytes);
                // A log's own name in the project says less than where it came from.
                if made.name.is_none() || !made.port.is_empty() {
                    made.name = file.name.clone().or_else(|| made.name.take());
                }
            }
        }
        Ok(())
    }

    /// Everything in a folder, and in the folders in it.
    async fn open(&self, folder: &Made, files: &mut Vec<Made>) -> Result<()> {
        let name = folder.name.as_deref().unwrap_or(&folder.id);
        let place = format!("{}{}/", folder.place, one_segment(name));
        let mut waiting = vec![(folder.id.clone(), place, 0)];
        while let Some((id, place, depth)) = waiting.pop() {
            let path = ["files", id.as_str(), "list"];
            let fields = [("fields", FILE_FIELDS)];
            let entries: Vec<File> = self.all(&path, &fields, Doing::ListOutputs).await?;
            for entry in entries {
                let name = entry.name.clone().unwrap_or_else(|| entry.id.clone());
                if !entry.is_folder() {
                    files.push(Made {
                        size_bytes: entry.size,
                        id: entry.id,
                        name: Some(name),
                        is_folder: false,
                        port: folder.port.clone(),
                        place: place.clone(),
                    });
                } else if depth < DEEPEST {
                    waiting.push((
                        entry.id,
                        format!("{place}{}/", one_segment(&name)),
                        depth + 1,
                    ));
                }
            }
        }
        Ok(())
    }

    /// The logs of a failed task; it has its results without them, too.
    async fn logs(&self, task: &Task, place: &str) -> Result<Vec<Made>> {
        let path = ["tasks", &task.id, "execution_details"];
        let details: Details = match self.api().get_json(&path, &[], Doing::ListOutputs).await {
            Ok(details) => details,
            Err(error) if error.is_retryable() => return Err(error),
            Err(error) => {
                tracing::info!(%error, "the logs of a failed task are not to be had");
                return Ok(Vec::new());
            }
        };
        let mut places = BTreeSet::new();
        let mut logs = Vec::new();
        for run in details.jobs.unwrap_or_default() {
            let name = one_segment(run.name.as_deref().unwrap_or("step"));
            let folder = unused(&mut places, &name);
            logs.extend(run.logs().into_iter().map(|(name, id)| {
                let name = one_segment(&name);
                let ending = if name.contains('.') { "" } else { ".log" };
                Made {
                    id,
                    name: Some(format!("{name}{ending}")),
                    size_bytes: None,
                    is_folder: false,
                    port: String::new(),
                    place: format!("{place}logs/{folder}/"),
                }
            }));
        }
        Ok(logs)
    }

    /// The address a file can be fetched from; it is signed, and the token does not go there.
    pub(super) async fn download_link(&self, output: &Output) -> Result<Link> {
        let doing = Doing::PrepareResult;
        let path = ["files", output.id.as_str(), "download_info"];
        let info: Result<DownloadInfo> = self.api().get_json(&path, &[], doing).await;
        let info = info.map_err(|error| match code_of(&error) {
            Some(IS_FOLDER) => error.hint("This is a folder, which cannot be fetched as one file"),
            Some(VOLUME_INACTIVE) => error.hint(
                "The storage volume this file lies on is switched off; whoever owns the volume can switch it on",
            ),
            Some(_) | None => error,
        })?;
        if info.url.trim().is_empty() {
            return Err(Error::new(ErrorKind::Garbled, doing)
                .status(200)
                .hint("Seven Bridges named no address for this file"));
        }
        Ok(Link::Ready {
            url: SafeUrl::new(info.url),
            header: None,
        })
    }
}
