//! Watching a job that was made elsewhere: chosen from the platform's list, or named by its id or the address of its page.

use std::sync::Arc;

use egui::{ComboBox, RichText, ScrollArea, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{Asked, ConnectionView, Loadable, Snapshot};
use crate::model::ids::{ConnectionId, JobId, NoticeId};
use crate::model::notice::{About, Weight, Words};
use crate::model::provider::ProviderFacts;
use crate::model::remote::{ListedJob, Query};
use crate::ui::jobs::{Chosen, JobsState};
use crate::ui::outbox::Outbox;
use crate::ui::theme::{self, Palette, icon};
use crate::ui::{format, widgets};

/// What the dialog remembers.
#[derive(Debug)]
pub struct AdoptState {
    connection: ConnectionId,
    /// What was typed to narrow the list.
    words: String,
    /// The words the list was last asked for with, empty for the whole list; none before it was asked for.
    asked_for: Option<String>,
    /// The chosen one's id.
    chosen: Option<String>,
    /// An id or an address, typed.
    typed: String,
    wanted: Option<Wanted>,
    /// Why the last one could not be adopted.
    trouble: Option<Words>,
}

/// What there was before a job was asked for: what is newer is the answer.
#[derive(Clone, Copy, Debug)]
struct Wanted {
    newest_job: JobId,
    newest_notice: NoticeId,
}

impl AdoptState {
    fn of(connection: ConnectionId) -> Self {
        Self {
            connection,
            words: String::new(),
            asked_for: None,
            chosen: None,
            typed: String::new(),
            wanted: None,
            trouble: None,
        }
    }

    /// Asks for the list, or for its next page.
    fn ask(&mut self, cursor: Option<String>, outbox: &mut Outbox) {
        let words = if let (Some(_), Some(words)) = (&cursor, &self.asked_for) {
            words.clone()
        } else {
            self.chosen = None;
            self.words.trim().to_owned()
        };
        self.asked_for = Some(words.clone());
        let query = Query {
            folder: None,
            words: (!words.is_empty()).then_some(words),
            cursor,
        };
        outbox.command(Command::ListJobs(self.connection, query));
    }
}

/// The button that opens the dialog; nothing without a connection.
pub fn button_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut JobsState) {
    let lists = |view: &&Arc<ConnectionView>| {
        snapshot
            .facts(&view.connection.provider)
            .is_some_and(|facts| facts.capabilities.lists_jobs)
    };
    let first = snapshot
        .connections
        .iter()
        .find(lists)
        .or_else(|| snapshot.connections.first());
    let Some(first) = first else {
        return;
    };
    let tip = "Watches a job that somebody started on the platform itself, and fetches its results";
    if ui
        .button("Adopt a job made elsewhere…")
        .on_hover_text(tip)
        .clicked()
    {
        state.adopting = Some(AdoptState::of(first.connection.id));
    }
}

/// The dialog, while it is open.
pub fn adopt_ui(
    context: &egui::Context,
    snapshot: &Snapshot,
    state: &mut JobsState,
    outbox: &mut Outbox,
) {
    let Some(mut adopting) = state.adopting.take() else {
        return;
    };
    if let Some(job) = answer(snapshot, &mut adopting) {
        state.show(Chosen::Job(job));
        return;
    }
    let mut open = true;
    let mut show = None;
    let frame = egui::Frame::popup(&context.global_style()).inner_margin(theme::CARD_MARGIN);
    let modal = egui::Modal::new(egui::Id::unique("adopt")).frame(frame);
    let modal = modal.show(context, |ui| {
        ui.set_width(620.0_f32.min(context.content_rect().width() - 80.0));
        ui.label(
            RichText::new("Adopt a job made elsewhere")
                .size(16.0)
                .strong(),
        );
        widgets::weak(
            ui,
            "Labferry watches it from now on and fetches its results; nothing is sent",
        );
        ui.add_space(4.0);
        connection_ui(ui, snapshot, &mut adopting);
        let Some(view) = snapshot.connection(adopting.connection) else {
            return;
        };
        let Some(facts) = snapshot.facts(&view.connection.provider) else {
            return;
        };
        if facts.capabilities.lists_jobs {
            list_ui(ui, snapshot, view, &mut adopting, outbox);
        }
        show = end_ui(
            ui,
            snapshot,
            (view, facts),
            &mut adopting,
            outbox,
            &mut open,
        );
    });
    if let Some(job) = show {
        state.show(Chosen::Job(job));
    } else if open && !modal.should_close() {
        state.adopting = Some(adopting);
    }
}

