//! `labferry demo`: the sandbox connected and sample files at hand, in the window or all the way in the terminal.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tempfile::TempDir;

use crate::cli::arguments::DemoArguments;
use crate::cli::out::Out;
use crate::cli::sandbox::explain;
use crate::cli::send::{choose, finish, submit};
use crate::cli::session::{self, Session, absolute};
use crate::cli::trouble::{Ending, Trouble};
use crate::engine::command::Command;
use crate::engine::snapshot::{CheckState, Loadable, Snapshot};
use crate::engine::{Engine, EngineOptions};
use crate::model::batch::{BatchDraft, Target};
use crate::model::connection::ConnectionDraft;
use crate::model::form::Settings;
use crate::model::ids::{JobId, ProviderId};
use crate::model::job::Stage;
use crate::model::secret::Secret;
use crate::sandbox::samples;
use crate::sandbox::{Connectable, Sandbox, SandboxOptions};
use crate::store::folders::Folders;

/// What the headless demo runs, by the names the sandbox gives them; of a connection with none of these, the first one.
const PIPELINES: [&str; 6] = [
    "Nuclei count",
    "Image statistics",
    "Read quality",
    "Table summary",
    "wordcount",
    "zipresults",
];

/// Longest wait for the simulated platforms to say what they can run.
const PATIENCE: Duration = Duration::from_mins(1);

/// The demo's own place: a folder named by the person, or one that goes away with the demo.
pub(super) struct House {
    folder: PathBuf,
    temporary: Option<TempDir>,
}

/// A demo under way.
pub(super) struct Running {
    engine: Engine,
    house: House,
    /// How many platforms the sandbox has.
    platforms: usize,
    // Held so that the platforms answer as long as the demo lasts.
    _sandbox: Sandbox,
}

impl House {
    /// Nothing of the person's own Labferry is touched.
    pub(super) fn make(data_dir: Option<&Path>) -> Result<Self, Trouble> {
        if let Some(folder) = data_dir {
            return Ok(Self {
                folder: absolute(folder)?,
                temporary: None,
            });
        }
        let temporary = tempfile::Builder::new()
            .prefix("labferry-demo-")
            .tempdir()
            .map_err(|error| no_folder(&error))?;
        Ok(Self {
            folder: temporary.path().to_path_buf(),
            temporary: Some(temporary),
        })
    }

    /// Where data and results go. Results nobody named a folder for outlive the demo.
    pub(super) fn folders(&mut self, into: Option<&Path>) -> Result<Folders, Trouble> {
        let mut folders = Folders::below(&self.folder);
        match into {
            Some(into) => folders.results = absolute(into)?,
            None => {
                if let Some(temporary) = self.temporary.take() {
                    self.folder = temporary.keep();
                }
            }
        }
        Ok(folders)
    }

    /// The person's files, or samples written for the purpose.
    fn files(&self, typed: &[PathBuf]) -> Result<Vec<PathBuf>, Trouble> {
        if !typed.is_empty() {
            return typed.iter().map(|path| absolute(path)).collect();
        }
        let folder = self.folder.join("samples");
        std::fs::create_dir_all(&folder)
            .and_then(|()| samples::write_into(&folder))
            .map_err(|error| no_folder(&error))
    }
}

impl Running {
    /// The engine behind it.
    pub(super) fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Stops the engine, then the platforms.
    pub(super) async fn stop(self) {
        session::stop(self.engine).await;
    }
}

/// Starts sandbox and engine and connects one with the other, without waiting for the answers.
pub(super) async fn start(house: House, folders: &Folders) -> Result<Running, Trouble> {
    let sandbox = Sandbox::start(SandboxOptions::default())
        .await
        .map_err(|error| explain(&error))?;
    let engine = session::start(EngineOptions::demo(folders.clone()))?;
    let addresses = sandbox.addresses();
    let connections = addresses
        .all()
        .iter()
        .map(connection)
        .collect::<Result<Vec<_>, Trouble>>()?;
    for (draft, secrets) in connections {
        session::hand_over(&engine, Command::SaveConnection(draft, secrets))?;
    }
    Ok(Running {
        engine,
        house,
        platforms: addresses.all().len(),
        _sandbox: sandbox,
    })
}

