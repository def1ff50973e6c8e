//! What is known of the platform before anybody connects to it.

use std::time::Duration;

use crate::model::ids::ProviderId;
use crate::model::provider::{
    CancelKind, Capabilities, ConnectField, ConnectFieldKind, FanOut, Intake, Limits, LostSubmit,
    Nouns, PollPace, ProgressKind, ProviderFacts,
};

/// Our own politeness: the vendor documents a 429 and no number.
pub(super) const LIMITS: Limits = Limits {
    requests_per_second: 10,
    parallel_requests: 4,
    parallel_uploads: 2,
    jobs_alive: None,
};

/// Title of the part of the connection form about the person's own bucket.
const BUCKET: &str = "Staging bucket";

/// What the program knows about Code Ocean without a connection.
pub static FACTS: ProviderFacts = ProviderFacts {
    id: ProviderId::new("code-ocean"),
    name: "Code Ocean",
    about: "Capsules and pipelines that run on data assets, at codeocean.com or your institute's own domain",
    nouns: Nouns {
        pipeline: "capsule or pipeline",
        job: "computation",
        input: "data asset",
    },
    connect_fields: &[
        ConnectField::needed(
            "url",
            "Domain",
            "The address in your browser when you use Code Ocean, such as https://acme.codeocean.com",
            ConnectFieldKind::Url,
        ),
        ConnectField::needed(
            "key",
            "Access token",
            "Made under Account, Access Tokens; it needs Capsule read/write and Data Asset read/write",
            ConnectFieldKind::Key,
        ),
        ConnectField {
            part: BUCKET,
            ..ConnectField::needed(
                "bucket",
                "Bucket",
                "Files of this computer reach Code Ocean through an S3 bucket of yours that it may read",
                ConnectFieldKind::Text,
            )
        },
        ConnectField {
            part: BUCKET,
            default: "us-east-1",
            ..ConnectField::needed(
                "bucket_region",
                "Region",
                "Where the bucket is, such as eu-central-1",
                ConnectFieldKind::Text,
            )
        },
        ConnectField {
            required: false,
            part: BUCKET,
            ..ConnectField::needed(
                "bucket_endpoint",
                "Endpoint",
                "Only for storage that is not Amazon's own, such as https://s3.example.org",
                ConnectFieldKind::Url,
            )
        },
        ConnectField {
            part: BUCKET,
            ..ConnectField::needed(
                "access_key",
                "Access key id",
                "Of a user who may write into the bucket",
                ConnectFieldKind::Key,
            )
        },
        ConnectField {
            part: BUCKET,
            ..ConnectField::needed(
                "secret_key",
                "Secret access key",
                "Belongs to the access key id",
                ConnectFieldKind::Key,
            )
        },
    ],
    capabilities: Capabilities {
        intake: Intake::ThroughBucket,
        intake_needs: Some("bucket"),
        max_file_bytes: None,
        refuses_empty_files: false,
        max_name_chars: 200,
        fan_outs: &[FanOut::AllInOne, FanOut::OnePerFile, FanOut::OnePerSample],
        progress: ProgressKind::Phases,
        cancel: CancelKind::StopsAndDeletes,
        lost_submit: LostSubmit::OneThatFits,
        partial_results: true,
        browses_inputs: true,
        lists_jobs: true,
        poll: PollPace {
            first: Duration::from_secs(10),
            usual: Duration::from_secs(10),
            longest: Duration::from_mins(1),
        },
        limits: LIMITS,
        cost: None,
    },
    status_page: None,
    profiles: None,
};
