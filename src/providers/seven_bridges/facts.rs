//! What is known of the platform before anybody connects to it.

use std::time::Duration;

use crate::model::ids::ProviderId;
use crate::model::provider::{
    CancelKind, Capabilities, ConnectField, ConnectFieldKind, FanOut, Intake, Limits, LostSubmit,
    Nouns, PollPace, ProfilesFile, ProgressKind, ProviderFacts,
};

/// The vendor allows 1000 requests in five minutes; what is left is read from its answers.
pub(super) const LIMITS: Limits = Limits {
    requests_per_second: 10,
    parallel_requests: 4,
    parallel_uploads: 3,
    jobs_alive: None,
};

/// The sites, as label and address (the vendor's list of environments; the overview page of BioData Catalyst leaves
/// `/v2` away, its examples do not).
const SITES: &[(&str, &str)] = &[
    (
        "BioData Catalyst",
        "https://api.sb.biodatacatalyst.nhlbi.nih.gov/v2",
    ),
    ("Cancer Genomics Cloud", "https://cgc-api.sbgenomics.com/v2"),
    ("CAVATICA", "https://cavatica-api.sbgenomics.com/v2"),
    ("Seven Bridges (US)", "https://api.sbgenomics.com/v2"),
    ("Seven Bridges (EU)", "https://eu-api.sbgenomics.com/v2"),
    ("Seven Bridges (China)", "https://api.sevenbridges.cn/v2"),
];

/// What the program knows about Seven Bridges without a connection.
pub static FACTS: ProviderFacts = ProviderFacts {
    id: ProviderId::new("seven-bridges"),
    name: "Seven Bridges",
    about: "Apps in your projects at BioData Catalyst, the Cancer Genomics Cloud, CAVATICA or Seven Bridges itself",
    nouns: Nouns {
        pipeline: "app",
        job: "task",
        input: "file",
    },
    connect_fields: &[
        ConnectField {
            default: "https://api.sb.biodatacatalyst.nhlbi.nih.gov/v2",
            presets: SITES,
            ..ConnectField::needed(
                "url",
                "Site",
                "Where your project is; or the address of another site",
                ConnectFieldKind::Url,
            )
        },
        ConnectField::needed(
            "key",
            "Authentication token",
            "On the site's page for developers, under Authentication token",
            ConnectFieldKind::Key,
        ),
        ConnectField::needed(
            "project",
            "Project",
            "Its owner and short name, such as john_doe/plate-7; test the connection to choose from a list",
            ConnectFieldKind::Place,
        ),
    ],
    capabilities: Capabilities {
        intake: Intake::UploadFirst,
        intake_needs: None,
        max_file_bytes: Some(5 * 1024 * 1024 * 1024 * 1024),
        refuses_empty_files: false,
        max_name_chars: 255,
        fan_outs: &[
            FanOut::BatchPerFile,
            FanOut::OnePerFile,
            FanOut::AllInOne,
            FanOut::BatchPerSample,
            FanOut::OnePerSample,
        ],
        progress: ProgressKind::Steps,
        cancel: CancelKind::Stops,
        lost_submit: LostSubmit::CanBeFound,
        partial_results: true,
        browses_inputs: true,
        lists_jobs: true,
        poll: PollPace {
            first: Duration::from_secs(15),
            usual: Duration::from_secs(15),
            longest: Duration::from_mins(1),
        },
        limits: LIMITS,
        cost: Some("Seven Bridges bills the project's billing group for each task"),
    },
    status_page: None,
    profiles: Some(ProfilesFile {
        path: ".sevenbridges/credentials",
        owner: "Seven Bridges",
    }),
};
