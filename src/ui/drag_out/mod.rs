//! Dragging a result out of the window to another program.
//!
//! winit offers no drag source on any system. On X11 a thread can be one beside it; elsewhere a file is not
//! dragged, and *Show in folder* leads to one that can be.

#[cfg(all(unix, not(target_os = "macos")))]
mod x11;

use std::path::Path;

/// Whether files can be dragged out of this window.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) fn is_possible() -> bool {
    static POSSIBLE: std::sync::OnceLock<bool> = std::sync::OnceLock::new();
    // With both, the window is Wayland's, which keeps to itself where the pointer is.
    let is_set = |variable| std::env::var_os(variable).is_some_and(|value| !value.is_empty());
    *POSSIBLE.get_or_init(|| is_set("DISPLAY") && !is_set("WAYLAND_DISPLAY"))
}

/// Whether files can be dragged out of this window.
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub(super) const fn is_possible() -> bool {
    false
}

/// Drags a file from now on, until the button is let go. Returns at once.
#[cfg(all(unix, not(target_os = "macos")))]
pub(super) fn start(path: &Path) {
    use std::sync::atomic::{AtomicBool, Ordering};

    static UNDER_WAY: AtomicBool = AtomicBool::new(false);
    if !is_possible() || UNDER_WAY.swap(true, Ordering::Relaxed) {
        return;
    }
    let path = path.to_owned();
    let spawned = std::thread::Builder::new()
        .name("drag".to_owned())
        .spawn(move || {
            match x11::drag(&[path]) {
                Ok(taken) => tracing::info!(taken, "dragged a file"),
                Err(error) => tracing::warn!(%error, "could not drag a file"),
            }
            UNDER_WAY.store(false, Ordering::Relaxed);
        });
    if let Err(error) = spawned {
        tracing::error!(%error, "no thread for dragging");
        UNDER_WAY.store(false, Ordering::Relaxed);
    }
}

/// Does nothing where no file can be dragged.
#[cfg(not(all(unix, not(target_os = "macos"))))]
pub(super) const fn start(_path: &Path) {}
