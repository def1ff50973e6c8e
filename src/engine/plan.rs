//! What has become due. It follows from the state alone, so that starting up and recovering from a crash are the same.
//!
//! Jobs are looked at in the order they were made; each gets the one step it is ready for, within the limits of its
//! connection and of the settings.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::Arc;

use jiff::Timestamp;

use crate::engine::decide::{cancel, connect, finishing, unconfirmed};
use crate::engine::event::{Now, Work, WorkKey};
use crate::engine::receipt;
use crate::engine::room::Room;
use crate::engine::snapshot::{CheckState, Loadable};
use crate::engine::world::{World, later, move_job};
use crate::model::artifact::{Artifact, ArtifactState};
use crate::model::batch::Batch;
use crate::model::ids::{BatchId, ConnectionId, FileId, JobId};
use crate::model::job::{Job, Stage};
use crate::model::notice::{About, Weight, Words};
use crate::model::provider::{Intake, LostSubmit, ProviderFacts};
use crate::model::remote::{Gathering, Lost, RemoteJob, Submission, Upload};

/// Starts everything that is due.
pub fn plan(world: &mut World, now: Now) {
    if world.live.keyring.is_none() {
        world.start(Work::ProbeKeyring);
    }
    open_links(world);
    let alive: Vec<JobId> = world.alive.iter().copied().collect();
    let mut room = Room::measure(world);
    let mut polls: BTreeMap<ConnectionId, Vec<(JobId, RemoteJob)>> = BTreeMap::new();
    let mut receipts: BTreeSet<BatchId> = BTreeSet::new();
    for id in alive {
        let Some(job) = world.jobs.get(&id).cloned() else {
            continue;
        };
        let Some(facts) = world.facts_of(&job) else {
            continue;
        };
        // Wished for while a submission was open that turned out to have made no job.
        if job.cancel_wanted && matches!(job.stage, Stage::Waiting | Stage::Uploading) {
            cancel(world, id, now);
            continue;
        }
        if !is_open(world, job.connection) {
            continue;
        }
        let rests = job.wait_until.is_some_and(|until| until > now.at);
        match job.stage {
            Stage::Waiting if !rests => begin(world, &job, facts, &mut room, now),
            Stage::Uploading if !rests => send(world, &job, facts, &mut room),
            Stage::Submitting => settle_submission(world, &job, facts, rests, now),
            Stage::Queued | Stage::Running => watch(world, &job, rests, &mut polls, now),
            Stage::Downloading => {
                fetch(world, &job, rests, &mut room, now);
                if !rests && job.outputs_listed {
                    receipts.insert(job.batch);
                }
            }
            Stage::Waiting
            | Stage::Uploading
            | Stage::Done
            | Stage::Failed
            | Stage::Cancelled
            | Stage::Unconfirmed => {}
        }
    }
    for (connection, jobs) in polls {
        poll(world, connection, jobs, now);
    }
    for batch in receipts {
        write_receipt(world, batch, now);
    }
}

/// The next moment after the last decision at which [`plan`] has something to do without any event, if there is one.
/// It may lie in the past by now.
pub fn next_wake(world: &World, decided: Timestamp) -> Option<Timestamp> {
    let mut times: Vec<Timestamp> = Vec::new();
    for job in world.alive.iter().filter_map(|id| world.jobs.get(id)) {
        if !is_open(world, job.connection) {
            continue;
        }
        times.extend(job.wait_until);
        match job.stage {
            Stage::Queued | Stage::Running => {
                let polling = world.is_running(&WorkKey::Poll(job.connection));
                let due = world
                    .live
                    .links
                    .get(&job.connection)
                    .and_then(|link| link.poll_due);
                times.extend(due.filter(|_| !polling));
            }
            Stage::Downloading => times.extend(
                world
                    .artifacts_of(job.id)
                    .filter_map(|artifact| artifact.wait_until),
            ),
            Stage::Waiting
            | Stage::Uploading
            | Stage::Submitting
            | Stage::Done
            | Stage::Failed
            | Stage::Cancelled
            | Stage::Unconfirmed => {}
        }
    }
    times.into_iter().filter(|time| *time > decided).min()
}

