//! What tasks made: files in every shape outputs come in, folders opened, and the logs of tasks that failed.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value as Json, json};

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::remote::{Link, Output, RemoteJob};
use crate::model::safe_url::SafeUrl;
use crate::net::retry::Idempotent;
use crate::providers::seven_bridges::client::Client;
use crate::providers::seven_bridges::errors::{IS_FOLDER, VOLUME_INACTIVE, code_of};
use crate::providers::seven_bridges::wire::files::{DownloadInfo, FILE_FIELDS, File};
use crate::providers::seven_bridges::wire::tasks::{CHILD_OUTPUT_FIELDS, Details, Task, Word};
use crate::providers::seven_bridges::wire::{Bulk, count_in};

/// Files asked about at once: the greatest number allowed.
const MOST_AT_ONCE: usize = 100;
/// Folders in folders that are opened.
const DEEPEST: usize = 20;
/// Failed tasks of a batch whose logs are fetched.
const MOST_LOGS: usize = 20;

/// A file or folder among the outputs.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Made {
    id: String,
    /// As the task says, where it does.
    name: Option<String>,
    size_bytes: Option<u64>,
    is_folder: bool,
    /// The output it is of.
    port: String,
    /// Where it shall stand: empty, or ends in `/`.
    place: String,
}

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

/// Collects the files of a task's outputs.
fn collect(task: &Task, place: &str, made: &mut Vec<Made>) {
    if let Some(outputs) = task.outputs.as_object() {
        for (port, value) in outputs {
            walk(value, port, place, made);
        }
    }
}

/// An output is nothing, a plain value, a file, a folder, or lists of such, also of lists and records.
fn walk(value: &Json, port: &str, place: &str, made: &mut Vec<Made>) {
    match value {
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {}
        Json::Array(values) => {
            for value in values {
                walk(value, port, place, made);
            }
        }
        Json::Object(fields) => {
            let class = fields.get("class").and_then(Json::as_str);
            let id = fields.get("path").and_then(Json::as_str);
            let (Some(class @ ("File" | "Directory")), Some(id)) = (class, id) else {
                for value in fields.values() {
                    walk(value, port, place, made);
                }
                return;
            };
            if !id.is_empty() {
                made.push(Made {
                    id: id.to_owned(),
                    name: fields.get("name").and_then(Json::as_str).map(str::to_owned),
                    size_bytes: fields.get("size").and_then(count_in),
                    is_folder: class == "Directory",
                    port: port.to_owned(),
                    place: place.to_owned(),
                });
            }
            if let Some(beside) = fields.get("secondaryFiles") {
                walk(beside, port, place, made);
            }
        }
    }
}

/// Files of the same name at the same place get the name of their output in front.
fn outputs(files: Vec<Made>) -> Vec<Output> {
    let mut names = BTreeMap::new();
    let full = |made: &Made| {
        let name = made.name.as_deref().unwrap_or(&made.id);
        format!("{}{}", made.place, one_segment(name))
    };
    for made in &files {
        *names.entry(full(made)).or_insert(0_usize) += 1;
    }
    let mut taken = BTreeSet::new();
    files
        .into_iter()
        .map(|made| {
            let plain = full(&made);
            let wanted =
                if names.get(&plain).is_some_and(|count| *count > 1) && !made.port.is_empty() {
                    let name = made.name.as_deref().unwrap_or(&made.id);
                    format!(
                        "{}{}/{}",
                        made.place,
                        one_segment(&made.port),
                        one_segment(name)
                    )
                } else {
                    plain
                };
            let name = unused(&mut taken, &wanted);
            Output {
                unpack: name.to_ascii_lowercase().ends_with(".zip"),
                name,
                id: made.id,
                size_bytes: made.size_bytes,
                sha256: None,
                on_request: false,
            }
        })
        .collect()
}

