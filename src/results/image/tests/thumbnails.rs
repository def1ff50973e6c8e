//! Thumbnails of files made on the spot: what they show, what has none, and how much is read for one.

use std::cell::Cell;

use image::{DynamicImage, GrayImage, ImageBuffer, Luma, Rgb, RgbImage};

use super::Folder;
use super::damage::png_header;
use super::writing::{GRAY, Spec};
use crate::model::thumbnail::{THUMBNAIL_SIDE, Thumbnail};
use crate::results::image::thumbnail::{make, make_of};

/// The gray of a place, given in parts of the whole.
fn gray(thumbnail: &Thumbnail, across: f64, down: f64) -> u8 {
    let place = |part: f64, length: u32| {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "inside of the thumbnail"
        )]
        let at = (part * f64::from(length)) as usize;
        at
    };
    let at =
        place(down, thumbnail.height) * thumbnail.width as usize + place(across, thumbnail.width);
    let [red, green, blue] = thumbnail.rgb[at * 3..at * 3 + 3] else {
        panic!("no color");
    };
    assert_eq!((red, green), (green, blue));
    red
}

fn gradient(from: f64, to: f64, width: u32) -> impl Fn(u32, u32, u16) -> f64 {
    move |x, _, _| (from + (to - from) * f64::from(x) / f64::from(width - 1)).round()
}

#[test]
fn contrast_is_stretched_whatever_the_values_are() {
    let folder = Folder::new();
    for (bits, format, from, to) in [
        (8, 1, 90.0, 110.0),
        (16, 1, 400.0, 900.0),
        (16, 2, -300.0, 300.0),
        (32, 3, 2_000.0, 2_040.0),
    ] {
        for packed in [false, true] {
            let spec = Spec {
                size: (300, 200),
                bits,
                format,
                packed,
                ..GRAY
            };
            let file = spec.file(&[&gradient(from, to, 300)]);
            let made = make(&folder.put("a.tif", &file), &|| true).unwrap();
            assert_eq!(made.full, (300, 200));
            assert_eq!((made.width, made.height), (128, 85));
            assert!(gray(&made, 0.0, 0.5) < 12, "{spec:?}");
            assert!(gray(&made, 0.999, 0.5) > 243, "{spec:?}");
            let middle = gray(&made, 0.5, 0.5);
            assert!((115..=140).contains(&middle), "{spec:?}: {middle}");
        }
    }
}

#[test]
fn a_single_glaring_pixel_does_not_turn_the_rest_black() {
    let folder = Folder::new();
    let spec = Spec {
        size: (1_280, 1_280),
        bits: 16,
        ..GRAY
    };
    let pixel = |x: u32, y: u32, _: u16| match (x, y) {
        (700, 700) => 65_535.0,
        (..640, _) => 100.0,
        _ => 1_000.0,
    };
    let made = make(&folder.put("a.tif", &spec.file(&[&pixel])), &|| true).unwrap();
    assert!(gray(&made, 0.9, 0.1) > 120, "{}", gray(&made, 0.9, 0.1));
    assert_eq!(gray(&made, 0.1, 0.1), 0);
}

#[test]
fn the_first_page_of_several_is_shown() {
    let folder = Folder::new();
    let spec = Spec {
        size: (40, 30),
        bits: 16,
        ..GRAY
    };
    let rising = gradient(0.0, 9_000.0, 40);
    let falling = gradient(9_000.0, 0.0, 40);
    let path = folder.put("a.tif", &spec.file(&[&rising, &falling]));
    let made = make(&path, &|| true).unwrap();
    assert_eq!((made.width, made.height), (40, 30), "none is enlarged");
    assert!(gray(&made, 0.0, 0.0) < gray(&made, 0.9, 0.0));
    assert_eq!(made.about, "16-bit gray");
}

#[test]
fn png_and_jpeg_have_one_whatever_their_name() {
    let folder = Folder::new();
    let color = RgbImage::from_fn(400, 100, |x, _| {
        if x < 200 {
            Rgb([10, 200, 30])
        } else {
            Rgb([40, 20, 90])
        }
    });
    let sixteen =
        ImageBuffer::from_fn(400, 100, |x, _| Luma([if x < 200 { 300 } else { 500_u16 }]));
    for (name, image, about) in [
        ("a.png", DynamicImage::from(color.clone()), "8-bit color"),
        ("b.jpg", DynamicImage::from(color), "8-bit color"),
        ("c.png", DynamicImage::from(sixteen), "16-bit gray"),
    ] {
        let path = folder.path().join(name);
        image.save(&path).unwrap();
        let path_without = folder.path().join("no ending");
        std::fs::rename(&path, &path_without).unwrap();
        let made = make(&path_without, &|| true).unwrap();
        assert_eq!((made.width, made.height, made.full), (128, 32, (400, 100)));
        assert_eq!(made.about, about);
        let (left, right) = (&made.rgb[..3], &made.rgb[127 * 3..128 * 3]);
        if about == "16-bit gray" {
            assert_eq!((left, right), (&[0; 3][..], &[255; 3][..]));
        } else {
            // Colors stay what they are.
            assert!(left[1] > 190 && right[1] < 30 && right[2] > 80, "{made:?}");
        }
    }
}

