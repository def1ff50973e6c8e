//! Images made on the spot: every pixel of every tile is held against what was written.

mod thumbnails;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use image::{DynamicImage, GrayImage, ImageBuffer, Luma, Rgb, Rgba};

use crate::model::image_view::{
    Brightness, ImageView, ImageWish, TILE_SIDE, TileAt, level_count, level_size,
};
use crate::results::image::open::{self, read_masks};
use crate::results::image::values::Block;
use crate::results::image::view::Viewer;
use crate::results::image::{FileState, ImageFile, ImagePage, PictureError};
use crate::results::pairing::{JobFiles, JobInput};

/// A tiff to be written.
#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a choice of the format"
)]
struct Spec {
    size: (u32, u32),
    /// Width and height of a tile; without, strips of so many rows.
    tile: Result<(u32, u32), u32>,
    bits: u16,
    /// 1 whole, 2 signed, 3 float.
    format: u16,
    samples: u16,
    planar: bool,
    packed: bool,
    big_end: bool,
    big_tiff: bool,
    /// 0 white is zero, 1 black is zero, 2 color.
    photometric: u16,
}

const GRAY: Spec = Spec {
    size: (1, 1),
    tile: Err(16),
    bits: 8,
    format: 1,
    samples: 1,
    planar: false,
    packed: false,
    big_end: false,
    big_tiff: false,
    photometric: 1,
};

impl Spec {
    fn number(self, bytes: usize, value: u64) -> Vec<u8> {
        let all = value.to_be_bytes();
        let mut some = all[8 - bytes..].to_vec();
        if !self.big_end {
            some.reverse();
        }
        some
    }

    fn sample(self, value: f64) -> Vec<u8> {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "test values fit"
        )]
        let bits = match (self.format, self.bits) {
            (3, 32) => u64::from((value as f32).to_bits()),
            (3, _) => value.to_bits(),
            (2, bits) => (value as i64 as u64) & (u64::MAX >> (64 - bits)),
            _ => value as u64,
        };
        self.number(usize::from(self.bits / 8), bits)
    }

    /// Strips or tiles by rows and columns, plane by plane.
    fn chunks(self, pixel: &dyn Fn(u32, u32, u16) -> f64) -> Vec<Vec<u8>> {
        let (width, height) = self.size;
        let (chunk_width, chunk_height) = self.tile.unwrap_or_else(|rows| (width, rows));
        let planes = if self.planar { self.samples } else { 1 };
        let mut chunks = Vec::new();
        for plane in 0..planes {
            for top in (0..height).step_by(chunk_height as usize) {
                for left in (0..width).step_by(chunk_width as usize) {
                    let mut bytes = Vec::new();
                    for y in top..top + chunk_height {
                        if y >= height && self.tile.is_err() {
                            break;
                        }
                        for x in left..left + chunk_width {
                            let inside = x < width && y < height;
                            let samples = if self.planar {
                                plane..plane + 1
                            } else {
                                0..self.samples
                            };
                            for sample in samples {
                                // Padding is not black, so that it is seen when it comes through.
                                let value = if inside { pixel(x, y, sample) } else { 99.0 };
                                bytes.extend(self.sample(value));
                            }
                        }
                    }
                    if self.packed {
                        let mut packer = flate2::write::ZlibEncoder::new(
                            Vec::new(),
                            flate2::Compression::fast(),
                        );
                        packer.write_all(&bytes).unwrap();
                        bytes = packer.finish().unwrap();
                    }
                    chunks.push(bytes);
                }
            }
        }
        chunks
    }

    /// TIFF 6.0, section 2; `BigTIFF` has eight bytes where it has four, and a header of sixteen.
    fn file(self, pages: &[&dyn Fn(u32, u32, u16) -> f64]) -> Vec<u8> {
        let word = if self.big_tiff { 8 } else { 4 };
        let mut out: Vec<u8> = if self.big_end {
            b"MM".to_vec()
        } else {
            b"II".to_vec()
        };
        if self.big_tiff {
            out.extend(self.number(2, 43));
            out.extend(self.number(2, 8));
            out.extend(self.number(2, 0));
        } else {
            out.extend(self.number(2, 42));
        }
        let mut link = out.len();
        out.extend(self.number(word, 0));
        for pixel in pages {
            let mut offsets = Vec::new();
            let mut lengths = Vec::new();
            for chunk in self.chunks(*pixel) {
                offsets.push(out.len() as u64);
                lengths.push(chunk.len() as u64);
                out.extend(chunk);
            }
            let (width, height) = (u64::from(self.size.0), u64::from(self.size.1));
            let many = usize::from(self.samples);
            let mut tags: Vec<(u16, Vec<u64>)> = vec![
                (256, vec![width]),
                (257, vec![height]),
                (258, vec![u64::from(self.bits); many]),
                (259, vec![if self.packed { 8 } else { 1 }]),
                (262, vec![u64::from(self.photometric)]),
                (277, vec![u64::from(self.samples)]),
                (284, vec![if self.planar { 2 } else { 1 }]),
                (339, vec![u64::from(self.format); many]),
            ];
            match self.tile {
                Ok((tile_width, tile_height)) => tags.extend([
                    (322, vec![u64::from(tile_width)]),
                    (323, vec![u64::from(tile_height)]),
                    (324, offsets),
                    (325, lengths),
                ]),
                Err(rows) => {
                    tags.extend([(273, offsets), (278, vec![u64::from(rows)]), (279, lengths)]);
                }
            }
            tags.sort();
            // Every value is a long, or a long8.
            let kind = if self.big_tiff { 16 } else { 4 };
            let mut entries = Vec::new();
            for (tag, values) in tags {
                let bytes: Vec<u8> = values
                    .iter()
                    .flat_map(|value| self.number(word, *value))
                    .collect();
                let inline = if bytes.len() <= word {
                    bytes
                } else {
                    let at = out.len() as u64;
                    out.extend(bytes);
                    self.number(word, at)
                };
                entries.extend(self.number(2, u64::from(tag)));
                entries.extend(self.number(2, kind));
                entries.extend(self.number(word, values.len() as u64));
                entries.extend(inline);
            }
            let at = self.number(word, out.len() as u64);
            out[link..link + word].copy_from_slice(&at);
            let count = entries.len() / (4 + 2 * word);
            out.extend(self.number(if self.big_tiff { 8 } else { 2 }, count as u64));
            out.extend(entries);
            link = out.len();
            out.extend(self.number(word, 0));
        }
        out
    }
}

struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }
    fn path(&self) -> &Path {
        self.0.path()
    }
    fn put(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.path().join(name);
        std::fs::File::create(&path)
            .unwrap()
            .write_all(bytes)
            .unwrap();
        path
    }
    fn page(&self, path: &Path, number: u32) -> Result<ImagePage, PictureError> {
        let page = ImageFile::open(path)?.page(number, self.path())?;
        page.look_roughly();
        page.read_all(&|| true)?;
        Ok(page)
    }
}

/// A level put together from its tiles.
fn level(page: &ImagePage, level: u8) -> Block {
    let (width, height) = level_size(page.width, page.height, level);
    let mut whole: Option<Block> = None;
    for row in 0..height.div_ceil(TILE_SIDE) {
        for column in 0..width.div_ceil(TILE_SIDE) {
            let at = TileAt { level, column, row };
            let (tile, complete) = page.tile(at).unwrap();
            assert!(complete, "{at:?}");
            let whole = whole.get_or_insert_with(|| {
                Block::black(
                    width as usize,
                    height as usize,
                    tile.channels,
                    tile.values.kind(),
                )
            });
            whole.take(
                &tile,
                super::values::Places {
                    from: (0, 0),
                    into: ((column * TILE_SIDE) as usize, (row * TILE_SIDE) as usize),
                    size: (tile.width, tile.height),
                },
            );
        }
    }
    whole.unwrap()
}

fn value(x: u32, y: u32, sample: u16) -> f64 {
    f64::from((x * 7 + y * 13 + u32::from(sample) * 50) % 200)
}

/// Holds every pixel of level 0, and of the small levels, against what was written.
fn check(page: &ImagePage, expected: &dyn Fn(u32, u32, usize) -> f64, what: &str) {
    let mut whole = level(page, 0);
    for y in 0..page.height {
        for x in 0..page.width {
            for channel in 0..whole.channels {
                let place = (y * page.width + x) as usize * whole.channels + channel;
                let found = f64::from(whole.values.at(place));
                let wanted = expected(x, y, channel);
                assert!(
                    (found - wanted).abs() < 0.001,
                    "{what}: {x} {y} {channel}: {found} is not {wanted}"
                );
            }
        }
    }
    assert_eq!(page.levels, level_count(page.width, page.height));
    for small in 1..page.levels {
        whole = whole.halved();
        assert!(level(page, small) == whole, "{what}: level {small}");
    }
    assert_eq!(page.percent(), None);
    assert_eq!(page.trouble(), None, "{what}");
}

#[test]
fn every_pixel_of_a_tiff_is_that_of_the_file() {
    let folder = Folder::new();
    let strips = [Err(1), Err(7), Err(300), Err(5000)];
    let tiles = [Ok((16, 16)), Ok((256, 256)), Ok((64, 128))];
    let sizes = [(1, 1), (257, 3), (2, 259), (301, 530)];
    let mut made = 0;
    for (tile, size) in strips
        .into_iter()
        .chain(tiles)
        .flat_map(|tile| sizes.map(|size| (tile, size)))
    {
        for number in 0..8_u32 {
            // Not every combination, but each value with many others.
            made += 1;
            if size.1 > 500 && made % 4 != 1 && tile != Err(5000) {
                continue;
            }
            let kinds = [
                (8, 1),
                (16, 1),
                (32, 3),
                (64, 3),
                (16, 2),
                (32, 1),
                (8, 2),
                (32, 2),
            ];
            let (bits, format) = kinds[number as usize];
            let spec = Spec {
                size,
                tile,
                bits,
                format,
                packed: number % 2 == 0,
                big_end: made % 3 == 0,
                big_tiff: made % 5 == 0,
                ..GRAY
            };
            // Signed ones are seen to be.
            let less = if format == 1 { 0.0 } else { 100.0 };
            let signed = move |x: u32, y: u32, sample: u16| value(x, y, sample) - less;
            let path = folder.put("a.tif", &spec.file(&[&signed]));
            let page = folder.page(&path, 0).unwrap();
            check(&page, &|x, y, _| signed(x, y, 0), &format!("{spec:?}"));
        }
    }
}