/// The job that came of the wish; or keeps why none did.
fn answer(snapshot: &Snapshot, adopting: &mut AdoptState) -> Option<JobId> {
    let wanted = adopting.wanted?;
    let come = snapshot
        .jobs
        .iter()
        .find(|view| view.job.connection == adopting.connection && view.job.id > wanted.newest_job);
    if let Some(view) = come {
        return Some(view.job.id);
    }
    let newer = snapshot
        .notices
        .iter()
        .filter(|notice| notice.id > wanted.newest_notice);
    for notice in newer {
        match notice.about {
            // It turned out to be one of ours.
            About::Job(job) if notice.weight == Weight::Note => return Some(job),
            About::Connection(connection) if connection != adopting.connection => {}
            About::Connection(_) | About::App => {
                adopting.wanted = None;
                adopting.trouble = Some(notice.words.clone());
                break;
            }
            About::Batch(_) | About::Job(_) => {}
        }
    }
    None
}

fn connection_ui(ui: &mut Ui, snapshot: &Snapshot, adopting: &mut AdoptState) {
    let shown = snapshot
        .connection(adopting.connection)
        .map_or("Choose one", |view| view.connection.label.as_str());
    let label = ui.label(RichText::new("Connection").strong());
    let mut chosen = adopting.connection;
    ComboBox::from_id_salt("adopt from")
        .selected_text(shown)
        .width(ui.available_width().min(440.0))
        .show_ui(ui, |ui| {
            for view in &snapshot.connections {
                let label = view.connection.label.as_str();
                ui.selectable_value(&mut chosen, view.connection.id, label)
                    .on_hover_text(view.provider_name);
            }
        })
        .response
        .labelled_by(label.id);
    if chosen != adopting.connection {
        *adopting = AdoptState::of(chosen);
    }
}

/// What the platform lists, page by page.
fn list_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    view: &ConnectionView,
    adopting: &mut AdoptState,
    outbox: &mut Outbox,
) {
    if adopting.asked_for.is_none() {
        adopting.ask(None, outbox);
    }
    ui.horizontal(|ui| {
        let field = widgets::line(&mut adopting.words)
            .desired_width(260.0)
            .hint_text("Words of the name");
        let field = ui.add(field).accessible_name("Words of the job's name");
        let entered = field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
        if ui.button("Search").clicked() || entered {
            adopting.ask(None, outbox);
        }
    });
    let asked = view.listed.as_ref().filter(|asked| {
        let words = asked.query.words.as_deref().unwrap_or_default();
        adopting.asked_for.as_deref() == Some(words)
    });
    egui::Frame::new()
        .stroke((1.0, Palette::of(ui).line))
        .corner_radius(6)
        .inner_margin(6)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ScrollArea::vertical()
                .max_height(230.0)
                .auto_shrink([false, true])
                .show(ui, |ui| {
                    rows_ui(ui, snapshot, view, asked, adopting, outbox);
                });
        });
}

fn rows_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    view: &ConnectionView,
    asked: Option<&Asked<ListedJob>>,
    adopting: &mut AdoptState,
    outbox: &mut Outbox,
) {
    let waiting = format!("Asking {}", view.provider_name);
    match asked.map(|asked| (&asked.page, asked.is_loading())) {
        None | Some((Loadable::NotAsked | Loadable::Loading, _)) => {
            widgets::busy(ui, &waiting);
        }
        Some((Loadable::Failed(words), _)) => {
            widgets::sentences(ui, words);
            if ui.button("Ask again").clicked() {
                adopting.ask(None, outbox);
            }
        }
        Some((Loadable::Ready(page), is_loading)) => {
            for job in &page.items {
                let known = known(snapshot, adopting.connection, &job.remote.id);
                ui.push_id(&job.remote.id, |ui| {
                    row_ui(ui, job, known.is_some(), &mut adopting.chosen);
                });
            }
            if page.items.is_empty() {
                widgets::weak(ui, "No job there has such a name");
            }
            if is_loading {
                widgets::busy(ui, &waiting);
            } else if let Some(next) = page.next.clone()
                && ui.button("More").on_hover_text("Older jobs").clicked()
            {
                adopting.ask(Some(next), outbox);
            }
        }
    }
}

