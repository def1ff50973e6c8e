//! Images that are damaged, of another kind than they say, or change while they are open.

use image::{GrayImage, Luma};

use super::writing::{GRAY, Spec};
use super::{Folder, everything, level, value};
use crate::model::image_view::TileAt;
use crate::results::image::view::Viewer;
use crate::results::image::{FileState, ImageFile, PictureError};

#[test]
fn a_cut_tiff_shows_what_is_there_and_says_so() {
    let folder = Folder::new();
    for packed in [false, true] {
        let spec = Spec {
            size: (400, 600),
            tile: Err(10),
            packed,
            ..GRAY
        };
        let whole = spec.file(&[&value]);
        let mut cut = whole.clone();
        // The second half of the strips lies behind the end.
        let end = whole.len() as u64 + 1_000_000;
        let strips = 60;
        let place = find_offsets(&whole, strips);
        for strip in strips / 2..strips {
            let at = place + strip * 4;
            cut[at..at + 4].copy_from_slice(&u32::try_from(end).unwrap().to_le_bytes());
        }
        let page = folder.page(&folder.put("b.tif", &cut), 0).unwrap();
        assert!(page.trouble().unwrap().contains("damaged"));
        let whole = level(&page, 0);
        let at = |x: usize, y: usize| whole.values.at(y * 400 + x);
        assert!((f64::from(at(3, 299)) - value(3, 299, 0)).abs() < 0.1);
        assert!(at(3, 301) == 0.0, "black");
    }
    // Nothing of it can be read.
    let whole = Spec {
        size: (50, 50),
        packed: true,
        ..GRAY
    }
    .file(&[&value]);
    let cut = folder.put("c.tif", &whole[..whole.len() - 40]);
    assert!(folder.page(&cut, 0).is_err());
}

/// Where a little-endian tiff lists the places of its strips.
fn find_offsets(file: &[u8], strips: usize) -> usize {
    let entry = file
        .windows(8)
        .position(|window| {
            window[..4] == [17, 1, 4, 0]
                && window[4..] == u32::try_from(strips).unwrap().to_le_bytes()
        })
        .unwrap();
    let place: [u8; 4] = file[entry + 8..entry + 12].try_into().unwrap();
    u32::from_le_bytes(place) as usize
}

#[test]
fn bad_images_are_told_apart() {
    let folder = Folder::new();
    let path = folder.path().join("whole");
    GrayImage::new(50, 50)
        .save_with_format(&path, image::ImageFormat::Png)
        .unwrap();
    let whole = std::fs::read(&path).unwrap();
    let cut = folder.put("cut", &whole[..whole.len() / 2]);
    assert!(matches!(
        folder.page(&cut, 0),
        Err(PictureError::Damaged(_))
    ));
    let text = folder.put("text", b"no image at all");
    assert!(matches!(
        folder.page(&text, 0),
        Err(PictureError::Unsupported(_))
    ));
    let none = folder.path().join("none");
    assert!(matches!(folder.page(&none, 0), Err(PictureError::Io(_))));
    let huge = folder.put("huge", &png_header(60_000, 60_000));
    let huge = folder.page(&huge, 0);
    assert!(matches!(
        huge,
        Err(PictureError::TooLarge { width: 60_000, .. })
    ));
}

/// The beginning of a PNG: signature, IHDR, and an empty IDAT (PNG specification, section 5).
pub(super) fn png_header(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = b"\x89PNG\r\n\x1a\n".to_vec();
    let mut chunk = |kind: &[u8; 4], data: &[u8]| {
        bytes.extend(u32::try_from(data.len()).unwrap().to_be_bytes());
        bytes.extend(kind);
        bytes.extend(data);
        let mut crc = flate2::Crc::new();
        crc.update(&[kind, data].concat());
        bytes.extend(crc.sum().to_be_bytes());
    };
    let mut header = Vec::new();
    header.extend(width.to_be_bytes());
    header.extend(height.to_be_bytes());
    header.extend([8, 0, 0, 0, 0]);
    chunk(b"IHDR", &header);
    chunk(b"IDAT", b"");
    bytes
}

#[test]
fn damaged_images_never_panic() {
    let folder = Folder::new();
    let mut random = fastrand::Rng::with_seed(9);
    let path = folder.path().join("a");
    let mut good = Vec::new();
    for format in [image::ImageFormat::Png, image::ImageFormat::Jpeg] {
        GrayImage::from_fn(40, 30, |x, y| Luma([u8::try_from(x * y % 251).unwrap()]))
            .save_with_format(&path, format)
            .unwrap();
        good.push(std::fs::read(&path).unwrap());
    }
    for (tile, packed) in [(Err(5), false), (Ok((16, 16)), true), (Ok((16, 16)), false)] {
        let spec = Spec {
            size: (40, 30),
            tile,
            packed,
            ..GRAY
        };
        good.push(spec.file(&[&value, &value]));
    }
    for good in good {
        for _ in 0..150 {
            let mut bytes = good.clone();
            for _ in 0..random.usize(1..6) {
                // The header and the directory are where most harm is done.
                let last = bytes.len();
                let at = if random.bool() {
                    random.usize(0..last.min(400))
                } else {
                    random.usize(last.saturating_sub(300)..last)
                };
                bytes[at] = random.u8(..);
            }
            if random.bool() {
                bytes.truncate(random.usize(0..=bytes.len()));
            }
            let path = folder.put("b", &bytes);
            if let Ok(file) = ImageFile::open(&path)
                && let Ok(page) = file.page(0, folder.path())
                && page.width.max(page.height) < 5000
            {
                drop(page.read_all(&|| true));
                drop(page.tile(TileAt {
                    level: 0,
                    column: 0,
                    row: 0,
                }));
            }
        }
    }
}

#[test]
fn a_file_that_changes_shrinks_or_goes_while_it_is_open_is_noticed() {
    let folder = Folder::new();
    let spec = Spec {
        size: (600, 600),
        ..GRAY
    };
    let path = folder.put("a.tif", &spec.file(&[&value]));
    let file = ImageFile::open(&path).unwrap();
    let page = file.page(0, folder.path()).unwrap();
    let viewer = Viewer::new("a.tif".to_owned(), Some((file, page)));
    assert_eq!(viewer.file_state(), FileState::Same);
    assert_eq!(everything(&viewer).notes, Vec::<String>::new());
    std::fs::File::options()
        .write(true)
        .open(&path)
        .unwrap()
        .set_len(1000)
        .unwrap();
    assert_eq!(viewer.file_state(), FileState::Changed);
    let page = &viewer.image.as_ref().unwrap().1;
    let (tile, _) = page
        .tile(TileAt {
            level: 0,
            column: 2,
            row: 2,
        })
        .unwrap();
    assert!(tile.values.at(0) == 0.0);
    assert!(page.trouble().is_some(), "no pixel is made up in silence");
    std::fs::remove_file(&path).unwrap();
    assert_eq!(viewer.file_state(), FileState::Gone);
    assert!(
        everything(&viewer)
            .notes
            .iter()
            .any(|note| note.contains("no longer"))
    );
}
