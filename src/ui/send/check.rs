//! Block four of Send: what was found, and the button that says what it will do.

use std::collections::BTreeSet;

use egui::{RichText, ScrollArea, Ui};

use crate::engine::command::Command;
use crate::engine::snapshot::{Phase, Snapshot};
use crate::model::batch::{Finding, FindingWeight};
use crate::ui::outbox::Outbox;
use crate::ui::send::ticked::Lack;
use crate::ui::send::{Checked, SendState, Sending, settings};
use crate::ui::theme::Palette;
use crate::ui::{format, widgets};

/// The block.
pub fn check_ui(ui: &mut Ui, snapshot: &Snapshot, state: &mut SendState, outbox: &mut Outbox) {
    ask_for_check(snapshot, state, outbox);
    let files = files(state);
    let plan = plan(snapshot, state, files);
    widgets::card(ui, |ui| {
        let findings = if state.ticked.is_empty() || !can_start(state) {
            &[][..]
        } else {
            &snapshot.draft.findings
        };
        findings_ui(ui, snapshot, state, findings);
        ui.horizontal(|ui| {
            widgets::step_title(ui, 4, "Check and send", false);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                let why_not = why_not(snapshot, state, findings);
                let enabled = why_not.is_none();
                let button = widgets::primary_button(ui, &plan, enabled);
                if let Some(why_not) = why_not {
                    button.on_disabled_hover_text(&why_not);
                    let color = Palette::of(ui).weak;
                    ui.add(egui::Label::new(RichText::new(why_not).color(color)).truncate());
                } else if button.clicked() {
                    // A look-over that is still under way ends as well, and is no refusal.
                    let under_way = u64::from(state.check_on_its_way.is_some());
                    state.sending = Some(Sending {
                        submitted_before: snapshot.draft.submitted,
                        checked_before: snapshot.draft.checked.saturating_add(under_way),
                    });
                    outbox.command(Command::SubmitBatch(state.draft()));
                }
            });
        });
    });
}

/// Asks for a look-over when what is filled in differs from what was looked over; one at a time.
fn ask_for_check(snapshot: &Snapshot, state: &mut SendState, outbox: &mut Outbox) {
    if !can_start(state)
        || state.ticked.is_empty()
        || snapshot.draft.scanning
        || state.check_on_its_way.is_some()
        || state.sending.is_some()
    {
        return;
    }
    let wanted = Checked {
        draft: state.draft(),
        files: state.tally.files,
        bytes: state.tally.bytes,
        samples: snapshot.draft.samples.clone(),
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
                    .and_then(|at| state.ticked.get(at))
                    .and_then(|ticked| {
                        let target = &ticked.target;
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

/// Files of this computer that will be sent: none when all targets use inputs at their platforms.
fn files(state: &SendState) -> usize {
    let any = state
        .ticked
        .iter()
        .any(|ticked| ticked.target.existing.is_empty());
    if any || state.ticked.is_empty() {
        state.tally.files
    } else {
        0
    }
}

/// Whether there is something to make jobs of.
fn can_start(state: &SendState) -> bool {
    state.tally.files > 0
        || (!state.ticked.is_empty()
            && state
                .ticked
                .iter()
                .all(|ticked| !ticked.target.existing.is_empty()))
}

/// What the button says it will do.
fn plan(snapshot: &Snapshot, state: &SendState, files: usize) -> String {
    if !can_start(state) || state.ticked.is_empty() {
        return "Send".to_owned();
    }
    let targets = || state.ticked.iter().map(|ticked| &ticked.target);
    let jobs: usize = targets().map(|target| state.tally.jobs(target)).sum();
    let platforms: BTreeSet<&str> = targets()
        .filter_map(|target| snapshot.connection(target.connection))
        .map(|view| view.provider_name)
        .collect();
    let what = format!(
        "{} on {}",
        format::count(jobs, "job", "jobs"),
        format::count(platforms.len(), "platform", "platforms"),
    );
    if files == 0 {
        format!("Send {what}")
    } else {
        format!("Send {} · {what}", format::count(files, "file", "files"))
    }
}

/// What of the choices under Where keeps the draft from being sent.
fn lack(snapshot: &Snapshot, state: &SendState) -> Option<String> {
    state.ticked.iter().find_map(|ticked| {
        let view = snapshot.connection(ticked.target.connection)?;
        let facts = snapshot.facts(&view.connection.provider)?;
        match ticked.lacks(view, facts, &state.tally) {
            Lack::Nothing => None,
            Lack::WayForFiles => Some(format!(
                "{} cannot take files of this computer yet",
                view.connection.label
            )),
            Lack::SampleColumn => Some(format!(
                "{} needs a sample column",
                ticked.target.pipeline.name
            )),
            Lack::SamplesOfExisting => Some(format!(
                "{} needs another way to make jobs",
                ticked.target.pipeline.name
            )),
        }
    })
}

/// Why the button cannot be pressed; none when it can.
fn why_not(snapshot: &Snapshot, state: &SendState, findings: &[Finding]) -> Option<String> {
    let blocking = findings
        .iter()
        .filter(|finding| finding.weight == FindingWeight::Blocks)
        .count();
    let problems = settings::problem_count(state);
    let lack = lack(snapshot, state);
    if snapshot.phase != Phase::Running {
        Some("Labferry cannot send right now".to_owned())
    } else if state.sending.is_some() {
        Some("Sending".to_owned())
    } else if snapshot.draft.scanning {
        Some("Looking through folders".to_owned())
    } else if !can_start(state) {
        Some("Add files first".to_owned())
    } else if state.ticked.is_empty() {
        Some("Tick where to send them".to_owned())
    } else if lack.is_some() {
        lack
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
