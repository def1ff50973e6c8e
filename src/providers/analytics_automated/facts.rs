//! What is known of the platform before anybody connects to it.

use std::time::Duration;

use crate::model::ids::ProviderId;
use crate::model::provider::{
    CancelKind, Capabilities, ConnectField, ConnectFieldKind, FanOut, Intake, Limits, LostSubmit,
    Nouns, PollPace, ProgressKind, ProviderFacts,
};

/// Longest file name with its ending, in characters (measured 2026-11-20).
pub(super) const LONGEST_FILE_NAME: usize = 100;
/// Questions about batches under way at once; the gate of the connection may allow fewer.
pub(super) const QUESTIONS_AT_ONCE: usize = 4;

/// What the program knows about Analytics Automated without a connection.
pub static FACTS: ProviderFacts = ProviderFacts {
    id: ProviderId::new("analytics-automated"),
    name: "Analytics Automated",
    about: "Runs an institute's own command-line jobs on its own server; one file a submission",
    nouns: Nouns {
        pipeline: "job",
        job: "submission",
        input: "file",
    },
    connect_fields: CONNECT_FIELDS,
    capabilities: Capabilities {
        intake: Intake::WithSubmission,
        intake_needs: None,
        max_file_bytes: None,
        refuses_empty_files: true,
        max_name_chars: LONGEST_FILE_NAME,
        fan_outs: &[FanOut::OnePerFile],
        progress: ProgressKind::Steps,
        cancel: CancelKind::StopWatching,
        lost_submit: LostSubmit::AskThePerson,
        partial_results: true,
        browses_inputs: false,
        lists_jobs: false,
        poll: PollPace {
            first: Duration::from_secs(2),
            usual: Duration::from_secs(3),
            longest: Duration::from_mins(1),
        },
        // The server counts the submissions alive for one network address: from 10 on they wait
        // longer, from 15 on they are refused, unless the operator changed the numbers.
        limits: Limits {
            requests_per_second: 5,
            parallel_requests: QUESTIONS_AT_ONCE,
            parallel_uploads: 2,
            jobs_alive: Some(9),
        },
        cost: None,
    },
    status_page: None,
    profiles: None,
};

const CONNECT_FIELDS: &[ConnectField] = &[
    ConnectField {
        name: "url",
        label: "Server address",
        help: "The root of the server's interface, such as https://server.example.org/analytics_automated/",
        kind: ConnectFieldKind::Url,
        required: true,
        default: "",
        presets: &[],
        part: "",
    },
    ConnectField {
        name: "email",
        label: "Email address",
        help: "Sent with every submission. Anyone who has the id of a submission can read it: use an address of the lab",
        kind: ConnectFieldKind::Email,
        required: true,
        default: "",
        presets: &[],
        part: "",
    },
    ConnectField {
        name: "user",
        label: "User",
        help: "Only where the operator gave you one; submissions then wait less",
        kind: ConnectFieldKind::Text,
        required: false,
        default: "",
        presets: &[],
        part: "",
    },
    ConnectField {
        name: "password",
        label: "Password",
        help: "Belongs to the user",
        kind: ConnectFieldKind::Password,
        required: false,
        default: "",
        presets: &[],
        part: "",
    },
    ConnectField {
        name: "files_url",
        label: "Files base address",
        help: "Only where results are not found: the address in front of /submissions/…",
        kind: ConnectFieldKind::Url,
        required: false,
        default: "",
        presets: &[],
        part: "",
    },
];
