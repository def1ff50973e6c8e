//! The Seven Bridges client against its simulator: the traps of `providers/seven_bridges/notes.md`, one by one.
//!
//! Owns nothing that is promised by every platform alike; that is the contract suite's.

mod asking;
mod limits;
mod tasks;
mod uploads;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use labferry::model::connection::{Connection, clean_base_url};
use labferry::model::error::Result;
use labferry::model::file::LocalFile;
use labferry::model::form::{Settings, Value};
use labferry::model::ids::{ConnectionId, PipelineId, ProviderId, Tag};
use labferry::model::meter::Meter;
use labferry::model::remote::{
    JobReport, JobStatus, Link, Output, RemoteJob, StagedFile, Submission, Upload,
};
use labferry::model::secret::Secret;
use labferry::net::client::{Http, NetOptions, Patience};
use labferry::net::commit_point::{CommitPoint, CommitRequests};
use labferry::net::download::{Expected, Order, fetch};
use labferry::net::keep::{Keep, KeepRequests};
use labferry::net::retry::RetryPolicy;
use labferry::providers::Provider;
use labferry::sandbox::{Sandbox, SandboxOptions};
use tempfile::TempDir;

const PROJECT: &str = "john_doe/plate-7";
const SUMMARY: &str = "john_doe/plate-7/table-summary/2";
const FOLDER: &str = "labferry 2026-11-21 世界 #1";

struct Bench {
    sandbox: Sandbox,
    provider: Arc<dyn Provider>,
    http: Http,
    folder: TempDir,
}

impl Bench {
    async fn start(faults: &[&str]) -> Self {
        Self::in_project(faults, PROJECT).await
    }

