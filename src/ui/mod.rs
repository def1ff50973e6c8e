//! The window: adopts the engine's snapshots, draws them, and hands back commands. It never waits for anything.
//!
//! One folder or file a place of the rail, named as on screen. Views are functions that get the part of the snapshot they
//! show, the part of the state they remember, and the outbox; what they put into it leaves after everything is drawn.

pub mod connections;
pub mod desktop;
mod drag_out;
pub mod format;
pub mod jobs;
pub mod notices;
pub mod outbox;
pub mod report;
pub mod results;
mod reveal;
pub mod send;
pub mod settings;
pub mod shell;
pub mod shortcuts;
pub mod state;
pub mod system_theme;
pub mod theme;
pub mod thumbnails;
pub mod welcome;
pub mod widgets;
pub mod window;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use crate::engine::command::Command;
use crate::engine::snapshot::{Phase, Snapshot};
use crate::engine::{Busy, Engine};
use crate::ui::desktop::{Desktop, PickFor, Picked};
use crate::ui::outbox::{Goal, Outbox, Place, Wish};
use crate::ui::state::{Hitch, State};

/// The two ends the window has of the engine; tests put something hand-made there.
pub struct Link {
    /// Reads the latest snapshot.
    pub snapshot: Box<dyn Fn() -> Arc<Snapshot>>,
    /// Hands over a command.
    pub send: Box<dyn Fn(Command) -> Result<(), Busy>>,
}

impl Link {
    /// To a running engine.
    pub fn to(engine: &Engine) -> Self {
        let (reading, sending) = (engine.clone(), engine.clone());
        Self {
            snapshot: Box::new(move || reading.snapshot()),
            send: Box::new(move |command| sending.send(command)),
        }
    }
}

/// The window's content.
pub struct App {
    link: Link,
    desktop: Box<dyn Desktop>,
    snapshot: Arc<Snapshot>,
    state: State,
    picked_sender: Sender<(PickFor, Picked)>,
    picked: Receiver<(PickFor, Picked)>,
}

impl App {
    /// A window on this engine.
    pub fn new(context: &egui::Context, link: Link, desktop: Box<dyn Desktop>) -> Self {
        theme::install(context);
        let snapshot = (link.snapshot)();
        theme::follow(context, &snapshot.settings);
        let (picked_sender, picked) = channel();
        Self {
            link,
            desktop,
            snapshot,
            state: State::default(),
            picked_sender,
            picked,
        }
    }

    /// What the window remembers.
    pub const fn state(&self) -> &State {
        &self.state
    }

    /// Empties the outbox: the engine first, then the desktop, then where to go.
    fn deliver(&mut self, context: &egui::Context, outbox: Outbox) {
        let moved = !outbox.goals.is_empty();
        self.ask_for_thumbnails(outbox.thumbnails);
        let mut unsent = Vec::new();
        for command in outbox.commands {
            if unsent.is_empty() {
                if (self.link.send)(command.clone()) == Err(Busy) {
                    unsent.push(command);
                }
            } else {
                unsent.push(command);
            }
        }
        if !unsent.is_empty() {
            self.state.send.forget_check();
            self.state.hitch = Some(Hitch {
                words: "Labferry is too busy to take this on right now. Nothing was done yet."
                    .to_owned(),
                unsent,
            });
            context.request_repaint();
        }
        for wish in outbox.wishes {
            self.grant(context, wish);
        }
        for goal in outbox.goals {
            self.state.go(goal, &self.snapshot);
        }
        if moved {
            context.request_repaint();
        }
    }

    /// Says once which files with thumbnails are seen now. An engine that is too busy is asked again in the next frame.
    fn ask_for_thumbnails(&mut self, seen: Vec<PathBuf>) {
        if seen != self.state.thumbnails
            && (self.link.send)(Command::ShowThumbnails(seen.clone())) == Ok(())
        {
            self.state.thumbnails = seen;
        }
    }

    fn grant(&mut self, context: &egui::Context, wish: Wish) {
        let outcome = match wish {
            Wish::Pick(what) => {
                let sender = self.picked_sender.clone();
                let context = context.clone();
                self.desktop.pick(
                    what,
                    Box::new(move |picked| {
                        // Nobody listens any more when the window is gone.
                        if sender.send((what, picked)).is_ok() {
                            context.request_repaint();
                        }
                    }),
                );
                Ok(())
            }
            Wish::OpenPath(path) => self.desktop.open_path(&path),
            Wish::Reveal(path) => self.desktop.reveal(&path),
            Wish::DragOut(path) => {
                self.desktop.drag_out(&path);
                Ok(())
            }
            Wish::OpenPage(address) => self.desktop.open_page(&address),
            Wish::StartDemo => self.desktop.start_demo(),
        };
        if let Err(words) = outcome {
            self.state.hitch = Some(Hitch {
                words,
                unsent: Vec::new(),
            });
            context.request_repaint();
        }
    }