/// What of a child's name its parent's does not say already: the file or the sample it stands for.
fn own_part(child: &str, parent: &str) -> String {
    let own = child
        .strip_prefix(parent)
        .map(|own| own.trim_start_matches([' ', '-', ':', '_']))
        .filter(|own| !own.is_empty())
        .unwrap_or(child);
    own.replace(": ", " ")
}

/// A name without the sign that would make folders of it.
fn one_segment(name: &str) -> String {
    let name = name.trim().replace(['/', '\\'], "_");
    if name.is_empty() || name.chars().all(|character| character == '.') {
        format!("_{name}")
    } else {
        name
    }
}

/// The name, or the name with a number where it is taken.
fn unused(taken: &mut BTreeSet<String>, name: &str) -> String {
    let mut free = name.to_owned();
    let mut number = 2;
    while !taken.insert(free.clone()) {
        free = match name.rsplit_once('.') {
            Some((stem, ending)) if !stem.is_empty() && !ending.contains('/') => {
                format!("{stem} ({number}).{ending}")
            }
            Some(_) | None => format!("{name} ({number})"),
        };
        number += 1;
    }
    free
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_of_every_shape_are_found() {
        let task: Task = serde_json::from_value(json!({"id": "t", "outputs": {
            "none": null, "number": 4, "flag": true, "words": ["a"],
            "report": {"class": "File", "path": "66a1f0c2d3e4b5a697887701", "name": "a.html", "size": "12"},
            "list": [{"class": "File", "path": "66a1f0c2d3e4b5a697887702", "name": "b.bam",
                      "secondaryFiles": [{"class": "File", "path": "66a1f0c2d3e4b5a697887703", "name": "b.bai"}]}],
            "nested": [[{"class": "File", "path": "66a1f0c2d3e4b5a697887704"}], []],
            "record": {"one": {"class": "File", "path": "66a1f0c2d3e4b5a697887705"}},
            "folder": {"class": "Directory", "path": "66a1f0c2d3e4b5a697887706"}
        }}))
        .unwrap();
        let mut made = Vec::new();
        collect(&task, "x/", &mut made);
        let mut ends: Vec<(&str, bool, Option<u64>)> = made
            .iter()
            .map(|made| (made.id.get(22..).unwrap(), made.is_folder, made.size_bytes))
            .collect();
        ends.sort_unstable();
        assert_eq!(
            ends,
            [
                ("01", false, Some(12)),
                ("02", false, None),
                ("03", false, None),
                ("04", false, None),
                ("05", false, None),
                ("06", true, None)
            ]
        );
        let mut none = Vec::new();
        collect(&Task::default(), "", &mut none);
        assert!(none.is_empty());
    }

    #[test]
    fn the_folder_of_a_child_says_what_it_stands_for() {
        for (child, place) in [
            ("Plate 7 lf-1 - file: a b.tsv", "file a b.tsv"),
            ("Plate 7 lf-1", "Plate 7 lf-1"),
            ("QC of A01", "QC of A01"),
        ] {
            assert_eq!(own_part(child, "Plate 7 lf-1"), place);
        }
    }

    #[test]
    fn names_are_unique_and_keep_their_place() {
        let made = |id: &str, name: &str, port: &str, place: &str| Made {
            id: id.to_owned(),
            name: Some(name.to_owned()),
            size_bytes: None,
            is_folder: false,
            port: port.to_owned(),
            place: place.to_owned(),
        };
        let names: Vec<String> = outputs(vec![
            made("1", "a.csv", "counts", "x/"),
            made("2", "a.csv", "tables", "x/"),
            made("3", "a.csv", "tables", "x/"),
            made("4", "a.csv", "tables", "y/"),
            made("5", "../b.zip", "tables", ""),
        ])
        .into_iter()
        .map(|output| output.name)
        .collect();
        assert_eq!(
            names,
            [
                "x/counts/a.csv",
                "x/tables/a.csv",
                "x/tables/a (2).csv",
                "y/a.csv",
                ".._b.zip"
            ]
        );
    }
}
