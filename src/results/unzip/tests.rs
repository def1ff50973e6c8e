//! Archives nobody should make, made byte by byte (PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).

mod edges;

use crate::model::artifact::UnpackedFile;
use crate::results::disk::fingerprint;
use crate::results::unzip::{Limits, Trouble, Unpacked, UnzipError, unpack};
use std::cell::Cell;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// One entry, with every field free to lie.
#[derive(Clone)]
struct Entry {
    name: Vec<u8>,
    packed: Vec<u8>,
    method: u16,
    flags: u16,
    crc: u32,
    size: u32,
    /// Unix mode, as stored in the upper half of the external attributes.
    mode: u32,
}

fn stored(name: &str, bytes: &[u8]) -> Entry {
    let mut crc = flate2::Crc::new();
    crc.update(bytes);
    Entry {
        name: name.as_bytes().to_vec(),
        packed: bytes.to_vec(),
        method: 0,
        flags: 0x800,
        crc: crc.sum(),
        size: u32::try_from(bytes.len()).unwrap(),
        mode: 0o100_644,
    }
}

fn deflated(name: &str, bytes: &[u8]) -> Entry {
    let mut packer = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::best());
    packer.write_all(bytes).unwrap();
    Entry {
        packed: packer.finish().unwrap(),
        method: 8,
        ..stored(name, bytes)
    }
}

fn archive(entries: &[Entry]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let mut directory: Vec<u8> = Vec::new();
    for entry in entries {
        let offset = u32::try_from(out.len()).unwrap();
        let packed = u32::try_from(entry.packed.len()).unwrap();
        let name = u16::try_from(entry.name.len()).unwrap();
        let mut common = Vec::new();
        for half in [20, entry.flags, entry.method, 0, 0x5A21] {
            common.extend(half.to_le_bytes());
        }
        for word in [entry.crc, packed, entry.size] {
            common.extend(word.to_le_bytes());
        }
        common.extend(name.to_le_bytes());
        common.extend([0, 0]);
        out.extend(b"PK\x03\x04");
        out.extend(&common);
        out.extend(&entry.name);
        out.extend(&entry.packed);
        directory.extend(b"PK\x01\x02\x1E\x03");
        directory.extend(&common);
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(offset.to_le_bytes());
        directory.extend(&entry.name);
    }
    let start = u32::try_from(out.len()).unwrap();
    let count = u16::try_from(entries.len()).unwrap();
    out.extend(&directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend(count.to_le_bytes());
    out.extend(count.to_le_bytes());
    out.extend(u32::try_from(directory.len()).unwrap().to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0, 0]);
    out
}

struct Bench {
    folder: tempfile::TempDir,
}

impl Bench {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("home")).unwrap();
        Self { folder }
    }

    fn target(&self) -> PathBuf {
        self.folder.path().join("home").join("masks #1 世")
    }

    fn put(&self, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join("archive.zip");
        fs::File::create(&path).unwrap().write_all(bytes).unwrap();
        path
    }

    fn unpack(&self, entries: &[Entry]) -> Unpacked {
        self.run(&archive(entries), &Limits::default()).unwrap()
    }

    fn run(&self, bytes: &[u8], limits: &Limits) -> Result<Unpacked, UnzipError> {
        unpack(&self.put(bytes), &self.target(), limits, &|_| {}, &|| false)
    }

    /// Everything below the outermost folder, folders with a `/`, except the archive itself.
    fn everything(&self) -> Vec<String> {
        let mut all = list(self.folder.path());
        all.retain(|name| name != "archive.zip");
        all
    }

    /// The files in the folder unpacked into, with their text.
    fn files(&self) -> BTreeMap<String, String> {
        list(&self.target())
            .into_iter()
            .filter(|name| !name.ends_with('/'))
            .map(|name| {
                let bytes = fs::read(self.target().join(&name)).unwrap();
                (name, String::from_utf8_lossy(&bytes).into_owned())
            })
            .collect()
    }
}

fn list(folder: &Path) -> Vec<String> {
    walkdir::WalkDir::new(folder)
        .min_depth(1)
        .sort_by_file_name()
        .into_iter()
        .map(|entry| {
            let entry = entry.unwrap();
            let path = entry.path().strip_prefix(folder).unwrap();
            let slash = if entry.file_type().is_dir() { "/" } else { "" };
            format!("{}{slash}", path.to_str().unwrap())
        })
        .collect()
}

