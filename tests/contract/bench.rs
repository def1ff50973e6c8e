//! A client connected to its own sandbox, and what trials do with it again and again.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use base64::Engine as _;
use jiff::Timestamp;
use labferry::model::connection::{Connection, clean_base_url};
use labferry::model::error::{Error, ErrorKind, Result};
use labferry::model::file::LocalFile;
use labferry::model::form::Settings;
use labferry::model::ids::{ConnectionId, PipelineId, Tag};
use labferry::model::meter::Meter;
use labferry::model::provider::{Capabilities, Intake};
use labferry::model::remote::{
    Gathering, JobReport, JobStatus, RemoteJob, StagedFile, Submission, Upload,
};
use labferry::model::secret::Secret;
use labferry::net::client::{Http, NetOptions, Patience};
use labferry::net::commit_point::CommitPoint;
use labferry::net::keep::Keep as Memo;
use labferry::net::retry::RetryPolicy;
use labferry::providers::{Entry, Provider, Secrets};
use labferry::sandbox::request_log::RequestRecord;
use labferry::sandbox::samples::Sample;
use labferry::sandbox::simulator::DemoEntry;
use labferry::sandbox::{Sandbox, SandboxOptions, samples};

use crate::stands::{Count, Key, Stand};

/// Names that have broken clients.
pub(crate) fn nasty_names() -> Vec<String> {
    let mut names: Vec<String> = [
        "plain.csv",
        "two  blanks .csv",
        "say \"aah\".csv",
        "it's.csv",
        "well #7.csv",
        "50% + 50%25.csv",
        "semi;colon,comma&amp=.csv",
        "世界 Größe µm.csv",
        "🔬.csv",
        "ends with a dot.",
        "no ending",
        "..leading.csv",
    ]
    .map(str::to_owned)
    .to_vec();
    names.push(format!("{}.csv", "x".repeat(196)));
    names
}

/// A client connected to its own sandbox.
pub(crate) struct Bench {
    pub(crate) stand: &'static Stand,
    pub(crate) entry: &'static Entry,
    pub(crate) sandbox: Sandbox,
    pub(crate) provider: Arc<dyn Provider>,
    pub(crate) folder: tempfile::TempDir,
    /// What is filled in of the connection form.
    pub(crate) entries: Vec<DemoEntry>,
    pub(crate) key: String,
    /// Shared by all clients, as making one reads all certificates.
    pub(crate) http: Http,
    files: AtomicUsize,
}

/// What came of a submission.
pub(crate) struct Submitted {
    pub(crate) outcome: Result<RemoteJob>,
    /// How often the commit point was asked about.
    pub(crate) questions: usize,
}

/// A client for tests on loopback: silence and pauses are short.
fn http() -> Http {
    Http::new(&NetOptions {
        patience: Patience::tiny(),
        retry: RetryPolicy::tiny(),
        ..NetOptions::default()
    })
    .unwrap()
}

impl Bench {
    pub(crate) async fn new(entry: &'static Entry, stand: &'static Stand) -> Self {
        let sandbox = Sandbox::start(SandboxOptions {
            speed: 20.0,
            ..SandboxOptions::default()
        })
        .await
        .unwrap();
        let entries = (stand.entries)(&sandbox);
        let key = entry_of(&entries, stand.key);
        let http = http();
        Self {
            provider: connect(entry, &entries, &http).unwrap(),
            entry,
            stand,
            sandbox,
            folder: tempfile::tempdir().unwrap(),
            entries,
            key,
            http,
            files: AtomicUsize::new(0),
        }
    }

