//! The golden replies, read.

use serde::de::DeserializeOwned;

use crate::model::error::{Doing, ErrorKind};
use crate::model::remote::Progress;
use crate::net::errors::from_answer;
use crate::providers::seven_bridges::errors::{complaint, inner_error};
use crate::providers::seven_bridges::wire::accounts::{Project, User};
use crate::providers::seven_bridges::wire::files::{DownloadInfo, File};
use crate::providers::seven_bridges::wire::tasks::{Counts, Details, Task, Word};
use crate::providers::seven_bridges::wire::uploads::{Arrived, Opened, PartLink};
use crate::providers::seven_bridges::wire::{Bulk, Listed};

fn golden(name: &str) -> String {
    let path = format!(
        "{}/tests/golden/seven_bridges/{name}.json",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path).unwrap()
}

fn read<T: DeserializeOwned>(name: &str) -> T {
    serde_json::from_str(&golden(name)).unwrap()
}

#[test]
fn accounts_and_projects() {
    assert_eq!(read::<User>("user").name().as_deref(), Some("john_doe"));
    let projects: Listed<Project> = read("projects");
    assert!(projects.names_a_next());
    let lacks: Vec<Option<String>> = projects
        .items
        .into_iter()
        .map(|project| project.into_place().lacks)
        .collect();
    assert_eq!(lacks[0], None);
    assert_eq!(
        lacks[1].as_deref(),
        Some("you may not run tasks there, it has no billing group")
    );
}

#[test]
fn refusals() {
    for (name, said) in [
        ("error", "Requested file does not exist. (code 5002)"),
        ("error-text-status", "Requested file does not exist."),
    ] {
        let headers = reqwest::header::HeaderMap::new();
        let body = golden(name);
        let error = from_answer(Doing::Browse, 404, &headers, body.as_bytes(), complaint);
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert_eq!(error.failure().server_said.as_deref(), Some(said));
    }
}

#[test]
fn uploads_and_files() {
    let opened: Opened = read("upload-opened");
    assert_eq!(
        (opened.part_size, opened.parallel_uploads),
        (Some(33_554_432), Some(true))
    );
    let link: PartLink = read("upload-part");
    assert_eq!(
        (link.success_codes(), link.reported_headers()),
        (vec![200], vec!["ETag".to_owned()])
    );
    let arrived: Arrived = read("upload-parts");
    let etags: Vec<(u64, String)> = arrived.etags().into_iter().collect();
    assert_eq!(etags, [(1, "323bdc8b0d4b4c5d9a0e6f7a8b9c0d1e".to_owned())]);
    let files: Listed<File> = read("files");
    let shown: Vec<(bool, Option<u64>)> = files
        .items
        .into_iter()
        .map(File::into_staged)
        .map(|file| (file.is_folder, file.size_bytes))
        .collect();
    assert_eq!(shown, [(false, Some(73_400_320)), (true, None)]);
    let info: DownloadInfo = read("download-info");
    assert!(info.url.starts_with("https://storage.example.org/"));
}

#[test]
fn tasks() {
    let draft: Task = read("task-draft-errors");
    assert_eq!(draft.word(), Word::Draft);
    assert_eq!(
        draft.complaints().as_deref(),
        Some("Required input is missing: reads; Not a file: x")
    );
    let running: Task = read("task-running");
    assert_eq!(
        (running.complaints(), running.message(), running.is_batch()),
        (None, None, false)
    );
    assert_eq!(
        running.steps(),
        Some(Progress::Steps {
            done: 1,
            total: Some(4)
        })
    );
    assert!(running.created().is_some() && running.counts().is_none());
    let batch: Task = read("task-batch");
    assert!(batch.is_batch());
    assert_eq!(
        batch.counts(),
        Some(Counts {
            waiting: 1,
            running: 2,
            ended: 4
        })
    );
    let bulk: Bulk<Task> = read("bulk-tasks");
    assert_eq!(
        bulk.items[0].resource.as_ref().unwrap().word(),
        Word::Completed
    );
    assert_eq!(
        inner_error(&bulk.items[1].error, Doing::Poll).kind(),
        ErrorKind::NotFound
    );
    let details: Details = read("execution-details");
    assert_eq!(
        details.jobs.unwrap()[0].logs(),
        [("stderr".to_owned(), "66a1f0c2d3e4b5a697887709".to_owned())]
    );
}
