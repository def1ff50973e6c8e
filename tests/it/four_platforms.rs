//! One set of files, several platforms: each goes on when another fails or waits, files go to each once, and only what
//! failed is tried again.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use labferry::engine::Engine;
use labferry::engine::command::Command;
use labferry::engine::snapshot::Snapshot;
use labferry::model::batch::Target;
use labferry::model::ids::ConnectionId;
use labferry::model::job::Stage;
use labferry::model::provider::FanOut;
use labferry::results::receipt::{self, Outcome};
use labferry::sandbox::Sandbox;

use crate::harness::{
    add_files, connect_demo, describe, engine, sandbox, send, settled, target, wait,
};

struct Bench {
    top: tempfile::TempDir,
    sandbox: Sandbox,
    engine: Engine,
    /// The connections, by the platform's word.
    connections: BTreeMap<&'static str, ConnectionId>,
}

impl Bench {
    /// An engine connected to every platform of the sandbox.
    async fn new() -> Self {
        let top = tempfile::tempdir().unwrap();
        let sandbox = sandbox().await;
        let engine = engine(top.path());
        let mut connections = BTreeMap::new();
        let platforms: Vec<&str> = sandbox
            .addresses()
            .all()
            .iter()
            .map(|place| place.platform)
            .collect();
        for platform in platforms {
            let id = connect_demo(&engine, &sandbox, platform).await;
            connections.insert(platform, id);
        }
        Self {
            top,
            sandbox,
            engine,
            connections,
        }
    }

    fn target(&self, platform: &str, pipeline: &str, fan_out: FanOut) -> Option<Target> {
        let connection = *self.connections.get(platform)?;
        Some(target(&self.engine, connection, pipeline, fan_out))
    }

    /// A pipeline of each platform that works.
    fn targets(&self) -> Vec<Target> {
        [
            ("biodock", "Nuclei count", FanOut::AllInOne),
            ("code-ocean", "Image statistics", FanOut::AllInOne),
            ("seven-bridges", "Exit with code", FanOut::AllInOne),
            ("analytics-automated", "wordcount", FanOut::OnePerFile),
        ]
        .into_iter()
        .filter_map(|(platform, pipeline, fan_out)| self.target(platform, pipeline, fan_out))
        .collect()
    }

    async fn send(&self, targets: Vec<Target>) {
        let folder = self.top.path().join("plate 7 #50% 世界");
        std::fs::create_dir_all(&folder).unwrap();
        let paths: Vec<PathBuf> = (0..2)
            .map(|number| {
                let picture = image::GrayImage::from_fn(64, 64, |x, y| {
                    let bright = x.abs_diff(20).pow(2) + y.abs_diff(30 + number).pow(2) < 60;
                    image::Luma([if bright { 220 } else { 20 }])
                });
                let path = folder.join(format!("A{number}.png"));
                picture.save(&path).unwrap();
                path
            })
            .collect();
        add_files(&self.engine, paths).await;
        let results = self.top.path().join("results");
        send(&self.engine, "Plate 7", &results, targets).await;
    }

    fn made(&self, endpoint: &str) -> usize {
        let requests = self.sandbox.world().requests().at(endpoint);
        let good = |status: Option<u16>| matches!(status, Some(200 | 201));
        requests
            .iter()
            .filter(|request| good(request.status))
            .count()
    }

    fn stages(&self, snapshot: &Snapshot, platform: &str) -> Vec<Stage> {
        snapshot
            .jobs
            .iter()
            .filter(|view| Some(&view.job.connection) == self.connections.get(platform))
            .map(|view| view.job.stage)
            .collect()
    }
}

fn all_done(snapshot: &Arc<Snapshot>) {
    for view in &snapshot.jobs {
        assert_eq!(view.job.stage, Stage::Done, "{}", describe(snapshot));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_batch_over_all_platforms_ends_with_everything_in_the_receipt() {
    let bench = Bench::new().await;
    let mut targets = bench.targets();
    // The same files once more over one of the connections.
    targets.extend(bench.target("biodock", "Nuclei count", FanOut::OnePerFile));
    bench.send(targets).await;
    let snapshot = settled(&bench.engine).await;
    all_done(&snapshot);
    assert_eq!(bench.made("biodock.upload"), 2, "each file goes there once");
    let batch = &snapshot.batches[0];
    let checked = receipt::check(&batch.folder).unwrap();
    assert!(
        checked.iter().all(|file| file.outcome == Outcome::Same),
        "{checked:?}"
    );
    for view in snapshot
        .jobs
        .iter()
        .filter(|view| !view.artifacts.is_empty())
    {
        let folder = format!("{}/", view.job.folder);
        assert!(
            checked.iter().any(|file| file.path.starts_with(&folder)),
            "nothing of {folder} is in the receipt"
        );
    }
    bench.engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_others_go_on_when_one_fails_and_only_that_is_tried_again() {
    let bench = Bench::new().await;
    let mut targets = bench.targets();
    targets.retain(|target| target.pipeline.name != "Image statistics");
    targets.extend(bench.target("code-ocean", "Always fails", FanOut::AllInOne));
    bench.send(targets).await;
    let snapshot = settled(&bench.engine).await;
    for view in &snapshot.jobs {
        let failing = view.job.pipeline.name == "Always fails";
        let expected = if failing { Stage::Failed } else { Stage::Done };
        assert_eq!(view.job.stage, expected, "{}", describe(&snapshot));
    }
    let counted = |endpoints: &[&str]| -> Vec<usize> {
        endpoints
            .iter()
            .map(|endpoint| bench.made(endpoint))
            .collect()
    };
    let others = ["biodock.submit", "aa.submit", "biodock.upload"];
    let before = counted(&others);
    let assets = bench.made("code_ocean.create-asset");
    let batch = snapshot.batches[0].id;
    bench.engine.send(Command::RetryFailed(batch)).unwrap();
    wait(&bench.engine, "the second run", |snapshot| {
        bench.made("code_ocean.submit") == 2
            && snapshot.jobs.iter().all(|view| view.job.stage.is_settled())
    })
    .await;
    assert_eq!(counted(&others), before, "only what failed is sent again");
    assert_eq!(
        bench.made("code_ocean.create-asset"),
        assets,
        "its files are there already"
    );
    bench.engine.shutdown();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_waits_for_a_person_does_not_hold_the_others() {
    let bench = Bench::new().await;
    let faults = bench.sandbox.world().faults();
    faults.add("unauthorized@code_ocean.submit").unwrap();
    bench.send(bench.targets()).await;
    let snapshot = wait(&bench.engine, "the others", |snapshot| {
        snapshot
            .jobs
            .iter()
            .all(|view| view.job.stage == Stage::Done || view.waits_for_person)
    })
    .await;
    let waiting: Vec<_> = snapshot
        .jobs
        .iter()
        .filter(|view| view.waits_for_person)
        .map(|view| view.job.pipeline.name.as_str())
        .collect();
    assert_eq!(waiting, ["Image statistics"], "{}", describe(&snapshot));
    assert_eq!(bench.stages(&snapshot, "biodock"), [Stage::Done]);
    // Once the key works again, it goes on by itself.
    faults.clear();
    let connection = bench.connections["code-ocean"];
    bench
        .engine
        .send(Command::CheckConnection(connection))
        .unwrap();
    all_done(&settled(&bench.engine).await);
    bench.engine.shutdown();
}
