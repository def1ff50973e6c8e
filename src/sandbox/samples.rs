//! Sample files for the demo: small invented micrographs, two tables and a sequence.
//!
//! Owns how they are made. The same files are kept in `assets/samples`, where a test holds them
//! against this code; set `LABFERRY_WRITE_SAMPLES=1` for that test to write them anew.

use std::fs::File;
use std::io::{self, Cursor, Write as _};
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::codecs::tiff::TiffEncoder;
use image::{ExtendedColorType, ImageEncoder as _, ImageResult};

/// A sample file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// Its name, which tells plate, well and channel where it is an image.
    pub name: &'static str,
    /// Its bytes, the same at every call.
    pub bytes: Vec<u8>,
}

/// Writes all samples into a folder, which must exist, and returns their paths. A file that is
/// already there is left as it is.
pub fn write_into(folder: &Path) -> io::Result<Vec<PathBuf>> {
    std::fs::create_dir_all(folder)?;
    let mut paths = Vec::new();
    for sample in make()? {
        let path = folder.join(sample.name);
        if !path.try_exists()? {
            let mut file = tempfile::NamedTempFile::new_in(folder)?;
            file.write_all(&sample.bytes)?;
            file.as_file().sync_all()?;
            keep(file, &path)?;
        }
        paths.push(path);
    }
    Ok(paths)
}

/// Gives the finished file its name, unless somebody else was faster.
fn keep(file: tempfile::NamedTempFile, path: &Path) -> io::Result<()> {
    match file.persist_noclobber(path) {
        Ok(file) => readable(&file),
        Err(error) if error.error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        Err(error) => Err(error.error),
    }
}

/// Temporary files are private to the user; a sample shall be like any other file.
#[cfg(unix)]
fn readable(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Makes all samples.
pub fn make() -> io::Result<Vec<Sample>> {
    let images = [
        ("P01_A01_DAPI.png", plain_png(&nuclei(1, 26))),
        ("P01_A02_DAPI.tif", deep_tiff(&nuclei(2, 14))),
        ("P01_B01_DAPI.jpg", jpeg(&nuclei(3, 34))),
        ("P01_B02_DAPI.png", plain_png(&nuclei(4, 0))),
        ("P01_C03_merged.png", color_png(&nuclei(5, 18))),
    ];
    let mut samples = Vec::new();
    for (name, bytes) in images {
        let bytes = bytes.map_err(io::Error::other)?;
        samples.push(Sample { name, bytes });
    }
    let texts = [
        ("plate layout.csv", plate_layout()),
        ("expression summary.tsv", expression_summary()),
        ("ubiquitin.fasta", UBIQUITIN.to_owned()),
    ];
    for (name, text) in texts {
        let bytes = text.into_bytes();
        samples.push(Sample { name, bytes });
    }
    Ok(samples)
}

/// Human ubiquitin, `UniProt` P0CG48, residues 1 to 76.
const UBIQUITIN: &str = ">ubiquitin human, 76 residues\n\
    MQIFVKTLTGKTITLEVEPSDTIENVKAKIQDKEGIPPDQQRLIFAGKQLEDGRTLSDYN\n\
    IQKESTLHLVLRLRGG\n";

/// Numbers that look random and are the same on every computer.
struct Dice(u64);

impl Dice {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    /// A number below `end` (xorshift64*, of which the upper half is used).
    fn below(&mut self, end: u32) -> u32 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let upper = (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) & 0xFFFF_FFFF;
        u32::try_from(upper % u64::from(end.max(1))).unwrap_or(0)
    }

    fn between(&mut self, start: u32, end: u32) -> f64 {
        f64::from(start) + f64::from(self.below((end - start) * 16)) / 16.0
    }
}

/// A picture as brightness from 0 to 1 before noise.
struct Field {
    width: u32,
    height: u32,
    values: Vec<f64>,
    seed: u64,
}

struct Nucleus {
    x: f64,
    y: f64,
    long: f64,
    short: f64,
    /// Cosine and sine of its tilt, from right triangles with whole sides: no library's rounding.
    tilt: (f64, f64),
    brightness: f64,
}

