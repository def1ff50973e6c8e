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
    /// The sample it is given, by its name among the samples.
    pub(crate) sample: &'static str,
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
    /// The settings that make parts short enough for a test.
    pub(crate) settings: &'static [&'static str],
    /// Length of a part then.
    pub(crate) bytes: u64,
    /// Parts that may have to be sent again: on their way, waiting to be reported, being reported.
    pub(crate) in_flight: u64,
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

pub(crate) static ALL: &[Stand] = &[BIODOCK, CODE_OCEAN, SEVEN_BRIDGES, ANALYTICS_AUTOMATED];

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
    sample: "P01_A01_DAPI.png",
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

const CODE_OCEAN: Stand = Stand {
    provider: "code-ocean",
    entries: |sandbox| demo(sandbox, "code-ocean"),
    key: "key",
    account: "127.0.0.1",
    check: "code_ocean.capsules",
    lists: &["code_ocean.capsules", "code_ocean.pipelines"],
    upload: "code_ocean.bucket",
    submit: "code_ocean.submit",
    draft: None,
    status: "code_ocean.status",
    count: Count::Listed(
        "api/v1/capsules/b8d04e3f-61a7-4c92-a5f3-7e9d1c2b3a04/computations",
        Key::User,
        |body| body.as_array().unwrap().len(),
    ),
    pipeline: "capsule:b8d04e3f-61a7-4c92-a5f3-7e9d1c2b3a04",
    no_pipeline: "capsule:00000000-0000-4000-8000-000000000000",
    gone: "00000000-0000-4000-8000-000000000000",
    sample: "ubiquitin.fasta",
    failing: Failing::Setting("code_ocean.life=fails"),
    odd_state: Some(("code_ocean.life=unknown-state", "provisioning")),
    page_limit: Some("code_ocean.max-limit"),
    page_quirks: &["code_ocean.next-token=number"],
    quirks: &[
        "code_ocean.members=omit-empty",
        "code_ocean.casing=odd",
        "code_ocean.processes=single",
        "code_ocean.mount=required",
        "code_ocean.rename=200",
        "code_ocean.file-urls=old-only",
        "code_ocean.file-urls=new-only",
        "code_ocean.asset-states=upper-case",
        "code_ocean.asset-size=text",
        "code_ocean.results=hostile",
        "code_ocean.life=no-end-status",
    ],
    refusals: &[],
    fault_kinds: &[],
    tags_show: None,
    asks_for_results: None,
    // Its parts cannot be made shorter, so a test of its own sends a large file.
    parts: None,
    gathers: Some(Gathers {
        endpoint: "code_ocean.create-asset",
        failing: "code_ocean.asset-life=fails",
    }),
    polls: (12, 3),
    has_budget: false,
    has_pages: false,
    links_last: Duration::from_mins(70),
};

const SEVEN_BRIDGES: Stand = Stand {
    provider: "seven-bridges",
    entries: |sandbox| demo(sandbox, "seven-bridges"),
    key: "key",
    account: "john_doe",
    check: "sb.user",
    lists: &["sb.apps"],
    upload: "storage.sb-part",
    submit: "sb.run-task",
    draft: Some("sb.create-task"),
    status: "sb.bulk-tasks",
    count: Count::Listed(
        "tasks?project=john_doe%2Fplate-7&limit=100&fields=id,status",
        Key::Header("x-sbg-auth-token"),
        |body| {
            let tasks = body["items"].as_array().unwrap().iter();
            tasks.filter(|task| task["status"] != "DRAFT").count()
        },
    ),
    pipeline: "john_doe/plate-7/table-summary/2",
    no_pipeline: "john_doe/plate-7/no-such-app/1",
    gone: "00000000-0000-4000-8000-000000000000",
    sample: "expression summary.tsv",
    failing: Failing::Setting("sb.life=fails"),
    odd_state: Some(("sb.life=unknown-state", "Active")),
    page_limit: Some("sb.max-limit"),
    page_quirks: &[
        "sb.next-link=malformed",
        "sb.next-link=other-host",
        "sb.next-link=absent",
    ],
    quirks: &[
        "sb.file-types=upper",
        "sb.parallel-uploads=no",
        "sb.part-headers=some",
        "sb.expires=number",
        "sb.success-codes=top",
        "sb.report-check=at-once",
        "sb.group-report=refused",
        "sb.execution-status=sparse",
        "sb.execution-status=absent",
        "sb.price=text",
        "sb.error-entries=texts",
        "sb.draft-start-time=present",
        "sb.missing-inputs=refused",
        "sb.run-with-errors=refused",
        "sb.error-style=text-status",
        "sb.error-style=bare",
    ],
    refusals: &["sb.error-style=text-status", "sb.error-style=bare"],
    fault_kinds: &[],
    tags_show: None,
    asks_for_results: None,
    parts: Some(Parts {
        endpoint: "storage.sb-part",
        settings: &["sb.min-part=1024", "sb.part-size=262144"],
        bytes: 262_144,
        in_flight: 3 + 4 + 5,
    }),
    gathers: None,
    polls: (12, 1),
    has_budget: true,
    has_pages: false,
    links_last: Duration::from_mins(70),
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
    sample: "P01_A01_DAPI.png",
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
