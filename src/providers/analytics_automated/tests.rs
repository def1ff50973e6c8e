//! The client against the simulated server, on loopback.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use super::*;
use crate::model::file::LocalFile;
use crate::model::form::{Settings, Value};
use crate::model::ids::ConnectionId;
use crate::model::remote::Progress;
use crate::model::secret::Secret;
use crate::net::client::{NetOptions, Patience};
use crate::net::retry::RetryPolicy;
use crate::providers::analytics_automated::sim::{PASSWORD_KEY, USER};
use crate::sandbox::{Sandbox, SandboxOptions};

struct Bench {
    sandbox: Sandbox,
    provider: Arc<dyn Provider>,
    folder: tempfile::TempDir,
}

fn http() -> Http {
    Http::new(&NetOptions {
        patience: Patience::tiny(),
        retry: RetryPolicy::tiny(),
        ..NetOptions::default()
    })
    .unwrap()
}

fn connection(url: &str, options: &[(&str, &str)]) -> Connection {
    Connection {
        id: ConnectionId(1),
        provider: FACTS.id.clone(),
        label: "Core".to_owned(),
        base_url: url.to_owned(),
        options: options
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect(),
        vault_name: "vault".to_owned(),
        account: None,
    }
}

fn secrets(password: &str) -> Secrets {
    let password = Secret::parse_password(password).unwrap();
    BTreeMap::from([("password".to_owned(), password)])
}

const EMAIL: (&str, &str) = ("email", "someone@example.org");

impl Bench {
    async fn new() -> Self {
        Self::with(&[EMAIL], |_| Secrets::new()).await
    }

