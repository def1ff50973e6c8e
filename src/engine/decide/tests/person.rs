//! What a person can do about a job: end it, try it again, take it off the list.

use crate::engine::command::Command;
use crate::engine::decide::tests::fetching::{
    accepted, arrives, fails, failure, finished, last_line, last_words, listed, output, receipt,
    says, unpacked,
};
use crate::engine::decide::tests::{
    Bed, CARRIES, FINDS, GATHERS, UPLOADS, remote, started, submits, submitting,
};
use crate::engine::event::{Effect, Event, Unpacked, Work, WorkKey};
use crate::model::artifact::ArtifactState;
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::ids::{ArtifactId, BatchId, FileId, JobId};
use crate::model::job::Stage;
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::model::remote::{Gathered, JobStatus, ListedJob, StagedFile};

fn cancel(bed: &mut Bed, job: JobId) -> Vec<Effect> {
    bed.happen(Event::Command(Command::CancelJob(job)))
}

fn retry(bed: &mut Bed, job: JobId) -> Vec<Effect> {
    bed.happen(Event::Command(Command::RetryJob(job)))
}

fn stops(effects: &[Effect]) -> Vec<WorkKey> {
    effects
        .iter()
        .filter_map(|effect| match effect {
            Effect::Stop(key) => Some(key.clone()),
            _ => None,
        })
        .collect()
}

fn cancels(effects: &[Effect]) -> usize {
    let works = started(effects).into_iter();
    works
        .filter(|work| matches!(work, Work::Cancel(..)))
        .count()
}

#[test]
fn a_job_that_was_not_submitted_ends_here_and_only_its_own_uploads_stop() {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(UPLOADS, 1, FanOut::AllInOne);
    assert_eq!(
        stops(&cancel(&mut bed, JobId(1))),
        [WorkKey::Stage(UPLOADS, FileId(1))]
    );
    assert_eq!(bed.stage(JobId(1)), Stage::Cancelled);
    assert_eq!(
        last_line(&bed, JobId(1)),
        "Cancelled before anything was submitted"
    );
}

/// Only a job that wants the same file over the same connection, and now, keeps an upload going.
#[test]
fn an_upload_goes_on_while_another_job_wants_it() {
    let own = WorkKey::Stage(UPLOADS, FileId(1));
    for (connection, stage, file, goes_on) in [
        (UPLOADS, Stage::Uploading, FileId(1), true),
        (CARRIES, Stage::Uploading, FileId(1), false),
        (UPLOADS, Stage::Queued, FileId(1), false),
        (UPLOADS, Stage::Uploading, FileId(2), false),
    ] {
        let mut bed = Bed::new();
        bed.connect();
        bed.send(UPLOADS, 2, FanOut::OnePerFile);
        let mut other = bed.world.job(JobId(2)).unwrap();
        (other.connection, other.stage, other.files) = (connection, stage, vec![file]);
        other.remote = Some(remote("r"));
        bed.world.put_job(other);
        let stopped = stops(&cancel(&mut bed, JobId(1)));
        assert_eq!(
            stopped.contains(&own),
            !goes_on,
            "{connection:?} {stage:?} {file:?}"
        );
    }
}

#[test]
fn a_job_is_ended_at_the_platform_where_that_can_be_done_and_asked_for_once() {
    let (mut bed, job) = accepted(FINDS);
    assert_eq!(cancels(&cancel(&mut bed, job)), 1);
    assert_eq!(bed.stage(job), Stage::Queued);
    assert!(cancel(&mut bed, job).is_empty());
    bed.end(&WorkKey::Cancel(job));
    bed.happen(Event::CancelAnswered(job, Ok(())));
    assert_eq!(bed.stage(job), Stage::Cancelled);
    assert_eq!(last_words(&bed), "Plate 7 has ended.");
    // Refused, it goes on, and can be asked for again.
    let (mut bed, job) = accepted(FINDS);
    cancel(&mut bed, job);
    bed.end(&WorkKey::Cancel(job));
    let refused = Error::new(ErrorKind::Conflict, Doing::Cancel).status(409);
    let effects = bed.happen(Event::CancelAnswered(job, Err(refused)));
    assert_eq!((bed.stage(job), cancels(&effects)), (Stage::Queued, 0));
    assert_eq!(last_line(&bed, job), "The platform did not stop it");
    assert_eq!(cancels(&cancel(&mut bed, job)), 1);
}

