//! *Check again* on a folder that takes long to read: it says how far it is, goes on unwatched, and stops at once.

use std::fs::File;
use std::io::Write as _;
use std::path::Path;

use labferry::engine::command::Command;
use labferry::engine::snapshot::{Phase, Snapshot};
use labferry::model::folder::{FolderCheck, Outcome};

use crate::harness;

/// So large that no test waits for its end; a hole, so that the disk does not mind.
const BIG: u64 = 16 << 30;

/// A results folder with a small file, a large one and one that is gone.
fn put_results(folder: &Path) {
    File::create(folder.join("a.csv"))
        .unwrap()
        .write_all(b"abc")
        .unwrap();
    let big = File::create(folder.join("b.bin")).unwrap();
    big.set_len(BIG).unwrap();
    let file = |path: &str, size_bytes: u64| {
        serde_json::json!({
            "path": path, "original_name": path, "job": "Nuclei", "connection": "Core", "platform": "biodock",
            "pipeline": "Nuclei", "remote_id": "65f0", "size_bytes": size_bytes,
            "sha256": "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            "fetched_at": "2026-11-20T14:00:00Z", "from_archive": null,
        })
    };
    let receipt = serde_json::json!({
        "schema": 1, "labferry": "0.1.0", "batch": "Plate 7", "created": "2026-11-20T13:00:00Z",
        "files": [file("a.csv", 3), file("b.bin", BIG), file("gone.csv", 3)],
    });
    File::create(folder.join("receipt.json"))
        .unwrap()
        .write_all(receipt.to_string().as_bytes())
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_long_check_says_how_far_it_is_and_is_stopped() {
    let top = tempfile::tempdir().unwrap();
    let folder = top.path().join("Plate 7");
    std::fs::create_dir(&folder).unwrap();
    put_results(&folder);
    let engine = harness::engine(top.path());
    let ready = |snapshot: &Snapshot| snapshot.phase == Phase::Running;
    harness::wait(&engine, "the start", ready).await;
    engine.send(Command::CheckFolder(folder.clone())).unwrap();
    let far = |least: u64| {
        let folder = folder.clone();
        move |snapshot: &Snapshot| {
            matches!(
                snapshot.checks.get(&folder),
                Some(FolderCheck::Checking(far)) if far.done_bytes > least
                    && far.total_bytes == BIG + 3
                    && (far.done_files, far.total_files) == (1, 2)
                    && !far.stopping
            )
        }
    };
    harness::wait(&engine, "the first bytes", far(3)).await;
    // Another page is looked at meanwhile.
    let elsewhere = top.path().to_path_buf();
    engine.send(Command::OpenFolder(elsewhere)).unwrap();
    harness::wait(&engine, "more bytes", far(100 << 20)).await;
    engine.send(Command::StopCheck(folder.clone())).unwrap();
    let snapshot = harness::wait(&engine, "the answer", |snapshot| {
        matches!(
            snapshot.checks.get(&folder),
            Some(FolderCheck::Answered(_) | FolderCheck::Failed(_))
        )
    })
    .await;
    let Some(FolderCheck::Answered(answer)) = snapshot.checks.get(&folder) else {
        panic!("{:?}", snapshot.checks);
    };
    assert_eq!(answer.counts, [1, 0, 1, 0, 0]);
    assert_eq!(answer.of(Outcome::Missing)[0].1, "gone.csv");
    let unread = answer.unread.unwrap();
    assert_eq!(
        (unread.files, unread.bytes, unread.looked_through),
        (1, BIG, true)
    );
    assert!(snapshot.notices.is_empty());
    engine.shutdown();
}