/// Whether a connection has a client and nothing is in the way.
pub fn is_open(world: &World, id: ConnectionId) -> bool {
    world
        .live
        .links
        .get(&id)
        .is_some_and(|link| link.connected && link.blocked.is_none())
}

/// Whether a connection waits for a person.
pub fn is_blocked(world: &World, id: ConnectionId) -> bool {
    !world.connections.contains_key(&id)
        || world
            .live
            .links
            .get(&id)
            .is_some_and(|link| link.blocked.is_some())
}

/// Makes clients for the connections that somebody needs, and asks what was wished for.
fn open_links(world: &mut World) {
    let mut needed: BTreeSet<ConnectionId> = world
        .alive
        .iter()
        .filter_map(|id| world.jobs.get(id))
        .map(|job| job.connection)
        .collect();
    let mut asks = Vec::new();
    let mut forms = Vec::new();
    for (id, link) in &world.live.links {
        let loading: Vec<_> = link
            .forms
            .iter()
            .filter(|(_, form)| **form == Loadable::Loading)
            .map(|(pipeline, _)| pipeline)
            .collect();
        if link.check == CheckState::Checking || !loading.is_empty() {
            needed.insert(*id);
        }
        if link.connected {
            forms.extend(loading.into_iter().map(|pipeline| (*id, pipeline.clone())));
            if link.check == CheckState::Checking {
                asks.push(*id);
            }
        }
    }
    for id in needed {
        let waiting = world
            .live
            .links
            .get(&id)
            .is_none_or(|link| !link.connected && link.blocked.is_none());
        if waiting {
            connect(world, id);
        }
    }
    for id in asks {
        world.start(Work::Ask(id));
    }
    for (id, pipeline) in forms {
        world.start(Work::ReadForm(id, pipeline));
    }
}

