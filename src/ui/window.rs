//! Opens the window: with one renderer, and where that does not start, with the other.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::engine::Engine;
use crate::ui::desktop::{Desktop as _, SystemDesktop};
use crate::ui::{App, Link};

/// How the window opens.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WindowOptions {
    /// The file in the data folder where size, place and column widths are kept; none keeps nothing.
    pub memory_file: Option<PathBuf>,
    /// Added to the title, such as *Demo*; may be empty.
    pub title_note: String,
}

/// Neither renderer started.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The window could not be opened. {first_name}: {first}. {second_name}: {second}")]
pub struct WindowError {
    /// The renderer tried first.
    pub first_name: &'static str,
    /// Why it did not start.
    pub first: String,
    /// The renderer tried next.
    pub second_name: &'static str,
    /// Why that did not start either.
    pub second: String,
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
    tracing::warn!(renderer = name(first), cause = %first_cause.words, "renderer did not start");
    if first_cause.was_open {
        // It ran and broke later; another window now would surprise more than it helps.
        return Err(failed(
            first,
            first_cause.words,
            second,
            "not tried".to_owned(),
        ));
    }
    let Err(second_cause) = open(engine, options, second) else {
        return Ok(());
    };
    let error = failed(first, first_cause.words, second, second_cause.words);
    if can_show_messages() {
        SystemDesktop.message("Labferry", &error.to_string());
    }
    Err(error)
}

/// Why a renderer did not work.
struct Cause {
    words: String,
    was_open: bool,
}

fn failed(
    first: eframe::Renderer,
    first_words: String,
    second: eframe::Renderer,
    second_words: String,
) -> WindowError {
    WindowError {
        first_name: name(first),
        first: first_words,
        second_name: name(second),
        second: second_words,
    }
}

const fn name(renderer: eframe::Renderer) -> &'static str {
    match renderer {
        eframe::Renderer::Glow => "OpenGL",
        eframe::Renderer::Wgpu => "Vulkan, Metal or Direct3D",
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
            Ok(Box::new(App::new(
                &creation.egui_ctx,
                Link::to(&engine),
                desktop,
            )))
        }),
    )
    .map_err(|error| Cause {
        words: error.to_string(),
        was_open: was_open.load(Ordering::Relaxed),
    })
}

/// A native message needs a display on Linux; without one the caller's standard error has to do.
fn can_show_messages() -> bool {
    !cfg!(target_os = "linux")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty()))
}
