//! What has to be known of a platform's simulator to try its client's promises: names, addresses, settings.

use labferry::model::error::ErrorKind;
use labferry::providers::analytics_automated::sim::{PASSWORD_KEY, USER};
use labferry::sandbox::Sandbox;

/// A platform's simulator as the promises need it.
pub(crate) struct Stand {
    /// Its word.
    pub(crate) provider: &'static str,
    /// Base address and the entries of the connection form that are no secrets.
    pub(crate) address: fn(&Sandbox) -> String,
    pub(crate) options: &'static [(&'static str, &'static str)],
    /// The secret's field, and what the simulator accepts.
    pub(crate) secret: (&'static str, fn(&Sandbox) -> String),
    /// The account as `check` shall name it.
    pub(crate) account: &'static str,
    /// Endpoints, as faults and the request log name them.
    pub(crate) check: &'static str,
    pub(crate) lists: &'static [&'static str],
    pub(crate) upload: &'static str,
    pub(crate) submit: &'static str,
    pub(crate) status: &'static str,
    /// How to count the jobs there are.
    pub(crate) count: Count,
    /// A pipeline that takes any sample, and one that is not there.
    pub(crate) pipeline: &'static str,
    pub(crate) no_pipeline: &'static str,
    /// A well-formed id that no job has.
    pub(crate) gone: &'static str,
    /// How to get a failing job.
    pub(crate) failing: Failing,
    /// A setting that brings a state nobody knows, and its word.
    pub(crate) odd_state: Option<(&'static str, &'static str)>,
    /// The setting of the longest page.
    pub(crate) page_limit: Option<&'static str>,
    /// Settings under which a list must end all the same.
    pub(crate) page_quirks: &'static [&'static str],
    /// Settings that change how a wrong key is refused.
    pub(crate) refusals: &'static [&'static str],
    /// Faults this platform's client takes for another kind, by measurement.
    pub(crate) fault_kinds: &'static [(&'static str, ErrorKind)],
    /// The setting under which a lost submission is found by its tag.
    pub(crate) tags_show: Option<&'static str>,
    /// The endpoint at which results made on request are asked for.
    pub(crate) asks_for_results: Option<&'static str>,
}

/// How to count the jobs there are.
#[derive(Clone, Copy)]
pub(crate) enum Count {
    /// The platform lists them at this path, with the secret in this header.
    Listed(&'static str, &'static str),
    /// Submissions answered with this status.
    Answered(u16),
}

/// How to get a failing job.
#[derive(Clone, Copy)]
pub(crate) enum Failing {
    Setting(&'static str),
    Pipeline(&'static str),
}

pub(crate) static ALL: &[Stand] = &[BIODOCK, ANALYTICS_AUTOMATED];

const BIODOCK: Stand = Stand {
    provider: "biodock",
    address: |sandbox| sandbox.addresses().entry("biodock", "url"),
    options: &[],
    secret: ("key", |sandbox| sandbox.world().key("biodock")),
    account: "someone@example.org",
    check: "biodock.check",
    lists: &["biodock.pipelines"],
    upload: "biodock.upload",
    submit: "biodock.submit",
    status: "biodock.status",
    count: Count::Listed("analysis-jobs", "x-api-key"),
    pipeline: "64f1a2b3c4d5e6f708192a3b",
    no_pipeline: "64f1a2b3c4d5e6f700000000",
    gone: "0123456789abcdef01234567",
    failing: Failing::Setting("biodock.life=fails"),
    odd_state: Some(("biodock.life=unknown-status", "POSTPROCESSING")),
    page_limit: Some("biodock.max-limit"),
    page_quirks: &["biodock.cursor=ignored", "biodock.count=total"],
    refusals: &[
        "biodock.refusal=json",
        "biodock.refusal=html",
        "biodock.refusal=login-page",
        "biodock.refusal=redirect",
    ],
    fault_kinds: &[],
    tags_show: Some("biodock.job-names=present"),
    asks_for_results: Some("biodock.ask-masks"),
};

const ANALYTICS_AUTOMATED: Stand = Stand {
    provider: "analytics-automated",
    address: |sandbox| sandbox.addresses().entry("analytics-automated", "url"),
    options: &[("email", "someone@example.org"), ("user", USER)],
    secret: ("password", |sandbox| sandbox.world().key(PASSWORD_KEY)),
    account: "lab at 127.0.0.1",
    check: "aa.endpoints",
    lists: &["aa.endpoints"],
    upload: "aa.submit",
    submit: "aa.submit",
    status: "aa.status",
    count: Count::Answered(201),
    pipeline: "wordcount",
    no_pipeline: "no_such_job",
    gone: "c078eaf2-e53d-11f1-9d4a-02fc00000001",
    failing: Failing::Pipeline("failing"),
    odd_state: None,
    page_limit: None,
    page_quirks: &[],
    refusals: &[],
    // 403 with `detail` is its answer to a wrong password.
    fault_kinds: &[("forbidden", ErrorKind::Unauthenticated)],
    tags_show: None,
    asks_for_results: None,
};
