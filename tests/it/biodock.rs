//! The Biodock client against its simulator: the whole way once, then every trap of `providers/biodock/notes.md`.
//!
//! Owns nothing that is promised by every platform alike; that is the contract suite's.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use labferry::model::connection::{Connection, clean_base_url};
use labferry::model::error::{Doing, ErrorKind, Result, Sent};
use labferry::model::file::LocalFile;
use labferry::model::form::Value;
use labferry::model::ids::{ConnectionId, PipelineId, ProviderId, Tag};
use labferry::model::meter::Meter;
use labferry::model::remote::{
    Found, JobReport, JobStatus, Link, Lost, Progress, Query, RemoteJob, StagedFile, Submission,
    Upload,
};
use labferry::model::secret::Secret;
use labferry::net::client::{Http, NetOptions, Patience};
use labferry::net::commit_point::{CommitPoint, CommitRequests};
use labferry::net::download::{Expected, Order, fetch};
use labferry::net::keep::Keep;
use labferry::net::retry::RetryPolicy;
use labferry::providers::Provider;
use labferry::sandbox::samples;
use labferry::sandbox::{Sandbox, SandboxOptions};
use tempfile::TempDir;

const NUCLEI: &str = "64f1a2b3c4d5e6f708192a3b";
const FOLDER: &str = "labferry 2026-11-20 世界";

struct Bench {
    sandbox: Sandbox,
    provider: Arc<dyn Provider>,
    http: Http,
    folder: TempDir,
}

impl Bench {
    async fn start(faults: &[&str]) -> Self {
        Self::with_key(faults, None).await
    }

    async fn with_key(faults: &[&str], key: Option<&str>) -> Self {
        let sandbox = Sandbox::start(SandboxOptions {
            // The clock stands still but where a test waits: no load can make a short state pass unseen.
            speed: 1e-6,
            faults: faults.iter().map(ToString::to_string).collect(),
            ..SandboxOptions::default()
        })
        .await
        .unwrap();
        let addresses = sandbox.addresses();
        let url = addresses.entry("biodock", "url");
        let own_key = addresses.entry("biodock", "key");
        let http = Http::new(&NetOptions {
            patience: Patience {
                answer: Duration::from_secs(10),
                after_upload: Duration::from_secs(10),
                ..Patience::tiny()
            },
            retry: RetryPolicy::tiny(),
            ..NetOptions::default()
        })
        .unwrap();
        let connection = Connection {
            id: ConnectionId(1),
            provider: ProviderId::from("biodock"),
            label: "Imaging core".to_owned(),
            base_url: clean_base_url(&url).unwrap(),
            options: BTreeMap::new(),
            vault_name: "test".to_owned(),
            account: None,
        };
        let key = Secret::parse_key(key.unwrap_or(&own_key)).unwrap();
        let secrets = BTreeMap::from([("key".to_owned(), key)]);
        let entry = labferry::providers::entry(&connection.provider).unwrap();
        Self {
            provider: (entry.connect)(&connection, &secrets, &http).unwrap(),
            sandbox,
            http,
            folder: tempfile::tempdir().unwrap(),
        }
    }

    fn count(&self, endpoint: &str) -> usize {
        self.sandbox.world().requests().count(endpoint)
    }

    /// A sample image under this name.
    fn upload(&self, sample: usize, name: &str) -> Upload {
        let path = self.folder.path().join(name);
        std::io::copy(
            &mut samples::make().unwrap()[sample].bytes.as_slice(),
            &mut std::fs::File::create(&path).unwrap(),
        )
        .unwrap();
        Upload {
            file: picked(&path),
            remote_name: name.to_owned(),
            remote_folder: FOLDER.to_owned(),
            metadata: BTreeMap::new(),
        }
    }

    async fn stage(&self, upload: &Upload) -> Result<StagedFile> {
        self.provider
            .stage(upload, &Keep::forgetful(), &Meter::default())
            .await
    }

