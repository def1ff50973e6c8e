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
                let share = (*done_bytes as f64 / size_bytes.max(1) as f64).min(1.0);
                let words = format!("{:.0} %", share * 100.0);
                #[expect(
                    clippy::cast_possible_truncation,
                    reason = "a share of a bar needs no more digits"
                )]
                widgets::progress(ui, "SHA-256", Some(share as f32), &words);
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