impl Nucleus {
    /// 1 well inside, 0 outside, smooth in between.
    fn at(&self, x: f64, y: f64) -> f64 {
        let (across, down) = (x - self.x, y - self.y);
        let (cosine, sine) = self.tilt;
        let along = (across * cosine + down * sine) / self.long;
        let beside = (down * cosine - across * sine) / self.short;
        let distance = along * along + beside * beside;
        let edge = ((1.25 - distance) / 0.5).clamp(0.0, 1.0);
        edge * edge * (3.0 - 2.0 * edge) * self.brightness
    }
}

/// Bright ellipses on a dark ground with a little unevenness; a few of them touch.
fn nuclei(seed: u64, count: u32) -> Field {
    const TILTS: [(f64, f64); 6] = [
        (1.0, 0.0),
        (0.8, 0.6),
        (0.6, 0.8),
        (0.0, 1.0),
        (-0.6, 0.8),
        (-0.8, 0.6),
    ];
    let (width, height) = (224, 176);
    let mut dice = Dice::new(seed);
    let mut cells: Vec<Nucleus> = Vec::new();
    // Tries are counted so that a crowded picture ends too.
    for _ in 0..count * 20 {
        if cells.len() >= usize::try_from(count).unwrap_or(0) {
            break;
        }
        let tilt = usize::try_from(dice.below(6)).unwrap_or(0);
        let cell = Nucleus {
            x: dice.between(8, width - 8),
            y: dice.between(8, height - 8),
            long: dice.between(7, 12),
            short: dice.between(5, 8),
            tilt: TILTS.get(tilt).copied().unwrap_or((1.0, 0.0)),
            brightness: dice.between(48, 80) / 100.0,
        };
        let room = if dice.below(5) == 0 { 13.0 } else { 24.0 };
        let free = cells.iter().all(|other| {
            let (across, down) = (other.x - cell.x, other.y - cell.y);
            across * across + down * down > room * room
        });
        if free {
            cells.push(cell);
        }
    }
    let mut values = Vec::new();
    for row in 0..height {
        for column in 0..width {
            let (x, y) = (f64::from(column), f64::from(row));
            let ground = 0.06 + 0.03 * x / f64::from(width);
            let light = cells.iter().map(|cell| cell.at(x, y)).fold(0.0, f64::max);
            values.push(ground + light * 0.9);
        }
    }
    Field {
        width,
        height,
        values,
        seed,
    }
}

impl Field {
    /// Whole numbers from 0 to `white`, with noise of the given share of it.
    fn levels(&self, white: u16, noise: u16) -> Vec<u16> {
        let mut dice = Dice::new(self.seed + 1000);
        self.values
            .iter()
            .map(|value| {
                let shift = dice.below(u32::from(noise) * 2 + 1);
                let level = value * f64::from(white) + f64::from(shift) - f64::from(noise);
                #[expect(
                    clippy::cast_possible_truncation,
                    clippy::cast_sign_loss,
                    reason = "held between 0 and white"
                )]
                let level = level.clamp(0.0, f64::from(white)) as u16;
                level
            })
            .collect()
    }

    fn bytes(&self) -> Vec<u8> {
        let levels = self.levels(255, 3);
        let byte = |level: u16| u8::try_from(level).unwrap_or(u8::MAX);
        levels.into_iter().map(byte).collect()
    }
}

fn png(field: &Field, bytes: &[u8], color: ExtendedColorType) -> ImageResult<Vec<u8>> {
    let mut file = Vec::new();
    PngEncoder::new_with_quality(&mut file, CompressionType::Best, FilterType::Adaptive)
        .write_image(bytes, field.width, field.height, color)?;
    Ok(file)
}

fn plain_png(field: &Field) -> ImageResult<Vec<u8>> {
    png(field, &field.bytes(), ExtendedColorType::L8)
}

/// Nuclei in blue and, larger and dimmer, the cells around them in green.
fn color_png(field: &Field) -> ImageResult<Vec<u8>> {
    let pixels: Vec<u8> = field
        .bytes()
        .into_iter()
        .flat_map(|blue| [blue / 8, blue / 4 + blue / 2, blue])
        .collect();
    png(field, &pixels, ExtendedColorType::Rgb8)
}

fn jpeg(field: &Field) -> ImageResult<Vec<u8>> {
    let mut file = Vec::new();
    JpegEncoder::new_with_quality(&mut file, 90).write_image(
        &field.bytes(),
        field.width,
        field.height,
        ExtendedColorType::L8,
    )?;
    Ok(file)
}

