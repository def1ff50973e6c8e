//! Uploads in parts that are interrupted and gone on with.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use labferry::model::error::ErrorKind;
use labferry::model::meter::Meter;
use labferry::model::remote::{StagedFile, Upload};
use labferry::net::keep::Keep as Memo;
use labferry::providers::Provider;

use crate::bench::Bench;
use crate::stands::Parts;

/// How many parts the file has; the last one is short.
const PARTS: u64 = 40;

fn several_parts(bench: &Bench, parts: Parts) -> Upload {
    for setting in parts.settings {
        bench.set(setting);
    }
    let length = (PARTS - 1) * parts.bytes + parts.bytes / 3;
    let bytes: Vec<u8> = (0..length).map(|place| (place % 251) as u8).collect();
    bench.upload("several parts.bin", &bytes)
}

/// Uploads with a journal; what is kept last survives a drop of the future.
async fn stage(
    client: &Arc<dyn Provider>,
    upload: &Upload,
    kept: &Arc<Mutex<Option<String>>>,
    meter: &Meter,
) -> Result<StagedFile, labferry::model::error::Error> {
    let (memo, mut wishes) = Memo::new(kept.lock().unwrap().clone());
    let journal = async {
        while let Some((text, answer)) = wishes.recv().await {
            *kept.lock().unwrap() = Some(text);
            answer.send(()).ok();
        }
    };
    tokio::select! {
        outcome = client.stage(upload, &memo, meter) => outcome,
        () = journal => std::future::pending().await,
    }
}

/// The bytes that arrived as parts.
fn arrived(bench: &Bench, parts: Parts) -> u64 {
    let requests = bench.sandbox.world().requests().at(parts.endpoint);
    let bytes = requests.iter().filter(|request| request.method == "PUT");
    bytes.map(|request| request.body_bytes).sum()
}

/// The program is ended twice on the way; each time what had arrived is not sent again, but for the parts in flight.
pub(crate) async fn an_interrupted_upload_goes_on(bench: &Bench) {
    let parts = bench.stand.parts.unwrap();
    let upload = several_parts(bench, parts);
    let size = upload.file.size_bytes;
    let kept = Arc::new(Mutex::new(None));
    for share in [14, 28] {
        let meter = Meter::default();
        let far = async {
            while meter.done_bytes() < share * parts.bytes {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        };
        let client = bench.client();
        tokio::select! {
            outcome = stage(&client, &upload, &kept, &meter) => {
                panic!("over before it was interrupted: {outcome:?}")
            }
            () = far => {}
        }
        assert!(kept.lock().unwrap().is_some(), "nothing was journalled");
    }
    let meter = Meter::default();
    let staged = stage(&bench.client(), &upload, &kept, &meter).await;
    let staged = staged.unwrap();
    assert!(staged.sha256.is_some(), "{staged:?}");
    assert_eq!(meter.done_bytes(), size);
    assert!(meter.moved_bytes() < size, "all was sent again");
    let arrived = arrived(bench, parts);
    let most = size + 2 * parts.in_flight * parts.bytes;
    assert!(arrived >= size && arrived <= most, "{arrived} of {size}");
}

/// A file that is not the one the upload began with starts anew and is whole.
pub(crate) async fn a_changed_file_is_not_gone_on_with(bench: &Bench) {
    let parts = bench.stand.parts.unwrap();
    let upload = several_parts(bench, parts);
    let kept = Arc::new(Mutex::new(None));
    let meter = Meter::default();
    let far = async {
        while meter.done_bytes() < 3 * parts.bytes {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let client = bench.client();
    tokio::select! {
        outcome = stage(&client, &upload, &kept, &meter) => panic!("{outcome:?}"),
        () = far => {}
    }
    let other = vec![7; usize::try_from(upload.file.size_bytes).unwrap()];
    let mut other = bench.upload("several parts.bin", &other);
    std::fs::rename(&other.file.path, &upload.file.path).unwrap();
    other.file.path = upload.file.path.clone();
    let meter = Meter::default();
    match stage(&bench.client(), &other, &kept, &meter).await {
        Ok(_) => assert!(
            meter.moved_bytes() >= other.file.size_bytes,
            "mixed of two files"
        ),
        Err(error) => assert_eq!(error.kind(), ErrorKind::LocalFile, "{error:?}"),
    }
}

/// What the platform forgot meanwhile is begun again, not complained about.
pub(crate) async fn a_forgotten_upload_begins_again(bench: &Bench) {
    let parts = bench.stand.parts.unwrap();
    let upload = several_parts(bench, parts);
    let kept = Arc::new(Mutex::new(None));
    let staged = stage(&bench.client(), &upload, &kept, &Meter::default()).await;
    staged.unwrap();
    // Completed, so that the upload of that name is gone; only the journal does not know it.
    let meter = Meter::default();
    let staged = stage(&bench.client(), &upload, &kept, &meter).await;
    let staged = staged.unwrap();
    assert!(staged.sha256.is_some(), "{staged:?}");
}

/// Each part may fail in its own way, and is sent again alone.
pub(crate) async fn a_part_that_fails_is_sent_again(bench: &Bench) {
    let parts = bench.stand.parts.unwrap();
    for fault in [
        "expired-link",
        "server-error",
        "refuse-before",
        "lost-answer",
    ] {
        let upload = several_parts(bench, parts);
        let before = arrived(bench, parts);
        let text = format!("{fault}@{}*2", parts.endpoint);
        if bench.sandbox.world().faults().add(&text).is_err() {
            // A fault this storage does not know.
            continue;
        }
        let kept = Arc::new(Mutex::new(None));
        let meter = Meter::default();
        let staged = stage(&bench.client(), &upload, &kept, &meter).await;
        staged.unwrap_or_else(|error| panic!("{fault}: {error:?}"));
        bench.clear();
        assert_eq!(meter.done_bytes(), upload.file.size_bytes, "{fault}");
        let arrived = arrived(bench, parts) - before;
        let most = upload.file.size_bytes + 2 * parts.bytes;
        assert!(arrived <= most, "{fault}: {arrived} of {most}");
    }
}
