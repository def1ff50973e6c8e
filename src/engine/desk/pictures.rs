//! Images on the desk: opened, read through and drawn on threads aside, one drawing at a time, always the newest wish.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use crate::engine::desk::look::failed;
use crate::engine::desk::{Found, Line};
use crate::engine::world::World;
use crate::model::artifact::ArtifactState;
use crate::model::image_view::{ImageView, ImageWish, ObjectRef, SelectedObject};
use crate::model::notice::Words;
use crate::results::image::open::{self, read_masks};
use crate::results::image::view::Viewer;
use crate::results::image::{FileState, PictureError};
use crate::results::pairing::{JobFiles, JobInput};

/// Shortest time between two looks at an image that is still being read.
const SHOW_EVERY: Duration = Duration::from_millis(250);

/// Shortest time between two looks at a drawing under way.
const DRAW_EVERY: Duration = Duration::from_millis(40);

/// What a thread found out about an image.
pub(super) enum PictureFound {
    /// It is open; not all of it is read yet.
    Opened(Arc<Viewer>),
    /// More of it, or of its masks, has been read.
    Read,
    /// A part of what was wished for.
    Part(Box<ImageView>),
    /// All of it.
    Drawn(Box<ImageView>),
    /// It cannot be shown, or not any more.
    Failed(Words),
}

/// The image on the desk.
#[derive(Default)]
pub(super) struct Pictures {
    viewer: Option<Arc<Viewer>>,
    wish: ImageWish,
    /// Rises with each wish: a drawing for an older one ends early.
    wishes: Arc<AtomicU64>,
    drawing: bool,
    stale: bool,
    /// Ends the reading of a page that is turned.
    stop: Arc<AtomicBool>,
    turning: Option<u32>,
    /// The object to go to once the masks are read.
    wanted: Option<String>,
    goes_to: u64,
    scratch: PathBuf,
}

/// Tells the desk.
fn tell(line: &Line, found: PictureFound) {
    line.tell(Found::Picture(found));
}

/// Finds something out aside.
fn aside(line: &Line, find_out: impl FnOnce(&Line) -> PictureFound + Send + 'static) {
    line.aside(move |line| Found::Picture(find_out(line)));
}

impl Pictures {
    /// Smaller copies of images go into this folder, in files without a name.
    pub(super) fn new(scratch: PathBuf) -> Self {
        Self {
            scratch,
            ..Self::default()
        }
    }

    /// The folder of smaller copies.
    pub(super) fn scratch(&self) -> PathBuf {
        self.scratch.clone()
    }

    /// Puts the image away.
    pub(super) fn close(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        self.wishes.fetch_add(1, Ordering::Relaxed);
        *self = Self {
            goes_to: self.goes_to,
            ..Self::new(self.scratch.clone())
        };
    }

    /// Goes to this object once the image is open.
    pub(super) fn want_object(&mut self, object: String) {
        self.wanted = Some(object);
    }

    /// Shows something else of it.
    pub(super) fn wish(&mut self, wish: ImageWish, line: &Line) {
        if wish.opening != line.opening {
            return;
        }
        if wish == self.wish && self.viewer.is_some() && !self.stale {
            return;
        }
        self.wish = wish;
        self.turn(line);
        self.draw(line);
    }

    /// Takes what a thread found out; gives what is to be shown, or why nothing can be.
    pub(super) fn take(
        &mut self,
        found: PictureFound,
        line: &Line,
    ) -> Option<Result<ImageView, Words>> {
        if self.viewer.is_none()
            && !matches!(found, PictureFound::Opened(_) | PictureFound::Failed(_))
        {
            // Of an image that has failed meanwhile.
            return None;
        }
        match found {
            PictureFound::Opened(viewer) => {
                self.turning = None;
                self.viewer = Some(Arc::clone(&viewer));
                self.stop = Arc::default();
                let stop = Arc::clone(&self.stop);
                aside(line, move |line| read_through(&viewer, &stop, line));
                self.draw(line);
                None
            }
            PictureFound::Read => {
                self.draw(line);
                None
            }
            PictureFound::Part(view) => Some(Ok(self.finish(*view, line))),
            PictureFound::Drawn(view) => {
                self.drawing = false;
                let view = self.finish(*view, line);
                if self.stale {
                    self.draw(line);
                }
                Some(Ok(view))
            }
            PictureFound::Failed(words) => {
                self.close();
                Some(Err(words))
            }
        }
    }

    /// Adds what only the desk knows, and chooses the object that was asked for.
    fn finish(&mut self, mut view: ImageView, line: &Line) -> ImageView {
        if let Some(wanted) = self.wanted.clone()
            && let Some(viewer) = &self.viewer
            && (view.objects.is_some() || viewer.masks_file.is_none())
        {
            self.wanted = None;
            let place = viewer
                .overlay()
                .and_then(|overlay| overlay.place_of(&wanted));
            if let Some(place) = place.filter(|_| view.objects.is_some()) {
                self.goes_to += 1;
                self.wish.selected = Some(place);
                let outline = viewer.overlay().map(|overlay| overlay.outline(place));
                view.selected = Some(SelectedObject {
                    place,
                    outline: outline.unwrap_or_default(),
                });
                self.draw(line);
            } else {
                let note = format!("Object {wanted} was not found among the masks of this image");
                viewer.note(note.clone());
                view.notes.push(note);
            }
        }
        view.opening = line.opening;
        view.goes_to = self.goes_to;
        view
    }