/// A waiting job's turn has come if the platform has room for it.
fn begin(
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
fn send(world: &mut World, job: &Arc<Job>, facts: &'static ProviderFacts, room: &mut Room) {
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
fn settle_submission(
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

/// A job at the platform is asked about together with its siblings; a wish to end it is passed on.
fn watch(
    world: &mut World,
    job: &Arc<Job>,
    rests: bool,
    polls: &mut BTreeMap<ConnectionId, Vec<(JobId, RemoteJob)>>,
    now: Now,
) {
    let Some(remote) = job.remote.clone() else {
        return;
    };
    if job.cancel_wanted {
        cancel(world, job.id, now);
        return;
    }
    if !rests {
        polls
            .entry(job.connection)
            .or_default()
            .push((job.id, remote));
    }
    let stalled = later(
        Now {
            at: job.last_change,
            ..now
        },
        world.pace.stalled_after,
    ) <= now.at;
    if stalled && world.live.called_stalled.insert(job.id) {
        let since = job.last_change.to_zoned(jiff::tz::TimeZone::system());
        let words = Words {
            what: format!(
                "Nothing has changed for {} since {}.",
                job.name,
                since.strftime("%Y-%m-%d %H:%M")
            ),
            did: "Labferry keeps asking.".to_owned(),
            next: "The platform may have lost it: ask whoever runs it, or stop watching it."
                .to_owned(),
            action: None,
        };
        world.notice(now, About::Job(job.id), Weight::Warning, words, Vec::new());
    }
}

fn poll(world: &mut World, connection: ConnectionId, jobs: Vec<(JobId, RemoteJob)>, now: Now) {
    let due = world
        .link(connection)
        .poll_due
        .is_none_or(|due| due <= now.at);
    if due && !world.is_running(&WorkKey::Poll(connection)) {
        world.start(Work::Poll(connection, jobs));
    }
}

/// Lists what a finished job offers, fetches it, unpacks it.
fn fetch(world: &mut World, job: &Arc<Job>, rests: bool, room: &mut Room, now: Now) {
    let Some(remote) = job.remote.clone() else {
        return;
    };
    if !job.outputs_listed {
        if !rests {
            world.start(Work::ListOutputs(job.connection, job.id, remote));
        }
        return;
    }
    let Some(folder) = world
        .batches
        .get(&job.batch)
        .map(|batch| batch.folder.join(&job.folder))
    else {
        return;
    };
    let artifacts: Vec<Arc<Artifact>> = world.artifacts_of(job.id).cloned().collect();
    for artifact in artifacts {
        if artifact.wait_until.is_some_and(|until| until > now.at) {
            continue;
        }
        match &artifact.state {
            ArtifactState::Offered | ArtifactState::Preparing { .. } => {
                if room.downloads == 0 || world.is_running(&WorkKey::Fetch(artifact.id)) {
                    continue;
                }
                room.downloads = room.downloads.saturating_sub(1);
                world.start(Work::Fetch {
                    connection: job.connection,
                    job: remote.clone(),
                    artifact: artifact.id,
                    output: artifact.output.clone(),
                    target: folder.join(&artifact.path),
                });
            }
            ArtifactState::Fetched(_) if artifact.output.unpack => {
                unpack(world, job, &artifact, &folder);
            }
            ArtifactState::Fetched(_)
            | ArtifactState::Unpacked { .. }
            | ArtifactState::Failed(_) => {}
        }
    }
}

fn unpack(world: &mut World, job: &Job, artifact: &Artifact, folder: &std::path::Path) {
    let stem = artifact.path.strip_suffix(".zip").unwrap_or(&artifact.path);
    let mut taken: BTreeSet<String> = world
        .artifacts_of(job.id)
        .map(|sibling| sibling.path.to_lowercase())
        .collect();
    let below = crate::results::names::unique(&mut taken, stem);
    world.start(Work::Unpack {
        artifact: artifact.id,
        archive: folder.join(&artifact.path),
        into: folder.join(&below),
        below,
        keep_archive: world.settings.keep_archives,
    });
}

/// Jobs whose results are all settled are done once the receipt says so.
fn write_receipt(world: &mut World, batch: BatchId, now: Now) {
    if world.is_running(&WorkKey::WriteReceipt(batch)) {
        return;
    }
    let finishing: Vec<JobId> = finishing(world, batch)
        .into_iter()
        .filter(|id| {
            world
                .jobs
                .get(id)
                .is_some_and(|job| job.wait_until.is_none_or(|until| until <= now.at))
        })
        .collect();
    if finishing.is_empty() {
        return;
    }
    let Some(batch) = world.batches.get(&batch).cloned() else {
        return;
    };
    let receipt = Box::new(receipt::of_batch(world, &batch));
    let spent = spent_archives(world, &batch, &finishing);
    world.start(Work::WriteReceipt {
        batch: batch.id,
        finishing,
        folder: batch.folder.clone(),
        spent,
        receipt,
    });
}

/// The archives of these jobs that were unpacked and are not to be kept. They go only now that the journal has what came
/// out of them: gone any earlier, a crash would leave nothing to unpack again.
fn spent_archives(world: &World, batch: &Batch, jobs: &[JobId]) -> Vec<PathBuf> {
    let spent = |artifact: &Artifact| {
        matches!(
            artifact.state,
            ArtifactState::Unpacked {
                archive_kept: false,
                ..
            }
        )
    };
    jobs.iter()
        .filter_map(|id| world.jobs.get(id))
        .flat_map(|job| {
            world
                .artifacts_of(job.id)
                .filter(|artifact| spent(artifact))
                .map(|artifact| batch.folder.join(&job.folder).join(&artifact.path))
        })
        .collect()
}
