//! Object masks as Biodock writes them: one JSON per image, each object a box and a run-length mask of that box.
//!
//! The layout is that of providers/biodock.md §4.3; the run lengths are those of the COCO data set's `maskApi.c`
//! (column by column, starting with background, six-bit characters). Objects that make no sense are left out and named.

use base64::Engine as _;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use serde::Deserialize;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;
use thiserror::Error;

/// Larger files are not masks of one image.
const MAX_FILE_BYTES: u64 = 512 << 20;

/// Longest side of an image that masks are believed for, in pixels.
const MAX_SIDE: u32 = 1 << 20;

/// Most runs of all objects of an image together: more would not fit in memory.
pub const MOST_RUNS: usize = 12_000_000;

/// Largest box turned into a bitmap, in pixels.
const MAX_BITMAP_PIXELS: u64 = 1 << 28;

/// The masks of one image.
#[derive(Debug, Clone, PartialEq)]
pub struct Masks {
    /// The image's name as the platform knows it.
    pub filename: String,
    /// Size of the image, in pixels.
    pub width: u32,
    pub height: u32,
    /// In the order of their numbers.
    pub objects: Vec<MaskObject>,
    /// Objects left out.
    pub problems: Vec<MaskProblem>,
}

/// One object of the image.
#[derive(Debug, Clone, PartialEq)]
pub struct MaskObject {
    pub id: String,
    /// Left, top, and right and bottom one pixel further, in pixels of the image.
    pub bbox: [u32; 4],
    pub class: String,
    /// 0 to 1.
    pub score: Option<f64>,
    /// The pixels it covers.
    pub runs: Vec<Run>,
}

/// Pixels below one another, in coordinates of the image.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Run {
    pub x: u32,
    /// The topmost.
    pub y: u32,
    pub length: u32,
}

/// An object that was left out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MaskProblem {
    pub id: String,
    pub what: String,
}

