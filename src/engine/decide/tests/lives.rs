//! Whole lives of a batch drawn from seeds: lost answers, refusals, crashes, cancels and retries in any order. Whatever
//! happens, no job is made more often than a person asked for, and once the faults end every job ends.

mod platforms;

use std::collections::{BTreeMap, BTreeSet};

use crate::engine::command::{Command, Resolution};
use crate::engine::decide::tests::{ALL, Bed, CARRIES, DRAFTS, FINDS, GATHERS, UPLOADS, remote};
use crate::engine::event::{Effect, Event, Work};
use crate::engine::plan::next_wake;
use crate::model::connection::Connection;
use crate::model::error::{Doing, Error, ErrorKind, Sent};
use crate::model::ids::{ConnectionId, FileId, JobId};
use crate::model::job::Stage;
use crate::model::provider::FanOut;
use crate::model::remote::{RemoteJob, Submission};

/// What is under way, and whether its point of no return has passed; of an upload, whether something was remembered.
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
    /// How many jobs of a job there were when its last submission left.
    before: BTreeMap<JobId, usize>,
    /// Drafts at the platform that were journalled and not started.
    drafts: BTreeMap<JobId, RemoteJob>,
    /// What uploads wanted remembered and was journalled.
    kept: BTreeMap<(ConnectionId, FileId), String>,
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
            before: BTreeMap::new(),
            drafts: BTreeMap::new(),
            kept: BTreeMap::new(),
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
                Effect::LetKeep(connection, file) => {
                    for one in &mut self.under_way {
                        one.committed |= matches!(one.work, Work::Stage { connection: over, file: uploaded, .. }
                            if over == connection && uploaded == file);
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
        self.keep(place);
        if let Work::Submit {
            job,
            connection,
            submission,
        } = self.under_way[place].work.clone()
            && !self.under_way[place].committed
            && !self.bad(8)
        {
            let draft = self.draft(job, connection, &submission);
            self.happen(Event::CommitAsked(job, draft.clone()));
            if self.under_way[place].committed {
                let count = self.made.get(&job).map_or(0, Vec::len);
                self.before.insert(job, count);
                if let Some(draft) = &draft {
                    self.drafts.insert(job, draft.clone());
                }
            }
            if self.under_way[place].committed && !self.bad(6) {
                self.drafts.remove(&job);
                let made = draft.unwrap_or_else(|| self.fresh("r"));
                // A draft that was started already is not started twice: its handle is the answer.
                let known = self.made.entry(job).or_default();
                if !known.contains(&made) {
                    known.push(made);
                }
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

    /// A handle that no job has.
    fn fresh(&mut self, letter: &str) -> RemoteJob {
        self.next += 1;
        remote(&format!("{letter}{}", self.next))
    }

    /// The draft that a submission starts: the one of an earlier attempt, which must not be forgotten, else a new one.
    fn draft(
        &mut self,
        job: JobId,
        connection: ConnectionId,
        submission: &Submission,
    ) -> Option<RemoteJob> {
        if connection != DRAFTS {
            return None;
        }
        let left = self.drafts.get(&job);
        assert!(
            left.is_none() || submission.drafted.as_ref() == left,
            "the draft {left:?} was forgotten for {:?}",
            submission.drafted
        );
        Some(match &submission.drafted {
            Some(drafted) => drafted.clone(),
            None => self.fresh("d"),
        })
    }

    /// An upload wants something remembered, and must have been told what an earlier one wanted.
    fn keep(&mut self, place: usize) {
        let Work::Stage {
            connection,
            file,
            ref kept,
            ..
        } = self.under_way[place].work
        else {
            return;
        };
        if self.chance.bool() {
            return;
        }
        let given = kept.clone();
        let last = self.kept.get(&(connection, file));
        assert!(
            last.is_none() || self.under_way[place].committed || given.as_ref() == last,
            "{last:?} was forgotten for {given:?}"
        );
        self.next += 1;
        let text = format!("part {}", self.next);
        self.happen(Event::KeepAsked(connection, file, text.clone()));
        assert!(
            self.under_way[place].committed,
            "the upload waits for ever to remember something"
        );
        self.kept.insert((connection, file), text);
    }

    fn finish(&mut self, work: &Work, event: Event) {
        let number = self.bed.world.live.scans;
        self.bed.end(&work.key(number));
        self.happen(event);
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
        for id in ALL {
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
            (GATHERS, 4, FanOut::OnePerFile),
            (DRAFTS, 3, FanOut::OnePerFile),
        ] {
            let effects = self.bed.send(connection, files, fan_out);
            self.take(effects);
        }
        for _step in 0..400 {
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