fn paths(unpacked: &Unpacked) -> Vec<&str> {
    unpacked
        .files
        .iter()
        .map(|file| file.path.as_str())
        .collect()
}

fn troubles(unpacked: &Unpacked) -> Vec<(&str, &Trouble)> {
    unpacked
        .problems
        .iter()
        .map(|problem| (problem.name.as_str(), &problem.what))
        .collect()
}

#[test]
fn an_honest_archive_comes_out_as_it_is() {
    let bench = Bench::new();
    let folder = Entry {
        mode: 0o040_755,
        ..stored("masks/", b"")
    };
    let long = "row,".repeat(100_000);
    let heard = Cell::new(0);
    let path = bench.put(&archive(&[
        folder,
        stored("masks/a 世.json", b"{}"),
        deflated("b.csv", long.as_bytes()),
        stored("empty", b""),
    ]));
    let unpacked = unpack(
        &path,
        &bench.target(),
        &Limits::default(),
        &|bytes| heard.set(heard.get() + bytes),
        &|| false,
    )
    .unwrap();
    assert_eq!(paths(&unpacked), ["masks/a 世.json", "b.csv", "empty"]);
    assert!(unpacked.problems.is_empty());
    for file in &unpacked.files {
        let on_disk = fingerprint(&bench.target().join(&file.path)).unwrap();
        assert_eq!(on_disk, (file.size_bytes, file.sha256.clone()));
    }
    assert_eq!(heard.get(), 400_002);
    assert_eq!(bench.files()["b.csv"], long);
    assert_eq!(
        bench.everything(),
        [
            "home/",
            "home/masks #1 世/",
            "home/masks #1 世/b.csv",
            "home/masks #1 世/empty",
            "home/masks #1 世/masks/",
            "home/masks #1 世/masks/a 世.json"
        ]
    );
}

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

#[test]
fn links_devices_passwords_and_unknown_methods_are_named() {
    let bench = Bench::new();
    let unpacked = bench.unpack(&[
        Entry {
            mode: 0o120_777,
            ..stored("link", b"/etc/passwd")
        },
        Entry {
            mode: 0o010_644,
            ..stored("pipe", b"")
        },
        Entry {
            flags: 0x801,
            ..stored("secret.csv", b"123456789012345")
        },
        Entry {
            method: 12,
            ..stored("bzip2.csv", b"x")
        },
        stored("link/below", b"not through the link"),
    ]);
    assert_eq!(
        troubles(&unpacked),
        [
            ("link", &Trouble::Link),
            ("pipe", &Trouble::Device),
            ("secret.csv", &Trouble::Encrypted),
            ("bzip2.csv", &Trouble::UnknownMethod(12))
        ]
    );
    assert_eq!(paths(&unpacked), ["link/below"]);
    assert_eq!(
        unpacked.problems[3].what.to_string(),
        "it is packed with method 12, which Labferry does not know"
    );
}

#[test]
fn damaged_entries_are_reported_and_leave_nothing() {
    let bench = Bench::new();
    let mut torn = deflated("torn.csv", "abc".repeat(1000).as_bytes());
    let half = torn.packed.len() / 2;
    torn.packed.truncate(half);
    let mut flipped = stored("flipped.csv", b"1,2,3");
    flipped.packed[2] ^= 1;
    let lying_small = Entry {
        size: 10,
        ..deflated("says small.csv", &[b'x'; 5000])
    };
    let lying_large = Entry {
        size: 4_000_000_000,
        ..deflated("says large.csv", b"tiny")
    };
    let unpacked = bench.unpack(&[
        torn,
        flipped,
        lying_small,
        stored("good.csv", b"1"),
        lying_large,
    ]);
    let names: Vec<_> = troubles(&unpacked)
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .collect();
    assert_eq!(
        names[..3],
        ["torn.csv", "flipped.csv", "says small.csv"],
        "{:?}",
        unpacked.problems
    );
    assert!(
        unpacked
            .problems
            .iter()
            .all(|problem| matches!(problem.what, Trouble::Damaged(_)))
    );
    // What says it is larger than it is may be taken as it is or refused; it must not be half there.
    let files = bench.files();
    assert_eq!(files["good.csv"], "1");
    assert!(
        files
            .get("says large.csv")
            .is_none_or(|text| text == "tiny")
    );
    assert_eq!(files.len(), unpacked.files.len());
}

