//! Decisions without clock, disk or network, one by one. Whole lives drawn from seeds are led in the tests from outside.

mod adopting;
mod asking;
mod breaking;
mod connecting;
mod drafting;
mod drives;
mod fetching;
mod folders;
mod jobs_made;
mod listing;
mod looking;
mod losing;
mod outage;
mod person;
mod preparing;
mod receipts;
mod renewing;
mod retrying;
mod saving;
mod sending;
mod settings;
mod watching;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::engine::command::{Command, Resolution};
use crate::engine::decide::decide;
use crate::engine::event::{Effect, Event, Now, Prepared, Work, WorkKey};
use crate::engine::pace::Pace;
use crate::engine::snapshot::CheckState;
use crate::engine::world::World;
use crate::model::batch::{BatchFile, Target};
use crate::model::connection::{Connection, KeyState};
use crate::model::error::{Doing, Error, ErrorKind, Sent};
use crate::model::file::LocalFile;
use crate::model::form::Settings;
use crate::model::ids::{ArtifactId, ConnectionId, FileId, JobId, ProviderId};
use crate::model::job::Stage;
use crate::model::notice::{About, Action};
use crate::model::pipeline::Pipeline;
use crate::model::provider::{
    CancelKind, Capabilities, FanOut, Intake, Limits, LostSubmit, Nouns, PollPace, ProgressKind,
    ProviderFacts,
};
use crate::model::remote::{Found, JobReport, JobStatus, Output, Progress, RemoteJob, StagedFile};
use crate::store::journal::Change;

/// Uploads first and offers candidates.
pub(super) const UPLOADS: ConnectionId = ConnectionId(1);
/// Takes the file with the submission, has no list and takes three jobs at a time.
pub(super) const CARRIES: ConnectionId = ConnectionId(2);
/// Takes the file with the submission and knows tags.
pub(super) const FINDS: ConnectionId = ConnectionId(3);
/// Gathers files in a bucket and lists what each job was given.
pub(super) const GATHERS: ConnectionId = ConnectionId(4);
/// Uploads first, makes a draft before it starts it, and knows tags.
pub(super) const DRAFTS: ConnectionId = ConnectionId(5);
/// All of them.
pub(super) const ALL: [ConnectionId; 5] = [UPLOADS, CARRIES, FINDS, GATHERS, DRAFTS];

const USUAL: Capabilities = Capabilities {
    intake: Intake::UploadFirst,
    max_file_bytes: None,
    refuses_empty_files: true,
    max_name_chars: 100,
    fan_outs: &[FanOut::AllInOne, FanOut::OnePerFile],
    progress: ProgressKind::Percent,
    cancel: CancelKind::StopWatching,
    lost_submit: LostSubmit::Candidates,
    partial_results: true,
    browses_inputs: false,
    poll: PollPace {
        first: Duration::from_secs(1),
        usual: Duration::from_secs(1),
        longest: Duration::from_secs(10),
    },
    limits: Limits {
        requests_per_second: 100,
        parallel_requests: 4,
        parallel_uploads: 2,
        jobs_alive: None,
    },
    cost: None,
    intake_needs: None,
    lists_jobs: false,
};

const fn facts(id: &'static str, capabilities: Capabilities) -> ProviderFacts {
    ProviderFacts {
        id: ProviderId::new(id),
        name: "Platform",
        about: "",
        nouns: Nouns {
            pipeline: "pipeline",
            job: "job",
            input: "file",
        },
        connect_fields: &[],
        capabilities,
        status_page: None,
        profiles: None,
    }
}

static UPLOADS_FACTS: ProviderFacts = facts("uploads", USUAL);
static CARRIES_FACTS: ProviderFacts = facts(
    "carries",
    Capabilities {
        intake: Intake::WithSubmission,
        lost_submit: LostSubmit::AskThePerson,
        limits: Limits {
            jobs_alive: Some(3),
            ..USUAL.limits
        },
        ..USUAL
    },
);
static FINDS_FACTS: ProviderFacts = facts(
    "finds",
    Capabilities {
        intake: Intake::WithSubmission,
        lost_submit: LostSubmit::CanBeFound,
        cancel: CancelKind::Stops,
        partial_results: false,
        ..USUAL
    },
);