    async fn submit(&self, staged: Vec<StagedFile>, masks: bool) -> Result<RemoteJob> {
        let submission = Submission {
            staged,
            settings: BTreeMap::from([("masks".to_owned(), Value::Flag(masks))]),
            ..Submission::new(
                PipelineId::from(NUCLEI),
                "Plate 7 # 100 %",
                Tag::from("lf-4k7q2m9x"),
            )
        };
        let (commit, requests) = CommitPoint::new();
        let meter = Meter::default();
        let submitted = self.provider.submit(&submission, &commit, &meter);
        let (job, ()) = tokio::join!(submitted, journal(requests));
        job
    }

    async fn submitted(&self, masks: bool) -> RemoteJob {
        let staged = self.stage(&self.upload(0, "a.png")).await.unwrap();
        self.submit(vec![staged], masks).await.unwrap()
    }

    async fn status(&self, job: &RemoteJob) -> JobReport {
        let mut reports = self
            .provider
            .status(std::slice::from_ref(job))
            .await
            .unwrap();
        reports.remove(0).unwrap()
    }

    /// Half a second of the world's clock goes by; every question has to wait its turn at the gate.
    async fn pass(&self) {
        self.sandbox.world().advance(Duration::from_millis(500));
        tokio::time::sleep(Duration::from_millis(1)).await;
    }

    /// The reports until the first that is neither queued nor running.
    async fn settle(&self, job: &RemoteJob) -> Vec<JobReport> {
        let mut reports = Vec::new();
        let started = Instant::now();
        loop {
            let report = self.status(job).await;
            let settled = !matches!(report.status, JobStatus::Queued | JobStatus::Running { .. });
            reports.push(report);
            if settled {
                return reports;
            }
            assert!(started.elapsed() < Duration::from_secs(20), "{reports:?}");
            self.pass().await;
        }
    }

    async fn fetch(&self, job: &RemoteJob, name: &str) -> Result<std::path::PathBuf> {
        let outputs = self.provider.outputs(job).await?;
        let output = outputs.iter().find(|output| output.name == name).unwrap();
        let started = Instant::now();
        let link = loop {
            match self.provider.link(job, output).await? {
                Link::Preparing { .. } => {
                    assert!(started.elapsed() < Duration::from_secs(20));
                    self.pass().await;
                }
                link @ Link::Ready { .. } => break link,
            }
        };
        let final_path = self.folder.path().join(name);
        let meter = Meter::default();
        let order = Order {
            expected: &Expected::default(),
            part_path: &self.folder.path().join(format!("{name}.part")),
            final_path: &final_path,
            meter: &meter,
        };
        let renew = Box::new(|| self.provider.link(job, output));
        fetch(&self.http, link, renew, &order).await?;
        Ok(final_path)
    }
}

async fn journal(mut requests: CommitRequests) {
    if let Some((_draft, answer)) = requests.recv().await {
        answer.send(()).ok();
    }
}

fn picked(path: &Path) -> LocalFile {
    let metadata = std::fs::metadata(path).unwrap();
    LocalFile {
        path: path.to_owned(),
        name: path.file_name().unwrap().to_string_lossy().into_owned(),
        folder: String::new(),
        size_bytes: metadata.len(),
        modified: metadata
            .modified()
            .ok()
            .and_then(|time| time.try_into().ok()),
    }
}

