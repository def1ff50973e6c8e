//! What is known of the platform before anybody connects to it.

use std::time::Duration;

use crate::model::ids::ProviderId;
use crate::model::provider::{
    CancelKind, Capabilities, ConnectField, ConnectFieldKind, FanOut, Intake, Limits, LostSubmit,
    Nouns, PollPace, ProgressKind, ProviderFacts,
};

/// The documentation says 2 GB and not which; this is the smaller reading.
pub(super) const MAX_FILE_BYTES: u64 = 2_000_000_000;

/// Our own politeness: the vendor states no limit.
pub(super) const LIMITS: Limits = Limits {
    requests_per_second: 10,
    parallel_requests: 4,
    parallel_uploads: 2,
    jobs_alive: None,
};

/// What the program knows about Biodock without a connection.
pub static FACTS: ProviderFacts = ProviderFacts {
    id: ProviderId::new("biodock"),
    name: "Biodock",
    about: "Microscopy image analysis with pipelines you made and published on its website",
    nouns: Nouns {
        pipeline: "pipeline",
        job: "analysis job",
        input: "file",
    },
    connect_fields: &[
        ConnectField {
            name: "url",
            label: "Address",
            help: "Leave it as it is unless your institute has its own Biodock",
            kind: ConnectFieldKind::Url,
            required: true,
            default: "https://app.biodock.ai/api/external",
            presets: &[],
            part: "",
        },
        ConnectField {
            name: "key",
            label: "API key",
            help: "On Biodock's website under Settings, API; it gives access to all of your data there",
            kind: ConnectFieldKind::Key,
            required: true,
            default: "",
            presets: &[],
            part: "",
        },
    ],
    capabilities: Capabilities {
        intake: Intake::UploadFirst,
        intake_needs: None,
        max_file_bytes: Some(MAX_FILE_BYTES),
        refuses_empty_files: true,
        max_name_chars: 200,
        fan_outs: &[FanOut::AllInOne, FanOut::OnePerFile],
        progress: ProgressKind::Percent,
        cancel: CancelKind::StopWatching,
        lost_submit: LostSubmit::Candidates,
        partial_results: false,
        browses_inputs: true,
        lists_jobs: true,
        poll: PollPace {
            first: Duration::from_secs(5),
            usual: Duration::from_secs(5),
            longest: Duration::from_mins(1),
        },
        limits: LIMITS,
        cost: Some(
            "Biodock may charge run credits for each analysis; one job with many images costs less than many jobs",
        ),
    },
    status_page: Some("https://biodock.statuspage.io/"),
    profiles: None,
};