/// Why a file gives no masks at all.
#[derive(Debug, Error)]
pub enum MaskError {
    #[error("the mask file could not be read")]
    Io(#[from] io::Error),
    #[error("the mask file is larger than {MAX_FILE_BYTES} bytes")]
    TooLarge,
    #[error("this is not a mask file")]
    NotMasks(#[from] serde_json::Error),
    #[error("the mask file names an image of {width} × {height} pixels")]
    NoSuchImage { width: u32, height: u32 },
}

#[derive(Deserialize)]
struct WireMasks {
    #[serde(default)]
    filename: String,
    width: u32,
    height: u32,
    #[serde(default)]
    objects: BTreeMap<String, serde_json::Value>,
}

#[derive(Deserialize)]
struct WireObject {
    bbox: [f64; 4],
    pred_class: Option<String>,
    model_score: Option<f64>,
    rle: WireRuns,
}

#[derive(Deserialize)]
struct WireRuns {
    /// Height and width of the box; inferred to be always there.
    size: Option<[u32; 2]>,
    counts: String,
}

/// Reads the masks of one image.
pub fn read(path: &Path) -> Result<Masks, MaskError> {
    let mut bytes = Vec::new();
    File::open(path)?
        .take(MAX_FILE_BYTES + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE_BYTES {
        return Err(MaskError::TooLarge);
    }
    parse(&bytes)
}

/// The same from bytes at hand.
pub fn parse(json: &[u8]) -> Result<Masks, MaskError> {
    let wire: WireMasks = serde_json::from_slice(json)?;
    let (width, height) = (wire.width, wire.height);
    if width == 0 || height == 0 || width > MAX_SIDE || height > MAX_SIDE {
        return Err(MaskError::NoSuchImage { width, height });
    }
    let mut named: Vec<_> = wire.objects.into_iter().collect();
    named.sort_by_key(|(id, _)| (id.parse::<u64>().unwrap_or(u64::MAX), id.clone()));
    let mut objects = Vec::with_capacity(named.len());
    let mut problems = Vec::new();
    let mut runs = 0;
    for (id, value) in named {
        match object(&id, value, (width, height), MOST_RUNS.saturating_sub(runs)) {
            Ok(object) => {
                runs += object.runs.len();
                objects.push(object);
            }
            Err(what) => problems.push(MaskProblem { id, what }),
        }
    }
    Ok(Masks {
        filename: wire.filename,
        width,
        height,
        objects,
        problems,
    })
}

fn object(
    id: &str,
    value: serde_json::Value,
    (width, height): (u32, u32),
    most_runs: usize,
) -> Result<MaskObject, String> {
    let wire: WireObject = serde_json::from_value(value).map_err(|error| error.to_string())?;
    let [left, top, right, bottom] = wire.bbox.map(to_pixel);
    let bbox = match (left, top, right, bottom) {
        (Some(left), Some(top), Some(right), Some(bottom))
            if left < right && top < bottom && right <= width && bottom <= height =>
        {
            [left, top, right, bottom]
        }
        _ => return Err("its box does not lie in the image".to_owned()),
    };
    let [left, top, right, bottom] = bbox;
    let size = [bottom - top, right - left];
    if wire.rle.size.is_some_and(|stated| stated != size) {
        return Err("its mask has another size than its box".to_owned());
    }
    let packed = lenient_base64()
        .decode(wire.rle.counts.trim())
        .map_err(|error| error.to_string())?;
    let counts = decode_counts(&packed).ok_or("its run lengths are damaged")?;
    // A run goes down one column, so one length may be many.
    if counts.len().max(right.saturating_sub(left) as usize) > most_runs {
        return Err("there are too many objects before it".to_owned());
    }
    let runs = lay_out(&counts, bbox).ok_or("its run lengths do not fill its box")?;
    Ok(MaskObject {
        id: id.to_owned(),
        bbox,
        class: wire.pred_class.unwrap_or_default(),
        score: wire.model_score,
        runs,
    })
}

/// With or without `=` at the end.
fn lenient_base64() -> GeneralPurpose {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    GeneralPurpose::new(&base64::alphabet::STANDARD, config)
}

fn to_pixel(value: f64) -> Option<u32> {
    let whole = value.fract() == 0.0 && (0.0..=f64::from(MAX_SIDE)).contains(&value);
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "just checked to be a whole number in range"
    )]
    whole.then_some(value as u32)
}

/// COCO's compressed counts (`rleFrString` in `maskApi.c`): five bits a character from the lowest on, 0x20 says that more
/// follow, the sign is that of the last character; from the fourth on each is the difference to the one two before.
fn decode_counts(text: &[u8]) -> Option<Vec<u32>> {
    let mut counts: Vec<u32> = Vec::new();
    let mut letters = text.iter();
    while let Some(first) = letters.next() {
        let mut letter = *first;
        let mut value = 0_i64;
        let mut shift = 0_u32;
        loop {
            let bits = letter.checked_sub(48).filter(|bits| *bits < 64)?;
            if shift > 35 {
                return None;
            }
            value |= i64::from(bits & 0x1F) << shift;
            shift += 5;
            if bits & 0x20 == 0 {
                if bits & 0x10 != 0 {
                    value |= -1_i64 << shift;
                }
                break;
            }
            letter = *letters.next()?;
        }
        if counts.len() > 2 {
            let two_before = counts.len().checked_sub(2).and_then(|at| counts.get(at))?;
            value += i64::from(*two_before);
        }
        counts.push(u32::try_from(value).ok()?);
    }
    Some(counts)
}

/// Turns alternating background and object lengths into runs that never cross a column.
fn lay_out(counts: &[u32], bbox: [u32; 4]) -> Option<Vec<Run>> {
    let [left, top, right, bottom] = bbox;
    let height = u64::from(bottom - top);
    let pixels = height * u64::from(right - left);
    let mut runs = Vec::new();
    let mut at = 0_u64;
    for (place, count) in counts.iter().enumerate() {
        let end = at + u64::from(*count);
        if end > pixels {
            return None;
        }
        while place % 2 == 1 && at < end {
            let (column, row) = (at / height, at % height);
            let length = (height - row).min(end - at);
            runs.push(Run {
                x: left + u32::try_from(column).ok()?,
                y: top + u32::try_from(row).ok()?,
                length: u32::try_from(length).ok()?,
            });
            at += length;
        }
        at = end;
    }
    (at == pixels).then_some(runs)
}

impl MaskObject {
    /// Pixels it covers.
    pub fn area(&self) -> u64 {
        self.runs.iter().map(|run| u64::from(run.length)).sum()
    }

