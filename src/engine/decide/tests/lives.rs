//! Whole lives of a batch drawn from seeds: lost answers, refusals, crashes, cancels and retries in any order. Whatever
//! happens, no job is made more often than a person asked for, and once the faults end every job ends.

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::command::{Command, Resolution};
use crate::engine::decide::tests::{Bed, CARRIES, FINDS, UPLOADS, remote};
use crate::engine::event::{Effect, Event, Work};
use crate::engine::plan::next_wake;
use crate::engine::snapshot::KeyringState;
use crate::model::artifact::Fetched;
use crate::model::connection::{Connection, KeyState};
use crate::model::error::{Doing, Error, ErrorKind, Sent};
use crate::model::ids::{ConnectionId, JobId};
use crate::model::job::Stage;
use crate::model::provider::FanOut;
use crate::model::remote::{Found, JobReport, JobStatus, Output, Progress, RemoteJob, StagedFile};

/// What is under way, and whether its point of no return has passed.
struct UnderWay {
    work: Work,
    committed: bool,
}

struct Life {
    bed: Bed,
    chance: fastrand::Rng,
    under_way: Vec<UnderWay>,
    /// Jobs made at the platforms, by our job and in the order made.
    made: BTreeMap<JobId, Vec<RemoteJob>>,
    /// How many jobs a person has asked for.
    allowed: BTreeMap<JobId, usize>,
    faults: bool,
    trace: Vec<String>,
    next: u64,
}

impl Life {
    fn new(seed: u64) -> Self {
        Self {
            bed: Bed::new(),
            chance: fastrand::Rng::with_seed(seed),
            under_way: Vec::new(),
            made: BTreeMap::new(),
            allowed: BTreeMap::new(),
            faults: true,
            trace: Vec::new(),
            next: 0,
        }
    }

    fn happen(&mut self, event: Event) {
        self.trace
            .push(format!("{event:?}").chars().take(160).collect());
        let effects = self.bed.happen(event);
        self.take(effects);
    }

    fn take(&mut self, effects: Vec<Effect>) {
        for effect in effects {
            match effect {
                Effect::Start(work) => self.under_way.push(UnderWay {
                    work,
                    committed: false,
                }),
                Effect::LetCommit(job) => {
                    for one in &mut self.under_way {
                        one.committed |= matches!(one.work, Work::Submit { job: submitted, .. } if submitted == job);
                    }
                }
                _ => {}
            }
        }
    }

    fn bad(&mut self, one_in: u32) -> bool {
        self.faults && self.chance.u32(..one_in) == 0
    }

    fn error(&mut self, doing: Doing, sent: Sent) -> Error {
        let kinds = [
            ErrorKind::RateLimited,
            ErrorKind::Unreachable,
            ErrorKind::Timeout,
            ErrorKind::ServerFault,
            ErrorKind::Maintenance,
            ErrorKind::Garbled,
            ErrorKind::Unauthenticated,
            ErrorKind::Internal,
        ];
        let kind = kinds[self.chance.usize(..kinds.len())];
        Error::new(kind, doing).sent(sent)
    }

    /// Ends one piece of work, well or badly.
    fn advance(&mut self) {
        if self.under_way.is_empty() {
            return;
        }
        let place = self.chance.usize(..self.under_way.len());
        if let Work::Submit { job, .. } = self.under_way[place].work
            && !self.under_way[place].committed
            && !self.bad(8)
        {
            self.happen(Event::CommitAsked(job, None));
            if self.under_way[place].committed && !self.bad(6) {
                self.next += 1;
                let made = remote(&format!("r{}", self.next));
                self.made.entry(job).or_default().push(made);
                let count = self.made[&job].len();
                let allowed = 1 + self.allowed.get(&job).copied().unwrap_or_default();
                assert!(
                    count <= allowed,
                    "{count} jobs made where {allowed} were asked for"
                );
            } else if self.under_way[place].committed {
                // Refused after the point of no return, or cut on its way.
                let (sent, lost) = if self.chance.bool() {
                    (Sent::Answered, false)
                } else {
                    (Sent::Perhaps, true)
                };
                let error = self.error(Doing::Submit, sent);
                let error = if lost {
                    error
                } else {
                    Error::new(ErrorKind::RateLimited, Doing::Submit).status(429)
                };
                let one = self.under_way.swap_remove(place);
                self.finish(&one.work, Event::Submitted(job, Err(error)));
            } else {
                // Held back, as its job was ended meanwhile: the worker ends, and nobody hears of it.
                let one = self.under_way.swap_remove(place);
                self.finish(&one.work, Event::Tick);
            }
            return;
        }
        let UnderWay { work, committed } = self.under_way.swap_remove(place);
        let event = self.outcome(&work, committed);
        self.finish(&work, event);
    }