static GATHERS_FACTS: ProviderFacts = facts(
    "gathers",
    Capabilities {
        intake: Intake::ThroughBucket,
        lost_submit: LostSubmit::OneThatFits,
        cancel: CancelKind::StopsAndDeletes,
        ..USUAL
    },
);
static DRAFTS_FACTS: ProviderFacts = facts(
    "drafts",
    Capabilities {
        lost_submit: LostSubmit::CanBeFound,
        cancel: CancelKind::Stops,
        ..USUAL
    },
);

/// A world, its clock, and what it has written so far. Every decision is held against what must always be true.
pub(super) struct Bed {
    pub(super) world: World,
    pub(super) at: Timestamp,
    pub(super) random: u64,
    pub(super) written: Vec<Change>,
    percents: BTreeMap<JobId, f32>,
    /// Jobs that were begun before this decision.
    uploading: BTreeSet<JobId>,
}

impl Bed {
    /// A world in which the connections stand.
    pub(super) fn new() -> Self {
        let mut bed = Self {
            world: fresh_world(),
            at: Timestamp::UNIX_EPOCH,
            random: 1,
            written: Vec::new(),
            percents: BTreeMap::new(),
            uploading: BTreeSet::new(),
        };
        let names = ["uploads", "carries", "finds", "gathers", "drafts"];
        for (id, provider) in ALL.into_iter().zip(names) {
            let change = Change::PutConnection(Arc::new(Connection {
                id,
                provider: ProviderId::from(provider),
                label: provider.to_owned(),
                base_url: "https://app.example.org/".to_owned(),
                options: BTreeMap::new(),
                vault_name: format!("vault of {provider}"),
                account: None,
            }));
            bed.world.apply(&change);
            bed.written.push(change);
        }
        bed.happen(Event::Tick);
        bed
    }

    /// One decision, its changes written, the rules checked.
    pub(super) fn happen(&mut self, event: Event) -> Vec<Effect> {
        self.random = self
            .random
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let now = Now {
            at: self.at,
            random: self.random,
        };
        let asked = matches!(event, Event::CommitAsked(..));
        let effects = decide(&mut self.world, event, now);
        for effect in &effects {
            if let Effect::Write(change) = effect {
                self.written.push(change.clone());
            }
            assert!(
                asked || !matches!(effect, Effect::LetCommit(_)),
                "{effect:?} unasked"
            );
        }
        check_order(&effects);
        let told = effects.iter().filter(|effect| {
            matches!(effect, Effect::Write(Change::PutNotice(notice)) if matches!(notice.about, About::Batch(_)))
        });
        assert!(told.count() <= 1, "{effects:?}");
        self.check_rules(&effects);
        effects
    }

