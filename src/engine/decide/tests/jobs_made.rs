//! How the files of a batch are shared out among jobs, and what those are called.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use crate::engine::decide::jobs_made::tag;
use crate::engine::decide::tests::{Bed, CARRIES, UPLOADS, remote};
use crate::engine::event::{Event, Prepared};
use crate::model::batch::{BatchFile, Target};
use crate::model::file::LocalFile;
use crate::model::form::{Labels, Settings, Value};
use crate::model::ids::{ConnectionId, FileId, PipelineId};
use crate::model::job::{Job, Stage};
use crate::model::pipeline::Pipeline;
use crate::model::provider::FanOut;
use crate::model::remote::{ListedJob, StagedFile};

/// A file with its plate, which it may lack.
fn file(name: &str, plate: &str) -> BatchFile {
    let mut samples = BTreeMap::new();
    if !plate.is_empty() {
        samples.insert("plate".to_owned(), plate.to_owned());
    }
    BatchFile {
        id: FileId(0),
        local: LocalFile {
            path: PathBuf::from("/data").join(name),
            name: name.to_owned(),
            folder: String::new(),
            size_bytes: 10,
            modified: None,
        },
        remote_name: name.to_owned(),
        samples,
    }
}

fn target(connection: ConnectionId, fan_out: FanOut, existing: &[&str]) -> Target {
    let existing = existing.iter().map(|name| StagedFile {
        id: format!("id of {name}"),
        name: (*name).to_owned(),
        ..StagedFile::default()
    });
    Target {
        connection,
        pipeline: Pipeline::typed("p"),
        fan_out,
        settings: Settings::new(),
        sample_column: Some("plate".to_owned()),
        existing: existing.collect(),
    }
}

/// What becomes of three files that are sent there.
fn made(targets: Vec<Target>) -> Vec<Job> {
    let mut bed = Bed::new();
    let form = (UPLOADS, PipelineId::from("p"));
    let labels = Labels::from([("threshold".to_owned(), "Least brightness".to_owned())]);
    bed.happen(Event::Prepared(Ok(Prepared {
        labels: [(form, labels)].into(),
        name: "Plates".to_owned(),
        folder: PathBuf::from("/results/Plates"),
        files: vec![
            file("a.tif", "7"),
            file("b.tif", "8"),
            file("c.tif", "7"),
            file("d.tif", ""),
        ],
        left_out: Vec::new(),
        targets,
    })));
    let jobs: Vec<Job> = bed.world.jobs.values().map(|job| Job::clone(job)).collect();
    let numbers: Vec<_> = jobs.iter().map(|job| job.id).collect();
    for batch in bed.world.batches.values() {
        assert_eq!(batch.jobs, numbers);
    }
    jobs
}

/// Name, files and inputs at the platform of each job.
fn shares(jobs: &[Job]) -> Vec<(&str, Vec<u64>, Vec<&str>)> {
    let share = |job: &Job| -> Vec<u64> { job.files.iter().map(|file| file.0).collect() };
    jobs.iter()
        .map(|job| {
            let existing = job.existing.iter().map(|input| &*input.name).collect();
            (&*job.name, share(job), existing)
        })
        .collect()
}

#[test]
fn one_job_takes_all_files_or_what_is_at_the_platform_instead() {
    for fan_out in [
        FanOut::AllInOne,
        FanOut::BatchPerFile,
        FanOut::BatchPerSample,
    ] {
        let jobs = made(vec![target(UPLOADS, fan_out, &[])]);
        assert_eq!(shares(&jobs), [("p", vec![1, 2, 3, 4], vec![])]);
        assert_eq!(jobs[0].fan_out, fan_out);
        assert_eq!(jobs[0].sample_column.as_deref(), Some("plate"));
        let jobs = made(vec![target(UPLOADS, fan_out, &["x", "y"])]);
        assert_eq!(shares(&jobs), [("p", vec![], vec!["x", "y"])]);
    }
}

#[test]
fn every_job_is_sent_with_the_settings_of_its_target() {
    let settings = Settings::from([("threshold".to_owned(), Value::Text("0.5".to_owned()))]);
    let of_target = Target {
        settings: settings.clone(),
        ..target(UPLOADS, FanOut::OnePerFile, &[])
    };
    let jobs = made(vec![of_target]);
    assert_eq!(jobs.len(), 4);
    assert!(jobs.iter().all(|job| job.settings == settings));
    let label = |job: &Job| job.labels.get("threshold").cloned();
    assert_eq!(label(&jobs[3]).as_deref(), Some("Least brightness"));
    let elsewhere = made(vec![target(CARRIES, FanOut::AllInOne, &[])]);
    assert!(
        elsewhere[0].labels.is_empty(),
        "another form says nothing about it"
    );
}