    /// Opens another page when that is wished for.
    fn turn(&mut self, line: &Line) {
        let Some(viewer) = &self.viewer else {
            return;
        };
        let Some((_, page)) = &viewer.image else {
            return;
        };
        let wanted = self.wish.page.min(page.pages.saturating_sub(1));
        if page.page == wanted || self.turning == Some(wanted) {
            return;
        }
        self.turning = Some(wanted);
        self.stop.store(true, Ordering::Relaxed);
        let (viewer, scratch) = (Arc::clone(viewer), self.scratch.clone());
        aside(line, move |_line| {
            if viewer.file_state() == FileState::Changed {
                return PictureFound::Failed(failed(&PictureError::Changed));
            }
            match viewer.turned_to(wanted, &scratch) {
                Ok(turned) => PictureFound::Opened(ready(turned)),
                Err(error) => PictureFound::Failed(failed(&error)),
            }
        });
    }

    /// Draws what is wished for; a wish during a drawing is drawn after it.
    fn draw(&mut self, line: &Line) {
        let Some(viewer) = self.viewer.clone() else {
            return;
        };
        let number = self.wishes.fetch_add(1, Ordering::Relaxed) + 1;
        self.stale = self.drawing;
        if self.drawing {
            return;
        }
        self.drawing = true;
        let (wish, wishes) = (self.wish.clone(), Arc::clone(&self.wishes));
        aside(line, move |line| {
            if viewer.file_state() == FileState::Changed {
                return PictureFound::Failed(failed(&PictureError::Changed));
            }
            let mut shown = Instant::now();
            let view = viewer.view(&wish, &mut |view| {
                if shown.elapsed() >= DRAW_EVERY {
                    shown = Instant::now();
                    tell(line, PictureFound::Part(Box::new(view())));
                }
                wishes.load(Ordering::Relaxed) == number
            });
            PictureFound::Drawn(Box::new(view))
        });
    }
}

/// A small image is shown when all of it is read, a large one at once.
fn ready(viewer: Viewer) -> Arc<Viewer> {
    if let Some((_, page)) = &viewer.image {
        page.look_roughly();
    }
    Arc::new(viewer)
}

/// Reads masks and all of the page.
fn read_through(viewer: &Viewer, stop: &AtomicBool, line: &Line) -> PictureFound {
    if viewer.masks_file.is_some() {
        read_masks(viewer);
        tell(line, PictureFound::Read);
    }
    let Some((_, page)) = &viewer.image else {
        return PictureFound::Read;
    };
    let told = std::cell::Cell::new(Instant::now());
    let read = page.read_all(&|| {
        if told.get().elapsed() >= SHOW_EVERY {
            told.set(Instant::now());
            tell(line, PictureFound::Read);
        }
        !stop.load(Ordering::Relaxed)
    });
    match read {
        Ok(()) => PictureFound::Read,
        Err(error) => PictureFound::Failed(failed(&error)),
    }
}

/// Opens a file as an image; none when it is something else.
pub(super) fn open(path: &Path, jobs: &[JobFiles], scratch: &Path) -> Option<PictureFound> {
    Some(match open::open(path, jobs, scratch)? {
        Ok(viewer) => PictureFound::Opened(ready(viewer)),
        Err(error) => PictureFound::Failed(failed(&error)),
    })
}

/// The file that shows an object of a job, or why there is none.
pub(super) fn file_of(object: &ObjectRef, jobs: &[JobFiles]) -> Result<PathBuf, Words> {
    open::file_of_object(&object.image, jobs).ok_or_else(|| Words {
        what: format!(
            "Neither the image {} nor its masks were found among the files of this job",
            object.image
        ),
        did: "Labferry changed nothing.".to_owned(),
        next: "Put the image back where it was sent from, or fetch the masks, then try again."
            .to_owned(),
        action: None,
    })
}

/// The files of the jobs that a file belongs to, as result or as input; the newest job first.
pub(super) fn jobs_around(world: &World, path: &Path) -> Vec<JobFiles> {
    let mut jobs = Vec::new();
    for batch in world.batches.values().rev() {
        let is_input = batch.files.iter().find(|file| file.local.path == path);
        if is_input.is_none() && !path.starts_with(&batch.folder) {
            continue;
        }
        for job in batch.jobs.iter().filter_map(|id| world.jobs.get(id)) {
            let folder = batch.folder.join(&job.folder);
            let is_own = is_input.is_some_and(|file| job.files.contains(&file.id));
            if !is_own && !path.starts_with(&folder) {
                continue;
            }
            let inputs = batch
                .files
                .iter()
                .filter(|file| job.files.contains(&file.id))
                .map(|file| JobInput {
                    remote_name: file.remote_name.clone(),
                    name: file.local.name.clone(),
                    path: file.local.path.clone(),
                });
            let results = world
                .artifacts_of(job.id)
                .flat_map(|artifact| match &artifact.state {
                    ArtifactState::Fetched(_) => vec![folder.join(&artifact.path)],
                    ArtifactState::Unpacked { files, .. } => {
                        files.iter().map(|file| folder.join(&file.path)).collect()
                    }
                    ArtifactState::Offered
                    | ArtifactState::Preparing { .. }
                    | ArtifactState::Failed(_) => Vec::new(),
                });
            jobs.push(JobFiles {
                inputs: inputs.collect(),
                results: results.collect(),
            });
        }
    }
    jobs
}
