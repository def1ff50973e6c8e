//! What the operating system does for the window: pickers, opening files and pages, a message without a window.
//! The real one and one for tests.

use std::cell::RefCell;
use std::future::Future;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Command as Process;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::Thread;
use std::time::{Duration, Instant};

use crate::ui::{drag_out, reveal};

/// What is picked and what for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PickFor {
    /// Files to send.
    Files,
    /// A folder to send.
    Folder,
    /// Where results go.
    ResultsFolder,
    /// A file with a certificate authority.
    Authority,
    /// A table with what is known of the samples.
    SampleTable,
    /// A new file for the report of a problem.
    Report,
    /// A new file for the rows shown of a table.
    TableCsv,
    /// The same for a spreadsheet.
    TableExcel,
    /// A new file for a plot.
    Plot,
}

/// How a picker ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Picked {
    /// With these; empty when the person changed their mind.
    Paths(Vec<PathBuf>),
    /// There is no picker on this computer; the person has to type.
    Unavailable,
}

/// Takes the answer of a picker, on any thread.
pub type Answer = Box<dyn FnOnce(Picked) + Send>;

/// What the operating system does for the window.
pub trait Desktop {
    /// Shows a picker and returns at once; the answer comes later.
    fn pick(&self, what: PickFor, answer: Answer);
    /// Opens a file or folder with the program the system has for it.
    ///
    /// # Errors
    /// One sentence for the person.
    fn open_path(&self, path: &Path) -> Result<(), String>;
    /// Shows a file in its folder.
    ///
    /// # Errors
    /// One sentence for the person.
    fn reveal(&self, path: &Path) -> Result<(), String>;
    /// Begins to drag a file to another program, where that can be done; the button is pressed.
    fn drag_out(&self, path: &Path);
    /// Opens a page in the browser.
    ///
    /// # Errors
    /// One sentence for the person.
    fn open_page(&self, address: &str) -> Result<(), String>;
    /// Starts the demo as a program of its own.
    ///
    /// # Errors
    /// One sentence for the person.
    fn start_demo(&self) -> Result<(), String>;
    /// Shows a message where there is no window of ours.
    fn message(&self, title: &str, text: &str);
}

/// A picker that ends sooner than this without an answer was never on screen.
const NO_PICKER: Duration = Duration::from_millis(150);

/// The desktop the program runs on.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDesktop;

impl Desktop for SystemDesktop {
    fn pick(&self, what: PickFor, answer: Answer) {
        let started = Instant::now();
        let dialog = rfd::AsyncFileDialog::new().set_title(title(what));
        // macOS wants the dialog made on the main thread, which is this one; only the waiting is elsewhere.
        let waiting: Waiting = match what {
            PickFor::Files => Waiting::Several(Box::pin(dialog.pick_files())),
            PickFor::Folder | PickFor::ResultsFolder => {
                Waiting::Several(Box::pin(dialog.pick_folders()))
            }
            PickFor::Authority | PickFor::SampleTable => Waiting::One(Box::pin(dialog.pick_file())),
            PickFor::Report => save(dialog, "labferry-report.txt"),
            PickFor::TableCsv => save(dialog, "table.csv"),
            PickFor::TableExcel => save(dialog, "table for Excel.csv"),
            PickFor::Plot => save(dialog, "plot.png"),
        };
        let spawned = std::thread::Builder::new()
            .name("picker".to_owned())
            .spawn(move || {
                let paths = waiting.paths();
                answer(match paths {
                    Some(paths) => Picked::Paths(paths),
                    None if started.elapsed() < NO_PICKER => Picked::Unavailable,
                    None => Picked::Paths(Vec::new()),
                });
            });
        if let Err(error) = spawned {
            tracing::error!(%error, "no thread for the picker");
        }
    }

    fn open_path(&self, path: &Path) -> Result<(), String> {
        open::that_detached(path).map_err(|error| {
            tracing::warn!(%error, "could not open a path");
            format!("This computer found no program to open {}", path.display())
        })
    }

    fn reveal(&self, path: &Path) -> Result<(), String> {
        reveal::reveal(path)
    }

    fn drag_out(&self, path: &Path) {
        drag_out::start(path);
    }

    fn open_page(&self, address: &str) -> Result<(), String> {
        if !address.starts_with("https://") && !address.starts_with("http://") {
            return Err("The platform's link is not a web page".to_owned());
        }
        open::that_detached(address).map_err(|error| {
            tracing::warn!(%error, "could not open a page");
            "This computer found no browser to open the page".to_owned()
        })
    }

