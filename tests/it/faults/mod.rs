//! Platforms that misbehave, through the whole engine: what goes on by itself, what waits for a person, what is said, and
//! that nothing is sent twice.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use labferry::engine::command::{Command, Resolution};
use labferry::engine::snapshot::{JobView, Snapshot};
use labferry::engine::{Engine, EngineOptions};
use labferry::model::artifact::ArtifactState;
use labferry::model::batch::Target;
use labferry::model::connection::{Account, Connection, ConnectionDraft};
use labferry::model::error::{Doing, Error, Result};
use labferry::model::form::Form;
use labferry::model::ids::{ConnectionId, PipelineId, ProviderId};
use labferry::model::job::Stage;
use labferry::model::meter::Meter;
use labferry::model::notice::{About, Action, Notice, Weight};
use labferry::model::pipeline::Pipeline;
use labferry::model::provider::{Budget, FanOut, ProviderFacts};
use labferry::model::remote::{
    Found, Gathered, Gathering, JobReport, Link, ListedJob, Lost, Output, Page, Query, RemoteJob,
    StagedFile, Submission, Upload,
};
use labferry::model::secret::Secret;
use labferry::net::client::{Http, NetOptions, Patience};
use labferry::net::commit_point::CommitPoint;
use labferry::net::keep::Keep;
use labferry::net::retry::RetryPolicy;
use labferry::providers::{self, Entry, Profile, Provider, Secrets};
use labferry::results::receipt::{self, Outcome};
use labferry::sandbox::{Sandbox, SandboxOptions};
use tempfile::TempDir;

use crate::harness::{
    add_files, address, connect_analytics, connect_biodock, describe, options, send, settled,
    target, wait,
};

struct Bench {
    engine: Engine,
    sandbox: Sandbox,
    top: TempDir,
}

impl Bench {
    async fn start() -> Self {
        Self::with(providers::ALL, 40.0).await
    }

