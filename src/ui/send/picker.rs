//! The picker of inputs that are at a platform already: folders, words, one page after the other.
//!
//! Whoever opens it gives a key; what was chosen waits under that key until it is taken.

use std::sync::Arc;

use egui::{RichText, ScrollArea, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{ConnectionView, Loadable, Snapshot};
use crate::model::ids::ConnectionId;
use crate::model::remote::{Page, Query, StagedFile};
use crate::ui::outbox::Outbox;
use crate::ui::theme::{self, Palette, icon};
use crate::ui::{format, widgets};

/// Tallest the list gets, in points.
const TALLEST_LIST: f32 = 300.0;

/// What may be picked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// The platform's word for one input.
    pub noun: &'static str,
    /// Whether more than one.
    pub many: bool,
    /// Whether collections of files may be picked.
    pub folders: bool,
    /// Whether single files may be picked.
    pub files: bool,
    /// Endings that are meant; empty for any.
    pub endings: Vec<String>,
}

impl Wanted {
    fn takes(&self, input: &StagedFile) -> bool {
        if input.is_folder {
            self.folders
        } else {
            self.files
        }
    }

    fn counted(&self, count: usize) -> String {
        format::count(count, self.noun, &format!("{}s", self.noun))
    }
}

/// An open picker.
#[derive(Debug)]
pub struct Picker {
    key: String,
    connection: ConnectionId,
    wanted: Wanted,
    /// The folders gone into, outermost first.
    trail: Vec<StagedFile>,
    words: String,
    asked: Query,
    /// The page that was last taken over; the snapshot keeps showing it.
    adopted: Option<Arc<Page<StagedFile>>>,
    shown: Vec<StagedFile>,
    next: Option<String>,
    chosen: Vec<StagedFile>,
    done: bool,
}

impl Picker {
    /// Opens it and asks for the first page. `chosen` is ticked already.
    pub fn open(
        key: String,
        connection: ConnectionId,
        wanted: Wanted,
        chosen: Vec<StagedFile>,
        outbox: &mut Outbox,
    ) -> Self {
        let mut picker = Self {
            key,
            connection,
            wanted,
            trail: Vec::new(),
            words: String::new(),
            asked: Query::default(),
            adopted: None,
            shown: Vec::new(),
            next: None,
            chosen,
            done: false,
        };
        picker.ask(None, outbox);
        picker
    }

    /// What was chosen under this key, once; the picker is closed then.
    pub fn take(slot: &mut Option<Self>, key: &str) -> Option<Vec<StagedFile>> {
        let done = slot.take_if(|picker| picker.done && picker.key == key)?;
        Some(done.chosen)
    }

    fn ask(&mut self, cursor: Option<String>, outbox: &mut Outbox) {
        let words = self.words.trim();
        if cursor.is_none() {
            self.shown.clear();
            self.adopted = None;
        }
        self.next = None;
        self.asked = Query {
            folder: self.trail.last().map(|folder| folder.id.clone()),
            cursor,
            words: (!words.is_empty()).then(|| words.to_owned()),
        };
        outbox.command(Command::Browse(self.connection, self.asked.clone()));
    }

    /// Takes over the page that was asked for.
    fn adopt(&mut self, view: &ConnectionView) {
        let Some(browsed) = view.browsed.as_ref() else {
            return;
        };
        let Loadable::Ready(page) = &browsed.page else {
            return;
        };
        let known = self
            .adopted
            .as_ref()
            .is_some_and(|adopted| Arc::ptr_eq(adopted, page));
        if known || browsed.query != self.asked {
            return;
        }
        if self.asked.cursor.is_none() {
            self.shown.clear();
        }
        self.shown.extend(page.items.iter().cloned());
        self.next.clone_from(&page.next);
        self.adopted = Some(page.clone());
    }

    fn is_chosen(&self, input: &StagedFile) -> bool {
        self.chosen.iter().any(|chosen| chosen.id == input.id)
    }

    fn choose(&mut self, input: &StagedFile, wanted: bool) {
        self.chosen.retain(|chosen| chosen.id != input.id);
        if wanted {
            if !self.wanted.many {
                self.chosen.clear();
            }
            self.chosen.push(input.clone());
        }
    }
}

/// Draws the picker over the page when it is open.
pub fn picker_ui(
    context: &egui::Context,
    snapshot: &Snapshot,
    slot: &mut Option<Picker>,
    outbox: &mut Outbox,
) {
    let Some(picker) = slot.as_mut() else {
        return;
    };
    let Some(view) = snapshot
        .connection(picker.connection)
        .filter(|_| !picker.done)
    else {
        // Nobody took what was chosen, or the connection is gone.
        *slot = None;
        return;
    };
    picker.adopt(view);
    let mut closed = false;
    let modal = egui::Modal::new(egui::Id::unique("picker")).show(context, |ui| {
        ui.set_width(600.0);
        let title = format!("Pick at {}", view.connection.label);
        ui.label(RichText::new(title).size(16.0).strong());
        search_ui(ui, picker, outbox);
        trail_ui(ui, picker, outbox);
        list_ui(ui, view, picker, outbox);
        ui.separator();
        closed = end_ui(ui, picker);
    });
    if closed || (modal.should_close() && !picker.done) {
        *slot = None;
    }
}

