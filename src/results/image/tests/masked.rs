//! Masks and label images over their image.

use std::path::{Path, PathBuf};

use image::{GrayImage, Luma};

use super::writing::{GRAY, Spec};
use super::{Folder, everything, value};
use crate::results::image::open::{self, read_masks};
use crate::results::pairing::{JobFiles, JobInput};

/// A masks file with one object, a box.
fn masks(filename: &str, (width, height): (u32, u32)) -> String {
    // Four background, then six object, in a box two wide and five high: see `masks`.
    format!(
        r#"{{"filename":"{filename}","height":{height},"objects":{{"5":{{"bbox":[10,20,12,25],"pred_class":"Nucleus","rle":{{"counts":"NDY="}}}}}},"width":{width}}}"#
    )
}

fn job(folder: &Folder, image: &Path, results: &[&Path]) -> JobFiles {
    let name = image.file_name().unwrap().to_string_lossy().into_owned();
    let table = folder.put("objects.csv", b"Object ID,Image origin\n5.0,a.tif\n");
    let mut results: Vec<PathBuf> = results.iter().map(|path| (*path).to_owned()).collect();
    results.push(table);
    JobFiles {
        inputs: vec![JobInput {
            remote_name: name.clone(),
            name,
            path: image.to_owned(),
        }],
        results,
    }
}

#[test]
fn masks_and_image_open_together_from_either_side() {
    let folder = Folder::new();
    let image = folder.put(
        "a.tif",
        &Spec {
            size: (300, 40),
            ..GRAY
        }
        .file(&[&value]),
    );
    let json = folder.put("1_objects.json", masks("a.tif", (300, 40)).as_bytes());
    let jobs = [job(&folder, &image, &[&json])];
    for path in [&json, &image] {
        let viewer = open::open(path, &jobs, folder.path()).unwrap().unwrap();
        read_masks(&viewer);
        viewer.image.as_ref().unwrap().1.read_all(&|| true).unwrap();
        let view = everything(&viewer);
        assert_eq!((view.name.as_str(), view.plain_ground), ("a.tif", false));
        assert_eq!(view.tiles.len(), 2);
        assert_eq!(view.objects.as_ref().unwrap().objects[0].id, "5");
        assert_eq!(view.objects_table, Some(folder.path().join("objects.csv")));
        let tile = &view.mask_tiles[0];
        assert_eq!(view.mask_tiles.len(), 1, "the other has no object");
        let covered = tile.objects.iter().filter(|number| **number == 1).count();
        assert_eq!(covered, 6);
        assert_eq!(tile.objects[24 * 256 + 10], 1);
        assert_eq!(tile.objects[23 * 256 + 10], 0);
    }
    let found = open::file_of_object("a.tif", &jobs);
    assert_eq!(found, Some(json.clone()));
    assert_eq!(open::file_of_object("b.tif", &jobs), None);

    // Without its image.
    let viewer = open::open(&json, &[], folder.path()).unwrap().unwrap();
    let view = everything(&viewer);
    assert!(
        view.plain_ground && view.notes[0].contains("was not found"),
        "{:?}",
        view.notes
    );
    assert_eq!((view.mask_tiles.len(), view.tiles.len()), (1, 0));
}

#[test]
fn masks_of_another_size_are_not_drawn_and_it_is_said() {
    let folder = Folder::new();
    let image = folder.put(
        "a.tif",
        &Spec {
            size: (300, 41),
            ..GRAY
        }
        .file(&[&value]),
    );
    let json = folder.put("1_objects.json", masks("a.tif", (300, 40)).as_bytes());
    let labels = folder.path().join("a_labels.png");
    GrayImage::from_pixel(300, 40, Luma([1]))
        .save(&labels)
        .unwrap();
    for masks in [&json, &labels] {
        let jobs = [job(&folder, &image, &[masks])];
        for path in [masks, &image] {
            let viewer = open::open(path, &jobs, folder.path()).unwrap().unwrap();
            read_masks(&viewer);
            let view = everything(&viewer);
            assert!(view.mask_tiles.is_empty() && view.objects.is_none());
            assert!(
                view.notes
                    .iter()
                    .any(|note| note.contains("300 × 40 pixels")),
                "{:?}",
                view.notes
            );
        }
    }
    // A mask file that lies about its objects.
    let bad = masks("a.tif", (300, 41)).replace("[10,20", "[10,2000");
    let json = folder.put("1_objects.json", bad.as_bytes());
    let jobs = [job(&folder, &image, &[&json])];
    let viewer = open::open(&image, &jobs, folder.path()).unwrap().unwrap();
    read_masks(&viewer);
    let view = everything(&viewer);
    assert!(
        view.notes[0].contains("1 of 1 objects make no sense"),
        "{:?}",
        view.notes
    );
    let json = folder.put("1_objects.json", br#"{"filename":"a.tif","rle""#);
    let jobs = [job(&folder, &image, &[&json])];
    let viewer = open::open(&image, &jobs, folder.path()).unwrap().unwrap();
    read_masks(&viewer);
    assert!(everything(&viewer).notes[0].contains("could not be read"));
}

#[test]
fn a_label_image_is_shown_over_its_image() {
    let folder = Folder::new();
    let image = folder.put(
        "a.tif",
        &Spec {
            size: (64, 40),
            ..GRAY
        }
        .file(&[&value]),
    );
    let labels = folder.path().join("a_labels.png");
    GrayImage::from_fn(64, 40, |x, _| Luma([u8::from(x > 9) * 3]))
        .save(&labels)
        .unwrap();
    let jobs = [job(&folder, &image, &[&labels])];
    for path in [&labels, &image] {
        let viewer = open::open(path, &jobs, folder.path()).unwrap().unwrap();
        read_masks(&viewer);
        let view = everything(&viewer);
        assert_eq!(view.name, "a.tif");
        let objects = &view.objects.as_ref().unwrap().objects;
        assert_eq!(
            (objects.len(), objects[0].id.as_str(), objects[0].area),
            (1, "3", 54 * 40)
        );
    }
}