fn row_ui(ui: &mut Ui, job: &ListedJob, is_known: bool, chosen: &mut Option<String>) {
    ui.horizontal(|ui| {
        let is_chosen = chosen.as_ref() == Some(&job.remote.id);
        let radio = ui
            .radio(is_chosen, &job.name)
            .on_hover_text(&job.remote.id)
            .accessible_name(&job.name);
        if radio.clicked() {
            *chosen = Some(job.remote.id.clone());
        }
        let mut beside = vec![job.pipeline.name.clone()];
        beside.extend(job.created.map(format::moment));
        beside.extend(Some(job.word.clone()));
        beside.extend(is_known.then(|| "already here".to_owned()));
        beside.retain(|part| !part.is_empty());
        let color = Palette::of(ui).weak;
        widgets::one_line(ui, RichText::new(beside.join(" · ")).color(color));
    });
}

/// The job we have of this remote one.
fn known(snapshot: &Snapshot, connection: ConnectionId, id: &str) -> Option<JobId> {
    snapshot
        .jobs
        .iter()
        .filter(|view| view.job.connection == connection)
        .find(|view| {
            view.job
                .remote
                .as_ref()
                .is_some_and(|remote| remote.id == id)
        })
        .map(|view| view.job.id)
}

/// The field for an id, and the buttons. Gives back a job to go to.
fn end_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    (view, facts): (&ConnectionView, &ProviderFacts),
    adopting: &mut AdoptState,
    outbox: &mut Outbox,
    open: &mut bool,
) -> Option<JobId> {
    let noun = format::a(facts.nouns.job);
    let label = if facts.capabilities.lists_jobs {
        format!("Or the id of {noun}, or the address of its page")
    } else {
        format!("The id of {noun}, or the address of its page")
    };
    if widgets::text_field(ui, &label, &mut adopting.typed, "").changed() {
        adopting.trouble = None;
    }
    let typed = adopting.typed.trim().to_owned();
    let wanted = if typed.is_empty() {
        adopting.chosen.clone()
    } else {
        Some(typed)
    };
    let here = wanted
        .as_ref()
        .and_then(|id| known(snapshot, adopting.connection, id));
    if let Some(words) = &adopting.trouble {
        let color = Palette::of(ui).bad;
        widgets::marked(ui, icon::BAD, color, &words.sentence());
    }
    if adopting.wanted.is_some() {
        widgets::busy(ui, &format!("Looking for it at {}", view.provider_name));
    }
    ui.add_space(4.0);
    let mut show = None;
    ui.horizontal(|ui| {
        if here.is_some() {
            if widgets::primary_button(ui, "Show it", true).clicked() {
                show = here;
            }
        } else {
            let possible = wanted.is_some() && adopting.wanted.is_none();
            let adopt = widgets::primary_button(ui, "Adopt", possible)
                .on_disabled_hover_text("Choose a job or enter its id first");
            if let Some(id) = wanted
                && adopt.clicked()
            {
                let newest = |ids: Option<u64>| ids.unwrap_or_default();
                adopting.wanted = Some(Wanted {
                    newest_job: JobId(newest(snapshot.jobs.iter().map(|view| view.job.id.0).max())),
                    newest_notice: NoticeId(newest(
                        snapshot.notices.iter().map(|notice| notice.id.0).max(),
                    )),
                });
                adopting.trouble = None;
                outbox.command(Command::AdoptJob(adopting.connection, id));
            }
        }
        if ui.button("Close").clicked() {
            *open = false;
        }
        if here.is_some() {
            widgets::weak(ui, "This one is here already");
        }
    });
    show
}
