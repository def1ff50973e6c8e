//! A file Labferry has no view for: what it is, and its hash to compare with what a platform or a colleague says.

use egui::Ui;

use crate::engine::command::Command;
use crate::model::preview::FileHash;
use crate::ui::outbox::Outbox;
use crate::ui::{format, widgets};

/// The facts.
pub fn other_ui(ui: &mut Ui, size_bytes: u64, kind: &str, hash: &FileHash, outbox: &mut Outbox) {
    widgets::card(ui, |ui| {
        widgets::fact(ui, "Kind", kind);
        let exact = format!(
            "{} ({} bytes)",
            format::bytes(size_bytes),
            format::grouped(size_bytes)
        );
        widgets::fact(ui, "Size", &exact);
        match hash {
            FileHash::NotAsked => {
                if ui
                    .button("Compute the SHA-256")
                    .on_hover_text("Reads the whole file")
                    .clicked()
                {
                    outbox.command(Command::HashPreview);
                }
            }
            FileHash::Working { done_bytes } => {
                widgets::progress_of(ui, "SHA-256", *done_bytes, size_bytes);
                if ui.button("Stop").clicked() {
                    outbox.command(Command::StopHashing);
                }
            }
            FileHash::Done(sha256) => {
                widgets::fact(ui, "SHA-256", sha256);
                if ui.button("Copy the SHA-256").clicked() {
                    ui.ctx().copy_text(sha256.clone());
                }
            }
            FileHash::Failed(words) => widgets::sentences(ui, words),
        }
        ui.add_space(4.0);
        widgets::weak(ui, "Labferry has no view for this; open it with the system");
    });
}
