//! Two more hand-made platforms: one that takes files through the person's bucket and deletes what it stops, and one with
//! sites, projects, a credentials file and tasks below a task.

use std::collections::BTreeMap;
use std::sync::Arc;

use labferry::engine::snapshot::{CheckState, ConnectionView, Loadable, Snapshot};
use labferry::model::connection::{Account, Connection, KeyState, Place};
use labferry::model::form::{Field, Form, Value};
use labferry::model::ids::{ConnectionId, PipelineId, ProviderId};
use labferry::model::job::Stage;
use labferry::model::provider::{
    CancelKind, Capabilities, ConnectField, ConnectFieldKind, FanOut, Intake, Nouns, ProfilesFile,
    ProgressKind, ProviderFacts,
};
use labferry::model::remote::{JobReport, JobStatus, ListedJob, Progress, RemoteJob, StagedFile};

use super::fixture::{self, FOLD, SCOPE};

const BUCKET: &str = "Staging bucket";

const fn in_bucket(
    name: &'static str,
    label: &'static str,
    kind: ConnectFieldKind,
) -> ConnectField {
    ConnectField {
        part: BUCKET,
        ..ConnectField::needed(name, label, "", kind)
    }
}

/// Takes files through a bucket; stops and deletes.
pub(crate) static CAPSULES: ProviderFacts = ProviderFacts {
    profiles: None,
    id: ProviderId::new("capsules"),
    name: "Capsules",
    about: "Runs capsules on data assets",
    nouns: Nouns {
        pipeline: "capsule",
        job: "computation",
        input: "data asset",
    },
    connect_fields: &[
        ConnectField::needed("url", "Domain", "", ConnectFieldKind::Url),
        ConnectField::needed("key", "Access token", "", ConnectFieldKind::Key),
        in_bucket("bucket", "Bucket", ConnectFieldKind::Text),
        ConnectField {
            default: "us-east-1",
            ..in_bucket("bucket_region", "Region", ConnectFieldKind::Text)
        },
        ConnectField {
            required: false,
            ..in_bucket("bucket_endpoint", "Endpoint", ConnectFieldKind::Url)
        },
        in_bucket("access_key", "Access key id", ConnectFieldKind::Key),
        in_bucket("secret_key", "Secret access key", ConnectFieldKind::Key),
    ],
    capabilities: Capabilities {
        intake: Intake::ThroughBucket,
        intake_needs: Some("bucket"),
        progress: ProgressKind::Phases,
        cancel: CancelKind::StopsAndDeletes,
        lists_jobs: true,
        ..SCOPE.capabilities
    },
    status_page: None,
};

/// Has sites, projects and a credentials file.
pub(crate) static BRIDGES: ProviderFacts = ProviderFacts {
    profiles: Some(ProfilesFile {
        path: ".bridges/credentials",
        owner: "Bridges",
    }),
    id: ProviderId::new("bridges"),
    name: "Bridges",
    about: "Runs apps on the files of a project",
    nouns: Nouns {
        pipeline: "app",
        job: "task",
        input: "file",
    },
    connect_fields: &[
        ConnectField {
            default: "https://first.example.org/v2",
            presets: &[
                ("First site", "https://first.example.org/v2"),
                ("Second site", "https://second.example.org/v2"),
            ],
            ..ConnectField::needed("url", "Site", "", ConnectFieldKind::Url)
        },
        ConnectField::needed("key", "Token", "", ConnectFieldKind::Key),
        ConnectField::needed("project", "Project", "", ConnectFieldKind::Place),
    ],
    capabilities: Capabilities {
        fan_outs: &[FanOut::BatchPerFile, FanOut::OnePerFile],
        progress: ProgressKind::Steps,
        cancel: CancelKind::Stops,
        lists_jobs: true,
        ..SCOPE.capabilities
    },
    status_page: None,
};

pub(crate) fn places() -> Vec<Place> {
    vec![
        Place {
            id: "someone/plate-7".to_owned(),
            name: "Plate 7".to_owned(),
            lacks: None,
        },
        Place {
            id: "lab/shared".to_owned(),
            name: "Shared".to_owned(),
            lacks: Some("You may not run tasks in this project".to_owned()),
        },
    ]
}

fn options(entries: &[(&str, &str)]) -> BTreeMap<String, String> {
    entries
        .iter()
        .map(|(name, entry)| ((*name).to_owned(), (*entry).to_owned()))
        .collect()
}

fn view(number: u64, facts: &'static ProviderFacts, connection: Connection) -> Arc<ConnectionView> {
    Arc::new(ConnectionView {
        adopting: Vec::new(),
        browsed: None,
        listed: None,
        budget: None,
        provider_name: facts.name,
        key: KeyState::InKeyring,
        check: CheckState::Good,
        pipelines: Loadable::NotAsked,
        forms: BTreeMap::new(),
        connection: Connection {
            id: ConnectionId(number),
            provider: facts.id.clone(),
            vault_name: format!("vault-{number}"),
            ..connection
        },
    })
}

