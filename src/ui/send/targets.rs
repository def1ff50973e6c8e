//! Block two of Send: where the files go.

use egui::{Frame, RichText, ScrollArea, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{ConnectionView, Loadable, Snapshot};
use crate::model::batch::Target;
use crate::model::pipeline::Pipeline;
use crate::model::provider::{FanOut, ProviderFacts};
use crate::ui::outbox::{Goal, Outbox};
use crate::ui::send::SendState;
use crate::ui::theme::{self, Palette, icon};
use crate::ui::{format, widgets};

/// Tallest a list of pipelines gets before it scrolls, in points.
const TALLEST_LIST: f32 = 220.0;

/// The block.
pub fn targets_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut SendState, outbox: &mut Outbox) {
    widgets::card(ui, |ui| {
        widgets::step_title(ui, 2, "Where", !state.targets.is_empty());
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
                    let typed = typed_targets(state, view, pipelines);
                    ScrollArea::vertical()
                        .id_salt("pipelines")
                        .max_height(TALLEST_LIST)
                        .min_scrolled_height(TALLEST_LIST)
                        .auto_shrink([false, true])
                        .show(ui, |ui| {
                            ui.spacing_mut().interact_size.y = 24.0;
                            ui.spacing_mut().item_spacing.y = 4.0;
                            list_ui(
                                ui,
                                view,
                                facts,
                                pipelines.iter().chain(&typed),
                                state,
                                outbox,
                            );
                        });
                }
            }
            if let Some(cost) = facts.and_then(|facts| facts.capabilities.cost)
                && state
                    .targets
                    .iter()
                    .any(|target| target.connection == view.connection.id)
            {
                widgets::marked(ui, icon::NOTE, palette.weak, cost);
            }
            typed_id_ui(ui, view, facts, state, outbox);
        });
}

/// Ticked pipelines that the platform does not list, because they were typed.
fn typed_targets(state: &SendState, view: &ConnectionView, listed: &[Pipeline]) -> Vec<Pipeline> {
    state
        .targets
        .iter()
        .filter(|target| target.connection == view.connection.id)
        .map(|target| &target.pipeline)
        .filter(|pipeline| !listed.iter().any(|known| known.id == pipeline.id))
        .cloned()
        .collect()
}

fn list_ui<'a>(
    ui: &mut Ui,
    view: &ConnectionView,
    facts: Option<&ProviderFacts>,
    pipelines: impl Iterator<Item = &'a Pipeline>,
    state: &mut SendState,
    outbox: &mut Outbox,
) {
    let search = state.search.trim().to_lowercase();
    let mut shown = 0_usize;
    for pipeline in pipelines {
        let ticked = state
            .target(view.connection.id, pipeline.id.as_str())
            .is_some();
        let found = search.is_empty()
            || pipeline.name.to_lowercase().contains(&search)
            || pipeline.id.as_str().to_lowercase().contains(&search);
        if !found && !ticked {
            continue;
        }
        shown += 1;
        ui.push_id(pipeline.id.as_str(), |ui| {
            pipeline_ui(ui, view, facts, pipeline, state, outbox);
        });
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

fn pipeline_ui(
    ui: &mut Ui,
    view: &ConnectionView,
    facts: Option<&ProviderFacts>,
    pipeline: &Pipeline,
    state: &mut SendState,
    outbox: &mut Outbox,
) {
    let connection = view.connection.id;
    let fan_outs = facts.map_or(&[FanOut::AllInOne][..], |facts| facts.capabilities.fan_outs);
    let mut ticked = state.target(connection, pipeline.id.as_str()).is_some();
    ui.horizontal(|ui| {
        let name = format!("{}, {}", pipeline.name, view.connection.label);
        let tick = ui
            .checkbox(&mut ticked, &pipeline.name)
            .accessible_name(name);
        if tick.changed() {
            set_ticked(state, view, fan_outs, pipeline, ticked, outbox);
        }
        let mut about = pipeline.description.trim().to_owned();
        if let Some(seconds) = pipeline.typical_secs {
            if !about.is_empty() {
                about.push_str(" · ");
            }
            about.push_str("usually ");
            about.push_str(&format::duration(seconds));
        }
        if !about.is_empty() {
            let color = Palette::of(ui).weak;
            widgets::one_line(ui, RichText::new(about).color(color));
        }
    });
    if ticked && fan_outs.len() > 1 {
        ui.horizontal(|ui| {
            ui.add_space(28.0);
            let Some(target) = state.target(connection, pipeline.id.as_str()) else {
                return;
            };
            for fan_out in fan_outs {
                let words = fan_out_words(*fan_out);
                let name = format!("{words}, {}", pipeline.name);
                if ui
                    .radio(target.fan_out == *fan_out, words)
                    .accessible_name(name)
                    .clicked()
                {
                    target.fan_out = *fan_out;
                }
            }
        });
    }
}

const fn fan_out_words(fan_out: FanOut) -> &'static str {
    match fan_out {
        FanOut::AllInOne => "One job for all files",
        FanOut::OnePerFile => "One job per file",
        FanOut::OnePerSample => "One job per sample",
        FanOut::BatchPerFile => "One batch, split per file",
        FanOut::BatchPerSample => "One batch, split per sample",
    }
}

fn set_ticked(
    state: &mut SendState,
    view: &ConnectionView,
    fan_outs: &[FanOut],
    pipeline: &Pipeline,
    ticked: bool,
    outbox: &mut Outbox,
) {
    let connection = view.connection.id;
    state
        .targets
        .retain(|target| target.connection != connection || target.pipeline.id != pipeline.id);
    if !ticked {
        return;
    }
    state.targets.push(Target {
        connection,
        pipeline: pipeline.clone(),
        fan_out: fan_outs.first().copied().unwrap_or(FanOut::AllInOne),
        settings: crate::model::form::Settings::new(),
        sample_column: None,
        existing: Vec::new(),
    });
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
    let fan_outs = facts.map_or(&[FanOut::AllInOne][..], |facts| facts.capabilities.fan_outs);
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
                    set_ticked(
                        state,
                        view,
                        fan_outs,
                        &Pipeline::typed(&typed),
                        true,
                        outbox,
                    );
                }
            });
        });
}
