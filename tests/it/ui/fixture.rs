//! Hand-made snapshots: what the engine would publish, without an engine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use labferry::engine::snapshot::{
    CheckState, ConnectionView, DraftView, JobView, KeyringState, Loadable, Phase, Snapshot,
    Traffic,
};
use labferry::model::artifact::{Artifact, ArtifactState, Fetched, UnpackedFile};
use labferry::model::batch::{Batch, BatchFile};
use labferry::model::connection::{Account, Connection, KeyState};
use labferry::model::file::{FileProblem, ListedFile, LocalFile};
use labferry::model::form::{Field, FieldKind, Form, TextRule, Value};
use labferry::model::ids::{
    ArtifactId, BatchId, ConnectionId, FileId, JobId, NoticeId, PipelineId, ProviderId, Tag,
};
use labferry::model::job::{Job, Moment, Stage};
use labferry::model::notice::{About, Action, Notice, Weight, Words};
use labferry::model::pipeline::Pipeline;
use labferry::model::provider::{
    CancelKind, Capabilities, ConnectField, ConnectFieldKind, FanOut, Intake, Limits, LostSubmit,
    Nouns, PollPace, ProgressKind, ProviderFacts,
};
use labferry::model::remote::{JobReport, JobStatus, Output, Progress, RemoteJob};
use labferry::model::settings::AppSettings;
use labferry::model::text::{TextPage, TextRow};

pub(crate) const CAPABILITIES: Capabilities = Capabilities {
    intake_needs: None,
    lists_jobs: false,
    intake: Intake::UploadFirst,
    max_file_bytes: Some(2_000_000_000),
    refuses_empty_files: true,
    max_name_chars: 255,
    fan_outs: &[FanOut::AllInOne, FanOut::OnePerFile],
    progress: ProgressKind::Percent,
    cancel: CancelKind::StopWatching,
    lost_submit: LostSubmit::Candidates,
    partial_results: false,
    browses_inputs: false,
    poll: PollPace {
        first: Duration::from_secs(1),
        usual: Duration::from_secs(1),
        longest: Duration::from_secs(1),
    },
    limits: Limits {
        requests_per_second: 5,
        parallel_requests: 2,
        parallel_uploads: 2,
        jobs_alive: None,
    },
    cost: None,
};

pub(crate) const fn field(
    name: &'static str,
    label: &'static str,
    kind: ConnectFieldKind,
    required: bool,
) -> ConnectField {
    ConnectField {
        part: "",
        presets: &[],
        name,
        label,
        help: "Where to find it",
        kind,
        required,
        default: "",
    }
}

/// A platform with a key that takes many files in a job.
pub(crate) static SCOPE: ProviderFacts = ProviderFacts {
    profiles: None,
    id: ProviderId::new("scope"),
    name: "Scope",
    about: "Analyzes microscopy images",
    nouns: Nouns {
        input: "file",
        pipeline: "pipeline",
        job: "analysis",
    },
    connect_fields: &[
        field("url", "Address", ConnectFieldKind::Url, true),
        field("key", "Key", ConnectFieldKind::Key, true),
    ],
    capabilities: CAPABILITIES,
    status_page: None,
};

/// A platform without a key that takes one file in a job.
pub(crate) static FOLD: ProviderFacts = ProviderFacts {
    profiles: None,
    id: ProviderId::new("fold"),
    name: "Fold server",
    about: "Runs sequence analyses of an institute",
    nouns: Nouns {
        input: "file",
        pipeline: "job",
        job: "submission",
    },
    connect_fields: &[
        field("url", "Address", ConnectFieldKind::Url, true),
        field("email", "Email", ConnectFieldKind::Email, true),
        field("password", "Password", ConnectFieldKind::Password, false),
    ],
    capabilities: Capabilities {
        intake: Intake::WithSubmission,
        fan_outs: &[FanOut::OnePerFile],
        cancel: CancelKind::Stops,
        ..CAPABILITIES
    },
    status_page: None,
};

pub(crate) fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_763_600_000 + second).unwrap()
}