    async fn with(entries: &'static [Entry], speed: f64) -> Self {
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

    fn fault(&self, text: &str) {
        self.sandbox.world().faults().add(text).unwrap();
    }

    fn count(&self, endpoint: &str) -> usize {
        self.sandbox.world().requests().count(endpoint)
    }

    /// Requests at an endpoint that made something.
    fn made(&self, endpoint: &str) -> usize {
        let requests = self.sandbox.world().requests().at(endpoint);
        let made = |status: Option<u16>| matches!(status, Some(200 | 201));
        requests
            .iter()
            .filter(|request| made(request.status))
            .count()
    }

    /// Small texts with nasty names.
    fn texts(&self, count: usize) -> Vec<PathBuf> {
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
    fn picture(&self) -> Vec<PathBuf> {
        let picture = image::GrayImage::from_fn(64, 64, |x, y| {
            let bright = x.abs_diff(20).pow(2) + y.abs_diff(30).pow(2) < 60;
            image::Luma([if bright { 220 } else { 20 }])
        });
        let path = self.top.path().join("A1.png");
        picture.save(&path).unwrap();
        vec![path]
    }

    async fn send(&self, files: Vec<PathBuf>, targets: Vec<Target>) {
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
    async fn imaging(&self) -> ConnectionId {
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
    async fn institute(&self, pipeline: &str, files: usize) -> ConnectionId {
        let id = connect_analytics(&self.engine, &self.sandbox).await;
        let target = target(&self.engine, id, pipeline, FanOut::OnePerFile);
        self.send(self.texts(files), vec![target]).await;
        id
    }

    /// One picture to both.
    async fn both(&self) -> (ConnectionId, ConnectionId) {
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

    async fn settled(&self) -> Arc<Snapshot> {
        let snapshot = settled(&self.engine).await;
        for notice in &snapshot.notices {
            assert_says_three_things(notice);
        }
        snapshot
    }

    /// Waits until every job has this stage.
    async fn all(&self, stage: Stage) -> Arc<Snapshot> {
        wait(&self.engine, stage.word(), |snapshot| {
            !snapshot.jobs.is_empty() && snapshot.jobs.iter().all(|view| view.job.stage == stage)
        })
        .await
    }

    /// Waits for the end and holds that all is well and nothing half there.
    async fn all_done(&self) -> Arc<Snapshot> {
        let snapshot = self.settled().await;
        for view in &snapshot.jobs {
            assert_eq!(view.job.stage, Stage::Done, "{}", describe(&snapshot));
        }
        folder_is_same(&snapshot);
        snapshot
    }

    fn command(&self, command: Command) {
        self.engine.send(command).unwrap();
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        self.engine.shutdown();
    }
}

fn write(path: &Path, bytes: &[u8]) {
    std::io::Write::write_all(&mut std::fs::File::create(path).unwrap(), bytes).unwrap();
}

fn assert_says_three_things(notice: &Notice) {
    let words = &notice.words;
    for sentence in [&words.what, &words.did, &words.next] {
        assert!(!sentence.trim().is_empty(), "{notice:?}");
        assert!(
            !sentence.contains("X-Amz") && !sentence.contains("ErrorKind"),
            "{notice:?}"
        );
    }
}

fn notices_about(snapshot: &Snapshot, about: About) -> Vec<&Notice> {
    let notices = snapshot.notices.iter().map(AsRef::as_ref);
    notices.filter(|notice| notice.about == about).collect()
}

/// Holds the batch's folder against its receipt; how many files there are.
fn folder_is_same(snapshot: &Snapshot) -> usize {
    let checked = receipt::check(&snapshot.batches[0].folder).unwrap();
    let wrong: Vec<_> = checked
        .iter()
        .filter(|file| file.outcome != Outcome::Same)
        .collect();
    assert!(wrong.is_empty(), "{wrong:?}; {}", describe(snapshot));
    checked.len()
}

fn only_job(snapshot: &Snapshot) -> &JobView {
    assert_eq!(snapshot.jobs.len(), 1, "{}", describe(snapshot));
    &snapshot.jobs[0]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_refused_midway_waits_for_the_right_one() {
    for endpoint in [
        "biodock.upload",
        "biodock.submit",
        "biodock.status",
        "biodock.ask-masks",
    ] {
        let bench = Bench::start().await;
        bench.fault(&format!("unauthorized@{endpoint}"));
        let (imaging, institute) = bench.both().await;
        let snapshot = wait(&bench.engine, endpoint, |snapshot| {
            snapshot.jobs.iter().all(|view| {
                let waits = view.job.connection == imaging && view.waits_for_person;
                waits || view.job.stage == Stage::Done
            }) && !snapshot.jobs.is_empty()
        })
        .await;
        let refused = notices_about(&snapshot, About::Connection(imaging));
        assert_eq!(refused.len(), 1, "{endpoint}: {}", describe(&snapshot));
        assert_says_three_things(refused[0]);
        assert_eq!(refused[0].words.action, Some(Action::PasteKey));
        let stages: Vec<_> = snapshot
            .jobs
            .iter()
            .map(|view| (view.job.connection, view.job.stage))
            .collect();
        assert!(
            stages.contains(&(institute, Stage::Done)),
            "{endpoint}: {stages:?}"
        );
        assert!(
            !stages.contains(&(imaging, Stage::Failed)),
            "{endpoint}: {stages:?}"
        );
        bench.sandbox.world().faults().clear();
        connect_biodock(&bench.engine, &bench.sandbox).await;
        bench.all_done().await;
        assert_eq!(bench.made("biodock.submit"), 1, "{endpoint}");
        assert_eq!(bench.made("biodock.upload"), 1, "{endpoint}");
        assert_eq!(bench.made("aa.submit"), 1, "{endpoint}");
    }
}

const EVERYWHERE: [&str; 11] = [
    "biodock.upload",
    "biodock.list",
    "biodock.status",
    "biodock.jobs",
    "biodock.ask-masks",
    "biodock.masks",
    "aa.status",
    "aa.jobtimes",
    "aa.job",
    "aa.file",
    "storage.get",
];

#[tokio::test(flavor = "multi_thread")]
async fn a_busy_or_closed_platform_is_waited_out() {
    for fault in [
        "rate-limited",
        "rate-limited-silent",
        "unavailable",
        "server-error",
    ] {
        let bench = Bench::start().await;
        let imaging = connect_biodock(&bench.engine, &bench.sandbox).await;
        let institute = connect_analytics(&bench.engine, &bench.sandbox).await;
        for endpoint in EVERYWHERE {
            bench.fault(&format!("{fault}@{endpoint}*2"));
        }
        // Only a refusal says for certain that no job was made.
        if fault.starts_with("rate-limited") {
            bench.fault(&format!("{fault}@biodock.submit*2"));
            bench.fault(&format!("{fault}@aa.submit*2"));
        }
        let targets = vec![
            target(
                &bench.engine,
                imaging,
                "64f1a2b3c4d5e6f708192a3b",
                FanOut::AllInOne,
            ),
            target(&bench.engine, institute, "zipresults", FanOut::OnePerFile),
        ];
        bench.send(bench.picture(), targets).await;
        bench.all_done().await;
        assert_eq!(
            (bench.made("biodock.submit"), bench.made("aa.submit")),
            (1, 1),
            "{fault}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_fault_of_the_platform_while_submitting_is_not_repeated() {
    for fault in [
        "unavailable",
        "server-error",
        "html",
        "garbled",
        "hang",
        "cut-body",
    ] {
        let bench = Bench::start().await;
        bench.fault(&format!("{fault}@aa.submit*1"));
        bench.institute("wordcount", 1).await;
        let snapshot = bench.settled().await;
        let job = &only_job(&snapshot).job;
        assert_eq!(
            job.stage,
            Stage::Unconfirmed,
            "{fault}: {}",
            describe(&snapshot)
        );
        assert_eq!(bench.count("aa.submit"), 1, "{fault}");
        let notices = notices_about(&snapshot, About::Job(job.id));
        assert_eq!(notices.len(), 1, "{fault}");
        assert_eq!(notices[0].words.action, Some(Action::Resolve), "{fault}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn damaged_answers_never_become_files() {
    for fault in [
        "cut-body",
        "wrong-length",
        "html",
        "refuse-before",
        "hang",
        "lost-answer",
    ] {
        let bench = Bench::start().await;
        for endpoint in ["aa.file", "storage.get", "aa.status", "biodock.status"] {
            bench.fault(&format!("{fault}@{endpoint}*2"));
        }
        bench.fault("expired-link@storage.get*1");
        bench.fault("no-range@storage.get*1");
        bench.both().await;
        let snapshot = bench.all_done().await;
        let count = folder_is_same(&snapshot);
        assert!(count >= 6, "{fault}: {count} files");
        assert_eq!(
            (bench.made("biodock.submit"), bench.made("aa.submit")),
            (1, 1),
            "{fault}"
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_with_a_list_offers_exactly_the_new_job() {
    for choice in ["adopt", "send again", "leave"] {
        let bench = Bench::start().await;
        bench.fault("lost-answer@biodock.submit*1");
        bench.imaging().await;
        let snapshot = bench.settled().await;
        let view = only_job(&snapshot);
        assert_eq!(
            view.job.stage,
            Stage::Unconfirmed,
            "{}",
            describe(&snapshot)
        );
        assert_eq!(view.job.candidates.len(), 1, "{}", describe(&snapshot));
        assert!(view.waits_for_person && view.words.is_some());
        assert_eq!(bench.count("biodock.submit"), 1);
        let notices = notices_about(&snapshot, About::Job(view.job.id));
        assert_eq!(notices[0].words.action, Some(Action::Resolve));
        let (resolution, end, made) = match choice {
            "adopt" => (
                Resolution::Adopt(view.job.candidates[0].clone()),
                Stage::Done,
                1,
            ),
            "send again" => (Resolution::SendAgain, Stage::Done, 2),
            _ => (Resolution::Leave, Stage::Cancelled, 1),
        };
        bench.command(Command::ResolveUnconfirmed(view.job.id, resolution));
        let snapshot = bench.all(end).await;
        assert_eq!(bench.made("biodock.submit"), made, "{choice}");
        if end == Stage::Done {
            folder_is_same(&snapshot);
            let masks = only_job(&snapshot).folder.join("masks");
            assert!(masks.is_dir(), "{choice}: {}", describe(&snapshot));
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_without_a_list_is_never_sent_again_by_itself() {
    let bench = Bench::start().await;
    bench.fault("lost-answer@aa.submit*1");
    bench.institute("wordcount", 2).await;
    let snapshot = bench.settled().await;
    let mut stages: Vec<_> = snapshot.jobs.iter().map(|view| view.job.stage).collect();
    stages.sort_unstable();
    assert_eq!(
        stages,
        [Stage::Done, Stage::Unconfirmed],
        "{}",
        describe(&snapshot)
    );
    assert_eq!(bench.count("aa.submit"), 2);
    let job = snapshot
        .jobs
        .iter()
        .find(|view| view.job.stage == Stage::Unconfirmed)
        .unwrap()
        .job
        .id;
    // Neither a retry nor forgetting what others did sends it.
    bench.command(Command::RetryJob(job));
    bench.command(Command::RetryFailed(snapshot.batches[0].id));
    bench.command(Command::CheckConnection(snapshot.jobs[0].job.connection));
    bench.institute("wordcount", 1).await;
    bench.settled().await;
    assert_eq!(bench.count("aa.submit"), 3);
    bench.command(Command::ResolveUnconfirmed(job, Resolution::SendAgain));
    bench.all(Stage::Done).await;
    assert_eq!(bench.count("aa.submit"), 4);
}

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

/// A client that breaks down whenever it is asked something.
struct Broken;

#[async_trait]
impl Provider for Broken {
    async fn check(&self) -> Result<Account> {
        panic!("index out of bounds")
    }
    async fn pipelines(&self) -> Result<Vec<Pipeline>> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn form(&self, _pipeline: &PipelineId) -> Result<Form> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn browse(&self, _query: &Query) -> Result<Page<StagedFile>> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn stage(&self, _upload: &Upload, _keep: &Keep, _: &Meter) -> Result<StagedFile> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn gather(&self, _gathering: &Gathering) -> Result<Gathered> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn submit(&self, _: &Submission, _: &CommitPoint, _: &Meter) -> Result<RemoteJob> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn jobs(&self, _query: &Query) -> Result<Page<ListedJob>> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn job(&self, _id: &str) -> Result<ListedJob> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn find(&self, _lost: &Lost) -> Result<Found> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn status(&self, _jobs: &[RemoteJob]) -> Result<Vec<Result<JobReport>>> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn cancel(&self, _job: &RemoteJob) -> Result<()> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn outputs(&self, _job: &RemoteJob) -> Result<Vec<Output>> {
        Err(Error::unsupported(Doing::Connect))
    }
    async fn link(&self, _job: &RemoteJob, _output: &Output) -> Result<Link> {
        Err(Error::unsupported(Doing::Connect))
    }
    fn budget(&self) -> Option<Budget> {
        None
    }
}

fn no_profiles(_text: &str) -> Vec<Profile> {
    Vec::new()
}

#[expect(clippy::unnecessary_wraps, reason = "the shape every platform's has")]
fn broken(_: &Connection, _: &Secrets, _: &Http) -> Result<Arc<dyn Provider>> {
    Ok(Arc::new(Broken))
}

static BROKEN_FACTS: ProviderFacts = ProviderFacts {
    id: ProviderId::new("broken"),
    name: "Broken",
    ..providers::analytics_automated::FACTS
};

static WITH_BROKEN: &[Entry] = &[
    Entry {
        facts: &providers::analytics_automated::FACTS,
        connect: providers::analytics_automated::connect,
        profiles: no_profiles,
        simulator: &providers::analytics_automated::sim::SIMULATOR,
    },
    Entry {
        facts: &BROKEN_FACTS,
        connect: broken,
        profiles: no_profiles,
        simulator: &providers::analytics_automated::sim::SIMULATOR,
    },
];

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_breaks_down_is_told_of_and_stops_nobody_else() {
    let bench = Bench::with(WITH_BROKEN, 40.0).await;
    let draft = ConnectionDraft {
        provider: ProviderId::from("broken"),
        label: "Broken".to_owned(),
        entries: [
            (
                "url".to_owned(),
                address(&bench.sandbox, "analytics_automated", "url"),
            ),
            ("email".to_owned(), "someone@example.org".to_owned()),
        ]
        .into(),
    };
    let none: Vec<(String, Secret)> = Vec::new();
    bench.command(Command::SaveConnection(draft, none));
    let snapshot = wait(&bench.engine, "the notice", |snapshot| {
        notices_about(snapshot, About::App).len() == 1
    })
    .await;
    assert_says_three_things(notices_about(&snapshot, About::App)[0]);
    bench.institute("wordcount", 2).await;
    bench.all_done().await;
    assert_eq!(bench.count("aa.submit"), 2);
}
