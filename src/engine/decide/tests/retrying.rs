//! Trying again what has failed or was cancelled, from where that is safe.

use crate::engine::command::Command;
use crate::engine::decide::tests::fetching::{
    accepted, arrives, fails, failure, finished, last_words, listed, output, receipt, says,
    unpacked,
};
use crate::engine::decide::tests::person::{cancel, retry};
use crate::engine::decide::tests::{
    Bed, CARRIES, FINDS, GATHERS, UPLOADS, remote, started, submits,
};
use crate::engine::event::{Event, Unpacked, Work, WorkKey};
use crate::model::artifact::ArtifactState;
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::ids::{ArtifactId, BatchId, FileId, JobId};
use crate::model::job::Stage;
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::model::remote::{Gathered, JobStatus, ListedJob, StagedFile};

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