    fn check_rules(&mut self, effects: &[Effect]) {
        let mut alive: BTreeMap<ConnectionId, usize> = BTreeMap::new();
        for job in self.world.jobs.values() {
            assert_eq!(self.world.alive.contains(&job.id), !job.stage.is_settled());
            let has_handle = matches!(
                job.stage,
                Stage::Queued | Stage::Running | Stage::Downloading
            );
            assert!(!has_handle || job.remote.is_some(), "{job:?}");
            let with_submission = job.connection != UPLOADS && job.stage == Stage::Uploading;
            // An open question must not take the place of the jobs that go on.
            let counts = job.stage.is_alive_remotely() && job.stage != Stage::Unconfirmed;
            if counts || with_submission {
                *alive.entry(job.connection).or_default() += 1;
            }
            match job.report.as_ref().map(|report| &report.status) {
                Some(JobStatus::Running {
                    progress: Some(Progress::Percent(percent)),
                }) => {
                    let before = self.percents.insert(job.id, *percent).unwrap_or_default();
                    assert!(*percent >= before, "{percent} after {before}");
                }
                _ => drop(self.percents.remove(&job.id)),
            }
        }
        let running = |wanted: fn(&WorkKey) -> bool| {
            self.world
                .live
                .running
                .iter()
                .filter(|key| wanted(key))
                .count()
        };
        let uploads = running(|key| matches!(key, WorkKey::Stage(..) | WorkKey::Submit(_)));
        assert!(
            uploads <= self.world.settings.parallel_uploads,
            "{uploads} uploads"
        );
        let downloads = running(|key| matches!(key, WorkKey::Fetch(_)));
        assert!(
            downloads <= self.world.settings.parallel_downloads,
            "{downloads} downloads"
        );
        // Jobs that a person adopts or watches again are there anyway; none is begun beyond the limit.
        let count = alive.get(&CARRIES).copied().unwrap_or_default();
        let begins = effects.iter().any(|effect| {
            matches!(effect, Effect::Write(Change::PutJob(job))
                if job.connection == CARRIES
                    && job.stage == Stage::Uploading
                    && !self.uploading.contains(&job.id))
        });
        assert!(
            !begins || count <= 3,
            "{count} jobs alive where three are allowed"
        );
        let uploading = self.world.jobs.values();
        self.uploading = uploading
            .filter(|job| job.stage == Stage::Uploading)
            .map(|job| job.id)
            .collect();
    }

    /// Makes the connections stand.
    pub(super) fn connect(&mut self) -> Vec<Effect> {
        let mut effects = Vec::new();
        for id in ALL {
            self.end(&WorkKey::Connect(id));
            effects.extend(self.happen(Event::Connected(id, KeyState::InKeyring, Ok(()))));
        }
        effects
    }

    /// A piece of work is no longer under way.
    pub(super) fn end(&mut self, key: &WorkKey) {
        self.world.live.running.remove(key);
    }

    /// Sends this many files over a connection.
    pub(super) fn send(
        &mut self,
        connection: ConnectionId,
        files: usize,
        fan_out: FanOut,
    ) -> Vec<Effect> {
        let files = (0..files).map(|number| BatchFile {
            samples: BTreeMap::new(),
            id: FileId(0),
            local: LocalFile {
                path: PathBuf::from(format!("/data/{number}.tif")),
                name: format!("{number}.tif"),
                folder: String::new(),
                size_bytes: 10,
                modified: None,
            },
            remote_name: format!("{number}.tif"),
        });
        let prepared = Prepared {
            labels: BTreeMap::new(),
            name: "Plate 7".to_owned(),
            folder: PathBuf::from("/results/Plate 7"),
            files: files.collect(),
            left_out: Vec::new(),
            targets: vec![Target {
                sample_column: None,
                existing: Vec::new(),
                connection,
                pipeline: Pipeline::typed("p"),
                fan_out,
                settings: Settings::new(),
            }],
        };
        self.happen(Event::Prepared(Ok(prepared)))
    }

    pub(super) fn stage(&self, job: JobId) -> Stage {
        self.world.jobs[&job].stage
    }

    /// What a fresh start makes of the journal.
    pub(super) fn restart(&mut self) -> Vec<Effect> {
        self.world = fresh_world();
        for change in &self.written {
            self.world.apply(change);
        }
        self.happen(Event::Started)
    }
}

fn fresh_world() -> World {
    let facts = [
        &UPLOADS_FACTS,
        &CARRIES_FACTS,
        &FINDS_FACTS,
        &GATHERS_FACTS,
        &DRAFTS_FACTS,
    ];
    World::new(Arc::from(facts), Pace::TEST, PathBuf::from("/results"))
}