/// At work with nothing in it.
pub(crate) fn empty() -> Snapshot {
    Snapshot {
        profiles: None,
        seq: 1,
        phase: Phase::Running,
        providers: Arc::new([&SCOPE, &FOLD]),
        keyring: KeyringState::Works,
        connections: Vec::new(),
        trial: None,
        draft: Arc::new(DraftView::default()),
        batches: Vec::new(),
        jobs: Vec::new(),
        notices: Vec::new(),
        preview: None,
        thumbnails: Arc::default(),
        folder: None,
        checks: Arc::default(),
        report: None,
        settings: Arc::new(AppSettings::default()),
        default_results_folder: Arc::new(PathBuf::from("/home/someone/Labferry results")),
        traffic: Traffic::default(),
        safe_to_close: true,
    }
}

/// Rows of a text of two million lines.
pub(crate) fn text_page(first_row: u64, rows: &[&str]) -> TextPage {
    let row = |(line, text): (u64, &&str)| TextRow {
        text: (*text).to_owned(),
        line,
        continues: false,
    };
    TextPage {
        first_row,
        rows: (first_row + 1..).zip(rows).map(row).collect(),
        rows_known: 2_000_000,
        lines_known: 2_000_000,
        counted: true,
        encoding: "UTF-8".to_owned(),
        size_bytes: 9_000_000,
        ..TextPage::default()
    }
}

pub(crate) fn pipeline(id: &str, name: &str, description: &str) -> Pipeline {
    Pipeline {
        id: PipelineId::from(id),
        name: name.to_owned(),
        description: description.to_owned(),
        typical_secs: None,
    }
}

pub(crate) fn connection(
    number: u64,
    facts: &'static ProviderFacts,
    label: &str,
    pipelines: Vec<Pipeline>,
    forms: BTreeMap<PipelineId, Loadable<Form>>,
) -> Arc<ConnectionView> {
    Arc::new(ConnectionView {
        adopting: Vec::new(),
        browsed: None,
        budget: None,
        listed: None,
        connection: Connection {
            id: ConnectionId(number),
            provider: facts.id.clone(),
            label: label.to_owned(),
            base_url: "https://platform.example.org/api/".to_owned(),
            options: BTreeMap::new(),
            vault_name: format!("vault-{number}"),
            account: Some(Account {
                places: Vec::new(),
                name: "someone@example.org".to_owned(),
                checked: at(0),
            }),
        },
        provider_name: facts.name,
        key: KeyState::InKeyring,
        check: CheckState::Good,
        pipelines: Loadable::Ready(Arc::new(pipelines)),
        forms,
    })
}

pub(crate) fn form_field(
    name: &str,
    label: &str,
    kind: FieldKind,
    default: Option<Value>,
) -> Field {
    Field {
        group: String::new(),
        hidden: false,
        name: name.to_owned(),
        label: label.to_owned(),
        help: String::new(),
        kind,
        required: false,
        default,
    }
}

/// The form of the first pipeline of the first connection: one field of each kind.
pub(crate) fn form() -> Form {
    Form {
        cautions: Vec::new(),
        free_form: false,
        intro: String::new(),
        fields: vec![
            form_field(
                "masks",
                "Fetch masks",
                FieldKind::Flag,
                Some(Value::Flag(true)),
            ),
            form_field(
                "title",
                "Title",
                FieldKind::Text(TextRule {
                    forbids_blanks: true,
                    ..TextRule::default()
                }),
                None,
            ),
            Field {
                required: true,
                help: "Smallest nucleus that counts, in pixels".to_owned(),
                ..form_field(
                    "size",
                    "Smallest size",
                    FieldKind::Number {
                        min: Some(1.0),
                        max: Some(99.0),
                        whole: true,
                    },
                    Some(Value::Text("12".to_owned())),
                )
            },
            form_field(
                "stain",
                "Stain",
                FieldKind::Choice(vec!["DAPI".to_owned(), "Hoechst".to_owned()]),
                Some(Value::Text("DAPI".to_owned())),
            ),
        ],
    }
}

