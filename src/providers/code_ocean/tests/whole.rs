//! The client against the simulated service, with its bucket.

use std::io::Write as _;

use super::*;
use crate::model::file::LocalFile;
use crate::model::form::{Settings, Value};
use crate::model::ids::{PipelineId, Tag};
use crate::model::meter::Meter;
use crate::model::remote::{
    Found, Gathered, Gathering, JobReport, JobStatus, Link, Lost, Output, Query, RemoteJob,
    StagedFile, Submission, Upload,
};
use crate::net::keep::Keep;
use crate::providers::code_ocean::sim;
use crate::sandbox::{Sandbox, SandboxOptions};

const TAG: &str = "lf-4k7q2m9x";
const READS: &str = "@r1\nACGT\n+\nIIII\n@r2\nACGT\n+\n!!!!\n";

struct Bench {
    sandbox: Sandbox,
    provider: Arc<dyn Provider>,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn new() -> Self {
        // The clock is moved by the tests.
        let options = SandboxOptions {
            speed: 0.001,
            ..SandboxOptions::default()
        };
        let sandbox = Sandbox::start(options).await.unwrap();
        let (mut options, mut pairs) = (Vec::new(), Vec::new());
        let entries = sim::connectable(sandbox.world());
        for entry in &entries {
            let list = if entry.is_secret {
                &mut pairs
            } else {
                &mut options
            };
            list.push((entry.field, entry.value.as_str()));
        }
        let url = sandbox.world().api_url();
        let http = Http::new(&NetOptions {
            retry: RetryPolicy::tiny(),
            ..NetOptions::default()
        });
        let secrets = secrets(&pairs);
        let provider = connect(&connection(&url, &options), &secrets, &http.unwrap()).unwrap();
        Self {
            provider,
            folder: tempfile::tempdir().unwrap(),
            sandbox,
        }
    }

    fn set(&self, text: &str) {
        self.sandbox.world().faults().add(text).unwrap();
    }

    fn pass(&self, seconds: u64) {
        self.sandbox.world().advance(Duration::from_secs(seconds));
    }

    async fn pipeline(&self, name: &str) -> PipelineId {
        let pipelines = self.provider.pipelines().await.unwrap();
        let found = pipelines.iter().find(|pipeline| pipeline.name == name);
        found
            .unwrap_or_else(|| panic!("{name} in {pipelines:?}"))
            .id
            .clone()
    }

    async fn stage(&self, name: &str, text: &str) -> StagedFile {
        let path = self.folder.path().join("file");
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        let upload = Upload {
            file: LocalFile {
                path,
                name: name.to_owned(),
                folder: String::new(),
                size_bytes: u64::try_from(text.len()).unwrap(),
                modified: None,
            },
            remote_name: name.to_owned(),
            remote_folder: "labferry-4k7q2m9x".to_owned(),
            metadata: std::collections::BTreeMap::new(),
        };
        self.provider
            .stage(&upload, &Keep::forgetful(), &Meter::default())
            .await
            .unwrap()
    }

    async fn gather_once(&self, gathering: &mut Gathering) -> Result<Gathered> {
        let gathered = self.provider.gather(gathering).await?;
        gathering.known = Some(gathered.clone());
        Ok(gathered)
    }

    /// The whole way to a run: staged, gathered, sent.
    async fn run(&self, name: &str, more: &[(&str, &str)]) -> (RemoteJob, Submission) {
        let submission = self.submission(name, more).await;
        let job = self.submit(&submission).await.unwrap();
        (job, submission)
    }