/// A job is written before anything is started for it, and not changed by the same decision afterwards.
fn check_order(effects: &[Effect]) {
    for (place, effect) in effects.iter().enumerate() {
        let about = match effect {
            Effect::Start(
                Work::Submit { job, .. }
                | Work::ReadBaseline(_, job)
                | Work::LookUp { job, .. }
                | Work::Cancel(_, job, _)
                | Work::ListOutputs(_, job, _),
            )
            | Effect::LetCommit(job) => *job,
            _ => continue,
        };
        let late = effects[place..]
            .iter()
            .any(|later| matches!(later, Effect::Write(Change::PutJob(job)) if job.id == about));
        assert!(
            !late,
            "{effect:?} stands before the change of its job in {effects:?}"
        );
    }
}

pub(super) fn started(effects: &[Effect]) -> Vec<&Work> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Start(work) => Some(work),
            _ => None,
        })
        .collect()
}

fn submits(effects: &[Effect]) -> usize {
    started(effects)
        .into_iter()
        .filter(|work| matches!(work, Work::Submit { .. }))
        .count()
}

pub(super) fn remote(id: &str) -> RemoteJob {
    RemoteJob {
        id: id.to_owned(),
        web_page: None,
        memo: String::new(),
    }
}

fn lost() -> Error {
    Error::new(ErrorKind::Timeout, Doing::Submit).sent(Sent::Perhaps)
}

/// A job that was let go and has no answer yet.
fn submitting(connection: ConnectionId) -> (Bed, JobId) {
    let mut bed = Bed::new();
    bed.connect();
    let effects = bed.send(connection, 1, FanOut::OnePerFile);
    let job = *bed.world.jobs.keys().next().unwrap();
    if connection == UPLOADS {
        bed.end(&WorkKey::Stage(UPLOADS, FileId(1)));
        let staged = StagedFile {
            id: "f".to_owned(),
            name: "0.tif".to_owned(),
            sha256: None,
            ..StagedFile::default()
        };
        bed.happen(Event::Staged(UPLOADS, FileId(1), Ok(staged)));
        bed.end(&WorkKey::ReadBaseline(job));
        let effects = bed.happen(Event::BaselineRead(job, Ok(vec!["old".to_owned()])));
        assert_eq!(submits(&effects), 1);
    } else {
        assert_eq!(submits(&effects), 1);
    }
    let effects = bed.happen(Event::CommitAsked(job, None));
    assert!(
        matches!(
            effects.as_slice(),
            [Effect::Write(Change::PutJob(job)), Effect::LetCommit(_)] if job.stage == Stage::Submitting
        ),
        "{effects:?}"
    );
    (bed, job)
}

#[test]
fn a_commit_is_let_go_only_once_and_only_from_uploading() {
    let (mut bed, job) = submitting(CARRIES);
    for stage in [Stage::Submitting, Stage::Queued] {
        assert_eq!(bed.stage(job), stage);
        let effects = bed.happen(Event::CommitAsked(job, None));
        assert!(
            !effects
                .iter()
                .any(|effect| matches!(effect, Effect::LetCommit(_))),
            "{stage:?}"
        );
        bed.end(&WorkKey::Submit(job));
        bed.happen(Event::Submitted(job, Ok(remote("r"))));
    }
    bed.happen(Event::CommitAsked(JobId(99), None));
}

#[test]
fn a_cancelled_job_is_not_let_go() {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(CARRIES, 1, FanOut::OnePerFile);
    let effects = bed.happen(Event::Command(Command::CancelJob(JobId(1))));
    assert!(
        effects
            .iter()
            .any(|effect| matches!(effect, Effect::Stop(WorkKey::Submit(_))))
    );
    let effects = bed.happen(Event::CommitAsked(JobId(1), None));
    assert!(
        !effects
            .iter()
            .any(|effect| matches!(effect, Effect::LetCommit(_)))
    );
    assert_eq!(bed.stage(JobId(1)), Stage::Cancelled);
}