    async fn with(options: &[(&str, &str)], secrets: impl Fn(&Sandbox) -> Secrets) -> Self {
        let sandbox = Sandbox::start(SandboxOptions::default()).await.unwrap();
        let connection = connection(
            &sandbox.addresses().entry("analytics-automated", "url"),
            options,
        );
        let provider = connect(&connection, &secrets(&sandbox), &http()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        Self {
            sandbox,
            provider,
            folder,
        }
    }

    fn set(&self, text: &str) {
        self.sandbox.world().faults().add(text).unwrap();
    }

    fn pass(&self, seconds: u64) {
        self.sandbox.world().advance(Duration::from_secs(seconds));
    }

    fn submission(&self, pipeline: &str, name: &str, bytes: &[u8]) -> Submission {
        let tag = Tag::from("lf-4k7q2m9x");
        Submission {
            uploads: vec![upload(self.folder.path(), name, bytes)],
            ..Submission::new(PipelineId::from(pipeline), "Plate 7 – first look", tag)
        }
    }

    async fn submit(&self, submission: &Submission) -> Result<RemoteJob> {
        let (commit, mut requests) = CommitPoint::new();
        let journal = async move {
            while let Some((_draft, answer)) = requests.recv().await {
                answer.send(()).unwrap();
            }
        };
        let meter = Meter::default();
        tokio::select! {
            submitted = self.provider.submit(submission, &commit, &meter) => submitted,
            () = journal => std::future::pending().await,
        }
    }

    async fn done(&self, pipeline: &str) -> RemoteJob {
        let submission = self.submission(pipeline, "a.csv", b"b,1\na,2\n");
        let job = self.submit(&submission).await.unwrap();
        self.pass(60);
        job
    }

    async fn report(&self, job: &RemoteJob) -> Result<JobReport> {
        let jobs = [job.clone()];
        self.provider.status(&jobs).await?.remove(0)
    }

    async fn fetch(&self, job: &RemoteJob, output: &Output) -> (String, String) {
        let link = self.provider.link(job, output).await.unwrap();
        let Link::Ready { url, header } = link else {
            panic!("no link is ever prepared here");
        };
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let mut request = client.get(url.reveal());
        if let Some((name, value)) = header {
            request = request.header(name, value.reveal());
        }
        let response = request.send().await.unwrap();
        assert!(response.status().is_success(), "{}", response.status());
        (url.reveal().to_owned(), response.text().await.unwrap())
    }
}

fn upload(folder: &Path, name: &str, bytes: &[u8]) -> Upload {
    let path = folder.join(name);
    let mut file = std::fs::File::create(&path).unwrap();
    file.write_all(bytes).unwrap();
    drop(file);
    Upload {
        file: LocalFile {
            path,
            name: name.to_owned(),
            folder: String::new(),
            size_bytes: u64::try_from(bytes.len()).unwrap(),
            modified: None,
        },
        remote_name: name.to_owned(),
        remote_folder: String::new(),
        metadata: BTreeMap::new(),
    }
}

#[tokio::test]
async fn the_whole_way_with_a_nasty_name() {
    let bench = Bench::new().await;
    let account = bench.provider.check().await.unwrap();
    assert_eq!(account.name, "127.0.0.1");
    let pipelines = bench.provider.pipelines().await.unwrap();
    assert_eq!(pipelines[0].id, PipelineId::from("wordcount"));
    assert_eq!(pipelines[0].typical_secs, Some(2));
    assert_eq!(pipelines[3].typical_secs, None);
    let form = bench.provider.form(&pipelines[1].id).await.unwrap();
    let given = Settings::from([("headtask_lines".to_owned(), Value::Text("2".to_owned()))]);
    let settings = form.filled(&given);
    assert!(form.problems(&settings).is_empty());

    let mut submission = bench.submission("headsort", "my #1 \"50%\" 世界.csv", b"b\na\nc\n");
    submission.settings = settings;
    let job = bench.submit(&submission).await.unwrap();
    let base = &bench
        .sandbox
        .addresses()
        .entry("analytics-automated", "url");
    assert_eq!(job.web_page, Some(format!("{base}submission/{}", job.id)));
    assert_eq!(bench.report(&job).await.unwrap().status, JobStatus::Queued);
    bench.sandbox.world().advance(Duration::from_millis(2_300));
    let running = bench.report(&job).await.unwrap();
    let progress = Some(Progress::Steps {
        done: 1,
        total: Some(2),
    });
    assert_eq!(running.status, JobStatus::Running { progress });
    bench.pass(60);
    let report = bench.report(&job).await.unwrap();
    assert_eq!(report.status, JobStatus::Succeeded);
    assert_eq!(report.word, "Complete");
    let outputs = bench.provider.outputs(&job).await.unwrap();
    let names: Vec<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(names, ["1_headtask.txt", "2_sorttask.sorted"]);
    assert_eq!(bench.fetch(&job, &outputs[1]).await.1, "a\nb\n");
    // The interface is never asked with HEAD, nor for a page.
    let requests = bench.sandbox.world().requests().all();
    assert!(requests.iter().all(|request| request.method != "HEAD"));
    assert!(requests.iter().all(|request| request.status != Some(301)));
    assert_eq!(bench.sandbox.world().requests().count("aa.submit"), 1);
}

#[tokio::test]
async fn the_base_of_results_is_found_and_remembered() {
    for (media, probes) in [("origin", 2), ("root", 1), ("absolute", 0)] {
        let bench = Bench::new().await;
        bench.set(&format!("aa.media={media}"));
        let job = bench.done("zipresults").await;
        let outputs = bench.provider.outputs(&job).await.unwrap();
        assert!(outputs[0].unpack);
        for output in &outputs {
            let (url, _) = bench.fetch(&job, output).await;
            assert!(url.ends_with(output.id.rsplit('/').next().unwrap()));
        }
        let asked = bench.sandbox.world().requests().count("aa.file");
        assert_eq!(asked, probes + outputs.len(), "{media}");
    }
}

#[tokio::test]
async fn a_files_base_address_settles_it() {
    let bench = Bench::new().await;
    bench.set("aa.media=root");
    let job = bench.done("wordcount").await;
    let output = bench.provider.outputs(&job).await.unwrap().remove(0);
    let url = &bench
        .sandbox
        .addresses()
        .entry("analytics-automated", "url");
    let connection = connection(url, &[EMAIL, ("files_url", url)]);
    let provider = connect(&connection, &Secrets::new(), &http()).unwrap();
    let asked = bench.sandbox.world().requests().count("aa.file");
    let Link::Ready { url: found, header } = provider.link(&job, &output).await.unwrap() else {
        panic!("no link is ever prepared here");
    };
    assert_eq!(
        found.reveal(),
        format!("{}{}", url.trim_end_matches('/'), output.id)
    );
    assert!(header.is_none());
    assert_eq!(bench.sandbox.world().requests().count("aa.file"), asked);
}

#[tokio::test]
async fn purged_files_are_named_as_such() {
    let bench = Bench::new().await;
    let job = bench.done("wordcount").await;
    let output = bench.provider.outputs(&job).await.unwrap().remove(0);
    bench.set("aa.files=purged");
    let error = bench.provider.link(&job, &output).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(
        error
            .failure()
            .hint
            .as_ref()
            .unwrap()
            .contains("delete results")
    );
}

#[tokio::test]
async fn credentials_go_to_the_origin_of_the_interface_alone() {
    let options = [EMAIL, ("user", USER)];
    let bench = Bench::with(&options, |sandbox| {
        secrets(&sandbox.world().key(PASSWORD_KEY))
    })
    .await;
    let account = bench.provider.check().await.unwrap();
    assert_eq!(account.name, format!("{USER} at 127.0.0.1"));
    let job = bench.done("wordcount").await;
    let output = bench.provider.outputs(&job).await.unwrap().remove(0);
    let Link::Ready { header, .. } = bench.provider.link(&job, &output).await.unwrap() else {
        panic!("no link is ever prepared here");
    };
    assert_eq!(header.unwrap().0, "authorization");
    bench.set("aa.media=absolute");
    let output = bench.provider.outputs(&job).await.unwrap().remove(0);
    let Link::Ready { header, .. } = bench.provider.link(&job, &output).await.unwrap() else {
        panic!("no link is ever prepared here");
    };
    assert!(header.is_none());
}

#[tokio::test]
async fn a_wrong_password_is_about_the_connection() {
    let options = [EMAIL, ("user", USER)];
    let bench = Bench::with(&options, |_| secrets("wrong")).await;
    let error = bench.provider.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
    let job = RemoteJob {
        id: "c078eaf2-e53d-11f1-9d4a-02fc00000001".to_owned(),
        web_page: None,
        memo: String::new(),
    };
    let error = bench.provider.status(&[job]).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unauthenticated);
}

