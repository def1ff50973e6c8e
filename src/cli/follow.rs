//! Tells how jobs go on, as lines for a person and events for a program, from one snapshot to the next.
//!
//! Owns what was told already. Decides nothing: the engine moves the jobs.

use std::collections::{BTreeMap, BTreeSet};

use crate::cli::out::{self, Closed, Event, Out};
use crate::engine::snapshot::{JobView, Snapshot};
use crate::model::artifact::{Artifact, ArtifactState};
use crate::model::ids::{ArtifactId, BatchId, JobId, NoticeId};
use crate::model::job::Stage;
use crate::model::notice::{About, Notice, Weight, Words};
use crate::model::remote::{JobStatus, Progress};

/// What was told so far.
#[derive(Debug)]
pub(super) struct Follower {
    out: Out,
    jobs: BTreeMap<JobId, Told>,
    artifacts: BTreeSet<ArtifactId>,
    notices: BTreeSet<NoticeId>,
}

/// What was told about a job.
#[derive(Debug, Default)]
struct Told {
    stage: Option<Stage>,
    remote_id: Option<String>,
    bytes: Option<(u64, u64)>,
    quarter: Option<u8>,
}

impl Follower {
    /// Follows from here on: notices that are in the snapshot already are old.
    pub(super) fn new(out: Out, snapshot: &Snapshot) -> Self {
        Self {
            out,
            jobs: BTreeMap::new(),
            artifacts: BTreeSet::new(),
            notices: snapshot.notices.iter().map(|notice| notice.id).collect(),
        }
    }

    /// Tells what is new about these jobs, and all new notices.
    pub(super) fn tell(
        &mut self,
        snapshot: &Snapshot,
        watched: &BTreeSet<JobId>,
    ) -> Result<(), Closed> {
        for notice in snapshot.notices.iter().rev() {
            if self.notices.insert(notice.id) {
                self.tell_notice(snapshot, notice)?;
            }
        }
        for view in &snapshot.jobs {
            if watched.contains(&view.job.id) {
                self.tell_job(view)?;
            }
        }
        Ok(())
    }

    fn tell_notice(&self, snapshot: &Snapshot, notice: &Notice) -> Result<(), Closed> {
        let (batch, job) = match notice.about {
            About::App | About::Connection(_) => (None, None),
            About::Batch(batch) => (Some(batch), None),
            About::Job(job) => {
                let view = snapshot.jobs.iter().find(|view| view.job.id == job);
                (view.map(|view| view.job.batch), Some(job))
            }
        };
        self.out.event(&Event {
            what: "notice",
            batch: batch.map(|BatchId(number)| number),
            job: job.map(|JobId(number)| number),
            message: Some(notice.words.sentence()),
            ..Event::default()
        })?;
        match notice.weight {
            Weight::Note => self.out.line(notice.words.sentence()),
            Weight::Warning | Weight::Problem => {
                out::problem(&notice.words);
                Ok(())
            }
        }
    }

    fn tell_job(&mut self, view: &JobView) -> Result<(), Closed> {
        let out = self.out;
        let told = self.jobs.entry(view.job.id).or_default();
        let stage = view.job.stage;
        let stage_is_new = told.stage.replace(stage) != Some(stage);
        let remote_id = view.job.remote.as_ref().map(|remote| remote.id.clone());
        if remote_id.is_some() && told.remote_id != remote_id {
            told.remote_id.clone_from(&remote_id);
            out.event(&about(view, "submit"))?;
        }
        let quarter = quarter_done(view);
        if stage_is_new {
            told.bytes = None;
            told.quarter = quarter;
            out.event(&about(view, "state"))?;
            out.line(line_of(view))?;
        } else if quarter > told.quarter {
            told.quarter = quarter;
            out.event(&about(view, "state"))?;
            out.line(line_of(view))?;
        }
        if view.bytes != told.bytes
            && let Some((bytes, total)) = view.bytes
            && let Some(name) = moving(stage)
        {
            told.bytes = view.bytes;
            out.event(&Event {
                bytes: Some(bytes),
                total: (total > 0).then_some(total),
                ..about(view, name)
            })?;
        }
        for artifact in &view.artifacts {
            if artifact.is_settled() && self.artifacts.insert(artifact.id) {
                tell_artifact(out, view, artifact)?;
            }
        }
        if stage_is_new && stage.is_settled() {
            out.event(&about(view, "done"))?;
        }
        Ok(())
    }
}

