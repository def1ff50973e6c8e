//! Which way asks which endpoint, and what for. A clean run of each way holds this list against what is really asked.

use crate::faults::matrix::cell::Way;

/// What is asked of an endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Role {
    /// Who are we?
    Check,
    /// What can be run?
    List,
    /// More about what can be run; the list is there without it.
    Ornament,
    /// A question of the person: a form, a list of inputs or jobs, a job by its identifier.
    Question,
    /// Bringing a file or an input there; nothing runs for it.
    Stage,
    /// What is asked before a submission.
    Before,
    /// The request that makes a job.
    Submit,
    /// A name or a note for a job that runs already.
    Describe,
    /// The jobs on the list, or one of them, after a lost answer.
    Find,
    /// How does it stand?
    Status,
    /// End it.
    Cancel,
    /// What are its results?
    Outputs,
    /// A link to a result, or a result that is made on request.
    Prepare,
    /// The bytes of a result.
    Download,
}

/// One endpoint on one way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Row {
    pub(crate) platform: &'static str,
    pub(crate) way: Way,
    pub(crate) endpoint: &'static str,
    pub(crate) role: Role,
    /// Settings and further faults without which it is not asked on this way.
    pub(crate) given: &'static [&'static str],
}

const fn row(
    platform: &'static str,
    way: Way,
    endpoint: &'static str,
    role: Role,
    given: &'static [&'static str],
) -> Row {
    Row {
        platform,
        way,
        endpoint,
        role,
        given,
    }
}

const BIODOCK: &str = "biodock";
const OCEAN: &str = "code-ocean";
const BRIDGES: &str = "seven-bridges";
const INSTITUTE: &str = "analytics-automated";

/// An answer to the submission that is lost.
const LOST_OCEAN: &[&str] = &["lost-answer@code_ocean.submit*1"];

pub(crate) static ROWS: &[Row] = &[
    row(BIODOCK, Way::Connect, "biodock.check", Role::Check, &[]),
    row(BIODOCK, Way::Connect, "biodock.pipelines", Role::List, &[]),
    row(BIODOCK, Way::Browse, "biodock.list", Role::Question, &[]),
    row(BIODOCK, Way::ListJobs, "biodock.jobs", Role::Question, &[]),
    row(BIODOCK, Way::Adopt, "biodock.status", Role::Question, &[]),
    row(BIODOCK, Way::Batch, "biodock.upload", Role::Stage, &[]),
    row(BIODOCK, Way::Batch, "biodock.jobs", Role::Before, &[]),
    row(BIODOCK, Way::Batch, "biodock.submit", Role::Submit, &[]),
    row(BIODOCK, Way::Batch, "biodock.status", Role::Status, &[]),
    row(BIODOCK, Way::Batch, "biodock.ask-masks", Role::Prepare, &[]),
    row(BIODOCK, Way::Batch, "biodock.masks", Role::Prepare, &[]),
    row(BIODOCK, Way::Batch, "storage.get", Role::Download, &[]),
    row(OCEAN, Way::Connect, "code_ocean.capsules", Role::Check, &[]),
    row(OCEAN, Way::Connect, "code_ocean.pipelines", Role::List, &[]),
    row(OCEAN, Way::Form, "code_ocean.form", Role::Question, &[]),
    row(
        OCEAN,
        Way::Form,
        "code_ocean.pipeline",
        Role::Question,
        &["not-found@code_ocean.form*1"],
    ),
    row(OCEAN, Way::Browse, "code_ocean.assets", Role::Question, &[]),
    row(OCEAN, Way::ListJobs, "code_ocean.jobs", Role::Question, &[]),
    row(OCEAN, Way::Adopt, "code_ocean.status", Role::Question, &[]),
    row(OCEAN, Way::Batch, "code_ocean.bucket", Role::Stage, &[]),
    row(OCEAN, Way::Batch, "code_ocean.assets", Role::Stage, &[]),
    row(
        OCEAN,
        Way::Batch,
        "code_ocean.create-asset",
        Role::Stage,
        &[],
    ),
    row(OCEAN, Way::Batch, "code_ocean.asset", Role::Stage, &[]),
    row(OCEAN, Way::Batch, "code_ocean.form", Role::Before, &[]),
    row(OCEAN, Way::Batch, "code_ocean.submit", Role::Submit, &[]),
    row(OCEAN, Way::Batch, "code_ocean.rename", Role::Describe, &[]),
    row(OCEAN, Way::Batch, "code_ocean.status", Role::Status, &[]),
    row(OCEAN, Way::Batch, "code_ocean.results", Role::Outputs, &[]),
    row(OCEAN, Way::Batch, "code_ocean.link", Role::Prepare, &[]),
    row(
        OCEAN,
        Way::Batch,
        "code_ocean.old-link",
        Role::Prepare,
        &["code_ocean.file-urls=old-only"],
    ),
    row(OCEAN, Way::Batch, "storage.get", Role::Download, &[]),
    row(OCEAN, Way::Batch, "code_ocean.jobs", Role::Find, LOST_OCEAN),
    row(OCEAN, Way::Cancel, "code_ocean.delete", Role::Cancel, &[]),
    row(BRIDGES, Way::Connect, "sb.user", Role::Check, &[]),
    row(BRIDGES, Way::Connect, "sb.projects", Role::Ornament, &[]),
    row(BRIDGES, Way::Connect, "sb.apps", Role::List, &[]),
    row(BRIDGES, Way::Form, "sb.app", Role::Question, &[]),
    row(BRIDGES, Way::Browse, "sb.files", Role::Question, &[]),
    row(BRIDGES, Way::ListJobs, "sb.tasks", Role::Question, &[]),
    row(BRIDGES, Way::Adopt, "sb.task", Role::Question, &[]),
    row(BRIDGES, Way::Batch, "sb.files", Role::Stage, &[]),
    row(BRIDGES, Way::Batch, "sb.create-folder", Role::Stage, &[]),
    row(BRIDGES, Way::Batch, "sb.start-upload", Role::Stage, &[]),
    row(BRIDGES, Way::Batch, "sb.part", Role::Stage, &[]),
    row(BRIDGES, Way::Batch, "storage.sb-part", Role::Stage, &[]),
    row(BRIDGES, Way::Batch, "sb.report-parts", Role::Stage, &[]),
    row(
        BRIDGES,
        Way::Batch,
        "sb.report-part",
        Role::Stage,
        &["sb.group-report=refused"],
    ),
    row(
        BRIDGES,
        Way::Batch,
        "sb.upload",
        Role::Stage,
        &["unavailable@storage.sb-part*4"],
    ),
    row(BRIDGES, Way::Batch, "sb.complete-upload", Role::Stage, &[]),
    row(BRIDGES, Way::Batch, "sb.change-metadata", Role::Stage, &[]),
    row(BRIDGES, Way::Batch, "sb.app", Role::Before, &[]),
    row(BRIDGES, Way::Batch, "sb.create-task", Role::Before, &[]),
    row(
        BRIDGES,
        Way::Batch,
        "sb.tasks",
        Role::Before,
        &["lost-answer@sb.create-task*1"],
    ),
    row(BRIDGES, Way::Batch, "sb.run-task", Role::Submit, &[]),
    row(
        BRIDGES,
        Way::Batch,
        "sb.task",
        Role::Find,
        &["lost-answer@sb.run-task*1"],
    ),
    row(BRIDGES, Way::Batch, "sb.bulk-tasks", Role::Status, &[]),
    row(BRIDGES, Way::Batch, "sb.task", Role::Outputs, &[]),
    row(BRIDGES, Way::Batch, "sb.bulk-files", Role::Outputs, &[]),
    row(BRIDGES, Way::Batch, "sb.download-info", Role::Prepare, &[]),
    row(BRIDGES, Way::Batch, "storage.get", Role::Download, &[]),
    row(BRIDGES, Way::Cancel, "sb.abort-task", Role::Cancel, &[]),
    row(INSTITUTE, Way::Connect, "aa.endpoints", Role::Check, &[]),
    row(INSTITUTE, Way::Connect, "aa.jobtimes", Role::Ornament, &[]),
    row(INSTITUTE, Way::Form, "aa.endpoints", Role::Question, &[]),
    row(INSTITUTE, Way::Adopt, "aa.status", Role::Question, &[]),
    row(INSTITUTE, Way::Batch, "aa.endpoints", Role::Before, &[]),
    row(INSTITUTE, Way::Batch, "aa.submit", Role::Submit, &[]),
    row(INSTITUTE, Way::Batch, "aa.status", Role::Status, &[]),
    row(INSTITUTE, Way::Batch, "aa.job", Role::Ornament, &[]),
    row(INSTITUTE, Way::Batch, "aa.file", Role::Download, &[]),
];