#[test]
fn a_connection_that_cannot_work_is_refused() {
    let refusal = |url: &str, options: &[(&str, &str)], secrets: &Secrets| {
        let Err(error) = connect(&connection(url, options), secrets, &http()) else {
            panic!("accepted");
        };
        (
            error.kind(),
            error.failure().hint.clone().unwrap_or_default(),
        )
    };
    let url = "http://server.example.org/analytics_automated/";
    let none = Secrets::new();
    let password = secrets("correct horse");
    assert_eq!(refusal(url, &[], &none).0, ErrorKind::Invalid);
    assert_eq!(
        refusal(url, &[("email", "nobody")], &none).0,
        ErrorKind::Invalid
    );
    let user = [EMAIL, ("user", "lab")];
    assert_eq!(refusal(url, &user, &none).0, ErrorKind::Unauthenticated);
    assert_eq!(refusal(url, &[EMAIL], &password).0, ErrorKind::Invalid);
    let (kind, hint) = refusal(url, &user, &password);
    assert_eq!(kind, ErrorKind::Invalid);
    assert!(hint.contains("https"), "{hint}");
    assert_eq!(
        refusal(url, &[EMAIL, ("files_url", "ftp://x")], &none).0,
        ErrorKind::Invalid
    );
    assert!(connect(&connection(url, &[EMAIL]), &none, &http()).is_ok());
}

#[tokio::test]
async fn refusals_say_what_to_change() {
    let bench = Bench::new().await;
    let refusal = async |pipeline: &str, lines: Option<&str>| {
        let mut submission = bench.submission(pipeline, "a.csv", b"a,b\n");
        if let Some(lines) = lines {
            let text = |text: &str| Value::Text(text.to_owned());
            submission.settings = Settings::from([
                ("headtask_lines".to_owned(), text(lines)),
                ("sorttask_reverse".to_owned(), Value::Flag(true)),
            ]);
        }
        bench.submit(&submission).await.unwrap_err()
    };
    let hint = |error: &Error| error.failure().hint.clone().unwrap_or_default();

    let error = refusal("png_only", None).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);
    assert_eq!(error.failure().status, Some(507));
    assert!(hint(&error).contains("the kind this job needs"));
    assert!(error.submit_made_no_job());

    let error = refusal("retired", None).await;
    assert_eq!(error.kind(), ErrorKind::Forbidden);
    let said = error.failure().server_said.clone().unwrap();
    assert_eq!(said, "retired is present but currently disabled.");

    let error = refusal("draft", None).await;
    assert_eq!(error.kind(), ErrorKind::Invalid);

    let error = refusal("headsort", Some("mean")).await;
    assert_eq!(hint(&error), "The server refuses the value of a setting");

    let error = refusal("headsort", Some("-1")).await;
    assert_eq!(error.kind(), ErrorKind::ServerFault);
    assert!(hint(&error).contains("punctuation"));
    assert!(!error.submit_made_no_job());

    bench.set("aa.limit=0");
    let error = refusal("wordcount", None).await;
    assert_eq!(error.kind(), ErrorKind::RateLimited);
    assert!(error.submit_made_no_job());
}

