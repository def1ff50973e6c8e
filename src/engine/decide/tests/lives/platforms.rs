//! What the platforms of the lives answer: how each piece of work ends, well or badly.

use crate::engine::decide::tests::lives::Life;
use crate::engine::decide::tests::{DRAFTS, FINDS, GATHERS, remote};
use crate::engine::event::{Event, Work};
use crate::engine::snapshot::KeyringState;
use crate::model::artifact::Fetched;
use crate::model::connection::KeyState;
use crate::model::error::{Doing, Error, ErrorKind, Sent};
use crate::model::ids::{ConnectionId, JobId};
use crate::model::remote::{Found, Gathered, JobReport, JobStatus, Output, Progress, StagedFile};

impl Life {
    #[expect(clippy::too_many_lines, reason = "one arm for each kind of work")]
    pub(super) fn outcome(&mut self, work: &Work, committed: bool) -> Event {
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
                if !bad {
                    self.kept.remove(&(*connection, *file));
                }
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
            Work::Gather { job, gathering, .. } => {
                let known = gathering.known.as_ref();
                let gathered = Gathered {
                    input: known.map_or_else(
                        || StagedFile {
                            id: format!("asset of {}", gathering.tag),
                            ..StagedFile::default()
                        },
                        |known| known.input.clone(),
                    ),
                    ready: known.is_some() && self.chance.bool(),
                };
                let outcome = if bad {
                    Err(self.error(Doing::Gather, Sent::Perhaps))
                } else {
                    Ok(gathered)
                };
                Event::Gathered(*job, outcome)
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
                let made = self.made.get(job).cloned().unwrap_or_default();
                // What was there before the submission left is not the lost one.
                let since = made
                    .into_iter()
                    .skip(self.before.get(job).copied().unwrap_or_default());
                let found = if *connection == GATHERS {
                    Found::Perhaps(since.collect())
                } else if matches!(*connection, FINDS | DRAFTS) {
                    since.last().map_or(Found::Nothing, Found::Job)
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
}
