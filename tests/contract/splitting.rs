//! Jobs the platform itself splits into one task a file or a sample.

use std::collections::BTreeSet;

use labferry::model::provider::FanOut;
use labferry::model::remote::{JobStatus, RemoteJob, Submission};

use crate::bench::Bench;

/// The sample column the metadata of these files has.
const COLUMN: &str = "sample_id";

/// Four files of two samples, as one job that is to be split.
async fn split(bench: &Bench, fan_out: FanOut) -> Submission {
    let uploads = (0..4).map(|number| {
        let name = format!("reads {number}.fastq");
        let reads = format!("@r{number}\nACGTACGTGG\n+\nIIIIIIIIII\n");
        let mut upload = bench.upload(&name, reads.as_bytes());
        let sample = if number % 2 == 0 { "S 1" } else { "S 2" };
        upload.metadata.insert(COLUMN.to_owned(), sample.to_owned());
        upload
    });
    let uploads = uploads.collect();
    let mut submission = bench.submission_of_all(uploads).await;
    submission.fan_out = fan_out;
    submission.sample_column = fan_out.needs_samples().then(|| COLUMN.to_owned());
    submission
}

/// Runs it and returns the folders its results stand in, one a child.
async fn children(bench: &Bench, submission: &Submission) -> (RemoteJob, BTreeSet<String>) {
    let begun = bench.jobs().await;
    let submitted = bench.submit(&bench.provider, submission).await;
    let job = submitted.outcome.unwrap();
    let report = bench.settled(&job).await;
    assert_eq!(report.status, JobStatus::Succeeded, "{report:?}");
    assert!(bench.jobs().await > begun);
    let outputs = bench.provider.outputs(&job).await.unwrap();
    let names: BTreeSet<&str> = outputs.iter().map(|output| output.name.as_str()).collect();
    assert_eq!(
        names.len(),
        outputs.len(),
        "two results of one name: {outputs:?}"
    );
    let folders = outputs
        .iter()
        .filter_map(|output| output.name.split_once('/'))
        .map(|(folder, _)| folder.to_owned())
        .collect();
    (job, folders)
}

pub(crate) async fn a_batch_becomes_a_task_a_file(bench: &Bench) {
    let submission = split(bench, FanOut::BatchPerFile).await;
    let (_, folders) = children(bench, &submission).await;
    assert_eq!(folders.len(), 4, "{folders:?}");
    assert_eq!(bench.count(bench.stand.submit), 1, "one start for all");
}

pub(crate) async fn a_batch_becomes_a_task_a_sample(bench: &Bench) {
    let submission = split(bench, FanOut::BatchPerSample).await;
    let (_, folders) = children(bench, &submission).await;
    assert_eq!(folders.len(), 2, "{folders:?}");
    assert_eq!(bench.count(bench.stand.submit), 1, "one start for all");
}

/// All files in one job are one task, however many they are.
pub(crate) async fn all_in_one_is_one_job(bench: &Bench) {
    let sample = bench.sample();
    let uploads = (0..4).map(|number| {
        let (first, ending) = sample.name.rsplit_once('.').unwrap();
        bench.upload(&format!("{first} {number}.{ending}"), &sample.bytes)
    });
    let submission = bench.submission_of_all(uploads.collect()).await;
    let begun = bench.jobs().await;
    let submitted = bench.submit(&bench.provider, &submission).await;
    let report = bench.settled(&submitted.outcome.unwrap()).await;
    assert_eq!(report.status, JobStatus::Succeeded, "{report:?}");
    assert_eq!(bench.jobs().await, begun + 1);
}