    pub(crate) fn can(&self) -> &'static Capabilities {
        &self.entry.facts.capabilities
    }

    /// The same connection anew, with nothing remembered.
    pub(crate) fn client(&self) -> Arc<dyn Provider> {
        self.client_at(&self.address(), &self.key)
    }

    pub(crate) fn address(&self) -> String {
        entry_of(&self.entries, "url")
    }

    /// A client with another address or key.
    pub(crate) fn client_at(&self, address: &str, key: &str) -> Arc<dyn Provider> {
        let mut entries = self.entries.clone();
        for entry in &mut entries {
            if entry.field == "url" {
                address.clone_into(&mut entry.value);
            } else if entry.field == self.stand.key {
                key.clone_into(&mut entry.value);
            }
        }
        connect(self.entry, &entries, &self.http).unwrap()
    }

    /// A client of a connection in which this part of the form was left empty.
    pub(crate) fn client_without(&self, part: &str) -> Arc<dyn Provider> {
        let in_part = |field: &str| {
            let fields = self.entry.facts.connect_fields.iter();
            fields
                .filter(|known| known.part == part)
                .any(|known| known.name == field)
        };
        let mut entries = self.entries.clone();
        entries.retain(|entry| !in_part(entry.field));
        connect(self.entry, &entries, &self.http).unwrap()
    }

    /// The secrets in every form in which they travel.
    pub(crate) fn canaries(&self) -> Vec<String> {
        let secrets = self.entries.iter().filter(|entry| entry.is_secret);
        let mut canaries: Vec<String> = secrets.map(|entry| entry.value.clone()).collect();
        canaries.extend(self.keys().into_iter().skip(1));
        canaries
    }

    /// The key in every form in which it travels, plain first.
    pub(crate) fn keys(&self) -> Vec<String> {
        let mut canaries = vec![self.key.clone()];
        let user = entry_of(&self.entries, "user");
        let pair = match self.stand.count {
            Count::Listed(_, Key::User, _) => Some(format!("{}:", self.key)),
            _ if !user.is_empty() => Some(format!("{user}:{}", self.key)),
            _ => None,
        };
        canaries.extend(pair.map(|pair| base64::engine::general_purpose::STANDARD.encode(pair)));
        canaries
    }

    /// Switches a fault on, or changes a setting.
    pub(crate) fn set(&self, text: &str) {
        self.sandbox.world().faults().add(text).unwrap();
    }

    /// Switches all faults off.
    pub(crate) fn clear(&self) {
        self.sandbox.world().faults().clear();
    }

    pub(crate) fn pass(&self, time: Duration) {
        self.sandbox.world().advance(time);
    }

    pub(crate) fn requests(&self) -> Vec<RequestRecord> {
        self.sandbox.world().requests().all()
    }

    pub(crate) fn count(&self, endpoint: &str) -> usize {
        self.sandbox.world().requests().count(endpoint)
    }

    /// A file of this computer to send; its name there is what matters, here it has a plain one.
    pub(crate) fn upload(&self, name: &str, bytes: &[u8]) -> Upload {
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let path = self.folder.path().join(format!("{number}.bin"));
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(bytes).unwrap();
        let metadata = file.metadata().unwrap();
        let short: String = name.chars().take(self.can().max_name_chars).collect();
        Upload {
            file: LocalFile {
                path,
                name: name.to_owned(),
                folder: String::new(),
                size_bytes: metadata.len(),
                modified: Timestamp::try_from(metadata.modified().unwrap()).ok(),
            },
            remote_name: short,
            remote_folder: "2026-11-21 Plate 7".to_owned(),
            metadata: BTreeMap::new(),
        }
    }

    /// A submission of one sample.
    pub(crate) async fn submission(&self) -> Submission {
        self.submission_of(self.sample_upload()).await
    }

    /// A submission of this file, which is staged where that comes first.
    pub(crate) async fn submission_of(&self, upload: Upload) -> Submission {
        self.submission_of_all(vec![upload]).await
    }

    /// A submission of these files, with the values its form has at first.
    pub(crate) async fn submission_of_all(&self, uploads: Vec<Upload>) -> Submission {
        let mut submission = self.empty_submission().await;
        if self.can().intake == Intake::WithSubmission {
            submission.uploads = uploads;
            return submission;
        }
        for upload in &uploads {
            let staged = self
                .provider
                .stage(upload, &Memo::forgetful(), &Meter::default())
                .await;
            submission.staged.push(staged.unwrap());
        }
        if self.can().intake == Intake::ThroughBucket {
            let gathering = gathering(&submission);
            submission.staged = vec![self.gathered(gathering).await.unwrap()];
        }
        submission
    }

    /// A submission of nothing yet, with the values its form has at first.
    pub(crate) async fn empty_submission(&self) -> Submission {
        let pipeline = PipelineId::from(self.stand.pipeline);
        let form = self.provider.form(&pipeline).await.unwrap();
        let number = self.files.fetch_add(1, Ordering::Relaxed);
        let tag = Tag::from(format!("lf-4k7q2{number:03}").as_str());
        let mut submission = Submission::new(pipeline, "Plate 7 – “first” look #1", tag);
        submission.settings = form.filled(&Settings::new());
        submission
    }

    /// Asks for an input of gathered files until a job may use it.
    pub(crate) async fn gathered(&self, mut gathering: Gathering) -> Result<StagedFile> {
        loop {
            let gathered = self.provider.gather(&gathering).await?;
            if gathered.ready {
                return Ok(gathered.input);
            }
            gathering.known = Some(gathered);
            self.pass(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// What the pipeline of the stand can work on.
    pub(crate) fn sample(&self) -> Sample {
        let mut samples = samples::make().unwrap().into_iter();
        let named = samples.find(|sample| sample.name == self.stand.sample);
        named.expect("a sample of that name")
    }

    pub(crate) fn sample_upload(&self) -> Upload {
        let sample = self.sample();
        self.upload(sample.name, &sample.bytes)
    }

    /// Submits, answering the commit point whenever asked.
    pub(crate) async fn submit(
        &self,
        client: &Arc<dyn Provider>,
        submission: &Submission,
    ) -> Submitted {
        let (commit, mut requests) = CommitPoint::new();
        let questions = AtomicUsize::new(0);
        let journal = async {
            while let Some((_draft, answer)) = requests.recv().await {
                questions.fetch_add(1, Ordering::SeqCst);
                answer.send(()).ok();
            }
        };
        let meter = Meter::default();
        let outcome = tokio::select! {
            outcome = client.submit(submission, &commit, &meter) => outcome,
            () = journal => std::future::pending().await,
        };
        Submitted {
            outcome,
            questions: questions.into_inner(),
        }
    }

    /// A job that was just made.
    pub(crate) async fn job(&self) -> RemoteJob {
        let submission = self.submission().await;
        self.submit(&self.provider, &submission)
            .await
            .outcome
            .unwrap()
    }

    /// A job that has succeeded.
    pub(crate) async fn succeeded(&self) -> RemoteJob {
        let job = self.job().await;
        let report = self.settled(&job).await;
        assert_eq!(report.status, JobStatus::Succeeded, "{report:?}");
        job
    }

    pub(crate) async fn report(&self, job: &RemoteJob) -> Result<JobReport> {
        let mut reports = self.provider.status(std::slice::from_ref(job)).await?;
        assert_eq!(reports.len(), 1, "one report a job");
        reports.remove(0)
    }

    /// The first report of an end. The world's clock is pushed, the work itself takes its time.
    pub(crate) async fn settled(&self, job: &RemoteJob) -> JobReport {
        loop {
            let report = self.report(job).await.unwrap();
            match report.status {
                JobStatus::Queued | JobStatus::Running { .. } | JobStatus::Unrecognized(_) => {}
                _ => return report,
            }
            self.pass(Duration::from_secs(3));
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// How many jobs there are. Switches faults off.
    pub(crate) async fn jobs(&self) -> usize {
        self.clear();
        match self.stand.count {
            Count::Answered(status) => {
                let records = self.sandbox.world().requests().at(self.stand.submit);
                let made = |record: &&RequestRecord| record.status == Some(status);
                records.iter().filter(made).count()
            }
            Count::Listed(path, key, count) => {
                let client = reqwest::Client::builder().no_proxy().build().unwrap();
                let request = client.get(format!("{}/{path}", self.address()));
                let request = match key {
                    Key::Header(name) => request.header(name, &self.key),
                    Key::User => request.basic_auth(&self.key, Some("")),
                };
                let body: serde_json::Value = request.send().await.unwrap().json().await.unwrap();
                count(&body)
            }
        }
    }

    /// Fails when an error shows the key or the source of a web page, in any of its texts.
    pub(crate) fn assert_readable(&self, error: &Error, when: &str) {
        let said = error.failure().server_said.clone().unwrap_or_default();
        let texts = [format!("{error:?}"), format!("{error}"), said];
        for text in &texts {
            for canary in self.canaries() {
                assert!(!text.contains(&canary), "{when}: the key is in {text}");
            }
            let lower = text.to_lowercase();
            for tag in [
                "<!doctype",
                "<html",
                "</",
                "<h1",
                "<p>",
                "<script",
                "<style",
                "<title",
            ] {
                assert!(!lower.contains(tag), "{when}: tags in {text}");
            }
        }
        assert!(texts[2].chars().count() <= 500, "{when}: {}", texts[2]);
    }
}

/// What one gets who asks for what a platform does not offer: the word for it, and not a single request.
pub(crate) fn assert_unsupported<T>(outcome: Result<T>, what: &str) {
    let Err(error) = outcome else {
        panic!("{what} is offered after all");
    };
    assert_eq!(error.kind(), ErrorKind::Unsupported, "{what}: {error:?}");
}

/// The files of a submission as they are gathered into one input.
pub(crate) fn gathering(submission: &Submission) -> Gathering {
    Gathering {
        tag: submission.tag.clone(),
        name: submission.name.clone(),
        pipeline: submission.pipeline.clone(),
        files: submission.staged.clone(),
        is_whole_folder: false,
        settings: submission.settings.clone(),
        known: None,
    }
}

fn entry_of(entries: &[DemoEntry], field: &str) -> String {
    let entry = entries.iter().find(|entry| entry.field == field);
    entry.map(|entry| entry.value.clone()).unwrap_or_default()
}

fn connect(entry: &Entry, entries: &[DemoEntry], http: &Http) -> Result<Arc<dyn Provider>> {
    let options: BTreeMap<String, String> = entries
        .iter()
        .filter(|entry| !entry.is_secret && entry.field != "url")
        .map(|entry| (entry.field.to_owned(), entry.value.clone()))
        .collect();
    let secrets: Secrets = entries
        .iter()
        .filter(|entry| entry.is_secret)
        .map(|entry| {
            let secret = Secret::parse_key(&entry.value).unwrap();
            (entry.field.to_owned(), secret)
        })
        .collect();
    let connection = Connection {
        id: ConnectionId(1),
        provider: entry.facts.id.clone(),
        label: "Core".to_owned(),
        base_url: clean_base_url(&entry_of(entries, "url")).unwrap(),
        options,
        vault_name: "vault".to_owned(),
        account: None,
    };
    (entry.connect)(&connection, &secrets, http)
}