#[test]
fn a_job_that_cannot_be_ended_there_is_watched_no_longer() {
    let (mut bed, job) = accepted(CARRIES);
    assert_eq!(cancels(&cancel(&mut bed, job)), 0);
    assert_eq!(bed.stage(job), Stage::Cancelled);
    assert_eq!(
        last_line(&bed, job),
        "No longer watched; the platform goes on with it"
    );
    retry(&mut bed, job);
    assert_eq!(bed.stage(job), Stage::Queued);
    assert_eq!(last_line(&bed, job), "Watched again");
    assert!(bed.world.jobs[&job].remote.is_some());
}

#[test]
fn fetching_that_is_cancelled_stops_its_downloads() {
    let (mut bed, job) = finished(&["a.csv", "b.csv"]);
    arrives(&mut bed, 1);
    assert_eq!(
        stops(&cancel(&mut bed, job)),
        [WorkKey::Fetch(ArtifactId(2))]
    );
    assert_eq!(last_line(&bed, job), "Fetching was cancelled");
    // A second wish changes nothing.
    assert!(cancel(&mut bed, job).is_empty());
}

#[test]
fn only_what_has_ended_badly_is_tried_again() {
    let (mut bed, job) = accepted(CARRIES);
    assert!(retry(&mut bed, job).is_empty());
    says(&mut bed, job, JobStatus::Succeeded);
    listed(&mut bed, job, Ok(Vec::new()));
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Done);
    assert!(retry(&mut bed, job).is_empty());
    assert!(retry(&mut bed, JobId(99)).is_empty());
}

#[test]
fn a_retry_of_fetching_brings_what_is_missing_and_nothing_twice() {
    let (mut bed, job) = finished(&["a.csv", "b.csv", "r.zip"]);
    fails(&mut bed, 1, failure(ErrorKind::NotFound));
    arrives(&mut bed, 2);
    arrives(&mut bed, 3);
    let damaged = Error::new(ErrorKind::Archive, Doing::Unpack);
    unpacked(&mut bed, 3, Err(damaged));
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Failed);
    let effects = retry(&mut bed, job);
    assert_eq!(bed.stage(job), Stage::Downloading);
    let fetches: Vec<_> = started(&effects)
        .into_iter()
        .filter_map(|work| match work {
            Work::Fetch { target, .. } => target.file_name()?.to_str(),
            _ => None,
        })
        .collect();
    // The damaged archive stays where it is.
    assert_eq!(fetches, ["a.csv", "r (2).zip"]);
    assert!(matches!(
        bed.world.artifacts[&ArtifactId(2)].state,
        ArtifactState::Fetched(_)
    ));
    arrives(&mut bed, 1);
    arrives(&mut bed, 3);
    let outcome = Unpacked {
        files: Vec::new(),
        problems: Vec::new(),
        archive_kept: true,
    };
    unpacked(&mut bed, 3, Ok(outcome));
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Done);
}

#[test]
fn a_job_that_failed_there_is_sent_again_as_a_new_one_beside_what_it_left() {
    let (mut bed, job) = accepted(CARRIES);
    let before = bed.world.jobs[&job].clone();
    says(&mut bed, job, JobStatus::Failed { reason: None });
    listed(&mut bed, job, Ok(vec![output("log.txt")]));
    arrives(&mut bed, 1);
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(submits(&retry(&mut bed, job)), 1);
    let after = bed.world.jobs[&job].clone();
    let folders = (before.folder.as_str(), after.folder.as_str());
    assert_eq!(folders, ("carries - p - 0.tif", "carries - p - 0 (2).tif"));
    assert_ne!(after.tag, before.tag);
    assert!(after.remote.is_none() && after.report.is_none() && !after.outputs_listed);
    assert!(bed.world.artifacts.is_empty());
    // What left nothing keeps its folder.
    let (mut bed, job) = accepted(FINDS);
    let folder = bed.world.jobs[&job].folder.clone();
    says(&mut bed, job, JobStatus::Failed { reason: None });
    retry(&mut bed, job);
    assert_eq!(bed.world.jobs[&job].folder, folder);
}

/// A job of two files in one gathered input that has ended with an error there.
fn gathered_and_failed(left_out: bool) -> Bed {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(GATHERS, 2, FanOut::AllInOne);
    for number in [1, 2] {
        bed.end(&WorkKey::Stage(GATHERS, FileId(number)));
        let outcome = if left_out && number == 2 {
            Err(Error::new(ErrorKind::LocalFile, Doing::Upload))
        } else {
            Ok(StagedFile::default())
        };
        bed.happen(Event::Staged(GATHERS, FileId(number), outcome));
    }
    let job = JobId(1);
    bed.end(&WorkKey::Gather(job));
    let input = StagedFile::default();
    let ready = true;
    bed.happen(Event::Gathered(job, Ok(Gathered { input, ready })));
    bed.happen(Event::CommitAsked(job, None));
    bed.end(&WorkKey::Submit(job));
    bed.happen(Event::Submitted(job, Ok(remote("r"))));
    says(&mut bed, job, JobStatus::Cancelled);
    assert_eq!(bed.stage(job), Stage::Cancelled);
    bed
}

