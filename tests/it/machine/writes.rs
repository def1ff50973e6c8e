//! The drive is full at the nth write of a small run, for every n: the run ends with the same results.
//!
//! `LABFERRY_EVERY_WRITE=1` fails each single one; otherwise those that a stride reaches.

use std::collections::BTreeMap;
use std::path::Path;

use labferry::engine::EngineOptions;
use labferry::engine::command::Command;
use labferry::engine::place::Writes;
use labferry::engine::snapshot::{Phase, Snapshot};
use labferry::model::batch::BatchDraft;
use labferry::model::provider::FanOut;

use super::{Bench, NUCLEI};
use crate::harness::{add_files, connect_analytics, connect_biodock, target, wait};
use crate::program::files;

/// Runs that go on beside each other.
const BESIDE: usize = 6;

/// What a run leaves: the length of each file by its path. That its content is right, the receipt was asked.
type Left = BTreeMap<String, usize>;

async fn run(writes: Writes) -> Left {
    let bench = Bench::start(|options| EngineOptions { writes, ..options }).await;
    let imaging = connect_biodock(&bench.engine, &bench.sandbox).await;
    let institute = connect_analytics(&bench.engine, &bench.sandbox).await;
    let targets = vec![
        target(&bench.engine, imaging, NUCLEI, FanOut::AllInOne),
        target(&bench.engine, institute, "zipresults", FanOut::OnePerFile),
    ];
    add_files(&bench.engine, vec![bench.picture()]).await;
    let draft = BatchDraft {
        name: "Plate 7".to_owned(),
        into: Some(bench.results()),
        targets,
    };
    // A folder that could not be made is said, and the person presses again.
    while bench.engine.snapshot().batches.is_empty() {
        let command = Command::SubmitBatch(draft.clone());
        bench.engine.send(command).unwrap();
        wait(&bench.engine, "the batch or why not", |snapshot| {
            !snapshot.batches.is_empty() || could_not_be_made(snapshot)
        })
        .await;
    }
    let snapshot = bench.all_done().await;
    assert_eq!(snapshot.phase, Phase::Running);
    assert_eq!(bench.count("biodock.submit"), 1);
    assert_eq!(bench.count("aa.submit"), 1);
    left_in(&snapshot.batches[0].folder)
}

fn could_not_be_made(snapshot: &Snapshot) -> bool {
    let mut findings = snapshot.draft.findings.iter();
    findings.any(|finding| finding.words.contains("could not be made"))
}

fn left_in(folder: &Path) -> Left {
    files(folder)
        .into_iter()
        .filter(|path| {
            // These tell of times and of numbers that a platform draws.
            let told = ["receipt.json", "ro-crate-metadata.json", "methods.txt"];
            !told.iter().any(|name| path.ends_with(name))
        })
        .map(|path| {
            let bytes = std::fs::read(&path).unwrap();
            let below = path.strip_prefix(folder).unwrap().display().to_string();
            // What a platform makes anew each time differs in times and numbers, never in its length.
            let below: Vec<&str> = below.split('/').map(named).collect();
            (below.join("/"), bytes.len())
        })
        .collect()
}

/// The name without a number in front that the platform draws.
fn named(name: &str) -> &str {
    match name.split_once('_') {
        Some((number, rest)) if number.len() == 24 => rest,
        _ => name,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_drive_that_is_full_at_any_write_changes_nothing_in_the_end() {
    let writes = Writes::default();
    let usual = run(writes.clone()).await;
    let count = writes.count();
    assert!(count > 20 && !usual.is_empty(), "{count} writes, {usual:?}");
    let stride = if std::env::var_os("LABFERRY_EVERY_WRITE").is_some() {
        1
    } else {
        5
    };
    let numbers: Vec<u64> = (1..=count).step_by(stride).collect();
    for some in numbers.chunks(BESIDE) {
        let usual = &usual;
        let runs = some.iter().copied().map(|number| async move {
            let left = run(Writes::full_at(number)).await;
            assert_eq!(&left, usual, "full at write {number}");
        });
        futures_util::future::join_all(runs).await;
    }
    println!(
        "{count} writes; the drive was full at each of {}",
        numbers.len()
    );
}
