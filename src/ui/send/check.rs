//! Block four of Send: what was found, and the button that says what it will do.

use std::collections::BTreeSet;

use egui::{RichText, ScrollArea, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{Phase, Snapshot};
use crate::model::batch::{Finding, FindingWeight};
use crate::model::provider::FanOut;
use crate::ui::outbox::Outbox;
use crate::ui::send::{self, Checked, SendState, Sending, settings};
use crate::ui::theme::Palette;
use crate::ui::{format, widgets};

/// The block.
pub fn check_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut SendState, outbox: &mut Outbox) {
    ask_for_check(snapshot, state, outbox);
    let (files, _) = send::sendable(&snapshot.draft);
    let plan = plan(snapshot, state, files);
    widgets::card(ui, |ui| {
        let findings = if state.targets.is_empty() || files == 0 {
            &[][..]
        } else {
            &snapshot.draft.findings
        };
        findings_ui(ui, snapshot, state, findings);
        ui.horizontal(|ui| {
            widgets::step_title(ui, 4, "Check and send", false);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let why_not = why_not(snapshot, state, files, findings);
                let enabled = why_not.is_none();
                let button = widgets::primary_button(ui, &plan, enabled);
                if let Some(why_not) = why_not {
                    button.on_disabled_hover_text(&why_not);
                    let color = Palette::of(ui).weak;
                    ui.add(egui::Label::new(RichText::new(why_not).color(color)).truncate());
                } else if button.clicked() {
                    state.sending = Some(Sending {
                        submitted_before: snapshot.draft.submitted,
                        checked_before: snapshot.draft.checked,
                    });
                    outbox.command(Command::SubmitBatch(state.draft()));
                }
            });
        });
    });
}

/// Asks for a look-over when what is filled in differs from what was looked over; one at a time.
fn ask_for_check(snapshot: &Snapshot, state: &mut SendState, outbox: &mut Outbox) {
    let (files, bytes) = send::sendable(&snapshot.draft);
    if files == 0
        || state.targets.is_empty()
        || snapshot.draft.scanning
        || state.check_on_its_way.is_some()
        || state.sending.is_some()
    {
        return;
    }
    let wanted = Checked {
        draft: state.draft(),
        files,
        bytes,
    };
    if state.checked.as_ref() != Some(&wanted) {
        outbox.command(Command::CheckBatch(wanted.draft.clone()));
        state.checked = Some(wanted);
        state.check_on_its_way = Some(snapshot.draft.checked);
    }
}

fn findings_ui(ui: &mut Ui, snapshot: &Snapshot, state: &SendState, findings: &[Finding]) {
    if findings.is_empty() {
        return;
    }
    ScrollArea::vertical()
        .id_salt("findings")
        .max_height(110.0)
        .min_scrolled_height(110.0)
        .auto_shrink([false, true])
        .show(ui, |ui| {
            ui.spacing_mut().item_spacing.y = 4.0;
            let mut sorted: Vec<&Finding> = findings.iter().collect();
            sorted.sort_by_key(|finding| finding.weight);
            for finding in sorted {
                let target = finding
                    .target
                    .and_then(|at| state.targets.get(at))
                    .and_then(|target| {
                        let view = snapshot.connection(target.connection)?;
                        Some(format!(
                            "{}, {}: ",
                            view.connection.label, target.pipeline.name
                        ))
                    })
                    .unwrap_or_default();
                settings::finding_ui(ui, finding.weight, &format!("{target}{}", finding.words));
            }
        });
    ui.add_space(4.0);
}

/// What the button says it will do.
fn plan(snapshot: &Snapshot, state: &SendState, files: usize) -> String {
    if files == 0 || state.targets.is_empty() {
        return "Send".to_owned();
    }
    let jobs: usize = state
        .targets
        .iter()
        .map(|target| match target.fan_out {
            FanOut::AllInOne | FanOut::BatchPerFile | FanOut::BatchPerSample => 1,
            FanOut::OnePerFile | FanOut::OnePerSample => files,
        })
        .sum();
    let platforms: BTreeSet<&str> = state
        .targets
        .iter()
        .filter_map(|target| snapshot.connection(target.connection))
        .map(|view| view.provider_name)
        .collect();
    format!(
        "Send {} · {} on {}",
        format::count(files, "file", "files"),
        format::count(jobs, "job", "jobs"),
        format::count(platforms.len(), "platform", "platforms"),
    )
}

/// Why the button cannot be pressed; none when it can.
fn why_not(
    snapshot: &Snapshot,
    state: &SendState,
    files: usize,
    findings: &[Finding],
) -> Option<String> {
    let blocking = findings
        .iter()
        .filter(|finding| finding.weight == FindingWeight::Blocks)
        .count();
    let problems = settings::problem_count(snapshot, state);
    if snapshot.phase != Phase::Running {
        Some("Labferry cannot send right now".to_owned())
    } else if state.sending.is_some() {
        Some("Sending".to_owned())
    } else if snapshot.draft.scanning {
        Some("Looking through folders".to_owned())
    } else if files == 0 {
        Some("Add files first".to_owned())
    } else if state.targets.is_empty() {
        Some("Tick where to send them".to_owned())
    } else if problems > 0 {
        Some(format!(
            "{} to correct",
            format::count(problems, "setting", "settings")
        ))
    } else if blocking > 0 {
        Some(format!(
            "{} to solve first",
            format::count(blocking, "problem", "problems")
        ))
    } else {
        None
    }
}
