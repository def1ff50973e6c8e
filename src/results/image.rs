//! Pictures for the preview pane and thumbnails for the file list.
//!
//! png, jpeg and tiff are decoded within fixed bounds and made small enough for a texture; values beyond eight bits are
//! stretched from the smallest to the largest, and the picture says so. Masks are `masks`' business.

use crate::model::picture::Picture;
use crate::results::disk;
use crate::results::masks::fit;
use crate::results::sniff;
use image::{DynamicImage, ImageDecoder as _, ImageError, ImageFormat, ImageReader, Limits};
use std::fs::File;
use std::io::{self, BufReader};
use std::path::Path;
use thiserror::Error;
use tiff::decoder::{Decoder, DecodingResult};

/// Longest side of a preview, in pixels; every graphics system takes a texture of this size.
pub const PREVIEW_SIDE: u32 = 2048;

/// Images with more pixels are not decoded: a gigabyte of memory for one look is too much.
const MAX_PIXELS: u64 = 250_000_000;

/// What a decoder may allocate at once, in bytes.
const MAX_ALLOC_BYTES: u64 = 2 << 30;

/// Pages counted in a tiff; more are told as "more than".
const MAX_PAGES: u32 = 10_000;

/// Why there is no picture.
#[derive(Debug, Error)]
pub enum PictureError {
    #[error("the image could not be read")]
    Io(#[from] io::Error),
    #[error("the image has {width} × {height} pixels, too many for a preview")]
    TooLarge { width: u32, height: u32 },
    #[error("this kind of image cannot be shown")]
    Unsupported(#[source] Box<dyn std::error::Error + Send + Sync>),
    #[error("the image is damaged")]
    Damaged(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// An image for the preview pane.
pub fn preview(path: &Path) -> Result<Picture, PictureError> {
    decode(path, PREVIEW_SIDE)
}

/// A small image for a list, no side longer than `max_side`.
pub fn thumbnail(path: &Path, max_side: u32) -> Result<Picture, PictureError> {
    decode(path, max_side.clamp(1, PREVIEW_SIDE))
}

fn decode(path: &Path, max_side: u32) -> Result<Picture, PictureError> {
    let mut reader = ImageReader::open(path)?.with_guessed_format()?;
    // The image package does not know the beginning of a `BigTIFF`, though it reads the rest.
    let is_tiff = sniff::is_tiff(&disk::head(path, 16)?.0);
    if is_tiff {
        reader.set_format(ImageFormat::Tiff);
    }
    let about_pages = if is_tiff { pages(path) } else { None };
    let mut picture = match with_image(reader, max_side) {
        // Single-channel floats and wide integers are measurement data; image leaves them to the tiff package.
        Err(PictureError::Unsupported(_)) if is_tiff => with_tiff(path, max_side)?,
        other => other?,
    };
    if let Some(pages) = about_pages {
        picture.about = format!("{}, {pages}", picture.about);
    }
    Ok(picture)
}

fn check_size(width: u32, height: u32) -> Result<(), PictureError> {
    if u64::from(width) * u64::from(height) > MAX_PIXELS {
        return Err(PictureError::TooLarge { width, height });
    }
    Ok(())
}

fn with_image(
    mut reader: ImageReader<BufReader<File>>,
    max_side: u32,
) -> Result<Picture, PictureError> {
    let mut limits = Limits::default();
    limits.max_alloc = Some(MAX_ALLOC_BYTES);
    reader.limits(limits);
    let decoder = reader.into_decoder().map_err(image_error)?;
    let (full_width, full_height) = decoder.dimensions();
    check_size(full_width, full_height)?;
    let full = DynamicImage::from_decoder(decoder).map_err(image_error)?;
    let mut about = color_name(&full).to_owned();
    let range = sixteen_bit_range(&full);
    let (width, height) = fit(full_width, full_height, max_side);
    let small = if (width, height) == (full_width, full_height) {
        full
    } else {
        full.thumbnail_exact(width, height)
    };
    let rgba = match (&small, range) {
        (DynamicImage::ImageLuma16(gray), Some((low, high))) => {
            about = format!("{about}, shown from {low} to {high}");
            let values = gray.as_raw().iter().map(|value| f64::from(*value));
            gray_to_rgba(values, f64::from(low), f64::from(high))
        }
        _ => small.to_rgba8().into_raw(),
    };
    Ok(Picture {
        full_width,
        full_height,
        width,
        height,
        rgba,
        about,
    })
}

fn image_error(error: ImageError) -> PictureError {
    match error {
        ImageError::IoError(error) if error.kind() != io::ErrorKind::UnexpectedEof => {
            PictureError::Io(error)
        }
        ImageError::Unsupported(_) => PictureError::Unsupported(error.into()),
        other => PictureError::Damaged(other.into()),
    }
}

fn color_name(image: &DynamicImage) -> &'static str {
    match image {
        DynamicImage::ImageLuma8(_) => "8-bit gray",
        DynamicImage::ImageLumaA8(_) => "8-bit gray with transparency",
        DynamicImage::ImageRgb8(_) => "8-bit color",
        DynamicImage::ImageRgba8(_) => "8-bit color with transparency",
        DynamicImage::ImageLuma16(_) => "16-bit gray",
        DynamicImage::ImageLumaA16(_) => "16-bit gray with transparency",
        DynamicImage::ImageRgb16(_) => "16-bit color",
        DynamicImage::ImageRgba16(_) => "16-bit color with transparency",
        DynamicImage::ImageRgb32F(_) | DynamicImage::ImageRgba32F(_) => "32-bit float color",
        _ => "image",
    }
}

/// Cameras fill twelve of sixteen bits and samples a part of those: unstretched, most such images are black.
fn sixteen_bit_range(image: &DynamicImage) -> Option<(u16, u16)> {
    let DynamicImage::ImageLuma16(gray) = image else {
        return None;
    };
    let low = gray.as_raw().iter().min()?;
    let high = gray.as_raw().iter().max()?;
    Some((*low, *high))
}

/// Gray pixels from `low` as black to `high` as white; what is no number is black.
fn gray_to_rgba(values: impl Iterator<Item = f64>, low: f64, high: f64) -> Vec<u8> {
    let span = if high > low { high - low } else { 1.0 };
    values
        .flat_map(|value| {
            let share = ((value - low) / span).clamp(0.0, 1.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 255 by the clamp; not-a-number becomes 0"
            )]
            let gray = (share * 255.0).round() as u8;
            [gray, gray, gray, 255]
        })
        .collect()
}

/// The number of pages in words, when there is more than one.
fn pages(path: &Path) -> Option<String> {
    let mut decoder = Decoder::new(BufReader::new(File::open(path).ok()?)).ok()?;
    let mut pages = 1;
    while pages < MAX_PAGES && decoder.more_images() && decoder.next_image().is_ok() {
        pages += 1;
    }
    match pages {
        1 => None,
        MAX_PAGES => Some(format!("page 1 of {MAX_PAGES} or more")),
        pages => Some(format!("page 1 of {pages}")),
    }
}

fn with_tiff(path: &Path, max_side: u32) -> Result<Picture, PictureError> {
    let file = BufReader::new(File::open(path)?);
    let mut decoder = Decoder::new(file).map_err(|error| PictureError::Damaged(error.into()))?;
    let mut limits = tiff::decoder::Limits::default();
    limits.decoding_buffer_size = usize::try_from(MAX_ALLOC_BYTES).unwrap_or(usize::MAX);
    decoder = decoder.with_limits(limits);
    let unsupported = |error: tiff::TiffError| PictureError::Unsupported(error.into());
    let (full_width, full_height) = decoder.dimensions().map_err(unsupported)?;
    check_size(full_width, full_height)?;
    let pixels = full_width as usize * full_height as usize;
    let (values, kind) = numbers(decoder.read_image().map_err(unsupported)?);
    if pixels == 0 || values.len() < pixels {
        return Err(PictureError::Damaged("the image has too few pixels".into()));
    }
    // Of several channels side by side the first is shown.
    let channels = values.len() / pixels;
    let gray: Vec<f32> = values.into_iter().step_by(channels).take(pixels).collect();
    let finite = || gray.iter().copied().filter(|value| value.is_finite());
    let low = finite().reduce(f32::min).unwrap_or(0.0);
    let high = finite().reduce(f32::max).unwrap_or(0.0);
    let (width, height) = fit(full_width, full_height, max_side);
    let small = nearest(&gray, (full_width, full_height), (width, height));
    let rgba = gray_to_rgba(
        small.into_iter().map(f64::from),
        f64::from(low),
        f64::from(high),
    );
    let channel = if channels > 1 {
        format!(", first of {channels} channels")
    } else {
        String::new()
    };
    Ok(Picture {
        full_width,
        full_height,
        width,
        height,
        rgba,
        about: format!("{kind}{channel}, shown from {low} to {high}"),
    })
}

/// Every value as a float, and the kind of values in words. A preview has 256 grays; what a float cannot tell apart is not seen.
#[expect(clippy::cast_possible_truncation, reason = "see above")]
fn numbers(decoded: DecodingResult) -> (Vec<f32>, &'static str) {
    match decoded {
        DecodingResult::U8(v) => (v.into_iter().map(f32::from).collect(), "8-bit gray"),
        DecodingResult::I8(v) => (v.into_iter().map(f32::from).collect(), "8-bit gray"),
        DecodingResult::U16(v) => (v.into_iter().map(f32::from).collect(), "16-bit gray"),
        DecodingResult::I16(v) => (v.into_iter().map(f32::from).collect(), "16-bit gray"),
        DecodingResult::U32(v) => (v.into_iter().map(|n| n as f32).collect(), "32-bit gray"),
        DecodingResult::I32(v) => (v.into_iter().map(|n| n as f32).collect(), "32-bit gray"),
        DecodingResult::U64(v) => (v.into_iter().map(|n| n as f32).collect(), "64-bit gray"),
        DecodingResult::I64(v) => (v.into_iter().map(|n| n as f32).collect(), "64-bit gray"),
        DecodingResult::F16(v) => (
            v.iter().map(|n| f32::from(*n)).collect(),
            "16-bit float gray",
        ),
        DecodingResult::F32(v) => (v, "32-bit float gray"),
        DecodingResult::F64(v) => (
            v.into_iter().map(|n| n as f32).collect(),
            "64-bit float gray",
        ),
    }
}

/// Takes one pixel of several. Labels and missing values must not be averaged.
fn nearest(
    values: &[f32],
    (full_width, full_height): (u32, u32),
    (width, height): (u32, u32),
) -> Vec<f32> {
    let mut small = Vec::with_capacity(width as usize * height as usize);
    for row in 0..u64::from(height) {
        let from_row = row * u64::from(full_height) / u64::from(height.max(1));
        for column in 0..u64::from(width) {
            let from_column = column * u64::from(full_width) / u64::from(width.max(1));
            let place = from_row * u64::from(full_width) + from_column;
            let value = usize::try_from(place)
                .ok()
                .and_then(|place| values.get(place));
            small.push(value.copied().unwrap_or(f32::NAN));
        }
    }
    small
}

#[cfg(test)]
mod tests {
    use crate::results::image::{PictureError, preview, thumbnail};
    use image::{DynamicImage, GrayImage, ImageBuffer, Luma, Rgb};
    use std::fs::File;
    use std::path::PathBuf;
    use tiff::encoder::{TiffEncoder, colortype};

    struct Folder(tempfile::TempDir);

    impl Folder {
        fn new() -> Self {
            Self(tempfile::tempdir().unwrap())
        }
        fn at(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }
    }

    #[test]
    fn formats_are_known_by_content_and_sizes_kept() {
        let folder = Folder::new();
        let image = DynamicImage::ImageRgb8(ImageBuffer::from_fn(30, 20, |x, _| {
            Rgb([if x < 15 { 255 } else { 0 }, 0, 0])
        }));
        for (name, format) in [
            ("a.dat", image::ImageFormat::Png),
            ("b 世.csv", image::ImageFormat::Jpeg),
            ("c", image::ImageFormat::Tiff),
        ] {
            image.save_with_format(folder.at(name), format).unwrap();
            let picture = preview(&folder.at(name)).unwrap();
            assert_eq!(
                (picture.full_width, picture.full_height, picture.width),
                (30, 20, 30)
            );
            assert_eq!(picture.rgba.len(), 30 * 20 * 4);
            assert!(picture.rgba[0] > 200 && picture.rgba[29 * 4] < 50, "{name}");
            assert_eq!(picture.about, "8-bit color");
        }
    }

    #[test]
    fn large_images_are_made_small_with_their_proportions() {
        let folder = Folder::new();
        GrayImage::from_pixel(3000, 100, Luma([7]))
            .save_with_format(folder.at("a"), image::ImageFormat::Png)
            .unwrap();
        let picture = preview(&folder.at("a")).unwrap();
        assert_eq!(
            (picture.full_width, picture.width, picture.height),
            (3000, 2048, 68)
        );
        let small = thumbnail(&folder.at("a"), 64).unwrap();
        assert_eq!((small.width, small.height), (64, 2));
        assert_eq!(&small.rgba[..4], [7, 7, 7, 255]);
    }

    #[test]
    fn sixteen_bits_and_floats_are_stretched_and_it_is_said() {
        let folder = Folder::new();
        let gray: ImageBuffer<Luma<u16>, Vec<u16>> =
            ImageBuffer::from_fn(4, 1, |x, _| Luma([100 + u16::try_from(x).unwrap() * 100]));
        gray.save_with_format(folder.at("16.tif"), image::ImageFormat::Tiff)
            .unwrap();
        let picture = preview(&folder.at("16.tif")).unwrap();
        let grays: Vec<u8> = picture.rgba.chunks(4).map(|p| p[0]).collect();
        assert_eq!(grays, [0, 85, 170, 255]);
        assert_eq!(picture.about, "16-bit gray, shown from 100 to 400");

        let mut file = TiffEncoder::new(File::create(folder.at("f.tif")).unwrap()).unwrap();
        file.write_image::<colortype::Gray32Float>(4, 1, &[-1.0, 1.0, f32::NAN, 0.0])
            .unwrap();
        file.write_image::<colortype::Gray32Float>(1, 1, &[0.0])
            .unwrap();
        let picture = preview(&folder.at("f.tif")).unwrap();
        let grays: Vec<u8> = picture.rgba.chunks(4).map(|p| p[0]).collect();
        assert_eq!(grays, [0, 255, 0, 128]);
        assert_eq!(
            picture.about,
            "32-bit float gray, shown from -1 to 1, page 1 of 2"
        );

        let mut file = TiffEncoder::new(File::create(folder.at("l.tif")).unwrap()).unwrap();
        file.write_image::<colortype::Gray32>(2, 1, &[0, 70_000])
            .unwrap();
        let picture = preview(&folder.at("l.tif")).unwrap();
        assert_eq!((picture.rgba[0], picture.rgba[4]), (0, 255));
    }

    #[test]
    fn bad_images_are_told_apart() {
        let folder = Folder::new();
        let put = |name: &str, bytes: &[u8]| {
            std::io::Write::write_all(&mut File::create(folder.at(name)).unwrap(), bytes).unwrap();
        };
        GrayImage::new(50, 50)
            .save_with_format(folder.at("whole"), image::ImageFormat::Png)
            .unwrap();
        let whole = std::fs::read(folder.at("whole")).unwrap();
        put("cut", &whole[..whole.len() / 2]);
        assert!(matches!(
            preview(&folder.at("cut")),
            Err(PictureError::Damaged(_))
        ));
        put("text", b"no image at all");
        assert!(matches!(
            preview(&folder.at("text")),
            Err(PictureError::Unsupported(_))
        ));
        assert!(matches!(
            preview(&folder.at("none")),
            Err(PictureError::Io(_))
        ));
        // The size in a PNG's header, with its checksum ignored by nobody: a header alone is refused before any pixel.
        let mut huge = Vec::new();
        let mut encoder = png_header(60_000, 60_000);
        huge.append(&mut encoder);
        put("huge", &huge);
        assert!(matches!(
            preview(&folder.at("huge")),
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
            bytes.extend(crc(&[kind, data].concat()).to_be_bytes());
        };
        let mut header = Vec::new();
        header.extend(width.to_be_bytes());
        header.extend(height.to_be_bytes());
        header.extend([8, 0, 0, 0, 0]);
        chunk(b"IHDR", &header);
        chunk(b"IDAT", b"");
        bytes
    }

    fn crc(bytes: &[u8]) -> u32 {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum()
    }

    #[test]
    fn damaged_images_never_panic() {
        let folder = Folder::new();
        let mut random = fastrand::Rng::with_seed(9);
        for format in [
            image::ImageFormat::Png,
            image::ImageFormat::Tiff,
            image::ImageFormat::Jpeg,
        ] {
            GrayImage::from_fn(40, 30, |x, y| Luma([u8::try_from(x * y % 251).unwrap()]))
                .save_with_format(folder.at("a"), format)
                .unwrap();
            let good = std::fs::read(folder.at("a")).unwrap();
            for _ in 0..150 {
                let mut bytes = good.clone();
                for _ in 0..random.usize(1..6) {
                    let at = random.usize(0..bytes.len().min(400));
                    bytes[at] = random.u8(..);
                }
                bytes.truncate(random.usize(0..=bytes.len()));
                std::io::Write::write_all(&mut File::create(folder.at("b")).unwrap(), &bytes)
                    .unwrap();
                drop(thumbnail(&folder.at("b"), 16));
            }
        }
    }
}