#[tokio::test]
async fn the_whole_way() {
    for faults in [&[][..], &["biodock.style=flat"], &["biodock.style=wrapped"]] {
        let bench = Bench::start(faults).await;
        let account = bench.provider.check().await.unwrap();
        assert_eq!(account.name, "someone@example.org");
        let pipelines = bench.provider.pipelines().await.unwrap();
        assert_eq!(pipelines[0].name, "Nuclei count");
        let mut staged = Vec::new();
        for (sample, name) in [(0, "a b #1 100%.png"), (1, "世界 \"quoted\".tif")] {
            let upload = bench.upload(sample, name);
            let file = bench.stage(&upload).await.unwrap();
            assert_eq!(file.name, name);
            assert_eq!(file.sha256.as_ref().map(String::len), Some(64));
            staged.push(file);
        }
        let top = bench.provider.browse(&Query::default()).await.unwrap();
        assert_eq!(top.items[0].name, format!("{FOLDER}/"));
        let inside = Query {
            folder: Some(top.items[0].id.clone()),
            cursor: None,
            words: None,
        };
        let page = bench.provider.browse(&inside).await.unwrap();
        assert_eq!(page.items.len(), 2);
        assert!(page.items.iter().any(|item| item.name == "a b #1 100%.png"));

        let job = bench.submit(staged, true).await.unwrap();
        let reports = bench.settle(&job).await;
        assert_eq!(reports.last().unwrap().status, JobStatus::Succeeded);
        let objects = bench.fetch(&job, "objects.csv").await.unwrap();
        let text = std::fs::read_to_string(objects).unwrap();
        assert!(text.contains("世界"), "{text}");
        bench.fetch(&job, "aggregate.csv").await.unwrap();
        let masks = bench.fetch(&job, "masks.zip").await.unwrap();
        let archive = zip::ZipArchive::new(std::fs::File::open(masks).unwrap()).unwrap();
        assert!(archive.len() > 1);
        assert_eq!(bench.count("biodock.ask-masks"), 1);
    }
}

#[tokio::test]
async fn a_refused_key_is_said_as_such() {
    for (refusal, kind) in [
        ("json", ErrorKind::Unauthenticated),
        ("html", ErrorKind::Unauthenticated),
        ("login-page", ErrorKind::Garbled),
        ("redirect", ErrorKind::Garbled),
    ] {
        let setting = format!("biodock.refusal={refusal}");
        let bench = Bench::with_key(&[&setting], Some("wrong-key")).await;
        let error = bench.provider.check().await.unwrap_err();
        assert_eq!(error.kind(), kind, "{refusal}");
        assert_eq!(error.failure().sent, Sent::Answered);
        assert!(bench.sandbox.world().requests().at_storage().is_empty());
    }
}

#[tokio::test]
async fn lists_end_whatever_the_cursor_and_the_limit_do() {
    for faults in [
        &["biodock.max-limit=1"][..],
        &["biodock.cursor=ignored", "biodock.count=total"],
    ] {
        let bench = Bench::start(faults).await;
        assert!(!bench.provider.pipelines().await.unwrap().is_empty());
    }
    let bench = Bench::start(&["biodock.max-limit=1"]).await;
    assert_eq!(bench.provider.pipelines().await.unwrap().len(), 2);
    let bench = Bench::start(&["biodock.cursor=ignored"]).await;
    bench.stage(&bench.upload(0, "a.png")).await.unwrap();
    let first = bench.provider.browse(&Query::default()).await.unwrap();
    let second = Query {
        folder: None,
        cursor: first.next,
        words: None,
    };
    let second = bench.provider.browse(&second).await.unwrap();
    assert!(second.items.is_empty() && second.next.is_none());
}

#[tokio::test]
async fn percentages_of_every_kind_and_full_is_no_success() {
    for kind in ["whole", "float", "null", "missing"] {
        let setting = format!("biodock.percentage={kind}");
        let bench = Bench::start(&[&setting]).await;
        let job = bench.submitted(false).await;
        let reports = bench.settle(&job).await;
        assert_eq!(
            reports.last().unwrap().status,
            JobStatus::Succeeded,
            "{kind}"
        );
    }
    let bench = Bench::start(&["biodock.life=full-but-running"]).await;
    let job = bench.submitted(false).await;
    let reports = bench.settle(&job).await;
    let full = JobStatus::Running {
        progress: Some(Progress::Percent(100.0)),
    };
    assert!(
        reports.iter().any(|report| report.status == full),
        "{reports:?}"
    );
}

