//! Opens the window: with one renderer, and where that does not start, with the other.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::engine::Engine;
use crate::ui::desktop::{Desktop as _, SystemDesktop};
use crate::ui::{App, Link, system_theme};

/// How the window opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowOptions {
    /// The file in the data folder where size, place and column widths are kept; none keeps nothing.
    pub memory_file: Option<PathBuf>,
    /// Added to the title, such as *Demo*; may be empty.
    pub title_note: String,
}

/// The window did not open. The text is the second half of a sentence, without full stop; the log has every cause whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct WindowError {
    why: String,
}

/// Smallest window that shows every view whole, in points.
const SMALLEST: [f32; 2] = [1000.0, 640.0];
/// The window at the first start, in points.
const FIRST: [f32; 2] = [1200.0, 780.0];

/// Opens the window and returns when it is closed.
///
/// # Errors
/// [`WindowError`] when neither renderer starts; the person has already been told in a native message where there can be one.
pub fn run(engine: &Engine, options: &WindowOptions) -> Result<(), WindowError> {
    // Windows over remote desktop and in virtual machines often has no OpenGL 2 (emilk/egui issue 2573).
    let order = if cfg!(any(windows, target_os = "macos")) {
        [eframe::Renderer::Wgpu, eframe::Renderer::Glow]
    } else {
        [eframe::Renderer::Glow, eframe::Renderer::Wgpu]
    };
    let [first, second] = order;
    let Err(first_cause) = open(engine, options, first) else {
        return Ok(());
    };
    // One that ran and broke later is not followed by another window: that would surprise more than it helps.
    if !first_cause.other_may_work {
        return Err(tell(first_cause.why.to_owned()));
    }
    let Err(second_cause) = open(engine, options, second) else {
        return Ok(());
    };
    Err(tell(format!(
        "{}, and {}",
        first_cause.why, second_cause.why
    )))
}

/// Tells the person in a native message, where there can be one.
fn tell(why: String) -> WindowError {
    if can_show_messages() {
        let text = format!(
            "Labferry’s window cannot be opened: {why}. Nothing was changed. Update the graphics driver of this \
             computer, or use Labferry in a terminal: labferry --help"
        );
        SystemDesktop.message("Labferry", &text);
    }
    WindowError { why }
}

/// Why a renderer did not work.
struct Cause {
    why: &'static str,
    other_may_work: bool,
}

impl Cause {
    fn of(error: &eframe::Error, was_open: bool) -> Self {
        let (why, other_may_work) = match error {
            eframe::Error::Winit(_) | eframe::Error::WinitEventLoop(_) => {
                ("there is no display to open it on", false)
            }
            eframe::Error::Glutin(_)
            | eframe::Error::NoGlutinConfigs(..)
            | eframe::Error::OpenGL(_) => ("this computer offers no usable OpenGL", true),
            eframe::Error::Wgpu(_) => ("no usable Vulkan, Metal or Direct3D", true),
            eframe::Error::AppCreation(_) => ("a part of it could not be made", false),
        };
        Self {
            why,
            other_may_work: other_may_work && !was_open,
        }
    }
}

fn open(engine: &Engine, options: &WindowOptions, renderer: eframe::Renderer) -> Result<(), Cause> {
    let opened = Arc::new(AtomicBool::new(false));
    let was_open = Arc::clone(&opened);
    let engine = engine.clone();
    let title = if options.title_note.is_empty() {
        "Labferry".to_owned()
    } else {
        format!("Labferry – {}", options.title_note)
    };
    let native = eframe::NativeOptions {
        viewport: egui::ViewportBuilder::default()
            .with_title(&title)
            .with_app_id("labferry")
            .with_inner_size(FIRST)
            .with_min_inner_size(SMALLEST)
            .with_drag_and_drop(true),
        renderer,
        persist_window: options.memory_file.is_some(),
        persistence_path: options.memory_file.clone(),
        ..eframe::NativeOptions::default()
    };
    eframe::run_native(
        "labferry",
        native,
        Box::new(move |creation| {
            opened.store(true, Ordering::Relaxed);
            let context = creation.egui_ctx.clone();
            engine.on_change(move || context.request_repaint());
            let desktop = Box::new(SystemDesktop);
            let app = App::new(&creation.egui_ctx, Link::to(&engine), desktop);
            system_theme::follow(&creation.egui_ctx);
            Ok(Box::new(app))
        }),
    )
    .map_err(|error| {
        tracing::warn!(?renderer, %error, "the window did not open");
        Cause::of(&error, was_open.load(Ordering::Relaxed))
    })
}

/// A native message needs a display on Linux; without one the caller's standard error has to do.
fn can_show_messages() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty()))
}
