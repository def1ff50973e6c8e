//! The drive that results go to: full, gone, and well again.

use crate::engine::decide::tests::Bed;
use crate::engine::decide::tests::fetching::{
    arrives, fails, failure, finished, receipt, unpacked,
};
use crate::engine::event::Unpacked;
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::ids::BatchId;
use crate::model::notice::{About, Weight};

fn said(bed: &Bed) -> Vec<String> {
    let notices = bed.world.notices.values();
    notices
        .filter(|notice| notice.about == About::Batch(BatchId(1)))
        .map(|notice| notice.words.what.clone())
        .collect()
}

const FULL: &str = "The drive of /results/Plate 7 is full.";
const GONE: &str = "The folder /results/Plate 7 is not there.";

#[test]
fn a_full_drive_is_named_with_what_it_lacks() {
    for (hint, words) in [
        (None, FULL),
        (
            Some("It needs 3 MB more"),
            "The drive of /results/Plate 7 is full. It needs 3 MB more.",
        ),
        (Some("Something else"), FULL),
    ] {
        let (mut bed, _) = finished(&["a.csv"]);
        let mut error = failure(ErrorKind::DiskFull);
        if let Some(hint) = hint {
            error = error.hint(hint);
        }
        fails(&mut bed, 1, error);
        assert_eq!(said(&bed), [words]);
        let notice = bed.world.notices.values().next().unwrap();
        assert_eq!(notice.weight, Weight::Problem);
        assert_eq!(notice.words.next, "Make room on that drive.");
    }
}

#[test]
fn a_folder_that_is_gone_is_told_of_once_and_beside_a_full_drive() {
    let (mut bed, _) = finished(&["a.csv", "b.csv"]);
    for _ in 0..12 {
        fails(&mut bed, 1, failure(ErrorKind::FolderGone));
        fails(&mut bed, 2, failure(ErrorKind::FolderGone));
    }
    assert_eq!(said(&bed), [GONE]);
    assert_eq!(bed.world.notices.len(), 1);
    let next = bed
        .world
        .notices
        .values()
        .next()
        .unwrap()
        .words
        .next
        .clone();
    assert!(next.starts_with("Connect its drive again"), "{next}");
    fails(&mut bed, 1, failure(ErrorKind::DiskFull));
    assert_eq!(said(&bed), [GONE, FULL]);
}

#[test]
fn other_trouble_is_not_the_drives() {
    let (mut bed, _) = finished(&["a.csv"]);
    fails(&mut bed, 1, failure(ErrorKind::Unreachable));
    assert!(said(&bed).is_empty());
}

#[test]
fn whatever_is_written_there_takes_back_what_was_said() {
    let (mut bed, _) = finished(&["a.csv", "b.csv"]);
    fails(&mut bed, 1, failure(ErrorKind::DiskFull));
    fails(&mut bed, 1, failure(ErrorKind::FolderGone));
    fails(&mut bed, 1, failure(ErrorKind::Unreachable));
    assert_eq!(said(&bed).len(), 2);
    arrives(&mut bed, 2);
    assert!(said(&bed).is_empty());

    let (mut bed, _) = finished(&["r.zip"]);
    arrives(&mut bed, 1);
    let full = Error::new(ErrorKind::DiskFull, Doing::Unpack);
    unpacked(&mut bed, 1, Err(full));
    assert_eq!(said(&bed), [FULL]);
    let outcome = Unpacked {
        files: Vec::new(),
        problems: Vec::new(),
        archive_kept: true,
    };
    unpacked(&mut bed, 1, Ok(outcome));
    assert!(said(&bed).is_empty());

    let (mut bed, job) = finished(&["a.csv"]);
    arrives(&mut bed, 1);
    let gone = Error::new(ErrorKind::FolderGone, Doing::WriteReceipt);
    receipt(&mut bed, &[job], Err(gone));
    assert_eq!(said(&bed), [GONE]);
    receipt(&mut bed, &[job], Ok(()));
    assert_eq!(said(&bed), ["Plate 7 is finished."]);
}