    fn start_demo(&self) -> Result<(), String> {
        let started = std::env::current_exe()
            .and_then(|program| Process::new(program).arg("demo").spawn())
            .and_then(|mut demo| {
                std::thread::Builder::new()
                    .name("demo".to_owned())
                    .spawn(move || demo.wait().map(|_status| ()))
            });
        started.map(|_thread| ()).map_err(|error| {
            tracing::warn!(%error, "could not start the demo");
            "The demo could not be started; type labferry demo in a terminal instead".to_owned()
        })
    }

    fn message(&self, title: &str, text: &str) {
        rfd::MessageDialog::new()
            .set_level(rfd::MessageLevel::Error)
            .set_title(title)
            .set_description(text)
            .show();
    }
}

/// A picker on screen.
enum Waiting {
    Several(std::pin::Pin<Box<dyn Future<Output = Option<Vec<rfd::FileHandle>>> + Send>>),
    One(std::pin::Pin<Box<dyn Future<Output = Option<rfd::FileHandle>> + Send>>),
}

fn save(dialog: rfd::AsyncFileDialog, name: &str) -> Waiting {
    Waiting::One(Box::pin(dialog.set_file_name(name).save_file()))
}

impl Waiting {
    fn paths(self) -> Option<Vec<PathBuf>> {
        match self {
            Self::Several(handles) => Some(
                outcome(handles)?
                    .iter()
                    .map(|handle| handle.path().to_owned())
                    .collect(),
            ),
            Self::One(handle) => Some(vec![outcome(handle)?.path().to_owned()]),
        }
    }
}

/// Wakes a parked thread.
struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Parks this thread (never the window's) until the picker is closed.
fn outcome<T>(picker: impl Future<Output = T>) -> T {
    let mut picker = pin!(picker);
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match picker.as_mut().poll(&mut context) {
            Poll::Ready(answer) => return answer,
            Poll::Pending => std::thread::park(),
        }
    }
}

const fn title(what: PickFor) -> &'static str {
    match what {
        PickFor::Files => "Files to send",
        PickFor::Folder => "Folder to send",
        PickFor::ResultsFolder => "Folder for results",
        PickFor::Authority => "Certificate authority (PEM file)",
        PickFor::SampleTable => "Table of samples (CSV)",
        PickFor::Report => "Report of a problem",
        PickFor::TableCsv => "Save the rows shown",
        PickFor::TableExcel => "Save a copy for Excel",
        PickFor::Plot => "Save the plot as PNG or SVG",
    }
}

/// A desktop for tests: answers at once with what it was given and remembers what it was asked.
#[derive(Debug)]
pub struct PretendDesktop {
    /// The answer of every picker.
    pub picks: Picked,
    /// What was asked, in words.
    pub asked: RefCell<Vec<String>>,
    /// Whether opening fails.
    pub fails: bool,
}

impl PretendDesktop {
    /// One whose pickers answer like this.
    pub fn new(picks: Picked) -> Self {
        Self {
            picks,
            asked: RefCell::default(),
            fails: false,
        }
    }

    fn note(&self, what: String) -> Result<(), String> {
        self.asked.borrow_mut().push(what);
        if self.fails {
            Err("This computer found no program for it".to_owned())
        } else {
            Ok(())
        }
    }
}

impl Desktop for std::rc::Rc<PretendDesktop> {
    fn pick(&self, what: PickFor, answer: Answer) {
        self.asked.borrow_mut().push(format!("pick {what:?}"));
        answer(self.picks.clone());
    }

    fn open_path(&self, path: &Path) -> Result<(), String> {
        self.note(format!("open {}", path.display()))
    }

    fn reveal(&self, path: &Path) -> Result<(), String> {
        self.note(format!("reveal {}", path.display()))
    }

    fn drag_out(&self, path: &Path) {
        self.asked
            .borrow_mut()
            .push(format!("drag {}", path.display()));
    }

    fn open_page(&self, address: &str) -> Result<(), String> {
        self.note(format!("page {address}"))
    }

    fn start_demo(&self) -> Result<(), String> {
        self.note("demo".to_owned())
    }

    fn message(&self, title: &str, text: &str) {
        self.asked.borrow_mut().push(format!("{title}: {text}"));
    }
}
