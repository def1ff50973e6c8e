//! A real engine against the sandbox, in a folder of its own.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use labferry::engine::clock::Clock;
use labferry::engine::command::Command;
use labferry::engine::pace::Pace;
use labferry::engine::place::Writes;
use labferry::engine::snapshot::{CheckState, Loadable, Phase, Snapshot};
use labferry::engine::{Engine, EngineOptions};
use labferry::model::batch::{BatchDraft, Target};
use labferry::model::connection::ConnectionDraft;
use labferry::model::form::Settings;
use labferry::model::ids::{ConnectionId, ProviderId};
use labferry::model::pipeline::Pipeline;
use labferry::model::provider::FanOut;
use labferry::model::secret::Secret;
use labferry::net::client::NetOptions;
use labferry::providers;
use labferry::sandbox::{Sandbox, SandboxOptions};
use labferry::store::folders::Folders;

/// No test waits longer than this for anything.
pub(crate) const DEADLINE: Duration = Duration::from_mins(1);

/// A sandbox whose jobs take a tenth of a second or so.
pub(crate) async fn sandbox() -> Sandbox {
    Sandbox::start(SandboxOptions {
        speed: 40.0,
        ..SandboxOptions::default()
    })
    .await
    .unwrap()
}

/// An engine with a data folder below `top`.
pub(crate) fn engine(top: &Path) -> Engine {
    Engine::start(options(top)).unwrap()
}

/// What [`engine`] starts with.
pub(crate) fn options(top: &Path) -> EngineOptions {
    EngineOptions {
        folders: Folders::below(&top.join("data")),
        keyring: false,
        environment: |name| {
            (name == "LABFERRY_KEY")
                .then(|| TEST_KEY.get().cloned())
                .flatten()
        },
        pace: Pace::TEST,
        clock: Clock::default(),
        home: Some(top.to_path_buf()),
        entries: providers::ALL,
        net: NetOptions::default(),
        crash_after_commits: None,
        keep_awake: false,
        writes: Writes::default(),
    }
}

/// What `LABFERRY_KEY` would hold: the key of connections whose secrets went with an earlier engine.
pub(crate) static TEST_KEY: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Waits until a snapshot satisfies `wanted`.
pub(crate) async fn wait(
    engine: &Engine,
    what: &str,
    wanted: impl Fn(&Snapshot) -> bool,
) -> Arc<Snapshot> {
    let mut snapshots = engine.subscribe();
    let found =
        tokio::time::timeout(DEADLINE, snapshots.wait_for(|snapshot| wanted(snapshot))).await;
    match found {
        Ok(Ok(snapshot)) => snapshot.clone(),
        Ok(Err(_)) => panic!("the engine ended before {what}"),
        Err(elapsed) => {
            let state = describe(&engine.snapshot());
            panic!("{what} did not come ({elapsed}); {state}")
        }
    }
}

/// A snapshot in a few lines, for a failed test.
pub(crate) fn describe(snapshot: &Snapshot) -> String {
    let mut text = format!("phase {:?}", snapshot.phase);
    for view in &snapshot.connections {
        text += &format!(
            "\n{} {:?} {:?}",
            view.connection.label, view.key, view.check
        );
    }
    for view in &snapshot.jobs {
        text += &format!(
            "\n{} {:?} {:?} {:?}",
            view.job.name, view.job.stage, view.job.report, view.job.error
        );
        for artifact in &view.artifacts {
            text += &format!("\n  {} {:?}", artifact.path, artifact.state);
        }
    }
    for notice in &snapshot.notices {
        text += &format!("\n! {} {:?}", notice.words.sentence(), notice.details);
    }
    text
}

/// Connects both platforms of the sandbox; returns their connections.
pub(crate) async fn connect(engine: &Engine, sandbox: &Sandbox) -> (ConnectionId, ConnectionId) {
    let imaging = connect_biodock(engine, sandbox).await;
    let institute = connect_analytics(engine, sandbox).await;
    (imaging, institute)
}

/// A text out of the line that `labferry sandbox` prints.
pub(crate) fn address(sandbox: &Sandbox, platform: &str, name: &str) -> String {
    let addresses = serde_json::to_value(sandbox.addresses()).unwrap();
    addresses[platform][name].as_str().unwrap().to_owned()
}

/// Connects a simulated platform with everything its demo fills in, under its own name.
pub(crate) async fn connect_demo(
    engine: &Engine,
    sandbox: &Sandbox,
    platform: &str,
) -> ConnectionId {
    let addresses = sandbox.addresses();
    let place = addresses
        .all()
        .iter()
        .find(|place| place.platform == platform);
    let label = place.map_or(platform, |place| place.name);
    connect_demo_as(engine, sandbox, platform, label).await
}

/// [`connect_demo`] under a label.
pub(crate) async fn connect_demo_as(
    engine: &Engine,
    sandbox: &Sandbox,
    platform: &str,
    label: &str,
) -> ConnectionId {
    let (draft, secrets) = demo_draft(sandbox, platform, label);
    save(engine, draft, secrets).await
}

