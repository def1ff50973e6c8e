//! The log: a file a day in the data folder, and panics written into it.
//!
//! Owns where the log goes and how much of it. What is logged carries no key and no address with a signature:
//! the types that hold those cannot print them.

use std::io::{self, Write};
use std::panic::PanicHookInfo;
use std::path::Path;

use tracing_appender::non_blocking::WorkerGuard;
use tracing_appender::rolling::{RollingFileAppender, Rotation};
use tracing_subscriber::EnvFilter;

use crate::model::shown;

/// Days of which the log is kept.
const KEPT_DAYS: usize = 14;

/// What is logged unless `LABFERRY_LOG` says otherwise. Libraries that may print addresses stay at warnings.
const USUAL: &str = "warn,labferry=info";

/// Starts the log in this folder. The guard writes out the rest when it is dropped; without a folder that can be
/// written there is no log, and the program works all the same.
pub(super) fn start(folder: &Path) -> Option<WorkerGuard> {
    let appender = RollingFileAppender::builder()
        .rotation(Rotation::DAILY)
        .filename_prefix("labferry")
        .filename_suffix("log")
        .max_log_files(KEPT_DAYS)
        .build(folder)
        .ok()?;
    let (writer, guard) = tracing_appender::non_blocking(appender);
    let filter =
        EnvFilter::try_from_env("LABFERRY_LOG").unwrap_or_else(|_unset| EnvFilter::new(USUAL));
    let started = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(move || OneLine(writer.clone()))
        .with_ansi(false)
        .try_init();
    if started.is_err() {
        return None;
    }
    let before = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        log_panic(panic);
        before(panic);
    }));
    tracing::info!(version = env!("CARGO_PKG_VERSION"), "started");
    Some(guard)
}

/// Keeps each event on one line: what steers is written out, so that a text from a server cannot pretend to be a line of its
/// own. The formatter hands over one event at a time.
struct OneLine<W>(W);

impl<W: Write> Write for OneLine<W> {
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let text = String::from_utf8_lossy(event);
        let line = text.strip_suffix('\n').unwrap_or(&text);
        let mut line = shown::written_out(line);
        line.push('\n');
        self.0.write_all(line.as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic
        .location()
        .map_or_else(String::new, ToString::to_string);
    let thread = std::thread::current();
    let thread = thread.name().unwrap_or("unnamed").to_owned();
    // The message of a panic may hold anything, a key among it; the place says enough to find the fault.
    tracing::error!(place, thread, "a fault in the program");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_event_stays_one_line() {
        let mut out = Vec::new();
        let event = "12:00 INFO said=no\n2026-01-01 ERROR a line of its own\u{1b}[2J\n";
        OneLine(&mut out).write_all(event.as_bytes()).unwrap();
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "12:00 INFO said=no\\u{a}2026-01-01 ERROR a line of its own\\u{1b}[2J\n"
        );
    }
}