    async fn in_project(faults: &[&str], project: &str) -> Self {
        let sandbox = Sandbox::start(SandboxOptions {
            // The clock stands still but where a test waits: no load can make a short state pass unseen.
            speed: 1e-6,
            faults: faults.iter().map(ToString::to_string).collect(),
            ..SandboxOptions::default()
        })
        .await
        .unwrap();
        let http = Http::new(&NetOptions {
            patience: Patience {
                answer: Duration::from_secs(10),
                after_upload: Duration::from_secs(10),
                idle: Duration::from_secs(10),
                ..Patience::tiny()
            },
            retry: RetryPolicy::tiny(),
            ..NetOptions::default()
        })
        .unwrap();
        let key = sandbox
            .world()
            .key(labferry::providers::seven_bridges::sim::PLATFORM);
        let key = Secret::parse_key(&key).unwrap();
        let secrets = BTreeMap::from([("key".to_owned(), key)]);
        // Without its version, as the vendor's overview page writes it.
        let url = format!("http://{}", sandbox.world().api_address());
        let connection = connection(&url, project);
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

    fn set(&self, fault: &str) {
        self.sandbox.world().faults().add(fault).unwrap();
    }

    fn clear(&self) {
        self.sandbox.world().faults().clear();
    }

    fn file(&self, name: &str, bytes: &[u8]) -> Upload {
        let path = self.folder.path().join(name);
        let mut file = std::fs::File::create(&path).unwrap();
        std::io::copy(&mut &*bytes, &mut file).unwrap();
        Upload {
            file: picked(&path),
            remote_name: name.to_owned(),
            remote_folder: FOLDER.to_owned(),
            metadata: BTreeMap::new(),
        }
    }

    fn table(&self, name: &str) -> Upload {
        self.file(name, b"well,count\nA01,26\nA02,14\nA03,\n")
    }

    async fn stage(&self, upload: &Upload) -> Result<StagedFile> {
        self.provider
            .stage(upload, &Keep::forgetful(), &Meter::default())
            .await
    }

    async fn tables(&self, names: &[&str]) -> Vec<StagedFile> {
        let mut staged = Vec::new();
        for name in names {
            staged.push(self.stage(&self.table(name)).await.unwrap());
        }
        staged
    }

    /// A submission with the defaults of the form.
    async fn submission(&self, app: &str, staged: Vec<StagedFile>) -> Submission {
        let form = self.provider.form(&PipelineId::from(app)).await.unwrap();
        Submission {
            staged,
            settings: form.defaults(),
            ..Submission::new(
                PipelineId::from(app),
                "Plate 7 # 100 %",
                Tag::from("lf-4k7q2m9x"),
            )
        }
    }

    /// Submits, and says which draft was journalled.
    async fn submit(&self, submission: &Submission) -> (Result<RemoteJob>, Option<RemoteJob>) {
        let (commit, requests) = CommitPoint::new();
        let meter = Meter::default();
        let submitted = self.provider.submit(submission, &commit, &meter);
        tokio::pin!(submitted);
        let mut drafted = None;
        let journal = journal(requests, &mut drafted);
        let outcome = tokio::select! {
            outcome = &mut submitted => outcome,
            () = journal => submitted.await,
        };
        (outcome, drafted)
    }

    async fn report(&self, job: &RemoteJob) -> JobReport {
        let mut reports = self
            .provider
            .status(std::slice::from_ref(job))
            .await
            .unwrap();
        reports.remove(0).unwrap()
    }

    /// A fifth of a second of the world's clock goes by; work is done in real time.
    async fn pass(&self) {
        self.sandbox.world().advance(Duration::from_millis(200));
        tokio::time::sleep(Duration::from_millis(2)).await;
    }

    /// The reports until the first that is neither queued nor running.
    async fn settle(&self, job: &RemoteJob) -> Vec<JobReport> {
        let mut reports = Vec::new();
        let started = Instant::now();
        loop {
            let report = self.report(job).await;
            let settled = !matches!(report.status, JobStatus::Queued | JobStatus::Running { .. });
            reports.push(report);
            if settled {
                return reports;
            }
            assert!(started.elapsed() < Duration::from_secs(30), "{reports:?}");
            self.pass().await;
        }
    }

    async fn fetch(&self, job: &RemoteJob, output: &Output) -> Result<Vec<u8>> {
        let link = self.provider.link(job, output).await?;
        if let Link::Ready { header, .. } = &link {
            assert!(header.is_none(), "the token goes to no storage");
        }
        let name = format!("fetched {}", output.id);
        let final_path = self.folder.path().join(&name);
        let meter = Meter::default();
        let order = Order {
            expected: &Expected {
                size_bytes: output.size_bytes,
                ..Expected::default()
            },
            part_path: &self.folder.path().join(format!("{name}.part")),
            final_path: &final_path,
            meter: &meter,
        };
        let renew = Box::new(|| self.provider.link(job, output));
        fetch(&self.http, link, renew, &order).await?;
        Ok(std::fs::read(final_path).unwrap())
    }
}

fn connection(url: &str, project: &str) -> Connection {
    Connection {
        id: ConnectionId(1),
        provider: ProviderId::from("seven-bridges"),
        label: "Genomics core".to_owned(),
        base_url: clean_base_url(url).unwrap(),
        options: BTreeMap::from([("project".to_owned(), project.to_owned())]),
        vault_name: "test".to_owned(),
        account: None,
    }
}

async fn journal(mut requests: CommitRequests, drafted: &mut Option<RemoteJob>) {
    if let Some((draft, answer)) = requests.recv().await {
        *drafted = draft;
        answer.send(()).ok();
    }
}

/// Keeps the last wish of an upload, as the journal does.
async fn keeping(mut wishes: KeepRequests, last: Arc<std::sync::Mutex<Option<String>>>) {
    while let Some((text, answer)) = wishes.recv().await {
        *last.lock().unwrap() = Some(text);
        answer.send(()).ok();
    }
    std::future::pending::<()>().await;
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

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn with(settings: &Settings, name: &str, value: Value) -> Settings {
    let mut settings = settings.clone();
    settings.insert(name.to_owned(), value);
    settings
}