#[test]
fn colors_planes_and_channels_of_a_tiff() {
    let folder = Folder::new();
    for tile in [Err(9), Ok((32, 16))] {
        for (samples, photometric, planar, packed) in [
            (3, 2, false, false),
            (3, 2, false, true),
            (3, 2, true, true),
            (4, 1, false, false),
            (4, 1, false, true),
            (3, 2, true, false),
        ] {
            for bits in [8, 16] {
                let spec = Spec {
                    size: (300, 271),
                    tile,
                    bits,
                    samples,
                    photometric,
                    planar,
                    packed,
                    ..GRAY
                };
                let path = folder.put("a.tif", &spec.file(&[&value]));
                let page = folder.page(&path, 0).unwrap();
                let what = format!("{spec:?}");
                let channel = |channel: usize| u16::try_from(channel).unwrap();
                check(&page, &|x, y, c| value(x, y, channel(c)), &what);
                if photometric == 1 {
                    assert_eq!(page.about, format!("{bits}-bit gray, first of 4 channels"));
                }
            }
        }
    }
    // White is zero.
    for packed in [false, true] {
        let spec = Spec {
            size: (20, 20),
            photometric: 0,
            packed,
            ..GRAY
        };
        let path = folder.put("a.tif", &spec.file(&[&value]));
        let page = folder.page(&path, 0).unwrap();
        check(&page, &|x, y, _| 255.0 - value(x, y, 0), "inverted");
    }
}

#[test]
fn pages_are_counted_and_each_can_be_read() {
    let folder = Folder::new();
    let spec = Spec {
        size: (30, 20),
        ..GRAY
    };
    let other = |x: u32, y: u32, _sample: u16| f64::from(x + y);
    let path = folder.put("a.tif", &spec.file(&[&value, &other, &value]));
    let page = folder.page(&path, 1).unwrap();
    assert_eq!((page.pages, page.more_pages, page.page), (3, false, 1));
    check(&page, &|x, y, _| f64::from(x + y), "second page");
    assert!(folder.page(&path, 3).is_err(), "there is no fourth");
}

#[test]
fn png_and_jpeg_are_shown_whole_whatever_their_name() {
    let folder = Folder::new();
    let path = folder.path().join("a.dat");
    let gray: ImageBuffer<Luma<u16>, Vec<u16>> =
        ImageBuffer::from_fn(700, 300, |x, y| Luma([u16::try_from(x * 80 + y).unwrap()]));
    gray.save_with_format(&path, image::ImageFormat::Png)
        .unwrap();
    let page = folder.page(&path, 0).unwrap();
    check(&page, &|x, y, _| f64::from(x * 80 + y), "16-bit png");
    assert_eq!(page.about, "16-bit gray");
    let range = page.range(Brightness::Whole);
    assert_eq!((range.low, range.high), (0.0, 56_219.0));

    DynamicImage::ImageRgb8(ImageBuffer::from_pixel(40, 30, Rgb([200, 10, 10])))
        .save_with_format(&path, image::ImageFormat::Jpeg)
        .unwrap();
    let page = folder.page(&path, 0).unwrap();
    assert_eq!(page.about, "8-bit color");
    let (block, _) = page
        .tile(TileAt {
            level: 0,
            column: 0,
            row: 0,
        })
        .unwrap();
    let range = page.range(Brightness::Whole);
    assert_eq!((range.low, range.high), (0.0, 255.0), "as it is");
    let rgba = block.to_rgba(range.low, range.high);
    assert!(rgba[0] > 180 && rgba[1] < 40, "{:?}", &rgba[..4]);

    DynamicImage::ImageRgba8(ImageBuffer::from_pixel(3, 3, Rgba([0, 0, 0, 0])))
        .save_with_format(&path, image::ImageFormat::Png)
        .unwrap();
    let page = folder.page(&path, 0).unwrap();
    assert_eq!(page.about, "8-bit color with transparency");
}

/// A view of all of level 0.
fn everything(viewer: &Viewer) -> ImageView {
    let wish = ImageWish {
        columns: 0..20,
        rows: 0..20,
        ..ImageWish::default()
    };
    viewer.view(&wish, &mut |_| true)
}

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
fn png_header(width: u32, height: u32) -> Vec<u8> {
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
