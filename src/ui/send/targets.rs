//! Block two of Send: where the files go.

use egui::{Frame, RichText, ScrollArea, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{ConnectionView, Loadable, Snapshot};
use crate::model::ids::{ConnectionId, PipelineId};
use crate::model::pipeline::Pipeline;
use crate::model::provider::{FanOut, ProviderFacts};
use crate::ui::outbox::{Goal, Outbox};
use crate::ui::send::SendState;
use crate::ui::send::ticked::Ticked;
use crate::ui::send::ways::{self, Around};
use crate::ui::theme::{self, Palette, icon};
use crate::ui::{format, widgets};

/// Tallest a list of pipelines gets before it scrolls, in points.
const TALLEST_LIST: f32 = 220.0;

/// Most pipelines of one connection that are drawn; searching brings the others.
const MOST_SHOWN: usize = 150;

/// Most pipelines of one connection that count as recent.
const RECENT: usize = 5;

/// The block.
pub fn targets_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut SendState, outbox: &mut Outbox) {
    widgets::card(ui, |ui| {
        widgets::step_title(ui, 2, "Where", !state.ticked.is_empty());
        if snapshot.connections.is_empty() {
            ui.horizontal_wrapped(|ui| {
                ui.label("No platform is connected yet");
                if widgets::primary_button(ui, "Connect a platform…", true).clicked() {
                    outbox.go(Goal::AddConnection(None));
                }
            });
            return;
        }
        ui.horizontal(|ui| {
            widgets::weak(ui, "Tick one or more; each gets the same files");
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let field = widgets::line(&mut state.search)
                    .desired_width(220.0)
                    .hint_text("Search by name");
                ui.add(field).accessible_name("Search pipelines");
            });
        });
        for connection in &snapshot.connections {
            ui.push_id(connection.connection.id.0, |ui| {
                connection_ui(ui, snapshot, connection, state, outbox);
            });
        }
    });
}

fn connection_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    view: &ConnectionView,
    state: &mut SendState,
    outbox: &mut Outbox,
) {
    let palette = Palette::of(ui);
    let facts = snapshot.facts(&view.connection.provider);
    let columns = snapshot.draft.samples.columns.clone();
    Frame::new()
        .stroke((1.0, palette.line))
        .corner_radius(theme::ROUNDING)
        .inner_margin(12)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            ui.horizontal(|ui| {
                ui.label(RichText::new(&view.connection.label).strong());
                widgets::weak(ui, view.provider_name);
            });
            match &view.pipelines {
                Loadable::NotAsked | Loadable::Loading => {
                    widgets::busy(
                        ui,
                        &format!("Asking {} what can be run", view.provider_name),
                    );
                }
                Loadable::Failed(words) => {
                    widgets::sentences(ui, words);
                    if ui.button("Try again").clicked() {
                        outbox.command(Command::CheckConnection(view.connection.id));
                    }
                }
                Loadable::Ready(pipelines) => {
                    let listed = in_order(snapshot, state, view, pipelines);
                    ScrollArea::vertical()
                        .id_salt("pipelines")
                        .max_height(TALLEST_LIST)
                        .min_scrolled_height(TALLEST_LIST)
                        .auto_shrink([false, true])
                        .show(ui, |ui| {
                            ui.spacing_mut().interact_size.y = 24.0;
                            ui.spacing_mut().item_spacing.y = 4.0;
                            list_ui(ui, (view, facts), &listed, &columns, state, outbox);
                        });
                }
            }
            if let Some(cost) = facts.and_then(|facts| facts.capabilities.cost)
                && state
                    .ticked
                    .iter()
                    .any(|ticked| ticked.target.connection == view.connection.id)
            {
                widgets::marked(ui, icon::NOTE, palette.weak, cost);
            }
            typed_id_ui(ui, view, facts, state, outbox);
        });
}

/// A pipeline to tick, and whether a job of it was made lately.
struct Offered {
    pipeline: Pipeline,
    is_recent: bool,
}

/// What can be ticked: the recent ones first, then as the platform lists them, then what was typed.
fn in_order(
    snapshot: &Snapshot,
    state: &SendState,
    view: &ConnectionView,
    listed: &[Pipeline],
) -> Vec<Offered> {
    let recent = recent(snapshot, view.connection.id);
    let is_recent = |pipeline: &Pipeline| recent.contains(&&pipeline.id);
    let typed = state
        .ticked
        .iter()
        .filter(|ticked| ticked.target.connection == view.connection.id)
        .map(|ticked| &ticked.target.pipeline)
        .filter(|pipeline| !listed.iter().any(|known| known.id == pipeline.id));
    let first = recent
        .iter()
        .filter_map(|id| listed.iter().find(|known| &&known.id == id));
    let others = listed.iter().filter(|known| !is_recent(known));
    first
        .chain(others)
        .chain(typed)
        .map(|pipeline| Offered {
            pipeline: pipeline.clone(),
            is_recent: is_recent(pipeline),
        })
        .collect()
}

