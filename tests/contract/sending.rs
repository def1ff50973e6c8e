//! Files on their way: names, bytes, and files that are not what was picked.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use labferry::model::error::{Error, ErrorKind};
use labferry::model::meter::Meter;
use labferry::model::provider::Intake;
use labferry::model::remote::{JobStatus, Query, StagedFile, Upload};
use labferry::net::keep::Keep as Memo;
use labferry::sandbox::samples;
use sha2::{Digest as _, Sha256};

use crate::bench::{Bench, assert_unsupported, nasty_names};

fn sha256(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut text = String::new();
    for byte in Sha256::digest(bytes) {
        write!(text, "{byte:02x}").unwrap();
    }
    text
}

/// Whether a file with exactly these bytes lies at the platform.
fn is_stored(folder: &Path, bytes: &[u8]) -> bool {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file())
        .any(|entry| std::fs::read(entry.path()).is_ok_and(|stored| stored == bytes))
}

async fn stage_and_look(bench: &Bench, name: &str, bytes: &[u8]) -> StagedFile {
    let upload = bench.upload(name, bytes);
    let meter = Meter::default();
    let staged = bench
        .provider
        .stage(&upload, &Memo::forgetful(), &meter)
        .await;
    let staged = staged.unwrap_or_else(|error| panic!("{name}: {error:?}"));
    assert_eq!(staged.name, upload.remote_name);
    assert_eq!(staged.sha256, Some(sha256(bytes)), "{name}");
    let length = bytes.len() as u64;
    assert_eq!(meter.done_bytes(), length, "{name}");
    assert_eq!(meter.total_bytes(), length, "{name}");
    assert_eq!(meter.moved_bytes(), length, "{name}");
    assert!(is_stored(bench.sandbox.world().folder(), bytes), "{name}");
    staged
}

pub(crate) async fn nasty_names_arrive(bench: &Bench) {
    for (number, name) in nasty_names().into_iter().enumerate() {
        stage_and_look(bench, &name, format!("a,b\n{number},2\n").as_bytes()).await;
    }
    // The names at the platform are those that were asked for, not only those we remember.
    let top = bench.provider.browse(&Query::default()).await.unwrap();
    let folder = top.items.iter().find(|item| item.name.contains("Plate 7"));
    let inside = Query {
        folder: folder.map(|folder| folder.id.clone()),
        cursor: None,
        words: None,
    };
    let there = bench.provider.browse(&inside).await.unwrap();
    let there: Vec<String> = there.items.into_iter().map(|item| item.name).collect();
    for name in nasty_names() {
        let short: String = name.chars().take(bench.can().max_name_chars).collect();
        assert!(there.contains(&short), "{short} is not among {there:?}");
    }
}

pub(crate) async fn samples_arrive_whole(bench: &Bench) {
    for sample in samples::make().unwrap() {
        stage_and_look(bench, sample.name, &sample.bytes).await;
    }
    // Several blocks, the last of them full, and one byte more.
    for length in [2 * 1024 * 1024, 2 * 1024 * 1024 + 1] {
        let bytes: Vec<u8> = (0..length).map(|place: u32| (place % 251) as u8).collect();
        stage_and_look(bench, &format!("{length} blocks.bin"), &bytes).await;
    }
    assert_eq!(
        bench.count(bench.stand.upload),
        samples::make().unwrap().len() + 2,
        "one request a file"
    );
}

/// A file whose answer was lost is looked for before it is sent again, and counted once.
pub(crate) async fn a_lost_upload_is_made_good(bench: &Bench) {
    let faults = [
        "lost-answer",
        "server-error",
        "refuse-before",
        "unavailable",
    ];
    for (number, fault) in faults.into_iter().enumerate() {
        bench.set(&format!("{fault}@{}*1", bench.stand.upload));
        let bytes = format!("{number}\n{fault}\n");
        let upload = bench.upload(&format!("{fault}.csv"), bytes.as_bytes());
        let meter = Meter::default();
        let staged = bench
            .provider
            .stage(&upload, &Memo::forgetful(), &meter)
            .await;
        let staged = staged.unwrap_or_else(|error| panic!("{fault}: {error:?}"));
        assert_eq!(staged.sha256, Some(sha256(bytes.as_bytes())), "{fault}");
        assert_eq!(meter.done_bytes(), bytes.len() as u64, "{fault}");
        assert!(is_stored(bench.sandbox.world().folder(), bytes.as_bytes()));
    }
    // The other three had to be sent again. The lost answer was found, where the platform can say so of a whole file.
    let sent = bench.count(bench.stand.upload);
    assert_eq!(sent, if bench.stand.parts.is_some() { 8 } else { 7 });
}

