//! What a job produces: the two tables and the mask files, written to disk image by image.
//!
//! Owns the columns. The objects table has those a published script reads from an export of the
//! web app, plus one a pipeline of our own adds, because real ones do; the columns of the aggregate
//! table are documented nowhere and are a guess.

use std::error::Error;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::{Path, PathBuf};

use image::ImageReader;

use crate::providers::biodock::sim::pipelines::Pipeline;
use crate::providers::biodock::sim::segment::{Object, find_objects};
use crate::providers::biodock::sim::{masks, new_id};

/// A file to analyse.
#[derive(Debug, Clone)]
pub(super) struct Input {
    /// Its id as a filesystem item.
    pub(super) id: String,
    /// Its name without folders.
    pub(super) name: String,
    /// Folders and name inside Biodock, joined by `/`.
    pub(super) origin: String,
    /// Where its bytes are on this computer.
    pub(super) path: PathBuf,
}

/// Where a job writes.
#[derive(Debug)]
pub(super) struct Folders {
    /// Shared by all jobs; files have random names.
    pub(super) tables: PathBuf,
    /// The job's own.
    pub(super) masks: PathBuf,
}

/// Where the results of a job are on this computer.
#[derive(Debug, Clone)]
pub(super) struct Produced {
    /// Name of the file in the folder of tables.
    pub(super) objects_table: String,
    /// Name of the file in the folder of tables.
    pub(super) aggregate_table: String,
    /// Name inside the archive and path, for each image.
    pub(super) masks: Vec<(String, PathBuf)>,
}

const OBJECT_COLUMNS: [&str; 11] = [
    "Object ID",
    "Image origin",
    "Class",
    "Area",
    "Perimeter",
    "Length of Major Axis",
    "Length of Minor Axis",
    "Feret Diameter Maximum",
    "X Position",
    "Y Position",
    "Mean Intensity",
];

const AGGREGATE_COLUMNS: [&str; 7] = [
    "Image origin",
    "Class",
    "Count",
    "Mean Area",
    "Total Area",
    "Mean Perimeter",
    "Mean Intensity",
];

/// Analyses all files of a job, asking before each whether to go on.
///
/// Whether one bad file fails a whole job is not documented. Here a file that is no image simply
/// has no rows and no masks as long as another file of the job is an image; a job without a single
/// image fails.
pub(super) fn produce(
    folders: &Folders,
    pipeline: &Pipeline,
    inputs: &[Input],
    go_on: &dyn Fn() -> bool,
) -> Result<Produced, Box<dyn Error + Send + Sync>> {
    std::fs::create_dir_all(&folders.tables)?;
    std::fs::create_dir_all(&folders.masks)?;
    let (objects_name, aggregate_name) = (new_id(), new_id());
    let mut objects_table = table(&folders.tables.join(&objects_name), &OBJECT_COLUMNS)?;
    let mut aggregate_table = table(&folders.tables.join(&aggregate_name), &AGGREGATE_COLUMNS)?;
    let mut masks = Vec::new();
    for input in inputs {
        if !go_on() {
            return Err("the sandbox was stopped".into());
        }
        let Ok(image) = ImageReader::open(&input.path)?
            .with_guessed_format()?
            .decode()
        else {
            continue;
        };
        let objects = find_objects(&image, &pipeline.recipe);
        write_objects(&mut objects_table, &input.origin, &objects)?;
        write_aggregate(&mut aggregate_table, &input.origin, pipeline, &objects)?;
        let name = format!("{}_objects.json", input.id);
        let path = folders.masks.join(&name);
        let document = masks::document(&input.name, image.width(), image.height(), &objects);
        let mut file = BufWriter::new(File::create(&path)?);
        serde_json::to_writer(&mut file, &document)?;
        file.flush()?;
        masks.push((name, path));
    }
    objects_table.flush()?;
    aggregate_table.flush()?;
    if masks.is_empty() {
        return Err("None of the files could be read as an image".into());
    }
    Ok(Produced {
        objects_table: objects_name,
        aggregate_table: aggregate_name,
        masks,
    })
}

type Table = csv::Writer<BufWriter<File>>;

fn table(path: &Path, columns: &[&str]) -> csv::Result<Table> {
    let mut table = csv::Writer::from_writer(BufWriter::new(File::create(path)?));
    table.write_record(columns)?;
    Ok(table)
}

fn write_objects(table: &mut Table, origin: &str, objects: &[Object]) -> csv::Result<()> {
    for object in objects {
        table.write_record([
            // Seen written as a float; it starts again with each image.
            format!("{}.0", object.number).as_str(),
            origin,
            object.class,
            &object.area.to_string(),
            &decimal(object.perimeter),
            &decimal(object.major_axis),
            &decimal(object.minor_axis),
            &decimal(object.feret),
            &decimal(object.x),
            &decimal(object.y),
            &decimal(object.intensity),
        ])?;
    }
    Ok(())
}

fn write_aggregate(
    table: &mut Table,
    origin: &str,
    pipeline: &Pipeline,
    objects: &[Object],
) -> csv::Result<()> {
    for class in [pipeline.recipe.usual, pipeline.recipe.odd] {
        let of_class = || objects.iter().filter(|object| object.class == class);
        let count = of_class().count();
        let mean = |measure: fn(&Object) -> f64| {
            if count == 0 {
                return String::new();
            }
            decimal(of_class().map(measure).sum::<f64>() / count as f64)
        };
        let total: u64 = of_class().map(|object| u64::from(object.area)).sum();
        table.write_record([
            origin,
            class,
            &count.to_string(),
            &mean(|object| f64::from(object.area)),
            &total.to_string(),
            &mean(|object| object.perimeter),
            &mean(|object| object.intensity),
        ])?;
    }
    Ok(())
}

fn decimal(value: f64) -> String {
    format!("{value:.3}")
}
