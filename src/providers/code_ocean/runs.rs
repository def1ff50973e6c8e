//! Runs: made, found again, asked about.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;
use reqwest::Method;
use reqwest::header::{DATE, HeaderMap};

use crate::model::error::{Doing, Error, ErrorKind, Result};
use crate::model::pipeline::Pipeline;
use crate::model::remote::{
    Found, JobReport, JobStatus, ListedJob, Lost, RemoteJob, StagedFile, Submission,
};
use crate::net::commit_point::CommitPoint;
use crate::providers::code_ocean::address::{Kind, Named, Runnable, named};
use crate::providers::code_ocean::client::{Client, Scope};
use crate::providers::code_ocean::values::{AllValues, Data, mount_of};
use crate::providers::code_ocean::wire::{Computation, Memo, Mounted, Run, RunProcess, filled};

/// Longest name of a run; the tag at its end must survive.
const MOST_NAME_CHARS: usize = 150;
/// How far the service's clock may be off, beyond what its own answer says about it.
const CLOCK_SLACK: Duration = Duration::from_mins(5);
/// Entries of a list for each job asked about, above which single questions are the smaller answer.
const MOST_LISTED_EACH: usize = 40;

/// A run as it is sent: the same again for the look after a lost answer.
struct Order {
    runnable: Runnable,
    assets: Vec<Mounted>,
    values: AllValues,
}

impl Client {
    async fn order(&self, submission: &Submission, doing: Doing) -> Result<Order> {
        let runnable = self.resolve(&submission.pipeline, doing).await?;
        let assets = mounted(submission, runnable.kind)?;
        let memo = match submission.staged.as_slice() {
            [only] => Memo::of(&only.memo),
            _ => Memo::default(),
        };
        let data = Data {
            mount: assets
                .first()
                .map_or_else(|| mount_of(&submission.settings), |asset| &asset.mount),
            file: Some(memo.file.as_str()).filter(|file| !file.is_empty()),
        };
        let values = AllValues::of(&submission.settings, data)?;
        if runnable.kind == Kind::Pipeline && !values.whole.ordered.is_empty() {
            return Err(Error::new(ErrorKind::Invalid, doing).hint(
                "Code Ocean ignores values without a name that are given to a whole pipeline; name them, or give them to a process",
            ));
        }
        Ok(Order {
            runnable,
            assets,
            values,
        })
    }

    pub(super) async fn run(
        &self,
        submission: &Submission,
        commit: &CommitPoint,
    ) -> Result<RemoteJob> {
        let order = self.order(submission, Doing::Submit).await?;
        let body = order.body();
        let reply = self
            .api()
            .submit_json(&["computations"], &body, commit, Doing::Submit)
            .await
            .map_err(|error| self.explain_refusal(error))?;
        let run: Computation = reply.json()?;
        if run.id.is_empty() {
            return Err(Error::new(ErrorKind::Garbled, Doing::Submit)
                .status(reply.status)
                .hint("Code Ocean took the run but did not say its id"));
        }
        let differences = order.values.differences(&run);
        if !differences.is_empty() && run.parameters.is_some() {
            tracing::warn!(
                run = %run.id,
                settings = %differences.join(", "),
                "the run has other values than it was given"
            );
        }
        self.rename(&run.id, submission).await;
        Ok(self.remote(&run.id, &order.runnable.memo()))
    }

    /// A capsule that is held by something else made no run, and a time to come back says that it may be free then.
    fn explain_refusal(&self, error: Error) -> Error {
        if error.kind() != ErrorKind::Conflict {
            return Scope::Run.explain(error);
        }
        let wait = self.api().http().retry().first_wait.saturating_mul(20);
        let wait = error.failure().retry_after.unwrap_or(wait);
        error.retry_after(Some(wait)).hint(
            "Something else at Code Ocean holds this capsule or pipeline just now, such as somebody's workspace",
        )
    }

    /// Recognizable in the browser, and found again by the tag. The run goes on under its own name where this fails.
    async fn rename(&self, id: &str, submission: &Submission) {
        let name: String = submission
            .name
            .trim()
            .replacen(" - ", "/", 1)
            .chars()
            .take(MOST_NAME_CHARS)
            .collect();
        let name = format!("{name} {}", submission.tag);
        let renamed = self
            .api()
            .change(
                &Method::PATCH,
                &["computations", id],
                &[("name", name.trim())],
                None,
                Doing::Submit,
            )
            .await;
        if let Err(error) = renamed {
            tracing::warn!(%error, run = id, "the run could not be renamed");
        }
    }

