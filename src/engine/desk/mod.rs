//! The desk: opens one result at a time, works on what is asked of it aside; has thumbnails made, and the report of a
//! problem.
//!
//! It changes nothing that has to outlive the app, so none of it goes through `decide`.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::spawn_blocking;

use crate::engine::command::Command;
use crate::engine::desk::hash::Hashing;
use crate::engine::desk::look::{Look, look_into, look_into_stack};
use crate::engine::desk::pictures::{PictureFound, Pictures, jobs_around};
use crate::engine::desk::table::TableDesk;
use crate::engine::desk::text::json::OpenJson;
use crate::engine::desk::text::seek::{Seek, Sought};
use crate::engine::desk::text::{OpenText, TextFound};
use crate::engine::report;
use crate::engine::thumbnails::ThumbnailRoom;
use crate::engine::world::World;
use crate::model::error::{Doing, Error, ErrorKind};
use crate::model::folder::{FolderPage, FolderTold};
use crate::model::image_view::ObjectRef;
use crate::model::notice::{Did, Subject, Words, explain};
use crate::model::preview::{FileHash, Preview, PreviewContent};
use crate::model::report::Report;
use crate::model::table::{ReadAs, StackWish, TableWish};
use crate::model::thumbnail::Thumbnails;
use crate::results::pairing::JobFiles;

mod folder;
mod hash;
mod look;
mod pictures;
mod table;
mod text;

/// What a thread at the desk found out, and for which opening or which report.
struct Finding {
    opening: u64,
    what: Found,
}

enum Found {
    Opened(Look),
    Table(table::Told),
    Failed(Words),
    Report(Report),
    Picture(PictureFound),
    /// The file that shows the wanted object, and the files of its job.
    ObjectFile(PathBuf, Vec<JobFiles>),
    Folder(FolderPage),
    Text(TextFound),
    /// By the search of this number.
    Sought(u64, Sought),
    Hashed(FileHash),
}

/// Where threads aside tell what they found out about the file that is open.
#[derive(Clone)]
struct Line {
    teller: mpsc::Sender<Finding>,
    opening: u64,
}

impl Line {
    fn tell(&self, what: Found) {
        let opening = self.opening;
        if self
            .teller
            .blocking_send(Finding { opening, what })
            .is_err()
        {
            tracing::debug!("the preview was closed with the app");
        }
    }

    /// Finds something out on a thread aside. One that breaks down says so: else the desk would wait for it for ever.
    fn aside(&self, find_out: impl FnOnce(&Self) -> Found + Send + 'static) {
        let line = self.clone();
        spawn_blocking(move || {
            let found = catch_unwind(AssertUnwindSafe(|| find_out(&line)));
            line.tell(found.unwrap_or_else(|_panic| broke()));
        });
    }
}

/// The desk.
pub(super) struct Desk {
    current: Option<Arc<Preview>>,
    opening: u64,
    pictures: Pictures,
    /// The object whose row the open table is to go to.
    wanted_row: Option<ObjectRef>,
    table: Option<TableDesk>,
    text: OpenText,
    json: OpenJson,
    seek: Seek,
    hashing: Hashing,
    findings: mpsc::Receiver<Finding>,
    teller: mpsc::Sender<Finding>,
    /// The report of a problem, and which one is the newest asked for.
    report: Option<Arc<Report>>,
    reports: u64,
    /// The results folder that was opened, and which one is the newest asked for.
    folder: Option<Arc<FolderPage>>,
    folders: u64,
    thumbnails: ThumbnailRoom,
    log: PathBuf,
    home: Option<PathBuf>,
}

impl Desk {
    /// An empty desk. A report takes the end of the log in this folder, and takes the home folder out.
    pub(super) fn new(log: PathBuf, home: Option<PathBuf>) -> Self {
        let (teller, findings) = mpsc::channel(32);
        Self {
            current: None,
            opening: 0,
            pictures: Pictures::new(log.clone()),
            wanted_row: None,
            table: None,
            text: OpenText::default(),
            json: OpenJson::default(),
            seek: Seek::default(),
            hashing: Hashing::default(),
            findings,
            teller,
            report: None,
            reports: 0,
            folder: None,
            folders: 0,
            thumbnails: ThumbnailRoom::new(None),
            log,
            home,
        }
    }

    /// Keeps thumbnails between starts, below this folder.
    pub(super) fn keep_thumbnails(mut self, cache: &Path) -> Self {
        self.thumbnails = ThumbnailRoom::new(Some(cache));
        self
    }

