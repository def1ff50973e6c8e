//! What is done with any bytes, and what must hold afterwards: run by the fuzz targets and, over the same corpus with seeded
//! changes, by `tests/it/robustness.rs`.

use std::fs;
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::Path;

use labferry::providers::{analytics_automated, biodock, code_ocean, seven_bridges};
use labferry::results::names;
use labferry::results::table::TableFile;
use labferry::results::unzip::{Limits, unpack};

/// Bounds small enough that a bomb ends early.
const LIMITS: Limits = Limits {
    max_entries: 200,
    max_total_bytes: 1 << 20,
    max_ratio: 200,
    ratio_free_bytes: 1 << 16,
};

/// Rows read at two places to compare them.
const PAGE: usize = 50;

/// An archive: whatever comes out lies below the folder, is a plain file, and is what is said of it.
pub(crate) fn archive(data: &[u8]) {
    let top = tempfile::tempdir().unwrap();
    let file = top.path().join("a.zip");
    put(&file, data);
    let into = top.path().join("home").join("results");
    fs::create_dir(top.path().join("home")).unwrap();
    // An error says that there is no archive; what came out of it is looked at in either case.
    let files = unpack(&file, &into, &LIMITS, &|_bytes| {}, &|| false)
        .map(|unpacked| unpacked.files)
        .unwrap_or_default();
    let beside = fs::read_dir(top.path().join("home")).unwrap().count();
    assert_eq!(
        beside,
        usize::from(into.is_dir()),
        "something lies beside the folder"
    );
    assert_eq!(fs::read_dir(top.path()).unwrap().count(), 2);
    let mut there = 0;
    count_files(&into, &mut there);
    assert_eq!(there, files.len(), "{files:?}");
    let mut total_bytes = 0;
    for unpacked in &files {
        let meta = fs::symlink_metadata(into.join(&unpacked.path)).unwrap();
        assert!(meta.is_file(), "{}", unpacked.path);
        assert_eq!(meta.len(), unpacked.size_bytes);
        assert!(unpacked.path.split('/').all(is_safe), "{:?}", unpacked.path);
        total_bytes += meta.len();
    }
    assert!(total_bytes <= LIMITS.max_total_bytes);
}

fn put(path: &Path, data: &[u8]) {
    fs::File::create(path).unwrap().write_all(data).unwrap();
}

fn count_files(folder: &Path, found: &mut usize) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries {
        let entry = entry.unwrap();
        if entry.file_type().unwrap().is_dir() {
            count_files(&entry.path(), found);
        } else {
            *found += 1;
        }
    }
}

/// A table: rows are the same wherever reading begins, and written out they can be read again.
pub(crate) fn table(data: &[u8]) {
    let top = tempfile::tempdir().unwrap();
    let file = top.path().join("a.csv");
    put(&file, data);
    let Ok(table) = TableFile::open(&file) else {
        return;
    };
    table
        .index(&mut |_rows, _bytes| ControlFlow::Continue(()))
        .unwrap();
    let all = table.rows(0, usize::MAX).unwrap();
    if (all.len() as u64) < table.rows_known() {
        // Longer than a page.
        return;
    }
    assert_eq!(all.len() as u64, table.rows_known());
    let middle = all.len() / 2;
    let later = table.rows(middle as u64, PAGE).unwrap();
    assert_eq!(
        later,
        all[middle..].iter().take(PAGE).cloned().collect::<Vec<_>>()
    );
    assert!(table.rows(0, PAGE).unwrap().len() <= PAGE);
    let mut out = Vec::new();
    if let Ok(written) = table.write_csv(0..u64::MAX, &mut out) {
        assert_eq!(written, table.rows_known());
        assert!(std::str::from_utf8(&out).is_ok());
    }
}

/// A description of an app in CWL: fields have names of their own, and no more inputs are given than there are fields.
pub(crate) fn description(data: &[u8]) {
    let (names, given) = seven_bridges::anything::description(data);
    assert!(given <= names.len(), "{given} of {names:?}");
}

/// An answer of any platform: every text in it becomes one safe name.
pub(crate) fn wire(data: &[u8]) {
    for read in [
        analytics_automated::anything::read,
        biodock::anything::read,
        code_ocean::anything::read,
        seven_bridges::anything::read,
    ] {
        for text in read(data) {
            let name = names::clean(&text);
            assert!(is_safe(&name), "{text:?} becomes {name:?}");
        }
    }
}

/// A text of the list of jobs, as it is.
pub(crate) fn endpoints(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some((job, settings)) = analytics_automated::anything::endpoint(&text) {
        assert!(!job.is_empty());
        assert!(text.contains(&job));
        for setting in settings {
            assert!(!setting.is_empty() && text.contains(&setting));
            assert!(!setting.contains(['&', '=']), "{setting:?}");
        }
    }
}

fn is_safe(name: &str) -> bool {
    !name.is_empty()
        && name != "."
        && name != ".."
        && !name.ends_with([' ', '.'])
        && !name.contains(['/', '\\', ':', '\0', '*', '?', '"', '<', '>', '|'])
        && !name.chars().any(char::is_control)
        && name.len() <= 255
}