#[tokio::test]
async fn every_end_of_a_job_is_told_apart() {
    let bench = Bench::start(&["biodock.life=fails"]).await;
    let job = bench.submitted(true).await;
    let last = bench.settle(&job).await.pop().unwrap();
    assert!(
        matches!(&last.status, JobStatus::Failed { reason: Some(_) }),
        "{last:?}"
    );

    let bench = Bench::start(&["biodock.life=unknown-status"]).await;
    let job = bench.submitted(true).await;
    let last = bench.settle(&job).await.pop().unwrap();
    assert_eq!(last.status, JobStatus::Unrecognized(last.word.clone()));

    let bench = Bench::start(&["biodock.life=late-urls"]).await;
    let job = bench.submitted(true).await;
    bench.settle(&job).await;
    assert_eq!(bench.provider.outputs(&job).await.unwrap().len(), 3);

    let bench = Bench::start(&["biodock.life=no-urls"]).await;
    let job = bench.submitted(true).await;
    let last = bench.settle(&job).await.pop().unwrap();
    assert_eq!(last.status, JobStatus::Succeeded);
    assert!(last.message.is_some());
    assert!(bench.provider.outputs(&job).await.unwrap().is_empty());

    let unknown = RemoteJob {
        id: "../../check".to_owned(),
        web_page: None,
        memo: String::new(),
    };
    assert_eq!(bench.status(&unknown).await.status, JobStatus::Gone);
}

#[tokio::test]
async fn masks_only_where_wanted_and_asked_for_once() {
    let bench = Bench::start(&[]).await;
    let job = bench.submitted(false).await;
    bench.settle(&job).await;
    assert_eq!(bench.provider.outputs(&job).await.unwrap().len(), 2);

    for faults in [
        &["biodock.masks-status=missing"][..],
        // The answer to the request is lost: it is looked for, not repeated.
        &["lost-answer@biodock.ask-masks*1"],
    ] {
        let bench = Bench::start(faults).await;
        let job = bench.submitted(true).await;
        bench.settle(&job).await;
        if bench.fetch(&job, "masks.zip").await.is_err() {
            bench.fetch(&job, "masks.zip").await.unwrap();
        }
        assert_eq!(bench.count("biodock.ask-masks"), 1, "{faults:?}");
    }
    for life in ["fails", "no-urls"] {
        let setting = format!("biodock.masks-life={life}");
        let bench = Bench::start(&[&setting]).await;
        let job = bench.submitted(true).await;
        bench.settle(&job).await;
        let error = bench.fetch(&job, "masks.zip").await.unwrap_err();
        assert_eq!(error.doing(), Doing::PrepareResult, "{life}");
        assert!(!error.is_retryable());
    }
}

#[tokio::test]
async fn an_upload_whose_answer_is_lost_is_looked_for() {
    let bench = Bench::start(&["lost-answer@biodock.upload*1"]).await;
    let upload = bench.upload(0, "a 世界.png");
    let staged = bench.stage(&upload).await.unwrap();
    assert_eq!(bench.count("biodock.upload"), 1, "it had arrived");
    assert_eq!(staged.sha256.map(|sha256| sha256.len()), Some(64));

    let bench = Bench::start(&["refuse-before@biodock.upload*1"]).await;
    let upload = bench.upload(0, "a.png");
    bench.stage(&upload).await.unwrap();
    assert_eq!(bench.count("biodock.upload"), 2, "it had not");

    let bench = Bench::start(&["server-error@biodock.upload"]).await;
    let upload = bench.upload(0, "a.png");
    let error = bench.stage(&upload).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerFault);
    assert_eq!(
        bench.count("biodock.upload"),
        3,
        "repeated twice and no more"
    );
}