pub(crate) async fn a_file_over_the_limit_is_not_sent(bench: &Bench) {
    let max = bench.can().max_file_bytes.unwrap();
    let mut upload = bench.upload("large.tif", b"");
    // Sparse: it takes no room.
    let file = OpenOptions::new()
        .write(true)
        .open(&upload.file.path)
        .unwrap();
    file.set_len(max + 1).unwrap();
    let metadata = file.metadata().unwrap();
    upload.file.size_bytes = metadata.len();
    upload.file.modified = metadata
        .modified()
        .ok()
        .and_then(|time| time.try_into().ok());
    let before;
    let error = match bench.can().intake {
        Intake::UploadFirst | Intake::ThroughBucket => {
            before = bench.requests().len();
            let meter = Meter::default();
            let memo = Memo::forgetful();
            bench
                .provider
                .stage(&upload, &memo, &meter)
                .await
                .unwrap_err()
        }
        Intake::WithSubmission => {
            let submission = bench.submission_of(upload).await;
            before = bench.requests().len();
            let submitted = bench.submit(&bench.provider, &submission).await;
            submitted.outcome.unwrap_err()
        }
    };
    assert_eq!(error.kind(), ErrorKind::TooLarge, "{error:?}");
    assert_eq!(bench.requests().len(), before, "something was sent");
}

pub(crate) async fn staging_alone_sends_nothing(bench: &Bench) {
    let upload = bench.sample_upload();
    let meter = Meter::default();
    assert_unsupported(
        bench
            .provider
            .stage(&upload, &Memo::forgetful(), &meter)
            .await,
        "staging",
    );
    assert!(bench.requests().is_empty());
    assert_eq!(meter.moved_bytes(), 0);
}

pub(crate) async fn nasty_names_are_submitted(bench: &Bench) {
    // Fewer than the jobs a platform takes at once.
    for name in nasty_names() {
        let sample = bench.sample();
        let submission = bench
            .submission_of(bench.upload(&name, &sample.bytes))
            .await;
        let job = bench.submit(&bench.provider, &submission).await.outcome;
        let job = job.unwrap_or_else(|error| panic!("{name}: {error:?}"));
        let report = bench.settled(&job).await;
        assert_eq!(report.status, JobStatus::Succeeded, "{name}: {report:?}");
    }
}

/// Sends a file by the way this platform takes files.
async fn send(bench: &Bench, upload: Upload, meter: &Meter) -> Result<(), Error> {
    match bench.can().intake {
        Intake::UploadFirst | Intake::ThroughBucket => bench
            .provider
            .stage(&upload, &Memo::forgetful(), meter)
            .await
            .map(drop),
        Intake::WithSubmission => {
            let submission = bench.submission_of(upload).await;
            let (commit, mut requests) = labferry::net::commit_point::CommitPoint::new();
            let journal = async {
                while let Some((_draft, answer)) = requests.recv().await {
                    answer.send(()).ok();
                }
            };
            let client = Arc::clone(&bench.provider);
            tokio::select! {
                outcome = client.submit(&submission, &commit, meter) => outcome.map(drop),
                () = journal => std::future::pending().await,
            }
        }
    }
}

/// Nothing that could be run on: no job, no complete file in a list.
async fn assert_nothing_usable(bench: &Bench, when: &str) {
    assert_eq!(bench.jobs().await, 0, "{when}");
    if bench.can().browses_inputs {
        let top = bench.provider.browse(&Query::default()).await.unwrap();
        let ours = |item: &StagedFile| item.is_folder && item.name.contains("Plate 7");
        for item in top.items.into_iter().filter(ours) {
            let inside = Query {
                folder: Some(item.id),
                cursor: None,
                words: None,
            };
            let there = bench.provider.browse(&inside).await.unwrap();
            assert!(there.items.is_empty(), "{when}: {there:?}");
        }
    }
}

pub(crate) async fn a_changed_file_is_not_used(bench: &Bench) {
    type Change = fn(&Path);
    let changes: [(&str, Change); 4] = [
        ("longer", |path| {
            let mut file = OpenOptions::new().append(true).open(path).unwrap();
            file.write_all(b"more").unwrap();
        }),
        ("shorter", |path| {
            let file = OpenOptions::new().write(true).open(path).unwrap();
            file.set_len(3).unwrap();
        }),
        ("same length, later", |path| {
            let file = OpenOptions::new().write(true).open(path).unwrap();
            let later = file.metadata().unwrap().modified().unwrap() + Duration::from_secs(1);
            file.set_modified(later).unwrap();
        }),
        ("vanished", |path| std::fs::remove_file(path).unwrap()),
    ];
    for (when, change) in changes {
        let upload = bench.upload("picked.csv", b"a,b\n1,2\n");
        change(&upload.file.path);
        let error = send(bench, upload, &Meter::default()).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::LocalFile, "{when}: {error:?}");
        assert!(!error.is_retryable(), "{when}");
        assert!(error.submit_made_no_job(), "{when}");
        assert_nothing_usable(bench, when).await;
    }
}

/// The file grows while it is being sent: the platform must never have had a complete one.
pub(crate) async fn a_file_that_changes_on_its_way(bench: &Bench) {
    bench.set(&format!("slow@{}*1", bench.stand.upload));
    let upload = bench.upload("growing.bin", &vec![7; 24 * 1024 * 1024]);
    let path = upload.file.path.clone();
    let meter = Meter::default();
    let changing = async {
        while meter.done_bytes() == 0 {
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"more").unwrap();
        file.sync_all().unwrap();
    };
    let (outcome, ()) = tokio::join!(send(bench, upload, &meter), changing);
    let error = outcome.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LocalFile, "{error:?}");
    assert!(error.submit_made_no_job());
    assert_nothing_usable(bench, "after a change on the way").await;
}