#[test]
fn a_lost_answer_without_a_list_asks_the_person_and_sends_nothing() {
    let (mut bed, job) = submitting(CARRIES);
    bed.end(&WorkKey::Submit(job));
    let effects = bed.happen(Event::Submitted(job, Err(lost())));
    assert_eq!((bed.stage(job), submits(&effects)), (Stage::Unconfirmed, 0));
    let notice = bed
        .world
        .notices
        .values()
        .find(|notice| notice.about == About::Job(job))
        .unwrap();
    assert_eq!(notice.words.action, Some(Action::Resolve));
    bed.at += Duration::from_hours(48);
    assert_eq!(submits(&bed.happen(Event::Tick)), 0);
    assert_eq!(submits(&bed.restart()), 0);
    assert_eq!(submits(&bed.connect()), 0);
    assert_eq!(bed.stage(job), Stage::Unconfirmed);
}

#[test]
fn a_start_after_a_crash_while_submitting_looks_it_up_or_asks() {
    for (connection, stage) in [
        (UPLOADS, Stage::Submitting),
        (CARRIES, Stage::Unconfirmed),
        (FINDS, Stage::Submitting),
    ] {
        let (mut bed, job) = submitting(connection);
        let mut effects = bed.restart();
        effects.extend(bed.connect());
        assert_eq!((bed.stage(job), submits(&effects)), (stage, 0));
        let looks = effects
            .iter()
            .any(|effect| matches!(effect, Effect::Start(Work::LookUp { .. })));
        assert_eq!(looks, stage == Stage::Submitting);
    }
}

#[test]
fn candidates_are_only_what_is_new_and_nobody_elses() {
    let (mut bed, job) = submitting(UPLOADS);
    bed.end(&WorkKey::Submit(job));
    let effects = bed.happen(Event::Submitted(job, Err(lost())));
    assert!(matches!(
        started(&effects).as_slice(),
        [Work::LookUp { .. }]
    ));
    bed.end(&WorkKey::LookUp(job));
    let listed = Found::Perhaps(vec![remote("old"), remote("new")]);
    let effects = bed.happen(Event::LookedUp(job, Ok(listed)));
    assert_eq!(submits(&effects), 0);
    assert_eq!(bed.world.jobs[&job].candidates, [remote("new")]);
    assert_eq!(bed.stage(job), Stage::Unconfirmed);
    let adopt = Command::ResolveUnconfirmed(job, Resolution::Adopt(remote("new")));
    let effects = bed.happen(Event::Command(adopt));
    assert_eq!((bed.stage(job), submits(&effects)), (Stage::Queued, 0));
}

#[test]
fn a_wish_to_cancel_does_not_outlive_the_persons_next_decision() {
    for resolution in [Resolution::SendAgain, Resolution::Adopt(remote("new"))] {
        let (mut bed, job) = submitting(CARRIES);
        bed.happen(Event::Command(Command::CancelJob(job)));
        bed.end(&WorkKey::Submit(job));
        bed.happen(Event::Submitted(job, Err(lost())));
        assert_eq!(bed.stage(job), Stage::Unconfirmed);
        bed.happen(Event::Command(Command::ResolveUnconfirmed(job, resolution)));
        assert!(!bed.stage(job).is_settled(), "{:?}", bed.world.jobs[&job]);
        assert!(!bed.world.jobs[&job].cancel_wanted);
    }
}

#[test]
fn a_wish_to_cancel_ends_a_submission_that_made_no_job() {
    for error in [
        Error::new(ErrorKind::RateLimited, Doing::Submit).status(429),
        Error::new(ErrorKind::Unauthenticated, Doing::Submit).status(401),
    ] {
        let (mut bed, job) = submitting(CARRIES);
        bed.happen(Event::Command(Command::CancelJob(job)));
        bed.end(&WorkKey::Submit(job));
        bed.happen(Event::Submitted(job, Err(error)));
        bed.at += Duration::from_mins(1);
        let effects = bed.happen(Event::Tick);
        assert_eq!((bed.stage(job), submits(&effects)), (Stage::Cancelled, 0));
    }
}

