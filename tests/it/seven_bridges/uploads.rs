//! Files on their way there.

use std::sync::{Arc, Mutex};

use labferry::model::error::{ErrorKind, Result};
use labferry::model::meter::Meter;
use labferry::model::remote::{Query, StagedFile, Upload};
use labferry::net::keep::Keep;

use crate::net::content;
use crate::seven_bridges::{Bench, FOLDER, keeping};

/// Small parts, so that small files have many.
const PARTS: [&str; 2] = ["sb.min-part=1000", "sb.part-size=100000"];

async fn bench(faults: &[&str]) -> Bench {
    let faults: Vec<&str> = PARTS.iter().chain(faults).copied().collect();
    Bench::start(&faults).await
}

/// Stages with a journal that remembers `kept`.
async fn stage_kept(
    bench: &Bench,
    upload: &Upload,
    kept: &Arc<Mutex<Option<String>>>,
    meter: &Meter,
) -> Result<StagedFile> {
    let (keep, wishes) = Keep::new(kept.lock().unwrap().clone());
    tokio::select! {
        outcome = bench.provider.stage(upload, &keep, meter) => outcome,
        () = keeping(wishes, Arc::clone(kept)) => panic!("it never ends"),
    }
}

/// What is in the folder of the batch, as name and size.
async fn there(bench: &Bench) -> Vec<(String, Option<u64>)> {
    let top = bench.provider.browse(&Query::default()).await.unwrap();
    let folders: Vec<&StagedFile> = top
        .items
        .iter()
        .filter(|file| file.name == FOLDER)
        .collect();
    assert_eq!(folders.len(), 1, "one folder a batch");
    let query = Query {
        folder: Some(folders[0].id.clone()),
        ..Query::default()
    };
    let page = bench.provider.browse(&query).await.unwrap();
    page.items
        .into_iter()
        .map(|file| (file.name, file.size_bytes))
        .collect()
}

/// Whether the bytes at the platform are these.
async fn is_there(bench: &Bench, staged: &StagedFile, bytes: &[u8]) -> bool {
    let output = labferry::model::remote::Output {
        id: staged.id.clone(),
        name: staged.name.clone(),
        size_bytes: staged.size_bytes,
        sha256: None,
        on_request: false,
        unpack: false,
    };
    let job = labferry::model::remote::RemoteJob {
        id: String::new(),
        web_page: None,
        memo: String::new(),
    };
    bench.fetch(&job, &output).await.unwrap() == bytes
}

#[tokio::test]
async fn files_of_every_size_arrive_whole_in_the_batchs_folder() {
    for setting in [
        "sb.parallel-uploads=yes",
        "sb.parallel-uploads=no",
        "sb.part-headers=some",
        "sb.expires=number",
        "sb.success-codes=top",
        "sb.group-report=refused",
        "sb.report-check=at-once",
    ] {
        let bench = bench(&[setting]).await;
        for (name, length) in [
            ("empty #1.txt", 0),
            ("one 100%.bin", 1),
            ("part.bin", 100_000),
            ("a 世界 \"b\"'.fastq.gz", 100_001),
            ("many.bin", 1_234_567),
        ] {
            let bytes = content(length);
            let upload = bench.file(name, &bytes);
            let meter = Meter::default();
            let keep = Keep::forgetful();
            let staged = bench.provider.stage(&upload, &keep, &meter).await.unwrap();
            assert_eq!(staged.name, name);
            assert_eq!(staged.size_bytes, Some(length as u64));
            assert_eq!(staged.sha256.as_ref().map(String::len), Some(64));
            assert_eq!(
                (meter.done_bytes(), meter.total_bytes()),
                (length as u64, length as u64)
            );
            assert!(is_there(&bench, &staged, &bytes).await, "{setting} {name}");
        }
        assert_eq!(there(&bench).await.len(), 5);
        let at_storage = bench.sandbox.world().requests().at_storage();
        assert!(at_storage.iter().all(|record| !record.carried_key));
        assert_eq!(bench.count("sb.create-folder"), 1);
    }
}

