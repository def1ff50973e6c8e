//! What is written is read, and what a folder is compared with it says.

use crate::model::folder::Unread;
use crate::model::meter::Meter;
use crate::results::disk::fingerprint;
use crate::results::receipt::{
    Checked, FileRecord, InputRecord, Outcome, RECEIPT_NAME, Receipt, ReceiptError, SCHEMA, check,
    compare, read, write,
};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

fn put(folder: &Path, name: &str, bytes: &[u8]) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::File::create(&path).unwrap();
    std::io::Write::write_all(&mut fs::File::create(&path).unwrap(), bytes).unwrap();
}

fn record(folder: &Path, name: &str) -> FileRecord {
    let (size_bytes, sha256) = fingerprint(&folder.join(name)).unwrap();
    FileRecord {
        path: name.to_owned(),
        original_name: name.to_owned(),
        job: "Nuclei count".to_owned(),
        connection: "Imaging core".to_owned(),
        platform: "biodock".to_owned(),
        pipeline: "Nuclei count".to_owned(),
        remote_id: "65f0".to_owned(),
        size_bytes,
        sha256,
        fetched_at: "2026-11-20T14:00:00Z".parse().unwrap(),
        from_archive: None,
        hash_given: false,
    }
}

fn receipt(files: Vec<FileRecord>) -> Receipt {
    Receipt {
        schema: SCHEMA,
        labferry: "0.1.0".to_owned(),
        batch: "Plate 7".to_owned(),
        created: "2026-11-20T13:00:00Z".parse().unwrap(),
        inputs: vec![InputRecord {
            name: "a.tif".to_owned(),
            path: "/data/a.tif".to_owned(),
            size_bytes: 3,
            modified: None,
            sha256: None,
        }],
        files,
        jobs: Vec::new(),
        beside: BTreeMap::new(),
    }
}

fn outcomes(checked: &[Checked]) -> Vec<(&str, Outcome)> {
    checked
        .iter()
        .map(|c| (c.path.as_str(), c.outcome))
        .collect()
}

#[test]
fn what_is_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "世界 #1.csv", b"a,b\n");
    let first = receipt(vec![record(folder.path(), "世界 #1.csv")]);
    write(folder.path(), &first).unwrap();
    write(folder.path(), &first).unwrap();
    assert_eq!(read(folder.path()).unwrap(), first);
    let names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names.len(), 2, "no temporary file stays: {names:?}");
}

#[test]
fn every_outcome_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    for name in [
        "same.csv",
        "sub/flipped.csv",
        "longer.csv",
        "gone.csv",
        "folder.csv",
    ] {
        put(root, name, b"a,b\n1,2\n");
    }
    let names = [
        "same.csv",
        "sub/flipped.csv",
        "longer.csv",
        "gone.csv",
        "folder.csv",
    ];
    let mut files: Vec<_> = names.iter().map(|name| record(root, name)).collect();
    let mut outside = files[0].clone();
    outside.path = "../elsewhere.csv".to_owned();
    files.push(outside);
    write(root, &receipt(files)).unwrap();
    put(root, "sub/flipped.csv", b"a,b\n1,3\n");
    put(root, "longer.csv", b"a,b\n1,2\n\n");
    fs::remove_file(root.join("gone.csv")).unwrap();
    fs::remove_file(root.join("folder.csv")).unwrap();
    fs::create_dir(root.join("folder.csv")).unwrap();
    put(root, "sub/new.csv", b"");
    put(root, "half.csv.part", b"a");
    put(root, "sub/Thumbs.db", b"a");
    let checked = check(root).unwrap();
    assert_eq!(
        outcomes(&checked),
        [
            ("../elsewhere.csv", Outcome::Unreadable),
            ("folder.csv", Outcome::Unreadable),
            ("gone.csv", Outcome::Missing),
            ("half.csv.part", Outcome::Extra),
            ("longer.csv", Outcome::Changed),
            ("same.csv", Outcome::Same),
            ("sub/flipped.csv", Outcome::Changed),
            ("sub/new.csv", Outcome::Extra),
        ]
    );
}