    /// Takes a command that is for the desk; gives any other back.
    pub(super) fn take(&mut self, command: Command, world: &World) -> Option<Command> {
        match command {
            Command::OpenPreview(path) => {
                let jobs = jobs_around(world, &path);
                self.open(path, jobs);
            }
            Command::ShowImage(wish) => {
                let line = self.line();
                self.pictures.wish(wish, &line);
            }
            Command::ShowObject { object, beside } => {
                let jobs = jobs_around(world, &beside);
                self.show_object(object, beside, jobs);
            }
            Command::ShowObjectRow { table, object } => {
                self.open(table, Vec::new());
                self.wanted_row = Some(object);
            }
            Command::ClosePreview => self.close(),
            Command::OpenStack(wish) => self.open_stack(wish),
            Command::ShowRows { first_row, count } => {
                if let Some(table) = &mut self.table {
                    table.show_rows(first_row, count);
                }
            }
            Command::Table(TableWish::ReadAs(said)) => self.read_as(said),
            Command::Table(wish) => {
                if let Some(table) = &mut self.table {
                    table.wish(wish);
                    let content = table.content();
                    self.show_content(content);
                }
            }
            Command::ShowLines { first_row, count } => self.show_text_rows(first_row, count),
            Command::GoToLine(line) => self.go_to_line(line),
            Command::FindText {
                words,
                from_row,
                forward,
            } => self.find_words(words, from_row, forward),
            Command::ShowAsText => self.show_as_text(),
            Command::HashPreview => self.hash_preview(),
            Command::StopHashing => self.stop_hashing(),
            Command::StopFinding => self.stop_finding(),
            Command::FollowText(follow) => self.follow_text(follow),
            Command::OpenFolder(folder) => self.open_folder(folder),
            Command::MakeReport => self.make_report(world),
            Command::SaveReport(path) => self.save_report(path),
            Command::CloseReport => {
                self.reports = self.reports.wrapping_add(1);
                self.report = None;
            }
            other => return Some(other),
        }
        None
    }

    /// What is on the desk.
    pub(super) fn preview(&self) -> Option<Arc<Preview>> {
        self.current.clone()
    }

    /// Has these thumbnails made next, and no others.
    pub(super) fn want_thumbnails(&mut self, paths: Vec<PathBuf>) {
        self.thumbnails.want(paths);
    }

    /// The thumbnails there are.
    pub(super) fn thumbnails(&self) -> Arc<Thumbnails> {
        self.thumbnails.made()
    }

    /// The report that was asked for.
    pub(super) fn report(&self) -> Option<Arc<Report>> {
        self.report.clone()
    }

    /// The results folder that was opened.
    pub(super) fn folder(&self) -> Option<Arc<FolderPage>> {
        self.folder.clone()
    }

    fn open_folder(&mut self, folder: PathBuf) {
        self.folders = self.folders.wrapping_add(1);
        // What is known of the same folder stays until there is something newer.
        if self
            .folder
            .as_ref()
            .is_none_or(|page| page.folder != folder)
        {
            self.folder = Some(Arc::new(FolderPage {
                folder: folder.clone(),
                told: FolderTold::Reading,
            }));
        }
        let (teller, opening) = (self.teller.clone(), self.folders);
        let line = Line { teller, opening };
        spawn_blocking(move || {
            let told = folder::read(&folder);
            line.tell(Found::Folder(FolderPage { folder, told }));
        });
    }

    fn make_report(&mut self, world: &World) {
        let state = report::state(world, Timestamp::now());
        let redaction = report::redaction(world, self.home.as_deref());
        let log = self.log.clone();
        self.work_on_report(move || Report {
            text: report::text(&state, &redaction, &log),
            saved: None,
        });
    }

    fn save_report(&mut self, path: PathBuf) {
        let Some(report) = self.report.clone() else {
            return;
        };
        self.work_on_report(move || Report {
            saved: Some(report::save(&path, &report.text)),
            text: report.text.clone(),
        });
    }

    fn work_on_report(&mut self, work: impl FnOnce() -> Report + Send + 'static) {
        self.reports = self.reports.wrapping_add(1);
        let (teller, opening) = (self.teller.clone(), self.reports);
        let line = Line { teller, opening };
        spawn_blocking(move || line.tell(Found::Report(work())));
    }

    /// Waits until something on the desk has changed.
    pub(super) async fn changed(&mut self) {
        loop {
            let next = tokio::select! {
                finding = self.findings.recv() => finding,
                () = self.text.look_due() => {
                    self.look_again();
                    continue;
                }
                () = self.thumbnails.changed() => return,
            };
            let Some(finding) = next else {
                return std::future::pending().await;
            };
            if let Found::Report(report) = finding.what {
                if finding.opening == self.reports {
                    self.report = Some(Arc::new(report));
                    return;
                }
                continue;
            }
            if let Found::Folder(page) = finding.what {
                if finding.opening == self.folders {
                    self.folder = Some(Arc::new(page));
                    return;
                }
                continue;
            }
            if finding.opening == self.opening && self.adopt(finding.what) {
                return;
            }
        }
    }

