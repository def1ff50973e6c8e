//! Which masks belong to which image, and which table has their objects.
//!
//! A mask file names its image as the platform knows it; the job that made it knows which file of this computer that was.

use crate::model::objects::{ObjectColumns, base_name};
use crate::results::disk;
use crate::results::labels::is_label_name;
use memchr::memmem;
use std::path::{Path, PathBuf};

/// Bytes at the beginning of a mask file in which its image's name is looked for, and at its end.
const HEAD_BYTES: usize = 1 << 16;

/// A job's files, as far as they are on this computer.
#[derive(Clone, Debug, Default)]
pub struct JobFiles {
    /// What was sent: its name at the platform, its own name, and where it is.
    pub inputs: Vec<JobInput>,
    /// What came back.
    pub results: Vec<PathBuf>,
}

/// A file that was sent.
#[derive(Clone, Debug)]
pub struct JobInput {
    pub remote_name: String,
    pub name: String,
    pub path: PathBuf,
}

fn ending(path: &Path) -> String {
    path.extension()
        .map(|ending| ending.to_string_lossy().to_ascii_lowercase())
        .unwrap_or_default()
}

fn is_image(path: &Path) -> bool {
    matches!(
        ending(path).as_str(),
        "png" | "jpg" | "jpeg" | "tif" | "tiff"
    )
}