#[test]
fn a_blocked_connection_says_so_once_and_keeps_every_job() {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(UPLOADS, 4, FanOut::OnePerFile);
    let refused = || Error::new(ErrorKind::Unauthenticated, Doing::Upload).status(401);
    for file in [FileId(1), FileId(2)] {
        bed.end(&WorkKey::Stage(UPLOADS, file));
        let effects = bed.happen(Event::Staged(UPLOADS, file, Err(refused())));
        assert!(started(&effects).is_empty());
    }
    let about: Vec<_> = bed.world.notices.values().collect();
    assert_eq!(about.len(), 1);
    assert_eq!(about[0].words.action, Some(Action::PasteKey));
    assert!(bed.world.jobs.values().all(|job| !job.stage.is_settled()));
}

#[test]
fn one_refused_moment_of_many_uploads_counts_once() {
    let mut bed = Bed::new();
    bed.world.settings = Arc::new(crate::model::settings::AppSettings {
        parallel_uploads: 2,
        ..Default::default()
    });
    bed.connect();
    bed.send(UPLOADS, 12, FanOut::AllInOne);
    let fault = || Error::new(ErrorKind::ServerFault, Doing::Upload).status(500);
    for _round in 0..2 {
        let running: Vec<_> = bed
            .world
            .live
            .running
            .iter()
            .filter_map(|key| match key {
                WorkKey::Stage(_, file) => Some(*file),
                _ => None,
            })
            .collect();
        assert_eq!(running.len(), 2);
        for file in running {
            bed.end(&WorkKey::Stage(UPLOADS, file));
            bed.happen(Event::Staged(UPLOADS, file, Err(fault())));
        }
        bed.at += Duration::from_mins(1);
        bed.happen(Event::Tick);
    }
    let job = &bed.world.jobs[&JobId(1)];
    assert_eq!((job.attempts, job.left_out.len()), (2, 0));
}

#[test]
fn limits_of_uploads_and_of_jobs_alive_hold() {
    let mut bed = Bed::new();
    bed.connect();
    let effects = bed.send(CARRIES, 10, FanOut::OnePerFile);
    assert_eq!(submits(&effects), 2);
    let stages = |bed: &Bed, stage| {
        bed.world
            .jobs
            .values()
            .filter(|job| job.stage == stage)
            .count()
    };
    assert_eq!(
        (stages(&bed, Stage::Uploading), stages(&bed, Stage::Waiting)),
        (3, 7)
    );
    for number in 1..=3 {
        let job = JobId(number);
        bed.happen(Event::CommitAsked(job, None));
        bed.end(&WorkKey::Submit(job));
        bed.happen(Event::Submitted(job, Ok(remote(&number.to_string()))));
    }
    assert_eq!(
        (stages(&bed, Stage::Queued), stages(&bed, Stage::Waiting)),
        (3, 7)
    );
}

#[test]
fn a_percentage_never_goes_back_and_a_batch_is_told_of_once() {
    let (mut bed, job) = submitting(FINDS);
    bed.end(&WorkKey::Submit(job));
    bed.happen(Event::Submitted(job, Ok(remote("r"))));
    let report = |status| JobReport {
        status,
        word: "w".to_owned(),
        message: None,
    };
    let running = |percent: Option<f32>| {
        report(JobStatus::Running {
            progress: percent.map(Progress::Percent),
        })
    };
    for percent in [Some(10.0), Some(40.0), Some(30.0), None, Some(50.0)] {
        bed.end(&WorkKey::Poll(FINDS));
        bed.happen(Event::Polled(FINDS, Ok(vec![(job, Ok(running(percent)))])));
    }
    let failed = report(JobStatus::Failed {
        reason: Some("no cells".to_owned()),
    });
    for _twice in 0..2 {
        bed.end(&WorkKey::Poll(FINDS));
        bed.happen(Event::Polled(FINDS, Ok(vec![(job, Ok(failed.clone()))])));
    }
    assert_eq!(bed.stage(job), Stage::Failed);
    let about_batch = bed
        .world
        .notices
        .values()
        .filter(|notice| matches!(notice.about, About::Batch(_)))
        .count();
    assert_eq!(about_batch, 1);
}

