//! The four platforms behind the connections: what is true there, and how they answer.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use labferry::model::error::{Doing, Error, ErrorKind, Result, Sent};
use labferry::model::ids::{ConnectionId, JobId, Tag};
use labferry::model::provider::{CancelKind, LostSubmit, ProviderFacts};
use labferry::model::remote::{
    Found, Gathered, Gathering, JobReport, JobStatus, Lost, Output, Progress, RemoteJob,
    StagedFile, Submission,
};

use super::life::Life;

/// How far off the clients take two clocks to be.
const CLOCK_SLACK: SignedDuration = SignedDuration::from_mins(10);

/// One platform, behind one connection.
pub(super) struct Platform {
    pub(super) facts: &'static ProviderFacts,
    /// Every job it ever made.
    pub(super) made: Vec<Made>,
    /// Drafts that were not started.
    drafts: BTreeSet<String>,
    /// Inputs made of gathered files, by tag, and how often it is asked before they are ready.
    assets: BTreeMap<Tag, (String, u8)>,
    /// The keys it takes, by the vault's name for them.
    pub(super) good: BTreeSet<String>,
    /// In maintenance until this second.
    pub(super) down_until: i64,
    /// Nothing is left of the quota until this second, and whether it says so.
    pub(super) quota_until: (i64, bool),
    /// Whether its list shows the names of jobs.
    pub(super) shows_names: bool,
}

/// A job at a platform.
pub(super) struct Made {
    pub(super) remote: RemoteJob,
    /// Our job it was made for; none for those of others.
    pub(super) owner: Option<JobId>,
    tag: Tag,
    /// By the platform's clock.
    at: Timestamp,
    fate: Fate,
    /// How often it is asked about before it ends.
    left: u8,
    is_gone: bool,
    /// Whether the person has decided not to care for it any more.
    pub(super) is_released: bool,
    outputs: Vec<Offer>,
}

/// How a job ends.
#[derive(Clone, Copy, PartialEq)]
enum Fate {
    Succeeds,
    Fails,
    Stopped,
    Vanishes,
}

/// A result at a platform.
struct Offer {
    output: Output,
    /// How often it is asked for before it is made.
    preparing: u8,
    /// How often it is listed and not there yet.
    late: u8,
}

impl Platform {
    pub(super) fn new(facts: &'static ProviderFacts, shows_names: bool) -> Self {
        Self {
            facts,
            made: Vec::new(),
            drafts: BTreeSet::new(),
            assets: BTreeMap::new(),
            good: BTreeSet::new(),
            down_until: 0,
            quota_until: (0, false),
            shows_names,
        }
    }

    /// The jobs made for one of ours.
    pub(super) fn made_for(&self, job: JobId) -> impl Iterator<Item = &Made> {
        self.made.iter().filter(move |made| made.owner == Some(job))
    }

    fn of(&mut self, remote: &RemoteJob) -> Option<&mut Made> {
        let is_it = |made: &&mut Made| made.remote.id == remote.id && !made.is_gone;
        self.made.iter_mut().find(is_it)
    }
}

/// An answer that says the platform does not know it.
fn not_found(doing: Doing) -> Error {
    Error::new(ErrorKind::NotFound, doing).status(404)
}

impl Life {
    pub(super) fn platform(&mut self, id: ConnectionId) -> &mut Platform {
        self.platforms.get_mut(&id).expect("a platform")
    }

    /// Whether a request arrives and is let in.
    pub(super) fn reach(&mut self, id: ConnectionId, key: &str, doing: Doing) -> Result<()> {
        let real = self.real;
        if real < self.offline_until {
            return Err(Error::new(ErrorKind::Unreachable, doing));
        }
        let platform = self.platform(id);
        if real < platform.down_until {
            return Err(Error::new(ErrorKind::Maintenance, doing).status(503));
        }
        let (until, says) = platform.quota_until;
        if real < until {
            let wait = Duration::from_secs(u64::try_from(until - real).unwrap_or_default());
            let error = Error::new(ErrorKind::RateLimited, doing).status(429);
            return Err(error.retry_after(says.then_some(wait)));
        }
        if !platform.good.contains(key) {
            return Err(Error::new(ErrorKind::Unauthenticated, doing).status(401));
        }
        let error = match self.chance.below(50) {
            49 => Error::new(ErrorKind::Unreachable, doing),
            48 => Error::new(ErrorKind::Unreachable, doing).sent(Sent::Perhaps),
            47 => Error::new(ErrorKind::Timeout, doing).sent(Sent::Perhaps),
            46 => Error::new(ErrorKind::ServerFault, doing).status(500),
            45 => Error::new(ErrorKind::Garbled, doing).status(200),
            44 => Error::new(ErrorKind::RateLimited, doing).status(429),
            43 => Error::new(ErrorKind::Maintenance, doing).status(503),
            _ => return Ok(()),
        };
        Err(error)
    }

