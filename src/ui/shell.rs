//! What stands around every page: the rail, the status line, the line for what needs attention, the drop preview and the
//! question before closing.

use egui::{Align, Button, Frame, Layout, Margin, Panel, RichText, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{ConnectionView, KeyringState, Phase, Snapshot};
use crate::model::notice::{Weight, Words};
use crate::model::provider::Budget;
use crate::ui::outbox::{Goal, Outbox, Place};
use crate::ui::shortcuts::{self, Does};
use crate::ui::state::{Closing, State};
use crate::ui::theme::{self, Palette, icon};
use crate::ui::{format, notices, widgets};

/// The places of the rail, in the order of the work.
const PLACES: [(Place, &str, &str); 5] = [
    (Place::Send, icon::SEND, "Send"),
    (Place::Jobs, icon::JOBS, "Jobs"),
    (Place::Results, icon::RESULTS, "Results"),
    (Place::Connections, icon::CONNECTIONS, "Connections"),
    (Place::Settings, icon::SETTINGS, "Settings"),
];

/// Share of a platform's requests below which the rest stands out.
const NEARLY_SPENT: f64 = 0.1;

/// The rail at the left.
pub fn rail_ui(ui: &mut Ui, snapshot: &Snapshot, state: &State, outbox: &mut Outbox) {
    let palette = Palette::of(ui);
    Panel::left("rail")
        .exact_size(theme::RAIL_WIDTH)
        .resizable(false)
        .show_separator_line(false)
        .frame(
            Frame::new()
                .fill(palette.rail)
                .inner_margin(Margin::symmetric(12, 16)),
        )
        .show(ui, |ui| {
            ui.add(
                egui::Label::new(RichText::new("Labferry").size(18.0).strong()).selectable(false),
            );
            ui.add_space(12.0);
            ui.spacing_mut().item_spacing.y = 4.0;
            for (place, icon, name) in PLACES {
                rail_button(ui, state, place, (icon, name), outbox);
            }
            ui.with_layout(Layout::bottom_up(Align::Min), |ui| {
                ui.spacing_mut().item_spacing.y = 4.0;
                let name = match snapshot.notices.len() {
                    0 => "Notices".to_owned(),
                    count => format!("Notices ({count})"),
                };
                rail_button(ui, state, Place::Notices, (icon::NOTICES, &name), outbox);
            });
        });
}

fn rail_button(
    ui: &mut Ui,
    state: &State,
    place: Place,
    (icon, name): (&str, &str),
    outbox: &mut Outbox,
) {
    let palette = Palette::of(ui);
    let chosen = state.place == place && !state.how_it_works;
    let color = if chosen {
        palette.on_selected
    } else {
        palette.text
    };
    let text = if chosen {
        RichText::new(name).color(color).strong()
    } else {
        RichText::new(name).color(color)
    };
    let button = Button::selectable(chosen, (RichText::new(icon).size(19.0).color(color), text))
        .min_size(egui::vec2(ui.available_width(), 38.0))
        .gap(10.0);
    let keys = shortcuts::keys_of(ui.ctx(), Does::Go(place));
    let response = ui
        .scope(|ui| {
            ui.spacing_mut().button_padding.x = 10.0;
            ui.add(button)
        })
        .inner
        .on_hover_text(keys)
        .accessible_name(name);
    if response.clicked() {
        outbox.go(Goal::Place(place));
    }
}

/// The status line at the bottom.
pub fn status_ui(ui: &mut Ui, snapshot: &Snapshot, outbox: &mut Outbox) {
    let palette = Palette::of(ui);
    Panel::bottom("status")
        .resizable(false)
        .show_separator_line(false)
        .frame(
            Frame::new()
                .fill(palette.rail)
                .inner_margin(Margin::symmetric(16, 5)),
        )
        .show(ui, |ui| {
            ui.horizontal(|ui| {
                ui.spacing_mut().item_spacing.x = 6.0;
                status_left_ui(ui, snapshot, outbox);
                ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                    let (mark, color, words) = if snapshot.safe_to_close {
                        (icon::GOOD, palette.good, "Safe to close")
                    } else {
                        (
                            icon::WARNING,
                            palette.warning,
                            "Keep Labferry open while files move",
                        )
                    };
                    ui.label(RichText::new(words).color(color));
                    widgets::picture(ui, mark, 16.0, color);
                });
            });
        });
}