/// The pipelines of the newest jobs over this connection, newest first.
fn recent(snapshot: &Snapshot, connection: ConnectionId) -> Vec<&PipelineId> {
    let mut recent: Vec<&PipelineId> = Vec::new();
    let jobs = snapshot.jobs.iter().map(|view| &view.job);
    for job in jobs.filter(|job| job.connection == connection) {
        if !recent.contains(&&job.pipeline.id) {
            recent.push(&job.pipeline.id);
        }
        if recent.len() == RECENT {
            break;
        }
    }
    recent
}

fn list_ui(
    ui: &mut Ui,
    (view, facts): (&ConnectionView, Option<&'static ProviderFacts>),
    offered: &[Offered],
    columns: &[String],
    state: &mut SendState,
    outbox: &mut Outbox,
) {
    let search = state.search.trim().to_lowercase();
    let mut shown = 0_usize;
    let mut more = 0_usize;
    for Offered {
        pipeline,
        is_recent,
    } in offered
    {
        let at = state
            .ticked
            .iter()
            .position(|ticked| ticked.is(view.connection.id, pipeline));
        let found = search.is_empty()
            || pipeline.name.to_lowercase().contains(&search)
            || pipeline.id.as_str().to_lowercase().contains(&search);
        if !found && at.is_none() {
            continue;
        }
        if shown >= MOST_SHOWN && at.is_none() {
            more += 1;
            continue;
        }
        shown += 1;
        ui.push_id(pipeline.id.as_str(), |ui| {
            let mut is_ticked = at.is_some();
            if pipeline_ui(ui, view, pipeline, *is_recent, &mut is_ticked) {
                set_ticked(state, view, facts, pipeline, is_ticked, outbox);
                return;
            }
            let ticked = at.and_then(|at| state.ticked.get_mut(at));
            if let (Some(ticked), Some(facts)) = (ticked, facts) {
                let around = Around {
                    view,
                    facts,
                    columns,
                    tally: &state.tally,
                };
                ways::ways_ui(ui, &around, ticked, &mut state.picker, outbox);
            }
        });
    }
    if more > 0 {
        let words = format!("{} more: search by name", format::grouped(more as u64));
        widgets::weak(ui, words);
    }
    if shown == 0 {
        widgets::weak(
            ui,
            if search.is_empty() {
                "Nothing can be run over this connection"
            } else {
                "Nothing here has this name"
            },
        );
    }
}

/// The line of a pipeline; whether its tick changed.
fn pipeline_ui(
    ui: &mut Ui,
    view: &ConnectionView,
    pipeline: &Pipeline,
    is_recent: bool,
    is_ticked: &mut bool,
) -> bool {
    ui.horizontal(|ui| {
        let name = format!("{}, {}", pipeline.name, view.connection.label);
        let tick = ui.checkbox(is_ticked, &pipeline.name).accessible_name(name);
        let mut about = Vec::new();
        if is_recent {
            about.push("used lately".to_owned());
        }
        let description = pipeline.description.trim();
        if !description.is_empty() {
            about.push(description.to_owned());
        }
        if let Some(seconds) = pipeline.typical_secs {
            about.push(format!("usually {}", format::duration(seconds)));
        }
        if !about.is_empty() {
            let color = Palette::of(ui).weak;
            widgets::one_line(ui, RichText::new(about.join(" · ")).color(color));
        }
        tick.changed()
    })
    .inner
}

fn set_ticked(
    state: &mut SendState,
    view: &ConnectionView,
    facts: Option<&ProviderFacts>,
    pipeline: &Pipeline,
    is_ticked: bool,
    outbox: &mut Outbox,
) {
    let connection = view.connection.id;
    state
        .ticked
        .retain(|ticked| !ticked.is(connection, pipeline));
    if !is_ticked {
        return;
    }
    let usual = facts.and_then(|facts| facts.capabilities.fan_outs.first());
    let fan_out = usual.copied().unwrap_or(FanOut::AllInOne);
    state
        .ticked
        .push(Ticked::new(connection, pipeline, fan_out));
    match view.forms.get(&pipeline.id) {
        None | Some(Loadable::NotAsked | Loadable::Failed(_)) => {
            outbox.command(Command::ReadForm(connection, pipeline.id.clone()));
        }
        Some(Loadable::Loading | Loadable::Ready(_)) => {}
    }
}

fn typed_id_ui(
    ui: &mut Ui,
    view: &ConnectionView,
    facts: Option<&ProviderFacts>,
    state: &mut SendState,
    outbox: &mut Outbox,
) {
    let noun = facts.map_or("pipeline", |facts| facts.nouns.pipeline);
    egui::CollapsingHeader::new(RichText::new("Not listed? Type its id").small())
        .id_salt("typed id")
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                let text = state.typed_ids.entry(view.connection.id).or_default();
                let name = format!("Id of a {noun}, {}", view.connection.label);
                let field = ui
                    .add(widgets::line(text).desired_width(240.0))
                    .accessible_name(name);
                let entered =
                    field.lost_focus() && ui.input(|input| input.key_pressed(egui::Key::Enter));
                let typed = text.trim().to_owned();
                let clicked = ui
                    .add_enabled(!typed.is_empty(), egui::Button::new("Add"))
                    .clicked();
                if (clicked || entered) && !typed.is_empty() {
                    text.clear();
                    set_ticked(state, view, facts, &Pipeline::typed(&typed), true, outbox);
                }
            });
        });
}
