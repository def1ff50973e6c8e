//! Sample files for the demo: small invented micrographs, reads, two tables and a sequence.
//!
//! Owns how they are made. The same files are kept in `assets/samples`, where a test holds them
//! against this code; set `LABFERRY_WRITE_SAMPLES=1` for that test to write them anew.

mod dice;
mod pictures;
mod texts;

use std::fs::File;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use crate::sandbox::samples::pictures::{color_png, deep_tiff, jpeg, nuclei, plain_png};
use crate::sandbox::samples::texts::{UBIQUITIN, expression_summary, gzip, plate_layout, reads};

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
        ("P01_A01_reads.fastq", reads(6, 40)),
    ];
    for (name, text) in texts {
        let bytes = text.into_bytes();
        samples.push(Sample { name, bytes });
    }
    samples.push(Sample {
        name: "P01_A02_reads.fastq.gz",
        bytes: gzip(&reads(7, 30))?,
    });
    Ok(samples)
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