#[test]
fn bombs_stop_at_the_bounds_whatever_the_headers_say() {
    let limits = Limits {
        max_entries: 10,
        max_total_bytes: 1_000_000,
        max_ratio: 50,
        ratio_free_bytes: 10_000,
    };
    let bench = Bench::new();
    let dense = deflated("dense.bin", &vec![0; 900_000]);
    let noise: Vec<u8> = std::iter::repeat_with({
        let mut random = fastrand::Rng::with_seed(1);
        move || random.u8(..)
    })
    .take(600_000)
    .collect();
    let bytes = archive(&[
        dense,
        stored("small.csv", b"1"),
        stored("first.bin", &noise),
        stored("second.bin", &noise),
        stored("last.csv", b"2"),
    ]);
    let unpacked = bench.run(&bytes, &limits).unwrap();
    assert_eq!(
        troubles(&unpacked),
        [
            ("dense.bin", &Trouble::TooDense),
            ("second.bin", &Trouble::TooLarge)
        ]
    );
    assert_eq!(paths(&unpacked), ["small.csv", "first.bin", "last.csv"]);

    let many = archive(&vec![stored("x", b""); 11]);
    assert!(matches!(
        bench.run(&many, &limits),
        Err(UnzipError::TooManyEntries {
            found: 11,
            allowed: 10
        })
    ));
}