#[tokio::test]
async fn what_is_known_beforehand_is_never_sent() {
    let bench = Bench::new().await;
    let mut empty = bench.submission("wordcount", "empty.csv", b"");
    let mut several = bench.submission("wordcount,headsort", "a.csv", b"1");
    let long = bench.submission("wordcount", "b.csv", b"1");
    let mut long_name = long.clone();
    long_name.uploads[0].remote_name = "x".repeat(101);
    for submission in [&mut empty, &mut several, &mut long_name] {
        let error = bench.submit(submission).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert!(error.submit_made_no_job());
    }
    let meter = Meter::default();
    let upload = &long.uploads[0];
    let unsupported = [
        bench
            .provider
            .stage(upload, &Keep::forgetful(), &meter)
            .await
            .map(drop),
        bench.provider.browse(&Query::default()).await.map(drop),
        bench
            .provider
            .find(&Lost::of_tag(long.tag.clone()))
            .await
            .map(drop),
        bench
            .provider
            .cancel(&RemoteJob {
                id: String::new(),
                web_page: None,
                memo: String::new(),
            })
            .await,
    ];
    for answer in unsupported {
        assert_eq!(answer.unwrap_err().kind(), ErrorKind::Unsupported);
    }
    assert!(bench.sandbox.world().requests().all().is_empty());
}

#[tokio::test]
async fn a_lost_answer_may_have_made_a_job_and_is_not_repeated() {
    let bench = Bench::new().await;
    bench.set("lost-answer@aa.submit*1");
    let submission = bench.submission("wordcount", "a.csv", b"1");
    let error = bench.submit(&submission).await.unwrap_err();
    assert!(!error.submit_made_no_job());
    assert_eq!(bench.sandbox.world().requests().count("aa.submit"), 1);
    bench.set("refuse-before@aa.submit*1");
    let error = bench.submit(&submission).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert_eq!(bench.sandbox.world().requests().count("aa.submit"), 2);
}

#[tokio::test]
async fn one_unreadable_batch_leaves_the_others_readable() {
    let bench = Bench::new().await;
    let unreadable = bench.done("nooutput").await;
    let good = bench.done("wordcount").await;
    let unknown = RemoteJob {
        id: "00000000-0000-1000-8000-000000000000".to_owned(),
        ..good.clone()
    };
    let typed = RemoteJob {
        id: "../job.json".to_owned(),
        ..good.clone()
    };
    let jobs = [unreadable, good, unknown, typed];
    let reports = bench.provider.status(&jobs).await.unwrap();
    let error = reports[0].as_ref().unwrap_err();
    assert_eq!(error.kind(), ErrorKind::ServerFault);
    assert!(error.failure().hint.is_some());
    assert_eq!(reports[1].as_ref().unwrap().status, JobStatus::Succeeded);
    assert_eq!(reports[2].as_ref().unwrap().status, JobStatus::Gone);
    assert_eq!(reports[3].as_ref().unwrap_err().kind(), ErrorKind::Invalid);
}

#[tokio::test]
async fn failed_jobs_keep_their_first_results_and_stuck_ones_run_on() {
    let bench = Bench::new().await;
    let failed = bench.done("failing").await;
    let report = bench.report(&failed).await.unwrap();
    let JobStatus::Failed { reason } = report.status else {
        panic!("{report:?}");
    };
    assert!(reason.unwrap().contains("Exit status 1"));
    let outputs = bench.provider.outputs(&failed).await.unwrap();
    assert_eq!(outputs.len(), 1);
    let stuck = bench.done("stuck").await;
    bench.pass(1_000_000);
    let report = bench.report(&stuck).await.unwrap();
    assert!(matches!(report.status, JobStatus::Running { .. }));
}

#[tokio::test]
async fn an_address_that_is_no_server_is_explained() {
    let bench = Bench::new().await;
    let url = format!("{}/elsewhere/", bench.sandbox.world().api_url());
    let provider = connect(&connection(&url, &[EMAIL]), &Secrets::new(), &http()).unwrap();
    let error = provider.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::NotFound);
    assert!(error.failure().hint.as_ref().unwrap().contains("root"));
    bench.set("html@aa.endpoints");
    let error = bench.provider.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Garbled);
}

#[test]
fn the_address_of_a_page_leads_to_the_root() {
    let root = "https://h.example.org/analytics_automated/";
    for pasted in ["", "endpoints.json/", "endpoints/", "submission/", "job/"] {
        assert_eq!(root_of(&format!("{root}{pasted}")), root);
    }
    assert_eq!(
        root_of("https://h.example.org/printjob/"),
        "https://h.example.org/printjob/"
    );
}

#[test]
fn the_remote_name_is_short_and_ends_with_the_tag() {
    let tag = Tag::from("lf-4k7q2m9x");
    assert_eq!(remote_name("Plate 7\n a", &tag), "Plate 7 a lf-4k7q2m9x");
    assert_eq!(remote_name("", &tag), "lf-4k7q2m9x");
    let long = remote_name(&"世".repeat(200), &tag);
    assert_eq!(long.chars().count(), LONGEST_NAME);
    assert!(long.ends_with(" lf-4k7q2m9x"));
}
