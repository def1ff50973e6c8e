//! The steps from files to a job at the platform, and what becomes of a submission without answer.

use std::sync::Arc;

use crate::engine::decide::unconfirmed;
use crate::engine::event::{Now, Work, WorkKey};
use crate::engine::room::Room;
use crate::engine::world::{World, move_job};
use crate::model::ids::FileId;
use crate::model::job::{Job, Stage};
use crate::model::provider::{Intake, LostSubmit, ProviderFacts};
use crate::model::remote::{Gathering, Lost, Submission, Upload};

/// A waiting job's turn has come if the platform has room for it.
pub(super) fn begin(
    world: &mut World,
    job: &Arc<Job>,
    facts: &'static ProviderFacts,
    room: &mut Room,
    now: Now,
) {
    if !room.take_job(job.connection, facts) {
        return;
    }
    let mut job = Job::clone(job);
    move_job(&mut job, Stage::Uploading, now, "Sending files");
    job.wait_until = None;
    let job = Arc::new(job);
    world.write(crate::store::journal::Change::PutJob(job.clone()));
    send(world, &job, facts, room);
}

/// Uploads what is missing, gathers it where the platform wants that, then submits.
pub(super) fn send(
    world: &mut World,
    job: &Arc<Job>,
    facts: &'static ProviderFacts,
    room: &mut Room,
) {
    if world.is_running(&WorkKey::Submit(job.id))
        || world.is_running(&WorkKey::ReadBaseline(job.id))
        || world.is_running(&WorkKey::Gather(job.id))
    {
        return;
    }
    let uploads = uploads(world, job);
    if facts.capabilities.intake != Intake::WithSubmission
        && stage_missing(world, job, uploads, facts, room)
    {
        return;
    }
    let Some(submission) = submission(world, job, facts) else {
        return;
    };
    if facts.capabilities.intake == Intake::ThroughBucket
        && job.existing.is_empty()
        && !job.gathered.as_ref().is_some_and(|gathered| gathered.ready)
    {
        let gathering = Gathering {
            tag: job.tag.clone(),
            name: submission.name,
            pipeline: submission.pipeline,
            files: submission.staged,
            is_whole_folder: is_whole_batch(world, job),
            settings: submission.settings,
            known: job.gathered.clone(),
        };
        world.start(Work::Gather {
            connection: job.connection,
            job: job.id,
            gathering: Box::new(gathering),
        });
    } else if facts.capabilities.lost_submit == LostSubmit::Candidates && job.seen_before.is_none()
    {
        world.start(Work::ReadBaseline(job.connection, job.id));
    } else if room.take_upload(job.connection, facts) {
        world.start(Work::Submit {
            connection: job.connection,
            job: job.id,
            submission,
        });
    }
}

/// The files of a job that are to be sent.
fn uploads(world: &World, job: &Job) -> Vec<(FileId, Upload)> {
    let Some(batch) = world.batches.get(&job.batch) else {
        return Vec::new();
    };
    batch
        .files
        .iter()
        .filter(|file| {
            job.files.contains(&file.id) && !job.left_out.iter().any(|left| left.file == file.id)
        })
        .map(|file| {
            let upload = Upload {
                file: file.local.clone(),
                remote_name: file.remote_name.clone(),
                remote_folder: batch.remote_folder.clone(),
                metadata: file.samples.clone(),
            };
            (file.id, upload)
        })
        .collect()
}

/// Starts the uploads of what is not at the platform; whether anything is missing there.
fn stage_missing(
    world: &mut World,
    job: &Job,
    uploads: Vec<(FileId, Upload)>,
    facts: &'static ProviderFacts,
    room: &mut Room,
) -> bool {
    let mut missing = false;
    for (file, upload) in uploads {
        let place = (job.connection, file);
        if world.staged.contains_key(&place) {
            continue;
        }
        missing = true;
        let key = WorkKey::Stage(job.connection, file);
        if !world.is_running(&key) && room.take_upload(job.connection, facts) {
            world.start(Work::Stage {
                connection: job.connection,
                file,
                upload,
                kept: world.kept.get(&place).cloned(),
            });
        }
    }
    missing
}

/// Whether a job takes every file of its batch.
fn is_whole_batch(world: &World, job: &Job) -> bool {
    let Some(batch) = world.batches.get(&job.batch) else {
        return false;
    };
    job.left_out.is_empty() && batch.files.iter().all(|file| job.files.contains(&file.id))
}

/// A job as it is submitted: the same again for the look after a lost answer.
fn submission(world: &World, job: &Job, facts: &ProviderFacts) -> Option<Submission> {
    let batch = world.batches.get(&job.batch)?;
    let uploads = uploads(world, job);
    let (mut staged, mut with_it) = (job.existing.clone(), Vec::new());
    if facts.capabilities.intake == Intake::WithSubmission {
        with_it = uploads.into_iter().map(|(_, upload)| upload).collect();
    } else if let Some(gathered) = job.gathered.as_ref().filter(|gathered| gathered.ready) {
        staged.push(gathered.input.clone());
    } else {
        let there = uploads
            .iter()
            .filter_map(|(file, _)| world.staged.get(&(job.connection, *file)).cloned());
        staged.extend(there);
    }
    Some(Submission {
        pipeline: job.pipeline.id.clone(),
        name: format!("{} - {}", batch.name, job.name),
        tag: job.tag.clone(),
        staged,
        uploads: with_it,
        settings: job.settings.clone(),
        fan_out: job.fan_out,
        sample_column: job.sample_column.clone(),
        drafted: job.drafted.clone(),
    })
}

/// A submission without answer and without a worker: look it up where that is possible, else the person decides.
pub(super) fn settle(
    world: &mut World,
    job: &Arc<Job>,
    facts: &ProviderFacts,
    rests: bool,
    now: Now,
) {
    if world.is_running(&WorkKey::Submit(job.id))
        || world.is_running(&WorkKey::LookUp(job.id))
        || rests
    {
        return;
    }
    match facts.capabilities.lost_submit {
        LostSubmit::CanBeFound | LostSubmit::Candidates | LostSubmit::OneThatFits => {
            let Some(submission) = submission(world, job, facts) else {
                return;
            };
            let lost = Lost {
                submission,
                since: job.submitted_at.unwrap_or(job.last_change),
            };
            world.start(Work::LookUp {
                connection: job.connection,
                job: job.id,
                lost: Box::new(lost),
            });
        }
        LostSubmit::AskThePerson => unconfirmed(world, Job::clone(job), now),
    }
}