#[test]
fn an_input_that_lacks_files_is_gathered_anew_and_a_whole_one_is_not() {
    let mut bed = gathered_and_failed(false);
    assert_eq!(submits(&retry(&mut bed, JobId(1))), 1);
    let mut bed = gathered_and_failed(true);
    let effects = retry(&mut bed, JobId(1));
    assert_eq!(submits(&effects), 0);
    assert!(bed.world.jobs[&JobId(1)].gathered.is_none());
    assert!(bed.world.jobs[&JobId(1)].left_out.is_empty());
}

fn adopted() -> (Bed, JobId) {
    let mut bed = Bed::new();
    bed.connect();
    let listed = ListedJob {
        remote: remote("r7"),
        name: "Run 7".to_owned(),
        pipeline: Pipeline::typed("p"),
        created: None,
        word: String::new(),
    };
    let folder = "/results/Adopted".into();
    bed.happen(Event::AdoptionPrepared(FINDS, Box::new(listed), Ok(folder)));
    (bed, JobId(1))
}

#[test]
fn a_job_made_elsewhere_is_watched_again_but_never_sent() {
    let (mut bed, job) = adopted();
    says(&mut bed, job, JobStatus::Failed { reason: None });
    let before = bed.world.jobs[&job].clone();
    let effects = retry(&mut bed, job);
    assert_eq!(submits(&effects), 0);
    assert_eq!(bed.world.jobs[&job], before);
    assert_eq!(
        last_words(&bed),
        "Run 7 was made elsewhere, and its platform has ended it."
    );
}

#[test]
fn all_failed_jobs_of_a_batch_are_tried_again_each_with_a_tag_of_its_own() {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(UPLOADS, 3, FanOut::OnePerFile);
    cancel(&mut bed, JobId(3));
    for number in [1, 2] {
        bed.end(&WorkKey::Stage(UPLOADS, FileId(number)));
        let refused = Error::new(ErrorKind::TooLarge, Doing::Upload).status(413);
        bed.happen(Event::Staged(UPLOADS, FileId(number), Err(refused)));
    }
    bed.happen(Event::Command(Command::RetryFailed(BatchId(9))));
    assert_eq!(bed.stage(JobId(1)), Stage::Failed);
    bed.happen(Event::Command(Command::RetryFailed(BatchId(1))));
    let stages = [1, 2, 3].map(|number| bed.stage(JobId(number)));
    assert_eq!(
        stages,
        [Stage::Uploading, Stage::Uploading, Stage::Cancelled]
    );
    let tags = [1, 2].map(|number| bed.world.jobs[&JobId(number)].tag.clone());
    assert_ne!(tags[0], tags[1]);
}

#[test]
fn a_settled_job_can_be_taken_off_the_list_and_the_batch_goes_with_its_last() {
    let mut bed = Bed::new();
    bed.connect();
    bed.send(UPLOADS, 2, FanOut::OnePerFile);
    let forget = |bed: &mut Bed, number| {
        let command = Command::ForgetJob(JobId(number));
        bed.happen(Event::Command(command))
    };
    assert!(forget(&mut bed, 1).is_empty(), "it is under way");
    cancel(&mut bed, JobId(1));
    cancel(&mut bed, JobId(2));
    forget(&mut bed, 1);
    assert_eq!(bed.world.batches[&BatchId(1)].jobs, [JobId(2)]);
    forget(&mut bed, 2);
    assert!(bed.world.batches.is_empty() && bed.world.jobs.is_empty());
    let (mut bed, job) = finished(&["a.csv"]);
    cancel(&mut bed, job);
    bed.happen(Event::Command(Command::ForgetJob(job)));
    assert!(bed.world.artifacts.is_empty());
}

#[test]
fn a_wish_to_cancel_while_submitting_is_passed_on_with_the_answer() {
    let (mut bed, job) = submitting(FINDS);
    cancel(&mut bed, job);
    assert_eq!(bed.stage(job), Stage::Submitting);
    bed.end(&WorkKey::Submit(job));
    let effects = bed.happen(Event::Submitted(job, Ok(remote("r"))));
    assert_eq!(cancels(&effects), 1);
}
