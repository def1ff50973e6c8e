//! The page of a batch: its jobs, what its receipt tells, the paragraph for the paper, and how the folder compares.

use std::path::PathBuf;

use egui::text::LayoutJob;
use egui::{Button, Label, RichText, ScrollArea, TextFormat, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::Snapshot;
use crate::model::batch::Batch;
use crate::model::folder::{
    CheckProgress, FolderAnswer, FolderCheck, FolderTold, Outcome, ReceiptFacts, Unread,
};
use crate::model::ids::BatchId;
use crate::ui::outbox::{Goal, Outbox, Wish};
use crate::ui::results::{stack, tree};
use crate::ui::theme::{Palette, icon};
use crate::ui::{format, widgets};

/// Most jobs named on the page.
const MOST_JOBS: usize = 50;

/// Highest the list of files grows before it scrolls.
const LIST_HEIGHT: f32 = 280.0;

/// For which folder, with how many jobs ended, the receipt was last asked for.
#[derive(Debug, Default)]
pub struct BatchState {
    asked: Option<(PathBuf, usize)>,
}

/// The page. Whether all tables of the batch were opened as one.
pub fn batch_ui(
    ui: &mut Ui,
    snapshot: &Snapshot,
    batch: BatchId,
    state: &mut BatchState,
    outbox: &mut Outbox,
) -> bool {
    let mut opened = false;
    let Some(batch) = snapshot.batches.iter().find(|known| known.id == batch) else {
        return opened;
    };
    ask(snapshot, batch, state, outbox);
    ScrollArea::vertical().auto_shrink(false).show(ui, |ui| {
        widgets::page_title(ui, &batch.name);
        opened = overview_ui(ui, snapshot, batch, outbox);
        if let Some(check) = snapshot.checks.get(&batch.folder) {
            ui.add_space(10.0);
            widgets::card(ui, |ui| check_ui(ui, batch, check, outbox));
        }
        let page = snapshot.folder.as_ref();
        if let Some(page) = page.filter(|page| page.folder == batch.folder) {
            ui.add_space(10.0);
            widgets::card(ui, |ui| told_ui(ui, &page.told));
        }
        // Last, as there can be many: what a check found is seen without scrolling.
        ui.add_space(10.0);
        widgets::card(ui, |ui| jobs_ui(ui, snapshot, batch));
    });
    opened
}

/// Has the receipt read when the page opens and whenever a job has ended since.
fn ask(snapshot: &Snapshot, batch: &Batch, state: &mut BatchState, outbox: &mut Outbox) {
    let ended = snapshot
        .jobs
        .iter()
        .filter(|view| view.job.batch == batch.id && view.job.stage.is_settled())
        .count();
    let wanted = (batch.folder.clone(), ended);
    if state.asked.as_ref() != Some(&wanted) {
        outbox.command(Command::OpenFolder(batch.folder.clone()));
        state.asked = Some(wanted);
    }
}

/// Whether all tables of the batch were opened as one.
fn overview_ui(ui: &mut Ui, snapshot: &Snapshot, batch: &Batch, outbox: &mut Outbox) -> bool {
    let mut opened = false;
    let checking = matches!(
        snapshot.checks.get(&batch.folder),
        Some(FolderCheck::Checking(_))
    );
    widgets::card(ui, |ui| {
        ui.horizontal_wrapped(|ui| {
            if widgets::icon_button(ui, icon::FOLDER, "Open folder").clicked() {
                outbox.wish(Wish::OpenPath(batch.folder.clone()));
            }
            ui.add_enabled_ui(!checking, |ui| {
                let check = widgets::icon_button(ui, icon::GOOD, "Check again")
                    .on_hover_text("Read every file and hold the folder against its receipt");
                if check.clicked() {
                    outbox.command(Command::CheckFolder(batch.folder.clone()));
                }
            });
            if let Some(wish) = stack::wish(snapshot, batch) {
                let words = "All results in one table";
                let hint =
                    "Tables with the same columns, one under another; the files stay as they are";
                if widgets::icon_button(ui, icon::TABLE, words)
                    .on_hover_text(hint)
                    .clicked()
                {
                    outbox.command(Command::OpenStack(wish));
                    opened = true;
                }
            }
            if ui.button("Show jobs").clicked() {
                outbox.go(Goal::Batch(batch.id));
            }
        });
        ui.add_space(6.0);
        widgets::fact(ui, "Sent", &format::moment(batch.created));
        widgets::fact(ui, "Folder", &batch.folder.display().to_string());
    });
    opened
}

fn jobs_ui(ui: &mut Ui, snapshot: &Snapshot, batch: &Batch) {
    ui.label(RichText::new("Jobs of this batch").strong());
    ui.add_space(4.0);
    let jobs = || {
        let jobs = snapshot.jobs.iter();
        jobs.filter(|view| view.job.batch == batch.id)
    };
    for view in jobs().take(MOST_JOBS) {
        widgets::fact(ui, &tree::job_words(view), &view.job.name);
    }
    let more = jobs().count().saturating_sub(MOST_JOBS);
    if more > 0 {
        widgets::weak(
            ui,
            format!("and {}", format::count(more, "more job", "more jobs")),
        );
    }
}

fn check_ui(ui: &mut Ui, batch: &Batch, check: &FolderCheck, outbox: &mut Outbox) {
    ui.label(RichText::new("Compared with the receipt").strong());
    ui.add_space(4.0);
    match check {
        FolderCheck::Checking(far) => {
            checking_ui(ui, far);
            let stop = ui
                .add_enabled(!far.stopping, Button::new("Stop"))
                .on_hover_text("What was found so far stays here");
            if stop.clicked() {
                outbox.command(Command::StopCheck(batch.folder.clone()));
            }
        }
        FolderCheck::Failed(words) => widgets::sentences(ui, words),
        FolderCheck::Answered(answer) => answer_ui(ui, answer),
    }
}

fn checking_ui(ui: &mut Ui, far: &CheckProgress) {
    if far.stopping {
        widgets::busy(ui, "Stopping as soon as the drive answers");
        return;
    }
    if far.total_files == 0 {
        widgets::busy(ui, "Looking through the folder");
        return;
    }
    widgets::progress_of(ui, "reading every file", far.done_bytes, far.total_bytes);
    let words = format!(
        "{} of {} · {} of {} files",
        format::bytes(far.done_bytes),
        format::bytes(far.total_bytes),
        format::grouped(far.done_files),
        format::grouped(far.total_files),
    );
    widgets::weak(ui, words);
}

/// Says plainly that this is not the whole answer.
fn unread_ui(ui: &mut Ui, unread: &Unread) {
    let palette = Palette::of(ui);
    widgets::marked(ui, icon::WARNING, palette.warning, "Not finished");
    let left = format!(
        "{} ({}) had not been read when it was stopped, and nothing is said about them here.",
        format::count(unread.files, "file", "files"),
        format::bytes(unread.bytes)
    );
    widgets::weak(ui, left);
    if !unread.looked_through {
        widgets::weak(ui, "The folder was not looked through for extra files.");
    }
    ui.add_space(4.0);
}

fn answer_ui(ui: &mut Ui, answer: &FolderAnswer) {
    let palette = Palette::of(ui);
    let files: usize = answer.counts.iter().sum();
    if let Some(unread) = &answer.unread {
        unread_ui(ui, unread);
    }
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 18.0;
        for (outcome, count) in Outcome::ALL.into_iter().zip(answer.counts) {
            let (mark, color) = match (outcome, count) {
                (Outcome::Same, _) => (icon::GOOD, palette.good),
                (_, 0) => (icon::GOOD, palette.weak),
                (Outcome::Extra, _) => (icon::NOTE, palette.warning),
                (Outcome::Changed | Outcome::Missing | Outcome::Unreadable, _) => {
                    (icon::BAD, palette.bad)
                }
            };
            // One label, so that a mark never stands in another line than its word.
            let mut job = LayoutJob::default();
            let font = egui::TextStyle::Body.resolve(ui.style());
            let mut icon_font = font.clone();
            icon_font.size = 16.0;
            job.append(mark, 0.0, TextFormat::simple(icon_font, color));
            let words = format!("{} {}", format::grouped(count as u64), outcome.word());
            job.append(&words, 6.0, TextFormat::simple(font, palette.text));
            ui.add(Label::new(job).extend());
        }
    });
    let all = if answer.different.is_empty() {
        match files {
            _ if answer.unread.is_some() => format!(
                "{} so far, all as they arrived",
                format::count(files, "file", "files")
            ),
            1 => "The file is as it arrived".to_owned(),
            _ => format!(
                "All {} files are as they arrived",
                format::grouped(files as u64)
            ),
        }
    } else {
        format!(
            "{} of {} not as recorded",
            format::grouped(answer.different.len() as u64),
            format::count(files, "file", "files")
        )
    };
    widgets::weak(ui, format!("{all} · checked {}", format::moment(answer.at)));
    for outcome in Outcome::ALL {
        let files = answer.of(outcome);
        if !files.is_empty() {
            outcome_ui(ui, outcome, files);
        }
    }
}