#[test]
fn a_job_for_each_file_is_called_after_it() {
    let jobs = made(vec![target(UPLOADS, FanOut::OnePerFile, &[])]);
    assert_eq!(
        shares(&jobs),
        [
            ("a.tif - p", vec![1], vec![]),
            ("b.tif - p", vec![2], vec![]),
            ("c.tif - p", vec![3], vec![]),
            ("d.tif - p", vec![4], vec![]),
        ]
    );
    assert_eq!(jobs[0].folder, "uploads - p - a.tif");
    let jobs = made(vec![target(UPLOADS, FanOut::OnePerFile, &["x", "y"])]);
    assert_eq!(
        shares(&jobs),
        [("x - p", vec![], vec!["x"]), ("y - p", vec![], vec!["y"])]
    );
}

#[test]
fn a_job_for_each_sample_takes_all_files_of_it() {
    let jobs = made(vec![target(UPLOADS, FanOut::OnePerSample, &[])]);
    assert_eq!(
        shares(&jobs),
        [("7 - p", vec![1, 3], vec![]), ("8 - p", vec![2], vec![])]
    );
    assert_eq!(jobs[1].folder, "uploads - p - 8");
    // Without a column there is nothing to tell them apart by.
    let mut all = target(UPLOADS, FanOut::OnePerSample, &[]);
    all.sample_column = None;
    assert_eq!(shares(&made(vec![all])), [("p", vec![1, 2, 3, 4], vec![])]);
}

#[test]
fn jobs_of_one_batch_have_names_folders_and_tags_of_their_own() {
    let one = || target(UPLOADS, FanOut::AllInOne, &[]);
    let gone = target(ConnectionId(99), FanOut::AllInOne, &[]);
    let other = target(CARRIES, FanOut::AllInOne, &[]);
    let jobs = made(vec![one(), gone, one(), other]);
    let called: Vec<_> = jobs
        .iter()
        .map(|job| (job.id.0, &*job.name, &*job.folder, job.connection))
        .collect();
    assert_eq!(
        called,
        [
            (1, "p", "uploads - p", UPLOADS),
            (2, "p (2)", "uploads - p (2)", UPLOADS),
            (3, "p (3)", "carries - p", CARRIES),
        ]
    );
    let tags: BTreeSet<_> = jobs.iter().map(|job| job.tag.as_str()).collect();
    assert_eq!(tags.len(), 3);
    for job in &jobs {
        assert_eq!(job.timeline[0].what, "Ready to be sent");
    }
}

#[test]
fn the_folder_of_a_job_has_nothing_in_its_name_that_a_drive_refuses() {
    let mut named = target(UPLOADS, FanOut::AllInOne, &[]);
    named.pipeline = Pipeline::typed("a/b: c");
    let jobs = made(vec![named]);
    assert_eq!(jobs[0].folder, "uploads - a_b_ c");
}

#[test]
fn a_tag_is_short_speakable_and_hardly_ever_the_same() {
    let tags: BTreeSet<String> = (0..1000)
        .map(|random| tag(random).as_str().to_owned())
        .collect();
    assert_eq!(tags.len(), 1000);
    for tag in &tags {
        let chance = tag.strip_prefix("lf-").unwrap();
        assert_eq!(chance.len(), 8);
        assert!(
            chance
                .chars()
                .all(|one| one.is_ascii_alphanumeric() && !"01ilo".contains(one)),
            "{tag}"
        );
    }
}

#[test]
fn a_job_made_elsewhere_keeps_its_name_and_gets_a_clean_folder() {
    let mut bed = Bed::new();
    let listed = ListedJob {
        remote: remote("r7"),
        name: "Run: 7".to_owned(),
        pipeline: Pipeline::typed("a/b"),
        created: None,
        word: String::new(),
    };
    let folder = PathBuf::from("/results/Adopted");
    bed.happen(Event::AdoptionPrepared(
        UPLOADS,
        Box::new(listed),
        Ok(folder.clone()),
    ));
    let job = bed.world.jobs.values().next().unwrap();
    assert_eq!((&*job.name, &*job.folder), ("Run: 7", "uploads - a_b"));
    assert_eq!(job.stage, Stage::Queued);
    assert_eq!(job.remote, Some(remote("r7")));
    assert_eq!(job.timeline[0].what, "Made elsewhere and adopted");
    let batch = bed.world.batches.values().next().unwrap();
    assert_eq!((&*batch.name, &batch.folder), ("Adopted Run: 7", &folder));
    assert_eq!(batch.jobs, [job.id]);
}