fn file_name(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn stem(name: &str) -> &str {
    match name.rsplit_once('.') {
        Some((stem, _)) if !stem.is_empty() => stem,
        _ => name,
    }
}

/// The image a mask file is about, out of its job's files: an input of this name, else an image among the results.
pub fn image_named(filename: &str, job: &JobFiles) -> Option<PathBuf> {
    let wanted = base_name(filename);
    if wanted.is_empty() {
        return None;
    }
    let remote = job.inputs.iter().find(|input| input.remote_name == wanted);
    let local = || job.inputs.iter().find(|input| input.name == wanted);
    if let Some(input) = remote.or_else(local) {
        return Some(input.path.clone());
    }
    let mut images = job
        .results
        .iter()
        .filter(|path| is_image(path) && !is_label_name(path));
    images.find(|path| file_name(path) == wanted).cloned()
}

/// The image a label image is about: one of the job whose name its own begins with; the longest such name.
pub fn image_of_labels(labels: &Path, job: &JobFiles) -> Option<PathBuf> {
    let own = file_name(labels);
    let inputs = job.inputs.iter().flat_map(|input| {
        [
            (input.remote_name.clone(), &input.path),
            (input.name.clone(), &input.path),
        ]
    });
    let results = job
        .results
        .iter()
        .filter(|path| is_image(path) && !is_label_name(path))
        .map(|path| (file_name(path), path));
    inputs
        .chain(results)
        .filter(|(name, path)| path.as_path() != labels && begins_with(&own, stem(name)))
        .max_by_key(|(name, _)| stem(name).len())
        .map(|(_, path)| path.clone())
}

/// Whether a name is another one with something after it: `cells_mask` begins with `cells`, `cells2_mask` does not.
fn begins_with(name: &str, image: &str) -> bool {
    !image.is_empty()
        && name
            .strip_prefix(image)
            .is_some_and(|rest| !rest.starts_with(|letter: char| letter.is_alphanumeric()))
}

/// The mask file of an image among the files of a job.
pub fn masks_of(image: &Path, job: &JobFiles) -> Option<PathBuf> {
    let own = file_name(image);
    // The name at the platform first: two inputs may have had the same name here.
    let sent = || job.inputs.iter().filter(|input| input.path == image);
    let mut names: Vec<&str> = sent().map(|input| input.remote_name.as_str()).collect();
    names.extend(sent().map(|input| input.name.as_str()));
    if names.is_empty() {
        names.push(&own);
    }
    let json: Vec<(&PathBuf, String)> = job
        .results
        .iter()
        .filter(|path| ending(path) == "json")
        .filter_map(|path| Some((path, named_image(path)?)))
        .collect();
    let by_name = names.iter().find_map(|name| {
        let mut files = json.iter();
        let (path, _) = files.find(|(_, image)| base_name(image) == *name)?;
        Some(*path)
    });
    let labels = || {
        let mut labels = job
            .results
            .iter()
            .filter(|path| path.as_path() != image && is_image(path) && is_label_name(path));
        labels.find(|path| {
            let image_of = image_of_labels(path, job);
            image_of.as_deref() == Some(image)
        })
    };
    by_name.or_else(labels).cloned()
}

/// The image a mask file names, by its first bytes or its last ones; the whole of it is not read.
pub fn named_image(masks: &Path) -> Option<String> {
    let (head, size_bytes) = disk::head(masks, HEAD_BYTES).ok()?;
    if head.trim_ascii_start().first() != Some(&b'{') {
        return None;
    }
    if let Some(name) = name_in(&head) {
        return Some(name);
    }
    let file = std::fs::File::open(masks).ok()?;
    let mut tail = vec![0; HEAD_BYTES];
    let from = size_bytes.saturating_sub(HEAD_BYTES as u64);
    let read = disk::read_at(&file, &mut tail, from).ok()?;
    tail.truncate(read);
    name_in(&tail)
}

fn name_in(json: &[u8]) -> Option<String> {
    let key = b"\"filename\"";
    let after = memmem::find(json, key)? + key.len();
    let rest = json.get(after..)?.trim_ascii_start().strip_prefix(b":")?;
    let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<String>();
    values.next()?.ok()
}

/// The table of a job with a row for each object.
pub fn objects_table(job: &JobFiles) -> Option<PathBuf> {
    let mut tables: Vec<&PathBuf> = job
        .results
        .iter()
        .filter(|path| matches!(ending(path).as_str(), "csv" | "tsv"))
        .collect();
    tables.sort_by_key(|path| !file_name(path).to_lowercase().contains("object"));
    tables.into_iter().find(|path| has_objects(path)).cloned()
}

fn has_objects(table: &Path) -> bool {
    let Ok((head, _)) = disk::head(table, HEAD_BYTES) else {
        return false;
    };
    let delimiter = if ending(table) == "tsv" { b'\t' } else { b',' };
    let text = String::from_utf8_lossy(&head);
    let text = text.trim_start_matches('\u{feff}');
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    reader.headers().is_ok_and(|header| {
        let names: Vec<&str> = header.iter().collect();
        ObjectColumns::find(&names).is_some()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write as _;

    fn put(folder: &Path, name: &str, text: &str) -> PathBuf {
        let path = folder.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut file = std::fs::File::create(&path).unwrap();
        file.write_all(text.as_bytes()).unwrap();
        path
    }

    fn input(path: &Path, remote_name: &str) -> JobInput {
        JobInput {
            remote_name: remote_name.to_owned(),
            name: file_name(path),
            path: path.to_owned(),
        }
    }

    #[test]
    fn masks_and_images_find_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let one = put(folder, "plate 1/a 世.tif", "");
        let other = put(folder, "plate 2/a 世.tif", "");
        let first = put(
            folder,
            "masks/1_objects.json",
            r#"{"filename":"a 世.tif","objects":{}}"#,
        );
        let long = format!(
            r#"{{"objects":{{"1":"{}"}},"filename": "b.tif"}}"#,
            "x".repeat(200_000)
        );
        let second = put(folder, "masks/2_objects.json", &long);
        let other_json = put(folder, "log.json", "[\"filename\"]");
        let job = JobFiles {
            inputs: vec![input(&one, "a 世.tif"), input(&other, "b.tif")],
            results: vec![other_json.clone(), first.clone(), second.clone()],
        };
        assert_eq!(masks_of(&one, &job), Some(first));
        assert_eq!(
            masks_of(&other, &job),
            Some(second.clone()),
            "by the name it got there"
        );
        assert_eq!(named_image(&second).as_deref(), Some("b.tif"));
        assert_eq!(named_image(&other_json), None);
        assert_eq!(image_named("x/a 世.tif", &job), Some(one));
        assert_eq!(image_named("b.tif", &job), Some(other));
        assert_eq!(image_named("", &job), None);
        assert_eq!(image_named("c.tif", &job), None);
    }

    #[test]
    fn label_images_go_by_the_beginning_of_their_name() {
        let image = Path::new("/in/cells.tif");
        let longer = Path::new("/in/cells_2.tif");
        let job = JobFiles {
            inputs: vec![input(image, "cells.tif"), input(longer, "cells_2.tif")],
            results: vec![
                PathBuf::from("/out/cells_2_mask.png"),
                PathBuf::from("/out/cells_mask.png"),
            ],
        };
        let found = image_of_labels(Path::new("/out/cells_2_mask.png"), &job);
        assert_eq!(found.as_deref(), Some(longer));
        let found = masks_of(image, &job);
        assert_eq!(found, Some(PathBuf::from("/out/cells_mask.png")));
        assert!(!begins_with("cells2_mask.png", "cells"));
    }

    #[test]
    fn the_table_of_objects_is_known_by_its_columns() {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let counts = put(folder, "aggregate.csv", "Image origin,Count\na.tif,3\n");
        let empty = put(folder, "objects.csv", "");
        let objects = put(
            folder,
            "per cell.csv",
            "\u{feff}\"Image origin\",Object ID\na.tif,1.0\n",
        );
        let job = JobFiles {
            inputs: Vec::new(),
            results: vec![counts, empty, objects.clone(), folder.join("gone.csv")],
        };
        assert_eq!(objects_table(&job), Some(objects));
    }
}
