//! The page *Settings*: of the app itself, saved as they are changed.

use std::path::PathBuf;

use egui::{RichText, ScrollArea, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::Snapshot;
use crate::model::settings::{AppSettings, ProxyChoice, ThemeChoice};
use crate::ui::desktop::PickFor;
use crate::ui::outbox::{Goal, Outbox, Wish};
use crate::ui::shortcuts::SHORTCUTS;
use crate::ui::{report, widgets};

/// What a speed limit is set to first.
const USUAL_LIMIT_BYTES_PER_SECOND: u64 = 5_000_000;
const BYTES_PER_MEGABYTE: f64 = 1e6;

/// What Settings remembers.
#[derive(Debug, Default)]
pub struct SettingsState {
    /// Texts that are being typed and not saved yet.
    edited: Option<Edited>,
    /// Whether paths are typed because there is no picker.
    typed_paths: bool,
    /// The typed path of a report.
    report_path: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Edited {
    proxy: String,
    folder: String,
    authority: String,
}

impl SettingsState {
    /// Shows fields for paths instead of the picker.
    pub fn type_paths(&mut self) {
        self.typed_paths = true;
    }

    /// Forgets what was typed and takes what is saved.
    pub fn forget_edits(&mut self) {
        self.edited = None;
    }
}

fn as_typed(path: Option<&PathBuf>) -> String {
    path.map(|path| path.display().to_string())
        .unwrap_or_default()
}

fn as_path(typed: &str) -> Option<PathBuf> {
    let typed = typed.trim();
    (!typed.is_empty()).then(|| PathBuf::from(typed))
}

/// The page.
pub fn settings_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    state: &mut SettingsState,
    outbox: &mut Outbox,
) {
    widgets::page_title(ui, "Settings");
    let saved = &*snapshot.settings;
    let mut wanted = saved.clone();
    let mut edited = state.edited.clone().unwrap_or_else(|| Edited {
        proxy: match &saved.proxy {
            ProxyChoice::Manual(address) => address.clone(),
            ProxyChoice::System | ProxyChoice::None => String::new(),
        },
        folder: as_typed(saved.results_folder.as_ref()),
        authority: as_typed(saved.extra_authority.as_ref()),
    });
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        widgets::reading_width(ui);
        card(ui, "Look", |ui| look_ui(ui, &mut wanted));
        card(ui, "Results", |ui| {
            results_ui(
                ui,
                snapshot,
                state.typed_paths,
                &mut wanted,
                &mut edited,
                outbox,
            );
        });
        card(ui, "Network", |ui| {
            network_ui(ui, state.typed_paths, &mut wanted, &mut edited, outbox);
        });
        card(ui, "Keyboard", keyboard_ui);
        card(ui, "About", |ui| {
            ui.label(format!("Labferry {}", env!("CARGO_PKG_VERSION")));
            if ui.button("Read how it works").clicked() {
                outbox.go(Goal::HowItWorks);
            }
        });
        card(ui, "Report a problem", |ui| {
            let (typed_paths, path) = (state.typed_paths, &mut state.report_path);
            report::report_ui(ui, snapshot.report.as_deref(), typed_paths, path, outbox);
        });
    });
    state.edited = Some(edited);
    if wanted != *saved {
        state.edited = None;
        outbox.command(Command::SaveSettings(wanted));
    }
}

fn card(ui: &mut Ui, title: &str, add: impl FnOnce(&mut Ui)) {
    widgets::card(ui, |ui| {
        ui.label(RichText::new(title).size(16.0).strong());
        add(ui);
    });
}

fn look_ui(ui: &mut Ui, wanted: &mut AppSettings) {
    ui.horizontal(|ui| {
        ui.label("Theme");
        for (theme, name) in [
            (ThemeChoice::System, "As the system"),
            (ThemeChoice::Light, "Light"),
            (ThemeChoice::Dark, "Dark"),
        ] {
            ui.radio_value(&mut wanted.theme, theme, name);
        }
    });
    ui.horizontal(|ui| {
        let label = ui.label("Text size");
        let shown = format!("{} %", wanted.text_percent);
        egui::ComboBox::from_id_salt("text size")
            .selected_text(shown)
            .width(100.0)
            .show_ui(ui, |ui| {
                for percent in [80_u16, 90, 100, 110, 125, 150, 175, 200] {
                    ui.selectable_value(&mut wanted.text_percent, percent, format!("{percent} %"));
                }
            })
            .response
            .labelled_by(label.id);
    });
}

fn results_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    typed_paths: bool,
    wanted: &mut AppSettings,
    edited: &mut Edited,
    outbox: &mut Outbox,
) {
    let default = snapshot.default_results_folder.display().to_string();
    let shown = wanted
        .results_folder
        .as_ref()
        .map_or(default.clone(), |folder| folder.display().to_string());
    widgets::fact(ui, "Results folder", &shown);
    ui.horizontal_wrapped(|ui| {
        if ui.button("Choose another folder…").clicked() {
            outbox.wish(Wish::Pick(PickFor::ResultsFolder));
        }
        if wanted.results_folder.is_some() && ui.button("Use the usual folder").clicked() {
            wanted.results_folder = None;
        }
    });
    if typed_paths {
        let field = widgets::text_field(
            ui,
            "Path of the results folder",
            &mut edited.folder,
            &default,
        );
        if field.lost_focus() {
            wanted.results_folder = as_path(&edited.folder);
        }
    }
    ui.checkbox(
        &mut wanted.keep_archives,
        "Keep zip files after unpacking them",
    );
}