/// Whether the key is good is what the check is about to say.
#[test]
fn a_refusal_while_the_key_is_checked_does_not_block() {
    let mut bed = Bed::new();
    let refused = || {
        let error = Error::new(ErrorKind::Unauthenticated, Doing::Poll).status(401);
        Event::Polled(CARRIES, Err(error))
    };
    bed.world.link(CARRIES).check = CheckState::Checking;
    bed.happen(refused());
    assert_eq!(bed.world.link(CARRIES).blocked, None);
    bed.world.link(CARRIES).check = CheckState::Good;
    bed.happen(refused());
    assert!(bed.world.link(CARRIES).blocked.is_some());
}

#[test]
fn polls_that_keep_failing_are_told_of_once() {
    let mut bed = Bed::new();
    let mut told = Vec::new();
    for _ in 0..12 {
        let error = Error::new(ErrorKind::Forbidden, Doing::Poll).status(403);
        bed.happen(Event::Polled(CARRIES, Err(error)));
        told.push(bed.world.notices.len());
    }
    assert_eq!(told, [0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 1]);
}

#[test]
fn a_full_drive_is_told_of_once_and_waited_out() {
    let (mut bed, job) = submitting(CARRIES);
    let remote = RemoteJob {
        id: "r".to_owned(),
        web_page: None,
        memo: String::new(),
    };
    bed.happen(Event::Submitted(job, Ok(remote)));
    let report = JobReport {
        status: JobStatus::Succeeded,
        word: "done".to_owned(),
        message: None,
    };
    bed.happen(Event::Polled(CARRIES, Ok(vec![(job, Ok(report))])));
    let output = |name: &str| Output {
        id: name.to_owned(),
        name: name.to_owned(),
        size_bytes: None,
        sha256: None,
        on_request: false,
        unpack: false,
    };
    bed.happen(Event::OutputsListed(
        job,
        Ok(vec![output("a.csv"), output("b.csv")]),
    ));
    let before = bed.world.notices.len();
    for artifact in [ArtifactId(1), ArtifactId(2)] {
        let error = Error::new(ErrorKind::DiskFull, Doing::Download);
        bed.happen(Event::Fetched(artifact, Err(error)));
    }
    assert_eq!(bed.world.notices.len(), before + 1);
    assert_eq!(bed.world.jobs[&job].stage, Stage::Downloading);
}

/// A platform may not have digested a file it has just taken: its client names a time, and one repeat is made.
#[test]
fn a_submission_that_came_too_early_is_made_once_more() {
    let (mut bed, job) = submitting(UPLOADS);
    let too_early = || {
        Error::new(ErrorKind::NotFound, Doing::Submit)
            .status(404)
            .retry_after(Some(Duration::from_secs(5)))
    };
    bed.end(&WorkKey::Submit(job));
    let effects = bed.happen(Event::Submitted(job, Err(too_early())));
    assert_eq!(submits(&effects), 0);
    assert_eq!(bed.world.jobs[&job].stage, Stage::Waiting);
    bed.at = bed.at.checked_add(Duration::from_secs(6)).unwrap();
    assert_eq!(submits(&bed.happen(Event::Tick)), 1);
    bed.happen(Event::CommitAsked(job, None));
    bed.end(&WorkKey::Submit(job));
    bed.happen(Event::Submitted(job, Err(too_early())));
    assert_eq!(bed.world.jobs[&job].stage, Stage::Failed);
}