/// Two connections with pipelines and forms.
pub(crate) fn connected() -> Snapshot {
    let forms = BTreeMap::from([
        (
            PipelineId::from("nuclei"),
            Loadable::Ready(Arc::new(form())),
        ),
        (
            PipelineId::from("membrane"),
            Loadable::Ready(Arc::new(Form::default())),
        ),
    ]);
    let fold_forms = BTreeMap::from([(
        PipelineId::from("wordcount"),
        Loadable::Ready(Arc::new(Form::default())),
    )]);
    Snapshot {
        connections: vec![
            connection(
                1,
                &SCOPE,
                "Imaging core",
                vec![
                    pipeline("nuclei", "Nuclei count", "Counts nuclei and measures each"),
                    pipeline("membrane", "Membrane width", "Measures membranes"),
                ],
                forms,
            ),
            connection(
                2,
                &FOLD,
                "Institute server",
                vec![
                    pipeline("wordcount", "wordcount", "Counts words"),
                    pipeline("psipred", "psipred", "Predicts secondary structure"),
                ],
                fold_forms,
            ),
        ],
        ..empty()
    }
}

pub(crate) fn local(name: &str, size_bytes: u64) -> LocalFile {
    LocalFile {
        path: PathBuf::from(format!("/data/plate 7/{name}")),
        name: name.to_owned(),
        folder: "plate 7".to_owned(),
        size_bytes,
        modified: None,
    }
}

/// Two connections and a few files with nasty names, one of them empty.
pub(crate) fn with_files() -> Snapshot {
    let mut files: Vec<ListedFile> = ["A01 世界 #1 50%.tif", "A02 \"quoted\" it's.tif", "A03.tif"]
        .into_iter()
        .map(|name| ListedFile {
            file: local(name, 3_400_000),
            problem: None,
        })
        .collect();
    files.push(ListedFile {
        file: local("empty.tif", 0),
        problem: Some(FileProblem::Empty),
    });
    Snapshot {
        draft: Arc::new(DraftView {
            files,
            ..DraftView::default()
        }),
        ..connected()
    }
}

pub(crate) fn batch(number: u64, name: &str, jobs: &[u64]) -> Arc<Batch> {
    Arc::new(Batch {
        id: BatchId(number),
        name: name.to_owned(),
        created: at(0),
        folder: PathBuf::from(format!("/results/2026-11-20 {name}")),
        files: vec![
            BatchFile {
                samples: BTreeMap::new(),
                id: FileId(number * 100),
                local: local("A01 世界 #1 50%.tif", 3_400_000),
                remote_name: "A01.tif".to_owned(),
            },
            BatchFile {
                samples: BTreeMap::new(),
                id: FileId(number * 100 + 1),
                local: local("A02.tif", 3_100_000),
                remote_name: "A02.tif".to_owned(),
            },
        ],
        jobs: jobs.iter().copied().map(JobId).collect(),
        remote_folder: "lf".to_owned(),
    })
}

/// A job of batch `batch` at `stage`.
pub(crate) fn job(number: u64, batch: u64, name: &str, stage: Stage) -> JobView {
    let report = JobReport {
        status: JobStatus::Running {
            progress: Some(Progress::Percent(45.0)),
        },
        word: "processing".to_owned(),
        message: Some("Segmenting image 1 of 2".to_owned()),
    };
    let job = Job {
        fan_out: FanOut::AllInOne,
        sample_column: None,
        existing: Vec::new(),
        gathered: None,
        drafted: None,
        labels: BTreeMap::new(),
        submitted_at: None,
        id: JobId(number),
        batch: BatchId(batch),
        connection: ConnectionId(1),
        connection_label: "Imaging core".to_owned(),
        provider: SCOPE.id.clone(),
        pipeline: pipeline("nuclei", "Nuclei count", ""),
        name: name.to_owned(),
        files: vec![FileId(batch * 100), FileId(batch * 100 + 1)],
        settings: form().defaults(),
        tag: Tag::from("lf-4k7q2m9x"),
        folder: "Imaging core - Nuclei count".to_owned(),
        stage,
        remote: Some(RemoteJob {
            id: "remote-4711".to_owned(),
            web_page: Some("https://platform.example.org/jobs/4711".to_owned()),
            memo: String::new(),
        }),
        report: Some(report),
        seen_before: None,
        candidates: Vec::new(),
        error: None,
        attempts: 0,
        faults: 0,
        wait_until: None,
        last_change: at(60),
        cancel_wanted: false,
        left_out: Vec::new(),
        outputs_listed: false,
        timeline: vec![
            Moment {
                at: at(0),
                what: "Batch sent".to_owned(),
            },
            Moment {
                at: at(8),
                what: "2 files uploaded".to_owned(),
            },
            Moment {
                at: at(95),
                what: format!("Job is {}", stage.word().to_lowercase()),
            },
        ],
    };
    JobView {
        job: Arc::new(job),
        provider_name: SCOPE.name,
        artifacts: Vec::new(),
        bytes: None,
        input_bytes: 6_500_000,
        folder: PathBuf::from("/results/2026-11-20 Plate 7/Imaging core - Nuclei count"),
        words: None,
        waits_for_person: false,
    }
}