    /// What was asked for is done; whether its answer gets lost on the way back.
    pub(super) fn lose(&mut self, doing: Doing) -> Result<()> {
        let error = match self.chance.below(16) {
            15 => Error::new(ErrorKind::Timeout, doing).sent(Sent::Perhaps),
            14 => Error::new(ErrorKind::ServerFault, doing).status(502),
            13 => Error::new(ErrorKind::Unreachable, doing).sent(Sent::Perhaps),
            _ => return Ok(()),
        };
        Err(error)
    }

    /// A text that was never used before.
    pub(super) fn fresh(&mut self, letter: &str) -> String {
        self.next += 1;
        format!("{letter}{}", self.next)
    }

    fn remote(&mut self, letter: &str) -> RemoteJob {
        RemoteJob {
            id: self.fresh(letter),
            web_page: None,
            memo: String::new(),
        }
    }

    /// The draft a submission starts: the one an earlier attempt left, which must not be forgotten, else a new one.
    pub(super) fn draft(
        &mut self,
        id: ConnectionId,
        job: JobId,
        submission: &Submission,
    ) -> RemoteJob {
        if let Some(known) = &submission.drafted {
            return known.clone();
        }
        let left = self.drafted.get(&job).map(|draft| draft.id.clone());
        assert!(
            !left.is_some_and(|left| self.platform(id).drafts.contains(&left)),
            "a draft was forgotten, and another one is made"
        );
        let draft = self.remote("d");
        self.platform(id).drafts.insert(draft.id.clone());
        draft
    }

    /// The platform makes the job.
    pub(super) fn make(
        &mut self,
        id: ConnectionId,
        owner: Option<JobId>,
        submission: &Submission,
        draft: Option<RemoteJob>,
    ) -> RemoteJob {
        if let Some(job) = owner {
            self.drafted.remove(&job);
        }
        if let Some(draft) = &draft
            && !self.platform(id).drafts.remove(&draft.id)
        {
            // It was started before: nothing is made, and its number is the answer.
            return draft.clone();
        }
        let remote = match draft {
            Some(draft) => draft,
            None => self.remote("r"),
        };
        if let Some(job) = owner {
            let made = self.platform(id).made_for(job).count();
            let allowed = self.allowed.get(&job).copied().unwrap_or(1);
            assert!(
                made < allowed,
                "a job was submitted twice without the person"
            );
        }
        let fate = match self.chance.below(12) {
            11 => Fate::Fails,
            10 => Fate::Stopped,
            9 => Fate::Vanishes,
            _ => Fate::Succeeds,
        };
        let left = self.chance.below(4);
        let outputs = (0..self.chance.below(3))
            .map(|number| {
                let kind = self.chance.below(4);
                Offer {
                    output: Output {
                        id: number.to_string(),
                        name: if kind == 1 {
                            "all.zip".to_owned()
                        } else {
                            format!("part/{number}.csv")
                        },
                        size_bytes: Some(7),
                        sha256: None,
                        on_request: kind == 2,
                        unpack: kind == 1,
                    },
                    preparing: if kind == 2 { 2 } else { 0 },
                    late: u8::from(kind == 3),
                }
            })
            .collect();
        let at = self.their_clock();
        self.platform(id).made.push(Made {
            remote: remote.clone(),
            owner,
            tag: submission.tag.clone(),
            at,
            fate,
            left,
            is_gone: false,
            is_released: false,
            outputs,
        });
        remote
    }

    /// The platform looks for a lost submission, as its client does it.
    pub(super) fn find(&mut self, id: ConnectionId, lost: &Lost) -> Found {
        let ahead = self.their_clock().duration_since(self.at);
        let platform = self.platform(id);
        let here = || platform.made.iter().filter(|made| !made.is_gone);
        let tagged = here()
            .find(|made| made.tag == lost.submission.tag)
            .map(|made| (made.remote.clone(), made.at));
        let since = |moment: Timestamp| {
            moment
                .saturating_sub(CLOCK_SLACK)
                .unwrap_or(Timestamp::UNIX_EPOCH)
        };
        match platform.facts.capabilities.lost_submit {
            LostSubmit::CanBeFound => {
                if let Some(draft) = &lost.submission.drafted {
                    if platform.drafts.contains(&draft.id) {
                        return Found::Nothing;
                    }
                    if here().any(|made| made.remote.id == draft.id) {
                        return Found::Job(draft.clone());
                    }
                }
                match tagged {
                    Some((remote, at)) if at >= since(lost.since) => Found::Job(remote),
                    _ => Found::Nothing,
                }
            }
            LostSubmit::Candidates => match tagged {
                Some((remote, _)) if platform.shows_names => Found::Job(remote),
                None if platform.shows_names => Found::Nothing,
                _ => Found::Perhaps(here().map(|made| made.remote.clone()).collect()),
            },
            LostSubmit::OneThatFits => {
                let theirs = lost.since.saturating_add(ahead).unwrap_or(lost.since);
                let from = since(theirs.min(lost.since));
                // A gathered input belongs to one job of ours: what was given it is ours.
                let owner = here()
                    .find(|made| made.tag == lost.submission.tag)
                    .and_then(|made| made.owner);
                let fitting: Vec<RemoteJob> = here()
                    .filter(|made| made.at >= from && owner.is_some() && made.owner == owner)
                    .map(|made| made.remote.clone())
                    .collect();
                if fitting.is_empty() {
                    Found::Nothing
                } else {
                    Found::Perhaps(fitting)
                }
            }
            LostSubmit::AskThePerson => panic!("nobody can look for it there"),
        }
    }