    fn finish(&mut self, work: &Work, event: Event) {
        let number = self.bed.world.live.scans;
        self.bed.end(&work.key(number));
        self.happen(event);
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each kind of work")]
    fn outcome(&mut self, work: &Work, committed: bool) -> Event {
        if self.bad(40) {
            return Event::Broke(work.key(0), "index out of bounds".to_owned());
        }
        let bad = self.bad(5);
        match work {
            Work::ProbeKeyring => Event::KeyringProbed(KeyringState::Works),
            Work::Connect(connection) => {
                Event::Connected(connection.id, KeyState::InKeyring, Ok(()))
            }
            Work::Stage {
                connection, file, ..
            } => {
                let staged = StagedFile {
                    id: file.to_string(),
                    name: "x".to_owned(),
                    sha256: None,
                    ..StagedFile::default()
                };
                let outcome = if bad {
                    Err(self.error(Doing::Upload, Sent::Perhaps))
                } else {
                    Ok(staged)
                };
                Event::Staged(*connection, *file, outcome)
            }
            Work::ReadBaseline(connection, job) => {
                let outcome = if bad {
                    Err(self.error(Doing::FindSubmission, Sent::Answered))
                } else {
                    Ok(self.list(*connection))
                };
                Event::BaselineRead(*job, outcome)
            }
            Work::Submit { job, .. } => {
                let last = self.made.get(job).and_then(|made| made.last()).cloned();
                let outcome = match last {
                    Some(made) if committed && !bad => Ok(made),
                    _ if committed => Err(self.error(Doing::Submit, Sent::Perhaps)),
                    _ => Err(self.error(Doing::Submit, Sent::No)),
                };
                Event::Submitted(*job, outcome)
            }
            Work::LookUp {
                connection, job, ..
            } => {
                let found = if *connection == FINDS {
                    self.made
                        .get(job)
                        .and_then(|made| made.last())
                        .map_or(Found::Nothing, |made| Found::Job(made.clone()))
                } else {
                    Found::Perhaps(self.list(*connection).iter().map(|id| remote(id)).collect())
                };
                let outcome = if bad {
                    Err(self.error(Doing::FindSubmission, Sent::Answered))
                } else {
                    Ok(found)
                };
                Event::LookedUp(*job, outcome)
            }
            Work::Poll(connection, jobs) => {
                let reports = jobs
                    .iter()
                    .map(|(job, _)| (*job, Ok(self.report())))
                    .collect();
                let outcome = if bad {
                    Err(self.error(Doing::Poll, Sent::Answered))
                } else {
                    Ok(reports)
                };
                Event::Polled(*connection, outcome)
            }
            Work::Cancel(_, job, _) => {
                let outcome = if bad {
                    Err(self.error(Doing::Cancel, Sent::Perhaps))
                } else {
                    Ok(())
                };
                Event::CancelAnswered(*job, outcome)
            }
            Work::ListOutputs(_, job, _) => {
                let output = |name: &str| Output {
                    id: name.to_owned(),
                    name: name.to_owned(),
                    size_bytes: None,
                    sha256: None,
                    on_request: false,
                    unpack: false,
                };
                let outcome = if bad {
                    Err(self.error(Doing::ListOutputs, Sent::Answered))
                } else {
                    Ok(vec![output("a.csv"), output("b.csv")])
                };
                Event::OutputsListed(*job, outcome)
            }
            Work::Fetch { artifact, .. } => {
                let fetched = Fetched {
                    size_bytes: 1,
                    sha256: "0".to_owned(),
                    at: self.bed.at,
                };
                if self.bad(6) {
                    return Event::Preparing(*artifact, None);
                }
                let outcome = if bad {
                    Err(self.error(Doing::Download, Sent::Answered))
                } else {
                    Ok(fetched)
                };
                Event::Fetched(*artifact, outcome)
            }
            Work::WriteReceipt {
                batch, finishing, ..
            } => {
                let outcome = if bad {
                    Err(Error::new(ErrorKind::DiskFull, Doing::WriteReceipt))
                } else {
                    Ok(())
                };
                Event::ReceiptWritten(*batch, finishing.clone(), outcome)
            }
            other => panic!("nobody asked for {other:?}"),
        }
    }

    fn list(&self, connection: ConnectionId) -> Vec<String> {
        let ours = |job: &JobId| {
            self.bed
                .world
                .jobs
                .get(job)
                .is_some_and(|job| job.connection == connection)
        };
        self.made
            .iter()
            .filter(|(job, _)| ours(job))
            .flat_map(|(_, made)| made.iter().map(|remote| remote.id.clone()))
            .collect()
    }

    fn report(&mut self) -> JobReport {
        let status = match self.chance.u32(..8) {
            0 => JobStatus::Queued,
            1 | 2 => JobStatus::Running {
                progress: Some(Progress::Percent(self.chance.f32() * 100.0)),
            },
            3 => JobStatus::Unrecognized("resting".to_owned()),
            4 if self.faults => JobStatus::Failed { reason: None },
            5 if self.faults => JobStatus::Gone,
            _ => JobStatus::Succeeded,
        };
        JobReport {
            status,
            word: "w".to_owned(),
            message: None,
        }
    }

    /// A person does something, somewhere.
    fn person(&mut self) {
        let jobs: Vec<JobId> = self.bed.world.jobs.keys().copied().collect();
        let job = jobs[self.chance.usize(..jobs.len())];
        match self.chance.u32(..4) {
            0 => self.happen(Event::Command(Command::CancelJob(job))),
            1 => {
                self.allow_retry(job);
                self.happen(Event::Command(Command::RetryJob(job)));
            }
            2 => self.resolve(job),
            _ => self.unblock(),
        }
    }

    fn allow_retry(&mut self, job: JobId) {
        if matches!(self.bed.stage(job), Stage::Failed | Stage::Cancelled) {
            *self.allowed.entry(job).or_default() += 1;
        }
    }

    fn resolve(&mut self, job: JobId) {
        if self.bed.stage(job) != Stage::Unconfirmed {
            return;
        }
        let made = self.made.get(&job).and_then(|made| made.last()).cloned();
        let resolution = match made {
            Some(made) if self.chance.bool() => Resolution::Adopt(made),
            _ => {
                *self.allowed.entry(job).or_default() += 1;
                Resolution::SendAgain
            }
        };
        self.happen(Event::Command(Command::ResolveUnconfirmed(job, resolution)));
    }

    fn unblock(&mut self) {
        for id in [UPLOADS, CARRIES, FINDS] {
            self.bed.world.link(id).blocked = None;
            self.happen(Event::Tick);
        }
    }

    fn crash(&mut self) {
        self.trace.push("crash".to_owned());
        self.under_way.clear();
        let effects = self.bed.restart();
        self.take(effects);
    }

    fn sleep(&mut self) {
        if let Some(wake) = next_wake(&self.bed.world, self.bed.at) {
            self.bed.at = wake;
        }
        self.happen(Event::Tick);
    }

    fn live(&mut self) {
        let effects = self.bed.happen(Event::Tick);
        self.take(effects);
        // Those that the world was made with.
        let waiting: Vec<_> = self.bed.world.connections.values().cloned().collect();
        for connection in waiting {
            let work = Work::Connect(Connection::clone(&connection));
            if self.bed.world.is_running(&work.key(0)) {
                self.under_way.push(UnderWay {
                    work,
                    committed: false,
                });
            }
        }
        for (connection, files, fan_out) in [
            (UPLOADS, 3, FanOut::AllInOne),
            (CARRIES, 6, FanOut::OnePerFile),
            (FINDS, 3, FanOut::OnePerFile),
        ] {
            let effects = self.bed.send(connection, files, fan_out);
            self.take(effects);
        }
        for _step in 0..250 {
            match self.chance.u32(..100) {
                0..=1 => self.crash(),
                2..=7 => self.person(),
                8..=25 => self.sleep(),
                _ => self.advance(),
            }
        }
        self.faults = false;
        for step in 0..5000 {
            if self
                .bed
                .world
                .jobs
                .values()
                .all(|job| job.stage.is_settled() && job.stage != Stage::Unconfirmed)
            {
                return;
            }
            if step % 20 == 0 {
                self.unblock();
                let unconfirmed: Vec<JobId> = self.bed.world.jobs.keys().copied().collect();
                for job in unconfirmed {
                    self.resolve(job);
                }
            }
            if self.under_way.is_empty() {
                self.sleep();
            } else {
                self.advance();
            }
        }
        let stuck: BTreeSet<String> = self
            .bed
            .world
            .jobs
            .values()
            .filter(|job| !job.stage.is_settled())
            .map(|job| format!("{job:?}"))
            .collect();
        panic!("these never end: {stuck:#?}");
    }
}

/// How many lives are led; more by an environment variable.
fn seeds() -> u64 {
    std::env::var("LABFERRY_SEEDS")
        .ok()
        .and_then(|text| text.parse().ok())
        .unwrap_or(300)
}

#[test]
fn no_life_makes_a_job_twice_or_ends_in_the_middle() {
    for seed in 0..seeds() {
        let mut life = Life::new(seed);
        let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| life.live()));
        if let Err(panic) = ended {
            let last: Vec<_> = life.trace.iter().rev().take(40).rev().collect();
            eprintln!("seed {seed}: {last:#?}");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn the_same_seed_leads_the_same_life() {
    let trace = |seed| {
        let mut life = Life::new(seed);
        life.live();
        life.trace
    };
    assert_eq!(trace(7), trace(7));
}