    /// Turns answers of pickers into commands.
    fn take_picked(&mut self, outbox: &mut Outbox) {
        while let Ok((what, picked)) = self.picked.try_recv() {
            match (what, picked) {
                (PickFor::Files | PickFor::Folder, Picked::Paths(paths)) => {
                    add_files(paths, outbox);
                }
                (PickFor::Files | PickFor::Folder, Picked::Unavailable) => {
                    self.state.send.type_a_path(false);
                }
                (PickFor::SampleTable, Picked::Paths(paths)) => {
                    let first = paths.into_iter().next();
                    outbox.commands.extend(first.map(Command::ImportSamples));
                }
                (PickFor::SampleTable, Picked::Unavailable) => {
                    self.state.send.type_a_path(true);
                }
                (PickFor::ResultsFolder | PickFor::Authority, Picked::Paths(paths)) => {
                    if let Some(path) = paths.into_iter().next() {
                        let mut settings = (*self.snapshot.settings).clone();
                        if what == PickFor::ResultsFolder {
                            settings.results_folder = Some(path);
                        } else {
                            settings.extra_authority = Some(path);
                        }
                        self.state.settings.forget_edits();
                        outbox.command(Command::SaveSettings(settings));
                    }
                }
                (PickFor::Report, Picked::Paths(paths)) => {
                    let first = paths.into_iter().next();
                    outbox.commands.extend(first.map(Command::SaveReport));
                }
                (PickFor::TableCsv | PickFor::TableExcel | PickFor::Plot, Picked::Paths(paths)) => {
                    let first = paths.into_iter().next();
                    let command = first.and_then(|path| self.state.results.picked(what, path));
                    outbox.commands.extend(command);
                }
                (PickFor::TableCsv | PickFor::TableExcel | PickFor::Plot, Picked::Unavailable) => {
                    self.state.results.type_a_path(what);
                }
                (
                    PickFor::ResultsFolder | PickFor::Authority | PickFor::Report,
                    Picked::Unavailable,
                ) => {
                    self.state.settings.type_paths();
                }
            }
        }
    }

    fn page_ui(&mut self, ui: &mut egui::Ui, outbox: &mut Outbox) {
        let (snapshot, state) = (&self.snapshot, &mut self.state);
        if let Phase::Stopped(words) = &snapshot.phase {
            shell::stopped_ui(ui, words);
            return;
        }
        if state.how_it_works {
            welcome::how_it_works_ui(ui, &mut state.how_it_works);
            return;
        }
        match state.place {
            Place::Send if welcome::is_wanted(snapshot) => welcome::cards_ui(ui, snapshot, outbox),
            Place::Send => send::send_ui(ui, snapshot, &mut state.send, outbox),
            Place::Jobs => jobs::jobs_ui(ui, snapshot, &mut state.jobs, outbox),
            Place::Results => results::results_ui(ui, snapshot, &mut state.results, outbox),
            Place::Connections => {
                connections::connections_ui(ui, snapshot, &mut state.connections, outbox);
            }
            Place::Settings => settings::settings_ui(ui, snapshot, &mut state.settings, outbox),
            Place::Notices => notices::notices_ui(ui, snapshot, outbox),
        }
    }
}

impl eframe::App for App {
    fn logic(&mut self, context: &egui::Context, _frame: &mut eframe::Frame) {
        self.snapshot = (self.link.snapshot)();
        theme::follow(context, &self.snapshot.settings);
    }

    fn ui(&mut self, ui: &mut egui::Ui, _frame: &mut eframe::Frame) {
        let context = ui.ctx().clone();
        let mut outbox = Outbox::default();
        // Drops are taken here and not in `logic`: while the window is hidden, `logic` sees the last frame's input again.
        take_dropped(&context, &mut outbox);
        self.take_picked(&mut outbox);
        shortcuts::obey(&context, &self.snapshot, &mut outbox);
        shell::status_ui(ui, &self.snapshot, &mut outbox);
        shell::rail_ui(ui, &self.snapshot, &self.state, &mut outbox);
        shell::banner_ui(ui, &self.snapshot, &mut self.state, &mut outbox);
        egui::CentralPanel::default()
            .frame(egui::Frame::new().inner_margin(egui::Margin::same(theme::PAGE_MARGIN)))
            .show(ui, |ui| self.page_ui(ui, &mut outbox));
        shell::drop_preview_ui(&context);
        shell::closing_ui(&context, &self.snapshot, &mut self.state);
        self.deliver(&context, outbox);
    }

    fn clear_color(&self, visuals: &egui::Visuals) -> [f32; 4] {
        visuals.panel_fill.to_normalized_gamma_f32()
    }
}

/// The whole window is the drop target: on X11 there is no pointer position during a drag.
fn take_dropped(context: &egui::Context, outbox: &mut Outbox) {
    let paths: Vec<PathBuf> = context.input(|input| {
        input
            .raw
            .dropped_files
            .iter()
            .map(|file| file.path().to_owned())
            .collect()
    });
    add_files(paths, outbox);
}

fn add_files(paths: Vec<PathBuf>, outbox: &mut Outbox) {
    if !paths.is_empty() {
        outbox.command(Command::AddFiles(paths));
        outbox.go(Goal::Place(Place::Send));
    }
}
