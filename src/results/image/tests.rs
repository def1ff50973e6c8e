//! Images made on the spot: every pixel of every tile is held against what was written.

mod damage;
mod masked;
mod thumbnails;
mod writing;

use std::io::Write as _;
use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageBuffer, Luma, Rgb, Rgba};

use self::writing::{GRAY, Spec};
use crate::model::image_view::{
    Brightness, ImageView, ImageWish, TILE_SIDE, TileAt, level_count, level_size,
};
use crate::results::image::values::Block;
use crate::results::image::view::Viewer;
use crate::results::image::{ImageFile, ImagePage, PictureError};

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