fn network_ui(
    ui: &mut Ui,
    typed_paths: bool,
    wanted: &mut AppSettings,
    edited: &mut Edited,
    outbox: &mut Outbox,
) {
    for (name, count) in [
        ("Uploads at the same time", &mut wanted.parallel_uploads),
        ("Downloads at the same time", &mut wanted.parallel_downloads),
    ] {
        ui.horizontal(|ui| {
            let label = ui.label(name);
            ui.add(
                egui::DragValue::new(count)
                    .range(1..=16)
                    .update_while_editing(false),
            )
            .labelled_by(label.id);
        });
    }
    speed_ui(
        ui,
        ("Limit upload speed", "Upload at most"),
        &mut wanted.upload_bytes_per_second,
    );
    speed_ui(
        ui,
        ("Limit download speed", "Download at most"),
        &mut wanted.download_bytes_per_second,
    );
    ui.horizontal(|ui| {
        ui.label("Proxy");
        let manual = matches!(wanted.proxy, ProxyChoice::Manual(_));
        if ui
            .radio(wanted.proxy == ProxyChoice::System, "As the system")
            .clicked()
        {
            wanted.proxy = ProxyChoice::System;
        }
        if ui
            .radio(wanted.proxy == ProxyChoice::None, "None")
            .clicked()
        {
            wanted.proxy = ProxyChoice::None;
        }
        if ui.radio(manual, "This one").clicked() {
            wanted.proxy = ProxyChoice::Manual(edited.proxy.trim().to_owned());
        }
    });
    if matches!(wanted.proxy, ProxyChoice::Manual(_)) {
        let field = widgets::text_field(
            ui,
            "Proxy address",
            &mut edited.proxy,
            "http://proxy.example.org:3128",
        );
        if field.lost_focus() {
            wanted.proxy = ProxyChoice::Manual(edited.proxy.trim().to_owned());
        }
    }
    authority_ui(ui, typed_paths, wanted, edited, outbox);
}

/// A tick, and how fast where it is set: its words go on in the field.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the field keeps the number small and above zero"
)]
fn speed_ui(ui: &mut Ui, (name, limit): (&str, &str), bytes_per_second: &mut Option<u64>) {
    ui.horizontal(|ui| {
        let mut is_limited = bytes_per_second.is_some();
        let words = if is_limited { limit } else { name };
        let tick = ui.checkbox(&mut is_limited, words);
        if tick.changed() {
            *bytes_per_second = is_limited.then_some(USUAL_LIMIT_BYTES_PER_SECOND);
        }
        let Some(bytes_per_second) = bytes_per_second else {
            return;
        };
        let shown = |set: Option<f64>| {
            if let Some(megabytes) = set {
                *bytes_per_second = (megabytes * BYTES_PER_MEGABYTE) as u64;
            }
            *bytes_per_second as f64 / BYTES_PER_MEGABYTE
        };
        ui.add(
            egui::DragValue::from_get_set(shown)
                .range(0.1..=10_000.0)
                .speed(0.1)
                .max_decimals(1)
                .suffix(" MB/s")
                .update_while_editing(false),
        )
        .accessible_name(format!("{limit} so many megabytes a second"));
    });
}

fn authority_ui(
    ui: &mut Ui,
    typed_paths: bool,
    wanted: &mut AppSettings,
    edited: &mut Edited,
    outbox: &mut Outbox,
) {
    let shown = wanted
        .extra_authority
        .as_ref()
        .map_or_else(|| "None".to_owned(), |path| path.display().to_string());
    widgets::fact(ui, "Extra certificate authority", &shown);
    widgets::weak(
        ui,
        "Only where your institute inspects encrypted traffic; a PEM file",
    );
    ui.horizontal_wrapped(|ui| {
        if ui.button("Choose file…").clicked() {
            outbox.wish(Wish::Pick(PickFor::Authority));
        }
        if wanted.extra_authority.is_some() && ui.button("Use none").clicked() {
            wanted.extra_authority = None;
        }
    });
    if typed_paths {
        let field = widgets::text_field(
            ui,
            "Path of the certificate file",
            &mut edited.authority,
            "",
        );
        if field.lost_focus() {
            wanted.extra_authority = as_path(&edited.authority);
        }
    }
}

fn keyboard_ui(ui: &mut Ui) {
    for shortcut in &SHORTCUTS {
        let keys = ui.ctx().format_shortcut(&shortcut.keys);
        widgets::fact(ui, &keys, shortcut.words);
    }
    widgets::fact(ui, "Tab", "Go to the next control; Enter or Space uses it");
}
