//! Archives that claim more than they hold, and archives in 64 bits.

use super::{Bench, Entry, archive, check_all, deflated, paths, stored, troubles};
use crate::results::unzip::{Limits, Trouble, UnzipError, unpack};
use std::cell::Cell;
use std::fs;

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
pub(super) fn claimed_so_often(one: &Entry, times: usize) -> Vec<u8> {
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