    fn close(&mut self) {
        self.pictures.close();
        self.wanted_row = None;
        self.opening = self.opening.wrapping_add(1);
        self.current = None;
        self.table = None;
        self.text = OpenText::default();
        self.json = OpenJson::default();
        self.seek = Seek::default();
        self.hashing = Hashing::default();
    }

    fn line(&self) -> Line {
        Line {
            teller: self.teller.clone(),
            opening: self.opening,
        }
    }

    fn open(&mut self, path: PathBuf, jobs: Vec<JobFiles>) {
        self.close();
        self.look(path, jobs);
    }

    /// Looks into a file aside.
    fn look(&mut self, path: PathBuf, jobs: Vec<JobFiles>) {
        self.show(path.clone(), PreviewContent::Opening);
        let scratch = self.pictures.scratch();
        self.line().aside(move |_line| {
            pictures::open(&path, &jobs, &scratch)
                .map(Found::Picture)
                .or_else(|| text::open(&path, true))
                .unwrap_or_else(|| Found::Opened(look_into(&path, &ReadAs::default())))
        });
    }

    /// Opens the image or the masks of an object and goes there.
    fn show_object(&mut self, object: ObjectRef, beside: PathBuf, jobs: Vec<JobFiles>) {
        self.close();
        self.show(beside, PreviewContent::Opening);
        self.pictures.want_object(object.object.clone());
        self.line()
            .aside(move |_line| match pictures::file_of(&object, &jobs) {
                Ok(path) => Found::ObjectFile(path, jobs),
                Err(words) => Found::Failed(words),
            });
    }

    fn open_stack(&mut self, wish: StackWish) {
        self.close();
        self.show(wish.key.clone(), PreviewContent::Opening);
        self.line()
            .aside(move |_line| Found::Opened(look_into_stack(&wish)));
    }

    /// Reads the open file another way; what is shown stays until it is read.
    fn read_as(&mut self, said: ReadAs) {
        if let Some(preview) = &self.current {
            let path = preview.path.clone();
            self.opening = self.opening.wrapping_add(1);
            self.line()
                .aside(move |_line| Found::Opened(look_into(&path, &said)));
        }
    }

    fn show(&mut self, path: PathBuf, content: PreviewContent) {
        self.current = Some(Arc::new(Preview { path, content }));
    }

    /// Shows something else of the file that is open.
    fn show_content(&mut self, content: PreviewContent) {
        if let Some(preview) = &self.current {
            self.show(preview.path.clone(), content);
        }
    }

    /// Takes in what was found; whether there is something new to show.
    fn adopt(&mut self, found: Found) -> bool {
        match found {
            Found::Hashed(hash) => self.hashed(hash),
            Found::Text(found) => return self.adopt_text(found),
            Found::Sought(number, sought) => return self.adopt_sought(number, sought),
            Found::Opened(Look::Table(opened)) => {
                let mut table = TableDesk::new(self.line(), opened);
                if let Some(object) = self.wanted_row.take() {
                    table.wish(TableWish::Object(object));
                }
                self.show_content(table.content());
                self.table = Some(table);
            }
            Found::Opened(Look::Other(content)) => {
                self.table = None;
                self.show_content(content);
                self.hash_unasked();
            }
            Found::Table(told) => {
                let Some(table) = &mut self.table else {
                    return false;
                };
                let content = match table.hear(told) {
                    None => table.content(),
                    Some(words) => {
                        self.table = None;
                        PreviewContent::Failed(words)
                    }
                };
                self.show_content(content);
            }
            Found::Picture(found) => {
                let line = self.line();
                match self.pictures.take(found, &line) {
                    Some(Ok(view)) => self.show_content(PreviewContent::Image(Arc::new(view))),
                    Some(Err(words)) => self.show_content(PreviewContent::Failed(words)),
                    None => {}
                }
            }
            Found::ObjectFile(path, jobs) => self.look(path, jobs),
            // Taken before it comes here.
            Found::Report(_) | Found::Folder(_) => {}
            Found::Failed(words) => {
                self.table = None;
                self.show_content(PreviewContent::Failed(words));
            }
        }
        true
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.pictures.close();
    }
}

fn broke() -> Found {
    tracing::error!("a thread of the preview broke down");
    let error = Error::new(ErrorKind::Internal, Doing::Preview);
    let file = Subject {
        provider: "",
        connection: "",
        name: "This file",
    };
    Found::Failed(explain(&error, file, Did::Stopped))
}