    /// Whether it covers a pixel of the image.
    pub fn covers(&self, x: u32, y: u32) -> bool {
        let [left, top, right, bottom] = self.bbox;
        (left..right).contains(&x)
            && (top..bottom).contains(&y)
            && self
                .runs
                .iter()
                .any(|run| run.x == x && run.y <= y && y - run.y < run.length)
    }

    /// Its box, row by row; none when the box is too large for that.
    pub fn bitmap(&self) -> Option<Vec<bool>> {
        let [left, top, right, bottom] = self.bbox;
        let (width, height) = (right - left, bottom - top);
        let pixels = u64::from(width) * u64::from(height);
        if pixels > MAX_BITMAP_PIXELS {
            return None;
        }
        let mut bitmap = vec![false; usize::try_from(pixels).ok()?];
        for run in &self.runs {
            for y in run.y..run.y + run.length {
                let place = u64::from(y - top) * u64::from(width) + u64::from(run.x - left);
                *bitmap.get_mut(usize::try_from(place).ok()?)? = true;
            }
        }
        Some(bitmap)
    }
}

impl Masks {
    /// The topmost object at a pixel of the image.
    pub fn object_at(&self, x: u32, y: u32) -> Option<&MaskObject> {
        self.objects.iter().rev().find(|object| object.covers(x, y))
    }
}

#[cfg(test)]
mod tests {
    use crate::results::masks::{MaskError, Run, decode_counts, parse};
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;

    /// The way back, written for the test alone after `rleToString` of `maskApi.c`.
    fn encode_counts(counts: &[u32]) -> Vec<u8> {
        let mut text = Vec::new();
        for (i, count) in counts.iter().enumerate() {
            let mut x = i64::from(*count);
            if i > 2 {
                x -= i64::from(counts[i - 2]);
            }
            let mut more = true;
            while more {
                let mut c = u8::try_from(x & 0x1f).unwrap();
                x >>= 5;
                more = if c & 0x10 != 0 { x != -1 } else { x != 0 };
                if more {
                    c |= 0x20;
                }
                text.push(c + 48);
            }
        }
        text
    }