fn saved(label: &str, base_url: &str, entries: &[(&str, &str)], places: Vec<Place>) -> Connection {
    Connection {
        id: ConnectionId(0),
        provider: SCOPE.id.clone(),
        label: label.to_owned(),
        base_url: base_url.to_owned(),
        options: options(entries),
        vault_name: String::new(),
        account: Some(Account {
            name: "someone@example.org".to_owned(),
            checked: fixture::at(0),
            places,
        }),
    }
}

/// Nothing connected; all four to choose from.
pub(crate) fn four_platforms() -> Snapshot {
    Snapshot {
        providers: Arc::new([&SCOPE, &CAPSULES, &BRIDGES, &FOLD]),
        ..fixture::empty()
    }
}

/// Connections to all four, and the jobs of the usual fixture.
pub(crate) fn four_connected() -> Snapshot {
    let mut snapshot = fixture::with_jobs();
    snapshot.providers = four_platforms().providers;
    snapshot.notices.clear();
    snapshot.connections.push(view(
        3,
        &CAPSULES,
        saved(
            "Our capsules",
            "https://acme.example.org/",
            &[("bucket", "plate-bucket"), ("bucket_region", "us-east-1")],
            Vec::new(),
        ),
    ));
    snapshot.connections.push(view(
        4,
        &BRIDGES,
        saved(
            "Our project",
            "https://second.example.org/v2/",
            &[("project", "lab/shared")],
            places(),
        ),
    ));
    snapshot
}

/// A form with two groups.
fn grouped_form() -> Form {
    let field = |name: &str, label: &str, group: &str| Field {
        name: name.to_owned(),
        label: label.to_owned(),
        group: group.to_owned(),
        ..Field::default()
    };
    Form {
        fields: vec![
            field("min_length", "Shortest read", "Filter"),
            field("adapter", "Adapter", "Trim"),
        ],
        ..Form::default()
    }
}

/// Two jobs more: a computation that only says in which phase it is, and a task with tasks below it.
pub(crate) fn with_long_jobs() -> Snapshot {
    let mut snapshot = four_connected();
    let mut computation = fixture::job(6, 1, "Reads A", Stage::Running);
    computation.provider_name = CAPSULES.name;
    let job = Arc::make_mut(&mut computation.job);
    job.provider = CAPSULES.id.clone();
    job.connection = ConnectionId(3);
    "Our capsules".clone_into(&mut job.connection_label);
    job.pipeline.id = PipelineId::from("read-quality");
    job.settings = [("min_length", "30"), ("adapter", "AGAT"), ("extra", "7")]
        .map(|(name, text)| (name.to_owned(), Value::Text(text.to_owned())))
        .into();
    job.existing = vec![StagedFile {
        id: "asset-1".to_owned(),
        name: "Reads of May".to_owned(),
        size_bytes: Some(7_000_000),
        ..StagedFile::default()
    }];
    job.files.clear();
    job.report = Some(JobReport {
        status: JobStatus::Running { progress: None },
        word: "running".to_owned(),
        message: None,
    });
    let mut parent = fixture::job(7, 1, "Reads B", Stage::Running);
    parent.provider_name = BRIDGES.name;
    let job = Arc::make_mut(&mut parent.job);
    job.provider = BRIDGES.id.clone();
    job.connection = ConnectionId(4);
    "Our project".clone_into(&mut job.connection_label);
    job.fan_out = FanOut::BatchPerFile;
    job.settings.clear();
    job.report = Some(JobReport {
        status: JobStatus::Running {
            progress: Some(Progress::Steps {
                done: 3,
                total: Some(8),
            }),
        },
        word: "RUNNING".to_owned(),
        message: None,
    });
    let forms = BTreeMap::from([(
        PipelineId::from("read-quality"),
        Loadable::Ready(Arc::new(grouped_form())),
    )]);
    for view in &mut snapshot.connections {
        if view.connection.id == ConnectionId(3) {
            Arc::make_mut(view).forms = forms.clone();
        }
    }
    snapshot.jobs.extend([computation, parent].map(Arc::new));
    snapshot
}

/// A job on the platform's list.
pub(crate) fn listed(id: &str, name: &str) -> ListedJob {
    ListedJob {
        remote: RemoteJob {
            id: id.to_owned(),
            web_page: None,
            memo: String::new(),
        },
        name: name.to_owned(),
        pipeline: fixture::pipeline("read-quality", "Read quality", ""),
        created: Some(fixture::at(0)),
        word: "COMPLETED".to_owned(),
    }
}
