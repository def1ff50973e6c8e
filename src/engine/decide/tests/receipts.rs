//! The end of fetching: archives are unpacked, the receipt is written, and what is missing is named.

use std::path::Path;

use crate::engine::decide::tests::fetching::{
    accepted, arrives, fails, failure, finished, last_line, last_words, listed, output, receipt,
    says, state, unpacked,
};
use crate::engine::decide::tests::{Bed, CARRIES, FINDS, started};
use crate::engine::event::{Effect, Event, Unpacked, Work};
use crate::model::artifact::{ArtifactState, UnpackedFile};
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::job::Stage;
use crate::model::notice::{About, Weight};
use crate::model::remote::JobStatus;

fn receipts(effects: &[Effect]) -> usize {
    let works = started(effects).into_iter();
    works
        .filter(|work| matches!(work, Work::WriteReceipt { .. }))
        .count()
}

fn file(path: &str) -> UnpackedFile {
    UnpackedFile {
        path: path.to_owned(),
        original_name: path.to_owned(),
        size_bytes: 1,
        sha256: "00".to_owned(),
    }
}

#[test]
fn a_job_is_done_only_with_the_receipt_and_is_told_of_once() {
    let (mut bed, job) = finished(&["a.csv", "b.csv"]);
    assert_eq!(receipts(&arrives(&mut bed, 1)), 0);
    assert_eq!(receipts(&arrives(&mut bed, 2)), 1);
    assert_eq!(bed.stage(job), Stage::Downloading);
    assert!(bed.world.notices.is_empty());
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Done);
    assert_eq!(last_line(&bed, job), "Everything is here and checked");
    assert_eq!(bed.world.notices.len(), 1);
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.world.notices.len(), 1);
}

#[test]
fn a_receipt_that_cannot_be_written_is_written_later_or_ends_the_job() {
    let (mut bed, job) = finished(&["a.csv"]);
    arrives(&mut bed, 1);
    let full = Error::new(ErrorKind::DiskFull, Doing::WriteReceipt);
    receipt(&mut bed, &[job], Err(full));
    assert_eq!(bed.stage(job), Stage::Downloading);
    let until = bed.world.jobs[&job].wait_until.unwrap();
    assert!(until > bed.at);
    assert!(last_words(&bed).contains("is full"));
    bed.at = until;
    assert_eq!(receipts(&bed.happen(Event::Tick)), 1);
    let denied = Error::new(ErrorKind::LocalFile, Doing::WriteReceipt);
    receipt(&mut bed, &[job], Err(denied));
    assert_eq!(bed.stage(job), Stage::Failed);
}

#[test]
fn results_that_are_not_to_be_had_are_named_and_the_others_stay() {
    for (names, missing, words) in [
        (
            &["a.csv", "b.csv"][..],
            1,
            "One result file could not be fetched",
        ),
        (
            &["a.csv", "b.csv", "c.csv"],
            2,
            "2 result files could not be fetched",
        ),
    ] {
        let (mut bed, job) = finished(names);
        for number in 1..=missing {
            fails(&mut bed, number, failure(ErrorKind::NotFound));
            assert!(matches!(state(&bed, number), ArtifactState::Failed(_)));
            let told = u64::try_from(bed.world.notices.len());
            assert_eq!(told, Ok(number));
        }
        arrives(&mut bed, missing + 1);
        receipt(&mut bed, &[job], Ok(()));
        let ended = bed.world.jobs[&job].clone();
        assert_eq!(ended.stage, Stage::Failed);
        let hint = ended.error.clone().unwrap().failure().hint.clone();
        assert_eq!(hint.as_deref(), Some(words));
    }
}

#[test]
fn an_archive_is_unpacked_and_what_was_refused_in_it_is_named() {
    let (mut bed, job) = finished(&["r.zip", "r"]);
    let effects = arrives(&mut bed, 1);
    let into = match started(&effects).as_slice() {
        [
            Work::Unpack {
                into,
                keep_archive: false,
                ..
            },
        ] => into.clone(),
        other => panic!("{other:?}"),
    };
    // Beside it there is a result of that name already.
    assert!(into.ends_with(Path::new("r (2)")), "{into:?}");
    arrives(&mut bed, 2);
    let outcome = Unpacked {
        files: vec![file("r (2)/a.csv")],
        problems: vec!["b.csv is damaged".to_owned()],
        archive_kept: true,
    };
    unpacked(&mut bed, 1, Ok(outcome));
    let (_, notice) = bed.world.notices.iter().next_back().unwrap();
    assert_eq!(
        (notice.words.what.as_str(), notice.weight),
        (
            "One entry of r.zip was refused or damaged.",
            Weight::Warning
        )
    );
    assert_eq!(notice.about, About::Job(job));
    assert_eq!(
        notice.details,
        [("Entry".to_owned(), "b.csv is damaged".to_owned())]
    );
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Done, "what came out of it is there");
}

#[test]
fn an_archive_without_trouble_is_not_spoken_of_and_goes_with_the_receipt() {
    let (mut bed, _) = finished(&["r.zip"]);
    arrives(&mut bed, 1);
    let outcome = Unpacked {
        files: vec![file("r/a.csv")],
        problems: Vec::new(),
        archive_kept: false,
    };
    let effects = unpacked(&mut bed, 1, Ok(outcome));
    assert!(bed.world.notices.is_empty());
    assert!(
        matches!(started(&effects).as_slice(), [Work::WriteReceipt { spent, .. }]
            if spent.len() == 1 && spent[0].ends_with("r.zip")),
        "{effects:?}"
    );
}

#[test]
fn an_archive_that_cannot_be_opened_stays_and_counts_as_missing() {
    let (mut bed, job) = finished(&["r.zip"]);
    arrives(&mut bed, 1);
    let error = Error::new(ErrorKind::Archive, Doing::Unpack).hint("It is cut off");
    unpacked(&mut bed, 1, Err(error));
    let ArtifactState::Unpacked {
        archive_kept,
        files,
        problems,
        ..
    } = state(&bed, 1)
    else {
        panic!("{:?}", state(&bed, 1));
    };
    assert!(archive_kept && files.is_empty());
    assert_eq!(problems, ["It is cut off"]);
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Failed);
}

/// A failure at the platform may leave something: it is fetched, and the job fails with the platform's reason.
#[test]
fn partial_results_are_fetched_and_the_reason_of_the_failure_stays() {
    let (mut bed, job) = accepted(CARRIES);
    let reason = Some("no cells".to_owned());
    says(&mut bed, job, JobStatus::Failed { reason });
    let said = |bed: &Bed| {
        let error = bed.world.jobs[&job].error.clone().unwrap();
        error.failure().server_said.clone()
    };
    assert_eq!(bed.stage(job), Stage::Downloading);
    listed(&mut bed, job, Err(failure(ErrorKind::Unreachable)));
    assert_eq!(said(&bed).as_deref(), Some("no cells"));
    listed(&mut bed, job, Ok(vec![output("log.txt")]));
    assert_eq!(said(&bed).as_deref(), Some("no cells"));
    arrives(&mut bed, 1);
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(bed.stage(job), Stage::Failed);
    assert_eq!(said(&bed).as_deref(), Some("no cells"));
    // Where nothing is left behind, it fails at once.
    let (mut bed, job) = accepted(FINDS);
    says(&mut bed, job, JobStatus::Failed { reason: None });
    assert_eq!(bed.stage(job), Stage::Failed);
    assert_eq!(
        bed.world.jobs[&job]
            .error
            .clone()
            .unwrap()
            .failure()
            .server_said,
        None
    );
}
