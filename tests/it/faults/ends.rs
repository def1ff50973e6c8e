//! Quotas, failed jobs, archives, and jobs a person ends.

use std::path::Path;

use labferry::engine::command::{Command, Resolution};
use labferry::engine::snapshot::Snapshot;
use labferry::model::artifact::ArtifactState;
use labferry::model::job::Stage;
use labferry::model::notice::{About, Action, Weight};
use labferry::model::provider::FanOut;
use labferry::providers;
use labferry::results::receipt;

use crate::faults::bench::{
    Bench, assert_says_three_things, folder_is_same, notices_about, only_job,
};
use crate::harness::{connect_analytics, describe, target, wait};

#[tokio::test(flavor = "multi_thread")]
async fn a_quota_is_waited_out() {
    let bench = Bench::with(providers::ALL, 3.0).await;
    bench.sandbox.world().faults().set("aa.limit", "2").unwrap();
    bench.institute("wordcount", 8).await;
    let snapshot = bench.all_done().await;
    assert_eq!(bench.made("aa.submit"), 8);
    assert!(bench.count("aa.submit") > 8, "the limit was never met");
    // Nobody is bothered for what passes by itself.
    assert_eq!(snapshot.notices.len(), 1, "{}", describe(&snapshot));
    assert_eq!(snapshot.notices[0].weight, Weight::Note);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_job_keeps_what_it_made_and_can_be_tried_again() {
    let bench = Bench::start().await;
    bench.institute("failing", 1).await;
    for attempt in 1..=2 {
        let snapshot = bench.all(Stage::Failed).await;
        let view = only_job(&snapshot);
        // What the first attempt left stays beside the second one's.
        assert_eq!(
            folder_is_same(&snapshot),
            attempt,
            "{}",
            describe(&snapshot)
        );
        let read = receipt::read(&snapshot.batches[0].folder).unwrap();
        assert_eq!(
            read.files[0].remote_id,
            view.job.remote.as_ref().unwrap().id
        );
        let words = view.words.clone().unwrap();
        assert_eq!(words.action, Some(Action::TryAgain), "{words:?}");
        assert!(
            words.what.contains("failed at Analytics Automated"),
            "{words:?}"
        );
        assert_eq!(bench.made("aa.submit"), attempt);
        let about_job = notices_about(&snapshot, About::Job(view.job.id));
        assert_eq!(about_job.len(), attempt, "{}", describe(&snapshot));
        for notice in about_job {
            assert_says_three_things(notice);
        }
        if attempt == 1 {
            bench.command(Command::RetryFailed(snapshot.batches[0].id));
            wait(&bench.engine, "the second attempt", |snapshot| {
                snapshot
                    .jobs
                    .iter()
                    .any(|view| view.job.stage != Stage::Failed)
            })
            .await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_the_failed_jobs_of_a_batch_are_tried_again() {
    let bench = Bench::start().await;
    let institute = connect_analytics(&bench.engine, &bench.sandbox).await;
    let of = |pipeline| target(&bench.engine, institute, pipeline, FanOut::OnePerFile);
    bench
        .send(bench.texts(2), vec![of("wordcount"), of("failing")])
        .await;
    let snapshot = bench.settled().await;
    let count = |snapshot: &Snapshot, stage| {
        snapshot
            .jobs
            .iter()
            .filter(|view| view.job.stage == stage)
            .count()
    };
    assert_eq!(
        (
            count(&snapshot, Stage::Done),
            count(&snapshot, Stage::Failed)
        ),
        (2, 2),
        "{}",
        describe(&snapshot)
    );
    bench.command(Command::RetryFailed(snapshot.batches[0].id));
    wait(&bench.engine, "the second attempt", |_| {
        bench.made("aa.submit") == 6
    })
    .await;
    let snapshot = bench.settled().await;
    assert_eq!(
        (
            count(&snapshot, Stage::Done),
            count(&snapshot, Stage::Failed)
        ),
        (2, 2)
    );
    assert_eq!(bench.made("aa.submit"), 6);
    folder_is_same(&snapshot);
}

#[tokio::test(flavor = "multi_thread")]
async fn masks_that_fail_leave_the_tables_and_are_fetched_alone() {
    let bench = Bench::start().await;
    bench.fault("biodock.masks-life=fails");
    bench.imaging().await;
    let snapshot = bench.settled().await;
    let view = only_job(&snapshot);
    assert_eq!(view.job.stage, Stage::Failed, "{}", describe(&snapshot));
    for table in ["objects.csv", "aggregate.csv"] {
        assert!(
            view.folder.join(table).is_file(),
            "{table}: {}",
            describe(&snapshot)
        );
    }
    assert_eq!(folder_is_same(&snapshot), 2);
    let notices = notices_about(&snapshot, About::Job(view.job.id));
    assert!(
        notices
            .iter()
            .any(|notice| notice.words.action == Some(Action::TryAgain)),
        "{}",
        describe(&snapshot)
    );
    bench.fault("biodock.masks-life=usual");
    let fetched = bench.count("storage.get");
    bench.command(Command::RetryJob(view.job.id));
    let snapshot = bench.all(Stage::Done).await;
    assert!(
        only_job(&snapshot).folder.join("masks").is_dir(),
        "{}",
        describe(&snapshot)
    );
    assert_eq!(
        bench.count("storage.get"),
        fetched + 1,
        "only the masks are fetched"
    );
    assert_eq!(bench.count("biodock.submit"), 1);
    assert!(folder_is_same(&snapshot) > 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hostile_archive_gives_its_good_entries_and_a_list_of_the_others() {
    let bench = Bench::start().await;
    bench.fault("biodock.masks-zip=hostile");
    bench.imaging().await;
    let snapshot = bench.all_done().await;
    let view = only_job(&snapshot);
    let problems = view
        .artifacts
        .iter()
        .find_map(|artifact| match &artifact.state {
            ArtifactState::Unpacked {
                problems,
                archive_kept,
                ..
            } => Some((problems.len(), *archive_kept)),
            _ => None,
        });
    let (problems, kept) = problems.unwrap();
    assert!(problems >= 2 && kept, "{}", describe(&snapshot));
    let notices = notices_about(&snapshot, About::Job(view.job.id));
    assert_eq!((notices.len(), notices[0].details.len()), (1, problems));
    for outside in ["outside_objects.json", "absolute_objects.json"] {
        assert!(!bench.top.path().join(outside).exists());
        assert!(!Path::new("/").join(outside).exists());
    }
    assert!(view.folder.join("masks").is_dir());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_can_be_ended_in_every_stage() {
    for (fault, stage) in [
        ("hang@biodock.upload", Stage::Uploading),
        ("biodock.life=stays", Stage::Running),
        ("hang@storage.get", Stage::Downloading),
    ] {
        let bench = Bench::start().await;
        bench.fault(fault);
        bench.imaging().await;
        let snapshot = bench.all(stage).await;
        let job = only_job(&snapshot).job.id;
        bench.command(Command::CancelJob(job));
        let snapshot = bench.all(Stage::Cancelled).await;
        let about = About::Batch(snapshot.batches[0].id);
        assert_eq!(notices_about(&snapshot, about).len(), 1, "{fault}");
        let submits = usize::from(stage != Stage::Uploading);
        assert_eq!(bench.count("biodock.submit"), submits, "{fault}");
        bench.sandbox.world().faults().clear();
        bench.fault("biodock.life=usual");
        bench.command(Command::RetryJob(job));
        let snapshot = bench.all(Stage::Done).await;
        assert_eq!(bench.made("biodock.submit"), 1, "{fault}");
        folder_is_same(&snapshot);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_cancelled_while_it_is_submitted_is_not_lost_from_sight() {
    let bench = Bench::start().await;
    bench.fault("hang@aa.submit*1");
    bench.institute("wordcount", 1).await;
    let snapshot = bench.all(Stage::Submitting).await;
    bench.command(Command::CancelJob(only_job(&snapshot).job.id));
    let snapshot = bench.all(Stage::Unconfirmed).await;
    assert_eq!(bench.count("aa.submit"), 1);
    let job = only_job(&snapshot).job.id;
    bench.command(Command::ResolveUnconfirmed(job, Resolution::SendAgain));
    bench.all(Stage::Done).await;
    assert_eq!(bench.count("aa.submit"), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_job_that_never_ends_can_be_left_alone_and_forgotten() {
    let bench = Bench::start().await;
    bench.institute("stuck", 1).await;
    let snapshot = bench.all(Stage::Running).await;
    let job = only_job(&snapshot).job.id;
    // Only what has ended can be forgotten.
    bench.command(Command::ForgetJob(job));
    bench.command(Command::CancelJob(job));
    let snapshot = bench.all(Stage::Cancelled).await;
    let folder = snapshot.batches[0].folder.clone();
    bench.command(Command::ForgetJob(job));
    let snapshot = wait(&bench.engine, "forgetting", |snapshot| {
        snapshot.jobs.is_empty()
    })
    .await;
    assert!(snapshot.batches.is_empty());
    assert!(folder.is_dir(), "files stay");
    let asked = bench.count("aa.status");
    bench.institute("wordcount", 1).await;
    bench.all_done().await;
    assert!(bench.count("aa.status") > asked);
}
