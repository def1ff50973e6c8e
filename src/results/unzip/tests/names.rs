//! Names of entries: where they lead, what no system takes, which are equal.

use super::{Bench, Entry, check_all, paths, stored, troubles};
use crate::results::unzip::Trouble;

#[test]
fn names_that_lead_outside_are_refused_and_the_rest_kept() {
    let bench = Bench::new();
    let bad = [
        "../slip",
        "a/../../slip",
        "a/../b",
        "/etc/slip",
        "\\slip",
        "..\\slip",
        "C:\\slip",
        "c:slip",
        "\\\\server\\share\\slip",
        "a/..",
        "..",
        "n\0ul",
        "/",
        "./",
    ];
    let mut entries: Vec<_> = bad
        .iter()
        .map(|name| Entry {
            mode: 0,
            ..stored(name, b"x")
        })
        .collect();
    entries.push(stored("good.csv", b"1"));
    let unpacked = bench.unpack(&entries);
    assert_eq!(paths(&unpacked), ["good.csv"]);
    let reported: Vec<_> = troubles(&unpacked)
        .into_iter()
        .map(|(name, what)| (name.to_owned(), what.clone()))
        .collect();
    let expected: Vec<_> = bad
        .iter()
        .map(|name| ((*name).to_owned(), Trouble::LeadsOutside))
        .collect();
    assert_eq!(reported, expected);
    assert_eq!(
        bench.everything(),
        ["home/", "home/masks #1 世/", "home/masks #1 世/good.csv"]
    );
}

#[test]
fn names_are_made_fit_for_every_system() {
    let bench = Bench::new();
    let deep = format!("{}/x.csv", vec!["d"; 50].join("/"));
    let long = format!("{}.csv", "n".repeat(300));
    let unpacked = bench.unpack(&[
        stored("con.txt", b"1"),
        stored("ab:c*?.csv", b"2"),
        stored("dir. /trailing. ", b"3"),
        stored("win\\path\\x.csv", b"4"),
        stored(&long, b"5"),
        stored(&deep, b"6"),
        Entry {
            name: b"M\x81ller.csv".to_vec(),
            flags: 0,
            ..stored("", b"7")
        },
        stored("./same//place.csv", b"8"),
    ]);
    let shortened = format!("{}.csv", "n".repeat(116));
    assert_eq!(
        paths(&unpacked),
        [
            "_con.txt",
            "ab_c__.csv",
            "dir/trailing",
            "win/path/x.csv",
            &shortened,
            "Müller.csv",
            "same/place.csv"
        ]
    );
    assert_eq!(unpacked.files[4].original_name, long);
    assert_eq!(unpacked.files[1].original_name, "ab:c*?.csv");
    assert!(matches!(troubles(&unpacked)[..], [(name, Trouble::Unwritable(_))] if name == deep));
}

#[test]
fn equal_names_are_kept_apart_even_by_case_and_between_files_and_folders() {
    let bench = Bench::new();
    let unpacked = bench.unpack(&[
        stored("a.csv", b"1"),
        stored("a.csv", b"2"),
        stored("A.CSV", b"3"),
        stored("Dir/x", b"4"),
        stored("dir/x", b"5"),
        stored("dir/y", b"6"),
        stored("dir", b"7"),
        stored("a.csv/z", b"8"),
        stored("q?", b"9"),
        stored("q*", b"0"),
    ]);
    assert_eq!(
        paths(&unpacked),
        [
            "a.csv",
            "a (2).csv",
            "A (3).CSV",
            "Dir/x",
            "Dir/x (2)",
            "Dir/y",
            "dir (2)",
            "a (4).csv/z",
            "q_",
            "q_ (2)"
        ]
    );
    let files = bench.files();
    let texts: Vec<_> = unpacked
        .files
        .iter()
        .map(|file| files[&file.path].as_str())
        .collect();
    assert_eq!(texts, ["1", "2", "3", "4", "5", "6", "7", "8", "9", "0"]);
}

/// Ten thousand files of one name cost little more than ten thousand names.
#[test]
fn one_name_ten_thousand_times_is_no_work_without_end() {
    let mut taken = std::collections::BTreeSet::new();
    let mut asked = 0_u64;
    for number in 1..=10_000_u64 {
        let name = crate::results::names::unique(&mut taken, "a.csv");
        asked += 1;
        if number > 1 {
            assert_eq!(name, format!("a ({number}).csv"));
        }
    }
    assert_eq!(asked, 10_000);
    let bench = Bench::new();
    let unpacked = bench.unpack(&vec![stored("same.csv", b""); 2_000]);
    assert_eq!(unpacked.files.len(), 2_000);
    assert_eq!(unpacked.files[1_999].path, "same (2000).csv");
}

#[test]
fn names_in_other_code_pages_are_read_or_kept_as_they_can_be() {
    let bench = Bench::new();
    let raw = |name: &[u8], flags: u16| Entry {
        name: name.to_vec(),
        flags,
        ..stored("", b"x")
    };
    let unpacked = bench.unpack(&[
        // Code page 437, as the format says where nothing else is said.
        raw(b"Gr\x94\xE1e.csv", 0),
        // Shift-JIS, which nothing announces: legible or not, it is one safe name.
        raw(b"\x90\xA2\x8A\x45.csv", 0),
        // Said to be UTF-8, and is not.
        raw(b"\xFF\xFE\xC3.csv", 0x800),
        raw("世界 ü.csv".as_bytes(), 0x800),
    ]);
    assert_eq!(unpacked.files.len() + unpacked.problems.len(), 4);
    let names = paths(&unpacked);
    assert!(names.contains(&"Größe.csv"), "{names:?}");
    assert!(names.contains(&"世界 ü.csv"), "{names:?}");
    check_all(&bench, &unpacked.files);
}

#[test]
fn paths_of_three_hundred_characters_are_shortened_part_by_part() {
    let bench = Bench::new();
    let long = format!("{}/{}.csv", "d".repeat(200), "n".repeat(300));
    let deep = format!("{}/x.csv", vec!["folder of ten"; 30].join("/"));
    let unpacked = bench.unpack(&[stored(&long, b"1"), stored(&deep, b"2")]);
    assert_eq!(unpacked.files.len(), 2, "{:?}", unpacked.problems);
    for file in &unpacked.files {
        assert!(
            file.path.split('/').all(|part| part.chars().count() <= 120),
            "{}",
            file.path
        );
        assert_eq!(file.path.rsplit('.').next(), Some("csv"));
    }
    assert_eq!(unpacked.files[0].original_name, long);
}

#[test]
fn names_that_steer_are_made_plain() {
    let bench = Bench::new();
    let unpacked = bench.unpack(&[
        stored("gnp\u{202e}exe.csv", b"1"),
        stored("a\u{1b}[2J\u{7f}b.csv", b"2"),
        stored("two\nlines\u{2028}.csv", b"3"),
    ]);
    let names = paths(&unpacked);
    assert_eq!(names, ["gnpexe.csv", "a_[2J_b.csv", "two_lines.csv"]);
}
