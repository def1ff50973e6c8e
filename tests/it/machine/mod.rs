//! The machine Labferry runs on: it sleeps, its clock is set, its drives fill up and go away, another Labferry is there
//! already, and parts of Labferry itself break down. Nothing fails for any of it.

mod awake;
mod breakdown;
mod clock;
mod drives;
mod second;
mod soak;
mod writes;

use std::path::PathBuf;
use std::sync::Arc;

use labferry::engine::snapshot::Snapshot;
use labferry::engine::{Engine, EngineOptions};
use labferry::model::job::Stage;
use labferry::model::notice::Notice;
use labferry::model::provider::FanOut;
use labferry::results::receipt::{self, Outcome};
use labferry::sandbox::Sandbox;
use tempfile::TempDir;

use crate::harness::{
    add_files, connect_analytics, connect_biodock, describe, options, sandbox, send, settled,
    target, wait,
};

/// A pipeline of Biodock that finds bright dots.
const NUCLEI: &str = "64f1a2b3c4d5e6f708192a3b";

struct Bench {
    engine: Engine,
    sandbox: Sandbox,
    top: TempDir,
}

impl Bench {
    async fn start(change: impl FnOnce(EngineOptions) -> EngineOptions) -> Self {
        let top = tempfile::tempdir().unwrap();
        let engine = Engine::start(change(options(top.path()))).unwrap();
        Self {
            sandbox: sandbox().await,
            engine,
            top,
        }
    }

    fn fault(&self, text: &str) {
        self.sandbox.world().faults().add(text).unwrap();
    }

    fn count(&self, endpoint: &str) -> usize {
        self.sandbox.world().requests().count(endpoint)
    }

    fn results(&self) -> PathBuf {
        self.top.path().join("drive").join("results")
    }

    fn picture(&self) -> PathBuf {
        let picture = image::GrayImage::from_fn(64, 64, |x, y| {
            let bright = x.abs_diff(20).pow(2) + y.abs_diff(30).pow(2) < 60;
            image::Luma([if bright { 220 } else { 20 }])
        });
        let path = self.top.path().join("A1.png");
        picture.save(&path).unwrap();
        path
    }

    /// One picture to an imaging platform and to a server of analyses.
    async fn both(&self) {
        let imaging = connect_biodock(&self.engine, &self.sandbox).await;
        let institute = connect_analytics(&self.engine, &self.sandbox).await;
        let targets = vec![
            target(&self.engine, imaging, NUCLEI, FanOut::AllInOne),
            target(&self.engine, institute, "zipresults", FanOut::OnePerFile),
        ];
        add_files(&self.engine, vec![self.picture()]).await;
        send(&self.engine, "Plate 7", &self.results(), targets).await;
    }

    /// One picture to an imaging platform.
    async fn imaging(&self) {
        let imaging = connect_biodock(&self.engine, &self.sandbox).await;
        let target = target(&self.engine, imaging, NUCLEI, FanOut::AllInOne);
        add_files(&self.engine, vec![self.picture()]).await;
        send(&self.engine, "Plate 7", &self.results(), vec![target]).await;
    }

    /// Waits for the end, and holds that everything is here as the receipt says.
    async fn all_done(&self) -> Arc<Snapshot> {
        let snapshot = settled(&self.engine).await;
        for view in &snapshot.jobs {
            assert_eq!(view.job.stage, Stage::Done, "{}", describe(&snapshot));
        }
        let checked = receipt::check(&snapshot.batches[0].folder).unwrap();
        assert!(!checked.is_empty());
        for file in &checked {
            assert_eq!(file.outcome, Outcome::Same, "{file:?}");
        }
        snapshot
    }

    /// Waits for a notice that begins like this.
    async fn told(&self, start: &str) -> Arc<Snapshot> {
        wait(&self.engine, start, |snapshot| {
            notice(snapshot, start).is_some()
        })
        .await
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.engine.shutdown();
    }
}

fn notice<'a>(snapshot: &'a Snapshot, start: &str) -> Option<&'a Arc<Notice>> {
    snapshot
        .notices
        .iter()
        .find(|notice| notice.words.what.starts_with(start))
}