fn outcome_ui(ui: &mut Ui, outcome: Outcome, files: &[(Outcome, String)]) {
    ui.add_space(8.0);
    let word = outcome.word();
    let title: String = word
        .chars()
        .take(1)
        .flat_map(char::to_uppercase)
        .chain(word.chars().skip(1))
        .collect();
    ui.label(RichText::new(title).strong());
    widgets::weak(ui, outcome.advice());
    let height = ui.text_style_height(&egui::TextStyle::Body);
    ScrollArea::vertical()
        .id_salt(word)
        .max_height(LIST_HEIGHT)
        .auto_shrink([false, true])
        .show_rows(ui, height, files.len(), |ui, range| {
            for (_, path) in files.get(range).unwrap_or_default() {
                ui.add(Label::new(path).truncate()).on_hover_text(path);
            }
        });
}

fn told_ui(ui: &mut Ui, told: &FolderTold) {
    match told {
        FolderTold::Reading => {
            widgets::busy(ui, "Reading the receipt");
        }
        FolderTold::Nothing => {
            widgets::weak(
                ui,
                "The receipt is written as soon as the first results are here",
            );
        }
        FolderTold::Failed(words) => widgets::sentences(ui, words),
        FolderTold::Receipt(facts) => receipt_ui(ui, facts),
    }
}

