//! The drive that results go to is taken away, or is full.

use std::path::Path;
use std::process::Command as Program;
use std::time::Duration;

use labferry::engine::Engine;
use labferry::engine::snapshot::Snapshot;
use labferry::model::job::Stage;

use super::{Bench, notice};
use crate::harness::{TEST_KEY, address, describe, options, wait};

/// Waits until the results are being fetched, takes their drive away, and holds what is said and done meanwhile.
async fn without_drive(bench: &Bench) -> std::path::PathBuf {
    let snapshot = bench.engine.snapshot();
    let folder = snapshot.batches[0].folder.clone();
    let start = format!("The folder {} is not there", folder.display());
    let snapshot = bench.told(&start).await;
    let words = &notice(&snapshot, &start).unwrap().words;
    assert!(words.did.contains("No other was made"), "{words:?}");
    for view in &snapshot.jobs {
        assert_eq!(
            view.job.stage,
            Stage::Downloading,
            "{}",
            describe(&snapshot)
        );
    }
    assert!(!folder.exists() && !bench.results().exists(), "made anew");
    folder
}

fn is_unsaid(snapshot: &Snapshot) {
    assert!(
        notice(snapshot, "The folder ").is_none(),
        "{}",
        describe(snapshot)
    );
    assert!(
        notice(snapshot, "The drive ").is_none(),
        "{}",
        describe(snapshot)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn results_wait_for_a_drive_that_goes_away_in_the_middle() {
    let bench = Bench::start(|options| options).await;
    let drive = bench.top.path().join("drive");
    let away = bench.top.path().join("away");
    bench.fault("slow@storage.get*2");
    bench.imaging().await;
    wait(&bench.engine, "a download", |_snapshot| {
        bench.count("storage.get") >= 1
    })
    .await;
    std::fs::rename(&drive, &away).unwrap();
    // The mount point stays, as on a real system.
    std::fs::create_dir(&drive).unwrap();
    without_drive(&bench).await;
    assert_eq!(std::fs::read_dir(&drive).unwrap().count(), 0);
    std::fs::remove_dir(&drive).unwrap();
    std::fs::rename(&away, &drive).unwrap();
    is_unsaid(bench.all_done().await.as_ref());
}

#[tokio::test(flavor = "multi_thread")]
async fn results_wait_for_a_drive_that_is_not_there_at_the_start() {
    let mut bench = Bench::start(|options| options).await;
    TEST_KEY.get_or_init(|| address(&bench.sandbox, "biodock", "key"));
    let drive = bench.top.path().join("drive");
    let away = bench.top.path().join("away");
    bench.fault("biodock.life=stays");
    bench.imaging().await;
    wait(&bench.engine, "the job", |snapshot| {
        snapshot.jobs[0].job.stage == Stage::Running
    })
    .await;
    bench.engine.shutdown();
    std::fs::rename(&drive, &away).unwrap();
    bench.engine = Engine::start(options(bench.top.path())).unwrap();
    bench.fault("biodock.life=usual");
    wait(&bench.engine, "the jobs", |snapshot| {
        !snapshot.jobs.is_empty()
    })
    .await;
    without_drive(&bench).await;
    std::fs::rename(&away, &drive).unwrap();
    is_unsaid(bench.all_done().await.as_ref());
}

/// A small drive in memory; none where this user may not mount.
struct SmallDrive<'a>(&'a Path);

impl<'a> SmallDrive<'a> {
    fn mount(place: &'a Path, kib: u32) -> Option<Self> {
        std::fs::create_dir(place).unwrap();
        let size = format!("size={kib}k");
        let mounted = Program::new("mount")
            .args(["-t", "tmpfs", "-o", &size, "tmpfs"])
            .arg(place)
            .output();
        mounted
            .is_ok_and(|mounted| mounted.status.success())
            .then_some(Self(place))
    }

    fn grow(&self, kib: u32) {
        let size = format!("remount,size={kib}k");
        let grown = Program::new("mount")
            .args(["-o", &size])
            .arg(self.0)
            .status();
        assert!(grown.unwrap().success());
    }
}

impl Drop for SmallDrive<'_> {
    fn drop(&mut self) {
        let gone = Program::new("umount").arg("--lazy").arg(self.0).status();
        assert!(gone.unwrap().success());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_real_drive_without_room_is_named_with_what_it_lacks() {
    let bench = Bench::start(|options| options).await;
    let place = bench.top.path().join("drive");
    // Room for the folders and for a note beside the first file, but not for its first byte.
    let Some(drive) = SmallDrive::mount(&place, 4) else {
        println!("skipped: this user may not mount");
        return;
    };
    bench.imaging().await;
    let folder = bench.engine.snapshot().batches[0].folder.clone();
    let start = format!("The drive of {} is full", folder.display());
    let snapshot = bench.told(&start).await;
    let words = &notice(&snapshot, &start).unwrap().words;
    assert!(words.what.contains("It needs "), "{words:?}");
    tokio::time::sleep(Duration::from_secs(1)).await;
    for view in &bench.engine.snapshot().jobs {
        assert_eq!(
            view.job.stage,
            Stage::Downloading,
            "{}",
            describe(&snapshot)
        );
    }
    drive.grow(20_000);
    is_unsaid(bench.all_done().await.as_ref());
    bench.engine.shutdown();
}
