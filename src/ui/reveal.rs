//! Showing a file in its folder, marked, with the file manager of the system.
//!
//! On Linux file managers are asked by `org.freedesktop.FileManager1` (freedesktop.org, *File Manager D-Bus interface*); where
//! nobody answers the folder is opened instead.

use std::path::Path;

/// Shows the file. The answer of a file manager is not waited for.
///
/// # Errors
/// One sentence for the person.
pub(super) fn reveal(path: &Path) -> Result<(), String> {
    start(path).map_err(|error| {
        tracing::warn!(%error, "could not show a file in its folder");
        format!("This computer found no program to show {}", path.display())
    })
}

#[cfg(all(unix, not(target_os = "macos")))]
fn start(path: &Path) -> std::io::Result<()> {
    let path = path.to_owned();
    let spawned = std::thread::Builder::new()
        .name("show in folder".to_owned())
        .spawn(move || {
            if let Err(error) = ask_file_manager(&path) {
                tracing::info!(%error, "no file manager marks files; opening the folder");
                let opened = path.parent().map_or(Ok(()), open::that_detached);
                if let Err(error) = opened {
                    tracing::warn!(%error, "could not open a folder");
                }
            }
        });
    spawned.map(|_thread| ())
}

#[cfg(all(unix, not(target_os = "macos")))]
fn ask_file_manager(path: &Path) -> Result<(), Box<dyn std::error::Error>> {
    let address = url::Url::from_file_path(path).map_err(|()| "the path is not absolute")?;
    let connection = zbus::blocking::Connection::session()?;
    connection.call_method(
        Some("org.freedesktop.FileManager1"),
        "/org/freedesktop/FileManager1",
        Some("org.freedesktop.FileManager1"),
        "ShowItems",
        &(vec![address.as_str()], ""),
    )?;
    Ok(())
}

#[cfg(target_os = "macos")]
fn start(path: &Path) -> std::io::Result<()> {
    let mut shown = std::process::Command::new("open")
        .arg("-R")
        .arg(path)
        .spawn()?;
    std::thread::Builder::new()
        .name("show in folder".to_owned())
        .spawn(move || shown.wait().map(|_status| ()))
        .map(|_thread| ())
}

#[cfg(windows)]
fn start(path: &Path) -> std::io::Result<()> {
    use std::os::windows::process::CommandExt as _;
    // Explorer takes the path in quotes behind the comma and no other way; a Windows path holds no quotes.
    std::process::Command::new("explorer")
        .raw_arg(format!("/select,\"{}\"", path.display()))
        .spawn()
        .map(|_explorer| ())
}
