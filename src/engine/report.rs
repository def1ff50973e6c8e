//! *Report a problem*: what is known of the state, without names, addresses and keys, and the last lines of the log with the
//! same taken out. A person reads it before saving it; nothing is sent anywhere.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use crate::engine::snapshot::KeyringState;
use crate::engine::world::World;
use crate::model::error::{Error, system_words};
use crate::model::job::Job;
use crate::model::report::Redaction;
use crate::model::settings::{ProxyChoice, ThemeChoice};
use crate::store::folders;

/// Lines of the log that are taken.
const LOG_LINES: usize = 300;

/// Bytes of the newest log file that are looked at.
const LOG_BYTES: usize = 256 * 1024;

/// Jobs that are listed, newest first.
const MOST_JOBS: usize = 200;

/// The state in words. Names and addresses are left out here and not only redacted: connections and jobs go by number.
pub(super) fn state(world: &World, at: Timestamp) -> Vec<String> {
    let mut lines = vec![
        "Labferry report of a problem".to_owned(),
        format!(
            "Version {}, {} {}, {at}",
            env!("CARGO_PKG_VERSION"),
            std::env::consts::OS,
            std::env::consts::ARCH
        ),
        String::new(),
        "Settings".to_owned(),
    ];
    let settings = &world.settings;
    let proxy = match &settings.proxy {
        ProxyChoice::System => "as the system",
        ProxyChoice::None => "none",
        ProxyChoice::Manual(_address) => "one of its own",
    };
    lines.extend([
        format!("- proxy: {proxy}"),
        format!(
            "- extra authority: {}",
            yes(settings.extra_authority.is_some())
        ),
        format!(
            "- own results folder: {}",
            yes(settings.results_folder.is_some())
        ),
        format!(
            "- uploads {}, downloads {} at the same time; archives kept: {}",
            settings.parallel_uploads,
            settings.parallel_downloads,
            yes(settings.keep_archives)
        ),
        format!(
            "- theme: {}, text {} %",
            theme(settings.theme),
            settings.text_percent
        ),
        format!("- keyring: {}", keyring(world.live.keyring)),
        String::new(),
        format!("Connections: {}", world.connections.len()),
    ]);
    for connection in world.connections.values() {
        let link = world.live.links.get(&connection.id);
        let key = link.map_or("not looked for", |link| link.key.words());
        let filled: Vec<&str> = connection.options.keys().map(String::as_str).collect();
        lines.push(format!(
            "- connection {}: {}, filled in: {}; {key}",
            connection.id,
            connection.provider,
            if filled.is_empty() {
                "nothing".to_owned()
            } else {
                filled.join(", ")
            }
        ));
        if let Some(error) = link.and_then(|link| link.blocked.as_ref()) {
            lines.push(format!("    blocked: {}", facts(error)));
        }
    }
    jobs(world, &mut lines);
    lines
}

fn jobs(world: &World, lines: &mut Vec<String>) {
    let mut stages: BTreeMap<&str, usize> = BTreeMap::new();
    for job in world.jobs.values() {
        *stages.entry(job.stage.word()).or_default() += 1;
    }
    let counts: Vec<String> = stages
        .iter()
        .map(|(stage, count)| format!("{stage} {count}"))
        .collect();
    lines.push(String::new());
    lines.push(format!(
        "Jobs: {} ({})",
        world.jobs.len(),
        counts.join(", ")
    ));
    let told = world.jobs.values().rev().take(MOST_JOBS);
    lines.extend(told.map(|job| job_line(job)));
}

fn job_line(job: &Job) -> String {
    let error = job
        .error
        .as_ref()
        .map_or_else(String::new, |error| format!("; {}", facts(error)));
    format!(
        "- job {} of batch {} over connection {}: {}, {} files, {} attempts{error}",
        job.id,
        job.batch,
        job.connection,
        job.stage.word(),
        job.files.len(),
        job.attempts
    )
}

/// An error without the words of a server: those may repeat anything.
fn facts(error: &Error) -> String {
    let failure = error.failure();
    let status = failure
        .status
        .map_or_else(String::new, |status| format!(", status {status}"));
    format!("{:?} while {:?}{status}", failure.kind, failure.doing)
}

const fn theme(theme: ThemeChoice) -> &'static str {
    match theme {
        ThemeChoice::System => "as the system",
        ThemeChoice::Light => "light",
        ThemeChoice::Dark => "dark",
    }
}

