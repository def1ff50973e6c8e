//! Archives nobody should make, made byte by byte (PKWARE APPNOTE 6.3.10, sections 4.3.7, 4.3.12 and 4.3.16).

mod again;
mod claims;
mod edges;
mod names;

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