fn status_left_ui(ui: &mut Ui, snapshot: &Snapshot, outbox: &mut Outbox) {
    let palette = Palette::of(ui);
    let traffic = snapshot.traffic;
    for (mark, direction, speed) in [
        (icon::UP, "up", traffic.up_bytes_per_sec),
        (icon::DOWN, "down", traffic.down_bytes_per_sec),
    ] {
        widgets::picture(ui, mark, 16.0, palette.weak);
        let words = format!("{}/s {direction}", format::bytes(speed));
        ui.label(RichText::new(words).color(palette.weak));
        ui.add_space(8.0);
    }
    let alive = match traffic.jobs_alive {
        0 => "No jobs running".to_owned(),
        count => format!("{} running", format::count(count, "job", "jobs")),
    };
    ui.label(RichText::new(alive).color(palette.weak));
    budget_ui(ui, snapshot);
    if snapshot.keyring == KeyringState::Absent {
        ui.add_space(8.0);
        widgets::picture(ui, icon::KEY, 16.0, palette.warning);
        ui.label(RichText::new("No keyring, keys last until you close").color(palette.warning));
        let again = ui.add(egui::Link::new("Try again"));
        if again.on_hover_text("Look for the keyring again").clicked() {
            outbox.command(Command::RetryKeyring);
        }
    }
}

/// What is left of the requests of the connection that is nearest to its end; the others are in the tooltip. Nothing
/// where no platform has said so.
fn budget_ui(ui: &mut Ui, snapshot: &Snapshot) {
    let known: Vec<(&ConnectionView, &Budget, String)> = snapshot
        .connections
        .iter()
        .filter_map(|view| {
            let budget = view.budget.as_ref()?;
            Some((view.as_ref(), budget, format::budget(budget)?))
        })
        .collect();
    let share = |budget: &Budget| budget.left as f64 / budget.limit.max(1) as f64;
    let Some((_, tightest, words)) = known
        .iter()
        .min_by(|(_, one, _), (_, other, _)| share(one).total_cmp(&share(other)))
    else {
        return;
    };
    let palette = Palette::of(ui);
    let color = if share(tightest) < NEARLY_SPENT {
        palette.warning
    } else {
        palette.weak
    };
    ui.add_space(8.0);
    let label = ui.label(RichText::new(words).color(color));
    label.on_hover_ui(|ui| {
        ui.label(
            "Platforms allow so many requests at a time; Labferry slows down before they are spent",
        );
        for (view, _, words) in &known {
            ui.label(format!("{}: {words}", view.connection.label));
        }
    });
}

/// The line above the page: the engine's state, what was not taken, and the newest thing that went wrong.
pub fn banner_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut State, outbox: &mut Outbox) {
    let palette = Palette::of(ui);
    let newest = snapshot
        .notices
        .iter()
        .find(|notice| notice.weight != Weight::Note);
    let held = match &snapshot.phase {
        Phase::Held(words) => Some(words),
        Phase::Starting | Phase::Running | Phase::Stopped(_) => None,
    };
    let shows_notice = newest.is_some() && state.place != Place::Notices;
    let starting = snapshot.phase == Phase::Starting;
    if !shows_notice && held.is_none() && state.hitch.is_none() && !starting {
        return;
    }
    Panel::top("banner")
        .resizable(false)
        .show_separator_line(false)
        .frame(Frame::new().fill(palette.page).inner_margin(Margin {
            left: theme::PAGE_MARGIN,
            right: theme::PAGE_MARGIN,
            top: 12,
            bottom: 0,
        }))
        .show(ui, |ui| {
            if starting {
                widgets::busy(ui, "Opening the journal");
            }
            if let Some(words) = held {
                banner_frame(ui, palette.bad, |ui| widgets::sentences(ui, words));
            }
            hitch_ui(ui, state, outbox);
            if let Some(notice) = newest.filter(|_| shows_notice) {
                banner_frame(ui, notices::color(&palette, notice.weight), |ui| {
                    notices::short_ui(ui, snapshot, notice, outbox);
                });
            }
        });
}

fn hitch_ui(ui: &mut Ui, state: &mut State, outbox: &mut Outbox) {
    let palette = Palette::of(ui);
    let Some(hitch) = state.hitch.clone() else {
        return;
    };
    banner_frame(ui, palette.warning, |ui| {
        ui.horizontal_wrapped(|ui| {
            ui.label(&hitch.words);
            if !hitch.unsent.is_empty() && ui.button("Try again").clicked() {
                outbox.commands.extend(hitch.unsent.clone());
                state.hitch = None;
            }
            if ui
                .button("Close")
                .on_hover_text("Take this line away")
                .clicked()
            {
                state.hitch = None;
            }
        });
    });
}

