//! Label images: each pixel holds the number of its object, 0 is background.

use crate::results::image::values::{Block, Values};
use crate::results::image::{ImageFile, PictureError};
use crate::results::masks::{MOST_RUNS, MaskObject, Masks, Run};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::Path;
use thiserror::Error;

/// More objects than this are noise.
const MOST_OBJECTS: usize = 2_000_000;

/// Floats hold whole numbers up to here.
const LARGEST_NUMBER: f32 = 16_777_216.0;

/// Why an image gives no objects.
#[derive(Debug, Error)]
pub enum LabelError {
    #[error(transparent)]
    Picture(#[from] PictureError),
    #[error("the image has colors, so its pixels are no object numbers")]
    Colored,
    #[error("the image has values that are no object numbers")]
    NoNumbers,
    #[error("the image has too many objects")]
    TooMany,
}

/// Whether the name of a file, or of its folder, says that it is a label image.
pub fn is_label_name(path: &Path) -> bool {
    let folder = path.parent().and_then(Path::file_name);
    let parts = [path.file_stem(), folder];
    parts.into_iter().flatten().any(|part| {
        let name = part.to_string_lossy().to_lowercase();
        ["mask", "label", "segment", "_seg"]
            .iter()
            .any(|word| name.contains(word))
    })
}

/// Reads the objects of a label image.
pub fn read(file: &ImageFile) -> Result<Masks, LabelError> {
    let mut scan = Scan::default();
    let mut height = 0;
    let mut wrong = None;
    file.scan(&mut |block| {
        height += u32::try_from(block.height).unwrap_or(0);
        match scan.take(block) {
            Ok(()) => ControlFlow::Continue(()),
            Err(error) => {
                wrong = Some(error);
                ControlFlow::Break(())
            }
        }
    })?;
    if let Some(wrong) = wrong {
        return Err(wrong);
    }
    scan.finish(height)
}

/// Columns as they are read from the top: which number each one shows, and since which row.
#[derive(Default)]
struct Scan {
    columns: Vec<(u32, u32)>,
    row: u32,
    runs: BTreeMap<u32, Vec<Run>>,
    count: usize,
}

impl Scan {
    fn take(&mut self, block: &Block) -> Result<(), LabelError> {
        if block.channels != 1 {
            return Err(LabelError::Colored);
        }
        self.columns.resize(block.width, (0, 0));
        let width = block.width.max(1);
        match &block.values {
            Values::Eight(values) => {
                for row in values.chunks(width) {
                    self.see(row.iter().map(|value| Some(u32::from(*value))))?;
                }
            }
            Values::Sixteen(values) => {
                for row in values.chunks(width) {
                    self.see(row.iter().map(|value| Some(u32::from(*value))))?;
                }
            }
            Values::Float(values) => {
                for row in values.chunks(width) {
                    self.see(row.iter().map(|value| whole(*value)))?;
                }
            }
        }
        Ok(())
    }

    fn see(&mut self, row: impl Iterator<Item = Option<u32>>) -> Result<(), LabelError> {
        for ((x, column), number) in (0..).zip(&mut self.columns).zip(row) {
            let number = number.ok_or(LabelError::NoNumbers)?;
            if number == column.0 {
                continue;
            }
            if column.0 != 0 {
                self.count += 1;
                let run = Run {
                    x,
                    y: column.1,
                    length: self.row - column.1,
                };
                self.runs.entry(column.0).or_default().push(run);
            }
            *column = (number, self.row);
        }
        if self.count > MOST_RUNS || self.runs.len() > MOST_OBJECTS {
            return Err(LabelError::TooMany);
        }
        self.row += 1;
        Ok(())
    }

    fn finish(mut self, height: u32) -> Result<Masks, LabelError> {
        let width = u32::try_from(self.columns.len()).unwrap_or(0);
        // A row of background closes what is open.
        self.see((0..width).map(|_column| Some(0)))?;
        let objects = std::mem::take(&mut self.runs)
            .into_iter()
            .map(|(number, mut runs)| {
                runs.sort_unstable_by_key(|run| (run.x, run.y));
                MaskObject {
                    id: number.to_string(),
                    bbox: bounds(&runs),
                    class: String::new(),
                    score: None,
                    runs,
                }
            })
            .collect();
        Ok(Masks {
            filename: String::new(),
            width,
            height,
            objects,
            problems: Vec::new(),
        })
    }
}

fn whole(value: f32) -> Option<u32> {
    let whole = value.fract() == 0.0 && (0.0..=LARGEST_NUMBER).contains(&value);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "just checked to be a whole number in range"
    )]
    whole.then_some(value as u32)
}

fn bounds(runs: &[Run]) -> [u32; 4] {
    let start = [u32::MAX, u32::MAX, 0, 0];
    runs.iter().fold(start, |[left, top, right, bottom], run| {
        [
            left.min(run.x),
            top.min(run.y),
            right.max(run.x + 1),
            bottom.max(run.y + run.length),
        ]
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use image::{ImageBuffer, Luma, Rgb};

    #[test]
    fn each_number_is_an_object() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a_labels.png");
        // Two touching objects, one in two pieces, up to the lower edge.
        let rows = ["..aab", "a.aab", "a...b"];
        let image: ImageBuffer<Luma<u16>, Vec<u16>> =
            ImageBuffer::from_fn(5, 3, |x, y| match rows[y as usize].as_bytes()[x as usize] {
                b'a' => Luma([7]),
                b'b' => Luma([60_000]),
                _ => Luma([0]),
            });
        image.save(&path).unwrap();
        let masks = read(&ImageFile::open(&path).unwrap()).unwrap();
        assert_eq!((masks.width, masks.height), (5, 3));
        let [a, b] = masks.objects.as_slice() else {
            panic!("{masks:?}");
        };
        assert_eq!((a.id.as_str(), a.area(), a.bbox), ("7", 6, [0, 0, 4, 3]));
        assert_eq!(
            (b.id.as_str(), b.area(), b.bbox),
            ("60000", 3, [4, 0, 5, 3])
        );
        for y in 0..3 {
            for x in 0..5 {
                let letter = rows[y as usize].as_bytes()[x as usize];
                assert_eq!(a.covers(x, y), letter == b'a', "{x} {y}");
                assert_eq!(b.covers(x, y), letter == b'b', "{x} {y}");
            }
        }
    }

    #[test]
    fn what_is_no_label_image_says_so() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.png");
        ImageBuffer::from_pixel(3, 3, Rgb([1_u8, 2, 3]))
            .save(&path)
            .unwrap();
        let read = read(&ImageFile::open(&path).unwrap());
        assert!(matches!(read, Err(LabelError::Colored)), "{read:?}");
        assert_eq!(whole(1.5), None);
        assert_eq!(whole(-1.0), None);
        assert_eq!(whole(f32::NAN), None);
        assert_eq!(whole(70_000.0), Some(70_000));
        assert!(is_label_name(Path::new("masks/1.png")));
        assert!(is_label_name(Path::new("x/a_cp_masks.tif")));
        assert!(!is_label_name(Path::new("plate/a.png")));
    }
}
