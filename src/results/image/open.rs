//! Opening an image or a mask file: the one finds the other among the files of its job.

use crate::model::objects::base_name;
use crate::results::image::view::Viewer;
use crate::results::image::{ImageFile, ImagePage, PictureError};
use crate::results::labels::{self, is_label_name};
use crate::results::masks::{self, Masks};
use crate::results::overlay::Overlay;
use crate::results::pairing::{self, JobFiles};
use crate::results::sniff::{self, Content};
use std::path::{Path, PathBuf};

/// Opens a file as an image, with what lies over it; none when it is neither an image nor masks. Masks of an image are not
/// read yet: see [`read_masks`].
pub fn open(
    path: &Path,
    jobs: &[JobFiles],
    scratch: &Path,
) -> Option<Result<Viewer, PictureError>> {
    match sniff::sniff(path).ok()? {
        Content::Masks => open_masks(path, jobs, scratch),
        Content::Image { .. } => Some(open_image(path, jobs, scratch)),
        Content::Empty
        | Content::Table(_)
        | Content::Archive { .. }
        | Content::Json
        | Content::Text(_)
        | Content::Other { .. } => None,
    }
}

fn name_of(path: &Path) -> String {
    path.file_name()
        .map(|name| name.to_string_lossy().into_owned())
        .unwrap_or_default()
}

fn open_page(path: &Path, scratch: &Path) -> Result<(ImageFile, ImagePage), PictureError> {
    let file = ImageFile::open(path)?;
    let page = file.page(0, scratch)?;
    Ok((file, page))
}

fn open_masks(
    path: &Path,
    jobs: &[JobFiles],
    scratch: &Path,
) -> Option<Result<Viewer, PictureError>> {
    // What is no mask file after all is shown as the text it is.
    let masks = masks::read(path).ok()?;
    let named = base_name(&masks.filename).to_owned();
    let shown = if named.is_empty() {
        "its image".to_owned()
    } else {
        named.clone()
    };
    let found = jobs
        .iter()
        .find_map(|job| pairing::image_named(&named, job));
    let mut note = None;
    let image = match found {
        None => {
            note = Some(format!(
                "{shown} was not found among the inputs of this job. The objects are shown over a plain ground"
            ));
            None
        }
        Some(image) => match open_page(&image, scratch) {
            Ok(opened) => Some(opened),
            Err(error) => {
                tracing::info!(%error, "the image of a mask file cannot be opened");
                note = Some(format!(
                    "{shown} could not be opened: {error}. The objects are shown over a plain ground"
                ));
                None
            }
        },
    };
    let mut viewer = Viewer::new(named, image);
    viewer.objects_table = jobs.iter().find_map(pairing::objects_table);
    if let Some(note) = note {
        viewer.note(note);
    }
    lay_over(&viewer, masks, path);
    Some(Ok(viewer))
}

fn open_image(path: &Path, jobs: &[JobFiles], scratch: &Path) -> Result<Viewer, PictureError> {
    let masks_file = |image: &Path| {
        jobs.iter()
            .find_map(|job| Some((pairing::masks_of(image, job)?, job)))
    };
    let (image, masks_file, job) = if is_label_name(path) && is_label_image(path) {
        let job = jobs.first();
        let image = job.and_then(|job| pairing::image_of_labels(path, job));
        let image = image.unwrap_or_else(|| path.to_owned());
        (image, Some(path.to_owned()), job)
    } else {
        let (masks_file, job) = masks_file(path).unzip();
        (path.to_owned(), masks_file, job)
    };
    let opened = match open_page(&image, scratch) {
        Ok(opened) => opened,
        // The image of a label image may be gone; the labels are here.
        Err(error) if image == path => return Err(error),
        Err(_) => open_page(path, scratch)?,
    };
    let mut viewer = Viewer::new(name_of(opened.0.path()), Some(opened));
    viewer.masks_file = masks_file;
    viewer.objects_table = job.and_then(pairing::objects_table);
    Ok(viewer)
}

/// Whether the pixels of an image can be numbers of objects, by their kind.
fn is_label_image(path: &Path) -> bool {
    ImageFile::open(path).is_ok_and(|file| file.has_one_channel())
}

/// Reads the masks of an open image.
pub fn read_masks(viewer: &Viewer) {
    let Some(path) = viewer.masks_file.as_deref() else {
        return;
    };
    if viewer.overlay().is_some() {
        return;
    }
    let read = if matches!(sniff::sniff(path), Ok(Content::Image { .. })) {
        let masks = ImageFile::open(path)
            .map_err(labels::LabelError::from)
            .and_then(|file| labels::read(&file));
        masks.map_err(|error| error.to_string())
    } else {
        masks::read(path).map_err(|error| error.to_string())
    };
    match read {
        Ok(masks) => lay_over(viewer, masks, path),
        Err(why) => {
            tracing::info!(why, "masks cannot be read");
            viewer.note(format!(
                "The masks in {} could not be read: {why}. Only the image is shown",
                name_of(path)
            ));
        }
    }
}

fn lay_over(viewer: &Viewer, masks: Masks, source: &Path) {
    if let Some(first) = masks.problems.first() {
        let many = masks.problems.len();
        viewer.note(format!(
            "{many} of {} objects make no sense and are left out; the first is object {}: {}",
            many + masks.objects.len(),
            first.id,
            first.what
        ));
    }
    let image = if masks.filename.is_empty() {
        viewer.name.clone()
    } else {
        base_name(&masks.filename).to_owned()
    };
    viewer.lay_over(Overlay::new(masks, name_of(source), image));
}

/// The file to open to see an object of an image of a job: its masks, else the image alone.
pub fn file_of_object(image: &str, jobs: &[JobFiles]) -> Option<PathBuf> {
    jobs.iter().find_map(|job| {
        let json = job.results.iter().find(|path| {
            path.extension().is_some_and(|ending| ending == "json")
                && pairing::named_image(path).is_some_and(|named| base_name(&named) == image)
        });
        let by_image = || {
            let path = pairing::image_named(image, job)?;
            Some(pairing::masks_of(&path, job).unwrap_or(path))
        };
        json.cloned().or_else(by_image)
    })
}
