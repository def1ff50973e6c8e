//! The bounds themselves: what is still allowed at each, and what is said of a list of entries that ends too early.

use super::claims::claimed_so_often;
use super::{Bench, Entry, archive, deflated, paths, stored, troubles};
use crate::results::unzip::entry::is_there;
use crate::results::unzip::{Limits, Trouble, UnzipError, not_an_archive};
use crate::store::folders::write_atomically;
use std::io;
use zip::result::ZipError;

/// Tight enough that a test reaches every one of them.
const TIGHT: Limits = Limits {
    max_entries: 3,
    max_total_bytes: 1000,
    max_ratio: 1,
    ratio_free_bytes: 600,
};

#[test]
fn as_many_entries_as_allowed_are_allowed() {
    let entries: Vec<_> = ["a", "b", "c"].map(|name| stored(name, b"1")).into();
    let unpacked = Bench::new().run(&archive(&entries), &TIGHT).unwrap();
    assert_eq!(paths(&unpacked), ["a", "b", "c"]);
}

#[test]
fn a_file_may_be_exactly_as_large_as_allowed() {
    let unpacked = Bench::new()
        .run(
            &archive(&[
                deflated("exact.bin", &[0; 600]),
                deflated("more.bin", &[0; 601]),
            ]),
            &TIGHT,
        )
        .unwrap();
    assert_eq!(paths(&unpacked), ["exact.bin"]);
    assert_eq!(troubles(&unpacked), [("more.bin", &Trouble::TooDense)]);
}

#[test]
fn all_files_together_may_be_exactly_as_large_as_allowed() {
    let limits = Limits {
        ratio_free_bytes: 1000,
        ..TIGHT
    };
    let unpacked = Bench::new()
        .run(
            &archive(&[
                deflated("first.bin", &[0; 600]),
                deflated("exact.bin", &[0; 400]),
                deflated("more.bin", &[0; 1]),
            ]),
            &limits,
        )
        .unwrap();
    assert_eq!(paths(&unpacked), ["first.bin", "exact.bin"]);
    assert_eq!(troubles(&unpacked), [("more.bin", &Trouble::TooLarge)]);
}

/// Five entries that are thrown away at the last byte: after four times what may be kept, no more is even begun.
#[test]
fn work_that_is_thrown_away_is_bounded_too() {
    let limits = Limits {
        max_entries: 10,
        max_total_bytes: 1000,
        max_ratio: 1,
        ratio_free_bytes: 999,
    };
    let bombs: Vec<_> = ["1", "2", "3", "4", "5", "6"]
        .map(|name| deflated(name, &[0; 1000]))
        .into();
    let bytes = archive(&bombs);
    assert!(bytes.len() < 999);
    let unpacked = Bench::new().run(&bytes, &limits).unwrap();
    // 999 may be kept: 4 × 1000 is more than 4 × 999, so the fifth is not begun.
    let whats: Vec<_> = troubles(&unpacked)
        .iter()
        .map(|(_, what)| (*what).clone())
        .collect();
    let (begun, refused) = (vec![Trouble::TooDense; 4], vec![Trouble::TooLarge; 2]);
    assert_eq!(whats, [begun, refused].concat());
}

#[test]
fn work_of_exactly_the_bound_still_allows_one_more() {
    let limits = Limits {
        max_entries: 10,
        max_total_bytes: 500,
        max_ratio: 1,
        ratio_free_bytes: 999,
    };
    // Two of 1000 bytes are 4 × 500; each is one block, so it is read whole before it is found too large.
    let bombs: Vec<_> = ["1", "2", "3"]
        .map(|name| deflated(name, &[0; 1000]))
        .into();
    let unpacked = Bench::new().run(&archive(&bombs), &limits).unwrap();
    assert_eq!(
        troubles(&unpacked),
        [
            ("1", &Trouble::TooDense),
            ("2", &Trouble::TooDense),
            ("3", &Trouble::TooDense)
        ]
    );
}

#[test]
fn a_list_that_ends_in_the_middle_says_how_many_are_missing() {
    let mut bytes = archive(&[
        stored("first.csv", b"1"),
        stored("second.csv", b"2"),
        stored("third.csv", b"3"),
    ]);
    let headers: Vec<usize> = bytes
        .windows(4)
        .enumerate()
        .filter(|(_, window)| *window == b"PK\x01\x02")
        .map(|(place, _)| place)
        .collect();
    bytes[headers[1]] = b'x';
    let unpacked = Bench::new().run(&bytes, &Limits::default()).unwrap();
    assert_eq!(paths(&unpacked), ["first.csv"]);
    assert_eq!(unpacked.problems.len(), 1);
    assert_eq!(unpacked.problems[0].name, "2 more entries");
    assert!(matches!(unpacked.problems[0].what, Trouble::Damaged(_)));
}