/// One local entry, and so many entries in the directory that claim it.
fn claimed_so_often(one: &Entry, times: usize) -> Vec<u8> {
    let mut bytes = archive(std::slice::from_ref(one));
    let local = 30 + one.name.len() + one.packed.len();
    let central = bytes[local..bytes.len() - 22].to_vec();
    bytes.truncate(local);
    for _ in 0..times {
        bytes.extend(&central);
    }
    let count = u16::try_from(times).unwrap();
    bytes.extend(b"PK\x05\x06\0\0\0\0");
    bytes.extend(count.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    bytes.extend(u32::try_from(central.len() * times).unwrap().to_le_bytes());
    bytes.extend(u32::try_from(local).unwrap().to_le_bytes());
    bytes.extend([0, 0]);
    bytes
}

#[test]
fn overlapping_entries_are_refused_but_for_the_first() {
    let bench = Bench::new();
    let bytes = claimed_so_often(&deflated("x", &vec![0; 40_000]), 1000);
    let read = Cell::new(0);
    let unpacked = unpack(
        &bench.put(&bytes),
        &bench.target(),
        &Limits::default(),
        &|bytes| read.set(read.get() + bytes),
        &|| false,
    )
    .unwrap();
    assert_eq!(paths(&unpacked), ["x"]);
    assert_eq!(read.get(), 40_000, "no piece is unpacked twice");
    assert_eq!(unpacked.problems.len(), 999);
    assert!(
        unpacked
            .problems
            .iter()
            .all(|problem| problem.what == Trouble::Overlapping)
    );
}

/// Entries quoted by one another: each begins a few bytes behind the other and ends with it.
#[test]
fn entries_within_entries_are_refused() {
    let bench = Bench::new();
    let inner = archive(&[stored("inner.csv", &[b'i'; 300])]);
    let mut bytes = archive(&[stored("outer.bin", &inner), stored("after.csv", b"1")]);
    // The directory's second entry is bent to the local header inside the first one's bytes.
    let local = 30 + "outer.bin".len();
    let at = bytes
        .windows(4)
        .rposition(|four| four == b"PK\x01\x02")
        .unwrap();
    let end = bytes.len() - 22;
    let mut bent = inner[inner
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap()..inner.len() - 22]
        .to_vec();
    let offset = u32::try_from(local).unwrap().to_le_bytes();
    bent[42..46].copy_from_slice(&offset);
    let longer = bent.len() - (end - at);
    bytes.splice(at..end, bent);
    let size = bytes.len() - 22 + 12;
    let directory = u32::from_le_bytes(bytes[size..size + 4].try_into().unwrap());
    let directory = directory + u32::try_from(longer).unwrap();
    bytes[size..size + 4].copy_from_slice(&directory.to_le_bytes());
    let unpacked = bench.run(&bytes, &Limits::default()).unwrap();
    assert_eq!(paths(&unpacked), ["outer.bin"]);
    assert_eq!(troubles(&unpacked), [("inner.csv", &Trouble::Overlapping)]);
}

/// Sizes and offsets in 64 bits (PKWARE APPNOTE 4.3.14, 4.3.15 and 4.5.3), as archives beyond 4 GiB or 65,535 entries have.
fn zip64(entries: &[Entry]) -> Vec<u8> {
    let mut out: Vec<u8> = Vec::new();
    let mut directory: Vec<u8> = Vec::new();
    for entry in entries {
        let offset = out.len() as u64;
        let name = u16::try_from(entry.name.len()).unwrap();
        let (packed, size) = (entry.packed.len() as u64, u64::from(entry.size));
        let head = |extra: u16| {
            let mut head = Vec::new();
            for half in [45, entry.flags, entry.method, 0, 0x5A21] {
                head.extend(half.to_le_bytes());
            }
            for word in [entry.crc, u32::MAX, u32::MAX] {
                head.extend(word.to_le_bytes());
            }
            head.extend(name.to_le_bytes());
            head.extend(extra.to_le_bytes());
            head
        };
        let field = |numbers: &[u64]| {
            let mut field = 1_u16.to_le_bytes().to_vec();
            field.extend(u16::try_from(numbers.len() * 8).unwrap().to_le_bytes());
            field.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
            field
        };
        out.extend(b"PK\x03\x04");
        out.extend(head(20));
        out.extend(&entry.name);
        out.extend(field(&[size, packed]));
        out.extend(&entry.packed);
        directory.extend(b"PK\x01\x02\x2D\x03");
        directory.extend(head(28));
        directory.extend([0; 6]);
        directory.extend((entry.mode << 16).to_le_bytes());
        directory.extend(u32::MAX.to_le_bytes());
        directory.extend(&entry.name);
        directory.extend(field(&[size, packed, offset]));
    }
    let start = out.len() as u64;
    let count = entries.len() as u64;
    out.extend(&directory);
    let record = out.len() as u64;
    out.extend(b"PK\x06\x06");
    out.extend(44_u64.to_le_bytes());
    out.extend([45, 0, 45, 0]);
    out.extend([0; 8]);
    for number in [count, count, directory.len() as u64, start] {
        out.extend(number.to_le_bytes());
    }
    out.extend(b"PK\x06\x07\0\0\0\0");
    out.extend(record.to_le_bytes());
    out.extend(1_u32.to_le_bytes());
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([0xFF; 12]);
    out.extend([0, 0]);
    out
}

#[test]
fn archives_in_64_bits_are_read() {
    let bench = Bench::new();
    let bytes = zip64(&[
        stored("a.csv", b"1,2\n"),
        deflated("masks/b.json", &[b' '; 5000]),
        stored("../slip", b"x"),
    ]);
    let unpacked = bench.run(&bytes, &Limits::default()).unwrap();
    assert_eq!(paths(&unpacked), ["a.csv", "masks/b.json"]);
    assert_eq!(troubles(&unpacked), [("../slip", &Trouble::LeadsOutside)]);
    check_all(&bench, &unpacked.files);
}

#[test]
fn sizes_that_lie_in_64_bits_are_not_believed() {
    let bench = Bench::new();
    let good = zip64(&[stored("a.csv", b"1,2\n"), stored("b.csv", b"3,4\n")]);
    let field = |bytes: &[u8], from: usize| {
        let found = bytes[from..]
            .windows(4)
            .position(|four| four == [1, 0, 24, 0]);
        from + found.unwrap() + 4
    };
    let first = field(&good, 0);
    for number in [0, 1, 2] {
        for lie in [u64::MAX, u64::MAX / 2, 1 << 40, 5] {
            let mut bytes = good.clone();
            bytes[first + number * 8..first + number * 8 + 8].copy_from_slice(&lie.to_le_bytes());
            if let Ok(unpacked) = bench.run(&bytes, &Limits::default()) {
                check_all(&bench, &unpacked.files);
                assert!(unpacked.files.iter().all(|file| file.size_bytes <= 16));
            }
            if bench.target().exists() {
                fs::remove_dir_all(bench.target()).unwrap();
            }
        }
    }
}

#[test]
fn more_entries_than_fit_in_16_bits_are_all_seen() {
    let bench = Bench::new();
    let mut entries = vec![stored("../x", b""); 70_000];
    entries[0] = stored("first.csv", b"1");
    entries[66_000] = stored("later.csv", b"2");
    entries[69_999] = stored("last.csv", b"3");
    let bytes = zip64(&entries);
    let unpacked = bench.run(&bytes, &Limits::default()).unwrap();
    assert_eq!(paths(&unpacked), ["first.csv", "later.csv", "last.csv"]);
    assert_eq!(unpacked.problems.len(), 69_997);
    let few = Limits {
        max_entries: 65_536,
        ..Limits::default()
    };
    let refused = bench.run(&bytes, &few);
    assert!(matches!(
        refused,
        Err(UnzipError::TooManyEntries { found: 70_000, .. })
    ));
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

#[test]
fn what_is_no_archive_says_so() {
    let bench = Bench::new();
    let whole = archive(&[stored("a.csv", &[b'x'; 500])]);
    for bytes in [
        b"".as_slice(),
        b"PK",
        b"<html>sign in</html>",
        &whole[..whole.len() - 30],
        &whole[..200],
    ] {
        assert!(
            matches!(
                bench.run(bytes, &Limits::default()),
                Err(UnzipError::NotAnArchive(_))
            ),
            "{} bytes",
            bytes.len()
        );
        assert_eq!(bench.everything(), ["home/"]);
    }
    let missing = unpack(
        Path::new("/nowhere/a.zip"),
        &bench.target(),
        &Limits::default(),
        &|_| {},
        &|| false,
    );
    assert!(matches!(missing, Err(UnzipError::Io(_))));
    assert!(
        bench
            .run(&archive(&[]), &Limits::default())
            .unwrap()
            .files
            .is_empty()
    );
}

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

#[test]
fn any_damage_stays_inside_the_folder_and_never_panics() {
    let mut random = fastrand::Rng::with_seed(2026);
    let good = archive(&[
        Entry {
            mode: 0o040_755,
            ..stored("m/", b"")
        },
        stored("m/a.json", b"{\"a\":1}"),
        deflated("m/b.csv", "1,2\n".repeat(50).as_bytes()),
        deflated("../c.csv", b"x"),
        stored("m/a.json", b"other"),
        Entry {
            mode: 0o120_777,
            ..stored("l", b"..")
        },
        stored("l/x", b"y"),
    ]);
    let limits = Limits {
        max_entries: 100,
        max_total_bytes: 1 << 20,
        max_ratio: 1000,
        ratio_free_bytes: 1 << 16,
    };
    for round in 0..250 {
        let bench = Bench::new();
        let mut bytes = good.clone();
        for _ in 0..random.usize(1..8) {
            let at = random.usize(0..bytes.len());
            bytes[at] = match random.u8(0..4) {
                0 => random.u8(..),
                1 => *random.choice(b"./\\:\0Pk").unwrap(),
                2 => bytes[at] ^ (1 << random.u8(0..8)),
                _ => 0xFF,
            };
        }
        if round % 7 == 0 {
            bytes.truncate(random.usize(0..bytes.len()));
        }
        match bench.run(&bytes, &limits) {
            Ok(unpacked) => check_all(&bench, &unpacked.files),
            Err(_) => assert_eq!(bench.everything(), ["home/"]),
        }
    }
}

fn check_all(bench: &Bench, files: &[UnpackedFile]) {
    for name in bench.everything() {
        assert!(
            name == "home/" || name.starts_with("home/masks #1 世/"),
            "{name:?}"
        );
    }
    assert_eq!(bench.files().len(), files.len());
    for file in files {
        let path = bench.target().join(&file.path);
        assert!(fs::symlink_metadata(&path).unwrap().is_file());
        assert_eq!(
            fingerprint(&path).unwrap(),
            (file.size_bytes, file.sha256.clone())
        );
    }
}

/// `/dev/full` takes no byte; a file system without room is the nearest a test without special rights can come.
#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_apart() {
    let error = fs::OpenOptions::new()
        .write(true)
        .open("/dev/full")
        .unwrap()
        .write_all(b"x")
        .unwrap_err();
    assert!(matches!(UnzipError::disk(error), UnzipError::DiskFull(_)));
    let other = std::io::Error::from(std::io::ErrorKind::PermissionDenied);
    assert!(matches!(UnzipError::disk(other), UnzipError::Io(_)));
}