#[tokio::test]
async fn parts_are_reported_together_where_that_is_taken() {
    let bench = bench(&[]).await;
    let upload = bench.file("a.bin", &content(1_000_000));
    bench.stage(&upload).await.unwrap();
    assert_eq!(bench.count("sb.part"), 10);
    assert!(bench.count("sb.report-parts") + bench.count("sb.report-part") <= 3);
}

#[tokio::test]
async fn uploads_side_by_side_share_one_folder() {
    let bench = bench(&[]).await;
    let uploads: Vec<Upload> = (0..6)
        .map(|number| bench.file(&format!("{number}.bin"), &content(150_000 + number)))
        .collect();
    let staged = futures_util::future::join_all(uploads.iter().map(|upload| bench.stage(upload)));
    for (upload, staged) in uploads.iter().zip(staged.await) {
        let bytes = std::fs::read(&upload.file.path).unwrap();
        assert!(is_there(&bench, &staged.unwrap(), &bytes).await);
    }
    assert_eq!(there(&bench).await.len(), 6);
}

#[tokio::test]
async fn a_stopped_upload_goes_on_where_the_server_has_it() {
    let bench = bench(&["slow@storage.sb-part"]).await;
    let bytes = content(2_500_000);
    let upload = bench.file("a.bin", &bytes);
    let kept = Arc::new(Mutex::new(None));
    let meter = Meter::default();
    let stop = async {
        while bench.count("sb.report-parts") == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        meter.stop();
        std::future::pending::<()>().await;
    };
    let outcome = tokio::select! {
        outcome = stage_kept(&bench, &upload, &kept, &meter) => outcome,
        () = stop => panic!("it never ends"),
    };
    assert!(outcome.is_err());
    assert_eq!(bench.count("sb.abort-upload"), 0, "it can be gone on with");
    assert!(kept.lock().unwrap().is_some());
    bench.clear();
    let before = bench.count("storage.sb-part");
    let meter = Meter::default();
    let staged = stage_kept(&bench, &upload, &kept, &meter).await.unwrap();
    let again = bench.count("storage.sb-part") - before;
    assert!(
        again <= 22 && again > 0,
        "{again} of 25 parts were sent again"
    );
    assert!(is_there(&bench, &staged, &bytes).await);
    assert_eq!(bench.count("sb.start-upload"), 1);
}

#[tokio::test]
async fn an_upload_stopped_for_good_is_given_up() {
    let bench = bench(&["slow@storage.sb-part"]).await;
    let upload = bench.file("a.bin", &content(2_500_000));
    let meter = Meter::default();
    let stop = async {
        while meter.done_bytes() == 0 {
            tokio::time::sleep(std::time::Duration::from_millis(2)).await;
        }
        meter.stop_for_good();
    };
    let keep = Keep::forgetful();
    let (outcome, ()) = tokio::join!(bench.provider.stage(&upload, &keep, &meter), stop);
    assert!(outcome.is_err());
    assert_eq!(bench.count("sb.abort-upload"), 1);
    assert!(there(&bench).await.is_empty());
}

#[tokio::test]
async fn a_file_that_changed_is_given_up_and_sent_anew_when_picked_again() {
    let bench = bench(&[]).await;
    let kept = Arc::new(Mutex::new(None));
    let mut upload = bench.file("a.bin", &content(500_000));
    // Changed between the pick and the upload: nothing is sent of it.
    upload.file.size_bytes += 1;
    let meter = Meter::default();
    let error = stage_kept(&bench, &upload, &kept, &meter)
        .await
        .unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LocalFile);
    // Picked again, with what was kept of the other one.
    let upload = bench.file("a.bin", &content(400_000));
    let staged = stage_kept(&bench, &upload, &kept, &Meter::default()).await;
    assert!(is_there(&bench, &staged.unwrap(), &content(400_000)).await);
    assert_eq!(there(&bench).await.len(), 1);
    assert_eq!(bench.count("sb.start-upload"), 2);
    // Once when it was found out, and once more by the attempt that knew only what was kept.
    assert_eq!(bench.count("sb.abort-upload"), 2);
}