#[test]
fn what_is_damaged_or_no_image_has_none() {
    let folder = Folder::new();
    let spec = Spec {
        size: (300, 200),
        bits: 16,
        ..GRAY
    };
    let good = spec.file(&[&gradient(0.0, 900.0, 300)]);
    let packed = Spec {
        packed: true,
        ..spec
    };
    let packed = packed.file(&[&gradient(0.0, 900.0, 300)]);
    let mut png = Vec::new();
    GrayImage::new(300, 200)
        .write_to(&mut std::io::Cursor::new(&mut png), image::ImageFormat::Png)
        .unwrap();
    let mut beside = good.clone();
    beside.truncate(40);
    for (name, bytes) in [
        ("cut.png", &png[..png.len() / 2]),
        ("beginning.tif", &beside),
        ("word.tif", b"II*\0"),
        ("table.tif", b"a,b\n1,2\n"),
        ("empty.png", b""),
        ("huge.png", &png_header(60_000, 60_000)),
    ] {
        assert_eq!(make(&folder.put(name, bytes), &|| true), None, "{name}");
    }
    for at in (8..packed.len()).step_by(7) {
        let mut bad = packed.clone();
        bad[at] ^= 0xA5;
        // None or some picture, but never a panic.
        make(&folder.put("bad.tif", &bad), &|| true);
    }
    assert_eq!(make(folder.path(), &|| true), None, "a folder");
    assert_eq!(make(&folder.path().join("gone.png"), &|| true), None);
}

/// Writes a tiff of one empty strip without its pixels: a file with a hole, as large as it says it is.
fn hollow(folder: &Folder, spec: Spec) -> std::path::PathBuf {
    let small = Spec {
        size: (1, 1),
        tile: Err(1),
        ..spec
    };
    let mut file = small.file(&[&|_, _, _| 0.0]);
    let number = |value: u32| value.to_le_bytes();
    let entries = u32::from_le_bytes(file[4..8].try_into().unwrap()) as usize + 2;
    for entry in 0..10 {
        let at = entries + entry * 12;
        let value = match u16::from_le_bytes([file[at], file[at + 1]]) {
            256 => spec.size.0,
            257 | 278 => spec.size.1,
            279 => spec.size.0 * spec.size.1 * u32::from(spec.bits / 8),
            _ => continue,
        };
        file[at + 8..at + 12].copy_from_slice(&number(value));
    }
    let path = folder.put("hollow.tif", &file);
    let bytes = u64::from(spec.size.0) * u64::from(spec.size.1) * u64::from(spec.bits / 8);
    let opened = std::fs::File::options().write(true).open(&path).unwrap();
    opened.set_len(file.len() as u64 + bytes).unwrap();
    path
}

#[test]
fn of_a_very_large_image_some_rows_are_read() {
    let folder = Folder::new();
    let spec = Spec {
        size: (20_000, 20_000),
        bits: 16,
        ..GRAY
    };
    let path = hollow(&folder, spec);
    let asked = Cell::new(0);
    let made = make(&path, &|| {
        asked.set(asked.get() + 1);
        true
    })
    .unwrap();
    assert_eq!((made.width, made.height), (THUMBNAIL_SIDE, THUMBNAIL_SIDE));
    assert_eq!(made.full, (20_000, 20_000));
    // It is asked before each row whether to go on.
    assert_eq!(asked.get(), 2 * THUMBNAIL_SIDE);
    let one_piece = hollow(
        &folder,
        Spec {
            packed: true,
            ..spec
        },
    );
    assert_eq!(make(&one_piece, &|| true), None, "one packed strip");
}

#[test]
fn of_very_many_tiles_some_are_read_and_the_picture_is_right() {
    let folder = Folder::new();
    let spec = Spec {
        size: (900, 900),
        tile: Ok((48, 48)),
        packed: true,
        ..GRAY
    };
    let pixel = |x: u32, y: u32, _: u16| match (x < 450, y < 450) {
        (true, true) => 10.0,
        (false, true) => 90.0,
        (true, false) => 170.0,
        (false, false) => 250.0,
    };
    let path = folder.put("a.tif", &spec.file(&[&pixel]));
    let asked = Cell::new(0);
    let most = 100 * 48 * 48;
    let made = make_of(&path, most, &|| {
        asked.set(asked.get() + 1);
        true
    })
    .unwrap();
    assert_eq!(asked.get(), 10 * 10, "of 19 × 19 tiles every other one");
    assert_eq!((made.width, made.height), (10, 10));
    assert_eq!(gray(&made, 0.1, 0.1), 0);
    assert_eq!(gray(&made, 0.9, 0.9), 255);
    assert_eq!(gray(&made, 0.9, 0.1), 85);
    assert_eq!(gray(&made, 0.1, 0.9), 170);
    let whole = make(&path, &|| true).unwrap();
    assert_eq!((whole.width, whole.height), (128, 128));
    let strips = Spec {
        tile: Err(10),
        ..spec
    };
    let path = folder.put("b.tif", &strips.file(&[&pixel]));
    let made = make_of(&path, 45 * 10 * 900, &|| true).unwrap();
    assert_eq!((made.width, made.height), (128, 45));
    assert_eq!(gray(&made, 0.9, 0.1), 85);
    assert_eq!(gray(&made, 0.1, 0.9), 170);
    // Too few strips to show anything.
    assert_eq!(make_of(&path, 3 * 10 * 900, &|| true), None);
}

#[test]
fn it_ends_when_it_is_not_wanted_any_more() {
    let folder = Folder::new();
    let spec = Spec {
        size: (2_000, 2_000),
        packed: true,
        ..GRAY
    };
    let tiff = folder.put("a.tif", &spec.file(&[&gradient(0.0, 200.0, 2_000)]));
    // Noise, so that the file is longer than what is read of it at a time.
    let mut random = fastrand::Rng::with_seed(7);
    let png = folder.path().join("a.png");
    GrayImage::from_fn(800, 800, |_, _| Luma([random.u8(..)]))
        .save(&png)
        .unwrap();
    for path in [tiff, png] {
        let asked = Cell::new(0);
        let go_on = || {
            asked.set(asked.get() + 1);
            asked.get() < 3
        };
        assert_eq!(make(&path, &go_on), None);
        assert_eq!(asked.get(), 3, "{}", path.display());
    }
}
