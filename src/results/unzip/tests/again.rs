//! Unpacking once more, and into a folder in which something stands already.

use super::{Bench, Entry, archive, list, paths, stored};
use crate::results::unzip::{Limits, UnzipError, unpack};
use std::cell::Cell;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::time::{Duration, Instant};

#[test]
fn stopping_leaves_nothing_and_running_again_completes() {
    let bench = Bench::new();
    let bytes = archive(&[
        stored("a.csv", b"1"),
        stored("b.csv", b"2"),
        stored("c.csv", b"3"),
    ]);
    let path = bench.put(&bytes);
    let asked = Cell::new(0);
    let stopped = unpack(&path, &bench.target(), &Limits::default(), &|_| {}, &|| {
        asked.set(asked.get() + 1);
        asked.get() > 4
    });
    assert!(matches!(stopped, Err(UnzipError::Cancelled)));
    assert_eq!(bench.everything(), ["home/"]);
    assert_eq!(paths(&bench.unpack(&[stored("a.csv", b"1")])), ["a.csv"]);
}

/// Whatever an earlier run left — a staging folder, some files moved, all of them — the same files stand there in the end.
#[test]
fn running_again_gives_the_same_tree() {
    let entries = [
        stored("a.csv", b"1"),
        stored("a.csv", b"1"),
        stored("A.csv", b"2"),
        stored("d/x", b"3"),
        stored("d/e/y", b"4"),
        Entry {
            mode: 0o040_755,
            ..stored("empty/", b"")
        },
    ];
    let bench = Bench::new();
    let first = bench.unpack(&entries);
    let tree = bench.everything();
    assert_eq!(bench.unpack(&entries), first);
    assert_eq!(bench.everything(), tree);
    for gone in &first.files {
        fs::remove_file(bench.target().join(&gone.path)).unwrap();
        let leftover = bench.target().with_file_name(".masks #1 世.unpacking");
        fs::create_dir_all(leftover.join("tree/a.csv")).unwrap();
        assert_eq!(bench.unpack(&entries), first);
        assert_eq!(bench.everything(), tree);
    }
}

#[test]
fn files_of_the_person_are_never_overwritten() {
    let bench = Bench::new();
    fs::create_dir_all(bench.target().join("D")).unwrap();
    let put = |name: &str, text: &str| {
        fs::File::create(bench.target().join(name))
            .unwrap()
            .write_all(text.as_bytes())
            .unwrap();
    };
    put("a.csv", "own");
    put("D/x", "own");
    put("e", "own");
    let entries = [
        stored("a.csv", b"new"),
        stored("d/x", b"new"),
        stored("e/x", b"new"),
        stored("B.csv", b"new"),
        stored("a (2).csv", b"new"),
    ];
    let unpacked = bench.unpack(&entries);
    assert_eq!(
        paths(&unpacked),
        ["a (2).csv", "D/x (2)", "e (2)/x", "B.csv", "a (2) (2).csv"]
    );
    assert_eq!(bench.unpack(&entries), unpacked, "and again");
    let files = bench.files();
    assert_eq!(
        (
            files["a.csv"].as_str(),
            files["D/x"].as_str(),
            files["e"].as_str()
        ),
        ("own", "own", "own")
    );
    assert_eq!(files.len(), 8);
}

#[cfg(unix)]
#[test]
fn a_link_already_in_the_folder_is_not_followed() {
    let bench = Bench::new();
    let outside = bench.folder.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::create_dir(bench.target()).unwrap();
    std::os::unix::fs::symlink(&outside, bench.target().join("d")).unwrap();
    std::os::unix::fs::symlink(outside.join("new"), bench.target().join("f")).unwrap();
    let unpacked = bench.unpack(&[stored("d/x", b"1"), stored("f", b"2")]);
    assert_eq!(paths(&unpacked), ["d (2)/x", "f (2)"]);
    assert!(list(&outside).is_empty());
}

/// A download makes its folder, and one below it, while an archive is moved to the same place.
#[test]
fn a_folder_that_a_download_has_just_made_is_not_taken_away() {
    let bytes = archive(&[stored("a.csv", b"1")]);
    for round in 0..800 {
        let bench = Bench::new();
        let (target, path) = (bench.target(), bench.put(&bytes));
        let home = target.parent().unwrap();
        let staged = home.join(".masks #1 世.unpacking").join("tree");
        std::thread::scope(|scope| {
            scope.spawn(|| {
                while !staged.join("a.csv").exists() && !target.exists() {
                    std::hint::spin_loop();
                }
                let met = Instant::now();
                while met.elapsed() < Duration::from_micros(round * 5) {
                    std::hint::spin_loop();
                }
                for folder in [target.clone(), target.join("below")] {
                    let made = fs::create_dir(&folder).map_err(|error| error.kind());
                    assert!(
                        matches!(made, Ok(()) | Err(ErrorKind::AlreadyExists)),
                        "{made:?}"
                    );
                }
                fs::File::create(target.join("below").join("b.csv")).unwrap();
            });
            unpack(&path, &target, &Limits::default(), &|_| {}, &|| false).unwrap();
        });
        let files = ["a.csv", "below/", "below/b.csv"];
        assert_eq!(list(&target), files);
    }
}