fn search_ui(ui: &mut Ui, picker: &mut Picker, outbox: &mut Outbox) {
    ui.horizontal(|ui| {
        let noun = picker.wanted.noun;
        let field = widgets::line(&mut picker.words)
            .desired_width(360.0)
            .hint_text(format!("Words in the name of a {noun}"));
        let field = ui.add(field).accessible_name(format!("Search {noun}s"));
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if ui.button("Search").clicked() || entered {
            picker.ask(None, outbox);
        }
    });
    if !picker.wanted.endings.is_empty() {
        let meant = format!(
            "Meant for files ending in {}",
            picker.wanted.endings.join(", ")
        );
        widgets::weak(ui, meant);
    }
}

/// Where in the folders we are, each a step back.
fn trail_ui(ui: &mut Ui, picker: &mut Picker, outbox: &mut Outbox) {
    if picker.trail.is_empty() {
        return;
    }
    let mut back_to = None;
    ui.horizontal_wrapped(|ui| {
        if ui.button("Top").clicked() {
            back_to = Some(0);
        }
        for (at, folder) in picker.trail.iter().enumerate() {
            widgets::weak(ui, "›");
            if at + 1 == picker.trail.len() {
                ui.label(RichText::new(&folder.name).strong());
            } else if ui.button(&folder.name).clicked() {
                back_to = Some(at + 1);
            }
        }
    });
    if let Some(depth) = back_to {
        picker.trail.truncate(depth);
        picker.ask(None, outbox);
    }
}

fn list_ui(ui: &mut Ui, view: &ConnectionView, picker: &mut Picker, outbox: &mut Outbox) {
    let page = view
        .browsed
        .as_ref()
        .filter(|browsed| browsed.query == picker.asked)
        .map(|browsed| &browsed.page);
    let mut into = None;
    ScrollArea::vertical()
        .id_salt("inputs")
        .max_height(TALLEST_LIST)
        .min_scrolled_height(TALLEST_LIST)
        .auto_shrink([false, true])
        .show_rows(ui, theme::ROW_HEIGHT, picker.shown.len(), |ui, rows| {
            for at in rows {
                let Some(input) = picker.shown.get(at).cloned() else {
                    continue;
                };
                ui.push_id(at, |ui| {
                    if row_ui(ui, picker, &input) {
                        into = Some(input);
                    }
                });
            }
        });
    match page {
        None | Some(Loadable::NotAsked | Loadable::Loading) => {
            widgets::busy(ui, &format!("Asking {}", view.provider_name));
        }
        Some(Loadable::Failed(words)) => {
            widgets::sentences(ui, words);
            if ui.button("Try again").clicked() {
                picker.ask(picker.asked.cursor.clone(), outbox);
            }
        }
        Some(Loadable::Ready(_)) if picker.shown.is_empty() => {
            widgets::weak(ui, "Nothing found here");
        }
        Some(Loadable::Ready(_)) => {}
    }
    ui.horizontal(|ui| {
        if picker.wanted.many && picker.shown.iter().any(|input| picker.wanted.takes(input)) {
            let tick_all = ui.button("Tick all shown");
            if tick_all.clicked() {
                let mut shown = picker.shown.clone();
                shown.retain(|input| picker.wanted.takes(input));
                for input in &shown {
                    picker.choose(input, true);
                }
            }
        }
        if let Some(next) = picker.next.clone()
            && ui
                .button("More")
                .on_hover_text("The next part of the list")
                .clicked()
        {
            picker.ask(Some(next), outbox);
        }
    });
    if let Some(folder) = into {
        picker.trail.push(folder);
        picker.words.clear();
        picker.ask(None, outbox);
    }
}

/// One input; whether it shall be opened.
fn row_ui(ui: &mut Ui, picker: &mut Picker, input: &StagedFile) -> bool {
    let mut open = false;
    ui.horizontal(|ui| {
        ui.spacing_mut().interact_size.y = theme::ROW_HEIGHT - 2.0;
        ui.set_height(theme::ROW_HEIGHT);
        let palette = Palette::of(ui);
        if picker.wanted.takes(input) {
            let mut chosen = picker.is_chosen(input);
            if ui.checkbox(&mut chosen, &input.name).changed() {
                picker.choose(input, chosen);
            }
        } else {
            let picture = if input.is_folder {
                icon::FOLDER
            } else {
                icon::FILE
            };
            widgets::picture(ui, picture, 18.0, palette.weak);
            widgets::one_line(ui, RichText::new(&input.name));
        }
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if input.is_folder {
                let button = ui
                    .button("Open")
                    .accessible_name(format!("Open {}", input.name));
                open = button.clicked();
            }
            if let Some(size) = input.size_bytes {
                widgets::weak(ui, format::bytes(size));
            }
        });
    });
    open
}

/// The buttons at the end; whether the person changed their mind.
fn end_ui(ui: &mut Ui, picker: &mut Picker) -> bool {
    let names: Vec<&str> = picker
        .chosen
        .iter()
        .map(|input| input.name.as_str())
        .collect();
    if names.is_empty() {
        widgets::weak(ui, "Nothing is ticked yet");
    } else {
        widgets::one_line(ui, RichText::new(names.join(", ")));
    }
    let mut cancelled = false;
    ui.horizontal(|ui| {
        let words = if picker.chosen.is_empty() {
            "Use".to_owned()
        } else {
            format!("Use {}", picker.wanted.counted(picker.chosen.len()))
        };
        if widgets::primary_button(ui, &words, !picker.chosen.is_empty()).clicked() {
            picker.done = true;
            ui.ctx().request_repaint();
        }
        cancelled = ui.button("Cancel").clicked();
    });
    cancelled
}
