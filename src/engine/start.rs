//! Starting is recovering: the journal is read, the world is made from it, and `plan` sees what is due.

use std::sync::{Arc, PoisonError};

use tokio::sync::{mpsc, watch};

use crate::engine::desk::Desk;
use crate::engine::dispatcher::{Channels, Dispatcher};
use crate::engine::keys::Keys;
use crate::engine::snapshot::{Phase, Snapshot};
use crate::engine::view;
use crate::engine::worker::{Question, Toolbox};
use crate::engine::world::World;
use crate::engine::{EngineOptions, WakeCell, recovery};
use crate::model::error::{Doing, Error, Result, system_words};
use crate::model::ids::NoticeId;
use crate::model::notice::{About, Notice, Weight, Words};
use crate::model::provider::ProviderFacts;
use crate::model::settings::AppSettings;
use crate::net::client::{Http, NetOptions};
use crate::net::speed::Way;
use crate::store::journal::{CommitError, Journal, JournalProblem, Opened};

/// The ends of the channels that the engine's thread gets.
pub struct Ends {
    /// From the person.
    pub commands: mpsc::Receiver<crate::engine::command::Command>,
    /// To the person.
    pub snapshots: watch::Sender<Arc<Snapshot>>,
    /// Called after each snapshot.
    pub wake: WakeCell,
    /// Turns true when the engine shall end.
    pub closing: watch::Receiver<bool>,
}

/// The world before the journal is read.
pub fn first_world(options: &EngineOptions) -> World {
    let facts: Arc<[&'static ProviderFacts]> =
        options.entries.iter().map(|entry| entry.facts).collect();
    World::new(facts, options.pace, options.folders.results.clone())
}

/// Works until the engine shall end. A journal that cannot be opened leaves a last snapshot that says why.
pub async fn run(options: EngineOptions, ends: Ends) {
    let mut world = first_world(&options);
    let (journal, set_aside) = match open(&options) {
        Ok(Opened {
            journal,
            contents,
            set_aside,
        }) => {
            recovery::fill(&mut world, contents);
            (journal, set_aside)
        }
        Err(words) => {
            tracing::error!(what = words.what, "the engine does not start");
            stop(&world, &ends, words).await;
            return;
        }
    };
    let settings = &world.settings;
    let speed = &options.net.speed;
    speed.limit(Way::Up, settings.upload_bytes_per_second);
    speed.limit(Way::Down, settings.download_bytes_per_second);
    let http = match http(settings, &options.net) {
        Ok(http) => http,
        Err(error) => {
            tracing::error!(%error, "the network settings cannot be used");
            match Http::new(&options.net) {
                Ok(http) => http,
                Err(error) => {
                    stop(&world, &ends, no_network(&error)).await;
                    return;
                }
            }
        }
    };
    let desk = Desk::new(options.folders.log.clone(), options.home.clone())
        .keep_thumbnails(&options.folders.cache);
    let (questions, asked) = mpsc::channel::<Question>(64);
    let tools = Toolbox {
        http,
        net: options.net.clone(),
        keys: Keys::new(options.keyring, options.environment),
        entries: options.entries,
        home: options.home,
        data_folder: options.folders.data,
        writes: options.writes,
        facts: world.facts.clone(),
        clients: std::collections::BTreeMap::new(),
        questions,
    };
    let channels = Channels {
        commands: ends.commands,
        snapshots: ends.snapshots,
        wake: ends.wake,
        closing: ends.closing,
        questions: asked,
    };
    let mut dispatcher =
        Dispatcher::new(world, journal, channels, tools, desk, options.clock.clone());
    dispatcher.crash_after(options.crash_after_commits);
    if options.keep_awake {
        dispatcher.keep_awake();
    }
    if let Some(path) = set_aside {
        dispatcher.say_set_aside(&path);
    }
    dispatcher.run().await;
}

fn open(options: &EngineOptions) -> std::result::Result<Opened, Words> {
    options
        .folders
        .make()
        .map_err(|error| no_folder(&options.folders.data, &system_words(&error)))?;
    Journal::open(&options.folders.data).map_err(|problem| match problem {
        JournalProblem::InUse(process) => Words {
            what: format!("Another Labferry{} is already at work with this data folder.", of_process(process)),
            did: "This one steps aside and touches nothing.".to_owned(),
            next: "Use the other one, or close it first.".to_owned(),
            action: None,
        },
        JournalProblem::Newer { found, known } => Words {
            what: format!("The journal was written by a newer Labferry (version {found}; this one knows {known})."),
            did: "It was left as it is, and nothing is sent or fetched.".to_owned(),
            next: "Install the newer Labferry again.".to_owned(),
            action: None,
        },
        JournalProblem::DiskFull => Words {
            what: "The drive with Labferry's own folder is full.".to_owned(),
            did: "Nothing was touched.".to_owned(),
            next: format!("Make room on the drive of {} and start again.", options.folders.data.display()),
            action: None,
        },
        JournalProblem::Io(error) => no_folder(&options.folders.data, &system_words(&error)),
    })
}

/// The number of a process, where it is known.
fn of_process(process: Option<u32>) -> String {
    process.map_or_else(String::new, |number| format!(" (process {number})"))
}

fn no_folder(folder: &std::path::Path, why: &str) -> Words {
    Words {
        what: format!(
            "Labferry cannot use its own folder {}: {why}.",
            folder.display()
        ),
        did: "Nothing was touched.".to_owned(),
        next: "See that the folder can be written, or choose another with --data-dir.".to_owned(),
        action: None,
    }
}

fn no_network(error: &Error) -> Words {
    Words {
        what: "The network part of Labferry does not start.".to_owned(),
        did: "Nothing was sent or fetched.".to_owned(),
        next: format!("Report this with these words: {error}."),
        action: None,
    }
}

/// Leaves a last snapshot and waits for the end.
async fn stop(world: &World, ends: &Ends, words: Words) {
    let snapshot = Snapshot {
        seq: 1,
        ..view::empty(world, Phase::Stopped(words))
    };
    ends.snapshots.send_replace(Arc::new(snapshot));
    wake(&ends.wake);
    let mut closing = ends.closing.clone();
    // The other end gone means the same as the end.
    if closing.wait_for(|closing| *closing).await.is_err() {
        tracing::debug!("the engine's handles are gone");
    }
}

/// Calls whoever wants to hear of new snapshots.
pub fn wake(cell: &WakeCell) {
    if let Some(wake) = cell.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
        wake();
    }
}

