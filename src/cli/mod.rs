//! The same engine without a window: one small file a command, and no logic of its own.
//!
//! Owns what is typed, what is printed and the exit code. What happens in between is the engine's.

mod adopt;
mod arguments;
mod check;
mod connect;
mod demo;
mod follow;
mod jobs;
mod logging;
mod out;
mod resume;
mod sandbox;
mod send;
mod session;
mod table;
mod trouble;

use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use tokio::runtime::Runtime;
use tracing_appender::non_blocking::WorkerGuard;

use crate::cli::arguments::{Arguments, CommandName, DemoArguments};
use crate::cli::out::Out;
use crate::cli::trouble::Trouble;
use crate::engine::{Engine, EngineOptions};
use crate::store::folders::Folders;

/// What `main` has to do next.
pub enum Next {
    /// End with this code.
    Exit(ExitCode),
    /// Open the window.
    Window(Box<WindowPlan>),
}

/// A window to open, and what has to live as long as it does.
pub struct WindowPlan {
    /// The engine behind it.
    pub engine: Engine,
    /// The folders it works in.
    pub folders: Folders,
    /// The demo behind it, if it is one.
    demo: Option<(demo::Running, DemoArguments)>,
    out: Out,
    runtime: Runtime,
    // Held so that the log is written out at the end.
    _log: Option<WorkerGuard>,
}

/// Does what was typed, or says which window to open.
pub fn run() -> Next {
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        // Help and version are asked for, the rest is wrong use; clap knows where each is printed.
        Err(error) => {
            let code = u8::try_from(error.exit_code()).unwrap_or(2);
            if error.print().is_err() {
                tracing::debug!("nobody reads");
            }
            return Next::Exit(ExitCode::from(code));
        }
    };
    let out = Out::new(arguments.json);
    match dispatch(arguments, out) {
        Ok(next) => next,
        Err(trouble) => Next::Exit(report(&trouble)),
    }
}

/// Says on standard error what went wrong.
fn report(trouble: &Trouble) -> ExitCode {
    if let Some(words) = trouble.words() {
        out::problem(words);
    }
    trouble.code()
}

fn dispatch(arguments: Arguments, out: Out) -> Result<Next, Trouble> {
    let data_dir = arguments.data_dir.as_deref();
    let runtime = runtime()?;
    let ending = match arguments.command {
        None => return open_window(data_dir, out, runtime),
        Some(CommandName::Demo(demo)) => return open_demo(demo, data_dir, out, runtime),
        Some(CommandName::Sandbox(sandbox)) => runtime.block_on(sandbox::run(sandbox))?,
        Some(CommandName::Check(check)) => check::run(&check, out)?,
        Some(CommandName::Table(table)) => table::run(&table, out)?,
        Some(CommandName::Jobs) => jobs::run(&folders(data_dir)?, out)?,
        Some(CommandName::Connect(connect)) => {
            let place = Place::at(data_dir)?;
            runtime.block_on(connect::run(connect, &place.folders, out))?
        }
        Some(CommandName::Send(send)) => {
            let place = Place::at(data_dir)?;
            runtime.block_on(send::run(send, &place.folders, out))?
        }
        Some(CommandName::Adopt(adopt)) => {
            let place = Place::at(data_dir)?;
            runtime.block_on(adopt::run(adopt, &place.folders, out))?
        }
        Some(CommandName::Resume) => {
            let place = Place::at(data_dir)?;
            runtime.block_on(resume::run(&place.folders, out))?
        }
    };
    Ok(Next::Exit(ending.code()))
}

fn open_window(data_dir: Option<&Path>, out: Out, runtime: Runtime) -> Result<Next, Trouble> {
    let place = Place::at(data_dir)?;
    let engine = session::start(EngineOptions::real(place.folders.clone()))?;
    Ok(Next::Window(Box::new(WindowPlan {
        engine,
        folders: place.folders,
        demo: None,
        out,
        runtime,
        _log: place.log,
    })))
}

fn open_demo(
    arguments: DemoArguments,
    data_dir: Option<&Path>,
    out: Out,
    runtime: Runtime,
) -> Result<Next, Trouble> {
    let mut house = demo::House::make(data_dir)?;
    let place = Place::with(house.folders(arguments.into.as_deref())?);
    let running = runtime.block_on(demo::start(house, &place.folders))?;
    let displayed = has_display();
    if !arguments.headless && !displayed {
        out.line("There is no display here, so the demo runs in the terminal.")?;
    }
    if arguments.headless || !displayed {
        let ending = runtime.block_on(async {
            let ending = demo::headless(&running, &arguments, out).await;
            running.stop().await;
            ending
        })?;
        return Ok(Next::Exit(ending.code()));
    }
    demo::lay_out(&running, &arguments)?;
    Ok(Next::Window(Box::new(WindowPlan {
        engine: running.engine().clone(),
        folders: place.folders,
        demo: Some((running, arguments)),
        out,
        runtime,
        _log: place.log,
    })))
}

impl WindowPlan {
    /// Whether the sandbox is behind it.
    pub const fn is_demo(&self) -> bool {
        self.demo.is_some()
    }

    /// The window was closed.
    pub fn closed(self) -> ExitCode {
        self.runtime.block_on(async {
            match self.demo {
                Some((running, _)) => running.stop().await,
                None => session::stop(self.engine).await,
            }
        });
        ExitCode::SUCCESS
    }

    /// The window could not be opened: the demo goes on in the terminal, anything else says why and ends.
    pub fn could_not_open(self, why: &str) -> ExitCode {
        let out = self.out;
        let outcome = self.runtime.block_on(async {
            let Some((running, arguments)) = self.demo else {
                session::stop(self.engine).await;
                return Err(Trouble::problem(
                    format!("The window does not open: {why}."),
                    "Nothing was changed.",
                    "`labferry --help` lists what works without one.",
                ));
            };
            out.line(format_args!(
                "The window does not open here ({why}), so the demo runs in the terminal."
            ))?;
            let ending = demo::headless(&running, &arguments, out).await;
            running.stop().await;
            ending
        });
        match outcome {
            Ok(ending) => ending.code(),
            Err(trouble) => report(&trouble),
        }
    }
}

/// The folders, and the log in them.
struct Place {
    folders: Folders,
    log: Option<WorkerGuard>,
}

impl Place {
    fn at(data_dir: Option<&Path>) -> Result<Self, Trouble> {
        Ok(Self::with(folders(data_dir)?))
    }

    fn with(folders: Folders) -> Self {
        // What cannot be made here is found out, and said, when the journal is opened.
        let log = folders.make().is_ok().then(|| logging::start(&folders.log));
        Self {
            folders,
            log: log.flatten(),
        }
    }
}

fn folders(data_dir: Option<&Path>) -> Result<Folders, Trouble> {
    Folders::find(data_dir).map_err(|error| {
        Trouble::problem(
            format!("Labferry has no place for its data: {error}."),
            "Nothing was done.",
            "Name a folder with --data-dir.",
        )
    })
}

fn runtime() -> Result<Runtime, Trouble> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("labferry-cli")
        .enable_all()
        .build()
        .map_err(|error| {
            Trouble::problem(
                format!("Labferry cannot start its threads: {error}."),
                "Nothing was done.",
                "Close other programs and try again.",
            )
        })
}

/// Whether a window can be expected to open. Only Linux and its kin say so in the environment.
fn has_display() -> bool {
    let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    cfg!(any(windows, target_os = "macos")) || is_set("DISPLAY") || is_set("WAYLAND_DISPLAY")
}
