//! Messages that stay until dismissed: three sentences, a button where there is one, facts folded away.

use egui::{Align, Color32, Layout, RichText, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::Snapshot;
use crate::model::notice::{About, Notice, Weight};
use crate::ui::outbox::{Goal, Outbox, Place};
use crate::ui::state;
use crate::ui::theme::{Palette, icon};
use crate::ui::{format, widgets};

/// All notices.
pub fn notices_ui(ui: &mut Ui, snapshot: &Snapshot, outbox: &mut Outbox) {
    ui.horizontal(|ui| {
        widgets::page_title(ui, "Notices");
        if snapshot.notices.len() > 1 {
            ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
                if ui.button("Dismiss all").clicked() {
                    for notice in &snapshot.notices {
                        outbox.command(Command::DismissNotice(notice.id));
                    }
                }
            });
        }
    });
    if snapshot.notices.is_empty() {
        widgets::empty(
            ui,
            icon::NOTICES,
            "Nothing to report",
            "What goes wrong or needs you is kept here until you dismiss it",
        );
        return;
    }
    egui::ScrollArea::vertical()
        .auto_shrink(false)
        .show(ui, |ui| {
            for notice in &snapshot.notices {
                ui.push_id(notice.id.0, |ui| {
                    widgets::card(ui, |ui| notice_ui(ui, snapshot, notice, outbox));
                });
                ui.add_space(2.0);
            }
        });
}

fn notice_ui(ui: &mut Ui, snapshot: &Snapshot, notice: &Notice, outbox: &mut Outbox) {
    let palette = Palette::of(ui);
    ui.horizontal(|ui| {
        let color = color(&palette, notice.weight);
        widgets::picture(ui, mark(notice.weight), 20.0, color);
        ui.label(
            RichText::new(weight_word(notice.weight))
                .color(color)
                .strong(),
        );
        widgets::weak(ui, format::moment(notice.at));
    });
    widgets::sentences(ui, &notice.words);
    ui.horizontal_wrapped(|ui| {
        if let Some(action) = notice.words.action
            && widgets::primary_button(ui, action.label(), true).clicked()
        {
            state::act(action, notice.about, snapshot, outbox);
        }
        show_button(ui, notice, outbox);
        if ui
            .button("Copy")
            .on_hover_text("Copy the whole message")
            .clicked()
        {
            ui.ctx().copy_text(as_text(notice));
        }
        dismiss_button(ui, notice, outbox);
    });
    if !notice.details.is_empty() {
        egui::CollapsingHeader::new("Details")
            .id_salt(("details", notice.id.0))
            .show(ui, |ui| {
                for (name, value) in &notice.details {
                    widgets::fact(ui, name, value);
                }
            });
    }
}

/// A notice as a line above the page.
pub fn short_ui(ui: &mut Ui, snapshot: &Snapshot, notice: &Notice, outbox: &mut Outbox) {
    let palette = Palette::of(ui);
    let words = &notice.words;
    ui.push_id(("banner", notice.id.0), |ui| {
        ui.with_layout(Layout::right_to_left(Align::Center), |ui| {
            dismiss_button(ui, notice, outbox);
            show_button(ui, notice, outbox);
            if let Some(action) = words.action
                && ui.button(action.label()).clicked()
            {
                state::act(action, notice.about, snapshot, outbox);
            }
            let others = snapshot.notices.len().saturating_sub(1);
            if others > 0 && ui.link(format!("{others} more")).clicked() {
                outbox.go(Goal::Place(Place::Notices));
            }
            ui.with_layout(Layout::left_to_right(Align::Center), |ui| {
                widgets::picture(
                    ui,
                    mark(notice.weight),
                    20.0,
                    color(&palette, notice.weight),
                );
                ui.vertical(|ui| {
                    ui.spacing_mut().item_spacing.y = 2.0;
                    let whole = widgets::one_line(ui, RichText::new(&words.what).strong());
                    whole.on_hover_text(words.sentence());
                    let rest: Vec<&str> = [words.did.as_str(), words.next.as_str()]
                        .into_iter()
                        .filter(|sentence| !sentence.is_empty())
                        .collect();
                    if !rest.is_empty() {
                        widgets::one_line(ui, rest.join(" ")).on_hover_text(words.sentence());
                    }
                });
            });
        });
    });
}

fn dismiss_button(ui: &mut Ui, notice: &Notice, outbox: &mut Outbox) {
    if ui
        .button("Dismiss")
        .on_hover_text("Take this notice away")
        .clicked()
    {
        outbox.command(Command::DismissNotice(notice.id));
    }
}

fn show_button(ui: &mut Ui, notice: &Notice, outbox: &mut Outbox) {
    let goal = match notice.about {
        About::App => return,
        About::Connection(_) => ("Show connections", Goal::Place(Place::Connections)),
        About::Batch(batch) => ("Show batch", Goal::Batch(batch)),
        About::Job(job) => ("Show job", Goal::Job(job)),
    };
    if ui.button(goal.0).clicked() {
        outbox.go(goal.1);
    }
}

/// The color of a weight; never the only signal.
pub const fn color(palette: &Palette, weight: Weight) -> Color32 {
    match weight {
        Weight::Note => palette.accent,
        Weight::Warning => palette.warning,
        Weight::Problem => palette.bad,
    }
}

const fn mark(weight: Weight) -> &'static str {
    match weight {
        Weight::Note => icon::NOTE,
        Weight::Warning => icon::WARNING,
        Weight::Problem => icon::BAD,
    }
}

const fn weight_word(weight: Weight) -> &'static str {
    match weight {
        Weight::Note => "Note",
        Weight::Warning => "Warning",
        Weight::Problem => "Problem",
    }
}

/// The whole message for whoever helps.
fn as_text(notice: &Notice) -> String {
    let mut lines = vec![
        format!("{} {}", notice.at, weight_word(notice.weight)),
        notice.words.sentence(),
    ];
    lines.extend(
        notice
            .details
            .iter()
            .map(|(name, value)| format!("{name} {value}")),
    );
    lines.join("\n")
}