fn receipt_ui(ui: &mut Ui, facts: &ReceiptFacts) {
    ui.label(RichText::new("Receipt").strong());
    ui.add_space(4.0);
    let files = |count: usize, bytes: u64| {
        format!(
            "{}, {}",
            format::count(count, "file", "files"),
            format::bytes(bytes)
        )
    };
    widgets::fact(ui, "Files sent", &files(facts.sent, facts.sent_bytes));
    widgets::fact(ui, "Results", &files(facts.results, facts.result_bytes));
    if let Some(last) = facts.last {
        widgets::fact(ui, "Last arrival", &format::moment(last));
    }
    widgets::fact(ui, "Written by", &format!("Labferry {}", facts.labferry));
    if facts.has_crate {
        widgets::fact(
            ui,
            "Provenance",
            "ro-crate-metadata.json, a Process Run Crate",
        );
    }
    if let Some(methods) = &facts.methods {
        ui.add_space(10.0);
        ui.horizontal(|ui| {
            ui.label(RichText::new("For the paper").strong());
            let copy = ui
                .button("Copy")
                .on_hover_text("Copy this paragraph; it is in methods.txt too");
            if copy.clicked() {
                ui.ctx().copy_text(methods.clone());
            }
        });
        ui.add_space(4.0);
        widgets::reading_width(ui);
        ui.add(Label::new(methods.as_str()).wrap());
    }
}