#[cfg(unix)]
#[test]
fn a_link_in_place_of_a_file_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    put(folder.path(), "a.csv", b"1");
    put(folder.path(), "b.csv", b"1");
    write(
        folder.path(),
        &receipt(vec![record(folder.path(), "a.csv")]),
    )
    .unwrap();
    fs::remove_file(folder.path().join("a.csv")).unwrap();
    std::os::unix::fs::symlink(folder.path().join("b.csv"), folder.path().join("a.csv")).unwrap();
    let checked = check(folder.path()).unwrap();
    assert_eq!(
        outcomes(&checked),
        [("a.csv", Outcome::Unreadable), ("b.csv", Outcome::Extra)]
    );
}

#[test]
fn missing_damaged_and_newer_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    assert!(matches!(read(folder.path()), Err(ReceiptError::Missing)));
    assert_eq!(
        check(folder.path()).unwrap_err().kind(),
        std::io::ErrorKind::NotFound
    );
    put(folder.path(), RECEIPT_NAME, b"{\"schema\": 1");
    assert!(matches!(read(folder.path()), Err(ReceiptError::Damaged(_))));
    put(
        folder.path(),
        RECEIPT_NAME,
        b"{\"schema\": 9, \"shape\": []}",
    );
    assert!(matches!(
        read(folder.path()),
        Err(ReceiptError::Newer { found: 9 })
    ));
}

#[test]
fn a_check_that_is_stopped_says_what_it_left_out() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let names = ["a.csv", "b.csv", "c.csv", "gone.csv"];
    for name in names {
        put(root, name, b"a,b\n1,2\n");
    }
    let files = names.map(|name| record(root, name)).to_vec();
    write(root, &receipt(files)).unwrap();
    fs::remove_file(root.join("gone.csv")).unwrap();
    put(root, "c.csv", b"longer than it was");
    put(root, "extra.csv", b"");
    let meter = Meter::default();
    let whole = compare(root, &meter).unwrap();
    assert_eq!(whole.unread, None);
    assert_eq!((meter.done_files(), meter.total_files()), (2, 2));
    assert_eq!((meter.done_bytes(), meter.total_bytes()), (16, 16));
    let stopped = Meter::default();
    stopped.stop();
    let left = compare(root, &stopped).unwrap();
    assert_eq!(
        left.unread,
        Some(Unread {
            files: 2,
            bytes: 16,
            looked_through: false
        })
    );
    assert_eq!(
        outcomes(&left.files),
        [("c.csv", Outcome::Changed), ("gone.csv", Outcome::Missing)],
        "what needs no reading is known, and no file passes for read"
    );
}

/// The first file is read, the second is a large one: the check is stopped within it, by the very bytes it counts.
#[test]
fn a_check_is_stopped_within_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let big = 256_u64 << 20;
    put(root, "a.csv", b"a,b\n1,2\n");
    put(root, "b.bin", b"");
    let mut files = vec![record(root, "a.csv"), record(root, "b.bin")];
    // A hole: large to read, small on the disk.
    let file = fs::File::create(root.join("b.bin")).unwrap();
    file.set_len(big).unwrap();
    files[1].size_bytes = big;
    write(root, &receipt(files)).unwrap();
    let meter = Meter::default();
    let watched = meter.clone();
    let compared = std::thread::scope(|scope| {
        let check = scope.spawn(|| compare(root, &meter).unwrap());
        while watched.done_bytes() <= 8 && !check.is_finished() {
            std::thread::yield_now();
        }
        watched.stop();
        check.join().unwrap()
    });
    assert!(watched.done_bytes() < big, "it did not stop at once");
    assert_eq!(outcomes(&compared.files), [("a.csv", Outcome::Same)]);
    let unread = compared.unread.unwrap();
    assert_eq!((unread.files, unread.bytes), (1, big));
    assert!(unread.looked_through);
}