    /// By the tag in its name; else runs since then of the same with the same inputs and values.
    pub(super) async fn look_for(&self, lost: &Lost) -> Result<Found> {
        let doing = Doing::FindSubmission;
        let order = self.order(&lost.submission, doing).await?;
        let (runs, headers) = self.runs_of(&order.runnable, doing).await?;
        let memo = order.runnable.memo();
        let tag = lost.submission.tag.as_str();
        let is_ours = |run: &&Computation| {
            run.name
                .as_deref()
                .is_some_and(|name| !tag.is_empty() && name.contains(tag))
        };
        if let Some(run) = runs.iter().find(is_ours) {
            return Ok(Found::Job(self.remote(&run.id, &memo)));
        }
        let since = on_their_clock(lost.since, &headers);
        let echoes = Echoes::of(&runs);
        let fitting: Vec<RemoteJob> = runs
            .iter()
            .filter(|run| run.created().is_none_or(|created| created >= since))
            .filter(|run| order.fits(run, echoes))
            .map(|run| self.remote(&run.id, &memo))
            .collect();
        if fitting.is_empty() {
            return Ok(Found::Nothing);
        }
        Ok(Found::Perhaps(fitting))
    }

    /// The runs of one capsule or pipeline that are no workstations, as the service sorts them.
    pub(super) async fn runs_of(
        &self,
        runnable: &Runnable,
        doing: Doing,
    ) -> Result<(Vec<Computation>, HeaderMap)> {
        let reply = self
            .api()
            .get(
                &[runnable.kind.path(), &runnable.id, "computations"],
                &[],
                doing,
            )
            .await
            .map_err(|error| Scope::Capsule.explain(error))?;
        let runs: Option<Vec<Computation>> = reply.json()?;
        let mut runs = runs.unwrap_or_default();
        runs.retain(|run| !run.is_workstation() && !run.id.is_empty());
        Ok((runs, reply.headers))
    }

    pub(super) async fn run_by_id(&self, id: &str, doing: Doing) -> Result<Computation> {
        let mut run: Computation = self
            .api()
            .get_json(&["computations", id], &[], doing)
            .await
            .map_err(|error| Scope::Capsule.explain(error))?;
        if run.id.is_empty() {
            id.clone_into(&mut run.id);
        }
        Ok(run)
    }

    /// One list for several runs of the same; single questions for the rest.
    pub(super) async fn stand(&self, jobs: &[RemoteJob]) -> Result<Vec<Result<JobReport>>> {
        let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
        for job in jobs {
            *groups.entry(&job.memo).or_default() += 1;
        }
        let mut listed: BTreeMap<String, JobReport> = BTreeMap::new();
        for (memo, count) in groups {
            listed.extend(self.listed(memo, count).await?);
        }
        let mut reports = Vec::with_capacity(jobs.len());
        for job in jobs {
            let report = match listed.remove(&job.id) {
                Some(report) => Ok(report),
                None => self
                    .run_by_id(&job.id, Doing::Poll)
                    .await
                    .map(|run| run.report()),
            };
            reports.push(match report {
                Err(error) if error.kind() == ErrorKind::NotFound => Ok(gone()),
                Err(error) if concerns_all(error.kind()) => return Err(error),
                report => report,
            });
        }
        Ok(reports)
    }

    /// How the runs of one capsule or pipeline stand; nothing where single questions are better.
    async fn listed(&self, memo: &str, count: usize) -> Result<BTreeMap<String, JobReport>> {
        let Named::Full(runnable) = named(memo) else {
            return Ok(BTreeMap::new());
        };
        let longest = count.saturating_mul(MOST_LISTED_EACH);
        let is_long = self
            .memory()
            .list_lengths
            .get(memo)
            .is_some_and(|length| *length > longest);
        if count < 2 || is_long {
            return Ok(BTreeMap::new());
        }
        let runs = match self.runs_of(&runnable, Doing::Poll).await {
            Ok((runs, _headers)) => runs,
            Err(error) if concerns_all(error.kind()) => return Err(error),
            // Deleted, or too long a list to be read: each run is asked about.
            Err(error) => {
                tracing::debug!(%error, memo, "the list of runs was of no use");
                return Ok(BTreeMap::new());
            }
        };
        self.memory()
            .list_lengths
            .insert(memo.to_owned(), runs.len());
        Ok(runs
            .into_iter()
            .map(|run| {
                let report = run.report();
                (run.id, report)
            })
            .collect())
    }

    /// As others may know it, too.
    pub(super) fn listed_job(&self, run: &Computation, pipeline: Option<Pipeline>) -> ListedJob {
        let of = |kind: Kind, id: &Option<String>| {
            let id = filled(id.clone())?;
            let version = None;
            Some(Runnable { kind, id, version })
        };
        let said = of(Kind::Capsule, &run.capsule_id).or(of(Kind::Pipeline, &run.pipeline_id));
        let pipeline = pipeline.unwrap_or_else(|| match said {
            Some(runnable) => Pipeline::typed(runnable.pipeline_id().as_str()),
            // A run by itself does not say of what it is one.
            None => Pipeline {
                name: "Computation".to_owned(),
                ..Pipeline::typed("")
            },
        });
        let memo = match named(pipeline.id.as_str()) {
            Named::Full(runnable) => runnable.memo(),
            Named::Bare(..) | Named::Slug(..) | Named::Unknown => String::new(),
        };
        ListedJob {
            remote: self.remote(&run.id, &memo),
            name: filled(run.name.clone()).unwrap_or_else(|| run.id.clone()),
            pipeline,
            created: run.created(),
            word: run.word(),
        }
    }