/// Endpoints a simulator has and no cell is about, with the reason.
pub(crate) static NOT_ASKED: &[(&str, &str)] = &[
    ("aa.single", "Labferry does not ask it"),
    ("aa.jobs", "Labferry does not ask it"),
    ("aa.other", "Labferry does not ask it"),
    (
        "code_ocean.capsule",
        "asked like code_ocean.pipeline, where what is sent to is a capsule",
    ),
    ("code_ocean.update-asset", "Labferry does not ask it"),
    ("code_ocean.delete-asset", "Labferry does not ask it"),
    ("code_ocean.archive-asset", "Labferry does not ask it"),
    ("code_ocean.asset-files", "Labferry does not ask it"),
    ("code_ocean.asset-link", "Labferry does not ask it"),
    ("code_ocean.metadata", "Labferry does not ask it"),
    ("code_ocean.attach", "Labferry does not ask it"),
    ("code_ocean.detach", "Labferry does not ask it"),
    ("sb.root", "Labferry does not ask it"),
    ("sb.rate-limit", "Labferry does not ask it"),
    ("sb.project", "Labferry does not ask it"),
    ("sb.copy-app", "Labferry does not ask it"),
    ("sb.file", "Labferry does not ask it"),
    ("sb.change-file", "Labferry does not ask it"),
    ("sb.delete-file", "Labferry does not ask it"),
    ("sb.metadata", "Labferry does not ask it"),
    ("sb.tags", "Labferry does not ask it"),
    ("sb.copy-file", "Labferry does not ask it"),
    ("sb.move-file", "Labferry does not ask it"),
    ("sb.bulk-delete", "Labferry does not ask it"),
    ("sb.bulk-change", "Labferry does not ask it"),
    ("sb.uploads", "Labferry does not ask it"),
    (
        "sb.abort-upload",
        "asked to tidy up; a failure is noted in the log and changes nothing",
    ),
    ("sb.change-task", "Labferry does not ask it"),
    (
        "sb.delete-task",
        "asked to tidy up; a failure is noted in the log and changes nothing",
    ),
    ("sb.clone-task", "Labferry does not ask it"),
    ("sb.task-inputs", "Labferry does not ask it"),
    (
        "sb.execution-details",
        "asked for the words about a task that failed; the task has failed whatever it answers",
    ),
    ("sb.other", "Labferry does not ask it"),
];