pub(crate) fn fetched(size_bytes: u64) -> Fetched {
    Fetched {
        size_bytes,
        sha256: "00".repeat(32),
        at: at(100),
    }
}

pub(crate) fn artifact(number: u64, job: u64, path: &str, state: ArtifactState) -> Arc<Artifact> {
    Arc::new(Artifact {
        id: ArtifactId(number),
        job: JobId(job),
        output: Output {
            id: path.to_owned(),
            name: path.to_owned(),
            size_bytes: None,
            sha256: None,
            on_request: false,
            unpack: false,
        },
        path: path.to_owned(),
        state,
        attempts: 0,
        faults: 0,
        wait_until: None,
    })
}

/// One batch with a job of each kind that matters, results for the first.
pub(crate) fn with_jobs() -> Snapshot {
    let mut done = job(1, 1, "Plate 7 nuclei", Stage::Done);
    done.artifacts = vec![
        artifact(1, 1, "objects.csv", ArtifactState::Fetched(fetched(48_000))),
        artifact(
            2,
            1,
            "overview.png",
            ArtifactState::Fetched(fetched(820_000)),
        ),
        artifact(
            3,
            1,
            "masks.zip",
            ArtifactState::Unpacked {
                archive: fetched(12_000),
                archive_kept: false,
                files: vec![UnpackedFile {
                    path: "masks/A01_objects.json".to_owned(),
                    original_name: "A01_objects.json".to_owned(),
                    size_bytes: 9_000,
                    sha256: "11".repeat(32),
                }],
                problems: Vec::new(),
            },
        ),
        artifact(4, 1, "late.csv", ArtifactState::Offered),
    ];
    let mut running = job(2, 1, "Plate 7 membranes", Stage::Running);
    running.bytes = None;
    let mut uploading = job(3, 1, "A02 世界.tif", Stage::Uploading);
    uploading.bytes = Some((1_000_000, 4_000_000));
    let mut failed = job(4, 1, "A03.tif", Stage::Failed);
    failed.words = Some(Words {
        what: "Scope could not read A03.tif.".to_owned(),
        did: "The other files went on.".to_owned(),
        next: "Open the image and save it as TIFF, then try again.".to_owned(),
        action: Some(Action::TryAgain),
    });
    let mut open = job(5, 1, "A04.tif", Stage::Unconfirmed);
    Arc::make_mut(&mut open.job).candidates = vec![RemoteJob {
        id: "candidate-1".to_owned(),
        web_page: None,
        memo: String::new(),
    }];
    let jobs = [done, running, uploading, failed, open];
    Snapshot {
        batches: vec![batch(1, "Plate 7", &[1, 2, 3, 4, 5])],
        jobs: jobs.into_iter().map(Arc::new).collect(),
        notices: vec![notice(1, About::Job(JobId(4)))],
        traffic: Traffic {
            up_bytes_per_sec: 1_234_567,
            down_bytes_per_sec: 0,
            jobs_alive: 2,
        },
        safe_to_close: false,
        ..connected()
    }
}

pub(crate) fn notice(number: u64, about: About) -> Arc<Notice> {
    Arc::new(Notice {
        id: NoticeId(number),
        at: at(100),
        about,
        weight: Weight::Problem,
        words: Words {
            what: "Scope did not accept the key for Imaging core.".to_owned(),
            did: "Nothing was uploaded.".to_owned(),
            next: String::new(),
            action: Some(Action::PasteKey),
        },
        details: vec![("Status".to_owned(), "401".to_owned())],
    })
}
