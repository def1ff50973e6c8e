//! The masks zip: one JSON file an image with run-length encoded masks.
//!
//! Owns the COCO encoding and the layout of the archive as third-party readers saw it: a directory
//! entry first, then `{id}_objects.json` for each image. Also the hostile archive tests ask for.

use std::fs::File;
use std::io::{self, BufReader, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::providers::biodock::sim::segment::Object;

/// The folder inside the archive, as in an extracted set seen in the wild.
const FOLDER: &str = "masks data/";

/// The mask file of one image.
pub(super) fn document(filename: &str, width: u32, height: u32, objects: &[Object]) -> Value {
    let entries: Map<String, Value> = objects
        .iter()
        .map(|object| (object.number.to_string(), entry(object)))
        .collect();
    json!({ "filename": filename, "width": width, "height": height, "objects": entries })
}

fn entry(object: &Object) -> Value {
    let bounds = object.bounds;
    let counts = compress(&run_lengths(&object.mask));
    json!({
        "bbox": [bounds.left, bounds.top, bounds.right, bounds.bottom],
        "pred_class": object.class,
        "model_score": (object.score * 1000.0).round() / 1000.0,
        "rle": { "size": [bounds.height(), bounds.width()], "counts": STANDARD.encode(counts) },
    })
}

/// Lengths of the runs of equal pixels, the first run being background, maybe of length 0.
fn run_lengths(mask: &[bool]) -> Vec<i64> {
    let mut runs = Vec::new();
    let (mut inside, mut length) = (false, 0);
    for pixel in mask {
        if *pixel != inside {
            runs.push(length);
            (inside, length) = (*pixel, 0);
        }
        length += 1;
    }
    runs.push(length);
    runs
}

/// COCO's compressed form (`rleToString` in its `maskApi.c`): from the fourth run on the difference
/// to the run two before, in groups of five bits from the lowest up, sign-extended, each group a
/// character from `0` on, with 0x20 set when more groups follow.
fn compress(runs: &[i64]) -> String {
    let mut text = String::new();
    for (index, run) in runs.iter().enumerate() {
        let before = index.checked_sub(2).filter(|_| index > 2);
        let mut rest = run - before.and_then(|at| runs.get(at)).copied().unwrap_or(0);
        loop {
            let group = rest & 0x1f;
            rest >>= 5;
            let more = if group & 0x10 == 0 {
                rest != 0
            } else {
                rest != -1
            };
            let code = group | if more { 0x20 } else { 0 };
            text.push(char::from(u8::try_from(code + 48).unwrap_or(b'0')));
            if !more {
                break;
            }
        }
    }
    text
}

/// Packs the mask files, given as name inside the archive and path.
pub(super) fn pack(target: &Path, files: &[(String, PathBuf)]) -> io::Result<()> {
    let options = SimpleFileOptions::default();
    let mut archive = ZipWriter::new(File::create(target)?);
    archive.add_directory(FOLDER, options)?;
    for (name, path) in files {
        archive.start_file(format!("{FOLDER}{name}"), options)?;
        io::copy(&mut BufReader::new(File::open(path)?), &mut archive)?;
    }
    archive.finish()?;
    Ok(())
}

/// The same files among names that try to leave the folder, clash or lie: for tests of unpacking.
/// One entry's bytes do not match its checksum.
pub(super) fn pack_hostile(target: &Path, files: &[(String, PathBuf)]) -> io::Result<()> {
    const SPOILT: &[u8] = b"these bytes are spoilt after they were summed";
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut archive = ZipWriter::new(File::create(target)?);
    archive.add_directory(FOLDER, stored)?;
    for name in [
        "../../outside_objects.json",
        "/absolute_objects.json",
        "C:\\drive_objects.json",
        "masks data/CON.json",
        "masks data/Same.json",
        "masks data/same.json",
    ] {
        archive.start_file(name, stored)?;
        archive.write_all(b"{}")?;
    }
    archive.start_file("masks data/spoilt.bin", stored)?;
    archive.write_all(SPOILT)?;
    for (name, path) in files {
        archive.start_file(format!("{FOLDER}{name}"), stored)?;
        io::copy(&mut BufReader::new(File::open(path)?), &mut archive)?;
    }
    archive.finish()?;
    let bytes = std::fs::read(target)?;
    let place = bytes
        .windows(SPOILT.len())
        .position(|window| window == SPOILT);
    if let Some(place) = place.and_then(|place| u64::try_from(place).ok()) {
        let mut file = File::options().write(true).open(target)?;
        file.seek(SeekFrom::Start(place))?;
        file.write_all(b"T")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_start_with_background() {
        assert_eq!(run_lengths(&[true, true, false]), [0, 2, 1]);
        assert_eq!(run_lengths(&[false, true]), [1, 1]);
        assert_eq!(run_lengths(&[false, false]), [2]);
    }

    #[test]
    fn runs_are_compressed_as_worked_out_by_hand() {
        // 0 -> '0', 4 -> '4'.
        assert_eq!(compress(&[0, 4]), "04");
        // 40 = 8 + 1 * 32: 8 | 0x20 -> 'X', then 1 -> '1'.
        assert_eq!(compress(&[40]), "X1");
        // 16 has the sign bit of its group set, so a zero group must follow: '`', '0'.
        assert_eq!(compress(&[16]), "`0");
        // The fourth run, 2, is written as 2 - 5 = -3: 0b11101 -> 29 + 48 = 'M'.
        assert_eq!(compress(&[0, 5, 3, 2]), "053M");
        // The fifth, 1003, as 1003 - 3 = 1000 = 8 + 31 * 32: 'X', then 31 with its sign bit set
        // needs one more group: 31 | 0x20 -> 'o', '0'.
        assert_eq!(compress(&[0, 5, 3, 2, 1003]), "053MXo0");
    }
}