#[test]
fn a_drive_that_cannot_be_read_is_no_damaged_archive() {
    let broken = ZipError::Io(io::Error::from(io::ErrorKind::PermissionDenied));
    assert!(matches!(not_an_archive(broken), UnzipError::Io(_)));
    let short = ZipError::Io(io::Error::from(io::ErrorKind::UnexpectedEof));
    assert!(matches!(not_an_archive(short), UnzipError::NotAnArchive(_)));
    let other = ZipError::InvalidArchive("no end".into());
    assert!(matches!(not_an_archive(other), UnzipError::NotAnArchive(_)));
}

#[test]
fn a_path_may_be_exactly_as_deep_and_as_long_as_allowed() {
    let deep = |parts: usize| vec!["d"; parts].join("/");
    // Each part counts with what parts it from the next.
    let long = |last: usize| {
        format!(
            "{}/{}",
            vec!["l".repeat(99); 19].join("/"),
            "m".repeat(last)
        )
    };
    let names = [deep(40), deep(41), long(99), long(100)];
    let bench = Bench::new();
    let entries: Vec<_> = names.iter().map(|name| stored(name, b"1")).collect();
    let unpacked = bench.unpack(&entries);
    assert_eq!(paths(&unpacked), [&*names[0], &names[2]]);
    let too_long = Trouble::Unwritable("its path is too long".to_owned());
    assert_eq!(
        troubles(&unpacked),
        [(&*names[1], &too_long), (&names[3], &too_long)]
    );
}

/// A password hides what is in files; a folder has nothing to hide.
#[test]
fn a_folder_marked_as_hidden_by_a_password_is_made() {
    let bench = Bench::new();
    let unpacked = bench.unpack(&[Entry {
        flags: 0x801,
        ..stored("folder/", b"")
    }]);
    assert!(unpacked.problems.is_empty(), "{:?}", unpacked.problems);
    assert!(bench.target().join("folder").is_dir());
}

/// What has no bytes can be claimed by any number of entries: nothing is unpacked twice.
#[test]
fn entries_without_bytes_do_not_overlap() {
    let unpacked = Bench::new()
        .run(&claimed_so_often(&stored("empty", b""), 3), &TIGHT)
        .unwrap();
    assert!(unpacked.problems.is_empty(), "{:?}", unpacked.problems);
    assert_eq!(unpacked.files.len(), 3);
}

/// A place that cannot be looked at is not a free one.
#[test]
fn only_what_is_not_there_is_free() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    write_atomically(&file, b"1").unwrap();
    assert!(is_there(&file).unwrap());
    assert!(!is_there(&folder.path().join("other")).unwrap());
    #[cfg(unix)]
    is_there(&file.join("below a file")).unwrap_err();
}

/// Whatever stands where an archive is unpacked at first is ours to remove, also where it is no folder.
#[test]
fn a_file_in_place_of_the_hidden_folder_is_removed() {
    let bench = Bench::new();
    let leftover = bench.target().with_file_name(".masks #1 世.unpacking");
    write_atomically(&leftover, b"1").unwrap();
    let unpacked = bench.unpack(&[stored("a.csv", b"1")]);
    assert_eq!(paths(&unpacked), ["a.csv"]);
    assert_eq!(
        bench.everything(),
        ["home/", "home/masks #1 世/", "home/masks #1 世/a.csv"]
    );
}

/// A link is as long as the name in it: that it leads to the very same bytes makes it no file of ours.
#[cfg(unix)]
#[test]
fn a_link_to_the_same_bytes_is_not_the_file() {
    let bench = Bench::new();
    std::fs::create_dir(bench.target()).unwrap();
    let link = "../b.csv";
    write_atomically(&bench.target().join(link), b"12345678").unwrap();
    std::os::unix::fs::symlink(link, bench.target().join("a.csv")).unwrap();
    let unpacked = bench.unpack(&[stored("a.csv", b"12345678")]);
    assert_eq!(paths(&unpacked), ["a (2).csv"]);
}