#[tokio::test]
async fn addresses_of_parts_expire_and_connections_break() {
    for fault in [
        "expired-link@storage.sb-part*2",
        "server-error@storage.sb-part*2",
        "lost-answer@storage.sb-part*2",
        "refuse-before@storage.sb-part*2",
        "server-error@sb.part*2",
        "lost-answer@sb.report-parts*1",
        "server-error@sb.start-upload*1",
    ] {
        let bench = bench(&[fault]).await;
        let bytes = content(750_000);
        let upload = bench.file("a.bin", &bytes);
        let meter = Meter::default();
        let keep = Keep::forgetful();
        let staged = bench.provider.stage(&upload, &keep, &meter);
        let staged = staged
            .await
            .unwrap_or_else(|error| panic!("{fault}: {error:?}"));
        assert!(is_there(&bench, &staged, &bytes).await, "{fault}");
        assert_eq!(meter.done_bytes(), 750_000);
        assert_eq!(there(&bench).await.len(), 1);
    }
}

#[tokio::test]
async fn completing_is_repeated_looked_up_or_begun_anew() {
    for (fault, starts, completes) in [
        ("sb.lose-part=3", 1, 2),
        ("lost-answer@sb.complete-upload*1", 1, 1),
        ("refuse-before@sb.complete-upload*1", 1, 2),
        ("server-error@sb.complete-upload*1", 1, 2),
        ("garbled@sb.complete-upload*1", 1, 1),
    ] {
        let bench = bench(&[fault]).await;
        let bytes = content(750_000);
        let upload = bench.file("a.bin", &bytes);
        let staged = bench.stage(&upload).await;
        let staged = staged.unwrap_or_else(|error| panic!("{fault}: {error:?}"));
        assert!(is_there(&bench, &staged, &bytes).await, "{fault}");
        assert_eq!(there(&bench).await.len(), 1, "{fault}");
        assert_eq!(bench.count("sb.start-upload"), starts, "{fault}");
        let done = bench.count("sb.complete-upload");
        assert!(
            done >= completes && done <= completes + 1,
            "{fault}: {done}"
        );
    }
    // What never works ends, and says so.
    let bench = bench(&["sb.complete=fails"]).await;
    let error = bench.stage(&bench.file("a.bin", b"abc")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerFault);
    assert_eq!(
        bench.count("sb.start-upload"),
        bench.count("sb.abort-upload")
    );
}

#[tokio::test]
async fn a_completed_upload_whose_answer_never_came_is_recognized() {
    let bench = bench(&[]).await;
    let kept = Arc::new(Mutex::new(None));
    let upload = bench.file("a.bin", &content(250_000));
    let first = stage_kept(&bench, &upload, &kept, &Meter::default()).await;
    let second = stage_kept(&bench, &upload, &kept, &Meter::default()).await;
    assert_eq!(first.unwrap(), second.unwrap());
    assert_eq!(bench.count("sb.start-upload"), 1);
}

#[tokio::test]
async fn a_name_that_is_taken_gets_a_number_and_nothing_is_overwritten() {
    let bench = bench(&[]).await;
    let first = bench
        .stage(&bench.file("a.fastq.gz", b"one"))
        .await
        .unwrap();
    let other = bench.file("a.fastq.gz", b"two");
    let second = bench.stage(&other).await.unwrap();
    assert_eq!(second.name, "a-2.fastq.gz");
    assert!(is_there(&bench, &first, b"one").await);
    assert!(is_there(&bench, &second, b"two").await);
}

#[tokio::test]
async fn what_is_known_about_the_sample_is_written_to_the_file() {
    let bench = bench(&[]).await;
    let mut upload = bench.table("a.csv");
    upload
        .metadata
        .insert("sample id".to_owned(), "S 1 世界".to_owned());
    upload.metadata.insert("well".to_owned(), String::new());
    bench.stage(&upload).await.unwrap();
    assert_eq!(bench.count("sb.change-metadata"), 1);
    bench.stage(&bench.table("b.csv")).await.unwrap();
    assert_eq!(bench.count("sb.change-metadata"), 1, "nothing to say");
}

#[tokio::test]
async fn a_project_one_may_only_look_at_says_so() {
    let bench = Bench::in_project(&[], "john_doe/look-but-do-not-touch").await;
    let error = bench.stage(&bench.table("a.csv")).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Forbidden);
}