/// What a person would fill in to connect to a platform of the sandbox.
fn connection(place: &Connectable) -> Result<(ConnectionDraft, Vec<(String, Secret)>), Trouble> {
    let mut draft = ConnectionDraft {
        label: format!("{} (sandbox)", place.name),
        provider: ProviderId::from(place.platform),
        entries: BTreeMap::new(),
    };
    let mut secrets = Vec::new();
    for entry in &place.entries {
        let field = entry.field.to_owned();
        if entry.is_secret {
            let secret = Secret::parse_key(&entry.value).map_err(|problem| {
                Trouble::problem(format!("{problem}."), "Nothing was started.", "")
            })?;
            secrets.push((field, secret));
        } else {
            draft.entries.insert(field, entry.value.clone());
        }
    }
    Ok((draft, secrets))
}

/// Puts the files at hand in the window.
pub(super) fn lay_out(running: &Running, arguments: &DemoArguments) -> Result<(), Trouble> {
    let files = running.house.files(&arguments.files)?;
    session::hand_over(&running.engine, Command::AddFiles(files))
}

/// The whole job in the terminal.
pub(super) async fn headless(
    running: &Running,
    arguments: &DemoArguments,
    out: Out,
) -> Result<Ending, Trouble> {
    let files = running.house.files(&arguments.files)?;
    let mut session = Session::over(running.engine.clone()).await?;
    let platforms = running.platforms;
    let ready = session.until(|snapshot| targets(snapshot, platforms));
    let targets = tokio::time::timeout(PATIENCE, ready)
        .await
        .map_err(|_elapsed| {
            Trouble::problem(
                "The simulated platforms did not answer.",
                "Nothing was sent.",
                "The log says more.",
            )
        })???;
    // The window may have laid them out already; laid twice they would be duplicates.
    session.send(Command::ClearFiles)?;
    let draft = BatchDraft {
        name: "Demo".to_owned(),
        into: None,
        targets,
    };
    let batch = submit(&mut session, files, draft).await?;
    let watched: BTreeSet<JobId> = batch.jobs.iter().copied().collect();
    let ending = session.follow(out, &watched, Stage::is_settled).await?;
    finish(&batch, ending, false, out)?;
    Ok(ending)
}

/// One target a pipeline, once every platform has said what it can run.
fn targets(snapshot: &Snapshot, platforms: usize) -> Option<Result<Vec<Target>, Trouble>> {
    let views = &snapshot.connections;
    if views.len() < platforms {
        return None;
    }
    let mut targets = Vec::new();
    for view in views {
        let pipelines = match (&view.check, &view.pipelines) {
            (CheckState::Bad(words), _) | (_, Loadable::Failed(words)) => {
                return Some(Err(Trouble::Problem(words.clone())));
            }
            (CheckState::Good, Loadable::Ready(pipelines)) => pipelines,
            (_, _) => return None,
        };
        let fan_outs = snapshot
            .facts(&view.connection.provider)?
            .capabilities
            .fan_outs;
        let mut chosen: Vec<_> = PIPELINES
            .iter()
            .map(|name| choose(pipelines, name))
            .filter(|pipeline| pipelines.contains(pipeline))
            .collect();
        if chosen.is_empty() {
            chosen.extend(pipelines.first().cloned());
        }
        targets.extend(chosen.into_iter().filter_map(|pipeline| {
            Some(Target {
                sample_column: None,
                existing: Vec::new(),
                connection: view.connection.id,
                pipeline,
                fan_out: fan_outs.first().copied()?,
                settings: Settings::new(),
            })
        }));
    }
    Some(Ok(targets))
}

fn no_folder(error: &std::io::Error) -> Trouble {
    Trouble::problem(
        format!("The demo has no folder to work in: {error}."),
        "Nothing was started.",
        "Name one with --data-dir.",
    )
}