#[tokio::test]
async fn a_changed_or_too_large_file_is_refused_before_it_is_sent() {
    let bench = Bench::start(&[]).await;
    let upload = bench.upload(0, "a.png");
    let mut too_large = upload.clone();
    too_large.file.size_bytes = 2_000_000_001;
    let mut shorter = upload.clone();
    shorter.file.size_bytes -= 1;
    for (upload, kind) in [
        (too_large, ErrorKind::TooLarge),
        (shorter, ErrorKind::LocalFile),
    ] {
        let error = bench.stage(&upload).await.unwrap_err();
        assert_eq!((error.kind(), error.failure().sent), (kind, Sent::No));
    }
    std::fs::remove_file(&upload.file.path).unwrap();
    let error = bench.stage(&upload).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::LocalFile);
    assert_eq!(bench.count("biodock.upload"), 0);
}

#[tokio::test]
async fn a_lost_submission_is_open_and_can_be_looked_for() {
    for (names, by_name) in [("absent", false), ("present", true)] {
        let setting = format!("biodock.job-names={names}");
        let bench = Bench::start(&[&setting, "lost-answer@biodock.submit*1"]).await;
        let staged = bench.stage(&bench.upload(0, "a.png")).await.unwrap();
        let error = bench.submit(vec![staged], false).await.unwrap_err();
        assert!(!error.submit_made_no_job(), "{error:?}");
        assert_eq!(bench.count("biodock.submit"), 1);
        let found = bench
            .provider
            .find(&Lost::of_tag(Tag::from("lf-4k7q2m9x")))
            .await
            .unwrap();
        match found {
            Found::Job(job) => assert!(by_name && job.memo.is_empty()),
            Found::Perhaps(jobs) => assert!(!by_name && jobs.len() == 1),
            Found::Nothing => panic!("it is there"),
        }
        let other = bench
            .provider
            .find(&Lost::of_tag(Tag::from("lf-other")))
            .await
            .unwrap();
        assert_eq!(other == Found::Nothing, by_name);
    }
}

#[tokio::test]
async fn a_refused_submission_made_no_job() {
    for fault in [
        "unauthorized@biodock.submit",
        "rate-limited@biodock.submit",
        "refuse-before@biodock.submit",
    ] {
        let bench = Bench::start(&[fault]).await;
        let staged = bench.stage(&bench.upload(0, "a.png")).await.unwrap();
        let error = bench.submit(vec![staged], true).await.unwrap_err();
        assert_eq!(bench.count("biodock.submit"), 1, "{fault}");
        let certain = fault != "refuse-before@biodock.submit";
        assert_eq!(error.submit_made_no_job(), certain, "{fault}: {error:?}");
    }
}

#[tokio::test]
async fn a_file_still_being_taken_in_is_refused_with_a_time_to_come_back() {
    let bench = Bench::start(&["biodock.usable-after=3600000"]).await;
    let staged = bench.stage(&bench.upload(0, "a.png")).await.unwrap();
    let error = bench.submit(vec![staged.clone()], true).await.unwrap_err();
    assert!(error.submit_made_no_job());
    assert!(error.failure().retry_after.is_some());
    // Trying again is the engine's business.
    assert_eq!(bench.count("biodock.submit"), 1);
    bench.sandbox.world().advance(Duration::from_hours(1));
    let job = bench.submit(vec![staged], true).await.unwrap();
    bench.settle(&job).await;
}

#[tokio::test]
async fn many_jobs_are_asked_for_together() {
    let bench = Bench::start(&[]).await;
    let staged = bench.stage(&bench.upload(0, "a.png")).await.unwrap();
    let mut jobs = Vec::new();
    for _ in 0..8 {
        jobs.push(bench.submit(vec![staged.clone()], true).await.unwrap());
    }
    let reports = bench.provider.status(&jobs).await.unwrap();
    assert_eq!(reports.len(), 8);
    assert!(reports.iter().all(Result::is_ok));
    assert_eq!(bench.count("biodock.status"), 0);
}

#[tokio::test]
async fn an_expired_link_is_renewed() {
    let bench = Bench::start(&["expired-link@storage*1"]).await;
    let job = bench.submitted(false).await;
    bench.settle(&job).await;
    bench.fetch(&job, "objects.csv").await.unwrap();
}
