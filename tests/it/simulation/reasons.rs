//! Why a job that has not ended does not get on at a moment: none may be stuck without a reason.

use jiff::Timestamp;
use labferry::engine::event::WorkKey;
use labferry::engine::plan::{is_blocked, is_open};
use labferry::model::artifact::ArtifactState;
use labferry::model::job::{Job, Stage};

use super::life::Life;

/// Why a job does not get on at this moment.
pub(super) enum Reason {
    /// There is none.
    None,
    /// Work is under way, or the person is asked.
    Known,
    /// It rests until then.
    Time(Timestamp),
}

impl From<bool> for Reason {
    fn from(is_known: bool) -> Self {
        if is_known { Self::Known } else { Self::None }
    }
}

impl Life {
    /// Why a job that has not ended does not get on at this moment.
    pub(super) fn reason(&self, job: &Job) -> Reason {
        let world = &self.world;
        let connection = job.connection;
        let any = |wanted: &dyn Fn(&WorkKey) -> bool| world.live.running.iter().any(wanted);
        if is_blocked(world, connection) {
            return Reason::Known;
        }
        if !is_open(world, connection) {
            return Reason::from(any(&|key| *key == WorkKey::Connect(connection)));
        }
        let sends = |key: &WorkKey| matches!(key, WorkKey::Stage(..) | WorkKey::Submit(_));
        let own = any(&|key| match key {
            WorkKey::Submit(id)
            | WorkKey::LookUp(id)
            | WorkKey::Gather(id)
            | WorkKey::ReadBaseline(id)
            | WorkKey::Cancel(id)
            | WorkKey::ListOutputs(id) => *id == job.id,
            _ => false,
        });
        if own {
            return Reason::Known;
        }
        let later = job.wait_until.filter(|until| *until > self.decided);
        match job.stage {
            Stage::Queued | Stage::Running => {
                if any(&|key| *key == WorkKey::Poll(connection)) {
                    return Reason::Known;
                }
                let due = world
                    .live
                    .links
                    .get(&connection)
                    .and_then(|link| link.poll_due);
                due.filter(|due| *due > self.decided)
                    .or(later)
                    .map_or(Reason::None, Reason::Time)
            }
            Stage::Waiting => {
                let full = world.jobs.values().any(|other| {
                    other.id != job.id
                        && other.connection == connection
                        && !matches!(other.stage, Stage::Waiting)
                        && !other.stage.is_settled()
                });
                later.map_or(Reason::from(full), Reason::Time)
            }
            Stage::Uploading => later.map_or(Reason::from(any(&sends)), Reason::Time),
            Stage::Submitting => later.map_or(Reason::None, Reason::Time),
            Stage::Downloading => later.map_or_else(|| self.reason_of_results(job), Reason::Time),
            Stage::Done | Stage::Failed | Stage::Cancelled | Stage::Unconfirmed => Reason::Known,
        }
    }

    fn reason_of_results(&self, job: &Job) -> Reason {
        let running = &self.world.live.running;
        let fetches = running.iter().any(|key| matches!(key, WorkKey::Fetch(_)));
        let mut times = Vec::new();
        let mut settled = true;
        let mut works = false;
        for artifact in self.world.artifacts_of(job.id) {
            if artifact.is_settled() {
                continue;
            }
            settled = false;
            let is_here = matches!(artifact.state, ArtifactState::Fetched(_));
            if running.contains(&WorkKey::Fetch(artifact.id))
                || running.contains(&WorkKey::Unpack(artifact.id))
            {
                works = true;
            } else if let Some(time) = artifact.wait_until.filter(|until| *until > self.decided) {
                times.push(time);
            } else if is_here || !fetches {
                return Reason::None;
            } else {
                // Its turn comes when another one is here.
                works = true;
            }
        }
        if settled {
            return Reason::from(running.contains(&WorkKey::WriteReceipt(job.batch)));
        }
        // Each of those that wait has to be woken for.
        match times.into_iter().min() {
            Some(time) => Reason::Time(time),
            None => Reason::from(works),
        }
    }
}