/// As from a 12-bit camera: 16 bits a pixel of which the upper four are empty.
fn deep_tiff(field: &Field) -> ImageResult<Vec<u8>> {
    let levels = field.levels(4095, 40);
    let pixels: Vec<u8> = levels
        .iter()
        .flat_map(|level| level.to_ne_bytes())
        .collect();
    let mut file = Cursor::new(Vec::new());
    TiffEncoder::new(&mut file).write_image(
        &pixels,
        field.width,
        field.height,
        ExtendedColorType::L16,
    )?;
    Ok(file.into_inner())
}

/// A plate of 96 wells, with what makes tables hard: leading zeros, commas in quotes, empty cells.
fn plate_layout() -> String {
    let mut lines = vec!["plate,well,sample id,treatment,dose µM,comment".to_owned()];
    let treatments = ["vehicle", "\"taxol, early\"", "nocodazole"];
    for (row, letter) in ('A'..='H').enumerate() {
        for column in 1..=12 {
            let number = row * 12 + column;
            let treatment = treatments.get(number % 3).copied().unwrap_or_default();
            let dose = match number % 3 {
                0 => String::new(),
                step => format!("{}.{}", step * column, number % 10),
            };
            let comment = if number % 40 == 7 {
                "\"edge well, check \"\"focus\"\" again\""
            } else {
                ""
            };
            lines.push(format!(
                "P01,{letter}{column:02},{number:05},{treatment},{dose},{comment}"
            ));
        }
    }
    lines.join("\r\n") + "\r\n"
}

/// Counts of a few genes over samples, separated by tabs.
fn expression_summary() -> String {
    let mut dice = Dice::new(77);
    let mut lines = vec!["gene\tsample_1\tsample_2\tsample_3\tlog2_fold_change".to_owned()];
    for gene in [
        "ACTB", "GAPDH", "TP53", "MKI67", "TUBB", "MARCHF1", "SEPTIN2", "CDK1", "CCNB1", "LMNA",
        "HIST1H3A", "ORC1", "PCNA", "AURKA", "PLK1", "BUB1",
    ] {
        let [one, two, three] = [(); 3].map(|()| dice.below(9000));
        let change = dice.between(0, 6) - 3.0;
        lines.push(format!("{gene}\t{one}\t{two}\t{three}\t{change:.4}"));
    }
    lines.join("\n") + "\n"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_kept_in_the_repository_are_these() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/samples");
        let samples = make().unwrap();
        if std::env::var_os("LABFERRY_WRITE_SAMPLES").is_some() {
            std::fs::create_dir_all(&folder).unwrap();
            for sample in &samples {
                let mut file = File::create(folder.join(sample.name)).unwrap();
                file.write_all(&sample.bytes).unwrap();
            }
        }
        for sample in &samples {
            let kept = std::fs::read(folder.join(sample.name)).unwrap();
            assert!(kept == sample.bytes, "{} differs", sample.name);
        }
        let kept = std::fs::read_dir(&folder).unwrap().count();
        assert_eq!(kept, samples.len());
        let total: usize = samples.iter().map(|sample| sample.bytes.len()).sum();
        assert!(total < 400_000, "{total}");
    }

    #[test]
    fn images_can_be_read_and_one_is_deep() {
        for sample in make().unwrap().iter().take(5) {
            let image = image::load_from_memory(&sample.bytes).unwrap();
            assert_eq!((image.width(), image.height()), (224, 176));
            let deep = image.color() == image::ColorType::L16;
            let tiff = sample.bytes.starts_with(b"II*\0") || sample.bytes.starts_with(b"MM\0*");
            assert_eq!(deep, tiff, "{}", sample.name);
        }
    }

    #[test]
    fn writing_them_twice_leaves_a_changed_file_alone() {
        let folder = tempfile::tempdir().unwrap();
        let first = write_into(folder.path()).unwrap();
        let mut file = File::create(&first[0]).unwrap();
        file.write_all(b"mine").unwrap();
        assert_eq!(write_into(folder.path()).unwrap(), first);
        assert_eq!(std::fs::read(&first[0]).unwrap(), b"mine");
        let entries = std::fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(entries, first.len());
    }
}