    fn masks(objects: &str) -> String {
        format!(r#"{{"filename":"a 世.tif","width":10,"height":8,"objects":{{{objects}}}}}"#)
    }

    fn one(bbox: &str, size: &str, counts: &[u32]) -> String {
        let counts = STANDARD.encode(encode_counts(counts));
        masks(&format!(
            r#""7":{{"bbox":{bbox},"pred_class":"Nucleus","model_score":0.97,"rle":{{{size}"counts":"{counts}"}}}}"#
        ))
    }

    #[test]
    fn known_strings_of_the_format() {
        // From the COCO tools: a 1-pixel background, then object, in characters counted by hand.
        assert_eq!(decode_counts(b"11").unwrap(), [1, 1]);
        assert_eq!(decode_counts(b"o1").unwrap(), [63], "low five bits first");
        assert_eq!(
            decode_counts(b"5350").unwrap(),
            [5, 3, 5, 3],
            "the fourth is a difference"
        );
        assert_eq!(
            decode_counts(b"535N").unwrap(),
            [5, 3, 5, 1],
            "which may be negative"
        );
        assert_eq!(decode_counts(b"o"), None, "ends in the middle");
        assert_eq!(decode_counts(b"O"), None, "negative length");
        assert_eq!(decode_counts(b"\x10"), None);
    }

    #[test]
    fn encoding_and_decoding_are_inverse() {
        let mut random = fastrand::Rng::with_seed(3);
        for _ in 0..500 {
            let counts: Vec<u32> = (0..random.usize(0..30))
                .map(|_| random.u32(..) >> 5 >> (random.u8(..) % 27))
                .collect();
            assert_eq!(decode_counts(&encode_counts(&counts)).unwrap(), counts);
        }
    }

    #[test]
    fn runs_go_down_the_columns_of_the_box() {
        // Box 3 wide, 4 high at (2,1): two background, five object (over the column's end), five background.
        let text = one("[2,1,5,5]", r#""size":[4,3],"#, &[2, 5, 5]);
        let masks = parse(text.as_bytes()).unwrap();
        assert!(masks.problems.is_empty(), "{:?}", masks.problems);
        let object = &masks.objects[0];
        assert_eq!(
            object.runs,
            [
                Run {
                    x: 2,
                    y: 3,
                    length: 2
                },
                Run {
                    x: 3,
                    y: 1,
                    length: 3
                }
            ]
        );
        assert_eq!(
            (object.area(), object.class.as_str(), object.score),
            (5, "Nucleus", Some(0.97))
        );
        let rows: Vec<String> = object
            .bitmap()
            .unwrap()
            .chunks(3)
            .map(|row| row.iter().map(|p| if *p { '#' } else { '.' }).collect())
            .collect();
        assert_eq!(rows, [".#.", ".#.", "##.", "#.."]);
        assert!(object.covers(2, 3) && !object.covers(2, 2) && !object.covers(3, 4));
        assert_eq!(masks.object_at(3, 1).unwrap().id, "7");
    }

    #[test]
    fn one_bad_object_is_named_and_the_others_kept() {
        let counts = STANDARD.encode(encode_counts(&[0, 1]));
        let good = format!(r#""10":{{"bbox":[0,0,1,1],"rle":{{"counts":"{counts}"}}}}"#);
        let bad = [
            (r#""1":{"bbox":[0,0,1,1]}"#, "rle"),
            (r#""1":{"bbox":[0,0,99,1],"rle":{"counts":""}}"#, "image"),
            (r#""1":{"bbox":[3,0,2,1],"rle":{"counts":""}}"#, "image"),
            (r#""1":{"bbox":[0.5,0,2,1],"rle":{"counts":""}}"#, "image"),
            (
                r#""1":{"bbox":[0,0,2,1],"rle":{"counts":"????"}}"#,
                "symbol",
            ),
            (
                r#""1":{"bbox":[0,0,2,1],"rle":{"size":[2,1],"counts":""}}"#,
                "size",
            ),
            (r#""1":{"bbox":[0,0,2,1],"rle":{"counts":""}}"#, "fill"),
        ];
        for (object, hint) in bad {
            let masks = parse(masks(&format!("{good},{object}")).as_bytes()).unwrap();
            assert_eq!(masks.objects.len(), 1, "{object}");
            assert_eq!(masks.problems[0].id, "1");
            assert!(
                masks.problems[0].what.to_lowercase().contains(hint),
                "{object}: {:?}",
                masks.problems
            );
        }
    }

    #[test]
    fn objects_come_in_the_order_of_their_numbers_and_none_is_fine() {
        let counts = STANDARD.encode(encode_counts(&[0, 1]));
        let object = format!(r#"{{"bbox":[0,0,1,1],"rle":{{"counts":"{counts}"}}}}"#);
        let text = masks(&format!(r#""10":{object},"9":{object},"x":{object}"#));
        let ids: Vec<_> = parse(text.as_bytes())
            .unwrap()
            .objects
            .into_iter()
            .map(|o| o.id)
            .collect();
        assert_eq!(ids, ["9", "10", "x"]);
        assert!(parse(masks("").as_bytes()).unwrap().objects.is_empty());
        assert!(matches!(parse(b"[]"), Err(MaskError::NotMasks(_))));
        assert!(matches!(
            parse(br#"{"width":0,"height":5}"#),
            Err(MaskError::NoSuchImage { .. })
        ));
    }

    #[test]
    fn damaged_bytes_never_panic() {
        let good = one("[2,1,5,5]", r#""size":[4,3],"#, &[2, 5, 5]).into_bytes();
        let mut random = fastrand::Rng::with_seed(5);
        for _ in 0..3000 {
            let mut bytes = good.clone();
            for _ in 0..random.usize(1..5) {
                let at = random.usize(0..bytes.len());
                bytes[at] = random.u8(32..127);
            }
            if let Ok(masks) = parse(&bytes)
                && masks.width.max(masks.height) < 100
            {
                for object in &masks.objects {
                    assert!(object.bitmap().is_some());
                }
            }
        }
    }
}
