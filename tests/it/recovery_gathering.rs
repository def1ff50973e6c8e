//! A pulled plug after every journal write of a job whose files go through a bucket: one input and one run are made at the
//! platform, whatever was on its way, and no file goes to the bucket twice once that is journalled.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};

use labferry::engine::command::{Command, Resolution};
use labferry::engine::snapshot::{Phase, Snapshot};
use labferry::engine::{Engine, EngineOptions};
use labferry::model::batch::BatchDraft;
use labferry::model::job::Stage;
use labferry::model::provider::FanOut;
use labferry::results::receipt::{self, Outcome};
use labferry::sandbox::{Sandbox, SandboxOptions};
use labferry::store::vault::session_variable;
use tokio::task::JoinSet;

use crate::harness::{DEADLINE, connect_demo_as, describe, options, target};

/// Engines at work at the same time.
const AT_ONCE: usize = 6;

const PLATFORM: &str = "code-ocean";

/// Keys by variable, as an environment would hold them: those in memory go with their engine.
static KEYS: Mutex<BTreeMap<String, String>> = Mutex::new(BTreeMap::new());

fn engine_with(top: &Path, crash_after_commits: Option<u64>) -> Engine {
    Engine::start(EngineOptions {
        environment: |name| KEYS.lock().unwrap().get(name).cloned(),
        crash_after_commits,
        ..options(top)
    })
    .unwrap()
}

/// Waits; nothing when the engine ended before.
async fn until(
    engine: &Engine,
    what: &str,
    is_wanted: impl Fn(&Snapshot) -> bool,
) -> Option<Arc<Snapshot>> {
    let mut snapshots = engine.subscribe();
    let waited = tokio::time::timeout(DEADLINE, snapshots.wait_for(|snapshot| is_wanted(snapshot)));
    match waited.await {
        Ok(Ok(snapshot)) => Some(snapshot.clone()),
        Ok(Err(_)) => None,
        Err(late) => panic!(
            "{what} did not come: {late}; {}",
            describe(&engine.snapshot())
        ),
    }
}

fn made(sandbox: &Sandbox, endpoint: &str) -> usize {
    let requests = sandbox.world().requests().at(endpoint);
    let good = |status: Option<u16>| matches!(status, Some(200 | 201));
    requests
        .iter()
        .filter(|request| good(request.status))
        .count()
}

/// One engine from its start to the end of the job; nothing when it crashed before.
async fn work(engine: &Engine, sandbox: &Sandbox, inputs: &[PathBuf]) -> Option<Arc<Snapshot>> {
    let snapshot = until(engine, "the start", |snapshot| {
        snapshot.phase == Phase::Running
    })
    .await?;
    if snapshot.batches.is_empty() {
        let connection = snapshot.connections[0].connection.id;
        let files = inputs.len();
        // What a crashed engine had in its draft is not in the journal.
        engine.send(Command::AddFiles(inputs.to_vec())).ok()?;
        until(engine, "the files", |snapshot| {
            !snapshot.draft.scanning && snapshot.draft.files.len() == files
        })
        .await?;
        engine.send(Command::CheckConnection(connection)).ok()?;
        until(engine, "the pipelines", |snapshot| {
            matches!(
                snapshot.connections[0].pipelines,
                labferry::engine::snapshot::Loadable::Ready(_)
            )
        })
        .await?;
        let draft = BatchDraft {
            name: "Plate 7".to_owned(),
            into: None,
            targets: vec![target(
                engine,
                connection,
                "Image statistics",
                FanOut::AllInOne,
            )],
        };
        engine.send(Command::SubmitBatch(draft)).ok()?;
    }
    loop {
        let snapshot = until(engine, "the end of the job", |snapshot| {
            !snapshot.jobs.is_empty()
                && snapshot.jobs.iter().all(|view| view.job.stage.is_settled())
        })
        .await?;
        let job = &snapshot.jobs[0].job;
        if job.stage != Stage::Unconfirmed {
            return Some(snapshot);
        }
        // Only a submission that never arrived leaves nothing that fits.
        assert!(job.candidates.is_empty(), "{}", describe(&snapshot));
        assert_eq!(made(sandbox, "code_ocean.submit"), 0);
        let decision = Command::ResolveUnconfirmed(job.id, Resolution::SendAgain);
        engine.send(decision).ok()?;
        until(engine, "the decision", |snapshot| {
            snapshot.jobs[0].job.stage != Stage::Unconfirmed
        })
        .await?;
    }
}

/// One story with a crash after so many commits; whether it came to that.
async fn story(crash_after: u64) -> bool {
    let top = tempfile::tempdir().unwrap();
    let sandbox = Sandbox::start(SandboxOptions {
        speed: 40.0,
        ..SandboxOptions::default()
    })
    .await
    .unwrap();
    let addresses = sandbox.addresses();
    let secret = |field: &str| addresses.entry(PLATFORM, field);
    let lines = [secret("key"), secret("access_key"), secret("secret_key")].join("\n");
    let inputs: Vec<PathBuf> = (0..2_u32)
        .map(|number| {
            let path = top.path().join(format!("A{number} #50% 世界.png"));
            let picture = image::GrayImage::from_pixel(16, 16, image::Luma([20]));
            picture.save(&path).unwrap();
            path
        })
        .collect();
    let first = engine_with(top.path(), None);
    let label = format!("Capsules {crash_after}");
    connect_demo_as(&first, &sandbox, PLATFORM, &label).await;
    first.shutdown();
    KEYS.lock().unwrap().insert(session_variable(&label), lines);
    let mut crashed = false;
    let mut planned = Some(crash_after);
    let snapshot = loop {
        let engine = engine_with(top.path(), planned);
        let last = work(&engine, &sandbox, &inputs).await;
        engine.shutdown();
        if let Some(snapshot) = last {
            break snapshot;
        }
        assert!(planned.is_some(), "an engine ended unasked");
        crashed = true;
        planned = None;
    };
    assert_eq!(
        snapshot.jobs[0].job.stage,
        Stage::Done,
        "after {crash_after}: {}",
        describe(&snapshot)
    );
    assert_eq!(
        made(&sandbox, "code_ocean.submit"),
        1,
        "after {crash_after}"
    );
    assert_eq!(
        made(&sandbox, "code_ocean.create-asset"),
        1,
        "after {crash_after}"
    );
    let checked = receipt::check(&snapshot.batches[0].folder).unwrap();
    assert!(
        !checked.is_empty() && checked.iter().all(|file| file.outcome == Outcome::Same),
        "after {crash_after}: {checked:?}"
    );
    crashed
}

#[tokio::test(flavor = "multi_thread")]
async fn a_crash_while_gathering_makes_one_input_and_one_run() {
    let mut stories = JoinSet::new();
    let mut next = 1_u64;
    let mut crashed = 0_usize;
    let mut goes_on = true;
    while goes_on || !stories.is_empty() {
        while goes_on && stories.len() < AT_ONCE {
            stories.spawn(story(next));
            next += 1;
        }
        if let Some(ended) = stories.join_next().await {
            if ended.unwrap() {
                crashed += 1;
            } else {
                goes_on = false;
            }
        }
    }
    assert!(crashed > 8, "only {crashed} crashes");
}