/// The way to the network as the settings want it.
pub fn http(settings: &AppSettings, base: &NetOptions) -> Result<Http> {
    let extra_authority_pem = match &settings.extra_authority {
        Some(path) => {
            Some(std::fs::read(path).map_err(|error| Error::from_io(&error, Doing::Connect))?)
        }
        None => base.extra_authority_pem.clone(),
    };
    Http::new(&NetOptions {
        proxy: settings.proxy.clone(),
        extra_authority_pem,
        ..base.clone()
    })
}

/// What is said about a damaged journal.
pub fn set_aside_notice(id: NoticeId, at: jiff::Timestamp, path: &std::path::Path) -> Notice {
    Notice {
        id,
        at,
        about: About::App,
        weight: Weight::Problem,
        words: Words {
            what: "The journal was damaged and could not be read.".to_owned(),
            did: format!(
                "It was kept as {} and a new one was begun; result files are untouched.",
                path.display()
            ),
            next:
                "Add your connections again; jobs that were under way are still at their platforms."
                    .to_owned(),
            action: None,
        },
        details: Vec::new(),
    }
}

/// What is said while the journal cannot be written.
pub fn held(error: &CommitError, folder: &std::path::Path) -> Words {
    let what = match error {
        CommitError::DiskFull => format!(
            "The drive with Labferry's own folder {} is full.",
            folder.display()
        ),
        CommitError::Other(_) => {
            format!("Labferry cannot write its journal in {}.", folder.display())
        }
    };
    Words {
        what,
        did: "Nothing was lost; everything waits and goes on by itself as soon as the journal can be written.".to_owned(),
        next: "Make room on that drive.".to_owned(),
        action: None,
    }
}