const fn keyring(keyring: Option<KeyringState>) -> &'static str {
    match keyring {
        None | Some(KeyringState::Unknown) => "not tried yet",
        Some(KeyringState::Works) => "works",
        Some(KeyringState::Absent) => "there is none",
        Some(KeyringState::NotWanted) => "not wanted",
    }
}

const fn yes(is: bool) -> &'static str {
    if is { "yes" } else { "no" }
}

/// Everything in the state that names somebody or something, to be taken out of lines of the log.
pub(super) fn redaction(world: &World, home: Option<&Path>) -> Redaction {
    let mut redaction = Redaction::default();
    for connection in world.connections.values() {
        let name = format!("[connection {}]", connection.id);
        redaction.hide(&connection.label, &name);
        redaction.hide(&connection.base_url, "[address]");
        let host = connection.base_url.split("://").last().unwrap_or_default();
        let host = host.split('/').next().unwrap_or_default();
        redaction.hide(host, "[host]");
        redaction.hide(host.split(':').next().unwrap_or_default(), "[host]");
        for value in connection.options.values() {
            redaction.hide(value, "[entry]");
        }
        redaction.hide(&connection.vault_name, "[…]");
        if let Some(account) = &connection.account {
            redaction.hide(&account.name, "[account]");
            for place in &account.places {
                redaction.hide(&place.id, "[place]");
                redaction.hide(&place.name, "[place]");
            }
        }
    }
    for batch in world.batches.values() {
        redaction.hide(&batch.name, &format!("[batch {}]", batch.id));
        redaction.hide_folder(&batch.folder, &format!("[folder of batch {}]", batch.id));
        for file in &batch.files {
            redaction.hide_folder(&file.local.path, "[file]");
            redaction.hide(&file.local.name, "[file]");
            redaction.hide(&file.remote_name, "[file]");
        }
    }
    for job in world.jobs.values() {
        let name = format!("[job {}]", job.id);
        redaction.hide(&job.name, &name);
        redaction.hide(&job.connection_label, "[connection]");
        if let Some(remote) = &job.remote {
            redaction.hide(&remote.id, "[…]");
        }
    }
    if let ProxyChoice::Manual(address) = &world.settings.proxy {
        redaction.hide(address, "[proxy]");
    }
    redaction.hide_folder(&world.default_results_folder, "[results]");
    if let Some(home) = home {
        redaction.hide_folder(home, "~");
        let user = home.file_name().map(|name| name.to_string_lossy());
        redaction.hide(&user.unwrap_or_default(), "[user]");
    }
    redaction
}

/// The whole text: the state and the end of the newest log, each line redacted. Blocking.
pub(super) fn text(state: &[String], redaction: &Redaction, log: &Path) -> String {
    let mut text = String::new();
    let head = state.iter().map(|line| redaction.line(line));
    let log = match log_lines(log) {
        Ok(lines) if lines.is_empty() => vec!["(There is no log.)".to_owned()],
        Ok(lines) => lines.iter().map(|line| redaction.line(line)).collect(),
        Err(error) => vec![format!(
            "(The log could not be read: {}.)",
            system_words(&error)
        )],
    };
    let title = [String::new(), "Last lines of the log".to_owned()];
    for line in head.chain(title).chain(log) {
        text.push_str(&line);
        text.push('\n');
    }
    text
}

/// The last lines of the newest file in the folder of the log.
fn log_lines(folder: &Path) -> io::Result<Vec<String>> {
    let mut files: Vec<PathBuf> = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|ending| ending == "log") {
            files.push(path);
        }
    }
    // Their names end in the day.
    files.sort();
    let Some(newest) = files.last() else {
        return Ok(Vec::new());
    };
    let bytes = fs::read(newest)?;
    let end = bytes.get(bytes.len().saturating_sub(LOG_BYTES)..);
    let whole = end.is_some_and(|end| end.len() == bytes.len());
    let text = String::from_utf8_lossy(end.unwrap_or_default()).into_owned();
    // The first line may be the rest of one.
    let lines: Vec<String> = text
        .lines()
        .skip(usize::from(!whole))
        .map(str::to_owned)
        .collect();
    let first = lines.len().saturating_sub(LOG_LINES);
    Ok(lines.into_iter().skip(first).collect())
}

/// Saves it; says where, or in one sentence why not. Blocking.
pub(super) fn save(path: &Path, text: &str) -> Result<PathBuf, String> {
    match folders::write_atomically(path, text.as_bytes()) {
        Ok(()) => Ok(path.to_path_buf()),
        Err(error) => Err(format!(
            "{} could not be written: {}",
            path.display(),
            system_words(&error)
        )),
    }
}