    /// The page of a capsule is known only by a number that the lists say.
    fn remote(&self, id: &str, memo: &str) -> RemoteJob {
        let web_page = match named(memo) {
            Named::Full(runnable) if runnable.kind == Kind::Capsule => {
                self.memory().slugs.get(&runnable.id).cloned()
            }
            _ => None,
        }
        .and_then(|slug| {
            let page = self.api().base().join(&format!("/capsule/{slug}/tree"));
            Some(page.ok()?.to_string())
        });
        RemoteJob {
            id: id.to_owned(),
            web_page,
            memo: memo.to_owned(),
        }
    }
}

impl Order {
    fn body(&self) -> Run<'_> {
        let id = Some(self.runnable.id.as_str());
        let (capsule_id, pipeline_id) = match self.runnable.kind {
            Kind::Capsule => (id, None),
            Kind::Pipeline => (None, id),
        };
        Run {
            capsule_id,
            pipeline_id,
            version: self.runnable.version,
            data_assets: self.assets.clone(),
            parameters: &self.values.whole.ordered,
            named_parameters: &self.values.whole.named,
            processes: self
                .values
                .processes
                .iter()
                .map(|(name, values)| RunProcess {
                    name,
                    parameters: &values.ordered,
                    named_parameters: &values.named,
                })
                .collect(),
        }
    }

    /// Whether nothing a run says speaks against its being this one. What a server never says cannot.
    fn fits(&self, run: &Computation, echoes: Echoes) -> bool {
        let ours: BTreeSet<&str> = self.assets.iter().map(|asset| asset.id.as_str()).collect();
        let same_assets = match &run.data_assets {
            Some(assets) => {
                let theirs: BTreeSet<&str> = assets.iter().map(|asset| asset.id.as_str()).collect();
                ours.is_subset(&theirs) && (self.keeps_others() || theirs.len() == ours.len())
            }
            None => ours.is_empty() || !echoes.assets,
        };
        let says_values = run.parameters.is_some() || run.processes.is_some();
        let same_values = if says_values {
            self.values.differences(run).is_empty()
        } else {
            self.values.is_empty() || !echoes.values
        };
        same_assets && same_values
    }

    /// A pipeline has data of its own beside what it is given.
    fn keeps_others(&self) -> bool {
        self.runnable.kind == Kind::Pipeline
    }
}

/// Which members a server sends at all; older ones leave some out.
#[derive(Clone, Copy)]
struct Echoes {
    assets: bool,
    values: bool,
}

impl Echoes {
    fn of(runs: &[Computation]) -> Self {
        Self {
            assets: runs.iter().any(|run| run.data_assets.is_some()),
            values: runs
                .iter()
                .any(|run| run.parameters.is_some() || run.processes.is_some()),
        }
    }
}

/// The inputs with the folder each appears as; some servers refuse one without.
fn mounted(submission: &Submission, kind: Kind) -> Result<Vec<Mounted>> {
    let set = mount_of(&submission.settings);
    let is_only = submission.staged.len() == 1;
    let mount_for = |file: &StagedFile| match kind {
        // A pipeline takes data only where it has some already, and the form says where that is.
        Kind::Pipeline if is_only => set.to_owned(),
        Kind::Pipeline | Kind::Capsule => {
            filled(Some(Memo::of(&file.memo).mount)).unwrap_or_else(|| set.to_owned())
        }
    };
    let mut assets: Vec<Mounted> = Vec::with_capacity(submission.staged.len());
    for file in &submission.staged {
        let mount = mount_for(file);
        if assets.iter().any(|asset| asset.mount == mount) {
            return Err(Error::new(ErrorKind::Invalid, Doing::Submit).hint(format!(
                "Two of the chosen data assets would both appear as /data/{mount}; choose one of them, or change the folder of one at Code Ocean"
            )));
        }
        assets.push(Mounted {
            id: file.id.clone(),
            mount,
        });
    }
    Ok(assets)
}

/// A moment of our clock on theirs, with some slack: the answer says what time they have.
fn on_their_clock(since: Timestamp, headers: &HeaderMap) -> Timestamp {
    let theirs = headers
        .get(DATE)
        .and_then(|date| date.to_str().ok())
        .and_then(|date| DateTimeParser::new().parse_timestamp(date).ok());
    let ahead = theirs.map_or(jiff::SignedDuration::ZERO, |theirs| {
        theirs.duration_since(Timestamp::now())
    });
    let moved = since.saturating_add(ahead).unwrap_or(since).min(since);
    moved
        .saturating_sub(CLOCK_SLACK)
        .unwrap_or(Timestamp::UNIX_EPOCH)
}

fn gone() -> JobReport {
    JobReport {
        status: JobStatus::Gone,
        word: String::new(),
        message: None,
    }
}

/// Whether a failure says nothing about the one run that was asked for.
const fn concerns_all(error: ErrorKind) -> bool {
    matches!(
        error,
        ErrorKind::Unauthenticated
            | ErrorKind::RateLimited
            | ErrorKind::Maintenance
            | ErrorKind::Timeout
            | ErrorKind::Unreachable
    )
}