/// An event about this job.
fn about(view: &JobView, what: &'static str) -> Event {
    let BatchId(batch) = view.job.batch;
    let JobId(job) = view.job.id;
    Event {
        what,
        batch: Some(batch),
        job: Some(job),
        name: Some(view.job.name.clone()),
        state: Some(view.job.stage.word().to_lowercase()),
        remote_id: view.job.remote.as_ref().map(|remote| remote.id.clone()),
        message: view.words.as_ref().map(Words::sentence),
        ..Event::default()
    }
}

/// The event that tells bytes at this stage.
fn moving(stage: Stage) -> Option<&'static str> {
    match stage {
        Stage::Uploading | Stage::Submitting => Some("upload"),
        Stage::Downloading => Some("download"),
        Stage::Waiting
        | Stage::Queued
        | Stage::Running
        | Stage::Done
        | Stage::Failed
        | Stage::Cancelled
        | Stage::Unconfirmed => None,
    }
}

fn tell_artifact(out: Out, view: &JobView, artifact: &Artifact) -> Result<(), Closed> {
    let tell = |path: &str, bytes: u64| {
        let path = view.folder.join(path).display().to_string();
        out.event(&Event {
            bytes: Some(bytes),
            total: Some(bytes),
            path: Some(path),
            ..about(view, "download")
        })
    };
    match &artifact.state {
        ArtifactState::Fetched(fetched) => {
            tell(&artifact.path, fetched.size_bytes)?;
            let path = view.folder.join(&artifact.path);
            out.line(format_args!("    {}", path.display()))
        }
        ArtifactState::Unpacked { files, .. } => {
            for file in files {
                tell(&file.path, file.size_bytes)?;
            }
            out.line(format_args!(
                "    {} files unpacked from {}",
                files.len(),
                artifact.path
            ))
        }
        ArtifactState::Offered | ArtifactState::Preparing { .. } | ArtifactState::Failed(_) => {
            Ok(())
        }
    }
}

/// How far a running job is, in quarters; steps are told by the platform's own word.
fn quarter_done(view: &JobView) -> Option<u8> {
    let JobStatus::Running {
        progress: Some(Progress::Percent(percent)),
    } = view.job.report.as_ref()?.status
    else {
        return None;
    };
    [75_u8, 50, 25]
        .into_iter()
        .find(|quarter| percent >= f32::from(*quarter))
}

/// One job in one line.
pub(super) fn line_of(view: &JobView) -> String {
    let job = &view.job;
    let mut parts = vec![format!("{:<12} {}", job.stage.word(), job.name)];
    if job.stage == Stage::Running
        && let Some(report) = &job.report
        && let JobStatus::Running {
            progress: Some(Progress::Percent(percent)),
        } = report.status
    {
        parts.push(format!("{percent:.0} %"));
    }
    parts.extend(view.words.as_ref().map(Words::sentence));
    parts.join(" · ")
}

/// The last line: how many jobs ended how.
pub(super) fn sum_up(snapshot: &Snapshot, watched: &BTreeSet<JobId>) -> String {
    let mut counts: BTreeMap<Stage, usize> = BTreeMap::new();
    for view in &snapshot.jobs {
        if watched.contains(&view.job.id) {
            *counts.entry(view.job.stage).or_default() += 1;
        }
    }
    let parts: Vec<String> = counts
        .iter()
        .map(|(stage, count)| format!("{count} {}", stage.word().to_lowercase()))
        .collect();
    let jobs = match watched.len() {
        1 => "1 job".to_owned(),
        count => format!("{count} jobs"),
    };
    format!("{jobs}: {}", parts.join(", "))
}
