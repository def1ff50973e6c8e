//! What has to be known of a platform's simulator to try its client's promises: names, addresses, settings.

use std::time::Duration;

use labferry::model::error::ErrorKind;
use labferry::providers::analytics_automated::sim::{PASSWORD_KEY, USER};
use labferry::sandbox::Sandbox;
use labferry::sandbox::simulator::DemoEntry;

/// A platform's simulator as the promises need it.
pub(crate) struct Stand {
    /// Its word.
    pub(crate) provider: &'static str,
    /// How to connect to it: `url`, and whatever else the connection form wants.
    pub(crate) entries: fn(&Sandbox) -> Vec<DemoEntry>,
    /// The field of the key.
    pub(crate) key: &'static str,
    /// The account as `check` shall name it.
    pub(crate) account: &'static str,
    /// Endpoints, as faults and the request log name them.
    pub(crate) check: &'static str,
    pub(crate) lists: &'static [&'static str],
    /// Where the bytes of a small file arrive.
    pub(crate) upload: &'static str,
    /// The request a job begins with.
    pub(crate) submit: &'static str,
    /// The request before it that makes a draft, where there is one.
    pub(crate) draft: Option<&'static str>,
    pub(crate) status: &'static str,
    /// How to count the jobs that were begun.
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
    /// Settings under which a whole job runs as ever: members left out or null, odd casing, other shapes.
    pub(crate) quirks: &'static [&'static str],
    /// Settings that change how a wrong key is refused.
    pub(crate) refusals: &'static [&'static str],
    /// Faults this platform's client takes for another kind, by measurement.
    pub(crate) fault_kinds: &'static [(&'static str, ErrorKind)],
    /// The setting under which a lost submission is found by its tag.
    pub(crate) tags_show: Option<&'static str>,
    /// The endpoint at which results made on request are asked for.
    pub(crate) asks_for_results: Option<&'static str>,
    /// What to know of uploads in parts; none where a file travels in one request.
    pub(crate) parts: Option<Parts>,
    /// What to know of inputs made of gathered files.
    pub(crate) gathers: Option<Gathers>,
    /// How many requests may ask about so many jobs of one pipeline.
    pub(crate) polls: (usize, usize),
    /// Whether its answers say what is left of the requests it allows.
    pub(crate) has_budget: bool,
    /// Whether a job can be named by the address of its page.
    pub(crate) has_pages: bool,
    /// How long links are good for, and a little more.
    pub(crate) links_last: Duration,
}

/// Uploads in parts.
#[derive(Clone, Copy)]
pub(crate) struct Parts {
    /// The endpoint the parts arrive at.
    pub(crate) endpoint: &'static str,
    /// The setting that makes parts short enough for a test.
    pub(crate) setting: Option<&'static str>,
    /// Length of a part then.
    pub(crate) bytes: u64,
}

/// Inputs made of gathered files.
#[derive(Clone, Copy)]
pub(crate) struct Gathers {
    /// The endpoint at which one is made.
    pub(crate) endpoint: &'static str,
    /// The setting under which the platform cannot take the files in.
    pub(crate) failing: &'static str,
}

/// How to count the jobs that were begun.
#[derive(Clone, Copy)]
pub(crate) enum Count {
    /// The platform lists them at this path: the header the key goes into, and what to count of the answer.
    Listed(&'static str, Key, fn(&serde_json::Value) -> usize),
    /// Submissions answered with this status.
    Answered(u16),
}

/// How a request of the tests' own brings the key.
#[derive(Clone, Copy)]
pub(crate) enum Key {
    /// In this header.
    Header(&'static str),
    /// As the user name, with an empty password.
    User,
}

/// How to get a failing job.
#[derive(Clone, Copy)]
pub(crate) enum Failing {
    Setting(&'static str),
    Pipeline(&'static str),
}

/// What the demo fills in.
fn demo(sandbox: &Sandbox, platform: &str) -> Vec<DemoEntry> {
    let addresses = sandbox.addresses();
    let places = addresses.all().iter();
    places
        .filter(|place| place.platform == platform)
        .flat_map(|place| place.entries.clone())
        .collect()
}

pub(crate) static ALL: &[Stand] = &[BIODOCK, ANALYTICS_AUTOMATED];

const BIODOCK: Stand = Stand {
    provider: "biodock",
    entries: |sandbox| demo(sandbox, "biodock"),
    key: "key",
    account: "someone@example.org",
    check: "biodock.check",
    lists: &["biodock.pipelines"],
    upload: "biodock.upload",
    submit: "biodock.submit",
    status: "biodock.status",
    draft: None,
    count: Count::Listed(
        "analysis-jobs?limit=10000",
        Key::Header("x-api-key"),
        |body| body["results"].as_array().unwrap().len(),
    ),
    pipeline: "64f1a2b3c4d5e6f708192a3b",
    no_pipeline: "64f1a2b3c4d5e6f700000000",
    gone: "0123456789abcdef01234567",
    failing: Failing::Setting("biodock.life=fails"),
    odd_state: Some(("biodock.life=unknown-status", "POSTPROCESSING")),
    page_limit: Some("biodock.max-limit"),
    page_quirks: &["biodock.cursor=ignored", "biodock.count=total"],
    quirks: &[],
    refusals: &[
        "biodock.refusal=json",
        "biodock.refusal=html",
        "biodock.refusal=login-page",
        "biodock.refusal=redirect",
    ],
    fault_kinds: &[],
    tags_show: Some("biodock.job-names=present"),
    asks_for_results: Some("biodock.ask-masks"),
    parts: None,
    gathers: None,
    polls: (12, 12),
    has_budget: false,
    has_pages: false,
    links_last: Duration::from_mins(50),
};

const ANALYTICS_AUTOMATED: Stand = Stand {
    provider: "analytics-automated",
    entries: |sandbox| {
        vec![
            DemoEntry::open(
                "url",
                sandbox.addresses().entry("analytics-automated", "url"),
            ),
            DemoEntry::open("email", "someone@example.org"),
            DemoEntry::open("user", USER),
            DemoEntry::secret("password", "password", sandbox.world().key(PASSWORD_KEY)),
        ]
    },
    key: "password",
    account: "lab at 127.0.0.1",
    check: "aa.endpoints",
    lists: &["aa.endpoints"],
    upload: "aa.submit",
    submit: "aa.submit",
    status: "aa.status",
    draft: None,
    count: Count::Answered(201),
    pipeline: "wordcount",
    no_pipeline: "no_such_job",
    gone: "c078eaf2-e53d-11f1-9d4a-02fc00000001",
    failing: Failing::Pipeline("failing"),
    odd_state: None,
    page_limit: None,
    page_quirks: &[],
    quirks: &[],
    refusals: &[],
    // 403 with `detail` is its answer to a wrong password.
    fault_kinds: &[("forbidden", ErrorKind::Unauthenticated)],
    tags_show: None,
    asks_for_results: None,
    parts: None,
    gathers: None,
    polls: (12, 12),
    has_budget: false,
    has_pages: false,
    links_last: Duration::from_mins(50),
};
