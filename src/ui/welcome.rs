//! The first start: three cards, and the page that explains how Labferry works.

use egui::{RichText, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{Phase, Snapshot};
use crate::ui::outbox::{Goal, Outbox, Wish};
use crate::ui::theme::{Palette, icon};
use crate::ui::{format, widgets};

/// Whether the cards are shown: nothing connected, nothing sent, and never closed.
pub fn is_wanted(snapshot: &Snapshot) -> bool {
    snapshot.phase == Phase::Running
        && snapshot.connections.is_empty()
        && snapshot.batches.is_empty()
        && snapshot.draft.files.is_empty()
        && !snapshot.draft.scanning
        && !snapshot.settings.welcomed
}

/// The three cards.
pub fn cards_ui(ui: &mut Ui, snapshot: &Snapshot, outbox: &mut Outbox) {
    egui::ScrollArea::vertical()
        .auto_shrink(false)
        .show(ui, |ui| {
            ui.add_space(24.0);
            ui.vertical_centered(|ui| {
                ui.label(RichText::new("Welcome to Labferry").size(26.0).strong());
                ui.add_space(2.0);
                widgets::weak(
                    ui,
                    "Drop your files, choose where they are analyzed, and read the results here",
                );
            });
            ui.add_space(24.0);
            let width = ui.available_width().min(1040.0);
            let margin = ((ui.available_width() - width) / 2.0).max(0.0);
            ui.horizontal(|ui| {
                ui.add_space(margin);
                ui.scope(|ui| {
                    ui.set_width(width);
                    ui.columns_const(|[first, second, third]| {
                        connect_card(first, outbox);
                        demo_card(second, snapshot, outbox);
                        read_card(third, outbox);
                    });
                });
            });
            ui.add_space(16.0);
            ui.vertical_centered(|ui| {
                if ui.link("Close these cards").clicked() {
                    let mut settings = (*snapshot.settings).clone();
                    settings.welcomed = true;
                    outbox.command(Command::SaveSettings(settings));
                }
            });
        });
}

fn connect_card(ui: &mut Ui, outbox: &mut Outbox) {
    card(
        ui,
        (icon::CONNECTIONS, "Connect a platform"),
        "Your institute has an account or a server? Paste its key or address once. It stays in this computer's keyring.",
        |ui| {
            if widgets::primary_button(ui, "Connect…", true).clicked() {
                outbox.go(Goal::AddConnection(None));
            }
        },
    );
}

fn demo_card(ui: &mut Ui, snapshot: &Snapshot, outbox: &mut Outbox) {
    let names: Vec<&str> = snapshot.providers.iter().map(|facts| facts.name).collect();
    let words = format!(
        "No account needed. The same window opens with {} simulated on this computer, and with real results computed from \
         your own files. Nothing leaves this computer.",
        format::listed(&names)
    );
    card(ui, (icon::DEMO, "Try the demo"), &words, |ui| {
        if ui
            .button("Open the demo")
            .on_hover_text("Same as labferry demo in a terminal")
            .clicked()
        {
            outbox.wish(Wish::StartDemo);
        }
    });
}

fn read_card(ui: &mut Ui, outbox: &mut Outbox) {
    card(
        ui,
        (icon::READ, "Read how it works"),
        "What happens to your files, your key and your results, on one short page.",
        |ui| {
            if ui.button("Read").clicked() {
                outbox.go(Goal::HowItWorks);
            }
        },
    );
}

fn card(ui: &mut Ui, (mark, title): (&str, &str), words: &str, button: impl FnOnce(&mut Ui)) {
    widgets::card(ui, |ui| {
        ui.with_layout(egui::Layout::top_down(egui::Align::Min), |ui| {
            let palette = Palette::of(ui);
            widgets::picture(ui, mark, 34.0, palette.accent);
            ui.add_space(4.0);
            ui.label(RichText::new(title).size(16.0).strong());
            ui.scope(|ui| {
                ui.set_min_height(122.0);
                ui.add(egui::Label::new(words).wrap());
            });
            ui.horizontal(|ui| {
                ui.set_min_height(34.0);
                button(ui);
            });
        });
    });
}

/// Heading and text of each part of the page.
const HOW: [(&str, &str); 7] = [
    (
        "Files",
        "Drop files or folders anywhere on the window, or pick them. They are only read, never changed or moved. \
         Empty, hidden and unreadable files are named and left out.",
    ),
    (
        "Where",
        "Tick one or more pipelines; a platform may call them capsules, apps or jobs. The same files can go to several \
         platforms at once, as one job or as one per file or sample. Each pipeline has its own settings. Instead of your \
         files a job can use what is at the platform already.",
    ),
    (
        "Check and send",
        "Before the first byte leaves, Labferry says what would go wrong: a file too large, a value the platform refuses, \
         no room on the disk. The button says exactly what it will do.",
    ),
    (
        "Jobs",
        "Waiting, uploading, queued, running, downloading, done mean the same for every platform. \
         You may close the window once everything is uploaded; Labferry carries on when you open it again. \
         Nothing is sent twice. A job that somebody started on the platform itself can be adopted: its results come here too.",
    ),
    (
        "Results",
        "Results land in one folder a batch, unzipped and checked. A file under its final name is complete. \
         The receipt in the folder lists every file with its size and its SHA-256; Check again holds the folder against it.",
    ),
    (
        "Your key",
        "A key is kept in this computer's keyring, or, where there is none, in memory until you close Labferry. \
         It is never written to a file and goes to no other host than its platform's. The keys of your own storage bucket are \
         kept in the same way and go to that bucket alone.",
    ),
    (
        "When something goes wrong",
        "Labferry says what happened, what it did about it, and what you can do, and keeps saying so until you dismiss it.",
    ),
];

/// The page that explains it.
pub fn how_it_works_ui(ui: &mut Ui, open: &mut bool) {
    ui.horizontal(|ui| {
        widgets::page_title(ui, "How it works");
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui.button("Back").clicked() {
                *open = false;
            }
        });
    });
    egui::ScrollArea::vertical()
        .auto_shrink(false)
        .show(ui, |ui| {
            widgets::reading_width(ui);
            for (title, words) in HOW {
                widgets::card(ui, |ui| {
                    ui.label(RichText::new(title).size(16.0).strong());
                    ui.add(egui::Label::new(words).wrap());
                });
            }
        });
}