    /// What stands on the list.
    pub(super) fn listed(&mut self, id: ConnectionId) -> Vec<String> {
        let here = self.platform(id).made.iter().filter(|made| !made.is_gone);
        here.map(|made| made.remote.id.clone()).collect()
    }

    /// One input of gathered files; the same tag brings the same again.
    pub(super) fn gather(&mut self, id: ConnectionId, gathering: &Gathering) -> Gathered {
        let fresh = self.fresh("a");
        let waits = self.chance.below(3);
        let assets = &mut self.platform(id).assets;
        let (asset, left) = assets
            .entry(gathering.tag.clone())
            .or_insert((fresh, waits));
        let ready = *left == 0;
        *left = left.saturating_sub(1);
        Gathered {
            input: StagedFile {
                id: asset.clone(),
                ..StagedFile::default()
            },
            ready,
        }
    }

    /// How a job stands.
    pub(super) fn report(&mut self, id: ConnectionId, remote: &RemoteJob) -> Result<JobReport> {
        let step = self.chance.below(6);
        let Some(made) = self.platform(id).of(remote) else {
            return Err(not_found(Doing::Poll));
        };
        let status = if made.left > 0 {
            made.left -= u8::from(step != 5);
            match step {
                0 => JobStatus::Running {
                    progress: Some(Progress::Percent(50.0 / f32::from(made.left + 1))),
                },
                1 => JobStatus::Queued,
                2 => JobStatus::Unrecognized("resting".to_owned()),
                3 => return Err(Error::new(ErrorKind::ServerFault, Doing::Poll).status(500)),
                _ => JobStatus::Running { progress: None },
            }
        } else {
            match made.fate {
                Fate::Succeeds => JobStatus::Succeeded,
                Fate::Fails => JobStatus::Failed {
                    reason: Some("no cells".to_owned()),
                },
                Fate::Stopped => JobStatus::Cancelled,
                Fate::Vanishes if step == 0 => JobStatus::Gone,
                Fate::Vanishes => return Err(not_found(Doing::Poll)),
            }
        };
        Ok(JobReport {
            status,
            word: "w".to_owned(),
            message: None,
        })
    }

    /// Ends a job there.
    pub(super) fn end(&mut self, id: ConnectionId, remote: &RemoteJob) -> Result<()> {
        let deletes = self.platform(id).facts.capabilities.cancel == CancelKind::StopsAndDeletes;
        let Some(made) = self.platform(id).of(remote) else {
            return if deletes {
                Ok(())
            } else {
                Err(not_found(Doing::Cancel))
            };
        };
        if deletes {
            made.is_gone = true;
        } else if made.left == 0 {
            return Err(Error::new(ErrorKind::Conflict, Doing::Cancel).status(409));
        } else {
            (made.left, made.fate) = (0, Fate::Stopped);
        }
        Ok(())
    }

    /// What a job offers.
    pub(super) fn outputs(&mut self, id: ConnectionId, remote: &RemoteJob) -> Result<Vec<Output>> {
        let made = self.platform(id).of(remote);
        made.map(|made| made.outputs.iter().map(|one| one.output.clone()).collect())
            .ok_or_else(|| not_found(Doing::ListOutputs))
    }

    /// Whether a result can be had now; false while it is being made.
    pub(super) fn has_result(
        &mut self,
        id: ConnectionId,
        remote: &RemoteJob,
        output: &Output,
    ) -> Result<bool> {
        let quiet = self.chance.quiet;
        let offer = self
            .platform(id)
            .of(remote)
            .and_then(|made| made.outputs.iter_mut().find(|one| one.output == *output))
            .ok_or_else(|| not_found(Doing::Download))?;
        if offer.late > 0 && !quiet {
            offer.late -= 1;
            return Err(not_found(Doing::Download));
        }
        if offer.preparing > 0 {
            offer.preparing -= 1;
            return Ok(false);
        }
        Ok(true)
    }
}