fn banner_frame(ui: &mut Ui, color: egui::Color32, add: impl FnOnce(&mut Ui)) {
    let palette = Palette::of(ui);
    let inner = Frame::new()
        .fill(palette.card)
        .stroke((1.0, color))
        .corner_radius(theme::ROUNDING)
        .inner_margin(Margin::symmetric(14, 8))
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            add(ui);
        });
    let mut edge = inner.response.rect;
    edge.set_width(4.0);
    ui.painter().rect_filled(edge, 2.0, color);
}

/// Instead of a page when the engine does not work.
pub fn stopped_ui(ui: &mut Ui, words: &Words) {
    ui.add_space(48.0);
    ui.vertical_centered(|ui| {
        let palette = Palette::of(ui);
        widgets::picture(ui, icon::BAD, 44.0, palette.bad);
        ui.add_space(8.0);
        ui.set_max_width(theme::READING_WIDTH);
        widgets::sentences(ui, words);
        ui.add_space(12.0);
        if ui.button("Close Labferry").clicked() {
            ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
        }
    });
}

/// Over everything while something is dragged over the window.
pub fn drop_preview_ui(context: &egui::Context) {
    let hovered = context.input(|input| input.raw.hovered_files.clone());
    if hovered.is_empty() {
        return;
    }
    let screen = context.content_rect();
    egui::Area::new(egui::Id::unique("drop preview"))
        .order(egui::Order::Foreground)
        .fixed_pos(screen.min)
        .interactable(false)
        .show(context, |ui| {
            let palette = Palette::of(ui);
            ui.set_min_size(screen.size());
            let veil = palette.page.gamma_multiply(0.94);
            ui.painter().rect_filled(screen, 0.0, veil);
            ui.painter().rect_stroke(
                screen.shrink(16.0),
                12.0,
                (3.0, palette.accent),
                egui::StrokeKind::Inside,
            );
            ui.vertical_centered(|ui| {
                ui.add_space((screen.height() * 0.3).max(20.0));
                widgets::picture(ui, icon::DROP, 64.0, palette.accent);
                let count = format::count(hovered.len(), "file or folder", "files and folders");
                ui.label(
                    RichText::new(format!("Drop to add {count}"))
                        .size(20.0)
                        .strong(),
                );
                for file in hovered.iter().take(8) {
                    let name = file.path.as_deref().and_then(std::path::Path::file_name);
                    if let Some(name) = name {
                        ui.label(name.to_string_lossy().into_owned());
                    }
                }
                if hovered.len() > 8 {
                    ui.label(format!("and {} more", hovered.len() - 8));
                }
            });
        });
}

/// Asks once before closing interrupts something.
pub fn closing_ui(context: &egui::Context, snapshot: &Snapshot, state: &mut State) {
    let wants_to_close = context.input(|input| input.viewport().close_requested());
    if wants_to_close && state.closing != Closing::Agreed && !snapshot.safe_to_close {
        context.send_viewport_cmd(egui::ViewportCommand::CancelClose);
        state.closing = Closing::Asked;
    }
    if state.closing != Closing::Asked {
        return;
    }
    if snapshot.safe_to_close && !wants_to_close {
        // What had to stay open is through; the question is void.
        state.closing = Closing::No;
        return;
    }
    let modal = egui::Modal::new(egui::Id::unique("closing")).show(context, |ui| {
        ui.set_width(420.0);
        ui.label(
            RichText::new("Close while files are moving?")
                .size(16.0)
                .strong(),
        );
        ui.label(
            "Uploads, submissions and downloads stop where they are. Nothing is lost: \
             Labferry carries on with them when you open it again.",
        );
        ui.add_space(8.0);
        ui.horizontal(|ui| {
            if widgets::primary_button(ui, "Keep open", true).clicked() {
                state.closing = Closing::No;
            }
            if ui.button("Close now").clicked() {
                state.closing = Closing::Agreed;
                ui.ctx().send_viewport_cmd(egui::ViewportCommand::Close);
            }
        });
    });
    if modal.should_close() && state.closing == Closing::Asked {
        state.closing = Closing::No;
    }
}