    async fn submission(&self, name: &str, more: &[(&str, &str)]) -> Submission {
        let pipeline = self.pipeline(name).await;
        let form = self.provider.form(&pipeline).await.unwrap();
        let given: Settings = more
            .iter()
            .map(|(name, text)| ((*name).to_owned(), Value::Text((*text).to_owned())))
            .collect();
        let settings = form.filled(&given);
        assert_eq!(form.problems(&settings), []);
        let mut gathering = Gathering {
            tag: Tag::from(TAG),
            name: "Plate 7 - Reads".to_owned(),
            pipeline: pipeline.clone(),
            files: vec![self.stage("my reads #1 世.fastq", READS).await],
            is_whole_folder: true,
            settings: settings.clone(),
            known: None,
        };
        assert!(!self.gather_once(&mut gathering).await.unwrap().ready);
        self.pass(60);
        let mut gathered = self.gather_once(&mut gathering).await.unwrap();
        for _ in 0..600 {
            if gathered.ready {
                break;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            gathered = self.gather_once(&mut gathering).await.unwrap();
        }
        assert!(gathered.ready);
        let made = self
            .sandbox
            .world()
            .requests()
            .count("code_ocean.create-asset");
        assert_eq!(made, 1);
        Submission {
            staged: vec![gathered.input],
            settings,
            ..Submission::new(pipeline, "Plate 7 - Reads", Tag::from(TAG))
        }
    }

    async fn submit(&self, submission: &Submission) -> Result<RemoteJob> {
        let (commit, journal) = open_point();
        let meter = Meter::default();
        tokio::select! {
            submitted = self.provider.submit(submission, &commit, &meter) => submitted,
            () = journal => std::future::pending().await,
        }
    }

    /// Once it has ended: what a run computes is really computed, which takes its time.
    async fn ended(&self, job: &RemoteJob) -> JobReport {
        for _ in 0..600 {
            let report = self.report(job).await;
            match report.status {
                JobStatus::Queued | JobStatus::Running { .. } => {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
                _ => return report,
            }
        }
        panic!("the run does not end");
    }

    async fn report(&self, job: &RemoteJob) -> JobReport {
        let jobs = [job.clone()];
        let mut reports = self.provider.status(&jobs).await.unwrap();
        reports.remove(0).unwrap()
    }

    async fn fetch(&self, job: &RemoteJob, output: &Output) -> (String, Vec<u8>) {
        let Link::Ready { url, header } = self.provider.link(job, output).await.unwrap() else {
            panic!("no link is ever prepared here");
        };
        assert!(header.is_none());
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let response = client.get(url.reveal()).send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
        let bytes = response.bytes().await.unwrap().to_vec();
        (url.reveal().to_owned(), bytes)
    }
}

#[tokio::test]
async fn the_whole_way_with_a_nasty_name() {
    let bench = Bench::new().await;
    assert_eq!(bench.provider.check().await.unwrap().name, "127.0.0.1");
    let (job, _submission) = bench.run("Read quality", &[("min_quality", "30")]).await;
    assert_eq!(bench.report(&job).await.status, JobStatus::Queued);
    bench.pass(1);
    let running = JobStatus::Running { progress: None };
    assert_eq!(bench.report(&job).await.status, running);
    bench.pass(600);
    let report = bench.ended(&job).await;
    assert_eq!(
        (report.status, report.message),
        (JobStatus::Succeeded, None)
    );
    let outputs = bench.provider.outputs(&job).await.unwrap();
    for output in &outputs {
        let (url, bytes) = bench.fetch(&job, output).await;
        assert!(!url.starts_with(&bench.sandbox.world().api_url()));
        if let Some(size) = output.size_bytes {
            assert_eq!(u64::try_from(bytes.len()).unwrap(), size, "{}", output.name);
        }
        if output.name == "summary.csv" {
            let text = String::from_utf8(bytes).unwrap();
            assert!(text.contains("my reads #1 世"), "{text}");
        }
    }
    assert!(outputs.iter().any(|output| output.name == "summary.csv"));
    // Recognizable in the browser.
    let listed = bench.provider.job(&job.id).await.unwrap();
    assert_eq!(listed.name, format!("Plate 7/Reads {TAG}"));
    let page = bench.provider.jobs(&Query::default()).await.unwrap();
    assert!(page.items.iter().any(|listed| listed.remote.id == job.id));
    assert_eq!(
        bench.sandbox.world().requests().count("code_ocean.submit"),
        1
    );
}

#[tokio::test]
async fn a_pipeline_and_a_released_capsule_and_one_without_a_form_run() {
    for (name, more) in [
        ("Image statistics", vec![("capsule_measure_2/bins", "4")]),
        ("Read quality, released", vec![]),
        ("Without a form", vec![("anything", "1"), ("[1]", "x")]),
    ] {
        let bench = Bench::new().await;
        let (job, _submission) = bench.run(name, &more).await;
        bench.pass(600);
        let report = bench.ended(&job).await;
        assert_eq!(report.status, JobStatus::Succeeded, "{name}");
    }
}

#[tokio::test]
async fn every_end_of_a_run_is_told() {
    let failed = |reason: Option<&str>| JobStatus::Failed {
        reason: reason.map(str::to_owned),
    };
    for (life, status) in [
        ("succeeded-exit-1", failed(Some("Exit code 1"))),
        ("failed-exit-0", failed(None)),
        ("stopped", JobStatus::Cancelled),
        ("no-results", JobStatus::Succeeded),
        ("no-end-status", JobStatus::Succeeded),
    ] {
        for members in ["all", "omit-empty"] {
            let bench = Bench::new().await;
            bench.set(&format!("code_ocean.life={life}"));
            bench.set(&format!("code_ocean.members={members}"));
            let submission = Submission {
                settings: Settings::from([(
                    "min_quality".to_owned(),
                    Value::Text("20".to_owned()),
                )]),
                ..Submission::new(
                    bench.pipeline("Read quality").await,
                    "Plate 7",
                    Tag::from(TAG),
                )
            };
            let job = bench.submit(&submission).await.unwrap();
            bench.pass(600);
            let report = bench.ended(&job).await;
            assert_eq!(report.status, status, "{life}");
            let outputs = bench.provider.outputs(&job).await.unwrap();
            assert_eq!(outputs.is_empty(), life == "no-results", "{life}");
        }
    }
}

#[tokio::test]
async fn a_state_nobody_knows_stays_and_a_deleted_run_is_gone() {
    let bench = Bench::new().await;
    bench.set("code_ocean.life=unknown-state");
    let pipeline = bench.pipeline("Without a form").await;
    let submission = Submission::new(pipeline, "Plate 7", Tag::from(TAG));
    let job = bench.submit(&submission).await.unwrap();
    bench.pass(2);
    let report = bench.report(&job).await;
    assert_eq!(report.status, JobStatus::Unrecognized(report.word));
    bench.provider.cancel(&job).await.unwrap();
    assert_eq!(bench.report(&job).await.status, JobStatus::Gone);
    bench.provider.cancel(&job).await.unwrap();
}

#[tokio::test]
async fn a_lost_answer_is_found_again_and_nothing_sent_twice() {
    let bench = Bench::new().await;
    let submission = bench.submission("Read quality", &[]).await;
    let since = jiff::Timestamp::now();
    let lost = Lost { submission, since };
    assert_eq!(bench.provider.find(&lost).await.unwrap(), Found::Nothing);
    bench.set("lost-answer@code_ocean.submit*1");
    let error = bench.submit(&lost.submission).await.unwrap_err();
    assert!(!error.submit_made_no_job());
    let Found::Perhaps(jobs) = bench.provider.find(&lost).await.unwrap() else {
        panic!("the run has no tag yet");
    };
    assert_eq!(jobs.len(), 1);
    let mut other = lost.clone();
    other
        .submission
        .settings
        .insert("min_quality".to_owned(), Value::Text("59".to_owned()));
    assert_eq!(bench.provider.find(&other).await.unwrap(), Found::Nothing);
    assert_eq!(
        bench.sandbox.world().requests().count("code_ocean.submit"),
        1
    );
    // With its name it is certain.
    let again = bench.submit(&lost.submission).await.unwrap();
    assert_eq!(bench.provider.find(&lost).await.unwrap(), Found::Job(again));
}

#[tokio::test]
async fn a_lost_answer_about_a_data_asset_makes_no_second_one() {
    let bench = Bench::new().await;
    let mut gathering = Gathering {
        tag: Tag::from(TAG),
        name: "Plate 7".to_owned(),
        pipeline: bench.pipeline("Read quality").await,
        files: vec![bench.stage("a.fastq", READS).await],
        is_whole_folder: false,
        settings: Settings::new(),
        known: None,
    };
    bench.set("lost-answer@code_ocean.create-asset*1");
    assert!(bench.gather_once(&mut gathering).await.is_err());
    let found = bench.gather_once(&mut gathering).await.unwrap();
    assert!(!found.input.id.is_empty());
    let requests = bench.sandbox.world().requests();
    assert_eq!(requests.count("code_ocean.create-asset"), 1);
}

#[tokio::test]
async fn a_bucket_that_code_ocean_may_not_read_is_explained() {
    let bench = Bench::new().await;
    bench.set("code_ocean.bucket-access=denied");
    bench.set("code_ocean.asset-states=upper-case");
    let mut gathering = Gathering {
        tag: Tag::from(TAG),
        name: "Plate 7".to_owned(),
        pipeline: bench.pipeline("Read quality").await,
        files: vec![bench.stage("a.fastq", READS).await],
        is_whole_folder: true,
        settings: Settings::new(),
        known: None,
    };
    bench.gather_once(&mut gathering).await.unwrap();
    bench.pass(60);
    let mut polls = 0;
    let error = loop {
        match bench.gather_once(&mut gathering).await {
            Ok(_draft) if polls < 600 => polls += 1,
            failed => break failed.unwrap_err(),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert!(!error.is_retryable());
    assert!(
        error
            .failure()
            .hint
            .as_deref()
            .unwrap()
            .contains("no credentials")
    );
    assert!(error.failure().server_said.is_some());
}

#[tokio::test]
async fn short_pages_odd_capitals_old_links_and_hostile_names() {
    let bench = Bench::new().await;
    let usual = bench.provider.pipelines().await.unwrap();
    for setting in [
        "code_ocean.max-limit=1",
        "code_ocean.next-token=number",
        "code_ocean.casing=odd",
        "code_ocean.file-urls=old-only",
        "code_ocean.results=hostile",
        "code_ocean.mount=required",
        "code_ocean.unknown-parameters=refused",
        "code_ocean.rename=200",
    ] {
        bench.set(setting);
    }
    assert_eq!(bench.provider.pipelines().await.unwrap(), usual);
    let browsed = bench.provider.browse(&Query::default()).await.unwrap();
    assert!(browsed.items.len() <= 1 && browsed.next.is_some());
    let (job, _submission) = bench.run("Read quality", &[]).await;
    bench.pass(600);
    assert_eq!(bench.ended(&job).await.status, JobStatus::Succeeded);
    let outputs = bench.provider.outputs(&job).await.unwrap();
    assert!(outputs.iter().all(|output| !output.name.contains("..")));
    let summary = outputs.iter().find(|output| output.name == "summary.csv");
    bench.fetch(&job, summary.unwrap()).await;
}

#[tokio::test]
async fn a_wrong_token_and_secret_are_refused() {
    let bench = Bench::new().await;
    let url = bench.sandbox.world().api_url();
    let wrong = connect(
        &connection(&url, &[]),
        &secrets(&[("key", "cop_wrong")]),
        &http(),
    );
    let error = wrong.unwrap().check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    for fault in ["error-list", "html", "bad-gateway"] {
        bench.set(&format!("{fault}@code_ocean.capsules*9"));
        assert!(bench.provider.check().await.is_err(), "{fault}");
        bench.sandbox.world().faults().clear();
    }
}
