//! Names, sizes and what is kept.

use std::collections::BTreeMap;

use crate::model::file::LocalFile;
use crate::model::remote::Upload;
use crate::providers::seven_bridges::upload::kept::Kept;
use crate::providers::seven_bridges::upload::{MIB, metadata_key, numbered, part_bytes};
use crate::providers::seven_bridges::wire::uploads::Opened;

fn upload(size_bytes: u64) -> Upload {
    Upload {
        file: LocalFile {
            path: "/data/a.bin".into(),
            name: "a.bin".to_owned(),
            folder: String::new(),
            size_bytes,
            modified: None,
        },
        remote_name: "a.bin".to_owned(),
        remote_folder: String::new(),
        metadata: BTreeMap::new(),
    }
}

fn kept(size_bytes: u64, part_size: u64) -> Kept {
    let opened: Opened =
        serde_json::from_value(serde_json::json!({"upload_id": "u", "part_size": part_size}))
            .unwrap();
    Kept::new(&upload(size_bytes), "a.bin".to_owned(), None, &opened).unwrap()
}

#[test]
fn parts_are_large_enough_for_ten_thousand() {
    for (size, mib) in [
        (0, 32),
        (32 * MIB, 32),
        (300 * 1024 * MIB, 33),
        (5 * 1024 * 1024 * MIB, 552),
    ] {
        assert_eq!(part_bytes(size), mib * MIB, "{size}");
        assert!(size.div_ceil(part_bytes(size)) <= 9_500);
    }
}

#[test]
fn parts_make_up_the_file() {
    for (size, part, count) in [
        (0, 10, 1),
        (1, 10, 1),
        (10, 10, 1),
        (11, 10, 2),
        (95, 10, 10),
    ] {
        let kept = kept(size, part);
        assert_eq!(kept.parts(), count);
        let ranges: Vec<(u64, u64)> = (1..=count).map(|number| kept.range(number)).collect();
        assert_eq!(ranges.iter().map(|(_, length)| length).sum::<u64>(), size);
        assert!(
            ranges
                .windows(2)
                .all(|pair| pair[0].0 + pair[0].1 == pair[1].0)
        );
    }
    let opened: Opened = serde_json::from_value(serde_json::json!({"upload_id": "u"})).unwrap();
    assert!(
        Kept::new(&upload(1), "a".to_owned(), None, &opened).is_err(),
        "no part size"
    );
}

#[test]
fn what_is_kept_is_of_one_file_only() {
    let kept = Kept::read(&kept(10, 5).text()).unwrap();
    assert!(kept.is_of(&upload(10)));
    assert!(!kept.is_of(&upload(11)));
    let mut touched = upload(10);
    touched.file.modified = Some(jiff::Timestamp::UNIX_EPOCH);
    assert!(!kept.is_of(&touched));
    assert_eq!(Kept::read("no such thing"), None);
}

#[test]
fn numbers_stand_before_the_endings() {
    for (name, numbered_name) in [
        ("reads.fastq.gz", "reads-2.fastq.gz"),
        ("reads", "reads-2"),
        (".hidden", ".hidden-2"),
        (".hidden.txt", ".hidden-2.txt"),
        ("世界.tif", "世界-2.tif"),
    ] {
        assert_eq!(numbered(name, 2), numbered_name);
        assert_eq!(numbered(name, 1), name);
    }
    let long = "x".repeat(255);
    assert!(numbered(&long, 12).chars().count() <= 255);
}

#[test]
fn columns_become_keys() {
    assert_eq!(metadata_key(" sample id "), "sample_id");
    assert_eq!(metadata_key("a.b/c"), "a_b_c");
}