/// What the demo of a platform fills in, under a label.
pub(crate) fn demo_draft(
    sandbox: &Sandbox,
    platform: &str,
    label: &str,
) -> (ConnectionDraft, Vec<(String, Secret)>) {
    let addresses = sandbox.addresses();
    let place = addresses
        .all()
        .iter()
        .find(|place| place.platform == platform)
        .unwrap_or_else(|| panic!("{platform} cannot be connected to"));
    let (secrets, open): (Vec<_>, Vec<_>) = place.entries.iter().partition(|entry| entry.is_secret);
    let draft = ConnectionDraft {
        provider: ProviderId::from(platform),
        label: label.to_owned(),
        entries: open
            .into_iter()
            .map(|entry| (entry.field.to_owned(), entry.value.clone()))
            .collect(),
    };
    let secrets = secrets.into_iter().map(|entry| {
        let secret = Secret::parse_key(&entry.value).unwrap();
        (entry.field.to_owned(), secret)
    });
    (draft, secrets.collect())
}

/// Connects the simulated Biodock as *Imaging core*.
pub(crate) async fn connect_biodock(engine: &Engine, sandbox: &Sandbox) -> ConnectionId {
    let key = Secret::parse_key(&address(sandbox, "biodock", "key")).unwrap();
    let draft = ConnectionDraft {
        provider: ProviderId::from("biodock"),
        label: "Imaging core".to_owned(),
        entries: [("url".to_owned(), address(sandbox, "biodock", "url"))].into(),
    };
    save(engine, draft, vec![("key".to_owned(), key)]).await
}

/// Connects the simulated Analytics Automated server as *Institute server*.
pub(crate) async fn connect_analytics(engine: &Engine, sandbox: &Sandbox) -> ConnectionId {
    let draft = ConnectionDraft {
        provider: ProviderId::from("analytics-automated"),
        label: "Institute server".to_owned(),
        entries: [
            (
                "url".to_owned(),
                address(sandbox, "analytics_automated", "url"),
            ),
            ("email".to_owned(), "someone@example.org".to_owned()),
        ]
        .into(),
    };
    save(engine, draft, Vec::new()).await
}

/// Saves a connection and waits until its platform has answered.
pub(crate) async fn save(
    engine: &Engine,
    draft: ConnectionDraft,
    secrets: Vec<(String, Secret)>,
) -> ConnectionId {
    let label = draft.label.clone();
    engine
        .send(Command::SaveConnection(draft, secrets))
        .unwrap();
    let snapshot = wait(engine, "the connection", |snapshot| {
        snapshot.connections.iter().any(|view| {
            view.connection.label == label
                && view.check == CheckState::Good
                && matches!(view.pipelines, Loadable::Ready(_))
        })
    })
    .await;
    let view = snapshot
        .connections
        .iter()
        .find(|view| view.connection.label == label);
    view.unwrap().connection.id
}

/// A target with the defaults of its form.
pub(crate) fn target(
    engine: &Engine,
    connection: ConnectionId,
    pipeline: &str,
    fan_out: FanOut,
) -> Target {
    let snapshot = engine.snapshot();
    let view = snapshot.connection(connection).unwrap();
    let Loadable::Ready(pipelines) = &view.pipelines else {
        panic!("no pipelines")
    };
    let pipeline = pipelines
        .iter()
        .find(|known| known.name == pipeline || known.id.as_str() == pipeline)
        .cloned()
        .unwrap_or_else(|| Pipeline::typed(pipeline));
    Target {
        sample_column: None,
        existing: Vec::new(),
        connection,
        pipeline,
        fan_out,
        settings: Settings::new(),
    }
}

/// Puts files into the draft and waits until they were looked at.
pub(crate) async fn add_files(engine: &Engine, paths: Vec<PathBuf>) {
    let before = engine.snapshot().draft.files.len();
    engine.send(Command::AddFiles(paths)).unwrap();
    wait(engine, "the files", |snapshot| {
        !snapshot.draft.scanning && snapshot.draft.files.len() > before
    })
    .await;
}

/// Sends the draft and waits until it is a batch.
pub(crate) async fn send(engine: &Engine, name: &str, into: &Path, targets: Vec<Target>) {
    let before = engine.snapshot().batches.len();
    let draft = BatchDraft {
        name: name.to_owned(),
        into: Some(into.to_path_buf()),
        targets,
    };
    engine.send(Command::SubmitBatch(draft)).unwrap();
    wait(engine, "the batch", |snapshot| {
        snapshot.batches.len() > before
    })
    .await;
}

/// Waits until no job goes on by itself.
pub(crate) async fn settled(engine: &Engine) -> Arc<Snapshot> {
    wait(engine, "the end of all jobs", |snapshot| {
        snapshot.phase == Phase::Running
            && !snapshot.jobs.is_empty()
            && snapshot.jobs.iter().all(|view| view.job.stage.is_settled())
    })
    .await
}
