//! An engine with little patience, a sandbox, and small files to send.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use labferry::engine::command::Command;
use labferry::engine::snapshot::{JobView, Snapshot};
use labferry::engine::{Engine, EngineOptions};
use labferry::model::batch::Target;
use labferry::model::ids::ConnectionId;
use labferry::model::job::Stage;
use labferry::model::notice::{About, Notice};
use labferry::model::provider::FanOut;
use labferry::net::client::{NetOptions, Patience};
use labferry::net::retry::RetryPolicy;
use labferry::providers::{self, Entry};
use labferry::results::receipt::{self, Outcome};
use labferry::sandbox::{Sandbox, SandboxOptions};
use tempfile::TempDir;

use crate::harness::{
    add_files, connect_analytics, connect_biodock, describe, options, send, settled, target, wait,
};

pub(super) struct Bench {
    pub(super) engine: Engine,
    pub(super) sandbox: Sandbox,
    pub(super) top: TempDir,
}

impl Bench {
    pub(super) async fn start() -> Self {
        Self::with(providers::ALL, 40.0).await
    }

    pub(super) async fn with(entries: &'static [Entry], speed: f64) -> Self {
        let top = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::start(SandboxOptions {
            speed,
            ..SandboxOptions::default()
        })
        .await
        .unwrap();
        let patience = Duration::from_secs(3);
        let engine = Engine::start(EngineOptions {
            entries,
            net: NetOptions {
                patience: Patience {
                    connect: patience,
                    answer: patience,
                    idle: patience,
                    after_upload: patience,
                },
                retry: RetryPolicy::tiny(),
                ..NetOptions::default()
            },
            ..options(top.path())
        })
        .unwrap();
        Self {
            engine,
            sandbox,
            top,
        }
    }

    pub(super) fn fault(&self, text: &str) {
        self.sandbox.world().faults().add(text).unwrap();
    }

    pub(super) fn count(&self, endpoint: &str) -> usize {
        self.sandbox.world().requests().count(endpoint)
    }

    /// Requests at an endpoint that made something.
    pub(super) fn made(&self, endpoint: &str) -> usize {
        let requests = self.sandbox.world().requests().at(endpoint);
        let made = |status: Option<u16>| matches!(status, Some(200 | 201));
        requests
            .iter()
            .filter(|request| made(request.status))
            .count()
    }

    /// Small texts with nasty names.
    pub(super) fn texts(&self, count: usize) -> Vec<PathBuf> {
        let folder = self.top.path().join("a b #1 100%");
        std::fs::create_dir_all(&folder).unwrap();
        let paths = (0..count).map(|number| {
            let path = folder.join(format!("probe '{number}' 世界.txt"));
            if !path.exists() {
                write(&path, format!("pear {number}\napple\n").as_bytes());
            }
            path
        });
        paths.collect()
    }

    /// A small picture with something in it.
    pub(super) fn picture(&self) -> Vec<PathBuf> {
        let picture = image::GrayImage::from_fn(64, 64, |x, y| {
            let bright = x.abs_diff(20).pow(2) + y.abs_diff(30).pow(2) < 60;
            image::Luma([if bright { 220 } else { 20 }])
        });
        let path = self.top.path().join("A1.png");
        picture.save(&path).unwrap();
        vec![path]
    }

    pub(super) async fn send(&self, files: Vec<PathBuf>, targets: Vec<Target>) {
        add_files(&self.engine, files).await;
        send(
            &self.engine,
            "Plate 7",
            &self.top.path().join("results"),
            targets,
        )
        .await;
    }

    /// One picture to Biodock.
    pub(super) async fn imaging(&self) -> ConnectionId {
        let id = connect_biodock(&self.engine, &self.sandbox).await;
        let target = target(
            &self.engine,
            id,
            "64f1a2b3c4d5e6f708192a3b",
            FanOut::AllInOne,
        );
        self.send(self.picture(), vec![target]).await;
        id
    }

    /// Some texts to Analytics Automated.
    pub(super) async fn institute(&self, pipeline: &str, files: usize) -> ConnectionId {
        let id = connect_analytics(&self.engine, &self.sandbox).await;
        let target = target(&self.engine, id, pipeline, FanOut::OnePerFile);
        self.send(self.texts(files), vec![target]).await;
        id
    }

    /// One picture to both.
    pub(super) async fn both(&self) -> (ConnectionId, ConnectionId) {
        let imaging = connect_biodock(&self.engine, &self.sandbox).await;
        let institute = connect_analytics(&self.engine, &self.sandbox).await;
        let targets = vec![
            target(
                &self.engine,
                imaging,
                "64f1a2b3c4d5e6f708192a3b",
                FanOut::AllInOne,
            ),
            target(&self.engine, institute, "zipresults", FanOut::OnePerFile),
        ];
        self.send(self.picture(), targets).await;
        (imaging, institute)
    }

    pub(super) async fn settled(&self) -> Arc<Snapshot> {
        let snapshot = settled(&self.engine).await;
        for notice in &snapshot.notices {
            assert_says_three_things(notice);
        }
        snapshot
    }

    /// Waits until every job has this stage.
    pub(super) async fn all(&self, stage: Stage) -> Arc<Snapshot> {
        wait(&self.engine, stage.word(), |snapshot| {
            !snapshot.jobs.is_empty() && snapshot.jobs.iter().all(|view| view.job.stage == stage)
        })
        .await
    }

    /// Waits for the end and holds that all is well and nothing half there.
    pub(super) async fn all_done(&self) -> Arc<Snapshot> {
        let snapshot = self.settled().await;
        for view in &snapshot.jobs {
            assert_eq!(view.job.stage, Stage::Done, "{}", describe(&snapshot));
        }
        folder_is_same(&snapshot);
        snapshot
    }

    pub(super) fn command(&self, command: Command) {
        self.engine.send(command).unwrap();
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.engine.shutdown();
    }
}

pub(super) fn write(path: &Path, bytes: &[u8]) {
    std::io::Write::write_all(&mut std::fs::File::create(path).unwrap(), bytes).unwrap();
}

pub(super) fn assert_says_three_things(notice: &Notice) {
    let words = &notice.words;
    for sentence in [&words.what, &words.did, &words.next] {
        assert!(!sentence.trim().is_empty(), "{notice:?}");
        assert!(
            !sentence.contains("X-Amz") && !sentence.contains("ErrorKind"),
            "{notice:?}"
        );
    }
}

pub(super) fn notices_about(snapshot: &Snapshot, about: About) -> Vec<&Notice> {
    let notices = snapshot.notices.iter().map(AsRef::as_ref);
    notices.filter(|notice| notice.about == about).collect()
}

/// Holds the batch's folder against its receipt; how many files there are.
pub(super) fn folder_is_same(snapshot: &Snapshot) -> usize {
    let checked = receipt::check(&snapshot.batches[0].folder).unwrap();
    let wrong: Vec<_> = checked
        .iter()
        .filter(|file| file.outcome != Outcome::Same)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}; {}", describe(snapshot));
    checked.len()
}

pub(super) fn only_job(snapshot: &Snapshot) -> &JobView {
    assert_eq!(snapshot.jobs.len(), 1, "{}", describe(snapshot));
    &snapshot.jobs[0]
}
